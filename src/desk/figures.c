/* Figures for people: rates, satisfaction and objectives from the store's sums; and business times, which are
 * filled in behind each answer. See desk/figures.h. */
#include "desk/figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "desk/private.h"

#define WHO "figures"

enum { SETTLE_MS = 1000, RETRY_MS = 60000, BATCH = 500 };

/* ---- rates -----------------------------------------------------------------------------------------------
 */

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : -1;
}

static int64_t scores_from(const struct figure_row *row, int from, int to)
{
    int64_t n = 0;

    for (int i = from; i <= to && i < FIGURE_SCORES; i++)
        n += row->scores[i];
    return n;
}

/* The upper part of a scale that means satisfied: 4-5 of 1-5, 7-9 of 1-9, and as much of others. */
static int satisfied_from(int min, int max)
{
    if (min == 1 && max == 9)
        return 7;
    if (min == 0 && max == 10)
        return 9;
    return max - min < 2 ? max : max - (max - min + 1) * 2 / 5 + 1;
}

void figures_rates(const struct figure_row *row, int scale_min, int scale_max, struct figure_rates *out)
{
    int64_t known = row->n[FIGURE_DELIVERED] + row->n[FIGURE_UNDELIVERED] + row->n[FIGURE_FAILED];
    int64_t answers = scores_from(row, scale_min, scale_max), sum = 0;

    *out = (struct figure_rates){.automatic = share(row->n[FIGURE_AUTOMATIC], row->n[FIGURE_OUT]),
                                 .delivered = share(row->n[FIGURE_DELIVERED], known),
                                 .answered = share(row->n[FIGURE_ANSWERED], row->n[FIGURE_ASKED]),
                                 .satisfied = -1,
                                 .mean_score = -1,
                                 .promoters = -2};
    if (scale_max <= scale_min || answers == 0)
        return;
    for (int i = scale_min; i <= scale_max && i < FIGURE_SCORES; i++)
        sum += row->scores[i] * i;
    out->satisfied = share(scores_from(row, satisfied_from(scale_min, scale_max), scale_max), answers);
    out->mean_score = (double)sum / (double)answers;
    if (scale_min == 0 && scale_max == 10)
        out->promoters = (double)(scores_from(row, 9, 10) - scores_from(row, 0, 6)) / (double)answers;
}

/* ---- objectives ------------------------------------------------------------------------------------------
 */

static double value_of(const struct objective *o, const struct figure_rates *r, const struct figure_target *t)
{
    switch (o->figure) {
    case OBJECTIVE_TIME:
        return share(t->met, t->count);
    case OBJECTIVE_SATISFIED:
        return r->satisfied;
    case OBJECTIVE_ANSWERED:
        return r->answered;
    case OBJECTIVE_DELIVERED:
        return r->delivered;
    case OBJECTIVE_AUTOMATIC:
        return r->automatic;
    case OBJECTIVE_NPS:
        return r->promoters;
    }
    return -1;
}

static bool is_measured(const struct objective *o, double value)
{
    return o->figure == OBJECTIVE_NPS ? value >= -1 : value >= 0;
}

/* Of a department: its row, where it has one. */
static const struct figure_row *row_for(const struct desk_figures *f, const struct objective *o)
{
    static const struct figure_row nothing;

    if (!*o->department)
        return &f->figures.total;
    for (int i = 0; i < f->departments.count; i++)
        if (!strcmp(f->departments.rows[i].key, o->department))
            return &f->departments.rows[i];
    return &nothing;
}

static void measure(struct desk_figures *f, const struct program *p)
{
    f->nobjectives = 0;
    for (int i = 0; i < p->objectives.count && i < f->figures.ntargets; i++) {
        const struct objective *o = &p->objectives.all[i];
        struct objective_result *out = &f->objectives[f->nobjectives++];
        struct figure_rates rates;

        figures_rates(row_for(f, o), f->scale_min, f->scale_max, &rates);
        *out = (struct objective_result){.objective = o,
                                         .count = f->targets[i].count,
                                         .within = f->targets[i].met,
                                         .value = value_of(o, &rates, &f->targets[i])};
        out->measured = is_measured(o, out->value);
        out->met = !out->measured || out->value >= o->share - 1e-9;
    }
}

static void set_targets(struct desk_figures *f, const struct program *p)
{
    f->figures.targets = f->targets;
    f->figures.ntargets = p->objectives.count;
    for (int i = 0; i < p->objectives.count; i++) {
        const struct objective *o = &p->objectives.all[i];

        str_copy(f->target_departments[i], sizeof f->target_departments[i], o->department);
        f->targets[i] =
            (struct figure_target){.time = o->time,
                                   .target_ms = o->target_ms,
                                   .business = o->business,
                                   .department = *o->department ? f->target_departments[i] : NULL};
    }
}

/* ---- a request -------------------------------------------------------------------------------------------
 */

static void finish(struct desk_figures *f, int status, const struct err *e)
{
    if (status == 0)
        measure(f, engine_program(f->desk->engine));
    else
        f->err = *e;
    f->done(f, status);
}

