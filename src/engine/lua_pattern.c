/* Lua's patterns by backtracking, each step of which is counted. See engine/lua_pattern.h.
 *
 * Positions are offsets into text and pattern; NONE is "no match". An error ends everything: it is kept in
 * m->error, and every function gives up when it is set. */
#include "engine/lua_pattern.h"

#include <ctype.h>
#include <string.h>

#define NONE SIZE_MAX

static size_t match(struct lua_pattern *m, size_t t, size_t p);

static size_t fail(struct lua_pattern *m, const char *why)
{
    if (!m->error)
        m->error = why;
    return NONE;
}

static bool step(struct lua_pattern *m)
{
    if (m->steps-- > 0 && !m->error)
        return true;
    fail(m, "the pattern takes too long for this text");
    return false;
}

/* ---- single characters ----------------------------------------------------------------------------------
 */

static bool of_class(int c, int letter)
{
    static const struct {
        char letter;
        int (*is)(int c);
    } classes[] = {{'a', isalpha}, {'c', iscntrl}, {'d', isdigit}, {'g', isgraph}, {'l', islower},
                   {'p', ispunct}, {'s', isspace}, {'u', isupper}, {'w', isalnum}, {'x', isxdigit}};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (classes[i].letter == tolower(letter))
            return (classes[i].is(c) != 0) == (islower(letter) != 0);
    return c == letter;
}

/* Where the item that begins at p ends: a character, an escape, a set. */
static size_t item_end(struct lua_pattern *m, size_t p)
{
    char c = m->pattern[p++];

    if (c == '%')
        return p < m->pattern_len ? p + 1 : fail(m, "malformed pattern (ends with '%')");
    if (c != '[')
        return p;
    if (p < m->pattern_len && m->pattern[p] == '^')
        p++;
    do { /* a ']' in front stands for itself */
        if (p >= m->pattern_len)
            return fail(m, "malformed pattern (missing ']')");
        if (m->pattern[p++] == '%')
            p++;
    } while (p >= m->pattern_len || m->pattern[p] != ']');
    return p + 1;
}

/* The set's inside is pattern[p..end). */
static bool in_set(const struct lua_pattern *m, int c, size_t p, size_t end)
{
    bool wanted = true, found = false;

    if (m->pattern[p] == '^') {
        wanted = false;
        p++;
    }
    for (; p < end && !found; p++) {
        int first = (unsigned char)m->pattern[p];

        if (first == '%' && p + 1 < end) {
            found = of_class(c, (unsigned char)m->pattern[++p]);
        } else if (p + 2 < end && m->pattern[p + 1] == '-') {
            found = first <= c && c <= (unsigned char)m->pattern[p + 2];
            p += 2;
        } else {
            found = c == first;
        }
    }
    return found == wanted;
}

/* Does the item pattern[p..end) match the character at t? */
static bool one(struct lua_pattern *m, size_t t, size_t p, size_t end)
{
    int c;

    if (t >= m->text_len || !step(m))
        return false;
    c = (unsigned char)m->text[t];
    if (m->pattern[p] == '.')
        return true;
    if (m->pattern[p] == '%')
        return of_class(c, (unsigned char)m->pattern[p + 1]);
    if (m->pattern[p] != '[')
        return c == (unsigned char)m->pattern[p];
    m->steps -= (int64_t)(end - p) / 8; /* a long set is more work */
    return in_set(m, c, p + 1, end - 1);
}

/* ---- items that are more --------------------------------------------------------------------------------
 */

static size_t longest(struct lua_pattern *m, size_t t, size_t p, size_t end, size_t least)
{
    size_t n = 0;

    while (one(m, t + n, p, end))
        n++;
    for (; n + 1 > least && !m->error; n--) {
        size_t found = match(m, t + n, end + 1);

        if (found != NONE || n == 0)
            return found;
    }
    return NONE;
}

static size_t shortest(struct lua_pattern *m, size_t t, size_t p, size_t end)
{
    for (;; t++) {
        size_t found = match(m, t, end + 1);

        if (found != NONE || m->error || !one(m, t, p, end))
            return found;
    }
}

static size_t optional(struct lua_pattern *m, size_t t, size_t p, size_t end)
{
    size_t found = one(m, t, p, end) ? match(m, t + 1, end + 1) : NONE;

    return found != NONE || m->error ? found : match(m, t, end + 1);
}

/* "%bxy" */
static size_t balanced(struct lua_pattern *m, size_t t, size_t p)
{
    int depth = 1;

    if (p + 3 >= m->pattern_len)
        return fail(m, "malformed pattern (missing arguments to '%b')");
    if (t >= m->text_len || m->text[t] != m->pattern[p + 2])
        return NONE;
    for (t++; t < m->text_len && step(m); t++) {
        if (m->text[t] == m->pattern[p + 3])
            depth--;
        else if (m->text[t] == m->pattern[p + 2])
            depth++;
        if (depth == 0)
            return match(m, t + 1, p + 4);
    }
    return NONE;
}

