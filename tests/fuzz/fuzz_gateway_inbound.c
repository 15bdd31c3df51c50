/* What the inbox makes of a PDU: sender, meta data, text or hexadecimal. Whatever comes, the sender and text
 * are bounded and terminated, and the meta data is JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(char *text)
{
    if (!text)
        return;
    json_t *o = json_loads(text, 0, NULL);
    if (!json_is_object(o))
        abort();
    json_decref(o);
    free(text);
}

static void check_deliver(const struct pdu_deliver *d)
{
    static const struct gateway_conf conf = {.country = "49"};
    static struct gateway g = {.conf = &conf};
    char sender[64], hex[2 * 160 + 1];
    uint32_t flags = 0;
    gw_sender(&g, &d->from, sender);
    if (strlen(sender) >= sizeof(sender))
        abort();
    check_json(gw_meta(d, &flags));
    char *end = gw_payload_hex(&d->ud, &d->dcs, hex);
    if (end < hex || end >= hex + sizeof(hex))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pdu_any any;
    struct err e = {0};
    if (size < 1)
        return 0;
    int tpdu_len = data[0] == 0xFF ? -1 : data[0];
    int rc = pdu_decode(data + 1, size - 1, tpdu_len, &any, &e);
    if (rc < 0)
        check_json(gw_meta_undecodable(&e, false));
    else if (any.kind == PDU_KIND_DELIVER)
        check_deliver(&any.u.deliver);
    return 0;
}
