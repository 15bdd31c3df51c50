/* Templates: what they may say, what is wrong with them, and that values stay data. */
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/template.h"

static struct matcher *matcher;
static struct pattern *pattern;

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "CET-1", 1);
    tzset();
    matcher = matcher_new();
    return pattern_new(matcher, "order (?<number>\\d+)(?<more> now)?", &pattern, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    pattern_free(pattern);
    matcher_free(matcher);
    return 0;
}

static const char *render(const char *text, const char *message)
{
    static char out[4000];
    struct handler_event ev = {.id = 7,
                               .wall_ms = INT64_C(1795251600000),
                               .from = CUSTOMER,
                               .text = {message, strlen(message)},
                               .modem = "counter"};
    struct template_values values = {
        .business = "Blue Bakery", .event = &ev, .pattern = pattern, .keyword = "hours"};
    struct template_scope scope = {.pattern = pattern};
    struct template *t;
    struct buf b = {0};
    struct err e = {0};

    pattern_match(pattern, ev.text);
    if (template_new(text, &scope, &t, &e) != 0)
        fail_msg("%s: %s", text, e.text);
    template_render(t, &values, &b);
    str_copy(out, sizeof out, buf_str(&b));
    buf_free(&b);
    template_free(t);
    return out;
}

/* Each value gives what its name says. */
static void test_values(void **state)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"", ""},
        {"{{gateway.name}}!", "Blue Bakery!"},
        {"{{ message.from }} {{modem.name}} {{message.id}}", CUSTOMER " counter 7"},
        {"{{message.time}}", "2026-11-21 10:00"},
        {"{{match.0}}/{{match.number}}/{{match.1}}", "order 42/42/42"},
        {"[{{match.more}}]", "[]"},
        {"[{{match.more|later}}]", "[later]"},
        {"[{{match.more | a b }}]", "[a b]"},
        {"{{keyword}}", "hours"},
        {"{{message.text}}", "order 42"},
        {"{{{{gateway.name}}", "{{gateway.name}}"},
        {"a } b }} { c", "a } b }} { c"},
        {"{{gateway.name}}{{gateway.name}}", "Blue BakeryBlue Bakery"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(render(cases[i][0], "order 42"), cases[i][1]);
}

/* Whatever a customer writes comes out as written: it is never looked at again. */
static void test_values_are_data(void **state)
{
    static const char *const texts[] = {
        "{{gateway.name}}",
        "{{{{",
        "}}",
        "{{message.text|{{message.text}}}}",
        "'; DROP TABLE message; --",
        "$(reboot) `reboot` | reboot ; reboot && reboot > /etc/passwd",
        "%s%n%d%x",
        "\"quoted\" \\ \\\\ \\\" 'single'",
        "line\nbreak\r\ntab\tescape\x1b sub\x1a bell\x07 del\x7f",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "os.execute('x') ]] --[[",
        "👩‍👩‍👧 \xE2\x80\xAE right to left",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char expected[400];

        snprintf(expected, sizeof expected, "You wrote: %s (%s)", texts[i], CUSTOMER);
        assert_string_equal(render("You wrote: {{message.text}} ({{message.from}})", texts[i]), expected);
    }
}

static void assert_error(const char *text, const struct template_scope *scope, const char *expected)
{
    struct template *t;
    struct err e = {0};

    assert_int_equal(template_new(text, scope, &t, &e), ERR_INVALID);
    assert_null(t);
    if (!strstr(e.text, expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, e.text);
}

/* What is wrong is said when it is loaded, with what was expected. */
static void test_errors(void **state)
{
    struct template_scope scope = {.pattern = pattern}, bare = {.pattern = NULL};

    (void)state;
    assert_error("{{contact.name}}", &scope,
                 "unknown value \"contact.name\": expected one of gateway.name, ");
    assert_error("{{contact.name|there}}", &scope, "unknown value");
    assert_error("{{}}", &scope, "unknown value \"\"");
    assert_error("{{match.}}", &scope, "unknown value \"match.\"");
    assert_error("Hello {{gateway.name", &scope, "at offset 6 is not closed");
    assert_error("{{match.nubmer}}", &scope,
                 "no group \"nubmer\": expected one of match.0, match.more, match.number");
    assert_error("{{match.nubmer|x}}", &scope, "no group");
    assert_error("{{match.3}}", &scope, "no group \"3\"");
    assert_error("{{match.number}}", &bare, "there is no pattern");
    assert_error("\xff", &scope, "not UTF-8");
}

/* A template for several rules may ask for a group that one of them lacks, if it says what then. */
static void test_shared(void **state)
{
    struct template_scope scope = {.shared = true};
    struct template *t;

    (void)state;
    assert_error("{{match.number}}", &scope, "there is no pattern");
    assert_int_equal(template_new("{{match.number|your order}}", &scope, &t, NULL), 0);
    template_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_values_are_data),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_shared),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