/* "%f[set]": the set is entered here. Beyond both ends is a NUL. */
static size_t frontier(struct lua_pattern *m, size_t t, size_t p)
{
    size_t end;
    int before = t ? (unsigned char)m->text[t - 1] : 0;
    int after = t < m->text_len ? (unsigned char)m->text[t] : 0;

    if (p + 2 >= m->pattern_len || m->pattern[p + 2] != '[')
        return fail(m, "missing '[' after '%f' in pattern");
    end = item_end(m, p + 2);
    if (end != NONE)
        m->steps -= (int64_t)(end - p) / 8;
    if (end == NONE || in_set(m, before, p + 3, end - 1) || !in_set(m, after, p + 3, end - 1))
        return NONE;
    return match(m, t, end);
}

/* "%1" */
static size_t again(struct lua_pattern *m, size_t t, size_t p)
{
    int n = m->pattern[p + 1] - '1';
    const struct lua_capture *c = &m->capture[n < 0 ? 0 : n];

    if (n < 0 || n >= m->captures || c->open || c->position)
        return fail(m, "invalid capture index in pattern");
    m->steps -= (int64_t)c->len / 8;
    if (m->text_len - t < c->len || memcmp(m->text + c->at, m->text + t, c->len) != 0)
        return NONE;
    return match(m, t + c->len, p + 2);
}

static size_t open_capture(struct lua_pattern *m, size_t t, size_t p)
{
    bool position = p + 1 < m->pattern_len && m->pattern[p + 1] == ')';
    size_t found;

    if (m->captures == LUA_PATTERN_CAPTURES)
        return fail(m, "too many captures");
    m->capture[m->captures++] = (struct lua_capture){.at = t, .position = position, .open = !position};
    found = match(m, t, position ? p + 2 : p + 1);
    if (found == NONE)
        m->captures--;
    return found;
}

static size_t close_capture(struct lua_pattern *m, size_t t, size_t p)
{
    int n = m->captures - 1;
    size_t found;

    while (n >= 0 && !m->capture[n].open)
        n--;
    if (n < 0)
        return fail(m, "invalid pattern capture");
    m->capture[n].open = false;
    m->capture[n].len = t - m->capture[n].at;
    found = match(m, t, p + 1);
    if (found == NONE)
        m->capture[n].open = true;
    return found;
}

/* ---- all of a pattern -----------------------------------------------------------------------------------
 */

static size_t item(struct lua_pattern *m, size_t t, size_t p)
{
    size_t end = item_end(m, p);
    char suffix;

    if (end == NONE)
        return NONE;
    suffix = end < m->pattern_len ? m->pattern[end] : '\0';
    if (suffix == '*')
        return longest(m, t, p, end, 0);
    if (suffix == '+')
        return longest(m, t, p, end, 1);
    if (suffix == '-')
        return shortest(m, t, p, end);
    if (suffix == '?')
        return optional(m, t, p, end);
    return one(m, t, p, end) ? match(m, t + 1, end) : NONE;
}

static size_t escape(struct lua_pattern *m, size_t t, size_t p)
{
    char c = p + 1 < m->pattern_len ? m->pattern[p + 1] : '\0';

    if (c == 'b')
        return balanced(m, t, p);
    if (c == 'f')
        return frontier(m, t, p);
    if (isdigit((unsigned char)c))
        return again(m, t, p);
    return item(m, t, p);
}

static size_t dispatch(struct lua_pattern *m, size_t t, size_t p)
{
    switch (m->pattern[p]) {
    case '(':
        return open_capture(m, t, p);
    case ')':
        return close_capture(m, t, p);
    case '%':
        return escape(m, t, p);
    case '$':
        if (p + 1 == m->pattern_len)
            return t == m->text_len ? t : NONE;
        return item(m, t, p);
    default:
        return item(m, t, p);
    }
}

/* Plain items in a row need no depth of their own. */
static bool is_plain(const struct lua_pattern *m, size_t p)
{
    char c = m->pattern[p];

    return !strchr("()%[$", c) && (p + 1 >= m->pattern_len || !strchr("*+-?", m->pattern[p + 1]));
}

static size_t match(struct lua_pattern *m, size_t t, size_t p)
{
    size_t found;

    while (p < m->pattern_len && is_plain(m, p)) {
        if (!one(m, t, p, p + 1))
            return NONE;
        t++;
        p++;
    }
    if (p >= m->pattern_len)
        return t;
    if (!step(m))
        return NONE;
    if (++m->depth > LUA_PATTERN_DEPTH)
        found = fail(m, "pattern too complex");
    else
        found = dispatch(m, t, p);
    m->depth--;
    return found;
}

bool lua_pattern_find(struct lua_pattern *m, size_t from, size_t not_end)
{
    bool anchored = m->pattern_len > 0 && m->pattern[0] == '^';

    m->error = NULL;
    m->depth = 0;
    for (m->start = from; m->start <= m->text_len; m->start++) {
        m->captures = 0;
        m->end = match(m, m->start, anchored);
        if (m->error)
            return false;
        if (m->end != NONE && m->end != not_end) {
            for (int i = 0; i < m->captures; i++)
                if (m->capture[i].open)
                    return fail(m, "unfinished capture"), false;
            return true;
        }
        if (anchored)
            return false;
    }
    return false;
}
