/* What staff writes to the relay:
 *
 *     #12 TEXT            to the customer of conversation 12         #12! TEXT   whatever TEXT looks like
 *     #12 close|take|…    an operation (engine/operations.h)         #12 | #? 12 what is known of it
 *     #?                  a list of what is open                     #help
 *     TEXT                to the customer relayed last, if it can be no other
 *
 * Pure. */
#ifndef SIMGATE_ENGINE_RELAY_COMMAND_H
#define SIMGATE_ENGINE_RELAY_COMMAND_H

#include "engine/operations.h"

enum relay_kind { RELAY_TEXT, RELAY_OPERATION, RELAY_LIST, RELAY_DETAILS, RELAY_HELP };

struct relay_command {
    enum relay_kind kind;
    int64_t conversation; /* 0: not said */
    bool forced;          /* "#12!" */
    enum operation op;
    const char *value; /* into the text: of the operation, or what goes to the customer; never NULL */
};

/* Every text is some command; "# 12" and "#12:" are "#12". */
void relay_read(const char *text, struct relay_command *out);

#endif
