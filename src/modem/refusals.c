/* Runs of refusals: a network that refuses message after message, to one recipient after the other, does not
 * mind the messages but the SIM. Mostly its credit is used up, which networks tell by RP causes of all kinds
 * (TS 24.011 8.2.5.4: 21 and 38 more often than the 8, 29 and 50 that were meant for it).
 *
 * Told once as an alarm; over with the first message that is sent.
 */
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum { RUN_MIN = 3, RECIPIENTS_MIN = 2, ADDRESS_AT = 2 /* TS 23.040 9.2.2.2: behind FO and MR */ };

static bool about_the_sim(int code)
{
    static const int codes[] = {8, 10, 21, 28, 29, 30, 38, 50, 69, 193};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (code == codes[i])
            return true;
    }
    return false;
}

/* FNV-1a of TP-DA; 0: none readable. */
static uint32_t recipient(const struct carrier_submit *s)
{
    size_t at = s->len ? (size_t)s->pdu[0] + 1 + ADDRESS_AT : 0;
    uint32_t h = 0x811C9DC5u;

    if (at + 2 > s->len)
        return 0;
    size_t end = at + 2 + (s->pdu[at] + 1u) / 2;
    for (; at < end && at < s->len; at++)
        h = (h ^ s->pdu[at]) * 0x01000193u;
    return h;
}

static void note_recipient(struct modem *m, uint32_t who)
{
    for (size_t i = 0; i < m->refused_len; i++) {
        if (m->refused_who[i] == who)
            return;
    }
    if (m->refused_len < ARRAY_LEN(m->refused_who))
        m->refused_who[m->refused_len++] = who;
}

void refusals_note(struct modem *m, const struct carrier_submit *s, const struct carrier_outcome *o)
{
    if (o->result == CARRIER_SENT) {
        m->refused_n = 0;
        m->refused_len = 0;
        modem_alarm_over(m, CARRIER_ALARM_CREDIT);
        return;
    }
    if (o->result != CARRIER_FAILED || !about_the_sim(o->code))
        return;
    m->refused_n++;
    note_recipient(m, recipient(s));
    bool told = m->carrier.alarms[CARRIER_ALARM_CREDIT].on; /* once, whatever the next error is */
    if (!told && m->refused_n >= RUN_MIN && m->refused_len >= RECIPIENTS_MIN)
        modem_alarm(
            m, CARRIER_ALARM_CREDIT,
            "the network refuses message after message (%s): is there credit on the SIM, and may it send?",
            o->text);
}
