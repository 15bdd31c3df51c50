/* The policy by itself: premium numbers, amounts, costs, routes, and when marketing may go where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "base/zone.h"
#include "gateway/policy_private.h"
#include "tests/lib/rt_sim.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define HOUR      INT64_C(3600000)

static void collect(void *owner, const char *text)
{
    buf_adds(owner, text);
    buf_addc(owner, '\n');
}

static struct policy *policy_of(const struct policy_conf *conf)
{
    struct buf problems = {0};
    struct policy *p;

    if (policy_new(conf, collect, &problems, &p) != 0)
        fail_msg("%s", buf_str(&problems));
    buf_free(&problems);
    return p;
}

/* ---- premium ---- */

/* Premium-rate, personal and satellite numbers are denied, ordinary ones beside them are not. */
static void premium(void **state)
{
    static const char *const denied[] = {"+19005551234", "+449098790000", "+447012345678", "+4990012345",
                                         "+4913712345",  "+41900123456",  "+33899123456",  "+34803123456",
                                         "+8816123456",  "+97912345678",  "+61190012345",  "4990012345",
                                         "19005551234"};
    static const char *const fine[] = {"+12125550100", "+447700900123", "+491701234567", "+41791234567",
                                       "+33612345678", "+34612345678",  "+61412345678",  "+4989123456",
                                       "116116",       "12345"};
    struct policy *p = policy_of(&(struct policy_conf){.premium.deny = true});
    char words[96];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(denied); i++)
        if (!policy_premium(p, denied[i], words))
            fail_msg("%s passes", denied[i]);
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        if (policy_premium(p, fine[i], words))
            fail_msg("%s is %s", fine[i], words);
    assert_string_equal(policy_premium(p, "+4990012345", words), "a premium-rate number (Germany 0900)");
    policy_free(p);
}

/* The longest beginning decides, `allow` where both are as long; without `deny` only one's own are denied. */
static void premium_lists(void **state)
{
    struct policy_conf conf = {.premium = {.deny = true,
                                           .allow = LIST("+4990012*", "+49900555", "5*", "+7*"),
                                           .also = LIST("+49170*", "5*", "77", "+7999*")}};
    struct policy *p = policy_of(&conf);
    char words[96];

    (void)state;
    assert_null(policy_premium(p, "+4990012345", words));
    assert_null(policy_premium(p, "+49900555", words));
    assert_non_null(policy_premium(p, "+499005551", words));
    assert_non_null(policy_premium(p, "+491701234567", words));
    assert_null(policy_premium(p, "54321", words));
    assert_non_null(policy_premium(p, "77", words));
    assert_null(policy_premium(p, "777", words));
    assert_null(policy_premium(p, "+79161234567", words));
    assert_non_null(policy_premium(p, "+79991234567", words));
    assert_non_null(policy_premium(p, "+78091234567", words)); /* longer than the whole country */
    policy_free(p);
    conf.premium.deny = false;
    p = policy_of(&conf);
    assert_null(policy_premium(p, "+499005551", words));
    assert_string_equal(policy_premium(p, "+491701234567", words), "a number that premium.also denies");
    policy_free(p);
}

/* ---- costs ---- */

/* Amounts are read to millionths; what is none is refused. */
static void amounts(void **state)
{
    static const struct {
        const char *text;
        int64_t micros;
    } good[] = {{"0.07", 70000},       {"0", 0},
                {"20", 20000000},      {"0,075", 75000},
                {"1.000001", 1000001}, {"1000000", INT64_C(1000000000000)}};
    static const char *const bad[] = {"",        ".5",       "1.",    "-1", "1.0000001",
                                      "1000001", "99999999", "1 EUR", "1e3"};
    int64_t micros;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(policy_amount(good[i].text, &micros));
        assert_int_equal(micros, good[i].micros);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(policy_amount(bad[i], &micros));
}

