/* Listing and counting, on the reader's lane.
 *
 * A number's messages are indexed within eras of ids: an index over all of them would have a page for every
 * new message to change, and grow dearer with the store.
 *
 * A listing follows one index: the number's, the time's, the state's, or the messages themselves, newest
 * first. By time, a page begins behind the last row of the one before, whatever its id, so that a clock that
 * was set back hides nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/private.h"

enum { LIST_MAX = 1000, LIST_ARGS = 16 };

struct query {
    struct buf sql;
    struct buf like;
    struct db_arg args[LIST_ARGS];
    int n;
};

static void filter(struct query *q, bool wanted, const char *condition, struct db_arg arg)
{
    if (!wanted)
        return;
    buf_adds(&q->sql, " AND ");
    buf_adds(&q->sql, condition);
    q->args[q->n++] = arg;
}

static bool said(const char *text)
{
    return text && text[0] != '\0';
}

/* "%text%" with the pattern's own characters taken literally. */
static const char *pattern(struct query *q, const char *text)
{
    buf_addc(&q->like, '%');
    for (const char *at = text ? text : ""; *at; at++) {
        if (strchr("%_\\", *at))
            buf_addc(&q->like, '\\');
        buf_addc(&q->like, *at);
    }
    buf_addc(&q->like, '%');
    return buf_str(&q->like);
}

static const char *index_of(const struct store_list *l, bool by_time)
{
    if (said(l->peer))
        return "INDEXED BY message_peer";
    if (by_time)
        return "INDEXED BY message_created";
    return l->state != 0 ? "INDEXED BY message_state" : "NOT INDEXED";
}

static int limit_of(const struct store_list *l)
{
    return l->limit < 1 ? 1 : l->limit > LIST_MAX ? LIST_MAX : l->limit;
}

static void compose(struct query *q, const struct store_list *l)
{
    bool by_time = !said(l->peer) && (l->since_wall_ms != 0 || l->until_wall_ms != 0);

    buf_addf(&q->sql, "SELECT " MSG_COLUMNS " FROM message m %s WHERE m.id > 0", index_of(l, by_time));
    /* First, for it is bound anew from era to era. */
    filter(q, said(l->peer), "m.id / " MSG_ERA_SQL " = ?", db_int(0));
    filter(q, said(l->peer), "m.peer IN (?", db_text(l->peer));
    if (said(l->peer)) {
        buf_adds(&q->sql, said(l->peer_too) ? ", ?)" : ")");
        if (said(l->peer_too))
            q->args[q->n++] = db_text(l->peer_too);
    }
    filter(q, l->state != 0, "m.state = ?", db_int(l->state));
    filter(q, l->since_wall_ms != 0, "m.created >= ?", db_int(l->since_wall_ms));
    filter(q, l->until_wall_ms != 0, "m.created < ?", db_int(l->until_wall_ms));
    if (by_time)
        filter(q, l->before_id > 0,
               "(m.created, m.id) < (SELECT b.created, b.id FROM message b WHERE b.id = ?)",
               db_int(l->before_id));
    else
        filter(q, l->before_id > 0, "m.id < ?", db_int(l->before_id));
    filter(q, l->direction != 0, "m.direction = ?", db_int(l->direction));
    filter(q, said(l->modem), "(CASE WHEN m.state = 1 OR m.modem = '' THEN m.wanted ELSE m.modem END) = ?",
           db_text(l->modem));
    filter(q, said(l->source), "m.source = ?", db_text(l->source));
    filter(q, said(l->contains), "m.text LIKE ? ESCAPE '\\'", db_text(pattern(q, l->contains)));
    filter(q, true, by_time ? "1 ORDER BY m.created DESC, m.id DESC LIMIT ?" : "1 ORDER BY m.id DESC LIMIT ?",
           db_int(limit_of(l)));
}

static const char sql_newest[] = "SELECT ifnull(max(id), 0) FROM message";

/* From the newest era back, until there are enough. */
static int read_eras(struct store_db *db, sqlite3_stmt *st, struct query *q, struct store_list *l)
{
    int64_t newest = l->before_id - 1;
    sqlite3_stmt *max;
    int rc = ERR_OK;

    if (l->before_id <= 0) {
        if ((rc = db_first(db, &max, sql_newest, NULL, 0)) <= 0)
            return rc;
        newest = db_col(max, 0);
        db_end(max);
        rc = ERR_OK;
    }
    for (int64_t era = newest / MSG_ERA; era >= 0 && rc == ERR_OK && l->count < limit_of(l); era--) {
        q->args[0] = db_int(era);
        q->args[q->n - 1] = db_int(limit_of(l) - l->count);
        if ((rc = db_bind_all(db, st, q->args, q->n)) == ERR_OK)
            rc = msg_rows_read(db, st, &l->rows, &l->count);
    }
    return rc;
}

static int exec_list(struct store_db *db, struct store_op *op)
{
    struct store_list *l = container_of(op, struct store_list, op);
    struct query q = {0};
    sqlite3_stmt *st = NULL;
    int rc;

    compose(&q, l);
    rc = db_once(db, buf_str(&q.sql), q.args, q.n, &st);
    if (rc == ERR_OK)
        rc = said(l->peer) ? read_eras(db, st, &q, l) : msg_rows_read(db, st, &l->rows, &l->count);
    sqlite3_finalize(st);
    buf_free(&q.sql);
    buf_free(&q.like);
    return rc;
}

static void drop_list(struct store_op *op)
{
    struct store_list *l = container_of(op, struct store_list, op);

    msg_rows_free(&l->rows, &l->count);
}

void store_list(struct store *s, struct store_list *l)
{
    l->rows = NULL;
    l->count = 0;
    store_submit_read(s, &l->op, exec_list, drop_list);
}

/* ---- counts ---- */

static const char sql_tally[] = "SELECT state, n FROM tally";
static const char sql_waiting[] = "SELECT count(*) FROM segment WHERE bundle IS NOT NULL";

static int exec_counts(struct store_db *db, struct store_op *op)
{
    struct store_counts *c = container_of(op, struct store_counts, op);
    sqlite3_stmt *st = db_bind(db, sql_tally, NULL, 0);
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        int64_t state = db_col(st, 0);

        if (state > 0 && state < MSG_STATES)
            c->by_state[state] = db_col(st, 1);
    }
    if (rc == ERR_OK)
        rc = db_first(db, &st, sql_waiting, NULL, 0);
    if (rc <= 0)
        return rc;
    c->segments_waiting = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

void store_counts(struct store *s, struct store_counts *c)
{
    memset(c->by_state, 0, sizeof c->by_state);
    c->segments_waiting = 0;
    store_submit_read(s, &c->op, exec_counts, NULL);
}
