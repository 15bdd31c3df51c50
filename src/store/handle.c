/* The engine's side of inbound messages: which are not handled yet, what must be known of a number before it
 * is answered, and the verdict: handled, consent and replies in one transaction, so that a crash never
 * answers twice and never forgets to. */
#include <stdlib.h>

#include "store/private.h"

/* ---- unhandled -------------------------------------------------------------------------------------------
 */

static const char sql_unhandled[] = "SELECT " MSG_COLUMNS " FROM message m WHERE m.state = 10 AND m.id > ?1 "
                                    "ORDER BY m.id LIMIT ?2";

static int exec_unhandled(struct store_db *db, struct store_op *op)
{
    struct store_unhandled *u = container_of(op, struct store_unhandled, op);
    sqlite3_stmt *st = DB_BIND(db, sql_unhandled, db_int(u->after_id), db_int(u->max));

    return st ? msg_rows_read(db, st, &u->rows, &u->count) : db->err->code;
}

static void drop_unhandled(struct store_op *op)
{
    struct store_unhandled *u = container_of(op, struct store_unhandled, op);

    msg_rows_free(&u->rows, &u->count);
}

void store_unhandled(struct store *s, struct store_unhandled *u)
{
    u->rows = NULL;
    u->count = 0;
    store_submit_write(s, &u->op, exec_unhandled, drop_unhandled);
}

/* ---- what is known of a number ----------------------------------------------------------------------------
 */

static const char sql_replies[] = "SELECT count(*) FROM auto_reply WHERE number = ?1 AND at >= ?2";

static int exec_peer(struct store_db *db, struct store_op *op)
{
    struct store_peer *p = container_of(op, struct store_peer, op);
    sqlite3_stmt *st;
    int rc = consent_get(db, p->number, &p->consent);

    if (rc || (rc = DB_FIRST(db, &st, sql_replies, db_text(p->number), db_int(p->since_wall_ms))) <= 0)
        return rc;
    p->automatic_replies = (int)db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

void store_peer(struct store *s, struct store_peer *p)
{
    p->consent = CONSENT_UNKNOWN;
    p->automatic_replies = 0;
    store_submit_write(s, &p->op, exec_peer, NULL);
}

/* ---- the verdict ---- */

static const char sql_consent[] = "INSERT OR REPLACE INTO consent(number, state, at) VALUES(?1, ?2, ?3)";
static const char sql_consent_log[] =
    "INSERT INTO consent_log(number, state, at, message, words) VALUES(?1, ?2, ?3, ?4, ?5)";
static const char sql_guard[] = "INSERT INTO auto_reply(number, at) VALUES(?1, ?2)";
/* A few of the oldest at a time, so that the table stays as small as a month's replies. */
static const char sql_guard_old[] = "DELETE FROM auto_reply WHERE id IN (SELECT id FROM auto_reply "
                                    "ORDER BY id LIMIT 4) AND at < ?1";
#define GUARD_KEPT_MS ((int64_t)31 * MS_PER_DAY)

static int set_consent(struct store_db *db, const struct store_handle *h)
{
    int rc = DB_RUN(db, sql_consent, db_text(h->consent_number), db_int(h->consent), db_int(h->now_wall_ms));

    if (rc)
        return rc;
    return DB_RUN(db, sql_consent_log, db_text(h->consent_number), db_int(h->consent), db_int(h->now_wall_ms),
                  db_int(h->message), db_text(h->consent_words));
}

static int count_reply(struct store_db *db, const struct store_handle *h)
{
    int rc = DB_RUN(db, sql_guard, db_text(h->guard_number), db_int(h->now_wall_ms));

    return rc ? rc : DB_RUN(db, sql_guard_old, db_int(h->now_wall_ms - GUARD_KEPT_MS));
}

static int queue_replies(struct store_db *db, struct store_handle *h)
{
    int rc = ERR_OK;

    for (int i = 0; i < h->nreplies && rc == ERR_OK; i++) {
        struct store_new_message *m = &h->replies[i];

        rc = message_admit(db, m, h->now_wall_ms);
        if (rc == ERR_OK && h->guard_number && m->id != 0 && !m->existed)
            rc = count_reply(db, h);
    }
    return rc;
}

static int exec_handle(struct store_db *db, struct store_op *op)
{
    struct store_handle *h = container_of(op, struct store_handle, op);
    struct msg_head m;
    int rc;

    if ((rc = message_head(db, h->message, &m)) ||
        (rc = message_set_state(
             db, &m, MSG_CHANGE(.to = MSG_HANDLED, .reason = h->reason, .at_wall_ms = h->now_wall_ms))))
        return rc;
    /* Consent first: the confirmation passes an opt-out, anything else must not. */
    if (h->consent_number && (rc = set_consent(db, h)))
        return rc;
    return queue_replies(db, h);
}

void store_handle(struct store *s, struct store_handle *h)
{
    store_submit_write(s, &h->op, exec_handle, NULL);
}
