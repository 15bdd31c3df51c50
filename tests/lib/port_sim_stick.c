/* The USB side of port_sim.h: sticks with several ports, devices without any, hot-plug, replug, a user's
 * command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/lib/port_sim_int.h"

static bool listed(const struct port_usb_device *out, int n, const char *usb_path)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(out[i].usb_path, usb_path) == 0)
            return true;
    }
    return false;
}

int port_sim_usb(struct port_source *src, struct port_usb_device *out, int max)
{
    struct port_sim *bus = container_of(src, struct port_sim, source);
    int n = 0;

    for (; n < bus->nusb && n < max; n++)
        out[n] = bus->usb[n];
    for (size_t i = 0; i < bus->count && n < max; i++) {
        const struct port_info *p = &bus->devices[i]->info;
        if (!port_sim_there(bus->devices[i]) || !*p->usb_path || listed(out, n, p->usb_path))
            continue;
        out[n] = (struct port_usb_device){.vendor = p->vendor, .product = p->product, .has_tty = true};
        str_copy(out[n].usb_path, PORT_USB_BYTES, p->usb_path);
        str_copy(out[n].serial, PORT_USB_BYTES, p->serial);
        str_copy(out[n++].product_name, PORT_USB_BYTES, p->product_name);
    }
    return n;
}

/* ---- replug, command ---- */

static bool is_off(const struct port_sim *bus, const char *usb_path)
{
    for (int i = 0; i < bus->nusb; i++) {
        if (bus->usb[i].is_off && strcmp(bus->usb[i].usb_path, usb_path) == 0)
            return true;
    }
    return false;
}

static struct device *of_path(struct port_sim *bus, const char *usb_path)
{
    for (size_t i = 0; i < bus->count; i++) {
        struct device *d = bus->devices[i];
        if ((d->plugged || is_off(bus, usb_path)) && !d->side && strcmp(d->info.usb_path, usb_path) == 0)
            return d;
    }
    return NULL;
}

static void task_begin(struct task *k, struct port_sim *bus, struct port_task *t, int64_t after_ms)
{
    k->bus = bus;
    k->busy = true;
    k->task = t;
    t->os[0] = &k->task;
    rt_timer_at(bus->world, &k->timer, port_sim_now(bus) + after_ms);
}

static void task_done(struct task *k, int status)
{
    struct port_task *t = k->task;
    struct err why = {0};

    k->busy = false;
    k->task = NULL;
    if (!t)
        return;
    if (status)
        err_set(&why, ERR_IO, "exit status %d", status);
    t->os[0] = NULL;
    rt_sim_count_wakeup(k->bus->life);
    t->done(t, why.code, status ? &why : NULL);
}

/* The daemon died: whoever waited frees what it had for it. The device comes back all the same. */
void port_sim_end_task(struct task *k)
{
    struct port_task *t = k->task;

    k->task = NULL;
    if (!t)
        return;
    t->os[0] = NULL;
    t->done(t, ERR_CANCELLED, NULL);
}

void port_sim_replug_over(struct rt_timer *timer)
{
    struct task *k = container_of(timer, struct task, timer);
    struct device *d = NULL;
    char serial[PORT_USB_BYTES];

    for (size_t i = 0; i < k->bus->count; i++) {
        if (k->bus->devices[i]->modem == k->modem && !k->bus->devices[i]->side)
            d = k->bus->devices[i];
    }
    str_copy(serial, sizeof(serial), d->info.serial);
    simmodem_power_cycle(k->modem, port_sim_now(k->bus));
    if (is_off(k->bus, k->usb_path))
        port_sim_usb_unplug(k->bus, k->usb_path);
    port_sim_plug_stick(k->bus, k->usb_path, serial, k->modem);
    task_done(k, 0);
}

int port_sim_replug(struct port_source *src, const char *usb_path, struct port_task *t, struct err *e)
{
    struct port_sim *bus = container_of(src, struct port_sim, source);
    struct device *d = of_path(bus, usb_path);

    if (!d)
        return err_set(e, ERR_NOT_FOUND, "%s: no such device", usb_path);
    if (bus->replug_refused)
        return err_set(e, ERR_REFUSED, "not permitted to write %s", usb_path);
    if (bus->replug.busy)
        return err_set(e, ERR_BUSY, "%s: another one is under way", usb_path);
    bus->replugs++;
    bus->replug.modem = d->modem;
    str_copy(bus->replug.usb_path, PORT_USB_BYTES, usb_path);
    port_sim_unplug_stick(bus, usb_path);
    task_begin(&bus->replug, bus, t, REPLUG_MS);
    return 0;
}

void port_sim_command_over(struct rt_timer *timer)
{
    struct task *k = container_of(timer, struct task, timer);
    const char *argv[ARGS + 1];
    size_t n = 0;

    for (; n < ARGS && *k->argv[n]; n++)
        argv[n] = k->argv[n];
    argv[n] = NULL;
    task_done(k, k->bus->run ? k->bus->run(k->bus->run_arg, argv) : 0);
}

int port_sim_command(struct port_source *src, const char *const *argv, struct port_task *t, struct err *e)
{
    struct port_sim *bus = container_of(src, struct port_sim, source);

    if (bus->command.busy)
        return err_set(e, ERR_BUSY, "%s: another one is under way", argv[0]);
    memset(bus->command.argv, 0, sizeof(bus->command.argv));
    for (size_t i = 0; i < ARGS && argv[i]; i++)
        str_copy(bus->command.argv[i], NAME_BYTES, argv[i]);
    task_begin(&bus->command, bus, t, COMMAND_MS);
    return 0;
}

