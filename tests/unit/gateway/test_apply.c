/* What is decided, in one transaction: about received messages, events, deliveries, and by people and clocks.
 * A crash at every commit of it: nothing is applied twice, nothing is lost. */
#include "tests/unit/gateway/world.h"

#define CUSTOMER "+491702222222"
#define STAFF    "+491703333333"

enum { MAX_WORKS = 200 };

/* ---- asking for it ---- */

struct applied {
    struct gateway_apply a;
    int status, dones;
};

static void on_applied(struct gateway_apply *a, int status)
{
    struct applied *x = container_of(a, struct applied, a);
    x->status = status;
    x->dones++;
}

static int apply(struct world *w, struct applied *x, const struct gateway_verdict *v)
{
    x->dones = 0;
    x->a.done = on_applied;
    x->a.verdict = v;
    gateway_apply(w->g, &x->a);
    assert_int_equal(x->dones, 0); /* never before the call returns */
    for (int i = 0; i < 1000 && !x->dones; i++)
        assert_true(rt_sim_step(w->rt));
    assert_int_equal(x->dones, 1);
    return x->status;
}

struct asking {
    struct store_situation k;
    bool done;
};

static void on_situation(struct store_op *op, int status)
{
    assert_int_equal(status, 0);
    container_of(container_of(op, struct store_situation, op), struct asking, k)->done = true;
}

static struct store_situation situation(struct world *w, const char *number, int64_t of)
{
    struct asking *x = calloc(1, sizeof(*x));
    x->k = (struct store_situation){
        .op.done = on_situation, .number = number, .sim = "", .of = of, .look_only = true};
    store_situation(w->store, &x->k);
    while (!x->done)
        assert_true(rt_sim_step(w->rt));
    struct store_situation k = x->k;
    free(x);
    return k;
}

static struct conv_row conversation_of(struct world *w, const char *number)
{
    struct store_situation k = situation(w, number, 0);
    struct conv_row c = k.conv;
    store_situation_clear(&k);
    return c;
}

/* ---- an engine ---- */

/* A conversation for each message, one automatic reply, a tag, and the customer's text to a handler. */
static void desk(void *owner, const struct msg_row *m)
{
    struct world *w = owner;
    struct gateway_send replies[2];
    char key[32], answer[64], event[32];
    snprintf(key, sizeof(key), "reply:%lld", (long long)m->id);
    snprintf(event, sizeof(event), "message:%lld", (long long)m->id);
    snprintf(answer, sizeof(answer), "re %.40s", m->text);
    replies[0] = message(NULL, answer);
    replies[0].key = key;
    replies[0].automatic = true;
    replies[1] = message(STAFF, "one has come");
    replies[1].staff = true;
    replies[1].conversation = -1;
    struct store_effect effects[] = {
        {.kind = EFFECT_DEPARTMENT, .value = "sales"},
        {.kind = EFFECT_TAG, .name = "customer"},
        {.kind = EFFECT_DELIVER, .name = "crm", .key = event, .value = "{}"},
    };
    gateway_handled(w->g, m->id,
                    &(struct gateway_verdict){.reason = "rule all",
                                              .replies = replies,
                                              .nreplies = 2,
                                              .effects = effects,
                                              .neffects = 3,
                                              .thread = THREAD_OPEN,
                                              .reopen_ms = DAY});
}

static struct world *desk_world(void **state)
{
    struct world *w = *state;
    gateway_set_engine(w->g, desk, w);
    return w;
}

/* A reply without a number goes to the contact by the SIM that it wrote to and belongs to the conversation;
 * what goes to a person of ours does not. */
static void a_message_is_threaded(void **state)
{
    struct world *w = desk_world(state);
    struct conv_row c;
    arrive_text(w, CUSTOMER, "hello");
    run(w, SECOND);
    c = conversation_of(w, CUSTOMER);
    assert_true(c.id > 0);
    assert_string_equal(c.sim, "M0");
    assert_string_equal(c.department, "sales");
    assert_int_equal(c.messages_in, 1);
    assert_int_equal(c.replies_automatic, 1);
    assert_int_equal(sent_count(w, "re hello"), 1);
    assert_int_equal(sent_count(w, "one has come"), 1);
    assert_int_equal(w->events[EV_CONVERSATION], 1);
}

