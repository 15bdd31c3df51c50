/* The spool directory: scripts drop files into outgoing/, simgate puts what came in into incoming/.
 *
 *   outgoing/ -> checked/ (claimed by rename, waits for its outcome) -> sent/ | failed/
 *   incoming/ (received messages)   report/ (delivery reports)
 *
 * The file format is smstools3's. A claimed file's name is its idempotency key, so that a crash at any point
 * neither loses nor doubles it. Files are written under a dot-name, synced, and renamed.
 */
#ifndef SIMGATE_SPOOL_SPOOL_H
#define SIMGATE_SPOOL_SPOOL_H

#include "gateway/gateway.h"

/* The name of the outbox that the spool empties (store_conf.sinks). */
#define SPOOL_SINK "spool"

struct spool_conf {
    const char *dir;
    int64_t rescan_ms; /* 60000: directory events come at once, this is the net below them */
};

struct spool;

/* Makes the directories that are missing, settles what the last life left in checked/, empties the outbox. */
int spool_new(struct rt *rt, struct gateway *g, struct store *s, const struct spool_conf *conf,
              struct spool **out, struct err *e);
/* A file may have come into outgoing/: `name` as the directory watch (os/dirwatch.h, owned by app/) told it,
 * or NULL: look through the whole directory. */
void spool_kick(struct spool *sp, const char *name);
/* Claims no more; what is claimed already is finished by the next start. */
void spool_stop(struct spool *sp);
void spool_free(struct spool *sp); /* at once, calling nothing */

#endif
