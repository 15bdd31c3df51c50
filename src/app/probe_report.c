/* What is asked of a modem that is examined, and how it is told. Everything that a modem says of itself may
 * be anything: it becomes JSON texts only. */
#include "app/probe_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "at/channel.h"
#include "base/util.h"

enum {
    WEAK_DBM = -105, /* sending begins to fail around here */
    HOME = 1,        /* TS 27.007 7.2 <stat> */
    ROAMING = 5,
    LINE_BYTES = 200, /* what is read of an answer's line */
};

/* ---- answers ---- */

/* The first line of the answer that begins with the prefix, copied, as a cursor. */
static struct at_cur find(const char *answer, const char *prefix, char copy[LINE_BYTES])
{
    for (const char *line = answer; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, prefix, strlen(prefix)) != 0)
            continue;
        snprintf(copy, LINE_BYTES, "%.*s", (int)strcspn(line, "\n"), line);
        return at_cur_after(copy, prefix);
    }
    return (struct at_cur){NULL};
}

static void take_cfun(struct probe_facts *f, bool ok, const char *answer)
{
    char line[LINE_BYTES];
    struct at_cur c = find(answer, "+CFUN:", line);

    if (ok && c.p)
        at_cur_number(&c, &f->radio);
}

static bool has_store(const struct probe_facts *f, const char *name)
{
    for (int i = 0; i < f->nstores; i++) {
        if (strcmp(f->stores[i].name, name) == 0)
            return true;
    }
    return false;
}

/* +CPMS: <mem1>,<used>,<total>, and the same of mem2 and mem3 */
static void take_cpms(struct probe_facts *f, bool ok, const char *answer)
{
    char line[LINE_BYTES];
    struct at_cur c = find(answer, "+CPMS:", line);
    char name[sizeof f->stores[0].name];
    int64_t used, size;

    while (ok && c.p && f->nstores < PROBE_STORES && at_cur_string(&c, name, sizeof name) &&
           at_cur_number(&c, &used) && at_cur_number(&c, &size)) {
        if (has_store(f, name))
            continue;
        str_copy(f->stores[f->nstores].name, sizeof name, name);
        f->stores[f->nstores].used = used;
        f->stores[f->nstores++].size = size;
    }
}

/* Selected, a store tells +CPMS: <used>,<total>,… */
static void take_store(struct probe_facts *f, const char *name, bool ok, const char *answer)
{
    char line[LINE_BYTES];
    struct at_cur c = find(answer, "+CPMS:", line);
    int64_t used, size;

    if (!ok || !c.p || has_store(f, name) || f->nstores == PROBE_STORES || !at_cur_number(&c, &used) ||
        !at_cur_number(&c, &size))
        return;
    str_copy(f->stores[f->nstores].name, sizeof f->stores[0].name, name);
    f->stores[f->nstores].used = used;
    f->stores[f->nstores++].size = size;
}

static void take_sm(struct probe_facts *f, bool ok, const char *answer)
{
    take_store(f, "SM", ok, answer);
}

static void take_me(struct probe_facts *f, bool ok, const char *answer)
{
    take_store(f, "ME", ok, answer);
}

static void take_cnmi(struct probe_facts *f, bool ok, const char *answer)
{
    char line[LINE_BYTES];
    struct at_cur c = find(answer, "+CNMI:", line);

    if (!ok || !c.p)
        return;
    c.p += strspn(c.p, " ");
    snprintf(f->cnmi, sizeof f->cnmi, "%.*s", (int)strspn(c.p, "0123456789,"), c.p);
}

static void take_csms(struct probe_facts *f, bool ok, const char *answer)
{
    char line[LINE_BYTES];
    struct at_cur c = find(answer, "+CSMS:", line);
    int64_t service = 0;

    f->csms_known = ok && c.p && at_cur_number(&c, &service);
    f->csms = f->csms_known && service > 0;
}

