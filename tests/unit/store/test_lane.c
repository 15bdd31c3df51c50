/* The lanes on the real runtime, with real threads: order, batches, failures, closing, abandoning. Meant for
 * the thread sanitizer too. */
#include "fixture.h"

#include <uv.h>

#include "os/rt_uv.h"

enum { OPS = 3000 };

struct world {
    struct fixture f;
    uv_loop_t loop;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    fixture_dir(w->f.dir, sizeof w->f.dir);
    snprintf(w->f.path, sizeof w->f.path, "%s/db", w->f.dir);
    uv_loop_init(&w->loop);
    w->f.rt = rt_uv_new(&w->loop);
    fixture_start(&w->f);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    bool closed = false;

    if (w->f.s)
        store_close(w->f.s, fixture_closed, &closed);
    while (w->f.s && !closed)
        uv_run(&w->loop, UV_RUN_ONCE);
    rt_uv_close(w->f.rt);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    fixture_remove(w->f.dir);
    free(w);
    return 0;
}

struct one {
    struct store_admit admit;
    struct store_new_message messages[2];
    int number;
    struct world *world;
};

static int done_count, cancelled_count, wrong_order;
static int abandon_at;

static void one_done(struct store_op *op, int status)
{
    struct one *o = container_of(op, struct one, admit.op);

    if (status == ERR_CANCELLED) {
        cancelled_count++;
        return;
    }
    wrong_order += o->number != done_count;
    assert_int_equal(status, o->admit.count == 2 ? ERR_INVALID : 0);
    done_count++;
    if (done_count == abandon_at) {
        store_abandon(o->world->f.s);
        o->world->f.s = NULL;
    }
}

static void submit(struct world *w, struct one *o, int number)
{
    /* Every seventh fails, after it has stored its first message. */
    o->messages[0] = new_message("+491701234567", 1);
    o->messages[1] = new_message("+491701234567", 0);
    o->admit =
        (struct store_admit){.messages = o->messages, .count = number % 7 == 3 ? 2 : 1, .now_wall_ms = T0};
    o->admit.op.done = one_done;
    o->number = number;
    o->world = w;
    store_admit(w->f.s, &o->admit);
}

static struct one *submit_many(struct world *w, int n)
{
    struct one *ops = calloc((size_t)n, sizeof *ops);

    done_count = cancelled_count = wrong_order = abandon_at = 0;
    for (int i = 0; i < n; i++)
        submit(w, &ops[i], i);
    return ops;
}

static int64_t count_queued(struct world *w)
{
    struct store_counts c = {0};

    fixture_op_done = false;
    c.op.done = fixture_done;
    store_counts(w->f.s, &c);
    while (!fixture_op_done)
        uv_run(&w->loop, UV_RUN_ONCE);
    return c.by_state[MSG_QUEUED];
}

/* Callbacks come in the order of the calls, none before its call has returned; a failing operation among them
 * takes back only itself; commits are far fewer than operations. */
static void test_order_and_batches(void **state)
{
    struct world *w = *state;
    struct one *ops = submit_many(w, OPS);
    struct store_stats st;

    assert_int_equal(done_count, 0);
    while (done_count < OPS)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(wrong_order, 0);
    store_get_stats(w->f.s, &st);
    assert_int_equal(st.operations, OPS);
    assert_int_equal(st.failures, (OPS + 3) / 7);
    assert_true(st.commits >= 1 && st.commits < OPS / 100);
    assert_int_equal(count_queued(w), OPS - (OPS + 3) / 7);
    free(ops);
}

struct listing {
    struct store_list list;
    bool done;
};

static void listed(struct store_op *op, int status)
{
    struct listing *l = container_of(op, struct listing, list.op);

    assert_int_equal(status, 0);
    for (int i = 0; i < l->list.count; i++)
        msg_row_clear(&l->list.rows[i]);
    free(l->list.rows);
    l->done = true;
}

/* Reading goes on beside the commits. */
static void test_reading_beside_writing(void **state)
{
    struct world *w = *state;
    struct one *ops = submit_many(w, OPS);
    struct listing l = {.list = {.limit = 100}};
    int readings = 0;

    l.list.op.done = listed;
    l.done = true;
    while (done_count < OPS || !l.done) {
        if (l.done && done_count < OPS) {
            l.done = false;
            readings++;
            store_list(w->f.s, &l.list);
        }
        uv_run(&w->loop, UV_RUN_ONCE);
    }
    assert_true(readings > 1);
    free(ops);
}

/* Closing finishes what was asked for before, refuses what comes after, and calls each callback once. */
static void test_close(void **state)
{
    struct world *w = *state;
    struct one *ops = submit_many(w, OPS), late;
    bool closed = false;

    store_close(w->f.s, fixture_closed, &closed);
    submit(w, &late, 1);
    assert_int_equal(cancelled_count, 0);
    while (!closed)
        uv_run(&w->loop, UV_RUN_ONCE);
    w->f.s = NULL;
    assert_int_equal(done_count, OPS);
    assert_int_equal(cancelled_count, 1);
    free(ops);
}

/* Abandoning calls nothing any more, whatever is on the other thread, and what was committed is there. */
static void test_abandon(void **state)
{
    struct world *w = *state;

    for (int round = 0; round < 20; round++) {
        struct one *ops = submit_many(w, 600);

        for (int turns = 0; turns < round; turns++)
            uv_run(&w->loop, UV_RUN_NOWAIT);
        int done_before = done_count;

        store_abandon(w->f.s);
        free(ops);
        fixture_start(&w->f);
        uv_run(&w->loop, UV_RUN_NOWAIT);
        assert_int_equal(done_count, done_before);
        assert_true(count_queued(w) >= done_before - (done_before + 3) / 7);
    }
}

/* The store may be abandoned from within a callback. */
static void test_abandon_in_a_callback(void **state)
{
    struct world *w = *state;
    struct one *ops = submit_many(w, 600);

    abandon_at = 300;
    while (w->f.s)
        uv_run(&w->loop, UV_RUN_ONCE);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(done_count, 300);
    free(ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_and_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reading_beside_writing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abandon, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abandon_in_a_callback, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
