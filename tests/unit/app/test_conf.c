/* gateway.conf: what is accepted, and what is said about what is not. */
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

static char path[64];

static struct conf *read_text(const char *text, struct buf *problems)
{
    FILE *f;
    int fd;

    strcpy(path, "/tmp/simgate-conf-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    f = fdopen(fd, "w");
    fputs(text, f);
    fclose(f);
    struct conf *c = conf_read(path, NULL, problems);
    unlink(path);
    return c;
}

static void accepts(const char *text)
{
    struct buf problems = {0};
    struct conf *c = read_text(text, &problems);

    assert_string_equal(buf_str(&problems), "");
    assert_non_null(c);
    conf_unref(c);
    buf_free(&problems);
}

/* The problem's text must hold `line`, the file's name in front of it. */
static void refuses(const char *text, const char *line)
{
    struct buf problems = {0};
    char wanted[400];

    assert_null(read_text(text, &problems));
    snprintf(wanted, sizeof wanted, "%s:%s", path, line);
    if (!strstr(buf_str(&problems), wanted))
        fail_msg("expected \"%s\" in:\n%s", wanted, buf_str(&problems));
    buf_free(&problems);
}

#define MODEMS "modems = ( { name = \"M0\"; port = \"/dev/ttyUSB0\"; } );\n"

/* The smallest configuration that people are told of is good, and everything else has its default. */
static void test_smallest(void **state)
{
    struct buf problems = {0};
    struct conf *c = read_text(
        "gateway = { name = \"Lab\"; country = \"49\"; database = \"x/simgate.db\"; spool = \"x/spool\";"
        " socket = \"x/simgate.sock\"; };\n"
        "modems = ( { name = \"M0\"; port = \"x/modem0\"; pin = \"1234\"; report = true; } );\n"
        "rules  = ( { name = \"all\"; reply = \"auto reply\"; } );\n",
        &problems);

    (void)state;
    assert_string_equal(buf_str(&problems), "");
    assert_non_null(c);
    assert_string_equal(c->gateway.database, "x/simgate.db");
    assert_int_equal(c->nmodems, 1);
    assert_string_equal(c->modems[0].modem.pin, "1234");
    assert_int_equal(c->modems[0].modem.baud, 115200);
    assert_int_equal(c->modems[0].modem.sweep_ms, 180000);
    assert_true(c->modems[0].report);
    assert_int_equal(c->gateway.gateway.on_unknown, ON_UNKNOWN_HOLD);
    assert_string_equal(c->rules[0].reply, "auto reply");
    assert_int_equal(c->engine.guard.replies, 5);
    assert_null(c->engine.consent.stop_reply);
    conf_unref(c);
}

/* The gateway.conf that is installed is good. */
static void test_installed(void **state)
{
    struct buf problems = {0};
    struct conf *c = conf_read("gateway.conf", NULL, &problems);

    (void)state;
    assert_string_equal(buf_str(&problems), "");
    assert_non_null(c);
    conf_unref(c);
}

/* An unknown setting is named with its line and path, and the nearest known one is offered. */
static void test_unknown_setting(void **state)
{
    (void)state;
    refuses("gateway = { nme = \"x\"; };\n" MODEMS,
            "1: gateway.nme: there is no such setting; did you mean \"name\"?");
    refuses(MODEMS "zebra = 1;\n", "2: zebra: there is no such setting");
    refuses("modems = ( { name = \"M0\"; port = \"/dev/x\"; limits = { per_min = 3; }; } );\n",
            "1: modems[0].limits.per_min: there is no such setting; did you mean");
}

/* A value of the wrong type or out of its bounds is told with what was expected. */
static void test_wrong_values(void **state)
{
    (void)state;
    refuses("gateway = { report = \"yes\"; };\n" MODEMS, "1: gateway.report: expected true or false");
    refuses("gateway = { validity = \"soon\"; };\n" MODEMS, "1: gateway.validity: expected a duration");
    refuses("gateway = { max_parts = 300; };\n" MODEMS,
            "1: gateway.max_parts: expected a whole number from 1 to 255, not 300");
    refuses("gateway = { on_unknown = \"maybe\"; };\n" MODEMS,
            "1: gateway.on_unknown: expected one of \"hold\", \"resend\", \"fail\", not \"maybe\"");
    refuses("gateway = { name = \"\xff\"; };\n" MODEMS, "1: gateway.name: the text is not valid UTF-8");
    refuses("modems = { name = \"M0\"; };\n", "1: modems: expected a list of groups");
}

/* All problems are told in one pass, not only the first. */
static void test_all_at_once(void **state)
{
    struct buf problems = {0};
    int lines = 0;

    (void)state;
    assert_null(
        read_text("gateway = { nme = \"x\"; report = 3; };\nmodems = ( { port = 7; } );\n", &problems));
    for (const char *p = buf_str(&problems); (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(lines, 4);
    buf_free(&problems);
}

/* What only a second look finds (names, PINs, patterns) is told along with what the first one found, each
 * with its own line, and nothing is told twice. */
static void test_both_looks_at_once(void **state)
{
    static const char text[] =
        "gateway = {\n  contry = \"49\";\n  country = \"+49\";\n};\n"
        "modems = (\n  { name = \"M 0\";\n    port = \"/dev/x\";\n    pin = \"12\"; },\n"
        "  { port = 7; } );\n"
        "rules = ( { pattern = \"(\"; } );\n"
        "consent = {\n  stop_words = [ \"\\t\" ]; };\n";
    static const char *const wanted[] = {
        ":2: gateway.contry: there is no such setting",
        ":3: gateway.country: expected a calling code",
        ":6: modems[0].name: expected letters",
        ":8: modems[0].pin: expected 4 to 8 digits",
        ":9: modems[1].port: expected a text",
        ":9: modems[1]: \"name\" is missing",
        ":10: rules[0]: \"name\" is missing",
        ":10: rules[0].pattern: ",
        ":12: consent.stop_words[0]: ",
    };
    struct buf problems = {0};
    size_t lines = 0;

    (void)state;
    assert_null(read_text(text, &problems));
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!strstr(buf_str(&problems), wanted[i]))
            fail_msg("expected \"%s\" in:\n%s", wanted[i], buf_str(&problems));
    for (const char *p = buf_str(&problems); (p = strchr(p, '\n')); p++)
        lines++;
    if (lines != sizeof wanted / sizeof wanted[0])
        fail_msg("%zu problems in:\n%s", lines, buf_str(&problems));
    buf_free(&problems);
}

/* A file that libconfig cannot read is told with the line. */
static void test_syntax(void **state)
{
    (void)state;
    refuses("gateway = {\n name = ;\n};\n", "2: syntax error");
}

/* Modems need a name, a way to be found, and nothing in common. */
static void test_modems(void **state)
{
    (void)state;
    refuses("modems = ( );\n", "1: modems: expected at least one");
    refuses("gateway = { };\n", "0: \"modems\" is missing");
    refuses("modems = ( { name = \"a\"; } );\n",
            "1: modems[0]: expected \"port\", \"imei\", \"imsi\", \"iccid\" or \"usb\"");
    refuses("modems = ( { name = \"a/b\"; port = \"/dev/x\"; } );\n", "1: modems[0].name: expected letters");
    refuses("modems = ( { name = \"a\"; port = \"/dev/x\"; },\n { name = \"a\"; port = \"/dev/x\"; } );\n",
            "2: modems[1].name: another modem has this name");
    refuses("modems = ( { name = \"a\"; port = \"/dev/x\"; pin = \"12\"; } );\n",
            "1: modems[0].pin: expected 4 to 8 digits");
    refuses("modems = ( { name = \"a\"; port = \"/dev/x\"; pin = \"file:/nonexistent/pin\"; } );\n",
            "1: modems[0].pin: /nonexistent/pin");
}

/* What a modem is known by has its form, and belongs to one modem; a PIN is not configured for whichever SIM
 * asks first. */
static void test_identities(void **state)
{
    (void)state;
    refuses("modems = ( { name = \"a\"; imei = \"86812345\"; } );\n",
            "1: modems[0].imei: expected 14 to 16 digits");
    refuses("modems = ( { name = \"a\"; imsi = \"+4917012\"; } );\n",
            "1: modems[0].imsi: expected 6 to 15 digits");
    refuses("modems = ( { name = \"a\"; iccid = \"8949 0200\"; } );\n",
            "1: modems[0].iccid: expected 18 to 20 digits");
    refuses("modems = ( { name = \"a\"; usb = \"12d1:1506\"; } );\n",
            "1: modems[0].usb: expected a place on the bus");
    refuses("modems = ( { name = \"a\"; imsi = \"262010000000001\"; },\n"
            " { name = \"b\"; imsi = \"262010000000001\"; } );\n",
            "2: modems[1].imsi: another modem has this too");
    refuses("modems = ( { name = \"a\"; usb = \"1-1.4\"; },\n"
            " { name = \"b\"; usb = \"1-1.4\"; imei = \"868123456789012\"; } );\n",
            "2: modems[1].usb: another modem has this too");
    refuses("modems = ( { name = \"a\"; imsi = \"262010000000001\"; pin = \"1234\"; } );\n",
            "1: modems[0].pin: an IMSI can be read behind the PIN only");
}

/* A pattern that does not compile and a value that does not exist are told with the rule's line. */
static void test_rules(void **state)
{
    (void)state;
    refuses(MODEMS "rules = ( { name = \"r\"; pattern = \"(\"; } );\n", "2: rules[0]");
    refuses(MODEMS "rules = ( { name = \"r\"; reply = \"{{nothing.such}}\"; } );\n", "2: rules[0]");
    refuses(MODEMS "rules = ( { name = \"r\"; reply = \"@gone\"; } );\n", "2: rules[0]");
    accepts(MODEMS
            "rules = ( { name = \"r\"; keywords = [ \"a\", \"ö\" ]; reply = \"{{message.text|?}}\"; } );\n");
}

/* Modems are the same for a reload unless something that a running one uses has changed. */
static void test_same_modem(void **state)
{
    struct buf problems = {0};
    struct conf *a = read_text(MODEMS, &problems);
    struct conf *b =
        read_text("modems = ( { name = \"M0\"; port = \"/dev/ttyUSB0\"; report = true; } );\n", &problems);
    struct conf *c =
        read_text("modems = ( { name = \"M0\"; port = \"/dev/ttyUSB0\"; baud = 9600; } );\n", &problems);

    (void)state;
    assert_true(conf_modem_same(&a->modems[0], &b->modems[0]));
    assert_false(conf_modem_same(&a->modems[0], &c->modems[0]));
    conf_unref(a);
    conf_unref(b);
    conf_unref(c);
    buf_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest),        cmocka_unit_test(test_installed),
        cmocka_unit_test(test_unknown_setting), cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_all_at_once),     cmocka_unit_test(test_both_looks_at_once),
        cmocka_unit_test(test_syntax),          cmocka_unit_test(test_modems),
        cmocka_unit_test(test_identities),      cmocka_unit_test(test_rules),
        cmocka_unit_test(test_same_modem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
