/* Status reports: kept raw, matched to the part they speak of, and carried over to its message.
 *
 * TP-MR has 8 bits and is the modem's own, so a report is matched by SIM, reference and recipient, newest
 * first, within a window. A part whose result never came has no reference: it is matched by SIM and
 * recipient, nearest in time, unless the report may be another part's. TS 23.040 9.2.3.15 for the status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "pdu/pdu.h"
#include "store/private.h"

/* A report can come before the +CMGS of its part is committed. */
enum { EARLY_MS = 60000 };
/* So far may a part without reference be from the service centre's time stamp: clocks differ, people send the
 * same number several messages. */
enum { NEAR_MS = 600000 };

struct matched {
    int64_t part; /* 0 none */
    enum msg_state state;
};

/* What a report says, from the modem or from the table. */
struct verdict {
    int64_t report;
    int status, group;
    int64_t reported_wall_ms, now_wall_ms;
    const char *modem;
};

/* ---- matching --------------------------------------------------------------------------------------------
 */

static const char sql_duplicate[] = "SELECT id, ifnull(part, 0) FROM report WHERE day = ?1 AND hash = ?2 AND "
                                    "imsi = ?3 ORDER BY id DESC LIMIT 1";
static const char sql_by_mr[] =
    "SELECT p.id, p.state, m.peer FROM part p INDEXED BY part_awaits JOIN message m ON m.id = p.id / 256 "
    "WHERE p.awaits = 1 AND p.imsi = ?1 AND p.mr = ?2 AND p.submitted >= ?3 AND p.state IN (3, 5, 9) "
    "ORDER BY p.submitted DESC, p.id DESC";
/* Parts of this SIM without a reference that are, or may be, on their way. */
static const char sql_without_mr[] =
    "SELECT p.id, p.state, m.peer, p.submitted FROM part p INDEXED BY part_awaits "
    "JOIN message m ON m.id = p.id / 256 WHERE p.awaits = 1 AND p.imsi = ?1 AND p.mr IS NULL AND "
    "p.submitted BETWEEN ?2 AND ?3 AND p.state IN (2, 3, 9) ORDER BY p.submitted, p.id";
/* A part of any message to the same number that has this reference and its final report; or one of another
 * message, first sent before the report's time ?5 and sent again after it because nobody knew what became of
 * it: the report may be that of the first time. */
static const char sql_anothers[] =
    "WITH RECURSIVE era(n) AS (SELECT max(0, ?1 / " MSG_ERA_SQL " - 1) UNION ALL SELECT n + 1 FROM era "
    "WHERE n < (SELECT max(id) FROM message) / " MSG_ERA_SQL ") "
    "SELECT 1 FROM era CROSS JOIN message m INDEXED BY message_peer CROSS JOIN part p "
    "WHERE m.id / " MSG_ERA_SQL " = era.n AND m.peer = (SELECT peer FROM message WHERE id = ?1) AND "
    "m.created >= ?4 AND p.id BETWEEN m.id * 256 + 1 AND m.id * 256 + m.parts AND "
    "((p.imsi = ?2 AND p.mr = ?3) OR (m.id <> ?1 AND m.flags & ?7 AND m.created <= ?5 + ?6 AND "
    "(p.submitted >= ?5 - ?6 OR p.state = ?8))) LIMIT 1";

static int find_copy(struct store_db *db, struct store_report *r)
{
    int64_t today = r->now_wall_ms / MS_PER_DAY;
    int64_t first = (r->now_wall_ms - r->window_ms) / MS_PER_DAY;
    sqlite3_stmt *st;
    int rc = 0;

    for (int64_t day = today + 1; day >= first && rc == 0; day--)
        rc =
            DB_FIRST(db, &st, sql_duplicate, db_int(day), db_blob(r->hash, sizeof r->hash), db_text(r->imsi));
    if (rc <= 0)
        return rc;
    r->report = db_col(st, 0);
    r->message = part_message(db_col(st, 1));
    r->seq = (int)(db_col(st, 1) % 256);
    db_end(st);
    return 1;
}

static bool same_recipient(sqlite3_stmt *st, int column, const char *recipient)
{
    const char *peer = (const char *)sqlite3_column_text(st, column);

    return peer && number_same(peer, recipient);
}

static int find_by_mr(struct store_db *db, const struct store_report *r, struct matched *out)
{
    sqlite3_stmt *st =
        DB_BIND(db, sql_by_mr, db_text(r->imsi), db_int(r->mr), db_int(r->now_wall_ms - r->window_ms));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0)
        if (same_recipient(st, 2, r->recipient)) {
            *out = (struct matched){db_col(st, 0), (enum msg_state)db_col(st, 1)};
            db_end(st);
            return ERR_OK;
        }
    return rc;
}

