/* A cursor over the fields of a result line (V.250 5.7.2, TS 27.007 5.1): numbers, strings, lists, ranges.
 *
 * Modems are loose about it: spaces around anything, numbers in quotes, strings without, a quote that is not
 * closed, a field that is missing. Each read takes one field and the comma behind it; a read that does not
 * fit returns false and leaves the cursor where it was, so that the caller can try another form. Nothing is
 * allocated; the line is borrowed.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "at/channel.h"
#include "base/util.h"

static const char *spaces(const char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

/* Behind a field: the comma, if there is one, is passed. */
static bool field_ends(const char *p, const char **next)
{
    p = spaces(p);
    if (*p == ',') {
        *next = p + 1;
        return true;
    }
    *next = p;
    return *p == '\0' || *p == ')';
}

struct at_cur at_cur_after(const char *line, const char *prefix)
{
    size_t len = strlen(prefix);

    if (strncmp(line, prefix, len) != 0)
        return (struct at_cur){NULL};
    return (struct at_cur){spaces(line + len)};
}

static int digit_of(char c, int base)
{
    int digit = -1;

    if (c >= '0' && c <= '9')
        digit = c - '0';
    else if (c >= 'a' && c <= 'f')
        digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
        digit = c - 'A' + 10;
    return digit < base ? digit : -1;
}

/* Digits of the base from *p, at least one; an overflow does not fit. */
static bool digits(const char **p, int base, int64_t *out)
{
    const char *at = *p;
    bool negative = base == 10 && *at == '-';
    int64_t value = 0;

    if (negative || (base == 10 && *at == '+'))
        at++;
    if (digit_of(*at, base) < 0)
        return false;
    for (int digit = digit_of(*at, base); digit >= 0; digit = digit_of(*++at, base)) {
        if (value > (INT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *p = at;
    *out = negative ? -value : value;
    return true;
}

static bool number(struct at_cur *c, int base, int64_t *out)
{
    int64_t value;

    if (!c->p)
        return false;
    const char *p = spaces(c->p);
    bool quoted = *p == '"';
    p = spaces(p + quoted);
    if (!digits(&p, base, &value))
        return false;
    p = spaces(p);
    if (quoted && *p == '"')
        p++;
    const char *next;
    if (!field_ends(p, &next))
        return false;
    c->p = next;
    *out = value;
    return true;
}

bool at_cur_number(struct at_cur *c, int64_t *out)
{
    return number(c, 10, out);
}

bool at_cur_hex(struct at_cur *c, int64_t *out)
{
    return number(c, 16, out);
}

/* The field's text without quotes and the spaces around it; *end is behind it. */
static void span(const char *p, const char **from, const char **to, const char **end)
{
    p = spaces(p);
    if (*p == '"') {
        const char *close = strchr(p + 1, '"');
        if (close) {
            *from = p + 1;
            *to = close;
            *end = close + 1;
            return;
        }
        p++; /* never closed: up to the comma */
    }
    *from = p;
    p += strcspn(p, ",)");
    *end = p;
    while (p > *from && (p[-1] == ' ' || p[-1] == '"'))
        p--;
    *to = p;
}

bool at_cur_string(struct at_cur *c, char *out, size_t size)
{
    const char *from, *to, *end, *next;

    if (!c->p || size == 0 || *spaces(c->p) == '\0')
        return false;
    span(c->p, &from, &to, &end);
    if ((size_t)(to - from) >= size || !field_ends(end, &next))
        return false;
    memcpy(out, from, (size_t)(to - from));
    out[to - from] = '\0';
    c->p = next;
    return true;
}

/* Behind the parenthesis that closes the one at p; the text's end if none does. */
static const char *list_end(const char *p)
{
    int open = 0;

    for (; *p; p++) {
        if (*p == '(')
            open++;
        else if (*p == ')' && --open == 0)
            return p + 1;
    }
    return p;
}

bool at_cur_skip(struct at_cur *c)
{
    const char *from, *to, *end, *next;

    /* A ')' is no field: taking nothing there would leave a caller's loop where it was. */
    if (!c->p || *spaces(c->p) == '\0' || *spaces(c->p) == ')')
        return false;
    if (*spaces(c->p) == '(')
        end = list_end(spaces(c->p));
    else
        span(c->p, &from, &to, &end);
    if (!field_ends(end, &next)) {
        next = end + strcspn(end, ",)"); /* rubbish behind a closing quote belongs to the field */
        next += *next == ',';
    }
    c->p = next;
    return true;
}

bool at_cur_open_list(struct at_cur *c)
{
    if (!c->p || *spaces(c->p) != '(')
        return false;
    c->p = spaces(c->p) + 1;
    return true;
}

bool at_cur_close_list(struct at_cur *c)
{
    if (!c->p || *spaces(c->p) != ')')
        return false;
    const char *p = spaces(spaces(c->p) + 1);
    c->p = *p == ',' ? p + 1 : p;
    return true;
}

bool at_cur_range(struct at_cur *c, int64_t *min, int64_t *max)
{
    const char *next;
    int64_t low, high;

    if (!c->p)
        return false;
    const char *p = spaces(c->p);
    if (!digits(&p, 10, &low))
        return false;
    p = spaces(p);
    high = low;
    if (*p == '-') {
        p = spaces(p + 1);
        if (!digits(&p, 10, &high))
            return false;
    }
    if (!field_ends(p, &next))
        return false;
    c->p = next;
    *min = low;
    *max = high;
    return true;
}

bool at_cur_end(const struct at_cur *c)
{
    return !c->p || *spaces(c->p) == '\0';
}

/* No number is as long as the hex of one: E.164 has 15 digits at the most, and a '+'. Two digits stand for a
 * character (+CSCS "HEX"), or four (+CSCS "UCS2"). */
static void phone_from_hex(char *text)
{
    enum { PLAIN_MAX = 16, OCTETS_MAX = 80 };
    uint8_t octets[OCTETS_MAX];
    size_t len = strlen(text);
    int n = len > PLAIN_MAX && text[0] != '+' ? hex_decode(text, len, octets, sizeof octets) : -1;
    int step = n > 1 && octets[0] == 0 ? 2 : 1, at = 0;
    char digits[OCTETS_MAX + 1];

    for (int i = step - 1; i < n; i += step) {
        if (!octets[i] || !strchr("+0123456789*#", octets[i]))
            return;
        digits[at++] = (char)octets[i];
    }
    digits[at] = '\0';
    if (at > 0)
        memcpy(text, digits, (size_t)at + 1);
}

bool at_cur_phone(struct at_cur *c, char *out, size_t size)
{
    enum { INTERNATIONAL = 145 };
    struct at_cur at = *c;
    char text[160];
    int64_t type = 0;

    if (!at_cur_string(&at, text, sizeof text))
        return false;
    phone_from_hex(text);
    at_cur_number(&at, &type);
    bool plus = type == INTERNATIONAL && *text && *text != '+';
    if (strlen(text) + plus >= size)
        return false;
    snprintf(out, size, "%s%s", plus ? "+" : "", text);
    *c = at;
    return true;
}
