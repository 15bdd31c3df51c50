/* Unsolicited codes of two lines and more. */
#include "at/internal.h"
#include "tests/unit/at/talk.h"

/* Every form of header that modems send in front of a PDU. */
static void test_header_forms(void **state)
{
    static const char *const headers[] = {
        "+CMT: ,4", "+CMT: \"\",4",     "+CMT: \"Anna, Bo\",4",
        "+CMT: 4",  "+CMT: 0041006E,4", "+CMT:4",
        "+CDS: 4",  "+CDS: ,4",         "+CBM: 4",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct talk t;
        char line[64], expected[96];
        talk_begin(&t);
        snprintf(line, sizeof line, "\r\n%s\r\n0011aAbBCC\r\n", headers[i]);
        snprintf(expected, sizeof expected, "urc %s + 0011aAbBCC|", headers[i]);
        spells(&t, line);
        saw(&t, expected);
        sleeps(&t);
        talk_end(&t);
    }
}

/* The PDU's length decides: without or with SMSC, without SMSC at all, padded; not odd, not short, not hex.
 */
static void test_pdu_length(void **state)
{
    (void)state;
    assert_true(at_urc_pdu_fits("+CMT: ,4", "0011223344", false));
    assert_true(at_urc_pdu_fits("+CMT: ,4", "0291AA11223344", false));
    assert_true(at_urc_pdu_fits("+CBM: 4", "11223344", false));
    assert_false(at_urc_pdu_fits("+CDS: 4", "0011223344FFFF", false));
    assert_true(at_urc_pdu_fits("+CDS: 4", "0011223344FFFF", true));
    assert_false(at_urc_pdu_fits("+CMT: ,4", "001122334", true));
    assert_false(at_urc_pdu_fits("+CMT: ,4", "001122", true));
    assert_false(at_urc_pdu_fits("+CMT: ,4", "00112233XX", true));
    assert_false(at_urc_pdu_fits("+CMT: ,4", "", true));
    assert_false(at_urc_pdu_fits("+CMT: ,x", "0011223344", true));
}

/* A code, a result and information that cut in between the two lines are recognised, and the PDU after them.
 */
static void test_cut_in(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CSQ", "+CSQ:");
    says(&t, "+CMT: ,4\r\n^RSSI:5\r\n+CSQ: 5,99\r\nOK\r\n0011223344\r\n");
    saw(&t, "urc ^RSSI:5|line +CSQ: 5,99|OK|urc +CMT: ,4 + 0011223344|");
    talk_end(&t);
}

/* When the PDU does not come in 2 s, the code is told without it, exactly then. */
static void test_second_line_missing(void **state)
{
    struct talk t;

    (void)state;
    talk_begin(&t);
    says(&t, "+CMT: ,4\r\n00112233\r\n"); /* cut short: not the PDU */
    pass(&t, 1999);
    saw(&t, "");
    pass(&t, 1);
    saw(&t, "urc +CMT: ,4|");
    says(&t, "0011223344\r\n");
    saw(&t, "");
    says(&t, "+CDS: 4\r\n+CMT: ,4\r\n0011223344\r\n"); /* the next header comes first */
    saw(&t, "urc +CDS: 4|urc +CMT: ,4 + 0011223344|");
    sleeps(&t);
    talk_end(&t);
}

/* A read's PDU that comes in between is the read's, since its length is not the one announced. */
static void test_both_wait_for_pdu(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask_read(&t, &a, "AT+CMGR=1", "+CMGR:");
    says(&t, "+CMGR: 1,,6\r\n+CMT: ,4\r\n00112233445566\r\n0011223344\r\nOK\r\n");
    saw(&t, "line +CMGR: 1,,6|line 00112233445566|urc +CMT: ,4 + 0011223344|OK|");
    talk_end(&t);
}

static void close_it(struct talk *t)
{
    at_close(&t->ch, t->now_ms);
}

/* A channel closed while a first line is given up holds nothing of the second afterwards. */
static void test_closed_between(void **state)
{
    struct talk t;

    (void)state;
    talk_begin(&t);
    t.on_urc = close_it;
    says(&t, "+CDS: 4\r\n+CMT: ,4\r\n");
    saw(&t, "urc +CDS: 4|");
    sleeps(&t);
    talk_end(&t);
}

/* Header and PDU on one line, as some send stored messages too. */
static void test_one_line(void **state)
{
    struct talk t;

    (void)state;
    talk_begin(&t);
    says(&t, "+CMT: ,11 000102030405060708090A0B\r\n");
    saw(&t, "urc +CMT: ,11 + 000102030405060708090A0B|");
    talk_end(&t);
}

