/* Routes, costs and quiet hours in the whole gateway: which carrier takes a message, when, and what is
 * refused. */
#include "world.h"

#include <time.h>

#include "base/zone.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define GERMAN    "+491701234567"
#define FRENCH    "+33612345678"

struct names {
    const char *name, *pool;
};

static struct world *start(const struct policy_conf *policy, const struct names *carriers, int n)
{
    struct world *w = malloc(sizeof *w);
    world_init(w);
    w->conf.policy = policy;
    for (int i = 0; i < n; i++)
        add_carrier(w, carriers[i].name, carriers[i].pool);
    life_start(w);
    return w;
}

static void end(struct world *w)
{
    world_fini(w);
    free(w);
}

/* The carrier that took this text; -1 none did. */
static int carrier_of(const struct world *w, const char *text)
{
    for (int i = 0; i < w->nlog; i++)
        if (strcmp(w->log[i].text, text) == 0)
            return w->log[i].carrier;
    return -1;
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}

/* To this time of the day in Berlin, today or tomorrow. */
static void run_to_berlin(struct world *w, int hour, int minute)
{
    struct zone *z;
    struct zone_time t;
    int64_t now = rt_wall_ms(w->rt), then;

    assert_int_equal(zone_new("Europe/Berlin", &z, NULL), 0);
    zone_local(z, now, &t);
    then = zone_moment(z, t.year, t.month, t.day, hour * 60 + minute);
    if (then <= now)
        then = zone_moment(z, t.year, t.month, t.day + 1, hour * 60 + minute);
    zone_free(z);
    run(w, then - now);
}

static int applied;

static void on_applied(struct gateway_apply *a, int status)
{
    (void)a;
    assert_int_equal(status, 0);
    applied++;
}

static void opt_in(struct world *w, const char *number)
{
    const struct store_effect e = {.kind = EFFECT_CONSENT, .n = CONSENT_IN, .name = "", .value = "by form"};
    const struct gateway_verdict v = {.reason = "opt-in", .who = "person:Anna", .effects = &e, .neffects = 1};
    struct gateway_apply a = {.number = number, .sim = "", .verdict = &v, .done = on_applied};
    int before = applied;

    gateway_apply(w->g, &a);
    while (applied == before)
        assert_true(rt_sim_step(w->rt));
}

/* A premium number is refused for everybody, with the reason and what lets it pass. */
static void premium(void **state)
{
    const struct policy_conf policy = {.premium = {.deny = true, .allow = LIST("+4990055*")}};
    struct world *w = start(&policy, (const struct names[]){{"M0", ""}}, 1);
    struct gateway_send person = message("+4990012345", "hello");

    (void)state;
    assert_int_equal(send_to(w, "+4990012345", "hello"), ERR_REFUSED);
    assert_contains(w->reason, "a premium-rate number (Germany 0900)");
    assert_contains(w->reason, "allow");
    person.person = true;
    assert_int_equal(admit(w, &person), ERR_REFUSED);
    assert_true(send_to(w, "+49900551", "hello") > 0);
    end(w);
}

/* What the giver says comes first, then the department's SIM, then the one that the customer wrote to, then
 * the routes. */
static void precedence(void **state)
{
    const struct route_conf routes[] = {
        {.name = "fr", .to = LIST("+33*"), .modem = "M3", .pool = ""},
        {.name = "campaigns", .sources = LIST("campaign:*"), .modem = "", .pool = "bulk"},
    };
    const struct policy_department departments[] = {{"sales", "M1", ""}, {"it", "", ""}};
    const struct policy_conf policy = {
        .routes = routes, .nroutes = 2, .departments = departments, .ndepartments = 2};
    struct world *w =
        start(&policy, (const struct names[]){{"M0", ""}, {"M1", "x"}, {"M2", "bulk"}, {"M3", "y"}}, 4);
    struct gateway_send s;

    (void)state;
    s = message(FRENCH, "by route");
    assert_true(admit(w, &s) > 0);
    s = message(FRENCH, "by department");
    s.department = "Sales";
    assert_true(admit(w, &s) > 0);
    s = message(FRENCH, "by giver");
    s.department = "sales";
    s.modem = "M2";
    assert_true(admit(w, &s) > 0);
    s = message(FRENCH, "by wish");
    s.department = "it";
    s.modem = "M0";
    s.prefer = true;
    assert_true(admit(w, &s) > 0);
    s = message(GERMAN, "by source");
    s.source = "campaign:1";
    assert_true(admit(w, &s) > 0);
    s = message(GERMAN, "by nothing");
    assert_true(admit(w, &s) > 0);
    run(w, MINUTE);
    assert_int_equal(carrier_of(w, "by route"), 3);
    assert_int_equal(carrier_of(w, "by department"), 1);
    assert_int_equal(carrier_of(w, "by giver"), 2);
    assert_int_equal(carrier_of(w, "by wish"), 0);
    assert_int_equal(carrier_of(w, "by source"), 2);
    assert_int_equal(carrier_of(w, "by nothing"), 0);
    end(w);
}

/* Another pool stands in when nothing of the route's can carry for a minute, not for a short absence, and
 * gives back when it is there again; the next in the list only where the first is not there either. */
