/* ctl: the server on its real socket, with the real store and gateway, and a carrier that the test is. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <uv.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/ctl.h"
#include "os/rt_uv.h"

enum { TURNS_MAX = 20000, LINE_BYTES_MAX = 1 << 20 };

struct fixture {
    uv_loop_t loop;
    struct rt *rt;
    struct store *store;
    struct gateway *gateway;
    struct gateway_conf gconf;
    struct engine *engine;
    struct desk *desk;
    struct ctl *ctl;
    char dir[64], socket[96], database[96];
    struct carrier carrier;
    struct carrier_submit *submitted;
    struct rt_timer answer;
    struct carrier_outcome outcome;
    int mr;
    bool ctl_closed, store_closed;
    int reloads;
    int reload_result;
};

/* ---- a carrier: takes what it is given, answers on the loop's next turn ---- */

static void on_answer(struct rt_timer *t)
{
    struct fixture *f = container_of(t, struct fixture, answer);
    struct carrier_submit *s = f->submitted;

    f->submitted = NULL;
    f->outcome.mr = f->mr++;
    s->done(s, &f->outcome);
}

static int submit(struct carrier *c, struct carrier_submit *s)
{
    struct fixture *f = container_of(c, struct fixture, carrier);

    if (f->submitted)
        return ERR_BUSY;
    f->submitted = s;
    f->answer.fire = on_answer;
    rt_timer_at(f->rt, &f->answer, rt_now_ms(f->rt));
    return 0;
}

static void settle(struct carrier *c, uint64_t token, bool stored)
{
    (void)c;
    (void)token;
    (void)stored;
}

static const struct carrier_ops carrier_ops = {.submit = submit, .settle = settle};

/* ---- the world ---- */

static int reload(void *owner, struct buf *problems)
{
    struct fixture *f = owner;

    f->reloads++;
    if (f->reload_result < 0)
        buf_adds(problems, "gateway.conf:3: modems[0].pin: wrong\ngateway.conf:9: rules: wrong\n");
    return f->reload_result;
}

static void start_ctl(struct fixture *f)
{
    struct ctl_world w = {.loop = &f->loop,
                          .rt = f->rt,
                          .store = f->store,
                          .gateway = f->gateway,
                          .engine = f->engine,
                          .desk = f->desk,
                          .reload = reload,
                          .owner = f};
    struct ctl_conf conf = {.socket = f->socket, .conf_path = "/etc/simgate/gateway.conf"};
    struct err e = {0};

    if (ctl_open(&w, &conf, &f->ctl, &e) < 0)
        fail_msg("%s", e.text);
    f->ctl_closed = false;
}

