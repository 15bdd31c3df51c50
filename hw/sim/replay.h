/* The modem's side of a recorded exchange (base/trace.h): what a user's modem said, said again.
 *
 * A command that equals a recorded one gets the answer that was recorded, with its delays: the next
 * occurrence not used yet, or the last one when all are. A PDU, a PIN or a service centre's number need not
 * be equal, since they differ or are masked. An unknown command gets ERROR. What the modem said unasked comes
 * as long behind the exchange before it as it did; when the host never asks that, half a minute behind its
 * time, counted from the host's first command. Pure, as simmodem.h; the trace must outlive it.
 */
#ifndef SIMGATE_HW_SIM_REPLAY_H
#define SIMGATE_HW_SIM_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/trace.h"

struct simreplay; /* heap */
struct simreplay *simreplay_new(const struct trace *t);
void simreplay_free(struct simreplay *r);
void simreplay_feed(struct simreplay *r, const void *bytes, size_t len, int64_t now_ms);
void simreplay_tick(struct simreplay *r, int64_t now_ms);
int64_t simreplay_deadline(const struct simreplay *r); /* INT64_MAX: none */
struct buf *simreplay_out(struct simreplay *r);        /* the owner drops what it took */

#endif
