/* A connection: who it is, its lines in, its answers out.
 *
 * Who: the kernel tells the peer's uid, gid and groups (SO_PEERCRED, SO_PEERGROUPS; unix(7)). Allowed are
 * root, the daemon's own user, and members of the daemon's group. The user's name is looked up beside the
 * loop, because that may ask a directory server.
 *
 * Bounds: LINE_MAX_BYTES for a line, CALLS_MAX open requests, READ_PAUSE_BYTES unsent before it is read on,
 * EVENTS_UNSENT_BYTES before events are lost to it. A client that does not read thus costs its own answers
 * only.
 */
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/private.h"

enum { PEER_GROUPS_MAX = 1024, NAMES_BYTES = 4096 };

struct writing {
    uv_write_t uv;
    struct client *client;
    char *bytes;
};

size_t client_unsent_bytes(const struct client *cl)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&cl->pipe);
}

/* ---- end ---- */

static void free_if_done(struct client *cl)
{
    struct ctl *c = cl->ctl;

    if (!cl->closed || cl->identifying)
        return;
    if (cl->prev)
        cl->prev->next = cl->next;
    else
        c->clients = cl->next;
    if (cl->next)
        cl->next->prev = cl->prev;
    c->nclients--;
    buf_free(&cl->in);
    free(cl);
    ctl_check_closed(c);
}

static void on_closed(uv_handle_t *handle)
{
    struct client *cl = handle->data;

    cl->closed = true;
    call_forget_client(cl);
    free_if_done(cl);
}

void client_close(struct client *cl)
{
    if (cl->closing)
        return;
    cl->closing = true;
    uv_close((uv_handle_t *)&cl->pipe, on_closed);
}

/* ---- out ---- */

static void on_written(uv_write_t *uv, int status)
{
    struct writing *w = container_of(uv, struct writing, uv);
    struct client *cl = w->client;

    free(w->bytes);
    free(w);
    if (cl->closing)
        return;
    if (status < 0) {
        client_close(cl);
        return;
    }
    call_told(cl);
    client_check(cl);
}

void client_write(struct client *cl, const json_t *line)
{
    struct writing *w;
    uv_buf_t out;
    size_t len;

    if (cl->closing)
        return;
    w = calloc(1, sizeof *w);
    if (!w || !(w->bytes = json_dumps(line, JSON_COMPACT)))
        abort();
    w->client = cl;
    len = strlen(w->bytes);
    w->bytes[len] = '\n'; /* in place of the NUL: the length goes beside it */
    out = uv_buf_init(w->bytes, (unsigned)len + 1);
    if (uv_write(&w->uv, (uv_stream_t *)&cl->pipe, &out, 1, on_written) < 0) {
        free(w->bytes);
        free(w);
        client_close(cl);
    }
}

/* ---- in ---- */

static bool may_read(const struct client *cl)
{
    return cl->allowed && cl->known && !cl->closing && !cl->last && !cl->ctl->closing &&
           cl->ncalls < CALLS_MAX && client_unsent_bytes(cl) < READ_PAUSE_BYTES;
}

static void refuse_line(struct client *cl)
{
    json_t *line = json_pack("{sbso}", "ok", 0, "error",
                             json_error(ERR_TOO_LONG, "a request is one line of at most 1 MiB"));

    client_write(cl, line);
    json_decref(line);
    cl->last = true;
}

/* Starts the requests that have arrived whole, as many as may be open. */
static void take_lines(struct client *cl)
{
    cl->taking = true; /* an answer given at once must not lead back here */
    while (may_read(cl) && cl->scanned < cl->in.len) {
        char *end = memchr(cl->in.data + cl->scanned, '\n', cl->in.len - cl->scanned);
        size_t len;

        if (!end) {
            cl->scanned = cl->in.len;
            break;
        }
        len = (size_t)(end - cl->in.data);
        if (len > LINE_MAX_BYTES)
            refuse_line(cl);
        else if (len > 0)
            call_start(cl, cl->in.data, len);
        buf_drop(&cl->in, len + 1);
        cl->scanned = 0;
    }
    if (cl->in.len > LINE_MAX_BYTES && cl->scanned == cl->in.len && !cl->last)
        refuse_line(cl);
    cl->taking = false;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    static char bytes[65536]; /* used up by on_read before the next one is read */

    (void)handle;
    (void)suggested;
    *out = uv_buf_init(bytes, sizeof bytes);
}

