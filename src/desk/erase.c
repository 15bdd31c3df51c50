/* Erasing a number: step by step in the store, and whenever a message is in the way it is cancelled or waited
 * for. See desk/erase.h. */
#include "desk/erase.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/util.h"
#include "desk/private.h"

#define WHO "erase"

enum { WAIT_MS = 1000, WAITS_MAX = 300 };

struct erasing {
    struct desk *desk;
    struct desk_erase *request;
    char number[64], who[DESK_WHO_BYTES];
    struct store_erase erase;
    struct gateway_change cancel;
    struct rt_timer wait;
    int64_t cancelled; /* the message that this was tried with last */
    int waits;
    struct erasing *prev, *next;
};

static void go_on(struct erasing *g);

static void erasing_free(struct erasing *g)
{
    DL_DELETE(g->desk->erasings, g);
    rt_timer_stop(g->desk->rt, &g->wait);
    free(g);
}

static void finish(struct erasing *g, int status)
{
    struct desk_erase *r = g->request;

    if (status == 0)
        log_notice(WHO, "erased number=%s by=%s rows=%d", log_number(g->number), g->who, r->rows);
    erasing_free(g);
    r->done(r, status);
}

/* ---- what is in the way ----------------------------------------------------------------------------------
 */

static void wait_over(struct rt_timer *t)
{
    go_on(container_of(t, struct erasing, wait));
}

static void wait_for(struct erasing *g)
{
    if (++g->waits > WAITS_MAX) {
        g->request->err = g->erase.op.err;
        finish(g, ERR_BUSY);
        return;
    }
    rt_timer_at(g->desk->rt, &g->wait, rt_now_ms(g->desk->rt) + WAIT_MS);
}

static void on_cancelled(struct gateway_change *c, int status, const struct err *e)
{
    struct erasing *g = container_of(c, struct erasing, cancel);

    if (status == ERR_CANCELLED) {
        g->request->err = *e;
        finish(g, status);
        return;
    }
    g->request->cancelled += status == 0;
    if (status == 0)
        go_on(g);
    else
        wait_for(g);
}

/* Once each; what cannot be cancelled (it is on the air, or not handled yet) comes to its end. */
static void make_way(struct erasing *g)
{
    if (g->cancelled == g->erase.busy) {
        wait_for(g);
        return;
    }
    g->cancelled = g->erase.busy;
    gateway_cancel(g->desk->gateway, g->erase.busy, g->who, &g->cancel);
}

/* ---- step by step ----------------------------------------------------------------------------------------
 */

static void on_erased(struct store_op *op, int status)
{
    struct erasing *g = container_of(op, struct erasing, erase.op);

    if (status == ERR_BUSY) {
        make_way(g);
        return;
    }
    if (status < 0) {
        g->request->err = op->err;
        finish(g, status);
        return;
    }
    g->waits = 0;
    g->request->rows += g->erase.rows;
    if (g->request->numbers < g->erase.numbers)
        g->request->numbers = g->erase.numbers;
    g->request->opt_out = g->request->opt_out || g->erase.opt_out;
    if (g->erase.more)
        go_on(g);
    else
        finish(g, 0);
}

static void go_on(struct erasing *g)
{
    g->erase.op.done = on_erased;
    g->erase.now_wall_ms = rt_wall_ms(g->desk->rt);
    store_erase(g->desk->store, &g->erase);
}

void desk_erase(struct desk *d, struct desk_erase *r)
{
    struct erasing *g = calloc(1, sizeof *g);

    if (!g)
        abort();
    r->rows = r->cancelled = 0;
    r->numbers = 1;
    r->opt_out = false;
    r->err = (struct err){0};
    g->desk = d;
    g->request = r;
    str_copy(g->number, sizeof g->number, r->number);
    str_copy(g->who, sizeof g->who, r->who ? r->who : "");
    g->erase.number = g->number;
    g->erase.who = g->who;
    g->wait.fire = wait_over;
    g->cancel.done = on_cancelled;
    DL_APPEND(d->erasings, g);
    go_on(g);
}

/* ---- after a restart -------------------------------------------------------------------------------------
 */

static void ask_interrupted(struct resume *m);

static void on_resumed(struct desk_erase *r, int status)
{
    struct resume *m = container_of(r, struct resume, erase);

    if (status == 0)
        ask_interrupted(m);
    else if (status != ERR_CANCELLED)
        log_warning(WHO, "an interrupted erasure could not go on: %s; ask for it again", r->err.text);
}

static void on_asked(struct store_op *op, int status)
{
    struct resume *m = container_of(op, struct resume, ask.op);

    if (status < 0 || m->ask.number[0] == '\0')
        return;
    m->erase = (struct desk_erase){.number = m->ask.number, .who = m->ask.who, .done = on_resumed};
    desk_erase(m->desk, &m->erase);
}

static void ask_interrupted(struct resume *m)
{
    m->ask.op.done = on_asked;
    store_erasures(m->desk->store, &m->ask);
}

void erase_start(struct resume *m, struct desk *d)
{
    m->desk = d;
    ask_interrupted(m);
}

void erase_stop(struct desk *d)
{
    while (d->erasings) {
        struct desk_erase *r = d->erasings->request;

        erasing_free(d->erasings);
        err_set(&r->err, ERR_CANCELLED, "simgated is stopping; it goes on at its next start");
        r->done(r, ERR_CANCELLED);
    }
}
