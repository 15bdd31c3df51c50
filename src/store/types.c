/* The states of messages and parts: names, and which may follow which. Pure. */
#include "store/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define BIT(s) (1U << (s))

static const struct {
    const char *name;
    unsigned next; /* the states that may follow */
    bool final;
} states[MSG_STATES] = {
    [MSG_QUEUED] = {"queued",
                    BIT(MSG_SUBMITTING) | BIT(MSG_FAILED) | BIT(MSG_EXPIRED) | BIT(MSG_CANCELLED) |
                        BIT(MSG_UNKNOWN),
                    false},
    [MSG_SUBMITTING] = {"submitting",
                        BIT(MSG_SENT) | BIT(MSG_QUEUED) | BIT(MSG_FAILED) | BIT(MSG_EXPIRED) |
                            BIT(MSG_CANCELLED) | BIT(MSG_UNKNOWN),
                        false},
    [MSG_SENT] = {"sent", BIT(MSG_DELIVERED) | BIT(MSG_UNDELIVERED), false},
    [MSG_DELIVERED] = {"delivered", 0, true},
    [MSG_UNDELIVERED] = {"undelivered", BIT(MSG_DELIVERED) | BIT(MSG_QUEUED), true},
    [MSG_FAILED] = {"failed", BIT(MSG_QUEUED), true},
    [MSG_EXPIRED] = {"expired", BIT(MSG_QUEUED), true},
    [MSG_CANCELLED] = {"cancelled", BIT(MSG_QUEUED), true},
    [MSG_UNKNOWN] = {"unknown",
                     BIT(MSG_SENT) | BIT(MSG_DELIVERED) | BIT(MSG_UNDELIVERED) | BIT(MSG_FAILED) |
                         BIT(MSG_QUEUED),
                     false},
    [MSG_RECEIVED] = {"received", BIT(MSG_HANDLED), false},
    [MSG_HANDLED] = {"handled", 0, true},
};

static bool is_state(enum msg_state s)
{
    return s >= MSG_QUEUED && s < MSG_STATES;
}

const char *msg_state_name(enum msg_state s)
{
    return is_state(s) ? states[s].name : "?";
}

bool msg_state_from_name(const char *name, enum msg_state *out)
{
    for (unsigned s = MSG_QUEUED; s < MSG_STATES; s++)
        if (strcmp(states[s].name, name) == 0) {
            *out = (enum msg_state)s;
            return true;
        }
    return false;
}

bool msg_state_allowed(enum msg_state from, enum msg_state to)
{
    return is_state(from) && is_state(to) && (states[from].next & BIT(to)) != 0;
}

bool msg_state_final(enum msg_state s)
{
    return is_state(s) && states[s].final;
}

void msg_row_clear(struct msg_row *r)
{
    free(r->text);
    free(r->meta);
    *r = (struct msg_row){0};
}
