/* Small facts about a simulated modem: settings, registration, fault counters, randomness. TS 27.007 7.2. */
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

uint64_t sim_rng_next(struct sim_rng *r)
{
    uint64_t z = (r->state += 0x9E3779B97F4A7C15u); /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t sim_rng_below(struct sim_rng *r, uint32_t bound)
{
    return (uint32_t)(((sim_rng_next(r) >> 32) * bound) >> 32);
}

bool sim_rng_chance(struct sim_rng *r, uint32_t ppm)
{
    return sim_rng_below(r, 1000000) < ppm;
}

void sim_settings_reset(struct sim_settings *s)
{
    *s = (struct sim_settings){.echo = 1, .verbose = 1, .cfun = 1, .csmp = {17, 167, 0, 0}};
    str_copy(s->cscs, sizeof(s->cscs), "IRA");
    for (size_t i = 0; i < ARRAY_LEN(s->mem_name); i++)
        str_copy(s->mem_name[i], sizeof(s->mem_name[i]), "SM");
    s->sregs[3] = '\r'; /* V.250 6.2.1, 6.2.2, 6.2.3 */
    s->sregs[4] = '\n';
    s->sregs[5] = '\b';
}

bool sim_count_down(int *n)
{
    if (*n <= 0)
        return false;
    (*n)--;
    return true;
}

bool sim_window(const struct simmodem *m, int64_t until_us)
{
    return m->now_us < until_us;
}

bool sim_ready(const struct simmodem *m)
{
    return !m->sim_out && m->pin == SIM_PIN_READY;
}

const char *sim_cpin(const struct simmodem *m)
{
    static const char *const states[] = {
        [SIM_PIN_READY] = "READY", [SIM_PIN_ASKED] = "SIM PIN", [SIM_PIN_PUK] = "SIM PUK"};
    return m->sim_out ? "NOT INSERTED" : states[m->pin];
}

int sim_reg_shown(const struct simmodem *m, const char *command)
{
    int stat = sim_reg_stat(m);
    enum personality_registration how = strcmp(command, "+CREG") == 0 ? m->p.creg : m->p.ps;
    if (how == REG_PLAIN || !(stat == 1 || stat == 5))
        return stat;
    return how == REG_NONE ? 0 : stat == 1 ? 6 : 7; /* TS 27.007 7.2: SMS only, home or roaming */
}

int sim_reg_stat(const struct simmodem *m)
{
    enum { NOT_SEARCHING = 0, SEARCHING = 2 };
    if (!sim_ready(m) || m->set.cfun != 1)
        return NOT_SEARCHING;
    if (sim_window(m, m->searching_until_us) || sim_window(m, m->fault.no_network_until))
        return SEARCHING;
    return m->home_stat;
}

bool sim_registered(const struct simmodem *m)
{
    int stat = sim_reg_stat(m);
    return stat == 1 || (stat >= 5 && stat <= 7) || stat == 9 || stat == 10; /* SMS can pass */
}

void sim_reg_check(struct simmodem *m)
{
    int stat = sim_reg_stat(m);
    if (stat == m->stat_told)
        return;
    bool first = m->stat_told < 0;
    m->stat_told = stat;
    if (first)
        return;
    const struct {
        const char *name;
        int n;
    } urcs[] = {{"+CREG", m->set.creg}, {"+CGREG", m->set.cgreg}, {"+CEREG", m->set.cereg}};
    for (size_t i = 0; i < ARRAY_LEN(urcs); i++) {
        int shown = sim_reg_shown(m, urcs[i].name);
        if (urcs[i].n == 2 && shown && sim_registered(m))
            sim_urc(m, "%s: %d%s", urcs[i].name, shown, m->p.cell);
        else if (urcs[i].n > 0)
            sim_urc(m, "%s: %d", urcs[i].name, shown);
    }
}

void simmodem_info(const struct simmodem *m, struct simmodem_info *out)
{
    *out = (struct simmodem_info){.name = m->name,
                                  .personality = m->p.name,
                                  .number = m->number,
                                  .imei = m->imei,
                                  .imsi = m->imsi,
                                  .iccid = m->iccid,
                                  .present = m->power != SIM_GONE,
                                  .booted = m->power == SIM_UP,
                                  .pin_needed = m->pin == SIM_PIN_ASKED,
                                  .puk_needed = m->pin == SIM_PIN_PUK,
                                  .pin_tries = m->pin_tries,
                                  .registration = sim_reg_stat(m),
                                  .signal = m->signal,
                                  .next_mr = m->mr,
                                  .busy = m->busy.on};
    for (size_t i = 0; i < ARRAY_LEN(out->stores); i++) {
        out->stores[i].name = m->stores[i].name;
        out->stores[i].used = m->stores[i].used;
        out->stores[i].size = m->stores[i].size;
    }
}

static void swap(void *a, void *b, size_t size)
{
    unsigned char kept[SIM_NAME_BYTES];

    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

static void sim_was_changed(struct simmodem *m)
{
    if (m->pin == SIM_PIN_READY && m->pin_code[0])
        m->pin = SIM_PIN_ASKED;
    if (!m->sim_out)
        sim_urc(m, "+CPIN: %s", sim_cpin(m));
    sim_wake(m);
}

void simmodem_swap_sims(struct simmodem *a, struct simmodem *b, int64_t now_ms)
{
    simmodem_tick(a, now_ms);
    simmodem_tick(b, now_ms);
    swap(a->imsi, b->imsi, sizeof a->imsi);
    swap(a->iccid, b->iccid, sizeof a->iccid);
    swap(a->pin_code, b->pin_code, sizeof a->pin_code);
    swap(a->puk_code, b->puk_code, sizeof a->puk_code);
    swap(&a->pin, &b->pin, sizeof a->pin);
    swap(&a->pin_tries, &b->pin_tries, sizeof a->pin_tries);
    swap(&a->puk_tries, &b->puk_tries, sizeof a->puk_tries);
    sim_was_changed(a);
    sim_was_changed(b);
}
