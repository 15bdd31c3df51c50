/* The ladder that a modem climbs when it hangs, named after what users complain of most: modems that hang
 * until somebody replugs them. */
#include "tests/lib/modem_test.h"

/* ---- a bus whose devices can be taken off it, and a user's command ---- */

static struct bench {
    struct unit *u;
    int replug_status, command_status; /* how they end; */
    int refused;                       /* or, at once */
    unsigned replugs, commands;
    char usb_path[PORT_USB_BYTES];
    const char *argv0;
    struct port_task *task;
    int status;
    struct rt_timer timer;
} bench;

static void power_cycle(struct unit *u)
{
    simmodem_power_cycle(u->sim, rt_sim_now(u->rig->rt));
    port_sim_wake(u->sim, u->rig->bus);
}

static void on_task(struct rt_timer *t)
{
    struct port_task *task = bench.task;
    struct err e = {0};

    (void)t;
    bench.task = NULL;
    if (bench.status < 0)
        err_set(&e, bench.status, "not permitted");
    else
        power_cycle(bench.u);
    task->done(task, bench.status, &e);
}

static void later(struct port_task *task, int status)
{
    enum { MS = 1000 };

    bench.task = task;
    bench.status = status;
    bench.timer = (struct rt_timer){.fire = on_task};
    rt_timer_at(bench.u->rig->rt, &bench.timer, rt_sim_now(bench.u->rig->rt) + MS);
}

static int replug(struct port_source *src, const char *usb_path, struct port_task *t, struct err *e)
{
    (void)src;
    bench.replugs++;
    str_copy(bench.usb_path, sizeof(bench.usb_path), usb_path);
    if (bench.refused)
        return err_set(e, bench.refused, "not permitted");
    later(t, bench.replug_status);
    return 0;
}

static int command(struct port_source *src, const char *const *argv, struct port_task *t, struct err *e)
{
    (void)src, (void)e;
    bench.commands++;
    bench.argv0 = argv[0];
    later(t, bench.command_status);
    return 0;
}

static bool info(struct port_source *src, const char *spec, struct port_info *out)
{
    (void)src;
    *out = (struct port_info){.vendor = 0x12d1, .product = 0x1001, .interface = 0};
    str_copy(out->name, sizeof(out->name), spec);
    str_copy(out->usb_path, sizeof(out->usb_path), "1-1.4");
    return true;
}

static struct unit *ready_unit(struct rig *r, const struct rig_conf *conf)
{
    struct port_source *src = port_sim_source(r->bus);

    bench = (struct bench){.u = rig_add(r, conf)};
    src->replug = replug;
    src->command = command;
    src->info = info;
    modem_start(bench.u->modem);
    assert_true(rig_ready(r, bench.u));
    rig_run(r, 5000);
    return bench.u;
}

static const struct carrier_alarm_state *alarm_of(const struct unit *u, enum carrier_alarm a)
{
    return &u->carrier->alarms[a];
}

static bool works(struct rig *r, struct unit *u)
{
    struct rig_send *s = rig_submit(u, "+491701234567", "Hello", false, NULL);

    return s && rig_ended(r, s, 30000) && s->outcome.result == CARRIER_SENT;
}

/* It is noticed, and working again within so long. */
static bool recovers(struct rig *r, struct unit *u, int64_t within_ms)
{
    int64_t since_ms = rt_sim_now(r->rt);

    while (u->carrier->state == CARRIER_READY && rt_sim_now(r->rt) - since_ms < within_ms)
        rig_run(r, 100);
    return u->carrier->state != CARRIER_READY &&
           rig_until(r, u, MODEM_READY, since_ms + within_ms - rt_sim_now(r->rt));
}

static void on_stopped(void *owner)
{
    (void)owner;
}

/* ---- complaint 1: modems hang until they are replugged ---- */

/* A stick that hangs in the middle of a message, for good: within a minute of the command's own timeout it is
 * off the bus and on again, and works, without anybody's hand. Each rung was tried once, in order. */
