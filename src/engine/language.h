/* Which language a short text is written in, by its common words: de, en, fr, es, it, nl, pt, tr, pl. */
#ifndef SIMGATE_ENGINE_LANGUAGE_H
#define SIMGATE_ENGINE_LANGUAGE_H

#include "engine/fold.h"

struct language;

struct language *language_new(const struct fold *fold); /* borrowed */
void language_free(struct language *l);

/* "de" …; "" when it cannot be told: too few known words, or two languages alike. Looks at the first forty
 * words. */
const char *language_of(const struct language *l, struct span text);

/* Is a wish such as "de" met by "de", "de-AT"? Case does not matter. */
bool language_matches(const char *wish, const char *language);

#endif
