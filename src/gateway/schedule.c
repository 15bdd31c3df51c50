/* The pipeline of each carrier: parts are intended (committed as SUBMITTING) ahead while another is on the
 * air, so that durability costs no airtime.
 *
 *   INTENDING --commit--> READY --carrier--> ON_AIR --outcome--> SETTLING --commit--> ended
 *        |                  |                   |
 *        +--- withdrawn ----+---> SETTLING      +-- refused: CONCLUDING until the parts behind are withdrawn
 *
 * A pipe works on one message at a time (`current`), all its parts in order. A message with anything under
 * way (entry.slots) is out of the queue; gw_entry_rest() decides where it goes when the last has ended. What
 * the store cannot take for want of room waits in `unsettled` and is given to it again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum slot_state { SLOT_INTENDING, SLOT_READY, SLOT_ON_AIR, SLOT_CONCLUDING, SLOT_SETTLING };

/* One part under way. */
struct slot {
    struct job job;
    struct slot *next; /* in the pipe's line, or unsettled */
    struct pipe *pipe;
    struct queue_entry *e;
    enum slot_state state;
    uint8_t seq;
    bool withdraw; /* not to be submitted any more */
    struct store_intend intend;
    struct store_outcome outcome;
    struct carrier_submit submit;
    char reason[MSG_REASON_BYTES];
};

enum {
    CALM_PARTS = 1024, /* so many in a row without waiting for a commit: the line may be shorter */
    BUSY_AGAIN_MS = 200,
};

static void pipe_submit(struct pipe *p);
static void pipe_fill(struct pipe *p, int target);

static void slot_drop(struct job *j)
{
    free(container_of(j, struct slot, job));
}

/* ---- the line ---- */

static void line_add(struct pipe *p, struct slot *s)
{
    s->next = NULL;
    *(p->tail ? &p->tail->next : &p->head) = s;
    p->tail = s;
    p->ahead++;
}

static void line_remove(struct pipe *p, struct slot *s)
{
    struct slot *prev = NULL;
    for (struct slot *at = p->head; at != s; at = at->next)
        prev = at;
    *(prev ? &prev->next : &p->head) = s->next;
    if (p->tail == s)
        p->tail = prev;
    s->next = NULL;
    p->ahead--;
}

/* ---- ends ---- */

void gw_check_drained(struct gateway *g)
{
    if (!g->draining || !g->drained)
        return;
    for (int i = 0; i < g->npipes; i++)
        if (g->pipes[i]->slots > 0)
            return;
    void (*drained)(void *owner) = g->drained;
    g->drained = NULL;
    drained(g->drained_owner);
}

void gw_entry_rest(struct gateway *g, struct queue_entry *e)
{
    if (e->slots > 0 || e->moving)
        return;
    if (e->cancel) {
        gw_cancel_ready(g, e);
        return;
    }
    for (int i = 0; i < g->npipes; i++) {
        struct pipe *p = g->pipes[i];
        if (p->current != e)
            continue;
        if (!e->dead && !e->unknown && e->next_seq <= e->parts)
            return; /* its next part follows at once */
        p->current = NULL;
    }
    if (e->dead || (e->next_seq > e->parts && !e->unknown))
        queue_free(&g->q, e);
    else if (!e->unknown && !queue_is_put(e))
        queue_put(&g->q, e, rt_now_ms(g->rt));
}

static void slot_end(struct slot *s)
{
    struct pipe *p = s->pipe;
    struct gateway *g = p->g;
    struct queue_entry *e = s->e;
    p->slots--;
    e->slots--;
    gw_job_end(&s->job);
    gw_entry_rest(g, e);
    gw_pipe_ended(p);
    gw_check_drained(g);
}

bool gw_pipe_on_air(const struct pipe *p, const struct queue_entry *e)
{
    return p->on_air && p->on_air->e == e;
}

/* ---- settling ---- */

