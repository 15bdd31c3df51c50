/* Consent in other languages and scopes, near misses, the guard's limits, sensitive data. */
#include "trial.h"

#include <stdio.h>

#include "engine/private.h"
#include "pdu/segment.h"

static struct engine_trial_result result;

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}

static const struct engine_rule_conf any[] = {{.name = "any", .reply = "auto reply", .tag = WORDS("seen")}};

/* The result of a text from somebody of whom this is known; cleared by the next. */
static const char *try_known(struct engine *en, const char *text, const struct store_situation *known)
{
    const struct engine_trial t = {
        .from = CUSTOMER, .text = text, .known = known, .modem = "M1", .at_wall_ms = 1000000};

    engine_trial_clear(&result);
    engine_try(en, &t, &result);
    return buf_str(&result.reply);
}

static struct engine *plain(void)
{
    struct engine_conf conf = conf_of(any, 1);

    return engine_of(&conf);
}

/* ---- consent --------------------------------------------------------------------------------------------
 */

/* Every word of every language does what it is for, in capitals too, and is answered in its language. */
static void every_language(void **state)
{
    struct engine *en = plain();
    const struct store_situation unknown = {0}, out = {.consent = CONSENT_OUT};

    (void)state;
    for (int l = 0; l < CONSENT_LANGUAGES; l++) {
        const struct consent_language *cl = &consent_languages[l];

        for (int i = 0; cl->stop[i]; i++) {
            try_known(en, cl->stop[i], &unknown);
            assert_contains(result.reason, "opted out by");
            assert_contains(buf_str(&result.reply), "START");
        }
        for (int i = 0; cl->start[i]; i++) {
            try_known(en, cl->start[i], &unknown);
            assert_contains(result.reason, "opted in by");
        }
        for (int i = 0; cl->again[i]; i++) {
            assert_string_equal(try_known(en, cl->again[i], &unknown), "auto reply");
            try_known(en, cl->again[i], &out);
            assert_contains(result.reason, "opted in by");
        }
        for (int i = 0; cl->help[i]; i++) {
            try_known(en, cl->help[i], &out);
            assert_contains(result.reason, "help asked for by");
            assert_contains(buf_str(&result.reply), "STOP");
        }
    }
    assert_contains(try_known(en, "ABMELDEN", &unknown), "Sie sind abgemeldet");
    assert_contains(try_known(en, "Arrêt!", &unknown), "désinscription");
    assert_contains(try_known(en, "BAJA", &unknown), "baja confirmada");
    assert_contains(try_known(en, "İPTAL", &unknown), "kaydiniz silindi");
    assert_contains(try_known(en, "WYŁĄCZ", &unknown), "rezygnacja");
    engine_free(en);
}

/* A word of no one language is answered in the contact's, else in the first configured one; words of
 * languages that are not configured mean nothing. */
static void language_of_answer(void **state)
{
    struct engine_conf conf = conf_of(any, 1);
    struct engine *en = plain(), *own;
    struct store_situation dutch = {.contact = {.language = "nl-BE"}}, unknown = {0};

    (void)state;
    assert_contains(try_known(en, "STOP", &dutch), "u bent afgemeld");
    assert_contains(try_known(en, "STOP", &unknown), "you are unsubscribed");
    engine_free(en);
    conf.consent.languages = WORDS("de", "en");
    own = engine_of(&conf);
    assert_contains(try_known(own, "STOP", &unknown), "Sie sind abgemeldet");
    assert_contains(try_known(own, "unsubscribe", &unknown), "you are unsubscribed");
    assert_string_equal(try_known(own, "sair", &unknown), "auto reply");
    engine_free(own);
    conf.consent.languages = WORDS("de", "xx");
    struct buf problems = problems_of(&conf);
    assert_contains(buf_str(&problems), "consent.languages[1]: there are no lists for \"xx\"");
    buf_free(&problems);
}

