/* The one transaction by which anything is decided: what is done with (a received message, an event, a
 * delivery, or nothing), the conversation it belongs to, effects and messages. All of it or nothing, once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/desk_private.h"

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

/* ---- what is done with ------------------------------------------------------------------------------------
 */

static const char sql_received[] = "SELECT peer, modem, created, text FROM message WHERE id = ?1";

static int take_message(struct desk_tx *t)
{
    struct store_handle *h = t->h;
    bool ours = h->who && !strncmp(h->who, "person:", 7); /* the relay's: by one of our people */
    sqlite3_stmt *st;
    int rc;

    if ((rc = message_head(t->db, h->message, &t->received)) ||
        (rc = message_set_state(t->db, &t->received,
                                MSG_CHANGE(.to = MSG_HANDLED, .reason = h->reason,
                                           .at_wall_ms = h->now_wall_ms, .flags = ours ? MSG_F_STAFF : 0))))
        return rc;
    t->received.flags |= ours ? MSG_F_STAFF : 0;
    if ((rc = DB_FIRST(t->db, &st, sql_received, db_int(h->message))) <= 0)
        return rc;
    db_col_text(st, 0, t->number_buf, sizeof t->number_buf);
    db_col_text(st, 1, t->sim_buf, sizeof t->sim_buf);
    t->received_wall_ms = db_col(st, 2);
    t->text = h->thread == THREAD_OPEN ? db_col_dup(st, 3) : NULL;
    db_end(st);
    return ERR_OK;
}

static const char sql_event[] = "DELETE FROM event WHERE id = ?1";
static const char sql_delivery[] = "DELETE FROM delivery WHERE id = ?1";

static int take_row(struct store_db *db, const char *sql, const char *what, int64_t id)
{
    int rc = DB_RUN(db, sql, db_int(id));

    if (rc == ERR_OK && sqlite3_changes64(db->h) == 0)
        rc = err_set(db->err, ERR_REFUSED, "%s %lld was done with before", what, (long long)id);
    return rc;
}

/* Where there is no message, `conversation` is the one meant. */
static int take_conversation(struct desk_tx *t)
{
    struct store_handle *h = t->h;
    int rc;

    if (h->conversation == 0 || h->thread == THREAD_OPEN)
        return ERR_OK;
    rc = conv_load(t->db, h->conversation, &t->own);
    if (rc == ERR_OK && t->own.id == 0)
        return err_set(t->db->err, ERR_NOT_FOUND, "there is no conversation %lld",
                       (long long)h->conversation);
    str_copy(t->number_buf, sizeof t->number_buf, t->own.number);
    str_copy(t->sim_buf, sizeof t->sim_buf, t->own.sim);
    return rc;
}

static int take(struct desk_tx *t)
{
    struct store_handle *h = t->h;
    int rc = ERR_OK;

    if (h->event)
        rc = take_row(t->db, sql_event, "event", h->event);
    if (rc == ERR_OK && h->delivery)
        rc = take_row(t->db, sql_delivery, "delivery", h->delivery);
    if (rc == ERR_OK)
        rc = h->message ? take_message(t) : take_conversation(t);
    t->number = h->number ? h->number : t->number_buf;
    t->sim = h->sim ? h->sim : t->sim_buf;
    return rc;
}

/* ---- messages ---- */

/* Into the conversation that the one of this id was folded into. */
static int resolve(struct desk_tx *t, int64_t *id)
{
    struct conv_row *c;
    bool *dirty;
    int rc;

    if (*id <= 0)
        return ERR_OK;
    c = desk_conv(t, *id, &dirty, &rc);
    *id = c ? c->id : *id;
    return rc;
}

/* What is sent to others of what a customer did tells of that customer, and is erased with them. */
static const char sql_about[] = "UPDATE message SET about = ?2 WHERE id = ?1";

