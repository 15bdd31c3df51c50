/* The spool's life and its one timer. Owns the picker (pick.c) and the settler (settle.c); borrows runtime,
 * gateway and store. */
#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "spool/private.h"

void *spool_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        abort();
    return p;
}

void spool_key(const char *unique, int i, int n, char out[KEY_BYTES])
{
    if (n > 1)
        snprintf(out, KEY_BYTES, SPOOL_KEY "%.*s#%d", SPOOL_UNIQUE_DIGITS, unique, i + 1);
    else
        snprintf(out, KEY_BYTES, SPOOL_KEY "%.*s", SPOOL_UNIQUE_DIGITS, unique);
}

/* ---- time ---- */

void spool_arm(struct spool *sp)
{
    const int64_t times[] = {sp->pick.wait.at_ms, sp->pick.retry.at_ms, sp->settle.retry.at_ms};
    int64_t at = sp->rescan_at_ms;
    if (sp->stopped)
        return;
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        at = times[i] < at ? times[i] : at;
    if (sp->timer.at_ms != at)
        rt_timer_at(sp->rt, &sp->timer, at);
}

void backoff_start(struct spool *sp, struct backoff *b, int64_t first_ms, int64_t most_ms)
{
    if (b->at_ms != RT_NEVER)
        return;
    b->wait_ms = b->wait_ms ? 2 * b->wait_ms : first_ms;
    if (b->wait_ms > most_ms)
        b->wait_ms = most_ms;
    b->at_ms = rt_now_ms(sp->rt) + b->wait_ms;
    spool_arm(sp);
}

void backoff_reset(struct backoff *b)
{
    *b = (struct backoff){.at_ms = RT_NEVER};
}

static void on_timer(struct rt_timer *t)
{
    struct spool *sp = container_of(t, struct spool, timer);
    int64_t now = rt_now_ms(sp->rt);
    if (sp->stopped)
        return;
    t->at_ms = RT_NEVER;
    if (sp->rescan_at_ms <= now) {
        sp->rescan_at_ms = now + sp->conf.rescan_ms;
        if (sp->conf.rescanning)
            sp->conf.rescanning(sp->conf.owner);
        sp->pick.walk_wanted = true;
        sp->settle.more = true;
    }
    pick_tick(sp, now);
    settle_tick(sp, now);
    spool_arm(sp);
}

/* ---- life ---- */

static void on_event(struct gateway_watcher *w, const struct gateway_event *ev)
{
    struct spool *sp = container_of(w, struct spool, watcher);
    if (ev->kind != EV_OUTBOX)
        return;
    sp->settle.more = true;
    settle_pump(sp);
}

int spool_new(struct rt *rt, struct gateway *g, struct store *s, const struct spool_conf *conf,
              struct spool **out, struct err *e)
{
    int rc = disk_make_folders(conf->dir, e);
    if (rc < 0)
        return rc;
    struct spool *sp = spool_alloc(sizeof(*sp));
    sp->rt = rt;
    sp->g = g;
    sp->store = s;
    sp->conf = *conf;
    sp->dir = strdup(conf->dir);
    if (!sp->dir)
        abort();
    sp->conf.dir = sp->dir;
    rt_random(rt, &sp->life, sizeof(sp->life));
    sp->timer = (struct rt_timer){.fire = on_timer, .at_ms = RT_NEVER};
    sp->rescan_at_ms = rt_now_ms(rt) + conf->rescan_ms;
    sp->watcher.event = on_event;
    gateway_watch(g, &sp->watcher);
    pick_start(sp);
    settle_start(sp);
    spool_arm(sp);
    *out = sp;
    return 0;
}

void spool_kick(struct spool *sp, const char *name)
{
    if (!sp->stopped)
        pick_kick(sp, name);
}

void spool_stop(struct spool *sp)
{
    if (sp->stopped)
        return;
    sp->stopped = true;
    rt_timer_stop(sp->rt, &sp->timer);
    gateway_unwatch(sp->g, &sp->watcher);
}

void spool_free(struct spool *sp)
{
    if (!sp)
        return;
    if (!sp->stopped) /* a simulated death; else the runtime may have gone already */
        rt_timer_stop(sp->rt, &sp->timer);
    pick_free(sp);
    settle_free(sp);
    free(sp->dir);
    free(sp);
}
