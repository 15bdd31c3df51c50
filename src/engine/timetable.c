/* When rules with on = "schedule" are due: each puts its event into the store, once for each time. What was
 * missed by less than an hour, because nobody was there, is done late; older times are passed over.
 *
 * What can fail: the store. It is tried again a minute later.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "engine/flow.h"
#include "engine/rules.h"

enum { LATE_MS = 3600000, LOOK_MOST_MS = 600000, AGAIN_MS = 60000 };

struct timing {
    struct timetable *table;
    char name[DESK_WORD_BYTES], key[MSG_KEY_BYTES];
    struct schedule schedule;
    int64_t next_wall_ms;        /* INT64_MAX: not known yet, or never */
    struct store_schedule asked; /* when it was put last */
    struct store_put_event put;
    bool changed; /* its rule had other times until now: what they would have been before is not missed */
    bool busy;    /* an operation of it is with the store */
    bool dead;    /* of a program before: goes when it is not busy */
    struct timing *prev, *next;
};

struct timetable {
    struct engine *en;
    struct rt_timer timer;
    struct timing *timings; /* owned */
    int64_t looked_wall_ms; /* when the clock was looked at last */
    bool running;           /* there was a program before */
};

static void timing_free(struct timing *t)
{
    DL_DELETE(t->table->timings, t);
    free(t);
}

static const struct zone *zone_of(const struct timetable *table)
{
    return table->en->program->staff.zone;
}

static void look_in(struct timetable *table, int64_t wait_ms)
{
    rt_timer_at(table->en->rt, &table->timer, rt_now_ms(table->en->rt) + wait_ms);
}

/* The clock on the wall may be set: it is looked at every few minutes (look()). */
static void arm(struct timetable *table)
{
    int64_t now_wall_ms = rt_wall_ms(table->en->rt), wait_ms = LOOK_MOST_MS;
    const struct timing *t;

    DL_FOREACH(table->timings, t)
    {
        if (!t->busy && !t->dead && t->next_wall_ms - now_wall_ms < wait_ms)
            wait_ms = t->next_wall_ms - now_wall_ms;
    }
    if (table->timings)
        look_in(table, wait_ms > 0 ? wait_ms : 0);
}

/* The newest time that is due now, behind `after`; 0 none. */
static int64_t newest_due(const struct timing *t, int64_t after_wall_ms, int64_t now_wall_ms)
{
    int64_t due = 0, at = schedule_next(&t->schedule, zone_of(t->table), after_wall_ms);

    while (at <= now_wall_ms) {
        due = at;
        at = schedule_next(&t->schedule, zone_of(t->table), at);
    }
    return due;
}

static void on_put(struct store_op *op, int status)
{
    struct timing *t = container_of(op, struct timing, put.op);
    struct timetable *table = t->table;

    t->busy = false;
    if (t->dead) {
        timing_free(t);
        return;
    }
    if (status == ERR_CANCELLED)
        return;
    if (status != 0) {
        log_err(FLOW_WHO, "rule %s: its time is not stored yet: %s", t->name, op->err.text);
        look_in(table, AGAIN_MS);
        return;
    }
    t->next_wall_ms = schedule_next(&t->schedule, zone_of(table), rt_wall_ms(table->en->rt));
    arm(table);
}

static void put(struct timing *t, int64_t due_wall_ms)
{
    t->busy = true;
    snprintf(t->key, sizeof t->key, "schedule:%s:%" PRId64, t->name, due_wall_ms);
    t->put = (struct store_put_event){.op.done = on_put, .key = t->key};
    t->put.row = (struct event_row){.kind = DESK_SCHEDULE, .at_wall_ms = due_wall_ms};
    str_copy(t->put.row.name, sizeof t->put.row.name, t->name);
    log_info(FLOW_WHO, "rule %s: its time has come", t->name);
    store_put_event(t->table->en->store, &t->put);
}

