/* Child processes on libuv. See os/child.h.
 *
 * Each leads a process group of its own, so that what it started is killed with it. It is over when it has
 * ended and its two outputs have; where somebody else still holds them (a daemon that it left behind), a
 * second later. A child lives until all its handles are closed; who has forgotten it hears nothing of that.
 */
#include "os/child_uv.h"

#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>
#include <uv.h>

#include "base/util.h"

enum {
    READ_BYTES = 16384,
    LINGER_MS = 1000, /* for outputs that others hold */
    PIPES = 3,
};

struct child {
    struct child_uv *host;
    struct child *prev, *next;
    uv_process_t process;
    uv_pipe_t pipes[PIPES];
    uv_timer_t linger;
    void *owner;
    void (*output)(void *owner, const char *at, size_t len);
    void (*error)(void *owner, const char *at, size_t len);
    void (*exited)(void *owner, int status, int signal); /* NULL: forgotten */
    bool ended[PIPES];                                   /* 1, 2: the outputs; 0: the input was closed */
    bool exit_seen, closing;
    int status, signal;
    int open; /* handles */
    char buffer[READ_BYTES];
};

struct writing {
    uv_write_t write;
    char bytes[];
};

static void on_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;

    if (--c->open > 0)
        return;
    DL_DELETE(c->host->children, c);
    free(c);
}

static void shut(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(struct child *c)
{
    c->closing = true;
    for (int i = 0; i < PIPES; i++)
        shut((uv_handle_t *)&c->pipes[i]);
    shut((uv_handle_t *)&c->linger);
    shut((uv_handle_t *)&c->process);
}

static void over(struct child *c)
{
    void (*exited)(void *owner, int status, int signal) = c->exited;

    close_all(c);
    c->exited = NULL;
    if (exited)
        exited(c->owner, c->status, c->signal);
}

static void look(struct child *c)
{
    if (!c->closing && c->exit_seen && c->ended[1] && c->ended[2])
        over(c);
}

static void kill_group(struct child *c, int number)
{
    if (!c->exit_seen)
        kill(-uv_process_get_pid(&c->process), number);
}

static void on_linger(uv_timer_t *timer)
{
    over(timer->data);
}

static void on_end(uv_process_t *process, int64_t status, int number)
{
    struct child *c = process->data;

    c->exit_seen = true;
    c->status = (int)status;
    c->signal = number;
    if (!c->closing)
        uv_timer_start(&c->linger, on_linger, LINGER_MS, 0);
    else
        shut((uv_handle_t *)process);
    look(c);
}

static void allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct child *c = handle->data;

    (void)wanted;
    *out = uv_buf_init(c->buffer, sizeof c->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct child *c = stream->data;
    int which = stream == (uv_stream_t *)&c->pipes[1] ? 1 : 2;
    void (*told)(void *owner, const char *at, size_t len) = which == 1 ? c->output : c->error;

    if (n == 0 || c->closing)
        return;
    if (n < 0) {
        uv_read_stop(stream);
        c->ended[which] = true;
        look(c);
        return;
    }
    if (told)
        told(c->owner, bytes->base, (size_t)n);
}

/* ---- start ----------------------------------------------------------------------------------------------
 */

static int code_of(int uv_code)
{
    if (uv_code == UV_ENOENT)
        return ERR_NOT_FOUND;
    return uv_code == UV_EACCES || uv_code == UV_EPERM ? ERR_REFUSED : ERR_IO;
}

static const char *const named[] = {"HOME", "LANG", "TZ"};
enum { NAMED = 3, ENVIRONMENT = NAMED + 2 };

/* PATH is ours, the others' are the daemon's. `made` is to be freed by environment_free. */
static void environment(char *made[ENVIRONMENT])
{
    int n = 0;

    made[n++] = strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (int i = 0; i < NAMED; i++) {
        const char *value = getenv(named[i]);
        size_t size = value ? strlen(named[i]) + strlen(value) + 2 : 0;

        if (!value || !(made[n] = malloc(size)))
            continue;
        stpcpy(stpcpy(stpcpy(made[n], named[i]), "="), value);
        n++;
    }
    made[n] = NULL;
}

static void environment_free(char *made[ENVIRONMENT])
{
    for (int i = 0; made[i]; i++)
        free(made[i]);
}

static struct child *child_new(struct child_uv *u, const struct child_conf *conf)
{
    struct child *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->host = u;
    c->owner = conf->owner;
    c->output = conf->output;
    c->error = conf->error;
    c->exited = conf->exited;
    DL_APPEND(u->children, c);
    for (int i = 0; i < PIPES; i++) {
        uv_pipe_init(u->loop, &c->pipes[i], 0);
        c->pipes[i].data = c;
    }
    uv_timer_init(u->loop, &c->linger);
    c->linger.data = c->process.data = c;
    c->open = PIPES + 2;
    return c;
}

static int spawn(struct child *c, const struct child_conf *conf)
{
    char *own[ENVIRONMENT] = {0};
    uv_stdio_container_t stdio[PIPES] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&c->pipes[0]},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->pipes[1]},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->pipes[2]},
    };
    /* libuv does not write to them: its interface is older than const */
    uv_process_options_t options = {.exit_cb = on_end,
                                    .file = conf->argv[0],
                                    .args = (char **)(uintptr_t)conf->argv,
                                    .env = (char **)(uintptr_t)conf->env,
                                    .cwd = conf->directory ? conf->directory : "/",
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = PIPES,
                                    .stdio = stdio};
    int rc;

    /* Libraries open sockets that programs would inherit (libcurl's); the three that they get are copies. A
     * kernel before 5.11 does not know it. */
    (void)!close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (!conf->env) {
        environment(own);
        options.env = own;
    }
    rc = uv_spawn(c->host->loop, &c->process, &options);
    environment_free(own);
    return rc;
}