static void complaint_01_hangs_until_replugged(void **state)
{
    enum { PROMPT_MS = 10000, BOUND_MS = 60000 };
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "wedge", NULL);
    rig_submit(u, "+491701234567", "Into the void", false, NULL);
    rig_run(r, PROMPT_MS);
    assert_true(recovers(r, u, BOUND_MS));
    rig_run(r, 2000);
    assert_true(works(r, u));
    assert_int_equal(bench.replugs, 1);
    assert_string_equal(bench.usb_path, "1-1.4");
    struct modem_status s = status_of(u);
    for (int i = 0; i < MODEM_RUNGS; i++)
        assert_int_equal(s.rungs[i], i != RUNG_ASK_LATER && i <= RUNG_REPLUG);
    assert_int_equal(s.recoveries, 6);
    assert_false(alarm_of(u, CARRIER_ALARM_HUNG)->on);
    assert_false(alarm_of(u, CARRIER_ALARM_ABSENT)->on);
}

/* The same in idle: the health check finds it out. */
static void complaint_01_hangs_in_idle(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "wedge", NULL);
    assert_true(recovers(r, u, u->conf.sweep_ms + 5000 + 60000));
    rig_run(r, 2000);
    assert_true(works(r, u));
}

/* Where the USB may not be touched, the user's command is run: it has the last word. */
static void complaint_01_reset_command(void **state)
{
    static const char *const argv[] = {"/usr/local/bin/relay", "off-on", "3", NULL};
    static const int refusals[][2] = {{ERR_REFUSED, 0}, {0, ERR_REFUSED}};
    struct rig *r = *state;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct unit *u = ready_unit(r, NULL);
        u->conf.reset_command = argv;
        bench.refused = refusals[i][0];
        bench.replug_status = refusals[i][1];
        rig_fault(r, u, "wedge", NULL);
        rig_submit(u, "+491701234567", "Into the void", false, NULL);
        rig_run(r, 10000);
        assert_true(recovers(r, u, 70000));
        rig_run(r, 2000);
        assert_int_equal(bench.commands, 1);
        assert_string_equal(bench.argv0, argv[0]);
        assert_int_equal(status_of(u).rungs[RUNG_COMMAND], 1);
        assert_true(works(r, u));
        modem_stop(u->modem, 1000, on_stopped, NULL); /* the next one alone */
        rig_run(r, 2000);
    }
}

/* It hangs again and again: each time it is the user's command that cures it, where the USB may not be
 * touched, and not only once an hour. */
static void complaint_01_hangs_every_quarter_of_an_hour(void **state)
{
    enum { QUARTER_MS = 900000 };
    static const char *const argv[] = {"/usr/local/bin/relay", NULL};
    static const int refusals[][2] = {{ERR_REFUSED, 0}, {0, ERR_REFUSED}};
    struct rig *r = *state;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct unit *u = ready_unit(r, NULL);
        u->conf.reset_command = argv;
        bench.refused = refusals[i][0];
        bench.replug_status = refusals[i][1];
        for (unsigned n = 1; n <= 3; n++) {
            rig_fault(r, u, "wedge", NULL);
            rig_submit(u, "+491701234567", "Into the void", false, NULL);
            rig_run(r, 10000);
            assert_true(recovers(r, u, 70000));
            assert_int_equal(bench.commands, n);
            rig_run(r, QUARTER_MS);
        }
        assert_false(alarm_of(u, CARRIER_ALARM_HUNG)->on);
        modem_stop(u->modem, 1000, on_stopped, NULL); /* the next one alone */
        rig_run(r, 2000);
    }
}

/* Nothing helps: an alarm says so, it is tried again at least every five minutes, each rung at most as often
 * as it may be, and the alarm is over when the modem is back. */
static void nothing_helps(void **state)
{
    enum { HOUR_MS = 3600000 };
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);
    struct port_source *src = port_sim_source(r->bus);

    src->replug = NULL;
    rig_fault(r, u, "wedge", NULL);
    rig_run(r, HOUR_MS);
    assert_true(alarm_of(u, CARRIER_ALARM_HUNG)->on);
    assert_non_null(strstr(alarm_of(u, CARRIER_ALARM_HUNG)->text, "plug it in again"));
    assert_false(alarm_of(u, CARRIER_ALARM_ABSENT)->on);
    assert_in_range(status_of(u).rungs[RUNG_RESTART], 2, 6);
    assert_in_range(status_of(u).rungs[RUNG_RADIO], 2, 6);
    assert_int_equal(status_of(u).rungs[RUNG_REPLUG], 0);
    uint64_t opens = port_sim_opens(r->bus);
    rig_run(r, HOUR_MS);
    assert_in_range(port_sim_opens(r->bus) - opens, 10, 30);
    power_cycle(u);
    assert_true(rig_until(r, u, MODEM_READY, 330000));
    assert_false(alarm_of(u, CARRIER_ALARM_HUNG)->on);
    assert_true(works(r, u));
}

