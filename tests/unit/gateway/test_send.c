/* The way out: admission, queue, carriers, retries, limits, operators' moves; with the real store. */
#include "tests/unit/gateway/world.h"

static struct world *W(void **state)
{
    return *state;
}

static int two_modems(void **state)
{
    struct world *w = malloc(sizeof(*w));
    world_init(w);
    add_carrier(w, "M0", "");
    add_carrier(w, "M1", "");
    life_start(w);
    *state = w;
    return 0;
}

/* 400 characters: three parts. */
static const char *long_text(void)
{
    static char text[401];
    for (int i = 0; i < 400; i++)
        text[i] = (char)('a' + i % 26);
    return text;
}

/* ---- admission ---- */

/* A message is acknowledged after it is stored, submitted after its intent is stored, and ends as SENT. */
static void a_message_is_sent(void **state)
{
    struct world *w = W(state);
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
    struct gateway_stats st;
    gateway_get_stats(w->g, &st);
    assert_int_equal(st.queued, 0);
    assert_int_equal(st.sent, 1);
}

/* What cannot be sent is refused at once, with the place and what was expected. */
static void refusals_say_what_was_expected(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("nonsense!", "x");
    assert_int_equal(admit(w, &s), ERR_INVALID);
    assert_non_null(strstr(w->reason, "to: "));
    s = message("+491701234567", "x");
    s.modem = "M7";
    assert_int_equal(admit(w, &s), ERR_INVALID);
    assert_non_null(strstr(w->reason, "\"M7\" is not known; expected one of: M0"));
    s.modem = NULL;
    s.pool = "shop";
    assert_int_equal(admit(w, &s), ERR_INVALID);
    assert_non_null(strstr(w->reason, "pool: "));
    s = message("+491701234567", NULL);
    assert_int_equal(admit(w, &s), ERR_INVALID);
    s.text = "";
    assert_int_equal(admit(w, &s), ERR_INVALID);
    s.text = "\xff\xfe";
    assert_int_equal(admit(w, &s), ERR_INVALID);
    s.text = long_text();
    s.no_split = true;
    assert_int_equal(admit(w, &s), ERR_TOO_LONG);
    s.no_split = false;
    w->conf.max_parts = 2;
    assert_int_equal(admit(w, &s), ERR_TOO_LONG);
    s.text = "x";
    s.cls = 9;
    assert_int_equal(admit(w, &s), ERR_INVALID);
    run(w, SECOND);
    assert_int_equal(w->nlog, 0);
}

/* One request is accepted whole or not at all. */
static void a_request_is_whole(void **state)
{
    struct world *w = W(state);
    struct asked *q = asked_new();
    q->a.count = 3;
    q->sends[0] = message("+491701111111", "a");
    q->sends[1] = message("bad", "b");
    q->sends[2] = message("+491702222222", "c");
    admit_all(w, q);
    assert_int_equal(q->status, ERR_INVALID);
    assert_int_equal(q->results[0].err.code, ERR_CANCELLED);
    assert_int_equal(q->results[1].err.code, ERR_INVALID);
    assert_int_equal(q->results[2].err.code, ERR_CANCELLED);
    run(w, SECOND);
    assert_int_equal(w->nlog, 0);
    q->dones = 0;
    q->sends[1].to = "+491703333333";
    admit_all(w, q);
    assert_int_equal(q->status, 0);
    run(w, SECOND);
    assert_int_equal(w->nlog, 3);
    free(q);
}

static void on_asked_free(struct gateway_admit *a, int status)
{
    struct asked *q = container_of(a, struct asked, a);
    assert_int_equal(status, 0);
    free((char *)(uintptr_t)q->sends[0].source);
    free((char *)(uintptr_t)q->sends[0].modem);
    free(q);
}

/* Whoever asked may forget everything in the answer. */
static void the_giver_may_forget(void **state)
{
    struct world *w = W(state);
    struct asked *q = asked_new();
    q->sends[0] = message("+491701234567", "x");
    q->sends[0].source = strdup("ctl:root");
    q->sends[0].modem = strdup("M0");
    q->a.done = on_asked_free;
    gateway_admit(w->g, &q->a);
    run(w, SECOND);
    assert_int_equal(w->nlog, 1);
    assert_int_equal(w->events[EV_QUEUED], 1);
}

/* The same key is the same message: it is sent once, and its id told again. */
static void a_key_is_accepted_once(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491701234567", "once");
    s.key = "order 17";
    int64_t id = admit(w, &s);
    run(w, SECOND);
    assert_int_equal(admit(w, &s), id);
    run(w, SECOND);
    assert_int_equal(sent_count(w, "once"), 1);
}

/* The queue has a bound, with a clear text beyond it. */
static void the_queue_has_a_bound(void **state)
{
    struct world *w = W(state);
    w->conf.queue_max = 2;
    set_state(&w->carriers[0], CARRIER_DOWN, "unplugged");
    assert_true(send_to(w, "+491701234567", "1") > 0);
    assert_true(send_to(w, "+491701234567", "2") > 0);
    assert_int_equal(send_to(w, "+491701234567", "3"), ERR_FULL);
    assert_non_null(strstr(w->reason, "queue is full"));
}

