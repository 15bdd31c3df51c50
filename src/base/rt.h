/* The runtime interface: everything impure that the rooms between pdu and ctl may ask for.
 *
 * There are two implementations: os/rt_uv (libuv, the real one) and tests/sim (the clock is a variable, work
 * is done when the simulation says so). A room that keeps to this interface can live a month in a minute.
 *
 * All functions but `run` of rt_work are called on the loop's thread. Requests are embedded in their owner
 * (base/util.h: container_of) and must stay in place while they are pending.
 */
#ifndef SIMGATE_BASE_RT_H
#define SIMGATE_BASE_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_NEVER INT64_MAX /* a deadline that does not come */

struct rt;

/* A one-shot timer. Zero-initialise, set `fire`, then rt_timer_at(). `fire` runs once, never before the
 * call that armed it returns, and may arm the timer again. `os` belongs to the implementation. */
struct rt_timer {
    void (*fire)(struct rt_timer *t);
    int64_t at_ms; /* RT_NEVER or 0-initialised: not armed */
    void *os[4];
};

/* Work beside the loop. `run` is called on another thread and may block; `done` then on the loop's thread,
 * exactly once if rt_work() returned 0, with ERR_CANCELLED if `run` was never called. */
struct rt_work {
    void (*run)(struct rt_work *w);
    void (*done)(struct rt_work *w, int status);
    void *os[2];
};

struct rt_ops {
    int64_t (*now_ms)(struct rt *rt);                         /* monotonic, milliseconds */
    int64_t (*wall_ms)(struct rt *rt);                        /* UTC, milliseconds since 1970 */
    void (*timer_at)(struct rt *rt, struct rt_timer *t, int64_t at_ms);
    void (*timer_stop)(struct rt *rt, struct rt_timer *t);
    int (*work)(struct rt *rt, struct rt_work *w);            /* 0 or ERR_NOMEM */
    void (*random)(struct rt *rt, void *bytes, size_t len);
};

struct rt {
    const struct rt_ops *ops;
};

static inline int64_t rt_now_ms(struct rt *rt)
{
    return rt->ops->now_ms(rt);
}

static inline int64_t rt_wall_ms(struct rt *rt)
{
    return rt->ops->wall_ms(rt);
}

/* Arms t for monotonic time at_ms (in the past: as soon as possible); RT_NEVER stops it. Arming an armed
 * timer moves it. */
static inline void rt_timer_at(struct rt *rt, struct rt_timer *t, int64_t at_ms)
{
    if (at_ms == RT_NEVER)
        rt->ops->timer_stop(rt, t);
    else
        rt->ops->timer_at(rt, t, at_ms);
}

static inline void rt_timer_stop(struct rt *rt, struct rt_timer *t)
{
    rt->ops->timer_stop(rt, t);
}

static inline int rt_work(struct rt *rt, struct rt_work *w)
{
    return rt->ops->work(rt, w);
}

static inline void rt_random(struct rt *rt, void *bytes, size_t len)
{
    rt->ops->random(rt, bytes, len);
}

#endif