static int start(struct child_host *h, const struct child_conf *conf, struct child **out, struct err *e)
{
    struct child_uv *u = container_of(h, struct child_uv, host);
    struct child *c;
    int rc;

    *out = NULL;
    if (!conf->argv || !conf->argv[0] || !*conf->argv[0])
        return err_set(e, ERR_INVALID, "no command");
    c = child_new(u, conf);
    if (!c)
        return err_set(e, ERR_NOMEM, "%s", conf->argv[0]);
    rc = spawn(c, conf);
    if (rc < 0) {
        c->exited = NULL;
        close_all(c);
        return err_set(e, code_of(rc), "%s: %s", conf->argv[0], uv_strerror(rc));
    }
    uv_read_start((uv_stream_t *)&c->pipes[1], allocate, on_read);
    uv_read_start((uv_stream_t *)&c->pipes[2], allocate, on_read);
    *out = c;
    return 0;
}

/* ---- its input ------------------------------------------------------------------------------------------
 */

/* One that reads nothing any more is found by its exit or its deadline. */
static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(container_of(write, struct writing, write));
}

static void write_input(struct child *c, const char *at, size_t len)
{
    struct writing *w;
    uv_buf_t bytes;

    if (c->closing || c->ended[0] || len == 0)
        return;
    w = malloc(sizeof *w + len);
    if (!w)
        abort();
    memcpy(w->bytes, at, len);
    bytes = uv_buf_init(w->bytes, (unsigned)len);
    if (uv_write(&w->write, (uv_stream_t *)&c->pipes[0], &bytes, 1, on_written) < 0)
        free(w);
}

static size_t pending(const struct child *c)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&c->pipes[0]);
}

static void on_shut(uv_shutdown_t *request, int status)
{
    struct child *c = request->handle->data;

    (void)status;
    free(request);
    shut((uv_handle_t *)&c->pipes[0]);
}

static void end_input(struct child *c)
{
    uv_shutdown_t *request;

    if (c->closing || c->ended[0])
        return;
    c->ended[0] = true;
    request = malloc(sizeof *request);
    if (!request)
        abort();
    if (uv_shutdown(request, (uv_stream_t *)&c->pipes[0], on_shut) < 0) {
        free(request);
        shut((uv_handle_t *)&c->pipes[0]);
    }
}

/* ---- its end --------------------------------------------------------------------------------------------
 */

static void end(struct child *c, int number)
{
    kill_group(c, number);
}

/* The process handle stays until the process is reaped. */
static void forget(struct child *c)
{
    c->exited = NULL;
    c->output = c->error = NULL;
    if (c->closing)
        return;
    kill_group(c, SIGKILL);
    c->closing = true;
    for (int i = 0; i < PIPES; i++)
        shut((uv_handle_t *)&c->pipes[i]);
    shut((uv_handle_t *)&c->linger);
    if (c->exit_seen)
        shut((uv_handle_t *)&c->process);
}

void child_uv_init(struct child_uv *u, struct uv_loop_s *loop)
{
    static const struct child_ops ops = {start, write_input, pending, end_input, end, forget};

    *u = (struct child_uv){.host = {&ops}, .loop = loop};
}
