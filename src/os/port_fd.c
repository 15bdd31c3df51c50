/* The part that all real ports share. See os/port_fd.h for who frees what.
 *
 * Hang-up: a tty whose device is unplugged, or whose pseudo-terminal master is closed, reports POLLHUP and
 * POLLERR; libuv then either calls back as readable, and read(2) gives 0 or EIO, or calls back with a
 * negative status and has stopped watching. All of these end in `gone`.
 */
#include "os/port_fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"

enum { READ_BYTES = 4096 }; /* per turn of the loop, so that one loud modem does not starve the others */

/* Apart from the port, since libuv frees its handles in its own time, and a TCP port tries several. */
struct port_fd_watch {
    uv_poll_t poll;
    int fd;
    struct port_fd *port;
    port_fd_ready ready; /* while connecting */
};

static void free_if_unused(struct port_fd *p)
{
    if (!p->is_closed || p->holds > 0)
        return;
    buf_free(&p->unsent);
    p->forget(p);
}

void port_fd_hold(struct port_fd *p)
{
    p->holds++;
}

void port_fd_release(struct port_fd *p)
{
    p->holds--;
    free_if_unused(p);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct port_fd_watch *w = container_of(handle, struct port_fd_watch, poll);

    port_fd_release(w->port);
    free(w);
}

int port_fd_number(const struct port_fd *p)
{
    return p->watch ? p->watch->fd : -1;
}

static void watch_free(struct port_fd *p)
{
    uv_close((uv_handle_t *)&p->watch->poll, on_watch_closed);
    p->watch = NULL;
}

struct closing {
    uv_work_t work;
    int fd;
};

static void on_closing(uv_work_t *work)
{
    close(container_of(work, struct closing, work)->fd);
}

static void on_closing_done(uv_work_t *work, int status)
{
    (void)status;
    free(container_of(work, struct closing, work));
}

/* close(2) of a serial device waits for what it has not sent yet, 30 s with a modem that takes nothing
 * (closing_wait in the kernel's tty_port.c), hence on another thread. The locks go at once: the next open
 * must not find the device held by ourselves. */
static void close_serial(uv_loop_t *loop, int fd)
{
    struct closing *c = calloc(1, sizeof *c);

    tcflush(fd, TCOFLUSH);
    ioctl(fd, TIOCNXCL);
    flock(fd, LOCK_UN);
    if (c) {
        c->fd = fd;
        if (uv_queue_work(loop, &c->work, on_closing, on_closing_done) == 0)
            return;
    }
    free(c);
    close(fd);
}

void port_fd_discard(struct port_fd *p, int fd)
{
    if (p->kind == PORT_FD_SERIAL)
        close_serial(p->loop, fd);
    else
        close(fd);
}

void port_fd_unwatch(struct port_fd *p)
{
    int fd = port_fd_number(p);

    if (fd < 0)
        return;
    watch_free(p);
    port_fd_discard(p, fd);
}

void port_fd_fail(struct port_fd *p, const struct err *why)
{
    int fd = port_fd_number(p);

    if (fd >= 0) {
        watch_free(p);
        close(fd); /* a device that has hung up does not make it wait */
    }
    if (p->is_closed || p->is_gone)
        return;
    p->is_gone = true;
    p->events.gone(p->owner, why);
}

static void fail_hung_up(struct port_fd *p, int os_error)
{
    struct err why = {0};

    if (os_error != 0 && os_error != EIO)
        err_set(&why, ERR_GONE, "the connection was lost: %s", strerror(os_error));
    else
        err_set(&why, ERR_GONE,
                p->kind == PORT_FD_SOCKET ? "the other side closed the connection" : "hung up or unplugged");
    port_fd_fail(p, &why);
}

/* Bytes written, 0 if the descriptor takes none now, -1 on failure with errno. */
static ssize_t write_some(struct port_fd *p, const void *bytes, size_t len)
{
    ssize_t done;

    do {
        done = p->kind == PORT_FD_SOCKET ? send(p->watch->fd, bytes, len, MSG_NOSIGNAL)
                                         : write(p->watch->fd, bytes, len);
    } while (done < 0 && errno == EINTR);
    return done < 0 && errno == EAGAIN ? 0 : done;
}