/* A person answers: to the contact of the conversation, by its SIM, with the id of what is sent. */
static void a_person_answers(void **state)
{
    struct world *w = desk_world(state);
    struct applied x = {0};
    struct gateway_send s = message(NULL, "we are on it");
    arrive_text(w, CUSTOMER, "hello");
    run(w, SECOND);
    s.person = true;
    s.who = "person:Anna";
    struct gateway_verdict v = {.reason = "answer",
                                .who = "person:Anna",
                                .replies = &s,
                                .nreplies = 1,
                                .conversation = conversation_of(w, CUSTOMER).id};
    assert_int_equal(apply(w, &x, &v), 0);
    assert_int_equal(x.a.conversation, v.conversation);
    assert_true(x.a.messages[0] > 0);
    assert_true(flags_of_message(w, x.a.messages[0]) & MSG_F_PERSON);
    run(w, SECOND);
    assert_int_equal(sent_count(w, "we are on it"), 1);
    assert_string_equal(w->log[w->nlog - 1].to, CUSTOMER);
    assert_int_equal(conversation_of(w, CUSTOMER).state, CONV_WAITING);
    assert_int_equal(conversation_of(w, CUSTOMER).replies_by_persons, 1);
    v.conversation = 999;
    assert_int_equal(apply(w, &x, &v), ERR_NOT_FOUND);
}

/* What a person wants is done whole or not at all, and the refusal says why. */
static void a_refusal_is_whole(void **state)
{
    struct world *w = desk_world(state);
    struct applied x = {0};
    struct gateway_send s[2] = {message(NULL, "fine"), message("no number", "bad")};
    struct store_effect note = {.kind = EFFECT_NOTE, .value = "n"};
    struct store_effect stop = {.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .value = "STOP"};
    arrive_text(w, CUSTOMER, "hello");
    run(w, SECOND);
    struct gateway_verdict v = {.replies = s,
                                .nreplies = 2,
                                .effects = &note,
                                .neffects = 1,
                                .conversation = conversation_of(w, CUSTOMER).id};
    s[0].person = s[1].person = true;
    assert_int_equal(apply(w, &x, &v), ERR_INVALID);
    assert_non_null(strstr(x.a.err.text, "to:"));
    run(w, SECOND);
    assert_int_equal(sent_count(w, "fine"), 0);
    /* An automatic one is left out. */
    s[1].person = false;
    s[1].automatic = true;
    assert_int_equal(apply(w, &x, &v), 0);
    assert_int_equal(x.a.messages[1], 0);
    run(w, SECOND);
    assert_int_equal(sent_count(w, "fine"), 1);
    /* Consent. */
    v.effects = &stop;
    v.nreplies = 0;
    assert_int_equal(apply(w, &x, &v), 0);
    v.nreplies = 1;
    v.neffects = 0;
    assert_int_equal(apply(w, &x, &v), ERR_REFUSED);
    assert_non_null(strstr(x.a.err.text, "opted out"));
    s[0].override_reason = "she called";
    s[0].who = "person:Anna";
    assert_int_equal(apply(w, &x, &v), 0);
    run(w, SECOND);
    assert_int_equal(sent_count(w, "fine"), 2);
}

/* ---- events and deliveries ---- */

struct listing {
    struct store_events e;
    struct store_deliveries d;
    bool done;
};

static void on_events(struct store_op *op, int status)
{
    assert_int_equal(status, 0);
    container_of(container_of(op, struct store_events, op), struct listing, e)->done = true;
}

static void on_deliveries(struct store_op *op, int status)
{
    assert_int_equal(status, 0);
    container_of(container_of(op, struct store_deliveries, op), struct listing, d)->done = true;
}

/* The first stored event; id 0: none. */
static struct event_row first_event(struct world *w)
{
    struct listing *l = calloc(1, sizeof(*l));
    struct event_row e = {0};
    l->e = (struct store_events){.op.done = on_events, .max = 1};
    store_events(w->store, &l->e);
    while (!l->done)
        if (!rt_sim_step(w->rt))
            return e; /* the process has died: forgotten with it */
    if (l->e.count)
        e = l->e.rows[0];
    free(e.text);
    e.text = NULL;
    free(l->e.rows);
    free(l);
    return e;
}

static struct delivery_row first_delivery(struct world *w)
{
    struct listing *l = calloc(1, sizeof(*l));
    struct delivery_row d = {0};
    l->d = (struct store_deliveries){
        .op.done = on_deliveries, .max = 1, .until_wall_ms = rt_wall_ms(w->rt) + DAY};
    store_deliveries(w->store, &l->d);
    while (!l->done)
        assert_true(rt_sim_step(w->rt));
    if (l->d.count)
        d = l->d.rows[0];
    free(d.body);
    d.body = NULL;
    free(l->d.rows);
    free(l);
    return d;
}