static int setup(void **state)
{
    static const char *const words[] = {"hours", NULL};
    static const struct engine_rule_conf rules[] = {
        {.name = "hours", .keywords = words, .reply = "We are open.", .place = "rules[0]"}};
    static const struct person_conf people[] = {{.name = "Anna", .number = "", .place = "people[0]"}};
    static const struct department_conf departments[] = {
        {.name = "sales", .modem = "", .pool = "", .place = "departments[0]"}};
    static const struct engine_conf econf = {.business = "Lab",
                                             .rules = rules,
                                             .nrules = 1,
                                             .people = people,
                                             .npeople = 1,
                                             .departments = departments,
                                             .ndepartments = 1,
                                             .guard = {.replies = 5, .window_ms = 600000}};
    struct fixture *f = calloc(1, sizeof *f);
    struct err e = {0};

    strcpy(f->dir, "/tmp/simgate-ctl-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->socket, sizeof f->socket, "%s/run/simgate.sock", f->dir);
    snprintf(f->database, sizeof f->database, "%s/simgate.db", f->dir);
    uv_loop_init(&f->loop);
    f->rt = rt_uv_new(&f->loop);
    if (store_open(f->rt, &(struct store_conf){.path = f->database}, &f->store, &e) < 0)
        fail_msg("%s", e.text);
    f->gconf = (struct gateway_conf){.country = "49",
                                     .validity_ms = 86400000,
                                     .unknown_wait_ms = 600000,
                                     .incomplete_after_ms = 86400000,
                                     .duplicate_window_ms = 86400000,
                                     .max_parts = 10,
                                     .queue_max = 1000,
                                     .smsc = ""};
    f->gateway = gateway_new(f->rt, f->store, &f->gconf);
    assert_int_equal(gateway_load(f->gateway, &e), 0);
    assert_int_equal(engine_new(f->rt, &econf, NULL, NULL, &f->engine), 0);
    engine_attach(f->engine, f->gateway, f->store);
    f->desk = desk_new(f->rt, f->engine, f->gateway, f->store);
    f->carrier = (struct carrier){
        .ops = &carrier_ops, .name = "counter", .imsi = "262011234567890", .state = CARRIER_READY};
    f->outcome = (struct carrier_outcome){.result = CARRIER_SENT, .code = -1};
    start_ctl(f);
    *state = f;
    return 0;
}

static void attach(struct fixture *f)
{
    static const struct gateway_limits none;
    struct err e = {0};

    if (gateway_attach(f->gateway, &f->carrier, &none, false, &e) < 0)
        fail_msg("%s", e.text);
}

static void on_ctl_closed(void *owner)
{
    ((struct fixture *)owner)->ctl_closed = true;
}

static void on_store_closed(void *owner)
{
    ((struct fixture *)owner)->store_closed = true;
}

static void turn(struct fixture *f)
{
    uv_run(&f->loop, UV_RUN_NOWAIT);
    usleep(200);
}

static void close_ctl(struct fixture *f)
{
    if (!f->ctl)
        return;
    ctl_close(f->ctl, on_ctl_closed, f);
    for (int i = 0; i < TURNS_MAX && !f->ctl_closed; i++)
        turn(f);
    assert_true(f->ctl_closed);
    f->ctl = NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    close_ctl(f);
    rt_timer_stop(f->rt, &f->answer);
    store_close(f->store, on_store_closed, f);
    for (int i = 0; i < TURNS_MAX && !f->store_closed; i++)
        turn(f);
    assert_true(f->store_closed);
    desk_free(f->desk);
    engine_free(f->engine);
    gateway_free(f->gateway);
    rt_uv_close(f->rt);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    snprintf(command, sizeof command, "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* ---- a client ---- */

struct end {
    struct fixture *f;
    int fd;
    struct buf in;
    bool over;
};

static struct end connect_to(struct fixture *f)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct end end = {.f = f, .fd = socket(AF_UNIX, SOCK_STREAM, 0)};

    str_copy(at.sun_path, sizeof at.sun_path, f->socket);
    assert_int_equal(connect(end.fd, (struct sockaddr *)&at, sizeof at), 0);
    fcntl(end.fd, F_SETFL, O_NONBLOCK);
    return end;
}

static void hang_up(struct end *end)
{
    close(end->fd);
    buf_free(&end->in);
}

static void write_all(struct end *end, const char *bytes, size_t len)
{
    for (int i = 0; i < TURNS_MAX && len > 0; i++) {
        ssize_t n = send(end->fd, bytes, len, MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (errno != EAGAIN) {
            return;
        }
        turn(end->f);
    }
    assert_int_equal(len, 0);
}

static void tell(struct end *end, const char *line)
{
    write_all(end, line, strlen(line));
    write_all(end, "\n", 1);
}

/* The next line as JSON; NULL when the server closed. */
static json_t *hear(struct end *end)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        char *at = end->in.len ? memchr(end->in.data, '\n', end->in.len) : NULL;
        char bytes[65536];
        ssize_t n;

        if (at) {
            json_t *v = json_loadb(end->in.data, (size_t)(at - end->in.data), 0, NULL);

            buf_drop(&end->in, (size_t)(at - end->in.data) + 1);
            assert_non_null(v);
            return v;
        }
        turn(end->f);
        n = read(end->fd, bytes, sizeof bytes);
        if (n > 0)
            buf_add(&end->in, bytes, (size_t)n);
        else if (n == 0 || errno != EAGAIN)
            return NULL;
    }
    fail_msg("no answer");
    return NULL;
}

static const char *text(const json_t *v, const char *path)
{
    char part[32];

    for (; *path; path += *path == '.') {
        size_t len = strcspn(path, ".");

        snprintf(part, sizeof part, "%.*s", (int)len, path);
        v = part[0] >= '0' && part[0] <= '9' ? json_array_get(v, (size_t)atoi(part))
                                             : json_object_get(v, part);
        path += len;
    }
    return json_is_string(v)  ? json_string_value(v)
           : json_is_true(v)  ? "true"
           : json_is_false(v) ? "false"
                              : "";
}

/* One request on a connection of its own; its answer. */
static json_t *ask(struct fixture *f, const char *line)
{
    struct end end = connect_to(f);
    json_t *v;

    tell(&end, line);
    v = hear(&end);
    hang_up(&end);
    assert_non_null(v);
    return v;
}

static void says(struct fixture *f, const char *line, const char *path, const char *wanted)
{
    json_t *v = ask(f, line);
    char *all = json_dumps(v, 0);

    if (!strstr(text(v, path), wanted))
        fail_msg("%s: expected %s = \"%s\" in %s", line, path, wanted, all);
    free(all);
    json_decref(v);
}

/* ---- tests ---- */

/* The socket's folder is made, the socket is for its owner and group only, and gone after the end. */
static void test_socket_file(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(stat(f->socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    close_ctl(f);
    assert_int_equal(stat(f->socket, &st), -1);
}

/* A socket that a crash left is replaced; one that answers, or a file that is no socket, is refused. */
static void test_stale_socket(void **state)
{
    struct fixture *f = *state;
    struct ctl_world w = {
        .loop = &f->loop, .rt = f->rt, .store = f->store, .gateway = f->gateway, .engine = f->engine};
    struct ctl_conf conf = {.socket = f->socket};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct ctl *second;
    struct err e = {0};
    int fd;

    assert_int_equal(ctl_open(&w, &conf, &second, &e), ERR_BUSY);
    assert_non_null(strstr(e.text, "another simgated is running"));
    close_ctl(f);
    fd = open(f->socket, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_int_equal(ctl_open(&w, &conf, &second, &e), ERR_EXISTS);
    assert_int_equal(unlink(f->socket), 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    str_copy(at.sun_path, sizeof at.sun_path, f->socket);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd);
    start_ctl(f);
    says(f, "{\"do\": \"status\"}", "ok", "true");
}

/* What a stranger of uid 65534 with these groups is told, asked from another process. The socket's file mode,
 * which keeps strangers out already, is opened for it. */
static json_t *told_to_stranger(struct fixture *f, gid_t gid, size_t ngroups, const gid_t *groups)
{
    static const char line[] = "{\"do\": \"messages\"}\n";
    struct end end;
    int ends[2];
    json_t *v;
    pid_t pid;

    assert_int_equal(chmod(f->dir, 0755), 0);
    assert_int_equal(chmod(f->socket, 0666), 0);
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        char bytes[4096];
        ssize_t n = 0;

        str_copy(at.sun_path, sizeof at.sun_path, f->socket);
        if (setgroups(ngroups, groups) == 0 && setgid(gid) == 0 && setuid(65534) == 0 &&
            connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
            send(fd, line, strlen(line), MSG_NOSIGNAL);
            n = recv(fd, bytes, sizeof bytes, 0);
        }
        _exit(n > 0 && write(ends[1], bytes, (size_t)n) == n ? 0 : 1);
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    end = (struct end){.f = f, .fd = ends[0]};
    v = hear(&end);
    hang_up(&end);
    waitpid(pid, NULL, 0);
    return v;
}

/* Who is neither root nor the daemon's user nor in its group is refused, with who may and how; a member of
 * the group, by its first or by another one, is served. */
static void test_who_may(void **state)
{
    struct fixture *f = *state;
    gid_t group = getegid();
    json_t *v;

    if (geteuid() != 0)
        skip();
    v = told_to_stranger(f, 65534, 0, NULL);
    assert_string_equal(text(v, "error.code"), "refused");
    assert_non_null(strstr(text(v, "error.text"), "members of the group"));
    json_decref(v);
    v = told_to_stranger(f, 65534, 1, &group);
    assert_string_equal(text(v, "ok"), "true");
    json_decref(v);
    v = told_to_stranger(f, group, 0, NULL);
    assert_string_equal(text(v, "ok"), "true");
    json_decref(v);
}

/* A request that is not understood is answered with its id and what was expected, and the next one is served.
 */
static void test_bad_requests(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);
    json_t *v;

    tell(&end, "{\"id\": 5, \"do\": \"explode\"}\nrubbish\n\n{\"id\": 6, \"do\": \"messages\"}");
    v = hear(&end);
    assert_int_equal(json_integer_value(json_object_get(v, "id")), 5);
    assert_string_equal(text(v, "error.code"), "invalid");
    json_decref(v);
    v = hear(&end);
    assert_string_equal(text(v, "ok"), "false");
    json_decref(v);
    v = hear(&end);
    assert_int_equal(json_integer_value(json_object_get(v, "id")), 6);
    assert_string_equal(text(v, "ok"), "true");
    json_decref(v);
    hang_up(&end);
}

/* A script may close its own direction at once (nc -N), even without a line's end: it is answered, then hung
 * up. */
static void test_half_closed(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);
    json_t *v;

    write_all(&end, "{\"id\": 1, \"do\": \"status\"}\n{\"id\": 2, \"do\": \"status\"}", 51);
    shutdown(end.fd, SHUT_WR);
    for (int i = 0; i < 2; i++) {
        v = hear(&end);
        assert_non_null(v);
        assert_string_equal(text(v, "ok"), "true");
        json_decref(v);
    }
    assert_null(hear(&end));
    hang_up(&end);
}

/* A line over 1 MiB is refused and the connection closed; a flood of requests is served in order, some at a
 * time. */
static void test_bounds(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);
    char *bytes = malloc(LINE_BYTES_MAX + 2);
    json_t *v;

    memset(bytes, 'x', LINE_BYTES_MAX + 2);
    write_all(&end, bytes, LINE_BYTES_MAX + 2);
    v = hear(&end);
    assert_string_equal(text(v, "error.code"), "too_long");
    json_decref(v);
    assert_null(hear(&end));
    hang_up(&end);
    free(bytes);

    end = connect_to(f);
    for (int i = 1; i <= 100; i++) {
        char line[64];

        snprintf(line, sizeof line, "{\"id\": %d, \"do\": \"messages\"}\n", i);
        write_all(&end, line, strlen(line));
    }
    for (int i = 1; i <= 100; i++) {
        v = hear(&end);
        assert_string_equal(text(v, "ok"), "true");
        json_decref(v);
    }
    hang_up(&end);
}

/* At most 64 programs are served at a time; the next one is told so. */
static void test_clients_bound(void **state)
{
    struct fixture *f = *state;
    struct end ends[65];
    json_t *v;

    for (int i = 0; i < 65; i++) {
        ends[i] = connect_to(f);
        turn(f);
    }
    v = hear(&ends[64]);
    assert_string_equal(text(v, "error.code"), "busy");
    json_decref(v);
    assert_null(hear(&ends[64]));
    for (int i = 0; i < 65; i++)
        hang_up(&ends[i]);
    for (int i = 0; i < 10; i++)
        turn(f);
    says(f, "{\"do\": \"reload\"}", "ok", "true");
}

/* Messages are accepted by the answer, listed and shown; what cannot be sent is refused with its place. */
static void test_send_and_look(void **state)
{
    struct fixture *f = *state;

    says(f, "{\"do\": \"send\", \"to\": [\"01701234567\", \"+4915112345678\"], \"text\": \"Grüße\"}",
         "messages.0.to", "+491701234567");
    says(f, "{\"do\": \"messages\", \"direction\": \"out\", \"peer\": \"0151 12345678\"}", "messages.0.text",
         "Grüße");
    says(f, "{\"do\": \"messages\", \"state\": \"failed\"}", "messages.0.text", "");
    says(f, "{\"do\": \"show\", \"message\": 1}", "message.history.0.state", "queued");
    says(f, "{\"do\": \"show\", \"message\": 1}", "message.source", "ctl:");
    says(f, "{\"do\": \"show\", \"message\": 99}", "error.text", "message 99: there is none");
    says(f, "{\"do\": \"send\", \"to\": [\"01701234567\", \"xyz\"], \"text\": \"a\"}", "error.code",
         "invalid");
    says(f, "{\"do\": \"send\", \"to\": [\"01701234567\", \"xyz\"], \"text\": \"a\"}",
         "messages.0.error.code", "cancelled");
    says(f, "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"a\", \"modem\": \"none\"}", "error.text",
         "modem: \"none\" is not known");
}

/* The same key and recipient give the message that was accepted before; another recipient is another message.
 */
static void test_key(void **state)
{
    static const char *const gone[] = {"modem", "pool", "as", "department"};
    struct fixture *f = *state;

    says(f, "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"a\", \"key\": \"k\"}",
         "messages.0.existed", "false");
    says(f, "{\"do\": \"send\", \"to\": \"+49 170 1234567\", \"text\": \"a\", \"key\": \"k\"}",
         "messages.0.existed", "true");
    says(f, "{\"do\": \"send\", \"to\": \"01701234568\", \"text\": \"a\", \"key\": \"k\"}",
         "messages.0.existed", "false");
    /* Nor does it matter that what the request names is there no more. */
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        char line[200];

        snprintf(
            line, sizeof line,
            "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"a\", \"key\": \"%s\", \"%s\": \"gone\"}",
            "k", gone[i]);
        says(f, line, "messages.0.existed", "true");
        snprintf(
            line, sizeof line,
            "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"a\", \"key\": \"%s\", \"%s\": \"gone\"}",
            "new", gone[i]);
        says(f, line, "error.code", "invalid");
    }
}

