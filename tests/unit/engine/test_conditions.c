/* Each condition of rules, met and not met, and what is wrong with one. */
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

/* The world of a trial, all of which a row may change. */
struct given {
    enum engine_on on;
    const char *text, *from, *modem, *pool, *to, *name, *at;
    const char *tags, *attributes, *department, *language;
    enum conv_state state;
    bool closed_before; /* there was a conversation, closed an hour ago */
    int64_t acted_wall_ms;
};

static struct department_conf departments[] = {{.name = "sales"},
                                               {.name = "night", .hours.open = WORDS("daily 20:00-24:00")}};
static struct engine_list_conf lists[] = {{.name = "vip", .text = "+49170*, MyBank"}};

static const char *const office_hours[] = {"Mon-Fri 09:00-18:00", NULL};

static struct engine_conf conf_for(struct engine_rule_conf *rule)
{
    struct engine_conf conf = conf_of(rule, 1);

    conf.country = "49";
    conf.hours = (struct hours_conf){.zone = "Europe/Berlin", .open = office_hours};
    conf.departments = departments;
    conf.ndepartments = ARRAY_LEN(departments);
    conf.lists = lists;
    conf.nlists = 1;
    conf.desk.reopen_ms = 2 * 3600000;
    return conf;
}

static int64_t moment(const char *text)
{
    int64_t ms = 0;

    assert_true(wall_from_text(text, 0, &ms));
    return ms;
}

static bool matches(struct engine_rule_conf rule, struct given g)
{
    struct engine_conf conf;
    struct engine *en;
    struct engine_trial_result r;
    struct store_situation known = {.reserved = 9};
    struct once_row once = {.rule = "r", .at_wall_ms = g.acted_wall_ms};
    int64_t now = moment(g.at ? g.at : "2026-11-23T10:00:00Z"); /* a Monday */

    rule.name = "r";
    rule.on = (int)g.on;
    conf = conf_for(&rule);
    en = engine_of(&conf);
    str_copy(known.contact.number, sizeof known.contact.number, CUSTOMER);
    str_copy(known.contact.language, sizeof known.contact.language, g.language ? g.language : "");
    known.contact.tags = (char *)g.tags;
    known.contact.attributes = (char *)g.attributes;
    known.once = &once;
    known.nonce = g.acted_wall_ms != 0;
    if (g.state) {
        known.conv.id = 5;
        known.conv.state = g.state;
    }
    str_copy(known.conv.department, sizeof known.conv.department, g.department ? g.department : "");
    if (g.closed_before)
        known.last = (struct conv_row){.id = 4, .state = CONV_CLOSED, .closed_wall_ms = now - 3600000};
    engine_try(en,
               &(struct engine_trial){.on = g.on,
                                      .from = g.from ? g.from : CUSTOMER,
                                      .text = g.text ? g.text : "",
                                      .modem = g.modem,
                                      .pool = g.pool,
                                      .to = g.to,
                                      .name = g.name,
                                      .at_wall_ms = now,
                                      .known = &known},
               &r);
    engine_trial_clear(&r);
    engine_free(en);
    return strcmp(r.rule, "r") == 0;
}

#define RULE(...)  ((struct engine_rule_conf){__VA_ARGS__})
#define GIVEN(...) ((struct given){__VA_ARGS__})

