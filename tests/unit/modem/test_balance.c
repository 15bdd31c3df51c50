/* The balance: amounts in sentences, when it is asked, the alarm. */
#include "tests/lib/dialogue_test.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

/* Amounts as networks write them, with and without a pattern. */
static void amounts(void **state)
{
    static const struct {
        const char *text, *pattern;
        int64_t milli; /* -1: none */
    } cases[] = {
        {"Your balance is 5.00 EUR", "", 5000},
        {"Kontostand: 1.234,56 EUR", "", 1234560},
        {"Balance: $1,234.56 valid till 21/11/2026", "", 1234560},
        {"Bal 12 EUR", "", 12000},
        {"On 21.11.2026 10:15 your balance was 3,20 EUR", "", 3200},
        {"Dial *100# for more. Credit 0.51 p.", "", 510},
        {"Ihr Guthaben: 1.234 EUR", "", 1234000},
        {"1'234.50 CHF", "", 1234500},
        {"1 234,50", "", 234500}, /* a blank may as well stand between two numbers */
        {"0.500 GB", "", 500},
        {"Rs.12.5", "", 12500},
        {"Credit -2.30", "", -2300},
        {"1.234.567,8", "", 1234567800},
        {"2,50-5,00", "", 5000},
        {"Account 123456789012345", "", -1},
        {"no number", "", -1},
        {"", "", -1},
        {"Data 3.5 GB, balance is EUR 7,90.", "balance is {amount}", 7900},
        {"Data 3.5 GB, Balance  is 7,90 EUR.", "balance is {amount} EUR", 7900},
        {"Data 3.5 GB, Balance  is 7,90 EUR.", "{amount} EUR", 7900},
        {"Data 3.5 GB, Balance  is 7,90 EUR.", "{amount} GB", 3500},
        {"Data 3.5 GB, Balance  is 7,90 EUR.", "Balance is", 7900},
        {"Data 3.5 GB", "balance is {amount}", -1},
        {"balance is low", "balance is {amount}", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t milli = -1;
        if (!modem_read_amount(cases[i].text, cases[i].pattern, &milli))
            milli = -1;
        if (milli != cases[i].milli)
            fail_msg("\"%s\" by \"%s\": %lld", cases[i].text, cases[i].pattern, (long long)milli);
    }
}

static void configure(struct dialogue *d)
{
    d->conf.balance = (struct modem_balance_conf){
        .code = "*100#", .pattern = "balance is {amount}", .every_ms = 24 * HOUR_MS, .below = "5.00"};
}

static void answer(struct dialogue *d, const char *text)
{
    char reply[200];

    snprintf(reply, sizeof(reply), "\r\nOK\r\n\r\n+CUSD: 0,\"%s\",15\r\n", text);
    port_script_answer(d->port, "AT+CUSD=1*", reply);
}

static struct modem_balance balance_of(const struct dialogue *d)
{
    struct modem_balance b;

    modem_get_balance(d->modem, &b);
    return b;
}

/* Asked some minutes after the start and then once a day; kept; an alarm while it is low. */
static void asked_and_kept(void **state)
{
    struct dialogue *d = *state;

    configure(d);
    answer(d, "Your balance is 4,50 EUR");
    assert_true(dialogue_ready(d));
    dialogue_run(d, MINUTE_MS);
    assert_int_equal(port_script_count(d->port, "AT+CUSD"), 0);
    dialogue_run(d, 15 * MINUTE_MS);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1"), 1);
    assert_true(balance_of(d).has_amount);
    assert_int_equal(balance_of(d).amount_milli, 4500);
    assert_true(balance_of(d).low);
    assert_string_equal(balance_of(d).text, "Your balance is 4,50 EUR");
    assert_true(d->carrier->alarms[CARRIER_ALARM_BALANCE].on);
    answer(d, "Your balance is 20,00 EUR");
    dialogue_run(d, 20 * HOUR_MS);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1"), 1);
    dialogue_run(d, 6 * HOUR_MS);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1"), 2);
    assert_false(d->carrier->alarms[CARRIER_ALARM_BALANCE].on);
    assert_int_equal(balance_of(d).amount_milli, 20000);
}

/* A text without an amount is kept as it is; a failure is tried again, ever more seldom. */
static void without_amount_and_failures(void **state)
{
    struct dialogue *d = *state;

    configure(d);
    answer(d, "Service not available");
    assert_true(dialogue_ready(d));
    dialogue_run(d, 15 * MINUTE_MS);
    assert_false(balance_of(d).has_amount);
    assert_string_equal(balance_of(d).text, "Service not available");
    assert_false(d->carrier->alarms[CARRIER_ALARM_BALANCE].on);
    port_script_answer(d->port, "AT+CUSD=1*", "\r\nERROR\r\n");
    dialogue_run(d, 26 * HOUR_MS);
    unsigned asked = port_script_count(d->port, "AT+CUSD=1");
    assert_in_range(asked, 3, 20);
    assert_string_equal(balance_of(d).text, "Service not available");
}

struct asked {
    struct modem_ask ask; /* first */
    int times, status;
    char answer[200];
};

static void on_asked(struct modem_ask *a, int status, const char *text)
{
    struct asked *k = (struct asked *)a;
    k->times++;
    k->status = status;
    str_copy(k->answer, sizeof(k->answer), text);
}

/* An operator has it asked at once; a menu behind the answer is left. */
static void asked_now(void **state)
{
    struct dialogue *d = *state;
    struct asked k = {.ask.done = on_asked};
    struct err e = {0};

    assert_true(dialogue_ready(d));
    assert_int_equal(modem_ask_balance(d->modem, &k.ask, &e), ERR_INVALID); /* no code */
    configure(d);
    port_script_answer(d->port, "AT+CUSD=1*",
                       "\r\nOK\r\n\r\n+CUSD: 1,\"Your balance is 9.00\r\n1 Top up\",15\r\n");
    assert_int_equal(modem_ask_balance(d->modem, &k.ask, &e), 0);
    assert_int_equal(modem_ask_balance(d->modem, &k.ask, &e), ERR_BUSY);
    dialogue_run(d, 1000);
    assert_int_equal(k.times, 1);
    assert_int_equal(k.status, 0);
    assert_int_equal(balance_of(d).amount_milli, 9000);
    assert_int_equal(port_script_count(d->port, "AT+CUSD=2"), 1);
    port_script_answer(d->port, "AT+CUSD=1*", "\r\nERROR\r\n");
    assert_int_equal(modem_ask_balance(d->modem, &k.ask, &e), 0);
    dialogue_run(d, 1000);
    assert_int_equal(k.times, 2);
    assert_int_equal(k.status, ERR_REFUSED);
}

struct sender {
    struct carrier_submit submit; /* first */
    struct dialogue *d;
    bool go_on;
};

static void on_sent(struct carrier_submit *s, const struct carrier_outcome *o)
{
    struct sender *me = (struct sender *)s;

    (void)o;
    if (me->go_on)
        me->d->carrier->ops->submit(me->d->carrier, s);
}

static void on_leaving(struct carrier_submit *s)
{
    (void)s;
}

/* Not in between messages, which go first; but not put off for ever. */
static void not_while_messages_wait(void **state)
{
    static const uint8_t pdu[] = {0, 1, 0, 2, 0x91, 0x94, 0, 0, 1, 0x41};
    struct dialogue *d = *state;
    struct sender s = {
        .submit = {.pdu = pdu, .len = sizeof(pdu), .tpdu_len = 9, .leaving = on_leaving, .done = on_sent},
        .d = d,
        .go_on = true};

    configure(d);
    answer(d, "Your balance is 4,50 EUR");
    port_script_answer(d->port, "AT+CMGS=9", "\r\n> ");
    port_script_answer(d->port, "data", "");
    assert_true(dialogue_ready(d));
    assert_int_equal(d->carrier->ops->submit(d->carrier, &s.submit), 0);
    for (int i = 0; i < 120; i++) { /* 40 minutes, a message each 20 s */
        dialogue_run(d, 20000);
        say(d, "\r\n+CMGS: 17\r\n\r\nOK\r\n");
    }
    assert_int_equal(port_script_count(d->port, "AT+CUSD"), 0);
    for (int i = 0; i < 150; i++) {
        dialogue_run(d, 20000);
        say(d, "\r\n+CMGS: 17\r\n\r\nOK\r\n");
    }
    assert_int_equal(port_script_count(d->port, "AT+CUSD=1"), 1);
    s.go_on = false;
    say(d, "\r\n+CMGS: 17\r\n\r\nOK\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts), TRAP(asked_and_kept),          TRAP(without_amount_and_failures),
        TRAP(asked_now),           TRAP(not_while_messages_wait),
    };
    return cmocka_run_group_tests_name("balance", tests, NULL, NULL);
}
