/* The power of a simulated modem: restarts, and leaving the bus. The port is there while it boots; what was
 * on its way when the power went may have reached the network or not.
 */
#include "base/util.h"
#include "hw/sim/sim_int.h"

enum { BOOT_MS = 1500, LEAVE_MS = 300 };

/* What was on its way when the power went: the network may have it already, and nobody will hear of it. */
static void power_lost(struct simmodem *m)
{
    if (m->busy.on && m->busy.submit && sim_rng_chance(&m->rng, 500000)) {
        m->fault.ok_lost++;
        sim_submit_end(m);
    }
    sim_mt_unacked(m);
    sim_settings_lost(m);
    buf_clear(&m->out);
}

int64_t sim_boot_us(const struct simmodem *m)
{
    return (m->conf.boot_ms ? m->conf.boot_ms : BOOT_MS) * SIM_MS;
}

void sim_reboot(struct simmodem *m, int64_t after_us)
{
    power_lost(m);
    m->power = SIM_BOOTING;
    m->power_at_us = m->now_us + after_us;
}

void sim_vanish(struct simmodem *m, int64_t for_us)
{
    power_lost(m);
    m->power = SIM_GONE;
    m->wedged = m->leaving = false;
    m->power_at_us = for_us < 0 ? SIM_NEVER : m->now_us + for_us;
    sim_wake(m);
}

void sim_return(struct simmodem *m)
{
    if (m->power != SIM_GONE)
        return;
    m->power = SIM_BOOTING;
    m->power_at_us = m->now_us + sim_boot_us(m);
    sim_wake(m);
}

static void booted(struct simmodem *m)
{
    m->power = SIM_UP;
    m->power_at_us = SIM_NEVER;
    if (m->pin != SIM_PIN_PUK)
        m->pin = m->pin_code[0] ? SIM_PIN_ASKED : SIM_PIN_READY;
    m->searching_until_us = m->now_us + SIM_SEARCH_MS * SIM_MS;
    sim_family_reset(m);
    sim_say(m, m->p.banner, "");
    if (sim_ready(m))
        sim_get_ready(m);
}

void sim_power_step(struct simmodem *m)
{
    if (m->now_us < m->power_at_us)
        return;
    if (m->power == SIM_GONE) {
        sim_return(m);
    } else if (m->leaving) {
        m->leaving = false;
        sim_vanish(m, m->p.gone_ms * SIM_MS);
    } else if (m->power == SIM_BOOTING) {
        booted(m);
    }
}

int sim_restart(struct simmodem *m)
{
    sim_finish(m, SIM_R_OK);
    struct buf last = m->out; /* the OK still leaves */
    buf_add(&last, buf_str(&m->tx), m->tx.len);
    m->out = (struct buf){0};
    m->leaving = m->p.gone_ms > 0;
    sim_reboot(m, m->leaving ? LEAVE_MS * SIM_MS : sim_boot_us(m));
    m->out = last;
    return SIM_R_LATER;
}

void simmodem_power_cycle(struct simmodem *m, int64_t now_ms)
{
    struct sim_faults *f = &m->fault;
    simmodem_tick(m, now_ms);
    m->wedged = false;
    f->silence_until = 0;
    f->late = f->prompt_missing = f->error = f->cme = f->urc_inside = 0;
    if (m->power == SIM_GONE)
        return;
    if (m->p.gone_ms)
        sim_vanish(m, m->p.gone_ms * SIM_MS);
    else
        sim_reboot(m, sim_boot_us(m));
    sim_wake(m);
}
