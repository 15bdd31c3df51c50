/* What goes wrong below a modem, and how it comes back: silence, restarts, unplugged sticks, other names. */
#include "tests/lib/modem_test.h"

static struct unit *ready_unit(struct rig *r, const struct rig_conf *conf)
{
    struct unit *u = rig_add(r, conf);

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 2000);
    return u;
}

static bool works(struct rig *r, struct unit *u)
{
    struct rig_send *s = rig_submit(u, "+491701234567", "Hello", false, NULL);
    size_t in = u->in_count;

    if (!s || !rig_ended(r, s, 30000) || s->outcome.result != CARRIER_SENT)
        return false;
    rig_text(r, u, "+491709999999", "Still there?");
    rig_run(r, 5000);
    return u->in_count == in + 1 && rig_stored(u) == 0;
}

static void silent_for(struct rig *r, const char *ms, int64_t within_ms, struct unit *u)
{
    rig_fault(r, u, "silence", ms);
    rig_submit(u, "+491701234567", "Into the void", false, NULL);
    rig_run(r, 60000);
    assert_true(rig_until(r, u, MODEM_READY, within_ms));
    rig_run(r, 5000);
    assert_true(works(r, u));
}

/* A modem that says nothing for a minute is asked again until it answers. */
static void silence_of_a_minute(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    silent_for(r, "60000", 120000, u);
    assert_true(status_of(u).recoveries > 0);
}

/* Of ten minutes, and of a whole day: it is found working within six minutes of its return. */
static void long_silence(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "silence", "600000");
    rig_submit(u, "+491701234567", "Into the void", false, NULL);
    rig_run(r, 600000);
    assert_true(rig_until(r, u, MODEM_READY, 360000));
    rig_run(r, 5000);
    assert_true(works(r, u));
    rig_fault(r, u, "silence", "86400000");
    rig_submit(u, "+491701234567", "Into the void", false, NULL);
    rig_run(r, 86400000);
    assert_int_not_equal(status_of(u).state, MODEM_READY);
    assert_true(rig_until(r, u, MODEM_READY, 360000));
    rig_run(r, 5000);
    assert_true(works(r, u));
}

/* A silent modem costs few attempts: a day of silence is under 600 openings of its port. */
static void silence_is_patient(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "silence", "86400000");
    rig_run(r, 86400000);
    assert_true(port_sim_opens(r->bus) < 600);
}

/* A modem that hangs in idle is noticed by the next health check, without any message. */
static void hangs_in_idle(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "silence", "3600000");
    rig_run(r, 240000);
    assert_int_not_equal(status_of(u).state, MODEM_READY);
    assert_int_equal(u->carrier->state, CARRIER_DOWN);
}

/* A restart in operation loses all settings: they are made again. */
static void restarts_by_itself(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    for (int i = 0; i < 5; i++) {
        rig_fault(r, u, "reboot", NULL);
        rig_run(r, 3000);
        assert_true(rig_ready(r, u));
        rig_run(r, 1000);
        assert_true(works(r, u));
    }
}

/* Pulled and put back under its name: working again within ten seconds of its return. */
static void unplugged_and_back(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "vanish", NULL);
    rig_run(r, 60000);
    assert_int_equal(status_of(u).state, MODEM_ABSENT);
    rig_fault(r, u, "return", NULL);
    assert_true(rig_until(r, u, MODEM_READY, 15000));
    rig_run(r, 2000);
    assert_true(works(r, u));
}

/* A stick known by its IMEI is found under whatever name it comes back, and others on the bus are left alone
 * once they are known to be others. */
static void found_by_imei(void **state)
{
    struct rig *r = *state;
    struct simmodem_info info;
    struct unit *other = rig_add(r, NULL);
    struct unit *u = rig_add(r, &(struct rig_conf){.port = "", .imei = "0"});

    simmodem_info(u->sim, &info);
    u->conf.imei = info.imei;
    modem_start(other->modem);
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    assert_true(rig_ready(r, other));
    rig_run(r, 2000);
    assert_string_equal(status_of(u).port, "/dev/ttyUSB1");
    port_sim_renumber(r->bus, "/dev/ttyUSB1", "/dev/ttyUSB7");
    rig_run(r, 100);
    assert_int_equal(status_of(u).state, MODEM_ABSENT);
    assert_true(rig_until(r, u, MODEM_READY, 20000));
    rig_run(r, 2000);
    assert_string_equal(status_of(u).port, "/dev/ttyUSB7");
    assert_true(works(r, u));
    assert_int_equal(status_of(other).state, MODEM_READY);
}

