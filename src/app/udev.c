/* The rules are text around two tables: the families' USB ids with the roles of their interfaces, and rules
 * by interface class. Ids stand in "a|b|c" patterns, so that each device is compared with few lines. Nothing
 * can fail here; the profiles were checked when they were read. */
#include "app/udev.h"

#include <string.h>

static const char head[] =
    "# simgate: ports of modems get stable names and belong to the group simgate.\n"
    "#\n"
    "# Made from the profiles of modem families. With a profile of your own, make your own rules:\n"
    "#   simgated --udev-rules > /etc/udev/rules.d/60-simgate.rules && udevadm control --reload\n"
    "#\n"
    "# /dev/simgate/usb-1-1.4-if02  the port of interface 2 of the USB device at the place 1-1.4 (bus, hub "
    "ports:\n"
    "#                              \"usb\" in gateway.conf), whatever number its tty has\n"
    "# /dev/simgate/at-1-1.4        the AT port of that device, where its family says which one it is\n"
    "# SIMGATE_FAMILY, SIMGATE_ROLE properties of the device: its family, what the port is for\n"
    "#\n"
    "# ID_VENDOR_ID and the like come from 50-udev-default.rules and 60-serial.rules.\n"
    "\n"
    "ACTION==\"remove\", GOTO=\"simgate_end\"\n"
    "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", GOTO=\"simgate_families\"\n"
    "SUBSYSTEM==\"tty\", SUBSYSTEMS==\"usb\", GOTO=\"simgate_families\"\n"
    "GOTO=\"simgate_end\"\n"
    "\n"
    "LABEL=\"simgate_families\"\n";

static const char tail[] =
    "\n"
    "ENV{SIMGATE_FAMILY}==\"\", GOTO=\"simgate_adapters\"\n"
    "SUBSYSTEM==\"tty\", GROUP=\"simgate\", MODE=\"0660\", GOTO=\"simgate_names\"\n"
    "\n"
    "# The stick itself: never asleep, since a sleeping one loses messages; and simgate may take it off the "
    "bus and\n"
    "# put it back (\"authorized\"), as a hand would, when nothing else wakes it.\n"
    "TEST==\"power/control\", ATTR{power/control}=\"on\"\n"
    "TEST==\"authorized\", RUN+=\"/bin/chgrp simgate %S%p/authorized\", RUN+=\"/bin/chmod g+w "
    "%S%p/authorized\"\n"
    "GOTO=\"simgate_end\"\n"
    "\n"
    "# Serial adapters (FTDI, CP210x, CH340, PL2303) carry SIM800 boards, and much else. They get their "
    "names, and\n"
    "# keep their group, dialout, of which simgated.service is a member: others may need them too. "
    "ModemManager\n"
    "# leaves them alone unless it is told otherwise.\n"
    "LABEL=\"simgate_adapters\"\n"
    "SUBSYSTEM!=\"tty\", GOTO=\"simgate_end\"\n"
    "ENV{ID_VENDOR_ID}==\"0403\", ENV{ID_MODEL_ID}==\"6001|6010|6011|6014|6015\", GOTO=\"simgate_names\"\n"
    "ENV{ID_VENDOR_ID}==\"10c4\", ENV{ID_MODEL_ID}==\"ea60|ea70|ea71\", GOTO=\"simgate_names\"\n"
    "ENV{ID_VENDOR_ID}==\"1a86\", ENV{ID_MODEL_ID}==\"5523|55d4|7522|7523\", GOTO=\"simgate_names\"\n"
    "ENV{ID_VENDOR_ID}==\"067b\", ENV{ID_MODEL_ID}==\"2303|23a3\", GOTO=\"simgate_names\"\n"
    "GOTO=\"simgate_end\"\n"
    "\n"
    "LABEL=\"simgate_names\"\n"
    "TAG+=\"systemd\"\n"
    "SUBSYSTEMS==\"usb\", DRIVERS==\"usb\", ATTRS{idVendor}==\"?*\", "
    "SYMLINK+=\"simgate/usb-$id-if$env{ID_USB_INTERFACE_NUM}\"\n"
    "ENV{SIMGATE_ROLE}==\"at\", SUBSYSTEMS==\"usb\", DRIVERS==\"usb\", ATTRS{idVendor}==\"?*\", "
    "SYMLINK+=\"simgate/at-$id\"\n"
    "\n"
    "LABEL=\"simgate_end\"\n";

