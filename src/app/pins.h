/* SIMs that were sent a PIN and not yet seen to be unlocked: one small file beside the database, so that no
 * try after the first is made by itself in a later life of the process, with another PIN, under another name
 * or in another modem, until the SIM is blocked.
 *
 * A line each: the modem's name, how often a PIN was sent, the modem's IMEI, the SIM's ICCID, and whether the
 * SIM refused it; never a PIN. A line goes when the SIM was seen unlocked. The file is replaced by rename,
 * and everything is flushed to the disk before a function returns: it blocks the loop for some milliseconds,
 * a few times per start of a modem whose SIM asks for its PIN, which must wait for it anyway.
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
