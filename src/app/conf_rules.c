/* gateway.conf's tables of rules, templates, lists and tests, and their way into the engine's structs. What
 * they say is checked where it is compiled (engine/rules.c, engine/program.c).
 */
#include <stdio.h>
#include <string.h>

#include "app/conf_parts.h"
#include "base/util.h"
#include "store/templates.h"

#define RULE(m) offsetof(struct engine_rule_conf, m)
#define TEST(m) offsetof(struct engine_test_conf, m)

enum { TEXT_MOST = 4000 };

static const struct schema_key rule_keys[] = {
    {"name", SCHEMA_STRING, RULE(name), .min = 1, .max = 60, .required = true,
     .help = "for logs and `simgate rules test`"},
    {"on", SCHEMA_ENUM, RULE(on), .def = "message", .names = engine_on_names,
     .help =
         "what it is asked about: \"message\", \"call\", \"report\", \"opened\", \"assigned\", \"closed\", "
         "\"overdue\", \"survey\", \"alarm\" or \"schedule\""},
    {"keywords", SCHEMA_STRINGS, RULE(keywords), .help = "the message is one of these, or its first word is"},
    {"words", SCHEMA_STRINGS, RULE(words), .help = "any word of the message is one of these"},
    {"pattern", SCHEMA_STRING, RULE(pattern), .max = TEXT_MOST,
     .help = "the message matches this Perl-style pattern"},
    {"from", SCHEMA_STRINGS, RULE(from),
     .help = "the other side is one of these: numbers, prefixes \"+4917*\", names, \"@LIST\""},
    {"to", SCHEMA_STRINGS, RULE(to),
     .help = "the SIM's own number is one of these; of a report: whom the message went to"},
    {"modems", SCHEMA_STRINGS, RULE(modems), .help = "it came by one of these modems or pools"},
    {"languages", SCHEMA_STRINGS, RULE(languages),
     .help = "the text is in one of these languages (\"de\"), or, where that cannot be told, the contact is"},
    {"scripts", SCHEMA_STRINGS, RULE(scripts),
     .help = "most letters are of these scripts, as Unicode names them: \"Cyrillic\""},
    {"tags", SCHEMA_STRINGS, RULE(tags), .help = "the contact has one of these tags; \"!vip\": has it not"},
    {"attributes", SCHEMA_STRINGS, RULE(attributes),
     .help = "the contact has all of these: \"plan=gold\", \"plan\", \"!plan\""},
    {"states", SCHEMA_STRINGS, RULE(states),
     .help = "the conversation was new, open, waiting, snoozed, closed, spam, or there was none"},
    {"departments", SCHEMA_STRINGS, RULE(departments),
     .help = "the conversation belongs to one of these; \"none\": to none"},
    {"names", SCHEMA_STRINGS, RULE(names),
     .help = "of an event: \"failed\", \"new\", \"first\", a score, a person, an alarm"},
    {"hours", SCHEMA_STRING, RULE(hours), .max = 10,
     .help = "\"open\" or \"closed\": the department, else the business, is now"},
    {"dates", SCHEMA_STRING, RULE(dates), .max = 400,
     .help = "today is one of these: \"2026-12-01..2026-12-24, 12-31\""},
    {"schedule", SCHEMA_STRING, RULE(schedule), .max = 200,
     .help = "with on = \"schedule\": \"Mon-Fri 08:30\", \"1 09:00\" (of the month), \"every 15m\""},
    {"first", SCHEMA_TRISTATE, RULE(first), .help = "the message begins a conversation, or does not"},
    {"incomplete", SCHEMA_TRISTATE, RULE(incomplete), .help = "parts of the message are missing, or are not"},
    {"class", SCHEMA_INT, RULE(message_class), .def = "-1", .min = -1, .max = 3,
     .help = "its message class, 0 (flash) to 3"},
    {"once_per", SCHEMA_DURATION, RULE(once_per_ms), .max = YEAR,
     .help = "it acts once in this time for one contact"},
    {"reply", SCHEMA_STRING, RULE(reply), .max = TEXT_MOST,
     .help = "text with {{values}}, or \"@name\" of a template"},
    {"send", SCHEMA_STRING, RULE(send), .max = TEXT_MOST, .help = "another text, for those of send_to"},
    {"send_to", SCHEMA_STRINGS, RULE(send_to), .help = "numbers, people, departments, \"@LIST\""},
    {"forward", SCHEMA_STRINGS, RULE(forward),
     .help = "who gets the message itself: numbers, people, departments, handlers, \"mailto:…\""},
    {"department", SCHEMA_STRING, RULE(department), .max = DESK_WORD_BYTES - 1,
     .help = "the conversation belongs to it from now on"},
    {"assign", SCHEMA_STRING, RULE(assign), .max = DESK_NAME_BYTES - 1, .help = "… to this person"},
    {"conversation", SCHEMA_STRING, RULE(conversation), .max = 60,
     .help = "\"open\", \"close\", \"spam\", \"snooze\" or \"snooze 2h\""},
    {"priority", SCHEMA_STRING, RULE(priority), .max = 10,
     .help = "\"low\", \"normal\", \"high\" or \"urgent\""},
    {"tag", SCHEMA_STRINGS, RULE(tag), .help = "put to the contact"},
    {"untag", SCHEMA_STRINGS, RULE(untag), .help = "taken from the contact"},
    {"set", SCHEMA_STRINGS, RULE(set), .help = "attributes of the contact: \"order={{match.order}}\""},
    {"consent", SCHEMA_STRING, RULE(consent), .max = 10,
     .help = "\"in\" or \"out\": opts the contact in or out"},
    {"note", SCHEMA_STRING, RULE(note), .max = TEXT_MOST, .help = "into the conversation, never sent"},
    {"alarm", SCHEMA_STRING, RULE(alarm), .max = TEXT_MOST,
     .help = "text for an administrator, or \"@NAME\" of a template: an event and a line in the log"},
    {"log", SCHEMA_STRING, RULE(log), .max = TEXT_MOST, .help = "a line in the log"},
    {"handler", SCHEMA_STRING, RULE(handler), .max = DESK_WORD_BYTES - 1,
     .help = "this one of handlers decides what else is done"},
    {"drop", SCHEMA_BOOL, RULE(drop), .def = "false",
     .help = "nothing more: no conversation, no later rule or handler"},
    {"continue", SCHEMA_BOOL, RULE(also), .def = "false",
     .help = "go on to later rules when this one matched"},
};
const struct schema_group conf_rules_group = {rule_keys, ARRAY_LEN(rule_keys),
                                              sizeof(struct engine_rule_conf), RULE(place)};