/* Each row: a rule of one condition, what meets it and what does not. */
static void test_table(void **state)
{
    static const int64_t hour_ms = 3600000;
    const int64_t now = moment("2026-11-23T10:00:00Z");
    char many_words[600] = "";
    const struct {
        struct engine_rule_conf rule;
        struct given yes, no;
    } cases[] = {
        {RULE(.keywords = WORDS("hours")), GIVEN(.text = "Hours?"), GIVEN(.text = "your hours")},
        {RULE(.words = WORDS("preis", "ÖFFNUNG")), GIVEN(.text = "Wie ist die (Öffnung)?"),
         GIVEN(.text = "preise")},
        {RULE(.keywords = WORDS("a"), .words = WORDS("b")), GIVEN(.text = "a c b"), GIVEN(.text = "a c")},
        {RULE(.keywords = WORDS("opening hours")), GIVEN(.text = "Opening, hours?"),
         GIVEN(.text = "opening late hours")},
        {RULE(.keywords = WORDS("Straße")), GIVEN(.text = "STRASSE?"), GIVEN(.text = "Strase")},
        {RULE(.keywords = WORDS("hours")), GIVEN(.text = "hours,please"), GIVEN(.text = "my,hours")},
        {RULE(.keywords = WORDS("1")), GIVEN(.text = "1.please"), GIVEN(.text = "1.5 kg")},
        {RULE(.words = WORDS("open")), GIVEN(.text = "hi!are you closed/open"),
         GIVEN(.text = "info@open.example https://open.example/open www.open.example")},
        {RULE(.words = WORDS("price")), GIVEN(.text = "(hello),(price)"), GIVEN(.text = "(hello),(prices)")},
        {RULE(.words = WORDS("price")), GIVEN(.text = "hello,-price"), GIVEN(.text = "see:www.price.example")},
        {RULE(.words = WORDS("price")), GIVEN(.text = many_words), GIVEN(.text = "prices")},
        {RULE(.languages = WORDS("pt-BR")),
         GIVEN(.text = "Obrigado, você pode me ajudar?", .language = "pt-BR"),
         GIVEN(.text = "Obrigado, você pode me ajudar?", .language = "pt-PT")},
        {RULE(.from = WORDS("0170 12*")), GIVEN(.text = "x"), GIVEN(.from = "+49151")},
        {RULE(.from = WORDS("0049170*")), GIVEN(.text = "x"), GIVEN(.from = "+49151")},
        {RULE(.from = WORDS("+49 (0)170*")), GIVEN(.text = "x"), GIVEN(.from = "+49151")},
        {RULE(.from = WORDS("22*")), GIVEN(.from = "22333"), GIVEN(.from = "+4922333")},
        {RULE(.pattern = "\\d{3}"), GIVEN(.text = "x 123"), GIVEN(.text = "x 12")},
        {RULE(.from = WORDS("0170 1234567")), GIVEN(.text = "x"), GIVEN(.from = "+491701234568")},
        {RULE(.from = WORDS("+4917*")), GIVEN(.text = "x"), GIVEN(.from = "+49151")},
        {RULE(.from = WORDS("@vip")), GIVEN(.text = "x"), GIVEN(.from = "+49151")},
        {RULE(.from = WORDS("@vip")), GIVEN(.from = "mybank"), GIVEN(.from = "MyBanks")},
        {RULE(.to = WORDS("+4930*")), GIVEN(.to = "+4930123"), GIVEN(.to = NULL)},
        {RULE(.to = WORDS("+4917*")), GIVEN(.on = ENGINE_ON_REPORT),
         GIVEN(.on = ENGINE_ON_REPORT, .from = "+4930")},
        {RULE(.modems = WORDS("M1")), GIVEN(.modem = "M1"), GIVEN(.modem = "M2")},
        {RULE(.modems = WORDS("shop")), GIVEN(.modem = "M1", .pool = "shop"), GIVEN(.modem = "M1")},
        {RULE(.languages = WORDS("de")), GIVEN(.text = "Guten Tag, wann haben Sie offen?"),
         GIVEN(.text = "Hello, are you open?")},
        {RULE(.scripts = WORDS("Cyrillic")), GIVEN(.text = "Привет OK"), GIVEN(.text = "hello мир all")},
        {RULE(.scripts = WORDS("Hiragana", "Katakana", "Han")), GIVEN(.text = "営業時間は？"),
         GIVEN(.text = "?! 12")},
        {RULE(.tags = WORDS("vip", "gold")), GIVEN(.tags = ",gold,new,"), GIVEN(.tags = ",golden,")},
        {RULE(.tags = WORDS("!vip")), GIVEN(.tags = ",new,"), GIVEN(.tags = ",vip,")},
        {RULE(.tags = WORDS("new", "!vip")), GIVEN(.tags = ",new,"), GIVEN(.tags = ",new,vip,")},
        {RULE(.attributes = WORDS("plan=gold")), GIVEN(.attributes = "{\"plan\":\"gold\"}"),
         GIVEN(.attributes = "{\"plan\":\"g\"}")},
        {RULE(.attributes = WORDS("plan", "!debt")), GIVEN(.attributes = "{\"plan\":\"\"}"),
         GIVEN(.attributes = "{\"plan\":\"x\",\"debt\":\"1\"}")},
        {RULE(.attributes = WORDS("!plan=gold")), GIVEN(.text = "x"),
         GIVEN(.attributes = "{\"plan\":\"gold\"}")},
        {RULE(.states = WORDS("open", "waiting")), GIVEN(.state = CONV_WAITING), GIVEN(.state = CONV_NEW)},
        {RULE(.states = WORDS("none")), GIVEN(.text = "x"), GIVEN(.state = CONV_OPEN)},
        {RULE(.states = WORDS("closed")), GIVEN(.closed_before = true), GIVEN(.text = "x")},
        {RULE(.departments = WORDS("sales")), GIVEN(.state = CONV_OPEN, .department = "sales"),
         GIVEN(.state = CONV_OPEN)},
        {RULE(.departments = WORDS("none")), GIVEN(.text = "x"),
         GIVEN(.state = CONV_OPEN, .department = "sales")},
        {RULE(.names = WORDS("failed", "expired")), GIVEN(.on = ENGINE_ON_REPORT, .name = "failed"),
         GIVEN(.on = ENGINE_ON_REPORT, .name = "delivered")},
        {RULE(.names = WORDS("sim")), GIVEN(.on = ENGINE_ON_ALARM, .from = "", .name = "sim"),
         GIVEN(.on = ENGINE_ON_ALARM, .from = "", .name = "sim over")},
        {RULE(.hours = "open"), GIVEN(.text = "x"), GIVEN(.at = "2026-11-23T17:30:00Z")},
        {RULE(.hours = "closed"), GIVEN(.at = "2026-11-21T10:00:00Z"), GIVEN(.text = "x")},
        {RULE(.hours = "open"),
         GIVEN(.state = CONV_OPEN, .department = "night", .at = "2026-11-21T20:00:00Z"),
         GIVEN(.state = CONV_OPEN, .department = "night")},
        {RULE(.dates = "2026-11-01..2026-11-23"), GIVEN(.text = "x"), GIVEN(.at = "2026-11-23T23:30:00Z")},
        {RULE(.first = WANT_YES), GIVEN(.text = "x"), GIVEN(.state = CONV_OPEN)},
        {RULE(.first = WANT_YES), GIVEN(.text = "x"), GIVEN(.closed_before = true)},
        {RULE(.first = WANT_NO), GIVEN(.state = CONV_OPEN), GIVEN(.text = "x")},
        {RULE(.incomplete = WANT_NO), GIVEN(.text = "x"), GIVEN(.on = ENGINE_ON_CALL)},
        {RULE(.once_per_ms = hour_ms), GIVEN(.acted_wall_ms = now - hour_ms),
         GIVEN(.acted_wall_ms = now - hour_ms + 1)},
    };

    (void)state;
    for (int i = 0; i < 250; i++)
        strcat(many_words, "x ");
    strcat(many_words, "price");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (!matches(cases[i].rule, cases[i].yes))
            fail_msg("row %zu: expected to match", i);
        if (cases[i].rule.incomplete)
            continue; /* a call has no such condition: test_errors */
        if (matches(cases[i].rule, cases[i].no))
            fail_msg("row %zu: expected not to match", i);
    }
}

