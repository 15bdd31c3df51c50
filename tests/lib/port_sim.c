/* See port_sim.h. Each device has one timer of the world: for bytes on their way, for what the modem wants to
 * do next, and for telling the holder. Events to the holder come from that timer alone, never from a call. */
#include "tests/lib/port_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum {
    DEVICES = 640,
    NAME_BYTES = PORT_NAME_BYTES,
    USB_DEVICES = 32, /* without serial ports */
    TTYS = 400,       /* numbers */
    ARGS = 8,         /* of a command */
    HOTPLUG_MS = 200, /* until udev has told it */
    REPLUG_MS = 1000, /* off the bus */
    COMMAND_MS = 1000,
};

struct device;

struct sim_port {
    struct port port;
    struct device *dev;
    const struct port_events *ev;
    void *owner;
    bool opened_told;
    bool gone_told;
};

struct device {
    struct port_sim *bus;
    char name[NAME_BYTES];
    struct simmodem *modem;
    struct simside *side; /* NULL: the AT port, which is the modem itself */
    struct port_info info;
    bool plugged, busy;
    bool was_present;
    struct sim_port *holder;
    struct buf to_modem;
    int64_t to_modem_at_ms;
    int64_t from_modem_at_ms; /* when what the modem has put out may be delivered; 0: nothing waits */
    struct rt_timer timer;
    bool in_timer;
};

/* A replug or a command that is under way: one of each at a time. */
struct task {
    struct port_sim *bus;
    struct port_task *task; /* NULL: its owner has gone */
    struct rt_timer timer;
    char usb_path[PORT_USB_BYTES];
    struct simmodem *modem;
    char argv[ARGS][NAME_BYTES];
    bool busy;
};

struct port_sim {
    struct port_source source;
    struct rt *life, *world;
    struct device *devices[DEVICES];
    size_t count;
    int64_t latency_ms;
    uint64_t opens;
    unsigned kind_opens[SIMSIDE_AUX + 1];
    struct port_usb_device usb[USB_DEVICES];
    int nusb;
    bool shuffled, deaf, replug_refused;
    unsigned replugs;
    struct task replug, command;
    int (*run)(void *arg, const char *const *argv);
    void *run_arg;
    struct rt_timer hotplug;
    void (*watch)(void *arg, const char *name, bool to_modem, const char *bytes, size_t len);
    void *watch_arg;
};

static int64_t now(const struct port_sim *bus)
{
    return rt_now_ms(bus->world);
}

static struct device *find(struct port_sim *bus, const char *name)
{
    for (size_t i = 0; i < bus->count; i++) {
        if (bus->devices[i]->plugged && strcmp(bus->devices[i]->name, name) == 0)
            return bus->devices[i];
    }
    return NULL;
}

static bool there(const struct device *d)
{
    return d->plugged && simmodem_present(d->modem);
}

/* ---- a port is the modem's or one of those beside it ---- */

static int64_t device_deadline(const struct device *d)
{
    return d->side ? simside_deadline(d->side) : simmodem_deadline(d->modem);
}

static struct buf *device_out(struct device *d)
{
    return d->side ? simside_out(d->side) : simmodem_out(d->modem);
}

static void device_feed(struct device *d, const void *bytes, size_t len)
{
    if (d->side)
        simside_feed(d->side, bytes, len, now(d->bus));
    else
        simmodem_feed(d->modem, bytes, len, now(d->bus));
}

