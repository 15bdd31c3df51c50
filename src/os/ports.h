/* Real ports: serial devices, pseudo-terminals, TCP and unix sockets, on a libuv loop. */
#ifndef SIMGATE_OS_PORTS_H
#define SIMGATE_OS_PORTS_H

#include "os/port.h"

struct uv_loop_s; /* uv_loop_t */

/* Owned by the caller, in place; keeps no list of its ports, so there is nothing to undo. */
struct ports {
    struct port_source source;
    struct uv_loop_s *loop;
};

void ports_init(struct ports *p, struct uv_loop_s *loop);

#endif
