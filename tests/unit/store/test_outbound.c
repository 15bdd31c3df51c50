/* Outbound messages: admission, intents, outcomes, moves. */
#include "fixture.h"

/* A message goes queued, submitting, sent, with a history row for each and one outcome for the sinks. */
static void test_the_way_of_a_message(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_show h;

    assert_int_equal(send_part(f, id, 1, 7, T0 + SECOND), MSG_SENT);
    assert_history(f, id, "queued submitting sent");
    assert_int_equal(outbox_count(f, OUTBOX_OUTCOME, id), 1);
    h = show(f, id);
    assert_int_equal(h.nparts, 1);
    assert_int_equal(h.parts[0].mr, 7);
    assert_int_equal(h.parts[0].attempts, 1);
    assert_string_equal(h.parts[0].imsi, "262");
    assert_string_equal(h.row.modem, "m0");
    assert_string_equal(h.history[2].reason, "because");
    assert_string_equal(h.history[2].modem, "m0");
    assert_int_equal(h.history[2].at_wall_ms, T0 + SECOND);
    store_show_clear(&h);
}

/* A key that was accepted before gives the earlier message's id and stores nothing. */
static void test_key_accepted_once(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m[2] = {new_message("+491701234567", 1), new_message("+491701234567", 1)};
    struct store_admit a = {.messages = m, .count = 2, .now_wall_ms = T0};
    struct store_counts c = {0};

    m[0].key = m[1].key = "spool:a";
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_false(m[0].existed);
    assert_true(m[1].existed);
    assert_int_equal(m[0].id, m[1].id);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(m[0].existed && m[1].existed);
    assert_int_equal(DO(f, store_counts, &c), 0);
    assert_int_equal(c.by_state[MSG_QUEUED], 1);
}

/* All messages of one request are stored, or, when one cannot be, none. */
static void test_request_is_one_transaction(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m[2] = {new_message("+491", 1), new_message("+492", 1)};
    struct store_admit a = {.messages = m, .count = 2, .now_wall_ms = T0};
    struct store_counts c = {0};

    m[1].nparts = 0;
    assert_int_equal(DO(f, store_admit, &a), ERR_INVALID);
    assert_string_equal(a.op.err.text, "a message has 1 to 255 parts, not 0");
    assert_int_equal(DO(f, store_counts, &c), 0);
    assert_int_equal(c.by_state[MSG_QUEUED], 0);
}

/* The PDU of a possible duplicate comes back with TP-RD set, that of any other as it was given. */
static void test_possible_duplicate_sets_rd(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_intend i = {.message = id, .seq = 1, .modem = "m0", .imsi = "262", .now_wall_ms = T0};

    assert_int_equal(DO(f, store_intend, &i), 0);
    assert_int_equal(i.len, sizeof some_pdu);
    assert_int_equal(i.tpdu_len, sizeof some_pdu - 1);
    assert_memory_equal(i.pdu, some_pdu, sizeof some_pdu);
    outcome(f, id, 1, MSG_UNKNOWN, -1, T0);
    assert_int_equal(move_to(f, id, MSG_QUEUED), 0);
    assert_int_equal(DO(f, store_intend, &i), 0);
    assert_false(i.skipped);
    assert_int_equal(i.pdu[1], some_pdu[1] | 0x04);
}

/* The same after a resend by policy, for the one part that was unknown. */
static void test_resend_by_outcome_marks_duplicate(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_outcome o = {.message = id,
                              .seq = 1,
                              .state = MSG_QUEUED,
                              .mr = -1,
                              .possible_duplicate = true,
                              .now_wall_ms = T0};
    struct store_show h;

    assert_true(intend(f, id, 1, T0));
    assert_int_equal(outcome(f, id, 1, MSG_UNKNOWN, -1, T0), MSG_UNKNOWN);
    assert_int_equal(DO(f, store_outcome, &o), 0);
    assert_int_equal(o.message_state, MSG_QUEUED);
    h = show(f, id);
    assert_true(h.row.flags & MSG_F_POSSIBLE_DUPLICATE);
    store_show_clear(&h);
}

/* What is no longer queued is skipped, not submitted. */
static void test_intend_skips_what_was_cancelled(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);

    assert_int_equal(move_to(f, id, MSG_CANCELLED), 0);
    assert_false(intend(f, id, 1, T0));
    assert_history(f, id, "queued cancelled");
    assert_int_equal(outbox_count(f, OUTBOX_OUTCOME, id), 1);
}

/* An operator gives up what may have been sent: it fails, with everything of it that waits, and "cancelled"
 * is not said of it. */