static void failover(void **state)
{
    const struct route_conf routes[] = {
        {.name = "all", .modem = "", .pool = "a", .failover = LIST("b", "c")}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}, {"C", "c"}}, 3);

    (void)state;
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    assert_true(send_to(w, GERMAN, "one") > 0);
    run(w, 50 * SECOND);
    assert_int_equal(carrier_of(w, "one"), -1);
    run(w, 20 * SECOND);
    assert_int_equal(carrier_of(w, "one"), 1);
    set_state(&w->carriers[1], CARRIER_DOWN, "port lost");
    assert_true(send_to(w, GERMAN, "two") > 0);
    run(w, SECOND);
    assert_int_equal(carrier_of(w, "two"), 2);
    set_state(&w->carriers[0], CARRIER_READY, "");
    assert_true(send_to(w, GERMAN, "three") > 0);
    run(w, SECOND);
    assert_int_equal(carrier_of(w, "three"), 0);
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    assert_true(send_to(w, GERMAN, "four") > 0);
    run(w, 30 * SECOND);
    assert_int_equal(carrier_of(w, "four"), -1);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, SECOND);
    assert_int_equal(carrier_of(w, "four"), 0);
    end(w);
}

/* A SIM at its quota is stood in for too. */
static void failover_at_quota(void **state)
{
    const struct route_conf routes[] = {{.name = "all", .modem = "", .pool = "a", .failover = LIST("b")}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}}, 2);

    (void)state;
    life_crash(w);
    w->limits[0].per_day = 2;
    life_start(w);
    for (int i = 0; i < 4; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", i);
        assert_true(send_to(w, GERMAN, text) > 0);
    }
    run(w, 2 * MINUTE);
    assert_int_equal(carrier_of(w, "0"), 0);
    assert_int_equal(carrier_of(w, "1"), 0);
    assert_int_equal(carrier_of(w, "2"), 1);
    assert_int_equal(carrier_of(w, "3"), 1);
    end(w);
}

/* A restart does not begin the hour of a SIM anew: what went in it is known by the quarter of an hour. */
static void hour_outlives_a_crash(void **state)
{
    const struct policy_conf policy = {0};
    struct world *w = start(&policy, (const struct names[]){{"A", ""}}, 1);
    int64_t id;

    (void)state;
    life_crash(w);
    w->limits[0].per_hour = 3;
    life_start(w);
    for (int i = 0; i < 3; i++)
        assert_true(send_to(w, GERMAN, "in the hour") > 0);
    run(w, 20 * MINUTE);
    assert_int_equal(w->nlog, 3);
    life_crash(w);
    life_start(w);
    id = send_to(w, GERMAN, "over it");
    run(w, 30 * MINUTE);
    assert_int_equal(carrier_of(w, "over it"), -1);
    assert_state(w, id, MSG_QUEUED);
    assert_contains(w->reason, "limit per_hour");
    run(w, 26 * MINUTE);
    assert_int_equal(carrier_of(w, "over it"), 0);
    end(w);
}

/* The cheapest carrier of a pool takes all of it as long as it can, the others only when it cannot; what is
 * not asked to be cheap is shared meanwhile. */
static void cheapest(void **state)
{
    const struct route_conf routes[] = {
        {.name = "cheap", .sources = LIST("cheap"), .modem = "", .pool = "p", .prefer = ROUTE_CHEAPEST},
        {.name = "all", .modem = "", .pool = "p"}};
    const struct cost_conf costs[] = {{.modem = "B", .per_part = "0.02"}, {.modem = "", .per_part = "0.09"}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 2, .costs = costs, .ncosts = 2};
    struct world *w = start(&policy, (const struct names[]){{"A", "p"}, {"B", "p"}}, 2);
    struct gateway_send s = message(GERMAN, "cheap");
    struct shown *shown;

    (void)state;
    s.source = "cheap";
    for (int i = 0; i < 20; i++)
        assert_true(admit(w, &s) > 0);
    run(w, MINUTE);
    assert_int_equal(sent_count(w, "cheap"), 20);
    for (int i = 0; i < w->nlog; i++)
        assert_int_equal(w->log[i].carrier, 1);
    shown = show(w, w->last_out);
    assert_int_equal(shown->op.row.cost_micros, 20000);
    unshow(shown);
    set_state(&w->carriers[1], CARRIER_DOWN, "port lost");
    s.text = "dear";
    assert_true(admit(w, &s) > 0);
    run(w, 10 * SECOND);
    assert_int_equal(carrier_of(w, "dear"), 0);
    set_state(&w->carriers[1], CARRIER_READY, "");
    for (int i = 0; i < 20; i++)
        assert_true(send_to(w, GERMAN, i % 2 ? "even" : "odd") > 0);
    run(w, MINUTE);
    int by[2] = {0};
    for (int i = 21; i < w->nlog; i++)
        by[w->log[i].carrier]++;
    assert_true(by[0] > 0 && by[1] > 0);
    shown = show(w, w->last_out);
    assert_int_equal(shown->op.row.cost_micros, 90000); /* either may take it: the dearer is counted */
    unshow(shown);
    end(w);
}

