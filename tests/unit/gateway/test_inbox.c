/* The way in: stored, acknowledged, joined, given to the engine, handled. */
#include "tests/unit/gateway/world.h"

static struct world *W(void **state)
{
    return *state;
}

static int handled_count;
static char last_text[PDU_TEXT_BYTES * 8];
static uint32_t last_flags;
static char last_meta[512];
static bool answer_later;

static void note(void *owner, const struct msg_row *m)
{
    struct world *w = owner;
    handled_count++;
    str_copy(last_text, sizeof(last_text), m->text);
    str_copy(last_meta, sizeof(last_meta), m->meta ? m->meta : "");
    last_flags = m->flags;
    if (!answer_later)
        gateway_handled(w->g, m->id, &(struct gateway_verdict){.reason = "seen"});
}

static int setup(void **state)
{
    struct world *w = malloc(sizeof(*w));
    handled_count = 0;
    answer_later = false;
    last_text[0] = '\0';
    world_init(w);
    add_carrier(w, "M0", "");
    w->engine = note;
    life_start(w);
    *state = w;
    return 0;
}

static struct arriving segment(int seq, const char *text)
{
    return (struct arriving){.from = "+491701111111", .text = text, .ref = 9, .total = 3, .seq = seq};
}

/* Stored, then acknowledged; what a door needs besides the text is there. */
static void stored_then_acknowledged(void **state)
{
    struct world *w = W(state);
    uint64_t token = arrive_text(w, "+491701111111", "hi");
    assert_int_equal(settled(w, token), -1);
    run(w, SECOND);
    assert_int_equal(settled(w, token), 1);
    assert_string_equal(last_text, "hi");
    assert_non_null(strstr(last_meta, "\"alphabet\":\"GSM\""));
    assert_non_null(strstr(last_meta, "\"from_toa\":145"));
    assert_non_null(strstr(last_meta, "\"scts\":\"2026-11-21T10:00:00+01:00\""));
    struct shown *s = show(w, w->last_in);
    assert_string_equal(s->op.row.peer, "+491701111111");
    assert_int_equal(s->op.row.state, MSG_HANDLED);
    assert_int_equal(s->op.nsegments, 1);
    unshow(s);
}

/* A copy (other TP-MMS or not) is acknowledged and not a second message; equal texts of two people or of two
 * minutes are. */
static void copies_are_no_messages(void **state)
{
    struct world *w = W(state);
    struct arriving a = {.from = "+491701111111", .text = "same", .scts_wall_ms = RT_SIM_START_WALL_MS};
    uint64_t tokens[4];
    tokens[0] = arrive(w, 0, &a);
    a.more = true;
    tokens[1] = arrive(w, 0, &a);
    a.from = "+491702222222";
    tokens[2] = arrive(w, 0, &a);
    a.scts_wall_ms += MINUTE;
    tokens[3] = arrive(w, 0, &a);
    run(w, SECOND);
    for (int i = 0; i < 4; i++)
        assert_int_equal(settled(w, tokens[i]), 1);
    assert_int_equal(handled_count, 3);
    struct gateway_stats st;
    gateway_get_stats(w->g, &st);
    assert_int_equal(st.duplicates_in, 1);
    assert_int_equal(st.received, 3);
}

/* What cannot be decoded, and what is not even hexadecimal, is kept as it came, acknowledged and told. */
static void nothing_blocks(void **state)
{
    struct world *w = W(state);
    const uint8_t junk[] = {0x00, 0x04, 0x0B};
    uint64_t a = offer(w, 0, junk, sizeof(junk), 2, false);
    uint64_t b = offer(w, 0, (const uint8_t *)"0791;;garbage", 13, -1, true);
    uint64_t c = arrive_text(w, "+491701111111", "after");
    run(w, SECOND);
    assert_int_equal(settled(w, a), 1);
    assert_int_equal(settled(w, b), 1);
    assert_int_equal(settled(w, c), 1);
    assert_int_equal(w->events[EV_RECEIVED], 3);
    assert_int_equal(w->events[EV_ALARM], 2);
    assert_int_equal(handled_count, 1); /* not the engine's affair */
    for (int64_t id = 1; id <= 3; id++)
        assert_state(w, id, MSG_HANDLED);
    struct shown *s = show(w, 1);
    assert_string_equal(s->op.row.text, "00040B");
    assert_true(s->op.row.flags & MSG_F_UNDECODABLE);
    unshow(s);
}

