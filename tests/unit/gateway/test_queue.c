/* The queue's index, the limits and the table of retries: pure. */
#include "tests/unit/gateway/world.h"

#include "gateway/limits.h"
#include "gateway/queue.h"
#include "gateway/retry.h"

static struct queue_entry *put(struct queue *q, int64_t id, const char *source, int priority, int64_t due_ms)
{
    struct queue_entry *e = queue_new(q, id, source);
    e->priority = (uint8_t)priority;
    e->due_ms = due_ms;
    queue_put(q, e, 1000);
    return e;
}

/* The next message by any route; 0 none. It is taken out. */
static int64_t next(struct queue *q)
{
    struct queue_route *routes[16];
    int n = 0;
    for (struct queue_route *r = q->routes; r; r = r->next)
        routes[n++] = r;
    struct queue_entry *e = queue_next(routes, n);
    if (!e)
        return 0;
    int64_t id = e->id;
    queue_serve(q, e);
    queue_free(q, e);
    return id;
}

/* Higher priority goes first; then due time, then id. */
static void priority_then_due_then_id(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    put(&q, 5, "a", 1, 900);
    put(&q, 4, "a", 1, 900);
    put(&q, 3, "a", 1, 800);
    put(&q, 2, "a", 0, 100);
    put(&q, 1, "a", 2, 950);
    const int64_t expected[] = {1, 3, 4, 5, 2, 0};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(next(&q), expected[i]);
    queue_fini(&q);
}

/* A campaign of a thousand does not starve one reply: senders take turns. Files of the spool are one sender.
 */
static void senders_take_turns(void **state)
{
    (void)state;
    struct queue q;
    char source[32];
    queue_init(&q);
    for (int i = 1; i <= 1000; i++) {
        snprintf(source, sizeof(source), "spool:file%d", i);
        put(&q, i, source, 1, 500);
    }
    assert_int_equal(next(&q), 1);
    put(&q, 2001, "rule:hours", 1, 900);
    int64_t a = next(&q), b = next(&q);
    assert_true(a == 2001 || b == 2001);
    assert_true(a == 2 || b == 2);
    assert_int_equal(next(&q), 3);
    queue_fini(&q);
}

/* Messages wait for their time, expire by it, and the wake time is the nearest of both. */
static void due_and_expiry(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    struct queue_entry *e = put(&q, 1, "a", 1, 5000);
    put(&q, 2, "a", 1, 9000);
    assert_int_equal(next(&q), 0);
    assert_int_equal(q.waiting, 2);
    assert_int_equal(queue_wake_ms(&q), 5000);
    assert_null(queue_tick(&q, 4999));
    assert_int_equal(next(&q), 0);
    assert_null(queue_tick(&q, 5000));
    assert_int_equal(queue_wake_ms(&q), 9000);
    queue_take(&q, e);
    e->expires_ms = 6000;
    queue_put(&q, e, 5000);
    assert_int_equal(queue_wake_ms(&q), 6000);
    assert_ptr_equal(queue_tick(&q, 6000), e);
    assert_false(queue_is_put(e));
    queue_free(&q, e);
    assert_null(queue_find(&q, 1));
    assert_non_null(queue_find(&q, 2));
    queue_fini(&q);
}

/* A wished-for modem is a route of its own until the wish ends; then the pool. */
static void a_wish_ends(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q);
    struct queue_entry *e = queue_new(&q, 1, "rule:x");
    e->modem = queue_name(&q, "M1");
    e->pool = queue_name(&q, "shop");
    e->prefer_until_ms = 2000;
    queue_put(&q, e, 1000);
    assert_string_equal(q.routes->modem, "M1");
    assert_int_equal(q.routes->count, 1);
    assert_int_equal(queue_wake_ms(&q), 2000);
    assert_null(queue_tick(&q, 2000));
    assert_string_equal(q.routes->modem, "");
    assert_string_equal(q.routes->pool, "shop");
    assert_int_equal(q.routes->count, 1);
    queue_fini(&q);
}

/* An index entry is small: a million messages are to be ordinary. */
static void entries_are_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct queue_entry) <= 160);
}

/* Whatever is put, taken, served and ticked in any order: nothing is lost, nothing comes twice, nothing comes
 * before its time, and higher priorities never wait for lower ones. */