/* What the cheaper SIM's quota has no room for goes by the dearer one, and does not wait for another day. */
static void cheapest_at_quota(void **state)
{
    const struct route_conf routes[] = {
        {.name = "cheap", .modem = "", .pool = "p", .prefer = ROUTE_CHEAPEST}};
    const struct cost_conf costs[] = {{.modem = "B", .per_part = "0.02"}, {.modem = "", .per_part = "0.09"}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1, .costs = costs, .ncosts = 2};
    struct world *w = start(&policy, (const struct names[]){{"A", "p"}, {"B", "p"}}, 2);
    char text[300];
    int long_by[2] = {0};

    (void)state;
    life_crash(w);
    w->limits[1].per_day = 2;
    life_start(w);
    assert_true(send_to(w, GERMAN, "one") > 0);
    run(w, SECOND);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_true(send_to(w, GERMAN, text) > 0); /* two parts, and one is left */
    assert_true(send_to(w, GERMAN, "two") > 0);
    run(w, MINUTE);
    assert_int_equal(carrier_of(w, "one"), 1);
    for (int i = 0; i < w->nlog; i++)
        if (w->log[i].total == 2)
            long_by[w->log[i].carrier]++;
    assert_int_equal(long_by[0], 2);
    assert_int_equal(carrier_of(w, "two"), 1);
    end(w);
}

/* A route takes so many parts a day and no more, through a crash too; the next day it takes again. */
static void route_quota(void **state)
{
    const struct route_conf routes[] = {{.name = "bundle", .modem = "A", .pool = "", .per_day = 3},
                                        {.name = "rest", .modem = "B", .pool = ""}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 2};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}}, 2);
    char text[300];

    (void)state;
    assert_true(send_to(w, GERMAN, "one") > 0);
    run(w, SECOND);
    life_crash(w);
    life_start(w);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_true(send_to(w, GERMAN, text) > 0); /* two parts */
    assert_true(send_to(w, GERMAN, "two") > 0);
    run(w, MINUTE);
    assert_int_equal(carrier_of(w, "one"), 0);
    assert_int_equal(carrier_of(w, "two"), 1);
    for (int i = 0; i < w->nlog; i++)
        if (w->log[i].total == 2)
            assert_int_equal(w->log[i].carrier, 0);
    run(w, DAY);
    assert_true(send_to(w, GERMAN, "three") > 0);
    run(w, MINUTE);
    assert_int_equal(carrier_of(w, "three"), 0);
    end(w);
}

/* The day's cost cap refuses everybody but people and confirmations of STOP, tells it once, outlives a crash
 * and ends with the day; a request cannot pass it as a whole either. */
static void cost_cap(void **state)
{
    const struct cost_conf costs[] = {{.modem = "", .per_part = "0.10"}};
    const struct policy_conf policy = {.costs = costs, .ncosts = 1, .cost_per_day = "0.50"};
    struct world *w = start(&policy, (const struct names[]){{"M0", ""}}, 1);
    struct gateway_send s = message(GERMAN, "person");
    struct asked *q = asked_new();

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(send_to(w, GERMAN, "fine") > 0);
    life_crash(w);
    life_start(w);
    q->a.count = 3;
    for (int i = 0; i < 3; i++)
        q->sends[i] = message(GERMAN, "three at once");
    admit_all(w, q);
    assert_int_equal(q->status, ERR_REFUSED);
    assert_int_equal(q->results[2].err.code, ERR_REFUSED);
    free(q);
    assert_contains(w->alarm, "cost cap of 0.50 is reached");
    assert_true(send_to(w, GERMAN, "fourth") > 0);
    assert_true(send_to(w, GERMAN, "fifth") > 0);
    w->alarm[0] = '\0';
    assert_int_equal(send_to(w, GERMAN, "sixth"), ERR_REFUSED);
    assert_contains(w->reason, "0.50 were accepted since midnight");
    assert_string_equal(w->alarm, "");
    s.person = true;
    assert_true(admit(w, &s) > 0);
    s.person = false;
    s.consent = s.automatic = true;
    assert_true(admit(w, &s) > 0);
    run(w, DAY);
    assert_true(send_to(w, GERMAN, "tomorrow") > 0);
    end(w);
}

/* A person's message counts once against the cap, also when it is the first one of a life or of a day. */
static void cost_cap_first(void **state)
{
    const struct cost_conf costs[] = {{.modem = "", .per_part = "0.10"}};
    const struct policy_conf policy = {.costs = costs, .ncosts = 1, .cost_per_day = "0.20"};
    struct world *w = start(&policy, (const struct names[]){{"M0", ""}}, 1);
    struct gateway_send s = message(GERMAN, "person");

    (void)state;
    s.person = true;
    for (int day = 0; day < 2; day++) {
        assert_true(admit(w, &s) > 0);
        assert_true(send_to(w, GERMAN, "second") > 0);
        assert_int_equal(send_to(w, GERMAN, "third"), ERR_REFUSED);
        run(w, DAY);
    }
    end(w);
}

static int64_t send_to_person(struct world *w)
{
    struct gateway_send s = message(FRENCH, "waits");

    s.person = true;
    return admit(w, &s);
}

/* A request that was accepted is told so whenever it is repeated with its key, whatever has changed since:
 * the day's cost cap, a premium range, a quota, a pool, a longest text, a full queue, an opt-out. The message
 * is the first one, and a recipient that was not among the accepted is refused as ever. */
