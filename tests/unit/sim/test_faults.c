/* The simulated modem misbehaving on request: each fault does what its word says, once or as long as told. */
#include "bench.h"

#define RESULT "\r\n+CMGS: 0\r\n\r\nOK\r\n"

static struct bench begun(void)
{
    struct bench b = bench_open();
    bench_begin(&b);
    assert_string_equal(bench_ask(&b, "AT+CNMI=2,1,0,1,0"), "\r\nOK\r\n");
    return b;
}

static void text_in(struct bench *b, const char *text)
{
    assert_true(simnet_text(b->net, b->m, "+491715", text, b->now_ms, NULL) > 0);
    simmodem_tick(b->m, b->now_ms);
}

/* Unknown faults and bad arguments are refused with what was expected, and change nothing. */
static void test_bad_words(void **state)
{
    static const char *const bad[][2] = {
        {"silence", ""},    {"silence", "x"},     {"silence", "1 2"},      {"garbage", "2 100"},
        {"garbage", "0.1"}, {"capacity", "XX 3"}, {"report_status", "GG"}, {"cms", ""},
        {"late", "-1"},     {"return", "now"},    {"vanish", "soon"},      {"drop", "5%% 1"},
    };
    (void)state;
    struct bench b = begun();
    struct err e;
    assert_int_equal(simmodem_fault(b.m, "explode", "", b.now_ms, &e), ERR_NOT_FOUND);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(simmodem_fault(b.m, bad[i][0], bad[i][1], b.now_ms, &e), ERR_INVALID);
    assert_string_equal(e.text, "expected: drop RATE MS");
    for (size_t i = 0; simmodem_fault_usage(i); i++)
        assert_true(strlen(simmodem_fault_usage(i)) > 1);
    bench_close(&b);
}

/* A silent modem loses what it hears and keeps what it would say until the silence ends. */
static void test_silence(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "silence", "5000");
    assert_string_equal(bench_ask(&b, "AT"), "");
    text_in(&b, "Hi");
    assert_string_equal(bench_wait(&b, 4999), "");
    assert_string_equal(bench_wait(&b, 1), "\r\n+CMTI: \"SM\",1\r\n");
    assert_string_equal(bench_ask(&b, "AT"), "\r\nOK\r\n");
    bench_close(&b);
}

/* A bad line loses, doubles or replaces bytes at its rate, and is good again afterwards. */
static void test_bad_line(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "double", "100% 1000");
    assert_string_equal(bench_raw(&b, "ATQ0\r"), "\r\r\n\nEERRRROORR\r\r\n\n");
    bench_wait(&b, 1000);
    assert_string_equal(bench_ask(&b, "AT"), "\r\nOK\r\n");
    bench_fault(&b, "drop", "1 1000");
    assert_string_equal(bench_ask(&b, "AT"), "");
    bench_wait(&b, 1000);
    bench_fault(&b, "garbage", "0.5 1000");
    bench_ask(&b, "AT+CSQ");
    bench_wait(&b, 1000);
    bench_raw(&b, "\x1b\r");
    bench_wait(&b, 10);
    assert_string_equal(bench_ask(&b, "ATE0V1Q0"), "\r\nOK\r\n");
    bench_close(&b);
}

/* A late result comes late; commands meanwhile are lost; the count limits it. */
static void test_late(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "late", "3000 2");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(bench_ask(&b, "AT+CSQ"), "");
        assert_string_equal(bench_ask(&b, "AT"), "");
        assert_string_equal(bench_wait(&b, 2999), "");
        assert_string_equal(bench_wait(&b, 1), "\r\n+CSQ: 20,99\r\n\r\nOK\r\n");
    }
    assert_string_equal(bench_ask(&b, "AT"), "\r\nOK\r\n");
    bench_close(&b);
}

