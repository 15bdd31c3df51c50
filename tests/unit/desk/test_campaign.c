/* Campaigns: who gets one and who does not, pace, pause and stop; a crash at every commit: each recipient
 * gets it once. */
#include "tests/unit/gateway/world.h"

#include "desk/campaign.h"

enum { MAX_WORKS = 400 };

struct scene {
    struct world w;
    struct engine *en;
    struct campaigns *c;
    uint64_t crash_at, works;
    enum rt_sim_moment moment;
    bool crashed;
};

/* ---- life ---- */

static void tell(void *owner, const char *text)
{
    (void)owner;
    print_error("%s\n", text);
}

static void start(struct scene *s)
{
    static const struct engine_template_conf templates[] = {
        {.name = "spring", .text = "Hallo {{contact.name|you}}", .language = "", .place = "t"}};
    struct engine_conf conf = {.business = "Shop",
                               .templates = templates,
                               .ntemplates = 1,
                               .guard = {.replies = 5, .window_ms = 600000}};
    if (engine_new(s->w.rt, &conf, tell, NULL, &s->en) != 0)
        fail();
    engine_attach(s->en, s->w.g, s->w.store);
    s->c = campaigns_new(s->w.rt, s->en, s->w.g, s->w.store);
}

static void end(struct scene *s)
{
    life_crash(&s->w);
    campaigns_free(s->c);
    engine_free(s->en);
}

static struct scene *scene_new(void)
{
    struct scene *s = calloc(1, sizeof(*s));
    world_init(&s->w);
    s->w.conf.on_unknown = ON_UNKNOWN_FAIL;
    add_carrier(&s->w, "M0", "");
    life_start(&s->w);
    start(s);
    return s;
}

static void scene_free(struct scene *s)
{
    end(s);
    world_fini(&s->w);
    free(s);
}

static void live(struct scene *s, int64_t ms)
{
    int64_t until = rt_sim_now(s->w.rt) + ms;
    while (!rt_sim_run_until(s->w.rt, until)) {
        s->crashed = true;
        end(s);
        life_start(&s->w);
        start(s);
    }
}

static int status;
static bool done;

static void on_op(struct store_op *op, int rc)
{
    (void)op;
    status = rc;
    done = true;
}

static int wait_for(struct scene *s)
{
    for (int i = 0; i < 10000 && !done; i++)
        assert_true(rt_sim_step(s->w.rt));
    assert_true(done);
    return status;
}

#define DO(s, fn, req) ((req)->op.done = on_op, done = false, fn((s)->w.store, (req)), wait_for(s))

static void on_moved(struct campaign_move *m, int rc)
{
    (void)m;
    status = rc;
    done = true;
}

static int move(struct scene *s, int64_t id, enum campaign_state to)
{
    struct campaign_move m = {.id = id, .to = to, .who = "ctl:root", .done = on_moved};
    done = false;
    campaign_move(s->c, &m);
    assert_false(done); /* never before the call returns */
    return wait_for(s);
}

/* ---- contacts ---- */

static void know(struct scene *s, const char *number, const char *name, enum consent_state consent)
{
    struct store_effect effects[] = {
        {.kind = EFFECT_TAG, .name = "club"},
        {.kind = EFFECT_CONTACT, .name = "name", .value = name},
        {.kind = EFFECT_CONSENT, .n = (int64_t)consent, .value = "said so"},
    };
    struct store_handle h = {.number = number,
                             .who = "person:Anna",
                             .effects = effects,
                             .neffects = consent == CONSENT_UNKNOWN ? 2 : 3,
                             .now_wall_ms = rt_wall_ms(s->w.rt)};
    assert_int_equal(DO(s, store_handle, &h), 0);
}

static int64_t campaign(struct scene *s, const char *text, const char *tag, const char *proof, int per_minute)
{
    struct store_campaign_new n = {.row = {.name = "test",
                                           .text = (char *)(uintptr_t)text,
                                           .who = "person:Anna",
                                           .per_minute = per_minute},
                                   .tag = tag,
                                   .now_wall_ms = rt_wall_ms(s->w.rt)};
    if (proof)
        str_copy(n.row.proof, sizeof(n.row.proof), proof);
    assert_int_equal(DO(s, store_campaign_new, &n), 0);
    return n.row.id;
}

