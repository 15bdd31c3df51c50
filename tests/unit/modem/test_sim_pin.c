/* The SIM's PIN: entered once, never at the risk of blocking the SIM. */
#include "tests/lib/modem_test.h"

static int tries_left(struct unit *u)
{
    struct simmodem_info info;

    simmodem_info(u->sim, &info);
    return info.pin_tries;
}

/* A SIM that asks for its PIN gets it, and the modem becomes ready. */
static void right_pin(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "1234"});

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    assert_int_equal(tries_left(u), 3);
}

/* Without a configured PIN the modem waits for a person, and says for what. */
static void no_pin_configured(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234"});

    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 10000));
    assert_int_equal(u->carrier->state, CARRIER_LOCKED);
    assert_non_null(strstr(u->carrier->reason, "none is configured"));
}

/* A wrong PIN costs one try and no more: not on the next check, not after the modem restarts, not after the
 * stick is pulled and put back. */
static void wrong_pin_is_tried_once(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "9999"});

    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 20000));
    assert_int_equal(tries_left(u), 2);
    assert_non_null(strstr(u->carrier->reason, "refused"));
    rig_run(r, 600000);
    rig_fault(r, u, "reboot", NULL);
    rig_run(r, 600000);
    rig_fault(r, u, "vanish", "5000");
    rig_run(r, 600000);
    assert_int_equal(status_of(u).state, MODEM_LOCKED);
    assert_int_equal(tries_left(u), 2);
}

/* Questions about the SIM that fail for a while do not make a refused PIN look right: the number of refusals
 * walks over every command of the initialisation. */
static void failed_questions_do_not_unlock(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "9999", .tries_untold = true});
    char refusals[16];

    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 20000));
    for (int n = 1; n <= 20; n++) {
        rig_fault(r, u, "reboot", NULL);
        snprintf(refusals, sizeof(refusals), "100 %d", n);
        rig_fault(r, u, "cme", refusals);
        rig_run(r, 300000);
    }
    assert_int_equal(tries_left(u), 2);
}

/* An operator's unlock tries once more while two tries are left, and never the last one. */
static void unlock_spares_the_last_try(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "9999"});

    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 20000));
    modem_unlock(u->modem);
    rig_run(r, 20000);
    assert_int_equal(status_of(u).state, MODEM_LOCKED);
    assert_int_equal(tries_left(u), 1);
    modem_unlock(u->modem);
    rig_run(r, 20000);
    assert_int_equal(status_of(u).state, MODEM_LOCKED);
    assert_int_equal(tries_left(u), 1);
    assert_non_null(strstr(u->carrier->reason, "1 try left"));
    assert_int_equal(status_of(u).pin_tries, 1);
}

/* After the PIN was corrected, an unlock brings the modem up. */
static void unlock_with_the_right_pin(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "9999"});

    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 20000));
    u->conf.pin = "1234";
    modem_unlock(u->modem);
    assert_true(rig_ready(r, u));
}

/* The PIN that was right is entered again after each restart of the modem. */
static void entered_again_after_a_restart(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "1234"});

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    for (int i = 0; i < 5; i++) {
        rig_run(r, 5000);
        rig_fault(r, u, "reboot", NULL);
        rig_run(r, 3000);
        assert_true(rig_ready(r, u));
    }
    assert_int_equal(tries_left(u), 3);
}

/* A modem without SIM waits for one, says so, and comes up when it is put in. */
static void sim_out_and_in(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    rig_fault(r, u, "sim_out", NULL);
    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 20000));
    assert_non_null(strstr(u->carrier->reason, "no SIM"));
    rig_fault(r, u, "sim_in", NULL);
    assert_true(rig_until(r, u, MODEM_READY, 300000));
}

/* A SIM pulled from a running modem is noticed at the latest by the first message it refuses. */
static void sim_pulled_in_operation(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 5000);
    rig_fault(r, u, "sim_out", NULL);
    rig_submit(u, "+491701234567", "Hello", false, NULL);
    assert_true(rig_until(r, u, MODEM_LOCKED, 60000));
    assert_true(u->send_count == 0 || u->sends[0].ended);
}

/* A SIM that is busy for some seconds after the modem's start is asked again. */
static void busy_sim(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    rig_fault(r, u, "cme", "14 6");
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    assert_int_equal(status_of(u).recoveries, 0);
}

