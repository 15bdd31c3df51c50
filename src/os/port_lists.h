/* What udev listed last, kept until a device comes or goes. Private to os/. */
#ifndef SIMGATE_OS_PORT_LISTS_H
#define SIMGATE_OS_PORT_LISTS_H

#include "os/port.h"

struct port_lists;

struct port_lists *port_lists_new(void); /* heap */
void port_lists_free(struct port_lists *l);
/* A device came or went: what is kept is not true any more. */
void port_lists_stale(struct port_lists *l);

/* As usb_port_list() and usb_device_list() now, or a moment ago. */
int port_lists_ports(struct port_lists *l, struct port_info *out, int max);
int port_lists_devices(struct port_lists *l, struct port_usb_device *out, int max);

#endif