static struct store_campaign look(struct scene *s, int64_t id)
{
    struct store_campaign c = {.id = id};
    assert_int_equal(DO(s, store_campaign, &c), 0);
    free(c.row.text);
    c.row.text = NULL;
    return c;
}

static int64_t to_numbers(struct scene *s, const char *text, const char *proof, int count, int per_minute)
{
    int64_t id = campaign(s, text, NULL, proof, per_minute);
    static char numbers[1000][NUMBER_BYTES];
    static const char *list[1000];
    for (int i = 0; i < count; i++) {
        snprintf(numbers[i], sizeof(numbers[i]), "+4917010%05d", i);
        list[i] = numbers[i];
    }
    struct store_campaign_add a = {.id = id, .numbers = list, .count = count};
    assert_int_equal(DO(s, store_campaign_add, &a), 0);
    assert_int_equal(a.added, count);
    assert_int_equal(DO(s, store_campaign_add, &a), 0); /* once each */
    assert_int_equal(a.added, 0);
    assert_int_equal(a.total, count);
    return id;
}

/* ---- tests ---- */

/* Only those get it who agreed; the others are counted by reason, and each text is the contact's own. */
static void only_who_agreed(void **state)
{
    (void)state;
    struct scene *s = scene_new();
    know(s, "+491701111111", "Ann", CONSENT_IN);
    know(s, "+491702222222", "", CONSENT_IN);
    know(s, "+491703333333", "Out", CONSENT_OUT);
    know(s, "+491704444444", "New", CONSENT_UNKNOWN);
    int64_t id = campaign(s, "@spring", "club", NULL, 0);
    assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
    live(s, MINUTE);
    struct store_campaign c = look(s, id);
    assert_int_equal(c.row.state, CAMPAIGN_DONE);
    assert_int_equal(c.row.total, 4);
    assert_int_equal(c.row.accepted, 2);
    assert_int_equal(c.row.refused, 2);
    assert_int_equal(c.by_message[MSG_SENT], 2);
    assert_int_equal(c.nreasons, 2);
    assert_int_equal(sent_count(&s->w, "Hallo Ann"), 1);
    assert_int_equal(sent_count(&s->w, "Hallo you"), 1);
    assert_int_equal(s->w.nlog, 2);
    scene_free(s);
}

/* A campaign's proof opts in those of whom nothing is known, into the ledger; no opt-out is undone by it. */
static void a_proof(void **state)
{
    (void)state;
    struct scene *s = scene_new();
    know(s, "+491703333333", "Out", CONSENT_OUT);
    know(s, "+491704444444", "New", CONSENT_UNKNOWN);
    int64_t id = campaign(s, "hello", "club", "club form", 0);
    assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
    live(s, MINUTE);
    struct store_campaign c = look(s, id);
    assert_int_equal(c.row.accepted, 1);
    assert_int_equal(c.row.refused, 1);
    assert_non_null(strstr(c.reasons[0].reason, "opted out"));
    assert_null(strstr(c.reasons[0].reason, "+491703333333"));
    struct store_situation k = {.number = "+491704444444", .sim = "", .look_only = true};
    assert_int_equal(DO(s, store_situation, &k), 0);
    assert_int_equal(k.consent, CONSENT_IN);
    store_situation_clear(&k);
    scene_free(s);
}

static void on_previewed(struct campaign_preview *p, int rc)
{
    (void)p;
    status = rc;
    done = true;
}

/* The preview counts without sending, and shows the first texts. */
static void a_preview(void **state)
{
    (void)state;
    struct scene *s = scene_new();
    know(s, "+491701111111", "Ann", CONSENT_IN);
    know(s, "+491702222222", "", CONSENT_IN);
    know(s, "+491703333333", "Out", CONSENT_OUT);
    know(s, "+491704444444", "New", CONSENT_UNKNOWN);
    int64_t id = campaign(s, "Dear {{contact.name}}", "club", NULL, 30);
    struct campaign_preview p = {.id = id, .done = on_previewed};
    done = false;
    campaign_preview(s->c, &p);
    assert_int_equal(wait_for(s), 0);
    assert_int_equal(p.recipients, 4);
    assert_int_equal(p.go, 1);
    assert_int_equal(p.opted_out, 1);
    assert_int_equal(p.not_opted_in, 1);
    assert_int_equal(p.unusable, 1);
    assert_non_null(strstr(p.why, "contact.name"));
    assert_int_equal(p.segments, 1);
    assert_int_equal(p.time_ms, 8000); /* four at thirty a minute */
    assert_int_equal(p.nsamples, 1);
    assert_string_equal(buf_str(&p.samples[0].text), "Dear Ann");
    campaign_preview_clear(&p);
    live(s, MINUTE);
    assert_int_equal(s->w.nlog, 0);
    p = (struct campaign_preview){.id = 99, .done = on_previewed};
    done = false;
    campaign_preview(s->c, &p);
    assert_int_equal(wait_for(s), ERR_NOT_FOUND);
    scene_free(s);
}

