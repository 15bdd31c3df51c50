/* Full PDUs to structs; TS 23.040 9.2.2. A straight list of reads through one cursor, and one check at the
 * end. Whatever was read before a failure stays in the result.
 */
#include <string.h>

#include "pdu/parts.h"

enum {
    MTI_MASK = 0x03, /* the first octet, TS 23.040 9.2.3.1 and on */
    MTI_SUBMIT = 0x01,
    MTI_REPORT = 0x02,
    FO_NO_MORE = 0x04, /* TP-MMS in DELIVER and STATUS-REPORT: set when nothing waits */
    FO_RD = 0x04,      /* SUBMIT */
    FO_LP = 0x08,
    FO_VPF_SHIFT = 3,
    FO_SRI = 0x20, /* TP-SRI, TP-SRR, TP-SRQ */
    FO_UDHI = 0x40,
    FO_RP = 0x80,

    PI_PID = 0x01, /* TP-PI, TS 23.040 9.2.3.27 */
    PI_DCS = 0x02,
    PI_UDL = 0x04,
    PI_EXTENSION = 0x80,
    PI_PADDING = 0xFF,

    VP_EXTENSION = 0x80, /* the enhanced form's first octet, TS 23.040 9.2.3.12.3 */
    VP_SINGLE_SHOT = 0x40,
    VP_FORMAT_MASK = 0x07,
    VP_FORMAT_RELATIVE = 1,
    VP_FORMAT_SECONDS = 2,
    VP_FORMAT_CLOCK = 3,

    TOA_EXTENSION = 0x80, /* bit 8 of every type-of-address octet is 1 */
};

void reader_fail(struct reader *r, const char *wrong)
{
    r->c.failed = true;
    r->wrong = wrong;
}

int reader_result(const struct reader *r, struct err *e)
{
    if (!r->c.failed)
        return 0;
    if (r->wrong)
        return err_set(e, ERR_INVALID, "octet %zu: %s: %s expected", r->c.at, r->field, r->wrong);
    return err_set(e, ERR_TRUNCATED, "octet %zu: %s: ends after %zu octets, more expected", r->c.at, r->field,
                   r->c.len);
}

/* Some modems leave the SMSC address out. The length that they gave settles it; without one (or with a wrong
 * one, as some give) an address is there if it looks like one. */
static bool has_smsc(const uint8_t *bytes, size_t len, int tpdu_len)
{
    if (len == 0)
        return false;
    if (tpdu_len >= 0) {
        if (len == 1 + (size_t)bytes[0] + (size_t)tpdu_len)
            return true;
        if (len == (size_t)tpdu_len)
            return false;
    }
    if (bytes[0] == 0)
        return true;
    return bytes[0] <= SMSC_MAX_OCTETS && bytes[0] < len && (bytes[1] & TOA_EXTENSION);
}

static struct reader open_pdu(const uint8_t *bytes, size_t len, int tpdu_len, struct pdu_addr *smsc)
{
    struct reader r = {.c = cur_over(bytes, len), .field = "SMSC address"};
    if (has_smsc(bytes, len, tpdu_len))
        addr_read_smsc(&r, smsc);
    return r;
}

/* Only a report may be longer, by padding that is never looked at. */
static void check_tpdu_length(struct reader *r)
{
    if (!r->c.failed && cur_left(&r->c) > PDU_TPDU_BYTES)
        reader_fail(r, "a TPDU of at most 175 octets");
}

static void read_dcs(struct reader *r, struct pdu_dcs *out)
{
    reader_at(r, "TP-DCS");
    pdu_dcs_decode(cur_u8(&r->c), out);
}

static void read_deliver(struct reader *r, uint8_t fo, struct pdu_deliver *d)
{
    check_tpdu_length(r);
    d->more = !(fo & FO_NO_MORE);
    d->loop = fo & FO_LP;
    d->sri = fo & FO_SRI;
    d->reply_path = fo & FO_RP;
    reader_at(r, "TP-OA");
    addr_read(r, &d->from);
    reader_at(r, "TP-PID");
    d->pid = cur_u8(&r->c);
    read_dcs(r, &d->dcs);
    reader_at(r, "TP-SCTS");
    time_read(r, &d->scts);
    reader_at(r, "TP-UDL");
    ud_read(r, fo & FO_UDHI, &d->dcs, &d->ud);
}

/* hh:mm:ss; -1 if that is no time. */
static int64_t clock_ms(const uint8_t raw[3])
{
    unsigned h = bcd_value(raw[0]), m = bcd_value(raw[1]), s = bcd_value(raw[2]);
    if (h > 99 || m > 59 || s > 59)
        return -1;
    return (int64_t)((h * 60 + m) * 60 + s) * 1000;
}

static void read_enhanced(struct pdu_vp *vp)
{
    const uint8_t *raw = vp->raw;
    vp->relative_ms = -1;
    vp->single_shot = raw[0] & VP_SINGLE_SHOT;
    if (raw[0] & VP_EXTENSION)
        return;
    switch (raw[0] & VP_FORMAT_MASK) {
    case VP_FORMAT_RELATIVE:
        vp->relative_ms = pdu_vp_relative_to_ms(raw[1]);
        break;
    case VP_FORMAT_SECONDS:
        vp->relative_ms = (int64_t)raw[1] * 1000;
        break;
    case VP_FORMAT_CLOCK:
        vp->relative_ms = clock_ms(raw + 1);
        break;
    default:
        break;
    }
}

