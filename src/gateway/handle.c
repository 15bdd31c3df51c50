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
    struct store_handle op;
    struct store_new_message *replies;
    struct composed *composed;
    const char *alarm; /* NULL none */
    int nreplies;
    char **strings; /* copies of what the verdict borrowed */
    int nstrings;
};

static void forget_verdict(struct handling *h)
{
    for (int i = 0; i < h->nreplies; i++)
        gw_composed_free(&h->composed[i]);
    for (int i = 0; i < h->nstrings; i++)
        free(h->strings[i]);
    free(h->strings);
    free(h->replies);
    free(h->composed);
    h->strings = NULL;
    h->replies = NULL;
    h->composed = NULL;
    h->nreplies = h->nstrings = 0;
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

static const char *keep(struct handling *h, const char *text)
{
    if (!text)
        return NULL;
    h->strings = realloc(h->strings, (size_t)(h->nstrings + 1) * sizeof(char *));
    if (!h->strings)
        abort();
    return h->strings[h->nstrings++] = gw_copy(text);
}

static void keep_reply(struct handling *h, struct store_new_message *m)
{
    m->text = keep(h, m->text);
    m->modem = keep(h, m->modem);
    m->pool = keep(h, m->pool);
    m->source = keep(h, m->source);
    m->key = keep(h, m->key);
    m->meta = keep(h, m->meta);
}

/* A reply that cannot be made is told and left out: the message is handled all the same. */
static void add_reply(struct handling *h, const struct gateway_send *given)
{
    struct gateway *g = h->job.g;
    struct gateway_send s = *given;
    struct err e = {0};
    struct composed *c = &h->composed[h->nreplies];
    if (!s.reply_to)
        s.reply_to = h->row.id;
    if ((!s.modem || !*s.modem) && (!s.pool || !*s.pool))
        s.modem = h->row.modem; /* by the SIM that the customer wrote to */
    if (gw_compose(g, &s, h->op.now_wall_ms, &h->replies[h->nreplies], c, &e) < 0) {
        gw_composed_free(c);
        *c = (struct composed){0};
        gw_alarm(g, h->row.id, h->row.modem, "message %lld: its reply cannot be sent: %s",
                 (long long)h->row.id, e.text);
        return;
    }
    if (s.automatic)
        h->op.guard_number = h->row.peer;
    keep_reply(h, &h->replies[h->nreplies++]);
}

static void on_handled(struct store_op *op, int status)
{
    struct handling *h = container_of(op, struct handling, op.op);
    struct gateway *g = h->job.g;
    if (gw_store_may_recover(status)) {
        h->waits = true;
        gw_store_failed(g, status, &op->err);
        return;
    }
    if (status == 0) {
        gw_store_works(g);
        log_info(WHO, "handled message=%lld from=%s replies=%d reason=%s", (long long)h->row.id,
                 log_number(h->row.peer), h->nreplies, h->op.reason);
        gw_emit(g, &(struct gateway_event){.kind = EV_HANDLED,
                                           .message = h->row.id,
                                           .state = MSG_HANDLED,
                                           .parts = h->row.parts,
                                           .peer = h->row.peer,
                                           .modem = h->row.modem,
                                           .reason = h->op.reason});
        if (h->alarm)
            gw_alarm(g, h->row.id, h->row.modem, "%s", h->alarm);
        gw_index_new(g, h->replies, h->nreplies);
        gw_tell_new(g, h->replies, h->nreplies);
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
    h->op.op = (struct store_op){.done = on_handled};
    store_handle(h->job.g->store, &h->op);
}

static void decide(struct handling *h, const struct gateway_verdict *v)
{
    int n = v->nreplies > 0 ? v->nreplies : 0;
    h->decided = true;
    h->replies = gw_alloc((size_t)n * sizeof(*h->replies));
    h->composed = gw_alloc((size_t)n * sizeof(*h->composed));
    h->op = (struct store_handle){.message = h->row.id,
                                  .reason = keep(h, v->reason ? v->reason : ""),
                                  .consent_number = keep(h, v->consent_number),
                                  .consent = v->consent,
                                  .consent_words = keep(h, v->consent_words),
                                  .now_wall_ms = rt_wall_ms(h->job.g->rt)};
    h->alarm = keep(h, v->alarm);
    for (int i = 0; i < n; i++)
        add_reply(h, &v->replies[i]);
    h->op.replies = h->replies;
    h->op.nreplies = h->nreplies;
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
