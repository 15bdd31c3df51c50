/* The channel's ordinary life: commands, information, unsolicited codes in between, the prompt and the data.
 */
#include "tests/unit/at/talk.h"

static const char pdu[] = "0001000B919471214365F700000541E19058341E01"; /* SUBMIT, as good as any */

/* A command is written with CR alone, its lines and its result are told, and then nothing is waited for. */
static void test_plain(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    sleeps(&t);
    ask(&t, &a, "AT+CSQ", "+CSQ:");
    hear(&t, "AT+CSQ\r");
    says(&t, "\r\n+CSQ: 20,99\r\n\r\nOK\r\n");
    saw(&t, "line +CSQ: 20,99|OK|");
    sleeps(&t);
    assert_true(at_idle(&t.ch));
    talk_end(&t);
}

/* The same dialogue one byte at a time, with echo, CR CR LF and NULs, tells the same. */
static void test_bytewise(void **state)
{
    static const uint8_t nul[] = {0, 0};
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CSQ", "+CSQ:");
    at_feed(&t.ch, nul, 2, t.now_ms);
    spells(&t, "AT+CSQ\r\r\n");
    at_feed(&t.ch, nul, 2, t.now_ms);
    spells(&t, "+CSQ: 20,99\r\r\n\r\nO");
    at_feed(&t.ch, nul, 2, t.now_ms);
    spells(&t, "K\r\n");
    saw(&t, "line +CSQ: 20,99|OK|");
    talk_end(&t);
}

/* Commands wait their turn, an urgent one goes to the front, and the next is written as soon as one ends. */
static void test_queue(void **state)
{
    struct talk t;
    struct ask a, b, c;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+A", NULL);
    ask(&t, &b, "AT+B", NULL);
    prepare(&t, &c, "AT+CNMA", NULL);
    assert_int_equal(at_send(&t.ch, &c.cmd, true, t.now_ms), 0);
    hear(&t, "AT+A\r");
    says(&t, "OK\r\n");
    hear(&t, "AT+CNMA\r");
    says(&t, "OK\r\n");
    hear(&t, "AT+B\r");
    says(&t, "ERROR\r\n");
    saw(&t, "OK|OK|ERROR|");
    assert_true(at_idle(&t.ch));
    talk_end(&t);
}

/* The queue is bounded: one more is refused, and the refused one's callback never runs. */
static void test_queue_full(void **state)
{
    static struct ask many[AT_QUEUE_COMMANDS + 2];
    struct talk t;

    (void)state;
    talk_begin(&t);
    for (unsigned i = 0; i < AT_QUEUE_COMMANDS + 1; i++) /* one is in flight */
        ask(&t, &many[i], "AT", NULL);
    prepare(&t, &many[AT_QUEUE_COMMANDS + 1], "AT", NULL);
    assert_true(at_send(&t.ch, &many[AT_QUEUE_COMMANDS + 1].cmd, false, t.now_ms) < 0);
    at_close(&t.ch, t.now_ms);
    for (unsigned i = 0; i < AT_QUEUE_COMMANDS + 1; i++)
        assert_int_equal(many[i].done, 1);
    assert_int_equal(many[AT_QUEUE_COMMANDS + 1].done, 0);
    talk_end(&t);
}

/* A modem that needs a breath after a final result gets it; otherwise there is no wait at all. */
static void test_gap(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    t.ch.gap_ms = 20;
    ask(&t, &a, "AT+A", NULL);
    ask(&t, &b, "AT+B", NULL);
    hear(&t, "AT+A\r");
    says(&t, "OK\r\n");
    hear(&t, "");
    pass(&t, 19);
    hear(&t, "");
    pass(&t, 1);
    hear(&t, "AT+B\r");
    talk_end(&t);
}

