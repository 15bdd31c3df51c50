/* What a clock has to do. See store/due.h. */
#include "store/due.h"

#include <stdlib.h>

#include "store/desk_private.h"

/* Each follows its index from the earliest on; ?1 is said with it, ?2 the most rows. */
static const char sql_first[] =
    "SELECT id, due_first FROM conversation WHERE due_first > 0 AND overdue_first "
    "= 0 AND due_first > ?1 ORDER BY due_first LIMIT ?2";
static const char sql_next[] =
    "SELECT id, due_next FROM conversation WHERE due_next > 0 AND overdue_next = 0 "
    "AND due_next > ?1 ORDER BY due_next LIMIT ?2";
static const char sql_resolution[] =
    "SELECT id, due_resolution FROM conversation WHERE due_resolution > 0 AND "
    "overdue_resolution = 0 AND due_resolution > ?1 ORDER BY due_resolution LIMIT ?2";
static const char sql_wake[] =
    "SELECT id, snoozed_until FROM conversation WHERE state = 4 AND snoozed_until > "
    "0 AND snoozed_until > ?1 ORDER BY snoozed_until LIMIT ?2";
static const char sql_close[] =
    "SELECT id, changed FROM conversation WHERE state = 3 AND changed > ?1 ORDER BY changed LIMIT ?2";
static const char sql_survey[] =
    "SELECT id, closed FROM conversation WHERE state = 5 AND survey = 0 AND closed "
    "> ?1 ORDER BY closed LIMIT ?2";

/* One kind: its rows that are due, and when the first that is not will be. `add_ms` is between the column and
 * the time that it is due. */
static int look(struct store_db *db, struct store_due *d, enum due_kind kind, const char *sql, int64_t after,
                int64_t add_ms)
{
    sqlite3_stmt *st = DB_BIND(db, sql, db_int(after), db_int(d->max));
    int rc, n = 0;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        int64_t due = db_col(st, 1) + add_ms;
        struct due_row *grown;

        if (due > d->now_wall_ms) {
            if (d->next_wall_ms == 0 || due < d->next_wall_ms)
                d->next_wall_ms = due;
            db_end(st);
            return ERR_OK;
        }
        if (!(grown = rows_add(db, d->rows, &d->count, sizeof *grown))) {
            db_end(st);
            return ERR_NOMEM;
        }
        d->rows = grown;
        d->rows[d->count - 1] =
            (struct due_row){.conversation = db_col(st, 0), .due_wall_ms = due, .kind = kind};
        n++;
    }
    d->more = d->more || n == d->max;
    return rc;
}

static int exec_due(struct store_db *db, struct store_op *op)
{
    struct store_due *d = container_of(op, struct store_due, op);
    int rc;

    if ((rc = look(db, d, DUE_FIRST, sql_first, 0, 0)) || (rc = look(db, d, DUE_NEXT, sql_next, 0, 0)) ||
        (rc = look(db, d, DUE_RESOLUTION, sql_resolution, 0, 0)) ||
        (rc = look(db, d, DUE_WAKE, sql_wake, 0, 0)))
        return rc;
    if (d->close_after_ms > 0 && (rc = look(db, d, DUE_CLOSE, sql_close, 0, d->close_after_ms)))
        return rc;
    if (d->survey_delay_ms < 0)
        return ERR_OK;
    return look(db, d, DUE_SURVEY, sql_survey, d->survey_after_wall_ms, d->survey_delay_ms);
}

static void drop_due(struct store_op *op)
{
    struct store_due *d = container_of(op, struct store_due, op);

    free(d->rows);
    d->rows = NULL;
}

void store_due(struct store *s, struct store_due *d)
{
    d->rows = NULL;
    d->count = 0;
    d->more = false;
    d->next_wall_ms = 0;
    store_submit_write(s, &d->op, exec_due, drop_due);
}