/* Opted-out numbers get nothing from any producer, but the confirmation passes; others of the request go. */
static void stop_now(void *owner, const struct msg_row *m)
{
    struct world *w = owner;
    struct gateway_send reply = message(m->peer, "you are out");
    reply.consent = true;
    gateway_handled(w->g, m->id,
                    &(struct gateway_verdict){.reason = "consent",
                                              .replies = &reply,
                                              .nreplies = 1,
                                              .effects = &(struct store_effect){.kind = EFFECT_CONSENT,
                                                                                .n = CONSENT_OUT,
                                                                                .value = m->text},
                                              .neffects = 1});
}

static void opt_outs_hold(void **state)
{
    struct world *w = W(state);
    gateway_set_engine(w->g, stop_now, w);
    arrive_text(w, "+491701111111", "STOP");
    run(w, SECOND);
    assert_int_equal(sent_count(w, "you are out"), 1);
    assert_int_equal(send_to(w, "+491701111111", "advert"), ERR_REFUSED);
    struct asked *q = asked_new();
    q->a.count = 2;
    q->sends[0] = message("+491701111111", "advert");
    q->sends[1] = message("+491702222222", "advert");
    admit_all(w, q);
    assert_int_equal(q->status, 0);
    assert_int_equal(q->results[0].err.code, ERR_REFUSED);
    assert_true(q->results[1].id > 0);
    free(q);
    run(w, SECOND);
    assert_int_equal(sent_count(w, "advert"), 1);
}

/* What waits for somebody who opts out meanwhile is cancelled when its turn comes, and nothing behind it is
 * held up. */
static void opt_outs_hold_for_what_waits(void **state)
{
    struct world *w = W(state);
    struct gateway_send later = message("+491701111111", "advert");
    gateway_set_engine(w->g, stop_now, w);
    later.due_wall_ms = rt_wall_ms(w->rt) + MINUTE;
    int64_t id = admit(w, &later);
    assert_true(id > 0);
    arrive_text(w, "+491701111111", "STOP");
    run(w, SECOND);
    assert_true(send_to(w, "+491702222222", "news") > 0);
    run(w, 2 * MINUTE);
    assert_int_equal(sent_count(w, "advert"), 0);
    assert_int_equal(sent_count(w, "news"), 1);
    assert_int_equal(state_of(w, id), MSG_CANCELLED);
    struct gateway_stats now;
    gateway_get_stats(w->g, &now);
    assert_int_equal(now.queued, 0);
}

/* Data, classes, reports and the characters that are asked for arrive as such in the PDU. */
static void what_is_asked_for_is_in_the_pdu(void **state)
{
    struct world *w = W(state);
    struct segment_plan p;
    char to[NUMBER_BYTES];
    struct err e;
    struct gateway_send s = message("0170 1234567", "gr\xc3\xbc\xc3\x9f dich \xe4\xbd\xa0");
    assert_int_equal(gateway_preview(w->g, &s, &p, to, &e), 0);
    assert_int_equal(p.alphabet, PDU_UCS2);
    assert_string_equal(to, "+491701234567");
    s.force_gsm7 = true;
    assert_int_equal(gateway_preview(w->g, &s, &p, to, &e), 0);
    assert_int_equal(p.alphabet, PDU_GSM7);
    assert_true(admit(w, &s) > 0);
    s = message("0170 1234567", "flash");
    s.cls = 0;
    s.report = 1;
    int64_t id = admit(w, &s);
    const uint8_t data[] = {1, 2, 3}, udh[] = {4, 5, 0x0B, 0x84, 0x0B};
    (void)udh;
    s = message("0170 1234567", NULL);
    s.data = data;
    s.data_len = sizeof(data);
    int64_t binary = admit(w, &s);
    assert_true(binary > 0);
    const uint8_t ports[] = {6, 5, 4, 0x0B, 0x84, 0x23, 0xF0};
    s = message("0170 1234567", "with header");
    s.udh = ports;
    s.udh_len = sizeof(ports);
    assert_true(admit(w, &s) > 0);
    s.udh_len = 3;
    assert_int_equal(admit(w, &s), ERR_INVALID);
    s.udh_len = sizeof(ports);
    s.text = long_text();
    assert_int_equal(admit(w, &s), ERR_TOO_LONG);
    run(w, 2 * SECOND);
    assert_string_equal(w->log[0].text, "gr\xc3\xbc\xc3\x9f dich ?");
    assert_true(w->log[1].report);
    assert_int_equal(flags_of_message(w, id), MSG_F_FLASH | MSG_F_REPORT);
    assert_int_equal(flags_of_message(w, binary), MSG_F_BINARY);
    assert_string_equal(w->log[3].text, "with header");
}

/* ---- the pipeline ---- */

/* All parts go by one SIM, in order, not interleaved with another message's. */
static void parts_stay_together(void **state)
{
    struct world *w = W(state);
    for (int i = 0; i < 6; i++)
        assert_true(send_to(w, i % 2 ? "+491701111111" : "+491702222222", long_text()) > 0);
    run(w, 10 * SECOND);
    assert_int_equal(w->nlog, 18);
    for (int c = 0; c < 2; c++) {
        int expected = 1;
        char to[NUMBER_BYTES] = "";
        for (int i = 0; i < w->nlog; i++) {
            if (w->log[i].carrier != c)
                continue;
            assert_int_equal(w->log[i].seq, expected);
            if (expected > 1)
                assert_string_equal(w->log[i].to, to);
            assert_true(expected == 3 || w->log[i].more);
            str_copy(to, sizeof(to), w->log[i].to);
            expected = expected % 3 + 1;
        }
        assert_int_equal(expected, 1);
    }
    assert_true(w->events[EV_PROGRESS] == 12 && w->events[EV_SENT] == 6);
}

