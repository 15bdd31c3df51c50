/* Messages and parts: making them, and the one place each where their state is assigned. Every change leaves
 * a row in the history; every outcome of an outbound message goes into the outboxes. */
#include <stdlib.h>
#include <string.h>

#include "store/desk_private.h"

static const char sql_head[] =
    "SELECT direction, state, flags, parts, created, expires FROM message WHERE id = ?1";

int message_head(struct store_db *db, int64_t id, struct msg_head *out)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_head, db_int(id));

    if (rc == 0)
        return err_set(db->err, ERR_NOT_FOUND, "there is no message %lld", (long long)id);
    if (rc < 0)
        return rc;
    *out = (struct msg_head){
        .id = id,
        .direction = (enum msg_direction)db_col(st, 0),
        .state = (enum msg_state)db_col(st, 1),
        .flags = (uint32_t)db_col(st, 2),
        .parts = (int)db_col(st, 3),
        .created_wall_ms = db_col(st, 4),
        .expires_wall_ms = db_col(st, 5),
    };
    db_end(st);
    return ERR_OK;
}

static const char sql_history[] =
    "INSERT INTO history(message, n, part, at, state, reason, modem) VALUES(?1, "
    "1 + ifnull((SELECT max(n) FROM history WHERE message = ?1), 0), ?2, ?3, ?4, ?5, ?6)";

int history_add(struct store_db *db, int64_t message, int part, enum msg_state state, int64_t at_wall_ms,
                const char *reason, const char *modem)
{
    return DB_RUN(db, sql_history, db_int(message), db_int(part), db_int(at_wall_ms), db_int(state),
                  db_text(reason), db_text(modem));
}

static int refuse_move(struct store_db *db, const char *what, int64_t id, enum msg_state from,
                       enum msg_state to)
{
    return err_set(db->err, ERR_REFUSED, "%s %lld is %s: it cannot become %s", what, (long long)id,
                   msg_state_name(from), msg_state_name(to));
}

static const char sql_message_state[] =
    "UPDATE message SET state = ?2, reason = ?3, changed = ?4, modem = ifnull(?5, modem), "
    "imsi = ifnull(?6, imsi), due = ifnull(?7, due), expires = ifnull(?8, expires), flags = flags | ?9 "
    "WHERE id = ?1";
static const char sql_message_fields[] =
    "UPDATE message SET reason = ?2, due = ifnull(?3, due), expires = ifnull(?4, expires), "
    "flags = flags | ?5 WHERE id = ?1";

static bool is_outcome(const struct msg_head *h)
{
    return h->direction == MSG_OUT && (h->state == MSG_SENT || h->state == MSG_FAILED ||
                                       h->state == MSG_EXPIRED || h->state == MSG_CANCELLED);
}

int message_set_state(struct store_db *db, struct msg_head *h, const struct msg_change *c)
{
    int rc;

    if (!msg_state_allowed(h->state, c->to))
        return refuse_move(db, "message", h->id, h->state, c->to);
    if ((rc = figure_message_moves(db, h, c)))
        return rc;
    rc = DB_RUN(db, sql_message_state, db_int(h->id), db_int(c->to), db_text(c->reason),
                db_int(c->at_wall_ms), db_text_or_null(c->modem), db_text_or_null(c->imsi),
                db_int_or_null(c->due_wall_ms, -1), db_int_or_null(c->expires_wall_ms, -1), db_int(c->flags));
    if (rc)
        return rc;
    db->delta[h->state]--;
    db->delta[c->to]++;
    h->state = c->to;
    rc = history_add(db, h->id, 0, c->to, c->at_wall_ms, c->reason, c->modem);
    if (rc == ERR_OK && is_outcome(h))
        rc = outbox_put(db, OUTBOX_OUTCOME, h->id, 0);
    if (rc == ERR_OK && h->direction == MSG_OUT)
        rc = event_report(db, h, c);
    return rc;
}

int message_touch(struct store_db *db, const struct msg_head *h, const struct msg_change *c)
{
    return DB_RUN(db, sql_message_fields, db_int(h->id), db_text(c->reason),
                  db_int_or_null(c->due_wall_ms, -1), db_int_or_null(c->expires_wall_ms, -1),
                  db_int(c->flags));
}

