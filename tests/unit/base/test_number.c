/* base/number: numbers as people dial them, to E.164. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "base/util.h"

struct sample {
    const char *text;
    const char *country;
    const char *national;      /* as people write it; NULL: refused */
    const char *international; /* as the spool format reads it */
};

static const struct sample samples[] = {
    {"+491701234567", "49", "+491701234567", "+491701234567"},
    {"+49 (170) 123-45.67", "49", "+491701234567", "+491701234567"},
    {"+49 (0)170/1234567", "", "+491701234567", "+491701234567"},
    {"0049 (0)170 1234567", "49", "+491701234567", "+491701234567"},
    {"00491701234567", "", "+491701234567", "+491701234567"},
    {"0170 1234567", "49", "+491701234567", "+491701234567"},
    {"0170 1234567", "", NULL, NULL},
    {"1701234567", "49", "+491701234567", "+1701234567"},
    {"491701234567", "", "+491701234567", "+491701234567"},
    {"110", "49", "110", "110"},
    {"72 000", "49", "72000", "72000"},
    {"081234", "49", "081234", "081234"},
    {"*100#", "49", "*100#", "*100#"},
    {"*#06#", "", "*#06#", "*#06#"},
    {"s1234567", "49", "1234567", "1234567"},
    {"s012345", "49", "012345", "012345"},
    {"s0170 1234567", "49", "+491701234567", "+491701234567"}, /* nobody evades an opt-out by an s */
    {"s00491701234567", "", "+491701234567", "+491701234567"},
    {"s01701234567", "", "01701234567", "01701234567"},
    {"s", "49", NULL, NULL},
    {"sales", "49", NULL, NULL},
    /* Countries that dial otherwise. */
    {"(212) 555-0123", "1", "+12125550123", "+2125550123"},
    {"1 212 555 0123", "1", "+12125550123", "+12125550123"},
    {"011 49 170 1234567", "1", "+491701234567", "+491701234567"},
    {"8 812 123-45-67", "7", "+78121234567", "+88121234567"},
    {"812 123-45-67", "7", "+78121234567", "+8121234567"},
    {"06 20 123 4567", "36", "+36201234567", "+36201234567"},
    {"06 1234 5678", "39", "+390612345678", "+390612345678"},
    {"340 123 4567", "39", "+393401234567", "+3401234567"},
    /* Where the 0 belongs to the number, in brackets too. */
    {"07 12 34 56 78", "225", "+2250712345678", "+2250712345678"},
    {"27 20 12 34 56", "225", "+2252720123456", "+2720123456"},
    {"01 23 45 67", "226", "+22601234567", "+22601234567"},
    {"01 97 12 34 56", "229", "+2290197123456", "+2290197123456"},
    {"06 612 3456", "242", "+242066123456", "+242066123456"},
    {"0549 123456", "378", "+3780549123456", "+3780549123456"},
    {"+39 (0)6 1234 5678", "49", "+390612345678", "+390612345678"},
    {"00225 (0)7 12 34 56 78", "49", "+2250712345678", "+2250712345678"},
    /* No numbers. */
    {"", "49", NULL, NULL},
    {" -", "49", NULL, NULL},
    {"+", "49", NULL, NULL},
    {"+0491701234567", "49", NULL, NULL},
    {"++491701234567", "49", NULL, NULL},
    {"49+1701234567", "49", NULL, NULL},
    {"+49170*1234567", "49", NULL, NULL},
    {"+1234", "49", NULL, NULL},
    {"+123456789012345678901", "49", NULL, NULL},
    {"1234567890123456789012345678901234567890", "49", NULL, NULL},
    {"+49170123456x", "49", NULL, NULL},
    {"Bob", "49", NULL, NULL},
};

static void check(const struct sample *s, enum number_reading reading, const char *expected)
{
    char out[NUMBER_BYTES] = "";
    struct err e = {0};
    int rc = number_normalise(s->text, s->country, reading, out, &e);

    if (!expected && rc == ERR_INVALID && strstr(e.text, "not a telephone number"))
        return;
    if (!expected || rc != ERR_OK || strcmp(out, expected) != 0)
        fail_msg("\"%s\" in \"%s\": %d \"%s\" (%s)", s->text, s->country, rc, out, e.text);
}

