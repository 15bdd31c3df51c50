/* Messages through store, engine and gateway: who is answered, how often, and that nothing lets it happen
 * twice or not at all.
 */

#include "base/log.h"
#include "store/query_desk.h"
#include "tests/lib/outside.h"
#include "world.h"

#include "tests/lib/full_disk.h"

#define OTHER "+491707654321"
#define OURS  "+491701111111"

static const struct engine_rule_conf rules[] = {
    {.name = "hours", .keywords = WORDS("hours"), .reply = "9-18, {{message.from}}"},
    {.name = "twice", .keywords = WORDS("twice"), .reply = "one", .also = true},
    {.name = "fire",
     .keywords = WORDS("fire"),
     .alarm = "{{message.from}} says: {{message.text}}",
     .also = true},
    {.name = "any", .reply = "auto reply"},
};
static struct engine_conf conf;
static struct world w;

static int set_up(void **state)
{
    (void)state;
    conf = conf_of(rules, ARRAY_LEN(rules));
    world_start(&w, rt_sim_new(rt_sim_seed(1)), &conf, OURS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_stop(&w);
    rt_sim_free(w.rt);
    return 0;
}

static void assert_sent(int at, const char *to, const char *part)
{
    assert_true(at < w.mr);
    assert_string_equal(w.sent[at].to, to);
    if (!strstr(w.sent[at].text, part))
        fail_msg("expected \"%s\" in \"%s\"", part, w.sent[at].text);
}

/* A customer's text is answered once, by the SIM that it came to, as an automatic reply of the rule. */
static void test_answered(void **state)
{
    struct world_list in, out;
    const struct msg_row *m;

    (void)state;
    world_receive(&w, CUSTOMER, "Hours, please");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_sent(0, CUSTOMER, "9-18, " CUSTOMER);
    world_list(&w, MSG_IN, &in);
    world_list(&w, MSG_OUT, &out);
    assert_int_equal(in.list.count, 1);
    assert_int_equal(in.list.rows[0].state, MSG_HANDLED);
    assert_int_equal(out.list.count, 1);
    m = &out.list.rows[0];
    assert_int_equal(m->reply_to, in.list.rows[0].id);
    assert_true(m->flags & MSG_F_AUTOMATIC);
    assert_false(m->flags & MSG_F_CONSENT);
    assert_string_equal(m->source, "rule:hours");
    assert_string_equal(m->modem, "counter");
    world_unlist(&in);
    world_unlist(&out);
}

static char alarm_text[200];

static void hear_alarm(struct gateway_watcher *watcher, const struct gateway_event *ev)
{
    (void)watcher;
    if (ev->kind == EV_ALARM)
        str_copy(alarm_text, sizeof(alarm_text), ev->text);
}

/* A rule can tell an administrator of a message, once its verdict is durable; the customer is answered as
 * ever. */
static void test_rule_with_alarm(void **state)
{
    struct gateway_watcher watcher = {.event = hear_alarm};

    (void)state;
    gateway_watch(w.gateway, &watcher);
    world_receive(&w, CUSTOMER, "Fire in the kitchen");
    world_run(&w, MINUTE_MS);
    assert_string_equal(alarm_text, CUSTOMER " says: Fire in the kitchen");
    assert_int_equal(w.mr, 1);
    assert_sent(0, CUSTOMER, "auto reply");
    gateway_unwatch(w.gateway, &watcher);
}

/* A missed call is answered by its rule, once, and by no rule for messages; withheld numbers, ourselves and
 * those who opted out get nothing. */
static void test_call(void **state)
{
    static const struct engine_rule_conf with_call[] = {
        {.name = "any", .reply = "auto reply"},
        {.name = "missed", .on = ENGINE_ON_CALL, .reply = "We missed you, {{message.from}}."},
    };
    struct engine_conf calls = conf_of(with_call, ARRAY_LEN(with_call));
    struct world_list in;

    (void)state;
    assert_int_equal(engine_reconfigure(w.engine, &calls, NULL, NULL), 0);
    world_ring(&w, CUSTOMER);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_sent(0, CUSTOMER, "We missed you, " CUSTOMER ".");
    world_list(&w, MSG_IN, &in);
    assert_int_equal(in.list.count, 1);
    assert_int_equal(in.list.rows[0].flags, MSG_F_CALL);
    assert_string_equal(in.list.rows[0].reason, "rule missed");
    world_unlist(&in);
    world_ring(&w, "");
    world_ring(&w, OURS);
    world_receive(&w, OTHER, "STOP");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 2); /* the confirmation */
    world_ring(&w, OTHER);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 2);
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    world_ring(&w, CUSTOMER); /* no rule for calls: no answer */
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 2);
}

