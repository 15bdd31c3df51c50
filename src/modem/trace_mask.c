/* Masking of lines: what a line is decides what of it is masked. The order of the tests in mask_line() is the
 * order of trust: secrets, then what is known to be a text, then digits wherever they stand. */
#include "modem/trace_mask.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "modem/modem_private.h"
#include "pdu/gsm7.h"

enum {
    RUN_DIGITS = 7,    /* so many in a row are a number */
    STRING_DIGITS = 3, /* where a number is known to stand */
    KEPT_DIGITS = 2,
    PDU_HEX_MIN = 24,   /* shorter lines of hex are no PDU: an ICCID has 20 */
    USSD_CODE_HEX = 24, /* a code in hex up to here has no more than 13 characters */
    SUBSTITUTE = 0x1A,  /* ends a PDU, TS 27.005 3.5.1 */
    UCS2_DIGITS = 4,
};

void trace_mask_init(struct trace_mask *t, bool whole)
{
    *t = (struct trace_mask){.whole = whole, .tpdu_len = -1};
}

/* ---- numbers ---- */

static unsigned count_of(struct trace_mask *t, const char *digits)
{
    unsigned known = t->seen < MASK_NUMBERS ? t->seen : MASK_NUMBERS;

    for (unsigned i = 0; i < known; i++) {
        if (strcmp(t->numbers[i].digits, digits) == 0)
            return t->numbers[i].count;
    }
    unsigned place = t->seen % MASK_NUMBERS;
    str_copy(t->numbers[place].digits, sizeof(t->numbers[place].digits), digits);
    t->numbers[place].count = ++t->seen;
    return t->seen;
}

void trace_mask_number(struct trace_mask *t, char *digits, size_t n)
{
    char key[MASK_DIGITS + 1];

    if (n <= KEPT_DIGITS)
        return;
    snprintf(key, sizeof(key), "%.*s", n < MASK_DIGITS ? (int)n : MASK_DIGITS, digits);
    unsigned count = count_of(t, key);
    for (size_t i = n; i-- > KEPT_DIGITS; count /= 10)
        digits[i] = (char)('0' + count % 10);
}

/* Digits of text[0..n) as one number, whatever stands between them. */
static void mask_digits_of(struct trace_mask *t, char *text, size_t n)
{
    char digits[256];
    size_t len = 0;

    for (size_t i = 0; i < n && len < sizeof(digits); i++) {
        if (isdigit((unsigned char)text[i]))
            digits[len++] = text[i];
    }
    trace_mask_number(t, digits, len);
    for (size_t i = 0, k = 0; i < n; i++) {
        if (isdigit((unsigned char)text[i]))
            text[i] = k < len ? digits[k++] : '0';
    }
}

static size_t span(const char *text, size_t n, int (*is)(int))
{
    size_t len = 0;

    while (len < n && is((unsigned char)text[len]))
        len++;
    return len;
}

static size_t count_digits(const char *text, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += isdigit((unsigned char)text[i]) != 0;
    return count;
}

/* Numbers wherever they stand: words of hex digits with enough decimal ones (an ICCID may hold letters), and
 * runs of digits within other words. */
static void mask_words(struct trace_mask *t, char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t word = span(text + i, n - i, isalnum);
        if (word == 0) {
            i++;
            continue;
        }
        if (span(text + i, word, isxdigit) == word) {
            if (count_digits(text + i, word) >= RUN_DIGITS)
                mask_digits_of(t, text + i, word);
        } else {
            for (size_t k = i; k < i + word; k++) {
                size_t run = span(text + k, i + word - k, isdigit);
                if (run >= RUN_DIGITS)
                    trace_mask_number(t, text + k, run);
                k += run;
            }
        }
        i += word;
    }
}

/* ---- texts ---- */

static void mask_text(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (isalnum(c) || c >= 0x80)
            text[i] = 'x';
    }
}

static bool is_hex(const char *text, size_t n)
{
    return n > 0 && n % 2 == 0 && span(text, n, isxdigit) == n;
}

/* A text in hex: UCS2 when `ucs2`, else packed septets. */
static void mask_hex_text(char *text, size_t n, bool ucs2)
{
    uint8_t x[AT_LINE_BYTES], packed[AT_LINE_BYTES + 1] = {0};
    size_t octets = n / 2;
    char pair[3];

    memset(x, 'x', sizeof(x));
    if (octets > sizeof(x))
        octets = sizeof(x);
    if (!ucs2)
        gsm7_pack(x, octets * 8 / 7 < sizeof(x) ? octets * 8 / 7 : sizeof(x) / 8 * 7, 0, packed);
    for (size_t i = 0; i < n / 2; i++) {
        unsigned octet = ucs2 ? (i % 2 ? 'x' : 0) : i < octets ? packed[i] : 0;
        snprintf(pair, sizeof(pair), "%02X", octet);
        memcpy(text + 2 * i, pair, 2);
    }
}

