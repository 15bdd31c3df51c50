/* PINs over restarts of the process: modems with the daemon's own file on a disk, and the simulated SIM's
 * tries. */
#include "tests/lib/modem_test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/pins.h"

enum { RESTARTS = 10 };

struct lab {
    struct rig *r;
    struct unit *u;
    struct pins pins;
    char dir[64], database[80];
};

static int setup(void **state)
{
    struct lab *l = calloc(1, sizeof(*l));

    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR);
    snprintf(l->dir, sizeof(l->dir), "/tmp/simgate-pins-XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    snprintf(l->database, sizeof(l->database), "%s/simgate.db", l->dir);
    assert_int_equal(pins_init(&l->pins, l->database, NULL), 0);
    l->r = rig_new(rt_sim_seed(1));
    *state = l;
    return 0;
}

static int unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct lab *l = *state;

    rig_free(l->r);
    nftw(l->dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
    free(l);
    return 0;
}

/* A SIM with the PIN 1234 that was just given power, and a modem configured with `pin`. */
static void begin(struct lab *l, const char *pin, bool untold)
{
    l->u = rig_add(l->r, &(struct rig_conf){.sim_pin = "1234", .pin = pin, .tries_untold = untold});
    l->u->conf.pins = &l->pins.memory;
    modem_start(l->u->modem);
}

static void restart(struct lab *l)
{
    rig_kill(l->r);
    rig_revive(l->r);
}

static int tries_left(const struct lab *l)
{
    struct simmodem_info info;

    simmodem_info(l->u->sim, &info);
    return info.pin_tries;
}

static void assert_locked(struct lab *l, int tries, const char *why)
{
    assert_true(rig_until(l->r, l->u, MODEM_LOCKED, 60000));
    assert_int_equal(tries_left(l), tries);
    assert_non_null(strstr(l->u->carrier->reason, why));
    assert_non_null(strstr(l->u->carrier->reason, "`simgate unlock modem0`"));
}

static void restart_ten_times(struct lab *l, bool untold)
{
    begin(l, "9999", untold);
    assert_locked(l, 2, "refused");
    for (int i = 0; i < RESTARTS; i++) {
        restart(l);
        assert_locked(l, 2, "tried before");
    }
}

/* Ten restarts with a wrong PIN cost one try, and each says what to do. */
static void restarts_cost_one_try(void **state)
{
    restart_ten_times(*state, false);
}

/* The same where the modem cannot tell how many tries are left. */
static void restarts_cost_one_try_untold(void **state)
{
    restart_ten_times(*state, true);
}

/* A process that dies right behind the entry, before the answer, has tried all the same. */
static void killed_behind_the_entry(void **state)
{
    struct lab *l = *state;

    begin(l, "9999", true);
    for (int ms = 0; ms < 10000 && tries_left(l) == 3; ms++)
        rig_run(l->r, 1);
    assert_int_equal(tries_left(l), 2);
    for (int i = 0; i < RESTARTS; i++) {
        restart(l);
        assert_locked(l, 2, "tried before");
    }
}

/* A corrected PIN is not tried by itself either, as nobody can say that it is right this time: an operator's
 * word is asked for; then it is entered each time the SIM asks for it. */
static void corrected_pin(void **state)
{
    struct lab *l = *state;

    begin(l, "9999", true);
    assert_locked(l, 2, "refused");
    l->u->conf.pin = "1234";
    for (int i = 0; i < 3; i++) {
        restart(l);
        assert_locked(l, 2, "tried before");
    }
    modem_unlock(l->u->modem);
    assert_true(rig_ready(l->r, l->u));
    for (int i = 0; i < 3; i++) {
        restart(l);
        rig_fault(l->r, l->u, "reboot", NULL);
        rig_run(l->r, 5000);
        assert_true(rig_ready(l->r, l->u));
    }
    assert_int_equal(tries_left(l), 3);
    assert_int_equal(access(l->pins.path, R_OK), 0);
}

