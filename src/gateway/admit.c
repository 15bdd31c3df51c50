/* Admission: the one way in for every producer. A request is checked and composed at once, stored in one
 * transaction, and answered from the commit's callback. Owns the request's copy until then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

struct admission {
    struct job job;
    struct gateway_admit *a;
    struct store_admit op;
    struct store_new_message *messages;
    struct composed *composed;
    char (*sims)[MSG_MODEM_BYTES]; /* per message: the modem that received what it answers, "" none */
    struct store_show show;
    int looked; /* messages for which that is known */
    int status; /* of a request that is refused at once */
};

const char *gw_known(struct gateway *g, bool pools, char *out, size_t size)
{
    size_t n = 0;
    str_copy(out, size, pools ? "(none: modems[].pool gives a modem one)" : "(none)");
    for (int i = 0; i < g->npipes && n < size; i++) {
        const char *name = pools ? g->pipes[i]->pool : g->pipes[i]->name;
        bool seen = !*name;
        for (int k = 0; pools && k < i; k++)
            seen |= strcmp(g->pipes[k]->pool, name) == 0;
        if (!seen)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", name);
    }
    return out;
}

static void admission_drop(struct job *j)
{
    struct admission *ad = container_of(j, struct admission, job);
    for (int i = 0; i < ad->op.count; i++)
        gw_composed_free(&ad->composed[i]);
    store_show_clear(&ad->show);
    free(ad->sims);
    free(ad->composed);
    free(ad->messages);
    free(ad);
}

static void refuse_all(struct gateway_admit *a, int code, const char *text)
{
    for (int i = 0; i < a->count; i++)
        err_set(&a->results[i].err, code, "%s", text);
}

/* One of the request cannot be accepted: nor are the others, but those that were before. Its error's code. */
static int cancel_others(struct gateway_admit *a)
{
    int bad = 0;
    while (!a->results[bad].err.code)
        bad++;
    for (int i = 0; i < a->count; i++)
        if (a->results[i].err.code == 0 && a->results[i].id == 0)
            err_set(&a->results[i].err, ERR_CANCELLED,
                    "not accepted because message %d of the request is not", bad + 1);
    return a->results[bad].err.code;
}

static void on_refused(struct job *j)
{
    struct admission *ad = container_of(j, struct admission, job);
    struct gateway_admit *a = ad->a;
    int status = ad->status;
    gw_job_end(j);
    a->done(a, status);
}

/* Where the request failed, only what was accepted before has an id. */
static void fill_results(struct admission *ad, bool failed)
{
    for (int i = 0; i < ad->a->count; i++) {
        struct gateway_admitted *r = &ad->a->results[i];
        const struct store_new_message *m = &ad->messages[i];
        r->existed = m->existed;
        r->id = m->existed || !failed ? m->id : 0;
        if (m->existed) {
            r->parts = m->nparts;
            r->err = (struct err){0};
        }
        if (m->opted_out)
            err_set(&r->err, ERR_REFUSED, "to: %s", m->refused);
    }
}

void gw_index_flags(struct queue_entry *e, uint32_t flags)
{
    e->quiet = (flags & MSG_F_QUIET) != 0;
    e->cheapest = (flags & MSG_F_CHEAPEST) != 0;
}

void gw_index_new(struct gateway *g, const struct store_new_message *m, int count)
{
    int64_t now = rt_now_ms(g->rt);
    for (int i = 0; i < count; i++, m++) {
        if (!m->id || m->existed || m->opted_out)
            continue;
        struct queue_entry *e = queue_new(&g->q, m->id, m->source);
        e->due_ms = gw_due_from_wall(g, m->due_wall_ms, now);
        e->expires_ms = gw_from_wall(g, m->expires_wall_ms);
        e->modem = queue_name(&g->q, m->modem);
        e->pool = queue_name(&g->q, m->pool);
        gw_index_flags(e, m->flags);
        gw_spent(g, m);
        if (m->flags & MSG_F_PREFER)
            e->prefer_until_ms = e->due_ms + QUEUE_WISH_MS;
        e->priority = (uint8_t)m->priority;
        e->parts = (uint8_t)m->nparts;
        str_copy(e->peer, sizeof(e->peer), m->peer);
        if (e->due_ms > now)
            gw_scheduled(g, e);
        queue_put(&g->q, e, now);
        g->stats.admitted++;
    }
}

void gw_tell_new(struct gateway *g, const struct store_new_message *m, int count)
{
    for (int i = 0; i < count; i++, m++) {
        const struct queue_entry *e = m->id && !m->existed ? queue_find(&g->q, m->id) : NULL;
        if (!e)
            continue;
        gw_emit(g, &(struct gateway_event){.kind = EV_QUEUED,
                                           .message = m->id,
                                           .state = MSG_QUEUED,
                                           .parts = m->nparts,
                                           .peer = m->peer,
                                           .modem = e->modem,
                                           .reason = m->reason});
    }
    gw_kick(g);
}

