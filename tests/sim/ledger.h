/* The account of a simulated world: what was asked of the gateway, what customers sent, what the network saw.
 *
 * Every outbound text carries "oN." and every inbound text "iN." again and again, so that each part on the
 * air tells to which message it belongs. At the end of a run the account must balance, see ledger_balance().
 */
#ifndef SIMGATE_TESTS_SIM_LEDGER_H
#define SIMGATE_TESTS_SIM_LEDGER_H

#include "base/buf.h"
#include "hw/sim/simnet.h"
#include "store/store.h"

enum { LEDGER_MAX_PARTS = 16 };

/* A message that a producer wants sent. */
struct ledger_out {
    bool accepted; /* its admission was confirmed */
    bool refused;  /* its admission was refused for good */
    int64_t id;    /* as confirmed */
    int parts;
    int submits[LEDGER_MAX_PARTS]; /* times the network took each part */
    int blind[LEDGER_MAX_PARTS];   /* of these, repeats without TP-RD */
    int64_t first_ms;              /* when the network first took something of it; 0: never */
};

/* A message that a customer sent. */
struct ledger_in {
    bool injected;
    bool broken; /* the network or modem lost a part by a fault that loses */
    int parts;
    int removed; /* parts that the gateway deleted or acknowledged */
    int rows;    /* messages of it in the store at the end */
};

struct ledger {
    struct ledger_out *outs;
    int nouts, out_cap;
    struct ledger_in *ins;
    int nins, in_cap;
    uint64_t submits, removals, replies;
    /* The message that used a concatenation reference last: a part too short for a whole "oN." belongs to it.
     */
    struct {
        char peer[SIMNET_PEER_BYTES];
        int parts, n;
    } refs[256];
    struct buf problems; /* a line each; empty: all is well */
    int nproblems;
    int verbose;
    bool told;       /* texts without a mark are the story's own, which keeps account of them itself */
    bool lossy_line; /* bytes change on the line: what is read may be wrong, and a wrong message may be
                        deleted */
};

void ledger_fini(struct ledger *l);
int ledger_new_out(struct ledger *l); /* its number N */
int ledger_new_in(struct ledger *l);
/* "oN." or "iN." repeated to about `bytes`, with `spice` (UTF-8, may be "") at the front. */
void ledger_text(char mark, int n, size_t bytes, const char *spice, struct buf *out);

/* To be called for each event of the network. `stored`: is this PDU in the database now? */
void ledger_event(struct ledger *l, const struct simnet_event *ev,
                  bool (*stored)(void *arg, const uint8_t *pdu, size_t len), void *arg);

void ledger_problem(struct ledger *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A message as the store holds it at the end. */
void ledger_row(struct ledger *l, const struct msg_row *row);

#endif
