/* `tests` of gateway.conf, compiled: what a text must make the rules do. */
#ifndef SIMGATE_ENGINE_RULE_TESTS_H
#define SIMGATE_ENGINE_RULE_TESTS_H

#include "engine/rules.h"

struct rule_test {
    char *place;
    char *from, *text, *name, *modem, *department, *tags; /* tags: ",vip,"; NULL none */
    int on;
    int state;                   /* enum conv_state; 0 none */
    int64_t at_wall_ms;          /* 0 now */
    char *expect, *expect_reply; /* NULL not asked */
};

void rule_tests_compile(struct rules *r, const struct engine_conf *conf, struct problems *p);
void rule_tests_free(struct rules *r);
/* Adds to out what came otherwise than expected. */
void rule_tests_run(struct engine *en, int64_t now_wall_ms, struct engine_check *out);

#endif
