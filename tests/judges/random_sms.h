/* Random numbers, names, times and texts for the judges. The same seed gives the same messages anywhere. */
#ifndef SIMGATE_TESTS_RANDOM_SMS_H
#define SIMGATE_TESTS_RANDOM_SMS_H

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "pdu/gsm7.h"
#include "pdu/pdu.h"

struct random_source {
    uint64_t state;
};

/* A number below n (n > 0); splitmix64. */
static inline uint32_t random_below(struct random_source *r, uint32_t n)
{
    uint64_t z = (r->state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) >> 32) % n;
}

static inline bool random_chance(struct random_source *r, uint32_t percent)
{
    return random_below(r, 100) < percent;
}

/* A number: international, national, short, or with '*' and '#'. */
static inline void random_number(struct random_source *r, bool symbols, struct pdu_addr *out)
{
    char text[24];
    size_t n = 0, digits = 1 + random_below(r, 20);
    if (random_chance(r, 60)) {
        text[n++] = '+';
        digits = 7 + random_below(r, 14); /* no country has a shorter number */
    }
    const char *set = symbols && n == 0 && random_chance(r, 10) ? "0123456789*#" : "0123456789";
    for (size_t i = 0; i < digits; i++)
        text[n++] = set[i == 0 ? 1 + random_below(r, 9) : random_below(r, (uint32_t)strlen(set))];
    text[n] = '\0';
    pdu_addr_from_text(text, out, NULL);
}

/* An alphanumeric sender of 1 to 11 letters. */
static inline void random_name(struct random_source *r, struct pdu_addr *out)
{
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .-&!0123456789";
    char text[12];
    size_t len = 1 + random_below(r, 11);
    for (size_t i = 0; i < len; i++)
        text[i] = LETTERS[random_below(r, i == 0 || i + 1 == len ? 52 : sizeof(LETTERS) - 1)];
    text[len] = '\0';
    pdu_addr_from_text(text, out, NULL);
}

/* A time of the years 2000 to 2069. */
static inline void random_time(struct random_source *r, int max_quarters, struct pdu_time *out)
{
    int64_t seconds = 946771200 + (int64_t)random_below(r, 2207520000u - 86400 * 4);
    int zone = (int)random_below(r, (uint32_t)(2 * max_quarters + 1)) - max_quarters;
    pdu_time_from_wall_ms(seconds * 1000, zone, out);
}

enum random_kind { RANDOM_ASCII, RANDOM_GSM7, RANDOM_NATIONAL, RANDOM_BMP, RANDOM_EMOJI, RANDOM_KINDS };

static inline uint32_t random_code_point(struct random_source *r, enum random_kind kind, uint8_t locking,
                                         uint8_t single)
{
    uint32_t cp = 0;
    switch (kind) {
    case RANDOM_ASCII:
        return (unsigned char)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,!?-"
            [random_below(r, 68)];
    case RANDOM_GSM7:
    case RANDOM_NATIONAL:
        do {
            uint8_t septet = (uint8_t)random_below(r, 128);
            cp = random_chance(r, 15) ? gsm7_single(single, septet) : gsm7_locking(locking, septet);
        } while (cp < ' ' || cp == UTF8_REPLACEMENT);
        return cp;
    case RANDOM_BMP:
        do
            cp = 0x20 + random_below(r, 0xFFE0);
        while ((cp >= 0xD800 && cp <= 0xDFFF) || cp == 0xFEFF || cp >= 0xFFF0 || (cp >= 0x7F && cp < 0xA0));
        return cp;
    case RANDOM_EMOJI:
        return random_chance(r, 30) ? 0x1F300 + random_below(r, 0x300) : 'a' + random_below(r, 26);
    case RANDOM_KINDS:
        break;
    }
    return ' ';
}

/* A text of 0 to max_chars characters; text holds 4 * max_chars + 1 bytes. Returns its length in bytes. */
static inline size_t random_text(struct random_source *r, enum random_kind kind, uint8_t locking,
                                 uint8_t single, uint32_t max_chars, char *text)
{
    size_t len = 0, chars = random_below(r, max_chars + 1);
    for (size_t i = 0; i < chars; i++)
        len += utf8_put(random_code_point(r, kind, locking, single), text + len);
    text[len] = '\0';
    return len;
}

#endif