/* Unsolicited codes are told wherever they stand: before the echo, before and behind the information. */
static void test_codes_between(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CPMS=\"SM\",\"SM\"", "+CPMS:");
    says(&t,
         "+CMTI: \"SM\",1\r\nAT+CPMS=\"SM\",\"SM\"\r\r\nRING\r\n+CPMS: 1,20,1,20,1,20\r\n\r\n^RSSI:18\r\n");
    says(&t, "+CREG: 1\r\nOK\r\n+CIEV: 7,1\r\n");
    saw(&t, "urc +CMTI: \"SM\",1|urc RING|line +CPMS: 1,20,1,20,1,20|urc ^RSSI:18|urc +CREG: 1|OK|urc +CIEV: "
            "7,1|");
    talk_end(&t);
}

/* Echo is the command itself, once or twice or a character short; a line that merely begins with AT is not.
 */
static void test_echo(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CGMM", "");
    says(&t, "AT+CGMM\rAT+CGMM\r\r\nT+CGMM\rAT+CGMMAT+CGMM\rATLAS 3G\r\n\r\nOK\r\n");
    saw(&t, "line ATLAS 3G|OK|");
    says(&t, "AT+CGMM\r\n"); /* nobody's, nothing happens */
    saw(&t, "");
    talk_end(&t);
}

/* A command whose answer has no prefix takes every line that is neither a code nor a result, with or without
 * its own prefix, as the IMEI comes. */
static void test_no_prefix(void **state)
{
    struct talk t;
    struct ask a, b, c;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CGSN", "");
    says(&t, "\r\n868123456789012\r\n\r\n+CMTI: \"ME\",3\r\nOK\r\n");
    saw(&t, "line 868123456789012|urc +CMTI: \"ME\",3|OK|");
    ask(&t, &b, "AT+CGSN", "");
    says(&t, "\r\n+CGSN: \"868123456789012\"\r\nOK\r\n");
    saw(&t, "line +CGSN: \"868123456789012\"|OK|");
    ask(&t, &c, "AT+CGMM", "");
    says(&t, " MULTIBAND  900E  1800 \r\n\r\nOK\r\n");
    saw(&t, "line MULTIBAND  900E  1800|OK|");
    talk_end(&t);
}

/* Such a command also takes what has its name in front, though it has the form of a code: a person asks. */
static void test_own_name(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CREG?", "");
    says(&t, "+CREG: 5\r\n+CREG: 0,1\r\n^RSSI:3\r\nOK\r\n");
    saw(&t, "urc +CREG: 5|line +CREG: 0,1|urc ^RSSI:3|OK|");
    ask(&t, &b, "AT^SYSINFO", "");
    says(&t, "^SYSINFO:2,3,0,5,1\r\nOK\r\n");
    saw(&t, "line ^SYSINFO:2,3,0,5,1|OK|");
    talk_end(&t);
}

/* +CREG and its family are both answer and code; the answer has <n> in front. */
static void test_registration_both_ways(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CREG?", "+CREG:");
    says(&t, "+CREG: 5\r\n+CREG: 1,\"CE00\",\"00005449\"\r\n+CREG: 1,0001,0010,0\r\n+CREG: 2,,\r\n");
    saw(&t, "urc +CREG: 5|urc +CREG: 1,\"CE00\",\"00005449\"|urc +CREG: 1,0001,0010,0|urc +CREG: 2,,|");
    says(&t, "+CREG: 2,1,\"CE00\",\"01CEAD8F\"\r\n+CEREG: 1\r\nOK\r\n");
    saw(&t, "line +CREG: 2,1,\"CE00\",\"01CEAD8F\"|urc +CEREG: 1|OK|");
    ask(&t, &b, "AT+CEREG=?", "+CEREG:");
    says(&t, "+CEREG: (0-2)\r\nOK\r\n");
    saw(&t, "line +CEREG: (0-2)|OK|");
    talk_end(&t);
}

