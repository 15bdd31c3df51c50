/* Figures: a fortnight of a small shop counted by hand, and random months against what the messages and
 * conversations themselves say. */
#include "customers.h"

#include "pdu/pdu.h"

#define HOUR (60 * MINUTE)
/* Monday, 2 November 2026, midnight in Berlin. */
#define MONDAY INT64_C(1793574000000)
#define ANNA   "person:Anna"
#define BEN    "person:Ben"

static int64_t at(int day, int hour, int minute)
{
    return MONDAY + day * DAY + hour * HOUR + minute * MINUTE;
}

static struct store_figures figures(struct fixture *f, struct store_figures ask_for)
{
    if (ask_for.until_wall_ms == 0) {
        ask_for.since_wall_ms = at(0, 0, 0);
        ask_for.until_wall_ms = at(14, 0, 0);
    }
    assert_int_equal(DO(f, store_figures, &ask_for), 0);
    return ask_for;
}

static const struct figure_row *row(const struct store_figures *f, const char *key)
{
    for (int i = 0; i < f->count; i++)
        if (!strcmp(f->rows[i].key, key))
            return &f->rows[i];
    fail_msg("no row %s", key);
    return NULL;
}

static void expect(const struct figure_row *r, enum figure what, int64_t n)
{
    if (r->n[what] != n)
        fail_msg("%s of \"%s\": %lld, not %lld", figure_name(what), r->key, (long long)r->n[what],
                 (long long)n);
}

static void expect_times(const struct figure_row *r, enum figure_time t, int64_t count, int64_t median,
                         int64_t p90)
{
    if (r->times[t].count != count || r->times[t].median_ms != median || r->times[t].p90_ms != p90)
        fail_msg("%s of \"%s\": %lld, median %lld, p90 %lld, not %lld, %lld, %lld", figure_time_name(t),
                 r->key, (long long)r->times[t].count, (long long)r->times[t].median_ms,
                 (long long)r->times[t].p90_ms, (long long)count, (long long)median, (long long)p90);
}

/* Anna's customer: an automatic answer, two of hers, of which one is delivered late; closed; comes back, and
 * the answer fails; closed again; the survey is answered with 5. */
static void story_of_anna(struct fixture *f)
{
    const char *who = "+491700000001";
    int64_t c = customer_writes(f, who, "m0", "where is my cake", "sales", "Anna", at(0, 10, 0)), m;

    m = answer(f, c, who, NULL, "we answer soon", 1, at(0, 10, 0));
    carry(f, m, 1, "m0", MSG_SENT, at(0, 10, 1));
    report(f, m, who, PDU_ST_DELIVERED, at(0, 10, 2));
    m = answer(f, c, who, ANNA, "it is on its way", 2, at(0, 10, 30));
    carry(f, m, 2, "m0", MSG_SENT, at(0, 10, 31));
    report(f, m, who, PDU_ST_DELIVERED, at(0, 10, 32));
    customer_writes(f, who, "m0", "when?", NULL, NULL, at(0, 11, 0));
    m = answer(f, c, who, ANNA, "at noon", 1, at(0, 12, 0));
    carry(f, m, 1, "m0", MSG_SENT, at(0, 12, 1));
    report(f, m, who, PDU_ST_FAILED, at(0, 12, 2));
    report(f, m, who, PDU_ST_DELIVERED, at(1, 12, 0));
    close_it(f, c, ANNA, at(0, 13, 0));
    assert_int_equal(customer_writes(f, who, "m0", "it is broken", NULL, NULL, at(2, 9, 0)), c);
    m = answer(f, c, who, ANNA, "sorry", 1, at(2, 9, 20));
    carry(f, m, 1, "m0", MSG_FAILED, at(2, 9, 21));
    close_it(f, c, ANNA, at(2, 10, 0));
    on_conversation(f, c, "clock", (struct store_effect){.kind = EFFECT_SURVEY_ASK}, at(2, 10, 10));
    on_conversation(f, c, "engine", (struct store_effect){.kind = EFFECT_SURVEY_SCORE, .n = 5}, at(3, 9, 0));
}

/* Ben's: quickly answered; the survey is not. */
static void story_of_ben(struct fixture *f)
{
    const char *who = "+491700000002";
    int64_t c = customer_writes(f, who, "m0", "open on sunday?", "sales", "Ben", at(1, 9, 0)), m;

    m = answer(f, c, who, BEN, "yes", 1, at(1, 9, 10));
    carry(f, m, 1, "m0", MSG_SENT, at(1, 9, 11));
    close_it(f, c, BEN, at(1, 9, 30));
    on_conversation(f, c, "clock", (struct store_effect){.kind = EFFECT_SURVEY_ASK}, at(1, 10, 0));
}

/* At half past eleven in the evening of Berlin, by the other SIM: answered by a machine, closed by a clock.
 */
static void story_of_a_machine(struct fixture *f)
{
    const char *who = "+491700000003";
    int64_t c = customer_writes(f, who, "m1", "hours", NULL, NULL, at(1, 23, 30)), m;

    m = answer(f, c, who, NULL, "9 to 18", 1, at(1, 23, 30));
    carry(f, m, 1, "m1", MSG_SENT, at(1, 23, 31));
    close_it(f, c, "clock", at(7, 9, 0));
}

/* Ten minutes past midnight: answered in the morning, too late; the customer opts out; staff's and silent
 * messages, a call. */
