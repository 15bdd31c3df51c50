/* A modem's life against the simulated modem: from the first AT to ready, one message out, one in, the end.
 */
#include "tests/lib/modem_test.h"

/* A modem that follows the standards is ready within seconds, and all of it is known. */
static void becomes_ready(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);
    struct simmodem_info info;
    struct modem_status s;

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 1000);
    simmodem_info(u->sim, &info);
    modem_get_status(u->modem, &s);
    assert_int_equal(u->carrier->state, CARRIER_READY);
    assert_string_equal(u->carrier->imei, info.imei);
    assert_string_equal(u->carrier->imsi, info.imsi);
    assert_int_not_equal(u->carrier->signal_dbm, 0);
    assert_true(*u->carrier->operator_name);
    assert_true(*s.manufacturer);
    assert_true(*s.smsc);
    assert_string_equal(s.receive_plan, "store, AT+CNMI=2,1,0,1,0");
    assert_true(rt_sim_now(r->rt) < 10000);
}

/* A message goes out with the TP-MR that the modem gave it. */
static void sends(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.net_ms = 3000});

    rig_fault(r, u, "mr", "77");
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    struct rig_send *send = rig_submit(u, "+491701234567", "Hello", false, NULL);
    assert_non_null(send);
    assert_true(rig_ended(r, send, 10000));
    assert_int_equal(send->outcome.result, CARRIER_SENT);
    assert_int_equal(send->outcome.mr, 77);
    assert_int_equal(simnet_counts(r->net)->by_kind[SIMNET_SUBMITTED], 1);
}

/* A message comes in, is offered once, and deleted only after it was settled. */
static void receives(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    u->settle_ms = 500;
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 2000);
    rig_text(r, u, "+491709999999", "Hello shop");
    rig_run(r, 300);
    assert_int_equal(u->in_count, 1);
    assert_string_equal(u->in[0].text, "Hello shop");
    assert_int_equal(rig_stored(u), 1);
    rig_run(r, 1000);
    assert_int_equal(u->in_count, 1);
    assert_int_equal(rig_stored(u), 0);
    assert_int_equal(simnet_counts(r->net)->deleted_messages, 1);
}

static void on_stopped(void *owner)
{
    ((struct unit *)owner)->stopped = true;
}

/* Stopping waits for the message on the air, tells its outcome, then closes and says so once. */
static void stops_after_the_message_on_the_air(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.net_ms = 3000});
    int status;

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    struct rig_send *send = rig_submit(u, "+491701234567", "Hello", false, NULL);
    rig_run(r, 100);
    modem_stop(u->modem, 10000, on_stopped, u);
    rig_run(r, 100);
    assert_false(u->stopped);
    assert_null(rig_submit(u, "+491701234567", "Too late", false, &status));
    assert_int_equal(status, ERR_GONE);
    rig_run(r, 5000);
    assert_true(u->stopped);
    assert_true(send->ended);
    assert_int_equal(send->outcome.result, CARRIER_SENT);
    assert_int_equal(u->carrier->state, CARRIER_CLOSED);
}

/* The bound of a stop holds: a message without a result by then is told as unknown. */
static void stops_at_the_bound(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.net_ms = 60000});

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    struct rig_send *send = rig_submit(u, "+491701234567", "Hello", false, NULL);
    rig_run(r, 1000);
    modem_stop(u->modem, 5000, on_stopped, u);
    rig_run(r, 5100);
    assert_true(u->stopped);
    assert_true(send->ended);
    assert_int_equal(send->outcome.result, CARRIER_UNKNOWN);
}

/* A stopped modem can be started again. */
static void starts_again(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    modem_stop(u->modem, 5000, on_stopped, u);
    rig_run(r, 1000);
    assert_int_equal(status_of(u).state, MODEM_DISABLED);
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
}

/* The process before died behind AT+CMGS: the modem stands at its prompt with half a PDU and takes commands
 * for text. It is ready as fast as ever, no rung of the ladder is climbed, and the half PDU is not sent. */
