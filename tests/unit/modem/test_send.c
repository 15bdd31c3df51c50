/* Sending: every outcome is told once, and truly. */
#include "tests/lib/modem_test.h"

static struct unit *ready_unit(struct rig *r, const struct rig_conf *conf)
{
    struct unit *u = rig_add(r, conf);

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 2000);
    return u;
}

static uint64_t on_air(const struct rig *r)
{
    return simnet_counts(r->net)->by_kind[SIMNET_SUBMITTED];
}

static struct rig_send *send_one(struct rig *r, struct unit *u, int64_t for_ms)
{
    struct rig_send *s = rig_submit(u, "+491701234567", "Hello", false, NULL);

    assert_non_null(s);
    assert_true(rig_ended(r, s, for_ms));
    return s;
}

/* Each part that is submitted in the `done` of the one before goes out in the same instant: with a network
 * that takes no time, a thousand take none. */
static void no_gap_between_parts(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);
    int64_t begin_ms = rt_sim_now(r->rt);

    rig_burst(u, 1000);
    rig_run(r, 5);
    assert_int_equal(u->send_count, 1000);
    assert_int_equal(on_air(r), 1000);
    assert_int_equal(u->sends[999].ended_ms, begin_ms);
}

/* The network's refusal is told with its number, its class and words. */
static void refused_by_the_network(void **state)
{
    static const struct {
        const char *code;
        enum carrier_error error;
    } cases[] = {
        {"38", CARRIER_E_NETWORK},  {"1", CARRIER_E_PERMANENT},  {"10", CARRIER_E_SIM},
        {"304", CARRIER_E_OURS},    {"322", CARRIER_E_MODEM},    {"314", CARRIER_E_BUSY},
        {"500", CARRIER_E_UNCLEAR}, {"197", CARRIER_E_ACCEPTED}, {"777", CARRIER_E_UNCLEAR},
    };
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        rig_fault(r, u, "cms", cases[i].code);
        struct rig_send *s = send_one(r, u, 20000);
        assert_int_equal(s->outcome.result, CARRIER_FAILED);
        assert_int_equal(s->outcome.code, atoi(cases[i].code));
        assert_int_equal(s->outcome.error, cases[i].error);
        assert_non_null(strstr(s->outcome.text, cases[i].code));
        rig_run(r, 5000);
        assert_int_equal(status_of(u).state, MODEM_READY);
    }
    assert_int_equal(on_air(r), 0);
    assert_int_equal(status_of(u).failed, ARRAY_LEN(cases));
}

/* The PDU was written and neither +CMGS nor OK came: the outcome is unknown, and the modem works again soon.
 */
static void result_lost(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.send_timeout_ms = 30000});

    rig_fault(r, u, "ok_lost", "1");
    struct rig_send *s = send_one(r, u, 31000);
    assert_int_equal(s->outcome.result, CARRIER_UNKNOWN);
    assert_int_equal(on_air(r), 1);
    rig_run(r, 20000);
    assert_int_equal(status_of(u).state, MODEM_READY);
    assert_int_equal(send_one(r, u, 10000)->outcome.result, CARRIER_SENT);
}

/* A result that comes after the time was up is told as late, with its reference, and settles nobody else. */
static void late_result(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.send_timeout_ms = 10000, .net_ms = 15000});

    rig_fault(r, u, "mr", "42");
    struct rig_send *s = send_one(r, u, 11000);
    assert_int_equal(s->outcome.result, CARRIER_UNKNOWN);
    rig_run(r, 60000);
    assert_int_equal(u->lates, 1);
    assert_int_equal(u->late_mr, 42);
}

/* No prompt: nothing was submitted, and that is what is told. */
static void no_prompt(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "prompt_missing", "1");
    struct rig_send *s = send_one(r, u, 30000);
    assert_int_equal(s->outcome.result, CARRIER_NOT_SUBMITTED);
    rig_run(r, 30000);
    assert_int_equal(on_air(r), 0);
    assert_int_equal(send_one(r, u, 10000)->outcome.result, CARRIER_SENT);
}

