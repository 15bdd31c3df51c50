/* The gateway's life: construction, what the last life left, the one timer, draining, freeing.
 *
 * Owns the index of the queue, the pipes of the carriers and every operation under way (struct job). Borrows
 * runtime, store, configuration and carriers. All memory of an operation is freed by its own callback, or,
 * when the store was abandoned, by gateway_free().
 */
#include "gateway/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum {
    CLOCK_CHECK_MS = 10 * 60 * 1000, /* while something is scheduled */
    CLOCK_JUMP_MS = 2000,
    MAX_SEEDED = 8, /* attempts of an earlier life count for the delay of the next */
};

void *gw_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        abort();
    return p;
}

char *gw_copy(const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(gw_alloc(size), text, size);
}

/* ---- jobs ---- */

void gw_job_add(struct gateway *g, struct job *j, void (*drop)(struct job *j))
{
    j->g = g;
    j->drop = drop;
    j->prev = &g->jobs;
    j->next = g->jobs.next;
    j->next->prev = j;
    g->jobs.next = j;
}

void gw_job_end(struct job *j)
{
    j->prev->next = j->next;
    j->next->prev = j->prev;
    j->drop(j);
}

void gw_defer(struct gateway *g, struct job *j, void (*run)(struct job *j))
{
    j->run = run;
    j->next_deferred = NULL;
    *g->deferred_end = j;
    g->deferred_end = &j->next_deferred;
    rt_timer_at(g->rt, &g->defer_timer, rt_now_ms(g->rt));
}

static void on_defer(struct rt_timer *t)
{
    struct gateway *g = container_of(t, struct gateway, defer_timer);
    struct job *j = g->deferred;
    g->deferred = NULL;
    g->deferred_end = &g->deferred;
    while (j) {
        struct job *next = j->next_deferred;
        j->run(j);
        j = next;
    }
}

/* ---- time ---- */

int64_t gw_to_wall(struct gateway *g, int64_t at_ms)
{
    return at_ms == RT_NEVER ? 0 : rt_wall_ms(g->rt) + (at_ms - rt_now_ms(g->rt));
}

int64_t gw_from_wall(struct gateway *g, int64_t wall_ms)
{
    return wall_ms == 0 ? RT_NEVER : rt_now_ms(g->rt) + (wall_ms - rt_wall_ms(g->rt));
}

