/* Parts sent by a SIM, from its quarters of an hour. Blocking, on a connection of its own: a batch may be on
 * the writer's. */
#include <string.h>

#include "store/private.h"

static const char sql_usage[] = "SELECT ifnull(sum(CASE WHEN quarter >= ?2 THEN parts END), 0), "
                                "ifnull(sum(CASE WHEN quarter >= ?3 THEN parts END), 0) "
                                "FROM usage WHERE imsi = ?1 AND quarter >= min(?2, ?3)";

static int read_usage(struct store_db *db, const char *imsi, int64_t day_start_wall_ms,
                      int64_t month_start_wall_ms, int64_t *day, int64_t *month)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_usage, db_text(imsi), db_int(day_start_wall_ms / MS_PER_QUARTER),
                      db_int(month_start_wall_ms / MS_PER_QUARTER));

    if (rc <= 0)
        return rc;
    *day = db_col(st, 0);
    *month = db_col(st, 1);
    db_end(st);
    return ERR_OK;
}

static const char sql_quarters[] =
    "SELECT quarter, parts FROM usage WHERE imsi = ?1 AND quarter BETWEEN ?2 AND ?3";

static int read_quarters(struct store_db *db, const char *imsi, int64_t first, int64_t quarters[])
{
    sqlite3_stmt *st =
        DB_BIND(db, sql_quarters, db_text(imsi), db_int(first), db_int(first + USAGE_QUARTERS - 1));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0)
        quarters[db_col(st, 0) - first] = db_col(st, 1);
    return rc;
}

int store_usage_hour(struct store *s, const char *imsi, int64_t wall_ms, int64_t quarters[USAGE_QUARTERS],
                     struct err *e)
{
    struct store_db db;
    struct err local;
    int rc = store_open_reader(s->writer.db.path, &db, e ? e : &local);

    memset(quarters, 0, USAGE_QUARTERS * sizeof *quarters);
    if (rc)
        return rc;
    rc = read_quarters(&db, imsi, wall_ms / MS_PER_QUARTER - USAGE_QUARTERS + 1, quarters);
    db_close(&db, false);
    return rc;
}

int store_usage(struct store *s, const char *imsi, int64_t day_start_wall_ms, int64_t month_start_wall_ms,
                int64_t *day, int64_t *month, struct err *e)
{
    struct store_db db;
    struct err local;
    int rc = store_open_reader(s->writer.db.path, &db, e ? e : &local);

    if (rc)
        return rc;
    *day = *month = 0;
    rc = read_usage(&db, imsi, day_start_wall_ms, month_start_wall_ms, day, month);
    db_close(&db, false);
    return rc;
}
