/* Comparing words as people write them. The character tables are the C library's for "C.UTF-8", named
 * explicitly, so that neither LANG nor setlocale() changes which rule answers. (PCRE2's own case conversion
 * is not used for this: it maps one case to one other, and so tells U+03BC, Greek mu, from its capital.)
 */
#include "engine/fold.h"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wctype.h>

#include "base/utf8.h"

/* The alphabets that people write to businesses in, looked up once: Latin to Thai. */
enum { KNOWN_CHARS = 0x1000, CLASS_SPACE = 1 << 0, CLASS_EDGE = 1 << 1, CLASS_MARK = 1 << 2 };

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
    for (const char *mark = ",;:!?/."; *mark; mark++)
        f->class[(unsigned char)*mark] |= CLASS_MARK;
    return f;
}

void fold_free(struct fold *f)
{
    if (!f)
        return;
    freelocale(f->unicode);
    free(f);
}

static unsigned class_of_rare(const struct fold *f, uint32_t c)
{
    return (is_space(f, c) ? CLASS_SPACE : 0u) | (is_edge(f, c) ? CLASS_EDGE : 0u);
}

static inline unsigned class_of(const struct fold *f, uint32_t c)
{
    return c < KNOWN_CHARS ? f->class[c] : class_of_rare(f, c);
}

/* As utf8_next, the common cases first: of one byte, and of two. */
static inline uint32_t next_char(const char *text, size_t len, size_t *at)
{
    unsigned char c = (unsigned char)text[*at];

    if (c < 128) {
        (*at)++;
        return c;
    }
    if (c >= 0xC2 && c < 0xE0 && *at + 1 < len && ((unsigned char)text[*at + 1] & 0xC0) == 0x80) {
        *at += 2;
        return (c & 0x1Fu) << 6 | ((unsigned char)text[*at - 1] & 0x3Fu);
    }
    return utf8_next(text, len, at);
}

/* Where the character ahead of `end` begins. */
static size_t step_back(const char *text, size_t end)
{
    do
        end--;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80);
    return end;
}

static struct span strip_end(const struct fold *f, struct span s, unsigned drop)
{
    while (s.len > 0) {
        size_t last = step_back(s.at, s.len), at = last;

        if (!(class_of(f, next_char(s.at, s.len, &at)) & drop))
            break;
        s.len = last;
    }
    return s;
}

static inline bool is_plain(const struct fold *f, char c)
{
    return (unsigned char)c < 128 && !f->class[(unsigned char)c];
}

static struct span strip(const struct fold *f, struct span s, unsigned drop)
{
    size_t at = 0;

    if (s.len == 0 || (is_plain(f, s.at[0]) && is_plain(f, s.at[s.len - 1])))
        return s; /* perhaps of no text at all; or as most words are */
    while (at < s.len) {
        size_t next = at;

        if (!(class_of(f, next_char(s.at, s.len, &next)) & drop))
            break;
        at = next;
    }
    return strip_end(f, (struct span){s.at + at, s.len - at}, drop);
}

struct span fold_trim(const struct fold *f, struct span s)
{
    struct span bare = strip(f, s, CLASS_EDGE);

    return bare.len > 0 ? bare : strip(f, s, CLASS_SPACE);
}

struct span fold_next_word(const struct fold *f, struct span *s)
{
    size_t begin = 0, end, next;

    while (begin < s->len) {
        next = begin;
        if (!(class_of(f, next_char(s->at, s->len, &next)) & CLASS_SPACE))
            break;
        begin = next;
    }
    for (end = begin; end < s->len; end = next) {
        next = end;
        if (is_plain(f, s->at[end]))
            next++;
        else if (class_of(f, next_char(s->at, s->len, &next)) & CLASS_SPACE)
            break;
    }
    if (end == begin) {
        *s = (struct span){0};
        return *s;
    }
    s->len -= end;
    s->at += end;
    return (struct span){s->at - (end - begin), end - begin};
}

struct span fold_first_word(const struct fold *f, struct span trimmed)
{
    struct span word = fold_next_word(f, &trimmed), bare = strip_end(f, word, CLASS_EDGE);

    return bare.len > 0 ? bare : word;
}

static bool is_site(struct span word)
{
    return word.len > 4 && strncasecmp(word.at, "www.", 4) == 0;
}

