/* Departments, people and hours; and when answers are due by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "engine/due.h"
#include "engine/program.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { HOUR_MS = 3600000 };

static struct fold *fold;
static struct buf problems;

static void collect(void *owner, const char *text)
{
    buf_adds(owner, text);
    buf_addc(owner, '\n');
}

static int set_up(void **state)
{
    (void)state;
    fold = fold_new();
    return fold ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    fold_free(fold);
    buf_free(&problems);
    return 0;
}

static struct staff staff_of(const struct engine_conf *conf)
{
    struct problems p = {.tell = collect, .owner = &problems};
    struct staff s;

    buf_clear(&problems);
    staff_compile(&s, conf, fold, &p);
    return s;
}

/* A Saturday, 10:00 in Berlin. */
static const int64_t saturday = INT64_C(1795251600000);

static struct staff shop(void)
{
    const struct department_conf departments[] = {
        {.name = "sales"},
        {.name = "Repairs", .hours.open = LIST("Mon-Fri 09:00-17:00")},
        {.name = "night", .hours.closed = LIST("2026-11-21")},
    };
    const struct person_conf people[] = {
        {.name = "Anna Älter", .number = "+491511111111", .departments = LIST("SALES")},
        {.name = "Anne", .number = "+491522222222", .hours.open = LIST("Mon 09:00-10:00")},
        {.name = "Ben", .number = "", .lead = true},
        {.name = "Lea", .number = "+491533333333", .departments = LIST("repairs"), .lead = true},
    };
    struct engine_conf conf = {.country = "49",
                               .departments = departments,
                               .ndepartments = ARRAY_LEN(departments),
                               .people = people,
                               .npeople = ARRAY_LEN(people),
                               .hours = {.zone = "Europe/Berlin", .open = LIST("daily 08:00-20:00")}};
    struct staff s = staff_of(&conf);

    assert_string_equal(buf_str(&problems), "");
    return s;
}

/* People and departments are found whatever their case; people by a beginning that is theirs alone; by
 * number as networks write it. */
static void test_finding(void **state)
{
    struct staff s = shop();

    (void)state;
    assert_ptr_equal(staff_department(&s, "repairs"), &s.departments[1]);
    assert_null(staff_department(&s, "repair"));
    assert_null(staff_department(&s, ""));
    assert_null(staff_department(&s, NULL));
    assert_ptr_equal(staff_person(&s, "ANNA ÄLTER"), &s.people[0]);
    assert_ptr_equal(staff_person(&s, "anna"), &s.people[0]);
    assert_null(staff_person(&s, "ann"));
    assert_ptr_equal(staff_person(&s, "anne."), &s.people[1]);
    assert_null(staff_person(&s, ""));
    assert_ptr_equal(staff_by_number(&s, "+491533333333"), &s.people[3]);
    assert_ptr_equal(staff_by_number(&s, "01533333333"), &s.people[3]);
    assert_ptr_equal(staff_by_number(&s, "491533333333"), &s.people[3]);
    assert_null(staff_by_number(&s, "+491544444444"));
    assert_null(staff_by_number(&s, "333333")); /* a short code, or a sender's name of digits */
    assert_null(staff_by_number(&s, "33333333"));
    assert_null(staff_by_number(&s, "00333333333"));
    assert_null(staff_by_number(&s, ""));
    staff_fini(&s);
}

/* Who is told: whose it is while on duty, else the department's people on duty who have a telephone; leads on
 * duty of what is late. */
