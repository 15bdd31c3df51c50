/* Operators' and policy's moves of a whole message: cancel, expire, give up, try again, say why it waits. */
#include "store/private.h"

/* "The original again": what was not sent, or everything after an UNDELIVERED. */
static const char sql_retry[] =
    "UPDATE part SET state = ?3, mr = NULL, attempts = 0, sent = 0, reported = 0, report_status = -1, "
    "awaits = min(awaits, 1) WHERE id BETWEEN ?1 AND ?2 AND (?4 OR state NOT IN (3, 4, 5))";

static const char sql_was_unknown[] = "SELECT 1 FROM history WHERE message = ?1 AND state = ?2 LIMIT 1";

static const char sql_raw_gone[] = "SELECT 1 FROM part WHERE id = ?1 AND length(pdu) = 0";

static int refuse(struct store_db *db, const struct msg_head *h, const char *why)
{
    return err_set(db->err, ERR_REFUSED, "message %lld is %s: %s", (long long)h->id, msg_state_name(h->state),
                   why);
}

/* It may have gone out before: its outcome is unknown, or was when it was given up. */
static int mark_if_unclear(struct store_db *db, const struct msg_head *h, struct msg_change *c)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_was_unknown, db_int(h->id), db_int(MSG_UNKNOWN));

    if (rc <= 0)
        return rc;
    db_end(st);
    c->flags = MSG_F_POSSIBLE_DUPLICATE;
    return ERR_OK;
}

/* desk.keep_raw has taken its PDUs away, of all parts at once. */
static int check_raw(struct store_db *db, const struct msg_head *h)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_raw_gone, db_int(part_id(h->id, 1)));

    if (rc <= 0)
        return rc;
    db_end(st);
    return refuse(db, h, "its PDUs were erased, as they were too old");
}

static int retry(struct store_db *db, struct store_move *m, struct msg_head *h, struct msg_change *c)
{
    bool all = h->state == MSG_UNDELIVERED;
    int rc;

    if (h->expires_wall_ms != 0 && h->expires_wall_ms <= m->now_wall_ms)
        c->expires_wall_ms = m->now_wall_ms + (h->expires_wall_ms - h->created_wall_ms);
    if (!msg_state_allowed(h->state, MSG_QUEUED) || h->state == MSG_SUBMITTING)
        return refuse(db, h, "it cannot be sent again");
    if ((rc = check_raw(db, h)) || (rc = mark_if_unclear(db, h, c)))
        return rc;
    rc = DB_RUN(db, sql_retry, db_int(part_id(h->id, 1)), db_int(part_id(h->id, h->parts)),
                db_int(MSG_QUEUED), db_int(all));
    if (rc == ERR_OK && c->expires_wall_ms >= 0)
        m->expires_wall_ms = c->expires_wall_ms;
    return rc ? rc : message_set_state(db, h, c);
}

static int stop(struct store_db *db, struct store_move *m, struct msg_head *h, struct msg_change *c)
{
    int counts[MSG_STATES];
    int rc;

    if (h->state == MSG_UNKNOWN && c->to == MSG_CANCELLED)
        m->state = c->to = MSG_FAILED; /* it may have been sent: "cancelled" would say that it was not */
    if (h->state != MSG_QUEUED && h->state != MSG_SUBMITTING && c->to == MSG_CANCELLED)
        return refuse(db, h, "only what is queued can be cancelled");
    if (!msg_state_allowed(h->state, c->to))
        return refuse(db, h, "it cannot be stopped");
    if ((rc = part_states(db, h, counts)))
        return rc;
    if (counts[MSG_SUBMITTING] > 0)
        return refuse(db, h, "a part of it is being sent");
    rc = parts_stop(db, h, c->to == MSG_FAILED, c);
    return rc ? rc : message_set_state(db, h, c);
}

static int exec_move(struct store_db *db, struct store_op *op)
{
    struct store_move *m = container_of(op, struct store_move, op);
    struct msg_change *c = MSG_CHANGE(.to = m->state, .reason = m->reason, .at_wall_ms = m->now_wall_ms);
    struct msg_head h;
    int rc;

    if ((rc = message_head(db, m->message, &h)))
        return rc;
    m->was = h.state;
    m->expires_wall_ms = h.expires_wall_ms;
    if (h.direction != MSG_OUT)
        return refuse(db, &h, "it was received, not sent");
    if (m->state == MSG_FAILED || m->state == MSG_EXPIRED || m->state == MSG_CANCELLED)
        return stop(db, m, &h, c);
    if (m->state != MSG_QUEUED)
        return err_set(db->err, ERR_INVALID, "a message cannot be moved to %s", msg_state_name(m->state));
    c->due_wall_ms = m->due_wall_ms;
    return h.state == MSG_QUEUED ? message_touch(db, &h, c) : retry(db, m, &h, c);
}

void store_move(struct store *s, struct store_move *m)
{
    store_submit_write(s, &m->op, exec_move, NULL);
}
