/* What sending costs: quotas of routes, and the cap of a day. Counted when a message is accepted, in its own
 * transaction (store/spending.c), so that a restart forgets nothing, and in memory; days and months are those
 * of the local calendar. What is composed and not stored yet is reserved, so that a campaign cannot run past
 * the cap within one commit.
 *
 * What can fail: reading what was counted before; it is told, and counting begins anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum { MICROS = 1000000, MICROS_A_CENT = 10000 };

static void read_since(struct gateway *g, const char *route, int64_t since_wall_ms, int64_t *parts,
                       int64_t *micros)
{
    struct err e = {0};
    *parts = *micros = 0;
    if (store_spending(g->store, route, since_wall_ms, parts, micros, &e) < 0)
        log_err(WHO, "what was spent%s%s cannot be read: %s", *route ? " by route " : "", route, e.text);
}

/* The day's and month's counts are those of now. True: they were read, with all that is durable. */
static bool follow_calendar(struct gateway *g)
{
    struct spending *sp = &g->spending;
    int64_t unused;
    if (!limits_calendar(&sp->calendar, rt_wall_ms(g->rt)))
        return false;
    sp->told = false;
    if (policy_has_costs(g->policy))
        read_since(g, "", sp->calendar.day_start_wall_ms, &unused, &sp->day_micros);
    for (int i = 0; i < sp->nroutes; i++) {
        struct route_spending *r = &sp->routes[i];
        if (!gw_route_counted(g, i))
            continue;
        read_since(g, r->name, sp->calendar.day_start_wall_ms, &r->day_parts, &unused);
        read_since(g, r->name, sp->calendar.month_start_wall_ms, &r->month_parts, &unused);
    }
    return true;
}

void gw_spending_free(struct gateway *g)
{
    free(g->spending.routes);
    g->spending.routes = NULL;
}

/* Reservations of routes end with the old policy: a few parts that are on their way to the store. */
void gw_spending_change(struct gateway *g)
{
    struct spending *sp = &g->spending;
    int64_t reserved = sp->reserved_micros;
    gw_spending_free(g);
    *sp = (struct spending){.reserved_micros = reserved};
    limits_init(&sp->calendar, NULL);
    while (policy_route_at(g->policy, sp->nroutes))
        sp->nroutes++;
    sp->routes = gw_alloc((size_t)sp->nroutes * sizeof(*sp->routes));
    for (int i = 0; i < sp->nroutes; i++)
        sp->routes[i].name = queue_name(&g->q, policy_route_at(g->policy, i)->name);
}

const char *gw_route_counted(const struct gateway *g, int route)
{
    const struct route_conf *c = policy_route_at(g->policy, route);
    return c && (c->per_day > 0 || c->per_month > 0) ? g->spending.routes[route].name : NULL;
}

bool gw_quota_allows(struct gateway *g, int route, int parts, char why[96])
{
    const struct route_conf *c = policy_route_at(g->policy, route);
    if (!gw_route_counted(g, route))
        return true;
    follow_calendar(g);
    const struct route_spending *r = &g->spending.routes[route];
    const struct {
        const char *name;
        int64_t used;
        int most;
    } periods[] = {{"per_day", r->day_parts, c->per_day}, {"per_month", r->month_parts, c->per_month}};
    for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
        if (periods[i].most <= 0 || periods[i].used + r->reserved_parts + parts <= periods[i].most)
            continue;
        snprintf(why, 96, "has taken %lld parts, its %s is %d",
                 (long long)(periods[i].used + r->reserved_parts), periods[i].name, periods[i].most);
        return false;
    }
    return true;
}

static void amount(int64_t micros, char out[32])
{
    snprintf(out, 32, "%lld.%02lld", (long long)(micros / MICROS),
             (long long)(micros % MICROS / MICROS_A_CENT));
}

int gw_cap_check(struct gateway *g, int64_t cost_micros, struct err *e)
{
    struct spending *sp = &g->spending;
    int64_t cap = policy_cost_per_day(g->policy), spent;
    char texts[2][32];
    if (cap == 0 || cost_micros == 0)
        return 0;
    follow_calendar(g);
    spent = sp->day_micros + sp->reserved_micros;
    if (spent + cost_micros <= cap)
        return 0;
    amount(cap, texts[0]);
    amount(spent, texts[1]);
    if (!sp->told)
        gw_alarm(
            g, 0, NULL,
            "the day's cost cap of %s is reached (%s accepted since midnight): until tomorrow only people "
            "and confirmations of STOP get through",
            texts[0], texts[1]);
    sp->told = true;
    return err_set(e, ERR_REFUSED, "cost: the day's cap of %s is reached: %s were accepted since midnight",
                   texts[0], texts[1]);
}

void gw_reserve(struct gateway *g, struct composed *c)
{
    c->g = g;
    follow_calendar(g); /* before it is stored, so that it is not among what was read */
    g->spending.reserved_micros += c->way.cost_micros;
    if (c->way.route >= 0)
        g->spending.routes[c->way.route].reserved_parts += c->way.parts;
}

void gw_release(struct composed *c)
{
    struct gateway *g = c->g;
    if (!g)
        return;
    c->g = NULL;
    g->spending.reserved_micros -= c->way.cost_micros;
    if (c->way.route < 0 || c->way.route >= g->spending.nroutes)
        return;
    struct route_spending *r = &g->spending.routes[c->way.route];
    r->reserved_parts -= r->reserved_parts < c->way.parts ? r->reserved_parts : c->way.parts;
}

void gw_spent(struct gateway *g, const struct store_new_message *m)
{
    struct spending *sp = &g->spending;
    if (follow_calendar(g)) /* a day began meanwhile */
        return;
    sp->day_micros += m->cost_micros;
    for (int i = 0; m->route && i < sp->nroutes; i++) {
        if (strcmp(sp->routes[i].name, m->route) != 0)
            continue;
        sp->routes[i].day_parts += m->nparts;
        sp->routes[i].month_parts += m->nparts;
    }
}
