/* What networks, handsets and modems get wrong, and what the codec makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "pdu/pdu.h"

#define OA   "0C91447723844223"
#define SCTS "10800191824040"

static int decode_hex(const char *hex, int tpdu_len, struct pdu_any *out)
{
    uint8_t octets[512];
    struct err e = {.code = 0};
    int n = hex_decode(hex, strlen(hex), octets, sizeof(octets));
    assert_true(n >= 0);
    int rc = pdu_decode(octets, (size_t)n, tpdu_len, out, &e);
    if (rc < 0)
        assert_true(strstr(e.text, "octet") && strstr(e.text, "expected"));
    return rc;
}

/* A DELIVER without SMSC address digits, made of its variable parts. */
static struct pdu_deliver deliver(const char *fo, const char *oa, const char *dcs, const char *rest)
{
    char hex[1024];
    struct pdu_any any;
    snprintf(hex, sizeof(hex), "00%s%s00%s" SCTS "%s", fo, oa, dcs, rest);
    assert_int_equal(decode_hex(hex, -1, &any), 0);
    assert_int_equal(any.kind, PDU_KIND_DELIVER);
    return any.u.deliver;
}

static void assert_text(const struct pdu_deliver *d, const char *expected)
{
    char text[PDU_TEXT_BYTES];
    int n = pdu_ud_text(&d->ud, &d->dcs, text);
    assert_string_equal(text, expected);
    assert_int_equal(n, strlen(expected));
}

/* Octet 0 of the SMSC address counts octets with the type; 0 leaves it to the SIM. */
static void smsc_length_counts_octets(void **state)
{
    (void)state;
    struct pdu_any a;
    assert_int_equal(decode_hex("07912143658709F1040B918100551512F2000011101021436500"
                                "0AE8329BFD4697D9EC37",
                                28, &a),
                     0);
    assert_string_equal(a.u.deliver.smsc.text, "+12345678901");
    assert_int_equal(a.u.deliver.smsc.len, 7);
    struct pdu_deliver d = deliver("04", OA, "00", "0141");
    assert_string_equal(d.smsc.text, "");
}

/* A modem that leaves the SMSC address out is understood by the length it gives, or by the look of it. */
static void missing_smsc_is_noticed(void **state)
{
    (void)state;
    struct pdu_any a;
    const char *sr = "06040D91945152991136F00160124130340A0160124130940A00";
    assert_int_equal(decode_hex(sr, 26, &a), 0);
    assert_int_equal(a.kind, PDU_KIND_REPORT);
    assert_string_equal(a.u.report.to.text, "+4915259911630");
    assert_int_equal(decode_hex(sr, -1, &a), 0);
    assert_string_equal(a.u.report.to.text, "+4915259911630");
    assert_int_equal(decode_hex(sr, 99, &a), 0); /* a wrong length counts as none */
    assert_int_equal(a.u.report.mr, 4);
}

/* Alphanumeric lengths of 5, 9, 10, 13, 14 and 20 semi-octets give 2, 5, 5, 7, 7 and 11 characters. */
static void alphanumeric_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *oa, *text;
    } CASES[] = {
        {"05D0C16000", "AA"}, /* spare bits are ignored */
        {"09D0C8329BFD06", "Hello"},
        {"0AD0C8329BFD06", "Hello"},
        {"0DD0B1582C168BC500", "1111111"},
        {"0ED0B1582C168BC500", "1111111"},
        {"14D0C2F77B5E5EBFDFA7D61C", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct pdu_deliver d = deliver("04", CASES[i].oa, "00", "0141");
        assert_int_equal(pdu_addr_ton(&d.from), 5);
        if (CASES[i].text)
            assert_string_equal(d.from.text, CASES[i].text);
        else
            assert_int_equal(strlen(d.from.text), 11);
        assert_text(&d, "A");
    }
}

