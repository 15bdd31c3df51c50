/* os/child_uv: real processes on a real loop. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/buf.h"
#include "base/util.h"
#include "os/child_uv.h"

static uv_loop_t loop;
static struct child_uv host;

/* What is heard of one. */
struct heard {
    struct child *child;
    struct buf out, err;
    bool exited;
    int status, signal;
};

static void on_output(void *owner, const char *at, size_t len)
{
    buf_add(&((struct heard *)owner)->out, at, len);
}

static void on_error(void *owner, const char *at, size_t len)
{
    buf_add(&((struct heard *)owner)->err, at, len);
}

static void on_exited(void *owner, int status, int signal)
{
    struct heard *h = owner;

    assert_false(h->exited);
    h->exited = true;
    h->status = status;
    h->signal = signal;
}

static int set_up(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    child_uv_init(&host, &loop);
    return 0;
}

/* All handles close by themselves: nothing is left of any child. */
static int tear_down(void **state)
{
    (void)state;
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_null(host.children);
    return uv_loop_close(&loop);
}

static int start(struct heard *h, const char *const *argv)
{
    struct child_conf conf = {
        .argv = argv, .owner = h, .output = on_output, .error = on_error, .exited = on_exited};
    struct err e = {0};

    *h = (struct heard){0};
    return host.host.ops->start(&host.host, &conf, &h->child, &e);
}

static void fini(struct heard *h)
{
    buf_free(&h->out);
    buf_free(&h->err);
}

/* Bytes go in and come out; both outputs and the status are told. */
static void test_talks(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "cat; echo bad >&2; exit 3", NULL};
    struct heard h;

    (void)state;
    assert_int_equal(start(&h, argv), 0);
    host.host.ops->write(h.child, "hello ", 6);
    host.host.ops->write(h.child, "world", 5);
    host.host.ops->end_input(h.child);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(h.exited);
    assert_int_equal(h.status, 3);
    assert_string_equal(buf_str(&h.out), "hello world");
    assert_string_equal(buf_str(&h.err), "bad\n");
    fini(&h);
}

/* Arguments are given as they are: no shell looks at them. */
static void test_no_shell(void **state)
{
    static const char *const argv[] = {"/bin/echo", "$(id)", "`id`", "; rm x", "\"'\n*", NULL};
    struct heard h;

    (void)state;
    assert_int_equal(start(&h, argv), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(buf_str(&h.out), "$(id) `id` ; rm x \"'\n*\n");
    fini(&h);
}

/* The environment has four names at most, the folder is /. */
static void test_environment(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "env; pwd", NULL};
    struct heard h;

    (void)state;
    setenv("SIMGATE_SECRET_OF_TEST", "x", 1);
    assert_int_equal(start(&h, argv), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_null(strstr(buf_str(&h.out), "SECRET"));
    assert_non_null(strstr(buf_str(&h.out), "PATH=/usr/local/sbin:"));
    assert_string_equal(buf_str(&h.out) + h.out.len - 3, "\n/\n");
    fini(&h);
}

/* A program that is not there, or may not be run, is an error of the start, and nothing else is told. */
static void test_cannot_start(void **state)
{
    static const char *const missing[] = {"/nonexistent/program", NULL}, *const none[] = {"", NULL};
    struct heard h;

    (void)state;
    assert_int_equal(start(&h, missing), ERR_NOT_FOUND);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_false(h.exited);
    assert_int_equal(start(&h, none), ERR_INVALID);
}

static void kill_it(uv_timer_t *t)
{
    struct heard *h = t->data;

    host.host.ops->kill(h->child, SIGKILL);
    uv_close((uv_handle_t *)t, NULL);
}

/* Killed with all that it started. */
static void test_killed(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "sleep 1000 & echo $!; wait", NULL};
    uv_timer_t timer;
    struct heard h;

    (void)state;
    assert_int_equal(start(&h, argv), 0);
    uv_timer_init(&loop, &timer);
    timer.data = &h;
    uv_timer_start(&timer, kill_it, 200, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(h.exited);
    assert_int_equal(h.signal, SIGKILL);
    pid_t inner = atoi(buf_str(&h.out));

    assert_true(inner > 0);
    for (int i = 0; i < 100 && kill(inner, 0) == 0; i++) { /* until its new parent has reaped it */
        char path[64], state_line[256] = "";
        FILE *f;

        snprintf(path, sizeof path, "/proc/%d/stat", (int)inner);
        if ((f = fopen(path, "r"))) {
            if (!fgets(state_line, sizeof state_line, f))
                state_line[0] = '\0';
            fclose(f);
        }
        if (strstr(state_line, ") Z "))
            break;
        usleep(20000);
        assert_true(i < 99);
    }
    fini(&h);
}

/* One that leaves a process behind, which holds its outputs, is over all the same. */
static void test_leaves_somebody_behind(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "setsid sleep 3 & exit 0", NULL};
    struct heard h;

    (void)state;
    assert_int_equal(start(&h, argv), 0);
    while (!h.exited)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(h.status, 0);
    fini(&h);
}

/* Forgotten while it runs, or talks: killed and reaped, and nothing is told any more. */
static void test_forgotten(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "while :; do echo x; done", NULL};
    struct heard h;

    (void)state;
    assert_int_equal(start(&h, argv), 0);
    while (!h.out.len)
        uv_run(&loop, UV_RUN_ONCE);
    host.host.ops->forget(h.child);
    buf_clear(&h.out);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_false(h.exited);
    assert_int_equal(h.out.len, 0);
    fini(&h);
}

/* One that reads nothing: what it was given waits, and is gone with it. */
static void test_does_not_read(void **state)
{
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    static char much[1 << 20];
    struct heard h;

    (void)state;
    assert_int_equal(start(&h, argv), 0);
    for (int i = 0; i < 4; i++)
        host.host.ops->write(h.child, much, sizeof much);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_true(host.host.ops->pending(h.child) > sizeof much);
    host.host.ops->forget(h.child);
    fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_talks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_shell, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaves_somebody_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_does_not_read, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