/* The network has the message, but its result is lost; the modem listens again. */
static void test_ok_lost(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "ok_lost", "");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "");
    assert_int_equal(bench_count(&b, SIMNET_SUBMITTED), 1);
    assert_string_equal(bench_ask(&b, "AT"), "\r\nOK\r\n");
    bench_close(&b);
}

/* The prompt can lack its space, or be missing while the modem waits for the PDU all the same. */
static void test_prompts(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "prompt_bare", "1");
    assert_string_equal(bench_ask(&b, "AT+CMGS=" SUBMIT_LEN), "\r\n>");
    bench_raw(&b, "\x1b");
    bench_fault(&b, "prompt_missing", "1");
    assert_string_equal(bench_ask(&b, "AT+CMGS=" SUBMIT_LEN), "");
    assert_string_equal(bench_raw(&b, SUBMIT_PDU "\x1a"), RESULT);
    bench_close(&b);
}

/* A notice can stand inside a reply: a real message's if one waits, else a vendor's. */
static void test_urc_inside(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "urc_inside", "2");
    assert_string_equal(bench_ask(&b, "AT+CSQ"), "\r\n+CSQ: 20,99\r\n\r\n^RSSI:20\r\n\r\nOK\r\n");
    assert_true(simnet_text(b.net, b.m, "+491715", "Hi", b.now_ms, NULL) > 0);
    assert_string_equal(bench_ask(&b, "AT+CMGS=" SUBMIT_LEN), "\r\n+CMTI: \"SM\",1\r\n\r\n> ");
    assert_string_equal(bench_raw(&b, SUBMIT_PDU "\x1a"), RESULT);
    bench_close(&b);
}

/* Errors by code: for the next commands, for the next messages, by chance; a refused message is logged so. */
static void test_errors(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "error", "1");
    assert_string_equal(bench_ask(&b, "AT"), "\r\nERROR\r\n");
    bench_fault(&b, "cme", "14 1");
    assert_string_equal(bench_ask(&b, "AT+CSQ"), "\r\n+CME ERROR: 14\r\n");
    bench_fault(&b, "cms", "38 2");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMS ERROR: 38\r\n");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMS ERROR: 38\r\n");
    bench_fault(&b, "cms_rate", "500 100% 1000");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMS ERROR: 500\r\n");
    bench_wait(&b, 1000);
    assert_string_equal(bench_send(&b, SUBMIT_PDU), RESULT);
    assert_int_equal(bench_count(&b, SIMNET_REFUSED), 3);
    assert_int_equal(simnet_event(b.net, 0)->code, 38);
    bench_close(&b);
}

/* A reboot loses every setting and shows its banner; stored messages stay. */
static void test_reboot(void **state)
{
    (void)state;
    struct bench b = begun();
    text_in(&b, "Hi");
    bench_take(&b);
    bench_fault(&b, "reboot", "2000");
    assert_true(simmodem_present(b.m));
    assert_string_equal(bench_ask(&b, "AT"), "");
    assert_string_equal(bench_wait(&b, 2000), "\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n");
    assert_string_equal(bench_ask(&b, "AT+CNMI?"), "AT+CNMI?\r\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n");
    assert_non_null(strstr(bench_ask(&b, "AT+CMGL=4"), "+CMGL: 1,0,,"));
    assert_string_equal(bench_ask(&b, "ATE0"), "ATE0\r\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CFUN=1,1"), "\r\nOK\r\n");
    assert_non_null(strstr(bench_wait(&b, 1500), "RDY"));
    bench_close(&b);
}

/* A port that vanished is not present, hears nothing, and returns after its time with a rebooted modem. */
static void test_vanish(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "vanish", "10000");
    assert_false(simmodem_present(b.m));
    assert_string_equal(bench_ask(&b, "AT"), "");
    text_in(&b, "Hi");
    bench_wait(&b, 9999);
    assert_false(simmodem_present(b.m));
    assert_string_equal(bench_wait(&b, 1), "");
    assert_true(simmodem_present(b.m));
    assert_non_null(strstr(bench_wait(&b, 1500), "RDY"));
    bench_wait(&b, 1000);
    assert_int_equal(bench_count(&b, SIMNET_STORED), 1);
    bench_fault(&b, "vanish", "");
    assert_int_equal(simmodem_deadline(b.m), INT64_MAX);
    bench_fault(&b, "return", "");
    assert_true(simmodem_present(b.m));
    bench_close(&b);
}