/* A modem that is renamed, or a SIM that is moved into another modem, gets no other try. */
static void renamed_and_moved(void **state)
{
    struct lab *l = *state;

    begin(l, "9999", true);
    assert_locked(l, 2, "refused");
    l->u->conf.name = "another";
    restart(l);
    assert_true(rig_until(l->r, l->u, MODEM_LOCKED, 60000));
    assert_int_equal(tries_left(l), 2);
    const struct modem_pins *m = &l->pins.memory;
    struct modem_sim sim = {.name = "a", .imei = "111", .iccid = "8949"};
    struct modem_sim moved = {.name = "b", .imei = "222", .iccid = "8949"};
    struct modem_sim other = {.name = "a", .imei = "111", .iccid = "8950"};
    struct modem_sim unread = {.name = "c", .imei = "222", .iccid = ""};
    assert_int_equal(m->begin(m->owner, &sim, PIN_BY_ITSELF, NULL), 0);
    assert_int_equal(m->begin(m->owner, &moved, PIN_BY_ITSELF, NULL), ERR_REFUSED);
    assert_int_equal(m->begin(m->owner, &other, PIN_BY_ITSELF, NULL), 0);
    assert_int_equal(m->begin(m->owner, &moved, PIN_AS_OPERATOR_ASKED, NULL), 0);
    assert_int_equal(m->begin(m->owner, &unread, PIN_BY_ITSELF, NULL), ERR_REFUSED);
    m->forget(m->owner, &unread); /* it may be any SIM that was open there */
    assert_int_equal(m->begin(m->owner, &moved, PIN_BY_ITSELF, NULL), ERR_REFUSED);
    m->forget(m->owner, &moved);
    assert_int_equal(m->begin(m->owner, &moved, PIN_BY_ITSELF, NULL), 0);
}

/* Where the modem does not tell how many tries are left, an operator gets the second one and not the third.
 */
static void blind_unlocks(void **state)
{
    struct lab *l = *state;
    const struct modem_pins *m = &l->pins.memory;
    struct modem_sim sim = {.name = "a", .imei = "111", .iccid = "8949"};

    assert_int_equal(m->begin(m->owner, &sim, PIN_BY_ITSELF, NULL), 0);
    m->refused(m->owner, &sim);
    assert_int_equal(m->begin(m->owner, &sim, PIN_BLIND_BY_OPERATOR, NULL), 0);
    assert_int_equal(m->begin(m->owner, &sim, PIN_BLIND_BY_OPERATOR, NULL), ERR_REFUSED);
    assert_int_equal(m->begin(m->owner, &sim, PIN_AS_OPERATOR_ASKED, NULL), 0);
}

/* An operator's unlock is for one try. */
static void unlocked_by_an_operator(void **state)
{
    struct lab *l = *state;

    begin(l, "9999", true);
    assert_locked(l, 2, "refused");
    modem_unlock(l->u->modem);
    rig_run(l->r, 10000);
    assert_locked(l, 1, "refused");
    restart(l);
    assert_locked(l, 1, "tried before");
}

/* A right PIN whose acceptance nobody saw is entered once more when the modem tells that no try is missing;
 * one whose modem cannot tell waits for an operator. */
static void not_seen_to_be_right(void **state)
{
    struct lab *l = *state;
    struct modem_sim sim = {.name = "modem0", .imei = "", .iccid = ""};

    assert_int_equal(l->pins.memory.begin(&l->pins, &sim, PIN_BY_ITSELF, NULL), 0);
    begin(l, "1234", false);
    assert_true(rig_ready(l->r, l->u));
    sim.name = "modem1";
    assert_int_equal(l->pins.memory.begin(&l->pins, &sim, PIN_BY_ITSELF, NULL), 0);
    struct unit *other =
        rig_add(l->r, &(struct rig_conf){.sim_pin = "1234", .pin = "1234", .tries_untold = true});
    other->conf.pins = &l->pins.memory;
    modem_start(other->modem);
    assert_true(rig_until(l->r, other, MODEM_LOCKED, 60000));
    modem_unlock(other->modem);
    assert_true(rig_ready(l->r, other));
}

