/* The examination of modems: sticks with several ports, by the installed profiles, on the simulated bus. */
#include "tests/lib/modem_test.h"

#include <jansson.h>

#include "app/probe.h"
#include "app/profiles.h"

enum { BOUND_MS = 180000 };

struct lab {
    struct rig *r;
    struct profiles *profiles;
    json_t *found;
    bool done;
};

static int setup(void **state)
{
    static const char *const folders[] = {"hw/profiles", NULL};
    struct lab *l = calloc(1, sizeof(*l));
    struct buf problems = {0};

    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR);
    l->r = rig_new(rt_sim_seed(1));
    rig_trace(l->r, getenv("VERBOSE") != NULL);
    l->profiles = profiles_read(folders, &problems);
    assert_string_equal(buf_str(&problems), "");
    buf_free(&problems);
    l->found = json_array();
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct lab *l = *state;

    if (l->r->tracing)
        fputs(buf_str(&l->r->trace), stderr);
    rig_free(l->r);
    profiles_free(l->profiles);
    json_decref(l->found);
    free(l);
    return 0;
}

static void on_found(void *owner, json_t *result)
{
    struct lab *l = owner;

    json_array_append(l->found, result);
}

static void on_done(void *owner)
{
    struct lab *l = owner;

    assert_false(l->done);
    l->done = true;
}

static struct probe_conf conf_of(struct lab *l)
{
    return (struct probe_conf){.rt = l->r->rt,
                               .ports = port_sim_source(l->r->bus),
                               .profiles = profiles_set(l->profiles),
                               .found = on_found,
                               .done = on_done,
                               .owner = l};
}

static void examine(struct lab *l, const struct probe_conf *c)
{
    probe_start(c);
    assert_false(l->done);
    for (int64_t ms = 0; !l->done && ms < BOUND_MS; ms += 1000)
        rig_run(l->r, 1000);
    assert_true(l->done);
}

/* The result whose usb.path is this one. */
static const json_t *at(const struct lab *l, const char *path)
{
    const json_t *m;
    size_t i;

    json_array_foreach(l->found, i, m)
    {
        const char *p = json_string_value(json_object_get(json_object_get(m, "usb"), "path"));
        if (p && strcmp(p, path) == 0)
            return m;
    }
    fail_msg("nothing was found at %s", path);
    return NULL;
}

static const char *text_of(const json_t *m, const char *name)
{
    const char *t = json_string_value(json_object_get(m, name));

    return t ? t : "";
}

static const char *first_problem(const json_t *m)
{
    const char *t = json_string_value(json_array_get(json_object_get(m, "problems"), 0));

    return t ? t : "";
}

static struct unit *plug(struct lab *l, const char *personality, const char *usb_path)
{
    return rig_add(l->r, &(struct rig_conf){.personality = personality,
                                            .usb_path = usb_path,
                                            .profiles = profiles_set(l->profiles)});
}

/* One stick is one result, on its port for commands; its diagnostics and GPS are never opened; two of a kind
 * are two results. */
static void sticks(void **state)
{
    static const char *const paths[] = {"1-1.1", "1-1.2", "1-2"};
    struct lab *l = *state;
    struct probe_conf c = conf_of(l);
    struct unit *u[3] = {plug(l, "simcom-sim7600", paths[0]), plug(l, "simcom-sim7600", paths[1]),
                         plug(l, "quectel-ec25", paths[2])};

    examine(l, &c);
    assert_int_equal(json_array_size(l->found), ARRAY_LEN(paths));
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const json_t *m = at(l, paths[i]);
        struct simmodem_info info;
        char entry[100];

        simmodem_info(u[i]->sim, &info);
        assert_string_equal(text_of(m, "state"), "ready");
        assert_string_equal(text_of(m, "imei"), info.imei);
        assert_string_equal(text_of(m, "imsi"), info.imsi);
        assert_string_equal(text_of(json_object_get(m, "usb"), "role"), "AT");
        snprintf(entry, sizeof(entry), "{ name = \"modem1\"; imei = \"%s\"; }", info.imei);
        assert_string_equal(text_of(m, "entry"), entry);
        assert_string_not_equal(text_of(m, "profile"), "generic");
    }
    assert_int_equal(json_array_size(json_object_get(at(l, "1-1.1"), "other_ports")), 4);
    assert_int_equal(port_sim_kind_opens(l->r->bus, SIMSIDE_DIAG), 0);
    assert_int_equal(port_sim_kind_opens(l->r->bus, SIMSIDE_GPS), 0);
}

