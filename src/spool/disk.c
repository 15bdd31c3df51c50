/* Folders, walks and claims of the spool. Runs beside the loop, see disk.h. */
#include "spool/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "spool/disk_private.h"

enum {
    FOLDER_MODE = 0770,
    YOUNG_MS = 500,
    PEEK_BYTES = 2048,
    NS_PER_MS = 1000000,
};

/* ---- folders ---------------------------------------------------------------------------------------------
 */

static const char *const folders[] = {SPOOL_OUTGOING, SPOOL_CHECKED, SPOOL_SENT, SPOOL_FAILED,
                                      SPOOL_INCOMING, SPOOL_REPORT,  SPOOL_CALLS};

static int make_folder(const char *path, struct err *e)
{
    return mkdir(path, FOLDER_MODE) < 0 && errno != EEXIST ? err_errno(e, "%s", path) : 0;
}

static void path_of(const char *root, const char *folder, char out[4096])
{
    size_t n = strlen(root);
    str_copy(out, 4096, root);
    if (n < 4095)
        str_copy(out + n, 4096 - n, "/");
    if (n < 4094)
        str_copy(out + n + 1, 4095 - n, folder);
}

int disk_make_folders(const char *root, struct err *e)
{
    char path[4096];
    if (strlen(root) > sizeof(path) - 32)
        return err_set(e, ERR_TOO_LONG, "%.60s…: the path is too long", root);
    if (make_folder(root, e) < 0)
        return e ? e->code : ERR_IO;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        path_of(root, folders[i], path);
        if (make_folder(path, e) < 0)
            return e ? e->code : ERR_IO;
    }
    return 0;
}

int disk_open_folder(const char *root, const char *folder, struct err *e)
{
    char path[4096];
    path_of(root, folder, path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && disk_make_folders(root, e) == 0) /* somebody took it away */
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? err_errno(e, "%s", path) : fd;
}

/* ---- reading ---------------------------------------------------------------------------------------------
 */

int disk_open_file(int folder, const char *name, struct stat *st)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

int disk_read(int fd, size_t max, struct buf *out)
{
    char chunk[65536];
    while (out->len < max) {
        size_t want = max - out->len < sizeof(chunk) ? max - out->len : sizeof(chunk);
        ssize_t n = read(fd, chunk, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        buf_add(out, chunk, (size_t)n);
    }
    return 0;
}

/* ---- walks -----------------------------------------------------------------------------------------------
 */

/* "Priority: HIGH" or a yes. */
static bool peek_high(int folder, const char *name)
{
    static const char header[] = "\nPriority:";
    char bytes[PEEK_BYTES + 1] = "\n";
    struct stat st;
    int fd = disk_open_file(folder, name, &st);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, bytes + 1, PEEK_BYTES - 1);
    close(fd);
    if (n <= 0)
        return false;
    bytes[n + 1] = '\0';
    const char *end = strstr(bytes, "\n\n"), *at = strstr(bytes, header);
    if (!at || (end && end < at))
        return false;
    at += sizeof(header) - 1;
    at += strspn(at, " \t");
    return strncasecmp(at, "HIGH", 4) == 0 || (*at && strchr("1yYtT", *at)) || strncasecmp(at, "on", 2) == 0;
}

static int by_turn(const void *a, const void *b)
{
    const struct disk_found *x = a, *y = b;
    if (x->high != y->high)
        return x->high ? -1 : 1;
    if (x->mtime_ns != y->mtime_ns)
        return x->mtime_ns < y->mtime_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool walk_begin(struct disk_walk *w, const char *root, const char *folder, int max)
{
    w->nfound = 0;
    w->rc = 0;
    if (!w->found && !(w->found = calloc((size_t)max, sizeof(*w->found))))
        abort();
    if (w->dir)
        return true;
    int fd = disk_open_folder(root, folder, &w->err);
    w->dir = fd < 0 ? NULL : fdopendir(fd);
    if (!w->dir && fd >= 0) {
        err_errno(&w->err, "%s", folder);
        close(fd);
    }
    if (!w->dir) {
        w->rc = w->err.code;
        w->ended = true;
    }
    return w->dir != NULL;
}

static struct disk_found *walk_add(struct disk_walk *w, const char *name, const struct stat *st)
{
    struct disk_found *f = &w->found[w->nfound++];
    str_copy(f->name, sizeof(f->name), name);
    f->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000 * NS_PER_MS + st->st_mtim.tv_nsec;
    f->high = false;
    return f;
}

/* The next regular file that wanted() says yes to, or NULL at the end. */
static const char *walk_next(struct disk_walk *w, bool (*wanted)(const char *name), struct stat *st)
{
    for (struct dirent *d; (d = readdir(w->dir));)
        if (wanted(d->d_name) && (d->d_type == DT_REG || d->d_type == DT_UNKNOWN) &&
            fstatat(dirfd(w->dir), d->d_name, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode))
            return d->d_name;
    w->ended = true;
    return NULL;
}

static bool is_picked(const char *name)
{
    return !spool_ignored_name(name);
}

static bool is_claimed(const char *name)
{
    return spool_unique_of(name) != NULL;
}

void disk_walk_outgoing(struct disk_walk *w, const char *root, int max, int64_t now_wall_ms)
{
    struct stat st;
    if (!walk_begin(w, root, SPOOL_OUTGOING, max))
        return;
    for (const char *name; w->nfound < max && (name = walk_next(w, is_picked, &st));) {
        int64_t age = now_wall_ms - ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / NS_PER_MS);
        if (age >= 0 && age < YOUNG_MS)
            w->waiting++;
        else
            walk_add(w, name, &st)->high = peek_high(dirfd(w->dir), name);
    }
    qsort(w->found, (size_t)w->nfound, sizeof(*w->found), by_turn);
}

