/* The user data header: information elements; TS 23.040 9.2.3.24. Elements may come in any order and be
 * repeated (the last valid one counts); one with a wrong length or impossible values is kept but has no
 * effect, so that a broken concatenation leaves a message that stands alone.
 */
#include <string.h>

#include "pdu/parts.h"

static void take_concat8(struct pdu_ud *ud, const uint8_t *d)
{
    if (d[2] >= 1 && d[2] <= d[1])
        ud->concat = (struct pdu_concat){.present = true, .bits = 8, .ref = d[0], .total = d[1], .seq = d[2]};
}

static void take_concat16(struct pdu_ud *ud, const uint8_t *d)
{
    if (d[3] >= 1 && d[3] <= d[2])
        ud->concat = (struct pdu_concat){
            .present = true, .bits = 16, .ref = (uint16_t)(d[0] << 8 | d[1]), .total = d[2], .seq = d[3]};
}

static void take_ports8(struct pdu_ud *ud, const uint8_t *d)
{
    ud->ports = (struct pdu_ports){.present = true, .bits = 8, .dst = d[0], .src = d[1]};
}

static void take_ports16(struct pdu_ud *ud, const uint8_t *d)
{
    ud->ports = (struct pdu_ports){.present = true,
                                   .bits = 16,
                                   .dst = (uint16_t)(d[0] << 8 | d[1]),
                                   .src = (uint16_t)(d[2] << 8 | d[3])};
}

static void take_single_shift(struct pdu_ud *ud, const uint8_t *d)
{
    ud->single = d[0];
}

static void take_locking_shift(struct pdu_ud *ud, const uint8_t *d)
{
    ud->locking = d[0];
}

static const struct known {
    uint8_t id, len;
    void (*take)(struct pdu_ud *ud, const uint8_t *data);
} KNOWN[] = {
    {CONCAT8_IE, 3, take_concat8},           {PORTS8_IE, 2, take_ports8},
    {PORTS16_IE, 4, take_ports16},           {CONCAT16_IE, 4, take_concat16},
    {SINGLE_SHIFT_IE, 1, take_single_shift}, {LOCKING_SHIFT_IE, 1, take_locking_shift},
};

static void take_element(struct pdu_ud *ud, const struct pdu_ie *ie)
{
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
        if (KNOWN[i].id == ie->id && KNOWN[i].len == ie->len)
            KNOWN[i].take(ud, ud->octets + ie->at);
}

void ud_read_header(struct pdu_ud *ud)
{
    if (!ud->udhi || ud->octets_len == 0)
        return;
    size_t end = (size_t)ud->octets[0] + 1;
    if (end > ud->octets_len)
        end = ud->octets_len; /* a header longer than the data: all of it is header, there is no text */
    ud->header_len = (uint8_t)end;
    for (size_t at = 1; at + 2 <= end;) {
        struct pdu_ie ie = {.id = ud->octets[at], .len = ud->octets[at + 1], .at = (uint8_t)(at + 2)};
        at += 2u + ie.len;
        if (at > end)
            break;
        if (ud->ies_len < PDU_MAX_IES)
            ud->ies[ud->ies_len++] = ie;
        take_element(ud, &ie);
    }
}
