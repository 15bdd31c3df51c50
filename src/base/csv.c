/* CSV by RFC 4180: a machine over bytes, with one buffer for the record under way. See csv.h. */
#include "base/csv.h"

#include <string.h>

#include "base/utf8.h"

enum state { RECORD_START, FIELD_START, PLAIN, QUOTED, QUOTE_SEEN, CR_SEEN };

static const char bom[] = "\xEF\xBB\xBF";
enum { BOM_BYTES = 3, BOM_OVER = 4 };

static int fail(const struct csv_reader *c, struct err *e, int code, const char *why)
{
    return err_set(e, code, "line %d, column %d: %s", c->line + 1, c->count > 0 ? c->count : 1, why);
}

static int begin_field(struct csv_reader *c, struct err *e)
{
    if (c->any && c->count == c->columns)
        return err_set(e, ERR_INVALID, "line %d, column %d: the first line has only %d columns",
                       c->record_line + 1, c->count + 1, c->columns);
    if (c->count == CSV_FIELDS_MAX)
        return fail(c, e, ERR_TOO_LONG, "at most 256 columns expected");
    c->starts[c->count++] = c->bytes.len;
    return 0;
}

static int put(struct csv_reader *c, char byte, struct err *e)
{
    if (byte == '\0')
        return fail(c, e, ERR_INVALID, "a NUL character; a text file expected");
    if (c->bytes.len >= CSV_RECORD_BYTES)
        return fail(c, e, ERR_TOO_LONG, "at most 65536 bytes in a record expected (is a quote not closed?)");
    buf_addc(&c->bytes, byte);
    return 0;
}

/* The apostrophe that csv_put() put before what a spreadsheet would take for a formula. */
static bool dangerous(const char *text)
{
    return *text && strchr("=+-@\t\r\n", *text);
}

static bool guarded(const char *text)
{
    return text[0] == '\'' && (dangerous(text + 1) || guarded(text + 1));
}

static int check_fields(struct csv_reader *c, const char *fields[], struct err *e)
{
    for (int i = 0; i < c->count; i++) {
        fields[i] = c->bytes.data + c->starts[i];
        if (!utf8_valid(fields[i], strlen(fields[i])))
            return err_set(e, ERR_INVALID,
                           "line %d, column %d: UTF-8 text expected (saved in another encoding?)",
                           c->record_line + 1, i + 1);
        if (guarded(fields[i]))
            fields[i]++;
    }
    return 0;
}

static int end_record(struct csv_reader *c, struct err *e)
{
    const char *fields[CSV_FIELDS_MAX];
    struct csv_record r = {.line = c->record_line + 1, .count = c->count, .fields = fields};
    int rc;

    buf_addc(&c->bytes, '\0');
    if ((rc = check_fields(c, fields, e)))
        return rc;
    if ((rc = c->record(c->owner, &r, e)) < 0)
        return err_wrap(e, "line %d", r.line);
    buf_clear(&c->bytes);
    c->columns = c->any ? c->columns : c->count;
    c->count = 0;
    c->any = true;
    c->state = RECORD_START;
    return 0;
}

static int end_line(struct csv_reader *c, struct err *e)
{
    int rc = c->state == RECORD_START ? 0 : end_record(c, e);

    c->line++;
    return rc;
}

static bool is_delimiter(struct csv_reader *c, char byte)
{
    if (c->delimiter)
        return byte == c->delimiter;
    if (c->any || !byte || !strchr(",;\t", byte))
        return false;
    c->delimiter = byte;
    return true;
}

static int end_field(struct csv_reader *c, struct err *e)
{
    buf_addc(&c->bytes, '\0');
    c->state = FIELD_START;
    return begin_field(c, e);
}

