/* What may go out, when, by whom and for how much: premium numbers, routes, costs, quiet hours.
 *
 * The configuration compiled, and questions to it. Pure: no gateway, no store, no clock. Admission asks for
 * every producer (gateway/restrain.c), the queue again before a message leaves.
 */
#ifndef SIMGATE_GATEWAY_POLICY_H
#define SIMGATE_GATEWAY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mask.h"

/* ---- what app/ reads from gateway.conf; arrays of texts NULL-terminated, NULL: not set ------------------
 */

enum route_prefer {
    ROUTE_LEAST_LOADED, /* whichever carrier is free first takes it: the fast ones more */
    ROUTE_CHEAPEST,     /* by costs, of those that can take it now */
};
/* Numbers are "+49*", "+4917*", "116116", "*". Names may end in '*' too. */
struct route_conf {
    const char *name, *place;
    const char *const *to;          /* NULL any */
    const char *const *sources;     /* "spool:*", "rule:opening hours", "ctl:root", "campaign:*"; NULL any */
    const char *const *departments; /* on whose behalf; NULL any */
    const char *modem, *pool;       /* by this modem only, or by any of this pool; "" any */
    int prefer;                     /* enum route_prefer */
    const char *const *failover;    /* pools that stand in while nothing of `pool` can carry */
    int per_day, per_month;         /* parts accepted by this route; then the next that fits; 0 no limit */
};
struct cost_conf {
    const char *place;
    const char *const *to; /* NULL any */
    const char *modem;     /* name of a modem or pool; "" any */
    const char *per_part;  /* "0.07" */
};
struct quiet_country_conf {
    const char *place;
    const char *const *to;
    const char *const *zones; /* IANA; all of them must allow it; NULL: those of the built-in map */
    const char *const *hours; /* as hours_new(); NULL: the general ones */
};
struct quiet_conf {
    bool on;
    const char *const *hours;                   /* when marketing may go out, on the recipient's clock */
    bool united_states;                         /* its states' hours, by area code */
    const struct quiet_country_conf *countries; /* before the built-in map */
    int ncountries;
};
struct premium_conf {
    bool deny;                /* the well-known ranges */
    const char *const *allow; /* longest prefix wins, of equal ones `allow` */
    const char *const *also;  /* denied besides */
};
struct policy_department {
    const char *name, *modem, *pool; /* answers from; "" by the SIM that the customer wrote to */
};
struct policy_conf {
    const struct route_conf *routes;
    int nroutes;
    const struct cost_conf *costs; /* the first that fits */
    int ncosts;
    const char *cost_per_day; /* "20.00": more is refused, but for people's own messages and confirmations of
                                 STOP; "" no cap */
    struct quiet_conf quiet;
    struct premium_conf premium;
    const struct policy_department *departments;
    int ndepartments;
    /* sensitive data: of events, and of what is stored */
    bool mask_cards, store_masked;
    const char *const *mask_patterns;
};

/* ---- compiled -------------------------------------------------------------------------------------------
 */

struct policy;

/* Copies conf. All problems are told, "gateway.conf:7: routes[0].to[1]: …" (NULL: nobody reads them); what is
 * wrong is then left out, so that *out is of use all the same. Returns how many there were. */
int policy_new(const struct policy_conf *conf, void (*problem)(void *owner, const char *text), void *owner,
               struct policy **out);
void policy_free(struct policy *p);

/* Why nothing may be sent to this canonical number: "a premium-rate number (Germany 0900)"; NULL: it may. */
const char *policy_premium(const struct policy *p, const char *to, char words[96]);

/* Of one part to this number by this modem of this pool, in millionths of the currency; 0 where nothing is
 * said of it. */
int64_t policy_cost(const struct policy *p, const char *to, const char *modem, const char *pool);
bool policy_has_costs(const struct policy *p);
int64_t policy_cost_per_day(const struct policy *p); /* millionths; 0 no cap */

/* Routes in their order: from index on, the first that this is for; -1 none. */
int policy_route(const struct policy *p, int from, const char *to, const char *source,
                 const char *department);
/* Why the route of this index is not for it: "is for other numbers"; NULL: it is. */
const char *policy_route_unfit(const struct policy *p, int index, const char *to, const char *source,
                               const char *department);
const struct route_conf *policy_route_at(const struct policy *p, int index); /* NULL beyond the last */
const struct policy_department *policy_department(const struct policy *p, const char *name); /* NULL none */
/* The how-manieth of the pools that stand in for this one `other` is, 1 …; 0: none of them. */
int policy_failover(const struct policy *p, const char *pool, const char *other);
bool policy_has_failover(const struct policy *p);

/* When marketing may go to this number: now, or the next moment that suits all time zones it may be in. Where
 * no moment of the next eight days suits them all, the first zone decides. words: which zones and hours. */
int64_t policy_quiet_until(struct policy *p, const char *to, int64_t wall_ms, char words[160]);

struct mask *policy_mask(const struct policy *p); /* never NULL */
bool policy_stores_masked(const struct policy *p);

/* "0.07" to millionths; false: no amount from 0 to 1,000,000 with at most six decimals. */
bool policy_amount(const char *text, int64_t *micros);

#endif
