/* What an administrator is told, in words, and when it is over: the device, the SIM, the network, the service
 * centre, the credit, the memory. */
#include "tests/lib/dialogue_test.h"

static const char *alarm_text(const struct dialogue *d, enum carrier_alarm a)
{
    return d->carrier->alarms[a].on ? d->carrier->alarms[a].text : "";
}

static void assert_alarm(const struct dialogue *d, enum carrier_alarm a, const char *word)
{
    if (!strstr(alarm_text(d, a), word))
        print_message("alarm %s: \"%s\"\n", carrier_alarm_name(a), alarm_text(d, a));
    assert_true(d->carrier->alarms[a].on);
    assert_non_null(strstr(alarm_text(d, a), word));
}

static void assert_none(const struct dialogue *d)
{
    for (int a = 0; a < CARRIER_ALARMS; a++)
        assert_string_equal(alarm_text(d, (enum carrier_alarm)a), "");
}

/* ---- the device ---- */

/* Pulled out: told after a minute, not before. */
static void absent(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    assert_none(d);
    port_script_unplug(d->port);
    dialogue_run(d, 50000);
    assert_none(d);
    dialogue_run(d, 25000);
    assert_alarm(d, CARRIER_ALARM_ABSENT, "no such device");
}

/* Its supply breaks down again and again: told at the third restart of a row, and over after ten calm
 * minutes; one restart alone is no alarm. */
static void restarts(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    for (int i = 0; i < 3; i++) {
        assert_none(d);
        say(d, "\r\nRDY\r\n\r\nAPP RDY\r\n");
        dialogue_run(d, 60000);
        assert_int_equal(d->carrier->state, CARRIER_READY);
    }
    assert_alarm(d, CARRIER_ALARM_RESTARTS, "supply");
    dialogue_run(d, 900000);
    assert_none(d);
}

/* ---- the network ---- */

/* The network says no: told after a minute, in words, and over with the registration. */
static void denied(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CREG?", "\r\n+CREG: 1,3\r\n\r\nOK\r\n");
    modem_start(d->modem);
    dialogue_run(d, 30000);
    assert_none(d);
    dialogue_run(d, 90000);
    assert_alarm(d, CARRIER_ALARM_NETWORK, "refuses the SIM");
    say(d, "\r\n+CREG: 1\r\n");
    assert_int_equal(d->carrier->state, CARRIER_READY);
    assert_none(d);
}

/* No network for ten minutes, though the radio is switched off and on meanwhile. */
static void no_network(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CREG?", "\r\n+CREG: 1,2\r\n\r\nOK\r\n");
    say(d, "\r\n+CREG: 2\r\n");
    dialogue_run(d, 540000);
    assert_none(d);
    dialogue_run(d, 180000);
    assert_alarm(d, CARRIER_ALARM_NETWORK, "10 minutes");
    assert_int_equal(port_script_count(d->port, "AT+CFUN=4"), 1);
    dialogue_run(d, 600000);
    assert_alarm(d, CARRIER_ALARM_NETWORK, "antenna");
    port_script_answer(d->port, "AT+CREG?", "\r\n+CREG: 1,1\r\n\r\nOK\r\n");
    dialogue_run(d, 61000);
    assert_int_equal(d->carrier->state, CARRIER_READY);
    assert_none(d);
}

/* A modem that had no network and is pulled out is absent, and nothing else. */
static void offline_and_pulled(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CREG?", "\r\n+CREG: 1,3\r\n\r\nOK\r\n");
    modem_start(d->modem);
    dialogue_run(d, 150000);
    assert_alarm(d, CARRIER_ALARM_NETWORK, "refuses the SIM");
    port_script_unplug(d->port);
    dialogue_run(d, 1000);
    assert_none(d);
    dialogue_run(d, 90000);
    assert_alarm(d, CARRIER_ALARM_ABSENT, "no such device");
    assert_false(d->carrier->alarms[CARRIER_ALARM_NETWORK].on);
}

/* ---- the service centre ---- */