/* Segments in any order become one message. */
static void segments_in_any_order(void **state)
{
    struct world *w = W(state);
    const struct arriving s[] = {segment(3, "three"), segment(1, "one "), segment(2, "two ")};
    for (int i = 0; i < 3; i++) {
        uint64_t token = arrive(w, 0, &s[i]);
        run(w, SECOND);
        assert_int_equal(settled(w, token), 1);
        assert_int_equal(handled_count, i == 2);
    }
    assert_string_equal(last_text, "one two three");
    assert_int_equal(last_flags & MSG_F_INCOMPLETE, 0);
    assert_null(strstr(last_meta, "udh"));
}

/* Segments are remembered over restarts. */
static void segments_over_restarts(void **state)
{
    struct world *w = W(state);
    const struct arriving s[] = {segment(3, "three"), segment(1, "one "), segment(2, "two ")};
    for (int i = 0; i < 3; i++) {
        arrive(w, 0, &s[i]);
        run(w, SECOND);
        life_crash(w);
        life_start(w);
        run(w, SECOND);
    }
    assert_int_equal(handled_count, 1);
    assert_string_equal(last_text, "one two three");
}

/* A message that stays incomplete is delivered after its time, marked, never dropped. */
static void incomplete_after_its_time(void **state)
{
    struct world *w = W(state);
    const struct arriving s[] = {segment(1, "one "), segment(3, "three")};
    arrive(w, 0, &s[0]);
    arrive(w, 0, &s[1]);
    run(w, DAY - MINUTE);
    assert_int_equal(handled_count, 0);
    run(w, 10 * MINUTE);
    assert_int_equal(handled_count, 1);
    assert_string_equal(last_text, "one […]three");
    assert_true(last_flags & MSG_F_INCOMPLETE);
}

/* Class 0 is marked as flash; type 0 is stored but not handed on; 8-bit data is kept as hexadecimal. */
static void kinds_of_messages(void **state)
{
    struct world *w = W(state);
    arrive(w, 0, &(struct arriving){.from = "+491701111111", .text = "flash", .dcs = 0x10});
    run(w, SECOND);
    assert_true(last_flags & MSG_F_FLASH);
    arrive(w, 0, &(struct arriving){.from = "+491701111111", .text = "ping", .pid = 0x40});
    run(w, SECOND);
    assert_int_equal(handled_count, 1);
    assert_state(w, w->last_in, MSG_HANDLED);
    assert_true(flags_of_message(w, w->last_in) & MSG_F_SILENT);
    const uint8_t push[] = {0x00, 0x44, 0x0C, 0x91, 0x94, 0x71, 0x10, 0x11, 0x11, 0x11,
                            0x00, 0x04, 0x62, 0x11, 0x12, 0x90, 0x00, 0x00, 0x40, 0x0A,
                            0x06, 0x05, 0x04, 0x0B, 0x84, 0x23, 0xF0, 0x01, 0x06, 0x07};
    offer(w, 0, push, sizeof(push), sizeof(push) - 1, false);
    run(w, SECOND);
    assert_true(last_flags & MSG_F_BINARY);
    assert_string_equal(last_text, "010607");
    assert_non_null(strstr(last_meta, "\"ports\":{\"dst\":2948,\"src\":9200}"));
    assert_non_null(strstr(last_meta, "\"udh\":\"0605040B8423F0\""));
}

/* A national sender is brought to canonical form; alphanumeric and short ones are left as they are. */
static void senders(void **state)
{
    struct world *w = W(state);
    const char *const from[] = {"01701234567", "82225", "Bakery 24", "491701234567"};
    const char *const expected[] = {"+491701234567", "82225", "Bakery 24", "491701234567"};
    for (int i = 0; i < 4; i++) {
        arrive_text(w, from[i], "x");
        run(w, SECOND);
        struct shown *s = show(w, w->last_in);
        assert_string_equal(s->op.row.peer, expected[i]);
        unshow(s);
    }
}

