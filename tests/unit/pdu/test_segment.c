/* Texts to segments: capacities, choice of alphabet, what must not be split, and random texts both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "base/util.h"
#include "pdu/segment.h"

enum { MAX_TEXT = 40000 };

static struct pdu_ud uds[PDU_MAX_SEGMENTS];

static const struct segment_conf PLAIN = {.cls = -1};

static struct segment_plan measure(const char *text, const struct segment_conf *conf)
{
    struct segment_plan plan;
    assert_int_equal(segment_measure(text, strlen(text), conf, &plan, NULL), 0);
    return plan;
}

/* n times the UTF-8 character c. */
static const char *times(const char *c, size_t n)
{
    static char text[MAX_TEXT];
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * strlen(c), c, strlen(c) + 1);
    return text;
}

/* Joins what segment_text wrote. */
static void join(const struct segment_plan *plan, char *out)
{
    static const struct pdu_ud *ud[PDU_MAX_SEGMENTS];
    static const struct pdu_dcs *dcs[PDU_MAX_SEGMENTS];
    struct pdu_dcs d;
    pdu_dcs_decode(plan->dcs, &d);
    for (unsigned i = 0; i < plan->count; i++) {
        ud[i] = &uds[i];
        dcs[i] = &d;
    }
    pdu_join_text(ud, dcs, plan->count, out, MAX_TEXT);
}

/* Segments text, checks that it comes back and that each segment is well formed. */
static struct segment_plan round_trip(const char *text, const struct segment_conf *conf)
{
    static char back[MAX_TEXT];
    struct segment_plan plan;
    assert_int_equal(segment_text(text, strlen(text), conf, 0xABCD, &plan, uds, PDU_MAX_SEGMENTS, NULL), 0);
    struct pdu_dcs d;
    pdu_dcs_decode(plan.dcs, &d);
    for (unsigned i = 0; i < plan.count; i++) {
        char part[PDU_TEXT_BYTES];
        assert_true(uds[i].octets_len <= PDU_UD_BYTES);
        assert_int_equal(uds[i].concat.present, plan.count > 1);
        if (plan.count > 1) {
            assert_int_equal(uds[i].concat.total, plan.count);
            assert_int_equal(uds[i].concat.seq, i + 1);
            assert_int_equal(uds[i].concat.ref, conf->wide_ref ? 0xABCD : 0xCD);
        }
        assert_int_equal(uds[i].locking, plan.locking);
        assert_int_equal(uds[i].single, plan.single);
        pdu_ud_text(&uds[i], &d, part);
        assert_null(strstr(part, "\xEF\xBF\xBD")); /* no half of a pair */
    }
    join(&plan, back);
    if (!plan.transliterated)
        assert_string_equal(back, text);
    return plan;
}

/* 160, 153 and 152 septets; 70, 67 and 66 UTF-16 units; 140, 134 and 133 octets. */
static void capacities(void **state)
{
    (void)state;
    static const struct segment_conf WIDE = {.cls = -1, .wide_ref = true};
    static const struct {
        const char *c;
        unsigned one, two, two_wide;
    } CASES[] = {{"a", 160, 306, 304}, {"\xD0\x96", 70, 134, 132}, {"\xE2\x82\xAC", 80, 152, 152}};
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        assert_int_equal(measure(times(CASES[i].c, CASES[i].one), &PLAIN).count, 1);
        assert_int_equal(measure(times(CASES[i].c, CASES[i].one + 1), &PLAIN).count, 2);
        assert_int_equal(measure(times(CASES[i].c, CASES[i].two), &PLAIN).count, 2);
        assert_int_equal(measure(times(CASES[i].c, CASES[i].two + 1), &PLAIN).count, 3);
        assert_int_equal(measure(times(CASES[i].c, CASES[i].two_wide), &WIDE).count, 2);
        assert_int_equal(measure(times(CASES[i].c, CASES[i].two_wide + 1), &WIDE).count, 3);
        round_trip(times(CASES[i].c, CASES[i].two), &PLAIN);
        round_trip(times(CASES[i].c, CASES[i].two_wide), &WIDE);
    }
    struct segment_plan plan;
    static const struct {
        size_t len;
        bool wide;
        unsigned count;
    } OCTETS[] = {{140, false, 1}, {141, false, 2}, {268, false, 2},
                  {269, false, 3}, {266, true, 2},  {267, true, 3}};
    static uint8_t data[300];
    for (size_t i = 0; i < ARRAY_LEN(OCTETS); i++) {
        const struct segment_conf conf = {.cls = -1, .wide_ref = OCTETS[i].wide};
        assert_int_equal(segment_octets(data, OCTETS[i].len, NULL, 0, &conf, 1, &plan, uds, 255, NULL), 0);
        assert_int_equal(plan.count, OCTETS[i].count);
        assert_int_equal(plan.dcs, 0x04);
    }
}

