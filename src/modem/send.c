/* One submission: AT+CMGS, TS 27.005 3.5.1, in PDU mode.
 *
 * The outcome is told truly. Until the PDU's last octet was written nothing was submitted; from then on, only
 * a final result settles it. `done` may submit the next part at once: it goes out in the same turn.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

/* ---- holding the link between the parts of one message: AT+CMMS=1, TS 27.005 3.5.6 ----
 *
 * On GSM it saves the set-up of the radio link, half of the time. The modem lets go of it by itself a few
 * seconds after the last part. Modems that list it and refuse it (E1752) are not asked again. */

void send_more_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CMMS:");
    int64_t low, high;

    if (!at_cur_open_list(&c))
        return;
    while (at_cur_range(&c, &low, &high))
        m->more_known = m->more_known || (low <= 1 && high >= 1);
}

static void more_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;

    m->more_sent = false;
    line_result(m, r);
    if (r->code != AT_OK)
        m->more_known = m->more_on = false;
}

static void hold_link(struct modem *m, bool more)
{
    bool ask = more && m->more_known && !m->more_on && !m->more_sent;

    m->more_on = more && m->more_known;
    if (!ask)
        return;
    m->more_cmd = (struct at_cmd){.text = "AT+CMMS=1", .cls = AT_QUERY, .done = more_done};
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

static void describe(const struct at_result *r, struct carrier_outcome *o)
{
    o->error = errors_class(r);
    o->code = errors_code(r);
    errors_text(r, o->text, sizeof(o->text));
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
        o->result = CARRIER_FAILED;
        describe(r, o);
        break;
    case AT_TIMEOUT:
    case AT_CLOSED:
        o->result = r->data_sent ? CARRIER_UNKNOWN : CARRIER_NOT_SUBMITTED;
        describe(r, o);
        if (r->code == AT_TIMEOUT && !r->data_sent)
            str_copy(o->text, sizeof(o->text), "the modem gave no prompt");
        break;
    }
}

/* A refusal that tells of the modem's own state is looked into: the SIM may be gone, a store full. */
static void look_into(struct modem *m, const struct carrier_outcome *o)
{
    enum { NOT_AGAIN_FOR_MS = 30000, MEMORY_FULL_CMS = 322 };

    if (o->result != CARRIER_FAILED || (o->error != CARRIER_E_SIM && o->error != CARRIER_E_MODEM))
        return;
    if (m->check_ms && modem_now(m) - m->check_ms < NOT_AGAIN_FOR_MS)
        return;
    m->check_ms = modem_now(m);
    if (o->code == MEMORY_FULL_CMS)
        stores_sweep(m);
    script_start(m, &script_check);
}

static void keep_figures(struct modem *m, const struct carrier_outcome *o)
{
    const double weight = 0.1; /* of the newest in the moving average */
    double seconds = (double)(modem_now(m) - m->submit_ms) / 1000.0;

    if (o->result == CARRIER_SENT) {
        m->sent++;
        m->seconds_per_part = m->sent == 1 ? seconds : m->seconds_per_part * (1 - weight) + seconds * weight;
    } else if (o->result == CARRIER_FAILED) {
        m->failed++;
    }
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    struct carrier_submit *s = m->submit;
    struct carrier_outcome o;

    line_result(m, r);
    set_outcome(m, r, &o);
    keep_figures(m, &o);
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
