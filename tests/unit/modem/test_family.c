/* What a profile changes: each field and each quirk in one dialogue. */
#include "tests/lib/dialogue_test.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define COMMANDS(...)                                                                                        \
    ((const struct profile_command[]){__VA_ARGS__}),                                                         \
        (int)(sizeof((const struct profile_command[]){__VA_ARGS__}) / sizeof(struct profile_command))

static struct profile_set set;
static const struct profile *only[1];

static void use(struct dialogue *d, const struct profile *p)
{
    only[0] = p;
    set = (struct profile_set){.profiles = only, .count = 1};
    d->conf.profiles = &set;
}

/* Starts it with a profile that matches the usual answers (ACME M1), and keeps what was said. */
static bool ready_with(struct dialogue *d, const struct profile *p)
{
    use(d, p);
    modem_start(d->modem);
    dialogue_run(d, 60000);
    return d->carrier->state == CARRIER_READY;
}

static struct modem_status status(struct dialogue *d)
{
    struct modem_status s;

    modem_get_status(d->modem, &s);
    return s;
}

#define MATCH .name = "acme", .title = "ACME", .models = LIST("M?")

/* The model chooses the profile, and the reason is told; gateway.conf's word goes before it. */
static void chosen(void **state)
{
    const struct profile p = {MATCH, .hint = "no SMS on Sundays"};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    assert_string_equal(status(d).profile, "acme");
    assert_non_null(strstr(status(d).profile_why, "M1"));
    assert_string_equal(status(d).hint, "no SMS on Sundays");
    struct dialogue *named = dialogue_new();
    named->conf.profile = "generic";
    assert_true(ready_with(named, &p));
    assert_string_equal(status(named).profile, "generic");
    dialogue_free(named);
}

/* Its commands come in their place; what fails among them is left out. */
static void commands(void **state)
{
    const struct profile p = {
        MATCH,
        .init = COMMANDS({"AT^CURC=0", false}, {"AT^PORTSEL=0", true}),
        .init_sim = COMMANDS({"AT+CLTS=0", false}),
        .charset = "IRA",
    };
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT^CURC=0", "\r\nCOMMAND NOT SUPPORT\r\n");
    assert_true(ready_with(d, &p));
    assert_true(dialogue_heard(d, "AT^CURC=0\nAT^PORTSEL=0\nAT+CFUN?\n"));
    assert_true(dialogue_heard(d, "AT+CMGF=0\nAT+CLTS=0\nAT+CSCS=\"IRA\"\n"));
}

/* Without a command that must be, the modem is not used. */
static void a_must(void **state)
{
    const struct profile p = {MATCH, .init = COMMANDS({"AT^PORTSEL=0", true})};
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT^PORTSEL=0", "\r\nERROR\r\n");
    assert_false(ready_with(d, &p));
    assert_non_null(strstr(d->carrier->reason, "AT^PORTSEL"));
}

/* +CNMI: the profile's attempts, then the others, none twice; the stores in its order. */
static void attempts(void **state)
{
    const struct profile p = {MATCH, .cnmi = LIST("1,1,0,1,0", "2,1,0,2,0"), .stores = LIST("ME", "SM")};
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPMS=?",
                       "\r\n+CPMS: (\"SM\",\"ME\"),(\"SM\",\"ME\"),(\"SM\",\"ME\")\r\n\r\nOK\r\n");
    port_script_answer(d->port, "AT+CNMI=*", "\r\nERROR\r\n");
    port_script_answer(d->port, "AT+CNMI=2,1,0,1,1", "\r\nOK\r\n");
    assert_true(ready_with(d, &p));
    assert_true(dialogue_heard(
        d, "AT+CNMI=1,1,0,1,0\nAT+CNMI=2,1,0,2,0\nAT+CNMI=2,1,0,1,0\nAT+CNMI=2,1,0,1,1\nAT+CNMI?\n"));
    assert_true(dialogue_heard(d, "AT+CPMS=\"ME\",\"ME\",\"ME\"\n"));
    assert_string_equal(status(d).receive_plan, "store, AT+CNMI=2,1,0,1,1");
}

