/* What the start needs, blocking: settling what the last life left half done, and the queue's rows. */
#include <stdlib.h>

#include "store/private.h"

/* ---- settling --------------------------------------------------------------------------------------------
 */

static const char sql_interrupted[] =
    "SELECT id FROM message WHERE state = ?1 AND id > ?2 ORDER BY id LIMIT 1";
static const char sql_submitting[] = "SELECT id FROM part WHERE id BETWEEN ?1 AND ?2 AND state = 2 LIMIT 1";

static int next_id(struct store_db *db, const char *sql, const struct db_arg *args, int n, int64_t *id)
{
    sqlite3_stmt *st;
    int rc = db_first(db, &st, sql, args, n);

    if (rc > 0) {
        *id = db_col(st, 0);
        db_end(st);
    }
    return rc;
}

static int count_interrupted(struct store_db *db, int64_t part, int64_t now_wall_ms)
{
    static const char sql[] =
        "INSERT INTO usage(imsi, quarter, parts) SELECT imsi, ?2, 1 FROM part WHERE id = ?1 "
        "ON CONFLICT(imsi, quarter) DO UPDATE SET parts = parts + 1";

    return DB_RUN(db, sql, db_int(part), db_int(now_wall_ms / MS_PER_QUARTER));
}

/* An intent that was never acted upon. */
static int take_back(struct store_db *db, const struct msg_head *h, int64_t part, int64_t now_wall_ms)
{
    static const char sql[] = "UPDATE part SET attempts = max(0, attempts - 1) WHERE id = ?1";
    const struct msg_change *c = MSG_CHANGE(.to = MSG_QUEUED, .reason = "simgate stopped before it was sent",
                                            .at_wall_ms = now_wall_ms);
    int rc = part_set_state(db, h, (int)(part % 256), MSG_SUBMITTING, c);

    return rc ? rc : DB_RUN(db, sql, db_int(part));
}

/* Each part that may be on the air becomes UNKNOWN, and the message with it; what never left, or was between
 * two parts, waits again. */
static int settle_message(struct store_db *db, const struct air *air, int64_t id, int64_t now_wall_ms)
{
    struct msg_change *c =
        MSG_CHANGE(.to = MSG_UNKNOWN, .reason = "interrupted: simgate stopped while it was sent",
                   .at_wall_ms = now_wall_ms);
    struct msg_head h;
    int64_t part;
    int rc, n = 0;

    if ((rc = message_head(db, id, &h)))
        return rc;
    while ((rc = next_id(db, sql_submitting, DB_ARGS(db_int(part_id(id, 1)), db_int(part_id(id, h.parts))),
                         &part)) > 0) {
        if (!air_may_have_left(air, part)) {
            if ((rc = take_back(db, &h, part, now_wall_ms)))
                return rc;
            continue;
        }
        if ((rc = part_set_state(db, &h, (int)(part % 256), MSG_SUBMITTING, c)) ||
            (rc = count_interrupted(db, part, now_wall_ms)))
            return rc;
        n++;
    }
    if (rc == ERR_OK && n > 0)
        rc = message_follow(db, &h, c);
    if (rc == ERR_OK && h.state == MSG_SUBMITTING) {
        c->to = MSG_QUEUED;
        c->reason = "simgate was restarted";
        rc = message_set_state(db, &h, c);
    }
    return rc ? rc : n;
}

static int settle_state(struct store_db *db, const struct air *air, enum msg_state state, int64_t now_wall_ms)
{
    int64_t id = 0;
    int rc, parts = 0;

    while ((rc = next_id(db, sql_interrupted, DB_ARGS(db_int(state), db_int(id)), &id)) > 0) {
        rc = settle_message(db, air, id, now_wall_ms);
        if (rc < 0)
            return rc;
        parts += rc;
    }
    return rc < 0 ? rc : parts;
}

