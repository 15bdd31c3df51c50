/* TS 27.005 commands of a simulated modem, in PDU mode. Each clause is named at its command. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

enum {
    TPDU_MIN = 7,
    TPDU_MAX = 164, /* TS 27.005 4.3, TS 23.040 9.2.2.2 */
    NOT_SUPPORTED = SIM_CMS + 303,
    BAD_PDU_PARAMETER = SIM_CMS + 304,
    BAD_INDEX = SIM_CMS + 321,
    MEMORY_FULL = SIM_CMS + 322,
    CANCELLED = SIM_CMS + 350,
};

/* ---- settings ---- */

static int cmd_cmgf(struct simmodem *m, struct sim_cmd *c)
{
    int mode = 0;
    if (c->form == SIM_READ)
        sim_info_line(m, "+CMGF: 0");
    else if (c->form == SIM_TEST)
        sim_info_line(m, "+CMGF: (0)");
    else if (c->argc > 1 || !sim_arg_int(c, 0, 0, 1, &mode))
        return BAD_PDU_PARAMETER;
    return mode ? NOT_SUPPORTED : SIM_R_OK;
}

static int cmd_csms(struct simmodem *m, struct sim_cmd *c)
{
    int service = 0;
    switch (c->form) {
    case SIM_READ:
        sim_info_line(m, "+CSMS: %d,1,1,0", m->set.csms);
        return SIM_R_OK;
    case SIM_TEST:
        sim_info_line(m, "+CSMS: %s", m->p.csms_test);
        return SIM_R_OK;
    case SIM_EXEC:
        return SIM_R_ERROR;
    case SIM_SET:
        break;
    }
    if (c->argc != 1 || !c->arg[0].present || !sim_arg_int(c, 0, 0, 255, &service))
        return BAD_PDU_PARAMETER;
    if (service != 0 && service != m->p.csms_direct)
        return NOT_SUPPORTED;
    m->set.csms = service;
    sim_info_line(m, "+CSMS: 1,1,0");
    return SIM_R_OK;
}

static int cmd_cmms(struct simmodem *m, struct sim_cmd *c)
{
    int mode = 0;
    if (c->form == SIM_READ)
        sim_info_line(m, "+CMMS: %d", m->set.cmms);
    else if (c->form == SIM_TEST)
        sim_info_line(m, "+CMMS: (0-2)");
    else if (c->form != SIM_SET || c->argc != 1 || !sim_arg_int(c, 0, 0, 2, &mode))
        return BAD_PDU_PARAMETER;
    else
        m->set.cmms = mode;
    return SIM_R_OK;
}

static int cmd_csmp(struct simmodem *m, struct sim_cmd *c)
{
    int *v = m->set.csmp;
    if (c->form == SIM_READ) {
        sim_info_line(m, "+CSMP: %d,%d,%d,%d", v[0], v[1], v[2], v[3]);
        return SIM_R_OK;
    }
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    if (c->form != SIM_SET || c->argc > 4)
        return BAD_PDU_PARAMETER;
    for (int i = 0; i < c->argc; i++)
        if (!sim_arg_int(c, i, 0, 255, &v[i]))
            return BAD_PDU_PARAMETER;
    return SIM_R_OK;
}

static int cmd_csca(struct simmodem *m, struct sim_cmd *c)
{
    char text[4 * SIM_NAME_BYTES + 1];
    int toa = 145;
    if (c->form == SIM_READ) {
        sim_quote(m, m->smsc, text, sizeof(text));
        sim_info_line(m, "+CSCA: \"%s\",%d", text, m->smsc[0] == '+' ? 145 : 129);
        return SIM_R_OK;
    }
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    if (c->form != SIM_SET || c->argc > 2 || !c->arg[0].quoted || !sim_arg_int(c, 1, 0, 255, &toa) ||
        !sim_unquote(m, c->arg[0].text, text, sizeof(text)) || strlen(text) + 1 >= sizeof(m->smsc) ||
        text[strspn(text, "+0123456789")])
        return BAD_PDU_PARAMETER;
    snprintf(m->smsc, sizeof(m->smsc), "%s%s", toa == 145 && text[0] != '+' && text[0] ? "+" : "", text);
    return SIM_R_OK;
}

