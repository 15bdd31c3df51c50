/* Which way a message goes: what its giver says, the SIM of its department, the SIM that the customer wrote
 * to, then the first route that is for it. And what the queue asks again before a message leaves: who stands
 * in for a pool of which nothing can carry, whether a cheaper carrier could take it, whether the recipient's
 * clock allows it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum {
    FAILOVER_MS = 60 * 1000, /* a modem that only restarts is waited for */
    LOOK_AGAIN_MS = 1000,
    MICROS = 1000000,
};

/* For each pool that others stand in for: since when nothing of it can carry. */
struct pool_watch {
    const char *pool;      /* interned */
    int64_t down_since_ms; /* 0: something can */
    bool down;             /* for long enough */
};

static bool said(const char *text)
{
    return text && *text;
}

__attribute__((format(printf, 2, 3))) static void explain(struct buf *why, const char *fmt, ...)
{
    char line[256];
    va_list ap;
    if (!why)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    buf_adds(why, line);
    buf_addc(why, '\n');
}

/* ---- the way --------------------------------------------------------------------------------------------
 */

static void by_modem(struct gateway *g, struct way *w, const char *modem, const char *pool, bool wish)
{
    const struct pipe *p = gw_pipe_by_name(g, modem);
    w->modem = queue_name(&g->q, modem);
    w->pool = said(pool) ? queue_name(&g->q, pool) : p ? p->pool : "";
    w->wish = wish;
}

static bool by_giver(struct gateway *g, const struct gateway_send *s, struct way *w, struct buf *why)
{
    if (said(s->modem)) {
        by_modem(g, w, s->modem, s->pool, false);
        explain(why, "modem %s: asked for", s->modem);
        return true;
    }
    if (said(s->pool)) {
        w->pool = queue_name(&g->q, s->pool);
        explain(why, "pool %s: asked for", s->pool);
        return true;
    }
    return false;
}

/* A department answers from its SIM. */
static bool by_department(struct gateway *g, const struct gateway_send *s, struct way *w, struct buf *why)
{
    const struct policy_department *d =
        said(s->department) ? policy_department(g->policy, s->department) : NULL;
    if (!d || (!*d->modem && !*d->pool))
        return false;
    if (*d->modem)
        by_modem(g, w, d->modem, d->pool, *d->pool != '\0');
    else
        w->pool = queue_name(&g->q, d->pool);
    explain(why, "%s %s: department %s answers from it", *d->modem ? "modem" : "pool",
            *d->modem ? d->modem : d->pool, d->name);
    return true;
}

static void by_route(struct gateway *g, int index, struct way *w)
{
    const struct route_conf *r = policy_route_at(g->policy, index);
    const char *standby = r->failover && r->failover[0] ? r->failover[0] : "";
    w->route = index;
    if (*r->modem)
        by_modem(g, w, r->modem, standby, *standby != '\0');
    else
        w->pool = queue_name(&g->q, r->pool);
    w->cheapest = r->prefer == ROUTE_CHEAPEST;
}

static bool by_routes(struct gateway *g, const struct gateway_send *s, const char *to, struct way *w,
                      struct buf *why)
{
    const char *source = s->source ? s->source : "", *department = s->department ? s->department : "";
    for (int i = 0; policy_route_at(g->policy, i); i++) {
        const struct route_conf *r = policy_route_at(g->policy, i);
        const char *unfit = policy_route_unfit(g->policy, i, to, source, department);
        char quota[96];
        if (!unfit && !gw_quota_allows(g, i, w->parts, quota))
            unfit = quota;
        explain(why, "route %s: %s", r->name, unfit ? unfit : "taken");
        if (unfit)
            continue;
        by_route(g, i, w);
        return true;
    }
    return false;
}

/* Could it be asked to carry this? */
static bool candidate(const struct gateway *g, const struct way *w, const struct pipe *p)
{
    if (*w->modem && !w->wish)
        return strcmp(p->name, w->modem) == 0;
    return (*w->modem && strcmp(p->name, w->modem) == 0) || gw_pool_fits(g, w->pool, p) ||
           gw_stands_in(g, w->pool, p);
}

/* Of a part: by the modem that it is bound to or wishes for, else by the cheapest where that is asked for,
 * else by the dearest that may take it. */
static int64_t cost_of(const struct gateway *g, const struct way *w, const char *to)
{
    int64_t cost = -1;
    if (!policy_has_costs(g->policy))
        return 0;
    for (int i = 0; i < g->npipes; i++) {
        const struct pipe *p = g->pipes[i];
        bool its = *w->modem && strcmp(p->name, w->modem) == 0;
        int64_t one = policy_cost(g->policy, to, p->name, p->pool);
        if (its)
            return one;
        if (!candidate(g, w, p))
            continue;
        if (cost < 0 || (w->cheapest ? one < cost : one > cost))
            cost = one;
    }
    return cost < 0 ? policy_cost(g->policy, to, w->modem, w->pool) : cost;
}