/* A message that is UNKNOWN by one part may have had another on the air. */
static int settle_all(struct store_db *db, const struct air *air, int64_t now_wall_ms)
{
    int unknown = settle_state(db, air, MSG_UNKNOWN, now_wall_ms), submitting;

    if (unknown < 0)
        return unknown;
    submitting = settle_state(db, air, MSG_SUBMITTING, now_wall_ms);
    return submitting < 0 ? submitting : unknown + submitting;
}

int store_settle_interrupted(struct store *s, int64_t now_wall_ms, struct err *e)
{
    struct store_db *db = &s->writer.db;
    int parts;

    if (s->writer.busy)
        return err_set(e, ERR_BUSY, "database %s: only at start", db->path);
    db->err = &db->own_err;
    parts = db_script(db, "BEGIN IMMEDIATE");
    if (parts == ERR_OK)
        parts = settle_all(db, &s->air, now_wall_ms);
    if (parts >= 0 && store_tally(db) < 0)
        parts = db->err->code;
    if (parts >= 0 && db_script(db, "COMMIT") < 0)
        parts = db->err->code;
    if (parts >= 0) {
        air_begin(&s->air);
        return parts;
    }
    err_set(e, parts, "%s", db->err->text);
    store_rollback(db);
    return parts;
}

/* ---- the queue's rows ---- */

static const char sql_queue[] =
    "SELECT m.id, p.id, m.parts, m.priority, p.attempts, p.state, m.peer, m.wanted, m.pool, "
    "ifnull((SELECT q.imsi FROM part q WHERE m.parts > 1 AND q.id BETWEEN m.id * 256 + 1 AND "
    "m.id * 256 + m.parts AND q.state IN (2, 3, 4, 5, 9) LIMIT 1), CASE WHEN p.state IN (2, 9) THEN p.imsi "
    "ELSE '' END), m.source, m.created, m.due, m.expires, p.submitted, m.flags "
    "FROM message m JOIN part p ON p.id BETWEEN m.id * 256 + 1 AND m.id * 256 + m.parts "
    "WHERE m.state IN (1, 2, 9) AND m.direction = 1 AND p.state IN (1, 2, 9) ORDER BY m.id, p.id";

static void read_row(sqlite3_stmt *st, struct store_queue_row *r)
{
    r->message = db_col(st, 0);
    r->seq = (int)(db_col(st, 1) % 256);
    r->parts = (int)db_col(st, 2);
    r->priority = (int)db_col(st, 3);
    r->attempts = (int)db_col(st, 4);
    r->state = (enum msg_state)db_col(st, 5);
    db_col_text(st, 6, r->peer, sizeof r->peer);
    db_col_text(st, 7, r->modem, sizeof r->modem);
    db_col_text(st, 8, r->pool, sizeof r->pool);
    db_col_text(st, 9, r->imsi, sizeof r->imsi);
    db_col_text(st, 10, r->source, sizeof r->source);
    r->created_wall_ms = db_col(st, 11);
    r->due_wall_ms = db_col(st, 12);
    r->expires_wall_ms = db_col(st, 13);
    r->submitted_wall_ms = db_col(st, 14);
    r->flags = (uint32_t)db_col(st, 15);
}

static int load(struct store_db *db, int (*row)(void *owner, const struct store_queue_row *r), void *owner)
{
    sqlite3_stmt *st = db_bind(db, sql_queue, NULL, 0);
    struct store_queue_row r;
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        read_row(st, &r);
        if ((rc = row(owner, &r)) != 0) {
            db_end(st);
            return rc;
        }
    }
    return rc;
}

int store_load_queue(struct store *s, int (*row)(void *owner, const struct store_queue_row *r), void *owner,
                     struct err *e)
{
    struct store_db db;
    struct err local;
    int rc = store_open_reader(s->writer.db.path, &db, e ? e : &local);

    if (rc)
        return rc;
    rc = load(&db, row, owner);
    db_close(&db, false);
    return rc;
}
