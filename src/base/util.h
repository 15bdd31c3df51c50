/* Small things that C lacks. */
#ifndef SIMGATE_BASE_UTIL_H
#define SIMGATE_BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Copies src to dst of size bytes and always terminates; returns false if it had to be cut. */
bool str_copy(char *dst, size_t size, const char *src);

/* Decimal text to *out. False unless all of text is a number within [min, max]. */
bool str_to_i64(const char *text, int64_t min, int64_t max, int64_t *out);

/* "90s", "15m", "2h", "3d", "1w" or a sum such as "1d12h"; a bare number is seconds. To milliseconds.
 * False if it is none of these or over 100 years. */
bool str_to_duration_ms(const char *text, int64_t *out_ms);

/* Milliseconds of UTC since 1970 as "2026-11-21T09:30:00Z" (local time with its offset if `local`). */
void wall_to_text(int64_t wall_ms, bool local, char out[32]);

/* The reverse: RFC 3339, "YYYY-MM-DD HH:MM[:SS]" (local time), "HH:MM" (the next one), or "+2h" (from now).
 * False if it is none of these. */
bool wall_from_text(const char *text, int64_t now_wall_ms, int64_t *out_ms);

/* "YYYY-MM-DD", a day that there is, alone. */
bool day_from_text(const char *text, int *year, int *month, int *day);

/* Hex digits of either case, even count, no spaces. Returns the number of bytes written or ERR_INVALID,
 * ERR_TRUNCATED (odd count), ERR_TOO_LONG. */
int hex_decode(const char *hex, size_t hex_len, uint8_t *out, size_t out_size);

/* Upper-case hex and a NUL: out holds 2 * len + 1 bytes. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);

#endif
