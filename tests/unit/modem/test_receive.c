/* Receiving by the store plan: nothing is deleted before it is settled, nothing lingers, nothing is lost. */
#include "tests/lib/modem_test.h"

#include "pdu/pdu.h"

static struct unit *ready_unit(struct rig *r, const struct rig_conf *conf)
{
    struct unit *u = rig_add(r, conf);

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 2000);
    return u;
}

/* Each injected message was offered, in whatever order; extra offers (duplicates) only if allowed. */
static void assert_all_offered(const struct unit *u, unsigned n, bool duplicates_allowed)
{
    unsigned distinct = 0;

    for (unsigned i = 0; i < n; i++) {
        char text[32];
        unsigned seen = 0;
        snprintf(text, sizeof(text), "message %u", i);
        for (size_t k = 0; k < u->in_count; k++)
            seen += strcmp(u->in[k].text, text) == 0;
        distinct += seen > 0;
        if (!duplicates_allowed)
            assert_true(seen <= 1);
    }
    assert_int_equal(distinct, n);
}

static void inject(struct rig *r, struct unit *u, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        char text[32];
        snprintf(text, sizeof(text), "message %u", i);
        rig_text(r, u, "+491709999999", text);
    }
}

/* What lay in the stores before the modem was started is read, offered and deleted. */
static void finds_what_lay_there(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    inject(r, u, 0, 20);
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 10000);
    assert_all_offered(u, 20, false);
    assert_int_equal(rig_stored(u), 0);
}

/* A hundred messages at once, more than the SIM holds: all arrive, each is offered once. */
static void a_storm(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.sm_slots = 20});

    inject(r, u, 0, 100);
    rig_run(r, 600000);
    assert_all_offered(u, 100, false);
    assert_int_equal(rig_stored(u), 0);
    assert_int_equal(simnet_waiting(r->net, u->sim), 0);
}

/* Messages that come in during a burst of sending are read in between, and sending goes on. */
static void in_and_out_at_once(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.net_ms = 500});

    rig_burst(u, 50);
    for (unsigned i = 0; i < 50; i++) {
        inject(r, u, i, 1);
        rig_run(r, 500);
    }
    rig_run(r, 60000);
    assert_all_offered(u, 50, false);
    assert_int_equal(u->send_count, 50);
    assert_int_equal(simnet_counts(r->net)->by_kind[SIMNET_SUBMITTED], 50);
    assert_int_equal(rig_stored(u), 0);
}

/* What could not be stored stays on the modem and is offered again after a while, until it is stored. */
static void offered_again_when_not_stored(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    u->refuse = true;
    inject(r, u, 0, 1);
    rig_run(r, 30000);
    assert_int_equal(u->in_count, 1);
    assert_int_equal(rig_stored(u), 1);
    rig_run(r, 60000);
    assert_int_equal(u->in_count, 2);
    assert_int_equal(rig_stored(u), 1);
    u->refuse = false;
    rig_run(r, 90000);
    assert_int_equal(u->in_count, 3);
    assert_int_equal(rig_stored(u), 0);
}

/* A listing does not offer again what the gateway has not settled yet. */
static void not_offered_twice_while_pending(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.sweep_ms = 5000});

    u->hold = true;
    inject(r, u, 0, 10);
    rig_run(r, 60000);
    assert_int_equal(u->in_count, 10);
    assert_int_equal(rig_stored(u), 10);
}

/* The daemon is killed between reading and storing: its next life gets the messages again. */
static void killed_before_settling(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    u->hold = true;
    inject(r, u, 0, 8);
    rig_run(r, 1000);
    assert_true(u->in_count > 0);
    rig_kill(r);
    u->hold = false;
    u->in_count = 0;
    rig_revive(r);
    assert_true(rig_ready(r, u));
    rig_run(r, 10000);
    assert_all_offered(u, 8, false);
    assert_int_equal(rig_stored(u), 0);
}

/* A flash message comes on the line even in the store plan, and is offered. It exists nowhere else: while it
 * cannot be stored it is kept and offered again. */