/* True in *out: the report has its part already, or may be another's. */
static int is_anothers(struct store_db *db, const struct store_report *r, int64_t when, int64_t message,
                       bool *out)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_anothers, db_int(message), db_text(r->imsi), db_int(r->mr),
                      db_int(r->now_wall_ms - r->window_ms), db_int(when), db_int(EARLY_MS),
                      db_int(MSG_F_POSSIBLE_DUPLICATE), db_int(MSG_QUEUED));

    *out = rc > 0;
    if (rc > 0)
        db_end(st);
    return rc < 0 ? rc : ERR_OK;
}

static const char sql_references[] = "SELECT id, mr FROM part WHERE id BETWEEN ?1 AND ?2 AND mr IS NOT NULL";

/* True in *out: the report's reference stands between those of the message's other parts as the part does.
 * Modems count TP-MR upwards, modulo 256 (TS 23.040 9.2.3.6), and parts go out in their order. */
static int is_in_order(struct store_db *db, const struct store_report *r, int64_t part, bool *out)
{
    enum { HALF = 128, MASK = 255 };
    int64_t message = part_message(part);
    sqlite3_stmt *st =
        DB_BIND(db, sql_references, db_int(part_id(message, 1)), db_int(part_id(message, 255)));
    int rc;

    if (!st)
        return db->err->code;
    *out = true;
    while ((rc = db_step(db, st)) > 0) {
        int64_t after = (db_col(st, 0) < part ? r->mr - db_col(st, 1) : db_col(st, 1) - r->mr) & MASK;

        *out &= after > 0 && after < HALF;
    }
    return rc;
}

/* A wrong guess would call a lost message delivered, so none is made while another part to this number is on
 * the air, when the report's own part is known, or when it may as well be of another message whose outcome is
 * or was not known either. */
static int find_without_mr(struct store_db *db, const struct store_report *r, struct matched *out)
{
    int64_t when = r->scts_wall_ms > 0 ? r->scts_wall_ms : r->now_wall_ms, best = INT64_MAX;
    sqlite3_stmt *st = DB_BIND(db, sql_without_mr, db_text(r->imsi), db_int(r->now_wall_ms - r->window_ms),
                               db_int(r->now_wall_ms));
    bool anothers = false, in_order = false, on_the_air = false, ambiguous = false;
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        int64_t away = llabs(db_col(st, 3) - when);

        if (!same_recipient(st, 2, r->recipient))
            continue;
        on_the_air |= db_col(st, 1) == MSG_SUBMITTING;
        if (db_col(st, 1) == MSG_SUBMITTING || away > NEAR_MS)
            continue;
        ambiguous |= out->part != 0 && part_message(out->part) != part_message(db_col(st, 0));
        if (away >= best)
            continue;
        best = away;
        /* Parts of one message go out in their order: its first open one is the likeliest to be on the air.
         */
        if (part_message(out->part) != part_message(db_col(st, 0)))
            *out = (struct matched){db_col(st, 0), (enum msg_state)db_col(st, 1)};
    }
    if (rc || out->part == 0)
        return rc;
    if ((rc = is_anothers(db, r, when, part_message(out->part), &anothers)) ||
        (rc = is_in_order(db, r, out->part, &in_order)) || on_the_air || anothers || !in_order ||
        (ambiguous && out->state == MSG_UNKNOWN))
        out->part = 0;
    return rc;
}

/* ---- what follows ---- */

static const char sql_reported[] =
    "UPDATE part SET report_status = ?2, reported = ?3, awaits = ?4, mr = ifnull(mr, ?5) WHERE id = ?1";

static const enum msg_state state_of_group[] = {
    [PDU_ST_DELIVERED] = MSG_DELIVERED,
    [PDU_ST_PENDING] = MSG_SENT, /* the service centre has it */
    [PDU_ST_FAILED] = MSG_UNDELIVERED,
};

static int part_reported(struct store_db *db, const struct msg_head *h, const struct matched *m, int mr,
                         const struct verdict *v, struct msg_change *c)
{
    enum msg_state to = state_of_group[v->group], from = m->state;
    int seq = (int)(m->part % 256), rc;

    /* Nothing but a delivery follows a final report. */
    if (from == MSG_UNDELIVERED && to != MSG_DELIVERED)
        return ERR_OK;
    if (from == MSG_UNKNOWN) {
        c->to = MSG_SENT;
        if ((rc = part_set_state(db, h, seq, from, c)))
            return rc;
        from = MSG_SENT;
    }
    c->to = to;
    if (from != to && (rc = part_set_state(db, h, seq, from, c)))
        return rc;
    return DB_RUN(db, sql_reported, db_int(m->part), db_int(v->status), db_int(v->reported_wall_ms),
                  db_int(to == MSG_DELIVERED ? 2 : 1), db_int(mr));
}