static void device_tick(struct device *d)
{
    if (d->side)
        simside_tick(d->side, now(d->bus));
    else
        simmodem_tick(d->modem, now(d->bus));
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What came or went is told a moment later. */
static void note_presence(struct device *d)
{
    struct port_sim *bus = d->bus;

    if (there(d) == d->was_present)
        return;
    d->was_present = there(d);
    if (!bus->deaf)
        rt_timer_at(bus->world, &bus->hotplug, now(bus) + HOTPLUG_MS);
}

static void arm(struct device *d)
{
    struct sim_port *p = d->holder;
    int64_t at = device_deadline(d);

    note_presence(d);
    if (d->in_timer)
        return;
    if (d->to_modem.len)
        at = earlier(at, d->to_modem_at_ms);
    if (device_out(d)->len) {
        if (!d->from_modem_at_ms)
            d->from_modem_at_ms = now(d->bus) + d->bus->latency_ms;
        at = earlier(at, d->from_modem_at_ms);
    }
    if (p && !p->gone_told && (!p->opened_told || !there(d)))
        at = now(d->bus);
    if (d->timer.at_ms != at)
        rt_timer_at(d->bus->world, &d->timer, at);
}

/* ---- what the timer does ---- */

static void feed_modem(struct device *d)
{
    struct buf bytes = d->to_modem;
    if (!bytes.len || d->to_modem_at_ms > now(d->bus))
        return;
    d->to_modem = (struct buf){0};
    device_feed(d, bytes.data, bytes.len);
    buf_free(&bytes);
}

static void tell_gone(struct sim_port *p, int code, const char *text)
{
    struct err why;
    err_set(&why, code, "%s: %s", p->dev->name, text);
    p->gone_told = true;
    rt_sim_count_wakeup(p->dev->bus->life);
    p->ev->gone(p->owner, &why);
}

static void deliver(struct device *d)
{
    struct buf *out = device_out(d);
    if (!out->len) {
        d->from_modem_at_ms = 0;
        return;
    }
    if (!d->holder || !d->holder->opened_told) {
        buf_clear(out); /* a device that nobody has open loses what it receives */
        d->from_modem_at_ms = 0;
        return;
    }
    if (!d->from_modem_at_ms)
        d->from_modem_at_ms = now(d->bus) + d->bus->latency_ms;
    if (d->from_modem_at_ms > now(d->bus))
        return;
    d->from_modem_at_ms = 0;
    struct buf chunk = {0};
    buf_add(&chunk, out->data, out->len);
    buf_clear(out);
    if (d->bus->watch)
        d->bus->watch(d->bus->watch_arg, d->name, false, chunk.data, chunk.len);
    rt_sim_count_wakeup(d->bus->life);
    d->holder->ev->data(d->holder->owner, (const uint8_t *)chunk.data, chunk.len);
    buf_free(&chunk);
}

static void on_timer(struct rt_timer *t)
{
    struct device *d = container_of(t, struct device, timer);
    struct sim_port *p = d->holder;

    d->in_timer = true;
    if (!there(d)) {
        buf_clear(&d->to_modem);
        if (p && !p->gone_told)
            tell_gone(p, p->opened_told ? ERR_GONE : ERR_NOT_FOUND,
                      p->opened_told ? "unplugged" : "no such device");
    } else if (p && !p->opened_told) {
        p->opened_told = true;
        rt_sim_count_wakeup(d->bus->life);
        p->ev->opened(p->owner);
    }
    feed_modem(d);
    device_tick(d);
    deliver(d);
    d->in_timer = false;
    arm(d);
}

/* ---- struct port, struct port_source ---- */

static int sim_write(struct port *port, const void *bytes, size_t len)
{
    struct sim_port *p = container_of(port, struct sim_port, port);
    struct device *d = p->dev;

    if (p->gone_told || !there(d))
        return 0;
    if (d->to_modem.len + len > PORT_QUEUE_BYTES)
        return ERR_FULL;
    if (d->bus->watch)
        d->bus->watch(d->bus->watch_arg, d->name, true, bytes, len);
    if (!d->to_modem.len)
        d->to_modem_at_ms = now(d->bus) + d->bus->latency_ms;
    buf_add(&d->to_modem, bytes, len);
    arm(d);
    return 0;
}

static void sim_close(struct port *port)
{
    struct sim_port *p = container_of(port, struct sim_port, port);
    if (p->dev->holder == p)
        p->dev->holder = NULL;
    free(p);
}

static const struct port_ops sim_ops = {.write = sim_write, .close = sim_close};

static int sim_open(struct port_source *src, const struct port_conf *conf, const struct port_events *ev,
                    void *owner, struct port **out, struct err *e)
{
    struct port_sim *bus = container_of(src, struct port_sim, source);
    struct device *d = find(bus, conf->spec);

    bus->opens++;
    if (!d || !there(d))
        return err_set(e, ERR_NOT_FOUND, "%s: no such device", conf->spec);
    if (d->busy || d->holder)
        return err_set(e, ERR_BUSY, "%s: busy (held by another process)", conf->spec);
    struct sim_port *p = calloc(1, sizeof(*p));
    if (!p)
        return err_set(e, ERR_NOMEM, "%s", conf->spec);
    *p = (struct sim_port){.port = {.ops = &sim_ops}, .dev = d, .ev = ev, .owner = owner};
    d->holder = p;
    *out = &p->port;
    bus->kind_opens[d->side ? simside_kind_of(d->side) : SIMSIDE_AT]++;
    arm(d);
    return 0;
}

static int sim_list(struct port_source *src, struct port_info *out, int max)
{
    struct port_sim *bus = container_of(src, struct port_sim, source);
    int n = 0;
    for (size_t i = 0; i < bus->count && n < max; i++) {
        if (there(bus->devices[i]))
            out[n++] = bus->devices[i]->info;
    }
    return n;
}

static bool sim_info(struct port_source *src, const char *spec, struct port_info *out)
{
    struct device *d = find(container_of(src, struct port_sim, source), spec);

    if (!d || !there(d))
        return false;
    *out = d->info;
    return true;
}

static bool listed(const struct port_usb_device *out, int n, const char *usb_path)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(out[i].usb_path, usb_path) == 0)
            return true;
    }
    return false;
}