static void story_of_support(struct fixture *f)
{
    const char *who = "+491700000004";
    struct store_new_message confirmation = {.peer = who,
                                             .text = "You will hear no more",
                                             .source = "consent",
                                             .flags = MSG_F_AUTOMATIC | MSG_F_CONSENT,
                                             .parts = customers_parts,
                                             .nparts = 1,
                                             .cost_micros = 70000};
    struct store_new_message relayed = {.peer = "+491719999999",
                                        .text = "#4: help",
                                        .source = "relay",
                                        .flags = MSG_F_STAFF,
                                        .conversation = -1,
                                        .parts = customers_parts,
                                        .nparts = 1};
    int64_t c = customer_writes(f, who, "m0", "help", "support", "Ben", at(5, 0, 10)), m;

    on_conversation(f, c, "engine",
                    (struct store_effect){.kind = EFFECT_CLOCK, .n = CLOCK_FIRST, .at_wall_ms = at(5, 4, 0)},
                    at(5, 0, 10));
    on_conversation(f, c, "clock", (struct store_effect){.kind = EFFECT_OVERDUE, .n = CLOCK_FIRST},
                    at(5, 4, 0));
    m = answer(f, c, who, BEN, "good morning", 1, at(5, 8, 10));
    carry(f, m, 1, "m0", MSG_SENT, at(5, 8, 11));
    decide_on(f, &(struct deed){
                     .message = receive_from(f, who, "m0", "STOP", at(6, 12, 0)),
                     .thread = THREAD_JOIN,
                     .effects = {{.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .name = "", .value = "STOP"}},
                     .neffects = 1,
                     .reply = &confirmation,
                     .at = at(6, 12, 0)});
    carry(f, confirmation.id, 1, "m0", MSG_SENT, at(6, 12, 1));
    decide_on(f, &(struct deed){.conversation = c, .who = "engine", .reply = &relayed, .at = at(6, 12, 1)});
    carry(f, relayed.id, 1, "m0", MSG_SENT, at(6, 12, 2));
    decide_on(f, &(struct deed){.message = receive_from(f, "+491719999999", "m0", "#4 ok", at(6, 12, 3)),
                                .who = BEN,
                                .at = at(6, 12, 3)});
}

static void story_of_spam(struct fixture *f)
{
    int64_t c = customer_writes(f, "+491700000005", "m0", "win a car", NULL, NULL, at(8, 9, 0));

    on_conversation(f, c, ANNA, (struct store_effect){.kind = EFFECT_STATE, .n = CONV_SPAM}, at(8, 9, 5));
}

static void fortnight(struct fixture *f)
{
    assert_int_equal(store_set_zone(f->s, "Europe/Berlin", NULL), 0);
    story_of_anna(f);
    story_of_ben(f);
    story_of_a_machine(f);
    story_of_support(f);
    story_of_spam(f);
}

/* All of it together. */
static void test_fortnight(void **state)
{
    static const int64_t expected[FIGURES] = {
        [FIGURE_IN] = 8,        [FIGURE_OUT] = 7,      [FIGURE_AUTOMATIC] = 3,
        [FIGURE_BY_PERSON] = 4, [FIGURE_SEGMENTS] = 8, [FIGURE_COST_MICROS] = 8 * 70000,
        [FIGURE_DELIVERED] = 3, [FIGURE_FAILED] = 1,   [FIGURE_OPT_OUTS] = 1,
        [FIGURE_OPENED] = 5,    [FIGURE_REOPENED] = 1, [FIGURE_CLOSED] = 4,
        [FIGURE_SPAM] = 1,      [FIGURE_OVERDUE] = 1,  [FIGURE_ASKED] = 2,
        [FIGURE_ANSWERED] = 1,
    };
    struct fixture *f = *state;
    struct store_figures all;

    fortnight(f);
    all = figures(f, (struct store_figures){.by = BY_NONE});
    for (int i = 0; i < FIGURES; i++)
        expect(&all.total, (enum figure)i, expected[i]);
    assert_int_equal(all.total.scores[5], 1);
    expect_times(&all.total, FIGURE_FIRST, 3, 30 * MINUTE, 8 * HOUR);
    expect_times(&all.total, FIGURE_NEXT, 2, 40 * MINUTE, HOUR);
    expect_times(&all.total, FIGURE_RESOLUTION, 2, 105 * MINUTE, 3 * HOUR);
    expect_times(&all.total, FIGURE_FULL, 2, (48 * HOUR + 30 * MINUTE) / 2, 48 * HOUR);
    assert_int_equal(all.total.times[FIGURE_FIRST].business_count, 0);
    assert_int_equal(all.total.times[FIGURE_FIRST].business_median_ms, -1);
    assert_int_equal(all.count, 0);
}

