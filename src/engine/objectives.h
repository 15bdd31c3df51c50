/* Objectives of gateway.conf, compiled: what share of which figure is wished for. Part of struct program.
 * Measured by desk/figures.c.
 */
#ifndef SIMGATE_ENGINE_OBJECTIVES_H
#define SIMGATE_ENGINE_OBJECTIVES_H

#include "engine/conf.h"
#include "engine/staff.h"
#include "store/query_desk.h"

enum { OBJECTIVES_MAX = FIGURE_TARGETS_MAX };

enum objective_figure {
    OBJECTIVE_TIME,      /* `share` of its times are at most target_ms */
    OBJECTIVE_SATISFIED, /* the others: at least `share` */
    OBJECTIVE_ANSWERED,
    OBJECTIVE_DELIVERED,
    OBJECTIVE_AUTOMATIC,
    OBJECTIVE_NPS,
};
struct objective {
    char *name, *department; /* department "" all */
    char *target;            /* as it was written; "" none */
    const char *figure_name; /* static */
    enum objective_figure figure;
    enum figure_time time; /* of OBJECTIVE_TIME */
    int64_t target_ms;
    bool business; /* opening hours only */
    double share;
};
struct objectives {
    struct objective *all;
    int count;
};
struct problems;
void objectives_compile(struct objectives *o, const struct engine_conf *conf, const struct staff *staff,
                        struct problems *p);
void objectives_fini(struct objectives *o);

/* The time that a day is open on average, of those on which it is: a "business day". */
int64_t objectives_business_day_ms(const struct hours *h);

#endif
