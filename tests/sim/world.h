/* A simulated world: network, modems, producers and customers that outlive the daemon, and the daemon's
 * lives, one after the other, each ended by a crash or by a stop. The rooms of the gateway are the real ones,
 * on a real database. */
#ifndef SIMGATE_TESTS_SIM_WORLD_H
#define SIMGATE_TESTS_SIM_WORLD_H

#include <sqlite3.h>

#include "desk/campaign.h"
#include "desk/desk.h"
#include "engine/engine.h"
#include "gateway/gateway.h"
#include "hw/sim/simmodem.h"
#include "modem/modem.h"
#include "tests/lib/port_sim.h"
#include "tests/lib/rt_sim.h"
#include "tests/sim/ledger.h"

enum { WORLD_MODEMS = 16, WORLD_JOBS = 128 };

struct world_conf {
    uint64_t seed;
    int modems;                              /* 1 … WORLD_MODEMS */
    const char *personalities[WORLD_MODEMS]; /* of the simulated modems; NULL: the standard's */
    int64_t sweep_ms;                        /* 0 = 180000 */
    int64_t net_ms;                          /* network time of a message */
    enum gateway_on_unknown on_unknown;
    enum modem_plan plan;
    bool report;
    bool power_loss; /* a crash is the machine's, not only the process's */
    int verbose;     /* 1 log lines of the daemon, 2 events of the network */
    /* What gateway.conf says of engine and desk, or NULL: one rule that thanks for everything, no desk. Then
     * the network's texts are told to `heard`, too, and `born` is called as a life begins. */
    const char *settings;
    const struct engine_world *outside; /* programs and servers; NULL none */
    void (*heard)(void *arg, const struct simnet_event *ev);
    void (*born)(void *arg);
    void *arg;
};

struct world;

/* A request of a producer, asked again in the next life when the daemon died before it answered. */
struct job {
    struct world *w;
    struct gateway_admit admit;
    struct gateway_send send;
    struct gateway_admitted result;
    struct buf text;
    char to[NUMBER_BYTES], key[32], modem[16];
    int n; /* in the ledger */
    bool urgent;
    bool open, asked;
};

struct world {
    struct world_conf conf;
    char dir[64], path[96];
    struct rt *rt, *outside;
    struct simnet *net;
    struct port_sim *bus;
    struct simmodem *sims[WORLD_MODEMS];
    char names[WORLD_MODEMS][16], ports[WORLD_MODEMS][32], numbers[WORLD_MODEMS][NUMBER_BYTES];
    struct ledger ledger;
    const struct profile_set *profiles; /* of hw/profiles */
    struct job jobs[WORLD_JOBS];
    struct rt_timer plugged; /* tells who looks for devices that some came or went */
    bool was_present[WORLD_MODEMS];
    struct {
        struct port_task *task;
        struct rt_timer timer;
    } resets[WORLD_MODEMS]; /* reset commands under way */
    const char *reset_argv[WORLD_MODEMS][3];
    sqlite3 *eye; /* world_eye(); NULL not needed yet */
    sqlite3_stmt *is_stored;

    /* one life */
    bool alive;
    struct store *store;
    struct gateway *gateway;
    struct engine *engine;
    struct desk *desk;           /* NULL without settings */
    struct campaigns *campaigns; /* likewise */
    struct modem *modems[WORLD_MODEMS];
    struct gateway_conf gconf;
    struct modem_conf mconf[WORLD_MODEMS];
    struct engine_rule_conf rule;
    struct engine_conf econf;
    struct conf *settings; /* as read; econf is of it */
    int lives;
};

struct world *world_new(const struct world_conf *conf);
void world_free(struct world *w);

/* Begins a life. False (with a problem in the ledger) when the daemon cannot start. */
bool world_start(struct world *w);
/* SIGKILL: what is not committed is gone. */
void world_crash(struct world *w);
/* Runs for `ms`; a crash asked for on the way ends the life and begins the next. */
void world_run(struct world *w, int64_t ms);

/* A producer wants a text of about `bytes` sent, by any modem or (modem >= 0) by this one. Its number in the
 * ledger, or -1 when WORLD_JOBS are open. */
int world_send(struct world *w, int modem, const char *to, size_t bytes, const char *spice);
/* The same, before all that waits. */
int world_send_urgent(struct world *w, int modem, const char *to, size_t bytes);
/* A customer texts one of our SIMs. Its number in the ledger. */
int world_text(struct world *w, int modem, const char *from, size_t bytes, const char *spice);
void world_fault(struct world *w, int modem, const char *name, const char *args);

/* A TPDU as it is, well formed or not, with a service centre of none in front. */
void world_tpdu(struct world *w, int modem, const uint8_t *tpdu, size_t len);
/* Looks at the database from outside, at what is committed: a connection of the world's own. */
sqlite3 *world_eye(struct world *w);
/* Every message in the store, newest first. */
void world_each_row(struct world *w, void (*see)(void *arg, const struct msg_row *row), void *arg);

/* Ends the faults, waits until everything has come to rest, and settles the account: every modem is ready and
 * every alarm over. */
void world_settle(struct world *w, int64_t max_ms);

#endif
