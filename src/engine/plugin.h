/* One configured handler, as plugins.c (the set of them) and the kinds (exec.c, webhook.c, lua.c, shared.c,
 * mail.c, smstools.c) see it. Nobody outside includes this, but the courier. */
#ifndef SIMGATE_ENGINE_PLUGIN_H
#define SIMGATE_ENGINE_PLUGIN_H

#include "base/log.h"
#include "engine/actions.h"
#include "engine/plugins.h"

struct plugin;

/* One event given to one handler: for a walk that waits, or as a delivery. */
struct ask {
    struct plugin *plugin;
    struct ask *prev, *next;
    char *key;                         /* the event's id */
    struct buf body;                   /* the event as JSON; what is delivered */
    const struct handler_event *event; /* NULL of a delivery */
    bool started, inside, over;        /* inside: its beginning has not returned yet */
    bool probe;                        /* it was down: is it well again? */
    int status;                        /* when over */
    int64_t began_ms;
    struct rt_timer deadline;
    void *impl; /* of the kind: from its start on, NULL at the end */
    /* out */
    struct actions actions;
    struct err err;
    bool refused; /* an answer for good, and no failure of the handler's: its words are in err */
    /* who waits */
    struct walk *walk;
    struct verdict *verdict;
    void (*done)(struct ask *a, int status); /* of a delivery */
    void *owner;
};

struct plugin_kind {
    const char *name;
    int at_a_time;       /* walks; others wait in line, their deadline begins when it is their turn */
    bool remote;         /* what it was not told in time is delivered later; else only with `asynchronous` */
    bool at_once;        /* answers within start: its failures cost nothing, so it is asked again at once */
    bool only_delivered; /* nobody waits for it */
    bool of_files;       /* asked by the spool, not by a chain */
    /* Reads what it needs of p->conf; problems are told. */
    void (*open)(struct plugin *p, struct problems *problems);
    void (*close)(struct plugin *p); /* nothing is asked any more */
    /* Calls plugin_end once, now or later, with `actions` or `err` filled. */
    void (*start)(struct plugin *p, struct ask *a);
    void (*cancel)(struct plugin *p, struct ask *a); /* plugin_end is not called any more */
    /* What is to be delivered to one address, where that is not the event as JSON; `one`: to no other, else
     * it is one of conf.to. NULL: it is the event. */
    bool (*compose)(struct plugin *p, const struct handler_event *ev, const char *to, bool one,
                    struct buf *body);
};
extern const struct plugin_kind plugin_exec, plugin_webhook, plugin_lua, plugin_shared, plugin_mail,
    plugin_eventhandler, plugin_checkhandler;

struct plugin {
    struct handler handler; /* for the chain */
    const struct plugin_kind *kind;
    const struct plugin_world *world;
    struct engine_handler_conf conf; /* all texts owned */
    const char *country;             /* borrowed of plugins */
    const struct program *program;
    char *source;     /* "handler:NAME" */
    struct ask *asks; /* oldest first */
    int running;
    struct handler_health health;
    int failures; /* in a row */
    int64_t retry_ms;
    bool trying; /* one event is given to it, to see whether it is well again */
    void *impl;  /* of the kind */
};

/* Ends an ask, from start or later: 0, or a negative code with a->err filled. */
void plugin_end(struct ask *a, int status);
/* The same, with an answer of JSON. */
void plugin_answer(struct ask *a, const char *json, size_t len);
/* A delivery: `done` comes once, unless it is cancelled, and never before the call returns. */
struct ask *plugin_deliver(struct plugin *p, const char *key, const char *body,
                           void (*done)(struct ask *a, int status), void *owner);
void plugin_cancel(struct ask *a);
/* The event is delivered to it when the verdict is durable; `target` an address where it has several, NULL
 * none. False: there is no room in the verdict. */
bool plugin_forward(struct plugin *p, const struct handler_event *ev, const char *target, struct verdict *v);
/* Makes p->handler, for the chain; p->conf is there. */
void plugin_begin(struct plugin *p);
/* Any plugin of this name. NULL none. */
struct plugin *plugins_find(struct plugins *ps, const char *name);
struct plugin *plugins_nth(struct plugins *ps, int index); /* NULL beyond the last */

/* Told to the log, and shown as health: something that is no ask's failure. */
void plugin_fault(struct plugin *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Of the configuration: "gateway.conf:42: handlers[3]". */
const char *plugin_place(const struct plugin *p);
/* A text of the configuration, or the first line of the file that "file:/path" names. Heap; NULL after a
 * problem. */
char *plugin_secret(const struct plugin *p, const char *key, const char *text, struct problems *problems);
/* Lines of a program's standard error, to the log: at most some of them. */
struct plugin_lines {
    char line[400];
    size_t len;
    struct log_limit limit;
};
void plugin_log_lines(struct plugin *p, struct plugin_lines *l, const char *at, size_t len);

#endif
