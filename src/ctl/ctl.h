/* The control socket: JSON lines on a unix stream socket, for the `simgate` command and for scripts.
 *
 * A request is one line {"id": 1, "do": "send", …}; answers are lines with the same id: any number of
 * {"id": 1, "event": …}, then exactly one {"id": 1, "ok": true, …} or {"id": 1, "ok": false, "error":
 * {"code": "refused", "text": "…"}}. docs/simgate-protocol.7 lists the requests. Peer credentials: root, the
 * daemon's user, members of its group.
 */
#ifndef SIMGATE_CTL_CTL_H
#define SIMGATE_CTL_CTL_H

#include <jansson.h>
#include <uv.h>

#include "desk/campaign.h"
#include "desk/desk.h"
#include "engine/engine.h"
#include "gateway/gateway.h"
#include "modem/modem.h"

struct ctl_conf {
    const char *socket;
    const char *conf_path; /* for "config check" and shown by status */
};

/* An examination of modems, embedded in its owner. */
struct ctl_probe {
    void (*found)(struct ctl_probe *p, json_t *result); /* one modem; borrowed */
    void (*done)(struct ctl_probe *p);                  /* once, never before probe() returns */
};

/* What the server serves from. Borrowed. `engine` may be replaced by ctl_set_engine after a reload. */
struct ctl_world {
    uv_loop_t *loop;
    struct rt *rt;
    struct store *store;
    struct gateway *gateway;
    struct engine *engine;
    struct desk *desk;
    struct campaigns *campaigns;
    struct modem *const *modems;
    int nmodems;
    /* Reloads gateway.conf as SIGHUP does: 0, or a negative code with all problems, a line each, in
     * *problems. */
    int (*reload)(void *owner, struct buf *problems);
    /* Examines all modems, or the one on this port or of this name (NULL: all). 0, then `found` for each and
     * `done`; or ERR_BUSY. */
    int (*probe)(void *owner, const char *port, struct ctl_probe *p, struct err *e);
    void *owner;
};

struct ctl;
/* Copies conf and *w. ERR_BUSY: another simgated answers at the socket; ERR_EXISTS: something that is no
 * socket is in its place; ERR_TOO_LONG; ERR_IO. */
int ctl_open(const struct ctl_world *w, const struct ctl_conf *conf, struct ctl **out, struct err *e);
/* The modems or the engine changed by a reload: these are taken from w, everything else stays. */
void ctl_update(struct ctl *c, const struct ctl_world *w);
/* Takes no more requests, tells the watchers goodbye, answers what waits for the disk, then closed once;
 * frees. What waits for a modem or a backup is answered at once and freed when that ends: store and modems
 * end after this. */
void ctl_close(struct ctl *c, void (*closed)(void *owner), void *owner);

#endif
