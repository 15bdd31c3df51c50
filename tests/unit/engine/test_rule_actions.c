/* Each action of rules: what comes into the verdict, and what is wrong with one. */
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/private.h"

#define ANNA "+49170555"

static struct department_conf departments[] = {{.name = "Sales"}};
static struct person_conf people[] = {{.name = "Anna", .number = ANNA}, {.name = "Ben"}};
static struct engine_list_conf lists[] = {{.name = "staff", .text = "+4911111, +4922222, +4917*"}};

static struct engine_conf conf_for(struct engine_rule_conf *rules, int n)
{
    struct engine_conf conf = conf_of(rules, n);

    conf.country = "49";
    conf.departments = departments;
    conf.ndepartments = 1;
    conf.people = people;
    conf.npeople = 2;
    conf.lists = lists;
    conf.nlists = 1;
    return conf;
}

/* Everything that a trial of "order 17" comes to: effects, then messages. */
static const char *outcome(struct engine_rule_conf rule, const char *text)
{
    static char out[4000];
    struct engine_conf conf;
    struct engine *en;
    struct engine_trial_result r;
    struct store_situation known = {.conv.id = 5, .conv.state = CONV_OPEN};
    struct buf all = {0};

    rule.name = "r";
    conf = conf_for(&rule, 1);
    en = engine_of(&conf);
    str_copy(known.contact.number, sizeof known.contact.number, CUSTOMER);
    engine_try(en, &(struct engine_trial){.from = CUSTOMER, .text = text, .known = &known, .at_wall_ms = 1},
               &r);
    buf_adds(&all, buf_str(&r.effects));
    for (int i = 0; i < r.replies; i++)
        buf_addf(&all, "%s: %s\n", r.messages[i].to, buf_str(&r.messages[i].text));
    str_copy(out, sizeof out, buf_str(&all));
    buf_free(&all);
    engine_trial_clear(&r);
    engine_free(en);
    return out;
}

#define RULE(...) ((struct engine_rule_conf){__VA_ARGS__})