/* The guard bounds the answers to calls and messages of one number together. */
static void test_calls_and_guard(void **state)
{
    static const struct engine_rule_conf with_call[] = {
        {.name = "missed", .on = ENGINE_ON_CALL, .reply = "Sorry"},
        {.name = "any", .reply = "auto reply"},
    };
    struct engine_conf calls = conf_of(with_call, ARRAY_LEN(with_call));

    (void)state;
    assert_int_equal(engine_reconfigure(w.engine, &calls, NULL, NULL), 0);
    for (int i = 0; i < 4; i++) {
        world_ring(&w, CUSTOMER);
        world_receive(&w, CUSTOMER, "hi");
        world_run(&w, 5000);
    }
    assert_int_equal(w.mr, 5);
}

/* A rule that continues gives two replies, in their order. */
static void test_two_replies(void **state)
{
    (void)state;
    world_receive(&w, CUSTOMER, "twice");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 2);
    assert_sent(0, CUSTOMER, "one");
    assert_sent(1, CUSTOMER, "auto reply");
}

static struct gateway_admitted admitted;
static bool admit_done;

static void on_admitted(struct gateway_admit *a, int status)
{
    (void)status;
    admitted = a->results[0];
    admit_done = true;
}

static bool is_admitted(void *arg)
{
    (void)arg;
    return admit_done;
}

/* A person's message to the customer: 0 accepted, or why not. */
static int send_to(const char *to)
{
    struct gateway_send s;
    struct gateway_admitted result;
    struct gateway_admit a = {.sends = &s, .count = 1, .done = on_admitted, .results = &result};

    gateway_send_init(&s);
    s.to = to;
    s.text = "News";
    admit_done = false;
    gateway_admit(w.gateway, &a);
    assert_true(rt_sim_run_till(w.rt, is_admitted, NULL, MINUTE_MS));
    return admitted.id ? 0 : admitted.err.code;
}

/* STOP is confirmed, the confirmation passes the block, and from then on every producer is refused until
 * START, which is confirmed too. Another number is not concerned. */
static void test_consent(void **state)
{
    (void)state;
    world_receive(&w, CUSTOMER, "Stop.");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_sent(0, CUSTOMER, "you are unsubscribed");
    assert_int_equal(send_to(CUSTOMER), ERR_REFUSED);
    assert_int_equal(send_to(OTHER), 0);
    world_receive(&w, CUSTOMER, "hours");
    world_receive(&w, CUSTOMER, "STOP");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 2);
    world_receive(&w, CUSTOMER, "help");
    world_run(&w, MINUTE_MS);
    assert_sent(2, CUSTOMER, "Reply STOP");
    world_receive(&w, CUSTOMER, "start");
    world_run(&w, MINUTE_MS);
    assert_sent(3, CUSTOMER, "you are subscribed");
    assert_int_equal(send_to(CUSTOMER), 0);
    world_receive(&w, CUSTOMER, "hours");
    world_run(&w, MINUTE_MS);
    assert_sent(5, CUSTOMER, "9-18");
}

/* A message right behind STOP finds the number opted out, though both came at one instant. */
static void test_right_behind_stop(void **state)
{
    (void)state;
    world_receive(&w, CUSTOMER, "STOP");
    world_receive(&w, CUSTOMER, "hello");
    world_receive(&w, CUSTOMER, "hours");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_sent(0, CUSTOMER, "unsubscribed");
}

/* A burst from one number gets five replies in ten minutes, another number its own; later it is answered
 * again. */
static void test_burst(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        world_receive(&w, CUSTOMER, "hello");
    world_receive(&w, OTHER, "hello");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 6);
    world_run(&w, 11 * MINUTE_MS);
    assert_int_equal(w.mr, 6);
    world_receive(&w, CUSTOMER, "hello");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 7);
}

/* Short codes, names, our own number and binary messages get no reply; all of them are handled. */
static void test_not_answered(void **state)
{
    struct world_list in;

    (void)state;
    world_receive(&w, "12345", "hello");
    world_receive(&w, "MyBank", "hello");
    world_receive(&w, OURS, "hello");
    world_receive_pdu(&w, CUSTOMER, "hours", true);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 0);
    world_list(&w, MSG_IN, &in);
    assert_int_equal(in.list.count, 4);
    for (int i = 0; i < in.list.count; i++)
        assert_int_equal(in.list.rows[i].state, MSG_HANDLED);
    world_unlist(&in);
}

/* The configured number is ours while its modem is not there, and however the network writes it. */
static void test_own_number_of_absent_modem(void **state)
{
    (void)state;
    w.carrier.state = CARRIER_DOWN;
    w.carrier.imsi[0] = '\0';
    w.carrier.up->changed(w.carrier.up_owner, &w.carrier);
    world_receive(&w, OURS, "hello");
    world_receive(&w, OURS, "STOP");
    world_receive(&w, "01701111111", "hello");
    w.carrier.state = CARRIER_READY;
    w.carrier.up->changed(w.carrier.up_owner, &w.carrier);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 0);
    assert_int_equal(send_to(OURS), 0); /* our own STOP is nobody's opt-out */
}

