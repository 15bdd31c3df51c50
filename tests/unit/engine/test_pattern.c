/* Patterns: Unicode, groups, errors, limits. */
#include "trial.h"

#include <stdlib.h>

#include "engine/pattern.h"

static struct matcher *matcher;

static int set_up(void **state)
{
    (void)state;
    matcher = matcher_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    matcher_free(matcher);
    return 0;
}

static struct pattern *pattern_of(const char *text)
{
    struct pattern *p;
    struct err e = {0};

    if (pattern_new(matcher, text, &p, &e) != 0)
        fail_msg("%s", e.text);
    return p;
}

static enum pattern_result match(struct pattern *p, const char *text)
{
    return pattern_match(p, (struct span){text, strlen(text)});
}

static void assert_group(const struct pattern *p, const char *name, const char *expected)
{
    struct span s = {"", 0};

    assert_true(pattern_group(p, name, &s));
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.at, expected, s.len);
}

/* Case, classes and word boundaries are Unicode's. */
static void test_unicode(void **state)
{
    struct pattern *p = pattern_of("(?i)\\bÖFFNUNG\\w+\\b");

    (void)state;
    assert_int_equal(match(p, "wann sind die öffnungszeiten?"), PATTERN_YES);
    assert_group(p, "0", "öffnungszeiten");
    assert_int_equal(match(p, "hello"), PATTERN_NO);
    pattern_free(p);
    p = pattern_of("^\\d{2}$");
    assert_int_equal(match(p, "٤٢"), PATTERN_YES);
    pattern_free(p);
}

/* Groups are found by name and by number, and what took no part is not there. */
static void test_groups(void **state)
{
    struct pattern *p = pattern_of("(?<what>order|return) #?(?<number>\\d+)(?<rest>x)?");
    struct span s;

    (void)state;
    assert_false(pattern_group(p, "what", &s));
    assert_int_equal(match(p, "my return 0042 please"), PATTERN_YES);
    assert_group(p, "what", "return");
    assert_group(p, "number", "0042");
    assert_group(p, "2", "0042");
    assert_group(p, "0", "return 0042");
    assert_false(pattern_group(p, "rest", &s));
    assert_false(pattern_group(p, "4", &s));
    assert_true(pattern_has_group(p, "rest"));
    assert_true(pattern_has_group(p, "3"));
    assert_false(pattern_has_group(p, "4"));
    assert_false(pattern_has_group(p, "wath"));
    assert_false(pattern_has_group(p, ""));
    assert_int_equal(match(p, "nothing"), PATTERN_NO);
    assert_false(pattern_group(p, "what", &s));
    pattern_free(p);
}

/* One name for two alternatives gives what took part. */
static void test_doubled_name(void **state)
{
    struct pattern *p = pattern_of("(?J)(?:no (?<n>\\d+)|nr (?<n>\\d+))");

    (void)state;
    assert_int_equal(match(p, "nr 17"), PATTERN_YES);
    assert_group(p, "n", "17");
    pattern_free(p);
}

/* Errors say what and where; \C, which could split a character, is one. */
static void test_errors(void **state)
{
    struct pattern *p;
    struct err e = {0};

    (void)state;
    assert_int_equal(pattern_new(matcher, "(order", &p, &e), ERR_INVALID);
    assert_string_equal(e.text, "missing closing parenthesis at offset 6");
    assert_null(p);
    assert_int_equal(pattern_new(matcher, "a\\Cb", &p, &e), ERR_INVALID);
    assert_int_equal(pattern_new(matcher, "\xff", &p, &e), ERR_INVALID);
}

/* A pattern that would try for ever gives up, compiled to machine code or not. */
static void test_limits(void **state)
{
    static const char *const bad[] = {"(a+)+$", "(*NO_JIT)(a+)+$", "^(([a-z])+.)+[A-Z]$"};
    char text[400];

    (void)state;
    memset(text, 'a', sizeof text - 2);
    memcpy(text + sizeof text - 2, "!", 2);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct pattern *p = pattern_of(bad[i]);

        assert_int_equal(match(p, text), PATTERN_GAVE_UP);
        assert_int_equal(match(p, "aaa"), i < 2 ? PATTERN_YES : PATTERN_NO);
        pattern_free(p);
    }
}

/* A very long text is seen up to the bound, which never cuts a character. */
static void test_long_text(void **state)
{
    enum { CHARACTERS = 20000 };
    struct pattern *end = pattern_of("x$"), *all = pattern_of("\\A(?:€)+\\z"), *line = pattern_of("€$");
    char *text = malloc(CHARACTERS * 3 + 2);

    (void)state;
    for (int i = 0; i < CHARACTERS; i++)
        memcpy(text + i * 3, "€", 3);
    memcpy(text + CHARACTERS * 3, "x", 2);
    assert_int_equal(match(end, text), PATTERN_NO);
    assert_int_equal(match(line, text), PATTERN_NO);
    assert_int_equal(match(all, text), PATTERN_YES);
    memmove(text + 1, text, CHARACTERS * 3);
    *text = 'y';
    assert_int_equal(match(all, text + 1), PATTERN_YES);
    assert_int_equal(match(all, text), PATTERN_NO);
    free(text);
    pattern_free(end);
    pattern_free(line);
    pattern_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unicode), cmocka_unit_test(test_groups), cmocka_unit_test(test_doubled_name),
        cmocka_unit_test(test_errors),  cmocka_unit_test(test_limits), cmocka_unit_test(test_long_text),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
