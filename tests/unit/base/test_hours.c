/* Time zones and business hours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hours.h"
#include "base/util.h"
#include "tests/lib/rt_sim.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };
#define DAY_MS INT64_C(86400000)

#define OPEN(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct zone *zone(const char *name)
{
    struct zone *z;

    assert_int_equal(zone_new(name, &z, NULL), 0);
    return z;
}

static struct hours *hours(const struct zone *z, const char *const *open, const char *const *closed)
{
    struct hours *h;
    struct err e = {0};

    if (hours_new(z, open, closed, &h, &e) != 0)
        fail_msg("%s", e.text);
    return h;
}

/* "2026-03-29 02:30" */
static int64_t at(const struct zone *z, const char *text)
{
    int y, mo, d, h, mi;

    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &y, &mo, &d, &h, &mi), 5);
    return zone_moment(z, y, mo, d, h * 60 + mi);
}

static void assert_utc(int64_t wall_ms, const char *expected)
{
    char text[32];

    wall_to_text(wall_ms, false, text);
    assert_string_equal(text, expected);
}

/* Moments become days and times of a zone, with the right weekday and offset, and come back. */
static void test_local(void **state)
{
    struct zone *z = zone("Europe/Berlin");
    struct zone_time t;

    (void)state;
    assert_string_equal(zone_name(z), "Europe/Berlin");
    zone_local(z, INT64_C(1795251600000), &t); /* 2026-11-21T09:00:00Z, a Saturday */
    assert_int_equal(t.year, 2026);
    assert_int_equal(t.month, 11);
    assert_int_equal(t.day, 21);
    assert_int_equal(t.weekday, 5);
    assert_int_equal(t.minute, 600);
    assert_int_equal(t.offset_s, 3600);
    assert_true(zone_moment(z, 2026, 11, 21, 600) == INT64_C(1795251600000));
    assert_utc(zone_moment(z, 2026, 7, 1, 0), "2026-06-30T22:00:00Z");
    assert_utc(zone_moment(z, 2026, 12, 32, 1440), "2027-01-01T23:00:00Z");
    assert_utc(zone_moment(z, 2026, 14, 0, 60), "2027-01-31T00:00:00Z");
    zone_free(z);
}

/* A time that the clock skips is the end of the gap; one that it shows twice is the first of the two. */
static void test_changes_of_clocks(void **state)
{
    struct zone *z = zone("Europe/Berlin"), *lord_howe = zone("Australia/Lord_Howe");

    (void)state;
    assert_utc(at(z, "2026-03-29 01:59"), "2026-03-29T00:59:00Z");
    assert_utc(at(z, "2026-03-29 02:00"), "2026-03-29T01:00:00Z");
    assert_utc(at(z, "2026-03-29 02:30"), "2026-03-29T01:00:00Z");
    assert_utc(at(z, "2026-03-29 03:00"), "2026-03-29T01:00:00Z");
    assert_utc(at(z, "2026-10-25 02:30"), "2026-10-25T00:30:00Z");
    assert_utc(at(z, "2026-10-25 03:00"), "2026-10-25T02:00:00Z");
    /* half an hour: 2026-10-04 02:00 -> 02:30, 2026-04-05 02:00 -> 01:30 */
    assert_utc(at(lord_howe, "2026-10-04 02:10"), "2026-10-03T15:30:00Z");
    assert_utc(at(lord_howe, "2026-04-05 01:45"), "2026-04-04T14:45:00Z");
    zone_free(z);
    zone_free(lord_howe);
}

/* Names that the tz database lacks are refused, and files are not names. */
static void test_unknown_zones(void **state)
{
    static const char *const names[] = {"Europe/Atlantis", "/etc/localtime", "../../../etc/localtime", "x"};
    struct zone *z;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(zone_new(names[i], &z, &e), ERR_NOT_FOUND);
        assert_null(z);
        assert_non_null(strstr(e.text, "Europe/Berlin"));
    }
}