/* A family for the direct plan gets it, with its values for +CSMS and its form of acknowledgement. */
static void direct(void **state)
{
    const struct profile p = {MATCH, .direct = true, .csms_direct = LIST("128"),
                              .cnmi_direct = LIST("1,2,0,1,0"), .ack = ACK_ONE};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    assert_string_equal(status(d).receive_plan, "direct, AT+CNMI=1,2,0,1,0");
    assert_true(dialogue_heard(d, "AT+CSMS=128\n"));
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CNMA=1"), 1);
}

/* SIM800: +CMT under +CSMS=1 is not acknowledged; reports are. */
static void unacknowledged(void **state)
{
    const struct profile p = {MATCH, .direct = true, .quirks = QUIRK_NO_CNMA_FOR_CMT};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    say(d, "\r\n+CMT: ,24\r\n" PDU_HELLO "\r\n");
    assert_int_equal(d->in_count, 1);
    assert_int_equal(port_script_count(d->port, "AT+CNMA"), 0);
    say(d, "\r\n+CDS: 25\r\n07919471060740F0062A0C91947117325476622101021000002211010210000000\r\n");
    assert_int_equal(d->in_count, 2);
    assert_int_equal(port_script_count(d->port, "AT+CNMA"), 1);
}

/* Lines that say nothing are not taken for the answer to a command without a prefix. */
static void noise(void **state)
{
    const struct profile p = {MATCH, .noise = LIST("NOISE")};
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CIMI", "\r\nNOISE 99999999\r\n\r\n262011234567890\r\n\r\nOK\r\n");
    assert_true(ready_with(d, &p));
    assert_string_equal(d->carrier->imsi, "262011234567890");
}

/* SMS commands fail until "SMS Ready", for longer than others would be waited for: tried again at the sign.
 */
static void ready_sign(void **state)
{
    const struct profile p = {MATCH, .ready_signs = LIST("+WIND: 4"), .ready_ms = 90000};
    struct dialogue *d = *state;

    use(d, &p);
    port_script_answer(d->port, "AT+CMGF=0", "\r\nERROR\r\n");
    modem_start(d->modem);
    dialogue_run(d, 60300);
    assert_int_equal(status(d).state, MODEM_INITIALISING);
    unsigned asked = port_script_count(d->port, "AT+CMGF=0");
    port_script_answer(d->port, "AT+CMGF=0", "\r\nOK\r\n");
    say(d, "\r\n+WIND: 4\r\n");
    assert_int_equal(port_script_count(d->port, "AT+CMGF=0"), asked + 1);
    dialogue_run(d, 2000);
    assert_int_equal(d->carrier->state, CARRIER_READY);
    assert_int_equal(status(d).recoveries, 0);
}

/* The profile's banner is a restart. */
static void banner(void **state)
{
    const struct profile p = {MATCH, .banners = LIST("*EMRDY: 1", "MODEM:STARTUP")};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    port_script_forget(d->port);
    say(d, "\r\nMODEM:STARTUP\r\n");
    dialogue_run(d, 5000);
    assert_int_equal(port_script_count(d->port, "AT+CMGF=0"), 1);
}

