/* TP-DCS taken apart; TS 23.038 4. Every octet has a meaning: reserved codings read as GSM 7-bit, with
 * `reserved` set so that whoever shows the message can show the octets too.
 */
#include "pdu/pdu.h"

/* Groups 00xx and 01xx: bit 5 compressed, bit 4 "bits 1..0 are a class", bits 3..2 alphabet. */
static void general(uint8_t dcs, struct pdu_dcs *out)
{
    static const enum pdu_alphabet ALPHABETS[4] = {PDU_GSM7, PDU_8BIT, PDU_UCS2, PDU_GSM7};
    unsigned alphabet = (dcs >> 2) & 3;
    out->alphabet = ALPHABETS[alphabet];
    out->reserved = alphabet == 3;
    out->compressed = dcs & 0x20;
    out->auto_delete = dcs & 0x40;
    if (dcs & 0x10)
        out->cls = (int8_t)(dcs & 3);
}

/* Groups 1100 (discard), 1101 (store) and 1110 (store, UCS2): a message waiting indication. */
static void indication(uint8_t dcs, struct pdu_dcs *out)
{
    static const enum pdu_mwi KINDS[4] = {PDU_MWI_VOICEMAIL, PDU_MWI_FAX, PDU_MWI_EMAIL, PDU_MWI_OTHER};
    out->alphabet = dcs >> 4 == 0xE ? PDU_UCS2 : PDU_GSM7;
    out->mwi = KINDS[dcs & 3];
    out->mwi_active = dcs & 0x08;
    out->mwi_store = dcs >> 4 != 0xC;
    out->reserved = dcs & 0x04;
}

/* Group 1111: bit 3 reserved, bit 2 alphabet, bits 1..0 class. */
static void class_group(uint8_t dcs, struct pdu_dcs *out)
{
    out->alphabet = dcs & 0x04 ? PDU_8BIT : PDU_GSM7;
    out->cls = (int8_t)(dcs & 3);
    out->reserved = dcs & 0x08;
}

void pdu_dcs_decode(uint8_t dcs, struct pdu_dcs *out)
{
    *out = (struct pdu_dcs){.raw = dcs, .alphabet = PDU_GSM7, .cls = -1};
    if (dcs < 0x80)
        general(dcs, out);
    else if (dcs < 0xC0)
        out->reserved = true;
    else if (dcs < 0xF0)
        indication(dcs, out);
    else
        class_group(dcs, out);
}
