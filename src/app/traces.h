/* Trace files that `trace = true` of a modem in gateway.conf asks for: what passes on its line, masked, to
 * DIRECTORY/traces/MODEM-20261122T100000Z.trace, 0640. A file that is full is followed by the next one; the
 * last few of each modem are kept. Written beside the loop; what a slow disk has no room for is left out, and
 * a comment in the file tells so.
 */
#ifndef SIMGATE_APP_TRACES_H
#define SIMGATE_APP_TRACES_H

#include "base/rt.h"
#include "modem/modem.h"

enum {
    TRACES_FILE_BYTES = 8 << 20,
    TRACES_KEPT = 5, /* of each modem, with the one that is written */
};

/* Records m from now until it is freed. `directory` (copied) is where "traces" is made. Failures are logged,
 * and recording goes on with a new file a minute later. */
void traces_start(struct rt *rt, const char *directory, const char *name, struct modem *m);

#endif
