/* What every test of the modem room begins with: includes, a rig per test, VERBOSE=1 for the log and the
 * lines. */
#ifndef SIMGATE_TESTS_LIB_MODEM_TEST_H
#define SIMGATE_TESTS_LIB_MODEM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/util.h"
#include "tests/lib/modem_rig.h"

static inline int rig_setup(void **state)
{
    bool verbose = getenv("VERBOSE") != NULL;

    log_set_level(verbose ? LOG_DEBUG : LOG_ERR);
    *state = rig_new(rt_sim_seed(1));
    rig_trace(*state, verbose);
    return 0;
}

static inline int rig_teardown(void **state)
{
    struct rig *r = *state;

    if (r->tracing)
        fputs(buf_str(&r->trace), stderr);
    rig_free(r);
    return 0;
}

static inline struct modem_status status_of(const struct unit *u)
{
    struct modem_status s;

    modem_get_status(u->modem, &s);
    return s;
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

#endif