static void test_unknown_is_given_up(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);

    intend(f, id, 1, T0);
    assert_int_equal(outcome(f, id, 1, MSG_UNKNOWN, -1, T0), MSG_UNKNOWN);
    assert_int_equal(move_to(f, id, MSG_CANCELLED), 0);
    assert_int_equal(state_of(f, id), MSG_FAILED);
    assert_history(f, id, "queued submitting unknown failed");
    assert_int_equal(outbox_count(f, OUTBOX_OUTCOME, id), 1);
}

/* What was given up may have been sent: when it is tried again after all, it is marked, whoever gave it up.
 */
static void test_given_up_and_tried_again(void **state)
{
    struct fixture *f = *state;

    for (int by_policy = 0; by_policy < 2; by_policy++) {
        int64_t id = admit(f, "+491701234567", 1);
        struct store_intend i = {.message = id, .seq = 1, .modem = "m0", .imsi = "262", .now_wall_ms = T0};
        struct store_show h;

        intend(f, id, 1, T0);
        assert_int_equal(outcome(f, id, 1, MSG_UNKNOWN, -1, T0), MSG_UNKNOWN);
        if (by_policy)
            assert_int_equal(outcome(f, id, 1, MSG_FAILED, -1, T0), MSG_FAILED);
        else
            assert_int_equal(move_to(f, id, MSG_CANCELLED), 0);
        assert_int_equal(move_to(f, id, MSG_QUEUED), 0);
        h = show(f, id);
        assert_true(h.row.flags & MSG_F_POSSIBLE_DUPLICATE);
        store_show_clear(&h);
        assert_int_equal(DO(f, store_intend, &i), 0);
        assert_int_equal(i.pdu[1], some_pdu[1] | 0x04);
    }
}

/* A message of several parts is sent when all are, and submitting in between. */
static void test_parts_make_a_message(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 3);
    struct store_intend i = {.message = id, .seq = 3, .modem = "m0", .imsi = "262", .now_wall_ms = T0};
    struct store_show h;

    assert_int_equal(send_part(f, id, 1, 1, T0), MSG_SUBMITTING);
    assert_int_equal(send_part(f, id, 2, 2, T0), MSG_SUBMITTING);
    assert_int_equal(DO(f, store_intend, &i), 0);
    assert_false(i.more);
    assert_int_equal(outcome(f, id, 3, MSG_SENT, 3, T0), MSG_SENT);
    assert_history(f, id, "queued submitting sent");
    h = show(f, id);
    assert_int_equal(h.nhistory, 3 + 6);
    store_show_clear(&h);
}

/* A part that fails for good stops the others, also one whose intent was committed ahead and is withdrawn. */
static void test_failed_part_stops_the_rest(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 3);
    struct store_outcome back = {.message = id, .seq = 2, .state = MSG_QUEUED, .mr = -1, .withdrawn = true};

    assert_true(intend(f, id, 1, T0));
    assert_true(intend(f, id, 2, T0));
    assert_int_equal(outcome(f, id, 1, MSG_FAILED, -1, T0), MSG_FAILED);
    assert_int_equal(part_state_of(f, id, 3), MSG_FAILED);
    assert_int_equal(DO(f, store_outcome, &back), 0);
    assert_int_equal(back.message_state, MSG_FAILED);
    assert_int_equal(part_state_of(f, id, 2), MSG_FAILED);
    assert_int_equal(outbox_count(f, OUTBOX_OUTCOME, id), 1);
}

/* A retry waits with its time and reason; the attempt counts, a withdrawn one does not. */
static void test_retry_and_withdrawal(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_outcome back = {.message = id, .seq = 1, .state = MSG_QUEUED, .mr = -1, .withdrawn = true};
    struct store_show h;

    assert_true(intend(f, id, 1, T0));
    assert_int_equal(outcome(f, id, 1, MSG_QUEUED, -1, T0), MSG_QUEUED);
    assert_true(intend(f, id, 1, T0));
    assert_int_equal(DO(f, store_outcome, &back), 0);
    h = show(f, id);
    assert_int_equal(h.row.state, MSG_QUEUED);
    assert_int_equal(h.row.due_wall_ms, T0 + MINUTE);
    assert_int_equal(h.parts[0].attempts, 1);
    store_show_clear(&h);
    assert_history(f, id, "queued submitting queued submitting queued");
    assert_int_equal(outbox_count(f, OUTBOX_OUTCOME, id), 0);
}

