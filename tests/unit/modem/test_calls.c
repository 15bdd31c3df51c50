/* Calls: what rings is one call, told once, rejected if so configured; and never in the way of messages. */
#include "modem/calls.h"
#include "tests/lib/dialogue_test.h"

#define RING_CLIP "\r\nRING\r\n\r\n+CLIP: \"+27820001234\",145,,,,0\r\n"

/* Lines of +CLIP as modems write them: types, missing fields, withheld and unavailable numbers, UCS2. */
static void clip_lines(void **state)
{
    static const struct {
        const char *line, *number;
        bool withheld;
    } cases[] = {
        {"+CLIP: \"+27820001234\",145,,,,0", "+27820001234", false},
        {"+CLIP: \"+27820001234\",145", "+27820001234", false},
        {"+CLIP: \"27820001234\",145,\"\",,\"\",0", "+27820001234", false},
        {"+CLIP: \"01701234567\",129,\"\",0,\"Bob\",0", "01701234567", false},
        {"+CLIP: \"22333\",128,,,,0", "22333", false},
        {"+CLIP: \"\",128,,,,1", "", true},
        {"+CLIP: \"\",128,,,,2", "", false},
        {"+CLIP: \"\",128", "", true},
        {"+CLIP: ,128,,,,1", "", true},
        {"+CLIP: \"002B00340039003100370030\",145,,,,0", "+49170", false},
        {"+CLIP: \"Anonymous\",208,,,,0", "", false},
        {"+CLIP: \"123456789012345678901234567890\",129", "", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct calls_caller c;
        assert_true(calls_read_clip(cases[i].line, &c));
        assert_string_equal(c.number, cases[i].number);
        assert_int_equal(c.withheld, cases[i].withheld);
    }
    struct calls_caller c;
    assert_false(calls_read_clip("+CMTI: \"SM\",1", &c));
    assert_true(calls_read_missed("MISSED_CALL: 02:25AM 07717890123", &c));
    assert_string_equal(c.number, "07717890123");
    assert_false(calls_read_missed("MISSED_CALL:", &c));
}

/* The modem is asked to tell callers, and rings of one call are one call, told when it is over. */
static void one_call(void **state)
{
    struct dialogue *d = *state;

    modem_start(d->modem);
    dialogue_run(d, 10000);
    assert_int_equal(port_script_count(d->port, "AT+CLIP=1"), 1);
    assert_int_equal(port_script_count(d->port, "AT+CRC=1"), 1);
    for (int i = 0; i < 4; i++) {
        say(d, i % 2 ? "\r\n+CRING: VOICE\r\n\r\n+CLIP: \"+27820001234\",145,,,,0\r\n" : RING_CLIP);
        dialogue_run(d, 5000);
        assert_int_equal(d->call_count, 0);
    }
    dialogue_run(d, 8000);
    assert_int_equal(d->call_count, 1);
    assert_string_equal(d->calls[0].from, "+27820001234");
    assert_int_equal(d->calls[0].rings, 4);
    assert_false(d->calls[0].rejected);
    say(d, RING_CLIP "\r\nNO CARRIER\r\n");
    dialogue_run(d, 2000);
    assert_int_equal(d->call_count, 2); /* a second call of the same caller */
    assert_int_equal(port_script_count(d->port, "ATH"), 0);
    assert_int_equal(port_script_count(d->port, "AT+CHUP"), 0);
}

/* No number: withheld, or never told. Two callers, one right behind the other, are two calls. */
static void callers(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    say(d, "\r\nRING\r\n\r\n+CLIP: \"\",128,,,,1\r\n\r\nNO CARRIER\r\n");
    dialogue_run(d, 2000);
    assert_int_equal(d->call_count, 1);
    assert_string_equal(d->calls[0].from, "");
    assert_true(d->calls[0].withheld);
    say(d, "\r\r\n+CRING: VOICE\r\r\n");
    dialogue_run(d, 20000);
    assert_int_equal(d->call_count, 2);
    assert_string_equal(d->calls[1].from, "");
    assert_false(d->calls[1].withheld);
    say(d, RING_CLIP);
    say(d, "\r\nRING\r\n\r\n+CLIP: \"+4917\",145,,,,0\r\n");
    dialogue_run(d, 20000);
    assert_int_equal(d->call_count, 4);
    assert_string_equal(d->calls[2].from, "+27820001234");
    assert_string_equal(d->calls[3].from, "+4917");
}

/* SIMCom tells of a missed call behind its end: one call. Of one that never rang: a call as well. */
static void missed(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    say(d, "\r\nRING\r\n");
    dialogue_run(d, 1000);
    say(d, "\r\nNO CARRIER\r\n\r\nMISSED_CALL: 02:25AM 07717890123\r\n");
    dialogue_run(d, 5000);
    assert_int_equal(d->call_count, 1);
    assert_string_equal(d->calls[0].from, "07717890123");
    say(d, "\r\nMISSED_CALL: 02:25AM 07717890123\r\n");
    assert_int_equal(d->call_count, 1);
    dialogue_run(d, 60000);
    say(d, "\r\nMISSED_CALL: 02:27AM 07717890124\r\n");
    assert_int_equal(d->call_count, 2);
    assert_string_equal(d->calls[1].from, "07717890124");
}

/* Rejected as soon as the caller is known: AT+CHUP, and ATH where that is not understood. */
static void rejected(void **state)
{
    struct dialogue *d = *state;

    d->conf.calls = MODEM_CALLS_REJECT;
    assert_true(dialogue_ready(d));
    say(d, RING_CLIP);
    assert_int_equal(port_script_count(d->port, "AT+CHUP"), 1);
    say(d, "\r\nNO CARRIER\r\n");
    dialogue_run(d, 2000);
    assert_int_equal(d->call_count, 1);
    assert_true(d->calls[0].rejected);
    assert_int_equal(port_script_count(d->port, "ATH"), 0);
    port_script_answer(d->port, "AT+CHUP", "\r\nERROR\r\n");
    say(d, "\r\nRING\r\n"); /* without a number: after 3 s */
    dialogue_run(d, 2000);
    assert_int_equal(port_script_count(d->port, "AT+CHUP"), 1);
    dialogue_run(d, 2000);
    assert_int_equal(port_script_count(d->port, "AT+CHUP"), 2);
    assert_int_equal(port_script_count(d->port, "ATH"), 1);
    dialogue_run(d, 10000);
    assert_int_equal(d->call_count, 2);
    assert_true(d->calls[1].rejected);
}

/* One that rings on although it was hung up is tried again, not for ever. */
static void rings_on(void **state)
{
    struct dialogue *d = *state;

    d->conf.calls = MODEM_CALLS_REJECT;
    assert_true(dialogue_ready(d));
    for (int i = 0; i < 8; i++) {
        say(d, RING_CLIP);
        dialogue_run(d, 3000);
    }
    assert_int_equal(port_script_count(d->port, "AT+CHUP"), 1);
    assert_int_equal(port_script_count(d->port, "ATH"), 2);
    dialogue_run(d, 10000);
    assert_int_equal(d->call_count, 1);
}

/* Ignored: not asked for, not told, not touched. */
static void ignored(void **state)
{
    struct dialogue *d = *state;

    d->conf.calls = MODEM_CALLS_IGNORE;
    modem_start(d->modem);
    dialogue_run(d, 10000);
    assert_int_equal(port_script_count(d->port, "AT+CLIP"), 0);
    say(d, RING_CLIP);
    dialogue_run(d, 20000);
    assert_int_equal(d->call_count, 0);
    assert_int_equal(port_script_count(d->port, "AT+CHUP"), 0);
}

/* A modem without calls refuses both settings and is as good as any. */
static void data_only(void **state)
{
    struct dialogue *d = *state;

    port_script_answer(d->port, "AT+CLIP=1", "\r\nERROR\r\n");
    port_script_answer(d->port, "AT+CRC=1", "\r\n+CME ERROR: 4\r\n");
    assert_true(dialogue_ready(d));
}

struct sending {
    struct carrier_submit submit; /* first */
    int times;
    enum carrier_result result;
};

static void on_sent(struct carrier_submit *s, const struct carrier_outcome *o)
{
    ((struct sending *)s)->times++;
    ((struct sending *)s)->result = o->result;
}

static void on_leaving(struct carrier_submit *s)
{
    (void)s;
}

/* A call in the middle of a message disturbs nothing: it is hung up behind it. */
static void during_a_message(void **state)
{
    static const uint8_t pdu[] = {0, 1, 0, 2, 0x91, 0x94, 0, 0, 1, 0x41};
    struct dialogue *d = *state;
    struct sending s = {
        .submit = {.pdu = pdu, .len = sizeof(pdu), .tpdu_len = 9, .leaving = on_leaving, .done = on_sent}};

    d->conf.calls = MODEM_CALLS_REJECT;
    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CMGS=9", "\r\n> ");
    port_script_answer(d->port, "data", "");
    assert_int_equal(d->carrier->ops->submit(d->carrier, &s.submit), 0);
    dialogue_run(d, 500);
    say(d, RING_CLIP);
    dialogue_run(d, 1000);
    say(d, RING_CLIP);
    assert_int_equal(port_script_count(d->port, "AT+CHUP"), 0);
    assert_int_equal(s.times, 0);
    say(d, "\r\n+CMGS: 17\r\n\r\nOK\r\n");
    assert_int_equal(s.times, 1);
    assert_int_equal(s.result, CARRIER_SENT);
    assert_int_equal(port_script_count(d->port, "AT+CHUP"), 1);
    dialogue_run(d, 20000);
    assert_int_equal(d->call_count, 1);
    assert_true(d->calls[0].rejected);
}

/* A stick that is pulled while it rings: the call is told. */
static void pulled(void **state)
{
    struct dialogue *d = *state;

    assert_true(dialogue_ready(d));
    say(d, RING_CLIP);
    port_script_unplug(d->port);
    dialogue_run(d, 100);
    assert_int_equal(d->call_count, 1);
    assert_string_equal(d->calls[0].from, "+27820001234");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clip_lines),
        TRAP(one_call),
        TRAP(callers),
        TRAP(missed),
        TRAP(rejected),
        TRAP(rings_on),
        TRAP(ignored),
        TRAP(data_only),
        TRAP(during_a_message),
        TRAP(pulled),
    };
    return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