static bool stored(void *arg)
{
    (void)arg;
    return w.settled;
}

/* STOP and what came right behind it while the disk was full are decided in their order when there is room.
 * On a small tmpfs (needs root). */
static void test_full_disk_behind_stop(void **state)
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
    world_receive(&w, CUSTOMER, "STOP");
    world_receive(&w, CUSTOMER, "hello");
    world_receive(&w, CUSTOMER, "hours");
    assert_true(rt_sim_run_till(w.rt, stored, NULL, MINUTE_MS));
    fill_disk(ballast);
    world_run(&w, 10 * MINUTE_MS);
    assert_int_equal(w.mr, 0);
    assert_int_equal(unlink(ballast), 0);
    world_run(&w, 10 * MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_sent(0, CUSTOMER, "unsubscribed");
    world_crash(&w);
    assert_int_equal(umount2(w.dir, MNT_DETACH), 0);
    world_open(&w);
}

static void closed(void *owner)
{
    *(bool *)owner = true;
}

static bool is_true(void *arg)
{
    return *(bool *)arg;
}

/* A message that is being decided when the store closes is decided in the next life. */
static void test_closed_midway(void **state)
{
    bool is_closed = false;

    (void)state;
    world_receive(&w, CUSTOMER, "hours");
    assert_true(rt_sim_run_till(w.rt, stored, NULL, MINUTE_MS));
    assert_int_equal(w.mr, 0);
    store_close(w.store, closed, &is_closed);
    assert_true(rt_sim_run_till(w.rt, is_true, &is_closed, MINUTE_MS));
    engine_free(w.engine);
    gateway_free(w.gateway);
    rt_sim_drop(w.rt);
    world_open(&w);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_sent(0, CUSTOMER, "9-18");
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

/* One life that ends at the given event of the store; what it left, the next one finishes. False: it did not
 * come to that event. */
static bool killed_at(uint64_t at, const char *text)
{
    struct kill k = {.at = at};
    bool crashed;

    rt_sim_on_work(w.rt, kill_now, &k);
    world_receive(&w, CUSTOMER, text);
    world_run(&w, MINUTE_MS);
    crashed = rt_sim_crashed(w.rt);
    rt_sim_on_work(w.rt, NULL, NULL);
    world_crash(&w);
    world_open(&w);
    if (!w.settled)
        world_offer(&w);
    world_run(&w, 5 * MINUTE_MS);
    return crashed;
}

/* Killed before or after any commit, the engine neither forgets the opt-out and its confirmation nor makes
 * them twice. */
static void test_killed_anywhere(void **state)
{
    bool crashed = true;
    uint64_t at;

    (void)state;
    for (at = 1; crashed; at++) {
        struct world_list in, out;

        crashed = killed_at(at, "STOP");
        assert_true(w.mr <= 1);
        world_list(&w, MSG_IN, &in);
        world_list(&w, MSG_OUT, &out);
        assert_int_equal(in.list.count, 1);
        assert_int_equal(in.list.rows[0].state, MSG_HANDLED);
        assert_int_equal(out.list.count, 1);
        assert_true(out.list.rows[0].flags & MSG_F_CONSENT);
        assert_int_equal(send_to(CUSTOMER), ERR_REFUSED);
        world_unlist(&in);
        world_unlist(&out);
        tear_down(NULL);
        set_up(NULL);
    }
    assert_true(at > 10); /* there are events to be killed at */
}

/* Two gateways that answer everything answer each other five times, and fall silent for good. With STOP and
 * HELP in their texts too. */
static void test_two_machines(void **state)
{
    static const char *const opening[] = {"hello", "HELP", "STOP", "START"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(opening); i++) {
        struct engine_rule_conf loop = {.name = "loop", .reply = opening[i]};
        struct engine_conf c = conf_of(&loop, 1);
        struct world b;
        int sent;

        c.consent.help_reply = c.consent.stop_reply = c.consent.start_reply = opening[i];
        world_start(&b, w.rt, &c, OTHER);
        assert_int_equal(engine_reconfigure(w.engine, &c, NULL, NULL), 0);
        w.other = &b;
        b.other = &w;
        world_receive(&w, OTHER, opening[i]);
        world_run(&w, 5 * MINUTE_MS);
        sent = w.mr + b.mr;
        assert_true(sent <= 2 * (5 + 3));
        world_run(&w, 120 * MINUTE_MS);
        assert_int_equal(w.mr + b.mr, sent);
        world_stop(&b);
        tear_down(NULL);
        set_up(NULL);
    }
}

/* A trial on the running engine also tells how many segments the reply needs. */
static void test_trial(void **state)
{
    struct engine_trial t = {.from = CUSTOMER, .text = "hello"};
    struct engine_trial_result r;

    (void)state;
    engine_try(w.engine, &t, &r);
    assert_string_equal(buf_str(&r.reply), "auto reply");
    assert_non_null(strstr(buf_str(&r.why), "reply: 1 segment, 10 septets"));
    engine_trial_clear(&r);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 0);
}