/* +CSMS: (0,1) */
static void take_csms_list(struct probe_facts *f, bool ok, const char *answer)
{
    char line[LINE_BYTES];
    struct at_cur c = find(answer, "+CSMS:", line);
    int64_t low, high;

    f->csms_asked = ok && c.p && at_cur_open_list(&c);
    while (f->csms_asked && at_cur_range(&c, &low, &high))
        f->csms_listed = f->csms_listed || (low <= 1 && high >= 1);
}

static void take_cmms(struct probe_facts *f, bool ok, const char *answer)
{
    char line[LINE_BYTES];
    struct at_cur c = find(answer, "+CMMS:", line);
    int64_t mode = 0;

    f->cmms_known = true;
    f->cmms = ok && c.p && at_cur_number(&c, &mode) && mode > 0;
}

const struct probe_ask probe_asks[] = {
    {.command = "AT+CFUN?", .take = take_cfun},
    {.command = "AT+CPMS?", .sim = true, .take = take_cpms},
    {.command = "AT+CPMS=\"SM\"", .changes = true, .sim = true, .take = take_sm},
    {.command = "AT+CPMS=\"ME\"", .changes = true, .sim = true, .take = take_me},
    {.command = "AT+CNMI?", .sim = true, .take = take_cnmi},
    {.command = "AT+CSMS=1", .changes = true, .sim = true},
    {.command = "AT+CSMS?", .sim = true, .take = take_csms},
    {.command = "AT+CSMS=0", .changes = true, .sim = true},
    {.command = "AT+CSMS=?", .in_use = true, .sim = true, .take = take_csms_list},
    {.command = "AT+CMMS=1", .changes = true, .sim = true},
    {.command = "AT+CMMS?", .changes = true, .sim = true, .take = take_cmms},
    {.command = "AT+CMMS=0", .changes = true, .sim = true},
    {.command = NULL},
};

void probe_own(struct probe_facts *f, const struct modem *m)
{
    struct modem_status s;

    f->in_use = true;
    modem_get_status(m, &s);
    for (int i = 0; i < s.nstores; i++) {
        if (has_store(f, s.stores[i].name) || f->nstores == PROBE_STORES)
            continue;
        str_copy(f->stores[f->nstores].name, sizeof f->stores[0].name, s.stores[i].name);
        f->stores[f->nstores].used = s.stores[i].used;
        f->stores[f->nstores++].size = s.stores[i].size;
    }
    bool set = f->csms_known && f->csms;
    f->csms_known = set || s.csms >= 0 || f->csms_asked;
    f->csms = set || (s.csms >= 0 ? s.csms > 0 : f->csms_listed);
    f->cmms_known = s.cmms >= 0;
    f->cmms = s.cmms > 0;
}

/* ---- JSON ---- */

static json_t *text(const char *s)
{
    json_t *t = json_string(s);
    char safe[512];

    if (t)
        return t;
    str_copy(safe, sizeof safe, s); /* not UTF-8 */
    for (char *p = safe; *p; p++) {
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    }
    return json_string(safe);
}

static void put(json_t *o, const char *name, const char *s)
{
    if (s && *s)
        json_object_set_new(o, name, text(s));
}

static void put_usb(json_t *o, const struct port_info *i, const struct profile_set *profiles)
{
    char id[16];
    json_t *usb;

    if (!*i->usb_path)
        return;
    snprintf(id, sizeof id, "%04x:%04x", i->vendor, i->product);
    usb = json_pack("{sssssi}", "path", i->usb_path, "id", id, "interface", i->interface);
    put(usb, "role", profile_role_name(profile_role_of(profiles, i)));
    put(usb, "serial", i->serial);
    put(usb, "product", i->product_name);
    put(usb, "driver", i->driver);
    json_object_set_new(o, "usb", usb);
}

