/* What the desk does by itself with what is stored: opening hours of answers, erasing with what is in its
 * way, keeping for a time. On store, engine and gateway. */
#include "base/log.h"
#include "desk/erase.h"
#include "desk/figures.h"
#include "tests/unit/engine/world.h"

#define OURS "+491701111111"
#define HER  "+491707654321"
#define HIM  "+491709999999"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

/* It begins on Saturday, 21 November 2026, at ten in Berlin. */
static const char *const open[] = {"Sat 10:10-11:00", NULL};
static struct person_conf people[1];
static struct engine_conf conf;
static struct world w;
static struct desk *desk;

static int set_up(void **state)
{
    (void)state;
    people[0] = (struct person_conf){.name = "Anna", .number = ""};
    conf = conf_of(NULL, 0);
    conf.people = people;
    conf.npeople = 1;
    conf.hours = (struct hours_conf){.zone = "Europe/Berlin", .open = open};
    conf.desk = (struct desk_conf){.reopen_ms = DAY_MS};
    world_start(&w, rt_sim_new(rt_sim_seed(1)), &conf, OURS);
    desk = desk_new(w.rt, w.engine, w.gateway, w.store);
    return 0;
}

static void stop(void)
{
    rt_sim_drop(w.rt);
    store_abandon(w.store);
    desk_free(desk);
    engine_free(w.engine);
    gateway_free(w.gateway);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    stop();
    rt_sim_free(w.rt);
    snprintf(command, sizeof command, "rm -r %s", w.dir);
    assert_int_equal(system(command), 0);
    return 0;
}

static void restart(void)
{
    stop();
    w.submit = NULL;
    w.network.at_ms = 0;
    world_open(&w);
    desk = desk_new(w.rt, w.engine, w.gateway, w.store);
}

/* ---- waiting ---------------------------------------------------------------------------------------------
 */

static bool ended;
static int ended_with;

static bool is_ended(void *arg)
{
    (void)arg;
    return ended;
}

static int wait_for_end(void)
{
    assert_true(rt_sim_run_till(w.rt, is_ended, NULL, HOUR_MS));
    return ended_with;
}

static void end(int status)
{
    ended = true;
    ended_with = status;
}

static void on_op(struct store_op *op, int status)
{
    (void)op;
    end(status);
}

static void on_done(struct desk_do *r, int status)
{
    (void)r;
    end(status);
}

static void on_erased(struct desk_erase *r, int status)
{
    (void)r;
    end(status);
}

static void on_admitted(struct gateway_admit *a, int status)
{
    (void)a;
    end(status);
}

static void on_figures(struct desk_figures *f, int status)
{
    (void)f;
    end(status);
}

static void reply_as_anna(int64_t conversation)
{
    struct desk_do r = {
        .op = OP_REPLY, .conversation = conversation, .value = "yes", .person = "Anna", .done = on_done};

    ended = false;
    desk_do(desk, &r);
    assert_int_equal(wait_for_end(), 0);
}

static void send_to(const char *number, int64_t due_wall_ms)
{
    struct gateway_send s;
    struct gateway_admitted result = {0};
    struct gateway_admit a = {.sends = &s, .count = 1, .results = &result, .done = on_admitted};

    gateway_send_init(&s);
    s.to = number;
    s.text = "hello";
    s.source = "test";
    s.due_wall_ms = due_wall_ms;
    ended = false;
    gateway_admit(w.gateway, &a);
    assert_int_equal(wait_for_end(), 0);
}

static int erase(const char *number, struct desk_erase *r)
{
    *r = (struct desk_erase){.number = number, .who = "ctl:root", .done = on_erased};
    ended = false;
    desk_erase(desk, r);
    assert_false(ended);
    return wait_for_end();
}

static int messages(const char *number)
{
    struct store_list l = {.op.done = on_op, .peer = number, .limit = 1000};

    ended = false;
    store_list(w.store, &l);
    assert_int_equal(wait_for_end(), 0);
    for (int i = 0; i < l.count; i++)
        msg_row_clear(&l.rows[i]);
    free(l.rows);
    return l.count;
}

/* ---- tests -----------------------------------------------------------------------------------------------
 */

/* Half an hour by the clock, of which it was open twenty minutes; also when the process dies in between. */
static void test_opening_hours(void **state)
{
    struct desk_figures f = {.by = BY_NONE, .done = on_figures};
    int64_t took;

    (void)state;
    world_receive(&w, HER, "hello");
    world_run(&w, 30 * MINUTE_MS);
    reply_as_anna(1);
    restart();
    world_run(&w, 5000);
    f.since_wall_ms = RT_SIM_START_WALL_MS;
    f.until_wall_ms = RT_SIM_START_WALL_MS + 1;
    ended = false;
    desk_figures(desk, &f);
    assert_int_equal(wait_for_end(), 0);
    took = f.figures.total.times[FIGURE_FIRST].median_ms;
    assert_in_range(took, 29 * MINUTE_MS, 31 * MINUTE_MS);
    assert_int_equal(f.figures.total.times[FIGURE_FIRST].business_count, 1);
    assert_in_range(f.figures.total.times[FIGURE_FIRST].business_median_ms, took - 11 * MINUTE_MS,
                    took - 9 * MINUTE_MS);
    desk_figures_clear(&f);
}

