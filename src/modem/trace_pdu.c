/* Masking a PDU where it stands: its fields are walked, addresses and user data are overwritten, everything
 * else stays as it is. TS 23.040 9.2.2; the decoders are not used, since what they cannot read must be masked
 * too. What cannot be walked becomes zeros.
 */
#include <ctype.h>
#include <string.h>

#include "modem/trace_mask.h"
#include "pdu/gsm7.h"
#include "pdu/pdu.h"

enum {
    TOA_ALNUM = 5, /* type of number, TS 23.040 9.1.2.5 */
    ADDR_DIGITS_MAX = 20,
    SCTS_BYTES = 7,
    MTI_SUBMIT = 1,
    MTI_REPORT = 2,
    REPLY_ADDRESS_IE = 0x22, /* TS 23.040 9.2.3.24.13 */
    SEPTETS_MAX = 160,
};

struct walk {
    struct trace_mask *mask;
    uint8_t *p;
    size_t left;
    bool failed;
};

static uint8_t *take(struct walk *w, size_t n)
{
    uint8_t *at = w->p;

    if (w->failed || n > w->left) {
        w->failed = true;
        return NULL;
    }
    w->p += n;
    w->left -= n;
    return at;
}

static uint8_t take_octet(struct walk *w)
{
    const uint8_t *at = take(w, 1);

    return at ? *at : 0;
}

/* ---- addresses ---- */

/* Semi-octets that are digits, in their order; '*', '#', letters and the filler stay. */
static void mask_digits(struct trace_mask *mask, uint8_t *octets, size_t semi_octets)
{
    char digits[2 * 2 * ADDR_DIGITS_MAX];
    size_t places[2 * 2 * ADDR_DIGITS_MAX], n = 0;

    for (size_t i = 0; i < semi_octets && n < sizeof(digits); i++) {
        unsigned nibble = i % 2 ? octets[i / 2] >> 4 : octets[i / 2] & 0x0F;
        if (nibble > 9)
            continue;
        places[n] = i;
        digits[n++] = (char)('0' + nibble);
    }
    trace_mask_number(mask, digits, n);
    for (size_t k = 0; k < n; k++) {
        unsigned nibble = (unsigned)(digits[k] - '0');
        uint8_t *o = &octets[places[k] / 2];
        *o = (uint8_t)(places[k] % 2 ? (*o & 0x0F) | nibble << 4 : (*o & 0xF0) | nibble);
    }
}

/* A name keeps its first two characters and its length. */
static void mask_name(uint8_t *octets, size_t semi_octets)
{
    enum { KEPT = 2, NAME_MAX = 12 };
    uint8_t septets[2 * NAME_MAX];
    size_t n = semi_octets * 4 / 7;

    gsm7_unpack(octets, n, 0, septets);
    for (size_t i = KEPT; i < n; i++) {
        if (isalnum(septets[i]))
            septets[i] = 'x';
    }
    gsm7_pack(septets, n, 0, octets);
}

static void mask_address(struct walk *w)
{
    size_t semi_octets = take_octet(w);
    unsigned toa = take_octet(w);

    if (semi_octets > ADDR_DIGITS_MAX)
        w->failed = true;
    uint8_t *octets = take(w, (semi_octets + 1) / 2);
    if (!octets)
        return;
    if (((toa >> 4) & 7) == TOA_ALNUM)
        mask_name(octets, semi_octets);
    else
        mask_digits(w->mask, octets, semi_octets);
}

/* Octet length, type, digits; TS 24.011 8.2.5.1. */
static void mask_smsc(struct walk *w)
{
    size_t len = take_octet(w);

    if (len > 2 * ADDR_DIGITS_MAX)
        w->failed = true;
    uint8_t *at = take(w, len);
    if (at && len > 1)
        mask_digits(w->mask, at + 1, 2 * (len - 1));
}

/* ---- user data ---- */

static void mask_reply_address(struct trace_mask *mask, uint8_t *ie, size_t len)
{
    struct walk w = {.mask = mask, .p = ie, .left = len};

    mask_address(&w);
    if (w.failed)
        memset(ie, 0, len);
}

