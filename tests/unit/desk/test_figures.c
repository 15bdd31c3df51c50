/* What is computed of figures, and objectives as they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "desk/figures.h"
#include "engine/program.h"

#define HOUR (INT64_C(3600000))

static void expect(double got, double wanted)
{
    if (got < wanted - 1e-9 || got > wanted + 1e-9)
        fail_msg("%.9g, not %.9g", got, wanted);
}

/* Shares of what there is; -1 of what there is not. */
static void test_shares(void **state)
{
    struct figure_row row = {.n = {[FIGURE_OUT] = 8,
                                   [FIGURE_AUTOMATIC] = 2,
                                   [FIGURE_DELIVERED] = 6,
                                   [FIGURE_UNDELIVERED] = 1,
                                   [FIGURE_FAILED] = 1,
                                   [FIGURE_ASKED] = 5,
                                   [FIGURE_ANSWERED] = 4}};
    struct figure_rates r;

    (void)state;
    figures_rates(&row, 1, 5, &r);
    expect(r.automatic, 0.25);
    expect(r.delivered, 0.75);
    expect(r.answered, 0.8);
    expect(r.satisfied, -1);
    figures_rates(&(struct figure_row){.day = 0}, 1, 5, &r);
    expect(r.automatic, -1);
    expect(r.delivered, -1);
    expect(r.mean_score, -1);
    assert_true(r.promoters < -1);
}

/* Satisfied are 4 and 5 of 1-5, 7 to 9 of 1-9; promoters less detractors of 0-10. */
static void test_scores(void **state)
{
    const struct figure_row five = {.scores = {[1] = 1, [3] = 1, [4] = 2, [5] = 4}};
    const struct figure_row nine = {.scores = {[6] = 1, [7] = 1, [9] = 2}};
    const struct figure_row ten = {.scores = {[0] = 1, [6] = 1, [7] = 2, [8] = 1, [9] = 2, [10] = 3}};
    struct figure_rates r;

    (void)state;
    figures_rates(&five, 1, 5, &r);
    expect(r.satisfied, 6.0 / 8);
    expect(r.mean_score, 32.0 / 8);
    assert_true(r.promoters < -1);
    figures_rates(&nine, 1, 9, &r);
    expect(r.satisfied, 3.0 / 4);
    figures_rates(&ten, 0, 10, &r);
    expect(r.promoters, (5.0 - 2) / 10);
    expect(r.satisfied, 0.5);
    figures_rates(&(struct figure_row){.scores = {[0] = 1, [1] = 3}}, 0, 1, &r); /* thumbs down or up */
    expect(r.satisfied, 3.0 / 4);
    figures_rates(&five, 0, 0, &r); /* no survey is configured */
    expect(r.satisfied, -1);
}

/* ---- objectives ------------------------------------------------------------------------------------------
 */

static const char *const weekdays[] = {"Mon-Fri 09:00-18:00", NULL};
static const char *const lunch[] = {"Mon-Fri 09:00-12:00, 13:00-18:00", "Sat 10:00-14:00", NULL};
static const char *const night[] = {"Fri-Sat 22:00-04:00", NULL};

/* A business day is what an open day is open on average, in every zone. */
static void test_business_day(void **state)
{
    static const struct {
        const char *zone;
        const char *const *open;
        int64_t hours;
    } cases[] = {{"UTC", weekdays, 9 * HOUR},
                 {"Pacific/Auckland", weekdays, 9 * HOUR},
                 {"America/Los_Angeles", weekdays, 9 * HOUR},
                 {"Europe/Berlin", lunch, 44 * HOUR / 6},
                 {"Europe/Berlin", night, 6 * HOUR},
                 {"Europe/Berlin", NULL, 24 * HOUR}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone *z;
        struct hours *h;
        struct err e;

        assert_int_equal(zone_new(cases[i].zone, &z, &e), 0);
        assert_int_equal(hours_new(z, cases[i].open, NULL, &h, &e), 0);
        assert_int_equal(objectives_business_day_ms(h), cases[i].hours);
        hours_free(h);
        zone_free(z);
    }
}

