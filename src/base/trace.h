/* Trace files: what went over a modem's line, one chunk a line, for people, for bug reports, and for the
 * simulated modem, which plays the modem's side of them.
 *
 *     # simgate trace 1
 *     # modem counter; "huawei" "E173" revision="11.126.16"; profile huawei-stick; 2026-11-22T10:00:00Z;
 * masked 0.000 > AT\r 0.012 < \r\nOK\r\n 2.000 ! port gone
 *
 * Seconds since the first line with three decimals; '>' to the modem, '<' from it, '!' a note. Bytes outside
 * printable ASCII are written \r \n \t \xHH, a backslash \\, a space at the end \x20. The first line must be
 * as above; other lines that begin with '#', and empty ones, are comments. Pure.
 */
#ifndef SIMGATE_BASE_TRACE_H
#define SIMGATE_BASE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum trace_kind { TRACE_TO = '>', TRACE_FROM = '<', TRACE_NOTE = '!' };

struct trace_header {
    const char *modem, *manufacturer, *model, *revision, *profile; /* "" unknown */
    int64_t wall_ms;
    bool masked;
};

/* Appends the two lines above, each with its end. What would break the line is replaced by '?'. */
void trace_put_header(struct buf *out, const struct trace_header *h);
/* Appends a line with its end. at_ms: since the trace's first line, negative counts as 0. */
void trace_put_line(struct buf *out, int64_t at_ms, enum trace_kind kind, const void *bytes, size_t len);

struct trace_line {
    int64_t at_ms; /* never less than the line's before it */
    enum trace_kind kind;
    unsigned number;      /* in the file, from 1 */
    const uint8_t *bytes; /* of the trace's memory */
    size_t len;
};

struct trace {
    struct trace_line *lines;
    size_t count;
    uint8_t *memory;
};

/* Reads a whole file's text. `name` is used in messages. 0; or ERR_INVALID, "NAME:LINE: what was expected",
 * and *out is empty then. The holder calls trace_fini() in either case. */
int trace_read(const char *name, const char *text, size_t len, struct trace *out, struct err *e);
void trace_fini(struct trace *t);

#endif
