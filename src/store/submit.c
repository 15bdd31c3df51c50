/* The way of a part on the air: the intent that is committed before AT+CMGS, and the outcome that is
 * committed after its result. A crash between the two leaves the part SUBMITTING, and the next start makes it
 * UNKNOWN, never sent again blindly, unless it is certain that it never left (air.h). */
#include <string.h>

#include "pdu/pdu.h"
#include "store/desk_private.h"

enum { TP_RD = 1 << 2 }; /* TS 23.040 9.2.3.25, in the first octet of an SMS-SUBMIT */

/* ---- intent ----------------------------------------------------------------------------------------------
 */

static const char sql_part[] =
    "SELECT p.state, p.tpdu_len, p.pdu, m.direction, m.state, m.flags, m.parts, m.created, m.expires, "
    "m.peer, m.wanted FROM part p JOIN message m ON m.id = ?1 WHERE p.id = ?2";
static const char sql_intend[] =
    "UPDATE part SET mr = NULL, attempts = attempts + 1, submitted = ?2, sent = 0, reported = 0, "
    "report_status = -1 WHERE id = ?1";
static const char sql_follower[] = "SELECT 1 FROM part WHERE id = ?1 AND state = ?2";

static void mark_duplicate(struct store_intend *i)
{
    /* The TPDU's first octet stands behind the SMSC address and its length. */
    if (i->len > 0 && i->pdu[0] + 1 < i->len)
        i->pdu[i->pdu[0] + 1] |= TP_RD;
}

/* Of the part: its state, its message's, its recipient, and the modem that was asked or wished for. */
static int read_part(struct store_db *db, struct store_intend *i, enum msg_state *state, struct msg_head *h,
                     char peer[64], char wanted[MSG_MODEM_BYTES])
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_part, db_int(i->message), db_int(part_id(i->message, i->seq)));

    if (rc == 0)
        return err_set(db->err, ERR_NOT_FOUND, "there is no part %d of message %lld", i->seq,
                       (long long)i->message);
    if (rc < 0)
        return rc;
    *state = (enum msg_state)db_col(st, 0);
    i->tpdu_len = (uint8_t)db_col(st, 1);
    i->len = (uint8_t)db_col_blob(st, 2, i->pdu, sizeof i->pdu);
    *h = (struct msg_head){
        .id = i->message,
        .direction = (enum msg_direction)db_col(st, 3),
        .state = (enum msg_state)db_col(st, 4),
        .flags = (uint32_t)db_col(st, 5),
        .parts = (int)db_col(st, 6),
        .created_wall_ms = db_col(st, 7),
        .expires_wall_ms = db_col(st, 8),
    };
    db_col_text(st, 9, peer, 64);
    db_col_text(st, 10, wanted, MSG_MODEM_BYTES);
    db_end(st);
    return ERR_OK;
}

/* Does its recipient take it still, by this SIM? */
static int ask_modem(struct store_db *db, const struct msg_head *h, const char *peer, const char *modem,
                     bool *refused)
{
    enum consent_state state;
    int rc = consent_get(db, peer, modem ? modem : "", &state);

    *refused = (state == CONSENT_OUT && !(h->flags & MSG_F_OVERRIDE)) ||
               (state != CONSENT_IN && (h->flags & MSG_F_MARKETING));
    return rc;
}

/* … or by the one that another stands in for? */
static int ask_consent(struct store_db *db, struct store_intend *i, const struct msg_head *h,
                       const char *peer, const char *wanted)
{
    bool there = true;
    int rc;

    if (h->flags & MSG_F_CONSENT || h->state != MSG_QUEUED || i->seq != 1)
        return ERR_OK;
    if ((rc = ask_modem(db, h, peer, i->modem, &i->opted_out)) || !i->opted_out)
        return rc;
    if (*wanted && i->modem && strcmp(wanted, i->modem) != 0)
        rc = ask_modem(db, h, peer, wanted, &there);
    if (there)
        return rc;
    i->opted_out = false;
    i->skipped = true;
    str_copy(i->own_modem, sizeof i->own_modem, wanted);
    return rc;
}

/* STOP came while the message waited. */
static int stop_opted_out(struct store_db *db, struct store_intend *i, struct msg_head *h)
{
    const struct msg_change *c =
        MSG_CHANGE(.to = MSG_CANCELLED, .reason = "the recipient has opted out (STOP)",
                   .at_wall_ms = i->now_wall_ms);
    int rc = parts_stop(db, h, false, c);

    i->skipped = true;
    return rc ? rc : message_set_state(db, h, c);
}