/* Thirty a minute are thirty a minute; paused they wait, and go on where they stopped. */
static void pace_and_pause(void **state)
{
    (void)state;
    struct scene *s = scene_new();
    int64_t id = to_numbers(s, "hi", "form", 100, 30);
    assert_int_equal(move(s, id, CAMPAIGN_PAUSED), ERR_REFUSED); /* it is a draft */
    assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
    live(s, MINUTE);
    assert_in_range(s->w.nlog, 28, 34);
    assert_int_equal(move(s, id, CAMPAIGN_PAUSED), 0);
    live(s, 10 * SECOND);
    int sent = s->w.nlog;
    live(s, HOUR);
    assert_int_equal(s->w.nlog, sent);
    assert_int_equal(look(s, id).row.state, CAMPAIGN_PAUSED);
    assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
    live(s, 3 * MINUTE);
    assert_int_equal(s->w.nlog, 100);
    assert_int_equal(look(s, id).row.state, CAMPAIGN_DONE);
    assert_int_equal(move(s, id, CAMPAIGN_RUNNING), ERR_REFUSED);
    scene_free(s);
}

/* A stopped one ends: what waits in the queue is cancelled, and nobody else gets it. */
static void stopping(void **state)
{
    (void)state;
    struct scene *s = scene_new();
    set_state(&s->w.carriers[0], CARRIER_DOWN, "unplugged");
    int64_t id = to_numbers(s, "hi", "form", 300, 0);
    assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
    live(s, 100);
    assert_int_equal(move(s, id, CAMPAIGN_STOPPED), 0);
    live(s, MINUTE);
    set_state(&s->w.carriers[0], CARRIER_READY, "");
    live(s, HOUR);
    struct store_campaign c = look(s, id);
    assert_int_equal(c.row.state, CAMPAIGN_STOPPED);
    assert_int_equal(s->w.nlog, 0);
    assert_int_equal(c.by_message[MSG_CANCELLED], c.row.accepted);
    scene_free(s);
}

/* Whenever it is stopped: nobody gets it after that, also who was just being put into the queue. */
static void stopping_at_any_moment(void **state)
{
    (void)state;
    for (int steps = 0; steps < 60; steps++) {
        struct scene *s = scene_new();
        set_state(&s->w.carriers[0], CARRIER_DOWN, "unplugged");
        int64_t id = to_numbers(s, "hi", "form", 120, 0);
        assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
        for (int i = 0; i < steps; i++)
            assert_true(rt_sim_step(s->w.rt));
        assert_int_equal(move(s, id, CAMPAIGN_STOPPED), 0);
        live(s, MINUTE);
        set_state(&s->w.carriers[0], CARRIER_READY, "");
        live(s, HOUR);
        struct store_campaign c = look(s, id);
        assert_int_equal(c.by_message[MSG_CANCELLED], c.row.accepted);
        if (s->w.nlog != 0)
            fail_msg("stopped after %d steps: %d got it", steps, s->w.nlog);
        scene_free(s);
    }
}

/* The process dies right behind the stop: the next one clears the queue. */
static void stopping_and_a_crash(void **state)
{
    (void)state;
    struct scene *s = scene_new();
    set_state(&s->w.carriers[0], CARRIER_DOWN, "unplugged");
    int64_t id = to_numbers(s, "hi", "form", 300, 0);
    assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
    live(s, MINUTE);
    assert_int_equal(look(s, id).by_message[MSG_QUEUED], 300);
    assert_int_equal(move(s, id, CAMPAIGN_STOPPED), 0);
    end(s);
    life_start(&s->w);
    start(s);
    live(s, MINUTE);
    set_state(&s->w.carriers[0], CARRIER_READY, "");
    live(s, HOUR);
    assert_int_equal(look(s, id).by_message[MSG_CANCELLED], 300);
    assert_int_equal(s->w.nlog, 0);
    scene_free(s);
}