static void repeated(void **state)
{
    const struct cost_conf costs[] = {{.modem = "", .per_part = "0.10"}};
    const struct policy_conf first = {.costs = costs, .ncosts = 1, .cost_per_day = "0.20"};
    const struct policy_conf then = {
        .costs = costs,
        .ncosts = 1,
        .cost_per_day = "0.20",
        .premium = {.deny = true, .also = LIST("+49170*"), .allow = LIST("+33*")}};
    struct world *w = start(&first, (const struct names[]){{"M0", "bulk"}, {"M1", ""}}, 2);
    struct gateway_send s = message(GERMAN, "a text"), pool = message(FRENCH, "another");
    int64_t id, other;

    (void)state;
    set_state(&w->carriers[1], CARRIER_DOWN, "port lost");
    s.key = "k";
    pool.key = "p";
    pool.pool = "bulk";
    id = admit(w, &s);
    other = admit(w, &pool);
    assert_true(id > 0 && other > id);
    assert_int_equal(admit(w, &s), id);
    assert_int_equal(send_to(w, GERMAN, "no more"), ERR_REFUSED); /* cost */
    assert_int_equal(admit(w, &pool), other);
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    if (send_to_person(w) < 0)
        fail_msg("%s", w->reason);
    w->conf.policy = &then;
    w->conf.max_parts = 1;
    w->conf.queue_max = 1;
    gateway_reconfigure(w->g, &w->conf);
    assert_int_equal(admit(w, &s), id);
    s.text = "too long for one message 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
             "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789";
    assert_int_equal(admit(w, &s), id);
    pool.pool = "gone";
    assert_int_equal(admit(w, &pool), other);
    pool.key = "q";
    assert_int_equal(admit(w, &pool), ERR_INVALID);
    assert_contains(w->reason, "pool: ");
    pool.pool = NULL;
    pool.person = true;
    assert_int_equal(admit(w, &pool), ERR_FULL);

    struct asked *q = asked_new();
    q->a.count = 2;
    q->sends[0] = s;
    q->sends[1] = message(GERMAN, "new");
    q->sends[1].key = "new";
    admit_all(w, q);
    assert_int_equal(q->status, ERR_REFUSED);
    assert_int_equal(q->results[0].id, id);
    assert_int_equal(q->results[1].id, 0);
    assert_contains(q->results[1].err.text, "premium");
    free(q);
    end(w);
}

/* Marketing waits for the recipient's hours, and says so; answers and all else go at once. */
static void quiet(void **state)
{
    const struct policy_conf policy = {.quiet = {.on = true}};
    struct world *w = start(&policy, (const struct names[]){{"M0", ""}}, 1);
    struct gateway_send s = message(GERMAN, "offer");
    int64_t id;

    (void)state;
    run_to_berlin(w, 22, 0);
    opt_in(w, GERMAN);
    s.marketing = true;
    id = admit(w, &s);
    assert_true(id > 0);
    s.text = "answer";
    s.reply_to = id;
    assert_true(admit(w, &s) > 0);
    assert_true(send_to(w, GERMAN, "notice") > 0);
    run(w, HOUR);
    assert_int_equal(carrier_of(w, "offer"), -1);
    assert_int_equal(carrier_of(w, "answer"), 0);
    assert_int_equal(carrier_of(w, "notice"), 0);
    assert_state(w, id, MSG_QUEUED);
    assert_contains(w->reason, "quiet hours of the recipient (Europe/Berlin");
    run_to_berlin(w, 7, 59);
    assert_int_equal(carrier_of(w, "offer"), -1);
    run_to_berlin(w, 8, 1);
    assert_int_equal(carrier_of(w, "offer"), 0);
    end(w);
}

/* What was accepted by day and could not go until the night waits for the morning, in another life too. */
static void quiet_in_queue(void **state)
{
    const struct policy_conf policy = {.quiet = {.on = true}};
    struct world *w = start(&policy, (const struct names[]){{"M0", ""}}, 1);
    struct gateway_send s = message(GERMAN, "offer");
    int64_t id;

    (void)state;
    run_to_berlin(w, 20, 0);
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    opt_in(w, GERMAN);
    s.marketing = true;
    id = admit(w, &s);
    assert_true(id > 0);
    run_to_berlin(w, 21, 30);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, HOUR);
    assert_int_equal(carrier_of(w, "offer"), -1);
    assert_state(w, id, MSG_QUEUED);
    assert_contains(w->reason, "quiet hours");
    life_crash(w);
    life_start(w);
    run(w, HOUR);
    assert_int_equal(carrier_of(w, "offer"), -1);
    run_to_berlin(w, 8, 1);
    assert_int_equal(carrier_of(w, "offer"), 0);
    end(w);
}