static int apply(struct store_db *db, struct msg_head *h, const struct matched *m, int mr,
                 const struct verdict *v)
{
    char reason[MSG_REASON_BYTES];
    const char *text = pdu_status_text((uint8_t)v->status), *comma = strchr(text, ',');
    struct msg_change *c =
        MSG_CHANGE(.to = MSG_SENT, .reason = reason, .modem = v->modem, .at_wall_ms = v->now_wall_ms);
    int rc;

    /* "Error,SM validity period expired": the state says the first word already */
    snprintf(reason, sizeof reason, "delivery report: %s (status 0x%02X)", comma ? comma + 1 : text,
             (unsigned)v->status);
    if ((rc = part_reported(db, h, m, mr, v, c)) || (rc = message_follow(db, h, c)))
        return rc;
    return outbox_put(db, OUTBOX_REPORT, h->id, v->report);
}

/* ---- a report arrives ---- */

static const char sql_insert[] = "INSERT INTO report(part, modem, imsi, recipient, mr, status, meaning, "
                                 "scts, discharge, received, day, hash, "
                                 "pdu) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

static int insert(struct store_db *db, struct store_report *r, int64_t part)
{
    int rc = DB_RUN(db, sql_insert, db_int_or_null(part, 0), db_text(r->modem), db_text(r->imsi),
                    db_text(r->recipient), db_int(r->mr), db_int(r->status), db_int(r->group),
                    db_int(r->scts_wall_ms), db_int(r->discharge_wall_ms), db_int(r->now_wall_ms),
                    db_int(r->now_wall_ms / MS_PER_DAY), db_blob(r->hash, sizeof r->hash),
                    db_blob(r->pdu, (size_t)r->len));

    r->report = sqlite3_last_insert_rowid(db->h);
    return rc;
}

static int64_t reported_at(int64_t discharge_wall_ms, int64_t arrival_wall_ms)
{
    return discharge_wall_ms > 0 ? discharge_wall_ms : arrival_wall_ms;
}

/* Of a message whose raw PDUs were erased already, or wait (retain.c): this one goes in its time, those in
 * theirs. */
static const char sql_later[] =
    "INSERT INTO raw_later(message, at) SELECT ?1, ?2 FROM retained WHERE kind = 2 "
    "AND message >= ?1 ON CONFLICT(message) DO UPDATE SET at = min(at, excluded.at)";

/* The stored report r is that of the part m. */
static int settle(struct store_db *db, struct store_report *r, const struct matched *m, int64_t now_wall_ms)
{
    struct verdict v = {.report = r->report,
                        .status = r->status,
                        .group = r->group,
                        .reported_wall_ms = reported_at(r->discharge_wall_ms, r->now_wall_ms),
                        .now_wall_ms = now_wall_ms,
                        .modem = NULL};
    struct msg_head h;
    int rc;

    r->message = part_message(m->part);
    r->seq = (int)(m->part % 256);
    if ((rc = message_head(db, r->message, &h)))
        return rc;
    r->was = h.state;
    if ((rc = DB_RUN(db, sql_later, db_int(r->message), db_int(r->now_wall_ms))))
        return rc;
    rc = apply(db, &h, m, r->mr, &v);
    r->message_state = h.state;
    return rc;
}

static int take_in(struct store_db *db, struct store_report *r)
{
    struct matched m = {0};
    int rc;

    if ((rc = find_by_mr(db, r, &m)) || (m.part == 0 && (rc = find_without_mr(db, r, &m))) ||
        (rc = insert(db, r, m.part)) || m.part == 0)
        return rc;
    return settle(db, r, &m, r->now_wall_ms);
}

static int exec_report(struct store_db *db, struct store_op *op)
{
    struct store_report *r = container_of(op, struct store_report, op);
    const char *told = r->imsi;
    char imsi[MSG_IMSI_BYTES];
    int rc = 0;

    r->report = r->message = 0;
    r->seq = 0;
    r->was = r->message_state = (enum msg_state)0;
    r->duplicate = false;
    if (r->group < PDU_ST_DELIVERED || r->group > PDU_ST_FAILED)
        return err_set(db->err, ERR_INVALID, "a status group of %d", r->group);
    if (!*told) {
        rc = last_sim(db, r->modem, imsi);
        r->imsi = imsi;
    }
    if (rc == 0)
        rc = find_copy(db, r);
    r->duplicate = rc > 0;
    if (rc == 0)
        rc = take_in(db, r);
    r->imsi = told;
    return rc < 0 ? rc : ERR_OK;
}

void store_report(struct store *s, struct store_report *r)
{
    r->duplicate = false;
    store_submit_write(s, &r->op, exec_report, NULL);
}

/* ---- reports that found nothing, once more ---------------------------------------------------------------
 */

static const char sql_unmatched[] =
    "SELECT id, imsi, recipient, mr, status, meaning, scts, discharge, received FROM report "
    "WHERE part IS NULL AND received >= ?1 AND id > ?2 ORDER BY id LIMIT 1";
