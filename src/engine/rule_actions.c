/* Actions of rules: compiled with all that they name looked up, and done into a verdict.
 *
 * A text that lacks a value is not sent half: the conversation is flagged for a person, with the reason.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "base/util.h"
#include "engine/plugins.h"
#include "engine/rules.h"

enum { FORWARD_PHONES = 16 };

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

/* ---- compiling ------------------------------------------------------------------------------------------
 */

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
        if (strchr(tags[i], ',') || *tags[i] == '!' || strlen(tags[i]) >= DESK_WORD_BYTES)
            problem(k->problems, "%s.%s[%d]: expected a word without ',' of at most %d bytes", k->rule->place,
                    key, i, DESK_WORD_BYTES - 1);
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

/* ---- doing ----------------------------------------------------------------------------------------------
 */

static void why(struct asking *a, const char *what, const char *value)
{
    verdict_why(a->verdict, "%s \"%s\": %s%s%s", a->rule->place, a->rule->name, what, *value ? " " : "",
                value);
}

static void effect(struct asking *a, const struct store_effect *e)
{
    if (verdict_effect(a->verdict, e))
        why(a, effect_name(e->kind), e->value ? e->value : e->name ? e->name : "");
}

static struct template_values values_of(struct asking *a)
{
    struct template_values v;

    program_values(a->program, a->event, &v);
    v.pattern = a->rule->pattern;
    v.keyword = a->rule->keyworded ? a->rule->keyword : a->rule->worded ? a->rule->word : NULL;
    return v;
}

/* For a person to see to: it would have lacked a value. */
static void hold(struct asking *a, const char *what, const char *missing)
{
    char text[MSG_REASON_BYTES];

    snprintf(text, sizeof text, "rule %.60s: %s held, no value for %.60s", a->rule->name, what, missing);
    verdict_flag(a->verdict, a->event, text);
    why(a, what, "held: a value is missing");
    verdict_why(a->verdict, "%s", text);
}

/* Appends t to out; false, seen to, where a value is missing or nothing is in it. */
static bool say(struct asking *a, const struct template *t, const char *what, struct buf *out)
{
    struct template_values v = values_of(a);
    size_t before = out->len;
    const char *missing = template_render(t, &v, out);

    if (missing) {
        hold(a, what, missing);
        return false;
    }
    if (out->len == before)
        verdict_why(a->verdict, "%s \"%s\": the %s is empty, none is sent", a->rule->place, a->rule->name,
                    what);
    return out->len > before;
}

/* What only we read: it is told all the same where a value is missing. */
static void tell(struct asking *a, const struct template *t, struct buf *out)
{
    struct template_values v = values_of(a);
    const char *missing = template_render(t, &v, out);

    if (missing)
        buf_addf(out, "rule %s (no value for %s)", a->rule->name, missing);
}

static void do_contact(struct asking *a, const struct rule_actions *act)
{
    for (char **t = act->tag; t && *t; t++)
        effect(a, &(struct store_effect){.kind = EFFECT_TAG, .name = *t});
    for (char **t = act->untag; t && *t; t++)
        effect(a, &(struct store_effect){.kind = EFFECT_UNTAG, .name = *t});
    for (int i = 0; i < act->nset; i++) {
        struct template_values v = values_of(a);
        struct buf value = {0};
        const char *missing = template_render(act->set[i].value, &v, &value);

        if (missing)
            hold(a, act->set[i].name, missing);
        else
            effect(a, &(struct store_effect){
                          .kind = EFFECT_ATTRIBUTE, .name = act->set[i].name, .value = buf_str(&value)});
        buf_free(&value);
    }
    if (act->consent)
        effect(a, &(struct store_effect){
                      .kind = EFFECT_CONSENT, .n = act->consent, .name = "", .value = a->rule->source});
}

static void do_conversation(struct asking *a, const struct rule_actions *act)
{
    if (act->department)
        effect(a, &(struct store_effect){.kind = EFFECT_DEPARTMENT, .value = act->department});
    if (act->assign)
        effect(a, &(struct store_effect){.kind = EFFECT_ASSIGN, .value = act->assign});
    if (act->priority >= 0)
        effect(a, &(struct store_effect){.kind = EFFECT_PRIORITY, .n = act->priority});
    if (act->note) {
        struct buf text = {0};

        tell(a, act->note, &text);
        effect(a, &(struct store_effect){.kind = EFFECT_NOTE, .value = buf_str(&text)});
        buf_free(&text);
    }
    if (act->state)
        effect(a, &(struct store_effect){.kind = EFFECT_STATE,
                                         .n = act->state,
                                         .at_wall_ms =
                                             act->snooze_ms ? a->event->now_wall_ms + act->snooze_ms : 0});
}

/* Those of several rules are one text. */
static void do_alarm(struct asking *a, const struct rule_actions *act)
{
    struct verdict *v = a->verdict;
    size_t before = v->alarm.len;

    if (!act->alarm)
        return;
    if (before)
        buf_adds(&v->alarm, "; ");
    tell(a, act->alarm, &v->alarm);
    verdict_why(v, "%s \"%s\": alarm \"%s\"", a->rule->place, a->rule->name, buf_str(&v->alarm) + before);
}