/* A known wedge, one line again and again and no answers, is past commands: it is replugged at once. */
static void wedge_signature(void **state)
{
    static const char *const lines[] = {"^BOOT", NULL}, *const models[] = {"*", NULL};
    static const struct profile wedging = {.name = "w", .models = models, .wedged = lines};
    static const struct profile *const all[] = {&wedging};
    static const struct profile_set set = {all, 1};
    struct rig *r = *state;
    struct unit *u;

    bench.u = NULL;
    u = rig_add(r, &(struct rig_conf){.personality = "huawei-e173"});
    bench = (struct bench){.u = u};
    u->conf.profiles = &set;
    struct port_source *src = port_sim_source(r->bus);
    src->replug = replug;
    src->info = info;
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 5000);
    rig_fault(r, u, "wedge", NULL);
    rig_run(r, 20000);
    assert_int_equal(bench.replugs, 1);
    assert_int_equal(status_of(u).rungs[RUNG_RESTART], 0);
    assert_int_equal(status_of(u).recoveries, 1);
    assert_true(rig_until(r, u, MODEM_READY, 60000));
}

/* A modem that answers ERROR to everything is not asked again in vain, but reset, restarted, and replugged,
 * which cures it. */
static void answers_only_errors(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);
    struct modem_status s;

    rig_fault(r, u, "error", "100000");
    rig_fault(r, u, "reboot", NULL);
    assert_true(recovers(r, u, 120000));
    s = status_of(u);
    assert_int_equal(s.rungs[RUNG_ASK] + s.rungs[RUNG_ASK_LATER] + s.rungs[RUNG_REOPEN], 0);
    assert_int_equal(s.rungs[RUNG_SOFT], 1);
    assert_int_equal(s.rungs[RUNG_RESTART], 1);
    assert_int_equal(s.rungs[RUNG_REPLUG], 1);
}

/* A modem that answers everything, but gives no prompts, is not taken for a healthy one: radio, restart, and
 * what cuts its power are tried in turn, however long it works in between. */
static void complaint_01_gives_no_prompts(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "prompt_missing", "100000");
    for (int i = 0; i < 40 && !bench.replugs; i++) {
        struct rig_send *s =
            u->carrier->state == CARRIER_READY ? rig_submit(u, "+491701234567", "Hello", false, NULL) : NULL;
        rig_run(r, 60000);
        assert_true(!s || (s->ended && s->outcome.result == CARRIER_NOT_SUBMITTED));
    }
    assert_int_equal(bench.replugs, 1);
    assert_int_equal(status_of(u).rungs[RUNG_RADIO], 1);
    assert_int_equal(status_of(u).rungs[RUNG_RESTART], 1);
    rig_fault(r, u, "clear", NULL);
    assert_true(rig_until(r, u, MODEM_READY, 60000));
    assert_true(works(r, u));
}

/* Where nothing helps one that gives no prompts, a person is told, for as long as it takes no message. */
static void no_prompts_is_an_alarm(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    port_sim_source(r->bus)->replug = NULL;
    rig_fault(r, u, "prompt_missing", "100000");
    for (int i = 0; i < 40; i++) {
        if (u->carrier->state == CARRIER_READY)
            rig_submit(u, "+491701234567", "Hello", false, NULL);
        rig_run(r, 60000);
    }
    assert_true(rig_until(r, u, MODEM_READY, 60000));
    assert_true(alarm_of(u, CARRIER_ALARM_HUNG)->on);
    assert_non_null(strstr(alarm_of(u, CARRIER_ALARM_HUNG)->text, "prompt"));
    rig_fault(r, u, "clear", NULL);
    assert_true(works(r, u));
    assert_false(alarm_of(u, CARRIER_ALARM_HUNG)->on);
}

/* A modem that answers and finds no network: after ten minutes each its radio, itself, and its power; then
 * only the radio, as there may just be no network. */
static void complaint_01_finds_no_network(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "no_network", "100000000");
    rig_run(r, 5400000);
    struct modem_status s = status_of(u);
    assert_int_equal(s.rungs[RUNG_RESTART], 1);
    assert_int_equal(bench.replugs, 1);
    assert_true(s.rungs[RUNG_RADIO] >= 3);
    rig_fault(r, u, "clear", NULL);
    assert_true(rig_until(r, u, MODEM_READY, 120000));
}

