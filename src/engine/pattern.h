/* Regular expressions over customers' texts: PCRE2, in Unicode, within limits. */
#ifndef SIMGATE_ENGINE_PATTERN_H
#define SIMGATE_ENGINE_PATTERN_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/fold.h"

/* A pattern sees this much of a text's start: ten SMS. The library's match limit (per start of an attempt,
 * enough to read such a text several times over) ends exponential patterns; quadratic ones are bounded by the
 * text. Together they bound what one pattern costs, whatever anyone writes: bench_engine shows it. */
enum { PATTERN_TEXT_BYTES = 1530, PATTERN_MATCH_LIMIT = 10000, PATTERN_HEAP_KIB = 1024 };

/* What all patterns of an engine share. */
struct matcher;
struct matcher *matcher_new(void);
void matcher_free(struct matcher *m);

struct pattern;

/* ERR_INVALID with "what is wrong at offset N" in *e. */
int pattern_new(struct matcher *m, const char *text, struct pattern **out, struct err *e);
void pattern_free(struct pattern *p);

enum pattern_result { PATTERN_NO, PATTERN_YES, PATTERN_GAVE_UP };
/* `text` is valid UTF-8; borrowed until the groups were read. */
enum pattern_result pattern_match(struct pattern *p, struct span text);

/* How many characters of the text (as far as it is looked at) are parts of matches, one behind the other. */
size_t pattern_count(struct pattern *p, struct span text);

/* Whether the pattern has a group of this name, or number ("0" is the whole match). */
bool pattern_has_group(const struct pattern *p, const char *name);

/* What the group matched the last time. False: it took no part, or nothing was matched. */
bool pattern_group(const struct pattern *p, const char *name, struct span *out);

/* Calls each for every named group. */
void pattern_each_name(const struct pattern *p, void (*each)(void *owner, const char *name), void *owner);

#endif
