/* Calls (RING, +CLIP, +CRING, AT+CLCC) and USSD (AT+CUSD) of a simulated modem.
 * TS 27.007 6.11, 7.6, 7.15, 7.18. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

enum { RING_MS = 3000, RINGS = 5, USSD_MS = 500, USSD_DCS = 15, USSD_DCS_UCS2 = 72 };

/* Answers to USSD codes; the one with code "" answers every other. */
struct sim_ussd {
    struct sim_ussd *next;
    char code[SIM_NAME_BYTES];
    char answer[SIM_ARG_BYTES / 4];
};

void sim_calls_reset(struct simmodem *m)
{
    m->rings_left = 0;
    m->call_active = false;
    m->ring_at_us = SIM_NEVER;
    m->ussd_at_us = SIM_NEVER;
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

/* ---- USSD ---- */

void sim_ussd_free(struct simmodem *m)
{
    while (m->ussd) {
        struct sim_ussd *u = m->ussd;
        m->ussd = u->next;
        free(u);
    }
}

void simmodem_ussd(struct simmodem *m, const char *code, const char *answer)
{
    struct sim_ussd **p = &m->ussd;
    while (*p && strcmp((*p)->code, code) != 0)
        p = &(*p)->next;
    if (!*p) {
        *p = calloc(1, sizeof(**p));
        if (!*p)
            abort();
        str_copy((*p)->code, sizeof((*p)->code), code);
    }
    str_copy((*p)->answer, sizeof((*p)->answer), answer);
}

static const char *ussd_answer(const struct simmodem *m, const char *code)
{
    const char *answer = "Unknown application";
    for (const struct sim_ussd *u = m->ussd; u; u = u->next) {
        if (strcmp(u->code, code) == 0)
            return u->answer;
        if (!u->code[0])
            answer = u->answer;
    }
    return answer;
}

static void ussd_show(struct simmodem *m)
{
    char text[SIM_ARG_BYTES];
    sim_quote(m, m->ussd_pending, text, sizeof(text));
    m->ussd_at_us = SIM_NEVER;
    sim_urc(m, "+CUSD: 0,\"%s\",%d", text, strcmp(m->set.cscs, "UCS2") == 0 ? USSD_DCS_UCS2 : USSD_DCS);
}

void simmodem_ussd_push(struct simmodem *m, const char *text, int64_t now_ms)
{
    simmodem_tick(m, now_ms);
    str_copy(m->ussd_pending, sizeof(m->ussd_pending), text);
    m->ussd_at_us = m->now_us;
    simmodem_tick(m, now_ms);
    sim_wake(m);
}

int sim_cmd_cusd(struct simmodem *m, struct sim_cmd *c)
{
    char code[SIM_ARG_BYTES];
    int n = 0;
    if (c->form == SIM_READ) {
        sim_info_line(m, "+CUSD: 1");
        return SIM_R_OK;
    }
    if (c->form == SIM_TEST) {
        sim_info_line(m, "+CUSD: (0-2)");
        return SIM_R_OK;
    }
    if (c->form != SIM_SET || c->argc > 3 || !sim_arg_int(c, 0, 0, 2, &n))
        return SIM_CME + 50;
    if (n == 2)
        m->ussd_at_us = SIM_NEVER;
    if (c->argc < 2)
        return SIM_R_OK;
    if (!sim_unquote(m, c->arg[1].text, code, sizeof(code)))
        return SIM_CME + 50;
    if (!sim_registered(m))
        return SIM_CME + 30;
    str_copy(m->ussd_pending, sizeof(m->ussd_pending), ussd_answer(m, code));
    m->ussd_at_us = m->now_us + USSD_MS * SIM_MS;
    return SIM_R_OK;
}

/* ---- time ---- */

void sim_calls_step(struct simmodem *m)
{
    if (m->now_us >= m->ring_at_us)
        ring(m);
    if (m->now_us >= m->ussd_at_us)
        ussd_show(m);
}

int64_t sim_calls_deadline(const struct simmodem *m)
{
    return m->ring_at_us < m->ussd_at_us ? m->ring_at_us : m->ussd_at_us;
}
