/* base/buf: growable bytes and the read cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

/* An empty buffer reads as an empty text, and may be cleared, shortened and freed. */
static void empty(void **state)
{
    struct buf b = {0};

    (void)state;
    assert_string_equal(buf_str(&b), "");
    buf_clear(&b);
    buf_drop(&b, 0);
    buf_drop(&b, 10);
    buf_add(&b, NULL, 0);
    assert_int_equal(b.len, 0);
    buf_free(&b);
    assert_null(b.data);
}

/* What is added stands in order and NUL-terminated, formatted texts of every length around a growth too. */
static void grows(void **state)
{
    struct buf b = {0};
    char expected[400];

    (void)state;
    for (int len = 0; len < 300; len++) {
        memset(expected, 'x', sizeof expected);
        expected[len] = '\0';
        buf_clear(&b);
        buf_addc(&b, '<');
        buf_addf(&b, "%s", expected);
        buf_adds(&b, ">");
        assert_int_equal(b.len, len + 2);
        assert_int_equal(strlen(buf_str(&b)), len + 2);
        assert_int_equal(b.data[0], '<');
        assert_int_equal(b.data[len + 1], '>');
        if (len % 7 == 0)
            buf_free(&b);
    }
    buf_free(&b);
}

/* Dropping from the front keeps the rest and its terminator. */
static void drops(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_add(&b, "ab\0cd", 5);
    buf_drop(&b, 3);
    assert_int_equal(b.len, 2);
    assert_string_equal(buf_str(&b), "cd");
    buf_drop(&b, 3);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_str(&b), "");
    buf_free(&b);
}

/* The cursor's error stays: after one read past the end nothing more is handed out. */
static void cursor(void **state)
{
    struct cur c = cur_over("abc", 3), none = cur_over(NULL, 0);

    (void)state;
    assert_int_equal(cur_u8(&c), 'a');
    assert_memory_equal(cur_take(&c, 2), "bc", 2);
    assert_int_equal(cur_left(&c), 0);
    assert_false(c.failed);
    assert_int_equal(cur_u8(&c), 0);
    assert_true(c.failed);
    c.at = 0;
    assert_null(cur_take(&c, 1));
    assert_null(cur_take(&none, 0));
    assert_false(none.failed);
    c = cur_over("abc", 3);
    assert_null(cur_take(&c, SIZE_MAX));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(grows),
        cmocka_unit_test(drops),
        cmocka_unit_test(cursor),
    };

    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
