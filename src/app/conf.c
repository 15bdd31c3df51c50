/* The root table of gateway.conf and the gateway's: every setting there is, with its default, its bounds and
 * one line of help; the parts have their own files (conf_parts.h). What tables cannot say is checked behind
 * them. */
#include "app/conf.h"

#include <stdio.h>
#include <string.h>

#include "app/conf_parts.h"
#include "base/log.h"
#include "base/number.h"
#include "base/util.h"

static const char *const log_names[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const unknown_names[] = {"hold", "resend", "fail", NULL};

/* TS 23.038 6.2.1.2.4: the index is the national language identifier. */
static const char *const language_names[] = {"",         "turkish", "spanish", "portuguese", "bengali",
                                             "gujarati", "hindi",   "kannada", "malayalam",  "oriya",
                                             "punjabi",  "tamil",   "telugu",  "urdu"};

#define GATEWAY(m) offsetof(struct conf, gateway.m)

/* Offsets of the gateway group count from the start of `struct conf` itself. */
static const struct schema_key gateway_keys[] = {
    {"name", SCHEMA_STRING, GATEWAY(name), .def = "simgate", .min = 1, .max = 60,
     .help = "what the business is called; {{gateway.name}} in texts"},
    {"country", SCHEMA_STRING, GATEWAY(country),
     .help = "calling code without +, for numbers written nationally"},
    {"database", SCHEMA_STRING, GATEWAY(database), .def = "/var/lib/simgate/simgate.db", .min = 1,
     .max = 3000, .help = "the SQLite file that keeps every message"},
    {"spool", SCHEMA_STRING, GATEWAY(spool), .def = "/var/spool/simgate", .max = 3000,
     .help = "directory of outgoing/, sent/, incoming/ …; \"\" for none"},
    {"socket", SCHEMA_STRING, GATEWAY(socket), .def = "/run/simgate/simgate.sock", .min = 1, .max = 100,
     .help = "where the simgate command finds the daemon"},
    {"log", SCHEMA_ENUM, GATEWAY(log), .def = "info", .names = log_names,
     .help = "how much is logged; numbers and texts are masked above debug"},
    {"drain", SCHEMA_DURATION, GATEWAY(drain_ms), .def = "30s", .min = 0, .max = 10 * MINUTE,
     .help = "on stop, how long what is on the air may take"},
    {"report", SCHEMA_BOOL, GATEWAY(gateway.report), .def = "false",
     .help = "ask for delivery reports where neither message nor modem says"},
    {"validity", SCHEMA_DURATION, GATEWAY(gateway.validity_ms), .def = "3d", .min = 5 * MINUTE, .max = YEAR,
     .help = "a message that could not be sent or delivered in this time is given up"},
    {"on_unknown", SCHEMA_ENUM, GATEWAY(gateway.on_unknown), .def = "hold", .names = unknown_names,
     .help = "what to do when a message may or may not have been sent"},
    {"unknown_wait", SCHEMA_DURATION, GATEWAY(gateway.unknown_wait_ms), .def = "10m", .min = 0,
     .max = 30 * DAY, .help = "how long a report may settle an unknown outcome before on_unknown acts"},
    {"incomplete_after", SCHEMA_DURATION, GATEWAY(gateway.incomplete_after_ms), .def = "24h", .min = MINUTE,
     .max = 30 * DAY,
     .help = "a long message that lacks parts is delivered, marked incomplete, after this time"},
    {"duplicate_window", SCHEMA_DURATION, GATEWAY(gateway.duplicate_window_ms), .def = "3d", .min = MINUTE,
     .max = 30 * DAY, .help = "how long a received PDU is remembered to know it again"},
    {"transliterate", SCHEMA_BOOL, GATEWAY(gateway.transliterate), .def = "false",
     .help = "replace typographic quotes, dashes and accents where that saves segments"},
    {"language", SCHEMA_STRING, GATEWAY(language),
     .help = "national locking table for sending, e.g. \"turkish\""},
    {"language_ext", SCHEMA_STRING, GATEWAY(language_ext), .help = "national single shift table for sending"},
    {"wide_references", SCHEMA_BOOL, GATEWAY(gateway.wide_ref), .def = "false",
     .help = "16-bit references in long messages: fewer mix-ups, old phones may not join them"},
    {"max_parts", SCHEMA_INT, GATEWAY(gateway.max_parts), .def = "30", .min = 1, .max = 255,
     .help = "longest message accepted, in segments"},
    {"queue_max", SCHEMA_INT, GATEWAY(gateway.queue_max), .def = "1000000", .min = 1, .max = 100000000,
     .help = "messages that may wait; more are refused"},
    {"smsc", SCHEMA_STRING, GATEWAY(gateway.smsc),
     .help = "service centre put into each PDU; \"\" = the SIM's"},
    {"show_silent", SCHEMA_BOOL, GATEWAY(gateway.discard_type0), .def = "false",
     .help = "hand silent messages (type 0) on to rules and spool too"},
};
static const struct schema_group gateway_group = {gateway_keys, ARRAY_LEN(gateway_keys), 0, SCHEMA_NO_PLACE};

static const char *const template_numbers[] = {"max_segments", NULL};

static const struct schema_key root_keys[] = {
    {"gateway", SCHEMA_GROUP, 0, .group = &gateway_group, .help = "the gateway as a whole"},
    {"modems", SCHEMA_LIST, offsetof(struct conf, modems), offsetof(struct conf, nmodems),
     .group = &conf_modems_group, .required = true,
     .help = "( { name = \"M0\"; port = \"/dev/ttyUSB0\"; } )"},
    {"templates", SCHEMA_VARIANTS, offsetof(struct conf, templates), offsetof(struct conf, ntemplates),
     .names = template_numbers, .help = "named texts, each in one or more languages"},
    {"lists", SCHEMA_TEXTS, offsetof(struct conf, lists), offsetof(struct conf, nlists),
     .help = "named lists of numbers: \"+49170…, +4917*\", or \"file:/path\""},
    {"rules", SCHEMA_LIST, offsetof(struct conf, rules), offsetof(struct conf, nrules),
     .group = &conf_rules_group, .help = "what is done with whom; the first that matches wins"},
    {"tests", SCHEMA_LIST, offsetof(struct conf, tests), offsetof(struct conf, ntests),
     .group = &conf_tests_group, .help = "what the rules must come to; run by `simgated -t`"},
    {"handlers", SCHEMA_LIST, offsetof(struct conf, engine.handlers), offsetof(struct conf, engine.nhandlers),
     .group = &conf_handlers_group, .help = "programs, servers, scripts that decide about messages too"},
    {"chain", SCHEMA_STRINGS, offsetof(struct conf, engine.chain),
     .help = "who is asked about an event, in this order: built-in ones and handlers by name"},
    {"hours", SCHEMA_GROUP, offsetof(struct conf, engine.hours), .group = &conf_hours_group,
     .help = "when the business is open"},
    {"departments", SCHEMA_LIST, offsetof(struct conf, engine.departments),
     offsetof(struct conf, engine.ndepartments), .group = &conf_departments_group,
     .help = "( { name = \"sales\"; first_response = \"1h\"; } )"},
    {"people", SCHEMA_LIST, offsetof(struct conf, engine.people), offsetof(struct conf, engine.npeople),
     .group = &conf_people_group, .help = "( { name = \"Anna\"; number = \"+49…\"; } ): who answers"},
    {"desk", SCHEMA_GROUP, offsetof(struct conf, engine.desk), .group = &conf_desk_group,
     .help = "conversations, and how staff answers them"},
    {"survey", SCHEMA_GROUP, offsetof(struct conf, engine.survey), .group = &conf_survey_group,
     .help = "asked once when a conversation is closed"},
    {"objectives", SCHEMA_LIST, offsetof(struct conf, engine.objectives),
     offsetof(struct conf, engine.nobjectives), .group = &conf_objectives_group,
     .help = "what is wished for, shown as met or missed by simgate stats"},
    {"consent", SCHEMA_GROUP, 0, .group = &conf_consent_group, .help = "STOP, START, HELP"},
    {"guard", SCHEMA_GROUP, 0, .group = &conf_guard_group, .help = "against loops, floods and bills"},
    {"sensitive", SCHEMA_GROUP, 0, .group = &conf_sensitive_group,
     .help = "what must not be read by everybody in what customers write"},
    {"quiet", SCHEMA_GROUP, 0, .group = &conf_quiet_group, .help = "when marketing may go out"},
    {"premium", SCHEMA_GROUP, 0, .group = &conf_premium_group, .help = "numbers that nothing is sent to"},
    {"routes", SCHEMA_LIST, offsetof(struct conf, policy.routes), offsetof(struct conf, policy.nroutes),
     .group = &conf_routes_group, .help = "which way messages go; the first that fits"},
    {"costs", SCHEMA_LIST, offsetof(struct conf, policy.costs), offsetof(struct conf, policy.ncosts),
     .group = &conf_costs_group, .help = "what a part costs; the first that fits"},
};
static const struct schema_group root_group = {root_keys, ARRAY_LEN(root_keys), sizeof(struct conf),
                                               SCHEMA_NO_PLACE};

/* ---- checks that tables cannot say ---- */

/* One check of a file. */
struct checking {
    struct conf *c;
    struct buf *problems;
    struct conf_teller t;
    int count;
};

static void say(struct checking *k, const char *path, const char *text)
{
    buf_addf(k->problems, "%s: %s\n", schema_place(k->c->memory, path), text);
    k->count++;
}

static void tell_setting(void *owner, const char *path, const char *text)
{
    say(owner, path, text);
}

bool conf_all_digits(const char *text, size_t min, size_t max)
{
    size_t n = strspn(text, "0123456789");

    return !text[n] && n >= min && n <= max;
}

int conf_number(struct conf *c, const char **number, const char *path, const struct conf_teller *t)
{
    char out[NUMBER_BYTES];
    struct err e = {0};

    int rc;

    if (!**number)
        return ERR_OK;
    if ((rc = number_normalise(*number, c->gateway.country, NUMBER_READ_NATIONAL, out, &e)) < 0)
        t->say(t->owner, path, e.text);
    else
        *number = schema_strdup(c->memory, out);
    return rc < 0 ? rc : ERR_OK;
}

static uint8_t language(struct checking *k, const char *name, const char *path)
{
    char text[200];

    for (size_t i = 0; i < ARRAY_LEN(language_names); i++)
        if (!strcmp(language_names[i], name))
            return (uint8_t)i;
    snprintf(text, sizeof text, "expected a language of TS 23.038 such as \"turkish\", not \"%.60s\"", name);
    say(k, path, text);
    return 0;
}

static void fill_engine(struct conf *c)
{
    c->engine.business = c->gateway.name;
}

/* Begins it with a path of gateway.conf, such as "hours" or "consent.stop_words[2]"? */
static bool is_setting(const char *text, size_t len)
{
    size_t first = strcspn(text, ".[:");

    if (first > len)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(root_keys); i++)
        if (strlen(root_keys[i].name) == first && !strncmp(root_keys[i].name, text, first))
            return true;
    return false;
}

