/* The customer side in the store: contacts, conversations, consent, what waits to be told to handlers, and
 * the one transaction by which all of it changes.
 *
 * Everything that the engine, a person or a clock decides is a list of effects. They are applied by
 * store_handle() together with what caused them (a received message becomes HANDLED, an event or a delivery
 * is done with) and with the messages that they send: all of it or nothing, so that a crash never does a
 * thing twice and never forgets one.
 */
#ifndef SIMGATE_STORE_DESK_H
#define SIMGATE_STORE_DESK_H

#include "store/types.h"

enum {
    DESK_NAME_BYTES = 96,     /* a contact, a person */
    DESK_WORD_BYTES = 64,     /* a tag, a department, a rule, the name of an attribute or template */
    DESK_LANGUAGE_BYTES = 12, /* BCP 47: "de", "pt-BR" */
    DESK_TITLE_BYTES = 128,   /* the first 40 characters of the message that opened a conversation */
    DESK_WHO_BYTES = 96,      /* "person:Anna", "rule:hours", "ctl:root", "clock" */
    DESK_NUMBERS_MAX = 32,    /* of one contact */
    DESK_EVENT_DEPTH = 8, /* an event that was caused by so many others causes no more: no endless loops */
};

/* ---- contacts and conversations ----------------------------------------------------------------------- */

struct contact_row {
    int64_t id;                         /* 0: there is none */
    char number[64];                    /* the main one: canonical, unique */
    char name[DESK_NAME_BYTES];         /* "" not known */
    char language[DESK_LANGUAGE_BYTES]; /* "" not known */
    char zone[48];                      /* IANA time zone; "" by number */
    char *tags;                         /* heap: ",returns,vip,", sorted; NULL none */
    char *attributes;                   /* heap: JSON object of texts; NULL none */
    char *notes;                        /* heap; NULL none */
    char *others; /* heap: its other numbers, "+491,+492"; NULL none, or not asked for */
    int64_t created_wall_ms, changed_wall_ms;
};
void contact_row_clear(struct contact_row *c);
bool contact_has_tag(const struct contact_row *c, const char *tag);
/* What may be one, whoever gives it: lists of tags are written with commas, in a line of words, and "!vip" is
 * who has it not. NULL is none. */
bool tag_is_good(const char *tag);
#define TAG_EXPECTED                                                                                         \
    "a word of 1 to 63 bytes without blanks, commas and control characters, not beginning with !"
/* The attribute's text, to be freed; NULL: there is none. */
char *contact_attribute(const struct contact_row *c, const char *name);

/* Stored: never renumber. One that is neither CLOSED nor SPAM there is at most once per contact and SIM. */
enum conv_state {
    CONV_NEW = 1,     /* nobody has answered or taken it */
    CONV_OPEN = 2,    /* ours to answer */
    CONV_WAITING = 3, /* for the customer */
    CONV_SNOOZED = 4, /* until a time, or the customer's next message */
    CONV_CLOSED = 5,
    CONV_SPAM = 6,
    CONV_STATES = 7,
};
const char *conv_state_name(enum conv_state s); /* "new" … */
bool conv_state_from_name(const char *name, enum conv_state *out);
/* May it go from one to the other? Any live state to any; CLOSED and SPAM only to OPEN. */
bool conv_state_allowed(enum conv_state from, enum conv_state to);

enum conv_priority { PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_URGENT };

/* What a conversation can be late with. */
enum conv_clock { CLOCK_FIRST, CLOCK_NEXT, CLOCK_RESOLUTION, CLOCKS };

struct conv_row {
    int64_t id; /* 0: there is none */
    int64_t contact;
    char number[64];            /* of the contact: what the customer wrote from last, and answers go to */
    char name[DESK_NAME_BYTES]; /* of the contact */
    char sim[MSG_MODEM_BYTES];  /* the modem that the customer wrote to */
    enum conv_state state;
    enum conv_priority priority;
    char department[DESK_WORD_BYTES]; /* "" none */
    char assignee[DESK_NAME_BYTES];   /* "" nobody */
    char title[DESK_TITLE_BYTES];
    bool flagged;                   /* a person should look: a near opt-out, a reply that cannot be made */
    int64_t created_wall_ms;        /* the customer's first message */
    int64_t changed_wall_ms;        /* anything */
    int64_t last_in_wall_ms;        /* the customer's last message */
    int64_t waiting_wall_ms;        /* the customer's oldest message that no person answered; 0 none */
    int64_t first_response_wall_ms; /* by a person; 0 none yet */
    int64_t person_wall_ms;         /* a person wrote last; 0 never */
    int64_t office_wall_ms;         /* the office-hours reply went out last; 0 never */
    int64_t snoozed_until_wall_ms;  /* 0: until the customer writes */
    int64_t closed_wall_ms;         /* last; 0 never */
    int reopened;                   /* how often */
    int messages_in, replies_by_persons, replies_automatic;
    int64_t due_wall_ms[CLOCKS];     /* 0: the clock does not run; below 0: it stands, and so much business
                                        time is left (engine/due.h) */
    int64_t overdue_wall_ms[CLOCKS]; /* when it was found to be late; 0 never */
    int64_t survey_wall_ms;          /* asked at; 0 never */
    int survey_score;                /* -1 not answered */
    char survey_person[DESK_NAME_BYTES]; /* the assignee when it was asked */
    char survey_department[DESK_WORD_BYTES];
    int64_t survey_answered_wall_ms; /* 0 not; a comment may follow */
    bool survey_commented;
};

