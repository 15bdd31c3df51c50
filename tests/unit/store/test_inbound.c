/* Inbound messages: PDUs, duplicates, bundles of parts, handling with replies and consent. */
#include "fixture.h"

static const uint8_t deliver[] = {0x00, 0x04, 0x0B, 0x91};

static struct store_inbound pdu_in(int seq, int total, uint8_t hash)
{
    return (struct store_inbound){
        .modem = "m0",
        .imsi = "262",
        .pdu = deliver,
        .len = sizeof deliver,
        .now_wall_ms = T0,
        .hash = {hash, hash},
        .duplicate_window_ms = 3 * DAY,
        .sender = "+491701234567",
        .scts_wall_ms = T0 - SECOND,
        .ref = 17,
        .ref_bits = 8,
        .total = total,
        .seq = seq,
        .text = "hello",
    };
}

static struct store_inbound receive(struct fixture *f, int seq, int total, uint8_t hash)
{
    struct store_inbound in = pdu_in(seq, total, hash);

    assert_int_equal(DO(f, store_inbound, &in), 0);
    return in;
}

/* A PDU that is a message alone is stored raw and as a RECEIVED message at once. */
static void test_message_alone(void **state)
{
    struct fixture *f = *state;
    struct store_inbound in = receive(f, 1, 1, 1);
    struct store_show h;

    assert_false(in.duplicate);
    assert_true(in.segment > 0 && in.message > 0);
    h = show(f, in.message);
    assert_int_equal(h.row.direction, MSG_IN);
    assert_int_equal(h.row.state, MSG_RECEIVED);
    assert_string_equal(h.row.text, "hello");
    assert_string_equal(h.row.modem, "m0");
    assert_int_equal(h.row.scts_wall_ms, T0 - SECOND);
    assert_int_equal(h.nsegments, 1);
    assert_memory_equal(h.segments[0].pdu, deliver, sizeof deliver);
    store_show_clear(&h);
    assert_int_equal(outbox_count(f, OUTBOX_RECEIVED, in.message), 1);
}

/* The same from the same SIM within the window is counted, not stored: across midnight too. Outside the
 * window, from another SIM or with another hash it is a message. */
static void test_duplicates(void **state)
{
    struct fixture *f = *state;
    struct store_inbound first = receive(f, 1, 1, 1), in = pdu_in(1, 1, 1);

    in.now_wall_ms = T0 + 3 * DAY - SECOND;
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_true(in.duplicate);
    assert_int_equal(in.message, first.message);
    assert_int_equal(in.segment, first.segment);
    in.imsi = "263";
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_false(in.duplicate);
    in = pdu_in(1, 1, 1);
    in.now_wall_ms = T0 + 3 * DAY + SECOND;
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_false(in.duplicate);
    assert_false(receive(f, 1, 1, 2).duplicate);
}

/* What came while the modem could not tell its SIM is the same when it comes again with the SIM known, and
 * the other way round; but not from another modem. */
static void test_duplicates_of_a_sim_not_yet_known(void **state)
{
    struct fixture *f = *state;
    struct store_inbound first = pdu_in(1, 1, 1), in = pdu_in(1, 1, 1);

    first.imsi = "";
    assert_int_equal(DO(f, store_inbound, &first), 0);
    in.modem = "m1";
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_false(in.duplicate);
    in.modem = "m0";
    in.imsi = "263";
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_true(in.duplicate);
    assert_int_equal(in.message, first.message);
    in.imsi = "";
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_true(in.duplicate);
}

/* Parts that came while the modem could not tell its SIM, and those that come when it can, make one message,
 * of the SIM that is known; those of another modem do not. */