/* A survey and its answer are of whose the conversation was when it was asked, whoever has it then. */
static void test_survey_of_asked(void **state)
{
    struct fixture *f = *state;
    int64_t c = customer_writes(f, "+491700000001", "m0", "where is my cake", "sales", "Anna", at(0, 9, 0));
    struct store_figures by;

    close_it(f, c, ANNA, at(0, 10, 0));
    on_conversation(f, c, "clock", (struct store_effect){.kind = EFFECT_SURVEY_ASK}, at(0, 11, 0));
    customer_writes(f, "+491700000001", "m0", "it is broken", "repairs", "Ben", at(0, 12, 0));
    on_conversation(f, c, "customer", (struct store_effect){.kind = EFFECT_SURVEY_SCORE, .n = 5},
                    at(0, 13, 0));
    by = figures(f, (struct store_figures){.by = BY_DEPARTMENT});
    expect(row(&by, "sales"), FIGURE_ASKED, 1);
    expect(row(&by, "sales"), FIGURE_ANSWERED, 1);
    assert_int_equal(row(&by, "sales")->scores[5], 1);
    expect(row(&by, "repairs"), FIGURE_ANSWERED, 0);
    free(by.rows);
    by = figures(f, (struct store_figures){.by = BY_PERSON});
    expect(row(&by, "Anna"), FIGURE_ANSWERED, 1);
    free(by.rows);
}

/* By day, in the zone of the business; days without anything have their row too. */
static void test_by_day(void **state)
{
    struct fixture *f = *state;
    struct store_figures days;

    fortnight(f);
    days = figures(f, (struct store_figures){.by = BY_DAY});
    assert_int_equal(days.count, 14);
    expect(row(&days, "2026-11-02"), FIGURE_IN, 2);
    expect(row(&days, "2026-11-02"), FIGURE_DELIVERED, 3); /* also what was delivered the day after */
    expect(row(&days, "2026-11-03"), FIGURE_IN, 2);        /* half past eleven is that day still */
    expect(row(&days, "2026-11-03"), FIGURE_DELIVERED, 0);
    expect(row(&days, "2026-11-04"), FIGURE_ANSWERED, 1); /* of the day on which it was asked */
    expect(row(&days, "2026-11-07"), FIGURE_OPENED, 1);   /* ten past midnight */
    expect(row(&days, "2026-11-06"), FIGURE_OPENED, 0);
    expect_times(row(&days, "2026-11-02"), FIGURE_FIRST, 1, 30 * MINUTE, 30 * MINUTE);
    /* Opened again, the first closing is not the last: it moved to Wednesday. */
    expect_times(row(&days, "2026-11-02"), FIGURE_FULL, 0, -1, -1);
    expect_times(row(&days, "2026-11-04"), FIGURE_FULL, 1, 48 * HOUR, 48 * HOUR);
    expect_times(row(&days, "2026-11-05"), FIGURE_FIRST, 0, -1, -1);
    free(days.rows);
}

/* By week, month, department, person and SIM; the rows add up to the total. */
static void test_by_others(void **state)
{
    struct fixture *f = *state;
    struct store_figures by;

    fortnight(f);
    by = figures(f, (struct store_figures){.by = BY_WEEK});
    assert_int_equal(by.count, 2);
    expect(row(&by, "2026-11-02"), FIGURE_IN, 7);
    expect(row(&by, "2026-11-09"), FIGURE_IN, 1);
    free(by.rows);
    by = figures(f, (struct store_figures){
                        .by = BY_MONTH, .since_wall_ms = at(-40, 0, 0), .until_wall_ms = at(30, 0, 0)});
    assert_int_equal(by.count, 4);
    expect(row(&by, "2026-11"), FIGURE_OUT, 7);
    expect(row(&by, "2026-10"), FIGURE_OUT, 0);
    free(by.rows);
    by = figures(f, (struct store_figures){.by = BY_DEPARTMENT});
    assert_int_equal(by.count, 3);
    expect(row(&by, "sales"), FIGURE_OUT, 4);
    expect(row(&by, "support"), FIGURE_OUT, 2);
    expect(row(&by, ""), FIGURE_OUT, 1);
    expect(row(&by, "support"), FIGURE_OPT_OUTS, 1);
    expect_times(row(&by, "sales"), FIGURE_FIRST, 2, 20 * MINUTE, 30 * MINUTE);
    free(by.rows);
    by = figures(f, (struct store_figures){.by = BY_PERSON});
    expect(row(&by, "Anna"), FIGURE_BY_PERSON, 2);
    expect(row(&by, "Anna"), FIGURE_FAILED, 1);
    expect(row(&by, "Ben"), FIGURE_BY_PERSON, 2);
    expect(row(&by, "Ben"), FIGURE_ASKED, 1);
    expect_times(row(&by, "Ben"), FIGURE_FIRST, 2, (10 * MINUTE + 8 * HOUR) / 2, 8 * HOUR);
    free(by.rows);
    by = figures(f, (struct store_figures){.by = BY_SIM});
    assert_int_equal(by.count, 2);
    expect(row(&by, "m1"), FIGURE_OUT, 1);
    expect(row(&by, "m0"), FIGURE_OUT, 6);
    free(by.rows);
}

/* Filters leave out what is another's; targets are measured on what is left. */
static void test_filters_and_targets(void **state)
{
    struct fixture *f = *state;
    struct figure_target targets[] = {
        {.time = FIGURE_FIRST, .target_ms = 30 * MINUTE},
        {.time = FIGURE_FIRST, .target_ms = HOUR, .department = "support"},
        {.time = FIGURE_FIRST, .target_ms = HOUR, .business = true},
    };
    struct store_figures by;

    fortnight(f);
    by = figures(f, (struct store_figures){.by = BY_NONE, .targets = targets, .ntargets = 3});
    assert_int_equal(targets[0].count, 3);
    assert_int_equal(targets[0].met, 2);
    assert_int_equal(targets[1].count, 1);
    assert_int_equal(targets[1].met, 0);
    assert_int_equal(targets[2].count, 0);
    by = figures(f, (struct store_figures){.by = BY_NONE, .person = "Ben", .department = "sales"});
    expect(&by.total, FIGURE_OUT, 1);
    expect_times(&by.total, FIGURE_FIRST, 1, 10 * MINUTE, 10 * MINUTE);
    by = figures(f, (struct store_figures){.by = BY_NONE, .sim = "m1"});
    expect(&by.total, FIGURE_IN, 1);
    by = figures(
        f, (struct store_figures){.by = BY_NONE, .since_wall_ms = at(1, 5, 0), .until_wall_ms = at(1, 6, 0)});
    expect(&by.total, FIGURE_IN, 2); /* whole days */
}

