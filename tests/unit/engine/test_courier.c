/* Deliveries: what must reach a handler, from the store, with deaths anywhere: told at least once, by the
 * same event id, and what it answers done exactly once. */

#include "engine/courier.h"
#include "engine/plugins.h"
#include "engine/private.h"
#include "tests/lib/outside.h"
#include "world.h"

#include "tests/lib/full_disk.h"

#define OURS "+491701111111"

static struct world w;
static struct outside outside;
static struct engine_handler_conf handler;
static struct engine_conf conf;
static int served;   /* requests that were answered */
static int refusals; /* so many are refused first */
static const char *answer;
static const char *to_closed; /* to an event of this kind, where it is another */
static const char *slow;      /* this server takes longer than the test; NULL none */

/* The server: refuses, then answers. */
static void serve(void)
{
    while (served < outside.nrequests) {
        struct outside_request *r = &outside.request[served++];
        struct transfer *t = r->t;

        if (!t || (slow && !strcmp(r->url, slow)))
            continue;
        r->t = NULL;
        t->code = refusals > 0 ? 503 : 200;
        if (refusals-- <= 0)
            buf_adds(&t->answer,
                     to_closed && strstr(buf_str(&r->body), "\"on\":\"closed\"") ? to_closed : answer);
        t->done(t, 0);
    }
}

/* Until so much time has passed, or the process dies. */
static void run(int64_t ms)
{
    int64_t end = rt_sim_now(w.rt) + ms;

    while (rt_sim_now(w.rt) < end && !rt_sim_crashed(w.rt)) {
        rt_sim_run_for(w.rt, 10);
        if (!rt_sim_crashed(w.rt))
            serve();
    }
}

static int set_up(void **state)
{
    struct rt *rt = rt_sim_new(rt_sim_seed(1));

    (void)state;
    handler = (struct engine_handler_conf){.name = "crm",
                                           .kind = HANDLER_WEBHOOK,
                                           .url = "https://crm.example/",
                                           .deadline_ms = 1000,
                                           .retry_for_ms = 3600000,
                                           .asynchronous = true};
    conf = conf_of(NULL, 0);
    conf.handlers = &handler;
    conf.nhandlers = 1;
    answer = "[{\"action\":\"reply\",\"text\":\"late answer\"},{\"action\":\"tag\",\"tag\":\"told\"}]";
    served = refusals = 0;
    to_closed = slow = NULL;
    outside_init(&outside, rt);
    world_outside = (struct engine_world){&outside.children, &outside.transfers};
    world_start(&w, rt, &conf, OURS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_stop(&w);
    outside_fini(&outside);
    rt_sim_free(w.rt);
    return 0;
}

static void die(void)
{
    world_crash(&w);
    for (int i = 0; i < outside.nrequests; i++)
        outside.request[i].t = NULL;
    served = outside.nrequests;
    world_open(&w);
}

static int waiting(void)
{
    struct courier_stats st;

    courier_get_stats(w.engine->courier, &st);
    return st.waiting;
}

static void assert_told(const char *event)
{
    char line[80];

    snprintf(line, sizeof line, "X-Simgate-Event: %s", event);
    for (int i = 0; i < outside.nrequests; i++) {
        bool found = false;

        for (int k = 0; k < outside.request[i].nheaders; k++)
            found = found || !strcmp(outside.request[i].headers[k], line);
        assert_true(found);
    }
}

/* A server that refuses twice is told a third time, and its answer is sent. */
static void test_told_until_taken(void **state)
{
    (void)state;
    refusals = 2;
    world_receive(&w, CUSTOMER, "hello");
    run(120000);
    assert_int_equal(outside.nrequests, 3);
    assert_told("message:1");
    assert_int_equal(w.mr, 1);
    assert_string_equal(w.sent[0].to, CUSTOMER);
    assert_string_equal(w.sent[0].text, "late answer");
    assert_int_equal(waiting(), 0);
}

/* Nothing of a wrong answer is done, and it is an answer: the server is not told again. */
static void test_wrong_answer(void **state)
{
    (void)state;
    answer = "[{\"action\":\"reply\",\"text\":\"x\"},{\"action\":\"hug\"}]";
    world_receive(&w, CUSTOMER, "hello");
    run(600000);
    assert_int_equal(outside.nrequests, 1);
    assert_int_equal(w.mr, 0);
}

static char alarm_text[300];

static void hear_alarm(struct gateway_watcher *watcher, const struct gateway_event *ev)
{
    (void)watcher;
    if (ev->kind == EV_ALARM)
        str_copy(alarm_text, sizeof(alarm_text), ev->text);
}

/* A server that never takes it: given up in the end, with an alarm. */
static void test_given_up(void **state)
{
    struct gateway_watcher watcher = {.event = hear_alarm};
    int asked;

    (void)state;
    gateway_watch(w.gateway, &watcher);
    refusals = 1000;
    world_receive(&w, CUSTOMER, "hello");
    run(2 * 3600000);
    assert_true(outside.nrequests > 5 && outside.nrequests < 30);
    assert_non_null(strstr(alarm_text, "handler crm was not told of message:1"));
    assert_non_null(strstr(alarm_text, "HTTP status 503"));
    gateway_unwatch(w.gateway, &watcher);
    asked = outside.nrequests;
    run(2 * 3600000);
    assert_int_equal(outside.nrequests, asked);
}

/* A late answer keeps to the guard, as any automatic reply. */
static void test_guarded(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        world_receive(&w, CUSTOMER, "hello");
        run(3000);
    }
    run(60000);
    assert_int_equal(outside.nrequests, 12);
    assert_true(w.mr <= 5);
}