/* An empty text is one segment without anything in it. */
static void empty_text(void **state)
{
    (void)state;
    struct segment_plan plan = round_trip("", &PLAIN);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.units, 0);
    assert_int_equal(uds[0].udl, 0);
}

/* The DCS octet carries alphabet and class. */
static void coding_octets(void **state)
{
    (void)state;
    static const struct segment_conf FLASH = {.cls = 0}, CLASS2 = {.cls = 2},
                                     UCS2 = {.cls = -1, .force_ucs2 = true};
    assert_int_equal(measure("a", &PLAIN).dcs, 0x00);
    assert_int_equal(measure("\xD0\x96", &PLAIN).dcs, 0x08);
    assert_int_equal(measure("a", &FLASH).dcs, 0x10);
    assert_int_equal(measure("\xD0\x96", &CLASS2).dcs, 0x1A);
    assert_int_equal(measure("a", &UCS2).dcs, 0x08);
}

/* The text is never changed unless that is asked for, and then only to save it from UCS2. */
static void transliteration_only_when_asked(void **state)
{
    (void)state;
    static const struct segment_conf TRANSLIT = {.cls = -1, .transliterate = true};
    static const struct {
        const char *text, *plain;
    } CASES[] = {
        {"\xE2\x80\x9CYes\xE2\x80\x9D \xE2\x80\x93 don\xE2\x80\x99t\xE2\x80\xA6", "\"Yes\" - don't..."},
        {"Fran\xC3\xA7"
         "ais",
         "Francais"},
        {"\xCE\x91\xCE\x92\xCE\x93", "AB\xCE\x93"},
        {"a\xC2\xA0z\xE2\x80\x8B!", "a z!"},
        {"e\xCC\x81", "e"},
        {"\xC5\x91\xC5\xB1", "\xC3\xB6\xC3\xBC"},
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        char back[MAX_TEXT];
        assert_int_equal(round_trip(CASES[i].text, &PLAIN).alphabet, PDU_UCS2);
        struct segment_plan plan = round_trip(CASES[i].text, &TRANSLIT);
        assert_int_equal(plan.alphabet, PDU_GSM7);
        assert_true(plan.transliterated);
        join(&plan, back);
        assert_string_equal(back, CASES[i].plain);
    }
    /* One character that has no neighbour: the whole text stays as it is. */
    struct segment_plan plan = round_trip("\xE2\x80\x9C\xF0\x9F\x98\x8B\xE2\x80\x9D", &TRANSLIT);
    assert_int_equal(plan.alphabet, PDU_UCS2);
    assert_false(plan.transliterated);
    assert_false(round_trip("caf\xC3\xA9 \xC3\x87", &TRANSLIT).transliterated);
}

/* National tables are used only when configured, in the combination that needs the fewest segments, and each
 * segment names them. */
