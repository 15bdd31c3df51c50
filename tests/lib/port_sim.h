/* Ports to simulated modems (hw/sim/simmodem.h) on the simulated runtime (rt_sim.h).
 *
 * A port_sim is the machine's USB bus: modems are plugged under device names and can be unplugged and plugged
 * again under others. Its timers belong to the world: the bus and the modems outlive a crash of the daemon.
 *
 *     struct port_sim *bus = port_sim_new(rt);
 *     struct simmodem_conf conf = {.name = "modem0", .wake = port_sim_wake, .arg = bus};
 *     port_sim_plug(bus, "/dev/ttyUSB0", simmodem_new(net, &conf, rt_sim_now(rt)));
 *     modem_new(rt, port_sim_source(bus), …);
 *
 * port_sim_plug_stick() plugs all ports that a stick of the modem's personality has, at a place on the bus.
 * Users of the ports are told of what comes and goes a moment later, as udev would.
 */
#ifndef SIMGATE_TESTS_LIB_PORT_SIM_H
#define SIMGATE_TESTS_LIB_PORT_SIM_H

#include "hw/sim/simmodem.h"
#include "hw/sim/simside.h"
#include "os/port.h"
#include "tests/lib/rt_sim.h"

struct port_sim;

/* rt: the life's handle. */
struct port_sim *port_sim_new(struct rt *rt);
/* Frees the bus, not the modems; closes what is open without telling. */
void port_sim_free(struct port_sim *bus);
struct port_source *port_sim_source(struct port_sim *bus);

void port_sim_plug(struct port_sim *bus, const char *name, struct simmodem *m);
/* A stick: the modem on its AT interface, a struct simside on each other one, under tty names that are free.
 * The serial number may be "", or the same as another's. Plugged again, it gets other names, and may be at
 * another place. */
void port_sim_plug_stick(struct port_sim *bus, const char *usb_path, const char *serial, struct simmodem *m);
void port_sim_unplug_stick(struct port_sim *bus, const char *usb_path);
/* The tty of one of its interfaces; "" none. Of the AT port: -1. */
const char *port_sim_tty(struct port_sim *bus, const char *usb_path, int interface);
/* tty numbers are drawn from the world's randomness, not the lowest that are free. */
void port_sim_shuffle(struct port_sim *bus, bool on);
/* How often a port of this kind was opened, ever. */
unsigned port_sim_kind_opens(const struct port_sim *bus, enum simside_kind kind);
/* A USB device without serial ports is plugged, or pulled (by its usb_path). */
void port_sim_usb_plug(struct port_sim *bus, const struct port_usb_device *d);
void port_sim_usb_unplug(struct port_sim *bus, const char *usb_path);
/* port_source.replug power-cycles the modem and gives its ports other names, or is refused; default: not
 * refused. How often it was done. */
void port_sim_replug_refused(struct port_sim *bus, bool refused);
unsigned port_sim_replugs(const struct port_sim *bus);
/* What port_source.command does, a second after it was asked: its exit status. NULL: nothing, 0. */
void port_sim_on_command(struct port_sim *bus, int (*run)(void *arg, const char *const *argv), void *arg);
/* Nobody is told that devices came or went (a container without udev): default false. */
void port_sim_deaf(struct port_sim *bus, bool deaf);

/* Who has it open is told that it is gone. */
void port_sim_unplug(struct port_sim *bus, const char *name);
/* Unplugged and plugged again as another device. */
void port_sim_renumber(struct port_sim *bus, const char *name, const char *new_name);
/* Another process holds the device (0: no more). */
void port_sim_busy(struct port_sim *bus, const char *name, bool busy);
/* From a byte's writing to its being there, each way. Default 0. */
void port_sim_latency(struct port_sim *bus, int64_t ms);

/* What simmodem_conf.wake must be, with the bus as its argument. */
void port_sim_wake(struct simmodem *m, void *bus);

/* The daemon died: every open port is closed, nobody is told. Beside rt_sim_drop(). */
void port_sim_drop(struct port_sim *bus);

/* Sees each chunk: to_modem or from it. NULL: nobody looks. */
void port_sim_watch(struct port_sim *bus,
                    void (*watch)(void *arg, const char *name, bool to_modem, const char *bytes, size_t len),
                    void *arg);
uint64_t port_sim_opens(const struct port_sim *bus); /* attempts to open, ever */

#endif
