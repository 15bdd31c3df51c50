/* The store's inside: lanes, and what the operations share. Private to store/. */
#ifndef SIMGATE_STORE_PRIVATE_H
#define SIMGATE_STORE_PRIVATE_H

#include <pthread.h>

#include "base/util.h"
#include "store/air.h"
#include "store/db.h"
#include "store/store.h"

enum { MS_PER_DAY = 86400000, MS_PER_QUARTER = 900000 };

struct op_list {
    struct store_op *head, **tail;
    int count;
};

enum batch_phase { BATCH_IDLE, BATCH_WAITING, BATCH_RUNNING, BATCH_FINISHED };

/* What a lane has on the other thread: at most one. It is apart from the lane because the runtime holds its
 * request until `done`, also when the store was abandoned meanwhile. */
struct batch {
    struct rt_work work;
    struct store *store; /* NULL: abandoned */
    struct lane *lane;
    struct op_list ops;
    bool shut; /* closes the connections instead of running operations */
    bool full, wrote;
    bool made_work;       /* stored an event or a delivery */
    pthread_mutex_t lock; /* of phase and dropped */
    pthread_cond_t finished;
    enum batch_phase phase;
    bool dropped;
    struct batch *next_orphan;
};

struct lane {
    struct store_db db;
    struct op_list gathering;
    struct batch *batch;
    int batch_max;
    bool writes;
    bool busy; /* the batch is with the runtime, or its callbacks run */
};

struct store {
    struct rt *rt;
    struct lane writer, reader;
    struct store_stats stats;
    bool full;
    struct air air;
    char **sinks;                    /* NULL-terminated copy */
    const struct zone *_Atomic zone; /* in whose days figures are counted: store_set_zone() */
    struct zone_of {
        struct zone *zone;
        struct zone_of *next;
    } * zones;             /* all that there were */
    int lock_fd;           /* of PATH-lock: one simgated per database */
    struct rt_timer turn;  /* what one turn of the loop asks for begins together, after it */
    struct rt_timer retry; /* a batch could not be handed over, or the disk was full */
    struct store_op probe; /* a small write, while the disk is full */
    bool probing;
    struct store_op want; /* store_want_events() */
    unsigned want_kinds, want_next;
    bool wanting;
    void (*on_work)(void *owner);
    void *on_work_owner;
    bool closing, shutting, abandoned;
    int callbacks;          /* depth */
    struct op_list refused; /* came after store_close */
    void (*closed)(void *owner);
    void *closed_owner;
};

/* lane.c */
typedef int (*store_exec)(struct store_db *db, struct store_op *op);
typedef void (*store_drop)(struct store_op *op);
int lane_init(struct store *s, struct lane *l, int batch_max, bool writes);
void lane_fini(struct lane *l);
void op_list_init(struct op_list *l);
void store_submit_write(struct store *s, struct store_op *op, store_exec exec, store_drop drop);
void store_submit_read(struct store *s, struct store_op *op, store_exec exec, store_drop drop);
/* A read of a few rows by their keys, which may be done together with others of its kind. */
void store_submit_brief_read(struct store *s, struct store_op *op, store_exec exec, store_drop drop);
void store_turn_fire(struct rt_timer *t);
void store_retry_fire(struct rt_timer *t);
/* batch.c: all operations of a batch, on whatever thread; statuses, `full` and `wrote` follow. */
void batch_execute(struct batch *b);
/* The tally's share of a transaction, before its COMMIT. */
int store_tally(struct store_db *db);
void store_rollback(struct store_db *db);
/* open.c: everything but the lanes' batches; the connections must not be in use. */
void store_free(struct store *s);
void store_free_zones(struct store *s); /* zones.c */
void store_close_connections(struct store *s, bool checkpoint);
/* A read-only connection of its own, for what may block at start. */
int store_open_reader(const char *path, struct store_db *db, struct err *e);

/* ---- message.c: messages, parts and their states --------------------------------------------------------
 */

static inline int64_t part_id(int64_t message, int seq)
{
    return message * 256 + seq;
}
static inline int64_t part_message(int64_t id)
{
    return id / 256;
}

