/* Messages and reports to a simulated modem: routing by AT+CNMI, stores, acknowledgement.
 *
 * TS 27.005 3.4.1 (AT+CNMI), 3.4.4 (AT+CNMA), 3.2.1 (AT+CSMS); TS 23.038 4 (classes). With AT+CSMS=0 the
 * modem acknowledges to the network by itself as soon as the notice is on the line; with AT+CSMS=1 the host
 * must, and if it does not within 15 s, mt and ds become 0 and the network tries again later.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

enum { CNMA_MS = 15000, CNMI_MODE = 0, CNMI_MT = 1, CNMI_DS = 3, CNMI_BFR = 4 };

static bool reachable(const struct simmodem *m)
{
    return m->power == SIM_UP && m->entry == SIM_ENTRY_NONE && !m->await && sim_registered(m) &&
           !sim_silent(m) && m->out.len + m->tx.len < SIM_BACKLOG_BYTES;
}

/* A notice under AT+CNMI's rules: with mode 0 the modem keeps it until the host sets another mode. */
static void notice(struct simmodem *m, const char *text)
{
    if (m->set.cnmi[CNMI_MODE] != 0) {
        sim_urc(m, "%s", text);
    } else if (m->ta_urcs_len < SIM_URCS_KEPT) {
        buf_addf(&m->ta_urcs, "\r\n%s\r\n", text);
        m->ta_urcs_len++;
    }
}

static void show(struct simmodem *m, struct sim_tpdu *t)
{
    char hex[2 * PDU_FULL_BYTES + 1];
    char text[2 * PDU_FULL_BYTES + 32];
    hex_encode(t->pdu, t->len, hex);
    snprintf(text, sizeof(text), "%s%u\r\n%s", t->report ? m->p.cds : m->p.cmt, t->tpdu_len, hex);
    sim_net_event(m, SIMNET_SHOWN, t, m->set.csms != 0, SIM_STORES, 0);
    notice(m, text);
    if (m->set.csms == 0) {
        free(t);
        return;
    }
    m->await = t;
    m->await_until_us = m->now_us + CNMA_MS * SIM_MS;
}

static bool put_into(struct simmodem *m, struct sim_tpdu *t, enum sim_store_id id, const char *notice_name)
{
    if (sim_store_full(m, id))
        return false;
    int index = sim_store_put(m, id, t, SIM_REC_UNREAD);
    sim_net_event(m, SIMNET_STORED, t, 0, id, index);
    if (notice_name) {
        char text[32];
        bool lost = !t->report && sim_count_down(&m->fault.index_lost);
        snprintf(text, sizeof(text), "%s: \"%s\",%d", notice_name, m->stores[id].name, lost ? -1 : index);
        notice(m, text);
    }
    return true;
}

/* True if a DELIVER is shown rather than stored; TS 27.005 table 3.4.1-2. */
static bool shown_by_mt(const struct simmodem *m, const struct sim_tpdu *t)
{
    int mt = m->set.cnmi[CNMI_MT];
    if (t->to_sim || mt == 0)
        return false;
    return mt == 2 || t->cls == 0 || (mt == 3 && t->cls == 3);
}

static bool take_message(struct simmodem *m, struct sim_tpdu *t)
{
    if (shown_by_mt(m, t)) {
        show(m, t);
        return true;
    }
    return put_into(m, t, t->to_sim ? SIM_SM : m->set.mem[2], m->set.cnmi[CNMI_MT] ? "+CMTI" : NULL);
}

static bool take_report(struct simmodem *m, struct sim_tpdu *t)
{
    enum sim_store_id id;
    switch (m->set.cnmi[CNMI_DS]) {
    case 1:
        show(m, t);
        return true;
    case 2:
        return put_into(m, t, sim_store_named(m, "SR", &id) ? id : m->set.mem[2], "+CDSI");
    default:
        sim_net_event(m, SIMNET_DROPPED, t, 0, SIM_STORES, 0);
        free(t);
        return true;
    }
}

