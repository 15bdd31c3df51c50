/* Modems that answer otherwise than the standard says, or than others do. Each test names the trap; the
 * modems on which it was met are in brackets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/lib/dialogue.h"

#define PDU_HELLO "07919471060740F0040C9194719999999900006211121900008005C8329BFD06"

static int setup(void **state)
{
    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR);
    *state = dialogue_new();
    return 0;
}

static int teardown(void **state)
{
    if (getenv("VERBOSE"))
        print_message("%s\n", port_script_heard(((struct dialogue *)*state)->port));
    dialogue_free(*state);
    return 0;
}

static void say(struct dialogue *d, const char *text)
{
    port_script_say(d->port, text);
    dialogue_run(d, 100);
}

/* ---- initialisation ---- */

/* +CPIN: READY comes without OK [Wavecom]: two seconds of silence stand for it. */
static void pin_without_ok(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPIN?", "\r\n+CPIN: READY\r\n");
    assert_true(dialogue_ready(d));
}

/* +CPIN is answered without space, in quotes, with OK alone, or not known at all. */
static void odd_pin_answers(void **state)
{
    static const char *const answers[] = {
        "+CPIN:READY\r\n\r\nOK\r\n", "+CPIN: \"READY\"\r\n\r\nOK\r\n", "OK\r\n", "ERROR\r\n",
        "+CME ERROR: 4\r\n",         "+CPIN: SIM PIN2\r\n\r\nOK\r\n"};
    struct dialogue *d = *state;

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct dialogue *one = dialogue_new();
        port_script_answer(one->port, "AT+CPIN?", answers[i]);
        assert_true(dialogue_ready(one));
        dialogue_free(one);
    }
    (void)d;
}

/* SMS commands fail for some seconds after power-on [SIM800: until "SMS Ready"]: they are tried again. */
static void sms_not_ready_yet(void **state)
{
    struct dialogue *d = *state;

    port_script_answer_times(d->port, "AT+CMGF=0", "\r\nERROR\r\n", 10);
    assert_true(dialogue_ready(d));
    struct modem_status s;
    modem_get_status(d->modem, &s);
    assert_int_equal(s.recoveries, 0);
}

/* A modem without SMS at all [A7670E-LNXY] is said to be one, and is not asked all the time. */
static void no_sms_at_all(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CMGF=0", "\r\nERROR\r\n");
    modem_start(d->modem);
    dialogue_run(d, 86400000);
    assert_int_not_equal(d->carrier->state, CARRIER_READY);
    assert_non_null(strstr(d->carrier->reason, "AT+CMGF"));
    assert_true(port_script_count(d->port, "AT+CMGF=0") < 86400 / 4);
}

/* Three arguments of +CPMS are refused [Wavecom], the list has one pair of parentheses too many: two
 * arguments are used, to select another store as well. */
static void cpms_of_two_arguments(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPMS=?", "\r\n+CPMS: ((\"SM\",\"BM\",\"SR\"),(\"SM\"))\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CPMS=\"SM\",\"SM\",\"SM\"", "\r\nERROR\r\n");
    modem_start(d->modem);
    dialogue_run(d, 10000);
    assert_int_equal(d->carrier->state, CARRIER_READY);
    assert_true(dialogue_heard(d, "AT+CPMS=\"SM\",\"SM\",\"SM\"\nAT+CPMS=\"SM\",\"SM\"\n"));
}

/* +CPMS=? names the stores without parentheses [MU609]: all of them are read. */
static void cpms_of_bare_names(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPMS=?", "\r\n+CPMS: \"ME\",\"MT\",\"SM\"\r\n\r\nOK\r\n");
    modem_start(d->modem);
    dialogue_run(d, 10000);
    assert_int_equal(d->carrier->state, CARRIER_READY);
    assert_true(port_script_count(d->port, "AT+CMGL=4") == 2); /* SM and ME; MT is both together */
}

