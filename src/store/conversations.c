/* Conversations as they are listed: the live ones along their last change or along how long their customer
 * waits, the ended ones along theirs, by words along their numbers; and how many there are of each kind. */
#include <stdlib.h>
#include <string.h>

#include "store/compose.h"
#include "store/desk_private.h"

/* The contact of a number that is one value. */
#define CONTACT_OF_VALUE "(SELECT " CONTACT_OF("w.number") " FROM (SELECT ? AS number) w)"

/* What was late and has been answered is not late any more. */
#define LATE                                                                                                 \
    "(due_first <> 0 AND overdue_first > 0) OR (due_next <> 0 AND overdue_next > 0) OR (due_resolution <> "  \
    "0 AND overdue_resolution > 0)"

enum {
    WORDS_MAX = 1000,  /* matches that a search looks at, the newest */
    TAGGED_MAX = 2000, /* customers with a tag that few have */
};

/* What a list follows. */
enum way {
    ALONG_LIVE,
    ALONG_WAITING,
    ALONG_ENDED,
    ALONG_DEPARTMENT,
    ALONG_ASSIGNEE,
    ALONG_CONTACT,
    ALONG_TAG,
    ALONG_WORDS
};

static bool said(const char *text)
{
    return text && *text;
}

static unsigned states_of(const struct store_convs *c)
{
    unsigned states = c->states ? c->states : CONV_BIT_LIVE;

    /* What is late or flagged matters while it can be answered. */
    return c->overdue || c->flagged || c->order == CONV_LONGEST ? states & CONV_BIT_LIVE : states;
}

static enum way way_of(const struct store_convs *c)
{
    if (said(c->search))
        return ALONG_WORDS;
    if (said(c->number))
        return ALONG_CONTACT;
    if (c->order == CONV_LONGEST)
        return ALONG_WAITING;
    if ((states_of(c) & CONV_BIT_LIVE) == states_of(c))
        return ALONG_LIVE;
    if (said(c->tag))
        return ALONG_TAG;
    if (c->assignee)
        return ALONG_ASSIGNEE;
    return c->department ? ALONG_DEPARTMENT : ALONG_ENDED;
}

#define SELECT_CONV "SELECT " CONV_COLUMNS " FROM "

/* Where the rows come from, up to WHERE. The ended ones alone are along `state >= 5`; with live ones among
 * them both halves are put together. */
static void compose_from(struct compose *q, const struct store_convs *c, enum way way)
{
    static const char *const from[] = {
        [ALONG_LIVE] =
            SELECT_CONV "conversation v INDEXED BY conversation_changed CROSS JOIN contact c ON c.id = "
                        "v.contact WHERE v.state < 5",
        [ALONG_WAITING] =
            SELECT_CONV "conversation v INDEXED BY conversation_waiting CROSS JOIN contact c ON c.id "
                        "= v.contact WHERE v.state < 5 AND v.waiting > 0",
        [ALONG_ENDED] =
            SELECT_CONV "conversation v INDEXED BY conversation_ended CROSS JOIN contact c ON c.id = "
                        "v.contact WHERE v.state >= 5",
        [ALONG_DEPARTMENT] =
            SELECT_CONV "conversation v INDEXED BY conversation_ended_department CROSS JOIN "
                        "contact c ON c.id = v.contact WHERE v.state >= 5 AND v.department = ?",
        [ALONG_ASSIGNEE] =
            SELECT_CONV "conversation v INDEXED BY conversation_ended_assignee CROSS JOIN contact "
                        "c ON c.id = v.contact WHERE v.state >= 5 AND v.assignee = ?",
        [ALONG_CONTACT] =
            SELECT_CONV "contact c CROSS JOIN conversation v INDEXED BY conversation_contact ON "
                        "v.contact = c.id WHERE c.id = " CONTACT_OF_VALUE,
    };
    const char *value[] = {
        [ALONG_DEPARTMENT] = c->department, [ALONG_ASSIGNEE] = c->assignee, [ALONG_CONTACT] = c->number};

    if (way == ALONG_LIVE || way == ALONG_WAITING || way == ALONG_ENDED)
        compose_sql(q, from[way]);
    else
        compose_with(q, from[way], db_text(value[way]));
}

