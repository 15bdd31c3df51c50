/* Campaigns: making and changing them. See store/campaign.h; what is read of them is in campaign_read.c. */
#include "store/campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/campaign_private.h"

static const struct {
    const char *name;
    unsigned next; /* the states that may follow by a person's will */
} states[CAMPAIGN_STATES] = {
    [CAMPAIGN_DRAFT] = {"draft", 1U << CAMPAIGN_RUNNING | 1U << CAMPAIGN_STOPPED},
    [CAMPAIGN_RUNNING] = {"running", 1U << CAMPAIGN_PAUSED | 1U << CAMPAIGN_STOPPED},
    [CAMPAIGN_PAUSED] = {"paused", 1U << CAMPAIGN_RUNNING | 1U << CAMPAIGN_STOPPED},
    [CAMPAIGN_DONE] = {"done", 1U << CAMPAIGN_STOPPED}, /* what it has in the queue */
    [CAMPAIGN_STOPPED] = {"stopped", 0},
};

const char *campaign_state_name(enum campaign_state s)
{
    return s >= CAMPAIGN_DRAFT && s < CAMPAIGN_STATES ? states[s].name : "?";
}

bool campaign_state_from_name(const char *name, enum campaign_state *out)
{
    for (unsigned s = CAMPAIGN_DRAFT; s < CAMPAIGN_STATES; s++)
        if (strcmp(states[s].name, name) == 0) {
            *out = (enum campaign_state)s;
            return true;
        }
    return false;
}

const char *recipient_state_name(enum recipient_state s)
{
    static const char *const names[] = {"?", "waiting", "accepted", "refused"};

    return s >= RECIPIENT_WAITING && s <= RECIPIENT_REFUSED ? names[s] : "?";
}

void campaign_row_clear(struct campaign_row *c)
{
    free(c->text);
    *c = (struct campaign_row){0};
}

/* ---- made ---- */

static const char sql_new[] =
    "INSERT INTO campaign(name, state, text, audience, proof, modem, pool, per_minute, due, who, created, "
    "started, ended, reason) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, '')";
static const char sql_of_tag[] =
    "INSERT INTO campaign_to(campaign, n, number, state, message, reason) SELECT ?1, row_number() OVER "
    "(ORDER BY c.id), c.number, 1, 0, '' FROM contact_tag t JOIN contact c ON c.id = t.contact WHERE t.tag = "
    "?2";
static const char sql_of_attribute[] =
    "INSERT INTO campaign_to(campaign, n, number, state, message, reason) SELECT ?1, row_number() OVER "
    "(ORDER BY c.id), c.number, 1, 0, '' FROM contact_attribute a JOIN contact c ON c.id = a.contact WHERE "
    "a.name = ?2 AND (?3 IS NULL OR a.value = ?3)";

static int choose(struct store_db *db, struct store_campaign_new *n)
{
    int rc = ERR_OK;

    if (n->tag)
        rc = DB_RUN(db, sql_of_tag, db_int(n->row.id), db_text(n->tag));
    else if (n->attribute)
        rc =
            DB_RUN(db, sql_of_attribute, db_int(n->row.id), db_text(n->attribute), db_text_or_null(n->value));
    n->row.total = rc == ERR_OK && (n->tag || n->attribute) ? sqlite3_changes64(db->h) : 0;
    return rc;
}

static int exec_new(struct store_db *db, struct store_op *op)
{
    struct store_campaign_new *n = container_of(op, struct store_campaign_new, op);
    struct campaign_row *r = &n->row;
    int rc = DB_RUN(db, sql_new, db_text(r->name), db_int(CAMPAIGN_DRAFT), db_text(r->text),
                    db_text(r->audience), db_text(r->proof), db_text(r->modem), db_text(r->pool),
                    db_int(r->per_minute), db_int(r->due_wall_ms), db_text(r->who), db_int(n->now_wall_ms));

    r->id = sqlite3_last_insert_rowid(db->h);
    r->state = CAMPAIGN_DRAFT;
    r->created_wall_ms = n->now_wall_ms;
    return rc ? rc : choose(db, n);
}

void store_campaign_new(struct store *s, struct store_campaign_new *n)
{
    store_submit_write(s, &n->op, exec_new, NULL);
}

/* ---- more recipients ---- */

static const char sql_state[] = "SELECT state FROM campaign WHERE id = ?1";
static const char sql_last[] = "SELECT ifnull(max(n), 0) FROM campaign_to WHERE campaign = ?1";
static const char sql_add[] =
    "INSERT OR IGNORE INTO campaign_to(campaign, n, number, state, message, reason) "
    "VALUES(?1, ?2, ?3, 1, 0, '')";

int campaign_state_of(struct store_db *db, int64_t id, enum campaign_state *out)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_state, db_int(id));

    if (rc == 0)
        return err_set(db->err, ERR_NOT_FOUND, "there is no campaign %lld", (long long)id);
    if (rc < 0)
        return rc;
    *out = (enum campaign_state)db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