/* A week of a shop, to the minute. */
static void test_open(void **state)
{
    static const struct {
        const char *at;
        bool open;
    } cases[] = {
        {"2026-11-23 08:59", false}, {"2026-11-23 09:00", true},  {"2026-11-23 12:29", true},
        {"2026-11-23 12:30", false}, {"2026-11-23 14:00", true},  {"2026-11-23 17:59", true},
        {"2026-11-23 18:00", false}, {"2026-11-28 10:00", true},  {"2026-11-29 12:00", false},
        {"2026-11-27 23:00", true},  {"2026-11-28 01:59", true},  {"2026-11-28 02:00", false},
        {"2026-12-25 10:00", false}, {"2027-12-25 10:00", false}, {"2026-12-30 10:00", false},
        {"2027-01-06 10:00", false}, {"2027-01-07 10:00", true},
    };
    struct zone *z = zone("Europe/Berlin");
    struct hours *h = hours(z, OPEN("Mon-Fri 09:00-12:30, 14:00-18:00", "sat 9:00-13:00", "Fri 22:00-02:00"),
                            OPEN("12-25", "2026-12-28..2027-01-06"));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (hours_open(h, at(z, cases[i].at)) != cases[i].open)
            fail_msg("%s", cases[i].at);
    hours_free(h);
    zone_free(z);
}

/* Christmas until the new year, each year. */
static void test_closed_over_new_year(void **state)
{
    struct zone *z = zone("UTC");
    struct hours *h = hours(z, OPEN("daily 08:00-20:00"), OPEN("12-24..01-02"));

    (void)state;
    assert_true(hours_open(h, at(z, "2026-12-23 10:00")));
    assert_false(hours_open(h, at(z, "2026-12-24 10:00")));
    assert_false(hours_open(h, at(z, "2027-01-02 10:00")));
    assert_utc(hours_next_open(h, at(z, "2029-12-24 10:00")), "2030-01-03T08:00:00Z");
    hours_free(h);
    zone_free(z);
}

/* The next opening and closing, also where stretches touch, over midnight, and where there is none. */
static void test_next(void **state)
{
    struct zone *z = zone("Europe/Berlin");
    struct hours *h = hours(z, OPEN("Mon-Fri 09:00-12:00, 12:00-18:00"), NULL);
    struct hours *always = hours(z, NULL, NULL), *never = hours(z, NULL, OPEN("01-01..12-31"));
    struct hours *night = hours(z, OPEN("Mon,Tue 18:00-09:00", "Tue 09:00-17:00"), NULL);
    int64_t monday = at(z, "2026-11-23 00:00");

    (void)state;
    assert_true(hours_next_open(h, at(z, "2026-11-20 18:00")) == monday + 9 * HOUR_MS);
    assert_true(hours_next_open(h, monday + 10 * HOUR_MS) == monday + 10 * HOUR_MS);
    assert_true(hours_next_close(h, monday + 10 * HOUR_MS) == monday + 18 * HOUR_MS);
    assert_true(hours_next_close(h, monday) == monday);
    assert_true(hours_next_close(night, monday + 19 * HOUR_MS) == monday + (24 + 17) * HOUR_MS);
    assert_true(hours_open(always, monday));
    assert_true(hours_next_close(always, monday) == 0);
    assert_true(hours_next_open(never, monday) == 0);
    assert_true(hours_add(never, monday, 1) == 0);
    assert_true(hours_add(always, monday, 5 * DAY_MS) == monday + 5 * DAY_MS);
    assert_true(hours_between(always, monday, monday + 400 * DAY_MS) == 400 * DAY_MS);
    hours_free(h);
    hours_free(always);
    hours_free(never);
    hours_free(night);
    zone_free(z);
}

/* Business time goes on on the next open day; a night in which the clocks are changed is an hour shorter or
 * longer. */
