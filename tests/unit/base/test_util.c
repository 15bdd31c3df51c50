/* base/util: numbers, durations, times and hex from text. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/util.h"

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

/* 2026-11-21T09:30:00Z */
#define NOW_MS INT64_C(1795253400000)

/* A copy that fits is whole; one that does not is cut and still terminated. */
static void copies(void **state)
{
    char dst[4];

    (void)state;
    assert_true(str_copy(dst, sizeof dst, "abc"));
    assert_string_equal(dst, "abc");
    assert_false(str_copy(dst, sizeof dst, "abcd"));
    assert_string_equal(dst, "abc");
    assert_false(str_copy(dst, 0, "x"));
}

/* Only a text that is wholly one number within the bounds is a number, up to both ends of 64 bits. */
static void integers(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      " 1",
                                      "1 ",
                                      "1x",
                                      "0x10",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999"};
    int64_t value = 0;

    (void)state;
    assert_true(str_to_i64("42", 0, 100, &value) && value == 42);
    assert_true(str_to_i64("-7", -10, 0, &value) && value == -7);
    assert_true(str_to_i64("+7", 0, 10, &value) && value == 7);
    assert_true(str_to_i64("9223372036854775807", INT64_MIN, INT64_MAX, &value) && value == INT64_MAX);
    assert_true(str_to_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &value) && value == INT64_MIN);
    value = 5;
    assert_false(str_to_i64("101", 0, 100, &value));
    assert_false(str_to_i64("-1", 0, 100, &value));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_to_i64(bad[i], INT64_MIN, INT64_MAX, &value));
    assert_int_equal(value, 5);
}

/* Durations are sums of numbers with a unit, or bare seconds; everything else and over 100 years is refused.
 */
static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},           {"90", 90000},     {"90s", 90000},          {"15m", 900000},
                {"2h", 7200000},    {"3d", 259200000}, {"1w", 604800000},       {"1d12h", 129600000},
                {"1h30m", 5400000}, {"0s5m", 300000},  {"5217w", 3155241600000}};
    static const char *const bad[] = {
        "", "h", "-1h", "1x", "1h ", " 1h", "1h30", "1.5h", "0s5", "5400w", "99999999999999999999s", "1ms"};
    int64_t ms = -1;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(str_to_duration_ms(good[i].text, &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_to_duration_ms(bad[i], &ms));
}

