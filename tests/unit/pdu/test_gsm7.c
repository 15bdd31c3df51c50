/* The 7-bit alphabets: lookups both ways, packing, and the places where tables are known to be disputed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "pdu/gsm7.h"
#include "pdu/gsm7_tables.h"

static void assert_sorted(const uint16_t table[128], const uint8_t order[128])
{
    bool seen[128] = {false};
    for (unsigned i = 0; i < 128; i++) {
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        if (i > 0)
            assert_true(table[order[i - 1]] < table[order[i]] ||
                        (table[order[i - 1]] == table[order[i]] && order[i - 1] < order[i]));
    }
}

/* The reverse tables hold each septet once, in the order of its character. */
static void reverse_tables_match(void **state)
{
    (void)state;
    for (unsigned l = 0; l < GSM7_LANGUAGES; l++) {
        assert_sorted(gsm7_locking_table[l], gsm7_locking_order[l]);
        assert_sorted(gsm7_single_table[l], gsm7_single_order[l]);
    }
}

/* In every pair of tables, each character encodes to septets that decode to it again. */
static void every_character_survives(void **state)
{
    (void)state;
    for (uint8_t l = 0; l < GSM7_LANGUAGES; l++)
        for (uint8_t s = 0; s < GSM7_LANGUAGES; s++)
            for (unsigned i = 0; i < 256; i++) {
                uint32_t cp = i < 128 ? gsm7_locking_table[l][i] : gsm7_single_table[s][i - 128];
                uint8_t septet[2];
                if (cp == 0)
                    continue;
                int n = gsm7_from_code_point(cp, l, s, septet);
                assert_true(n == 1 || (n == 2 && septet[0] == GSM7_ESC));
                assert_int_equal(n == 1 ? gsm7_locking(l, septet[0]) : gsm7_single(s, septet[1]), cp);
            }
}

/* Characters outside the tables are refused, the escape and NUL among them. */
static void foreign_characters_are_refused(void **state)
{
    (void)state;
    static const uint32_t FOREIGN[] = {0, 0x1B, 0x60, 0x09, 0xE7, 0x391, 0x2019, 0x4E2D, 0x1F600, 0x10FFFF};
    uint8_t septet[2];
    for (size_t i = 0; i < sizeof(FOREIGN) / sizeof(FOREIGN[0]); i++)
        assert_int_equal(gsm7_from_code_point(FOREIGN[i], 0, 0, septet), 0);
}

/* 0x09 is the capital C with cedilla, 0x24 the currency sign, ESC 0x0A a form feed, ESC 0x65 the euro. */
static void default_alphabet_traps(void **state)
{
    (void)state;
    assert_int_equal(gsm7_locking(0, 0x09), 0xC7);
    assert_int_equal(gsm7_locking(0, 0x24), 0xA4);
    assert_int_equal(gsm7_locking(0, 0x5F), 0xA7);
    assert_int_equal(gsm7_locking(0, 0x60), 0xBF);
    assert_int_equal(gsm7_single(0, 0x0A), 0x0C);
    assert_int_equal(gsm7_single(0, 0x65), 0x20AC);
    assert_int_equal(gsm7_single(0, 0x0D), 0); /* reserved for a control */
    assert_int_equal(gsm7_single(0, GSM7_ESC), ' ');
    assert_int_equal(gsm7_single(0, 0x41), 0);
}

/* Where sources and the printed standard differ, the tables hold what handsets use. */
static void disputed_positions(void **state)
{
    (void)state;
    assert_int_equal(gsm7_single(4, 0x10), '<'); /* Bengali */
    assert_int_equal(gsm7_single(4, 0x1F), 0x09EB);
    assert_int_equal(gsm7_locking(6, 0x00), 0x0901); /* Hindi */
    assert_int_equal(gsm7_locking(6, 0x02), 0x0903);
    assert_int_equal(gsm7_locking(7, 0x24), 0x0CA1); /* Kannada */
    assert_int_equal(gsm7_single(7, 0x3C), '[');
    assert_int_equal(gsm7_locking(8, 0x2E), '.');    /* Malayalam */
    assert_int_equal(gsm7_single(11, 0x24), 0x0BEE); /* Tamil */
    assert_int_equal(gsm7_single(12, 0x65), 0x20AC); /* Telugu */
    assert_int_equal(gsm7_single(12, 0x22), 0x0C6C);
    assert_int_equal(gsm7_single(12, 0x23), 0x0C6D);
}

/* Spanish has no locking table, and languages that do not exist yet read as the default. */
static void missing_languages_read_as_default(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 128; i++) {
        assert_int_equal(gsm7_locking(2, (uint8_t)i), gsm7_locking(0, (uint8_t)i));
        assert_int_equal(gsm7_locking(14, (uint8_t)i), gsm7_locking(0, (uint8_t)i));
        assert_int_equal(gsm7_single(255, (uint8_t)i), gsm7_single(0, (uint8_t)i));
    }
}

/* A hole of a locking table shows as U+FFFD, not as NUL. */
static void holes_show(void **state)
{
    (void)state;
    assert_int_equal(gsm7_locking(4, 0x0C), 0xFFFD);
}

/* Packing and unpacking agree for every length and every number of fill bits, and the octets are counted. */
static void packing_is_reversible(void **state)
{
    (void)state;
    for (unsigned fill = 0; fill < 7; fill++)
        for (size_t n = 0; n <= 160; n++) {
            uint8_t in[160], packed[142], out[160];
            for (size_t i = 0; i < n; i++)
                in[i] = (uint8_t)((i * 37 + n + fill) & 0x7F);
            size_t octets = gsm7_pack(in, n, fill, packed);
            assert_int_equal(octets, (fill + 7 * n + 7) / 8);
            gsm7_unpack(packed, n, fill, out);
            assert_memory_equal(in, out, n);
        }
}

/* "hellohello" packs as every textbook shows it. */
static void packing_is_the_standards(void **state)
{
    (void)state;
    static const uint8_t EXPECTED[] = {0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37};
    uint8_t packed[9];
    assert_int_equal(gsm7_pack((const uint8_t *)"hellohello", 10, 0, packed), 9);
    assert_memory_equal(packed, EXPECTED, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reverse_tables_match),
        cmocka_unit_test(every_character_survives),
        cmocka_unit_test(foreign_characters_are_refused),
        cmocka_unit_test(default_alphabet_traps),
        cmocka_unit_test(disputed_positions),
        cmocka_unit_test(missing_languages_read_as_default),
        cmocka_unit_test(holes_show),
        cmocka_unit_test(packing_is_reversible),
        cmocka_unit_test(packing_is_the_standards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
