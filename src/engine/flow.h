/* The engine's work under way, shared by the files of the flow: what is decided (flow.c), how it is given to
 * the gateway (flow_give.c), where events come from (flow_events.c), when schedules are due (timetable.c).
 */
#ifndef SIMGATE_ENGINE_FLOW_H
#define SIMGATE_ENGINE_FLOW_H

#include "engine/private.h"

#define FLOW_WHO "engine"

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_MOST_MS = 60000,
    EVENTS_OPEN_MAX = 64,
    EVENTS_MAX = 1024, /* with those that are asked about again later, and what waits behind them */
};

/* A received message or an event on its way. */
struct job {
    struct engine *en;
    const struct msg_row *message; /* the gateway's, until gateway_handled; NULL: an event */
    struct event_row row;          /* of an event; owned */
    int64_t contact;               /* as far as the store told; 0 none */
    bool asked;                    /* its turn has come */
    bool ready;                    /* all is known but what lists are being read */
    bool given_up;                 /* its verdict could not be applied: it is only ended */
    bool held;                     /* it was put back at least once */
    bool open;                     /* an event that counts as one under way */
    int64_t retry_ms;
    struct rt_timer retry;
    struct store_situation known;
    struct program *program; /* held from the walk's start to its end; NULL */
    char key[32];            /* "message:12", "event:7" */
    struct handler_event event;
    struct buf shown; /* its text, masked */
    struct verdict verdict;
    struct walk walk;
    struct gateway_apply apply; /* of an event */
    struct job *prev, *next;
};

const char *job_number(const struct job *j); /* "" none */
void job_add(struct engine *en, struct job *j);
/* Done with: frees it, and the next of its number has its turn. */
void job_end(struct job *j);
/* Asked about again, ever later. */
void job_again(struct job *j, const char *why);

/* flow_give.c: a message's job is ended before it returns, an event's later. */
void flow_give(struct job *j);

/* flow_events.c */
void flow_events_start(struct engine *en);
void flow_events_want(struct engine *en); /* after a reload too */
void flow_events_stop(struct engine *en); /* frees, calling nothing */
void flow_events_open(struct job *j, bool open);
void flow_events_ended(struct engine *en);

/* timetable.c */
void timetable_use(struct engine *en); /* the program's schedules, also after a reload */
void timetable_free(struct engine *en);

#endif