/* What people and the spool format write comes out canonical, or is refused with words. */
static void normalises(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        check(&samples[i], NUMBER_READ_NATIONAL, samples[i].national);
        check(&samples[i], NUMBER_READ_INTERNATIONAL, samples[i].international);
    }
}

/* A canonical number normalises to itself in every country. */
static void idempotent(void **state)
{
    static const char *const countries[] = {"", "49", "1", "7", "36", "39", "225"};
    char once[NUMBER_BYTES], twice[NUMBER_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        if (!samples[i].national || samples[i].text[0] == 's')
            continue;
        assert_int_equal(
            number_normalise(samples[i].text, samples[i].country, NUMBER_READ_NATIONAL, once, NULL), 0);
        for (size_t k = 0; k < ARRAY_LEN(countries); k++) {
            assert_int_equal(number_normalise(once, countries[k], NUMBER_READ_NATIONAL, twice, NULL), 0);
            assert_string_equal(once, twice);
        }
    }
}

/* The three kinds of sender are told apart. */
static void kinds(void **state)
{
    (void)state;
    assert_int_equal(number_kind("+491701234567"), NUMBER_E164);
    assert_int_equal(number_kind("72000"), NUMBER_SHORT);
    assert_int_equal(number_kind("*100#"), NUMBER_SHORT);
    assert_int_equal(number_kind("1234567"), NUMBER_SHORT);
    assert_int_equal(number_kind("Vodafone"), NUMBER_ALPHA);
    assert_int_equal(number_kind("+"), NUMBER_ALPHA);
    assert_int_equal(number_kind("+49x"), NUMBER_ALPHA);
    assert_int_equal(number_kind(""), NUMBER_ALPHA);
}

/* A national report matches what was sent internationally; strangers and short codes do not. */
static void same(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"+491701234567", "+491701234567", true},
        {"+491701234567", "01701234567", true},
        {"+491701234567", "1701234567", true},
        {"+491701234567", "491701234567", true},
        {"+491701234567", "00491701234567", true},
        {"+491701234567", "+491701234568", false},
        {"+491701234567", "+1701234567", false},
        {"+491701234567", "34567", false},
        {"72000", "72000", true},
        {"172000", "72000", false},
        {"Vodafone", "Vodafone", true},
        {"Vodafone", "afone", false},
        {"+491701234567", "", false},
        {"+491701234567", "*234567", false},
        {"000000000", "000000", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_int_equal(number_same(pairs[i].a, pairs[i].b), pairs[i].same);
        assert_int_equal(number_same(pairs[i].b, pairs[i].a), pairs[i].same);
    }
}

/* Rights go with a whole number only: a short code, or a name of digits, that ends alike is somebody else. */
static void is_whole(void **state)
{
    static const struct {
        const char *number, *sender, *country;
        bool is;
    } rows[] = {
        {"+491701234567", "+491701234567", "49", true},
        {"+491701234567", "01701234567", "49", true},
        {"+491701234567", "491701234567", "49", true},
        {"+491701234567", "01701234567", "", true},
        {"+491701234567", "234567", "49", false},
        {"+491701234567", "1234567", "49", false},
        {"+491701234567", "01701234567", "44", false},
        {"+491701234567", "+441701234567", "49", false},
        {"", "", "49", false},
        {"+491701234567", "", "49", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(number_is(rows[i].number, rows[i].sender, rows[i].country), rows[i].is);
}

/* A whole number has two forms, with '+' and without; short codes and names have one. */
static void test_other_form(void **state)
{
    static const char *const rows[][2] = {{"+491701234567", "491701234567"},
                                          {"4917012", "+4917012"},
                                          {"123456", NULL},
                                          {"+123456", NULL},
                                          {"Bank4917012", NULL},
                                          {"", NULL},
                                          {"+", NULL},
                                          {"4917012#", NULL}};
    char other[NUMBER_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(number_other_form(rows[i][0], other), rows[i][1] != NULL);
        if (rows[i][1])
            assert_string_equal(other, rows[i][1]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalises), cmocka_unit_test(idempotent),      cmocka_unit_test(kinds),
        cmocka_unit_test(same),       cmocka_unit_test(test_other_form), cmocka_unit_test(is_whole),
    };

    return cmocka_run_group_tests_name("base/number", tests, NULL, NULL);
}