static int send_one(struct desk_tx *t, struct store_new_message *m)
{
    struct store_handle *h = t->h;
    int rc;

    m->depth = h->depth;
    if ((rc = resolve(t, &m->conversation)))
        return rc;
    if (m->conversation == 0 && t->own.id != 0 && strcmp(m->peer ? m->peer : "", t->number) == 0)
        m->conversation = t->own.id;
    m->department = m->conversation == t->own.id && t->own.id != 0 ? t->own.department : NULL;
    if ((rc = message_admit(t->db, m, h->now_wall_ms)))
        return rc;
    if (m->opted_out && h->strict && !(m->flags & MSG_F_AUTOMATIC))
        return err_set(t->db->err, ERR_REFUSED, "to: %s", m->refused);
    if (m->id != 0 && !m->existed && m->conversation <= 0 && t->own.id != 0)
        return DB_RUN(t->db, sql_about, db_int(m->id), db_int(t->own.id));
    return desk_sent(t, m);
}

/* Behind the effects: in the department that the message was given to. */
static int count(struct desk_tx *t)
{
    int rc = ERR_OK;

    if (t->h->opened == OPENED_NEW)
        rc = figure_opened(t->db, &t->own, t->h->now_wall_ms);
    if (rc == ERR_OK && t->h->message)
        rc = figure_received(t->db, &t->received, t->sim, &t->own);
    return rc;
}

/* One that cannot be (a tag with a comma that a handler asked for) changes nothing. Of a person's it refuses
 * the whole; nobody could correct a machine's, and the message must be handled all the same. */
static int apply_effect(struct desk_tx *t, const struct store_effect *e)
{
    struct store_handle *h = t->h;
    int rc = desk_effect(t, e);

    if (h->strict || (rc != ERR_INVALID && rc != ERR_REFUSED && rc != ERR_NOT_FOUND))
        return rc;
    if (!*h->left_out)
        snprintf(h->left_out, sizeof h->left_out, "%s: %.120s", effect_name(e->kind), t->db->err->text);
    *t->db->err = (struct err){0};
    return ERR_OK;
}

/* Who opens a conversation by writing, or wakes it, is the customer, whoever decides about the message. */
static int thread(struct desk_tx *t)
{
    struct store_handle *h = t->h;
    const char *who = h->who;
    int rc;

    if (h->message && h->thread == THREAD_OPEN)
        h->who = "customer";
    rc = desk_thread(t);
    h->who = who;
    return rc;
}

static int decide(struct desk_tx *t)
{
    struct store_handle *h = t->h;
    int rc;

    if ((rc = take(t)) || (rc = thread(t)))
        return rc;
    /* In this order: the confirmation of an opt-out passes it, anything else must not. */
    for (int i = 0; i < h->neffects && rc == ERR_OK; i++)
        rc = apply_effect(t, &h->effects[i]);
    if (rc == ERR_OK)
        rc = count(t);
    /* Before this transaction's own replies: what it came behind. */
    if (rc == ERR_OK && h->message && *t->number)
        rc = guard_rounds(t->db, t->number, t->received_wall_ms);
    for (int i = 0; i < h->nreplies && rc == ERR_OK; i++)
        rc = send_one(t, &h->replies[i]);
    return rc ? rc : desk_save(t);
}

static int exec_handle(struct store_db *db, struct store_op *op)
{
    struct store_handle *h = container_of(op, struct store_handle, op);
    struct desk_tx t = {.db = db, .h = h, .received_wall_ms = h->now_wall_ms};
    int rc;

    h->conversation = h->given;
    h->opened = OPENED_NOT;
    h->left_out[0] = '\0';
    rc = decide(&t);
    free(t.text);
    if (rc == ERR_OK)
        h->conversation = t.own.id;
    return rc;
}

void store_handle(struct store *s, struct store_handle *h)
{
    h->given = h->conversation;
    store_submit_write(s, &h->op, exec_handle, NULL);
}
