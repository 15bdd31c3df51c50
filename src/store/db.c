/* Statement cache, binding and error mapping over SQLite. Owns the connection; every failure becomes one of
 * our codes, with the file named where a person must act. */
#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Only ENOSPC is SQLITE_FULL to SQLite; a quota or a limit on file sizes is the same to us. It keeps the
 * errno of some calls only, so that the thread's own is asked where it has none. */
static int code_of_errno(int os)
{
    if (os == 0)
        os = errno;
    return os == ENOSPC || os == EDQUOT || os == EFBIG ? ERR_FULL : ERR_IO;
}

int db_code(struct store_db *db)
{
    switch (sqlite3_errcode(db->h) & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_OK;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    default:
        return code_of_errno(sqlite3_system_errno(db->h));
    }
}

int db_fail(struct store_db *db, const char *what)
{
    int code = db_code(db);

    if (code == ERR_OK)
        code = ERR_IO;
    if (code == ERR_FULL)
        return err_set(db->err, code, "database %s: no room on its disk", db->path);
    return err_set(db->err, code, "database %s: %s: %s", db->path, what, sqlite3_errmsg(db->h));
}

int db_open(struct store_db *db, const char *path, int flags, struct err *e)
{
    int rc;

    memset(db, 0, sizeof *db);
    db->err = &db->own_err;
    db->path = strdup(path);
    if (!db->path)
        return err_set(e, ERR_NOMEM, "database %s: out of memory", path);
    /* NOMUTEX: a connection is used by one thread at a time, and handed over with a lock in between. */
    rc = sqlite3_open_v2(path, &db->h, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        rc = db->h ? db_fail(db, "cannot be opened") : ERR_NOMEM;
        err_set(e, rc, "%s", db->own_err.text);
        db_close(db, false);
        return rc;
    }
    sqlite3_extended_result_codes(db->h, 1);
    return ERR_OK;
}

void db_close(struct store_db *db, bool checkpoint)
{
    for (size_t i = 0; i < DB_STATEMENTS; i++)
        sqlite3_finalize(db->cache[i].st);
    if (db->h && !checkpoint)
        sqlite3_db_config(db->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db->h);
    free(db->path);
    memset(db, 0, sizeof *db);
}

int db_script(struct store_db *db, const char *sql)
{
    return sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : db_fail(db, "statement");
}

static sqlite3_stmt *prepared(struct store_db *db, const char *sql)
{
    size_t at = ((uintptr_t)sql >> 4) * 0x9E3779B1U % DB_STATEMENTS;

    for (size_t tries = 0; tries < DB_STATEMENTS; tries++, at = (at + 1) % DB_STATEMENTS) {
        if (db->cache[at].sql == sql)
            return db->cache[at].st;
        if (db->cache[at].sql)
            continue;
        if (sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &db->cache[at].st, NULL)) {
            db_fail(db, sql);
            return NULL;
        }
        db->cache[at].sql = sql;
        return db->cache[at].st;
    }
    assert(!"more statements than slots");
    return NULL;
}

static int bind_one(sqlite3_stmt *st, int at, const struct db_arg *a)
{
    switch (a->type) {
    case DB_INT:
        return sqlite3_bind_int64(st, at, a->i);
    case DB_TEXT:
        return sqlite3_bind_text(st, at, a->p, -1, SQLITE_STATIC);
    case DB_BLOB:
        return sqlite3_bind_blob(st, at, a->p ? a->p : "", (int)a->i, SQLITE_STATIC);
    case DB_NULL:
        return sqlite3_bind_null(st, at);
    }
    return SQLITE_MISUSE;
}

sqlite3_stmt *db_bind(struct store_db *db, const char *sql, const struct db_arg *args, int n)
{
    sqlite3_stmt *st = prepared(db, sql);

    if (!st)
        return NULL;
    assert(n == sqlite3_bind_parameter_count(st));
    for (int i = 0; i < n; i++)
        if (bind_one(st, i + 1, &args[i]) != SQLITE_OK) {
            db_fail(db, "bind");
            return NULL;
        }
    return st;
}

int db_bind_all(struct store_db *db, sqlite3_stmt *st, const struct db_arg *args, int n)
{
    for (int i = 0; i < n; i++)
        if (bind_one(st, i + 1, &args[i]) != SQLITE_OK)
            return db_fail(db, "bind");
    return ERR_OK;
}

int db_once(struct store_db *db, const char *sql, const struct db_arg *args, int n, sqlite3_stmt **st)
{
    if (sqlite3_prepare_v2(db->h, sql, -1, st, NULL) != SQLITE_OK)
        return db_fail(db, sql);
    return db_bind_all(db, *st, args, n);
}

int db_step(struct store_db *db, sqlite3_stmt *st)
{
    int rc;

    errno = 0;
    rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        return 1;
    rc = rc == SQLITE_DONE ? ERR_OK : db_fail(db, "statement");
    sqlite3_reset(st);
    return rc;
}

void db_end(sqlite3_stmt *st)
{
    sqlite3_reset(st);
}

int db_run(struct store_db *db, const char *sql, const struct db_arg *args, int n)
{
    sqlite3_stmt *st = db_bind(db, sql, args, n);
    int rc;

    if (!st)
        return db->err->code;
    do
        rc = db_step(db, st);
    while (rc > 0);
    return rc;
}

int db_first(struct store_db *db, sqlite3_stmt **st, const char *sql, const struct db_arg *args, int n)
{
    *st = db_bind(db, sql, args, n);
    return *st ? db_step(db, *st) : db->err->code;
}

void db_col_text(sqlite3_stmt *st, int column, char *dst, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(st, column);

    str_copy(dst, size, text ? text : "");
}

char *db_col_dup(sqlite3_stmt *st, int column)
{
    const char *text = (const char *)sqlite3_column_text(st, column);

    return text ? strdup(text) : NULL;
}

int db_col_blob(sqlite3_stmt *st, int column, uint8_t *dst, size_t size)
{
    const void *bytes = sqlite3_column_blob(st, column);
    size_t len = (size_t)sqlite3_column_bytes(st, column);

    if (len > size)
        len = size;
    if (len > 0)
        memcpy(dst, bytes, len);
    return (int)len;
}
