/* What the customer side's files share. Private to store/. */
#ifndef SIMGATE_STORE_DESK_PRIVATE_H
#define SIMGATE_STORE_DESK_PRIVATE_H

#include "store/private.h"

/* ---- desk_rows.c: contacts and conversations as rows ---- */

/* The contact that a number belongs to, as its main one or as another; NULL none. One look into one index
 * where it is the main one. `n`: an SQL expression, given twice. */
#define CONTACT_OF(n)                                                                                        \
    "coalesce((SELECT id FROM contact WHERE number = " n                                                     \
    "), (SELECT contact FROM contact_also WHERE number = " n "))"
#define CONTACT_COLUMNS_AND(others)                                                                          \
    "c.id, c.number, c.name, c.language, c.zone, (SELECT group_concat(t.tag, ',') FROM (SELECT tag FROM "    \
    "contact_tag WHERE contact = c.id ORDER BY tag) t), c.attributes, c.notes, c.created, "                  \
    "c.changed, " others
/* For people. What is decided about a message needs no other numbers. */
#define CONTACT_COLUMNS                                                                                      \
    CONTACT_COLUMNS_AND("(SELECT group_concat(n.number, ',') FROM contact_also n WHERE n.contact = c.id)")
/* conversation v JOIN contact c ON c.id = v.contact */
#define CONV_COLUMNS                                                                                         \
    "v.id, v.contact, ifnull(nullif(v.peer, ''), c.number), c.name, v.sim, v.state, v.priority, "            \
    "v.department, v.assignee, v.title, "                                                                    \
    "v.flagged, v.created, v.changed, v.last_in, v.waiting, v.first_response, v.person, v.office, "          \
    "v.snoozed_until, v.closed, v.reopened, v.messages_in, v.replies_by_persons, v.replies_automatic, "      \
    "v.due_first, v.due_next, v.due_resolution, v.overdue_first, v.overdue_next, v.overdue_resolution, "     \
    "v.survey, v.survey_score, v.survey_person, v.survey_answered, v.survey_comment <> '', "                 \
    "v.survey_department"
enum { CONTACT_COLUMN_COUNT = 11, CONV_COLUMN_COUNT = 36 };
/* From a statement whose columns, from `first` on, are these. */
void contact_row_read(sqlite3_stmt *st, int first, struct contact_row *out);
void conv_row_read(sqlite3_stmt *st, int first, struct conv_row *out);

/* 0, id 0 in *out when there is none. */
int contact_load(struct store_db *db, const char *number, struct contact_row *out);
/* 1 and its id; 0 there is none. */
int contact_find(struct store_db *db, const char *number, int64_t *id);
/* Its id; made when it is not there. */
int contact_make(struct store_db *db, const char *number, int64_t now_wall_ms, int64_t *id);
/* All numbers of the contact that this one belongs to, the main one first; `number` alone where there is
 * none. */
struct numbers {
    char of[DESK_NUMBERS_MAX][64];
    int n;
    int64_t contact; /* 0 none */
};
int contact_numbers(struct store_db *db, const char *number, struct numbers *out);
/* merge.c: a number that is nobody's yet becomes one more of a contact. */
int contact_also(struct store_db *db, const char *number, int64_t contact, int64_t now_wall_ms);
/* What one of these numbers has opted out of, all have. */
int contact_share_opt_outs(struct store_db *db, const struct numbers *all, const char *who,
                           int64_t now_wall_ms);
/* Of a number that leads to another one (conv_was), that other one, with its id. */
int conv_load(struct store_db *db, int64_t id, struct conv_row *out);
/* There is no conversation of this number any more, or never will be: it is another one's. Who was told of it
 * (staff, handlers, people at the command) finds that one. */
int conv_was(struct store_db *db, int64_t id, int64_t into);
/* The live one of a number and SIM ("" any: the newest), or the last one that is CLOSED or SPAM. */
int conv_find_live(struct store_db *db, int64_t contact, const char *sim, struct conv_row *out);
int conv_find_last(struct store_db *db, int64_t contact, const char *sim, struct conv_row *out);
int conv_insert(struct store_db *db, struct conv_row *c);     /* c->id 0 or taken: a new id */
int conv_save(struct store_db *db, const struct conv_row *c); /* all but the name */
int conv_start(struct store_db *db);                          /* reads the next ids */
int conv_log(struct store_db *db, int64_t conversation, int64_t at_wall_ms, const char *what, const char *who,
             const char *value, int64_t message);

