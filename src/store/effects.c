/* The effects of a decision, one function each. One that changes nothing succeeds and is not told. What
 * needs a conversation where there is none is left out: a rule may tag whoever wrote, also from a number that
 * begins no conversation. */
#include <stdio.h>
#include <string.h>

#include "store/desk_private.h"

/* What an effect is about. */
struct on {
    struct conv_row *c; /* NULL: none */
    bool *dirty;
    const char *number; /* "" none */
};

static int changed(struct desk_tx *t, const struct on *on, const char *what, const char *value)
{
    if (!on->c)
        return ERR_OK;
    *on->dirty = true;
    on->c->changed_wall_ms = t->h->now_wall_ms;
    return desk_log(t, on->c->id, what, value);
}

/* ---- of a conversation ---- */

static int on_state(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    enum conv_state to = (enum conv_state)e->n;
    bool same = on->c->state == to && on->c->snoozed_until_wall_ms == e->at_wall_ms;
    int rc;

    if (e->name && strcmp(e->name, conv_state_name(on->c->state)) != 0)
        return ERR_OK; /* somebody was faster */
    rc = desk_set_state(t, on->c, to, e->at_wall_ms);
    if (rc == ERR_OK && !same) {
        *on->dirty = true;
        on->c->changed_wall_ms = t->h->now_wall_ms;
    }
    return rc;
}

static int on_department(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    const char *value = e->value ? e->value : "";
    int rc;

    if (strcmp(on->c->department, value) == 0)
        return ERR_OK;
    str_copy(on->c->department, sizeof on->c->department, value);
    if ((rc = changed(t, on, "department", value)) || !*value)
        return rc;
    return desk_event_put(t, DESK_ASSIGNED, on->c, "department", value);
}

static int on_assign(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    const char *value = e->value ? e->value : "";
    int rc;

    if (strcmp(on->c->assignee, value) == 0)
        return ERR_OK;
    str_copy(on->c->assignee, sizeof on->c->assignee, value);
    if ((rc = changed(t, on, "assign", value)) || !*value)
        return rc;
    if (on->c->state == CONV_NEW && (rc = desk_set_state(t, on->c, CONV_OPEN, 0)))
        return rc;
    return desk_event_put(t, DESK_ASSIGNED, on->c, value, NULL);
}

static int on_priority(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    static const char *const names[] = {"low", "normal", "high", "urgent"};

    if (e->n < PRIORITY_LOW || e->n > PRIORITY_URGENT)
        return err_set(t->db->err, ERR_INVALID, "a priority of %lld", (long long)e->n);
    if (on->c->priority == (enum conv_priority)e->n)
        return ERR_OK;
    on->c->priority = (enum conv_priority)e->n;
    return changed(t, on, "priority", names[e->n]);
}

static int on_flag(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    if (on->c->flagged == (e->n != 0))
        return ERR_OK;
    on->c->flagged = e->n != 0;
    return changed(t, on, on->c->flagged ? "flag" : "unflag", e->value);
}

static int on_note(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    return e->value && *e->value ? changed(t, on, "note", e->value) : ERR_OK;
}

static int check_clock(struct desk_tx *t, const struct store_effect *e)
{
    if (e->n < 0 || e->n >= CLOCKS)
        return err_set(t->db->err, ERR_INVALID, "a clock %lld", (long long)e->n);
    return ERR_OK;
}

static int on_clock(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    if (check_clock(t, e) || on->c->due_wall_ms[e->n] == e->at_wall_ms)
        return t->db->err->code;
    on->c->due_wall_ms[e->n] = e->at_wall_ms;
    if (e->at_wall_ms != 0)
        on->c->overdue_wall_ms[e->n] = 0;
    *on->dirty = true;
    return ERR_OK;
}

