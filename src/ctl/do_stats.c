/* `stats`: figures of a period, by day, week, month, department, person or SIM; what is open now; objectives.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/zone.h"
#include "ctl/desk.h"
#include "desk/figures.h"
#include "engine/staff.h"

enum { DAY_MS = 86400000, DEFAULT_DAYS = 30, MANY_DAYS = 62, MANY_WEEKS = 400 };

struct asking {
    struct call *call;
    struct desk_figures figures;
    char department[DESK_WORD_BYTES], person[DESK_NAME_BYTES];
};

static void asking_clear(void *own)
{
    desk_figures_clear(&((struct asking *)own)->figures);
}

/* ---- JSON ------------------------------------------------------------------------------------------------
 */

static void put_seconds(json_t *o, const char *name, int64_t ms)
{
    if (ms >= 0)
        json_object_set_new(o, name, json_real((double)ms / 1000));
}

static void put_share(json_t *o, const char *name, double value)
{
    if (value >= 0)
        json_object_set_new(o, name, json_real(value));
}

static json_t *json_spread(const struct figure_spread *s)
{
    json_t *o = json_pack("{sI}", "count", (json_int_t)s->count);

    put_seconds(o, "median_s", s->median_ms);
    put_seconds(o, "p90_s", s->p90_ms);
    put_seconds(o, "business_median_s", s->business_median_ms);
    put_seconds(o, "business_p90_s", s->business_p90_ms);
    return o;
}

static json_t *json_scores(const struct figure_row *row, const struct desk_figures *f)
{
    json_t *scores = json_object();

    for (int i = f->scale_min; i <= f->scale_max && i < FIGURE_SCORES; i++) {
        char name[4];

        snprintf(name, sizeof name, "%d", i);
        json_object_set_new(scores, name, json_integer(row->scores[i]));
    }
    return scores;
}

static json_t *json_row(const struct figure_row *row, const struct desk_figures *f)
{
    struct figure_rates rates;
    json_t *o = json_object();

    figures_rates(row, f->scale_min, f->scale_max, &rates);
    for (int i = 0; i < FIGURES; i++)
        json_object_set_new(o, figure_name((enum figure)i), json_integer(row->n[i]));
    put_share(o, "automatic_share", rates.automatic);
    put_share(o, "delivery_rate", rates.delivered);
    for (int t = 1; t < FIGURE_TIMES; t++)
        json_object_set_new(o, figure_time_name((enum figure_time)t), json_spread(&row->times[t]));
    put_share(o, "survey_response_rate", rates.answered);
    put_share(o, "satisfied", rates.satisfied);
    put_share(o, "mean_score", rates.mean_score);
    if (rates.promoters >= -1)
        json_object_set_new(o, "nps", json_real(rates.promoters * 100));
    if (f->scale_max > f->scale_min)
        json_object_set_new(o, "scores", json_scores(row, f));
    return o;
}

static json_t *json_rows(const struct desk_figures *f)
{
    json_t *rows = json_array();

    for (int i = 0; i < f->figures.count; i++) {
        json_t *o = json_row(&f->figures.rows[i], f);

        json_object_set_new(o, "key", json_text(f->figures.rows[i].key));
        json_array_append_new(rows, o);
    }
    return rows;
}

static json_t *json_now(const struct desk_figures *f)
{
    int live = 0, waiting = 0, overdue = 0, flagged = 0, unassigned = 0;

    for (int i = 0; i < f->now.count; i++) {
        const struct conv_count *c = &f->now.rows[i];

        if (f->department && strcmp(f->department, c->department) != 0)
            continue;
        for (int s = CONV_NEW; s < CONV_CLOSED; s++)
            live += c->by_state[s];
        waiting += c->waiting;
        overdue += c->overdue;
        flagged += c->flagged;
        unassigned += c->unassigned;
    }
    return json_pack("{sisisisisi}", "open", live, "waiting", waiting, "overdue", overdue, "flagged", flagged,
                     "unassigned", unassigned);
}