static const char sql_adopt[] = "UPDATE report SET part = ?2 WHERE id = ?1";

struct unmatched {
    struct store_report r;
    char imsi[MSG_IMSI_BYTES], recipient[64];
};

/* The next one behind `after`. 1: found. */
static int next_unmatched(struct store_db *db, const struct store_report *asked, int64_t after,
                          struct unmatched *u)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_unmatched, db_int(asked->now_wall_ms - asked->window_ms), db_int(after));

    if (rc <= 0)
        return rc;
    str_copy(u->imsi, sizeof(u->imsi), (const char *)sqlite3_column_text(st, 1));
    str_copy(u->recipient, sizeof(u->recipient), (const char *)sqlite3_column_text(st, 2));
    u->r = (struct store_report){.report = db_col(st, 0),
                                 .imsi = u->imsi,
                                 .recipient = u->recipient,
                                 .mr = (int)db_col(st, 3),
                                 .status = (int)db_col(st, 4),
                                 .group = (int)db_col(st, 5),
                                 .scts_wall_ms = db_col(st, 6),
                                 .discharge_wall_ms = db_col(st, 7),
                                 .now_wall_ms = db_col(st, 8), /* as when it came */
                                 .window_ms = asked->window_ms};
    db_end(st);
    return 1;
}

static int exec_again(struct store_db *db, struct store_op *op)
{
    struct store_report *r = container_of(op, struct store_report, op);
    struct unmatched u = {0};
    int rc;

    r->report = r->message = 0;
    while ((rc = next_unmatched(db, r, u.r.report, &u)) > 0) {
        struct matched m = {0};
        if ((rc = find_without_mr(db, &u.r, &m)))
            return rc;
        if (m.part == 0 || m.state != MSG_UNKNOWN)
            continue;
        if ((rc = DB_RUN(db, sql_adopt, db_int(u.r.report), db_int(m.part))) ||
            (rc = settle(db, &u.r, &m, r->now_wall_ms)))
            return rc;
        r->report = u.r.report;
        r->message = u.r.message;
        r->seq = u.r.seq;
        r->status = u.r.status;
        r->was = u.r.was;
        r->message_state = u.r.message_state;
        return ERR_OK;
    }
    return rc;
}

void store_report_again(struct store *s, struct store_report *r)
{
    r->duplicate = false;
    store_submit_write(s, &r->op, exec_again, NULL);
}

/* ---- a report came before its part was SENT ---------------------------------------------------------------
 */

static const char sql_early[] =
    "SELECT r.id, r.status, r.meaning, r.discharge, r.received, r.recipient, m.peer FROM report r "
    "JOIN message m ON m.id = ?5 WHERE r.part IS NULL AND r.imsi = ?1 AND r.mr = ?2 AND r.received >= ?3 AND "
    "r.id > ?4 ORDER BY r.received, r.id";
static const char sql_state[] = "SELECT state FROM part WHERE id = ?1";

/* The next early report behind `after` that is this message's. 1: found. */
static int next_early(struct store_db *db, const struct msg_head *h, const char *imsi, int mr, int64_t after,
                      struct verdict *v)
{
    sqlite3_stmt *st = DB_BIND(db, sql_early, db_text(imsi), db_int(mr), db_int(v->now_wall_ms - EARLY_MS),
                               db_int(after), db_int(h->id));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        if (!same_recipient(st, 6, (const char *)sqlite3_column_text(st, 5)))
            continue;
        v->report = db_col(st, 0);
        v->status = (int)db_col(st, 1);
        v->group = (int)db_col(st, 2);
        v->reported_wall_ms = reported_at(db_col(st, 3), db_col(st, 4));
        db_end(st);
        return 1;
    }
    return rc;
}

static int part_state(struct store_db *db, struct matched *m)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_state, db_int(m->part));

    if (rc <= 0)
        return rc;
    m->state = (enum msg_state)db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

int reports_catch_up(struct store_db *db, struct msg_head *h, int seq, const char *imsi, int mr,
                     int64_t now_wall_ms)
{
    struct matched m = {.part = part_id(h->id, seq)};
    struct verdict v = {.now_wall_ms = now_wall_ms};
    int64_t after = 0;
    int rc;

    while ((rc = next_early(db, h, imsi, mr, after, &v)) > 0) {
        after = v.report;
        if ((rc = part_state(db, &m)))
            return rc;
        if (m.state != MSG_SENT && m.state != MSG_UNDELIVERED)
            break;
        if ((rc = DB_RUN(db, sql_adopt, db_int(v.report), db_int(m.part))) || (rc = apply(db, h, &m, mr, &v)))
            return rc;
    }
    return rc < 0 ? rc : ERR_OK;
}