static void random_moves_keep_the_index_whole(void **state)
{
    (void)state;
    uint64_t seed = rt_sim_seed(42);
    struct rt *rt = rt_sim_new(seed);
    struct queue q;
    queue_init(&q);
    int64_t now = 1000, made = 0, gone = 0;
    for (int step = 0; step < 50000; step++) {
        uint64_t what = rt_sim_random(rt, 10);
        if (what < 4) {
            made++;
            struct queue_entry *e = queue_new(&q, made, (const char *[]){"a", "b", "spool:x"}[made % 3]);
            e->priority = (uint8_t)rt_sim_random(rt, 3);
            e->due_ms = now - 50 + (int64_t)rt_sim_random(rt, 200);
            e->expires_ms = rt_sim_random(rt, 4) ? RT_NEVER : e->due_ms + (int64_t)rt_sim_random(rt, 400);
            queue_put(&q, e, now);
        } else if (what < 7) {
            struct queue_route *routes[1] = {q.routes};
            struct queue_entry *e = q.routes ? queue_next(routes, 1) : NULL;
            if (!e)
                continue;
            assert_true(e->due_ms <= now);
            for (int p = e->priority + 1; p < QUEUE_PRIORITIES; p++)
                assert_null(q.routes->ring[p]);
            queue_serve(&q, e);
            if (rt_sim_random(rt, 3) == 0) {
                e->due_ms = now + (int64_t)rt_sim_random(rt, 100);
                queue_put(&q, e, now);
            } else {
                queue_free(&q, e);
                gone++;
            }
        } else if (what < 8) {
            struct queue_entry *e = queue_find(&q, 1 + (int64_t)rt_sim_random(rt, (uint64_t)made + 1));
            if (e) {
                queue_free(&q, e);
                gone++;
            }
        } else {
            now += (int64_t)rt_sim_random(rt, 20);
            struct queue_entry *e;
            while ((e = queue_tick(&q, now)) != NULL) {
                assert_true(e->expires_ms <= now);
                queue_free(&q, e);
                gone++;
            }
            assert_true(queue_wake_ms(&q) > now);
        }
        assert_int_equal(q.nentries, made - gone);
        assert_int_equal(q.heap_len, made - gone);
        assert_int_equal(q.waiting + (q.routes ? q.routes->count : 0), made - gone);
    }
    queue_fini(&q);
    rt_sim_free(rt);
}

/* Rolling minute: a part may go when the oldest of the last N is a minute old. What did not go out is given
 * back. */
static void rolling_limits(void **state)
{
    (void)state;
    struct limits l;
    int64_t wake = 0, wall = RT_SIM_START_WALL_MS;
    const char *why;
    int bound;
    limits_init(&l, &(struct gateway_limits){.per_minute = 2, .per_hour = 3});
    limits_calendar(&l, wall);
    limits_count(&l, 1000);
    limits_count(&l, 2000);
    assert_false(limits_allow(&l, 1, 3000, wall, &wake, &why, &bound));
    assert_string_equal(why, "per_minute");
    assert_int_equal(wake, 61000);
    limits_give_back(&l);
    assert_true(limits_allow(&l, 1, 3000, wall, &wake, &why, &bound));
    limits_count(&l, 3000);
    assert_true(limits_allow(&l, 1, 61000, wall, &wake, &why, &bound));
    limits_count(&l, 61000);
    assert_false(limits_allow(&l, 1, 64000, wall, &wake, &why, &bound));
    assert_string_equal(why, "per_hour");
    assert_int_equal(wake, 1000 + HOUR);
    limits_change(&l, &(struct gateway_limits){.per_minute = 1});
    assert_false(limits_allow(&l, 1, 64000, wall, &wake, &why, &bound));
    assert_int_equal(wake, 121000);
    limits_fini(&l);
}

/* What the store knows of the last hour counts from the end of its quarter on, at the latest from now. */
static void hour_of_the_store(void **state)
{
    enum { QUARTER = HOUR / 4 };
    const int64_t quarters[USAGE_QUARTERS] = {1, 0, 7, 0, 1};
    struct limits l;
    int64_t wake = 0, wall = RT_SIM_START_WALL_MS / QUARTER * QUARTER + 1000, now = 5000;
    const char *why;
    int bound;

    (void)state;
    limits_init(&l, &(struct gateway_limits){.per_minute = 1, .per_hour = 10});
    limits_calendar(&l, wall);
    limits_count(&l, now);
    limits_use_hour(&l, quarters, now, wall);
    assert_true(limits_allow(&l, 1, now, wall, &wake, &why, &bound)); /* nine of ten, and another minute */
    limits_count(&l, now);
    now += MINUTE;
    assert_false(limits_allow(&l, 1, now, wall + MINUTE, &wake, &why, &bound));
    assert_string_equal(why, "per_hour");
    assert_int_equal(wake, 4000 + QUARTER);
    limits_fini(&l);
}

