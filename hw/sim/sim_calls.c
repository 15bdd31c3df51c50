/* Calls of a simulated modem: RING, +CLIP, +CRING, AT+CLCC. TS 27.007 6.11, 7.6, 7.18. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

enum { RING_MS = 3000, RINGS = 5 };

void sim_calls_reset(struct simmodem *m)
{
    m->rings_left = 0;
    m->call_active = false;
    m->ring_at_us = SIM_NEVER;
    m->ussd_at_us = SIM_NEVER;
    m->ussd_open = false;
}

void simmodem_ring(struct simmodem *m, const char *from, unsigned rings, int64_t now_ms)
{
    simmodem_tick(m, now_ms);
    if (m->power != SIM_UP || !sim_registered(m))
        return;
    str_copy(m->caller, sizeof(m->caller), from);
    m->rings_left = rings ? rings : RINGS;
    m->ring_at_us = m->now_us;
    simmodem_tick(m, now_ms);
    sim_wake(m);
}

static void ring(struct simmodem *m)
{
    if (m->rings_left == 0) { /* the caller gave up */
        m->ring_at_us = SIM_NEVER;
        sim_urc(m, "NO CARRIER");
        return;
    }
    m->rings_left--;
    m->ring_at_us = m->now_us + RING_MS * SIM_MS;
    sim_urc(m, m->set.crc ? "+CRING: VOICE" : "RING");
    if (!m->set.clip)
        return;
    if (m->caller[0])
        sim_urc(m, "+CLIP: \"%s\",%d,,,,0", m->caller, m->caller[0] == '+' ? 145 : 129);
    else
        sim_urc(m, "+CLIP: \"\",128,,,,1");
}

int sim_hang_up(struct simmodem *m)
{
    m->rings_left = 0;
    m->ring_at_us = SIM_NEVER;
    m->call_active = false;
    return SIM_R_OK;
}

int sim_answer(struct simmodem *m)
{
    if (m->ring_at_us == SIM_NEVER)
        return SIM_R_NO_CARRIER;
    sim_hang_up(m);
    m->call_active = true;
    return SIM_R_OK;
}

int sim_cmd_clcc(struct simmodem *m, struct sim_cmd *c)
{
    enum { ACTIVE = 0, INCOMING = 4 };
    if (c->form != SIM_EXEC)
        return c->form == SIM_TEST ? SIM_R_OK : SIM_R_ERROR;
    if (m->call_active || m->ring_at_us != SIM_NEVER)
        sim_info_line(m, "+CLCC: 1,1,%d,0,0,\"%s\",%d", m->call_active ? ACTIVE : INCOMING, m->caller,
                      m->caller[0] == '+' ? 145 : 129);
    return SIM_R_OK;
}

/* ---- time ---- */

void sim_calls_step(struct simmodem *m)
{
    if (m->now_us >= m->ring_at_us)
        ring(m);
    if (m->now_us >= m->ussd_at_us)
        sim_ussd_show(m);
}

int64_t sim_calls_deadline(const struct simmodem *m)
{
    return m->ring_at_us < m->ussd_at_us ? m->ring_at_us : m->ussd_at_us;
}