/* ---- effects ------------------------------------------------------------------------------------------ */

/* What each needs is said behind it; `conversation` 0 is that of the transaction, `number` NULL its
 * contact's. One that changes nothing (a tag that is there already) succeeds and is not told. */
enum effect_kind {
    EFFECT_STATE, /* n: enum conv_state; at_wall_ms: SNOOZED until; name: only from this state; NULL any */
    EFFECT_DEPARTMENT,     /* value; "" none */
    EFFECT_ASSIGN,         /* value: a person's name; "" nobody */
    EFFECT_PRIORITY,       /* n: enum conv_priority */
    EFFECT_FLAG,           /* n: 0, 1; value: why */
    EFFECT_NOTE,           /* value: for the timeline, never sent */
    EFFECT_CLOCK,          /* n: enum conv_clock; at_wall_ms: due; 0 stops it, below 0: stands */
    EFFECT_OVERDUE,        /* n: enum conv_clock; makes an event OVERDUE */
    EFFECT_OFFICE,         /* the office-hours reply goes out now */
    EFFECT_SURVEY_ASK,     /* marks it asked */
    EFFECT_SURVEY_SCORE,   /* n; makes an event SURVEY */
    EFFECT_SURVEY_COMMENT, /* value */
    EFFECT_CONTACT,        /* name: "name", "language", "zone" or "notes"; value */
    EFFECT_ATTRIBUTE,      /* name, value; "" or NULL takes it away */
    EFFECT_TAG,            /* name */
    EFFECT_UNTAG,          /* name */
    EFFECT_CONSENT, /* n: enum consent_state; name: scope, a SIM or "" for the business; value: the words;
                       key: how it is known, "import:NAME" …; NULL "message", or "person" where there is none
                     */
    EFFECT_ONCE,    /* name: the rule that has now acted for this number */
    EFFECT_MUTE,    /* at_wall_ms: no automatic replies to this number before; value: why */
    EFFECT_DELIVER, /* name: handler; key: event id; value: the body, to be delivered at least once */
    EFFECT_VALUE,   /* name: the script it belongs to; key, value (NULL takes it away): kept for a handler */
    EFFECT_KINDS,
};
const char *effect_name(enum effect_kind k);

struct store_effect {
    enum effect_kind kind;
    int64_t conversation;
    const char *number, *name, *key, *value;
    const char *who; /* for timeline and ledger; NULL: who the transaction is by */
    int64_t n, at_wall_ms;
};

/* How a transaction's message belongs to a conversation. */
enum store_thread {
    THREAD_NONE, /* to none: a person of ours, an own number, no sender */
    THREAD_JOIN, /* to the open or else the last one, whose state it leaves as it is: STOP, a survey's answer
                  */
    THREAD_OPEN, /* to the open one; a snoozed one opens, one closed within `reopen_ms` is opened again,
                    otherwise a new one begins. Makes events OPENED */
};

/* ---- events for rules and handlers, besides received messages ------------------------------------------ */

/* Stored: never renumber. Kept until the engine has handled them, only those kinds that somebody wants. */
enum desk_event {
    DESK_REPORT =
        1, /* a message that we sent is DELIVERED, UNDELIVERED, FAILED or EXPIRED: message, name its state */
    DESK_OPENED = 2,   /* a conversation, also again: name "new", "reopened" */
    DESK_ASSIGNED = 3, /* name: the person, or "department" of `text` */
    DESK_CLOSED = 4,
    DESK_OVERDUE = 5,  /* name: "first", "next", "resolution" */
    DESK_SURVEY = 6,   /* answered: name the score */
    DESK_ALARM = 7,    /* a modem's, or the disk's: name the alarm, text what it says, sim the modem */
    DESK_SCHEDULE = 8, /* name: the rule, whose time it is */
    DESK_EVENTS = 9,
};
const char *desk_event_name(enum desk_event k); /* "report", "opened" … */

struct event_row {
    int64_t id;
    enum desk_event kind;
    int depth; /* how many events led to it */
    int64_t conversation, message;
    char number[64], sim[MSG_MODEM_BYTES], name[DESK_WORD_BYTES];
    char *text; /* heap, NULL none */
    int64_t at_wall_ms;
};
void event_row_clear(struct event_row *e);

#endif
