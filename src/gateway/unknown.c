/* Parts whose outcome is not known: the PDU was written and no result came, or the process died in between.
 * Never a blind retry: such a part waits for its report or a late result, then the policy acts. Waits are
 * counted from the submission, across restarts. A message is UNKNOWN while any of its parts is, and its other
 * parts wait so long. */
#include <stdlib.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

struct settling {
    struct job job;
    struct store_outcome op;
    int64_t message;
};

/* A report may have come while its part, or another one to the same number, was on the air, and matched
 * nothing then: the stored ones are looked through soon after, and once more before the policy acts. */
enum { LOOK_MS = 1000 };

static struct unknown **find(struct gateway *g, int64_t message, int seq)
{
    struct unknown **at = &g->unknowns;
    while (*at && ((*at)->message != message || (*at)->seq != seq))
        at = &(*at)->next;
    return at;
}

static void wake_at(struct gateway *g, int64_t at_ms)
{
    if (at_ms < g->unknown_wake_ms)
        g->unknown_wake_ms = at_ms;
    gw_arm(g);
}

void gw_unknown_add(struct gateway *g, int64_t message, int seq, int64_t deadline_ms)
{
    struct unknown *u = gw_alloc(sizeof(*u));
    *u = (struct unknown){
        .next = g->unknowns, .message = message, .seq = (uint8_t)seq, .deadline_ms = deadline_ms};
    u->look_ms = rt_now_ms(g->rt) + LOOK_MS;
    g->unknowns = u;
    g->stats.unknown++;
    wake_at(g, deadline_ms < u->look_ms ? deadline_ms : u->look_ms);
}

/* Is another part of its message left to a person? */
static bool held_beside(const struct gateway *g, const struct unknown *u)
{
    for (const struct unknown *o = g->unknowns; o; o = o->next)
        if (o != u && o->held && o->message == u->message)
            return true;
    return false;
}

static void drop(struct gateway *g, struct unknown **at)
{
    struct unknown *u = *at;
    if (u->held && !held_beside(g, u))
        g->stats.undecided--;
    *at = u->next;
    g->stats.unknown--;
    free(u);
}

void gw_unknown_looked(struct gateway *g)
{
    wake_at(g, rt_now_ms(g->rt));
}

bool gw_unknown_settled(struct gateway *g, int64_t message, int seq)
{
    struct unknown **at = find(g, message, seq);
    if (!*at)
        return false;
    drop(g, at);
    struct queue_entry *e = queue_find(&g->q, message);
    if (e && e->unknown > 0)
        e->unknown--;
    return true;
}

void gw_unknown_forget(struct gateway *g, int64_t message)
{
    for (struct unknown **at = &g->unknowns; *at;) {
        if ((*at)->message == message)
            drop(g, at);
        else
            at = &(*at)->next;
    }
    struct queue_entry *e = queue_find(&g->q, message);
    if (e)
        e->unknown = 0;
}

void gw_unknown_free(struct gateway *g)
{
    for (struct unknown *u = g->unknowns, *next; u; u = next) {
        next = u->next;
        free(u);
    }
    g->unknowns = NULL;
}

/* ---- settling by policy or a late result ------------------------------------------------------------------
 */

static void settling_drop(struct job *j)
{
    free(container_of(j, struct settling, job));
}

static void settled(struct gateway *g, const struct store_outcome *o)
{
    struct queue_entry *e = queue_find(&g->q, o->message);
    if (!gw_unknown_settled(g, o->message, o->seq) || !e)
        return;
    if (o->state == MSG_QUEUED) {
        if (o->seq < e->next_seq)
            e->next_seq = (uint8_t)o->seq;
        e->due_ms = rt_now_ms(g->rt);
    }
    gw_outcome_stored(g, e, o);
    if (e->dead)
        gw_unknown_forget(g, o->message);
    gw_entry_rest(g, e);
    gw_kick(g);
}

