/* The body of a spool file: from the alphabet that its header tells to UTF-8 or octets. Pure. TS 23.038 6.2.1
 * for the GSM alphabet; hexadecimal bodies as smstools3 documents them. */
#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "pdu/gsm7.h"
#include "spool/parse.h"

enum { WBXML_INLINE_STRING = 0x03, LENGTH_MAX = 255 };

static void add_code_point(struct buf *out, uint32_t cp)
{
    char utf8[4];
    buf_add(out, utf8, utf8_put(cp, utf8));
}

static int from_gsm(const char *bytes, size_t len, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)bytes[i];
        if (c > 0x7F)
            return err_set(e, ERR_INVALID, "GSM characters 00 to 7F expected, not %02X in place %zu", c,
                           i + 1);
        uint32_t cp = gsm7_locking(0, c);
        if (c == GSM7_ESC && i + 1 < len) {
            uint8_t next = (uint8_t)bytes[++i];
            if (next > 0x7F)
                return err_set(e, ERR_INVALID, "GSM characters 00 to 7F expected, not %02X in place %zu",
                               next, i + 1);
            cp = gsm7_single(0, next);
            if (!cp)
                cp = gsm7_locking(0, next);
        }
        add_code_point(out, cp);
    }
    return 0;
}

/* UTF-8 where it is that, as smstools3 has it; else ISO 8859-1, in which every byte is a character. */
static int from_iso(const char *bytes, size_t len, struct buf *out)
{
    if (utf8_valid(bytes, len)) {
        buf_add(out, bytes, len);
        return 0;
    }
    for (size_t i = 0; i < len; i++)
        add_code_point(out, (uint8_t)bytes[i]);
    return 0;
}

static int from_utf8(const char *bytes, size_t len, struct buf *out, struct err *e)
{
    if (!utf8_valid(bytes, len))
        return err_set(e, ERR_INVALID, "valid UTF-8 expected, as the header Alphabet says");
    buf_add(out, bytes, len);
    return 0;
}

static int from_ucs2(const char *bytes, size_t len, struct buf *out, struct err *e)
{
    const uint8_t *b = (const uint8_t *)bytes;
    bool little = len >= 2 && b[0] == 0xFF && b[1] == 0xFE;
    bool big = len >= 2 && b[0] == 0xFE && b[1] == 0xFF;
    if (len % 2)
        return err_set(e, ERR_INVALID, "UCS-2 (UTF-16BE) has two bytes for each character: %zu are odd", len);
    for (size_t i = little || big ? 2 : 0; i < len; i += 2) {
        uint32_t unit = little ? (uint32_t)(b[i] | b[i + 1] << 8) : (uint32_t)(b[i] << 8 | b[i + 1]);
        if (unit >= 0xD800 && unit < 0xE000) {
            uint32_t low = i + 3 < len ? (little ? (uint32_t)(b[i + 2] | b[i + 3] << 8)
                                                 : (uint32_t)(b[i + 2] << 8 | b[i + 3]))
                                       : 0;
            if (unit >= 0xDC00 || low < 0xDC00 || low > 0xDFFF)
                return err_set(e, ERR_INVALID, "UTF-16: half a surrogate pair at byte %zu", i + 1);
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            i += 2;
        }
        add_code_point(out, unit);
    }
    return 0;
}

int spool_decode_body(enum spool_alphabet a, const char *bytes, size_t len, struct buf *out, struct err *e)
{
    switch (a) {
    case SPOOL_ALPHABET_GSM:
        return from_gsm(bytes, len, out, e);
    case SPOOL_ALPHABET_UNSAID:
    case SPOOL_ALPHABET_ISO:
        return from_iso(bytes, len, out);
    case SPOOL_ALPHABET_UTF8:
        return from_utf8(bytes, len, out, e);
    case SPOOL_ALPHABET_UCS2:
        return from_ucs2(bytes, len, out, e);
    case SPOOL_ALPHABET_BINARY:
        break;
    }
    buf_add(out, bytes, len);
    return 0;
}

/* ---- hexadecimal ----------------------------------------------------------------------------------------
 */

/* Where a LENGTH waits for its end. */
struct counting {
    bool on;
    size_t at;
};

static bool begins(const char *line, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static int count_length(struct counting *c, struct buf *out, struct err *e)
{
    if (!c->on) {
        *c = (struct counting){true, out->len};
        buf_addc(out, '\0');
        return 0;
    }
    size_t n = out->len - c->at - 1;
    if (n > LENGTH_MAX)
        return err_set(e, ERR_INVALID, "at most %d bytes expected between LENGTH and LENGTH", LENGTH_MAX);
    out->data[c->at] = (char)n;
    c->on = false;
    return 0;
}

static int hex_digits(const char *line, size_t len, struct buf *out, struct err *e)
{
    char pair[2];
    int have = 0;
    for (size_t i = 0; i < len && !strchr("/'#:", line[i] ? line[i] : '?'); i++) {
        if (isspace((unsigned char)line[i])) {
            continue;
        }
        if (!isxdigit((unsigned char)line[i]))
            return err_set(e, ERR_INVALID, "hexadecimal digits expected in place %zu", i + 1);
        pair[have++] = line[i];
        if (have == 2) {
            uint8_t octet;
            hex_decode(pair, 2, &octet, 1);
            buf_addc(out, (char)octet);
            have = 0;
        }
    }
    return have ? err_set(e, ERR_INVALID, "two hexadecimal digits for each byte expected") : 0;
}

static int hex_line(const char *line, size_t len, struct counting *c, struct buf *out, struct err *e)
{
    static const char inline_string[] = "INLINESTRING:", string[] = "STRING:", length[] = "LENGTH";
    if (begins(line, len, inline_string)) {
        buf_addc(out, WBXML_INLINE_STRING);
        buf_add(out, line + sizeof(inline_string) - 1, len - (sizeof(inline_string) - 1));
        buf_addc(out, '\0');
        return 0;
    }
    if (begins(line, len, string)) {
        buf_add(out, line + sizeof(string) - 1, len - (sizeof(string) - 1));
        return 0;
    }
    if (begins(line, len, length))
        return count_length(c, out, e);
    return hex_digits(line, len, out, e);
}

int spool_decode_hex(const char *bytes, size_t len, struct buf *out, struct err *e)
{
    struct counting c = {0};
    int line = 1;
    for (size_t at = 0; at < len; line++) {
        const char *end = memchr(bytes + at, '\n', len - at);
        size_t n = end ? (size_t)(end - (bytes + at)) : len - at;
        size_t shown = n && bytes[at + n - 1] == '\r' ? n - 1 : n;
        if (hex_line(bytes + at, shown, &c, out, e) < 0)
            return err_wrap(e, "line %d of the body", line);
        at += n + 1;
    }
    if (c.on)
        return err_set(e, ERR_INVALID, "a second LENGTH expected, which ends the counting");
    return 0;
}
