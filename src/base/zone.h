/* Time zones by their IANA name, by GLib's GTimeZone (which reads the system's tz database): the C library
 * knows only one zone a process. zone.c is the only file that knows GLib. */
#ifndef SIMGATE_BASE_ZONE_H
#define SIMGATE_BASE_ZONE_H

#include <stdint.h>

#include "base/err.h"

struct zone;

/* "Europe/Berlin"; "" the system's. ERR_NOT_FOUND: the tz database has no such zone. */
int zone_new(const char *name, struct zone **out, struct err *e);
void zone_free(struct zone *z);
const char *zone_name(const struct zone *z);

/* A moment as the clock on the wall shows it. */
struct zone_time {
    int year, month, day; /* 2026, 1..12, 1..31 */
    int weekday;          /* 0 Monday … 6 Sunday */
    int minute;           /* of the day, 0..1439 */
    int second;
    int offset_s; /* east of UTC */
};
void zone_local(const struct zone *z, int64_t wall_ms, struct zone_time *out);
/* The moment of a day's minute, normalised like mktime (day 32 is the next month's, minute 1441 the next
 * day's). A time that
 * the clock skips is the moment after the gap; one that it shows twice is the first. */
int64_t zone_moment(const struct zone *z, int year, int month, int day, int minute);

#endif