/* With `wait` come the number, the progress of each part, and the outcome as the answer. */
static void test_wait(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);
    char line[400];
    json_t *v;
    int progress = 0;

    attach(f);
    snprintf(line, sizeof line,
             "{\"id\": 1, \"do\": \"send\", \"wait\": true, \"to\": \"01701234567\", \"text\": \"%0200d\"}",
             7);
    tell(&end, line);
    v = hear(&end);
    assert_string_equal(text(v, "event.kind"), "accepted");
    assert_int_equal(
        json_integer_value(json_object_get(
            json_array_get(json_object_get(json_object_get(v, "event"), "messages"), 0), "parts")),
        2);
    while (!json_object_get(v, "ok")) {
        progress += !strcmp(text(v, "event.kind"), "progress");
        json_decref(v);
        v = hear(&end);
        assert_non_null(v);
    }
    assert_int_equal(progress, 1);
    assert_string_equal(text(v, "ok"), "true");
    assert_string_equal(text(v, "messages.0.state"), "sent");
    json_decref(v);
    hang_up(&end);
}

/* A message that the network refuses for good is the outcome too, with the reason. */
static void test_wait_failure(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);
    json_t *v;

    f->outcome = (struct carrier_outcome){.result = CARRIER_FAILED, .error = CARRIER_E_PERMANENT, .code = 28};
    strcpy(f->outcome.text, "+CMS ERROR: 28 (unidentified subscriber)");
    attach(f);
    tell(&end, "{\"id\": 1, \"do\": \"send\", \"wait\": true, \"to\": \"01701234567\", \"text\": \"a\"}");
    for (v = hear(&end); v && !json_object_get(v, "ok"); v = hear(&end))
        json_decref(v);
    assert_string_equal(text(v, "messages.0.state"), "failed");
    assert_non_null(strstr(text(v, "messages.0.reason"), "28"));
    json_decref(v);
    hang_up(&end);
}

