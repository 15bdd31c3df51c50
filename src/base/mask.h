/* Masking of what must not be read by everybody: numbers of payment cards, and whatever patterns say.
 *
 * A card number is 13 to 19 digits (ISO/IEC 7812-1) of any script, in groups that spaces, dashes, dots or
 * slashes part, whose Luhn sum is right, that begins with 2 to 6 and has no '+' in front. All digits but its
 * last four become '*'. Of what a pattern matches all characters that are no white space become '*'; where it
 * has groups, those of the groups that took part. Patterns are PCRE2 in Unicode, within limits: a text that
 * one of them cannot be done with is masked as a whole.
 */
#ifndef SIMGATE_BASE_MASK_H
#define SIMGATE_BASE_MASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct mask;

/* Masks nothing where cards is false and patterns (NULL-terminated) is NULL or empty. ERR_INVALID: which
 * pattern, and what is wrong with it at which offset: "patterns[1]: …". */
int mask_new(bool cards, const char *const *patterns, struct mask **out, struct err *e);
void mask_free(struct mask *m); /* NULL allowed */

/* Appends text, masked, to out: valid UTF-8 stays so, with as many characters. Returns the number of bytes
 * that were masked; 0: nothing was, and nothing was appended. m NULL: masks nothing. text need not be valid
 * UTF-8: patterns are not asked about one that is not. */
size_t mask_text(struct mask *m, const char *text, size_t len, struct buf *out);

#endif