/* A bare prompt, and unsolicited codes inside replies, change nothing. */
static void odd_prompts(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "prompt_bare", "5");
    rig_fault(r, u, "urc_inside", "20");
    for (int i = 0; i < 5; i++)
        assert_int_equal(send_one(r, u, 10000)->outcome.result, CARRIER_SENT);
    assert_int_equal(on_air(r), 5);
}

/* The modem restarts while the PDU is on the air: unknown; it comes up again by itself. */
static void restart_on_the_air(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.net_ms = 5000});

    struct rig_send *s = rig_submit(u, "+491701234567", "Hello", false, NULL);
    rig_run(r, 1000);
    rig_fault(r, u, "reboot", NULL);
    assert_true(rig_ended(r, s, 10000));
    assert_int_equal(s->outcome.result, CARRIER_UNKNOWN);
    assert_true(rig_ready(r, u));
}

/* The stick is pulled while the PDU is on the air: unknown, told at once. */
static void pulled_on_the_air(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.net_ms = 5000});

    struct rig_send *s = rig_submit(u, "+491701234567", "Hello", false, NULL);
    rig_run(r, 1000);
    rig_fault(r, u, "vanish", "5000");
    assert_true(rig_ended(r, s, 100));
    assert_int_equal(s->outcome.result, CARRIER_UNKNOWN);
    assert_int_equal(u->carrier->state, CARRIER_DOWN);
    assert_true(rig_ready(r, u));
}

/* The stick is pulled before the prompt came: nothing was submitted. */
static void pulled_before_the_prompt(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    rig_fault(r, u, "prompt_missing", "1");
    struct rig_send *s = rig_submit(u, "+491701234567", "Hello", false, NULL);
    rig_run(r, 1000);
    rig_fault(r, u, "vanish", "5000");
    assert_true(rig_ended(r, s, 100));
    assert_int_equal(s->outcome.result, CARRIER_NOT_SUBMITTED);
    assert_true(rig_ready(r, u));
    assert_int_equal(on_air(r), 0);
}

/* The daemon dies while the modem waits for the network: the next life finds the modem again, is told the
 * late result, and sends. */
static void killed_on_the_air(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.net_ms = 15000});

    rig_fault(r, u, "mr", "9");
    rig_submit(u, "+491701234567", "Hello", false, NULL);
    rig_run(r, 1000);
    rig_kill(r);
    rig_revive(r);
    assert_true(rig_ready(r, u));
    assert_int_equal(on_air(r), 1);
    assert_int_equal(u->lates, 1);
    assert_int_equal(u->late_mr, 9);
    assert_int_equal(send_one(r, u, 20000)->outcome.result, CARRIER_SENT);
}

/* The daemon dies between the command and its PDU: the open prompt is got rid of, and nothing was submitted.
 */
static void killed_at_the_prompt(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    port_sim_latency(r->bus, 50);
    rig_submit(u, "+491701234567", "Hello", false, NULL);
    rig_run(r, 75); /* the command is there, its prompt on the way back */
    rig_kill(r);
    rig_revive(r);
    assert_true(rig_ready(r, u));
    assert_int_equal(on_air(r), 0);
    assert_int_equal(send_one(r, u, 20000)->outcome.result, CARRIER_SENT);
    assert_int_equal(on_air(r), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(no_gap_between_parts),
        RIG_TEST(refused_by_the_network),
        RIG_TEST(result_lost),
        RIG_TEST(late_result),
        RIG_TEST(no_prompt),
        RIG_TEST(odd_prompts),
        RIG_TEST(restart_on_the_air),
        RIG_TEST(pulled_on_the_air),
        RIG_TEST(pulled_before_the_prompt),
        RIG_TEST(killed_on_the_air),
        RIG_TEST(killed_at_the_prompt),
    };
    return cmocka_run_group_tests_name("sending", tests, NULL, NULL);
}
