/* Two contacts become one, and what number is the main one of a contact.
 *
 * The numbers of the one become further numbers (contact_also) of the other: whoever writes from them later
 * is that contact. What is of a number and not of a person stays with it: messages, consent, guard, mutes. */
#include <stdio.h>
#include <string.h>

#include "store/desk_private.h"
#include "store/query_desk.h"
#include "store/remove.h"

struct merging {
    struct store_db *db;
    struct store_merge *m;
    int64_t from, into;        /* contacts */
    struct numbers was, stays; /* their numbers */
};

static const char sql_merge_fields[] =
    "UPDATE contact SET name = CASE WHEN contact.name <> '' THEN contact.name ELSE f.name END, language = "
    "CASE WHEN contact.language <> '' THEN contact.language ELSE f.language END, zone = CASE WHEN "
    "contact.zone <> '' THEN contact.zone ELSE f.zone END, notes = CASE WHEN ifnull(f.notes, '') = '' THEN "
    "contact.notes WHEN ifnull(contact.notes, '') = '' THEN f.notes ELSE contact.notes || char(10) || "
    "f.notes END, attributes = nullif(json_patch(ifnull(f.attributes, '{}'), ifnull(contact.attributes, "
    "'{}')), '{}'), created = min(contact.created, f.created), changed = ?3 FROM (SELECT name, language, "
    "zone, notes, attributes, created FROM contact WHERE id = ?1) f WHERE contact.id = ?2";
static const char sql_merge_tags[] =
    "INSERT OR IGNORE INTO contact_tag(contact, tag) SELECT ?2, tag FROM contact_tag WHERE contact = ?1";
static const char sql_forget_tags[] = "DELETE FROM contact_tag WHERE contact = ?1";
static const char sql_take_numbers[] = "UPDATE contact_also SET contact = ?2 WHERE contact = ?1";
static const char sql_forget_contact[] = "DELETE FROM contact WHERE id = ?1";
static const char sql_also[] = "INSERT INTO contact_also(number, contact, since) VALUES(?1, ?2, ?3)";

static int merge_fields(struct merging *g)
{
    int rc = DB_RUN(g->db, sql_merge_fields, db_int(g->from), db_int(g->into), db_int(g->m->now_wall_ms));

    return rc ? rc : DB_RUN(g->db, sql_merge_tags, db_int(g->from), db_int(g->into));
}

int contact_also(struct store_db *db, const char *number, int64_t contact, int64_t now_wall_ms)
{
    return DB_RUN(db, sql_also, db_text(number), db_int(contact), db_int(now_wall_ms));
}

static int forget(struct merging *g)
{
    int rc = DB_RUN(g->db, sql_forget_tags, db_int(g->from));

    if (rc == ERR_OK)
        rc = DB_RUN(g->db, sql_take_numbers, db_int(g->from), db_int(g->into));
    if (rc == ERR_OK)
        rc = DB_RUN(g->db, sql_forget_contact, db_int(g->from));
    return rc ? rc : contact_also(g->db, g->was.of[0], g->into, g->m->now_wall_ms);
}

/* Two live ones of a SIM become one, so that nobody who waits is lost from sight: messages and the log of the
 * one go into the other, in the order of time. */
static const char sql_fold_messages[] =
    "UPDATE message SET conversation = ?2 WHERE conversation = ?1 AND conversation > 0";
static const char sql_fold_about[] = "UPDATE message SET about = ?2 WHERE about = ?1 AND about > 0";
static const char sql_fold_log[] =
    "INSERT INTO conversation_log(conversation, n, at, what, who, value, message) SELECT ?2, 1000000000 + "
    "row_number() OVER (ORDER BY at, conversation, n), at, what, who, value, message FROM conversation_log "
    "WHERE conversation IN (?1, ?2)";
static const char sql_fold_log_old[] =
    "DELETE FROM conversation_log WHERE conversation IN (?1, ?2) AND n < 1000000000";
static const char sql_fold_log_n[] =
    "UPDATE conversation_log SET n = n - 1000000000 WHERE conversation = ?2 AND ?1 <> ?2";
