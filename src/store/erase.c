/* Everything about one number goes, some hundred rows a call, so that no transaction holds up the others; and
 * what is about the other numbers of its contact, for they are one person's.
 *
 * It begins with a row in `erasure`, which tells an interrupted one after a restart, and ends with that row
 * losing the number. Phases: messages of the numbers, those of their conversations that were with others,
 * those to others that tell of these conversations, what else our people were told of these by the relay and
 * wrote about them, everything else (in one transaction, so that it is known until then what belongs
 * together), and the words of names and titles, whose index is written anew so that nothing of them is left
 * in it.
 *
 * An opt-out is kept as a keyed hash of its number (SipHash-2-4 under a secret of this database). The number
 * cannot be read from it; whoever has the database can still test whether a given number is among them, which
 * is what keeping an opt-out means. */
#include <stdlib.h>
#include <string.h>

#include "store/desk_private.h"
#include "store/query_desk.h"
#include "store/remove.h"

enum { MESSAGES_A_CALL = 200, STAFF_A_CALL = 20000, WORD_PAGES = 16 };
#define CLOCK_SLACK_MS INT64_C(86400000)
/* Stored. From PHASE_STAFF on: so far the relay's messages were looked at, by message id. */
enum phase { PHASE_MESSAGES = 0, PHASE_WORDS = 3, PHASE_DONE = 4, PHASE_STAFF = 1000 };

struct erasing {
    struct store_db *db;
    struct store_erase *e;
    int64_t id; /* of the erasure */
    int64_t phase;
    struct numbers all;
};

/* ---- the record ------------------------------------------------------------------------------------------
 */

static const char sql_open[] = "SELECT id, phase FROM erasure WHERE ended = 0 AND number = ?1";
static const char sql_begin[] =
    "INSERT INTO erasure(number, who, at, ended, rows, phase) VALUES(?1, ?2, ?3, 0, 0, 0)";
static const char sql_note[] = "UPDATE erasure SET phase = ?2, rows = rows + ?3, ended = ?4, number = CASE "
                               "WHEN ?4 > 0 THEN NULL ELSE number END WHERE id = ?1";

static int find_record(struct erasing *g)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(g->db, &st, sql_open, db_text(g->e->number));

    if (rc > 0) {
        g->id = db_col(st, 0);
        g->phase = db_col(st, 1);
        db_end(st);
        return ERR_OK;
    }
    if (rc == 0 && (rc = DB_RUN(g->db, sql_begin, db_text(g->e->number), db_text(g->e->who),
                                db_int(g->e->now_wall_ms))) == ERR_OK)
        g->id = sqlite3_last_insert_rowid(g->db->h);
    return rc;
}

static int note(struct erasing *g)
{
    bool done = g->phase == PHASE_DONE;

    g->e->more = !done;
    return DB_RUN(g->db, sql_note, db_int(g->id), db_int(g->phase), db_int(g->e->rows),
                  db_int(done ? g->e->now_wall_ms : 0));
}

/* ---- messages --------------------------------------------------------------------------------------------
 */

struct ids {
    int64_t of[MESSAGES_A_CALL];
    int state[MESSAGES_A_CALL];
    int n;
};

static int read_ids(struct store_db *db, sqlite3_stmt *st, struct ids *ids)
{
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        ids->of[ids->n] = db_col(st, 0);
        ids->state[ids->n++] = (int)db_col(st, 1);
        if (ids->n == MESSAGES_A_CALL) {
            db_end(st);
            return ERR_OK;
        }
    }
    return rc;
}

static const char sql_newest[] = "SELECT ifnull(max(id), 0) FROM message";
static const char sql_of_number[] =
    "SELECT id, state FROM message INDEXED BY message_peer WHERE id / " MSG_ERA_SQL " = ?1 AND peer = ?2";
static const char sql_of_conversations[] = "SELECT m.id, m.state FROM conversation v CROSS JOIN message m ON "
                                           "m.conversation = v.id AND m.conversation > 0 "
                                           "WHERE v.contact = ?1";

static const char sql_about[] = "SELECT m.id, m.state FROM conversation v CROSS JOIN message m ON "
                                "m.about = v.id AND m.about > 0 WHERE v.contact = ?1";

