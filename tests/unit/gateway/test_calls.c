/* Calls on their way through the gateway: stored as messages without text, answered at most once, across
 * deaths at every commit and a disk without room. */
#include "tests/unit/gateway/world.h"

#define CALLER "+491702222222"

static void ring(struct world *w, const char *from, int64_t began_wall_ms)
{
    struct carrier *c = &w->carriers[0].c;
    struct carrier_call call = {.from = from,
                                .withheld = !*from,
                                .rings = 3,
                                .began_wall_ms = began_wall_ms ? began_wall_ms : rt_wall_ms(w->rt)};
    c->up->call(c->up_owner, c, &call);
}

static void reply(void *owner, const struct msg_row *m)
{
    struct world *w = owner;
    struct gateway_send r = message(m->peer, m->flags & MSG_F_CALL ? "missed you" : "got it");
    r.automatic = true;
    bool nobody = *m->peer == '\0';
    gateway_handled(w->g, m->id,
                    &(struct gateway_verdict){.reason = "all", .replies = &r, .nreplies = nobody ? 0 : 1});
}

static int calls_setup(void **state)
{
    struct world *w = malloc(sizeof(*w));
    world_init(w);
    w->engine = reply;
    add_carrier(w, "M0", "");
    life_start(w);
    *state = w;
    return 0;
}

/* A call is a message of its caller without text, marked as a call, told as one, and answered by its SIM. */
static void stored_and_answered(void **state)
{
    struct world *w = *state;
    struct gateway_stats stats;
    ring(w, CALLER, 0);
    run(w, MINUTE);
    assert_int_equal(w->events[EV_CALL], 1);
    assert_int_equal(w->events[EV_RECEIVED], 0);
    assert_true(w->events[EV_OUTBOX] > 0);
    assert_int_equal(sent_count(w, "missed you"), 1);
    assert_string_equal(w->log[0].to, CALLER);
    struct shown *s = show(w, 1);
    assert_int_equal(s->status, 0);
    assert_int_equal(s->op.row.flags & MSG_F_CALL, MSG_F_CALL);
    assert_int_equal(s->op.row.state, MSG_HANDLED);
    assert_string_equal(s->op.row.peer, CALLER);
    assert_string_equal(s->op.row.text, "");
    assert_non_null(strstr(s->op.row.meta, "\"rings\":3"));
    assert_int_equal(s->op.segments[0].len, 0);
    unshow(s);
    gateway_get_stats(w->g, &stats);
    assert_int_equal(stats.calls, 1);
    assert_int_equal(stats.received, 0); /* texts */
}

/* National numbers become canonical ones; a withheld one is stored with no sender. */
static void callers(void **state)
{
    struct world *w = *state;
    ring(w, "01702222222", 0);
    run(w, SECOND);
    ring(w, "", 0);
    run(w, MINUTE);
    struct shown *s = show(w, 1);
    assert_string_equal(s->op.row.peer, CALLER);
    unshow(s);
    assert_int_equal(w->events[EV_CALL], 2);
    assert_int_equal(w->nlog, 1);
}

/* The same call told twice is one; the next one of the same caller is another. */
static void told_twice(void **state)
{
    struct world *w = *state;
    int64_t began = rt_wall_ms(w->rt);
    ring(w, CALLER, began);
    ring(w, CALLER, began);
    run(w, MINUTE);
    ring(w, CALLER, began + MINUTE);
    run(w, MINUTE);
    assert_int_equal(w->events[EV_CALL], 2);
    assert_int_equal(sent_count(w, "missed you"), 2);
}

/* What the network writes by USSD unasked is an event. */
static void ussd_is_told(void **state)
{
    struct world *w = *state;
    struct carrier *c = &w->carriers[0].c;
    c->up->ussd(c->up_owner, c, "Your bundle ends");
    assert_int_equal(w->events[EV_USSD], 1);
}

/* ---- deaths ---- */

struct death {
    uint64_t at, works;
    enum rt_sim_moment moment;
    bool died;
};

static bool on_work(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    struct death *d = arg;
    (void)number;
    if (moment == RT_SIM_BEFORE_RUN)
        d->works++;
    return !d->died && d->works == d->at && moment == d->moment;
}

static void live(struct world *w, struct death *d, int64_t ms)
{
    int64_t end = rt_sim_now(w->rt) + ms;
    while (!rt_sim_run_until(w->rt, end)) {
        d->died = true;
        life_crash(w);
        life_start(w);
    }
}

/* Before and after each commit: the call is there or not, as it was committed or not; one that is there is
 * answered exactly once, and nobody is answered for one that is not. */
static void a_death_at_every_commit(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (bool reached = true; reached; n++) {
        reached = false;
        for (int moment = 0; moment < 2; moment++) {
            struct world *w = NULL;
            struct death d = {.at = n, .moment = moment ? RT_SIM_BEFORE_DONE : RT_SIM_BEFORE_RUN};
            calls_setup((void **)&w);
            w->conf.on_unknown = ON_UNKNOWN_FAIL;
            rt_sim_on_work(w->rt, on_work, &d);
            live(w, &d, SECOND);
            ring(w, CALLER, 0);
            live(w, &d, HOUR);
            reached |= d.died;
            d.died = true; /* once is enough */
            struct shown *s = show(w, 1);
            bool stored = s->status == 0;
            assert_true(!stored || s->op.row.state == MSG_HANDLED);
            unshow(s);
            assert_int_equal(sent_count(w, "missed you"), stored ? 1 : 0);
            world_fini(w);
            free(w);
        }
    }
    print_message("%d commits\n", (int)n);
    assert_true(n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stored_and_answered, calls_setup, world_teardown),
        cmocka_unit_test_setup_teardown(callers, calls_setup, world_teardown),
        cmocka_unit_test_setup_teardown(told_twice, calls_setup, world_teardown),
        cmocka_unit_test_setup_teardown(ussd_is_told, calls_setup, world_teardown),
        cmocka_unit_test(a_death_at_every_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