static char told[1024];

static void tell(void *owner, const char *text)
{
    size_t n = strlen(told);

    (void)owner;
    snprintf(told + n, sizeof told - n, "%s\n", text);
}

/* One objective of a shop that is open from nine to six, compiled; the problems are in `told`. */
static void with_objective(struct objective_conf c, void (*look)(const struct objective *o, int64_t wanted),
                           int64_t wanted)
{
    static const struct department_conf departments[] = {{.name = "sales",
                                                          .place = "departments[0]",
                                                          .modem = "",
                                                          .pool = "",
                                                          .hours = {.zone = "", .open = lunch}}};
    struct engine_conf conf = {.hours = {.zone = "Europe/Berlin", .open = weekdays},
                               .departments = departments,
                               .ndepartments = 1,
                               .objectives = &c,
                               .nobjectives = 1};
    struct problems p = {tell, NULL, 0};
    struct fold *fold = fold_new();
    struct staff staff = {0};
    struct objectives o = {0};

    c.name = "it";
    c.place = "objectives[0]";
    c.target = c.target ? c.target : "";
    c.department = c.department ? c.department : "";
    told[0] = '\0';
    staff_compile(&staff, &conf, fold, &p);
    objectives_compile(&o, &conf, &staff, &p);
    assert_int_equal(o.count, 1);
    look(&o.all[0], wanted);
    objectives_fini(&o);
    staff_fini(&staff);
    fold_free(fold);
}

static void look_target(const struct objective *o, int64_t wanted)
{
    assert_string_equal(told, "");
    assert_int_equal(o->target_ms, wanted);
}

static void look_nothing(const struct objective *o, int64_t wanted)
{
    (void)o;
    (void)wanted;
}

/* Targets by the calendar and in opening hours, of the department that is named. */
static void test_targets(void **state)
{
    (void)state;
    with_objective((struct objective_conf){.figure = "first_response", .target = "15m"}, look_target,
                   HOUR / 4);
    with_objective((struct objective_conf){.figure = "first_response", .target = "2d"}, look_target,
                   48 * HOUR);
    with_objective((struct objective_conf){.figure = "next_response", .target = "4h business"}, look_target,
                   4 * HOUR);
    with_objective((struct objective_conf){.figure = "resolution", .target = "1d business"}, look_target,
                   9 * HOUR);
    with_objective((struct objective_conf){.figure = "resolution", .target = "1d4h business"}, look_target,
                   13 * HOUR);
    with_objective((struct objective_conf){.figure = "resolution", .target = "1w business"}, look_target,
                   45 * HOUR);
    with_objective(
        (struct objective_conf){.figure = "resolution", .target = "3d business", .department = "Sales"},
        look_target, 22 * HOUR);
}

/* What cannot be is told with what was expected. */
static void test_mistakes(void **state)
{
    static const struct {
        struct objective_conf conf;
        const char *expected;
    } cases[] = {
        {{.figure = "first_response"}, "objectives[0].target: expected a time such as"},
        {{.figure = "first_response", .target = "soon"}, "not \"soon\""},
        {{.figure = "first_response", .target = "0d business"}, "not \"0d business\""},
        {{.figure = "first_response", .target = " business"}, "objectives[0].target"},
        {{.figure = "happiness"}, "objectives[0].figure: expected one of first_response"},
        {{.figure = "satisfied", .target = "1h"}, "is a share and has none"},
        {{.figure = "satisfied", .department = "nowhere"}, "expected one of sales"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        with_objective(cases[i].conf, look_nothing, 0);
        if (!strstr(told, cases[i].expected))
            fail_msg("no \"%s\" in \"%s\"", cases[i].expected, told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),  cmocka_unit_test(test_scores),   cmocka_unit_test(test_business_day),
        cmocka_unit_test(test_targets), cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
