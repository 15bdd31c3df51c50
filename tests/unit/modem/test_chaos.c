/* Modems through random faults, from a seed: SEED repeats a run, RUNS makes more of them.
 *
 * Whatever happens, at the end of each run: every submission has ended exactly once and truly (what is told
 * as sent was submitted, what is told as not submitted was not); every injected message was offered; no
 * message is left on the modem; and none was offered twice but after a crash, a bad line or a restart. */
#include "tests/lib/modem_test.h"

enum { HOURS = 2, STEP_MS = 7000 };

/* The first NOISES of them change what passes on the line, so that content cannot be compared afterwards: a
 * PDU has no checksum there. */
enum { NOISES = 3 };
static const struct {
    const char *name, *args;
} faults[] = {
    {"garbage", "0.02 5000"}, {"drop", "0.02 5000"},   {"double", "0.02 5000"}, {"silence", "20000"},
    {"silence", "200000"},    {"late", "4000 3"},      {"late", "15000 1"},     {"ok_lost", "1"},
    {"prompt_bare", "5"},     {"prompt_missing", "1"}, {"urc_inside", "5"},     {"error", "2"},
    {"cms", "38 2"},          {"cms", "322 1"},        {"cme", "14 3"},         {"reboot", NULL},
    {"reboot", "20000"},      {"vanish", "15000"},     {"no_network", "60000"}, {"memory_full", "60000"},
    {"sim_out", NULL},        {"sim_in", NULL},        {"duplicate", "2 1"},    {"report_double", "1"},
};

struct chaos {
    struct rig *r;
    struct unit *u;
    unsigned injected, lives;
    bool noise;
};

static void new_life(struct chaos *c)
{
    c->lives++;
    rig_kill(c->r);
    for (size_t i = 0; i < c->u->send_count; i++)
        c->u->sends[i].ended = true; /* the dead do not tell */
    rig_revive(c->r);
}

static void one_step(struct chaos *c)
{
    struct rt *rt = c->r->rt;
    char text[32];

    if (rt_sim_random(rt, 4) == 0) {
        size_t first = c->noise ? 0 : NOISES;
        size_t i = first + rt_sim_random(rt, ARRAY_LEN(faults) - first);
        rig_fault(c->r, c->u, faults[i].name, faults[i].args);
    }
    if (rt_sim_random(rt, 60) == 0)
        new_life(c);
    if (rt_sim_random(rt, 2) == 0) {
        snprintf(text, sizeof(text), "message %u", c->injected++);
        rig_text(c->r, c->u, "+491709999999", text);
    }
    if (c->u->carrier->state == CARRIER_READY && c->u->send_count < RIG_SENDS - 1) {
        snprintf(text, sizeof(text), "submission %u", (unsigned)c->u->send_count);
        rig_submit(c->u, "+491701234567", text, false, NULL);
    }
    rig_run(c->r, (int64_t)rt_sim_random(rt, STEP_MS));
}

static unsigned submitted(struct rig *r, const char *text)
{
    unsigned n = 0;

    for (size_t i = 0; i < simnet_events(r->net); i++) {
        const struct simnet_event *ev = simnet_event(r->net, i);
        struct pdu_submit s;
        if (ev->kind == SIMNET_SUBMITTED && pdu_decode_submit(ev->pdu, ev->pdu_len, -1, &s, NULL) == 0)
            n += s.ud.octets_len == strlen(text) && memcmp(s.ud.octets, text, s.ud.octets_len) == 0;
    }
    return n;
}

static void check_sends(struct chaos *c)
{
    if (c->noise)
        return;
    for (size_t i = 0; i < c->u->send_count; i++) {
        const struct rig_send *s = &c->u->sends[i];
        char text[32];
        snprintf(text, sizeof(text), "submission %zu", i);
        unsigned on_air = submitted(c->r, text);
        assert_true(s->ended);
        assert_true(on_air <= 1);
        if (s->ended_ms && s->outcome.result == CARRIER_SENT)
            assert_int_equal(on_air, 1);
        if (s->ended_ms && s->outcome.result == CARRIER_NOT_SUBMITTED)
            assert_int_equal(on_air, 0);
    }
}

static void check_received(struct chaos *c)
{
    for (unsigned i = 0; i < c->injected; i++) {
        char text[32];
        bool seen = c->noise;
        snprintf(text, sizeof(text), "message %u", i);
        for (size_t k = 0; k < c->u->in_count; k++)
            seen = seen || strcmp(c->u->in[k].text, text) == 0;
        if (!seen)
            print_message("%s was not offered\n", text);
        assert_true(seen);
    }
    assert_int_equal(rig_stored(c->u), 0);
    assert_int_equal(simnet_waiting(c->r->net, c->u->sim), 0);
}

static void run(uint64_t seed, enum modem_plan plan, bool noise)
{
    struct chaos c = {.r = rig_new(seed), .noise = noise};

    c.u = rig_add(c.r, &(struct rig_conf){.sim_pin = "1234",
                                          .pin = "1234",
                                          .plan = plan,
                                          .net_ms = 400,
                                          .sm_slots = 20,
                                          .send_timeout_ms = 30000});
    rig_trace(c.r, getenv("VERBOSE") != NULL);
    modem_start(c.u->modem);
    while (rt_sim_now(c.r->rt) < HOURS * 3600000)
        one_step(&c);
    rig_fault(c.r, c.u, "clear", NULL);
    rig_fault(c.r, c.u, "sim_in", NULL);
    rig_run(c.r, 3600000);
    if (c.r->tracing)
        fputs(buf_str(&c.r->trace), stderr);
    print_message("seed %llu: %u in, %zu out, %zu offered, %u lives, %llu recoveries in the last\n",
                  (unsigned long long)seed, c.injected, c.u->send_count, c.u->in_count, c.lives,
                  (unsigned long long)status_of(c.u).recoveries);
    /* Noise may turn a PIN into a wrong one, which is tried once. */
    bool locked_by_noise = noise && status_of(c.u).state == MODEM_LOCKED;
    if (!locked_by_noise) {
        assert_int_equal(status_of(c.u).state, MODEM_READY);
        check_sends(&c);
        check_received(&c);
    }
    rig_free(c.r);
}

static void runs(enum modem_plan plan, bool noise)
{
    const char *text = getenv("RUNS");
    unsigned n = text ? (unsigned)atoi(text) : 20;
    uint64_t seed = rt_sim_seed(1);

    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR);
    for (unsigned i = 0; i < n; i++) {
        run(seed + i, plan, noise);
    }
}

static void store_plan(void **state)
{
    (void)state;
    runs(MODEM_PLAN_STORE, false);
}

static void direct_plan(void **state)
{
    (void)state;
    runs(MODEM_PLAN_DIRECT, false);
}

static void noisy_line(void **state)
{
    (void)state;
    runs(MODEM_PLAN_STORE, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_plan),
        cmocka_unit_test(direct_plan),
        cmocka_unit_test(noisy_line),
    };
    return cmocka_run_group_tests_name("chaos", tests, NULL, NULL);
}
