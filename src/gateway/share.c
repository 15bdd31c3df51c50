/* Sharing a pool's load by measured speed. Carriers take work when they are free, so a fast one takes more by
 * itself; what is left is the end of a queue: a slow carrier must not take a message that the fast ones would
 * have finished, with all that waits before it, long before. */
#include "gateway/private.h"

enum {
    PATIENCE = 2,        /* speeds vary: twice as long is not yet long */
    LOOK_AGAIN_MS = 1000 /* the others may have met a limit meanwhile */
};

struct others {
    double parts_per_second; /* all of them together */
    double parts;            /* under way on them */
    double soonest_s;        /* until the best of them would be through with the message: it goes by one */
};

static double speed(const struct pipe *p)
{
    double seconds = p->c ? p->c->seconds_per_part : 0;

    return seconds > 0 ? 1 / seconds : 0;
}

static struct others others_of(const struct pipe *p, const struct queue_route *r, double parts,
                               int64_t now_ms)
{
    const struct gateway *g = p->g;
    struct others o = {0};

    for (int i = 0; i < g->npipes; i++) {
        struct pipe *q = g->pipes[i];
        if (q == p || speed(q) <= 0 || !gw_route_fits(g, r, q) || !gw_pipe_open(q, 1, now_ms))
            continue;
        double alone_s = (q->slots + parts) / speed(q);
        if (o.parts_per_second <= 0 || alone_s < o.soonest_s)
            o.soonest_s = alone_s;
        o.parts_per_second += speed(q);
        o.parts += q->slots;
    }
    return o;
}

bool gw_share_takes(struct pipe *p, const struct queue_entry *e, int64_t now_ms)
{
    const struct queue_route *r = queue_route_of(&p->g->q, e);
    double parts = queue_parts_left(e);

    if (speed(p) <= 0)
        return true;
    struct others o = others_of(p, r, parts, now_ms);
    if (o.parts_per_second <= 0)
        return true;
    double alone_s = (p->slots + parts) / speed(p);
    double without_s = (o.parts + r->count * parts) / o.parts_per_second;
    if (without_s < o.soonest_s)
        without_s = o.soonest_s;
    double waited_s = (double)(now_ms - e->due_ms) / 1000;
    if (alone_s <= PATIENCE * without_s || waited_s >= alone_s) /* the others are slower than was thought */
        return true;
    p->look_ms = now_ms + LOOK_AGAIN_MS;
    return false;
}

double gw_share_of(const struct pipe *p)
{
    const struct gateway *g = p->g;
    double all = 0;

    if (!p->c || p->c->state != CARRIER_READY)
        return 0;
    for (int i = 0; i < g->npipes; i++) {
        const struct pipe *q = g->pipes[i];
        if (q->pool != p->pool || !q->c || q->c->state != CARRIER_READY)
            continue;
        if (speed(q) <= 0) /* not measured yet: even shares */
            return -1;
        all += speed(q);
    }
    return speed(p) / all;
}
