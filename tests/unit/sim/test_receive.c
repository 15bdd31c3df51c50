/* Messages and reports to the simulated modem: stores, notices, acknowledgement, redelivery, the account. */
#include "bench.h"

static struct bench begun(const char *cnmi)
{
    struct bench b = bench_open();
    bench_begin(&b);
    assert_string_equal(bench_ask(&b, cnmi), "\r\nOK\r\n");
    return b;
}

static int64_t text_in(struct bench *b, const char *from, const char *text)
{
    struct err e = {0};
    int64_t id = simnet_text(b->net, b->m, from, text, b->now_ms, &e);
    if (id <= 0)
        fail_msg("%s", e.text);
    simmodem_tick(b->m, b->now_ms);
    return id;
}

/* A message is stored, announced, read (and then counts as read), deleted; the log shows its whole way. */
static void test_store_read_delete(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,1,0,1,0");
    char text[PDU_TEXT_BYTES];
    int64_t id = text_in(&b, "+491715", "Hi");
    assert_string_equal(bench_take(&b), "\r\n+CMTI: \"SM\",1\r\n");
    assert_non_null(strstr(bench_ask(&b, "AT+CMGR=1"), "\r\n+CMGR: 0,,"));
    assert_non_null(strstr(bench_ask(&b, "AT+CMGL=4"), "\r\n+CMGL: 1,1,,"));
    assert_string_equal(bench_ask(&b, "AT+CMGL"), "\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGD=1"), "\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGL=4"), "\r\nOK\r\n");
    const enum simnet_kind way[] = {SIMNET_INJECTED, SIMNET_STORED, SIMNET_DELETED};
    assert_int_equal(simnet_events(b.net), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct simnet_event *ev = simnet_event(b.net, i);
        assert_int_equal(ev->kind, way[i]);
        assert_int_equal(ev->id, id);
        assert_string_equal(ev->peer, "+491715");
        simnet_event_text(ev, text);
        assert_string_equal(text, "Hi");
    }
    bench_close(&b);
}

/* A long text comes as numbered parts of one id, from an alphanumeric sender too. */
static void test_long_text(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,1");
    char text[401];
    memset(text, 'x', 400);
    text[400] = '\0';
    int64_t id = text_in(&b, "Bakery", text);
    assert_int_equal(bench_count(&b, SIMNET_STORED), 3);
    assert_int_equal(simnet_counts(b.net)->injected_messages, 1);
    for (size_t i = 0; i < 3; i++) {
        const struct simnet_event *ev = simnet_event(b.net, i);
        assert_int_equal(ev->id, id);
        assert_int_equal(ev->part, i + 1);
        assert_int_equal(ev->parts, 3);
    }
    bench_close(&b);
}

/* With mt=2 and AT+CSMS=0 the message is shown and the modem has acknowledged it by itself. */
static void test_direct_without_acknowledgement(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,2");
    text_in(&b, "+491715", "Hi");
    text_in(&b, "+491715", "Ho");
    const char *first = strstr(bench_take(&b), "+CMT: ,");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "+CMT: ,"));
    assert_int_equal(simnet_waiting(b.net, b.m), 0);
    bench_close(&b);
}

/* With AT+CSMS=1 the next message waits for AT+CNMA. */
static void test_direct_acknowledged(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,2,0,1");
    bench_ask(&b, "AT+CSMS=1");
    text_in(&b, "+491715", "Hi");
    text_in(&b, "+491715", "Ho");
    assert_int_equal(bench_count(&b, SIMNET_SHOWN), 1);
    bench_take(&b);
    assert_non_null(strstr(bench_ask(&b, "AT+CNMA"), "OK"));
    assert_int_equal(bench_count(&b, SIMNET_SHOWN), 2);
    assert_string_equal(bench_ask(&b, "AT+CNMA=0"), "\r\nOK\r\n");
    assert_string_equal(bench_ask(&b, "AT+CNMA"), "\r\n+CMS ERROR: 340\r\n");
    assert_int_equal(simnet_counts(b.net)->acked_messages, 2);
    bench_close(&b);
}

/* Without AT+CNMA for 15 s the routing is switched off and the network delivers again, now into the store. */
static void test_direct_not_acknowledged(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,2,0,1");
    bench_ask(&b, "AT+CSMS=1");
    int64_t id = text_in(&b, "+491715", "Hi");
    bench_take(&b);
    assert_string_equal(bench_wait(&b, 14999), "");
    assert_int_equal(bench_count(&b, SIMNET_UNACKED), 0);
    bench_wait(&b, 1);
    assert_int_equal(bench_count(&b, SIMNET_UNACKED), 1);
    assert_string_equal(bench_ask(&b, "AT+CNMI?"), "\r\n+CNMI: 2,0,0,0,0\r\n\r\nOK\r\n");
    bench_wait(&b, 30000);
    const struct simnet_event *ev = simnet_event(b.net, simnet_events(b.net) - 1);
    assert_int_equal(ev->kind, SIMNET_STORED);
    assert_int_equal(ev->id, id);
    assert_true(ev->resend);
    bench_close(&b);
}

