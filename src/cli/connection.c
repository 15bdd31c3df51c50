/* The way to simgated: one connection, JSON lines, a deadline. What can fail is told with the socket's name,
 * why, and what to do. docs/simgate-protocol.7. */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"

enum { READ_BYTES = 65536 };

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int unreachable(const char *socket_path, struct err *e)
{
    int why = errno;

    if (why == EACCES || why == EPERM) {
        err_set(
            e, ERR_REFUSED,
            "%s: %s; only root and members of its group may use it: adduser YOU simgate, then log in again",
            socket_path, strerror(why));
        return CLI_REFUSED;
    }
    err_set(e, ERR_GONE,
            "no simgated at %s: %s; is simgated running? See: systemctl status simgated (another socket: "
            "--socket PATH)",
            socket_path, strerror(why));
    return CLI_UNREACHABLE;
}

int connection_open(struct connection *c, const char *socket_path, int64_t timeout_ms, struct err *e)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    *c = (struct connection){.fd = -1, .socket = socket_path};
    c->deadline_ms = timeout_ms > 0 ? now_ms() + timeout_ms : INT64_MAX;
    if (!str_copy(at.sun_path, sizeof at.sun_path, socket_path)) {
        errno = ENAMETOOLONG;
        return unreachable(socket_path, e);
    }
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof at) < 0) {
        int rc = unreachable(socket_path, e);

        connection_close(c);
        return rc;
    }
    return CLI_DONE;
}

void connection_close(struct connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    buf_free(&c->in);
}

int connection_send(struct connection *c, const char *request, json_t *args, struct err *e)
{
    json_t *line = json_object();
    char *text;
    size_t len, sent = 0;

    json_object_set_new(line, "id", json_integer(1));
    json_object_set_new(line, "do", json_string(request));
    json_object_update(line, args);
    text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    if (!text)
        abort();
    len = strlen(text);
    text[len++] = '\n'; /* in the place of its NUL */
    while (sent < len) {
        ssize_t n = send(c->fd, text + sent, len - sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break; /* it may have said why before it closed: that is read next */
        sent += (size_t)n;
    }
    free(text);
    (void)e;
    return CLI_DONE;
}

static int lost(const struct connection *c, struct err *e)
{
    err_set(e, ERR_GONE, "the connection to simgated at %s was lost; see: systemctl status simgated",
            c->socket);
    return CLI_UNREACHABLE;
}

static int wait_for_more(struct connection *c, struct err *e)
{
    char bytes[READ_BYTES];
    ssize_t n;

    for (;;) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        int64_t left_ms = c->deadline_ms == INT64_MAX ? -1 : c->deadline_ms - now_ms();
        int rc;

        if (c->deadline_ms != INT64_MAX && left_ms < 0)
            left_ms = 0;
        rc = poll(&p, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (rc == 0 && left_ms <= INT32_MAX) {
            err_set(e, ERR_TIMEOUT, "no answer in the time allowed; what was asked for may still happen");
            return CLI_NO_OUTCOME;
        }
        if (rc > 0)
            break;
    }
    n = recv(c->fd, bytes, sizeof bytes, 0);
    if (n <= 0)
        return lost(c, e);
    buf_add(&c->in, bytes, (size_t)n);
    return CLI_DONE;
}

/* The next line: an event or the answer. */
static int connection_read(struct connection *c, json_t **line, struct err *e)
{
    size_t seen = 0;
    char *end;
    int rc;

    while (!(end = c->in.len > seen ? memchr(c->in.data + seen, '\n', c->in.len - seen) : NULL)) {
        seen = c->in.len;
        rc = wait_for_more(c, e);
        if (rc != CLI_DONE)
            return rc;
    }
    *line = json_loadb(c->in.data, (size_t)(end - c->in.data), 0, NULL);
    buf_drop(&c->in, (size_t)(end - c->in.data) + 1);
    if (!json_is_object(*line)) {
        json_decref(*line);
        *line = NULL;
        err_set(e, ERR_INVALID, "what answers at %s is not simgated", c->socket);
        return CLI_UNREACHABLE;
    }
    return CLI_DONE;
}

/* Refusals of the request as it stands; every other error is of something that was tried. */
int status_of_error(const json_t *answer, struct err *e)
{
    static const char *const refusals[] = {"invalid", "too_long", "not_found", "refused", "exists"};
    const json_t *error = json_object_get(answer, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "text"));

    err_set(e, ERR_REFUSED, "%s", text ? text : "simgated refused, and did not say why");
    if (code && !strcmp(code, "stopping"))
        return CLI_UNREACHABLE;
    for (size_t i = 0; code && i < ARRAY_LEN(refusals); i++)
        if (!strcmp(refusals[i], code))
            return CLI_REFUSED;
    return CLI_FAILED;
}

int connection_hear(struct connection *c, const struct invocation *v, event_fn *show, json_t **answer,
                    struct err *e)
{
    for (;;) {
        json_t *line;
        int rc = connection_read(c, &line, e);

        if (rc != CLI_DONE)
            return rc;
        const json_t *event = json_object_get(line, "event");
        if (!event) {
            *answer = line;
            rc = json_is_true(json_object_get(line, "ok")) ? CLI_DONE : status_of_error(line, e);
            json_object_del(line, "id");
            json_object_del(line, "ok");
            return rc;
        }
        bool heard = !show || show(v, event);
        json_decref(line);
        if (!heard)
            return CLI_DONE;
    }
}

static int converse(const struct invocation *v, const char *request, json_t *args, event_fn *show,
                    json_t **answer, struct err *e)
{
    struct connection c;
    int rc = connection_open(&c, v->socket, v->timeout_ms, e);

    *answer = NULL;
    if (rc == CLI_DONE)
        rc = connection_send(&c, request, args, e);
    if (rc == CLI_DONE)
        rc = connection_hear(&c, v, show, answer, e);
    connection_close(&c);
    return rc;
}

int ask_and_hear(const struct invocation *v, const char *request, event_fn *show, json_t **answer,
                 struct err *e)
{
    return converse(v, request, v->args, show, answer, e);
}

int ask(const struct invocation *v, const char *request, json_t *args, json_t **answer, struct err *e)
{
    return converse(v, request, args, NULL, answer, e);
}
