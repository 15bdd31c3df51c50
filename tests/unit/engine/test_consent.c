/* STOP, START and HELP. */
#include "trial.h"

#include "engine/private.h"

static const struct engine_rule_conf any[] = {{.name = "any", .reply = "auto reply"}};

static struct engine *en;

static int set_up(void **state)
{
    struct engine_conf conf = conf_of(any, 1);

    (void)state;
    en = engine_of(&conf);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    engine_free(en);
    return 0;
}

static struct engine_trial_result result;

static const char *try_text(const char *text, enum consent_state consent)
{
    return try_as(en, (struct engine_trial){.from = CUSTOMER, .text = text, .consent = consent}, &result);
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}

/* Each word of the STOP family opts out as a whole message, in any case, with punctuation around it, and is
 * confirmed once with the business's name. */
static void test_stop(void **state)
{
    static const char *const words[] = {
        "STOP",   "stop", "Stop.", " \"STOP\"! ", "stop\n", "STOPALL", "stop all", "Unsubscribe",
        "CANCEL", "end",  "Quit",  "revoke",      "OPTOUT", "opt out", "Opt-Out",  "STOP 🙏"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const char *reply = try_text(words[i], CONSENT_UNKNOWN);

        assert_string_equal(result.handler, "consent");
        assert_contains(result.reason, "opted out by");
        assert_contains(reply, "Blue Bakery: you are unsubscribed");
        assert_contains(reply, "START");
    }
}

/* STOP from who is opted out already changes nothing and is not confirmed again. */
static void test_stop_again(void **state)
{
    (void)state;
    assert_string_equal(try_text("STOP", CONSENT_OUT), "");
    assert_string_equal(result.handler, "consent");
}

/* Who is opted out gets no automatic reply to anything but START and HELP; rules still sort the message. */
static void test_opted_out(void **state)
{
    (void)state;
    assert_string_equal(try_text("hello", CONSENT_OUT), "");
    assert_string_equal(result.rule, "any");
    assert_contains(result.reason, "no reply: consent: the sender has opted out");
    assert_contains(try_text("START", CONSENT_OUT), "you are subscribed");
    assert_contains(try_text("yes", CONSENT_OUT), "you are subscribed");
    assert_contains(try_text("unstop", CONSENT_OUT), "you are subscribed");
    assert_contains(try_text("HELP", CONSENT_OUT), "Reply STOP");
}

/* "Yes" answers many questions: it means START to those only who are opted out. START itself opts in, once.
 */
static void test_start(void **state)
{
    (void)state;
    assert_string_equal(try_text("yes", CONSENT_UNKNOWN), "auto reply");
    assert_string_equal(try_text("Yes!", CONSENT_IN), "auto reply");
    assert_contains(try_text("Start", CONSENT_UNKNOWN), "you are subscribed");
    assert_string_equal(try_text("Start", CONSENT_IN), "auto reply");
}

/* What is nearly an opt-out is neither taken as one nor answered by a rule: a person reads it. */
static void test_near_miss(void **state)
{
    static const char *const near[] = {"stop please",     "Please stop!",     "Stop. Thank you",
                                       "STOP texting me", "stop, stop, stop", "stop this now"};
    static const char *const far[] = {"When does the bus stop here?", "cancel order 12", "please",
                                      "end of May?", "stop by at ten"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(near); i++) {
        assert_string_equal(try_text(near[i], CONSENT_UNKNOWN), "");
        assert_contains(result.reason, "may be an opt-out");
    }
    for (size_t i = 0; i < ARRAY_LEN(far); i++)
        assert_string_equal(try_text(far[i], CONSENT_UNKNOWN), "auto reply");
}

