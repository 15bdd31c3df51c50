/* Any octets through every decoder; what decodes must encode to a PDU that decodes to the same message.
 * Input: an octet that picks the length given with the PDU, then the PDU.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "pdu/pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void same_addr(const struct pdu_addr *a, const struct pdu_addr *b)
{
    /* An eighth character '@' of a name cannot be told from the padding of seven. */
    size_t n = strlen(a->text);
    if (b->len == 14 && n > 0 && a->text[n - 1] == '@' && strlen(b->text) == n - 1)
        n--;
    else
        require(strlen(b->text) == n, "address keeps its length");
    require(memcmp(a->text, b->text, n) == 0, "address survives");
    require(utf8_valid(a->text, strlen(a->text)), "address is UTF-8");
}

static void same_time(const struct pdu_time *a, const struct pdu_time *b)
{
    require(memcmp(a->raw, b->raw, 7) == 0 && a->valid == b->valid, "time survives");
    require(!a->valid || pdu_time_to_wall_ms(a) == pdu_time_to_wall_ms(b), "wall time survives");
}

static void check_text(const struct pdu_ud *ud, const struct pdu_dcs *dcs)
{
    char text[PDU_TEXT_BYTES], cut[16], pair[2 * PDU_TEXT_BYTES];
    uint8_t payload[160];
    int n = pdu_ud_text(ud, dcs, text);
    require(n >= 0 && n < PDU_TEXT_BYTES && strlen(text) == (size_t)n, "text has no NUL and fits");
    require(utf8_valid(text, (size_t)n), "text is UTF-8");
    require(pdu_ud_payload(ud, dcs, payload) <= 160, "payload fits");
    const struct pdu_ud *uds[3] = {ud, NULL, ud};
    const struct pdu_dcs *dcss[3] = {dcs, NULL, dcs};
    n = pdu_join_text(uds, dcss, 3, pair, sizeof(pair));
    require(utf8_valid(pair, (size_t)n), "joined text is UTF-8");
    n = pdu_join_text(uds, dcss, 3, cut, sizeof(cut));
    require(n < 16 && utf8_valid(cut, (size_t)n), "cut text is UTF-8");
}

static void same_ud(const struct pdu_ud *a, const struct pdu_ud *b, const struct pdu_dcs *dcs)
{
    char one[PDU_TEXT_BYTES], two[PDU_TEXT_BYTES];
    pdu_ud_text(a, dcs, one);
    pdu_ud_text(b, dcs, two);
    require(strcmp(one, two) == 0, "text survives");
    require(a->octets_len == b->octets_len && memcmp(a->octets, b->octets, a->octets_len) == 0,
            "octets survive");
    require(a->ies_len == b->ies_len && memcmp(&a->concat, &b->concat, sizeof(a->concat)) == 0,
            "header survives");
}

static void check_deliver(const struct pdu_deliver *d)
{
    uint8_t octets[PDU_FULL_BYTES];
    int tpdu_len;
    struct pdu_any again;
    check_text(&d->ud, &d->dcs);
    if (d->ud.shortened)
        return; /* there is no PDU that says so */
    int n = pdu_encode_deliver(d, octets, &tpdu_len, NULL);
    require(n > 0, "DELIVER encodes");
    require(pdu_decode(octets, (size_t)n, tpdu_len, &again, NULL) == 0, "DELIVER decodes again");
    const struct pdu_deliver *b = &again.u.deliver;
    same_addr(&d->smsc, &b->smsc);
    same_addr(&d->from, &b->from);
    same_time(&d->scts, &b->scts);
    same_ud(&d->ud, &b->ud, &d->dcs);
    require(d->more == b->more && d->loop == b->loop && d->sri == b->sri && d->reply_path == b->reply_path &&
                d->pid == b->pid && d->dcs.raw == b->dcs.raw,
            "DELIVER survives");
}

static void check_submit(const struct pdu_submit *s)
{
    uint8_t octets[PDU_FULL_BYTES];
    int tpdu_len;
    struct pdu_submit b;
    check_text(&s->ud, &s->dcs);
    if (s->ud.shortened)
        return;
    int n = pdu_encode_submit(s, octets, &tpdu_len, NULL);
    require(n > 0, "SUBMIT encodes");
    require(pdu_decode_submit(octets, (size_t)n, tpdu_len, &b, NULL) == 0, "SUBMIT decodes again");
    same_addr(&s->smsc, &b.smsc);
    same_addr(&s->to, &b.to);
    same_ud(&s->ud, &b.ud, &s->dcs);
    require(s->vp.form == b.vp.form && memcmp(s->vp.raw, b.vp.raw, 7) == 0 &&
                s->vp.relative_ms == b.vp.relative_ms,
            "validity survives");
    require(s->reject_duplicates == b.reject_duplicates && s->status_report == b.status_report &&
                s->reply_path == b.reply_path && s->mr == b.mr && s->pid == b.pid && s->dcs.raw == b.dcs.raw,
            "SUBMIT survives");
}

static void check_report(const struct pdu_report *r)
{
    uint8_t octets[PDU_FULL_BYTES];
    int tpdu_len;
    struct pdu_any again;
    check_text(&r->ud, &r->dcs);
    pdu_status_text(r->st);
    if (r->ud.shortened)
        return;
    int n = pdu_encode_report(r, octets, &tpdu_len, NULL);
    require(n > 0, "STATUS-REPORT encodes");
    require(pdu_decode(octets, (size_t)n, tpdu_len, &again, NULL) == 0, "STATUS-REPORT decodes again");
    const struct pdu_report *b = &again.u.report;
    same_addr(&r->to, &b->to);
    same_time(&r->scts, &b->scts);
    same_time(&r->discharge, &b->discharge);
    same_ud(&r->ud, &b->ud, &r->dcs);
    require(r->mr == b->mr && r->st == b->st && r->has_pid == b->has_pid && r->pid == b->pid &&
                r->has_dcs == b->has_dcs && r->has_ud == b->has_ud && r->more == b->more,
            "STATUS-REPORT survives");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    int lengths[] = {-1, (int)size - 1, data[0]};
    int tpdu_len = lengths[data[0] % 3];
    struct pdu_any any;
    struct pdu_submit submit;
    struct err e = {.code = 0};
    int rc = pdu_decode(data + 1, size - 1, tpdu_len, &any, &e);
    require((rc < 0) == (e.text[0] != '\0'), "an error says what was expected");
    if (rc == 0 && any.kind == PDU_KIND_DELIVER)
        check_deliver(&any.u.deliver);
    if (rc == 0 && any.kind == PDU_KIND_REPORT)
        check_report(&any.u.report);
    if (pdu_decode_submit(data + 1, size - 1, tpdu_len, &submit, NULL) == 0)
        check_submit(&submit);
    return 0;
}
