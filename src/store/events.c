/* Events for the engine: rows that the transactions insert which cause them, kept until they are handled;
 * only kinds that somebody wants. And the deliveries that must reach a handler outside, and the values that
 * handlers keep. */
#include <stdlib.h>
#include <string.h>

#include "store/desk_private.h"

/* ---- made by the transactions ---- */

static const char sql_put[] = "INSERT INTO event(kind, depth, conversation, message, number, sim, name, "
                              "text, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

static bool is_wanted(const struct store_db *db, enum desk_event kind)
{
    return (db->wanted >> kind & 1U) != 0;
}

int event_put(struct store_db *db, const struct event_new *e, int64_t *id)
{
    int rc;

    if (id)
        *id = 0;
    if (!is_wanted(db, e->kind) || e->depth >= DESK_EVENT_DEPTH)
        return ERR_OK;
    rc = DB_RUN(db, sql_put, db_int(e->kind), db_int(e->depth), db_int(e->conversation), db_int(e->message),
                db_text(e->number), db_text(e->sim), db_text(e->name), db_text_or_null(e->text),
                db_int(e->at_wall_ms));
    if (id)
        *id = sqlite3_last_insert_rowid(db->h);
    db->made_work = true;
    return rc;
}

static const char sql_message[] =
    "INSERT INTO event(kind, depth, conversation, message, number, sim, name, text, at) SELECT ?2, depth, "
    "conversation, id, peer, modem, ?3, ?4, ?5 FROM message WHERE id = ?1 AND depth < ?6";

int event_report(struct store_db *db, const struct msg_head *h, const struct msg_change *c)
{
    bool tells = h->state == MSG_DELIVERED || h->state == MSG_UNDELIVERED || h->state == MSG_FAILED ||
                 h->state == MSG_EXPIRED;

    if (!tells || !is_wanted(db, DESK_REPORT))
        return ERR_OK;
    db->made_work = true;
    return DB_RUN(db, sql_message, db_int(h->id), db_int(DESK_REPORT), db_text(msg_state_name(h->state)),
                  db_text_or_null(c->reason), db_int(c->at_wall_ms), db_int(DESK_EVENT_DEPTH));
}

/* ---- which are wanted ---- */

static const char sql_kinds[] = "DELETE FROM event WHERE (?1 >> kind & 1) = 0";

static int exec_want(struct store_db *db, struct store_op *op)
{
    struct store *s = container_of(op, struct store, want);

    db->wanted = s->want_kinds;
    return DB_RUN(db, sql_kinds, db_int((int64_t)db->wanted));
}

static void want_done(struct store_op *op, int status)
{
    struct store *s = container_of(op, struct store, want);

    (void)status; /* what nobody wants and could not be forgotten is, the next time */
    s->wanting = false;
    if (s->want_next != s->want_kinds)
        store_want_events(s, s->want_next);
}

void store_want_events(struct store *s, unsigned kinds)
{
    s->want_next = kinds;
    if (s->wanting || s->closing)
        return;
    s->wanting = true;
    s->want_kinds = kinds;
    s->want.done = want_done;
    store_submit_write(s, &s->want, exec_want, NULL);
}

void store_set_work(struct store *s, void (*fn)(void *owner), void *owner)
{
    s->on_work = fn;
    s->on_work_owner = owner;
}

/* ---- read ---- */

static const char sql_list[] = "SELECT id, kind, depth, conversation, message, number, sim, name, text, at "
                               "FROM event WHERE id > ?1 ORDER BY id LIMIT ?2";

static void read_event(sqlite3_stmt *st, struct event_row *e)
{
    e->id = db_col(st, 0);
    e->kind = (enum desk_event)db_col(st, 1);
    e->depth = (int)db_col(st, 2);
    e->conversation = db_col(st, 3);
    e->message = db_col(st, 4);
    db_col_text(st, 5, e->number, sizeof e->number);
    db_col_text(st, 6, e->sim, sizeof e->sim);
    db_col_text(st, 7, e->name, sizeof e->name);
    e->text = db_col_dup(st, 8);
    e->at_wall_ms = db_col(st, 9);
}

static int exec_events(struct store_db *db, struct store_op *op)
{
    struct store_events *e = container_of(op, struct store_events, op);
    sqlite3_stmt *st = DB_BIND(db, sql_list, db_int(e->after_id), db_int(e->max));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct event_row *grown = rows_add(db, e->rows, &e->count, sizeof *grown);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        e->rows = grown;
        read_event(st, &grown[e->count - 1]);
    }
    return rc;
}

static void drop_events(struct store_op *op)
{
    struct store_events *e = container_of(op, struct store_events, op);

    for (int i = 0; i < e->count; i++)
        event_row_clear(&e->rows[i]);
    free(e->rows);
    e->rows = NULL;
    e->count = 0;
}

void store_events(struct store *s, struct store_events *e)
{
    e->rows = NULL;
    e->count = 0;
    store_submit_write(s, &e->op, exec_events, drop_events);
}

/* ---- from outside ---- */

static const char sql_schedule[] = "SELECT key, last FROM schedule WHERE name = ?1";
static const char sql_scheduled[] = "INSERT OR REPLACE INTO schedule(name, key, last) VALUES(?1, ?2, ?3)";

/* 1: it was stored before. Remembered also where nobody wants the event: its time has passed. */
static int is_repeated(struct store_db *db, const struct store_put_event *p)
{
    sqlite3_stmt *st;
    char key[MSG_KEY_BYTES];
    int rc;

    if (p->row.kind != DESK_SCHEDULE || !p->key || !*p->key)
        return 0;
    rc = DB_FIRST(db, &st, sql_schedule, db_text(p->row.name));
    if (rc < 0)
        return rc;
    if (rc > 0) {
        db_col_text(st, 0, key, sizeof key);
        db_end(st);
        if (strcmp(key, p->key) == 0)
            return 1;
    }
    return DB_RUN(db, sql_scheduled, db_text(p->row.name), db_text(p->key), db_int(p->row.at_wall_ms));
}

static int exec_put(struct store_db *db, struct store_op *op)
{
    struct store_put_event *p = container_of(op, struct store_put_event, op);
    const struct event_row *r = &p->row;
    int rc;

    p->row.id = 0;
    if ((rc = is_repeated(db, p)) != 0)
        return rc < 0 ? rc : ERR_OK;
    return event_put(db,
                     &(struct event_new){.kind = r->kind,
                                         .depth = r->depth,
                                         .conversation = r->conversation,
                                         .message = r->message,
                                         .at_wall_ms = r->at_wall_ms,
                                         .number = r->number,
                                         .sim = r->sim,
                                         .name = r->name,
                                         .text = r->text},
                     &p->row.id);
}

void store_put_event(struct store *s, struct store_put_event *p)
{
    store_submit_write(s, &p->op, exec_put, NULL);
}

static int exec_schedule(struct store_db *db, struct store_op *op)
{
    struct store_schedule *c = container_of(op, struct store_schedule, op);
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_schedule, db_text(c->name));

    c->last_wall_ms = 0;
    if (rc <= 0)
        return rc;
    c->last_wall_ms = db_col(st, 1);
    db_end(st);
    return ERR_OK;
}

void store_schedule(struct store *s, struct store_schedule *c)
{
    store_submit_write(s, &c->op, exec_schedule, NULL);
}
