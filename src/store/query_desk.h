/* What is asked of the customer side: contacts, conversations with their timelines, consent, deliveries,
 * figures; and what is done to personal data as such: import, merging, export, erasing, retention.
 *
 * Reads are on the reader's lane, a page at a time by keys, and none of them walks through a table
 * (tests/unit/store/test_plans.c asks SQLite). Rows are heap: each list has its clear(), which also fits an
 * operation that failed. A page has at most `limit` rows (1..1000); `more` tells that there are others, found
 * with `after` = the last row's id and the same filters.
 */
#ifndef SIMGATE_STORE_QUERY_DESK_H
#define SIMGATE_STORE_QUERY_DESK_H

#include "store/store.h"

enum { QUERY_PAGE_MAX = 1000 };

/* ---- contacts ------------------------------------------------------------------------------------------ */

/* Filters: NULL = any; all given ones hold. Ordered by number where `prefix` or nothing is given, otherwise
 * the newest contact first. Behind them, as far as the last page has room, those of whom another number
 * begins so. */
struct store_contacts {
    struct store_op op;
    const char *prefix; /* of the number: "+4917" */
    const char *search; /* words of the name or beginnings of them, case and accents do not matter; or digits
                           that the number begins with */
    const char *tag;
    const char *attribute, *value; /* value NULL: has the attribute */
    int64_t after;                 /* a contact's id; 0 from the start */
    int limit;
    struct contact_row *rows; /* out */
    int count;
    bool more;
};
void store_contacts(struct store *s, struct store_contacts *c);
void store_contacts_clear(struct store_contacts *c);

/* One contact, by any of its numbers (canonical), or by id where number is NULL. ERR_NOT_FOUND. */
struct store_contact {
    struct store_op op;
    const char *number;
    int64_t id;
    struct contact_row row;     /* out: store_contact_clear() */
    enum consent_state consent; /* out: of the business and the main number */
    char *others_out;           /* out: heap: those of its other numbers that have opted out; NULL none */
    int64_t consent_wall_ms;    /* out: since; 0 never said */
    int conversations;          /* out */
    int64_t live;               /* out: the newest live conversation; 0 none */
};
void store_contact(struct store *s, struct store_contact *c);
void store_contact_clear(struct store_contact *c);

/* Makes or changes contacts, by any of their numbers, all in one transaction; NULL leaves a field as it is.
 * An import gives some hundreds a time and tells its progress between them. Writer's lane. */
struct contact_import {
    const char *number; /* canonical */
    const char *name, *language, *zone, *notes;
    const char *tags;                /* ",a,b,": added to those it has */
    const char *attributes;          /* JSON object of texts: added; an empty text takes one away */
    const char *others;              /* "+491,+492", canonical: become numbers of this contact; NULL none */
    enum consent_state consent;      /* UNKNOWN: says nothing. IN does not undo an OUT: `kept_out` */
    bool existed, changed, kept_out; /* out */
    int not_joined; /* out: of `others`, those that are another contact's, or one too many: they stay so */
};
struct store_import {
    struct store_op op;
    struct contact_import *contacts;
    int count;
    const char *who;   /* "ctl:root" */
    const char *proof; /* of the consent, for the ledger: "import: customers.csv" */
    int64_t now_wall_ms;
};
void store_import(struct store *s, struct store_import *i);

/* Two contacts are one person: that of `from` goes into that of `into`, whose other numbers its numbers
 * become; each may be any number of its contact. Conversations (two live ones of the same SIM become one),
 * tags, attributes, notes come along; what `into` knows wins. Messages and conversations keep the number that
 * they were with. If one number has opted out, all have; an opt-in stays with the number that gave it. Where
 * both are of one contact already, `into` becomes its main number. ERR_NOT_FOUND; ERR_INVALID (it is so
 * already); ERR_TOO_LONG (DESK_NUMBERS_MAX); ERR_BUSY: one is being erased. Writer's lane. */
struct store_merge {
    struct store_op op;
    const char *from, *into, *who; /* numbers, canonical */
    int64_t now_wall_ms;
    int conversations; /* out: that came along */
    char number[64];   /* out: the main one */
};
void store_merge(struct store *s, struct store_merge *m);

/* The next piece of everything that is stored about a number and its contact's others, as JSON. Sections
 * follow each other in the order of the enum; begin with {number} alone and call until `ended`. A piece is an
 * array of rows of `section`, which may be empty. Times are RFC 3339 in UTC, raw PDUs are hex. Writer's lane
 * not needed. */
