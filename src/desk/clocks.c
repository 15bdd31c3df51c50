/* What happens to conversations when nobody does anything: answers get late, snoozed ones wake, silent ones
 * are closed, surveys are asked.
 *
 * The store is asked what is due by its indexes: when the next is, CHECK_MS after something has changed, and
 * every LOOK_MS (the clock may be set, gateway.conf read again). Each conversation found is read again (a
 * person may have been faster) and changed in one transaction, one after the other. What could not be done
 * comes again with the next sweep, also in the next life: nothing is remembered but in the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "desk/private.h"
#include "engine/due.h"

#define WHO "clock"
#define SURVEY_OLD_MS                                                                                        \
    INT64_C(604800000) /* closed longer ago than delay and this: nobody is asked any more                    \
                        */

enum { CHECK_MS = 15000, LOOK_MS = 300000, SOON_MS = 1000, BATCH = 64, PEOPLE = 8 };

static void ask_next(struct clocks *c);

static void wait_ms(struct clocks *c, int64_t ms)
{
    rt_timer_at(c->desk->rt, &c->timer, rt_now_ms(c->desk->rt) + ms);
}

/* ---- what is done ---------------------------------------------------------------------------------------
 */

/* One conversation's turn. */
struct turn {
    struct clocks *c;
    const struct program *p;
    const struct conv_row *conv;
    int64_t now_wall_ms;
};

static void add_effect(struct turn *t, struct store_effect e)
{
    t->c->effects[t->c->neffects++] = e;
}

static void add(struct turn *t, enum effect_kind kind, int64_t n)
{
    add_effect(t, (struct store_effect){
                      .kind = kind, .conversation = t->conv->id, .number = t->conv->number, .n = n});
}

/* From the state in which it was seen: a customer or a person may be faster. */
static void add_state(struct turn *t, enum conv_state to)
{
    add_effect(t, (struct store_effect){.kind = EFFECT_STATE,
                                        .conversation = t->conv->id,
                                        .number = t->conv->number,
                                        .name = conv_state_name(t->conv->state),
                                        .n = to});
}

static void tell_people(struct turn *t, const struct person *const *people, int n, const char *key,
                        const char *what)
{
    const struct conv_row *c = t->conv;

    for (int i = 0; t->p->relay.on && i < n; i++) {
        struct buf *text = draft_to_staff(&t->c->draft, c, people[i], key);

        if (!text)
            return;
        relay_title(c, text);
        buf_addf(text, " %s%s%s%s%s: ", what, *c->department ? ", " : "", c->department,
                 *c->assignee ? ", " : "", c->assignee);
        relay_quote(t->p, c->title, text);
    }
}

static const char *make_late(struct turn *t, enum due_kind kind)
{
    static const char *const words[CLOCKS] = {[CLOCK_FIRST] = "waits too long for a first answer",
                                              [CLOCK_NEXT] = "waits too long for an answer",
                                              [CLOCK_RESOLUTION] = "is open for too long"};
    const struct person *people[PEOPLE];
    enum conv_clock clock = (enum conv_clock)kind;
    char key[80];
    int n;

    if (t->conv->due_wall_ms[clock] <= 0 || t->conv->due_wall_ms[clock] > t->now_wall_ms ||
        t->conv->overdue_wall_ms[clock])
        return NULL;
    add(t, EFFECT_OVERDUE, clock);
    snprintf(key, sizeof key, "overdue:%lld:%d:%lld", (long long)t->conv->id, (int)clock,
             (long long)t->conv->due_wall_ms[clock]);
    n = staff_leads(&t->p->staff, t->conv->department, t->now_wall_ms, people, PEOPLE);
    tell_people(t, people, n, key, words[clock]);
    return "clock: overdue";
}

static const char *wake(struct turn *t)
{
    const struct person *people[PEOPLE];
    const struct conv_row *c = t->conv;
    struct store_effect clocks[CLOCKS];
    char key[80];
    int n;

    if (c->state != CONV_SNOOZED || c->snoozed_until_wall_ms == 0 ||
        c->snoozed_until_wall_ms > t->now_wall_ms)
        return NULL;
    add_state(t, CONV_OPEN);
    n = due_on_resume(&t->p->staff, c, t->now_wall_ms, clocks);
    for (int i = 0; i < n; i++)
        add_effect(t, clocks[i]);
    snprintf(key, sizeof key, "wake:%lld:%lld", (long long)c->id, (long long)c->snoozed_until_wall_ms);
    n = staff_phones(&t->p->staff, c->department, c->assignee, t->now_wall_ms, people, PEOPLE);
    tell_people(t, people, n, key, "is awake again");
    return "clock: awake";
}

