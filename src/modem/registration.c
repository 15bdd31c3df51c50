/* The network: registration, operator, signal. TS 27.007 7.2 (+CREG), 10.1.20 (+CGREG), 10.1.22 (+CEREG), 7.3
 * (+COPS), 8.5 (+CSQ), 8.69 (+CESQ).
 *
 * A modem may speak of three domains; which of them carries SMS depends on the network (SMS over SGs, SMS
 * only, CSFB not preferred), so that registration in any of them lets us try. Changes come as unsolicited
 * codes; while there is no network it is asked for now and then as well, and once per health check.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

static const struct {
    const char *prefix;
    const char *query;
} nets[NET_COUNT] = {
    [NET_CREG] = {"+CREG:", "AT+CREG?"},
    [NET_CEREG] = {"+CEREG:", "AT+CEREG?"},
    [NET_CGREG] = {"+CGREG:", "AT+CGREG?"},
};

/* ---- +CREG and its family ---- */

enum { FIELDS_MAX = 8 };

struct field {
    const char *from;
    size_t len;
    bool number; /* decimal, unquoted */
};

/* The comma-separated fields of a line, spaces around them cut off. */
static size_t split(const char *line, struct field *out)
{
    size_t n = 0;
    const char *p = strchr(line, ':');

    p = p ? p + 1 : line;
    while (n < FIELDS_MAX) {
        size_t len = strcspn(p, ",");
        const char *from = p, *to = p + len;
        while (from < to && *from == ' ')
            from++;
        while (to > from && to[-1] == ' ')
            to--;
        out[n] = (struct field){.from = from, .len = (size_t)(to - from), .number = to > from};
        for (const char *c = from; c < to; c++)
            out[n].number = out[n].number && isdigit((unsigned char)*c);
        n++;
        if (p[len] != ',')
            break;
        p += len + 1;
    }
    return n;
}

/* An unsolicited line has no <n> in front: "stat" or "stat,lac,ci[,AcT…]". Some modems send the answer's form
 * unasked nevertheless: then the second field is a <stat>, one digit (or two, or zero-padded to three:
 * Iridium) where an area code would be longer or quoted. Exactly two fields are no form of the unsolicited
 * line. */
static bool has_n(const struct field *f, size_t n, bool answer)
{
    enum { STAT_DIGITS = 2, STAT_DIGITS_PADDED = 3 };

    if (n < 2 || !f[0].number || !f[1].number)
        return false;
    if (answer)
        return f[1].len <= STAT_DIGITS_PADDED;
    return f[1].len <= STAT_DIGITS && f[0].len == 1 && f[0].from[0] <= '5' && (n == 2 || n >= 4);
}

int registration_stat(const char *line, bool answer)
{
    struct field f[FIELDS_MAX];
    size_t n = split(line, f);
    const struct field *stat = has_n(f, n, answer) ? &f[1] : &f[0];

    if (!stat->number || stat->len > 3)
        return -1;
    return atoi(stat->from);
}

/* 1 home, 5 roaming; 6, 7 SMS only; 9, 10 CSFB not preferred: a message may pass. Not 8 (emergency calls
 * only) and 11 (RLOS). */
static bool carries_sms(int stat)
{
    return stat == 1 || stat == 5 || stat == 6 || stat == 7 || stat == 9 || stat == 10;
}

bool registration_ok(const struct modem *m)
{
    bool known = false;

    for (int i = 0; i < NET_COUNT; i++) {
        if (carries_sms(m->stat[i]))
            return true;
        known = known || m->stat[i] >= 0;
    }
    return !known; /* a modem that answers none of the three: sending will tell */
}

bool registration_denied(const struct modem *m)
{
    bool denied = false;

    for (int i = 0; i < NET_COUNT; i++)
        denied = denied || m->stat[i] == 3;
    return denied && !registration_ok(m);
}

void registration_forget(struct modem *m)
{
    for (int i = 0; i < NET_COUNT; i++)
        m->stat[i] = -1;
    m->csq = -1;
}

