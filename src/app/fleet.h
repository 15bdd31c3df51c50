/* The modems that gateway.conf names: started, followed through reloads, stopped. Each holds the generation
 * of the configuration that it borrows from. */
#ifndef SIMGATE_APP_FLEET_H
#define SIMGATE_APP_FLEET_H

#include "app/conf.h"
#include "os/port.h"

struct fleet_modem;

struct fleet {
    struct rt *rt;
    struct port_source *ports;
    struct gateway *gateway;
    const struct modem_pins *pins; /* given to each */
    const char *state_dir;         /* for trace files */
    /* A modem came or went. */
    void (*changed)(void *owner);
    /* After fleet_stop(): the last one is closed. */
    void (*stopped)(void *owner);
    void *owner;
    /* fleet.c's own */
    struct conf *conf;
    struct fleet_modem *first;
    struct modem **modems; /* as fleet_modems() gives them; renewed with each change */
    int nmodems;
    bool stopping;
};

/* Starts what conf names, keeps what has not changed, stops what is not named any more or has changed (it
 * comes back with its new settings when it has closed). 0, or the first failure; the others are started all
 * the same. */
int fleet_use(struct fleet *f, struct conf *conf, struct err *e);

/* The modems there are, in the order of gateway.conf at their start; valid until `changed` is told. */
struct modem *const *fleet_modems(struct fleet *f, int *count);

/* Closes all of them, waiting at most bound_ms for what is on the air; then `stopped`, maybe before it
 * returns. */
void fleet_stop(struct fleet *f, int64_t bound_ms);
void fleet_fini(struct fleet *f);

#endif