/* An event and a delivery are done with once; what an event makes is one deeper. */
static void events_and_deliveries_end_once(void **state)
{
    struct world *w = desk_world(state);
    struct applied x = {0};
    store_want_events(w->store, 1 << DESK_OPENED | 1 << DESK_ASSIGNED);
    arrive_text(w, CUSTOMER, "hello");
    run(w, SECOND);
    struct event_row e = first_event(w);
    assert_int_equal(e.kind, DESK_OPENED);
    struct store_effect assign = {.kind = EFFECT_ASSIGN, .value = "Anna"};
    struct gateway_verdict v = {
        .reason = "rule opened", .effects = &assign, .neffects = 1, .conversation = e.conversation};
    x.a.event = e.id;
    x.a.depth = e.depth;
    assert_int_equal(apply(w, &x, &v), 0);
    assert_int_equal(apply(w, &x, &v), ERR_REFUSED);
    e = first_event(w);
    assert_int_equal(e.kind, DESK_ASSIGNED); /* of the department, by the message */
    assert_int_equal(e.depth, 0);
    x.a.event = e.id;
    v.neffects = 0;
    assert_int_equal(apply(w, &x, &v), 0);
    e = first_event(w);
    assert_string_equal(e.name, "Anna");
    assert_int_equal(e.depth, 1);
    struct delivery_row d = first_delivery(w);
    assert_string_equal(d.handler, "crm");
    x.a.event = 0;
    x.a.delivery = d.id;
    assert_int_equal(apply(w, &x, &v), 0);
    assert_int_equal(apply(w, &x, &v), ERR_REFUSED);
    assert_int_equal(first_delivery(w).id, 0);
}

static int worked;

static void on_work(void *owner)
{
    (void)owner;
    worked++;
}

/* Whoever does the work hears of it, and not of other commits. */
static void work_is_told(void **state)
{
    struct world *w = *state;
    worked = 0;
    gateway_set_work(w->g, on_work, NULL);
    send_to(w, CUSTOMER, "hi");
    run(w, SECOND);
    assert_int_equal(worked, 0);
    gateway_set_engine(w->g, desk, w);
    arrive_text(w, CUSTOMER, "hello");
    run(w, SECOND);
    assert_int_equal(worked, 1);
}

/* ---- crashes ---- */

struct scene {
    struct world w;
    uint64_t crash_at, works;
    enum rt_sim_moment moment;
    bool crashed, dead;
    uint8_t pdu[PDU_FULL_BYTES];
    int len, tpdu_len;
    uint64_t token;
    bool acknowledged;
    struct applied person; /* a person's answer; it is asked for once */
    bool asked;
};

static bool on_crash_work(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    struct scene *s = arg;
    (void)number;
    if (moment == RT_SIM_BEFORE_RUN)
        s->works++;
    return !s->crashed && s->works == s->crash_at && moment == s->moment;
}

/* The engine's worker: each stored event gets a note and a message of its own. */
struct worker {
    struct scene *s;
    struct store_events op;
    struct gateway_apply a;
    bool busy;
};
static struct worker worker;

static void look(void *owner);

static void on_event_applied(struct gateway_apply *a, int status)
{
    (void)a;
    worker.busy = false;
    if (status == 0 || status == ERR_REFUSED)
        look(worker.s);
}

static void on_worker_events(struct store_op *op, int status)
{
    (void)op;
    worker.busy = false;
    if (status < 0 || worker.op.count == 0)
        return;
    struct event_row *e = &worker.op.rows[0];
    char text[64], key[32];
    snprintf(text, sizeof(text), "event %s %s", desk_event_name(e->kind), e->name);
    snprintf(key, sizeof(key), "event:%lld", (long long)e->id);
    struct gateway_send s = message(STAFF, text);
    s.staff = s.automatic = true;
    s.key = key;
    struct store_effect note = {.kind = EFFECT_NOTE, .value = text};
    worker.a = (struct gateway_apply){.event = e->id, .depth = e->depth, .done = on_event_applied};
    struct gateway_verdict v = {.reason = "rule",
                                .replies = &s,
                                .nreplies = 1,
                                .effects = &note,
                                .neffects = 1,
                                .conversation = e->conversation};
    worker.a.verdict = &v;
    worker.busy = true;
    gateway_apply(worker.s->w.g, &worker.a);
    event_row_clear(e);
    free(worker.op.rows);
}

