/* What the store's tests share: a store in a directory of its own on the simulated runtime, operations that
 * are waited for, and messages of invented bytes. */
#ifndef SIMGATE_TESTS_STORE_FIXTURE_H
#define SIMGATE_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "store/store.h"
#include "tests/lib/rt_sim.h"

#define T0     RT_SIM_START_WALL_MS
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define DAY    (24 * 60 * MINUTE)

struct fixture {
    char dir[64], path[96];
    struct rt *rt;
    struct store *s;
};

static bool fixture_op_done;
static int fixture_status;

static inline void fixture_done(struct store_op *op, int status)
{
    (void)op;
    fixture_status = status;
    fixture_op_done = true;
}

static inline bool fixture_is_done(void *arg)
{
    return *(bool *)arg;
}

static inline int fixture_wait(struct fixture *f)
{
    assert_true(rt_sim_run_till(f->rt, fixture_is_done, &fixture_op_done, DAY));
    return fixture_status;
}

/* Calls fn on the store and waits; the status. */
#define DO(f, fn, req)                                                                                       \
    ((req)->op.done = fixture_done, fixture_op_done = false, fn((f)->s, (req)), fixture_wait(f))

static inline void fixture_start(struct fixture *f)
{
    static const char *const sinks[] = {"spool", NULL};
    struct store_conf conf = {.path = f->path, .sinks = sinks};
    struct err e;

    if (store_open(f->rt, &conf, &f->s, &e) != 0)
        fail_msg("%s", e.text);
}

static inline void fixture_closed(void *owner)
{
    *(bool *)owner = true;
}

static inline void fixture_stop(struct fixture *f)
{
    bool closed = false;

    store_close(f->s, fixture_closed, &closed);
    assert_true(rt_sim_run_till(f->rt, fixture_is_done, &closed, DAY));
    f->s = NULL;
}

static inline void fixture_crash(struct fixture *f)
{
    store_abandon(f->s);
    rt_sim_drop(f->rt);
    f->s = NULL;
}

static inline void fixture_dir(char *dir, size_t size)
{
    snprintf(dir, size, "%s/simgate-store-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(dir));
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    fixture_dir(f->dir, sizeof f->dir);
    snprintf(f->path, sizeof f->path, "%s/db", f->dir);
    f->rt = rt_sim_new(1);
    fixture_start(f);
    *state = f;
    return 0;
}

static inline void fixture_remove(const char *dir)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    if (f->s)
        fixture_stop(f);
    rt_sim_free(f->rt);
    fixture_remove(f->dir);
    free(f);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

/* ---- messages ---- */

/* No SMSC address, then an SMS-SUBMIT's first octet with TP-SRR. */
static const uint8_t some_pdu[] = {0x00, 0x31, 0x00, 0x0B, 0x91, 0x94, 0x71, 0x10};

static inline struct store_new_message new_message(const char *peer, int nparts)
{
    static struct store_new_part parts[255];

    for (int i = 0; i < nparts && !parts[i].pdu; i++)
        parts[i] = (struct store_new_part){some_pdu, sizeof some_pdu, sizeof some_pdu - 1};
    return (struct store_new_message){
        .peer = peer,
        .text = "text",
        .source = "test",
        .flags = MSG_F_REPORT,
        .priority = 1,
        .parts = parts,
        .nparts = nparts,
    };
}

static inline int64_t admit(struct fixture *f, const char *peer, int nparts)
{
    struct store_new_message m = new_message(peer, nparts);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};

    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(m.id > 0);
    return m.id;
}

/* True: submit it. */
static inline bool intend(struct fixture *f, int64_t id, int seq, int64_t at)
{
    struct store_intend i = {.message = id, .seq = seq, .modem = "m0", .imsi = "262", .now_wall_ms = at};

    assert_int_equal(DO(f, store_intend, &i), 0);
    return !i.skipped;
}

static inline enum msg_state outcome(struct fixture *f, int64_t id, int seq, enum msg_state state, int mr,
                                     int64_t at)
{
    struct store_outcome o = {.message = id,
                              .seq = seq,
                              .state = state,
                              .mr = mr,
                              .modem = "m0",
                              .imsi = "262",
                              .reason = "because",
                              .due_wall_ms = at + MINUTE,
                              .now_wall_ms = at};

    assert_int_equal(DO(f, store_outcome, &o), 0);
    return o.message_state;
}

static inline enum msg_state send_part(struct fixture *f, int64_t id, int seq, int mr, int64_t at)
{
    assert_true(intend(f, id, seq, at));
    return outcome(f, id, seq, MSG_SENT, mr, at);
}

static inline struct store_show show(struct fixture *f, int64_t id)
{
    struct store_show h = {.id = id};

    assert_int_equal(DO(f, store_show, &h), 0);
    return h;
}

static inline enum msg_state state_of(struct fixture *f, int64_t id)
{
    struct store_show h = show(f, id);
    enum msg_state state = h.row.state;

    store_show_clear(&h);
    return state;
}

static inline enum msg_state part_state_of(struct fixture *f, int64_t id, int seq)
{
    struct store_show h = show(f, id);
    enum msg_state state = h.parts[seq - 1].state;

    store_show_clear(&h);
    return state;
}

static inline int move_to(struct fixture *f, int64_t id, enum msg_state state)
{
    struct store_move m = {.message = id, .state = state, .reason = "moved", .now_wall_ms = T0 + MINUTE};

    return DO(f, store_move, &m);
}

/* The state of the history as words, "queued submitting sent". */
static inline void assert_history(struct fixture *f, int64_t id, const char *expected)
{
    struct store_show h = show(f, id);
    char words[1024] = "";

    for (int i = 0; i < h.nhistory; i++) {
        size_t used = strlen(words);

        if (h.history[i].part == 0)
            snprintf(words + used, sizeof words - used, "%s%s", used ? " " : "",
                     msg_state_name(h.history[i].state));
    }
    store_show_clear(&h);
    assert_string_equal(words, expected);
}

/* How many rows of a kind wait in the spool's outbox for this message. */
static inline int outbox_count(struct fixture *f, enum outbox_kind kind, int64_t message)
{
    struct store_outbox o = {.sink = "spool", .max = 1000};
    int n = 0;

    assert_int_equal(DO(f, store_outbox, &o), 0);
    for (int i = 0; i < o.count; i++)
        n += o.rows[i].kind == kind && o.rows[i].message == message;
    free(o.rows);
    return n;
}

#endif