/* Names of every length from 1 to 11 come back, with an extension character too. */
static void alphanumeric_names_survive(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "A",        "AB",        "ABC",        "ABCD",        "ABCDE", "ABCDEF",      "ABCDEFG",
        "ABCDEFGH", "ABCDEFGHI", "ABCDEFGHIJ", "ABCDEFGHIJK", "A_b",   "Caf\xC3\xA9", "Euro\xE2\x82\xAC",
        "abc",      "7-Eleven",  "1234567@x"};
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        struct pdu_deliver d = {.more = false};
        uint8_t octets[PDU_FULL_BYTES];
        int tpdu_len;
        assert_int_equal(pdu_addr_from_text(NAMES[i], &d.from, NULL), 0);
        assert_int_equal(d.from.toa, 0xD0);
        int n = pdu_encode_deliver(&d, octets, &tpdu_len, NULL);
        assert_int_equal(n, tpdu_len + 1);
        struct pdu_any a;
        assert_int_equal(pdu_decode(octets, (size_t)n, tpdu_len, &a, NULL), 0);
        assert_string_equal(a.u.deliver.from.text, NAMES[i]);
        assert_int_equal(a.u.deliver.from.len, d.from.len);
    }
}

/* The digits A to E of the semi-octets are '*', '#', 'a', 'b', 'c'; F ends a number early. */
static void bcd_letters(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", "0781A1CBEDF2", "00", "0141");
    assert_string_equal(d.from.text, "1*#abc2");
    d = deliver("04", "0381F1F2", "00", "0141"); /* digits, F first: no digit counts behind it */
    assert_string_equal(d.from.text, "1");
}

/* Odd digit counts use the filler, types 81, A1, C8 and 00 have no "+", an empty address is "". */
static void number_types(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", "039121F4", "00", "0141");
    assert_string_equal(d.from.text, "+124");
    d = deliver("04", "03A121F4", "00", "0141");
    assert_string_equal(d.from.text, "124");
    d = deliver("04", "0100FB", "00", "0141");
    assert_string_equal(d.from.text, "#");
    d = deliver("04", "0091", "00", "0141");
    assert_string_equal(d.from.text, "");
    d = deliver("04", "0481FFFF", "00", "0141");
    assert_string_equal(d.from.text, "");
}

/* An address longer than the standard's 20 semi-octets is refused and named. */
static void long_addresses_are_refused(void **state)
{
    (void)state;
    struct pdu_any a;
    assert_int_equal(decode_hex("0004159144772384422344772384F1000010800191824040"
                                "0141",
                                -1, &a),
                     ERR_INVALID);
}

/* TP-MMS, TP-LP, TP-SRI and TP-RP sit in bits 2, 3, 5 and 7; TP-MMS is 0 when more messages wait. */
static void first_octet_of_deliver(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", OA, "00", "0141");
    assert_false(d.more || d.loop || d.sri || d.reply_path);
    d = deliver("A8", OA, "00", "0141");
    assert_true(d.more && d.loop && d.sri && d.reply_path);
    d = deliver("07", OA, "00", "0141"); /* MTI 11 reads as DELIVER */
    assert_text(&d, "A");
}

/* A stored own message, as listings show it, is a SUBMIT. */
static void stored_submit_is_read(void **state)
{
    (void)state;
    struct pdu_any a;
    assert_int_equal(decode_hex("0031000B916407281553F800000B021B14", 16, &a), 0);
    assert_int_equal(a.kind, PDU_KIND_SUBMIT);
    assert_string_equal(a.u.submit.to.text, "+46708251358");
    assert_true(a.u.submit.status_report);
    assert_int_equal(a.u.submit.vp.relative_ms, 3600000);
}

/* Elements in any order, unknown ones kept, and of repeated ones the last valid counts. */
static void header_elements(void **state)
{
    (void)state;
    /* 10 octets: unknown 80 (1), concat 8-bit, concat 16-bit with seq 3 of 2 */
    struct pdu_deliver d = deliver("44", OA, "04",
                                   "11"
                                   "0E"
                                   "800107"
                                   "0003050201"
                                   "080400090203"
                                   "4142");
    assert_int_equal(d.ud.ies_len, 3);
    assert_int_equal(d.ud.ies[0].id, 0x80);
    assert_int_equal(d.ud.octets[d.ud.ies[0].at], 7);
    assert_int_equal(d.ud.concat.ref, 5);
    assert_int_equal(d.ud.concat.bits, 8);
    d = deliver("44", OA, "04",
                "0D"
                "0C"
                "080401020302"
                "050403040506");
    assert_true(d.ud.concat.present && d.ud.ports.present);
    assert_int_equal(d.ud.concat.ref, 0x0102);
    assert_int_equal(d.ud.ports.dst, 0x0304);
    assert_int_equal(d.ud.ports.src, 0x0506);
    d = deliver("44", OA, "04",
                "05"
                "04"
                "04020709");
    assert_int_equal(d.ud.ports.dst, 7);
    assert_int_equal(d.ud.ports.bits, 8);
}