/* Each built-in answer is one segment of the default alphabet, with a business's name of 20 letters. */
static void one_segment(void **state)
{
    const struct segment_conf conf = {.cls = -1, .max_segments = 10};

    (void)state;
    for (int l = 0; l < CONSENT_LANGUAGES; l++) {
        const char *const texts[] = {consent_languages[l].stop_reply, consent_languages[l].start_reply,
                                     consent_languages[l].help_reply};

        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            const char *rest = strstr(texts[i], "}}") + 2;
            char text[400];
            struct segment_plan plan;

            snprintf(text, sizeof text, "Baeckerei Blaue Blume%s", rest);
            assert_int_equal(segment_measure(text, strlen(text), &conf, &plan, NULL), 0);
            if (plan.alphabet != PDU_GSM7 || plan.count != 1)
                fail_msg("%s: %u segments: %s", consent_languages[l].code, plan.count, text);
        }
    }
}

/* The scope is the business or the SIM; "stop all" is always meant for the business. */
static void scope(void **state)
{
    static const struct {
        bool per_sim;
        const char *text, *scope;
    } cases[] = {{false, "stop", ""}, {true, "stop", "M1"}, {true, "STOP ALL", ""}, {true, "start", "M1"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct engine_conf conf = conf_of(any, 1);
        struct engine *en;
        struct store_situation known = {0};
        struct handler_event ev = {.from = CUSTOMER,
                                   .text = {cases[i].text, strlen(cases[i].text)},
                                   .modem = "M1",
                                   .language = "",
                                   .known = &known};
        struct verdict v;

        conf.consent.per_sim = cases[i].per_sim;
        en = engine_of(&conf);
        verdict_init(&v, NULL);
        en->program->consent.handler.decide(&en->program->consent.handler, &ev, &v, NULL);
        assert_int_equal(v.neffects, 1);
        assert_int_equal(v.effects[0].kind, EFFECT_CONSENT);
        assert_string_equal(v.effects[0].name, cases[i].scope);
        assert_string_equal(v.effects[0].value, cases[i].text);
        assert_int_equal(v.thread, THREAD_JOIN);
        assert_int_equal(v.nreplies, 1);
        assert_true(v.replies[0].consent);
        verdict_fini(&v);
        engine_free(en);
    }
}

/* Phrases, other scripts, slips and numbers behind STOP are flagged for a person and not answered; what only
 * looks like it is an ordinary message. */
static void near_misses(void **state)
{
    static const char *const near[] = {"no more texts",
                                       "Please, no more texts!!",
                                       "I want you to take me off your list",
                                       "don’t text me again",
                                       "Stop texting",
                                       "STOP 12345",
                                       "stop 1",
                                       "СТОП",
                                       "стоп пожалуйста",
                                       "退订",
                                       "إلغاء",
                                       "הסר",
                                       "ストップ",
                                       "중지",
                                       "στοπ",
                                       "stpo",
                                       "STOPP bitte",
                                       "Bitte keine SMS mehr",
                                       "ne m'envoyez plus rien svp",
                                       "no quiero recibir mensajes",
                                       "unsubscribe please",
                                       "Kündigen",
                                       "artık mesaj atmayın lütfen",
                                       "proszę nie pisać do mnie",
                                       "wrong number",
                                       "abmelden bitte",
                                       "cancel this please"};
    static const char *const far[] = {"cancel 12345",
                                      "cancel order 12",
                                      "Is there a stop at the station?",
                                      "the bus stop 12",
                                      "How do I opt for the larger one?",
                                      "I have no more questions, texts or otherwise",
                                      "We could not find the place and had to turn around at the last stop "
                                      "before the bridge, no more texts "
                                      "came after that and so we went home",
                                      "end of May",
                                      "please",
                                      "all",
                                      "12345",
                                      "ok thanks",
                                      "Wann haben Sie offen?",
                                      "no",
                                      "keine Ahnung"};
    struct engine_conf conf = conf_of(any, 1);
    struct engine *en;
    const struct store_situation unknown = {0};

    (void)state;
    conf.desk.greeting = "Hello, we answer soon"; /* neither does the desk answer */
    en = engine_of(&conf);
    for (size_t i = 0; i < ARRAY_LEN(near); i++) {
        const char *reply = try_known(en, near[i], &unknown);

        if (*reply || !strstr(result.reason, "for a person to read") ||
            !strstr(buf_str(&result.effects), "flag"))
            fail_msg("\"%s\": %s, \"%s\", %s", near[i], result.reason, reply, buf_str(&result.effects));
    }
    for (size_t i = 0; i < ARRAY_LEN(far); i++)
        if (strcmp(try_known(en, far[i], &unknown), "auto reply") != 0)
            fail_msg("\"%s\": %s", far[i], result.reason);
    engine_free(en);
}

/* ---- guard ----------------------------------------------------------------------------------------------
 */

/* Whom no machine answers is still sorted by the rules, and the history says why there was no reply. */
static void sorted_all_the_same(void **state)
{
    static const struct {
        struct engine_trial t;
        const char *reason;
    } cases[] = {
        {{.from = "12345", .text = "hi"}, "rule any; no reply: guard: the sender is a short code"},
        {{.from = "MyBank", .text = "hi"}, "rule any; no reply: guard: the sender is a name"},
        {{.from = "", .text = "hi"}, "rule any; no reply: guard: the sender is unknown"},
        {{.from = CUSTOMER, .text = "hi", .automatic_replies = 5}, "no reply: guard: 5 automatic replies"},
        {{.from = CUSTOMER, .text = "hi", .consent = CONSENT_OUT},
         "no reply: consent: the sender has opted out"},
    };
    struct engine *en = plain();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        engine_trial_clear(&result);
        engine_try(en, &cases[i].t, &result);
        assert_int_equal(result.replies, 0);
        assert_string_equal(result.rule, "any");
        assert_contains(result.reason, cases[i].reason);
        assert_contains(buf_str(&result.effects), "seen");
    }
    engine_free(en);
}

