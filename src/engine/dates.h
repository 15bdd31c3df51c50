/* Ranges of days: "2026-12-24", "2026-12-01..2026-12-24", "12-24..01-06" (each year). Pure. */
#ifndef SIMGATE_ENGINE_DATES_H
#define SIMGATE_ENGINE_DATES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/zone.h"

struct date_range {
    int from, to; /* year * 10000 + month * 100 + day; year 0: each year's */
};

/* Comma-separated ranges; a range of {0, 0} ends them. Heap. ERR_INVALID. */
int dates_parse(const char *text, struct date_range **out, struct err *e);
/* Is the day in one of them? */
bool dates_hold(const struct date_range *ranges, const struct zone_time *t);

#endif
