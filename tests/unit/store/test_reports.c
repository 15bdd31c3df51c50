/* Status reports: matching, what they change, the ones that come too early or for a part without a reference.
 */
#include "fixture.h"

#include "pdu/pdu.h"

static const uint8_t raw[] = {0x00, 0x06};
static uint8_t next_hash;

static struct store_report report_of(const char *recipient, int mr, int group, int64_t at)
{
    static const int status[] = {[PDU_ST_DELIVERED] = 0x00, [PDU_ST_PENDING] = 0x20, [PDU_ST_FAILED] = 0x46};

    return (struct store_report){
        .modem = "m0",
        .imsi = "262",
        .recipient = recipient,
        .pdu = raw,
        .len = sizeof raw,
        .hash = {++next_hash},
        .mr = mr,
        .status = status[group],
        .group = group,
        .scts_wall_ms = at,
        .discharge_wall_ms = at + SECOND,
        .window_ms = 3 * DAY,
        .now_wall_ms = at + 2 * SECOND,
    };
}

static struct store_report report(struct fixture *f, const char *recipient, int mr, int group, int64_t at)
{
    struct store_report r = report_of(recipient, mr, group, at);

    assert_int_equal(DO(f, store_report, &r), 0);
    return r;
}

/* A delivery makes the message delivered, is kept raw, told to the sinks, and known when it comes again. */
static void test_delivered(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_report r;
    struct store_show h;

    send_part(f, id, 1, 7, T0);
    r = report(f, "+491701234567", 7, PDU_ST_DELIVERED, T0);
    assert_int_equal(r.message, id);
    assert_int_equal(r.seq, 1);
    assert_int_equal(r.was, MSG_SENT);
    assert_int_equal(r.message_state, MSG_DELIVERED);
    assert_int_equal(outbox_count(f, OUTBOX_REPORT, id), 1);
    assert_int_equal(DO(f, store_report, &r), 0);
    assert_true(r.duplicate);
    assert_int_equal(r.message, id);
    h = show(f, id);
    assert_int_equal(h.nreports, 1);
    assert_int_equal(h.parts[0].report_status, 0);
    assert_int_equal(h.parts[0].report_wall_ms, T0 + SECOND);
    store_show_clear(&h);
    assert_history(f, id, "queued submitting sent delivered");
}

/* The newest part with the reference wins, the recipient may be written nationally, and another SIM's or an
 * older one's report matches nothing. */
static void test_matching(void **state)
{
    struct fixture *f = *state;
    int64_t old = admit(f, "+491701234567", 1), new = admit(f, "+491701234567", 1);
    int64_t other = admit(f, "+491709999999", 1);
    struct store_report r;

    send_part(f, new, 1, 7, T0 + SECOND);
    send_part(f, old, 1, 7, T0);
    send_part(f, other, 1, 7, T0 + 2 * SECOND);
    r = report_of("01701234567", 7, PDU_ST_DELIVERED, T0 + 5 * SECOND);
    r.imsi = "999";
    assert_int_equal(DO(f, store_report, &r), 0);
    assert_int_equal(r.message, 0);
    r.imsi = "262";
    r.now_wall_ms = T0 + 4 * DAY;
    assert_int_equal(DO(f, store_report, &r), 0);
    assert_int_equal(r.message, 0);
    assert_int_equal(report(f, "01701234567", 7, PDU_ST_DELIVERED, T0 + 5 * SECOND).message, new);
    assert_int_equal(report(f, "01701234567", 7, PDU_ST_DELIVERED, T0 + 5 * SECOND).message, old);
    assert_int_equal(report(f, "01701234567", 7, PDU_ST_DELIVERED, T0 + 5 * SECOND).message, 0);
    assert_int_equal(state_of(f, other), MSG_SENT);
}