/* ---- by words or a tag: the numbers that may be meant, then one after the other, until a page is full ----
 */

struct found {
    int64_t *ids;
    int n;
};

static int add_found(struct store_db *db, sqlite3_stmt *st, void *to)
{
    struct found *f = to;
    int64_t *grown = rows_add(db, f->ids, &f->n, sizeof *grown);

    if (!grown)
        return ERR_NOMEM;
    f->ids = grown;
    grown[f->n - 1] = db_col(st, 0);
    return ERR_OK;
}

/* Of customers with this name, or this beginning of a number of theirs. */
static int find_by_contact(struct store_db *db, const struct store_convs *c, struct found *f)
{
    struct compose q = {0};
    char digits[64];
    const char *words;

    if (compose_digits(c->search, digits)) {
        struct buf *prefix = compose_text(&q);
        struct db_arg from, to;

        buf_addf(prefix, "%s%s", digits[0] == '+' ? "" : "+", digits);
        from = db_text(buf_str(prefix));
        to = db_text(compose_behind(&q, buf_str(prefix)));
        compose_with(&q, "SELECT v.id FROM (SELECT id FROM contact WHERE number >= ?", from);
        compose_with(&q, " AND number < ? UNION ALL SELECT contact FROM contact_also WHERE number >= ", to);
        compose_with(&q, "? AND number < ", from);
        compose_with(&q, "? LIMIT ", to);
    } else if ((words = compose_words(&q, c->search))) {
        compose_with(
            &q,
            "SELECT v.id FROM (SELECT rowid AS id FROM contact_words WHERE contact_words MATCH ? ORDER "
            "BY rowid DESC LIMIT ",
            db_text(words));
    } else {
        return ERR_OK;
    }
    compose_with(&q, "?) w CROSS JOIN conversation v INDEXED BY conversation_contact ON v.contact = w.id",
                 db_int(WORDS_MAX));
    compose_if(&q, c->after > 0, " WHERE v.id < ?", db_int(c->after));
    return compose_run(db, &q, add_found, f);
}

static int find_by_title(struct store_db *db, const struct store_convs *c, struct found *f)
{
    struct compose q = {0};
    const char *words = compose_words(&q, c->search);

    if (!words)
        return ERR_OK;
    compose_with(&q, "SELECT rowid FROM conversation_words WHERE conversation_words MATCH ?", db_text(words));
    compose_if(&q, c->after > 0, " AND rowid < ?", db_int(c->after));
    compose_with(&q, " ORDER BY rowid DESC LIMIT ?", db_int(WORDS_MAX));
    return compose_run(db, &q, add_found, f);
}

static int newest(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x < y) - (x > y);
}

static void compose_filters(struct compose *q, const struct store_convs *c, enum way way, unsigned states)
{
    compose_with(q, " AND (1 << v.state & ?) <> 0", db_int((int64_t)states));
    compose_if(q, c->department && way != ALONG_DEPARTMENT, " AND v.department = ?", db_text(c->department));
    compose_if(q, c->assignee && way != ALONG_ASSIGNEE, " AND v.assignee = ?", db_text(c->assignee));
    compose_if(q, said(c->sim), " AND v.sim = ?", db_text(c->sim));
    compose_if(q, said(c->tag),
               " AND EXISTS(SELECT 1 FROM contact_tag t WHERE t.contact = v.contact AND t.tag = ?)",
               db_text(c->tag));
    if (c->overdue)
        compose_sql(q, " AND (" LATE ")");
    if (c->flagged)
        compose_sql(q, " AND v.flagged");
}

static void compose_order(struct compose *q, const struct store_convs *c)
{
    bool waiting = c->order == CONV_LONGEST;

    if (waiting) {
        compose_sql(q, " AND v.waiting > 0");
        compose_if(q, c->after > 0,
                   " AND (v.waiting, v.id) > (SELECT b.waiting, b.id FROM conversation b WHERE b.id = ?)",
                   db_int(c->after));
        compose_sql(q, " ORDER BY v.waiting, v.id");
        return;
    }
    compose_if(q, c->after > 0,
               " AND (v.changed, v.id) < (SELECT b.changed, b.id FROM conversation b WHERE b.id = ?)",
               db_int(c->after));
    compose_sql(q, " ORDER BY v.changed DESC, v.id DESC");
}