/* A template that is gone pauses it: a person is needed. */
static void no_text(void **state)
{
    (void)state;
    struct scene *s = scene_new();
    int64_t id = to_numbers(s, "@gone", "form", 3, 0);
    struct err e = {0};
    assert_int_equal(campaign_check_text(s->c, "@gone", &e), ERR_NOT_FOUND);
    assert_int_equal(campaign_check_text(s->c, "{{nonsense}}", &e), ERR_INVALID);
    assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
    live(s, MINUTE);
    struct store_campaign c = look(s, id);
    assert_int_equal(c.row.state, CAMPAIGN_PAUSED);
    assert_int_equal(c.row.waiting, 3);
    scene_free(s);
}

static bool on_work(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    struct scene *s = arg;
    (void)number;
    if (moment == RT_SIM_BEFORE_RUN)
        s->works++;
    return !s->crashed && s->works == s->crash_at && moment == s->moment;
}

/* Before each commit, and after it but before anybody is told: every recipient gets the message once. */
static void a_crash_at_every_commit(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (; n < MAX_WORKS; n++) {
        bool reached = false;
        for (int moment = 0; moment < 2; moment++) {
            struct scene *s = scene_new();
            int64_t id = to_numbers(s, "hi", "form", 12, 60);
            set_state(&s->w.carriers[0], CARRIER_DOWN, "later");
            assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
            s->crash_at = n;
            s->moment = moment ? RT_SIM_BEFORE_DONE : RT_SIM_BEFORE_RUN;
            rt_sim_on_work(s->w.rt, on_work, s);
            live(s, 30 * SECOND);
            reached |= s->crashed;
            s->crashed = true; /* no more */
            set_state(&s->w.carriers[0], CARRIER_READY, "");
            live(s, HOUR);
            assert_int_equal(s->w.nlog, 12);
            for (int i = 0; i < 12; i++)
                for (int k = 0; k < i; k++)
                    assert_string_not_equal(s->w.log[i].to, s->w.log[k].to);
            assert_int_equal(look(s, id).row.state, CAMPAIGN_DONE);
            scene_free(s);
        }
        if (!reached)
            break;
    }
    print_message("%d commits\n", (int)n);
    assert_true(n > 5 && n < MAX_WORKS);
}

/* The process dies before or after any commit, and the first thing that the next one hears is "stop": nobody
 * gets it, also who was in the queue already and not yet known to be. */
static void a_crash_and_a_stop(void **state)
{
    (void)state;
    bool reached = true;
    for (uint64_t n = 1; n < MAX_WORKS && reached; n++) {
        reached = false;
        for (int moment = 0; moment < 2; moment++) {
            struct scene *s = scene_new();
            int64_t id = to_numbers(s, "hi", "form", 12, 0);
            set_state(&s->w.carriers[0], CARRIER_DOWN, "later");
            assert_int_equal(move(s, id, CAMPAIGN_RUNNING), 0);
            s->crash_at = n;
            s->moment = moment ? RT_SIM_BEFORE_DONE : RT_SIM_BEFORE_RUN;
            rt_sim_on_work(s->w.rt, on_work, s);
            if (!rt_sim_run_until(s->w.rt, rt_sim_now(s->w.rt) + 2 * SECOND)) {
                reached = s->crashed = true;
                end(s);
                life_start(&s->w);
                start(s);
            }
            s->crashed = true; /* no more */
            assert_int_equal(move(s, id, CAMPAIGN_STOPPED), 0);
            live(s, MINUTE);
            set_state(&s->w.carriers[0], CARRIER_READY, "");
            live(s, HOUR);
            if (s->w.nlog != 0)
                fail_msg("died at commit %d.%d: %d got it", (int)n, moment, s->w.nlog);
            scene_free(s);
        }
    }
    assert_false(reached);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_agreed),
        cmocka_unit_test(a_proof),
        cmocka_unit_test(a_preview),
        cmocka_unit_test(pace_and_pause),
        cmocka_unit_test(stopping),
        cmocka_unit_test(stopping_at_any_moment),
        cmocka_unit_test(stopping_and_a_crash),
        cmocka_unit_test(no_text),
        cmocka_unit_test(a_crash_at_every_commit),
        cmocka_unit_test(a_crash_and_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
