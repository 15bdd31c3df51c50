/* Any text under any settings: the joined segments give it back unchanged, and none is over its capacity.
 * Input: four octets of settings, then the text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "pdu/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_TEXT = 48 * 1024 };

static struct pdu_ud uds[PDU_MAX_SEGMENTS];
static const struct pdu_ud *ud_list[PDU_MAX_SEGMENTS];
static const struct pdu_dcs *dcs_list[PDU_MAX_SEGMENTS];

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_segments(const struct segment_plan *plan, struct pdu_dcs *dcs)
{
    pdu_dcs_decode(plan->dcs, dcs);
    require(dcs->alphabet == plan->alphabet, "TP-DCS is that of the plan");
    for (unsigned i = 0; i < plan->count; i++) {
        require(uds[i].octets_len <= PDU_UD_BYTES, "a segment fits");
        require(plan->alphabet != PDU_GSM7 || uds[i].udl <= 160, "septets fit");
        require(uds[i].concat.present == (plan->count > 1), "only parts are numbered");
        ud_list[i] = &uds[i];
        dcs_list[i] = dcs;
    }
}

static void check_text(const char *text, size_t len, const struct segment_conf *conf, uint16_t ref)
{
    static char back[MAX_TEXT];
    struct segment_plan plan, measured;
    struct pdu_dcs dcs;
    struct err e = {.code = 0};
    int rc = segment_text(text, len, conf, ref, &plan, uds, PDU_MAX_SEGMENTS, &e);
    require(rc == segment_measure(text, len, conf, &measured, NULL), "measuring agrees");
    if (rc < 0) {
        require(e.text[0] != '\0', "an error says what was expected");
        return;
    }
    require(plan.count == measured.count && plan.units == measured.units, "the measure is true");
    check_segments(&plan, &dcs);
    int n = pdu_join_text(ud_list, dcs_list, plan.count, back, sizeof(back));
    require(utf8_valid(back, (size_t)n), "the text is UTF-8");
    size_t mark = 0;
    if (len > 0 && plan.alphabet == PDU_UCS2 && utf8_next(text, len, &mark) != 0xFEFF)
        mark = 0; /* only a byte order mark in front is dropped */
    if (plan.alphabet != PDU_UCS2)
        mark = 0;
    require(plan.transliterated || (len - mark == (size_t)n && memcmp(text + mark, back, (size_t)n) == 0),
            "the text survives");
}

static void check_octets(const uint8_t *data, size_t len, const struct segment_conf *conf, uint16_t ref)
{
    struct segment_plan plan;
    struct pdu_dcs dcs;
    if (segment_octets(data, len, NULL, 0, conf, ref, &plan, uds, PDU_MAX_SEGMENTS, NULL) < 0)
        return;
    check_segments(&plan, &dcs);
    size_t at = 0;
    for (unsigned i = 0; i < plan.count; i++) {
        uint8_t payload[160];
        size_t n = (size_t)pdu_ud_payload(&uds[i], &dcs, payload);
        require(at + n <= len && memcmp(data + at, payload, n) == 0, "data survives");
        at += n;
    }
    require(at == len, "all data is there");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > MAX_TEXT / 2)
        return 0;
    struct segment_conf conf = {.transliterate = data[0] & 1,
                                .wide_ref = data[0] & 2,
                                .force_ucs2 = data[0] & 4,
                                .cls = (int8_t)(data[0] & 8 ? data[0] >> 6 : -1),
                                .max_segments = data[1],
                                .locking = data[2] & 15,
                                .single = data[2] >> 4};
    check_text((const char *)data + 4, size - 4, &conf, data[3]);
    check_octets(data + 4, size - 4, &conf, data[3]);
    return 0;
}
