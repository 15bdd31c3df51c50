/* A modem's life against the simulated modem: from the first AT to ready, one message out, one in; ports that
 * vanish and return. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/lib/modem_rig.h"

static int setup(void **state)
{
    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR);
    *state = rig_new(rt_sim_seed(1));
    rig_trace(*state, getenv("VERBOSE") != NULL);
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    if (r->tracing)
        fputs(buf_str(&r->trace), stderr);
    rig_free(r);
    return 0;
}

/* A modem that follows the standards is ready within seconds, and all of it is known. */
static void becomes_ready(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);
    struct simmodem_info info;
    struct modem_status s;

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 1000);
    simmodem_info(u->sim, &info);
    modem_get_status(u->modem, &s);
    assert_int_equal(u->carrier->state, CARRIER_READY);
    assert_string_equal(u->carrier->imei, info.imei);
    assert_string_equal(u->carrier->imsi, info.imsi);
    assert_int_not_equal(u->carrier->signal_dbm, 0);
    assert_true(*u->carrier->operator_name);
    assert_true(*s.manufacturer);
    assert_true(*s.smsc);
    assert_string_equal(s.receive_plan, "store, AT+CNMI=2,1,0,1,0");
    assert_true(rt_sim_now(r->rt) < 10000);
}

/* A message goes out with the TP-MR that the modem gave it. */
static void sends(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.net_ms = 3000});

    rig_fault(r, u, "mr", "77");
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    struct rig_send *send = rig_submit(u, "+491701234567", "Hello", false, NULL);
    assert_non_null(send);
    assert_true(rig_ended(r, send, 10000));
    assert_int_equal(send->outcome.result, CARRIER_SENT);
    assert_int_equal(send->outcome.mr, 77);
    assert_int_equal(simnet_counts(r->net)->by_kind[SIMNET_SUBMITTED], 1);
}

/* A message comes in, is offered once, and deleted only after it was settled. */
static void receives(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    u->settle_ms = 500;
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_run(r, 2000);
    rig_text(r, u, "+491709999999", "Hello shop");
    rig_run(r, 300);
    assert_int_equal(u->in_count, 1);
    assert_string_equal(u->in[0].text, "Hello shop");
    assert_int_equal(rig_stored(u), 1);
    rig_run(r, 1000);
    assert_int_equal(u->in_count, 1);
    assert_int_equal(rig_stored(u), 0);
    assert_int_equal(simnet_counts(r->net)->deleted_messages, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(becomes_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(sends, setup, teardown),
        cmocka_unit_test_setup_teardown(receives, setup, teardown),
    };
    return cmocka_run_group_tests_name("modem life", tests, NULL, NULL);
}
