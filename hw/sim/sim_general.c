/* TS 27.007 commands of a simulated modem: identity, SIM, network, settings. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

#define BAD_PARAMETER (SIM_CME + 50)
#define NOT_ALLOWED   (SIM_CME + 3)

static int identity(struct simmodem *m, struct sim_cmd *c, const char *text)
{
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    if (c->form != SIM_EXEC)
        return SIM_R_ERROR;
    sim_info_line(m, "%s", text);
    return SIM_R_OK;
}

static int cmd_cgmi(struct simmodem *m, struct sim_cmd *c)
{
    return identity(m, c, m->p.manufacturer);
}

static int cmd_cgmm(struct simmodem *m, struct sim_cmd *c)
{
    return identity(m, c, m->p.model);
}

static int cmd_cgmr(struct simmodem *m, struct sim_cmd *c)
{
    return m->p.revision ? identity(m, c, m->p.revision) : SIM_R_ERROR;
}

static int cmd_cgsn(struct simmodem *m, struct sim_cmd *c)
{
    return identity(m, c, m->imei);
}

static int cmd_cimi(struct simmodem *m, struct sim_cmd *c)
{
    return identity(m, c, m->imsi);
}

static int cmd_gcap(struct simmodem *m, struct sim_cmd *c)
{
    return identity(m, c, "+GCAP: +CGSM");
}

static int cmd_ccid(struct simmodem *m, struct sim_cmd *c)
{
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    if (c->form == SIM_SET)
        return SIM_R_ERROR;
    sim_info_line(m, "+CCID: %s", m->iccid);
    return SIM_R_OK;
}

static int cmd_cnum(struct simmodem *m, struct sim_cmd *c)
{
    char number[4 * SIM_NAME_BYTES + 1];
    if (c->form != SIM_EXEC)
        return c->form == SIM_TEST ? SIM_R_OK : SIM_R_ERROR;
    if (m->number[0]) {
        sim_quote(m, m->number, number, sizeof(number));
        sim_info_line(m, "+CNUM: ,\"%s\",%d", number, m->number[0] == '+' ? 145 : 129);
    }
    return SIM_R_OK;
}

/* Commands that do nothing here but hold one number. */
static int cmd_setting(struct simmodem *m, struct sim_cmd *c)
{
    int *value = (int *)(void *)((char *)&m->set + c->setting->offset);
    int n = 0;
    switch (c->form) {
    case SIM_READ:
        sim_info_line(m, "%s: %d", c->name, *value);
        return SIM_R_OK;
    case SIM_TEST:
        sim_info_line(m, "%s: (0-%d)", c->name, c->setting->max);
        return SIM_R_OK;
    case SIM_EXEC:
        return SIM_R_ERROR;
    case SIM_SET:
        break;
    }
    if (c->argc > 1 || !sim_arg_int(c, 0, 0, c->setting->max, &n))
        return BAD_PARAMETER;
    *value = n;
    return SIM_R_OK;
}

/* +CREG, +CGREG, +CEREG: a setting whose reading shows the registration too. TS 27.007 7.2. */
static int cmd_reg(struct simmodem *m, struct sim_cmd *c)
{
    if (c->form != SIM_READ)
        return cmd_setting(m, c);
    int n = *(int *)(void *)((char *)&m->set + c->setting->offset);
    int stat = sim_reg_shown(m, c->name);
    if (n == 2 && stat && sim_registered(m))
        sim_info_line(m, "%s: %d,%d%s", c->name, n, stat, m->p.cell);
    else
        sim_info_line(m, "%s: %d,%d", c->name, n, stat);
    return SIM_R_OK;
}

static int cmd_clip(struct simmodem *m, struct sim_cmd *c)
{
    if (c->form != SIM_READ)
        return cmd_setting(m, c);
    sim_info_line(m, "+CLIP: %d,1", m->set.clip);
    return SIM_R_OK;
}

static int cmd_cops(struct simmodem *m, struct sim_cmd *c)
{
    static const char *const names[] = {"Simulated network", "SimNet", "00101"};
    char name[4 * SIM_NAME_BYTES + 1];
    int mode = 0;
    switch (c->form) {
    case SIM_READ:
        if (!sim_registered(m)) {
            sim_info_line(m, "+COPS: 0");
            return SIM_R_OK;
        }
        sim_quote(m, names[m->set.cops_format], name, sizeof(name));
        sim_info_line(m, "+COPS: 0,%d,\"%s\",7", m->set.cops_format, name);
        return SIM_R_OK;
    case SIM_TEST:
        sim_info_line(m, "+COPS: (2,\"%s\",\"%s\",\"%s\",7),,(0,2,3),(0-2)", names[0], names[1], names[2]);
        return SIM_R_OK;
    case SIM_EXEC:
        return SIM_R_ERROR;
    case SIM_SET:
        break;
    }
    if (!sim_arg_int(c, 0, 0, 3, &mode) || mode == 1 || !sim_arg_int(c, 1, 0, 2, &m->set.cops_format))
        return BAD_PARAMETER;
    return SIM_R_OK;
}

