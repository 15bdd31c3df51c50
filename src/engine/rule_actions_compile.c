/* Actions of rules compiled: everything that they name is looked up, and each is one that the rule's event
 * can have. All problems are told with their place.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"
#include "engine/plugins.h"
#include "engine/rules.h"

static char *copy(const char *text)
{
    char *s = strdup(text);

    if (!s)
        abort();
    return s;
}

static bool given(const char *text)
{
    return text && *text;
}

static struct template *compile_text(struct compiling *k, const char *key, const char *text)
{
    /* Where the pattern itself is broken, its groups are not known, and that is one error and not two. */
    struct template_scope scope = {.pattern = k->rule->pattern,
                                   .unbound = given(k->from->pattern) && !k->rule->pattern};
    char place[PLACE_BYTES];

    if (!given(text))
        return NULL;
    snprintf(place, sizeof place, "%s.%s", k->rule->place, key);
    return compile_reply(k->conf, text, place, &scope, k->problems);
}

static bool looks_like_number(const char *text)
{
    for (const char *c = text; *c; c++)
        if (isalpha((unsigned char)*c) || (unsigned char)*c >= 0x80)
            return false;
    return *text != '\0';
}

static void unknown_sendee(struct compiling *k, const char *place, const char *text, const char *why)
{
    struct buf known = {0};

    staff_names(&k->program->staff, &known);
    buf_adds(&known, known.len ? ", " : "");
    staff_department_names(&k->program->staff, &known);
    problem(k->problems,
            "%s: \"%.60s\" is nobody we know%s%s: expected a number, a person, a department or \"@LIST\" "
            "(%.300s)",
            place, text, *why ? ": " : "", why, buf_str(&known));
    buf_free(&known);
}

static bool find_number(struct compiling *k, const char *text, struct sendee *out, struct err *e)
{
    char number[NUMBER_BYTES];

    if (!looks_like_number(text) ||
        number_normalise(text, k->program->country, NUMBER_READ_NATIONAL, number, e) < 0)
        return false;
    *out = (struct sendee){.kind = SENDEE_NUMBER, .name = copy(number)};
    return true;
}

static bool find_staff(struct compiling *k, const char *text, struct sendee *out)
{
    const struct person *person = staff_person(&k->program->staff, text);

    if (person) {
        *out = (struct sendee){.kind = SENDEE_PERSON, .person = person};
        return true;
    }
    if (!staff_department(&k->program->staff, text))
        return false;
    *out = (struct sendee){.kind = SENDEE_DEPARTMENT, .name = copy(text)};
    return true;
}

static bool find_list(struct compiling *k, const char *text, struct sendee *out)
{
    int list = *text == '@' ? lists_find(k->program->lists, text + 1) : -1;

    if (list < 0)
        return false;
    *out = (struct sendee){.kind = SENDEE_LIST, .list = list};
    return true;
}

static bool find_plugin(struct compiling *k, const char *text, struct sendee *out, struct err *e)
{
    if (plugins_can_forward(k->program->plugins, text, e) != 0)
        return false;
    *out = (struct sendee){.kind = SENDEE_PLUGIN, .name = copy(text)};
    return true;
}

static int compile_sendees(struct compiling *k, const char *key, const char *const *texts, bool forward,
                           struct sendee **out)
{
    int n = 0, found = 0;

    while (texts && texts[n])
        n++;
    if (n == 0)
        return 0;
    *out = calloc((size_t)n, sizeof **out);
    if (!*out)
        abort();
    for (int i = 0; i < n; i++) {
        struct sendee *s = &(*out)[found];
        struct err e = {0};
        char place[PLACE_BYTES];

        snprintf(place, sizeof place, "%s.%s[%d]", k->rule->place, key, i);
        if (find_number(k, texts[i], s, &e) || find_staff(k, texts[i], s) || find_list(k, texts[i], s) ||
            (forward && find_plugin(k, texts[i], s, &e)))
            found++;
        else
            unknown_sendee(k, place, texts[i], e.text);
    }
    return found;
}

