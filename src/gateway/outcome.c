/* What follows from a carrier's answer: the part's new state, when and by which SIM it is tried again, and
 * what the rest of the gateway is told once that is durable. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum {
    QUARANTINE_AFTER = 3, /* refusals of the SIM in a row, of different recipients */
    QUARANTINE_MS = 10 * 60 * 1000,
};

_Static_assert(sizeof(((struct queue_entry *)0)->fails) == RETRY_CLASSES, "a count for each class");
_Static_assert(sizeof(struct queue_entry) <= 160, "a million messages are to be ordinary");

/* ---- deciding ---- */

/* Another SIM could carry the message as a whole. */
static bool may_change_sim(const struct pipe *p, const struct queue_entry *e)
{
    const struct gateway *g = p->g;
    if (e->touched || *e->imsi || (*e->modem && !e->prefer_until_ms))
        return false;
    for (int i = 0; i < g->npipes; i++) {
        const struct pipe *other = g->pipes[i];
        if (other != p && other->c->state == CARRIER_READY && !other->paused_until_ms &&
            gw_pool_fits(g, e->pool, other))
            return true;
    }
    return false;
}

/* A SIM that three recipients in a row cannot be reached by is the trouble itself, not they. */
static void count_sim_error(struct pipe *p, const struct queue_entry *e, const char *text)
{
    if (strcmp(p->last_refused, e->peer) == 0)
        return;
    str_copy(p->last_refused, sizeof(p->last_refused), e->peer);
    if (++p->sim_errors < QUARANTINE_AFTER)
        return;
    p->sim_errors = 0;
    p->last_refused[0] = '\0';
    p->paused_until_ms = rt_now_ms(p->g->rt) + QUARANTINE_MS;
    p->g->routes_stale = true;
    gw_alarm(p->g, 0, p->name, "modem %s: its SIM refused %d messages in a row, paused for %d min: %s",
             p->name, QUARANTINE_AFTER, QUARANTINE_MS / 60000, text);
}

static void try_again(struct pipe *p, struct queue_entry *e, const struct retry_answer *a)
{
    e->due_ms = rt_now_ms(p->g->rt) + a->delay_ms;
    if (!a->other_sim)
        return;
    e->avoid = p->imsi;
    e->prefer_until_ms = 0;
    e->modem = "";
}

static int tries_of(const struct queue_entry *e)
{
    int n = 1;
    for (int i = 0; i < RETRY_CLASSES; i++)
        n += e->fails[i];
    return n;
}

/* TP-FCS of a service centre that takes no validity period, or not in this form: TS 23.040 9.2.3.22. */
enum { VPF_NOT_SUPPORTED = 198, VP_NOT_SUPPORTED = 199 };

/* The same again without it, once. */
static bool try_without_validity(struct pipe *p, struct queue_entry *e, const struct carrier_outcome *o,
                                 struct store_outcome *out, char reason[MSG_REASON_BYTES])
{
    bool refused = o->code == VPF_NOT_SUPPORTED || o->code == VP_NOT_SUPPORTED;
    if (o->result != CARRIER_FAILED || !refused || e->no_validity)
        return false;
    e->no_validity = 1;
    e->due_ms = rt_now_ms(p->g->rt);
    out->state = MSG_QUEUED;
    out->without_validity = true;
    snprintf(reason, MSG_REASON_BYTES, "%.100s: again without it", o->text);
    return true;
}

static void decide_refused(struct pipe *p, struct queue_entry *e, const struct carrier_outcome *o,
                           struct store_outcome *out, char reason[MSG_REASON_BYTES])
{
    bool never_left = o->result == CARRIER_NOT_SUBMITTED;
    if (try_without_validity(p, e, o, out, reason))
        return;
    if (o->error == CARRIER_E_SIM)
        count_sim_error(p, e, o->text);
    if (never_left && (!p->c || p->c->state != CARRIER_READY)) {
        out->state = MSG_QUEUED; /* goes on when a carrier is there */
        return;
    }
    enum carrier_error error = never_left && o->error == CARRIER_E_NONE ? CARRIER_E_BUSY : o->error;
    struct retry_answer a = retry_decide(error, e->fails, may_change_sim(p, e));
    switch (a.action) {
    case RETRY_LATER:
        out->state = MSG_QUEUED;
        try_again(p, e, &a);
        break;
    case RETRY_IS_SENT:
        out->state = MSG_SENT;
        break;
    case RETRY_FAIL:
        out->state = MSG_FAILED;
        if (tries_of(e) > 1)
            snprintf(reason, MSG_REASON_BYTES, "after %d tries: %.120s", tries_of(e), o->text);
        break;
    }
}

