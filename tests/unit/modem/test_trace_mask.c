/* modem/trace_mask: nothing private is left, and everything else is what it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/util.h"
#include "modem/trace_mask.h"
#include "pdu/pdu.h"

static void mask(struct trace_mask *t, enum trace_kind kind, const char *text, const char *expected)
{
    char bytes[2048];

    snprintf(bytes, sizeof(bytes), "%s", text);
    trace_mask_bytes(t, kind, bytes, strlen(bytes));
    assert_string_equal(bytes, expected);
}

/* A dialogue as it is, and as it is shown to others: numbers keep length and first two digits. */
static void dialogue(void **state)
{
    static const struct {
        enum trace_kind kind;
        const char *text, *expected;
    } lines[] = {
        {TRACE_TO, "AT\r", "AT\r"},
        {TRACE_FROM, "AT\r\r\nOK\r\n", "AT\r\r\nOK\r\n"},
        {TRACE_FROM, "\r\n862636050012345\r\n\r\nOK\r\n", "\r\n860000000000001\r\n\r\nOK\r\n"},
        {TRACE_FROM, "\r\n+CGSN: \"862636050012345\"\r\n", "\r\n+CGSN: \"860000000000001\"\r\n"},
        {TRACE_FROM, "\r\n262019876543210\r\n", "\r\n260000000000002\r\n"},
        {TRACE_FROM, "\r\n+CCID: 8949020000012345678F\r\n", "\r\n+CCID: 8900000000000000003F\r\n"},
        {TRACE_FROM, "\r\n11.126.16.04.00\r\n", "\r\n11.126.16.04.00\r\n"},
        {TRACE_FROM, "\r\nRevision:1418B05SIM800L24\r\n", "\r\nRevision:1418B05SIM800L24\r\n"},
        {TRACE_FROM, "\r\nIMEI862636050012345x\r\n", "\r\nIMEI860000000000001x\r\n"},
        {TRACE_FROM, "+CSCA: \"+491710760000\",145\r\n", "+CSCA: \"+490000000004\",145\r\n"},
        {TRACE_TO, "AT+CSCA=\"+491710760000\"\r", "AT+CSCA=\"+490000000004\"\r"},
        {TRACE_FROM, "+CSCA: \"002B003400390031003700310030003700360030003000300030\",145\r\n",
         "+CSCA: \"002B003400390030003000300030003000300030003000300034\",145\r\n"},
        {TRACE_FROM, "+CREG: 2,1,\"1A2B\",\"01CEAD8F\",7\r\n", "+CREG: 2,1,\"1A2B\",\"01CEAD8F\",7\r\n"},
        {TRACE_FROM, "+COPS: 0,0,\"Telekom.de\",7\r\n", "+COPS: 0,0,\"Telekom.de\",7\r\n"},
        {TRACE_FROM, "+CLIP: \"01701234567\",129,,,\"Anna M\"\r\n",
         "+CLIP: \"01000000005\",129,,,\"xxxx x\"\r\n"},
        {TRACE_FROM, "+CLIP: \"11833\",129\r\n", "+CLIP: \"11006\",129\r\n"},
        {TRACE_FROM, "+CCLK: \"26/11/22,10:00:00+04\"\r\n", "+CCLK: \"26/11/22,10:00:00+04\"\r\n"},
        {TRACE_FROM, "\r\n+CUSD: 0,\"Guthaben 5,20 EUR\",15\r\n",
         "\r\n+CUSD: 0,\"xxxxxxxx x,xx xxx\",15\r\n"},
        {TRACE_FROM, "\r\n+CUSD: 1,\"1 Ja\r\n", "\r\n+CUSD: 1,\"x xx\r\n"},
        {TRACE_FROM, "2 Nein\",15\r\nOK\r\n", "x xxxx\",15\r\nOK\r\n"},
        {TRACE_FROM, "+CUSD: 0,\"00480061006C006C006F\",72\r\n", "+CUSD: 0,\"00780078007800780078\",72\r\n"},
        {TRACE_TO, "AT+CUSD=1,\"*100#\",15\r", "AT+CUSD=1,\"*100#\",15\r"},
        {TRACE_TO, "AT+CUSD=1,\"AA180C3602\",15\r", "AT+CUSD=1,\"AA180C3602\",15\r"},
        {TRACE_TO, "AT+CUSD=1,\"*104*12345678901234#\",15\r", "AT+CUSD=1,\"*104*12000000000007#\",15\r"},
        {TRACE_NOTE, "absent: no serial port has the modem with IMEI 862636050012345",
         "absent: no serial port has the modem with IMEI 860000000000001"},
        {TRACE_TO, "Hello 4711\x1A", "xxxxx xxxx\x1A"},
    };
    static struct trace_mask t;

    (void)state;
    trace_mask_init(&t, true);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        mask(&t, lines[i].kind, lines[i].text, lines[i].expected);
}

