/* Unknown outcomes: held, settled by report or late result, sent again marked, or failed; over restarts.
 * Delivery reports. */
#include "tests/unit/gateway/world.h"

static struct world *W(void **state)
{
    return *state;
}

static int64_t send_unknown(struct world *w, const char *text)
{
    struct gateway_send s = message("+491701111111", text);
    s.report = 1;
    plan(&w->carriers[0], unknown_outcome());
    return admit(w, &s);
}

static void restart(struct world *w)
{
    life_crash(w);
    life_start(w);
}

static const char *three_parts(void)
{
    static char text[401];
    memset(text, 'x', 400);
    return text;
}

/* By default it is held: never sent again blindly; somebody is told; a retry then is marked in message and
 * PDU. */
static void held_until_somebody_decides(void **state)
{
    struct world *w = W(state);
    int64_t id = send_unknown(w, "x");
    run(w, SECOND);
    assert_state(w, id, MSG_UNKNOWN);
    assert_int_equal(w->events[EV_ALARM], 0);
    struct gateway_stats st;
    gateway_get_stats(w->g, &st);
    assert_int_equal(st.unknown, 1);
    assert_int_equal(st.undecided, 0); /* a report may still settle it */
    run(w, DAY);
    assert_int_equal(w->nlog, 1);
    assert_int_equal(w->events[EV_ALARM], 1);
    assert_non_null(strstr(w->alarm, "not known"));
    gateway_get_stats(w->g, &st);
    assert_int_equal(st.unknown, 1);
    assert_int_equal(st.undecided, 1);
    assert_int_equal(change(w, id, false), 0);
    run(w, SECOND);
    assert_int_equal(w->nlog, 2);
    assert_true(w->log[1].duplicate_mark);
    assert_state(w, id, MSG_SENT);
    assert_true(flags_of_message(w, id) & MSG_F_POSSIBLE_DUPLICATE);
    gateway_get_stats(w->g, &st);
    assert_int_equal(st.unknown, 0);
    assert_int_equal(st.undecided, 0);
}

/* An operator gives it up, before or after its wait: it fails, nothing stands in `status` for ever, and a
 * late report changes nothing. Tried again after all, it is marked. */
static void given_up_by_an_operator(void **state)
{
    struct world *w = W(state);
    struct gateway_stats st;
    int64_t waits[] = {SECOND, DAY};
    for (int i = 0; i < 2; i++) {
        int64_t id = send_unknown(w, "x");
        run(w, waits[i]);
        assert_state(w, id, MSG_UNKNOWN);
        assert_int_equal(change(w, id, true), 0);
        assert_state(w, id, MSG_FAILED);
        assert_non_null(strstr(w->reason, "by root"));
        arrive_report(w, 0, "+491701111111", 0, 0);
        run(w, DAY);
        assert_state(w, id, MSG_FAILED);
        gateway_get_stats(w->g, &st);
        assert_int_equal(st.unknown, 0);
        assert_int_equal(st.undecided, 0);
        assert_int_equal(st.queued, 0);
        assert_int_equal(w->nlog, 2 * i + 1);
        assert_int_equal(change(w, id, false), 0);
        run(w, SECOND);
        assert_int_equal(w->nlog, 2 * i + 2);
        assert_true(w->log[2 * i + 1].duplicate_mark);
        assert_state(w, id, MSG_SENT);
    }
}

/* By policy it is sent again after its wait, marked as a possible duplicate. */
static void sent_again_by_policy(void **state)
{
    struct world *w = W(state);
    w->conf.on_unknown = ON_UNKNOWN_RESEND;
    int64_t id = send_unknown(w, "x");
    run(w, 9 * MINUTE);
    assert_int_equal(w->nlog, 1);
    run(w, 2 * MINUTE);
    assert_int_equal(w->nlog, 2);
    assert_true(w->log[1].duplicate_mark);
    assert_state(w, id, MSG_SENT);
    assert_true(flags_of_message(w, id) & MSG_F_POSSIBLE_DUPLICATE);
}

/* By policy it fails after its wait. */
static void failed_by_policy(void **state)
{
    struct world *w = W(state);
    w->conf.on_unknown = ON_UNKNOWN_FAIL;
    int64_t id = send_unknown(w, "x");
    run(w, 11 * MINUTE);
    assert_int_equal(w->nlog, 1);
    assert_state(w, id, MSG_FAILED);
    assert_non_null(strstr(w->reason, "may have been sent"));
}

/* A late result settles it: it was sent. */
static void settled_by_a_late_result(void **state)
{
    struct world *w = W(state);
    int64_t id = send_unknown(w, "x");
    run(w, SECOND);
    w->carriers[0].c.up->late(w->g, &w->carriers[0].c, 77);
    run(w, SECOND);
    assert_state(w, id, MSG_SENT);
    run(w, DAY);
    assert_int_equal(w->nlog, 1);
    assert_int_equal(w->events[EV_ALARM], 0);
}

/* Its delivery report settles it. */
static void settled_by_its_report(void **state)
{
    struct world *w = W(state);
    int64_t id = send_unknown(w, "x");
    run(w, SECOND);
    uint64_t token = arrive_report(w, 0, "+491701111111", 5, 0);
    run(w, SECOND);
    assert_int_equal(settled(w, token), 1);
    assert_state(w, id, MSG_DELIVERED);
    run(w, DAY);
    assert_int_equal(w->nlog, 1);
    assert_int_equal(w->events[EV_ALARM], 0);
}

