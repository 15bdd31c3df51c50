/* A batch on the other thread: one transaction for all its operations, each of them whole or not at all. A
 * commit that fails fails every operation of its batch: nothing of it is stored then. */
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
    return rc ? rc : figure_flush(db);
}

/* Errors after which the transaction as a whole is lost. */
static bool fatal(struct store_db *db, int status)
{
    return sqlite3_get_autocommit(db->h) || status == ERR_FULL || status == ERR_IO || status == ERR_CORRUPT;
}

/* A savepoint costs as much as a statement, and hardly any operation fails after it has changed something. So
 * a batch runs without them, and once more with them if one does. */
enum { SPOILED = 1 };
enum { CUT_WAIT_MS = 200 };

static int run_plain(struct store_db *db, struct store_op *op)
{
    int64_t before = sqlite3_total_changes64(db->h);

    db->err = &op->err;
    op->status = op->exec(db, op);
    if (op->status >= 0)
        return ERR_OK;
    if (fatal(db, op->status))
        return op->status;
    return sqlite3_total_changes64(db->h) != before ? SPOILED : ERR_OK;
}

/* In a savepoint of its own, so that a failing operation takes back only what it did itself. */
static int run_guarded(struct store_db *db, struct store_op *op)
{
    int64_t delta[MSG_STATES];
    int rc;

    memcpy(delta, db->delta, sizeof delta);
    db->err = &db->own_err;
    /* What the operations before it counted is written, so that what is gathered is this one's alone. */
    if ((rc = figure_flush(db)) || (rc = db_run(db, sql_savepoint, NULL, 0)))
        return rc;
    if ((rc = run_plain(db, op)) < 0)
        return rc;
    db->err = &db->own_err;
    if (rc == SPOILED) {
        memcpy(db->delta, delta, sizeof delta);
        figure_drop(db);
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
    figure_drop(db);
}

static void reset(struct store_op *op)
{
    if (op->drop)
        op->drop(op);
    op->status = 0;
    op->err = (struct err){0};
}

/* Nothing of the batch is stored: every operation hears the same. */
static void fail_all(struct store_db *db, struct batch *b, int status)
{
    struct err why = *db->err;

    store_rollback(db);
    for (struct store_op *op = b->ops.head; op; op = op->next) {
        reset(op);
        op->status = status;
        op->err = why;
    }
}

static int transact(struct store_db *db, struct batch *b,
                    int (*run)(struct store_db *db, struct store_op *op))
{
    int64_t before = sqlite3_total_changes64(db->h);
    int rc;

    db->err = &db->own_err;
    db->made_work = db->erased = false;
    rc = db_run(db, b->lane->writes ? sql_begin : sql_begin_read, NULL, 0);
    for (struct store_op *op = b->ops.head; op && rc == ERR_OK; op = op->next)
        rc = run(db, op);
    if (rc != ERR_OK)
        return rc;
    b->wrote = sqlite3_total_changes64(db->h) != before;
    db->err = &db->own_err;
    if ((rc = store_tally(db)))
        return rc;
    /* durable: with synchronous=FULL this returns when the WAL is on the disk. */
    return db_run(db, sql_commit, NULL, 0);
}

/* What was erased is still in the WAL: written back, it is cut off. Who reads right now is waited for a
 * moment; else it stays until the WAL begins anew. */
static void cut_wal(struct store_db *db)
{
    sqlite3_busy_timeout(db->h, CUT_WAIT_MS);
    sqlite3_wal_checkpoint_v2(db->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(db->h, DB_BUSY_MS);
}

void batch_execute(struct batch *b)
{
    struct store_db *db = &b->lane->db;
    int rc = transact(db, b, run_plain);

    if (rc == SPOILED) {
        store_rollback(db);
        for (struct store_op *op = b->ops.head; op; op = op->next)
            reset(op);
        rc = transact(db, b, run_guarded);
    }
    if (rc < 0) {
        fail_all(db, b, rc);
        b->wrote = false;
    }
    b->made_work = rc == ERR_OK && db->made_work;
    if (rc == ERR_OK && db->erased)
        cut_wal(db);
    db->err = &db->own_err;
    /* The reader's lane writes too, but elsewhere: a backup. */
    b->full = rc == ERR_FULL && b->lane->writes;
}
