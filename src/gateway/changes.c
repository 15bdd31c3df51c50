/* Operators' moves: cancel and retry. What is intended but not on the air is withdrawn first; the store
 * decides by the message's state, and the index follows the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

struct change {
    struct job job;
    struct gateway_change *c;
    struct store_move op;
    struct store_show show;
    char reason[MSG_REASON_BYTES];
    bool waits; /* until nothing of the message is under way */
    struct change *next_waiting;
};

static void change_drop(struct job *j)
{
    struct change *ch = container_of(j, struct change, job);
    store_show_clear(&ch->show);
    free(ch);
}

static void finish(struct change *ch, int status, const struct err *e)
{
    struct gateway_change *c = ch->c;
    struct err why = *e;
    c->state = ch->op.state;
    gw_job_end(&ch->job);
    c->done(c, status, &why);
}

static struct change *change_new(struct gateway *g, int64_t id, enum msg_state state, const char *what,
                                 const char *who, struct gateway_change *c)
{
    struct change *ch = gw_alloc(sizeof(*ch));
    gw_job_add(g, &ch->job, change_drop);
    ch->c = c;
    snprintf(ch->reason, sizeof(ch->reason), "%s by %.100s", what, who && *who ? who : "an operator");
    ch->op = (struct store_move){.message = id, .state = state, .reason = ch->reason};
    return ch;
}

static void submit(struct gateway *g, struct change *ch)
{
    struct queue_entry *e = queue_find(&g->q, ch->op.message);
    if (e) {
        queue_take(&g->q, e);
        e->moving = 1;
    }
    ch->op.now_wall_ms = ch->op.due_wall_ms = rt_wall_ms(g->rt);
    store_move(g->store, &ch->op);
}

/* The move is over, one way or the other. */
static struct queue_entry *moved(struct gateway *g, int64_t id)
{
    struct queue_entry *e = queue_find(&g->q, id);
    if (e)
        e->moving = 0;
    return e;
}

static void tell(struct gateway *g, const struct change *ch, const struct queue_entry *e)
{
    log_notice(WHO, "%s message=%lld reason=%s", msg_state_name(ch->op.state), (long long)ch->op.message,
               ch->reason);
    gw_emit(g, &(struct gateway_event){.kind = EV_OUTCOME,
                                       .message = ch->op.message,
                                       .state = ch->op.state,
                                       .parts = e ? e->parts : 0,
                                       .peer = e ? e->peer : NULL,
                                       .reason = ch->reason});
    if (ch->op.state != MSG_QUEUED)
        gw_emit_outbox(g);
}

/* ---- cancel ---- */

static void on_cancelled(struct store_op *op, int status)
{
    struct change *ch = container_of(op, struct change, op.op);
    struct gateway *g = ch->job.g;
    struct queue_entry *e = moved(g, ch->op.message);
    if (status == 0) {
        tell(g, ch, e);
        gw_unknown_forget(g, ch->op.message);
        if (e)
            e->dead = 1;
    }
    if (e)
        gw_entry_rest(g, e);
    finish(ch, status, &op->err);
    gw_kick(g);
}

static void take_waiting(struct gateway *g, struct change *ch)
{
    struct change **at = &g->cancels;
    while (*at != ch)
        at = &(*at)->next_waiting;
    *at = ch->next_waiting;
}

void gw_cancel_ready(struct gateway *g, struct queue_entry *e)
{
    struct change *ch = g->cancels;
    while (ch && ch->op.message != e->id)
        ch = ch->next_waiting;
    e->cancel = 0;
    if (!ch) {
        gw_entry_rest(g, e);
        return;
    }
    take_waiting(g, ch);
    submit(g, ch);
}

/* True if something of e may still be kept from going out. */
static bool worth_waiting(const struct gateway *g, const struct queue_entry *e)
{
    if (e->slots == 0 || e->cancel || e->moving)
        return false;
    for (int i = 0; i < g->npipes; i++)
        if (gw_pipe_on_air(g->pipes[i], e))
            return e->parts > 1; /* the part on the air goes out, those behind it do not */
    return true;
}

