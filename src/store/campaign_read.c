/* What is read of campaigns: lists, what became of their recipients, and whose turn is next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/campaign_private.h"

#define COUNT_OF(state)                                                                                      \
    "(SELECT count(*) FROM campaign_to t WHERE t.campaign = g.id AND t.state = " #state ")"
#define CAMPAIGN_COLUMNS                                                                                     \
    "g.id, g.name, g.state, g.text, g.audience, g.proof, g.modem, g.pool, g.who, g.reason, g.per_minute, "   \
    "g.due, g.created, g.started, g.ended, " COUNT_OF(1) ", " COUNT_OF(2) ", " COUNT_OF(3)

static int row_read(struct store_db *db, sqlite3_stmt *st, struct campaign_row *r)
{
    *r = (struct campaign_row){.id = db_col(st, 0),
                               .state = (enum campaign_state)db_col(st, 2),
                               .text = db_col_dup(st, 3),
                               .per_minute = (int)db_col(st, 10),
                               .due_wall_ms = db_col(st, 11),
                               .created_wall_ms = db_col(st, 12),
                               .started_wall_ms = db_col(st, 13),
                               .ended_wall_ms = db_col(st, 14),
                               .waiting = db_col(st, 15),
                               .accepted = db_col(st, 16),
                               .refused = db_col(st, 17)};
    r->total = r->waiting + r->accepted + r->refused;
    db_col_text(st, 1, r->name, sizeof r->name);
    db_col_text(st, 4, r->audience, sizeof r->audience);
    db_col_text(st, 5, r->proof, sizeof r->proof);
    db_col_text(st, 6, r->modem, sizeof r->modem);
    db_col_text(st, 7, r->pool, sizeof r->pool);
    db_col_text(st, 8, r->who, sizeof r->who);
    db_col_text(st, 9, r->reason, sizeof r->reason);
    return r->text ? ERR_OK : err_set(db->err, ERR_NOMEM, "out of memory");
}

/* ---- lists ---- */

static const char sql_list[] = "SELECT " CAMPAIGN_COLUMNS " FROM campaign g WHERE (?1 = 0 OR g.state = ?1) "
                               "AND (?2 = 0 OR g.id < ?2) ORDER BY g.id DESC LIMIT ?3";

static int exec_list(struct store_db *db, struct store_op *op)
{
    struct store_campaigns *l = container_of(op, struct store_campaigns, op);
    sqlite3_stmt *st = DB_BIND(db, sql_list, db_int(l->state), db_int(l->before_id), db_int(l->limit));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct campaign_row *grown = rows_add(db, l->rows, &l->count, sizeof *grown);

        if (grown)
            l->rows = grown;
        if (!grown || row_read(db, st, &grown[l->count - 1])) {
            db_end(st);
            return ERR_NOMEM;
        }
    }
    return rc;
}

void store_campaigns_clear(struct store_campaigns *l)
{
    for (int i = 0; i < l->count; i++)
        campaign_row_clear(&l->rows[i]);
    free(l->rows);
    l->rows = NULL;
    l->count = 0;
}

static void drop_list(struct store_op *op)
{
    store_campaigns_clear(container_of(op, struct store_campaigns, op));
}

void store_campaigns(struct store *s, struct store_campaigns *l)
{
    l->rows = NULL;
    l->count = 0;
    store_submit_read(s, &l->op, exec_list, drop_list);
}

/* ---- one ---- */

static const char sql_one[] = "SELECT " CAMPAIGN_COLUMNS " FROM campaign g WHERE g.id = ?1";
static const char sql_messages[] =
    "SELECT m.state, count(*), sum(m.parts), sum(m.cost) FROM campaign_to t JOIN message m ON m.id = "
    "t.message WHERE t.campaign = ?1 AND t.state = 2 GROUP BY m.state";
static const char sql_reasons[] =
    "SELECT replace(reason, number, 'the number'), count(*) FROM campaign_to WHERE campaign = ?1 AND state = "
    "3 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8";

static int read_row(struct store_db *db, int64_t id, struct campaign_row *out)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_one, db_int(id));

    if (rc == 0)
        return err_set(db->err, ERR_NOT_FOUND, "there is no campaign %lld", (long long)id);
    if (rc < 0)
        return rc;
    rc = row_read(db, st, out);
    db_end(st);
    return rc;
}

static int read_messages(struct store_db *db, struct store_campaign *c)
{
    sqlite3_stmt *st = DB_BIND(db, sql_messages, db_int(c->id));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        int64_t state = db_col(st, 0);

        if (state > 0 && state < MSG_STATES)
            c->by_message[state] = db_col(st, 1);
        c->segments += db_col(st, 2);
        c->cost_micros += db_col(st, 3);
    }
    return rc;
}

static int read_reasons(struct store_db *db, struct store_campaign *c)
{
    sqlite3_stmt *st = DB_BIND(db, sql_reasons, db_int(c->id));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct campaign_reason *r = &c->reasons[c->nreasons++];

        db_col_text(st, 0, r->reason, sizeof r->reason);
        r->count = db_col(st, 1);
    }
    return rc;
}

static int exec_one(struct store_db *db, struct store_op *op)
{
    struct store_campaign *c = container_of(op, struct store_campaign, op);
    int rc = read_row(db, c->id, &c->row);

    if (rc == ERR_OK)
        rc = read_messages(db, c);
    return rc ? rc : read_reasons(db, c);
}

void store_campaign_clear(struct store_campaign *c)
{
    struct store_op op = c->op;
    int64_t id = c->id;

    campaign_row_clear(&c->row);
    *c = (struct store_campaign){.op = op, .id = id};
}

