/* Structs to full PDUs; TS 23.040 9.2.2. Times are written from their raw octets and addresses from type and
 * text, so that what was decoded encodes to the same message again.
 */
#include <string.h>

#include "pdu/parts.h"

enum {
    MTI_DELIVER = 0x00,
    MTI_SUBMIT = 0x01,
    MTI_REPORT = 0x02,
    VPF_SHIFT = 3,

};

void put_octets(struct writer *w, const uint8_t *octets, size_t n)
{
    if (n > 0)
        memcpy(w->out + w->n, octets, n);
    w->n += n;
}

static unsigned bit(bool set, unsigned n)
{
    return set ? 1u << n : 0;
}

static void put_vp(struct writer *w, const struct pdu_vp *vp)
{
    switch (vp->form) {
    case PDU_VP_NONE:
        break;
    case PDU_VP_RELATIVE:
        put_u8(w, vp->raw[0]);
        break;
    case PDU_VP_ENHANCED:
        put_octets(w, vp->raw, sizeof(vp->raw));
        break;
    case PDU_VP_ABSOLUTE:
        put_octets(w, vp->absolute.raw, sizeof(vp->absolute.raw));
        break;
    }
}

/* Result of an encoder whose TPDU began at `start`. */
static int finish(const struct writer *w, size_t start, int *tpdu_len)
{
    *tpdu_len = (int)(w->n - start);
    return (int)w->n;
}

int pdu_encode_submit(const struct pdu_submit *s, uint8_t out[PDU_FULL_BYTES], int *tpdu_len, struct err *e)
{
    struct writer w = {.out = out};
    int rc = addr_write_smsc(&w, &s->smsc, e);
    if (rc < 0)
        return rc;
    size_t start = w.n;
    put_u8(&w, MTI_SUBMIT | bit(s->reject_duplicates, 2) | (unsigned)s->vp.form << VPF_SHIFT |
                   bit(s->status_report, 5) | bit(s->ud.udhi, 6) | bit(s->reply_path, 7));
    put_u8(&w, s->mr);
    if ((rc = addr_write(&w, &s->to, e)) < 0)
        return rc;
    put_u8(&w, s->pid);
    put_u8(&w, s->dcs.raw);
    put_vp(&w, &s->vp);
    struct pdu_dcs dcs;
    pdu_dcs_decode(s->dcs.raw, &dcs);
    if ((rc = ud_write(&w, &s->ud, &dcs, e)) < 0)
        return rc;
    return finish(&w, start, tpdu_len);
}

int pdu_encode_deliver(const struct pdu_deliver *d, uint8_t out[PDU_FULL_BYTES], int *tpdu_len, struct err *e)
{
    struct writer w = {.out = out};
    int rc = addr_write_smsc(&w, &d->smsc, e);
    if (rc < 0)
        return rc;
    size_t start = w.n;
    put_u8(&w, MTI_DELIVER | bit(!d->more, 2) | bit(d->loop, 3) | bit(d->sri, 5) | bit(d->ud.udhi, 6) |
                   bit(d->reply_path, 7));
    if ((rc = addr_write(&w, &d->from, e)) < 0)
        return rc;
    put_u8(&w, d->pid);
    put_u8(&w, d->dcs.raw);
    put_octets(&w, d->scts.raw, sizeof(d->scts.raw));
    struct pdu_dcs dcs;
    pdu_dcs_decode(d->dcs.raw, &dcs);
    if ((rc = ud_write(&w, &d->ud, &dcs, e)) < 0)
        return rc;
    return finish(&w, start, tpdu_len);
}

static int put_report_options(struct writer *w, const struct pdu_report *r, struct err *e)
{
    unsigned pi = bit(r->has_pid, 0) | bit(r->has_dcs, 1) | bit(r->has_ud, 2);
    if (pi == 0 && !r->has_pi)
        return 0;
    put_u8(w, pi);
    if (r->has_pid)
        put_u8(w, r->pid);
    struct pdu_dcs dcs;
    pdu_dcs_decode(r->has_dcs ? r->dcs.raw : 0, &dcs);
    if (r->has_dcs)
        put_u8(w, dcs.raw);
    return r->has_ud ? ud_write(w, &r->ud, &dcs, e) : 0;
}

int pdu_encode_report(const struct pdu_report *r, uint8_t out[PDU_FULL_BYTES], int *tpdu_len, struct err *e)
{
    struct writer w = {.out = out};
    int rc = addr_write_smsc(&w, &r->smsc, e);
    if (rc < 0)
        return rc;
    size_t start = w.n;
    put_u8(&w, MTI_REPORT | bit(!r->more, 2) | bit(r->loop, 3) | bit(r->from_command, 5) |
                   bit(r->has_ud && r->ud.udhi, 6));
    put_u8(&w, r->mr);
    if ((rc = addr_write(&w, &r->to, e)) < 0)
        return rc;
    put_octets(&w, r->scts.raw, sizeof(r->scts.raw));
    put_octets(&w, r->discharge.raw, sizeof(r->discharge.raw));
    put_u8(&w, r->st);
    if ((rc = put_report_options(&w, r, e)) < 0)
        return rc;
    return finish(&w, start, tpdu_len);
}
