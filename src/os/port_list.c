/* The serial devices that are present, from sysfs by libudev, for modems that are looked for.
 *
 * Listed are devices on USB only: a stick gets another name with each plugging, and asking it costs nothing.
 * A built-in serial port keeps its name, and may be somebody's console: it is used when it is configured,
 * never tried. What is known of one port is told of any.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "os/usb.h"

const char *usb_attribute(struct udev_device *d, const char *name)
{
    const char *value = d ? udev_device_get_sysattr_value(d, name) : NULL;

    return value ? value : "";
}

bool usb_udevd_runs(void)
{
    return access("/run/udev/control", F_OK) == 0;
}

unsigned usb_hex(struct udev_device *d, const char *name)
{
    return (unsigned)strtoul(usb_attribute(d, name), NULL, 16);
}

/* Parents belong to their child and are not released. */
static void fill_usb(struct udev_device *tty, struct port_info *out)
{
    struct udev_device *device = udev_device_get_parent_with_subsystem_devtype(tty, "usb", "usb_device");
    struct udev_device *part = udev_device_get_parent_with_subsystem_devtype(tty, "usb", "usb_interface");

    if (!device || !part)
        return;
    str_copy(out->usb_path, sizeof out->usb_path, udev_device_get_sysname(device));
    str_copy(out->serial, sizeof out->serial, usb_attribute(device, "serial"));
    str_copy(out->product_name, sizeof out->product_name, usb_attribute(device, "product"));
    out->vendor = (uint16_t)usb_hex(device, "idVendor");
    out->product = (uint16_t)usb_hex(device, "idProduct");
    out->interface = (int)usb_hex(part, "bInterfaceNumber");
    out->interface_class = (uint8_t)usb_hex(part, "bInterfaceClass");
    out->interface_subclass = (uint8_t)usb_hex(part, "bInterfaceSubClass");
    out->interface_protocol = (uint8_t)usb_hex(part, "bInterfaceProtocol");
    const char *driver = udev_device_get_driver(part);
    str_copy(out->driver, sizeof out->driver, driver ? driver : "");
}

static void fill(struct udev_device *tty, const char *name, struct port_info *out)
{
    *out = (struct port_info){.interface = -1};
    str_copy(out->name, sizeof out->name, name);
    fill_usb(tty, out);
}

/* Until udevd's rules have run it has neither its group nor its names: its event is still to come. */
static bool is_ready(struct udev_device *tty)
{
    return !usb_udevd_runs() || udev_device_get_is_initialized(tty) > 0;
}

static bool add(struct udev *udev, const char *syspath, struct port_info *out)
{
    struct udev_device *tty = udev_device_new_from_syspath(udev, syspath);
    const char *node = tty && is_ready(tty) ? udev_device_get_devnode(tty) : NULL;

    if (node)
        fill(tty, node, out);
    udev_device_unref(tty);
    return node && *out->usb_path;
}

int usb_port_list(struct port_info *out, int max)
{
    struct udev *udev = udev_new();
    struct udev_enumerate *all = udev ? udev_enumerate_new(udev) : NULL;
    struct udev_list_entry *entry;
    int n = 0;

    if (all && udev_enumerate_add_match_subsystem(all, "tty") >= 0 &&
        udev_enumerate_add_match_sysname(all, USB_TTYS) >= 0 && udev_enumerate_scan_devices(all) >= 0) {
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all))
        {
            if (n < max && add(udev, udev_list_entry_get_name(entry), &out[n]))
                n++;
        }
    }
    udev_enumerate_unref(all);
    udev_unref(udev);
    return n;
}

bool usb_port_info(struct port_source *src, const char *spec, struct port_info *out)
{
    char path[PATH_MAX];
    struct stat st;

    (void)src;
    if (spec[0] != '/' || !realpath(spec, path) || stat(path, &st) != 0 || !S_ISCHR(st.st_mode))
        return false;
    struct udev *udev = udev_new();
    struct udev_device *tty = udev ? udev_device_new_from_devnum(udev, 'c', st.st_rdev) : NULL;
    if (tty)
        fill(tty, path, out);
    bool known = tty != NULL;
    udev_device_unref(tty);
    udev_unref(udev);
    return known;
}