static bool take(struct modem *m, const char *line, bool answer)
{
    for (int i = 0; i < NET_COUNT; i++) {
        if (strncmp(line, nets[i].prefix, strlen(nets[i].prefix)) != 0)
            continue;
        int stat = registration_stat(line, answer);
        if (stat < 0 || stat == m->stat[i])
            return false;
        m->stat[i] = stat;
        return true;
    }
    return false;
}

bool registration_urc(struct modem *m, const char *line)
{
    return take(m, line, false);
}

const char *registration_text(const struct modem *m)
{
    static const char *const texts[] = {
        "not registered",      "registered", "searching for a network",
        "registration denied", "no signal",  "registered",
        "registered",          "registered", "emergency only",
        "registered",          "registered", "restricted service only",
    };
    int worst = -1;

    for (int i = 0; i < NET_COUNT; i++) {
        /* What explains most: denied, then searching, then the rest. */
        if (worst < 0 || m->stat[i] == 3 || (m->stat[i] == 2 && worst != 3))
            worst = m->stat[i] >= 0 ? m->stat[i] : worst;
    }
    return worst >= 0 && worst < (int)ARRAY_LEN(texts) ? texts[worst] : "registration unknown";
}

/* ---- signal and operator ---- */

static void csq_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CSQ:");
    int64_t rssi;

    m->csq = -1;
    if (!at_cur_number(&c, &rssi))
        return;
    if (rssi >= 0 && rssi <= 31) {
        m->csq = (int)rssi;
        m->carrier.signal_dbm = -113 + 2 * (int)rssi;
    }
}

/* +CESQ: rxlev,ber,rscp,ecno,rsrq,rsrp */
static void cesq_line(struct modem *m, const char *line)
{
    enum { RXLEV = 0, RSCP = 2, RSRP = 5, VALUES = 6 };
    static const struct {
        int field, max, base_dbm;
    } kinds[] = {{RSRP, 97, -141}, {RSCP, 96, -121}, {RXLEV, 63, -111}};
    struct at_cur c = at_cur_after(line, "+CESQ:");
    int64_t v[VALUES] = {99, 99, 255, 255, 255, 255};

    for (int i = 0; i < VALUES && at_cur_number(&c, &v[i]); i++)
        ;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        int64_t value = v[kinds[i].field];
        if (value >= 0 && value <= kinds[i].max) {
            m->carrier.signal_dbm = kinds[i].base_dbm + (int)value;
            return;
        }
    }
}

/* ^HCSQ: "LTE",rssi,… "WCDMA",rssi,… "GSM",rssi: Huawei's, in the steps of +CESQ's <rscp> */
static void hcsq_line(struct modem *m, const char *line)
{
    enum { MAX = 96, BASE_DBM = -121 };
    struct at_cur c = at_cur_after(line, "^HCSQ:");
    int64_t rssi;

    if (at_cur_skip(&c) && at_cur_number(&c, &rssi) && rssi >= 0 && rssi <= MAX)
        m->carrier.signal_dbm = BASE_DBM + (int)rssi;
}

/* +QCSQ: "LTE",-63,… : Quectel's, in dBm */
static void qcsq_line(struct modem *m, const char *line)
{
    enum { WEAKEST_DBM = -150 };
    struct at_cur c = at_cur_after(line, "+QCSQ:");
    int64_t dbm;

    if (at_cur_skip(&c) && at_cur_number(&c, &dbm) && dbm < 0 && dbm >= WEAKEST_DBM)
        m->carrier.signal_dbm = (int)dbm;
}

/* LTE-only modules answer 99 to +CSQ: the profile's commands, then the standard's. */
static const struct {
    const char *command, *prefix;
    void (*line)(struct modem *m, const char *line);
} signals[] = {
    {"AT^HCSQ?", "^HCSQ:", hcsq_line},
    {"AT+QCSQ", "+QCSQ:", qcsq_line},
    {"AT+CESQ", "+CESQ:", cesq_line},
};

static const char usual_signal[] = "AT+CSQ";

