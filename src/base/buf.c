/* Growable bytes and the read cursor. See base/buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 64 };

/* Room for `more` bytes and a NUL behind len. */
static void buf_reserve(struct buf *b, size_t more)
{
    size_t need, cap = b->cap ? b->cap : BUF_FIRST_BYTES;
    char *data;

    if (__builtin_add_overflow(b->len, more, &need) || __builtin_add_overflow(need, 1, &need) ||
        need > SIZE_MAX / 2)
        abort();
    if (need <= b->cap)
        return;
    while (cap < need)
        cap *= 2;
    data = realloc(b->data, cap);
    if (!data)
        abort();
    b->data = data;
    b->cap = cap;
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    buf_reserve(b, len);
    if (len > 0)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int len;

    buf_reserve(b, BUF_FIRST_BYTES);
    va_start(ap, fmt);
    len = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    if ((size_t)len >= b->cap - b->len) {
        buf_reserve(b, (size_t)len);
        va_start(ap, fmt);
        vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
        va_end(ap);
    }
    b->len += (size_t)len;
}

void buf_drop(struct buf *b, size_t len)
{
    if (len == 0)
        return;
    if (len >= b->len) {
        buf_clear(b);
        return;
    }
    memmove(b->data, b->data + len, b->len - len + 1);
    b->len -= len;
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

uint8_t cur_u8(struct cur *c)
{
    const uint8_t *byte = cur_take(c, 1);

    return byte ? *byte : 0;
}

const uint8_t *cur_take(struct cur *c, size_t len)
{
    const uint8_t *bytes;

    if (c->failed || len > cur_left(c)) {
        c->failed = true;
        return NULL;
    }
    bytes = c->data ? c->data + c->at : NULL;
    c->at += len;
    return bytes;
}