/* When the network may try the head of a queue; SIM_NEVER: it is empty. With the fault "urc_inside" it waits
 * a little for a reply to fall into. */
static int64_t due_at(const struct simmodem *m, int queue)
{
    enum { INSIDE_WAIT_MS = 2000, PROMPT_WAIT_MS = 300 };
    const struct sim_tpdu *t = m->waiting[queue].head;
    if (!t)
        return SIM_NEVER;
    int64_t at = t->due_us;
    if (m->fault.urc_inside > 0 && !m->urc_capture)
        at += INSIDE_WAIT_MS * SIM_MS;
    if (queue == SIM_QUEUE_REPORTS && (m->p.quirks & PQ_REPORT_BEFORE_PROMPT) && !m->urc_capture)
        at += PROMPT_WAIT_MS * SIM_MS;
    if (queue == SIM_QUEUE_MESSAGES && m->memory_full && m->retry_at_us > at)
        at = m->retry_at_us;
    return at;
}

/* One attempt of the network. False: the modem has no room for it. */
static bool attempt(struct simmodem *m, int queue)
{
    struct sim_tpdu *t = sim_queue_take(&m->waiting[queue]);
    bool taken = queue == SIM_QUEUE_REPORTS ? take_report(m, t) : take_message(m, t);
    if (taken)
        return true;
    if (queue == SIM_QUEUE_REPORTS) {
        sim_net_retry(m, t);
        return true;
    }
    t->resend = true;
    t->due_us = m->now_us;
    t->next = m->waiting[queue].head; /* keeps its place: the order of messages is the order of their ids */
    m->waiting[queue].head = t;
    if (!t->next)
        m->waiting[queue].tail = t;
    m->waiting[queue].len++;
    if (!m->memory_full && m->p.full_line)
        sim_say(m, m->p.full_line, m->stores[t->to_sim ? SIM_SM : m->set.mem[2]].name);
    m->memory_full = true;
    m->retry_at_us =
        sim_window(m, m->fault.full_until) ? m->fault.full_until : m->now_us + sim_net_retry_us(m->net);
    return false;
}

void sim_mt_step(struct simmodem *m)
{
    if (m->await && m->now_us >= m->await_until_us)
        sim_mt_unacked(m);
    for (int q = SIM_QUEUES; q-- > 0;)
        while (reachable(m) && due_at(m, q) <= m->now_us && attempt(m, q))
            ;
}

int64_t sim_mt_deadline(const struct simmodem *m)
{
    int64_t at = SIM_NEVER;
    if (m->power == SIM_UP && m->entry == SIM_ENTRY_NONE && !m->wedged &&
        sim_window(m, m->fault.silence_until) && (m->waiting[0].head || m->waiting[1].head))
        return m->fault.silence_until;
    if (!reachable(m))
        return at; /* what makes it reachable again has its own deadline, or is a call */
    for (int q = 0; q < SIM_QUEUES; q++)
        if (due_at(m, q) < at)
            at = due_at(m, q);
    return at;
}

/* The host did not acknowledge: TS 27.005 3.4.4. */
void sim_mt_unacked(struct simmodem *m)
{
    struct sim_tpdu *t = m->await;
    if (!t)
        return;
    m->await = NULL;
    if (!(m->p.quirks & PQ_KEEPS_CNMI))
        m->set.cnmi[CNMI_MT] = m->set.cnmi[CNMI_DS] = 0;
    sim_net_event(m, SIMNET_UNACKED, t, 0, SIM_STORES, 0);
    sim_net_retry(m, t);
}

int sim_mt_ack(struct simmodem *m, bool negative)
{
    enum { NO_CNMA_EXPECTED = 340 };
    struct sim_tpdu *t = m->await;
    if (!t)
        return NO_CNMA_EXPECTED;
    m->await = NULL;
    if (negative) {
        sim_net_event(m, SIMNET_UNACKED, t, 0, SIM_STORES, 0);
        sim_net_retry(m, t);
        return 0;
    }
    sim_net_event(m, SIMNET_ACKED, t, 0, SIM_STORES, 0);
    free(t);
    return 0;
}