/* A modem may hand over a report before it tells its SIM: that is the SIM by which its last message went. */
static void test_of_a_sim_not_yet_known(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_report r = report_of("+491701234567", 7, PDU_ST_DELIVERED, T0), stranger = r;

    send_part(f, id, 1, 7, T0);
    stranger.modem = "m1";
    stranger.imsi = r.imsi = "";
    assert_int_equal(DO(f, store_report, &stranger), 0);
    assert_int_equal(stranger.message, 0);
    r.hash[0] = ++next_hash;
    assert_int_equal(DO(f, store_report, &r), 0);
    assert_int_equal(r.message, id);
    assert_string_equal(r.imsi, "");
    r.imsi = "262"; /* not acknowledged, it comes again */
    assert_int_equal(DO(f, store_report, &r), 0);
    assert_true(r.duplicate);
}

/* Delivered when all parts are; undelivered when one finally failed, and a delivery may still follow it. */
static void test_all_parts(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 2);

    send_part(f, id, 1, 1, T0);
    send_part(f, id, 2, 2, T0);
    assert_int_equal(report(f, "+491701234567", 1, PDU_ST_DELIVERED, T0).message_state, MSG_SENT);
    assert_int_equal(report(f, "+491701234567", 2, PDU_ST_FAILED, T0).message_state, MSG_UNDELIVERED);
    assert_int_equal(report(f, "+491701234567", 2, PDU_ST_PENDING, T0).message_state, MSG_UNDELIVERED);
    assert_int_equal(report(f, "+491701234567", 2, PDU_ST_DELIVERED, T0).message_state, MSG_DELIVERED);
    assert_history(f, id, "queued submitting sent undelivered delivered");
}

/* The history says in words what the network reported: that is what a person reads. */
static void test_reason_in_words(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_show h;

    send_part(f, id, 1, 7, T0);
    report(f, "+491701234567", 7, PDU_ST_FAILED, T0);
    h = show(f, id);
    assert_string_equal(h.row.reason, "delivery report: SM validity period expired (status 0x46)");
    store_show_clear(&h);
}

/* A pending status changes nothing but is remembered with the part. */
static void test_pending(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_show h;

    send_part(f, id, 1, 7, T0);
    assert_int_equal(report(f, "+491701234567", 7, PDU_ST_PENDING, T0).message_state, MSG_SENT);
    h = show(f, id);
    assert_int_equal(h.parts[0].report_status, 0x20);
    store_show_clear(&h);
    assert_int_equal(report(f, "+491701234567", 7, PDU_ST_DELIVERED, T0).message_state, MSG_DELIVERED);
}

/* Of a message whose parts all lost their references in a crash, the first report settles the first part:
 * parts go out in their order, and one that was never sent must not be called delivered. */
static void test_parts_without_reference(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 3);

    assert_true(intend(f, id, 1, T0) && intend(f, id, 2, T0) && intend(f, id, 3, T0 + SECOND));
    fixture_crash(f);
    fixture_start(f);
    assert_int_equal(store_settle_interrupted(f->s, T0 + MINUTE, &(struct err){0}), 3);
    assert_int_equal(report(f, "+491701234567", 29, PDU_ST_DELIVERED, T0 + 2 * SECOND).seq, 1);
    assert_int_equal(report(f, "+491701234567", 30, PDU_ST_DELIVERED, T0 + 3 * SECOND).seq, 2);
    assert_int_equal(part_state_of(f, id, 3), MSG_UNKNOWN);
}

/* A stray report of something older cannot settle a part whose neighbour's reference is known and comes
 * before it: modems count upwards. */
static void test_reference_out_of_order(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 3);

    assert_true(intend(f, id, 1, T0) && intend(f, id, 2, T0) && intend(f, id, 3, T0));
    outcome(f, id, 1, MSG_SENT, 255, T0);
    fixture_crash(f);
    fixture_start(f);
    assert_int_equal(store_settle_interrupted(f->s, T0 + MINUTE, &(struct err){0}), 2);
    assert_int_equal(report(f, "+491701234567", 254, PDU_ST_DELIVERED, T0 + 2 * SECOND).message, 0);
    assert_int_equal(report(f, "+491701234567", 0, PDU_ST_DELIVERED, T0 + 3 * SECOND).seq, 2);
    assert_int_equal(part_state_of(f, id, 3), MSG_UNKNOWN);
}

