/* udev/60-simgate.rules, made from the profiles: which ttys are modems, who may open them, their stable
 * names.
 */
#ifndef SIMGATE_APP_UDEV_H
#define SIMGATE_APP_UDEV_H

#include "base/buf.h"
#include "modem/profile.h"

/* The whole file, for udev(7) as of systemd 252. */
void udev_rules(const struct profile_set *set, struct buf *out);

#endif
