/* What is kept for a time only is erased by and by: each call is a short transaction that looks at a bounded
 * number of rows, so that nobody waits for it. */
#include <string.h>

#include "store/desk_private.h"
#include "store/query_desk.h"
#include "store/remove.h"

enum { ROWS_MAX = 1000, WORD_PAGES = 16, NEWER = 2 };

static const char *const names[RETENTIONS] = {"contacts", "messages", "raw PDUs", "counts", "words"};

const char *retention_name(enum retention r)
{
    return names[r];
}

struct found {
    int64_t id[ROWS_MAX];
    int64_t with[ROWS_MAX]; /* the second column */
    int n;
};

static int max_of(const struct store_retain *r)
{
    return r->max < 1 ? 1 : r->max > ROWS_MAX ? ROWS_MAX : r->max;
}

static int find(struct store_db *db, sqlite3_stmt *st, struct found *f)
{
    int rc;

    f->n = 0;
    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0)
        if (f->n < ROWS_MAX) {
            f->id[f->n] = db_col(st, 0);
            f->with[f->n++] = db_col(st, 1);
        }
    return rc;
}

static int run_each(struct store_db *db, const char *const *steps, size_t n, int64_t id)
{
    int rc = ERR_OK;

    for (size_t i = 0; i < n && rc == ERR_OK; i++)
        rc = DB_RUN(db, steps[i], db_int(id));
    return rc;
}

/* ---- messages --------------------------------------------------------------------------------------------
 */

/* What is queued, on the air, of unknown outcome or not handled is not done with. */
static const char sql_messages[] = "SELECT id, state FROM message INDEXED BY message_created WHERE created < "
                                   "?1 AND state NOT IN (1, 2, 9, 10) ORDER BY created, id LIMIT ?2";
/* A contact is in use as long as somebody wrote, also when the message is kept for a shorter time. */
static const char sql_in_use[] =
    "UPDATE contact SET changed = m.created FROM message m WHERE m.id = ?1 AND contact.id = " CONTACT_OF(
        "m.peer") " AND "
                  "contact.changed < m.created";
static const char sql_ended[] = "SELECT v.id, 0 FROM conversation v INDEXED BY conversation_ended WHERE "
                                "v.state >= 5 AND v.changed < ?1 AND NOT "
                                "EXISTS(SELECT 1 FROM message m WHERE m.conversation = v.id AND "
                                "m.conversation > 0) ORDER BY v.changed LIMIT ?2";
static const char sql_log[] = "DELETE FROM conversation_log WHERE conversation = ?1";
static const char sql_was[] = "DELETE FROM conversation_was WHERE conversation = ?1";
static const char sql_conversation[] = "DELETE FROM conversation WHERE id = ?1";
static const char sql_reports[] =
    "DELETE FROM report WHERE id IN (SELECT id FROM report WHERE part IS NULL AND received < ?1 LIMIT ?2)";

static int erase_ended(struct store_db *db, struct store_retain *r, struct found *f)
{
    static const char *const steps[] = {sql_log, sql_was, sql_conversation};
    int rc = find(db, DB_BIND(db, sql_ended, db_int(r->before_wall_ms), db_int(max_of(r))), f);

    for (int i = 0; i < f->n && rc == ERR_OK; i++)
        rc = run_each(db, steps, ARRAY_LEN(steps), f->id[i]);
    r->more = f->n == max_of(r);
    return rc ? rc : DB_RUN(db, sql_reports, db_int(r->before_wall_ms), db_int(max_of(r)));
}

static int erase_messages(struct store_db *db, struct store_retain *r, struct found *f)
{
    int rc = find(db, DB_BIND(db, sql_messages, db_int(r->before_wall_ms), db_int(max_of(r))), f);

    for (int i = 0; i < f->n && rc == ERR_OK; i++)
        if ((rc = DB_RUN(db, sql_in_use, db_int(f->id[i]))) == ERR_OK)
            rc = message_remove(db, f->id[i], (int)f->with[i]);
    if (rc)
        return rc;
    r->erased = f->n;
    r->more = f->n > 0;
    return f->n > 0 ? messages_sweep(db) : erase_ended(db, r, f);
}

/* ---- raw PDUs --------------------------------------------------------------------------------------------
 */

enum { RAW_DUE, RAW_WAITS, RAW_NEWER, RAW_AHEAD };

static const char sql_cursor[] = "SELECT message FROM retained WHERE kind = 2";
static const char sql_set_cursor[] = "INSERT OR REPLACE INTO retained(kind, message) VALUES(2, ?1)";
#define RAW_CLASS                                                                                            \
    "CASE WHEN m.created > ?3 THEN 3 WHEN m.created >= ?2 THEN 2 ELSE m.state IN (1, 2, 9, 10) END"
static const char sql_raw[] =
    "SELECT m.id, " RAW_CLASS " FROM message m WHERE m.id > ?4 ORDER BY m.id LIMIT ?1";
