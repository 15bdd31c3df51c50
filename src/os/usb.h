/* What udev and sysfs know of the machine's USB devices and their serial ports, and what can be done to
 * them. Private to os/; offered upwards as struct port_source. Everything works without a running udevd: the
 * devices are read from sysfs. */
#ifndef SIMGATE_OS_USB_H
#define SIMGATE_OS_USB_H

#include <libudev.h>

#include "os/port.h"

struct uv_loop_s;

/* struct port_source, in its order. The lists are read anew: port_lists.h keeps them. */
int usb_port_list(struct port_info *out, int max);
bool usb_port_info(struct port_source *src, const char *spec, struct port_info *out);
int usb_device_list(struct port_usb_device *out, int max);
int usb_replug(struct uv_loop_s *loop, const char *usb_path, struct port_task *t, struct err *e);
int command_run(struct uv_loop_s *loop, const char *const *argv, struct port_task *t, struct err *e);

/* The consoles, tty0 to tty63, are on no bus, and to read of each costs more than all the rest. */
#define USB_TTYS "tty[A-Z]*"

bool usb_udevd_runs(void);

/* A sysfs attribute as text and as a hexadecimal number; "" and 0 when it is not there. */
const char *usb_attribute(struct udev_device *d, const char *name);
unsigned usb_hex(struct udev_device *d, const char *name);

/* udev's events on the loop: lists are stale at once, and the users of `ports` are told that devices have
 * come or gone. Heap; NULL with the reason in *e where there is nothing to listen to: the rescans find
 * everything, later. */
struct hotplug;
struct ports;
struct hotplug *hotplug_open(struct ports *ports, struct err *e);
void hotplug_close(struct hotplug *h); /* frees itself when the loop lets go; NULL is fine */

#endif