/* What a modem refuses although each parameter alone is in its list. */
static bool cnmi_fits(const struct simmodem *m, const int v[5])
{
    bool direct = v[1] >= 2 || v[3] == 1;
    for (int i = 0; i < 5; i++)
        if (!(m->p.cnmi[i] >> v[i] & 1))
            return false;
    if (direct && (m->p.quirks & PQ_CNMI_MODE_1_DIRECT) && v[0] != 1)
        return false;
    return !(direct && (m->p.quirks & PQ_CNMI_NEEDS_CSMS) && m->set.csms == 0);
}

/* 3.4.1. Parameters left out become 0. */
static int cmd_cnmi(struct simmodem *m, struct sim_cmd *c)
{
    int v[5] = {0};
    if (c->form == SIM_READ) {
        const int *n = m->set.cnmi;
        sim_info_line(m, "+CNMI: %d,%d,%d,%d,%d", n[0], n[1], n[2], n[3], n[4]);
        return SIM_R_OK;
    }
    if (c->form == SIM_TEST) {
        sim_info_line(m, "+CNMI: %s", m->p.cnmi_test);
        return SIM_R_OK;
    }
    if (c->argc > 5)
        return BAD_PDU_PARAMETER;
    for (int i = 0; c->form == SIM_SET && i < c->argc; i++)
        if (!sim_arg_int(c, i, 0, 3, &v[i]))
            return BAD_PDU_PARAMETER;
    if (!cnmi_fits(m, v))
        return BAD_PDU_PARAMETER;
    memcpy(m->set.cnmi, v, sizeof(v));
    if (v[0] != 0) {
        if (v[4] == 0) /* bfr: flush what was kept, or clear it */
            buf_add(&m->urcs, buf_str(&m->ta_urcs), m->ta_urcs.len);
        buf_clear(&m->ta_urcs);
        m->ta_urcs_len = 0;
    }
    return SIM_R_OK;
}

/* ---- sending: 4.3, 3.5.1, 4.4, 4.5 ---- */

static int cmd_cmgs(struct simmodem *m, struct sim_cmd *c)
{
    int len = 0;
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    if (c->form != SIM_SET || c->argc != 1 || !sim_arg_int(c, 0, TPDU_MIN, TPDU_MAX, &len) || len == 0)
        return BAD_PDU_PARAMETER;
    sim_prompt(m, SIM_ENTRY_CMGS, len);
    return SIM_R_LATER;
}

static int cmd_cmgw(struct simmodem *m, struct sim_cmd *c)
{
    int len = 0, stat = SIM_STO_UNSENT;
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    if (c->form != SIM_SET || c->argc > 2 || !sim_arg_int(c, 0, TPDU_MIN, TPDU_MAX, &len) || len == 0 ||
        !sim_arg_int(c, 1, SIM_STO_UNSENT, SIM_STO_SENT, &stat))
        return BAD_PDU_PARAMETER;
    sim_prompt(m, SIM_ENTRY_CMGW, len);
    return SIM_R_LATER;
}

static void submit_begin(struct simmodem *m, const uint8_t *pdu, size_t len, int tpdu_len)
{
    struct sim_busy *b = &m->busy;
    memcpy(b->pdu, pdu, len);
    b->pdu_len = len;
    b->tpdu_len = tpdu_len;
    b->submit = true;
    if (m->conf.net_ms > 0)
        sim_busy_for(m, m->conf.net_ms * SIM_MS);
    else
        sim_submit_end(m);
}

static int cmd_cmss(struct simmodem *m, struct sim_cmd *c)
{
    int index;
    struct sim_slot *slot;
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    int rc = sim_index_arg(m, c, m->set.mem[1], &index, &slot);
    if (rc)
        return rc;
    if (!slot->t || !slot->t->own)
        return BAD_INDEX;
    slot->stat = SIM_STO_SENT;
    m->busy.from_storage = true;
    submit_begin(m, slot->t->pdu, slot->t->len, slot->t->tpdu_len);
    return SIM_R_LATER;
}