/* The stick's other ports. */
static void put_others(json_t *o, const struct port_info *i, const struct profile_set *profiles,
                       const struct port_info *ports, int nports)
{
    json_t *list = json_array();

    for (int k = 0; k < nports && *i->usb_path; k++) {
        if (strcmp(ports[k].usb_path, i->usb_path) != 0 || strcmp(ports[k].name, i->name) == 0)
            continue;
        json_array_append_new(list,
                              json_pack("{sssiss}", "port", ports[k].name, "interface", ports[k].interface,
                                        "role", profile_role_name(profile_role_of(profiles, &ports[k]))));
    }
    if (json_array_size(list))
        json_object_set(o, "other_ports", list);
    json_decref(list);
}

static const char *registration(int stat)
{
    static const char *const texts[] = {"not registered", "home",    "searching",
                                        "denied",         "unknown", "roaming"};

    return stat >= 0 && stat < (int)ARRAY_LEN(texts) ? texts[stat] : "unknown";
}

static bool set_up(const struct modem_status *s)
{
    return s->state == MODEM_REGISTERING || s->state == MODEM_READY;
}

static void put_sim(json_t *o, const struct carrier *c, const struct modem_status *s)
{
    put(o, "imei", c->imei);
    put(o, "imsi", c->imsi);
    put(o, "iccid", s->iccid);
    put(o, "number", c->number);
    put(o, "sim", s->sim);
    if (s->pin_tries >= 0)
        json_object_set_new(o, "pin_tries", json_integer(s->pin_tries));
    put(o, "smsc", s->smsc);
    if (!set_up(s))
        return;
    put(o, "operator", c->operator_name);
    put(o, "registration", registration(s->registration));
    if (c->signal_dbm)
        json_object_set_new(o, "signal_dbm", json_integer(c->signal_dbm));
}

static void put_facts(json_t *o, const struct modem_status *s, const struct probe_facts *f)
{
    json_t *works = json_object(), *stores = json_array();

    for (int i = 0; i < f->nstores; i++)
        json_array_append_new(stores, json_pack("{sosIsI}", "name", text(f->stores[i].name), "used",
                                                (json_int_t)f->stores[i].used, "size",
                                                (json_int_t)f->stores[i].size));
    put(works, "CNMI", f->cnmi);
    if (f->csms_known)
        json_object_set_new(works, "CSMS", json_boolean(f->csms));
    if (f->cmms_known)
        json_object_set_new(works, "CMMS", json_boolean(f->cmms));
    if (f->nstores)
        json_object_set(o, "stores", stores);
    if (json_object_size(works))
        json_object_set(o, "works", works);
    put(o, "receive", s->receive_plan);
    json_decref(works);
    json_decref(stores);
}

/* ---- what is wrong ---- */