static void national_tables(void **state)
{
    (void)state;
    static const struct segment_conf SINGLE = {.cls = -1, .single = 1}, LOCKING = {.cls = -1, .locking = 1},
                                     BOTH = {.cls = -1, .single = 1, .locking = 1},
                                     SPANISH = {.cls = -1, .single = 2, .locking = 2};
    const char *g = "\xC4\x9F"; /* g with breve: one septet locking, two single */
    assert_int_equal(measure(times(g, 71), &PLAIN).count, 2);
    assert_int_equal(measure(times(g, 77), &SINGLE).count, 1);
    assert_int_equal(measure(times(g, 78), &SINGLE).count, 2);
    assert_int_equal(measure(times(g, 155), &LOCKING).count, 1);
    assert_int_equal(measure(times(g, 2 * 149), &LOCKING).count, 2);
    assert_int_equal(measure(times(g, 2 * 74), &SINGLE).count, 2);
    assert_int_equal(measure(times(g, 2 * 74 + 1), &SINGLE).count, 3);
    struct segment_plan plan = round_trip(times(g, 300), &BOTH);
    assert_int_equal(plan.locking, 1);
    assert_int_equal(plan.single, 0); /* not needed: it would cost room */
    plan = round_trip(times("\xC3\xA1", 100), &SPANISH);
    assert_int_equal(plan.single, 2);
    assert_int_equal(plan.locking, 0);
    plan = round_trip("plain", &BOTH);
    assert_int_equal(plan.locking + plan.single, 0);
    /* Hindi letters by the locking table, its digits by the single one. */
    static const struct segment_conf HINDI = {.cls = -1, .single = 6, .locking = 6};
    plan = round_trip("\xE0\xA4\x85\xE0\xA5\xA7", &HINDI);
    assert_true(plan.alphabet == PDU_GSM7 && plan.locking == 6 && plan.single == 6);
}

/* A text that is over the limit by one segment is refused, and so is one that is not UTF-8. */
static void refusals(void **state)
{
    (void)state;
    static const struct segment_conf TWO = {.cls = -1, .max_segments = 2};
    struct segment_plan plan;
    struct err e;
    assert_int_equal(segment_measure(times("a", 306), 306, &TWO, &plan, &e), 0);
    assert_int_equal(segment_measure(times("a", 307), 307, &TWO, &plan, &e), ERR_TOO_LONG);
    assert_int_equal(segment_measure(times("a", 255 * 153), 255 * 153, &PLAIN, &plan, &e), 0);
    assert_int_equal(segment_measure(times("a", 255 * 153 + 1), 255 * 153 + 1, &PLAIN, &plan, &e),
                     ERR_TOO_LONG);
    assert_int_equal(segment_text(times("a", 200), 200, &PLAIN, 0, &plan, uds, 1, &e), ERR_TOO_LONG);
    assert_int_equal(segment_measure("\xC3", 1, &PLAIN, &plan, &e), ERR_INVALID);
    assert_int_equal(segment_measure("a\0b", 3, &PLAIN, &plan, &e), ERR_INVALID);
}

/* A header of the caller's forbids splitting; a lying one is refused. */
static void octets_with_a_header(void **state)
{
    (void)state;
    static const uint8_t HEADER[] = {6, 5, 4, 0x0B, 0x84, 0x23, 0xF0}, LIE[] = {9, 5, 4, 0, 0, 0, 0};
    static uint8_t data[200];
    struct segment_plan plan;
    assert_int_equal(segment_octets(data, 133, HEADER, 7, &PLAIN, 1, &plan, uds, 9, NULL), 0);
    assert_int_equal(uds[0].ports.dst, 2948);
    assert_int_equal(uds[0].udl, 140);
    assert_int_equal(segment_octets(data, 134, HEADER, 7, &PLAIN, 1, &plan, uds, 9, NULL), ERR_TOO_LONG);
    assert_int_equal(segment_octets(data, 10, LIE, 7, &PLAIN, 1, &plan, uds, 9, NULL), ERR_INVALID);
}

/* Where it costs nothing, letters keep their marks, emoji their skin tones and flags their halves. */
static void sequences_stay_together(void **state)
{
    (void)state;
    static const char *const SEQUENCES[] = {
        "e\xCC\x81",                                    /* letter and accent */
        "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD",             /* thumb and skin tone */
        "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA",             /* a flag */
        "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB", /* joined by U+200D */
        "\xE0\xA4\x95\xE0\xA4\xBF",                     /* Devanagari vowel sign */
    };
    for (size_t i = 0; i < ARRAY_LEN(SEQUENCES); i++)
        for (size_t before = 60; before < 70; before++) {
            char text[400], part[PDU_TEXT_BYTES];
            snprintf(text, sizeof(text), "%.*s%s%s", (int)before, times("x", 70), SEQUENCES[i],
                     "yyyyyyyyyyyyyyyyyyyy");
            struct segment_plan plan = round_trip(text, &PLAIN);
            assert_int_equal(plan.count, 2);
            struct pdu_dcs dcs;
            pdu_dcs_decode(plan.dcs, &dcs);
            pdu_ud_text(&uds[0], &dcs, part);
            bool whole_in_first = strstr(part, SEQUENCES[i]);
            pdu_ud_text(&uds[1], &dcs, part);
            assert_true(whole_in_first || strstr(part, SEQUENCES[i]));
        }
    /* One letter with more marks than a segment holds is split all the same. */
    char zalgo[1000] = "a";
    for (size_t i = 0; i < 200; i++)
        memcpy(zalgo + 1 + 2 * i, "\xCC\x81", 3);
    assert_int_equal(round_trip(zalgo, &PLAIN).count, 3);
}

