/* No sequence of restarts, deaths, reloads, errors and moved SIMs spends the last but one try of a SIM's PIN:
 * the counters of simulated SIMs never go below two by simgate itself, and never to nothing, whatever an
 * operator asks for.
 *
 * Two modems with two SIMs, and the file of tries that the daemon keeps. In odd seeds an operator unlocks now
 * and then. A seed tells the same story again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/pins.h"
#include "base/log.h"
#include "base/util.h"
#include "tests/lib/modem_rig.h"
#include "tests/sim/runs.h"

enum { SIMS = 2, STEPS = 40, PIN_BYTES = 8 };

struct story {
    struct rig *r;
    struct unit *units[SIMS];
    struct pins pins;
    struct modem_pins memory; /* in front of it: dies, and has a full disk */
    char dir[64], pin[SIMS][PIN_BYTES], names[SIMS][16];
    bool operator, verbose;
    int lowest;
    unsigned restarts, deaths, unlocks;
};

/* ---- the file of tries, and deaths around each of its writes ---- */

static bool dies_now(struct story *s, const char *where)
{
    enum { ONE_IN = 8 };

    if (rt_sim_random(s->r->rt, ONE_IN))
        return false;
    if (s->verbose)
        printf("  dies %s\n", where);
    rt_sim_crash(s->r->rt);
    s->deaths++;
    return true;
}

static int begin(void *owner, const struct modem_sim *sim, enum modem_pin_leave leave, struct err *e)
{
    enum { FULL_ONE_IN = 10 };
    struct story *s = owner;
    int rc;

    if (dies_now(s, "before a try is noted"))
        return err_set(e, ERR_IO, "dead");
    if (rt_sim_random(s->r->rt, FULL_ONE_IN) == 0)
        return err_set(e, ERR_IO, "disk full");
    rc = s->pins.memory.begin(s->pins.memory.owner, sim, leave, e);
    if (s->verbose)
        printf("  %s iccid=%s: leave %d: %d\n", sim->name, sim->iccid, (int)leave, rc);
    if (dies_now(s, "behind a noted try"))
        return err_set(e, ERR_IO, "dead");
    return rc;
}

static void refused(void *owner, const struct modem_sim *sim)
{
    struct story *s = owner;

    if (s->verbose)
        printf("  %s iccid=%s: refused\n", sim->name, sim->iccid);
    if (!dies_now(s, "before a refusal is noted"))
        s->pins.memory.refused(s->pins.memory.owner, sim);
}

static void forget(void *owner, const struct modem_sim *sim)
{
    struct story *s = owner;

    if (s->verbose)
        printf("  %s iccid=%s: open\n", sim->name, sim->iccid);
    if (!dies_now(s, "before a success is noted"))
        s->pins.memory.forget(s->pins.memory.owner, sim);
}

/* ---- what happens ---- */

static int tries_of(const struct unit *u)
{
    struct simmodem_info info;

    simmodem_info(u->sim, &info);
    return info.pin_tries;
}

static uint64_t pick(struct story *s, uint64_t below)
{
    return rt_sim_random(s->r->rt, below);
}

static void restart(struct story *s)
{
    s->restarts++;
    rig_kill(s->r);
    rig_revive(s->r);
}

static void let_run(struct story *s, int64_t ms)
{
    int64_t until = rt_sim_now(s->r->rt) + ms;

    while (!rt_sim_run_until(s->r->rt, until))
        restart(s);
}

static void other_pin(struct story *s)
{
    static const char *const pins[] = {"1234", "9999", "0000", "4711", ""};
    int i = (int)pick(s, SIMS);

    str_copy(s->pin[i], PIN_BYTES, pins[pick(s, ARRAY_LEN(pins))]);
    if (s->verbose)
        printf("  %s: pin \"%s\"\n", s->names[i], s->pin[i]);
    restart(s);
}

/* The modems change their names in gateway.conf, or get new ones. */
static void rename_modems(struct story *s)
{
    char kept[16];

    if (pick(s, 2)) {
        snprintf(s->names[pick(s, SIMS)], sizeof s->names[0], "new%u", (unsigned)pick(s, 1000000));
    } else {
        memcpy(kept, s->names[0], sizeof kept);
        memcpy(s->names[0], s->names[1], sizeof kept);
        memcpy(s->names[1], kept, sizeof kept);
    }
    restart(s);
}