/* A modem that always tells of three tries is believed once, and not at all when the SIM said no. */
static void wrong_count_is_believed_once(void **state)
{
    struct lab *l = *state;
    const struct modem_pins *m = &l->pins.memory;
    struct modem_sim a = {.name = "a", .imei = "1", .iccid = ""};
    struct modem_sim b = {.name = "b", .imei = "2", .iccid = ""};

    assert_int_equal(m->begin(m->owner, &a, PIN_UNTOUCHED, NULL), 0);
    assert_int_equal(m->begin(m->owner, &a, PIN_UNTOUCHED, NULL), 0);
    for (int i = 0; i < RESTARTS; i++)
        assert_int_equal(m->begin(m->owner, &a, PIN_UNTOUCHED, NULL), ERR_REFUSED);
    assert_int_equal(m->begin(m->owner, &b, PIN_UNTOUCHED, NULL), 0);
    m->refused(m->owner, &b);
    assert_int_equal(m->begin(m->owner, &b, PIN_UNTOUCHED, NULL), ERR_REFUSED);
}

/* Each SIM has its own line, no PIN is in the file, which only its owner can read, and files of the earlier
 * form are understood. */
static void the_file(void **state)
{
    struct lab *l = *state;
    const struct modem_pins *m = &l->pins.memory;
    struct modem_sim a = {.name = "a", .imei = "1", .iccid = "89"},
                     b = {.name = "b", .imei = "2", .iccid = ""};
    struct modem_sim old = {.name = "old", .imei = "3", .iccid = ""};
    struct stat st;

    assert_int_equal(m->begin(m->owner, &a, PIN_BY_ITSELF, NULL), 0);
    assert_int_equal(m->begin(m->owner, &b, PIN_BY_ITSELF, NULL), 0);
    assert_int_equal(m->begin(m->owner, &a, PIN_BY_ITSELF, NULL), ERR_REFUSED);
    m->forget(m->owner, &b);
    assert_int_equal(m->begin(m->owner, &a, PIN_BY_ITSELF, NULL), ERR_REFUSED);
    assert_int_equal(m->begin(m->owner, &b, PIN_BY_ITSELF, NULL), 0);
    assert_int_equal(stat(l->pins.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    FILE *f = fopen(l->pins.path, "a");
    assert_non_null(f);
    fputs("old 1 $5$salt$hash\n", f);
    fclose(f);
    assert_int_equal(m->begin(m->owner, &old, PIN_BY_ITSELF, NULL), ERR_REFUSED);
    assert_int_equal(m->begin(m->owner, &old, PIN_UNTOUCHED, NULL), 0);
    assert_int_equal(m->begin(m->owner, &a, PIN_BY_ITSELF, NULL), ERR_REFUSED);
}

/* A try that cannot be noted is not made; when it can be, the modem comes up by itself. A damaged file could
 * hide a try, and counts as one that cannot be noted. */
static void cannot_be_noted(void **state)
{
    struct lab *l = *state;
    struct err e = {0};
    FILE *f = fopen(l->pins.path, "w");

    assert_non_null(f);
    fputs("damaged\n", f);
    fclose(f);
    struct modem_sim sim = {.name = "a", .imei = "", .iccid = ""};
    assert_int_equal(l->pins.memory.begin(&l->pins, &sim, PIN_UNTOUCHED, &e), ERR_CORRUPT);
    assert_non_null(strstr(e.text, ".pins:1: "));
    unlink(l->pins.path);
    assert_int_equal(mkdir(l->pins.path, 0700), 0);
    begin(l, "9999", false);
    rig_run(l->r, 600000);
    assert_int_equal(tries_left(l), 3);
    assert_non_null(strstr(l->u->carrier->reason, "cannot be noted"));
    l->u->conf.pin = "1234";
    assert_int_equal(rmdir(l->pins.path), 0);
    assert_true(rig_until(l->r, l->u, MODEM_READY, 600000));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(restarts_cost_one_try),
        TEST(restarts_cost_one_try_untold),
        TEST(killed_behind_the_entry),
        TEST(corrected_pin),
        TEST(renamed_and_moved),
        TEST(blind_unlocks),
        TEST(unlocked_by_an_operator),
        TEST(not_seen_to_be_right),
        TEST(wrong_count_is_believed_once),
        TEST(the_file),
        TEST(cannot_be_noted),
    };
    return cmocka_run_group_tests_name("PINs over restarts", tests, NULL, NULL);
}
