/* The format of trace files: writer and reader. The reader owns one block of memory for all bytes, which are
 * never more than the text's own. What can fail: the text. */
#include "base/trace.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define FIRST_LINE "# simgate trace 1"

enum { TIME_MAX_S = 1000000000, NO_OCTET = -1 };

/* ---- writing ---- */

/* Bytes that have a letter of their own behind the backslash. */
static const struct {
    char byte, letter;
} letters[] = {{'\r', 'r'}, {'\n', 'n'}, {'\t', 't'}, {'\\', '\\'}};

static void put_byte(struct buf *out, unsigned char byte, bool last)
{
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (byte == (unsigned char)letters[i].byte) {
            buf_addc(out, '\\');
            buf_addc(out, letters[i].letter);
            return;
        }
    }
    if (byte < ' ' || byte > '~' || (byte == ' ' && last))
        buf_addf(out, "\\x%02X", byte);
    else
        buf_addc(out, (char)byte);
}

void trace_put_line(struct buf *out, int64_t at_ms, enum trace_kind kind, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

    if (at_ms < 0)
        at_ms = 0;
    buf_addf(out, "%lld.%03d %c ", (long long)(at_ms / 1000), (int)(at_ms % 1000), (char)kind);
    for (size_t i = 0; i < len; i++)
        put_byte(out, p[i], i + 1 == len);
    buf_addc(out, '\n');
}

static void put_word(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_addc(out, isprint((unsigned char)*text) && !strchr("\";", *text) ? *text : '?');
}

void trace_put_header(struct buf *out, const struct trace_header *h)
{
    char when[32];

    wall_to_text(h->wall_ms, false, when);
    buf_adds(out, FIRST_LINE "\n# modem ");
    put_word(out, h->modem);
    buf_adds(out, "; \"");
    put_word(out, h->manufacturer);
    buf_adds(out, "\" \"");
    put_word(out, h->model);
    buf_adds(out, "\" revision=\"");
    put_word(out, h->revision);
    buf_adds(out, "\"; profile ");
    put_word(out, *h->profile ? h->profile : "generic");
    buf_addf(out, "; %s; %s\n", when, h->masked ? "masked" : "not masked");
}

/* ---- reading ---- */

struct reading {
    const char *name;
    unsigned number; /* of the line */
    const char *at, *end;
    struct trace *out;
    size_t cap;
    uint8_t *to; /* where the next bytes go */
    struct err *e;
};

static int wrong(const struct reading *r, const char *expected)
{
    return err_set(r->e, ERR_INVALID, "%s:%u: expected %s", r->name, r->number, expected);
}

/* "12.345", all of it. */
static bool read_time(struct reading *r, int64_t *ms)
{
    int64_t s = 0, thousandths = 0;
    const char *p = r->at;

    for (; p < r->end && isdigit((unsigned char)*p); p++) {
        s = s * 10 + (*p - '0');
        if (s > TIME_MAX_S)
            return false;
    }
    if (p == r->at || r->end - p < 4 || *p++ != '.')
        return false;
    for (int i = 0; i < 3; i++, p++) {
        if (!isdigit((unsigned char)*p))
            return false;
        thousandths = thousandths * 10 + (*p - '0');
    }
    r->at = p;
    *ms = s * 1000 + thousandths;
    return true;
}

/* The byte behind a backslash, or NO_OCTET. */
static int read_escape(struct reading *r)
{
    uint8_t octet;

    if (r->at == r->end)
        return NO_OCTET;
    char c = *r->at++;
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (c == letters[i].letter)
            return (unsigned char)letters[i].byte;
    }
    if (c != 'x' || r->end - r->at < 2 || hex_decode(r->at, 2, &octet, 1) != 1)
        return NO_OCTET;
    r->at += 2;
    return octet;
}

static int read_bytes(struct reading *r, struct trace_line *line)
{
    line->bytes = r->to;
    while (r->at < r->end) {
        int octet = (unsigned char)*r->at++;
        if (octet == '\\') {
            octet = read_escape(r);
            if (octet == NO_OCTET)
                return wrong(r, "\\r, \\n, \\t, \\\\ or \\xHH behind a backslash");
        } else if (octet < ' ' || octet > '~') {
            return wrong(r, "bytes outside printable ASCII to be written as \\xHH");
        }
        *r->to++ = (uint8_t)octet;
    }
    line->len = (size_t)(r->to - line->bytes);
    return 0;
}

static struct trace_line *add_line(struct reading *r)
{
    struct trace *t = r->out;

    if (t->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        t->lines = realloc(t->lines, r->cap * sizeof(*t->lines));
        if (!t->lines)
            abort(); /* as struct buf does */
    }
    return &t->lines[t->count++];
}

/* One line that is no comment. */
static int read_line(struct reading *r)
{
    struct trace_line line = {.number = r->number};
    const struct trace *t = r->out;

    if (!read_time(r, &line.at_ms))
        return wrong(r, "seconds with three decimals, as in 0.012");
    if (t->count && line.at_ms < t->lines[t->count - 1].at_ms)
        return wrong(r, "a time that is not before the line's above");
    if (r->end - r->at < 2 || r->at[0] != ' ' || !strchr("><!", r->at[1]))
        return wrong(r, "\" > \", \" < \" or \" ! \" behind the time");
    line.kind = (enum trace_kind)r->at[1];
    r->at += 2;
    if (r->at < r->end && *r->at++ != ' ')
        return wrong(r, "a blank behind '>', '<' or '!'");
    if (read_bytes(r, &line) < 0)
        return ERR_INVALID;
    *add_line(r) = line;
    return 0;
}

static bool is_first_line(const struct reading *r)
{
    size_t len = sizeof(FIRST_LINE) - 1;

    return (size_t)(r->end - r->at) == len && memcmp(r->at, FIRST_LINE, len) == 0;
}

static int read_lines(struct reading *r, const char *text, size_t len)
{
    const char *end = text + len;

    for (const char *next; text < end; text = next) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        next = nl ? nl + 1 : end;
        r->at = text;
        r->end = nl ? nl : end;
        r->number++;
        if (r->end > r->at && r->end[-1] == '\r') /* it went through a mail program */
            r->end--;
        if (r->number == 1 && !is_first_line(r))
            return wrong(r, "\"" FIRST_LINE "\"");
        if (r->at == r->end || *r->at == '#')
            continue;
        if (read_line(r) < 0)
            return ERR_INVALID;
    }
    if (r->number == 0) {
        r->number = 1;
        return wrong(r, "\"" FIRST_LINE "\"");
    }
    return 0;
}

int trace_read(const char *name, const char *text, size_t len, struct trace *out, struct err *e)
{
    struct reading r = {.name = name, .out = out, .e = e};

    *out = (struct trace){.memory = malloc(len + 1)};
    if (!out->memory)
        abort();
    r.to = out->memory;
    int status = read_lines(&r, text, len);
    if (status)
        trace_fini(out);
    return status;
}

void trace_fini(struct trace *t)
{
    free(t->lines);
    free(t->memory);
    *t = (struct trace){0};
}
