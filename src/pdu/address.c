/* Addresses: semi-octet digits and packed 7-bit names; TS 23.040 9.1.2.3 and 9.1.2.5, TS 24.011 8.2.5.1. */
#include <string.h>

#include "base/utf8.h"
#include "pdu/gsm7.h"
#include "pdu/parts.h"

enum {
    TON_INTERNATIONAL = 1,
    TON_ALPHANUMERIC = 5,
    TOA_INTERNATIONAL = 0x91,
    TOA_UNKNOWN = 0x81,
    TOA_ALPHANUMERIC = 0xD0,
    ALNUM_MAX_SEPTETS = 11,
    END_NIBBLE = 0x0F,
};

static const char DIGITS[] = "0123456789*#abc";

/* Semi-octets as digits; 1111 ends them early. */
static void read_digits(const uint8_t *octets, size_t semi_octets, struct pdu_addr *out)
{
    char *to = out->text;
    if (pdu_addr_ton(out) == TON_INTERNATIONAL)
        *to++ = '+';
    char *first = to;
    for (size_t i = 0; i < semi_octets; i++) {
        unsigned nibble = i % 2 ? octets[i / 2] >> 4 : octets[i / 2] & 0x0F;
        if (nibble == END_NIBBLE)
            break;
        *to++ = DIGITS[nibble];
    }
    if (to == first)
        to = out->text; /* no "+" without digits */
    *to = '\0';
}

static void read_alphanumeric(const uint8_t *octets, size_t semi_octets, struct pdu_addr *out)
{
    uint8_t septets[ALNUM_MAX_SEPTETS];
    size_t n = semi_octets * 4 / 7;
    gsm7_unpack(octets, n, 0, septets);
    /* Seven characters fill seven octets with seven spare bits; senders that count whole octets (length 14)
     * make an eighth septet, '@', of them. */
    if (n == 8 && septets[7] == 0)
        n = 7;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t cp = gsm7_locking(0, septets[i]);
        if (septets[i] == GSM7_ESC && i + 1 < n) {
            uint32_t extended = gsm7_single(0, septets[++i]);
            cp = extended ? extended : gsm7_locking(0, septets[i]);
        }
        len += utf8_put(cp, out->text + len);
    }
    out->text[len] = '\0';
}

void addr_read(struct reader *r, struct pdu_addr *out)
{
    out->len = cur_u8(&r->c);
    out->toa = cur_u8(&r->c);
    if (r->c.failed)
        return;
    if (out->len > ADDR_MAX_DIGITS) {
        reader_fail(r, "a length of at most 20 semi-octets");
        return;
    }
    const uint8_t *octets = cur_take(&r->c, (out->len + 1u) / 2);
    if (!octets)
        return;
    if (pdu_addr_ton(out) == TON_ALPHANUMERIC)
        read_alphanumeric(octets, out->len, out);
    else
        read_digits(octets, out->len, out);
}

void addr_read_smsc(struct reader *r, struct pdu_addr *out)
{
    out->len = cur_u8(&r->c);
    if (r->c.failed || out->len == 0)
        return;
    if (out->len > SMSC_MAX_OCTETS) {
        reader_fail(r, "a length of at most 11 octets");
        return;
    }
    const uint8_t *octets = cur_take(&r->c, out->len);
    if (!octets)
        return;
    out->toa = octets[0];
    read_digits(octets + 1, (size_t)(out->len - 1) * 2, out);
}

/* Text to packed semi-octets. Returns their number, or -1 with the reason in *e. */
static int pack_digits(const char *text, uint8_t octets[ADDR_MAX_DIGITS / 2], struct err *e)
{
    int n = 0;
    for (const char *p = text + (*text == '+'); *p; p++, n++) {
        const char *digit = strchr(DIGITS, *p);
        if (!digit)
            return err_set(e, ERR_INVALID, "address \"%s\": digits, '*', '#', 'a', 'b' or 'c' expected",
                           text);
        if (n == ADDR_MAX_DIGITS)
            return err_set(e, ERR_TOO_LONG, "address \"%s\": at most 20 digits expected", text);
        unsigned nibble = (unsigned)(digit - DIGITS);
        if (n % 2)
            octets[n / 2] = (uint8_t)((octets[n / 2] & 0x0F) | nibble << 4);
        else
            octets[n / 2] = (uint8_t)(END_NIBBLE << 4 | nibble);
    }
    return n;
}

