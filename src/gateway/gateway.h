/* A message's way through simgate.
 *
 *   doors, engine -> admission (policy) -> store -> queue -> carrier -> outcome -> store -> report -> store
 *   carrier -> inbox -> store -> settle (acknowledge) -> reassemble -> engine -> store (handled + replies)
 *
 * All calls and callbacks are on the loop's thread. Watchers of events can never change an outcome.
 */
#ifndef SIMGATE_GATEWAY_GATEWAY_H
#define SIMGATE_GATEWAY_GATEWAY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rt.h"
#include "gateway/policy.h"
#include "modem/carrier.h"
#include "pdu/segment.h"
#include "store/store.h"

enum gateway_on_unknown { ON_UNKNOWN_HOLD, ON_UNKNOWN_RESEND, ON_UNKNOWN_FAIL };

/* Per SIM. 0 = no limit. Counted in parts. */
struct gateway_limits {
    int per_minute, per_hour, per_day, per_month;
};

struct gateway_conf {
    const char *country; /* calling code without '+', "" none */
    enum gateway_on_unknown on_unknown;
    int64_t unknown_wait_ms; /* an unknown part waits so long for its report or late result before the policy
                                acts */
    int64_t validity_ms;     /* of a message where its sender says nothing; also TP-VP */
    int64_t incomplete_after_ms; /* inbound: a message lacking parts is delivered marked incomplete */
    int64_t duplicate_window_ms; /* inbound */
    bool report;                 /* default for messages that do not say */
    bool transliterate;
    bool wide_ref;
    uint8_t locking, single;          /* national language tables allowed for sending */
    int max_parts;                    /* of one message; more are refused */
    int queue_max;                    /* messages; admission is refused beyond */
    const char *smsc;                 /* put into the PDU; "" = the SIM's */
    bool discard_type0;               /* silent type 0 messages are stored but not handed on */
    const struct policy_conf *policy; /* restraint, routes, costs; NULL none of it. Copied */
};

struct gateway;

/* Heap. Borrowed: rt, store, conf (until free). */
struct gateway *gateway_new(struct rt *rt, struct store *store, const struct gateway_conf *conf);
/* Settles what the last life left (blocking reads of the store), loads the queue. Before any carrier is
 * attached. */
int gateway_load(struct gateway *g, struct err *e);
int gateway_attach(struct gateway *g, struct carrier *c, const struct gateway_limits *limits,
                   bool report_default, struct err *e);
/* Other limits and another default by a reload. */
void gateway_set_limits(struct gateway *g, struct carrier *c, const struct gateway_limits *limits,
                        bool report_default);
/* c is CARRIER_CLOSED: nothing is under way on it. */
void gateway_detach(struct gateway *g, struct carrier *c);
/* Stops submitting; withdraws intents that were not acted upon; `drained` once when nothing is under way. */
void gateway_drain(struct gateway *g, void (*drained)(void *owner), void *owner);
/* Frees at once, calling nothing. The store must be closed or abandoned before. */
void gateway_free(struct gateway *g);
/* New settings by reload: conf replaces the old one at once for what comes. */
void gateway_reconfigure(struct gateway *g, const struct gateway_conf *conf);

/* ---- admission: the one way in for every producer -------------------------------------------------------
 */