static void on_admitted(struct store_op *op, int status)
{
    struct admission *ad = container_of(op, struct admission, op.op);
    struct gateway *g = ad->job.g;
    struct gateway_admit *a = ad->a;
    if (status == 0) {
        gw_store_works(g);
        fill_results(ad, false);
        gw_index_new(g, ad->messages,
                     ad->op.count); /* reads what the request holds, which ends with `done` */
        a->done(a, 0); /* durable: whoever asked may now be told, and knows the ids before the first event */
        gw_tell_new(g, ad->messages, ad->op.count);
    } else if (status == ERR_NOT_FOUND) {
        fill_results(ad, true);
        a->done(a, cancel_others(a));
    } else {
        struct err why = op->err;
        if (status == ERR_FULL)
            err_wrap(&why, "no room on the disk of the database");
        refuse_all(a, status, why.text);
        gw_store_failed(g, status, &op->err);
        a->done(a, status);
    }
    gw_job_end(&ad->job);
}

/* What cannot be accepted now may have been before, with its key: the caps of a day, routes, the settings and
 * what they depend on may be others since. The store knows. */
static void doubt(struct admission *ad, int i)
{
    ad->messages[i].key = ad->a->sends[i].key;
    ad->messages[i].known_only = true;
}

static void compose_all(struct gateway *g, struct admission *ad, int64_t now_wall_ms)
{
    struct gateway_admit *a = ad->a;
    for (int i = 0; i < a->count; i++) {
        struct gateway_admitted *r = &a->results[i];
        *r = (struct gateway_admitted){0};
        struct gateway_send s = a->sends[i];
        if (*ad->sims[i])
            s.modem = ad->sims[i];
        int rc = gw_compose(g, &s, now_wall_ms, &ad->messages[i], &ad->composed[i], &r->err);
        str_copy(r->to, sizeof(r->to), ad->composed[i].to);
        r->parts = (int)ad->composed[i].plan.count;
        if (rc < 0)
            doubt(ad, i);
    }
}

static void check_queue(struct gateway *g, struct admission *ad)
{
    char text[80];
    if (g->conf->queue_max <= 0 || (int64_t)g->q.nentries + ad->a->count <= g->conf->queue_max)
        return;
    snprintf(text, sizeof(text), "the queue is full: %u messages wait, at most %d are allowed", g->q.nentries,
             g->conf->queue_max);
    for (int i = 0; i < ad->a->count; i++)
        if (!ad->messages[i].known_only) {
            err_set(&ad->a->results[i].err, ERR_FULL, "%s", text);
            doubt(ad, i);
        }
}

static bool may_be_known(const struct admission *ad)
{
    for (int i = 0; i < ad->a->count; i++)
        if (ad->messages[i].known_only && (!ad->messages[i].key || !*ad->messages[i].key))
            return false;
    return true;
}

/* Everything that must be known is. */
static void admit(struct admission *ad)
{
    struct gateway *g = ad->job.g;
    ad->op.now_wall_ms = rt_wall_ms(g->rt);
    compose_all(g, ad, ad->op.now_wall_ms);
    check_queue(g, ad);
    if (may_be_known(ad)) {
        store_admit(g->store, &ad->op);
        return;
    }
    ad->status = cancel_others(ad->a);
    gw_defer(g, &ad->job, on_refused);
}

static void look_up(struct admission *ad);

static void on_looked_up(struct store_op *op, int status)
{
    struct admission *ad = container_of(container_of(op, struct store_show, op), struct admission, show);
    if (status == 0 && ad->show.row.direction == MSG_IN)
        str_copy(ad->sims[ad->looked], MSG_MODEM_BYTES, ad->show.row.modem);
    store_show_clear(&ad->show);
    ad->looked++;
    look_up(ad);
}

/* An answer goes by the SIM that the customer wrote to, where its giver says nothing else. */
static void look_up(struct admission *ad)
{
    for (; ad->looked < ad->a->count; ad->looked++) {
        const struct gateway_send *s = &ad->a->sends[ad->looked];
        if (!s->reply_to || (s->modem && *s->modem) || (s->pool && *s->pool))
            continue;
        ad->show = (struct store_show){.op.done = on_looked_up, .id = s->reply_to};
        store_show(ad->job.g->store, &ad->show);
        return;
    }
    admit(ad);
}

void gateway_admit(struct gateway *g, struct gateway_admit *a)
{
    struct admission *ad = gw_alloc(sizeof(*ad));
    ad->a = a;
    ad->messages = gw_alloc((size_t)a->count * sizeof(*ad->messages));
    ad->composed = gw_alloc((size_t)a->count * sizeof(*ad->composed));
    ad->sims = gw_alloc((size_t)a->count * sizeof(*ad->sims));
    gw_job_add(g, &ad->job, admission_drop);
    ad->op = (struct store_admit){.op.done = on_admitted, .messages = ad->messages, .count = a->count};
    look_up(ad);
}
