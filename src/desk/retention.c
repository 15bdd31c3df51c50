/* What is kept for a time only (desk.keep_… in gateway.conf) is erased once an hour: kind after kind, in
 * short transactions with a pause behind each, so that messages never wait for it. */
#include "base/log.h"
#include "base/util.h"
#include "desk/private.h"

#define WHO       "retention"
#define COUNTS_MS INT64_C(3456000000) /* forty days: no quota is for longer than a month */

enum { FIRST_MS = 60000, HOUR_MS = 3600000, PAUSE_MS = 20, ROWS = 200 };

static int64_t kept_ms(const struct keeper *r)
{
    const struct program *p = engine_program(r->desk->engine);
    const int64_t times[RETENTIONS] = {
        [RETAIN_CONTACTS] = p->keep.contacts_ms,
        [RETAIN_MESSAGES] = p->keep.messages_ms,
        [RETAIN_RAW] = p->keep.raw_ms,
        [RETAIN_COUNTS] = COUNTS_MS,
        [RETAIN_WORDS] = r->erased[RETAIN_CONTACTS] + r->erased[RETAIN_MESSAGES] > 0 ? 1 : 0,
    };

    return times[r->retain.kind];
}

static void wait_ms(struct keeper *r, int64_t ms)
{
    rt_timer_at(r->desk->rt, &r->timer, rt_now_ms(r->desk->rt) + ms);
}

static void tell(const struct keeper *r)
{
    if (r->erased[RETAIN_CONTACTS] + r->erased[RETAIN_MESSAGES] + r->erased[RETAIN_RAW] > 0)
        log_notice(WHO, "erased, as configured: %lld contacts, %lld messages, raw PDUs of %lld messages",
                   (long long)r->erased[RETAIN_CONTACTS], (long long)r->erased[RETAIN_MESSAGES],
                   (long long)r->erased[RETAIN_RAW]);
}

/* The next kind that is kept for a time only; none: in an hour again. */
static void next_kind(struct keeper *r)
{
    for (; r->retain.kind < RETENTIONS; r->retain.kind++) {
        r->retain.after = 0;
        if (kept_ms(r) > 0) {
            wait_ms(r, PAUSE_MS);
            return;
        }
    }
    tell(r);
    r->retain.kind = RETAIN_CONTACTS;
    for (int k = 0; k < RETENTIONS; k++)
        r->erased[k] = 0;
    wait_ms(r, HOUR_MS);
}

static void on_retained(struct store_op *op, int status)
{
    struct keeper *r = container_of(op, struct keeper, retain.op);

    if (status == ERR_CANCELLED)
        return;
    if (status < 0)
        log_warning(WHO, "%s: %s", retention_name(r->retain.kind), op->err.text);
    else
        r->erased[r->retain.kind] += r->retain.erased;
    if (status == 0 && r->retain.more) {
        wait_ms(r, PAUSE_MS);
        return;
    }
    r->retain.kind++;
    next_kind(r);
}

static void fire(struct rt_timer *t)
{
    struct keeper *r = container_of(t, struct keeper, timer);
    int64_t kept = kept_ms(r);

    if (kept <= 0) { /* by a reload, or the hour has passed */
        next_kind(r);
        return;
    }
    r->retain.op.done = on_retained;
    r->retain.now_wall_ms = rt_wall_ms(r->desk->rt);
    r->retain.before_wall_ms = r->retain.now_wall_ms - kept;
    r->retain.max = ROWS;
    store_retain(r->desk->store, &r->retain);
}

void retention_start(struct keeper *r, struct desk *d)
{
    r->desk = d;
    r->timer.fire = fire;
    r->retain.kind = RETAIN_CONTACTS;
    wait_ms(r, FIRST_MS);
}

void retention_stop(struct keeper *r)
{
    rt_timer_stop(r->desk->rt, &r->timer);
}
