/* The stores of a simulated modem: SM and SR on the SIM, ME in the modem. Owns the TPDUs in them.
 *
 * Indexes begin at 1 (or 0 by configuration); the lowest free place is taken, as most modems do.
 * TS 27.005 3.2.2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

enum { SM_SLOTS = 50, ME_SLOTS = 255, SR_SLOTS = 100, BM_SLOTS = 5 };

/* The first size that is given: by configuration, by the family, as most. */
static void store_init(struct sim_store *s, const char *name, unsigned given, unsigned family, unsigned usual)
{
    unsigned size = given ? given : family ? family : usual;
    str_copy(s->name, sizeof(s->name), name);
    s->slots = calloc(size, sizeof(*s->slots));
    if (!s->slots)
        abort();
    s->size = s->allocated = size;
}

void sim_stores_init(struct simmodem *m)
{
    const struct simmodem_conf *c = &m->conf;
    store_init(&m->stores[SIM_SM], "SM", c->sm_slots, m->p.sm_slots, SM_SLOTS);
    store_init(&m->stores[SIM_ME], "ME", c->me_slots, m->p.me_slots, ME_SLOTS);
    store_init(&m->stores[SIM_SR], "SR", c->sr_slots, m->p.sr_slots, SR_SLOTS);
    store_init(&m->stores[SIM_BM], "BM", 0, 0, BM_SLOTS);
}

void sim_stores_free(struct simmodem *m)
{
    for (int i = 0; i < SIM_STORES; i++) {
        for (unsigned k = 0; k < m->stores[i].allocated; k++)
            free(m->stores[i].slots[k].t);
        free(m->stores[i].slots);
    }
}

unsigned sim_index_base(const struct simmodem *m)
{
    if (m->conf.index_base == SIMMODEM_INDEX_ZERO)
        return 0;
    return m->conf.index_base ? m->conf.index_base : !m->p.index_zero;
}

bool sim_store_full(const struct simmodem *m, enum sim_store_id id)
{
    return m->stores[id].used >= m->stores[id].size || sim_window(m, m->fault.full_until);
}

static unsigned free_slot(struct sim_store *s)
{
    unsigned i = s->hint;
    while (i < s->allocated && s->slots[i].t)
        i++;
    s->hint = i;
    return i;
}

int sim_store_put(struct simmodem *m, enum sim_store_id id, struct sim_tpdu *t, enum sim_stat stat)
{
    struct sim_store *s = &m->stores[id];
    unsigned i = free_slot(s);
    s->slots[i] = (struct sim_slot){.t = t, .stat = stat};
    s->used++;
    return (int)(i + sim_index_base(m));
}

struct sim_slot *sim_store_at(struct simmodem *m, enum sim_store_id id, int index)
{
    struct sim_store *s = &m->stores[id];
    int64_t i = (int64_t)index - sim_index_base(m);
    return i >= 0 && i < s->allocated ? &s->slots[i] : NULL;
}

void sim_store_delete(struct simmodem *m, enum sim_store_id id, int index)
{
    struct sim_store *s = &m->stores[id];
    struct sim_slot *slot = sim_store_at(m, id, index);
    if (!slot || !slot->t)
        return;
    if (!slot->t->own)
        sim_net_event(m, SIMNET_DELETED, slot->t, 0, id, index);
    free(slot->t);
    slot->t = NULL;
    s->used--;
    unsigned i = (unsigned)(slot - s->slots);
    if (i < s->hint)
        s->hint = i;
    m->memory_full = false; /* "memory available": TS 23.040 3.2.7 */
}

void sim_store_resize(struct simmodem *m, enum sim_store_id id, unsigned size)
{
    struct sim_store *s = &m->stores[id];
    if (size > s->allocated) {
        struct sim_slot *grown = realloc(s->slots, size * sizeof(*grown));
        if (!grown)
            abort();
        memset(grown + s->allocated, 0, (size - s->allocated) * sizeof(*grown));
        s->slots = grown;
        s->allocated = size;
    }
    s->size = size;
    m->memory_full = false;
}

bool sim_store_by_name(const char *name, enum sim_store_id *out)
{
    static const char *const names[SIM_STORES] = {"SM", "ME", "SR", "BM"};
    for (int i = 0; i < SIM_STORES; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum sim_store_id)i;
            return true;
        }
    }
    return false;
}

bool sim_store_named(const struct simmodem *m, const char *name, enum sim_store_id *out)
{
    char quoted[16];
    snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    if (!strstr(m->p.cpms_test, quoted))
        return false;
    if (sim_store_by_name(name, out))
        return true;
    bool me = strcmp(name, "ME_P") == 0 || (strcmp(name, "MT") == 0 && strstr(m->p.cpms_test, "\"ME\""));
    *out = me ? SIM_ME : SIM_SM;
    return true;
}

const uint8_t *simmodem_stored(const struct simmodem *m, const char *store, int index, size_t *len, int *stat)
{
    enum sim_store_id id;
    int64_t i = (int64_t)index - sim_index_base(m);
    if (!sim_store_by_name(store, &id) || i < 0 || i >= m->stores[id].allocated || !m->stores[id].slots[i].t)
        return NULL;
    const struct sim_slot *slot = &m->stores[id].slots[i];
    *len = slot->t->len;
    if (stat)
        *stat = (int)slot->stat;
    return slot->t->pdu;
}