/* A clock that was stopped meanwhile, stands or began anew is late with nothing. */
static int on_overdue(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    static const char *const names[CLOCKS] = {"first", "next", "resolution"};
    int rc;

    if (check_clock(t, e) || on->c->due_wall_ms[e->n] <= 0 || on->c->due_wall_ms[e->n] > t->h->now_wall_ms ||
        on->c->overdue_wall_ms[e->n] != 0)
        return t->db->err->code;
    on->c->overdue_wall_ms[e->n] = t->h->now_wall_ms;
    if ((rc = figure_overdue(t->db, on->c, t->h->now_wall_ms)))
        return rc;
    rc = changed(t, on, "overdue", names[e->n]);
    return rc ? rc : desk_event_put(t, DESK_OVERDUE, on->c, names[e->n], on->c->title);
}

static int on_office(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    (void)e;
    on->c->office_wall_ms = t->h->now_wall_ms;
    *on->dirty = true;
    return ERR_OK;
}

static int on_survey_ask(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    int rc;

    (void)e;
    if (on->c->survey_wall_ms != 0)
        return ERR_OK;
    on->c->survey_wall_ms = t->h->now_wall_ms;
    str_copy(on->c->survey_person, sizeof on->c->survey_person, on->c->assignee);
    str_copy(on->c->survey_department, sizeof on->c->survey_department, on->c->department);
    rc = figure_asked(t->db, on->c);
    return rc ? rc : changed(t, on, "survey ask", on->c->assignee);
}

static int on_survey_score(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    char score[24];
    int rc;

    if (on->c->survey_wall_ms == 0 || on->c->survey_answered_wall_ms != 0)
        return ERR_OK;
    snprintf(score, sizeof score, "%lld", (long long)e->n);
    on->c->survey_score = (int)e->n;
    on->c->survey_answered_wall_ms = t->h->now_wall_ms;
    if ((rc = figure_scored(t->db, on->c, e->n)))
        return rc;
    rc = changed(t, on, "survey score", score);
    return rc ? rc : desk_event_put(t, DESK_SURVEY, on->c, score, NULL);
}

static const char sql_comment[] = "UPDATE conversation SET survey_comment = ?2 WHERE id = ?1";

static int on_survey_comment(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    int rc = DB_RUN(t->db, sql_comment, db_int(on->c->id), db_text(e->value));

    return rc ? rc : changed(t, on, "survey comment", e->value);
}

/* ---- of a contact ---- */

static const char sql_name[] = "UPDATE contact SET name = ?2, changed = ?3 WHERE id = ?1 AND name <> ?2";
static const char sql_language[] =
    "UPDATE contact SET language = ?2, changed = ?3 WHERE id = ?1 AND language <> ?2";
static const char sql_zone[] = "UPDATE contact SET zone = ?2, changed = ?3 WHERE id = ?1 AND zone <> ?2";
static const char sql_notes[] =
    "UPDATE contact SET notes = ?2, changed = ?3 WHERE id = ?1 AND ifnull(notes, '') <> ?2";
static const struct {
    const char *name, *sql;
} fields[] = {{"name", sql_name}, {"language", sql_language}, {"zone", sql_zone}, {"notes", sql_notes}};

/* The change of a contact that a statement just made, or did not. */
static int contact_changed(struct desk_tx *t, const struct on *on, const char *what, const char *value)
{
    return sqlite3_changes64(t->db->h) > 0 ? changed(t, on, what, value) : ERR_OK;
}

static int on_contact(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    char value[200];
    int64_t id;
    int rc;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].name, e->name ? e->name : "") != 0)
            continue;
        if ((rc = contact_make(t->db, on->number, t->h->now_wall_ms, &id)) ||
            (rc = DB_RUN(t->db, fields[i].sql, db_int(id), db_text(e->value), db_int(t->h->now_wall_ms))))
            return rc;
        snprintf(value, sizeof value, "%.20s=%.160s", e->name, e->value ? e->value : "");
        return contact_changed(t, on, "contact", value);
    }
    return err_set(t->db->err, ERR_INVALID, "a contact has name, language, zone and notes, not \"%.40s\"",
                   e->name ? e->name : "");
}

/* RFC 7396: null takes a name away. */
static const char sql_attribute[] =
    "UPDATE contact SET attributes = json_patch(ifnull(attributes, '{}'), json_object(?2, ?3)), changed = ?4 "
    "WHERE id = ?1 AND attributes IS NOT json_patch(ifnull(attributes, '{}'), json_object(?2, ?3))";