/* A handler that a reload has taken away, and another brings back. */
static void test_reload(void **state)
{
    struct engine_conf without = conf_of(NULL, 0);

    (void)state;
    refusals = 1;
    world_receive(&w, CUSTOMER, "hello");
    run(1000);
    assert_int_equal(outside.nrequests, 1);
    assert_int_equal(engine_reconfigure(w.engine, &without, NULL, NULL), 0);
    run(60000);
    assert_int_equal(outside.nrequests, 1);
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    run(600000);
    assert_int_equal(outside.nrequests, 2);
    assert_int_equal(w.mr, 1);
}

/* A server that closes each conversation that was opened, and opens each that was closed: eight events follow
 * each other, as in a chain that is waited for, and no more. */
static void test_no_endless_loop(void **state)
{
    static const char *const on[] = {"message", "opened", "closed", NULL};

    (void)state;
    handler.on = on;
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    answer = "{\"action\":\"close\"}";
    to_closed = "{\"action\":\"open\"}";
    world_receive(&w, CUSTOMER, "hello");
    for (int i = 0; i < 100 && outside.nrequests < OUTSIDE_MOST - 8; i++)
        run(1000);
    assert_in_range(outside.nrequests, DESK_EVENT_DEPTH, DESK_EVENT_DEPTH + 2);
}

/* A handler that may be told for a week is taken away for an hour when its event is two days old: it is not
 * given up. */
static void test_old_and_away(void **state)
{
    struct engine_conf without = conf_of(NULL, 0);

    (void)state;
    handler.retry_for_ms = INT64_C(7) * 86400000;
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    refusals = 1000;
    world_receive(&w, CUSTOMER, "hello");
    for (int i = 0; i < 48; i++) {
        run(3600000);
        while (outside.nrequests > 0)
            buf_free(&outside.request[--outside.nrequests].body);
        served = 0;
    }
    assert_int_equal(engine_reconfigure(w.engine, &without, NULL, NULL), 0);
    run(2 * 3600000);
    assert_int_equal(outside.nrequests, 0);
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    refusals = 0;
    run(2 * 3600000);
    assert_int_equal(outside.nrequests, 1);
    assert_int_equal(w.mr, 1);
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
}

/* A dead handler for whom an alarm and a hundred conversations' beginnings are held keeps no other event from
 * its rule. */
static void test_held_are_passed(void **state)
{
    static const char *const on[] = {"opened", "alarm", NULL};
    const struct engine_rule_conf rule = {.name = "hourly",
                                          .on = ENGINE_ON_SCHEDULE,
                                          .schedule = "every 1h",
                                          .send_to = WORDS("+491707654321"),
                                          .send = "another hour"};
    struct engine_conf hold = conf_of(&rule, 1);
    char number[24];

    (void)state;
    handler.on = on;
    handler.asynchronous = false;
    handler.on_failure = ON_FAILURE_HOLD;
    handler.retry_for_ms = 86400000;
    hold.handlers = &handler;
    hold.nhandlers = 1;
    assert_int_equal(engine_reconfigure(w.engine, &hold, NULL, NULL), 0);
    refusals = 1000;
    run(1000);
    w.carrier.alarms[CARRIER_ALARM_NETWORK].on = true;
    str_copy(w.carrier.alarms[CARRIER_ALARM_NETWORK].text, CARRIER_TEXT_BYTES, "no network");
    w.carrier.up->alarm(w.carrier.up_owner, &w.carrier, CARRIER_ALARM_NETWORK);
    for (int i = 0; i < 100; i++) {
        snprintf(number, sizeof number, "+4917010000%03d", i);
        world_receive(&w, number, "hello");
        run(1000);
    }
    run(2 * 3600000);
    assert_in_range(w.mr, 1, 3);
    assert_string_equal(w.sent[0].text, "another hour");
}

