/* The runtime on libuv.
 *
 * Timers are nodes of a pairing heap (Fredman and others, 1986) that lives in rt_timer.os[], ordered by time
 * and then by the order of arming. Only the earliest one is known to libuv. A timer's owner may thus discard
 * it as soon as it is stopped, arming never allocates, and an idle process sleeps until the one next
 * deadline.
 *
 * Work requests are allocated per request; that is the only thing here that can fail (ERR_NOMEM).
 */
#include "os/rt_uv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <uv.h>

#include "base/err.h"
#include "base/util.h"

enum { NS_PER_MS = 1000000, MS_PER_S = 1000 };

/* What rt_timer.os[] holds. PREV is the parent for a first child, else the sibling before. */
enum { LINK_CHILD, LINK_NEXT, LINK_PREV, LINK_SEQUENCE };

struct rt_uv {
    struct rt rt;
    uv_loop_t *loop;
    uv_timer_t alarm;
    struct rt_timer *root; /* the earliest */
    uintptr_t sequence;
    unsigned works; /* under way */
    bool firing;
    bool closing;
    bool alarm_closed;
};

struct work_request {
    uv_work_t uv;
    struct rt_uv *owner;
    struct rt_work *work;
};

static struct rt_uv *rt_uv_of(struct rt *rt)
{
    return container_of(rt, struct rt_uv, rt);
}

static int64_t rt_uv_now_ms(struct rt *rt)
{
    (void)rt;
    /* uv_now() is as old as the loop's turn, which is too old after a long batch. */
    return (int64_t)(uv_hrtime() / NS_PER_MS);
}

