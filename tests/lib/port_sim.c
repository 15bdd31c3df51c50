/* See port_sim.h. Each device has one timer of the world: for bytes on their way, for what the modem wants to
 * do next, and for telling the holder. Events to the holder come from that timer alone, never from a call. */
#include "tests/lib/port_sim_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static struct device *find(struct port_sim *bus, const char *name)
{
    for (size_t i = 0; i < bus->count; i++) {
        if (bus->devices[i]->plugged && strcmp(bus->devices[i]->name, name) == 0)
            return bus->devices[i];
    }
    return NULL;
}

bool port_sim_there(const struct device *d)
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
        simside_feed(d->side, bytes, len, port_sim_now(d->bus));
    else
        simmodem_feed(d->modem, bytes, len, port_sim_now(d->bus));
}

static void device_tick(struct device *d)
{
    if (d->side)
        simside_tick(d->side, port_sim_now(d->bus));
    else
        simmodem_tick(d->modem, port_sim_now(d->bus));
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What came or went is told a moment later. */
static void note_presence(struct device *d)
{
    struct port_sim *bus = d->bus;

    if (port_sim_there(d) == d->was_present)
        return;
    d->was_present = port_sim_there(d);
    if (!bus->deaf)
        rt_timer_at(bus->world, &bus->hotplug, port_sim_now(bus) + HOTPLUG_MS);
}

void port_sim_arm(struct device *d)
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
            d->from_modem_at_ms = port_sim_now(d->bus) + d->bus->latency_ms;
        at = earlier(at, d->from_modem_at_ms);
    }
    if (p && !p->gone_told && (!p->opened_told || !port_sim_there(d)))
        at = port_sim_now(d->bus);
    if (d->timer.at_ms != at)
        rt_timer_at(d->bus->world, &d->timer, at);
}

/* ---- what the timer does ---- */

static void feed_modem(struct device *d)
{
    struct buf bytes = d->to_modem;
    if (!bytes.len || d->to_modem_at_ms > port_sim_now(d->bus))
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
        d->from_modem_at_ms = port_sim_now(d->bus) + d->bus->latency_ms;
    if (d->from_modem_at_ms > port_sim_now(d->bus))
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
    if (!port_sim_there(d)) {
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
    port_sim_arm(d);
}

/* ---- struct port, struct port_source ---- */

static int sim_write(struct port *port, const void *bytes, size_t len)
{
    struct sim_port *p = container_of(port, struct sim_port, port);
    struct device *d = p->dev;

    if (p->gone_told || !port_sim_there(d))
        return 0;
    if (d->to_modem.len + len > PORT_QUEUE_BYTES)
        return ERR_FULL;
    if (d->bus->watch)
        d->bus->watch(d->bus->watch_arg, d->name, true, bytes, len);
    if (!d->to_modem.len)
        d->to_modem_at_ms = port_sim_now(d->bus) + d->bus->latency_ms;
    buf_add(&d->to_modem, bytes, len);
    port_sim_arm(d);
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
    if (!d || !port_sim_there(d))
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
    port_sim_arm(d);
    return 0;
}

static int sim_list(struct port_source *src, struct port_info *out, int max)
{
    struct port_sim *bus = container_of(src, struct port_sim, source);
    int n = 0;
    for (size_t i = 0; i < bus->count && n < max; i++) {
        if (port_sim_there(bus->devices[i]))
            out[n++] = bus->devices[i]->info;
    }
    return n;
}

static bool sim_info(struct port_source *src, const char *spec, struct port_info *out)
{
    struct device *d = find(container_of(src, struct port_sim, source), spec);

    if (!d || !port_sim_there(d))
        return false;
    *out = d->info;
    return true;
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
    bus->source.usb = port_sim_usb;
    bus->source.replug = port_sim_replug;
    bus->source.command = port_sim_command;
    bus->hotplug = (struct rt_timer){.fire = port_sim_tell_users, .at_ms = RT_NEVER};
    bus->replug.timer = (struct rt_timer){.fire = port_sim_replug_over, .at_ms = RT_NEVER};
    bus->command.timer = (struct rt_timer){.fire = port_sim_command_over, .at_ms = RT_NEVER};
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

struct device *port_sim_add(struct port_sim *bus, struct simmodem *m, struct simside *side)
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

void port_sim_plug_device(struct device *d, const char *name)
{
    str_copy(d->name, sizeof(d->name), name);
    str_copy(d->info.name, sizeof(d->info.name), name);
    d->plugged = true;
    port_sim_arm(d);
}

void port_sim_plug(struct port_sim *bus, const char *name, struct simmodem *m)
{
    struct device *d = of_modem(bus, m);

    port_sim_plug_device(d ? d : port_sim_add(bus, m, NULL), name);
}

void port_sim_unplug(struct port_sim *bus, const char *name)
{
    struct device *d = find(bus, name);
    if (!d)
        return;
    d->plugged = false;
    port_sim_arm(d);
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
    port_sim_arm(d);
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
            port_sim_arm(bus->devices[i]);
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
    port_sim_end_task(&bus->replug);
    port_sim_end_task(&bus->command);
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