static bool is_address(struct span word)
{
    return is_site(word) || memchr(word.at, '@', word.len) || memmem(word.at, word.len, "//", 2);
}

static bool is_digit(const struct span *s, size_t at)
{
    return at < s->len && s->at[at] >= '0' && s->at[at] <= '9';
}

static size_t part_end(const struct fold *f, struct span word)
{
    for (size_t at = 0; at < word.len; at++) {
        unsigned char c = (unsigned char)word.at[at];

        if (c < 128 && f->class[c] & CLASS_MARK &&
            !(at > 0 && is_digit(&word, at - 1) && is_digit(&word, at + 1)))
            return at;
    }
    return word.len;
}

bool fold_has_parts(const struct fold *f, struct span word)
{
    return part_end(f, word) < word.len && !is_address(word);
}

struct span fold_next_part(const struct fold *f, struct span *word)
{
    struct span part = {0};

    while (part.len == 0 && word->len > 0) {
        size_t end = is_site(*word) ? word->len : part_end(f, *word), over = end < word->len ? 1 : 0;

        part = strip(f, (struct span){word->at, end}, CLASS_EDGE);
        *word = (struct span){word->at + end + over, word->len - end - over};
    }
    return part;
}

enum { SHARP_S = 0xDF };

static size_t put_folded(const struct fold *f, uint32_t c, char out[4])
{
    uint32_t to = c < KNOWN_CHARS ? f->folded[c] : folded(f, c);

    if (to == SHARP_S) { /* which has no capital but two S */
        out[0] = out[1] = 's';
        return 2;
    }
    if (to >= 128)
        return utf8_put(to, out);
    out[0] = (char)to;
    return 1;
}

unsigned char fold_first_byte(const struct fold *f, struct span s)
{
    size_t at = 0;
    uint32_t c = s.len > 0 ? next_char(s.at, s.len, &at) : ' ';
    char bytes[4];

    if (c >= KNOWN_CHARS || f->class[c] & CLASS_SPACE)
        return 0;
    put_folded(f, c, bytes);
    return (unsigned char)bytes[0];
}

/* A normal form being written. */
struct normal {
    char *out;
    size_t len, max;
    size_t solid;   /* its length without the punctuation that the word under way ends in so far */
    bool in_word;   /* there is more than punctuation in the word under way */
    bool overflows; /* that punctuation has no room, which matters if the word goes on */
};

/* Ahead of a word that is not the first one, a space. */
static inline bool put_char(struct normal *n, const char *bytes, size_t count)
{
    size_t space = !n->in_word && n->solid > 0 ? 1 : 0;

    if (n->overflows || n->len + space + count > n->max)
        return false;
    if (space)
        n->out[n->len++] = ' ';
    for (size_t i = 0; i < count; i++)
        n->out[n->len++] = bytes[i];
    return true;
}

static int normal_of(const struct fold *f, struct span s, struct normal *n, unsigned drop)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t c = next_char(s.at, s.len, &at);
        unsigned class = class_of(f, c);
        char bytes[4];

        if (class & CLASS_SPACE) { /* the word has ended */
            n->len = n->solid;
            n->in_word = n->overflows = false;
        } else if (class & drop) {
            if (n->in_word && !put_char(n, bytes, put_folded(f, c, bytes)))
                n->overflows = true;
        } else {
            if (!put_char(n, bytes, put_folded(f, c, bytes)))
                return -1;
            n->solid = n->len;
            n->in_word = true;
        }
    }
    return (int)n->solid;
}

int fold_normal(const struct fold *f, struct span s, char out[FOLD_BYTES], size_t max)
{
    struct normal n = {.out = out, .max = max > FOLD_BYTES ? FOLD_BYTES : max}, bare = n;
    size_t plain = 0;
    int len;

    while (plain < s.len && plain < n.max && is_plain(f, s.at[plain])) {
        out[plain] = (char)f->folded[(unsigned char)s.at[plain]];
        plain++;
    }
    if (plain == s.len) /* as most words are */
        return (int)plain;
    n.len = n.solid = plain;
    n.in_word = plain > 0;
    len = normal_of(f, (struct span){s.at + plain, s.len - plain}, &n, CLASS_EDGE);
    return len == 0 ? normal_of(f, s, &bare, 0) : len; /* nothing but punctuation: that */
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