/* The waits of unknown parts are counted from their submission, over restarts. */
static void waits_survive_restarts(void **state)
{
    struct world *w = W(state);
    w->conf.on_unknown = ON_UNKNOWN_RESEND;
    int64_t id = send_unknown(w, "x");
    run(w, 5 * MINUTE);
    restart(w);
    run(w, 4 * MINUTE);
    assert_int_equal(w->nlog, 1);
    run(w, 2 * MINUTE);
    assert_int_equal(w->nlog, 2);
    assert_state(w, id, MSG_SENT);
}

/* The parts behind an unknown one wait until it is settled, and then go by the same SIM. */
static void other_parts_wait(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491701111111", three_parts());
    s.report = 1;
    plan(&w->carriers[0], (struct carrier_outcome){.result = CARRIER_SENT});
    plan(&w->carriers[0], unknown_outcome());
    int64_t id = admit(w, &s);
    run(w, MINUTE);
    assert_int_equal(w->nlog, 2);
    assert_state(w, id, MSG_UNKNOWN);
    arrive_report(w, 0, "+491701111111", 100, 0); /* references go upwards */
    run(w, SECOND);
    assert_int_equal(w->nlog, 3);
    assert_int_equal(w->log[2].seq, 3);
    assert_state(w, id, MSG_SENT);
}

/* A crash while parts are on the air and intended: each is unknown by itself; what was not intended goes on
 * after they are settled; none goes twice unmarked. */
static void a_crash_leaves_unknown_parts(void **state)
{
    struct world *w = W(state);
    w->conf.on_unknown = ON_UNKNOWN_RESEND;
    w->carriers[0].send_ms = 10 * SECOND;
    int64_t id = send_to(w, "+491701111111", three_parts());
    run(w, SECOND);
    assert_int_equal(w->nlog, 1); /* the second part is intended */
    restart(w);
    run(w, SECOND);
    assert_state(w, id, MSG_UNKNOWN);
    run(w, 9 * MINUTE);
    assert_int_equal(w->nlog, 1);
    run(w, 5 * MINUTE);
    assert_int_equal(w->nlog, 4);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(w->log[i].seq, i);
        assert_true(w->log[i].duplicate_mark);
    }
    assert_state(w, id, MSG_SENT);
}

/* What was intended but had not left when the process died is not unknown: it goes on at once, unmarked. */
static void what_never_left_is_not_unknown(void **state)
{
    struct world *w = W(state);
    w->carriers[0].leave_ms = 10 * SECOND;
    int64_t id = send_to(w, "+491701111111", "x");
    run(w, SECOND);
    assert_state(w, id, MSG_SUBMITTING);
    restart(w);
    run(w, 20 * SECOND);
    assert_int_equal(w->nlog, 1);
    assert_false(w->log[0].duplicate_mark);
    assert_state(w, id, MSG_SENT);
}

/* ---- reports ---- */

/* A message is delivered when all its parts are; a pending report changes nothing; an unmatched one is kept.
 */
static void all_parts_delivered(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491701111111", three_parts());
    s.report = 1;
    int64_t id = admit(w, &s);
    run(w, SECOND);
    arrive_report(w, 0, "+491701111111", 0, 0);
    arrive_report(w, 0, "01701111111", 1, 0); /* the network may report nationally */
    arrive_report(w, 0, "+491701111111", 2, 0x20);
    run(w, SECOND);
    assert_state(w, id, MSG_SENT);
    uint64_t token = arrive_report(w, 0, "+491701111111", 2, 0);
    uint64_t stranger = arrive_report(w, 0, "+491709999999", 2, 0);
    run(w, SECOND);
    assert_state(w, id, MSG_DELIVERED);
    assert_int_equal(settled(w, token), 1);
    assert_int_equal(settled(w, stranger), 1);
    struct gateway_stats st;
    gateway_get_stats(w->g, &st);
    assert_int_equal(st.reports, 5);
    assert_int_equal(st.reports_unmatched, 1);
    assert_int_equal(w->events[EV_REPORT], 5);
}

/* A report may be there before the result of its submission. */
static void a_report_before_its_result(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491701111111", "x");
    s.report = 1;
    int64_t id = admit(w, &s);
    run(w, 50);
    arrive_report(w, 0, "+491701111111", 0, 0);
    run(w, SECOND);
    assert_state(w, id, MSG_DELIVERED);
    assert_int_equal(w->events[EV_SENT], 1);
}

/* … and its result never: the report is not forgotten, with or without a death in between. */
static void a_report_before_no_result(void **state)
{
    struct world *w = W(state);
    w->conf.on_unknown = ON_UNKNOWN_RESEND;
    for (int dies = 0; dies < 2; dies++) {
        int64_t id = send_unknown(w, "x");
        run(w, 50);
        arrive_report(w, 0, "+491701111111", 7 + dies, 0);
        run(w, 10);
        if (dies)
            restart(w);
        run(w, DAY);
        assert_state(w, id, MSG_DELIVERED);
        assert_int_equal(w->nlog, 1 + dies);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(held_until_somebody_decides),  T(given_up_by_an_operator),
        T(sent_again_by_policy),         T(failed_by_policy),
        T(settled_by_a_late_result),     T(settled_by_its_report),
        T(waits_survive_restarts),       T(other_parts_wait),
        T(a_crash_leaves_unknown_parts), T(all_parts_delivered),
        T(a_report_before_its_result),   T(what_never_left_is_not_unknown),
        T(a_report_before_no_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
