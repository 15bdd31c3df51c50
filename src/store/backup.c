/* Online copies: pages over SQLite's backup interface into a file of a working name, checked, synced, and
 * only then given its name. What fails leaves nothing behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/private.h"
#include "store/schema.h"

static int copy_pages(struct store_db *from, struct store_db *to)
{
    sqlite3_backup *b = sqlite3_backup_init(to->h, "main", from->h, "main");
    int rc;

    if (!b)
        return db_fail(to, "backup");
    sqlite3_backup_step(b, -1);
    rc = sqlite3_backup_finish(b);
    return rc == SQLITE_OK ? ERR_OK : db_fail(to, "backup");
}

static int check_copy(struct store_db *to)
{
    sqlite3_stmt *st;
    char found[160] = "";
    int rc;

    if (sqlite3_prepare_v2(to->h, "PRAGMA integrity_check(1)", -1, &st, NULL) != SQLITE_OK)
        return db_fail(to, "backup");
    rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        db_col_text(st, 0, found, sizeof found);
    sqlite3_finalize(st);
    if (strcmp(found, "ok") == 0)
        return ERR_OK;
    return rc == SQLITE_ROW ? err_set(to->err, ERR_CORRUPT, "backup: the copy is damaged: %s", found)
                            : db_fail(to, "backup");
}

static int fill(struct store_db *from, const char *path, struct err *e)
{
    struct store_db to;
    int rc = db_open(&to, path, SQLITE_OPEN_READWRITE, e);

    if (rc)
        return rc;
    to.err = e;
    /* No journal: a copy that fails is thrown away, one that succeeds is synced as a whole. */
    if ((rc = db_script(&to,
                        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -256")) ==
            ERR_OK &&
        (rc = copy_pages(from, &to)) == ERR_OK)
        rc = check_copy(&to);
    db_close(&to, true);
    return rc;
}

static int sync_path(const char *path, int flags, struct err *e, int64_t *bytes)
{
    int fd = open(path, flags | O_CLOEXEC), rc = ERR_OK;
    struct stat st;

    if (fd < 0)
        return err_errno(e, "backup: %s", path);
    if (fsync(fd) < 0 || fstat(fd, &st) < 0)
        rc = err_errno(e, "backup: %s", path);
    else if (bytes)
        *bytes = st.st_size;
    close(fd);
    return rc;
}

static int sync_directory(const char *path, struct err *e)
{
    char *dir = strdup(path), *slash = dir ? strrchr(dir, '/') : NULL;
    int rc;

    if (!dir)
        return err_set(e, ERR_NOMEM, "backup: out of memory");
    if (slash == dir)
        slash++;
    if (slash)
        *slash = '\0';
    rc = sync_path(slash ? dir : ".", O_RDONLY | O_DIRECTORY, e, NULL);
    free(dir);
    return rc;
}

/* Never in the place of a file that is there, where the file system can promise that. */
static int give_name(const char *working, const char *path, struct err *e)
{
    if (renameat2(AT_FDCWD, working, AT_FDCWD, path, RENAME_NOREPLACE) < 0 &&
        (errno != EINVAL || rename(working, path) < 0))
        return err_errno(e, "backup: %s", path);
    return sync_directory(path, e);
}

int db_copy(struct store_db *db, const char *path, int64_t *bytes)
{
    char working[4096];
    int fd, rc;

    if (snprintf(working, sizeof working, "%s.part", path) >= (int)sizeof working)
        return err_set(db->err, ERR_TOO_LONG, "backup: %s: path too long", path);
    if (access(path, F_OK) == 0)
        return err_set(db->err, ERR_EXISTS, "%s exists", path);
    unlink(working); /* of a backup that a crash cut short */
    fd = open(working, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(db->err, "backup: %s", working);
    close(fd);
    if ((rc = fill(db, working, db->err)) || (rc = sync_path(working, O_RDONLY, db->err, bytes)) ||
        (rc = give_name(working, path, db->err)))
        unlink(working);
    return rc;
}

static int exec_backup(struct store_db *db, struct store_op *op)
{
    struct store_backup *b = container_of(op, struct store_backup, op);

    b->bytes = 0;
    return db_copy(db, b->path, &b->bytes);
}

void store_backup(struct store *s, struct store_backup *b)
{
    store_submit_read(s, &b->op, exec_backup, NULL);
}
