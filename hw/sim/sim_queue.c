/* TPDUs on their way to a simulated modem, by the time at which the network may try. A queue owns what is in
 * it. */
#include <stdlib.h>

#include "hw/sim/sim_int.h"

void sim_queue_put(struct sim_queue *q, struct sim_tpdu *t)
{
    struct sim_tpdu **p = &q->head;
    if (q->tail && q->tail->due_us <= t->due_us)
        p = &q->tail->next;
    else
        while (*p && (*p)->due_us <= t->due_us)
            p = &(*p)->next;
    t->next = *p;
    *p = t;
    if (!t->next)
        q->tail = t;
    q->len++;
}

struct sim_tpdu *sim_queue_take(struct sim_queue *q)
{
    struct sim_tpdu *t = q->head;
    if (!t)
        return NULL;
    q->head = t->next;
    if (!q->head)
        q->tail = NULL;
    q->len--;
    t->next = NULL;
    return t;
}

void sim_queue_free(struct sim_queue *q)
{
    struct sim_tpdu *t;
    while ((t = sim_queue_take(q)))
        free(t);
}

void sim_queue_shuffle(struct sim_rng *rng, struct sim_queue *q, int64_t due_us)
{
    struct sim_tpdu *items[PDU_MAX_SEGMENTS];
    size_t n = 0;
    while (n < PDU_MAX_SEGMENTS && (items[n] = sim_queue_take(q)))
        n++;
    for (size_t i = n; i > 1; i--) {
        size_t j = sim_rng_below(rng, (uint32_t)i);
        struct sim_tpdu *swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
    for (size_t i = 0; i < n; i++) {
        items[i]->due_us = due_us;
        sim_queue_put(q, items[i]);
    }
}