/* Whoever leaves while waiting leaves nothing behind, and the message goes its way. */
static void test_leave_while_waiting(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);
    json_t *v;

    tell(&end, "{\"id\": 1, \"do\": \"send\", \"wait\": true, \"to\": \"01701234567\", \"text\": \"a\"}");
    v = hear(&end);
    json_decref(v);
    hang_up(&end);
    for (int i = 0; i < 10; i++)
        turn(f);
    says(f, "{\"do\": \"show\", \"message\": 1}", "message.state", "queued");
}

/* What waits can be cancelled and tried again; what does not exist is told. */
static void test_cancel_retry(void **state)
{
    struct fixture *f = *state;

    says(f, "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"a\"}", "ok", "true");
    says(f, "{\"do\": \"cancel\", \"message\": 1}", "state", "cancelled");
    says(f, "{\"do\": \"cancel\", \"message\": 1}", "error.code", "refused");
    says(f, "{\"do\": \"retry\", \"message\": 1}", "state", "queued");
    says(f, "{\"do\": \"cancel\", \"message\": 9}", "error.code", "not_found");
}

/* A watcher hears what happens to others' messages, and is told goodbye when the daemon stops. */
static void test_watch(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);
    json_t *v;

    tell(&end, "{\"id\": \"w\", \"do\": \"watch\"}");
    v = hear(&end);
    assert_string_equal(text(v, "event.kind"), "watching");
    json_decref(v);
    says(f, "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"a\"}", "ok", "true");
    v = hear(&end);
    assert_string_equal(text(v, "event.kind"), "queued");
    assert_string_equal(text(v, "event.peer"), "+491701234567");
    assert_string_equal(text(v, "id"), "w");
    json_decref(v);
    ctl_close(f->ctl, on_ctl_closed, f);
    f->ctl = NULL;
    v = hear(&end);
    assert_string_equal(text(v, "event.kind"), "goodbye");
    json_decref(v);
    v = hear(&end);
    assert_string_equal(text(v, "error.code"), "stopping");
    json_decref(v);
    assert_null(hear(&end));
    hang_up(&end);
    while (!f->ctl_closed)
        turn(f);
}