/* Each row: a rule of one action, and what it does. */
static void test_table(void **state)
{
    const struct {
        struct engine_rule_conf rule;
        const char *part;
    } cases[] = {
        {RULE(.reply = "Hi {{contact.name|there}}"), CUSTOMER ": Hi there\n"},
        {RULE(.reply = "Hi {{contact.name}}"), "flag rule r: reply held, no value for contact.name\n"},
        {RULE(.send_to = WORDS("030 123456", "Anna"), .send = "{{message.text}}"),
         "+4930123456: order 17\n" ANNA ": order 17\n"},
        {RULE(.send_to = WORDS("sales"), .send = "x"), ANNA ": x\n"},
        {RULE(.send_to = WORDS("@staff"), .send = "x"), "+4911111: x\n+4922222: x\n"},
        {RULE(.forward = WORDS("anna")), ANNA ": " CUSTOMER ": order 17\n"},
        {RULE(.department = "sales"), "department Sales\n"},
        {RULE(.assign = "ben"), "assign Ben\n"},
        {RULE(.tag = WORDS("a", "b"), .untag = WORDS("c")), "tag a\ntag b\nuntag c\n"},
        {RULE(.pattern = "(?<n>\\d+)", .set = WORDS("order={{match.n}}", "x=")),
         "attribute order=17\nattribute x\n"},
        {RULE(.set = WORDS("name={{contact.name}}")), "flag rule r: name held, no value for contact.name\n"},
        {RULE(.conversation = "close"), "state closed\n"},
        {RULE(.conversation = "spam"), "state spam\n"},
        {RULE(.conversation = "snooze 2h"), "state snoozed\n"},
        {RULE(.priority = "urgent"), "priority urgent\n"},
        {RULE(.consent = "in"), "consent in rule:r\n"},
        {RULE(.note = "said {{message.text}}"), "note said order 17\n"},
        {RULE(.once_per_ms = 1000, .tag = WORDS("a")), "once r\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *have = outcome(cases[i].rule, "order 17");

        if (!strstr(have, cases[i].part))
            fail_msg("row %zu: expected \"%s\" in \"%s\"", i, cases[i].part, have);
    }
}

/* Several actions of several rules are one verdict; `drop` ends it without a conversation. */
static void test_together(void **state)
{
    struct engine_rule_conf rules[] = {
        {.name = "spam", .words = WORDS("casino"), .drop = true},
        {.name = "tag", .tag = WORDS("x"), .alarm = "one", .also = true},
        {.name = "last", .priority = "low", .alarm = "two", .reply = "ok"},
    };
    struct engine_conf conf = conf_for(rules, 3);
    struct engine *en = engine_of(&conf);
    struct engine_trial_result r;

    (void)state;
    try_as(en, (struct engine_trial){.from = CUSTOMER, .text = "hi"}, &r);
    assert_string_equal(r.reason, "rule tag, rule last");
    try_as(en, (struct engine_trial){.from = CUSTOMER, .text = "Casino!"}, &r);
    assert_string_equal(r.rule, "spam");
    assert_int_equal(r.replies, 0);
    engine_free(en);
}

static void nothing(struct walk *walk)
{
    (void)walk;
}

static char told[2][200];
static int ntold;

static void tell(enum log_level level, const char *who, const char *line)
{
    (void)level, (void)who;
    if (strstr(line, "left out"))
        str_copy(told[ntold++ % 2], sizeof told[0], line);
}

/* More changes than a verdict has room for are left out, and no more; that is told once, in a trial and in
 * the log. */
static void test_many_changes(void **state)
{
    static char tags[60][16];
    static const char *names[61];
    struct engine_rule_conf rules[] = {{.name = "all", .place = "r", .tag = names}};
    struct engine_conf conf = conf_for(rules, 1);
    struct store_situation known = {0};
    struct handler_event ev = {.key = "message:7",
                               .from = CUSTOMER,
                               .text = {"x", 1},
                               .modem = "",
                               .name = "",
                               .language = "",
                               .message_class = -1,
                               .known = &known};
    struct engine_trial_result r;
    struct engine *en;
    struct verdict v;
    struct walk walk = {.event = &ev, .verdict = &v, .done = nothing};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        snprintf(tags[i], sizeof tags[i], "tag%zu", i);
        names[i] = tags[i];
    }
    en = engine_of(&conf);
    log_set_sink(tell);
    ntold = 0;
    engine_try(en, &(struct engine_trial){.from = CUSTOMER, .text = "x"}, &r);
    assert_non_null(strstr(buf_str(&r.why), "12 changes left out (tag first), there are 48 already"));
    assert_null(strstr(strstr(buf_str(&r.why), "left out") + 1, "left out"));
    engine_trial_clear(&r);
    assert_int_equal(ntold, 0);
    verdict_init(&v, NULL);
    walk.chain = en->program->chain;
    walk_start(&walk);
    guard_filter(en->program, &ev, &v);
    assert_int_equal(v.neffects, VERDICT_EFFECTS);
    assert_int_equal(ntold, 1);
    assert_non_null(strstr(told[0], "message:7: 12 changes are left out (tag first), there are 48 already"));
    verdict_fini(&v);
    log_set_sink(NULL);
    engine_free(en);
}

/* More messages than a verdict has room for are left out, and no more; that is told once. */
static void test_many(void **state)
{
    static const char *texts[40];
    static char numbers[40][16];
    struct engine_rule_conf rule = {.name = "r", .send = "x", .send_to = texts, .reply = "me too"};
    struct engine_conf conf = conf_for(&rule, 1);
    struct engine_trial_result r;
    struct engine *en;

    (void)state;
    for (int i = 0; i < 39; i++) {
        snprintf(numbers[i], sizeof numbers[i], "+4930%d", 1000 + i);
        texts[i] = numbers[i];
    }
    en = engine_of(&conf);
    assert_string_equal(try_as(en, (struct engine_trial){.from = CUSTOMER, .text = "x"}, &r), "me too");
    assert_int_equal(r.replies, TRIAL_MESSAGES);
    engine_try(en, &(struct engine_trial){.from = CUSTOMER, .text = "x"}, &r);
    assert_non_null(strstr(buf_str(&r.why), "send to 16 numbers left out"));
    assert_null(strstr(strstr(buf_str(&r.why), "left out") + 1, "left out"));
    engine_trial_clear(&r);
    engine_free(en);
}

