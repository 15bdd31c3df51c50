/* The reader of trace files. What it takes, it takes again from what the writer makes of it, the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void write_and_read(const struct trace *t)
{
    static const struct trace_header header = {
        .modem = "m", .manufacturer = "", .model = "", .revision = "", .profile = ""};
    struct buf b = {0};
    struct trace again;

    trace_put_header(&b, &header);
    for (size_t i = 0; i < t->count; i++)
        trace_put_line(&b, t->lines[i].at_ms, t->lines[i].kind, t->lines[i].bytes, t->lines[i].len);
    require(trace_read("again", b.data, b.len, &again, NULL) == 0);
    require(again.count == t->count);
    for (size_t i = 0; i < t->count; i++) {
        const struct trace_line *a = &t->lines[i], *c = &again.lines[i];
        require(a->at_ms == c->at_ms && a->kind == c->kind && a->len == c->len);
        require(a->len == 0 || memcmp(a->bytes, c->bytes, a->len) == 0);
    }
    trace_fini(&again);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace t;
    struct err e = {0};

    int status = trace_read("fuzz", (const char *)data, size, &t, &e);
    require(status == 0 ? e.code == 0 : e.text[0] != '\0' && !t.lines && !t.memory);
    if (status == 0)
        write_and_read(&t);
    trace_fini(&t);
    return 0;
}
