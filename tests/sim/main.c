/* The whole gateway on simulated time.
 *
 *   simulation --seeds FIRST:LAST[:STEP]   one world a seed: hours of traffic with random faults and crashes
 *   simulation --every-commit              a short story, again and again, dying before and after each commit
 *   simulation --month [--seed N]          thirty days of mixed traffic
 *   simulation --seed N [-v [-v]]          one seed, told
 *   simulation --chaos FIRST:LAST[:STEP]   sixteen modems of all kinds, a week each
 *   simulation --complaints                what users of gateways complain of, a story each
 *   simulation --shop [--seed WORK]        engine and desk: a shop's story, dying before and after each
 * commit simulation --pins FIRST:LAST[:STEP]    PINs: restarts, deaths, reloads, errors, moved SIMs
 *   simulation --matrix                    each kind of modem with each fault: seconds until messages pass
 * again simulation --cell PERSONALITY FAULT    one of these (PERSONALITY "all": each)
 *
 * Every run prints what does not balance, with the seed that brings it back. Ends with "N passed, N failed".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/runs.h"

static const char *const customers[] = {"+491601000001", "+491601000002", "+491601000003", "+436641000004"};

/* Faults of modems and network, with how often and with what. Those that change bytes on the line are apart:
 * without checksums on a serial line nobody can be held to an exact account. */
struct fault {
    const char *name, *args;
    bool bytes;
};
static const struct fault faults[] = {
    {"silence", "20000", false},
    {"silence", "300000", false},
    {"late", "4000", false},
    {"late", "130000", false},
    {"ok_lost", "1", false},
    {"prompt_bare", "3", false},
    {"prompt_missing", "1", false},
    {"urc_inside", "3", false},
    {"error", "2", false},
    {"cms", "38 2", false},
    {"cms", "500", false},
    {"cms", "332 3", false},
    {"cms_rate", "42 0.3 600000", false},
    {"cme", "14 2", false},
    {"reboot", "3000", false},
    {"vanish", "20000", false},
    {"vanish", "900000", false},
    {"no_network", "120000", false},
    {"memory_full", "200000", false},
    {"mr", "250", false},
    {"report_lost", "1", false},
    {"report_late", "60000 2", false},
    {"report_double", "2", false},
    {"report_shuffle", "3", false},
    {"duplicate", "3", false},
    {"parts_shuffled", "2", false},
    {"garbage", "0.02 5000", true},
    {"drop", "0.01 5000", true},
    {"double", "0.01 5000", true},
};

static void fault(struct world *w, bool bytes)
{
    const struct fault *f;
    int m = (int)run_pick(w, (uint64_t)w->conf.modems);

    do
        f = &faults[run_pick(w, ARRAY_LEN(faults))];
    while (f->bytes && !bytes);
    world_fault(w, m, f->name, f->args);
}

struct plan {
    int64_t length_ms, pause_ms; /* mean time between two events of traffic */
    int faults, crashes;         /* one in so many events is a fault, a crash; 0 none */
    bool bytes;
};

static void live(struct world *w, const struct plan *p)
{
    int64_t end = rt_sim_now(w->rt) + p->length_ms;
    struct death death = {.at = UINT64_MAX};

    w->ledger.lossy_line = p->bytes;
    rt_sim_on_work(w->rt, run_dies, &death);
    while (w->alive && rt_sim_now(w->rt) < end) {
        run_traffic(w);
        if (p->faults && run_pick(w, (uint64_t)p->faults) == 0)
            fault(w, p->bytes);
        if (p->crashes && run_pick(w, (uint64_t)p->crashes) == 0)
            run_plan_death(w, &death);
        world_run(w, (int64_t)run_pick(w, (uint64_t)p->pause_ms * 2));
    }
    world_settle(w, 4 * DAY);
}

static struct world_conf conf_of(uint64_t seed, int verbose)
{
    static const int64_t net_ms[] = {0, 50, 1500, 4000};

    return (struct world_conf){.seed = seed,
                               .modems = 1 + (int)(seed % WORLD_MODEMS),
                               .net_ms = net_ms[seed / 4 % 4],
                               .on_unknown = (enum gateway_on_unknown)(seed / 3 % 3),
                               .plan = seed % 7 == 0 ? MODEM_PLAN_DIRECT : MODEM_PLAN_STORE,
                               .report = seed % 5 != 0,
                               .power_loss = seed / 2 % 2,
                               .verbose = verbose};
}

static void run_world(struct totals *t, const struct world_conf *c, const struct plan *p, const char *what)
{
    struct world *w = world_new(c);

    if (world_start(w))
        live(w, p);
    run_finish(t, w, what);
}

/* Each accepted message ends in exactly one final state, none is sent twice unmarked, each inbound PDU is
 * stored before it is acknowledged and exactly once; whatever modems, network and the process do. */
static void seeds(struct totals *t, uint64_t first, uint64_t last, uint64_t step, int verbose)
{
    for (uint64_t seed = first; seed <= last; seed += step) {
        struct world_conf c = conf_of(seed, verbose);
        struct plan p = {.length_ms = 2 * HOUR,
                         .pause_ms = 2 * MINUTE,
                         .faults = seed % 4 ? 6 : 0,
                         .crashes = seed % 3 ? 12 : 0,
                         .bytes = seed % 11 == 0};

        run_world(t, &c, &p, "world");
    }
}