/* What an action cannot be is told with its place and what was expected. */
static void test_errors(void **state)
{
    const struct {
        struct engine_rule_conf rule;
        const char *expected;
    } cases[] = {
        {{.send = "x"}, "g.send: expected \"send\" (the text) and \"send_to\""},
        {{.send_to = WORDS("Anna")}, "g.send_to: expected \"send\""},
        {{.send = "x", .send_to = WORDS("Carl")}, "g.send_to[0]: \"Carl\" is nobody we know"},
        {{.send = "x", .send_to = WORDS("@nobody")}, "g.send_to[0]: \"@nobody\" is nobody we know"},
        {{.forward = WORDS("crm")}, "g.forward[0]: \"crm\" is nobody we know"},
        {{.department = "support"},
         "g.department: no department \"support\": expected one of departments: Sales"},
        {{.assign = "Carl"}, "g.assign: nobody is called \"Carl\": expected one of people: Anna, Ben"},
        {{.conversation = "snooze long"}, "g.conversation: \"snooze long\": expected \"open\""},
        {{.priority = "top"}, "g.priority: \"top\": expected low"},
        {{.consent = "yes"}, "g.consent: \"yes\": expected \"in\" or \"out\""},
        {{.tag = WORDS("a,b")}, "g.tag[0]: expected a word of 1 to 63 bytes without blanks"},
        {{.tag = WORDS("ok", "two words")}, "g.tag[1]: expected a word of 1 to 63 bytes without blanks"},
        {{.untag = WORDS("")}, "g.untag[0]: expected a word of 1 to 63 bytes without blanks"},
        {{.set = WORDS("novalue")}, "g.set[0]: expected \"name=text\""},
        {{.set = WORDS("a={{b}}")}, "g.set[0]: unknown value \"b\""},
        {{.note = "{{b}}"}, "g.note: unknown value \"b\""},
        {{.handler = "crm"}, "g.handler: no handler \"crm\""},
        {{.on = ENGINE_ON_ALARM, .reply = "x"}, "g.reply: an alarm has no contact"},
        {{.on = ENGINE_ON_SCHEDULE, .schedule = "8:00", .tag = WORDS("x")},
         "g.tag: a schedule has no contact"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct engine_rule_conf rule = cases[i].rule;
        struct engine_conf conf;
        struct buf problems;

        rule.name = "r";
        rule.place = "g";
        conf = conf_for(&rule, 1);
        problems = problems_of(&conf);
        if (!strstr(buf_str(&problems), cases[i].expected))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].expected, buf_str(&problems));
        buf_free(&problems);
    }
}

/* What a customer writes is data wherever a rule puts it. */
static void test_injection(void **state)
{
    static const char *const texts[] = {"{{gateway.name}}", "'; DROP TABLE contact; --", "a=b,c\"\\\n{{",
                                        "%s%n $(x) `y`", "\x1b[31mred"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char expected[300];

        snprintf(expected, sizeof expected, "attribute last=%s\nnote %s\n%s: %s\n", texts[i], texts[i],
                 CUSTOMER, texts[i]);
        if (!strstr(outcome(RULE(.reply = "{{message.text}}", .set = WORDS("last={{message.text}}"),
                                 .note = "{{message.text}}"),
                            texts[i]),
                    "attribute last="))
            fail_msg("row %zu", i);
        assert_non_null(strstr(outcome(RULE(.reply = "{{message.text}}"), texts[i]), texts[i]));
    }
}

/* ---- rules check ---- */

static void check(struct engine_rule_conf *rules, int n, const struct engine_test_conf *tests, int ntests,
                  struct engine_check *out)
{
    struct engine_conf conf = conf_for(rules, n);
    struct engine *en;

    conf.tests = tests;
    conf.ntests = ntests;
    en = engine_of(&conf);
    engine_check(en, 1, out);
    engine_free(en);
}

/* Rules behind one that takes all, keywords taken before, loops of events: each is told; what is right is
 * not. */