#define FLOW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* ---- events ---------------------------------------------------------------------------------------------
 */

static void use(const struct engine_rule_conf *list, int count)
{
    static struct engine_conf now;

    now = conf_of(list, count);
    now.country = "49";
    assert_int_equal(engine_reconfigure(w.engine, &now, NULL, NULL), 0);
}

static const struct engine_rule_conf rules_of_events_of_conversations[] = {
    {.name = "opened",
     .on = ENGINE_ON_OPENED,
     .names = WORDS("new"),
     .tag = WORDS("seen"),
     .conversation = "close"},
    {.name = "closed",
     .on = ENGINE_ON_CLOSED,
     .tags = WORDS("seen"),
     .reply = "Goodbye from {{gateway.name}}",
     .send_to = WORDS(OTHER),
     .send = "{{contact.number}} is done"},
    {.name = "any", .reply = "Hello"},
};
static const struct engine_rule_conf rules_of_events_in_a_ring[] = {
    {.name = "opened", .on = ENGINE_ON_OPENED, .conversation = "close"},
    {.name = "closed",
     .on = ENGINE_ON_CLOSED,
     .conversation = "open",
     .send_to = WORDS(OTHER),
     .send = "again"},
};
static const struct engine_rule_conf rules_of_alarm_event[] = {
    {.name = "tell",
     .on = ENGINE_ON_ALARM,
     .names = WORDS("network"),
     .send_to = WORDS(OTHER),
     .send = "{{modem.name}}: {{event.name}}: {{event.text}}",
     .alarm = "told"},
};
static const struct engine_rule_conf rules_of_schedule[] = {
    {.name = "hourly",
     .on = ENGINE_ON_SCHEDULE,
     .schedule = "every 1h",
     .send_to = WORDS(OTHER),
     .send = "tick"},
};
static const struct engine_rule_conf rules_of_killed_event[] = {
    {.name = "opened", .on = ENGINE_ON_OPENED, .send_to = WORDS(OTHER), .send = "somebody wrote"},
    {.name = "any", .reply = "Hello"},
};
static const struct engine_rule_conf rules_of_missing_value[] = {
    {.name = "name", .reply = "Dear {{contact.name}}"}};

/* What a conversation goes through is told to rules, each event once and one behind the other: a rule that
 * closes makes the event of another. */
static void test_events_of_conversations(void **state)
{
    (void)state;
    use(rules_of_events_of_conversations, ARRAY_LEN(rules_of_events_of_conversations));
    world_receive(&w, CUSTOMER, "hi");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 3);
    assert_sent(0, CUSTOMER, "Hello");
    for (int i = 1; i < 3; i++) { /* two numbers: in any order */
        bool other = strcmp(w.sent[i].to, OTHER) == 0;

        assert_sent(i, other ? OTHER : CUSTOMER, other ? CUSTOMER " is done" : "Goodbye from Blue Bakery");
    }
    assert_string_not_equal(w.sent[1].to, w.sent[2].to);
}

static struct outside outside;
static const char *const on_opened[] = {"opened", NULL};
static const struct engine_rule_conf rules_of_order[] = {
    {.name = "any", .department = "shop", .conversation = "close"},
    {.name = "opened", .on = ENGINE_ON_OPENED, .send_to = WORDS(OTHER), .send = "opened"},
    {.name = "assigned", .on = ENGINE_ON_ASSIGNED, .send_to = WORDS(OTHER), .send = "assigned"},
    {.name = "closed", .on = ENGINE_ON_CLOSED, .send_to = WORDS(OTHER), .send = "closed"},
};

/* What happened to one contact is decided in the order in which it happened. */
static void test_events_in_order(void **state)
{
    static const struct department_conf shop = {.name = "shop"};
    static struct engine_conf ordered;

    (void)state;
    ordered = conf_of(rules_of_order, ARRAY_LEN(rules_of_order));
    ordered.country = "49";
    ordered.departments = &shop;
    ordered.ndepartments = 1;
    assert_int_equal(engine_reconfigure(w.engine, &ordered, NULL, NULL), 0);
    world_receive(&w, CUSTOMER, "hi");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 3);
    assert_sent(0, OTHER, "opened");
    assert_sent(1, OTHER, "assigned");
    assert_sent(2, OTHER, "closed");
}

/* What comes from a number while an event about it is still being decided waits for that, as it waits for an
 * older message: what was decided is known to it. */