static void test_bundle_of_a_sim_not_yet_known(void **state)
{
    struct fixture *f = *state;
    struct store_inbound first = pdu_in(1, 3, 1), other = pdu_in(2, 3, 2);
    struct store_group g = {0};

    first.imsi = other.imsi = "";
    other.modem = "m1";
    assert_int_equal(DO(f, store_inbound, &first), 0);
    assert_int_equal(DO(f, store_inbound, &other), 0);
    assert_true(receive(f, 1, 3, 1).duplicate);
    assert_false(receive(f, 3, 3, 3).complete);
    assert_true(receive(f, 2, 3, 4).complete);
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_int_equal(g.count, 3);
    assert_string_equal(g.modem, "m0");
    assert_string_equal(g.imsi, "262");
    free(g.segments);
}

/* Parts in any order make one bundle; the last one says that it is complete, and it is read by number. */
static void test_bundle_in_any_order(void **state)
{
    struct fixture *f = *state;
    struct store_group g = {0};
    struct store_join j = {.modem = "m0", .imsi = "262", .sender = "+491701234567", .text = "all"};
    struct store_counts c = {0};
    struct store_show h;

    assert_false(receive(f, 3, 3, 3).complete);
    assert_false(receive(f, 1, 3, 1).complete);
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_int_equal(g.count, 0);
    assert_true(receive(f, 2, 3, 2).complete);
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_int_equal(g.count, 3);
    assert_int_equal(g.total, 3);
    assert_string_equal(g.sender, "+491701234567");
    for (int i = 0; i < 3; i++)
        assert_int_equal(g.segments[i].seq, i + 1);
    assert_int_equal(DO(f, store_counts, &c), 0);
    assert_int_equal(c.segments_waiting, 3);
    j.segments = g.segments;
    j.count = g.count;
    j.now_wall_ms = T0 + MINUTE;
    assert_int_equal(DO(f, store_join, &j), 0);
    h = show(f, j.message);
    assert_int_equal(h.nsegments, 3);
    assert_int_equal(h.row.scts_wall_ms, T0 - SECOND);
    store_show_clear(&h);
    assert_int_equal(outbox_count(f, OUTBOX_RECEIVED, j.message), 1);
    assert_int_equal(DO(f, store_join, &j), ERR_REFUSED);
    free(g.segments);
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_int_equal(g.count, 0);
    assert_int_equal(DO(f, store_counts, &c), 0);
    assert_int_equal(c.segments_waiting, 0);
}

/* Parts survive a crash, and those of an old incomplete message are given out when they are asked for. */
static void test_incomplete_bundle(void **state)
{
    struct fixture *f = *state;
    struct store_group g = {.older_than_wall_ms = T0};

    receive(f, 2, 3, 2);
    fixture_crash(f);
    fixture_start(f);
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_int_equal(g.count, 0);
    g.older_than_wall_ms = T0 + SECOND;
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_int_equal(g.count, 1);
    assert_int_equal(g.total, 3);
    free(g.segments);
}

/* A part that came after the bundle was read stays behind and keeps waiting. */
static void test_late_part_stays(void **state)
{
    struct fixture *f = *state;
    struct store_group g = {.older_than_wall_ms = T0 + SECOND};
    struct store_join j = {.modem = "m0", .imsi = "262", .sender = "+491701234567", .text = "part"};

    receive(f, 1, 2, 1);
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_true(receive(f, 2, 2, 2).complete);
    j.segments = g.segments;
    j.count = g.count;
    assert_int_equal(DO(f, store_join, &j), 0);
    free(g.segments);
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_int_equal(g.count, 1);
    assert_int_equal(g.segments[0].seq, 2);
    free(g.segments);
}

/* References come round: a second part of the same number begins another message, and the parts that follow
 * go to the one whose time is nearer. */
static void test_reference_used_again(void **state)
{
    struct fixture *f = *state;
    struct store_inbound in = pdu_in(1, 2, 11);
    struct store_group g = {0};

    receive(f, 1, 2, 1);
    in.scts_wall_ms = T0 + 60 * MINUTE;
    assert_int_equal(DO(f, store_inbound, &in), 0);
    in = pdu_in(2, 2, 12);
    in.scts_wall_ms = T0 + 61 * MINUTE;
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_true(in.complete);
    assert_int_equal(DO(f, store_group, &g), 0);
    assert_int_equal(g.count, 2);
    assert_int_equal(g.scts_wall_ms, T0 + 60 * MINUTE);
    free(g.segments);
}