static void on_now(struct store_op *op, int status)
{
    finish(container_of(op, struct desk_figures, now.op), status, &op->err);
}

static void on_departments(struct store_op *op, int status)
{
    struct desk_figures *f = container_of(op, struct desk_figures, departments.op);

    if (status < 0) {
        finish(f, status, &op->err);
        return;
    }
    f->now = (struct store_conv_counts){.op.done = on_now, .assignee = f->person, .sim = f->sim};
    store_conv_counts(f->desk->store, &f->now);
}

static void on_figures(struct store_op *op, int status)
{
    struct desk_figures *f = container_of(op, struct desk_figures, figures.op);

    if (status < 0) {
        finish(f, status, &op->err);
        return;
    }
    f->departments = (struct store_figures){.op.done = on_departments,
                                            .since_wall_ms = f->since_wall_ms,
                                            .until_wall_ms = f->until_wall_ms,
                                            .by = BY_DEPARTMENT,
                                            .department = f->department,
                                            .person = f->person,
                                            .sim = f->sim};
    store_figures(f->desk->store, &f->departments);
}

void desk_figures(struct desk *d, struct desk_figures *f)
{
    const struct program *p = engine_program(d->engine);

    f->desk = d;
    f->err = (struct err){0};
    f->scale_min = p->survey.on ? p->survey.min : 0;
    f->scale_max = p->survey.on ? p->survey.max : 0;
    f->figures = (struct store_figures){.op.done = on_figures,
                                        .since_wall_ms = f->since_wall_ms,
                                        .until_wall_ms = f->until_wall_ms,
                                        .by = f->by,
                                        .department = f->department,
                                        .person = f->person,
                                        .sim = f->sim};
    set_targets(f, p);
    store_figures(d->store, &f->figures);
}

void desk_figures_clear(struct desk_figures *f)
{
    free(f->figures.rows);
    free(f->departments.rows);
    free(f->now.rows);
    f->figures.rows = f->departments.rows = NULL;
    f->figures.count = f->departments.count = 0;
    f->now.rows = NULL;
    f->now.count = 0;
}

/* ---- business times --------------------------------------------------------------------------------------
 */

static void ask_pending(struct settling *s);

static void wait_ms(struct settling *s, int64_t ms)
{
    rt_timer_at(s->desk->rt, &s->timer, rt_now_ms(s->desk->rt) + ms);
}

static void settling_over(struct settling *s, int status)
{
    bool more = status == 0 && s->pending.count == BATCH;

    free(s->pending.rows);
    s->pending.rows = NULL;
    s->busy = false;
    if (status == ERR_CANCELLED)
        return;
    if (more || (status == 0 && s->again))
        ask_pending(s);
    else if (status < 0)
        wait_ms(s, RETRY_MS);
}

static void on_settled(struct store_op *op, int status)
{
    settling_over(container_of(op, struct settling, settle.op), status);
}

static void on_pending(struct store_op *op, int status)
{
    struct settling *s = container_of(op, struct settling, pending.op);
    const struct staff *staff = desk_staff(s->desk);

    if (status < 0 || s->pending.count == 0) {
        settling_over(s, status);
        return;
    }
    for (int i = 0; i < s->pending.count; i++) {
        struct pending_time *t = &s->pending.rows[i];

        t->business_ms = hours_between(staff_hours(staff, t->department), t->from_wall_ms, t->to_wall_ms);
    }
    s->settle = (struct store_times_settle){
        .op.done = on_settled, .rows = s->pending.rows, .count = s->pending.count};
    store_times_settle(s->desk->store, &s->settle);
}

static void ask_pending(struct settling *s)
{
    const struct staff *staff = desk_staff(s->desk);

    if (staff->zone)
        store_set_zone(s->desk->store, zone_name(staff->zone), NULL);
    s->busy = true;
    s->again = false;
    s->pending.op.done = on_pending;
    s->pending.max = BATCH;
    store_times_pending(s->desk->store, &s->pending);
}

static void settle_fire(struct rt_timer *t)
{
    ask_pending(container_of(t, struct settling, timer));
}

/* A conversation changed: it may have been answered or closed. */
static void on_event(struct gateway_watcher *w, const struct gateway_event *ev)
{
    struct settling *s = container_of(w, struct settling, watcher);

    if (ev->kind != EV_CONVERSATION)
        return;
    if (s->busy)
        s->again = true;
    else if (s->timer.at_ms == RT_NEVER || s->timer.at_ms <= rt_now_ms(s->desk->rt))
        wait_ms(s, SETTLE_MS);
}

void settling_start(struct settling *s, struct desk *d)
{
    s->desk = d;
    s->timer = (struct rt_timer){.fire = settle_fire, .at_ms = RT_NEVER};
    s->watcher.event = on_event;
    gateway_watch(d->gateway, &s->watcher);
    ask_pending(s);
}

void settling_stop(struct settling *s)
{
    rt_timer_stop(s->desk->rt, &s->timer);
    gateway_unwatch(s->desk->gateway, &s->watcher);
    free(s->pending.rows);
}
