/* Contacts and conversations as rows: found, made, changed whole. The contact of a number is made when it is
 * first needed. */
#include <stdlib.h>
#include <string.h>

#include "store/desk_private.h"

/* ",a,b," of "a,b". */
static char *tags_of(sqlite3_stmt *st, int column)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    size_t len = text ? strlen(text) : 0;
    char *tags = text ? malloc(len + 3) : NULL;

    if (!tags)
        return NULL;
    tags[0] = ',';
    memcpy(tags + 1, text, len);
    memcpy(tags + 1 + len, ",", 2);
    return tags;
}

void contact_row_read(sqlite3_stmt *st, int first, struct contact_row *out)
{
    *out = (struct contact_row){.id = db_col(st, first),
                                .tags = tags_of(st, first + 5),
                                .attributes = db_col_dup(st, first + 6),
                                .notes = db_col_dup(st, first + 7),
                                .created_wall_ms = db_col(st, first + 8),
                                .changed_wall_ms = db_col(st, first + 9),
                                .others = db_col_dup(st, first + 10)};
    db_col_text(st, first + 1, out->number, sizeof out->number);
    db_col_text(st, first + 2, out->name, sizeof out->name);
    db_col_text(st, first + 3, out->language, sizeof out->language);
    db_col_text(st, first + 4, out->zone, sizeof out->zone);
}

void conv_row_read(sqlite3_stmt *st, int first, struct conv_row *out)
{
    int c = first;

    *out = (struct conv_row){.id = db_col(st, c), .contact = db_col(st, c + 1)};
    db_col_text(st, c + 2, out->number, sizeof out->number);
    db_col_text(st, c + 3, out->name, sizeof out->name);
    db_col_text(st, c + 4, out->sim, sizeof out->sim);
    out->state = (enum conv_state)db_col(st, c + 5);
    out->priority = (enum conv_priority)db_col(st, c + 6);
    db_col_text(st, c + 7, out->department, sizeof out->department);
    db_col_text(st, c + 8, out->assignee, sizeof out->assignee);
    db_col_text(st, c + 9, out->title, sizeof out->title);
    out->flagged = db_col(st, c + 10) != 0;
    out->created_wall_ms = db_col(st, c + 11);
    out->changed_wall_ms = db_col(st, c + 12);
    out->last_in_wall_ms = db_col(st, c + 13);
    out->waiting_wall_ms = db_col(st, c + 14);
    out->first_response_wall_ms = db_col(st, c + 15);
    out->person_wall_ms = db_col(st, c + 16);
    out->office_wall_ms = db_col(st, c + 17);
    out->snoozed_until_wall_ms = db_col(st, c + 18);
    out->closed_wall_ms = db_col(st, c + 19);
    out->reopened = (int)db_col(st, c + 20);
    out->messages_in = (int)db_col(st, c + 21);
    out->replies_by_persons = (int)db_col(st, c + 22);
    out->replies_automatic = (int)db_col(st, c + 23);
    for (int k = 0; k < CLOCKS; k++) {
        out->due_wall_ms[k] = db_col(st, c + 24 + k);
        out->overdue_wall_ms[k] = db_col(st, c + 27 + k);
    }
    out->survey_wall_ms = db_col(st, c + 30);
    out->survey_score = (int)db_col(st, c + 31);
    db_col_text(st, c + 32, out->survey_person, sizeof out->survey_person);
    out->survey_answered_wall_ms = db_col(st, c + 33);
    out->survey_commented = db_col(st, c + 34) != 0;
    db_col_text(st, c + 35, out->survey_department, sizeof out->survey_department);
}

/* ---- contacts ---- */

static const char sql_contact[] =
    "SELECT " CONTACT_COLUMNS_AND("NULL") " FROM contact c WHERE c.id = " CONTACT_OF("?1");
/* The second half is not looked at where the first has one. */
static const char sql_contact_id[] = "SELECT id FROM contact WHERE number = ?1 UNION ALL SELECT contact FROM "
                                     "contact_also WHERE number = ?1 LIMIT 1";
static const char sql_contact_new[] = "INSERT INTO contact(number, name, language, zone, created, changed) "
                                      "VALUES(?1, '', '', '', ?2, ?2)";

int contact_load(struct store_db *db, const char *number, struct contact_row *out)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_contact, db_text(number));

    *out = (struct contact_row){0};
    if (rc <= 0)
        return rc;
    contact_row_read(st, 0, out);
    db_end(st);
    return ERR_OK;
}