/* A modem that gives the TPDU without SMSC address: its length shows it; joined later all the same. */
static void without_smsc_address(void **state)
{
    struct world *w = W(state);
    uint8_t pdu[PDU_FULL_BYTES];
    const struct arriving s[] = {segment(1, "one "), segment(2, "two "), segment(3, "three")};
    for (int i = 0; i < 3; i++) {
        int tpdu_len;
        int len = make_deliver(w, &s[i], pdu, &tpdu_len);
        offer(w, 0, pdu + (len - tpdu_len), (size_t)tpdu_len, tpdu_len, false);
    }
    run(w, SECOND);
    assert_string_equal(last_text, "one two three");
}

/* At most so many messages are open at the engine; the others wait in the store, in order, and come later. */
static void the_engine_is_not_flooded(void **state)
{
    struct world *w = W(state);
    char text[16];
    answer_later = true;
    for (int i = 0; i < 150; i++) {
        snprintf(text, sizeof(text), "m%d", i);
        arrive_text(w, "+491701111111", text);
    }
    run(w, SECOND);
    assert_int_equal(handled_count, GATEWAY_HANDLING_MAX);
    answer_later = false;
    for (int64_t id = 1; id <= GATEWAY_HANDLING_MAX; id++)
        gateway_handled(w->g, id, &(struct gateway_verdict){.reason = "late"});
    run(w, 5 * SECOND);
    assert_int_equal(handled_count, 150);
    for (int64_t id = 1; id <= 150; id++)
        assert_state(w, id, MSG_HANDLED);
    assert_string_equal(last_text, "m149");
}

/* A message whose verdict was not durable when the process died is given to the engine again. */
static void unhandled_ones_come_again(void **state)
{
    struct world *w = W(state);
    answer_later = true;
    arrive_text(w, "+491701111111", "hi");
    run(w, SECOND);
    assert_int_equal(handled_count, 1);
    life_crash(w);
    answer_later = false;
    life_start(w);
    run(w, SECOND);
    assert_int_equal(handled_count, 2);
    assert_state(w, w->last_in, MSG_HANDLED);
}

/* Without an engine, messages are handled all the same. */
static void without_engine(void **state)
{
    struct world *w = W(state);
    gateway_set_engine(w->g, NULL, NULL);
    arrive_text(w, "+491701111111", "hi");
    run(w, SECOND);
    assert_int_equal(handled_count, 0);
    assert_state(w, w->last_in, MSG_HANDLED);
}

/* A reply that cannot be made is told, and the message is handled. */
static void bad_reply(void *owner, const struct msg_row *m)
{
    struct world *w = owner;
    struct gateway_send r[2] = {message("Bakery", "x"), message("+491701111111", "good")};
    gateway_handled(w->g, m->id, &(struct gateway_verdict){.reason = "rule", .replies = r, .nreplies = 2});
}

static void a_bad_reply_is_told(void **state)
{
    struct world *w = W(state);
    gateway_set_engine(w->g, bad_reply, w);
    arrive_text(w, "+491701111111", "hi");
    run(w, SECOND);
    assert_state(w, w->last_in, MSG_HANDLED);
    assert_non_null(strstr(w->alarm, "reply cannot be sent"));
    assert_int_equal(sent_count(w, "good"), 1);
    assert_int_equal(w->nlog, 1);
}

/* Our own SIMs' numbers are known. */
static void own_numbers(void **state)
{
    struct world *w = W(state);
    str_copy(w->carriers[0].c.number, NUMBER_BYTES, "+491709998887");
    assert_true(gateway_own_number(w->g, "01709998887"));
    assert_false(gateway_own_number(w->g, "+491709998880"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(stored_then_acknowledged),
        T(copies_are_no_messages),
        T(nothing_blocks),
        T(segments_in_any_order),
        T(segments_over_restarts),
        T(incomplete_after_its_time),
        T(kinds_of_messages),
        T(senders),
        T(without_smsc_address),
        T(the_engine_is_not_flooded),
        T(unhandled_ones_come_again),
        T(without_engine),
        T(a_bad_reply_is_told),
        T(own_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
