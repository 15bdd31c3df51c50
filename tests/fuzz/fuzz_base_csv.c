/* CSV files that somebody made: read in pieces as in one, and what was read is written so that it reads the
 * same again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct table {
    struct buf cells;   /* each with its NUL, a \1 behind each record */
    struct buf written; /* the same as CSV */
};

static int collect(void *owner, const struct csv_record *r, struct err *e)
{
    struct table *t = owner;

    (void)e;
    for (int i = 0; i < r->count; i++) {
        buf_add(&t->cells, r->fields[i], strlen(r->fields[i]) + 1);
        csv_put(&t->written, i == 0, r->fields[i]);
    }
    buf_addc(&t->cells, '\1');
    csv_end_record(&t->written);
    return 0;
}

static int read_all(const char *bytes, size_t size, size_t piece, struct table *t)
{
    struct csv_reader c = {.record = collect, .owner = t};
    struct err e = {0};
    int rc = 0;

    for (size_t at = 0; at < size && rc == 0; at += piece)
        rc = csv_feed(&c, bytes + at, size - at < piece ? size - at : piece, &e);
    if (rc == 0)
        rc = csv_end(&c, &e);
    if (rc < 0 && strncmp(e.text, "line ", 5) != 0)
        abort();
    csv_free(&c);
    return rc;
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || !memcmp(a->data, b->data, a->len));
}

static void clear(struct table *t)
{
    buf_free(&t->cells);
    buf_free(&t->written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table whole = {0}, pieces = {0}, again = {0};
    int rc = read_all((const char *)data, size, size + 1, &whole);

    if (read_all((const char *)data, size, 3, &pieces) != rc || !same(&whole.cells, &pieces.cells))
        abort();
    if (rc == 0 && whole.written.len < CSV_RECORD_BYTES) {
        /* A lone empty cell is an empty line, which is left out. */
        rc = read_all(buf_str(&whole.written), whole.written.len, 7, &again);
        if (rc < 0 || (!same(&whole.cells, &again.cells) && !memmem(data, size, "\"\"", 2)))
            abort();
    }
    clear(&whole);
    clear(&pieces);
    clear(&again);
    return 0;
}