/* While a part is unknown the message is, and its other parts wait; settled, it goes on. */
static void test_unknown_part_holds_the_message(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 2);

    assert_true(intend(f, id, 1, T0));
    assert_int_equal(outcome(f, id, 1, MSG_UNKNOWN, -1, T0), MSG_UNKNOWN);
    assert_false(intend(f, id, 2, T0));
    assert_int_equal(part_state_of(f, id, 2), MSG_QUEUED);
    assert_int_equal(outcome(f, id, 1, MSG_SENT, 9, T0), MSG_QUEUED);
    assert_int_equal(send_part(f, id, 2, 10, T0), MSG_SENT);
    assert_history(f, id, "queued submitting unknown queued submitting sent");
}

/* An unknown part beside an expired one: the message is expired as soon as the unknown one is settled. */
static void test_unknown_then_expired(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 2);

    assert_true(intend(f, id, 1, T0));
    assert_true(intend(f, id, 2, T0));
    assert_int_equal(outcome(f, id, 1, MSG_UNKNOWN, -1, T0), MSG_UNKNOWN);
    assert_int_equal(outcome(f, id, 2, MSG_EXPIRED, -1, T0), MSG_UNKNOWN);
    assert_int_equal(outcome(f, id, 1, MSG_SENT, 4, T0), MSG_EXPIRED);
}

/* A move that the diagram does not know is refused in words, and changes nothing. */
static void test_moves_are_checked(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_move m = {.message = id, .state = MSG_CANCELLED, .now_wall_ms = T0};
    struct store_outcome o = {.message = id, .seq = 1, .state = MSG_SENT, .mr = 1, .now_wall_ms = T0};

    assert_int_equal(DO(f, store_outcome, &o), ERR_REFUSED);
    assert_int_equal(send_part(f, id, 1, 7, T0), MSG_SENT);
    assert_int_equal(DO(f, store_move, &m), ERR_REFUSED);
    assert_non_null(strstr(m.op.err.text, "is sent"));
    assert_int_equal(m.was, MSG_SENT);
    assert_int_equal(move_to(f, id, MSG_QUEUED), ERR_REFUSED);
    assert_int_equal(move_to(f, id + 1, MSG_QUEUED), ERR_NOT_FOUND);
    assert_int_equal(state_of(f, id), MSG_SENT);
}

/* A retry from each state that allows it sends what was not sent; an expired message gets its time anew. */
static void test_retry_by_an_operator(void **state)
{
    static const enum msg_state ends[] = {MSG_FAILED, MSG_EXPIRED, MSG_CANCELLED};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct store_new_message m = new_message("+491701234567", 2);
        struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};
        struct store_move again = {.state = MSG_QUEUED, .now_wall_ms = T0 + DAY};

        m.expires_wall_ms = T0 + MINUTE;
        assert_int_equal(DO(f, store_admit, &a), 0);
        assert_true(intend(f, m.id, 1, T0));
        outcome(f, m.id, 1, MSG_QUEUED, -1, T0);
        assert_int_equal(move_to(f, m.id, ends[i]), 0);
        assert_int_equal(part_state_of(f, m.id, 2), ends[i]);
        again.message = m.id;
        assert_int_equal(DO(f, store_move, &again), 0);
        assert_int_equal(again.was, ends[i]);
        assert_int_equal(again.expires_wall_ms, T0 + DAY + MINUTE);
        assert_int_equal(part_state_of(f, m.id, 1), MSG_QUEUED);
        assert_int_equal(part_state_of(f, m.id, 2), MSG_QUEUED);
    }
}

/* A new reason while queued is kept, without a history row. */
static void test_reason_while_queued(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_show h;

    assert_int_equal(move_to(f, id, MSG_QUEUED), 0);
    h = show(f, id);
    assert_string_equal(h.row.reason, "moved");
    assert_int_equal(h.nhistory, 1);
    store_show_clear(&h);
}

static int collect(void *owner, const struct store_queue_row *r)
{
    struct store_queue_row *rows = owner;
    int i = 0;

    while (rows[i].message != 0)
        i++;
    rows[i] = *r;
    return 0;
}

/* After a crash what was on the air is unknown, what was between two parts is queued, and the queue's index
 * can be built again, with the SIM that has begun a message. */
static void test_start_after_a_crash(void **state)
{
    struct fixture *f = *state;
    int64_t on_air = admit(f, "+491", 1), between = admit(f, "+492", 2), waiting = admit(f, "+493", 1);
    struct store_queue_row rows[8] = {0};
    struct err e;

    assert_true(intend(f, on_air, 1, T0));
    send_part(f, between, 1, 3, T0);
    fixture_crash(f);
    fixture_start(f);
    assert_int_equal(store_settle_interrupted(f->s, T0 + MINUTE, &e), 1);
    assert_int_equal(store_settle_interrupted(f->s, T0 + MINUTE, &e), 0);
    assert_int_equal(state_of(f, on_air), MSG_UNKNOWN);
    assert_int_equal(state_of(f, between), MSG_QUEUED);
    assert_int_equal(store_load_queue(f->s, collect, rows, &e), 0);
    assert_int_equal(rows[0].message, on_air);
    assert_int_equal(rows[0].state, MSG_UNKNOWN);
    assert_int_equal(rows[0].submitted_wall_ms, T0);
    assert_string_equal(rows[0].imsi, "262");
    assert_int_equal(rows[1].message, between);
    assert_int_equal(rows[1].seq, 2);
    assert_string_equal(rows[1].imsi, "262");
    assert_int_equal(rows[2].message, waiting);
    assert_string_equal(rows[2].imsi, "");
    assert_int_equal(rows[3].message, 0);
}