int contact_find(struct store_db *db, const char *number, int64_t *id)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_contact_id, db_text(number));

    *id = 0;
    if (rc <= 0)
        return rc;
    *id = db_col(st, 0);
    db_end(st);
    return 1;
}

int contact_make(struct store_db *db, const char *number, int64_t now_wall_ms, int64_t *id)
{
    int rc = contact_find(db, number, id);

    if (rc != 0)
        return rc < 0 ? rc : ERR_OK;
    rc = DB_RUN(db, sql_contact_new, db_text(number), db_int(now_wall_ms));
    *id = sqlite3_last_insert_rowid(db->h);
    return rc;
}

static const char sql_numbers[] =
    "SELECT number FROM contact WHERE id = ?1 UNION ALL SELECT number FROM contact_also WHERE contact = ?1";

int contact_numbers(struct store_db *db, const char *number, struct numbers *out)
{
    sqlite3_stmt *st;
    int rc = contact_find(db, number, &out->contact);

    out->n = 0;
    if (rc == 0)
        str_copy(out->of[out->n++], sizeof out->of[0], number);
    if (rc <= 0)
        return rc;
    if (!(st = DB_BIND(db, sql_numbers, db_int(out->contact))))
        return db->err->code;
    while ((rc = db_step(db, st)) > 0)
        if (out->n < DESK_NUMBERS_MAX)
            db_col_text(st, 0, out->of[out->n++], sizeof out->of[0]);
    return rc;
}

/* ---- conversations ---- */

#define CONV_FROM "SELECT " CONV_COLUMNS " FROM conversation v JOIN contact c ON c.id = v.contact "
static const char sql_conv[] = CONV_FROM "WHERE v.id = ?1";
static const char sql_was[] =
    CONV_FROM "WHERE v.id = (SELECT conversation FROM conversation_was WHERE id = ?1)";
static const char sql_live[] = CONV_FROM "WHERE v.contact = ?1 AND v.sim = ?2 AND v.state < 5 LIMIT 1";
static const char sql_live_any[] =
    CONV_FROM "WHERE v.contact = ?1 AND v.state < 5 ORDER BY v.id DESC LIMIT 1";
static const char sql_last[] = CONV_FROM "WHERE v.contact = ?1 AND v.state >= 5 AND (?2 = '' OR v.sim = ?2) "
                                         "ORDER BY v.closed DESC, v.id DESC LIMIT 1";
static const char sql_ids[] = /* see ids_keep */
    "SELECT max(ifnull((SELECT max(id) FROM conversation), 0), ifnull((SELECT max(id) FROM "
    "conversation_was), 0), ifnull((SELECT message FROM retained WHERE kind = 11), 0)) + 1, ifnull((SELECT "
    "message FROM retained WHERE kind = 10), 0)";

int conv_start(struct store_db *db)
{
    sqlite3_stmt *st;
    int rc = db_first(db, &st, sql_ids, NULL, 0);

    if (rc <= 0)
        return rc;
    db->next_conversation = db_col(st, 0);
    db->message_floor = db_col(st, 1);
    db_end(st);
    return ERR_OK;
}

static int read_one(sqlite3_stmt *st, int rc, struct conv_row *out)
{
    *out = (struct conv_row){0};
    if (rc <= 0)
        return rc;
    conv_row_read(st, 0, out);
    db_end(st);
    return ERR_OK;
}

int conv_load(struct store_db *db, int64_t id, struct conv_row *out)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_conv, db_int(id));

    if (rc == 0)
        rc = DB_FIRST(db, &st, sql_was, db_int(id));
    return read_one(st, rc, out);
}

/* Those that led to `id` lead there, too. */
static const char sql_leads[] =
    "INSERT OR REPLACE INTO conversation_was(id, conversation) SELECT id, ?2 FROM conversation_was WHERE "
    "conversation = ?1 UNION ALL SELECT ?1, ?2";

int conv_was(struct store_db *db, int64_t id, int64_t into)
{
    return DB_RUN(db, sql_leads, db_int(id), db_int(into));
}

int conv_find_live(struct store_db *db, int64_t contact, const char *sim, struct conv_row *out)
{
    sqlite3_stmt *st;
    int rc = *sim ? DB_FIRST(db, &st, sql_live, db_int(contact), db_text(sim))
                  : DB_FIRST(db, &st, sql_live_any, db_int(contact));

    return read_one(st, rc, out);
}

