/* Carriers as the queue sees them: a pipe each, the routes it may serve, its limits, and its coming and
 * going. The gateway owns the pipe, its owner the carrier; a pipe outlives its carrier until its last part is
 * settled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

struct pipe *gw_pipe_by_name(const struct gateway *g, const char *name)
{
    for (int i = 0; i < g->npipes; i++)
        if (strcmp(g->pipes[i]->name, name) == 0)
            return g->pipes[i];
    return NULL;
}

const struct carrier *gateway_carrier(const struct gateway *g, const char *name)
{
    const struct pipe *p = gw_pipe_by_name(g, name);
    return p ? p->c : NULL;
}

static bool default_pool_exists(const struct gateway *g)
{
    for (int i = 0; i < g->npipes; i++)
        if (!*g->pipes[i]->pool)
            return true;
    return false;
}

/* Where every carrier has a pool of its own, messages that name none may go by any. */
bool gw_pool_fits(const struct gateway *g, const char *pool, const struct pipe *p)
{
    return strcmp(p->pool, pool) == 0 || (!*pool && !default_pool_exists(g));
}

static bool is_up(const struct pipe *p)
{
    return p->c && p->c->state == CARRIER_READY && !p->paused_until_ms;
}

static bool another_is_up(const struct gateway *g, const char *pool, const struct pipe *than)
{
    for (int i = 0; i < g->npipes; i++)
        if (g->pipes[i] != than && is_up(g->pipes[i]) && gw_pool_fits(g, pool, g->pipes[i]))
            return true;
    return false;
}

bool gw_route_fits(const struct gateway *g, const struct queue_route *r, const struct pipe *p)
{
    if (*r->imsi)
        return r->imsi == p->imsi;
    if (*r->modem)
        return r->modem == p->name;
    if (!gw_pool_fits(g, r->pool, p))
        return gw_stands_in(g, r->pool, p);
    return !*r->avoid || r->avoid != p->imsi || !another_is_up(g, r->pool, p);
}

static void pipe_routes(struct pipe *p)
{
    struct gateway *g = p->g;
    p->nroutes = p->nown = 0;
    for (int own = 1; own >= 0; own--) {
        for (struct queue_route *r = g->q.routes; r; r = r->next) {
            if ((*r->imsi != '\0') != own || !gw_route_fits(g, r, p))
                continue;
            if (p->nroutes == p->routes_cap) {
                p->routes_cap = p->routes_cap ? 2 * p->routes_cap : 8;
                p->routes = realloc(p->routes, (size_t)p->routes_cap * sizeof(struct queue_route *));
                if (!p->routes)
                    abort();
            }
            p->routes[p->nroutes++] = r;
        }
        if (own)
            p->nown = p->nroutes;
    }
}

void gw_routes_refresh(struct gateway *g)
{
    if (!g->routes_stale && !g->q.new_routes)
        return;
    g->routes_stale = g->q.new_routes = false;
    for (int i = 0; i < g->npipes; i++)
        pipe_routes(g->pipes[i]);
}

/* ---- limits and pauses ----------------------------------------------------------------------------------
 */

static void load_usage(struct pipe *p)
{
    struct gateway *g = p->g;
    struct err e = {0};
    int64_t day = 0, month = 0;
    if (!*p->imsi)
        return;
    if (store_usage(g->store, p->imsi, p->limits.day_start_wall_ms, p->limits.month_start_wall_ms, &day,
                    &month, &e) < 0)
        log_err(WHO, "usage of SIM %s cannot be read: %s", p->imsi, e.text);
    limits_use(&p->limits, day, month);
}

static void load_hour(struct pipe *p)
{
    struct gateway *g = p->g;
    struct err e = {0};
    int64_t quarters[USAGE_QUARTERS], wall = rt_wall_ms(g->rt);
    if (store_usage_hour(g->store, p->imsi, wall, quarters, &e) < 0)
        log_err(WHO, "usage of SIM %s cannot be read: %s", p->imsi, e.text);
    limits_use_hour(&p->limits, quarters, rt_now_ms(g->rt), wall);
}