/* A watcher that does not read holds nobody up: it loses events and is told how many, then hears on. */
static void test_slow_watcher(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f), quick = connect_to(f);
    json_int_t heard = 0, lost = 0;
    enum { MESSAGES = 4000 };
    json_t *v;

    f->gconf.queue_max = 1000000;
    tell(&end, "{\"id\": 1, \"do\": \"watch\"}");
    v = hear(&end);
    json_decref(v);
    for (int sent = 0; sent < MESSAGES; sent += 400) {
        struct buf line = {0};

        buf_adds(&line, "{\"do\": \"send\", \"text\": \"a\", \"to\": [");
        for (int i = 0; i < 400; i++)
            buf_addf(&line, "%s\"+491700%06d\"", i ? ", " : "", sent + i);
        buf_adds(&line, "]}");
        tell(&quick, buf_str(&line));
        v = hear(&quick);
        assert_string_equal(text(v, "ok"), "true");
        json_decref(v);
        buf_free(&line);
    }
    while (heard + lost < MESSAGES) {
        v = hear(&end);
        assert_non_null(v);
        if (!strcmp(text(v, "event.kind"), "lost"))
            lost += json_integer_value(json_object_get(json_object_get(v, "event"), "count"));
        else
            heard++;
        json_decref(v);
    }
    assert_true(lost > 0);
    assert_true(heard > 0);
    assert_int_equal(heard + lost, MESSAGES);
    hang_up(&end);
    hang_up(&quick);
}

