/* What port_sim.c (ports and bytes) and port_sim_stick.c (the USB bus) share. */
#ifndef SIMGATE_TESTS_LIB_PORT_SIM_INT_H
#define SIMGATE_TESTS_LIB_PORT_SIM_INT_H

#include "base/buf.h"
#include "tests/lib/port_sim.h"

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

static inline int64_t port_sim_now(const struct port_sim *bus)
{
    return rt_now_ms(bus->world);
}

bool port_sim_there(const struct device *d);
void port_sim_arm(struct device *d); /* also notes whether it has come or gone */
struct device *port_sim_add(struct port_sim *bus, struct simmodem *m, struct simside *side);
void port_sim_plug_device(struct device *d, const char *name);

/* Of struct port_source. */
int port_sim_usb(struct port_source *src, struct port_usb_device *out, int max);
int port_sim_replug(struct port_source *src, const char *usb_path, struct port_task *t, struct err *e);
int port_sim_command(struct port_source *src, const char *const *argv, struct port_task *t, struct err *e);
/* Timers of the world. */
void port_sim_replug_over(struct rt_timer *timer);
void port_sim_command_over(struct rt_timer *timer);
void port_sim_tell_users(struct rt_timer *timer);
void port_sim_end_task(struct task *k);

#endif