int gw_way_find(struct gateway *g, const struct gateway_send *s, const char *to, int parts, struct way *out,
                struct buf *why, struct err *e)
{
    bool wish = (s->reply_to || s->prefer) && said(s->modem);
    char words[96];
    *out = (struct way){.route = -1, .modem = "", .pool = "", .parts = parts};
    if (policy_premium(g->policy, to, words))
        return err_set(e, ERR_REFUSED, "to: %s is %s; premium = { allow = ( \"%s\" ); } lets it pass", to,
                       words, to);
    bool found = (!wish && by_giver(g, s, out, why)) || by_department(g, s, out, why);
    if (!found && wish) {
        by_modem(g, out, s->modem, s->pool, true);
        explain(why, "modem %s: the customer wrote to it", s->modem);
    } else if (!found && !by_routes(g, s, to, out, why)) {
        explain(why, "no route: any modem of the default pool");
    }
    out->cost_micros = cost_of(g, out, to) * parts;
    if (s->consent || s->person)
        return 0;
    return gw_cap_check(g, out->cost_micros, e);
}

/* ---- standing in ----------------------------------------------------------------------------------------
 */

/* A carrier that has room for the whole message, or will have within a moment, is waited for: that much waits
 * for it, that its minute is full, or that it restarts, is no reason to go by another. */
bool gw_wish_lasts(void *owner, const struct queue_entry *e)
{
    const struct gateway *g = owner;
    struct pipe *p = gw_pipe_by_name(g, e->modem);
    int64_t now = rt_now_ms(g->rt);
    if (!p)
        return false;
    if (p->c && p->c->state == CARRIER_DOWN) {
        int64_t down_ms = rt_wall_ms(g->rt) - p->c->since_wall_ms;
        return down_ms >= 0 && down_ms < QUEUE_WISH_MS;
    }
    return gw_pipe_opens_ms(p, queue_parts_left(e), now) <= now + QUEUE_WISH_MS;
}

void gw_failover_change(struct gateway *g)
{
    free(g->watches);
    g->watches = NULL;
    g->nwatches = 0;
    g->failover_ms = RT_NEVER;
    g->routes_stale = true;
    if (!policy_has_failover(g->policy))
        return;
    int n = 0;
    while (policy_route_at(g->policy, n))
        n++;
    g->watches = gw_alloc((size_t)n * sizeof(*g->watches));
    for (int i = 0; i < n; i++) {
        const struct route_conf *r = policy_route_at(g->policy, i);
        if (r->failover && !*r->modem)
            g->watches[g->nwatches++] = (struct pool_watch){.pool = queue_name(&g->q, r->pool)};
    }
}

/* One that is at work can carry; one that has no room for all of the long message that goes next keeps it,
 * and what is behind it. */
static bool pipe_carries(struct pipe *p, int64_t now_ms)
{
    if (p->slots > 0)
        return true;
    const struct queue_entry *e = gw_pipe_next(p);
    return gw_pipe_open(p, e ? queue_parts_left(e) : 1, now_ms);
}

/* Can anything of this pool carry now? */
static bool pool_carries(struct gateway *g, const char *pool, int64_t now_ms)
{
    for (int i = 0; i < g->npipes; i++)
        if (strcmp(g->pipes[i]->pool, pool) == 0 && pipe_carries(g->pipes[i], now_ms))
            return true;
    return false;
}

static void watch_pool(struct gateway *g, struct pool_watch *w, int64_t now_ms)
{
    bool was = w->down;
    if (pool_carries(g, w->pool, now_ms)) {
        w->down_since_ms = 0;
        w->down = false;
    } else {
        if (w->down_since_ms == 0)
            w->down_since_ms = now_ms > 0 ? now_ms : 1;
        w->down = now_ms - w->down_since_ms >= FAILOVER_MS;
        if (!w->down && w->down_since_ms + FAILOVER_MS < g->failover_ms)
            g->failover_ms = w->down_since_ms + FAILOVER_MS;
    }
    if (w->down == was)
        return;
    g->routes_stale = true;
    log_notice(WHO, "pool %s %s", *w->pool ? w->pool : "(default)",
               w->down ? "cannot carry what waits: others stand in" : "carries again");
}

void gw_failover_look(struct gateway *g, int64_t now_ms)
{
    g->failover_ms = RT_NEVER;
    if (g->nwatches)
        gw_routes_refresh(g);
    for (int i = 0; i < g->nwatches; i++)
        watch_pool(g, &g->watches[i], now_ms);
}

static const struct pool_watch *watch_of(const struct gateway *g, const char *pool)
{
    for (int i = 0; i < g->nwatches; i++)
        if (strcmp(g->watches[i].pool, pool) == 0)
            return &g->watches[i];
    return NULL;
}

bool gw_stands_in(const struct gateway *g, const char *pool, const struct pipe *p)
{
    const struct pool_watch *w = watch_of(g, pool);
    int rank = w && w->down ? policy_failover(g->policy, pool, p->pool) : 0;
    if (rank == 0)
        return false;
    /* Those before it in the list come first, as long as one of them is there. */
    for (int i = 0; i < g->npipes; i++) {
        const struct pipe *other = g->pipes[i];
        int before = policy_failover(g->policy, pool, other->pool);
        if (before > 0 && before < rank && other->c && other->c->state == CARRIER_READY)
            return false;
    }
    return true;
}