/* The first cost that fits number and modem or pool counts; nothing known costs nothing. */
static void costs(void **state)
{
    const struct cost_conf list[] = {
        {.to = LIST("+49*"), .modem = "M1", .per_part = "0.01"},
        {.to = LIST("+49*"), .modem = "cheap", .per_part = "0.03"},
        {.to = LIST("+49*", "+43*"), .modem = "", .per_part = "0.07"},
        {.modem = "", .per_part = "0.5"},
    };
    struct policy *p = policy_of(&(struct policy_conf){.costs = list, .ncosts = 4, .cost_per_day = "20.00"});
    struct policy *none = policy_of(&(struct policy_conf){0});

    (void)state;
    assert_int_equal(policy_cost(p, "+491701", "M1", ""), 10000);
    assert_int_equal(policy_cost(p, "+491701", "M2", "cheap"), 30000);
    assert_int_equal(policy_cost(p, "+431701", "M1", ""), 70000);
    assert_int_equal(policy_cost(p, "+331701", "M1", ""), 500000);
    assert_int_equal(policy_cost_per_day(p), 20000000);
    assert_true(policy_has_costs(p));
    assert_int_equal(policy_cost(none, "+331701", "M1", ""), 0);
    assert_false(policy_has_costs(none));
    policy_free(p);
    policy_free(none);
}

/* ---- routes ---- */

/* The first route for number, sender and department; those that stand in for a pool in their order. */
static void routes(void **state)
{
    const struct route_conf list[] = {
        {.name = "campaigns",
         .sources = LIST("campaign:*"),
         .modem = "",
         .pool = "bulk",
         .failover = LIST("a", "b")},
        {.name = "sales", .departments = LIST("sales"), .modem = "M1", .pool = ""},
        {.name = "germany", .to = LIST("+49*"), .modem = "", .pool = "de", .failover = LIST("b")},
        {.name = "rest", .modem = "", .pool = ""},
    };
    struct policy *p = policy_of(&(struct policy_conf){.routes = list, .nroutes = 4});

    (void)state;
    assert_int_equal(policy_route(p, 0, "+491", "campaign:3", ""), 0);
    assert_int_equal(policy_route(p, 1, "+491", "campaign:3", ""), 2);
    assert_int_equal(policy_route(p, 0, "+491", "ctl:root", "sales"), 1);
    assert_int_equal(policy_route(p, 0, "+491", "ctl:root", ""), 2);
    assert_int_equal(policy_route(p, 0, "+331", "ctl:root", ""), 3);
    assert_int_equal(policy_route(p, 4, "+331", "ctl:root", ""), -1);
    assert_string_equal(policy_route_unfit(p, 2, "+331", "", ""), "is for other numbers");
    assert_null(policy_route_at(p, 4));
    assert_int_equal(policy_failover(p, "bulk", "a"), 1);
    assert_int_equal(policy_failover(p, "bulk", "b"), 2);
    assert_int_equal(policy_failover(p, "bulk", "de"), 0);
    assert_int_equal(policy_failover(p, "de", "b"), 1);
    policy_free(p);
}