static void test_behind_an_event(void **state)
{
    static const struct engine_rule_conf hello[] = {{.name = "any", .reply = "Hello"}};
    static struct engine_handler_conf crm = {.name = "crm",
                                             .kind = HANDLER_WEBHOOK,
                                             .on = on_opened,
                                             .url = "https://crm.example/",
                                             .deadline_ms = 10 * MINUTE_MS,
                                             .retry_for_ms = 3600000};
    static struct engine_conf with_crm;

    (void)state;
    outside_init(&outside, w.rt);
    engine_set_world(w.engine, &(struct engine_world){&outside.children, &outside.transfers});
    with_crm = conf_of(hello, 1);
    with_crm.handlers = &crm;
    with_crm.nhandlers = 1;
    assert_int_equal(engine_reconfigure(w.engine, &with_crm, NULL, NULL), 0);
    world_receive(&w, CUSTOMER, "first");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_int_equal(outside.nrequests, 1); /* and not answered yet */
    world_receive(&w, CUSTOMER, "second");
    world_receive(&w, OTHER, "another");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 2);
    assert_sent(1, OTHER, "Hello");
    outside_answers(&outside, 0, 200, "[{\"action\":\"consent\",\"consent\":\"out\"}]");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 2);
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    world_run(&w, MINUTE_MS);
    outside_fini(&outside);
}

static void is_merged(struct store_op *op, int status)
{
    (void)op;
    assert_int_equal(status, 0);
    admit_done = true;
}

static void tried(struct store_op *op, int status)
{
    (void)op;
    (void)status;
    admit_done = true;
}

/* A contact's two numbers write at once to a handler that takes its time: the second is decided when the
 * first was, joins its conversation, and is not greeted again. */
static void test_two_numbers_of_one(void **state)
{
    static const struct engine_rule_conf closing[] = {{.name = "close", .conversation = "close"}};
    const struct engine_rule_conf hello[] = {{.name = "hello",
                                              .first = WANT_YES,
                                              .reply = "Welcome",
                                              .send_to = WORDS("+491705555555"),
                                              .send = "new {{conversation.id}}"},
                                             {.name = "again", .reply = "Noted"}};
    static struct engine_handler_conf slow = {.name = "slow",
                                              .kind = HANDLER_WEBHOOK,
                                              .url = "https://crm.example/",
                                              .deadline_ms = 10 * MINUTE_MS,
                                              .retry_for_ms = 3600000};
    static struct engine_conf with_slow;
    struct store_merge m = {.op.done = is_merged, .from = OTHER, .into = CUSTOMER, .who = "x"};

    (void)state;
    use(closing, 1);
    world_receive(&w, CUSTOMER, "once");
    world_receive(&w, OTHER, "upon a time");
    world_run(&w, MINUTE_MS);
    m.now_wall_ms = rt_wall_ms(w.rt);
    admit_done = false;
    store_merge(w.store, &m);
    assert_true(rt_sim_run_till(w.rt, is_admitted, NULL, MINUTE_MS));
    outside_init(&outside, w.rt);
    engine_set_world(w.engine, &(struct engine_world){&outside.children, &outside.transfers});
    with_slow = conf_of(hello, ARRAY_LEN(hello));
    with_slow.handlers = &slow;
    with_slow.nhandlers = 1;
    assert_int_equal(engine_reconfigure(w.engine, &with_slow, NULL, NULL), 0);
    world_receive(&w, CUSTOMER, "first");
    world_receive(&w, OTHER, "second");
    world_receive(&w, CUSTOMER, "third");
    world_receive(&w, "+491701111222", "a stranger");
    world_run(&w, MINUTE_MS);
    assert_int_equal(outside.nrequests, 2); /* the first and the stranger's */
    for (int i = 0; i < 4; i++) {
        outside_answers(&outside, i, 200, "[]");
        world_run(&w, MINUTE_MS);
    }
    assert_int_equal(outside.nrequests, 4);
    assert_int_equal(w.mr, 6);
    assert_sent(1, CUSTOMER, "Welcome");
    assert_sent(4, OTHER, "Noted");
    assert_sent(5, CUSTOMER, "Noted");
    assert_non_null(strstr(buf_str(&outside.request[2].body), "second"));
    assert_non_null(strstr(buf_str(&outside.request[3].body), "third"));
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    world_run(&w, MINUTE_MS);
    outside_fini(&outside);
}

static void merge_both(void)
{
    static const struct engine_rule_conf closing[] = {{.name = "close", .conversation = "close"}};
    struct store_merge m = {.op.done = is_merged, .from = OTHER, .into = CUSTOMER, .who = "x"};

    use(closing, 1);
    world_receive(&w, CUSTOMER, "once");
    world_receive(&w, OTHER, "upon a time");
    world_run(&w, MINUTE_MS);
    m.now_wall_ms = rt_wall_ms(w.rt);
    admit_done = false;
    store_merge(w.store, &m);
    assert_true(rt_sim_run_till(w.rt, is_admitted, NULL, MINUTE_MS));
}

