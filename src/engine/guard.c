/* What no machine may do, whatever rules and handlers say: answer short codes, names, ourselves, nobody;
 * answer anybody too often, with the same text again and again, or a machine at all.
 *
 * Before the rules it says how many automatic replies there is room for; after everybody it takes away what
 * must not go and masks what others than the sender would read. A message that gets no answer is still
 * sorted, forwarded and read.
 */
#include "engine/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "base/util.h"

enum { MS_PER_S = 1000, MS_PER_MINUTE = 60 * MS_PER_S, DAY_MS = 24 * 60 * MS_PER_MINUTE };

void guard_ask(const struct guard *g, int64_t now_wall_ms, struct store_situation *k)
{
    k->guard_since_wall_ms = now_wall_ms - g->window_ms;
    k->day_since_wall_ms = now_wall_ms - DAY_MS;
    k->texts_since_wall_ms = now_wall_ms - g->conf.same_text_ms;
    k->until_wall_ms = now_wall_ms + CLOCK_SLACK_MS;
}

/* For longer than that nobody is: the clock was set back. */
bool guard_muted(const struct guard *g, const struct store_situation *k, int64_t now_wall_ms)
{
    return k->muted_until_wall_ms > now_wall_ms &&
           k->muted_until_wall_ms <= now_wall_ms + g->conf.mute_ms + CLOCK_SLACK_MS;
}

bool guard_has_room(const struct guard *g, const struct store_situation *k)
{
    return k->automatic_replies < g->most_replies &&
           (g->conf.replies_day <= 0 || k->automatic_day < g->conf.replies_day) &&
           (g->conf.replies_all <= 0 || k->automatic_all < g->conf.replies_all);
}

void verdict_silence(struct verdict *v, const char *fmt, ...)
{
    char text[MSG_REASON_BYTES];
    va_list ap;

    v->room = 0;
    if (v->silent)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    v->silent = verdict_keep(v, text);
    verdict_why(v, "%s", text);
}

/* ---- before the rules: who is answered at all -----------------------------------------------------------
 */

static bool unknown_sender(const struct handler_event *ev)
{
    return *ev->from == '\0';
}

static bool alphanumeric_sender(const struct handler_event *ev)
{
    return number_kind(ev->from) == NUMBER_ALPHA;
}

static bool short_sender(const struct handler_event *ev)
{
    return number_kind(ev->from) == NUMBER_SHORT;
}

static const struct {
    bool (*is)(const struct handler_event *ev);
    const char *reason;
} never[] = {
    {unknown_sender, "guard: the sender is unknown"},
    {alphanumeric_sender, "guard: the sender is a name, not a number"},
    {short_sender, "guard: the sender is a short code"},
};

/* So many answers in a row right behind as many automatic replies: nobody types like that. */
static void mute(const struct guard *g, const struct handler_event *ev, struct verdict *v)
{
    char why[MSG_REASON_BYTES];

    snprintf(why, sizeof why, "%d messages in a row right behind automatic replies: a machine",
             ev->known->rounds);
    verdict_effect(v, &(struct store_effect){.kind = EFFECT_MUTE,
                                             .at_wall_ms = ev->now_wall_ms + g->conf.mute_ms,
                                             .value = why});
    verdict_silence(v, "guard: %s; no automatic replies for %lld min", why,
                    (long long)(g->conf.mute_ms / MS_PER_MINUTE));
    if (v->alarm.len)
        buf_adds(&v->alarm, "; ");
    buf_addf(&v->alarm, "%s answers automatic replies like a machine: none are sent to it for %lld min",
             ev->from, (long long)(g->conf.mute_ms / MS_PER_MINUTE));
}

static void count(const struct guard *g, const struct handler_event *ev, struct verdict *v)
{
    const struct store_situation *known = ev->known;
    int left = g->most_replies - known->automatic_replies, left_all;

    if (left <= 0)
        verdict_silence(v, "guard: %d automatic replies to this number within %lld s",
                        known->automatic_replies, (long long)(g->window_ms / MS_PER_S));
    else if (left < v->room)
        v->room = left;
    /* Machines that answer slowly, and for ever. */
    if (g->conf.replies_day > 0 && known->automatic_day >= g->conf.replies_day)
        verdict_silence(v, "guard: %d automatic replies to this number within a day", known->automatic_day);
    left_all = g->conf.replies_all > 0 ? g->conf.replies_all - known->automatic_all : v->room;
    if (left_all <= 0)
        verdict_silence(v, "guard: %d automatic replies to all numbers within %lld s", known->automatic_all,
                        (long long)(g->window_ms / MS_PER_S));
    else if (left_all < v->room)
        v->room = left_all;
    if (!v->silent)
        verdict_why(v, "guard: passed, %d of %d automatic replies used", known->automatic_replies,
                    g->most_replies);
}

static enum handler_answer guard_decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                        struct walk *walk)
{
    const struct guard *g = container_of(h, struct guard, handler);
    bool came = ev->on == ENGINE_ON_MESSAGE || ev->on == ENGINE_ON_CALL;

    (void)walk;
    if (came && ev->own_number) {
        verdict_reason(v, "guard: the sender is one of our own numbers");
        v->thread = THREAD_NONE;
        return HANDLER_STOP;
    }
    if (came && unknown_sender(ev))
        v->thread = THREAD_NONE;
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (never[i].is(ev))
            verdict_silence(v, "%s", never[i].reason);
    if (came && g->conf.rounds > 0 && ev->known->rounds >= g->conf.rounds &&
        ev->known->automatic_day >= g->conf.rounds && !guard_muted(g, ev->known, ev->now_wall_ms))
        mute(g, ev, v);
    else if (guard_muted(g, ev->known, ev->now_wall_ms))
        verdict_silence(v, "guard: muted, it answered like a machine");
    count(g, ev, v);
    return HANDLER_NEXT;
}

