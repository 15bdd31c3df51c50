/* Campaigns: one text to many numbers, that want it. Who gets it is written down when the campaign is made;
 * each recipient is then waiting, accepted (its message tells the rest) or refused.
 *
 * A recipient is accepted by its message's idempotency key "campaign:ID:NUMBER", so that a crash between the
 * message and the recipient's mark sends nothing twice. Consent is looked at where every message is admitted
 * (MSG_F_MARKETING wants an opt-in).
 */
#ifndef SIMGATE_STORE_CAMPAIGN_H
#define SIMGATE_STORE_CAMPAIGN_H

#include "store/store.h"

enum { CAMPAIGN_NAME_BYTES = 96, CAMPAIGN_AUDIENCE_BYTES = 160, CAMPAIGN_PROOF_BYTES = 96 };

/* Stored: never renumber. */
enum campaign_state {
    CAMPAIGN_DRAFT = 1,
    CAMPAIGN_RUNNING = 2,
    CAMPAIGN_PAUSED = 3,
    CAMPAIGN_DONE = 4,    /* nobody waits any more */
    CAMPAIGN_STOPPED = 5, /* for good, by a person */
    CAMPAIGN_STATES = 6,
};
const char *campaign_state_name(enum campaign_state s); /* "draft" … */
bool campaign_state_from_name(const char *name, enum campaign_state *out);

/* Stored: never renumber. */
enum recipient_state { RECIPIENT_WAITING = 1, RECIPIENT_ACCEPTED = 2, RECIPIENT_REFUSED = 3 };
const char *recipient_state_name(enum recipient_state s); /* "waiting", "accepted", "refused" */

struct campaign_row {
    int64_t id;
    char name[CAMPAIGN_NAME_BYTES];
    enum campaign_state state;
    char *text;                             /* heap: a text with {{values}}, or "@NAME" of a template */
    char audience[CAMPAIGN_AUDIENCE_BYTES]; /* for people: "tag vip", "customers.txt" */
    char proof[CAMPAIGN_PROOF_BYTES];       /* how those opted in of whom nothing is known; "" they did not */
    char modem[MSG_MODEM_BYTES], pool[MSG_MODEM_BYTES];
    char who[DESK_WHO_BYTES];
    char reason[MSG_REASON_BYTES]; /* of the present state */
    int per_minute;                /* messages; 0 as fast as they go out */
    int64_t due_wall_ms;           /* not before; 0 */
    int64_t created_wall_ms, started_wall_ms, ended_wall_ms;
    int64_t total, waiting, accepted, refused; /* recipients */
};
void campaign_row_clear(struct campaign_row *c);

/* Makes one as a DRAFT, with the contacts that have a tag or an attribute as recipients, or with none yet. */
struct store_campaign_new {
    struct store_op op;
    struct campaign_row row;       /* in: name, text (borrowed), audience … who; out: id, total */
    const char *tag;               /* NULL none */
    const char *attribute, *value; /* value NULL: has the attribute; attribute NULL none */
    int64_t now_wall_ms;
};
void store_campaign_new(struct store *s, struct store_campaign_new *n);

/* More recipients of a DRAFT, canonical; those that it has already are not taken again. ERR_NOT_FOUND,
 * ERR_REFUSED. */
struct store_campaign_add {
    struct store_op op;
    int64_t id;
    const char *const *numbers;
    int count;
    int added;     /* out */
    int64_t total; /* out */
};
void store_campaign_add(struct store *s, struct store_campaign_add *a);

/* Newest first; a reader's operation. */
struct store_campaigns {
    struct store_op op;
    enum campaign_state state; /* 0 any */
    int64_t before_id;         /* 0 from the newest */
    int limit;
    struct campaign_row *rows; /* out: store_campaigns_clear() */
    int count;
};
void store_campaigns(struct store *s, struct store_campaigns *l);
void store_campaigns_clear(struct store_campaigns *l);

/* One with what became of it. ERR_NOT_FOUND. A reader's operation. */
struct store_campaign {
    struct store_op op;
    int64_t id;
    struct campaign_row row;        /* out: store_campaign_clear() */
    int64_t by_message[MSG_STATES]; /* out: its messages by state */
    int64_t segments, cost_micros;  /* out: of its messages */
    struct campaign_reason {
        char reason[MSG_REASON_BYTES];
        int64_t count;
    } reasons[8]; /* out: why recipients were refused, the most frequent first; numbers are taken out */
    int nreasons;
};
void store_campaign(struct store *s, struct store_campaign *c);
void store_campaign_clear(struct store_campaign *c);

/* Recipients in their order: what became of each. A reader's operation. */
struct recipient_row {
    int64_t n;
    char number[NUMBER_BYTES];
    enum recipient_state state;
    int64_t message;              /* 0 none */
    enum msg_state message_state; /* 0 none */
    char reason[MSG_REASON_BYTES];
};
struct store_recipients {
    struct store_op op;
    int64_t id, after;            /* after: a recipient's n; 0 from the first */
    enum recipient_state state;   /* 0 any */
    enum msg_state message_state; /* 0 any */
    int limit;
    struct recipient_row *rows; /* out: heap, the caller frees */
    int count;
};
void store_recipients(struct store *s, struct store_recipients *r);

/* DRAFT, PAUSED -> RUNNING; RUNNING -> PAUSED; all of them -> STOPPED. ERR_NOT_FOUND, ERR_REFUSED. */
struct store_campaign_move {
    struct store_op op;
    int64_t id;
    enum campaign_state to;
    const char *who, *reason; /* reason: NULL "by WHO" */
    int64_t now_wall_ms;
    enum campaign_state was; /* out */
};
void store_campaign_move(struct store *s, struct store_campaign_move *m);

/* The next recipients, with what is known of them. To send (`look_only` false): those that wait, of a RUNNING
 * campaign; of those who are not known to have opted in or out, the campaign's proof is written into the
 * ledger. To look: all, after `after`. Writer's lane. */
struct campaign_contact {
    int64_t n;
    char number[NUMBER_BYTES];
    struct contact_row contact; /* id 0 none */
    enum consent_state consent; /* where there is no modem: the stricter */
};
struct store_campaign_next {
    struct store_op op;
    int64_t id, after;
    int max;
    bool look_only;
    int64_t now_wall_ms;
    struct campaign_row row;       /* out; ERR_NOT_FOUND */
    struct campaign_contact *rows; /* out: store_campaign_next_clear() */
    int count;
};
void store_campaign_next(struct store *s, struct store_campaign_next *n);
void store_campaign_next_clear(struct store_campaign_next *n);

/* What became of recipients; the campaign is DONE when nobody waits any more. */
struct campaign_mark {
    int64_t n;
    enum recipient_state state;
    int64_t message;
    char reason[MSG_REASON_BYTES];
};
struct store_campaign_mark {
    struct store_op op;
    int64_t id;
    const struct campaign_mark *marks;
    int count;
    int64_t now_wall_ms;
    enum campaign_state state; /* out */
};
void store_campaign_mark(struct store *s, struct store_campaign_mark *m);

#endif