/* Two idle modems share the work; one message does not wait behind another while a modem is idle. */
static void idle_modems_share(void **state)
{
    struct world *w = W(state);
    send_to(w, "+491701111111", "a");
    send_to(w, "+491701111111", "b");
    run(w, 50);
    assert_int_equal(w->nlog, 2);
    assert_true(w->log[0].carrier != w->log[1].carrier);
}

/* The modem never waits for a commit: the next part is on the air in the instant in which the one before
 * ended. */
static void durability_costs_no_airtime(void **state)
{
    struct world *w = W(state);
    for (int i = 0; i < 20; i++)
        send_to(w, "+491701111111", "x");
    run(w, 10 * SECOND);
    assert_int_equal(w->nlog, 20);
    for (int i = 3; i < 20; i++)
        assert_int_equal(w->log[i].at_ms - w->log[i - 1].at_ms, SEND_MS);
}

/* A carrier that is faster than commits gets a longer line; the figures stay whole. */
static void the_line_grows_with_the_carrier(void **state)
{
    struct world *w = W(state);
    w->carriers[0].send_ms = 0;
    struct asked *q = asked_new();
    q->a.count = 8;
    for (int i = 0; i < 8; i++)
        q->sends[i] = message("+491701111111", "x");
    for (int i = 0; i < 100; i++) {
        admit_all(w, q);
        q->dones = 0;
    }
    free(q);
    run(w, 20 * SECOND);
    assert_int_equal(w->nlog, 800);
    assert_int_equal(w->events[EV_SENT], 800);
}

/* High priority overtakes, a campaign does not starve a reply. */
static void order_of_going(void **state)
{
    struct world *w = W(state);
    struct asked *q = asked_new();
    q->a.count = 8;
    for (int i = 0; i < 8; i++) {
        q->sends[i] = message("+491701111111", "campaign");
        q->sends[i].source = "ctl:root";
    }
    admit_all(w, q);
    free(q);
    struct gateway_send s = message("+491702222222", "reply");
    s.source = "rule:hours";
    admit(w, &s);
    s = message("+491703333333", "urgent");
    s.source = "ctl:root";
    s.priority = 2;
    admit(w, &s);
    run(w, 10 * SECOND);
    int urgent = 0, reply = 0;
    for (int i = 0; i < w->nlog; i++) {
        if (strcmp(w->log[i].text, "urgent") == 0)
            urgent = i;
        if (strcmp(w->log[i].text, "reply") == 0)
            reply = i;
    }
    assert_in_range(urgent, 1, 3);
    assert_in_range(reply, urgent + 1, 5);
}

/* A message for later waits for its time, and says so. */
static void a_message_for_later_waits(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491701111111", "later");
    s.due_wall_ms = rt_wall_ms(w->rt) + HOUR;
    int64_t id = admit(w, &s);
    run(w, HOUR - SECOND);
    assert_int_equal(w->nlog, 0);
    assert_state(w, id, MSG_QUEUED);
    assert_non_null(strstr(w->reason, "scheduled for 2026-11-21T10:00"));
    run(w, 3 * SECOND);
    assert_int_equal(w->nlog, 1);
}

/* ---- retries ---- */

/* A temporary fault of the network is retried after 5 s, 30 s, 2 min …; nothing else waits for it meanwhile.
 */
static void network_faults_are_retried(void **state)
{
    struct world *w = W(state);
    plan(&w->carriers[0], failed(CARRIER_E_NETWORK, 38));
    int64_t id = send_to(w, "+491701111111", "patient");
    run(w, SECOND);
    assert_state(w, id, MSG_QUEUED);
    assert_string_equal(w->reason, "+CMS ERROR: 38");
    send_to(w, "+491702222222", "other");
    run(w, SECOND);
    assert_int_equal(sent_count(w, "other"), 1);
    assert_int_equal(sent_count(w, "patient"), 1);
    run(w, 10 * SECOND);
    assert_int_equal(sent_count(w, "patient"), 2);
    assert_in_range(w->log[2].at_ms - w->log[0].at_ms, 5000, 5200);
    assert_state(w, id, MSG_SENT);
}

/* A service centre that takes no validity period gets what waits of the message without it, otherwise as it
 * was, once. */