static void tell(json_t *problems, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void tell(json_t *problems, const char *fmt, ...)
{
    char line[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    json_array_append_new(problems, text(line));
}

static void problems_of_state(json_t *p, const struct modem_status *s)
{
    switch (s->state) {
    case MODEM_ABSENT:
    case MODEM_OPENING:
    case MODEM_BACKOFF:
    case MODEM_LOCKED:
        tell(p, "%s", *s->reason ? s->reason : "does not answer");
        break;
    case MODEM_PROBING:
    case MODEM_INITIALISING:
        tell(p, "answers too slowly: it is still being asked (%s)", s->reason);
        break;
    case MODEM_REGISTERING:
        tell(p, "no network (%s): look at the antenna, the coverage, and whether the SIM is active",
             registration(s->registration));
        break;
    case MODEM_READY:
    case MODEM_DRAINING:
    case MODEM_DISABLED:
    case MODEM_STATES:
        break;
    }
    if (strstr(s->reason, "ModemManager"))
        tell(p, "ModemManager uses it: install simgate's udev rules (78-simgate-mm-ignore.rules) and plug it "
                "again, or: systemctl disable --now ModemManager");
}

static json_t *problems_of(const struct carrier *c, const struct modem_status *s, const struct probe_facts *f)
{
    json_t *p = json_array();

    problems_of_state(p, s);
    if (f->radio == 0 || f->radio == 4)
        tell(p, "the radio is off (AT+CFUN=%d): simgated switches it on", (int)f->radio);
    if (set_up(s) && !*s->smsc)
        tell(p, "the SIM has no service centre number: set smsc, or nothing can be sent");
    if (set_up(s) && strstr(s->receive_plan, "polled"))
        tell(p, "it announces no messages (no form of AT+CNMI works): they are found by looking, within a "
                "minute");
    /* Of one in use not each store is received into; what is wrong with that is an alarm. */
    for (int i = 0; i < f->nstores && !f->in_use; i++) {
        if (f->stores[i].size > 0 && f->stores[i].used >= f->stores[i].size)
            tell(p, "%s is full (%d messages): nothing can be received until simgated has taken them",
                 f->stores[i].name, (int)f->stores[i].used);
    }
    if (set_up(s) && c->signal_dbm && c->signal_dbm < WEAK_DBM)
        tell(p, "the signal is weak (%d dBm): move the antenna", c->signal_dbm);
    for (int a = 0; a < CARRIER_ALARMS; a++) {
        if (c->alarms[a].on && strcmp(c->alarms[a].text, s->reason) != 0)
            tell(p, "%s", c->alarms[a].text);
    }
    return p;
}

/* ---- the entry for gateway.conf ---- */

/* By what tells it apart for good: IMEI, else its place on the bus; a port that is not on USB is never looked
 * for, and must be named. */
static void put_entry(json_t *o, const struct carrier *c, const struct modem_status *s,
                      const struct port_info *i)
{
    bool wants_pin = strcmp(s->sim, "SIM PIN") == 0;
    char entry[300];
    const char *key = !*i->usb_path ? "port" : *c->imei ? "imei" : "usb";
    const char *value = !*i->usb_path ? s->port : *c->imei ? c->imei : i->usb_path;

    if (!*s->manufacturer && !*s->model && !*c->imei)
        return; /* nothing answered there */
    snprintf(entry, sizeof entry, "{ name = \"modem1\"; %s = \"%s\"; %s}", key, value,
             wants_pin ? "pin = \"the SIM's PIN\"; " : "");
    put(o, "entry", entry);
}

json_t *probe_report(struct modem *m, const char *configured, const struct probe_facts *f,
                     const struct profile_set *profiles, const struct port_info *ports, int nports)
{
    const struct carrier *c = modem_carrier(m);
    const struct port_info *i = modem_port_info(m);
    const struct profile *profile = modem_profile(m);
    struct modem_status s;
    json_t *o = json_object();

    modem_get_status(m, &s);
    put(o, "port", s.port);
    put(o, "configured", configured);
    put(o, "state", modem_state_name(s.state));
    put_usb(o, i, profiles);
    put_others(o, i, profiles, ports, nports);
    put(o, "manufacturer", s.manufacturer);
    put(o, "model", s.model);
    put(o, "revision", s.revision);
    if (*s.profile) {
        put(o, "family", profile->title);
        put(o, "profile", s.profile);
        put(o, "profile_why", s.profile_why);
        put(o, "hint", s.hint);
    }
    put_sim(o, c, &s);
    put_facts(o, &s, f);
    json_object_set_new(o, "problems", problems_of(c, &s, f));
    if (!*configured)
        put_entry(o, c, &s, i);
    return o;
}

json_t *probe_report_other(const struct port_usb_device *d, const char *why)
{
    char id[16];
    json_t *o = json_object(), *usb, *problems = json_array();

    snprintf(id, sizeof id, "%04x:%04x", d->vendor, d->product);
    usb = json_pack("{ssss}", "path", d->usb_path, "id", id);
    put(usb, "serial", d->serial);
    put(usb, "product", d->product_name);
    json_object_set_new(o, "usb", usb);
    put(o, "state", "no modem");
    json_array_append_new(problems, text(why));
    json_object_set_new(o, "problems", problems);
    return o;
}