/* A trial says which way a message would take and why, and counts nothing. */
static void trial(void **state)
{
    const struct route_conf routes[] = {
        {.name = "fr", .to = LIST("+33*"), .modem = "", .pool = "y"},
        {.name = "de", .to = LIST("+49*"), .modem = "", .pool = "x", .prefer = ROUTE_CHEAPEST, .per_day = 1}};
    const struct cost_conf costs[] = {{.modem = "M1", .per_part = "0.02"}, {.modem = "", .per_part = "0.09"}};
    const struct policy_conf policy = {
        .routes = routes, .nroutes = 2, .costs = costs, .ncosts = 2, .premium.deny = true};
    struct world *w = start(&policy, (const struct names[]){{"M0", "x"}, {"M1", "x"}, {"M2", "y"}}, 3);
    struct gateway_send s = message("0170 1234567", "hello");
    struct gateway_route_trial t;
    struct err e = {0};

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(gateway_route_test(w->g, &s, &t, &e), 0);
        assert_string_equal(t.to, GERMAN);
        assert_string_equal(t.route, "de");
        assert_string_equal(t.pool, "x");
        assert_string_equal(t.modem, "");
        assert_string_equal(t.carrier, "M1");
        assert_int_equal(t.parts, 1);
        assert_int_equal(t.cost_micros, 20000);
        assert_contains(buf_str(&t.why), "route fr: is for other numbers\n");
        assert_contains(buf_str(&t.why), "route de: taken\n");
        assert_contains(buf_str(&t.why), "modem M0 of pool x: ready, 0.09 a part");
        buf_free(&t.why);
    }
    assert_true(send_to(w, GERMAN, "hello") > 0);
    assert_int_equal(gateway_route_test(w->g, &s, &t, &e), 0);
    assert_string_equal(t.route, "");
    assert_contains(buf_str(&t.why), "route de: has taken 1 parts, its per_day is 1");
    buf_free(&t.why);
    s.to = "+4990012345";
    assert_int_equal(gateway_route_test(w->g, &s, &t, &e), ERR_REFUSED);
    assert_contains(e.text, "premium");
    assert_contains(buf_str(&t.why), "premium");
    buf_free(&t.why);
    end(w);
}

/* Other settings by a reload count for what comes; what waits for a pool of before still goes. */
static void reload(void **state)
{
    const struct route_conf routes[] = {{.name = "all", .modem = "", .pool = "a", .failover = LIST("b")}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1}, other = {.premium.deny = true};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}}, 2);

    (void)state;
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    assert_true(send_to(w, "+4990012345", "before") > 0);
    run(w, 10 * SECOND);
    w->conf.policy = &other;
    gateway_reconfigure(w->g, &w->conf);
    assert_int_equal(send_to(w, "+4990012345", "after"), ERR_REFUSED);
    run(w, 5 * MINUTE);
    assert_int_equal(carrier_of(w, "before"), -1);
    w->conf.policy = &policy;
    gateway_reconfigure(w->g, &w->conf);
    run(w, 2 * MINUTE);
    assert_int_equal(carrier_of(w, "before"), 1);
    end(w);
}

/* Card numbers are masked for those who watch; where it is wanted the store has nothing else either, not in
 * the raw PDUs, nor in those of a long message. */
static void masked(void **state)
{
    struct policy_conf policy = {.mask_cards = true};
    struct world *w = start(&policy, (const struct names[]){{"M0", ""}}, 1);
    struct shown *s;

    (void)state;
    arrive_text(w, GERMAN, "card 4111 1111 1111 1111");
    run(w, SECOND);
    assert_string_equal(w->event_text, "card **** **** **** 1111");
    s = show(w, w->last_in);
    assert_string_equal(s->op.row.text, "card 4111 1111 1111 1111");
    assert_true(s->op.segments[0].len > 0);
    unshow(s);
    policy.store_masked = true;
    gateway_reconfigure(w->g, &w->conf);
    arrive_text(w, GERMAN, "card 5555-5555-5555-4444");
    run(w, SECOND);
    s = show(w, w->last_in);
    assert_string_equal(s->op.row.text, "card ****-****-****-4444");
    assert_true(s->op.row.flags & MSG_F_MASKED);
    assert_int_equal(s->op.nsegments, 1);
    assert_int_equal(s->op.segments[0].len, 0);
    unshow(s);
    arrive(w, 0,
           &(struct arriving){.from = GERMAN, .text = "it is 41111111", .ref = 7, .total = 2, .seq = 1});
    arrive(w, 0, &(struct arriving){.from = GERMAN, .text = "11111111 ok", .ref = 7, .total = 2, .seq = 2});
    run(w, SECOND);
    s = show(w, w->last_in);
    assert_string_equal(s->op.row.text, "it is ************1111 ok");
    assert_int_equal(s->op.nsegments, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(s->op.segments[i].len, 0);
    unshow(s);
    arrive_text(w, GERMAN, "no card");
    run(w, SECOND);
    s = show(w, w->last_in);
    assert_false(s->op.row.flags & MSG_F_MASKED);
    assert_true(s->op.segments[0].len > 0);
    unshow(s);
    end(w);
}

/* A route's modem is waited for from when the message is due: what was scheduled, or waited for the morning
 * or through a restart, still goes by it. */
static void wish_of_a_scheduled_message(void **state)
{
    const struct route_conf routes[] = {{.name = "all", .modem = "A", .pool = "", .failover = LIST("b")}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}}, 2);
    struct gateway_send s = message(GERMAN, "later");

    (void)state;
    s.due_wall_ms = rt_wall_ms(w->rt) + 2 * HOUR;
    assert_true(admit(w, &s) > 0);
    run(w, 3 * HOUR);
    assert_int_equal(carrier_of(w, "later"), 0);
    s.text = "after a restart";
    s.due_wall_ms = rt_wall_ms(w->rt) + 2 * HOUR;
    assert_true(admit(w, &s) > 0);
    run(w, HOUR);
    life_crash(w);
    life_start(w);
    run(w, 2 * HOUR);
    assert_int_equal(carrier_of(w, "after a restart"), 0);
    end(w);
}