/* Result words inside a line are not results, and the end of a call is not the end of a command. */
static void test_no_substrings(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CUSD=1,\"*100#\",15", NULL);
    says(&t, "OKAY\r\nNOT OK\r\nERRORS\r\nNO CARRIER\r\nRINGO\r\n");
    saw(&t, "urc NO CARRIER|");
    says(&t, "OK\r\n");
    saw(&t, "OK|");
    ask(&t, &b, "ATH", NULL);
    says(&t, "NO CARRIER\r\n");
    saw(&t, "NO CARRIER|");
    talk_end(&t);
}

/* Huawei loses the line end behind ERROR: the command ends, and what follows is not taken for its answer. */
static void test_glued_error(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CNUM", "+CNUM:");
    says(&t, "ERROR+CMTI: \"SM\",4\r\n");
    saw(&t, "ERROR|urc +CMTI: \"SM\",4|");
    talk_end(&t);
}

/* A USSD session's failure comes as +CME ERROR behind its OK: it is told as a code, and not taken for the
 * answer of the command that waits behind. */
static void test_late_ussd_error(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CUSD=1,\"002A\",15", NULL);
    ask(&t, &b, "AT+CSQ", "+CSQ:");
    hear(&t, "AT+CUSD=1,\"002A\",15\r");
    says(&t, "\r\nOK\r\n\r\n+CME ERROR: 132\r\n");
    saw(&t, "OK|urc +CME ERROR: 132|");
    hear(&t, "AT+CSQ\r");
    says(&t, "+CSQ: 1,99\r\nOK\r\n");
    saw(&t, "line +CSQ: 1,99|OK|");
    talk_end(&t);
}

/* While a USSD answer is awaited only what is urgent is written; the rest follows when the time is over, or
 * at once when the answer has come. */
static void test_hold(void **state)
{
    struct talk t;
    struct ask a, b, c;

    (void)state;
    talk_begin(&t);
    at_hold(&t.ch, t.now_ms + 5000, t.now_ms);
    ask(&t, &a, "AT+CSQ", "+CSQ:");
    hear(&t, "");
    b = (struct ask){.cmd = {.text = "AT+CNMA", .done = a.cmd.done, .owner = &b}, .t = &t};
    assert_int_equal(at_send(&t.ch, &b.cmd, true, t.now_ms), 0);
    hear(&t, "AT+CNMA\r");
    says(&t, "OK\r\n+CME ERROR: 132\r\n");
    saw(&t, "OK|urc +CME ERROR: 132|");
    hear(&t, "");
    pass(&t, 5000);
    hear(&t, "AT+CSQ\r");
    says(&t, "+CSQ: 1,99\r\nOK\r\n");
    saw(&t, "line +CSQ: 1,99|OK|");
    at_hold(&t.ch, t.now_ms + 5000, t.now_ms);
    ask(&t, &c, "AT", NULL);
    hear(&t, "");
    at_hold(&t.ch, 0, t.now_ms);
    hear(&t, "AT\r");
    talk_end(&t);
}

/* Results that nobody waits for (another process on the port) disappear. */
static void test_strangers_results(void **state)
{
    struct talk t;

    (void)state;
    talk_begin(&t);
    says(&t, "OK\r\nERROR\r\n+CSCA: \"+49\",145\r\n12345\r\n");
    saw(&t, "urc +CSCA: \"+49\",145|");
    sleeps(&t);
    talk_end(&t);
}

/* The data follows the prompt, ended by 0x1A and nothing else, and the reference is told. */
static void test_submit(void **state)
{
    static const char *const prompts[] = {"\r\n> ",      "> ", "\r\n>", ">", "\n> \r\n", "AT+CMGS=14\r\r\n> ",
                                          "AT+CMGS=14> "};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(prompts); i++) {
        struct talk t;
        struct ask a;
        talk_begin(&t);
        submit(&t, &a, pdu);
        hear(&t, "AT+CMGS=14\r");
        spells(&t, prompts[i]);
        hear(&t, "0001000B919471214365F700000541E19058341E01\x1a");
        pass(&t, 1500);
        says(&t, "\r\n+CMGS: 17\r\n\r\nOK\r\n");
        saw(&t, "line +CMGS: 17|OK sent|");
        sleeps(&t);
        talk_end(&t);
    }
}

