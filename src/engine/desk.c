/* What the desk adds when all handlers have been asked: the department of what has none, clocks, the relay to
 * staff, and, where nobody answered, a greeting or that we are closed.
 *
 * A message is for a person unless a machine answered it; also then where a rule gave it to a department or a
 * person, or where it belongs to a conversation that a person has in hand. A conversation that only machines
 * answer waits for the customer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "engine/due.h"
#include "engine/program.h"

#define WRITING_MS INT64_C(300000) /* a person who wrote within this time is at it */

/* What is known of the conversation when the verdict's effects are counted in. */
struct outcome {
    const struct program *p;
    const struct handler_event *ev;
    struct verdict *v;
    const struct conv_row *c; /* before this message; id 0: it begins now */
    bool begins, again;
    const char *department, *assignee;
    bool routed;          /* a rule or handler gave it to somebody */
    enum conv_state goes; /* where a rule or handler sent it; 0 nowhere */
    bool answered;        /* by a machine */
};

static bool is_ours(const struct outcome *o, const struct store_effect *e)
{
    return e->conversation == 0 || e->conversation == o->ev->conversation;
}

static void read_effects(struct outcome *o)
{
    for (int i = 0; i < o->v->neffects; i++) {
        const struct store_effect *e = &o->v->effects[i];
        const char **to = e->kind == EFFECT_DEPARTMENT ? &o->department
                          : e->kind == EFFECT_ASSIGN   ? &o->assignee
                                                       : NULL;

        if (!is_ours(o, e))
            continue;
        if (e->kind == EFFECT_STATE)
            o->goes = (enum conv_state)e->n;
        if (!to)
            continue;
        *to = e->value ? e->value : "";
        o->routed = o->routed || **to != '\0';
    }
    for (int i = 0; i < o->v->nreplies; i++)
        o->answered = o->answered || (!o->v->replies[i].to && !o->v->replies[i].consent);
}

static bool add(struct outcome *o, struct store_effect e)
{
    e.conversation = o->ev->conversation;
    return verdict_effect(o->v, &e);
}

/* ---- whose it is ----------------------------------------------------------------------------------------
 */

static void give_department(struct outcome *o)
{
    const char *own = o->p->answers.department;

    if (*o->department || !*own || o->routed)
        return;
    o->department = own;
    add(o, (struct store_effect){.kind = EFFECT_DEPARTMENT, .value = own});
}

/* What comes back to one who is no longer with us is nobody's. */
static void release(struct outcome *o)
{
    if (!o->again || !*o->assignee || staff_person(&o->p->staff, o->assignee))
        return;
    verdict_why(o->v, "desk: %s is no longer here", o->assignee);
    o->assignee = "";
    add(o, (struct store_effect){.kind = EFFECT_ASSIGN, .value = ""});
}

static bool is_for_person(const struct outcome *o)
{
    if (o->goes == CONV_CLOSED || o->goes == CONV_SPAM || o->goes == CONV_SNOOZED)
        return false;
    return !o->answered || o->routed || *o->assignee || o->c->first_response_wall_ms != 0;
}

static void start_clocks(struct outcome *o)
{
    const struct staff *s = &o->p->staff;
    struct store_effect clocks[CLOCKS];
    bool run = o->c->waiting_wall_ms && o->c->state != CONV_SNOOZED;
    int n;

    if (run && strcmp(o->department, o->c->department) != 0)
        n = due_on_department(s, o->c, o->department, clocks);
    else
        n = due_on_message(s, o->c, o->department, o->begins || o->again, o->ev->now_wall_ms, clocks);
    for (int i = 0; i < n; i++)
        add(o, clocks[i]);
}

static void wait_for_person(struct outcome *o)
{
    start_clocks(o);
    if (guard_muted(&o->p->guard, o->ev->known, o->ev->now_wall_ms))
        verdict_why(o->v, "relay: nobody is told: the number is muted");
    else
        relay_tell(o->p, o->ev, o->department, o->assignee, o->v);
}

/* A machine answered this one; a person may still be waited for because of an earlier one. */
static void wait_for_customer(struct outcome *o)
{
    if (o->c->waiting_wall_ms)
        start_clocks(o); /* they stood where it was snoozed */
    else
        add(o, (struct store_effect){.kind = EFFECT_STATE, .n = CONV_WAITING});
}

