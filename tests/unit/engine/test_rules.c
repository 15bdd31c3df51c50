/* Rules and guard: which rule answers, what with, what is wrong with a configuration, and why. */
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

static struct engine *engine_with(const struct engine_rule_conf *rules, int nrules)
{
    struct engine_conf conf = conf_of(rules, nrules);

    return engine_of(&conf);
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}

/* Keywords are the whole message or its first word, whatever the case and the punctuation. */
static void test_keywords(void **state)
{
    struct engine_rule_conf rules[] = {
        {.name = "hours", .keywords = WORDS("hours", "öffnungszeiten", "opening hours"), .reply = "9-18"},
        {.name = "help me", .keywords = WORDS("?"), .reply = "Ask!"},
    };
    struct engine *en = engine_with(rules, 2);

    (void)state;
    assert_string_equal(reply_to(en, "hours"), "9-18");
    assert_string_equal(reply_to(en, "HOURS, please?"), "9-18");
    assert_string_equal(reply_to(en, "Öffnungszeiten!"), "9-18");
    assert_string_equal(reply_to(en, "ÖFFNUNGSZEITEN"), "9-18");
    assert_string_equal(reply_to(en, "Opening  Hours."), "9-18");
    assert_string_equal(reply_to(en, "opening hours today"), "");
    assert_string_equal(reply_to(en, "your hours"), "");
    assert_string_equal(reply_to(en, "hour"), "");
    assert_string_equal(reply_to(en, "?"), "Ask!");
    assert_string_equal(reply_to(en, ""), "");
    engine_free(en);
}

/* A rule for calls wants no words, is tried with --call, and says for what the others are. */
static void test_on_call(void **state)
{
    struct engine_rule_conf bad[] = {
        {.name = "a", .on = ENGINE_ON_CALL, .keywords = WORDS("x"), .reply = "y", .place = "rules[0]"},
        {.name = "b", .on = ENGINE_ON_CALL, .pattern = "x", .reply = "y", .place = "rules[1]"}};
    struct engine_conf conf = conf_of(bad, 2);
    struct buf problems = problems_of(&conf);
    struct engine_rule_conf good[] = {{.name = "any", .reply = "text"},
                                      {.name = "missed", .on = ENGINE_ON_CALL, .reply = "Sorry"}};
    struct engine *en = engine_with(good, 2);
    struct engine_trial_result r;

    (void)state;
    assert_contains(buf_str(&problems), "rules[0].keywords: a call has no text");
    assert_contains(buf_str(&problems), "rules[1].pattern: a call has no text");
    buf_free(&problems);
    engine_try(en, &(struct engine_trial){.on = ENGINE_ON_CALL, .from = CUSTOMER, .text = ""}, &r);
    assert_string_equal(buf_str(&r.reply), "Sorry");
    assert_contains(buf_str(&r.why), "is for messages");
    engine_trial_clear(&r);
    assert_string_equal(reply_to(en, "hello"), "text");
    engine_free(en);
}

/* A pattern finds its place anywhere, and its named groups are values of the reply. */
static void test_pattern(void **state)
{
    struct engine_rule_conf rules[] = {
        {.name = "order",
         .pattern = "(?i)\\border\\s*#?(?<number>\\d+)",
         .reply = "We look into order {{match.number}} ({{match.0}})."},
    };
    struct engine *en = engine_with(rules, 1);

    (void)state;
    assert_string_equal(reply_to(en, "where is my ORDER #17?"), "We look into order 17 (ORDER #17).");
    assert_string_equal(reply_to(en, "border 17"), "");
    engine_free(en);
}

/* A rule with both wants both; a rule with neither always matches; the first match wins. */
static void test_order(void **state)
{
    struct engine_rule_conf rules[] = {
        {.name = "both", .keywords = WORDS("order"), .pattern = "\\d", .reply = "both"},
        {.name = "word", .keywords = WORDS("order", "menu"), .reply = "word {{keyword}}"},
        {.name = "silent", .keywords = WORDS("thanks")},
        {.name = "rest", .reply = "rest"},
        {.name = "never", .reply = "never"},
    };
    struct engine *en = engine_with(rules, 5);
    struct engine_trial_result r;

    (void)state;
    assert_string_equal(reply_to(en, "order 17"), "both");
    assert_string_equal(reply_to(en, "Order now"), "word order");
    assert_string_equal(reply_to(en, "17"), "rest");
    assert_string_equal(reply_to(en, ""), "rest");
    assert_string_equal(try_as(en, (struct engine_trial){.from = CUSTOMER, .text = "Thanks!"}, &r), "");
    assert_string_equal(r.rule, "silent");
    assert_string_equal(r.reason, "rule silent");
    engine_free(en);
}

