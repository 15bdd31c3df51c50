/* TP-ST, the outcome that a delivery report tells; TS 23.040 9.2.3.15. */
#include "pdu/pdu.h"

enum pdu_status pdu_status_group(uint8_t st)
{
    if (st < 0x20)
        return PDU_ST_DELIVERED; /* 00xxxxx, reserved and operator values included */
    if (st < 0x40)
        return PDU_ST_PENDING; /* temporary, the SC still tries */
    return PDU_ST_FAILED;      /* permanent, temporary but given up, and the reserved half */
}

static const char *const TEXTS[128] = {
    [0x00] = "Ok,short message received by the SME",
    [0x01] = "Ok,short message forwarded by the SC to the SME but the SC is unable to confirm delivery",
    [0x02] = "Ok,short message replaced by the SC",
    [0x20] = "Still trying,congestion",
    [0x21] = "Still trying,SME busy",
    [0x22] = "Still trying,no response sendr SME", /* spelt so in the spool format */
    [0x23] = "Still trying,service rejected",
    [0x24] = "Still trying,quality of service not available",
    [0x25] = "Still trying,error in SME",
    [0x40] = "Error,remote procedure error",
    [0x41] = "Error,incompatible destination",
    [0x42] = "Error,connection rejected by SME",
    [0x43] = "Error,not obtainable",
    [0x44] = "Error,quality of service not available",
    [0x45] = "Error,no interworking available",
    [0x46] = "Error,SM validity period expired",
    [0x47] = "Error,SM deleted by originating SME",
    [0x48] = "Error,SM deleted by SC administration",
    [0x49] = "Error,SM does not exist",
    [0x60] = "Error,congestion",
    [0x61] = "Error,SME busy",
    [0x62] = "Error,no response sendr SME",
    [0x63] = "Error,service rejected",
    [0x64] = "Error,quality of service not available",
    [0x65] = "Error,error in SME",
};

const char *pdu_status_text(uint8_t st)
{
    if (st < 128 && TEXTS[st])
        return TEXTS[st];
    switch (st >> 4) {
    case 0x3:
        return "Temporary error, SC specific, unknown";
    case 0x5:
    case 0x7:
        return "Permanent error, SC specific, unknown";
    default:
        return "unknown";
    }
}
