/* Comparing words as people write them. The character tables are the C library's for "C.UTF-8", named
 * explicitly, so that neither LANG nor setlocale() changes which rule answers. (PCRE2's own case conversion
 * is not used for this: it maps one case to one other, and so tells U+03BC, Greek mu, from its capital.)
 */
#include "engine/fold.h"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <wctype.h>

#include "base/utf8.h"

/* The alphabets that people write to businesses in, looked up once: Latin to Thai. */
enum { KNOWN_CHARS = 0x1000, CLASS_SPACE = 1 << 0, CLASS_EDGE = 1 << 1 };

struct fold {
    locale_t unicode;
    uint8_t class[KNOWN_CHARS];
    uint32_t folded[KNOWN_CHARS];
};

static bool is_space(const struct fold *f, wint_t c)
{
    /* The C library leaves the no-break spaces out, but telephones do write them. */
    return iswspace_l(c, f->unicode) || c == 0xA0 || c == 0x2007 || c == 0x202F || c == 0xFEFF;
}

static bool is_edge(const struct fold *f, wint_t c)
{
    return is_space(f, c) || iswpunct_l(c, f->unicode) || iswcntrl_l(c, f->unicode);
}

/* By way of the capital: U+03C2 and U+03C3 have the same one. */
static uint32_t folded(const struct fold *f, uint32_t c)
{
    return (uint32_t)towlower_l(towupper_l((wint_t)c, f->unicode), f->unicode);
}

struct fold *fold_new(void)
{
    struct fold *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
    if (!f->unicode) {
        free(f);
        return NULL;
    }
    for (uint32_t c = 0; c < KNOWN_CHARS; c++) {
        f->class[c] = (uint8_t)((is_space(f, c) ? CLASS_SPACE : 0) | (is_edge(f, c) ? CLASS_EDGE : 0));
        f->folded[c] = folded(f, c);
    }
    return f;
}

void fold_free(struct fold *f)
{
    if (!f)
        return;
    freelocale(f->unicode);
    free(f);
}

typedef bool (*char_class)(const struct fold *f, uint32_t c);

static bool space_class(const struct fold *f, uint32_t c)
{
    return c < KNOWN_CHARS ? f->class[c] & CLASS_SPACE : is_space(f, c);
}

static bool edge_class(const struct fold *f, uint32_t c)
{
    return c < KNOWN_CHARS ? f->class[c] & CLASS_EDGE : is_edge(f, c);
}

/* As utf8_next, the common case first. */
static inline uint32_t next_char(const char *text, size_t len, size_t *at)
{
    unsigned char c = (unsigned char)text[*at];

    if (c >= 128)
        return utf8_next(text, len, at);
    (*at)++;
    return c;
}

/* ASCII and no white space. */
static inline bool is_plain(const struct fold *f, char c)
{
    return (unsigned char)c < 128 && !(f->class[(unsigned char)c] & CLASS_SPACE);
}

/* Where the character ahead of `end` begins. */
static size_t step_back(const char *text, size_t end)
{
    do
        end--;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80);
    return end;
}

static struct span strip_end(const struct fold *f, struct span s, char_class drop)
{
    while (s.len > 0) {
        size_t last = step_back(s.at, s.len), at = last;

        if (!drop(f, next_char(s.at, s.len, &at)))
            break;
        s.len = last;
    }
    return s;
}

static struct span strip(const struct fold *f, struct span s, char_class drop)
{
    size_t at = 0;

    if (s.len == 0)
        return s; /* perhaps of no text at all */
    while (at < s.len) {
        size_t next = at;

        if (!drop(f, next_char(s.at, s.len, &next)))
            break;
        at = next;
    }
    return strip_end(f, (struct span){s.at + at, s.len - at}, drop);
}

struct span fold_trim(const struct fold *f, struct span s)
{
    struct span bare = strip(f, s, edge_class);

    return bare.len > 0 ? bare : strip(f, s, space_class);
}

struct span fold_next_word(const struct fold *f, struct span *s)
{
    struct span rest = strip(f, *s, space_class);
    size_t end = 0;

    if (rest.len == 0) {
        *s = rest;
        return (struct span){0};
    }
    while (end < rest.len) {
        size_t next = end;

        if (is_plain(f, rest.at[end])) {
            end++;
            continue;
        }
        if (space_class(f, next_char(rest.at, rest.len, &next)))
            break;
        end = next;
    }
    *s = (struct span){rest.at + end, rest.len - end};
    return (struct span){rest.at, end};
}

struct span fold_first_word(const struct fold *f, struct span trimmed)
{
    struct span word = fold_next_word(f, &trimmed), bare = strip_end(f, word, edge_class);

    return bare.len > 0 ? bare : word;
}

static size_t put_folded(const struct fold *f, uint32_t c, char out[4])
{
    uint32_t to = c < KNOWN_CHARS ? f->folded[c] : folded(f, c);

    if (to >= 128)
        return utf8_put(to, out);
    out[0] = (char)to;
    return 1;
}

unsigned char fold_first_byte(const struct fold *f, struct span s)
{
    unsigned char c = s.len > 0 ? (unsigned char)s.at[0] : 0;

    return c < 128 && !(f->class[c] & CLASS_SPACE) ? (unsigned char)f->folded[c] : 0;
}

int fold_normal(const struct fold *f, struct span s, char out[FOLD_BYTES], size_t max)
{
    size_t len = 0;
    bool gap = false;

    if (max > FOLD_BYTES)
        max = FOLD_BYTES;
    for (size_t at = 0; at < s.len;) {
        uint32_t c;
        char bytes[4];
        size_t n;

        if (!gap && len < max && is_plain(f, s.at[at])) {
            out[len++] = (char)f->folded[(unsigned char)s.at[at++]];
            continue;
        }
        c = next_char(s.at, s.len, &at);
        if (space_class(f, c)) {
            gap = len > 0;
            continue;
        }
        n = put_folded(f, c, bytes);
        if (len + (gap ? 1u : 0u) + n > max)
            return -1;
        if (gap)
            out[len++] = ' ';
        gap = false;
        for (size_t i = 0; i < n; i++)
            out[len++] = bytes[i];
    }
    return (int)len;
}

void fold_case(const struct fold *f, struct span s, bool upper, struct buf *out)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t c = next_char(s.at, s.len, &at);
        char bytes[4];

        if (f)
            c = (uint32_t)(upper ? towupper_l((wint_t)c, f->unicode) : towlower_l((wint_t)c, f->unicode));
        else if (c < 128)
            c = (uint32_t)(upper ? toupper((int)c) : tolower((int)c));
        buf_add(out, bytes, utf8_put(c, bytes));
    }
}
