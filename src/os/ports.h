/* Real ports: serial devices, pseudo-terminals, TCP and unix sockets, on a libuv loop. */
#ifndef SIMGATE_OS_PORTS_H
#define SIMGATE_OS_PORTS_H

#include "os/port.h"

struct uv_loop_s; /* uv_loop_t */

struct hotplug;
struct port_lists;

/* Owned by the caller, in place; keeps no list of its ports, so there is nothing to undo but ports_watch().
 */
struct ports {
    struct port_source source;
    struct uv_loop_s *loop;
    struct hotplug *hotplug;  /* NULL: not watched */
    struct port_lists *lists; /* NULL: each look reads anew */
};

void ports_init(struct ports *p, struct uv_loop_s *loop);
/* From now on the source's users are told at once of devices that come and go. 0, or a negative code with the
 * reason where udev's monitor cannot be had (a container): their own rescans find them. */
int ports_watch(struct ports *p, struct err *e);
void ports_unwatch(struct ports *p); /* before the loop is closed */

#endif