static void test_phones(void **state)
{
    struct staff s = shop();
    const struct person *out[8];

    (void)state;
    assert_int_equal(staff_phones(&s, "sales", "", saturday, out, 8), 1);
    assert_ptr_equal(out[0], &s.people[0]);
    assert_int_equal(staff_phones(&s, "repairs", "", saturday, out, 8), 1);
    assert_ptr_equal(out[0], &s.people[3]);
    assert_int_equal(staff_phones(&s, "", "", saturday, out, 8), 2);
    assert_int_equal(staff_phones(&s, "", "", saturday, out, 1), 1);
    assert_int_equal(staff_phones(&s, "sales", "Lea", saturday, out, 8), 1);
    assert_ptr_equal(out[0], &s.people[3]);
    assert_int_equal(staff_phones(&s, "sales", "Anne", saturday, out, 8), 1); /* not on duty */
    assert_ptr_equal(out[0], &s.people[0]);
    assert_int_equal(staff_leads(&s, "repairs", saturday, out, 8), 1);
    assert_ptr_equal(out[0], &s.people[3]);
    assert_int_equal(staff_leads(&s, "sales", saturday, out, 8), 0);
    staff_fini(&s);
}

/* A department has its own hours, or the business's with its own closed days besides. */
static void test_hours(void **state)
{
    struct staff s = shop();

    (void)state;
    assert_true(hours_open(staff_hours(&s, "sales"), saturday));
    assert_true(hours_open(staff_hours(&s, "nowhere"), saturday));
    assert_false(hours_open(staff_hours(&s, "repairs"), saturday));
    assert_false(hours_open(staff_hours(&s, "night"), saturday));
    assert_true(hours_open(staff_hours(&s, "night"), saturday + 24 * HOUR_MS));
    staff_fini(&s);
}

/* Every problem is told with its place, all at once. */
static void test_problems(void **state)
{
    const struct department_conf departments[] = {
        {.name = "sales", .place = "d0"},
        {.name = "SALES", .place = "d1", .hours.open = LIST("Mon")},
        {.name = "a,b", .place = "d2", .hours.zone = "Mars/Olympus", .hours.open = LIST("Mon 9:00-10:00")},
    };
    const struct person_conf people[] = {
        {.name = "Anna", .place = "p0", .number = "+491511111111", .departments = LIST("office")},
        {.name = "anna", .place = "p1", .number = "01511111111"},
        {.name = "", .place = "p2"},
    };
    struct engine_conf conf = {.departments = departments,
                               .ndepartments = ARRAY_LEN(departments),
                               .people = people,
                               .npeople = ARRAY_LEN(people),
                               .hours = {.zone = "Europe/Berlin",
                                         .open = LIST("Mon 9-18", "Tue 9:00-10:00", "Mox 9:00-10:00"),
                                         .closed = LIST("never")}};
    struct staff s = staff_of(&conf);
    static const char *const expected[] = {
        "hours.open[0]: \"Mon 9-18\"",
        "hours.open[2]: \"Mox 9:00-10:00\"",
        "hours.closed[0]: \"never\": expected a day",
        "d1.name: another one is called \"SALES\" too",
        "d1.hours.open[0]: \"Mon\"",
        "d2.name: expected a name",
        "d2.hours.zone: no time zone \"Mars/Olympus\"",
        "p0.departments[0]: no department \"office\": expected one of sales",
        "p1.name: another one is called",
        "p1.number: Anna has this number too",
        "p2.name: expected a name",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (!strstr(buf_str(&problems), expected[i]))
            fail_msg("expected \"%s\" in\n%s", expected[i], buf_str(&problems));
    staff_fini(&s);
}

/* ---- due ---- */

static struct staff timed(void)
{
    const struct department_conf departments[] = {
        {.name = "sales",
         .first_response_ms = HOUR_MS,
         .next_response_ms = 2 * HOUR_MS,
         .resolution_ms = 5 * HOUR_MS},
        {.name = "slow", .first_response_ms = 10 * HOUR_MS},
    };
    struct engine_conf conf = {.departments = departments,
                               .ndepartments = 2,
                               .hours = {.zone = "Europe/Berlin", .open = LIST("daily 08:00-12:00")}};

    return staff_of(&conf);
}

/* The effects are done to the conversation as the store does it. */
static void put(struct conv_row *c, const struct store_effect *e, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(e[i].kind, EFFECT_CLOCK);
        c->due_wall_ms[e[i].n] = e[i].at_wall_ms;
        if (e[i].at_wall_ms)
            c->overdue_wall_ms[e[i].n] = 0;
    }
}

