/* Business hours: weekly times in a zone, with days that are closed all the same. Pure. */
#ifndef SIMGATE_BASE_HOURS_H
#define SIMGATE_BASE_HOURS_H

#include <stdbool.h>

#include "base/zone.h"

struct hours;

/* A stretch belongs to the day on which it begins: a closed day takes away what begins on it.
 * open: NULL-terminated "Mon-Fri 09:00-18:00", "Sat 10:00-14:00, 15:00-16:00", "Mon,Wed 22:00-02:00" (over
 * midnight), "daily 00:00-24:00"; NULL: always open. closed: "12-25" each year, "2027-01-01",
 * "2026-12-24..2027-01-06"; NULL none. zone borrowed. ERR_INVALID: which entry, and what was expected. */
int hours_new(const struct zone *zone, const char *const *open, const char *const *closed, struct hours **out,
              struct err *e);
void hours_free(struct hours *h);
const struct zone *hours_zone(const struct hours *h);

bool hours_open(const struct hours *h, int64_t wall_ms);
/* The next moment at or after this one when it is open (or closed); 0: never within a year. */
int64_t hours_next_open(const struct hours *h, int64_t wall_ms);
int64_t hours_next_close(const struct hours *h, int64_t wall_ms);
/* Business time: this moment plus so much open time (0: it does not open so long within a year); and the open
 * time between two moments. */
int64_t hours_add(const struct hours *h, int64_t wall_ms, int64_t business_ms);
int64_t hours_between(const struct hours *h, int64_t from_wall_ms, int64_t to_wall_ms);

/* When it opens next, in words of a language ("en", "de", "fr", "es", "it", "nl", "pt", "tr", "pl"; others:
 * as "en"): "now", "today at 14:00", "tomorrow at 9:00", "on Monday at 9:00", "on 7 January at 9:00". */
void hours_next_words(const struct hours *h, int64_t wall_ms, const char *language, char out[96]);
/* How long that can become: an example of each form in this language ("": in each language), by index; false
 * beyond the last. */
bool hours_words_form(const char *language, int index, char out[96]);

#endif