/* A negative acknowledgement, with its TPDU behind a prompt, brings the message again. */
static void test_negative_acknowledgement(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,2,0,1");
    bench_ask(&b, "AT+CSMS=1");
    text_in(&b, "+491715", "Hi");
    bench_take(&b);
    assert_string_equal(bench_ask(&b, "AT+CNMA=2,3"), "\r\n> ");
    assert_string_equal(bench_raw(&b, "00D300\x1a"), "\r\nOK\r\n");
    assert_non_null(strstr(bench_wait(&b, 31000), "+CMT: ,"));
    bench_close(&b);
}

static void deliver_class(struct bench *b, const char *dcs)
{
    char hex[64];
    uint8_t pdu[32];
    snprintf(hex, sizeof(hex), "00040A91947111325400%s6211210000000405C8329BFD06", dcs);
    int len = hex_decode(hex, strlen(hex), pdu, sizeof(pdu));
    assert_true(len > 0);
    assert_true(simnet_deliver_tpdu(b->net, b->m, pdu, (size_t)len, b->now_ms, NULL) > 0);
    simmodem_tick(b->m, b->now_ms);
}

/* Class 0 is shown even where others are stored; class 2 goes to the SIM even where others are shown. */
static void test_classes(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,1");
    bench_ask(&b, "AT+CPMS=\"ME\",\"ME\",\"ME\"");
    deliver_class(&b, "10");
    assert_non_null(strstr(bench_take(&b), "+CMT: ,"));
    deliver_class(&b, "00");
    assert_string_equal(bench_take(&b), "\r\n+CMTI: \"ME\",1\r\n");
    bench_ask(&b, "AT+CNMI=2,2");
    deliver_class(&b, "12");
    assert_string_equal(bench_take(&b), "\r\n+CMTI: \"SM\",1\r\n");
    bench_close(&b);
}

/* With AT+CNMI mode 0 notices are kept, and come when the host asks for them. */
static void test_buffered_notices(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=0,1");
    text_in(&b, "+491715", "Hi");
    assert_string_equal(bench_take(&b), "");
    assert_string_equal(bench_ask(&b, "AT+CNMI=2,1"), "\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n");
    bench_ask(&b, "AT+CNMI=0,1");
    text_in(&b, "+491715", "Hi");
    assert_string_equal(bench_ask(&b, "AT+CNMI=2,1,0,0,1"), "\r\nOK\r\n");
    bench_close(&b);
}

/* A full store leaves the rest in the network, in order; each place that becomes free brings the next. */
static void test_full_store(void **state)
{
    (void)state;
    struct simmodem_conf mc = {.name = "m", .sm_slots = 2};
    struct bench b = bench_open_conf(NULL, &mc);
    bench_begin(&b);
    bench_ask(&b, "AT+CNMI=2,1");
    int64_t ids[4];
    for (int i = 0; i < 4; i++)
        ids[i] = text_in(&b, "+491715", "Hi");
    assert_int_equal(simnet_waiting(b.net, b.m), 2);
    assert_string_equal(bench_ask(&b, "AT+CPMS?"),
                        "\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n"
                        "\r\n+CPMS: \"SM\",2,2,\"SM\",2,2,\"SM\",2,2\r\n\r\nOK\r\n");
    bench_ask(&b, "AT+CMGW=" SUBMIT_LEN);
    assert_string_equal(bench_raw(&b, SUBMIT_PDU "\x1a"), "\r\n+CMS ERROR: 322\r\n");
    assert_string_equal(bench_ask(&b, "AT+CMGD=2"), "\r\nOK\r\n\r\n+CMTI: \"SM\",2\r\n");
    const struct simnet_event *ev = simnet_event(b.net, simnet_events(b.net) - 1);
    assert_int_equal(ev->id, ids[2]);
    assert_true(ev->resend);
    assert_int_equal(simnet_waiting(b.net, b.m), 1);
    bench_close(&b);
}

/* A report comes with ds=1 on the line, with ds=2 into SR, with ds=0 nowhere; with AT+CSMS=1 it wants
 * AT+CNMA. */
