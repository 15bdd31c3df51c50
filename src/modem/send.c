/* One submission: AT+CMGS, TS 27.005 3.5.1, in PDU mode.
 *
 * The outcome is told truly. Until the PDU's last octet was written nothing was submitted; from then on, only
 * a final result settles it. `done` may submit the next part at once: it goes out in the same turn.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum {
    REST_STEP_MS = 250,
    REST_MAX_MS = 2000
}; /* behind a message, for modems that then say "please wait" */

/* ---- holding the link between the parts of a burst: AT+CMMS, TS 27.005 3.5.6 ----
 *
 * On GSM it saves the set-up of the radio link, half of the time. With 2 the modem holds it behind each
 * message until it is told 0, as it is before the last one; with 1 it goes back to 0 by itself. In either
 * case the link is let go a few seconds after a message, so that the next one has to follow at once, as it
 * does. Modems that list it and refuse it (E1752) are not asked again. */

enum { MORE_STAYS = 2, MORE_ONCE = 1 };

bool send_make_more(struct modem *m, char *text, size_t size)
{
    if (m->more_refused || m->profile->cmms == CMMS_OFF)
        return false;
    return str_copy(text, size, "AT+CMMS=?");
}

void send_more_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CMMS:");
    int64_t low, high;

    if (!at_cur_open_list(&c))
        return;
    while (at_cur_range(&c, &low, &high)) {
        if (high > m->more_max && high >= MORE_ONCE)
            m->more_max = high >= MORE_STAYS ? MORE_STAYS : MORE_ONCE;
    }
}

static void more_refused(struct modem *m)
{
    m->more_refused = true;
    m->more_max = m->more_now = 0;
}

static void more_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;

    m->more_sent = false;
    line_result(m, r);
    if (r->code != AT_OK && r->code != AT_CLOSED)
        more_refused(m);
}

static void hold_link(struct modem *m, bool more)
{
    int want = more ? m->more_max : 0;

    if (m->more_sent || m->more_now == want)
        return;
    bool ask = m->more_now != MORE_ONCE || want != 0; /* it goes back by itself */
    m->more_now = want;
    if (!ask)
        return;
    m->more_cmd = (struct at_cmd){.cls = AT_QUERY, .done = more_done};
    snprintf(m->more_cmd.text, sizeof(m->more_cmd.text), "AT+CMMS=%d", want);
    m->more_sent = line_send(m, &m->more_cmd, false) == 0;
}

/* ---- the submission ---- */

static void on_line(struct at_cmd *c, const char *line)
{
    struct modem *m = c->owner;
    struct at_cur cur = at_cur_after(line, "+CMGS:");
    int64_t mr;

    if (at_cur_number(&cur, &mr) && mr >= 0 && mr <= 255)
        m->submit_mr = (int)mr;
}

static void describe(const struct modem *m, const struct at_result *r, struct carrier_outcome *o)
{
    const struct profile_error *own = errors_vendor(m, r);

    o->error = own ? own->cls : errors_class(r);
    o->code = errors_code(r);
    if (own)
        snprintf(o->text, sizeof(o->text), "+CMS ERROR: %d (%s)", own->code, own->text);
    else
        errors_text(r, o->text, sizeof(o->text));
}

/* BG95 says 500 of messages that it has sent. */
static bool may_be_sent(const struct modem *m, const struct at_result *r)
{
    enum { UNKNOWN_CMS = 500 };

    return (m->profile->quirks & QUIRK_SENDS_WITH_500) && r->code == AT_CMS_ERROR &&
           r->number == UNKNOWN_CMS && r->data_sent;
}

static void set_outcome(const struct modem *m, const struct at_result *r, struct carrier_outcome *o)
{
    *o = (struct carrier_outcome){.mr = -1, .code = -1};
    switch (r->code) {
    case AT_OK:
        o->result = CARRIER_SENT;
        o->mr = m->submit_mr;
        break;
    case AT_ERROR:
    case AT_CMS_ERROR:
    case AT_CME_ERROR:
    case AT_NO_CARRIER:
        o->result = may_be_sent(m, r) ? CARRIER_UNKNOWN : CARRIER_FAILED;
        describe(m, r, o);
        break;
    case AT_TIMEOUT:
    case AT_CLOSED:
        o->result = r->data_sent ? CARRIER_UNKNOWN : CARRIER_NOT_SUBMITTED;
        describe(m, r, o);
        if (r->code == AT_TIMEOUT && !r->data_sent)
            str_copy(o->text, sizeof(o->text), "the modem gave no prompt");
        break;
    }
}

/* A refusal that tells of the modem's own state is looked into: the SIM may be gone, a store full. */
static void look_into(struct modem *m, const struct carrier_outcome *o)
{
    enum { NOT_AGAIN_FOR_MS = 30000, MEMORY_FULL_CMS = 322, NO_SMSC_CMS = 330 };

    if (o->result == CARRIER_FAILED && o->code == NO_SMSC_CMS)
        modem_alarm(
            m, CARRIER_ALARM_SMSC,
            "the modem knows no service centre (+CMS ERROR: 330): ask the operator for its number and set "
            "modems[].smsc");
    if (o->result != CARRIER_FAILED || (o->error != CARRIER_E_SIM && o->error != CARRIER_E_MODEM))
        return;
    if (m->check_ms && modem_now(m) - m->check_ms < NOT_AGAIN_FOR_MS)
        return;
    m->check_ms = modem_now(m);
    script_start(m, &script_check);
    if (o->code == MEMORY_FULL_CMS)
        stores_full(m, o->text);
}