/* Of two valid elements of one kind the last counts; bits of the width tell 8 from 16. */
static void repeated_elements(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("44", OA, "04",
                                   "0B"
                                   "0A"
                                   "0003010201"
                                   "0003020302");
    assert_int_equal(d.ud.ies_len, 2);
    assert_int_equal(d.ud.concat.ref, 2);
    assert_int_equal(d.ud.concat.total, 3);
    assert_int_equal(d.ud.concat.seq, 2);
}

/* A header made of nothing but empty elements is read to its end; the first 24 are kept. */
static void more_elements_than_kept(void **state)
{
    (void)state;
    char rest[300] = "473C"; /* 71 octets: length, 30 elements of 2 octets, then the text */
    for (int i = 0; i < 29; i++)
        strcat(rest, "8000");
    strcat(rest, "8000");
    for (int i = 0; i < 10; i++)
        strcat(rest, "41");
    struct pdu_deliver d = deliver("44", OA, "04", rest);
    uint8_t payload[160];
    assert_int_equal(d.ud.ies_len, PDU_MAX_IES);
    assert_int_equal(pdu_ud_payload(&d.ud, &d.dcs, payload), 10);
}

/* A waiting indication without any text is a legal message; every TP-PID is kept as it is. */
static void indications_and_protocols(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", OA, "C8", "00");
    assert_int_equal(d.dcs.mwi, PDU_MWI_VOICEMAIL);
    assert_true(d.dcs.mwi_active);
    assert_false(d.dcs.mwi_store);
    assert_text(&d, "");
    for (unsigned pid = 0; pid < 256; pid++) {
        char hex[128];
        struct pdu_any a;
        snprintf(hex, sizeof(hex), "0004" OA "%02X00" SCTS "0141", pid);
        assert_int_equal(decode_hex(hex, -1, &a), 0);
        assert_int_equal(a.u.deliver.pid, pid);
    }
}

/* Total 0, part 0, a part behind the last and a wrong length make the message stand alone. */
static void broken_concatenation_is_ignored(void **state)
{
    (void)state;
    static const char *const HEADERS[] = {"06050003010001", "06050003010200", "06050003010203",
                                          "050400020102"};
    for (size_t i = 0; i < ARRAY_LEN(HEADERS); i++) {
        struct pdu_deliver d = deliver("44", OA, "04", HEADERS[i]);
        assert_false(d.ud.concat.present);
        assert_int_equal(d.ud.ies_len, 1);
    }
}

/* A header longer than the data, and a header flag with no data at all, give the fields and an empty text. */
static void impossible_headers(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("44", OA, "00", "00");
    assert_true(d.ud.udhi);
    assert_int_equal(d.ud.header_len, 0);
    assert_text(&d, "");
    d = deliver("44", OA, "00",
                "05"
                "FF00030102");
    assert_text(&d, "");
    d = deliver("44", OA, "04",
                "05"
                "0500FF0102"); /* an element that runs over the header's end */
    assert_int_equal(d.ud.ies_len, 0);
}

/* Text behind a header starts at a septet boundary: each header length has its fill bits. */
static void fill_bits(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("44", OA, "00",
                                   "19"
                                   "0C"
                                   "080401020301"
                                   "05040B8423F0"
                                   "82C16030180C068341");
    assert_text(&d, "AAAAAAAAAA");
    d = deliver("44", OA, "00",
                "06"
                "040102000000"); /* a header alone */
    assert_text(&d, "");
}

/* A TP-UDL over what arrived is marked and what arrived is read; octets behind it are ignored. */
static void user_data_length_lies(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", OA, "00", "0BE8329BFD4697D9EC37");
    assert_true(d.ud.shortened);
    assert_text(&d, "hellohello");
    d = deliver("04", OA, "00", "08");
    assert_true(d.ud.shortened);
    assert_text(&d, "");
    d = deliver("04", OA, "00", "02E8329BFD4697D9EC37");
    assert_false(d.ud.shortened);
    assert_text(&d, "he");
    d = deliver("04", OA, "F6", "FF4142");
    assert_true(d.ud.shortened);
    assert_int_equal(d.ud.octets_len, 2);
}