static const char sql_fold_events[] = "UPDATE event SET conversation = ?2 WHERE conversation = ?1";
static const char sql_fold_deliveries[] = "UPDATE delivery SET conversation = ?2 WHERE conversation = ?1";
static const char sql_fold_comment[] =
    "UPDATE conversation SET survey_comment = a.survey_comment FROM (SELECT survey_comment FROM conversation "
    "WHERE id = ?1) a WHERE conversation.id = ?2 AND conversation.survey = 0";
static const char sql_fold_gone[] = "DELETE FROM conversation WHERE id = ?1 AND id <> ?2";

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static const char sql_wrote_last[] = "SELECT peer FROM message INDEXED BY message_conversation WHERE "
                                     "conversation = ?1 AND conversation > 0 AND "
                                     "direction = 2 AND flags & 1024 = 0 ORDER BY id DESC LIMIT 1";

/* The number that the customer wrote from last, of all messages that are in it now. */
static int wrote_last(struct store_db *db, struct conv_row *c)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_wrote_last, db_int(c->id));

    if (rc <= 0)
        return rc;
    db_col_text(st, 0, c->number, sizeof c->number);
    db_end(st);
    return ERR_OK;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A clock that was late is told once. */
static void fold_clocks(const struct conv_row *a, struct conv_row *b)
{
    for (int k = 0; k < CLOCKS; k++) {
        if (a->due_wall_ms[k] <= 0 || (b->due_wall_ms[k] > 0 && b->due_wall_ms[k] <= a->due_wall_ms[k]))
            continue;
        b->due_wall_ms[k] = a->due_wall_ms[k];
        b->overdue_wall_ms[k] = a->overdue_wall_ms[k];
    }
}

/* Who was asked is asked about once; with sql_fold_comment. */
static void fold_survey(const struct conv_row *a, struct conv_row *b)
{
    if (b->survey_wall_ms != 0)
        return;
    b->survey_wall_ms = a->survey_wall_ms;
    b->survey_score = a->survey_score;
    b->survey_answered_wall_ms = a->survey_answered_wall_ms;
    str_copy(b->survey_person, sizeof b->survey_person, a->survey_person);
    str_copy(b->survey_department, sizeof b->survey_department, a->survey_department);
}

/* Whose it was it stays, unless others have it. */
static void fold_assignee(const struct conv_row *a, struct conv_row *b)
{
    if (*b->assignee || (*b->department && strcmp(a->department, b->department) != 0))
        return;
    str_copy(b->assignee, sizeof b->assignee, a->assignee);
    str_copy(b->department, sizeof b->department, a->department);
    if (*b->assignee && b->state == CONV_NEW)
        b->state = CONV_OPEN;
}

static int fold(struct store_db *db, const struct conv_row *a, struct conv_row *b, int64_t now_wall_ms)
{
    static const char *const steps[] = {sql_fold_messages,   sql_fold_about,   sql_fold_log,
                                        sql_fold_log_old,    sql_fold_log_n,   sql_fold_events,
                                        sql_fold_deliveries, sql_fold_comment, sql_fold_gone};
    int rc = ERR_OK;

    for (size_t i = 0; i < ARRAY_LEN(steps) && rc == ERR_OK; i++)
        rc = DB_RUN(db, steps[i], db_int(a->id), db_int(b->id));
    if (rc || (rc = conv_was(db, a->id, b->id)) || (rc = wrote_last(db, b)))
        return rc;
    b->created_wall_ms = earlier(a->created_wall_ms, b->created_wall_ms);
    b->waiting_wall_ms = earlier(a->waiting_wall_ms, b->waiting_wall_ms);
    b->first_response_wall_ms = earlier(a->first_response_wall_ms, b->first_response_wall_ms);
    b->last_in_wall_ms = later(a->last_in_wall_ms, b->last_in_wall_ms);
    b->person_wall_ms = later(a->person_wall_ms, b->person_wall_ms);
    b->office_wall_ms = later(a->office_wall_ms, b->office_wall_ms);
    b->messages_in += a->messages_in;
    b->replies_by_persons += a->replies_by_persons;
    b->replies_automatic += a->replies_automatic;
    b->flagged = a->flagged || b->flagged;
    b->changed_wall_ms = now_wall_ms;
    fold_clocks(a, b);
    fold_survey(a, b);
    fold_assignee(a, b);
    if (b->waiting_wall_ms != 0 && (b->state == CONV_WAITING || b->state == CONV_SNOOZED)) {
        b->state = CONV_OPEN;
        b->snoozed_until_wall_ms = 0;
    }
    return conv_save(db, b);
}