void gateway_cancel(struct gateway *g, int64_t id, const char *who, struct gateway_change *c)
{
    struct change *ch = change_new(g, id, MSG_CANCELLED, "cancelled", who, c);
    ch->op.op.done = on_cancelled;
    struct queue_entry *e = queue_find(&g->q, id);
    if (!e || !worth_waiting(g, e)) {
        submit(g, ch);
        return;
    }
    ch->next_waiting = g->cancels;
    g->cancels = ch;
    e->cancel = 1;
    for (int i = 0; i < g->npipes; i++)
        gw_pipe_withdraw(g->pipes[i], e);
}

/* ---- retry ---- */

/* The index follows what the store holds. */
static void rebuild(struct gateway *g, const struct store_show *show)
{
    const struct msg_row *m = &show->row;
    struct queue_entry *e = queue_find(&g->q, m->id);
    if (m->state != MSG_QUEUED || (e && e->slots > 0))
        return;
    gw_unknown_forget(g, m->id);
    if (e)
        queue_free(&g->q, e);
    int64_t now = rt_now_ms(g->rt);
    e = queue_new(&g->q, m->id, m->source);
    e->priority = (uint8_t)m->priority;
    e->parts = (uint8_t)show->nparts;
    e->next_seq = (uint8_t)(show->nparts + 1);
    for (int i = show->nparts - 1; i >= 0; i--) {
        if (show->parts[i].state == MSG_QUEUED)
            e->next_seq = (uint8_t)show->parts[i].seq;
        else if (show->nparts > 1 && *show->parts[i].imsi)
            e->imsi = queue_name(&g->q, show->parts[i].imsi);
    }
    e->touched = *e->imsi != '\0';
    e->modem = queue_name(&g->q, m->modem);
    e->pool = queue_name(&g->q, m->pool);
    e->due_ms = now;
    gw_index_flags(e, m->flags);
    if (m->flags & MSG_F_PREFER)
        e->prefer_until_ms = now + QUEUE_WISH_MS;
    e->expires_ms = gw_from_wall(g, m->expires_wall_ms);
    if (e->expires_ms <= now) /* somebody wants it sent now */
        e->expires_ms = g->conf->validity_ms ? now + g->conf->validity_ms : RT_NEVER;
    str_copy(e->peer, sizeof(e->peer), m->peer);
    gw_entry_rest(g, e);
}

static void on_shown(struct store_op *op, int status)
{
    struct change *ch = container_of(op, struct change, show.op);
    struct gateway *g = ch->job.g;
    struct queue_entry *e = moved(g, ch->op.message);
    if (status == 0)
        rebuild(g, &ch->show);
    else if (e)
        gw_entry_rest(g, e);
    tell(g, ch, queue_find(&g->q, ch->op.message));
    finish(ch, status, &op->err);
    gw_kick(g);
}

static void on_retried(struct store_op *op, int status)
{
    struct change *ch = container_of(op, struct change, op.op);
    struct gateway *g = ch->job.g;
    if (status == 0) {
        ch->show.op.done = on_shown;
        ch->show.id = ch->op.message;
        store_show(g->store, &ch->show);
        return;
    }
    struct queue_entry *e = moved(g, ch->op.message);
    if (e)
        gw_entry_rest(g, e);
    finish(ch, status, &op->err);
    gw_kick(g);
}

static void on_under_way(struct job *j)
{
    struct change *ch = container_of(j, struct change, job);
    struct err e;
    err_set(&e, ERR_REFUSED, "message %lld is being sent", (long long)ch->op.message);
    finish(ch, e.code, &e);
}

void gateway_retry(struct gateway *g, int64_t id, const char *who, struct gateway_change *c)
{
    struct change *ch = change_new(g, id, MSG_QUEUED, "retry", who, c);
    struct queue_entry *e = queue_find(&g->q, id);
    if (e && (e->slots > 0 || e->moving)) {
        gw_defer(g, &ch->job, on_under_way);
        return;
    }
    ch->op.op.done = on_retried;
    submit(g, ch);
}
