/* Each kind of modem with each fault of the simulated modem: traffic before, during and after it; the account
 * balances, and the time from the fault's end until messages pass again, both ways, is printed and bounded.
 *
 * The bounds: a modem that hangs is back 60 s after the time of the command that hung (two minutes for a
 * submission, where its profile says no other), one that was unplugged 10 s after it was put back; a message
 * that a modem with a full memory or without network could not take is offered by the network again after
 * half a minute. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/runs.h"

enum {
    STEP_MS = 100,
    READY_MS = 180000,
    GIVE_UP_MS = 3600000,
    COMMAND_MS = 120000, /* of a submission, in which each fault falls */
    HUNG_MS = 60000,
    WEDGED_MS = 180000, /* the whole ladder is climbed, to the relay at its end */
    UNPLUGGED_MS = 10000,
    NETWORK_MS = 30000, /* the network's own pause */
    PASS_MS = 15000, /* nothing to recover from: three parts before it, the slowest need four seconds each */
};

enum {
    HANGS = 1,    /* bound_ms begins at the end of the time of the command that is hit */
    BYTES = 2,    /* changes what passes on the line */
    TOLD_500 = 4, /* only of families with QUIRK_SENDS_WITH_500 it is known that an error may mean success */
};

/* `lasts_ms` from its beginning it is over, by itself or by `undo`. */
static const struct fault_case {
    const char *name, *args;
    int64_t lasts_ms;
    const char *undo, *undo_args;
    int64_t bound_ms;
    unsigned flags;
} cases[] = {
    {"silence", "20000", 20000, NULL, NULL, HUNG_MS, HANGS},
    {"silence", "200000", 200000, NULL, NULL, HUNG_MS, HANGS},
    {"garbage", "0.02 5000", 5000, NULL, NULL, HUNG_MS, HANGS | BYTES},
    {"drop", "0.02 5000", 5000, NULL, NULL, HUNG_MS, HANGS | BYTES},
    {"double", "0.02 5000", 5000, NULL, NULL, HUNG_MS, HANGS | BYTES},
    /* Nothing but its power helps. */
    {"wedge", NULL, 0, NULL, NULL, WEDGED_MS, HANGS},
    {"power", NULL, 0, NULL, NULL, HUNG_MS, HANGS},
    {"late", "4000 3", 4000, NULL, NULL, HUNG_MS, HANGS},
    {"late", "130000", 130000, NULL, NULL, HUNG_MS, HANGS},
    {"ok_lost", "1", 0, NULL, NULL, HUNG_MS, HANGS},
    {"prompt_bare", "3", 0, NULL, NULL, PASS_MS, 0},
    {"prompt_missing", "1", 0, NULL, NULL, 60000, 0},
    {"urc_inside", "5", 0, NULL, NULL, PASS_MS, 0},
    {"error", "3", 0, NULL, NULL, 60000, 0},
    {"cms", "38 2", 0, NULL, NULL, 60000, 0},
    {"cms", "500", 0, NULL, NULL, 60000, 0},
    {"sent_500", "1", 0, NULL, NULL, 60000, TOLD_500},
    {"cms_rate", "42 0.5 60000", 60000, NULL, NULL, 60000, 0},
    {"cme", "14 3", 0, NULL, NULL, 60000, 0},
    {"reboot", "5000", 5000, NULL, NULL, HUNG_MS, HANGS},
    {"vanish", "5000", 5000, NULL, NULL, UNPLUGGED_MS, 0},
    {"vanish", "900000", 900000, NULL, NULL, UNPLUGGED_MS, 0},
    {"vanish", NULL, 60000, "return", NULL, UNPLUGGED_MS, 0},
    {"no_network", "60000", 60000, NULL, NULL, NETWORK_MS + 60000, 0},
    {"registration", "3", 60000, "registration", "1", NETWORK_MS + 60000, 0},
    {"signal", "99", 60000, "signal", "20", PASS_MS, 0},
    {"memory_full", "60000", 60000, NULL, NULL, NETWORK_MS + PASS_MS, 0},
    {"capacity", "SM 2", 60000, "clear", NULL, NETWORK_MS + PASS_MS, 0},
    {"sim_out", NULL, 30000, "sim_in", NULL, 60000, 0},
    {"index_lost", "2", 0, NULL, NULL, PASS_MS, 0},
    {"mr", "254", 0, NULL, NULL, PASS_MS, 0},
    {"report_lost", "2", 0, NULL, NULL, PASS_MS, 0},
    {"report_late", "60000 2", 0, NULL, NULL, PASS_MS, 0},
    {"report_double", "2", 0, NULL, NULL, PASS_MS, 0},
    {"report_status", "46 2", 0, NULL, NULL, PASS_MS, 0},
    {"report_shuffle", "3", 0, NULL, NULL, PASS_MS, 0},
    {"duplicate", "3 2", 0, NULL, NULL, PASS_MS, 0},
    {"parts_shuffled", "2", 0, NULL, NULL, PASS_MS, 0},
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
    int out = world_send_urgent(w, 0, "+491601000005", 30), in = world_text(w, 0, "+491601000005", 30, "");

    while (rt_sim_now(w->rt) - begun_ms < GIVE_UP_MS) {
        world_run(w, STEP_MS);
        if (ready(w) && w->ledger.outs[out].first_ms && w->ledger.ins[in].removed)
            break;
    }
    return rt_sim_now(w->rt) - begun_ms;
}

/* From the fault's end. */
static int64_t bound(const struct world *w, const struct fault_case *f)
{
    int64_t own_ms = modem_profile(w->modems[0])->timeout_ms[AT_SEND];
    int64_t left_ms = (own_ms ? own_ms : COMMAND_MS) - f->lasts_ms;

    return f->bound_ms + ((f->flags & HANGS) && left_ms > 0 ? left_ms : 0);
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
    int64_t took_ms, bound_ms;

    snprintf(what, sizeof what, "%s with %s %s", personality, f->name, f->args ? f->args : "");
    w->ledger.lossy_line = f->flags & BYTES;
    world_start(w);
    await_ready(w);
    bound_ms = bound(w, f);
    if ((f->flags & TOLD_500) && !(modem_profile(w->modems[0])->quirks & QUIRK_SENDS_WITH_500)) {
        world_free(w);
        return -1;
    }
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
    if (took_ms > bound_ms)
        ledger_problem(&w->ledger, "messages pass again after %lld s, not within %lld s: %s",
                       (long long)(took_ms / 1000), (long long)(bound_ms / 1000),
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
    printf("%-28s", "seconds until messages pass");
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
        printf("%-14s %-13s", f->name, f->args ? f->args : "");
        for (int i = 0; i < n; i++)
            if (took_ms[i] < 0)
                printf(" %*s", (int)strlen(kinds[i]), "-");
            else
                printf(" %*.1f", (int)strlen(kinds[i]), (double)took_ms[i] / 1000);
        printf("\n");
        fflush(stdout);
    }
}
