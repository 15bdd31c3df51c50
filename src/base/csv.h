/* Tables as CSV (RFC 4180), read as a stream and written.
 *
 * Reading: bytes come in pieces of any size, records go out one by one. Understood besides the RFC: lines
 * that end with LF alone, a byte order mark, ';' or a tab in place of the comma (the first of the three
 * outside quotes in the first record decides), empty lines (left out). Errors name line and column: the line
 * as an editor counts it, the column as a spreadsheet's, from 1.
 *
 * A spreadsheet takes a cell that begins with '=' and the like for a formula, whoever wrote it. So csv_put()
 * puts an apostrophe in front of such texts, and reading takes it away again.
 */
#ifndef SIMGATE_BASE_CSV_H
#define SIMGATE_BASE_CSV_H

#include "base/buf.h"
#include "base/err.h"

enum { CSV_FIELDS_MAX = 256, CSV_RECORD_BYTES = 65536 };

struct csv_record {
    int line; /* where it begins */
    int count;
    const char *const *fields; /* NUL-terminated UTF-8; borrowed for the call */
};
/* Returns 0, or a negative code with *e set: reading ends with it ("line N: " is put in front). */
typedef int (*csv_on_record)(void *owner, const struct csv_record *r, struct err *e);

/* {.record = …, .owner = …}; private otherwise. */
struct csv_reader {
    csv_on_record record;
    void *owner;
    struct buf bytes; /* of the record under way: fields, each with its NUL */
    size_t starts[CSV_FIELDS_MAX];
    int count;      /* of fields begun */
    int columns;    /* of the first record */
    int state;      /* enum of csv.c */
    char delimiter; /* 0: not decided */
    int line, record_line, bom;
    bool any;
};

/* ERR_INVALID: a stray quote, a NUL, bytes that are not UTF-8, a record with more fields than the first has
 * ("line 7, column 3: …"); ERR_TOO_LONG; what `record` returns. Nothing may follow a failure but csv_free. */
int csv_feed(struct csv_reader *c, const char *bytes, size_t len, struct err *e);
/* The last record may lack its line's end. ERR_TRUNCATED: a quote is not closed. */
int csv_end(struct csv_reader *c, struct err *e);
void csv_free(struct csv_reader *c);

/* Appends a field, quoted where it must be; `first` of its record. Then csv_end_record (CRLF). */
void csv_put(struct buf *out, bool first, const char *text);
void csv_end_record(struct buf *out);

#endif
