/* What a person does with a conversation: one table of operations, which turns each into effects and, of a
 * reply, into a message. The relay (staff's telephones) and the desk (control socket) both use it. Pure.
 */
#ifndef SIMGATE_ENGINE_OPERATIONS_H
#define SIMGATE_ENGINE_OPERATIONS_H

#include "engine/staff.h"
#include "store/desk.h"

/* `value` of each is said behind it. */
enum operation {
    OP_REPLY,      /* the text for the customer; the conversation then waits for the customer */
    OP_NOTE,       /* text for the timeline, never sent */
    OP_CLOSE,      /* none */
    OP_REOPEN,     /* none */
    OP_ASSIGN,     /* a person's name; "" nobody */
    OP_TAKE,       /* none: assigns it to who does it */
    OP_DEPARTMENT, /* its name; "" none */
    OP_SNOOZE,     /* "2h", "tomorrow", a moment "2026-12-01 09:00", "09:00"; "": until the customer writes */
    OP_PRIORITY,   /* "low", "normal", "high", "urgent" */
    OP_TAG,        /* of the contact */
    OP_UNTAG,
    OP_SPAM,   /* none */
    OP_UNFLAG, /* none: a person has looked */
    OPERATIONS
};
const char *operation_name(enum operation op); /* "reply", "note", "close" … */
bool operation_from_name(const char *name, enum operation *out);
/* What is expected as value: "" nothing, else words such as "a person's name". */
const char *operation_wants(enum operation op);

struct operation_request {
    enum operation op;
    const char *value;  /* NULL: "" */
    const char *person; /* who does it; NULL or "": an administrator, who is no person of gateway.conf */
    int64_t now_wall_ms;
};

enum { OPERATION_EFFECTS = 8, OPERATION_TOLD = 8 };
struct operation_plan {
    struct store_effect effects[OPERATION_EFFECTS]; /* texts borrowed from request, conversation and staff */
    int neffects;
    bool reply;      /* value is to be sent to the customer as written by a person */
    char words[160]; /* what was done: "closed", "assigned to Anna" */
    /* Whose telephone is told, where the relay is on: to whom it was assigned, the people of its new
     * department, whose it is when another one answers. Not who does it. */
    const struct person *told[OPERATION_TOLD];
    int ntold;
};

/* ERR_INVALID: no such person, department, priority, time (the words say what was expected); ERR_REFUSED: the
 * conversation's state does not allow it. Whether the customer has opted out is not looked at. */
int operation_plan(const struct staff *s, const struct conv_row *c, const struct operation_request *r,
                   struct operation_plan *out, struct err *e);

/* What an answer goes out by: the department's modem or pool, else the SIM that the customer wrote to. NULL:
 * not said. */
void operation_route(const struct staff *s, const struct conv_row *c, const char **modem, const char **pool);

#endif
