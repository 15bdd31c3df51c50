/* PINs that were sent to a SIM and not yet seen to be right: one small file beside the database, so that a
 * wrong PIN is not tried again in each life of the process until the SIM is blocked.
 *
 * A line each: the modem's name, how often the PIN was tried, and a salted hash of it (crypt(3)); never the
 * PIN. A line goes when the SIM was seen unlocked or an operator unlocks the modem. The file is replaced by
 * rename, and everything is flushed to the disk before a function returns: it blocks the loop for some
 * milliseconds, once or twice per start of a modem whose SIM asks for its PIN, which must wait for it anyway.
 */
#ifndef SIMGATE_APP_PINS_H
#define SIMGATE_APP_PINS_H

#include "modem/modem.h"

struct pins {
    char path[4096];
    struct modem_pins
        memory; /* what the modems are given; it points into this struct, which stays in place */
};

/* `database`: the path of the database, whose name with ".pins" behind it is the file's. Touches no disk. */
int pins_init(struct pins *p, const char *database, struct err *e);

#endif