static void test_check(void **state)
{
    struct engine_rule_conf bad[] = {
        {.name = "menu", .place = "p0", .keywords = WORDS("menu", "card"), .reply = "x"},
        {.name = "card", .place = "p1", .keywords = WORDS("CARD."), .reply = "y"},
        {.name = "both", .place = "p2", .keywords = WORDS("card", "list"), .reply = "y"},
        {.name = "vip", .place = "p3", .tags = WORDS("vip"), .reply = "y"},
        {.name = "vip too", .place = "p4", .tags = WORDS("vip"), .hours = "open", .reply = "y"},
        {.name = "stop", .place = "p5", .keywords = WORDS("stop"), .reply = "y"},
        {.name = "rest", .place = "p6", .reply = "y"},
        {.name = "late", .place = "p7", .pattern = "x", .reply = "y"},
        {.name = "again", .place = "p8", .on = ENGINE_ON_CLOSED, .conversation = "open"},
        {.name = "shut", .place = "p9", .on = ENGINE_ON_OPENED, .conversation = "close"},
    };
    struct engine_rule_conf good[] = {
        {.name = "a", .keywords = WORDS("a"), .reply = "x", .also = true},
        {.name = "b", .keywords = WORDS("a", "b"), .reply = "x"},
        {.name = "c", .once_per_ms = 1000, .reply = "x"},
        {.name = "d", .hours = "open", .reply = "x"},
        {.name = "e", .reply = "x"},
        {.name = "f", .on = ENGINE_ON_CLOSED, .tag = WORDS("x")},
    };
    static const char *const expected[] = {
        "p1 \"card\" is never reached: whatever it takes, p0 \"menu\" takes before",
        "p2 \"both\": keyword \"card\" is never reached: p0 \"menu\"",
        "p4 \"vip too\" is never reached: whatever it takes, p3 \"vip\"",
        "p5 \"stop\": keyword \"stop\" alone is answered as STOP",
        "p7 \"late\" is never reached: whatever it takes, p6 \"rest\"",
        "p8 \"again\": what it does may make the event \"closed\" again",
        "p9 \"shut\": what it does may make the event \"opened\" again",
    };
    struct engine_check r;

    (void)state;
    check(bad, ARRAY_LEN(bad), NULL, 0, &r);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (!strstr(buf_str(&r.warnings), expected[i]))
            fail_msg("expected \"%s\" in \"%s\"", expected[i], buf_str(&r.warnings));
    assert_int_equal(r.warned, ARRAY_LEN(expected));
    engine_check_clear(&r);
    check(good, ARRAY_LEN(good), NULL, 0, &r);
    assert_string_equal(buf_str(&r.warnings), "");
    engine_check_clear(&r);
}

/* Tests beside the rules: those that fail say what came instead. */
static void test_tests(void **state)
{
    struct engine_rule_conf rules[] = {
        {.name = "vip", .tags = WORDS("vip"), .reply = "Dear customer"},
        {.name = "open", .states = WORDS("open"), .departments = WORDS("sales"), .reply = "x"},
        {.name = "rest", .reply = "Hello"}};
    struct engine_test_conf tests[] = {
        {.place = "t0", .from = CUSTOMER, .text = "x", .tags = WORDS("a", "vip"), .expect = "vip"},
        {.place = "t1",
         .from = CUSTOMER,
         .text = "x",
         .state = "open",
         .department = "sales",
         .expect = "open"},
        {.place = "t2", .from = CUSTOMER, .text = "x", .expect_reply = "Hell"},
        {.place = "t3", .from = CUSTOMER, .text = "stop", .expect = "none"},
        {.place = "t4", .from = CUSTOMER, .text = "x", .expect = "vip"},
        {.place = "t5", .from = CUSTOMER, .text = "x", .expect_reply = "Dear"},
    };
    struct engine_check r;

    (void)state;
    check(rules, 3, tests, ARRAY_LEN(tests), &r);
    assert_int_equal(r.tests, 6);
    assert_int_equal(r.failed, 2);
    assert_string_equal(buf_str(&r.failures),
                        "t4: \"x\": rule rest matched, expected vip (rule rest)\n"
                        "t5: \"x\": the reply is \"Hello\", expected \"Dear\" in it (rule rest)\n");
    engine_check_clear(&r);
}

/* A test that cannot be right is an error. */
static void test_bad_tests(void **state)
{
    struct engine_rule_conf rule = {.name = "r", .reply = "x"};
    struct engine_test_conf tests[] = {
        {.place = "t0", .from = CUSTOMER, .expect = "q"},
        {.place = "t1", .text = "x", .expect = "r"},
        {.place = "t2", .from = CUSTOMER},
        {.place = "t3", .from = CUSTOMER, .expect = "r", .at = "noon", .state = "odd"}};
    struct engine_conf conf = conf_for(&rule, 1);
    struct buf problems;

    (void)state;
    conf.tests = tests;
    conf.ntests = ARRAY_LEN(tests);
    problems = problems_of(&conf);
    assert_string_equal(buf_str(&problems),
                        "t0.expect: no rule is called \"q\"; \"none\" expects that no rule matches\n"
                        "t1.from: missing: expected a number\n"
                        "t2: expected \"expect\" or \"expect_reply\"\n"
                        "t3.state: \"odd\": expected new, open, waiting, snoozed, closed or spam\n"
                        "t3.at: \"noon\": expected a time such as \"2026-12-24 20:00\"\n");
    buf_free(&problems);
}

static void no_log(enum log_level level, const char *who, const char *line)
{
    (void)level, (void)who, (void)line;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),     cmocka_unit_test(test_together),
        cmocka_unit_test(test_many),      cmocka_unit_test(test_many_changes),
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_injection),
        cmocka_unit_test(test_check),     cmocka_unit_test(test_tests),
        cmocka_unit_test(test_bad_tests),
    };

    log_set_sink(no_log);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