/* `continue` lets later rules answer too, within the guard's limit. */
static void test_also(void **state)
{
    struct engine_rule_conf rules[] = {
        {.name = "greet", .reply = "Hello", .also = true},
        {.name = "hours", .keywords = WORDS("hours"), .reply = "9-18", .also = true},
        {.name = "rest", .reply = "Bye"},
    };
    struct engine *en = engine_with(rules, 3);
    struct engine_trial t = {.from = CUSTOMER, .text = "hours"};
    struct engine_trial_result r;

    (void)state;
    assert_string_equal(try_as(en, t, &r), "Hello");
    assert_int_equal(r.replies, 3);
    assert_string_equal(r.reason, "rule greet, rule hours, rule rest");
    t.automatic_replies = 3;
    try_as(en, t, &r);
    assert_int_equal(r.replies, 2);
    engine_free(en);
}

/* Many rules that all continue make no more replies than the bound, and a reason that fits. */
static void test_also_bound(void **state)
{
    struct engine_rule_conf rules[60];
    struct engine_conf conf;
    char names[60][32];
    struct engine_trial_result r;
    struct engine *en;

    (void)state;
    for (int i = 0; i < 60; i++) {
        snprintf(names[i], sizeof names[i], "ü%d", i);
        rules[i] = (struct engine_rule_conf){.name = names[i], .reply = "x", .also = true};
    }
    conf = conf_of(rules, 60);
    conf.guard.replies = 1000;
    en = engine_of(&conf);
    try_as(en, (struct engine_trial){.from = CUSTOMER, .text = "x"}, &r);
    assert_int_equal(r.replies, 8);
    assert_string_equal(r.rule, "ü0");
    engine_free(en);
}

/* A reply that comes out empty is not sent. */
static void test_empty_reply(void **state)
{
    struct engine_rule_conf rules[] = {{.name = "echo", .reply = "{{message.text}}"}};
    struct engine *en = engine_with(rules, 1);
    struct engine_trial_result r;

    (void)state;
    try_as(en, (struct engine_trial){.from = CUSTOMER, .text = ""}, &r);
    assert_int_equal(r.replies, 0);
    assert_string_equal(r.rule, "echo");
    engine_free(en);
}

/* Nobody is answered who must not be: short codes, names, our own numbers, unknown senders, and no number
 * more than five times in the window. */
static void test_guard(void **state)
{
    static const struct {
        struct engine_trial t;
        const char *reason;
    } cases[] = {
        {{.from = "12345", .text = "hi"}, "short code"},
        {{.from = "*100#", .text = "hi"}, "short code"},
        {{.from = "MyBank", .text = "hi"}, "a name"},
        {{.from = "", .text = "hi"}, "unknown"},
        {{.from = CUSTOMER, .text = "hi", .own_number = true}, "own numbers"},
        {{.from = CUSTOMER, .text = "hi", .automatic_replies = 5}, "5 automatic replies"},
        {{.from = CUSTOMER, .text = "hi", .automatic_replies = 500}, "500 automatic replies"},
    };
    struct engine_rule_conf rules[] = {{.name = "any", .reply = "auto reply"}};
    struct engine *en = engine_with(rules, 1);
    struct engine_trial_result r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_string_equal(try_as(en, cases[i].t, &r), "");
        assert_contains(r.reason, cases[i].reason);
    }
    assert_string_equal(
        try_as(en, (struct engine_trial){.from = CUSTOMER, .text = "hi", .automatic_replies = 4}, &r),
        "auto reply");
    engine_free(en);
}

/* A text that is not UTF-8 is no text: no rule answers it. */
static void test_not_text(void **state)
{
    struct engine_rule_conf rules[] = {{.name = "any", .reply = "auto reply"}};
    struct engine *en = engine_with(rules, 1);

    (void)state;
    assert_string_equal(reply_to(en, "\xff\xfe"), "");
    engine_free(en);
}

/* A pattern that gives up on a text does not match it; the rules behind it go on. */
static void test_gave_up(void **state)
{
    struct engine_rule_conf rules[] = {{.name = "bad", .pattern = "(a+)+$", .reply = "bad"},
                                       {.name = "rest", .reply = "rest"}};
    struct engine *en = engine_with(rules, 2);
    char text[400];

    (void)state;
    memset(text, 'a', sizeof text - 2);
    memcpy(text + sizeof text - 2, "!", 2);
    assert_string_equal(reply_to(en, text), "rest");
    engine_free(en);
}

