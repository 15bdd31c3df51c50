/* The form in which words are compared: no case, no punctuation at the ends of words, single spaces. */
#ifndef SIMGATE_ENGINE_FOLD_H
#define SIMGATE_ENGINE_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Borrowed bytes of a text. {0}: none. */
struct span {
    const char *at;
    size_t len;
};

/* Room for a normal form. Longer texts cannot be a keyword: KEYWORD_BYTES is a keyword's most. */
enum { FOLD_BYTES = 256, KEYWORD_BYTES = 120 };

struct fold;

/* NULL when the C library has no Unicode tables. */
struct fold *fold_new(void);
void fold_free(struct fold *f);

/* s without white space and punctuation (and symbols, such as emoji) at its ends; if nothing else is in it,
 * without the white space only, so that "?" can be a keyword. s is valid UTF-8, as everywhere here. */
struct span fold_trim(const struct fold *f, struct span s);

/* The first word of what fold_trim returned, without punctuation at its end. */
struct span fold_first_word(const struct fold *f, struct span trimmed);

/* The word at *s and what follows it, in *s. {0} at the end. */
struct span fold_next_word(const struct fold *f, struct span *s);

/* Has a word marks in it that people put between words without a space ("price/hour", "hello,is it open")?
 * Numbers ("1.5", "10:30") and addresses have none. */
bool fold_has_parts(const struct fold *f, struct span word);
/* The next of its parts, and what follows, in *word. {0} at the end. */
struct span fold_next_part(const struct fold *f, struct span *word);

/* Writes the normal form, no NUL, and returns its length; -1 if it is longer than max. Characters that differ
 * only in case become the same one (Unicode simple mappings; final and other sigma too, and sharp s is two
 * s). */
int fold_normal(const struct fold *f, struct span s, char out[FOLD_BYTES], size_t max);

/* The first byte of s's normal form, where that can be told at once (the alphabets, no white space); else 0.
 */
unsigned char fold_first_byte(const struct fold *f, struct span s);

/* Appends s in capitals, or in small letters, as far as one character becomes one other. f NULL: ASCII only.
 */
void fold_case(const struct fold *f, struct span s, bool upper, struct buf *out);

#endif
