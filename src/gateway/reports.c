/* Delivery reports: stored raw, acknowledged, matched by the store (SIM, TP-MR, recipient, window), and what
 * follows for the queue when one settles a part whose outcome was not known. TS 23.040 9.2.2.3. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum { WINDOW_EXTRA_MS = 24 * 3600 * 1000, WINDOW_DEFAULT_MS = 7 * 24 * 3600 * 1000 };

struct arrival {
    struct job job;
    struct carrier *c;
    uint64_t token;
    struct store_report op;
    char recipient[64];
    uint8_t *pdu;
};

static void arrival_drop(struct job *j)
{
    struct arrival *a = container_of(j, struct arrival, job);
    free(a->pdu);
    free(a);
}

void gw_reports_forget(struct gateway *g, const struct carrier *c)
{
    for (struct job *j = g->jobs.next; j != &g->jobs; j = j->next)
        if (j->drop == arrival_drop && container_of(j, struct arrival, job)->c == c)
            container_of(j, struct arrival, job)->c = NULL;
}

static int64_t window_ms(const struct gateway *g)
{
    return g->conf->validity_ms ? g->conf->validity_ms + WINDOW_EXTRA_MS : WINDOW_DEFAULT_MS;
}

/* The report proves that the part went out. */
static void settle_part(struct gateway *g, const struct store_report *r)
{
    if (!gw_unknown_settled(g, r->message, r->seq))
        return;
    struct queue_entry *e = queue_find(&g->q, r->message);
    if (!e)
        return;
    log_info(WHO, "settled message=%lld part=%d by its report", (long long)r->message, r->seq);
    if (msg_state_final(r->message_state))
        e->dead = 1;
    gw_entry_rest(g, e);
}

static void stored(struct gateway *g, struct arrival *a)
{
    const struct store_report *r = &a->op;
    gw_store_works(g);
    if (r->duplicate)
        return;
    g->stats.reports++;
    if (!r->message)
        g->stats.reports_unmatched++;
    else
        settle_part(g, r);
    log_info(WHO, "report message=%lld part=%d status=%d to=%s modem=%s", (long long)r->message, r->seq,
             r->status, log_number(a->recipient), r->modem);
    gw_emit(g, &(struct gateway_event){.kind = EV_REPORT,
                                       .message = r->message,
                                       .state = r->message ? r->message_state : 0,
                                       .part = r->seq,
                                       .report = r->report,
                                       .peer = a->recipient,
                                       .modem = r->modem,
                                       .text = pdu_status_text((uint8_t)r->status)});
    if (r->message)
        gw_emit_outbox(g);
    gw_kick(g);
}

/* ---- once more ---- */

struct again {
    struct job job;
    struct store_report op;
};

static void again_drop(struct job *j)
{
    free(container_of(j, struct again, job));
}

static void on_again(struct store_op *op, int status)
{
    struct again *a = container_of(op, struct again, op.op);
    struct gateway *g = a->job.g;
    bool found = status == 0 && a->op.report;

    g->looking = false;
    if (found) {
        g->stats.reports_unmatched -= g->stats.reports_unmatched > 0;
        settle_part(g, &a->op);
        gw_emit(g, &(struct gateway_event){.kind = EV_REPORT,
                                           .message = a->op.message,
                                           .state = a->op.message_state,
                                           .part = a->op.seq,
                                           .report = a->op.report,
                                           .text = pdu_status_text((uint8_t)a->op.status)});
        gw_emit_outbox(g);
        gw_kick(g);
    } else if (status < 0 && status != ERR_CANCELLED) {
        gw_store_failed(g, status, &op->err);
    }
    gw_job_end(&a->job);
    if (found)
        gw_reports_again(g);
    else
        gw_unknown_looked(g);
}

void gw_reports_again(struct gateway *g)
{
    if (g->looking)
        return;
    struct again *a = gw_alloc(sizeof(*a));
    gw_job_add(g, &a->job, again_drop);
    g->looking = true;
    a->op = (struct store_report){
        .op.done = on_again, .window_ms = window_ms(g), .now_wall_ms = rt_wall_ms(g->rt)};
    store_report_again(g->store, &a->op);
}

/* ---- a report comes ---- */

static void on_stored(struct store_op *op, int status)
{
    struct arrival *a = container_of(op, struct arrival, op.op);
    struct gateway *g = a->job.g;
    if (a->c && status != ERR_CANCELLED)
        a->c->ops->settle(a->c, a->token, status == 0); /* durable: the modem may forget it */
    if (status == 0)
        stored(g, a);
    else
        gw_store_failed(g, status, &op->err);
    gw_job_end(&a->job);
}

void gw_report(struct pipe *p, const struct carrier_inbound *in, const struct pdu_report *r)
{
    struct gateway *g = p->g;
    struct arrival *a = gw_alloc(sizeof(*a));
    gw_job_add(g, &a->job, arrival_drop);
    a->c = p->c;
    a->token = in->token;
    /* A full PDU is stored: some modems leave out the SMSC address, which their <length> shows. */
    size_t bare = in->tpdu_len >= 0 && (size_t)in->tpdu_len == in->len;
    a->pdu = gw_alloc(in->len + 1);
    memcpy(a->pdu + bare, in->pdu, in->len);
    str_copy(a->recipient, sizeof(a->recipient), r->to.text);
    a->op = (struct store_report){.op.done = on_stored,
                                  .modem = p->name,
                                  .imsi = p->imsi,
                                  .recipient = a->recipient,
                                  .pdu = a->pdu,
                                  .len = (int)(in->len + bare),
                                  .mr = r->mr,
                                  .status = r->st,
                                  .group = (int)pdu_status_group(r->st),
                                  .scts_wall_ms = pdu_time_to_wall_ms(&r->scts),
                                  .discharge_wall_ms = pdu_time_to_wall_ms(&r->discharge),
                                  .window_ms = window_ms(g),
                                  .now_wall_ms = rt_wall_ms(g->rt)};
    gw_hash_report(r, a->op.hash);
    store_report(g->store, &a->op);
}
