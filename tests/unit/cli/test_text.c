/* cli/text: what reaches an administrator's terminal, and how wide it is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "tests/unit/cli/capture.h"

static void becomes(const char *text, const char *wanted)
{
    struct buf out = {0};

    text_safe(&out, text, false);
    assert_string_equal(buf_str(&out), wanted);
    buf_free(&out);
}

/* Nothing that a terminal obeys gets through: escape sequences in 7 and 8 bits, bells, backspaces, changes of
 * writing direction, broken UTF-8. Letters of any language do. */
static void test_harmless(void **state)
{
    (void)state;
    becomes("Grüße 🎂 наше مرحبا", "Grüße 🎂 наше مرحبا");
    becomes("\033[2J\033]0;title\007", "\\x1b[2J\\x1b]0;title\\x07");
    becomes("\302\2332J", "\\x9b2J");
    becomes("a\bb\177c\r", "a\\x08b\\x7fc\\x0d");
    becomes("one\r\ntwo\nthree\tfour", "one⏎two⏎three four");
    becomes("abc\342\200\256def", "abc\\u202edef");
    becomes("\233[2J\300\200\377", "�[2J���");
}

/* No byte sequence makes a control character of its own. */
static void test_harmless_all(void **state)
{
    struct buf out = {0};

    (void)state;
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256; b++) {
            const char text[] = {(char)a, (char)b, '\0'};

            buf_clear(&out);
            text_safe(&out, text, false);
            for (size_t i = 0; i < out.len; i++) {
                unsigned char c = (unsigned char)out.data[i];

                assert_true(c >= 0x20 && c != 0x7F);
                if (c == 0xC2)
                    assert_true((unsigned char)out.data[i + 1] >= 0xA0);
            }
        }
    }
    buf_free(&out);
}

/* Width counts columns, not bytes: East Asian letters and emoji take two, combining marks none. */
static void test_width(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("äöü"), 3);
    assert_int_equal(text_width("日本"), 4);
    assert_int_equal(text_width("🎂"), 2);
    assert_int_equal(text_width("e\xcc\x81"), 1);
}

static void cuts(const char *text, int width, const char *wanted)
{
    struct buf out = {0};

    text_cut(&out, text, width);
    assert_string_equal(buf_str(&out), wanted);
    assert_true(text_width(buf_str(&out)) <= width);
    buf_free(&out);
}

/* Text is cut between characters, and what is cut ends with "…". */
static void test_cut(void **state)
{
    (void)state;
    cuts("hello", 5, "hello");
    cuts("hello!", 5, "hell…");
    cuts("äöüß", 3, "äö…");
    cuts("日本語", 5, "日本…");
    cuts("日本語", 4, "日…");
}

static void print_table(void)
{
    static const struct column columns[] = {{"ID", true}, {"WHO", false}, {"TEXT", false}};
    struct table t;

    table_begin(&t, columns, ARRAY_LEN(columns));
    table_cell(&t, PLAIN, "7");
    table_cell(&t, RED, "Jürgen");
    table_cell(&t, PLAIN, "a long text\nwith \033[31mtwo lines");
    table_cell(&t, PLAIN, "1000");
    table_cell(&t, PLAIN, "日本");
    table_cell(&t, PLAIN, "");
    table_print(&t);
}

/* Columns are aligned for the widest cell; without a terminal there are no colours and nothing is cut. */
static void test_table(void **state)
{
    (void)state;
    text_set(false, 0);
    assert_string_equal(printed(print_table), "  ID  WHO     TEXT\n"
                                              "   7  Jürgen  a long text⏎with \\x1b[31mtwo lines\n"
                                              "1000  日本\n");
    text_set(true, 26);
    assert_string_equal(printed(print_table), "  \033[1mID\033[0m  \033[1mWHO\033[0m     \033[1mTEXT\033[0m\n"
                                              "   7  \033[31mJürgen\033[0m  a long text…\n"
                                              "1000  日本\n");
    text_set(false, 0);
}

static json_t *document;

static void print_document(void)
{
    print_json(document);
}

/* JSON keeps a message's text, yet has no control characters in it, of which some terminals obey C1 and DEL.
 */
static void test_json(void **state)
{
    (void)state;
    document = json_pack("{ss}", "text", "\033[2J\302\2332J\177ü\n");
    assert_string_equal(printed(print_document), "{\"text\":\"\\u001B[2J\\u009b2J\\u007fü\\n\"}\n");
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harmless), cmocka_unit_test(test_harmless_all), cmocka_unit_test(test_width),
        cmocka_unit_test(test_cut),      cmocka_unit_test(test_table),        cmocka_unit_test(test_json),
    };

    text_init();
    text_set(false, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
