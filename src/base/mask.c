/* Masking. See base/mask.h.
 *
 * A text's bytes are marked first, by cards and by each pattern, and written once: what one of them hides the
 * others still see. PCRE2's limits are those of the text's length, so that no text costs more than a few
 * milliseconds, whatever the pattern.
 */
#include "base/mask.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"

enum {
    CARD_DIGITS_MIN = 13,
    CARD_DIGITS_MAX = 19,
    CARD_SHOWN = 4,           /* the last digits: enough to know one's own card by */
    CARD_FIRST_DIGIT_MIN = 2, /* ISO/IEC 7812-1: 3 travel, 4 and 5 banking, 2 and 6 too by now */
    CARD_FIRST_DIGIT_MAX = 6,
    SEPARATORS_MAX = 2,      /* in a row, within a number */
    MATCH_STEPS = 4000000,   /* of one pattern over one text … */
    MATCH_LIMIT_MIN = 100,   /* … but at each place at least, */
    MATCH_LIMIT_MAX = 10000, /* and at most, so many */
    HEAP_LIMIT_KIB = 1024,
    MESSAGE_BYTES = 200,
};

struct mask {
    bool cards;
    pcre2_code **codes;
    int ncodes;
    pcre2_match_context *context;
};

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static int add_pattern(struct mask *m, const char *text, int index, struct err *e)
{
    PCRE2_UCHAR message[MESSAGE_BYTES];
    size_t offset;
    int code;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);

    if (!compiled) {
        pcre2_get_error_message(code, message, sizeof message);
        return err_set(e, ERR_INVALID, "patterns[%d]: %s at offset %zu", index, (const char *)message,
                       offset);
    }
    m->codes[m->ncodes++] = compiled;
    return 0;
}

int mask_new(bool cards, const char *const *patterns, struct mask **out, struct err *e)
{
    struct mask *m = calloc(1, sizeof *m);
    int n = 0, rc = 0;

    *out = NULL;
    while (patterns && patterns[n])
        n++;
    if (!m || !(m->codes = calloc((size_t)n + 1, sizeof(pcre2_code *))) ||
        !(m->context = pcre2_match_context_create(NULL)))
        abort();
    m->cards = cards;
    pcre2_set_heap_limit(m->context, HEAP_LIMIT_KIB);
    for (int i = 0; i < n && rc == 0; i++)
        rc = add_pattern(m, patterns[i], i, e);
    if (rc < 0)
        mask_free(m);
    else
        *out = m;
    return rc;
}

void mask_free(struct mask *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->ncodes; i++)
        pcre2_code_free(m->codes[i]);
    free(m->codes);
    pcre2_match_context_free(m->context);
    free(m);
}

/* ---- cards ----------------------------------------------------------------------------------------------
 */

static bool separates(uint32_t cp)
{
    return cp == ' ' || cp == '\t' || cp == '\r' || cp == '\n' || cp == '-' || cp == '.' || cp == '/' ||
           cp == 0xA0 || (cp >= 0x2000 && cp <= 0x200A) || (cp >= 0x2010 && cp <= 0x2015) || cp == 0x202F ||
           cp == 0x2212 || cp == 0x3000 || cp == 0xFF0D;
}

/* Seen by nobody, and no separator: soft hyphens, marks of width and direction, which come with copied text.
 */
static bool invisible(uint32_t cp)
{
    return cp == 0xAD || cp == 0x61C || (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x202A && cp <= 0x202E) ||
           (cp >= 0x2060 && cp <= 0x2069) || cp == 0xFEFF;
}

struct digit {
    size_t at; /* byte of the text */
    uint8_t value;
    bool first, last; /* of its group */
    bool plus;        /* '+' is in front */
};

/* Luhn's sum of n digits, ISO/IEC 7812-1 annex B. */
static bool luhn(const struct digit *d, int n)
{
    int sum = 0;

    for (int i = 0; i < n; i++) {
        int v = d[n - 1 - i].value;

        if (i % 2)
            v = v > 4 ? 2 * v - 9 : 2 * v;
        sum += v;
    }
    return sum % 10 == 0;
}

static bool may_begin(const struct digit *d)
{
    return d->first && !d->plus && d->value >= CARD_FIRST_DIGIT_MIN && d->value <= CARD_FIRST_DIGIT_MAX;
}