void port_sim_tell_users(struct rt_timer *timer)
{
    struct port_sim *bus = container_of(timer, struct port_sim, hotplug);

    for (struct port_user *u = bus->source.users, *next; u; u = next) {
        next = u->next;
        if (u->changed) {
            rt_sim_count_wakeup(bus->life);
            u->changed(u);
        }
    }
}

/* ---- sticks ---- */

/* A name stays in use while a device has it, also a dead one that somebody holds open. */
static bool name_taken(const struct port_sim *bus, const char *name)
{
    for (size_t i = 0; i < bus->count; i++) {
        const struct device *d = bus->devices[i];
        if ((d->plugged || d->holder) && strcmp(d->name, name) == 0)
            return true;
    }
    return false;
}

static void free_name(struct port_sim *bus, const char *driver, char *out, size_t size)
{
    const char *kind = strcmp(driver, "cdc_acm") == 0 ? "ACM" : "USB";

    for (unsigned n = 0;; n++) {
        snprintf(out, size, "/dev/tty%s%u", kind,
                 bus->shuffled ? (unsigned)rt_sim_random(bus->world, TTYS) : n);
        if (!name_taken(bus, out))
            return;
    }
}

static struct device *of_interface(struct port_sim *bus, struct simmodem *m,
                                   const struct simside_interface *f)
{
    for (size_t i = 0; i < bus->count; i++) {
        struct device *d = bus->devices[i];
        if (d->modem == m && (f->kind == SIMSIDE_AT ? !d->side : d->side && d->info.interface == f->number))
            return d;
    }
    return NULL;
}

static struct device *interface_device(struct port_sim *bus, struct simmodem *m,
                                       const struct simside_interface *f)
{
    struct device *d = of_interface(bus, m, f);
    struct simmodem_info info;

    simmodem_info(m, &info);
    if (!d)
        d = port_sim_add(bus, m,
                         f->kind == SIMSIDE_AT ? NULL : simside_new(f->kind, info.imei, port_sim_now(bus)));
    return d;
}

void port_sim_plug_stick(struct port_sim *bus, const char *usb_path, const char *serial, struct simmodem *m)
{
    enum { VENDOR_SPECIFIC = 255 };
    struct simmodem_info info;

    simmodem_info(m, &info);
    const struct simside_usb *usb = simside_usb_of(info.personality);
    for (size_t i = 0; i < usb->count; i++) {
        const struct simside_interface *f = &usb->interfaces[i];
        struct device *d = interface_device(bus, m, f);
        char name[NAME_BYTES];

        d->info = (struct port_info){.vendor = usb->vendor,
                                     .product = usb->product,
                                     .interface = f->number,
                                     .interface_class = VENDOR_SPECIFIC,
                                     .interface_subclass = f->subclass,
                                     .interface_protocol = f->protocol};
        str_copy(d->info.usb_path, PORT_USB_BYTES, usb_path);
        str_copy(d->info.serial, PORT_USB_BYTES, serial);
        str_copy(d->info.product_name, PORT_USB_BYTES, usb->product_name);
        str_copy(d->info.driver, sizeof(d->info.driver), usb->driver);
        free_name(bus, usb->driver, name, sizeof(name));
        port_sim_plug_device(d, name);
    }
}

void port_sim_unplug_stick(struct port_sim *bus, const char *usb_path)
{
    for (size_t i = 0; i < bus->count; i++) {
        struct device *d = bus->devices[i];
        if (!d->plugged || strcmp(d->info.usb_path, usb_path) != 0)
            continue;
        d->plugged = false;
        port_sim_arm(d);
    }
}

const char *port_sim_tty(struct port_sim *bus, const char *usb_path, int interface)
{
    for (size_t i = 0; i < bus->count; i++) {
        const struct device *d = bus->devices[i];
        if (d->plugged && strcmp(d->info.usb_path, usb_path) == 0 &&
            (interface < 0 ? !d->side : d->info.interface == interface))
            return d->name;
    }
    return "";
}

void port_sim_shuffle(struct port_sim *bus, bool on)
{
    bus->shuffled = on;
}

unsigned port_sim_kind_opens(const struct port_sim *bus, enum simside_kind kind)
{
    return bus->kind_opens[kind];
}

void port_sim_usb_plug(struct port_sim *bus, const struct port_usb_device *d)
{
    if (bus->nusb == USB_DEVICES)
        abort();
    bus->usb[bus->nusb++] = *d;
    if (!bus->deaf)
        rt_timer_at(bus->world, &bus->hotplug, port_sim_now(bus) + HOTPLUG_MS);
}

void port_sim_usb_unplug(struct port_sim *bus, const char *usb_path)
{
    for (int i = 0; i < bus->nusb; i++) {
        if (strcmp(bus->usb[i].usb_path, usb_path) == 0)
            bus->usb[i--] = bus->usb[--bus->nusb];
    }
    if (!bus->deaf)
        rt_timer_at(bus->world, &bus->hotplug, port_sim_now(bus) + HOTPLUG_MS);
}

void port_sim_replug_refused(struct port_sim *bus, bool refused)
{
    bus->replug_refused = refused;
}

unsigned port_sim_replugs(const struct port_sim *bus)
{
    return bus->replugs;
}

void port_sim_on_command(struct port_sim *bus, int (*run)(void *arg, const char *const *argv), void *arg)
{
    bus->run = run;
    bus->run_arg = arg;
}

void port_sim_deaf(struct port_sim *bus, bool deaf)
{
    bus->deaf = deaf;
}
