/* Crashes. A child process writes until it is killed without warning; what it had been told was stored must
 * be there, whole. And on the simulated runtime, a crash before and after every single commit of a message's
 * way. */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <uv.h>

#include "os/rt_uv.h"

enum { KILLS = 12, IN_FLIGHT = 40 };

/* ---- killed ----------------------------------------------------------------------------------------------
 */

/* A message on its way; the parent is told through the pipe what was acknowledged. */
struct way {
    struct store_admit admit;
    struct store_intend intend;
    struct store_outcome outcome;
    struct store_new_message message;
    struct fixture *f;
};

struct told {
    int64_t id;
    enum msg_state state; /* at least so far */
};

static int told_fd;

static void tell(const struct way *w, enum msg_state state)
{
    struct told t = {.id = w->message.id, .state = state};

    if (write(told_fd, &t, sizeof t) != sizeof t)
        _exit(1);
}

static void begin(struct way *w);

static void outcome_done(struct store_op *op, int status)
{
    struct way *w = container_of(op, struct way, outcome.op);

    if (status != 0)
        _exit(2);
    tell(w, MSG_SENT);
    begin(w);
}

static void intend_done(struct store_op *op, int status)
{
    struct way *w = container_of(op, struct way, intend.op);

    if (status != 0)
        _exit(3);
    tell(w, MSG_SUBMITTING);
    w->outcome = (struct store_outcome){
        .message = w->message.id, .seq = 1, .state = MSG_SENT, .mr = 1, .imsi = "262", .now_wall_ms = T0};
    w->outcome.op.done = outcome_done;
    store_outcome(w->f->s, &w->outcome);
}

static void admit_done(struct store_op *op, int status)
{
    struct way *w = container_of(op, struct way, admit.op);

    if (status != 0)
        _exit(4);
    tell(w, MSG_QUEUED);
    w->intend = (struct store_intend){
        .message = w->message.id, .seq = 1, .modem = "m0", .imsi = "262", .now_wall_ms = T0};
    w->intend.op.done = intend_done;
    store_intend(w->f->s, &w->intend);
}

static void begin(struct way *w)
{
    w->message = new_message("+491701234567", 1);
    w->admit = (struct store_admit){.messages = &w->message, .count = 1, .now_wall_ms = T0};
    w->admit.op.done = admit_done;
    store_admit(w->f->s, &w->admit);
}