enum export_section {
    EXPORT_CONTACT,
    EXPORT_CONSENT, /* state and ledger */
    EXPORT_CONVERSATIONS,
    EXPORT_TIMELINE, /* notes, changes of state, who did what */
    EXPORT_MESSAGES, /* with parts, history, reports and raw PDUs */
    EXPORT_WAITING,  /* parts of messages that are not complete; what is to be delivered to handlers */
    EXPORT_OTHER,    /* automatic replies counted, rules that acted once, mutes */
    EXPORT_SECTIONS
};
const char *export_section_name(enum export_section s); /* "contact" … */
struct store_export {
    struct store_op op;
    const char *number;
    enum export_section section; /* in, out: of this piece; then of the next */
    int64_t after;               /* in, out: 0 the section's first */
    enum export_section was;     /* out: the section of `json` */
    char *json;                  /* out: heap, an array; the caller frees */
    bool ended;                  /* out: there is no next piece */
};
void store_export(struct store *s, struct store_export *e);

/* Erases everything about a number, its contact and the contact's other numbers, some hundred rows a call;
 * call again while `more`. Refused (ERR_BUSY) as long as a message to it is queued or on the air: `busy` is
 * one of them; src/desk/erase.h cancels them first. An erasure that was begun is on record, and
 * store_erasures() tells it after a restart. What stays:
 *   - the figures, which name no customer;
 *   - that it was done: when, by whom, not whose;
 *   - an opt-out: as a keyed hash of the number, so that it is still kept; a START of the same number later
 *     finds it again, but nobody can list the numbers.
 * Free pages are overwritten (secure_delete). Backups, files of the spool and logs are not the store's.
 * Writer's lane. */
struct store_erase {
    struct store_op op;
    const char *number, *who;
    int64_t now_wall_ms;
    int64_t busy; /* out, with ERR_BUSY */
    int numbers;  /* out: of the contact, as long as it is there; at least 1 */
    int rows;     /* out: erased by this call */
    bool more;    /* out */
    bool opt_out; /* out: there was one, it is kept as a hash */
};
void store_erase(struct store *s, struct store_erase *e);
/* The number of an erasure that a restart interrupted; "" none. */
struct store_erasures {
    struct store_op op;
    char number[64], who[DESK_WHO_BYTES]; /* out */
};
void store_erasures(struct store *s, struct store_erasures *e);

/* ---- consent and deliveries ---------------------------------------------------------------------------- */

struct ledger_row {
    int64_t id, at_wall_ms, message;       /* message 0: none */
    char number[64], sim[MSG_MODEM_BYTES]; /* sim "": the business */
    enum consent_state state;
    char who[DESK_WHO_BYTES];
    char how[DESK_WORD_BYTES]; /* it is known: "message", "person", "import:NAME", "override" */
    char *words;               /* heap: of the customer, or the proof; NULL none */
};
/* The ledger, newest first: of a number, or (NULL) of all. */
struct store_ledger {
    struct store_op op;
    const char *number;
    int64_t after;
    int limit;
    struct ledger_row *rows; /* out */
    int count;
    bool more;
};
void store_ledger(struct store *s, struct store_ledger *l);
void store_ledger_clear(struct store_ledger *l);

/* How it stands, by number: of one (each scope), or all of a state. `after` is a number here, NULL the first.
 */
struct consent_row {
    char number[64], sim[MSG_MODEM_BYTES];
    enum consent_state state;
    int64_t at_wall_ms;
};
struct store_consents {
    struct store_op op;
    const char *number, *after;
    enum consent_state state; /* UNKNOWN: any */
    int limit;
    struct consent_row *rows; /* out: heap, the caller frees */
    int count;
    bool more;
};
void store_consents(struct store *s, struct store_consents *c);

/* What waits to be delivered to handlers, oldest first; handler NULL any. rows: delivery_row_clear() each. */
struct store_delivery_list {
    struct store_op op;
    const char *handler;
    int64_t after;
    int limit;
    struct delivery_row *rows; /* out */
    int count;
    bool more;
};
void store_delivery_list(struct store *s, struct store_delivery_list *d);
void store_delivery_list_clear(struct store_delivery_list *d);

/* ---- conversations ------------------------------------------------------------------------------------- */

enum { CONV_BIT_LIVE = 1 << CONV_NEW | 1 << CONV_OPEN | 1 << CONV_WAITING | 1 << CONV_SNOOZED };
enum conv_order {
    CONV_NEWEST,  /* changed last, first */
    CONV_LONGEST, /* whose customer waits longest, first; those that nobody waits in are left out */
};
/* Filters: NULL, 0, "" where not said otherwise = any. */
struct store_convs {
    struct store_op op;
    unsigned states;        /* bits 1 << enum conv_state; 0 the live ones */
    const char *department; /* NULL any; "" without one */
    const char *assignee;   /* NULL any; "" nobody's */
    const char *sim, *number, *tag;
    const char *search; /* words, or beginnings of them, of the title, the customer's name, or digits of the
                           number */
    bool overdue, flagged;
    enum conv_order order;
    int64_t after; /* a conversation's id: the page behind it; 0 from the start */
    int limit;
    struct conv_row *rows; /* out */
    int count;
    bool more;
};
void store_convs(struct store *s, struct store_convs *c);
void store_convs_clear(struct store_convs *c);

