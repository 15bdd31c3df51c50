/* Contacts as they are asked for: lists that follow one index each, and a single one with what is known of
 * it. */
#include <stdlib.h>
#include <string.h>

#include "store/compose.h"
#include "store/desk_private.h"

static bool said(const char *text)
{
    return text && *text;
}

/* ---- lists -----------------------------------------------------------------------------------------------
 */

#define SELECT_CONTACT "SELECT " CONTACT_COLUMNS " FROM "

static void where_tag(struct compose *q, const struct store_contacts *c)
{
    compose_if(q, said(c->tag),
               " AND EXISTS(SELECT 1 FROM contact_tag g WHERE g.contact = c.id AND g.tag = ?)",
               db_text(c->tag));
}

static void where_attribute(struct compose *q, const struct store_contacts *c)
{
    if (!said(c->attribute))
        return;
    compose_with(q, " AND EXISTS(SELECT 1 FROM contact_attribute a WHERE a.name = ?", db_text(c->attribute));
    compose_if(q, c->value, " AND a.value = ?", db_text(c->value));
    compose_sql(q, " AND a.contact = c.id)");
}

static void where_prefix(struct compose *q, const char *prefix)
{
    if (!said(prefix))
        return;
    compose_with(q, " AND c.number >= ?", db_text(prefix));
    compose_with(q, " AND c.number < ?", db_text(compose_behind(q, prefix)));
}

/* Newest first, along one of these. */
static void by_words(struct compose *q, const struct store_contacts *c, const char *words)
{
    compose_with(q,
                 SELECT_CONTACT
                 "contact_words w CROSS JOIN contact c ON c.id = w.rowid WHERE contact_words MATCH ?",
                 db_text(words));
    compose_if(q, c->after > 0, " AND w.rowid < ?", db_int(c->after));
    where_tag(q, c);
    where_attribute(q, c);
    where_prefix(q, c->prefix);
    compose_with(q, " ORDER BY w.rowid DESC LIMIT ?", db_int(page_limit(c->limit) + 1));
}

static void by_tag(struct compose *q, const struct store_contacts *c)
{
    compose_with(q, SELECT_CONTACT "contact_tag d CROSS JOIN contact c ON c.id = d.contact WHERE d.tag = ?",
                 db_text(c->tag));
    compose_if(q, c->after > 0, " AND d.contact < ?", db_int(c->after));
    where_attribute(q, c);
    where_prefix(q, c->prefix);
    compose_with(q, " ORDER BY d.contact DESC LIMIT ?", db_int(page_limit(c->limit) + 1));
}

static void by_attribute(struct compose *q, const struct store_contacts *c)
{
    compose_with(q,
                 c->value ? SELECT_CONTACT
                     "contact_attribute d CROSS JOIN contact c ON c.id = d.contact WHERE "
                     "d.name = ?"
                          : SELECT_CONTACT "contact_attribute d INDEXED BY contact_attribute_name CROSS JOIN "
                                           "contact c ON c.id = d.contact WHERE d.name = ?",
                 db_text(c->attribute));
    compose_if(q, c->value, " AND d.value = ?", db_text(c->value));
    compose_if(q, c->after > 0, " AND d.contact < ?", db_int(c->after));
    where_prefix(q, c->prefix);
    compose_with(q, " ORDER BY d.contact DESC LIMIT ?", db_int(page_limit(c->limit) + 1));
}

static void by_number(struct compose *q, const struct store_contacts *c, const char *prefix)
{
    compose_sql(q, SELECT_CONTACT "contact c INDEXED BY contact_number WHERE ");
    /* One bound at each end, or SQLite may take the wider one. */
    if (c->after > 0)
        compose_with(q, "c.number > (SELECT number FROM contact WHERE id = ?)", db_int(c->after));
    else
        compose_with(q, "c.number >= ?", db_text(prefix));
    compose_if(q, said(prefix), " AND c.number < ?", db_text(said(prefix) ? compose_behind(q, prefix) : ""));
    compose_with(q, " ORDER BY c.number LIMIT ?", db_int(page_limit(c->limit) + 1));
}

/* Those of whom another number begins so, and not the main one. */
static void by_other_number(struct compose *q, const char *prefix, int limit)
{
    const char *behind = compose_behind(q, prefix);

    compose_with(q,
                 SELECT_CONTACT "contact c WHERE c.id IN (SELECT contact FROM contact_also WHERE number >= ?",
                 db_text(prefix));
    compose_with(q, " AND number < ?)", db_text(behind));
    compose_with(q, " AND NOT (c.number >= ?", db_text(prefix));
    compose_with(q, " AND c.number < ?)", db_text(behind));
    compose_with(q, " ORDER BY c.id LIMIT ?", db_int(limit));
}

/* Digits are of a number; without a '+' that of the international form. */
static void prefix_of(const char *digits, char out[66])
{
    out[0] = '+';
    str_copy(out + (digits[0] != '+'), 65, digits);
}

static void compose_contacts(struct compose *q, struct store_contacts *c)
{
    char digits[64], prefix[66];
    const char *words;

    if (said(c->search) && compose_digits(c->search, digits) && !said(c->tag) && !said(c->attribute)) {
        struct buf *own = compose_text(q);

        prefix_of(digits, prefix);
        buf_adds(own, prefix);
        by_number(q, c, buf_str(own));
    } else if (said(c->search) && (words = compose_words(q, c->search))) {
        by_words(q, c, words);
    } else if (said(c->tag)) {
        by_tag(q, c);
    } else if (said(c->attribute)) {
        by_attribute(q, c);
    } else {
        by_number(q, c, c->prefix);
    }
}

