/* The durable truth: one SQLite database in WAL mode with synchronous=FULL.
 *
 * Writing: operations are structs queued to one writer lane; while a batch commits, the next one gathers;
 * each operation's `done` is called in submit order, on the loop's thread, after the commit of its batch. A
 * failing operation rolls back its own savepoint only. Reading: the same structs on a second lane with its
 * own read-only connection, so that a long listing never holds up a commit.
 *
 * An operation is embedded in its owner and stays in place, with everything it borrows, from the call until
 * `done`; `done` comes exactly once, never before the call returns, also on store_close (ERR_CANCELLED).
 * Status: 0; ERR_FULL (disk full: nothing was stored; the store goes on by itself when there is room),
 * ERR_IO, ERR_CORRUPT, and what each operation lists. op->err.text says more.
 */
#ifndef SIMGATE_STORE_STORE_H
#define SIMGATE_STORE_STORE_H

#include "base/err.h"
#include "base/rt.h"
#include "store/desk.h"
#include "store/types.h"

struct store;
struct store_db; /* a connection; private to store/ */

struct store_conf {
    const char *path;
    const char *const *sinks; /* names of the outboxes that inbound messages, reports and outcomes are put
                                 into, NULL-terminated; NULL none */
};

struct store_op {
    void (*done)(struct store_op *op, int status);
    struct err err;
    /* private to store/ */
    int (*exec)(struct store_db *db, struct store_op *op);
    void (*drop)(struct store_op *op); /* frees results that nobody will hear of; NULL none */
    void (*committed)(struct store *s, struct store_op *op); /* before a successful `done`; NULL none */
    struct store_op *next;
    int status;
    bool brief; /* may share a batch of the reader's lane */
};

/* Opens or creates, migrates (after a backup beside the file), checks. Blocks: used at start only.
 * ERR_VERSION: made by a newer simgate; ERR_CORRUPT: quick_check failed; ERR_INVALID: not simgate's; all
 * three leave the file untouched. ERR_BUSY: another simgated has it open (PATH-lock is held). */
int store_open(struct rt *rt, const struct store_conf *conf, struct store **out, struct err *e);

/* Finishes the batches under way and queued, then calls closed once and frees. */
void store_close(struct store *s, void (*closed)(void *owner), void *owner);
/* Forgets everything that is not committed and frees, calling nothing (a crash's view of the world). Waits
 * for a batch that is on the other thread. */
void store_abandon(struct store *s);

bool store_is_full(const struct store *s); /* the disk had no room at the last commit */

struct store_stats {
    uint64_t commits, operations, failures;
    int queued;
};
void store_get_stats(const struct store *s, struct store_stats *out);

/* ---- outbound ---- */

struct store_new_part {
    const uint8_t *pdu; /* full PDU for AT+CMGS, SMSC address first */
    uint8_t len;
    uint8_t tpdu_len;
};

struct store_new_message {
    const char *peer, *text, *modem, *pool, *source, *key, *meta; /* NULL = "" */
    const char *reason;                                           /* why it does not go at once; NULL none */
    uint32_t flags;
    int priority;
    int64_t due_wall_ms, expires_wall_ms, reply_to;
    int64_t conversation; /* it belongs to; 0: that of the store_handle, if it is to its contact; -1 none */
    const char *who;      /* wrote it, where MSG_F_PERSON: "person:Anna" */
    const char *override_reason; /* of MSG_F_OVERRIDE; kept in history and ledger */
    int64_t cost_micros;         /* of all parts, in millionths of the currency */
    const char *department;      /* of its conversation, for the figures; NULL: as it is stored */
    const char *route;           /* whose parts it counts among: store_spending; NULL none */
    const struct store_new_part *parts;
    int nparts;
    bool known_only; /* it cannot be accepted, but may have been: ERR_NOT_FOUND where its key was not */
    int64_t id;      /* out */
    bool existed;    /* out: the key was accepted before; id is the earlier message's */
    bool opted_out;  /* out: refused by consent; nothing was stored for it, id 0 */
    int depth;       /* of the event that made it; store_handle sets it */
    char refused[MSG_REASON_BYTES]; /* out: why, where opted_out: who opted out, how and when */
};