/* The signal where +CSQ knows none: the profile's commands first. */
static void signals(void **state)
{
    const struct profile huawei = {MATCH, .signal = LIST("AT+CSQ", "AT^HCSQ?")};
    const struct profile quectel = {MATCH, .signal = LIST("AT^HCSQ?", "AT+QCSQ")};
    const struct {
        const struct profile *p;
        int dbm;
    } cases[] = {{&huawei, -71}, {&quectel, -63}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dialogue *d = dialogue_new();
        port_script_answer(d->port, "AT+CSQ", "\r\n+CSQ: 99,99\r\n\r\nOK\r\n");
        if (cases[i].p == &huawei)
            port_script_answer(d->port, "AT^HCSQ?", "\r\n^HCSQ:\"LTE\",50,40,100,20\r\n\r\nOK\r\n");
        port_script_answer(d->port, "AT+QCSQ", "\r\n+QCSQ: \"LTE\",-63,-94,110,-10\r\n\r\nOK\r\n");
        assert_true(ready_with(d, cases[i].p));
        assert_int_equal(d->carrier->signal_dbm, cases[i].dbm);
        assert_int_equal(port_script_count(d->port, "AT+CESQ"), 0);
        dialogue_free(d);
    }
}

/* How many PIN tries are left, asked in the family's way where +CPINR is not known: with all three it is
 * entered, with two it is not. */
static void tries(void **state)
{
    static const struct profile_tries own[] = {{"AT+QPINC", "+QPINC:", 1}, {"AT^CPIN?", "^CPIN:", 2}};
    const struct profile p = {MATCH, .tries = own, .ntries = 2};
    static const struct {
        const char *answer;
        unsigned entered;
        int tries;
    } cases[] = {{"\r\n^CPIN: SIM PIN,3,3,10,3,10\r\n\r\nOK\r\n", 1, 3},
                 {"\r\n^CPIN: SIM PIN,3,2,10,3,10\r\n\r\nOK\r\n", 0, 2}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dialogue *d = dialogue_new();
        d->conf.pin = "1234";
        port_script_answer(d->port, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
        port_script_answer(d->port, "AT+CPINR", "\r\nERROR\r\n");
        port_script_answer(d->port, "AT+QPINC", "\r\nERROR\r\n");
        port_script_answer(d->port, "AT^CPIN?", cases[i].answer);
        ready_with(d, &p);
        assert_int_equal(port_script_count(d->port, "AT+CPIN="), cases[i].entered);
        assert_int_equal(status(d).pin_tries, cases[i].tries);
        dialogue_free(d);
    }
}

/* ---- sending ---- */

static struct carrier_outcome outcome;
static bool ended;

static void on_done(struct carrier_submit *s, const struct carrier_outcome *o)
{
    (void)s;
    outcome = *o;
    ended = true;
}

static void send_one(struct dialogue *d)
{
    static const uint8_t pdu[] = {0x00, 0x01, 0x00, 0x05, 0x91, 0x21, 0x43, 0xF5, 0x00, 0x04, 0x01, 0x41};
    static struct carrier_submit s;

    s = (struct carrier_submit){.pdu = pdu, .len = sizeof(pdu), .tpdu_len = sizeof(pdu) - 1, .done = on_done};
    ended = false;
    assert_int_equal(d->carrier->ops->submit(d->carrier, &s), 0);
    dialogue_run(d, 5000);
}

/* A vendor's own number has the class and the words that the profile gives it. */
static void vendor_errors(void **state)
{
    static const struct profile_error errors[] = {{531, CARRIER_E_MODEM, "ME storage full"}};
    const struct profile p = {MATCH, .errors = errors, .nerrors = 1};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    port_script_answer(d->port, "data", "\r\n+CMS ERROR: 531\r\n");
    send_one(d);
    assert_true(ended);
    assert_int_equal(outcome.error, CARRIER_E_MODEM);
    assert_string_equal(outcome.text, "+CMS ERROR: 531 (ME storage full)");
}

/* BG95 says 500 of what it has sent: nobody knows. */
static void sent_with_500(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_SENDS_WITH_500};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    port_script_answer(d->port, "data", "\r\n+CMS ERROR: 500\r\n");
    send_one(d);
    assert_int_equal(outcome.result, CARRIER_UNKNOWN);
}