static const char sql_move[] = "UPDATE conversation SET contact = ?2, peer = ?3 WHERE id = ?1";

static int merge_conv(struct merging *g, int64_t id)
{
    struct conv_row a, b;
    int64_t kept = id;
    int rc;

    if ((rc = conv_load(g->db, id, &a)) || (rc = conv_find_live(g->db, g->into, a.sim, &b)))
        return rc;
    if (a.state < CONV_CLOSED && b.id != 0) {
        rc = fold(g->db, &a, &b, g->m->now_wall_ms);
        kept = b.id;
    } else {
        rc = DB_RUN(g->db, sql_move, db_int(id), db_int(g->into), db_text(a.number));
    }
    g->m->conversations++;
    return rc ? rc : conv_log(g->db, kept, g->m->now_wall_ms, "merge", g->m->who, g->was.of[0], 0);
}

static const char sql_next_of[] =
    "SELECT id FROM conversation WHERE contact = ?1 AND id > ?2 ORDER BY id LIMIT 1";

static int merge_conversations(struct merging *g)
{
    int64_t id = 0;

    for (;;) {
        sqlite3_stmt *st;
        int rc = DB_FIRST(g->db, &st, sql_next_of, db_int(g->from), db_int(id));

        if (rc <= 0)
            return rc;
        id = db_col(st, 0);
        db_end(st);
        if ((rc = merge_conv(g, id)))
            return rc;
    }
}

static const char sql_outs[] =
    "SELECT sim FROM consent WHERE number = ?1 AND state = 2 AND sim > ?2 ORDER BY sim "
    "LIMIT 1";
static const char sql_out[] = "SELECT 1 FROM consent WHERE number = ?1 AND state = 2 AND sim = ''";

/* Whose opt-outs are shared. */
struct sharing {
    struct store_db *db;
    const char *who;
    int64_t now_wall_ms;
};

static int set_out(const struct sharing *g, const char *number, const char *other, const char *sim)
{
    char words[128];
    enum consent_state now;
    int rc = consent_get(g->db, number, sim, &now);

    if (rc || (now == CONSENT_OUT && *sim))
        return rc;
    snprintf(words, sizeof words, "one person with %s, who has opted out", other);
    return consent_set(g->db, &(struct consent_change){.number = number,
                                                       .sim = sim,
                                                       .who = g->who,
                                                       .how = "merge",
                                                       .words = words,
                                                       .state = CONSENT_OUT,
                                                       .at_wall_ms = g->now_wall_ms});
}

static int business_out(struct store_db *db, const char *number)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_out, db_text(number));

    if (rc > 0)
        db_end(st);
    return rc;
}

/* What one number has opted out of the other has too. */
static int share_opt_out(const struct sharing *g, const char *number, const char *other)
{
    char sim[MSG_MODEM_BYTES] = "";
    int rc = business_out(g->db, number), there = business_out(g->db, other);

    if (rc > 0 && there == 0)
        return set_out(g, other, number, "");
    if (rc != 0 || there != 0)
        return rc < 0 ? rc : there < 0 ? there : ERR_OK;
    for (;;) {
        sqlite3_stmt *st;

        if ((rc = DB_FIRST(g->db, &st, sql_outs, db_text(number), db_text(sim))) <= 0)
            return rc;
        db_col_text(st, 0, sim, sizeof sim);
        db_end(st);
        if ((rc = set_out(g, other, number, sim)))
            return rc;
    }
}