/* What the network says to a SUBMIT: 0 or a CMS code. */
static int network_verdict(struct simmodem *m)
{
    struct sim_faults *f = &m->fault;
    if (!sim_registered(m))
        return m->p.no_network;
    if (sim_count_down(&f->cms))
        return f->cms_code;
    if (sim_window(m, f->cms_rate_until) && sim_rng_chance(&m->rng, f->cms_ppm))
        return f->cms_rate_code;
    return 0;
}

void sim_submit_end(struct simmodem *m)
{
    enum { WAIT_MS = 200 };
    struct sim_busy *b = &m->busy;
    struct pdu_submit s;
    const char *name = b->from_storage ? "+CMSS" : "+CMGS";
    b->submit = b->from_storage = false;
    if (pdu_decode_submit(b->pdu, b->pdu_len, b->tpdu_len, &s, NULL) < 0) {
        sim_finish(m, BAD_PDU_PARAMETER);
        return;
    }
    int code = network_verdict(m);
    if (code) {
        sim_net_refuse(m, &s, b->pdu, b->pdu_len, code);
        sim_finish(m, SIM_CMS + code);
        return;
    }
    uint8_t mr = sim_net_submit(m, &s, b->pdu, b->pdu_len);
    if (sim_count_down(&m->fault.ok_lost))
        return;
    if (sim_count_down(&m->fault.sent_500)) {
        sim_finish(m, SIM_CMS + 500);
        return;
    }
    if (!sim_ok_before_pdu(m))
        sim_info_line(m, "%s: %u", name, mr);
    if (m->p.quirks & PQ_WAITS_AFTER_SEND)
        m->wait_until_us = m->now_us + WAIT_MS * SIM_MS;
    sim_finish(m, SIM_R_OK);
}

static void store_own(struct simmodem *m, const uint8_t *pdu, size_t len)
{
    if (sim_store_full(m, m->set.mem[1])) {
        sim_finish(m, MEMORY_FULL);
        return;
    }
    struct sim_tpdu *t = calloc(1, sizeof(*t));
    if (!t)
        abort();
    memcpy(t->pdu, pdu, len);
    t->len = (uint8_t)len;
    t->tpdu_len = (uint8_t)m->entry_tpdu_len;
    t->own = true;
    int index = sim_store_put(m, m->set.mem[1], t, SIM_STO_UNSENT);
    sim_info_line(m, "+CMGW: %d", index);
    sim_finish(m, SIM_R_OK);
}

/* The hex behind the prompt: whole octets, and as many behind the SMSC address as the command said. */
static int entry_pdu(const struct simmodem *m, uint8_t pdu[PDU_FULL_BYTES])
{
    int n = m->hex_overlong ? -1 : hex_decode(m->hex, m->hex_len, pdu, PDU_FULL_BYTES);
    return n > 0 && n == 1 + pdu[0] + m->entry_tpdu_len ? n : -1;
}

/* True if the TPDU ends where its TP-UDL says: neither cut short nor padded. TS 23.040 9.2.2.2. */
static bool submit_fits(const struct pdu_submit *s, int tpdu_len)
{
    static const int vp_octets[] = {
        [PDU_VP_NONE] = 0, [PDU_VP_ENHANCED] = 7, [PDU_VP_RELATIVE] = 1, [PDU_VP_ABSOLUTE] = 7};
    enum { FIXED_OCTETS = 7 }; /* first octet, TP-MR, TP-DA's length and type, TP-PID, TP-DCS, TP-UDL */
    int address_octets = (s->to.len + 1) / 2;
    return !s->ud.shortened &&
           tpdu_len == FIXED_OCTETS + address_octets + vp_octets[s->vp.form] + s->ud.octets_len;
}

