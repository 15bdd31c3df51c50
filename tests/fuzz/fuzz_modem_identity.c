/* What a modem answers when it is asked who it is: IMEI, IMSI, the card's number. Whatever the line holds,
 * the result is digits and fits. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t min, size_t max)
{
    size_t len = strlen(text);

    if (len && (len < min || len > max || text[strspn(text, "0123456789")]))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct modem m;
    char line[AT_LINE_BYTES];
    size_t len = size < sizeof(line) - 1 ? size : sizeof(line) - 1;

    if (len)
        memcpy(line, data, len);
    line[len] = '\0';
    m.carrier.imei[0] = m.carrier.imsi[0] = m.iccid[0] = '\0';
    identity_imei_line(&m, line);
    identity_imsi_line(&m, line);
    identity_iccid_line(&m, line);
    check(m.carrier.imei, 14, sizeof(m.carrier.imei) - 1);
    check(m.carrier.imsi, 6, sizeof(m.carrier.imsi) - 1);
    check(m.iccid, 18, 20);
    return 0;
}