static const char sql_raw_again[] = "SELECT m.id, " RAW_CLASS " FROM raw_later l JOIN message m ON m.id = "
                                    "l.message WHERE l.at < ?2 ORDER BY l.at LIMIT ?1";
static const char sql_later[] = "INSERT OR REPLACE INTO raw_later(message, at) SELECT id, max(created, ?2) "
                                "FROM message WHERE id = ?1";
static const char sql_not_later[] = "DELETE FROM raw_later WHERE message = ?1";
static const char sql_raw_parts[] = "UPDATE part SET pdu = x'' WHERE id BETWEEN ?1 * 256 AND ?1 * 256 + 255";
static const char sql_raw_segments[] = "UPDATE segment SET pdu = x'' WHERE message = ?1";
static const char sql_raw_reports[] =
    "UPDATE report SET pdu = x'' WHERE part BETWEEN ?1 * 256 AND ?1 * 256 + 255";

static int read_cursor(struct store_db *db, int64_t *after)
{
    sqlite3_stmt *st;
    int rc = db_first(db, &st, sql_cursor, NULL, 0);

    *after = 0;
    if (rc <= 0)
        return rc;
    *after = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

/* What waits, and what a clock stamped that was ahead, is looked at again: in its time, or a day later. */
static int raw_each(struct store_db *db, struct store_retain *r, const struct found *f, int n)
{
    static const char *const steps[] = {sql_raw_parts, sql_raw_segments, sql_raw_reports, sql_not_later};
    int rc = ERR_OK;

    for (int i = 0; i < n && rc == ERR_OK; i++) {
        if (f->with[i] != RAW_DUE) {
            rc = DB_RUN(db, sql_later, db_int(f->id[i]), db_int(r->before_wall_ms + MS_PER_DAY));
            continue;
        }
        rc = run_each(db, steps, ARRAY_LEN(steps), f->id[i]);
        r->erased++;
    }
    return rc;
}

/* In the order of ids, which is that of time but for clocks that were set: what is newer is passed where
 * something that is not comes behind it; else it ends here, and is never walked through. */
static int erase_raw(struct store_db *db, struct store_retain *r, struct found *f)
{
    int64_t after;
    int passed = 0, rc;

    rc = find(
        db, DB_BIND(db, sql_raw_again, db_int(max_of(r)), db_int(r->before_wall_ms), db_int(r->now_wall_ms)),
        f);
    r->more = f->n > 0;
    if (rc || r->more)
        return rc ? rc : raw_each(db, r, f, f->n);
    if ((rc = read_cursor(db, &after)) ||
        (rc = find(db,
                   DB_BIND(db, sql_raw, db_int(max_of(r)), db_int(r->before_wall_ms), db_int(r->now_wall_ms),
                           db_int(after)),
                   f)))
        return rc;
    for (int i = 0; i < f->n; i++)
        if (f->with[i] != RAW_NEWER)
            passed = i + 1;
    r->more = passed > 0 && f->n == max_of(r);
    if (passed == 0 || (rc = raw_each(db, r, f, passed)))
        return rc;
    return DB_RUN(db, sql_set_cursor, db_int(f->id[passed - 1]));
}

/* ---- contacts --------------------------------------------------------------------------------------------
 */

static const char sql_contacts[] =
    "SELECT c.id, c.changed < ?2 AND NOT EXISTS(SELECT 1 FROM conversation v WHERE v.contact = c.id AND "
    "(v.state < 5 OR v.changed >= ?2)) FROM contact c WHERE c.id > ?1 ORDER BY c.id LIMIT ?3";
/* The newest that was not earlier, within eras as messages of a number are indexed. */
static const char sql_written[] =
    "WITH RECURSIVE era(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM era WHERE n < (SELECT max(id) FROM "
    "message) / " MSG_ERA_SQL ") SELECT ifnull(max(m.created), 0) FROM era CROSS JOIN (SELECT number FROM "
    "contact WHERE id = ?1 UNION ALL SELECT number FROM contact_also WHERE "
    "contact = ?1) c CROSS JOIN message m "
    "INDEXED BY message_peer ON m.id / " MSG_ERA_SQL " = era.n AND m.peer = c.number WHERE m.created >= ?2";
static const char sql_touch[] = "UPDATE contact SET changed = ?2 WHERE id = ?1";
static const char sql_unthread[] = "UPDATE message SET conversation = 0 WHERE conversation IN (SELECT id "
                                   "FROM conversation WHERE contact = ?1) "
                                   "AND conversation > 0";
static const char sql_logs[] =
    "DELETE FROM conversation_log WHERE conversation IN (SELECT id FROM conversation WHERE contact = ?1)";
static const char sql_all_was[] =
    "DELETE FROM conversation_was WHERE conversation IN (SELECT id FROM conversation WHERE contact = ?1)";
static const char sql_conversations[] = "DELETE FROM conversation WHERE contact = ?1";
static const char sql_tags[] = "DELETE FROM contact_tag WHERE contact = ?1";
static const char sql_also[] = "DELETE FROM contact_also WHERE contact = ?1";
static const char sql_contact[] = "DELETE FROM contact WHERE id = ?1";

/* Keeps one that somebody wrote to or who wrote, for as long again. */
static int is_in_use(struct store_db *db, int64_t contact, int64_t before_wall_ms, bool *in_use)
{
    sqlite3_stmt *st;
    int64_t at;
    int rc = DB_FIRST(db, &st, sql_written, db_int(contact), db_int(before_wall_ms));

    if (rc <= 0)
        return rc;
    at = db_col(st, 0);
    db_end(st);
    *in_use = at > 0;
    return *in_use ? DB_RUN(db, sql_touch, db_int(contact), db_int(at)) : ERR_OK;
}

static int erase_contact(struct store_db *db, struct store_retain *r, int64_t contact)
{
    static const char *const steps[] = {sql_unthread, sql_logs, sql_all_was, sql_conversations,
                                        sql_tags,     sql_also, sql_contact};
    bool in_use = false;
    int rc = is_in_use(db, contact, r->before_wall_ms, &in_use);

    if (rc || in_use)
        return rc;
    r->erased++;
    return run_each(db, steps, ARRAY_LEN(steps), contact);
}

static int erase_contacts(struct store_db *db, struct store_retain *r, struct found *f)
{
    int rc =
        find(db, DB_BIND(db, sql_contacts, db_int(r->from), db_int(r->before_wall_ms), db_int(max_of(r))), f);

    for (int i = 0; i < f->n && rc == ERR_OK; i++)
        if (f->with[i])
            rc = erase_contact(db, r, f->id[i]);
    r->more = f->n == max_of(r);
    r->after = f->n > 0 ? f->id[f->n - 1] : 0;
    return rc;
}

/* ---- counts ---------------------------------------------------------------------------------------------
 */

/* From one name to the next, and of each what is old: the rows that stay are not walked through. */
/* clang-format off */
#define OLD_COUNTS(table, key) \
    "DELETE FROM " table " WHERE (" key ", quarter) IN (" \
    "WITH RECURSIVE w(name) AS (SELECT min(" key ") FROM " table " UNION ALL SELECT (SELECT min(" key ") FROM " table \
    " WHERE " key " > name) FROM w WHERE name IS NOT NULL) " \
    "SELECT o." key ", o.quarter FROM w CROSS JOIN " table " o ON o." key " = name AND o.quarter < ?1 LIMIT ?2)"
/* clang-format on */

static int erase_counts(struct store_db *db, struct store_retain *r, struct found *f)
{
    static const char *const tables[] = {OLD_COUNTS("spending", "route"), OLD_COUNTS("usage", "imsi")};
    int rc = ERR_OK;

    (void)f;
    for (size_t i = 0; i < ARRAY_LEN(tables) && rc == ERR_OK && !r->more; i++) {
        rc = DB_RUN(db, tables[i], db_int(r->before_wall_ms / MS_PER_QUARTER), db_int(max_of(r)));
        int n = (int)sqlite3_changes64(db->h);
        r->erased += n;
        r->more = n == max_of(r);
    }
    return rc;
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

static int scrub_words(struct store_db *db, struct store_retain *r, struct found *f)
{
    (void)f;
    return words_scrub(db, WORD_PAGES, &r->more);
}

/* A server that answers would be asked again and again about a conversation that is not there. Once for many:
 * what waits is little. */
static const char sql_undeliver[] =
    "UPDATE delivery SET conversation = 0 WHERE conversation > 0 AND NOT EXISTS(SELECT 1 FROM conversation v "
    "WHERE v.id = delivery.conversation)";

static int exec_retain(struct store_db *db, struct store_op *op)
{
    static int (*const kinds[RETENTIONS])(struct store_db * db, struct store_retain * r, struct found * f) = {
        [RETAIN_CONTACTS] = erase_contacts,
        [RETAIN_MESSAGES] = erase_messages,
        [RETAIN_RAW] = erase_raw,
        [RETAIN_COUNTS] = erase_counts,
        [RETAIN_WORDS] = scrub_words,
    };
    struct store_retain *r = container_of(op, struct store_retain, op);
    struct found f;
    int rc;

    r->erased = 0;
    r->more = false;
    if (r->kind != RETAIN_CONTACTS && r->kind != RETAIN_MESSAGES)
        return kinds[r->kind](db, r, &f);
    if ((rc = ids_keep(db)) || (rc = kinds[r->kind](db, r, &f)))
        return rc;
    return db_run(db, sql_undeliver, NULL, 0);
}

void store_retain(struct store *s, struct store_retain *r)
{
    r->from = r->after;
    store_submit_write(s, &r->op, exec_retain, NULL);
}