static void test_business_time(void **state)
{
    struct zone *z = zone("Europe/Berlin");
    struct hours *h = hours(z, OPEN("Mon-Fri 09:00-17:00"), OPEN("2026-11-24"));
    struct hours *night = hours(z, OPEN("Sat 22:00-06:00"), NULL);

    (void)state;
    assert_true(hours_add(h, at(z, "2026-11-20 16:00"), 2 * HOUR_MS) == at(z, "2026-11-23 10:00"));
    assert_true(hours_add(h, at(z, "2026-11-23 16:00"), 2 * HOUR_MS) == at(z, "2026-11-25 10:00"));
    assert_true(hours_add(h, at(z, "2026-11-21 12:00"), 0) == at(z, "2026-11-21 12:00"));
    assert_true(hours_add(h, at(z, "2026-11-23 09:00"), 8 * HOUR_MS) == at(z, "2026-11-23 17:00"));
    assert_true(hours_between(h, at(z, "2026-11-20 16:00"), at(z, "2026-11-25 10:00")) == 10 * HOUR_MS);
    assert_true(hours_between(h, at(z, "2026-11-21 16:00"), at(z, "2026-11-22 10:00")) == 0);
    assert_true(hours_between(h, at(z, "2026-11-23 12:00"), at(z, "2026-11-23 10:00")) == 0);
    assert_true(hours_between(night, at(z, "2026-03-28 12:00"), at(z, "2026-03-29 12:00")) == 7 * HOUR_MS);
    assert_true(hours_between(night, at(z, "2026-10-24 12:00"), at(z, "2026-10-25 12:00")) == 9 * HOUR_MS);
    hours_free(h);
    hours_free(night);
    zone_free(z);
}

/* A stretch within the hour that is skipped is none; one within the hour that is repeated counts both. */
static void test_stretch_in_change_of_clocks(void **state)
{
    struct zone *z = zone("Europe/Berlin");
    struct hours *h = hours(z, OPEN("Sun 02:10-02:50"), NULL),
                 *wide = hours(z, OPEN("Sun 02:00-03:00"), NULL);

    (void)state;
    assert_true(hours_between(h, at(z, "2026-03-28 12:00"), at(z, "2026-03-29 12:00")) == 0);
    assert_true(hours_next_open(h, at(z, "2026-03-28 12:00")) == at(z, "2026-04-05 02:10"));
    assert_true(hours_between(wide, at(z, "2026-10-24 12:00"), at(z, "2026-10-25 12:00")) == 2 * HOUR_MS);
    hours_free(h);
    hours_free(wide);
    zone_free(z);
}

/* What is written wrongly is refused, and the message says which and what was expected. */
static void test_errors(void **state)
{
    static const struct {
        const char *open, *closed, *says;
    } cases[] = {
        {"Mon", NULL, "times such as"},
        {"Mon-", NULL, "days and times"},
        {"09:00-18:00", NULL, "days and times"},
        {"Montag 09:00-18:00", NULL, "days and times"},
        {"Mon 9-18", NULL, "times such as"},
        {"Mon 09:00-25:00", NULL, "times such as"},
        {"Mon 09:60-10:00", NULL, "times such as"},
        {"Mon 24:00-25:00", NULL, "times such as"},
        {"Mon 09:00-09:00", NULL, "times such as"},
        {"Mon 09:00-18:00 or so", NULL, "nothing behind"},
        {"Mon 09:00-18:00,", NULL, "times such as"},
        {"", NULL, "days and times"},
        {NULL, "25.12.", "\"12-25\""},
        {NULL, "02-30", "\"12-25\""},
        {NULL, "2027-02-29", "\"12-25\""},
        {NULL, "2027-01-06..2026-12-24", "\"12-25\""},
        {NULL, "2027-01-06..02-24", "\"12-25\""},
        {NULL, "12-24.12-26", "\"12-25\""},
        {NULL, "12-24..", "\"12-25\""},
    };
    struct zone *z = zone("UTC");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct hours *h;
        struct err e = {0};
        const char *open[] = {cases[i].open, NULL}, *closed[] = {cases[i].closed, NULL};

        if (hours_new(z, cases[i].open ? open : NULL, closed, &h, &e) != ERR_INVALID || h)
            fail_msg("accepted: %s%s", cases[i].open ? cases[i].open : "",
                     cases[i].closed ? cases[i].closed : "");
        assert_non_null(strstr(e.text, cases[i].says));
    }
    zone_free(z);
}