static int sim_usb(struct port_source *src, struct port_usb_device *out, int max)
{
    struct port_sim *bus = container_of(src, struct port_sim, source);
    int n = 0;

    for (; n < bus->nusb && n < max; n++)
        out[n] = bus->usb[n];
    for (size_t i = 0; i < bus->count && n < max; i++) {
        const struct port_info *p = &bus->devices[i]->info;
        if (!there(bus->devices[i]) || !*p->usb_path || listed(out, n, p->usb_path))
            continue;
        out[n] = (struct port_usb_device){.vendor = p->vendor, .product = p->product, .has_tty = true};
        str_copy(out[n].usb_path, PORT_USB_BYTES, p->usb_path);
        str_copy(out[n].serial, PORT_USB_BYTES, p->serial);
        str_copy(out[n++].product_name, PORT_USB_BYTES, p->product_name);
    }
    return n;
}

/* ---- replug, command ---- */

static struct device *of_path(struct port_sim *bus, const char *usb_path)
{
    for (size_t i = 0; i < bus->count; i++) {
        struct device *d = bus->devices[i];
        if (d->plugged && !d->side && strcmp(d->info.usb_path, usb_path) == 0)
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
    rt_timer_at(bus->world, &k->timer, now(bus) + after_ms);
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

static void replug_over(struct rt_timer *timer)
{
    struct task *k = container_of(timer, struct task, timer);
    struct device *d = NULL;
    char serial[PORT_USB_BYTES];

    for (size_t i = 0; i < k->bus->count; i++) {
        if (k->bus->devices[i]->modem == k->modem && !k->bus->devices[i]->side)
            d = k->bus->devices[i];
    }
    str_copy(serial, sizeof(serial), d->info.serial);
    simmodem_power_cycle(k->modem, now(k->bus));
    port_sim_plug_stick(k->bus, k->usb_path, serial, k->modem);
    task_done(k, 0);
}

static int sim_replug(struct port_source *src, const char *usb_path, struct port_task *t, struct err *e)
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

static void command_over(struct rt_timer *timer)
{
    struct task *k = container_of(timer, struct task, timer);
    const char *argv[ARGS + 1];
    size_t n = 0;

    for (; n < ARGS && *k->argv[n]; n++)
        argv[n] = k->argv[n];
    argv[n] = NULL;
    task_done(k, k->bus->run ? k->bus->run(k->bus->run_arg, argv) : 0);
}

static int sim_command(struct port_source *src, const char *const *argv, struct port_task *t, struct err *e)
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

static void tell_users(struct rt_timer *timer)
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

/* ---- the bus ---- */

struct port_sim *port_sim_new(struct rt *rt)
{
    struct port_sim *bus = calloc(1, sizeof(*bus));
    if (!bus)
        abort();
    bus->source.open = sim_open;
    bus->source.list = sim_list;
    bus->source.info = sim_info;
    bus->source.usb = sim_usb;
    bus->source.replug = sim_replug;
    bus->source.command = sim_command;
    bus->hotplug = (struct rt_timer){.fire = tell_users, .at_ms = RT_NEVER};
    bus->replug.timer = (struct rt_timer){.fire = replug_over, .at_ms = RT_NEVER};
    bus->command.timer = (struct rt_timer){.fire = command_over, .at_ms = RT_NEVER};
    bus->life = rt;
    bus->world = rt_sim_world(rt);
    return bus;
}

void port_sim_free(struct port_sim *bus)
{
    port_sim_drop(bus);
    rt_timer_stop(bus->world, &bus->hotplug);
    rt_timer_stop(bus->world, &bus->replug.timer);
    rt_timer_stop(bus->world, &bus->command.timer);
    for (size_t i = 0; i < bus->count; i++) {
        rt_timer_stop(bus->world, &bus->devices[i]->timer);
        buf_free(&bus->devices[i]->to_modem);
        simside_free(bus->devices[i]->side);
        free(bus->devices[i]);
    }
    free(bus);
}

struct port_source *port_sim_source(struct port_sim *bus)
{
    return &bus->source;
}

static struct device *of_modem(struct port_sim *bus, const struct simmodem *m)
{
    for (size_t i = 0; i < bus->count; i++) {
        if (bus->devices[i]->modem == m && !bus->devices[i]->side)
            return bus->devices[i];
    }
    return NULL;
}

static struct device *add_device(struct port_sim *bus, struct simmodem *m, struct simside *side)
{
    struct device *d = calloc(1, sizeof(*d));

    if (!d || bus->count == DEVICES)
        abort();
    *d = (struct device){.bus = bus, .modem = m, .side = side};
    d->timer = (struct rt_timer){.fire = on_timer, .at_ms = RT_NEVER};
    d->info.interface = -1;
    bus->devices[bus->count++] = d;
    return d;
}

static void plug(struct device *d, const char *name)
{
    str_copy(d->name, sizeof(d->name), name);
    str_copy(d->info.name, sizeof(d->info.name), name);
    d->plugged = true;
    arm(d);
}

void port_sim_plug(struct port_sim *bus, const char *name, struct simmodem *m)
{
    struct device *d = of_modem(bus, m);

    plug(d ? d : add_device(bus, m, NULL), name);
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
        d = add_device(bus, m, f->kind == SIMSIDE_AT ? NULL : simside_new(f->kind, info.imei, now(bus)));
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
        plug(d, name);
    }
}

void port_sim_unplug_stick(struct port_sim *bus, const char *usb_path)
{
    for (size_t i = 0; i < bus->count; i++) {
        struct device *d = bus->devices[i];
        if (!d->plugged || strcmp(d->info.usb_path, usb_path) != 0)
            continue;
        d->plugged = false;
        arm(d);
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
        rt_timer_at(bus->world, &bus->hotplug, now(bus) + HOTPLUG_MS);
}

void port_sim_usb_unplug(struct port_sim *bus, const char *usb_path)
{
    for (int i = 0; i < bus->nusb; i++) {
        if (strcmp(bus->usb[i].usb_path, usb_path) == 0)
            bus->usb[i--] = bus->usb[--bus->nusb];
    }
    if (!bus->deaf)
        rt_timer_at(bus->world, &bus->hotplug, now(bus) + HOTPLUG_MS);
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

void port_sim_unplug(struct port_sim *bus, const char *name)
{
    struct device *d = find(bus, name);
    if (!d)
        return;
    d->plugged = false;
    arm(d);
}

/* The holder of the old device must be told before the new name can be opened: at the same instant. */
void port_sim_renumber(struct port_sim *bus, const char *name, const char *new_name)
{
    struct device *d = find(bus, name);
    if (!d)
        return;
    struct sim_port *p = d->holder;
    d->holder = NULL;
    str_copy(d->name, sizeof(d->name), new_name);
    str_copy(d->info.name, sizeof(d->info.name), new_name);
    if (p && !p->gone_told)
        tell_gone(p, ERR_GONE, "unplugged");
    arm(d);
}

void port_sim_busy(struct port_sim *bus, const char *name, bool busy)
{
    struct device *d = find(bus, name);
    if (d)
        d->busy = busy;
}

void port_sim_latency(struct port_sim *bus, int64_t ms)
{
    bus->latency_ms = ms;
}

/* All ports of a stick come and go with it. */
void port_sim_wake(struct simmodem *m, void *arg)
{
    struct port_sim *bus = arg;

    for (size_t i = 0; i < bus->count; i++) {
        if (bus->devices[i]->modem == m)
            arm(bus->devices[i]);
    }
}

void port_sim_drop(struct port_sim *bus)
{
    for (size_t i = 0; i < bus->count; i++) {
        struct device *d = bus->devices[i];
        free(d->holder);
        d->holder = NULL;
        buf_clear(&d->to_modem);
    }
    bus->replug.task = bus->command.task = NULL;
}

void port_sim_watch(struct port_sim *bus,
                    void (*watch)(void *arg, const char *name, bool to_modem, const char *bytes, size_t len),
                    void *arg)
{
    bus->watch = watch;
    bus->watch_arg = arg;
}

uint64_t port_sim_opens(const struct port_sim *bus)
{
    return bus->opens;
}
