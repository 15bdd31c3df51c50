/* os/rt_uv: timers and work on a real loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <uv.h>

#include "base/err.h"
#include "base/util.h"
#include "os/rt_uv.h"

static uv_loop_t loop;
static struct rt *rt;

static int setup(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    rt = rt_uv_new(&loop);
    return rt ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    rt_uv_close(rt);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

enum { TIMERS = 300 };

struct probe {
    struct rt_timer timer;
    int64_t wanted_ms;
    unsigned order; /* of arming */
    unsigned fired;
};

static struct probe *fired[TIMERS];
static size_t fired_len;

static void on_probe(struct rt_timer *t)
{
    struct probe *p = container_of(t, struct probe, timer);

    assert_int_equal(t->at_ms, RT_NEVER);
    assert_true(rt_now_ms(rt) >= p->wanted_ms);
    p->fired++;
    if (fired_len < TIMERS)
        fired[fired_len++] = p;
}

static unsigned seed_of_run(void)
{
    const char *text = getenv("SEED");
    unsigned seed = text ? (unsigned)strtoul(text, NULL, 0) : (unsigned)time(NULL);

    print_message("SEED=%u\n", seed);
    return seed;
}

/* However timers are armed, moved and stopped, those left fire once each, in the order of their times and, at
 * equal times, of their arming; and never too early. */
static void timers_in_order(void **state)
{
    static struct probe probes[TIMERS];
    int64_t start_ms = rt_now_ms(rt) + 20;
    size_t armed = 0;

    (void)state;
    srand(seed_of_run());
    memset(probes, 0, sizeof probes);
    fired_len = 0;
    for (unsigned step = 1; step <= 2000; step++) {
        struct probe *p = &probes[rand() % TIMERS];

        p->timer.fire = on_probe;
        p->order = step;
        rt_timer_at(rt, &p->timer, rand() % 3 == 0 ? RT_NEVER : start_ms + rand() % 30);
        p->wanted_ms = p->timer.at_ms;
    }
    for (size_t i = 0; i < TIMERS; i++)
        armed += probes[i].timer.at_ms != 0 && probes[i].timer.at_ms != RT_NEVER;
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(fired_len, armed);
    for (size_t i = 0; i < fired_len; i++) {
        assert_int_equal(fired[i]->fired, 1);
        if (i == 0)
            continue;
        assert_true(fired[i - 1]->wanted_ms <= fired[i]->wanted_ms);
        if (fired[i - 1]->wanted_ms == fired[i]->wanted_ms)
            assert_true(fired[i - 1]->order < fired[i]->order);
    }
}

/* A timer may be discarded as soon as it is stopped: nothing looks at its memory again. */
static void stopped_is_forgotten(void **state)
{
    struct probe *p[8];

    (void)state;
    fired_len = 0;
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        p[i] = calloc(1, sizeof *p[i]);
        p[i]->timer.fire = on_probe;
        rt_timer_stop(rt, &p[i]->timer);
        rt_timer_at(rt, &p[i]->timer, rt_now_ms(rt) + (int64_t)(i * 5 % 8));
    }
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        rt_timer_stop(rt, &p[i]->timer);
        rt_timer_stop(rt, &p[i]->timer);
        memset(p[i], 0xFF, sizeof *p[i]);
        free(p[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(fired_len, 0);
}

static struct rt_timer greedy, patient, victim;
static unsigned greedy_rounds, patient_rounds;

static void on_greedy(struct rt_timer *t)
{
    rt_timer_stop(rt, &victim);
    if (++greedy_rounds < 10000 && patient_rounds == 0)
        rt_timer_at(rt, t, 1);
}

static void on_patient(struct rt_timer *t)
{
    (void)t;
    patient_rounds++;
}

static void on_victim(struct rt_timer *t)
{
    (void)t;
    fail_msg("a stopped timer fired");
}

/* A timer that arms itself for the past again and again does not starve others, and one due timer can stop
 * another that is due in the same turn. */
static void no_starving(void **state)
{
    (void)state;
    greedy = (struct rt_timer){.fire = on_greedy};
    patient = (struct rt_timer){.fire = on_patient};
    victim = (struct rt_timer){.fire = on_victim};
    greedy_rounds = patient_rounds = 0;
    rt_timer_at(rt, &patient, rt_now_ms(rt) + 3);
    rt_timer_at(rt, &greedy, 0);
    rt_timer_at(rt, &victim, rt_now_ms(rt));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(patient_rounds, 1);
    assert_true(greedy_rounds > 0);
}

struct job {
    struct rt_work work;
    uv_thread_t ran_on;
    int status;
    unsigned done;
};

static void job_run(struct rt_work *w)
{
    container_of(w, struct job, work)->ran_on = uv_thread_self();
}

static void job_done(struct rt_work *w, int status)
{
    struct job *job = container_of(w, struct job, work);

    job->status = status;
    job->done++;
}

/* Work runs on another thread and is told done once, on the loop's thread; also when the runtime is being
 * closed in the meantime. */
static void work_is_done(void **state)
{
    struct job jobs[20];
    uv_thread_t self = uv_thread_self();

    (void)state;
    memset(jobs, 0, sizeof jobs);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i].work = (struct rt_work){.run = job_run, .done = job_done};
        jobs[i].status = -1;
        assert_int_equal(rt_work(rt, &jobs[i].work), 0);
        assert_int_equal(jobs[i].done, 0);
    }
    rt_uv_close(rt);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        assert_int_equal(jobs[i].done, 1);
        assert_int_equal(jobs[i].status, ERR_OK);
        assert_false(uv_thread_equal(&jobs[i].ran_on, &self));
    }
    rt = rt_uv_new(&loop);
}

static void on_close_rt(struct rt_timer *t)
{
    (void)t;
    rt_uv_close(rt);
    rt = NULL;
}

/* The runtime may be closed by one of its own timers; those behind it do not fire. */
static void closed_by_timer(void **state)
{
    struct rt_timer closer = {.fire = on_close_rt}, late = {.fire = on_victim};

    (void)state;
    rt_timer_at(rt, &closer, 1);
    rt_timer_at(rt, &late, 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_null(rt);
    rt = rt_uv_new(&loop);
}

/* The clocks run, the wall clock agrees with time(2), and random bytes fill the whole of a buffer. */
static void clocks_and_random(void **state)
{
    unsigned char bytes[1000] = {0};
    int64_t now_ms = rt_now_ms(rt), wall_s = rt_wall_ms(rt) / 1000;
    size_t zeros = 0;

    (void)state;
    assert_true(rt_now_ms(rt) >= now_ms && now_ms > 0);
    assert_true(llabs((long long)time(NULL) - wall_s) <= 1);
    rt_random(rt, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        zeros += bytes[i] == 0;
    assert_true(zeros < 50);
    assert_true(bytes[998] || bytes[999] || bytes[997] || bytes[996]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(stopped_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(no_starving, setup, teardown),
        cmocka_unit_test_setup_teardown(work_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(closed_by_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(clocks_and_random, setup, teardown),
    };

    return cmocka_run_group_tests_name("os/rt_uv", tests, NULL, NULL);
}