/* ---- complaint 10: the PIN was tried until the SIM was locked ---- */

/* Whatever happens to modem and stick, and whichever wrong PIN is configured meanwhile: one try is made by
 * itself, told or untold how many are left. */
static void complaint_10_one_try(void **state)
{
    static const char *const wrong[] = {"9999", "0000", "1111", "123"};
    static const char *const mishaps[][2] = {{"reboot", "1000"}, {"vanish", "3000"}, {"error", "7"},
                                             {"cme", "14 5"},    {"cme", "100 9"},   {"silence", "30000"},
                                             {"sim_out", ""},    {"sim_in", ""}};
    enum { STEPS = 80 };
    struct rig *r = *state;

    for (int untold = 0; untold < 2; untold++) {
        struct unit *u =
            rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "9999", .tries_untold = untold});
        modem_start(u->modem);
        for (int i = 0; i < STEPS; i++) {
            const char *const *mishap = mishaps[rt_sim_random(r->rt, ARRAY_LEN(mishaps))];
            u->conf.pin = wrong[rt_sim_random(r->rt, ARRAY_LEN(wrong))];
            rig_fault(r, u, mishap[0], mishap[1]);
            rig_run(r, 1000 * (int64_t)rt_sim_random(r->rt, 200));
            assert_in_range(tries_left(u), 2, 3);
        }
        rig_fault(r, u, "sim_in", NULL);
        rig_run(r, 600000);
        assert_int_equal(tries_left(u), 2);
        assert_int_equal(status_of(u).state, MODEM_LOCKED);
        assert_true(u->carrier->alarms[CARRIER_ALARM_SIM].on);
        assert_non_null(strstr(u->carrier->reason, "simgate unlock"));
    }
}

/* A SIM of which a try is missing already is not given another by itself; with an operator's word it is. */
static void complaint_10_a_try_is_missing(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "1234"});
    static const char wrong[] = "AT+CPIN=\"0000\"\r";

    simmodem_feed(u->sim, wrong, strlen(wrong), rt_sim_now(r->rt));
    rig_run(r, 1000);
    assert_int_equal(tries_left(u), 2);
    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 20000));
    assert_non_null(strstr(u->carrier->reason, "2 tries left"));
    rig_run(r, 600000);
    assert_int_equal(tries_left(u), 2);
    modem_unlock(u->modem);
    assert_true(rig_ready(r, u));
    assert_false(u->carrier->alarms[CARRIER_ALARM_SIM].on);
    assert_int_equal(tries_left(u), 3);
}

static void on_stopped(void *owner)
{
    (void)owner;
}

/* An unlock of a modem that works accepts its SIM, and is no leave for a try of the PIN later on: when the
 * SIM asks again with a try missing, somebody is asked first. */
static void unlock_is_not_kept(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sim_pin = "1234", .pin = "1234"});
    static const char wrong[] = "AT+CPIN=\"0000\"\r";

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    modem_unlock(u->modem);
    rig_run(r, 1000);
    modem_stop(u->modem, 0, on_stopped, NULL);
    rig_run(r, 1000);
    simmodem_power_cycle(u->sim, rt_sim_now(r->rt));
    rig_run(r, 10000);
    simmodem_feed(u->sim, wrong, strlen(wrong), rt_sim_now(r->rt));
    rig_run(r, 1000);
    assert_int_equal(tries_left(u), 2);
    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 60000));
    assert_int_equal(tries_left(u), 2);
    assert_non_null(strstr(u->carrier->reason, "2 tries left"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(right_pin),
        RIG_TEST(no_pin_configured),
        RIG_TEST(wrong_pin_is_tried_once),
        RIG_TEST(failed_questions_do_not_unlock),
        RIG_TEST(unlock_spares_the_last_try),
        RIG_TEST(unlock_with_the_right_pin),
        RIG_TEST(entered_again_after_a_restart),
        RIG_TEST(sim_out_and_in),
        RIG_TEST(sim_pulled_in_operation),
        RIG_TEST(busy_sim),
        RIG_TEST(complaint_10_one_try),
        RIG_TEST(complaint_10_a_try_is_missing),
        RIG_TEST(unlock_is_not_kept),
    };
    return cmocka_run_group_tests_name("SIM PIN", tests, NULL, NULL);
}
