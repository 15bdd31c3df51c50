/* os/ports: real pseudo-terminals and real sockets, on a real loop. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/buf.h"
#include "base/util.h"
#include "os/ports.h"

enum { PATIENCE_MS = 20000, BIG_BYTES = 60000 };

/* What a port's owner has been told. */
struct owner {
    struct port *port;
    unsigned opened;
    unsigned gone;
    struct err why;
    struct buf data;
    bool close_on_data;
    bool close_on_opened;
    bool close_on_gone;
};

struct fixture {
    uv_loop_t loop;
    struct ports ports;
    uv_timer_t patience;
    struct owner owner;
    char dir[64];
    int master; /* of a pseudo-terminal, or -1 */
    char slave[64];
    char link[128];
};

static bool in_call; /* of a port's function: no event may come now */

static void close_port(struct owner *o)
{
    in_call = true;
    port_close(o->port);
    in_call = false;
    o->port = NULL;
}

static void on_opened(void *owner)
{
    struct owner *o = owner;

    assert_false(in_call);
    o->opened++;
    if (o->close_on_opened)
        close_port(o);
}

static void on_data(void *owner, const uint8_t *bytes, size_t len)
{
    struct owner *o = owner;

    assert_false(in_call);
    assert_non_null(o->port);
    assert_int_equal(o->gone, 0);
    buf_add(&o->data, bytes, len);
    if (o->close_on_data)
        close_port(o);
}

static void on_gone(void *owner, const struct err *why)
{
    struct owner *o = owner;

    assert_false(in_call);
    assert_non_null(o->port);
    o->gone++;
    o->why = *why;
    if (o->close_on_gone)
        close_port(o);
}

static const struct port_events events = {.opened = on_opened, .data = on_data, .gone = on_gone};

static int open_port(struct fixture *f, const char *spec, struct owner *o, struct err *e)
{
    struct port_conf conf = {.spec = spec, .baud = 115200};
    int rc;

    buf_free(&o->data);
    *o = (struct owner){0};
    in_call = true;
    rc = f->ports.source.open(&f->ports.source, &conf, &events, o, &o->port, e);
    in_call = false;
    return rc;
}

static void on_patience(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened");
}

#define RUN_UNTIL(f, condition)                                                                              \
    do {                                                                                                     \
        while (!(condition))                                                                                 \
            uv_run(&(f)->loop, UV_RUN_ONCE);                                                                 \
    } while (0)