/* Text mode, which some modems fall back to: header and text are masked up to the final result. */
static void text_mode(void **state)
{
    static struct trace_mask t;

    (void)state;
    trace_mask_init(&t, true);
    mask(&t, TRACE_FROM,
         "+CMGL: 1,\"REC UNREAD\",\"+491701234567\",\"Anna\",\"26/11/22,10:00:00+04\"\r\nCall me\r\nat "
         "8\r\n+CMGL: 2,\"STO SENT\",\"+491701234567\",,\r\nYes, 5!\r\n\r\nOK\r\n+CMT: "
         "\"+491701234567\",,\"26/11/22,10:00:00+04\"\r\nOK for me\r\nRING\r\n",
         "+CMGL: 1,\"REC UNREAD\",\"+490000000001\",\"xxxx\",\"26/11/22,10:00:00+04\"\r\nxxxx xx\r\nxx "
         "x\r\n+CMGL: 2,\"STO SENT\",\"+490000000001\",,\r\nxxx, x!\r\n\r\nOK\r\n+CMT: "
         "\"+490000000001\",,\"26/11/22,10:00:00+04\"\r\nxx xxx xx\r\nRING\r\n");
}

/* A PIN is never seen, in its echo neither, even where nothing else is masked. */
static void pins(void **state)
{
    static struct trace_mask t;

    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        trace_mask_init(&t, whole);
        mask(&t, TRACE_TO, "AT+CPIN=\"1234\"\r", "AT+CPIN=\"****\"\r");
        mask(&t, TRACE_TO, "at+cpin=12345678\r", "at+cpin=********\r");
        mask(&t, TRACE_FROM, "AT+CPIN=\"1234\"\r\r\nOK\r\n", "AT+CPIN=\"****\"\r\r\nOK\r\n");
        mask(&t, TRACE_TO, "AT+CPWD=\"SC\",\"1234\",\"9876\"\r", "AT+CPWD=\"SC\",\"****\",\"****\"\r");
        mask(&t, TRACE_FROM, "+CPIN: SIM PIN\r\n^CPIN: SIM PIN,3,10,3,10,3\r\n",
             "+CPIN: SIM PIN\r\n^CPIN: SIM PIN,3,10,3,10,3\r\n");
    }
    trace_mask_init(&t, false);
    mask(&t, TRACE_FROM, "+CLIP: \"+491701234567\"\r\n", "+CLIP: \"+491701234567\"\r\n");
    mask(&t, TRACE_TO, "Hello\x1A", "Hello\x1A");
}

/* More numbers than are kept are all masked still, and what was forgotten gets a new mask. */
static void many_numbers(void **state)
{
    static struct trace_mask t;
    char text[64];

    (void)state;
    trace_mask_init(&t, true);
    for (int i = 0; i < 3 * MASK_NUMBERS; i++) {
        snprintf(text, sizeof(text), "49170%07d", i);
        trace_mask_number(&t, text, strlen(text));
        assert_int_equal(atoi(text + 2), i + 1);
    }
}

/* ---- PDUs ---- */

static unsigned between(unsigned from, unsigned to)
{
    return from + (unsigned)rand() % (to - from + 1);
}

static void random_digits(char *out, const char *first, unsigned n)
{
    strcpy(out, first);
    out += strlen(out);
    for (unsigned i = 0; i < n; i++)
        *out++ = (char)('0' + rand() % 10);
    *out = '\0';
}

