/* The field cursor over the loose forms in which modems write results, and the table of final results. */
#include "at/internal.h"
#include "base/number.h"
#include "tests/unit/at/talk.h"

/* Numbers may be quoted, spaced, zero padded; what is no number leaves the cursor in place. */
static void test_numbers(void **state)
{
    struct at_cur c = at_cur_after("+CREG: 002, \"1\" ,abc,-7", "+CREG:");
    int64_t n;

    (void)state;
    assert_true(at_cur_number(&c, &n) && n == 2);
    assert_true(at_cur_number(&c, &n) && n == 1);
    assert_false(at_cur_number(&c, &n));
    assert_true(at_cur_hex(&c, &n) && n == 0xabc);
    assert_true(at_cur_number(&c, &n) && n == -7);
    assert_true(at_cur_end(&c));
    assert_false(at_cur_number(&c, &n));
    c = (struct at_cur){"99999999999999999999"};
    assert_false(at_cur_number(&c, &n));
    assert_null(at_cur_after("+CSQ: 1", "+CREG:").p);
    c = at_cur_after("+CSQ: 1", "+CREG:");
    assert_false(at_cur_number(&c, &n) || at_cur_hex(&c, &n) || at_cur_skip(&c) || at_cur_open_list(&c));
    assert_true(at_cur_end(&c));
}

/* Hex as in location areas: quoted, bare, and not hex at all. */
static void test_hex(void **state)
{
    struct at_cur c = at_cur_after("+CREG: 2,1,\"CE00\",01CEAD8F,XXXX", "+CREG:");
    int64_t n;

    (void)state;
    assert_true(at_cur_skip(&c) && at_cur_skip(&c));
    assert_true(at_cur_hex(&c, &n) && n == 0xce00);
    assert_true(at_cur_hex(&c, &n) && n == 0x1cead8f);
    assert_false(at_cur_hex(&c, &n));
    assert_true(at_cur_skip(&c));
    assert_true(at_cur_end(&c));
}

/* Strings: quoted with commas inside, bare, empty, with a quote missing at either end, too long. */
static void test_strings(void **state)
{
    struct at_cur c = at_cur_after("+X: \"a,b\" ,bare one ,,\"\",\"TELE2,0", "+X:");
    char s[16];

    (void)state;
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "a,b");
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "bare one");
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "");
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "");
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "TELE2");
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "0");
    assert_false(at_cur_string(&c, s, sizeof s));
    c = (struct at_cur){"+79139131234\",145"};
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "+79139131234");
    c = (struct at_cur){"\"12345678\",1"};
    assert_false(at_cur_string(&c, s, 8));
    assert_true(at_cur_string(&c, s, 9));
}

/* The memory lists of +CPMS=? in the forms of five makers. */
static void test_lists(void **state)
{
    struct at_cur c =
        at_cur_after("+CPMS:     (  \"ME\"  ,  \"MT\"  )   ,  \"ME\" ,   (  ) ,(\"SM\")", "+CPMS:");
    char s[8];

    (void)state;
    assert_true(at_cur_open_list(&c));
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "MT");
    assert_true(at_cur_close_list(&c));
    assert_false(at_cur_open_list(&c));
    assert_true(at_cur_string(&c, s, sizeof s));
    assert_string_equal(s, "ME");
    assert_true(at_cur_open_list(&c));
    assert_true(at_cur_close_list(&c));
    assert_true(at_cur_skip(&c));
    assert_true(at_cur_end(&c));
    c = at_cur_after("+CPMS: ((\"SM\",\"BM\"),(\"SM\")),1", "+CPMS:");
    int64_t n;
    assert_true(at_cur_skip(&c) && at_cur_number(&c, &n) && n == 1);
}

/* Ranges of +CNMI=?: "0-3" and single numbers, to the end of the list. */
static void test_ranges(void **state)
{
    struct at_cur c = at_cur_after("+CNMI: (0-1,3),(2)", "+CNMI:");
    int64_t min, max;

    (void)state;
    assert_true(at_cur_open_list(&c));
    assert_true(at_cur_range(&c, &min, &max) && min == 0 && max == 1);
    assert_true(at_cur_range(&c, &min, &max) && min == 3 && max == 3);
    assert_false(at_cur_range(&c, &min, &max));
    assert_true(at_cur_close_list(&c));
    assert_true(at_cur_open_list(&c));
    assert_true(at_cur_range(&c, &min, &max) && min == 2 && max == 2);
    assert_true(at_cur_close_list(&c));
    assert_true(at_cur_end(&c));
}

