/* What needs no USB device: a user's command, what is refused, and a monitor that is opened and closed. With
 * devices it is tests/vm's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/util.h"
#include "os/ports.h"

struct fixture {
    uv_loop_t loop;
    struct ports ports;
    struct port_task task;
    int done, status;
    struct err why;
};

static void on_done(struct port_task *t, int status, const struct err *why)
{
    struct fixture *f = container_of(t, struct fixture, task);

    f->done++;
    f->status = status;
    if (why)
        f->why = *why;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    uv_loop_init(&f->loop);
    ports_init(&f->ports, &f->loop);
    f->task.done = on_done;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static int command(struct fixture *f, const char *const *argv)
{
    struct err e = {0};
    int rc = f->ports.source.command(&f->ports.source, argv, &f->task, &e);

    if (rc < 0) {
        assert_int_equal(rc, e.code);
        assert_non_null(strstr(e.text, argv[0]));
        return rc;
    }
    assert_int_equal(f->done, 0);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->done, 1);
    f->done = 0;
    return f->status;
}

/* A command gets its arguments as they are, no shell looks at them, and its exit status is told. */
static void command_exits(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(command(f, (const char *[]){"/bin/true", NULL}), 0);
    assert_int_equal(command(f, (const char *[]){"/usr/bin/test", "$HOME;*", "=", "$HOME;*", NULL}), 0);
    assert_int_equal(command(f, (const char *[]){"/bin/sh", "-c", "exit 3", NULL}), ERR_IO);
    assert_string_equal(f->why.text, "/bin/sh: exit status 3");
    assert_int_equal(command(f, (const char *[]){"/bin/sh", "-c", "kill -9 $$", NULL}), ERR_IO);
    assert_string_equal(f->why.text, "/bin/sh: killed by signal 9");
}

/* It sees nothing of the gateway's environment, which may hold what is nobody's business, and is found by a
 * path that is always the same. */
static void command_environment(void **state)
{
    struct fixture *f = *state;

    setenv("SIMGATE_SECRET", "1", 1);
    assert_int_equal(command(f, (const char *[]){"/bin/sh", "-c", "test -z \"$SIMGATE_SECRET\"", NULL}), 0);
    assert_int_equal(command(f, (const char *[]){"true", NULL}), 0);
    unsetenv("SIMGATE_SECRET");
}

/* What cannot be started says why, at once. */
static void command_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(command(f, (const char *[]){"/nonexistent/uhubctl", NULL}), ERR_NOT_FOUND);
    assert_int_equal(command(f, (const char *[]){"/etc/passwd", NULL}), ERR_REFUSED);
}

/* An owner that goes while its command runs is not called any more. */
static void command_forgotten(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"/bin/sleep", "0.1", NULL};

    assert_int_equal(f->ports.source.command(&f->ports.source, argv, &f->task, NULL), 0);
    port_task_forget(&f->task);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->done, 0);
}

/* Only a place on the bus is put into the path of what is written; a device that is not there is said. */
static void replug_refused(void **state)
{
    static const char *const bad[] = {"", "../../kernel", "1-1/../2-1", "usb1", "1-1 ", "0123456789ABCDEF"};
    struct fixture *f = *state;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(f->ports.source.replug(&f->ports.source, bad[i], &f->task, &e), ERR_INVALID);
    int rc = f->ports.source.replug(&f->ports.source, "99-9.9", &f->task, &e);
    assert_true(rc == ERR_NOT_FOUND || rc == ERR_REFUSED);
    assert_int_equal(f->done, 0);
}

/* What is listed is on USB and has a name and a place; what is no device is not known. */
static void lists(void **state)
{
    enum { MAX = 64 };
    struct fixture *f = *state;
    struct port_source *src = &f->ports.source;
    struct port_info ports[MAX], one;
    struct port_usb_device devices[MAX];
    int n = src->list(src, ports, MAX);

    assert_in_range(n, 0, MAX);
    for (int i = 0; i < n; i++) {
        assert_memory_equal(ports[i].name, "/dev/", 5);
        assert_true(*ports[i].usb_path && ports[i].interface >= 0);
    }
    n = src->usb(src, devices, MAX);
    assert_in_range(n, 0, MAX);
    for (int i = 0; i < n; i++)
        assert_true(*devices[i].usb_path);
    assert_false(src->info(src, "tcp://127.0.0.1:1", &one));
    assert_false(src->info(src, "/dev/nonexistent", &one));
    assert_false(src->info(src, "/etc/passwd", &one));
}

/* A terminal that is no USB device is known by its name and nothing else, also behind a link. */
static void info_of_a_terminal(void **state)
{
    struct fixture *f = *state;
    struct port_source *src = &f->ports.source;
    char dir[] = "/tmp/simgate-usb-XXXXXX", path[64];
    struct port_info one;

    if (access("/dev/tty1", F_OK) != 0)
        skip();
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/modem", dir);
    assert_int_equal(symlink("/dev/tty1", path), 0);
    bool known = src->info(src, path, &one);
    unlink(path);
    rmdir(dir);
    if (!known) /* no sysfs here */
        skip();
    assert_string_equal(one.name, "/dev/tty1");
    assert_string_equal(one.usb_path, "");
    assert_int_equal(one.interface, -1);
}

/* The monitor opens and closes, or says why there is none; what is listed under it is of the same kind. */
static void watched(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    if (ports_watch(&f->ports, &e) < 0) {
        assert_true(*e.text);
        print_message("no monitor here: %s\n", e.text);
    }
    lists(state); /* kept: the same again */
    lists(state);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    ports_unwatch(&f->ports);
    ports_unwatch(&f->ports);
}

#define USB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        USB_TEST(command_exits),      USB_TEST(command_environment),
        USB_TEST(command_refused),    USB_TEST(command_forgotten),
        USB_TEST(replug_refused),     USB_TEST(lists),
        USB_TEST(info_of_a_terminal), USB_TEST(watched),
    };
    return cmocka_run_group_tests_name("USB", tests, NULL, NULL);
}
