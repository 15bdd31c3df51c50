/* Masking of lines and PDUs, with bytes that no modem would send. The first byte chooses the direction and
 * whether all is masked; each chunk ends with an octet FF. A PIN's digits never stay.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "modem/trace_mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void no_pin(const char *bytes, size_t len)
{
    for (size_t i = 0; i + 8 < len; i++) {
        if (memcmp(bytes + i, "AT+CPIN=", 8) == 0 && (i == 0 || strchr("\r\n", bytes[i - 1])))
            require(!isdigit((unsigned char)bytes[i + 8]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trace_mask t;

    if (size == 0)
        return 0;
    enum trace_kind kind = (enum trace_kind) "><!<"[data[0] & 3];
    trace_mask_init(&t, data[0] & 4);
    char *bytes = malloc(size);
    require(bytes != NULL);
    for (size_t at = 1, n; at < size; at += n + 1) {
        const uint8_t *end = memchr(data + at, 0xFF, size - at);
        n = end ? (size_t)(end - data) - at : size - at;
        memcpy(bytes, data + at, n);
        trace_mask_bytes(&t, kind, bytes, n);
        if (!memchr(bytes, 0x1A, n))
            no_pin(bytes, n);
    }
    free(bytes);
    return 0;
}
