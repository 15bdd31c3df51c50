/* A batch on the other thread: one transaction for all its operations, a savepoint for each. A commit that
 * fails fails every operation of its batch: nothing of it is stored then. */
#include <string.h>

#include "store/private.h"

static const char sql_begin[] = "BEGIN IMMEDIATE";
static const char sql_begin_read[] = "BEGIN";
static const char sql_commit[] = "COMMIT";
static const char sql_rollback[] = "ROLLBACK";
static const char sql_savepoint[] = "SAVEPOINT op";
static const char sql_release[] = "RELEASE op";
static const char sql_undo[] = "ROLLBACK TO op";
static const char sql_tally[] =
    "INSERT INTO tally(state, n) VALUES(?1, ?2) ON CONFLICT(state) DO UPDATE SET n = n + ?2";

int store_tally(struct store_db *db)
{
    int rc = ERR_OK;

    for (int s = 0; s < MSG_STATES && rc == ERR_OK; s++)
        if (db->delta[s] != 0)
            rc = DB_RUN(db, sql_tally, db_int(s), db_int(db->delta[s]));
    memset(db->delta, 0, sizeof db->delta);
    return rc;
}

/* Errors after which the transaction as a whole is lost. */
static bool fatal(struct store_db *db, int status)
{
    return sqlite3_get_autocommit(db->h) || status == ERR_FULL || status == ERR_IO || status == ERR_CORRUPT;
}

/* In a savepoint of its own, so that a failing operation takes back only what it did itself. */
static int run_one(struct store_db *db, struct store_op *op)
{
    int64_t delta[MSG_STATES];
    int64_t before = sqlite3_total_changes64(db->h);
    int rc;

    memcpy(delta, db->delta, sizeof delta);
    db->err = &op->err;
    if ((rc = db_run(db, sql_savepoint, NULL, 0)))
        return rc;
    op->status = op->exec(db, op);
    if (op->status < 0 && fatal(db, op->status))
        return op->status;
    db->err = &db->own_err;
    if (op->status < 0 && sqlite3_total_changes64(db->h) != before) {
        memcpy(db->delta, delta, sizeof delta);
        if ((rc = db_run(db, sql_undo, NULL, 0)))
            return rc;
    }
    return db_run(db, sql_release, NULL, 0);
}

void store_rollback(struct store_db *db)
{
    if (!sqlite3_get_autocommit(db->h))
        sqlite3_exec(db->h, sql_rollback, NULL, NULL, NULL);
    memset(db->delta, 0, sizeof db->delta);
}

/* Nothing of the batch is stored: every operation hears the same. */
static void fail_all(struct store_db *db, struct batch *b, int status)
{
    struct err why = *db->err;

    store_rollback(db);
    for (struct store_op *op = b->ops.head; op; op = op->next) {
        if (op->drop)
            op->drop(op);
        op->status = status;
        op->err = why;
    }
}

void batch_execute(struct batch *b)
{
    struct store_db *db = &b->lane->db;
    bool writes = b->lane->writes;
    int64_t before = sqlite3_total_changes64(db->h);
    int rc;

    db->err = &db->own_err;
    rc = db_run(db, writes ? sql_begin : sql_begin_read, NULL, 0);
    for (struct store_op *op = b->ops.head; op && rc == ERR_OK; op = op->next)
        rc = run_one(db, op);
    b->wrote = sqlite3_total_changes64(db->h) != before;
    if (rc == ERR_OK) {
        db->err = &db->own_err;
        rc = store_tally(db);
    }
    /* durable: with synchronous=FULL this returns when the WAL is on the disk. */
    if (rc == ERR_OK)
        rc = db_run(db, sql_commit, NULL, 0);
    if (rc < 0)
        fail_all(db, b, rc);
    db->err = &db->own_err;
    b->full = rc == ERR_FULL;
    if (rc < 0)
        b->wrote = false;
}