/* A modem that works is not stood in for because much waits for it; one that is gone is. */
static void wish_for_a_busy_modem(void **state)
{
    const struct route_conf routes[] = {{.name = "all", .modem = "A", .pool = "", .failover = LIST("b")}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}}, 2);

    (void)state;
    w->carriers[0].send_ms = 10 * SECOND;
    for (int i = 0; i < 30; i++)
        assert_true(send_to(w, GERMAN, "much") > 0);
    run(w, 3 * MINUTE);
    for (int i = 0; i < w->nlog; i++)
        assert_int_equal(w->log[i].carrier, 0);
    assert_true(w->nlog > 15 && w->nlog < 20);
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    run(w, 3 * MINUTE);
    assert_int_equal(w->log[w->nlog - 1].carrier, 1);
    assert_true(sent_count(w, "much") >= 30);
    end(w);
}

/* A message that somebody has sent again takes the way that it had: the cheaper modem, the route's own, and
 * not at night. */
static void retried(void **state)
{
    const struct route_conf routes[] = {
        {.name = "fr", .to = LIST("+33*"), .modem = "C", .pool = "", .failover = LIST("p")},
        {.name = "cheap", .modem = "", .pool = "p", .prefer = ROUTE_CHEAPEST}};
    const struct cost_conf costs[] = {{.modem = "B", .per_part = "0.02"}, {.modem = "", .per_part = "0.09"}};
    const struct policy_conf policy = {
        .routes = routes, .nroutes = 2, .costs = costs, .ncosts = 2, .quiet = {.on = true}};
    struct world *w = start(&policy, (const struct names[]){{"A", "p"}, {"B", "p"}, {"C", "c"}}, 3);
    struct gateway_send s = message(GERMAN, "offer");
    int64_t ids[6];

    (void)state;
    run_to_berlin(w, 12, 0);
    opt_in(w, GERMAN);
    for (int i = 0; i < 3; i++)
        set_state(&w->carriers[i], CARRIER_DOWN, "port lost");
    s.marketing = true;
    ids[0] = admit(w, &s);
    for (int i = 1; i < 5; i++)
        ids[i] = send_to(w, GERMAN, "cheap");
    ids[5] = send_to(w, FRENCH, "by C");
    for (int i = 0; i < 6; i++) {
        assert_true(ids[i] > 0);
        assert_int_equal(change(w, ids[i], true), 0);
    }
    run_to_berlin(w, 22, 0);
    for (int i = 0; i < 3; i++)
        set_state(&w->carriers[i], CARRIER_READY, "");
    for (int i = 0; i < 6; i++)
        assert_int_equal(change(w, ids[i], false), 0);
    run(w, MINUTE);
    assert_int_equal(sent_count(w, "cheap"), 4);
    for (int i = 0; i < w->nlog; i++)
        assert_int_equal(w->log[i].carrier, strcmp(w->log[i].text, "by C") == 0 ? 2 : 1);
    assert_int_equal(carrier_of(w, "by C"), 2);
    assert_int_equal(carrier_of(w, "offer"), -1);
    run_to_berlin(w, 8, 1);
    assert_int_equal(carrier_of(w, "offer"), 1);
    end(w);
}

/* Three parts. */
static const char *long_text(void)
{
    static char text[400];

    memset(text, 'x', sizeof text - 1);
    return text;
}

static int long_parts_by(const struct world *w, int carrier)
{
    int n = 0;

    for (int i = 0; i < w->nlog; i++)
        n += w->log[i].carrier == carrier && w->log[i].total == 3;
    return n;
}

/* One short message has gone, and the day of the first modem has room for two parts more. */
static void leave_room_for_two(struct world *w)
{
    life_crash(w);
    w->limits[0].per_day = 3;
    life_start(w);
    assert_true(send_to(w, GERMAN, "first") > 0);
    run(w, SECOND);
    assert_int_equal(carrier_of(w, "first"), 0);
}

/* A long message does not wait until midnight for the route's modem that has room for its first parts only.
 */
static void wish_without_room(void **state)
{
    const struct route_conf routes[] = {{.name = "all", .modem = "A", .pool = "", .failover = LIST("b")}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}}, 2);

    (void)state;
    leave_room_for_two(w);
    assert_true(send_to(w, GERMAN, long_text()) > 0);
    run(w, 50 * SECOND);
    assert_int_equal(w->nlog, 1);
    run(w, 20 * SECOND);
    assert_int_equal(long_parts_by(w, 1), 3);
    assert_true(send_to(w, GERMAN, "short") > 0);
    run(w, SECOND);
    assert_int_equal(carrier_of(w, "short"), 0);
    end(w);
}