/* A backup is a new file with a full path; an existing one is not overwritten. */
static void test_backup(void **state)
{
    struct fixture *f = *state;
    char line[200];
    struct stat st;

    snprintf(line, sizeof line, "{\"do\": \"backup\", \"file\": \"%s/copy.db\"}", f->dir);
    says(f, line, "ok", "true");
    says(f, line, "error.code", "exists");
    says(f, "{\"do\": \"backup\", \"file\": \"copy.db\"}", "error.text", "a path from the root");
    says(f, "{\"do\": \"backup\", \"file\": \"/nonexistent/copy.db\"}", "error.text",
         "its user may write to");
    snprintf(line, sizeof line, "%s/copy.db", f->dir);
    assert_int_equal(stat(line, &st), 0);
}

/* A reload that finds mistakes tells all of them. */
static void test_reload(void **state)
{
    struct fixture *f = *state;

    says(f, "{\"do\": \"reload\"}", "ok", "true");
    f->reload_result = ERR_INVALID;
    says(f, "{\"do\": \"reload\"}", "problems.1", "gateway.conf:9");
    assert_int_equal(f->reloads, 2);
}

/* Rules can be tried with any sender; a name in place of a number is a sender too, and is not answered. */
static void test_rules(void **state)
{
    struct fixture *f = *state;

    says(f, "{\"do\": \"rules test\", \"from\": \"01701234567\", \"text\": \"Hours?\"}", "reply",
         "We are open.");
    says(f, "{\"do\": \"rules test\", \"from\": \"01701234567\", \"text\": \"Hours?\"}", "rule", "hours");
    says(f, "{\"do\": \"rules test\", \"from\": \"Parcel\", \"text\": \"Hours?\"}", "reason",
         "guard: the sender is a name");
    says(f, "{\"do\": \"rules test\", \"from\": \"!\", \"text\": \"Hours?\"}", "error.text", "from: ");
    says(f, "{\"do\": \"messages\"}", "messages.0.text", "");
}

/* Without a modem a person is needed; unknown modems are named with those that there are. */
static void test_status(void **state)
{
    struct fixture *f = *state;

    says(f, "{\"do\": \"status\"}", "healthy", "false");
    says(f, "{\"do\": \"status\"}", "problems.0", "no modem is configured");
    says(f, "{\"do\": \"status\"}", "configuration", "/etc/simgate/gateway.conf");
    says(f, "{\"do\": \"unlock\", \"modem\": \"M7\"}", "error.text",
         "modem: \"M7\" is not known; expected one of: (none)");
    says(f, "{\"do\": \"at\", \"modem\": \"M7\", \"command\": \"AT\"}", "error.code", "not_found");
}

