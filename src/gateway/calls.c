/* Calls: each is stored as a received message without text (MSG_F_CALL), so that rules, consent, guard,
 * history and outboxes treat it as they treat any message, and a crash answers it at most once. What a
 * carrier tells cannot be asked for again: while the store has no room the call waits here, a bounded number
 * of them.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum { WAITING_MAX = 256 };

struct calling {
    struct job job;
    struct store_inbound op;
    struct rt_timer retry;
    char caller[64];
    char *meta;
};

static void calling_drop(struct job *j)
{
    struct calling *k = container_of(j, struct calling, job);
    rt_timer_stop(j->g->rt, &k->retry);
    free(k->meta);
    free(k);
}

/* ---- stored ---- */

static void stored(struct gateway *g, struct calling *k)
{
    const struct store_inbound *op = &k->op;
    gw_store_works(g);
    if (op->duplicate)
        return;
    g->stats.calls++;
    log_info(WHO, "call message=%lld from=%s modem=%s", (long long)op->message,
             *k->caller ? log_number(k->caller) : "unknown", op->modem);
    gw_emit(g, &(struct gateway_event){.kind = EV_CALL,
                                       .message = op->message,
                                       .state = MSG_RECEIVED,
                                       .peer = k->caller,
                                       .modem = op->modem});
    gw_emit_outbox(g);
    gw_handle_stored(g, op, k->caller, gw_copy(op->text), k->meta);
    k->meta = NULL;
}

static void on_stored(struct store_op *op, int status)
{
    struct calling *k = container_of(op, struct calling, op.op);
    struct gateway *g = k->job.g;
    if (gw_store_may_recover(status)) {
        gw_store_failed(g, status, &op->err);
        rt_timer_at(g->rt, &k->retry, rt_now_ms(g->rt) + STORE_RETRY_MS);
        return;
    }
    g->calls_waiting--;
    if (status == 0)
        stored(g, k);
    else
        gw_store_failed(g, status, &op->err);
    gw_job_end(&k->job);
}

static void submit(struct calling *k)
{
    k->op.op = (struct store_op){.done = on_stored};
    store_inbound(k->job.g->store, &k->op);
}

static void on_retry(struct rt_timer *t)
{
    submit(container_of(t, struct calling, retry));
}

/* ---- told ---- */

static void read_caller(const struct gateway *g, const char *from, char out[64])
{
    struct pdu_addr a;
    out[0] = '\0';
    if (*from && pdu_addr_from_text(from, &a, NULL) == 0)
        gw_sender(g, &a, out);
}

static char *meta_of(const struct carrier_call *call)
{
    json_t *o = json_pack("{s:i,s:b,s:b}", "rings", call->rings, "rejected", call->rejected, "withheld",
                          call->withheld);
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

void gw_call(struct pipe *p, const struct carrier_call *call)
{
    struct gateway *g = p->g;
    if (g->calls_waiting == WAITING_MAX) {
        unsigned left_out = 0;
        if (log_limit_pass(&g->log_calls, rt_now_ms(g->rt), &left_out))
            log_warning(WHO, "a call is not stored: %d others wait for the store", g->calls_waiting);
        return;
    }
    struct calling *k = gw_alloc(sizeof(*k));
    gw_job_add(g, &k->job, calling_drop);
    g->calls_waiting++;
    k->retry = (struct rt_timer){.fire = on_retry, .at_ms = RT_NEVER};
    k->meta = meta_of(call);
    read_caller(g, call->from, k->caller);
    k->op = (struct store_inbound){.modem = p->name,
                                   .imsi = p->imsi,
                                   .pdu = (const uint8_t *)"",
                                   .now_wall_ms = rt_wall_ms(g->rt),
                                   .duplicate_window_ms = g->conf->duplicate_window_ms,
                                   .sender = k->caller,
                                   .scts_wall_ms = call->began_wall_ms,
                                   .total = 1,
                                   .seq = 1,
                                   .text = "",
                                   .meta = k->meta,
                                   .flags = MSG_F_CALL};
    gw_hash_call(call, k->op.hash);
    submit(k);
}
