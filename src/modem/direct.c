/* Messages that come on the line itself: +CMT and +CDS with their PDU, TS 27.005 3.4.1; acknowledged by
 * AT+CNMA (3.4.4) under AT+CSMS=1.
 *
 * With AT+CSMS=0 the modem has acknowledged them before we see them (flash messages come so in the store plan
 * as well): ours is then the only copy, kept until the gateway has it. With AT+CSMS=1 the network keeps the
 * message until AT+CNMA, which goes out in front of everything that waits; what cannot be stored is refused
 * (AT+CNMA=2), so that the network tries again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

/* ---- acknowledgement ---- */

static void send_ack(struct modem *m);

static const char *ack_text(struct modem *m)
{
    static const char *const forms[] = {
        [ACK_PROBE] = "AT+CNMA", [ACK_PLAIN] = "AT+CNMA", [ACK_ZERO] = "AT+CNMA=0", [ACK_ONE] = "AT+CNMA=1"};

    if (m->rx.ack_form == ACK_PROBE)
        m->rx.ack_form = m->profile->ack == ACK_PROBE ? ACK_PLAIN : m->profile->ack;
    return forms[m->rx.ack_form];
}

static bool wants_other(const struct modem *m, const struct at_result *r)
{
    bool refused = r->code == AT_ERROR || (r->code == AT_CMS_ERROR && r->number >= 302 && r->number <= 305) ||
                   (r->code == AT_CME_ERROR && (r->number == 3 || r->number == 4 || r->number == 50));

    return refused && !m->rx.ack_changed && strcmp(m->rx.ack.text, "AT+CNMA=2") != 0;
}

static void ack_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    char text[CARRIER_TEXT_BYTES];

    m->rx.ack_sent = false;
    line_result(m, r);
    if (r->code == AT_CLOSED)
        return;
    if (wants_other(m, r)) { /* Huawei, ZTE: AT+CNMA=0 only */
        m->rx.ack_form = m->rx.ack_form == ACK_ZERO ? ACK_PLAIN : ACK_ZERO;
        m->rx.ack_changed = true;
    } else {
        if (strcmp(m->rx.ack.text, "AT+CNMA=2") == 0)
            m->rx.nacks_wanted -= m->rx.nacks_wanted > 0;
        else
            m->rx.acks_wanted -= m->rx.acks_wanted > 0;
        if (r->code != AT_OK) {
            errors_text(r, text, sizeof(text));
            modem_log(warning, m, "acknowledgement refused (it was late?): %s", text);
            script_start(m, &script_cnmi);
        }
    }
    send_ack(m);
    modem_drained(m);
}

static void send_ack(struct modem *m)
{
    struct rx *rx = &m->rx;

    if (rx->ack_sent || (!rx->acks_wanted && !rx->nacks_wanted))
        return;
    rx->ack = (struct at_cmd){.cls = AT_ACK, .done = ack_done};
    str_copy(rx->ack.text, sizeof(rx->ack.text), rx->acks_wanted ? ack_text(m) : "AT+CNMA=2");
    rx->ack_sent = true;
    if (line_send(m, &rx->ack, true) != 0) {
        rx->ack_sent = false; /* the channel is dead: the network will deliver again */
        rx->acks_wanted = rx->nacks_wanted = 0;
    }
}

/* ---- settling ---- */

void direct_settle(struct modem *m, struct rx_entry *e, bool stored)
{
    if (!e->must_ack) {
        if (stored)
            rx_remove(m, e);
        else
            rx_hold(m, e, RX_WANTED, MODEM_HELD_MS);
        return;
    }
    rx_remove(m, e);
    if (stored)
        m->rx.acks_wanted++; /* durable: the gateway has committed it */
    else
        m->rx.nacks_wanted++;
    send_ack(m);
}

void direct_offer_again(struct modem *m, struct rx_entry *e)
{
    char line[600];
    int tpdu_len = e->tpdu_len;
    bool malformed = e->malformed;

    str_copy(line, sizeof(line), (const char *)e->copy);
    rx_offer(m, e, line, tpdu_len, malformed);
}

/* ---- arrival ---- */

/* Room for one more copy: the oldest that waits for the disk is given up. */
static void make_room(struct modem *m)
{
    struct rx_entry *oldest = NULL;

    if (m->rx.copies < MODEM_RX_COPIES_MAX)
        return;
    for (size_t i = 0; i < m->rx.len; i++) {
        struct rx_entry *e = &m->rx.entries[i];
        if (e->copy && (!oldest || e->seq < oldest->seq))
            oldest = e;
    }
    modem_log(err, m, "a message that came on the line is lost: %d wait for the store already",
              MODEM_RX_COPIES_MAX);
    rx_remove(m, oldest);
}

static struct rx_entry *add(struct modem *m, const char *pdu, int tpdu_len, bool malformed, bool must_ack)
{
    if (!must_ack)
        make_room(m);
    struct rx_entry *e = rx_add(m, "", -1);
    if (!e)
        return NULL;
    e->must_ack = must_ack;
    e->tpdu_len = tpdu_len;
    e->malformed = malformed;
    if (!e->must_ack) {
        e->copy_len = strlen(pdu);
        e->copy = (uint8_t *)strdup(pdu);
        m->rx.copies += e->copy != NULL;
    }
    return e;
}

void direct_urc(struct modem *m, const struct at_urc *urc)
{
    if (m->conf->look_only) /* not acknowledged: it comes again to whoever is to have it */
        return;
    if (!urc->pdu) {
        modem_log(warning, m, "\"%s\" came without its message", urc->line);
        stores_sweep(m);
        return;
    }
    int tpdu_len = rx_told_length(urc->line);
    bool malformed = !rx_pdu_fits(urc->pdu, tpdu_len);
    bool report = strncmp(urc->line, "+CDS:", 5) == 0;
    /* SIM800 under AT+CSMS=1: acknowledges +CMT by itself, and takes AT+CNMA for an error. */
    bool must_ack = m->acks && (report || !(m->profile->quirks & QUIRK_NO_CNMA_FOR_CMT));
    if (malformed) {
        /* Text mode: it has restarted. Not acknowledged, the message comes again. */
        modem_request(m, MOVE_REPROBE, 0, "a message came that is no PDU");
        if (must_ack)
            return;
    }
    /* Whose SIM it came to is not known while it cannot be read: not acknowledged, it comes again. */
    if (must_ack && m->state == MODEM_LOCKED)
        return;
    struct rx_entry *e = add(m, urc->pdu, tpdu_len, malformed, must_ack);
    if (e)
        rx_offer(m, e, urc->pdu, tpdu_len, malformed);
}
