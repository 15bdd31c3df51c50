/* Modems against simulated modems on simulated time: a network, a bus, up to 64 pairs, and what each modem
 * told its owner. The owner here writes down what comes and settles it after a while, as the gateway's store
 * would.
 *
 *     struct rig *r = rig_new(seed);
 *     struct unit *u = rig_add(r, &(struct rig_conf){.pin = "1234"});
 *     modem_start(u->modem);
 *     assert_true(rig_ready(r, u));
 */
#ifndef SIMGATE_TESTS_LIB_MODEM_RIG_H
#define SIMGATE_TESTS_LIB_MODEM_RIG_H

#include "modem/modem.h"
#include "tests/lib/port_sim.h"

enum { RIG_UNITS = 64, RIG_LOG = 4096, RIG_SENDS = 4096 };

struct rig;

struct rig_inbound {
    uint64_t token;
    int64_t at_ms;
    int tpdu_len;
    bool malformed;
    size_t len;
    uint8_t pdu[PDU_FULL_BYTES];
    char text[PDU_TEXT_BYTES]; /* DELIVER: its text */
    enum pdu_kind kind;
    uint8_t mr; /* report */
    bool settled;
};

struct rig_send {
    struct carrier_submit submit; /* first: found from it */
    struct unit *unit;
    uint8_t pdu[PDU_FULL_BYTES];
    bool ended;
    struct carrier_outcome outcome;
    int64_t begun_ms, ended_ms;
};

struct unit {
    struct rig *rig;
    char name[16], port[32];
    struct simmodem *sim;
    struct modem_conf conf;
    struct modem *modem; /* NULL after rig_kill() */
    struct carrier *carrier;

    struct rig_inbound *in;
    size_t in_count;
    struct rig_send *sends;
    size_t send_count;
    unsigned changes, lates;
    int late_mr;
    bool stopped;

    /* how inbound is settled */
    bool hold;           /* not at all */
    bool refuse;         /* as not stored */
    int64_t settle_ms;   /* after that */
    unsigned burst_left; /* rig_burst(): parts still to submit, each in the `done` of the one before */
    struct rt_timer settle_timer;
};

struct rig {
    struct rt *rt;
    struct simnet *net;
    struct port_sim *bus;
    struct unit units[RIG_UNITS];
    size_t count;
    struct buf trace; /* what passed on the lines, when tracing */
    bool tracing;
};

struct rig_conf {
    /* the simulated modem's */
    const char *personality, *sim_pin;
    bool tries_untold;
    unsigned sm_slots, baud;
    int64_t net_ms;
    bool starts_off;
    const char *usb_path; /* plugged there as a stick with all its ports; NULL: one port without USB */
    const char *serial;   /* of the stick */
    /* the daemon's */
    const char *pin, *imei, *smsc;
    const char *imsi, *iccid, *usb;
    const struct profile_set *profiles;
    const char *port; /* NULL: where the simulated modem is plugged; of a stick: looked for */
    enum modem_plan plan;
    int64_t sweep_ms, send_timeout_ms;
};

struct rig *rig_new(uint64_t seed);
void rig_free(struct rig *r);
/* conf NULL: all defaults. The modem is not started. */
struct unit *rig_add(struct rig *r, const struct rig_conf *conf);
void rig_trace(struct rig *r, bool on); /* ports' bytes to r->trace, control characters as <CR> */

/* Until the modem is in the state, at most for_ms. */
bool rig_until(struct rig *r, struct unit *u, enum modem_state s, int64_t for_ms);
bool rig_ready(struct rig *r, struct unit *u); /* READY within 60 s */
void rig_run(struct rig *r, int64_t ms);

/* Submits a text to a number, with a report if asked. NULL when refused by the carrier (status in *status).
 */
struct rig_send *rig_submit(struct unit *u, const char *to, const char *text, bool report, int *status);
/* Runs until it has ended, at most for_ms. */
bool rig_ended(struct rig *r, struct rig_send *s, int64_t for_ms);
/* n parts, each submitted in the `done` of the one before. */
void rig_burst(struct unit *u, unsigned n);
/* A text from the network. */
int64_t rig_text(struct rig *r, struct unit *u, const char *from, const char *text);
void rig_fault(struct rig *r, struct unit *u, const char *name, const char *args);
size_t rig_stored(const struct unit *u); /* messages in the simulated modem's SM and ME */
/* The daemon dies: every modem is freed, timers and ports are dropped; simulated modems live on. */
void rig_kill(struct rig *r);
/* And begins a new life. */
void rig_revive(struct rig *r);

#endif
