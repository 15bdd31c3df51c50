/* See outside.h. */
#include "tests/lib/outside.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { SETTLE_MS = 5 };

static int child_start(struct child_host *h, const struct child_conf *conf, struct child **out, struct err *e)
{
    struct outside *o = container_of(h, struct outside, children);
    struct child *c;

    *out = NULL;
    if (o->refuse_start)
        return err_set(e, o->refuse_start, "%s: refused by the test", conf->argv[0]);
    if (o->nchildren == OUTSIDE_MOST)
        abort();
    c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->o = o;
    c->conf = *conf;
    for (int i = 0; i < OUTSIDE_WORDS && conf->argv[i]; i++)
        c->argv[i] = strdup(conf->argv[i]);
    *out = o->child[o->nchildren++] = c;
    return 0;
}

static void child_write(struct child *c, const char *at, size_t len)
{
    buf_add(&c->input, at, len);
}

static size_t child_pending(const struct child *c)
{
    (void)c;
    return 0;
}

static void child_end_input(struct child *c)
{
    c->input_ended = true;
}

static void child_kill(struct child *c, int signal)
{
    c->killed = signal;
}

static void child_forget(struct child *c)
{
    c->forgotten = true;
}

static void transfer_start(struct transfer_host *h, struct transfer *t)
{
    struct outside *o = container_of(h, struct outside, transfers);
    struct outside_request *r = &o->request[o->nrequests];

    if (o->nrequests++ == OUTSIDE_MOST)
        abort();
    *r = (struct outside_request){.t = t};
    str_copy(r->url, sizeof r->url, t->url);
    for (; t->headers && t->headers[r->nheaders]; r->nheaders++)
        str_copy(r->headers[r->nheaders], sizeof r->headers[0], t->headers[r->nheaders]);
    buf_add(&r->body, t->body, t->body_len);
    t->impl = r;
}

static void transfer_cancel(struct transfer_host *h, struct transfer *t)
{
    struct outside_request *r = t->impl;

    (void)h;
    r->t = NULL;
    r->cancelled = true;
}

void outside_init(struct outside *o, struct rt *rt)
{
    static const struct child_ops children = {child_start,     child_write, child_pending,
                                              child_end_input, child_kill,  child_forget};
    static const struct transfer_ops transfers = {transfer_start, transfer_cancel};

    *o = (struct outside){.rt = rt, .children = {&children}, .transfers = {&transfers}};
}

void outside_fini(struct outside *o)
{
    for (int i = 0; i < o->nchildren; i++) {
        for (int k = 0; k < OUTSIDE_WORDS; k++)
            free(o->child[i]->argv[k]);
        buf_free(&o->child[i]->input);
        free(o->child[i]);
    }
    for (int i = 0; i < o->nrequests; i++)
        buf_free(&o->request[i].body);
}

void outside_settle(struct outside *o)
{
    rt_sim_run_for(o->rt, SETTLE_MS);
}

void outside_says(struct outside *o, int child, const char *text)
{
    struct child *c = o->child[child];

    if (!c->forgotten)
        c->conf.output(c->conf.owner, text, strlen(text));
    outside_settle(o);
}

void outside_complains(struct outside *o, int child, const char *text)
{
    struct child *c = o->child[child];

    if (!c->forgotten)
        c->conf.error(c->conf.owner, text, strlen(text));
    outside_settle(o);
}

void outside_exits(struct outside *o, int child, int status, int signal)
{
    struct child *c = o->child[child];

    c->ended = true;
    if (!c->forgotten)
        c->conf.exited(c->conf.owner, status, signal);
    outside_settle(o);
}

void outside_answers(struct outside *o, int request, long code, const char *body)
{
    struct transfer *t = o->request[request].t;

    if (!t)
        return;
    o->request[request].t = NULL;
    t->code = code;
    buf_adds(&t->answer, body);
    t->done(t, 0);
    outside_settle(o);
}

void outside_fails(struct outside *o, int request, int status, const char *why)
{
    struct transfer *t = o->request[request].t;

    if (!t)
        return;
    o->request[request].t = NULL;
    err_set(&t->err, status, "%s", why);
    t->done(t, status);
    outside_settle(o);
}
