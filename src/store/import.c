/* Contacts made or changed by the hundred, and two contacts that become one. */
#include <stdio.h>
#include <string.h>

#include "store/desk_private.h"
#include "store/query_desk.h"
#include "store/remove.h"

/* ---- import ----------------------------------------------------------------------------------------------
 */

static const char sql_known[] = "SELECT 1 FROM contact WHERE number = ?1";
static const char sql_fields[] =
    "UPDATE contact SET name = ifnull(?2, name), language = ifnull(?3, language), zone = ifnull(?4, zone), "
    "notes "
    "= ifnull(?5, notes), changed = ?6 WHERE id = ?1 AND (name <> ifnull(?2, name) OR language <> ifnull(?3, "
    "language) OR zone <> ifnull(?4, zone) OR ifnull(notes, '') <> coalesce(?5, notes, ''))";
/* Empty texts become nulls, which a patch takes away. */
#define PATCHED                                                                                              \
    "nullif(json_patch(ifnull(attributes, '{}'), (SELECT json_group_object(key, nullif(value, '')) FROM "    \
    "json_each(?2))), '{}')"
static const char sql_attributes[] =
    "UPDATE contact SET attributes = " PATCHED ", changed = ?3 WHERE id = ?1 AND attributes IS NOT " PATCHED;
static const char sql_tag[] = "INSERT OR IGNORE INTO contact_tag(contact, tag) VALUES(?1, ?2)";
static const char sql_touch[] = "UPDATE contact SET changed = ?2 WHERE id = ?1";

static int note_change(struct store_db *db, int rc, bool *changed)
{
    if (rc == ERR_OK && sqlite3_changes64(db->h) > 0)
        *changed = true;
    return rc;
}

static int add_tags(struct store_db *db, int64_t contact, const char *tags, int64_t now_wall_ms,
                    bool *changed)
{
    bool any = false;
    int rc = ERR_OK;

    while (tags && *tags && rc == ERR_OK) {
        size_t len = strcspn(tags, ",");
        char tag[DESK_WORD_BYTES];

        if (len > 0 && len < sizeof tag) {
            memcpy(tag, tags, len);
            tag[len] = '\0';
            rc = note_change(db, DB_RUN(db, sql_tag, db_int(contact), db_text(tag)), &any);
        }
        tags += len + (tags[len] == ',');
    }
    if (rc == ERR_OK && any)
        rc = note_change(db, DB_RUN(db, sql_touch, db_int(contact), db_int(now_wall_ms)), changed);
    return rc;
}

static int import_consent(struct store_db *db, const struct store_import *i, struct contact_import *c)
{
    enum consent_state now;
    char how[DESK_WORD_BYTES];
    int rc = consent_get(db, c->number, "", &now);

    if (rc || c->consent == CONSENT_UNKNOWN || c->consent == now)
        return rc;
    c->kept_out = now == CONSENT_OUT;
    if (c->kept_out)
        return ERR_OK;
    c->changed = true;
    snprintf(how, sizeof how, "%s%s",
             i->proof && !strncmp(i->proof, "import", 6) ? "" : "import:", i->proof ? i->proof : "");
    if ((rc = figure_consent(db, c->consent, "", NULL, i->now_wall_ms)))
        return rc;
    return consent_set(db, &(struct consent_change){.number = c->number,
                                                    .sim = "",
                                                    .who = i->who,
                                                    .how = how,
                                                    .words = i->proof,
                                                    .state = c->consent,
                                                    .at_wall_ms = i->now_wall_ms});
}

static int import_one(struct store_db *db, const struct store_import *i, struct contact_import *c)
{
    int64_t id;
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_known, db_text(c->number));

    if (rc > 0)
        db_end(st);
    if (rc < 0)
        return rc;
    c->existed = rc > 0;
    c->changed = c->kept_out = false;
    if ((rc = contact_make(db, c->number, i->now_wall_ms, &id)) ||
        (rc = note_change(db,
                          DB_RUN(db, sql_fields, db_int(id), db_text_or_null(c->name),
                                 db_text_or_null(c->language), db_text_or_null(c->zone),
                                 db_text_or_null(c->notes), db_int(i->now_wall_ms)),
                          &c->changed)))
        return rc;
    if (c->attributes &&
        (rc = note_change(
             db, DB_RUN(db, sql_attributes, db_int(id), db_text(c->attributes), db_int(i->now_wall_ms)),
             &c->changed)))
        return rc;
    rc = add_tags(db, id, c->tags, i->now_wall_ms, &c->changed);
    return rc ? rc : import_consent(db, i, c);
}

