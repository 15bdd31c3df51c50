/* Why ready messages do not go: told to the store (history, `simgate messages`) when it lasts, not for each
 * short wait, and only for those that would go next: the others wait behind them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum {
    TELL_AFTER_MS = 5000,
    LOOK_AGAIN_MS = 30000,
    TOLD_PER_ROUTE = 256,
};

struct telling {
    struct job job;
    struct store_move op;
    char reason[MSG_REASON_BYTES];
};

static void telling_drop(struct job *j)
{
    free(container_of(j, struct telling, job));
}

static void on_told(struct store_op *op, int status)
{
    struct telling *t = container_of(op, struct telling, op.op);
    if (gw_store_may_recover(status))
        gw_store_failed(t->job.g, status, &op->err);
    gw_job_end(&t->job);
}

/* Of the message that goes next: a day's limit may have room for one part and not for its three. */
static int parts_next(const struct queue_route *r)
{
    struct queue_entry *e;
    return queue_heads(r, &e, 1) ? queue_parts_left(e) : 1;
}

/* True if some carrier can take so many parts of the route; otherwise the reason in `why`. */
static bool route_open(struct gateway *g, const struct queue_route *r, int parts, int64_t now_ms, char *why,
                       size_t size)
{
    size_t n = 0;
    why[0] = '\0';
    for (int i = 0; i < g->npipes; i++) {
        struct pipe *p = g->pipes[i];
        if (!gw_route_fits(g, r, p))
            continue;
        if (p->slots > 0 || gw_pipe_open(p, parts, now_ms))
            return true;
        if (n < size)
            n += (size_t)snprintf(why + n, size - n, "%s%s: %s", n ? "; " : "waits for modem ", p->name,
                                  p->why);
    }
    if (n == 0 && *r->imsi)
        snprintf(why, size, "waits for SIM %s, by which its first part went", r->imsi);
    else if (n == 0)
        snprintf(why, size, "waits for a modem%s%s%s%s: none is there", *r->modem ? " named " : "", r->modem,
                 *r->pool ? " of pool " : "", r->pool);
    return false;
}

void gw_hold_note(struct gateway *g, struct queue_entry *e, const char *text)
{
    struct telling *t = gw_alloc(sizeof(*t));
    gw_job_add(g, &t->job, telling_drop);
    const char *why = strcpy(t->reason, text);
    t->op = (struct store_move){.op.done = on_told,
                                .message = e->id,
                                .state = MSG_QUEUED,
                                .reason = why,
                                .due_wall_ms = gw_to_wall(g, e->due_ms),
                                .now_wall_ms = rt_wall_ms(g->rt)};
    store_move(g->store, &t->op);
    gw_emit(g, &(struct gateway_event){.kind = EV_OUTCOME,
                                       .message = e->id,
                                       .state = MSG_QUEUED,
                                       .parts = e->parts,
                                       .peer = e->peer,
                                       .reason = why});
}

/* FNV-1a; never 0. */
static uint32_t hash_of(const char *text)
{
    uint32_t h = 2166136261u;
    for (const char *p = text; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    return h ? h : 1;
}

void gw_hold_look(struct gateway *g, int64_t now_ms)
{
    char why[MSG_REASON_BYTES];
    for (struct queue_route *r = g->q.routes; r; r = r->next) {
        if (r->count == 0 || g->draining || route_open(g, r, parts_next(r), now_ms, why, sizeof(why))) {
            r->held_since_ms = 0;
            r->told = 0;
            continue;
        }
        if (!r->held_since_ms)
            r->held_since_ms = now_ms;
        /* A first reason soon, a change of it with patience. */
        int64_t at = r->told ? now_ms + LOOK_AGAIN_MS : r->held_since_ms + TELL_AFTER_MS;
        if (r->told != hash_of(why) && at < g->hold_check_ms)
            g->hold_check_ms = at;
    }
}

static void tell_route(struct gateway *g, struct queue_route *r, const char *why)
{
    struct queue_entry *heads[TOLD_PER_ROUTE];
    uint32_t hash = hash_of(why);
    int n = queue_heads(r, heads, TOLD_PER_ROUTE);
    for (int i = 0; i < n; i++) {
        if (heads[i]->told != hash)
            gw_hold_note(g, heads[i], why);
        heads[i]->told = hash;
    }
    if (r->told != hash)
        log_notice(WHO, "messages=%d held reason=%s", r->count, why);
    r->told = hash;
}

void gw_hold_reason(struct gateway *g, const struct queue_entry *e, char why[MSG_REASON_BYTES])
{
    if (route_open(g, queue_route_of(&g->q, e), queue_parts_left(e), rt_now_ms(g->rt), why, MSG_REASON_BYTES))
        why[0] = '\0';
}

void gw_hold_tell(struct gateway *g, int64_t now_ms)
{
    if (g->hold_check_ms > now_ms || g->stalled)
        return;
    g->hold_check_ms = RT_NEVER;
    char why[MSG_REASON_BYTES];
    for (struct queue_route *r = g->q.routes; r; r = r->next) {
        if (!r->held_since_ms || r->count == 0)
            continue;
        if (route_open(g, r, parts_next(r), now_ms, why, sizeof(why)))
            continue;
        if (now_ms - r->held_since_ms >= TELL_AFTER_MS)
            tell_route(g, r, why);
        else if (r->held_since_ms + TELL_AFTER_MS < g->hold_check_ms)
            g->hold_check_ms = r->held_since_ms + TELL_AFTER_MS;
    }
}

int gateway_get_holds(struct gateway *g, struct gateway_hold out[], int max)
{
    int64_t now = rt_now_ms(g->rt);
    char why[MSG_REASON_BYTES];
    int n = 0;
    for (const struct queue_route *r = g->q.routes; r; r = r->next) {
        if (r->count == 0 || !r->held_since_ms || now - r->held_since_ms < TELL_AFTER_MS ||
            route_open(g, r, parts_next(r), now, why, sizeof(why)))
            continue;
        if (n < max) {
            out[n] = (struct gateway_hold){.messages = r->count, .since_ms = r->held_since_ms};
            memcpy(out[n].reason, why, sizeof(why));
        }
        n++;
    }
    return n;
}
