/* The conditions of rules: one row and a few small functions for each, the cheap ones first.
 *
 * What can fail: their compilation, told with the place in gateway.conf. Asking them cannot; a pattern that
 * a text takes too long is no match, and told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/dates.h"
#include "engine/rules.h"

enum { CLASS_MOST = 3 };

const struct zone_time *asking_local(struct asking *a)
{
    if (!a->local_known)
        zone_local(a->program->staff.zone, a->event->now_wall_ms, &a->local);
    a->local_known = true;
    return &a->local;
}

static const struct contact_row *contact(const struct asking *a)
{
    return &a->event->known->contact;
}

static const struct conv_row *conversation(const struct asking *a)
{
    return &a->event->known->conv;
}

static bool among(char *const *texts, const char *what)
{
    for (; *texts; texts++)
        if (strcmp(*texts, what) == 0)
            return true;
    return false;
}

static void add_quoted(struct buf *out, const char *text)
{
    buf_addf(out, "\"%s\"", text);
}

#define WANTED(name, test)                                                                                   \
    static bool name(const struct engine_rule_conf *rc)                                                      \
    {                                                                                                        \
        return test;                                                                                         \
    }
WANTED(wants_modems, rc->modems != NULL)
WANTED(wants_incomplete, rc->incomplete != WANT_ANY)
WANTED(wants_class, rc->message_class != 0)
WANTED(wants_first, rc->first != WANT_ANY)
WANTED(wants_states, rc->states != NULL)
WANTED(wants_departments, rc->departments != NULL)
WANTED(wants_names, rc->names != NULL)
WANTED(wants_tags, rc->tags != NULL)
WANTED(wants_from, rc->from != NULL)
WANTED(wants_to, rc->to != NULL)
WANTED(wants_once, rc->once_per_ms > 0)
WANTED(wants_attributes, rc->attributes != NULL)
WANTED(wants_hours, rc->hours && * rc->hours)
WANTED(wants_dates, rc->dates && * rc->dates)
WANTED(wants_languages, rc->languages != NULL)
WANTED(wants_scripts, rc->scripts != NULL)
WANTED(wants_pattern, rc->pattern && * rc->pattern)
#undef WANTED

/* ---- modem ---- */

static void compile_modems(struct compiling *k, struct condition *c)
{
    c->texts = texts_copy(k->from->modems);
}

static bool test_modems(const struct condition *c, struct asking *a)
{
    return among(c->texts, a->event->modem) ||
           (a->event->pool && *a->event->pool && among(c->texts, a->event->pool));
}

static void seen_modems(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    add_quoted(out, a->event->modem);
}

/* ---- incomplete, class, first ---- */

static void compile_incomplete(struct compiling *k, struct condition *c)
{
    c->n = k->from->incomplete == WANT_YES;
}

static bool test_incomplete(const struct condition *c, struct asking *a)
{
    return a->event->incomplete == (c->n != 0);
}

static void compile_class(struct compiling *k, struct condition *c)
{
    c->n = k->from->message_class - 1;
    k->rules->has_class = true;
    if (c->n < 0 || c->n > CLASS_MOST)
        problem(k->problems, "%s.class: expected 0 to %d", k->rule->place, CLASS_MOST);
}

static bool test_class(const struct condition *c, struct asking *a)
{
    return a->event->message_class == c->n;
}

static void seen_class(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    if (a->event->message_class >= 0)
        buf_addf(out, "%d", a->event->message_class);
    else
        buf_adds(out, "none");
}

static void compile_first(struct compiling *k, struct condition *c)
{
    c->n = k->from->first == WANT_YES;
}

static bool test_first(const struct condition *c, struct asking *a)
{
    return program_begins(a->program, a->event) == (c->n != 0);
}

/* ---- conversation ---- */

static void compile_states(struct compiling *k, struct condition *c)
{
    enum conv_state state;

    c->texts = texts_copy(k->from->states);
    for (int i = 0; c->texts[i]; i++)
        if (strcmp(c->texts[i], "none") != 0 && !conv_state_from_name(c->texts[i], &state))
            problem(k->problems,
                    "%s.states[%d]: \"%.40s\": expected new, open, waiting, snoozed, closed, spam or none",
                    k->rule->place, i, c->texts[i]);
}

/* What it was before this message: "closed" where only the last one is there. */
static const char *state_of(const struct asking *a)
{
    if (conversation(a)->id)
        return conv_state_name(conversation(a)->state);
    return a->event->known->last.id ? "closed" : "none";
}

static bool test_states(const struct condition *c, struct asking *a)
{
    return among(c->texts, state_of(a)) || (!conversation(a)->id && among(c->texts, "none"));
}