/* MC7455: OK alone, at once, is all that comes of a message; on others it is too soon to be believed. */
static void sent_without_cmgs(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_SENT_WITHOUT_CMGS};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    port_script_answer(d->port, "data", "\r\nOK\r\n");
    send_one(d);
    assert_true(ended);
    assert_int_equal(outcome.result, CARRIER_SENT);
    assert_int_equal(outcome.mr, -1);
}

/* MC7455 with its GPS on: the first OK belongs to the prompt. */
static void ok_before_pdu(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_OK_BEFORE_PDU | QUIRK_SENT_WITHOUT_CMGS};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    port_script_answer(d->port, "AT+CMGS=*", "\r\n> \r\nOK\r\n");
    port_script_answer(d->port, "data", "\r\n+CMGS: 9\r\n\r\nOK\r\n");
    send_one(d);
    assert_true(ended);
    assert_int_equal(outcome.result, CARRIER_SENT);
    assert_int_equal(outcome.mr, 9);
}

/* The link is not held where the family cannot; a longer time for the network's answer is given. */
static void cmms_and_times(void **state)
{
    const struct profile p = {MATCH, .cmms = CMMS_OFF, .timeout_ms = {[AT_SEND] = 420000}};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    assert_int_equal(port_script_count(d->port, "AT+CMMS"), 0);
    port_script_answer(d->port, "data", "");
    send_one(d);
    dialogue_run(d, 400000);
    assert_false(ended);
    port_script_say(d->port, "\r\n+CMGS: 3\r\n\r\nOK\r\n");
    dialogue_run(d, 1000);
    assert_true(ended);
    assert_int_equal(outcome.mr, 3);
}

/* Wavecom: no command follows a message for a moment. */
static void rest_behind_send(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_CME_515_AFTER_SEND};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    port_script_forget(d->port);
    static const uint8_t pdu[] = {0x00, 0x01, 0x00, 0x05, 0x91, 0x21, 0x43, 0xF5, 0x00, 0x04, 0x01, 0x41};
    struct carrier_submit s = {.pdu = pdu, .len = sizeof(pdu), .tpdu_len = sizeof(pdu) - 1, .done = on_done};
    ended = false;
    assert_int_equal(d->carrier->ops->submit(d->carrier, &s), 0);
    for (int i = 0; i < 1000 && !ended; i++)
        dialogue_run(d, 1);
    port_script_say(d->port, "\r\n+CMTI: \"SM\",3\r\n");
    dialogue_run(d, 50);
    assert_int_equal(port_script_count(d->port, "AT+CMGR"), 0);
    dialogue_run(d, 1000);
    assert_int_equal(port_script_count(d->port, "AT+CMGR=3"), 1);
}

/* ---- stores ---- */

/* SIM600: the delete of one part takes the others with it; so all are read before the first delete. */
static void siblings(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_DELETES_SIBLINGS};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    port_script_forget(d->port);
    port_script_answer(d->port, "AT+CMGR=*", "\r\n+CMGR: 0,,24\r\n" PDU_HELLO "\r\n\r\nOK\r\n");
    say(d, "\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n\r\n+CMTI: \"SM\",3\r\n");
    dialogue_run(d, 1000);
    assert_int_equal(d->in_count, 3);
    assert_true(dialogue_heard(d, "AT+CMGR=1\nAT+CMGR=2\nAT+CMGR=3\nAT+CMGD=1\nAT+CMGD=2\nAT+CMGD=3\n"));
}

/* T77W968 receives only after mem3 went through all stores. */
static void store_cycle(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_CPMS_CYCLE, .stores = LIST("ME")};
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CPMS=?",
                       "\r\n+CPMS: (\"SM\",\"ME\"),(\"SM\",\"ME\"),(\"SM\",\"ME\",\"MT\")\r\n\r\nOK\r\n");
    assert_true(ready_with(d, &p));
    assert_true(dialogue_heard(d, "AT+CPMS=\"ME\",\"ME\",\"ME\"\nAT+CPMS=\"ME\",\"ME\",\"ME\"\n"
                                  "AT+CPMS=\"ME\",\"ME\",\"MT\"\nAT+CPMS=\"ME\",\"ME\",\"SM\"\n"
                                  "AT+CPMS=\"ME\",\"ME\",\"ME\"\nAT+CPMS=\"ME\",\"ME\",\"ME\"\n"));
}