static const char sql_part_state[] =
    "UPDATE part SET state = ?2, modem = ifnull(?3, modem), imsi = ifnull(?4, imsi) WHERE id = ?1";

int part_set_state(struct store_db *db, const struct msg_head *h, int seq, enum msg_state from,
                   const struct msg_change *c)
{
    int rc;

    if (!msg_state_allowed(from, c->to))
        return refuse_move(db, "a part of message", h->id, from, c->to);
    rc = DB_RUN(db, sql_part_state, db_int(part_id(h->id, seq)), db_int(c->to), db_text_or_null(c->modem),
                db_text_or_null(c->imsi));
    if (rc == ERR_OK && h->parts > 1)
        rc = history_add(db, h->id, seq, c->to, c->at_wall_ms, c->reason, c->modem);
    return rc;
}

static const char sql_part_states[] = "SELECT state FROM part WHERE id BETWEEN ?1 AND ?2";

int part_states(struct store_db *db, const struct msg_head *h, int counts[MSG_STATES])
{
    sqlite3_stmt *st =
        DB_BIND(db, sql_part_states, db_int(part_id(h->id, 1)), db_int(part_id(h->id, h->parts)));
    int rc;

    memset(counts, 0, MSG_STATES * sizeof *counts);
    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        int64_t state = db_col(st, 0);

        if (state > 0 && state < MSG_STATES)
            counts[state]++;
    }
    return rc;
}

/* The first of these that any part has; what all have had their share of comes last. A message between two
 * parts stays SUBMITTING until a part comes back to the queue. */
static enum msg_state follows(const int counts[MSG_STATES], enum msg_state now)
{
    static const enum msg_state order[] = {MSG_UNKNOWN, MSG_FAILED, MSG_EXPIRED, MSG_CANCELLED,
                                           MSG_SUBMITTING};
    bool under_way = now == MSG_SUBMITTING;

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (counts[order[i]] > 0)
            return order[i];
    if (counts[MSG_QUEUED] > 0)
        return under_way ? MSG_SUBMITTING : MSG_QUEUED;
    if (counts[MSG_UNDELIVERED] > 0)
        return MSG_UNDELIVERED;
    return counts[MSG_SENT] > 0 ? MSG_SENT : MSG_DELIVERED;
}

/* The state by way of which the diagram leads from one to the other; `to` where it does so directly. What was
 * reported on was sent before, also where nobody had told. */
static enum msg_state by_way_of(enum msg_state from, enum msg_state to)
{
    bool unclear = from == MSG_SUBMITTING || from == MSG_UNKNOWN;

    if (unclear && (to == MSG_DELIVERED || to == MSG_UNDELIVERED))
        return MSG_SENT;
    if (from == MSG_UNKNOWN && (to == MSG_EXPIRED || to == MSG_CANCELLED))
        return MSG_QUEUED;
    return to;
}

int message_follow(struct store_db *db, struct msg_head *h, const struct msg_change *c)
{
    struct msg_change own = *c, first = *c;
    int counts[MSG_STATES];
    int rc = part_states(db, h, counts);

    if (rc)
        return rc;
    own.to = follows(counts, h->state);
    if (own.to == h->state)
        return ERR_OK;
    first.to = by_way_of(h->state, own.to);
    if (first.to != own.to && (rc = message_set_state(db, h, &first)))
        return rc;
    /* A message that was stopped stays so, whatever a part of it still meets. */
    if (!msg_state_allowed(h->state, own.to))
        return ERR_OK;
    return message_set_state(db, h, &own);
}

int parts_stop(struct store_db *db, const struct msg_head *h, bool unknown_too, const struct msg_change *c)
{
    enum msg_state states[256] = {0};
    sqlite3_stmt *st =
        DB_BIND(db, sql_part_states, db_int(part_id(h->id, 1)), db_int(part_id(h->id, h->parts)));
    int rc, n = 0;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0)
        if (n < 255)
            states[++n] = (enum msg_state)db_col(st, 0);
    for (int seq = 1; rc == ERR_OK && seq <= n; seq++)
        if (states[seq] == MSG_QUEUED || (unknown_too && states[seq] == MSG_UNKNOWN))
            rc = part_set_state(db, h, seq, states[seq], c);
    return rc;
}

