/* One operation on one conversation, for whoever is no telephone: what is known of it, then its plan, then
 * one transaction. See desk/desk.h.
 */
#include "desk/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "desk/private.h"

/* A desk_do on its way; owned by the desk until its `done`. */
struct doing {
    struct desk *desk;
    struct desk_do *request;
    struct store_situation known;
    struct store_show given; /* by the request's key before */
    struct operation_plan plan;
    struct draft draft;
    struct gateway_apply apply;
    char who[DESK_WHO_BYTES], reason[MSG_REASON_BYTES];
    struct doing *prev, *next;
};

static void doing_free(struct doing *g)
{
    DL_DELETE(g->desk->doings, g);
    store_situation_clear(&g->known);
    store_show_clear(&g->given);
    draft_fini(&g->draft);
    free(g);
}

static void finish(struct doing *g, int status)
{
    struct desk_do *r = g->request;

    doing_free(g);
    r->done(r, status);
}

/* Where the conversation stands behind it. */
static enum conv_state state_after(const struct doing *g)
{
    enum conv_state state = g->plan.reply ? CONV_WAITING : g->known.conv.state;

    for (int i = 0; i < g->plan.neffects; i++)
        if (g->plan.effects[i].kind == EFFECT_STATE)
            state = (enum conv_state)g->plan.effects[i].n;
    return state;
}

static void applied(struct gateway_apply *a, int status)
{
    struct doing *g = container_of(a, struct doing, apply);
    struct desk_do *r = g->request;

    if (status == 0) {
        r->state = state_after(g);
        r->message = g->plan.reply ? a->messages[0] : 0;
        str_copy(r->words, sizeof r->words, g->plan.words);
    } else {
        r->err = a->err;
    }
    finish(g, status);
}

static void add_reply(struct doing *g)
{
    const struct desk_do *r = g->request;
    const struct conv_row *c = &g->known.conv;
    struct buf *text;
    struct gateway_send *s = draft_to_customer(&g->draft, c, &text);

    operation_route(desk_staff(g->desk), c, &s->modem, &s->pool);
    buf_adds(text, r->value);
    s->person = true;
    s->who = s->source = g->who;
    s->key = r->key;
    s->override_reason = r->override_reason;
}

static void draft(struct doing *g)
{
    const struct program *p = engine_program(g->desk->engine);
    const struct desk_do *r = g->request;
    struct gateway_verdict *v = &g->draft.verdict;

    snprintf(g->who, sizeof g->who, "%s%s", r->person && *r->person ? "person:" : "",
             r->person && *r->person ? staff_person(&p->staff, r->person)->name
             : r->who                ? r->who
                                     : "desk");
    snprintf(g->reason, sizeof g->reason, "desk: %s", operation_name(r->op));
    *v = (struct gateway_verdict){.reason = g->reason,
                                  .who = g->who,
                                  .effects = g->plan.effects,
                                  .neffects = g->plan.neffects,
                                  .conversation = r->conversation};
    if (g->plan.reply)
        add_reply(g);
    for (int i = 0; p->relay.on && i < g->plan.ntold; i++) {
        struct buf *text = draft_to_staff(&g->draft, &g->known.conv, g->plan.told[i], NULL);

        if (text)
            relay_told(p, &g->known.conv, &g->plan, r->person && *r->person ? r->person : "the desk",
                       r->value, text);
    }
}

static void plan(struct doing *g)
{
    struct desk_do *r = g->request;
    struct operation_request request = {
        .op = r->op, .value = r->value, .person = r->person, .now_wall_ms = rt_wall_ms(g->desk->rt)};
    int status = operation_plan(desk_staff(g->desk), &g->known.conv, &request, &g->plan, &r->err);

    if (status != 0) {
        finish(g, status);
        return;
    }
    draft(g);
    g->apply = (struct gateway_apply){.number = g->known.conv.number,
                                      .sim = g->known.conv.sim,
                                      .verdict = draft_verdict(&g->draft),
                                      .done = applied};
    gateway_apply(g->desk->gateway, &g->apply);
}

/* What was answered by this key is not answered again, nor is anything else done, or refused, again. */
static void on_given(struct store_op *op, int status)
{
    struct doing *g = container_of(op, struct doing, given.op);
    struct desk_do *r = g->request;

    if (status == ERR_NOT_FOUND) {
        plan(g);
        return;
    }
    r->err = op->err;
    r->message = g->given.row.id;
    str_copy(r->words, sizeof r->words, "answered before");
    finish(g, status);
}

static void on_known(struct store_op *op, int status)
{
    struct doing *g = container_of(op, struct doing, known.op);
    struct desk_do *r = g->request;

    if (status != 0) {
        r->err = op->err;
        if (status == ERR_NOT_FOUND)
            err_set(&r->err, status, "there is no conversation %lld", (long long)r->conversation);
        finish(g, status);
        return;
    }
    r->conversation = g->known.conv.id;
    r->state = g->known.conv.state;
    if (!r->key || !*r->key) {
        plan(g);
        return;
    }
    g->given = (struct store_show){.op.done = on_given, .key = r->key};
    store_show(g->desk->store, &g->given);
}

void desk_do(struct desk *d, struct desk_do *r)
{
    struct doing *g = calloc(1, sizeof *g);

    if (!g)
        abort();
    r->err = (struct err){0};
    r->words[0] = '\0';
    r->state = CONV_NEW;
    r->message = 0;
    g->desk = d;
    g->request = r;
    DL_APPEND(d->doings, g);
    g->known = (struct store_situation){.op.done = on_known, .of = r->conversation};
    store_situation(d->store, &g->known);
}

const struct staff *desk_staff(const struct desk *d)
{
    return &engine_program(d->engine)->staff;
}

struct desk *desk_new(struct rt *rt, struct engine *en, struct gateway *g, struct store *s)
{
    struct desk *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    *d = (struct desk){.rt = rt, .engine = en, .gateway = g, .store = s};
    clocks_start(&d->clocks, d);
    settling_start(&d->settling, d);
    retention_start(&d->keeper, d);
    erase_start(&d->resume, d);
    return d;
}

void desk_free(struct desk *d)
{
    if (!d)
        return;
    clocks_stop(&d->clocks);
    settling_stop(&d->settling);
    retention_stop(&d->keeper);
    erase_stop(d);
    while (d->doings)
        doing_free(d->doings);
    free(d);
}