/* ---- consent.c ---- */

/* What counts for a number on a SIM: the SIM's own where there is one, else the business's; sim "" (not known
 * yet): OUT where any SIM is. */
int consent_get(struct store_db *db, const char *number, const char *sim, enum consent_state *out);
struct consent_change {
    const char *number, *sim, *who, *how, *words;
    enum consent_state state;
    int64_t message, at_wall_ms;
};
/* Ledger and state; a change for the business replaces what was said to single SIMs. */
int consent_set(struct store_db *db, const struct consent_change *c);
/* May m go out? Sets m->opted_out and m->refused when not. With MSG_F_OVERRIDE it may, and the ledger gets a
 * line. */
int consent_admit(struct store_db *db, struct store_new_message *m, int64_t now_wall_ms);

/* ---- export.c, erase.c ---- */

/* A delivery's body names this number, whole: as a text of JSON, or in the text of a mail. */
#define BODY_NAMES(number)                                                                                   \
    "(instr(body, '\"' || " number " || '\"') > 0 OR (" number " GLOB '+*' AND body GLOB '*' || " number     \
    " || "                                                                                                   \
    "'[^0-9]*'))"

/* Likewise the key of a value that a script keeps: "+49…", "cart:+49…". */
#define KEY_NAMES(number)                                                                                    \
    "(key = " number " OR (" number " GLOB '+*' AND key || ' ' GLOB '*' || " number " || '[^0-9]*'))"

/* ---- events.c ---- */

struct event_new {
    enum desk_event kind;
    int depth;
    int64_t conversation, message, at_wall_ms;
    const char *number, *sim, *name, *text;
};
/* Stored when its kind is wanted and it is not too deep. *id 0: it was not; NULL: nobody asks. */
int event_put(struct store_db *db, const struct event_new *e, int64_t *id);
/* The event REPORT of an outbound message that came to this state; nothing for other states. */
int event_report(struct store_db *db, const struct msg_head *h, const struct msg_change *c);

/* ---- thread.c, effects.c: one transaction of store_handle ---- */

struct desk_tx {
    struct store_db *db;
    struct store_handle *h;
    const char *number, *sim; /* of the contact; "" unknown */
    char number_buf[64], sim_buf[MSG_MODEM_BYTES];
    char *text;               /* of the received message, heap; NULL none */
    struct msg_head received; /* it */
    int64_t received_wall_ms; /* it was; else now */
    struct conv_row own;      /* the transaction's conversation; id 0 none */
    struct conv_row other;    /* another one that an effect or a message names */
    bool own_dirty, other_dirty;
};
/* The conversation of this id (0: the transaction's own), or NULL: there is none, *rc says whether by a
 * failure. What is changed in it is stored when the transaction ends; *dirty is to be set then. */
struct conv_row *desk_conv(struct desk_tx *t, int64_t id, bool **dirty, int *rc);
int desk_save(struct desk_tx *t);
int desk_log(struct desk_tx *t, int64_t conversation, const char *what, const char *value);
int desk_event_put(struct desk_tx *t, enum desk_event kind, const struct conv_row *c, const char *name,
                   const char *text);
int desk_thread(struct desk_tx *t);
int desk_effect(struct desk_tx *t, const struct store_effect *e);
/* c goes to a state: closes, opens again, stops clocks; tells the timeline. ERR_REFUSED. */
int desk_set_state(struct desk_tx *t, struct conv_row *c, enum conv_state to, int64_t until_wall_ms);
/* A message of ours that was just stored: it belongs to a conversation, which was answered. */
int desk_sent(struct desk_tx *t, struct store_new_message *m);
/* Automatic replies are counted for the guard. */
int guard_count(struct store_db *db, const struct store_new_message *m, int64_t now_wall_ms);
/* Its parts and cost, for quotas of routes and the day's cost cap: spending.c. */
int spending_count(struct store_db *db, const struct store_new_message *m, int64_t now_wall_ms);
/* A received message came right behind an automatic reply, or it did not. */
int guard_rounds(struct store_db *db, const char *number, int64_t received_wall_ms);

#endif
