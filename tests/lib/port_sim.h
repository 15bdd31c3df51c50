/* Ports to simulated modems (hw/sim/simmodem.h) on the simulated runtime (rt_sim.h).
 *
 * A port_sim is the machine's USB bus: modems are plugged under device names and can be unplugged and plugged
 * again under others. Its timers belong to the world: the bus and the modems outlive a crash of the daemon.
 *
 *     struct port_sim *bus = port_sim_new(rt);
 *     struct simmodem_conf conf = {.name = "modem0", .wake = port_sim_wake, .arg = bus};
 *     port_sim_plug(bus, "/dev/ttyUSB0", simmodem_new(net, &conf, rt_sim_now(rt)));
 *     modem_new(rt, port_sim_source(bus), …);
 */
#ifndef SIMGATE_TESTS_LIB_PORT_SIM_H
#define SIMGATE_TESTS_LIB_PORT_SIM_H

#include "hw/sim/simmodem.h"
#include "os/port.h"
#include "tests/lib/rt_sim.h"

struct port_sim;

/* rt: the life's handle. */
struct port_sim *port_sim_new(struct rt *rt);
/* Frees the bus, not the modems; closes what is open without telling. */
void port_sim_free(struct port_sim *bus);
struct port_source *port_sim_source(struct port_sim *bus);

void port_sim_plug(struct port_sim *bus, const char *name, struct simmodem *m);
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