/* The SIM has no service centre: told; over when one is configured, or a message went out nevertheless. */
static void no_service_centre(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CSCA?", "\r\n+CSCA: \"\",129\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    assert_alarm(d, CARRIER_ALARM_SMSC, "modems[].smsc");
    d->conf.smsc = "+491722270333";
    say(d, "\r\nRDY\r\n");
    dialogue_run(d, 5000);
    assert_none(d);
}

/* ---- messages ---- */

static struct carrier_outcome outcome;

static void on_done(struct carrier_submit *s, const struct carrier_outcome *o)
{
    (void)s;
    outcome = *o;
}

static void send_to(struct dialogue *d, uint8_t last_octet)
{
    static uint8_t pdu[] = {0x00, 0x01, 0x00, 0x06, 0x91, 0x21, 0x43, 0x65, 0x00, 0x04, 0x01, 0x41};
    static struct carrier_submit s;

    pdu[7] = last_octet;
    s = (struct carrier_submit){.pdu = pdu, .len = sizeof(pdu), .tpdu_len = sizeof(pdu) - 1, .done = on_done};
    assert_int_equal(d->carrier->ops->submit(d->carrier, &s), 0);
    dialogue_run(d, 5000);
}

/* CMS 38 again and again to one number may be that number's fault; to several it is the SIM's: its credit is
 * asked for. Over with the first message that goes out. */
static void no_credit(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "data", "\r\n+CMS ERROR: 38\r\n");
    for (int i = 0; i < 5; i++)
        send_to(d, 0x65);
    assert_none(d);
    port_script_answer(d->port, "data", "\r\n+CMS ERROR: 21\r\n");
    send_to(d, 0x66);
    assert_alarm(d, CARRIER_ALARM_CREDIT, "credit");
    port_script_answer(d->port, "data", "\r\n+CMGS: 1\r\n\r\nOK\r\n");
    send_to(d, 0x65);
    assert_int_equal(outcome.result, CARRIER_SENT);
    assert_none(d);
}

/* An error of the message itself is not one of the SIM. */
static void bad_messages_are_no_run(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "data", "\r\n+CMS ERROR: 304\r\n");
    for (uint8_t i = 0; i < 6; i++)
        send_to(d, i);
    assert_none(d);
}

/* +CMS ERROR: 330 says that the modem knows no service centre. */
static void service_centre_unknown(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "data", "\r\n+CMS ERROR: 330\r\n");
    send_to(d, 0x65);
    assert_alarm(d, CARRIER_ALARM_SMSC, "modems[].smsc");
    port_script_answer(d->port, "data", "\r\n+CMGS: 1\r\n\r\nOK\r\n");
    send_to(d, 0x65);
    assert_none(d);
}

/* ---- the SIM ---- */