/* What a door or rule asks for, per message. NULL and 0 mean "not said". All strings UTF-8. */
struct gateway_send {
    const char *to; /* one recipient, as written: normalised by admission */
    enum number_reading reading;
    const char *text;    /* UTF-8; or */
    const uint8_t *data; /* 8-bit payload, with */
    size_t data_len;
    const uint8_t *udh; /* its header with the length octet; NULL none */
    size_t udh_len;
    const char *modem, *pool; /* wanted carrier or pool */
    const char *source, *key, *meta;
    int report;                  /* -1 not said, 0, 1 */
    int cls;                     /* TP message class 0..3, -1 none; 0 is flash */
    int dcs;                     /* TP-DCS given by the caller, -1 */
    int pid;                     /* TP-PID, 0 normal; -1 not said */
    bool force_ucs2, force_gsm7; /* GSM7: characters outside are replaced by '?' (the caller's wish) */
    bool no_split;               /* refuse rather than split */
    bool reject_duplicates, reply_path;
    int priority;        /* 0 low, 1 normal, 2 high; -1 not said */
    int64_t due_wall_ms; /* 0 now */
    int64_t validity_ms; /* 0 default */
    int64_t reply_to; /* inbound message that this answers: goes out by the same SIM when it can; `modem` is
                         then a wish, given up after a minute */
    bool automatic, consent;       /* MSG_F_AUTOMATIC, MSG_F_CONSENT */
    bool person, marketing, staff; /* MSG_F_PERSON, MSG_F_MARKETING, MSG_F_STAFF */
    const char *override_reason;   /* a person sends it in spite of an opt-out, and why; NULL does not */
    const char *who;               /* wrote it: "person:Anna" */
    const char *department;        /* on whose behalf, for routes; NULL none */
    int64_t conversation;          /* see store_new_message */
    bool prefer;                   /* `modem` is a wish, until it fails for a minute; as with reply_to */
    int transliterate;             /* -1 as configured */
    int language, language_ext;    /* national tables to use, 0 none */
    const char *smsc;              /* service centre put into the PDU; NULL as configured */
    const struct err *refused;     /* the door's own refusal: only asked whether `key` was accepted before */
    int mr;                        /* TP-MR put into the PDU, -1 not said; most modems put their own */
};
void gateway_send_init(struct gateway_send *s); /* everything "not said" */

/* What becomes of each. */
struct gateway_admitted {
    int64_t id;   /* 0 when refused */
    bool existed; /* the key was accepted before, whatever would be said to it now */
    int parts;
    char to[NUMBER_BYTES];
    struct err err; /* when refused: place and what was expected */
};

/* One request: all its messages are accepted in one transaction, or, when one cannot be, none (the others
 * then get ERR_CANCELLED), except that opted-out recipients are refused singly (ERR_REFUSED in their result,
 * the request's status is 0). `done` comes once, never before the call returns, and before the messages'
 * EV_QUEUED. ERR_INVALID and ERR_TOO_LONG: see the results; ERR_FULL: no room in the queue or on the disk. */
struct gateway_admit {
    const struct gateway_send *sends; /* borrowed until done */
    int count;
    void (*done)(struct gateway_admit *a, int status);
    struct gateway_admitted
        *results; /* out: count of them; owned by the request's holder, set before the call */
    void *impl;
};
void gateway_admit(struct gateway *g, struct gateway_admit *a);

/* Only the check and the segmentation, nothing stored (`simgate pdu encode`, rules test). ERR_INVALID,
 * ERR_TOO_LONG. */
int gateway_preview(struct gateway *g, const struct gateway_send *s, struct segment_plan *plan,
                    char to[NUMBER_BYTES], struct err *e);

/* What one message would need, nothing stored: parts, cost, and when it may go (quiet hours). ERR_INVALID,
 * ERR_TOO_LONG, ERR_REFUSED. Consent is not looked at. */
struct gateway_estimate {
    int parts;
    int64_t cost_micros, due_wall_ms;
};
int gateway_estimate(struct gateway *g, const struct gateway_send *s, struct gateway_estimate *out,
                     struct err *e);
/* Of the modem, of the pool, or (both "") of all: as measured, of those that are ready; 0: none is. */
double gateway_parts_per_second(const struct gateway *g, const char *modem, const char *pool);

