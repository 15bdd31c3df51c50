/* What the files of ctl/ share: the server, a connection, and a call (one request under way).
 *
 * Ownership: the server owns clients and calls. A call may outlive its client, and a call that waits for a
 * modem or for a backup may outlive the server (`ctl` is then NULL); it is freed when its operation ends. All
 * on the loop's thread.
 */
#ifndef SIMGATE_CTL_PRIVATE_H
#define SIMGATE_CTL_PRIVATE_H

#include <jansson.h>
#include <uv.h>

#include "ctl/ctl.h"
#include "ctl/request.h"

#define WHO "ctl"

enum {
    LINE_MAX_BYTES = 1 << 20, /* longest request */
    CLIENTS_MAX = 64,
    CALLS_MAX = 8,                 /* open requests of one client; it is not read from while it has so many */
    READ_PAUSE_BYTES = 1 << 20,    /* … nor while so much of what it was told is unsent */
    EVENTS_UNSENT_BYTES = 1 << 18, /* events beyond are lost to a slow watcher, and counted */
    USER_BYTES = 64,
};

enum { CTL_STOPPING = -ERR_CODES }; /* a status beside those of base/err.h: "stopping" */

struct client {
    struct ctl *ctl;
    uv_pipe_t pipe;
    struct rt_work who; /* looks up names, which may ask a directory server */
    unsigned uid;
    bool allowed, known, identifying, closing, closed;
    bool last; /* nothing more is read from it: closed when all is written */
    bool eof;  /* it writes no more, but listens */
    bool reading, taking;
    char user[USER_BYTES];  /* name, or the uid's digits */
    char group[USER_BYTES]; /* the daemon's group, for the refusal's text */
    struct buf in;
    size_t scanned; /* bytes of `in` known to hold no line's end */
    int ncalls;
    struct client *prev, *next;
};

struct call {
    struct ctl *ctl;
    struct client *client; /* NULL: gone; what is under way ends for nobody */
    const struct request *kind;
    json_t *id, *args;
    uint64_t lost; /* events that its client was too slow for */
    /* Hears events while set. May end the call. */
    void (*event)(struct call *call, const struct gateway_event *ev);
    /* For calls that have no end of their own: the client left or the server stops. Ends the call now or when
     * its operation is done. */
    void (*stop)(struct call *call);
    bool may_be_left; /* its operation may take longer than the server's end may wait */
    void *own;        /* what the handler keeps: call_keep() */
    void (*clear)(void *own);
    struct call *prev, *next;
};

struct ctl {
    struct ctl_world world;
    char *socket, *conf_path;
    uv_pipe_t listener;
    struct gateway_watcher watcher;
    struct rt_timer close_bound;
    struct client *clients;
    int nclients;
    struct call *calls;
    struct ussd_dialogue *dialogues; /* do_ussd.c */
    int64_t started_wall_ms;
    bool closing, listener_closed;
    void (*closed)(void *owner);
    void *closed_owner;
};

/* server.c */
void ctl_check_closed(struct ctl *c); /* frees the server once nothing of it is alive */

/* socket.c */
int ctl_bind(uv_loop_t *loop, uv_pipe_t *listener, const char *path, struct err *e);

/* client.c */
void client_accept(struct ctl *c);
void client_write(struct client *cl, const json_t *line);
size_t client_unsent_bytes(const struct client *cl);
void client_close(struct client *cl);
void client_check(struct client *cl); /* reads on, pauses, or ends, as its state asks */

/* call.c */
/* Zeroed memory for the handler's own, freed with the call; `clear` frees what it points to, may be NULL. */
void *call_keep(struct call *call, size_t size, void (*clear)(void *own));
void call_unkeep(struct call *call); /* frees it before the call's end */
void call_start(struct client *cl, const char *line, size_t len);
/* Ends the call with an answer and frees it. `result` (stolen) may be NULL. */
void call_ok(struct call *call, json_t *result);
/* The same with a page of rows (stolen) under their name; `next` (stolen) is what the next page is asked for
 * by, as the field `field`; NULL: this is the last page. */
void call_ok_page(struct call *call, const char *name, json_t *rows, const char *field, json_t *next);
void call_fail(struct call *call, int status, const char *text);
/* As call_fail with members (stolen) beside the error. */
void call_fail_with(struct call *call, int status, const char *text, json_t *result);
void call_event(struct call *call, json_t *event); /* steals */
void call_told(struct client *cl);                 /* some of its bytes were sent: tells what was lost */
void call_forget_client(struct client *cl);
const char *call_text(const struct call *call, const char *name); /* NULL not given */
int64_t call_number(const struct call *call, const char *name, int64_t otherwise);
int call_bool(const struct call *call, const char *name, int otherwise);
int64_t call_duration_ms(const struct call *call, const char *name, int64_t otherwise);
int64_t call_wall_ms(const struct call *call, const char *name, int64_t otherwise);
struct modem *call_modem(struct call *call); /* the one named `modem`; NULL: the call has failed */
const char *call_user(const struct call *call);

/* do_ussd.c */
void ctl_end_dialogues(struct ctl *c);
json_t *json_balance(const struct modem_balance *b);

/* json.c: rows as JSON; each returns a new reference */
json_t *json_lines(struct buf *text); /* a list of its lines; takes the text apart */
json_t *json_text(const char *text);  /* what is not UTF-8 becomes U+FFFD; NULL gives null */
void json_put_time(json_t *to, const char *name, int64_t wall_ms);  /* nothing when 0 or less */
void json_put_text(json_t *to, const char *name, const char *text); /* nothing when NULL or "" */
json_t *json_message(const struct msg_row *r);
json_t *json_show(const struct store_show *s);
json_t *json_event(const struct gateway_event *ev);
json_t *json_error(int status, const char *text);

#endif