/* A rule for one event is not asked about others, and a schedule's time is that of one rule. */
static void test_events(void **state)
{
    struct engine_rule_conf rules[] = {
        {.name = "a", .on = ENGINE_ON_SCHEDULE, .schedule = "08:00", .send_to = WORDS("+49170"), .send = "a"},
        {.name = "b", .on = ENGINE_ON_SCHEDULE, .schedule = "09:00", .send_to = WORDS("+49170"), .send = "b"},
        {.name = "c", .on = ENGINE_ON_CLOSED, .tag = WORDS("done")},
        {.name = "d", .reply = "d"},
    };
    struct engine_conf conf = conf_of(rules, 4);
    struct engine *en = engine_of(&conf);
    struct engine_trial_result r;

    (void)state;
    try_as(en, (struct engine_trial){.on = ENGINE_ON_SCHEDULE, .from = "", .text = "", .name = "b"}, &r);
    assert_string_equal(r.rule, "b");
    try_as(en, (struct engine_trial){.on = ENGINE_ON_CLOSED, .from = CUSTOMER, .text = ""}, &r);
    assert_string_equal(r.rule, "c");
    try_as(en, (struct engine_trial){.on = ENGINE_ON_OPENED, .from = CUSTOMER, .text = ""}, &r);
    assert_string_equal(r.rule, "");
    assert_string_equal(reply_to(en, "x"), "d");
    engine_free(en);
}