/* ---- where nobody answered ------------------------------------------------------------------------------
 */

static bool same_day(const struct program *p, int64_t a_wall_ms, int64_t b_wall_ms)
{
    struct zone_time a, b;

    zone_local(p->staff.zone, a_wall_ms, &a);
    zone_local(p->staff.zone, b_wall_ms, &b);
    return a.year == b.year && a.month == b.month && a.day == b.day;
}

static bool office_due(const struct outcome *o)
{
    const struct conv_row *c = o->c;
    int64_t now = o->ev->now_wall_ms;

    if (!o->p->answers.office || hours_open(staff_hours(&o->p->staff, o->department), now))
        return false;
    if (c->office_wall_ms && same_day(o->p, c->office_wall_ms, now)) {
        verdict_why(o->v, "desk: closed, which was said today");
        return false;
    }
    if (c->person_wall_ms && now - c->person_wall_ms < WRITING_MS) {
        verdict_why(o->v, "desk: closed, but a person is writing");
        return false;
    }
    return true;
}

static void answer(struct outcome *o)
{
    const struct answers *a = &o->p->answers;

    if (o->answered || o->v->silent || o->ev->known->consent == CONSENT_OUT || o->ev->on != ENGINE_ON_MESSAGE)
        return;
    if (office_due(o)) {
        if (program_reply(o->p, o->ev, a->office, "desk:office", o->v))
            add(o, (struct store_effect){.kind = EFFECT_OFFICE});
    } else if (o->begins && a->greeting) {
        program_reply(o->p, o->ev, a->greeting, "desk:greeting", o->v);
    }
}

/* ---- all of it ------------------------------------------------------------------------------------------
 */

/* A customer's message or call that belongs to a conversation. */
static bool concerns_us(const struct handler_event *ev, const struct verdict *v)
{
    const struct store_situation *k = ev->known;

    if (ev->on > ENGINE_ON_CALL || v->thread != THREAD_OPEN || v->hold || !*ev->from || ev->own_number)
        return false;
    if (number_kind(ev->from) == NUMBER_ALPHA)
        return false; /* nobody can answer it */
    return k->conv.id || k->last.state != CONV_SPAM;
}

void desk_finish(const struct program *p, const struct handler_event *ev, struct verdict *v)
{
    static const struct conv_row none;
    const struct store_situation *k = ev->known;
    struct outcome o = {.p = p, .ev = ev, .v = v, .c = &none, .begins = program_begins(p, ev)};

    if (!concerns_us(ev, v))
        return;
    o.again = !k->conv.id && !o.begins;
    if (k->conv.id || o.again)
        o.c = k->conv.id ? &k->conv : &k->last;
    o.department = o.c->department;
    o.assignee = o.c->assignee;
    read_effects(&o);
    give_department(&o);
    release(&o);
    if (is_for_person(&o)) {
        wait_for_person(&o);
        answer(&o);
    } else if (o.answered && !o.goes) {
        wait_for_customer(&o);
    }
}

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static struct template *text_of(const struct engine_conf *conf, const char *text, const char *key,
                                struct problems *p)
{
    struct template_scope scope = {0};
    char prefix[PLACE_BYTES], place[PLACE_BYTES + 24];

    if (!text || !*text)
        return NULL;
    snprintf(place, sizeof place, "%sdesk.%s", conf_prefix(conf, prefix), key);
    return compile_reply(conf, text, place, &scope, p);
}

void answers_compile(struct answers *a, const struct engine_conf *conf, const struct program *p,
                     struct problems *problems)
{
    const struct desk_conf *dc = &conf->desk;
    const struct department *d = staff_department(&p->staff, dc->department);
    char prefix[PLACE_BYTES];

    *a = (struct answers){.greeting = text_of(conf, dc->greeting, "greeting", problems),
                          .office = text_of(conf, dc->office_reply, "office_reply", problems),
                          .department = strdup(d ? d->name : ""),
                          .close_after_ms = dc->close_after_ms};
    if (!a->department)
        abort();
    if (dc->department && *dc->department && !d)
        problem(problems, "%sdesk.department: no department \"%.60s\" in departments = ( … )",
                conf_prefix(conf, prefix), dc->department);
}

void answers_fini(struct answers *a)
{
    template_free(a->greeting);
    template_free(a->office);
    free(a->department);
    *a = (struct answers){0};
}
