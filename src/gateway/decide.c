/* What is decided, about a received message (handle.c) or anything else (apply.c): the copy of a verdict, its
 * messages composed, the one operation of the store, and what watchers hear when it is durable. Owns copies
 * of everything that the verdict borrowed. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "gateway/private.h"

void gw_decision_free(struct decision *d)
{
    for (int i = 0; i < d->nreplies; i++)
        gw_composed_free(&d->composed[i]);
    for (int i = 0; i < d->nstrings; i++)
        free(d->strings[i]);
    free(d->strings);
    free(d->sends);
    free(d->effects);
    free(d->replies);
    free(d->composed);
    free(d->places);
    *d = (struct decision){0};
}

/* ---- the copy ---- */

static void *keep_bytes(struct decision *d, const void *bytes, size_t len)
{
    if (!bytes)
        return NULL;
    d->strings = realloc(d->strings, (size_t)(d->nstrings + 1) * sizeof(char *));
    if (!d->strings)
        abort();
    d->strings[d->nstrings] = gw_alloc(len + 1);
    return memcpy(d->strings[d->nstrings++], bytes, len);
}

const char *gw_decision_keep(struct decision *d, const char *text)
{
    return text ? keep_bytes(d, text, strlen(text)) : NULL;
}

static void keep_send(struct decision *d, struct gateway_send *s)
{
    const char **texts[] = {&s->to,   &s->text, &s->modem,           &s->pool, &s->source,    &s->key,
                            &s->meta, &s->who,  &s->override_reason, &s->smsc, &s->department};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = gw_decision_keep(d, *texts[i]);
    s->data = keep_bytes(d, s->data, s->data_len);
    s->udh = keep_bytes(d, s->udh, s->udh_len);
}

static void keep_effect(struct decision *d, struct store_effect *e)
{
    e->number = gw_decision_keep(d, e->number);
    e->name = gw_decision_keep(d, e->name);
    e->key = gw_decision_keep(d, e->key);
    e->value = gw_decision_keep(d, e->value);
    e->who = gw_decision_keep(d, e->who);
}

void gw_decision_take(struct decision *d, const struct gateway_verdict *v)
{
    int n = v->nreplies > 0 ? v->nreplies : 0;
    d->sends = gw_alloc((size_t)n * sizeof(*d->sends));
    d->replies = gw_alloc((size_t)n * sizeof(*d->replies));
    d->composed = gw_alloc((size_t)n * sizeof(*d->composed));
    d->places = gw_alloc((size_t)n * sizeof(*d->places));
    d->effects = gw_alloc((size_t)v->neffects * sizeof(*d->effects));
    for (d->nsends = 0; d->nsends < n; d->nsends++) {
        d->sends[d->nsends] = v->replies[d->nsends];
        keep_send(d, &d->sends[d->nsends]);
    }
    for (int i = 0; i < v->neffects; i++) {
        d->effects[i] = v->effects[i];
        keep_effect(d, &d->effects[i]);
    }
    d->alarm = gw_decision_keep(d, v->alarm);
    d->op = (struct store_handle){.reason = gw_decision_keep(d, v->reason ? v->reason : ""),
                                  .who = gw_decision_keep(d, v->who ? v->who : "engine"),
                                  .thread = v->thread,
                                  .reopen_ms = v->reopen_ms,
                                  .conversation = v->conversation,
                                  .effects = d->effects,
                                  .neffects = v->neffects,
                                  .replies = d->replies};
}

/* ---- messages ---- */

/* What goes to the contact answers its message, by the SIM that it wrote to. */
static void address(const struct decision *d, struct gateway_send *s)
{
    bool to_contact = !s->to || strcmp(s->to, d->number) == 0;
    if (!to_contact)
        return;
    s->to = d->number;
    s->reading = NUMBER_READ_INTERNATIONAL;
    if (!s->reply_to)
        s->reply_to = d->op.message;
    if (*d->sim && (!s->modem || !*s->modem) && (!s->pool || !*s->pool)) {
        s->modem = d->sim;
        s->prefer = true;
    }
}

