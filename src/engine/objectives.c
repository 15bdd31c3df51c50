/* Objectives compiled. A target is a duration, of the calendar or, with "business" behind it, of opening
 * hours: "15m", "4h business". A day of business is what a day is open on average, so that "1d business" from
 * Tuesday noon ends on Wednesday noon; a week is as many of them as there are in one. */
#include "engine/objectives.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/program.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
#define SOME_WEEK                                                                                            \
    INT64_C(1780272000000) /* Monday, 1 June 2026: far from holidays and changes of the clocks */

static const struct {
    const char *name;
    enum objective_figure figure;
    enum figure_time time;
} figures[] = {
    {"first_response", OBJECTIVE_TIME, FIGURE_FIRST},
    {"next_response", OBJECTIVE_TIME, FIGURE_NEXT},
    {"resolution", OBJECTIVE_TIME, FIGURE_RESOLUTION},
    {"full_resolution", OBJECTIVE_TIME, FIGURE_FULL},
    {"satisfied", OBJECTIVE_SATISFIED, FIGURE_TIMES},
    {"answered", OBJECTIVE_ANSWERED, FIGURE_TIMES},
    {"delivered", OBJECTIVE_DELIVERED, FIGURE_TIMES},
    {"automatic", OBJECTIVE_AUTOMATIC, FIGURE_TIMES},
    {"nps", OBJECTIVE_NPS, FIGURE_TIMES},
};

static char *copy(const char *text)
{
    char *c = strdup(text ? text : "");

    if (!c)
        abort();
    return c;
}

/* On how many days of a week it is open. Days begin at some hour of UTC: at the one by which there are
 * fewest, so that an evening is not halved in any zone. */
static int open_days(const struct hours *h)
{
    int fewest = 7;

    for (int hour = 0; hour < 24; hour++) {
        int64_t from = SOME_WEEK + hour * HOUR_MS;
        int days = 0;

        for (int d = 0; d < 7; d++)
            days += hours_between(h, from + d * DAY_MS, from + (d + 1) * DAY_MS) > 0;
        fewest = days > 0 && days < fewest ? days : fewest;
    }
    return fewest;
}

int64_t objectives_business_day_ms(const struct hours *h)
{
    int64_t open = hours_between(h, SOME_WEEK, SOME_WEEK + 7 * DAY_MS);

    return open > 0 ? open / open_days(h) : DAY_MS;
}

/* "1d12h" with days and weeks of business: the sum of its parts, each read by itself. */
static bool business_ms(const char *text, const struct hours *h, int64_t *out)
{
    int64_t day = objectives_business_day_ms(h);

    *out = 0;
    while (*text) {
        size_t digits = strspn(text, "0123456789"), len = digits + (text[digits] != '\0');
        char part[24];
        int64_t ms;

        if (digits == 0 || len >= sizeof part)
            return false;
        memcpy(part, text, len);
        part[len] = '\0';
        if (!str_to_duration_ms(part, &ms))
            return false;
        if (text[digits] == 'd')
            ms = ms / DAY_MS * day;
        else if (text[digits] == 'w')
            ms = ms / (7 * DAY_MS) * day * open_days(h);
        *out += ms;
        text += len;
    }
    return *out > 0;
}

static bool read_target(struct objective *o, const char *target, const struct hours *h)
{
    static const char word[] = " business";
    size_t len = strlen(target), n = sizeof word - 1;
    char amount[40];

    o->business = len > n && !strcmp(target + len - n, word);
    if (!o->business)
        return str_to_duration_ms(target, &o->target_ms) && o->target_ms > 0;
    if (len - n >= sizeof amount)
        return false;
    memcpy(amount, target, len - n);
    amount[len - n] = '\0';
    return business_ms(amount, h, &o->target_ms);
}

static bool find_figure(struct objective *o, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        if (!strcmp(figures[i].name, name)) {
            o->figure_name = figures[i].name;
            o->figure = figures[i].figure;
            o->time = figures[i].time;
            return true;
        }
    return false;
}

static void tell_figures(const struct objective_conf *c, struct problems *p)
{
    struct buf known = {0};

    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        buf_addf(&known, "%s%s", i ? ", " : "", figures[i].name);
    problem(p, "%s.figure: expected one of %s, not \"%.40s\"", c->place, buf_str(&known), c->figure);
    buf_free(&known);
}

static void tell_department(const struct objective_conf *c, const struct staff *staff, struct problems *p)
{
    struct buf known = {0};

    staff_department_names(staff, &known);
    problem(p, "%s.department: no department \"%.40s\": expected one of %.200s", c->place, c->department,
            buf_str(&known));
    buf_free(&known);
}

static void compile_one(struct objective *o, const struct objective_conf *c, const struct staff *staff,
                        struct problems *p)
{
    const struct department *d = *c->department ? staff_department(staff, c->department) : NULL;

    o->name = copy(c->name);
    o->department = copy(d ? d->name : "");
    o->target = copy(c->target);
    o->share = c->share;
    if (*c->department && !d)
        tell_department(c, staff, p);
    if (!find_figure(o, c->figure))
        tell_figures(c, p);
    else if (o->figure == OBJECTIVE_TIME && !read_target(o, c->target, staff_hours(staff, o->department)))
        problem(
            p,
            "%s.target: expected a time such as \"15m\", \"4h business\" or \"1d business\", not \"%.40s\"",
            c->place, c->target);
    else if (o->figure != OBJECTIVE_TIME && *c->target)
        problem(p, "%s.target: %s is a share and has none; say it with \"share\"", c->place, c->figure);
}

void objectives_compile(struct objectives *o, const struct engine_conf *conf, const struct staff *staff,
                        struct problems *p)
{
    o->count = conf->nobjectives < OBJECTIVES_MAX ? conf->nobjectives : OBJECTIVES_MAX;
    if (conf->nobjectives > OBJECTIVES_MAX)
        problem(p, "%s: expected at most %d objectives", conf->objectives[OBJECTIVES_MAX].place,
                OBJECTIVES_MAX);
    o->all = calloc((size_t)o->count + 1, sizeof *o->all);
    if (!o->all)
        abort();
    for (int i = 0; i < o->count; i++)
        compile_one(&o->all[i], &conf->objectives[i], staff, p);
}

void objectives_fini(struct objectives *o)
{
    for (int i = 0; i < o->count; i++) {
        free(o->all[i].name);
        free(o->all[i].department);
        free(o->all[i].target);
    }
    free(o->all);
    *o = (struct objectives){0};
}