static int find_more(struct store_db *db, struct store_intend *i, const struct msg_head *h)
{
    sqlite3_stmt *st;
    int rc = ERR_OK;

    if (i->seq < h->parts)
        rc = DB_FIRST(db, &st, sql_follower, db_int(part_id(i->message, i->seq + 1)), db_int(MSG_QUEUED));
    if (rc > 0)
        db_end(st);
    i->more = rc > 0;
    return rc < 0 ? rc : ERR_OK;
}

static int exec_intend(struct store_db *db, struct store_op *op)
{
    struct store_intend *i = container_of(op, struct store_intend, op);
    const struct msg_change *c =
        MSG_CHANGE(.to = MSG_SUBMITTING, .modem = i->modem, .imsi = i->imsi, .at_wall_ms = i->now_wall_ms);
    enum msg_state state = MSG_UNKNOWN;
    struct msg_head h;
    char peer[64], wanted[MSG_MODEM_BYTES];
    int rc;

    i->skipped = i->more = i->opted_out = false;
    i->own_modem[0] = '\0';
    if ((rc = read_part(db, i, &state, &h, peer, wanted)))
        return rc;
    if (state != MSG_QUEUED || (h.state != MSG_QUEUED && h.state != MSG_SUBMITTING)) {
        i->skipped = true;
        return ERR_OK;
    }
    if ((rc = ask_consent(db, i, &h, peer, wanted)) || *i->own_modem)
        return rc;
    if (i->opted_out)
        return stop_opted_out(db, i, &h);
    if (h.flags & MSG_F_POSSIBLE_DUPLICATE)
        mark_duplicate(i);
    if ((rc = part_set_state(db, &h, i->seq, state, c)) ||
        (rc = DB_RUN(db, sql_intend, db_int(part_id(i->message, i->seq)), db_int(i->now_wall_ms))))
        return rc;
    if (h.state != MSG_SUBMITTING && (rc = message_set_state(db, &h, c)))
        return rc;
    return find_more(db, i, &h);
}

void store_intend(struct store *s, struct store_intend *i)
{
    store_submit_write(s, &i->op, exec_intend, NULL);
}

/* ---- outcome ---------------------------------------------------------------------------------------------
 */

static const char sql_outcome_part[] = "SELECT state, imsi, awaits FROM part WHERE id = ?1";
static const char sql_sent[] = "UPDATE part SET mr = ?2, sent = ?3 WHERE id = ?1";
static const char sql_requeued[] =
    "UPDATE part SET mr = NULL, attempts = max(0, attempts - ?2) WHERE id = ?1";
static const char sql_usage[] = "INSERT INTO usage(imsi, quarter, parts) VALUES(?1, ?2, 1) "
                                "ON CONFLICT(imsi, quarter) DO UPDATE SET parts = parts + 1";

struct part_now {
    enum msg_state state;
    char imsi[MSG_IMSI_BYTES];
    bool awaits;
};

static int part_now(struct store_db *db, const struct store_outcome *o, struct part_now *out)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_outcome_part, db_int(part_id(o->message, o->seq)));

    if (rc == 0)
        return err_set(db->err, ERR_NOT_FOUND, "there is no part %d of message %lld", o->seq,
                       (long long)o->message);
    if (rc < 0)
        return rc;
    out->state = (enum msg_state)db_col(st, 0);
    db_col_text(st, 1, out->imsi, sizeof out->imsi);
    out->awaits = db_col(st, 2) == 1;
    db_end(st);
    return ERR_OK;
}

/* What may have gone out counts, once: when the part leaves SUBMITTING. */
static int count_usage(struct store_db *db, const struct store_outcome *o, const struct part_now *p)
{
    if (p->state != MSG_SUBMITTING || (o->state != MSG_SENT && o->state != MSG_UNKNOWN))
        return ERR_OK;
    return DB_RUN(db, sql_usage, db_text(p->imsi), db_int(o->now_wall_ms / MS_PER_QUARTER));
}

static bool is_stopped(enum msg_state s)
{
    return s == MSG_FAILED || s == MSG_EXPIRED || s == MSG_CANCELLED;
}

