/* TP-UDL and TP-UD: reading, writing, the payload and its text; TS 23.040 9.2.3.16, 9.2.3.24, TS 23.038 6.
 * Once TP-UDL is read nothing here fails: what is missing is marked `shortened`, what is impossible shows as
 * U+FFFD or as nothing.
 */
#include <string.h>

#include "base/utf8.h"
#include "pdu/gsm7_tables.h"
#include "pdu/parts.h"

enum {
    BYTE_ORDER_MARK = 0xFEFF,
    LEAD_FIRST = 0xD800, /* UTF-16: the first half of a pair, then the second */
    TRAIL_FIRST = 0xDC00,
    TRAIL_LAST = 0xDFFF,
};

static bool packed_septets(const struct pdu_dcs *dcs)
{
    return dcs->alphabet == PDU_GSM7 && !dcs->compressed;
}

size_t ud_octets_promised(uint8_t udl, const struct pdu_dcs *dcs)
{
    return packed_septets(dcs) ? (udl * 7u + 7) / 8 : udl;
}

void ud_read(struct reader *r, bool udhi, const struct pdu_dcs *dcs, struct pdu_ud *out)
{
    out->udhi = udhi;
    out->udl = cur_u8(&r->c);
    if (r->c.failed)
        return;
    size_t promised = ud_octets_promised(out->udl, dcs);
    size_t len = promised;
    if (len > PDU_UD_BYTES)
        len = PDU_UD_BYTES;
    if (len > cur_left(&r->c))
        len = cur_left(&r->c);
    out->shortened = len < promised;
    out->octets_len = (uint8_t)len;
    if (len > 0)
        memcpy(out->octets, cur_take(&r->c, len), len);
    ud_read_header(out);
}

int ud_write(struct writer *w, const struct pdu_ud *ud, const struct pdu_dcs *dcs, struct err *e)
{
    size_t promised = ud_octets_promised(ud->udl, dcs);
    if (promised > PDU_UD_BYTES)
        return err_set(e, ERR_TOO_LONG, "user data: %zu octets, at most 140 expected", promised);
    if (promised != ud->octets_len)
        return err_set(e, ERR_INVALID, "user data: %zu octets expected for a length of %u, not %u", promised,
                       ud->udl, ud->octets_len);
    put_u8(w, ud->udl);
    put_octets(w, ud->octets, ud->octets_len);
    return 0;
}

int pdu_ud_set_octets(struct pdu_ud *ud, const uint8_t *header, size_t hlen, const uint8_t *data, size_t len)
{
    *ud = (struct pdu_ud){.udhi = hlen > 0};
    if (hlen > 0 && hlen != (size_t)header[0] + 1)
        return ERR_INVALID;
    if (hlen > PDU_UD_BYTES || len > PDU_UD_BYTES - hlen)
        return ERR_TOO_LONG;
    if (hlen > 0)
        memcpy(ud->octets, header, hlen);
    if (len > 0)
        memcpy(ud->octets + hlen, data, len);
    ud->octets_len = ud->udl = (uint8_t)(hlen + len);
    ud_read_header(ud);
    return 0;
}

/* Unpacks the text's septets. Returns their number. */
static size_t text_septets(const struct pdu_ud *ud, uint8_t septets[UD_MAX_SEPTETS])
{
    size_t header = header_septets(ud->header_len);
    if (ud->udl <= header)
        return 0;
    size_t n = ud->udl - header;
    unsigned fill = header_fill_bits(ud->header_len);
    size_t bits = (size_t)(ud->octets_len - ud->header_len) * 8;
    size_t there = bits > fill ? (bits - fill) / 7 : 0;
    if (n > there)
        n = there;
    gsm7_unpack(ud->octets + ud->header_len, n, fill, septets);
    return n;
}

int pdu_ud_payload(const struct pdu_ud *ud, const struct pdu_dcs *dcs, uint8_t out[160])
{
    if (packed_septets(dcs))
        return (int)text_septets(ud, out);
    size_t len = (size_t)(ud->octets_len - ud->header_len);
    memcpy(out, ud->octets + ud->header_len, len);
    return (int)len;
}

/* Text under way: where it goes, and what the last segment left open. */
struct joiner {
    char *out;
    size_t len, cap; /* cap does not count the NUL */
    bool full;
    bool escape;   /* an ESC waits for the septet that it changes */
    uint32_t lead; /* the first half of a surrogate pair waits for the second; 0 = none */
};

static void join_code_point(struct joiner *j, uint32_t cp)
{
    size_t room = j->full ? 0 : j->cap - j->len;
    if (room >= 4) {
        j->len += utf8_put(cp, j->out + j->len);
        return;
    }
    char bytes[4];
    size_t n = utf8_put(cp, bytes);
    if (n > room) {
        j->full = true; /* nothing shorter may follow into the gap */
        return;
    }
    memcpy(j->out + j->len, bytes, n);
    j->len += n;
}

