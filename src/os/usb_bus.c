/* All USB devices but hubs, whatever they are just now: a stick that shows itself as a CD-ROM with its
 * drivers, or as a network card, has no serial port and is found here only. From sysfs by libudev. */
#include <string.h>

#include "base/util.h"
#include "os/usb.h"

enum { CLASS_DISK = 0x08, CLASS_HUB = 0x09 }; /* USB-IF class codes */

/* One scan of a subsystem. */
struct scan {
    struct port_usb_device *out;
    int n, max;
};

static struct port_usb_device *find(struct scan *s, struct udev_device *device)
{
    const char *path = device ? udev_device_get_sysname(device) : "";

    for (int i = 0; i < s->n; i++) {
        if (strcmp(s->out[i].usb_path, path) == 0)
            return &s->out[i];
    }
    return NULL;
}

static struct port_usb_device *owner_of(struct scan *s, struct udev_device *d)
{
    return find(s, udev_device_get_parent_with_subsystem_devtype(d, "usb", "usb_device"));
}

static void take_device(struct scan *s, struct udev_device *d)
{
    const char *type = udev_device_get_devtype(d);

    if (!type || strcmp(type, "usb_device") != 0 || s->n == s->max || usb_hex(d, "bDeviceClass") == CLASS_HUB)
        return;
    struct port_usb_device *u = &s->out[s->n++];
    *u = (struct port_usb_device){.vendor = (uint16_t)usb_hex(d, "idVendor"),
                                  .product = (uint16_t)usb_hex(d, "idProduct"),
                                  .is_off = strcmp(usb_attribute(d, "authorized"), "0") == 0};
    str_copy(u->usb_path, sizeof u->usb_path, udev_device_get_sysname(d));
    str_copy(u->serial, sizeof u->serial, usb_attribute(d, "serial"));
    str_copy(u->product_name, sizeof u->product_name, usb_attribute(d, "product"));
}

/* By its class, as the driver of disks need not be there. */
static void take_interface(struct scan *s, struct udev_device *d)
{
    const char *type = udev_device_get_devtype(d);
    struct port_usb_device *u;

    if (type && strcmp(type, "usb_interface") == 0 && usb_hex(d, "bInterfaceClass") == CLASS_DISK &&
        (u = owner_of(s, d)))
        u->has_disk = true;
}

static void take_tty(struct scan *s, struct udev_device *d)
{
    struct port_usb_device *u = owner_of(s, d);

    if (u)
        u->has_tty = true;
}

static void take_net(struct scan *s, struct udev_device *d)
{
    struct port_usb_device *u = owner_of(s, d);

    if (u)
        u->has_net = true;
}

/* names: NULL all */
static void each(struct udev *udev, const char *subsystem, const char *names, struct scan *s,
                 void (*take)(struct scan *s, struct udev_device *d))
{
    struct udev_enumerate *all = udev_enumerate_new(udev);
    struct udev_list_entry *entry;

    if (all && udev_enumerate_add_match_subsystem(all, subsystem) >= 0 &&
        (!names || udev_enumerate_add_match_sysname(all, names) >= 0) &&
        udev_enumerate_scan_devices(all) >= 0) {
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all))
        {
            struct udev_device *d = udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
            if (d)
                take(s, d);
            udev_device_unref(d);
        }
    }
    udev_enumerate_unref(all);
}

int usb_device_list(struct port_usb_device *out, int max)
{
    struct udev *udev = udev_new();
    struct scan s = {.out = out, .max = max};

    if (!udev)
        return 0;
    each(udev, "usb", NULL, &s, take_device);
    each(udev, "usb", NULL, &s, take_interface);
    each(udev, "tty", USB_TTYS, &s, take_tty);
    each(udev, "net", NULL, &s, take_net);
    udev_unref(udev);
    return s.n;
}