static int64_t rt_uv_wall_ms(struct rt *rt)
{
    struct timespec now;

    (void)rt;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* ---- the heap ---- */

static struct rt_timer *link_of(const struct rt_timer *t, int which)
{
    return t->os[which];
}

static bool is_earlier(const struct rt_timer *a, const struct rt_timer *b)
{
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms;
    return (uintptr_t)a->os[LINK_SEQUENCE] < (uintptr_t)b->os[LINK_SEQUENCE];
}

/* Two heaps, either of which may be empty, to one. */
static struct rt_timer *heap_meld(struct rt_timer *a, struct rt_timer *b)
{
    struct rt_timer *child;

    if (!a || !b)
        return a ? a : b;
    if (is_earlier(b, a)) {
        struct rt_timer *other = a;

        a = b;
        b = other;
    }
    child = link_of(a, LINK_CHILD);
    b->os[LINK_NEXT] = child;
    if (child)
        child->os[LINK_PREV] = b;
    b->os[LINK_PREV] = a;
    a->os[LINK_CHILD] = b;
    return a;
}

/* A list of siblings to one heap: pairs from the left, then all pairs from the right. */
static struct rt_timer *heap_meld_siblings(struct rt_timer *first)
{
    struct rt_timer *pairs = NULL, *heap = NULL;

    while (first) {
        struct rt_timer *a = first, *b = link_of(a, LINK_NEXT), *pair;

        first = b ? link_of(b, LINK_NEXT) : NULL;
        a->os[LINK_NEXT] = NULL;
        if (b)
            b->os[LINK_NEXT] = NULL;
        pair = heap_meld(a, b);
        pair->os[LINK_NEXT] = pairs;
        pairs = pair;
    }
    while (pairs) {
        struct rt_timer *next = link_of(pairs, LINK_NEXT);

        pairs->os[LINK_NEXT] = NULL;
        heap = heap_meld(heap, pairs);
        pairs = next;
    }
    if (heap)
        heap->os[LINK_PREV] = NULL;
    return heap;
}

static void heap_remove(struct rt_uv *r, struct rt_timer *t)
{
    struct rt_timer *prev = link_of(t, LINK_PREV), *next = link_of(t, LINK_NEXT);
    struct rt_timer *below = heap_meld_siblings(link_of(t, LINK_CHILD));

    if (t == r->root) {
        r->root = below;
        return;
    }
    prev->os[link_of(prev, LINK_CHILD) == t ? LINK_CHILD : LINK_NEXT] = next;
    if (next)
        next->os[LINK_PREV] = prev;
    r->root = heap_meld(r->root, below);
}

/* ---- timers ---- */

static bool is_armed(const struct rt_timer *t)
{
    return t->at_ms != 0 && t->at_ms != RT_NEVER;
}

static void on_alarm(uv_timer_t *alarm);

/* Sets libuv's timer to the earliest of ours. While timers are firing, that is done once at the end. */
static void set_alarm(struct rt_uv *r)
{
    int64_t delay_ms;

    if (r->firing || r->closing)
        return;
    if (!r->root) {
        uv_timer_stop(&r->alarm);
        return;
    }
    /* libuv counts from its own idea of now, and both are the same clock. */
    delay_ms = r->root->at_ms - (int64_t)uv_now(r->loop);
    uv_timer_start(&r->alarm, on_alarm, delay_ms > 0 ? (uint64_t)delay_ms : 0, 0);
}

static void disarm(struct rt_uv *r, struct rt_timer *t)
{
    if (!is_armed(t))
        return;
    heap_remove(r, t);
    t->at_ms = RT_NEVER;
}

static void on_alarm(uv_timer_t *alarm)
{
    struct rt_uv *r = alarm->data;
    int64_t now_ms = rt_uv_now_ms(&r->rt);
    uintptr_t armed_before = r->sequence;

    r->firing = true;
    /* What a timer arms while it fires waits for the loop's next turn, so that ports are served in between.
     */
    while (!r->closing && r->root && r->root->at_ms <= now_ms &&
           (uintptr_t)r->root->os[LINK_SEQUENCE] <= armed_before) {
        struct rt_timer *t = r->root;

        disarm(r, t);
        t->fire(t);
    }
    r->firing = false;
    set_alarm(r);
}

static void rt_uv_timer_stop(struct rt *rt, struct rt_timer *t)
{
    struct rt_uv *r = rt_uv_of(rt);
    bool earliest = t == r->root;

    disarm(r, t);
    if (earliest)
        set_alarm(r);
}

static void rt_uv_timer_at(struct rt *rt, struct rt_timer *t, int64_t at_ms)
{
    struct rt_uv *r = rt_uv_of(rt);
    int64_t now_ms = rt_uv_now_ms(rt);
    bool was_earliest = t == r->root;

    disarm(r, t);
    /* Never before now: a timer that keeps arming itself for the past must not hold up those that are due. */
    t->at_ms = at_ms > now_ms ? at_ms : now_ms;
    t->os[LINK_CHILD] = t->os[LINK_NEXT] = t->os[LINK_PREV] = NULL;
    t->os[LINK_SEQUENCE] = (void *)++r->sequence;
    r->root = heap_meld(r->root, t);
    if (was_earliest || r->root == t)
        set_alarm(r);
}

/* ---- work ---- */

static void free_if_done(struct rt_uv *r)
{
    if (r->alarm_closed && r->works == 0)
        free(r);
}

static void on_work(uv_work_t *uv)
{
    struct work_request *request = container_of(uv, struct work_request, uv);

    request->work->run(request->work);
}

static void on_work_done(uv_work_t *uv, int status)
{
    struct work_request *request = container_of(uv, struct work_request, uv);
    struct rt_uv *r = request->owner;
    struct rt_work *work = request->work;

    free(request);
    work->done(work, status == UV_ECANCELED ? ERR_CANCELLED : ERR_OK);
    r->works--;
    free_if_done(r);
}

static int rt_uv_work(struct rt *rt, struct rt_work *w)
{
    struct rt_uv *r = rt_uv_of(rt);
    struct work_request *request = calloc(1, sizeof *request);

    if (!request)
        return ERR_NOMEM;
    request->owner = r;
    request->work = w;
    if (uv_queue_work(r->loop, &request->uv, on_work, on_work_done) != 0)
        abort(); /* libuv refuses only a missing callback */
    r->works++;
    return ERR_OK;
}

/* ---- the rest ---- */

static void rt_uv_random(struct rt *rt, void *bytes, size_t len)
{
    char *at = bytes;

    (void)rt;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort(); /* Linux has had it since 3.17, and it cannot fail otherwise */
        at += got;
        len -= (size_t)got;
    }
}

static void on_alarm_closed(uv_handle_t *alarm)
{
    struct rt_uv *r = alarm->data;

    r->alarm_closed = true;
    free_if_done(r);
}

struct rt *rt_uv_new(struct uv_loop_s *loop)
{
    static const struct rt_ops ops = {
        .now_ms = rt_uv_now_ms,
        .wall_ms = rt_uv_wall_ms,
        .timer_at = rt_uv_timer_at,
        .timer_stop = rt_uv_timer_stop,
        .work = rt_uv_work,
        .random = rt_uv_random,
    };
    struct rt_uv *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->rt.ops = &ops;
    r->loop = loop;
    uv_timer_init(loop, &r->alarm);
    r->alarm.data = r;
    return &r->rt;
}

void rt_uv_close(struct rt *rt)
{
    struct rt_uv *r = rt_uv_of(rt);

    r->closing = true;
    uv_close((uv_handle_t *)&r->alarm, on_alarm_closed);
}