/* TP-UDL decides whether an eighth septet of zero bits is an '@' or padding. */
static void trailing_at_sign(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", OA, "00", "08B1582C168BC500");
    assert_text(&d, "1111111@");
    d = deliver("04", OA, "00", "07B1582C168BC500");
    assert_text(&d, "1111111");
}

/* ESC ESC is a space, ESC and an unknown septet the plain character, a last ESC a space. */
static void escapes(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", OA, "00", "04C1CD4608");
    assert_text(&d, "A B");
    d = deliver("04", OA, "00", "03C18D10");
    assert_text(&d, "AB");
    d = deliver("04", OA, "00", "02C10D");
    assert_text(&d, "A ");
}

/* An unknown language reads by the default table; a known one by its own. */
static void shift_tables(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("44", OA, "00",
                                   "06"
                                   "03250101"
                                   "6000");
    assert_int_equal(d.ud.locking, 1);
    assert_text(&d, "\xC4\x9F");
    d = deliver("44", OA, "00",
                "06"
                "03250163"
                "6000");
    assert_int_equal(d.ud.locking, 0x63);
    assert_text(&d, "\xC3\xB8");
}

/* UCS2: odd last octet dropped, byte order mark stripped, NUL at the end dropped, lone halves replaced. */
static void ucs2_traps(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", OA, "08",
                                   "0500410042"
                                   "00");
    assert_text(&d, "AB");
    d = deliver("04", OA, "08", "04FEFF0041");
    assert_text(&d, "A");
    d = deliver("04", OA, "08",
                "0600410000"
                "0000");
    assert_text(&d, "A");
    d = deliver("04", OA, "08", "04D83D0041");
    assert_text(&d, "\xEF\xBF\xBD"
                    "A");
    d = deliver("04", OA, "08", "04DE0BD83D");
    assert_text(&d, "\xEF\xBF\xBD\xEF\xBF\xBD");
    d = deliver("04", OA, "08", "04D83DDE0B");
    assert_text(&d, "\xF0\x9F\x98\x8B");
    d = deliver("04", OA, "08", "06004100000042");
    assert_text(&d, "A\xEF\xBF\xBD"
                    "B");
}

/* Every DCS octet gives an alphabet, a class in its range and a text that can be asked for. */
static void every_dcs_is_understood(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        struct pdu_dcs dcs;
        pdu_dcs_decode((uint8_t)i, &dcs);
        assert_int_equal(dcs.raw, i);
        assert_in_range(dcs.cls + 1, 0, 4);
        char hex[3];
        snprintf(hex, sizeof(hex), "%02X", i);
        struct pdu_deliver d = deliver("04", OA, hex, "020041");
        char text[PDU_TEXT_BYTES];
        int n = pdu_ud_text(&d.ud, &d.dcs, text);
        if (dcs.compressed || dcs.alphabet == PDU_8BIT)
            assert_int_equal(n, 0);
        else
            assert_true(n > 0);
    }
}