static void use_slow(void)
{
    static const struct engine_rule_conf any[] = {{.name = "any", .reply = "Noted"}};
    static struct engine_handler_conf slow = {.name = "slow",
                                              .kind = HANDLER_WEBHOOK,
                                              .url = "https://crm.example/",
                                              .deadline_ms = 100 * MINUTE_MS,
                                              .retry_for_ms = 3600000};
    static struct engine_conf with_slow;

    outside_init(&outside, w.rt);
    engine_set_world(w.engine, &(struct engine_world){&outside.children, &outside.transfers});
    with_slow = conf_of(any, 1);
    with_slow.handlers = &slow;
    with_slow.nhandlers = 1;
    assert_int_equal(engine_reconfigure(w.engine, &with_slow, NULL, NULL), 0);
}

/* As the first commit begins, once. */
static bool receive_second(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    (void)moment;
    (void)number;
    if (!*(bool *)arg)
        world_receive(&w, OTHER, "second");
    *(bool *)arg = true;
    return false;
}

/* Receives the first, which is stored; what is asked about it shares its commit with an import for which
 * there is no room, and fails. The second is stored before that, and asked about behind it. */
static void receive_two_and_fill(const char *path)
{
    static char notes[200000];
    struct contact_import row = {.number = "+491705555557", .notes = notes};
    struct store_import import = {
        .op.done = tried, .contacts = &row, .count = 1, .who = "x", .now_wall_ms = rt_wall_ms(w.rt)};
    bool second = false;

    memset(notes, 'x', sizeof notes - 1);
    admit_done = false;
    world_receive(&w, CUSTOMER, "first");
    rt_sim_on_work(w.rt, receive_second, &second);
    assert_true(rt_sim_run_till(w.rt, stored, NULL, MINUTE_MS));
    rt_sim_on_work(w.rt, NULL, NULL);
    store_import(w.store, &import);
    w.settled = false;
    assert_true(rt_sim_run_till(w.rt, stored, NULL, MINUTE_MS));
    fill_disk(path);
    assert_true(rt_sim_run_till(w.rt, is_admitted, NULL, MINUTE_MS));
    assert_true(store_is_full(w.store));
}

/* A message whose contact could not be asked for (a full disk) lets one from another of that contact's
 * numbers go ahead, and waits until that is decided. On a small tmpfs (needs root). */
static void test_overtaken(void **state)
{
    char ballast[96];

    (void)state;
    world_crash(&w);
    if (mount("tmpfs", w.dir, "tmpfs", 0, "size=4m") != 0) {
        world_open(&w);
        skip();
    }
    world_open(&w);
    merge_both();
    use_slow();
    snprintf(ballast, sizeof ballast, "%s/ballast", w.dir);
    receive_two_and_fill(ballast);
    assert_int_equal(unlink(ballast), 0);
    world_run(&w, MINUTE_MS);
    assert_int_equal(outside.nrequests, 1);
    assert_non_null(strstr(buf_str(&outside.request[0].body), "second"));
    outside_answers(&outside, 0, 200, "[]");
    world_run(&w, MINUTE_MS);
    assert_int_equal(outside.nrequests, 2);
    assert_non_null(strstr(buf_str(&outside.request[1].body), "first"));
    outside_answers(&outside, 1, 200, "[]");
    world_run(&w, MINUTE_MS);
    assert_sent(0, OTHER, "Noted");
    assert_sent(1, CUSTOMER, "Noted");
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    world_run(&w, MINUTE_MS);
    outside_fini(&outside);
    world_crash(&w);
    assert_int_equal(umount2(w.dir, MNT_DETACH), 0);
    world_open(&w);
}

/* Answers one of the requests that are under way, whichever; false: there is none. */
static bool answers_one(void)
{
    int from = outside.nrequests ? (int)rt_sim_random(w.rt, (uint64_t)outside.nrequests) : 0;

    for (int i = 0; i < outside.nrequests; i++) {
        int at = (from + i) % outside.nrequests;

        if (!outside.request[at].t || outside.request[at].cancelled)
            continue;
        outside_answers(&outside, at, 200, "[]");
        return true;
    }
    return false;
}