/* … nor for a pool of which nothing has. */
static void failover_without_room(void **state)
{
    const struct route_conf routes[] = {{.name = "all", .modem = "", .pool = "a", .failover = LIST("b")}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}}, 2);

    (void)state;
    leave_room_for_two(w);
    assert_true(send_to(w, GERMAN, long_text()) > 0);
    run(w, 50 * SECOND);
    assert_int_equal(w->nlog, 1);
    run(w, 20 * SECOND);
    assert_int_equal(long_parts_by(w, 1), 3);
    assert_true(send_to(w, GERMAN, "short") > 0);
    run(w, SECOND);
    assert_int_equal(carrier_of(w, "short"), 0);
    end(w);
}

/* A modem that only restarts is not stood in for, whenever that is; one that stays away is. */
static void wish_for_a_restarting_modem(void **state)
{
    const struct route_conf routes[] = {{.name = "all", .modem = "A", .pool = "", .failover = LIST("b")}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1};
    struct world *w = start(&policy, (const struct names[]){{"A", "a"}, {"B", "b"}}, 2);

    (void)state;
    w->carriers[0].send_ms = 10 * SECOND;
    for (int i = 0; i < 12; i++)
        assert_true(send_to(w, GERMAN, "much") > 0);
    run(w, 55 * SECOND);
    set_state(&w->carriers[0], CARRIER_DOWN, "restarts");
    run(w, 10 * SECOND);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, MINUTE);
    for (int i = 0; i < w->nlog; i++)
        assert_int_equal(w->log[i].carrier, 0);
    assert_true(w->nlog >= 10);
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    assert_true(send_to(w, GERMAN, "more") > 0);
    run(w, 3 * MINUTE);
    assert_int_equal(carrier_of(w, "more"), 1);
    end(w);
}

static int64_t next_midnight_wall_ms(const struct world *w)
{
    time_t now = (time_t)(rt_wall_ms(w->rt) / 1000);
    struct tm t;

    localtime_r(&now, &t);
    t.tm_mday++;
    t.tm_hour = t.tm_min = t.tm_sec = 0;
    t.tm_isdst = -1;
    return (int64_t)mktime(&t) * 1000;
}

/* A message that waits for midnight goes then, although a shorter one behind it would have room today. */
static void midnight_is_not_forgotten(void **state)
{
    struct world *w = start(NULL, (const struct names[]){{"A", ""}}, 1);
    struct gateway_send s = message(GERMAN, long_text());
    int64_t midnight;

    (void)state;
    run(w, 77 * SECOND); /* what the gateway does every few minutes does not fall on it */
    leave_room_for_two(w);
    s.modem = "A";
    assert_true(admit(w, &s) > 0);
    assert_true(send_to(w, GERMAN, "behind it") > 0);
    run(w, MINUTE);
    assert_int_equal(w->nlog, 1);
    midnight = next_midnight_wall_ms(w);
    run(w, midnight - rt_wall_ms(w->rt) - SECOND);
    assert_int_equal(w->nlog, 1);
    run(w, 5 * SECOND);
    assert_int_equal(long_parts_by(w, 0), 3);
    end(w);
}

static void opt_out_of(struct world *w, const char *sim)
{
    const struct store_effect e = {.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .name = sim, .value = "STOP"};
    const struct gateway_verdict v = {.reason = "STOP", .who = "customer", .effects = &e, .neffects = 1};
    struct gateway_apply a = {.number = GERMAN, .sim = "", .verdict = &v, .done = on_applied};
    int before = applied;

    gateway_apply(w->g, &a);
    while (applied == before)
        assert_true(rt_sim_step(w->rt));
}

/* Who opted out of one SIM is not written to by it when it stands in for another, and the message is not
 * lost: it waits for its own. */
static void opted_out_of_the_stand_in(void **state)
{
    struct world *w = start(NULL, (const struct names[]){{"A", ""}, {"B", ""}}, 2);
    struct gateway_send s = message(GERMAN, "answer");
    char text[300];

    (void)state;
    opt_out_of(w, "B");
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    s.modem = "A";
    s.prefer = true;
    assert_true(admit(w, &s) > 0);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    s.text = text; /* two parts */
    int64_t id = admit(w, &s);
    assert_true(id > 0);
    run(w, 5 * MINUTE);
    assert_int_equal(w->nlog, 0);
    assert_state(w, id, MSG_QUEUED);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, MINUTE);
    assert_int_equal(w->nlog, 3);
    for (int i = 0; i < w->nlog; i++)
        assert_int_equal(w->log[i].carrier, 0);
    end(w);
}

/* … also when its own is there by the time that is found: nothing else has to happen first. */
static void opted_out_is_given_back(void **state)
{
    struct world *w = start(NULL, (const struct names[]){{"A", ""}, {"B", ""}}, 2);
    struct gateway_send s = message(GERMAN, "answer");

    (void)state;
    opt_out_of(w, "B");
    for (int i = 0; i < 2; i++)
        set_state(&w->carriers[i], CARRIER_DOWN, "port lost");
    s.modem = "A";
    s.prefer = true;
    assert_true(admit(w, &s) > 0);
    run(w, 5 * MINUTE);
    set_state(&w->carriers[1], CARRIER_READY, "");
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, SECOND);
    assert_int_equal(carrier_of(w, "answer"), 0);
    end(w);
}

/* … and when the SIM that stood in for it had begun with it: the rest is not tried by that again and again.
 */
