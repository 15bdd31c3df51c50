/* gateway.conf: consent, guard, quiet hours, sensitive data, premium numbers, routes and costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/conf.h"

#define MODEMS                                                                                               \
    "modems = ( { name = \"M0\"; port = \"/dev/ttyUSB0\"; }, { name = \"M1\"; port = \"/dev/ttyUSB1\"; "     \
    "pool = \"de\"; } );\n"

static char path[64];

static struct conf *read_text(const char *text, struct buf *problems)
{
    struct conf *c;
    FILE *f;
    int fd;

    strcpy(path, "/tmp/simgate-conf-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    f = fdopen(fd, "w");
    fputs(MODEMS, f);
    fputs(text, f);
    fclose(f);
    c = conf_read(path, NULL, problems);
    unlink(path);
    return c;
}

static struct conf *accepted(const char *text)
{
    struct buf problems = {0};
    struct conf *c = read_text(text, &problems);

    assert_string_equal(buf_str(&problems), "");
    assert_non_null(c);
    buf_free(&problems);
    return c;
}

/* Nothing said: quiet hours and the guard hold, premium numbers are denied, cards are masked. */
static void defaults(void **state)
{
    struct conf *c = accepted("");

    (void)state;
    assert_ptr_equal(c->gateway.gateway.policy, &c->policy);
    assert_int_equal(c->engine.guard.replies, 5);
    assert_int_equal(c->engine.guard.window_ms, 600000);
    assert_int_equal(c->engine.guard.replies_day, 30);
    assert_int_equal(c->engine.guard.replies_all, 500);
    assert_int_equal(c->engine.guard.same_text, 2);
    assert_int_equal(c->engine.guard.same_text_ms, 3600000);
    assert_int_equal(c->engine.guard.rounds, 10);
    assert_int_equal(c->engine.guard.mute_ms, 3600000);
    assert_null(c->engine.consent.stop_reply);
    assert_null(c->engine.consent.languages);
    assert_false(c->engine.consent.per_sim);
    assert_true(c->policy.premium.deny);
    assert_true(c->policy.quiet.on);
    assert_true(c->policy.quiet.united_states);
    assert_true(c->policy.mask_cards);
    assert_false(c->policy.store_masked);
    assert_int_equal(c->policy.nroutes, 0);
    conf_unref(c);
}

/* All that can be said reaches its place. */
static void everything(void **state)
{
    struct conf *c = accepted(
        "consent = { languages = ( \"de\", \"en\" ); per_sim = true; stop_words = ( \"halt\" ); stop_reply = "
        "\"\"; };\n"
        "guard = { replies = 3; replies_day = 9; replies_all = 70; same_text = 1; same_text_window = \"2h\"; "
        "rounds = 4; mute = \"1d\"; cost_per_day = \"12.5\"; };\n"
        "sensitive = { cards = false; patterns = ( \"pin (\\\\d+)\" ); store_masked = true; reply = \"no\"; "
        "};\n"
        "quiet = { hours = ( \"daily 09:00-20:00\" ); united_states = false; countries = ( { to = ( \"+49*\" "
        "); "
        "zones = ( \"Europe/Berlin\" ); hours = ( \"Mon-Sat 09:00-19:00\" ); } ); };\n"
        "premium = { deny = false; also = ( \"12345\" ); allow = ( \"+4990055*\" ); };\n"
        "departments = ( { name = \"sales\"; modem = \"M1\"; } );\n"
        "routes = ( { name = \"g\"; to = ( \"+49*\" ); source = ( \"spool:*\" ); department = ( \"sales\" ); "
        "pool = "
        "\"de\"; prefer = \"cheapest\"; per_day = 7; per_month = 8; failover = ( \"de\" ); } );\n"
        "costs = ( { to = ( \"+49*\" ); modem = \"de\"; per_part = \"0.07\"; }, { per_part = \"1\"; } );\n");

    (void)state;
    assert_string_equal(c->engine.consent.languages[1], "en");
    assert_true(c->engine.consent.per_sim);
    assert_string_equal(c->engine.consent.stop_reply, "");
    assert_int_equal(c->engine.guard.same_text_ms, 7200000);
    assert_int_equal(c->engine.guard.mute_ms, 86400000);
    assert_string_equal(c->policy.cost_per_day, "12.5");
    assert_false(c->policy.mask_cards);
    assert_true(c->policy.store_masked);
    assert_string_equal(c->policy.mask_patterns[0], "pin (\\d+)");
    assert_false(c->policy.quiet.united_states);
    assert_string_equal(c->policy.quiet.countries[0].zones[0], "Europe/Berlin");
    assert_string_equal(c->policy.premium.also[0], "12345");
    assert_string_equal(c->policy.departments[0].modem, "M1");
    assert_string_equal(c->policy.routes[0].sources[0], "spool:*");
    assert_int_equal(c->policy.routes[0].prefer, ROUTE_CHEAPEST);
    assert_int_equal(c->policy.routes[0].per_month, 8);
    assert_string_equal(c->policy.costs[1].modem, "");
    conf_unref(c);
}

/* Everything that is wrong is told with line and path, all at once. */
static void mistakes(void **state)
{
    static const char *const expected[] = {
        ":2: consent.languages[1]: there are no lists for \"xx\"",
        ":3: guard.replies_all: ", /* no more are counted: a larger cap would be none */
        ":3: guard.cost_per_day: expected costs",
        ":4: sensitive.patterns[0]: missing closing parenthesis",
        ":5: quiet.countries[0].zones[0]: no time zone \"Mars\"",
        ":6: premium.also[0]: expected a number",
        ":7: routes[0].pool: expected a pool that a modem of this file belongs to",
        ":8: routes[1].to[0]: expected a number",
        ":8: routes[1].name: another route is called \"a\"",
        ":9: routes[2].modem: expected the name of a modem of this file",
        ":9: routes[2].failover[0]: expected a pool",
    };
    struct buf problems = {0};

    (void)state;
    assert_null(read_text("consent = { languages = ( \"de\", \"xx\" ); };\n"
                          "guard = { cost_per_day = \"5\"; replies_all = 20000; };\n"
                          "sensitive = { patterns = ( \"(\" ); };\n"
                          "quiet = { countries = ( { to = ( \"+49*\" ); zones = ( \"Mars\" ); } ); };\n"
                          "premium = { also = ( \"abc\" ); };\n"
                          "routes = ( { name = \"a\"; pool = \"fr\"; },\n"
                          "{ name = \"a\"; to = ( \"+\" ); },\n"
                          "{ name = \"b\"; modem = \"M7\"; failover = ( \"x\" ); } );\n",
                          &problems));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(buf_str(&problems), expected[i]))
            fail_msg("expected \"%s\" in:\n%s", expected[i], buf_str(&problems));
    buf_clear(&problems);
    assert_null(read_text("costs = ( { modem = \"M9\"; per_part = \"0.07\"; },\n { per_part = \"x\"; } );\n",
                          &problems));
    assert_non_null(
        strstr(buf_str(&problems), ":2: costs[0].modem: expected the name of a modem or of a pool"));
    assert_non_null(strstr(buf_str(&problems), ":3: costs[1].per_part: expected an amount"));
    buf_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything),
        cmocka_unit_test(mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