static void random_address(struct pdu_addr *a)
{
    char text[32];

    switch (rand() % 3) {
    case 0:
        random_digits(text, "+49", between(5, 15));
        break;
    case 1:
        random_digits(text, "", between(3, 14));
        break;
    default:
        snprintf(text, sizeof(text), "Shop%.*s", (int)between(0, 7), "ABCDEFG");
        break;
    }
    assert_int_equal(pdu_addr_from_text(text, a, NULL), 0);
}

static void random_data(struct pdu_ud *ud, struct pdu_dcs *dcs)
{
    static const uint8_t codings[] = {0x00, 0x04, 0x08, 0xF1, 0x11, 0xC8};
    static const uint8_t headers[][8] = {{5, 0, 3, 7, 2, 1}, {6, 8, 4, 1, 2, 2, 1}, {3, 0x24, 1, 1}};
    const uint8_t *header = rand() % 2 ? headers[rand() % 3] : NULL;
    size_t header_len = header ? header[0] + 1u : 0;

    pdu_dcs_decode(codings[rand() % 6], dcs);
    *ud = (struct pdu_ud){.udhi = header != NULL};
    if (header)
        memcpy(ud->octets, header, header_len);
    for (size_t i = header_len; i < PDU_UD_BYTES; i++)
        ud->octets[i] = (uint8_t)rand();
    unsigned octets = between((unsigned)header_len, PDU_UD_BYTES);
    bool septets = dcs->alphabet == PDU_GSM7 && !dcs->compressed;
    ud->udl = (uint8_t)(septets ? octets * 8 / 7 : octets);
    ud->octets_len = (uint8_t)octets;
}

/* Encodes a random PDU; its kind and whether it goes out. */
static size_t random_pdu(uint8_t pdu[PDU_FULL_BYTES], bool *submit, int *tpdu_len)
{
    struct pdu_submit s = {.mr = (uint8_t)rand(), .status_report = rand() % 2};
    struct pdu_deliver d = {.pid = (uint8_t)rand(), .more = rand() % 2};
    struct pdu_report r = {.mr = (uint8_t)rand(), .st = (uint8_t)rand()};
    struct err e = {0};
    int n;

    *submit = rand() % 2;
    if (*submit) {
        s.vp.form = (enum pdu_vp_form)(rand() % 4);
        random_address(&s.to);
        random_data(&s.ud, &s.dcs);
        n = pdu_encode_submit(&s, pdu, tpdu_len, &e);
    } else if (rand() % 3) {
        pdu_time_from_wall_ms(INT64_C(1795341600000), 4, &d.scts);
        assert_int_equal(pdu_addr_from_text("+491710760000", &d.smsc, NULL), 0);
        random_address(&d.from);
        random_data(&d.ud, &d.dcs);
        n = pdu_encode_deliver(&d, pdu, tpdu_len, &e);
    } else {
        pdu_time_from_wall_ms(INT64_C(1795341600000), 4, &r.scts);
        r.discharge = r.scts;
        random_address(&r.to);
        r.has_pi = r.has_ud = rand() % 2;
        r.has_dcs = r.has_ud;
        random_data(&r.ud, &r.dcs);
        n = pdu_encode_report(&r, pdu, tpdu_len, &e);
    }
    assert_string_equal(e.text, "");
    return (size_t)n;
}

static void same_address(const struct pdu_addr *a, const struct pdu_addr *b)
{
    assert_int_equal(a->toa, b->toa);
    assert_int_equal(a->len, b->len);
    assert_int_equal(strlen(a->text), strlen(b->text));
    size_t kept = 2u + (*a->text == '+');
    assert_memory_equal(a->text, b->text, strlen(a->text) < kept ? strlen(a->text) : kept);
}

static void only_x(const struct pdu_ud *ud, const struct pdu_dcs *dcs)
{
    uint8_t payload[160];
    int n = pdu_ud_payload(ud, dcs, payload);

    for (int i = 0; i < n; i++)
        assert_int_equal(payload[i], dcs->alphabet == PDU_UCS2 && i % 2 == 0 && !dcs->compressed ? 0 : 'x');
}

static void same_data(const struct pdu_ud *a, const struct pdu_ud *b, const struct pdu_dcs *dcs)
{
    assert_int_equal(a->udl, b->udl);
    assert_int_equal(a->udhi, b->udhi);
    assert_int_equal(a->octets_len, b->octets_len);
    assert_int_equal(a->header_len, b->header_len);
    assert_memory_equal(a->octets, b->octets, a->header_len);
    assert_int_equal(a->ies_len, b->ies_len);
    only_x(b, dcs);
}

