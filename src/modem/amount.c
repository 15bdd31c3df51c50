/* An amount of money in a sentence of a network: "Kontostand: 1.234,56 EUR", "Bal $5.00 till 21/11/2026".
 * Pure.
 *
 * Separators: the last one is the decimal one; a single one with three digits behind it separates thousands,
 * unless a 0 alone is in front. Dates, times, codes (*100#) and long runs of digits are no amounts.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "modem/modem.h"

enum {
    DIGITS_MAX = 12, /* more is an account or telephone number */
    MILLI = 1000,
    MILLI_DIGITS = 3,
    GROUP_DIGITS = 3, /* between separators of thousands */
};

static const char place[] = "{amount}";

/* ---- one number ---- */

struct amount {
    const char *end;
    bool decimals;
    int64_t milli;
};

static bool is_digit(char c)
{
    return isdigit((unsigned char)c) != 0;
}

static bool is_separator(const char *p)
{
    return (*p == '.' || *p == ',' || *p == '\'') && is_digit(p[1]);
}

/* The digits and separators at p, of which `decimal` (NULL none) stands before the decimals. */
static int64_t value(const char *p, const char *end, const char *decimal)
{
    int64_t milli = 0;
    int places = 0;

    for (; p < end; p++) {
        if (!is_digit(*p) || (decimal && p > decimal && ++places > MILLI_DIGITS))
            continue;
        milli = milli * 10 + (*p - '0');
    }
    for (; places < MILLI_DIGITS; places++)
        milli *= 10;
    return milli;
}

/* False where groups of digits are not of three: a date, a version, an address. */
static bool thousands(const char *p, const char *end)
{
    size_t group = 0;
    bool first = true;

    for (;; p++) {
        if (p < end && is_digit(*p)) {
            group++;
            continue;
        }
        if (first ? group == 0 || group > GROUP_DIGITS : group != GROUP_DIGITS)
            return false;
        if (p == end)
            return true;
        first = false;
        group = 0;
    }
}

static const char *find_decimal(const char *p, const char *end)
{
    const char *last = NULL;
    int of_last = 0, all = 0;

    for (const char *c = p; c < end; c++) {
        if (is_digit(*c))
            continue;
        of_last = last && *last == *c ? of_last + 1 : 1;
        last = c;
        all++;
    }
    if (!last || of_last > 1)
        return NULL; /* several of one kind, or none */
    bool group = end - last - 1 == GROUP_DIGITS && all == 1 && !(last == p + 1 && *p == '0');
    return group ? NULL : last;
}

/* The amount whose digits begin at p. */
static bool read_at(const char *p, struct amount *out)
{
    const char *end = p;
    size_t digits = 0;

    while (is_digit(*end) || is_separator(end))
        digits += is_digit(*end++);
    const char *decimal = find_decimal(p, end);
    const char *whole_end = decimal ? decimal : end;
    bool separated = strcspn(p, ".,'") < (size_t)(whole_end - p);
    if (digits == 0 || digits > DIGITS_MAX || (separated && !thousands(p, whole_end)))
        return false;
    *out = (struct amount){.end = end, .decimals = decimal != NULL, .milli = value(p, end, decimal)};
    return true;
}

/* "-5.00", "- 5.00": but not the second half of "1-5". */
static bool is_negative(const char *text, const char *p)
{
    while (p > text && p[-1] == ' ')
        p--;
    return p > text && p[-1] == '-' && (p - 1 == text || !isalnum((unsigned char)p[-2]));
}

/* What is glued to it makes it part of a date, time, code or number; "Balance:5.00" and "Rs.12" are none. */
static bool stands_alone(const char *text, const char *p, const char *end)
{
    bool digit_before = p > text + 1 && is_digit(p[-2]);

    if (p > text && strchr("*#/+", p[-1]))
        return false;
    if (p > text && strchr(":.,", p[-1]) && digit_before)
        return false;
    return !(*end == '*' || *end == '#' || (*end && strchr("/:-", *end) && is_digit(end[1])));
}

static bool amount_at(const char *text, const char *p, struct amount *out)
{
    if (!read_at(p, out))
        return false;
    if (is_negative(text, p))
        out->milli = -out->milli;
    return true;
}

static const char *digits_end(const char *p)
{
    while (is_digit(*p) || is_separator(p))
        p++;
    return p;
}

/* ---- without a pattern ---- */

/* The first with decimals; else the first of all. */
static bool first_amount(const char *text, int64_t *milli)
{
    bool found = false;

    for (const char *p = text; *p; p++) {
        struct amount a;
        if (!is_digit(*p))
            continue;
        if (stands_alone(text, p, digits_end(p)) && amount_at(text, p, &a) && (a.decimals || !found)) {
            *milli = a.milli;
            found = true;
            if (a.decimals)
                return true;
        }
        p = digits_end(p) - 1;
    }
    return found;
}

/* ---- by pattern ---- */

/* The pattern's text at p; a blank stands for any number of blanks, letters of either case. NULL: no match.
 */
static const char *match(const char *p, const char *pattern, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (isspace((unsigned char)pattern[i])) {
            p += strspn(p, " \t\r\n");
            continue;
        }
        if (tolower((unsigned char)*p) != tolower((unsigned char)pattern[i]))
            return NULL;
        p++;
    }
    return p;
}

/* Signs and currencies may stand between the pattern's text and the digits: "balance is " of "balance is
 * Rs. 12". */
static const char *skip_currency(const char *p)
{
    enum { MOST_BYTES = 12 };

    for (int i = 0; i < MOST_BYTES && *p && !is_digit(*p) && *p != '\n'; i++)
        p++;
    return p;
}

bool modem_read_amount(const char *text, const char *pattern, int64_t *milli)
{
    const char *at = strstr(pattern, place);
    size_t before = at ? (size_t)(at - pattern) : strlen(pattern);
    const char *behind = at ? at + strlen(place) : "";

    if (!*pattern)
        return first_amount(text, milli);
    for (const char *p = text; *p; p++) {
        struct amount a;
        const char *digits = match(p, pattern, before);
        if (!digits)
            continue;
        digits = skip_currency(digits);
        if (is_digit(*digits) && amount_at(text, digits, &a) &&
            match(a.end + strspn(a.end, *behind == ' ' ? "" : " "), behind, strlen(behind))) {
            *milli = a.milli;
            return true;
        }
    }
    return false;
}
