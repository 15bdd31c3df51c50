/* Everything that is stored about one number, as JSON, piece by piece: each piece is one statement whose only
 * row is an array, made by SQLite's JSON functions, so that no piece is larger than a page.
 *
 * A piece's cursor is the id of its last row. Messages are those of the number, era by era, and behind them
 * (cursors below 0) those of its conversations that were with another number, before two contacts became one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "store/desk_private.h"
#include "store/query_desk.h"

#define PAGE "100"
#define TIME(column)                                                                                         \
    "CASE WHEN " column " > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', " column " / 1000.0, 'unixepoch') END"
/* Names by number, as enum msg_state, consent_state and conv_state have them. */
#define NAME(names, column) "json_extract('" names "', '$[' || " column " || ']')"
#define MSG_STATE(column)                                                                                    \
    NAME("[\"\",\"queued\",\"submitting\",\"sent\",\"delivered\",\"undelivered\",\"failed\",\"expired\","    \
         "\"cancelled\",\"unknown\",\"received\",\"handled\"]",                                              \
         column)
#define CONSENT_STATE(column) NAME("[\"unknown\",\"in\",\"out\"]", column)
#define CONV_STATE(column)    NAME("[\"\",\"new\",\"open\",\"waiting\",\"snoozed\",\"closed\",\"spam\"]", column)

static const char *const section_names[EXPORT_SECTIONS] = {"contact",  "consent", "conversations", "timeline",
                                                           "messages", "waiting", "other"};

const char *export_section_name(enum export_section s)
{
    return section_names[s];
}

/* The contact; and all numbers that are its own, where there is none the one. */
#define OWN CONTACT_OF("?1")
#define NUMBERS                                                                                              \
    "(SELECT ?1 AS number UNION ALL SELECT number FROM contact WHERE id = " OWN                              \
    " UNION ALL SELECT number FROM contact_also WHERE contact = " OWN ")"

/* Each has ?1: the number, ?2: the cursor; columns: the array, the cursor behind it (NULL: nothing was
 * there).
 */
static const char sql_contact[] =
    "SELECT json_group_array(json_object('number', number, 'other_numbers', json((SELECT "
    "json_group_array(number) FROM "
    "contact_also WHERE contact = c.id)), 'name', name, 'language', language, 'zone', zone, "
    "'tags', json((SELECT json_group_array(tag) FROM contact_tag WHERE contact = c.id)), 'attributes', "
    "json(ifnull(attributes, '{}')), 'notes', notes, 'created', " TIME("created") ", 'changed', " TIME(
        "changed") ")), NULL FROM contact c WHERE id = " OWN " AND ?2 = 0";

static const char sql_consent[] =
    "SELECT json_group_array(json(j)), max(id) FROM (SELECT 0 AS id, "
    "json_object('number', number, 'state', " CONSENT_STATE("state") ", 'modem', sim, 'since', " TIME(
        "at") ") AS j FROM consent WHERE number IN " NUMBERS " AND ?2 = 0 UNION ALL "
              "SELECT * FROM (SELECT id, json_object('number', number, 'at', " TIME(
                  "at") ", 'said', " CONSENT_STATE("state") ", 'modem', sim, 'who', who, 'how', how, "
                                                            "'words', words, 'message', message) "
                                                            "FROM consent_log "
                                                            "WHERE number IN " NUMBERS
                                                            " AND id > ?2 ORDER BY id LIMIT " PAGE "))";

static const char
    sql_conversations
        [] =
            "SELECT json_group_array(json(j)), max(id) FROM (SELECT id, json_object('conversation', id, "
            "'number', peer, 'modem', sim, "
            "'state', " CONV_STATE(
                "state") ", 'title', title, 'department', department, 'assignee', assignee, 'flagged', "
                         "json(CASE WHEN flagged THEN 'true' ELSE 'false' END), 'created', " TIME("created") ", 'changed', " TIME("changed") ", 'first_response', " TIME(
                             "first_response") ", 'closed', " TIME("closed") ", 'reopened', reopened, "
                                                                             "'messages_in', messages_in, "
                                                                             "'replies_by_persons', "
                                                                             "replies_by_persons, "
                                                                             "'replies_automatic', "
                                                                             "replies_automatic, "
                                                                             "'survey_asked', " TIME(
                                                                                 "survey") ", "
                                                                                           "'survey_score', "
                                                                                           "nullif(survey_"
                                                                                           "score, -1), "
                                                                                           "'survey_comment',"
                                                                                           " survey_comment) "
                                                                                           "AS j FROM "
                                                                                           "conversation "
                                                                                           "WHERE contact "
                                                                                           "= " OWN
                                                                                           " AND id > ?2 "
                                                                                           "ORDER BY id "
                                                                                           "LIMIT " PAGE ")";

