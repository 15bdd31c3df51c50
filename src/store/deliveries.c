/* Deliveries: what must reach a handler outside at least once, kept until it has; and the values that
 * handlers keep. */
#include <stdlib.h>

#include "store/desk_private.h"

/* ---- deliveries ---- */

static const char sql_due[] =
    "SELECT id, handler, event, body, attempts, created, next, conversation, "
    "message, reason FROM delivery WHERE next <= ?1 AND handler NOT IN (?3, ?4, ?5, ?6) "
    "ORDER BY next, id LIMIT ?2";
static const char sql_next[] = "SELECT min(next) FROM delivery WHERE next > ?1";
static const char sql_again[] =
    "UPDATE delivery SET attempts = attempts + 1, next = ?2, reason = ?3 WHERE id = ?1";
static const char sql_forget[] = "DELETE FROM delivery WHERE id = ?1";

static void read_delivery(sqlite3_stmt *st, struct delivery_row *d)
{
    d->id = db_col(st, 0);
    db_col_text(st, 1, d->handler, sizeof d->handler);
    db_col_text(st, 2, d->event, sizeof d->event);
    d->body = db_col_dup(st, 3);
    d->attempts = (int)db_col(st, 4);
    d->created_wall_ms = db_col(st, 5);
    d->next_wall_ms = db_col(st, 6);
    d->conversation = db_col(st, 7);
    d->message = db_col(st, 8);
    db_col_text(st, 9, d->reason, sizeof d->reason);
}

static int exec_deliveries(struct store_db *db, struct store_op *op)
{
    struct store_deliveries *d = container_of(op, struct store_deliveries, op);
    sqlite3_stmt *st = DB_BIND(db, sql_due, db_int(d->until_wall_ms), db_int(d->max), db_text(d->except[0]),
                               db_text(d->except[1]), db_text(d->except[2]), db_text(d->except[3]));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct delivery_row *grown = rows_add(db, d->rows, &d->count, sizeof *grown);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        d->rows = grown;
        read_delivery(st, &grown[d->count - 1]);
    }
    if (rc < 0 || (rc = DB_FIRST(db, &st, sql_next, db_int(d->until_wall_ms))) <= 0)
        return rc;
    d->next_wall_ms = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

static void drop_deliveries(struct store_op *op)
{
    struct store_deliveries *d = container_of(op, struct store_deliveries, op);

    for (int i = 0; i < d->count; i++)
        delivery_row_clear(&d->rows[i]);
    free(d->rows);
    d->rows = NULL;
    d->count = 0;
}

void store_deliveries(struct store *s, struct store_deliveries *d)
{
    d->rows = NULL;
    d->count = 0;
    d->next_wall_ms = 0;
    store_submit_write(s, &d->op, exec_deliveries, drop_deliveries);
}

static int exec_again(struct store_db *db, struct store_op *op)
{
    struct store_delivery_again *d = container_of(op, struct store_delivery_again, op);

    int rc = d->next_wall_ms == 0
                 ? DB_RUN(db, sql_forget, db_int(d->id))
                 : DB_RUN(db, sql_again, db_int(d->id), db_int(d->next_wall_ms), db_text(d->reason));

    if (rc == ERR_OK && sqlite3_changes64(db->h) == 0)
        return err_set(db->err, ERR_NOT_FOUND, "there is no delivery %lld", (long long)d->id);
    db->made_work = true; /* its time may be now */
    return rc;
}

void store_delivery_again(struct store *s, struct store_delivery_again *d)
{
    store_submit_write(s, &d->op, exec_again, NULL);
}

/* ---- values ---- */

static const char sql_value[] = "SELECT value FROM value WHERE owner = ?1 AND key = ?2";

static int exec_value(struct store_db *db, struct store_op *op)
{
    struct store_value *v = container_of(op, struct store_value, op);
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_value, db_text(v->owner), db_text(v->key));

    if (rc == 0)
        return err_set(db->err, ERR_NOT_FOUND, "%s keeps no value \"%s\"", v->owner, v->key);
    if (rc < 0)
        return rc;
    v->value = db_col_dup(st, 0);
    db_end(st);
    return v->value ? ERR_OK : err_set(db->err, ERR_NOMEM, "out of memory");
}

static void drop_value(struct store_op *op)
{
    struct store_value *v = container_of(op, struct store_value, op);

    free(v->value);
    v->value = NULL;
}

void store_value(struct store *s, struct store_value *v)
{
    v->value = NULL;
    store_submit_write(s, &v->op, exec_value, drop_value);
}