/* What was received and not handled is found again at start, oldest first. */
static void test_unhandled(void **state)
{
    struct fixture *f = *state;
    int64_t first = receive(f, 1, 1, 1).message, second = receive(f, 1, 1, 2).message;
    struct store_unhandled u = {.max = 10};
    struct store_handle h = {.message = first, .reason = "no rule", .now_wall_ms = T0};

    admit(f, "+49170", 1);
    assert_int_equal(DO(f, store_unhandled, &u), 0);
    assert_int_equal(u.count, 2);
    assert_int_equal(u.rows[0].id, first);
    assert_string_equal(u.rows[1].text, "hello");
    for (int i = 0; i < u.count; i++)
        msg_row_clear(&u.rows[i]);
    free(u.rows);
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_history(f, first, "received handled");
    assert_int_equal(DO(f, store_unhandled, &u), 0);
    assert_int_equal(u.count, 1);
    assert_int_equal(u.rows[0].id, second);
    msg_row_clear(&u.rows[0]);
    free(u.rows);
}

/* Handled and replies are one transaction, done once: a second verdict is refused and queues nothing. */
static void test_handled_once(void **state)
{
    struct fixture *f = *state;
    int64_t id = receive(f, 1, 1, 1).message;
    struct store_new_message reply = new_message("+491701234567", 1);
    struct store_handle h = {
        .message = id, .reason = "rule hours", .replies = &reply, .nreplies = 1, .now_wall_ms = T0};
    struct store_situation p = {.number = "+491701234567", .sim = "", .guard_since_wall_ms = T0 - MINUTE};
    struct store_counts c = {0};

    reply.reply_to = id;
    reply.flags |= MSG_F_AUTOMATIC;
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_true(reply.id > 0);
    assert_int_equal(DO(f, store_handle, &h), ERR_REFUSED);
    assert_int_equal(DO(f, store_counts, &c), 0);
    assert_int_equal(c.by_state[MSG_QUEUED], 1);
    assert_int_equal(c.by_state[MSG_HANDLED], 1);
    assert_int_equal(DO(f, store_situation, &p), 0);
    assert_int_equal(p.automatic_replies, 1);
    assert_int_equal(p.consent, CONSENT_UNKNOWN);
    p.guard_since_wall_ms = T0 + 1;
    assert_int_equal(DO(f, store_situation, &p), 0);
    assert_int_equal(p.automatic_replies, 0);
}

/* A reply that cannot be stored leaves the message unhandled: all or nothing. */
static void test_handling_is_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t id = receive(f, 1, 1, 1).message;
    struct store_new_message reply = new_message("+491701234567", 0);
    struct store_handle h = {.message = id, .replies = &reply, .nreplies = 1, .now_wall_ms = T0};
    struct store_counts c = {0};

    assert_int_equal(DO(f, store_handle, &h), ERR_INVALID);
    assert_int_equal(state_of(f, id), MSG_RECEIVED);
    assert_int_equal(DO(f, store_counts, &c), 0);
    assert_int_equal(c.by_state[MSG_HANDLED], 0);
    assert_int_equal(c.by_state[MSG_RECEIVED], 1);
}

/* STOP holds for every producer from the transaction on that stores it; its own confirmation passes; START
 * ends it. */
