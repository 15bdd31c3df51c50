/* ctl/request: what is understood of a line, and what is said about what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctl/request.h"

static void refuses(const char *line, const char *text)
{
    struct parsed p;
    struct err e = {0};

    assert_true(request_parse(line, strlen(line), &p, &e) < 0);
    if (!strstr(e.text, text))
        fail_msg("%s: expected \"%s\" in \"%s\"", line, text, e.text);
    parsed_clear(&p);
}

/* A complete request gives its handler, its id and its fields; id and name are not among the fields. */
static void test_accepts(void **state)
{
    const char *line =
        "{\"id\": 7, \"do\": \"send\", \"to\": [\"+491701234567\"], \"text\": \"Gr\\u00fc\\u00dfe\", "
        "\"at\": \"+2h\", \"validity\": \"3d\", \"priority\": \"high\", \"report\": true}";
    struct parsed p;
    struct err e = {0};

    (void)state;
    assert_int_equal(request_parse(line, strlen(line), &p, &e), 0);
    assert_string_equal(p.kind->name, "send");
    assert_int_equal(json_integer_value(p.id), 7);
    assert_int_equal(json_object_size(p.args), 6);
    assert_string_equal(json_string_value(json_object_get(p.args, "text")), "Grüße");
    parsed_clear(&p);
}

/* Whatever is wrong with a line is named, with the field and what was expected. */
static void test_refuses(void **state)
{
    (void)state;
    refuses("", "not JSON");
    refuses("hello", "not JSON");
    refuses("{\"do\": \"status\"} x", "not JSON");
    refuses("{\"do\": \"status\", \"do\": \"status\"}", "not JSON: duplicate");
    refuses("[1]", "a JSON object expected");
    refuses("{\"id\": [1], \"do\": \"status\"}", "id: a whole number or a text expected");
    refuses("{\"id\": 1}", "do: the request's name is missing");
    refuses("{\"do\": \"explode\"}", "do: \"explode\" is not known");
    refuses("{\"do\": \"status\", \"x\": 1}", "status: there is no field \"x\"; known are: (none)");
    refuses("{\"do\": \"show\", \"id\": 1}", "show: the field \"message\" is missing");
    refuses("{\"do\": \"show\", \"message\": \"1\"}", "show: message: a whole number from 1 to");
    refuses("{\"do\": \"show\", \"message\": 0}", "show: message: a whole number from 1 to");
    refuses("{\"do\": \"show\", \"message\": 1.5}", "show: message: a whole number from 1 to");
    refuses("{\"do\": \"send\", \"to\": \"+491701234567\"}", "send: the field \"text\" is missing");
    refuses("{\"do\": \"send\", \"text\": \"a\", \"to\": []}",
            "send: to: a text, or a list of texts, expected");
    refuses("{\"do\": \"send\", \"text\": \"a\", \"to\": [1]}", "send: to: a list of texts expected");
    refuses("{\"do\": \"send\", \"text\": 1, \"to\": \"1\"}", "send: text: a text expected");
    refuses("{\"do\": \"send\", \"text\": \"a\\u0000b\", \"to\": \"1\"}", "not JSON");
    refuses("{\"do\": \"send\", \"text\": \"a\", \"to\": \"1\", \"report\": 1}",
            "send: report: true or false expected");
    refuses("{\"do\": \"send\", \"text\": \"a\", \"to\": \"1\", \"at\": \"soon\"}",
            "send: at: a time such as");
    refuses("{\"do\": \"send\", \"text\": \"a\", \"to\": \"1\", \"validity\": \"x\"}",
            "send: validity: a duration such as");
    refuses("{\"do\": \"send\", \"text\": \"a\", \"to\": \"1\", \"priority\": \"top\"}",
            "send: priority: one of low, normal, high expected");
    refuses("{\"do\": \"send\", \"text\": \"a\", \"to\": \"1\", \"modem\": "
            "\"0123456789012345678901234567890123456789\"}",
            "send: modem: at most 31 bytes expected");
    refuses("{\"do\": \"messages\", \"limit\": 1001}",
            "messages: limit: a whole number from 1 to 1000 expected");
}

