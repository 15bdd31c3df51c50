/* One conversation with its timeline: messages, and what the log of the conversation keeps beside them, put
 * together by time. Both are read backwards along their own index, a page of each, so that a page costs the
 * same however long the conversation is. */
#include <stdlib.h>
#include <string.h>

#include "store/compose.h"
#include "store/desk_private.h"

static const char *const kind_names[] = {"", "in", "out", "call", "note", "change"};

const char *timeline_kind_name(enum timeline_kind k)
{
    return kind_names[k];
}

/* An entry's id: that of a message, doubled; that of a line of the log, doubled and one. */
static int64_t id_of_message(int64_t message)
{
    return message * 2;
}
static int64_t id_of_line(int64_t n)
{
    return n * 2 + 1;
}

/* Entries of one moment that a page may have to look past. */
enum { SAME_MOMENT = 64 };

struct page {
    struct store_conv *c;
    struct timeline_row mark; /* the oldest entry of the page before; id 0 none */
    struct timeline_row *rows;
    int count;
};

static struct timeline_row *add_row(struct store_db *db, struct page *p)
{
    struct timeline_row *grown = rows_add(db, p->rows, &p->count, sizeof *grown);

    if (!grown)
        return NULL;
    p->rows = grown;
    return grown + p->count - 1;
}

/* ---- messages --------------------------------------------------------------------------------------------
 */

#define MESSAGES "SELECT " MSG_COLUMNS " FROM message m INDEXED BY message_conversation WHERE "
static const char sql_messages[] = MESSAGES "m.conversation = ?1 AND m.conversation > 0 AND m.id < ?2 AND "
                                            "m.created <= ?3 ORDER BY m.id DESC LIMIT ?4";
static const char sql_who[] = "SELECT who FROM message WHERE id = ?1";

static enum timeline_kind kind_of(const struct msg_row *m)
{
    if (m->flags & MSG_F_CALL)
        return TIMELINE_CALL;
    return m->direction == MSG_IN ? TIMELINE_IN : TIMELINE_OUT;
}

static int read_who(struct store_db *db, struct timeline_row *row)
{
    sqlite3_stmt *st;
    int rc;

    if (row->message.direction != MSG_OUT)
        return ERR_OK;
    if ((rc = DB_FIRST(db, &st, sql_who, db_int(row->message.id))) <= 0)
        return rc;
    db_col_text(st, 0, row->who, sizeof row->who);
    db_end(st);
    return ERR_OK;
}

static int read_messages(struct store_db *db, struct page *p)
{
    bool same = p->mark.id != 0 && p->mark.id % 2 == 0;
    sqlite3_stmt *st = DB_BIND(db, sql_messages, db_int(p->c->id), db_int(same ? p->mark.id / 2 : INT64_MAX),
                               db_int(p->mark.at_wall_ms), db_int(page_limit(p->c->limit) + SAME_MOMENT));
    struct msg_row *rows = NULL;
    int n = 0, rc;

    if (!st)
        return db->err->code;
    rc = msg_rows_read(db, st, &rows, &n);
    for (int i = 0; i < n; i++) {
        struct timeline_row *row = rc == ERR_OK ? add_row(db, p) : NULL;

        if (!row) {
            rc = rc ? rc : ERR_NOMEM;
            msg_row_clear(&rows[i]);
            continue;
        }
        row->kind = kind_of(&rows[i]);
        row->id = id_of_message(rows[i].id);
        row->at_wall_ms = rows[i].created_wall_ms;
        row->message = rows[i];
        rc = read_who(db, row);
    }
    free(rows);
    return rc;
}

/* ---- the log ---------------------------------------------------------------------------------------------
 */

static const char sql_log[] =
    "SELECT n, at, what, who, value FROM conversation_log WHERE conversation = ?1 AND "
    "n < ?2 AND at <= ?3 ORDER BY n DESC LIMIT ?4";

static int read_log(struct store_db *db, struct page *p)
{
    bool same = p->mark.id % 2 != 0;
    sqlite3_stmt *st = DB_BIND(db, sql_log, db_int(p->c->id), db_int(same ? p->mark.id / 2 : INT64_MAX),
                               db_int(p->mark.at_wall_ms), db_int(page_limit(p->c->limit) + SAME_MOMENT));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct timeline_row *row = add_row(db, p);

        if (!row) {
            db_end(st);
            return ERR_NOMEM;
        }
        row->id = id_of_line(db_col(st, 0));
        row->at_wall_ms = db_col(st, 1);
        db_col_text(st, 2, row->what, sizeof row->what);
        db_col_text(st, 3, row->who, sizeof row->who);
        row->text = db_col_dup(st, 4);
        row->kind = strcmp(row->what, "note") ? TIMELINE_CHANGE : TIMELINE_NOTE;
    }
    return rc;
}