int conv_find_last(struct store_db *db, int64_t contact, const char *sim, struct conv_row *out)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_last, db_int(contact), db_text(sim));

    return read_one(st, rc, out);
}

static const char sql_taken[] = "SELECT 1 FROM conversation WHERE id = ?1";
static const char sql_insert[] =
    "INSERT INTO conversation(id, contact, sim, state, priority, department, assignee, title, flagged, "
    "created, changed, last_in, waiting, first_response, person, office, snoozed_until, closed, reopened, "
    "messages_in, replies_by_persons, replies_automatic, due_first, due_next, due_resolution, overdue_first, "
    "overdue_next, overdue_resolution, survey, survey_score, survey_person, survey_answered, survey_comment, "
    "peer) VALUES(?1, ?2, ?3, ?4, ?5, '', '', ?6, 0, ?7, ?8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
    "0, 0, -1, '', 0, '', ?9)";

int conv_insert(struct store_db *db, struct conv_row *c)
{
    sqlite3_stmt *st;
    int rc = c->id > 0 ? DB_FIRST(db, &st, sql_taken, db_int(c->id)) : 0;

    if (rc < 0)
        return rc;
    if (rc > 0)
        db_end(st);
    if (rc > 0 || c->id <= 0)
        c->id = db->next_conversation++;
    return DB_RUN(db, sql_insert, db_int(c->id), db_int(c->contact), db_text(c->sim), db_int(c->state),
                  db_int(c->priority), db_text(c->title), db_int(c->created_wall_ms),
                  db_int(c->changed_wall_ms), db_text(c->number));
}

static const char sql_save[] =
    "UPDATE conversation SET state = ?2, priority = ?3, department = ?4, assignee = ?5, title = ?6, flagged "
    "= ?7, changed = ?8, last_in = ?9, waiting = ?10, first_response = ?11, person = ?12, office = ?13, "
    "snoozed_until = ?14, closed = ?15, reopened = ?16, messages_in = ?17, replies_by_persons = ?18, "
    "replies_automatic = ?19, due_first = ?20, due_next = ?21, due_resolution = ?22, overdue_first = ?23, "
    "overdue_next = ?24, overdue_resolution = ?25, survey = ?26, survey_score = ?27, survey_person = ?28, "
    "survey_answered = ?29, peer = ?30, survey_department = ?31 WHERE id = ?1";

int conv_save(struct store_db *db, const struct conv_row *c)
{
    return DB_RUN(db, sql_save, db_int(c->id), db_int(c->state), db_int(c->priority), db_text(c->department),
                  db_text(c->assignee), db_text(c->title), db_int(c->flagged), db_int(c->changed_wall_ms),
                  db_int(c->last_in_wall_ms), db_int(c->waiting_wall_ms), db_int(c->first_response_wall_ms),
                  db_int(c->person_wall_ms), db_int(c->office_wall_ms), db_int(c->snoozed_until_wall_ms),
                  db_int(c->closed_wall_ms), db_int(c->reopened), db_int(c->messages_in),
                  db_int(c->replies_by_persons), db_int(c->replies_automatic),
                  db_int(c->due_wall_ms[CLOCK_FIRST]), db_int(c->due_wall_ms[CLOCK_NEXT]),
                  db_int(c->due_wall_ms[CLOCK_RESOLUTION]), db_int(c->overdue_wall_ms[CLOCK_FIRST]),
                  db_int(c->overdue_wall_ms[CLOCK_NEXT]), db_int(c->overdue_wall_ms[CLOCK_RESOLUTION]),
                  db_int(c->survey_wall_ms), db_int(c->survey_score), db_text(c->survey_person),
                  db_int(c->survey_answered_wall_ms), db_text(c->number), db_text(c->survey_department));
}

/* ---- the timeline ---- */

static const char sql_log[] =
    "INSERT INTO conversation_log(conversation, n, at, what, who, value, message) VALUES(?1, 1 + "
    "ifnull((SELECT max(n) FROM conversation_log WHERE conversation = ?1), 0), ?2, ?3, ?4, ?5, ?6)";

int conv_log(struct store_db *db, int64_t conversation, int64_t at_wall_ms, const char *what, const char *who,
             const char *value, int64_t message)
{
    return DB_RUN(db, sql_log, db_int(conversation), db_int(at_wall_ms), db_text(what), db_text(who),
                  db_text(value), db_int(message));
}