/* `simgate route test`: which way a message would take, when, for how much, and why. */
struct gateway_route_trial {
    char to[NUMBER_BYTES];
    char route[64];                                     /* "" none */
    char modem[MSG_MODEM_BYTES], pool[MSG_MODEM_BYTES]; /* bound to; "" any */
    char carrier[MSG_MODEM_BYTES];                      /* that would most likely carry it now; "" none can */
    bool wish;                                          /* `modem` is one only, until it fails for a minute */
    int parts;
    int64_t cost_micros; /* of all parts */
    int64_t due_wall_ms; /* not before */
    struct buf why;      /* lines of text; the caller frees */
};
/* ERR_INVALID, ERR_TOO_LONG, ERR_REFUSED (premium number, cost cap): *e says why; `why` is filled all the
 * same. Consent is not looked at. */
int gateway_route_test(struct gateway *g, const struct gateway_send *s, struct gateway_route_trial *out,
                       struct err *e);

/* A number as people write it, in canonical form, by the configured country. ERR_INVALID. */
int gateway_number(const struct gateway *g, const char *text, char out[NUMBER_BYTES], struct err *e);

/* ---- operators' moves -----------------------------------------------------------------------------------
 */

struct gateway_change {
    void (*done)(struct gateway_change *c, int status, const struct err *e);
    enum msg_state state; /* out: where the message came to */
    void *impl[2];
};
/* Cancel: what is QUEUED, or the parts behind the one on the air; what is UNKNOWN is given up (FAILED);
 * retry: what ended without being sent, or waits. ERR_NOT_FOUND, ERR_REFUSED with the reason. `done` comes
 * once, never before the call returns. */
void gateway_cancel(struct gateway *g, int64_t id, const char *who, struct gateway_change *c);
void gateway_retry(struct gateway *g, int64_t id, const char *who, struct gateway_change *c);

/* ---- the engine's place ---------------------------------------------------------------------------------
 */

/* What was decided, about a received message or anything else: effects and messages, one transaction. All is
 * copied. See store_handle. */
struct gateway_verdict {
    const char *reason;                 /* "rule hours", "no rule", "guard: …" */
    const char *who;                    /* NULL "engine" */
    const struct gateway_send *replies; /* `to` NULL: to the contact */
    int nreplies;
    const struct store_effect *effects;
    int neffects;
    enum store_thread thread;
    int64_t reopen_ms;
    int64_t conversation; /* see store_handle */
    const char *alarm;    /* told as EV_ALARM once the verdict is durable; NULL none */
};

/* Called once for each RECEIVED message (and again after a crash before its verdict was durable, or when the
 * store had no room for the verdict and has it now: the earlier one is forgotten then). The engine
 * answers now or later with gateway_handled(); m is valid until then. At most GATEWAY_HANDLING_MAX messages
 * are open at once. */
typedef void (*gateway_on_message)(void *owner, const struct msg_row *m);
enum { GATEWAY_HANDLING_MAX = 64 };
void gateway_set_engine(struct gateway *g, gateway_on_message fn, void *owner);
void gateway_handled(struct gateway *g, int64_t message, const struct gateway_verdict *v);

/* The same for what is no received message: an event of the store's, a delivery, or (both 0) what a person or
 * a clock wants. All or nothing: a message that cannot be made (ERR_INVALID, ERR_TOO_LONG, ERR_REFUSED by
 * policy or consent, its place in `err`) refuses the whole, unless it is an automatic one, which is told and
 * left out; of an event or delivery every one is, since nobody could correct it. ERR_REFUSED too when event
 * or delivery was done with before. `done` comes once, never before the call returns. A store without room
 * (ERR_FULL) is the caller's to try again. */
struct gateway_apply {
    int64_t event, delivery;
    int depth;                             /* of the event, or the one that the delivery tells of */
    const char *number, *sim;              /* NULL: the conversation's */
    const struct gateway_verdict *verdict; /* borrowed during the call */
    void (*done)(struct gateway_apply *a, int status);
    int64_t conversation; /* out */
    int64_t messages[8];  /* out: ids of what is sent, in the order of replies; 0 left out */
    struct err err;       /* out */
    void *impl;
};
void gateway_apply(struct gateway *g, struct gateway_apply *a);

