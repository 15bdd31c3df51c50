/* Names of spool files. Pure. A claimed file is called `<its name>.<unique>`: unique has a fixed length, so
 * that the name of before is recoverable whatever bytes it has. */
#ifndef SIMGATE_SPOOL_NAMES_H
#define SIMGATE_SPOOL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPOOL_NAME_BYTES = 256, /* NAME_MAX and the NUL */
    SPOOL_TIME_DIGITS = 9,  /* milliseconds since 1970 in base 36, until the year 5188 */
    SPOOL_LIFE_DIGITS = 5,  /* random, the same for one life of the daemon */
    SPOOL_COUNT_DIGITS = 4,
    SPOOL_UNIQUE_DIGITS = SPOOL_TIME_DIGITS + SPOOL_LIFE_DIGITS + SPOOL_COUNT_DIGITS,
    SPOOL_UNIQUE_BYTES = SPOOL_UNIQUE_DIGITS + 1,
    SPOOL_FILE_ID_DIGITS = 6,
};

/* Lower-case base 36, `digits` of them with zeros in front; higher ones are cut. Returns the end. */
char *spool_base36(char *to, uint64_t value, int digits);

/* Not picked: dot-files, *.LOCK, LOCKED*. */
bool spool_ignored_name(const char *name);

void spool_make_unique(uint64_t wall_ms, uint64_t life, uint64_t count, char out[SPOOL_UNIQUE_BYTES]);
/* False if the name had to be cut to make room for unique. */
bool spool_claimed_name(const char *name, const char *unique, char out[SPOOL_NAME_BYTES]);
/* The unique part of a claimed name (points into it), or NULL if it is none. */
const char *spool_unique_of(const char *claimed);
/* The name of before, perhaps cut. */
void spool_original_name(const char *claimed, char out[SPOOL_NAME_BYTES]);

/* Any bytes as text for a key or log, and back: what is not plain is written "%XX". False: it does not fit or
 * is no such text. */
bool spool_name_to_text(const char *name, char *out, size_t size);
bool spool_name_from_text(const char *text, char out[SPOOL_NAME_BYTES]);

/* incoming/ and report/: "<modem>.<id in base 36, 6 digits or more>"; the modem's odd characters become '_'.
 */
void spool_file_name(const char *modem, int64_t id, char out[SPOOL_NAME_BYTES]);

#endif
