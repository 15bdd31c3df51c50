/* Which port a modem is on, what to say when there is none, and whether it is the right modem. Private to
 * modem/. */
#ifndef SIMGATE_MODEM_FINDER_H
#define SIMGATE_MODEM_FINDER_H

#include "modem/modem_private.h"

/* ---- finder.c ---- */
/* The port is not configured: it is looked for. */
bool finder_searches(const struct modem *m);
/* What tells one stick from another: its place on the bus, or the port's name. */
const char *finder_stick(const struct port_info *p);
/* gateway.conf's `usb` means this device: by its place or its serial number. */
bool finder_usb_fits(const char *usb, const char *usb_path, const char *serial);
/* What is on our port answers and is not ours: the rest of its stick need not be asked. */
void finder_not_ours(struct modem *m);
/* Why a port that was tried is not used; told when nothing is found. */
void finder_miss(struct modem *m, const char *why);
/* The modem on our port is not ours: tells whoever looks for it. */
void finder_tell(struct modem *m);

/* ---- absence.c: in words an administrator understands ---- */
/* Several devices have the serial number by which ours is configured, and nothing else tells it. */
bool finder_ambiguous(struct modem *m, const struct port_info *ports, int n);
/* A stick of ours that is there and was left off the bus (sysfs `authorized` 0) is put back, once a minute.
 */
void finder_put_back(struct modem *m);
void finder_why(struct modem *m, char *out, size_t size);
/* `why` and, where a USB device explains it, that. */
void finder_with_hint(struct modem *m, const char *why, char *out, size_t size);

/* ---- identity.c ---- */
/* `other` looks for what is known of m's modem and SIM. */
bool identity_wanted(const struct modem *other, const struct modem *m);

#endif
