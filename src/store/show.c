/* One message with everything that belongs to it, read in one transaction of the reader's lane. */
#include <stdlib.h>

#include "store/private.h"

static const char sql_by_id[] = "SELECT " MSG_COLUMNS " FROM message m WHERE m.id = ?1";
static const char sql_by_key[] = "SELECT " MSG_COLUMNS " FROM message m WHERE m.key = ?1 AND m.key <> ''";
static const char sql_parts[] = "SELECT id, state, ifnull(mr, -1), attempts, modem, imsi, submitted, sent, "
                                "reported, report_status FROM part WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
static const char sql_history[] =
    "SELECT at, part, state, reason, modem FROM history WHERE message = ?1 AND ?2 ORDER BY n";
static const char sql_reports[] =
    "SELECT id, received, scts, discharge, mr, status, recipient, modem, imsi, pdu FROM report "
    "WHERE part BETWEEN ?1 AND ?2 AND part IS NOT NULL ORDER BY id";
static const char sql_segments[] =
    "SELECT id, seq, received, pdu FROM segment WHERE message = ?1 AND ?2 ORDER BY seq, id";

static void read_part(sqlite3_stmt *st, void *row)
{
    struct part_row *p = row;

    p->seq = (int)(db_col(st, 0) % 256);
    p->state = (enum msg_state)db_col(st, 1);
    p->mr = (int)db_col(st, 2);
    p->attempts = (int)db_col(st, 3);
    db_col_text(st, 4, p->modem, sizeof p->modem);
    db_col_text(st, 5, p->imsi, sizeof p->imsi);
    p->submitted_wall_ms = db_col(st, 6);
    p->sent_wall_ms = db_col(st, 7);
    p->report_wall_ms = db_col(st, 8);
    p->report_status = (int)db_col(st, 9);
}

static void read_history(sqlite3_stmt *st, void *row)
{
    struct history_row *h = row;

    h->at_wall_ms = db_col(st, 0);
    h->part = (int)db_col(st, 1);
    h->state = (enum msg_state)db_col(st, 2);
    db_col_text(st, 3, h->reason, sizeof h->reason);
    db_col_text(st, 4, h->modem, sizeof h->modem);
}

static void read_report(sqlite3_stmt *st, void *row)
{
    struct report_row *r = row;

    r->id = db_col(st, 0);
    r->received_wall_ms = db_col(st, 1);
    r->scts_wall_ms = db_col(st, 2);
    r->discharge_wall_ms = db_col(st, 3);
    r->mr = (int)db_col(st, 4);
    r->status = (int)db_col(st, 5);
    db_col_text(st, 6, r->recipient, sizeof r->recipient);
    db_col_text(st, 7, r->modem, sizeof r->modem);
    db_col_text(st, 8, r->imsi, sizeof r->imsi);
    r->len = db_col_blob(st, 9, r->pdu, sizeof r->pdu);
}

static void read_segment(sqlite3_stmt *st, void *row)
{
    struct store_segment *s = row;

    s->id = db_col(st, 0);
    s->seq = (int)db_col(st, 1);
    s->received_wall_ms = db_col(st, 2);
    s->len = db_col_blob(st, 3, s->pdu, sizeof s->pdu);
}

/* All rows of a statement with two values. *rows stays NULL where there are none. */
static int read_rows(struct store_db *db, const char *sql, int64_t a, int64_t b,
                     void (*read)(sqlite3_stmt *st, void *row), size_t size, void **rows, int *count)
{
    sqlite3_stmt *st = DB_BIND(db, sql, db_int(a), db_int(b));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        void *grown = rows_add(db, *rows, count, size);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        *rows = grown;
        read(st, (char *)grown + (size_t)(*count - 1) * size);
    }
    return rc;
}

static int read_message(struct store_db *db, struct store_show *h)
{
    sqlite3_stmt *st =
        h->id != 0 ? DB_BIND(db, sql_by_id, db_int(h->id)) : DB_BIND(db, sql_by_key, db_text(h->key));
    struct msg_row *rows = NULL;
    int rc, n = 0;

    if (!st)
        return db->err->code;
    rc = msg_rows_read(db, st, &rows, &n);
    if (rc == ERR_OK && n == 0)
        rc = h->id != 0 ? err_set(db->err, ERR_NOT_FOUND, "there is no message %lld", (long long)h->id)
                        : err_set(db->err, ERR_NOT_FOUND, "there is no message with this key");
    if (rc < 0) {
        msg_rows_free(&rows, &n);
        return rc;
    }
    h->row = rows[0];
    free(rows);
    return ERR_OK;
}

static int read_belongings(struct store_db *db, struct store_show *h)
{
    int64_t id = h->row.id;
    void *rows[4] = {0};
    int rc;

    (void)((rc = read_rows(db, sql_parts, part_id(id, 1), part_id(id, 255), read_part, sizeof *h->parts,
                           &rows[0], &h->nparts)) ||
           (rc = read_rows(db, sql_history, id, 1, read_history, sizeof *h->history, &rows[1],
                           &h->nhistory)) ||
           (rc = read_rows(db, sql_reports, part_id(id, 1), part_id(id, 255), read_report, sizeof *h->reports,
                           &rows[2], &h->nreports)) ||
           (rc = read_rows(db, sql_segments, id, 1, read_segment, sizeof *h->segments, &rows[3],
                           &h->nsegments)));
    h->parts = rows[0];
    h->history = rows[1];
    h->reports = rows[2];
    h->segments = rows[3];
    return rc;
}

static int exec_show(struct store_db *db, struct store_op *op)
{
    struct store_show *h = container_of(op, struct store_show, op);
    int rc = read_message(db, h);

    if (rc == ERR_OK)
        rc = read_belongings(db, h);
    if (rc < 0)
        store_show_clear(h);
    return rc;
}

void store_show_clear(struct store_show *h)
{
    msg_row_clear(&h->row);
    free(h->parts);
    free(h->history);
    free(h->reports);
    free(h->segments);
    h->parts = NULL;
    h->history = NULL;
    h->reports = NULL;
    h->segments = NULL;
    h->nparts = h->nhistory = h->nreports = h->nsegments = 0;
}

static void drop_show(struct store_op *op)
{
    store_show_clear(container_of(op, struct store_show, op));
}

void store_show(struct store *s, struct store_show *h)
{
    h->row = (struct msg_row){0};
    h->parts = NULL;
    h->history = NULL;
    h->reports = NULL;
    h->segments = NULL;
    h->nparts = h->nhistory = h->nreports = h->nsegments = 0;
    store_submit_brief_read(s, &h->op, exec_show, drop_show);
}
