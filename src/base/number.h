/* Telephone numbers: E.164 inside, as people and networks write them outside. */
#ifndef SIMGATE_BASE_NUMBER_H
#define SIMGATE_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { NUMBER_BYTES = 24 }; /* '+', 20 digits (TS 23.040 9.1.2.5), NUL, rounded up */

enum number_kind {
    NUMBER_E164,  /* "+491701234567" */
    NUMBER_SHORT, /* a short code or network service, or digits of unknown meaning: digits, '*', '#', no '+'
                   */
    NUMBER_ALPHA, /* an alphanumeric sender */
};

/* What a number in canonical form is. Only digits, '*' and '#' without '+' in front: short. */
enum number_kind number_kind(const char *canonical);

/* How digits without "+" or "00" in front are read. */
enum number_reading {
    NUMBER_READ_NATIONAL,      /* people: a national number of the configured country */
    NUMBER_READ_INTERNATIONAL, /* smstools3's spool format: international digits, unless they begin with 0 */
};

/* Brings what a person or script wrote to canonical form: spaces, '-', '.', '/', '(' and ')' are dropped, and
 * the "(0)" of "+49 (0)170 …"; "+…" and "00…" are international (5 to 20 digits); up to 6 digits, or digits
 * with '*' or '#', are a short code kept as it is; "0…" is national of `country` (its calling code without
 * '+', e.g. "49"; "" = none configured, then ERR_INVALID); "s1234567" forces a short code (smstools3's form),
 * which no more than six digits with a 0 in front are; other digits are read as `reading` says (as
 * international ones where no country is configured). Countries that dial otherwise than by "00" and "0"
 * (North America, Italy, …) are known. Returns ERR_INVALID with what was expected in *e. */
int number_normalise(const char *text, const char *country, enum number_reading reading,
                     char out[NUMBER_BYTES], struct err *e);

/* The same of how numbers begin, "+4917", "0049 17", "017" inside of `country`: as canonical numbers do.
 * Other digits, and a 0 where no country is configured, stay as they are: short codes begin so. */
int number_normalise_prefix(const char *text, const char *country, char out[NUMBER_BYTES], struct err *e);

/* The other form in which a whole number may be told: without '+' by who did not say that it is international
 * (a sender of unknown type, a forced "short code"), and the other way round. False: it has none. */
bool number_other_form(const char *number, char out[NUMBER_BYTES]);

/* True if two canonical numbers name the same subscriber: equal; or, unless both are international, one is a
 * suffix of the other's digits, leading zeros of the national one aside, and at least 6 digits long (a
 * network may report nationally what was sent internationally). */
bool number_same(const char *a, const char *b);

/* True if what came as a sender is the whole of this number ("" is nobody's): equal, or equal as it is
 * written in its country, or internationally without '+'. Stricter than number_same(), which does with six
 * digits in common that anybody's short code or sender's name may have: for whom a number gives rights.
 * `country` as above; "" leaves national ones to number_same(). */
bool number_is(const char *number, const char *sender, const char *country);

#endif