static void on_settled(struct store_op *op, int status)
{
    struct slot *s = container_of(op, struct slot, outcome.op);
    struct pipe *p = s->pipe;
    struct gateway *g = p->g;
    if (gw_store_may_recover(status)) {
        gw_store_failed(g, status, &op->err);
        s->next = g->unsettled;
        g->unsettled = s;
        return;
    }
    if (status == 0) {
        gw_store_works(g);
        gw_outcome_stored(g, s->e, &s->outcome);
    } else if (status != ERR_CANCELLED && !s->outcome.withdrawn) {
        log_err(WHO, "message %lld part %d: its outcome (%s) was not stored: %s", (long long)s->e->id, s->seq,
                msg_state_name(s->outcome.state), op->err.text);
        s->e->dead = 1; /* the next start reads what the store holds */
    }
    bool sent = s->outcome.state == MSG_SENT, attached = p->c != NULL;
    slot_end(s); /* a detached pipe may end with it */
    if (sent && attached && p->slots > 0)
        pipe_fill(p, PIPE_SLOTS_MAX);
    else
        gw_kick(g); /* also when it has run dry: what still waits is then told why */
}

static void slot_settle(struct slot *s)
{
    struct store_outcome *o = &s->outcome;
    s->state = SLOT_SETTLING;
    o->op = (struct store_op){.done = on_settled};
    o->message = s->e->id;
    o->seq = s->seq;
    o->modem = s->pipe->name;
    o->imsi = s->pipe->imsi;
    o->reason = s->reason;
    o->now_wall_ms = rt_wall_ms(s->pipe->g->rt);
    store_outcome(s->pipe->g->store, o);
}

void gw_resettle(struct gateway *g)
{
    struct slot *s = g->unsettled;
    g->unsettled = NULL;
    while (s) {
        struct slot *next = s->next;
        s->next = NULL;
        slot_settle(s);
        s = next;
    }
}

static void slot_withdraw(struct slot *s)
{
    struct pipe *p = s->pipe;
    line_remove(p, s);
    limits_give_back(&p->limits);
    if (s->seq < s->e->next_seq)
        s->e->next_seq = s->seq;
    s->outcome = (struct store_outcome){
        .state = MSG_QUEUED, .mr = -1, .withdrawn = true, .due_wall_ms = gw_to_wall(p->g, s->e->due_ms)};
    slot_settle(s);
}

/* Settles the refused part once nothing behind it is on its way to being intended: the store then sees the
 * withdrawals first and its outcome last. */
static void conclude(struct pipe *p)
{
    struct slot *s = p->concluding;
    if (!s)
        return;
    for (struct slot *at = p->head; at; at = at->next)
        if (at->e == s->e)
            return;
    p->concluding = NULL;
    slot_settle(s);
}

void gw_pipe_withdraw(struct pipe *p, const struct queue_entry *only)
{
    for (struct slot *s = p->head, *next; s; s = next) {
        next = s->next;
        if (only && s->e != only)
            continue;
        s->withdraw = true;
        if (s->state == SLOT_READY)
            slot_withdraw(s);
    }
    struct queue_entry *e = p->current;
    if (e && (!only || e == only)) {
        p->current = NULL;
        gw_entry_rest(p->g, e);
    }
}

/* ---- intending ---- */

static void intend_failed(struct slot *s, int status, const struct err *why)
{
    struct pipe *p = s->pipe;
    struct queue_entry *e = s->e;
    line_remove(p, s);
    limits_give_back(&p->limits);
    if (s->seq < e->next_seq)
        e->next_seq = s->seq;
    if (gw_store_may_recover(status))
        gw_store_failed(p->g, status, why);
    else if (status != ERR_CANCELLED) {
        log_err(WHO, "message %lld part %d cannot be intended: %s", (long long)e->id, s->seq, why->text);
        e->dead = 1;
    }
    if (p->current == e)
        p->current = NULL;
    slot_end(s);
}

/* The store has cancelled the message. */
static void opted_out(struct slot *s)
{
    struct gateway *g = s->pipe->g;
    struct queue_entry *e = s->e;
    e->dead = 1;
    if (s->pipe->current == e)
        s->pipe->current = NULL;
    log_info(WHO, "cancelled message=%lld to=%s reason=the recipient has opted out", (long long)e->id,
             log_number(e->peer));
    gw_emit(g, &(struct gateway_event){.kind = EV_OUTCOME,
                                       .message = e->id,
                                       .state = MSG_CANCELLED,
                                       .parts = e->parts,
                                       .peer = e->peer,
                                       .reason = "the recipient has opted out (STOP)"});
    gw_emit_outbox(g);
}

/* Its recipient has opted out of the SIM that stands in, and not of its own: it waits for that, whole. */
static void only_by_its_own(struct slot *s)
{
    struct gateway *g = s->pipe->g;
    struct queue_entry *e = s->e;
    e->modem = queue_name(&g->q, s->intend.own_modem);
    e->prefer_until_ms = 0;
    e->imsi = ""; /* also when the other one had begun with it */
    e->touched = 0;
    e->next_seq = s->seq;
    gw_pipe_withdraw(s->pipe, e);
}