static const char *signal_command(const struct modem *m, unsigned n)
{
    for (const char *const *p = m->profile->signal; p && *p; p++) {
        if (strcmp(*p, usual_signal) != 0 && n-- == 0)
            return *p;
    }
    return n == 0 ? "AT+CESQ" : NULL;
}

static int signal_of(const char *command)
{
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        if (strcmp(command, signals[i].command) == 0)
            return (int)i;
    }
    return -1;
}

bool modem_reads_signal(const char *command)
{
    return strcmp(command, usual_signal) == 0 || signal_of(command) >= 0;
}

static bool make_signal(struct modem *m, char *text, size_t size)
{
    const char *command = signal_command(m, m->run.attempt);

    if (m->csq >= 0)
        return false;
    if (!command || (m->run.attempt > 0 && m->carrier.signal_dbm))
        return false;
    if (m->run.attempt == 0)
        m->carrier.signal_dbm = 0;
    m->run.cmd.prefix = signals[signal_of(command)].prefix;
    return str_copy(text, size, command);
}

static void signal_line(struct modem *m, const char *line)
{
    signals[signal_of(m->run.cmd.text)].line(m, line);
}

/* +COPS: mode[,format,"name"[,AcT]] */
static void cops_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+COPS:");
    char name[sizeof(m->carrier.operator_name)];

    if (at_cur_skip(&c) && at_cur_skip(&c) && at_cur_string(&c, name, sizeof(name)))
        str_copy(m->carrier.operator_name, sizeof(m->carrier.operator_name), name);
}

static void net_line(struct modem *m, const char *line)
{
    take(m, line, true);
}

/* ---- scripts ---- */

static enum script_verdict any(struct modem *m, const struct at_result *r)
{
    (void)m;
    (void)r;
    return STEP_NEXT;
}

/* The domain that was registered last time is enough to ask. */
static bool make_net_check(struct modem *m, char *text, size_t size)
{
    int net = NET_CREG;

    for (int i = 0; i < NET_COUNT; i++) {
        if (carries_sms(m->stat[i]))
            net = i;
    }
    m->run.cmd.prefix = nets[net].prefix;
    return str_copy(text, size, nets[net].query);
}

static void changed(struct modem *m)
{
    modem_changed(m);
}

static const struct script_step register_steps[] = {
    {.text = "AT+CREG?", .prefix = "+CREG:", .cls = AT_QUERY, .line = net_line, .done = any},
    {.text = "AT+CEREG?", .prefix = "+CEREG:", .cls = AT_QUERY, .line = net_line, .done = any},
    {.text = "AT+CGREG?", .prefix = "+CGREG:", .cls = AT_QUERY, .line = net_line, .done = any},
};
const struct script script_register = {.name = "registration",
                                       .steps = register_steps,
                                       .count = ARRAY_LEN(register_steps),
                                       .end = modem_registered};

static const struct script_step ready_steps[] = {
    {.text = "AT+CSQ", .prefix = "+CSQ:", .cls = AT_QUERY, .line = csq_line},
    {.make = make_signal, .cls = AT_QUERY, .list = true, .line = signal_line},
    {.text = "AT+COPS=3,0", .cls = AT_OPERATOR}, /* names, not numbers */
    {.text = "AT+COPS?", .prefix = "+COPS:", .cls = AT_OPERATOR, .line = cops_line},
};
const struct script script_ready = {
    .name = "operator", .steps = ready_steps, .count = ARRAY_LEN(ready_steps), .end = changed};

static const struct script_step health_steps[] = {
    {.text = "AT+CSQ", .prefix = "+CSQ:", .cls = AT_QUERY, .line = csq_line},
    {.make = make_signal, .cls = AT_QUERY, .list = true, .line = signal_line},
    {.make = make_net_check, .cls = AT_QUERY, .line = net_line, .done = any},
};
const struct script script_health = {
    .name = "health check", .steps = health_steps, .count = ARRAY_LEN(health_steps), .end = modem_registered};
