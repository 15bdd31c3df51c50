/* The spool directory: scripts drop files into outgoing/, simgate puts what came in into incoming/.
 *
 *   outgoing/ -> checked/ (claimed by rename, waits for its outcome) -> sent/ | failed/
 *   incoming/ (received messages)   report/ (delivery reports)   calls/ (calls that came in)
 *
 * The file format is smstools3's (simgate-spool(7)). A claimed file's unique name is its idempotency key, so
 * that a crash at any point neither loses nor doubles it. Files are written under a dot-name, synced, and
 * renamed. All calls and callbacks are on the loop's thread; all file work is rt_work's.
 */
#ifndef SIMGATE_SPOOL_SPOOL_H
#define SIMGATE_SPOOL_SPOOL_H

#include "gateway/gateway.h"

/* The name of the outbox that the spool empties (store_conf.sinks). */
#define SPOOL_SINK "spool"

/* An outgoing file that somebody is asked about before it is accepted; he may change it. `done` comes once,
 * never before the call returns: 0; ERR_REFUSED with the reason, for failed/; ERR_GONE: he has taken the file
 * away; any other: asked again later. */
struct spool_check {
    char path[4096 + 256];
    void (*done)(struct spool_check *c, int status, const char *reason);
};

struct spool_conf {
    const char *dir;                 /* copied */
    int64_t rescan_ms;               /* 180000: directory events come at once, this is the net below them */
    void (*rescanning)(void *owner); /* before each look through outgoing/ by the clock: the owner of the
                                        directory watch renews it here; NULL none */
    /* A file lies where it belongs: "RECEIVED", "SENT", "FAILED", "REPORT", "CALL"; id: the Message_id
     * written into it, or NULL. NULL: nobody wants to know. */
    void (*placed)(void *owner, const char *event, const char *path, const char *id);
    /* False: nobody needs to be asked. NULL likewise. */
    bool (*check)(void *owner, struct spool_check *c);
    void *owner;
};

struct spool;

/* Makes the directories that are missing (blocking); then, beside the loop, settles what the last life left
 * in checked/, looks through outgoing/, and empties the outbox. Carriers should be attached before, since a
 * file may name a pool. ERR_IO and others with the path in *e. */
int spool_new(struct rt *rt, struct gateway *g, struct store *s, const struct spool_conf *conf,
              struct spool **out, struct err *e);
/* A complete file may have come into outgoing/: `name` as the directory watch (os/dirwatch.h, owned by app/)
 * told it, or NULL: look through the whole directory. */
void spool_kick(struct spool *sp, const char *name);
/* Claims no more and takes no more from the outbox; what is claimed already is finished by the next start.
 * Before the gateway is freed. */
void spool_stop(struct spool *sp);
/* At once, calling nothing, NULL allowed. No work of it may be under way: the loop has ended (or the
 * simulated runtime forgets it), and the store was closed or abandoned. */
void spool_free(struct spool *sp);

#endif