/* The DCS octets that are met in practice. */
static void dcs_groups(void **state)
{
    (void)state;
    static const struct {
        struct pdu_dcs dcs;
    } CASES[] = {
        {{.raw = 0x00, .alphabet = PDU_GSM7, .cls = -1}},
        {{.raw = 0x10, .alphabet = PDU_GSM7, .cls = 0}},
        {{.raw = 0x18, .alphabet = PDU_UCS2, .cls = 0}},
        {{.raw = 0x08, .alphabet = PDU_UCS2, .cls = -1}},
        {{.raw = 0x04, .alphabet = PDU_8BIT, .cls = -1}},
        {{.raw = 0x0C, .alphabet = PDU_GSM7, .cls = -1, .reserved = true}},
        {{.raw = 0x20, .alphabet = PDU_GSM7, .cls = -1, .compressed = true}},
        {{.raw = 0x53, .alphabet = PDU_GSM7, .cls = 3, .auto_delete = true}},
        {{.raw = 0x84, .alphabet = PDU_GSM7, .cls = -1, .reserved = true}},
        {{.raw = 0xC0, .alphabet = PDU_GSM7, .cls = -1, .mwi = PDU_MWI_VOICEMAIL}},
        {{.raw = 0xC8, .alphabet = PDU_GSM7, .cls = -1, .mwi = PDU_MWI_VOICEMAIL, .mwi_active = true}},
        {{.raw = 0xD9,
          .alphabet = PDU_GSM7,
          .cls = -1,
          .mwi = PDU_MWI_FAX,
          .mwi_active = true,
          .mwi_store = true}},
        {{.raw = 0xEA,
          .alphabet = PDU_UCS2,
          .cls = -1,
          .mwi = PDU_MWI_EMAIL,
          .mwi_active = true,
          .mwi_store = true}},
        {{.raw = 0xE3, .alphabet = PDU_UCS2, .cls = -1, .mwi = PDU_MWI_OTHER, .mwi_store = true}},
        {{.raw = 0xF1, .alphabet = PDU_GSM7, .cls = 1}},
        {{.raw = 0xF4, .alphabet = PDU_8BIT, .cls = 0}},
        {{.raw = 0xF5, .alphabet = PDU_8BIT, .cls = 1}},
        {{.raw = 0xF9, .alphabet = PDU_GSM7, .cls = 1, .reserved = true}},
        {{.raw = 0xFF, .alphabet = PDU_8BIT, .cls = 3, .reserved = true}},
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        const struct pdu_dcs *x = &CASES[i].dcs;
        struct pdu_dcs d;
        pdu_dcs_decode(x->raw, &d);
        assert_int_equal(d.alphabet, x->alphabet);
        assert_int_equal(d.cls, x->cls);
        assert_int_equal(d.compressed, x->compressed);
        assert_int_equal(d.auto_delete, x->auto_delete);
        assert_int_equal(d.reserved, x->reserved);
        assert_int_equal(d.mwi, x->mwi);
        assert_int_equal(d.mwi_active, x->mwi_active);
        assert_int_equal(d.mwi_store, x->mwi_store);
    }
}

/* Octets under a reserved coding stay at hand beside the text. */
static void reserved_coding_keeps_octets(void **state)
{
    (void)state;
    struct pdu_deliver d = deliver("04", OA, "F9",
                                   "04"
                                   "04220435");
    assert_true(d.dcs.reserved);
    assert_memory_equal(d.ud.octets, "\x04\x22\x04\x35", 4);
}

static struct pdu_time scts(const char *hex)
{
    char pdu[128];
    struct pdu_any a;
    snprintf(pdu, sizeof(pdu), "0004" OA "0000%s00", hex);
    assert_int_equal(decode_hex(pdu, -1, &a), 0);
    return a.u.deliver.scts;
}

/* Zones east and west, the century's pivot, and times that are none. */
static void service_centre_times(void **state)
{
    (void)state;
    struct pdu_time t = scts("2080629173148A"); /* zone raw 8A: bit 3 is the sign */
    assert_true(t.valid);
    assert_int_equal(t.zone_quarters, -28);
    t = scts("20806291731480");
    assert_int_equal(t.zone_quarters, 8);
    assert_int_equal(t.year, 2002);
    assert_int_equal(pdu_time_to_wall_ms(&t), 1030383461000LL);
    assert_int_equal(scts("99302251619580").year, 1999);
    assert_int_equal(scts("07302251619580").year, 1970);
    assert_int_equal(scts("96302251619580").year, 2069);
    static const char *const BAD[] = {"FFFFFFFFFFFFFF", "00000000000000", "20A06291731480",
                                      "20316291731480", "20809991731480", "20200391731480",
                                      "2080624273148F", "208062917314F0", "20922091731480"};
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        t = scts(BAD[i]);
        char hex[15];
        hex_encode(t.raw, 7, hex);
        if (t.valid)
            print_message("%s reads as a time\n", BAD[i]);
        assert_false(t.valid);
        assert_int_equal(pdu_time_to_wall_ms(&t), -1);
        assert_string_equal(hex, BAD[i]);
    }
}

/* Wall times survive the seven octets in every zone, over the whole range of years. */
static void wall_times_survive(void **state)
{
    (void)state;
    for (int64_t s = 86400; s < 3124137600LL; s += 8640011)
        for (int zone = -79; zone <= 79; zone += 13) {
            struct pdu_time t, back;
            pdu_time_from_wall_ms(s * 1000, zone, &t);
            char hex[15];
            hex_encode(t.raw, 7, hex);
            back = scts(hex);
            assert_true(back.valid);
            assert_int_equal(pdu_time_to_wall_ms(&back), s * 1000);
            assert_int_equal(back.zone_quarters, zone);
        }
}