/* Each state of the SIM that needs a person is an alarm with what to do, and over when the SIM is usable. */
static void locked_sims(void **state)
{
    static const struct {
        const char *answer, *word;
    } cases[] = {
        {"\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n", "modems[].pin"},
        {"\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n", "PUK"},
        {"\r\n+CPIN: SIM BLOCKED\r\n\r\nOK\r\n", "replace it"},
        {"\r\n+CPIN: PH-SIM PIN\r\n\r\nOK\r\n", "locked to another"},
        {"\r\n+CPIN: NOT INSERTED\r\n\r\nOK\r\n", "no SIM"},
        {"\r\n+CME ERROR: 10\r\n", "no SIM"},
        {"\r\n+CME ERROR: 12\r\n", "PUK"},
        {"\r\n+CME ERROR: 13\r\n", "clean or replace"},
        {"\r\n+CME ERROR: 15\r\n", "another network"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dialogue *d = dialogue_new();
        port_script_answer(d->port, "AT+CPIN?", cases[i].answer);
        modem_start(d->modem);
        dialogue_run(d, 60000);
        assert_int_equal(d->carrier->state, CARRIER_LOCKED);
        assert_alarm(d, CARRIER_ALARM_SIM, cases[i].word);
        port_script_answer(d->port, "AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n");
        dialogue_run(d, 200000);
        assert_int_equal(d->carrier->state, CARRIER_READY);
        assert_none(d);
        dialogue_free(d);
    }
}

/* A SIM that stays busy, or never gets ready: told, and the modem restarted meanwhile. */
static void busy_sims(void **state)
{
    static const char *const answers[] = {"\r\n+CME ERROR: 14\r\n", "\r\n+CPIN: NOT READY\r\n\r\nOK\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct dialogue *d = dialogue_new();
        port_script_answer(d->port, "AT+CPIN?", answers[i]);
        modem_start(d->modem);
        dialogue_run(d, 20000);
        assert_none(d);
        dialogue_run(d, 20000);
        assert_alarm(d, CARRIER_ALARM_SIM, "does not get ready");
        dialogue_run(d, 120000);
        assert_true(port_script_count(d->port, "AT+CFUN=1,1") >= 1);
        port_script_answer(d->port, "AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n");
        dialogue_run(d, 330000);
        assert_int_equal(d->carrier->state, CARRIER_READY);
        assert_none(d);
        dialogue_free(d);
    }
}

/* A vendor's notice about the SIM is looked into at once, when it is pulled and when it is back. */
static void sim_notices(void **state)
{
    static const char *const notices[] = {"^SIMST:255", "#QSS: 0", "+QSIMSTAT: 1,0", "+UUSIMSTAT: 0",
                                          "^SCKS: 0"};
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    for (size_t i = 0; i < ARRAY_LEN(notices); i++) {
        char text[40];
        snprintf(text, sizeof(text), "\r\n%s\r\n", notices[i]);
        port_script_answer(d->port, "AT+CPIN?", "\r\n+CME ERROR: 10\r\n");
        say(d, text);
        dialogue_run(d, 3000);
        assert_int_equal(d->carrier->state, CARRIER_LOCKED);
        assert_alarm(d, CARRIER_ALARM_SIM, "no SIM");
        port_script_answer(d->port, "AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n");
        say(d, text);
        dialogue_run(d, 3000);
        assert_int_equal(d->carrier->state, CARRIER_READY);
        assert_none(d);
    }
}

/* Another SIM than before is used, and told, until the old one is back or an operator accepts it. */
static void another_sim(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CIMI", "\r\n262019999999999\r\n\r\nOK\r\n");
    say(d, "\r\nRDY\r\n");
    dialogue_run(d, 700000);
    assert_int_equal(d->carrier->state, CARRIER_READY);
    assert_alarm(d, CARRIER_ALARM_SIM, "9999");
    assert_null(strstr(alarm_text(d, CARRIER_ALARM_SIM), "26201"));
    port_script_answer(d->port, "AT+CIMI", "\r\n262011234567890\r\n\r\nOK\r\n");
    say(d, "\r\nRDY\r\n");
    dialogue_run(d, 700000);
    assert_none(d);
    port_script_answer(d->port, "AT+CIMI", "\r\n262019999999999\r\n\r\nOK\r\n");
    say(d, "\r\nRDY\r\n");
    dialogue_run(d, 700000);
    assert_alarm(d, CARRIER_ALARM_SIM, "changed");
    modem_unlock(d->modem);
    assert_none(d);
    say(d, "\r\nRDY\r\n");
    dialogue_run(d, 700000);
    assert_none(d);
}

/* ---- complaint 7: SIM or modem memory full, and nothing comes in any more ---- */

#define STORES(s) "\r\n+CPMS: (\"SM\"" s "),(\"SM\"" s "),(\"SM\"" s ")\r\n\r\nOK\r\n"

/* Full of messages: they are read, stored and deleted, and there is room again, without a word to anybody. */
static void complaint_07_memory_full(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer_times(
        d->port, "AT+CMGL=4",
        "\r\n+CMGL: 1,0,,24\r\n" PDU_HELLO "\r\n+CMGL: 2,0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n", 1);
    port_script_answer(d->port, "AT+CPMS?", "\r\n+CPMS: \"SM\",0,2,\"SM\",0,2,\"SM\",0,2\r\n\r\nOK\r\n");
    say(d, "\r\n^SMMEMFULL: \"SM\"\r\n");
    dialogue_run(d, 3000);
    assert_int_equal(d->in_count, 2);
    assert_int_equal(port_script_count(d->port, "AT+CMGD="), 2);
    assert_int_equal(port_script_count(d->port, "AT+CPMS?"), 1);
    assert_none(d);
}

/* Full of drafts that are not ours: messages are received into another store. */
static void complaint_07_full_of_drafts(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPMS=?", STORES(",\"ME\""));
    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGL=4", "\r\n+CMGL: 1,2,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CPMS?", "\r\n+CPMS: \"SM\",1,1,\"SM\",1,1,\"SM\",1,1\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CPMS=\"*", "\r\n+CPMS: 1,1,1,1,0,23\r\n\r\nOK\r\n");
    say(d, "\r\n+SMS FULL\r\n");
    dialogue_run(d, 3000);
    assert_int_equal(port_script_count(d->port, "AT+CPMS=\"ME\",\"SM\",\"ME\"") +
                         port_script_count(d->port, "AT+CPMS=\"SM\",\"SM\",\"ME\""),
                     1);
    assert_int_equal(port_script_count(d->port, "AT+CMGD="), 0);
    assert_none(d);
}