/* All messages of one request, in one transaction (a spool file with several recipients). A message to an
 * opted-out number without MSG_F_CONSENT or MSG_F_OVERRIDE, and with MSG_F_MARKETING one to a number that did
 * not opt in, is not stored but marked `opted_out`. What was accepted by its key before is neither looked at
 * nor stored: `existed`, with the id and parts of then. History: queued. */
struct store_admit {
    struct store_op op;
    struct store_new_message *messages;
    int count;
    int64_t now_wall_ms;
};
void store_admit(struct store *s, struct store_admit *a);

/* The intent to submit: part and message become SUBMITTING before AT+CMGS is written. `skipped` when the part
 * is no longer QUEUED (cancelled, expired): do not submit. A message of which nothing was begun, and whose
 * recipient has opted out since it was admitted, is CANCELLED here: `skipped` and `opted_out`. */
struct store_intend {
    struct store_op op;
    int64_t message;
    int seq;
    const char *modem, *imsi;
    int64_t now_wall_ms;
    bool skipped;          /* out */
    bool opted_out;        /* out */
    /* out, with `skipped`: the recipient opted out of this modem's SIM, and the message's own is this one, of
     * which they did not; "" otherwise. The part stays queued. */
    char own_modem[MSG_MODEM_BYTES];
    uint8_t pdu[188];      /* out: to be written; TP-RD set when the message is a possible duplicate */
    uint8_t len, tpdu_len; /* out */
    bool more;             /* out: another part of the message follows */
};
void store_intend(struct store *s, struct store_intend *i);

/* The part's PDU leaves for the modem now, its outcome is not known from here to the commit of store_outcome.
 * Not an operation: a mark in memory that outlives the process (a machine's crash it does not), by which the
 * next start tells parts that may have gone out from those that never left. */
void store_air_mark(struct store *s, int64_t message, int seq);

/* What became of a submitted part. `state`: SENT (with mr), QUEUED (retry at due; nothing went out), FAILED,
 * UNKNOWN, EXPIRED. The message follows: SENT when all parts are, FAILED/UNKNOWN/EXPIRED at once (its other
 * unsent parts are stopped), QUEUED with due and reason. `withdrawn`: the intent was never acted upon,
 * attempts is not counted. */
struct store_outcome {
    struct store_op op;
    int64_t message;
    int seq;
    enum msg_state state;
    int mr; /* -1 unknown */
    const char *modem, *imsi, *reason;
    int64_t due_wall_ms, now_wall_ms;
    bool withdrawn;
    bool without_validity;   /* with QUEUED: what waits of the message goes without TP-VP from now on */
    bool possible_duplicate; /* with QUEUED: set MSG_F_POSSIBLE_DUPLICATE (policy resend after unknown) */
    enum msg_state message_state; /* out */
};
void store_outcome(struct store *s, struct store_outcome *o);

/* Operator's and policy's moves of a whole message: CANCELLED (what is QUEUED; what is UNKNOWN may have been
 * sent, so it is given up and becomes FAILED; ERR_REFUSED otherwise), EXPIRED, QUEUED (retry: from FAILED,
 * EXPIRED, CANCELLED, UNKNOWN, UNDELIVERED; unsent parts only, or all when undelivered; what was ever
 * UNKNOWN is marked a possible duplicate), FAILED; or only a new `reason` while QUEUED. ERR_NOT_FOUND. */
struct store_move {
    struct store_op op;
    int64_t message;
    enum msg_state state; /* in: where to; out: where it came to */
    const char *reason;
    int64_t due_wall_ms, now_wall_ms;
    enum msg_state was;      /* out */
    int64_t expires_wall_ms; /* out: of the message; moved on by a retry after it had passed */
};
void store_move(struct store *s, struct store_move *m);