/* ---- against a model ---- */

static int draw(struct rt *rt, int below)
{
    return (int)rt_sim_random(rt, (uint64_t)below);
}

static const char *random_open(struct rt *rt, char out[64])
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    int from = draw(rt, 288) * 5, to = 5 + draw(rt, 288) * 5;

    if (to == from)
        to = from == 1440 ? 5 : from + 5;
    snprintf(out, 64, "%s-%s %02d:%02d-%02d:%02d", days[draw(rt, 7)], days[draw(rt, 7)], from / 60, from % 60,
             to / 60, to % 60);
    return out;
}

/* Is it open in this minute? Day by day and stretch by stretch, from the text again. */
static bool model_open(const struct zone *z, const char *const *open, int64_t t)
{
    struct zone_time day;

    for (int back = 0; back <= 1; back++) {
        zone_local(z, t, &day);
        zone_local(z, zone_moment(z, day.year, day.month, day.day - back, 720), &day);
        for (int i = 0; open[i]; i++) {
            static const char names[] = "MonTueWedThuFriSatSun";
            char a[4], b[4];
            int h1, m1, h2, m2, from, to, end;

            assert_int_equal(sscanf(open[i], "%3s-%3s %d:%d-%d:%d", a, b, &h1, &m1, &h2, &m2), 6);
            from = (int)(strstr(names, a) - names) / 3;
            to = (int)(strstr(names, b) - names) / 3;
            if (from <= to ? day.weekday < from || day.weekday > to : day.weekday < from && day.weekday > to)
                continue;
            end = h2 * 60 + m2;
            end += end < h1 * 60 + m1 ? 1440 : 0;
            if (zone_moment(z, day.year, day.month, day.day, h1 * 60 + m1) <= t &&
                t < zone_moment(z, day.year, day.month, day.day, end))
                return true;
        }
    }
    return false;
}

/* Whatever hours in whatever zone: open, next opening and closing, business time added and between are what
 * going through every five minutes says, also where the clocks are changed. */
static void test_model(void **state)
{
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC",
                                        "Africa/Casablanca"};
    enum { STEP_MS = 5 * MINUTE_MS, STEPS = 9 * 288 };
    struct rt *rt = rt_sim_new(rt_sim_seed(7));

    (void)state;
    for (int round = 0; round < 40; round++) {
        struct zone *z = zone(zones[draw(rt, ARRAY_LEN(zones))]);
        char text[3][64];
        const char *open[4] = {NULL};
        /* around changes of clocks in March, April, October and November */
        int64_t start =
            at(z, (const char *[]){"2026-03-05 00:00", "2026-03-25 00:00", "2026-04-01 00:00",
                                   "2026-10-01 00:00", "2026-10-22 00:00", "2026-10-29 00:00"}[draw(rt, 6)]);
        static bool is_open[STEPS];
        int64_t sum = 0, from = draw(rt, 288);
        struct hours *h;

        for (int i = 0, n = 1 + draw(rt, 3); i < n; i++)
            open[i] = random_open(rt, text[i]);
        h = hours(z, open, NULL);
        for (int i = 0; i < STEPS; i++) {
            is_open[i] = model_open(z, open, start + (int64_t)i * STEP_MS);
            assert_int_equal(hours_open(h, start + (int64_t)i * STEP_MS), is_open[i]);
        }
        for (int64_t i = from; i < STEPS; i++) {
            int64_t t = start + i * STEP_MS, begin = start + from * STEP_MS;

            if (is_open[i] && (i == 0 || !is_open[i - 1]) && i > from)
                assert_true(hours_next_open(h, t - STEP_MS) == t);
            if (!is_open[i] && i > from && is_open[i - 1])
                assert_true(hours_next_close(h, t - STEP_MS) == t);
            if (i % 97 == 0 || i == STEPS - 1)
                assert_true(hours_between(h, begin, t) == sum);
            sum += is_open[i] ? STEP_MS : 0;
            if (is_open[i] && i % 53 == 0)
                assert_true(hours_add(h, begin, sum) == t + STEP_MS);
        }
        hours_free(h);
        zone_free(z);
    }
    rt_sim_free(rt);
}