static int cmd_csq(struct simmodem *m, struct sim_cmd *c)
{
    if (c->form == SIM_TEST)
        sim_info_line(m, "+CSQ: (0-31,99),(0-7,99)");
    else if (c->form == SIM_EXEC)
        sim_info_line(m, "+CSQ: %d,99", sim_registered(m) && !m->p.signal_untold ? m->signal : 99);
    else
        return SIM_R_ERROR;
    return SIM_R_OK;
}

static int cmd_cesq(struct simmodem *m, struct sim_cmd *c)
{
    if (c->form == SIM_TEST)
        sim_info_line(m, "+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)");
    else if (c->form == SIM_EXEC)
        sim_info_line(m, "+CESQ: 99,99,255,255,20,%d", sim_registered(m) ? 3 * m->signal : 255);
    else
        return SIM_R_ERROR;
    return SIM_R_OK;
}

static int cmd_cpas(struct simmodem *m, struct sim_cmd *c)
{
    if (c->form == SIM_TEST)
        sim_info_line(m, "+CPAS: (0,3,4)");
    else if (c->form == SIM_EXEC)
        sim_info_line(m, "+CPAS: %d", m->call_active ? 4 : m->rings_left ? 3 : 0);
    else
        return SIM_R_ERROR;
    return SIM_R_OK;
}

static int cmd_cscs(struct simmodem *m, struct sim_cmd *c)
{
    static const char *const sets[] = {"IRA", "GSM", "UCS2"};
    switch (c->form) {
    case SIM_READ:
        sim_info_line(m, "+CSCS: \"%s\"", m->set.cscs);
        return SIM_R_OK;
    case SIM_TEST:
        sim_info_line(m, "+CSCS: (\"IRA\",\"GSM\",\"UCS2\")");
        return SIM_R_OK;
    case SIM_EXEC:
        return SIM_R_ERROR;
    case SIM_SET:
        break;
    }
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        if (c->argc == 1 && strcmp(c->arg[0].text, sets[i]) == 0) {
            str_copy(m->set.cscs, sizeof(m->set.cscs), sets[i]);
            return SIM_R_OK;
        }
    }
    return BAD_PARAMETER;
}

/* ---- power and SIM ---- */

static int cmd_cfun(struct simmodem *m, struct sim_cmd *c)
{
    int fun = 1, reset = 0;
    if (c->form == SIM_READ) {
        sim_info_line(m, "+CFUN: %d", m->set.cfun);
        return SIM_R_OK;
    }
    if (c->form == SIM_TEST) {
        sim_info_line(m, "+CFUN: (0,1,4),(0,1)");
        return SIM_R_OK;
    }
    if (c->form != SIM_SET || c->argc > 2 || !sim_arg_int(c, 0, 0, 4, &fun) || fun == 2 || fun == 3 ||
        !sim_arg_int(c, 1, 0, 1, &reset))
        return BAD_PARAMETER;
    if (reset)
        return sim_restart(m);
    if (fun == 1 && m->set.cfun != 1)
        m->searching_until_us = m->now_us + SIM_SEARCH_MS * SIM_MS;
    m->set.cfun = fun;
    return SIM_R_OK;
}

static int give_puk(struct simmodem *m, const struct sim_cmd *c)
{
    if (c->argc != 2 || strcmp(c->arg[0].text, m->puk_code) != 0) {
        m->puk_tries -= m->puk_tries > 0;
        return SIM_CME + (c->argc == 2 ? 16 : 12);
    }
    str_copy(m->pin_code, sizeof(m->pin_code), c->arg[1].text);
    m->puk_tries = 10;
    m->pin_tries = 3;
    m->pin = SIM_PIN_READY;
    sim_get_ready(m);
    return SIM_R_OK;
}

static int give_pin(struct simmodem *m, const struct sim_cmd *c)
{
    if (m->pin == SIM_PIN_READY)
        return NOT_ALLOWED;
    if (m->pin == SIM_PIN_PUK)
        return give_puk(m, c);
    if (strcmp(c->arg[0].text, m->pin_code) != 0) {
        if (--m->pin_tries == 0)
            m->pin = SIM_PIN_PUK;
        return SIM_CME + (m->pin_tries ? 16 : 12);
    }
    m->pin_tries = 3;
    m->pin = SIM_PIN_READY;
    sim_get_ready(m);
    m->searching_until_us = m->now_us + SIM_SEARCH_MS * SIM_MS;
    return SIM_R_OK;
}