/* Eight sticks known by IMEI, all in a hub that is pulled and comes back with every name changed. */
static void a_hub_of_sticks(void **state)
{
    enum { STICKS = 8 };
    struct rig *r = *state;
    struct unit *units[STICKS];

    for (int i = 0; i < STICKS; i++) {
        struct simmodem_info info;
        units[i] = rig_add(r, &(struct rig_conf){.port = "", .imei = "0"});
        simmodem_info(units[i]->sim, &info);
        units[i]->conf.imei = info.imei;
    }
    for (int i = 0; i < STICKS; i++)
        modem_start(units[i]->modem);
    for (int i = 0; i < STICKS; i++)
        assert_true(rig_ready(r, units[i]));
    for (int i = 0; i < STICKS; i++)
        rig_fault(r, units[i], "vanish", "20000");
    rig_run(r, 10000);
    for (int i = 0; i < STICKS; i++) {
        char old_name[32], new_name[32];
        snprintf(old_name, sizeof(old_name), "/dev/ttyUSB%d", i);
        snprintf(new_name, sizeof(new_name), "/dev/ttyUSB%d", 20 + (i * 3) % STICKS);
        port_sim_renumber(r->bus, old_name, new_name);
    }
    rig_run(r, 10000);
    for (int i = 0; i < STICKS; i++)
        assert_true(rig_until(r, units[i], MODEM_READY, 60000));
}

/* On the configured port there is another modem than the configured one: it is not used. */
static void wrong_modem_on_the_port(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.imei = "123456789012345"});

    modem_start(u->modem);
    rig_run(r, 600000);
    assert_int_not_equal(u->carrier->state, CARRIER_READY);
    assert_non_null(strstr(u->carrier->reason, "123456789012345"));
    assert_true(port_sim_opens(r->bus) < 200);
}

/* The port is held by another process: said so, and used as soon as it is free. */
static void busy_port(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    port_sim_busy(r->bus, u->port, true);
    modem_start(u->modem);
    rig_run(r, 600000);
    assert_int_equal(status_of(u).state, MODEM_BACKOFF);
    assert_non_null(strstr(u->carrier->reason, "busy"));
    port_sim_busy(r->bus, u->port, false);
    assert_true(rig_until(r, u, MODEM_READY, 40000));
}

/* The network goes and comes: no messages are taken meanwhile, and it is ready again at once afterwards. */
static void network_lost(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "no_network", "60000");
    rig_run(r, 1000);
    assert_int_equal(status_of(u).state, MODEM_REGISTERING);
    assert_int_equal(u->carrier->state, CARRIER_DOWN);
    rig_run(r, 58000);
    assert_int_equal(status_of(u).state, MODEM_REGISTERING);
    rig_run(r, 2000);
    assert_int_equal(status_of(u).state, MODEM_READY);
    assert_true(works(r, u));
}

/* An hour without network: the radio is switched off and on now and then, and nothing worse. */
static void network_lost_for_an_hour(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "no_network", "3600000");
    rig_run(r, 3600000);
    assert_true(status_of(u).recoveries >= 1 && status_of(u).recoveries <= 6);
    assert_int_equal(port_sim_opens(r->bus), 1);
    assert_true(rig_until(r, u, MODEM_READY, 90000));
    rig_run(r, 2000);
    assert_true(works(r, u));
}

/* Bytes are lost and doubled for a minute: it works afterwards. */
static void bad_line(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "drop", "0.05 60000");
    rig_fault(r, u, "double", "0.05 60000");
    for (int i = 0; i < 60; i++) {
        rig_submit(u, "+491701234567", "Through the noise", false, NULL);
        rig_run(r, 1000);
    }
    rig_run(r, 180000); /* the last one may wait its 120 s for a result that was garbled */
    assert_true(rig_until(r, u, MODEM_READY, 300000));
    rig_run(r, 10000);
    assert_true(works(r, u));
    for (size_t i = 0; i < u->send_count; i++)
        assert_true(u->sends[i].ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(silence_of_a_minute),
        RIG_TEST(long_silence),
        RIG_TEST(silence_is_patient),
        RIG_TEST(hangs_in_idle),
        RIG_TEST(restarts_by_itself),
        RIG_TEST(unplugged_and_back),
        RIG_TEST(found_by_imei),
        RIG_TEST(a_hub_of_sticks),
        RIG_TEST(wrong_modem_on_the_port),
        RIG_TEST(busy_port),
        RIG_TEST(network_lost),
        RIG_TEST(network_lost_for_an_hour),
        RIG_TEST(bad_line),
    };
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