static void again_without_validity(void **state)
{
    struct world *w = *state;
    char text[301];
    memset(text, 'v', 300);
    text[300] = '\0';
    w->carriers[0].next_mr = 7;
    plan(&w->carriers[0], (struct carrier_outcome){.result = CARRIER_SENT});
    plan(&w->carriers[0], failed(CARRIER_E_OURS, 199));
    int64_t id = send_to(w, "+491701111111", text);
    run(w, MINUTE);
    assert_state(w, id, MSG_SENT);
    assert_int_equal(w->nlog, 3);
    assert_true(w->log[0].validity && w->log[1].validity);
    assert_false(w->log[2].validity);
    assert_int_equal(w->log[2].seq, 2);
    assert_string_equal(w->log[2].text, w->log[1].text);
    assert_string_equal(w->log[2].to, "+491701111111");
    plan(&w->carriers[0], failed(CARRIER_E_OURS, 198));
    plan(&w->carriers[0], failed(CARRIER_E_OURS, 198));
    id = send_to(w, "+491701111111", "never");
    run(w, MINUTE);
    assert_state(w, id, MSG_FAILED);
    assert_int_equal(sent_count(w, "never"), 2);
}

/* A permanent error fails the message at once, with its reason, and the next goes on. */
static void permanent_errors_fail(void **state)
{
    struct world *w = W(state);
    plan(&w->carriers[0], failed(CARRIER_E_PERMANENT, 1));
    int64_t id = send_to(w, "+491701111111", "lost");
    send_to(w, "+491702222222", "other");
    run(w, SECOND);
    assert_state(w, id, MSG_FAILED);
    assert_string_equal(w->reason, "+CMS ERROR: 1");
    assert_int_equal(sent_count(w, "other"), 1);
}

/* A part that fails for good stops the parts behind it. */
static void a_failed_part_stops_the_rest(void **state)
{
    struct world *w = W(state);
    plan(&w->carriers[0], (struct carrier_outcome){.result = CARRIER_SENT});
    plan(&w->carriers[0], failed(CARRIER_E_PERMANENT, 1));
    int64_t id = send_to(w, "+491701111111", long_text());
    run(w, 10 * SECOND);
    assert_int_equal(w->nlog, 2);
    assert_state(w, id, MSG_FAILED);
    struct gateway_stats st;
    gateway_get_stats(w->g, &st);
    assert_int_equal(st.queued, 0);
}

/* After an unclear error three tries in all. */
static void unclear_errors_are_capped(void **state)
{
    struct world *w = W(state);
    for (int i = 0; i < 5; i++)
        plan(&w->carriers[0], failed(CARRIER_E_UNCLEAR, 500));
    int64_t id = send_to(w, "+491701111111", "x");
    run(w, 10 * MINUTE);
    assert_int_equal(w->nlog, 3);
    assert_state(w, id, MSG_FAILED);
    assert_non_null(strstr(w->reason, "after 3 tries"));
}

/* What never left the modem is sent again without a mark; an error that means success is success. */
static void what_never_left_is_sent_again(void **state)
{
    struct world *w = W(state);
    plan(&w->carriers[0], not_submitted());
    plan(&w->carriers[0], failed(CARRIER_E_ACCEPTED, 197));
    int64_t id = send_to(w, "+491701111111", "x");
    run(w, 5 * SECOND);
    assert_int_equal(w->nlog, 2);
    assert_state(w, id, MSG_SENT);
    assert_int_equal(flags_of_message(w, id) & MSG_F_POSSIBLE_DUPLICATE, 0);
}

/* Parts that were taken are never sent again: only the refused one is, by the same SIM, with another modem
 * idle. */
static void taken_parts_are_not_repeated(void **state)
{
    struct world *w = W(state);
    set_state(&w->carriers[1], CARRIER_DOWN, "off");
    plan(&w->carriers[0], (struct carrier_outcome){.result = CARRIER_SENT});
    for (int i = 0; i < 3; i++)
        plan(&w->carriers[0], failed(CARRIER_E_NETWORK, 38));
    int64_t id = send_to(w, "+491701111111", long_text());
    run(w, 150);
    set_state(&w->carriers[1], CARRIER_READY, "");
    run(w, 10 * MINUTE);
    assert_state(w, id, MSG_SENT);
    const uint8_t seqs[] = {1, 2, 2, 2, 2, 3};
    assert_int_equal(w->nlog, ARRAY_LEN(seqs));
    for (size_t i = 0; i < ARRAY_LEN(seqs); i++) {
        assert_int_equal(w->log[i].seq, seqs[i]);
        assert_int_equal(w->log[i].carrier, 0);
    }
}

/* After a fault of the SIM another of the pool is tried at once. */
static void another_sim_after_a_fault_of_the_sim(void **state)
{
    struct world *w = W(state);
    set_state(&w->carriers[1], CARRIER_DOWN, "off");
    plan(&w->carriers[0], failed(CARRIER_E_SIM, 8));
    send_to(w, "+491701111111", "s");
    run(w, 50);
    set_state(&w->carriers[1], CARRIER_READY, "");
    run(w, SECOND);
    assert_int_equal(w->nlog, 2);
    assert_int_equal(w->log[0].carrier, 0);
    assert_int_equal(w->log[1].carrier, 1);
    assert_int_equal(w->log[1].result, CARRIER_SENT);
}

/* After two faults of the network it is another SIM's turn, even if that is busy and the first is idle. */
static void another_sim_after_two_faults_of_the_network(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491702222222", "slow");
    s.modem = "M1";
    w->carriers[1].send_ms = MINUTE;
    admit(w, &s);
    for (int i = 0; i < 3; i++)
        plan(&w->carriers[0], failed(CARRIER_E_NETWORK, 38));
    send_to(w, "+491701111111", "n");
    run(w, 3 * MINUTE);
    assert_int_equal(w->nlog, 4);
    assert_int_equal(w->log[1].carrier, 0);
    assert_int_equal(w->log[2].carrier, 0);
    assert_int_equal(w->log[3].carrier, 1);
    assert_string_equal(w->log[3].text, "n");
}

