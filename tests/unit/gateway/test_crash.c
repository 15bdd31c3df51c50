/* The process dies at every commit of small scenarios, and at random instants of mixed traffic. Afterwards
 * the account balances: what was acknowledged to its giver is there and ends in one final state; nothing goes
 * out twice unmarked; every PDU that came in is there exactly once; every message is answered once. */
#include "tests/unit/gateway/world.h"

enum { MAX_WAITING = 64, MAX_ASKED = 256, MAX_WORKS = 400 };

/* What lies on the modem until it is acknowledged. */
struct waiting {
    uint8_t pdu[PDU_FULL_BYTES];
    int len, tpdu_len;
    uint64_t token;
    bool gone;
};

struct scene {
    struct world w;
    struct waiting waiting[MAX_WAITING];
    int nwaiting;
    struct asked *asked[MAX_ASKED];
    char texts[MAX_ASKED][16];
    int nasked;
    int inbound; /* messages that must be there in the end */
    /* the crash */
    uint64_t crash_at;
    enum rt_sim_moment moment;
    uint64_t works;
    bool crashed;
};

static void reply(void *owner, const struct msg_row *m)
{
    struct world *w = owner;
    char text[64];
    snprintf(text, sizeof(text), "re %.40s", m->text);
    struct gateway_send r = message(m->peer, text);
    r.automatic = true;
    gateway_handled(w->g, m->id, &(struct gateway_verdict){.reason = "all", .replies = &r, .nreplies = 1});
}

static bool on_work(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    struct scene *s = arg;
    (void)number;
    if (moment == RT_SIM_BEFORE_RUN)
        s->works++;
    return !s->crashed && s->works == s->crash_at && moment == s->moment;
}

static void note_settles(struct scene *s)
{
    for (int i = 0; i < s->nwaiting; i++)
        if (settled(&s->w, s->waiting[i].token) == 1)
            s->waiting[i].gone = true;
}

static void offer_waiting(struct scene *s, struct waiting *x)
{
    x->token = offer(&s->w, 0, x->pdu, (size_t)x->len, x->tpdu_len, false);
}

/* Runs, and lives on after the crash: the modem offers again what was not acknowledged. */
static void live(struct scene *s, int64_t ms)
{
    int64_t end = rt_sim_now(s->w.rt) + ms;
    while (!rt_sim_run_until(s->w.rt, end)) {
        s->crashed = true;
        note_settles(s);
        life_crash(&s->w);
        life_start(&s->w);
        for (int i = 0; i < s->nwaiting; i++)
            if (!s->waiting[i].gone)
                offer_waiting(s, &s->waiting[i]);
    }
    note_settles(s);
}

static void come_in(struct scene *s, const struct arriving *a)
{
    struct waiting *x = &s->waiting[s->nwaiting++];
    x->len = make_deliver(&s->w, a, x->pdu, &x->tpdu_len);
    offer_waiting(s, x);
}

static void ask(struct scene *s, const char *text)
{
    struct asked *q = s->asked[s->nasked] = asked_new();
    snprintf(s->texts[s->nasked], sizeof(s->texts[0]), "%.15s", text);
    s->nasked++;
    q->sends[0] = message("+491701111111", text);
    q->sends[0].report = 1;
    gateway_admit(s->w.g, &q->a);
}

static const char *parts_text(void)
{
    static char text[401];
    memset(text, 'p', 400);
    return text;
}

static void scenario(struct scene *s)
{
    ask(s, "one");
    live(s, 20);
    come_in(s, &(struct arriving){.from = "+491702222222", .text = "hi"});
    ask(s, parts_text());
    live(s, 250);
    come_in(s, &(struct arriving){.from = "+491703333333", .text = "b", .ref = 4, .total = 2, .seq = 2});
    come_in(s, &(struct arriving){.from = "+491703333333", .text = "a", .ref = 4, .total = 2, .seq = 1});
    live(s, 100);
    ask(s, "two");
    live(s, 2 * SECOND);
    s->inbound = 2;
}

static void check_submissions(const struct scene *s)
{
    const struct world *w = &s->w;
    for (int i = 0; i < w->nlog; i++) {
        const struct submitted *a = &w->log[i];
        bool first = true;
        for (int k = 0; k < i; k++) {
            const struct submitted *b = &w->log[k];
            bool same = strcmp(a->text, b->text) == 0 && strcmp(a->to, b->to) == 0 && a->seq == b->seq;
            bool not_sent = b->result == CARRIER_FAILED || b->result == CARRIER_NOT_SUBMITTED;
            first &= !same || not_sent;
        }
        if (!first && !a->duplicate_mark)
            fail_msg("\"%.20s\" part %d went out twice unmarked", a->text, a->seq);
    }
}