static void read_vp(struct reader *r, uint8_t fo, struct pdu_vp *vp)
{
    vp->form = (enum pdu_vp_form)((fo >> FO_VPF_SHIFT) & 3);
    vp->relative_ms = -1;
    size_t len = vp->form == PDU_VP_NONE ? 0 : vp->form == PDU_VP_RELATIVE ? 1 : sizeof(vp->raw);
    const uint8_t *raw = cur_take(&r->c, len);
    if (r->c.failed || len == 0)
        return;
    memcpy(vp->raw, raw, len);
    if (vp->form == PDU_VP_RELATIVE)
        vp->relative_ms = pdu_vp_relative_to_ms(raw[0]);
    else if (vp->form == PDU_VP_ABSOLUTE)
        time_from_octets(raw, &vp->absolute);
    else
        read_enhanced(vp);
}

static void read_submit(struct reader *r, uint8_t fo, struct pdu_submit *s)
{
    check_tpdu_length(r);
    s->reject_duplicates = fo & FO_RD;
    s->status_report = fo & FO_SRI;
    s->reply_path = fo & FO_RP;
    reader_at(r, "TP-MR");
    s->mr = cur_u8(&r->c);
    reader_at(r, "TP-DA");
    addr_read(r, &s->to);
    reader_at(r, "TP-PID");
    s->pid = cur_u8(&r->c);
    read_dcs(r, &s->dcs);
    reader_at(r, "TP-VP");
    read_vp(r, fo, &s->vp);
    reader_at(r, "TP-UDL");
    ud_read(r, fo & FO_UDHI, &s->dcs, &s->ud);
}

/* Everything behind TP-ST is optional, and some modems pad it: stop quietly where the octets end. */
static void read_report_options(struct reader *r, uint8_t fo, struct pdu_report *p)
{
    pdu_dcs_decode(0, &p->dcs);
    if (cur_left(&r->c) == 0)
        return;
    p->has_pi = true;
    p->pi = cur_u8(&r->c);
    if (p->pi == PI_PADDING)
        return;
    for (uint8_t more = p->pi; (more & PI_EXTENSION) && cur_left(&r->c) > 0;)
        more = cur_u8(&r->c);
    if ((p->pi & PI_PID) && cur_left(&r->c) > 0) {
        p->has_pid = true;
        p->pid = cur_u8(&r->c);
    }
    if ((p->pi & PI_DCS) && cur_left(&r->c) > 0) {
        p->has_dcs = true;
        pdu_dcs_decode(cur_u8(&r->c), &p->dcs);
    }
    if ((p->pi & PI_UDL) && cur_left(&r->c) > 0) {
        p->has_ud = true;
        ud_read(r, fo & FO_UDHI, &p->dcs, &p->ud);
    }
}

static void read_report(struct reader *r, uint8_t fo, struct pdu_report *p)
{
    p->more = !(fo & FO_NO_MORE);
    p->loop = fo & FO_LP;
    p->from_command = fo & FO_SRI;
    reader_at(r, "TP-MR");
    p->mr = cur_u8(&r->c);
    reader_at(r, "TP-RA");
    addr_read(r, &p->to);
    reader_at(r, "TP-SCTS");
    time_read(r, &p->scts);
    reader_at(r, "TP-DT");
    time_read(r, &p->discharge);
    reader_at(r, "TP-ST");
    p->st = cur_u8(&r->c);
    if (!r->c.failed)
        read_report_options(r, fo, p);
}

int pdu_decode(const uint8_t *bytes, size_t len, int tpdu_len, struct pdu_any *out, struct err *e)
{
    struct pdu_addr smsc = {.toa = 0};
    struct reader r = open_pdu(bytes, len, tpdu_len, &smsc);
    reader_at(&r, "first octet");
    uint8_t fo = cur_u8(&r.c);
    memset(out, 0, sizeof(*out));
    switch (fo & MTI_MASK) {
    case MTI_SUBMIT: /* what comes from a modem with these bits is a stored message of its own */
        out->kind = PDU_KIND_SUBMIT;
        out->u.submit.smsc = smsc;
        read_submit(&r, fo, &out->u.submit);
        break;
    case MTI_REPORT:
        out->kind = PDU_KIND_REPORT;
        out->u.report.smsc = smsc;
        read_report(&r, fo, &out->u.report);
        break;
    default:
        out->kind = PDU_KIND_DELIVER;
        out->u.deliver.smsc = smsc;
        read_deliver(&r, fo, &out->u.deliver);
        break;
    }
    return reader_result(&r, e);
}

int pdu_decode_submit(const uint8_t *bytes, size_t len, int tpdu_len, struct pdu_submit *out, struct err *e)
{
    memset(out, 0, sizeof(*out));
    struct reader r = open_pdu(bytes, len, tpdu_len, &out->smsc);
    reader_at(&r, "first octet");
    uint8_t fo = cur_u8(&r.c);
    if (!r.c.failed && (fo & MTI_MASK) != MTI_SUBMIT)
        reader_fail(&r, "SMS-SUBMIT");
    else
        read_submit(&r, fo, out);
    return reader_result(&r, e);
}
