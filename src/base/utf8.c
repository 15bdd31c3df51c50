/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "base/utf8.h"

#include <string.h>

#include "base/util.h"

static bool is_surrogate(uint32_t cp)
{
    return cp >= 0xD800 && cp <= 0xDFFF;
}

/* Bytes that follow the lead byte, the smallest code point of that length, and the lead's own bits. */
static bool lead_decode(uint8_t lead, unsigned *more, uint32_t *smallest, uint32_t *bits)
{
    static const struct {
        uint8_t mask, pattern;
        unsigned more;
        uint32_t smallest;
    } leads[] = {{0xE0, 0xC0, 1, 0x80}, {0xF0, 0xE0, 2, 0x800}, {0xF8, 0xF0, 3, 0x10000}};

    for (unsigned i = 0; i < 3; i++) {
        if ((lead & leads[i].mask) != leads[i].pattern)
            continue;
        *more = leads[i].more;
        *smallest = leads[i].smallest;
        *bits = lead & (uint8_t)~leads[i].mask;
        return true;
    }
    return false;
}

uint32_t utf8_next(const char *text, size_t len, size_t *at)
{
    const uint8_t *s = (const uint8_t *)text + *at;
    size_t left = len - *at;
    uint32_t cp, smallest;
    unsigned more;

    (*at)++;
    if (s[0] < 0x80)
        return s[0];
    if (!lead_decode(s[0], &more, &smallest, &cp) || left <= more)
        return UTF8_REPLACEMENT;
    for (unsigned i = 1; i <= more; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return UTF8_REPLACEMENT;
        cp = cp << 6 | (s[i] & 0x3Fu);
    }
    if (cp < smallest || cp > 0x10FFFF || is_surrogate(cp))
        return UTF8_REPLACEMENT;
    *at += more;
    return cp;
}

size_t utf8_put(uint32_t cp, char out[4])
{
    if (is_surrogate(cp) || cp > 0x10FFFF)
        cp = UTF8_REPLACEMENT;
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

bool utf8_valid(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t start = at;

        /* U+FFFD itself is three bytes long: one byte means that it stands for a bad one. */
        if (utf8_next(text, len, &at) == UTF8_REPLACEMENT && at - start == 1)
            return false;
    }
    return true;
}

size_t utf8_count(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t at = 0; at < len; count++)
        utf8_next(text, len, &at);
    return count;
}

void utf8_mend(char *text)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len;) {
        size_t start = at;

        /* U+FFFD itself takes three bytes, a malformed one is stepped over alone. */
        if (utf8_next(text, len, &at) == UTF8_REPLACEMENT && at == start + 1)
            text[start] = '?';
    }
}

/* The digits of each script begin at these code points, in their order (Unicode 15, general category Nd). */
static const uint32_t zeros[] = {
    '0',     0x0660,  0x06F0,  0x07C0,  0x0966,  0x09E6,  0x0A66,  0x0AE6,  0x0B66,  0x0BE6,  0x0C66,
    0x0CE6,  0x0D66,  0x0DE6,  0x0E50,  0x0ED0,  0x0F20,  0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,
    0x19D0,  0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,
    0xA9F0,  0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0,
    0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60,
    0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0};

int utf8_digit(uint32_t cp)
{
    for (size_t i = 0; i < ARRAY_LEN(zeros) && cp >= zeros[i]; i++)
        if (cp < zeros[i] + 10)
            return (int)(cp - zeros[i]);
    return -1;
}
