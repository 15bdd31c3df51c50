/* Admission: messages with their parts, all of one request in one transaction. The one place through which an
 * outbound message comes into the store, for every producer, and so the place where an opt-out holds. */
#include <stdio.h>

#include "store/desk_private.h"

static const char sql_by_key[] = "SELECT id, parts FROM message WHERE key = ?1 AND key <> ''";
static const char sql_insert_part[] =
    "INSERT INTO part(id, state, mr, attempts, modem, imsi, submitted, sent, reported, report_status, "
    "awaits, tpdu_len, pdu) VALUES(?1, ?2, NULL, 0, '', '', 0, 0, 0, -1, ?3, ?4, ?5)";

enum { TP_SRR = 1 << 5 }; /* TS 23.040 9.2.3.5, in the first octet of an SMS-SUBMIT */

static int find_key(struct store_db *db, struct store_new_message *m)
{
    sqlite3_stmt *st;
    int rc;

    if (!m->key || m->key[0] == '\0')
        return ERR_OK;
    rc = DB_FIRST(db, &st, sql_by_key, db_text(m->key));
    if (rc == 0 && m->known_only)
        rc = err_set(db->err, ERR_NOT_FOUND, "nothing was accepted by this key");
    if (rc <= 0)
        return rc;
    m->id = db_col(st, 0);
    m->nparts = (int)db_col(st, 1);
    m->existed = true;
    db_end(st);
    return ERR_OK;
}

/* The first octet of the TPDU stands behind the SMSC address and its length. */
static bool asks_for_report(const struct store_new_part *p)
{
    return p->len > 0 && p->pdu[0] + 1 < p->len && (p->pdu[p->pdu[0] + 1] & TP_SRR) != 0;
}

static int insert_parts(struct store_db *db, const struct store_new_message *m)
{
    int rc = ERR_OK;

    for (int i = 0; i < m->nparts && rc == ERR_OK; i++) {
        const struct store_new_part *p = &m->parts[i];
        bool awaits = (m->flags & MSG_F_REPORT) != 0 || asks_for_report(p);

        rc = DB_RUN(db, sql_insert_part, db_int(part_id(m->id, i + 1)), db_int(MSG_QUEUED), db_int(awaits),
                    db_int(p->tpdu_len), db_blob(p->pdu, p->len));
    }
    return rc;
}

static int check(struct store_db *db, const struct store_new_message *m)
{
    if (m->nparts < 1 || m->nparts > 255)
        return err_set(db->err, ERR_INVALID, "a message has 1 to 255 parts, not %d", m->nparts);
    for (int i = 0; i < m->nparts; i++)
        if (m->parts[i].len > sizeof((struct store_intend *)0)->pdu)
            return err_set(db->err, ERR_TOO_LONG, "a PDU of %d octets", m->parts[i].len);
    return ERR_OK;
}

/* For the history: in spite of what it goes out. */
static const char *reason_of(const struct store_new_message *m, char buf[MSG_REASON_BYTES])
{
    if (!(m->flags & MSG_F_OVERRIDE) || (m->reason && *m->reason))
        return m->reason;
    snprintf(buf, MSG_REASON_BYTES, "%.60s sends it whether opted out or not: %.60s", m->who ? m->who : "",
             m->override_reason ? m->override_reason : "");
    return buf;
}

static const char sql_department[] = "SELECT department FROM conversation WHERE id = ?1";

static int desk_of(struct store_db *db, const struct store_new_message *m, int64_t *desk)
{
    char department[DESK_WORD_BYTES] = "";
    sqlite3_stmt *st;
    int rc;

    if (m->department || m->conversation <= 0)
        return figure_message_desk(db, m->department, m->flags, m->who, desk);
    if ((rc = DB_FIRST(db, &st, sql_department, db_int(m->conversation))) < 0)
        return rc;
    if (rc > 0) {
        db_col_text(st, 0, department, sizeof department);
        db_end(st);
    }
    return figure_message_desk(db, department, m->flags, m->who, desk);
}

int message_admit(struct store_db *db, struct store_new_message *m, int64_t now_wall_ms)
{
    char reason[MSG_REASON_BYTES];
    int64_t desk;
    int rc;

    m->id = 0;
    m->existed = m->opted_out = false;
    if ((rc = find_key(db, m)) || m->existed || (rc = check(db, m)) ||
        (rc = consent_admit(db, m, now_wall_ms)) || m->opted_out || (rc = desk_of(db, m, &desk)))
        return rc;
    rc = message_insert(db,
                        &(struct msg_insert){.direction = MSG_OUT,
                                             .state = MSG_QUEUED,
                                             .peer = m->peer,
                                             .wanted = m->modem,
                                             .pool = m->pool,
                                             .source = m->source,
                                             .key = m->key,
                                             .reason = reason_of(m, reason),
                                             .text = m->text,
                                             .meta = m->meta,
                                             .flags = m->flags,
                                             .priority = m->priority,
                                             .parts = m->nparts,
                                             .now_wall_ms = now_wall_ms,
                                             .due_wall_ms = m->due_wall_ms,
                                             .expires_wall_ms = m->expires_wall_ms,
                                             .scts_wall_ms = -1,
                                             .reply_to = m->reply_to,
                                             .conversation = m->conversation > 0 ? m->conversation : 0,
                                             .cost_micros = m->cost_micros,
                                             .who = m->who,
                                             .depth = m->depth,
                                             .desk = desk},
                        &m->id);
    if (rc == ERR_OK && (m->flags & MSG_F_AUTOMATIC) && !(m->flags & MSG_F_STAFF))
        rc = guard_count(db, m, now_wall_ms);
    if (rc == ERR_OK)
        rc = spending_count(db, m, now_wall_ms);
    return rc ? rc : insert_parts(db, m);
}

static int exec_admit(struct store_db *db, struct store_op *op)
{
    struct store_admit *a = container_of(op, struct store_admit, op);
    int rc = ERR_OK;

    for (int i = 0; i < a->count && rc == ERR_OK; i++)
        rc = message_admit(db, &a->messages[i], a->now_wall_ms);
    return rc;
}

void store_admit(struct store *s, struct store_admit *a)
{
    store_submit_write(s, &a->op, exec_admit, NULL);
}