static void test_reports(void **state)
{
    (void)state;
    struct simnet_conf nc = {.seed = 1, .report_ms = 2000};
    struct simmodem_conf mc = {.name = "m"};
    struct bench b = bench_open_conf(&nc, &mc);
    bench_begin(&b);
    bench_ask(&b, "AT+CNMI=2,1,0,1");
    bench_send(&b, SUBMIT_PDU_SRR);
    assert_string_equal(bench_wait(&b, 1999), "");
    const char *cds = bench_wait(&b, 1);
    assert_non_null(strstr(cds, "\r\n+CDS: "));
    assert_non_null(strstr(cds, "0A919471113254"));
    bench_ask(&b, "AT+CNMI=2,1,0,2");
    bench_send(&b, SUBMIT_PDU_SRR);
    assert_string_equal(bench_wait(&b, 2000), "\r\n+CDSI: \"SR\",1\r\n");
    bench_ask(&b, "AT+CPMS=\"SR\"");
    assert_non_null(strstr(bench_ask(&b, "AT+CMGR=1"), "+CMGR: 0,,"));
    bench_ask(&b, "AT+CMGD=1");
    assert_int_equal(simnet_counts(b.net)->deleted_messages, 0);
    bench_ask(&b, "AT+CNMI=2,1");
    bench_send(&b, SUBMIT_PDU_SRR);
    assert_string_equal(bench_wait(&b, 2000), "");
    assert_int_equal(bench_count(&b, SIMNET_DROPPED), 1);
    bench_ask(&b, "AT+CSMS=1;+CNMI=2,1,0,1");
    bench_send(&b, SUBMIT_PDU_SRR);
    bench_wait(&b, 2000);
    assert_string_equal(bench_ask(&b, "AT+CNMA"), "\r\nOK\r\n");
    assert_int_equal(simnet_counts(b.net)->acked_messages, 0);
    bench_close(&b);
}

/* Rules decide what becomes of a message; a pending report is followed by a final one. */
static void test_report_rules(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,1,0,1");
    simnet_report_rule(b.net, "+4917", 0x46, 10);
    bench_send(&b, SUBMIT_PDU_SRR);
    assert_non_null(strstr(bench_wait(&b, 10), "46\r\n"));
    simnet_report_rule(b.net, "+49171", 0x20, 10);
    bench_send(&b, SUBMIT_PDU_SRR);
    assert_non_null(strstr(bench_wait(&b, 10), "20\r\n"));
    assert_non_null(strstr(bench_wait(&b, 10), "00\r\n"));
    simnet_report_rule(b.net, "", 0, -1);
    bench_send(&b, SUBMIT_PDU_SRR);
    assert_string_equal(bench_wait(&b, 1000), "");
    bench_close(&b);
}

/* A message to another simulated modem's number is delivered there, from the sender's number. */
static void test_between_modems(void **state)
{
    (void)state;
    struct bench b = bench_open();
    struct simmodem_conf mc = {.name = "other", .number = "+4917112345"};
    struct simmodem *other = simmodem_new(b.net, &mc, b.now_ms);
    bench_begin(&b);
    bench_send(&b, SUBMIT_PDU);
    simmodem_tick(other, b.now_ms);
    const struct simnet_event *ev = simnet_event(b.net, simnet_events(b.net) - 1);
    assert_int_equal(ev->kind, SIMNET_STORED);
    assert_string_equal(ev->modem, "other");
    assert_string_equal(ev->peer, "+491700000001");
    simmodem_free(other);
    bench_close(&b);
}

/* The log as text is one JSON object a line, with control characters and quotes escaped. */
static void test_json(void **state)
{
    (void)state;
    struct bench b = begun("AT+CNMI=2,1");
    struct buf out = {0};
    text_in(&b, "+491715", "a\"b\nc");
    simnet_event_json(b.net, simnet_event(b.net, 0), &out);
    assert_non_null(strstr(buf_str(&out), "\"event\":\"injected\",\"modem\":\"modem0\""));
    assert_non_null(strstr(buf_str(&out), "\"from\":\"+491715\",\"text\":\"a\\\"b\\u000ac\",\"pdu\":\""));
    assert_int_equal(out.data[out.len - 1], '\n');
    buf_free(&out);
    bench_close(&b);
}

/* With a bound on the events kept, the newest stay and the counters go on. */
static void test_bounded_log(void **state)
{
    (void)state;
    struct simnet_conf nc = {.seed = 1, .keep_events = 5};
    struct simmodem_conf mc = {.name = "m"};
    struct bench b = bench_open_conf(&nc, &mc);
    bench_begin(&b);
    for (int i = 0; i < 12; i++)
        bench_send(&b, SUBMIT_PDU);
    assert_int_equal(simnet_events(b.net), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(simnet_event(b.net, i)->seq, 8 + i);
    assert_int_equal(bench_count(&b, SIMNET_SUBMITTED), 12);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_read_delete),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_direct_without_acknowledgement),
        cmocka_unit_test(test_direct_acknowledged),
        cmocka_unit_test(test_direct_not_acknowledged),
        cmocka_unit_test(test_negative_acknowledgement),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_buffered_notices),
        cmocka_unit_test(test_full_store),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_report_rules),
        cmocka_unit_test(test_between_modems),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_bounded_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
