/* Ports that are plain streams: TCP (ser2net, network modems), unix sockets, and pseudo-terminals (the
 * simulated modem).
 *
 * A host may have several addresses; they are tried in the order of getaddrinfo(3), each as long as the
 * kernel's connect(2) takes. Keep-alives find a peer that has lost its power.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"
#include "os/port_fd.h"
#include "os/port_open.h"

#define TCP_PREFIX  "tcp://"
#define UNIX_PREFIX "unix:"

enum {
    HOST_BYTES = 256, /* RFC 1035 2.3.4 */
    SERVICE_BYTES = 8,
    SYN_TRIES = 3, /* 15 s in all */
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_PROBES = 3,
    UNACKED_MS = 30000,
};

struct socket_port {
    struct port_fd base;
    char *spec;
    uv_getaddrinfo_t lookup;
    struct addrinfo *addresses;
    const struct addrinfo *next;
    struct err why; /* of the last address */
};

static struct socket_port *socket_port_of(struct port_fd *p)
{
    return container_of(p, struct socket_port, base);
}

static void socket_forget(struct port_fd *p)
{
    struct socket_port *s = socket_port_of(p);

    if (s->addresses)
        uv_freeaddrinfo(s->addresses);
    free(s->spec);
    free(s);
}

static void set_int(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

static void tune_tcp(int fd)
{
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, IPPROTO_TCP, TCP_SYNCNT, SYN_TRIES);
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS);
}

/* What a failed connect(2) is to the port's owner. */
static int connect_failed(struct socket_port *s, int os_error)
{
    errno = os_error;
    err_errno(&s->why, "%s", s->spec);
    if (os_error != ENOENT && os_error != EACCES && os_error != EPERM)
        s->why.code = ERR_GONE;
    return s->why.code;
}

static void on_connected(struct port_fd *p);

/* Begins to connect. ERR_OK: on_connected() will tell. */
static int begin_connect(struct socket_port *s, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return connect_failed(s, errno);
    if (address->sa_family != AF_UNIX)
        tune_tcp(fd);
    if (connect(fd, address, len) != 0 && errno != EINPROGRESS) {
        connect_failed(s, errno);
        close(fd);
        return s->why.code;
    }
    if (port_fd_watch(&s->base, fd, on_connected, &s->why) != ERR_OK)
        return err_wrap(&s->why, "%s", s->spec);
    return ERR_OK;
}

static void try_next_address(struct socket_port *s)
{
    while (s->next) {
        const struct addrinfo *a = s->next;

        s->next = a->ai_next;
        if (begin_connect(s, a->ai_addr, a->ai_addrlen) == ERR_OK)
            return;
    }
    port_fd_fail(&s->base, &s->why);
}

static void on_connected(struct port_fd *p)
{
    struct socket_port *s = socket_port_of(p);
    int failed = 0;
    socklen_t len = sizeof failed;

    if (getsockopt(port_fd_number(p), SOL_SOCKET, SO_ERROR, &failed, &len) != 0)
        failed = errno;
    if (failed == 0) {
        port_fd_opened(p);
        return;
    }
    connect_failed(s, failed);
    port_fd_unwatch(p);
    try_next_address(s);
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
    struct socket_port *s = container_of(lookup, struct socket_port, lookup);

    s->addresses = addresses;
    s->next = addresses;
    if (status != 0)
        err_set(&s->why, ERR_NOT_FOUND, "%s: %s", s->spec, uv_strerror(status));
    if (!s->base.is_closed)
        try_next_address(s);
    port_fd_release(&s->base);
}

/* "host:port", "1.2.3.4:port" or "[1::2]:port". */
static int split_host(const char *text, char host[HOST_BYTES], char service[SERVICE_BYTES])
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    int64_t number;

    if (len == 0 || !str_to_i64(colon + 1, 1, UINT16_MAX, &number))
        return ERR_INVALID;
    if (text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len)) {
        return ERR_INVALID;
    }
    if (len == 0 || len >= HOST_BYTES)
        return ERR_INVALID;
    snprintf(host, HOST_BYTES, "%.*s", (int)len, text);
    snprintf(service, SERVICE_BYTES, "%d", (int)number);
    return ERR_OK;
}

static int begin_tcp(struct socket_port *s, struct err *e)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char host[HOST_BYTES], service[SERVICE_BYTES];
    int rc;

    if (split_host(s->spec + strlen(TCP_PREFIX), host, service) != ERR_OK)
        return err_set(e, ERR_INVALID, "%s: expected tcp://HOST:PORT", s->spec);
    rc = uv_getaddrinfo(s->base.loop, &s->lookup, on_looked_up, host, service, &hints);
    if (rc != 0)
        return err_set(e, ERR_INVALID, "%s: %s", s->spec, uv_strerror(rc));
    port_fd_hold(&s->base);
    return ERR_OK;
}

static int begin_unix(struct socket_port *s, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = s->spec + strlen(UNIX_PREFIX);

    if (*path == '\0' || !str_copy(address.sun_path, sizeof address.sun_path, path))
        return err_set(e, ERR_INVALID, "%s: expected unix:PATH with a path of 1 to %zu bytes", s->spec,
                       sizeof address.sun_path - 1);
    if (begin_connect(s, (const struct sockaddr *)&address, sizeof address) != ERR_OK) {
        *e = s->why;
        return e->code;
    }
    return ERR_OK;
}

int port_socket_open(uv_loop_t *loop, const struct port_conf *conf, const struct port_events *ev, void *owner,
                     struct port **out, struct err *e)
{
    bool is_tcp = strncmp(conf->spec, TCP_PREFIX, strlen(TCP_PREFIX)) == 0;
    struct socket_port *s = calloc(1, sizeof *s);
    int rc;

    if (s)
        s->spec = strdup(conf->spec);
    if (!s || !s->spec) {
        free(s);
        return err_set(e, ERR_NOMEM, "%s: out of memory", conf->spec);
    }
    s->base.kind = PORT_FD_SOCKET;
    port_fd_init(&s->base, loop, ev, owner, socket_forget);
    rc = is_tcp ? begin_tcp(s, e) : begin_unix(s, e);
    if (rc != ERR_OK) {
        socket_forget(&s->base);
        return rc;
    }
    *out = &s->base.port;
    return ERR_OK;
}

int port_pty_open(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios tio;

    if (fd < 0 && errno == EIO) /* its master is closed, or has not unlocked it yet */
        return err_set(e, ERR_GONE, "open: the other side is not there");
    if (fd < 0)
        return err_errno(e, "open");
    if (tcgetattr(fd, &tio) == 0) {
        cfmakeraw(&tio);
        if (tcsetattr(fd, TCSANOW, &tio) == 0)
            return fd;
    }
    err_errno(e, "set the line");
    close(fd);
    return e->code;
}
