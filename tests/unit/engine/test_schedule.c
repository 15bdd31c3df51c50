/* Schedules and ranges of days: what they say, when they are next, also where the clock is changed. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/dates.h"
#include "engine/schedule.h"
#include "trial.h"

static struct zone *berlin;

static int set_up(void **state)
{
    (void)state;
    return zone_new("Europe/Berlin", &berlin, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    zone_free(berlin);
    return 0;
}

static int64_t moment(int year, int month, int day, int hour, int minute)
{
    return zone_moment(berlin, year, month, day, hour * 60 + minute);
}

static const char *shown(int64_t wall_ms)
{
    static char out[40];
    struct zone_time t;

    zone_local(berlin, wall_ms, &t);
    snprintf(out, sizeof out, "%04d-%02d-%02d %02d:%02d", t.year, t.month, t.day, t.minute / 60,
             t.minute % 60);
    return out;
}

/* The next times behind Saturday, 21 November 2026, 10:00. */
static void test_next(void **state)
{
    static const struct {
        const char *text, *next;
    } cases[] = {
        {"08:30", "2026-11-22 08:30"},
        {"10:00", "2026-11-22 10:00"},
        {"10:01", "2026-11-21 10:01"},
        {"daily 8:00, 17:00", "2026-11-21 17:00"},
        {"daily 17:00,8:00", "2026-11-21 17:00"},
        {"Mon-Fri 08:30", "2026-11-23 08:30"},
        {"mon,THU 12:00", "2026-11-23 12:00"},
        {"Sat-Mon 09:00", "2026-11-22 09:00"},
        {"1 09:00", "2026-12-01 09:00"},
        {"15,last 09:00", "2026-11-30 09:00"},
        {"Fri 13 12:00", "2027-08-13 12:00"},
        {"12-24 18:00", "2026-12-24 18:00"},
        {"02-29 00:00", "2028-02-29 00:00"},
        {"31 23:59", "2026-12-31 23:59"},
        {"every 15m", "2026-11-21 10:15"},
        {"every 1h", "2026-11-21 11:00"},
        {"every 1d", "2026-11-22 00:00"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct schedule s;
        struct err e = {0};

        if (schedule_parse(cases[i].text, &s, &e) != 0)
            fail_msg("%s: %s", cases[i].text, e.text);
        assert_string_equal(shown(schedule_next(&s, berlin, moment(2026, 11, 21, 10, 0))), cases[i].next);
    }
}

/* 02:30 comes behind the gap in spring, and once in autumn. */
static void test_clock_change(void **state)
{
    struct schedule s;
    int64_t at;

    (void)state;
    assert_int_equal(schedule_parse("02:30", &s, NULL), 0);
    at = schedule_next(&s, berlin, moment(2027, 3, 27, 12, 0));
    assert_string_equal(shown(at), "2027-03-28 03:00");
    assert_string_equal(shown(schedule_next(&s, berlin, at)), "2027-03-29 02:30");
    at = schedule_next(&s, berlin, moment(2026, 10, 24, 12, 0));
    assert_string_equal(shown(at), "2026-10-25 02:30");
    assert_string_equal(shown(schedule_next(&s, berlin, at)), "2026-10-26 02:30");
}

/* "every" stays on the clock's hours, also on the days that have 23 or 25 of them. */
static void test_every_over_clock_change(void **state)
{
    static const struct {
        const char *text;
        int month, day, hour;
        const char *next;
    } cases[] = {
        {"every 1d", 10, 25, 0, "2026-10-26 00:00"},   {"every 12h", 10, 25, 0, "2026-10-25 12:00"},
        {"every 12h", 10, 24, 23, "2026-10-25 00:00"}, {"every 6h", 10, 25, 0, "2026-10-25 06:00"},
        {"every 1d", 3, 28, 0, "2026-03-29 00:00"},    {"every 1d", 3, 29, 0, "2026-03-30 00:00"},
        {"every 12h", 3, 29, 0, "2026-03-29 12:00"},   {"every 2h", 3, 29, 1, "2026-03-29 04:00"},
        {"every 1h", 3, 29, 1, "2026-03-29 03:00"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct schedule s;

        assert_int_equal(schedule_parse(cases[i].text, &s, NULL), 0);
        assert_string_equal(
            shown(schedule_next(&s, berlin, moment(2026, cases[i].month, cases[i].day, cases[i].hour, 0))),
            cases[i].next);
    }
}

/* The next time is behind the last, and within two periods, of whatever length over both changes of the
 * clock. */
static void test_every_goes_on(void **state)
{
    static const struct {
        int month, day;
    } changes[] = {{3, 29}, {10, 25}};

    (void)state;
    for (int minutes = 1; minutes <= 300; minutes++)
        for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
            int64_t at = moment(2026, changes[i].month, changes[i].day, 0, 0);
            int64_t until = at + INT64_C(12 * 3600000), every_ms = minutes * INT64_C(60000);
            char text[32];
            struct schedule s;

            snprintf(text, sizeof text, "every %dm", minutes);
            assert_int_equal(schedule_parse(text, &s, NULL), 0);
            while (at < until) {
                int64_t next = schedule_next(&s, berlin, at);

                if (next <= at || next - at > 2 * every_ms)
                    fail_msg("%s: %lld s behind %s", text, (long long)(next - at) / 1000, shown(at));
                at = next;
            }
        }
}

/* What is no schedule is refused, and says what was expected. */
static void test_errors(void **state)
{
    static const char *const bad[] = {
        "",
        "Mon-Fri",
        "25:00",
        "8:60",
        "8:3",
        "08.30",
        "Mon-Foo 8:00",
        "0 09:00",
        "32 9:00",
        "13-01 09:00",
        "02-30 09:00",
        "every 5s",
        "every",
        "every 40d",
        "08:30 Mon",
        "12-24 12-25 8:00",
        "fortnightly 8:00",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct schedule s;
        struct err e = {0};

        if (schedule_parse(bad[i], &s, &e) != ERR_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_non_null(strstr(e.text, "expected"));
    }
}

/* Days with a year, without one, and over the year's end. */
static void test_dates(void **state)
{
    static const struct {
        const char *text;
        int month, day;
        bool holds;
    } cases[] = {
        {"2026-12-24", 12, 24, true},
        {"2026-12-24", 12, 25, false},
        {"12-24..01-06", 12, 31, true},
        {"12-24..01-06", 1, 6, true},
        {"12-24..01-06", 1, 7, false},
        {"12-24..01-06", 7, 1, false},
        {"2026-12-01 .. 2026-12-24", 12, 1, true},
        {"2025-12-24", 12, 24, false},
        {"05-01, 12-25", 12, 25, true},
    };
    static const char *const bad[] = {"",
                                      "12",
                                      "2026-13-01",
                                      "12-32",
                                      "2026-12-24..12-26",
                                      "2026-12-24..2026-12-01",
                                      "12-24...12-26",
                                      "tomorrow"};
    struct date_range *ranges;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone_time t = {.year = 2026, .month = cases[i].month, .day = cases[i].day};

        assert_int_equal(dates_parse(cases[i].text, &ranges, NULL), 0);
        assert_int_equal(dates_hold(ranges, &t), cases[i].holds);
        free(ranges);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (dates_parse(bad[i], &ranges, NULL) != ERR_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_clock_change),
        cmocka_unit_test(test_every_over_clock_change),
        cmocka_unit_test(test_every_goes_on),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_dates),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