static int part_outcome(struct store_db *db, struct store_outcome *o, const struct msg_head *h,
                        const struct part_now *p, struct msg_change *c)
{
    int64_t id = part_id(o->message, o->seq);
    int rc;

    /* The message was stopped while this part was on its way: it does not wait for another turn. */
    if (c->to == MSG_QUEUED && is_stopped(h->state))
        c->to = h->state;
    if (p->state != c->to && (rc = part_set_state(db, h, o->seq, p->state, c)))
        return rc;
    if (o->state == MSG_SENT)
        rc = DB_RUN(db, sql_sent, db_int(id), db_int_or_null(o->mr, -1), db_int(o->now_wall_ms));
    else if (o->state == MSG_QUEUED)
        rc = DB_RUN(db, sql_requeued, db_int(id), db_int(o->withdrawn));
    else
        rc = ERR_OK;
    return rc ? rc : count_usage(db, o, p);
}

static const char sql_pdu[] = "UPDATE part SET pdu = ?2, tpdu_len = ?3 WHERE id = ?1";

/* The service centre takes no validity period: the parts that wait are written anew without it. One that
 * cannot be read stays as it is, and is refused for good the next time. */
static int drop_validity(struct store_db *db, const struct msg_head *h)
{
    struct store_intend i = {.message = h->id};
    struct msg_head unused;
    char peer[64], wanted[MSG_MODEM_BYTES];
    enum msg_state state;
    int rc = ERR_OK;

    for (i.seq = 1; i.seq <= h->parts && rc == ERR_OK; i.seq++) {
        struct pdu_submit p;
        uint8_t pdu[PDU_FULL_BYTES];
        int len, tpdu_len;

        if ((rc = read_part(db, &i, &state, &unused, peer, wanted)) || state != MSG_QUEUED)
            continue;
        if (pdu_decode_submit(i.pdu, i.len, i.tpdu_len, &p, NULL) < 0)
            continue;
        p.vp.form = PDU_VP_NONE;
        len = pdu_encode_submit(&p, pdu, &tpdu_len, NULL);
        if (len > 0)
            rc = DB_RUN(db, sql_pdu, db_int(part_id(h->id, i.seq)), db_blob(pdu, (size_t)len),
                        db_int(tpdu_len));
    }
    return rc;
}

/* The message after its part. */
static int message_outcome(struct store_db *db, struct store_outcome *o, struct msg_head *h,
                           const struct msg_change *part_change)
{
    struct msg_change c = *part_change;
    int counts[MSG_STATES];
    int rc;

    if (is_stopped(c.to) && (rc = parts_stop(db, h, false, &c)))
        return rc;
    if (c.to != MSG_QUEUED || is_stopped(h->state))
        return message_follow(db, h, &c);
    /* A withdrawn intent leaves the time to wait as the part before it has set it. */
    c.due_wall_ms = o->withdrawn ? -1 : o->due_wall_ms;
    c.flags = o->possible_duplicate ? MSG_F_POSSIBLE_DUPLICATE : 0;
    if ((rc = part_states(db, h, counts)))
        return rc;
    /* It waits again, unless another part is on the air, or must be settled before. */
    if (counts[MSG_SUBMITTING] > 0 || counts[MSG_UNKNOWN] > 0 || h->state == MSG_QUEUED)
        return message_touch(db, h, &c);
    c.modem = NULL;
    return message_set_state(db, h, &c);
}

static int exec_outcome(struct store_db *db, struct store_op *op)
{
    struct store_outcome *o = container_of(op, struct store_outcome, op);
    struct msg_change *c = MSG_CHANGE(.to = o->state, .reason = o->reason, .modem = o->modem, .imsi = o->imsi,
                                      .at_wall_ms = o->now_wall_ms);
    struct part_now p;
    struct msg_head h;
    int rc;

    if ((rc = message_head(db, o->message, &h)) || (rc = part_now(db, o, &p)) ||
        (rc = part_outcome(db, o, &h, &p, c)) || (rc = message_outcome(db, o, &h, c)) ||
        (o->without_validity && (rc = drop_validity(db, &h))))
        return rc;
    if (o->state == MSG_SENT && p.awaits && o->mr >= 0)
        rc = reports_catch_up(db, &h, o->seq, o->imsi ? o->imsi : p.imsi, o->mr, o->now_wall_ms);
    o->message_state = h.state;
    return rc;
}

static void outcome_committed(struct store *s, struct store_op *op)
{
    const struct store_outcome *o = container_of(op, struct store_outcome, op);

    air_clear(&s->air, part_id(o->message, o->seq));
}

void store_outcome(struct store *s, struct store_outcome *o)
{
    store_submit_write(s, &o->op, exec_outcome, NULL);
    o->op.committed = outcome_committed;
}

void store_air_mark(struct store *s, int64_t message, int seq)
{
    air_mark(&s->air, part_id(message, seq));
}