/* There is no store and no +CNMI [Nokia N79]: it can still send. */
static void sends_only(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPMS=?", "\r\n+CPMS: (),(),()\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CPMS=\"*", "\r\nERROR\r\n");
    port_script_answer(d->port, "AT+CNMI=*", "\r\nERROR\r\n");
    assert_true(dialogue_ready(d));
    assert_int_equal(port_script_count(d->port, "AT+CMGL"), 0);
}

/* +CNMI is an attempt, whatever +CNMI=? promises: the next one is taken, and read back. */
static void cnmi_by_attempts(void **state)
{
    struct dialogue *d = *state;
    struct modem_status s;

    port_script_answer(d->port, "AT+CNMI=2*", "\r\n+CMS ERROR: 303\r\n");
    port_script_answer(d->port, "AT+CNMI?", "\r\n+CNMI: 1,1,0,1,0\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    modem_get_status(d->modem, &s);
    assert_string_equal(s.receive_plan, "store, AT+CNMI=1,1,0,1,0");
}

/* +CNMI is accepted and not kept, or refused in every form: the stores are looked through every minute. */
static void cnmi_not_kept(void **state)
{
    struct dialogue *d = *state;
    struct modem_status s;

    port_script_answer(d->port, "AT+CNMI?", "\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    modem_get_status(d->modem, &s);
    assert_string_equal(s.receive_plan, "store, polled");
    dialogue_run(d, 300000);
    assert_in_range(port_script_count(d->port, "AT+CMGL=4"), 4, 6);
}

/* Only stored reports are offered (ds=2): then the SR store is read as well. */
static void reports_in_a_store(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPMS=?", "\r\n+CPMS: (\"SM\",\"SR\"),(\"SM\"),(\"SM\")\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CNMI=2,1,0,1,0", "\r\nERROR\r\n");
    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=4",
                       "\r\n+CMGR: 0,,25\r\n"
                       "07919471060740F0062A0C91947117325476622101021000002211010210000000\r\n"
                       "\r\nOK\r\n");
    say(d, "\r\n+CDSI: \"SR\",4\r\n");
    assert_int_equal(d->in_count, 1);
    assert_true(dialogue_heard(d, "AT+CMGR=4\nAT+CMGD=4\n"));
}

/* The address of the service centre is empty, lacks its quotes, or its '+' (type 145). */
static void service_centre_forms(void **state)
{
    static const char *const forms[][2] = {
        {"+CSCA: \"491710760000\",145", "+491710760000"},
        {"+CSCA: +491710760000,145", "+491710760000"},
        {"+CSCA: \"\",129", ""},
        {"+CSCA: \"0171\",129", "0171"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct dialogue *d = dialogue_new();
        struct modem_status s;
        char text[100];
        snprintf(text, sizeof(text), "\r\n%s\r\n\r\nOK\r\n", forms[i][0]);
        port_script_answer(d->port, "AT+CSCA?", text);
        assert_true(dialogue_ready(d));
        modem_get_status(d->modem, &s);
        assert_string_equal(s.smsc, forms[i][1]);
        dialogue_free(d);
    }
}

/* The own number in its captured forms: with and without name, quotes and '+'. */
static void own_number_forms(void **state)
{
    static const char *const forms[][2] = {
        {"+CNUM: \"something\",\"1234567890\",161", "1234567890"},
        {"+CNUM: ,\"1234567890\",161", "1234567890"},
        {"+CNUM: something,\"+34600000001\",145", "+34600000001"},
        {"+CNUM: \"*Subscriber Number\",\"+79139131234\",145", "+79139131234"},
        {"+CNUM: \"\",+79139131234\",145", "+79139131234"},
        {"+CNUM: \"\",+79139131234,145", "+79139131234"},
        {"+CNUM: ,,145", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct dialogue *d = dialogue_new();
        char text[100];
        snprintf(text, sizeof(text), "\r\n%s\r\n\r\nOK\r\n", forms[i][0]);
        d->conf.number = "";
        port_script_answer(d->port, "AT+CNUM", text);
        assert_true(dialogue_ready(d));
        assert_string_equal(d->carrier->number, forms[i][1]);
        dialogue_free(d);
    }
}

/* The IMEI comes with its prefix, in quotes, or with the two digits of a software version. */
static void imei_forms(void **state)
{
    static const char *const forms[] = {"490154203237518", "+CGSN: 490154203237518",
                                        "+CGSN: \"490154203237518\"", "4901542032375101"};

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct dialogue *d = dialogue_new();
        char text[100];
        snprintf(text, sizeof(text), "\r\n%s\r\n\r\nOK\r\n", forms[i]);
        d->conf.imei = "490154203237518";
        port_script_answer(d->port, "AT+CGSN", text);
        assert_true(dialogue_ready(d));
        dialogue_free(d);
    }
}

/* A banner in the middle of a session [SIM800 at a weak supply]: everything is set anew. */
static void banner_in_mid_session(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    say(d, "\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n");
    dialogue_run(d, 5000);
    assert_int_equal(port_script_count(d->port, "AT+CMGF=0"), 1);
    assert_int_equal(port_script_count(d->port, "AT+CNMI="), 1);
    assert_int_equal(d->carrier->state, CARRIER_READY);
}

/* ---- receiving ---- */

/* The store named in the notice is not the selected one [Huawei]: it is selected first, with all three
 * arguments, and the store that receives stays what it was. */
static void notice_of_another_store(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=3", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    say(d, "\r\n+CMTI: \"ME\",3\r\n");
    assert_int_equal(d->in_count, 1);
    assert_string_equal(d->in[0].text, PDU_HELLO);
    assert_true(dialogue_heard(d, "AT+CPMS=\"ME\",\"SM\",\"SM\"\nAT+CMGR=3\nAT+CMGD=3\n"));
}

/* The index is -1 [SIM7000]: somewhere; everything is listed. */
static void notice_without_index(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer_times(d->port, "AT+CMGL=4", "\r\n+CMGL: 0,0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n", 1);
    say(d, "\r\n+CMTI: \"SM\",-1\r\n");
    assert_int_equal(d->in_count, 1);
    assert_true(dialogue_heard(d, "AT+CMGL=4\nAT+CMGD=0\n"));
}

/* A store says that it is full by its vendor's words: it is looked through at once. */
static void full_notices(void **state)
{
    static const char *const notices[] = {"^SMMEMFULL: \"SM\"", "+SMS FULL", "+CIEV: \"SMSFULL\",1",
                                          "^SMGO: 1"};

    (void)state;
    for (size_t i = 0; i < sizeof(notices) / sizeof(notices[0]); i++) {
        struct dialogue *d = dialogue_new();
        char text[64];
        assert_true(dialogue_ready(d));
        snprintf(text, sizeof(text), "\r\n%s\r\n", notices[i]);
        say(d, text);
        say(d, text); /* such notices are repeated */
        assert_int_equal(port_script_count(d->port, "AT+CMGL=4"), 1);
        dialogue_free(d);
    }
}

/* The announced slot is empty: OK without a line, or an error [321; 500 of some]. Nothing is offered or
 * deleted, and the next message is read. */
static void empty_slots(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=2", "\r\n+CMS ERROR: 321\r\n");
    port_script_answer(d->port, "AT+CMGR=4", "\r\n+CMS ERROR: 500\r\n");
    say(d, "\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n\r\n+CMTI: \"SM\",4\r\n");
    dialogue_run(d, 20000);
    assert_int_equal(d->in_count, 0);
    assert_int_equal(port_script_count(d->port, "AT+CMGD"), 0);
    port_script_answer(d->port, "AT+CMGR=3", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    say(d, "\r\n+CMTI: \"SM\",3\r\n");
    assert_int_equal(d->in_count, 1);
}

/* What is stored is not hex, or shorter than its header says. It may have been garbled on the line, so it is
 * read again; then it is offered as it is, and deleted. */
static void malformed_entries(void **state)
{
    static const char *const entries[] = {"\r\n+CMGR: 0,,24\r\n07919471060740F0040C91\r\n\r\nOK\r\n",
                                          "\r\n+CMGR: 0,,24\r\nGARBAGE!\r\n\r\nOK\r\n",
                                          "\r\n+CMGR: 0,,24\r\n\r\nOK\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        struct dialogue *d = dialogue_new();
        assert_true(dialogue_ready(d));
        port_script_answer(d->port, "AT+CMGR=1", entries[i]);
        say(d, "\r\n+CMTI: \"SM\",1\r\n");
        dialogue_run(d, 10000);
        assert_int_equal(d->in_count, 1);
        assert_true(d->in[0].malformed);
        assert_int_equal(port_script_count(d->port, "AT+CMGR=1"), 3);
        assert_int_equal(port_script_count(d->port, "AT+CMGD=1"), 1);
        dialogue_free(d);
    }
}

/* Garbled once, intact when read again: offered whole. */
static void garbled_once(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer_times(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n07919471\r\n\r\nOK\r\n", 1);
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    dialogue_run(d, 10000);
    assert_int_equal(d->in_count, 1);
    assert_false(d->in[0].malformed);
}

/* A header garbled into anything at all is read again as well, and holds nothing up. */
static void garbled_headers(void **state)
{
    static const char *const headers[] = {"+CMGR: ),,24", "+CMGR: (((", "+CMGR: ,,,,,",
                                          "+CMGR:", "+CMGR: 0,,99999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct dialogue *d = dialogue_new();
        char text[200];
        assert_true(dialogue_ready(d));
        port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
        snprintf(text, sizeof(text), "\r\n%s\r\n%s\r\n\r\nOK\r\n", headers[i], PDU_HELLO);
        port_script_answer_times(d->port, "AT+CMGR=1", text, 1);
        say(d, "\r\n+CMTI: \"SM\",1\r\n");
        dialogue_run(d, 10000);
        assert_int_equal(d->in_count, 1);
        assert_string_equal(d->in[0].text, PDU_HELLO);
        dialogue_free(d);
    }
}

/* Own messages in the store (stat 2, 3) are neither offered nor deleted; the listing lacks the alpha field
 * [Pantech]. */
static void own_messages_stay(void **state)
{
    struct dialogue *d = *state;

    port_script_answer_times(d->port, "AT+CMGL=4",
                             "\r\n+CMGL: 1,2,,24\r\n" PDU_HELLO "\r\n+CMGL: 2,3,,24\r\n" PDU_HELLO
                             "\r\n+CMGL: 3,1,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n",
                             1);
    modem_start(d->modem);
    dialogue_run(d, 10000);
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CMGD"), 1);
    assert_int_equal(port_script_count(d->port, "AT+CMGD=3"), 1);
}

/* The modem has lost PDU mode without a word: its answer is in text mode. It is set up again, and the message
 * read then. */
static void fallen_back_to_text_mode(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer_times(
        d->port, "AT+CMGR=1",
        "\r\n+CMGR: \"REC UNREAD\",\"+49\",,\"26/11/21,09:10:00+04\"\r\nHello\r\n\r\nOK\r\n", 1);
    port_script_answer_times(d->port, "AT+CMGL=4", "\r\n+CMGL: 1,0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n", 1);
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    dialogue_run(d, 10000);
    assert_int_equal(port_script_count(d->port, "AT+CMGF=0"), 1);
    assert_int_equal(d->in_count, 1);
    assert_false(d->in[0].malformed);
}

/* The slot is announced again while the gateway commits its first message: it is not deleted but read again,
 * since it may hold another message. */
static void slot_used_again(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    d->hold = true;
    port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    assert_int_equal(d->in_count, 1);
    d->carrier->ops->settle(d->carrier, d->in[0].token, true);
    dialogue_run(d, 100);
    assert_int_equal(d->in_count, 2);
    assert_int_equal(port_script_count(d->port, "AT+CMGD"), 0);
    d->carrier->ops->settle(d->carrier, d->in[1].token, true);
    dialogue_run(d, 100);
    assert_int_equal(port_script_count(d->port, "AT+CMGD"), 1);
}

/* Many at once: one listing instead of many readings. */
static void many_notices(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=*", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    for (int i = 1; i <= 8; i++) {
        char text[40];
        snprintf(text, sizeof(text), "\r\n+CMTI: \"SM\",%d\r\n", i);
        port_script_say(d->port, text);
    }
    dialogue_run(d, 1000);
    assert_int_equal(port_script_count(d->port, "AT+CMGL=4"), 1);
    assert_true(port_script_count(d->port, "AT+CMGR") <= 2);
}

/* A delete that fails is tried again. */
static void delete_fails_once(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGR=1", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer_times(d->port, "AT+CMGD=1", "\r\n+CMS ERROR: 314\r\n", 2);
    say(d, "\r\n+CMTI: \"SM\",1\r\n");
    dialogue_run(d, 10000);
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CMGD=1"), 3);
}

/* ---- sending ---- */

static void on_sent(struct carrier_submit *s, const struct carrier_outcome *o)
{
    (void)s;
    assert_int_equal(o->result, CARRIER_SENT);
}

static void send_part(struct dialogue *d, struct carrier_submit *s, bool more)
{
    static const uint8_t pdu[] = {0x00, 0x01, 0x00, 0x05, 0x91, 0x21, 0x43, 0xF5, 0x00, 0x04, 0x01, 0x41};

    *s = (struct carrier_submit){
        .pdu = pdu, .len = sizeof(pdu), .tpdu_len = sizeof(pdu) - 1, .more = more, .done = on_sent};
    assert_int_equal(d->carrier->ops->submit(d->carrier, s), 0);
    dialogue_run(d, 1000);
}

/* The radio link is held between the parts of one message, if the modem can; one that lists it and refuses it
 * [E1752] is not asked twice. */
static void link_held_between_parts(void **state)
{
    struct dialogue *d = *state;
    struct carrier_submit s;

    port_script_answer(d->port, "AT+CMMS=?", "\r\n+CMMS: (0-2)\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    send_part(d, &s, true);
    send_part(d, &s, true);
    send_part(d, &s, false);
    send_part(d, &s, false);
    assert_int_equal(port_script_count(d->port, "AT+CMGS=11"), 4);
    assert_int_equal(port_script_count(d->port, "AT+CMMS=1"), 1);
    port_script_answer(d->port, "AT+CMMS=1", "\r\n+CMS ERROR: 500\r\n");
    for (int i = 0; i < 3; i++) {
        send_part(d, &s, true);
        send_part(d, &s, false);
    }
    assert_int_equal(port_script_count(d->port, "AT+CMMS=1"), 2);
}

/* ---- the direct plan ---- */

static void direct(struct dialogue *d)
{
    const struct carrier_events *up = d->carrier->up;

    d->conf.plan = MODEM_PLAN_DIRECT;
    modem_free(d->modem);
    d->modem = modem_new(d->rt, port_script_source(d->port), &d->conf);
    d->carrier = modem_carrier(d->modem);
    d->carrier->up = up;
    d->carrier->up_owner = d;
    port_script_answer(d->port, "AT+CNMI?", "\r\n+CNMI: 2,2,0,1,0\r\n\r\nOK\r\n");
}

/* What comes on the line is acknowledged after it was settled, and not before. */
static void acknowledged_when_settled(void **state)
{
    struct dialogue *d = *state;

    direct(d);
    assert_true(dialogue_ready(d));
    d->hold = true;
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CNMA"), 0);
    d->carrier->ops->settle(d->carrier, d->in[0].token, true);
    dialogue_run(d, 100);
    assert_int_equal(port_script_count(d->port, "AT+CNMA"), 1);
}

/* AT+CNMA alone is refused [Huawei, ZTE]: AT+CNMA=0 is used, from then on at once. */
static void cnma_with_zero(void **state)
{
    struct dialogue *d = *state;

    direct(d);
    port_script_answer(d->port, "AT+CNMA", "\r\nERROR\r\n");
    assert_true(dialogue_ready(d));
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_true(dialogue_heard(d, "AT+CNMA\nAT+CNMA=0\n"));
    port_script_forget(d->port);
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_string_equal(port_script_heard(d->port), "AT+CNMA=0\n");
}

/* The acknowledgement came too late (340), and the modem has switched delivery off: it is switched on again.
 */
static void missed_acknowledgement(void **state)
{
    struct dialogue *d = *state;

    direct(d);
    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CNMA", "\r\n+CMS ERROR: 340\r\n");
    port_script_answer(d->port, "AT+CNMI?", "\r\n+CNMI: 2,0,0,0,0\r\n\r\nOK\r\n");
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_true(dialogue_heard(d, "AT+CNMA\nAT+CNMI?\nAT+CNMI=2,2,0,1,0\n"));
}

/* What cannot be stored is refused, so that the network keeps it. */
static void refused_when_not_stored(void **state)
{
    struct dialogue *d = *state;

    direct(d);
    assert_true(dialogue_ready(d));
    d->hold = true;
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    d->carrier->ops->settle(d->carrier, d->in[0].token, false);
    dialogue_run(d, 100);
    assert_int_equal(port_script_count(d->port, "AT+CNMA=2"), 1);
}

/* +CSMS=1 is not known, 128 is [Quectel M26]; where neither is, the store plan is used. */
static void csms_forms(void **state)
{
    struct dialogue *d = *state;
    struct modem_status s;

    direct(d);
    port_script_answer(d->port, "AT+CSMS=1", "\r\nERROR\r\n");
    assert_true(dialogue_ready(d));
    modem_get_status(d->modem, &s);
    assert_string_equal(s.receive_plan, "direct, AT+CNMI=2,2,0,1,0");
    direct(d);
    port_script_answer(d->port, "AT+CSMS=128", "\r\nERROR\r\n");
    port_script_answer(d->port, "AT+CNMI?", "\r\n+CNMI: 2,1,0,1,0\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    modem_get_status(d->modem, &s);
    assert_string_equal(s.receive_plan, "store, AT+CNMI=2,1,0,1,0");
}

/* Headers of +CMT and +CDS in all their forms, in the store plan too. */
static void header_forms(void **state)
{
    static const char *const headers[] = {"+CMT: ,24", "+CMT: \"\",24", "+CMT: \"name\",24", "+CMT: 24",
                                          "+CMT:,24"};
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        char text[200];
        snprintf(text, sizeof(text), "\r\n%s\r\n%s\r\n", headers[i], PDU_HELLO);
        say(d, text);
        assert_int_equal(d->in_count, i + 1);
        assert_string_equal(d->in[i].text, PDU_HELLO);
        assert_int_equal(d->in[i].tpdu_len, 24);
    }
    assert_int_equal(port_script_count(d->port, "AT+CNMA"), 0);
}

#define TRAP(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAP(pin_without_ok),
        TRAP(odd_pin_answers),
        TRAP(sms_not_ready_yet),
        TRAP(no_sms_at_all),
        TRAP(cpms_of_two_arguments),
        TRAP(cpms_of_bare_names),
        TRAP(sends_only),
        TRAP(cnmi_by_attempts),
        TRAP(cnmi_not_kept),
        TRAP(reports_in_a_store),
        TRAP(service_centre_forms),
        TRAP(own_number_forms),
        TRAP(imei_forms),
        TRAP(banner_in_mid_session),
        TRAP(notice_of_another_store),
        TRAP(notice_without_index),
        TRAP(full_notices),
        TRAP(empty_slots),
        TRAP(malformed_entries),
        TRAP(garbled_once),
        TRAP(garbled_headers),
        TRAP(own_messages_stay),
        TRAP(fallen_back_to_text_mode),
        TRAP(slot_used_again),
        TRAP(many_notices),
        TRAP(delete_fails_once),
        TRAP(link_held_between_parts),
        TRAP(acknowledged_when_settled),
        TRAP(cnma_with_zero),
        TRAP(missed_acknowledgement),
        TRAP(refused_when_not_stored),
        TRAP(csms_forms),
        TRAP(header_forms),
    };
    return cmocka_run_group_tests_name("traps", tests, NULL, NULL);
}
