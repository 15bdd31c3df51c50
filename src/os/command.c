/* Runs a user's command, such as the one that cuts a hub's power: an argument array, never a shell; nothing
 * to read, nothing to say, no environment but PATH; killed with all that it started after COMMAND_MS. */
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "base/util.h"
#include "os/usb.h"

enum { COMMAND_MS = 60000 };

struct command {
    uv_process_t process;
    uv_timer_t bound;
    struct port_task *task; /* NULL: its owner has gone */
    char name[128];
    bool killed;
    int open; /* handles */
};

static void on_closed(uv_handle_t *handle)
{
    struct command *c = handle->data;

    if (--c->open == 0)
        free(c);
}

static void close_handles(struct command *c)
{
    uv_close((uv_handle_t *)&c->process, on_closed);
    uv_close((uv_handle_t *)&c->bound, on_closed);
}

static void on_end(uv_process_t *process, int64_t status, int term_signal)
{
    struct command *c = process->data;
    struct port_task *t = c->task;
    struct err why = {0};

    if (c->killed)
        err_set(&why, ERR_TIMEOUT, "%s: not done in %d s: killed", c->name, COMMAND_MS / 1000);
    else if (term_signal)
        err_set(&why, ERR_IO, "%s: killed by signal %d", c->name, term_signal);
    else if (status)
        err_set(&why, ERR_IO, "%s: exit status %d", c->name, (int)status);
    close_handles(c);
    if (!t)
        return;
    t->os[0] = NULL;
    t->done(t, why.code, why.code ? &why : NULL);
}

/* It leads a group of its own. */
static void on_bound(uv_timer_t *timer)
{
    struct command *c = timer->data;

    c->killed = true;
    kill(-uv_process_get_pid(&c->process), SIGKILL);
}

static int code_of(int uv_code)
{
    if (uv_code == UV_ENOENT)
        return ERR_NOT_FOUND;
    return uv_code == UV_EACCES || uv_code == UV_EPERM ? ERR_REFUSED : ERR_IO;
}

int command_run(struct uv_loop_s *loop, const char *const *argv, struct port_task *t, struct err *e)
{
    static char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                        "LANG=C", NULL};
    struct command *c;
    uv_stdio_container_t nothing[3] = {{.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}};

    if (!argv || !argv[0] || !*argv[0])
        return err_set(e, ERR_INVALID, "no command");
    c = calloc(1, sizeof *c);
    if (!c)
        return err_set(e, ERR_NOMEM, "%s", argv[0]);
    str_copy(c->name, sizeof c->name, argv[0]);
    c->process.data = c->bound.data = c;
    c->open = 2;
    /* libuv does not write to them: its interface is older than const */
    uv_process_options_t options = {.exit_cb = on_end,
                                    .file = argv[0],
                                    .args = (char **)(uintptr_t)argv,
                                    .env = (char **)(uintptr_t)environment,
                                    .cwd = "/",
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = 3,
                                    .stdio = nothing};
    uv_timer_init(loop, &c->bound);
    int rc = uv_spawn(loop, &c->process, &options);
    if (rc < 0) {
        close_handles(c);
        return err_set(e, code_of(rc), "%s: %s", argv[0], uv_strerror(rc));
    }
    c->task = t;
    t->os[0] = &c->task;
    uv_timer_start(&c->bound, on_bound, COMMAND_MS, 0);
    return 0;
}