static void test_consent(void **state)
{
    struct fixture *f = *state;
    const char *number = "+491701234567";
    struct store_effect out = {.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .value = "STOP"};
    struct store_new_message replies[2] = {new_message(number, 1), new_message(number, 1)};
    struct store_new_message campaign[2] = {new_message(number, 1), new_message("+492", 1)};
    struct store_admit a = {.messages = campaign, .count = 2, .now_wall_ms = T0};
    struct store_handle h = {.message = receive(f, 1, 1, 1).message,
                             .replies = replies,
                             .nreplies = 2,
                             .effects = &out,
                             .neffects = 1,
                             .now_wall_ms = T0};
    struct store_situation p = {.number = number, .sim = ""};

    replies[0].flags |= MSG_F_CONSENT;
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_true(replies[0].id > 0 && !replies[0].opted_out);
    assert_true(replies[1].id == 0 && replies[1].opted_out);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(campaign[0].opted_out && campaign[0].id == 0);
    assert_true(!campaign[1].opted_out && campaign[1].id > 0);
    assert_int_equal(DO(f, store_situation, &p), 0);
    assert_int_equal(p.consent, CONSENT_OUT);
    h.message = receive(f, 1, 1, 2).message;
    out.n = CONSENT_IN;
    h.nreplies = 0;
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_false(campaign[0].opted_out);
}

/* STOP holds for what waits as well: it is cancelled when its turn comes, with the reason, and the doors hear
 * of it. The confirmation goes out, and so does the rest of what was begun: half a message helps nobody. */
static void test_consent_of_what_waits(void **state)
{
    struct fixture *f = *state;
    const char *number = "+491701234567";
    struct store_effect out = {.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .value = "STOP"};
    int64_t waits = admit(f, number, 2), begun = admit(f, number, 2), other = admit(f, "+492", 1);
    struct store_new_message reply = new_message(number, 1);
    struct store_handle h = {.message = receive(f, 1, 1, 1).message,
                             .replies = &reply,
                             .nreplies = 1,
                             .effects = &out,
                             .neffects = 1,
                             .now_wall_ms = T0};
    struct store_show s;

    send_part(f, begun, 1, 7, T0);
    reply.flags |= MSG_F_CONSENT;
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_false(intend(f, waits, 1, T0));
    assert_history(f, waits, "queued cancelled");
    assert_int_equal(outbox_count(f, OUTBOX_OUTCOME, waits), 1);
    s = show(f, waits);
    assert_non_null(strstr(s.row.reason, "opted out"));
    assert_int_equal(s.parts[1].state, MSG_CANCELLED);
    store_show_clear(&s);
    assert_true(intend(f, begun, 2, T0));
    assert_true(intend(f, other, 1, T0));
    assert_true(intend(f, reply.id, 1, T0));
}

/* A sink finds what it has to do, in order, until it says that it is done; ids go on after the last row went.
 */
static void test_outbox(void **state)
{
    struct fixture *f = *state;
    int64_t id = receive(f, 1, 1, 1).message, last;
    struct store_outbox o = {.sink = "spool", .max = 10};
    struct store_outbox_done d;

    assert_int_equal(DO(f, store_outbox, &o), 0);
    assert_int_equal(o.count, 1);
    assert_int_equal(o.rows[0].kind, OUTBOX_RECEIVED);
    assert_int_equal(o.rows[0].message, id);
    last = o.rows[0].id;
    d = (struct store_outbox_done){.id = last};
    free(o.rows);
    assert_int_equal(DO(f, store_outbox_done, &d), 0);
    assert_int_equal(outbox_count(f, OUTBOX_RECEIVED, id), 0);
    receive(f, 1, 1, 2);
    o.after_id = last;
    assert_int_equal(DO(f, store_outbox, &o), 0);
    assert_int_equal(o.count, 1);
    free(o.rows);
    o.sink = "other";
    assert_int_equal(DO(f, store_outbox, &o), 0);
    assert_int_equal(o.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_message_alone),
        TEST(test_duplicates),
        TEST(test_duplicates_of_a_sim_not_yet_known),
        TEST(test_bundle_of_a_sim_not_yet_known),
        TEST(test_bundle_in_any_order),
        TEST(test_incomplete_bundle),
        TEST(test_late_part_stays),
        TEST(test_reference_used_again),
        TEST(test_unhandled),
        TEST(test_handled_once),
        TEST(test_handling_is_all_or_nothing),
        TEST(test_consent),
        TEST(test_consent_of_what_waits),
        TEST(test_outbox),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
