/* Each kind of modem with each fault of the simulated modem: traffic before, during and after it; the account
 * balances, and the time from the fault's end until messages pass again, both ways, is printed and bounded.
 *
 * The bounds: a modem that hangs is back 60 s after the time of the command that hung (two minutes for a
 * submission), one that was unplugged 10 s after it was put back; a message that a modem with a full memory
 * or without network could not take is offered by the network again after half a minute. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/runs.h"

enum {
    STEP_MS = 100,
    READY_MS = 180000,
    GIVE_UP_MS = 3600000,
    COMMAND_MS = 120000, /* of a submission */
    NETWORK_MS = 30000,  /* the network's own pause */
    PASS_MS = 10000,     /* nothing to recover from: the messages before it, and some */
};

#define HUNG(ms) ((ms) < COMMAND_MS ? COMMAND_MS - (ms) + 60000 : 60000)

/* `lasts_ms` from its beginning it is over, by itself or by `undo`. */
static const struct fault_case {
    const char *name, *args;
    int64_t lasts_ms;
    const char *undo, *undo_args;
    int64_t bound_ms;
    bool bytes; /* changes what passes on the line */
} cases[] = {
    {"silence", "20000", 20000, NULL, NULL, HUNG(20000), false},
    {"silence", "200000", 200000, NULL, NULL, HUNG(200000), false},
    {"garbage", "0.02 5000", 5000, NULL, NULL, HUNG(5000), true},
    {"drop", "0.02 5000", 5000, NULL, NULL, HUNG(5000), true},
    {"double", "0.02 5000", 5000, NULL, NULL, HUNG(5000), true},
    {"late", "4000 3", 4000, NULL, NULL, HUNG(4000), false},
    {"late", "130000", 130000, NULL, NULL, HUNG(130000), false},
    {"ok_lost", "1", 0, NULL, NULL, HUNG(0), false},
    {"prompt_bare", "3", 0, NULL, NULL, PASS_MS, false},
    {"prompt_missing", "1", 0, NULL, NULL, 60000, false},
    {"urc_inside", "5", 0, NULL, NULL, PASS_MS, false},
    {"error", "3", 0, NULL, NULL, 60000, false},
    {"cms", "38 2", 0, NULL, NULL, 60000, false},
    {"cms", "500", 0, NULL, NULL, 60000, false},
    {"cms_rate", "42 0.5 60000", 60000, NULL, NULL, 60000, false},
    {"cme", "14 3", 0, NULL, NULL, 60000, false},
    {"reboot", "5000", 5000, NULL, NULL, HUNG(5000), false},
    {"vanish", "5000", 5000, NULL, NULL, 10000, false},
    {"vanish", "900000", 900000, NULL, NULL, 10000, false},
    {"vanish", NULL, 60000, "return", NULL, 10000, false},
    {"no_network", "60000", 60000, NULL, NULL, NETWORK_MS + 60000, false},
    {"registration", "3", 60000, "registration", "1", NETWORK_MS + 60000, false},
    {"signal", "99", 60000, "signal", "20", PASS_MS, false},
    {"memory_full", "60000", 60000, NULL, NULL, NETWORK_MS + PASS_MS, false},
    {"capacity", "SM 2", 60000, "clear", NULL, NETWORK_MS + PASS_MS, false},
    {"sim_out", NULL, 30000, "sim_in", NULL, 60000, false},
    {"mr", "254", 0, NULL, NULL, PASS_MS, false},
    {"report_lost", "2", 0, NULL, NULL, PASS_MS, false},
    {"report_late", "60000 2", 0, NULL, NULL, PASS_MS, false},
    {"report_double", "2", 0, NULL, NULL, PASS_MS, false},
    {"report_status", "46 2", 0, NULL, NULL, PASS_MS, false},
    {"report_shuffle", "3", 0, NULL, NULL, PASS_MS, false},
    {"duplicate", "3 2", 0, NULL, NULL, PASS_MS, false},
    {"parts_shuffled", "2", 0, NULL, NULL, PASS_MS, false},
};

static bool ready(const struct world *w)
{
    return w->alive && modem_carrier(w->modems[0])->state == CARRIER_READY;
}

static void await_ready(struct world *w)
{
    int64_t until = rt_sim_now(w->rt) + READY_MS;

    while (!ready(w) && rt_sim_now(w->rt) < until)
        world_run(w, STEP_MS);
    if (!ready(w))
        ledger_problem(&w->ledger, "not ready after %d s: %s", READY_MS / 1000,
                       modem_carrier(w->modems[0])->reason);
}