/* What a condition cannot be is told with its place and what was expected. */
static void test_errors(void **state)
{
    const struct {
        struct engine_rule_conf rule;
        const char *expected;
    } cases[] = {
        {{.words = WORDS("two words")}, "g.words[0]: \"two words\": expected one word"},
        {{.states = WORDS("opened")}, "g.states[0]: \"opened\": expected new, open"},
        {{.departments = WORDS("slaes")}, "g.departments[0]: no department \"slaes\": expected sales, night"},
        {{.tags = WORDS("a,b")}, "g.tags[0]: expected a tag"},
        {{.attributes = WORDS("=x")}, "g.attributes[0]: expected \"name=value\""},
        {{.hours = "opened"}, "g.hours: \"opened\": expected \"open\" or \"closed\""},
        {{.dates = "soon"}, "g.dates: \"soon\": expected days"},
        {{.scripts = WORDS("Klingon")}, "g.scripts: "},
        {{.scripts = WORDS("a}b")}, "g.scripts[0]: expected a name of Unicode"},
        {{.languages = WORDS("de", "german")}, "g.languages[1]: \"german\": expected a language"},
        {{.from = WORDS("@vpi")}, "g.from[0]: no list \"vpi\": expected one of lists: vip"},
        {{.message_class = 5}, "g.class: expected 0 to 3"},
        {{.schedule = "08:00"}, "g.schedule: expected none without on = \"schedule\""},
        {{.on = ENGINE_ON_SCHEDULE}, "g.schedule: missing"},
        {{.on = ENGINE_ON_SCHEDULE, .schedule = "8"}, "g.schedule: no time of the day"},
        {{.on = ENGINE_ON_REPORT, .names = WORDS("lost")}, "g.names[0]: \"lost\": no such event"},
        {{.on = ENGINE_ON_CALL, .incomplete = WANT_NO}, "g.incomplete: a call has no segments or class"},
        {{.on = ENGINE_ON_ALARM, .tags = WORDS("x")}, "g.tags: an alarm has no contact"},
        {{.tags = WORDS("vip", "!two words")}, "g.tags[1]: expected a tag, or \"!tag\": a word of 1 to"},
        {{.on = ENGINE_ON_CLOSED, .pattern = "x"}, "g.pattern: a closed has no text"},
        {{.names = WORDS("x")}, "g.names: a message has no name"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct engine_rule_conf rule = cases[i].rule;
        struct engine_conf conf;
        struct buf problems;

        rule.name = "r";
        rule.place = "g";
        conf = conf_for(&rule);
        problems = problems_of(&conf);
        if (!strstr(buf_str(&problems), cases[i].expected))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].expected, buf_str(&problems));
        buf_free(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