/* "002B0034…": printable ASCII as UCS2 in hex, as modems write numbers under AT+CSCS="UCS2". Into ascii. */
static bool from_ucs2(const char *text, size_t n, char *ascii, size_t size)
{
    uint8_t unit[2];

    if (n % UCS2_DIGITS || n < 3 * UCS2_DIGITS || n / UCS2_DIGITS > size)
        return false;
    for (size_t i = 0; i < n; i += UCS2_DIGITS) {
        if (hex_decode(text + i, UCS2_DIGITS, unit, sizeof(unit)) < 0 || unit[0] || !isprint(unit[1]))
            return false;
        ascii[i / UCS2_DIGITS] = (char)unit[1];
    }
    return true;
}

/* ---- quoted strings ---- */

static void mask_strict(struct trace_mask *t, char *s, size_t n)
{
    size_t sign = n && *s == '+';
    bool state = n >= 4 && (strncmp(s, "REC ", 4) == 0 || strncmp(s, "STO ", 4) == 0);
    bool date = memchr(s, '/', n) && memchr(s, ':', n);

    if (state || date)
        return;
    if (n > sign && n - sign >= STRING_DIGITS && span(s + sign, n - sign, isdigit) == n - sign)
        trace_mask_number(t, s + sign, n - sign);
    else
        mask_text(s, n);
}

typedef void string_mask(struct trace_mask *t, char *s, size_t n);

/* A quoted string's inside, in ASCII or in UCS2. */
static void mask_string(struct trace_mask *t, char *s, size_t n, string_mask *with)
{
    char ascii[AT_LINE_BYTES / UCS2_DIGITS];
    char hex[UCS2_DIGITS + 1];

    if (!from_ucs2(s, n, ascii, sizeof(ascii))) {
        with(t, s, n);
        return;
    }
    with(t, ascii, n / UCS2_DIGITS);
    for (size_t i = 0; i < n / UCS2_DIGITS; i++) {
        snprintf(hex, sizeof(hex), "%04X", (unsigned char)ascii[i]);
        memcpy(s + UCS2_DIGITS * i, hex, UCS2_DIGITS);
    }
}

static void mask_strings(struct trace_mask *t, char *line, size_t n, string_mask *with, string_mask *between)
{
    for (size_t i = 0; i < n;) {
        char *open = memchr(line + i, '"', n - i);
        size_t before = open ? (size_t)(open - line) : n;
        between(t, line + i, before - i);
        if (!open)
            return;
        i = before + 1;
        char *end = memchr(line + i, '"', n - i);
        size_t len = end ? (size_t)(end - line) - i : n - i;
        mask_string(t, line + i, len, with);
        i += len + 1;
    }
}

/* ---- lines ---- */

static bool begins(const char *line, size_t n, const char *with)
{
    size_t len = strlen(with);

    return n >= len && strncasecmp(line, with, len) == 0;
}

/* Commands that carry a PIN or password, and where it begins. */
static bool mask_secret(char *line, size_t n)
{
    static const char *const commands[] = {"PIN=", "PIN2=", "PUK=", "CPWD=", "CLCK="};

    for (size_t k = 0; k < ARRAY_LEN(commands); k++) {
        for (size_t i = 0; i < n; i++) {
            if (!begins(line + i, n - i, commands[k]))
                continue;
            for (i += strlen(commands[k]); i < n; i++) {
                if (isdigit((unsigned char)line[i]))
                    line[i] = '*';
            }
            return true;
        }
    }
    return false;
}

static void mask_pdu_line(struct trace_mask *t, bool submit, char *line, size_t n)
{
    uint8_t octets[AT_LINE_BYTES / 2];
    char hex[AT_LINE_BYTES + 1];
    int len = n <= AT_LINE_BYTES ? hex_decode(line, n, octets, sizeof(octets)) : ERR_TOO_LONG;

    if (len < 0) {
        memset(line, '0', n);
        return;
    }
    trace_mask_pdu(t, submit, submit ? -1 : t->tpdu_len, octets, (size_t)len);
    t->tpdu_len = -1;
    hex_encode(octets, (size_t)len, hex);
    memcpy(line, hex, n);
}

static bool is_final(const char *line, size_t n)
{
    return (n == 2 && begins(line, n, "OK")) || (n == 5 && begins(line, n, "ERROR")) ||
           begins(line, n, "+CMS ERROR") || begins(line, n, "+CME ERROR");
}