/* A stick that is a CD-ROM just now is listed with what to do. */
static void no_modem_now(void **state)
{
    struct lab *l = *state;
    struct probe_conf c = conf_of(l);

    port_sim_usb_plug(l->r->bus, &(struct port_usb_device){.usb_path = "1-3",
                                                           .product_name = "HUAWEI Mobile",
                                                           .vendor = 0x12d1,
                                                           .product = 0x1446,
                                                           .has_disk = true});
    examine(l, &c);
    assert_int_equal(json_array_size(l->found), 1);
    assert_non_null(strstr(first_problem(at(l, "1-3")), "usb-modeswitch"));
    assert_string_equal(text_of(at(l, "1-3"), "entry"), "");
}

/* Nothing there: it ends at once, and says so. */
static void nothing(void **state)
{
    struct lab *l = *state;
    struct probe_conf c = conf_of(l);

    examine(l, &c);
    assert_int_equal(json_array_size(l->found), 0);
}

/* A port that another program has is told to be busy; without a network, and with a full SIM, it is told in
 * words. */
static void troubles(void **state)
{
    struct lab *l = *state;
    struct probe_conf c = conf_of(l);
    struct unit *u = plug(l, "quectel-ec25", "1-1");

    rig_fault(l->r, u, "registration", "3");
    rig_fault(l->r, u, "capacity", "ME 2");
    rig_fault(l->r, u, "capacity", "SM 2");
    rig_text(l->r, u, "+491701234567", "one");
    rig_text(l->r, u, "+491701234567", "two");
    rig_text(l->r, u, "+491701234567", "three");
    rig_text(l->r, u, "+491701234567", "four");
    rig_run(l->r, 5000);
    examine(l, &c);
    const json_t *m = at(l, "1-1");
    char *all = json_dumps(json_object_get(m, "problems"), JSON_COMPACT);
    assert_non_null(strstr(all, "no network (denied)"));
    free(all);

    const char *port = port_sim_tty(l->r->bus, "1-1", -1);
    l->done = false;
    json_array_clear(l->found);
    port_sim_busy(l->r->bus, port, true);
    c.only = &port;
    c.nonly = 1;
    examine(l, &c);
    assert_non_null(strstr(first_problem(json_array_get(l->found, 0)), "busy"));
}

/* A radio that somebody has switched off is told, as it is the reason for what does not work. */
static void radio_off(void **state)
{
    static const char off[] = "AT+CFUN=4\r";
    struct lab *l = *state;
    struct probe_conf c = conf_of(l);
    struct unit *u = plug(l, "huawei-e173", "1-1");

    simmodem_feed(u->sim, off, sizeof(off) - 1, rt_sim_now(l->r->rt));
    examine(l, &c);
    char *all = json_dumps(json_object_get(at(l, "1-1"), "problems"), JSON_COMPACT);
    assert_non_null(strstr(all, "the radio is off (AT+CFUN=4)"));
    free(all);
}

/* A modem of the gateway's own is asked while it works: by name and among all; its stick is not opened
 * twice, and messages go on. */
static void own_ones(void **state)
{
    struct lab *l = *state;
    struct probe_conf c = conf_of(l);
    struct unit *u = plug(l, "huawei-e173", "1-1");
    const char *name = u->name;

    plug(l, "simcom-sim7600", "1-2");
    u->conf.usb = "1-1";
    modem_start(u->modem);
    assert_true(rig_ready(l->r, u));
    c.own = &u->modem;
    c.nown = 1;
    examine(l, &c);
    assert_int_equal(json_array_size(l->found), 2);
    assert_string_equal(text_of(at(l, "1-1"), "configured"), u->name);
    assert_string_equal(text_of(at(l, "1-1"), "entry"), "");
    assert_string_equal(text_of(at(l, "1-2"), "state"), "ready");
    l->done = false;
    json_array_clear(l->found);
    c.only = &name;
    c.nonly = 1;
    examine(l, &c);
    assert_int_equal(json_array_size(l->found), 1);
    assert_string_equal(text_of(at(l, "1-1"), "configured"), u->name);
    rig_text(l->r, u, "+491701234567", "Hello");
    rig_run(l->r, 5000);
    assert_int_equal(u->in_count, 1);
}

static void compare_stores(const char *name, const json_t *alone, const json_t *own)
{
    const json_t *a, *b;
    size_t i, k;

    json_array_foreach(json_object_get(alone, "stores"), i, a)
    {
        bool same = false;
        json_array_foreach(json_object_get(own, "stores"), k, b) same = same || json_equal(a, b);
        if (!same)
            fail_msg("%s: store %s, %lld of %lld, is not told by the modem in use", name, text_of(a, "name"),
                     json_integer_value(json_object_get(a, "used")),
                     json_integer_value(json_object_get(a, "size")));
    }
}