/* The four ranges of the relative validity period, and the shortest one that suffices. */
static void relative_validity(void **state)
{
    (void)state;
    static const int64_t MIN = 60000;
    assert_int_equal(pdu_vp_relative_to_ms(0), 5 * MIN);
    assert_int_equal(pdu_vp_relative_to_ms(143), 720 * MIN);
    assert_int_equal(pdu_vp_relative_to_ms(144), 750 * MIN);
    assert_int_equal(pdu_vp_relative_to_ms(167), 1440 * MIN);
    assert_int_equal(pdu_vp_relative_to_ms(168), 2 * 1440 * MIN);
    assert_int_equal(pdu_vp_relative_to_ms(169), 3 * 1440 * MIN);
    assert_int_equal(pdu_vp_relative_to_ms(196), 30 * 1440 * MIN);
    assert_int_equal(pdu_vp_relative_to_ms(197), 35 * 1440 * MIN);
    assert_int_equal(pdu_vp_relative_to_ms(255), 441 * 1440 * MIN);
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(pdu_vp_relative_from_ms(pdu_vp_relative_to_ms((uint8_t)i)), i);
    assert_int_equal(pdu_vp_relative_from_ms(0), 0);
    assert_int_equal(pdu_vp_relative_from_ms(5 * MIN + 1), 1);
    assert_int_equal(pdu_vp_relative_from_ms(INT64_MAX), 255);
}

static struct pdu_vp submit_vp(const char *fo, const char *vp)
{
    char hex[128];
    struct pdu_any a;
    snprintf(hex, sizeof(hex), "00%s00" OA "0000%s0141", fo, vp);
    assert_int_equal(decode_hex(hex, -1, &a), 0);
    assert_int_equal(a.u.submit.ud.udl, 1);
    return a.u.submit.vp;
}

/* Absolute and enhanced validity in each of their formats; the data behind them is found. */
static void other_validity_forms(void **state)
{
    (void)state;
    assert_int_equal(submit_vp("01", "").form, PDU_VP_NONE);
    assert_int_equal(submit_vp("11", "A7").relative_ms, 24 * 3600000);
    struct pdu_vp vp = submit_vp("19", "31700131930080");
    assert_int_equal(vp.form, PDU_VP_ABSOLUTE);
    assert_int_equal(vp.absolute.year, 2013);
    assert_int_equal(submit_vp("09", "01A70000000000").relative_ms, 24 * 3600000);
    assert_int_equal(submit_vp("09", "421E0000000000").relative_ms, 30000);
    assert_true(submit_vp("09", "421E0000000000").single_shot);
    assert_int_equal(submit_vp("09", "03103254000000").relative_ms, ((1 * 60 + 23) * 60 + 45) * 1000);
    assert_int_equal(submit_vp("09", "03F03254000000").relative_ms, -1);
    assert_int_equal(submit_vp("09", "00000000000000").relative_ms, -1);
    assert_int_equal(submit_vp("09", "81A70000000000").relative_ms, -1);
}

#define REPORT                                                                                               \
    "00062A" OA "10800191824040"                                                                             \
    "10800191825040"

/* Reports: optional fields, a cut or padded tail, and a discharge time of zeros. */
static void status_reports(void **state)
{
    (void)state;
    struct pdu_any a;
    assert_int_equal(decode_hex(REPORT "00", -1, &a), 0);
    assert_int_equal(a.u.report.mr, 0x2A);
    assert_false(a.u.report.has_pi);
    assert_int_equal(decode_hex(REPORT "00FFFFFFFFFFFFFFFFFFFF", -1, &a), 0);
    assert_false(a.u.report.has_pid || a.u.report.has_dcs || a.u.report.has_ud);
    assert_int_equal(decode_hex(REPORT "000000000000", -1, &a), 0);
    assert_false(a.u.report.has_pid || a.u.report.has_dcs || a.u.report.has_ud);
    assert_int_equal(decode_hex(REPORT "0007", -1, &a), 0); /* promises three fields, brings none */
    assert_false(a.u.report.has_pid || a.u.report.has_dcs || a.u.report.has_ud);
    assert_int_equal(decode_hex(REPORT "000741080200"
                                       "41",
                                -1, &a),
                     0);
    assert_true(a.u.report.has_pid && a.u.report.has_dcs && a.u.report.has_ud);
    char text[PDU_TEXT_BYTES];
    pdu_ud_text(&a.u.report.ud, &a.u.report.dcs, text);
    assert_string_equal(text, "A");
    assert_int_equal(decode_hex(REPORT "00"
                                       "8100"
                                       "41",
                                -1, &a),
                     0); /* an extended TP-PI */
    assert_int_equal(a.u.report.pid, 0x41);
    assert_int_equal(decode_hex("00062A" OA "10800191824040"
                                "00000000000000"
                                "46",
                                -1, &a),
                     0);
    assert_false(a.u.report.discharge.valid);
    assert_int_equal(a.u.report.st, 0x46);
    assert_int_equal(decode_hex("00062A0081"
                                "10800191824040"
                                "00000000000000"
                                "46",
                                -1, &a),
                     0);
    assert_string_equal(a.u.report.to.text, "");
}

