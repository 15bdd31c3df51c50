/* Modems that answer otherwise than the standard says, or than others do, while they are set up and sent
 * through. Each test names the trap; the modems on which it was met are in brackets. */
#include "tests/lib/dialogue_test.h"

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

/* What a vendor says about the SIM is looked into, and a SIM of which nothing but the PIN2 is wanted, or a
 * modem that knows no AT+CPIN?, is let be. */
static void notices_about_a_usable_sim(void **state)
{
    static const char *const answers[] = {"+CPIN: SIM PIN2\r\n\r\nOK\r\n", "+CPIN: SIM PUK2\r\n\r\nOK\r\n",
                                          "ERROR\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct dialogue *d = dialogue_new();
        port_script_answer(d->port, "AT+CPIN?", answers[i]);
        assert_true(dialogue_ready(d));
        port_script_say(d->port, "\r\n^SIMST:1\r\n");
        dialogue_run(d, 5000);
        assert_int_equal(port_script_count(d->port, "AT+CPIN?"), 1);
        assert_int_equal(port_script_count(d->port, "AT+CMGF=0"), 0);
        assert_int_equal(d->carrier->state, CARRIER_READY);
        dialogue_free(d);
    }
}

/* What is to be asked waits for what is being asked, and none of it is forgotten over another: it registers
 * and tells of its SIM while it is asked for the network. */
static void all_that_waits_is_asked(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    dialogue_run(d, 5000);
    port_script_say(d->port, "\r\n+CREG: 2\r\n");
    port_script_answer_times(d->port, "AT+CREG?", "", 1);
    port_script_forget(d->port);
    for (int i = 0; i < 100 && port_script_count(d->port, "AT+CREG?") == 0; i++)
        dialogue_run(d, 100);
    port_script_say(d->port, "\r\n+CREG: 1\r\n\r\n^SIMST:1\r\n");
    dialogue_run(d, 60000);
    assert_int_equal(d->carrier->state, CARRIER_READY);
    assert_int_equal(port_script_count(d->port, "AT+COPS?"), 1);
    assert_int_equal(port_script_count(d->port, "AT+CPIN?"), 1);
}

/* The SIM is out, which some say in words of their own: the modem waits for it and is not set up again and
 * again. */
static void sim_removed_in_words(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPIN?", "+CPIN: SIM REMOVED\r\n\r\nOK\r\n");
    modem_start(d->modem);
    dialogue_run(d, 20000);
    assert_int_equal(d->carrier->state, CARRIER_LOCKED);
    port_script_forget(d->port);
    dialogue_run(d, 600000);
    port_script_say(d->port, "\r\n+CPIN: SIM REMOVED\r\n");
    dialogue_run(d, 20000);
    assert_int_equal(port_script_count(d->port, "ATE0"), 0);
    port_script_answer(d->port, "AT+CPIN?", "+CPIN: READY\r\n\r\nOK\r\n");
    dialogue_run(d, 300000);
    assert_int_equal(d->carrier->state, CARRIER_READY);
}

/* The SIM is busy when it gets its PIN, or says nothing at all: the PIN is not sent again, and what the SIM
 * says next decides. */
