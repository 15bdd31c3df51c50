/* What the files of spool/ share on the loop's thread. Nobody outside includes this. */
#ifndef SIMGATE_SPOOL_PRIVATE_H
#define SIMGATE_SPOOL_PRIVATE_H

#include "base/log.h"
#include "spool/compose.h"
#include "spool/disk.h"
#include "spool/spool.h"

#define WHO       "spool"
#define SPOOL_KEY "spool:" /* in front of the unique part, for keys and sources */

enum {
    BATCH_MAX = 64,   /* files of one piece of work */
    CLAIMS_MAX = 256, /* files between outgoing/ and the store's answer */
    CLAIMS_BYTES = 16 << 20,
    NAMES_MAX = 4096,   /* told by the watch, not claimed yet; beyond: look through the directory */
    WALK_MAX = 1024,    /* files read, then sorted, at a time */
    ACTIVE_MAX = 256,   /* outbox rows being worked on */
    FAILING_MAX = 8192, /* outbox rows that wait for the disk */
    KEY_BYTES = 64,
};

/* Something that failed and is tried again, ever more seldom. */
struct backoff {
    int64_t at_ms; /* RT_NEVER: nothing to try */
    int64_t wait_ms;
};

struct name {
    struct name *next;
    char text[];
};

/* A file on its way to admission. */
struct claim {
    struct claim *next, *prev; /* of all */
    struct claim *next_stuck;
    struct spool *sp;
    struct disk_claim disk;
    struct gateway_send *sends; /* one for each recipient */
    struct gateway_admitted *results;
    char (*keys)[KEY_BYTES];
    char *meta;
    char source[MSG_SOURCE_BYTES];
    struct gateway_admit admit;
    bool checked; /* by hook_check */
    struct spool_check check;
};

/* pick.c: from outgoing/ to the gateway. */
struct picker {
    struct rt_work work;
    enum { PICK_CLAIM, PICK_WALK, PICK_RECHECK } job;
    bool busy; /* its one piece of work is under way */
    struct claim *batch[BATCH_MAX];
    int nbatch;

    struct name *names, **names_end;
    int nnames;
    struct disk_walk walk, recheck; /* of outgoing/, of checked/ */
    int walk_at, recheck_at;        /* found, and not claimed yet */
    bool walking, walk_wanted, rechecking;
    int64_t now_wall_ms; /* for the walk under way */
    int waiting;         /* files left alone for now */

    struct claim claims; /* list head */
    struct claim *again; /* were checked, and are to be read again */
    struct claim *stuck; /* the gateway cannot take them now */
    int nclaims;
    size_t bytes;
    struct backoff wait, retry;
    struct log_limit log_refused, log_failed;
};

struct task;

/* settle.c: from the store's outbox to files. */
struct settler {
    struct rt_work work;
    bool busy;
    struct task *batch[BATCH_MAX];
    int nbatch;
    struct task *tasks; /* all */
    int active, failing;
    struct task *ready, **ready_end; /* to be written */
    struct task *failed;             /* to be tried again */
    struct backoff retry;
    struct store_outbox rows;
    int64_t after_id;
    bool reading, more;
    struct log_limit log_failed;
};

struct spool {
    struct rt *rt;
    struct gateway *g;
    struct store *store;
    struct spool_conf conf;
    char *dir;
    uint64_t life, count;
    bool stopped;
    struct gateway_watcher watcher;
    struct rt_timer timer;
    int64_t rescan_at_ms;
    struct picker pick;
    struct settler settle;
};

/* ---- spool.c ---- */
void *spool_alloc(size_t size); /* zeroed, never NULL */
void spool_arm(struct spool *sp);
void backoff_start(struct spool *sp, struct backoff *b, int64_t first_ms, int64_t most_ms);
void backoff_reset(struct backoff *b);
void spool_key(const char *unique, int i, int n, char out[KEY_BYTES]);

/* ---- pick.c ---- */
void pick_start(struct spool *sp);
void pick_go(struct spool *sp);
void pick_tick(struct spool *sp, int64_t now_ms);
void pick_kick(struct spool *sp, const char *name);
/* Nothing of the claim is in the store: into the gateway. */
void pick_admit(struct claim *c);
/* The answer to hook_check. */
void pick_checked(struct claim *c, int status, const char *reason);
void claim_free(struct claim *c);
void pick_free(struct spool *sp);

/* ---- hooks.c ---- */
void hook_placed(struct spool *sp, const struct disk_item *it);
/* True: somebody is asked about the file, and pick_checked() comes later. */
bool hook_check(struct claim *c);

/* ---- settle.c ---- */
void settle_start(struct spool *sp);
void settle_pump(struct spool *sp);
void settle_tick(struct spool *sp, int64_t now_ms);
/* A claimed file that is not sent: to failed/. */
void settle_refuse(struct spool *sp, const char *claimed, const char *reason);
/* A claimed file of an earlier life: waits, is finished, or goes to pick_admit(). Takes the claim. */
void settle_recheck(struct claim *c);
void settle_free(struct spool *sp);

#endif