int gw_decision_compose(struct gateway *g, struct decision *d, struct err *e)
{
    d->op.now_wall_ms = rt_wall_ms(g->rt);
    for (int i = 0; i < d->nsends; i++) {
        struct gateway_send *s = &d->sends[i];
        struct composed *c = &d->composed[d->nreplies];
        address(d, s);
        *e = (struct err){0};
        if (gw_compose(g, s, d->op.now_wall_ms, &d->replies[d->nreplies], c, e) == 0) {
            d->places[d->nreplies++] = i;
            continue;
        }
        gw_composed_free(c);
        *c = (struct composed){0};
        if (d->op.strict && !s->automatic)
            return e->code;
        if (d->op.message)
            gw_alarm(g, d->op.message, d->sim, "message %lld: its reply cannot be sent: %s",
                     (long long)d->op.message, e->text);
        else
            gw_alarm(g, 0, d->sim, "%s: an automatic message cannot be sent: %s", d->op.reason, e->text);
    }
    d->op.nreplies = d->nreplies;
    return 0;
}

/* ---- durable ---- */

/* In a word, what watchers of conversations hear. */
static const char *what_changed(const struct decision *d)
{
    if (d->op.opened != OPENED_NOT)
        return d->op.opened == OPENED_NEW ? "new" : "reopened";
    for (int i = d->op.neffects - 1; i >= 0; i--)
        if (d->effects[i].kind != EFFECT_CLOCK && /* which follows from something else */
            (d->effects[i].conversation == 0 || d->effects[i].conversation == d->op.conversation))
            return effect_name(d->effects[i].kind);
    return "message";
}

static void tell_conversation(struct gateway *g, const struct decision *d, int64_t id, const char *what)
{
    gw_emit(g, &(struct gateway_event){.kind = EV_CONVERSATION,
                                       .message = d->op.message,
                                       .conversation = id,
                                       .peer = id == d->op.conversation ? d->number : NULL,
                                       .modem = id == d->op.conversation ? d->sim : NULL,
                                       .reason = what});
}

/* Others than its own: each once for the effects that follow each other. */
static void tell_others(struct gateway *g, const struct decision *d)
{
    int64_t told = d->op.conversation;
    for (int i = 0; i < d->op.neffects; i++) {
        int64_t id = d->effects[i].conversation;
        if (id > 0 && id != told && id != d->op.conversation)
            tell_conversation(g, d, id, effect_name(d->effects[i].kind));
        if (id > 0)
            told = id;
    }
    for (int i = 0; i < d->nreplies; i++) {
        int64_t id = d->replies[i].conversation;
        if (id > 0 && id != told && id != d->op.conversation)
            tell_conversation(g, d, id, "message");
        if (id > 0)
            told = id;
    }
}

/* Without the number, which the reason begins with, and the words that somebody opted out by. */
static void log_refused(const struct store_new_message *m)
{
    const char *why = m->refused;
    size_t number = strlen(m->peer);
    if (strncmp(why, m->peer, number) == 0)
        why += number;
    log_notice(WHO, "not sent to=%s by=%s:%.*s", log_number(m->peer), m->source ? m->source : "",
               (int)strcspn(why, ":"), why);
}

void gw_decision_stored(struct gateway *g, struct decision *d)
{
    bool about = d->op.message || d->nreplies || d->op.neffects;
    if (d->op.conversation > 0 && about)
        tell_conversation(g, d, d->op.conversation, what_changed(d));
    tell_others(g, d);
    if (*d->op.left_out)
        log_warning(WHO, "%s: left out: %s", d->op.reason, d->op.left_out);
    if (d->alarm)
        gw_alarm(g, d->op.message, d->sim, "%s", d->alarm);
    for (int i = 0; i < d->nreplies; i++)
        if (d->replies[i].opted_out)
            log_refused(&d->replies[i]);
    gw_index_new(g, d->replies, d->nreplies);
}
