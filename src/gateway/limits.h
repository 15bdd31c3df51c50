/* How many parts a SIM may send: rolling minute and hour, calendar day and month (local time). Counted when a
 * part is intended and given back when it did not go out. Pure but for the calendar. */
#ifndef SIMGATE_GATEWAY_LIMITS_H
#define SIMGATE_GATEWAY_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/gateway.h"

/* The last `limit` times, the oldest at `at` once it is full. */
struct limits_window {
    int64_t *times_ms;
    int limit, count, at;
};

struct limits {
    struct gateway_limits conf;
    struct limits_window minute, hour;
    int64_t day, month; /* parts */
    int64_t day_start_wall_ms, day_end_wall_ms, month_start_wall_ms, month_end_wall_ms;
};

void limits_init(struct limits *l, const struct gateway_limits *conf);
void limits_change(struct limits *l, const struct gateway_limits *conf); /* what was counted stays so */
void limits_fini(struct limits *l);

/* Sets the bounds of the day and month that wall_ms lies in; true when they changed (the counts are then 0
 * where the period is a new one: limits_use() gives what the store knows). */
bool limits_calendar(struct limits *l, int64_t wall_ms);
void limits_use(struct limits *l, int64_t day, int64_t month);
/* The same for the hour, where the SIM is another or this life begins: parts of the quarter of an hour that
 * wall_ms lies in (the last) and of those before, which count as sent at their quarter's end. The minute
 * begins anew. */
void limits_use_hour(struct limits *l, const int64_t quarters[USAGE_QUARTERS], int64_t now_ms,
                     int64_t wall_ms);

/* May `parts` more be sent? Then RT_NEVER in *wake_ms is not touched. Otherwise false, *wake_ms the monotonic
 * time when it may be asked again, `why` "per_day" …, *bound its number. A message longer than a limit may
 * start when nothing else was sent. */
bool limits_allow(struct limits *l, int parts, int64_t now_ms, int64_t wall_ms, int64_t *wake_ms,
                  const char **why, int *bound);
void limits_count(struct limits *l, int64_t now_ms);
void limits_give_back(struct limits *l);

#endif
