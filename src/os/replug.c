/* Takes a USB device off the bus and puts it back, as a hand would: sysfs `authorized` 0, a moment, 1
 * (Linux, Documentation/usb/authorization.rst). The kernel unbinds all drivers and enumerates it anew; a
 * stick that hangs in its firmware needs more, its power cut.
 *
 * Needs write access to the attribute, which udev/60-simgate.rules gives the gateway's group. Both writes are
 * done by a process of their own: if the gateway dies in between, the device comes back all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/util.h"
#include "os/usb.h"

enum { OFF_MS = 1000 };

struct replug {
    uv_work_t work;
    struct port_task *task; /* NULL: its owner has gone */
    char attribute[128];
    struct err why;
};

/* 0, or errno. */
static int write_attribute(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return errno;
    /* the device's answers are awaited inside: it may be slow, or gone by now */
    int error = write(fd, value, 1) == 1 ? 0 : errno;
    close(fd);
    return error;
}

/* The child of a process with threads: system calls only. Nothing but SIGKILL ends it, and it must not keep
 * the gateway's locks. */
static _Noreturn void off_and_on(const char *attribute)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    close_range(0, ~0U, 0);
    int error = write_attribute(attribute, "0");
    if (!error) {
        usleep(OFF_MS * 1000);
        error = write_attribute(attribute, "1");
    }
    _exit(error);
}

static void run(uv_work_t *work)
{
    struct replug *r = container_of(work, struct replug, work);
    pid_t pid = fork();
    int status = 0;

    if (pid == 0)
        off_and_on(r->attribute);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0)
        errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
    if (errno || pid < 0)
        err_errno(&r->why, "%s", r->attribute);
}

static void done(uv_work_t *work, int status)
{
    struct replug *r = container_of(work, struct replug, work);

    if (status < 0)
        err_set(&r->why, ERR_CANCELLED, "stopped before");
    if (r->task) {
        r->task->os[0] = NULL;
        r->task->done(r->task, r->why.code, r->why.code ? &r->why : NULL);
    }
    free(r);
}

/* The path becomes part of a file's name: "1-1.4" and nothing else. */
static bool is_usb_path(const char *text)
{
    return strchr(text, '-') && !text[strspn(text, "0123456789.-")];
}

int usb_replug(struct uv_loop_s *loop, const char *usb_path, struct port_task *t, struct err *e)
{
    struct replug *r;

    if (!is_usb_path(usb_path))
        return err_set(e, ERR_INVALID, "\"%s\" is no place on a USB bus", usb_path);
    r = calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ERR_NOMEM, "replug");
    snprintf(r->attribute, sizeof r->attribute, "/sys/bus/usb/devices/%s/authorized", usb_path);
    if (access(r->attribute, W_OK) != 0) {
        int rc = errno == EROFS || errno == EACCES || errno == EPERM
                     ? err_set(e, ERR_REFUSED, "not permitted to write %s (see simgated(8))", r->attribute)
                     : err_errno(e, "%s", r->attribute);
        free(r);
        return rc;
    }
    r->task = t;
    t->os[0] = &r->task;
    uv_queue_work(loop, &r->work, run, done);
    return 0;
}