/* Business times are asked for in order, filled in once, and counted from then on. */
static void test_business_times(void **state)
{
    struct fixture *f = *state;
    struct store_times_pending p = {.max = 100};
    struct store_times_settle s;
    struct store_figures all;

    fortnight(f);
    assert_int_equal(DO(f, store_times_pending, &p), 0);
    assert_int_equal(p.count, 9); /* 3 first, 2 next, 2 resolutions, 2 last ones: the third was taken back */
    assert_string_equal(p.rows[0].department, "sales");
    for (int i = 0; i < p.count; i++)
        p.rows[i].business_ms = (p.rows[i].to_wall_ms - p.rows[i].from_wall_ms) / 2;
    s = (struct store_times_settle){.rows = p.rows, .count = p.count};
    assert_int_equal(DO(f, store_times_settle, &s), 0);
    free(p.rows);
    assert_int_equal(DO(f, store_times_pending, &p), 0);
    assert_int_equal(p.count, 0);
    all = figures(f, (struct store_figures){.by = BY_NONE});
    assert_int_equal(all.total.times[FIGURE_FIRST].business_count, 3);
    assert_int_equal(all.total.times[FIGURE_FIRST].business_median_ms, 15 * MINUTE);
    assert_int_equal(all.total.times[FIGURE_FIRST].business_p90_ms, 4 * HOUR);
    assert_int_equal(all.total.times[FIGURE_FIRST].median_ms, 30 * MINUTE);
}

/* What is sent again after a failure is one message; its parts cost twice when they went twice. */
static void test_sent_again(void **state)
{
    struct fixture *f = *state;
    int64_t c = customer_writes(f, "+491700000001", "m0", "hi", "sales", "Anna", T0), m;
    struct store_move again = {.state = MSG_QUEUED, .now_wall_ms = T0 + DAY};
    struct store_figures all;

    m = answer(f, c, "+491700000001", ANNA, "hello", 1, T0);
    carry(f, m, 1, "m0", MSG_SENT, T0);
    report(f, m, "+491700000001", PDU_ST_FAILED, T0 + MINUTE);
    all = figures(f, (struct store_figures){.since_wall_ms = T0, .until_wall_ms = T0 + 1});
    expect(&all.total, FIGURE_UNDELIVERED, 1);
    again.message = m;
    assert_int_equal(DO(f, store_move, &again), 0);
    all = figures(f, (struct store_figures){.since_wall_ms = T0, .until_wall_ms = T0 + 1});
    expect(&all.total, FIGURE_OUT, 0);
    expect(&all.total, FIGURE_UNDELIVERED, 0);
    carry(f, m, 1, "m1", MSG_SENT, T0 + DAY);
    all = figures(f, (struct store_figures){.since_wall_ms = T0, .until_wall_ms = T0 + 1});
    expect(&all.total, FIGURE_OUT, 1);
    expect(&all.total, FIGURE_SEGMENTS, 2);
    all = figures(f, (struct store_figures){.since_wall_ms = T0, .until_wall_ms = T0 + 1, .sim = "m0"});
    expect(&all.total, FIGURE_OUT, 0); /* it went by the other one */
}

/* A decision that fails leaves nothing in the figures, also when others share its commit. */
static void test_failed_decision(void **state)
{
    struct fixture *f = *state;
    int64_t c = customer_writes(f, "+491700000001", "m0", "hi", "sales", NULL, T0);
    struct store_effect effects[] = {{.kind = EFFECT_STATE, .n = CONV_CLOSED},
                                     {.kind = EFFECT_PRIORITY, .n = 99}};
    struct store_handle bad = {
        .conversation = c, .who = ANNA, .strict = true, .effects = effects, .neffects = 2};
    struct store_handle good = {.conversation = c, .who = ANNA, .effects = effects, .neffects = 1};
    struct store_figures all;

    bad.now_wall_ms = good.now_wall_ms = T0 + MINUTE;
    bad.op.done = good.op.done = fixture_done;
    fixture_op_done = false;
    store_handle(f->s, &bad);
    store_handle(f->s, &good);
    rt_sim_run_for(f->rt, SECOND);
    assert_int_equal(bad.op.status, ERR_INVALID);
    assert_int_equal(good.op.status, 0);
    all = figures(f, (struct store_figures){.since_wall_ms = T0, .until_wall_ms = T0 + 1});
    expect(&all.total, FIGURE_CLOSED, 1);
    expect(&all.total, FIGURE_OPENED, 1);
}

