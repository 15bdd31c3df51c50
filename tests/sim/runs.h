/* What the kinds of runs share: traffic, faults, and the sum over worlds. Each kind is in a file of its own.
 */
#ifndef SIMGATE_TESTS_SIM_RUNS_H
#define SIMGATE_TESTS_SIM_RUNS_H

#include "tests/sim/world.h"

#define MINUTE 60000LL
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct totals {
    uint64_t runs, failed, outs, ins, submits, lives, hours;
};

/* Prints what does not balance, adds to the sum, frees the world; true when all balances. */
bool run_finish(struct totals *t, struct world *w, const char *what);

uint64_t run_pick(struct world *w, uint64_t below); /* from the world's seed */
const char *run_customer(struct world *w);
/* One text more, in or out, by any modem. */
void run_traffic(struct world *w);

/* One process death at the n-th piece of work from now, before it runs or before its result is known. */
struct death {
    uint64_t at; /* UINT64_MAX: none */
    enum rt_sim_moment moment;
};
/* For rt_sim_on_work(); arg: a struct death. */
bool run_dies(void *arg, enum rt_sim_moment moment, uint64_t number);
void run_plan_death(struct world *w, struct death *d);

/* ---- chaos.c: sixteen modems of all kinds, a week, faults and deaths at random ---- */
void chaos(struct totals *t, uint64_t first, uint64_t last, uint64_t step, int verbose);

/* ---- matrix.c: each kind of modem with each fault; prints the seconds until messages pass again ---- */
/* A personality's or a fault's name, to run no others; NULL: all. */
void matrix(struct totals *t, const char *personality, const char *fault, int verbose);

/* ---- complaints.c: what users of gateways complain of, a story each ---- */
void complaints(struct totals *t, int verbose);

/* ---- shop.c: rules, relay, survey, webhooks, a campaign, with a death at each commit ---- */
/* `only`: a death at this piece of work; 0: at each. */
void shop(struct totals *t, uint64_t only, int verbose);

/* ---- pins.c: no sequence of events spends a SIM's last tries ---- */
void pins_stories(struct totals *t, uint64_t first, uint64_t last, uint64_t step, int verbose);

#endif