static int newest_message(struct erasing *g, int64_t *id)
{
    sqlite3_stmt *st;
    int rc = db_first(g->db, &st, sql_newest, NULL, 0);

    if (rc <= 0)
        return rc;
    *id = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

static int find_messages(struct erasing *g, struct ids *ids)
{
    int64_t newest = 0;
    int rc = newest_message(g, &newest);

    for (int64_t era = 0; era <= newest / MSG_ERA && rc == ERR_OK && ids->n < MESSAGES_A_CALL; era++)
        for (int i = 0; i < g->all.n && rc == ERR_OK && ids->n < MESSAGES_A_CALL; i++)
            rc = read_ids(g->db, DB_BIND(g->db, sql_of_number, db_int(era), db_text(g->all.of[i])), ids);
    return rc;
}

static bool under_way(int state)
{
    return state == MSG_QUEUED || state == MSG_SUBMITTING || state == MSG_UNKNOWN || state == MSG_RECEIVED;
}

static int refuse_busy(struct erasing *g, int64_t id, int state)
{
    g->e->busy = id;
    return err_set(g->db->err, ERR_BUSY, "message %lld is %s: it must be done with first", (long long)id,
                   msg_state_name((enum msg_state)state));
}

/* What was made of a message has its id in its key, "reply:ID:N"; what a handler answered to a delivery,
 * "reply:DELIVERY:HANDLER:N", is something else. */
#define OF_KEY(key) key " GLOB 'reply:[0-9]*:[0-9]*' AND " key " NOT GLOB 'reply:*:*:*'"
static const char sql_made_of[] = "SELECT id, state FROM message INDEXED BY message_key WHERE key > 'reply:' "
                                  "|| ?1 || ':' AND key < 'reply:' || ?1 "
                                  "|| ';' AND key <> '' AND " OF_KEY("key");
static const char sql_made_by_staff[] =
    "SELECT s.id, s.state FROM message m CROSS JOIN message s ON s.id = CAST(substr(m.key, 7) AS INTEGER) "
    "WHERE m.id = "
    "?1 AND m.direction = 1 AND " OF_KEY("m.key") " AND s.direction = 2 AND s.flags & 32768";

/* What our people were told of a message by the relay, what they wrote to answer it, and what a rule
 * forwarded of it has its text. */
static int erase_made(struct erasing *g, const char *sql, int64_t id)
{
    struct ids ids = {.n = 0};
    int rc = read_ids(g->db, DB_BIND(g->db, sql, db_int(id)), &ids);

    for (int i = 0; i < ids.n && rc == ERR_OK; i++) {
        if (under_way(ids.state[i]))
            return refuse_busy(g, ids.of[i], ids.state[i]);
        rc = message_remove(g->db, ids.of[i], ids.state[i]);
        g->e->rows++;
    }
    return rc;
}

static int erase_messages(struct erasing *g, const struct ids *ids)
{
    int rc = ERR_OK;

    for (int i = 0; i < ids->n; i++)
        if (under_way(ids->state[i]))
            return refuse_busy(g, ids->of[i], ids->state[i]);
    for (int i = 0; i < ids->n && rc == ERR_OK; i++) {
        if ((rc = erase_made(g, sql_made_of, ids->of[i])) ||
            (rc = erase_made(g, sql_made_by_staff, ids->of[i])))
            return rc;
        rc = message_remove(g->db, ids->of[i], ids->state[i]);
        g->e->rows++;
    }
    return rc || ids->n == 0 ? rc : messages_sweep(g->db);
}

/* ---- of the relay ----------------------------------------------------------------------------------------
 */

static const char sql_is_theirs[] =
    "SELECT 1 FROM conversation WHERE id = ifnull((SELECT conversation FROM conversation_was WHERE id = ?1), "
    "?1) AND contact = ?2";

static int is_theirs(struct erasing *g, const char *digits)
{
    sqlite3_stmt *st;
    int rc;

    if (*digits < '0' || *digits > '9')
        return 0;
    rc = DB_FIRST(g->db, &st, sql_is_theirs, db_int(strtoll(digits, NULL, 10)), db_int(g->all.contact));
    if (rc > 0)
        db_end(st);
    return rc;
}

/* 1: it is about one of their conversations: "relay:12", or a line of the text begins with "#12". */
static int is_about(struct erasing *g, const char *source, const char *text)
{
    int rc = strncmp(source, "relay:", 6) == 0 ? is_theirs(g, source + 6) : 0;

    while (rc == 0 && text) {
        text += strspn(text, " ");
        if (*text == '#')
            rc = is_theirs(g, text + 1 + strspn(text + 1, " "));
        text = strchr(text, '\n');
        text += text != NULL;
    }
    return rc;
}

static const char sql_staff[] =
    "SELECT id, state, source, text FROM message WHERE id > ?1 AND id <= ?2 AND flags & 32768 ORDER BY id";

/* Of the next messages those about them; *after: how far it came. */
static int find_staff(struct erasing *g, int64_t *after, struct ids *ids)
{
    int64_t to = *after + STAFF_A_CALL;
    sqlite3_stmt *st = DB_BIND(g->db, sql_staff, db_int(*after), db_int(to));
    int rc;

    *after = to;
    if (!st)
        return g->db->err->code;
    while ((rc = db_step(g->db, st)) > 0) {
        const char *source = (const char *)sqlite3_column_text(st, 2);
        int about = is_about(g, source ? source : "", (const char *)sqlite3_column_text(st, 3));

        if (about > 0) {
            ids->of[ids->n] = db_col(st, 0);
            ids->state[ids->n++] = (int)db_col(st, 1);
        }
        if (about < 0 || ids->n == MESSAGES_A_CALL) {
            *after = db_col(st, 0);
            db_end(st);
            return about < 0 ? about : ERR_OK;
        }
    }
    return rc;
}

static const char sql_first[] = "SELECT min(created) FROM conversation WHERE contact = ?1";
static const char sql_since[] =
    "SELECT id FROM message INDEXED BY message_created WHERE created >= ?1 ORDER BY created, id LIMIT 1";

/* Before this message nothing can be about them; 0: there is none that could. */
static int first_of_staff(struct erasing *g, int64_t *id)
{
    int64_t created = 0;
    sqlite3_stmt *st;
    int rc = DB_FIRST(g->db, &st, sql_first, db_int(g->all.contact));

    *id = 0;
    if (rc > 0) {
        created = db_col(st, 0);
        db_end(st);
    }
    if (rc < 0 || created == 0 ||
        (rc = DB_FIRST(g->db, &st, sql_since, db_int(created - CLOCK_SLACK_MS))) <= 0)
        return rc < 0 ? rc : ERR_OK;
    *id = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

/* Notices (it was given to them, it is late), lists, and what they wrote about a conversation: no message of
 * the customer leads there. *more: they were not all looked at. */
static int erase_staff(struct erasing *g, bool *more)
{
    struct ids ids = {.n = 0};
    int64_t newest = 0, after = g->phase - PHASE_STAFF;
    int rc = newest_message(g, &newest);

    if (rc == ERR_OK && g->phase < PHASE_STAFF) {
        rc = first_of_staff(g, &after);
        after = after > 0 ? after - 1 : newest;
    }
    if (rc || after >= newest)
        return rc;
    if ((rc = find_staff(g, &after, &ids)) || (rc = erase_messages(g, &ids)))
        return rc;
    g->phase = PHASE_STAFF + after;
    *more = after < newest;
    return ERR_OK;
}

/* ---- the opt-out -----------------------------------------------------------------------------------------
 */

static const char sql_opt_outs[] = "INSERT OR REPLACE INTO consent_erased(hash, sim, at) SELECT ?2, sim, at "
                                   "FROM consent WHERE number = ?1 AND state = 2";

static int keep_opt_out(struct erasing *g, const char *number)
{
    int64_t hash;
    int rc = consent_hash(g->db, number, &hash);

    if (rc || (rc = DB_RUN(g->db, sql_opt_outs, db_text(number), db_int(hash))))
        return rc;
    g->e->opt_out = g->e->opt_out || sqlite3_changes64(g->db->h) > 0;
    return ERR_OK;
}

/* ---- everything else -------------------------------------------------------------------------------------
 */

#define CONVERSATIONS "(SELECT id FROM conversation WHERE contact = ?1)"
/* Of each number. */
static const char sql_segments[] =
    "DELETE FROM segment WHERE bundle IN (SELECT id FROM bundle WHERE sender = ?1) AND bundle IS NOT NULL";
static const char sql_bundles[] = "DELETE FROM bundle WHERE sender = ?1";
static const char sql_reports[] = "DELETE FROM report WHERE part IS NULL AND recipient = ?1";
static const char sql_events[] = "DELETE FROM event WHERE number = ?1";
static const char sql_auto[] = "DELETE FROM auto_reply WHERE number = ?1";
static const char sql_once[] = "DELETE FROM once WHERE number = ?1";
static const char sql_muted[] = "DELETE FROM muted WHERE number = ?1";
static const char sql_values[] = "DELETE FROM value WHERE (owner, key) IN (SELECT owner, key FROM value "
                                 "INDEXED BY value_key WHERE " KEY_NAMES("?1") ")";
/* What was told of a number without conversation names it in its body. What waits is little. */
static const char sql_told[] =
    "DELETE FROM delivery WHERE conversation = 0 AND message = 0 AND " BODY_NAMES("?1");
/* A campaign's counts stay. Why it was refused tells of the number; nobody who waited gets it any more (state
 * 1: waiting, 2: accepted, 3: refused). */
static const char sql_campaigns[] =
    "UPDATE campaign_to SET number = 'erased ' || n, state = CASE state WHEN 1 THEN 3 ELSE state END, reason "
    "= CASE state WHEN 2 THEN '' ELSE 'erased' END WHERE number = ?1";
static const char sql_consent[] = "DELETE FROM consent WHERE number = ?1";
static const char sql_ledger[] = "DELETE FROM consent_log WHERE number = ?1";
/* Of the contact. */
static const char sql_deliveries[] = "DELETE FROM delivery WHERE conversation IN " CONVERSATIONS;
static const char sql_log[] = "DELETE FROM conversation_log WHERE conversation IN " CONVERSATIONS;
static const char sql_was[] = "DELETE FROM conversation_was WHERE conversation IN " CONVERSATIONS;
static const char sql_conversations[] = "DELETE FROM conversation WHERE contact = ?1";
static const char sql_tags[] = "DELETE FROM contact_tag WHERE contact = ?1";
static const char sql_also[] = "DELETE FROM contact_also WHERE contact = ?1";
static const char sql_contact[] = "DELETE FROM contact WHERE id = ?1";

static int erase_step(struct erasing *g, const char *sql, struct db_arg of)
{
    int rc = DB_RUN(g->db, sql, of);

    if (rc == ERR_OK)
        g->e->rows += (int)sqlite3_changes64(g->db->h);
    return rc;
}

static int erase_rest(struct erasing *g)
{
    static const char *const of_number[] = {sql_segments,  sql_bundles, sql_reports, sql_events,
                                            sql_auto,      sql_once,    sql_muted,   sql_values,
                                            sql_campaigns, sql_consent, sql_ledger,  sql_told};
    static const char *const of_contact[] = {sql_deliveries, sql_log,  sql_was,    sql_conversations,
                                             sql_tags,       sql_also, sql_contact};
    int rc = ERR_OK;

    for (int n = 0; n < g->all.n && rc == ERR_OK; n++) {
        rc = keep_opt_out(g, g->all.of[n]);
        for (size_t i = 0; i < ARRAY_LEN(of_number) && rc == ERR_OK; i++)
            rc = erase_step(g, of_number[i], db_text(g->all.of[n]));
    }
    for (size_t i = 0; i < ARRAY_LEN(of_contact) && rc == ERR_OK; i++)
        rc = erase_step(g, of_contact[i], db_int(g->all.contact));
    return rc;
}

static int erase_words(struct erasing *g)
{
    bool more = false;
    int rc = words_scrub(g->db, WORD_PAGES, &more);

    if (rc == ERR_OK && !more)
        g->phase = PHASE_DONE;
    return rc;
}

/* ---- a call ----------------------------------------------------------------------------------------------
 */

static int erase_some(struct erasing *g)
{
    struct ids ids = {.n = 0};
    bool more = false;
    int rc;

    if (g->phase == PHASE_WORDS)
        return erase_words(g);
    /* Also when it comes back from a later phase: a message may have come in the meantime. */
    if ((rc = find_messages(g, &ids)))
        return rc;
    if (ids.n == 0)
        rc = read_ids(g->db, DB_BIND(g->db, sql_of_conversations, db_int(g->all.contact)), &ids);
    if (rc == ERR_OK && ids.n == 0)
        rc = read_ids(g->db, DB_BIND(g->db, sql_about, db_int(g->all.contact)), &ids);
    if (rc || (rc = erase_messages(g, &ids)) || ids.n > 0)
        return rc;
    if ((rc = erase_staff(g, &more)) || more)
        return rc;
    if ((rc = erase_rest(g)) == ERR_OK)
        g->phase = PHASE_WORDS;
    return rc;
}

static int exec_erase(struct store_db *db, struct store_op *op)
{
    struct store_erase *e = container_of(op, struct store_erase, op);
    struct erasing g = {.db = db, .e = e};
    int rc;

    e->busy = 0;
    e->rows = 0;
    e->more = e->opt_out = false;
    if ((rc = ids_keep(db)) || (rc = find_record(&g)) || (rc = contact_numbers(db, e->number, &g.all)))
        return rc;
    e->numbers = g.all.n;
    if ((rc = erase_some(&g)) || (rc = note(&g)))
        return rc;
    db->erased = db->erased || !e->more;
    return ERR_OK;
}

void store_erase(struct store *s, struct store_erase *e)
{
    store_submit_write(s, &e->op, exec_erase, NULL);
}

/* ---- what was interrupted --------------------------------------------------------------------------------
 */

static const char sql_interrupted[] =
    "SELECT number, who FROM erasure INDEXED BY erasure_open WHERE ended = 0 ORDER BY id LIMIT 1";

static int exec_erasures(struct store_db *db, struct store_op *op)
{
    struct store_erasures *e = container_of(op, struct store_erasures, op);
    sqlite3_stmt *st;
    int rc = db_first(db, &st, sql_interrupted, NULL, 0);

    e->number[0] = e->who[0] = '\0';
    if (rc <= 0)
        return rc;
    db_col_text(st, 0, e->number, sizeof e->number);
    db_col_text(st, 1, e->who, sizeof e->who);
    db_end(st);
    return ERR_OK;
}

void store_erasures(struct store *s, struct store_erasures *e)
{
    store_submit_write(s, &e->op, exec_erasures, NULL);
}
