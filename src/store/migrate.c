/* Applies numbered migrations. A step and its version number are committed together, so that a crash leaves
 * the file at one version or the other. */
#include "store/schema.h"

#include <stdio.h>
#include <time.h>

static int pragma_int(struct store_db *db, const char *sql, int *out)
{
    sqlite3_stmt *st;
    int rc;

    if (sqlite3_prepare_v2(db->h, sql, -1, &st, NULL) != SQLITE_OK)
        return db_fail(db, "cannot be read");
    rc = sqlite3_step(st);
    *out = rc == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;
    rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : db_fail(db, "cannot be read");
    sqlite3_finalize(st);
    return rc;
}

int schema_check(struct store_db *db, int newest, int *version)
{
    int application, tables, rc;

    if ((rc = pragma_int(db, "PRAGMA user_version", version)) ||
        (rc = pragma_int(db, "PRAGMA application_id", &application)) ||
        (rc = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &tables)))
        return rc;
    if (application != SCHEMA_APPLICATION_ID && (application != 0 || tables > 0))
        return err_set(db->err, ERR_INVALID, "database %s: not a database of simgate", db->path);
    if (*version > newest)
        return err_set(db->err, ERR_VERSION,
                       "database %s: made by a newer simgate (schema %d, this one knows up to %d)", db->path,
                       *version, newest);
    return ERR_OK;
}

static int step(struct store_db *db, const char *sql, int to)
{
    char finish[96];
    int rc;

    snprintf(finish, sizeof finish, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             SCHEMA_APPLICATION_ID, to);
    if ((rc = db_script(db, "BEGIN IMMEDIATE")))
        return rc;
    rc = db_script(db, sql);
    if (!rc)
        rc = db_script(db, finish);
    if (rc) {
        sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
        err_wrap(db->err, "migration to schema %d", to);
    }
    return rc;
}

static int keep_copy(struct store_db *db, int newest)
{
    char path[4096], when[32];
    time_t now = time(NULL);
    struct tm tm;
    int rc;

    gmtime_r(&now, &tm);
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
    if (snprintf(path, sizeof path, "%s.before-v%d-%s", db->path, newest, when) >= (int)sizeof path)
        return err_set(db->err, ERR_TOO_LONG, "database %s: path too long", db->path);
    rc = db_copy(db, path, NULL);
    /* Within the same second only a migration that was killed can have made it, and nothing was written
     * since. */
    if (rc == ERR_EXISTS) {
        *db->err = (struct err){0};
        return ERR_OK;
    }
    if (rc)
        err_wrap(db->err, "backup before the migration");
    return rc;
}

int schema_migrate(struct store_db *db, const char *const *migrations, int newest, int version)
{
    int rc = ERR_OK;

    if (version > 0 && version < newest)
        rc = keep_copy(db, newest);
    for (; rc == ERR_OK && version < newest; version++)
        rc = step(db, migrations[version], version + 1);
    return rc;
}
