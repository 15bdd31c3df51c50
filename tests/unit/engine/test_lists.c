/* Lists of numbers, and the language of a text. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/language.h"
#include "engine/program.h"
#include "trial.h"

static char path[64];

static void write_list(const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/listXXXXXX");
    close(mkstemp(path));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

/* Numbers as people write them, prefixes and names are found; what is like them is not. */
static void test_set(void **state)
{
    struct number_set *s = number_set_new();
    struct err e = {0};

    (void)state;
    assert_int_equal(number_set_add(s, "0170 123 45 67", "49", &e), 0);
    assert_int_equal(number_set_add(s, "+49 151*", "49", &e), 0);
    assert_int_equal(number_set_add(s, "MyBank", "49", &e), 0);
    assert_int_equal(number_set_add(s, "12345", "49", &e), 0);
    assert_int_equal(number_set_count(s), 4);
    assert_string_equal(number_set_find(s, "+491701234567"), "0170 123 45 67");
    assert_string_equal(number_set_find(s, "+4915199"), "+49 151*");
    assert_non_null(number_set_find(s, "mybank"));
    assert_non_null(number_set_find(s, "12345"));
    assert_null(number_set_find(s, "+4917012345678"));
    assert_null(number_set_find(s, "+4915"));
    assert_null(number_set_find(s, "+49152"));
    assert_null(number_set_find(s, ""));
    assert_int_equal(number_set_add(s, "+49x*", "49", &e), ERR_INVALID);
    assert_int_equal(number_set_add(s, "++1", "49", &e), ERR_INVALID);
    number_set_free(s);
}

/* A file has one entry a line, with remarks; a wrong line is named. */
static void test_read(void **state)
{
    static const char text[] =
        "\xEF\xBB\xBF# friends\r\n+491701234567\t# Ann\r\n\n  +49151* ; prefix\n*100#\n+4917 22222 # x";
    struct number_set *s = number_set_new();
    struct err e = {0};

    (void)state;
    assert_int_equal(number_set_read(s, text, sizeof text - 1, "49", &e), 0);
    assert_int_equal(number_set_count(s), 4);
    assert_non_null(number_set_find(s, "*100#"));
    assert_non_null(number_set_find(s, "+491722222"));
    assert_int_equal(number_set_read(s, "+491\n+-\n", 8, "49", &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "line"));
    assert_int_equal(number_set_read(s, "1\0002", 3, "49", &e), ERR_INVALID);
    number_set_free(s);
}

/* A list in a file is read again when it has changed; a broken or missing one keeps what it was. */
static void test_live(void **state)
{
    char text[80];
    struct engine_list_conf lc = {.name = "vip", .text = text, .place = "lists.vip"};
    struct engine_rule_conf rules[] = {{.name = "vip", .from = WORDS("@vip"), .reply = "at once"},
                                       {.name = "rest", .reply = "later"}};
    struct engine_conf conf = conf_of(rules, 2);
    struct engine *en;

    (void)state;
    snprintf(text, sizeof text, "file:%s", path);
    write_list("+49151*\n");
    conf.country = "49";
    conf.lists = &lc;
    conf.nlists = 1;
    en = engine_of(&conf);
    assert_string_equal(reply_to(en, "hi"), "later");
    write_list("+49151*\n" CUSTOMER "\n");
    assert_string_equal(reply_to(en, "hi"), "at once");
    write_list("+49151*\n?????????\n");
    assert_string_equal(reply_to(en, "hi"), "at once");
    unlink(path);
    assert_string_equal(reply_to(en, "hi"), "at once");
    write_list("+49152*\n");
    assert_string_equal(reply_to(en, "hi"), "later");
    engine_free(en);
}

