/* What the files of gateway/ share. Nobody outside includes this. */
#ifndef SIMGATE_GATEWAY_PRIVATE_H
#define SIMGATE_GATEWAY_PRIVATE_H

#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/limits.h"
#include "gateway/queue.h"
#include "gateway/retry.h"

#define WHO "gateway"

enum {
    DEPTH_MAX = 64,                 /* parts intended ahead of the one on the air */
    PIPE_SLOTS_MAX = 4 * DEPTH_MAX, /* parts of one carrier under way in any way */
    CONCAT_COUNTERS = 256,
    STORE_RETRY_MS = 2000, /* after the store had no room or failed */
};

/* Something on the heap that waits for the store, a carrier or its turn on the loop; gateway_free() frees it.
 */
struct job {
    struct job *next, *prev;
    struct gateway *g;
    void (*drop)(struct job *j); /* frees it and what it owns, calling nothing */
    void (*run)(struct job *j);  /* gw_defer(): what is to be done on the loop's next turn */
    struct job *next_deferred;
};

struct slot;

/* One carrier's line of parts: intended ahead, on the air, and being settled. */
struct pipe {
    struct gateway *g;
    struct carrier *c;              /* NULL once detached: freed when its slots have ended */
    const char *name, *pool, *imsi; /* interned */
    bool report_default;
    struct limits limits;
    struct queue_route **routes; /* those that it may serve; the first `nown` are bound to its SIM */
    int nroutes, nown, routes_cap;
    struct queue_entry *current; /* its further parts come next */
    struct slot *head, *tail;    /* intended or being intended, in their order */
    struct slot *on_air;
    struct slot *concluding; /* refused; waits until the parts behind it are withdrawn */
    int ahead;               /* slots from head to tail */
    int slots;               /* all slots */
    int depth, calm;
    int64_t wake_ms;         /* a limit or pause ends, not after the first of them */
    int64_t look_ms;         /* it left a message to faster ones: has it gone? RT_NEVER */
    int64_t paused_until_ms; /* quarantine; 0 none */
    int sim_errors;          /* in a row, of different recipients */
    char last_refused[NUMBER_BYTES];
    char why[CARRIER_TEXT_BYTES]; /* why it takes nothing now, "" it does */
    int64_t rest_until_ms;        /* its carrier refused a part outright */
    struct pipe *next_gone;
    int64_t unknown_message; /* the last part that ended with an unknown result */
    int unknown_seq;
};

/* A part whose outcome is not known. */
struct unknown {
    struct unknown *next;
    int64_t message;
    int64_t deadline_ms; /* RT_NEVER: waits for its report or a person */
    int64_t look_ms;     /* when the stored reports are looked through for its own; RT_NEVER: they were */
    uint8_t seq;
    bool busy; /* its settling is on the way to the store */
    bool held; /* left to a person */
    bool last; /* … and once more before the policy acts */
};

struct handling;
struct change;

/* What was accepted for sending in the calendar day and month: cost.c. Reserved: composed, not stored yet. */
struct route_spending {
    const char *name; /* interned */
    int64_t day_parts, month_parts, reserved_parts;
};
struct spending {
    struct limits calendar;
    int64_t day_micros, reserved_micros;
    struct route_spending *routes; /* as the policy's */
    int nroutes;
    bool told; /* that the day's cap is reached */
};
struct pool_watch;

struct gateway {
    struct rt *rt;
    struct store *store;
    const struct gateway_conf *conf;
    struct queue q;
    struct pipe **pipes;
    int npipes, turn;
    struct pipe *gone;      /* detached, with parts that are being settled */
    struct change *cancels; /* wait until nothing of their message is under way */
    bool routes_stale;
    struct rt_timer timer;
    struct job jobs; /* list head */
    struct rt_timer defer_timer;
    struct job *deferred, **deferred_end;
    struct gateway_watcher *watchers;
    struct gateway_stats stats;

    bool draining;
    void (*drained)(void *owner);
    void *drained_owner;
    struct job drained_job;

    bool stalled; /* the store failed: nothing is intended until store_retry_ms */
    int64_t store_retry_ms;
    struct slot *unsettled; /* outcomes that the store could not take */

    struct unknown *unknowns;
    bool looking;            /* through the stored reports */
    int64_t unknown_wake_ms; /* not after the nearest of their deadlines */
    int64_t hold_check_ms;
    int64_t wall_offset_ms; /* wall clock minus monotonic, as the scheduled messages were put */
    int64_t clock_check_ms;