static void pin_entry_unanswered(void **state)
{
    static const char *const answers[] = {"\r\n+CME ERROR: 14\r\n", "", "\r\nERROR\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct dialogue *d = dialogue_new();
        d->conf.pin = "1234";
        port_script_answer_times(d->port, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n", 3);
        port_script_answer(d->port, "AT+CPIN=\"1234\"", answers[i]);
        modem_start(d->modem);
        dialogue_run(d, 120000);
        assert_int_equal(d->carrier->state, CARRIER_READY);
        assert_int_equal(port_script_count(d->port, "AT+CPIN="), 1);
        dialogue_free(d);
    }
}

/* The modem does not answer when asked for the tries left, again and again: the PIN is not entered blindly
 * more than once, nor is an empty one. */
static void tries_unanswered(void **state)
{
    static const char *const pins[] = {"1234", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pins); i++) {
        struct dialogue *d = dialogue_new();
        d->conf.pin = pins[i];
        port_script_answer(d->port, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
        port_script_answer(d->port, "AT+CPINR", "");
        port_script_answer(d->port, "AT+CPIN=*", "\r\n+CME ERROR: 16\r\n");
        modem_start(d->modem);
        dialogue_run(d, 3600000);
        assert_int_not_equal(d->carrier->state, CARRIER_READY);
        assert_true(port_script_count(d->port, "AT+CPIN=") <= 1);
        assert_int_equal(port_script_count(d->port, "AT+CPIN=\"\""), 0);
        dialogue_free(d);
    }
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
    assert_true(d->carrier->alarms[CARRIER_ALARM_HUNG].on);
    assert_non_null(strstr(d->carrier->alarms[CARRIER_ALARM_HUNG].text, "no SMS"));
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

/* ---- sending ---- */

static void on_sent(struct carrier_submit *s, const struct carrier_outcome *o)
{
    (void)s;
    assert_int_equal(o->result, CARRIER_SENT);
}

static void on_refused(struct carrier_submit *s, const struct carrier_outcome *o)
{
    (void)s;
    assert_int_not_equal(o->result, CARRIER_SENT);
}

static void submit_part(struct dialogue *d, struct carrier_submit *s, bool more,
                        void (*done)(struct carrier_submit *, const struct carrier_outcome *))
{
    static const uint8_t pdu[] = {0x00, 0x01, 0x00, 0x05, 0x91, 0x21, 0x43, 0xF5, 0x00, 0x04, 0x01, 0x41};

    *s = (struct carrier_submit){
        .pdu = pdu, .len = sizeof(pdu), .tpdu_len = sizeof(pdu) - 1, .more = more, .done = done};
    assert_int_equal(d->carrier->ops->submit(d->carrier, s), 0);
    dialogue_run(d, 1000);
}

static void send_part(struct dialogue *d, struct carrier_submit *s, bool more)
{
    submit_part(d, s, more, on_sent);
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
    assert_int_equal(port_script_count(d->port, "AT+CMMS=2"), 1);
    assert_int_equal(port_script_count(d->port, "AT+CMMS=0"), 1);
    port_script_answer(d->port, "AT+CMMS=2", "\r\n+CMS ERROR: 500\r\n");
    for (int i = 0; i < 3; i++) {
        send_part(d, &s, true);
        send_part(d, &s, false);
    }
    assert_int_equal(port_script_count(d->port, "AT+CMMS=2"), 2);
    say(d, "\r\nRDY\r\n");
    dialogue_run(d, 10000);
    send_part(d, &s, true);
    assert_int_equal(port_script_count(d->port, "AT+CMMS=2"), 2);
    assert_true(d->carrier->seconds_per_part >= 0);
}

/* A modem that knows AT+CMMS=1 only lets go of the link by itself: it is not told 0. */
static void link_let_go_by_itself(void **state)
{
    struct dialogue *d = *state;
    struct carrier_submit s;

    port_script_answer(d->port, "AT+CMMS=?", "\r\n+CMMS: (0,1)\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    send_part(d, &s, true);
    send_part(d, &s, false);
    assert_int_equal(port_script_count(d->port, "AT+CMMS=1"), 1);
    assert_int_equal(port_script_count(d->port, "AT+CMMS=0"), 0);
}

/* A modem that has restarted without a word and lost its settings refuses with a bare ERROR: it is set up
 * anew, and holds the link between parts as before. */
static void link_held_behind_a_bare_error(void **state)
{
    struct dialogue *d = *state;
    struct carrier_submit s;

    port_script_answer(d->port, "AT+CMMS=?", "\r\n+CMMS: (0-2)\r\n\r\nOK\r\n");
    assert_true(dialogue_ready(d));
    port_script_answer_times(d->port, "AT+CMGS=11", "\r\nERROR\r\n", 1);
    submit_part(d, &s, true, on_refused);
    dialogue_run(d, 10000);
    assert_int_equal(port_script_count(d->port, "AT+CMEE=1"), 1);
    port_script_forget(d->port);
    send_part(d, &s, true);
    assert_int_equal(port_script_count(d->port, "AT+CMMS=2"), 1);
}

/* One that has no numbers for errors has lost nothing when it says ERROR. */
static void bare_errors_as_usual(void **state)
{
    struct dialogue *d = *state;
    struct carrier_submit s;

    port_script_answer(d->port, "AT+CMEE=1", "\r\nERROR\r\n");
    assert_true(dialogue_ready(d));
    port_script_answer_times(d->port, "AT+CMGS=11", "\r\nERROR\r\n", 1);
    submit_part(d, &s, false, on_refused);
    assert_int_equal(d->carrier->state, CARRIER_READY);
    dialogue_run(d, 10000);
    assert_int_equal(port_script_count(d->port, "AT+CMEE=1"), 0);
}

/* One that answers, but gives no prompts, has all the time it needs to switch its radio off. */
static void slow_radio_behind_missing_prompts(void **state)
{
    struct dialogue *d = *state;
    struct carrier_submit s;

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMEE?", "\r\n+CMEE: 1\r\n\r\nOK\r\n"); /* it is in step again */
    port_script_answer(d->port, "AT+CMEE=?", "\r\n+CMEE: (0-2)\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CSCS?", "\r\n+CSCS: \"IRA\"\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CMGS=11", "");
    port_script_answer_times(d->port, "AT+CFUN=4", "", 1);
    for (int i = 0; i < 3; i++) {
        submit_part(d, &s, false, on_refused);
        dialogue_run(d, 15000);
    }
    assert_int_equal(port_script_count(d->port, "AT+CFUN=4"), 1);
    assert_int_equal(port_script_count(d->port, "AT+CFUN=1"), 0);
    say(d, "\r\nOK\r\n");
    dialogue_run(d, 500);
    assert_int_equal(port_script_count(d->port, "AT+CFUN=1"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAP(pin_without_ok),        TRAP(odd_pin_answers),
        TRAP(pin_entry_unanswered),  TRAP(notices_about_a_usable_sim),
        TRAP(sim_removed_in_words),  TRAP(all_that_waits_is_asked),
        TRAP(tries_unanswered),      TRAP(sms_not_ready_yet),
        TRAP(no_sms_at_all),         TRAP(cpms_of_two_arguments),
        TRAP(cpms_of_bare_names),    TRAP(sends_only),
        TRAP(cnmi_by_attempts),      TRAP(cnmi_not_kept),
        TRAP(reports_in_a_store),    TRAP(service_centre_forms),
        TRAP(own_number_forms),      TRAP(imei_forms),
        TRAP(banner_in_mid_session), TRAP(link_held_between_parts),
        TRAP(link_let_go_by_itself), TRAP(link_held_behind_a_bare_error),
        TRAP(bare_errors_as_usual),  TRAP(slow_radio_behind_missing_prompts),
    };
    return cmocka_run_group_tests_name("traps: set-up and sending", tests, NULL, NULL);
}