/* The short story that dies at each of its commits: a long and a short text out, a long and a short one in.
 */
static void story(struct world *w)
{
    world_run(w, 20000);
    world_send(w, -1, customers[0], 40, "");
    world_send(w, -1, customers[1], 400, "");
    world_text(w, 0, customers[2], 40, "");
    world_text(w, 0, customers[3], 300, "");
    world_run(w, 60000);
    world_settle(w, DAY);
}

static bool story_with_death(struct totals *t, struct world_conf c, struct death death)
{
    struct world *w = world_new(&c);
    uint64_t at = death.at;
    bool came;

    rt_sim_on_work(w->rt, run_dies, &death);
    if (world_start(w))
        story(w);
    came = w->lives > 1;
    if (!run_finish(t, w,
                    death.moment == RT_SIM_BEFORE_RUN ? "death before a commit" : "death after a commit"))
        printf("    (work %llu)\n", (unsigned long long)at);
    return came;
}

static void every_commit(struct totals *t)
{
    for (int kind = 0; kind < 8; kind++) {
        struct world_conf c = {.seed = 1,
                               .modems = 1,
                               .net_ms = 1000,
                               .on_unknown = kind & 1 ? ON_UNKNOWN_RESEND : ON_UNKNOWN_HOLD,
                               .power_loss = kind & 2,
                               .plan = kind & 4 ? MODEM_PLAN_DIRECT : MODEM_PLAN_STORE,
                               .report = true};

        for (uint64_t n = 1; story_with_death(t, c, (struct death){n, RT_SIM_BEFORE_RUN}); n++)
            story_with_death(t, c, (struct death){n, RT_SIM_BEFORE_DONE});
    }
}

static void month(struct totals *t, uint64_t seed, int verbose)
{
    struct world_conf c = {.seed = seed,
                           .modems = 3,
                           .net_ms = 2500,
                           .on_unknown = ON_UNKNOWN_RESEND,
                           .report = true,
                           .verbose = verbose};
    struct plan p = {.length_ms = 30 * DAY, .pause_ms = 5 * MINUTE, .faults = 10, .crashes = 40};

    run_world(t, &c, &p, "month");
}

static int usage(void)
{
    fputs("usage: simulation [--seeds FIRST:LAST[:STEP]] [--every-commit] [--month] [--seed N]\n"
          "                  [--complaints] [--shop] [--chaos FIRST:LAST[:STEP]] [--pins FIRST:LAST[:STEP]] "
          "[--matrix] [--cell "
          "PERSONALITY FAULT] [-v]\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned long long first = 1, last = 20, step = 1, seed = 0;
    bool do_seeds = false, do_month = false, do_commits = false, do_chaos = false, do_matrix = false,
         do_pins = false, do_complaints = false, do_shop = false;
    const char *personality = NULL, *fault_name = NULL;
    struct totals t = {0};
    int verbose = 0;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--seeds") && i + 1 < argc)
            do_seeds = sscanf(argv[++i], "%llu:%llu:%llu", &first, &last, &step) >= 2;
        else if (!strcmp(argv[i], "--chaos") && i + 1 < argc)
            do_chaos = sscanf(argv[++i], "%llu:%llu:%llu", &first, &last, &step) >= 2;
        else if (!strcmp(argv[i], "--pins") && i + 1 < argc)
            do_pins = sscanf(argv[++i], "%llu:%llu:%llu", &first, &last, &step) >= 2;
        else if (!strcmp(argv[i], "--complaints"))
            do_complaints = true;
        else if (!strcmp(argv[i], "--shop"))
            do_shop = true;
        else if (!strcmp(argv[i], "--matrix"))
            do_matrix = true;
        else if (!strcmp(argv[i], "--cell") && i + 2 < argc) {
            personality = strcmp(argv[++i], "all") ? argv[i] : NULL;
            fault_name = argv[++i];
            do_matrix = true;
        } else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--month"))
            do_month = true;
        else if (!strcmp(argv[i], "--every-commit"))
            do_commits = true;
        else if (!strcmp(argv[i], "-v"))
            verbose++;
        else
            return usage();
    }
    if (do_commits)
        every_commit(&t);
    if (do_month)
        month(&t, seed ? seed : 1, verbose);
    else if (seed && !do_shop)
        seeds(&t, seed, seed, 1, verbose);
    if (do_chaos)
        chaos(&t, first, last, step, verbose);
    if (do_complaints)
        complaints(&t, verbose);
    if (do_shop)
        shop(&t, seed, verbose);
    if (do_pins)
        pins_stories(&t, first, last, step, verbose);
    if (do_matrix)
        matrix(&t, personality, fault_name, verbose);
    if (do_seeds)
        seeds(&t, first, last, step, verbose);
    printf("# %llu worlds, %llu simulated hours, %llu lives, %llu messages out, %llu in, %llu parts on the "
           "air\n",
           (unsigned long long)t.runs, (unsigned long long)t.hours, (unsigned long long)t.lives,
           (unsigned long long)t.outs, (unsigned long long)t.ins, (unsigned long long)t.submits);
    printf("%llu passed, %llu failed\n", (unsigned long long)(t.runs - t.failed),
           (unsigned long long)t.failed);
    return t.failed ? 1 : 0;
}