static int64_t refuse(struct pipe *p, int64_t until_ms, const char *text)
{
    str_copy(p->why, sizeof(p->why), text);
    return until_ms;
}

int64_t gw_pipe_opens_ms(struct pipe *p, int parts, int64_t now_ms)
{
    int64_t wall = rt_wall_ms(p->g->rt), until = RT_NEVER;
    const char *limit = "";
    int bound = 0;
    char text[CARRIER_TEXT_BYTES];
    p->why[0] = '\0';
    if (!p->c || p->c->state != CARRIER_READY)
        return refuse(p, RT_NEVER, p->c && *p->c->reason ? p->c->reason : "not ready");
    if (p->rest_until_ms > now_ms)
        return refuse(p, p->rest_until_ms, "busy");
    if (p->paused_until_ms > now_ms)
        return refuse(p, p->paused_until_ms, "paused after three refusals of its SIM");
    if (limits_calendar(&p->limits, wall))
        load_usage(p);
    if (limits_allow(&p->limits, parts, now_ms, wall, &until, &limit, &bound))
        return now_ms;
    snprintf(text, sizeof(text), "limit %s of SIM %s reached: %d", limit, p->imsi, bound);
    return refuse(p, until, text);
}

/* Longer and shorter messages wait for different times: gw_kick() alone forgets one, when it is over. */
bool gw_pipe_open(struct pipe *p, int parts, int64_t now_ms)
{
    int64_t at_ms = gw_pipe_opens_ms(p, parts, now_ms);
    if (at_ms <= now_ms)
        return true;
    if (at_ms < p->wake_ms)
        p->wake_ms = at_ms;
    return false;
}

void gw_pipe_wake(struct pipe *p, int64_t now_ms)
{
    if (p->wake_ms <= now_ms)
        p->wake_ms = RT_NEVER;
    if (p->look_ms <= now_ms)
        p->look_ms = RT_NEVER;
    if (p->paused_until_ms && p->paused_until_ms <= now_ms) {
        p->paused_until_ms = 0;
        p->g->routes_stale = true;
    }
}

/* ---- coming and going ---- */

static struct pipe *pipe_of(struct gateway *g, const struct carrier *c)
{
    for (int i = 0; i < g->npipes; i++)
        if (g->pipes[i]->c == c)
            return g->pipes[i];
    return NULL;
}

static void take_sim(struct pipe *p)
{
    const char *imsi = queue_name(&p->g->q, p->c->imsi);
    if (imsi == p->imsi || !*imsi)
        return;
    p->imsi = imsi;
    p->sim_errors = 0;
    p->paused_until_ms = 0;
    limits_calendar(&p->limits, rt_wall_ms(p->g->rt));
    load_usage(p);
    load_hour(p);
}

static void on_changed(void *owner, struct carrier *c)
{
    struct gateway *g = owner;
    struct pipe *p = pipe_of(g, c);
    if (!p)
        return;
    take_sim(p);
    g->routes_stale = true;
    if (c->state != CARRIER_READY)
        gw_pipe_withdraw(p, NULL);
    gw_emit(g, &(struct gateway_event){.kind = EV_CARRIER, .modem = p->name, .reason = c->reason});
    gw_kick(g);
}

static void on_inbound(void *owner, struct carrier *c, const struct carrier_inbound *in)
{
    struct gateway *g = owner;
    struct pipe *p = pipe_of(g, c);
    if (p)
        gw_inbound(p, in);
}

static void on_late(void *owner, struct carrier *c, int mr)
{
    struct gateway *g = owner;
    struct pipe *p = pipe_of(g, c);
    if (p)
        gw_unknown_late(p, mr);
}

static void on_alarm(void *owner, struct carrier *c, enum carrier_alarm a)
{
    struct gateway *g = owner;
    const struct carrier_alarm_state *s = &c->alarms[a];

    gw_emit(g, &(struct gateway_event){.kind = EV_ALARM,
                                       .modem = c->name,
                                       .alarm = carrier_alarm_name(a),
                                       .raised = s->on,
                                       .text = s->text});
}

