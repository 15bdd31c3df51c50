/* Headers in and out of a spool file: where they end, which of them belong to an earlier life, and how new
 * ones are written. Pure; nothing fails. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "base/util.h"
#include "spool/parse.h"

static const char bom[] = "\xEF\xBB\xBF";

/* What simgate and smstools3 add to a file; a file that is queued again comes without. */
static const char *const runtime_headers[] = {
    "Fail_reason", "Failed",       "IMSI",       "IMEI",   "Modem", "Number",
    "Sent",        "Sending_time", "Message_id", "Result", "PDU",   "NOTICE",
};

bool spool_runtime_header(const char *name, size_t name_len)
{
    for (size_t i = 0; i < ARRAY_LEN(runtime_headers); i++)
        if (strlen(runtime_headers[i]) == name_len && memcmp(runtime_headers[i], name, name_len) == 0)
            return true;
    return false;
}

static size_t line_length(const char *bytes, size_t len)
{
    const char *end = memchr(bytes, '\n', len);
    return end ? (size_t)(end - bytes) + 1 : len;
}

struct spool_layout spool_layout_of(const char *bytes, size_t len)
{
    struct spool_layout l = {.headers = len, .body = len};
    if (len >= 3 && memcmp(bytes, bom, 3) == 0)
        l.bom = 3;
    for (size_t at = l.bom, n; at < len; at += n) {
        n = line_length(bytes + at, len - at);
        if (bytes[at] == '\n' || (bytes[at] == '\r' && n == 2)) {
            l.headers = at;
            l.body = at + n;
            l.divided = true;
            break;
        }
    }
    return l;
}

void spool_rewrite(const char *bytes, size_t len, const char *added, struct buf *out)
{
    struct spool_layout l = spool_layout_of(bytes, len);
    buf_add(out, bytes, l.bom);
    for (size_t at = l.bom, n; at < l.headers; at += n) {
        n = line_length(bytes + at, l.headers - at);
        const char *colon = memchr(bytes + at, ':', n);
        if (colon && spool_runtime_header(bytes + at, (size_t)(colon - (bytes + at))))
            continue;
        buf_add(out, bytes + at, n);
    }
    if (out->len > l.bom && out->data[out->len - 1] != '\n')
        buf_addc(out, '\n');
    buf_adds(out, added);
    buf_addc(out, '\n');
    buf_add(out, bytes + l.body, len - l.body);
}

void spool_put_header(struct buf *out, const char *name, const char *fmt, ...)
{
    char value[2 * ERR_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(value, sizeof(value), fmt, args);
    va_end(args);
    buf_adds(out, name);
    buf_adds(out, ": ");
    size_t len = strlen(value);
    for (size_t at = 0; at < len;) {
        size_t from = at;
        uint32_t cp = utf8_next(value, len, &at);
        if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0x2028 || cp == 0x2029 ||
            (cp == UTF8_REPLACEMENT && at - from == 1))
            buf_addc(out, '?');
        else
            buf_add(out, value + from, at - from);
    }
    buf_addc(out, '\n');
}

void spool_put_time(struct buf *out, const char *name, int64_t wall_ms)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm = {0};
    char text[32] = "";
    localtime_r(&s, &tm);
    strftime(text, sizeof(text), "%y-%m-%d %H:%M:%S", &tm);
    spool_put_header(out, name, "%s", text);
}