/* What an operation must know of a message before it changes it. */
struct msg_head {
    int64_t id;
    enum msg_direction direction;
    enum msg_state state;
    uint32_t flags;
    int parts;
    int64_t created_wall_ms, expires_wall_ms;
};
/* ERR_NOT_FOUND */
int message_head(struct store_db *db, int64_t id, struct msg_head *out);

/* A change of a message's or part's state; NULL and -1 leave a field as it is. */
struct msg_change {
    enum msg_state to;
    const char *reason; /* NULL "" */
    const char *modem, *imsi;
    int64_t at_wall_ms, due_wall_ms, expires_wall_ms;
    uint32_t flags; /* added */
};
#define MSG_CHANGE(...) (&(struct msg_change){.due_wall_ms = -1, .expires_wall_ms = -1, __VA_ARGS__})

/* The one place where a message's state is assigned: checks the move (ERR_REFUSED), tallies, writes the
 * history and puts outcomes into the outboxes. h->state follows. */
int message_set_state(struct store_db *db, struct msg_head *h, const struct msg_change *c);
/* Fields only, without a move. */
int message_touch(struct store_db *db, const struct msg_head *h, const struct msg_change *c);
/* The same for a part. Its history row is written only where a message has several: of a message of one part
 * it would say the same twice. */
int part_set_state(struct store_db *db, const struct msg_head *h, int seq, enum msg_state from,
                   const struct msg_change *c);
/* The state that follows from the parts' states. */
int message_follow(struct store_db *db, struct msg_head *h, const struct msg_change *c);
/* All QUEUED parts (and UNKNOWN ones, if so told) get the state of c. */
int parts_stop(struct store_db *db, const struct msg_head *h, bool unknown_too, const struct msg_change *c);
int part_states(struct store_db *db, const struct msg_head *h, int counts[MSG_STATES]);

int history_add(struct store_db *db, int64_t message, int part, enum msg_state state, int64_t at_wall_ms,
                const char *reason, const char *modem);

struct msg_insert {
    enum msg_direction direction;
    enum msg_state state;
    const char *peer, *wanted, *modem, *pool, *imsi, *source, *key, *reason, *text, *meta;
    uint32_t flags;
    int priority, parts;
    int64_t now_wall_ms, due_wall_ms, expires_wall_ms, scts_wall_ms, reply_to;
    int64_t conversation, cost_micros;
    const char *who;
    int depth;
    int64_t desk; /* figure_desk() */
};
int message_insert(struct store_db *db, const struct msg_insert *m, int64_t *id);
/* admit.c: one message with its parts, unless its key exists or its recipient opted out. */
int message_admit(struct store_db *db, struct store_new_message *m, int64_t now_wall_ms);

int outbox_put(struct store_db *db, enum outbox_kind kind, int64_t message, int64_t report);
int outbox_start(struct store_db *db); /* reads the next id */
/* inbound.c: a modem whose SIM is not known yet (it hands over what came while it was not looked after) has
 * its last SIM still, as far as we can know; looked for in the newest thousand messages each way. "" none. */
int last_sim(struct store_db *db, const char *modem, char imsi[MSG_IMSI_BYTES]);
/* reports.c: reports that came before their part was known to be SENT. h->state follows. */
int reports_catch_up(struct store_db *db, struct msg_head *h, int seq, const char *imsi, int mr,
                     int64_t now_wall_ms);

/* ---- rows ------------------------------------------------------------------------------------------------
 */

#define MSG_COLUMNS                                                                                          \
    "m.id, m.direction, m.state, m.reason, m.peer, m.modem, m.wanted, m.pool, m.imsi, m.source, m.key, "     \
    "m.text, m.meta, m.flags, m.priority, m.parts, m.created, m.due, m.expires, m.changed, m.scts, "         \
    "m.reply_to, m.conversation, m.cost"
/* All rows of a statement whose columns are these. On failure what was read stays in *rows. */
int msg_rows_read(struct store_db *db, sqlite3_stmt *st, struct msg_row **rows, int *count);
void msg_rows_free(struct msg_row **rows, int *count);
/* Appends to a heap array that grows; NULL and the error set when there is no memory. The row is zeroed. */
void *rows_add(struct store_db *db, void *rows, int *count, size_t size);

#endif