static void on_call(void *owner, struct carrier *c, const struct carrier_call *call)
{
    struct gateway *g = owner;
    struct pipe *p = pipe_of(g, c);
    if (p)
        gw_call(p, call);
}

static void on_ussd(void *owner, struct carrier *c, const char *text)
{
    gw_emit(owner, &(struct gateway_event){.kind = EV_USSD, .modem = c->name, .text = text});
}

static const struct carrier_events events = {.changed = on_changed,
                                             .inbound = on_inbound,
                                             .late = on_late,
                                             .call = on_call,
                                             .ussd = on_ussd,
                                             .alarm = on_alarm};

int gateway_attach(struct gateway *g, struct carrier *c, const struct gateway_limits *limits,
                   bool report_default, struct err *e)
{
    if (gw_pipe_by_name(g, c->name))
        return err_set(e, ERR_EXISTS, "modem %s: the name is used twice", c->name);
    struct pipe *p = gw_alloc(sizeof(*p));
    *p = (struct pipe){.g = g,
                       .c = c,
                       .name = queue_name(&g->q, c->name),
                       .pool = queue_name(&g->q, c->pool),
                       .imsi = "",
                       .report_default = report_default,
                       .depth = 1,
                       .look_ms = RT_NEVER,
                       .wake_ms = rt_now_ms(g->rt)}; /* what waits for it may go on the next turn */
    limits_init(&p->limits, limits);
    g->pipes = realloc(g->pipes, (size_t)(g->npipes + 1) * sizeof(struct pipe *));
    if (!g->pipes)
        abort();
    g->pipes[g->npipes++] = p;
    c->up = &events;
    c->up_owner = g;
    take_sim(p);
    g->routes_stale = true;
    gw_arm(g);
    return 0;
}

void gateway_set_limits(struct gateway *g, struct carrier *c, const struct gateway_limits *limits,
                        bool report_default)
{
    struct pipe *p = pipe_of(g, c);
    if (!p)
        return;
    limits_change(&p->limits, limits);
    p->report_default = report_default;
    gw_kick(g);
}

void gw_pipe_free(struct pipe *p)
{
    limits_fini(&p->limits);
    free(p->routes);
    free(p);
}

void gw_pipe_ended(struct pipe *p)
{
    if (p->c || p->slots > 0)
        return;
    struct pipe **at = &p->g->gone;
    while (*at != p)
        at = &(*at)->next_gone;
    *at = p->next_gone;
    gw_pipe_free(p);
}

void gateway_detach(struct gateway *g, struct carrier *c)
{
    struct pipe *p = pipe_of(g, c);
    if (!p)
        return;
    gw_pipe_withdraw(p, NULL);
    gw_inbox_forget(g, c);
    gw_reports_forget(g, c);
    c->up = NULL;
    p->c = NULL;
    int i = 0;
    while (g->pipes[i] != p)
        i++;
    g->pipes[i] = g->pipes[--g->npipes];
    g->routes_stale = true;
    p->next_gone = g->gone;
    g->gone = p;
    gw_pipe_ended(p);
    gw_kick(g);
}

bool gateway_own_number(const struct gateway *g, const char *number)
{
    for (int i = 0; i < g->npipes; i++)
        if (number_is(g->pipes[i]->c->number, number, g->conf->country))
            return true;
    return false;
}

int gateway_number(const struct gateway *g, const char *text, char out[NUMBER_BYTES], struct err *e)
{
    return number_normalise(text, g->conf->country, NUMBER_READ_NATIONAL, out, e);
}

void gateway_get_carrier_stats(const struct gateway *g, const struct carrier *c,
                               struct gateway_carrier_stats *out)
{
    *out = (struct gateway_carrier_stats){0};
    for (int i = 0; i < g->npipes; i++) {
        const struct pipe *p = g->pipes[i];
        if (p->c != c)
            continue;
        out->sent_day = p->limits.day;
        out->sent_month = p->limits.month;
        out->share = gw_share_of(p);
        out->queue = p->slots;
        for (const struct queue_route *r = g->q.routes; r; r = r->next)
            if (gw_route_fits(g, r, p))
                out->queue += r->count;
    }
}
