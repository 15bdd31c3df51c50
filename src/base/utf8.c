/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "base/utf8.h"

#include <string.h>

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
