/* base/mask: payment cards and configured patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mask.h"
#include "base/utf8.h"
#include "base/util.h"

struct masked {
    const char *text, *expected; /* expected NULL: nothing is masked */
};

static void assert_masks(bool cards, const char *const *patterns, const struct masked *list, size_t n)
{
    struct mask *m;
    struct err e = {0};

    assert_int_equal(mask_new(cards, patterns, &m, &e), 0);
    for (size_t i = 0; i < n; i++) {
        struct buf out = {0};
        size_t masked = mask_text(m, list[i].text, strlen(list[i].text), &out);

        assert_string_equal(buf_str(&out), list[i].expected ? list[i].expected : "");
        assert_int_equal(masked > 0, list[i].expected != NULL);
        buf_free(&out);
    }
    mask_free(m);
}

/* Card numbers of 13 to 19 digits are masked but for their last four, whatever parts their groups. */
static void cards(void **state)
{
    static const struct masked list[] = {
        {"4111111111111111", "************1111"},
        {"my card is 4111 1111 1111 1111, thanks", "my card is **** **** **** 1111, thanks"},
        {"5555-5555-5555-4444 12/28", "****-****-****-4444 12/28"},
        {"amex 378282246310005!", "amex ***********0005!"},
        {"3782 822463 10005", "**** ****** *0005"},
        {"diners 30569309025904", "diners **********5904"},
        {"visa13 4222222222222", "visa13 *********2222"},
        {"maestro 6304000000000000", "maestro ************0000"},
        {"union 6212345678900000003", "union ***************0003"},
        {"4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "* * * * * * * * * * * * 1 1 1 1"},
        {"4111.1111.1111.1111", "****.****.****.1111"},
        {"4111\n1111\n1111\n1111", "****\n****\n****\n1111"},
        {"4111\xC2\xA0"
         "1111\xC2\xA0"
         "1111\xE2\x80\x93"
         "1111",
         "****\xC2\xA0****\xC2\xA0****\xE2\x80\x93"
         "1111"},
        {"order 12: 4111 1111 1111 1111", "order 12: **** **** **** 1111"},
        {"2 x 4111111111111111 and 5555555555554444", "2 x ************1111 and ************4444"},
        {"cardx4111111111111111y", "cardx************1111y"},
        /* Arabic-Indic and fullwidth digits */
        {"٤١١١ ١١١١ ١١١١ ١١١١", "**** **** **** ١١١١"},
        {"４１１１１１１１１１１１１１１１", "************１１１１"},
        /* Oriya, Lao, Myanmar, Khmer; mathematical ones, as styled text has them */
        {"୪୧୧୧ ୧୧୧୧ ୧୧୧୧ ୧୧୧୧", "**** **** **** ୧୧୧୧"},
        {"໔໑໑໑໑໑໑໑໑໑໑໑໑໑໑໑", "************໑໑໑໑"},
        {"၄၁၁၁၁၁၁၁၁၁၁၁၁၁၁၁", "************၁၁၁၁"},
        {"៤១១១-១១១១-១១១១-១១១១", "****-****-****-១១១១"},
        {"𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏", "************𝟏𝟏𝟏𝟏"},
        /* Marks of direction and width, copied with the number */
        {"\u202a4111\u200e \u20601111 1111\ufeff 1111\u202c",
         "\u202a****\u200e \u2060**** ****\ufeff 1111\u202c"},
        {"4111\u200b1111\u200b1111\u200b1111", "****\u200b****\u200b****\u200b1111"},
    };

    (void)state;
    assert_masks(true, NULL, list, ARRAY_LEN(list));
}

/* Digits that are no card's stay: a wrong sum, too few or many, telephone numbers, other beginnings. */
static void no_cards(void **state)
{
    static const struct masked list[] = {
        {"4111111111111112", NULL},
        {"call +4915112345674 please", NULL},
        {"+41 11 11 11 11 11 11 11 11", NULL},
        {"tracking 00340434161094042557", NULL},
        {"411111111111", NULL},
        {"1111111111111117", NULL},
        {"41111111111111111111111", NULL},
        {"4111 1111 (x) 1111 1111", NULL},
        {"", NULL},
        {"no digits", NULL},
    };

    (void)state;
    assert_masks(true, NULL, list, ARRAY_LEN(list));
}

/* A number in front does not shift what is seen of the card: at most its last four digits stay. */
static void beside_others(void **state)
{
    struct mask *m;
    uint32_t seed = 7;

    (void)state;
    assert_int_equal(mask_new(true, NULL, &m, NULL), 0);
    for (int i = 0; i < 2000; i++) {
        char text[80];
        struct buf out = {0};

        seed = seed * 1103515245u + 12345u;
        snprintf(text, sizeof text, "%u 4111 1111 1111 1111 %u", (seed >> 8) % 1000, (seed >> 20) % 1000);
        assert_true(mask_text(m, text, strlen(text), &out) > 0);
        assert_null(strstr(buf_str(&out), "4111"));
        assert_null(strstr(buf_str(&out), "1111 1111"));
        buf_free(&out);
    }
    mask_free(m);
}

/* Of a pattern's match all but white space is masked; of one with groups, the groups. */
static void patterns(void **state)
{
    static const char *const list[] = {"\\bpassword[: ]+(\\S+)", "DE\\d{2}(?: ?\\d{4}){4} ?\\d{2}",
                                       "(?i)größe \\w+", NULL};
    static const struct masked cases[] = {
        {"my password: hunter2 ok", "my password: ******* ok"},
        {"password a and password b", "password * and password *"},
        {"IBAN DE89 3704 0044 0532 0130 00.", "IBAN **** **** **** **** **** **."},
        {"Größe XL bitte", "***** ** bitte"},
        {"nothing here", NULL},
    };

    (void)state;
    assert_masks(false, list, cases, ARRAY_LEN(cases));
}

/* A pattern that matches nothing, everywhere, hides nothing and ends. */
static void empty_matches(void **state)
{
    static const char *const list[] = {"x*", NULL};
    static const struct masked cases[] = {{"äöü", NULL}, {"axxb", "a**b"}};

    (void)state;
    assert_masks(false, list, cases, ARRAY_LEN(cases));
}

/* A text that a pattern meets its limits on is masked as a whole rather than shown. */
static void limits(void **state)
{
    static const char *const list[] = {"(a+)+[bd]$", NULL};
    char text[2000];
    struct mask *m;
    struct buf out = {0};

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(mask_new(false, list, &m, NULL), 0);
    assert_int_equal(mask_text(m, text, strlen(text), &out), strlen(text));
    assert_int_equal(strspn(buf_str(&out), "*"), strlen(text));
    buf_free(&out);
    mask_free(m);
}

/* A pattern that is none is refused with its place. */
static void broken_pattern(void **state)
{
    static const char *const list[] = {"fine", "bro(ken", NULL};
    struct mask *m;
    struct err e = {0};

    (void)state;
    assert_int_equal(mask_new(true, list, &m, &e), ERR_INVALID);
    assert_null(m);
    assert_non_null(strstr(e.text, "patterns[1]"));
    assert_non_null(strstr(e.text, "offset"));
}

/* Without cards and patterns, or without a mask, nothing is masked. */
static void nothing(void **state)
{
    struct mask *m;
    struct buf out = {0};

    (void)state;
    assert_int_equal(mask_new(false, NULL, &m, NULL), 0);
    assert_int_equal(mask_text(m, "4111111111111111", 16, &out), 0);
    assert_int_equal(mask_text(NULL, "4111111111111111", 16, &out), 0);
    assert_string_equal(buf_str(&out), "");
    mask_free(m);
}

/* Bytes that are no UTF-8, and NULs, stay; cards beside them are masked. */
static void broken_text(void **state)
{
    static const char *const list[] = {"z", NULL};
    static const char text[] = "\xFF\0z 4111111111111111\xC3";
    static const char expected[] = "\xFF\0z ************1111\xC3";
    struct mask *m;
    struct buf out = {0};

    (void)state;
    assert_int_equal(mask_new(true, list, &m, NULL), 0);
    assert_int_equal(mask_text(m, text, sizeof text - 1, &out), 12);
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.data, expected, out.len);
    buf_free(&out);
    mask_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cards),          cmocka_unit_test(no_cards),      cmocka_unit_test(beside_others),
        cmocka_unit_test(patterns),       cmocka_unit_test(empty_matches), cmocka_unit_test(limits),
        cmocka_unit_test(broken_pattern), cmocka_unit_test(nothing),       cmocka_unit_test(broken_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
