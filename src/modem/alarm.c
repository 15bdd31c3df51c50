/* What an administrator should know of a modem, each on or off with its text; told upward when it changes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

static const char *const names[CARRIER_ALARMS] = {
    [CARRIER_ALARM_ABSENT] = "absent",     [CARRIER_ALARM_HUNG] = "hung",
    [CARRIER_ALARM_RESTARTS] = "restarts", [CARRIER_ALARM_SIM] = "sim",
    [CARRIER_ALARM_NETWORK] = "network",   [CARRIER_ALARM_SMSC] = "smsc",
    [CARRIER_ALARM_CREDIT] = "credit",     [CARRIER_ALARM_MEMORY] = "memory",
    [CARRIER_ALARM_BALANCE] = "balance",
};

const char *carrier_alarm_name(enum carrier_alarm a)
{
    return names[a];
}

static void tell(struct modem *m, enum carrier_alarm a)
{
    if (m->carrier.up && m->carrier.up->alarm)
        m->carrier.up->alarm(m->carrier.up_owner, &m->carrier, a);
}

void modem_alarm(struct modem *m, enum carrier_alarm a, const char *fmt, ...)
{
    struct carrier_alarm_state *s = &m->carrier.alarms[a];
    char text[CARRIER_TEXT_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (s->on && strcmp(s->text, text) == 0)
        return;
    if (!s->on)
        s->since_wall_ms = rt_wall_ms(m->rt);
    s->on = true;
    memcpy(s->text, text, sizeof(text));
    modem_log(warning, m, "alarm %s: %s", names[a], text);
    tell(m, a);
}

void modem_alarm_over(struct modem *m, enum carrier_alarm a)
{
    struct carrier_alarm_state *s = &m->carrier.alarms[a];

    if (!s->on)
        return;
    s->on = false;
    modem_log(notice, m, "alarm %s is over: %s", names[a], s->text);
    tell(m, a);
}

/* ---- what takes a while, or is compared with before ---- */

enum {
    NO_DEVICE_MS = 60000,
    DENIED_MS = 60000,
    NO_NETWORK_MS = 600000,
    BANNER_MS = 10000,
    RESTARTS_MS = 600000, /* from one restart to the next: they belong together */
    RESTARTS_MAX = 3,
};

void alarm_absent(struct modem *m, const char *why)
{
    if (m->closed_since_ms && modem_now(m) - m->closed_since_ms >= NO_DEVICE_MS && !ladder_restarting(m))
        modem_alarm(m, CARRIER_ALARM_ABSENT, "%s", why);
}

static const char *last_digits(const char *text)
{
    enum { SHOWN = 4 };
    size_t len = strlen(text);

    return len > SHOWN ? text + len - SHOWN : text;
}

/* Messages go on by another SIM, but whoever did not expect it should know. */
void alarm_sim(struct modem *m)
{
    const char *now = m->carrier.imsi, *before = m->home_imsi;
    bool expected = *m->conf->imsi || *m->conf->iccid; /* another one would have been refused */

    if (*now && (!*before || expected))
        str_copy(m->home_imsi, sizeof(m->home_imsi), now);
    if (!*now || strcmp(now, m->home_imsi) == 0)
        modem_alarm_over(m, CARRIER_ALARM_SIM);
    else
        modem_alarm(m, CARRIER_ALARM_SIM,
                    "the SIM was changed: its IMSI ends in %s, that of the SIM before in %s; it is used; "
                    "`simgate unlock %s` accepts it",
                    last_digits(now), last_digits(before), m->conf->name);
}

/* What was wrong with a modem is no more when it is gone, or waits for its SIM. */
void alarms_of_presence_over(struct modem *m)
{
    m->offline_since_ms = 0;
    m->prompts_in_vain = false;
    modem_alarm_over(m, CARRIER_ALARM_HUNG);
    modem_alarm_over(m, CARRIER_ALARM_NETWORK);
}

/* Of a modem that worked, unasked. The lines of one banner are one restart. */
void alarm_restarted(struct modem *m)
{
    int64_t now_ms = modem_now(m);

    if (m->restarts && now_ms - m->restarted_ms < BANNER_MS)
        return;
    m->restarts = now_ms - m->restarted_ms < RESTARTS_MS ? m->restarts + 1 : 1;
    m->restarted_ms = now_ms;
    if (m->restarts >= RESTARTS_MAX)
        modem_alarm(
            m, CARRIER_ALARM_RESTARTS,
            "it restarts by itself again and again: its supply is too weak (GSM bursts draw 2 A), or its "
            "cable is bad");
}

void alarm_restarts_over(struct modem *m)
{
    if (modem_now(m) - m->restarted_ms >= RESTARTS_MS)
        modem_alarm_over(m, CARRIER_ALARM_RESTARTS);
}

void alarm_offline(struct modem *m)
{
    int64_t since_ms = modem_now(m) - m->offline_since_ms;

    if (registration_denied(m) && since_ms >= DENIED_MS)
        modem_alarm(
            m, CARRIER_ALARM_NETWORK,
            "the network refuses the SIM (registration denied): is it activated, paid for, and allowed to "
            "roam here?");
    else if (since_ms >= NO_NETWORK_MS)
        modem_alarm(m, CARRIER_ALARM_NETWORK,
                    "no network for %d minutes and more: look at the antenna and at the coverage",
                    NO_NETWORK_MS / 60000);
}
