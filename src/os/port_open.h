/* The ways to open a port, one for each kind. Private to os/. */
#ifndef SIMGATE_OS_PORT_OPEN_H
#define SIMGATE_OS_PORT_OPEN_H

#include <stdbool.h>
#include <uv.h>

#include "os/port.h"

/* As port_source.open. A serial device or a pseudo-terminal. */
int port_device_open(uv_loop_t *loop, const struct port_conf *conf, const struct port_events *ev, void *owner,
                     struct port **out, struct err *e);
/* "tcp://host:port" or "unix:/path". */
int port_socket_open(uv_loop_t *loop, const struct port_conf *conf, const struct port_events *ev, void *owner,
                     struct port **out, struct err *e);

/* Blocking; path has no symbolic link in it. The descriptor, non-blocking, or a negative code; ERR_BUSY if
 * the kernel refuses a second opener. *e then has the reason without the path. */
int port_serial_open(const char *path, int baud, bool rtscts, struct err *e);
int port_pty_open(const char *path, struct err *e);

#endif