/* A conversation's log a piece. */
static const char sql_timeline[] =
    "SELECT (SELECT json_group_array(json_object('conversation', conversation, 'at', " TIME(
        "at") ", 'what', what, "
              "'who', who, 'value', value, 'message', message)) FROM conversation_log WHERE conversation = "
              "v.id), v.id FROM "
              "conversation v WHERE v.contact = " OWN " AND v.id > ?2 ORDER BY v.id LIMIT 1";

/* clang-format off: it cuts strings between the macros into single letters */
#define MESSAGE \
    "json_object('message', m.id, 'direction', CASE m.direction WHEN 1 THEN 'out' ELSE 'in' END, " \
    "'state', " MSG_STATE("m.state") ", 'peer', m.peer, 'modem', m.modem, 'source', m.source, 'who', " \
    "m.who, 'reason', m.reason, 'flags', m.flags, 'conversation', m.conversation, 'created', " \
    TIME("m.created") ", 'changed', " TIME("m.changed") ", 'text', m.text, 'headers', CASE WHEN " \
    "json_valid(m.meta) THEN json(m.meta) ELSE m.meta END, " \
    "'parts', json((SELECT json_group_array(json_object('part', p.id % 256, 'state', " MSG_STATE("p.state") \
    ", 'sent', " TIME("p.sent") ", 'pdu', hex(p.pdu))) FROM part p WHERE p.id BETWEEN m.id * 256 AND " \
    "m.id * 256 + 255)), 'received', json((SELECT json_group_array(json_object('part', g.seq, 'at', " \
    TIME("g.received") ", 'pdu', hex(g.pdu))) FROM segment g WHERE g.message = m.id)), " \
    "'reports', json((SELECT json_group_array(json_object('at', " TIME("r.received") ", 'status', " \
    "r.status, 'pdu', hex(r.pdu))) FROM report r WHERE r.part BETWEEN m.id * 256 AND m.id * 256 + 255)), " \
    "'history', json((SELECT json_group_array(json_object('at', " TIME("h.at") ", 'part', h.part, " \
    "'state', " MSG_STATE("h.state") ", 'reason', h.reason)) FROM history h WHERE h.message = m.id))) AS " \
    "j"
/* clang-format on */

static const char sql_messages[] =
    "SELECT json_group_array(json(j)), max(id) FROM (SELECT m.id, " MESSAGE " FROM (SELECT id FROM message "
    "INDEXED BY message_peer WHERE id / " MSG_ERA_SQL " = ?3 AND peer IN " NUMBERS
    " AND id > ?2 ORDER BY id LIMIT " PAGE ") w CROSS JOIN message m ON m.id = w.id ORDER BY m.id)";
/* The next conversation's. */
static const char sql_merged[] = "SELECT (SELECT json_group_array(json(j)) FROM (SELECT " MESSAGE
                                 " FROM message m WHERE m.conversation = v.id "
                                 "AND m.conversation > 0 AND m.peer NOT IN " NUMBERS
                                 " ORDER BY m.id)), -v.id FROM conversation v WHERE v.contact "
                                 "= " OWN " AND v.id > -?2 ORDER BY v.id LIMIT 1";

static const char sql_waiting[] =
    "SELECT json_group_array(json(j)), NULL FROM ("
    "SELECT json_object('part', g.seq, 'of', b.total, 'at', " TIME(
        "g.received") ", 'pdu', hex(g.pdu)) AS j FROM "
                      "bundle b CROSS JOIN segment g ON g.bundle = b.id WHERE b.sender IN " NUMBERS
                      " AND ?2 = 0 UNION "
                      "ALL "
                      "SELECT json_object('handler', d.handler, 'event', d.event, 'body', d.body, "
                      "'created', " TIME(
                          "d.created") ") FROM delivery d WHERE ?2 = 0 AND (d.conversation IN (SELECT id "
                                       "FROM conversation WHERE "
                                       "contact = " OWN ") OR d.message IN (SELECT id FROM message WHERE "
                                       "peer IN " NUMBERS " AND id = d.message) OR (d.conversation = 0 AND "
                                       "d.message = 0 AND EXISTS(SELECT 1 FROM " NUMBERS
                                       " w WHERE " BODY_NAMES(
                                           "w.number") "))) UNION ALL "
                                                       "SELECT json_object('report_of', r.recipient, "
                                                       "'at', " TIME(
                                                           "r.received") ", 'status', r.status, 'pdu', "
                                                                         "hex(r.pdu)) FROM "
                                                                         "report r WHERE ?2 = 0 AND r.part "
                                                                         "IS NULL AND "
                                                                         "r.recipient IN " NUMBERS
                                                                         " UNION ALL "
                                                                         "SELECT json_object('event', "
                                                                         "e.kind, 'at', " TIME(
                                                                             "e.at") ", 'text', e.text) FROM "
                                                                                     "event e WHERE "
                                                                                     "?2 = 0 AND "
                                                                                     "e.number IN " NUMBERS
                                                                                     ")";