/* A message that the network had kept for two days is held as any other: it is new here. */
static void test_late_is_held(void **state)
{
    struct world_list in;

    (void)state;
    handler.asynchronous = false;
    handler.on_failure = ON_FAILURE_HOLD;
    handler.retry_for_ms = 86400000;
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    run(2 * 86400000);
    refusals = 1;
    world_receive(&w, CUSTOMER, "hello");
    run(500);
    world_list(&w, MSG_IN, &in);
    assert_int_equal(in.list.rows[0].state, MSG_RECEIVED);
    world_unlist(&in);
    run(60000);
    world_list(&w, MSG_IN, &in);
    assert_int_equal(in.list.rows[0].state, MSG_HANDLED);
    world_unlist(&in);
    assert_int_equal(outside.nrequests, 2);
    assert_int_equal(w.mr, 1);
}

/* The disk is full when a server has answered: it is not told again and again, and what it has answered is
 * done when there is room. On a small tmpfs (needs root). */
static void test_full_disk(void **state)
{
    char ballast[96];

    (void)state;
    world_crash(&w);
    if (mount("tmpfs", w.dir, "tmpfs", 0, "size=2m") != 0) {
        world_open(&w);
        skip();
    }
    world_open(&w);
    snprintf(ballast, sizeof ballast, "%s/ballast", w.dir);
    slow = handler.url;
    world_receive(&w, CUSTOMER, "hello");
    run(1000);
    assert_int_equal(outside.nrequests, 1);
    fill_disk(ballast);
    slow = NULL;
    served = 0;
    run(10 * MINUTE_MS);
    assert_int_equal(w.mr, 0);
    assert_int_equal(unlink(ballast), 0);
    run(10 * MINUTE_MS);
    assert_int_equal(outside.nrequests, 1);
    assert_int_equal(w.mr, 1);
    assert_int_equal(waiting(), 0);
    world_crash(&w);
    assert_int_equal(umount2(w.dir, MNT_DETACH), 0);
    world_open(&w);
}

static void on_stored(struct gateway_apply *a, int status)
{
    (void)a;
    assert_int_equal(status, 0);
}

/* A slow server for which hundreds of events wait: another handler is told of its own at once. */
static void test_slow_leaves_room(void **state)
{
    enum { MANY = 600 };
    static struct store_effect effects[MANY + 1];
    static char keys[MANY][24];
    struct engine_handler_conf two[2] = {handler, handler};
    struct engine_conf both = conf;
    struct gateway_verdict v = {
        .reason = "test", .thread = THREAD_NONE, .effects = effects, .neffects = MANY + 1};
    struct gateway_apply a = {.verdict = &v, .done = on_stored};

    (void)state;
    two[1].name = "other";
    two[1].url = "https://other.example/";
    both.handlers = two;
    both.nhandlers = 2;
    assert_int_equal(engine_reconfigure(w.engine, &both, NULL, NULL), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "event:%d", i + 1);
        effects[i] = (struct store_effect){
            .kind = EFFECT_DELIVER, .name = "crm", .key = keys[i], .value = "{\"simgate\":1}"};
    }
    effects[MANY] = effects[0];
    effects[MANY].name = "other";
    slow = handler.url;
    answer = "";
    gateway_apply(w.gateway, &a);
    run(10000);
    assert_int_equal(outside.nrequests, 5);
    assert_string_equal(outside.request[4].url, two[1].url);
    slow = NULL;
    for (served = 0; waiting() > 0;) {
        run(10);
        while (outside.nrequests > 0)
            buf_free(&outside.request[--outside.nrequests].body);
        served = 0;
    }
}

struct kill {
    uint64_t at, seen;
};

static bool kill_now(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    struct kill *k = arg;

    (void)moment, (void)number;
    return ++k->seen == k->at;
}

static void killed_at(uint64_t at, bool *crashed)
{
    struct kill k = {.at = at};

    refusals = 1;
    rt_sim_on_work(w.rt, kill_now, &k);
    world_receive(&w, CUSTOMER, "hello");
    run(60000);
    *crashed = rt_sim_crashed(w.rt);
    rt_sim_on_work(w.rt, NULL, NULL);
    die();
    if (!w.settled)
        world_offer(&w);
    run(600000);
}

/* Killed before or after any commit: the server is told at least once, always by the same id; its answer is
 * sent once. */
static void test_killed_anywhere(void **state)
{
    bool crashed = true;
    uint64_t at;

    (void)state;
    for (at = 1; crashed; at++) {
        struct world_list out;

        killed_at(at, &crashed);
        assert_true(outside.nrequests >= 1);
        assert_told("message:1");
        world_list(&w, MSG_OUT, &out);
        assert_int_equal(out.list.count, 1);
        world_unlist(&out);
        tear_down(NULL);
        set_up(NULL);
    }
    assert_true(at > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_told_until_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_guarded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_endless_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_and_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_held_are_passed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_is_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_leaves_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_anywhere, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("courier", tests, NULL, NULL);
}
