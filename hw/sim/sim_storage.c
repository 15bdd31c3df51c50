/* AT+CPMS, AT+CMGL, AT+CMGR and AT+CMGD of a simulated modem; TS 27.005 3.2.2, 4.1, 4.2, 3.5.4. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

enum {
    BAD_PDU_PARAMETER = SIM_CMS + 304,
    BAD_INDEX = SIM_CMS + 321,
};

static void cpms_figures(const struct simmodem *m, bool names, char *out, size_t size)
{
    size_t n = 0;
    for (int i = 0; i < m->p.cpms_args; i++) {
        const struct sim_store *s = &m->stores[m->set.mem[i]];
        unsigned total = sim_store_full(m, m->set.mem[i]) && s->used < s->size ? s->used : s->size;
        if (names)
            n += (size_t)snprintf(out + n, size - n, "%s\"%s\",%u,%u", i ? "," : "", m->set.mem_name[i],
                                  s->used, total);
        else
            n += (size_t)snprintf(out + n, size - n, "%s%u,%u", i ? "," : "", s->used, total);
    }
}

int sim_cmd_cpms(struct simmodem *m, struct sim_cmd *c)
{
    char text[96];
    struct sim_settings chosen = m->set;
    switch (c->form) {
    case SIM_READ:
        cpms_figures(m, true, text, sizeof(text));
        sim_info_line(m, "+CPMS: %s", text);
        return SIM_R_OK;
    case SIM_TEST:
        sim_info_line(m, "+CPMS: %s", m->p.cpms_test);
        return SIM_R_OK;
    case SIM_EXEC:
        return SIM_R_ERROR;
    case SIM_SET:
        break;
    }
    if (c->argc < 1 || c->argc > m->p.cpms_args)
        return c->argc > 3 || c->argc < 1 ? BAD_PDU_PARAMETER : SIM_R_ERROR;
    for (int i = 0; i < c->argc; i++) {
        if (!c->arg[i].quoted || !sim_store_named(m, c->arg[i].text, &chosen.mem[i]) ||
            (i && chosen.mem[i] >= SIM_SR))
            return BAD_PDU_PARAMETER;
        str_copy(chosen.mem_name[i], sizeof(chosen.mem_name[i]), c->arg[i].text);
    }
    m->set = chosen;
    cpms_figures(m, false, text, sizeof(text));
    sim_info_line(m, "+CPMS: %s", text);
    return SIM_R_OK;
}

static void slot_line(struct simmodem *m, const char *head, struct sim_slot *slot)
{
    char hex[2 * PDU_FULL_BYTES + 1];
    hex_encode(slot->t->pdu, slot->t->len, hex);
    sim_info_line(m, "%s%d,,%u\r\n%s", head, (int)slot->stat, slot->t->tpdu_len, hex);
    if (slot->stat == SIM_REC_UNREAD)
        slot->stat = SIM_REC_READ;
}

int sim_cmd_cmgl(struct simmodem *m, struct sim_cmd *c)
{
    struct sim_store *s = &m->stores[m->set.mem[0]];
    int stat = SIM_REC_UNREAD;
    char head[32];
    if (c->form == SIM_TEST) {
        sim_info_line(m, "+CMGL: (0-4)");
        return SIM_R_OK;
    }
    if (c->form == SIM_READ || c->argc > 1 || (c->form == SIM_SET && !sim_arg_int(c, 0, 0, SIM_ALL, &stat)))
        return BAD_PDU_PARAMETER;
    for (unsigned i = 0; i < s->allocated; i++) {
        if (!s->slots[i].t || (stat != SIM_ALL && (int)s->slots[i].stat != stat))
            continue;
        snprintf(head, sizeof(head), "+CMGL: %u,", i + sim_index_base(m));
        slot_line(m, head, &s->slots[i]);
    }
    return SIM_R_OK;
}

int sim_index_arg(struct simmodem *m, const struct sim_cmd *c, enum sim_store_id id, int *index,
                  struct sim_slot **slot)
{
    *index = -1;
    if (c->form != SIM_SET || !c->arg[0].present || !sim_arg_int(c, 0, 0, 65535, index))
        return BAD_PDU_PARAMETER;
    *slot = sim_store_at(m, id, *index);
    return *slot ? 0 : BAD_INDEX;
}

int sim_cmd_cmgr(struct simmodem *m, struct sim_cmd *c)
{
    int index;
    struct sim_slot *slot;
    if (c->form == SIM_TEST)
        return SIM_R_OK;
    int rc = sim_index_arg(m, c, m->set.mem[0], &index, &slot);
    if (rc)
        return rc;
    if (c->argc > 1)
        return BAD_PDU_PARAMETER;
    if (!slot->t)
        return BAD_INDEX;
    slot_line(m, "+CMGR: ", slot);
    return SIM_R_OK;
}

/* Which of the four kinds a delflag takes: 1 read, 2 and sent, 3 and unsent, 4 all. */
static bool flag_takes(int flag, enum sim_stat stat)
{
    static const unsigned taken[] = {0, 1u << SIM_REC_READ, 1u << SIM_REC_READ | 1u << SIM_STO_SENT,
                                     1u << SIM_REC_READ | 1u << SIM_STO_SENT | 1u << SIM_STO_UNSENT, 0xF};
    return taken[flag] >> stat & 1u;
}

static void cmgd_test(struct simmodem *m)
{
    const struct sim_store *s = &m->stores[m->set.mem[0]];
    struct buf list = {0};
    for (unsigned i = 0; i < s->allocated && list.len < 400; i++)
        if (s->slots[i].t)
            buf_addf(&list, "%s%u", list.len ? "," : "", i + sim_index_base(m));
    sim_info_line(m, "+CMGD: (%s),(0-4)", buf_str(&list));
    buf_free(&list);
}

int sim_cmd_cmgd(struct simmodem *m, struct sim_cmd *c)
{
    struct sim_store *s = &m->stores[m->set.mem[0]];
    int index, flag = 0;
    struct sim_slot *slot;
    if (c->form == SIM_TEST) {
        cmgd_test(m);
        return SIM_R_OK;
    }
    if (c->argc > 2 || !sim_arg_int(c, 1, 0, 4, &flag))
        return BAD_PDU_PARAMETER;
    if (flag == 0) {
        int rc = sim_index_arg(m, c, m->set.mem[0], &index, &slot);
        if (rc == 0)
            sim_store_delete(m, m->set.mem[0], index);
        return rc;
    }
    for (unsigned i = 0; i < s->allocated; i++)
        if (s->slots[i].t && flag_takes(flag, s->slots[i].stat))
            sim_store_delete(m, m->set.mem[0], (int)(i + sim_index_base(m)));
    return SIM_R_OK;
}