/* All numbers together have a limit too. */
static void all_numbers(void **state)
{
    struct engine_conf conf = conf_of(any, 1);
    struct store_situation known = {.automatic_all = 99};
    struct engine *en;

    (void)state;
    conf.guard.replies_all = 100;
    en = engine_of(&conf);
    assert_string_equal(try_known(en, "hi", &known), "auto reply");
    known.automatic_all = 100;
    assert_string_equal(try_known(en, "hi", &known), "");
    assert_contains(result.reason, "100 automatic replies to all numbers");
    engine_free(en);
}

/* Slow machines end with the day's limit. */
static void a_day(void **state)
{
    struct engine_conf conf = conf_of(any, 1);
    struct store_situation known = {.automatic_day = 29};
    struct engine *en;

    (void)state;
    conf.guard.replies_day = 30;
    en = engine_of(&conf);
    assert_string_equal(try_known(en, "hi", &known), "auto reply");
    known.automatic_day = 30;
    assert_string_equal(try_known(en, "hi", &known), "");
    assert_contains(result.reason, "30 automatic replies to this number within a day");
    engine_free(en);
}

/* The same text goes to a number twice within its time and not a third time; other texts do. */
static void same_text(void **state)
{
    struct engine_conf conf = conf_of(any, 1);
    struct store_situation known = {.ntexts = 3};
    struct engine *en;

    (void)state;
    conf.guard.same_text = 2;
    conf.guard.same_text_ms = 3600000;
    en = engine_of(&conf);
    known.texts[0] = known.texts[2] = store_text_hash("another");
    known.texts[1] = store_text_hash("auto reply");
    assert_string_equal(try_known(en, "hi", &known), "auto reply");
    known.texts[2] = store_text_hash("auto reply");
    assert_string_equal(try_known(en, "hi", &known), "");
    assert_contains(result.reason, "no reply: guard: the same text 2 times");
    assert_contains(buf_str(&result.why), "reply by rule:any left out");
    known.consent = CONSENT_UNKNOWN; /* a confirmation of STOP passes it */
    assert_contains(try_known(en, "stop", &known), "unsubscribed");
    engine_free(en);
}