static void flash(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);
    struct pdu_deliver d = {.dcs = {.raw = 0x10}};
    uint8_t pdu[PDU_FULL_BYTES];
    int tpdu_len;

    pdu_addr_from_text("+491709999999", &d.from, NULL);
    d.ud.udl = 5;
    d.ud.octets_len = 5;
    memcpy(d.ud.octets, "\xC8\x32\x9B\xFD\x06", 5); /* "Hello" in packed septets */
    pdu_time_from_wall_ms(RT_SIM_START_WALL_MS, 4, &d.scts);
    int n = pdu_encode_deliver(&d, pdu, &tpdu_len, NULL);
    assert_true(n > 0);
    u->refuse = true;
    assert_true(simnet_deliver_tpdu(r->net, u->sim, pdu, (size_t)n, rt_sim_now(r->rt), NULL) > 0);
    rig_run(r, 1000);
    assert_int_equal(u->in_count, 1);
    assert_string_equal(u->in[0].text, "Hello");
    rig_fault(r, u, "reboot", NULL); /* it survives the modem's restart, here */
    u->refuse = false;
    rig_run(r, 120000);
    assert_int_equal(u->in_count, 2);
    assert_string_equal(u->in[1].text, "Hello");
    rig_run(r, 600000);
    assert_int_equal(u->in_count, 2);
}

/* A PDU that makes no sense is offered as it is and deleted like any other: it blocks nothing. */
static void senseless_pdu(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);
    static const uint8_t rubbish[] = {0x00, 0xFF, 0xFF, 0xFF, 0x00, 0x01};

    simnet_deliver_tpdu(r->net, u->sim, rubbish, sizeof(rubbish), rt_sim_now(r->rt), NULL);
    inject(r, u, 0, 1);
    rig_run(r, 10000);
    assert_int_equal(u->in_count, 2);
    assert_all_offered(u, 1, false);
    assert_int_equal(rig_stored(u), 0);
}

/* Delivery reports reach the gateway with the reference of their message. */
static void reports(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, NULL);

    struct rig_send *s = rig_submit(u, "+491701234567", "Hello", true, NULL);
    assert_true(rig_ended(r, s, 10000));
    rig_run(r, 10000);
    assert_int_equal(u->in_count, 1);
    assert_int_equal(u->in[0].kind, PDU_KIND_REPORT);
    assert_int_equal(u->in[0].mr, s->outcome.mr);
    assert_int_equal(status_of(u).reports, 1);
    assert_int_equal(status_of(u).received, 0);
}

/* A full SIM is emptied without any announcement, and what the network held back comes. */
static void memory_full(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.sm_slots = 5});

    inject(r, u, 0, 30);
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 600000);
    assert_all_offered(u, 30, false);
    assert_int_equal(rig_stored(u), 0);
}

/* Garbage on the line for some seconds while messages come: at the end each was offered, none is left, and
 * none was offered as malformed for good while it lay intact in the store. */
static void garbage_on_the_line(void **state)
{
    struct rig *r = *state;
    struct unit *u = ready_unit(r, &(struct rig_conf){.sweep_ms = 30000});

    rig_fault(r, u, "garbage", "0.01 20000");
    for (unsigned i = 0; i < 20; i++) {
        inject(r, u, i, 1);
        rig_run(r, 1000);
    }
    rig_run(r, 300000);
    assert_true(rig_ready(r, u));
    assert_int_equal(rig_stored(u), 0);
    assert_all_offered(u, 20, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(finds_what_lay_there),
        RIG_TEST(a_storm),
        RIG_TEST(in_and_out_at_once),
        RIG_TEST(offered_again_when_not_stored),
        RIG_TEST(not_offered_twice_while_pending),
        RIG_TEST(killed_before_settling),
        RIG_TEST(flash),
        RIG_TEST(senseless_pdu),
        RIG_TEST(reports),
        RIG_TEST(memory_full),
        RIG_TEST(garbage_on_the_line),
    };
    return cmocka_run_group_tests_name("receiving", tests, NULL, NULL);
}