/* A request that waits for the disk when the daemon stops is answered all the same. */
static void test_close_answers(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);
    json_t *v;

    tell(&end, "{\"do\": \"messages\"}");
    v = hear(&end); /* it is known by now */
    json_decref(v);
    send(end.fd, "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"a\"}\n", 49, 0);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    ctl_close(f->ctl, on_ctl_closed, f);
    f->ctl = NULL;
    v = hear(&end);
    assert_string_equal(text(v, "ok"), "true");
    json_decref(v);
    assert_null(hear(&end));
    hang_up(&end);
    while (!f->ctl_closed)
        turn(f);
}

static void quiet(enum log_level level, const char *who, const char *line)
{
    (void)level;
    (void)who;
    (void)line;
}

#define A_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* What people and departments there are is told when a name is none of them. */
static void test_names(void **state)
{
    struct fixture *f = *state;

    says(f, "{\"do\": \"people\"}", "people.0.name", "Anna");
    says(f, "{\"do\": \"people\"}", "people.0.departments.0", "sales");
    says(f, "{\"do\": \"departments\"}", "departments.0.open", "true");
    says(f, "{\"do\": \"departments\"}", "departments.1.name", "");
    says(f, "{\"do\": \"conversations\", \"department\": \"parcels\"}", "error.text",
         "department: \"parcels\" is not known; expected one of: sales");
    says(f, "{\"do\": \"send\", \"to\": \"0170\", \"text\": \"x\", \"as\": \"Zoe\"}", "error.text",
         "as: \"Zoe\" is not known; expected one of: Anna");
    says(f, "{\"do\": \"conversation close\", \"conversation\": 7}", "error.code", "not_found");
    says(f, "{\"do\": \"conversation\", \"conversation\": 7}", "error.text", "conversation 7: there is none");
    says(f, "{\"do\": \"deliveries drop\", \"delivery\": 7}", "error.code", "not_found");
}

/* A contact comes to be by what is known about it; all of a change is made, or nothing. */
static void test_contact(void **state)
{
    struct fixture *f = *state;

    says(f, "{\"do\": \"contact\", \"number\": \"01701234567\"}", "error.code", "not_found");
    says(f,
         "{\"do\": \"contact set\", \"number\": \"01701234567\", \"set\": {\"name\": \"Anna\", \"zone\": "
         "\"Mars\"}}",
         "error.text", "zone: ");
    says(f, "{\"do\": \"contact\", \"number\": \"01701234567\"}", "error.code", "not_found");
    says(f,
         "{\"do\": \"contact set\", \"number\": \"01701234567\", \"set\": {\"name\": \"Anna\", \"plan\": "
         "\"gold\"}}",
         "contact.attributes.plan", "gold");
    says(f, "{\"do\": \"contact tag\", \"number\": \"0170/1234567\", \"tags\": \"vip\"}", "contact.tags.0",
         "vip");
    says(f, "{\"do\": \"contact note\", \"number\": \"01701234567\", \"text\": \"calls\", \"as\": \"anna\"}",
         "contact.notes", " Anna: calls");
    says(f, "{\"do\": \"contacts\", \"search\": \"0170\"}", "contacts.0.number", "+491701234567");
    says(f, "{\"do\": \"contacts\", \"search\": \"0171\"}", "contacts.0.number", "");
}

/* Consent by hand is kept with who said so, holds for what is sent, and an opt-in needs a proof. */
static void test_consent(void **state)
{
    struct fixture *f = *state;

    says(f, "{\"do\": \"consent in\", \"number\": \"01701234567\"}", "error.text", "\"words\" or \"proof\"");
    says(f,
         "{\"do\": \"consent out\", \"number\": \"01701234567\", \"words\": \"no more\", \"as\": \"Anna\"}",
         "consents.0.state", "out");
    says(f, "{\"do\": \"consent\", \"number\": \"01701234567\"}", "ledger.0.who", "person:Anna");
    says(f, "{\"do\": \"consent\", \"number\": \"01701234567\"}", "ledger.0.words", "no more");
    says(f, "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"offer\"}", "error.code", "refused");
    says(f,
         "{\"do\": \"consent in\", \"number\": \"01701234567\", \"words\": \"yes\", \"proof\": \"form 7\"}",
         "ledger.0.words", "yes; proof: form 7");
    says(f, "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"offer\"}", "messages.0.state", "queued");
    says(f, "{\"do\": \"consent list\", \"state\": \"in\"}", "consents.0.number", "+491701234567");
}

