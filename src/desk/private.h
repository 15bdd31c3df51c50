/* Inside of struct desk. */
#ifndef SIMGATE_DESK_PRIVATE_H
#define SIMGATE_DESK_PRIVATE_H

#include "desk/desk.h"
#include "desk/erase.h"
#include "engine/program.h"
#include "store/due.h"
#include "store/query_desk.h"

/* A gateway_verdict under construction, with messages that need nobody's memory. */
enum { DRAFT_SENDS = 12 };
struct draft {
    struct gateway_verdict verdict;
    struct gateway_send sends[DRAFT_SENDS];
    struct buf texts[DRAFT_SENDS];
    char sources[DRAFT_SENDS][MSG_SOURCE_BYTES], keys[DRAFT_SENDS][MSG_KEY_BYTES];
};
/* The next message, empty but for whom it is to; NULL where there is no room. `text` is to be filled. */
struct gateway_send *draft_to_customer(struct draft *d, const struct conv_row *c, struct buf **text);
/* To a person of ours, about a conversation. `key` makes it unique, or NULL. */
struct buf *draft_to_staff(struct draft *d, const struct conv_row *c, const struct person *to,
                           const char *key);
/* The verdict as it stands now. */
const struct gateway_verdict *draft_verdict(struct draft *d);
void draft_fini(struct draft *d);

/* The clocks: one sweep at a time, one conversation after the other. */
struct clocks {
    struct desk *desk;
    struct rt_timer timer;
    struct gateway_watcher watcher;
    bool sweeping, changed; /* changed: since the store was asked */
    struct store_due due;
    int at;                       /* of due.rows: under way */
    struct store_situation known; /* of its conversation */
    struct draft draft;           /* what is done to it */
    struct store_effect effects[CLOCKS + 2];
    int neffects;
    struct gateway_apply apply;
    bool failed;                  /* something was left undone in this sweep: it comes again */
    int64_t survey_after_wall_ms; /* who was closed before was asked, or will not be */
    int64_t survey_full_wall_ms;  /* closed then, the first for whom the guard has no room yet; 0 none */
};

/* Once an hour: retention.c. */
struct keeper {
    struct desk *desk;
    struct rt_timer timer;
    struct store_retain retain;
    int64_t erased[RETENTIONS];
};

/* Business times of answers that were just given: figures.c. */
struct settling {
    struct desk *desk;
    struct rt_timer timer;
    struct gateway_watcher watcher;
    struct store_times_pending pending;
    struct store_times_settle settle;
    bool busy, again;
};

/* An erasure that a restart interrupted: erase.c. */
struct resume {
    struct desk *desk;
    struct store_erasures ask;
    struct desk_erase erase;
};

struct doing;
struct erasing;

struct desk {
    struct rt *rt;
    struct engine *engine;
    struct gateway *gateway;
    struct store *store;
    struct clocks clocks;
    struct doing *doings; /* owned */
    struct keeper keeper;
    struct settling settling;
    struct resume resume;
    struct erasing *erasings; /* owned */
};

void retention_start(struct keeper *r, struct desk *d);
void retention_stop(struct keeper *r);
void settling_start(struct settling *s, struct desk *d);
void settling_stop(struct settling *s);
void erase_start(struct resume *m, struct desk *d);
void erase_stop(struct desk *d); /* calling nothing */
void clocks_start(struct clocks *c, struct desk *d);
void clocks_stop(struct clocks *c); /* calling nothing; the store is closed or abandoned */

#endif
