/* One interface for all that decides about a received message, and the chain of them.
 *
 *      event -> consent -> guard -> rules -> verdict
 *
 * Each handler in turn adds to the verdict and says whether the next one is asked. It answers now, or LATER:
 * it then keeps `walk` and calls walk_resume() once, from the loop.
 */
#ifndef SIMGATE_ENGINE_HANDLER_H
#define SIMGATE_ENGINE_HANDLER_H

#include "base/buf.h"
#include "engine/conf.h"
#include "engine/fold.h"
#include "store/store.h"

/* What is asked about: a received message, a call or an event, and what is known of its sender or contact.
 * All borrowed until the walk's end. */
struct handler_event {
    int64_t id;      /* of the message (received, or a report's); 0: none, or it is only tried */
    const char *key; /* by which others know it again: "message:12", "event:7"; "" when it is only tried */
    int on;          /* enum engine_on */
    int depth;       /* of an event: see DESK_EVENT_DEPTH */
    int64_t wall_ms; /* the service centre's time, or that of arrival */
    int64_t came_wall_ms; /* when it came here: a service centre may have kept a message for days */
    int64_t now_wall_ms;  /* when it is decided */
    const char *from;     /* canonical; "" unknown; of an event: its contact */
    struct span text;  /* valid UTF-8, NUL-terminated; {0} when there is none: binary, undecodable, a call */
    struct span shown; /* text as others than the sender may read it: sensitive data masked */
    bool sensitive;    /* there was some in it */
    const char *modem; /* received it; "" unknown */
    const char *pool;  /* of the modem; NULL unknown */
    const char *to;    /* the SIM's own number; NULL unknown */
    const char *name;  /* of an event: the alarm, "new", "overdue" clock, score, person; "" of a message */
    bool incomplete;   /* segments are missing in text */
    int message_class; /* -1 none */
    bool own_number;   /* the sender is one of our SIMs */
    const struct store_situation *known; /* never NULL */
    int64_t conversation;                /* the live one's id, or the one that a new one will get */
    const char *language;                /* of the text as far as can be told, else the contact's; "" */
};

/* No event makes more than this, however many rules say `continue`. */
enum { VERDICT_REPLIES = 24, VERDICT_AUTOMATIC = 8, VERDICT_EFFECTS = 48 };

struct verdict_reply {
    const char *source; /* "rule:NAME", "consent"; kept or belongs to the handler */
    struct buf text;
    bool consent; /* a confirmation: passes an opt-out */
    bool person;  /* written by a person of ours: not automatic */
    bool staff;   /* to a person of ours */
    bool marketing;
    const char *to;           /* NULL: the sender; kept */
    const char *modem, *pool; /* NULL: by route; kept */
    const char *who;          /* kept */
    int64_t conversation;     /* 0 the event's, if it is to its contact; -1 none */
    int64_t due_wall_ms;      /* not before; 0 now */
};

struct verdict {
    char reason[MSG_REASON_BYTES]; /* for the history */
    const char *handler;           /* that ended the walk */
    const char *rule;              /* the first that matched; "" none */
    struct verdict_reply replies[VERDICT_REPLIES];
    int nreplies;
    int room;           /* automatic replies to the sender that may still be added */
    const char *silent; /* why no automatic reply may go to the sender; kept; NULL: one may */
    struct store_effect effects[VERDICT_EFFECTS];
    int neffects;
    int left_out; /* effects for which there was no room, and the first of them */
    enum effect_kind left_out_first;
    enum store_thread thread; /* THREAD_OPEN until somebody says otherwise */
    const char *who;          /* NULL "engine"; kept */
    const char *by;           /* who makes the effects that are added now; NULL: `who` */
    bool hold;           /* not decided: it is asked about again later (a handler that failed, and "hold") */
    struct buf alarm;    /* what an administrator is told; empty: nothing */
    const char *gave_up; /* a rule whose pattern met its limits on this text; NULL none */
    struct buf *why;     /* explanation, lines of text; NULL: nobody asks */
    char **kept;         /* verdict_keep() */
    int nkept;
};

void verdict_init(struct verdict *v, struct buf *why);
void verdict_fini(struct verdict *v);
void verdict_reason(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A new empty reply to the sender, or NULL where there is no room. */
struct verdict_reply *verdict_reply(struct verdict *v, const char *source, bool consent);
/* A new empty message to somebody else: not counted by the guard of the sender; NULL where there is no room.
 */
struct verdict_reply *verdict_send(struct verdict *v, const char *source, const char *to);
/* Takes back the last reply. */
void verdict_unreply(struct verdict *v);
/* A copy that lives as long as the verdict. NULL stays NULL. */
const char *verdict_keep(struct verdict *v, const char *text);
const char *verdict_keepf(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds an effect, whose texts are kept (verdict_keep). False: there are too many; the first is explained. */
bool verdict_effect(struct verdict *v, const struct store_effect *e);
/* A person should look at the event's conversation, and why; where there is none, an administrator is told.
 */
void verdict_flag(struct verdict *v, const struct handler_event *ev, const char *why);
/* One line of explanation. Costs nothing when nobody asks: arguments are not to be computed for it. */
#define verdict_why(v, ...)                                                                                  \
    do {                                                                                                     \
        if ((v)->why)                                                                                        \
            verdict_explain((v), __VA_ARGS__);                                                               \
    } while (0)
void verdict_explain(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum handler_answer {
    HANDLER_NEXT,
    HANDLER_STOP, /* decided: nobody else is asked */
    HANDLER_LATER,
};

struct handler;
struct walk;

/* What `simgate status` shows of one. */
struct handler_health {
    uint64_t asked, failed, late;
    int64_t last_ms; /* how long it took last */
    char error[160]; /* the last failure; "" none since it last worked */
    bool failing;    /* what it was asked last failed */
    bool down;       /* and it is not asked for a while */
};

struct handler {
    const char *name;
    unsigned on; /* bits 1 << enum engine_on: what it is asked about; 0: messages and calls */
    enum handler_answer (*decide)(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                  struct walk *walk);
    /* The walk that waits for it is over without it (its deadline, the end of the program): walk_resume must
     * not be called any more. NULL for handlers that answer at once. */
    void (*abandon)(struct handler *h, struct walk *walk);
    void (*health)(const struct handler *h, struct handler_health *out); /* NULL: always well */
};

/* One event's way along a chain. In place until done, which is called once: from walk_start when everybody
 * answers now. */
struct walk {
    struct handler *const *chain; /* NULL-terminated */
    const struct handler_event *event;
    struct verdict *verdict;
    void (*done)(struct walk *w);
    int at;
    struct handler
        *waits_for; /* that answers LATER, also one that another in the chain has asked; NULL none */
};

void walk_start(struct walk *w);
void walk_resume(struct walk *w, enum handler_answer answer);
/* Ends it without an answer and without `done`. */
void walk_cancel(struct walk *w);

#endif