static void assert_due(const struct conv_row *c, int64_t first, int64_t next, int64_t resolution)
{
    const int64_t expected[CLOCKS] = {first, next, resolution};

    for (int i = 0; i < CLOCKS; i++)
        if (c->due_wall_ms[i] != expected[i])
            fail_msg("clock %d: %lld instead of %lld", i, (long long)(c->due_wall_ms[i] - saturday),
                     (long long)(expected[i] - saturday));
}

/* A conversation's clocks from its first message to its end: in opening time, standing while the customer is
 * to write. It is Saturday, 10 to 12 is open, and 8 to 12 each day. */
static void test_due(void **state)
{
    struct staff s = timed();
    struct store_effect e[CLOCKS];
    struct conv_row c = {.id = 1, .created_wall_ms = saturday, .department = "sales"};
    const int64_t day = 24 * HOUR_MS, eight = saturday + 22 * HOUR_MS; /* Sunday */

    (void)state;
    put(&c, e, due_on_message(&s, &c, "sales", true, saturday, e));
    assert_due(&c, saturday + HOUR_MS, 0, eight + 3 * HOUR_MS);
    assert_int_equal(due_on_message(&s, &c, "sales", false, saturday + HOUR_MS / 2, e), 0);
    /* to a slower department: from the same beginning */
    c.waiting_wall_ms = saturday;
    put(&c, e, due_on_department(&s, &c, "slow", e));
    assert_due(&c, eight + day + 4 * HOUR_MS, 0, 0);
    put(&c, e, due_on_department(&s, &c, "sales", e));
    assert_due(&c, saturday + HOUR_MS, 0, eight + 3 * HOUR_MS);
    /* answered at 11:00: an hour of today and three of tomorrow are left */
    put(&c, e, due_on_answer(&s, &c, saturday + HOUR_MS, e));
    c.first_response_wall_ms = saturday + HOUR_MS;
    c.waiting_wall_ms = 0;
    assert_due(&c, 0, 0, -4 * HOUR_MS);
    /* the customer writes at 11:30 tomorrow */
    put(&c, e, due_on_message(&s, &c, "sales", false, eight + 7 * HOUR_MS / 2, e));
    assert_due(&c, 0, eight + day + 3 * HOUR_MS / 2, eight + day + 7 * HOUR_MS / 2);
    c.waiting_wall_ms = eight + 7 * HOUR_MS / 2;
    /* a late one keeps running, and is late once */
    c.overdue_wall_ms[CLOCK_NEXT] = eight + day + 2 * HOUR_MS;
    assert_int_equal(due_on_message(&s, &c, "sales", false, eight + day + 2 * HOUR_MS, e), 0);
    /* without a department nothing runs */
    c = (struct conv_row){.id = 2};
    assert_int_equal(due_on_message(&s, &c, "", true, saturday, e), 0);
    staff_fini(&s);
}

/* Snoozed and opened again: what the customer waits for counts from then. */
static void test_due_on_resume(void **state)
{
    struct staff s = timed();
    struct store_effect e[CLOCKS];
    struct conv_row c = {
        .id = 1, .created_wall_ms = saturday, .waiting_wall_ms = saturday, .department = "sales"};

    (void)state;
    put(&c, e, due_on_message(&s, &c, "sales", true, saturday, e));
    put(&c, e, due_on_answer(&s, &c, saturday + HOUR_MS, e));
    assert_due(&c, 0, 0, -4 * HOUR_MS);
    put(&c, e, due_on_resume(&s, &c, saturday + 22 * HOUR_MS, e));
    assert_due(&c, saturday + 23 * HOUR_MS, 0, saturday + 26 * HOUR_MS);
    staff_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finding),  cmocka_unit_test(test_phones), cmocka_unit_test(test_hours),
        cmocka_unit_test(test_problems), cmocka_unit_test(test_due),    cmocka_unit_test(test_due_on_resume),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