/* A message on the air when the port vanishes is either in the network or not; it is never there twice. */
static void test_vanish_while_sending(void **state)
{
    int taken = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 32; seed++) {
        struct simnet_conf nc = {.seed = seed};
        struct simmodem_conf mc = {.name = "m", .net_ms = 1000};
        struct bench b = bench_open_conf(&nc, &mc);
        bench_begin(&b);
        bench_send(&b, SUBMIT_PDU);
        bench_fault(&b, "vanish", "100");
        assert_string_equal(bench_wait(&b, 1000), "");
        taken += (int)bench_count(&b, SIMNET_SUBMITTED);
        bench_close(&b);
    }
    assert_in_range(taken, 1, 31);
}

/* Without a network messages are refused with 331 and wait inbound; +CREG tells both changes. */
static void test_no_network(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_ask(&b, "AT+CREG=1");
    bench_fault(&b, "no_network", "5000");
    assert_string_equal(bench_take(&b), "\r\n+CREG: 2\r\n");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMS ERROR: 331\r\n");
    text_in(&b, "Hi");
    assert_string_equal(bench_wait(&b, 5000), "\r\n+CREG: 1\r\n\r\n+CMTI: \"SM\",1\r\n");
    bench_fault(&b, "registration", "3");
    assert_string_equal(bench_take(&b), "\r\n+CREG: 3\r\n");
    bench_fault(&b, "clear", "");
    assert_string_equal(bench_take(&b), "\r\n+CREG: 1\r\n");
    bench_close(&b);
}

/* A full memory holds messages up until its end; a store can be made smaller and larger. */
static void test_memory_full(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "memory_full", "60000");
    text_in(&b, "Hi");
    assert_string_equal(bench_ask(&b, "AT+CPMS?"),
                        "\r\n+CPMS: \"SM\",0,0,\"SM\",0,0,\"SM\",0,0\r\n\r\nOK\r\n");
    assert_string_equal(bench_wait(&b, 59999), "");
    assert_string_equal(bench_wait(&b, 1), "\r\n+CMTI: \"SM\",1\r\n");
    bench_fault(&b, "capacity", "SM 1");
    text_in(&b, "Hi");
    assert_string_equal(bench_take(&b), "");
    bench_fault(&b, "capacity", "SM 100");
    assert_string_equal(bench_take(&b), "\r\n+CMTI: \"SM\",2\r\n");
    bench_close(&b);
}

/* Without a SIM, SMS commands get 310; put back, it is asked for its PIN if it has one. */
static void test_sim_out(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "sim_out", "");
    assert_string_equal(bench_take(&b), "\r\n+CPIN: NOT INSERTED\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGL=4"), "\r\n+CMS ERROR: 310\r\n");
    assert_string_equal(bench_ask(&b, "AT+CPIN?"), "\r\n+CME ERROR: 10\r\n");
    bench_fault(&b, "sim_in", "");
    assert_string_equal(bench_take(&b), "\r\n+CPIN: READY\r\n");
    bench_close(&b);
}

/* Reports can be lost, late, doubled, of another status, or out of order. */
static void test_report_faults(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "report_lost", "");
    bench_send(&b, SUBMIT_PDU_SRR);
    assert_string_equal(bench_wait(&b, 1000), "");
    bench_fault(&b, "report_late", "60000");
    assert_string_equal(bench_send(&b, SUBMIT_PDU_SRR), "\r\n+CMGS: 1\r\n\r\nOK\r\n");
    assert_string_equal(bench_wait(&b, 59999), "");
    assert_non_null(strstr(bench_wait(&b, 1), "+CDS: "));
    bench_fault(&b, "report_double", "");
    const char *first = strstr(bench_send(&b, SUBMIT_PDU_SRR), "+CDS: ");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "+CDS: "));
    bench_fault(&b, "report_status", "4A");
    assert_non_null(strstr(bench_send(&b, SUBMIT_PDU_SRR), "4A\r\n"));
    bench_close(&b);
}