/* One conversation with its timeline, oldest first: the newest `limit` entries before `before` (an entry's
 * `at` and `id`; 0 the newest). ERR_NOT_FOUND. */
enum timeline_kind {
    TIMELINE_IN = 1,    /* from the customer: message */
    TIMELINE_OUT = 2,   /* to the customer: message; automatic where MSG_F_AUTOMATIC, who where a person */
    TIMELINE_CALL = 3,  /* message */
    TIMELINE_NOTE = 4,  /* text, who */
    TIMELINE_CHANGE = 5 /* what ("state", "department" …: effect_name()), text: what it came to, who */
};
const char *timeline_kind_name(enum timeline_kind k); /* "in", "out", "call", "note", "change" */
struct timeline_row {
    enum timeline_kind kind;
    int64_t id, at_wall_ms;
    char who[DESK_WHO_BYTES];   /* "" not known */
    char what[DESK_WORD_BYTES]; /* of a change */
    char *text;                 /* heap; of a note or change; NULL none */
    struct msg_row message;     /* id 0: none */
};
struct store_conv {
    struct store_op op;
    int64_t id;     /* in, out: another one where it was folded into that by a merge */
    int64_t before; /* in: timeline_row.id of the oldest entry of the page before; 0 the newest page */
    int limit;
    struct conv_row row;        /* out */
    struct contact_row contact; /* out */
    struct timeline_row *rows;  /* out */
    int count;
    bool more;
};
void store_conv(struct store *s, struct store_conv *c);
void store_conv_clear(struct store_conv *c);

/* For a sidebar: live conversations by department and state. Rows are in the departments' order of name. */
struct conv_count {
    char department[DESK_WORD_BYTES];
    int by_state[CONV_STATES];
    int overdue, flagged, unassigned, waiting; /* waiting: the customer waits for us */
    int64_t longest_wall_ms;                   /* the customer waits longest since; 0 nobody waits */
};
struct store_conv_counts {
    struct store_op op;
    const char *assignee, *sim; /* of these only; NULL any */
    struct conv_count *rows;    /* out: heap, the caller frees */
    int count;
};
void store_conv_counts(struct store *s, struct store_conv_counts *c);

/* ---- figures --------------------------------------------------------------------------------------------
 *
 * Counted in the transactions that make them, by day (of the zone of store_set_zone), department, person and
 * SIM. A message's outcome counts on the day that the message was made, an answered survey on the day that it
 * was asked: so a rate never has a numerator from another day than its denominator. What a message, customer
 * or conversation was is not in them: they stay when those are erased.
 */

/* Stored by their place: never moved, new ones are the last. */
enum figure {
    FIGURE_IN,          /* messages of customers, calls not among them */
    FIGURE_CALLS,       /* of customers */
    FIGURE_OUT,         /* messages that the network took, to customers */
    FIGURE_AUTOMATIC,   /* of these: by a rule, handler or survey */
    FIGURE_BY_PERSON,   /* of these: written by a person */
    FIGURE_SEGMENTS,    /* parts of these, each time they were sent */
    FIGURE_COST_MICROS, /* likewise */
    FIGURE_DELIVERED,
    FIGURE_UNDELIVERED,
    FIGURE_FAILED, /* FAILED or EXPIRED */
    FIGURE_OPT_OUTS,
    FIGURE_OPT_INS,
    FIGURE_OPENED, /* conversations */
    FIGURE_REOPENED,
    FIGURE_CLOSED,
    FIGURE_SPAM,
    FIGURE_OVERDUE, /* clocks that ran out */
    FIGURE_ASKED,   /* surveys */
    FIGURE_ANSWERED,
    FIGURES
};
const char *figure_name(enum figure f); /* "in", "cost_micros" … */
enum { FIGURE_SCORES = 11 };            /* answers of surveys: 0..10 */

/* Stored: never renumber. */
enum figure_time {
    FIGURE_FIRST = 1,      /* first response: the customer's first message to the first answer by a person */
    FIGURE_NEXT = 2,       /* later ones: the oldest unanswered message to a person's answer */
    FIGURE_RESOLUTION = 3, /* first message to the first closing, where a person answered or closed */
    FIGURE_FULL = 4,       /* the same to the last closing: moves on when it is opened again and closed */
    FIGURE_TIMES = 5
};
const char *figure_time_name(enum figure_time t); /* "first_response", "next_response", "resolution" … */