static void seen_states(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    add_quoted(out, state_of(a));
}

static void compile_departments(struct compiling *k, struct condition *c)
{
    struct buf names = {0};

    c->texts = texts_copy(k->from->departments);
    staff_department_names(&k->program->staff, &names);
    for (int i = 0; c->texts[i]; i++)
        if (*c->texts[i] && strcmp(c->texts[i], "none") != 0 &&
            !staff_department(&k->program->staff, c->texts[i]))
            problem(k->problems, "%s.departments[%d]: no department \"%.60s\": expected %s%snone",
                    k->rule->place, i, c->texts[i], buf_str(&names), names.len ? ", " : "");
    buf_free(&names);
}

static bool test_departments(const struct condition *c, struct asking *a)
{
    const char *name = conversation(a)->department;

    return *name ? among(c->texts, name) : among(c->texts, "none") || among(c->texts, "");
}

static void seen_departments(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    add_quoted(out, conversation(a)->department);
}

/* ---- names of events ---- */

static const char *const report_names[] = {"delivered", "undelivered", "failed", "expired", NULL};
static const char *const opened_names[] = {"new", "reopened", NULL};
static const char *const overdue_names[] = {"first", "next", "resolution", NULL};
static const char *const *const known_names[ENGINE_ON_KINDS] = {[ENGINE_ON_REPORT] = report_names,
                                                                [ENGINE_ON_OPENED] = opened_names,
                                                                [ENGINE_ON_OVERDUE] = overdue_names};

