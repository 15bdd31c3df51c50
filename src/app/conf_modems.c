/* The modems of gateway.conf: their tables, and what tables cannot say: names that must differ, how each is
 * found, files that hold a PIN. */
#include <stdio.h>
#include <string.h>

#include "app/conf_parts.h"
#include "app/profiles.h"
#include "base/util.h"

static const char *const plan_names[] = {"auto", "store", "direct", NULL};
static const char *const call_names[] = {"ring", "reject", "ignore", NULL};

#define MODEM(m)   offsetof(struct conf_modem, m)
#define LIMIT(m)   offsetof(struct gateway_limits, m)
#define BALANCE(m) offsetof(struct modem_balance_conf, m)

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
const struct schema_group conf_modems_group = {modem_keys, ARRAY_LEN(modem_keys), sizeof(struct conf_modem),
                                               MODEM(place)};

/* ---- checks that tables cannot say ---- */

struct checking {
    struct conf *c;
    const struct profile_set *profiles;
    const struct conf_teller *t;
};

static void say(const struct checking *k, const char *path, const char *text)
{
    k->t->say(k->t->owner, path, text);
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

static void check_pin(const struct checking *k, struct conf_modem *m, const char *path)
{
    struct err e = {0};

    if (!strncmp(m->modem.pin, "file:", 5) && pin_from_file(k->c, m, &e) < 0)
        say(k, path, e.text);
    else if (*m->modem.pin && !conf_all_digits(m->modem.pin, 4, 8))
        say(k, path, "expected 4 to 8 digits, or \"file:/path\" of a file that holds them");
}

static void check_modem_name(const struct checking *k, int index, const char *path)
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

static void check_identity(const struct checking *k, int index, const struct identity *i)
{
    const struct modem_conf *m = &k->c->modems[index].modem;
    const char *text = identity_of(m, i);
    char path[48];

    snprintf(path, sizeof path, "modems[%d].%s", index, i->key);
    if (!*text)
        return;
    if (i->min ? !conf_all_digits(text, i->min, i->max) : !usb_ok(text))
        say(k, path, i->expected);
    for (int other = 0; other < index; other++)
        if (same_identity(&k->c->modems[other].modem, m, i))
            say(k, path, "another modem has this too: which of them is it?");
}

static void check_found(const struct checking *k, int index, const char *port_path, const char *pin_path)
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
            "that no other SIM is given this PIN");
}

static void check_modem_port(const struct checking *k, int index, const char *path, const char *pin_path)
{
    const struct modem_conf *m = &k->c->modems[index].modem;

    for (int i = 0; i < index && *m->port; i++)
        if (!strcmp(k->c->modems[i].modem.port, m->port))
            say(k, path, "another modem has this port");
    for (size_t i = 0; i < ARRAY_LEN(identities); i++)
        check_identity(k, index, &identities[i]);
    check_found(k, index, path, pin_path);
}

static void check_profile(const struct checking *k, struct modem_conf *m, const char *path)
{
    struct buf why = {0};

    m->profiles = k->profiles;
    if (!*m->profile || !k->profiles || profile_named(k->profiles, m->profile))
        return;
    profiles_unknown(k->profiles, m->profile, &why);
    say(k, path, buf_str(&why));
    buf_free(&why);
}

static void check_balance(const struct checking *k, const struct modem_balance_conf *b, int index)
{
    char path[64];
    int64_t milli;

    snprintf(path, sizeof path, "modems[%d].balance.below", index);
    if (*b->below && !modem_read_amount(b->below, "", &milli))
        say(k, path, "expected an amount such as \"5.00\"");
}

static void check_modem(const struct checking *k, int index)
{
    static const char *const keys[] = {"name", "port", "pin", "number", "smsc", "profile"};
    struct conf_modem *m = &k->c->modems[index];
    char paths[ARRAY_LEN(keys)][48];

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        snprintf(paths[i], sizeof paths[i], "modems[%d].%s", index, keys[i]);
    check_modem_name(k, index, paths[0]);
    check_modem_port(k, index, paths[1], paths[2]);
    check_pin(k, m, paths[2]);
    conf_number(k->c, &m->modem.number, paths[3], k->t);
    conf_number(k->c, &m->modem.smsc, paths[4], k->t);
    check_profile(k, &m->modem, paths[5]);
    check_balance(k, &m->modem.balance, index);
}

void conf_modems_check(struct conf *c, const struct profile_set *profiles, const struct conf_teller *t)
{
    struct checking k = {c, profiles, t};

    for (int i = 0; i < c->nmodems; i++)
        check_modem(&k, i);
}

bool conf_modem_same(const struct conf_modem *a, const struct conf_modem *b)
{
    struct conf_modem x = *a;

    x.limits = b->limits;
    x.report = b->report;
    return schema_same(&conf_modems_group, &x, b);
}