/* What is due now: not what is too late, which a clock that was set forward leaves behind. */
static void act(struct timing *t, int64_t now_wall_ms)
{
    int64_t since = now_wall_ms - LATE_MS, due;

    due = newest_due(t, t->next_wall_ms - 1 > since ? t->next_wall_ms - 1 : since, now_wall_ms);
    if (due)
        put(t, due);
    else
        t->next_wall_ms = schedule_next(&t->schedule, zone_of(t->table), now_wall_ms);
}

static void look(struct rt_timer *timer)
{
    struct timetable *table = container_of(timer, struct timetable, timer);
    int64_t now_wall_ms = rt_wall_ms(table->en->rt);
    bool set_back = now_wall_ms < table->looked_wall_ms;
    struct timing *t;

    table->looked_wall_ms = now_wall_ms;
    DL_FOREACH(table->timings, t)
    {
        if (t->busy || t->dead)
            continue;
        if (set_back) /* the store knows what was done before */
            t->next_wall_ms = schedule_next(&t->schedule, zone_of(table), now_wall_ms);
        else if (t->next_wall_ms <= now_wall_ms)
            act(t, now_wall_ms);
    }
    arm(table);
}

/* A rule that is new has missed nothing. */
static void on_asked(struct store_op *op, int status)
{
    struct timing *t = container_of(op, struct timing, asked.op);
    int64_t now_wall_ms = rt_wall_ms(t->table->en->rt), after = now_wall_ms - LATE_MS, missed = 0;

    t->busy = false;
    if (t->dead) {
        timing_free(t);
        return;
    }
    if (status == ERR_CANCELLED)
        return;
    if (status != 0)
        log_err(FLOW_WHO, "rule %s: not known when it acted last: %s", t->name, op->err.text);
    if (status == 0 && t->asked.last_wall_ms > 0 && !t->changed)
        missed = newest_due(t, t->asked.last_wall_ms > after ? t->asked.last_wall_ms : after, now_wall_ms);
    t->changed = false;
    t->next_wall_ms = missed ? missed : schedule_next(&t->schedule, zone_of(t->table), now_wall_ms);
    if (missed)
        put(t, missed);
    arm(t->table);
}

/* In the program before; or it was not in that one. */
static bool had_other_times(const struct timetable *table, const struct rule *rule)
{
    const struct timing *t;
    bool changed = table->running;

    DL_FOREACH(table->timings, t) /* the newest of them is the last */
    {
        if (t->dead && strcmp(t->name, rule->name) == 0)
            changed = t->changed || !schedule_same(&t->schedule, &rule->schedule);
    }
    return changed;
}

static void add(struct timetable *table, const struct rule *rule)
{
    struct timing *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    t->table = table;
    t->schedule = rule->schedule;
    t->changed = had_other_times(table, rule);
    t->next_wall_ms = INT64_MAX;
    t->busy = true;
    str_copy(t->name, sizeof t->name, rule->name);
    t->asked = (struct store_schedule){.op.done = on_asked, .name = t->name};
    DL_APPEND(table->timings, t);
    store_schedule(table->en->store, &t->asked);
}

void timetable_use(struct engine *en)
{
    const struct rules *r = en->program->rules;
    struct timing *t, *next;

    if (!en->timetable) {
        en->timetable = calloc(1, sizeof *en->timetable);
        if (!en->timetable)
            abort();
        en->timetable->en = en;
        en->timetable->timer.fire = look;
        en->timetable->looked_wall_ms = rt_wall_ms(en->rt);
    }
    DL_FOREACH(en->timetable->timings, t)
    {
        t->dead = true;
    }
    for (int i = 0; i < r->count; i++)
        if (r->list[i].on == ENGINE_ON_SCHEDULE)
            add(en->timetable, &r->list[i]);
    DL_FOREACH_SAFE(en->timetable->timings, t, next)
    {
        if (t->dead && !t->busy)
            timing_free(t);
    }
    en->timetable->running = true;
}

void timetable_free(struct engine *en)
{
    struct timing *t, *next;

    rt_timer_stop(en->rt, &en->timetable->timer);
    DL_FOREACH_SAFE(en->timetable->timings, t, next)
    {
        free(t);
    }
    free(en->timetable);
    en->timetable = NULL;
}
