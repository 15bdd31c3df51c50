/* What the tests of the simulated modem share: a network, a modem, and a host that asks. */
#ifndef SIMGATE_TESTS_SIM_BENCH_H
#define SIMGATE_TESTS_SIM_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "hw/sim/simmodem.h"

struct bench {
    struct simnet *net;
    struct simmodem *m;
    int64_t now_ms;
    char said[8192];
};

#define BENCH_WALL_MS INT64_C(1790000000000)

static inline struct bench bench_open_conf(const struct simnet_conf *nc, const struct simmodem_conf *mc)
{
    struct simnet_conf net_conf = nc ? *nc : (struct simnet_conf){.seed = 1};
    net_conf.wall_offset_ms = BENCH_WALL_MS;
    struct bench b = {.net = simnet_new(&net_conf), .now_ms = 1000};
    b.m = simmodem_new(b.net, mc, b.now_ms);
    return b;
}

static inline struct bench bench_open(void)
{
    struct simmodem_conf mc = {.name = "modem0", .number = "+491700000001"};
    return bench_open_conf(NULL, &mc);
}

static inline void bench_close(struct bench *b)
{
    simmodem_free(b->m);
    simnet_free(b->net);
}

/* Takes what the modem has said so far. */
static inline const char *bench_take(struct bench *b)
{
    struct buf *out = simmodem_out(b->m);
    assert_true(out->len < sizeof(b->said));
    memcpy(b->said, buf_str(out), out->len);
    b->said[out->len] = '\0';
    buf_drop(out, out->len);
    return b->said;
}

/* Lets time pass, deadline by deadline, and takes what was said meanwhile. */
static inline const char *bench_wait(struct bench *b, int64_t ms)
{
    int64_t end = b->now_ms + ms;
    for (int64_t at; (at = simmodem_deadline(b->m)) <= end;) {
        if (at > b->now_ms)
            b->now_ms = at;
        size_t before = simmodem_out(b->m)->len;
        simmodem_tick(b->m, b->now_ms);
        if (simmodem_deadline(b->m) <= b->now_ms && simmodem_out(b->m)->len == before)
            break;
    }
    b->now_ms = end;
    simmodem_tick(b->m, end);
    return bench_take(b);
}

static inline const char *bench_raw(struct bench *b, const char *bytes)
{
    simmodem_feed(b->m, bytes, strlen(bytes), b->now_ms);
    return bench_take(b);
}

/* A command line without its CR; the reply. */
static inline const char *bench_ask(struct bench *b, const char *line)
{
    simmodem_feed(b->m, line, strlen(line), b->now_ms);
    return bench_raw(b, "\r");
}

/* Echo off, numeric errors, PDU mode: what a gateway says first. */
static inline void bench_begin(struct bench *b)
{
    bench_ask(b, "ATE0");
    assert_string_equal(bench_ask(b, "AT+CMEE=1;+CMGF=0"), "\r\nOK\r\n");
}

static inline uint64_t bench_count(const struct bench *b, enum simnet_kind kind)
{
    return simnet_counts(b->net)->by_kind[kind];
}

static inline void bench_fault(struct bench *b, const char *name, const char *args)
{
    struct err e = {0};
    if (simmodem_fault(b->m, name, args, b->now_ms, &e) != 0)
        fail_msg("%s", e.text);
}

/* "Hello" to +4917112345: TP-MR 0, no validity; with a status report asked for in the second. */
#define SUBMIT_LEN     "17"
#define SUBMIT_PDU     "0001000A919471113254000005C8329BFD06"
#define SUBMIT_PDU_SRR "0021000A919471113254000005C8329BFD06"

static inline const char *bench_send(struct bench *b, const char *pdu)
{
    bench_ask(b, "AT+CMGS=" SUBMIT_LEN);
    simmodem_feed(b->m, pdu, strlen(pdu), b->now_ms);
    return bench_raw(b, "\x1a");
}

#endif