/* A masked PDU decodes to the same structure: kind, flags, times, reference, header, lengths; only digits of
 * numbers and the text differ, and the text is all 'x'. */
static void pdus_stay_pdus(void **state)
{
    const char *given = getenv("SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    static struct trace_mask t;

    (void)state;
    print_message("SEED=%u\n", seed);
    srand(seed);
    trace_mask_init(&t, true);
    for (int round = 0; round < 5000; round++) {
        uint8_t was[PDU_FULL_BYTES], is[PDU_FULL_BYTES];
        bool submit;
        int tpdu_len;
        size_t n = random_pdu(was, &submit, &tpdu_len);

        memcpy(is, was, n);
        trace_mask_pdu(&t, submit, tpdu_len, is, n);
        if (submit) {
            struct pdu_submit a, b;
            assert_int_equal(pdu_decode_submit(was, n, tpdu_len, &a, NULL), 0);
            assert_int_equal(pdu_decode_submit(is, n, tpdu_len, &b, NULL), 0);
            same_address(&a.to, &b.to);
            same_data(&a.ud, &b.ud, &b.dcs);
            assert_int_equal(a.mr, b.mr);
            assert_memory_equal(&a.dcs, &b.dcs, sizeof(a.dcs));
            assert_int_equal(a.vp.form, b.vp.form);
            continue;
        }
        struct pdu_any a, b;
        assert_int_equal(pdu_decode(was, n, tpdu_len, &a, NULL), 0);
        assert_int_equal(pdu_decode(is, n, tpdu_len, &b, NULL), 0);
        assert_int_equal(a.kind, b.kind);
        if (a.kind == PDU_KIND_DELIVER) {
            same_address(&a.u.deliver.smsc, &b.u.deliver.smsc);
            same_address(&a.u.deliver.from, &b.u.deliver.from);
            same_data(&a.u.deliver.ud, &b.u.deliver.ud, &b.u.deliver.dcs);
            assert_memory_equal(&a.u.deliver.scts, &b.u.deliver.scts, sizeof(a.u.deliver.scts));
        } else {
            same_address(&a.u.report.to, &b.u.report.to);
            assert_int_equal(a.u.report.mr, b.u.report.mr);
            assert_int_equal(a.u.report.st, b.u.report.st);
            assert_memory_equal(&a.u.report.scts, &b.u.report.scts, sizeof(a.u.report.scts));
        }
    }
}

/* A number has the same mask in a PDU and in a line, with and without the service centre in front; what is no
 * PDU at all leaves no octet. */
static void one_mask(void **state)
{
    static struct trace_mask t;

    (void)state;
    trace_mask_init(&t, true);
    mask(&t, TRACE_FROM, "+CLIP: \"+491701234567\",145\r\n", "+CLIP: \"+490000000001\",145\r\n");
    /* DELIVER from +491701234567, "hi", without and with an SMSC address */
    mask(&t, TRACE_FROM, "+CMT: ,21\r\n040C9194711032547600006211220100004002E834\r\n",
         "+CMT: ,21\r\n040C9194000000001000006211220100004002783C\r\n");
    mask(&t, TRACE_FROM,
         "+CMGR: 0,,21\r\n07919471017600F0040C9194711032547600006211220100004002E834\r\nOK\r\n",
         "+CMGR: 0,,21\r\n07919400000000F2040C9194000000001000006211220100004002783C\r\nOK\r\n");
    mask(&t, TRACE_TO, "0011000C9194711032547600000002E834\x1A", "0011000C9194000000001000000002783C\x1A");
    mask(&t, TRACE_FROM, "+CMT: ,21\r\nFFFF0132547600006211220100004002E8341122334455\r\n",
         "+CMT: ,21\r\nFF00000000000000000000000000000000000000000000\r\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogue),     cmocka_unit_test(text_mode),      cmocka_unit_test(pins),
        cmocka_unit_test(many_numbers), cmocka_unit_test(pdus_stay_pdus), cmocka_unit_test(one_mask),
    };

    return cmocka_run_group_tests_name("modem/trace_mask", tests, NULL, NULL);
}
