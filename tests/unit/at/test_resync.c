/* Timeouts, and getting back in step: a late answer is never credited to the next command. */
#include "tests/unit/at/talk.h"

static const char pdu[] = "0001000B919471214365F700000541E19058341E01";

/* A late OK arrives while the channel resynchronises: it is dropped, and the waiting command gets its own. */
static void test_late_ok(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CSQ", "+CSQ:");
    ask(&t, &b, "AT+CREG?", "+CREG:");
    hear(&t, "AT+CSQ\r");
    pass(&t, 4999);
    saw(&t, "");
    pass(&t, 1);
    saw(&t, "TIMEOUT|");
    hear(&t, "");
    pass(&t, 500);
    hear(&t, "AT+CMEE?\r");
    says(&t, "+CSQ: 20,99\r\n\r\nOK\r\n");
    hear(&t, "");
    says(&t, "AT+CMEE?\r\r\n+CMEE: 1\r\n\r\nOK\r\n");
    hear(&t, "AT+CREG?\r");
    says(&t, "+CREG: 0,1\r\nOK\r\n");
    saw(&t, "line +CREG: 0,1|OK|");
    sleeps(&t);
    talk_end(&t);
}

/* The late answer to a registration query is not told as a code: its first field is not the state. */
static void test_late_registration(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CREG?", "+CREG:");
    pass(&t, 5600);
    saw(&t, "TIMEOUT|");
    says(&t, "+CREG: 2,5,\"CE00\",\"1CEAD8F\"\r\nOK\r\n+CREG: 1\r\n+CMTI: \"SM\",3\r\n");
    saw(&t, "urc +CREG: 1|urc +CMTI: \"SM\",3|");
    talk_end(&t);
}

/* The probe is never the command that has just timed out, whose late answer would look the same. */
static void test_probe_is_another(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CMEE?", "+CMEE:");
    hear(&t, "AT+CMEE?\r");
    pass(&t, 5500);
    hear(&t, "AT+CMEE=?\r");
    ask(&t, &b, "AT+X", NULL);
    says(&t, "+CMEE: 1\r\nOK\r\n");
    hear(&t, "");
    says(&t, "+CMEE: (0-2)\r\nOK\r\n");
    hear(&t, "AT+X\r");
    talk_end(&t);
}

/* Each try asks something else, so that the first probe's late answer does not pass for the second's. */
static void test_second_try(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT", NULL);
    ask(&t, &b, "AT+X", NULL);
    hear(&t, "AT\r");
    pass(&t, 5500);
    hear(&t, "AT+CMEE?\r");
    pass(&t, 3000);
    hear(&t, "\x1b"); /* it may be in a prompt that we do not know of */
    pass(&t, 500);
    hear(&t, "AT+CMEE=?\r");
    says(&t, "OK\r\n+CMEE: 1\r\nOK\r\n");
    hear(&t, "");
    says(&t, "+CMEE: (0,1,2)\r\nOK\r\n");
    hear(&t, "AT+X\r");
    talk_end(&t);
}

/* When nothing answers three probes the channel is dead: what waited is closed, and nothing more is taken. */
static void test_dead(void **state)
{
    struct talk t;
    struct ask a, b, c;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT", NULL);
    ask(&t, &b, "AT+B", NULL);
    pass(&t, 5000 + 3 * 3500);
    saw(&t, "TIMEOUT|CLOSED|dead|");
    sleeps(&t);
    prepare(&t, &c, "AT", NULL);
    assert_true(at_send(&t.ch, &c.cmd, false, t.now_ms) < 0);
    says(&t, "OK\r\nRING\r\n");
    saw(&t, "");
    at_close(&t.ch, t.now_ms); /* the port is opened again */
    assert_int_equal(at_send(&t.ch, &c.cmd, false, t.now_ms), 0);
    says(&t, "OK\r\n");
    saw(&t, "OK|");
    talk_end(&t);
}

/* A wedged Huawei says ^BOOT for ever and answers nothing: codes do not keep it alive. */
static void test_wedged(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT", NULL);
    for (int i = 0; i < 12; i++) {
        pass(&t, 1900);
        says(&t, "^BOOT:91409020,0,0,0,6\r\n");
    }
    assert_non_null(strstr(buf_str(&t.log), "dead|"));
    talk_end(&t);
}

/* A modem that refuses every probe, but answers, is in step once it has been silent. */
static void test_probes_refused(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+X", NULL);
    for (int i = 0; i < 3; i++) {
        pass(&t, i == 0 ? 5500 : 3500);
        says(&t, "ERROR\r\n");
    }
    pass(&t, 3000);
    saw(&t, "TIMEOUT|");
    assert_true(at_idle(&t.ch));
    talk_end(&t);
}

/* No prompt in 10 s: ESC, and the answer to the ESC, if any, is dropped. Nothing was submitted. */
static void test_prompt_missing(void **state)
{
    static const char *const answers[] = {"", "OK\r\n", "+CMS ERROR: 350\r\n", "> \r\nOK\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct talk t;
        struct ask a, b;
        talk_begin(&t);
        submit(&t, &a, pdu);
        ask(&t, &b, "AT+CSQ", "+CSQ:");
        hear(&t, "AT+CMGS=14\r");
        pass(&t, 10000);
        saw(&t, "TIMEOUT|");
        hear(&t, "\x1b");
        says(&t, answers[i]);
        pass(&t, 1000);
        hear(&t, "AT+CMEE?\r");
        says(&t, "+CMEE: 1\r\nOK\r\n");
        hear(&t, "AT+CSQ\r");
        saw(&t, "");
        talk_end(&t);
    }
}

