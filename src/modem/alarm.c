/* What an administrator should know of a modem, each on or off with its text; told upward when it changes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "modem/modem_private.h"

static const char *const names[CARRIER_ALARMS] = {
    [CARRIER_ALARM_ABSENT] = "absent", [CARRIER_ALARM_HUNG] = "hung",
    [CARRIER_ALARM_SIM] = "sim",       [CARRIER_ALARM_NETWORK] = "network",
    [CARRIER_ALARM_SMSC] = "smsc",     [CARRIER_ALARM_CREDIT] = "credit",
    [CARRIER_ALARM_MEMORY] = "memory", [CARRIER_ALARM_BALANCE] = "balance",
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
