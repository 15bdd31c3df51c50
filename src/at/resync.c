/* Resynchronisation: after a timeout the answer may still come, and must not be taken for that of the next
 * command.
 *
 * A modem works through its commands in order, so once the answer of a later command is here, nothing of the
 * earlier ones can follow. The later command is a probe whose answer cannot be mistaken: its information line
 * is of a form that neither an unsolicited code nor the answer to the command that timed out, nor to the
 * probe before it, has. Every modem with TS 27.007 answers these without SIM, PIN or network, and they change
 * nothing:
 *
 *      AT+CMEE?   +CMEE: 1          AT+CMEE=?   +CMEE: (0-2)          AT+CSCS?   +CSCS: "IRA"
 *
 * (AT+CSQ would not do: +CSQ: is unsolicited on some; nor AT or AT+CGSN, whose answers have no prefix.)
 * Until then all lines are dropped but unsolicited codes and "+CMGS:", which belongs to a message whose
 * outcome is unknown.
 *
 * Before a probe there is silence for AT_SETTLE_MS, since a command must not be written into an answer (some
 * modems abort, E160 hangs), and an ESC where a prompt may be open; from the second try on that is assumed.
 * Never 0x1A: it would submit whatever stands in the modem's buffer.
 */
#include <ctype.h>

#include "at/internal.h"
#include "base/util.h"

static const struct {
    const char *text;
    const char *prefix;
    char form; /* the answer's first character; '0': any digit */
} probes[] = {
    {"AT+CMEE?", "+CMEE:", '0'},
    {"AT+CMEE=?", "+CMEE:", '('},
    {"AT+CSCS?", "+CSCS:", '"'},
};
_Static_assert(ARRAY_LEN(probes) >= AT_RESYNC_TRIES, "each try has a probe of its own");

static bool answers(unsigned probe, const char *line)
{
    struct at_cur c = at_cur_after(line, probes[probe].prefix);

    if (!c.p)
        return false;
    return probes[probe].form == '0' ? isdigit((unsigned char)*c.p) : *c.p == probes[probe].form;
}

static void send_probe(struct at_chan *ch, int64_t now_ms)
{
    ch->tries++;
    ch->probe_answered = false;
    ch->finals_seen = false;
    ch->last_line_ms = now_ms;
    buf_adds(&ch->out, probes[ch->probe].text);
    buf_addc(&ch->out, '\r');
    at_ring_add(&ch->ring, '>', probes[ch->probe].text);
    at_set_state(ch, AT_STATE_PROBE, now_ms + AT_PROBE_MS);
}

static void next_probe(struct at_chan *ch)
{
    do
        ch->probe = ch->probes++ % (unsigned)ARRAY_LEN(probes);
    while (ch->flight && strcmp(ch->flight->text, probes[ch->probe].text) == 0);
}

static void settle(struct at_chan *ch, bool escape, int64_t now_ms)
{
    if (escape) {
        buf_addc(&ch->out, AT_ESC);
        at_ring_add(&ch->ring, '>', "ESC");
    }
    ch->settle_end_ms = now_ms + AT_SETTLE_LIMIT_MS;
    at_set_state(ch, AT_STATE_SETTLE, now_ms + AT_SETTLE_MS);
}

void at_resync_begin(struct at_chan *ch, bool escape, bool with_settle, int64_t now_ms)
{
    const char *prefix = ch->flight && ch->flight->prefix ? ch->flight->prefix : "";

    str_copy(ch->lost, sizeof ch->lost, prefix); /* one that is cut is still the beginning of its lines */
    ch->tries = 0;
    next_probe(ch);
    if (with_settle)
        settle(ch, escape, now_ms);
    else
        send_probe(ch, now_ms);
}

static void synchronised(struct at_chan *ch, int64_t now_ms)
{
    at_ring_add(&ch->ring, '!', "in step again");
    ch->free_ms = now_ms + ch->gap_ms;
    at_set_state(ch, AT_STATE_IDLE, RT_NEVER);
}

void at_resync_timer(struct at_chan *ch, int64_t now_ms)
{
    if (ch->state == AT_STATE_SETTLE) {
        send_probe(ch, now_ms);
        return;
    }
    if (ch->tries < AT_RESYNC_TRIES) {
        next_probe(ch);
        settle(ch, true, now_ms);
        return;
    }
    /* A modem that refuses all probes but answers, and is silent since, is in step for all we can know. */
    if (ch->finals_seen && now_ms - ch->last_line_ms >= AT_OK_OPTIONAL_MS)
        synchronised(ch, now_ms);
    else
        at_die(ch, now_ms);
}

static void probe_line(struct at_chan *ch, const struct at_result *final, int64_t now_ms)
{
    ch->finals_seen = true;
    if (ch->probe_answered && final->code == AT_OK)
        synchronised(ch, now_ms);
}

/* "+CFUN: 1" is the answer to AT+CFUN? and what a modem says after a restart: only one of them is meant. */
static bool is_late_answer(const struct at_chan *ch, const char *line)
{
    if (at_urc_registration(line))
        return at_urc_is_answer(line);
    return *ch->lost && at_starts(line, ch->lost);
}

void at_resync_line(struct at_chan *ch, char *line, int64_t now_ms)
{
    struct at_result final;
    const char *rest;

    ch->last_line_ms = now_ms;
    if (at_starts(line, "+CMGS:")) {
        ch->ev->late(ch->owner, line);
        return;
    }
    if (at_urc_kind(ch, line) == AT_URC_KNOWN && !is_late_answer(ch, line)) {
        at_urc_begin(ch, line, now_ms);
        return;
    }
    if (ch->state == AT_STATE_SETTLE) {
        int64_t quiet_ms = now_ms + AT_SETTLE_MS;
        at_arm(ch, AT_TIMER_STATE, quiet_ms < ch->settle_end_ms ? quiet_ms : ch->settle_end_ms);
    } else if (answers(ch->probe, line))
        ch->probe_answered = true;
    else if (at_final(line, false, &final, &rest))
        probe_line(ch, &final, now_ms);
}