static const char *close_silent(struct turn *t)
{
    if (t->conv->state != CONV_WAITING ||
        t->now_wall_ms - t->conv->changed_wall_ms < t->p->answers.close_after_ms)
        return NULL;
    add_state(t, CONV_CLOSED);
    return "clock: silent";
}

/* The question, or false where nothing can be asked. */
static bool add_question(struct turn *t)
{
    const struct store_situation *known = &t->c->known;
    struct handler_event ev = {.on = ENGINE_ON_CLOSED,
                               .key = "",
                               .name = "",
                               .modem = t->conv->sim,
                               .from = t->conv->number,
                               .language = known->contact.language,
                               .message_class = -1,
                               .known = known,
                               .conversation = t->conv->id,
                               .wall_ms = t->now_wall_ms,
                               .now_wall_ms = t->now_wall_ms};
    struct template_values values;
    struct gateway_send *s;
    struct buf *text;
    const char *missing;

    s = draft_to_customer(&t->c->draft, t->conv, &text);
    program_values(t->p, &ev, &values);
    missing = template_render(t->p->survey.text, &values, text);
    if (missing)
        log_warning(WHO, "conversation=%lld is not asked: survey.text has no value for %s",
                    (long long)t->conv->id, missing);
    s->automatic = true;
    s->source = "survey";
    snprintf(t->c->draft.keys[0], sizeof t->c->draft.keys[0], "survey:%lld", (long long)t->conv->id);
    s->key = t->c->draft.keys[0];
    return !missing && text->len > 0;
}

static const char *ask_survey(struct turn *t)
{
    const struct store_situation *k = &t->c->known;

    if (t->conv->state != CONV_CLOSED || t->conv->survey_wall_ms || !t->p->survey.on ||
        t->conv->messages_in == 0 || k->consent == CONSENT_OUT ||
        guard_muted(&t->p->guard, k, t->now_wall_ms) || number_kind(t->conv->number) != NUMBER_E164 ||
        staff_by_number(&t->p->staff, t->conv->number))
        return NULL;
    if (!guard_has_room(&t->p->guard, k)) {
        if (!t->c->survey_full_wall_ms)
            t->c->survey_full_wall_ms = t->conv->closed_wall_ms;
        return NULL;
    }
    if (!add_question(t))
        return NULL;
    add(t, EFFECT_SURVEY_ASK, 0);
    return "survey: asked";
}

static const char *decide(struct turn *t, enum due_kind kind)
{
    switch (kind) {
    case DUE_FIRST:
    case DUE_NEXT:
    case DUE_RESOLUTION:
        return make_late(t, kind);
    case DUE_WAKE:
        return wake(t);
    case DUE_CLOSE:
        return close_silent(t);
    case DUE_SURVEY:
        return ask_survey(t);
    case DUES:
        break;
    }
    return NULL;
}

/* ---- one after the other --------------------------------------------------------------------------------
 */

static void applied(struct gateway_apply *a, int status)
{
    struct clocks *c = container_of(a, struct clocks, apply);
    const struct due_row *row = &c->due.rows[c->at];

    if (status != 0) {
        c->failed = true;
        log_warning(WHO, "conversation=%lld: %s", (long long)row->conversation,
                    *a->err.text ? a->err.text : err_name(status));
    }
    c->at++;
    ask_next(c);
}

static void apply(struct clocks *c, const char *reason)
{
    struct gateway_verdict *v = &c->draft.verdict;

    v->reason = reason;
    v->who = WHO;
    v->conversation = c->known.conv.id;
    v->effects = c->effects;
    v->neffects = c->neffects;
    c->apply = (struct gateway_apply){.number = c->known.conv.number,
                                      .sim = c->known.conv.sim,
                                      .verdict = draft_verdict(&c->draft),
                                      .done = applied};
    gateway_apply(c->desk->gateway, &c->apply);
}

static void on_known(struct store_op *op, int status)
{
    struct clocks *c = container_of(op, struct clocks, known.op);
    struct turn t = {.c = c,
                     .p = engine_program(c->desk->engine),
                     .conv = &c->known.conv,
                     .now_wall_ms = rt_wall_ms(c->desk->rt)};
    const char *reason = status == 0 ? decide(&t, c->due.rows[c->at].kind) : NULL;

    c->failed = c->failed || (status != 0 && status != ERR_NOT_FOUND);
    if (reason) {
        apply(c, reason);
        return;
    }
    c->at++;
    ask_next(c);
}

/* Nothing is written down of those who cannot be asked: the next sweep begins behind them, or it would find
 * none but them again. Only from the end it goes back to the first who waits for the guard: that may be for a
 * day. */