/* An unknown zone is refused, the old one stays. */
static void test_zone(void **state)
{
    struct fixture *f = *state;
    struct store_figures all;
    struct err e = {0};

    assert_int_equal(store_set_zone(f->s, "Pacific/Auckland", &e), 0);
    assert_int_equal(store_set_zone(f->s, "Europe/Atlantis", &e), ERR_NOT_FOUND);
    /* One in the morning of the 22nd there. */
    customer_writes(f, "+491700000001", "m0", "hi", NULL, NULL, T0 + 3 * HOUR);
    all = figures(f, (struct store_figures){.since_wall_ms = T0 + 3 * HOUR, .until_wall_ms = T0 + 4 * HOUR});
    expect(&all.total, FIGURE_IN, 1);
    all = figures(f, (struct store_figures){.since_wall_ms = T0 + HOUR, .until_wall_ms = T0 + 2 * HOUR});
    expect(&all.total, FIGURE_IN, 0);
}

/* ---- at random -------------------------------------------------------------------------------------------
 */

static uint64_t seed, rng;

static int roll(int below)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (int)((rng >> 33) % (unsigned)below);
}

enum { CUSTOMERS = 12, DEEDS = 400, SAMPLES = 2000 };

struct model {
    int64_t times[FIGURE_TIMES][SAMPLES];
    int n[FIGURE_TIMES];
    struct {
        int64_t id, began, waiting, first, full; /* full: of its last closing; -1 none */
        bool closed, ever_closed;
        int by_person;
    } c[CUSTOMERS];
};

static void customer_number(int i, char out[20])
{
    snprintf(out, 20, "+49170000%04d", i);
}

static void add_sample(struct model *m, enum figure_time t, int64_t ms)
{
    assert_true(m->n[t] < SAMPLES);
    m->times[t][m->n[t]++] = ms;
}