/* Objectives of the department that is asked about, and of all, are measured; those of others are not,
 * whatever their figure. */
static void test_objectives_of_others(void **state)
{
    static const struct department_conf departments[] = {{.name = "sales"}, {.name = "repairs"}};
    static const struct objective_conf objectives[] = {
        {.name = "quick", .figure = "first_response", .target = "1h", .department = "sales"},
        {.name = "by hand", .figure = "automatic", .target = "", .department = "sales"},
        {.name = "by all", .figure = "automatic", .target = "", .department = ""}};
    static const struct {
        const char *department;
        bool measured[3];
    } cases[] = {{NULL, {true, true, true}}, {"sales", {true, true, true}}, {"repairs", {false}}};

    (void)state;
    conf.departments = departments;
    conf.ndepartments = ARRAY_LEN(departments);
    conf.objectives = objectives;
    conf.nobjectives = ARRAY_LEN(objectives);
    conf.desk.department = "sales";
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    world_receive(&w, HER, "hello");
    world_run(&w, MINUTE_MS);
    reply_as_anna(1);
    world_run(&w, MINUTE_MS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct desk_figures f = {.by = BY_NONE, .department = cases[i].department, .done = on_figures};

        f.since_wall_ms = RT_SIM_START_WALL_MS;
        f.until_wall_ms = RT_SIM_START_WALL_MS + 1;
        ended = false;
        desk_figures(desk, &f);
        assert_int_equal(wait_for_end(), 0);
        for (int k = 0; k < 3; k++)
            assert_int_equal(f.objectives[k].measured, cases[i].measured[k]);
        desk_figures_clear(&f);
    }
}

/* What waits is cancelled, what is on the air is waited for; nothing of hers is left, all of his is. */
static void test_erase(void **state)
{
    struct desk_erase r;

    (void)state;
    world_receive(&w, HER, "hello");
    world_receive(&w, HIM, "hello too");
    world_run(&w, 5000);
    reply_as_anna(1);
    send_to(HER, RT_SIM_START_WALL_MS + DAY_MS);
    send_to(HER, 0);
    assert_int_equal(messages(HER), 4);
    assert_int_equal(erase(HER, &r), 0);
    assert_int_equal(r.cancelled, 1);
    assert_true(r.rows >= 4);
    assert_false(r.opt_out);
    assert_int_equal(messages(HER), 0);
    assert_int_equal(messages(HIM), 1);
    assert_int_equal(erase(HER, &r), 0); /* there is nothing any more */
}

/* One that a restart interrupts goes on by itself. */
static void test_erase_goes_on(void **state)
{
    struct store_erase e = {
        .op.done = on_op, .number = HER, .who = "ctl:root", .now_wall_ms = RT_SIM_START_WALL_MS};

    (void)state;
    for (int i = 0; i < 230; i++) {
        world_receive(&w, HER, "one of many");
        world_run(&w, 200);
    }
    assert_int_equal(messages(HER), 230);
    ended = false;
    store_erase(w.store, &e);
    assert_int_equal(wait_for_end(), 0);
    assert_true(e.more);
    restart();
    world_run(&w, 5000);
    assert_int_equal(messages(HER), 0);
}

/* Messages go when they are older than is configured, those that wait do not; from a reload on. */
static void test_kept_for_a_time(void **state)
{
    (void)state;
    world_receive(&w, HER, "old");
    world_run(&w, 3 * DAY_MS);
    assert_int_equal(messages(HER), 1);
    world_receive(&w, HIM, "newer");
    send_to(HER, RT_SIM_START_WALL_MS + 30 * DAY_MS);
    conf.desk.keep_messages_ms = 2 * DAY_MS;
    conf.desk.keep_contacts_ms = 2 * DAY_MS;
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    world_run(&w, 2 * HOUR_MS);
    assert_int_equal(messages(HER), 1); /* the one that waits */
    assert_int_equal(messages(HIM), 1);
    world_run(&w, 3 * DAY_MS);
    assert_int_equal(messages(HER), 1);
    assert_int_equal(messages(HIM), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_opening_hours), TEST(test_objectives_of_others),
                                       TEST(test_erase), TEST(test_erase_goes_on),
                                       TEST(test_kept_for_a_time)};

    log_set_level(LOG_ERR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