/* A SIM that refuses three recipients in a row is paused, with an alarm, instead of failing everybody. */
static void a_refusing_sim_is_paused(void **state)
{
    struct world *w = W(state);
    char to[32];
    for (int i = 0; i < 64; i++)
        plan(&w->carriers[0], failed(CARRIER_E_SIM, 8));
    int64_t ids[6];
    for (int i = 0; i < 6; i++) {
        snprintf(to, sizeof(to), "+49170111111%d", i);
        ids[i] = send_to(w, to, "x");
    }
    run(w, MINUTE);
    assert_int_equal(w->nlog, 3);
    assert_non_null(strstr(w->alarm, "paused"));
    assert_state(w, ids[5], MSG_QUEUED);
    assert_non_null(strstr(w->reason, "paused"));
    w->carriers[0].plan_len = w->carriers[0].plan_at;
    run(w, 15 * MINUTE);
    for (int i = 0; i < 6; i++)
        assert_state(w, ids[i], MSG_SENT);
}

/* ---- carriers that go ---- */

/* A modem that goes gives back what was only intended: another takes it at once, nothing is unknown. */
static void intents_are_withdrawn(void **state)
{
    struct world *w = W(state);
    set_state(&w->carriers[1], CARRIER_DOWN, "off");
    w->carriers[0].stuck = true;
    int64_t a = send_to(w, "+491701111111", "a"), b = send_to(w, "+491701111111", "b");
    run(w, SECOND);
    assert_int_equal(w->nlog, 1);
    set_state(&w->carriers[1], CARRIER_READY, "");
    set_state(&w->carriers[0], CARRIER_DOWN, "unplugged");
    run(w, SECOND);
    assert_int_equal(sent_count(w, "b"), 1);
    assert_state(w, b, MSG_SENT);
    w->carriers[0].under_way->done(w->carriers[0].under_way,
                                   &(struct carrier_outcome){.result = CARRIER_UNKNOWN, .mr = -1});
    run(w, SECOND);
    assert_state(w, a, MSG_UNKNOWN);
    assert_state(w, b, MSG_SENT);
}

/* A carrier that says ready and refuses is asked again in a moment, not in a loop. */
static void a_refusing_carrier_is_asked_again(void **state)
{
    struct world *w = W(state);
    w->carriers[0].under_way = (struct carrier_submit *)w; /* busy with something else */
    int64_t id = send_to(w, "+491701111111", "x");
    uint64_t before = rt_sim_wakeups(w->rt);
    run(w, 10 * SECOND);
    assert_true(rt_sim_wakeups(w->rt) - before < 400);
    w->carriers[0].under_way = NULL;
    run(w, SECOND);
    assert_state(w, id, MSG_SENT);
}

/* Why a message does not go is told when it lasts: no modem, a locked SIM. */
static void holding_has_a_reason(void **state)
{
    struct world *w = W(state);
    set_state(&w->carriers[0], CARRIER_LOCKED, "SIM PIN needed");
    int64_t id = send_to(w, "+491701111111", "x");
    run(w, SECOND);
    assert_state(w, id, MSG_QUEUED);
    assert_string_equal(w->reason, "");
    run(w, 10 * SECOND);
    assert_state(w, id, MSG_QUEUED);
    assert_string_equal(w->reason, "waits for modem M0: SIM PIN needed");
    struct gateway_stats st;
    gateway_get_stats(w->g, &st);
    assert_int_equal(st.held, 1);
    int told = w->events[EV_OUTCOME];
    run(w, HOUR);
    assert_int_equal(w->events[EV_OUTCOME], told); /* once */
    set_state(&w->carriers[0], CARRIER_DOWN, "no network");
    run(w, MINUTE);
    assert_state(w, id, MSG_QUEUED);
    assert_string_equal(w->reason, "waits for modem M0: no network");
    assert_int_equal(w->events[EV_OUTCOME], told + 1);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, SECOND);
    assert_state(w, id, MSG_SENT);
}

/* A message that cannot be sent in its validity expires, also when no modem ever comes. */
static void messages_expire(void **state)
{
    struct world *w = W(state);
    set_state(&w->carriers[0], CARRIER_DOWN, "unplugged");
    struct gateway_send s = message("+491701111111", "x");
    s.validity_ms = 2 * HOUR;
    int64_t id = admit(w, &s);
    run(w, 2 * HOUR - MINUTE);
    assert_state(w, id, MSG_QUEUED);
    run(w, 2 * MINUTE);
    assert_state(w, id, MSG_EXPIRED);
    assert_non_null(strstr(w->reason, "unplugged"));
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, MINUTE);
    assert_int_equal(w->nlog, 0);
}

