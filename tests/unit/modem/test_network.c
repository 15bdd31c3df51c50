/* Registration lines of real modems, the signal's scales, and commands that are not passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log.h"
#include "base/util.h"
#include "modem/modem_private.h"
#include "tests/lib/dialogue.h"

static int setup(void **state)
{
    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR);
    *state = dialogue_new();
    return 0;
}

static int teardown(void **state)
{
    dialogue_free(*state);
    return 0;
}

/* The usual forms, and those that lie between the two. */
static void registration_forms(void **state)
{
    static const struct {
        const char *line;
        bool answer;
        int stat;
    } cases[] = {
        {"+CREG: 1,3", true, 3},
        {"+CREG: 3", false, 3},
        {"+CREG: 1,1,84CD,00D30173", true, 1},
        {"+CREG: 1,84CD,00D30156", false, 1},
        {"+CREG: 2,5,\"0502\",\"0404736D\"", false, 5},
        {"+CREG: 2,,", false, 2},
        {"+CREG: 1,0001,0010,0", false, 1},
        {"+CREG:002,001,\"18d8\",\"ffff\"", true, 1},
        {"+CREG: 001,\"0001\",\"0010\",000", false, 1},
        {"+CEREG: 1, 2, 0001, 00000100, 7", false, 2},
        {"+CREG: 0,11", true, 11},
        {"+CREG: 6,\"8B37\",\"0A265185\",7", false, 6},
        {"+CREG: ", false, -1},
        {"+CREG: x", false, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(registration_stat(cases[i].line, cases[i].answer), cases[i].stat);
}

static const char *line_of(const char *rx)
{
    const char *p = strchr(rx, '+');
    return p ? p : rx;
}

/* Every registration line captured from a real modem reads as its capture says. */
static void captured_registrations(void **state)
{
    const char *shared = getenv("SIMGATE_SHARED");
    char path[512], text[4096];
    unsigned checked = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s/facts/transcripts.jsonl", shared ? shared : "../shared");
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    while (fgets(text, sizeof(text), f)) {
        json_t *row = json_loads(text, 0, NULL);
        json_t *stat = json_object_get(json_object_get(row, "expect"), "stat");
        const char *rx = json_string_value(json_object_get(row, "rx"));
        const char *kind = json_string_value(json_object_get(row, "kind"));
        if (stat && rx && kind) {
            char line[256];
            str_copy(line, sizeof(line), line_of(rx));
            line[strcspn(line, "\r\n")] = '\0';
            int got = registration_stat(line, strcmp(kind, "reply") == 0);
            if (got != json_integer_value(stat))
                print_message("%s: %d, expected %d\n", line, got, (int)json_integer_value(stat));
            assert_int_equal(got, json_integer_value(stat));
            checked++;
        }
        json_decref(row);
    }
    fclose(f);
    print_message("%u lines\n", checked);
    assert_true(checked >= 40);
}

/* The signal in dBm from +CSQ, and from +CESQ where +CSQ knows nothing. */
static void signal_scales(void **state)
{
    static const struct {
        const char *csq, *cesq;
        int dbm;
    } cases[] = {
        {"17,99", "", -79},
        {"99,99", "99,99,255,255,20,80", -61},
        {"99,99", "99,99,95,40,255,255", -26},
        {"99,99", "10,6,255,255,255,255", -101},
        {"99,99", "99,99,255,255,255,255", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dialogue *d = dialogue_new();
        char text[80];
        snprintf(text, sizeof(text), "\r\n+CSQ: %s\r\n\r\nOK\r\n", cases[i].csq);
        port_script_answer(d->port, "AT+CSQ", text);
        snprintf(text, sizeof(text), "\r\n+CESQ: %s\r\n\r\nOK\r\n", cases[i].cesq);
        port_script_answer(d->port, "AT+CESQ", text);
        assert_true(dialogue_ready(d));
        assert_int_equal(d->carrier->signal_dbm, cases[i].dbm);
        dialogue_free(d);
    }
}

/* Registered in one domain only, or "SMS only": ready. Denied everywhere, or for emergencies only: not. */
static void domains(void **state)
{
    static const struct {
        const char *creg, *cereg;
        bool ready;
    } cases[] = {
        {"+CREG: 1,0", "+CEREG: 1,1", true},  {"+CREG: 1,6", "+CEREG: 1,0", true},
        {"+CREG: 1,5", "+CEREG: 1,3", true},  {"+CREG: 1,3", "+CEREG: 1,3", false},
        {"+CREG: 1,8", "+CEREG: 1,0", false}, {"+CREG: 0,11", "+CEREG: 0,11", false},
        {"+CREG: 1,4", "+CEREG: 1,0", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dialogue *d = dialogue_new();
        char text[80];
        snprintf(text, sizeof(text), "\r\n%s\r\n\r\nOK\r\n", cases[i].creg);
        port_script_answer(d->port, "AT+CREG?", text);
        snprintf(text, sizeof(text), "\r\n%s\r\n\r\nOK\r\n", cases[i].cereg);
        port_script_answer(d->port, "AT+CEREG?", text);
        assert_int_equal(dialogue_ready(d), cases[i].ready);
        dialogue_free(d);
    }
}

/* The network's name, quoted or not, or with a quote lost. */
static void operator_names(void **state)
{
    static const char *const forms[] = {"0,0,\"TELE2\",0", "0,0,\"TELE2,0", "0,0,TELE2,0"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct dialogue *d = dialogue_new();
        char text[80];
        snprintf(text, sizeof(text), "\r\n+COPS: %s\r\n\r\nOK\r\n", forms[i]);
        port_script_answer(d->port, "AT+COPS?", text);
        assert_true(dialogue_ready(d));
        assert_string_equal(d->carrier->operator_name, "TELE2");
        dialogue_free(d);
    }
}

/* ---- an operator's commands ---- */

struct asked {
    struct modem_ask ask; /* first */
    unsigned times;
    int status;
    char answer[1024];
};

static void on_answer(struct modem_ask *a, int status, const char *answer)
{
    struct asked *k = (struct asked *)a;
    k->times++;
    k->status = status;
    str_copy(k->answer, sizeof(k->answer), answer);
}

/* An operator's command is answered with its lines; those that would break the gateway are refused, their
 * queries are not. */
static void operators_commands(void **state)
{
    static const char *const refused[] = {
        "AT+CMGS=12",     "at+cmgs=12", "AT+CNMI=2,1", "AT+CPIN=\"1234\"",  "AT+CFUN=0",      "ATZ",
        "AT&F",           "ATD*100#",   "ATE1",        "AT+CMGD=1,4",       "AT+CSQ;+CFUN=0", "ATH0E1",
        "AT+CPMS=\"ME\"", "AT+CMGF=1",  "ATE0+CFUN=0", "AT+CUSD=1,\"*1#\"", "AT+CFUN =0",
    };
    static const char *const passed[] = {"AT",        "ATI",      "AT+CSQ",  "AT+CNMI?",
                                         "AT+CFUN=?", "AT+CCLK?", "AT^HCSQ?"};
    struct dialogue *d = *state;
    struct asked k = {.ask = {.done = on_answer}};
    struct err e = {0};

    assert_true(dialogue_ready(d));
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        int status = modem_ask_at(d->modem, refused[i], &k.ask, &e);
        if (status != ERR_REFUSED)
            print_message("%s: %d\n", refused[i], status);
        assert_int_equal(status, ERR_REFUSED);
    }
    assert_int_equal(modem_ask_at(d->modem, "hello", &k.ask, &e), ERR_INVALID);
    assert_int_equal(modem_ask_at(d->modem, "AT+CSQ\rAT+CFUN=0", &k.ask, &e), ERR_INVALID);
    port_script_answer(d->port, "AT^HCSQ?", "\r\n^HCSQ: \"LTE\",50,40,100,20\r\n\r\nOK\r\n");
    for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
        k.times = 0;
        assert_int_equal(modem_ask_at(d->modem, passed[i], &k.ask, &e), 0);
        dialogue_run(d, 100);
        assert_int_equal(k.times, 1);
        assert_int_equal(k.status, 0);
        assert_non_null(strstr(k.answer, "OK"));
        if (strcmp(passed[i], "AT+CSQ") == 0)
            assert_string_equal(k.answer, "+CSQ: 17,99\nOK");
        if (strcmp(passed[i], "AT^HCSQ?") == 0)
            assert_non_null(strstr(k.answer, "LTE"));
    }
}

/* A pulled stick answers what was asked: with "gone". */
static void asked_and_pulled(void **state)
{
    struct dialogue *d = *state;
    struct asked at = {.ask = {.done = on_answer}};
    struct err e = {0};

    assert_true(dialogue_ready(d));
    port_script_answer(d->port, "AT+CCLK?", "");
    assert_int_equal(modem_ask_at(d->modem, "AT+CCLK?", &at.ask, &e), 0);
    dialogue_run(d, 100);
    port_script_unplug(d->port);
    dialogue_run(d, 100);
    assert_int_equal(at.times, 1);
    assert_int_equal(at.status, ERR_GONE);
    assert_int_equal(d->carrier->state, CARRIER_DOWN);
}

#define NET(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET(registration_forms), NET(captured_registrations), NET(signal_scales),    NET(domains),
        NET(operator_names),     NET(operators_commands),     NET(asked_and_pulled),
    };
    return cmocka_run_group_tests_name("network, commands", tests, NULL, NULL);
}
