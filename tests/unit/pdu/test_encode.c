/* Structs to octets: known PDUs, every flag both ways, the largest TPDU, and what no TPDU can carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "pdu/segment.h"

static const struct segment_conf PLAIN = {.cls = -1};

static void set_text(struct pdu_ud *ud, struct pdu_dcs *dcs, const char *text)
{
    struct segment_plan plan;
    assert_int_equal(segment_text(text, strlen(text), &PLAIN, 1, &plan, ud, 1, NULL), 0);
    dcs->raw = plan.dcs;
}

static void assert_hex(const uint8_t *octets, int n, const char *expected)
{
    char hex[2 * PDU_FULL_BYTES + 1];
    assert_true(n > 0);
    hex_encode(octets, (size_t)n, hex);
    assert_string_equal(hex, expected);
}

/* A SUBMIT as textbooks show it: no SMSC, a relative validity, a report asked for. */
static void textbook_submit(void **state)
{
    (void)state;
    struct pdu_submit s = {.status_report = true, .vp = {.form = PDU_VP_RELATIVE, .raw = {11}}};
    uint8_t out[PDU_FULL_BYTES];
    int tpdu_len;
    pdu_addr_from_text("+46708251358", &s.to, NULL);
    set_text(&s.ud, &s.dcs, "{");
    int n = pdu_encode_submit(&s, out, &tpdu_len, NULL);
    assert_hex(out, n, "0031000B916407281553F800000B021B14");
    assert_int_equal(tpdu_len, n - 1);
}

/* A DELIVER with an SMSC address: the length for the modem does not count it. */
static void textbook_deliver(void **state)
{
    (void)state;
    struct pdu_deliver d = {.pid = 0};
    uint8_t out[PDU_FULL_BYTES];
    int tpdu_len;
    pdu_addr_from_text("+12345678901", &d.smsc, NULL);
    pdu_addr_from_text("+18005551212", &d.from, NULL);
    pdu_time_from_wall_ms(1293885296000, 0, &d.scts);
    set_text(&d.ud, &d.dcs, "hellohello");
    int n = pdu_encode_deliver(&d, out, &tpdu_len, NULL);
    assert_hex(out, n, "07912143658709F1040B918100551512F20000111010214365000AE8329BFD4697D9EC37");
    assert_int_equal(tpdu_len, n - 8);
}

/* Each flag of a SUBMIT alone reaches its own bit and comes back. */
static void submit_flags(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 8; flags++)
        for (int form = PDU_VP_NONE; form <= PDU_VP_ABSOLUTE; form++) {
            struct pdu_submit s = {.reject_duplicates = flags & 1,
                                   .status_report = flags & 2,
                                   .reply_path = flags & 4,
                                   .mr = 0x55,
                                   .vp = {.form = (enum pdu_vp_form)form, .raw = {1, 0x47}}};
            struct pdu_submit back;
            uint8_t out[PDU_FULL_BYTES];
            int tpdu_len;
            pdu_time_from_wall_ms(1767261600000, -14, &s.vp.absolute);
            pdu_addr_from_text("12345", &s.to, NULL);
            set_text(&s.ud, &s.dcs, "x");
            int n = pdu_encode_submit(&s, out, &tpdu_len, NULL);
            assert_int_equal(pdu_decode_submit(out, (size_t)n, tpdu_len, &back, NULL), 0);
            assert_int_equal(back.reject_duplicates, s.reject_duplicates);
            assert_int_equal(back.status_report, s.status_report);
            assert_int_equal(back.reply_path, s.reply_path);
            assert_int_equal(back.mr, 0x55);
            assert_int_equal(back.vp.form, form);
            if (form == PDU_VP_ABSOLUTE)
                assert_int_equal(pdu_time_to_wall_ms(&back.vp.absolute), 1767261600000);
            assert_string_equal(back.to.text, "12345");
        }
}