/* At start: every part that was SUBMITTING when the last life ended becomes UNKNOWN (message too), or QUEUED
 * when it is certain that it never left (store_air_mark). Blocking. Returns the number of parts that became
 * UNKNOWN, or a negative code. */
int store_settle_interrupted(struct store *s, int64_t now_wall_ms, struct err *e);

/* The queue's index at start: calls row for each unsent part of each QUEUED, SUBMITTING or UNKNOWN message,
 * in the order of message id, part. Blocking. */
struct store_queue_row {
    int64_t message;
    int seq, parts, priority, attempts;
    enum msg_state state; /* of the part */
    char peer[NUMBER_BYTES], modem[MSG_MODEM_BYTES], pool[MSG_MODEM_BYTES];
    char imsi[MSG_IMSI_BYTES]; /* of the SIM that carried an earlier part, "" none */
    char source[MSG_SOURCE_BYTES];
    int64_t created_wall_ms, due_wall_ms, expires_wall_ms, submitted_wall_ms;
    uint32_t flags;
};
int store_load_queue(struct store *s, int (*row)(void *owner, const struct store_queue_row *r), void *owner,
                     struct err *e);

/* ---- inbound ---- */

/* One PDU from a SIM, kept raw for ever. Undecodable PDUs are stored too (as a message with
 * MSG_F_UNDECODABLE). A duplicate (same SIM and hash as within the last `duplicate_window_ms`) is counted,
 * not stored again. `imsi` "": not known yet; the modem's last SIM is taken, and where it had none, a copy or
 * a part is known by its modem. */
struct store_inbound {
    struct store_op op;
    const char *modem, *imsi;
    const uint8_t *pdu;
    int len;
    int64_t now_wall_ms;
    uint8_t hash[16]; /* of sender, SCTS, reference, content: gateway/inbox.c */
    int64_t duplicate_window_ms;
    const char *sender; /* "" when undecodable */
    int64_t scts_wall_ms;
    int ref, ref_bits, total, seq; /* concatenation; total 1 when alone */
    /* For a message alone (total 1): stored at once as RECEIVED */
    const char *text;
    const char *meta; /* JSON, NULL none */
    uint32_t flags;
    bool duplicate;  /* out */
    int64_t segment; /* out: row id */
    int64_t message; /* out: id when stored as a message, else 0 */
    bool complete;   /* out: with this segment its group has all `total` parts: see store_groups */
};
void store_inbound(struct store *s, struct store_inbound *in);

/* The segments of one group that is complete, or whose first segment is older than `older_than_wall_ms` (0:
 * only complete ones). Read on the writer's lane, so that it sees what was committed before. At most one
 * group a call; count 0: none. */
struct store_segment {
    int64_t id;
    int seq;
    uint8_t pdu[256];
    int len;
    int64_t received_wall_ms;
};
struct store_group {
    struct store_op op;
    int64_t older_than_wall_ms;
    char modem[MSG_MODEM_BYTES], imsi[MSG_IMSI_BYTES], sender[64]; /* out */
    int total, count;                                              /* out */
    int64_t scts_wall_ms;                                          /* out: of the first part */
    struct store_segment *segments; /* out: heap, count of them by seq; the caller frees */
};
void store_group(struct store *s, struct store_group *g);

/* Makes one RECEIVED message of segments that were read before. */
struct store_join {
    struct store_op op;
    const struct store_segment *segments;
    int count;
    const char *modem, *imsi, *sender, *text, *meta;
    int64_t scts_wall_ms, now_wall_ms;
    uint32_t flags;
    int64_t message; /* out */
};
void store_join(struct store *s, struct store_join *j);

/* Messages RECEIVED but not HANDLED, oldest first, at most `max`. On the writer's lane. */
struct store_unhandled {
    struct store_op op;
    int64_t after_id;
    int max;
    struct msg_row *rows; /* out: heap; the caller clears and frees */
    int count;
};
void store_unhandled(struct store *s, struct store_unhandled *u);