/* Text to septets. Returns their number, or a negative code. */
static int name_septets(const char *text, uint8_t septets[ALNUM_MAX_SEPTETS], struct err *e)
{
    int n = 0;
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        uint8_t septet[2];
        int k = gsm7_from_code_point(utf8_next(text, len, &at), 0, 0, septet);
        if (k == 0)
            return err_set(e, ERR_INVALID, "address \"%s\": characters of the GSM alphabet expected", text);
        if (n + k > ALNUM_MAX_SEPTETS)
            return err_set(e, ERR_TOO_LONG, "address \"%s\": at most 11 characters expected", text);
        memcpy(septets + n, septet, (size_t)k);
        n += k;
    }
    return n;
}

static int write_name(struct writer *w, const struct pdu_addr *a, struct err *e)
{
    uint8_t septets[ALNUM_MAX_SEPTETS];
    int n = name_septets(a->text, septets, e);
    if (n < 0)
        return n;
    put_u8(w, ((unsigned)n * 7 + 3) / 4);
    put_u8(w, a->toa);
    w->n += gsm7_pack(septets, (size_t)n, 0, w->out + w->n);
    return 0;
}

int addr_write(struct writer *w, const struct pdu_addr *a, struct err *e)
{
    if (pdu_addr_ton(a) == TON_ALPHANUMERIC)
        return write_name(w, a, e);
    uint8_t octets[ADDR_MAX_DIGITS / 2];
    int n = pack_digits(a->text, octets, e);
    if (n < 0)
        return n;
    put_u8(w, (unsigned)n);
    put_u8(w, a->toa);
    put_octets(w, octets, ((size_t)n + 1) / 2);
    return 0;
}

int addr_write_smsc(struct writer *w, const struct pdu_addr *a, struct err *e)
{
    if (a->text[0] == '\0') {
        put_u8(w, 0);
        return 0;
    }
    uint8_t octets[ADDR_MAX_DIGITS / 2];
    int n = pack_digits(a->text, octets, e);
    if (n < 0)
        return n;
    size_t len = ((size_t)n + 1) / 2;
    put_u8(w, (unsigned)len + 1);
    put_u8(w, a->toa);
    put_octets(w, octets, len);
    return 0;
}

/* A number is all digits and has at least one that is not a letter: "abc" is a name. */
static bool is_number(const char *text)
{
    return text[strspn(text, DIGITS)] == '\0' && strpbrk(text, "0123456789*#");
}

int pdu_addr_from_text(const char *text, struct pdu_addr *out, struct err *e)
{
    *out = (struct pdu_addr){.toa = 0};
    uint8_t packed[ADDR_MAX_DIGITS];
    int n;
    if (text[0] == '\0')
        return err_set(e, ERR_INVALID, "empty address");
    if (text[0] == '+') {
        out->toa = TOA_INTERNATIONAL;
        if (!is_number(text + 1))
            return err_set(e, ERR_INVALID, "address \"%s\": digits expected behind '+'", text);
        n = pack_digits(text, packed, e);
    } else if (is_number(text)) {
        out->toa = TOA_UNKNOWN;
        n = pack_digits(text, packed, e);
    } else {
        out->toa = TOA_ALPHANUMERIC;
        n = name_septets(text, packed, e);
    }
    if (n < 0)
        return n;
    out->len = (uint8_t)(out->toa == TOA_ALPHANUMERIC ? (n * 7 + 3) / 4 : n);
    memcpy(out->text, text, strlen(text) + 1); /* 11 characters or 21 digits: they fit */
    return 0;
}