/* Everything that is wrong is told with its place, and the rest works. */
static void problems(void **state)
{
    const struct route_conf list[] = {
        {.name = "a", .place = "routes[0]", .to = LIST("+49*", "49x"), .modem = "", .pool = ""},
        {.name = "a",
         .place = "routes[1]",
         .to = LIST("+*", ""),
         .modem = "M",
         .pool = "P",
         .prefer = ROUTE_CHEAPEST},
    };
    const struct cost_conf cost[] = {{.place = "costs[0]", .modem = "", .per_part = "cheap"}};
    const struct quiet_country_conf country[] = {{.place = "quiet.countries[0]",
                                                  .to = LIST("+49*"),
                                                  .zones = LIST("Europe/Berlin", "Mars/Olympus"),
                                                  .hours = LIST("someday")}};
    struct policy_conf conf = {
        .routes = list,
        .nroutes = 2,
        .costs = cost,
        .ncosts = 1,
        .cost_per_day = "x",
        .quiet = {.on = true, .hours = LIST("daily 25:00"), .countries = country, .ncountries = 1}};
    static const char *const expected[] = {"routes[0].to[1]: expected a number",
                                           "routes[1].to[0]: expected a number",
                                           "routes[1].to[1]: expected a number",
                                           "routes[1].name: another route is called \"a\"",
                                           "routes[1]: expected a modem or a pool",
                                           "routes[1].prefer: expected with a pool",
                                           "costs[0].per_part: expected an amount",
                                           "guard.cost_per_day: expected an amount",
                                           "quiet.countries[0].zones[1]: ",
                                           "quiet.countries[0].hours: ",
                                           "quiet.hours: "};
    struct buf told = {0};
    struct policy *p;

    (void)state;
    assert_int_equal(policy_new(&conf, collect, &told, &p), (int)ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (!strstr(buf_str(&told), expected[i]))
            fail_msg("\"%s\" is not among: %s", expected[i], buf_str(&told));
    assert_int_equal(policy_route(p, 0, "+491", "", ""), 0);
    policy_free(p);
    buf_clear(&told);
    conf = (struct policy_conf){.cost_per_day = "5"};
    assert_int_equal(policy_new(&conf, collect, &told, &p), 1);
    assert_non_null(strstr(buf_str(&told), "guard.cost_per_day: expected costs"));
    policy_free(p);
    buf_free(&told);
}

/* ---- quiet hours ---- */

/* A moment by the clock of a zone. */
static int64_t at(const char *zone, int year, int month, int day, int hour, int minute)
{
    struct zone *z;
    int64_t t;

    assert_int_equal(zone_new(zone, &z, NULL), 0);
    t = zone_moment(z, year, month, day, hour * 60 + minute);
    zone_free(z);
    return t;
}

static struct policy *quiet_policy(const struct quiet_country_conf *countries, int n)
{
    return policy_of(&(struct policy_conf){
        .quiet = {.on = true, .united_states = true, .countries = countries, .ncountries = n}});
}

static int64_t until(struct policy *p, const char *to, int64_t wall_ms)
{
    char words[160];

    return policy_quiet_until(p, to, wall_ms, words);
}

/* Marketing goes from 8 to 21 on the recipient's clock, wherever that is, and waits for it otherwise. */
static void by_country(void **state)
{
    static const struct {
        const char *to, *zone;
    } list[] = {{"+491701234567", "Europe/Berlin"},   {"+447700900123", "Europe/London"},
                {"+905321234567", "Europe/Istanbul"}, {"+819012345678", "Asia/Tokyo"},
                {"+919812345678", "Asia/Kolkata"},    {"+64211234567", "Pacific/Auckland"},
                {"+12425551234", "America/Nassau"},   {"+77011234567", "Asia/Almaty"}};
    struct policy *p = quiet_policy(NULL, 0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        int64_t noon = at(list[i].zone, 2026, 6, 10, 12, 0), night = at(list[i].zone, 2026, 6, 10, 22, 30);

        assert_true(until(p, list[i].to, noon) == noon);
        assert_true(until(p, list[i].to, night) == at(list[i].zone, 2026, 6, 11, 8, 0));
        assert_true(until(p, list[i].to, at(list[i].zone, 2026, 6, 10, 20, 59)) ==
                    at(list[i].zone, 2026, 6, 10, 20, 59));
        assert_true(until(p, list[i].to, at(list[i].zone, 2026, 6, 10, 21, 0)) ==
                    at(list[i].zone, 2026, 6, 11, 8, 0));
    }
    policy_free(p);
}

/* A country of several zones: all of them must allow it. */
static void several_zones(void **state)
{
    struct policy *p = quiet_policy(NULL, 0);
    const char *perth = "Australia/Perth", *sydney = "Australia/Sydney";

    (void)state;
    /* 9:00 in Sydney is 7:00 in Perth: until 8:00 there */
    assert_true(until(p, "+61412345678", at(sydney, 2026, 6, 10, 9, 0)) == at(perth, 2026, 6, 10, 8, 0));
    /* 20:30 in Perth is 22:30 in Sydney: until it is 8:00 in Perth */
    assert_true(until(p, "+61412345678", at(perth, 2026, 6, 10, 20, 30)) == at(perth, 2026, 6, 11, 8, 0));
    /* a number of North America whose area is not known: both coasts */
    assert_true(until(p, "+15005550100", at("America/New_York", 2026, 6, 10, 9, 0)) ==
                at("America/Los_Angeles", 2026, 6, 10, 8, 0));
    policy_free(p);
}

/* The states with shorter hours have them, by area code; without them the general ones count. */
static void states(void **state)
{
    static const struct {
        const char *to, *zone;
        int day, from, to_hour; /* June 2026: 10 a Wednesday, 13 a Saturday, 14 a Sunday */
    } list[] = {
        {"+12125550100", "America/New_York", 10, 8, 21},  {"+13055550100", "America/New_York", 10, 8, 20},
        {"+14055550100", "America/Chicago", 10, 8, 20},   {"+12405550100", "America/New_York", 10, 8, 20},
        {"+16015550100", "America/Chicago", 10, 8, 20},   {"+12015550100", "America/New_York", 10, 8, 20},
        {"+12035550100", "America/New_York", 10, 9, 20},  {"+12145550100", "America/Chicago", 13, 9, 21},
        {"+12145550100", "America/Chicago", 14, 12, 21},  {"+14015550100", "America/New_York", 10, 9, 18},
        {"+14015550100", "America/New_York", 13, 10, 17}, {"+16045550100", "America/Vancouver", 10, 8, 21},
    };
    struct policy *p = quiet_policy(NULL, 0);
    struct policy *federal = policy_of(&(struct policy_conf){.quiet = {.on = true}});

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        int64_t begin = at(list[i].zone, 2026, 6, list[i].day, list[i].from, 0);
        int64_t end = at(list[i].zone, 2026, 6, list[i].day, list[i].to_hour, 0);

        assert_true(until(p, list[i].to, begin - HOUR / 2) == begin);
        assert_true(until(p, list[i].to, begin) == begin);
        assert_true(until(p, list[i].to, end - 1000) == end - 1000);
        assert_true(until(p, list[i].to, end) > end);
    }
    assert_true(until(federal, "+13055550100", at("America/New_York", 2026, 6, 10, 20, 30)) ==
                at("America/New_York", 2026, 6, 10, 20, 30));
    policy_free(federal);
    policy_free(p);
}