/* What was decided, about whatever it was decided about, in one transaction: see store/desk.h. ERR_REFUSED
 * when that was done with before (nothing is done then), ERR_NOT_FOUND for a conversation that is not there.
 */
struct store_handle {
    struct store_op op;
    /* What is done with; 0 all: a person or a clock wants it. */
    int64_t message;    /* received: becomes HANDLED */
    int64_t event;      /* event_row.id: forgotten */
    int64_t delivery;   /* delivery_row.id: forgotten */
    const char *reason; /* for the history: "rule hours" */
    const char *who;    /* for timeline and ledger: "engine", "person:Anna", "ctl:root" */
    int depth;          /* of the events that it makes: the event's own and one; 0 */
    const char *number; /* of the contact; NULL: the message's sender, or the conversation's */
    const char *sim;    /* NULL: the message's modem, or the conversation's */
    enum store_thread thread;
    int64_t reopen_ms;    /* THREAD_OPEN */
    int64_t conversation; /* in: the id for a new one (store_situation.reserved), or that of the conversation
                             meant where there is no message; 0 none. out: the one it came to, 0 none */
    int64_t given;        /* the store's own: `conversation` as it came in, should it run twice */
    const struct store_effect *effects; /* applied in order, before the replies */
    int neffects;
    struct store_new_message *replies; /* as store_admit */
    int nreplies;
    int64_t now_wall_ms;
    bool strict; /* a person wants it: ERR_REFUSED where a message that is not automatic is refused by
                    consent, and the error of an effect that cannot be; else these are left out */
    char left_out[MSG_REASON_BYTES]; /* out: the first such effect, and why; "" none */
    enum store_opened { OPENED_NOT, OPENED_NEW, OPENED_AGAIN } opened; /* out: of the conversation */
};
void store_handle(struct store *s, struct store_handle *h);

/* Everything that must be known before something is decided about a number. Writer's lane, so that it sees
 * what was decided before. */
enum { SITUATION_TEXTS = 64, ROUND_MS = 60000 };
struct store_situation {
    struct store_op op;
    const char *number, *sim; /* in; sim "" any */
    int64_t of;               /* in: the conversation meant; 0: the newest of number and sim */
    int64_t guard_since_wall_ms, day_since_wall_ms, texts_since_wall_ms; /* in */
    int64_t until_wall_ms;      /* in: replies stamped later (by a clock that was wrong) do not count; 0 all do */
    bool look_only;             /* in: nothing will come of it: no id is reserved */
    struct contact_row contact; /* out: id 0 none. store_situation_clear() */
    struct conv_row conv;       /* out: the live one (of: that one); id 0 none */
    struct conv_row last;       /* out: the last one that is CLOSED or SPAM; id 0 none */
    int64_t reserved; /* out: an id that no other conversation gets; 0 where `conv` is there, or no number */
    enum consent_state consent; /* out: for this SIM: its own where there is one */
    int automatic_replies;      /* out: to the number since guard_since */
    int automatic_day;          /* out: to the number since day_since */
    int automatic_all;          /* out: to all numbers since guard_since */
    uint64_t
        texts[SITUATION_TEXTS]; /* out: hashes of the automatic texts to it since texts_since, newest first */
    int ntexts;
    int rounds; /* out: its messages in a row that came right behind an automatic reply (ROUND_MS); of those
                   that are handled, so without the one that is asked about */
    int64_t last_automatic_wall_ms;
    int64_t muted_until_wall_ms; /* out: EFFECT_MUTE */
    struct once_row {
        char rule[DESK_WORD_BYTES];
        int64_t at_wall_ms;
    } * once; /* out: heap */
    int nonce;
};
void store_situation(struct store *s, struct store_situation *k);
void store_situation_clear(struct store_situation *k);
uint64_t store_text_hash(const char *text); /* as in `texts`; NULL is "" */

/* ---- events for the engine ---- */