/* Expiry is looked at again before each submit. */
static void expiry_before_the_submit(void **state)
{
    struct world *w = W(state);
    w->carriers[0].send_ms = 100 * SECOND;
    send_to(w, "+491701111111", "slow");
    struct gateway_send s = message("+491701111111", "stale");
    s.validity_ms = MINUTE;
    int64_t id = admit(w, &s);
    run(w, 5 * MINUTE);
    assert_state(w, id, MSG_EXPIRED);
    assert_int_equal(sent_count(w, "stale"), 0);
}

/* An answer goes by the SIM that the customer wrote to, or after a minute by another of its pool. */
static void answers_prefer_their_sim(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491701111111", "answer");
    s.modem = "M1";
    s.reply_to = 7;
    for (int i = 0; i < 4; i++)
        admit(w, &s);
    run(w, SECOND);
    assert_int_equal(w->nlog, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(w->log[i].carrier, 1);
    set_state(&w->carriers[1], CARRIER_DOWN, "unplugged");
    admit(w, &s);
    run(w, 55 * SECOND);
    assert_int_equal(w->nlog, 4);
    run(w, 10 * SECOND);
    assert_int_equal(w->nlog, 5);
    assert_int_equal(w->log[4].carrier, 0);
}

/* Also an answer whose giver names only the message that it answers. */
static void answers_find_their_sim(void **state)
{
    struct world *w = W(state);
    arrive(w, 1, &(struct arriving){.from = "+491701111111", .text = "hi"});
    run(w, SECOND);
    struct gateway_send s = message("+491701111111", "answer");
    s.reply_to = w->last_in;
    for (int i = 0; i < 3; i++)
        admit(w, &s);
    s.reply_to = 4711; /* unknown: any SIM */
    assert_true(admit(w, &s) > 0);
    run(w, SECOND);
    assert_int_equal(w->nlog, 4);
    int by1 = 0;
    for (int i = 0; i < 4; i++)
        by1 += w->log[i].carrier == 1;
    assert_true(by1 >= 3);
}

/* A named modem is a must; a named pool is any of its modems. */
static void a_named_modem_is_a_must(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491701111111", "only M1");
    s.modem = "M1";
    set_state(&w->carriers[1], CARRIER_DOWN, "unplugged");
    admit(w, &s);
    run(w, HOUR);
    assert_int_equal(w->nlog, 0);
    set_state(&w->carriers[1], CARRIER_READY, "");
    run(w, SECOND);
    assert_int_equal(w->log[0].carrier, 1);
}

/* ---- limits ---- */

/* A limited SIM holds what is over its limit, with the reason; another of the pool may take it. */
static void limits_hold(void **state)
{
    struct world *w = W(state);
    gateway_set_limits(w->g, &w->carriers[0].c, &(struct gateway_limits){.per_minute = 3}, false);
    int64_t id = 0;
    for (int i = 0; i < 5; i++)
        id = send_to(w, "+491701111111", "x");
    run(w, 20 * SECOND);
    assert_int_equal(w->nlog, 3);
    assert_state(w, id, MSG_QUEUED);
    assert_non_null(strstr(w->reason, "limit per_minute of SIM 262010000000000"));
    run(w, 45 * SECOND);
    assert_int_equal(w->nlog, 5);
    assert_state(w, id, MSG_SENT);
}

/* The other SIM of the pool takes what the limited one may not. */
static void another_sim_takes_what_is_over(void **state)
{
    struct world *w = W(state);
    gateway_set_limits(w->g, &w->carriers[0].c, &(struct gateway_limits){.per_day = 1}, false);
    for (int i = 0; i < 6; i++)
        send_to(w, "+491701111111", "x");
    run(w, 5 * SECOND);
    assert_int_equal(w->nlog, 6);
    int by0 = 0;
    for (int i = 0; i < 6; i++)
        by0 += w->log[i].carrier == 0;
    assert_int_equal(by0, 1);
}

/* The day's quota is counted over restarts, and opens at midnight. */
static void quotas_survive_restarts(void **state)
{
    struct world *w = W(state);
    w->limits[0] = (struct gateway_limits){.per_day = 2};
    life_crash(w);
    life_start(w);
    send_to(w, "+491701111111", "1");
    send_to(w, "+491701111111", "2");
    run(w, 5 * SECOND);
    life_crash(w);
    life_start(w);
    send_to(w, "+491701111111", "3");
    run(w, MINUTE);
    assert_int_equal(w->nlog, 2);
    struct gateway_carrier_stats cs;
    gateway_get_carrier_stats(w->g, &w->carriers[0].c, &cs);
    assert_int_equal(cs.sent_day, 2);
    assert_int_equal(cs.queue, 1);
    run(w, DAY);
    assert_int_equal(w->nlog, 3);
}

/* ---- operators ---- */

/* What is queued can be cancelled, also when it was intended already; what was sent cannot. */
static void cancelling(void **state)
{
    struct world *w = W(state);
    w->carriers[0].send_ms = 10 * SECOND;
    int64_t a = send_to(w, "+491701111111", "a"), b = send_to(w, "+491701111111", "b"),
            c = send_to(w, "+491701111111", "c");
    run(w, SECOND);
    assert_int_equal(change(w, b, true), 0); /* intended */
    assert_int_equal(change(w, c, true), 0);
    assert_int_equal(change(w, a, true), ERR_REFUSED); /* on the air */
    assert_int_equal(change(w, 4711, true), ERR_NOT_FOUND);
    run(w, MINUTE);
    assert_int_equal(w->nlog, 1);
    assert_state(w, a, MSG_SENT);
    assert_state(w, b, MSG_CANCELLED);
    assert_string_equal(w->reason, "cancelled by root");
    assert_state(w, c, MSG_CANCELLED);
    assert_int_equal(change(w, a, true), ERR_REFUSED);
}

/* A long message on the air stops behind its present part. */
static void cancelling_between_parts(void **state)
{
    struct world *w = W(state);
    w->carriers[0].send_ms = 10 * SECOND;
    int64_t a = send_to(w, "+491701111111", long_text());
    run(w, SECOND);
    assert_int_equal(change(w, a, true), 0);
    run(w, MINUTE);
    assert_int_equal(w->nlog, 1);
    assert_state(w, a, MSG_CANCELLED);
}

/* What failed or was cancelled can be sent again; only the parts that were not taken go. */
static void retrying(void **state)
{
    struct world *w = W(state);
    plan(&w->carriers[0], (struct carrier_outcome){.result = CARRIER_SENT});
    plan(&w->carriers[0], failed(CARRIER_E_PERMANENT, 1));
    int64_t id = send_to(w, "+491701111111", long_text());
    run(w, SECOND);
    assert_state(w, id, MSG_FAILED);
    assert_int_equal(change(w, id, false), 0);
    run(w, SECOND);
    assert_state(w, id, MSG_SENT);
    assert_int_equal(w->nlog, 4);
    assert_int_equal(w->log[2].seq, 2);
    assert_int_equal(w->log[3].seq, 3);
    assert_int_equal(change(w, id, false), ERR_REFUSED);
}

/* Retrying what waits for its time sends it now; retrying what expired gives it a new validity. */
static void retrying_what_waits(void **state)
{
    struct world *w = W(state);
    plan(&w->carriers[0], failed(CARRIER_E_NETWORK, 38));
    plan(&w->carriers[0], failed(CARRIER_E_NETWORK, 38));
    int64_t id = send_to(w, "+491701111111", "x");
    run(w, 10 * SECOND);
    assert_int_equal(w->nlog, 2);
    assert_int_equal(change(w, id, false), 0);
    run(w, SECOND);
    assert_int_equal(w->nlog, 3);
    set_state(&w->carriers[0], CARRIER_DOWN, "off");
    struct gateway_send s = message("+491701111111", "old");
    s.validity_ms = HOUR;
    id = admit(w, &s);
    run(w, 2 * HOUR);
    assert_state(w, id, MSG_EXPIRED);
    assert_int_equal(change(w, id, false), 0);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, SECOND);
    assert_state(w, id, MSG_SENT);
}

