/* The tables of gateway.conf: every setting there is, with its default, its bounds and one line of help. What
 * tables cannot say (names that must differ, numbers that must be numbers, files that hold a PIN) is checked
 * behind them. */
#include "app/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/conf_parts.h"
#include "app/profiles.h"
#include "base/log.h"
#include "base/number.h"
#include "base/util.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (366 * DAY)

static const char *const log_names[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const unknown_names[] = {"hold", "resend", "fail", NULL};
static const char *const plan_names[] = {"auto", "store", "direct", NULL};
static const char *const call_names[] = {"ring", "reject", "ignore", NULL};

/* TS 23.038 6.2.1.2.4: the index is the national language identifier. */
static const char *const language_names[] = {"",         "turkish", "spanish", "portuguese", "bengali",
                                             "gujarati", "hindi",   "kannada", "malayalam",  "oriya",
                                             "punjabi",  "tamil",   "telugu",  "urdu"};

#define GATEWAY(m) offsetof(struct conf, gateway.m)
#define MODEM(m)   offsetof(struct conf_modem, m)
#define LIMIT(m)   offsetof(struct gateway_limits, m)
#define ENGINE(m)  offsetof(struct engine_conf, m)
#define BALANCE(m) offsetof(struct modem_balance_conf, m)

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

static const struct schema_key limit_keys[] = {
    {"per_minute", SCHEMA_INT, LIMIT(per_minute), .max = 1000000, .help = "parts a minute; 0 = no limit"},
    {"per_hour", SCHEMA_INT, LIMIT(per_hour), .max = 1000000, .help = "parts an hour"},
    {"per_day", SCHEMA_INT, LIMIT(per_day), .max = 10000000, .help = "parts a calendar day"},
    {"per_month", SCHEMA_INT, LIMIT(per_month), .max = 100000000, .help = "parts a calendar month"},
};
static const struct schema_group limit_group = {limit_keys, ARRAY_LEN(limit_keys),
                                                sizeof(struct gateway_limits), SCHEMA_NO_PLACE};

static const struct schema_key balance_keys[] = {
    {"code", SCHEMA_STRING, BALANCE(code), .min = 1, .max = 80, .required = true,
     .help = "the USSD code that tells the balance, such as \"*100#\""},
    {"pattern", SCHEMA_STRING, BALANCE(pattern), .max = 200,
     .help = "the text around the amount, such as \"balance is {amount}\"; left out: the first amount"},
    {"every", SCHEMA_DURATION, BALANCE(every_ms), .def = "1d", .min = 10 * MINUTE, .max = 30 * DAY,
     .help = "how often it is asked"},
    {"below", SCHEMA_STRING, BALANCE(below), .max = 20, .help = "alarm when there is less, such as \"5.00\""},
};
static const struct schema_group balance_group = {balance_keys, ARRAY_LEN(balance_keys),
                                                  sizeof(struct modem_balance_conf), SCHEMA_NO_PLACE};

static const struct schema_key modem_keys[] = {
    {"name", SCHEMA_STRING, MODEM(modem.name), .min = 1, .max = CARRIER_NAME_BYTES - 1, .required = true,
     .help = "how the modem is called in logs, files and commands"},
    {"port", SCHEMA_STRING, MODEM(modem.port), .max = 1000,
     .help = "\"/dev/…\", \"tcp://host:port\" or \"unix:/path\"; may be left out where the modem is known by "
             "the next four"},
    {"imei", SCHEMA_STRING, MODEM(modem.imei), .max = 16,
     .help = "use the modem with this IMEI: on any USB serial port, or, with port, on that one only"},
    {"imsi", SCHEMA_STRING, MODEM(modem.imsi), .max = 15,
     .help = "use the modem that holds the SIM with this IMSI"},
    {"iccid", SCHEMA_STRING, MODEM(modem.iccid), .max = 20,
     .help = "use the modem that holds the SIM with this number, as printed on it"},
    {"usb", SCHEMA_STRING, MODEM(modem.usb), .max = PORT_USB_BYTES - 1,
     .help = "use the stick at this place (\"1-1.4\") or with this USB serial number"},
    {"profile", SCHEMA_STRING, MODEM(modem.profile), .max = 60,
     .help = "the family it belongs to; left out: found out"},
    {"pool", SCHEMA_STRING, MODEM(modem.pool), .max = CARRIER_NAME_BYTES - 1,
     .help = "modems of one pool stand in for each other"},
    {"number", SCHEMA_STRING, MODEM(modem.number), .help = "the SIM's own number"},
    {"pin", SCHEMA_STRING, MODEM(modem.pin), .max = 1000,
     .help = "the SIM's PIN, or \"file:/path\" that holds it"},
    {"smsc", SCHEMA_STRING, MODEM(modem.smsc),
     .help = "service centre to set on the SIM when it has another"},
    {"baud", SCHEMA_INT, MODEM(modem.baud), .def = "115200", .min = 300, .max = 4000000,
     .help = "serial lines only"},
    {"rtscts", SCHEMA_BOOL, MODEM(modem.rtscts), .def = "false",
     .help = "hardware flow control, serial lines only"},
    {"receive", SCHEMA_ENUM, MODEM(modem.plan), .def = "auto", .names = plan_names,
     .help =
         "\"store\": read from the SIM; \"direct\": handed over at once; \"auto\": as its family wants it"},
    {"calls", SCHEMA_ENUM, MODEM(modem.calls), .def = "ring", .names = call_names,
     .help = "\"ring\": calls are told and left ringing; \"reject\": told and hung up; \"ignore\""},
    {"balance", SCHEMA_GROUP, MODEM(modem.balance), .group = &balance_group,
     .help = "the SIM's balance, asked by USSD"},
    {"reset_command", SCHEMA_STRINGS, MODEM(modem.reset_command),
     .help = "program and arguments that cut the modem's power, when nothing else helped"},
    {"trace", SCHEMA_BOOL, MODEM(modem.trace), .def = "false",
     .help = "record what passes on the line, numbers and texts masked"},
    {"report", SCHEMA_BOOL, MODEM(report), .def = "false",
     .help = "ask for delivery reports of what it sends"},
    {"sweep", SCHEMA_DURATION, MODEM(modem.sweep_ms), .def = "3m", .min = 10 * SECOND, .max = HOUR,
     .help = "between readings of all its stores, of signal and registration"},
    {"send_timeout", SCHEMA_DURATION, MODEM(modem.send_timeout_ms), .def = "120s", .min = 10 * SECOND,
     .max = 10 * MINUTE, .help = "how long the network may take to accept a message"},
    {"limits", SCHEMA_GROUP, MODEM(limits), .group = &limit_group, .help = "what this SIM may send"},
};
static const struct schema_group modem_group = {modem_keys, ARRAY_LEN(modem_keys), sizeof(struct conf_modem),
                                                MODEM(place)};

static const char *const template_numbers[] = {"max_segments", NULL};

static const struct schema_key root_keys[] = {
    {"gateway", SCHEMA_GROUP, 0, .group = &gateway_group, .help = "the gateway as a whole"},
    {"modems", SCHEMA_LIST, offsetof(struct conf, modems), offsetof(struct conf, nmodems),
     .group = &modem_group, .required = true, .help = "( { name = \"M0\"; port = \"/dev/ttyUSB0\"; } )"},
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
    const struct profile_set *profiles;
    struct buf *problems;
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

static bool all_digits(const char *text, size_t min, size_t max)
{
    size_t n = strspn(text, "0123456789");

    return !text[n] && n >= min && n <= max;
}

/* A PIN from a file: its first line. The file's text never reaches a log. */
static int pin_from_file(struct conf *c, struct conf_modem *m, struct err *e)
{
    const char *path = m->modem.pin + strlen("file:");
    FILE *f = fopen(path, "re");
    char line[64] = "";

    if (!f)
        return err_errno(e, "%s", path);
    if (!fgets(line, sizeof line, f))
        line[0] = '\0';
    fclose(f);
    line[strcspn(line, " \t\r\n")] = '\0';
    m->modem.pin = schema_strdup(c->memory, line);
    return 0;
}

static void check_pin(struct checking *k, struct conf_modem *m, const char *path)
{
    struct err e = {0};

    if (!strncmp(m->modem.pin, "file:", 5) && pin_from_file(k->c, m, &e) < 0)
        say(k, path, e.text);
    else if (*m->modem.pin && !all_digits(m->modem.pin, 4, 8))
        say(k, path, "expected 4 to 8 digits, or \"file:/path\" of a file that holds them");
}

/* A number of the configuration in canonical form; "" stays. */
static void check_number(struct checking *k, const char **number, const char *path)
{
    char out[NUMBER_BYTES];
    struct err e = {0};

    if (!**number)
        return;
    if (number_normalise(*number, k->c->gateway.country, NUMBER_READ_NATIONAL, out, &e) < 0)
        say(k, path, e.text);
    else
        *number = schema_strdup(k->c->memory, out);
}

static void check_modem_name(struct checking *k, int index, const char *path)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *name = k->c->modems[index].modem.name;

    for (int i = 0; i < index && *name; i++)
        if (!strcmp(k->c->modems[i].modem.name, name))
            say(k, path, "another modem has this name; each needs its own");
    if (strspn(name, allowed) != strlen(name))
        say(k, path, "expected letters, digits, '-' and '_' only: it becomes part of file names");
}

/* What a modem is known by, besides its port; each alone is enough. */
static const struct identity {
    const char *key, *expected;
    size_t at, min, max; /* digits; 0: any text */
} identities[] = {
    {"imei", "expected 14 to 16 digits, as AT+CGSN shows them", offsetof(struct modem_conf, imei), 14, 16},
    {"imsi", "expected 6 to 15 digits, as AT+CIMI shows them", offsetof(struct modem_conf, imsi), 6, 15},
    {"iccid", "expected 18 to 20 digits, as they are printed on the card", offsetof(struct modem_conf, iccid),
     18, 20},
    {"usb", "expected a place on the bus such as \"1-1.4\", or the device's serial number",
     offsetof(struct modem_conf, usb), 0, 0},
};

static const char *identity_of(const struct modem_conf *m, const struct identity *i)
{
    return *(const char *const *)(const void *)((const char *)m + i->at);
}

/* "/dev/bus/usb/001/004" names a device until it is replugged, "12d1:1506" a model. */
static bool usb_ok(const char *text)
{
    return !strpbrk(text, "/: ");
}

static bool only_usb(const struct modem_conf *m)
{
    return *m->usb && !*m->port && !*m->imei && !*m->imsi && !*m->iccid;
}

/* Two modems by one IMEI or SIM would take it from each other; a USB device may hold several modems (an
 * adapter with four chips), which something else has to tell apart then. */
static bool same_identity(const struct modem_conf *a, const struct modem_conf *b, const struct identity *i)
{
    if (strcmp(identity_of(a, i), identity_of(b, i)) != 0)
        return false;
    return i->min > 0 || only_usb(a) || only_usb(b);
}

static void check_identity(struct checking *k, int index, const struct identity *i)
{
    const struct modem_conf *m = &k->c->modems[index].modem;
    const char *text = identity_of(m, i);
    char path[48];

    snprintf(path, sizeof path, "modems[%d].%s", index, i->key);
    if (!*text)
        return;
    if (i->min ? !all_digits(text, i->min, i->max) : !usb_ok(text))
        say(k, path, i->expected);
    for (int other = 0; other < index; other++)
        if (same_identity(&k->c->modems[other].modem, m, i))
            say(k, path, "another modem has this too: which of them is it?");
}

static void check_found(struct checking *k, int index, const char *port_path, const char *pin_path)
{
    const struct modem_conf *m = &k->c->modems[index].modem;
    bool by_others = *m->port || *m->imei || *m->iccid || *m->usb;
    bool wrong = schema_wrote(k->c->memory, port_path); /* and told */
    char path[48];

    for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
        snprintf(path, sizeof path, "modems[%d].%s", index, identities[i].key);
        wrong = wrong || schema_wrote(k->c->memory, path);
    }
    snprintf(path, sizeof path, "modems[%d]", index);
    if (!by_others && !*m->imsi && !wrong)
        say(k, path, "expected \"port\", \"imei\", \"imsi\", \"iccid\" or \"usb\": how is the modem found?");
    if (!by_others && *m->imsi && *m->pin)
        say(k, pin_path,
            "an IMSI can be read behind the PIN only: say \"iccid\", \"imei\", \"usb\" or \"port\" too, so "
            "that "
            "no other SIM is given this PIN");
}