void disk_walk_checked(struct disk_walk *w, const char *root, int max)
{
    struct stat st;
    if (!walk_begin(w, root, SPOOL_CHECKED, max))
        return;
    for (const char *name; w->nfound < max && (name = walk_next(w, is_claimed, &st));)
        walk_add(w, name, &st);
    qsort(w->found, (size_t)w->nfound, sizeof(*w->found), by_turn);
}

void disk_walk_end(struct disk_walk *w)
{
    if (w->dir)
        closedir(w->dir);
    free(w->found);
    *w = (struct disk_walk){0};
}

/* ---- claiming --------------------------------------------------------------------------------------------
 */

static bool is_locked(int outgoing, const char *name)
{
    char lock[SPOOL_NAME_BYTES + 8];
    size_t n = strlen(name);
    struct stat st;
    memcpy(lock, name, n);
    str_copy(lock + n, sizeof(lock) - n, ".LOCK");
    return fstatat(outgoing, lock, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* May it be moved now? A second name (a hard link) is a writer who is not done, or somebody else's file. One
 * that could not be read stays: moving it back would wake the watch, and that would move it again. */
static enum disk_verdict look(int outgoing, const char *name, struct err *e)
{
    struct stat st;
    if (fstatat(outgoing, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return DISK_GONE;
    if (st.st_size < SPOOL_MIN_BYTES || st.st_nlink != 1 || is_locked(outgoing, name))
        return DISK_WAIT;
    if (faccessat(outgoing, name, R_OK, AT_EACCESS) < 0 && errno == EACCES) {
        err_set(e, ERR_REFUSED, "%s waits: simgated's user may not read it (chmod, or chgrp simgate)", name);
        return DISK_FAILED;
    }
    return DISK_READ;
}

void disk_name_link(const char *unique, char out[SPOOL_UNIQUE_BYTES + 1])
{
    out[0] = '.';
    memcpy(out + 1, unique, SPOOL_UNIQUE_BYTES);
}

/* A name too long to take `unique` behind it is kept as the target of a symbolic link that leads nowhere. */
static void keep_long_name(int checked, const struct disk_claim *c)
{
    const char *unique = spool_unique_of(c->claimed);
    char link[SPOOL_UNIQUE_BYTES + 1];
    if (!unique || strlen(c->name) + 1 + SPOOL_UNIQUE_DIGITS < SPOOL_NAME_BYTES)
        return;
    disk_name_link(unique, link);
    if (symlinkat(c->name, checked, link) < 0)
        return; /* a file system without links: the name stays cut */
}

static enum disk_verdict move(int outgoing, int checked, struct disk_claim *c)
{
    enum disk_verdict v = look(outgoing, c->name, &c->err);
    if (v != DISK_READ)
        return v;
    keep_long_name(checked, c);
    if (renameat(outgoing, c->name, checked, c->claimed) == 0)
        return DISK_READ;
    if (errno == ENOENT)
        return DISK_GONE;
    err_errno(&c->err, "%s cannot be moved to checked", c->name);
    return DISK_FAILED;
}

static enum disk_verdict read_claimed(int outgoing, int checked, struct disk_claim *c)
{
    struct stat st;
    struct buf bytes = {0};
    enum disk_verdict v = DISK_READ;
    int fd = disk_open_file(checked, c->claimed, &st);
    if (fd < 0 && c->is_claimed)
        return DISK_GONE;
    if (fd < 0) {
        /* What was looked at was swapped for something else: back with it. */
        err_errno(&c->err, "%s cannot be read", c->name);
        renameat2(checked, c->claimed, outgoing, c->name, RENAME_NOREPLACE); /* not over a newer file */
        return DISK_FAILED;
    }
    if (disk_read(fd, SPOOL_MAX_BYTES + 1, &bytes) < 0) {
        err_errno(&c->err, "%s cannot be read", c->claimed);
        v = DISK_REFUSED;
    } else if (bytes.len > SPOOL_MAX_BYTES) {
        err_set(&c->err, ERR_TOO_LONG,
                "file: at most %d bytes expected, it has %lld; only its beginning is here", SPOOL_MAX_BYTES,
                (long long)st.st_size);
        v = DISK_REFUSED;
    } else if (spool_parse(buf_str(&bytes), bytes.len, &c->file, &c->err) < 0) {
        v = DISK_REFUSED;
    }
    close(fd);
    buf_free(&bytes);
    return v;
}

void disk_claim(const char *root, struct disk_claim *const *claims, int n)
{
    struct err e = {0};
    int outgoing = disk_open_folder(root, SPOOL_OUTGOING, &e);
    int checked = disk_open_folder(root, SPOOL_CHECKED, &e);
    bool moved = false;
    for (int i = 0; i < n; i++) {
        struct disk_claim *c = claims[i];
        c->verdict = DISK_READ;
        if (outgoing < 0 || checked < 0) {
            c->verdict = DISK_FAILED;
            c->err = e;
        } else if (!c->is_claimed) {
            c->verdict = move(outgoing, checked, c);
            moved |= c->verdict == DISK_READ;
        }
    }
    /* durable: the move must not be undone by a power failure once its message is accepted, or the file would
     * be found and sent again. */
    if (moved) {
        fsync(checked);
        fsync(outgoing);
    }
    for (int i = 0; i < n; i++)
        if (claims[i]->verdict == DISK_READ)
            claims[i]->verdict = read_claimed(outgoing, checked, claims[i]);
    if (outgoing >= 0)
        close(outgoing);
    if (checked >= 0)
        close(checked);
}