static int cmd_cpin(struct simmodem *m, struct sim_cmd *c)
{
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    if (m->sim_out)
        return SIM_CME + 10;
    if (c->form == SIM_READ) {
        sim_info_line(m, "+CPIN: %s", sim_cpin(m));
        return m->p.quirks & PQ_CPIN_WITHOUT_OK ? SIM_R_NO_FINAL : SIM_R_OK;
    }
    return c->form == SIM_SET ? give_pin(m, c) : SIM_R_ERROR;
}

/* Tries left; TS 27.007 8.65. */
static int cmd_cpinr(struct simmodem *m, struct sim_cmd *c)
{
    const char *which = c->form == SIM_SET ? c->arg[0].text : "";
    if (m->conf.tries_untold)
        return SIM_R_ERROR;
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    if (m->sim_out)
        return SIM_CME + 10;
    if (c->form == SIM_READ || (which[0] && strcmp(which, "SIM PIN") != 0 && strcmp(which, "SIM PUK") != 0))
        return BAD_PARAMETER;
    if (strcmp(which, "SIM PUK") != 0)
        sim_info_line(m, "+CPINR: SIM PIN,%d,3", m->pin_tries);
    if (strcmp(which, "SIM PIN") != 0)
        sim_info_line(m, "+CPINR: SIM PUK,%d,10", m->puk_tries);
    return SIM_R_OK;
}

static int cmd_chup(struct simmodem *m, struct sim_cmd *c)
{
    return c->form == SIM_EXEC ? sim_hang_up(m) : c->form == SIM_TEST ? SIM_R_OK : SIM_R_ERROR;
}

/* Line settings that a simulated line takes as they are. */
static int cmd_line(struct simmodem *m, struct sim_cmd *c)
{
    (void)m;
    return c->form == SIM_SET ? SIM_R_OK : SIM_R_ERROR;
}

#define SETTING(field, max_value) .offset = offsetof(struct sim_settings, field), .max = (max_value)

const struct sim_command sim_commands_general[] = {
    {.name = "+CGMI", .run = cmd_cgmi},
    {.name = "+GMI", .run = cmd_cgmi},
    {.name = "+CGMM", .run = cmd_cgmm},
    {.name = "+GMM", .run = cmd_cgmm},
    {.name = "+CGMR", .run = cmd_cgmr},
    {.name = "+GMR", .run = cmd_cgmr},
    {.name = "+CGSN", .run = cmd_cgsn},
    {.name = "+GSN", .run = cmd_cgsn},
    {.name = "+GCAP", .run = cmd_gcap},
    {.name = "+CIMI", .run = cmd_cimi, .flags = SIM_F_SIM},
    {.name = "+CCID", .run = cmd_ccid},
    {.name = "+CNUM", .run = cmd_cnum, .flags = SIM_F_SIM},
    {.name = "+CMEE", .run = cmd_setting, SETTING(cmee, 2)},
    {.name = "+CREG", .run = cmd_reg, SETTING(creg, 2)},
    {.name = "+CGREG", .run = cmd_reg, SETTING(cgreg, 2)},
    {.name = "+CEREG", .run = cmd_reg, SETTING(cereg, 2)},
    {.name = "+CLIP", .run = cmd_clip, SETTING(clip, 1)},
    {.name = "+CRC", .run = cmd_setting, SETTING(crc, 1)},
    {.name = "+COPS", .run = cmd_cops, .flags = SIM_F_SIM},
    {.name = "+CSQ", .run = cmd_csq},
    {.name = "+CESQ", .run = cmd_cesq},
    {.name = "+CPAS", .run = cmd_cpas},
    {.name = "+CSCS", .run = cmd_cscs},
    {.name = "+CFUN", .run = cmd_cfun},
    {.name = "+CPIN", .run = cmd_cpin},
    {.name = "+CPINR", .run = cmd_cpinr},
    {.name = "+CUSD", .run = sim_cmd_cusd, .flags = SIM_F_SIM},
    {.name = "+CLCC", .run = sim_cmd_clcc},
    {.name = "+CHUP", .run = cmd_chup},
    {.name = "+IPR", .run = cmd_line},
    {.name = "+IFC", .run = cmd_line},
    {.name = "+ICF", .run = cmd_line},
    {0},
};