/* Held reports come when their number is complete, all of them, in an order that can differ. */
static void test_report_shuffle(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "report_shuffle", "8");
    uint64_t before = simnet_events(b.net);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(bench_count(&b, SIMNET_SHOWN), 0);
        bench_send(&b, SUBMIT_PDU_SRR);
    }
    assert_int_equal(bench_count(&b, SIMNET_SHOWN), 8);
    unsigned seen = 0;
    bool in_order = true;
    uint8_t last = 0;
    for (size_t i = before; i < simnet_events(b.net); i++) {
        const struct simnet_event *ev = simnet_event(b.net, i);
        if (ev->kind != SIMNET_SHOWN)
            continue;
        seen |= 1u << ev->mr;
        in_order = in_order && ev->mr >= last;
        last = ev->mr;
    }
    assert_int_equal(seen, 0xFF);
    assert_false(in_order);
    bench_close(&b);
}

/* The network can deliver a message several times, and a long one's parts in another order. */
static void test_duplicates_and_order(void **state)
{
    (void)state;
    struct bench b = begun();
    bench_fault(&b, "duplicate", "3");
    text_in(&b, "Hi");
    text_in(&b, "Ho");
    assert_int_equal(bench_count(&b, SIMNET_STORED), 4);
    assert_int_equal(simnet_counts(b.net)->injected_messages, 2);
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    bench_fault(&b, "parts_shuffled", "1");
    size_t before = simnet_events(b.net);
    text_in(&b, text);
    bool in_order = true;
    unsigned seen = 0;
    for (size_t i = before, last = 0; i < simnet_events(b.net); i++) {
        const struct simnet_event *ev = simnet_event(b.net, i);
        if (ev->kind != SIMNET_STORED)
            continue;
        in_order = in_order && ev->part > last;
        last = ev->part;
        seen |= 1u << ev->part;
    }
    assert_int_equal(seen, 0xFE);
    assert_false(in_order);
    bench_close(&b);
}

/* The same seed and the same input give the same bytes and the same log. */
static void test_repeatable(void **state)
{
    struct buf log[2] = {{0}};
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct bench b = begun();
        bench_fault(&b, "garbage", "5% 100000");
        bench_fault(&b, "drop", "5% 100000");
        for (int i = 0; i < 50; i++) {
            buf_adds(&log[run], bench_send(&b, SUBMIT_PDU_SRR));
            bench_wait(&b, 100);
            bench_raw(&b, "\x1b\r");
        }
        for (size_t i = 0; i < simnet_events(b.net); i++)
            simnet_event_json(b.net, simnet_event(b.net, i), &log[run]);
        bench_close(&b);
    }
    assert_int_equal(log[0].len, log[1].len);
    assert_memory_equal(log[0].data, log[1].data, log[0].len);
    buf_free(&log[0]);
    buf_free(&log[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_words),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_bad_line),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_ok_lost),
        cmocka_unit_test(test_prompts),
        cmocka_unit_test(test_urc_inside),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_reboot),
        cmocka_unit_test(test_vanish),
        cmocka_unit_test(test_vanish_while_sending),
        cmocka_unit_test(test_no_network),
        cmocka_unit_test(test_memory_full),
        cmocka_unit_test(test_sim_out),
        cmocka_unit_test(test_report_faults),
        cmocka_unit_test(test_report_shuffle),
        cmocka_unit_test(test_duplicates_and_order),
        cmocka_unit_test(test_repeatable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