    gateway_on_message on_message;
    void *on_message_owner;
    int calls_waiting; /* told, and not stored yet */
    struct log_limit log_calls;
    struct handling *open; /* oldest first */
    int nopen;
    int64_t last_opened; /* the highest id given to the engine */
    bool backlog;        /* the store may have more unhandled ones above last_opened */
    bool fetching;

    bool joining, join_again; /* a group is being joined; look once more after it */
    int64_t join_ms;          /* when to look for incomplete messages */

    struct policy *policy; /* never NULL */
    struct spending spending;
    struct pool_watch *watches; /* of pools that others stand in for */
    int nwatches;
    int64_t failover_ms; /* when the next pool has been down for long enough; RT_NEVER none */

    uint8_t refs[CONCAT_COUNTERS];
    uint16_t ref_high;
    struct pdu_ud *scratch; /* PDU_MAX_SEGMENTS of them */
    struct log_limit log_undecodable, log_store;
};

/* ---- gateway.c ---- */
void *gw_alloc(size_t size);     /* zeroed; never NULL */
char *gw_copy(const char *text); /* NULL stays NULL */
void gw_job_add(struct gateway *g, struct job *j, void (*drop)(struct job *j));
void gw_job_end(struct job *j); /* out of the list, and dropped */
void gw_defer(struct gateway *g, struct job *j, void (*run)(struct job *j));
/* e is to go at a time of the wall clock: follows the clock when somebody sets it. */
void gw_scheduled(struct gateway *g, struct queue_entry *e);
void gw_arm(struct gateway *g); /* the timer, for the nearest of all that waits for a time */
/* A status that may go away by itself: no room, a failing disk, no memory. Others are the operation's own. */
bool gw_store_may_recover(int status);
void gw_store_failed(struct gateway *g, int status, const struct err *e);
void gw_store_works(struct gateway *g);
int64_t gw_to_wall(struct gateway *g, int64_t at_ms);     /* 0 for RT_NEVER */
int64_t gw_from_wall(struct gateway *g, int64_t wall_ms); /* RT_NEVER for 0 */
/* The same of when a message is due; what is due already is due now: how two clocks tick apart, or that one
 * was set, then has no say in the order. */
int64_t gw_due_from_wall(struct gateway *g, int64_t wall_ms, int64_t now_ms);

