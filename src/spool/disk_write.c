/* New files and finished ones: written under a dot-name, synced, renamed; the folders are synced once for all
 * items of a call. Runs beside the loop, see disk.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "spool/disk.h"
#include "spool/disk_private.h"

enum { FILE_MODE = 0660, NUMBERS = 9 };

/* The folders that a call needs, opened once. */
struct places {
    const char *root;
    struct place {
        const char *folder;
        int fd;
        bool changed;
    } at[6];
    int n;
};

static struct place *place_of(struct places *p, const char *folder, struct err *e)
{
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->at[i].folder, folder) == 0)
            return &p->at[i];
    int fd = disk_open_folder(p->root, folder, e);
    if (fd < 0)
        return NULL;
    p->at[p->n] = (struct place){.folder = folder, .fd = fd};
    return &p->at[p->n++];
}

/* A name that nobody else uses, and the same when it is done again. */
static void temporary_name(const struct disk_item *it, char out[SPOOL_NAME_BYTES])
{
    const char *unique = it->kind == DISK_FINISH ? spool_unique_of(it->name) : NULL;
    snprintf(out, SPOOL_NAME_BYTES, ".new.%.200s", unique ? unique : it->name);
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static int write_temporary(struct disk_item *it, int folder, const char *bytes, size_t len)
{
    char temp[SPOOL_NAME_BYTES];
    temporary_name(it, temp);
    unlinkat(folder, temp, 0);
    it->fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (it->fd < 0)
        return err_errno(&it->err, "%s/%s", it->folder, temp);
    if (write_all(it->fd, bytes, len) == 0) {
        sync_file_range(it->fd, 0, 0,
                        SYNC_FILE_RANGE_WRITE); /* begins; fsync() of all then costs one commit */
        return 0;
    }
    err_errno(&it->err, "%s/%s", it->folder, temp);
    close(it->fd);
    it->fd = -1;
    unlinkat(folder, temp, 0);
    return it->err.code;
}

static int put_file(struct places *p, struct disk_item *it)
{
    struct place *place = place_of(p, it->folder, &it->err);
    return place ? write_temporary(it, place->fd, buf_str(&it->content), it->content.len) : it->err.code;
}

/* ---- a claimed file with its outcome ----------------------------------------------------------------------
 */

static void add_opted_out(const struct disk_item *it, const struct buf *bytes, struct buf *lines)
{
    struct spool_file f;
    spool_parse(buf_str(bytes), bytes->len, &f, NULL);
    for (int i = 0; i < it->recipients; i++)
        if (it->opted_out[i])
            spool_put_header(lines, "Fail_reason", "%s: has opted out (STOP) and gets no messages",
                             i < f.nto ? f.to[i] : "a recipient");
    spool_file_clear(&f);
}

static int finish_file(struct places *p, struct disk_item *it)
{
    struct place *checked = place_of(p, SPOOL_CHECKED, &it->err);
    struct buf bytes = {0}, lines = {0}, out = {0};
    struct stat st;
    if (!checked)
        return it->err.code;
    int fd = disk_open_file(checked->fd, it->name, &st);
    if (fd < 0)
        return errno == ENOENT ? ERR_GONE : err_errno(&it->err, "checked/%s", it->name);
    int rc = disk_read(fd, SPOOL_MAX_BYTES, &bytes) < 0 ? err_errno(&it->err, "checked/%s", it->name) : 0;
    close(fd);
    if (rc == 0) {
        if (it->opted_out)
            add_opted_out(it, &bytes, &lines);
        buf_add(&lines, it->content.data, it->content.len);
        spool_rewrite(buf_str(&bytes), bytes.len, buf_str(&lines), &out);
        rc = write_temporary(it, checked->fd, buf_str(&out), out.len);
    }
    buf_free(&bytes);
    buf_free(&lines);
    buf_free(&out);
    return rc;
}

/* ---- renaming -------------------------------------------------------------------------------------------
 */

/* As rename(2), but never over another file, also where the file system has no RENAME_NOREPLACE. */
static int rename_new(int from, const char *name, int to, const char *new_name)
{
    if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(from, name, to, new_name, 0) < 0)
        return -1;
    return unlinkat(from, name, 0);
}