static void on_intended(struct store_op *op, int status)
{
    struct slot *s = container_of(op, struct slot, intend.op);
    struct pipe *p = s->pipe;
    struct gateway *g = p->g;
    bool given_back = false;
    p->slots++; /* keeps the pipe until the end of this function */
    s->state = SLOT_READY;
    if (status < 0) {
        intend_failed(s, status, &op->err);
    } else if (s->intend.skipped) { /* the part is not queued any more */
        line_remove(p, s);
        limits_give_back(&p->limits);
        if (s->intend.opted_out)
            opted_out(s);
        given_back = *s->intend.own_modem != '\0';
        if (given_back)
            only_by_its_own(s);
        slot_end(s);
    } else if (s->withdraw) {
        slot_withdraw(s);
    }
    if (status == 0)
        gw_store_works(g);
    conclude(p);
    pipe_submit(p);
    pipe_fill(p, PIPE_SLOTS_MAX);
    p->slots--;
    gw_pipe_ended(p);
    if (given_back)
        gw_kick(g); /* its own may have nothing else that would wake it */
    gw_check_drained(g);
}

static void slot_start(struct pipe *p, struct queue_entry *e)
{
    struct slot *s = gw_alloc(sizeof(*s));
    gw_job_add(p->g, &s->job, slot_drop);
    s->pipe = p;
    s->e = e;
    s->seq = e->next_seq++;
    e->slots++;
    p->slots++;
    limits_count(&p->limits, rt_now_ms(p->g->rt));
    line_add(p, s);
    s->intend = (struct store_intend){.op.done = on_intended,
                                      .message = e->id,
                                      .seq = s->seq,
                                      .modem = p->name,
                                      .imsi = p->imsi,
                                      .now_wall_ms = rt_wall_ms(p->g->rt)};
    if (e->next_seq > e->parts)
        p->current = NULL;
    store_intend(p->g->store, &s->intend);
}

/* ---- on the air ---- */

/* The line grows when the carrier waited for a commit, and shrinks after calm. */
static void adapt_depth(struct pipe *p)
{
    if (p->head && p->head->state == SLOT_INTENDING) {
        p->depth = 2 * p->depth < DEPTH_MAX ? 2 * p->depth : DEPTH_MAX;
        p->calm = 0;
    } else if (++p->calm >= CALM_PARTS) {
        p->depth = p->depth > 1 ? p->depth / 2 : 1;
        p->calm = 0;
    }
}

static void on_leaving(struct carrier_submit *cs)
{
    const struct slot *s = container_of(cs, struct slot, submit);

    store_air_mark(s->pipe->g->store, s->e->id, s->seq);
}

static void on_submitted(struct carrier_submit *cs, const struct carrier_outcome *o)
{
    struct slot *s = container_of(cs, struct slot, submit);
    struct pipe *p = s->pipe;
    struct queue_entry *e = s->e;
    p->on_air = NULL;
    adapt_depth(p);
    gw_outcome_decide(p, e, s->seq, o, &s->outcome, s->reason);
    s->state = SLOT_CONCLUDING;
    if (s->outcome.state == MSG_SENT) {
        pipe_submit(p); /* first of all: the line must not wait */
        slot_settle(s);
    } else {
        if (s->seq < e->next_seq && s->outcome.state == MSG_QUEUED)
            e->next_seq = s->seq;
        p->concluding = s;
        gw_pipe_withdraw(p, p->paused_until_ms ? NULL : e);
        conclude(p);
        pipe_submit(p);
    }
    pipe_fill(p, PIPE_SLOTS_MAX);
}

/* Its time ran out while it waited in the line. */
static void slot_expire(struct slot *s)
{
    struct pipe *p = s->pipe;
    line_remove(p, s);
    limits_give_back(&p->limits);
    s->outcome = (struct store_outcome){.state = MSG_EXPIRED, .mr = -1};
    str_copy(s->reason, sizeof(s->reason), "not sent within its validity");
    p->concluding = s;
    s->state = SLOT_CONCLUDING;
    gw_pipe_withdraw(p, s->e);
    conclude(p);
}