static int on_attribute(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    const char *value = e->value && *e->value ? e->value : NULL;
    char told[200];
    int64_t id;
    int rc;

    if (!e->name || !*e->name)
        return err_set(t->db->err, ERR_INVALID, "an attribute without a name");
    if ((rc = contact_make(t->db, on->number, t->h->now_wall_ms, &id)) ||
        (rc = DB_RUN(t->db, sql_attribute, db_int(id), db_text(e->name), db_text_or_null(value),
                     db_int(t->h->now_wall_ms))))
        return rc;
    snprintf(told, sizeof told, "%.64s=%.120s", e->name, value ? value : "");
    return contact_changed(t, on, "attribute", told);
}

static const char sql_tag[] = "INSERT OR IGNORE INTO contact_tag(contact, tag) VALUES(?1, ?2)";
static const char sql_untag[] = "DELETE FROM contact_tag WHERE contact = ?1 AND tag = ?2";
static const char sql_tagged[] = "UPDATE contact SET changed = ?2 WHERE id = ?1";

static int on_tag(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    bool away = e->kind == EFFECT_UNTAG;
    int64_t id;
    int rc;

    if (!tag_is_good(e->name))
        return err_set(t->db->err, ERR_INVALID, "a tag is " TAG_EXPECTED);
    if ((rc = contact_make(t->db, on->number, t->h->now_wall_ms, &id)) ||
        (rc = DB_RUN(t->db, away ? sql_untag : sql_tag, db_int(id), db_text(e->name))) ||
        sqlite3_changes64(t->db->h) == 0 ||
        (rc = DB_RUN(t->db, sql_tagged, db_int(id), db_int(t->h->now_wall_ms))))
        return rc;
    return changed(t, on, effect_name(e->kind), e->name);
}

/* ---- of a number ---- */

static int on_consent(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    static const char *const names[] = {"unknown", "in", "out"};
    enum consent_state before;
    int rc;

    if (e->n < CONSENT_UNKNOWN || e->n > CONSENT_OUT)
        return err_set(t->db->err, ERR_INVALID, "a consent of %lld", (long long)e->n);
    if ((rc = consent_get(t->db, on->number, e->name ? e->name : "", &before)) ||
        (before != (enum consent_state)e->n &&
         (rc = figure_consent(t->db, (enum consent_state)e->n, e->name && *e->name ? e->name : t->sim, on->c,
                              t->h->now_wall_ms))))
        return rc;
    rc = consent_set(t->db, &(struct consent_change){.number = on->number,
                                                     .sim = e->name,
                                                     .who = t->h->who,
                                                     .how = e->key               ? e->key
                                                            : t->h->message != 0 ? "message"
                                                                                 : "person",
                                                     .words = e->value,
                                                     .state = (enum consent_state)e->n,
                                                     .message = t->h->message,
                                                     .at_wall_ms = t->h->now_wall_ms});
    return rc ? rc : changed(t, on, "consent", names[e->n]);
}

static const char sql_once[] = "INSERT OR REPLACE INTO once(number, rule, at) VALUES(?1, ?2, ?3)";

static int on_once(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    return DB_RUN(t->db, sql_once, db_text(on->number), db_text(e->name), db_int(t->h->now_wall_ms));
}

static const char sql_mute[] = "INSERT INTO muted(number, until, rounds) VALUES(?1, ?2, 0) "
                               "ON CONFLICT(number) DO UPDATE SET until = ?2, rounds = 0";

static int on_mute(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    int rc = DB_RUN(t->db, sql_mute, db_text(on->number), db_int(e->at_wall_ms));

    return rc ? rc : changed(t, on, "mute", e->value);
}

/* ---- of a handler ---- */

static const char sql_deliver[] =
    "INSERT OR IGNORE INTO delivery(handler, event, body, attempts, created, next, conversation, message, "
    "reason) VALUES(?1, ?2, ?3, 0, ?4, ?4, ?5, ?6, '')";

static int on_deliver(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    t->db->made_work = true;
    return DB_RUN(t->db, sql_deliver, db_text(e->name), db_text(e->key), db_text(e->value),
                  db_int(t->h->now_wall_ms), db_int(on->c ? on->c->id : 0), db_int(t->h->message));
}