/* Stored events of the engine's (store_events) and deliveries are waiting: told after a commit that made
 * some. */
typedef void (*gateway_on_work)(void *owner);
void gateway_set_work(struct gateway *g, gateway_on_work fn, void *owner);

/* The attached carrier of this name, or NULL. Valid until it is detached. */
const struct carrier *gateway_carrier(const struct gateway *g, const char *name);

/* Are silent messages (MSG_F_SILENT) kept from whoever is told of received ones? */
bool gateway_discards_silent(const struct gateway *g);

/* Is this one of our own SIMs' numbers? */
bool gateway_own_number(const struct gateway *g, const char *number);

/* ---- events ---------------------------------------------------------------------------------------------
 */

enum gateway_event_kind {
    EV_RECEIVED, /* inbound message stored: message */
    EV_HANDLED,
    EV_QUEUED,
    EV_SUBMITTING,
    EV_SENT,         /* all parts taken by the network */
    EV_PROGRESS,     /* some parts */
    EV_OUTCOME,      /* FAILED, EXPIRED, CANCELLED, UNKNOWN, and QUEUED again (retry) */
    EV_REPORT,       /* status report matched or not: message may be 0 */
    EV_CARRIER,      /* a carrier changed */
    EV_OUTBOX,       /* sinks have something to do */
    EV_ALARM,        /* text says what an administrator should know; modem, alarm, raised: of a carrier's */
    EV_CALL,         /* a call was stored as a message with MSG_F_CALL: message, peer, modem */
    EV_USSD,         /* the network wrote by USSD without being asked: modem, text */
    EV_CONVERSATION, /* one changed: conversation; reason says what */
    EV_KINDS,
};
const char *gateway_event_name(enum gateway_event_kind k); /* "received" … */

struct gateway_event {
    enum gateway_event_kind kind;
    int64_t at_wall_ms;
    int64_t message;
    int64_t conversation; /* 0 none */
    enum msg_state state;
    int part, parts;
    int64_t report;
    const char *alarm;                        /* carrier_alarm_name(), or "disk"; NULL when it is no alarm */
    bool raised;                              /* of EV_ALARM: false when it has ended */
    const char *peer, *modem, *reason, *text; /* borrowed for the call, may be NULL */
};

struct gateway_watcher {
    void (*event)(struct gateway_watcher *w, const struct gateway_event *ev);
    struct gateway_watcher *prev, *next;
};
void gateway_watch(struct gateway *g, struct gateway_watcher *w);
void gateway_unwatch(struct gateway *g, struct gateway_watcher *w);

/* ---- what status shows ----------------------------------------------------------------------------------
 */

struct gateway_stats {
    uint64_t admitted, sent, failed, received, duplicates_in, reports, reports_unmatched;
    uint64_t calls; /* not among `received` */
    int queued;     /* messages in the index */
    int held;       /* of these, waiting for a carrier, quota or time */
    int unknown;    /* parts of unknown outcome */
    int undecided;  /* messages with such parts that no report came for in time: left to a person */
    bool disk_full;
};
void gateway_get_stats(const struct gateway *g, struct gateway_stats *out);

/* Messages that are due and no carrier takes, for more than a moment: how many, and why. */
struct gateway_hold {
    int messages;
    int64_t since_ms; /* monotonic */
    char reason[MSG_REASON_BYTES];
};
/* Returns how many holds there are; fills the first of them. */
int gateway_get_holds(struct gateway *g, struct gateway_hold out[], int max);
struct gateway_carrier_stats {
    int64_t sent_day, sent_month;
    int queue;    /* messages bound to or fit for it */
    double share; /* of what its pool sends, by measured speed: 0..1; -1 not measured, 0 not ready */
};
void gateway_get_carrier_stats(const struct gateway *g, const struct carrier *c,
                               struct gateway_carrier_stats *out);

#endif