/* Of these times: how many, and their exact median (mean of the middle two) and 90th percentile (nearest
 * rank). In ms; -1: there are none. Business times follow a moment later (store_times_pending): those that
 * have not yet are left out of them. */
struct figure_spread {
    int64_t count, median_ms, p90_ms;
    int64_t business_count, business_median_ms, business_p90_ms;
};

enum figure_by {
    BY_NONE,
    BY_DAY,
    BY_WEEK, /* from Monday */
    BY_MONTH,
    BY_DEPARTMENT,
    BY_PERSON,
    BY_SIM
};
const char *figure_by_name(enum figure_by b); /* "none", "day" … */
bool figure_by_from_name(const char *name, enum figure_by *out);

struct figure_row {
    char key[DESK_NAME_BYTES]; /* "2026-11-21", of a week its Monday, "2026-11", a name; "" all, or none */
    int32_t day;               /* of the first day: days since 1970-01-01; 0 not by time */
    int64_t n[FIGURES];
    int64_t scores[FIGURE_SCORES];
    struct figure_spread times[FIGURE_TIMES];
};
/* How many of a time were within a target (objectives). */
struct figure_target {
    enum figure_time time;
    int64_t target_ms;
    bool business;
    const char *department; /* NULL all */
    int64_t met, count;     /* out: over the whole period */
};
enum { FIGURE_TARGETS_MAX = 8 };
struct store_figures {
    struct store_op op;
    /* Whole days: the day of `since` to the day of `until` - 1 ms. */
    int64_t since_wall_ms, until_wall_ms;
    enum figure_by by;
    const char *department, *person, *sim; /* only this one's; NULL any, "" none */
    struct figure_target *targets;         /* in, out */
    int ntargets;
    struct figure_row total; /* out: all of the period */
    struct figure_row *rows; /* out: by `by`, in its order; BY_NONE none. Heap, the caller frees.
                                By time, days without anything are among them */
    int count;
    int32_t first_day, last_day; /* out: days since 1970-01-01 */
};
void store_figures(struct store *s, struct store_figures *f);

/* "2026-11-21" of days since 1970-01-01. */
void figure_day_name(int32_t day, char out[DESK_WORD_BYTES]);

/* The zone whose midnights begin the days: IANA name, "" the system's. What was counted stays where it is.
 * ERR_NOT_FOUND: there is no such zone, the old one stays. */
int store_set_zone(struct store *s, const char *zone, struct err *e);

/* Times whose business time is not known yet, oldest first; and what it is. The store knows no hours: who
 * does (desk/figures.c) fills them in, moments later, also after a crash. On the writer's lane. */
struct pending_time {
    int64_t id, from_wall_ms, to_wall_ms;
    char department[DESK_WORD_BYTES];
    int64_t business_ms; /* in, of store_times_settle */
};
struct store_times_pending {
    struct store_op op;
    int max;
    struct pending_time *rows; /* out: heap, the caller frees */
    int count;
};
void store_times_pending(struct store *s, struct store_times_pending *p);
struct store_times_settle {
    struct store_op op;
    const struct pending_time *rows;
    int count;
};
void store_times_settle(struct store *s, struct store_times_settle *t);

/* ---- retention ----------------------------------------------------------------------------------------- */

enum retention {
    RETAIN_CONTACTS, /* contacts that nobody changed, without a live conversation or a newer one; with their
                        conversations, not with what was said of consent */
    RETAIN_MESSAGES, /* messages that are done with, and ended conversations that have none left */
    RETAIN_RAW,      /* raw PDUs of messages that are done with, and of their reports */
    RETAIN_COUNTS,   /* what was counted for quotas of routes and limits of SIMs */
    RETAIN_WORDS,    /* behind the others: words of names that are gone, in the index of words */
    RETENTIONS
};
const char *retention_name(enum retention r); /* "contacts" … */
/* Erases what is older than `before_wall_ms`, at most `max` (looked at) of it: a short transaction. Writer's
 * lane. */
struct store_retain {
    struct store_op op;
    enum retention kind;
    int64_t before_wall_ms;
    int64_t now_wall_ms; /* RETAIN_RAW: what is stamped later was by a clock that was wrong */
    int max;
    int64_t after; /* in, out: how far it came; 0 at the beginning */
    int64_t from;  /* the store's own: `after` as it was given, for a batch may be run twice */
    int erased;    /* out */
    bool more;     /* out: call again, `after` as it is */
};
void store_retain(struct store *s, struct store_retain *r);

#endif
