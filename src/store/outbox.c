/* Outboxes: what each sink has still to do. Rows are written with the change that they tell of, and go when
 * the sink has done its work: at least once each. */
#include <stdlib.h>

#include "store/private.h"

static const char sql_next[] = "SELECT ifnull(max(id), 0) + 1 FROM outbox";
static const char sql_put[] =
    "INSERT INTO outbox(id, sink, kind, message, report) VALUES(?1, ?2, ?3, ?4, ?5)";
static const char sql_list[] =
    "SELECT id, kind, message, report FROM outbox WHERE sink = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
static const char sql_done[] = "DELETE FROM outbox WHERE id = ?1";

/* Counted here and not by SQLite, which would begin anew after the last row has gone, under the feet of a
 * sink that asks for what came after it. */
int outbox_start(struct store_db *db)
{
    sqlite3_stmt *st;
    int rc = db_first(db, &st, sql_next, NULL, 0);

    if (rc <= 0)
        return rc;
    db->next_outbox = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

int outbox_put(struct store_db *db, enum outbox_kind kind, int64_t message, int64_t report)
{
    int rc = ERR_OK;

    for (const char *const *sink = db->sinks; sink && *sink && rc == ERR_OK; sink++)
        rc = DB_RUN(db, sql_put, db_int(db->next_outbox++), db_text(*sink), db_int(kind), db_int(message),
                    db_int(report));
    return rc;
}

static int exec_outbox(struct store_db *db, struct store_op *op)
{
    struct store_outbox *o = container_of(op, struct store_outbox, op);
    sqlite3_stmt *st = DB_BIND(db, sql_list, db_text(o->sink), db_int(o->after_id), db_int(o->max));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct outbox_row *grown = rows_add(db, o->rows, &o->count, sizeof *grown);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        o->rows = grown;
        grown[o->count - 1] = (struct outbox_row){
            .id = db_col(st, 0),
            .kind = (enum outbox_kind)db_col(st, 1),
            .message = db_col(st, 2),
            .report = db_col(st, 3),
        };
    }
    return rc;
}

static void drop_outbox(struct store_op *op)
{
    struct store_outbox *o = container_of(op, struct store_outbox, op);

    free(o->rows);
    o->rows = NULL;
    o->count = 0;
}

void store_outbox(struct store *s, struct store_outbox *o)
{
    o->rows = NULL;
    o->count = 0;
    store_submit_write(s, &o->op, exec_outbox, drop_outbox);
}

static int exec_done(struct store_db *db, struct store_op *op)
{
    struct store_outbox_done *d = container_of(op, struct store_outbox_done, op);

    return DB_RUN(db, sql_done, db_int(d->id));
}

void store_outbox_done(struct store *s, struct store_outbox_done *d)
{
    store_submit_write(s, &d->op, exec_done, NULL);
}