/* ---- events.c ---- */
void gw_emit(struct gateway *g, const struct gateway_event *ev);
void gw_alarm(struct gateway *g, int64_t message, const char *modem, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void gw_emit_outbox(struct gateway *g);
/* EV_RECEIVED, with the text masked. */
void gw_emit_received(struct gateway *g, const struct gateway_event *given);
/* Masks a received text (heap) where it is to be stored so; true: something was. */
bool gw_store_masked(struct gateway *g, char **text, uint32_t *flags);

/* ---- route.c: which way a message goes ---- */
struct way {
    int route;                /* of the policy; -1 none */
    const char *modem, *pool; /* interned; "" any */
    bool wish;                /* `modem` is one only */
    bool cheapest;            /* by the cheapest of the pool that can take it */
    int parts;
    int64_t cost_micros; /* of all parts */
};
/* ERR_REFUSED: a premium number, or the day's cost cap. */
int gw_way_find(struct gateway *g, const struct gateway_send *s, const char *to, int parts, struct way *out,
                struct buf *why, struct err *e);
/* Do others stand in for this pool now, and p among them? */
bool gw_stands_in(const struct gateway *g, const char *pool, const struct pipe *p);
/* As queue.h asks. */
bool gw_wish_lasts(void *owner, const struct queue_entry *e);
void gw_failover_look(struct gateway *g, int64_t now_ms);
void gw_failover_change(struct gateway *g); /* the policy is another one */
/* Should p take e, of which a cheaper carrier should? false: it waits for that; p->look_ms says when to look
 * again. */
bool gw_cost_takes(struct pipe *p, const struct queue_entry *e, int64_t now_ms);
/* e may not go now by the recipient's clock: it was put back until it may. */
bool gw_quiet_defers(struct gateway *g, struct queue_entry *e, int64_t now_ms);
/* When marketing may go there, from this time on; why: the reason for the history. */
int64_t gw_quiet_due(struct gateway *g, const char *to, int64_t wall_ms, char why[MSG_REASON_BYTES]);

/* ---- cost.c: quotas of routes, the day's cost cap ---- */
struct composed;
void gw_spending_change(struct gateway *g); /* the policy is another one */
void gw_spending_free(struct gateway *g);
/* May a route take so many parts more? Else why not. */
/* Its name, where its parts are counted; NULL they are not. */
const char *gw_route_counted(const struct gateway *g, int route);
bool gw_quota_allows(struct gateway *g, int route, int parts, char why[96]);
int gw_cap_check(struct gateway *g, int64_t cost_micros, struct err *e); /* ERR_REFUSED */
void gw_reserve(struct gateway *g, struct composed *c);
void gw_release(struct composed *c);
void gw_spent(struct gateway *g, const struct store_new_message *m); /* it is stored */

/* ---- compose.c: what is asked for -> what the store takes ---- */
struct composed {
    struct buf *why; /* in: explanation, lines of text; NULL: nobody asks */
    char to[NUMBER_BYTES];
    struct segment_plan plan;
    struct store_new_part *parts;
    uint8_t *pdus;
    char reason[MSG_REASON_BYTES];
    char *text; /* what is stored where that is not the given text */
    struct way way;
    struct gateway *g; /* parts and cost are reserved there; NULL: they are not */
};
int gw_compose(struct gateway *g, const struct gateway_send *s, int64_t now_wall_ms,
               struct store_new_message *m, struct composed *c, struct err *e);
void gw_composed_free(struct composed *c);

/* ---- decide.c: one transaction of a verdict ---- */
struct decision {
    struct store_handle op;
    char number[64], sim[MSG_MODEM_BYTES]; /* of the contact; "" unknown */
    struct gateway_send *sends;            /* all copied */
    int nsends;
    struct store_effect *effects;
    struct store_new_message *replies; /* of those of `sends` that can be made */
    struct composed *composed;
    int *places; /* their places among `sends` */
    int nreplies;
    const char *alarm; /* NULL none */
    char **strings;    /* the copies */
    int nstrings;
};
/* The copy; op is filled but for what it is about. */
void gw_decision_take(struct decision *d, const struct gateway_verdict *v);
const char *gw_decision_keep(struct decision *d, const char *text); /* NULL stays NULL */
/* Messages, by number, sim and op.message. With op.strict it fails for one that cannot be made and is not
 * automatic; others are told and left out. */
int gw_decision_compose(struct gateway *g, struct decision *d, struct err *e);
/* Durable: watchers, alarm, and the messages' entries in the queue; gw_tell_new() is left to the caller. */
void gw_decision_stored(struct gateway *g, struct decision *d);
void gw_decision_free(struct decision *d);

/* ---- admit.c ---- */
/* Takes newly stored messages into the index. */
void gw_index_new(struct gateway *g, const struct store_new_message *m, int count);
void gw_index_flags(struct queue_entry *e, uint32_t flags); /* what of MSG_F_… the index keeps */
/* … and tells the watchers of them; reads nothing that the request lent. */
void gw_tell_new(struct gateway *g, const struct store_new_message *m, int count);
const char *gw_known(struct gateway *g, bool pools, char *out, size_t size); /* "a, b" */

/* ---- carriers.c ---- */
struct pipe *gw_pipe_by_name(const struct gateway *g, const char *name);
bool gw_pool_fits(const struct gateway *g, const char *pool, const struct pipe *p);
bool gw_route_fits(const struct gateway *g, const struct queue_route *r, const struct pipe *p);
void gw_routes_refresh(struct gateway *g);
void gw_pipe_free(struct pipe *p);
/* When p may take `parts` more: now_ms, later, or RT_NEVER for not by time alone; p->why says why. */
int64_t gw_pipe_opens_ms(struct pipe *p, int parts, int64_t now_ms);
/* May it now? Else it is woken when it may, or before. */
bool gw_pipe_open(struct pipe *p, int parts, int64_t now_ms);
/* Waits that are over are forgotten. */
void gw_pipe_wake(struct pipe *p, int64_t now_ms);
void gw_pipe_ended(struct pipe *p); /* frees a detached pipe whose last part has ended */

/* ---- share.c ---- */
/* Should p take e, which is at the front of a route? false: the other carriers will have done all that waits
 * before p could do this; p->look_ms says when to look again. */
bool gw_share_takes(struct pipe *p, const struct queue_entry *e, int64_t now_ms);
/* Of what its pool sends, as much is p's by measured speed, 0..1; -1: not measured. */
double gw_share_of(const struct pipe *p);

/* ---- schedule.c ---- */
void gw_kick(struct gateway *g);
/* What p would take next if it may; NULL nothing. */
struct queue_entry *gw_pipe_next(const struct pipe *p);
void gw_pipe_withdraw(struct pipe *p, const struct queue_entry *only); /* NULL: everything intended */
void gw_resettle(struct gateway *g); /* the store works again: outcomes that it could not take */
/* Where e goes when nothing of it is under way: on, back into the queue, to its canceller, or away. */
void gw_entry_rest(struct gateway *g, struct queue_entry *e);
bool gw_pipe_on_air(const struct pipe *p, const struct queue_entry *e);
void gw_check_drained(struct gateway *g);

/* ---- outcome.c ---- */
/* Fills *out (all but op) from what the carrier said; changes the entry's failure counts, due time and SIM.
 */
void gw_outcome_decide(struct pipe *p, struct queue_entry *e, int seq, const struct carrier_outcome *o,
                       struct store_outcome *out, char reason[MSG_REASON_BYTES]);
/* The outcome is durable: index, statistics, events. */
void gw_outcome_stored(struct gateway *g, struct queue_entry *e, const struct store_outcome *o);
void gw_expire(struct gateway *g, struct queue_entry *e); /* e is out of the queue */

/* ---- unknown.c ---- */
void gw_unknown_add(struct gateway *g, int64_t message, int seq, int64_t deadline_ms);
/* The part's outcome has become known: takes it off the list. True if it was on it. */
bool gw_unknown_settled(struct gateway *g, int64_t message, int seq);
void gw_unknown_forget(struct gateway *g, int64_t message); /* all its parts */
void gw_unknown_tick(struct gateway *g, int64_t now_ms);
void gw_unknown_late(struct pipe *p, int mr);
void gw_unknown_looked(struct gateway *g); /* the stored reports have been looked through */
void gw_unknown_free(struct gateway *g);

/* ---- changes.c ---- */
void gw_cancel_ready(struct gateway *g, struct queue_entry *e);

/* ---- hold.c ---- */
void gw_hold_look(struct gateway *g, int64_t now_ms);
void gw_hold_tell(struct gateway *g, int64_t now_ms);
/* Writes to the store, and tells watchers, why e waits, and until when. */
void gw_hold_note(struct gateway *g, struct queue_entry *e, const char *why);
/* Why e cannot go now; "" it could. */
void gw_hold_reason(struct gateway *g, const struct queue_entry *e, char why[MSG_REASON_BYTES]);

/* ---- inbox.c, meta.c, join.c, reports.c, handle.c ---- */
void gw_inbound(struct pipe *p, const struct carrier_inbound *in);
void gw_report(struct pipe *p, const struct carrier_inbound *in, const struct pdu_report *r);
void gw_inbox_forget(struct gateway *g, const struct carrier *c); /* detached: not to be settled */
void gw_reports_forget(struct gateway *g, const struct carrier *c);
void gw_reports_again(struct gateway *g); /* those that matched nothing: they may belong to an unknown part */
void gw_hash_call(const struct carrier_call *call, uint8_t out[16]);
void gw_hash_report(const struct pdu_report *r, uint8_t out[16]);
/* calls.c */
void gw_call(struct pipe *p, const struct carrier_call *call);
/* Sender in canonical form. */
void gw_sender(const struct gateway *g, const struct pdu_addr *from, char out[64]);
/* JSON (heap) of what a door needs to write the message's headers; flags of the message in *flags. */
char *gw_meta(const struct pdu_deliver *d, uint32_t *flags);
char *gw_meta_undecodable(const struct err *e, bool malformed);
char *gw_payload_hex(const struct pdu_ud *ud, const struct pdu_dcs *dcs,
                     char *to); /* NUL-terminated; the end */
bool gw_is_text(const struct pdu_dcs *dcs);
/* A segment came: join its message now when it is complete, else look for it later. */
void gw_join_look(struct gateway *g, bool complete);
void gw_join_tick(struct gateway *g, int64_t now_ms);
/* A message was stored: to the engine, now or when there is room. Takes text and meta (heap). */
void gw_handle_new(struct gateway *g, struct msg_row *row);
/* The same for one that was stored in one piece. */
void gw_handle_stored(struct gateway *g, const struct store_inbound *op, const char *from, char *text,
                      char *meta);
void gw_handle_kick(struct gateway *g);

#endif
