/* The runtime of base/rt.h on a clock that is a variable.
 *
 * Nothing happens by itself: a test steps from event to event. Events of one instant come in the order in
 * which they were asked for. Work is done on the same thread: `run` some milliseconds after it was asked for,
 * `done` some more after that, both drawn from the seed.
 *
 * There are two handles on one clock. The life's (rt_sim_new) is given to the daemon's objects; a crash
 * (rt_sim_drop) forgets its timers and its work, as a killed process does. The world's (rt_sim_world) is for
 * modems, networks and the test itself, which go on.
 */
#ifndef SIMGATE_TESTS_LIB_RT_SIM_H
#define SIMGATE_TESTS_LIB_RT_SIM_H

#include "base/rt.h"

/* The clock starts at RT_SIM_START_MS (not 0: zero is "not armed" in too many places to hide a mistake), wall
 * time at 2026-11-21T09:00:00Z. */
enum { RT_SIM_START_MS = 1000 };
#define RT_SIM_START_WALL_MS INT64_C(1795251600000)

struct rt *rt_sim_new(uint64_t seed);
void rt_sim_free(struct rt *rt);
struct rt *rt_sim_world(struct rt *rt);

/* The seed from the environment (SEED), or `otherwise`. Prints it, so that a failing run can be repeated. */
uint64_t rt_sim_seed(uint64_t otherwise);

int64_t rt_sim_now(struct rt *rt);
void rt_sim_jump_wall(struct rt *rt, int64_t by_ms); /* somebody sets the clock */
uint64_t rt_sim_random(struct rt *rt, uint64_t below);

/* How long work takes: until `run` and again until `done`, each 0 to max_ms. Default 2. */
void rt_sim_set_work_ms(struct rt *rt, unsigned max_ms);

/* The next event, the clock set to its time. False: there is none, or a crash was asked for. */
bool rt_sim_step(struct rt *rt);
/* All events up to and with at_ms; the clock then stands at at_ms. False: a crash was asked for on the way
 * (the clock stands at its instant). */
bool rt_sim_run_until(struct rt *rt, int64_t at_ms);
bool rt_sim_run_for(struct rt *rt, int64_t ms);
/* Until cond(arg) is true, at most for_ms. What cond said last; false after a crash. */
bool rt_sim_run_till(struct rt *rt, bool (*cond)(void *arg), void *arg, int64_t for_ms);

/* ---- crashes ---- */

enum rt_sim_moment { RT_SIM_BEFORE_RUN, RT_SIM_BEFORE_DONE };

/* Called before each `run` and each `done`, with the work's number from 1. True: the process dies at this
 * instant: the event does not happen, stepping stops (rt_sim_crashed() is true) until rt_sim_drop(). */
void rt_sim_on_work(struct rt *rt, bool (*hook)(void *arg, enum rt_sim_moment moment, uint64_t number),
                    void *arg);
bool rt_sim_crashed(struct rt *rt);
void rt_sim_crash(struct rt *rt); /* the process dies now, from within any event */
/* Forgets the life's timers and work; nothing of them is called. Before or after their owners are freed, but
 * owners that are not freed must not believe that their timers are still armed. */
void rt_sim_drop(struct rt *rt);

/* ---- figures ---- */

uint64_t rt_sim_wakeups(struct rt *rt); /* timers fired and work done in the life, ever */
uint64_t rt_sim_works(struct rt *rt);   /* works asked for, ever */
/* Counts one more wake-up of the life: a port's bytes, for instance. */
void rt_sim_count_wakeup(struct rt *rt);

#endif