static const struct schema_key test_keys[] = {
    {"from", SCHEMA_STRING, TEST(from), .max = 60, .help = "the number, or name, that writes"},
    {"text", SCHEMA_STRING, TEST(text), .max = TEXT_MOST, .help = "what it writes"},
    {"on", SCHEMA_ENUM, TEST(on), .def = "message", .names = engine_on_names, .help = "as in a rule"},
    {"name", SCHEMA_STRING, TEST(name), .max = 60,
     .help =
         "of an event: \"failed\", \"new\", \"first\", a score, a person, an alarm; of a schedule: its rule"},
    {"at", SCHEMA_STRING, TEST(at), .max = 20,
     .help = "when, by the business's clock: \"2026-12-24 20:00\"; left out: now"},
    {"modem", SCHEMA_STRING, TEST(modem), .max = MSG_MODEM_BYTES - 1, .help = "by which modem it comes"},
    {"state", SCHEMA_STRING, TEST(state), .max = 10,
     .help = "of the conversation that there is; left out: none"},
    {"department", SCHEMA_STRING, TEST(department), .max = DESK_WORD_BYTES - 1,
     .help = "that the conversation belongs to"},
    {"tags", SCHEMA_STRINGS, TEST(tags), .help = "of the contact"},
    {"expect", SCHEMA_STRING, TEST(expect), .max = 60,
     .help = "name of the first rule that matches; \"none\""},
    {"expect_reply", SCHEMA_STRING, TEST(expect_reply), .max = TEXT_MOST,
     .help = "what must be in the reply"},
};
const struct schema_group conf_tests_group = {test_keys, ARRAY_LEN(test_keys),
                                              sizeof(struct engine_test_conf), TEST(place)};

/* ---- checks ---------------------------------------------------------------------------------------------
 */

static bool is_modem(const struct conf *c, const char *name)
{
    for (int i = 0; i < c->nmodems; i++)
        if (!strcmp(c->modems[i].modem.name, name) || !strcmp(c->modems[i].modem.pool, name))
            return true;
    return false;
}

static void check_modems(const struct conf *c, int rule, const struct conf_teller *t)
{
    const char *const *names = c->rules[rule].modems;
    char path[64];

    for (int i = 0; names && names[i]; i++) {
        snprintf(path, sizeof path, "rules[%d].modems", rule);
        if (!is_modem(c, names[i]))
            t->say(t->owner, path, "expected names of modems or pools of this file");
    }
}

/* "" is how a table says that nothing was given. */
static void absent(const char **text)
{
    if (*text && !**text)
        *text = NULL;
}

static void fill_rule(struct conf *c, int index)
{
    struct engine_rule_conf *r = &c->rules[index];
    char stand_in[32];

    snprintf(stand_in, sizeof stand_in, "rule %d", index + 1);
    if (!*r->name) /* told already */
        r->name = schema_strdup(c->memory, stand_in);
    r->message_class++;
    absent(&r->pattern);
    absent(&r->reply);
}

static void fill_templates(struct conf *c)
{
    struct engine_template_conf *t = schema_alloc(c->memory, ((size_t)c->ntemplates + 1) * sizeof *t);

    for (int i = 0; i < c->ntemplates; i++)
        t[i] = (struct engine_template_conf){.name = c->templates[i].name,
                                             .text = c->templates[i].text,
                                             .language = c->templates[i].variant,
                                             .max_segments = c->templates[i].number,
                                             .place = c->templates[i].place};
    c->engine.templates = t;
    c->engine.ntemplates = c->ntemplates;
}

static void fill_lists(struct conf *c)
{
    struct engine_list_conf *l = schema_alloc(c->memory, ((size_t)c->nlists + 1) * sizeof *l);

    for (int i = 0; i < c->nlists; i++)
        l[i] = (struct engine_list_conf){
            .name = c->lists[i].name, .text = c->lists[i].text, .place = c->lists[i].place};
    c->engine.lists = l;
    c->engine.nlists = c->nlists;
}

/* Looked up in the database itself: this may be another process than the one that serves it. */
static bool is_stored(void *owner, const char *name)
{
    const struct conf *c = owner;

    return store_peek_template(c->gateway.database, name);
}

void conf_rules_fill(struct conf *c, const struct conf_teller *t)
{
    struct engine_test_conf *tests = c->tests;

    for (int i = 0; i < c->nrules; i++) {
        fill_rule(c, i);
        check_modems(c, i, t);
    }
    for (int i = 0; i < c->ntests; i++) {
        absent(&tests[i].expect);
        absent(&tests[i].expect_reply);
    }
    fill_templates(c);
    fill_lists(c);
    c->engine.rules = c->rules;
    c->engine.nrules = c->nrules;
    c->engine.tests = tests;
    c->engine.ntests = c->ntests;
    c->engine.country = c->gateway.country;
    c->engine.stored = is_stored;
    c->engine.stored_owner = c;
}