/* ---- before it leaves -----------------------------------------------------------------------------------
 */

bool gw_cost_takes(struct pipe *p, const struct queue_entry *e, int64_t now_ms)
{
    struct gateway *g = p->g;
    const struct queue_route *r = queue_route_of(&g->q, e);
    int64_t cost = policy_cost(g->policy, e->peer, p->name, p->pool);
    int parts = queue_parts_left(e);
    for (int i = 0; i < g->npipes; i++) {
        struct pipe *other = g->pipes[i];
        if (other == p || !gw_route_fits(g, r, other) ||
            policy_cost(g->policy, e->peer, other->name, other->pool) >= cost)
            continue;
        if (!gw_pipe_open(other, parts, now_ms)) /* it must have room for the whole, or it never takes it */
            continue;
        p->look_ms = now_ms + LOOK_AGAIN_MS;
        return false;
    }
    return true;
}

int64_t gw_quiet_due(struct gateway *g, const char *to, int64_t wall_ms, char why[MSG_REASON_BYTES])
{
    char words[160], when[32];
    int64_t until = policy_quiet_until(g->policy, to, wall_ms, words);
    if (until > wall_ms) {
        wall_to_text(until, false, when);
        snprintf(why, MSG_REASON_BYTES, "waits until %s: quiet hours of the recipient (%.100s)", when, words);
    }
    return until;
}

bool gw_quiet_defers(struct gateway *g, struct queue_entry *e, int64_t now_ms)
{
    char why[MSG_REASON_BYTES];
    int64_t now_wall_ms = rt_wall_ms(g->rt), until;
    if (!e->quiet || e->touched) /* the parts of one message stay together */
        return false;
    until = gw_quiet_due(g, e->peer, now_wall_ms, why);
    if (until <= now_wall_ms)
        return false;
    queue_take(&g->q, e);
    e->due_ms = gw_from_wall(g, until);
    if (e->prefer_until_ms)
        e->prefer_until_ms = e->due_ms + QUEUE_WISH_MS;
    gw_scheduled(g, e);
    queue_put(&g->q, e, now_ms);
    gw_hold_note(g, e, why);
    return true;
}

/* ---- the trial ------------------------------------------------------------------------------------------
 */

/* Which of the candidates would most likely carry it now; says of each why or why not. */
static const struct pipe *likely(struct gateway *g, const struct way *w, const char *to, struct buf *why)
{
    const struct pipe *best = NULL;
    double best_score = 0;
    for (int i = 0; i < g->npipes; i++) {
        struct pipe *p = g->pipes[i];
        double cost = (double)policy_cost(g->policy, to, p->name, p->pool) / MICROS;
        double busy = (p->slots + 1) * (p->c && p->c->seconds_per_part > 0 ? p->c->seconds_per_part : 1);
        if (!candidate(g, w, p))
            continue;
        bool open = gw_pipe_open(p, w->parts, rt_now_ms(g->rt)), its = strcmp(p->name, w->modem) == 0;
        explain(why, "modem %s%s%s: %s, %.4g a part, %d under way, %lld today", p->name,
                *p->pool ? " of pool " : "", p->pool, open ? "ready" : p->why, cost, p->slots,
                (long long)p->limits.day);
        double score = (its ? -1e9 : 0) + (w->cheapest ? cost * 1e6 : 0) + busy;
        if (open && (!best || score < best_score)) {
            best = p;
            best_score = score;
        }
    }
    return best;
}

int gateway_route_test(struct gateway *g, const struct gateway_send *s, struct gateway_route_trial *out,
                       struct err *e)
{
    struct store_new_message m;
    struct composed c = {.why = &out->why};
    struct err local = {0};
    *out = (struct gateway_route_trial){0};
    int rc = gw_compose(g, s, rt_wall_ms(g->rt), &m, &c, &local);
    str_copy(out->to, sizeof(out->to), c.to);
    out->parts = (int)c.plan.count;
    if (rc == 0) {
        const struct route_conf *r = policy_route_at(g->policy, c.way.route);
        const struct pipe *p = likely(g, &c.way, c.to, &out->why);
        str_copy(out->route, sizeof(out->route), r ? r->name : "");
        str_copy(out->modem, sizeof(out->modem), c.way.modem);
        str_copy(out->pool, sizeof(out->pool), c.way.pool);
        str_copy(out->carrier, sizeof(out->carrier), p ? p->name : "");
        out->wish = c.way.wish;
        out->cost_micros = c.way.cost_micros;
        out->due_wall_ms = m.due_wall_ms;
        if (*c.reason)
            explain(&out->why, "%s", c.reason);
    } else {
        explain(&out->why, "%s", local.text);
        *e = local;
    }
    gw_composed_free(&c);
    return rc;
}