/* The data comes back as echo, with prompts and 0x1A in it, and is not an answer. */
static void test_data_echo(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    says(&t, "AT+CMGS=14\r\r\n> ");
    says(&t, "> 0001000B919471214365F700000541E19058341E01\x1a\r\n> "
             "\r\n0001000B919471214365F700000541E19058341E01\r\n");
    saw(&t, "");
    says(&t, "+CMGS: 1\r\nOK\r\n");
    saw(&t, "line +CMGS: 1|OK sent|");
    talk_end(&t);
}

/* ZTE sends +CDSI between the command and the prompt; a whole +CMT fits there as well. */
static void test_codes_before_prompt(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    hear(&t, "AT+CMGS=14\r");
    says(&t, "+CDSI: \"SR\",50\r\n+CMT: ,4\r\n0011223344\r\n> ");
    saw(&t, "urc +CDSI: \"SR\",50|urc +CMT: ,4 + 0011223344|");
    hear(&t, "0001000B919471214365F700000541E19058341E01\x1a");
    talk_end(&t);
}

/* An error instead of the prompt ends the command, and the data is never written, whatever follows. */
static void test_error_for_prompt(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    hear(&t, "AT+CMGS=14\r");
    says(&t, "\r\n+CMS ERROR: 304\r\n");
    saw(&t, "CMS 304|");
    hear(&t, "");
    submit(&t, &b, pdu);
    hear(&t, "AT+CMGS=14\r");
    says(&t, "> \r\n+CMS ERROR: 500\r\n"); /* the prompt and the error at once */
    saw(&t, "CMS 500|");
    hear(&t, "");
    talk_end(&t);
}

/* MC7455 says OK right behind the prompt: the network's answer is still waited for. */
static void test_early_ok(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    hear(&t, "AT+CMGS=14\r");
    says(&t, "> \r\nOK\r\n");
    hear(&t, "0001000B919471214365F700000541E19058341E01\x1a");
    saw(&t, "");
    pass(&t, 4000);
    says(&t, "+CMGS: 9\r\nOK\r\n");
    saw(&t, "line +CMGS: 9|OK sent|");
    submit(&t, &b, pdu);
    says(&t, "> \r\nOK\r\n");
    pass(&t, 4000);
    says(&t, "+CMS ERROR: 38\r\n");
    saw(&t, "CMS 38 sent|");
    submit(&t, &b, pdu);
    says(&t, "> ");
    says(&t, "OK\r\n");
    saw(&t, "");
    says(&t, "OK\r\n"); /* there is one early OK; the second one is the result */
    saw(&t, "OK sent|");
    talk_end(&t);
}

/* Some answer a submission by OK alone; that is success without a reference. */
static void test_ok_only(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    says(&t, "> ");
    pass(&t, 1200);
    says(&t, "\r\nOK\r\n");
    saw(&t, "OK sent|");
    talk_end(&t);
}

/* Others send +CMGS without OK: after 2 s it is success, and a late OK falls to nobody else. */
static void test_reference_only(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    says(&t, "> ");
    pass(&t, 3000);
    says(&t, "+CMGS: 200\r\n");
    ask(&t, &b, "AT+CFUN?", "+CFUN:");
    buf_clear(at_out(&t.ch));
    pass(&t, 1999);
    saw(&t, "line +CMGS: 200|");
    pass(&t, 1);
    saw(&t, "OK sent|");
    hear(&t, "AT+CMEE?\r");
    says(&t, "OK\r\n"); /* the late one */
    hear(&t, "");
    says(&t, "+CMEE: 1\r\nOK\r\n");
    hear(&t, "AT+CFUN?\r");
    talk_end(&t);
}

/* A submission in flight 119 s is waited for. */
static void test_slow_network(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    submit(&t, &a, pdu);
    pass(&t, 9900);
    says(&t, "> ");
    pass(&t, 119000);
    saw(&t, "");
    says(&t, "+CMGS: 3\r\nOK\r\n");
    saw(&t, "line +CMGS: 3|OK sent|");
    talk_end(&t);
}