/* What a customer writes reaches the reply as data only, the longest possible message too. */
static void test_data_only(void **state)
{
    static const char *const texts[] = {"echo {{gateway.name}} {{match.0}}", "echo @hours",
                                        "echo '; DROP TABLE message; --", "echo $(id) `id` \\ \" ' %s %n",
                                        "echo \x1b\x1a\x01\x7f\r\n\t"};
    enum { LONGEST = 255 * 153 };
    struct engine_rule_conf rules[] = {
        {.name = "echo", .pattern = "(?s)^echo (?<rest>.*)$", .reply = "{{match.rest}}"},
        {.name = "all", .reply = "{{message.text}}"}};
    struct engine *en = engine_with(rules, 2);
    struct engine_trial_result r;
    char *text = malloc(LONGEST + 1);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_string_equal(reply_to(en, texts[i]), texts[i] + strlen("echo "));
    memset(text, '{', LONGEST);
    text[LONGEST] = '\0';
    engine_try(en, &(struct engine_trial){.from = CUSTOMER, .text = text}, &r);
    assert_string_equal(buf_str(&r.reply), text);
    engine_trial_clear(&r);
    free(text);
    engine_free(en);
}

/* A named template is found, its values filled in; a text that only begins with '@' is a text. */
static void test_templates(void **state)
{
    struct engine_template_conf templates[] = {
        {.name = "hours", .text = "{{gateway.name}}: 9-18", .place = "gateway.conf:3: templates.hours"},
        {.name = "order",
         .text = "Order {{match.number|unknown}}",
         .place = "gateway.conf:4: templates.order"},
    };
    struct engine_rule_conf rules[] = {
        {.name = "hours", .keywords = WORDS("hours"), .reply = "@hours"},
        {.name = "at", .keywords = WORDS("at"), .reply = "@ ten"},
        {.name = "order", .pattern = "order (?<number>\\d+)", .reply = "@order"},
        {.name = "rest", .reply = "@order"},
    };
    struct engine_conf conf = conf_of(rules, 4);
    struct engine *en;

    (void)state;
    conf.templates = templates;
    conf.ntemplates = 2;
    en = engine_of(&conf);
    assert_string_equal(reply_to(en, "hours"), "Blue Bakery: 9-18");
    assert_string_equal(reply_to(en, "at"), "@ ten");
    assert_string_equal(reply_to(en, "order 9"), "Order 9");
    assert_string_equal(reply_to(en, "hello"), "Order unknown");
    engine_free(en);
}

/* All errors of a configuration are told at once, each with its place and what was expected, and once. */
static void test_errors(void **state)
{
    struct engine_template_conf templates[] = {
        {.name = "ok", .text = "fine {{match.x}}", .place = "gateway.conf:3: templates.ok"},
        {.name = "bad", .text = "{{nothing}}", .place = "gateway.conf:4: templates.bad"},
    };
    struct engine_rule_conf rules[] = {
        {.name = "a", .pattern = "(order", .reply = "{{match.x}}", .place = "gateway.conf:7: rules[0]"},
        {.name = "a", .keywords = WORDS("", "x"), .reply = "@none", .place = "gateway.conf:8: rules[1]"},
        {.name = "c", .reply = "@bad", .place = "gateway.conf:9: rules[2]"},
        {.name = "d", .reply = "@ok", .place = "gateway.conf:10: rules[3]"},
        {.name = "e", .keywords = WORDS(NULL), .reply = "Hi {{name", .place = "gateway.conf:11: rules[4]"},
    };
    static const char expected[] =
        "gateway.conf:4: templates.bad: unknown value \"nothing\": expected one of gateway.name, "
        "message.text, "
        "message.from, message.id, message.time, modem.name, keyword, match.NAME, contact.name, "
        "contact.number, contact.language, contact.attribute.NAME, conversation.id, conversation.title, "
        "department, person, hours.next, event.name, event.text, survey.scale, now\n"
        "gateway.conf: consent.stop_words[0]: empty: expected a word or a short phrase\n"
        "gateway.conf: consent.help_reply: value \"match.1\" where there is no pattern\n"
        "gateway.conf: guard.window: expected a time\n"
        "gateway.conf:7: rules[0].pattern: missing closing parenthesis at offset 6\n"
        "gateway.conf:8: rules[1].name: \"a\" is also the name of gateway.conf:7: rules[0]\n"
        "gateway.conf:8: rules[1].keywords[0]: empty: expected a word or a short phrase\n"
        "gateway.conf:8: rules[1].reply: no template \"none\": expected one of ok, bad\n"
        "gateway.conf:10: rules[3].reply: template \"ok\": value \"match.x\" where there is no pattern\n"
        "gateway.conf:11: rules[4].keywords: empty: expected at least one word\n"
        "gateway.conf:11: rules[4].reply: \"{{\" at offset 3 is not closed by \"}}\"\n";
    struct engine_conf conf = conf_of(rules, 5);
    struct buf problems;

    (void)state;
    conf.templates = templates;
    conf.ntemplates = 2;
    conf.file = "gateway.conf";
    conf.consent.stop_words = WORDS("");
    conf.consent.help_reply = "{{match.1}}";
    conf.guard.window_ms = 0;
    problems = problems_of(&conf);
    assert_string_equal(buf_str(&problems), expected);
    buf_free(&problems);
}

