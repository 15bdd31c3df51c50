/* A spool file's bytes to what admission takes: lines to headers (headers.c), then the body in the light of
 * all of them. Pure. Every refusal begins with smstools3's Fail_reason where it has one. */
#include "spool/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "spool/headers.h"

enum { HEADER_LINE_BYTES = 65536, SYSTEM_MESSAGE_BYTES = 140, MACRO_BODY_BYTES = SPOOL_MAX_BYTES };

static const char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len && strchr(" \t\r\n", text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* One line of the headers: bytes[0..len) without its newline. */
static int take_line(struct spool_draft *d, int line, const char *bytes, size_t len, struct err *e)
{
    const char *colon = memchr(bytes, ':', len);
    if (colon && spool_runtime_header(bytes, (size_t)(colon - bytes)))
        return 0;
    if (!colon || memchr(bytes, '\0', len))
        return err_set(e, ERR_INVALID,
                       "line %d: a header such as \"To: 491701234567\", or the empty line before the text, "
                       "expected",
                       line);
    if (len > HEADER_LINE_BYTES)
        return err_set(e, ERR_TOO_LONG, "line %d: at most %d bytes expected", line, HEADER_LINE_BYTES);
    char *copy = strndup(bytes, len);
    if (!copy)
        abort();
    copy[colon - bytes] = '\0';
    int rc = spool_take_header(d, line, copy, trimmed(copy + (colon - bytes) + 1), e);
    free(copy);
    return rc;
}

static int take_headers(struct spool_draft *d, const char *bytes, const struct spool_layout *l, struct err *e)
{
    int line = 1;
    for (size_t at = l->bom; at < l->headers; line++) {
        const char *end = memchr(bytes + at, '\n', l->headers - at);
        size_t n = end ? (size_t)(end - (bytes + at)) : l->headers - at;
        if (take_line(d, line, bytes + at, n, e) < 0)
            return e->code;
        at += n + 1;
    }
    return 0;
}

/* ---- recipients -------------------------------------------------------------------------------------------
 */

/* To_TOA may stand anywhere: the numbers are told how to be read when all headers are known. */
static void apply_toa(struct spool_draft *d)
{
    struct spool_file *f = d->f;
    f->send.reading = d->toa == SPOOL_TOA_NATIONAL ? NUMBER_READ_NATIONAL : NUMBER_READ_INTERNATIONAL;
    char mark = d->toa == SPOOL_TOA_UNKNOWN ? 's' : '+';
    for (int i = 0; i < f->nto; i++) {
        const char *digits = f->to[i] + (f->to[i][0] == '+' || f->to[i][0] == 's' || f->to[i][0] == 'S');
        bool dialled = d->toa == SPOOL_TOA_INTERNATIONAL && strncmp(digits, "00", 2) == 0;
        if (d->toa == SPOOL_TOA_UNSAID || d->toa == SPOOL_TOA_NATIONAL || dialled)
            continue;
        char *marked = malloc(strlen(digits) + 2);
        if (!marked)
            abort();
        marked[0] = mark;
        memcpy(marked + 1, digits, strlen(digits) + 1);
        free(f->to[i]);
        f->to[i] = marked;
    }
}

static int settle_recipients(struct spool_draft *d, struct err *e)
{
    if (d->f->nto == 0 && d->to_line)
        return err_set(e, ERR_INVALID, "No destination: line %d: To: a telephone number expected",
                       d->to_line);
    if (d->f->nto == 0)
        return err_set(e, ERR_INVALID, "No destination: a header such as \"To: 491701234567\" expected");
    apply_toa(d);
    return 0;
}

/* ---- body -----------------------------------------------------------------------------------------------
 */

static int apply_macros(const struct spool_draft *d, struct buf *body, struct err *e)
{
    for (size_t at = 0; at < d->macros.len;) {
        const char *name = d->macros.data + at, *value = name + strlen(name) + 1;
        size_t name_len = strlen(name), from = 0;
        struct buf out = {0};
        at += name_len + strlen(value) + 2;
        for (const char *hit;
             body->len && (hit = memmem(body->data + from, body->len - from, name, name_len));) {
            buf_add(&out, body->data + from, (size_t)(hit - (body->data + from)));
            buf_adds(&out, value);
            from = (size_t)(hit - body->data) + name_len;
            if (out.len > MACRO_BODY_BYTES) {
                buf_free(&out);
                return err_set(e, ERR_TOO_LONG, "Too long text: Macro %.40s makes more than %d bytes", name,
                               MACRO_BODY_BYTES);
            }
        }
        if (body->len)
            buf_add(&out, body->data + from, body->len - from);
        buf_free(body);
        *body = out;
    }
    return 0;
}

/* White space at the end is not sent, unless there is nothing else. */
static void trim_end(struct buf *b)
{
    size_t len = b->len;
    while (len && strchr(" \t\r\n", b->data[len - 1]))
        len--;
    if (len && len < b->len) {
        b->len = len;
        b->data[len] = '\0';
    }
}

/* A binary body begins with its user data header unless UDH says no, or UDH-DATA has it. */
static int settle_data(struct spool_draft *d, struct err *e)
{
    struct spool_file *f = d->f;
    size_t header = 0;
    if (!d->no_udh && !d->has_udh && !d->system_message && f->body.len)
        header = (size_t)(uint8_t)f->body.data[0] + 1;
    if (header > f->body.len || header > sizeof(f->udh))
        return err_set(e, ERR_INVALID,
                       "body: a user data header expected in front, whose first byte counts its others; "
                       "\"UDH: no\" if it has none");
    if (header) {
        memcpy(f->udh, f->body.data, header);
        f->send.udh = f->udh;
        f->send.udh_len = header;
        buf_drop(&f->body, header);
    }
    if (d->system_message && f->body.len > SYSTEM_MESSAGE_BYTES)
        return err_set(e, ERR_TOO_LONG, "Too long text: at most %d bytes in a System_message expected",
                       SYSTEM_MESSAGE_BYTES);
    if (!f->body.len)
        return err_set(e, ERR_INVALID, "No text or data: bytes expected behind the empty line");
    f->send.data = (const uint8_t *)f->body.data;
    f->send.data_len = f->body.len;
    return 0;
}

static int settle_text(struct spool_draft *d, struct err *e)
{
    struct spool_file *f = d->f;
    if (d->alphabet != SPOOL_ALPHABET_GSM && d->alphabet != SPOOL_ALPHABET_UCS2)
        trim_end(&f->body);
    if (!f->body.len && !d->ping)
        return err_set(e, ERR_INVALID, "No text or data: text expected behind the empty line");
    if (f->body.len && memchr(f->body.data, '\0', f->body.len))
        return err_set(e, ERR_INVALID, "body: text without NUL bytes expected (or \"Alphabet: binary\")");
    f->send.text = buf_str(&f->body);
    f->send.force_ucs2 = d->alphabet == SPOOL_ALPHABET_UCS2;
    return 0;
}

static int take_body(struct spool_draft *d, const char *bytes, size_t len, struct err *e)
{
    struct buf raw = {0}, octets = {0};
    bool binary = d->alphabet == SPOOL_ALPHABET_BINARY || d->system_message;
    int rc = 0;
    buf_add(&raw, bytes, len);
    if (d->macros.len)
        rc = apply_macros(d, &raw, e);
    if (rc == 0 && d->hex) {
        rc = spool_decode_hex(buf_str(&raw), raw.len, &octets, e);
        buf_free(&raw);
        raw = octets;
    }
    if (rc == 0) {
        rc = spool_decode_body(binary ? SPOOL_ALPHABET_BINARY : d->alphabet, buf_str(&raw), raw.len,
                               &d->f->body, e);
        if (rc < 0)
            err_wrap(e, "body");
    }
    buf_free(&raw);
    if (rc < 0)
        return rc;
    return binary ? settle_data(d, e) : settle_text(d, e);
}

/* ---- the whole ---- */

static int parse(struct spool_draft *d, const char *bytes, size_t len, struct err *e)
{
    struct spool_layout l = spool_layout_of(bytes, len);
    if (take_headers(d, bytes, &l, e) < 0 || settle_recipients(d, e) < 0 ||
        take_body(d, bytes + l.body, len - l.body, e) < 0)
        return e->code;
    /* Splitting into messages of their own (1, 2) is left to the sender; what fits into one needs none. */
    d->f->send.no_split = d->ping || (d->autosplit >= 0 && d->autosplit < 3);
    return 0;
}

int spool_parse(const char *bytes, size_t len, struct spool_file *out, struct err *e)
{
    struct spool_draft d = {.f = out, .toa = SPOOL_TOA_UNSAID, .autosplit = -1};
    struct err unread;
    *out = (struct spool_file){0};
    gateway_send_init(&out->send);
    int rc = parse(&d, bytes, len, e ? e : &unread);
    buf_free(&d.macros);
    return rc;
}

void spool_file_clear(struct spool_file *f)
{
    for (int i = 0; i < f->nto; i++)
        free(f->to[i]);
    free(f->to);
    buf_free(&f->body);
    *f = (struct spool_file){0};
}