/* 120 s without a result: the outcome is unknown, and the reference that comes late is told as such. */
static void test_result_missing(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    says(&t, "> ");
    buf_clear(at_out(&t.ch));
    pass(&t, 119999);
    saw(&t, "");
    pass(&t, 1);
    saw(&t, "TIMEOUT sent|");
    hear(&t, "\x1b");
    says(&t, "+CMGS: 17\r\n\r\nOK\r\n");
    saw(&t, "late +CMGS: 17|");
    pass(&t, 500);
    hear(&t, "AT+CMEE?\r");
    says(&t, "+CMGS: 18\r\n+CMEE: 1\r\nOK\r\n+CMGS: 19\r\n");
    saw(&t, "late +CMGS: 18|late +CMGS: 19|");
    assert_true(at_idle(&t.ch));
    talk_end(&t);
}

/* A late reference does not fall to the next submission, whose data is not even out. */
static void test_late_reference_before_prompt(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    says(&t, "+CMGS: 17\r\n> ");
    saw(&t, "late +CMGS: 17|");
    pass(&t, 1000);
    says(&t, "+CMGS: 18\r\nOK\r\n");
    saw(&t, "line +CMGS: 18|OK sent|");
    talk_end(&t);
}

/* A prompt that nobody asked for is left by ESC, whether the channel was idle or in a command. */
static void test_stale_prompt(void **state)
{
    static const char *const prompts[] = {"\r\n> ", ">", ">\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(prompts); i++) {
        struct talk t;
        struct ask a;
        talk_begin(&t);
        says(&t, prompts[i]);
        pass(&t, i == 2 ? 0 : 500); /* unfinished lines are given time to go on */
        hear(&t, "\x1b");
        pass(&t, 500);
        hear(&t, "AT+CMEE?\r");
        says(&t, "+CMEE: 1\r\nOK\r\n");
        assert_true(at_idle(&t.ch));
        ask(&t, &a, "AT+CSQ", "+CSQ:");
        buf_clear(at_out(&t.ch));
        says(&t, prompts[i]);
        pass(&t, i == 2 ? 0 : 500);
        hear(&t, "\x1b");
        saw(&t, "TIMEOUT|");
        talk_end(&t);
    }
}

/* A line that merely begins with '>' is a line. */
static void test_line_with_bracket(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "ATI", "");
    says(&t, "> ");
    pass(&t, 100);
    says(&t, "Model 5 <\r\nOK\r\n");
    saw(&t, "line > Model 5 <|OK|");
    talk_end(&t);
}

/* No probe is written into an answer that is still coming in. */
static void test_settles_first(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask_read(&t, &a, "AT+CMGR=1", "+CMGR:");
    buf_clear(at_out(&t.ch));
    pass(&t, 5000);
    for (int i = 0; i < 10; i++) {
        pass(&t, 400);
        says(&t, "+CMGL: 1,1,,4\r\n0011223344\r\n");
        hear(&t, "");
    }
    pass(&t, 500);
    hear(&t, "AT+CMEE?\r");
    talk_end(&t);
}

/* A whole two-line code is told while the channel resynchronises: its sender waits for an acknowledgement. */
static void test_message_meanwhile(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT", NULL);
    pass(&t, 5600);
    says(&t, "+CMT: ,4\r\nOK\r\n0011223344\r\n");
    saw(&t, "TIMEOUT|urc +CMT: ,4 + 0011223344|");
    talk_end(&t);
}

/* at_resync() on a port just opened leaves a prompt of a former life before the first command. */
static void test_asked_for(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    at_resync(&t.ch, t.now_ms);
    hear(&t, "\x1b");
    ask(&t, &a, "ATE0", NULL);
    hear(&t, "");
    pass(&t, 500);
    hear(&t, "AT+CMEE?\r");
    says(&t, "AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n");
    hear(&t, "ATE0\r");
    says(&t, "OK\r\n");
    saw(&t, "OK|");
    talk_end(&t);
}

/* at_resync() from a line's callback ends the command once and does not touch it again. */
static void test_asked_for_in_callback(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    prepare(&t, &a, "AT+CMGR=1", "+CMGR:")->resync_on_line = true;
    a.cmd.pdu_lines = true;
    dispatch(&t, &a);
    says(&t, "+CMGR: 1,,147 07914306073011F00405812261F7\r\nOK\r\n");
    saw(&t, "line +CMGR: 1,,147|TIMEOUT|");
    talk_end(&t);
}

/* The gap is kept after a resynchronisation as well. */
static void test_gap_after_resync(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    t.ch.gap_ms = 100;
    at_resync(&t.ch, t.now_ms);
    ask(&t, &a, "ATE0", NULL);
    pass(&t, 500);
    buf_clear(at_out(&t.ch));
    says(&t, "+CMEE: 0\r\nOK\r\n");
    hear(&t, "");
    pass(&t, 100);
    hear(&t, "ATE0\r");
    talk_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_ok),
        cmocka_unit_test(test_late_registration),
        cmocka_unit_test(test_probe_is_another),
        cmocka_unit_test(test_second_try),
        cmocka_unit_test(test_dead),
        cmocka_unit_test(test_wedged),
        cmocka_unit_test(test_probes_refused),
        cmocka_unit_test(test_prompt_missing),
        cmocka_unit_test(test_result_missing),
        cmocka_unit_test(test_late_reference_before_prompt),
        cmocka_unit_test(test_stale_prompt),
        cmocka_unit_test(test_line_with_bracket),
        cmocka_unit_test(test_settles_first),
        cmocka_unit_test(test_message_meanwhile),
        cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_asked_for_in_callback),
        cmocka_unit_test(test_gap_after_resync),
    };
    return cmocka_run_group_tests_name("at/resync", tests, NULL, NULL);
}