/* Contacts of a file: those with mistakes are told by their place and left out. */
static void test_import(void **state)
{
    struct fixture *f = *state;
    const char *line =
        "{\"do\": \"contacts import\", \"contacts\": [{\"number\": \"nonsense\"}, {\"number\": "
        "\"01701234567\", \"name\": \"Anna\", \"tags\": [\"a\", \"b\"]}, {\"name\": 1}, {\"number\": "
        "\"01701234568\", \"attributes\": {\"x\": 1}}, {\"number\": \"01701234569\", \"consent\": "
        "\"in\"}]}";
    json_t *v = ask(f, line);

    assert_int_equal(json_integer_value(json_object_get(v, "created")), 1);
    assert_int_equal(json_array_size(json_object_get(v, "errors")), 4);
    assert_string_equal(text(v, "errors.1.field"), "number");
    assert_string_equal(text(v, "errors.2.field"), "x");
    assert_string_equal(text(v, "errors.3.field"), "consent");
    json_decref(v);
    says(f, "{\"do\": \"contact\", \"number\": \"01701234567\"}", "contact.tags.1", "b");
    says(f, "{\"do\": \"contact\", \"number\": \"01701234568\"}", "error.code", "not_found");
}

/* Who leaves before the answer has changed the contact all the same. */
static void test_change_outlives_client(void **state)
{
    struct fixture *f = *state;
    struct end end = connect_to(f);

    tell(&end, "{\"do\": \"contact set\", \"number\": \"01701234567\", \"set\": {\"name\": \"Anna\"}}");
    tell(&end, "{\"do\": \"consent in\", \"number\": \"01701234567\", \"words\": \"yes\"}");
    turn(f);
    hang_up(&end);
    for (int i = 0; i < 200; i++)
        turn(f);
    says(f, "{\"do\": \"contact\", \"number\": \"01701234567\"}", "contact.name", "Anna");
    says(f, "{\"do\": \"contact\", \"number\": \"01701234567\"}", "contact.consent", "in");
}

/* Erasing waits for what is on the air; a stop meanwhile is told, and nothing is left over. */
static void test_stop_while_erasing(void **state)
{
    struct fixture *f = *state;
    struct end end;
    json_t *v;

    f->outcome.result = CARRIER_SENT;
    attach(f);
    f->submitted = &(struct carrier_submit){0}; /* busy: what is queued stays so, and is cancelled */
    says(f, "{\"do\": \"send\", \"to\": \"01701234567\", \"text\": \"x\"}", "messages.0.state", "queued");
    says(f, "{\"do\": \"contact erase\", \"number\": \"01701234567\"}", "number", "+491701234567");
    f->submitted = NULL;
    end = connect_to(f);
    tell(&end, "{\"id\": 5, \"do\": \"contact erase\", \"number\": \"01701234567\"}");
    close_ctl(f);
    v = hear(&end);
    if (v && !json_is_true(json_object_get(v, "ok")))
        assert_string_equal(text(v, "error.code"), "stopping");
    json_decref(v);
    hang_up(&end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(test_socket_file),
        A_TEST(test_stale_socket),
        A_TEST(test_who_may),
        A_TEST(test_bad_requests),
        A_TEST(test_half_closed),
        A_TEST(test_bounds),
        A_TEST(test_clients_bound),
        A_TEST(test_send_and_look),
        A_TEST(test_key),
        A_TEST(test_wait),
        A_TEST(test_wait_failure),
        A_TEST(test_leave_while_waiting),
        A_TEST(test_cancel_retry),
        A_TEST(test_watch),
        A_TEST(test_slow_watcher),
        A_TEST(test_backup),
        A_TEST(test_reload),
        A_TEST(test_rules),
        A_TEST(test_status),
        A_TEST(test_close_answers),
        A_TEST(test_names),
        A_TEST(test_contact),
        A_TEST(test_consent),
        A_TEST(test_import),
        A_TEST(test_change_outlives_client),
        A_TEST(test_stop_while_erasing),
    };

    signal(SIGPIPE, SIG_IGN); /* as simgated does */
    log_set_sink(quiet);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