/* Which kinds are kept: bits 1 << enum desk_event. From now on; what is stored of others is forgotten. */
void store_want_events(struct store *s, unsigned kinds);
/* Stored events, oldest first, at most `max`. On the writer's lane. */
struct store_events {
    struct store_op op;
    int64_t after_id;
    int max;
    struct event_row *rows; /* out: heap; the caller clears each and frees */
    int count;
};
void store_events(struct store *s, struct store_events *e);
/* One from outside the store: ALARM, SCHEDULE. `key` "" or, so that it is stored once only,
 * "schedule:NAME:TIME" (the newest of each SCHEDULE name is remembered). */
struct store_put_event {
    struct store_op op;
    struct event_row row; /* id out; 0: its key was there, or nobody wants its kind */
    const char *key;
};
void store_put_event(struct store *s, struct store_put_event *p);
/* When the schedule of this rule was put last; 0 never. */
struct store_schedule {
    struct store_op op;
    const char *name;
    int64_t last_wall_ms; /* out */
};
void store_schedule(struct store *s, struct store_schedule *c);

/* Told after each commit that stored an event or a delivery. */
void store_set_work(struct store *s, void (*fn)(void *owner), void *owner);

/* ---- deliveries: what must reach a handler outside, at least once ---- */

struct delivery_row {
    int64_t id;
    char handler[DESK_WORD_BYTES],
        event[MSG_KEY_BYTES]; /* event: the id by which the other side knows it again */
    char *body;               /* heap */
    int attempts;
    int64_t created_wall_ms, next_wall_ms, conversation, message;
    char reason[MSG_REASON_BYTES]; /* why the last try failed; "" none has */
};
void delivery_row_clear(struct delivery_row *d);
enum { STORE_EXCEPT = 4 };
struct store_deliveries { /* due before `until`, oldest first */
    struct store_op op;
    int64_t until_wall_ms;
    int max;
    char except[STORE_EXCEPT][DESK_WORD_BYTES]; /* not those of these handlers; "" none */
    struct delivery_row *rows;                  /* out: heap */
    int count;
    int64_t next_wall_ms; /* out: when the next one is due; 0 none */
};
void store_deliveries(struct store *s, struct store_deliveries *d);
struct store_delivery_again { /* another try later; next_wall_ms 0: given up, forgotten. ERR_NOT_FOUND */
    struct store_op op;
    int64_t id, next_wall_ms;
    const char *reason;
};
void store_delivery_again(struct store *s, struct store_delivery_again *d);

/* A value that a handler keeps (EFFECT_VALUE). ERR_NOT_FOUND. Writer's lane. */
struct store_value {
    struct store_op op;
    const char *owner, *key;
    char *value; /* out: heap */
};
void store_value(struct store *s, struct store_value *v);

/* ---- reports ---- */

/* A status report, kept raw. `imsi` "": the modem's last SIM is taken. Matches the newest part with this imsi
 * and mr whose recipient is the same (number_same) and which was SENT or UNKNOWN (or reported on before, not
 * finally) within `window_ms`; an unmatched one is kept and tried again when a part becomes SENT. `group`:
 * pdu_status_group. DELIVERED may follow UNDELIVERED, nothing else follows a final one. */
struct store_report {
    struct store_op op;
    const char *modem, *imsi, *recipient;
    const uint8_t *pdu;
    int len;
    uint8_t hash[16];
    int mr, status; /* TP-ST */
    int group;      /* enum pdu_status */
    int64_t scts_wall_ms, discharge_wall_ms, window_ms, now_wall_ms;
    bool duplicate;                    /* out: the very report was stored before */
    int64_t report;                    /* out: row id */
    int64_t message;                   /* out: 0 = matches nothing (yet) */
    int seq;                           /* out */
    enum msg_state was, message_state; /* out */
};
void store_report(struct store *s, struct store_report *r);
/* Looks again at the reports that matched nothing when they came, as another part to the same number, or
 * their own, was on the air then: the oldest that belongs to an UNKNOWN part now settles it, as if it had
 * come now. In: window_ms, now_wall_ms. Out: as above, and status; report 0: there is none. */