/* A trial only tells it. */
static void do_log(struct asking *a, const struct rule_actions *act)
{
    struct buf text = {0};

    if (!act->log)
        return;
    tell(a, act->log, &text);
    if (a->verdict->why)
        why(a, "log", buf_str(&text));
    else
        log_notice("engine", "rule %s: %s", a->rule->name, log_masked(buf_str(&text)));
    buf_free(&text);
}

static void do_reply(struct asking *a, const struct rule_actions *act)
{
    struct verdict_reply *reply;

    if (!act->reply) {
        why(a, "has no reply", "");
        return;
    }
    reply = verdict_reply(a->verdict, a->rule->source, false);
    if (!reply)
        why(a, "no reply, there are enough to this number", "");
    else if (!say(a, act->reply, "reply", &reply->text))
        verdict_unreply(a->verdict);
}

/* ---- to others ---- */

/* One text to a number. */
struct sending {
    struct asking *a;
    const struct template *text; /* NULL: the message itself */
    const char *what;
};

/* The message as it is forwarded: who wrote it, and what others may read of it. */
static bool put_message(const struct asking *a, struct buf *out)
{
    const struct handler_event *ev = a->event;
    const struct span *text = ev->shown.at ? &ev->shown : &ev->text;
    const char *name = ev->known->contact.name;

    if (ev->on != ENGINE_ON_MESSAGE)
        buf_addf(out, "%s%s%s ", engine_on_names[ev->on], *ev->name ? " " : "", ev->name);
    if (*name)
        buf_addf(out, "%s ", name);
    buf_adds(out, ev->from);
    if (text->len > 0) {
        buf_adds(out, out->len ? ": " : "");
        buf_add(out, text->at, text->len);
    }
    return out->len > 0;
}

static void send_one(struct sending *s, const char *number, const struct person *person)
{
    struct asking *a = s->a;
    struct verdict_reply *r = verdict_send(a->verdict, a->rule->source, number);
    bool have;

    if (!r) {
        verdict_why(a->verdict, "%s \"%s\": %s to %s left out, there are %d messages already", a->rule->place,
                    a->rule->name, s->what, number, VERDICT_REPLIES);
        log_warning("engine", "rule %s: a message to %s is left out, there are %d already", a->rule->name,
                    log_number(number), VERDICT_REPLIES);
        return;
    }
    have = s->text ? say(a, s->text, s->what, &r->text) : put_message(a, &r->text);
    if (!have) {
        verdict_unreply(a->verdict);
        return;
    }
    if (person || staff_by_number(&a->program->staff, number)) {
        r->staff = true;
        r->conversation = -1;
    }
}

static void send_each(void *owner, const char *number)
{
    send_one(owner, number, NULL);
}

static void send_to_person(struct sending *s, const struct person *p)
{
    if (*p->number)
        send_one(s, p->number, p);
    else
        why(s->a, "cannot be told, without a number:", p->name);
}

static void send_to_department(struct sending *s, const char *name)
{
    const struct person *phones[FORWARD_PHONES];
    int n = staff_phones(&s->a->program->staff, name, "", s->a->event->now_wall_ms, phones, FORWARD_PHONES);

    if (n == 0)
        why(s->a, "nobody is on duty in", name);
    for (int i = 0; i < n; i++)
        send_to_person(s, phones[i]);
}

static void send_to(struct sending *s, const struct sendee *to)
{
    struct asking *a = s->a;

    switch (to->kind) {
    case SENDEE_NUMBER:
        send_one(s, to->name, NULL);
        break;
    case SENDEE_PERSON:
        send_to_person(s, to->person);
        break;
    case SENDEE_DEPARTMENT:
        send_to_department(s, to->name);
        break;
    case SENDEE_LIST:
        number_set_each(lists_set(a->program->lists, to->list), send_each, s);
        break;
    case SENDEE_PLUGIN:
        if (plugins_forward(a->program->plugins, to->name, a->event, a->verdict))
            why(a, "forward to", to->name);
        else
            why(a, "not forwarded, there is no room:", to->name);
        break;
    }
}

static void do_send(struct asking *a, const struct rule_actions *act)
{
    struct sending send = {a, act->send, "send"}, forward = {a, NULL, "forward"};

    for (int i = 0; i < act->nsend_to; i++)
        send_to(&send, &act->send_to[i]);
    for (int i = 0; i < act->nforward; i++)
        send_to(&forward, &act->forward[i]);
}

void rule_act(struct asking *a)
{
    const struct rule_actions *act = &a->rule->actions;

    a->verdict->by = a->rule->source;
    if (act->drop)
        a->verdict->thread = THREAD_NONE;
    do_contact(a, act);
    do_conversation(a, act);
    if (a->rule->once_per_ms > 0)
        effect(a, &(struct store_effect){.kind = EFFECT_ONCE, .name = a->rule->name});
    do_alarm(a, act);
    do_log(a, act);
    do_reply(a, act);
    do_send(a, act);
    a->verdict->by = NULL;
}