/* TP-ST by its ranges, reserved values included, and the spool format's words. */
static void status_groups(void **state)
{
    (void)state;
    for (unsigned st = 0; st < 256; st++) {
        enum pdu_status expected = st < 0x20 ? PDU_ST_DELIVERED : st < 0x40 ? PDU_ST_PENDING : PDU_ST_FAILED;
        assert_int_equal(pdu_status_group((uint8_t)st), expected);
        assert_non_null(pdu_status_text((uint8_t)st));
    }
    assert_string_equal(pdu_status_text(0), "Ok,short message received by the SME");
    assert_string_equal(pdu_status_text(0x30), "Temporary error, SC specific, unknown");
    assert_string_equal(pdu_status_text(0x46), "Error,SM validity period expired");
    assert_string_equal(pdu_status_text(0x7F), "Permanent error, SC specific, unknown");
    assert_string_equal(pdu_status_text(0x03), "unknown");
}

/* Cut at any octet, a PDU gives either an error that names the place, or what was there. */
static void truncation_at_every_octet(void **state)
{
    (void)state;
    static const char *const PDUS[] = {
        "07912143658709F1040B918100551512F20000111010214365000AE8329BFD4697D9EC37",
        REPORT "000741080200"
               "41",
        "0071000B916407281553F800080B1A05000301020200380039003000680065006C006C006FD83DDE0B"};
    for (size_t i = 0; i < ARRAY_LEN(PDUS); i++)
        for (size_t cut = 0; cut <= strlen(PDUS[i]); cut += 2) {
            char hex[256];
            struct pdu_any a;
            snprintf(hex, sizeof(hex), "%.*s", (int)cut, PDUS[i]);
            int rc = decode_hex(hex, -1, &a);
            assert_true(rc == 0 || rc == ERR_TRUNCATED || rc == ERR_INVALID);
        }
}

/* A DELIVER longer than any TPDU can be is refused. */
static void overlong_pdus_are_refused(void **state)
{
    (void)state;
    uint8_t octets[400] = {0x00, 0x04};
    struct pdu_any a;
    assert_int_equal(pdu_decode(octets, sizeof(octets), -1, &a, NULL), ERR_INVALID);
    assert_int_equal(pdu_decode(octets, 0, -1, &a, NULL), ERR_TRUNCATED);
}

