/* What the engine's tests share: an engine from a configuration, and one line per trial. */
#ifndef SIMGATE_TESTS_UNIT_ENGINE_TRIAL_H
#define SIMGATE_TESTS_UNIT_ENGINE_TRIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "engine/engine.h"

#define CUSTOMER   "+491701234567"
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline struct engine_conf conf_of(const struct engine_rule_conf *rules, int nrules)
{
    return (struct engine_conf){.business = "Blue Bakery",
                                .rules = rules,
                                .nrules = nrules,
                                .guard.replies = 5,
                                .guard.window_ms = 600000};
}

static inline void collect_problem(void *owner, const char *text)
{
    buf_adds(owner, text);
    buf_addc(owner, '\n');
}

static inline struct engine *engine_of(const struct engine_conf *conf)
{
    struct buf problems = {0};
    struct engine *en;

    if (engine_new(NULL, conf, collect_problem, &problems, &en) != 0)
        fail_msg("%s", buf_str(&problems));
    buf_free(&problems);
    return en;
}

/* The reply to a text; "" none. The last one's stays valid until the next call. */
static inline const char *try_as(struct engine *en, struct engine_trial t, struct engine_trial_result *out)
{
    static char reply[20000];

    engine_try(en, &t, out);
    str_copy(reply, sizeof reply, buf_str(&out->reply));
    engine_trial_clear(out);
    return reply;
}

static inline const char *reply_to(struct engine *en, const char *text)
{
    struct engine_trial_result r;

    return try_as(en, (struct engine_trial){.from = CUSTOMER, .text = text}, &r);
}

/* All problems that a configuration has, a line each. The caller frees. */
static inline struct buf problems_of(const struct engine_conf *conf)
{
    struct buf problems = {0};
    struct engine *en;

    assert_int_equal(engine_new(NULL, conf, collect_problem, &problems, &en), ERR_INVALID);
    assert_null(en);
    return problems;
}

#endif
