/* A modem that is only looked at (modem_conf.look_only), as `simgate probe` does: nothing is changed that
 * somebody would miss. */
#include "tests/lib/modem_test.h"

static struct unit *looker(struct rig *r, const struct rig_conf *conf)
{
    struct unit *u = rig_add(r, conf);

    u->conf.look_only = true;
    return u;
}

/* It is known as any other, and stands ready, but its messages are neither read nor deleted. */
static void messages_stay(void **state)
{
    struct rig *r = *state;
    struct unit *u = looker(r, NULL);

    rig_text(r, u, "+491709999999", "before");
    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_text(r, u, "+491709999999", "after");
    rig_run(r, 600000);
    assert_int_equal(u->in_count, 0);
    assert_int_equal(rig_stored(u), 2);
    for (int i = 1; i <= 2; i++) {
        size_t len;
        int stat;
        assert_non_null(simmodem_stored(u->sim, "SM", i, &len, &stat));
        assert_int_equal(stat, 0); /* REC UNREAD */
    }
    assert_string_equal(status_of(u).sim, "READY");
}

/* A SIM that asks for its PIN is told with the tries that are left, and no PIN is sent, though one is known.
 */
static void no_pin(void **state)
{
    struct rig *r = *state;
    struct unit *u = looker(r, &(struct rig_conf){.sim_pin = "1234", .pin = "1234"});
    struct simmodem_info info;

    modem_start(u->modem);
    assert_true(rig_until(r, u, MODEM_LOCKED, 60000));
    rig_run(r, 600000);
    simmodem_info(u->sim, &info);
    assert_true(info.pin_needed);
    assert_int_equal(info.pin_tries, 3);
    assert_int_equal(status_of(u).pin_tries, 3);
    assert_string_equal(status_of(u).sim, "SIM PIN");
}

/* One that hangs is left alone: it is not restarted. */
static void no_ladder(void **state)
{
    struct rig *r = *state;
    struct unit *u = looker(r, NULL);

    modem_start(u->modem);
    assert_true(rig_ready(r, u));
    rig_fault(r, u, "silence", "3600000");
    assert_true(rig_until(r, u, MODEM_BACKOFF, 1200000));
    assert_int_equal(status_of(u).recoveries, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RIG_TEST(messages_stay), RIG_TEST(no_pin), RIG_TEST(no_ladder)};

    return cmocka_run_group_tests_name("modem/look", tests, NULL, NULL);
}
