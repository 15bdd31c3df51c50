/* A directory watch on inotify(7) itself: libuv's uv_fs_event does not tell a file that is being written from
 * one that is closed.
 *
 * A new name by open(2) is not told until it is closed, since its writer is not done. A new name by link(2)
 * is told at once: it has more than one link, and its content is complete. One inode, one watch descriptor:
 * when the directory goes, the descriptor is -1 until dirwatch_renew().
 */
#include "os/dirwatch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/buf.h"
#include "base/util.h"

enum {
    EVENT_MASK = IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
    READ_BYTES = 16384,
};

struct dirwatch {
    uv_poll_t poll;
    int inotify;
    int watched; /* the watch descriptor, or -1 */
    char *path;
    dirwatch_event event;
    void *owner;
    bool is_closed;
};

static bool is_linked_file(const struct dirwatch *w, const char *name)
{
    struct buf path = {0};
    struct stat st;
    bool linked;

    buf_addf(&path, "%s/%s", w->path, name);
    linked = lstat(buf_str(&path), &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 1;
    buf_free(&path);
    return linked;
}

/* True if the owner has to look for itself. */
static bool on_event(struct dirwatch *w, const struct inotify_event *ev)
{
    if (ev->mask & IN_Q_OVERFLOW)
        return true;
    if (ev->wd != w->watched || ev->mask & IN_ISDIR)
        return false;
    if (ev->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) {
        /* A directory that was moved away would still be watched where it is now. */
        if (ev->mask & IN_MOVE_SELF)
            inotify_rm_watch(w->inotify, w->watched);
        w->watched = -1;
        return true;
    }
    if (ev->len == 0 || (ev->mask & IN_CREATE && !is_linked_file(w, ev->name)))
        return false;
    w->event(w->owner, ev->name);
    return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct dirwatch *w = container_of(poll, struct dirwatch, poll);
    _Alignas(struct inotify_event) char bytes[READ_BYTES];
    ssize_t got = read(w->inotify, bytes, sizeof bytes);
    bool look = false;

    (void)status;
    (void)events;
    for (ssize_t at = 0; at < got && !w->is_closed;) {
        const struct inotify_event *ev = (const void *)(bytes + at);

        at += (ssize_t)(sizeof *ev + ev->len);
        look |= on_event(w, ev);
    }
    if (look && !w->is_closed)
        w->event(w->owner, NULL);
}

int dirwatch_renew(struct dirwatch *w, struct err *e)
{
    int watched = inotify_add_watch(w->inotify, w->path, EVENT_MASK);

    if (watched < 0)
        return err_errno(e, "watch %s", w->path);
    /* Another directory has taken the name of the one that was watched. */
    if (w->watched >= 0 && watched != w->watched)
        inotify_rm_watch(w->inotify, w->watched);
    w->watched = watched;
    return ERR_OK;
}

static void dirwatch_free(struct dirwatch *w)
{
    if (w->inotify >= 0)
        close(w->inotify);
    free(w->path);
    free(w);
}

static int start(struct dirwatch *w, uv_loop_t *loop, struct err *e)
{
    int rc;

    w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->inotify < 0)
        return err_errno(e, "watch %s", w->path);
    if (dirwatch_renew(w, e) != ERR_OK)
        return e->code;
    rc = uv_poll_init(loop, &w->poll, w->inotify);
    if (rc != 0)
        return err_set(e, ERR_IO, "watch %s: %s", w->path, uv_strerror(rc));
    uv_poll_start(&w->poll, UV_READABLE, on_readable);
    return ERR_OK;
}

int dirwatch_open(struct uv_loop_s *loop, const char *path, dirwatch_event event, void *owner,
                  struct dirwatch **out, struct err *e)
{
    struct dirwatch *w = calloc(1, sizeof *w);
    struct err unread = {0};

    if (!e)
        e = &unread;
    if (!w)
        return err_set(e, ERR_NOMEM, "watch %s: out of memory", path);
    w->inotify = -1;
    w->watched = -1;
    w->event = event;
    w->owner = owner;
    w->path = strdup(path);
    if (!w->path || start(w, loop, e) != ERR_OK) {
        if (!w->path)
            err_set(e, ERR_NOMEM, "watch %s: out of memory", path);
        dirwatch_free(w);
        return e->code;
    }
    *out = w;
    return ERR_OK;
}

static void on_closed(uv_handle_t *handle)
{
    dirwatch_free(container_of(handle, struct dirwatch, poll));
}

void dirwatch_close(struct dirwatch *w)
{
    w->is_closed = true;
    uv_close((uv_handle_t *)&w->poll, on_closed);
}