/* A report with and without its optional fields comes back the same. */
static void report_options(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 8; flags++) {
        struct pdu_report r = {
            .mr = 7, .st = 0x46, .has_pid = flags & 1, .has_dcs = flags & 2, .has_ud = flags & 4};
        struct pdu_any back;
        uint8_t out[PDU_FULL_BYTES];
        int tpdu_len;
        char text[PDU_TEXT_BYTES];
        pdu_addr_from_text("+491701234567", &r.to, NULL);
        pdu_time_from_wall_ms(1767261600000, 4, &r.scts);
        set_text(&r.ud, &r.dcs, "done");
        r.pid = 0x41;
        int n = pdu_encode_report(&r, out, &tpdu_len, NULL);
        assert_int_equal(pdu_decode(out, (size_t)n, tpdu_len, &back, NULL), 0);
        const struct pdu_report *b = &back.u.report;
        assert_int_equal(back.kind, PDU_KIND_REPORT);
        assert_int_equal(b->has_pi, flags != 0);
        assert_int_equal(b->has_pid, r.has_pid);
        assert_int_equal(b->has_dcs, r.has_dcs);
        assert_int_equal(b->has_ud, r.has_ud);
        assert_int_equal(b->st, 0x46);
        assert_false(b->discharge.valid);
        pdu_ud_text(&b->ud, &b->dcs, text);
        assert_string_equal(text, r.has_ud ? "done" : "");
    }
}

/* The largest SUBMIT, 164 octets behind the largest SMSC address, fits and comes back. */
static void largest_submit(void **state)
{
    (void)state;
    struct pdu_submit s = {.vp = {.form = PDU_VP_ABSOLUTE}}, back;
    uint8_t out[PDU_FULL_BYTES], data[PDU_UD_BYTES];
    int tpdu_len;
    pdu_addr_from_text("+12345678901234567890", &s.smsc, NULL);
    pdu_addr_from_text("+12345678901234567890", &s.to, NULL);
    memset(data, 0xA5, sizeof(data));
    assert_int_equal(pdu_ud_set_octets(&s.ud, NULL, 0, data, sizeof(data)), 0);
    s.dcs.raw = 0x04;
    int n = pdu_encode_submit(&s, out, &tpdu_len, NULL);
    assert_int_equal(n, 12 + 164);
    assert_int_equal(tpdu_len, 164);
    assert_int_equal(pdu_decode_submit(out, (size_t)n, tpdu_len, &back, NULL), 0);
    assert_memory_equal(back.ud.octets, data, sizeof(data));
    assert_string_equal(back.smsc.text, s.smsc.text);
}

/* User data whose length does not fit its octets, and addresses of no kind, are refused with their reason. */
static void impossible_structs(void **state)
{
    (void)state;
    static const uint8_t LIE[] = {5, 0};
    struct pdu_submit s = {.pid = 0};
    uint8_t out[PDU_FULL_BYTES], data[141] = {0};
    int tpdu_len;
    struct err e;
    pdu_addr_from_text("12345", &s.to, NULL);
    set_text(&s.ud, &s.dcs, "hello");
    s.ud.udl = 9;
    assert_int_equal(pdu_encode_submit(&s, out, &tpdu_len, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "user data"));
    s.ud.udl = 200;
    assert_int_equal(pdu_encode_submit(&s, out, &tpdu_len, &e), ERR_TOO_LONG);
    set_text(&s.ud, &s.dcs, "hello");
    strcpy(s.to.text, "12?45");
    assert_int_equal(pdu_encode_submit(&s, out, &tpdu_len, &e), ERR_INVALID);
    strcpy(s.to.text, "123456789012345678901");
    assert_int_equal(pdu_encode_submit(&s, out, &tpdu_len, &e), ERR_TOO_LONG);
    assert_int_equal(pdu_ud_set_octets(&s.ud, NULL, 0, data, sizeof(data)), ERR_TOO_LONG);
    assert_int_equal(pdu_ud_set_octets(&s.ud, LIE, sizeof(LIE), data, 1), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(textbook_submit), cmocka_unit_test(textbook_deliver),
        cmocka_unit_test(submit_flags),    cmocka_unit_test(report_options),
        cmocka_unit_test(largest_submit),  cmocka_unit_test(impossible_structs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