static void merged_and_answered(void)
{
    static const char *const numbers[] = {CUSTOMER, OTHER, "+491705555555", "+491705555556"};
    static const char *const on[] = {"message", "opened", "closed", NULL};
    static const struct engine_rule_conf closing[] = {{.name = "close", .conversation = "close"}};
    static struct engine_handler_conf slow = {.name = "slow",
                                              .kind = HANDLER_WEBHOOK,
                                              .on = on,
                                              .url = "https://crm.example/",
                                              .deadline_ms = 100 * MINUTE_MS,
                                              .retry_for_ms = 3600000};
    static struct engine_conf with_slow;
    struct world_list in;
    struct store_merge m = {.op.done = tried, .who = "x"};
    struct store_events left = {.op.done = tried, .max = 1};

    admit_done = true;
    outside_init(&outside, w.rt);
    engine_set_world(w.engine, &(struct engine_world){&outside.children, &outside.transfers});
    with_slow = conf_of(closing, 1);
    with_slow.country = "49";
    with_slow.handlers = &slow;
    with_slow.nhandlers = 1;
    assert_int_equal(engine_reconfigure(w.engine, &with_slow, NULL, NULL), 0);
    for (int step = 0; step < 60; step++) {
        uint64_t what = rt_sim_random(w.rt, 8);

        if (what < 2 && w.texts < 16)
            world_receive(&w, numbers[rt_sim_random(w.rt, ARRAY_LEN(numbers))], "hi");
        else if (what == 2 && admit_done) {
            m.from = numbers[rt_sim_random(w.rt, ARRAY_LEN(numbers))];
            m.into = numbers[rt_sim_random(w.rt, ARRAY_LEN(numbers))];
            m.now_wall_ms = rt_wall_ms(w.rt);
            admit_done = false;
            store_merge(w.store, &m);
        } else if (what < 6)
            answers_one();
        world_run(&w, (int64_t)rt_sim_random(w.rt, 3000));
    }
    while (answers_one())
        world_run(&w, 3000);
    world_list(&w, MSG_IN, &in);
    assert_int_equal(in.list.count, w.texts);
    for (int i = 0; i < in.list.count; i++)
        assert_int_equal(in.list.rows[i].state, MSG_HANDLED);
    world_unlist(&in);
    admit_done = false;
    store_events(w.store, &left);
    assert_true(rt_sim_run_till(w.rt, is_admitted, NULL, MINUTE_MS));
    assert_int_equal(left.count, 0);
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
    world_run(&w, MINUTE_MS);
    outside_fini(&outside);
}

/* Whatever is merged, written and answered in between, everything is decided in the end. */
static void test_nobody_waits_for_ever(void **state)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        tear_down(state);
        world_start(&w, rt_sim_new(rt_sim_seed(seed)), &conf, OURS);
        merged_and_answered();
    }
}

/* Rules that make each other's events for ever end. */
static void test_events_in_a_ring(void **state)
{
    (void)state;
    use(rules_of_events_in_a_ring, ARRAY_LEN(rules_of_events_in_a_ring));
    world_receive(&w, CUSTOMER, "hi");
    world_run(&w, 60 * MINUTE_MS);
    assert_true(w.mr > 0 && w.mr <= DESK_EVENT_DEPTH);
}

/* An alarm of a modem reaches the rules, and what a rule tells as an alarm does not. */
static void test_alarm_event(void **state)
{
    (void)state;
    use(rules_of_alarm_event, ARRAY_LEN(rules_of_alarm_event));
    world_run(&w, MINUTE_MS);
    w.carrier.alarms[CARRIER_ALARM_NETWORK].on = true;
    str_copy(w.carrier.alarms[CARRIER_ALARM_NETWORK].text, CARRIER_TEXT_BYTES, "no network");
    w.carrier.up->alarm(w.carrier.up_owner, &w.carrier, CARRIER_ALARM_NETWORK);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_sent(0, OTHER, "counter: network: no network");
    w.carrier.alarms[CARRIER_ALARM_NETWORK].on = false;
    w.carrier.up->alarm(w.carrier.up_owner, &w.carrier, CARRIER_ALARM_NETWORK);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
}

/* A schedule acts at its times; what was missed by less than an hour, since nobody was there, is done late
 * and once, and what is older is not. */
static void test_schedule(void **state)
{
    static struct engine_conf scheduled;

    (void)state;
    scheduled = conf_of(rules_of_schedule, ARRAY_LEN(rules_of_schedule));
    w.econf = &scheduled;
    world_crash(&w);
    world_open(&w);
    world_run(&w, 150 * MINUTE_MS);
    assert_in_range(w.mr, 2, 3);
    world_crash(&w);
    w.mr = 0;
    world_run(&w, 5 * 60 * MINUTE_MS); /* nobody is there */
    world_open(&w);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
    world_crash(&w);
    world_open(&w);
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 1);
}

static const struct engine_rule_conf rules_of_noon[] = {
    {.name = "noon", .on = ENGINE_ON_SCHEDULE, .schedule = "12:00", .send_to = WORDS(OTHER), .send = "noon"},
};

static const struct engine_rule_conf rules_of_changed_times[] = {
    {.name = "r", .on = ENGINE_ON_SCHEDULE, .schedule = "10:00", .send_to = WORDS(OTHER), .send = "at ten"},
    {.name = "r", .on = ENGINE_ON_SCHEDULE, .schedule = "10:30", .send_to = WORDS(OTHER), .send = "later"},
};

/* A rule that is given another time has not missed it when that was a moment ago; one that keeps its time has
 * it as before. */