static void drop_one(struct store_op *op)
{
    store_campaign_clear(container_of(op, struct store_campaign, op));
}

void store_campaign(struct store *s, struct store_campaign *c)
{
    *c = (struct store_campaign){.op = c->op, .id = c->id};
    store_submit_read(s, &c->op, exec_one, drop_one);
}

/* ---- recipients ---- */

static const char sql_recipients[] =
    "SELECT t.n, t.number, t.state, t.message, ifnull(m.state, 0), CASE WHEN t.reason = '' THEN "
    "ifnull(m.reason, '') ELSE t.reason END FROM campaign_to t LEFT JOIN message m ON m.id = t.message AND "
    "t.message > 0 WHERE t.campaign = ?1 AND t.n > ?2 AND (?3 = 0 OR t.state = ?3) AND (?4 = 0 OR m.state = "
    "?4) ORDER BY t.n LIMIT ?5";

static int exec_recipients(struct store_db *db, struct store_op *op)
{
    struct store_recipients *r = container_of(op, struct store_recipients, op);
    sqlite3_stmt *st = DB_BIND(db, sql_recipients, db_int(r->id), db_int(r->after), db_int(r->state),
                               db_int(r->message_state), db_int(r->limit));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct recipient_row *grown = rows_add(db, r->rows, &r->count, sizeof *grown);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        r->rows = grown;
        grown += r->count - 1;
        *grown = (struct recipient_row){.n = db_col(st, 0),
                                        .state = (enum recipient_state)db_col(st, 2),
                                        .message = db_col(st, 3),
                                        .message_state = (enum msg_state)db_col(st, 4)};
        db_col_text(st, 1, grown->number, sizeof grown->number);
        db_col_text(st, 5, grown->reason, sizeof grown->reason);
    }
    return rc;
}

static void drop_recipients(struct store_op *op)
{
    struct store_recipients *r = container_of(op, struct store_recipients, op);

    free(r->rows);
    r->rows = NULL;
    r->count = 0;
}

void store_recipients(struct store *s, struct store_recipients *r)
{
    r->rows = NULL;
    r->count = 0;
    store_submit_read(s, &r->op, exec_recipients, drop_recipients);
}

/* ---- whose turn it is ---- */

static const char sql_next[] =
    "SELECT n, number FROM campaign_to WHERE campaign = ?1 AND state = 1 AND n > ?2 "
    "ORDER BY n LIMIT ?3";
static const char sql_all[] =
    "SELECT n, number FROM campaign_to WHERE campaign = ?1 AND n > ?2 ORDER BY n LIMIT ?3";

static int read_numbers(struct store_db *db, struct store_campaign_next *n)
{
    sqlite3_stmt *st = db_bind(db, n->look_only ? sql_all : sql_next,
                               DB_ARGS(db_int(n->id), db_int(n->after), db_int(n->max)));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct campaign_contact *grown = rows_add(db, n->rows, &n->count, sizeof *grown);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        n->rows = grown;
        grown[n->count - 1].n = db_col(st, 0);
        db_col_text(st, 1, grown[n->count - 1].number, sizeof grown->number);
    }
    return rc;
}

/* By the campaign's proof those want it of whom nothing is known. An opt-out stays what it is. */
static int prove(struct store_db *db, const struct store_campaign_next *n, struct campaign_contact *c)
{
    char how[CAMPAIGN_PROOF_BYTES + 16], words[CAMPAIGN_NAME_BYTES + 32];

    if (c->consent != CONSENT_UNKNOWN || !*n->row.proof)
        return ERR_OK;
    c->consent = CONSENT_IN;
    if (n->look_only)
        return ERR_OK;
    snprintf(how, sizeof how, "import:%s", n->row.proof);
    snprintf(words, sizeof words, "campaign %lld: %s", (long long)n->id, n->row.name);
    return consent_set(db, &(struct consent_change){.number = c->number,
                                                    .sim = "",
                                                    .who = n->row.who,
                                                    .how = how,
                                                    .words = words,
                                                    .state = CONSENT_IN,
                                                    .at_wall_ms = n->now_wall_ms});
}

static int exec_next(struct store_db *db, struct store_op *op)
{
    struct store_campaign_next *n = container_of(op, struct store_campaign_next, op);
    int rc = read_row(db, n->id, &n->row);

    if (rc || (!n->look_only && n->row.state != CAMPAIGN_RUNNING) || (rc = read_numbers(db, n)))
        return rc;
    for (int i = 0; i < n->count && rc == ERR_OK; i++) {
        struct campaign_contact *c = &n->rows[i];

        if ((rc = contact_load(db, c->number, &c->contact)) == ERR_OK &&
            (rc = consent_get(db, c->number, n->row.modem, &c->consent)) == ERR_OK)
            rc = prove(db, n, c);
    }
    return rc;
}

void store_campaign_next_clear(struct store_campaign_next *n)
{
    for (int i = 0; i < n->count; i++)
        contact_row_clear(&n->rows[i].contact);
    free(n->rows);
    n->rows = NULL;
    n->count = 0;
    campaign_row_clear(&n->row);
}

static void drop_next(struct store_op *op)
{
    store_campaign_next_clear(container_of(op, struct store_campaign_next, op));
}

void store_campaign_next(struct store *s, struct store_campaign_next *n)
{
    n->rows = NULL;
    n->count = 0;
    n->row = (struct campaign_row){0};
    store_submit_write(s, &n->op, exec_next, drop_next);
}
