/* Sixteen modems of all kinds, a simulated week, faults and deaths of the process at random. At the end, when
 * the faults are over, the account balances, every modem is ready and no alarm is left on. */
#include <stdio.h>

#include "base/util.h"
#include "tests/sim/runs.h"

enum { FAULT_ONE_IN = 3, DEATH_ONE_IN = 40 };

/* Those that change bytes on the line are left to the other runs: nobody can be held to an exact account
 * there, and a week of them spoils every one. */
static const struct {
    const char *name, *args;
} faults[] = {
    {"silence", "20000"},
    {"silence", "400000"},
    {"silence", "7200000"},
    {"late", "4000 3"},
    {"late", "130000"},
    {"ok_lost", "1"},
    {"prompt_bare", "3"},
    {"prompt_missing", "2"},
    {"urc_inside", "5"},
    {"error", "3"},
    {"cms", "38 4"},
    {"cms", "500 2"},
    {"cms", "21 3"},
    {"cms", "332 3"},
    {"cms_rate", "42 0.3 3600000"},
    {"cme", "14 3"},
    {"cme", "100 5"},
    {"reboot", "3000"},
    {"reboot", NULL},
    {"vanish", "5000"},
    {"vanish", "7200000"},
    {"no_network", "120000"},
    {"no_network", "7200000"},
    {"registration", "3"},
    {"registration", "5"},
    {"memory_full", "600000"},
    {"sim_out", NULL},
    {"sim_in", NULL},
    {"signal", "99"},
    {"mr", "250"},
    {"report_lost", "2"},
    {"report_late", "60000 2"},
    {"report_double", "2"},
    {"report_shuffle", "3"},
    {"duplicate", "3"},
    {"parts_shuffled", "2"},
    {"wedge", NULL},
    {"wedge", NULL},
    {"power", NULL},
    {"index_lost", "2"},
    {"clear", NULL},
};

static void fault(struct world *w)
{
    size_t i = run_pick(w, ARRAY_LEN(faults));

    world_fault(w, (int)run_pick(w, (uint64_t)w->conf.modems), faults[i].name, faults[i].args);
}

/* What a modem was refused for long can only be seen to be over when it may do it again. */
static void make_each_send(struct world *w)
{
    for (int i = 0; i < w->conf.modems; i++) {
        world_fault(w, i, "clear", NULL);
        world_fault(w, i, "return", NULL);
        world_fault(w, i, "sim_in", NULL);
    }
    world_run(w, 20 * MINUTE);
    for (int i = 0; i < w->conf.modems; i++)
        world_send(w, i, run_customer(w), 40, "");
}

static void week(struct world *w)
{
    int64_t end = rt_sim_now(w->rt) + 7 * DAY;
    struct death death = {.at = UINT64_MAX};

    rt_sim_on_work(w->rt, run_dies, &death);
    while (w->alive && rt_sim_now(w->rt) < end) {
        run_traffic(w);
        if (run_pick(w, FAULT_ONE_IN) == 0)
            fault(w);
        if (run_pick(w, DEATH_ONE_IN) == 0)
            run_plan_death(w, &death);
        world_run(w, (int64_t)run_pick(w, 40 * MINUTE));
    }
    rt_sim_on_work(w->rt, NULL, NULL);
    if (w->alive)
        make_each_send(w);
    world_settle(w, 4 * DAY);
}

static void choose_kinds(struct world_conf *c)
{
    size_t kinds = 0;

    while (simmodem_personality(kinds))
        kinds++;
    for (int i = 0; i < c->modems && kinds; i++)
        c->personalities[i] = simmodem_personality((c->seed + (uint64_t)i) % kinds);
}

void chaos(struct totals *t, uint64_t first, uint64_t last, uint64_t step, int verbose)
{
    for (uint64_t seed = first; seed <= last; seed += step) {
        struct world_conf c = {.seed = seed,
                               .modems = WORLD_MODEMS,
                               .net_ms = 2000,
                               .on_unknown = ON_UNKNOWN_RESEND,
                               .plan = seed % 4 == 0 ? MODEM_PLAN_DIRECT : MODEM_PLAN_AUTO,
                               .report = seed % 5 != 0,
                               .power_loss = seed % 2,
                               .sweep_ms = 20 * MINUTE,
                               .verbose = verbose};
        choose_kinds(&c);
        struct world *w = world_new(&c);

        if (world_start(w))
            week(w);
        run_finish(t, w, "chaos");
    }
}
