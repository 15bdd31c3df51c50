/* The engine as an object: configuration in, and the trial of a message. What receives messages is flow.c;
 * everything here and below works without a gateway and a store.
 */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/private.h"

int engine_new(struct rt *rt, const struct engine_conf *conf,
               void (*problem_fn)(void *owner, const char *text), void *owner, struct engine **out)
{
    struct program *p = program_new(conf, problem_fn, owner);
    struct engine *en;

    *out = NULL;
    if (!p)
        return ERR_INVALID;
    en = calloc(1, sizeof *en);
    if (!en)
        abort();
    en->rt = en->world.rt = rt;
    en->program = p;
    *out = en;
    return 0;
}

void engine_set_world(struct engine *en, const struct engine_world *w)
{
    en->world.children = w->children;
    en->world.transfers = w->transfers;
}

int engine_reconfigure(struct engine *en, const struct engine_conf *conf,
                       void (*problem_fn)(void *owner, const char *text), void *owner)
{
    struct program *p = program_new(conf, problem_fn, owner);

    if (!p)
        return ERR_INVALID;
    /* The built-in handlers answer at once: no walk is under way between two events of the loop. */
    program_free(en->program);
    en->program = p;
    return 0;
}

void engine_free(struct engine *en)
{
    if (!en)
        return;
    if (en->detach)
        en->detach(en);
    program_free(en->program);
    free(en);
}

int64_t engine_guard_window_ms(const struct engine *en)
{
    return en->program->guard.window_ms;
}

/* ---- trial ----------------------------------------------------------------------------------------------
 */

static void why_segments(struct engine *en, const struct engine_trial *t, const struct verdict_reply *r,
                         struct verdict *v)
{
    struct segment_plan plan;
    struct err e = {0};

    if (!en->measure)
        return;
    if (en->measure(en, t->from, buf_str(&r->text), &plan, &e) != 0)
        verdict_explain(v, "reply: cannot be sent: %s", e.text);
    else
        verdict_explain(v, "reply: %u segment%s, %u %s", plan.count, plan.count == 1 ? "" : "s", plan.units,
                        plan.alphabet == PDU_UCS2 ? "UCS2 characters" : "septets");
}

static void why_outcome(struct engine *en, const struct engine_trial *t, struct verdict *v)
{
    verdict_explain(v, "%s", v->reason);
    for (int i = 0; i < v->neffects; i++)
        if (v->effects[i].kind == EFFECT_CONSENT)
            verdict_explain(v, "consent: the sender would be opted %s",
                            v->effects[i].n == CONSENT_OUT ? "out" : "in");
    if (v->nreplies == 0)
        verdict_explain(v, "no reply");
    for (int i = 0; i < v->nreplies; i++) {
        buf_addf(v->why, "reply to %s by %s: ", t->from, v->replies[i].source);
        buf_add(v->why, buf_str(&v->replies[i].text), v->replies[i].text.len);
        buf_addc(v->why, '\n');
        why_segments(en, t, &v->replies[i], v);
    }
}

static void trial_done(struct walk *w)
{
    (void)w; /* the built-in handlers answer at once */
}

void engine_try(struct engine *en, const struct engine_trial *t, struct engine_trial_result *out)
{
    size_t len = strlen(t->text);
    struct store_situation known = {.consent = t->consent, .automatic_replies = t->automatic_replies};
    struct handler_event ev = {.on = t->on,
                               .wall_ms = en->rt ? rt_wall_ms(en->rt) : 0,
                               .from = t->from,
                               .modem = "",
                               .key = "",
                               .name = "",
                               .language = "",
                               .message_class = -1,
                               .known = &known,
                               .own_number = t->own_number};
    struct verdict v;
    struct buf shown = {0};
    struct walk w = {.chain = en->program->chain, .event = &ev, .verdict = &v, .done = trial_done};

    *out = (struct engine_trial_result){0};
    verdict_init(&v, &out->why);
    if (t->on == ENGINE_ON_CALL)
        verdict_explain(&v, "a call");
    else if (utf8_valid(t->text, len))
        ev.text = (struct span){t->text, len};
    else
        verdict_explain(&v, "the text is not UTF-8: as a binary message");
    sensitive_show(&en->program->sensitive, &ev, &shown);
    walk_start(&w);
    if (desk_finish)
        desk_finish(en->program, &ev, &v);
    guard_filter(en->program, &ev, &v);
    why_outcome(en, t, &v);
    str_copy(out->handler, sizeof out->handler, v.handler);
    str_copy(out->rule, sizeof out->rule, v.rule);
    str_copy(out->reason, sizeof out->reason, v.reason);
    out->replies = v.nreplies;
    if (v.nreplies > 0)
        buf_add(&out->reply, buf_str(&v.replies[0].text), v.replies[0].text.len);
    verdict_fini(&v);
    buf_free(&shown);
}
