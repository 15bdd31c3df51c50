/* Any bytes from a host to the simulated modem, with time passing, messages coming in, and TPDUs of any kind.
 *
 * The input is cut at octets 0xF0..0xF7, which are steps of their own; all between them is fed as it is. Its
 * length chooses the modem's personality. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/util.h"
#include "hw/sim/simmodem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct play {
    struct simnet *net;
    struct simmodem *m;
    int64_t now_ms;
    const uint8_t *last; /* what was fed last: also a TPDU to deliver */
    size_t last_len;
};

static void step(struct play *p, uint8_t what)
{
    switch (what & 7) {
    case 0:
        p->now_ms += 10;
        break;
    case 1:
        p->now_ms += 20000;
        break;
    case 2:
        simnet_text(p->net, p->m, "+491715", "Hello", p->now_ms, NULL);
        break;
    case 3:
        simnet_deliver_tpdu(p->net, p->m, p->last, p->last_len, p->now_ms, NULL);
        break;
    case 4:
        simmodem_ring(p->m, "", 2, p->now_ms);
        break;
    case 5:
        simmodem_fault(p->m, "reboot", "5", p->now_ms, NULL);
        break;
    case 6:
        simmodem_fault(p->m, "urc_inside", "3", p->now_ms, NULL);
        break;
    default:
        simmodem_fault(p->m, "garbage", "10% 5", p->now_ms, NULL);
        break;
    }
    simmodem_tick(p->m, p->now_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct simnet_conf nc = {.seed = 1, .wall_offset_ms = INT64_C(1790000000000)};
    struct simmodem_conf mc = {.name = "m", .number = "+491700000001", .sm_slots = 2};
    struct play p = {.net = simnet_new(&nc), .now_ms = 1};
    size_t personalities = 0;
    while (simmodem_personality(personalities))
        personalities++;
    mc.personality = simmodem_personality(size % personalities);
    p.m = simmodem_new(p.net, &mc, p.now_ms);
    for (size_t at = 0; at < size;) {
        size_t n = at;
        while (n < size && (data[n] & 0xF8) != 0xF0)
            n++;
        p.last = data + at;
        p.last_len = n - at;
        simmodem_feed(p.m, p.last, p.last_len, p.now_ms);
        if (n < size)
            step(&p, data[n++]);
        buf_clear(simmodem_out(p.m));
        at = n;
    }
    struct buf json = {0};
    for (size_t i = 0; i < simnet_events(p.net); i++)
        simnet_event_json(p.net, simnet_event(p.net, i), &json);
    buf_free(&json);
    simmodem_free(p.m);
    simnet_free(p.net);
    return 0;
}