static int add_conv(struct store_db *db, sqlite3_stmt *st, void *to)
{
    struct store_convs *c = to;
    struct conv_row *grown;

    grown = rows_add(db, c->rows, &c->count, sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    c->rows = grown;
    conv_row_read(st, 0, &grown[c->count - 1]);
    return ERR_OK;
}

static int read_along(struct store_db *db, struct store_convs *c, enum way way, unsigned states)
{
    struct compose q = {0};

    if (states == 0)
        return ERR_OK;
    compose_from(&q, c, way);
    compose_filters(&q, c, way, states);
    compose_order(&q, c);
    compose_with(&q, " LIMIT ?", db_int(page_limit(c->limit) + 1));
    return compose_run(db, &q, add_conv, c);
}

/* Those of the found that pass the filters, until the page is full. */
static int read_found(struct store_db *db, struct store_convs *c, const struct found *f, unsigned states)
{
    struct compose q = {0};
    sqlite3_stmt *st = NULL;
    int rc;

    compose_with(&q, SELECT_CONV "conversation v CROSS JOIN contact c ON c.id = v.contact WHERE v.id = ?",
                 db_int(0));
    compose_if(&q, said(c->number), " AND c.id = " CONTACT_OF_VALUE, db_text(c->number));
    compose_filters(&q, c, ALONG_WORDS, states);
    rc = db_once(db, buf_str(&q.sql), q.args, q.n, &st);
    for (int i = 0; i < f->n && rc == ERR_OK && c->count <= page_limit(c->limit); i++) {
        if (i > 0 && f->ids[i] == f->ids[i - 1])
            continue;
        q.args[0] = db_int(f->ids[i]);
        if ((rc = db_bind_all(db, st, q.args, q.n)) == ERR_OK && (rc = db_step(db, st)) > 0) {
            rc = add_conv(db, st, c);
            db_end(st);
        }
    }
    sqlite3_finalize(st);
    compose_free(&q);
    return rc;
}

static int read_by_words(struct store_db *db, struct store_convs *c, unsigned states)
{
    struct found f = {.n = 0};
    int rc = find_by_contact(db, c, &f);

    if (rc == ERR_OK)
        rc = find_by_title(db, c, &f);
    if (f.n > 1)
        qsort(f.ids, (size_t)f.n, sizeof *f.ids, newest);
    if (rc == ERR_OK)
        rc = read_found(db, c, &f, states);
    free(f.ids);
    return rc;
}

static const char sql_tagged[] = "SELECT 1 FROM contact_tag WHERE tag = ?1 LIMIT 1 OFFSET ?2";

/* Ended ones of customers with a tag. Of a tag that few have, all are looked at by an index that says enough;
 * one that many have is met often enough along all of them. */
static int read_tagged(struct store_db *db, struct store_convs *c, unsigned states)
{
    struct found f = {.n = 0};
    struct compose q = {0};
    sqlite3_stmt *st;
    int rc = states ? DB_FIRST(db, &st, sql_tagged, db_text(c->tag), db_int(TAGGED_MAX)) : 0;

    if (rc > 0) {
        db_end(st);
        return read_along(db, c, ALONG_ENDED, states);
    }
    if (rc < 0 || !states)
        return rc;
    compose_with(
        &q,
        "SELECT v.id FROM contact_tag g CROSS JOIN conversation v INDEXED BY conversation_ended_contact "
        "ON v.contact = g.contact WHERE v.state >= 5 AND g.tag = ?",
        db_text(c->tag));
    compose_order(&q, c);
    rc = compose_run(db, &q, add_found, &f);
    if (rc == ERR_OK)
        rc = read_found(db, c, &f, states);
    free(f.ids);
    return rc;
}

static int newest_first(const void *a, const void *b)
{
    const struct conv_row *x = a, *y = b;

    if (x->changed_wall_ms != y->changed_wall_ms)
        return x->changed_wall_ms < y->changed_wall_ms ? 1 : -1;
    return x->id < y->id ? 1 : -1;
}

/* Live and ended ones have an index each: a page of both is made of a page of each. */
static bool is_split(enum way way)
{
    return way == ALONG_ENDED || way == ALONG_DEPARTMENT || way == ALONG_ASSIGNEE || way == ALONG_TAG;
}

static int exec_convs(struct store_db *db, struct store_op *op)
{
    struct store_convs *c = container_of(op, struct store_convs, op);
    enum way way = way_of(c);
    unsigned states = states_of(c);
    int rc;

    if (way == ALONG_WORDS) {
        rc = read_by_words(db, c, states);
    } else if (!is_split(way)) {
        rc = read_along(db, c, way, states);
    } else {
        unsigned ended = states & ~(unsigned)CONV_BIT_LIVE;

        rc = way == ALONG_TAG ? read_tagged(db, c, ended) : read_along(db, c, way, ended);
        if (rc == ERR_OK)
            rc = read_along(db, c, ALONG_LIVE, states & CONV_BIT_LIVE);
        if (c->count > 1)
            qsort(c->rows, (size_t)c->count, sizeof *c->rows, newest_first);
    }
    c->more = c->count > page_limit(c->limit);
    if (c->more)
        c->count = page_limit(c->limit);
    return rc;
}

void store_convs_clear(struct store_convs *c)
{
    free(c->rows);
    c->rows = NULL;
    c->count = 0;
}

static void drop_convs(struct store_op *op)
{
    store_convs_clear(container_of(op, struct store_convs, op));
}

void store_convs(struct store *s, struct store_convs *c)
{
    c->rows = NULL;
    c->count = 0;
    c->more = false;
    store_submit_read(s, &c->op, exec_convs, drop_convs);
}

/* ---- counts ----------------------------------------------------------------------------------------------
 */

static const char sql_counts[] =
    "SELECT department, state, count(*), sum(" LATE "), "
    "sum(flagged), sum(assignee = ''), sum(waiting > 0), ifnull(min(nullif(waiting, 0)), 0) "
    "FROM conversation INDEXED BY conversation_changed WHERE state < 5 AND (?1 IS NULL OR assignee = ?1) AND "
    "(?2 IS NULL OR sim = ?2) GROUP BY department, state ORDER BY department, state";

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void add_state(struct conv_count *n, sqlite3_stmt *st)
{
    int64_t state = db_col(st, 1);

    if (state > 0 && state < CONV_STATES)
        n->by_state[state] = (int)db_col(st, 2);
    n->overdue += (int)db_col(st, 3);
    n->flagged += (int)db_col(st, 4);
    n->unassigned += (int)db_col(st, 5);
    n->waiting += (int)db_col(st, 6);
    n->longest_wall_ms = earlier(n->longest_wall_ms, db_col(st, 7));
}

static int exec_counts(struct store_db *db, struct store_op *op)
{
    struct store_conv_counts *c = container_of(op, struct store_conv_counts, op);
    sqlite3_stmt *st = DB_BIND(db, sql_counts, db_text_or_null(c->assignee), db_text_or_null(c->sim));
    char department[DESK_WORD_BYTES];
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        db_col_text(st, 0, department, sizeof department);
        if (c->count == 0 || strcmp(c->rows[c->count - 1].department, department) != 0) {
            struct conv_count *grown = rows_add(db, c->rows, &c->count, sizeof *grown);

            if (!grown) {
                db_end(st);
                return ERR_NOMEM;
            }
            c->rows = grown;
            str_copy(grown[c->count - 1].department, sizeof department, department);
        }
        add_state(&c->rows[c->count - 1], st);
    }
    return rc;
}

static void drop_counts(struct store_op *op)
{
    struct store_conv_counts *c = container_of(op, struct store_conv_counts, op);

    free(c->rows);
    c->rows = NULL;
    c->count = 0;
}

void store_conv_counts(struct store *s, struct store_conv_counts *c)
{
    c->rows = NULL;
    c->count = 0;
    store_submit_read(s, &c->op, exec_counts, drop_counts);
}