/* A modem in use tells the same of its stores and of what works as one that is only examined, and is not
 * changed by that. */
static void own_ones_tell_the_same(void **state)
{
    static const char *const works[] = {"CNMI", "CSMS", "CMMS"};
    struct lab *l = *state;
    const char *name;

    for (size_t n = 0; (name = simmodem_personality(n)) != NULL; n++) {
        struct probe_conf c = conf_of(l);
        struct unit *u = rig_add(l->r, &(struct rig_conf){.personality = name, .profiles = c.profiles});
        const char *port = u->port;

        c.only = &port;
        c.nonly = 1;
        examine(l, &c);
        modem_start(u->modem);
        assert_true(rig_ready(l->r, u));
        rig_text(l->r, u, "+491701234567", "Hello");
        rig_run(l->r, 30000);
        c.own = &u->modem;
        c.nown = 1;
        l->done = false;
        examine(l, &c);
        const json_t *alone = json_array_get(l->found, 0), *own = json_array_get(l->found, 1);
        compare_stores(name, alone, own);
        for (size_t i = 0; i < ARRAY_LEN(works); i++) {
            const json_t *a = json_object_get(json_object_get(alone, "works"), works[i]);
            const json_t *b = json_object_get(json_object_get(own, "works"), works[i]);
            bool unused = strcmp(works[i], "CMMS") == 0 && modem_profile(u->modem)->cmms == CMMS_OFF;
            if (unused ? b != NULL : i == 0 ? !b != !a : !b || !json_equal(a, b))
                fail_msg("%s: %s is %s when examined and %s in use", name, works[i],
                         a ? json_is_true(a) ? "true" : "false" : "not told",
                         b ? json_is_true(b) ? "true" : "false" : "not told");
        }
        rig_text(l->r, u, "+491701234567", "Again");
        rig_run(l->r, 30000);
        assert_int_equal(u->in_count, 2);
        l->done = false;
        json_array_clear(l->found);
    }
}

static void free_it(void *owner)
{
    struct unit *u = owner;

    modem_free(u->modem);
    u->modem = NULL;
}

/* An own modem that is taken out of gateway.conf while it is asked: what is known by then is told. */
static void own_one_goes(void **state)
{
    struct lab *l = *state;

    for (int64_t after_ms = 0; after_ms < 200; after_ms += 7) {
        struct unit *u = &l->r->units[0];
        struct probe_conf c = conf_of(l);

        if (after_ms == 0)
            u = plug(l, "huawei-e173", "1-1");
        else
            u->modem = modem_new(l->r->rt, port_sim_source(l->r->bus), &u->conf);
        u->conf.usb = "1-1";
        modem_start(u->modem);
        assert_true(rig_ready(l->r, u));
        c.own = &u->modem;
        c.nown = 1;
        l->done = false;
        json_array_clear(l->found);
        probe_start(&c);
        rig_run(l->r, after_ms);
        modem_stop(u->modem, 0, free_it, u);
        rig_run(l->r, 1000);
        assert_true(l->done);
        assert_null(u->modem);
        assert_int_equal(json_array_size(l->found), 1);
    }
}

/* It can be stopped at any moment, and is done soon after, with nothing left open. */
static void stopped(void **state)
{
    struct lab *l = *state;

    for (int64_t after_ms = 0; after_ms < 6000; after_ms += 173) {
        struct probe_conf c = conf_of(l);
        struct unit *u = &l->r->units[0];

        if (after_ms == 0) {
            u = plug(l, "huawei-e173", "1-1");
            plug(l, "simcom-sim7600", "1-2");
            u->conf.usb = "1-1";
            modem_start(u->modem);
            assert_true(rig_ready(l->r, u));
        }
        c.own = &u->modem;
        c.nown = 1;
        l->done = false;
        struct probe *p = probe_start(&c);
        rig_run(l->r, after_ms);
        if (!l->done)
            probe_stop(p);
        for (int64_t ms = 0; !l->done && ms < BOUND_MS; ms += 100)
            rig_run(l->r, 100);
        assert_true(l->done);
    }
}

#define PROBE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {PROBE_TEST(sticks),
                                       PROBE_TEST(no_modem_now),
                                       PROBE_TEST(nothing),
                                       PROBE_TEST(troubles),
                                       PROBE_TEST(radio_off),
                                       PROBE_TEST(own_ones),
                                       PROBE_TEST(own_ones_tell_the_same),
                                       PROBE_TEST(own_one_goes),
                                       PROBE_TEST(stopped)};

    return cmocka_run_group_tests_name("app/probe", tests, NULL, NULL);
}