static json_t *json_objective(const struct objective_result *r)
{
    const struct objective *o = r->objective;
    json_t *out = json_pack("{sossss}", "name", json_text(o->name), "figure", o->figure_name, "result",
                            !r->measured ? "nothing to measure"
                            : r->met     ? "met"
                                         : "missed");

    json_put_text(out, "target", o->target);
    json_put_text(out, "department", o->department);
    json_object_set_new(out, "share", json_real(o->share));
    if (r->measured)
        json_object_set_new(out, "value", json_real(r->value));
    if (o->figure == OBJECTIVE_TIME) {
        json_object_set_new(out, "count", json_integer(r->count));
        json_object_set_new(out, "within", json_integer(r->within));
    }
    return out;
}

static json_t *json_objectives(const struct desk_figures *f)
{
    json_t *list = json_array();

    for (int i = 0; i < f->nobjectives; i++)
        json_array_append_new(list, json_objective(&f->objectives[i]));
    return list;
}

static json_t *json_stats(const struct desk_figures *f)
{
    char first[DESK_WORD_BYTES], last[DESK_WORD_BYTES], scale[16];
    json_t *o;

    figure_day_name(f->figures.first_day, first);
    figure_day_name(f->figures.last_day, last);
    o = json_pack("{sssssssosososo}", "first_day", first, "last_day", last, "by", figure_by_name(f->by),
                  "total", json_row(&f->figures.total, f), "rows", json_rows(f), "now", json_now(f),
                  "objectives", json_objectives(f));
    if (f->scale_max > f->scale_min) {
        snprintf(scale, sizeof scale, "%d-%d", f->scale_min, f->scale_max);
        json_object_set_new(o, "scale", json_string(scale));
    }
    json_put_text(o, "department", f->department);
    json_put_text(o, "person", f->person);
    json_put_text(o, "modem", f->sim);
    return o;
}

/* ---- the request -----------------------------------------------------------------------------------------
 */

static void on_figures(struct desk_figures *f, int status)
{
    struct asking *a = container_of(f, struct asking, figures);

    if (status < 0)
        call_fail(a->call, status, f->err.text);
    else
        call_ok(a->call, json_stats(f));
}

/* As fine as it can be seen at a glance. */
static enum figure_by by_length(int64_t ms)
{
    int64_t days = ms / DAY_MS;

    return days <= MANY_DAYS ? BY_DAY : days <= MANY_WEEKS ? BY_WEEK : BY_MONTH;
}

static const char *given(const char *text)
{
    return text && *text ? text : NULL;
}

/* The first midnight of the last thirty days. */
static int64_t default_since(struct call *call, int64_t until)
{
    const struct zone *z = desk_staff(call->ctl->world.desk)->zone;
    struct zone_time t;

    if (!z)
        return until - (int64_t)DEFAULT_DAYS * DAY_MS;
    zone_local(z, until - 1, &t);
    return zone_moment(z, t.year, t.month, t.day - DEFAULT_DAYS + 1, 0);
}

/* A time, or a day without one: its midnight where the business is. */
static int64_t moment(struct call *call, const char *name, int64_t otherwise)
{
    const struct zone *z = desk_staff(call->ctl->world.desk)->zone;
    const char *text = call_text(call, name);
    int year, month, day;

    if (text && z && day_from_text(text, &year, &month, &day))
        return zone_moment(z, year, month, day, 0);
    return call_wall_ms(call, name, otherwise);
}

void do_stats(struct call *call)
{
    struct asking *a = call_keep(call, sizeof *a, asking_clear);
    struct desk_figures *f = &a->figures;
    const char *by = call_text(call, "by");

    a->call = call;
    if (!call_department(call, "department", a->department, sizeof a->department) ||
        !call_person(call, "person", a->person, sizeof a->person))
        return;
    f->done = on_figures;
    f->until_wall_ms = moment(call, "until", rt_wall_ms(call->ctl->world.rt));
    f->since_wall_ms = moment(call, "since", default_since(call, f->until_wall_ms));
    f->department = given(a->department);
    f->person = given(a->person);
    f->sim = given(call_text(call, "modem"));
    if (f->since_wall_ms >= f->until_wall_ms) {
        call_fail(call, ERR_INVALID, "since: a time before \"until\" expected");
        return;
    }
    if (by && !figure_by_from_name(by, &f->by)) /* "auto" */
        f->by = by_length(f->until_wall_ms - f->since_wall_ms);
    desk_figures(call->ctl->world.desk, f);
}
