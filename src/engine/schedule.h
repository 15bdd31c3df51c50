/* When a rule with on = "schedule" acts. Pure.
 *
 *      "08:30"  "daily 8:30, 17:00"  "Mon-Fri 08:30"  "Mon,Thu 12:00"  "1 09:00"  "1,15,last 09:00"
 *      "12-24 18:00"  "every 15m"
 */
#ifndef SIMGATE_ENGINE_SCHEDULE_H
#define SIMGATE_ENGINE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/zone.h"

enum { SCHEDULE_TIMES = 24 };

struct schedule {
    int64_t every_ms;                   /* 0: by days and times */
    unsigned weekdays;                  /* bit 0 Monday; 0: any */
    uint32_t monthdays;                 /* bit 1..31; bit 0: the month's last; 0: any */
    int month, day;                     /* of each year; 0: any */
    int minutes[SCHEDULE_TIMES], times; /* of the day, ascending */
};

/* ERR_INVALID: what is wrong and what was expected. */
int schedule_parse(const char *text, struct schedule *out, struct err *e);

/* Have they the same times? */
bool schedule_same(const struct schedule *a, const struct schedule *b);

/* The first time behind this one, by the zone's clock; INT64_MAX: there is none. A time that the
 * clock skips comes behind the gap, one that it shows twice once. */
int64_t schedule_next(const struct schedule *s, const struct zone *z, int64_t after_wall_ms);

#endif
