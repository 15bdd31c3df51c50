/* Handlers as shared objects: the interface between simgated and yours.
 *
 *     handlers = ( { name = "mine"; kind = "shared"; file = "/usr/lib/simgate/mine.so"; options = "…"; } );
 *
 * A shared object defines one symbol, `simgate_handler`. It is loaded when gateway.conf is read (another file
 * in its place is taken then; the old one must not be written over while it is in use), opened for each
 * reading, asked about one event after the other, and closed when the next gateway.conf has taken its place.
 * All calls come from one thread, the daemon's loop: `handle` must not wait for anything. It is part of the
 * daemon, and may do to it whatever a library can: load only what you trust. What may be slow, or crash, is
 * better an exec handler. simgate-handlers(7) has the schema of events and actions.
 *
 * Compatible changes only add: members at the end of structs, whose `size` tells what is there. An
 * incompatible one changes SIMGATE_HANDLER_ABI, and objects of the other are refused.
 *
 * cc -shared -fPIC -o mine.so mine.c
 */
#ifndef SIMGATE_HANDLER_H
#define SIMGATE_HANDLER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIMGATE_HANDLER_ABI 1

/* What `handle` returns: the next handler is asked; nobody else is asked; it failed (then nothing of what it
 * asked for is done, and gateway.conf says what is instead). */
enum simgate_answer { SIMGATE_NEXT = 0, SIMGATE_STOP = 1, SIMGATE_FAILED = -1 };

/* One event. Valid during the call; texts are UTF-8, "" where there is none. */
struct simgate_event {
    uint32_t size;    /* of this struct, as the daemon knows it */
    const char *id;   /* the same whenever it is asked about again: "message:12" */
    const char *on;   /* "message", "call", "report" … */
    const char *from; /* number of the sender or contact: "+491701234567" */
    const char *text; /* of the message, NUL-terminated */
    size_t text_len;
    const char *modem;    /* that received it */
    const char *name;     /* of an event that is no message: the alarm, the score … */
    int64_t message;      /* 0 none */
    int64_t conversation; /* 0 none */
    int64_t wall_ms;      /* when it was sent, milliseconds since 1970 */
    const char *json;     /* all that exec and webhook handlers are told */
};

/* What the daemon does for it. `call` is the one that was given to `handle`. */
struct simgate_call;
struct simgate_api {
    uint32_t size;
    /* An action, or a list of them, as JSON: {"action": "tag", "tag": "vip"}. 0, or -1 with the reason in
     * `error`, which may be NULL. Done when `handle` has returned NEXT or STOP, all or none. */
    int (*act)(struct simgate_call *call, const char *json, char *error, size_t error_size);
    /* {"action": "reply", "text": …} without the JSON. */
    int (*reply)(struct simgate_call *call, const char *text);
    /* A line in the daemon's log; level as in syslog(3), 4 warning, 6 information. At any time. */
    void (*log)(int level, const char *text);
};

struct simgate_handler {
    uint32_t abi;  /* SIMGATE_HANDLER_ABI */
    uint32_t size; /* sizeof(struct simgate_handler) */
    const char *name;
    /* `options` as gateway.conf has them. What it returns is given to the others; NULL with a reason in
     * `error` refuses the configuration. Also called to check a configuration (simgated -t). `api` lives
     * until close. */
    void *(*open)(const struct simgate_api *api, const char *options, char *error, size_t error_size);
    enum simgate_answer (*handle)(void *state, struct simgate_call *call, const struct simgate_event *event);
    void (*close)(void *state); /* NULL: nothing to do */
};

extern const struct simgate_handler simgate_handler;

#ifdef __cplusplus
}
#endif

#endif
