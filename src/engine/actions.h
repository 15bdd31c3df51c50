/* What foreign handlers answer: a list of actions, the same for programs, servers, scripts and shared objects
 * (simgate-handlers(7) is their manual), and the event as they see it: JSON.
 *
 *     {"actions": [{"action": "reply", "text": "Thank you"}, {"action": "tag", "tag": "vip"}], "verdict":
 * "stop"}
 *
 * An answer is outside bytes: all of it is checked, and applied as a whole or not at all.
 */
#ifndef SIMGATE_ENGINE_ACTIONS_H
#define SIMGATE_ENGINE_ACTIONS_H

#include "base/err.h"
#include "engine/handler.h"

enum {
    ACTIONS_MOST = 32,          /* in an answer */
    ACTION_PARAMS = 5,          /* of an action, at most */
    ACTION_TEXT_BYTES = 16384,  /* of a parameter */
    ANSWER_BYTES = 256 * 1024,  /* of an answer as JSON */
    EVENT_BYTES_MOST = 1 << 20, /* of an event as JSON, far more than a text of 255 segments needs */
};

/* One row of the table: "reply", {"text", "modem", "pool"}, the first `required` of which must be there. */
struct action_kind;
int action_kinds(void);
const char *action_kind_name(int kind);
const char *action_kind_param(int kind, int param); /* NULL: no more */
int action_kind_find(const char *name);             /* -1: there is none */

struct action {
    int kind;
    char *param[ACTION_PARAMS]; /* heap, UTF-8 without NUL; NULL not given */
};

/* {0} is empty: no actions, next. */
struct actions {
    struct action list[ACTIONS_MOST];
    int count;
    bool stop; /* the verdict: nobody else is asked */
};
void actions_clear(struct actions *as);

/* Adds one; params are copied. ERR_INVALID with what is wrong ("reply: text is missing"), ERR_TOO_LONG. */
int actions_add(struct actions *as, int kind, const char *const *params, struct err *e);
/* From JSON: an object with "actions" (a list) and "verdict" ("next" or "stop"), both of which may be left
 * out, a list of actions alone, one action alone, or nothing but white space. ERR_INVALID, ERR_TOO_LONG with
 * the place ("actions[2].text: …"); *as is to be cleared in any case. */
int actions_parse(struct actions *as, const char *json, size_t len, struct err *e);

/* To whom it is done. */
struct action_place {
    const char *handler;  /* its name */
    const char *source;   /* "handler:NAME"; kept by the caller as long as the verdict */
    const char *number;   /* of the contact; "" none */
    const char *country;  /* for numbers to send to */
    int64_t conversation; /* 0 none */
    int64_t now_wall_ms;
};
/* Adds them to the verdict. ERR_INVALID, ERR_TOO_LONG: nothing was added, and *e says which of them cannot be
 * done and why. Replies that the guard leaves no room for are left out without an error. */
int actions_apply(const struct actions *as, const struct action_place *at, struct verdict *v, struct err *e);

/* The event as JSON, one line without a line feed, valid UTF-8: appended. */
void event_to_json(const struct handler_event *ev, struct buf *out);

#endif