/* On a slow line the data waits after the prompt; an error in that time still keeps it back. */
static void test_prompt_gap(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    t.ch.prompt_gap_ms = 50;
    submit(&t, &a, pdu);
    hear(&t, "AT+CMGS=14\r");
    says(&t, "> ");
    pass(&t, 49);
    hear(&t, "");
    pass(&t, 1);
    hear(&t, "0001000B919471214365F700000541E19058341E01\x1a");
    says(&t, "+CMGS: 1\r\nOK\r\n");
    submit(&t, &b, pdu);
    hear(&t, "AT+CMGS=14\r");
    says(&t, "> ");
    says(&t, "ERROR\r\n");
    pass(&t, 1000);
    hear(&t, "");
    saw(&t, "line +CMGS: 1|OK sent|ERROR|");
    talk_end(&t);
}

/* An acknowledgement with data (+CNMA=1,n) has no information line: its OK counts at once. */
static void test_ack_with_data(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    prepare(&t, &a, "AT+CNMA=1,3", NULL)->cmd.data = "000000";
    a.cmd.cls = AT_ACK;
    dispatch(&t, &a);
    hear(&t, "AT+CNMA=1,3\r");
    says(&t, "> ");
    hear(&t, "000000\x1a");
    says(&t, "OK\r\n");
    saw(&t, "OK sent|");
    talk_end(&t);
}

/* Each information line of +CMGL and +CMGR is followed by its PDU; codes may cut in anywhere, even +CMT. */
static void test_listing(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    ask_read(&t, &a, "AT+CMGL=4", "+CMGL:");
    says(&t,
         "+CMGL: 1,1,,4\r\n+CMTI: \"SM\",9\r\n0011223344\r\n+CMGL: 2,1,,5\r\n+CMT: ,6\r\n00AABBCCDDEEFF\r\n"
         "001122334455\r\nOK\r\n");
    saw(&t, "line +CMGL: 1,1,,4|urc +CMTI: \"SM\",9|line 0011223344|line +CMGL: 2,1,,5|"
            "urc +CMT: ,6 + 00AABBCCDDEEFF|line 001122334455|OK|");
    ask_read(&t, &b, "AT+CMGR=1", "+CMGR:");
    says(&t, "+CMGR: 1,,147 07914306073011F00405812261F7\r\nOK\r\n"); /* the line end is lost */
    saw(&t, "line +CMGR: 1,,147|line 07914306073011F00405812261F7|OK|");
    talk_end(&t);
}

/* A modem that fell back to text mode cannot end a read by the words of a message. */
static void test_text_mode_read(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask_read(&t, &a, "AT+CMGR=1", "+CMGR:");
    says(&t, "+CMGR: \"REC UNREAD\",\"+491701234567\",,\"26/11/21,10:00:00+04\"\r\nOK\r\n\r\nOK\r\n");
    saw(&t, "line +CMGR: \"REC UNREAD\",\"+491701234567\",,\"26/11/21,10:00:00+04\"|line OK|OK|");
    talk_end(&t);
}

/* Each line of a long listing prolongs it: a listing is never interrupted while it goes on, but has an end.
 */
static void test_long_listing(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    prepare(&t, &a, "AT+CMGL=4", "+CMGL:")->cmd.cls = AT_LIST;
    a.cmd.line = NULL;
    dispatch(&t, &a);
    for (int i = 0; i < 10; i++) {
        pass(&t, 59000);
        says(&t, "+CMGL: 1,1,,4\r\n");
    }
    assert_int_equal(a.done, 0);
    pass(&t, 10000);
    saw(&t, "TIMEOUT|");
    talk_end(&t);
}