/* The first octet of a SUBMIT is asked for where one must be. */
static void submit_decoder_wants_submit(void **state)
{
    (void)state;
    static const uint8_t DELIVER[] = {0x00, 0x04, 0x00, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct pdu_submit s;
    assert_int_equal(pdu_decode_submit(DELIVER, sizeof(DELIVER), -1, &s, NULL), ERR_INVALID);
}

/* Numbers and names to addresses: what is accepted, what is refused. */
static void addresses_from_text(void **state)
{
    (void)state;
    struct pdu_addr a;
    struct err e;
    assert_int_equal(pdu_addr_from_text("+491701234567", &a, &e), 0);
    assert_int_equal(a.toa, 0x91);
    assert_int_equal(a.len, 12);
    assert_int_equal(pdu_addr_from_text("12345", &a, &e), 0);
    assert_int_equal(a.toa, 0x81);
    assert_int_equal(pdu_addr_from_text("*100#", &a, &e), 0);
    assert_int_equal(a.toa, 0x81);
    assert_int_equal(pdu_addr_from_text("Bakery", &a, &e), 0);
    assert_int_equal(a.toa, 0xD0);
    assert_int_equal(pdu_addr_from_text("", &a, &e), ERR_INVALID);
    assert_int_equal(pdu_addr_from_text("+", &a, &e), ERR_INVALID);
    assert_int_equal(pdu_addr_from_text("+49x", &a, &e), ERR_INVALID);
    assert_int_equal(pdu_addr_from_text("123456789012345678901", &a, &e), ERR_TOO_LONG);
    assert_int_equal(pdu_addr_from_text("TwelveLetter", &a, &e), ERR_TOO_LONG);
    assert_int_equal(pdu_addr_from_text("\xE4\xB8\xAD", &a, &e), ERR_INVALID);
}

/* A surrogate pair and an escape pair that a sender split between parts are joined; a missing part shows. */
static void parts_are_joined(void **state)
{
    (void)state;
    struct pdu_deliver a = deliver("04", OA, "08", "040041D83D"), b = deliver("04", OA, "08", "04DE0B0042");
    struct pdu_deliver c = deliver("04", OA, "00", "02C10D"), d = deliver("04", OA, "00", "0165");
    char text[256];
    const struct pdu_ud *ud[] = {&a.ud, &b.ud, &c.ud, &d.ud, NULL, &b.ud};
    const struct pdu_dcs *dcs[] = {&a.dcs, &b.dcs, &c.dcs, &d.dcs, NULL, &b.dcs};
    pdu_join_text(ud, dcs, 6, text, sizeof(text));
    assert_string_equal(text, "A\xF0\x9F\x98\x8B"
                              "BA\xE2\x82\xAC[\xE2\x80\xA6]\xEF\xBF\xBD"
                              "B");
    for (size_t size = 1; size < 12; size++) {
        int n = pdu_join_text(ud, dcs, 6, text, size);
        assert_true((size_t)n < size);
        assert_int_equal(strlen(text), n);
        assert_true(n == 0 || n == 1 || n >= 5); /* the emoji's four bytes stay together */
    }
}

/* The payload: octets as they are, septets one an octet. */
static void payloads(void **state)
{
    (void)state;
    uint8_t out[160];
    struct pdu_deliver d = deliver("44", OA, "04",
                                   "08"
                                   "04"
                                   "0402070A"
                                   "010203");
    assert_int_equal(pdu_ud_payload(&d.ud, &d.dcs, out), 3);
    assert_memory_equal(out, "\1\2\3", 3);
    d = deliver("04", OA, "00", "02C10D");
    assert_int_equal(pdu_ud_payload(&d.ud, &d.dcs, out), 2);
    assert_memory_equal(out, "A\x1B", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smsc_length_counts_octets),
        cmocka_unit_test(missing_smsc_is_noticed),
        cmocka_unit_test(alphanumeric_lengths),
        cmocka_unit_test(alphanumeric_names_survive),
        cmocka_unit_test(bcd_letters),
        cmocka_unit_test(number_types),
        cmocka_unit_test(long_addresses_are_refused),
        cmocka_unit_test(first_octet_of_deliver),
        cmocka_unit_test(stored_submit_is_read),
        cmocka_unit_test(header_elements),
        cmocka_unit_test(repeated_elements),
        cmocka_unit_test(more_elements_than_kept),
        cmocka_unit_test(indications_and_protocols),
        cmocka_unit_test(broken_concatenation_is_ignored),
        cmocka_unit_test(impossible_headers),
        cmocka_unit_test(fill_bits),
        cmocka_unit_test(user_data_length_lies),
        cmocka_unit_test(trailing_at_sign),
        cmocka_unit_test(escapes),
        cmocka_unit_test(shift_tables),
        cmocka_unit_test(ucs2_traps),
        cmocka_unit_test(every_dcs_is_understood),
        cmocka_unit_test(dcs_groups),
        cmocka_unit_test(reserved_coding_keeps_octets),
        cmocka_unit_test(service_centre_times),
        cmocka_unit_test(wall_times_survive),
        cmocka_unit_test(relative_validity),
        cmocka_unit_test(other_validity_forms),
        cmocka_unit_test(status_reports),
        cmocka_unit_test(status_groups),
        cmocka_unit_test(truncation_at_every_octet),
        cmocka_unit_test(overlong_pdus_are_refused),
        cmocka_unit_test(submit_decoder_wants_submit),
        cmocka_unit_test(addresses_from_text),
        cmocka_unit_test(parts_are_joined),
        cmocka_unit_test(payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