/* Lines behind which a PDU or a text stands. */
static bool mask_header_line(struct trace_mask *t, char *line, size_t n)
{
    static const struct {
        const char *prefix;
        bool once;
    } headers[] = {{"+CMT:", true}, {"+CDS:", true}, {"+CBM:", true}, {"+CMGR:", false}, {"+CMGL:", false}};
    char text[AT_LINE_BYTES];

    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        if (!begins(line, n, headers[i].prefix))
            continue;
        snprintf(text, sizeof(text), "%.*s", (int)n, line);
        t->tpdu_len = rx_told_length(text);
        t->payload = true;
        t->payload_once = headers[i].once;
        mask_strings(t, line, n, mask_strict, mask_words);
        return true;
    }
    return false;
}

/* The PDU, or in text mode the text, of which only a final result tells the end. */
static bool mask_payload(struct trace_mask *t, char *line, size_t n)
{
    if (!t->payload)
        return false;
    if (is_final(line, n)) {
        t->payload = false;
        return false;
    }
    if (mask_header_line(t, line, n))
        return true;
    t->payload = !t->payload_once && !is_hex(line, n);
    if (is_hex(line, n))
        mask_pdu_line(t, false, line, n);
    else
        mask_text(line, n);
    return true;
}

/* The text from here to its closing quote, which may be on another line. */
static size_t mask_ussd_text(struct trace_mask *t, char *text, size_t n)
{
    char *end = memchr(text, '"', n);
    size_t len = end ? (size_t)(end - text) : n;
    bool first = !t->in_ussd;

    t->in_ussd = !end;
    if (first && end && is_hex(text, len) && len >= UCS2_DIGITS)
        mask_hex_text(text, len, len % UCS2_DIGITS == 0 && (n - len >= 4) && strncmp(end + 1, ",72", 3) == 0);
    else
        mask_text(text, len);
    return len;
}

static bool mask_ussd_answer(struct trace_mask *t, char *line, size_t n)
{
    if (t->in_ussd) {
        mask_ussd_text(t, line, n);
        return true;
    }
    if (!begins(line, n, "+CUSD:"))
        return false;
    char *open = memchr(line, '"', n);
    if (open)
        mask_ussd_text(t, open + 1, n - (size_t)(open + 1 - line));
    return true;
}

/* A code stays, so that a recording can be played back; what is long may be a voucher's or a text. */
static void mask_code(struct trace_mask *t, char *s, size_t n)
{
    bool digits = span(s, n, isdigit) == n;

    if (digits || !is_hex(s, n))
        mask_words(t, s, n);
    else if (n > USSD_CODE_HEX)
        mask_hex_text(s, n, false);
}

static void mask_line(struct trace_mask *t, enum trace_kind kind, char *line, size_t n)
{
    /* "+CNUM: "name","+49…",145" */
    static const char *const strict[] = {
        "+CLIP:", "+CCWA:", "+CNUM:", "+CLCC:", "+CPBR:", "+CPBF:", "+COLP:"};

    if (mask_secret(line, n) || !t->whole)
        return;
    if (kind == TRACE_TO && begins(line, n, "AT+CUSD=")) {
        mask_strings(t, line, n, mask_code, mask_words);
        return;
    }
    if (kind == TRACE_FROM &&
        (mask_ussd_answer(t, line, n) || mask_payload(t, line, n) || mask_header_line(t, line, n)))
        return;
    for (size_t i = 0; i < ARRAY_LEN(strict); i++) {
        if (begins(line, n, strict[i])) {
            mask_strings(t, line, n, mask_strict, mask_words);
            return;
        }
    }
    if (kind != TRACE_NOTE && is_hex(line, n) && n >= PDU_HEX_MIN)
        mask_pdu_line(t, kind == TRACE_TO, line, n);
    else
        mask_strings(t, line, n, mask_words, mask_words);
}

/* What is written to the prompt: a PDU, or a text that ends with it. */
static void mask_data(struct trace_mask *t, char *data, size_t n)
{
    if (is_hex(data, n))
        mask_pdu_line(t, true, data, n);
    else
        mask_text(data, n);
}

void trace_mask_bytes(struct trace_mask *t, enum trace_kind kind, char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = 0;
        while (i + n < len && !strchr("\r\n\x1a", bytes[i + n]))
            n++;
        bool data = i + n < len && bytes[i + n] == SUBSTITUTE;
        if (n && data && t->whole)
            mask_data(t, bytes + i, n);
        else if (n)
            mask_line(t, kind, bytes + i, n);
        i += n + 1;
    }
}