static void process_before_died_at_the_prompt(void **state)
{
    static const char left[] = "ATE0\rAT+CMGF=0\r";
    static const char begun[] = "AT+CMGS=20\r";
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    for (const char *const *p = (const char *const[]){left, begun, "0011000C9144", NULL}; *p; p++) {
        simmodem_feed(u->sim, *p, strlen(*p), rt_sim_now(r->rt));
        rig_run(r, 100);
    }
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    assert_true(rt_sim_now(r->rt) < 10000);
    assert_int_equal(status_of(u).recoveries, 0);
    assert_int_equal(simnet_counts(r->net)->by_kind[SIMNET_SUBMITTED], 0);
}

static void free_when_stopped(void *owner)
{
    struct unit *u = owner;

    modem_free(u->modem);
    u->modem = NULL;
    u->stopped = true;
}

/* A modem that is being stopped while it hangs, restarts or vanishes is closed all the same, and may be freed
 * when it says so. */
static void freed_in_the_middle_of_recovery(void **state)
{
    static const char *const faults[][2] = {{"silence", "600000"}, {"reboot", "1000"}, {"vanish", "600000"}};
    struct rig *r = *state;

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct unit *u = rig_add(r, &(struct rig_conf){.net_ms = 5000, .send_timeout_ms = 10000});

        modem_start(u->modem);
        assert_true(rig_ready(r, u));
        assert_non_null(rig_submit(u, "+491701234567", "Hello", false, NULL));
        rig_run(r, 100);
        modem_stop(u->modem, 60000, free_when_stopped, u);
        rig_run(r, 10);
        rig_fault(r, u, faults[i][0], faults[i][1]);
        rig_run(r, 70000);
        assert_true(u->stopped);
    }
}

/* A message takes part in nothing but its own submission: a second one at the same time is refused. */
static void one_submission_at_a_time(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.net_ms = 1000});
    int status;

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    assert_non_null(rig_submit(u, "+491701234567", "One", false, NULL));
    assert_null(rig_submit(u, "+491701234567", "Two", false, &status));
    assert_int_equal(status, ERR_BUSY);
}

/* The configured service centre is written to the SIM when it differs. */
static void sets_the_service_centre(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.smsc = "+491722270333"});

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    assert_string_equal(status_of(u).smsc, "+491722270333");
}

static unsigned logged;

static void count_logged(enum log_level level, const char *who, const char *line)
{
    (void)who, (void)line;
    logged += level < LOG_DEBUG;
}

/* A SIM that is nowhere is told as absent after a while, and once, although another stick is there that is
 * asked again and again, which is not told each time. */
static void absent_among_strangers(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.usb_path = "1-1", .imsi = "262019999999999"});
    const struct carrier_alarm_state *a = &u->carrier->alarms[CARRIER_ALARM_ABSENT];
    struct simmodem_info info;

    modem_start(u->modem);
    rig_run(r, 300000);
    assert_true(a->on);
    int64_t since_ms = a->since_wall_ms;
    enum log_level level = log_get_level();
    logged = 0;
    log_set_level(LOG_INFO);
    log_set_sink(count_logged);
    rig_run(r, 600000);
    log_set_sink(NULL);
    log_set_level(level);
    assert_int_equal(logged, 0);
    assert_true(a->on);
    assert_int_equal(a->since_wall_ms, since_ms);
    simmodem_info(u->sim, &info);
    u->conf.imsi = info.imsi;
    assert_true(rig_until(r, u, MODEM_READY, 120000));
    assert_false(a->on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(becomes_ready),
        RIG_TEST(sends),
        RIG_TEST(receives),
        RIG_TEST(stops_after_the_message_on_the_air),
        RIG_TEST(stops_at_the_bound),
        RIG_TEST(starts_again),
        RIG_TEST(one_submission_at_a_time),
        RIG_TEST(sets_the_service_centre),
        RIG_TEST(process_before_died_at_the_prompt),
        RIG_TEST(freed_in_the_middle_of_recovery),
        RIG_TEST(absent_among_strangers),
    };
    return cmocka_run_group_tests_name("modem life", tests, NULL, NULL);
}
