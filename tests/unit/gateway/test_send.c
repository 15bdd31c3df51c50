/* The way out: admission, queue, carrier, outcome, with the real store. */
#include "tests/unit/gateway/world.h"

/* A message is acknowledged after it is stored, submitted after its intent is stored, and ends as SENT. */
static void a_message_is_sent(void **state)
{
    struct world *w = *state;
    int64_t id = send_to(w, "0170 1234567", "hello");
    assert_true(id > 0);
    run(w, SECOND);
    assert_int_equal(w->nlog, 1);
    assert_string_equal(w->log[0].to, "+491701234567");
    assert_string_equal(w->log[0].text, "hello");
    assert_state(w, id, MSG_SENT);
    assert_int_equal(w->events[EV_QUEUED], 1);
    assert_int_equal(w->events[EV_SUBMITTING], 1);
    assert_int_equal(w->events[EV_SENT], 1);
}

/* An inbound message is stored, then acknowledged, given to the engine, and its reply goes out by the same
 * SIM. */
static void answer(void *owner, const struct msg_row *m)
{
    struct world *w = owner;
    struct gateway_send reply = message(m->peer, "auto reply");
    reply.automatic = true;
    gateway_handled(w->g, m->id,
                    &(struct gateway_verdict){.reason = "rule all", .replies = &reply, .nreplies = 1});
}

static void a_message_is_answered(void **state)
{
    struct world *w = *state;
    gateway_set_engine(w->g, answer, w);
    uint64_t token = arrive_text(w, "+491701111111", "hi");
    assert_int_equal(settled(w, token), -1);
    run(w, SECOND);
    assert_int_equal(settled(w, token), 1);
    assert_int_equal(w->nlog, 1);
    assert_string_equal(w->log[0].text, "auto reply");
    assert_state(w, w->last_in, MSG_HANDLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_sent, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_message_is_answered, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