/* Short codes, names and our own numbers get no confirmation. */
static void test_no_confirmation(void **state)
{
    static const struct engine_trial cases[] = {
        {.from = "12345", .text = "STOP"},
        {.from = "MYBANK", .text = "STOP"},
        {.from = "", .text = "HELP"},
        {.from = CUSTOMER, .text = "STOP", .own_number = true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(try_as(en, cases[i], &result), "");
}

/* Confirmations go a little beyond the guard's limit, and end: two machines that say STOP and HELP to each
 * other fall silent. */
static void test_confirmation_cap(void **state)
{
    struct engine_trial t = {.from = CUSTOMER, .text = "STOP", .automatic_replies = 5};

    (void)state;
    assert_contains(try_as(en, t, &result), "unsubscribed");
    t.automatic_replies = 8;
    assert_string_equal(try_as(en, t, &result), "");
    assert_contains(result.reason, "opted out by");
    t.text = "HELP";
    assert_string_equal(try_as(en, t, &result), "");
}

/* Words and texts can be set, a text can be none; the three words themselves stay. */
static void test_configured(void **state)
{
    struct engine_template_conf help = {.name = "help", .text = "Call {{message.from}}", .place = "t"};
    struct engine_conf conf = conf_of(any, 1);
    struct engine *own;

    (void)state;
    conf.consent.stop_words = WORDS("СТОП", "halt");
    conf.consent.start_words = WORDS("los");
    conf.consent.help_words = (const char *const[]){NULL};
    conf.consent.stop_reply = "";
    conf.consent.start_reply = "Da: {{gateway.name}}";
    conf.consent.help_reply = "@help";
    conf.templates = &help;
    conf.ntemplates = 1;
    own = engine_of(&conf);
    assert_string_equal(reply_to(own, "стоп!"), "");
    assert_string_equal(reply_to(own, "HALT"), "");
    assert_string_equal(reply_to(own, "stop"), "");
    assert_string_equal(reply_to(own, "quit"), "auto reply");
    assert_string_equal(reply_to(own, "Los"), "Da: Blue Bakery");
    assert_string_equal(reply_to(own, "start"), "Da: Blue Bakery");
    assert_string_equal(reply_to(own, "info"), "auto reply");
    assert_string_equal(reply_to(own, "help"), "Call " CUSTOMER);
    engine_free(own);
}

static void nothing(struct walk *walk)
{
    (void)walk;
}

/* A message that lacks parts is not the whole message: its STOP is not taken as one, nor answered. */
static void test_incomplete(void **state)
{
    struct store_situation known = {0};
    struct handler_event ev = {
        .from = CUSTOMER, .text = {"stop", 4}, .modem = "", .incomplete = true, .known = &known};
    struct verdict v;
    struct walk walk = {.chain = en->program->chain, .event = &ev, .verdict = &v, .done = nothing};

    (void)state;
    verdict_init(&v, NULL);
    walk_start(&walk);
    assert_int_equal(v.neffects, 1);
    assert_int_equal(v.effects[0].kind, EFFECT_FLAG);
    assert_int_equal(v.effects[0].n, 1);
    assert_int_equal(v.nreplies, 0);
    assert_contains(v.reason, "may be an opt-out");
    verdict_fini(&v);
}

static bool any_name(void *owner, const char *name)
{
    (void)owner, (void)name;
    return true;
}

/* Answers of one's own may say what other texts may, such as when we open; one that lacks a value is not
 * sent, and a person is told. */
static void test_values_of_replies(void **state)
{
    static const char *const never[] = {"Mon 03:00-03:01", NULL};
    struct engine_conf conf = conf_of(any, 1);
    struct engine_trial_result r;
    struct engine *own;

    (void)state;
    conf.consent.help_reply = "{{gateway.name:upper}}, open {{hours.next}}";
    conf.consent.stop_reply = "Goodbye, {{contact.name}}";
    conf.hours = (struct hours_conf){.zone = "Europe/Berlin", .open = never};
    own = engine_of(&conf);
    assert_string_equal(
        try_as(own, (struct engine_trial){.from = CUSTOMER, .text = "HELP", .at_wall_ms = 1795430400000}, &r),
        "BLUE BAKERY, open on 30 November at 3:00");
    engine_try(own, &(struct engine_trial){.from = CUSTOMER, .text = "STOP"}, &r);
    assert_string_equal(r.handler, "consent");
    assert_int_equal(r.replies, 0);
    assert_contains(buf_str(&r.effects), "consent out");
    assert_contains(buf_str(&r.effects), "flag");
    engine_trial_clear(&r);
    engine_free(own);
}

/* A template of the store that consent or the warning of card numbers says is in use. */
static void test_uses(void **state)
{
    struct engine_conf conf = conf_of(any, 1);
    struct buf uses = {0};
    struct engine *own;

    (void)state;
    conf.stored = any_name;
    conf.consent.stop_reply = "@bye";
    conf.sensitive.reply = "@careful";
    own = engine_of(&conf);
    assert_int_equal(engine_template_uses(own, "bye", &uses), 1);
    assert_int_equal(engine_template_uses(own, "careful", &uses), 1);
    assert_int_equal(engine_template_uses(own, "other", &uses), 0);
    assert_string_equal(buf_str(&uses), "consent.stop_reply\nsensitive.reply\n");
    buf_free(&uses);
    engine_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_stop_again),
        cmocka_unit_test(test_opted_out),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_near_miss),
        cmocka_unit_test(test_no_confirmation),
        cmocka_unit_test(test_confirmation_cap),
        cmocka_unit_test(test_configured),
        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_values_of_replies),
        cmocka_unit_test(test_uses),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