static void check_modem_port(struct checking *k, int index, const char *path, const char *pin_path)
{
    const struct modem_conf *m = &k->c->modems[index].modem;

    for (int i = 0; i < index && *m->port; i++)
        if (!strcmp(k->c->modems[i].modem.port, m->port))
            say(k, path, "another modem has this port");
    for (size_t i = 0; i < ARRAY_LEN(identities); i++)
        check_identity(k, index, &identities[i]);
    check_found(k, index, path, pin_path);
}

static void check_profile(struct checking *k, struct modem_conf *m, const char *path)
{
    struct buf why = {0};

    m->profiles = k->profiles;
    if (!*m->profile || !k->profiles || profile_named(k->profiles, m->profile))
        return;
    profiles_unknown(k->profiles, m->profile, &why);
    say(k, path, buf_str(&why));
    buf_free(&why);
}

static void check_balance(struct checking *k, const struct modem_balance_conf *b, int index)
{
    char path[64];
    int64_t milli;

    snprintf(path, sizeof path, "modems[%d].balance.below", index);
    if (*b->below && !modem_read_amount(b->below, "", &milli))
        say(k, path, "expected an amount such as \"5.00\"");
}

static void check_modem(struct checking *k, int index)
{
    static const char *const keys[] = {"name", "port", "pin", "number", "smsc", "profile"};
    struct conf_modem *m = &k->c->modems[index];
    char paths[ARRAY_LEN(keys)][48];

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        snprintf(paths[i], sizeof paths[i], "modems[%d].%s", index, keys[i]);
    check_modem_name(k, index, paths[0]);
    check_modem_port(k, index, paths[1], paths[2]);
    check_pin(k, m, paths[2]);
    check_number(k, &m->modem.number, paths[3]);
    check_number(k, &m->modem.smsc, paths[4]);
    check_profile(k, &m->modem, paths[5]);
    check_balance(k, &m->modem.balance, index);
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
    conf_rules_fill(k->c, &(struct conf_teller){tell_setting, k});
    if (engine_new(NULL, &k->c->engine, engine_problem, k, &en) == 0)
        engine_free(en);
}