int64_t gw_due_from_wall(struct gateway *g, int64_t wall_ms, int64_t now_ms)
{
    return wall_ms > rt_wall_ms(g->rt) ? gw_from_wall(g, wall_ms) : now_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void gw_arm(struct gateway *g)
{
    int64_t at = earlier(queue_wake_ms(&g->q), g->unknown_wake_ms);
    at = earlier(at, earlier(g->hold_check_ms, g->join_ms));
    at = earlier(at, earlier(g->clock_check_ms, g->failover_ms));
    for (int i = 0; i < g->npipes; i++)
        at = earlier(at, earlier(g->pipes[i]->wake_ms, g->pipes[i]->look_ms));
    if (g->stalled)
        at = g->store_retry_ms; /* everything else would ask the store */
    if (at != g->timer.at_ms)
        rt_timer_at(g->rt, &g->timer, at);
}

void gw_scheduled(struct gateway *g, struct queue_entry *e)
{
    int64_t now = rt_now_ms(g->rt);
    e->scheduled = 1;
    if (g->clock_check_ms == RT_NEVER) {
        g->wall_offset_ms = rt_wall_ms(g->rt) - now;
        g->clock_check_ms = now + CLOCK_CHECK_MS;
    }
}

/* Somebody may have set the clock (a machine without one of its own learns the time late): what is to go at a
 * certain time goes at that time. Everything else counts the time that passes. */
static void follow_clock(struct gateway *g, int64_t now)
{
    if (g->clock_check_ms > now)
        return;
    int64_t jump = rt_wall_ms(g->rt) - now - g->wall_offset_ms;
    bool any = false;
    for (uint32_t i = 0; i < g->q.nbuckets; i++) {
        for (struct queue_entry *e = g->q.buckets[i]; e; e = e->hash_next) {
            if (!e->scheduled || !queue_is_put(e) || e->due_ms <= now)
                continue;
            any = true;
            if (jump < CLOCK_JUMP_MS && jump > -CLOCK_JUMP_MS)
                continue;
            queue_take(&g->q, e);
            e->due_ms -= jump;
            if (e->prefer_until_ms)
                e->prefer_until_ms -= jump;
            if (e->expires_ms != RT_NEVER)
                e->expires_ms -= jump;
            queue_put(&g->q, e, now);
        }
    }
    g->wall_offset_ms += jump;
    g->clock_check_ms = any ? now + CLOCK_CHECK_MS : RT_NEVER;
}

static void on_timer(struct rt_timer *t)
{
    struct gateway *g = container_of(t, struct gateway, timer);
    int64_t now = rt_now_ms(g->rt);
    t->at_ms = RT_NEVER;
    if (g->stalled && g->store_retry_ms <= now) {
        g->stalled = false;
        gw_resettle(g);
    }
    follow_clock(g, now);
    struct queue_entry *e;
    while ((e = queue_tick(&g->q, now)) != NULL)
        gw_expire(g, e);
    gw_unknown_tick(g, now);
    gw_join_tick(g, now);
    gw_hold_tell(g, now);
    gw_handle_kick(g);
    gw_kick(g);
}

/* ---- the store's health ---- */

bool gw_store_may_recover(int status)
{
    return status == ERR_FULL || status == ERR_IO || status == ERR_NOMEM;
}

void gw_store_failed(struct gateway *g, int status, const struct err *e)
{
    int64_t now = rt_now_ms(g->rt);
    unsigned left_out = 0;
    if (status == ERR_CANCELLED)
        return;
    if (!gw_store_may_recover(status)) {
        if (log_limit_pass(&g->log_store, now, &left_out))
            log_err(WHO, "the store refused: %s", e->text);
        return;
    }
    g->stalled = true;
    g->store_retry_ms = now + STORE_RETRY_MS;
    if (status == ERR_FULL && !g->stats.disk_full) {
        g->stats.disk_full = true;
        gw_alarm(g, 0, NULL,
                 "no room on the disk of the database: nothing is sent or accepted, what comes in stays on "
                 "the modems: %s",
                 e->text);
    } else if (status != ERR_FULL && log_limit_pass(&g->log_store, now, &left_out)) {
        log_err(WHO, "the store failed: %s", e->text);
    }
    gw_arm(g);
}

void gw_store_works(struct gateway *g)
{
    if (!g->stalled && !g->stats.disk_full)
        return;
    if (g->stats.disk_full)
        gw_alarm(g, 0, NULL, "there is room again on the disk of the database: going on");
    g->stats.disk_full = false;
    if (g->stalled) {
        g->store_retry_ms = rt_now_ms(g->rt); /* on the next turn of the loop */
        gw_arm(g);
    }
}

/* ---- life ---- */

/* What is wrong in it was told when gateway.conf was read. */
static void use_policy(struct gateway *g, const struct gateway_conf *conf)
{
    static const struct policy_conf none;
    struct policy *old = g->policy;
    policy_new(conf->policy ? conf->policy : &none, NULL, NULL, &g->policy);
    log_set_mask(policy_mask(g->policy));
    policy_free(old);
    gw_spending_change(g);
    gw_failover_change(g);
}

struct gateway *gateway_new(struct rt *rt, struct store *store, const struct gateway_conf *conf)
{
    struct gateway *g = gw_alloc(sizeof(*g));
    *g = (struct gateway){.rt = rt,
                          .store = store,
                          .conf = conf,
                          .timer = {.fire = on_timer, .at_ms = RT_NEVER},
                          .defer_timer = {.fire = on_defer, .at_ms = RT_NEVER},
                          .hold_check_ms = RT_NEVER,
                          .join_ms = RT_NEVER,
                          .clock_check_ms = RT_NEVER,
                          .unknown_wake_ms = RT_NEVER,
                          .failover_ms = RT_NEVER,
                          .backlog = true};
    g->jobs.next = g->jobs.prev = &g->jobs;
    g->deferred_end = &g->deferred;
    g->scratch = gw_alloc(PDU_MAX_SEGMENTS * sizeof(*g->scratch));
    queue_init(&g->q);
    g->q.wish_lasts = gw_wish_lasts;
    g->q.owner = g;
    use_policy(g, conf);
    rt_random(rt, g->refs, sizeof(g->refs));
    rt_random(rt, &g->ref_high, sizeof(g->ref_high));
    return g;
}

static struct queue_entry *loaded_entry(struct gateway *g, const struct store_queue_row *r)
{
    int64_t now = rt_now_ms(g->rt);
    struct queue_entry *e = queue_new(&g->q, r->message, r->source);
    e->priority = (uint8_t)r->priority;
    e->parts = (uint8_t)r->parts;
    e->next_seq = (uint8_t)(r->parts + 1);
    e->due_ms = gw_due_from_wall(g, r->due_wall_ms, now);
    e->expires_ms = gw_from_wall(g, r->expires_wall_ms);
    e->modem = queue_name(&g->q, r->modem);
    e->pool = queue_name(&g->q, r->pool);
    gw_index_flags(e, r->flags);
    if (r->flags & MSG_F_PREFER)
        e->prefer_until_ms = e->due_ms + QUEUE_WISH_MS; /* its modem may be on its way up, too */
    if (r->parts > 1)
        e->imsi = queue_name(&g->q, r->imsi);
    e->touched = *e->imsi != '\0';
    e->fails[RETRY_NETWORK] = (uint8_t)(r->attempts < MAX_SEEDED ? r->attempts : MAX_SEEDED);
    if (r->attempts == 0 && e->due_ms > now)
        gw_scheduled(g, e);
    str_copy(e->peer, sizeof(e->peer), r->peer);
    return e;
}

/* The rows come by message and part: a message is placed when the next begins, so that the index is built in
 * the order in which it is kept. */
struct loading {
    struct gateway *g;
    struct queue_entry *e;
};

static void place_loaded(struct loading *l)
{
    if (l->e)
        gw_entry_rest(l->g, l->e);
    l->e = NULL;
}

static int on_row(void *owner, const struct store_queue_row *r)
{
    struct loading *l = owner;
    struct gateway *g = l->g;
    if (!l->e || l->e->id != r->message) {
        place_loaded(l);
        l->e = loaded_entry(g, r);
    }
    if (r->state == MSG_UNKNOWN) {
        l->e->unknown++;
        int64_t since = r->submitted_wall_ms ? gw_from_wall(g, r->submitted_wall_ms) : rt_now_ms(g->rt);
        gw_unknown_add(g, r->message, r->seq, since + g->conf->unknown_wait_ms);
    } else if (r->seq < l->e->next_seq) {
        l->e->next_seq = (uint8_t)r->seq;
    }
    return 0;
}

int gateway_load(struct gateway *g, struct err *e)
{
    int interrupted = store_settle_interrupted(g->store, rt_wall_ms(g->rt), e);
    if (interrupted < 0)
        return interrupted;
    struct loading loading = {.g = g};
    int rc = store_load_queue(g->store, on_row, &loading, e);
    if (rc < 0)
        return rc;
    place_loaded(&loading);
    if (interrupted > 0)
        log_notice(WHO, "parts=%d were being sent when the last life ended: their outcome is unknown",
                   interrupted);
    g->join_ms = rt_now_ms(g->rt);
    gw_arm(g);
    return 0;
}

bool gateway_discards_silent(const struct gateway *g)
{
    return g->conf->discard_type0;
}

void gateway_reconfigure(struct gateway *g, const struct gateway_conf *conf)
{
    g->conf = conf;
    use_policy(g, conf);
    gw_kick(g);
}

static void drained_check(struct job *j)
{
    j->run = NULL;
    gw_check_drained(j->g);
}

static void drained_drop(struct job *j)
{
    j->next = j->prev = NULL; /* embedded in the gateway */
}

void gateway_drain(struct gateway *g, void (*drained)(void *owner), void *owner)
{
    g->draining = true;
    g->drained = NULL;
    for (int i = 0; i < g->npipes; i++)
        gw_pipe_withdraw(g->pipes[i], NULL);
    g->drained = drained;
    g->drained_owner = owner;
    if (!g->drained_job.drop)
        gw_job_add(g, &g->drained_job, drained_drop);
    if (!g->drained_job.run)
        gw_defer(g, &g->drained_job, drained_check);
}

void gateway_free(struct gateway *g)
{
    if (!g)
        return;
    rt_timer_stop(g->rt, &g->timer);
    rt_timer_stop(g->rt, &g->defer_timer);
    while (g->jobs.next != &g->jobs)
        gw_job_end(g->jobs.next);
    for (int i = 0; i < g->npipes; i++)
        gw_pipe_free(g->pipes[i]);
    while (g->gone) {
        struct pipe *p = g->gone;
        g->gone = p->next_gone;
        gw_pipe_free(p);
    }
    free(g->pipes);
    gw_unknown_free(g);
    gw_spending_free(g);
    free(g->watches);
    log_set_mask(NULL);
    policy_free(g->policy);
    queue_fini(&g->q);
    free(g->scratch);
    free(g);
}

void gateway_get_stats(const struct gateway *g, struct gateway_stats *out)
{
    *out = g->stats;
    out->queued = (int)g->q.nentries;
    out->held = g->q.waiting;
    for (const struct queue_route *r = g->q.routes; r; r = r->next)
        if (r->held_since_ms)
            out->held += r->count;
}