/* Has it only closed its own direction, as `nc -N` does, and waits for answers? */
static bool still_listens(const struct client *cl)
{
    struct pollfd p = {.events = POLLIN};
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)&cl->pipe, &fd) < 0)
        return false;
    p.fd = fd;
    return poll(&p, 1, 0) >= 0 && !(p.revents & (POLLHUP | POLLERR));
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *bytes)
{
    struct client *cl = stream->data;

    if (len == 0)
        return;
    if (len < 0 && !(len == UV_EOF && still_listens(cl))) {
        client_close(cl);
        return;
    }
    if (len < 0)
        cl->eof = true;
    else
        buf_add(&cl->in, bytes->base, (size_t)len);
    if (cl->eof && cl->in.len > 0 && cl->in.data[cl->in.len - 1] != '\n')
        buf_addc(&cl->in, '\n');
    client_check(cl);
}

void client_check(struct client *cl)
{
    bool read, over;

    if (cl->closing || cl->taking)
        return;
    take_lines(cl);
    over = cl->last || cl->ctl->closing || (cl->eof && cl->scanned == cl->in.len);
    if (over && cl->ncalls == 0 && client_unsent_bytes(cl) == 0) {
        client_close(cl);
        return;
    }
    /* A client that waits for events is read from all the same: how else would its leaving be noticed? */
    read = may_read(cl) ||
           (!cl->last && cl->ncalls > 0 && cl->in.len == 0 && client_unsent_bytes(cl) < READ_PAUSE_BYTES);
    read = read && !cl->eof;
    if (read && !cl->reading)
        uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read);
    else if (!read && cl->reading)
        uv_read_stop((uv_stream_t *)&cl->pipe);
    cl->reading = read;
}

/* ---- who ---- */

static bool in_group(int fd, gid_t primary, gid_t wanted)
{
    gid_t groups[PEER_GROUPS_MAX];
    socklen_t len = sizeof groups;

    if (primary == wanted)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
        return false;
    for (size_t i = 0; i < len / sizeof groups[0]; i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

static void look_at_peer(struct client *cl)
{
    struct ucred peer = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t len = sizeof peer;
    uv_os_fd_t fd;

    if (uv_fileno((uv_handle_t *)&cl->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return;
    cl->uid = peer.uid;
    cl->allowed = peer.uid == 0 || peer.uid == geteuid() || in_group(fd, peer.gid, getegid());
}

/* On another thread. */
static void find_names(struct rt_work *work)
{
    struct client *cl = container_of(work, struct client, who);
    char bytes[NAMES_BYTES];
    struct passwd user, *u = NULL;
    struct group group, *g = NULL;

    snprintf(cl->user, sizeof cl->user, "%u", cl->uid);
    if (getpwuid_r(cl->uid, &user, bytes, sizeof bytes, &u) == 0 && u)
        str_copy(cl->user, sizeof cl->user, u->pw_name);
    snprintf(cl->group, sizeof cl->group, "%u", getegid());
    if (getgrgid_r(getegid(), &group, bytes, sizeof bytes, &g) == 0 && g)
        str_copy(cl->group, sizeof cl->group, g->gr_name);
}

static void refuse_peer(struct client *cl)
{
    char text[256];
    json_t *line;

    snprintf(text, sizeof text,
             "user %s may not use simgate: root and members of the group %s may (adduser %s %s, then log in "
             "again)",
             cl->user, cl->group, cl->user, cl->group);
    log_warning(WHO, "refused user=%s uid=%u", cl->user, cl->uid);
    line = json_pack("{sbso}", "ok", 0, "error", json_error(ERR_REFUSED, text));
    client_write(cl, line);
    json_decref(line);
    cl->last = true;
}

static void on_names(struct rt_work *work, int status)
{
    struct client *cl = container_of(work, struct client, who);

    cl->identifying = false;
    cl->known = status == 0;
    if (cl->closed) {
        free_if_done(cl);
        return;
    }
    if (!cl->known)
        client_close(cl);
    else if (!cl->allowed)
        refuse_peer(cl);
    client_check(cl);
}

static void refuse_number(struct client *cl)
{
    json_t *line =
        json_pack("{sbso}", "ok", 0, "error",
                  json_error(ERR_BUSY, "too many programs use simgate's control socket; try again"));

    client_write(cl, line);
    json_decref(line);
    cl->last = true;
    client_check(cl);
}

void client_accept(struct ctl *c)
{
    struct client *cl = calloc(1, sizeof *cl);

    if (!cl)
        abort();
    cl->ctl = c;
    cl->next = c->clients;
    if (cl->next)
        cl->next->prev = cl;
    c->clients = cl;
    c->nclients++;
    uv_pipe_init(c->world.loop, &cl->pipe, 0);
    cl->pipe.data = cl;
    if (uv_accept((uv_stream_t *)&c->listener, (uv_stream_t *)&cl->pipe) < 0) {
        client_close(cl);
        return;
    }
    if (c->nclients > CLIENTS_MAX) {
        refuse_number(cl);
        return;
    }
    look_at_peer(cl);
    cl->who = (struct rt_work){.run = find_names, .done = on_names};
    cl->identifying = rt_work(c->world.rt, &cl->who) == 0;
    if (!cl->identifying)
        client_close(cl);
}