static void compile_send(struct compiling *k, struct rule_actions *a)
{
    const struct engine_rule_conf *rc = k->from;

    a->send = compile_text(k, "send", rc->send);
    a->nsend_to = compile_sendees(k, "send_to", rc->send_to, false, &a->send_to);
    a->nforward = compile_sendees(k, "forward", rc->forward, true, &a->forward);
    if (given(rc->send) != (rc->send_to != NULL))
        problem(k->problems, "%s.%s: expected \"send\" (the text) and \"send_to\" (to whom) together",
                k->rule->place, given(rc->send) ? "send" : "send_to");
}

/* "name=text with {{values}}" */
static void compile_set(struct compiling *k, struct rule_actions *a)
{
    int n = 0;

    while (k->from->set && k->from->set[n])
        n++;
    a->set = calloc((size_t)n + 1, sizeof *a->set);
    if (!a->set)
        abort();
    for (int i = 0; i < n; i++) {
        const char *text = k->from->set[i], *equals = strchr(text, '=');
        struct template_scope scope = {.pattern = k->rule->pattern,
                                       .unbound = given(k->from->pattern) && !k->rule->pattern};
        struct setting *s = &a->set[a->nset];
        struct err e = {0};

        if (!equals || equals == text || equals - text >= DESK_WORD_BYTES) {
            problem(k->problems, "%s.set[%d]: expected \"name=text\"", k->rule->place, i);
            continue;
        }
        if (template_new(equals + 1, &scope, &s->value, &e) != 0) {
            problem(k->problems, "%s.set[%d]: %s", k->rule->place, i, e.text);
            continue;
        }
        s->name = strndup(text, (size_t)(equals - text));
        a->nset++;
    }
}

static char **compile_tags(struct compiling *k, const char *key, const char *const *tags)
{
    for (int i = 0; tags && tags[i]; i++)
        if (!tag_is_good(tags[i]))
            problem(k->problems, "%s.%s[%d]: expected " TAG_EXPECTED, k->rule->place, key, i);
    return texts_copy(tags);
}

static void compile_people(struct compiling *k, struct rule_actions *a)
{
    const struct engine_rule_conf *rc = k->from;
    const struct staff *s = &k->program->staff;
    struct buf names = {0};

    if (given(rc->department) && !staff_department(s, rc->department)) {
        staff_department_names(s, &names);
        problem(k->problems, "%s.department: no department \"%.60s\": expected one of departments: %s",
                k->rule->place, rc->department, buf_str(&names));
    }
    buf_clear(&names);
    if (given(rc->assign) && !staff_person(s, rc->assign)) {
        staff_names(s, &names);
        problem(k->problems, "%s.assign: nobody is called \"%.60s\": expected one of people: %s",
                k->rule->place, rc->assign, buf_str(&names));
    }
    buf_free(&names);
    if (given(rc->department) && staff_department(s, rc->department))
        a->department = copy(staff_department(s, rc->department)->name);
    if (given(rc->assign) && staff_person(s, rc->assign))
        a->assign = copy(staff_person(s, rc->assign)->name);
}

/* "open", "close", "spam", "snooze", "snooze 2h" */
static void compile_state(struct compiling *k, struct rule_actions *a)
{
    static const struct {
        const char *word;
        enum conv_state state;
    } words[] = {{"open", CONV_OPEN}, {"close", CONV_CLOSED}, {"spam", CONV_SPAM}, {"snooze", CONV_SNOOZED}};
    const char *text = k->from->conversation;

    if (!given(text))
        return;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(text, words[i].word) == 0)
            a->state = words[i].state;
    if (strncmp(text, "snooze ", 7) == 0 && str_to_duration_ms(text + 7, &a->snooze_ms) && a->snooze_ms > 0)
        a->state = CONV_SNOOZED;
    if (!a->state)
        problem(
            k->problems,
            "%s.conversation: \"%.40s\": expected \"open\", \"close\", \"spam\", \"snooze\" or \"snooze 2h\"",
            k->rule->place, text);
}

