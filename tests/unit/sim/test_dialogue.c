/* The simulated modem as a host sees it: command lines, refusals, PIN, sending. */
#include "bench.h"

/* The modem echoes until ATE0, answers AT with OK, and ignores lines that are no command lines. */
static void test_basic_lines(void **state)
{
    (void)state;
    struct bench b = bench_open();
    assert_string_equal(bench_ask(&b, "AT"), "AT\r\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "ate0"), "ate0\r\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "at"), "\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "hello"), "");
    assert_string_equal(bench_ask(&b, ""), "");
    assert_string_equal(bench_ask(&b, "ATV0"), "0\r");
    assert_string_equal(bench_ask(&b, "ATX9Y"), "4\r");
    assert_string_equal(bench_ask(&b, "ATQ1"), "");
    assert_string_equal(bench_ask(&b, "AT"), "");
    assert_string_equal(bench_ask(&b, "ATZ"), "\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "ATE0V1Q0&C1&D2S0=1S0?"),
                        "ATE0V1Q0&C1&D2S0=1S0?\r\r\n001\r\n\r\nOK\r\n");
    bench_close(&b);
}

/* Each command of the table answers; unknown and malformed ones are refused. */
static void test_queries_and_refusals(void **state)
{
    static const struct {
        const char *ask, *reply;
    } rows[] = {
        {"AT+CGMI", "\r\nsimgate\r\n\r\nOK\r\n"},
        {"AT+CGSN", "\r\n357805020000001\r\n\r\nOK\r\n"},
        {"AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n"},
        {"AT+CSQ", "\r\n+CSQ: 20,99\r\n\r\nOK\r\n"},
        {"AT+CREG?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n"},
        {"AT+CREG=2;+CREG?", "\r\n+CREG: 2,1,\"00C3\",\"01A2D001\"\r\n\r\nOK\r\n"},
        {"AT+COPS?", "\r\n+COPS: 0,0,\"Simulated network\",7\r\n\r\nOK\r\n"},
        {"AT+CNUM", "\r\n+CNUM: ,\"+491700000001\",145\r\n\r\nOK\r\n"},
        {"AT+CSCA?", "\r\n+CSCA: \"+491710760000\",145\r\n\r\nOK\r\n"},
        {"AT+CMGF=?", "\r\n+CMGF: (0)\r\n\r\nOK\r\n"},
        {"AT+CMGF=1", "\r\n+CMS ERROR: 303\r\n"},
        {"AT+CNMI=?", "\r\n+CNMI: (0-3),(0-3),(0),(0-2),(0,1)\r\n\r\nOK\r\n"},
        {"AT+CNMI=2,1,0,9", "\r\n+CMS ERROR: 304\r\n"},
        {"AT+CPMS=\"XX\"", "\r\n+CMS ERROR: 304\r\n"},
        {"AT+CPMS?", "\r\n+CPMS: \"SM\",0,50,\"SM\",0,50,\"SM\",0,50\r\n\r\nOK\r\n"},
        {"AT+CPMS=\"ME\",\"SM\",\"ME\"", "\r\n+CPMS: 0,255,0,50,0,255\r\n\r\nOK\r\n"},
        {"AT+CMGR=1", "\r\n+CMS ERROR: 321\r\n"},
        {"AT+CMGR=256", "\r\n+CMS ERROR: 321\r\n"},
        {"AT+CMGD=0", "\r\n+CMS ERROR: 321\r\n"},
        {"AT+CMGL=7", "\r\n+CMS ERROR: 304\r\n"},
        {"AT+CMGL=4", "\r\nOK\r\n"},
        {"AT+CNMA", "\r\n+CMS ERROR: 340\r\n"},
        {"AT+CMGS=0", "\r\n+CMS ERROR: 304\r\n"},
        {"AT+CMGS=165", "\r\n+CMS ERROR: 304\r\n"},
        {"AT+CMGS=\"+49\"", "\r\n+CMS ERROR: 304\r\n"},
        {"AT+CSCS=\"KLINGON\"", "\r\n+CME ERROR: 50\r\n"},
        {"AT+CREG=3", "\r\n+CME ERROR: 50\r\n"},
        {"AT+CPIN=1234", "\r\n+CME ERROR: 3\r\n"},
        {"AT^CURC=0", "\r\nERROR\r\n"},
        {"AT+QCFG=\"x\"", "\r\nERROR\r\n"},
        {"AT+CPMS=\"SM", "\r\nERROR\r\n"},
        {"ATD0171;", "\r\nNO CARRIER\r\n"},
        {"AT+CMEE=2;+CMGR=1", "\r\n+CMS ERROR: invalid memory index\r\n"},
    };
    (void)state;
    struct simmodem_conf mc = {.name = "m", .number = "+491700000001", .imei = "357805020000001"};
    struct bench b = bench_open_conf(NULL, &mc);
    bench_begin(&b);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(bench_ask(&b, rows[i].ask), rows[i].reply);
    bench_close(&b);
}

