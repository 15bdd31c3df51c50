/* What messages would need, nothing being stored: campaigns are looked at before they begin. */
#include <string.h>

#include "gateway/private.h"

enum { PART_MS = 4000 }; /* a part's time on a modem that was not measured yet */

int gateway_estimate(struct gateway *g, const struct gateway_send *s, struct gateway_estimate *out,
                     struct err *e)
{
    struct store_new_message m = {0};
    struct composed c = {0};
    int rc = gw_compose(g, s, rt_wall_ms(g->rt), &m, &c, e);

    *out = (struct gateway_estimate){
        .parts = m.nparts, .cost_micros = m.cost_micros, .due_wall_ms = m.due_wall_ms};
    gw_composed_free(&c);
    return rc;
}

double gateway_parts_per_second(const struct gateway *g, const char *modem, const char *pool)
{
    double all = 0;

    for (int i = 0; i < g->npipes; i++) {
        const struct pipe *p = g->pipes[i];
        bool wanted = *modem ? strcmp(p->name, modem) == 0 : !*pool || strcmp(p->pool, pool) == 0;

        if (wanted && p->c && p->c->state == CARRIER_READY)
            all += p->c->seconds_per_part > 0 ? 1 / p->c->seconds_per_part : 1000.0 / PART_MS;
    }
    return all;
}
