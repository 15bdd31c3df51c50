/* Takes a USB device off the bus and puts it back, as a hand would: sysfs `authorized` 0, a moment, 1
 * (Linux, Documentation/usb/authorization.rst). The kernel unbinds all drivers and enumerates it anew; a
 * stick that hangs in its firmware needs more, its power cut.
 *
 * Needs write access to the attribute, which udev/60-simgate.rules gives the gateway's group. Both writes are
 * one piece of work that nothing but the process's death interrupts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int write_attribute(const char *path, const char *value, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(e, "%s", path);
    /* the device's answers are awaited inside: it may be slow, or gone by now */
    ssize_t n = write(fd, value, 1);
    int rc = n == 1 ? 0 : err_errno(e, "%s", path);
    close(fd);
    return rc;
}

static void run(uv_work_t *work)
{
    struct replug *r = container_of(work, struct replug, work);

    if (write_attribute(r->attribute, "0", &r->why) < 0)
        return;
    usleep(OFF_MS * 1000);
    write_attribute(r->attribute, "1", &r->why);
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