/* Rules that send the same text twice in one go are cut back likewise. */
static void same_text_in_one_verdict(void **state)
{
    const struct engine_rule_conf rules[] = {{.name = "a", .reply = "same", .also = true},
                                             {.name = "b", .reply = "same", .also = true},
                                             {.name = "c", .reply = "other"}};
    struct engine_conf conf = conf_of(rules, 3);
    struct store_situation known = {0};
    struct engine *en;

    (void)state;
    conf.guard.same_text = 1;
    conf.guard.same_text_ms = 3600000;
    en = engine_of(&conf);
    try_known(en, "hi", &known);
    assert_int_equal(result.replies, 2);
    assert_string_equal(buf_str(&result.messages[0].text), "same");
    assert_string_equal(buf_str(&result.messages[1].text), "other");
    engine_free(en);
}

/* Who answers right behind automatic replies again and again is a machine: muted, an administrator is told;
 * while muted it gets nothing, afterwards again. */
static void machine(void **state)
{
    struct engine_conf conf = conf_of(any, 1);
    struct store_situation known = {.rounds = 3, .automatic_day = 4};
    struct engine *en;

    (void)state;
    conf.guard.rounds = 4;
    conf.guard.mute_ms = 3600000;
    en = engine_of(&conf);
    assert_string_equal(try_known(en, "hi", &known), "auto reply");
    known.rounds = 4;
    assert_string_equal(try_known(en, "hi", &known), "");
    assert_contains(result.reason, "4 messages in a row right behind automatic replies: a machine");
    assert_contains(buf_str(&result.effects), "mute");
    known.muted_until_wall_ms = 1000001;
    assert_string_equal(try_known(en, "hi", &known), "");
    assert_contains(result.reason, "muted");
    assert_null(strstr(buf_str(&result.effects), "mute"));
    known.muted_until_wall_ms = 1000000;
    known.rounds = 0;
    assert_string_equal(try_known(en, "hi", &known), "auto reply");
    engine_free(en);
}

/* Replies to events are automatic too: the same limits. */
static void events(void **state)
{
    const struct engine_rule_conf rules[] = {{.name = "bye", .on = ENGINE_ON_CLOSED, .reply = "bye"}};
    struct engine_conf conf = conf_of(rules, 1);
    struct store_situation known = {.automatic_replies = 4};
    struct engine *en = engine_of(&conf);
    struct engine_trial t = {.on = ENGINE_ON_CLOSED, .from = CUSTOMER, .text = "", .known = &known};

    (void)state;
    engine_trial_clear(&result);
    engine_try(en, &t, &result);
    assert_string_equal(buf_str(&result.reply), "bye");
    known.automatic_replies = 5;
    engine_trial_clear(&result);
    engine_try(en, &t, &result);
    assert_int_equal(result.replies, 0);
    known = (struct store_situation){.consent = CONSENT_OUT};
    engine_trial_clear(&result);
    engine_try(en, &t, &result);
    assert_int_equal(result.replies, 0);
    engine_free(en);
}

/* ---- what handlers ask for ------------------------------------------------------------------------------
 */

static struct verdict verdict;
static struct store_situation known_of;

static struct verdict_reply *say(struct verdict_reply *r, const char *text)
{
    assert_non_null(r);
    buf_adds(&r->text, text);
    return r;
}

/* A verdict that only the filter sees. */
static void filter(struct engine *en, const char *text, bool silent)
{
    struct buf shown = {0};
    struct handler_event ev = {.from = CUSTOMER,
                               .text = {text, strlen(text)},
                               .modem = "M1",
                               .name = "",
                               .language = "",
                               .known = &known_of};

    sensitive_show(&en->program->sensitive, &ev, &shown);
    if (silent)
        verdict_silence(&verdict, "guard: muted");
    guard_filter(en->program, &ev, &verdict);
    buf_free(&shown);
}

