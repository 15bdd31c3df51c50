/* What handlers answer: read, checked, and into a verdict as a whole or not at all; events as JSON. */
#include "foreign.h"

#include <jansson.h>

static const struct action_place shop = {.handler = "mine",
                                         .source = "handler:mine",
                                         .number = CUSTOMER,
                                         .country = "49",
                                         .conversation = 7,
                                         .now_wall_ms = RT_SIM_START_WALL_MS};

/* The error of an answer; "" none. */
static const char *error_of(const char *json, const struct action_place *at)
{
    static struct err e;
    struct actions as = {0};
    struct verdict v;

    e = (struct err){0};
    verdict_init(&v, NULL);
    if (actions_parse(&as, json, strlen(json), &e) == 0 && actions_apply(&as, at, &v, &e) == 0)
        e.text[0] = '\0';
    else
        assert_true(v.nreplies == 0 && v.neffects == 0 && v.alarm.len == 0 && v.thread == THREAD_OPEN);
    actions_clear(&as);
    verdict_fini(&v);
    return e.text;
}

/* Every action does what the manual page says. */
static void test_each_action(void **state)
{
    static const char json[] =
        "{\"actions\": ["
        "{\"action\": \"reply\", \"text\": \"hello\", \"modem\": \"counter\"},"
        "{\"action\": \"send\", \"to\": \"0170 1111111\", \"text\": \"look\", \"marketing\": true},"
        "{\"action\": \"tag\", \"tag\": \"vip\"}, {\"action\": \"untag\", \"tag\": \"new\"},"
        "{\"action\": \"set\", \"name\": \"plan\", \"value\": 12},"
        "{\"action\": \"set\", \"name\": \"old\", \"value\": null},"
        "{\"action\": \"contact\", \"field\": \"name\", \"value\": \"Ann\"},"
        "{\"action\": \"department\", \"department\": \"sales\"},"
        "{\"action\": \"assign\", \"person\": \"Bob\"}, {\"action\": \"priority\", \"priority\": \"urgent\"},"
        "{\"action\": \"close\"}, {\"action\": \"open\"}, {\"action\": \"spam\"},"
        "{\"action\": \"snooze\", \"until\": \"2h\"}, {\"action\": \"flag\", \"why\": \"odd\"},"
        "{\"action\": \"note\", \"text\": \"called\"},"
        "{\"action\": \"consent\", \"consent\": \"out\", \"words\": \"no more\"},"
        "{\"action\": \"keep\", \"key\": \"n\", \"value\": \"1\"},"
        "{\"action\": \"alarm\", \"text\": \"fire\"}, {\"action\": \"log\", \"text\": \"seen\"}],"
        "\"verdict\": \"stop\"}";
    static const struct {
        enum effect_kind kind;
        const char *name, *key, *value;
        int64_t n;
    } wanted[] = {
        {EFFECT_TAG, "vip", NULL, NULL, 0},
        {EFFECT_UNTAG, "new", NULL, NULL, 0},
        {EFFECT_ATTRIBUTE, "plan", NULL, "12", 0},
        {EFFECT_ATTRIBUTE, "old", NULL, NULL, 0},
        {EFFECT_CONTACT, "name", NULL, "Ann", 0},
        {EFFECT_DEPARTMENT, NULL, NULL, "sales", 0},
        {EFFECT_ASSIGN, NULL, NULL, "Bob", 0},
        {EFFECT_PRIORITY, NULL, NULL, NULL, PRIORITY_URGENT},
        {EFFECT_STATE, NULL, NULL, NULL, CONV_CLOSED},
        {EFFECT_STATE, NULL, NULL, NULL, CONV_OPEN},
        {EFFECT_STATE, NULL, NULL, NULL, CONV_SPAM},
        {EFFECT_STATE, NULL, NULL, NULL, CONV_SNOOZED},
        {EFFECT_FLAG, NULL, NULL, "odd", 1},
        {EFFECT_NOTE, NULL, NULL, "called", 0},
        {EFFECT_CONSENT, "", NULL, "no more", CONSENT_OUT},
        {EFFECT_VALUE, "mine", "n", "1", 0},
    };
    struct actions as = {0};
    struct verdict v;
    struct err e = {0};

    (void)state;
    verdict_init(&v, NULL);
    if (actions_parse(&as, json, strlen(json), &e) != 0 || actions_apply(&as, &shop, &v, &e) != 0)
        fail_msg("%s", e.text);
    assert_true(as.stop);
    assert_int_equal(v.nreplies, 2);
    assert_string_equal(buf_str(&v.replies[0].text), "hello");
    assert_string_equal(v.replies[0].modem, "counter");
    assert_string_equal(v.replies[1].to, "+491701111111");
    assert_true(v.replies[1].marketing);
    assert_int_equal(v.neffects, ARRAY_LEN(wanted));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        const struct store_effect *got = &v.effects[i];

        assert_int_equal(got->kind, wanted[i].kind);
        assert_int_equal(got->n, wanted[i].n);
        assert_string_equal(got->name ? got->name : "-", wanted[i].name ? wanted[i].name : "-");
        assert_string_equal(got->key ? got->key : "-", wanted[i].key ? wanted[i].key : "-");
        assert_string_equal(got->value ? got->value : "-", wanted[i].value ? wanted[i].value : "-");
    }
    assert_int_equal(v.effects[11].at_wall_ms, RT_SIM_START_WALL_MS + 7200000);
    assert_string_equal(buf_str(&v.alarm), "fire");
    actions_clear(&as);
    verdict_fini(&v);
}