/* ---- draining ---- */

static void on_drained(void *owner)
{
    ++*(int *)owner;
}

/* Draining lets the part on the air finish, withdraws what was intended, and says when nothing is under way.
 */
static void draining(void **state)
{
    struct world *w = W(state);
    w->carriers[0].send_ms = 10 * SECOND;
    int64_t a = send_to(w, "+491701111111", "a"), b = send_to(w, "+491701111111", "b");
    run(w, SECOND);
    int drained = 0;
    gateway_drain(w->g, on_drained, &drained);
    assert_int_equal(drained, 0);
    run(w, 5 * SECOND);
    assert_int_equal(drained, 0);
    run(w, 10 * SECOND);
    assert_int_equal(drained, 1);
    assert_state(w, a, MSG_SENT);
    assert_state(w, b, MSG_QUEUED);
    life_crash(w);
    life_start(w);
    w->carriers[0].send_ms = SEND_MS;
    run(w, SECOND);
    assert_state(w, b, MSG_SENT);
    gateway_drain(w->g, on_drained, &drained);
    run(w, SECOND);
    assert_int_equal(drained, 2);
    send_to(w, "+491701111111", "c");
    run(w, SECOND);
    assert_int_equal(sent_count(w, "c"), 0);
}

/* The queue is rebuilt at start in its order. */
static void the_order_survives_restarts(void **state)
{
    struct world *w = W(state);
    char text[16];
    set_state(&w->carriers[0], CARRIER_DOWN, "off");
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "n%d", i);
        send_to(w, "+491701111111", text);
    }
    life_crash(w);
    life_start(w);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, MINUTE);
    assert_int_equal(w->nlog, 100);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "n%d", i);
        assert_string_equal(w->log[i].text, text);
    }
}

/* Nor has what the wall clock does while messages are being accepted a say in their order. */
static void the_order_survives_the_clock(void **state)
{
    struct world *w = W(state);
    struct asked *q = asked_new();
    set_state(&w->carriers[0], CARRIER_DOWN, "off");
    send_to(w, "+491701111111", "first");
    q->sends[0] = message("+491701111111", "second");
    gateway_admit(w->g, &q->a);
    rt_sim_jump_wall(w->rt, SECOND);
    run(w, SECOND);
    assert_int_equal(q->dones, 1);
    free(q);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, MINUTE);
    assert_int_equal(w->nlog, 2);
    assert_string_equal(w->log[0].text, "first");
}