static void fault(struct story *s)
{
    static const struct {
        const char *name, *args;
    } faults[] = {
        {"error", "1"},          {"error", "6"},       {"cme", "14 8"},    {"cme", "100 3"},
        {"cme", "13 4"},         {"cme", "16 2"},      {"late", "8000 2"}, {"late", "60000 1"},
        {"silence", "20000"},    {"silence", "90000"}, {"reboot", "3000"}, {"reboot", "40000"},
        {"vanish", "10000"},     {"urc_inside", "4"},  {"sim_out", NULL},  {"sim_in", NULL},
        {"no_network", "60000"}, {"clear", NULL},
    };
    size_t i = pick(s, ARRAY_LEN(faults));
    struct unit *u = s->units[pick(s, SIMS)];

    if (s->verbose)
        printf("  %s: %s %s\n", u->name, faults[i].name, faults[i].args ? faults[i].args : "");
    rig_fault(s->r, u, faults[i].name, faults[i].args);
}

static void unlock(struct story *s)
{
    if (!s->operator)
        return;
    s->unlocks++;
    modem_unlock(s->units[pick(s, SIMS)]->modem);
}

/* Through the network's own word the SIM is open for a while: the true PIN, typed into a telephone. */
static void swap_sims(struct story *s)
{
    if (s->verbose)
        printf("  the SIMs change places\n");
    simmodem_swap_sims(s->units[0]->sim, s->units[1]->sim, rt_sim_now(s->r->rt));
}

static void one_step(struct story *s)
{
    static void (*const happenings[])(struct story * s) = {
        restart, other_pin, rename_modems, fault, fault, fault, fault, unlock, swap_sims,
    };

    happenings[pick(s, ARRAY_LEN(happenings))](s);
    let_run(s, pick(s, 3) ? (int64_t)pick(s, 20000) : (int64_t)pick(s, 300000));
}

/* ---- a story ---- */

static void begin_story(struct story *s, uint64_t seed, int verbose)
{
    struct err e = {0};
    char database[96];

    *s = (struct story){.r = rig_new(seed), .operator= seed % 2, .verbose = verbose > 0, .lowest = 3};
    snprintf(s->dir, sizeof s->dir, "%s/simgate-pins-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(s->dir))
        abort();
    snprintf(database, sizeof database, "%s/db", s->dir);
    pins_init(&s->pins, database, &e);
    s->memory = (struct modem_pins){.begin = begin, .refused = refused, .forget = forget, .owner = s};
    for (int i = 0; i < SIMS; i++) {
        struct unit *u = rig_add(
            s->r, &(struct rig_conf){.sim_pin = "1234", .tries_untold = (seed / 2 + (uint64_t)i) % 3 == 0});
        str_copy(s->pin[i], PIN_BYTES, pick(s, 2) ? "9999" : "1234");
        str_copy(s->names[i], sizeof s->names[i], u->name);
        u->conf.pin = s->pin[i];
        u->conf.name = s->names[i];
        u->conf.pins = &s->memory;
        s->units[i] = u;
    }
    rig_trace(s->r, verbose > 1);
    restart(s); /* with these settings */
}

static void end_story(struct story *s)
{
    char path[128];

    if (s->r->tracing)
        fputs(buf_str(&s->r->trace), stderr);
    rig_free(s->r);
    snprintf(path, sizeof path, "%s/db.pins", s->dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/db.pins.new", s->dir);
    unlink(path);
    rmdir(s->dir);
}

static bool story(uint64_t seed, int verbose)
{
    struct story s;
    int floor;

    begin_story(&s, seed, verbose);
    floor = s.operator? 1 : 2;
    for (int n = 0; n < STEPS && s.lowest >= floor; n++) {
        one_step(&s);
        for (int i = 0; i < SIMS; i++) {
            int tries = tries_of(s.units[i]);
            if (tries < s.lowest && s.verbose)
                printf("step %d, %lld ms: %s has %d tries left\n", n, (long long)rt_sim_now(s.r->rt),
                       s.units[i]->name, tries);
            s.lowest = tries < s.lowest ? tries : s.lowest;
        }
    }
    if (s.lowest < floor || verbose)
        printf("PIN: seed %llu: %d tries left at the lowest, %u restarts, %u deaths, %u unlocks\n",
               (unsigned long long)seed, s.lowest, s.restarts, s.deaths, s.unlocks);
    bool good = s.lowest >= floor;
    end_story(&s);
    return good;
}

void pins_stories(struct totals *t, uint64_t first, uint64_t last, uint64_t step, int verbose)
{
    log_set_level(verbose ? LOG_INFO : LOG_ERR - 1);
    for (uint64_t seed = first; seed <= last; seed += step) {
        bool good = story(seed, verbose);

        t->runs++;
        t->failed += !good;
    }
}