/* All forms of an answer; what is no action at all is fine too. */
static void test_forms(void **state)
{
    static const struct {
        const char *json;
        int count;
        bool stop;
    } forms[] = {
        {"", 0, false},
        {" \r\n\t", 0, false},
        {"{}", 0, false},
        {"[]", 0, false},
        {"{\"verdict\": \"next\"}", 0, false},
        {"{\"verdict\": \"stop\"}", 0, true},
        {"[{\"action\": \"close\"}]", 1, false},
        {"{\"action\": \"close\"}", 1, false},
        {"{\"id\": \"message:1\", \"action\": \"close\"}", 1, false},
        {"{\"id\": \"message:1\", \"actions\": []}", 0, false},
        {"{\"action\": \"drop\"}", 1, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct actions as = {0};
        struct err e = {0};

        if (actions_parse(&as, forms[i].json, strlen(forms[i].json), &e) != 0)
            fail_msg("%s: %s", forms[i].json, e.text);
        assert_int_equal(as.count, forms[i].count);
        assert_int_equal(as.stop, forms[i].stop);
        actions_clear(&as);
    }
}

/* What is wrong is told with its place, and nothing of the answer is done. */
static void test_errors_name_the_place(void **state)
{
    static const char *const wrong[][2] = {
        {"x", "no JSON: line 1 column 1"},
        {"7", "no JSON"},
        {"\"text\"", "no JSON"},
        {"{\"reply\": \"x\"}", "reply: expected \"actions\" and \"verdict\""},
        {"{\"verdict\": \"maybe\"}", "verdict: expected \"next\" or \"stop\""},
        {"{\"actions\": {}}", "actions: expected a list"},
        {"[7]", "actions[0]: expected an object with \"action\""},
        {"[{\"action\": \"close\"}, {\"action\": \"relpy\"}]", "actions[1]: action: there is no \"relpy\""},
        {"[{\"action\": \"reply\"}]", "actions[0]: reply: text is missing"},
        {"[{\"action\": \"reply\", \"txt\": \"x\"}]", "txt: reply knows \"action\", \"text\""},
        {"[{\"action\": \"reply\", \"text\": {}}]", "text: expected a text"},
        {"[{\"action\": \"reply\", \"text\": \"a\\u0000b\"}]", "text: expected no NUL"},
        {"[{\"action\": \"reply\", \"text\": \"\"}]", "text: expected a text that is not empty"},
        {"[{\"action\": \"tag\", \"tag\": \"a,b\"}]", "tag: expected a word of 1 to 63 bytes"},
        {"[{\"action\": \"tag\", \"tag\": \"a\\nb\"}]", "tag: expected a word of 1 to 63 bytes"},
        {"[{\"action\": \"tag\", \"tag\": \"two words\"}]", "without blanks"},
        {"[{\"action\": \"untag\", \"tag\": \"!vip\"}]", "without blanks"},
        {"[{\"action\": \"priority\", \"priority\": \"top\"}]", "expected \"low\""},
        {"[{\"action\": \"snooze\", \"until\": \"soon\"}]", "expected a time"},
        {"[{\"action\": \"tag\", \"tag\": \"x\"}, {\"action\": \"send\", \"to\": \"hello\", \"text\": "
         "\"x\"}]",
         "actions[1]: send: to:"},
        {"[{\"action\": \"tag\", \"tag\": \"x\"}, {\"action\": \"drop\"}, {\"action\": \"close\"}]",
         "actions[2]: close: this event is dropped"},
        {"{\"actions\": [], \"actions\": []}", "duplicate"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (!strstr(error_of(wrong[i][0], &shop), wrong[i][1]))
            fail_msg("%s: %s", wrong[i][0], error_of(wrong[i][0], &shop));
}

/* Nobody can be tagged where there is no contact, and nothing closed where there is no conversation. */
static void test_needs(void **state)
{
    struct action_place nowhere = shop;

    (void)state;
    nowhere.number = "";
    nowhere.conversation = 0;
    assert_non_null(strstr(error_of("[{\"action\": \"tag\", \"tag\": \"x\"}]", &nowhere), "has no contact"));
    assert_non_null(
        strstr(error_of("[{\"action\": \"reply\", \"text\": \"x\"}]", &nowhere), "has no contact"));
    assert_non_null(strstr(error_of("[{\"action\": \"close\"}]", &nowhere), "has no conversation"));
    assert_string_equal(
        error_of("[{\"action\": \"send\", \"to\": \"+491701111111\", \"text\": \"x\"}]", &nowhere), "");
}

/* More than an event may make is refused as a whole. */
static void test_too_many(void **state)
{
    struct buf json = {0};
    char most[40];

    (void)state;
    snprintf(most, sizeof most, "at most %d messages", VERDICT_REPLIES);
    for (int i = 0; i < VERDICT_REPLIES + 1; i++)
        buf_addf(&json, "%s{\"action\": \"send\", \"to\": \"+491701111111\", \"text\": \"x\"}",
                 i ? "," : "[");
    buf_addc(&json, ']');
    assert_non_null(strstr(error_of(buf_str(&json), &shop), most));
    buf_clear(&json);
    for (int i = 0; i < ACTIONS_MOST + 1; i++)
        buf_addf(&json, "%s{\"action\": \"close\"}", i ? "," : "[");
    buf_addc(&json, ']');
    assert_non_null(strstr(error_of(buf_str(&json), &shop), "at most 32 actions"));
    buf_free(&json);
}

/* An event as JSON: one line, valid, with texts as they were written. */
static void test_event(void **state)
{
    static const char nasty[] = "\"}],\\ \n\t`$(x)` {{a}} \0 z \x7f ü 🙂";
    struct store_situation known = {
        .consent = CONSENT_IN,
        .contact = {.id = 1, .name = "Ann \"A\"", .tags = ",new,vip,", .attributes = "{\"plan\": \"gold\"}"},
        .conv = {.id = 7, .state = CONV_OPEN, .priority = PRIORITY_HIGH}};
    struct handler_event ev = {.id = 12,
                               .key = "message:12",
                               .on = ENGINE_ON_MESSAGE,
                               .now_wall_ms = RT_SIM_START_WALL_MS,
                               .from = CUSTOMER,
                               .text = {nasty, sizeof nasty - 1},
                               .modem = "counter",
                               .name = "",
                               .language = "de",
                               .message_class = -1,
                               .known = &known,
                               .conversation = 7};
    struct buf out = {0};
    json_t *o, *m;

    (void)state;
    event_to_json(&ev, &out);
    assert_null(strchr(buf_str(&out), '\n'));
    o = json_loads(buf_str(&out), JSON_ALLOW_NUL, NULL);
    assert_non_null(o);
    assert_int_equal(json_integer_value(json_object_get(o, "simgate")), 1);
    assert_string_equal(json_string_value(json_object_get(o, "id")), "message:12");
    m = json_object_get(json_object_get(o, "message"), "text");
    assert_int_equal(json_string_length(m), sizeof nasty - 1);
    assert_memory_equal(json_string_value(m), nasty, sizeof nasty - 1);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(json_object_get(o, "contact"), "tags"), 1)), "vip");
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "conversation"), "priority")),
                        "high");
    json_decref(o);
    buf_clear(&out);
    /* what is masked is told masked */
    ev.shown = (struct span){"card ****1111", 13};
    ev.sensitive = true;
    event_to_json(&ev, &out);
    assert_non_null(strstr(buf_str(&out), "\"text\":\"card ****1111\""));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_action),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_event),
    };

    return cmocka_run_group_tests_name("actions", tests, NULL, NULL);
}