/* A carrier can be taken off and put back while messages wait for it. */
static void a_carrier_is_detached(void **state)
{
    struct world *w = W(state);
    struct err e;
    int64_t a = send_to(w, "+491701111111", "a"), b = send_to(w, "+491701111111", "b");
    rt_sim_run_for(w->rt, 20);
    w->carriers[0].c.state = CARRIER_CLOSED;
    if (w->carriers[0].under_way) {
        struct carrier_submit *cs = w->carriers[0].under_way;
        w->carriers[0].under_way = NULL;
        rt_timer_stop(w->rt, &w->carriers[0].timer);
        cs->done(cs, &(struct carrier_outcome){.result = CARRIER_NOT_SUBMITTED, .mr = -1});
    }
    gateway_detach(w->g, &w->carriers[0].c);
    run(w, MINUTE);
    assert_state(w, a, MSG_QUEUED);
    assert_state(w, b, MSG_QUEUED);
    w->carriers[0].c.state = CARRIER_READY;
    assert_int_equal(gateway_attach(w->g, &w->carriers[0].c, NULL, false, &e), 0);
    w->carriers[0].c.up->changed(w->g, &w->carriers[0].c);
    run(w, SECOND);
    assert_state(w, a, MSG_SENT);
    assert_state(w, b, MSG_SENT);
}

/* Somebody sets the clock back or forward: retries and limits go on by the time that passes. */
static void the_clock_may_jump(void **state)
{
    struct world *w = W(state);
    plan(&w->carriers[0], failed(CARRIER_E_NETWORK, 38));
    int64_t id = send_to(w, "+491701111111", "x");
    run(w, SECOND);
    rt_sim_jump_wall(w->rt, -30 * DAY);
    run(w, 10 * SECOND);
    assert_state(w, id, MSG_SENT);
    id = send_to(w, "+491701111111", "y");
    rt_sim_jump_wall(w->rt, 365 * DAY);
    run(w, 10 * SECOND);
    assert_state(w, id, MSG_SENT);
}

/* What is to go at a certain time goes at that time, also when the clock is set in between. */
static void a_schedule_follows_the_clock(void **state)
{
    struct world *w = W(state);
    struct gateway_send s = message("+491701111111", "at nine");
    s.due_wall_ms = rt_wall_ms(w->rt) + DAY;
    admit(w, &s);
    run(w, HOUR);
    rt_sim_jump_wall(w->rt, DAY - 2 * HOUR);
    run(w, HOUR - 15 * MINUTE);
    assert_int_equal(w->nlog, 0);
    run(w, 30 * MINUTE);
    assert_int_equal(w->nlog, 1);
}

/* Idle, the gateway wakes for nothing but its look for incomplete messages. */
static void idle_it_sleeps(void **state)
{
    struct world *w = W(state);
    run(w, MINUTE);
    uint64_t before = rt_sim_wakeups(w->rt);
    run(w, HOUR);
    assert_true(rt_sim_wakeups(w->rt) - before <= 60);
}

#define T(name, setup) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_message_is_sent, world_setup),
        T(refusals_say_what_was_expected, world_setup),
        T(a_request_is_whole, world_setup),
        T(the_giver_may_forget, world_setup),
        T(a_key_is_accepted_once, world_setup),
        T(the_queue_has_a_bound, world_setup),
        T(opt_outs_hold, world_setup),
        T(opt_outs_hold_for_what_waits, world_setup),
        T(what_is_asked_for_is_in_the_pdu, world_setup),
        T(parts_stay_together, two_modems),
        T(idle_modems_share, two_modems),
        T(durability_costs_no_airtime, world_setup),
        T(the_line_grows_with_the_carrier, world_setup),
        T(order_of_going, world_setup),
        T(a_message_for_later_waits, world_setup),
        T(network_faults_are_retried, world_setup),
        T(again_without_validity, world_setup),
        T(permanent_errors_fail, world_setup),
        T(a_failed_part_stops_the_rest, world_setup),
        T(unclear_errors_are_capped, world_setup),
        T(what_never_left_is_sent_again, world_setup),
        T(taken_parts_are_not_repeated, two_modems),
        T(another_sim_after_a_fault_of_the_sim, two_modems),
        T(another_sim_after_two_faults_of_the_network, two_modems),
        T(a_refusing_sim_is_paused, world_setup),
        T(intents_are_withdrawn, two_modems),
        T(a_refusing_carrier_is_asked_again, world_setup),
        T(holding_has_a_reason, world_setup),
        T(messages_expire, world_setup),
        T(expiry_before_the_submit, world_setup),
        T(answers_prefer_their_sim, two_modems),
        T(answers_find_their_sim, two_modems),
        T(a_named_modem_is_a_must, two_modems),
        T(limits_hold, world_setup),
        T(another_sim_takes_what_is_over, two_modems),
        T(quotas_survive_restarts, world_setup),
        T(cancelling, world_setup),
        T(cancelling_between_parts, world_setup),
        T(retrying, world_setup),
        T(retrying_what_waits, world_setup),
        T(draining, world_setup),
        T(the_order_survives_restarts, world_setup),
        T(the_order_survives_the_clock, world_setup),
        T(a_carrier_is_detached, world_setup),
        T(the_clock_may_jump, world_setup),
        T(a_schedule_follows_the_clock, world_setup),
        T(idle_it_sleeps, world_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
