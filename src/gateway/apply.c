/* What is decided about no received message: an event's rules, a late answer of a handler, a person, a clock.
 * The same transaction as for a received message (decide.c), all or nothing, and its giver is told. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "gateway/private.h"

struct applying {
    struct job job;
    struct gateway_apply *a;
    struct decision d;
    struct store_situation known; /* of the conversation, where only that is given */
    int status;
};

static void applying_drop(struct job *j)
{
    struct applying *ap = container_of(j, struct applying, job);
    gw_decision_free(&ap->d);
    store_situation_clear(&ap->known);
    free(ap);
}

static void tell_ids(struct applying *ap)
{
    struct gateway_apply *a = ap->a;
    for (int i = 0; i < ap->d.nreplies; i++)
        if ((size_t)ap->d.places[i] < ARRAY_LEN(a->messages))
            a->messages[ap->d.places[i]] = ap->d.replies[i].id;
}

static void on_stored(struct store_op *op, int status)
{
    struct applying *ap = container_of(op, struct applying, d.op.op);
    struct gateway *g = ap->job.g;
    struct gateway_apply *a = ap->a;
    if (status == 0) {
        gw_store_works(g);
        a->conversation = ap->d.op.conversation;
        tell_ids(ap);
        log_debug(WHO, "applied by=%s conversation=%lld replies=%d reason=%s", ap->d.op.who,
                  (long long)ap->d.op.conversation, ap->d.nreplies, ap->d.op.reason);
        gw_decision_stored(g, &ap->d);
        a->done(a, 0);
        gw_tell_new(g, ap->d.replies, ap->d.nreplies);
    } else {
        a->err = op->err;
        if (gw_store_may_recover(status))
            gw_store_failed(g, status, &op->err);
        a->done(a, status);
    }
    gw_job_end(&ap->job);
}

static void on_refused(struct job *j)
{
    struct applying *ap = container_of(j, struct applying, job);
    struct gateway_apply *a = ap->a;
    int status = ap->status;
    gw_job_end(j);
    a->done(a, status);
}

/* Everything that must be known is. */
static void submit(struct applying *ap)
{
    struct gateway *g = ap->job.g;
    ap->status = gw_decision_compose(g, &ap->d, &ap->a->err);
    if (ap->status < 0) {
        gw_defer(g, &ap->job, on_refused);
        return;
    }
    ap->a->err = (struct err){0};
    ap->d.op.op.done = on_stored;
    store_handle(g->store, &ap->d.op);
}

static void on_known(struct store_op *op, int status)
{
    struct applying *ap = container_of(op, struct applying, known.op);
    if (status < 0) {
        struct gateway_apply *a = ap->a;
        a->err = op->err;
        gw_job_end(&ap->job);
        a->done(a, status);
        return;
    }
    str_copy(ap->d.number, sizeof(ap->d.number), ap->known.conv.number);
    str_copy(ap->d.sim, sizeof(ap->d.sim), ap->known.conv.sim);
    submit(ap);
}

void gateway_apply(struct gateway *g, struct gateway_apply *a)
{
    struct applying *ap = gw_alloc(sizeof(*ap));
    bool caused = a->event || a->delivery;
    gw_job_add(g, &ap->job, applying_drop);
    ap->a = a;
    a->conversation = 0;
    memset(a->messages, 0, sizeof(a->messages));
    a->err = (struct err){0};
    gw_decision_take(&ap->d, a->verdict);
    ap->d.op.event = a->event;
    ap->d.op.delivery = a->delivery;
    ap->d.op.depth = caused ? a->depth + 1 : a->depth;
    ap->d.op.strict = !caused;
    ap->d.op.number = gw_decision_keep(&ap->d, a->number);
    ap->d.op.sim = gw_decision_keep(&ap->d, a->sim);
    str_copy(ap->d.number, sizeof(ap->d.number), a->number ? a->number : "");
    str_copy(ap->d.sim, sizeof(ap->d.sim), a->sim ? a->sim : "");
    if (ap->d.op.conversation == 0 || ap->d.op.thread == THREAD_OPEN || (a->number && a->sim)) {
        submit(ap);
        return;
    }
    ap->known = (struct store_situation){.op.done = on_known, .of = ap->d.op.conversation};
    store_situation(g->store, &ap->known);
}

void gateway_set_work(struct gateway *g, gateway_on_work fn, void *owner)
{
    store_set_work(g->store, fn, owner);
}