/* A line longer than the modem's buffer is an error, and the next one is understood. */
static void test_overlong_line(void **state)
{
    (void)state;
    struct bench b = bench_open();
    bench_begin(&b);
    for (int i = 0; i < 300; i++)
        bench_raw(&b, "AT+CMGF=0;");
    assert_string_equal(bench_raw(&b, "\r"), "\r\nERROR\r\n");
    assert_string_equal(bench_ask(&b, "AT"), "\r\nOK\r\n");
    bench_close(&b);
}

/* Before the PIN, SMS commands are refused with 311; three wrong PINs leave the PUK; the tries can be read.
 */
static void test_pin(void **state)
{
    (void)state;
    struct simmodem_conf mc = {.name = "m", .pin = "1234"};
    struct bench b = bench_open_conf(NULL, &mc);
    bench_ask(&b, "ATE0");
    bench_ask(&b, "AT+CMEE=1");
    assert_string_equal(bench_ask(&b, "AT+CPIN?"), "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGF=0"), "\r\n+CMS ERROR: 311\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGS=17"), "\r\n+CMS ERROR: 311\r\n");
    assert_string_equal(bench_ask(&b, "AT+CIMI"), "\r\n+CME ERROR: 11\r\n");
    assert_string_equal(bench_ask(&b, "AT+CPIN=0000"), "\r\n+CME ERROR: 16\r\n");
    assert_string_equal(bench_ask(&b, "AT+CPINR=\"SIM PIN\""), "\r\n+CPINR: SIM PIN,2,3\r\n\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CPIN=\"1234\""), "\r\nOK\r\n");
    bench_wait(&b, 1000);
    assert_string_equal(bench_ask(&b, "AT+CREG?"), "\r\n+CREG: 0,1\r\n\r\nOK\r\n");

    bench_fault(&b, "reboot", "10");
    bench_wait(&b, 20);
    bench_ask(&b, "ATE0");
    bench_ask(&b, "AT+CMEE=1");
    for (int i = 0; i < 2; i++)
        assert_string_equal(bench_ask(&b, "AT+CPIN=9"), "\r\n+CME ERROR: 16\r\n");
    assert_string_equal(bench_ask(&b, "AT+CPIN=9"), "\r\n+CME ERROR: 12\r\n");
    assert_string_equal(bench_ask(&b, "AT+CPIN?"), "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGL=4"), "\r\n+CMS ERROR: 316\r\n");
    assert_string_equal(bench_ask(&b, "AT+CPIN=\"12345678\",\"4321\""), "\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CPIN?"), "\r\n+CPIN: READY\r\n\r\nOK\r\n");
    bench_close(&b);
}

/* A message gets its prompt, its TP-MR and OK; the log has it with recipient, text and the bits of its
 * header. */