static bool known_name(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void compile_names(struct compiling *k, struct condition *c)
{
    const char *const *known = known_names[k->rule->on];

    c->texts = texts_copy(k->from->names);
    for (int i = 0; known && c->texts[i]; i++)
        if (!known_name(known, c->texts[i]))
            problem(k->problems, "%s.names[%d]: \"%.40s\": no such event with on = \"%s\": expected \"%s\" …",
                    k->rule->place, i, c->texts[i], engine_on_names[k->rule->on], known[0]);
}

static bool test_names(const struct condition *c, struct asking *a)
{
    return among(c->texts, a->event->name);
}

static void seen_names(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    add_quoted(out, a->event->name);
}

/* ---- contact ---- */

static void compile_tags(struct compiling *k, struct condition *c)
{
    c->texts = texts_copy(k->from->tags);
    for (int i = 0; c->texts[i]; i++)
        if (!tag_is_good(c->texts[i] + (*c->texts[i] == '!')))
            problem(k->problems, "%s.tags[%d]: expected a tag, or \"!tag\": " TAG_EXPECTED, k->rule->place,
                    i);
}

/* One of those that are wanted, if any are, and none of those that are not. */
static bool test_tags(const struct condition *c, struct asking *a)
{
    bool asked = false, found = false;

    for (char **t = c->texts; *t; t++) {
        if (**t == '!') {
            if (contact_has_tag(contact(a), *t + 1))
                return false;
            continue;
        }
        asked = true;
        found = found || contact_has_tag(contact(a), *t);
    }
    return found || !asked;
}

static void seen_tags(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    buf_adds(out, contact(a)->tags ? contact(a)->tags : "none");
}

static void compile_numbers(struct compiling *k, struct condition *c, const char *const *texts,
                            const char *key)
{
    int n = 0, lists = 0;

    while (texts[n])
        n++;
    c->texts = texts_copy(texts);
    c->numbers = number_set_new();
    c->lists = calloc((size_t)n + 1, sizeof *c->lists);
    if (!c->lists)
        abort();
    for (int i = 0; i < n; i++) {
        struct err e = {0};

        if (*texts[i] != '@') {
            if (number_set_add(c->numbers, texts[i], k->program->country, &e) != 0)
                problem(k->problems, "%s.%s[%d]: %s", k->rule->place, key, i, e.text);
            continue;
        }
        c->lists[lists] = lists_find(k->program->lists, texts[i] + 1);
        if (c->lists[lists] < 0)
            problem(k->problems, "%s.%s[%d]: no list \"%.60s\": expected one of lists: %s", k->rule->place,
                    key, i, texts[i] + 1, lists_names(k->program->lists));
        else
            lists++;
    }
    c->lists[lists] = -1;
}

static bool number_among(const struct condition *c, const struct asking *a, const char *number)
{
    if (!number || !*number)
        return false;
    if (number_set_find(c->numbers, number))
        return true;
    for (const int *l = c->lists; *l >= 0; l++)
        if (number_set_find(lists_set(a->program->lists, *l), number))
            return true;
    return false;
}

static void compile_from(struct compiling *k, struct condition *c)
{
    compile_numbers(k, c, k->from->from, "from");
}

static bool test_from(const struct condition *c, struct asking *a)
{
    return number_among(c, a, a->event->from);
}

static void seen_from(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    add_quoted(out, a->event->from);
}

static void compile_to(struct compiling *k, struct condition *c)
{
    compile_numbers(k, c, k->from->to, "to");
}

/* Our own number; of a report, whom the message went to. */
static const char *to_of(const struct asking *a)
{
    if (a->event->on == ENGINE_ON_REPORT)
        return a->event->from;
    return a->event->to ? a->event->to : "";
}

static bool test_to(const struct condition *c, struct asking *a)
{
    return number_among(c, a, to_of(a));
}

static void seen_to(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    add_quoted(out, to_of(a));
}

static void compile_once(struct compiling *k, struct condition *c)
{
    c->n = k->rule->once_per_ms = k->from->once_per_ms;
}

static bool test_once(const struct condition *c, struct asking *a)
{
    const struct store_situation *known = a->event->known;

    for (int i = 0; i < known->nonce; i++)
        if (strcmp(known->once[i].rule, a->rule->name) == 0) {
            int64_t ago_ms = a->event->now_wall_ms - known->once[i].at_wall_ms;

            return ago_ms >= c->n || ago_ms < -CLOCK_SLACK_MS;
        }
    return true;
}

static void compile_attributes(struct compiling *k, struct condition *c)
{
    c->texts = texts_copy(k->from->attributes);
    for (int i = 0; c->texts[i]; i++)
        if (c->texts[i][*c->texts[i] == '!'] == '\0' || *c->texts[i] == '=')
            problem(k->problems, "%s.attributes[%d]: expected \"name=value\", \"name\" or \"!name\"",
                    k->rule->place, i);
}

/* "plan=gold", "plan", "!plan", "!plan=gold" */
static bool attribute_holds(const char *wish, const struct contact_row *c)
{
    bool not = *wish == '!';
    const char *equals = strchr(wish, '=');
    char name[DESK_WORD_BYTES] = "", *value;
    size_t len;
    bool holds;

    wish += not ;
    len = equals ? (size_t)(equals - wish) : strlen(wish);
    if (len < sizeof name)
        memcpy(name, wish, len);
    value = contact_attribute(c, name);
    holds = value && (!equals || strcmp(value, equals + 1) == 0);
    free(value);
    return holds != not ;
}

static bool test_attributes(const struct condition *c, struct asking *a)
{
    for (char **t = c->texts; *t; t++)
        if (!attribute_holds(*t, contact(a)))
            return false;
    return true;
}

static void seen_attributes(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    buf_adds(out, contact(a)->attributes ? contact(a)->attributes : "none");
}

/* ---- time ---- */

static void compile_hours(struct compiling *k, struct condition *c)
{
    c->n = strcmp(k->from->hours, "open") == 0;
    if (!c->n && strcmp(k->from->hours, "closed") != 0)
        problem(k->problems, "%s.hours: \"%.40s\": expected \"open\" or \"closed\"", k->rule->place,
                k->from->hours);
}

static bool is_open(const struct asking *a)
{
    return hours_open(program_hours(a->program, a->event), a->event->now_wall_ms);
}

static bool test_hours(const struct condition *c, struct asking *a)
{
    if (a->open == OPEN_NOT_ASKED)
        a->open = is_open(a) ? OPEN_YES : OPEN_NO;
    return (a->open == OPEN_YES) == (c->n != 0);
}

static void seen_hours(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    buf_adds(out, is_open(a) ? "open" : "closed");
}

static void compile_dates(struct compiling *k, struct condition *c)
{
    struct err e = {0};

    c->texts = texts_copy((const char *const[]){k->from->dates, NULL});
    if (dates_parse(k->from->dates, &c->dates, &e) != 0)
        problem(k->problems, "%s.dates: %s", k->rule->place, e.text);
}

static bool test_dates(const struct condition *c, struct asking *a)
{
    return dates_hold(c->dates, asking_local(a));
}

static void seen_dates(const struct condition *c, const struct asking *a, struct buf *out)
{
    struct zone_time t;

    (void)c;
    zone_local(a->program->staff.zone, a->event->now_wall_ms, &t);
    buf_addf(out, "%04d-%02d-%02d", t.year, t.month, t.day);
}

/* ---- text ---- */

static void compile_languages(struct compiling *k, struct condition *c)
{
    c->texts = texts_copy(k->from->languages);
    for (int i = 0; c->texts[i]; i++) {
        size_t len = strcspn(c->texts[i], "-");

        if (len != 2 && len != 3) /* "german" would never hold */
            problem(k->problems,
                    "%s.languages[%d]: \"%.40s\": expected a language such as \"de\" or \"pt-BR\"",
                    k->rule->place, i, c->texts[i]);
    }
}

static bool test_languages(const struct condition *c, struct asking *a)
{
    const char *language = a->event->language ? a->event->language : "";

    for (char **t = c->texts; *t; t++)
        if (language_matches(*t, language))
            return true;
    return false;
}

static void seen_languages(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    add_quoted(out, a->event->language ? a->event->language : "");
}

static void compile_scripts(struct compiling *k, struct condition *c)
{
    struct buf class = {0};
    struct err e = {0};

    c->texts = texts_copy(k->from->scripts);
    buf_addc(&class, '[');
    for (int i = 0; k->from->scripts[i]; i++) {
        const char *name = k->from->scripts[i];

        if (!*name || name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")])
            problem(k->problems, "%s.scripts[%d]: expected a name of Unicode such as \"Cyrillic\"",
                    k->rule->place, i);
        else
            buf_addf(&class, "\\p{%s}", name);
    }
    buf_adds(&class, "]+");
    if (class.len > 3 && pattern_new(k->rules->matcher, buf_str(&class), &c->pattern, &e) != 0)
        problem(k->problems, "%s.scripts: %s: expected names of Unicode such as \"Latin\", \"Cyrillic\"",
                k->rule->place, e.text);
    buf_free(&class);
}

/* Most of its letters. */
static bool test_scripts(const struct condition *c, struct asking *a)
{
    size_t of_script = pattern_count(c->pattern, a->event->text);

    return of_script > 0 && 2 * of_script > pattern_count(a->program->rules->letters, a->event->text);
}

static void compile_pattern(struct compiling *k, struct condition *c)
{
    struct err e = {0};

    c->texts = texts_copy((const char *const[]){k->from->pattern, NULL});
    if (pattern_new(k->rules->matcher, k->from->pattern, &c->pattern, &e) != 0)
        problem(k->problems, "%s.pattern: %s", k->rule->place, e.text);
    k->rule->pattern = c->pattern;
}

static bool test_pattern(const struct condition *c, struct asking *a)
{
    enum pattern_result result;

    if (!a->event->text.at)
        return false;
    result = pattern_match(c->pattern, a->event->text);
    if (result == PATTERN_GAVE_UP)
        a->verdict->gave_up = a->rule->name;
    return result == PATTERN_YES;
}

static void seen_pattern(const struct condition *c, const struct asking *a, struct buf *out)
{
    (void)c;
    if (a->verdict->gave_up == a->rule->name)
        buf_adds(out, "gave up, this text takes it too long");
}

/* ---- the table: cheap ones first ---- */

const struct condition_kind condition_kinds[] = {
    {"names", RULE_NAME, wants_names, compile_names, test_names, seen_names},
    {"incomplete", RULE_MESSAGE, wants_incomplete, compile_incomplete, test_incomplete, NULL},
    {"class", RULE_MESSAGE, wants_class, compile_class, test_class, seen_class},
    {"modems", RULE_MODEM, wants_modems, compile_modems, test_modems, seen_modems},
    {"first", RULE_MESSAGE, wants_first, compile_first, test_first, NULL},
    {"states", RULE_CONTACT, wants_states, compile_states, test_states, seen_states},
    {"departments", RULE_CONTACT, wants_departments, compile_departments, test_departments, seen_departments},
    {"tags", RULE_CONTACT, wants_tags, compile_tags, test_tags, seen_tags},
    {"languages", RULE_CONTACT, wants_languages, compile_languages, test_languages, seen_languages},
    {"once_per", RULE_CONTACT, wants_once, compile_once, test_once, NULL},
    {"from", RULE_CONTACT, wants_from, compile_from, test_from, seen_from},
    {"to", RULE_CONTACT, wants_to, compile_to, test_to, seen_to},
    {"hours", 0, wants_hours, compile_hours, test_hours, seen_hours},
    {"dates", 0, wants_dates, compile_dates, test_dates, seen_dates},
    {"attributes", RULE_CONTACT, wants_attributes, compile_attributes, test_attributes, seen_attributes},
    {"scripts", RULE_TEXT, wants_scripts, compile_scripts, test_scripts, NULL},
    {"pattern", RULE_TEXT, wants_pattern, compile_pattern, test_pattern, seen_pattern},
};
const int condition_count = ARRAY_LEN(condition_kinds);