/* A state's law makes one's own hours shorter, and never longer. */
static void states_and_own_hours(void **state)
{
    struct policy *p = policy_of(&(struct policy_conf){
        .quiet = {.on = true, .united_states = true, .hours = LIST("daily 10:00-20:30")}});
    const char *florida = "+13055550100";

    (void)state;
    assert_true(until(p, florida, at("America/New_York", 2026, 6, 10, 8, 30)) ==
                at("America/New_York", 2026, 6, 10, 10, 0));
    assert_true(until(p, florida, at("America/New_York", 2026, 6, 10, 20, 15)) ==
                at("America/New_York", 2026, 6, 11, 10, 0));
    assert_true(until(p, florida, at("America/New_York", 2026, 6, 10, 12, 0)) ==
                at("America/New_York", 2026, 6, 10, 12, 0));
    policy_free(p);
}

/* gateway.conf's map comes first: zones, hours, or both; off means at any time. */
static void own_map(void **state)
{
    const struct quiet_country_conf map[] = {
        {.to = LIST("+49170*"), .zones = LIST("America/New_York")},
        {.to = LIST("+49*"), .hours = LIST("Mon-Sat 09:00-20:00")},
        {.to = LIST("+1305*"), .hours = LIST("daily 10:00-11:00")},
    };
    struct policy *p = quiet_policy(map, 3);
    struct policy *off = policy_of(&(struct policy_conf){0});
    int64_t night = at("Europe/Berlin", 2026, 6, 10, 3, 0);

    (void)state;
    assert_true(until(p, "+491701234567", at("America/New_York", 2026, 6, 10, 7, 0)) ==
                at("America/New_York", 2026, 6, 10, 8, 0));
    assert_true(until(p, "+491601234567", at("Europe/Berlin", 2026, 6, 13, 20, 30)) ==
                at("Europe/Berlin", 2026, 6, 15, 9, 0));
    assert_true(until(p, "+13055550100", at("America/New_York", 2026, 6, 10, 12, 0)) ==
                at("America/New_York", 2026, 6, 11, 10, 0));
    assert_true(until(off, "+491601234567", night) == night);
    policy_free(off);
    policy_free(p);
}