static bool submit_read(const struct simmodem *m, const uint8_t *pdu, int n)
{
    struct pdu_submit s;
    return n > 0 && pdu_decode_submit(pdu, (size_t)n, m->entry_tpdu_len, &s, NULL) == 0 &&
           submit_fits(&s, m->entry_tpdu_len);
}

static void entry_run(struct simmodem *m, enum sim_entry entry)
{
    uint8_t pdu[PDU_FULL_BYTES];
    int n = entry_pdu(m, pdu);
    if (entry == SIM_ENTRY_CNMA) {
        int code = sim_mt_ack(m, m->entry_negative);
        sim_finish(m, code ? SIM_CMS + code : SIM_R_OK);
    } else if (!submit_read(m, pdu, n)) {
        sim_finish(m, BAD_PDU_PARAMETER);
    } else if (entry == SIM_ENTRY_CMGW) {
        store_own(m, pdu, (size_t)n);
    } else {
        submit_begin(m, pdu, (size_t)n, m->entry_tpdu_len);
    }
}

void sim_entry_done(struct simmodem *m, bool cancelled)
{
    enum sim_entry entry = m->entry;
    m->entry = SIM_ENTRY_NONE;
    if (!cancelled)
        entry_run(m, entry);
    else if (m->p.escape != ESCAPE_SILENT)
        sim_finish(m, m->p.escape == ESCAPE_350 ? CANCELLED : SIM_R_OK);
    sim_urcs_flush(m);
}

/* 3.4.4: AT+CNMA, =0, =1 acknowledge; =2 does not; with a length the acknowledgement's TPDU follows. */
static int cmd_cnma(struct simmodem *m, struct sim_cmd *c)
{
    int n = 0, len = 0;
    if (c->form == SIM_TEST) {
        sim_info_line(m, "+CNMA: (0-2)");
        return SIM_R_OK;
    }
    if (c->form == SIM_READ || (c->form == SIM_SET && (c->argc > 2 || !sim_arg_int(c, 0, 0, 2, &n) ||
                                                       !sim_arg_int(c, 1, 0, TPDU_MAX, &len))))
        return BAD_PDU_PARAMETER;
    unsigned as = c->form == SIM_EXEC ? CNMA_PLAIN : (unsigned)CNMA_ZERO << n;
    if (!(m->p.acks & as))
        return SIM_R_ERROR;
    if (!m->await)
        return SIM_CMS + 340;
    if (len > 0 && c->form == SIM_SET) {
        m->entry_negative = n == 2;
        sim_prompt(m, SIM_ENTRY_CNMA, len);
        return SIM_R_LATER;
    }
    int code = sim_mt_ack(m, n == 2);
    return code ? SIM_CMS + code : SIM_R_OK;
}

const struct sim_command sim_commands_sms[] = {
    {.name = "+CMGF", .run = cmd_cmgf, .flags = SIM_F_SMS},
    {.name = "+CSMS", .run = cmd_csms, .flags = SIM_F_SMS},
    {.name = "+CMMS", .run = cmd_cmms, .flags = SIM_F_SMS},
    {.name = "+CSMP", .run = cmd_csmp, .flags = SIM_F_SMS},
    {.name = "+CSCA", .run = cmd_csca, .flags = SIM_F_SMS},
    {.name = "+CNMI", .run = cmd_cnmi, .flags = SIM_F_SMS},
    {.name = "+CPMS", .run = sim_cmd_cpms, .flags = SIM_F_SMS},
    {.name = "+CMGL", .run = sim_cmd_cmgl, .flags = SIM_F_SMS},
    {.name = "+CMGR", .run = sim_cmd_cmgr, .flags = SIM_F_SMS},
    {.name = "+CMGD", .run = sim_cmd_cmgd, .flags = SIM_F_SMS},
    {.name = "+CMGS", .run = cmd_cmgs, .flags = SIM_F_SMS},
    {.name = "+CMGW", .run = cmd_cmgw, .flags = SIM_F_SMS},
    {.name = "+CMSS", .run = cmd_cmss, .flags = SIM_F_SMS},
    {.name = "+CNMA", .run = cmd_cnma, .flags = SIM_F_SMS},
    {0},
};
