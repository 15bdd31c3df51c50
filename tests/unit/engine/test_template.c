/* Templates: what they may say, what is wrong with them, and that values stay data. */
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/template_private.h"

static struct matcher *matcher;
static struct pattern *pattern;
static struct fold *fold;

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "CET-1", 1);
    tzset();
    matcher = matcher_new();
    fold = fold_new();
    return pattern_new(matcher, "order (?<number>\\d+)(?<more> now)?", &pattern, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    pattern_free(pattern);
    matcher_free(matcher);
    fold_free(fold);
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
    assert_error("{{contact.nmae}}", &scope,
                 "unknown value \"contact.nmae\": expected one of gateway.name, ");
    assert_error("{{contact.nmae|there}}", &scope, "unknown value");
    assert_error("{{contact.attribute.}}", &scope, "unknown value");
    assert_error("{{contact.name:shout}}", &scope,
                 "unknown filter \"shout\": expected one of upper, lower, first_word, date");
    assert_error("{{contact.name:}}", &scope, "unknown filter \"\"");
    assert_error("{{contact.name:upper x}}", &scope, "unknown filter \"upper x\"");
    assert_error("{{now:date}}", &scope, "filter \"date\": expected a format");
    assert_error("{{now:date %d %Q}}", &scope, "expected a format");
    assert_error("{{now:upper:upper:upper:upper:upper}}", &scope, "more than 4 filters");
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

/* ---- what the store knows of the contact ---- */

static struct store_situation known;
static struct handler_event event;

static void know(const char *name, const char *language, const char *attributes)
{
    known = (struct store_situation){.contact.attributes = (char *)attributes};
    str_copy(known.contact.name, sizeof known.contact.name, name);
    str_copy(known.contact.language, sizeof known.contact.language, language);
    str_copy(known.conv.department, sizeof known.conv.department, "sales");
    str_copy(known.conv.assignee, sizeof known.conv.assignee, "Ben");
    known.conv.id = 12;
    event = (struct handler_event){.wall_ms = INT64_C(1795251600000),
                                   .now_wall_ms = INT64_C(1795251600000),
                                   .from = CUSTOMER,
                                   .text = {"hello", 5},
                                   .modem = "counter",
                                   .name = "",
                                   .known = &known,
                                   .language = ""};
}

/* The text, or "missing: NAME". */
static const char *fill(const struct template *t)
{
    static char out[4000];
    struct template_values values = {
        .business = "Blue Bakery", .event = &event, .fold = fold, .survey_min = 1, .survey_max = 5};
    struct buf b = {0};
    const char *missing = template_render(t, &values, &b);

    if (missing)
        snprintf(out, sizeof out, "missing: %s", missing);
    else
        str_copy(out, sizeof out, buf_str(&b));
    assert_true(!missing || b.len == 0);
    buf_free(&b);
    return out;
}

static const char *fill_text(const char *text)
{
    static char out[4000];
    struct template_scope scope = {.unbound = true};
    struct template *t;
    struct err e = {0};

    if (template_new(text, &scope, &t, &e) != 0)
        fail_msg("%s: %s", text, e.text);
    str_copy(out, sizeof out, fill(t));
    template_free(t);
    return out;
}

/* Contact, conversation and time are values, filters change them, and what cannot be filtered is missing. */
static void test_filters(void **state)
{
    static const char *const cases[][2] = {
        {"{{contact.name}} {{contact.number}}", "Änne Maria Schmidt " CUSTOMER},
        {"{{contact.name:first_word}}", "Änne"},
        {"{{contact.name:first_word:lower}}", "änne"},
        {"{{ contact.name : upper }}", "ÄNNE MARIA SCHMIDT"},
        {"{{contact.attribute.plan}}, {{contact.attribute.none|no plan}}", "gold, no plan"},
        {"{{contact.attribute.visit:date %d.%m.%Y %H:%M}}", "01.12.2026 09:05"},
        {"{{contact.attribute.visit:date %e.%m.%y %I:%M %p %%|soon}}", "1.12.26 9:05 am %"},
        {"{{contact.attribute.day:date %d.%m.}}", "24.12."},
        {"{{contact.attribute.plan:date %d|soon}}", "soon"},
        {"{{contact.attribute.plan:date %d}}", "missing: contact.attribute.plan"},
        {"{{message.time:date %H:%M}}", "10:00"},
        {"{{now:date %Y-%m-%d}}", "2026-11-21"},
        {"#{{conversation.id}} {{department:upper}} {{person}}", "#12 SALES Ben"},
        {"{{survey.scale}}", "1-5"},
        {"{{keyword}}", "missing: keyword"},
        {"some text, {{event.name}}", "missing: event.name"},
        {"{{event.name|}}!", "!"},
        {"{{match.x|{{contact.name}}", "{{contact.name"},
    };

    (void)state;
    know("Änne Maria Schmidt", "de",
         "{\"plan\": \"gold\", \"visit\": \"2026-12-01 09:05\", \"day\": \"2026-12-24\"}");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(fill_text(cases[i][0]), cases[i][1]);
}

/* The wanted language, the contact's, the text's, the one for any, the first. */
static void test_languages(void **state)
{
    struct template_scope scope = {.unbound = true};
    struct template *t;

    (void)state;
    assert_int_equal(template_new("any", &scope, &t, NULL), 0);
    assert_int_equal(template_add(t, "de", "deutsch", &scope, NULL), 0);
    assert_int_equal(template_add(t, "pt", "português", &scope, NULL), 0);
    assert_int_equal(template_add(t, "pt-BR", "brasileiro", &scope, NULL), 0);
    know("", "de", NULL);
    assert_string_equal(fill(t), "deutsch");
    know("", "de-AT", NULL);
    assert_string_equal(fill(t), "deutsch");
    know("", "pt-BR", NULL);
    assert_string_equal(fill(t), "brasileiro");
    know("", "pt-PT", NULL);
    assert_string_equal(fill(t), "português");
    know("", "fi", NULL);
    assert_string_equal(fill(t), "any");
    know("", "", NULL);
    event.language = "pt";
    assert_string_equal(fill(t), "português");
    assert_true(template_take(t, "PT"));
    assert_string_equal(fill(t), "brasileiro");
    template_free(t);
}

/* Templates of the store are looked up when they are used: changed, in another language, or gone. */
static void test_shelf(void **state)
{
    struct shelf *s = shelf_new();
    struct template *t = template_by_name(s, "hello");
    struct err e = {0};

    (void)state;
    know("Ann", "de", NULL);
    assert_string_equal(fill(t), "missing: hello");
    assert_int_equal(shelf_put(s, "hello", "", "Hello {{contact.name}}", &e), 0);
    assert_string_equal(fill(t), "Hello Ann");
    assert_int_equal(shelf_put(s, "hello", "de", "Hallo", &e), 0);
    assert_string_equal(fill(t), "Hallo");
    assert_int_equal(shelf_put(s, "hello", "de", "{{broken", &e), ERR_INVALID);
    assert_string_equal(fill(t), "Hallo");
    shelf_remove(s, "hello", "de");
    assert_string_equal(fill(t), "Hello Ann");
    shelf_remove(s, "hello", "");
    assert_null(shelf_find(s, "hello"));
    assert_string_equal(fill(t), "missing: hello");
    /* In which order they come, and which is changed, does not decide who reads what: a restart has them in
     * another. */
    know("", "fr", NULL);
    assert_int_equal(shelf_put(s, "hello", "nl", "Hallo", &e), 0);
    assert_int_equal(shelf_put(s, "hello", "en", "Hello", &e), 0);
    assert_string_equal(fill(t), "Hello");
    assert_int_equal(shelf_put(s, "hello", "EN", "Hello!", &e), 0);
    assert_string_equal(fill(t), "Hello!");
    shelf_remove(s, "hello", "En");
    shelf_remove(s, "hello", "nl");
    assert_null(shelf_find(s, "hello"));
    assert_int_equal(shelf_put(s, "a b", "", "x", &e), ERR_INVALID);
    assert_int_equal(shelf_put(s, "a", "d/e", "x", &e), ERR_INVALID);
    template_free(t);
    shelf_free(s);
}

static int segments_of(const char *language, const char *text)
{
    struct template_scope scope = {.unbound = true};
    struct template *t;
    struct err e;
    const char *of;
    int segments;

    assert_int_equal(template_new("x", &scope, &t, NULL), 0);
    assert_int_equal(template_add(t, *language ? language : "xx", text, &scope, &e), 0);
    assert_true(template_segments(t, 1, &of, &segments));
    template_free(t);
    return segments;
}

/* Words in a text are of its language, and may have letters that a text message has no room for otherwise. */
static void test_segments_of_words(void **state)
{
    static const char
        words[] = "We have got your message and answer {{hours.next}}. Blue Bakery, Market 1, Berlin",
        other[] = "We have got your message and answer {{hours.next|świt}}. Blue Bakery, Market 1, Berlin";
    struct template_scope scope = {.unbound = true};
    struct template *t;
    const char *of;
    int segments;

    (void)state;
    assert_int_equal(segments_of("en", words), 1);
    assert_int_equal(segments_of("de", words), 1);
    assert_int_equal(segments_of("pl", words), 2);
    assert_int_equal(segments_of("tr", words), 2);
    assert_int_equal(segments_of("en", other), 2);
    assert_int_equal(template_new(words, &scope, &t, NULL), 0); /* whatever the customer reads */
    assert_true(template_segments(t, 0, &of, &segments));
    assert_int_equal(segments, 2);
    template_free(t);
}

/* Whoever reads another language than the text is in is told the hours in the text's. */
static void test_words_of_the_text(void **state)
{
    struct template_scope scope = {.unbound = true};
    struct template_values values = {.event = &event};
    struct zone *z;
    struct hours *h;
    struct template *t;
    struct buf out = {0};

    (void)state;
    assert_int_equal(zone_new("UTC", &z, NULL), 0);
    assert_int_equal(hours_new(z, WORDS("daily 8:00-8:01"), NULL, &h, NULL), 0);
    assert_int_equal(template_new("{{hours.next}}, ", &scope, &t, NULL), 0);
    know("", "pl", NULL);
    values.hours = h;
    assert_null(template_render(t, &values, &out));
    template_free(t);
    t = template_empty();
    assert_int_equal(template_add(t, "de", "Wir antworten {{hours.next}}", &scope, NULL), 0);
    assert_int_equal(template_add(t, "en", "We answer {{hours.next}}", &scope, NULL), 0);
    assert_null(template_render(t, &values, &out));
    assert_string_equal(buf_str(&out), "jutro o 8:00, Wir antworten morgen um 8:00 Uhr");
    buf_free(&out);
    template_free(t);
    hours_free(h);
    zone_free(z);
}

/* The longest form tells how many segments may be needed. */
static void test_segments(void **state)
{
    struct template_scope scope = {.unbound = true};
    struct template *t;
    const char *language;
    int segments;

    (void)state;
    assert_int_equal(template_new("You wrote: {{message.text}}", &scope, &t, NULL), 0);
    assert_true(template_segments(t, 0, &language, &segments));
    assert_int_equal(segments, 2);
    assert_false(template_segments(t, 1, &language, &segments));
    template_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_values_are_data),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_shelf),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_segments_of_words),
        cmocka_unit_test(test_words_of_the_text),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
