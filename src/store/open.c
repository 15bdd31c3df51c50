/* Opening and freeing the store: the lock that keeps a second simgated away, the checks that come before the
 * first write, the pragmas, the connections.
 *
 * What is checked first is checked without leaving a trace: a file that is damaged, newer or not ours stays
 * byte for byte as it was, its WAL too. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/desk_private.h"
#include "store/schema.h"

enum { BATCH_MAX = 256, READS_MAX = 32 };

/* Memory is dear: eight modems and all are to fit into 12 MiB. The WAL is written back every 8 MiB, which
 * hot pages then cross once instead of once per commit. */
static const char writer_pragmas[] = "PRAGMA journal_mode = WAL;"
                                     "PRAGMA synchronous = FULL;"
                                     "PRAGMA wal_autocheckpoint = 2000;"
                                     "PRAGMA journal_size_limit = 8388608;"
                                     "PRAGMA cache_size = -1024;"
                                     "PRAGMA temp_store = MEMORY;"
                                     /* What is erased is gone from the file too. */
                                     "PRAGMA secure_delete = 1;";
static const char reader_pragmas[] = "PRAGMA query_only = 1;"
                                     "PRAGMA cache_size = -256;PRAGMA temp_store = MEMORY;";

static int take_lock(const char *path, int *fd, struct err *e)
{
    char lock[4096];

    if (snprintf(lock, sizeof lock, "%s-lock", path) >= (int)sizeof lock)
        return err_set(e, ERR_TOO_LONG, "database %s: path too long", path);
    *fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return err_errno(e, "database %s: %s", path, lock);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    close(*fd);
    *fd = -1;
    return err_set(e, ERR_BUSY, "database %s: in use by another simgated", path);
}

/* SQLite would make it readable for all; it holds what customers wrote. */
static int create_private(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return err_errno(e, "database %s", path);
    return ERR_OK;
}

static int quick_check(struct store_db *db)
{
    sqlite3_stmt *st;
    char found[160] = "";
    int rc;

    if (sqlite3_prepare_v2(db->h, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK)
        return db_fail(db, "cannot be checked");
    rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        db_col_text(st, 0, found, sizeof found);
    sqlite3_finalize(st);
    if (rc != SQLITE_ROW)
        return db_fail(db, "cannot be checked");
    if (strcmp(found, "ok") == 0)
        return ERR_OK;
    return err_set(db->err, ERR_CORRUPT, "database %s: %s", db->path, found);
}

static int check(struct store_db *db, int *version)
{
    int rc;

    sqlite3_busy_timeout(db->h, DB_BUSY_MS);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    rc = schema_check(db, schema_version, version);
    if (rc == ERR_OK)
        rc = quick_check(db);
    if (rc == ERR_CORRUPT) {
        char why[ERR_TEXT_BYTES];

        memcpy(why, db->err->text, sizeof why);
        err_set(db->err, rc,
                "%.200s (damaged; it was left as it is: move it away and restore a backup in its "
                "place)",
                why);
    }
    return rc;
}

static int open_writer(struct store_db *db, const char *path, struct err *e)
{
    int version, rc;

    if ((rc = create_private(path, e)) || (rc = db_open(db, path, SQLITE_OPEN_READWRITE, e)))
        return rc;
    db->err = e;
    if ((rc = check(db, &version)))
        return rc;
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    if ((rc = db_script(db, writer_pragmas)) ||
        (rc = schema_migrate(db, schema_migrations, schema_version, version)))
        return rc;
    rc = outbox_start(db);
    return rc ? rc : conv_start(db);
}

int store_open_reader(const char *path, struct store_db *db, struct err *e)
{
    int rc = db_open(db, path, SQLITE_OPEN_READWRITE, e);

    if (rc)
        return rc;
    db->err = e;
    sqlite3_busy_timeout(db->h, DB_BUSY_MS);
    rc = db_script(db, reader_pragmas);
    if (rc)
        db_close(db, false);
    return rc;
}

static char **copy_sinks(const char *const *sinks)
{
    size_t n = 0;
    char **copy;

    while (sinks && sinks[n])
        n++;
    copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++)
        if (!(copy[i] = strdup(sinks[i])))
            abort();
    return copy;
}

int store_open(struct rt *rt, const struct store_conf *conf, struct store **out, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    struct err local;
    int rc;

    *out = NULL;
    /* Nobody asks SQLite how much memory it uses, and counting it takes a lock for each allocation. Refused,
     * without harm, once SQLite is in use. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (!s)
        return err_set(e, ERR_NOMEM, "database %s: out of memory", conf->path);
    if (!e)
        e = &local;
    s->rt = rt;
    s->lock_fd = -1;
    s->turn = (struct rt_timer){.fire = store_turn_fire, .at_ms = RT_NEVER};
    s->retry.fire = store_retry_fire;
    op_list_init(&s->refused);
    s->sinks = copy_sinks(conf->sinks);
    if (!s->sinks || lane_init(s, &s->writer, BATCH_MAX, true) || lane_init(s, &s->reader, READS_MAX, false))
        rc = err_set(e, ERR_NOMEM, "database %s: out of memory", conf->path);
    else if ((rc = take_lock(conf->path, &s->lock_fd, e)) == ERR_OK &&
             (rc = open_writer(&s->writer.db, conf->path, e)) == ERR_OK)
        rc = store_open_reader(conf->path, &s->reader.db, e);
    if (rc) {
        store_free(s);
        return rc;
    }
    air_open(&s->air, conf->path);
    store_set_zone(s, "", NULL);
    s->writer.db.zone = s->reader.db.zone = &s->zone;
    s->writer.db.sinks = (const char *const *)s->sinks;
    s->writer.db.err = &s->writer.db.own_err;
    s->reader.db.err = &s->reader.db.own_err;
    *out = s;
    return ERR_OK;
}

void store_close_connections(struct store *s, bool checkpoint)
{
    /* The reader first: the last to close writes the WAL back. */
    db_close(&s->reader.db, checkpoint);
    db_close(&s->writer.db, checkpoint);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    s->lock_fd = -1;
}

void store_free(struct store *s)
{
    store_close_connections(s, false);
    air_close(&s->air);
    lane_fini(&s->writer);
    lane_fini(&s->reader);
    for (char **name = s->sinks; name && *name; name++)
        free(*name);
    free(s->sinks);
    store_free_zones(s);
    free(s);
}