/* Every final result of the standards and of vendors, as numbers and as words, and lines that only look so.
 */
static void test_finals(void **state)
{
    static const struct {
        const char *line;
        int code; /* -1: not final */
        int number;
    } cases[] = {
        {"OK", AT_OK, -1},
        {"ERROR", AT_ERROR, -1},
        {"+CMS ERROR: 304", AT_CMS_ERROR, 304},
        {"+CMS ERROR:304", AT_CMS_ERROR, 304},
        {"+CMS ERROR: SIM PIN required", AT_CMS_ERROR, 311},
        {"+CMS ERROR: invalid PDU parameter", AT_CMS_ERROR, 304},
        {"+CMS ERROR: Memory Full", AT_CMS_ERROR, 322},
        {"+CMS ERROR: Unknown error", AT_CMS_ERROR, 500},
        {"+CMS ERROR: bananas", AT_CMS_ERROR, -1},
        {"+CMS ERROR:", AT_CMS_ERROR, -1},
        {"+CMS ERROR: 99999999999999999999", AT_CMS_ERROR, -1},
        {"+CME ERROR: 14", AT_CME_ERROR, 14},
        {"+CME ERROR: SIM busy", AT_CME_ERROR, 14},
        {"+CME ERROR: 15790320", AT_CME_ERROR, 15790320},
        {"+CME ERROR: raspberry", AT_CME_ERROR, -1},
        {"+EXT ERROR: 3", AT_ERROR, -1},
        {"MODEM ERROR: 5", AT_ERROR, -1},
        {"COMMAND NOT SUPPORT", AT_ERROR, -1},
        {"TOO MANY PARAMETERS", AT_ERROR, -1},
        {"NA", AT_ERROR, -1},
        {"NO CARRIER", -1, 0},
        {"BUSY", -1, 0},
        {"CONNECT", -1, 0},
        {"UNKNOWN COMMAND", -1, 0},
        {"OKAY", -1, 0},
        {"ok", -1, 0},
        {"+CMS ERROR", -1, 0},
        {"ERROR: 3", -1, 0},
        {"NAN", -1, 0},
        {"", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct at_result r;
        const char *rest;
        bool final = at_final(cases[i].line, false, &r, &rest);
        assert_int_equal(final, cases[i].code >= 0);
        if (final) {
            assert_int_equal(r.code, cases[i].code);
            if (r.code == AT_CMS_ERROR || r.code == AT_CME_ERROR)
                assert_int_equal(r.number, cases[i].number);
            assert_null(rest);
        }
    }
}

/* A telephone number is read plain, without its '+', and in the hex of AT+CSCS="HEX" and "UCS2"; what is
 * longer than any number is refused. */
static void test_phones(void **state)
{
    static const struct {
        const char *field, *number; /* NULL: refused */
    } cases[] = {
        {"\"+491710760000\",145", "+491710760000"},
        {"\"491710760000\",145", "+491710760000"},
        {"\"12345\",129", "12345"},
        {"+3912345678", "+3912345678"},
        {"\"393731353535353135353135\",145", "+971555515515"},
        {"\"2b393731353535353135353135\",145", "+971555515515"},
        {"002B003300380030003600330039003000310030003000300030,145", "+380639010000"},
        {"\"\",129", ""},
        {"\"123456789012345678901234567\",129", NULL},
        {"\"FFFF12345678901234567890123F\",129", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct at_cur c = {cases[i].field};
        char number[NUMBER_BYTES] = "?";
        assert_int_equal(at_cur_phone(&c, number, sizeof number), cases[i].number != NULL);
        assert_string_equal(number, cases[i].number ? cases[i].number : "?");
        if (!cases[i].number)
            assert_ptr_equal(c.p, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phones),  cmocka_unit_test(test_numbers), cmocka_unit_test(test_hex),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_lists),   cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_finals),
    };
    return cmocka_run_group_tests_name("at/cursor", tests, NULL, NULL);
}