static void check_gateway(struct checking *k)
{
    struct conf *c = k->c;

    if (*c->gateway.country && !all_digits(c->gateway.country, 1, 3))
        say(k, "gateway.country", "expected a calling code of 1 to 3 digits without +, such as \"49\"");
    check_number(k, &c->gateway.gateway.smsc, "gateway.smsc");
    c->gateway.gateway.country = c->gateway.country;
    c->gateway.gateway.locking = language(k, c->gateway.language, "gateway.language");
    c->gateway.gateway.single = language(k, c->gateway.language_ext, "gateway.language_ext");
    c->gateway.gateway.discard_type0 = !c->gateway.gateway.discard_type0; /* written as show_silent */
}

static void check(struct checking *k)
{
    check_gateway(k);
    if (!k->c->nmodems && !k->count)
        say(k, "modems", "expected at least one: ( { name = \"M0\"; port = \"/dev/ttyUSB0\"; } )");
    for (int i = 0; i < k->c->nmodems; i++)
        check_modem(k, i);
    conf_desk_check(k->c, &(struct conf_teller){tell_setting, k});
    conf_restraint_check(k->c, &(struct conf_teller){tell_setting, k}, engine_problem, k);
    check_engine(k);
}

struct conf *conf_read(const char *path, const struct profile_set *profiles, struct buf *problems)
{
    struct schema *memory = schema_new();
    struct conf *c = memory ? schema_alloc(memory, sizeof *c) : NULL;
    struct checking k = {.c = c, .profiles = profiles, .problems = problems};

    if (!c)
        return NULL;
    k.count = schema_read(memory, path, &root_group, c, problems);
    c->memory = memory;
    c->refs = 1;
    if (k.count >= 0) /* whatever is wrong so far: all problems are told at once */
        check(&k);
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

bool conf_modem_same(const struct conf_modem *a, const struct conf_modem *b)
{
    struct conf_modem x = *a;

    x.limits = b->limits;
    x.report = b->report;
    return schema_same(&modem_group, &x, b);
}