int contact_share_opt_outs(struct store_db *db, const struct numbers *all, const char *who,
                           int64_t now_wall_ms)
{
    const struct sharing g = {.db = db, .who = who, .now_wall_ms = now_wall_ms};
    int rc = ERR_OK;

    for (int i = 0; i < all->n; i++)
        for (int k = 0; k < all->n && rc == ERR_OK; k++)
            if (i != k)
                rc = share_opt_out(&g, all->of[i], all->of[k]);
    return rc;
}

/* ---- another main number ---- */

static const char sql_keep_peers[] = "UPDATE conversation SET peer = ?2 WHERE contact = ?1 AND peer = ''";
static const char sql_not_also[] = "DELETE FROM contact_also WHERE number = ?1";
static const char sql_main[] = "UPDATE contact SET number = ?2, changed = ?3 WHERE id = ?1";

/* Both numbers are of one contact. */
static int make_main(struct merging *g)
{
    const char *was = g->stays.of[0], *into = g->m->into;
    int rc;

    if (!strcmp(was, into))
        return err_set(g->db->err, ERR_INVALID, "%.40s is a number of %.40s already", g->m->from, into);
    str_copy(g->m->number, sizeof g->m->number, into);
    if ((rc = DB_RUN(g->db, sql_keep_peers, db_int(g->into), db_text(was))) ||
        (rc = DB_RUN(g->db, sql_not_also, db_text(into))) ||
        (rc = DB_RUN(g->db, sql_main, db_int(g->into), db_text(into), db_int(g->m->now_wall_ms))))
        return rc;
    return contact_also(g->db, was, g->into, g->m->now_wall_ms);
}

/* ---- the whole ---- */

static const char sql_erased[] =
    "SELECT 1 FROM erasure INDEXED BY erasure_open WHERE ended = 0 AND number = ?1 LIMIT 1";

static int find_numbers(struct merging *g, const char *number, struct numbers *out)
{
    int rc = contact_numbers(g->db, number, out);

    if (rc == ERR_OK && out->contact == 0)
        return err_set(g->db->err, ERR_NOT_FOUND, "there is no contact %.40s", number);
    for (int i = 0; i < out->n && rc == ERR_OK; i++) {
        sqlite3_stmt *st;

        if ((rc = DB_FIRST(g->db, &st, sql_erased, db_text(out->of[i]))) > 0) {
            db_end(st);
            rc = err_set(g->db->err, ERR_BUSY, "%.40s is being erased", number);
        }
    }
    return rc;
}

static int join(struct merging *g)
{
    struct numbers all;
    int rc;

    if (g->was.n + g->stays.n > DESK_NUMBERS_MAX)
        return err_set(g->db->err, ERR_TOO_LONG, "a contact has at most %d numbers", (int)DESK_NUMBERS_MAX);
    str_copy(g->m->number, sizeof g->m->number, g->stays.of[0]);
    if ((rc = merge_fields(g)) || (rc = merge_conversations(g)) || (rc = forget(g)) ||
        (rc = contact_numbers(g->db, g->m->into, &all)))
        return rc;
    return contact_share_opt_outs(g->db, &all, g->m->who, g->m->now_wall_ms);
}

static int exec_merge(struct store_db *db, struct store_op *op)
{
    struct store_merge *m = container_of(op, struct store_merge, op);
    struct merging g = {.db = db, .m = m};
    int rc;

    m->conversations = 0;
    if (!strcmp(m->from, m->into))
        return err_set(db->err, ERR_INVALID, "two different numbers expected, not %.40s twice", m->from);
    if ((rc = ids_keep(db)) || (rc = find_numbers(&g, m->from, &g.was)) ||
        (rc = find_numbers(&g, m->into, &g.stays)))
        return rc;
    g.from = g.was.contact;
    g.into = g.stays.contact;
    return g.from == g.into ? make_main(&g) : join(&g);
}

void store_merge(struct store *s, struct store_merge *m)
{
    store_submit_write(s, &m->op, exec_merge, NULL);
}
