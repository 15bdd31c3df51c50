/* ctl/contact_check: what a contact may be made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctl/desk.h"

static void refuses(const char *name, const char *value, const char *wanted)
{
    struct err e = {0};

    assert_true(contact_check(name, value, &e) < 0);
    if (!strstr(e.text, wanted))
        fail_msg("%s=%s: expected \"%s\" in \"%s\"", name, value, wanted, e.text);
}

static void accepts(const char *name, const char *value)
{
    struct err e = {0};

    if (contact_check(name, value, &e) < 0)
        fail_msg("%s=%s: %s", name, value, e.text);
}

/* Names, languages, zones and attributes as people have them; an empty text takes one away. */
static void test_accepts(void **state)
{
    static const char *const pairs[][2] = {{"name", "Jürgen O'Brien; DROP TABLE contact"},
                                           {"name", ""},
                                           {"language", "de"},
                                           {"language", "pt-BR"},
                                           {"language", ""},
                                           {"zone", "Europe/Berlin"},
                                           {"zone", ""},
                                           {"notes", "a\nb"},
                                           {"plan", "gold {{x}}"},
                                           {"größe", "XL"},
                                           {"order_no-1", "=1+1"},
                                           {"plan", ""}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        accepts(pairs[i][0], pairs[i][1]);
}

/* What cannot be one is refused, with what was expected. */
static void test_refuses(void **state)
{
    char longer[300];

    (void)state;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    refuses("name", "two\nlines", "name: one line of text expected");
    refuses("name", longer, "name: at most 95 bytes expected");
    refuses("language", "d", "de or pt-BR expected");
    refuses("language", "de_DE.UTF-8", "de or pt-BR expected");
    refuses("language", "german", "de or pt-BR expected");
    refuses("zone", "Mars/Olympus", "Europe/Berlin expected");
    refuses("zone", "../../etc/passwd", "Europe/Berlin expected");
    refuses("zone", longer, "Europe/Berlin expected");
    refuses("", "x", "the name of an attribute expected");
    refuses("a b", "x", "the name of an attribute expected");
    refuses("a.b", "x", "the name of an attribute expected");
    refuses("number", "x", "the name of an attribute expected");
    refuses("tags", "x", "the name of an attribute expected");
    refuses(longer, "x", "the name of an attribute expected");
    accepts("plan", "two\nlines");
}

/* A tag is one word. */
static void test_tags(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(contact_check_tag("vip", &e), 0);
    assert_int_equal(contact_check_tag("größe-xl", &e), 0);
    assert_true(contact_check_tag("", &e) < 0);
    assert_true(contact_check_tag("a,b", &e) < 0);
    assert_true(contact_check_tag("a b", &e) < 0);
    assert_non_null(strstr(e.text, "a tag expected"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