/* Wavecom answers +CPIN? without OK. */
static void test_missing_ok(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    prepare(&t, &a, "AT+CPIN?", "+CPIN:")->cmd.ok_optional = true;
    dispatch(&t, &a);
    says(&t, "AT+CPIN?\r\n+CPIN: READY\r\n");
    saw(&t, "line +CPIN: READY|");
    pass(&t, 2000);
    saw(&t, "OK|");
    talk_end(&t);
}

/* A final result whose line end never comes counts after 2 s of silence; one that goes on is not final. */
static void test_result_without_line_end(void **state)
{
    struct talk t;
    struct ask a, b, c;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CGMR", "");
    says(&t, "AT+CGMR\r\nRM-680\r\nOK");
    pass(&t, 2000);
    saw(&t, "line RM-680|OK|");
    submit(&t, &b, pdu);
    says(&t, "> ");
    pass(&t, 1000);
    says(&t, "+CMS ERROR:");
    pass(&t, 2000);
    saw(&t, "CMS -1 sent|");
    ask(&t, &c, "AT+CGMR", "");
    says(&t, "OK");
    pass(&t, 1000);
    says(&t, "APPA 1\r\nOK\r\n");
    saw(&t, "line OKAPPA 1|OK|");
    talk_end(&t);
}

/* What a modem says on its own while it boots is told, and noise is not. */
static void test_banners_and_noise(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    says(
        &t,
        "RDY\r\n+CFUN: 1\r\n+CPIN: READY\r\nCall Ready\r\nSMS Ready\r\n^SYSSTART\r\n\xff\xfe\x80~\x7e}#\r\n");
    saw(&t, "urc RDY|urc +CFUN: 1|urc +CPIN: READY|urc Call Ready|urc SMS Ready|urc ^SYSSTART|");
    ask(&t, &a, "AT+CSQ", "+CSQ:");
    says(&t, "\x80\x81\xff\r\n+CSQ: 9,99\r\n$GPGGA,1,2\r\nOK\r\n");
    saw(&t, "line +CSQ: 9,99|urc $GPGGA,1,2|OK|");
    talk_end(&t);
}

/* A line without end is bounded; what is behind it is read as ever. */
static void test_overlong(void **state)
{
    struct talk t;
    struct ask a;
    char noise[1000];

    (void)state;
    memset(noise, 'x', sizeof noise);
    talk_begin(&t);
    ask(&t, &a, "ATI", "");
    for (int i = 0; i < 50; i++)
        at_feed(&t.ch, (const uint8_t *)noise, sizeof noise, t.now_ms);
    says(&t, "\r\nOK\r\n");
    saw(&t, "OK|");
    talk_end(&t);
}

/* Doubled information lines are both told; the reader takes the last. */
static void test_doubled_information(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CPMS=\"ME\"", "+CPMS:");
    says(&t, "AT+CPMS=\"ME\"\rAT+CPMS=\"ME\"\r\r\n+CPMS: 2,300\r\n\r\n+CPMS: 2,300\r\n\r\nOK\r\n");
    saw(&t, "line +CPMS: 2,300|line +CPMS: 2,300|OK|");
    talk_end(&t);
}

/* A command sent from a callback is accepted and written once the chunk has been read. */
static void test_send_from_callback(void **state)
{
    struct talk t;
    struct ask a, b;

    (void)state;
    talk_begin(&t);
    prepare(&t, &b, "AT+CSQ", "+CSQ:");
    prepare(&t, &a, "AT", NULL)->then = &b;
    dispatch(&t, &a);
    hear(&t, "AT\r");
    says(&t, "OK\r\nOK\r\n"); /* the second OK is not for the new command */
    hear(&t, "AT+CSQ\r");
    saw(&t, "OK|");
    says(&t, "+CSQ: 1,99\r\nOK\r\n");
    saw(&t, "line +CSQ: 1,99|OK|");
    talk_end(&t);
}

static void close_it(struct talk *t)
{
    at_close(&t->ch, t->now_ms);
}

/* at_close() from a callback ends everything once, drops the rest of the chunk, and the channel can be used.
 */
