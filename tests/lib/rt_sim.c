/* The simulated runtime: a binary heap of events over a variable clock. See rt_sim.h. */
#include "tests/lib/rt_sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/util.h"

struct sim;

struct handle {
    struct rt rt;
    struct sim *sim;
    bool world;
};

/* A piece of work on its way: `run` is called by its first event, `done` by its second. */
struct work_item {
    struct rt_work *work;
    uint64_t number;
    bool ran;
};

struct event {
    int64_t at_ms;
    uint64_t seq;
    struct rt_timer *timer; /* or */
    struct work_item *item;
    bool world;
};

struct sim {
    struct handle life, world;
    int64_t now_ms;
    int64_t wall_minus_now_ms;
    uint64_t random_state;
    uint64_t seq;
    struct event *heap;
    size_t len, cap;
    unsigned work_max_ms;
    bool (*hook)(void *arg, enum rt_sim_moment moment, uint64_t number);
    void *hook_arg;
    bool crashed;
    uint64_t wakeups, works;
};

static struct sim *sim_of(struct rt *rt)
{
    return container_of(rt, struct handle, rt)->sim;
}

/* splitmix64 */
static uint64_t draw(struct sim *s)
{
    uint64_t z = (s->random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* ---- the heap; a timer's place + 1 is kept in its os[0] ---- */

static void place(struct sim *s, size_t i, struct event e)
{
    s->heap[i] = e;
    if (e.timer)
        e.timer->os[0] = (void *)(uintptr_t)(i + 1);
}

static bool before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void sift_up(struct sim *s, size_t i, struct event e)
{
    while (i && before(&e, &s->heap[(i - 1) / 2])) {
        place(s, i, s->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(s, i, e);
}

static void sift_down(struct sim *s, size_t i, struct event e)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= s->len)
            break;
        if (child + 1 < s->len && before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (!before(&s->heap[child], &e))
            break;
        place(s, i, s->heap[child]);
        i = child;
    }
    place(s, i, e);
}

static void push(struct sim *s, struct event e)
{
    if (s->len == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->heap = realloc(s->heap, s->cap * sizeof(*s->heap));
        if (!s->heap)
            abort();
    }
    e.seq = ++s->seq;
    if (e.at_ms < s->now_ms)
        e.at_ms = s->now_ms;
    sift_up(s, s->len++, e);
}

static struct event take(struct sim *s, size_t i)
{
    struct event out = s->heap[i];
    struct event last = s->heap[--s->len];
    if (i < s->len) {
        if (i && before(&last, &s->heap[(i - 1) / 2]))
            sift_up(s, i, last);
        else
            sift_down(s, i, last);
    }
    if (out.timer)
        out.timer->os[0] = NULL;
    return out;
}

/* ---- struct rt_ops ---- */

static int64_t sim_now_ms(struct rt *rt)
{
    return sim_of(rt)->now_ms;
}

static int64_t sim_wall_ms(struct rt *rt)
{
    return sim_of(rt)->now_ms + sim_of(rt)->wall_minus_now_ms;
}

static void sim_timer_stop(struct rt *rt, struct rt_timer *t)
{
    struct sim *s = sim_of(rt);
    size_t i = (size_t)(uintptr_t)t->os[0];
    /* The check of the timer: after a drop, its place may hold another's event. */
    if (i && i <= s->len && s->heap[i - 1].timer == t)
        take(s, i - 1);
    t->os[0] = NULL;
    t->at_ms = RT_NEVER;
}

static void sim_timer_at(struct rt *rt, struct rt_timer *t, int64_t at_ms)
{
    sim_timer_stop(rt, t);
    t->at_ms = at_ms;
    push(sim_of(rt),
         (struct event){.at_ms = at_ms, .timer = t, .world = container_of(rt, struct handle, rt)->world});
}

static int sim_work(struct rt *rt, struct rt_work *w)
{
    struct sim *s = sim_of(rt);
    struct work_item *item = calloc(1, sizeof(*item));
    if (!item)
        return ERR_NOMEM;
    item->work = w;
    item->number = ++s->works;
    push(s, (struct event){.at_ms = s->now_ms + (int64_t)(draw(s) % (s->work_max_ms + 1)),
                           .item = item,
                           .world = container_of(rt, struct handle, rt)->world});
    return 0;
}

static void sim_random(struct rt *rt, void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)draw(sim_of(rt));
}

static const struct rt_ops sim_ops = {
    .now_ms = sim_now_ms,
    .wall_ms = sim_wall_ms,
    .timer_at = sim_timer_at,
    .timer_stop = sim_timer_stop,
    .work = sim_work,
    .random = sim_random,
};

/* ---- stepping ---- */

static void fire_timer(struct sim *s, const struct event *e)
{
    if (!e->world)
        s->wakeups++;
    e->timer->at_ms = RT_NEVER;
    e->timer->fire(e->timer);
}

static void advance_work(struct sim *s, const struct event *e)
{
    struct work_item *item = e->item;
    enum rt_sim_moment moment = item->ran ? RT_SIM_BEFORE_DONE : RT_SIM_BEFORE_RUN;
    if (s->hook && !e->world && s->hook(s->hook_arg, moment, item->number)) {
        free(item);
        s->crashed = true;
        return;
    }
    if (!item->ran) {
        item->work->run(item->work);
        item->ran = true;
        push(s, (struct event){.at_ms = s->now_ms + (int64_t)(draw(s) % (s->work_max_ms + 1)),
                               .item = item,
                               .world = e->world});
        return;
    }
    if (!e->world)
        s->wakeups++;
    struct rt_work *w = item->work;
    free(item);
    w->done(w, 0);
}

bool rt_sim_step(struct rt *rt)
{
    struct sim *s = sim_of(rt);
    if (s->crashed || !s->len)
        return false;
    struct event e = take(s, 0);
    s->now_ms = e.at_ms;
    if (e.timer)
        fire_timer(s, &e);
    else
        advance_work(s, &e);
    return !s->crashed;
}

bool rt_sim_run_until(struct rt *rt, int64_t at_ms)
{
    struct sim *s = sim_of(rt);
    while (!s->crashed && s->len && s->heap[0].at_ms <= at_ms)
        rt_sim_step(rt);
    if (!s->crashed && s->now_ms < at_ms)
        s->now_ms = at_ms;
    return !s->crashed;
}

bool rt_sim_run_for(struct rt *rt, int64_t ms)
{
    return rt_sim_run_until(rt, sim_of(rt)->now_ms + ms);
}

bool rt_sim_run_till(struct rt *rt, bool (*cond)(void *arg), void *arg, int64_t for_ms)
{
    struct sim *s = sim_of(rt);
    int64_t end = s->now_ms + for_ms;
    while (!cond(arg)) {
        if (s->crashed || !s->len || s->heap[0].at_ms > end) {
            if (!s->crashed)
                s->now_ms = end;
            return false;
        }
        rt_sim_step(rt);
    }
    return !s->crashed;
}

/* ---- the rest of the interface ---- */

struct rt *rt_sim_new(uint64_t seed)
{
    struct sim *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->life = (struct handle){.rt = {.ops = &sim_ops}, .sim = s};
    s->world = (struct handle){.rt = {.ops = &sim_ops}, .sim = s, .world = true};
    s->now_ms = RT_SIM_START_MS;
    s->wall_minus_now_ms = RT_SIM_START_WALL_MS - RT_SIM_START_MS;
    s->random_state = seed;
    s->work_max_ms = 2;
    return &s->life.rt;
}

void rt_sim_free(struct rt *rt)
{
    struct sim *s = sim_of(rt);
    for (size_t i = 0; i < s->len; i++)
        free(s->heap[i].item);
    free(s->heap);
    free(s);
}

struct rt *rt_sim_world(struct rt *rt)
{
    return &sim_of(rt)->world.rt;
}

uint64_t rt_sim_seed(uint64_t otherwise)
{
    const char *text = getenv("SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : otherwise;
    printf("SEED=%" PRIu64 "\n", seed);
    return seed;
}

int64_t rt_sim_now(struct rt *rt)
{
    return sim_of(rt)->now_ms;
}

void rt_sim_jump_wall(struct rt *rt, int64_t by_ms)
{
    sim_of(rt)->wall_minus_now_ms += by_ms;
}

uint64_t rt_sim_random(struct rt *rt, uint64_t below)
{
    return draw(sim_of(rt)) % below;
}

void rt_sim_set_work_ms(struct rt *rt, unsigned max_ms)
{
    sim_of(rt)->work_max_ms = max_ms;
}

void rt_sim_on_work(struct rt *rt, bool (*hook)(void *arg, enum rt_sim_moment moment, uint64_t number),
                    void *arg)
{
    sim_of(rt)->hook = hook;
    sim_of(rt)->hook_arg = arg;
}

bool rt_sim_crashed(struct rt *rt)
{
    return sim_of(rt)->crashed;
}

void rt_sim_crash(struct rt *rt)
{
    sim_of(rt)->crashed = true;
}

/* The life's timers may lie in memory that is freed already: nothing of them is touched. */
void rt_sim_drop(struct rt *rt)
{
    struct sim *s = sim_of(rt);
    struct event *old = s->heap;
    size_t n = s->len;
    s->heap = NULL;
    s->len = s->cap = 0;
    s->crashed = false;
    for (size_t i = 0; i < n; i++) {
        if (old[i].world) {
            uint64_t seq = old[i].seq, next = s->seq;
            s->seq = seq - 1;
            push(s, old[i]);
            s->seq = next;
        } else {
            free(old[i].item);
        }
    }
    free(old);
}

uint64_t rt_sim_wakeups(struct rt *rt)
{
    return sim_of(rt)->wakeups;
}

uint64_t rt_sim_works(struct rt *rt)
{
    return sim_of(rt)->works;
}

void rt_sim_count_wakeup(struct rt *rt)
{
    sim_of(rt)->wakeups++;
}