/* The id of a request that was refused is known, so that its answer can carry it. */
static void test_keeps_id(void **state)
{
    const char *line = "{\"id\": \"abc\", \"do\": \"explode\"}";
    struct parsed p;
    struct err e = {0};

    (void)state;
    assert_int_equal(request_parse(line, strlen(line), &p, &e), ERR_INVALID);
    assert_string_equal(json_string_value(p.id), "abc");
    assert_null(p.kind);
    parsed_clear(&p);
}

/* The requests of the desk take objects and lists of objects, whose form is checked too. */
static void test_refuses_desk(void **state)
{
    (void)state;
    refuses("{\"do\": \"contact set\", \"number\": \"1\", \"set\": {}}", "set: an object of texts expected");
    refuses("{\"do\": \"contact set\", \"number\": \"1\", \"set\": {\"a\": 1}}",
            "set: an object of texts expected");
    refuses("{\"do\": \"contact set\", \"number\": \"1\", \"set\": {\"\": \"x\"}}",
            "set: an object of texts expected");
    refuses("{\"do\": \"contacts import\", \"contacts\": {}}", "contacts: a list of objects expected");
    refuses("{\"do\": \"contacts import\", \"contacts\": []}", "contacts: a list of objects expected");
    refuses("{\"do\": \"contacts import\", \"contacts\": [\"1\"]}", "contacts: a list of objects expected");
    refuses("{\"do\": \"conversation close\"}", "the field \"conversation\" is missing");
    refuses("{\"do\": \"conversation close\", \"conversation\": \"#12\"}",
            "conversation: a whole number from 1 to");
    refuses("{\"do\": \"conversation priority\", \"conversation\": 1, \"priority\": \"top\"}",
            "priority: one of low, normal, high, urgent expected");
}

static char *page;

/* As roff writes them: -, and nothing else of a name, is escaped. */
static bool section_names(const char *heading, const char *name)
{
    size_t len = strlen(name);
    const char *end = strchr(heading, '\n');

    for (const char *at = heading; (at = strstr(at, name)) && at < end; at++)
        if ((at == heading || at[-1] == ' ') && (at[len] == '\n' || at[len] == ','))
            return true;
    return false;
}

static const char *section_of(const char *name)
{
    for (const char *at = page; (at = strstr(at, "\n.SS ")); at++)
        if (section_names(at + strlen("\n.SS "), name))
            return at + 1;
    return NULL;
}

/* A word of its own, in bold. */
static bool tells(const char *section, const char *field)
{
    const char *end = strstr(section + 4, "\n.S");
    size_t len = strlen(field);

    for (const char *at = section; (at = strstr(at, field)) && (!end || at < end); at++) {
        const char *line = at;

        while (line > section && line[-1] != '\n')
            line--;
        if (line[0] == '.' && line[1] == 'B' && (at[-1] == ' ' || at[-1] == '(' || at[-1] == '"') &&
            strchr(" \n,;.\"", at[len]))
            return true;
    }
    return false;
}

/* simgate-protocol(7) tells every request and every field of it. */
static void test_manual(void **state)
{
    FILE *f = fopen("docs/simgate-protocol.7", "r");
    size_t size = 1 << 20;

    (void)state;
    assert_non_null(f);
    page = calloc(1, size);
    assert_non_null(page);
    assert_true(fread(page, 1, size - 1, f) < size - 1);
    fclose(f);
    for (const struct request *r = request_next(NULL); r; r = request_next(r)) {
        const char *section = section_of(r->name);

        if (!section)
            fail_msg("simgate-protocol(7) lacks the request %s", r->name);
        for (const struct field *k = r->fields; k->name; k++)
            if (!tells(section, k->name))
                fail_msg("simgate-protocol(7) lacks the field %s of %s", k->name, r->name);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),      cmocka_unit_test(test_refuses), cmocka_unit_test(test_keeps_id),
        cmocka_unit_test(test_refuses_desk), cmocka_unit_test(test_manual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
