/* A pool's load shared by measured speed, and parts that never mix on one SIM; with the real store. */
#include "tests/unit/gateway/world.h"

static struct world *W(void **state)
{
    return *state;
}

static void speed(struct script *s, int64_t ms)
{
    s->send_ms = ms;
    s->c.seconds_per_part = (double)ms / SECOND;
}

/* One modem takes a second a part, the other twenty. */
static int fast_and_slow(void **state)
{
    struct world *w = malloc(sizeof(*w));
    world_init(w);
    speed(add_carrier(w, "fast", ""), 1 * SECOND);
    speed(add_carrier(w, "slow", ""), 20 * SECOND);
    life_start(w);
    *state = w;
    return 0;
}

static int many_equals(void **state)
{
    static const char *const names[MAX_CARRIERS] = {"a", "b", "c", "d"};
    struct world *w = malloc(sizeof(*w));
    world_init(w);
    for (int i = 0; i < MAX_CARRIERS; i++)
        speed(add_carrier(w, names[i], ""), 1 * SECOND);
    life_start(w);
    *state = w;
    return 0;
}

static int sent_by(const struct world *w, int carrier)
{
    int n = 0;
    for (int i = 0; i < w->nlog; i++)
        n += w->log[i].carrier == carrier;
    return n;
}

static int64_t all_sent_ms(struct world *w, int messages)
{
    int64_t begin = rt_sim_now(w->rt);
    struct gateway_stats st;
    do {
        run(w, SECOND);
        gateway_get_stats(w->g, &st);
    } while (st.sent < (uint64_t)messages && rt_sim_now(w->rt) - begin < HOUR);
    return rt_sim_now(w->rt) - begin;
}

/* A few messages: the slow modem takes none, as the fast one is through with all of them before it would be
 * with one. */
static void few_messages_go_by_the_fast_modem(void **state)
{
    struct world *w = W(state);
    for (int i = 0; i < 5; i++)
        assert_true(send_to(w, "+491701234567", "hello") > 0);
    assert_true(all_sent_ms(w, 5) <= 10 * SECOND);
    assert_int_equal(sent_by(w, 1), 0);
}

/* Many messages: both work, each by its speed, and the end of the queue does not wait for the slow one. */
static void many_messages_are_shared_by_speed(void **state)
{
    struct world *w = W(state);
    for (int i = 0; i < 210; i++)
        assert_true(send_to(w, "+491701234567", "hello") > 0);
    int64_t took_ms = all_sent_ms(w, 210);
    assert_in_range(sent_by(w, 1), 7, 12);
    assert_true(took_ms <= 225 * SECOND); /* together 200 s; the fast one alone 210 s */
}

/* The slow modem takes all when the fast one is not there, or has used up what it may send. */
static void the_slow_one_takes_what_nobody_else_can(void **state)
{
    struct world *w = W(state);
    set_state(&w->carriers[0], CARRIER_DOWN, "unplugged");
    assert_true(send_to(w, "+491701234567", "one") > 0);
    run(w, 25 * SECOND);
    assert_int_equal(sent_by(w, 1), 1);
    set_state(&w->carriers[0], CARRIER_READY, "");
    gateway_set_limits(w->g, &w->carriers[0].c, &(struct gateway_limits){.per_day = 1}, false);
    for (int i = 0; i < 3; i++)
        assert_true(send_to(w, "+491701234567", "more") > 0);
    run(w, MINUTE);
    assert_int_equal(sent_by(w, 0), 1);
    assert_int_equal(sent_by(w, 1), 3);
}

/* As many equal modems as there may be in a test: a message of three parts, which goes by one of them, is not
 * left to all of them together. */
static void equals_leave_nothing_to_each_other(void **state)
{
    struct world *w = W(state);
    char text[400];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_true(send_to(w, "+491701234567", text) > 0);
    assert_true(all_sent_ms(w, 1) <= 5 * SECOND);
}

/* The fast one hangs in the middle of a message: what waits goes by the slow one before long. */
static void a_fast_one_that_hangs_holds_up_nobody(void **state)
{
    struct world *w = W(state);
    w->carriers[0].stuck = true;
    for (int i = 0; i < 3; i++) /* one on the air, one behind it */
        assert_true(send_to(w, "+491701234567", "hello") > 0);
    run(w, MINUTE);
    assert_int_equal(sent_by(w, 1), 1);
}

/* Speeds that nobody has measured yet keep no modem from working. */
static void unmeasured_modems_work(void **state)
{
    struct world *w = W(state);
    w->carriers[1].c.seconds_per_part = 0;
    for (int i = 0; i < 4; i++)
        assert_true(send_to(w, "+491701234567", "hello") > 0);
    run(w, MINUTE);
    assert_true(sent_by(w, 1) >= 1);
}

/* Long messages of several senders on several SIMs: on each SIM the parts of one come in order, with nothing
 * of another between them. */
static void parts_of_one_message_stay_together(void **state)
{
    struct world *w = W(state);
    char text[500];
    speed(&w->carriers[1], 2 * SECOND);
    for (int i = 0; i < 24; i++) {
        struct gateway_send s = message("+491701234567", text);
        char source[16];
        memset(text, 'a' + i, sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        snprintf(source, sizeof(source), "sender%d", i % 5);
        s.source = source;
        assert_true(admit(w, &s) > 0);
    }
    assert_true(all_sent_ms(w, 24) < HOUR);
    for (int c = 0; c < 2; c++) {
        const struct submitted *last = NULL;
        for (int i = 0; i < w->nlog; i++) {
            const struct submitted *l = &w->log[i];
            if (l->carrier != c)
                continue;
            if (l->seq > 1) {
                assert_non_null(last);
                assert_int_equal(l->seq, last->seq + 1);
                assert_int_equal(l->text[0], last->text[0]);
            } else if (last) {
                assert_int_equal(last->seq, last->total);
            }
            last = l;
        }
    }
    assert_true(sent_by(w, 0) > 0 && sent_by(w, 1) > 0);
}

/* An alarm of a carrier reaches the watchers, and so does its end. */
static void alarms_are_told(void **state)
{
    struct world *w = W(state);
    struct carrier *c = &w->carriers[0].c;
    struct carrier_alarm_state *a = &c->alarms[CARRIER_ALARM_SIM];
    *a = (struct carrier_alarm_state){.on = true, .text = "no SIM in the modem"};
    c->up->alarm(c->up_owner, c, CARRIER_ALARM_SIM);
    assert_int_equal(w->events[EV_ALARM], 1);
    assert_string_equal(w->alarm, "no SIM in the modem");
    a->on = false;
    c->up->alarm(c->up_owner, c, CARRIER_ALARM_SIM);
    assert_int_equal(w->events[EV_ALARM], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(few_messages_go_by_the_fast_modem, fast_and_slow, world_teardown),
        cmocka_unit_test_setup_teardown(many_messages_are_shared_by_speed, fast_and_slow, world_teardown),
        cmocka_unit_test_setup_teardown(the_slow_one_takes_what_nobody_else_can, fast_and_slow,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(equals_leave_nothing_to_each_other, many_equals, world_teardown),
        cmocka_unit_test_setup_teardown(a_fast_one_that_hangs_holds_up_nobody, fast_and_slow, world_teardown),
        cmocka_unit_test_setup_teardown(unmeasured_modems_work, fast_and_slow, world_teardown),
        cmocka_unit_test_setup_teardown(parts_of_one_message_stay_together, fast_and_slow, world_teardown),
        cmocka_unit_test_setup_teardown(alarms_are_told, fast_and_slow, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