static int exec_add(struct store_db *db, struct store_op *op)
{
    struct store_campaign_add *a = container_of(op, struct store_campaign_add, op);
    enum campaign_state state;
    sqlite3_stmt *st;
    int rc;

    a->added = 0;
    if ((rc = campaign_state_of(db, a->id, &state)))
        return rc;
    if (state != CAMPAIGN_DRAFT)
        return err_set(db->err, ERR_REFUSED, "campaign %lld is %s: only a draft takes more recipients",
                       (long long)a->id, campaign_state_name(state));
    if ((rc = DB_FIRST(db, &st, sql_last, db_int(a->id))) <= 0)
        return rc;
    a->total = db_col(st, 0);
    db_end(st);
    for (int i = 0; i < a->count; i++) {
        if ((rc = DB_RUN(db, sql_add, db_int(a->id), db_int(a->total + 1), db_text(a->numbers[i]))))
            return rc;
        a->total += sqlite3_changes64(db->h);
        a->added += (int)sqlite3_changes64(db->h);
    }
    return ERR_OK;
}

void store_campaign_add(struct store *s, struct store_campaign_add *a)
{
    store_submit_write(s, &a->op, exec_add, NULL);
}

/* ---- moved ---- */

static const char sql_move[] =
    "UPDATE campaign SET state = ?2, reason = ?3, started = CASE WHEN started = 0 AND ?2 = 2 THEN ?4 ELSE "
    "started END, ended = CASE WHEN ?2 >= 4 THEN ?4 ELSE 0 END WHERE id = ?1";
/* A life may have ended between a message and its recipient's mark: what is not marked is not cancelled. */
static const char sql_mark_taken[] = "UPDATE campaign_to SET state = 2, message = m.id FROM message m WHERE "
                                     "campaign = ?1 AND campaign_to.state = 1 "
                                     "AND m.key = 'campaign:' || ?1 || ':' || number AND m.key <> ''";

static int exec_move(struct store_db *db, struct store_op *op)
{
    struct store_campaign_move *m = container_of(op, struct store_campaign_move, op);
    char reason[MSG_REASON_BYTES];
    int rc = campaign_state_of(db, m->id, &m->was);

    if (rc || m->was == m->to)
        return rc;
    if (m->to < CAMPAIGN_DRAFT || m->to >= CAMPAIGN_STATES || !(states[m->was].next >> m->to & 1U))
        return err_set(db->err, ERR_REFUSED, "campaign %lld is %s: it cannot become %s", (long long)m->id,
                       campaign_state_name(m->was), campaign_state_name(m->to));
    snprintf(reason, sizeof reason, "%s%.100s", m->reason ? "" : "by ", m->reason ? m->reason : m->who);
    if (m->to == CAMPAIGN_STOPPED && (rc = DB_RUN(db, sql_mark_taken, db_int(m->id))))
        return rc;
    return DB_RUN(db, sql_move, db_int(m->id), db_int(m->to), db_text(reason), db_int(m->now_wall_ms));
}

void store_campaign_move(struct store *s, struct store_campaign_move *m)
{
    store_submit_write(s, &m->op, exec_move, NULL);
}

/* ---- what became of recipients ---- */

static const char sql_mark[] =
    "UPDATE campaign_to SET state = ?3, message = ?4, reason = ?5 WHERE campaign = "
    "?1 AND n = ?2 AND state = 1";
static const char sql_waits[] = "SELECT 1 FROM campaign_to WHERE campaign = ?1 AND state = 1 LIMIT 1";

static int end(struct store_db *db, struct store_campaign_mark *m)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_waits, db_int(m->id));

    if (rc < 0)
        return rc;
    if (rc > 0) {
        db_end(st);
        return ERR_OK;
    }
    m->state = CAMPAIGN_DONE;
    return DB_RUN(db, sql_move, db_int(m->id), db_int(CAMPAIGN_DONE), db_text("nobody waits any more"),
                  db_int(m->now_wall_ms));
}

static int exec_mark(struct store_db *db, struct store_op *op)
{
    struct store_campaign_mark *m = container_of(op, struct store_campaign_mark, op);
    int rc = campaign_state_of(db, m->id, &m->state);

    for (int i = 0; i < m->count && rc == ERR_OK; i++)
        rc = DB_RUN(db, sql_mark, db_int(m->id), db_int(m->marks[i].n), db_int(m->marks[i].state),
                    db_int(m->marks[i].message), db_text(m->marks[i].reason));
    if (rc == ERR_OK && m->state == CAMPAIGN_RUNNING)
        rc = end(db, m);
    return rc;
}

void store_campaign_mark(struct store *s, struct store_campaign_mark *m)
{
    store_submit_write(s, &m->op, exec_mark, NULL);
}
