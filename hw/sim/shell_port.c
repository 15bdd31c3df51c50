/* The ports of simgate-modem: pseudo-terminals behind links, and sockets.
 *
 * A pseudo-terminal's slave is kept open here, so that its master never hangs up when the last host closes
 * it. Two things would then outlive that host: TIOCEXCL, and bytes nobody read. inotify on the slave tells
 * when a host opens or closes it; what the modem says while nobody has it open is lost, as on a serial line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"
#include "hw/sim/shell.h"

enum { READ_BYTES = 65536 };

struct buf *shell_port_out(struct shell_port *p)
{
    return p->side ? simside_out(p->side) : simmodem_out(p->m);
}

/* ---- pseudo-terminals ---- */

static void make_raw(int slave)
{
    struct termios t;
    if (tcgetattr(slave, &t) == 0) {
        cfmakeraw(&t);
        tcsetattr(slave, TCSANOW, &t);
    }
}

static void nobody_there(struct shell_port *p)
{
    p->openers = 0;
    ioctl(p->slave, TIOCNXCL);
    make_raw(p->slave);
    tcflush(p->slave, TCIFLUSH);
    buf_clear(shell_port_out(p));
}

static void opened_or_closed(struct shell_port *p, uint32_t mask)
{
    if (mask & IN_OPEN)
        p->openers++;
    if (mask & IN_CLOSE) {
        p->openers -= p->openers > 0;
        if (p->openers == 0)
            nobody_there(p);
    }
}

static struct shell_port *watched_by(struct shell *s, int watch)
{
    for (size_t i = 0; i < s->ports_len; i++)
        if (s->ports[i].watch == watch)
            return &s->ports[i];
    for (size_t i = 0; i < s->sides_len; i++)
        if (s->sides[i].watch == watch)
            return &s->sides[i];
    return NULL;
}

static void on_inotify(struct shell_source *src, uint32_t events)
{
    struct shell *s = container_of(src, struct shell, inotify);
    char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;
    (void)events;
    while ((n = read(src->fd, bytes, sizeof(bytes))) > 0) {
        for (char *p = bytes; p < bytes + n;) {
            const struct inotify_event *ev = (const struct inotify_event *)(const void *)p;
            struct shell_port *port = ev->mask & IN_IGNORED ? NULL : watched_by(s, ev->wd);
            if (port)
                opened_or_closed(port, ev->mask);
            p += sizeof(*ev) + ev->len;
        }
    }
}

int shell_inotify_open(struct shell *s, struct err *e)
{
    s->inotify = (struct shell_source){on_inotify, inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (s->inotify.fd < 0 || shell_add(s, &s->inotify, EPOLLIN) < 0)
        return err_errno(e, "inotify");
    return 0;
}

static void on_line(struct shell_source *src, uint32_t events);

static int open_pty(struct shell_port *p, struct err *e)
{
    char slave[64];
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, slave, sizeof(slave)) != 0)
        return err_errno(e, "pseudo-terminal");
    p->line = (struct shell_source){on_line, fd};
    p->slave = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->slave < 0)
        return err_errno(e, "%s", slave);
    make_raw(p->slave);
    p->watch = inotify_add_watch(p->shell->inotify.fd, slave, IN_OPEN | IN_CLOSE);
    p->openers = p->watch < 0 ? 1 : 0;
    struct stat st;
    if (lstat(p->path, &st) == 0 && S_ISLNK(st.st_mode))
        unlink(p->path);
    if (symlink(slave, p->path) < 0)
        return err_errno(e, "%s", p->path);
    if (shell_add(p->shell, &p->line, EPOLLIN) < 0)
        return err_errno(e, "epoll");
    return 0;
}

static void close_pty(struct shell_port *p)
{
    if (p->watch >= 0)
        inotify_rm_watch(p->shell->inotify.fd, p->watch);
    p->watch = -1;
    unlink(p->path);
    if (p->slave >= 0)
        close(p->slave);
    p->slave = -1;
}

/* ---- sockets ---- */

static void on_connection(struct shell_source *src, uint32_t events)
{
    struct shell_port *p = container_of(src, struct shell_port, listen);
    int one = 1;
    (void)events;
    int fd = accept4(src->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (p->line.fd >= 0) { /* one host at a time, as on a line */
        close(fd);
        return;
    }
    if (p->kind == SHELL_TCP)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    p->line = (struct shell_source){on_line, fd};
    p->waiting_to_write = false;
    p->openers = 1;
    buf_clear(shell_port_out(p));
    shell_add(p->shell, &p->line, EPOLLIN);
}

static int tcp_listen(uint16_t port, struct err *e)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 4) < 0) {
        int rc = err_errno(e, "127.0.0.1:%u", port);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    return fd;
}

static int open_socket(struct shell_port *p, struct err *e)
{
    int fd = p->kind == SHELL_TCP ? tcp_listen(p->tcp_port, e) : shell_unix_listen(p->path, e);
    if (fd < 0)
        return fd;
    p->listen = (struct shell_source){on_connection, fd};
    p->openers = 0;
    if (shell_add(p->shell, &p->listen, EPOLLIN) < 0)
        return err_errno(e, "epoll");
    return 0;
}

/* ---- all ports ---- */

int shell_port_open(struct shell_port *p, struct err *e)
{
    int rc = p->kind == SHELL_PTY ? open_pty(p, e) : open_socket(p, e);
    p->up = true;
    p->waiting_to_write = false;
    return rc < 0 ? err_wrap(e, "%s", p->name) : 0;
}

void shell_port_close(struct shell_port *p)
{
    if (!p->up)
        return;
    p->up = false;
    if (p->kind == SHELL_PTY)
        close_pty(p);
    else if (p->kind == SHELL_UNIX)
        unlink(p->path);
    shell_remove(p->shell, &p->line);
    shell_remove(p->shell, &p->listen);
}

static void lost_line(struct shell_port *p)
{
    if (p->kind == SHELL_PTY)
        return;
    p->openers = 0;
    shell_remove(p->shell, &p->line);
    buf_clear(shell_port_out(p));
}

static void on_line(struct shell_source *src, uint32_t events)
{
    struct shell_port *p = container_of(src, struct shell_port, line);
    static char bytes[READ_BYTES];
    if (events & EPOLLOUT)
        shell_port_write(p);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    ssize_t n = read(src->fd, bytes, sizeof(bytes));
    if (n > 0) {
        if (p->openers == 0) /* the notice of the open comes behind its first bytes */
            on_inotify(&p->shell->inotify, EPOLLIN);
        if (p->openers == 0)
            p->openers = 1;
        p->shell->bytes_in += (uint64_t)n;
        if (p->side)
            simside_feed(p->side, bytes, (size_t)n, shell_now_us() / 1000);
        else
            simmodem_feed_us(p->m, bytes, (size_t)n, shell_now_us());
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        lost_line(p);
    }
}

static void want_write(struct shell_port *p, bool on)
{
    struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0u), .data.ptr = &p->line};
    if (p->waiting_to_write == on)
        return;
    p->waiting_to_write = on;
    epoll_ctl(p->shell->epoll, EPOLL_CTL_MOD, p->line.fd, &ev);
}

void shell_port_write(struct shell_port *p)
{
    struct buf *out = shell_port_out(p);
    if (p->line.fd < 0 || p->openers == 0) {
        buf_clear(out);
        return;
    }
    ssize_t n = write(p->line.fd, out->data, out->len);
    if (n > 0) {
        p->shell->bytes_out += (uint64_t)n;
        buf_drop(out, (size_t)n);
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        buf_clear(out);
    }
    want_write(p, out->len > 0);
}