/* ---- a page of both --------------------------------------------------------------------------------------
 */

/* Newest first. Of the same moment a message of the customer comes before what it caused, an answer behind.
 */
static int rank(const struct timeline_row *r)
{
    return r->kind == TIMELINE_OUT ? 2 : r->kind == TIMELINE_NOTE || r->kind == TIMELINE_CHANGE ? 1 : 0;
}

static int newest_first(const void *a, const void *b)
{
    const struct timeline_row *x = a, *y = b;

    if (x->at_wall_ms != y->at_wall_ms)
        return x->at_wall_ms < y->at_wall_ms ? 1 : -1;
    if (rank(x) != rank(y))
        return rank(y) - rank(x);
    return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

static void row_clear(struct timeline_row *r)
{
    free(r->text);
    msg_row_clear(&r->message);
}

static void turn(struct timeline_row *rows, int n)
{
    for (int i = 0, j = n - 1; i < j; i++, j--) {
        struct timeline_row swap = rows[i];

        rows[i] = rows[j];
        rows[j] = swap;
    }
}

static const char sql_at_message[] =
    "SELECT created, direction = 1 FROM message WHERE id = ?2 AND conversation = ?1";
static const char sql_at_line[] = "SELECT at, 0 FROM conversation_log WHERE conversation = ?1 AND n = ?2";

static int find_mark(struct store_db *db, struct page *p)
{
    int64_t id = p->c->before;
    sqlite3_stmt *st;
    int rc;

    p->mark.at_wall_ms = INT64_MAX;
    if (id == 0)
        return ERR_OK;
    rc = DB_FIRST(db, &st, id % 2 ? sql_at_line : sql_at_message, db_int(p->c->id), db_int(id / 2));
    if (rc == 0)
        return err_set(db->err, ERR_NOT_FOUND, "conversation %lld has no entry %lld", (long long)p->c->id,
                       (long long)id);
    if (rc < 0)
        return rc;
    p->mark.id = id;
    p->mark.at_wall_ms = db_col(st, 0);
    p->mark.kind = id % 2 ? TIMELINE_CHANGE : db_col(st, 1) ? TIMELINE_OUT : TIMELINE_IN;
    db_end(st);
    return ERR_OK;
}

/* Of the same moment as the mark, what came with the page before is left out; and what is over the page. */
static void cut(struct page *p)
{
    int limit = page_limit(p->c->limit), kept = 0;

    if (p->count > 1)
        qsort(p->rows, (size_t)p->count, sizeof *p->rows, newest_first);
    for (int i = 0; i < p->count; i++) {
        bool seen = p->mark.id != 0 && newest_first(&p->rows[i], &p->mark) <= 0;

        if (seen || kept == limit) {
            p->c->more = p->c->more || !seen;
            row_clear(&p->rows[i]);
        } else {
            p->rows[kept++] = p->rows[i];
        }
    }
    p->count = kept;
    turn(p->rows, kept);
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

static const char sql_contact[] = "SELECT " CONTACT_COLUMNS " FROM contact c WHERE c.id = ?1";

static int read_head(struct store_db *db, struct store_conv *c)
{
    sqlite3_stmt *st;
    int rc = conv_load(db, c->id, &c->row);

    if (rc == ERR_OK && c->row.id == 0)
        return err_set(db->err, ERR_NOT_FOUND, "there is no conversation %lld", (long long)c->id);
    c->id = c->row.id;
    if (rc || (rc = DB_FIRST(db, &st, sql_contact, db_int(c->row.contact))) <= 0)
        return rc;
    contact_row_read(st, 0, &c->contact);
    db_end(st);
    return ERR_OK;
}

static int exec_conv(struct store_db *db, struct store_op *op)
{
    struct store_conv *c = container_of(op, struct store_conv, op);
    struct page p = {.c = c};
    int rc;

    if ((rc = read_head(db, c)) == ERR_OK && (rc = find_mark(db, &p)) == ERR_OK &&
        (rc = read_messages(db, &p)) == ERR_OK)
        rc = read_log(db, &p);
    cut(&p);
    c->rows = p.rows;
    c->count = p.count;
    return rc;
}

void store_conv_clear(struct store_conv *c)
{
    for (int i = 0; i < c->count; i++)
        row_clear(&c->rows[i]);
    free(c->rows);
    contact_row_clear(&c->contact);
    c->contact = (struct contact_row){0};
    c->rows = NULL;
    c->count = 0;
}

static void drop_conv(struct store_op *op)
{
    store_conv_clear(container_of(op, struct store_conv, op));
}

void store_conv(struct store *s, struct store_conv *c)
{
    c->row = (struct conv_row){0};
    c->contact = (struct contact_row){0};
    c->rows = NULL;
    c->count = 0;
    c->more = false;
    store_submit_read(s, &c->op, exec_conv, drop_conv);
}