/* Not into one that cannot be read. */
static void complaint_07_other_store_is_unreadable(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPMS=?",
                       "\r\n+CPMS: (\"SM\"),(\"SM\",\"ME\"),(\"SM\",\"ME\")\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGL=4", "\r\n+CMGL: 1,2,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CPMS?", "\r\n+CPMS: \"SM\",1,1,\"SM\",1,1,\"SM\",1,1\r\n\r\nOK\r\n");
    say(d, "\r\n+SMS FULL\r\n");
    dialogue_run(d, 3000);
    assert_int_equal(port_script_count(d->port, "AT+CPMS=\"SM\",\"SM\",\"ME\""), 0);
    assert_alarm(d, CARRIER_ALARM_MEMORY, "1 of 1");
}

/* And where there is no other: told, with what to do, looked at again every few minutes, and over when there
 * is room. A refused message (CMS 322) says the same as a notice. */
static void complaint_07_stays_full(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGL=4", "\r\n+CMGL: 1,3,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CPMS?",
                       "\r\n+CPMS: \"SM\",30,30,\"SM\",30,30,\"SM\",30,30\r\n\r\nOK\r\n");
    port_script_answer(d->port, "data", "\r\n+CMS ERROR: 322\r\n");
    send_to(d, 0x65);
    assert_alarm(d, CARRIER_ALARM_MEMORY, "30 of 30");
    dialogue_run(d, 400000);
    assert_true(port_script_count(d->port, "AT+CPMS?") >= 2);
    assert_alarm(d, CARRIER_ALARM_MEMORY, "telephone");
    port_script_answer(d->port, "AT+CPMS?", "\r\n+CPMS: \"SM\",2,30,\"SM\",2,30,\"SM\",2,30\r\n\r\nOK\r\n");
    dialogue_run(d, 200000);
    assert_none(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAP(absent),
        TRAP(restarts),
        TRAP(denied),
        TRAP(no_network),
        TRAP(offline_and_pulled),
        TRAP(no_service_centre),
        TRAP(no_credit),
        TRAP(bad_messages_are_no_run),
        TRAP(service_centre_unknown),
        TRAP(locked_sims),
        TRAP(busy_sims),
        TRAP(sim_notices),
        TRAP(another_sim),
        TRAP(complaint_07_memory_full),
        TRAP(complaint_07_full_of_drafts),
        TRAP(complaint_07_other_store_is_unreadable),
        TRAP(complaint_07_stays_full),
    };
    return cmocka_run_group_tests_name("alarms", tests, NULL, NULL);
}