/* Of a message that was unknown already, the part on the air becomes unknown too. */
static void test_crash_with_two_parts_open(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491", 2);
    struct err e;

    assert_true(intend(f, id, 1, T0) && intend(f, id, 2, T0));
    outcome(f, id, 1, MSG_UNKNOWN, -1, T0);
    fixture_crash(f);
    fixture_start(f);
    assert_int_equal(store_settle_interrupted(f->s, T0 + MINUTE, &e), 1);
    assert_int_equal(part_state_of(f, id, 2), MSG_UNKNOWN);
    assert_int_equal(state_of(f, id), MSG_UNKNOWN);
}

/* The modem that was asked for is told again after another has tried. */
static void test_wanted_modem_is_kept(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m = new_message("+491", 1);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};
    struct store_queue_row rows[2] = {0};
    struct err e;

    m.modem = "wanted";
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(intend(f, m.id, 1, T0));
    outcome(f, m.id, 1, MSG_QUEUED, -1, T0);
    assert_int_equal(store_load_queue(f->s, collect, rows, &e), 0);
    assert_string_equal(rows[0].modem, "wanted");
    assert_string_equal(rows[0].imsi, "");
}

/* What may have gone out counts for its SIM, by the day and by the month. */
static void test_usage(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491", 3), day, month;
    struct err e;

    send_part(f, id, 1, 1, T0 - DAY);
    send_part(f, id, 2, 2, T0);
    assert_true(intend(f, id, 3, T0));
    outcome(f, id, 3, MSG_UNKNOWN, -1, T0);
    outcome(f, id, 3, MSG_SENT, 3, T0);
    assert_int_equal(store_usage(f->s, "262", T0 - MINUTE, T0 - 2 * DAY, &day, &month, &e), 0);
    assert_int_equal(day, 2);
    assert_int_equal(month, 3);
    assert_int_equal(store_usage(f->s, "999", T0, T0, &day, &month, &e), 0);
    assert_int_equal(month, 0);
}

/* The table of moves: what is final stays, except for a retry; nothing leads back from delivered. */
static void test_state_table(void **state)
{
    enum msg_state s;

    (void)state;
    assert_true(msg_state_allowed(MSG_QUEUED, MSG_SUBMITTING));
    assert_true(msg_state_allowed(MSG_UNDELIVERED, MSG_DELIVERED));
    assert_false(msg_state_allowed(MSG_QUEUED, MSG_SENT));
    assert_false(msg_state_allowed(MSG_SENT, MSG_QUEUED));
    assert_false(msg_state_allowed(MSG_HANDLED, MSG_RECEIVED));
    for (int to = 0; to <= MSG_STATES; to++)
        assert_false(msg_state_allowed(MSG_DELIVERED, (enum msg_state)to));
    for (int i = MSG_QUEUED; i < MSG_STATES; i++) {
        assert_true(msg_state_from_name(msg_state_name((enum msg_state)i), &s));
        assert_int_equal(s, i);
    }
    assert_false(msg_state_from_name("?", &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_way_of_a_message),
        TEST(test_key_accepted_once),
        TEST(test_request_is_one_transaction),
        TEST(test_possible_duplicate_sets_rd),
        TEST(test_resend_by_outcome_marks_duplicate),
        TEST(test_intend_skips_what_was_cancelled),
        TEST(test_unknown_is_given_up),
        TEST(test_given_up_and_tried_again),
        TEST(test_parts_make_a_message),
        TEST(test_failed_part_stops_the_rest),
        TEST(test_retry_and_withdrawal),
        TEST(test_unknown_part_holds_the_message),
        TEST(test_unknown_then_expired),
        TEST(test_moves_are_checked),
        TEST(test_retry_by_an_operator),
        TEST(test_reason_while_queued),
        TEST(test_start_after_a_crash),
        TEST(test_crash_with_two_parts_open),
        TEST(test_wanted_modem_is_kept),
        TEST(test_usage),
        cmocka_unit_test(test_state_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