/* Hours that never meet in the zones of a number do not hold it up for ever: the first zone decides. */
static void never_together(void **state)
{
    const struct quiet_country_conf map[] = {{.to = LIST("+7*"),
                                              .zones = LIST("Europe/Kaliningrad", "Asia/Kamchatka"),
                                              .hours = LIST("daily 09:00-10:00")}};
    struct policy *p = quiet_policy(map, 1);

    (void)state;
    assert_true(until(p, "+79161234567", at("Europe/Kaliningrad", 2026, 6, 10, 12, 0)) ==
                at("Europe/Kaliningrad", 2026, 6, 11, 9, 0));
    policy_free(p);
}

/* Every zone of the built-in maps is in the tz database, every area code stands once, and whatever the number
 * and the moment, the answer is a moment that is allowed, not before and within eight days. */
static void built_in(void **state)
{
    struct policy *p = quiet_policy(NULL, 0);
    bool seen[1000] = {false};
    uint64_t seed = rt_sim_seed(1);
    struct rt *rt = rt_sim_new(seed);

    (void)state;
    for (int i = 0; i < country_zones_count + area_zones_count; i++) {
        bool country = i < country_zones_count;
        char *zones = strdup(country ? country_zones[i].zones : area_zones[i - country_zones_count].zones);

        for (char *save = NULL, *name = strtok_r(zones, ",", &save); name;
             name = strtok_r(NULL, ",", &save)) {
            struct zone *z;

            if (zone_new(name, &z, NULL) != 0)
                fail_msg("no zone %s", name);
            zone_free(z);
        }
        free(zones);
    }
    for (int i = 0; i < area_zones_count; i++)
        for (const char *code = area_zones[i].areas; *code; code += code[3] ? 4 : 3) {
            if (seen[atoi(code) % 1000])
                fail_msg("area %.3s stands twice", code);
            seen[atoi(code) % 1000] = true;
        }
    for (int i = 0; i < 2000; i++) {
        uint64_t random[2];
        char to[NUMBER_BYTES];
        int64_t now, then;

        rt_random(rt, random, sizeof random);
        snprintf(to, sizeof to, "+%llu", (unsigned long long)(random[0] % 10000000000000));
        now = INT64_C(1790000000000) + (int64_t)(random[1] % (366 * 24)) * HOUR;
        then = until(p, to, now);
        assert_true(then >= now && then <= now + 8 * 24 * HOUR);
        assert_true(until(p, to, then) == then);
    }
    rt_sim_free(rt);
    policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(premium),    cmocka_unit_test(premium_lists),
        cmocka_unit_test(amounts),    cmocka_unit_test(costs),
        cmocka_unit_test(routes),     cmocka_unit_test(problems),
        cmocka_unit_test(by_country), cmocka_unit_test(several_zones),
        cmocka_unit_test(states),     cmocka_unit_test(states_and_own_hours),
        cmocka_unit_test(own_map),    cmocka_unit_test(never_together),
        cmocka_unit_test(built_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