static void test_send(void **state)
{
    (void)state;
    struct bench b = bench_open();
    char text[PDU_TEXT_BYTES];
    bench_begin(&b);
    assert_string_equal(bench_ask(&b, "AT+CMGS=" SUBMIT_LEN), "\r\n> ");
    assert_string_equal(bench_raw(&b, SUBMIT_PDU "\x1a"), "\r\n+CMGS: 0\r\n\r\nOK\r\n");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMGS: 1\r\n\r\nOK\r\n");
    const struct simnet_event *ev = simnet_event(b.net, 1);
    assert_int_equal(simnet_events(b.net), 2);
    assert_int_equal(ev->kind, SIMNET_SUBMITTED);
    assert_int_equal(ev->mr, 1);
    assert_false(ev->reject_duplicates);
    assert_string_equal(ev->peer, "+4917112345");
    simnet_event_text(ev, text);
    assert_string_equal(text, "Hello");
    bench_send(&b, "0005000A919471113254000005C8329BFD06");
    assert_int_equal(simnet_counts(b.net)->submitted_reject_duplicates, 1);
    bench_close(&b);
}

/* What does not fit the command's length, is no hex, is no SUBMIT, or is cut short is refused with 304. */
static void test_send_strictly(void **state)
{
    static const struct {
        const char *len, *pdu;
    } bad[] = {
        {"18", SUBMIT_PDU},
        {"16", SUBMIT_PDU},
        {"17", SUBMIT_PDU "0"},
        {"17", "\n" SUBMIT_PDU},
        {"17", "0001000A919471113254000005C8329BFDXX"},
        {"17", "0000000A919471113254000005C8329BFD06"},
        {"17", "0001000A919471113254000015C8329BFD06"},
        {"18", SUBMIT_PDU "00"},
        {"17", ""},
    };
    (void)state;
    struct bench b = bench_open();
    bench_begin(&b);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char line[32];
        snprintf(line, sizeof(line), "AT+CMGS=%s", bad[i].len);
        assert_string_equal(bench_ask(&b, line), "\r\n> ");
        bench_raw(&b, bad[i].pdu);
        assert_string_equal(bench_raw(&b, "\x1a"), "\r\n+CMS ERROR: 304\r\n");
    }
    assert_int_equal(simnet_events(b.net), 0);
    bench_close(&b);
}

/* ESC leaves the prompt without sending; the next message is sent as usual. */
static void test_send_cancelled(void **state)
{
    (void)state;
    struct bench b = bench_open();
    bench_begin(&b);
    bench_ask(&b, "AT+CMGS=" SUBMIT_LEN);
    assert_string_equal(bench_raw(&b, "0001\x1b"), "\r\nOK\r\n");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMGS: 0\r\n\r\nOK\r\n");
    bench_close(&b);
}

/* The result comes after the network's time, and what the host sends meanwhile is lost. */
static void test_busy_modem_loses_commands(void **state)
{
    (void)state;
    struct simmodem_conf mc = {.name = "m", .net_ms = 2000};
    struct bench b = bench_open_conf(NULL, &mc);
    bench_begin(&b);
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "");
    assert_int_equal(simmodem_deadline(b.m), b.now_ms + 2000);
    assert_string_equal(bench_ask(&b, "AT+CSQ"), "");
    assert_string_equal(bench_wait(&b, 1999), "");
    assert_int_equal(bench_count(&b, SIMNET_SUBMITTED), 0);
    assert_string_equal(bench_wait(&b, 1), "\r\n+CMGS: 0\r\n\r\nOK\r\n");
    assert_int_equal(simnet_counts(b.net)->lost_input_bytes, 7);
    bench_close(&b);
}

/* TP-MR is 8 bits wide and belongs to the SIM: it wraps, and a reboot does not reset it. */
static void test_message_reference(void **state)
{
    (void)state;
    struct bench b = bench_open();
    bench_begin(&b);
    bench_fault(&b, "mr", "255");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMGS: 255\r\n\r\nOK\r\n");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMGS: 0\r\n\r\nOK\r\n");
    bench_fault(&b, "reboot", "10");
    bench_wait(&b, 1000);
    bench_begin(&b);
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMGS: 1\r\n\r\nOK\r\n");
    bench_close(&b);
}