static void look(void *owner)
{
    worker.s = owner;
    if (worker.busy)
        return;
    worker.busy = true;
    worker.op = (struct store_events){.op.done = on_worker_events, .max = 1};
    store_events(worker.s->w.store, &worker.op);
}

static void start_desk(struct scene *s)
{
    worker = (struct worker){.s = s};
    gateway_set_engine(s->w.g, desk, &s->w);
    gateway_set_work(s->w.g, look, s);
    store_want_events(s->w.store, 1 << DESK_OPENED | 1 << DESK_ASSIGNED);
    look(s);
}

static void live(struct scene *s, int64_t ms)
{
    int64_t end = rt_sim_now(s->w.rt) + ms;
    while (!rt_sim_run_until(s->w.rt, end)) {
        s->crashed = true;
        s->acknowledged |= settled(&s->w, s->token) == 1;
        life_crash(&s->w);
        life_start(&s->w);
        start_desk(s);
        if (s->len && !s->acknowledged)
            s->token = offer(&s->w, 0, s->pdu, (size_t)s->len, s->tpdu_len, false);
    }
    s->acknowledged |= s->token && settled(&s->w, s->token) == 1;
}

static void ask_person(struct scene *s)
{
    static struct gateway_send reply;
    reply = message(NULL, "a person");
    reply.person = true;
    reply.key = "person:1";
    struct store_effect note = {.kind = EFFECT_NOTE, .value = "by hand"};
    struct gateway_verdict v = {.replies = &reply,
                                .nreplies = 1,
                                .effects = &note,
                                .neffects = 1,
                                .who = "person:Anna",
                                .conversation = 1};
    s->person = (struct applied){.a = {.done = on_applied, .verdict = &v}};
    s->asked = true;
    gateway_apply(s->w.g, &s->person.a);
}

static void scenario(struct scene *s)
{
    s->len = make_deliver(&s->w, &(struct arriving){.from = CUSTOMER, .text = "hello"}, s->pdu, &s->tpdu_len);
    s->token = offer(&s->w, 0, s->pdu, (size_t)s->len, s->tpdu_len, false);
    live(s, SECOND);
    ask_person(s);
    live(s, SECOND);
}

static void check(struct scene *s)
{
    struct world *w = &s->w;
    struct conv_row c = conversation_of(w, CUSTOMER);
    bool told = s->person.dones == 1 && s->person.status == 0;
    assert_int_equal(c.messages_in, 1);
    assert_int_equal(c.replies_automatic, 1);
    assert_int_equal(sent_count(w, "re hello"), 1);
    assert_int_equal(sent_count(w, "one has come"), 1);
    assert_int_equal(sent_count(w, "event opened new"), 1);
    assert_int_equal(sent_count(w, "event assigned department"), 1);
    assert_int_equal(first_event(w).id, 0);
    assert_string_equal(first_delivery(w).event, "message:1");
    assert_int_equal(sent_count(w, "a person"), c.replies_by_persons);
    assert_true(c.replies_by_persons == 1 || !told);
    assert_int_equal(c.state == CONV_WAITING, c.replies_by_persons == 1);
}

/* At every commit: before it, and after it but before anybody is told. On the air a message may be when the
 * process dies: it goes once more then, marked; so the modem is slow enough here that it never is. */
static void a_crash_at_every_commit(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (; n < MAX_WORKS; n++) {
        bool reached = false;
        for (int moment = 0; moment < 2; moment++) {
            struct scene *s = calloc(1, sizeof(*s));
            world_init(&s->w);
            s->w.conf.on_unknown = ON_UNKNOWN_FAIL;
            add_carrier(&s->w, "M0", "");
            s->w.carriers[0].c.state = CARRIER_DOWN;
            life_start(&s->w);
            start_desk(s);
            s->crash_at = n;
            s->moment = moment ? RT_SIM_BEFORE_DONE : RT_SIM_BEFORE_RUN;
            rt_sim_on_work(s->w.rt, on_crash_work, s);
            scenario(s);
            reached |= s->crashed;
            s->crashed = true; /* no more */
            set_state(&s->w.carriers[0], CARRIER_READY, "");
            live(s, HOUR);
            check(s);
            world_fini(&s->w);
            free(s);
        }
        if (!reached)
            break;
    }
    print_message("%d commits\n", (int)n);
    assert_true(n > 5 && n < MAX_WORKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_threaded, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_person_answers, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_whole, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(events_and_deliveries_end_once, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(work_is_told, world_setup, world_teardown),
        cmocka_unit_test(a_crash_at_every_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