static const char sql_other[] =
    "SELECT json_group_array(json(j)), NULL FROM ("
    "SELECT json_object('number', number, 'automatic_reply', " TIME(
        "at") ") AS j FROM auto_reply WHERE number IN " NUMBERS " AND ?2 = 0 "
              "UNION ALL SELECT json_object('number', number, 'rule', rule, 'acted', " TIME(
                  "at") ") FROM once WHERE number IN " NUMBERS " AND ?2 = 0 "
                        "UNION ALL SELECT json_object('number', number, 'muted_until', " TIME(
                            "until") ", 'rounds', rounds) FROM muted WHERE number IN " NUMBERS
                                     " AND ?2 = 0 UNION ALL SELECT json_object('key', key, 'script', "
                                     "owner, 'value', "
                                     "value) FROM value WHERE ?2 = 0 AND (owner, key) IN (SELECT owner, key "
                                     "FROM " NUMBERS " w CROSS JOIN value INDEXED BY value_key ON " KEY_NAMES(
                                         "w.number") ") "
                                                     "UNION ALL SELECT json_object('number', t.number, "
                                                     "'campaign', "
                                                     "t.campaign, 'message', "
                                                     "t.message, 'reason', t.reason) FROM "
                                                     "campaign_to t WHERE t.number IN " NUMBERS
                                                     " AND ?2 = 0)";

static const char *const sections[EXPORT_SECTIONS] = {
    [EXPORT_CONTACT] = sql_contact,
    [EXPORT_CONSENT] = sql_consent,
    [EXPORT_CONVERSATIONS] = sql_conversations,
    [EXPORT_TIMELINE] = sql_timeline,
    [EXPORT_MESSAGES] = sql_messages,
    [EXPORT_WAITING] = sql_waiting,
    [EXPORT_OTHER] = sql_other,
};

/* Takes the row's array and cursor; NULL: there was nothing. *next 0: nothing is behind it. */
static int take(struct store_db *db, sqlite3_stmt *st, int rc, char **json, int64_t *next)
{
    *json = NULL;
    *next = 0;
    if (rc <= 0)
        return rc;
    if (sqlite3_column_type(st, 1) != SQLITE_NULL)
        *next = db_col(st, 1);
    *json = db_col_dup(st, 0);
    db_end(st);
    return *json ? ERR_OK : err_set(db->err, ERR_NOMEM, "out of memory");
}

static bool is_empty(const char *json)
{
    return !json || !strcmp(json, "[]");
}

static const char sql_newest[] = "SELECT ifnull(max(id), 0) FROM message";

static int newest_message(struct store_db *db, int64_t *id)
{
    sqlite3_stmt *st;
    int rc = db_first(db, &st, sql_newest, NULL, 0);

    if (rc <= 0)
        return rc;
    *id = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

/* The next messages of the number: from the cursor's era on, until an era has some. */
static int take_messages(struct store_db *db, struct store_export *e, int64_t *next)
{
    int64_t newest = 0;
    int rc = newest_message(db, &newest);

    for (int64_t era = e->after / MSG_ERA; era <= newest / MSG_ERA && rc == ERR_OK; era++) {
        sqlite3_stmt *st;

        rc = DB_FIRST(db, &st, sql_messages, db_text(e->number), db_int(e->after), db_int(era));
        rc = take(db, st, rc, &e->json, next);
        if (rc || !is_empty(e->json))
            return rc;
        free(e->json);
        e->json = NULL;
    }
    *next = 0;
    return rc;
}

static int take_piece(struct store_db *db, struct store_export *e, int64_t *next)
{
    const char *sql = e->section == EXPORT_MESSAGES ? sql_merged : sections[e->section];
    sqlite3_stmt *st;
    int rc;

    if (e->section == EXPORT_MESSAGES && e->after >= 0) {
        if ((rc = take_messages(db, e, next)) || *next != 0)
            return rc;
        e->after = 0; /* behind the last of its own: those of merged conversations */
    }
    rc = DB_FIRST(db, &st, sql, db_text(e->number), db_int(e->after));
    return take(db, st, rc, &e->json, next);
}

static int exec_export(struct store_db *db, struct store_op *op)
{
    struct store_export *e = container_of(op, struct store_export, op);
    int64_t next = 0;
    int rc = take_piece(db, e, &next);

    if (rc == ERR_OK && !e->json && !(e->json = strdup("[]")))
        rc = err_set(db->err, ERR_NOMEM, "out of memory");
    if (rc)
        return rc;
    utf8_mend(e->json); /* some texts were cut to fit before they were stored */
    e->was = e->section;
    e->after = next;
    if (next != 0)
        return ERR_OK;
    e->section++;
    e->ended = e->section == EXPORT_SECTIONS;
    return ERR_OK;
}

static void drop_export(struct store_op *op)
{
    struct store_export *e = container_of(op, struct store_export, op);

    free(e->json);
    e->json = NULL;
}

void store_export(struct store *s, struct store_export *e)
{
    e->json = NULL;
    e->ended = false;
    store_submit_read(s, &e->op, exec_export, drop_export);
}