static const char sql_value[] = "INSERT OR REPLACE INTO value(owner, key, value) VALUES(?1, ?2, ?3)";
static const char sql_forget[] = "DELETE FROM value WHERE owner = ?1 AND key = ?2";

static int on_value(struct desk_tx *t, const struct on *on, const struct store_effect *e)
{
    (void)on;
    if (!e->value)
        return DB_RUN(t->db, sql_forget, db_text(e->name), db_text(e->key));
    return DB_RUN(t->db, sql_value, db_text(e->name), db_text(e->key), db_text(e->value));
}

/* ---- the table ---- */

enum need { NEEDS_NOTHING, NEEDS_CONVERSATION, NEEDS_NUMBER };

static const struct {
    int (*apply)(struct desk_tx *t, const struct on *on, const struct store_effect *e);
    enum need need;
} effects[EFFECT_KINDS] = {
    [EFFECT_STATE] = {on_state, NEEDS_CONVERSATION},
    [EFFECT_DEPARTMENT] = {on_department, NEEDS_CONVERSATION},
    [EFFECT_ASSIGN] = {on_assign, NEEDS_CONVERSATION},
    [EFFECT_PRIORITY] = {on_priority, NEEDS_CONVERSATION},
    [EFFECT_FLAG] = {on_flag, NEEDS_CONVERSATION},
    [EFFECT_NOTE] = {on_note, NEEDS_CONVERSATION},
    [EFFECT_CLOCK] = {on_clock, NEEDS_CONVERSATION},
    [EFFECT_OVERDUE] = {on_overdue, NEEDS_CONVERSATION},
    [EFFECT_OFFICE] = {on_office, NEEDS_CONVERSATION},
    [EFFECT_SURVEY_ASK] = {on_survey_ask, NEEDS_CONVERSATION},
    [EFFECT_SURVEY_SCORE] = {on_survey_score, NEEDS_CONVERSATION},
    [EFFECT_SURVEY_COMMENT] = {on_survey_comment, NEEDS_CONVERSATION},
    [EFFECT_CONTACT] = {on_contact, NEEDS_NUMBER},
    [EFFECT_ATTRIBUTE] = {on_attribute, NEEDS_NUMBER},
    [EFFECT_TAG] = {on_tag, NEEDS_NUMBER},
    [EFFECT_UNTAG] = {on_tag, NEEDS_NUMBER},
    [EFFECT_CONSENT] = {on_consent, NEEDS_NUMBER},
    [EFFECT_ONCE] = {on_once, NEEDS_NUMBER},
    [EFFECT_MUTE] = {on_mute, NEEDS_NUMBER},
    [EFFECT_DELIVER] = {on_deliver, NEEDS_NOTHING},
    [EFFECT_VALUE] = {on_value, NEEDS_NOTHING},
};

int desk_effect(struct desk_tx *t, const struct store_effect *e)
{
    struct on on = {.number = e->number ? e->number : t->number};
    const char *who = t->h->who;
    int rc;

    if (e->kind >= EFFECT_KINDS)
        return err_set(t->db->err, ERR_INVALID, "an effect %d", (int)e->kind);
    on.c = desk_conv(t, e->conversation, &on.dirty, &rc);
    if (rc)
        return rc;
    if (!on.c && e->conversation != 0 && t->h->strict)
        return err_set(t->db->err, ERR_NOT_FOUND, "there is no conversation %lld",
                       (long long)e->conversation);
    /* An effect on another's number is no part of this conversation's timeline. */
    if (on.c && e->conversation == 0 && e->number && strcmp(e->number, on.c->number) != 0)
        on.c = NULL;
    if (on.c && e->conversation != 0 && !e->number)
        on.number = on.c->number;
    if ((effects[e->kind].need == NEEDS_CONVERSATION && !on.c) ||
        (effects[e->kind].need == NEEDS_NUMBER && !*on.number))
        return ERR_OK;
    t->h->who = e->who ? e->who : who;
    rc = effects[e->kind].apply(t, &on, e);
    t->h->who = who;
    return rc;
}
