/* Ports on tty devices: finds out on another thread what the path is, opens it, makes sure that nobody else
 * has it, and hands the descriptor to the loop. Opening can block: a USB device that does not answer its
 * control transfers takes seconds.
 *
 * Exclusive use is claimed twice. TIOCEXCL (tty_ioctl(4)) keeps other users' processes from opening a serial
 * device, but not root's; flock(2) is seen by whoever asks. A pseudo-terminal gets the lock only: the kernel
 * keeps its TIOCEXCL as long as the master lives, so that a killed gateway could not come back.
 */
#include "os/port_open.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/util.h"
#include "os/holder.h"
#include "os/port_fd.h"

#define MODEM_MANAGER "ModemManager" /* probes every modem that it sees, and is root */

struct device_port {
    struct port_fd base;
    uv_work_t work;
    char *spec;
    int baud;
    bool rtscts;
    /* Of the work. */
    int fd;
    struct err why;
};

static const char *file_kind(mode_t mode)
{
    static const struct {
        mode_t type;
        const char *name;
    } kinds[] = {{S_IFREG, "a regular file"},
                 {S_IFDIR, "a directory"},
                 {S_IFIFO, "a named pipe"},
                 {S_IFSOCK, "a socket (write unix:PATH for it)"},
                 {S_IFBLK, "a block device"}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].type == (mode & S_IFMT))
            return kinds[i].name;
    return "something else";
}

static int tell_holder(const struct holder *h, struct err *e)
{
    static const struct {
        const char *name, *remedy;
    } known[] = {
        {MODEM_MANAGER, ": install 78-simgate-mm-ignore.rules and replug, see simgated(8)"},
        {"brltty", ": it takes serial chips for Braille displays, remove it"},
    };
    const char *remedy = "";

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].name, h->name) == 0)
            remedy = known[i].remedy;
    return err_set(e, ERR_BUSY, "busy (held by %s, pid %d%s)", h->name, (int)h->pid, remedy);
}

static int tell_busy(const struct stat *device, struct err *e)
{
    struct holder h;

    if (holder_find(device, NULL, &h))
        return tell_holder(&h, e);
    return err_set(e, ERR_BUSY,
                   "busy (held by another modem of this gateway, or by a process out of our sight)");
}

/* fd is open. ERR_OK if it is ours alone now. */
static int claim(int fd, const struct stat *device, struct err *e)
{
    struct holder h;
    int exclusive = 0;

    /* Root opens what another process holds exclusively, and would then share its modem. The mark alone
     * proves nothing: on a pseudo-terminal it outlives its process, and newer libserialports set it for us.
     */
    if (ioctl(fd, TIOCGEXCL, &exclusive) == 0 && exclusive && holder_find(device, NULL, &h))
        return tell_holder(&h, e);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return tell_busy(device, e);
    if (holder_find(device, MODEM_MANAGER, &h))
        return tell_holder(&h, e);
    if (!device_is_pts(device) && ioctl(fd, TIOCEXCL) != 0)
        return err_errno(e, "claim");
    return ERR_OK;
}

/* path has no symbolic link in it. The descriptor or a negative code. */
static int open_device(struct device_port *d, const char *path, struct err *e)
{
    struct stat device;
    int fd;

    if (stat(path, &device) != 0)
        return err_errno(e, "open");
    if (!S_ISCHR(device.st_mode))
        return err_set(e, ERR_INVALID, "this is %s, not a serial device", file_kind(device.st_mode));
    d->base.kind = device_is_pts(&device) ? PORT_FD_PTY : PORT_FD_SERIAL;
    fd = d->base.kind == PORT_FD_PTY ? port_pty_open(path, e) : port_serial_open(path, d->baud, d->rtscts, e);
    if (fd == ERR_BUSY)
        return tell_busy(&device, e);
    if (fd == ERR_REFUSED)
        return err_set(e, ERR_REFUSED,
                       "permission denied (the gateway's user must be in the device's group, "
                       "usually dialout)");
    if (fd >= 0 && claim(fd, &device, e) != ERR_OK) {
        close(fd);
        return e->code;
    }
    return fd;
}

static void on_open_work(uv_work_t *work)
{
    struct device_port *d = container_of(work, struct device_port, work);
    char path[PATH_MAX];

    if (!realpath(d->spec, path)) {
        d->fd = err_errno(&d->why, "%s", d->spec);
        return;
    }
    d->fd = open_device(d, path, &d->why);
    if (d->fd >= 0)
        return;
    if (strcmp(path, d->spec) == 0)
        err_wrap(&d->why, "%s", d->spec);
    else
        err_wrap(&d->why, "%s (%s)", d->spec, path);
}

static void on_open_done(uv_work_t *work, int status)
{
    struct device_port *d = container_of(work, struct device_port, work);
    struct port_fd *p = &d->base;

    (void)status; /* nothing cancels it */
    if (p->is_closed && d->fd >= 0)
        port_fd_discard(p, d->fd);
    else if (d->fd < 0 || port_fd_watch(p, d->fd, NULL, &d->why) != ERR_OK)
        port_fd_fail(p, &d->why);
    else
        port_fd_opened(p);
    port_fd_release(p);
}

static void device_forget(struct port_fd *p)
{
    struct device_port *d = container_of(p, struct device_port, base);

    free(d->spec);
    free(d);
}

int port_device_open(uv_loop_t *loop, const struct port_conf *conf, const struct port_events *ev, void *owner,
                     struct port **out, struct err *e)
{
    struct device_port *d = calloc(1, sizeof *d);

    if (d)
        d->spec = strdup(conf->spec);
    if (!d || !d->spec) {
        free(d);
        return err_set(e, ERR_NOMEM, "%s: out of memory", conf->spec);
    }
    d->baud = conf->baud;
    d->rtscts = conf->flow_rtscts != 0;
    d->fd = -1;
    port_fd_init(&d->base, loop, ev, owner, device_forget);
    port_fd_hold(&d->base);
    if (uv_queue_work(loop, &d->work, on_open_work, on_open_done) != 0)
        abort(); /* libuv refuses only a missing callback */
    *out = &d->base.port;
    return ERR_OK;
}
