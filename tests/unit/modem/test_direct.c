/* The direct plan against the simulated modem: what comes on the line is acknowledged once it is stored. */
#include "tests/lib/modem_test.h"

static struct unit *ready_unit(struct rig *r, int64_t net_ms)
{
    struct unit *u = rig_add(r, &(struct rig_conf){.plan = MODEM_PLAN_DIRECT, .net_ms = net_ms});

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 2000);
    assert_string_equal(status_of(u).receive_plan, "direct, AT+CNMI=2,2,0,1,0");
    return u;
}

static unsigned distinct(const struct unit *u, unsigned n)
{
    unsigned found = 0;

    for (unsigned i = 0; i < n; i++) {
        char text[32];
        bool seen = false;
        snprintf(text, sizeof(text), "message %u", i);
        for (size_t k = 0; k < u->in_count; k++)
            seen = seen || strcmp(u->in[k].text, text) == 0;
        found += seen;
    }
    return found;
}

static void inject(struct rig *r, struct unit *u, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        char text[32];
        snprintf(text, sizeof(text), "message %u", i);
        rig_text(r, u, "+491709999999", text);
    }
}

/* Each message is acknowledged after it was settled, and none comes twice. */
static void acknowledges(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, 0);

    u->settle_ms = 1000;
    inject(r, u, 0, 1);
    rig_run(r, 500);
    assert_int_equal(u->in_count, 1);
    assert_int_equal(simnet_counts(r->net)->acked_messages, 0);
    rig_run(r, 1000);
    assert_int_equal(simnet_counts(r->net)->acked_messages, 1);
    u->settle_ms = 3;
    inject(r, u, 1, 50);
    rig_run(r, 60000);
    assert_int_equal(distinct(u, 51), 51);
    assert_int_equal(u->in_count, 51);
    assert_int_equal(simnet_waiting(r->net, u->sim), 0);
}

/* Reports are acknowledged as well. */
static void reports(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, 0);

    for (int i = 0; i < 10; i++) {
        struct rig_send *s = rig_submit(u, "+491701234567", "Hello", true, NULL);
        assert_true(rig_ended(r, s, 10000));
    }
    rig_run(r, 120000);
    assert_int_equal(u->in_count, 10);
    assert_int_equal(status_of(u).reports, 10);
}

/* What cannot be stored is refused: the network keeps it and tries again until it is. */
static void not_stored(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, 0);

    u->refuse = true;
    inject(r, u, 0, 3);
    rig_run(r, 120000);
    assert_int_equal(simnet_counts(r->net)->acked_messages, 0);
    assert_true(simnet_waiting(r->net, u->sim) == 3);
    u->refuse = false;
    rig_run(r, 600000);
    assert_int_equal(distinct(u, 3), 3);
    assert_int_equal(simnet_waiting(r->net, u->sim), 0);
}

/* The store takes longer than the modem waits: delivery, which the modem switches off then, is switched on
 * again, and everything arrives. */
static void settled_too_late(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, 0);

    u->settle_ms = 20000;
    inject(r, u, 0, 1);
    rig_run(r, 60000);
    u->settle_ms = 3;
    inject(r, u, 1, 5);
    rig_run(r, 600000);
    assert_int_equal(distinct(u, 6), 6);
    assert_int_equal(simnet_waiting(r->net, u->sim), 0);
}

/* A long submission holds the acknowledgement up. Late or not: nothing is lost. */
static void held_up_by_sending(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, 25000);

    for (unsigned i = 0; i < 5; i++) {
        struct rig_send *s = rig_submit(u, "+491701234567", "Hello", false, NULL);
        rig_run(r, 1000);
        inject(r, u, i, 1);
        assert_true(rig_ended(r, s, 60000));
    }
    rig_run(r, 600000);
    assert_int_equal(distinct(u, 5), 5);
    assert_int_equal(simnet_waiting(r->net, u->sim), 0);
}

/* The daemon dies before it has acknowledged: the message comes again to its next life. */
static void killed_before_acknowledging(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, 0);

    u->hold = true;
    inject(r, u, 0, 2);
    rig_run(r, 100);
    assert_true(u->in_count > 0);
    rig_kill(r);
    u->hold = false;
    u->in_count = 0;
    rig_revive(r);
    assert_true(rig_ready(r, u));
    rig_run(r, 600000);
    assert_int_equal(distinct(u, 2), 2);
    assert_int_equal(simnet_waiting(r->net, u->sim), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(acknowledges),       RIG_TEST(reports),
        RIG_TEST(not_stored),         RIG_TEST(settled_too_late),
        RIG_TEST(held_up_by_sending), RIG_TEST(killed_before_acknowledging),
    };
    return cmocka_run_group_tests_name("direct plan", tests, NULL, NULL);
}