/* A message can be written to a store, read back as unsent, and sent from there. */
static void test_write_and_send_from_storage(void **state)
{
    (void)state;
    struct bench b = bench_open();
    bench_begin(&b);
    bench_ask(&b, "AT+CMGW=" SUBMIT_LEN);
    assert_string_equal(bench_raw(&b, SUBMIT_PDU "\x1a"), "\r\n+CMGW: 1\r\n\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGR=1"), "\r\n+CMGR: 2,,17\r\n" SUBMIT_PDU "\r\n\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMSS=1"), "\r\n+CMSS: 0\r\n\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGL=3"), "\r\n+CMGL: 1,3,,17\r\n" SUBMIT_PDU "\r\n\r\nOK\r\n");
    assert_int_equal(bench_count(&b, SIMNET_SUBMITTED), 1);
    bench_close(&b);
}

/* At 9600 baud a command needs its time to arrive and the answer its time to leave. */
static void test_line_rate(void **state)
{
    (void)state;
    struct simmodem_conf mc = {.name = "m", .baud = 9600};
    struct bench b = bench_open_conf(NULL, &mc);
    bench_ask(&b, "ATE0");
    bench_wait(&b, 100);
    assert_string_equal(bench_ask(&b, "AT"), "");
    assert_string_equal(bench_wait(&b, 3), "");
    /* 3 bytes in and 6 out at 960 bytes a second: 9.375 ms */
    char said[16];
    str_copy(said, sizeof(said), bench_wait(&b, 6));
    assert_true(strlen(said) < 6);
    strcat(said, bench_wait(&b, 1));
    assert_string_equal(said, "\r\nOK\r\n");
    bench_close(&b);
}

/* A USSD code is answered after OK, in the character set that was chosen. */
static void test_ussd(void **state)
{
    (void)state;
    struct bench b = bench_open();
    bench_begin(&b);
    simmodem_ussd(b.m, "*100#", "Balance: 5.00");
    assert_string_equal(bench_ask(&b, "AT+CUSD=1,\"*100#\",15"), "\r\nOK\r\n");
    assert_string_equal(bench_wait(&b, 1000), "\r\n+CUSD: 0,\"Balance: 5.00\",15\r\n");
    bench_ask(&b, "AT+CSCS=\"UCS2\"");
    simmodem_ussd(b.m, "", "No");
    bench_ask(&b, "AT+CUSD=1,\"002A00310023\"");
    assert_string_equal(bench_wait(&b, 1000), "\r\n+CUSD: 0,\"004E006F\",72\r\n");
    bench_close(&b);
}

/* A call rings every three seconds, with its number if the host asked for it, until it is hung up. */
static void test_calls(void **state)
{
    (void)state;
    struct bench b = bench_open();
    bench_begin(&b);
    bench_ask(&b, "AT+CLIP=1");
    simmodem_ring(b.m, "+491715", 3, b.now_ms);
    assert_string_equal(bench_take(&b), "\r\nRING\r\n\r\n+CLIP: \"+491715\",145,,,,0\r\n");
    assert_string_equal(bench_ask(&b, "AT+CLCC"), "\r\n+CLCC: 1,1,4,0,0,\"+491715\",145\r\n\r\nOK\r\n");
    bench_ask(&b, "AT+CLIP=0");
    assert_string_equal(bench_wait(&b, 3000), "\r\nRING\r\n");
    bench_ask(&b, "AT+CHUP");
    assert_string_equal(bench_wait(&b, 10000), "");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basic_lines),
        cmocka_unit_test(test_queries_and_refusals),
        cmocka_unit_test(test_overlong_line),
        cmocka_unit_test(test_pin),
        cmocka_unit_test(test_send),
        cmocka_unit_test(test_send_strictly),
        cmocka_unit_test(test_send_cancelled),
        cmocka_unit_test(test_busy_modem_loses_commands),
        cmocka_unit_test(test_message_reference),
        cmocka_unit_test(test_write_and_send_from_storage),
        cmocka_unit_test(test_line_rate),
        cmocka_unit_test(test_ussd),
        cmocka_unit_test(test_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
