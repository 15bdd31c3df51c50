/* Bundles of segments: reading one that is due, and making a message of it. */
#include <stdlib.h>
#include <string.h>

#include "store/private.h"

/* ---- reading ---------------------------------------------------------------------------------------------
 */

static const char sql_complete[] =
    "SELECT id, modem, imsi, sender, total FROM bundle WHERE complete = 1 ORDER BY first, id LIMIT 1";
static const char sql_old[] = "SELECT id, modem, imsi, sender, total FROM bundle WHERE complete = 0 AND "
                              "first < ?1 ORDER BY first, id LIMIT 1";
static const char sql_segments[] =
    "SELECT id, seq, received, scts, pdu FROM segment WHERE bundle = ?1 ORDER BY seq, id";

static int find_due(struct store_db *db, struct store_group *g, sqlite3_stmt **st)
{
    int rc = db_first(db, st, sql_complete, NULL, 0);

    if (rc == 0 && g->older_than_wall_ms != 0)
        rc = DB_FIRST(db, st, sql_old, db_int(g->older_than_wall_ms));
    return rc;
}

static int read_segments(struct store_db *db, struct store_group *g, int64_t bundle)
{
    sqlite3_stmt *st = DB_BIND(db, sql_segments, db_int(bundle));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct store_segment *grown = rows_add(db, g->segments, &g->count, sizeof *grown);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        g->segments = grown;
        grown += g->count - 1;
        grown->id = db_col(st, 0);
        grown->seq = (int)db_col(st, 1);
        grown->received_wall_ms = db_col(st, 2);
        if (g->count == 1)
            g->scts_wall_ms = db_col(st, 3);
        grown->len = db_col_blob(st, 4, grown->pdu, sizeof grown->pdu);
    }
    return rc;
}

static int exec_group(struct store_db *db, struct store_op *op)
{
    struct store_group *g = container_of(op, struct store_group, op);
    sqlite3_stmt *st;
    int64_t bundle;
    int rc;

    rc = find_due(db, g, &st);
    if (rc <= 0)
        return rc;
    bundle = db_col(st, 0);
    db_col_text(st, 1, g->modem, sizeof g->modem);
    db_col_text(st, 2, g->imsi, sizeof g->imsi);
    db_col_text(st, 3, g->sender, sizeof g->sender);
    g->total = (int)db_col(st, 4);
    db_end(st);
    return read_segments(db, g, bundle);
}

static void drop_group(struct store_op *op)
{
    struct store_group *g = container_of(op, struct store_group, op);

    free(g->segments);
    g->segments = NULL;
    g->count = 0;
}

void store_group(struct store *s, struct store_group *g)
{
    g->segments = NULL;
    g->count = g->total = 0;
    g->scts_wall_ms = -1;
    g->modem[0] = g->imsi[0] = g->sender[0] = '\0';
    store_submit_write(s, &g->op, exec_group, drop_group);
}

/* ---- joining ---------------------------------------------------------------------------------------------
 */

static const char sql_of_segment[] = "SELECT ifnull(bundle, 0), scts FROM segment WHERE id = ?1";
static const char sql_emptied[] = "UPDATE segment SET pdu = x'' WHERE id = ?1";
static const char sql_joined[] = "UPDATE segment SET message = ?2, bundle = NULL WHERE id = ?1";
static const char sql_left[] = "SELECT count(*) FROM segment WHERE bundle = ?1";
static const char sql_bundle_left[] = "UPDATE bundle SET have = ?2, complete = 0 WHERE id = ?1";
static const char sql_bundle_gone[] = "DELETE FROM bundle WHERE id = ?1";

static int of_segment(struct store_db *db, int64_t id, int64_t *bundle, int64_t *scts)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_of_segment, db_int(id));

    if (rc < 0)
        return rc;
    *bundle = rc > 0 ? db_col(st, 0) : 0;
    *scts = rc > 0 ? db_col(st, 1) : -1;
    if (rc > 0)
        db_end(st);
    if (*bundle == 0)
        return err_set(db->err, ERR_REFUSED, "segment %lld was made into a message before", (long long)id);
    return ERR_OK;
}

/* What came since the bundle was read stays in it. */
static int bundle_settle(struct store_db *db, int64_t bundle)
{
    sqlite3_stmt *st;
    int64_t left;
    int rc = DB_FIRST(db, &st, sql_left, db_int(bundle));

    if (rc <= 0)
        return rc;
    left = db_col(st, 0);
    db_end(st);
    if (left == 0)
        return DB_RUN(db, sql_bundle_gone, db_int(bundle));
    return DB_RUN(db, sql_bundle_left, db_int(bundle), db_int(left));
}

static int insert_joined(struct store_db *db, struct store_join *j, int64_t scts_wall_ms)
{
    int rc = message_insert(db,
                            &(struct msg_insert){.direction = MSG_IN,
                                                 .state = MSG_RECEIVED,
                                                 .peer = j->sender,
                                                 .modem = j->modem,
                                                 .imsi = j->imsi,
                                                 .text = j->text,
                                                 .meta = j->meta,
                                                 .flags = j->flags,
                                                 .priority = 1,
                                                 .parts = j->count,
                                                 .now_wall_ms = j->now_wall_ms,
                                                 .scts_wall_ms = scts_wall_ms},
                            &j->message);

    return rc ? rc : outbox_put(db, OUTBOX_RECEIVED, j->message, 0);
}

static int exec_join(struct store_db *db, struct store_op *op)
{
    struct store_join *j = container_of(op, struct store_join, op);
    int64_t bundle = 0, first_bundle, scts;
    int rc;

    j->message = 0;
    if (j->count < 1)
        return err_set(db->err, ERR_INVALID, "a message of no segments");
    if ((rc = of_segment(db, j->segments[0].id, &first_bundle, &scts)) || (rc = insert_joined(db, j, scts)))
        return rc;
    for (int i = 0; i < j->count && rc == ERR_OK; i++) {
        rc = of_segment(db, j->segments[i].id, &bundle, &scts);
        if (rc == ERR_OK && bundle != first_bundle)
            rc = err_set(db->err, ERR_INVALID, "segments of two messages");
        if (rc == ERR_OK)
            rc = DB_RUN(db, sql_joined, db_int(j->segments[i].id), db_int(j->message));
        if (rc == ERR_OK && (j->flags & MSG_F_MASKED)) /* they hold what the text no longer does */
            rc = DB_RUN(db, sql_emptied, db_int(j->segments[i].id));
    }
    return rc ? rc : bundle_settle(db, first_bundle);
}

void store_join(struct store *s, struct store_join *j)
{
    store_submit_write(s, &j->op, exec_join, NULL);
}