void gw_outcome_decide(struct pipe *p, struct queue_entry *e, int seq, const struct carrier_outcome *o,
                       struct store_outcome *out, char reason[MSG_REASON_BYTES])
{
    struct gateway *g = p->g;
    *out = (struct store_outcome){.mr = -1};
    str_copy(reason, MSG_REASON_BYTES, o->text);
    switch (o->result) {
    case CARRIER_SENT:
        out->state = MSG_SENT;
        out->mr = o->mr;
        break;
    case CARRIER_UNKNOWN:
        out->state = MSG_UNKNOWN;
        p->unknown_message = e->id;
        p->unknown_seq = seq;
        break;
    case CARRIER_FAILED:
    case CARRIER_NOT_SUBMITTED:
        decide_refused(p, e, o, out, reason);
        break;
    }
    if (out->state == MSG_SENT) {
        p->sim_errors = 0;
        p->last_refused[0] = '\0';
    } else if (out->state != MSG_UNKNOWN) {
        limits_give_back(&p->limits);
    }
    if (out->state == MSG_SENT || out->state == MSG_UNKNOWN) {
        e->touched = 1;
        if (e->parts > 1)
            e->imsi = p->imsi;
    }
    if (out->state == MSG_QUEUED)
        out->due_wall_ms = gw_to_wall(g, e->due_ms);
}

/* ---- telling ---- */

static void log_outcome(const struct queue_entry *e, const struct store_outcome *o)
{
    log_info(WHO, "%s message=%lld to=%s modem=%s part=%d/%d%s%s", msg_state_name(o->state), (long long)e->id,
             log_number(e->peer), o->modem, o->seq, e->parts, *o->reason ? " reason=" : "", o->reason);
}

static void tell(struct gateway *g, const struct queue_entry *e, const struct store_outcome *o,
                 enum gateway_event_kind kind, enum msg_state state)
{
    gw_emit(g, &(struct gateway_event){.kind = kind,
                                       .message = e->id,
                                       .state = state,
                                       .part = o->seq,
                                       .parts = e->parts,
                                       .peer = e->peer,
                                       .modem = o->modem,
                                       .reason = *o->reason ? o->reason : NULL});
}

static void stored_sent(struct gateway *g, struct queue_entry *e, const struct store_outcome *o)
{
    enum msg_state s = o->message_state;
    bool all = s == MSG_SENT || s == MSG_DELIVERED || s == MSG_UNDELIVERED;
    if (!all) {
        tell(g, e, o, EV_PROGRESS, s);
        return;
    }
    g->stats.sent++;
    tell(g, e, o, EV_SENT, MSG_SENT);
    if (s != MSG_SENT) /* its report was there before */
        tell(g, e, o, EV_REPORT, s);
    gw_emit_outbox(g);
}

void gw_outcome_stored(struct gateway *g, struct queue_entry *e, const struct store_outcome *o)
{
    if (o->withdrawn)
        return;
    log_outcome(e, o);
    switch (o->state) {
    case MSG_SENT:
        stored_sent(g, e, o);
        return;
    case MSG_UNKNOWN:
        e->unknown++;
        gw_unknown_add(g, e->id, o->seq, rt_now_ms(g->rt) + g->conf->unknown_wait_ms);
        break;
    case MSG_FAILED:
    case MSG_EXPIRED:
        e->dead = 1;
        g->stats.failed++;
        break;
    default:
        break;
    }
    tell(g, e, o, EV_OUTCOME, o->message_state);
    if (e->dead)
        gw_emit_outbox(g);
}

/* ---- expiry ---- */

struct expiry {
    struct job job;
    struct store_move op;
    char reason[MSG_REASON_BYTES];
};

static void expiry_drop(struct job *j)
{
    free(container_of(j, struct expiry, job));
}

static void on_expired(struct store_op *op, int status)
{
    struct expiry *x = container_of(op, struct expiry, op.op);
    struct gateway *g = x->job.g;
    struct queue_entry *e = queue_find(&g->q, x->op.message);
    if (e) {
        e->moving = 0;
        if (gw_store_may_recover(status)) {
            gw_store_failed(g, status, &op->err);
            e->due_ms = g->store_retry_ms; /* not before: then it is found expired again */
            e->expires_ms = g->store_retry_ms;
        } else {
            e->dead = 1;
        }
        if (status == 0) {
            g->stats.failed++;
            log_info(WHO, "expired message=%lld to=%s", (long long)e->id, log_number(e->peer));
            gw_emit(g, &(struct gateway_event){.kind = EV_OUTCOME,
                                               .message = e->id,
                                               .state = MSG_EXPIRED,
                                               .parts = e->parts,
                                               .peer = e->peer,
                                               .reason = x->reason});
            gw_emit_outbox(g);
        }
        gw_entry_rest(g, e);
        gw_arm(g);
    }
    gw_job_end(&x->job);
}

void gw_expire(struct gateway *g, struct queue_entry *e)
{
    struct expiry *x = gw_alloc(sizeof(*x));
    gw_job_add(g, &x->job, expiry_drop);
    e->moving = 1;
    char why[MSG_REASON_BYTES];
    gw_hold_reason(g, e, why);
    snprintf(x->reason, sizeof(x->reason), "not sent within its validity%s%.100s", *why ? ": " : "", why);
    x->op = (struct store_move){.op.done = on_expired,
                                .message = e->id,
                                .state = MSG_EXPIRED,
                                .reason = x->reason,
                                .now_wall_ms = rt_wall_ms(g->rt)};
    store_move(g->store, &x->op);
}