static void exchange(struct world *w)
{
    world_send(w, 0, "+491601000001", 40, "");
    world_send(w, 0, "+491601000002", 300, "");
    world_text(w, 0, "+491601000003", 40, "");
    world_text(w, 0, "+491601000004", 300, "Grüße ");
}

/* Until a new message each way has passed. */
static int64_t recover(struct world *w)
{
    int64_t begun_ms = rt_sim_now(w->rt);
    int out = world_send(w, 0, "+491601000005", 30, ""), in = world_text(w, 0, "+491601000005", 30, "");

    while (rt_sim_now(w->rt) - begun_ms < GIVE_UP_MS) {
        world_run(w, STEP_MS);
        if (ready(w) && w->ledger.outs[out].first_ms && w->ledger.ins[in].removed)
            break;
    }
    return rt_sim_now(w->rt) - begun_ms;
}

static int64_t one_cell(struct totals *t, const char *personality, const struct fault_case *f, int verbose)
{
    enum { MID_MESSAGE_MS = 400 };
    struct world_conf c = {.seed = 1,
                           .modems = 1,
                           .personalities = {personality},
                           .net_ms = 300,
                           .on_unknown = ON_UNKNOWN_RESEND,
                           .report = true,
                           .verbose = verbose};
    struct world *w = world_new(&c);
    char what[96];
    int64_t took_ms;

    snprintf(what, sizeof what, "%s with %s %s", personality, f->name, f->args ? f->args : "");
    w->ledger.lossy_line = f->bytes;
    world_start(w);
    await_ready(w);
    exchange(w);
    world_run(w, MINUTE);
    exchange(w);
    world_run(w, MID_MESSAGE_MS);
    world_fault(w, 0, f->name, f->args);
    exchange(w);
    world_run(w, f->lasts_ms);
    if (f->undo)
        world_fault(w, 0, f->undo, f->undo_args);
    took_ms = recover(w);
    if (took_ms > f->bound_ms)
        ledger_problem(&w->ledger, "messages pass again after %lld s, not within %lld s: %s",
                       (long long)(took_ms / 1000), (long long)(f->bound_ms / 1000),
                       modem_carrier(w->modems[0])->reason);
    world_settle(w, 2 * DAY);
    run_finish(t, w, what);
    return took_ms;
}

/* A fault that the simulated modem has learnt belongs here too. */
static void check_complete(struct totals *t)
{
    const char *usage;

    for (size_t i = 0; (usage = simmodem_fault_usage(i)); i++) {
        size_t len = strcspn(usage, " ");
        bool known =
            !strncmp(usage, "clear", len) || !strncmp(usage, "return", len) || !strncmp(usage, "sim_in", len);

        for (size_t k = 0; k < ARRAY_LEN(cases); k++)
            known = known || (strlen(cases[k].name) == len && !strncmp(usage, cases[k].name, len));
        if (known)
            continue;
        printf("no case has the fault \"%s\"\n", usage);
        t->runs++;
        t->failed++;
    }
}

static bool wanted(const char *name, const char *only)
{
    return !only || !strcmp(name, only);
}

/* Rows are the faults, columns the kinds of modems, the cells are seconds. */
void matrix(struct totals *t, const char *personality, const char *fault, int verbose)
{
    enum { KINDS = 32 };
    const char *kinds[KINDS];
    int n = 0;

    for (size_t i = 0; simmodem_personality(i) && n < KINDS; i++)
        if (wanted(simmodem_personality(i), personality))
            kinds[n++] = simmodem_personality(i);
    if (!personality && !fault)
        check_complete(t);
    printf("%-28s bound", "seconds until messages pass");
    for (int i = 0; i < n; i++)
        printf(" %s", kinds[i]);
    printf("\n");
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        const struct fault_case *f = &cases[k];
        int64_t took_ms[KINDS];

        if (!wanted(f->name, fault))
            continue;
        for (int i = 0; i < n; i++)
            took_ms[i] = one_cell(t, kinds[i], f, verbose);
        printf("%-14s %-13s %5lld", f->name, f->args ? f->args : "", (long long)(f->bound_ms / 1000));
        for (int i = 0; i < n; i++)
            printf(" %*.1f", (int)strlen(kinds[i]), (double)took_ms[i] / 1000);
        printf("\n");
        fflush(stdout);
    }
}
