#include "tests/sim/runs.h"

#include <stdio.h>

#include "base/util.h"

static const char *const customers[] = {"+491601000001", "+491601000002", "+491601000003", "+436641000004",
                                        "+441632960005"};
static const char *const spices[] = {"", "", "", "Grüße ", "{[€]} ", "Привет ", "🙂 "};

uint64_t run_pick(struct world *w, uint64_t below)
{
    return rt_sim_random(w->outside, below);
}

const char *run_customer(struct world *w)
{
    return customers[run_pick(w, ARRAY_LEN(customers))];
}

static size_t some_bytes(struct world *w)
{
    return run_pick(w, 4) ? 20 + run_pick(w, 100) : 150 + run_pick(w, 500);
}

void run_traffic(struct world *w)
{
    const char *who = run_customer(w);
    const char *spice = spices[run_pick(w, ARRAY_LEN(spices))];

    if (run_pick(w, 2))
        world_send(w, -1, who, some_bytes(w), spice);
    else
        world_text(w, (int)run_pick(w, (uint64_t)w->conf.modems), who, some_bytes(w), spice);
}

bool run_dies(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    struct death *d = arg;

    if (number < d->at || moment != d->moment)
        return false;
    d->at = UINT64_MAX;
    return true;
}

void run_plan_death(struct world *w, struct death *d)
{
    enum { WORKS = 20 };

    *d = (struct death){rt_sim_works(w->rt) + run_pick(w, WORKS),
                        run_pick(w, 2) ? RT_SIM_BEFORE_RUN : RT_SIM_BEFORE_DONE};
}

bool run_finish(struct totals *t, struct world *w, const char *what)
{
    bool good = !w->ledger.nproblems;

    if (!good || w->conf.verbose)
        printf("%s: seed %llu: %d problems, %d lives, %d out, %d in\n%s", what,
               (unsigned long long)w->conf.seed, w->ledger.nproblems, w->lives, w->ledger.nouts,
               w->ledger.nins, buf_str(&w->ledger.problems));
    fflush(stdout);
    t->runs++;
    t->failed += !good;
    t->outs += (uint64_t)w->ledger.nouts;
    t->ins += (uint64_t)w->ledger.nins;
    t->submits += w->ledger.submits;
    t->lives += (uint64_t)w->lives;
    t->hours += (uint64_t)(rt_sim_now(w->rt) / HOUR);
    world_free(w);
    return good;
}