/* The engine's words: "FILE:LINE: rules[0].pattern: …", or a path of its own, "consent.stop_words[2]: …". */
static void engine_problem(void *owner, const char *text)
{
    struct checking *k = owner;
    char path[64];
    size_t len = strcspn(text, ":");

    if (len < sizeof path && is_setting(text, len)) {
        snprintf(path, sizeof path, "%.*s", (int)len, text);
        say(k, path, text + len + strspn(text + len, ": "));
        return;
    }
    buf_addf(k->problems, "%s\n", text);
    k->count++;
}

/* The rules compile, or each says why not. */
static void check_engine(struct checking *k)
{
    struct engine *en = NULL;

    fill_engine(k->c);
    conf_rules_fill(k->c, &k->t);
    if (engine_new(NULL, &k->c->engine, engine_problem, k, &en) == 0)
        engine_free(en);
}

static void check_gateway(struct checking *k)
{
    struct conf *c = k->c;

    if (*c->gateway.country && !conf_all_digits(c->gateway.country, 1, 3))
        say(k, "gateway.country", "expected a calling code of 1 to 3 digits without +, such as \"49\"");
    conf_number(c, &c->gateway.gateway.smsc, "gateway.smsc", &k->t);
    c->gateway.gateway.country = c->gateway.country;
    c->gateway.gateway.locking = language(k, c->gateway.language, "gateway.language");
    c->gateway.gateway.single = language(k, c->gateway.language_ext, "gateway.language_ext");
    c->gateway.gateway.discard_type0 = !c->gateway.gateway.discard_type0; /* written as show_silent */
}