/* A report that comes before the result of its part is kept, and taken when the part is sent. */
static void test_early_report(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    struct store_report r;

    assert_true(intend(f, id, 1, T0));
    r = report(f, "+491701234567", 7, PDU_ST_DELIVERED, T0);
    assert_int_equal(r.message, 0);
    assert_int_equal(outcome(f, id, 1, MSG_SENT, 7, T0 + 3 * SECOND), MSG_DELIVERED);
    assert_history(f, id, "queued submitting sent delivered");
    assert_int_equal(outbox_count(f, OUTBOX_REPORT, id), 1);
    assert_int_equal(outbox_count(f, OUTBOX_OUTCOME, id), 1);
}

/* One that is older than a minute is some earlier message's: the reference came round. */
static void test_too_early_report(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);

    report(f, "+491701234567", 7, PDU_ST_DELIVERED, T0);
    assert_int_equal(send_part(f, id, 1, 7, T0 + 2 * MINUTE), MSG_SENT);
}

/* An unknown part is settled by its report though nobody ever told its reference; a pending status shows that
 * it was sent. */
static void test_unknown_is_settled(void **state)
{
    struct fixture *f = *state;
    int64_t a = admit(f, "+491701234567", 1), b = admit(f, "+491707654321", 1);

    assert_true(intend(f, a, 1, T0) && intend(f, b, 1, T0));
    outcome(f, a, 1, MSG_UNKNOWN, -1, T0 + MINUTE);
    outcome(f, b, 1, MSG_UNKNOWN, -1, T0 + MINUTE);
    assert_int_equal(report(f, "+491701234567", 7, PDU_ST_DELIVERED, T0).message, a);
    assert_history(f, a, "queued submitting unknown sent delivered");
    assert_int_equal(outbox_count(f, OUTBOX_OUTCOME, a), 1);
    assert_int_equal(report(f, "+491707654321", 8, PDU_ST_PENDING, T0).message_state, MSG_SENT);
    assert_int_equal(report(f, "+491707654321", 8, PDU_ST_FAILED, T0).message_state, MSG_UNDELIVERED);
}

/* No guess where the report may be another part's: one on the air to the same number, one that has had its
 * report, or one sent at another time. */
static void test_unknown_is_not_guessed(void **state)
{
    struct fixture *f = *state;
    int64_t lost = admit(f, "+491701234567", 1), next = admit(f, "+491701234567", 1);

    assert_true(intend(f, lost, 1, T0));
    outcome(f, lost, 1, MSG_UNKNOWN, -1, T0 + MINUTE);
    assert_int_equal(report(f, "+491701234567", 9, PDU_ST_DELIVERED, T0 + 60 * MINUTE).message, 0);
    assert_true(intend(f, next, 1, T0 + MINUTE));
    assert_int_equal(report(f, "+491701234567", 7, PDU_ST_DELIVERED, T0 + MINUTE).message, 0);
    assert_int_equal(outcome(f, next, 1, MSG_SENT, 7, T0 + MINUTE + SECOND), MSG_DELIVERED);
    assert_int_equal(report(f, "+491701234567", 7, PDU_ST_DELIVERED, T0 + 2 * MINUTE).message, 0);
    assert_int_equal(state_of(f, lost), MSG_UNKNOWN);
}

static int64_t look_again(struct fixture *f, int64_t at_wall_ms)
{
    struct store_report r = {.window_ms = 60 * MINUTE, .now_wall_ms = at_wall_ms};

    assert_int_equal(DO(f, store_report_again, &r), 0);
    return r.report ? r.message : 0;
}

/* Two messages to one number, both unknown: their report is of one of them, and no guess is made; neither
 * later, when one has been sent again, since the report may be that of its first time. */
