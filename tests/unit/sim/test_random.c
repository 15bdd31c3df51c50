/* Random input and random faults: the modem never breaks, and its account always balances. */
#include <stdlib.h>

#include "bench.h"

static uint64_t state_;

static uint32_t below(uint32_t bound)
{
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((state_ >> 33) * bound) >> 31);
}

static const char *const pieces[] = {
    "AT",
    "+CMGS=17",
    "+CMGL=4",
    "+CMGR=",
    "+CMGD=1,4",
    "+CNMI=2,1,0,1,0",
    "+CNMI=2,2,0,2",
    "+CSMS=1",
    "+CNMA",
    "+CMGW=17",
    "+CMSS=1",
    "?",
    "=?",
    "=",
    ",",
    "\"",
    ";",
    "\r",
    "\r",
    "\x1a",
    "\x1b",
    "\n",
    "1",
    "255",
    "-1",
    "E1",
    "V0",
    "Q0V1E0",
    "Z",
    "&F",
    "S3=13",
    "+CPIN=",
    "+CFUN=",
    "+CUSD=1,",
    "+CPMS=\"",
    "ME",
    SUBMIT_PDU,
    SUBMIT_PDU_SRR,
    "+CSCS=\"UCS2\"",
    "+CSCA=\"",
    "^X",
    "\b",
    "99999999999999999999",
    "\xff",
};

static const char *const lines[] = {
    "AT+CNMI=2,1,0,1,0",
    "AT+CNMI=2,2,0,2",
    "AT+CNMI=0,1,0,1",
    "AT+CNMI=2,2,0,1;+CSMS=1",
    "AT+CSMS=0",
    "AT+CNMA",
    "AT+CNMA=2",
    "AT+CNMA=1,3",
    "AT+CMGL=4",
    "AT+CMGR=1",
    "AT+CMGD=1",
    "AT+CMGD=2",
    "AT+CMGD=1,1",
    "AT+CMGD=1,4",
    "AT+CMSS=1",
    "AT+CMGW=17",
    "AT+CPMS=\"SR\"",
    "AT+CPMS=\"SM\"",
    "AT+CPMS=\"ME\",\"SM\",\"ME\"",
    "AT+CFUN=1,1",
    "AT+CFUN=4",
    "AT+CFUN=1",
    "AT+CUSD=1,\"*100#\"",
};

static const char *const faults[][2] = {
    {"silence", "500"},     {"garbage", "2% 500"}, {"drop", "2% 500"},      {"double", "2% 500"},
    {"late", "300 2"},      {"ok_lost", "1"},      {"prompt_missing", "1"}, {"urc_inside", "3"},
    {"error", "1"},         {"cms", "38 1"},       {"cme", "14 1"},         {"reboot", "200"},
    {"vanish", "300"},      {"no_network", "400"}, {"memory_full", "500"},  {"capacity", "SM 2"},
    {"capacity", "SM 60"},  {"sim_out", ""},       {"sim_in", ""},          {"report_lost", "1"},
    {"report_late", "300"}, {"signal", "3"},       {"report_shuffle", "3"}, {"duplicate", "2 1"},
    {"parts_shuffled", ""}, {"mr", "255"},         {"clear", ""},           {"report_status", "20"},
};

static uint64_t seed_of_run(void)
{
    const char *text = getenv("SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 1;
    printf("SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void one_action(struct bench *b)
{
    switch (below(9)) {
    case 0: {
        size_t i = below(ARRAY_LEN(faults));
        bench_fault(b, faults[i][0], faults[i][1]);
        break;
    }
    case 1:
        simnet_text(b->net, b->m, "+491715", below(3) ? "Hi" : b->said, b->now_ms, NULL);
        break;
    case 2:
        bench_wait(b, below(400));
        break;
    case 3:
        bench_send(b, below(2) ? SUBMIT_PDU : SUBMIT_PDU_SRR);
        break;
    case 4:
    case 5:
    case 6:
        bench_ask(b, lines[below(ARRAY_LEN(lines))]);
        break;
    default:
        bench_raw(b, pieces[below(ARRAY_LEN(pieces))]);
        bench_raw(b, below(4) ? "" : "\r");
        break;
    }
}

/* Where each injected TPDU is: in the network, in a store, or gone by one of the ways that the log names. */
static void assert_balance(const struct bench *b)
{
    struct simmodem_info info;
    uint64_t made = 0, gone = 0, stored = 0;
    for (size_t i = 0; i < simnet_events(b->net); i++) {
        const struct simnet_event *ev = simnet_event(b->net, i);
        made += ev->kind == SIMNET_INJECTED || ev->kind == SIMNET_REPORT;
        gone += ev->kind == SIMNET_DELETED || ev->kind == SIMNET_ACKED || ev->kind == SIMNET_DROPPED ||
                (ev->kind == SIMNET_SHOWN && ev->code == 0);
    }
    simmodem_info(b->m, &info);
    for (size_t i = 0; i < 3; i++)
        for (int k = 0; k < 1000; k++) {
            size_t len;
            int stat = 0;
            if (simmodem_stored(b->m, info.stores[i].name, k, &len, &stat) && stat < 2)
                stored++;
        }
    assert_int_equal(made, gone + stored + simnet_waiting(b->net, b->m));
}

/* Any bytes, messages and faults in any order: nothing breaks, and no message is lost or made from nothing.
 */
static void test_random(void **state)
{
    uint64_t seed = seed_of_run();
    (void)state;
    for (uint64_t run = 0; run < 60; run++) {
        struct simnet_conf nc = {.seed = seed + run, .report_ms = 50, .retry_ms = 1000};
        struct simmodem_conf mc = {.name = "m", .net_ms = run % 3 ? 100 : 0, .baud = run % 4 ? 0 : 115200};
        struct bench b = bench_open_conf(&nc, &mc);
        state_ = (seed + run) * 2654435761u;
        bench_ask(&b, "ATE0");
        bench_wait(&b, 100);
        for (int i = 0; i < 400; i++)
            one_action(&b);
        assert_balance(&b);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
