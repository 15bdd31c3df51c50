/* Many modems, and idle ones. */
#include "tests/lib/modem_test.h"

/* 64 modems in one daemon: all ready, all sending and receiving at once. */
static void sixty_four(void **state)
{
    enum { MODEMS = 64, EACH = 20 };
    struct rig *r = *state;

    for (int i = 0; i < MODEMS; i++)
        modem_start(rig_add(r, &(struct rig_conf){.net_ms = 1000})->modem);
    for (int i = 0; i < MODEMS; i++)
        assert_true(rig_ready(r, &r->units[i]));
    rig_run(r, 2000);
    for (int i = 0; i < MODEMS; i++) {
        rig_burst(&r->units[i], EACH);
        for (int k = 0; k < EACH; k++)
            rig_text(r, &r->units[i], "+491709999999", "Hello");
    }
    rig_run(r, 60000);
    for (int i = 0; i < MODEMS; i++) {
        assert_int_equal(r->units[i].in_count, EACH);
        assert_int_equal(r->units[i].send_count, EACH);
        assert_int_equal(rig_stored(&r->units[i]), 0);
    }
    assert_int_equal(simnet_counts(r->net)->by_kind[SIMNET_SUBMITTED], MODEMS * EACH);
}

/* A modem that is looked for by its IMEI is found behind ports on which nothing ever answers, of which a
 * stick has three or four (diagnostics, positions), and that is no reason to restart whatever is there; nor
 * does a port that somebody else holds keep it. Later it is looked for first where it was. */
static void found_behind_mute_ports(void **state)
{
    enum { MUTE = 12 };
    struct rig *r = *state;
    struct simmodem_info info;

    for (int i = 0; i < MUTE; i++)
        rig_fault(r, rig_add(r, NULL), "silence", "100000000");
    port_sim_busy(r->bus, r->units[3].port, true);
    struct unit *u = rig_add(r, &(struct rig_conf){.port = "", .imei = "?"});
    simmodem_info(u->sim, &info);
    u->conf.imei = info.imei;
    rig_trace(r, true);
    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_READY, 300000));
    assert_null(strstr(buf_str(&r->trace), "CFUN=1,1"));
    rig_fault(r, u, "vanish", "5000");
    rig_run(r, 5000);
    assert_true(rig_until(r, u, MODEM_READY, 20000));
}

/* An idle modem wakes the process less than once in ten seconds: every timer, every chunk from the port is
 * counted for an hour. */
static void idle_is_quiet(void **state)
{
    enum { HOUR_S = 3600 };
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 300000);
    uint64_t before = rt_sim_wakeups(r->rt);
    rig_run(r, HOUR_S * 1000);
    uint64_t wakeups = rt_sim_wakeups(r->rt) - before;
    print_message("%.4f wake-ups a second\n", (double)wakeups / HOUR_S);
    assert_true(wakeups * 10 < HOUR_S);
}

/* The same of a modem on a serial line, whose answers come in pieces. */
static void idle_on_a_slow_line(void **state)
{
    enum { HOUR_S = 3600 };
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.baud = 115200});

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 300000);
    uint64_t before = rt_sim_wakeups(r->rt);
    rig_run(r, HOUR_S * 1000);
    uint64_t wakeups = rt_sim_wakeups(r->rt) - before;
    print_message("%.4f wake-ups a second\n", (double)wakeups / HOUR_S);
}

/* A modem that is freed in any state calls nobody and leaves nothing behind (the sanitizers look). */
static void freed_at_any_time(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "1234", .net_ms = 200});

    for (int i = 0; i < 400; i++) {
        rig_text(r, u, "+491709999999", "Hello");
        rig_run(r, (int64_t)rt_sim_random(r->rt, 3000));
        if (u->modem && status_of(u).state == MODEM_READY)
            rig_submit(u, "+491701234567", "Hello", false, NULL);
        rig_run(r, (int64_t)rt_sim_random(r->rt, 300));
        rig_kill(r);
        u->in_count = u->send_count = 0;
        rig_revive(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(sixty_four),          RIG_TEST(found_behind_mute_ports), RIG_TEST(idle_is_quiet),
        RIG_TEST(idle_on_a_slow_line), RIG_TEST(freed_at_any_time),
    };
    return cmocka_run_group_tests_name("many and idle", tests, NULL, NULL);
}