/* ---- words ---- */

/* When it opens next, in the words of each language. */
static void test_words(void **state)
{
    static const struct {
        const char *at, *language, *expected;
    } cases[] = {
        {"2026-11-23 10:00", "en", "now"},
        {"2026-11-23 08:00", "en", "today at 9:00"},
        {"2026-11-23 19:00", "en", "tomorrow at 9:00"},
        {"2026-11-27 19:00", "en", "on Monday at 9:00"},
        {"2026-12-23 19:00", "en", "on 7 January at 9:00"},
        {"2026-11-23 08:00", "de", "heute um 9:00 Uhr"},
        {"2026-11-23 19:00", "de-AT", "morgen um 9:00 Uhr"},
        {"2026-11-27 19:00", "de", "am Montag um 9:00 Uhr"},
        {"2026-12-23 19:00", "de", "am 7. Januar um 9:00 Uhr"},
        {"2026-11-27 19:00", "fr", "lundi à 9:00"},
        {"2026-12-23 19:00", "fr", "le 7 janvier à 9:00"},
        {"2026-11-27 19:00", "es", "el lunes a las 9:00"},
        {"2026-12-23 19:00", "es", "el 7 de enero a las 9:00"},
        {"2026-11-27 19:00", "it", "lunedì alle 9:00"},
        {"2026-11-27 19:00", "nl", "op maandag om 9:00 uur"},
        {"2026-11-27 19:00", "pt_BR", "na segunda-feira às 9:00"},
        {"2026-11-27 19:00", "tr", "pazartesi günü saat 9:00"},
        {"2026-12-23 19:00", "tr", "7 Ocak saat 9:00"},
        {"2026-11-27 19:00", "pl", "w poniedziałek o 9:00"},
        {"2026-11-27 19:00", "ja", "on Monday at 9:00"},
        {"2026-11-27 19:00", "", "on Monday at 9:00"},
    };
    struct zone *z = zone("Europe/Berlin");
    struct hours *h = hours(z, OPEN("Mon-Fri 9:00-18:00"), OPEN("2026-12-24..2027-01-06"));
    struct hours *never = hours(z, NULL, OPEN("01-01..12-31")),
                 *one = hours(z, OPEN("daily 1:00-2:00"), NULL);
    char out[96];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        hours_next_words(h, at(z, cases[i].at), cases[i].language, out);
        assert_string_equal(out, cases[i].expected);
    }
    hours_next_words(never, at(z, "2026-11-27 19:00"), "de", out);
    assert_string_equal(out, "später");
    hours_next_words(one, at(z, "2026-11-27 19:00"), "es", out);
    assert_string_equal(out, "mañana a la 1:00");
    hours_free(h);
    hours_free(never);
    hours_free(one);
    zone_free(z);
}

/* Each form there is comes once, and what is said at any time is none longer than the longest of them. */
static void test_forms(void **state)
{
    static const char *const languages[] = {"en", "de", "fr", "es", "it", "nl", "pt", "tr", "pl"};
    struct zone *z = zone("Europe/Berlin");
    struct hours *h = hours(z, OPEN("Mon-Sun 22:30-23:00"), OPEN("2026-12-24..2027-01-06"));
    int all = 0, in_any = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
        char out[96], longest[96] = "";

        for (int k = 0; hours_words_form(languages[i], k, out); k++, all++)
            if (strlen(out) > strlen(longest))
                str_copy(longest, sizeof longest, out);
        for (int day = 0; day < 60; day++) {
            hours_next_words(h, at(z, "2026-11-27 19:00") + day * INT64_C(86400000), languages[i], out);
            assert_true(strlen(out) <= strlen(longest));
        }
    }
    for (char out[96]; hours_words_form("", in_any, out);)
        in_any++;
    assert_int_equal(in_any, all);
    hours_free(h);
    zone_free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_changes_of_clocks),
        cmocka_unit_test(test_unknown_zones),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_closed_over_new_year),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_business_time),
        cmocka_unit_test(test_stretch_in_change_of_clocks),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