static void random_deed(struct fixture *f, struct model *m, int64_t now)
{
    static const char *const departments[] = {NULL, "sales", "support"};
    static const char *const people[] = {ANNA, BEN};
    int i = roll(CUSTOMERS);
    char number[20];
    int64_t id;

    customer_number(i, number);
    switch (m->c[i].id == 0 ? 0 : roll(4)) {
    case 0:
        id = customer_writes(f, number, roll(2) ? "m0" : "m0", "text", departments[roll(3)], NULL, now);
        if (id != m->c[i].id) {
            if (m->c[i].closed && m->c[i].full >= 0)
                add_sample(m, FIGURE_FULL, m->c[i].full);
            memset(&m->c[i], 0, sizeof m->c[i]);
            m->c[i].began = now;
        }
        m->c[i].id = id;
        m->c[i].closed = false;
        m->c[i].full = -1;
        if (m->c[i].waiting == 0)
            m->c[i].waiting = now;
        break;
    case 1:
        id = answer(f, m->c[i].id, number, people[roll(2)], "answer", 1 + roll(3), now);
        if (m->c[i].first == 0)
            add_sample(m, FIGURE_FIRST, now - m->c[i].began);
        else if (m->c[i].waiting)
            add_sample(m, FIGURE_NEXT, now - m->c[i].waiting);
        m->c[i].first = m->c[i].first ? m->c[i].first : now;
        m->c[i].waiting = 0;
        m->c[i].by_person++;
        if (roll(4)) {
            struct store_show h = show(f, id);

            carry(f, id, h.nparts, "m0", roll(5) ? MSG_SENT : MSG_FAILED, now);
            store_show_clear(&h);
        }
        break;
    case 2:
        id = answer(f, m->c[i].id, number, NULL, "machine", 1, now);
        if (roll(3)) {
            carry(f, id, 1, "m1", MSG_SENT, now);
            report(f, id, number, roll(3) ? PDU_ST_DELIVERED : PDU_ST_FAILED, now);
        }
        break;
    case 3:
        if (m->c[i].closed)
            break;
        close_it(f, m->c[i].id, ANNA, now);
        if (!m->c[i].ever_closed)
            add_sample(m, FIGURE_RESOLUTION, now - m->c[i].began);
        m->c[i].full = now - m->c[i].began;
        m->c[i].closed = m->c[i].ever_closed = true;
        m->c[i].waiting = 0;
        break;
    default:
        break;
    }
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void compare_times(struct model *m, const struct figure_row *total, enum figure_time t)
{
    int n = m->n[t];
    int64_t *v = m->times[t];

    qsort(v, (size_t)n, sizeof *v, ascending);
    expect_times(total, t, n,
                 n == 0  ? -1
                 : n % 2 ? v[n / 2]
                         : (v[n / 2 - 1] + v[n / 2]) / 2,
                 n == 0 ? -1 : v[(9 * n + 9) / 10 - 1]);
}

static void compare(struct fixture *f, struct model *m, int64_t until)
{
    static const struct {
        enum figure what;
        const char *sql;
    } sums[] = {
        {FIGURE_IN, "SELECT count(*) FROM message WHERE direction = 2"},
        {FIGURE_OUT, "SELECT count(*) FROM message WHERE direction = 1 AND state IN (3, 4, 5)"},
        {FIGURE_AUTOMATIC,
         "SELECT count(*) FROM message WHERE direction = 1 AND state IN (3, 4, 5) AND flags & 64"},
        {FIGURE_BY_PERSON,
         "SELECT count(*) FROM message WHERE direction = 1 AND state IN (3, 4, 5) AND flags & 2048"},
        {FIGURE_SEGMENTS,
         "SELECT ifnull(sum(parts), 0) FROM message WHERE direction = 1 AND state IN (3, 4, 5)"},
        {FIGURE_COST_MICROS,
         "SELECT ifnull(sum(cost), 0) FROM message WHERE direction = 1 AND state IN (3, 4, 5)"},
        {FIGURE_DELIVERED, "SELECT count(*) FROM message WHERE state = 4"},
        {FIGURE_UNDELIVERED, "SELECT count(*) FROM message WHERE state = 5"},
        {FIGURE_FAILED, "SELECT count(*) FROM message WHERE state IN (6, 7)"},
        {FIGURE_OPENED, "SELECT count(*) FROM conversation"},
        {FIGURE_REOPENED, "SELECT sum(reopened) FROM conversation"},
        {FIGURE_CLOSED, "SELECT count(*) FROM conversation_log WHERE what = 'state' AND value = 'closed'"},
    };
    struct store_figures all =
        figures(f, (struct store_figures){.by = BY_WEEK, .since_wall_ms = T0, .until_wall_ms = until + 1});
    int64_t by_row[FIGURES] = {0};

    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        expect(&all.total, sums[i].what, ask(f, sums[i].sql));
    for (int i = 0; i < CUSTOMERS; i++)
        if (m->c[i].closed && m->c[i].full >= 0)
            add_sample(m, FIGURE_FULL, m->c[i].full);
    for (int t = 1; t < FIGURE_TIMES; t++)
        compare_times(m, &all.total, (enum figure_time)t);
    for (int i = 0; i < all.count; i++)
        for (int k = 0; k < FIGURES; k++)
            by_row[k] += all.rows[i].n[k];
    for (int k = 0; k < FIGURES; k++)
        assert_int_equal(by_row[k], all.total.n[k]);
    free(all.rows);
}

/* Whatever happens, the figures are what the messages and conversations say, and the model of the times. */
static void test_at_random(void **state)
{
    struct fixture *f = *state;
    struct model *m = calloc(1, sizeof *m);
    int64_t now = T0;

    for (int i = 0; i < DEEDS; i++) {
        now += roll(5 * 60) * MINUTE + SECOND;
        random_deed(f, m, now);
        if (roll(60) == 0) {
            fixture_stop(f);
            fixture_start(f);
        }
    }
    compare(f, m, now);
    free(m);
}

/* ---- each breakdown, against a list of all that happened ------------------------------------------------
 */

enum { FACTS = 8000, SHOPPERS = 15, SHOP_DEEDS = 700, QUESTIONS = 60 };

/* One thing that happened: a figure, a score, or a time that somebody took. */
struct fact {
    int32_t day;
    const char *department, *person, *sim;
    int figure, score; /* -1 none */
    enum figure_time time;
    int64_t n, took, business; /* business -1: not known yet */
    int64_t conversation;
};

struct shopper {
    int64_t id, began, waiting, first, asked_at;
    const char *department, *assignee, *sim;
    const char *asked_person;
    bool closed, ever_closed, answered;
    int by_person;
};

struct shop {
    struct fixture *f;
    struct fact facts[FACTS];
    int n;
    struct shopper who[SHOPPERS];
};

/* Days begin at midnight in Berlin: 11 pm of UTC in winter, 10 pm until 25 October and from 28 March on. */
static int32_t day_in_berlin(int64_t wall_ms)
{
    bool summer = wall_ms < INT64_C(1792890000000) || wall_ms >= INT64_C(1806195600000);

    return (int32_t)((wall_ms + (summer ? 2 : 1) * HOUR) / DAY);
}

static struct fact *fact(struct shop *s, int64_t wall_ms, const struct shopper *w, const char *person,
                         const char *sim)
{
    struct fact *a = &s->facts[s->n++];

    assert_true(s->n <= FACTS);
    *a = (struct fact){.day = day_in_berlin(wall_ms),
                       .department = w->department,
                       .person = person,
                       .sim = sim,
                       .figure = -1,
                       .score = -1,
                       .n = 1,
                       .business = -1,
                       .conversation = w->id};
    return a;
}

static void took(struct shop *s, int64_t now, const struct shopper *w, const char *person,
                 enum figure_time time, int64_t ms)
{
    struct fact *a = fact(s, now, w, person, w->sim);

    a->time = time;
    a->took = ms;
}

static void shopper_writes(struct shop *s, int i, int64_t now)
{
    static const char *const departments[] = {"sales", "support", "repairs"};
    struct shopper *w = &s->who[i];
    const char *department = roll(3) ? NULL : departments[roll(3)], *assignee = roll(3)   ? NULL
                                                                                : roll(2) ? "Anna"
                                                                                          : "Ben";
    char number[20];
    int64_t id;

    customer_number(i, number);
    if (!w->sim)
        w->sim = roll(3) ? "m0" : "m1";
    id = customer_writes(s->f, number, w->sim, "text", department, assignee, now);
    if (id != w->id) {
        *w = (struct shopper){.id = id, .began = now, .sim = w->sim, .department = "", .assignee = ""};
    } else if (w->closed) {
        fact(s, now, w, w->assignee, w->sim)->figure = FIGURE_REOPENED;
        for (int k = 0; k < s->n; k++)
            if (s->facts[k].conversation == id && s->facts[k].time == FIGURE_FULL)
                s->facts[k].took = -1;
    }
    w->closed = false;
    w->department = department ? department : w->department;
    w->assignee = assignee ? assignee : w->assignee;
    w->waiting = w->waiting ? w->waiting : now;
    fact(s, now, w, w->assignee, w->sim)->figure = FIGURE_IN;
    if (w->began == now)
        fact(s, now, w, w->assignee, w->sim)->figure = FIGURE_OPENED;
}

static void shopper_is_answered(struct shop *s, int i, int64_t now)
{
    struct shopper *w = &s->who[i];
    bool by_anna = roll(2), by_machine = !roll(4), sent = roll(6);
    const char *person = by_machine ? "" : by_anna ? "Anna" : "Ben", *sim = roll(2) ? "m0" : "m1";
    int parts = 1 + roll(3);
    struct fact *a;
    char number[20];
    int64_t id;

    customer_number(i, number);
    id = answer(s->f, w->id, number, by_machine ? NULL : by_anna ? ANNA : BEN, "answer", parts, now);
    carry(s->f, id, parts, sim, sent ? MSG_SENT : MSG_FAILED, now + SECOND);
    fact(s, now, w, person, sim)->figure = sent ? FIGURE_OUT : FIGURE_FAILED;
    if (sent) {
        fact(s, now, w, person, sim)->figure = by_machine ? FIGURE_AUTOMATIC : FIGURE_BY_PERSON;
        a = fact(s, now, w, person, sim);
        a->figure = FIGURE_SEGMENTS;
        a->n = parts;
        a = fact(s, now, w, person, sim);
        a->figure = FIGURE_COST_MICROS;
        a->n = parts * 70000;
    }
    if (by_machine)
        return;
    if (w->first == 0)
        took(s, now, w, person, FIGURE_FIRST, now - w->began);
    else if (w->waiting)
        took(s, now, w, person, FIGURE_NEXT, now - w->waiting);
    w->first = w->first ? w->first : now;
    w->waiting = 0;
    w->by_person++;
}

static void shopper_is_closed(struct shop *s, int i, int64_t now)
{
    struct shopper *w = &s->who[i];
    bool by_clock = !roll(3);
    const char *person = by_clock ? w->assignee : "Anna";

    if (w->closed)
        return;
    close_it(s->f, w->id, by_clock ? "clock" : ANNA, now);
    fact(s, now, w, person, w->sim)->figure = FIGURE_CLOSED;
    if (!by_clock || w->by_person) {
        if (!w->ever_closed)
            took(s, now, w, person, FIGURE_RESOLUTION, now - w->began);
        took(s, now, w, person, FIGURE_FULL, now - w->began);
    }
    w->closed = w->ever_closed = true;
    w->waiting = 0;
}

static void shopper_is_asked(struct shop *s, int i, int64_t now)
{
    struct shopper *w = &s->who[i];
    int score = roll(11);
    struct fact *a;

    if (!w->closed || w->answered)
        return;
    if (!w->asked_at) {
        on_conversation(s->f, w->id, "clock", (struct store_effect){.kind = EFFECT_SURVEY_ASK}, now);
        w->asked_at = now;
        w->asked_person = w->assignee;
        fact(s, now, w, w->asked_person, w->sim)->figure = FIGURE_ASKED;
        return;
    }
    on_conversation(s->f, w->id, "customer", (struct store_effect){.kind = EFFECT_SURVEY_SCORE, .n = score},
                    now);
    w->answered = true;
    fact(s, w->asked_at, w, w->asked_person, w->sim)->figure = FIGURE_ANSWERED;
    a = fact(s, w->asked_at, w, w->asked_person, w->sim);
    a->score = score;
}

/* A third of the time was in opening hours; what comes later is not known yet. */
static void settle_all(struct shop *s)
{
    struct store_times_pending p = {.max = FACTS};
    struct store_times_settle settle;

    assert_int_equal(DO(s->f, store_times_pending, &p), 0);
    for (int i = 0; i < p.count; i++)
        p.rows[i].business_ms = (p.rows[i].to_wall_ms - p.rows[i].from_wall_ms) / 3;
    settle = (struct store_times_settle){.rows = p.rows, .count = p.count};
    assert_int_equal(DO(s->f, store_times_settle, &settle), 0);
    free(p.rows);
    for (int i = 0; i < s->n; i++)
        if (s->facts[i].time && s->facts[i].took >= 0 && s->facts[i].business < 0)
            s->facts[i].business = s->facts[i].took / 3;
}

static bool is_asked_for(const struct store_figures *q, const struct fact *a)
{
    return a->day >= q->first_day && a->day <= q->last_day &&
           (!q->department || !strcmp(q->department, a->department)) &&
           (!q->person || !strcmp(q->person, a->person)) && (!q->sim || !strcmp(q->sim, a->sim));
}

static bool is_of_row(const struct store_figures *q, int i, const struct fact *a)
{
    const struct figure_row *r = &q->rows[i];

    switch (q->by) {
    case BY_DEPARTMENT:
        return !strcmp(r->key, a->department);
    case BY_PERSON:
        return !strcmp(r->key, a->person);
    case BY_SIM:
        return !strcmp(r->key, a->sim);
    default:
        return a->day >= r->day && (i + 1 == q->count || a->day < q->rows[i + 1].day);
    }
}

static void expect_spread(int64_t *v, int n, int64_t count, int64_t median, int64_t p90)
{
    qsort(v, (size_t)n, sizeof *v, ascending);
    assert_int_equal(count, n);
    assert_int_equal(median, n == 0 ? -1 : n % 2 ? v[n / 2] : v[n / 2 - 1] + (v[n / 2] - v[n / 2 - 1]) / 2);
    assert_int_equal(p90, n == 0 ? -1 : v[(9 * n + 9) / 10 - 1]);
}

/* Row i, or the total where it is -1, as the facts say. */
static void check_row(const struct shop *s, const struct store_figures *q, int i)
{
    const struct figure_row *r = i < 0 ? &q->total : &q->rows[i];
    int64_t n[FIGURES] = {0}, scores[FIGURE_SCORES] = {0};
    static int64_t took_ms[FIGURE_TIMES][FACTS], business[FIGURE_TIMES][FACTS];
    int nt[FIGURE_TIMES] = {0}, nb[FIGURE_TIMES] = {0};

    for (int k = 0; k < s->n; k++) {
        const struct fact *a = &s->facts[k];

        if (!is_asked_for(q, a) || (i >= 0 && !is_of_row(q, i, a)))
            continue;
        if (a->figure >= 0)
            n[a->figure] += a->n;
        if (a->score >= 0)
            scores[a->score]++;
        if (a->time && a->took >= 0)
            took_ms[a->time][nt[a->time]++] = a->took;
        if (a->time && a->took >= 0 && a->business >= 0)
            business[a->time][nb[a->time]++] = a->business;
    }
    for (int k = 0; k < FIGURES; k++)
        expect(r, (enum figure)k, n[k]);
    assert_memory_equal(r->scores, scores, sizeof scores);
    for (int t = 1; t < FIGURE_TIMES; t++) {
        const struct figure_spread *sp = &r->times[t];

        expect_spread(took_ms[t], nt[t], sp->count, sp->median_ms, sp->p90_ms);
        expect_spread(business[t], nb[t], sp->business_count, sp->business_median_ms, sp->business_p90_ms);
    }
}

static void check_targets(const struct shop *s, const struct store_figures *q)
{
    for (int t = 0; t < q->ntargets; t++) {
        const struct figure_target *g = &q->targets[t];
        int64_t count = 0, met = 0;

        for (int k = 0; k < s->n; k++) {
            const struct fact *a = &s->facts[k];
            int64_t ms = g->business ? a->business : a->took;

            if (a->time != g->time || a->took < 0 || ms < 0 || !is_asked_for(q, a) ||
                (g->department && strcmp(g->department, a->department) != 0))
                continue;
            count++;
            met += ms <= g->target_ms;
        }
        assert_int_equal(g->count, count);
        assert_int_equal(g->met, met);
    }
}

/* Some question about some period: each row, the total, and what is within a target. */
static void ask_something(struct shop *s, int64_t from, int64_t until)
{
    static const char *const departments[] = {NULL, NULL, "sales", "support", "", "nowhere"};
    static const char *const people[] = {NULL, NULL, "Anna", "Ben", ""};
    static const char *const sims[] = {NULL, NULL, "m0", "m1"};
    int64_t days = (until - from) / DAY, since = from + (roll((int)days + 20) - 10) * DAY;
    struct figure_target targets[] = {
        {.time = FIGURE_FIRST, .target_ms = 8 * HOUR},
        {.time = FIGURE_RESOLUTION, .target_ms = 20 * HOUR, .business = true, .department = "sales"}};
    struct store_figures q = {.by = (enum figure_by)roll(BY_SIM + 1),
                              .department = departments[roll(6)],
                              .person = people[roll(5)],
                              .sim = sims[roll(4)],
                              .since_wall_ms = since,
                              .until_wall_ms = since + DAY + roll((int)days) * DAY,
                              .targets = targets,
                              .ntargets = 2};

    assert_int_equal(DO(s->f, store_figures, &q), 0);
    for (int i = -1; i < q.count; i++)
        check_row(s, &q, i);
    check_targets(s, &q);
    free(q.rows);
}

/* Half a year over both changes of the clocks: whatever is asked, by whatever, of whomever, and of any
 * period, it is what a walk through all that happened says. */
static void test_breakdowns_at_random(void **state)
{
    static void (*const deeds[])(struct shop * s, int i, int64_t now) = {
        shopper_writes, shopper_writes, shopper_is_answered, shopper_is_closed, shopper_is_asked};
    const int64_t from = MONDAY - 20 * DAY;
    struct shop *s = calloc(1, sizeof *s);
    int64_t now = from;

    s->f = *state;
    assert_int_equal(store_set_zone(s->f->s, "Europe/Berlin", NULL), 0);
    for (int k = 0; k < SHOP_DEEDS; k++) {
        int i = roll(SHOPPERS);

        now += roll(12 * 60) * MINUTE + SECOND;
        deeds[s->who[i].id ? roll(5) : 0](s, i, now);
        if (roll(100) == 0)
            settle_all(s);
    }
    for (int k = 0; k < QUESTIONS; k++)
        ask_something(s, from, now);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fortnight),
        TEST(test_by_day),
        TEST(test_by_others),
        TEST(test_filters_and_targets),
        TEST(test_survey_of_asked),
        TEST(test_business_times),
        TEST(test_sent_again),
        TEST(test_failed_decision),
        TEST(test_zone),
        TEST(test_at_random),
        TEST(test_breakdowns_at_random),
    };
    const char *s = getenv("SEED");

    rng = seed = s ? strtoull(s, NULL, 10) : 20261121;
    printf("SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
