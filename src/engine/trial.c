/* The trial of an event against the program: the same chain and the same endings as flow.c's, without a store
 * and without handlers outside, and everything explained.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/private.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void tell_message(struct engine *en, const char *from, const struct verdict_reply *r,
                         struct engine_trial_message *out, struct verdict *v)
{
    const char *to = r->to ? r->to : from;
    struct segment_plan plan;
    struct err e = {0};

    str_copy(out->to, sizeof out->to, to);
    str_copy(out->source, sizeof out->source, r->source);
    buf_add(&out->text, buf_str(&r->text), r->text.len);
    buf_addf(v->why, "%s to %s by %s: ", r->to ? "message" : "reply", to, r->source);
    buf_add(v->why, buf_str(&r->text), r->text.len);
    buf_addc(v->why, '\n');
    if (!en->measure)
        return;
    if (en->measure(en, to, buf_str(&r->text), &plan, &e) != 0) {
        verdict_explain(v, "reply: cannot be sent: %s", e.text);
        return;
    }
    out->segments = (int)plan.count;
    verdict_explain(v, "reply: %u segment%s, %u %s", plan.count, plan.count == 1 ? "" : "s", plan.units,
                    plan.alphabet == PDU_UCS2 ? "UCS2 characters" : "septets");
}

static void tell_effects(const struct verdict *v, struct buf *out)
{
    static const char *const priorities[] = {[PRIORITY_LOW] = "low",
                                             [PRIORITY_NORMAL] = "normal",
                                             [PRIORITY_HIGH] = "high",
                                             [PRIORITY_URGENT] = "urgent"};

    for (int i = 0; i < v->neffects; i++) {
        const struct store_effect *e = &v->effects[i];

        if (e->kind == EFFECT_CLOCK) /* follows from the others, and says nothing to people */
            continue;
        buf_adds(out, effect_name(e->kind));
        if (e->kind == EFFECT_STATE)
            buf_addf(out, " %s", conv_state_name((enum conv_state)e->n));
        else if (e->kind == EFFECT_CONSENT)
            buf_adds(out, e->n == CONSENT_OUT ? " out" : " in");
        else if (e->kind == EFFECT_PRIORITY)
            buf_addf(out, " %s", priorities[e->n]);
        if (e->name && *e->name)
            buf_addf(out, " %s", e->name);
        if (e->value && *e->value && e->kind != EFFECT_DELIVER)
            buf_addf(out, "%s%s", e->name && *e->name ? "=" : " ", e->value);
        buf_addc(out, '\n');
    }
}

static void tell_outcome(struct engine *en, const char *from, struct verdict *v,
                         struct engine_trial_result *out)
{
    verdict_explain(v, "%s", v->reason);
    for (int i = 0; i < v->neffects; i++)
        if (v->effects[i].kind == EFFECT_CONSENT)
            verdict_explain(v, "consent: the sender would be opted %s",
                            v->effects[i].n == CONSENT_OUT ? "out" : "in");
    if (v->nreplies == 0)
        verdict_explain(v, "no reply");
    out->replies = v->nreplies < TRIAL_MESSAGES ? v->nreplies : TRIAL_MESSAGES;
    for (int i = 0; i < out->replies; i++)
        tell_message(en, from, &v->replies[i], &out->messages[i], v);
    tell_effects(v, &out->effects);
    str_copy(out->handler, sizeof out->handler, v->handler);
    str_copy(out->rule, sizeof out->rule, v->rule);
    str_copy(out->reason, sizeof out->reason, v->reason);
    for (int i = v->nreplies - 1; i >= 0; i--) {
        if (v->replies[i].to)
            continue;
        buf_clear(&out->reply);
        buf_add(&out->reply, buf_str(&v->replies[i].text), v->replies[i].text.len);
    }
}

static void trial_done(struct walk *w)
{
    (void)w; /* those that are asked in a trial answer at once */
}

static void fill_event(const struct engine *en, const struct engine_trial *t,
                       const struct store_situation *known, struct handler_event *ev)
{
    int64_t now_wall_ms = t->at_wall_ms ? t->at_wall_ms : en->rt ? rt_wall_ms(en->rt) : 0;

    *ev = (struct handler_event){.on = (int)t->on,
                                 .wall_ms = now_wall_ms,
                                 .now_wall_ms = now_wall_ms,
                                 .from = t->from,
                                 .modem = or_empty(t->modem),
                                 .pool = t->pool,
                                 .to = t->to,
                                 .key = "",
                                 .name = or_empty(t->name),
                                 .message_class = -1,
                                 .known = known,
                                 .own_number = t->own_number,
                                 .language = ""};
    ev->conversation = known->conv.id ? known->conv.id : known->reserved;
}

static void fill_text(const struct engine_trial *t, struct handler_event *ev, struct verdict *v)
{
    size_t len = strlen(t->text);

    if (t->on == ENGINE_ON_CALL)
        verdict_explain(v, "a call");
    else if (utf8_valid(t->text, len))
        ev->text = (struct span){t->text, len};
    else
        verdict_explain(v, "the text is not UTF-8: as a binary message");
}

void engine_try(struct engine *en, const struct engine_trial *t, struct engine_trial_result *out)
{
    struct program *p = en->program;
    struct store_situation bare = {.consent = t->consent, .automatic_replies = t->automatic_replies};
    struct handler_event ev;
    struct verdict v;
    struct buf shown = {0};
    struct walk w = {.chain = p->trial, .event = &ev, .verdict = &v, .done = trial_done};

    *out = (struct engine_trial_result){0};
    lists_refresh_now(p->lists);
    verdict_init(&v, &out->why);
    fill_event(en, t, t->known ? t->known : &bare, &ev);
    fill_text(t, &ev, &v);
    ev.language = program_language(p, &ev);
    sensitive_show(&p->sensitive, &ev, &shown);
    walk_start(&w);
    desk_finish(p, &ev, &v);
    guard_filter(p, &ev, &v);
    tell_outcome(en, t->from, &v, out);
    verdict_fini(&v);
    buf_free(&shown);
}

void engine_trial_clear(struct engine_trial_result *r)
{
    for (int i = 0; i < TRIAL_MESSAGES; i++)
        buf_free(&r->messages[i].text);
    buf_free(&r->effects);
    buf_free(&r->reply);
    buf_free(&r->why);
}