/* A message that a handler sends to the sender's own number is a reply: no way around the guard. What people
 * write, and what goes to others, is not touched. */
static void no_way_around(void **state)
{
    struct engine *en = plain();

    (void)state;
    verdict_init(&verdict, NULL);
    say(verdict_send(&verdict, "handler:x", CUSTOMER), "around");
    say(verdict_send(&verdict, "handler:x", "+491700000001"), "to another");
    say(verdict_send(&verdict, "relay", CUSTOMER), "by a person")->person = true;
    filter(en, "hi", true);
    assert_int_equal(verdict.nreplies, 2);
    assert_string_equal(buf_str(&verdict.replies[0].text), "to another");
    assert_string_equal(buf_str(&verdict.replies[1].text), "by a person");
    verdict_fini(&verdict);
    engine_free(en);
}

/* Cards and configured patterns: others than the sender see them masked, alarms too; who sent them is told
 * not to, once; people's own words stay. */
static void sensitive(void **state)
{
    struct engine_conf conf = conf_of(any, 1);
    struct engine *en;

    (void)state;
    conf.sensitive.cards = true;
    conf.sensitive.patterns = WORDS("pin[: ]*(\\d+)");
    conf.sensitive.reply = "Please send no card numbers, {{gateway.name}}.";
    en = engine_of(&conf);
    verdict_init(&verdict, NULL);
    say(verdict_reply(&verdict, "rule:echo", false), "you wrote 4111111111111111");
    say(verdict_send(&verdict, "rule:echo", "+491700000001"), "card 4111111111111111 pin 1234");
    say(verdict_send(&verdict, "relay", CUSTOMER), "ends in 4111111111111111?")->person = true;
    buf_adds(&verdict.alarm, "got 4111111111111111");
    filter(en, "my card: 4111111111111111", false);
    assert_int_equal(verdict.nreplies, 4);
    assert_string_equal(buf_str(&verdict.replies[0].text), "you wrote 4111111111111111");
    assert_string_equal(buf_str(&verdict.replies[1].text), "card ************1111 pin ****");
    assert_string_equal(buf_str(&verdict.replies[2].text), "ends in 4111111111111111?");
    assert_string_equal(buf_str(&verdict.replies[3].text), "Please send no card numbers, Blue Bakery.");
    assert_string_equal(verdict.replies[3].source, "sensitive");
    assert_string_equal(buf_str(&verdict.alarm), "got ************1111");
    verdict_fini(&verdict);
    verdict_init(&verdict, NULL);
    filter(en, "nothing special", false);
    assert_int_equal(verdict.nreplies, 0);
    verdict_fini(&verdict);
    conf.sensitive.patterns = WORDS("ok", "bro(ken");
    struct buf problems = problems_of(&conf);
    assert_contains(buf_str(&problems), "sensitive.patterns[1]: ");
    buf_free(&problems);
    engine_free(en);
}

static int clear(void **state)
{
    (void)state;
    engine_trial_clear(&result);
    result = (struct engine_trial_result){0};
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_language), cmocka_unit_test(language_of_answer),
        cmocka_unit_test(one_segment),    cmocka_unit_test(scope),
        cmocka_unit_test(near_misses),    cmocka_unit_test(sorted_all_the_same),
        cmocka_unit_test(all_numbers),    cmocka_unit_test(a_day),
        cmocka_unit_test(same_text),      cmocka_unit_test(same_text_in_one_verdict),
        cmocka_unit_test(machine),        cmocka_unit_test(events),
        cmocka_unit_test(no_way_around),  cmocka_unit_test(sensitive),
    };

    return cmocka_run_group_tests(tests, NULL, clear);
}
