/* The walk along the chain of handlers, and the verdict they write. See engine/handler.h. */
#include "engine/handler.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void verdict_init(struct verdict *v, struct buf *why)
{
    *v = (struct verdict){
        .handler = "", .rule = "", .room = VERDICT_AUTOMATIC, .thread = THREAD_OPEN, .why = why};
}

void verdict_fini(struct verdict *v)
{
    while (v->nreplies > 0)
        verdict_unreply(v);
    buf_free(&v->alarm);
    for (int i = 0; i < v->nkept; i++)
        free(v->kept[i]);
    free(v->kept);
    v->kept = NULL;
    v->nkept = 0;
}

static const char *keep(struct verdict *v, char *text)
{
    if (!text || !(v->kept = reallocarray(v->kept, (size_t)v->nkept + 1, sizeof *v->kept)))
        abort();
    return v->kept[v->nkept++] = text;
}

const char *verdict_keep(struct verdict *v, const char *text)
{
    return text ? keep(v, strdup(text)) : NULL;
}

const char *verdict_keepf(struct verdict *v, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    va_end(ap);
    return keep(v, text);
}

bool verdict_effect(struct verdict *v, const struct store_effect *e)
{
    struct store_effect *out = &v->effects[v->neffects];

    if (v->neffects == VERDICT_EFFECTS) {
        if (v->left_out++ == 0)
            v->left_out_first = e->kind;
        return false;
    }
    *out = *e;
    out->number = verdict_keep(v, e->number);
    out->name = verdict_keep(v, e->name);
    out->key = verdict_keep(v, e->key);
    out->value = verdict_keep(v, e->value);
    out->who = verdict_keep(v, e->who ? e->who : v->by);
    v->neffects++;
    return true;
}

void verdict_flag(struct verdict *v, const struct handler_event *ev, const char *why)
{
    bool has = ev->on >= ENGINE_ON_REPORT ? ev->conversation != 0 : *ev->from && v->thread != THREAD_NONE;

    if (has && verdict_effect(v, &(struct store_effect){.kind = EFFECT_FLAG, .n = 1, .value = why}))
        return;
    if (v->alarm.len)
        buf_adds(&v->alarm, "; ");
    buf_adds(&v->alarm, why);
}

void verdict_reason(struct verdict *v, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(v->reason, sizeof v->reason, fmt, ap);
    va_end(ap);
    for (size_t len = strlen(v->reason); !utf8_valid(v->reason, len); len--)
        v->reason[len - 1] = '\0'; /* cut within a character */
}

struct verdict_reply *verdict_reply(struct verdict *v, const char *source, bool consent)
{
    struct verdict_reply *r = &v->replies[v->nreplies];

    if (v->room <= 0 || v->nreplies == VERDICT_REPLIES)
        return NULL;
    *r = (struct verdict_reply){.source = source, .consent = consent};
    v->nreplies++;
    v->room--;
    return r;
}

struct verdict_reply *verdict_send(struct verdict *v, const char *source, const char *to)
{
    struct verdict_reply *r = &v->replies[v->nreplies];

    if (v->nreplies == VERDICT_REPLIES)
        return NULL;
    *r = (struct verdict_reply){.source = source, .to = verdict_keep(v, to)};
    v->nreplies++;
    return r;
}

void verdict_unreply(struct verdict *v)
{
    v->nreplies--;
    v->room += v->replies[v->nreplies].to == NULL;
    buf_free(&v->replies[v->nreplies].text);
}

void verdict_explain(struct verdict *v, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    utf8_mend(line);
    buf_adds(v->why, line);
    buf_addc(v->why, '\n');
}

static bool is_asked(const struct handler *h, const struct handler_event *ev)
{
    unsigned on = h->on ? h->on : 1U << ENGINE_ON_MESSAGE | 1U << ENGINE_ON_CALL;

    return on & 1U << ev->on;
}

/* Asks one after the other until one decides, answers later, or is the last. */
static void walk_on(struct walk *w)
{
    struct handler *h;

    for (; (h = w->chain[w->at]); w->at++) {
        enum handler_answer answer =
            is_asked(h, w->event) ? h->decide(h, w->event, w->verdict, w) : HANDLER_NEXT;

        if (answer == HANDLER_LATER) {
            if (!w->waits_for)
                w->waits_for = h;
            return;
        }
        w->verdict->handler = h->name;
        if (answer == HANDLER_STOP)
            break;
    }
    w->done(w);
}

void walk_start(struct walk *w)
{
    w->at = 0;
    w->waits_for = NULL;
    walk_on(w);
}

void walk_resume(struct walk *w, enum handler_answer answer)
{
    w->verdict->handler = w->chain[w->at]->name;
    w->waits_for = NULL;
    if (answer == HANDLER_STOP) {
        w->done(w);
        return;
    }
    w->at++;
    walk_on(w);
}

void walk_cancel(struct walk *w)
{
    struct handler *h = w->waits_for;

    w->waits_for = NULL;
    if (h && h->abandon)
        h->abandon(h, w);
}