static const char sql_insert[] =
    "INSERT INTO message(id, direction, state, peer, wanted, modem, pool, imsi, source, key, reason, flags, "
    "priority, parts, created, due, expires, changed, scts, reply_to, text, meta, conversation, cost, who, "
    "depth, desk) VALUES((SELECT CASE WHEN ifnull(max(id), 0) < ?26 THEN ?26 + 1 END FROM message), ?1, ?2, "
    "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?14, ?17, ?18, ?19, ?20, ?21, ?22, ?23, "
    "?24, ?25)";

int message_insert(struct store_db *db, const struct msg_insert *m, int64_t *id)
{
    int rc = DB_RUN(
        db, sql_insert, db_int(m->direction), db_int(m->state), db_text(m->peer), db_text(m->wanted),
        db_text(m->modem), db_text(m->pool), db_text(m->imsi), db_text(m->source), db_text(m->key),
        db_text(m->reason), db_int(m->flags), db_int(m->priority), db_int(m->parts), db_int(m->now_wall_ms),
        db_int(m->due_wall_ms), db_int(m->expires_wall_ms), db_int(m->scts_wall_ms), db_int(m->reply_to),
        db_text(m->text), db_text_or_null(m->meta), db_int(m->conversation), db_int(m->cost_micros),
        db_text(m->who), db_int(m->depth), db_int(m->desk), db_int(db->message_floor));

    if (rc)
        return rc;
    *id = sqlite3_last_insert_rowid(db->h);
    db->delta[m->state]++;
    return history_add(db, *id, 0, m->state, m->now_wall_ms, m->reason, m->modem);
}

static int row_read(struct store_db *db, sqlite3_stmt *st, struct msg_row *r)
{
    r->id = db_col(st, 0);
    r->direction = (enum msg_direction)db_col(st, 1);
    r->state = (enum msg_state)db_col(st, 2);
    db_col_text(st, 3, r->reason, sizeof r->reason);
    db_col_text(st, 4, r->peer, sizeof r->peer);
    /* While it waits, the one that was asked for. */
    db_col_text(st, r->state == MSG_QUEUED ? 6 : 5, r->modem, sizeof r->modem);
    if (r->modem[0] == '\0')
        db_col_text(st, 6, r->modem, sizeof r->modem);
    db_col_text(st, 7, r->pool, sizeof r->pool);
    db_col_text(st, 8, r->imsi, sizeof r->imsi);
    db_col_text(st, 9, r->source, sizeof r->source);
    db_col_text(st, 10, r->key, sizeof r->key);
    r->text = db_col_dup(st, 11);
    r->meta = db_col_dup(st, 12);
    r->flags = (uint32_t)db_col(st, 13);
    r->priority = (int)db_col(st, 14);
    r->parts = (int)db_col(st, 15);
    r->created_wall_ms = db_col(st, 16);
    r->due_wall_ms = db_col(st, 17);
    r->expires_wall_ms = db_col(st, 18);
    r->final_wall_ms = db_col(st, 19);
    r->scts_wall_ms = db_col(st, 20);
    r->reply_to = db_col(st, 21);
    r->conversation = db_col(st, 22);
    r->cost_micros = db_col(st, 23);
    return r->text ? ERR_OK : err_set(db->err, ERR_NOMEM, "out of memory");
}

void *rows_add(struct store_db *db, void *rows, int *count, size_t size)
{
    size_t n = (size_t)*count;
    char *grown = rows;

    /* Grows at powers of two. */
    if ((n & (n - 1)) == 0 && n != 1)
        grown = realloc(rows, (n == 0 ? 2 : 2 * n) * size);
    if (!grown) {
        err_set(db->err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    memset(grown + n * size, 0, size);
    (*count)++;
    return grown;
}

int msg_rows_read(struct store_db *db, sqlite3_stmt *st, struct msg_row **rows, int *count)
{
    int rc;

    while ((rc = db_step(db, st)) > 0) {
        struct msg_row *grown = rows_add(db, *rows, count, sizeof *grown);

        if (grown)
            *rows = grown;
        if (!grown || row_read(db, st, &grown[*count - 1])) {
            db_end(st);
            return ERR_NOMEM;
        }
    }
    return rc;
}

void msg_rows_free(struct msg_row **rows, int *count)
{
    for (int i = 0; i < *count; i++)
        msg_row_clear(&(*rows)[i]);
    free(*rows);
    *rows = NULL;
    *count = 0;
}