struct listed {
    struct store_list op;
    bool done;
};

static void on_listed(struct store_op *op, int status)
{
    assert_int_equal(status, 0);
    container_of(container_of(op, struct store_list, op), struct listed, op)->done = true;
}

static void check_store(struct scene *s)
{
    struct listed l = {.op = {.op.done = on_listed, .limit = 1000}};
    store_list(s->w.store, &l.op);
    while (!l.done)
        assert_true(rt_sim_step(s->w.rt));
    int in = 0;
    for (int i = 0; i < l.op.count; i++) {
        struct msg_row *m = &l.op.rows[i];
        in += m->direction == MSG_IN;
        if (m->direction == MSG_IN && m->state != MSG_HANDLED)
            fail_msg("inbound %lld is %s", (long long)m->id, msg_state_name(m->state));
        if (m->direction == MSG_OUT && m->state != MSG_SENT && !msg_state_final(m->state))
            fail_msg("outbound %lld is %s (%s)", (long long)m->id, msg_state_name(m->state), m->reason);
        msg_row_clear(m);
    }
    free(l.op.rows);
    if (in != s->inbound)
        fail_msg("%d inbound messages, %d came", in, s->inbound);
}

static void check(struct scene *s)
{
    check_submissions(s);
    check_store(s);
    for (int i = 0; i < s->nasked; i++) {
        struct asked *q = s->asked[i];
        if (q->dones != 1 || q->status != 0)
            continue; /* not acknowledged: its giver asks again */
        struct shown *m = show(&s->w, q->results[0].id);
        assert_int_equal(m->status, 0);
        bool cancelled = m->op.row.state == MSG_CANCELLED;
        unshow(m);
        if (cancelled)
            continue;
        int n = 0;
        for (int k = 0; k < s->w.nlog; k++)
            n += strncmp(s->w.log[k].text, s->texts[i], strlen(s->texts[i])) == 0;
        if (n == 0)
            fail_msg("\"%s\" was acknowledged and never sent", s->texts[i]);
    }
    struct gateway_stats st;
    gateway_get_stats(s->w.g, &st);
    assert_int_equal(st.queued, 0);
    assert_int_equal(st.unknown, 0);
}

static struct scene *scene_new(void)
{
    struct scene *s = calloc(1, sizeof(*s));
    world_init(&s->w);
    s->w.conf.on_unknown = ON_UNKNOWN_RESEND;
    s->w.engine = reply;
    add_carrier(&s->w, "M0", "");
    add_carrier(&s->w, "M1", "");
    life_start(&s->w);
    return s;
}

static void scene_free(struct scene *s)
{
    for (int i = 0; i < s->nasked; i++)
        free(s->asked[i]);
    world_fini(&s->w);
    free(s);
}

/* At every commit: before it, and after it but before anybody is told. */
static void a_crash_at_every_commit(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (; n < MAX_WORKS; n++) {
        bool reached = false;
        for (int moment = 0; moment < 2; moment++) {
            struct scene *s = scene_new();
            s->crash_at = n;
            s->moment = moment ? RT_SIM_BEFORE_DONE : RT_SIM_BEFORE_RUN;
            rt_sim_on_work(s->w.rt, on_work, s);
            scenario(s);
            reached |= s->crashed;
            live(s, HOUR);
            check(s);
            scene_free(s);
        }
        if (!reached)
            break;
    }
    print_message("%d commits\n", (int)n);
    assert_true(n > 12 && n < MAX_WORKS);
}

/* The service centre reports on something that was taken, once. */
static void report_one(struct scene *s)
{
    struct world *w = &s->w;
    if (w->nlog == 0)
        return;
    struct submitted *l = &w->log[rt_sim_random(w->rt, (uint64_t)w->nlog)];
    if (l->answered && l->result == CARRIER_SENT && l->report) {
        l->report = false;
        arrive_report(w, l->carrier, l->to, l->mr & 255, 0);
    }
}

