/* What was found out of one modem, as JSON. Private to app/probe. */
#ifndef SIMGATE_APP_PROBE_REPORT_H
#define SIMGATE_APP_PROBE_REPORT_H

#include <jansson.h>

#include "modem/modem.h"

enum { PROBE_STORES = 4 };

/* What was asked beside a modem's own start. */
struct probe_facts {
    struct {
        char name[4];
        int64_t used, size;
    } stores[PROBE_STORES];
    int nstores;
    char cnmi[24]; /* as read back, "2,1,0,1,0" */
    bool csms_known, cmms_known;
    bool csms, cmms; /* AT+CSMS=1, AT+CMMS=1 are taken, and are set; of one in use: see probe_own() */
    bool csms_asked, csms_listed;
    bool in_use;
    int64_t radio; /* <fun> of +CFUN; -1 unknown */
};

/* The answer of one of probe.c's commands, all of its lines. */
struct probe_ask {
    const char *command;
    bool changes; /* asked only of a modem that is not in use */
    bool in_use;  /* only of one that is, in the place of trying */
    bool sim;     /* only where the SIM is usable */
    void (*take)(struct probe_facts *f, bool ok, const char *answer); /* NULL: its answer says nothing */
};
extern const struct probe_ask probe_asks[]; /* a NULL command ends it */

/* What a modem in use knows by its work, where asking would disturb it. CSMS and CMMS are as it lists them,
 * until it refuses. */
void probe_own(struct probe_facts *f, const struct modem *m);

/* `configured`: its name in gateway.conf; "" for one that is not. A new reference. */
json_t *probe_report(struct modem *m, const char *configured, const struct probe_facts *f,
                     const struct profile_set *profiles, const struct port_info *ports, int nports);
/* A stick that is no modem now. */
json_t *probe_report_other(const struct port_usb_device *d, const char *why);

#endif
