/* What was accepted for sending: by route, and all of it (route "") that costs something. Counted in the
 * transaction that stores the message, read on a connection of its own: a batch may be on the writer's. */
#include "store/desk_private.h"

static const char sql_add[] = "INSERT INTO spending(route, quarter, parts, micros) VALUES(?1, ?2, ?3, ?4) "
                              "ON CONFLICT(route, quarter) DO UPDATE SET parts = parts + excluded.parts, "
                              "micros = micros + excluded.micros";
static const char sql_since[] =
    "SELECT ifnull(sum(parts), 0), ifnull(sum(micros), 0) FROM spending WHERE route = ?1 AND quarter >= ?2";

static int add(struct store_db *db, const char *route, const struct store_new_message *m, int64_t now_wall_ms)
{
    return DB_RUN(db, sql_add, db_text(route), db_int(now_wall_ms / MS_PER_QUARTER), db_int(m->nparts),
                  db_int(m->cost_micros));
}

int spending_count(struct store_db *db, const struct store_new_message *m, int64_t now_wall_ms)
{
    int rc = m->cost_micros > 0 ? add(db, "", m, now_wall_ms) : ERR_OK;

    return rc || !m->route || !*m->route ? rc : add(db, m->route, m, now_wall_ms);
}

static int read_spending(struct store_db *db, const char *route, int64_t since_wall_ms, int64_t *parts,
                         int64_t *micros)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_since, db_text(route), db_int(since_wall_ms / MS_PER_QUARTER));

    if (rc <= 0)
        return rc;
    *parts = db_col(st, 0);
    *micros = db_col(st, 1);
    db_end(st);
    return ERR_OK;
}

int store_spending(struct store *s, const char *route, int64_t since_wall_ms, int64_t *parts, int64_t *micros,
                   struct err *e)
{
    struct store_db db;
    struct err local;
    int rc = store_open_reader(s->writer.db.path, &db, e ? e : &local);

    if (rc)
        return rc;
    *parts = *micros = 0;
    rc = read_spending(&db, route, since_wall_ms, parts, micros);
    db_close(&db, false);
    return rc;
}