/* A reload takes over what was read of a file that did not change since. */
static void test_reload(void **state)
{
    char text[80];
    struct engine_list_conf lc = {.name = "vip", .text = text, .place = "lists.vip"};
    struct engine_conf conf = conf_of(NULL, 0);
    struct problems problems = {0};
    struct lists *before, *same, *other, *abroad;

    (void)state;
    snprintf(text, sizeof text, "file:%s", path);
    write_list("0151*\n");
    conf.country = "49";
    conf.lists = &lc;
    conf.nlists = 1;
    before = lists_new(&conf, &problems);
    same = lists_new(&conf, &problems);
    assert_ptr_equal(lists_set(same, 0), lists_set(before, 0));
    conf.country = "43";
    abroad = lists_new(&conf, &problems);
    assert_non_null(number_set_find(lists_set(abroad, 0), "+43151"));
    conf.country = "49";
    write_list("0152*\n0153*\n");
    other = lists_new(&conf, &problems);
    assert_null(number_set_find(lists_set(other, 0), "+49151"));
    assert_non_null(number_set_find(lists_set(other, 0), "+49152"));
    lists_free(before);
    assert_non_null(number_set_find(lists_set(same, 0), "+49151"));
    lists_refresh_now(same);
    assert_non_null(number_set_find(lists_set(same, 0), "+49152"));
    unlink(path);
    before = lists_new(&conf, &problems);
    assert_int_equal(problems.count, 1);
    lists_free(before);
    lists_free(same);
    lists_free(other);
    lists_free(abroad);
}

/* What is wrong with lists is told with their place. */
static void test_errors(void **state)
{
    struct engine_list_conf lists[] = {
        {.name = "a", .text = "+49170, x?", .place = "g:1: lists.a"},
        {.name = "b", .text = "file:rel", .place = "g:2: lists.b"},
        {.name = "c", .text = "file:/nonexistent/list", .place = "g:3: lists.c"}};
    struct engine_rule_conf rules[] = {
        {.name = "r", .from = WORDS("@d"), .reply = "x", .place = "g:4: rules[0]"}};
    struct engine_conf conf = conf_of(rules, 1);
    struct buf problems;

    (void)state;
    conf.lists = lists;
    conf.nlists = 3;
    problems = problems_of(&conf);
    assert_non_null(strstr(buf_str(&problems), "g:2: lists.b: \"rel\": expected a path from the root"));
    assert_non_null(strstr(buf_str(&problems), "g:3: lists.c: /nonexistent/list: "));
    assert_non_null(
        strstr(buf_str(&problems), "g:4: rules[0].from[0]: no list \"d\": expected one of lists: a, b, c"));
    buf_free(&problems);
}

/* The language is told by common words, and not where that would be a guess. */
static void test_language(void **state)
{
    static const char *const cases[][2] = {
        {"Hello, are you open today?", "en"},
        {"Guten Tag, wann haben Sie heute geöffnet?", "de"},
        {"Danke", "de"},
        {"Bonjour, vous êtes ouverts aujourd'hui ?", "fr"},
        {"Hola, ¿cuándo está abierto?", "es"},
        {"Buongiorno, siete aperti oggi?", "it"},
        {"Goedemorgen, wanneer zijn jullie open?", "nl"},
        {"Olá, bom dia, vocês estão abertos hoje?", "pt"},
        {"Merhaba, bugün açık mısınız?", "tr"},
        {"Dzień dobry, czy jest dzisiaj otwarte?", "pl"},
        {"Book a table", "en"},
        {"Got a question", "en"},
        {"r u open", "en"},
        {"as soon as possible", "en"},
        {"It was great", "en"},
        {"Can I come at ten?", "en"},
        {"What's the price per hour?", "en"},
        {"me puede ayudar", "es"},
        {"Gostaria de marcar uma consulta", "pt"},
        {"à demain", "fr"},
        {"A che ora aprite domani?", "it"},
        {"ok", ""},
        {"17", ""},
        {"", ""},
        {"Привет, вы открыты?", ""},
    };
    struct fold *fold = fold_new();
    struct language *l = language_new(fold);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(language_of(l, (struct span){cases[i][0], strlen(cases[i][0])}), cases[i][1]);
    assert_true(language_matches("de", "de-AT"));
    assert_true(language_matches("DE", "de"));
    assert_false(language_matches("de", "den"));
    assert_false(language_matches("pt-BR", "pt"));
    assert_false(language_matches("", ""));
    language_free(l);
    fold_free(fold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_read),
        cmocka_unit_test_setup_teardown(test_live, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload, set_up, tear_down),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_language),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