/* Shows what was left open and now stays so. */
static void join_flush(struct joiner *j)
{
    if (j->escape)
        join_code_point(j, ' ');
    if (j->lead)
        join_code_point(j, UTF8_REPLACEMENT);
    j->escape = false;
    j->lead = 0;
}

/* The septets up to the first that is not plain ASCII, which most are: this loop is what decoding costs.
 * Returns their number. */
static size_t join_ascii(struct joiner *j, uint8_t locking, const uint8_t *septets, size_t n)
{
    const uint16_t *table = gsm7_locking_table[locking < GSM7_LANGUAGES ? locking : 0];
    if (j->full)
        return 0;
    if (n > j->cap - j->len)
        n = j->cap - j->len;
    char *to = j->out + j->len;
    size_t i = 0;
    for (; i < n; i++) {
        unsigned cp = table[septets[i]];
        if (cp - 1 >= 0x7F) /* 0, a hole or the escape, too */
            break;
        to[i] = (char)cp;
    }
    j->len += i;
    return i;
}

static void join_gsm7(struct joiner *j, const struct pdu_ud *ud)
{
    if (j->lead)
        join_flush(j);
    uint8_t septets[UD_MAX_SEPTETS];
    size_t n = text_septets(ud, septets);
    for (size_t i = 0; i < n; i++) {
        if (!j->escape)
            i += join_ascii(j, ud->locking, septets + i, n - i);
        if (i == n)
            break;
        uint8_t s = septets[i];
        if (j->escape) {
            j->escape = false;
            uint32_t extended = gsm7_single(ud->single, s);
            join_code_point(j, extended ? extended : gsm7_locking(ud->locking, s));
        } else if (s == GSM7_ESC) {
            j->escape = true;
        } else {
            join_code_point(j, gsm7_locking(ud->locking, s));
        }
    }
}

static void join_utf16_unit(struct joiner *j, uint32_t unit)
{
    if (unit >= TRAIL_FIRST && unit <= TRAIL_LAST && j->lead) {
        uint32_t cp = 0x10000 + ((j->lead - LEAD_FIRST) << 10) + (unit - TRAIL_FIRST);
        j->lead = 0;
        join_code_point(j, cp);
        return;
    }
    if (j->lead || j->escape)
        join_flush(j);
    if (unit >= LEAD_FIRST && unit < TRAIL_FIRST)
        j->lead = unit;
    else if (unit == 0 || (unit >= TRAIL_FIRST && unit <= TRAIL_LAST))
        join_code_point(j, UTF8_REPLACEMENT); /* no NUL inside a text */
    else
        join_code_point(j, unit);
}

static void join_ucs2(struct joiner *j, const struct pdu_ud *ud, bool first)
{
    const uint8_t *p = ud->octets + ud->header_len;
    size_t units = (size_t)(ud->octets_len - ud->header_len) / 2; /* an odd last octet says nothing */
    while (units > 0 && p[2 * units - 2] == 0 && p[2 * units - 1] == 0)
        units--; /* some senders end with a NUL */
    for (size_t i = 0; i < units; i++) {
        uint32_t unit = (uint32_t)p[2 * i] << 8 | p[2 * i + 1];
        if (first && i == 0 && unit == BYTE_ORDER_MARK)
            continue;
        bool plain = unit - 1 < LEAD_FIRST - 1 && !j->lead && !j->escape && !j->full;
        if (plain && j->cap - j->len >= 4)
            j->len += utf8_put(unit, j->out + j->len); /* most of them, without more ado */
        else
            join_utf16_unit(j, unit);
    }
}

static void join_segment(struct joiner *j, const struct pdu_ud *ud, const struct pdu_dcs *dcs, bool first)
{
    if (dcs->compressed || dcs->alphabet == PDU_8BIT)
        join_flush(j);
    else if (dcs->alphabet == PDU_UCS2)
        join_ucs2(j, ud, first);
    else
        join_gsm7(j, ud);
}

int pdu_join_text(const struct pdu_ud *const ud[], const struct pdu_dcs *const dcs[], size_t n, char *out,
                  size_t out_size)
{
    if (out_size == 0)
        return 0;
    struct joiner j = {.out = out, .cap = out_size - 1};
    for (size_t i = 0; i < n; i++) {
        if (ud[i]) {
            join_segment(&j, ud[i], dcs[i], i == 0);
            continue;
        }
        join_flush(&j);
        join_code_point(&j, '[');
        join_code_point(&j, 0x2026);
        join_code_point(&j, ']');
    }
    join_flush(&j);
    out[j.len] = '\0';
    return (int)j.len;
}

int pdu_ud_text(const struct pdu_ud *ud, const struct pdu_dcs *dcs, char out[PDU_TEXT_BYTES])
{
    return pdu_join_text(&ud, &dcs, 1, out, PDU_TEXT_BYTES);
}
