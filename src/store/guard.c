/* What the guard against endless replies counts: automatic replies by number, and answers that come right
 * behind them, as machines answer. */
#include "store/desk_private.h"

static const char sql_count[] = "INSERT INTO auto_reply(number, at, hash) VALUES(?1, ?2, ?3)";
/* A few of the oldest at a time, so that the table stays as small as a month's replies; also what a clock
 * stamped that was ahead, or it would stand before them. */
static const char sql_old[] = "DELETE FROM auto_reply WHERE id IN (SELECT id FROM auto_reply "
                              "ORDER BY id LIMIT 4) AND at NOT BETWEEN ?1 AND ?2";
#define GUARD_KEPT_MS ((int64_t)31 * MS_PER_DAY)

int guard_count(struct store_db *db, const struct store_new_message *m, int64_t now_wall_ms)
{
    int rc = DB_RUN(db, sql_count, db_text(m->peer), db_int(now_wall_ms),
                    db_int((int64_t)store_text_hash(m->text)));

    return rc ? rc
              : DB_RUN(db, sql_old, db_int(now_wall_ms - GUARD_KEPT_MS), db_int(now_wall_ms + MS_PER_DAY));
}

static const char sql_newest[] = "SELECT ifnull(max(at), 0) FROM auto_reply WHERE number = ?1 AND at <= ?2";
static const char sql_round[] = "INSERT INTO muted(number, until, rounds) VALUES(?1, 0, 1) "
                                "ON CONFLICT(number) DO UPDATE SET rounds = rounds + 1";
static const char sql_break[] = "UPDATE muted SET rounds = 0 WHERE number = ?1 AND rounds > 0";
static const char sql_tidy[] = "DELETE FROM muted WHERE number = ?1 AND rounds = 0 AND until <= ?2";

int guard_rounds(struct store_db *db, const char *number, int64_t received_wall_ms)
{
    sqlite3_stmt *st;
    int64_t newest;
    int rc = DB_FIRST(db, &st, sql_newest, db_text(number), db_int(received_wall_ms));

    if (rc <= 0)
        return rc;
    newest = db_col(st, 0);
    db_end(st);
    if (newest > 0 && received_wall_ms - newest <= ROUND_MS)
        return DB_RUN(db, sql_round, db_text(number));
    rc = DB_RUN(db, sql_break, db_text(number));
    return rc ? rc : DB_RUN(db, sql_tidy, db_text(number), db_int(received_wall_ms));
}
