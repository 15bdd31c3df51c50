/* Why a modem is absent, in words an administrator can act on. A USB device that shows itself as a CD-ROM or
 * a network card explains more than a missing port does. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/finder.h"

enum { USB_DEVICES_MAX = 128 };

/* -1: it cannot be known. */
static int list_usb(struct modem *m, struct port_usb_device *out)
{
    return m->ports->usb ? m->ports->usb(m->ports, out, USB_DEVICES_MAX) : -1;
}

bool modem_other_mode(const struct profile_set *set, const struct port_usb_device *d, char *out, size_t size)
{
    const struct profile *family = NULL;
    const struct profile_other_mode *mode =
        d->has_tty ? NULL : profile_other_mode_of(set, d->vendor, d->product, &family);

    if (!mode)
        return false;
    switch (mode->mode) {
    case PROFILE_MODE_DISK:
        snprintf(out, size, "stick in CD-ROM mode (%04x:%04x at %s): install usb-modeswitch", d->vendor,
                 d->product, d->usb_path);
        break;
    case PROFILE_MODE_HILINK:
        snprintf(out, size, "stick in HiLink mode (%04x:%04x at %s): a network card, it has no AT port",
                 d->vendor, d->product, d->usb_path);
        break;
    }
    return true;
}

static bool means(const struct modem *m, const struct port_usb_device *d)
{
    return !*m->conf->usb || finder_usb_fits(m->conf->usb, d->usb_path, d->serial);
}

/* Serial chips which brltty takes for a Braille display and keeps from having a tty. */
static bool brltty_likes(const struct port_usb_device *d)
{
    return d->vendor == 0x10c4 || d->vendor == 0x1a86 || d->vendor == 0x0403;
}

/* The configured USB device is not there, or has no serial port. False: nothing to say. */
static bool tell_device(struct modem *m, const struct port_usb_device *devices, int n, char *out, size_t size)
{
    const char *usb = m->conf->usb;

    for (int i = 0; i < n; i++) {
        if (!means(m, &devices[i]))
            continue;
        if (!devices[i].has_tty)
            snprintf(out, size, "USB device %.40s (%04x:%04x) has no serial port: %s", devices[i].usb_path,
                     devices[i].vendor, devices[i].product,
                     brltty_likes(&devices[i]) ? "remove brltty, which takes such chips"
                                               : "its driver (option, cdc_acm …) is missing");
        return !devices[i].has_tty;
    }
    bool place = strchr(usb, '-') != NULL;
    snprintf(out, size, place ? "no USB device is plugged at %s" : "no USB device has the serial number %s",
             usb);
    return true;
}

/* What a look at the bus tells; false: nothing. */
static bool look(struct modem *m, char *out, size_t size)
{
    struct port_usb_device devices[USB_DEVICES_MAX];
    int n = list_usb(m, devices);

    for (int i = 0; i < n; i++) {
        if (means(m, &devices[i]) && modem_other_mode(m->conf->profiles, &devices[i], out, size))
            return true;
    }
    return n >= 0 && *m->conf->usb && tell_device(m, devices, n, out, size);
}

static void wanted(const struct modem *m, char *out, size_t size)
{
    const struct modem_conf *c = m->conf;

    if (*c->imei)
        snprintf(out, size, "no serial port has the modem with IMEI %s", c->imei);
    else if (*c->imsi || *c->iccid)
        snprintf(out, size, "no modem has the SIM %s", *c->imsi ? c->imsi : c->iccid);
    else
        snprintf(out, size, "USB device %s has no port that answers", c->usb);
}

bool finder_ambiguous(struct modem *m, const struct port_info *ports, int n)
{
    const struct modem_conf *c = m->conf;
    const char *first = NULL;

    m->ambiguous[0] = '\0';
    if (!*c->usb || *c->imei || *c->imsi || *c->iccid)
        return false;
    for (int i = 0; i < n; i++) {
        if (!finder_usb_fits(c->usb, ports[i].usb_path, ports[i].serial))
            continue;
        if (first && strcmp(first, ports[i].usb_path) != 0) {
            snprintf(m->ambiguous, sizeof(m->ambiguous),
                     "two sticks have the serial number %.40s: say \"%.20s\" or \"%.20s\"", c->usb, first,
                     ports[i].usb_path);
            return true;
        }
        first = ports[i].usb_path;
    }
    return false;
}

void finder_why(struct modem *m, char *out, size_t size)
{
    char what[CARRIER_TEXT_BYTES];

    if (*m->ambiguous) {
        str_copy(out, size, m->ambiguous);
        return;
    }
    if (look(m, out, size))
        return;
    wanted(m, what, sizeof(what));
    snprintf(out, size, "%.70s%s%s", what, *m->miss ? "; " : "", m->miss);
}

void finder_with_hint(struct modem *m, const char *why, char *out, size_t size)
{
    char hint[CARRIER_TEXT_BYTES];

    if (!finder_searches(m) && look(m, hint, sizeof(hint)))
        snprintf(out, size, "%.70s; %s", why, hint);
    else
        str_copy(out, size, why);
}