static void make_pty(struct fixture *f)
{
    struct termios tio;

    f->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    assert_true(f->master >= 0);
    assert_int_equal(grantpt(f->master), 0);
    assert_int_equal(unlockpt(f->master), 0);
    assert_int_equal(ptsname_r(f->master, f->slave, sizeof f->slave), 0);
    assert_int_equal(tcgetattr(f->master, &tio), 0);
    unlink(f->link);
    assert_int_equal(symlink(f->slave, f->link), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    *state = f;
    f->master = -1;
    str_copy(f->dir, sizeof f->dir, "/tmp/simgate-test-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->link, sizeof f->link, "%s/modem0", f->dir);
    uv_loop_init(&f->loop);
    ports_init(&f->ports, &f->loop);
    uv_timer_init(&f->loop, &f->patience);
    uv_timer_start(&f->patience, on_patience, PATIENCE_MS, 0);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    if (f->owner.port)
        close_port(&f->owner);
    uv_close((uv_handle_t *)&f->patience, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    if (f->master >= 0)
        close(f->master);
    unlink(f->link);
    rmdir(f->dir);
    buf_free(&f->owner.data);
    free(f);
    return 0;
}

static void open_ok(struct fixture *f, const char *spec)
{
    struct err e = {0};

    if (open_port(f, spec, &f->owner, &e) != 0)
        fail_msg("%s", e.text);
    RUN_UNTIL(f, f->owner.opened || f->owner.gone);
    if (f->owner.gone)
        fail_msg("%s", f->owner.why.text);
    assert_int_equal(f->owner.opened, 1);
}

/* The error that an open which cannot succeed ends with, told at once or by `gone`. */
static const struct err *open_bad(struct fixture *f, const char *spec)
{
    int rc = open_port(f, spec, &f->owner, &f->owner.why);

    if (rc != 0) {
        assert_int_equal(rc, f->owner.why.code);
        f->owner.port = NULL;
        return &f->owner.why;
    }
    RUN_UNTIL(f, f->owner.opened || f->owner.gone);
    assert_int_equal(f->owner.opened, 0);
    close_port(&f->owner);
    return &f->owner.why;
}

static void write_all(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Reads len bytes from a non-blocking descriptor while the loop runs. */
static void read_all(struct fixture *f, int fd, char *out, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t got = read(fd, out + have, len - have);

        if (got > 0)
            have += (size_t)got;
        else
            uv_run(&f->loop, UV_RUN_NOWAIT);
    }
}

/* A pseudo-terminal is opened through a symbolic link, in raw mode, and bytes go both ways unchanged. */
static void pty_both_ways(void **state)
{
    static const char to_modem[] = "AT\r\x1A\x03\x04\n", from_modem[] = "\r\nOK\r\n\x11\x13\x1C";
    struct fixture *f = *state;
    char got[sizeof to_modem] = "";

    make_pty(f);
    open_ok(f, f->link);
    assert_int_equal(port_write(f->owner.port, to_modem, strlen(to_modem)), 0);
    read_all(f, f->master, got, strlen(to_modem));
    assert_string_equal(got, to_modem);
    write_all(f->master, from_modem);
    RUN_UNTIL(f, f->owner.data.len >= strlen(from_modem));
    assert_string_equal(buf_str(&f->owner.data), from_modem);
    usleep(1000);
    assert_int_equal(read(f->master, got, sizeof got), -1); /* nothing was echoed */
}

/* The other side hangs up: the port is gone, once, and writing to it does no harm. */
static void pty_hang_up(void **state)
{
    struct fixture *f = *state;

    make_pty(f);
    open_ok(f, f->slave);
    close(f->master);
    f->master = -1;
    RUN_UNTIL(f, f->owner.gone);
    assert_int_equal(f->owner.why.code, ERR_GONE);
    assert_int_equal(port_write(f->owner.port, "AT\r", 3), 0);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->owner.gone, 1);
}

static bool has_open_descriptor(const char *path)
{
    char name[64], target[PATH_MAX];

    for (int fd = 0; fd < 256; fd++) {
        ssize_t len;

        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        len = readlink(name, target, sizeof target - 1);
        if (len > 0 && strncmp(target, path, strlen(path)) == 0)
            return true;
    }
    return false;
}

/* A port that is gone has let go of its device before its owner closes it. */
static void gone_frees_device(void **state)
{
    struct fixture *f = *state;

    make_pty(f);
    open_ok(f, f->slave);
    assert_true(has_open_descriptor(f->slave));
    close(f->master);
    f->master = -1;
    RUN_UNTIL(f, f->owner.gone);
    assert_false(has_open_descriptor(f->slave));
}

/* A write that meets a hung-up terminal is told by `gone` from the loop, not by the call. */
static void write_meets_hang_up(void **state)
{
    struct fixture *f = *state;

    make_pty(f);
    open_ok(f, f->slave);
    close(f->master);
    f->master = -1;
    in_call = true;
    assert_int_equal(port_write(f->owner.port, "AT\r", 3), 0);
    in_call = false;
    RUN_UNTIL(f, f->owner.gone);
    assert_int_equal(f->owner.why.code, ERR_GONE);
}

/* After a modem has vanished and come back under another number, the same path opens the new one. */
static void reopen_by_link(void **state)
{
    struct fixture *f = *state;
    char got[3];

    make_pty(f);
    open_ok(f, f->link);
    close(f->master);
    RUN_UNTIL(f, f->owner.gone);
    close_port(&f->owner);
    assert_int_equal(open_bad(f, f->link)->code, ERR_NOT_FOUND);
    make_pty(f);
    open_ok(f, f->link);
    assert_int_equal(port_write(f->owner.port, "ATZ", 3), 0);
    read_all(f, f->master, got, 3);
    assert_memory_equal(got, "ATZ", 3);
}

/* What is no device is refused with its kind, and what is not there is not found. */
static void not_a_device(void **state)
{
    struct fixture *f = *state;
    char path[128];
    const struct err *why;

    why = open_bad(f, f->dir);
    assert_int_equal(why->code, ERR_INVALID);
    assert_non_null(strstr(why->text, "a directory"));
    snprintf(path, sizeof path, "%s/file", f->dir);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    why = open_bad(f, path);
    assert_int_equal(why->code, ERR_INVALID);
    assert_non_null(strstr(why->text, "a regular file"));
    unlink(path);
    why = open_bad(f, path);
    assert_int_equal(why->code, ERR_NOT_FOUND);
    assert_non_null(strstr(why->text, path));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_non_null(strstr(open_bad(f, path)->text, "a named pipe"));
    unlink(path);
    assert_int_equal(open_bad(f, "/dev/null")->code, ERR_INVALID);
}

/* Specs that no port can have are refused by the call itself. */
static void bad_specs(void **state)
{
    static const char *const bad[] = {
        "",          "tcp://",        "tcp://host",         "tcp://:1",   "tcp://host:0",
        "tcp://h:x", "tcp://h:65536", "tcp://::1:5",        "tcp://[]:5", "unix:",
        "http://x",  "tcp://[::1]",   "serial:///dev/ttyS0"};
    struct fixture *f = *state;
    struct err e = {0};
    char path[200] = "unix:/";

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (open_port(f, bad[i], &f->owner, &e) != ERR_INVALID || !strstr(e.text, "expected"))
            fail_msg("%s: %s", bad[i], e.text);
    memset(path + 6, 'x', sizeof path - 7);
    assert_int_equal(open_port(f, path, &f->owner, &e), ERR_INVALID);
    assert_int_equal(open_port(f, "tcp://", &f->owner, NULL), ERR_INVALID);
}

/* Another process that has the device, in the way that `hold` says, until it is killed. */
static pid_t fork_holder(const char *path, const char *name, void (*hold)(int fd))
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        int fd = open(path, O_RDWR | O_NOCTTY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        hold(fd);
        if (fd < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end_holder(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void hold_plainly(int fd)
{
    (void)fd;
}

static void hold_locked(int fd)
{
    flock(fd, LOCK_EX);
}

static void hold_exclusive(int fd)
{
    ioctl(fd, TIOCEXCL);
}

static void check_busy(struct fixture *f, const char *name, void (*hold)(int fd))
{
    pid_t pid = fork_holder(f->slave, name, hold);
    char held[64];
    const struct err *why = open_bad(f, f->link);

    snprintf(held, sizeof held, "held by %s, pid %d", name, (int)pid);
    end_holder(pid);
    assert_int_equal(why->code, ERR_BUSY);
    if (!strstr(why->text, held))
        fail_msg("%s", why->text);
}

/* A device that another process has locked, or holds exclusively, or that ModemManager has open at all, is
 * busy, and the text names the process, with what to do about those that are known for it (complaint 11).
 * When that process has died, the device opens; but not, unless we are root, a pseudo-terminal that was held
 * exclusively: the kernel forgets that with the master only. */
static void complaint_11_busy_elsewhere(void **state)
{
    struct fixture *f = *state;

    make_pty(f);
    check_busy(f, "minicom", hold_locked);
    check_busy(f, "ModemManager", hold_plainly);
    assert_non_null(strstr(f->owner.why.text, "78-simgate-mm-ignore.rules and replug"));
    check_busy(f, "brltty", hold_locked);
    assert_non_null(strstr(f->owner.why.text, "Braille"));
    open_ok(f, f->link);
    close_port(&f->owner);
    check_busy(f, "minicom", hold_exclusive);
    if (geteuid() == 0)
        open_ok(f, f->link);
    else
        assert_int_equal(open_bad(f, f->link)->code, ERR_BUSY);
}

/* A process that merely has a pseudo-terminal open, such as the one that made it, is no reason to refuse. */
static void shared_harmlessly(void **state)
{
    struct fixture *f = *state;
    pid_t pid;

    make_pty(f);
    pid = fork_holder(f->slave, "maker", hold_plainly);
    open_ok(f, f->link);
    end_holder(pid);
}

/* Of several processes that have the device open, the one whose lock keeps us out is named. */
static void lock_holder_is_named(void **state)
{
    struct fixture *f = *state;
    pid_t bystander;

    make_pty(f);
    bystander = fork_holder(f->slave, "bystander", hold_plainly);
    check_busy(f, "minicom", hold_locked);
    end_holder(bystander);
}

/* Two modems on one device: the second is told so, and gets it when the first has closed. */
static void busy_in_this_process(void **state)
{
    struct fixture *f = *state;
    struct owner second = {0};

    make_pty(f);
    open_ok(f, f->link);
    assert_int_equal(open_port(f, f->slave, &second, NULL), 0);
    RUN_UNTIL(f, second.gone);
    assert_int_equal(second.why.code, ERR_BUSY);
    assert_non_null(strstr(second.why.text, "another modem of this gateway"));
    close_port(&second);
    close_port(&f->owner);
    open_ok(f, f->slave);
}

/* More than the terminal takes at once is kept and goes out in order; more than the bound is refused whole.
 */
static void large_writes(void **state)
{
    struct fixture *f = *state;
    char *sent = malloc(BIG_BYTES), *got = malloc(BIG_BYTES);

    make_pty(f);
    open_ok(f, f->slave);
    for (size_t i = 0; i < BIG_BYTES; i++)
        sent[i] = (char)(i * 7 + i / 251);
    assert_int_equal(port_write(f->owner.port, sent, BIG_BYTES / 2), 0);
    assert_int_equal(port_write(f->owner.port, sent + BIG_BYTES / 2, BIG_BYTES / 2), 0);
    assert_int_equal(port_write(f->owner.port, sent, PORT_QUEUE_BYTES), ERR_FULL);
    read_all(f, f->master, got, BIG_BYTES);
    assert_memory_equal(sent, got, BIG_BYTES);
    assert_int_equal(port_write(f->owner.port, "AT\r", 3), 0);
    read_all(f, f->master, got, 3);
    assert_memory_equal(got, "AT\r", 3);
    free(sent);
    free(got);
}

/* The owner may close from within any event, and while the port is still opening, and hears nothing more. */
static void closed_at_any_time(void **state)
{
    struct fixture *f = *state;

    make_pty(f);
    assert_int_equal(open_port(f, f->slave, &f->owner, NULL), 0);
    close_port(&f->owner);
    for (int i = 0; i < 50 || has_open_descriptor(f->slave); i++) {
        usleep(100);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(f->owner.opened + f->owner.gone, 0);

    assert_int_equal(open_port(f, f->slave, &f->owner, NULL), 0);
    f->owner.close_on_opened = true;
    RUN_UNTIL(f, !f->owner.port);

    open_ok(f, f->slave);
    f->owner.close_on_data = true;
    write_all(f->master, "RING");
    RUN_UNTIL(f, !f->owner.port);
    write_all(f->master, "RING");
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_string_equal(buf_str(&f->owner.data), "RING");

    assert_int_equal(open_port(f, "/nonexistent/modem", &f->owner, NULL), 0);
    f->owner.close_on_gone = true;
    RUN_UNTIL(f, !f->owner.port);
    assert_int_equal(f->owner.why.code, ERR_NOT_FOUND);
}

/* A listening socket of the family; its address in *port or at path. */
static int listen_on(const char *path, int *port)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (path) {
        str_copy(un.sun_path, sizeof un.sun_path, path);
        assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    } else {
        assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
        *port = ntohs(in.sin_port);
    }
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

/* Bytes both ways, more than the socket takes at once, and the peer's end. Takes the listener. */
static void check_socket(struct fixture *f, const char *spec, int listener)
{
    char *sent = calloc(1, BIG_BYTES), *got = malloc(BIG_BYTES);
    int peer;

    open_ok(f, spec);
    peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(peer >= 0);
    memset(sent, 'A', BIG_BYTES);
    assert_int_equal(port_write(f->owner.port, sent, BIG_BYTES), 0);
    read_all(f, peer, got, BIG_BYTES);
    assert_memory_equal(sent, got, BIG_BYTES);
    write_all(peer, "\r\nOK\r\n");
    close(peer);
    RUN_UNTIL(f, f->owner.gone);
    assert_string_equal(buf_str(&f->owner.data), "\r\nOK\r\n");
    assert_int_equal(f->owner.why.code, ERR_GONE);
    assert_int_equal(port_write(f->owner.port, sent, 10), 0);
    close_port(&f->owner);
    close(listener);
    free(sent);
    free(got);
}

/* tcp://host:port by name and by number; nobody listening any more is "gone". */
static void tcp(void **state)
{
    struct fixture *f = *state;
    char by_name[64], by_number[64];
    int port = 0, listener = listen_on(NULL, &port), again = dup(listener);

    snprintf(by_name, sizeof by_name, "tcp://localhost:%d", port);
    snprintf(by_number, sizeof by_number, "tcp://127.0.0.1:%d", port);
    check_socket(f, by_number, again);
    check_socket(f, by_name, listener);
    assert_int_equal(open_bad(f, by_name)->code, ERR_GONE);
    assert_non_null(strstr(f->owner.why.text, "refused"));
    assert_int_equal(open_bad(f, "tcp://no-such-host.invalid:5")->code, ERR_NOT_FOUND);
}

/* unix:/path; a path that is not there is "not found", one without a listener is "gone". */
static void unix_socket(void **state)
{
    struct fixture *f = *state;
    char path[100], spec[128];

    snprintf(path, sizeof path, "%s/socket", f->dir);
    snprintf(spec, sizeof spec, "unix:%s", path);
    assert_int_equal(open_bad(f, spec)->code, ERR_NOT_FOUND);
    check_socket(f, spec, listen_on(path, NULL));
    assert_int_equal(open_bad(f, spec)->code, ERR_GONE);
    assert_non_null(strstr(open_bad(f, path)->text, "write unix:PATH"));
    unlink(path);
}

/* Sockets may be closed while a name is looked up and while they connect. */
static void tcp_closed_early(void **state)
{
    struct fixture *f = *state;
    char spec[64];
    int port = 0, listener = listen_on(NULL, &port);

    snprintf(spec, sizeof spec, "tcp://localhost:%d", port);
    assert_int_equal(open_port(f, spec, &f->owner, NULL), 0);
    close_port(&f->owner);
    for (int turns = 1; turns < 4; turns++) {
        assert_int_equal(open_port(f, spec, &f->owner, NULL), 0);
        f->owner.close_on_opened = true;
        for (int i = 0; i < turns; i++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        if (f->owner.port)
            close_port(&f->owner);
    }
    close(listener);
}

#define PORT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PORT_TEST(pty_both_ways),
        PORT_TEST(pty_hang_up),
        PORT_TEST(gone_frees_device),
        PORT_TEST(write_meets_hang_up),
        PORT_TEST(reopen_by_link),
        PORT_TEST(not_a_device),
        PORT_TEST(bad_specs),
        PORT_TEST(complaint_11_busy_elsewhere),
        PORT_TEST(lock_holder_is_named),
        PORT_TEST(shared_harmlessly),
        PORT_TEST(large_writes),
        PORT_TEST(busy_in_this_process),
        PORT_TEST(closed_at_any_time),
        PORT_TEST(tcp),
        PORT_TEST(unix_socket),
        PORT_TEST(tcp_closed_early),
    };

    return cmocka_run_group_tests_name("os/ports", tests, NULL, NULL);
}