/* A byte outside quotes. */
static int outside(struct csv_reader *c, char byte, struct err *e)
{
    int rc;

    if (byte == '\n')
        return end_line(c, e);
    if (byte == '\r') {
        c->state = c->state == RECORD_START ? RECORD_START : CR_SEEN;
        return 0;
    }
    if (c->state == RECORD_START) {
        c->record_line = c->line;
        c->state = FIELD_START;
        if ((rc = begin_field(c, e)))
            return rc;
    }
    if (is_delimiter(c, byte))
        return end_field(c, e);
    if (byte == '"' && c->state == FIELD_START) {
        c->state = QUOTED;
        return 0;
    }
    if (byte == '"')
        return fail(c, e, ERR_INVALID,
                    "a quote within a field that does not begin with one (write it twice, in quotes)");
    c->state = PLAIN;
    return put(c, byte, e);
}

static int behind_quote(struct csv_reader *c, char byte, struct err *e)
{
    if (byte == '"') {
        c->state = QUOTED;
        return put(c, '"', e);
    }
    if (byte != '\n' && byte != '\r' && !is_delimiter(c, byte))
        return fail(c, e, ERR_INVALID, "the next field or the line's end expected behind the closing quote");
    c->state = PLAIN;
    return outside(c, byte, e);
}

static int take(struct csv_reader *c, char byte, struct err *e)
{
    switch ((enum state)c->state) {
    case QUOTED:
        if (byte == '"') {
            c->state = QUOTE_SEEN;
            return 0;
        }
        c->line += byte == '\n';
        return put(c, byte, e);
    case QUOTE_SEEN:
        return behind_quote(c, byte, e);
    case CR_SEEN:
        if (byte != '\n')
            return fail(c, e, ERR_INVALID, "a line's end expected behind a carriage return");
        return end_line(c, e);
    case RECORD_START:
    case FIELD_START:
    case PLAIN:
        break;
    }
    return outside(c, byte, e);
}

/* True: this byte is of a byte order mark at the very beginning. */
static bool skip_bom(struct csv_reader *c, char byte)
{
    if (c->bom >= BOM_BYTES)
        return false;
    if (byte == bom[c->bom]) {
        c->bom++;
        return true;
    }
    return false;
}

int csv_feed(struct csv_reader *c, const char *bytes, size_t len, struct err *e)
{
    for (size_t i = 0; i < len; i++) {
        int rc = 0, had;

        if (skip_bom(c, bytes[i]))
            continue;
        /* What began as one and is none. */
        had = c->bom;
        c->bom = BOM_OVER;
        for (int k = 0; k < had && had < BOM_BYTES && rc == 0; k++)
            rc = take(c, bom[k], e);
        if (rc == 0)
            rc = take(c, bytes[i], e);
        if (rc)
            return rc;
    }
    return 0;
}

int csv_end(struct csv_reader *c, struct err *e)
{
    if (c->bom > 0 && c->bom < BOM_BYTES)
        return err_set(e, ERR_INVALID, "line 1, column 1: UTF-8 text expected");
    if (c->state == QUOTED)
        return err_set(e, ERR_TRUNCATED, "line %d, column %d: a quote is not closed", c->record_line + 1,
                       c->count);
    return c->state == RECORD_START ? 0 : end_record(c, e);
}

void csv_free(struct csv_reader *c)
{
    buf_free(&c->bytes);
}

void csv_put(struct buf *out, bool first, const char *text)
{
    bool guard = guarded(text) || (dangerous(text) && text[0] != '+' && text[0] != '-');

    /* Numbers stay numbers: "+4917…" and "-5" are no formulas as long as nothing but digits follows. */
    if (!guard && dangerous(text))
        guard = text[1 + strspn(text + 1, "0123456789.")] != '\0';
    if (!first)
        buf_addc(out, ',');
    if (!guard && !strpbrk(text, "\",;\t\r\n") && text[0] != ' ' && text[0] != bom[0]) {
        buf_adds(out, text);
        return;
    }
    buf_addc(out, '"');
    if (guard)
        buf_addc(out, '\'');
    for (; *text; text++) {
        if (*text == '"')
            buf_addc(out, '"');
        buf_addc(out, *text);
    }
    buf_addc(out, '"');
}

void csv_end_record(struct buf *out)
{
    buf_adds(out, "\r\n");
}
