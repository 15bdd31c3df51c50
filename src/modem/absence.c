/* Why a modem is absent, in words an administrator can act on. A USB device that shows itself as a CD-ROM or
 * a network card explains more than a missing port does.
 *
 * A stick that was left off the bus, by a gateway whose machine let it die in the middle of a replug or by a
 * hand, is put back where it is surely ours: by its configured place or serial number, or where we were. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "modem/finder.h"

enum { USB_DEVICES_MAX = 128, PUT_BACK_MS = 60000 };

/* -1: it cannot be known. */
static int list_usb(struct modem *m, struct port_usb_device *out)
{
    return m->ports->usb ? m->ports->usb(m->ports, out, USB_DEVICES_MAX) : -1;
}

static bool is_stick(const struct profile_set *set, const struct port_usb_device *d)
{
    struct port_info port = {.vendor = d->vendor, .product = d->product};
    char why[CARRIER_TEXT_BYTES];

    return profile_match(set, &port, "", "", why, sizeof(why)) != &profile_generic;
}

static void tell_off(const struct port_usb_device *d, char *out, size_t size)
{
    snprintf(out, size, "stick %04x:%04x at %.40s was taken off the bus (authorized is 0): replug it",
             d->vendor, d->product, d->usb_path);
}

bool modem_other_mode(const struct profile_set *set, const struct port_usb_device *d, char *out, size_t size)
{
    const struct profile *family = NULL;
    const struct profile_other_mode *mode =
        d->has_tty ? NULL : profile_other_mode_of(set, d->vendor, d->product, &family);

    if (d->is_off && (mode || is_stick(set, d))) {
        tell_off(d, out, size);
        return true;
    }
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
        if (devices[i].is_off)
            tell_off(&devices[i], out, size);
        else if (!devices[i].has_tty)
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

/* ---- putting back ---- */

/* On the heap, as it may outlive its modem. */
struct put_back {
    struct port_task task;
    char who[sizeof(((struct modem *)0)->who)], usb_path[PORT_USB_BYTES];
};

static void on_put_back(struct port_task *t, int status, const struct err *why)
{
    struct put_back *p = container_of(t, struct put_back, task);

    if (status < 0)
        log_warning(p->who, "stick at %s: not put back on the bus: %s", p->usb_path,
                    why ? why->text : err_name(status));
    free(p);
}

static bool is_ours(const struct modem *m, const struct port_usb_device *d)
{
    const struct port_info *last = &m->last;

    if (*m->conf->usb)
        return means(m, d);
    return *last->name && strcmp(last->usb_path, d->usb_path) == 0 && last->vendor == d->vendor &&
           last->product == d->product;
}

static void put_back(struct modem *m, const struct port_usb_device *d)
{
    struct put_back *p = calloc(1, sizeof(*p));
    struct err e = {0};

    if (!p)
        return;
    p->task.done = on_put_back;
    str_copy(p->who, sizeof(p->who), m->who);
    str_copy(p->usb_path, sizeof(p->usb_path), d->usb_path);
    modem_log(warning, m, "stick at %s was left off the bus: it is put back", p->usb_path);
    if (m->ports->replug(m->ports, p->usb_path, &p->task, &e) < 0) {
        modem_log(warning, m, "stick at %s: not put back on the bus: %s", p->usb_path, e.text);
        free(p);
    }
}

void finder_put_back(struct modem *m)
{
    struct port_usb_device devices[USB_DEVICES_MAX];
    bool may = m->ports->replug && !m->conf->look_only && !*m->ambiguous &&
               (!m->put_back_ms || modem_now(m) - m->put_back_ms >= PUT_BACK_MS);
    int n = may ? list_usb(m, devices) : 0;

    for (int i = 0; i < n; i++) {
        if (!devices[i].is_off || !is_ours(m, &devices[i]))
            continue;
        m->put_back_ms = modem_now(m);
        put_back(m, &devices[i]);
        return;
    }
}

/* ---- what is told ---- */

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