void store_report_again(struct store *s, struct store_report *r);

/* ---- outboxes: what a sink (the spool) has still to do, at least once each -------------------------------
 */

enum outbox_kind { OUTBOX_RECEIVED = 1, OUTBOX_OUTCOME = 2, OUTBOX_REPORT = 3 };
struct outbox_row {
    int64_t id; /* of the row */
    enum outbox_kind kind;
    int64_t message, report;
};
struct store_outbox {
    struct store_op op;
    const char *sink;
    int64_t after_id;
    int max;
    struct outbox_row *rows; /* out: heap, the caller frees */
    int count;
};
void store_outbox(struct store *s, struct store_outbox *o);
struct store_outbox_done {
    struct store_op op;
    int64_t id;
};
void store_outbox_done(struct store *s, struct store_outbox_done *d);

/* ---- usage: parts sent per SIM ----------------------------------------------------------------------------
 */
/* Parts sent by a SIM since the given wall times, for rate and quota. Blocking: at start only; the gateway
 * counts on. */
int store_usage(struct store *s, const char *imsi, int64_t day_start_wall_ms, int64_t month_start_wall_ms,
                int64_t *day, int64_t *month, struct err *e);
/* The same by quarters of an hour: of the one that this wall time lies in (the last), and of those before. */
enum { USAGE_QUARTERS = 5 };
int store_usage_hour(struct store *s, const char *imsi, int64_t wall_ms, int64_t quarters[USAGE_QUARTERS],
                     struct err *e);

/* What was accepted for sending since a wall time: parts by a route (store_new_message.route), or, where it
 * is "", all parts, with what they cost. Counted by quarters of an hour. Blocking: at start only; the gateway
 * counts on. */
int store_spending(struct store *s, const char *route, int64_t since_wall_ms, int64_t *parts, int64_t *micros,
                   struct err *e);

/* ---- reading (reader's lane) ------------------------------------------------------------------------------
 */

struct store_list {
    struct store_op op;
    /* filters: 0, "" or NULL = any */
    enum msg_direction direction;
    enum msg_state state;
    const char *peer, *modem, *source, *contains;
    const char *peer_too; /* with `peer`: or this one, the same number in another form; NULL none */
    int64_t since_wall_ms, until_wall_ms;
    int64_t before_id;    /* paging: newest first, ids below this; 0 = from the newest */
    int limit;            /* 1..1000 */
    struct msg_row *rows; /* out: heap; the caller clears each and frees */
    int count;
};
void store_list(struct store *s, struct store_list *l);

struct report_row {
    int64_t id, received_wall_ms, scts_wall_ms, discharge_wall_ms;
    int mr, status;
    char recipient[64], modem[MSG_MODEM_BYTES], imsi[MSG_IMSI_BYTES];
    uint8_t pdu[256]; /* full, as it was stored */
    int len;
};
struct store_show {
    struct store_op op;
    int64_t id; /* or by `key` when 0 */
    const char *key;
    struct msg_row row;     /* out; ERR_NOT_FOUND as status when there is none */
    struct part_row *parts; /* out: heap */
    int nparts;
    struct history_row *history; /* out: heap, oldest first */
    int nhistory;
    struct report_row *reports; /* out: heap */
    int nreports;
    struct store_segment *segments; /* out: heap, inbound */
    int nsegments;
};
void store_show(struct store *s, struct store_show *h);
void store_show_clear(struct store_show *h);

struct store_counts {
    struct store_op op;
    int64_t by_state[MSG_STATES]; /* out */
    int64_t segments_waiting;     /* out: inbound parts of incomplete messages */
};
void store_counts(struct store *s, struct store_counts *c);

/* An online copy of the database to a new file (ERR_EXISTS if there is one), checked and synced. Reader's
 * lane. */
struct store_backup {
    struct store_op op;
    const char *path;
    int64_t bytes; /* out */
};
void store_backup(struct store *s, struct store_backup *b);

#endif