/* Times are written in UTC or in local time with the offset of their own date. */
static void times_written(void **state)
{
    char text[32];

    (void)state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    wall_to_text(NOW_MS, false, text);
    assert_string_equal(text, "2026-11-21T09:30:00Z");
    wall_to_text(NOW_MS, true, text);
    assert_string_equal(text, "2026-11-21T10:30:00+01:00");
    wall_to_text(NOW_MS - INT64_C(150) * 86400000, true, text);
    assert_string_equal(text, "2026-06-24T11:30:00+02:00");
    use_zone("NST3:30");
    wall_to_text(NOW_MS, true, text);
    assert_string_equal(text, "2026-11-21T06:00:00-03:30");
    wall_to_text(-1, false, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    wall_to_text(INT64_MAX, true, text);
    wall_to_text(INT64_MIN, true, text);
}

/* Each accepted way to write a time gives the right instant. */
static void times_read(void **state)
{
    static const struct {
        const char *text;
        const char *utc;
    } good[] = {
        {"2026-11-21T09:30:00Z", "2026-11-21T09:30:00Z"},
        {"2026-11-21t09:30:00z", "2026-11-21T09:30:00Z"},
        {"2026-11-21T09:30:00+05:45", "2026-11-21T03:45:00Z"},
        {"2026-11-21T09:30:00.250-03:30", "2026-11-21T13:00:00Z"},
        {"2024-02-29 12:00", "2024-02-29T11:00:00Z"},
        {"2026-07-01 12:00:05", "2026-07-01T10:00:05Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
        {"10:31", "2026-11-21T09:31:00Z"}, /* in a minute */
        {"10:30", "2026-11-22T09:30:00Z"}, /* it is just that: tomorrow */
        {"00:00", "2026-11-21T23:00:00Z"},
        {"+2h", "2026-11-21T11:30:00Z"},
        {"+1d12h", "2026-11-22T21:30:00Z"},
    };
    char text[32];
    int64_t ms;

    (void)state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (!wall_from_text(good[i].text, NOW_MS, &ms))
            fail_msg("refused: %s", good[i].text);
        wall_to_text(ms, false, text);
        assert_string_equal(text, good[i].utc);
    }
    assert_true(wall_from_text("2026-11-21T09:30:00.2509Z", NOW_MS, &ms));
    assert_int_equal(ms, NOW_MS + 250);
}

/* Over the night in which the clocks change, "the next 12:00" is still noon. */
static void times_over_clock_change(void **state)
{
    int64_t now, ms;
    char text[32];

    (void)state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_true(wall_from_text("2026-10-24 13:00", 0, &now));
    assert_true(wall_from_text("12:00", now, &ms));
    wall_to_text(ms, true, text);
    assert_string_equal(text, "2026-10-25T12:00:00+01:00");
}

/* What is no time, or none that exists, is refused. */
static void times_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "tomorrow",
                                      "24:00",
                                      "9:30",
                                      "09:60",
                                      "09:30x",
                                      "+",
                                      "+2x",
                                      "2026-02-29 12:00",
                                      "1900-02-29T00:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-00-01T00:00:00Z",
                                      "2026-11-31T00:00:00Z",
                                      "2026-11-21",
                                      "2026-11-21T",
                                      "2026-11-21T09:30:00.Z",
                                      "2026-11-21T09:30:00+1:00",
                                      "2026-11-21T09:30:00ZZ",
                                      "2026-11-21T09:30:61Z"};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (wall_from_text(bad[i], NOW_MS, &ms))
            fail_msg("accepted: %s", bad[i]);
}

/* A day alone is one that there is, with nothing behind it. */
static void day_from(void **state)
{
    int year, month, day;

    (void)state;
    assert_true(day_from_text("2028-02-29", &year, &month, &day));
    assert_int_equal(year * 10000 + month * 100 + day, 20280229);
    assert_false(day_from_text("2026-02-29", &year, &month, &day));
    assert_false(day_from_text("2026-11-21 09:30", &year, &month, &day));
    assert_false(day_from_text("", &year, &month, &day));
}

/* Hex goes both ways; odd, wrong and too much are told apart. */
static void hex(void **state)
{
    uint8_t bytes[4];
    char text[9];

    (void)state;
    assert_int_equal(hex_decode("00ffA5c0", 8, bytes, sizeof bytes), 4);
    assert_memory_equal(bytes, "\x00\xFF\xA5\xC0", 4);
    hex_encode(bytes, 4, text);
    assert_string_equal(text, "00FFA5C0");
    assert_int_equal(hex_decode("", 0, bytes, sizeof bytes), 0);
    assert_int_equal(hex_decode("000", 3, bytes, sizeof bytes), ERR_TRUNCATED);
    assert_int_equal(hex_decode("0011223344", 10, bytes, sizeof bytes), ERR_TOO_LONG);
    assert_int_equal(hex_decode("0 ", 2, bytes, sizeof bytes), ERR_INVALID);
    assert_int_equal(hex_decode("G0", 2, bytes, sizeof bytes), ERR_INVALID);
    assert_int_equal(hex_decode("\xC3\xA4", 2, bytes, sizeof bytes), ERR_INVALID);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),        cmocka_unit_test(integers),
        cmocka_unit_test(durations),     cmocka_unit_test(times_written),
        cmocka_unit_test(times_read),    cmocka_unit_test(times_over_clock_change),
        cmocka_unit_test(times_refused), cmocka_unit_test(day_from),
        cmocka_unit_test(hex),
    };

    return cmocka_run_group_tests_name("base/util", tests, NULL, NULL);
}