/* One that cannot be replugged in search of a network is not said to hang. */
static void no_network_is_no_hang(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    bench.refused = ERR_REFUSED;
    rig_fault(r, u, "no_network", "100000000");
    for (int i = 0; i < 54000; i++) {
        rig_run(r, 100);
        assert_false(alarm_of(u, CARRIER_ALARM_HUNG)->on);
    }
    assert_true(bench.replugs > 0);
    assert_true(alarm_of(u, CARRIER_ALARM_NETWORK)->on);
}

/* A SIM that the network refuses is no reason to restart the modem. */
static void refused_sims_restart_nothing(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "registration", "3");
    rig_run(r, 5400000);
    assert_true(status_of(u).rungs[RUNG_RADIO] >= 3);
    assert_int_equal(status_of(u).rungs[RUNG_RESTART] + bench.replugs, 0);
}

/* One that has lost its settings without a word refuses the next message with a bare ERROR: it is set up
 * again, and the message is not judged by that. */
static void bare_error_is_no_verdict(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "error", "1");
    struct rig_send *s = rig_submit(u, "+491701234567", "Hello", false, NULL);
    assert_true(rig_ended(r, s, 30000));
    assert_int_equal(s->outcome.error, CARRIER_E_MODEM);
    rig_run(r, 100);
    assert_int_not_equal(u->carrier->state, CARRIER_READY);
    assert_true(rig_until(r, u, MODEM_READY, 30000));
    rig_run(r, 5000);
    rig_fault(r, u, "error", "1"); /* but not each time */
    s = rig_submit(u, "+491701234567", "Hello", false, NULL);
    assert_true(rig_ended(r, s, 30000));
    assert_int_equal(s->outcome.error, CARRIER_E_UNCLEAR);
    assert_true(works(r, u));
}

/* A modem that leaves the bus when it is restarted is no absent one. */
static void restart_off_the_bus(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "no_network", "3600000");
    for (int i = 0; i < 4000 && !status_of(u).rungs[RUNG_RADIO]; i++)
        rig_run(r, 1000);
    rig_fault(r, u, "silence", "40000");
    for (int i = 0; i < 400 && !status_of(u).rungs[RUNG_RESTART]; i++)
        rig_run(r, 1000);
    rig_run(r, 3000);
    rig_fault(r, u, "vanish", "30000");
    rig_run(r, 15000);
    assert_int_equal(status_of(u).state, MODEM_ABSENT);
    assert_non_null(strstr(u->carrier->reason, "restarting"));
    rig_fault(r, u, "clear", NULL);
    assert_true(rig_until(r, u, MODEM_READY, 30000));
    assert_int_equal(bench.replugs, 0);
    assert_false(alarm_of(u, CARRIER_ALARM_ABSENT)->on);
}

/* A replug that ends after its modem is gone harms nobody. */
static void freed_while_replugged(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "wedge", NULL);
    rig_submit(u, "+491701234567", "Into the void", false, NULL);
    for (int i = 0; i < 1000 && !bench.task; i++)
        rig_run(r, 100);
    assert_non_null(bench.task);
    modem_free(u->modem);
    u->modem = NULL;
    rig_run(r, 5000);
    assert_null(bench.task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(complaint_01_hangs_until_replugged),
        RIG_TEST(complaint_01_hangs_in_idle),
        RIG_TEST(complaint_01_gives_no_prompts),
        RIG_TEST(complaint_01_finds_no_network),
        RIG_TEST(no_prompts_is_an_alarm),
        RIG_TEST(no_network_is_no_hang),
        RIG_TEST(refused_sims_restart_nothing),
        RIG_TEST(bare_error_is_no_verdict),
        RIG_TEST(complaint_01_reset_command),
        RIG_TEST(complaint_01_hangs_every_quarter_of_an_hour),
        RIG_TEST(nothing_helps),
        RIG_TEST(wedge_signature),
        RIG_TEST(answers_only_errors),
        RIG_TEST(restart_off_the_bus),
        RIG_TEST(freed_while_replugged),
    };
    return cmocka_run_group_tests_name("recovery ladder", tests, NULL, NULL);
}
