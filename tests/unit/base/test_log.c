/* base/log: levels, escaping, masking, limiting; base/err: the chain of causes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "base/utf8.h"

static char last[4096];
static int lines;

static void keep(enum log_level level, const char *who, const char *line)
{
    lines++;
    snprintf(last, sizeof last, "%d %s: %s", (int)level, who, line);
}

static int setup(void **state)
{
    (void)state;
    lines = 0;
    log_set_level(LOG_INFO);
    log_set_sink(keep);
    return 0;
}

/* Lines above the level are not written. */
static void levels(void **state)
{
    (void)state;
    log_info("modem counter", "ready signal_dbm=%d", -71);
    assert_string_equal(last, "6 modem counter: ready signal_dbm=-71");
    log_debug("x", "not written");
    assert_int_equal(lines, 1);
    log_set_level(LOG_DEBUG);
    log_debug("x", "written");
    assert_int_equal(lines, 2);
}

/* Nothing from outside can begin a line of its own or drive a terminal. */
static void escapes(void **state)
{
    (void)state;
    log_info("x", "a\r\nb\tc\x1B[2J\x7F\xC2\x9B\xFFö€");
    assert_string_equal(last, "6 x: a\\r\\nb\\tc\\x1B[2J\\x7F\\x9B\\xFFö€");
}

/* A line that is too long is cut between characters and says so. */
static void cuts(void **state)
{
    char text[3000];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA4", 2);
    text[sizeof text - 2] = '\0';
    log_info("x", "%s", text);
    assert_true(strlen(last) > 2000 && strlen(last) < 2100);
    log_info("x", "%.1500s%s", "", text);
    memset(text, '\n', 1999);
    text[1999] = '\0';
    log_info("x", "%s", text);
    assert_true(utf8_valid(last, strlen(last)));
    assert_string_equal(last + strlen(last) - strlen("…"), "…");
}

/* Numbers of people are masked in the middle, short codes and names are not, and debug shows all. */
static void masks_numbers(void **state)
{
    (void)state;
    assert_string_equal(log_number("+491701234567"), "+49170…567");
    assert_string_equal(log_number("1234567"), "…567");
    assert_string_equal(log_number("12345678"), "1…678");
    assert_string_equal(log_number("72000"), "72000");
    assert_string_equal(log_number("Vodafone"), "Vodafone");
    assert_string_equal(log_number("a long text, not a number"), "a long…ber");
    assert_string_equal(log_number(NULL), "-");
    log_set_level(LOG_DEBUG);
    assert_string_equal(log_number("+491701234567"), "+491701234567");
}

/* Texts are told by their length only, but at debug. Several fit in one line. */
static void masks_texts(void **state)
{
    (void)state;
    log_info("x", "%s %s", log_text("grüße"), log_text(""));
    assert_string_equal(last, "6 x: (5 characters) (0 characters)");
    log_set_level(LOG_DEBUG);
    assert_string_equal(log_text("grüße"), "\"grüße\"");
    assert_string_equal(log_text(NULL), "-");
}

/* Five lines of a flood pass in ten seconds, and the next one that passes tells how many did not. */
static void limits(void **state)
{
    struct log_limit l = {0};
    unsigned left_out, passed = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        passed += log_limit_pass(&l, 50000 + i * 10, &left_out);
        assert_int_equal(left_out, 0);
    }
    assert_int_equal(passed, 5);
    assert_true(log_limit_pass(&l, 60000, &left_out));
    assert_int_equal(left_out, 95);
    assert_true(log_limit_pass(&l, 60001, &left_out));
    assert_int_equal(left_out, 0);
}

/* The words of each caller stand before the cause, and the operating system's reason behind it. */
static void error_chain(void **state)
{
    struct err e = {0};

    (void)state;
    errno = ENOENT;
    assert_int_equal(err_errno(&e, "%s", "/dev/ttyUSB0"), ERR_NOT_FOUND);
    assert_int_equal(err_wrap(&e, "open"), ERR_NOT_FOUND);
    assert_int_equal(err_wrap(&e, "modem %s", "counter"), ERR_NOT_FOUND);
    assert_string_equal(e.text, "modem counter: open: /dev/ttyUSB0: No such file or directory");
    assert_int_equal(err_set(NULL, ERR_BUSY, "x"), ERR_BUSY);
    assert_string_equal(err_name(ERR_BUSY), "busy");
    assert_string_equal(err_name(-1000), "unknown error");
    assert_string_equal(err_name(1), "unknown error");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(levels, setup),      cmocka_unit_test_setup(escapes, setup),
        cmocka_unit_test_setup(cuts, setup),        cmocka_unit_test_setup(masks_numbers, setup),
        cmocka_unit_test_setup(masks_texts, setup), cmocka_unit_test_setup(limits, setup),
        cmocka_unit_test_setup(error_chain, setup),
    };

    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
