/* The simulated modem with a trace: it says again what was recorded. */
#include "bench.h"

#include "base/trace.h"

static const char recorded[] = "# simgate trace 1\n"
                               "0.000 > AT\\r\n"
                               "0.010 < AT\\r\\r\\nOK\\r\\n\n"
                               "0.100 > ATE0\\r\n"
                               "0.110 < \\r\\nOK\\r\\n\n"
                               "1.000 > AT+CSQ\\r\n"
                               "1.020 < \\r\\n+CSQ: 11,99\\r\\n\n"
                               "1.120 < \\r\\nOK\\r\\n\n"
                               "2.000 < \\r\\n^RSSI:12\\r\\n\n"
                               "3.000 > AT+CSQ\\r\n"
                               "3.010 < \\r\\n+CSQ: 12,99\\r\\n\\r\\nOK\\r\\n\n"
                               "4.000 > AT+CMGS=18\\r\n"
                               "4.500 < \\r\\n> \n"
                               "4.510 > 0011\\x1a\n"
                               "7.510 < \\r\\n+CMGS: 7\\r\\n\\r\\nOK\\r\\n\n"
                               "9.000 < \\r\\n+CMTI: \"SM\",3\\r\\n\n"
                               "10.000 > AT+CIMI\\r\n"
                               "20.000 ! port gone\n";

static struct bench open_trace(struct trace *t, const char *text)
{
    struct err e = {0};
    if (trace_read("test", text, strlen(text), t, &e) != 0)
        fail_msg("%s", e.text);
    struct simmodem_conf mc = {.name = "modem0", .replay = t};
    return bench_open_conf(NULL, &mc);
}

/* Each command gets its recorded answers one after the other, the last one again and again, each with its
 * delay. */
static void test_answers(void **state)
{
    struct trace t;
    struct bench b = open_trace(&t, recorded);
    (void)state;
    assert_string_equal(bench_ask(&b, "AT"), "");
    assert_string_equal(bench_wait(&b, 10), "AT\r\r\nOK\r\n");
    bench_ask(&b, "AT+CSQ");
    assert_string_equal(bench_wait(&b, 20), "\r\n+CSQ: 11,99\r\n");
    assert_string_equal(bench_wait(&b, 100), "\r\nOK\r\n");
    for (int i = 0; i < 2; i++) {
        bench_ask(&b, "AT+CSQ");
        assert_true(strstr(bench_wait(&b, 20), "+CSQ: 12,99") != NULL);
    }
    assert_string_equal(bench_ask(&b, "AT+CREG?"), "\r\nERROR\r\n");
    bench_ask(&b, "AT+CIMI");
    assert_null(strstr(bench_wait(&b, 5000), "OK")); /* as then, when it hung */
    bench_close(&b);
    trace_fini(&t);
}

/* A PDU of another length gets the recorded reference; ESC at the prompt is taken; what came unasked comes as
 * long behind its exchange as then. */
static void test_send_and_unasked(void **state)
{
    struct trace t;
    struct bench b = open_trace(&t, recorded);
    (void)state;
    bench_ask(&b, "AT+CMGS=20");
    assert_string_equal(bench_wait(&b, 500), "\r\n> ");
    assert_string_equal(bench_raw(&b, "\x1b"), "\r\nOK\r\n");
    bench_ask(&b, "AT+CMGS=20");
    assert_string_equal(bench_wait(&b, 500), "\r\n> ");
    assert_string_equal(bench_raw(&b, "0011000A\x1a"), "");
    assert_string_equal(bench_wait(&b, 3000), "\r\n+CMGS: 7\r\n\r\nOK\r\n");
    assert_string_equal(bench_wait(&b, 1490), "\r\n+CMTI: \"SM\",3\r\n");
    bench_ask(&b, "AT+CSQ");
    bench_wait(&b, 200);
    assert_string_equal(bench_wait(&b, 800), "\r\n^RSSI:12\r\n");
    bench_close(&b);
    trace_fini(&t);
}

/* What stood behind an exchange that this host never has comes half a minute late, and once. */
static void test_never_asked(void **state)
{
    struct trace t;
    struct bench b = open_trace(&t, recorded);
    (void)state;
    assert_string_equal(bench_wait(&b, 100000), "");
    bench_ask(&b, "AT");
    bench_wait(&b, 20);
    assert_string_equal(bench_wait(&b, 31000), "");
    assert_string_equal(bench_wait(&b, 1000), "\r\n^RSSI:12\r\n");
    assert_string_equal(bench_wait(&b, 100000), "\r\n+CMTI: \"SM\",3\r\n");
    bench_close(&b);
    trace_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_send_and_unasked),
        cmocka_unit_test(test_never_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
