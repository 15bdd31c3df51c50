/* Examining modems: which there are, what each is and can do, what is wrong, and what to write into
 * gateway.conf. Used by `simgated --probe` and by the control socket's "probe".
 *
 * Modems of the running daemon are asked while they work. Every other stick, or port that was named, is
 * opened with a struct modem that only looks (modem_conf.look_only): no PIN is entered, no message read or
 * sent, no recovery tried. Ports that a profile knows as diagnostics or GPS are never opened; one stick is
 * one result.
 *
 * A result is a JSON object; its members are listed in simgate-protocol(7).
 */
#ifndef SIMGATE_APP_PROBE_H
#define SIMGATE_APP_PROBE_H

#include <jansson.h>

#include "modem/modem.h"

struct probe_conf {
    struct rt *rt;
    struct port_source *ports;
    const struct profile_set *profiles;
    /* The daemon's; the list is borrowed for the call. They may be freed meanwhile, behind modem_stop(). */
    struct modem *const *own;
    int nown;
    const char *const *only; /* ports to examine, borrowed for the call; NULL: all there are */
    int nonly;
    void (*found)(void *owner, json_t *result); /* borrowed */
    void (*done)(void *owner); /* once, never before probe_start() returns; the probe is freed behind it */
    void *owner;
};

struct probe;
struct probe *probe_start(const struct probe_conf *c);
/* Ends at once what was opened for it, without results; `done` follows when the daemon's own modems have
 * answered or are stopped. */
void probe_stop(struct probe *p);

#endif
