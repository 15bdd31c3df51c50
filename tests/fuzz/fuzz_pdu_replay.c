/* A trace, of any bytes, and a host that sends any bytes to the simulated modem that plays it: what stands
 * before the first octet 0xFE is the trace, what stands behind it comes from the host, a further 0xFE being
 * ten seconds. */
#include <stdint.h>
#include <string.h>

#include "base/trace.h"
#include "hw/sim/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { STEP = 0xFE, STEP_MS = 10000 };
    const uint8_t *cut = size ? memchr(data, STEP, size) : NULL;
    size_t at = cut ? (size_t)(cut - data) : size;
    struct trace t;
    int64_t now_ms = 1000;
    if (trace_read("fuzz", (const char *)data, at, &t, NULL) == 0) {
        struct simreplay *r = simreplay_new(&t);
        while (at < size) {
            const uint8_t *from = data + at + 1;
            const uint8_t *next = memchr(from, STEP, size - at - 1);
            size_t len = next ? (size_t)(next - from) : size - at - 1;
            simreplay_feed(r, from, len, now_ms);
            now_ms += STEP_MS;
            simreplay_tick(r, now_ms);
            buf_clear(simreplay_out(r));
            at += len + 1;
        }
        simreplay_free(r);
    }
    trace_fini(&t);
    return 0;
}