/* Another configuration takes effect at once; a broken one leaves the old one answering. */
static void test_reconfigure(void **state)
{
    struct engine_rule_conf old = {.name = "any", .reply = "old"}, new = {.name = "any", .reply = "new"},
                            bad = {.name = "any", .reply = "{{bad"};
    struct engine_conf conf = conf_of(&new, 1), broken = conf_of(&bad, 1);
    struct engine *en = engine_with(&old, 1);

    (void)state;
    assert_string_equal(reply_to(en, "x"), "old");
    assert_int_equal(engine_reconfigure(en, &broken, NULL, NULL), ERR_INVALID);
    assert_string_equal(reply_to(en, "x"), "old");
    assert_int_equal(engine_reconfigure(en, &conf, NULL, NULL), 0);
    assert_string_equal(reply_to(en, "x"), "new");
    engine_free(en);
}

/* A trial explains each handler, each rule and each condition, and shows the reply. */
static void test_why(void **state)
{
    struct engine_rule_conf rules[] = {
        {.name = "hours", .keywords = WORDS("hours"), .reply = "9-18", .place = "gateway.conf:5: rules[0]"},
        {.name = "order",
         .keywords = WORDS("order"),
         .pattern = "(?<number>\\d+)",
         .reply = "Order {{match.number}}",
         .place = "gateway.conf:6: rules[1]"},
    };
    static const char expected[] = "consent: no STOP, START or HELP\n"
                                   "guard: passed, 1 of 5 automatic replies used\n"
                                   "gateway.conf:5: rules[0] \"hours\": keywords: no\n"
                                   "gateway.conf:6: rules[1] \"order\": keywords: yes, \"order\"\n"
                                   "gateway.conf:6: rules[1] \"order\": pattern: yes\n"
                                   "gateway.conf:6: rules[1] \"order\": match.0 = \"17\"\n"
                                   "gateway.conf:6: rules[1] \"order\": match.number = \"17\"\n"
                                   "gateway.conf:6: rules[1] \"order\": matches\n"
                                   "rule order\n"
                                   "reply to " CUSTOMER " by rule:order: Order 17\n";
    struct engine *en = engine_with(rules, 2);
    struct engine_trial t = {.from = CUSTOMER, .text = "order 17", .automatic_replies = 1};
    struct engine_trial_result r;

    (void)state;
    engine_try(en, &t, &r);
    assert_string_equal(buf_str(&r.why), expected);
    assert_string_equal(r.handler, "rules");
    assert_string_equal(r.rule, "order");
    engine_trial_clear(&r);
    engine_free(en);
}

/* An explanation stays valid UTF-8 however long the text is that it quotes. */
static void test_why_long(void **state)
{
    struct engine_rule_conf rules[] = {{.name = "all", .pattern = "(?s).+", .reply = "x"}};
    struct engine *en = engine_with(rules, 1);
    struct engine_trial_result r;
    char text[1201] = "x";

    (void)state;
    for (int i = 0; i < 2; i++) {
        for (int at = i; at < 1198; at += 3)
            memcpy(text + at, "€", 4);
        engine_try(en, &(struct engine_trial){.from = CUSTOMER, .text = text}, &r);
        assert_true(utf8_valid(buf_str(&r.why), r.why.len));
        engine_trial_clear(&r);
    }
    engine_free(en);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keywords),    cmocka_unit_test(test_pattern),
        cmocka_unit_test(test_on_call),     cmocka_unit_test(test_order),
        cmocka_unit_test(test_also),        cmocka_unit_test(test_also_bound),
        cmocka_unit_test(test_empty_reply), cmocka_unit_test(test_guard),
        cmocka_unit_test(test_not_text),    cmocka_unit_test(test_gave_up),
        cmocka_unit_test(test_data_only),   cmocka_unit_test(test_templates),
        cmocka_unit_test(test_errors),      cmocka_unit_test(test_reconfigure),
        cmocka_unit_test(test_why),         cmocka_unit_test(test_why_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