static void on_settled(struct store_op *op, int status)
{
    struct settling *s = container_of(op, struct settling, op.op);
    struct gateway *g = s->job.g;
    struct unknown *u = *find(g, s->op.message, s->op.seq);
    if (status == 0) {
        settled(g, &s->op);
    } else if (u) {
        u->busy = false;
        if (gw_store_may_recover(status)) {
            gw_store_failed(g, status, &op->err);
            u->deadline_ms = g->store_retry_ms;
        } else {
            u->deadline_ms = RT_NEVER; /* a report or a person was faster */
        }
        wake_at(g, u->deadline_ms);
    }
    gw_job_end(&s->job);
}

static void settle(struct gateway *g, struct unknown *u, struct store_outcome o)
{
    struct settling *s = gw_alloc(sizeof(*s));
    gw_job_add(g, &s->job, settling_drop);
    u->busy = true;
    s->op = o;
    s->op.op.done = on_settled;
    s->op.message = u->message;
    s->op.seq = u->seq;
    s->op.now_wall_ms = rt_wall_ms(g->rt);
    store_outcome(g->store, &s->op);
}

static void hold(struct gateway *g, struct unknown *u)
{
    u->deadline_ms = RT_NEVER;
    if (!u->held && !held_beside(g, u))
        g->stats.undecided++;
    u->held = true;
    gw_alarm(
        g, u->message, NULL,
        "message %lld part %d: it is not known whether it was sent; held until a report comes or somebody "
        "has it sent again (simgate retry)",
        (long long)u->message, u->seq);
}

static void act(struct gateway *g, struct unknown *u)
{
    switch (g->conf->on_unknown) {
    case ON_UNKNOWN_HOLD:
        hold(g, u);
        break;
    case ON_UNKNOWN_RESEND:
        settle(g, u,
               (struct store_outcome){.state = MSG_QUEUED,
                                      .mr = -1,
                                      .modem = "",
                                      .imsi = "",
                                      .reason = "outcome unknown: sent again, possibly twice",
                                      .due_wall_ms = rt_wall_ms(g->rt),
                                      .possible_duplicate = true});
        break;
    case ON_UNKNOWN_FAIL:
        settle(g, u,
               (struct store_outcome){.state = MSG_FAILED,
                                      .mr = -1,
                                      .modem = "",
                                      .imsi = "",
                                      .reason = "outcome unknown: it may have been sent"});
        break;
    }
}

static int64_t due_ms(const struct unknown *u)
{
    int64_t at_ms = u->deadline_ms < u->look_ms ? u->deadline_ms : u->look_ms;

    return u->busy ? RT_NEVER : at_ms;
}

/* True when the stored reports are to be looked through for u. */
static bool look_or_act(struct gateway *g, struct unknown *u, int64_t now_ms)
{
    bool over = u->deadline_ms <= now_ms;

    if (over && u->last) {
        act(g, u);
        return false;
    }
    u->look_ms = RT_NEVER;
    u->last = over;
    return true;
}

void gw_unknown_tick(struct gateway *g, int64_t now_ms)
{
    bool look = false;

    if (g->unknown_wake_ms > now_ms || g->stalled)
        return;
    g->unknown_wake_ms = RT_NEVER;
    if (g->looking) /* gw_unknown_looked() comes */
        return;
    for (struct unknown *u = g->unknowns; u; u = u->next)
        if (due_ms(u) <= now_ms)
            look |= look_or_act(g, u, now_ms);
    if (look) {
        gw_reports_again(g);
        return;
    }
    for (struct unknown *u = g->unknowns; u; u = u->next)
        if (due_ms(u) < g->unknown_wake_ms)
            g->unknown_wake_ms = due_ms(u);
}

void gw_unknown_late(struct pipe *p, int mr)
{
    struct gateway *g = p->g;
    struct unknown *u = *find(g, p->unknown_message, p->unknown_seq);
    if (!u || u->busy)
        return;
    settle(g, u,
           (struct store_outcome){.state = MSG_SENT,
                                  .mr = mr,
                                  .modem = p->name,
                                  .imsi = p->imsi,
                                  .reason = "its result came late"});
}