/* The day's quota opens at midnight; a message that is longer than what is left waits whole. */
static void calendar_limits(void **state)
{
    (void)state;
    struct limits l;
    int64_t wake = 0, wall = RT_SIM_START_WALL_MS, now = 5000;
    const char *why;
    int bound;
    limits_init(&l, &(struct gateway_limits){.per_day = 10, .per_month = 100});
    assert_true(limits_calendar(&l, wall));
    limits_use(&l, 8, 50);
    assert_true(limits_allow(&l, 2, now, wall, &wake, &why, &bound));
    assert_false(limits_allow(&l, 3, now, wall, &wake, &why, &bound));
    assert_string_equal(why, "per_day");
    assert_int_equal(wake, now + l.day_end_wall_ms - wall);
    assert_false(limits_calendar(&l, wall + HOUR));
    wall = l.day_end_wall_ms;
    assert_true(limits_calendar(&l, wall));
    assert_int_equal(l.day, 0);
    assert_int_equal(l.month, 50);
    assert_true(limits_allow(&l, 12, now, wall, &wake, &why, &bound)); /* longer than the limit: alone */
    limits_fini(&l);
}

/* Each class of error has its own answer. */
static void each_class_has_its_answer(void **state)
{
    (void)state;
    const struct {
        enum carrier_error error;
        bool may_change;
        int n;
        int64_t delays_ms[8]; /* -1 fail, -2 sent */
    } rows[] = {
        {CARRIER_E_OURS, false, 1, {-1}},
        {CARRIER_E_PERMANENT, true, 1, {-1}},
        {CARRIER_E_ACCEPTED, false, 1, {-2}},
        {CARRIER_E_SIM, true, 3, {0, 0, -1}},
        {CARRIER_E_SIM, false, 3, {30000, 120000, -1}},
        {CARRIER_E_NETWORK, false, 7, {5000, 30000, 120000, 600000, 1800000, 1800000, 1800000}},
        {CARRIER_E_MODEM, false, 3, {5000, 5000, 30000}},
        {CARRIER_E_BUSY, false, 6, {200, 500, 1000, 2000, 4000, 4000}},
        {CARRIER_E_UNCLEAR, false, 3, {5000, 30000, -1}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t fails[RETRY_CLASSES] = {0};
        for (int k = 0; k < rows[i].n; k++) {
            struct retry_answer a = retry_decide(rows[i].error, fails, rows[i].may_change);
            int64_t got = a.action == RETRY_FAIL ? -1 : a.action == RETRY_IS_SENT ? -2 : a.delay_ms;
            assert_int_equal(got, rows[i].delays_ms[k]);
        }
    }
}

/* Busy is asked for about a minute, then as a fault of the network, for ever; another SIM after two faults.
 */
static void ladders_lead_on(void **state)
{
    (void)state;
    uint8_t fails[RETRY_CLASSES] = {0};
    int64_t sum = 0;
    struct retry_answer a;
    while ((a = retry_decide(CARRIER_E_BUSY, fails, false)).delay_ms < 5000)
        sum += a.delay_ms;
    assert_in_range(sum, 45000, 75000);
    assert_int_equal(a.delay_ms, 5000);
    uint8_t network[RETRY_CLASSES] = {0};
    assert_false(retry_decide(CARRIER_E_NETWORK, network, true).other_sim);
    assert_true(retry_decide(CARRIER_E_NETWORK, network, true).other_sim);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(retry_decide(CARRIER_E_NETWORK, network, false).action, RETRY_LATER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(priority_then_due_then_id),
        cmocka_unit_test(senders_take_turns),
        cmocka_unit_test(due_and_expiry),
        cmocka_unit_test(a_wish_ends),
        cmocka_unit_test(entries_are_small),
        cmocka_unit_test(random_moves_keep_the_index_whole),
        cmocka_unit_test(rolling_limits),
        cmocka_unit_test(hour_of_the_store),
        cmocka_unit_test(calendar_limits),
        cmocka_unit_test(each_class_has_its_answer),
        cmocka_unit_test(ladders_lead_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
