/* Figures for people. */
#ifndef SIMGATE_CLI_STATS_H
#define SIMGATE_CLI_STATS_H

#include <jansson.h>
#include <stddef.h>

/* The whole on a page, with sparklines on a terminal where the answer has rows by time. */
void view_stats(const json_t *answer);
/* A row for each of the answer's. */
void view_stats_table(const json_t *answer);

/* "45 s", "12 min", "3 h 20 min", "2 d 3 h" */
void stats_duration(double seconds, char *out, size_t size);
/* A bar for each value, of eight heights; a value below 0 is a gap. `out` has room for 3 bytes each and one.
 */
void stats_sparkline(const double *values, int n, char *out);

#endif