static void test_one_report_of_two_unknown(void **state)
{
    struct fixture *f = *state;
    int64_t first = admit(f, "+491701234567", 1), second = admit(f, "+491701234567", 1);
    struct store_outcome again = {.message = first,
                                  .seq = 1,
                                  .state = MSG_QUEUED,
                                  .mr = -1,
                                  .reason = "sent again",
                                  .possible_duplicate = true,
                                  .due_wall_ms = T0 + 10 * MINUTE,
                                  .now_wall_ms = T0 + 10 * MINUTE};

    assert_true(intend(f, first, 1, T0));
    outcome(f, first, 1, MSG_UNKNOWN, -1, T0 + SECOND);
    assert_true(intend(f, second, 1, T0 + SECOND));
    outcome(f, second, 1, MSG_UNKNOWN, -1, T0 + SECOND);
    assert_int_equal(report(f, "+491701234567", 7, PDU_ST_DELIVERED, T0 + SECOND).message, 0);
    assert_int_equal(look_again(f, T0 + 2 * MINUTE), 0);
    assert_int_equal(DO(f, store_outcome, &again), 0);
    assert_int_equal(look_again(f, T0 + 10 * MINUTE), 0);
    assert_true(intend(f, first, 1, T0 + 10 * MINUTE));
    outcome(f, first, 1, MSG_SENT, 8, T0 + 10 * MINUTE);
    assert_int_equal(look_again(f, T0 + 11 * MINUTE), 0);
    assert_int_equal(state_of(f, second), MSG_UNKNOWN);
}

/* A report that came while its own part, or another one to the number, was on the air is found again when the
 * part has become unknown and the other is through; a report that is older than the part is not its own. */
static void test_found_again(void **state)
{
    struct fixture *f = *state;
    int64_t lost = admit(f, "+491701234567", 1), next = admit(f, "+491701234567", 1);
    struct store_report r = report_of("+491701234567", 7, PDU_ST_DELIVERED, T0 + SECOND);

    assert_int_equal(report(f, "+491701234567", 6, PDU_ST_DELIVERED, T0 - MINUTE).message, 0);
    assert_true(intend(f, lost, 1, T0));
    outcome(f, lost, 1, MSG_UNKNOWN, -1, T0 + MINUTE);
    assert_true(intend(f, next, 1, T0 + MINUTE));
    r.now_wall_ms = T0 + MINUTE + SECOND;
    assert_int_equal(DO(f, store_report, &r), 0);
    assert_int_equal(r.message, 0);
    assert_int_equal(look_again(f, T0 + 2 * MINUTE), 0);
    outcome(f, next, 1, MSG_SENT, 8, T0 + 2 * MINUTE);
    assert_int_equal(look_again(f, T0 + 2 * MINUTE), lost);
    assert_int_equal(state_of(f, lost), MSG_DELIVERED);
    assert_int_equal(look_again(f, T0 + 2 * MINUTE), 0);
    assert_int_equal(state_of(f, next), MSG_SENT);
}

/* An undelivered message can be sent again as a whole, and its second report is the one that counts. */
static void test_retry_of_undelivered(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 2);

    send_part(f, id, 1, 1, T0);
    send_part(f, id, 2, 2, T0);
    report(f, "+491701234567", 1, PDU_ST_DELIVERED, T0);
    report(f, "+491701234567", 2, PDU_ST_FAILED, T0);
    assert_int_equal(move_to(f, id, MSG_QUEUED), 0);
    send_part(f, id, 1, 3, T0 + MINUTE);
    send_part(f, id, 2, 4, T0 + MINUTE);
    assert_int_equal(report(f, "+491701234567", 1, PDU_ST_DELIVERED, T0 + MINUTE).message, 0);
    report(f, "+491701234567", 3, PDU_ST_DELIVERED, T0 + MINUTE);
    assert_int_equal(report(f, "+491701234567", 4, PDU_ST_DELIVERED, T0 + MINUTE).message_state,
                     MSG_DELIVERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_delivered),
        TEST(test_matching),
        TEST(test_of_a_sim_not_yet_known),
        TEST(test_all_parts),
        TEST(test_reason_in_words),
        TEST(test_pending),
        TEST(test_parts_without_reference),
        TEST(test_reference_out_of_order),
        TEST(test_early_report),
        TEST(test_too_early_report),
        TEST(test_unknown_is_settled),
        TEST(test_unknown_is_not_guessed),
        TEST(test_one_report_of_two_unknown),
        TEST(test_found_again),
        TEST(test_retry_of_undelivered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
