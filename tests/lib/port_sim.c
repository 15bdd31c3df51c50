/* See port_sim.h. Each device has one timer of the world: for bytes on their way, for what the modem wants to
 * do next, and for telling the holder. Events to the holder come from that timer alone, never from a call. */
#include "tests/lib/port_sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { DEVICES = 160, NAME_BYTES = 128 };

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
    struct simmodem *modem; /* NULL: a free place */
    bool plugged, busy;
    bool was_present;
    struct sim_port *holder;
    struct buf to_modem;
    int64_t to_modem_at_ms;
    int64_t from_modem_at_ms; /* when what the modem has put out may be delivered; 0: nothing waits */
    struct rt_timer timer;
    bool in_timer;
};

struct port_sim {
    struct port_source source;
    struct rt *life, *world;
    struct device *devices[DEVICES];
    size_t count;
    int64_t latency_ms;
    uint64_t opens;
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

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void arm(struct device *d)
{
    struct sim_port *p = d->holder;
    int64_t at = simmodem_deadline(d->modem);

    if (d->in_timer)
        return;
    if (d->to_modem.len)
        at = earlier(at, d->to_modem_at_ms);
    if (simmodem_out(d->modem)->len) {
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
    simmodem_feed(d->modem, bytes.data, bytes.len, now(d->bus));
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
    struct buf *out = simmodem_out(d->modem);
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
    simmodem_tick(d->modem, now(d->bus));
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
    arm(d);
    return 0;
}

static int sim_list(struct port_source *src, struct port_info *out, int max)
{
    struct port_sim *bus = container_of(src, struct port_sim, source);
    int n = 0;
    for (size_t i = 0; i < bus->count && n < max; i++) {
        if (there(bus->devices[i])) {
            out[n] = (struct port_info){.interface = -1};
            str_copy(out[n++].name, PORT_NAME_BYTES, bus->devices[i]->name);
        }
    }
    return n;
}

/* ---- the bus ---- */

struct port_sim *port_sim_new(struct rt *rt)
{
    struct port_sim *bus = calloc(1, sizeof(*bus));
    if (!bus)
        abort();
    bus->source.open = sim_open;
    bus->source.list = sim_list;
    bus->life = rt;
    bus->world = rt_sim_world(rt);
    return bus;
}

void port_sim_free(struct port_sim *bus)
{
    port_sim_drop(bus);
    for (size_t i = 0; i < bus->count; i++) {
        rt_timer_stop(bus->world, &bus->devices[i]->timer);
        buf_free(&bus->devices[i]->to_modem);
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
        if (bus->devices[i]->modem == m)
            return bus->devices[i];
    }
    return NULL;
}

void port_sim_plug(struct port_sim *bus, const char *name, struct simmodem *m)
{
    struct device *d = of_modem(bus, m);
    if (!d) {
        d = calloc(1, sizeof(*d));
        if (!d || bus->count == DEVICES)
            abort();
        d->timer = (struct rt_timer){.fire = on_timer, .at_ms = RT_NEVER};
        d->bus = bus;
        d->modem = m;
        bus->devices[bus->count++] = d;
    }
    str_copy(d->name, sizeof(d->name), name);
    d->plugged = true;
    arm(d);
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

void port_sim_wake(struct simmodem *m, void *bus)
{
    struct device *d = of_modem(bus, m);
    if (d)
        arm(d);
}

void port_sim_drop(struct port_sim *bus)
{
    for (size_t i = 0; i < bus->count; i++) {
        struct device *d = bus->devices[i];
        free(d->holder);
        d->holder = NULL;
        buf_clear(&d->to_modem);
    }
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