/* False if the port failed on it. */
static bool flush(struct port_fd *p)
{
    ssize_t done = p->unsent.len > 0 ? write_some(p, p->unsent.data, p->unsent.len) : 0;

    if (done < 0) {
        fail_hung_up(p, errno);
        return false;
    }
    buf_drop(&p->unsent, (size_t)done);
    return true;
}

/* False if the port failed, or its owner closed it. */
static bool read_some(struct port_fd *p)
{
    uint8_t bytes[READ_BYTES];
    ssize_t got = read(p->watch->fd, bytes, sizeof bytes);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0) {
        fail_hung_up(p, got < 0 ? errno : 0);
        return false;
    }
    p->events.data(p->owner, bytes, (size_t)got);
    return p->watch != NULL;
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* Asks libuv for what is of use now: a tty can nearly always be written to. */
static void poll_again(struct port_fd *p)
{
    int events = UV_READABLE | (p->unsent.len > 0 ? UV_WRITABLE : 0);

    uv_poll_start(&p->watch->poll, events, on_poll);
}

static void pump(struct port_fd *p, int status, int events)
{
    if (status < 0) {
        /* Its last words are still worth reading; then it is gone, whatever errno says. */
        if (read_some(p))
            fail_hung_up(p, 0);
        return;
    }
    if (events & UV_READABLE && !read_some(p))
        return;
    if (events & UV_WRITABLE) {
        if (!flush(p))
            return;
        if (p->unsent.len == 0)
            poll_again(p);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct port_fd_watch *w = container_of(poll, struct port_fd_watch, poll);
    struct port_fd *p = w->port;

    /* p stays: the watch holds it until libuv has closed the handle. */
    if (w->ready) {
        uv_poll_stop(poll);
        w->ready(p);
        return;
    }
    pump(p, status, events);
}

int port_fd_watch(struct port_fd *p, int fd, port_fd_ready ready, struct err *e)
{
    struct port_fd_watch *w = calloc(1, sizeof *w);
    int rc = w ? uv_poll_init(p->loop, &w->poll, fd) : UV_ENOMEM;

    if (rc != 0) {
        free(w);
        close(fd);
        return err_set(e, ERR_IO, "cannot be watched: %s", uv_strerror(rc));
    }
    w->fd = fd;
    w->port = p;
    w->ready = ready;
    p->watch = w;
    port_fd_hold(p);
    uv_poll_start(&w->poll, UV_WRITABLE, on_poll);
    return ERR_OK;
}

void port_fd_opened(struct port_fd *p)
{
    p->watch->ready = NULL;
    p->is_open = true;
    poll_again(p);
    p->events.opened(p->owner);
}

static int port_fd_write(struct port *port, const void *bytes, size_t len)
{
    struct port_fd *p = container_of(port, struct port_fd, port);
    ssize_t done = 0;
    bool begins;

    if (p->is_gone)
        return ERR_OK; /* the owner is told so by `gone` */
    if (len > PORT_QUEUE_BYTES - p->unsent.len)
        return ERR_FULL;
    if (p->is_open && p->unsent.len == 0)
        done = write_some(p, bytes, len);
    if (done < 0)
        done = 0; /* the loop meets the failure again, and may call the owner */
    if ((size_t)done == len)
        return ERR_OK;
    begins = p->unsent.len == 0;
    buf_add(&p->unsent, (const char *)bytes + done, len - (size_t)done);
    if (p->is_open && begins)
        poll_again(p);
    return ERR_OK;
}

static void port_fd_close(struct port *port)
{
    struct port_fd *p = container_of(port, struct port_fd, port);

    p->is_closed = true;
    port_fd_unwatch(p);
    free_if_unused(p);
}

void port_fd_init(struct port_fd *p, uv_loop_t *loop, const struct port_events *ev, void *owner,
                  void (*forget)(struct port_fd *p))
{
    static const struct port_ops ops = {.write = port_fd_write, .close = port_fd_close};

    p->port.ops = &ops;
    p->loop = loop;
    p->events = *ev;
    p->owner = owner;
    p->forget = forget;
}