void guard_compile(struct guard *g, const struct engine_conf *conf, struct problems *p)
{
    char file[PLACE_BYTES];

    *g = (struct guard){
        .handler = {.name = "guard", .on = (1u << ENGINE_ON_KINDS) - 1, .decide = guard_decide},
        .conf = conf->guard,
        .most_replies = conf->guard.replies,
        .window_ms = conf->guard.window_ms};
    if (conf->guard.replies < 0)
        problem(p, "%sguard.replies: expected 0 or more", conf_prefix(conf, file));
    if (conf->guard.window_ms <= 0)
        problem(p, "%sguard.window: expected a time", conf_prefix(conf, file));
    if (conf->guard.same_text > SITUATION_TEXTS)
        problem(p, "%sguard.same_text: expected at most %d", conf_prefix(conf, file), SITUATION_TEXTS);
}

/* ---- after everybody ------------------------------------------------------------------------------------
 */

/* Does it go to who wrote? A handler may also have named the number. */
static bool to_sender(const struct verdict_reply *r, const struct handler_event *ev)
{
    return !r->to || (*ev->from && number_same(r->to, ev->from));
}

static void take_out(struct verdict *v, int index)
{
    buf_free(&v->replies[index].text);
    v->nreplies--;
    memmove(&v->replies[index], &v->replies[index + 1], (size_t)(v->nreplies - index) * sizeof v->replies[0]);
}

/* How often the sender was sent this text, or is by what stands before it in the verdict. */
static int same_texts(const struct handler_event *ev, const struct verdict *v, int index)
{
    uint64_t hash = store_text_hash(buf_str(&v->replies[index].text));
    int n = 0;

    for (int i = 0; i < ev->known->ntexts; i++)
        n += ev->known->texts[i] == hash;
    for (int i = 0; i < index; i++)
        n += to_sender(&v->replies[i], ev) &&
             strcmp(buf_str(&v->replies[i].text), buf_str(&v->replies[index].text)) == 0;
    return n;
}

/* Why this automatic reply to the sender must not go; false: it may. */
static bool forbidden(const struct guard *g, const struct handler_event *ev, struct verdict *v, int index)
{
    const struct verdict_reply *r = &v->replies[index];

    if (r->to && v->silent) { /* without `to` there was no room for it */
        verdict_why(v, "reply by %s left out: %s", r->source, v->silent);
        return true;
    }
    if (g->conf.same_text <= 0 || same_texts(ev, v, index) < g->conf.same_text)
        return false;
    verdict_why(v, "reply by %s left out: guard: the same text %d times within %lld s", r->source,
                g->conf.same_text, (long long)(g->conf.same_text_ms / MS_PER_S));
    if (!v->silent)
        v->silent = verdict_keepf(v, "guard: the same text %d times already", g->conf.same_text);
    return true;
}

static void mask_buf(const struct sensitive *s, struct buf *text)
{
    struct buf masked = {0};

    if (mask_text(s->mask, buf_str(text), text->len, &masked) == 0)
        return;
    buf_free(text);
    *text = masked;
}

/* Who sends a card number is told not to, where there is room for it. */
static void warn_sender(const struct program *p, const struct handler_event *ev, struct verdict *v)
{
    if (!ev->sensitive || !p->sensitive.reply || v->hold || ev->on != ENGINE_ON_MESSAGE)
        return;
    if (v->room <= 0 || v->nreplies == VERDICT_REPLIES)
        verdict_why(v, "sensitive: the sender is not warned, there is no room for a reply");
    else
        program_reply(p, ev, p->sensitive.reply, "sensitive", v);
}

static bool answered(const struct handler_event *ev, const struct verdict *v)
{
    for (int i = 0; i < v->nreplies; i++)
        if (to_sender(&v->replies[i], ev))
            return true;
    return false;
}

/* Told once, however many they are. */
static void tell_left_out(const struct handler_event *ev, struct verdict *v)
{
    if (v->left_out == 0)
        return;
    verdict_why(v, "%d changes left out (%s first), there are %d already", v->left_out,
                effect_name(v->left_out_first), VERDICT_EFFECTS);
    if (!v->why)
        log_warning("engine", "%s: %d changes are left out (%s first), there are %d already", ev->key,
                    v->left_out, effect_name(v->left_out_first), VERDICT_EFFECTS);
    v->left_out = 0;
}

void guard_filter(const struct program *p, const struct handler_event *ev, struct verdict *v)
{
    char before[MSG_REASON_BYTES];

    warn_sender(p, ev, v);
    tell_left_out(ev, v);
    mask_buf(&p->sensitive, &v->alarm);
    for (int i = v->nreplies - 1; i >= 0; i--) {
        struct verdict_reply *r = &v->replies[i];
        bool ours = r->person || r->staff || r->consent;

        if (to_sender(r, ev) && !ours && forbidden(&p->guard, ev, v, i))
            take_out(v, i);
        else if (!to_sender(r, ev) && !r->person)
            mask_buf(&p->sensitive, &r->text);
    }
    if (!v->silent || answered(ev, v))
        return;
    str_copy(before, sizeof before, v->reason);
    verdict_reason(v, "%s%s%s", before, *before ? "; no reply: " : "no reply: ", v->silent);
}