static void keep_figures(struct modem *m, const struct carrier_outcome *o)
{
    const double weight = 0.1; /* of the newest in the moving average */
    double seconds = (double)(modem_now(m) - m->submit_ms) / 1000.0;

    if (o->result == CARRIER_SENT) {
        m->sent++;
        m->seconds_per_part = m->sent == 1 ? seconds : m->seconds_per_part * (1 - weight) + seconds * weight;
        m->carrier.seconds_per_part = m->seconds_per_part;
        modem_alarm_over(m, CARRIER_ALARM_SMSC);
    } else if (o->result == CARRIER_FAILED) {
        m->failed++;
    }
}

/* Wavecom: "please wait" right behind a message, for how long is found out. */
static void rest_behind(struct modem *m, const struct at_result *r)
{
    enum { PLEASE_WAIT = 515 };
    bool too_soon = (r->code == AT_CME_ERROR || r->code == AT_CMS_ERROR) && r->number == PLEASE_WAIT;

    if (!(m->profile->quirks & QUIRK_CME_515_AFTER_SEND))
        return;
    if (m->rest_ms < REST_STEP_MS || (too_soon && m->rest_ms < REST_MAX_MS))
        m->rest_ms += REST_STEP_MS;
    at_rest(&m->chan, modem_now(m) + m->rest_ms);
}

/* A wedge signature: it answers everything, but gives no prompts. */
static void note_prompt(struct modem *m, const struct at_result *r)
{
    if (r->code != AT_TIMEOUT || r->data_sent)
        m->no_prompts = 0;
    if (r->code == AT_OK || r->data_sent) {
        m->prompt_tried = 0;
        if (m->prompts_in_vain)
            modem_alarm_over(m, CARRIER_ALARM_HUNG);
        m->prompts_in_vain = false;
    } else if (r->code == AT_TIMEOUT && ++m->no_prompts >= SEND_NO_PROMPTS_MAX)
        modem_request(m, MOVE_RECOVER, 0, "gave no prompt %u times in a row", m->no_prompts);
}

/* A bare ERROR, where +CMEE=1 has made them numbers, is the answer of a modem that has restarted and lost its
 * settings without a word: it is set up again, and the message does not suffer. One that refuses all kinds of
 * things so is not set up each time. */
static void note_bare_error(struct modem *m, const struct at_result *r, struct carrier_outcome *o)
{
    enum { NOT_AGAIN_FOR_MS = 600000 };

    if (r->code != AT_ERROR || r->data_sent || !m->numbered || !modem_up(m))
        return;
    if (m->renewed_ms && modem_now(m) - m->renewed_ms < NOT_AGAIN_FOR_MS)
        return;
    m->renewed_ms = modem_now(m);
    o->error = CARRIER_E_MODEM;
    modem_request(m, MOVE_REPROBE, 0, "answered ERROR to AT+CMGS: have its settings been lost?");
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    struct carrier_submit *s = m->submit;
    struct carrier_outcome o;

    line_result(m, r);
    set_outcome(m, r, &o);
    note_prompt(m, r);
    keep_figures(m, &o);
    refusals_note(m, s, &o);
    if (m->more_now && o.result == CARRIER_FAILED && o.error == CARRIER_E_MODEM)
        m->more_refused =
            true; /* Quectel 528: more messages were announced in a state where they cannot be */
    note_bare_error(m, r, &o);
    rest_behind(m, r);
    if (o.result != CARRIER_SENT)
        modem_log(info, m, "not sent result=%s error=\"%s\"",
                  o.result == CARRIER_UNKNOWN         ? "unknown"
                  : o.result == CARRIER_NOT_SUBMITTED ? "not submitted"
                                                      : "refused",
                  o.text);
    m->submit = NULL;
    s->done(s, &o);
    if (r->code != AT_CLOSED)
        look_into(m, &o);
    modem_drained(m);
}

static void on_leaving(struct at_cmd *c)
{
    struct modem *m = c->owner;

    if (m->submit && m->submit->leaving)
        m->submit->leaving(m->submit);
}

int send_submit(struct carrier *c, struct carrier_submit *s)
{
    struct modem *m = container_of(c, struct modem, carrier);

    if (m->state != MODEM_READY)
        return ERR_GONE;
    if (m->submit)
        return ERR_BUSY;
    if (s->len > PDU_FULL_BYTES)
        return ERR_TOO_LONG;
    hex_encode(s->pdu, s->len, m->submit_hex);
    m->submit_cmd = (struct at_cmd){.prefix = "+CMGS:",
                                    .data = m->submit_hex,
                                    .cls = AT_SEND,
                                    .line = on_line,
                                    .leaving = on_leaving,
                                    .done = on_done};
    snprintf(m->submit_cmd.text, sizeof(m->submit_cmd.text), "AT+CMGS=%d", s->tpdu_len);
    m->submit = s;
    m->submit_mr = -1;
    m->submit_ms = modem_now(m);
    hold_link(m, s->more);
    int status = line_send(m, &m->submit_cmd, false);
    if (status)
        m->submit = NULL;
    return status;
}

/* "+CMGS: 17" after its command had timed out, or of a former life of the daemon. */
void send_late(struct modem *m, const char *line)
{
    struct at_cur cur = at_cur_after(line, "+CMGS:");
    int64_t mr;

    if (!at_cur_number(&cur, &mr) || mr < 0 || mr > 255)
        return;
    modem_log(notice, m, "late result mr=%d", (int)mr);
    if (m->carrier.up)
        m->carrier.up->late(m->carrier.up_owner, &m->carrier, (int)mr);
}
