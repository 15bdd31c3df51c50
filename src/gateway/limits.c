/* Parts per SIM and time; see limits.h. */
#include "gateway/limits.h"

#include <stdlib.h>
#include <time.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, QUARTER_MS = 15 * MINUTE_MS };

static void window_init(struct limits_window *w, int limit)
{
    *w = (struct limits_window){.limit = limit > 0 ? limit : 0};
    if (w->limit && !(w->times_ms = calloc((size_t)w->limit, sizeof(*w->times_ms))))
        abort();
}

void limits_init(struct limits *l, const struct gateway_limits *conf)
{
    *l = (struct limits){.conf = conf ? *conf : (struct gateway_limits){0}};
    window_init(&l->minute, l->conf.per_minute);
    window_init(&l->hour, l->conf.per_hour);
}

static void window_count(struct limits_window *w, int64_t now_ms)
{
    if (w->limit == 0)
        return;
    if (w->count < w->limit) {
        w->times_ms[(w->at + w->count++) % w->limit] = now_ms;
        return;
    }
    w->times_ms[w->at] = now_ms;
    w->at = (w->at + 1) % w->limit;
}

static void window_change(struct limits_window *w, int limit)
{
    struct limits_window old = *w;
    window_init(w, limit);
    for (int i = 0; i < old.count; i++)
        window_count(w, old.times_ms[(old.at + i) % old.limit]);
    free(old.times_ms);
}

void limits_change(struct limits *l, const struct gateway_limits *conf)
{
    l->conf = conf ? *conf : (struct gateway_limits){0};
    window_change(&l->minute, l->conf.per_minute);
    window_change(&l->hour, l->conf.per_hour);
}

void limits_fini(struct limits *l)
{
    free(l->minute.times_ms);
    free(l->hour.times_ms);
}

/* When the window has room: now or later. */
static int64_t window_open_ms(const struct limits_window *w, int64_t span_ms, int64_t now_ms)
{
    if (w->limit == 0 || w->count < w->limit)
        return now_ms;
    int64_t oldest = w->times_ms[w->at];
    return oldest + span_ms > now_ms ? oldest + span_ms : now_ms;
}

static void window_give_back(struct limits_window *w)
{
    if (w->count > 0)
        w->count--; /* the newest */
}

/* ---- the calendar ---- */

static int64_t local_ms(struct tm t)
{
    t.tm_hour = t.tm_min = t.tm_sec = 0;
    t.tm_isdst = -1;
    return (int64_t)mktime(&t) * 1000;
}

bool limits_calendar(struct limits *l, int64_t wall_ms)
{
    if (wall_ms >= l->day_start_wall_ms && wall_ms < l->day_end_wall_ms)
        return false;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm today;
    localtime_r(&seconds, &today);
    struct tm tomorrow = today, first = today, next = today;
    tomorrow.tm_mday++;
    first.tm_mday = next.tm_mday = 1;
    next.tm_mon++;
    l->day_start_wall_ms = local_ms(today);
    l->day_end_wall_ms = local_ms(tomorrow);
    l->day = 0;
    if (wall_ms < l->month_start_wall_ms || wall_ms >= l->month_end_wall_ms)
        l->month = 0;
    l->month_start_wall_ms = local_ms(first);
    l->month_end_wall_ms = local_ms(next);
    return true;
}

void limits_use(struct limits *l, int64_t day, int64_t month)
{
    l->day = day;
    l->month = month;
}

void limits_use_hour(struct limits *l, const int64_t quarters[USAGE_QUARTERS], int64_t now_ms,
                     int64_t wall_ms)
{
    l->minute.count = l->minute.at = l->hour.count = l->hour.at = 0;
    for (int i = 0; i < USAGE_QUARTERS; i++) {
        int behind = USAGE_QUARTERS - 2 - i; /* quarters that have ended since; -1: it is now's */
        int64_t end_ms = behind < 0 ? now_ms : now_ms - wall_ms % QUARTER_MS - behind * QUARTER_MS;
        for (int64_t n = quarters[i] < l->hour.limit ? quarters[i] : l->hour.limit; n > 0; n--)
            window_count(&l->hour, end_ms);
    }
}

/* ---- the question ---- */

static bool period_full(int64_t count, int limit, int parts)
{
    return limit > 0 && count > 0 && count + parts > limit;
}

bool limits_allow(struct limits *l, int parts, int64_t now_ms, int64_t wall_ms, int64_t *wake_ms,
                  const char **why, int *bound)
{
    const struct {
        const char *name;
        int limit;
        int64_t open_ms;
    } rows[] = {
        {"per_month", l->conf.per_month,
         period_full(l->month, l->conf.per_month, parts) ? now_ms + l->month_end_wall_ms - wall_ms : now_ms},
        {"per_day", l->conf.per_day,
         period_full(l->day, l->conf.per_day, parts) ? now_ms + l->day_end_wall_ms - wall_ms : now_ms},
        {"per_hour", l->conf.per_hour, window_open_ms(&l->hour, HOUR_MS, now_ms)},
        {"per_minute", l->conf.per_minute, window_open_ms(&l->minute, MINUTE_MS, now_ms)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].open_ms <= now_ms)
            continue;
        *wake_ms = rows[i].open_ms;
        *why = rows[i].name;
        *bound = rows[i].limit;
        return false;
    }
    return true;
}

void limits_count(struct limits *l, int64_t now_ms)
{
    window_count(&l->minute, now_ms);
    window_count(&l->hour, now_ms);
    l->day++;
    l->month++;
}

void limits_give_back(struct limits *l)
{
    window_give_back(&l->minute);
    window_give_back(&l->hour);
    if (l->day > 0)
        l->day--;
    if (l->month > 0)
        l->month--;
}