/* A number of digits that nothing but separators part: each stretch of whole groups may be a card. */
static void mark_cards(const struct digit *d, size_t n, bool *hidden)
{
    for (size_t i = 0; i < n; i++) {
        if (!may_begin(&d[i]))
            continue;
        for (size_t len = CARD_DIGITS_MIN; len <= CARD_DIGITS_MAX && i + len <= n; len++)
            if (d[i + len - 1].last && luhn(&d[i], (int)len))
                for (size_t k = i; k < i + len - CARD_SHOWN; k++)
                    hidden[d[k].at] = true;
    }
}

static void find_cards(const char *text, size_t len, bool *hidden)
{
    struct digit *d = calloc(len + 1, sizeof *d);
    size_t n = 0;
    int apart = 0; /* separators since the last digit */
    bool plus = false;

    if (!d)
        abort();
    for (size_t at = 0, next = 0; at < len; at = next) {
        uint32_t cp = utf8_next(text, len, &next);
        int value = utf8_digit(cp);

        if (invisible(cp))
            continue;
        if (value >= 0) {
            bool joined = n > 0 && apart == 0;

            if (joined)
                d[n - 1].last = false;
            d[n++] = (struct digit){
                .at = at, .value = (uint8_t)value, .first = !joined, .last = true, .plus = plus};
            apart = 0;
        } else if (n == 0 || !separates(cp) || ++apart > SEPARATORS_MAX) {
            mark_cards(d, n, hidden);
            n = 0;
            apart = 0;
        }
        plus = cp == '+';
    }
    mark_cards(d, n, hidden);
    free(d);
}

/* ---- patterns -------------------------------------------------------------------------------------------
 */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void mark(const char *text, size_t from, size_t to, bool *hidden)
{
    for (; from < to; from++)
        hidden[from] = hidden[from] || !is_space(text[from]);
}

/* The groups that took part; without any, the whole match. */
static void mark_match(const char *text, const size_t *places, int n, bool *hidden)
{
    bool any = false;

    for (int i = 1; i < n; i++) {
        if (places[2 * i] == PCRE2_UNSET)
            continue;
        any = true;
        mark(text, places[2 * i], places[2 * i + 1], hidden);
    }
    if (!any)
        mark(text, places[0], places[1], hidden);
}

/* False: it met its limits. */
static bool find_pattern(const struct mask *m, const pcre2_code *code, const char *text, size_t len,
                         bool *hidden)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    size_t at = 0;
    int n = 1;

    if (!data)
        abort();
    while (at <= len) {
        const size_t *places;

        n = pcre2_match(code, (PCRE2_SPTR)text, len, at, at > 0 ? PCRE2_NO_UTF_CHECK : 0, data, m->context);
        if (n <= 0)
            break;
        places = pcre2_get_ovector_pointer(data);
        mark_match(text, places, n, hidden);
        at = places[1] > at ? places[1] : at + 1; /* an empty match: on by one character */
        while (at < len && ((unsigned char)text[at] & 0xC0) == 0x80)
            at++;
    }
    pcre2_match_data_free(data);
    return n > 0 || n == PCRE2_ERROR_NOMATCH;
}

static void find_patterns(const struct mask *m, const char *text, size_t len, bool *hidden)
{
    size_t limit = MATCH_STEPS / (len + 1);

    if (limit > MATCH_LIMIT_MAX)
        limit = MATCH_LIMIT_MAX;
    if (limit < MATCH_LIMIT_MIN)
        limit = MATCH_LIMIT_MIN;
    pcre2_set_match_limit(m->context, (uint32_t)limit);
    for (int i = 0; i < m->ncodes; i++)
        if (!find_pattern(m, m->codes[i], text, len, hidden))
            mark(text, 0, len, hidden);
}

/* ---- the text -------------------------------------------------------------------------------------------
 */

/* A character is hidden with its first byte. */
static size_t write_masked(const char *text, size_t len, const bool *hidden, struct buf *out)
{
    size_t masked = 0;

    for (size_t at = 0, next = 0; at < len; at = next) {
        utf8_next(text, len, &next);
        if (!hidden[at]) {
            buf_add(out, text + at, next - at);
            continue;
        }
        masked += next - at;
        buf_addc(out, '*');
    }
    return masked;
}

size_t mask_text(struct mask *m, const char *text, size_t len, struct buf *out)
{
    bool *hidden;
    size_t masked = 0;

    if (!m || len == 0 || (!m->cards && m->ncodes == 0))
        return 0;
    hidden = calloc(len, sizeof *hidden);
    if (!hidden)
        abort();
    if (m->cards)
        find_cards(text, len, hidden);
    if (m->ncodes > 0 && utf8_valid(text, len))
        find_patterns(m, text, len, hidden);
    if (memchr(hidden, true, len))
        masked = write_masked(text, len, hidden, out);
    free(hidden);
    return masked;
}
