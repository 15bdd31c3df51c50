/* The simulated modem as one of a family: what each says, refuses, and how it hangs and restarts. */
#include "bench.h"

#include "hw/sim/simside.h"

static struct bench open_as(const char *personality)
{
    struct simmodem_conf mc = {.name = "modem0", .number = "+491700000001", .personality = personality};
    struct bench b = bench_open_conf(NULL, &mc);
    bench_ask(&b, "ATE0");
    bench_ask(&b, "AT+CMEE=1");
    return b;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* As a host sets a modem up: attempts until one is accepted. */
static void set_up(struct bench *b)
{
    static const char *const cnmi[] = {"2,1,0,1,0", "1,1,0,1,0", "2,1,0,1,1",
                                       "2,1,0,2,0", "2,1,0,2,1", "2,1,0,0,0"};
    assert_string_equal(bench_ask(b, "AT+CMGF=0"), "\r\nOK\r\n");
    for (size_t i = 0; i < ARRAY_LEN(cnmi); i++) {
        char line[32];
        snprintf(line, sizeof(line), "AT+CNMI=%s", cnmi[i]);
        if (has(bench_ask(b, line), "OK"))
            return;
    }
    fail_msg("no AT+CNMI is accepted");
}

/* Every personality has a line of help and a device, sends a message, receives one, and tells its notice. */
static void test_each_sends_and_receives(void **state)
{
    (void)state;
    for (size_t i = 0; simmodem_personality(i); i++) {
        const char *name = simmodem_personality(i);
        assert_non_null(simmodem_personality_help(i));
        assert_non_null(simside_usb_of(name));
        struct bench b = open_as(name);
        print_message("%s\n", name);
        set_up(&b);
        if (!has(bench_ask(&b, "AT+CPIN?"), "+CPIN: READY"))
            fail_msg("AT+CPIN?: %s", b.said);
        if (!has(bench_send(&b, SUBMIT_PDU), "OK"))
            fail_msg("AT+CMGS: %s", b.said);
        simnet_text(b.net, b.m, "+4917155", "Hello", b.now_ms, NULL);
        if (!has(bench_wait(&b, 100), "+CMTI: \"SM\","))
            fail_msg("notice: %s", b.said);
        bench_wait(&b, 1000);
        if (!has(bench_ask(&b, "AT+CMGL=4"), "+CMGL: "))
            fail_msg("AT+CMGL: %s", b.said);
        assert_int_equal(bench_count(&b, SIMNET_SUBMITTED), 1);
        assert_int_equal(bench_count(&b, SIMNET_STORED), 1);
        bench_close(&b);
    }
    assert_null(simside_usb_of("nokia-3310"));
}

/* What families answer otherwise than the standard's modem. */
static void test_answers(void **state)
{
    static const struct {
        const char *personality, *ask, *reply;
    } rows[] = {
        {"huawei-e173", "AT+CGMM", "\r\nE173\r\n\r\nOK\r\n"},
        {"huawei-e173", "AT+CNMI=2,1,0,1,0", "\r\n+CMS ERROR: 304\r\n"},
        {"huawei-e173", "AT+CNMI=1,1,0,1,0", "\r\nOK\r\n"},
        {"huawei-e173", "AT+CREG=2;+CREG?", "\r\n+CREG: 2,1,C3,1A2D001\r\n\r\nOK\r\n"},
        {"huawei-e173", "AT^CPIN?", "\r\n^CPIN: READY,3,10,3,10,3\r\n\r\nOK\r\n"},
        {"huawei-e173", "AT+WIND?", "\r\nCOMMAND NOT SUPPORT\r\n"},
        {"huawei-e173", "AT+CMMS=2", "\r\n+CMS ERROR: 500\r\n"},
        {"huawei-e173", "AT+CPMS=\"ME\",\"SM\",\"MT\"", "\r\n+CPMS: 0,23,0,50,0,23\r\n\r\nOK\r\n"},
        {"huawei-e173", "AT+CNMA", "\r\nERROR\r\n"},
        {"huawei-e173", "AT+CNMA=0", "\r\n+CMS ERROR: 340\r\n"},
        {"huawei-e173", "AT+CMGD=0", "\r\nOK\r\n"},
        {"huawei-me909", "AT+CPMS=?", "\r\n+CPMS: \"ME\",\"MT\",\"SM\"\r\n\r\nOK\r\n"},
        {"huawei-me909", "AT+CPMS=\"SR\"", "\r\n+CMS ERROR: 304\r\n"},
        {"huawei-me909", "AT+CNMI=1,1,0,2,0", "\r\n+CMS ERROR: 304\r\n"},
        {"huawei-me909", "AT+CSQ", "\r\n+CSQ: 99,99\r\n\r\nOK\r\n"},
        {"zte-mf190", "AT+CFUN?", "\r\n+CFUN: (0-1,4-7),(0-1)\r\n\r\nOK\r\n"},
        {"simcom-sim800", "AT+CNMI=2,1,0,2,0", "\r\n+CMS ERROR: 304\r\n"},
        {"simcom-sim800", "AT+CEREG=1", "\r\nERROR\r\n"},
        {"simcom-sim800", "AT+CPMS=\"SM_P\"", "\r\n+CPMS: 0,50,0,50,0,50\r\n\r\nOK\r\n"},
        {"simcom-a7670", "AT+CREG?", "\r\n+CREG: 0,6\r\n\r\nOK\r\n"},
        {"quectel-m95", "AT+CSMS=?", "\r\n+CSMS: (0,128)\r\n\r\nOK\r\n"},
        {"quectel-m95", "AT+CSMS=1", "\r\n+CMS ERROR: 303\r\n"},
        {"quectel-m95", "AT+CSMS=128", "\r\n+CSMS: 1,1,0\r\n\r\nOK\r\n"},
        {"quectel-ec25", "AT+CNMI=?", "\r\n+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)\r\n\r\nOK\r\n"},
        {"quectel-ec25", "AT+CNMI=2,1,0,1,0", "\r\n+CMS ERROR: 304\r\n"},
        {"quectel-ec25", "AT+QPINC=\"SC\"", "\r\n+QPINC: \"SC\",3,10\r\n\r\nOK\r\n"},
        {"quectel-bg96", "AT+CREG?;+CEREG?", "\r\n+CREG: 0,0\r\n\r\n+CEREG: 0,1\r\n\r\nOK\r\n"},
        {"ublox-sara-r4", "AT+UPINCNT", "\r\n+UPINCNT: 3,3,10,10\r\n\r\nOK\r\n"},
        {"telit-le910", "AT#PCT", "\r\n#PCT: 3\r\n\r\nOK\r\n"},
        {"cinterion-bgs2", "AT+CNMI=2,1", "\r\n+CMS ERROR: 304\r\n"}, /* bfr left out is 0 */
        {"cinterion-bgs2", "AT+CNMI=2,1,0,1,1", "\r\n+CMS ERROR: 304\r\n"},
        {"cinterion-bgs2", "AT+CSMS=1;+CNMI=2,2,0,1,1", "\r\n+CSMS: 1,1,0\r\n\r\nOK\r\n"},
        {"siemens-tc35", "AT+CPMS=\"ME\"", "\r\n+CMS ERROR: 304\r\n"},
        {"siemens-tc35", "AT^SPIC", "\r\n^SPIC: 3\r\n\r\nOK\r\n"},
        {"wavecom-q24", "AT+CPIN?", "\r\n+CPIN: READY\r\n"},
        {"wavecom-q24", "AT+CGMR", "\r\nERROR\r\n"},
        {"wavecom-q24", "AT+CGMM", "\r\n MULTIBAND  900E  1800 \r\n\r\nOK\r\n"},
        {"wavecom-q24", "AT+CPMS=\"SM\",\"SM\",\"SM\"", "\r\nERROR\r\n"},
        {"wavecom-q24", "AT+CPMS=\"BM\",\"SM\"", "\r\n+CPMS: 0,5,0,50\r\n\r\nOK\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b = open_as(rows[i].personality);
        if (strcmp(rows[i].ask, "AT+CMGD=0") == 0) /* index 0 is there */
            simnet_text(b.net, b.m, "+4917155", "Hello", b.now_ms, NULL);
        bench_wait(&b, 1);
        bench_take(&b);
        if (strcmp(bench_ask(&b, rows[i].ask), rows[i].reply) != 0)
            fail_msg("%s, %s: %s", rows[i].personality, rows[i].ask, b.said);
        bench_close(&b);
    }
}

/* Behind the PIN, SMS commands are refused in the family's way until its sign is said. */
static void test_ready_sign(void **state)
{
    static const struct {
        const char *personality, *refusal, *sign;
    } rows[] = {
        {"simcom-sim800", "\r\nERROR\r\n", "SMS Ready"},
        {"simcom-sim7600", "\r\n+CMS ERROR: 314\r\n", "SMS DONE"},
        {"quectel-ec25", "\r\n+CMS ERROR: 512\r\n", "+QIND: SMS DONE"},
        {"wavecom-q24", "\r\n+CME ERROR: 515\r\n", "+WIND: 4"},
        {"cinterion-bgs2", "\r\n+CMS ERROR: 532\r\n", "^SSIM READY"},
        {"telit-le910", "\r\n+CME ERROR: 14\r\n", "#QSS: 3"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct simmodem_conf mc = {.name = "modem0", .pin = "1234", .personality = rows[i].personality};
        struct bench b = bench_open_conf(NULL, &mc);
        bench_ask(&b, "ATE0+CMEE=1");
        assert_string_equal(bench_ask(&b, "AT+CMGF=0"), "\r\n+CMS ERROR: 311\r\n");
        assert_string_equal(bench_ask(&b, "AT+CPIN=1234"), "\r\nOK\r\n");
        assert_string_equal(bench_ask(&b, "AT+CMGF=0"), rows[i].refusal);
        assert_true(has(bench_wait(&b, 4000), rows[i].sign));
        assert_string_equal(bench_ask(&b, "AT+CMGF=0"), "\r\nOK\r\n");
        bench_close(&b);
    }
}

/* A restart takes a USB stick off the bus and back; a module on a serial line stays and says its banner. */
static void test_restart(void **state)
{
    static const struct {
        const char *personality, *command, *banner;
        bool leaves;
    } rows[] = {
        {"huawei-e173", "AT+CFUN=1,1", "^SIMST:1", true}, {"huawei-e173", "AT^RESET", "^SIMST:1", true},
        {"simcom-sim7600", "AT+CRESET", "RDY", true},     {"sierra-mc7455", "AT!RESET", "", true},
        {"telit-le910", "AT#REBOOT", "#QSS: 3", true},    {"ublox-sara-r4", "AT+CFUN=15", "+AT: READY", true},
        {"simcom-sim800", "AT+CFUN=1,1", "RDY", false},   {"wavecom-q24", "AT+CFUN=1", "+WIND: 3", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b = open_as(rows[i].personality);
        assert_string_equal(bench_ask(&b, rows[i].command), "\r\nOK\r\n");
        bench_wait(&b, 1000);
        assert_int_equal(simmodem_present(b.m), !rows[i].leaves);
        if (!has(bench_wait(&b, 10000), rows[i].banner))
            fail_msg("%s: %s", rows[i].personality, b.said);
        assert_true(simmodem_present(b.m));
        bench_close(&b);
    }
}

/* A wedged stick says ^BOOT every two seconds and hears nothing, whatever the host does, until its power is
 * cut; what was silent works again behind that too. */
static void test_wedge_and_power(void **state)
{
    static const char *const cures[] = {"power", "vanish"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cures); i++) {
        struct bench b = open_as("huawei-e173");
        bench_fault(&b, "wedge", NULL);
        bench_take(&b);
        assert_string_equal(bench_ask(&b, "AT"), "");
        const char *said = bench_wait(&b, 6000);
        int lines = 0;
        for (const char *p = said; (p = strstr(p, "^BOOT:")); p++)
            lines++;
        assert_int_equal(lines, 3);
        assert_string_equal(bench_ask(&b, "AT+CFUN=1,1"), "");
        bench_fault(&b, cures[i], i ? "1000" : NULL);
        assert_false(simmodem_present(b.m));
        bench_wait(&b, 10000);
        assert_true(has(bench_ask(&b, "AT"), "OK"));
        bench_close(&b);
    }
    struct bench b = open_as("simcom-sim800");
    bench_fault(&b, "silence", "1000000");
    assert_string_equal(bench_ask(&b, "AT"), "");
    simmodem_power_cycle(b.m, b.now_ms);
    assert_true(has(bench_wait(&b, 5000), "SMS Ready"));
    assert_true(has(bench_ask(&b, "AT"), "OK"));
    bench_close(&b);
}

/* ESC at the prompt is answered in each family's way. */
static void test_escape(void **state)
{
    static const struct {
        const char *personality, *answer;
    } rows[] = {{"telit-le910", "\r\nOK\r\n"}, {"quectel-ec25", "\r\n+CMS ERROR: 350\r\n"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b = open_as(rows[i].personality);
        assert_string_equal(bench_ask(&b, "AT+CMGS=17"), "\r\n> ");
        assert_string_equal(bench_raw(&b, "\x1b"), rows[i].answer);
        bench_close(&b);
    }
}

/* With GPS on, a MC7455 says OK before the PDU and no +CMGS behind it, and the message is sent. */
static void test_ok_before_pdu(void **state)
{
    (void)state;
    struct bench b = open_as("sierra-mc7455");
    assert_string_equal(bench_ask(&b, "AT+CMGS=" SUBMIT_LEN), "\r\n> \r\nOK\r\n");
    assert_string_equal(bench_raw(&b, SUBMIT_PDU "\x1a"), "\r\nOK\r\n");
    assert_int_equal(bench_count(&b, SIMNET_SUBMITTED), 1);
    bench_ask(&b, "AT!GPSEND=0");
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMGS: 1\r\n\r\nOK\r\n");
    bench_close(&b);
}

/* Behind each message a Wavecom asks for patience. */
static void test_wait_after_send(void **state)
{
    (void)state;
    struct bench b = open_as("wavecom-q24");
    assert_true(has(bench_send(&b, SUBMIT_PDU), "+CMGS: 0"));
    assert_string_equal(bench_ask(&b, "AT+CMGS=" SUBMIT_LEN), "\r\n+CME ERROR: 515\r\n");
    bench_wait(&b, 500);
    assert_true(has(bench_send(&b, SUBMIT_PDU), "+CMGS: 1"));
    bench_close(&b);
}

/* USSD requests are taken and answered in the codings of the family, and refused in others. */
static void test_ussd(void **state)
{
    static const struct {
        const char *personality, *ask, *reply, *later;
    } rows[] = {
        {"generic", "AT+CUSD=1,\"*100#\",15", "\r\nOK\r\n", "+CUSD: 0,\"Balance 5\",15"},
        {"huawei-e173", "AT+CUSD=1,\"AA180C3602\",15", "\r\nOK\r\n", "+CUSD: 0,\"C2303BEC1E974135\",15"},
        {"huawei-e173", "AT+CUSD=1,\"*100#\",15", "\r\nERROR\r\n", ""},
        {"huawei-me909", "AT+CUSD=1,\"002A0031003000300023\",72", "\r\nOK\r\n",
         "+CUSD: 0,\"00420061006C0061006E006300650020"
         "0035\",72"},
        {"quectel-m95", "AT+CUSD=1,\"*100#\",15", "\r\nOK\r\n", "+CUSD: 0,\"Balance 5\",15"},
        {"quectel-m95", "AT+CUSD=1,\"002A0031003000300023\",15", "\r\nOK\r\n\r\n+CUSD: 4\r\n", ""},
        {"quectel-bg96", "AT+CUSD=1,\"*100#\",15", "\r\n+CME ERROR: 4\r\n", ""},
        {"telit-le910", "AT+CUSD=1,\"*100#\",15", "\r\nOK\r\n", "00350000FFFF"},
        {"cinterion-bgs2", "AT+CUSD=1,\"*999#\",15", "\r\nOK\r\n", "\r\n+CME ERROR: 132\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b = open_as(rows[i].personality);
        simmodem_ussd(b.m, "*100#", "Balance 5");
        if (strcmp(bench_ask(&b, rows[i].ask), rows[i].reply) != 0)
            fail_msg("%s: %s", rows[i].personality, b.said);
        if (!has(bench_wait(&b, 600), rows[i].later))
            fail_msg("%s, later: %s", rows[i].personality, b.said);
        bench_close(&b);
    }
}

/* A menu stays open for a reply, and AT+CUSD=2 ends it. */
static void test_ussd_menu(void **state)
{
    (void)state;
    struct bench b = open_as("");
    simmodem_ussd(b.m, "*101#", "?1 Balance");
    simmodem_ussd(b.m, "1", "5 EUR");
    bench_ask(&b, "AT+CUSD=1,\"*101#\",15");
    assert_string_equal(bench_wait(&b, 600), "\r\n+CUSD: 1,\"1 Balance\",15\r\n");
    bench_ask(&b, "AT+CUSD=1,\"1\",15");
    assert_string_equal(bench_wait(&b, 600), "\r\n+CUSD: 0,\"5 EUR\",15\r\n");
    bench_ask(&b, "AT+CUSD=1,\"*101#\",15");
    bench_wait(&b, 600);
    assert_true(has(bench_ask(&b, "AT+CUSD=2"), "+CUSD: 2"));
    bench_close(&b);
}

/* The header of a message on the line has each family's form. */
static void test_headers(void **state)
{
    static const struct {
        const char *personality, *setup, *header;
    } rows[] = {
        {"simcom-sim800", "AT+CNMI=2,2", "\r\n+CMT: \"\",22\r\n0791"},
        {"quectel-ec25", "AT+CNMI=1,2", "\r\n+CMT: ,22\r\n0791"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b = open_as(rows[i].personality);
        assert_string_equal(bench_ask(&b, rows[i].setup), "\r\nOK\r\n");
        simnet_text(b.net, b.m, "+4917155", "Hello", b.now_ms, NULL);
        assert_true(has(bench_wait(&b, 10), rows[i].header));
        bench_close(&b);
    }
    struct bench b = open_as("zte-mf190"); /* a report comes between AT+CMGS and the prompt */
    assert_string_equal(bench_ask(&b, "AT+CNMI=1,1,0,1,0"), "\r\nOK\r\n");
    assert_true(has(bench_send(&b, SUBMIT_PDU_SRR), "+CMGS: 0"));
    const char *said = bench_ask(&b, "AT+CMGS=" SUBMIT_LEN);
    assert_true(has(said, "\r\n+CDS: ,"));
    assert_string_equal(said + strlen(said) - 4, "\r\n> ");
    bench_close(&b);
}

/* Noise comes at its rate, the same from the same seed, ends where the host asks for it, and does not grow
 * while nobody reads. */
static void test_noise(void **state)
{
    char first[4096] = "";
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct bench b = open_as("huawei-e173");
        const char *said = bench_wait(&b, 100000);
        if (round == 0)
            str_copy(first, sizeof(first), said);
        assert_string_equal(said, first);
        assert_true(has(said, "^RSSI:20"));
        assert_string_equal(bench_ask(&b, "AT^CURC=0"), "\r\nOK\r\n");
        assert_string_equal(bench_wait(&b, 100000), "");
        bench_ask(&b, "AT^CURC=1");
        simmodem_tick(b.m, b.now_ms + 86400000);
        assert_true(simmodem_out(b.m)->len < 4096);
        bench_close(&b);
    }
}

/* A full store is told in the family's words, once. */
static void test_full(void **state)
{
    (void)state;
    struct bench b = open_as("huawei-e173");
    bench_fault(&b, "capacity", "SM 1");
    for (int i = 0; i < 3; i++)
        simnet_text(b.net, b.m, "+4917155", "Hello", b.now_ms, NULL);
    const char *said = bench_wait(&b, 100);
    assert_true(has(said, "^SMMEMFULL:\"SM\""));
    assert_null(strstr(strstr(said, "^SMMEMFULL") + 1, "^SMMEMFULL"));
    bench_close(&b);
}

/* A message may be sent although +CMS ERROR: 500 says otherwise, and a notice may lack its index. */
static void test_lies(void **state)
{
    (void)state;
    struct bench b = open_as("quectel-bg96");
    bench_fault(&b, "sent_500", NULL);
    assert_string_equal(bench_send(&b, SUBMIT_PDU), "\r\n+CMS ERROR: 500\r\n");
    assert_int_equal(bench_count(&b, SIMNET_SUBMITTED), 1);
    set_up(&b);
    bench_fault(&b, "index_lost", NULL);
    simnet_text(b.net, b.m, "+4917155", "Hello", b.now_ms, NULL);
    assert_true(has(bench_wait(&b, 10), "+CMTI: \"SM\",-1"));
    bench_close(&b);
}

static const char *side_said(struct simside *s, const char *bytes, char out[512])
{
    simside_feed(s, bytes, strlen(bytes), 1000);
    struct buf *b = simside_out(s);
    assert_true(b->len < 512);
    memcpy(out, buf_str(b), b->len);
    out[b->len] = '\0';
    buf_drop(b, b->len);
    return out;
}

/* The other ports of a stick: one answers AT but has no messages, one speaks frames, one tells its place,
 * one knows AT alone. */
static void test_sides(void **state)
{
    static const struct {
        enum simside_kind kind;
        const char *ask, *reply;
    } rows[] = {
        {SIMSIDE_DATA, "ATE0\r", "ATE0\r\r\nOK\r\n"},
        {SIMSIDE_DATA, "AT+CGSN\r", "AT+CGSN\r\r\n357805021234567\r\n\r\nOK\r\n"},
        {SIMSIDE_DATA, "AT+CMGF=0\r", "AT+CMGF=0\r\r\nERROR\r\n"},
        {SIMSIDE_DIAG, "AT\r", ""},
        {SIMSIDE_DIAG, "\x7e", "\x13\x7D\x5E\xD2\x7A\x7E"},
        {SIMSIDE_AUX, "AT\r", "AT\r\r\nOK\r\n"},
        {SIMSIDE_AUX, "AT+CGMI\r", "AT+CGMI\r\r\nERROR\r\n"},
        {SIMSIDE_GPS, "AT\r", ""},
    };
    char out[512];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct simside *s = simside_new(rows[i].kind, "357805021234567", 1000);
        assert_string_equal(side_said(s, rows[i].ask, out), rows[i].reply);
        assert_int_equal(simside_deadline(s) == INT64_MAX, rows[i].kind != SIMSIDE_GPS);
        simside_free(s);
    }
    struct simside *gps = simside_new(SIMSIDE_GPS, "", 1000);
    simside_tick(gps, 2000);
    assert_memory_equal(simside_out(gps)->data, "$GPGGA,", 7);
    simside_free(gps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_sends_and_receives),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_ready_sign),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_wedge_and_power),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_ok_before_pdu),
        cmocka_unit_test(test_wait_after_send),
        cmocka_unit_test(test_ussd),
        cmocka_unit_test(test_ussd_menu),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