static int exec_import(struct store_db *db, struct store_op *op)
{
    struct store_import *i = container_of(op, struct store_import, op);
    int rc = ERR_OK;

    for (int n = 0; n < i->count && rc == ERR_OK; n++)
        rc = import_one(db, i, &i->contacts[n]);
    return rc;
}

void store_import(struct store *s, struct store_import *i)
{
    store_submit_write(s, &i->op, exec_import, NULL);
}

/* ---- merging ---------------------------------------------------------------------------------------------
 */

struct merging {
    struct store_db *db;
    struct store_merge *m;
    int64_t from, into;
};

static int contact_id(struct store_db *db, const char *number, int64_t *id)
{
    static const char sql[] = "SELECT id FROM contact WHERE number = ?1";
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql, db_text(number));

    if (rc == 0)
        return err_set(db->err, ERR_NOT_FOUND, "there is no contact %.40s", number);
    if (rc < 0)
        return rc;
    *id = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

static const char sql_merge_fields[] =
    "UPDATE contact SET name = CASE WHEN contact.name <> '' THEN contact.name ELSE f.name END, language = "
    "CASE "
    "WHEN contact.language <> '' THEN contact.language ELSE f.language END, zone = CASE WHEN contact.zone <> "
    "'' "
    "THEN contact.zone ELSE f.zone END, notes = CASE WHEN ifnull(f.notes, '') = '' THEN contact.notes WHEN "
    "ifnull(contact.notes, '') = '' THEN f.notes ELSE contact.notes || char(10) || f.notes END, attributes = "
    "nullif(json_patch(ifnull(f.attributes, '{}'), ifnull(contact.attributes, '{}')), '{}'), changed = ?3 "
    "FROM (SELECT name, language, zone, notes, attributes FROM contact WHERE id = ?1) f WHERE contact.id = "
    "?2";
static const char sql_merge_tags[] =
    "INSERT OR IGNORE INTO contact_tag(contact, tag) SELECT ?2, tag FROM contact_tag WHERE contact = ?1";
static const char sql_forget_tags[] = "DELETE FROM contact_tag WHERE contact = ?1";
static const char sql_forget_contact[] = "DELETE FROM contact WHERE id = ?1";

static int merge_fields(struct merging *g)
{
    int rc = DB_RUN(g->db, sql_merge_fields, db_int(g->from), db_int(g->into), db_int(g->m->now_wall_ms));

    return rc ? rc : DB_RUN(g->db, sql_merge_tags, db_int(g->from), db_int(g->into));
}

static int forget(struct merging *g)
{
    int rc = DB_RUN(g->db, sql_forget_tags, db_int(g->from));

    return rc ? rc : DB_RUN(g->db, sql_forget_contact, db_int(g->from));
}

/* Two live ones of a SIM become one, so that nobody who waits is lost from sight: messages and the log of the
 * one go into the other, in the order of time. */
static const char sql_fold_messages[] =
    "UPDATE message SET conversation = ?2 WHERE conversation = ?1 AND conversation > 0";
static const char sql_fold_log[] =
    "INSERT INTO conversation_log(conversation, n, at, what, who, value, message) SELECT ?2, 1000000000 + "
    "row_number() OVER (ORDER BY at, conversation, n), at, what, who, value, message FROM conversation_log "
    "WHERE "
    "conversation IN (?1, ?2)";
static const char sql_fold_log_old[] =
    "DELETE FROM conversation_log WHERE conversation IN (?1, ?2) AND n < 1000000000";
static const char sql_fold_log_n[] =
    "UPDATE conversation_log SET n = n - 1000000000 WHERE conversation = ?2 AND ?1 <> ?2";