/* As in the profiles. */
static const char *const role_words[] = {
    [ROLE_AT] = "at",   [ROLE_AT2] = "at2", [ROLE_DATA] = "data",   [ROLE_DIAG] = "diag",
    [ROLE_GPS] = "gps", [ROLE_NET] = "net", [ROLE_AUDIO] = "audio", [ROLE_IGNORE] = "ignore",
};
enum { ROLES = sizeof role_words / sizeof role_words[0], ANY_ROLE = ROLE_UNKNOWN };

static bool has_role(const struct profile_usb *u, int interface, int role)
{
    return role == ANY_ROLE || u->roles[interface] == role;
}

/* A line for the products of a vendor in a family whose interface has this role; none when there are none. */
static void products(const struct profile *p, uint16_t vendor, int interface, int role, struct buf *out)
{
    int count = 0;

    for (int i = 0; i < p->nusb; i++) {
        if (p->usb[i].vendor != vendor || !has_role(&p->usb[i], interface, role))
            continue;
        if (!count++)
            buf_addf(out, "ENV{ID_VENDOR_ID}==\"%04x\", ENV{ID_MODEL_ID}==\"", vendor);
        buf_addf(out, "%s%04x", count > 1 ? "|" : "", p->usb[i].product);
    }
    if (count && role == ANY_ROLE)
        buf_addf(out, "\", ENV{SIMGATE_FAMILY}=\"%s\"\n", p->name);
    else if (count)
        buf_addf(out, "\", ENV{ID_USB_INTERFACE_NUM}==\"%02x\", ENV{SIMGATE_ROLE}=\"%s\"\n", interface,
                 role_words[role]);
}

static bool vendor_seen(const struct profile *p, int before)
{
    for (int i = 0; i < before; i++)
        if (p->usb[i].vendor == p->usb[before].vendor)
            return true;
    return false;
}

static void usb_ids(const struct profile *p, struct buf *out)
{
    for (int i = 0; i < p->nusb; i++) {
        if (vendor_seen(p, i))
            continue;
        products(p, p->usb[i].vendor, 0, ANY_ROLE, out);
        for (int interface = 0; interface < PROFILE_INTERFACES; interface++)
            for (int role = ROLE_AT; role < ROLES; role++)
                products(p, p->usb[i].vendor, interface, role, out);
    }
}

/* By class: for ports of which no id says the role, in the table's order. */
static void classes(const struct profile *p, struct buf *out)
{
    for (int i = 0; i < p->nclasses; i++) {
        const struct profile_class *c = &p->classes[i];

        buf_addf(out, "SUBSYSTEM==\"tty\", ENV{SIMGATE_ROLE}==\"\", ENV{ID_VENDOR_ID}==\"%04x\"", c->vendor);
        if (c->interface >= 0)
            buf_addf(out, ", ENV{ID_USB_INTERFACE_NUM}==\"%02x\"", c->interface);
        buf_adds(out, ", ATTRS{bInterfaceClass}==\"ff\"");
        if (c->subclass >= 0)
            buf_addf(out, ", ATTRS{bInterfaceSubClass}==\"%02x\"", c->subclass);
        if (c->protocol >= 0)
            buf_addf(out, ", ATTRS{bInterfaceProtocol}==\"%02x\"", c->protocol);
        buf_addf(out, ", ENV{SIMGATE_ROLE}=\"%s\"\n", role_words[c->role]);
        if (i + 1 == p->nclasses || p->classes[i + 1].vendor != c->vendor)
            buf_addf(out,
                     "ENV{ID_VENDOR_ID}==\"%04x\", ENV{SIMGATE_ROLE}==\"?*\", ENV{SIMGATE_FAMILY}==\"\", "
                     "ENV{SIMGATE_FAMILY}=\"%s\"\n",
                     c->vendor, p->name);
    }
}

/* A title is one line of comment, whatever stands in it. */
static void heading(const struct profile *p, const char *more, struct buf *out)
{
    buf_addf(out, "\n# %.*s%s\n", (int)strcspn(p->title, "\r\n"), p->title, more);
}

void udev_rules(const struct profile_set *set, struct buf *out)
{
    buf_adds(out, head);
    for (int i = 0; i < set->count; i++) {
        if (!set->profiles[i]->nusb)
            continue;
        heading(set->profiles[i], "", out);
        usb_ids(set->profiles[i], out);
    }
    for (int i = 0; i < set->count; i++) {
        if (!set->profiles[i]->nclasses)
            continue;
        heading(set->profiles[i], ", by class", out);
        classes(set->profiles[i], out);
    }
    buf_adds(out, tail);
}