static void opted_out_after_the_first_part(void **state)
{
    struct world *w = start(NULL, (const struct names[]){{"A", ""}, {"B", ""}}, 2);
    struct gateway_send s = message(GERMAN, long_text());
    int events;

    (void)state;
    w->conf.on_unknown = ON_UNKNOWN_RESEND;
    set_state(&w->carriers[0], CARRIER_DOWN, "port lost");
    s.modem = "A";
    s.prefer = true;
    int64_t id = admit(w, &s);
    assert_true(id > 0);
    plan(&w->carriers[1], unknown_outcome());
    run(w, 3 * MINUTE);
    assert_int_equal(w->nlog, 1);
    assert_state(w, id, MSG_UNKNOWN);
    opt_out_of(w, "B");
    run(w, 8 * MINUTE);
    events = 0;
    for (int64_t until = rt_sim_now(w->rt) + HOUR; rt_sim_now(w->rt) < until && events < 10000; events++)
        if (!rt_sim_step(w->rt))
            break;
    assert_true(events < 10000);
    assert_int_equal(w->nlog, 1);
    assert_state(w, id, MSG_QUEUED);
    set_state(&w->carriers[0], CARRIER_READY, "");
    run(w, MINUTE);
    assert_int_equal(w->nlog, 4);
    assert_int_equal(long_parts_by(w, 0), 3);
    end(w);
}

/* What waits says why, also a long message of which a day's limit has room for the first part only; status
 * counts what waits for more than a moment. */
static void holds(void **state)
{
    struct world *w = start(NULL, (const struct names[]){{"A", ""}}, 1);
    struct gateway_hold told[2];
    char text[300];

    (void)state;
    life_crash(w);
    w->limits[0].per_day = 3;
    life_start(w);
    for (int i = 0; i < 2; i++)
        assert_true(send_to(w, GERMAN, "short") > 0);
    run(w, MINUTE);
    assert_int_equal(gateway_get_holds(w->g, told, 2), 0);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_true(send_to(w, GERMAN, text) > 0); /* two parts */
    assert_int_equal(gateway_get_holds(w->g, told, 2), 0);
    run(w, MINUTE);
    assert_int_equal(w->nlog, 2);
    assert_contains(w->reason, "limit per_day");
    assert_int_equal(gateway_get_holds(w->g, told, 2), 1);
    assert_int_equal(told[0].messages, 1);
    assert_contains(told[0].reason, "limit per_day");
    run(w, DAY);
    assert_int_equal(w->nlog, 4);
    assert_int_equal(gateway_get_holds(w->g, told, 2), 0);
    end(w);
}

/* A message that waits for a cheaper modem does not keep a dearer one from what only that may take. */
static void cheapest_blocks_nobody(void **state)
{
    const struct route_conf routes[] = {
        {.name = "cheap", .modem = "", .pool = "p", .prefer = ROUTE_CHEAPEST}};
    const struct cost_conf costs[] = {{.modem = "A", .per_part = "0.02"}, {.modem = "", .per_part = "0.09"}};
    const struct policy_conf policy = {.routes = routes, .nroutes = 1, .costs = costs, .ncosts = 2};
    struct world *w = start(&policy, (const struct names[]){{"A", "p"}, {"B", "p"}}, 2);
    struct gateway_send s = message(GERMAN, "by B");

    (void)state;
    s.modem = "B";
    assert_true(admit(w, &s) > 0);
    run(w, SECOND);
    assert_int_equal(carrier_of(w, "by B"), 1);
    w->carriers[0].send_ms = 10 * SECOND;
    for (int i = 0; i < 20; i++)
        assert_true(send_to(w, GERMAN, "cheap") > 0);
    run(w, SECOND);
    s.text = "by B too";
    assert_true(admit(w, &s) > 0);
    run(w, 30 * SECOND);
    assert_int_equal(carrier_of(w, "by B too"), 1);
    assert_int_equal(carrier_of(w, "cheap"), 0);
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(premium),
        cmocka_unit_test(precedence),
        cmocka_unit_test(failover),
        cmocka_unit_test(failover_at_quota),
        cmocka_unit_test(hour_outlives_a_crash),
        cmocka_unit_test(cheapest),
        cmocka_unit_test(route_quota),
        cmocka_unit_test(cost_cap),
        cmocka_unit_test(quiet),
        cmocka_unit_test(quiet_in_queue),
        cmocka_unit_test(trial),
        cmocka_unit_test(reload),
        cmocka_unit_test(masked),
        cmocka_unit_test(cheapest_at_quota),
        cmocka_unit_test(cost_cap_first),
        cmocka_unit_test(wish_of_a_scheduled_message),
        cmocka_unit_test(wish_for_a_busy_modem),
        cmocka_unit_test(cheapest_blocks_nobody),
        cmocka_unit_test(repeated),
        cmocka_unit_test(holds),
        cmocka_unit_test(opted_out_of_the_stand_in),
        cmocka_unit_test(opted_out_is_given_back),
        cmocka_unit_test(opted_out_after_the_first_part),
        cmocka_unit_test(wish_without_room),
        cmocka_unit_test(failover_without_room),
        cmocka_unit_test(wish_for_a_restarting_modem),
        cmocka_unit_test(midnight_is_not_forgotten),
        cmocka_unit_test(retried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