/* A modem in text mode: the message's words end no command, and the code is told without PDU. +CDS has one
 * line. */
static void test_text_mode(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    ask(&t, &a, "AT+CSQ", "+CSQ:");
    says(&t, "+CMT: \"+4917\",,\"26/11/21,10:00:00+04\"\r\nOK\r\n");
    saw(&t, "urc +CMT: \"+4917\",,\"26/11/21,10:00:00+04\"|");
    says(&t, "+CMT: \"+4917\",,\"26/11/21,10:00:00+04\",145,4,0,0,\"+4918\",145,2\r\nERROR\r\n");
    saw(&t, "urc +CMT: \"+4917\",,\"26/11/21,10:00:00+04\",145,4,0,0,\"+4918\",145,2|");
    says(&t, "+CDS: 6,28,\"+4917\",145,\"26/11/21,10:00:00+04\",\"26/11/21,10:00:00+04\",0\r\nOK\r\n");
    saw(&t, "urc +CDS: 6,28,\"+4917\",145,\"26/11/21,10:00:00+04\",\"26/11/21,10:00:00+04\",0|OK|");
    talk_end(&t);
}

/* A USSD menu goes on over line ends up to its quote; a result in between is one, and an end never comes. */
static void test_ussd_lines(void **state)
{
    struct talk t;
    struct ask a;

    (void)state;
    talk_begin(&t);
    says(&t, "+CUSD: 1,\"Menu\r\n1 Balance\r\n2 Top up\",15\r\n+CUSD: 4\r\n");
    saw(&t, "urc +CUSD: 1,\"Menu\n1 Balance\n2 Top up\",15|urc +CUSD: 4|");
    ask(&t, &a, "AT+CSQ", "+CSQ:");
    says(&t, "+CUSD: 0,\"TELE2\r\n+CSQ: 1,99\r\nOK\r\nRING\r\n");
    saw(&t, "line +CSQ: 1,99|OK|urc RING|");
    pass(&t, 2000);
    saw(&t, "urc +CUSD: 0,\"TELE2|");
    talk_end(&t);
}

/* A storm of USSD lines without a quote stays bounded. */
static void test_ussd_endless(void **state)
{
    struct talk t;

    (void)state;
    talk_begin(&t);
    says(&t, "+CUSD: 0,\"begin\r\n");
    for (int i = 0; i < 1000; i++)
        says(&t, "one more line of it\r\n");
    assert_true(strncmp(buf_str(&t.log), "urc +CUSD: 0,\"begin\none more", 27) == 0);
    assert_true(t.log.len < 2 * AT_LINE_BYTES);
    sleeps(&t);
    talk_end(&t);
}

/* Vendor codes with and without a colon, of all families in the field. */
static void test_vendors(void **state)
{
    static const char *const lines[] = {
        "^RSSI:18",
        "^SYSSTART AIRPLANE MODE",
        "#STN: 33",
        "*EMRDY: 1",
        "%NWSTATE: 4,310410,HSDPA,-",
        "_OSIGQ: 10,0",
        "+ZUSIMR:2",
        "+PACSP1",
        "+SMS FULL",
        "UNDER-VOLTAGE WARNNING",
        "+AT: READY",
        "NORMAL POWER DOWN",
        "VOICE CALL: BEGIN",
        "HANGUP: 1",
        "MISSED_CALL: 11:01AM 0771",
        "+WIND: 4",
        "+CMTI: ",
        "+CMTI: \"SM\",-1",
        "+CMTI: 0,1",
        "+NEWVENDOR: 1",
        "+QIND: SMS DONE",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct talk t;
        char expected[96];
        talk_begin(&t);
        says(&t, "\r\r\n");
        says(&t, lines[i]);
        says(&t, "\r\r\n");
        snprintf(expected, sizeof expected, "urc %s|", lines[i]);
        for (size_t n = strlen(expected); n > 1 && expected[n - 2] == ' ';
             n--) /* spaces around are dropped */
            memmove(expected + n - 2, expected + n - 1, 2);
        saw(&t, expected);
        talk_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_forms),
        cmocka_unit_test(test_pdu_length),
        cmocka_unit_test(test_cut_in),
        cmocka_unit_test(test_second_line_missing),
        cmocka_unit_test(test_both_wait_for_pdu),
        cmocka_unit_test(test_closed_between),
        cmocka_unit_test(test_one_line),
        cmocka_unit_test(test_text_mode),
        cmocka_unit_test(test_ussd_lines),
        cmocka_unit_test(test_ussd_endless),
        cmocka_unit_test(test_vendors),
    };
    return cmocka_run_group_tests_name("at/urc", tests, NULL, NULL);
}