/* The name of before, with a number behind it when it is taken. */
static int move_out(int checked, int to, const char *claimed, char placed[SPOOL_NAME_BYTES])
{
    const char *unique = spool_unique_of(claimed);
    char link[SPOOL_UNIQUE_BYTES + 1] = "", name[SPOOL_NAME_BYTES], numbered[SPOOL_NAME_BYTES];
    spool_original_name(claimed, name);
    if (unique) {
        disk_name_link(unique, link);
        ssize_t n = readlinkat(checked, link, name, sizeof(name) - 1);
        if (n > 0)
            name[n] = '\0';
        else
            link[0] = '\0';
    }
    int rc = rename_new(checked, claimed, to, name);
    str_copy(placed, SPOOL_NAME_BYTES, name);
    for (int i = 1; rc < 0 && errno == EEXIST && i <= NUMBERS; i++) {
        snprintf(numbered, sizeof(numbered), "%.250s.%d", name, i);
        rc = rename_new(checked, claimed, to, numbered);
        str_copy(placed, SPOOL_NAME_BYTES, numbered);
    }
    if (rc < 0 && errno == EEXIST) {
        /* Somebody uses one name for all files: looking for the next number would take ever longer. */
        snprintf(numbered, sizeof(numbered), "%.230s.%s", name, unique ? unique : "0");
        rc = rename_new(checked, claimed, to, numbered);
        str_copy(placed, SPOOL_NAME_BYTES, numbered);
    }
    if (rc == 0 && link[0])
        unlinkat(checked, link, 0);
    return rc;
}

/* The new content takes the claimed file's place before that moves on, so that at every instant there is one
 * file, and a second try begins where the first ended. */
static int place_finished(struct places *p, struct disk_item *it)
{
    struct place *checked = place_of(p, SPOOL_CHECKED, &it->err);
    struct place *to = checked ? place_of(p, it->folder, &it->err) : NULL;
    char temp[SPOOL_NAME_BYTES];
    if (!to)
        return it->err.code;
    temporary_name(it, temp);
    bool renamed = renameat(checked->fd, temp, checked->fd, it->name) == 0;
    if (!renamed && errno == ENOENT && faccessat(checked->fd, it->name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return ERR_GONE; /* done by another item of this call, of another recipient of the file */
    if (!renamed || move_out(checked->fd, to->fd, it->name, it->placed) < 0)
        return err_errno(&it->err, "%s/%s", it->folder, it->name);
    checked->changed = to->changed = true;
    return 0;
}

static int place_new(struct places *p, struct disk_item *it)
{
    struct place *place = place_of(p, it->folder, &it->err);
    char temp[SPOOL_NAME_BYTES];
    temporary_name(it, temp);
    if (renameat(place->fd, temp, place->fd, it->name) < 0)
        return err_errno(&it->err, "%s/%s", it->folder, it->name);
    place->changed = true;
    str_copy(it->placed, sizeof(it->placed), it->name);
    return 0;
}

static void sync_written(struct disk_item *it)
{
    if (it->rc == 0 && it->fd >= 0 && fsync(it->fd) < 0)
        it->rc = err_errno(&it->err, "%s/%s", it->folder, it->name);
    if (it->fd >= 0)
        close(it->fd);
    it->fd = -1;
}

static void sync_folders(struct places *p, struct disk_item *const *items, int n)
{
    for (int i = 0; i < p->n; i++) {
        struct err e = {0};
        if (p->at[i].changed && fsync(p->at[i].fd) < 0) {
            err_errno(&e, "%s", p->at[i].folder);
            for (int k = 0; k < n; k++)
                if (items[k]->rc == 0) {
                    items[k]->rc = e.code;
                    items[k]->err = e;
                }
        }
        close(p->at[i].fd);
    }
}

void disk_write(const char *root, struct disk_item *const *items, int n)
{
    struct places p = {.root = root};
    for (int i = 0; i < n; i++) {
        struct disk_item *it = items[i];
        it->fd = -1;
        it->placed[0] = '\0';
        it->err = (struct err){0};
        it->rc = it->kind == DISK_PUT ? put_file(&p, it) : finish_file(&p, it);
    }
    for (int i = 0; i < n; i++)
        sync_written(items[i]);
    for (int i = 0; i < n; i++)
        if (items[i]->rc == 0)
            items[i]->rc =
                items[i]->kind == DISK_PUT ? place_new(&p, items[i]) : place_finished(&p, items[i]);
    /* durable: only now may the outbox forget them. */
    sync_folders(&p, items, n);
    for (int i = 0; i < n; i++)
        if (items[i]->rc == ERR_GONE)
            items[i]->rc = 0;
}