static int add_contact(struct store_db *db, sqlite3_stmt *st, void *to)
{
    struct store_contacts *c = to;
    struct contact_row *grown;

    if (c->count == page_limit(c->limit)) {
        c->more = true;
        return ERR_OK;
    }
    grown = rows_add(db, c->rows, &c->count, sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    c->rows = grown;
    contact_row_read(st, 0, &grown[c->count - 1]);
    return ERR_OK;
}

/* Behind the main numbers, as far as the last page has room. */
static int add_others(struct store_db *db, struct store_contacts *c, const char *prefix)
{
    int room = page_limit(c->limit) - c->count;
    struct compose q = {0};

    if (c->more || room == 0)
        return ERR_OK;
    by_other_number(&q, prefix, room);
    return compose_run(db, &q, add_contact, c);
}

static int exec_contacts(struct store_db *db, struct store_op *op)
{
    struct store_contacts *c = container_of(op, struct store_contacts, op);
    char digits[64], prefix[66];
    struct compose q = {0};
    int rc;

    compose_contacts(&q, c);
    rc = compose_run(db, &q, add_contact, c);
    if (rc || said(c->tag) || said(c->attribute))
        return rc;
    if (said(c->search) && compose_digits(c->search, digits)) {
        prefix_of(digits, prefix);
        return add_others(db, c, prefix);
    }
    return said(c->prefix) && !said(c->search) ? add_others(db, c, c->prefix) : ERR_OK;
}

void store_contacts_clear(struct store_contacts *c)
{
    for (int i = 0; i < c->count; i++)
        contact_row_clear(&c->rows[i]);
    free(c->rows);
    c->rows = NULL;
    c->count = 0;
}

static void drop_contacts(struct store_op *op)
{
    store_contacts_clear(container_of(op, struct store_contacts, op));
}

void store_contacts(struct store *s, struct store_contacts *c)
{
    c->rows = NULL;
    c->count = 0;
    c->more = false;
    store_submit_read(s, &c->op, exec_contacts, drop_contacts);
}

/* ---- one -------------------------------------------------------------------------------------------------
 */

static const char sql_by_number[] = SELECT_CONTACT "contact c WHERE c.id = " CONTACT_OF("?1");
static const char sql_by_id[] = SELECT_CONTACT "contact c WHERE c.id = ?1";
static const char sql_consent[] = "SELECT state, at FROM consent WHERE number = ?1 AND sim = ''";
static const char sql_others_out[] = "SELECT group_concat(n.number, ',') FROM contact_also n JOIN consent s "
                                     "ON s.number = n.number AND s.sim = '' "
                                     "WHERE n.contact = ?1 AND s.state = 2";
static const char sql_conversations[] =
    "SELECT count(*), ifnull(max(CASE WHEN state < 5 THEN id END), 0) FROM conversation WHERE contact = ?1";

static int read_row(struct store_db *db, struct store_contact *c)
{
    sqlite3_stmt *st;
    int rc = c->number ? DB_FIRST(db, &st, sql_by_number, db_text(c->number))
                       : DB_FIRST(db, &st, sql_by_id, db_int(c->id));

    if (rc == 0)
        return c->number ? err_set(db->err, ERR_NOT_FOUND, "there is no contact %.40s", c->number)
                         : err_set(db->err, ERR_NOT_FOUND, "there is no contact %lld", (long long)c->id);
    if (rc < 0)
        return rc;
    contact_row_read(st, 0, &c->row);
    db_end(st);
    return ERR_OK;
}

static int read_about(struct store_db *db, struct store_contact *c)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_consent, db_text(c->row.number));

    if (rc > 0) {
        c->consent = (enum consent_state)db_col(st, 0);
        c->consent_wall_ms = db_col(st, 1);
        db_end(st);
    }
    if (rc < 0 || (rc = DB_FIRST(db, &st, sql_others_out, db_int(c->row.id))) <= 0)
        return rc;
    c->others_out = db_col_dup(st, 0);
    db_end(st);
    if ((rc = DB_FIRST(db, &st, sql_conversations, db_int(c->row.id))) <= 0)
        return rc;
    c->conversations = (int)db_col(st, 0);
    c->live = db_col(st, 1);
    db_end(st);
    return ERR_OK;
}

static int exec_contact(struct store_db *db, struct store_op *op)
{
    struct store_contact *c = container_of(op, struct store_contact, op);
    int rc = read_row(db, c);

    return rc ? rc : read_about(db, c);
}

void store_contact_clear(struct store_contact *c)
{
    contact_row_clear(&c->row);
    free(c->others_out);
    c->others_out = NULL;
}

static void drop_contact(struct store_op *op)
{
    store_contact_clear(container_of(op, struct store_contact, op));
}

void store_contact(struct store *s, struct store_contact *c)
{
    c->row = (struct contact_row){0};
    c->others_out = NULL;
    c->consent = CONSENT_UNKNOWN;
    c->consent_wall_ms = c->live = 0;
    c->conversations = 0;
    store_submit_brief_read(s, &c->op, exec_contact, drop_contact);
}
