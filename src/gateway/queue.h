/* The queue's index: every unfinished outbound message, in memory, in the order in which they go.
 *
 * A pure data structure: no clock, no store, no carriers. A message that is `put` waits for its time or is
 * ready; queue_tick() moves what has become due and hands out what has expired; queue_next() names the
 * message that a carrier should take: highest priority, then the sender that was served longest ago (so that
 * a campaign does not starve a reply), then due time, then id. The caller takes a message out while something
 * of it is under way, and puts it back or frees it afterwards.
 */
#ifndef SIMGATE_GATEWAY_QUEUE_H
#define SIMGATE_GATEWAY_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/number.h"
#include "base/rt.h"

enum {
    QUEUE_PRIORITIES = 3,
    QUEUE_WISH_MS = 60 * 1000, /* so long a message waits for the carrier that it wishes for */
};

struct queue_group;
struct queue_sender;

/* Which carriers may take a message. Names are interned (queue_name), so that equal ones are the same
 * pointer;
 * "" = not set. Exactly one of: `imsi` (a part of it went by this SIM: only this one), `modem` (only this
 * carrier), neither (a carrier of `pool`, not the SIM `avoid` unless no other is ready). */
struct queue_route {
    const char *imsi, *modem, *pool, *avoid;
    bool cheapest;                              /* of those, by the cheapest that can take it */
    struct queue_group *ring[QUEUE_PRIORITIES]; /* the sender to be served next */
    int count;                                  /* ready messages */
    bool passed_over; /* queue_next() leaves it out: the carrier that asks leaves it to others */
    struct queue_route *next;
    int64_t held_since_ms; /* hold.c: no carrier can take anything since; 0 = one can */
    uint32_t told;         /* hold.c: hash of the reason last written to the store, 0 none */
};

/* A message. At most 160 bytes: a million of them are to be ordinary. */
struct queue_entry {
    int64_t id;
    int64_t due_ms, expires_ms; /* monotonic; RT_NEVER: never */
    int64_t prefer_until_ms;    /* `modem` is a wish until then; 0: it is a must */
    struct queue_entry *hash_next;
    struct queue_entry *next, *prev; /* in its group */
    struct queue_group *group;       /* NULL: not ready */
    struct queue_sender *sender;
    const char *imsi, *modem, *pool, *avoid; /* interned */
    uint32_t told;                           /* hash of the reason that the store has, 0 none */
    uint32_t heap_at;                        /* place in the heap + 1; 0: not in it */
    uint8_t priority, parts;
    uint8_t next_seq;      /* the next part to be intended; > parts: all are */
    uint8_t slots;         /* parts that are under way */
    uint8_t unknown;       /* parts whose outcome is not known */
    uint8_t fails[5];      /* retry.h */
    uint8_t scheduled : 1; /* due at a time of the wall clock */
    uint8_t dead : 1;      /* ends when nothing of it is under way */
    uint8_t cancel : 1;
    uint8_t moving : 1;      /* an operator's move is on its way to the store */
    uint8_t no_validity : 1; /* goes without TP-VP, which the service centre refused */
    uint8_t touched : 1;     /* something of it went out: parts follow by the same SIM */
    uint8_t quiet : 1;       /* keeps the recipient's quiet hours */
    uint8_t cheapest : 1;
    char peer[NUMBER_BYTES];
};

struct queue {
    struct queue_entry **buckets;
    uint32_t nbuckets, nentries;
    struct queue_entry **heap; /* by wake time: due, end of a preference, expiry */
    uint32_t heap_len, heap_cap;
    struct queue_route *routes;
    struct queue_sender *senders;
    struct queue_name *names;
    uint64_t served; /* turns so far */
    int waiting;     /* put, not yet due */
    bool new_routes; /* set by queue_put when it makes one; cleared by its reader */
    /* Does the wish of e for its carrier last although its time is over? NULL: no. */
    bool (*wish_lasts)(void *owner, const struct queue_entry *e);
    void *owner;
};

void queue_init(struct queue *q);
void queue_fini(struct queue *q);

/* The one copy of a name, borrowed until queue_fini. NULL is "". */
const char *queue_name(struct queue *q, const char *text);

/* A new entry, in no list yet: the caller fills it, then puts it. Never NULL. `source` names the sender. */
struct queue_entry *queue_new(struct queue *q, int64_t id, const char *source);
struct queue_entry *queue_find(const struct queue *q, int64_t id);
void queue_free(struct queue *q, struct queue_entry *e);

void queue_put(struct queue *q, struct queue_entry *e, int64_t now_ms);
void queue_take(struct queue *q, struct queue_entry *e); /* also when it is in no list */
static inline bool queue_is_put(const struct queue_entry *e)
{
    return e->heap_at != 0;
}

/* Parts that are still to be intended. */
static inline int queue_parts_left(const struct queue_entry *e)
{
    return e->parts - e->next_seq + 1;
}

/* The route that e is on when it is ready. */
struct queue_route *queue_route_of(struct queue *q, const struct queue_entry *e);

/* Moves what is due to its place. Returns a message that has expired, taken out, or NULL: call until NULL. */
struct queue_entry *queue_tick(struct queue *q, int64_t now_ms);
int64_t queue_wake_ms(const struct queue *q); /* RT_NEVER: nothing waits for a time */

/* The message to go next by one of these routes, still in its place; NULL none. */
struct queue_entry *queue_next(struct queue_route *const routes[], int n);
/* Its sender has had its turn: takes it out. */
void queue_serve(struct queue *q, struct queue_entry *e);

/* The first messages of a route in no special order, at most max: for reasons of holding. */
int queue_heads(const struct queue_route *r, struct queue_entry **out, int max);

#endif