static const char sql_fold_events[] = "UPDATE event SET conversation = ?2 WHERE conversation = ?1";
static const char sql_fold_deliveries[] = "UPDATE delivery SET conversation = ?2 WHERE conversation = ?1";
static const char sql_fold_gone[] = "DELETE FROM conversation WHERE id = ?1 AND id <> ?2";

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Of two clocks, of which those that stand are not above 0. */
static int64_t sooner(int64_t a, int64_t b)
{
    return a > 0 && (b <= 0 || a < b) ? a : b;
}

static int fold(struct store_db *db, const struct conv_row *a, struct conv_row *b, int64_t now_wall_ms)
{
    static const char *const steps[] = {sql_fold_messages, sql_fold_log,    sql_fold_log_old,
                                        sql_fold_log_n,    sql_fold_events, sql_fold_deliveries,
                                        sql_fold_gone};
    int rc = ERR_OK;

    for (size_t i = 0; i < ARRAY_LEN(steps) && rc == ERR_OK; i++)
        rc = DB_RUN(db, steps[i], db_int(a->id), db_int(b->id));
    if (rc)
        return rc;
    b->created_wall_ms = earlier(a->created_wall_ms, b->created_wall_ms);
    b->waiting_wall_ms = earlier(a->waiting_wall_ms, b->waiting_wall_ms);
    b->first_response_wall_ms = earlier(a->first_response_wall_ms, b->first_response_wall_ms);
    b->last_in_wall_ms = a->last_in_wall_ms > b->last_in_wall_ms ? a->last_in_wall_ms : b->last_in_wall_ms;
    b->messages_in += a->messages_in;
    b->replies_by_persons += a->replies_by_persons;
    b->replies_automatic += a->replies_automatic;
    b->flagged = a->flagged || b->flagged;
    b->changed_wall_ms = now_wall_ms;
    for (int k = 0; k < CLOCKS; k++)
        b->due_wall_ms[k] = sooner(a->due_wall_ms[k], b->due_wall_ms[k]);
    if (b->waiting_wall_ms != 0 && (b->state == CONV_WAITING || b->state == CONV_SNOOZED)) {
        b->state = CONV_OPEN;
        b->snoozed_until_wall_ms = 0;
    }
    return conv_save(db, b);
}

static const char sql_move[] = "UPDATE conversation SET contact = ?2 WHERE id = ?1";

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
        rc = DB_RUN(g->db, sql_move, db_int(id), db_int(g->into));
    }
    g->m->conversations++;
    return rc ? rc : conv_log(g->db, kept, g->m->now_wall_ms, "merge", g->m->who, g->m->from, 0);
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

static int set_out(struct merging *g, const char *number, const char *other, const char *sim)
{
    char words[128];
    enum consent_state now;
    int rc = consent_get(g->db, number, sim, &now);

    if (rc || (now == CONSENT_OUT && *sim))
        return rc;
    snprintf(words, sizeof words, "one person with %s, who has opted out", other);
    return consent_set(g->db, &(struct consent_change){.number = number,
                                                       .sim = sim,
                                                       .who = g->m->who,
                                                       .how = "merge",
                                                       .words = words,
                                                       .state = CONSENT_OUT,
                                                       .at_wall_ms = g->m->now_wall_ms});
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
static int share_opt_outs(struct merging *g, const char *number, const char *other)
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

static int exec_merge(struct store_db *db, struct store_op *op)
{
    struct store_merge *m = container_of(op, struct store_merge, op);
    struct merging g = {.db = db, .m = m};
    int rc;

    m->conversations = 0;
    if (!strcmp(m->from, m->into))
        return err_set(db->err, ERR_INVALID, "two different numbers expected, not %.40s twice", m->from);
    if ((rc = ids_keep(db)) || (rc = contact_id(db, m->from, &g.from)) ||
        (rc = contact_id(db, m->into, &g.into)) || (rc = merge_fields(&g)) ||
        (rc = merge_conversations(&g)) || (rc = share_opt_outs(&g, m->from, m->into)) ||
        (rc = share_opt_outs(&g, m->into, m->from)))
        return rc;
    return forget(&g);
}

void store_merge(struct store *s, struct store_merge *m)
{
    store_submit_write(s, &m->op, exec_merge, NULL);
}
