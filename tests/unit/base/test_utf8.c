/* base/utf8: what RFC 3629 allows, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "base/util.h"

/* Every code point survives being written and read; a surrogate becomes U+FFFD. */
static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        bool surrogate = cp >= 0xD800 && cp <= 0xDFFF;
        char bytes[4];
        size_t len = utf8_put(cp, bytes), at = 0;

        if (utf8_next(bytes, len, &at) != (surrogate ? UTF8_REPLACEMENT : cp) || at != len ||
            !utf8_valid(bytes, len) || utf8_count(bytes, len) != 1)
            fail_msg("U+%04X", (unsigned)cp);
    }
}

/* Overlong forms, surrogates, values above U+10FFFF, stray and missing bytes: not valid, and the reader takes
 * one byte of each at a time. */
static void malformed(void **state)
{
    static const char *const bad[] = {
        "\x80",         "\xBF",         "\xC0\x80",         "\xC1\xBF",
        "\xC3",         "\xC3(",        "\xE0\x80\x80",     "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82",         "\xF0\x80\x80\x80",
        "\xF0\x9F\x98", "\xFE",         "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80",
        "\xFF"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        size_t at = 0;

        assert_false(utf8_valid(bad[i], strlen(bad[i])));
        assert_int_equal(utf8_next(bad[i], strlen(bad[i]), &at), UTF8_REPLACEMENT);
        assert_int_equal(at, 1);
    }
    assert_int_equal(utf8_put(0x110000, (char[4]){0}), 3);
}

/* U+FFFD written by somebody is valid, NUL is a character, and counting counts code points. */
static void counts(void **state)
{
    (void)state;
    assert_true(utf8_valid("\xEF\xBF\xBD", 3));
    assert_true(utf8_valid("a\0b", 3));
    assert_true(utf8_valid("", 0));
    assert_int_equal(utf8_count("a€😀", strlen("a€😀")), 3);
    assert_int_equal(utf8_count("", 0), 0);
}

/* What was cut within a character is mended, what is sound stays, the replacement character too. */
static void mended(void **state)
{
    char cut[] = "caf\xC3", mixed[] = "\xFFö\xE2\x82x\xEF\xBF\xBD", sound[] = "öß€👍";

    (void)state;
    utf8_mend(cut);
    assert_string_equal(cut, "caf?");
    utf8_mend(mixed);
    assert_string_equal(mixed, "?ö??x\xEF\xBF\xBD");
    utf8_mend(sound);
    assert_string_equal(sound, "öß€👍");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(malformed),
        cmocka_unit_test(counts),
        cmocka_unit_test(mended),
    };

    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