/* The carrier takes nothing now although it seemed ready. */
static void pipe_rest(struct pipe *p)
{
    p->rest_until_ms = rt_now_ms(p->g->rt) + BUSY_AGAIN_MS;
    gw_pipe_withdraw(p, NULL);
    p->wake_ms = p->rest_until_ms;
    gw_arm(p->g);
}

static void pipe_submit(struct pipe *p)
{
    struct slot *s;
    while ((s = p->head) && s->state == SLOT_READY && !p->on_air && !p->concluding && p->c) {
        struct gateway *g = p->g;
        if (s->e->expires_ms <= rt_now_ms(g->rt)) {
            slot_expire(s);
            continue;
        }
        s->submit = (struct carrier_submit){.pdu = s->intend.pdu,
                                            .len = s->intend.len,
                                            .tpdu_len = s->intend.tpdu_len,
                                            .more = s->next || s->seq < s->e->parts,
                                            .leaving = on_leaving,
                                            .done = on_submitted};
        if (p->c->ops->submit(p->c, &s->submit) < 0) {
            pipe_rest(p);
            return;
        }
        line_remove(p, s);
        s->state = SLOT_ON_AIR;
        p->on_air = s;
        gw_emit(g, &(struct gateway_event){.kind = EV_SUBMITTING,
                                           .message = s->e->id,
                                           .state = MSG_SUBMITTING,
                                           .part = s->seq,
                                           .parts = s->e->parts,
                                           .peer = s->e->peer,
                                           .modem = p->name});
    }
}

/* ---- filling ---- */

struct queue_entry *gw_pipe_next(const struct pipe *p)
{
    struct queue_entry *e = queue_next(p->routes, p->nown);
    return e ? e : queue_next(p->routes, p->nroutes);
}

/* What p should take next. What it leaves to others keeps it from nothing else. */
static struct queue_entry *pipe_choose(struct pipe *p, int64_t now_ms)
{
    struct gateway *g = p->g;
    struct queue_entry *e;
    bool any = false;
    for (;;) {
        e = gw_pipe_next(p);
        if (e && gw_quiet_defers(g, e, now_ms))
            continue;
        if (!e || !gw_pipe_open(p, queue_parts_left(e), now_ms)) {
            e = NULL;
            break;
        }
        if (e->cheapest ? gw_cost_takes(p, e, now_ms) : gw_share_takes(p, e, now_ms))
            break;
        queue_route_of(&g->q, e)->passed_over = any = true;
    }
    for (int i = 0; any && i < p->nroutes; i++)
        p->routes[i]->passed_over = false;
    return e;
}

static struct queue_entry *pipe_take(struct pipe *p, int64_t now_ms)
{
    struct gateway *g = p->g;
    if (p->current) {
        struct queue_entry *e = p->current;
        if (gw_pipe_open(p, 1, now_ms))
            return e;
        p->current = NULL;
        gw_entry_rest(g, e);
        return NULL;
    }
    gw_routes_refresh(g);
    struct queue_entry *e = pipe_choose(p, now_ms);
    if (!e)
        return NULL;
    queue_serve(&g->q, e);
    p->current = e;
    return e;
}

/* Intends until `target` parts are under way, or as many ahead as the pipe's depth says. */
static void pipe_fill(struct pipe *p, int target)
{
    struct gateway *g = p->g;
    int64_t now = rt_now_ms(g->rt);
    while (!g->draining && !g->stalled && p->c && !p->concluding && p->slots < target &&
           p->ahead < p->depth + !p->on_air) {
        struct queue_entry *e = pipe_take(p, now);
        if (!e)
            break;
        slot_start(p, e);
    }
    if (p->wake_ms != RT_NEVER || p->look_ms != RT_NEVER)
        gw_arm(g);
}

void gw_kick(struct gateway *g)
{
    int64_t now = rt_now_ms(g->rt);
    gw_failover_look(g, now);
    for (int i = 0; i < g->npipes; i++)
        gw_pipe_wake(g->pipes[i], now);
    /* Idle carriers take a message each before the others take one ahead; in turns. */
    g->turn = g->npipes ? (g->turn + 1) % g->npipes : 0;
    for (int i = 0; i < g->npipes; i++)
        pipe_fill(g->pipes[(g->turn + i) % g->npipes], 1);
    for (int i = 0; i < g->npipes; i++)
        pipe_fill(g->pipes[(g->turn + i) % g->npipes], PIPE_SLOTS_MAX);
    gw_hold_look(g, now);
    gw_arm(g);
}