static void check(struct checking *k, const struct profile_set *profiles)
{
    check_gateway(k);
    if (!k->c->nmodems && !k->count)
        say(k, "modems", "expected at least one: ( { name = \"M0\"; port = \"/dev/ttyUSB0\"; } )");
    conf_modems_check(k->c, profiles, &k->t);
    conf_desk_check(k->c, &k->t);
    conf_restraint_check(k->c, &k->t, engine_problem, k);
    check_engine(k);
}

struct conf *conf_read(const char *path, const struct profile_set *profiles, struct buf *problems)
{
    struct schema *memory = schema_new();
    struct conf *c = memory ? schema_alloc(memory, sizeof *c) : NULL;
    struct checking k = {.c = c, .problems = problems, .t = {tell_setting, &k}};

    if (!c)
        return NULL;
    k.count = schema_read(memory, path, &root_group, c, problems);
    c->memory = memory;
    c->refs = 1;
    if (k.count >= 0) /* whatever is wrong so far: all problems are told at once */
        check(&k, profiles);
    if (k.count == 0)
        return c;
    schema_free(memory);
    return NULL;
}

struct conf *conf_ref(struct conf *c)
{
    c->refs++;
    return c;
}

void conf_unref(struct conf *c)
{
    if (c && --c->refs == 0)
        schema_free(c->memory);
}