static uint32_t random_code_point(void)
{
    static const uint32_t SPECIAL[] = {0x20AC, '[',     '|',     '\f',  '\n', 0x200D,
                                       0x301,  0x1F600, 0x1F1E9, 0x11F, 0x905};
    int kind = rand() % 100;
    if (kind < 70)
        return (uint32_t)(' ' + rand() % 95);
    if (kind < 85)
        return SPECIAL[(size_t)rand() % ARRAY_LEN(SPECIAL)];
    uint32_t cp = 1 + (uint32_t)rand() % (kind < 95 ? 0x2FFF : 0x10FFFE);
    return cp >= 0xD800 && cp <= 0xDFFF ? 'x' : cp;
}

/* The least number of segments by trying every break: characters are atoms of one or two units. */
static unsigned fewest(const uint8_t *atoms, size_t n, size_t cap)
{
    unsigned best[1200];
    best[0] = 0;
    for (size_t end = 1; end <= n; end++) {
        best[end] = UINT32_MAX;
        size_t sum = 0;
        for (size_t start = end; start-- > 0;) {
            sum += atoms[start];
            if (sum > cap)
                break;
            if (best[start] + 1 < best[end])
                best[end] = best[start] + 1;
        }
    }
    return best[n];
}

/* Random texts with random settings come back unchanged, in as few segments as an exhaustive search finds. */
static void random_texts_come_back(void **state)
{
    (void)state;
    const char *env = getenv("SEED");
    unsigned seed = env ? (unsigned)strtoul(env, NULL, 10) : 20260101;
    print_message("SEED=%u\n", seed);
    srand(seed);
    for (int round = 0; round < 3000; round++) {
        char text[4096];
        size_t len = 0, n = (size_t)rand() % 400;
        bool ascii = rand() % 3 == 0;
        uint8_t atoms[400];
        for (size_t i = 0; i < n; i++) {
            uint32_t cp = ascii ? (uint32_t)(rand() % 8 ? 'a' + rand() % 26 : '[') : random_code_point();
            if (cp == 0xFEFF || cp == 0xFFFD)
                cp = 'x'; /* a byte order mark at the start, and what we look for as damage */
            atoms[i] = ascii ? (cp == '[' ? 2 : 1) : (cp > 0xFFFF ? 2 : 1);
            len += utf8_put(cp, text + len);
        }
        text[len] = '\0';
        struct segment_conf conf = {.cls = -1, .wide_ref = rand() % 2, .force_ucs2 = !ascii};
        struct segment_plan plan = round_trip(text, &conf);
        size_t units = 0;
        for (size_t i = 0; i < n; i++)
            units += atoms[i];
        size_t multi = ascii ? (conf.wide_ref ? 152 : 153) : (conf.wide_ref ? 66 : 67);
        unsigned expected = units <= (ascii ? 160u : 70u) ? 1 : fewest(atoms, n, multi);
        assert_int_equal(plan.units, units);
        assert_int_equal(plan.count, expected);
        conf.force_ucs2 = false;
        conf.locking = (uint8_t)(rand() % 14);
        conf.single = (uint8_t)(rand() % 14);
        round_trip(text, &conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacities),
        cmocka_unit_test(empty_text),
        cmocka_unit_test(coding_octets),
        cmocka_unit_test(transliteration_only_when_asked),
        cmocka_unit_test(national_tables),
        cmocka_unit_test(refusals),
        cmocka_unit_test(octets_with_a_header),
        cmocka_unit_test(sequences_stay_together),
        cmocka_unit_test(random_texts_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
