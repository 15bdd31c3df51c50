/* UTF-8, the encoding of all text inside simgate. */
#ifndef SIMGATE_BASE_UTF8_H
#define SIMGATE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xFFFDu

/* The next code point of text[*at..len), advancing *at by at least 1. A malformed sequence, a surrogate or a
 * value above U+10FFFF gives UTF8_REPLACEMENT and advances over one byte. Call only while *at < len. */
uint32_t utf8_next(const char *text, size_t len, size_t *at);

/* Writes cp as UTF-8 (1 to 4 bytes, no NUL); a surrogate is written as U+FFFD. Returns the bytes written. */
size_t utf8_put(uint32_t cp, char out[4]);

/* True if text is wholly valid UTF-8 (RFC 3629). */
bool utf8_valid(const char *text, size_t len);

/* Puts '?' for every byte of text that is not part of UTF-8: for texts that were cut to fit. */
void utf8_mend(char *text);

/* The value of a decimal digit of any script; -1: it is none. */
int utf8_digit(uint32_t cp);

/* Number of code points. */
size_t utf8_count(const char *text, size_t len);

#endif