static void test_close_from_callback(void **state)
{
    struct talk t;
    struct ask a, b, c;

    (void)state;
    talk_begin(&t);
    prepare(&t, &a, "AT+CSQ", "+CSQ:")->close_on_line = true;
    dispatch(&t, &a);
    ask(&t, &b, "AT+B", NULL);
    says(&t, "+CSQ: 1,99\r\nOK\r\nRING\r\n");
    saw(&t, "line +CSQ: 1,99|CLOSED|CLOSED|");
    hear(&t, "");
    ask(&t, &c, "AT", NULL);
    hear(&t, "AT\r");
    t.on_urc = close_it;
    says(&t, "+CMT: ,4\r\n0011223344\r\nOK\r\n");
    saw(&t, "urc +CMT: ,4 + 0011223344|CLOSED|");
    talk_end(&t);
}

/* at_close() tells truly whether the data was out, and refuses new commands meanwhile. */
static void test_close(void **state)
{
    struct talk t;
    struct ask a, b, c, d;

    (void)state;
    talk_begin(&t);
    prepare(&t, &d, "AT", NULL);
    submit(&t, &a, pdu);
    a.then = &d;
    submit(&t, &b, pdu);
    says(&t, "> ");
    at_close(&t.ch, t.now_ms);
    saw(&t, "CLOSED sent|CLOSED|");
    assert_int_equal(d.done, 0);
    hear(&t, "");
    sleeps(&t);
    submit(&t, &c, pdu);
    at_close(&t.ch, t.now_ms);
    saw(&t, "CLOSED|");
    talk_end(&t);
}

/* The record of the last exchanges is in order, without PINs and without PDUs. */
static void test_dump(void **state)
{
    struct talk t;
    struct ask a, b;
    struct buf out = {0};

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CPIN=\"1234\"", NULL);
    says(&t, "AT+CPIN=\"1234\"\r\r\nOK\r\n");
    submit(&t, &b, pdu);
    says(&t, "> ");
    says(&t, "+CMGS: 4\r\nOK\r\n");
    at_dump(&t.ch, &out);
    assert_string_equal(buf_str(&out), "> AT+CPIN=...\n< OK\n> AT+CMGS=14\n< >\n> 0001000B91947121..42\n"
                                       "< +CMGS: 4\n< OK\n");
    for (int i = 0; i < 100; i++)
        says(&t, "+CMTI: \"SM\",1\r\n");
    buf_clear(&out);
    at_dump(&t.ch, &out);
    assert_int_equal(out.len, 64 * strlen("< +CMTI: \"SM\",1\n"));
    buf_free(&out);
    talk_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_bytewise),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_queue_full),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_codes_between),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_no_prefix),
        cmocka_unit_test(test_own_name),
        cmocka_unit_test(test_registration_both_ways),
        cmocka_unit_test(test_no_substrings),
        cmocka_unit_test(test_glued_error),
        cmocka_unit_test(test_late_ussd_error),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_strangers_results),
        cmocka_unit_test(test_submit),
        cmocka_unit_test(test_data_echo),
        cmocka_unit_test(test_codes_before_prompt),
        cmocka_unit_test(test_error_for_prompt),
        cmocka_unit_test(test_early_ok),
        cmocka_unit_test(test_ok_only),
        cmocka_unit_test(test_reference_only),
        cmocka_unit_test(test_slow_network),
        cmocka_unit_test(test_prompt_gap),
        cmocka_unit_test(test_ack_with_data),
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_text_mode_read),
        cmocka_unit_test(test_long_listing),
        cmocka_unit_test(test_missing_ok),
        cmocka_unit_test(test_result_without_line_end),
        cmocka_unit_test(test_banners_and_noise),
        cmocka_unit_test(test_overlong),
        cmocka_unit_test(test_doubled_information),
        cmocka_unit_test(test_send_from_callback),
        cmocka_unit_test(test_close_from_callback),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_dump),
    };
    return cmocka_run_group_tests_name("at/channel", tests, NULL, NULL);
}