/* ZTE: the SIM's commands fail for a while behind its PIN. */
static void settles_after_pin(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_SETTLE_AFTER_PIN};
    struct dialogue *d = *state;

    d->conf.pin = "1234";
    port_script_answer_times(d->port, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n", 1);
    port_script_answer_times(d->port, "AT+CPMS=?", "\r\n+CME ERROR: 100\r\n", 5);
    port_script_answer_times(d->port, "AT+CSCA?", "\r\nERROR\r\n", 5);
    assert_true(ready_with(d, &p));
    assert_int_equal(port_script_count(d->port, "AT+CPMS=?"), 6);
    assert_string_equal(status(d).smsc, "+491710760000");
}

/* Telit for Verizon is told to speak 3GPP's format. */
static void format(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_3GPP2_FORMAT};
    struct dialogue *d = *state;

    assert_true(ready_with(d, &p));
    assert_int_equal(port_script_count(d->port, "AT#SMSFORMAT=0"), 1);
}

/* E160: a listing is waited for at the end, as breaking it off hangs the modem. */
static void stopped_flag(void *owner)
{
    *(bool *)owner = true;
}

static void listing_uninterrupted(void **state)
{
    const struct profile p = {MATCH, .quirks = QUIRK_LISTING_UNINTERRUPTED};
    struct dialogue *d = *state;
    bool stopped = false;

    assert_true(ready_with(d, &p));
    port_script_answer(d->port, "AT+CMGL=4", "");
    say(d, "\r\n^SMMEMFULL: \"SM\"\r\n");
    modem_stop(d->modem, 30000, stopped_flag, &stopped);
    dialogue_run(d, 5000);
    assert_false(stopped);
    port_script_say(d->port, "\r\nOK\r\n");
    dialogue_run(d, 1000);
    assert_true(stopped);
}

/* ---- ports that are not the one ---- */

/* GPS positions on the configured port: said so. */
static void gps_port(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT*", "");
    modem_start(d->modem);
    dialogue_run(d, 500);
    port_script_say(d->port, "$GPGSV,1,1,00*79\r\n");
    dialogue_run(d, 500);
    assert_int_equal(status(d).state, MODEM_BACKOFF);
    assert_non_null(strstr(d->carrier->reason, "GPS"));
}

/* A port that answers AT, and ERROR to everything else: said so, without climbing the ladder. */
static void audio_port(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+*", "\r\nERROR\r\n");
    modem_start(d->modem);
    dialogue_run(d, 3000);
    assert_int_equal(status(d).state, MODEM_BACKOFF);
    assert_non_null(strstr(d->carrier->reason, "not the modem's AT port"));
    assert_int_equal(status(d).recoveries, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAP(chosen),
        TRAP(commands),
        TRAP(a_must),
        TRAP(attempts),
        TRAP(direct),
        TRAP(unacknowledged),
        TRAP(noise),
        TRAP(ready_sign),
        TRAP(banner),
        TRAP(signals),
        TRAP(tries),
        TRAP(vendor_errors),
        TRAP(sent_with_500),
        TRAP(sent_without_cmgs),
        TRAP(ok_before_pdu),
        TRAP(cmms_and_times),
        TRAP(rest_behind_send),
        TRAP(siblings),
        TRAP(store_cycle),
        TRAP(settles_after_pin),
        TRAP(format),
        TRAP(listing_uninterrupted),
        TRAP(gps_port),
        TRAP(audio_port),
    };
    return cmocka_run_group_tests_name("profiles in use", tests, NULL, NULL);
}
