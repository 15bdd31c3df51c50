/* A growable byte buffer, and a read cursor with a sticky error over borrowed bytes. */
#ifndef SIMGATE_BASE_BUF_H
#define SIMGATE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Owned bytes. {0} is empty and valid. `data` is NUL-terminated behind `len` once anything was written. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
};

void buf_free(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
/* Out of memory aborts: at the sizes that our bounds allow, the process is beyond help by then. */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_drop(struct buf *b, size_t len); /* removes the first len bytes */
const char *buf_str(const struct buf *b); /* NUL-terminated, "" when empty */

/* A cursor over bytes that somebody else owns. Every read past the end sets `failed` and returns 0 or NULL;
 * a decoder is then a straight list of reads and one check at its end. */
struct cur {
    const uint8_t *data;
    size_t len;
    size_t at;
    bool failed;
};

static inline struct cur cur_over(const void *bytes, size_t len)
{
    return (struct cur){.data = bytes, .len = len};
}

static inline size_t cur_left(const struct cur *c)
{
    return c->len - c->at;
}

uint8_t cur_u8(struct cur *c);
const uint8_t *cur_take(struct cur *c, size_t len);

#endif
