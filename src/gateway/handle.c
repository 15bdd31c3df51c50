/* The engine's place: each RECEIVED message is given to it once, at most GATEWAY_HANDLING_MAX at a time, the
 * others stay in the store until there is room. Its verdict, the mark HANDLED and the replies are one
 * transaction. Owns the message's row and copies of everything the verdict borrowed until that is durable. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

struct handling {
    struct job job;
    struct handling *next;
    struct msg_row row;
    bool decided, waits; /* its verdict came; the store had no room for it */
    struct decision d;
};

static void forget_verdict(struct handling *h)
{
    gw_decision_free(&h->d);
    h->decided = h->waits = false;
}

static void handling_drop(struct job *j)
{
    struct handling *h = container_of(j, struct handling, job);
    forget_verdict(h);
    msg_row_clear(&h->row);
    free(h);
}

static void handling_end(struct handling *h)
{
    struct gateway *g = h->job.g;
    struct handling **at = &g->open;
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    g->nopen--;
    gw_job_end(&h->job);
    gw_handle_kick(g);
}

/* ---- the verdict ---- */

static void on_handled(struct store_op *op, int status)
{
    struct handling *h = container_of(op, struct handling, d.op.op);
    struct gateway *g = h->job.g;
    if (gw_store_may_recover(status)) {
        h->waits = true;
        gw_store_failed(g, status, &op->err);
        return;
    }
    if (status == 0) {
        gw_store_works(g);
        log_info(WHO, "handled message=%lld from=%s replies=%d reason=%s", (long long)h->row.id,
                 log_number(h->row.peer), h->d.nreplies, h->d.op.reason);
        gw_emit(g, &(struct gateway_event){.kind = EV_HANDLED,
                                           .message = h->row.id,
                                           .state = MSG_HANDLED,
                                           .parts = h->row.parts,
                                           .peer = h->row.peer,
                                           .modem = h->row.modem,
                                           .conversation = h->d.op.conversation,
                                           .reason = h->d.op.reason});
        gw_decision_stored(g, &h->d);
        gw_tell_new(g, h->d.replies, h->d.nreplies);
    } else if (status != ERR_CANCELLED && status != ERR_REFUSED) {
        log_err(WHO, "message %lld: its handling was not stored: %s", (long long)h->row.id, op->err.text);
    }
    handling_end(h);
}

/* What is decided while an earlier verdict waits for room must not become durable before it. */
static void submit(struct handling *h)
{
    h->waits = h->job.g->stalled;
    if (h->waits)
        return;
    h->d.op.op = (struct store_op){.done = on_handled};
    store_handle(h->job.g->store, &h->d.op);
}

static void decide(struct handling *h, const struct gateway_verdict *v)
{
    struct err e;
    h->decided = true;
    gw_decision_take(&h->d, v);
    h->d.op.message = h->row.id;
    str_copy(h->d.number, sizeof(h->d.number), h->row.peer);
    str_copy(h->d.sim, sizeof(h->d.sim), h->row.modem);
    /* A message that cannot be made is told and left out: this one is handled all the same. */
    gw_decision_compose(h->job.g, &h->d, &e);
    submit(h);
}

void gateway_handled(struct gateway *g, int64_t message, const struct gateway_verdict *v)
{
    for (struct handling *h = g->open; h; h = h->next) {
        if (h->row.id == message && !h->decided) {
            decide(h, v);
            return;
        }
    }
}

/* ---- opening ---- */

/* Why a message is not the engine's affair; NULL: it is. */
static const char *nobodys(const struct gateway *g, const struct msg_row *m)
{
    if (m->flags & MSG_F_UNDECODABLE)
        return "cannot be decoded";
    if ((m->flags & MSG_F_SILENT) && g->conf->discard_type0)
        return "silent message (type 0)";
    return g->on_message ? NULL : "no engine";
}

static void ask(struct handling *h)
{
    struct gateway *g = h->job.g;
    const char *reason = nobodys(g, &h->row);
    if (reason)
        decide(h, &(struct gateway_verdict){.reason = reason});
    else
        g->on_message(g->on_message_owner, &h->row);
}

static void open_message(struct gateway *g, struct msg_row *row)
{
    struct handling *h = gw_alloc(sizeof(*h));
    gw_job_add(g, &h->job, handling_drop);
    h->row = *row;
    row->text = row->meta = NULL;
    struct handling **at = &g->open;
    while (*at)
        at = &(*at)->next;
    *at = h;
    g->nopen++;
    g->last_opened = h->row.id;
    ask(h);
}

/* The store has room again for verdicts that it could not take: they are asked for anew, the oldest first,
 * since each was decided without what those before it would have changed (an opt-out, replies counted). */
static void ask_again(struct gateway *g)
{
    for (struct handling *h = g->open; h; h = h->next) {
        if (!h->waits)
            continue;
        forget_verdict(h);
        ask(h);
    }
}

void gw_handle_new(struct gateway *g, struct msg_row *row)
{
    if (!g->backlog && g->nopen < GATEWAY_HANDLING_MAX)
        open_message(g, row);
    else
        g->backlog = true; /* it is fetched when there is room */
    msg_row_clear(row);
    gw_handle_kick(g);
}

void gw_handle_stored(struct gateway *g, const struct store_inbound *op, const char *from, char *text,
                      char *meta)
{
    struct msg_row row = {.id = op->message,
                          .direction = MSG_IN,
                          .state = MSG_RECEIVED,
                          .flags = op->flags,
                          .parts = 1,
                          .priority = 1,
                          .created_wall_ms = op->now_wall_ms,
                          .due_wall_ms = op->now_wall_ms,
                          .final_wall_ms = op->now_wall_ms,
                          .scts_wall_ms = op->scts_wall_ms,
                          .text = text,
                          .meta = meta};
    str_copy(row.peer, sizeof(row.peer), from);
    str_copy(row.modem, sizeof(row.modem), op->modem);
    str_copy(row.imsi, sizeof(row.imsi), op->imsi);
    gw_handle_new(g, &row);
}

struct fetch {
    struct job job;
    struct store_unhandled op;
};

static void fetch_drop(struct job *j)
{
    struct fetch *f = container_of(j, struct fetch, job);
    for (int i = 0; i < f->op.count; i++)
        msg_row_clear(&f->op.rows[i]);
    free(f->op.rows);
    free(f);
}

static void on_fetched(struct store_op *op, int status)
{
    struct fetch *f = container_of(op, struct fetch, op.op);
    struct gateway *g = f->job.g;
    g->fetching = false;
    if (status < 0) {
        gw_store_failed(g, status, &op->err);
        gw_job_end(&f->job);
        return;
    }
    g->backlog = f->op.count == f->op.max;
    for (int i = 0; i < f->op.count; i++)
        open_message(g, &f->op.rows[i]);
    gw_job_end(&f->job);
    gw_handle_kick(g);
}

void gw_handle_kick(struct gateway *g)
{
    if (g->stalled)
        return;
    ask_again(g);
    if (!g->backlog || g->fetching || g->draining || g->nopen >= GATEWAY_HANDLING_MAX)
        return;
    struct fetch *f = gw_alloc(sizeof(*f));
    gw_job_add(g, &f->job, fetch_drop);
    g->fetching = true;
    f->op = (struct store_unhandled){
        .op.done = on_fetched, .after_id = g->last_opened, .max = GATEWAY_HANDLING_MAX - g->nopen};
    store_unhandled(g->store, &f->op);
}

void gateway_set_engine(struct gateway *g, gateway_on_message fn, void *owner)
{
    g->on_message = fn;
    g->on_message_owner = owner;
}