/* Two or three parts; the first begins with `text`. */
static void ask_long(struct scene *s, const char *text)
{
    static char body[500];
    size_t len = rt_sim_random(s->w.rt, 2) ? 250 : 400;
    memset(body, '.', len);
    memcpy(body, text, strlen(text));
    /* the parts of two messages are told apart by their whole text */
    snprintf(body + 160, 16, "%s", text);
    snprintf(body + len - 20, 16, "%s", text);
    body[160 + strlen(text)] = body[len - 20 + strlen(text)] = '.';
    body[len] = '\0';
    ask(s, body);
    snprintf(s->texts[s->nasked - 1], sizeof(s->texts[0]), "%s", text);
}

static void on_operated(struct gateway_change *c, int status, const struct err *e)
{
    (void)c, (void)status, (void)e;
}

/* Somebody cancels or tries again a message of the recent ones. */
static void operate(struct scene *s, bool cancel)
{
    static struct gateway_change change = {.done = on_operated};
    if (s->nasked == 0)
        return;
    int from = s->nasked > 5 ? s->nasked - 5 : 0;
    struct asked *q = s->asked[from + (int)rt_sim_random(s->w.rt, (uint64_t)(s->nasked - from))];
    if (q->dones != 1 || q->status != 0)
        return;
    if (cancel)
        gateway_cancel(s->w.g, q->results[0].id, "root", &change);
    else
        gateway_retry(s->w.g, q->results[0].id, "root", &change);
}

static void step(struct scene *s, int i)
{
    struct world *w = &s->w;
    char text[16];
    struct script *c = &w->carriers[rt_sim_random(w->rt, 2)];
    const enum carrier_error errors[] = {CARRIER_E_NETWORK, CARRIER_E_BUSY, CARRIER_E_UNCLEAR,
                                         CARRIER_E_MODEM, CARRIER_E_PERMANENT};
    switch (rt_sim_random(w->rt, 11)) {
    case 0:
    case 1:
        snprintf(text, sizeof(text), "out %d.", i);
        ask(s, text);
        break;
    case 2:
        if (s->nwaiting == MAX_WAITING)
            break;
        snprintf(text, sizeof(text), "in %d", i);
        come_in(s, &(struct arriving){.from = "+491702222222", .text = text});
        s->inbound++;
        break;
    case 3:
        if (c->plan_len < 60)
            plan(c, failed(errors[rt_sim_random(w->rt, ARRAY_LEN(errors))], 500));
        break;
    case 4:
        if (c->plan_len < 60)
            plan(c, rt_sim_random(w->rt, 2) ? unknown_outcome() : not_submitted());
        break;
    case 5:
        if (!c->under_way)
            set_state(c, c->c.state == CARRIER_READY ? CARRIER_DOWN : CARRIER_READY, "comes and goes");
        break;
    case 6:
        if (rt_sim_random(w->rt, 4) == 0)
            rt_sim_crash(w->rt);
        break;
    case 7:
        report_one(s);
        break;
    case 8:
        snprintf(text, sizeof(text), "long %d.", i);
        ask_long(s, text);
        break;
    case 9:
    case 10:
        operate(s, rt_sim_random(w->rt, 2));
        break;
    }
    live(s, (int64_t)rt_sim_random(w->rt, 400));
}

/* Mixed traffic with refusals, unknown outcomes, modems that go, reports and crashes, from a seed. */
static void mixed_traffic_with_crashes(void **state)
{
    (void)state;
    uint64_t seed = rt_sim_seed(7);
    const char *rounds = getenv("ROUNDS");
    for (int round = 0; round < (rounds ? atoi(rounds) : 20); round++) {
        char text[32];
        snprintf(text, sizeof(text), "%llu", (unsigned long long)seed + (unsigned)round);
        setenv("SEED", text, 1);
        struct scene *s = scene_new();
        if (round % 3 == 0) /* faster than commits */
            s->w.carriers[0].send_ms = s->w.carriers[1].send_ms = 0;
        s->w.carriers[0].leave_ms = round % 2 ? 50 : 0;
        for (int i = 0; i < 150; i++)
            step(s, i);
        for (int i = 0; i < 2; i++) {
            s->w.carriers[i].plan_at = s->w.carriers[i].plan_len = 0;
            if (!s->w.carriers[i].under_way)
                set_state(&s->w.carriers[i], CARRIER_READY, "");
        }
        live(s, DAY);
        check(s);
        scene_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_at_every_commit),
        cmocka_unit_test(mixed_traffic_with_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