static void compile_words(struct compiling *k, struct rule_actions *a)
{
    static const char *const priorities[] = {"low", "normal", "high", "urgent"};
    const struct engine_rule_conf *rc = k->from;

    a->priority = -1;
    for (size_t i = 0; i < ARRAY_LEN(priorities); i++)
        if (given(rc->priority) && strcmp(rc->priority, priorities[i]) == 0)
            a->priority = (int)i;
    if (given(rc->priority) && a->priority < 0)
        problem(k->problems, "%s.priority: \"%.40s\": expected low, normal, high or urgent", k->rule->place,
                rc->priority);
    if (given(rc->consent) && strcmp(rc->consent, "in") == 0)
        a->consent = CONSENT_IN;
    else if (given(rc->consent) && strcmp(rc->consent, "out") == 0)
        a->consent = CONSENT_OUT;
    else if (given(rc->consent))
        problem(k->problems, "%s.consent: \"%.40s\": expected \"in\" or \"out\"", k->rule->place,
                rc->consent);
}

static void compile_handler(struct compiling *k, struct rule_actions *a)
{
    const struct engine_rule_conf *rc = k->from;

    if (!given(rc->handler))
        return;
    a->handler = plugins_handler(k->program->plugins, rc->handler);
    if (!a->handler)
        problem(k->problems, "%s.handler: no handler \"%.60s\": expected the name of one of handlers",
                k->rule->place, rc->handler);
    if (rc->also)
        problem(k->problems, "%s.continue: expected none beside \"handler\", which decides what else is done",
                k->rule->place);
}

/* What an event must have for each of the actions. */
static void check_event(struct compiling *k)
{
    const struct engine_rule_conf *rc = k->from;
    const struct {
        const char *key;
        bool said;
    } of_contact[] = {
        {"reply", given(rc->reply)},     {"department", given(rc->department)},
        {"assign", given(rc->assign)},   {"conversation", given(rc->conversation)},
        {"tag", rc->tag != NULL},        {"untag", rc->untag != NULL},
        {"set", rc->set != NULL},        {"priority", given(rc->priority)},
        {"consent", given(rc->consent)}, {"note", given(rc->note)},
    };

    for (size_t i = 0; i < ARRAY_LEN(of_contact); i++)
        if (of_contact[i].said)
            rule_may(k, of_contact[i].key, RULE_CONTACT);
}

void actions_compile(struct compiling *k)
{
    const struct engine_rule_conf *rc = k->from;
    struct rule_actions *a = &k->rule->actions;

    check_event(k);
    a->reply = compile_text(k, "reply", rc->reply);
    a->alarm = compile_text(k, "alarm", rc->alarm);
    a->note = compile_text(k, "note", rc->note);
    a->log = compile_text(k, "log", rc->log);
    compile_send(k, a);
    compile_set(k, a);
    a->tag = compile_tags(k, "tag", rc->tag);
    a->untag = compile_tags(k, "untag", rc->untag);
    compile_people(k, a);
    compile_state(k, a);
    compile_words(k, a);
    compile_handler(k, a);
    a->drop = rc->drop;
}

static void sendees_free(struct sendee *s, int n)
{
    for (int i = 0; i < n; i++)
        free(s[i].name);
    free(s);
}

void rule_actions_fini(struct rule_actions *a)
{
    template_free(a->reply);
    template_free(a->send);
    template_free(a->alarm);
    template_free(a->note);
    template_free(a->log);
    sendees_free(a->send_to, a->nsend_to);
    sendees_free(a->forward, a->nforward);
    for (int i = 0; i < a->nset; i++) {
        free(a->set[i].name);
        template_free(a->set[i].value);
    }
    free(a->set);
    texts_free(a->tag);
    texts_free(a->untag);
    free(a->department);
    free(a->assign);
}