/* The child: never returns. */
static void live(const char *path, int fd)
{
    struct fixture f = {0};
    static struct way ways[IN_FLIGHT];
    uv_loop_t loop;

    told_fd = fd;
    snprintf(f.path, sizeof f.path, "%s", path);
    uv_loop_init(&loop);
    f.rt = rt_uv_new(&loop);
    fixture_start(&f);
    for (int i = 0; i < IN_FLIGHT; i++) {
        ways[i].f = &f;
        begin(&ways[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(5);
}

/* SENT is further than SUBMITTING, further than QUEUED. */
static bool at_least(enum msg_state state, enum msg_state told)
{
    return state >= told || (state == MSG_UNKNOWN && told == MSG_SUBMITTING);
}

static volatile pid_t alarm_child;

static void kill_child(int signal_number)
{
    (void)signal_number;
    kill(alarm_child, SIGKILL);
}

/* Reads what the child tells, kills it when its time has come, and reads the rest. */
static void stop_after(pid_t child, int fd, useconds_t after_us, enum msg_state *told, int64_t max)
{
    struct told t;

    alarm_child = child;
    signal(SIGALRM, kill_child);
    ualarm(after_us, 0);
    while (read(fd, &t, sizeof t) == sizeof t)
        if (t.id > 0 && t.id < max)
            told[t.id] = t.state;
    close(fd);
}

static void kill_one(struct fixture *f, useconds_t after_us, enum msg_state *told, int64_t max)
{
    int ends[2], status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        live(f->path, ends[1]);
    }
    close(ends[1]);
    stop_after(child, ends[0], after_us, told, max);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* Killed at any moment, again and again: nothing that was acknowledged is lost or has gone back, no message
 * is half there, and the counts agree with the messages. */
static void test_killed(void **state)
{
    enum { MAX = 200000 };
    struct fixture *f = *state;
    uint64_t seed = rt_sim_seed((uint64_t)getpid());
    enum msg_state *told = calloc(MAX, sizeof *told);
    struct rt *dice = rt_sim_new(seed);
    int64_t checked = 0;
    struct err e;

    fixture_stop(f);
    for (int k = 0; k < KILLS; k++)
        kill_one(f, (useconds_t)(20000 + rt_sim_random(dice, 100000)), told, MAX);
    fixture_start(f);
    assert_true(store_settle_interrupted(f->s, T0, &e) >= 0);
    for (int64_t id = 1; id < MAX; id++) {
        struct store_show h = {.id = id};

        if (DO(f, store_show, &h) != 0) {
            assert_int_equal(told[id], 0);
            break;
        }
        if (!at_least(h.row.state, told[id]))
            fail_msg("message %d is %s, but was told to be %s", (int)id, msg_state_name(h.row.state),
                     msg_state_name(told[id]));
        assert_int_equal(h.nparts, 1);
        assert_int_equal(h.history[h.nhistory - 1].state, h.row.state);
        checked += told[id] != 0;
        store_show_clear(&h);
    }
    assert_true(checked > 0);
    rt_sim_free(dice);
    free(told);
}

/* ---- a crash at every commit ------------------------------------------------------------------------------
 */

struct crash {
    uint64_t at;
    enum rt_sim_moment moment;
};

static bool crash_now(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    const struct crash *c = arg;

    return number == c->at && moment == c->moment;
}

static bool stepped;

static void step_done(struct store_op *op, int status)
{
    (void)op;
    assert_int_equal(status, 0);
    stepped = true;
}

/* Runs until done (true) or the crash. */
static bool step(struct fixture *f)
{
    bool ok = rt_sim_run_till(f->rt, fixture_is_done, &stepped, DAY);

    return ok && stepped;
}

#define STEP(f, fn, req) ((req)->op.done = step_done, stepped = false, fn((f)->s, (req)), step(f))

/* What was asked for when the process died is still looked at by the abandoned lane. */
static struct {
    struct store_inbound in;
    struct store_new_message reply;
    struct store_handle handle;
    struct store_intend intend;
    struct store_outcome outcome;
} asked;

/* A message comes in, is handled with a reply, the reply is sent. Returns how many steps were acknowledged.
 */
static int scenario(struct fixture *f)
{
    static const uint8_t deliver[] = {0x00, 0x04};

    asked.in = (struct store_inbound){.modem = "m0",
                                      .imsi = "262",
                                      .pdu = deliver,
                                      .len = sizeof deliver,
                                      .now_wall_ms = T0,
                                      .hash = {1},
                                      .duplicate_window_ms = DAY,
                                      .sender = "+491701234567",
                                      .total = 1,
                                      .seq = 1,
                                      .text = "hi"};
    asked.reply = new_message("+491701234567", 1);
    asked.handle =
        (struct store_handle){.message = 1, .replies = &asked.reply, .nreplies = 1, .now_wall_ms = T0};
    asked.intend =
        (struct store_intend){.message = 2, .seq = 1, .modem = "m0", .imsi = "262", .now_wall_ms = T0};
    asked.outcome = (struct store_outcome){
        .message = 2, .seq = 1, .state = MSG_SENT, .mr = 1, .imsi = "262", .now_wall_ms = T0};
    if (!STEP(f, store_inbound, &asked.in))
        return 0;
    if (!STEP(f, store_handle, &asked.handle))
        return 1;
    if (!STEP(f, store_intend, &asked.intend))
        return 2;
    return STEP(f, store_outcome, &asked.outcome) ? 4 : 3;
}

/* The states of the two messages after so many steps; a step that was not acknowledged may be there or not.
 */
static int steps_found(struct fixture *f)
{
    static const struct {
        enum msg_state inbound, reply;
    } after[] = {
        {0, 0},
        {MSG_RECEIVED, 0},
        {MSG_HANDLED, MSG_QUEUED},
        {MSG_HANDLED, MSG_SUBMITTING},
        {MSG_HANDLED, MSG_SENT},
    };
    enum msg_state found[2] = {0};

    for (int i = 0; i < 2; i++) {
        struct store_show h = {.id = i + 1};

        if (DO(f, store_show, &h) == 0)
            found[i] = h.row.state;
        store_show_clear(&h);
    }
    for (int n = 0; n < (int)ARRAY_LEN(after); n++)
        if (found[0] == after[n].inbound && found[1] == after[n].reply)
            return n;
    fail_msg("%s and %s", msg_state_name(found[0]), msg_state_name(found[1]));
    return -1;
}

/* The process dies before and after each commit: what was acknowledged is there, each step whole or not at
 * all. */
static void test_crash_at_every_commit(void **state)
{
    (void)state;
    for (int at = 1; at <= 4; at++)
        for (int moment = RT_SIM_BEFORE_RUN; moment <= RT_SIM_BEFORE_DONE; moment++) {
            struct crash c = {(uint64_t)at, (enum rt_sim_moment)moment};
            void *fresh;
            struct fixture *f;
            int acknowledged, found;

            fixture_setup(&fresh);
            f = fresh;
            rt_sim_on_work(f->rt, crash_now, &c);
            acknowledged = scenario(f);
            assert_int_equal(acknowledged, at - 1);
            rt_sim_on_work(f->rt, NULL, NULL);
            fixture_crash(f);
            fixture_start(f);
            found = steps_found(f);
            assert_int_equal(found, moment == RT_SIM_BEFORE_RUN ? acknowledged : acknowledged + 1);
            fixture_teardown(&fresh);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_killed),
        cmocka_unit_test(test_crash_at_every_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