static void pass_surveys(struct clocks *c)
{
    const struct store_due *due = &c->due;
    const struct due_row *last = due->count > 0 ? &due->rows[due->count - 1] : NULL;

    bool asks = due->survey_delay_ms >= 0;

    if (c->failed)
        return;
    if (asks && !due->more)
        c->survey_after_wall_ms = due->now_wall_ms - due->survey_delay_ms;
    else if (asks && last &&
             last->kind == DUE_SURVEY) /* they come last; others may have been closed with the last */
        c->survey_after_wall_ms = last->due_wall_ms - due->survey_delay_ms - 1;
    if (due->more || !c->survey_full_wall_ms)
        return;
    if (c->survey_after_wall_ms >= c->survey_full_wall_ms)
        c->survey_after_wall_ms = c->survey_full_wall_ms - 1;
    c->survey_full_wall_ms = 0;
}

/* When the opening hours begin for which a question waits; 0 none does. */
static int64_t opens_wall_ms(const struct clocks *c, int64_t now_wall_ms)
{
    const struct program *p = engine_program(c->desk->engine);

    return p->survey.on && c->due.survey_delay_ms < 0 ? hours_next_open(p->staff.hours, now_wall_ms) : 0;
}

static void end_sweep(struct clocks *c)
{
    int64_t now_wall_ms = rt_wall_ms(c->desk->rt), ms = LOOK_MS;
    const int64_t known[] = {c->due.next_wall_ms, opens_wall_ms(c, now_wall_ms)};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] > 0 && known[i] - now_wall_ms < ms)
            ms = known[i] - now_wall_ms;
    if ((c->changed || c->survey_full_wall_ms) && ms > CHECK_MS)
        ms = CHECK_MS;
    if (c->due.more)
        ms = SOON_MS;
    if (c->failed)
        ms = CHECK_MS;
    pass_surveys(c);
    free(c->due.rows);
    c->due.rows = NULL;
    c->sweeping = false;
    wait_ms(c, ms < SOON_MS ? SOON_MS : ms);
}

static void ask_next(struct clocks *c)
{
    store_situation_clear(&c->known);
    draft_fini(&c->draft);
    c->neffects = 0;
    if (c->at == c->due.count) {
        end_sweep(c);
        return;
    }
    c->known = (struct store_situation){.op.done = on_known, .of = c->due.rows[c->at].conversation};
    guard_ask(&engine_program(c->desk->engine)->guard, rt_wall_ms(c->desk->rt), &c->known);
    store_situation(c->desk->store, &c->known);
}

static void on_due(struct store_op *op, int status)
{
    struct clocks *c = container_of(op, struct clocks, due.op);

    c->failed = status != 0;
    c->at = 0;
    if (status == ERR_CANCELLED)
        return; /* the store is closing */
    if (status != 0)
        log_warning(WHO, "what is due is not known: %s", *op->err.text ? op->err.text : err_name(status));
    ask_next(c);
}

/* The question waits for the opening hours. */
static int64_t survey_delay_ms(const struct program *p, int64_t now_wall_ms)
{
    return p->survey.on && hours_open(p->staff.hours, now_wall_ms) ? p->survey.delay_ms : -1;
}

static void on_timer(struct rt_timer *timer)
{
    struct clocks *c = container_of(timer, struct clocks, timer);
    const struct program *p = engine_program(c->desk->engine);
    int64_t now_wall_ms = rt_wall_ms(c->desk->rt), oldest = now_wall_ms - p->survey.delay_ms - SURVEY_OLD_MS;

    c->sweeping = true;
    c->changed = false;
    if (c->survey_after_wall_ms < oldest)
        c->survey_after_wall_ms = oldest;
    c->due = (struct store_due){.op.done = on_due,
                                .now_wall_ms = now_wall_ms,
                                .close_after_ms = p->answers.close_after_ms,
                                .survey_delay_ms = survey_delay_ms(p, now_wall_ms),
                                .survey_after_wall_ms = c->survey_after_wall_ms,
                                .max = BATCH};
    store_due(c->desk->store, &c->due);
}

/* Something may be due before what was known. */
static void on_event(struct gateway_watcher *w, const struct gateway_event *ev)
{
    struct clocks *c = container_of(w, struct clocks, watcher);

    if (ev->kind != EV_CONVERSATION)
        return;
    c->changed = true;
    if (!c->sweeping && c->timer.at_ms > rt_now_ms(c->desk->rt) + CHECK_MS)
        wait_ms(c, CHECK_MS);
}

void clocks_start(struct clocks *c, struct desk *d)
{
    *c = (struct clocks){.desk = d, .timer.fire = on_timer, .watcher.event = on_event};
    gateway_watch(d->gateway, &c->watcher);
    wait_ms(c, SOON_MS);
}

void clocks_stop(struct clocks *c)
{
    rt_timer_stop(c->desk->rt, &c->timer);
    gateway_unwatch(c->desk->gateway, &c->watcher);
    store_situation_clear(&c->known);
    draft_fini(&c->draft);
    free(c->due.rows);
}