static void mask_header(struct trace_mask *mask, uint8_t *header, size_t len)
{
    for (size_t at = 1; at + 2 <= len;) {
        size_t ie_len = header[at + 1];
        if (ie_len > len - at - 2)
            break;
        if (header[at] == REPLY_ADDRESS_IE)
            mask_reply_address(mask, header + at + 2, ie_len);
        at += 2 + ie_len;
    }
}

static void fill_septets(uint8_t *to, size_t octets, size_t septets, unsigned fill_bits)
{
    uint8_t x[SEPTETS_MAX];
    size_t fit = 8 * octets > fill_bits ? (8 * octets - fill_bits) / 7 : 0;

    if (septets > fit)
        septets = fit;
    if (septets > sizeof(x))
        septets = sizeof(x);
    memset(x, 'x', sizeof(x));
    memset(to, 0, octets);
    gsm7_pack(x, septets, fill_bits, to);
}

static void fill_text(const struct pdu_dcs *dcs, uint8_t *to, size_t octets, size_t septets,
                      unsigned fill_bits)
{
    if (dcs->compressed || dcs->alphabet == PDU_8BIT) {
        memset(to, 'x', octets);
    } else if (dcs->alphabet == PDU_UCS2) {
        for (size_t i = 0; i < octets; i++)
            to[i] = i % 2 ? 'x' : 0;
    } else {
        fill_septets(to, octets, septets, fill_bits);
    }
}

static void mask_user_data(struct walk *w, bool udhi, uint8_t dcs_octet)
{
    size_t udl = take_octet(w), header_len = 0, header_septets = 0;
    struct pdu_dcs dcs;

    if (w->failed)
        return;
    pdu_dcs_decode(dcs_octet, &dcs);
    bool septets = dcs.alphabet == PDU_GSM7 && !dcs.compressed;
    size_t octets = septets ? (7 * udl + 7) / 8 : udl;
    if (octets > w->left)
        octets = w->left;
    uint8_t *ud = take(w, octets);
    if (udhi && octets) {
        header_len = ud[0] + 1u < octets ? ud[0] + 1u : octets;
        header_septets = (8 * header_len + 6) / 7;
        mask_header(w->mask, ud, header_len);
    }
    fill_text(&dcs, ud + header_len, octets - header_len, udl > header_septets ? udl - header_septets : 0,
              (unsigned)(7 * header_septets - 8 * header_len));
}

/* ---- the three kinds ---- */

static void mask_submit(struct walk *w, uint8_t first)
{
    static const size_t vp_bytes[] = {0, 7, 1, 7}; /* TP-VPF, TS 23.040 9.2.3.3 */

    take(w, 1); /* TP-MR */
    mask_address(w);
    take(w, 1); /* TP-PID */
    uint8_t dcs = take_octet(w);
    take(w, vp_bytes[(first >> 3) & 3]);
    mask_user_data(w, first & 0x40, dcs);
}

static void mask_deliver(struct walk *w, uint8_t first)
{
    mask_address(w);
    take(w, 1); /* TP-PID */
    uint8_t dcs = take_octet(w);
    take(w, SCTS_BYTES);
    mask_user_data(w, first & 0x40, dcs);
}

static void mask_report(struct walk *w, uint8_t first)
{
    take(w, 1); /* TP-MR */
    mask_address(w);
    take(w, 2 * SCTS_BYTES + 1); /* and TP-ST */
    if (w->failed || w->left == 0)
        return;
    uint8_t pi = take_octet(w); /* TS 23.040 9.2.3.27 */
    if (pi & 1)
        take(w, 1);
    uint8_t dcs = pi & 2 ? take_octet(w) : 0;
    if (pi & 4)
        mask_user_data(w, first & 0x40, dcs);
}

void trace_mask_pdu(struct trace_mask *t, bool submit, int tpdu_len, uint8_t *pdu, size_t len)
{
    struct walk w = {.mask = t, .p = pdu, .left = len};

    if (tpdu_len < 0 || (size_t)tpdu_len != len) /* else no address of the service centre is in front */
        mask_smsc(&w);
    uint8_t first = take_octet(&w);
    unsigned mti = first & 3;
    if (submit || mti == MTI_SUBMIT)
        mask_submit(&w, first);
    else if (mti == MTI_REPORT)
        mask_report(&w, first);
    else
        mask_deliver(&w, first);
    if (w.left) /* where it failed, or padding */
        memset(w.p, 0, w.left);
}
