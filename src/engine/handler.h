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
#include "engine/fold.h"
#include "store/types.h"

/* A received message and what is known of its sender. All borrowed until the walk's end. */
struct handler_event {
    int64_t id;        /* 0 when it is only tried */
    int on;            /* enum engine_on: a message or a call, which has no text */
    int64_t wall_ms;   /* the service centre's time, or that of arrival */
    const char *from;  /* canonical; "" unknown */
    struct span text;  /* valid UTF-8, NUL-terminated; {0} when there is none: binary or undecodable */
    const char *modem; /* received it; "" unknown */
    bool incomplete;   /* segments are missing in text */
    enum consent_state consent;
    int automatic_replies; /* to the sender within the guard's window */
    bool own_number;       /* the sender is one of our SIMs */
};

/* No message is answered more often than this, however many rules say `continue`. */
enum { VERDICT_REPLIES = 8 };

struct verdict_reply {
    const char *source; /* "rule:NAME", "consent"; belongs to the handler */
    struct buf text;
    bool consent; /* a confirmation: passes an opt-out */
};

struct verdict {
    char reason[MSG_REASON_BYTES]; /* for the history */
    const char *handler;           /* that ended the walk */
    const char *rule;              /* the first that matched; "" none */
    struct verdict_reply replies[VERDICT_REPLIES];
    int nreplies;
    int room;                   /* replies that may still be added */
    enum consent_state consent; /* with consent_words: the sender's new state */
    const char *consent_words;  /* the event's text; NULL: no change */
    struct buf alarm;           /* what an administrator is told; empty: nothing */
    const char *gave_up;        /* a rule whose pattern met its limits on this text; NULL none */
    struct buf *why;            /* explanation, lines of text; NULL: nobody asks */
};

void verdict_init(struct verdict *v, struct buf *why);
void verdict_fini(struct verdict *v);
void verdict_reason(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A new empty reply, or NULL where there is no room. */
struct verdict_reply *verdict_reply(struct verdict *v, const char *source, bool consent);
/* Takes back the last reply. */
void verdict_unreply(struct verdict *v);
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

struct handler {
    const char *name;
    enum handler_answer (*decide)(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                  struct walk *walk);
};

/* One event's way along a chain. In place until done, which is called once: from walk_start when everybody
 * answers now. */
struct walk {
    struct handler *const *chain; /* NULL-terminated */
    const struct handler_event *event;
    struct verdict *verdict;
    void (*done)(struct walk *w);
    int at;
};

void walk_start(struct walk *w);
void walk_resume(struct walk *w, enum handler_answer answer);

#endif