static void test_schedule_changed(void **state)
{
    static struct engine_conf before, behind;

    (void)state;
    before = conf_of(rules_of_changed_times, 1);
    behind = conf_of(rules_of_changed_times + 1, 1);
    before.hours.zone = behind.hours.zone = "UTC";
    assert_int_equal(engine_reconfigure(w.engine, &before, NULL, NULL), 0);
    world_run(&w, 100 * MINUTE_MS); /* to 10:40 */
    assert_int_equal(w.mr, 1);
    assert_int_equal(engine_reconfigure(w.engine, &before, NULL, NULL), 0);
    world_run(&w, MINUTE_MS);
    assert_int_equal(engine_reconfigure(w.engine, &behind, NULL, NULL), 0);
    world_run(&w, 4 * MINUTE_MS);
    assert_int_equal(w.mr, 1);
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0); /* without it */
    world_run(&w, 4 * MINUTE_MS);
    assert_int_equal(engine_reconfigure(w.engine, &behind, NULL, NULL), 0);
    world_run(&w, 60 * MINUTE_MS);
    assert_int_equal(w.mr, 1);
    world_run(&w, 23 * 60 * MINUTE_MS);
    assert_int_equal(w.mr, 2);
    assert_sent(1, OTHER, "later");
}

/* The machine's clock is set while we run, as by NTP on one without a battery: what then lies more than an
 * hour back is missed, what lies less is done late, and what comes is not waited for till the day that the
 * clock showed before. */
static void test_schedule_and_set_clock(void **state)
{
    static struct engine_conf scheduled;
    const int64_t hour_ms = 60 * MINUTE_MS;

    (void)state;
    scheduled = conf_of(rules_of_noon, 1);
    scheduled.hours.zone = "UTC";
    w.econf = &scheduled;
    rt_sim_jump_wall(w.rt, 48 * hour_ms);
    world_crash(&w);
    world_open(&w);
    world_run(&w, MINUTE_MS);
    rt_sim_jump_wall(w.rt, -48 * hour_ms); /* to 9:01: there is a noon today */
    world_run(&w, 4 * hour_ms);
    assert_int_equal(w.mr, 1);
    w.mr = 0;
    rt_sim_jump_wall(w.rt, 20 * hour_ms); /* to 9:01 of the next day */
    world_run(&w, MINUTE_MS);
    rt_sim_jump_wall(w.rt, 10 * hour_ms); /* to 19:02 */
    world_run(&w, hour_ms);
    assert_int_equal(w.mr, 0);
    rt_sim_jump_wall(w.rt, -9 * hour_ms); /* to 11:02 of the same day */
    world_run(&w, 2 * hour_ms);
    assert_int_equal(w.mr, 1);
    rt_sim_jump_wall(w.rt, -2 * hour_ms); /* it was this noon already */
    world_run(&w, 2 * hour_ms);
    assert_int_equal(w.mr, 1);
    rt_sim_jump_wall(w.rt, 23 * hour_ms + 30 * MINUTE_MS); /* to 12:31 of the next day */
    world_run(&w, hour_ms);
    assert_int_equal(w.mr, 2);
}

/* Killed before or after any commit, an event is done with once: its messages neither lost nor doubled. */
static void test_killed_event(void **state)
{
    static struct engine_conf opened;

    (void)state;
    for (uint64_t at = 1;; at++) {
        struct world_list out;
        bool crashed;

        world_stop(&w);
        rt_sim_free(w.rt);
        opened = conf_of(rules_of_killed_event, ARRAY_LEN(rules_of_killed_event));
        opened.country = "49";
        world_start(&w, rt_sim_new(rt_sim_seed(at)), &opened, OURS);
        crashed = killed_at(at, "hi");
        world_list(&w, MSG_OUT, &out);
        assert_int_equal(out.list.count, 2);
        world_unlist(&out);
        if (!crashed)
            return;
    }
}

/* A value that is missing holds the reply, not the message. */
static void test_missing_value(void **state)
{
    struct world_list in;

    (void)state;
    use(rules_of_missing_value, 1);
    world_receive(&w, CUSTOMER, "hi");
    world_run(&w, MINUTE_MS);
    assert_int_equal(w.mr, 0);
    world_list(&w, MSG_IN, &in);
    assert_int_equal(in.list.rows[0].state, MSG_HANDLED);
    world_unlist(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW(test_answered),
        FLOW(test_rule_with_alarm),
        FLOW(test_call),
        FLOW(test_calls_and_guard),
        FLOW(test_two_replies),
        FLOW(test_consent),
        FLOW(test_right_behind_stop),
        FLOW(test_burst),
        FLOW(test_not_answered),
        FLOW(test_killed_anywhere),
        FLOW(test_two_machines),
        FLOW(test_trial),
        FLOW(test_closed_midway),
        FLOW(test_full_disk_behind_stop),
        FLOW(test_own_number_of_absent_modem),
        FLOW(test_events_of_conversations),
        FLOW(test_events_in_order),
        FLOW(test_behind_an_event),
        FLOW(test_two_numbers_of_one),
        FLOW(test_overtaken),
        FLOW(test_nobody_waits_for_ever),
        FLOW(test_events_in_a_ring),
        FLOW(test_alarm_event),
        FLOW(test_schedule),
        FLOW(test_schedule_changed),
        FLOW(test_schedule_and_set_clock),
        FLOW(test_killed_event),
        FLOW(test_missing_value),
    };

    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
