/* Masking of what goes over a modem's line, so that it can be shown to others: telephone numbers, IMSI,
 * ICCID, IMEI, texts of messages and of USSD. PINs always, also where nothing else is masked.
 *
 * In place: nothing changes its length, PDUs stay the PDUs that they were (TS 23.040), quoted strings stay in
 * their coding. Of a number the first two digits stay; the others become a count, the same for the same
 * number within one trace. Letters and digits of a text become 'x'. Of plain digits, runs of seven and more
 * count as a number.
 *
 * Pure. One struct per trace; it holds the numbers seen so far, so it is as private as the trace was.
 */
#ifndef SIMGATE_MODEM_TRACE_MASK_H
#define SIMGATE_MODEM_TRACE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/trace.h"

enum {
    MASK_NUMBERS = 256, /* known at a time; beyond, the oldest is forgotten and gets a new mask */
    MASK_DIGITS = 32,
};

struct trace_mask {
    bool whole; /* false: PINs only */
    struct {
        char digits[MASK_DIGITS + 1];
        unsigned count; /* its mask */
    } numbers[MASK_NUMBERS];
    unsigned seen; /* so many different ones so far */
    /* what the next line from the modem is */
    bool payload;      /* the PDU or text behind +CMT:, +CMGR: … */
    bool payload_once; /* of +CMT, +CDS: one line */
    int tpdu_len;      /* that the header told, -1 unknown */
    bool in_ussd;      /* an answer of several lines, within its quotes */
};

void trace_mask_init(struct trace_mask *t, bool whole);

/* Masks whole lines (a last one without its end is taken as whole). TRACE_NOTE: numbers only. */
void trace_mask_bytes(struct trace_mask *t, enum trace_kind kind, char *bytes, size_t len);

/* n digits as one number, in place. */
void trace_mask_number(struct trace_mask *t, char *digits, size_t n);

/* A PDU in place: addresses and user data. Its octets that cannot be understood become zeros. `submit`: it
 * goes to the network; tpdu_len: as the modem told it, -1 unknown. trace_pdu.c */
void trace_mask_pdu(struct trace_mask *t, bool submit, int tpdu_len, uint8_t *pdu, size_t len);

#endif
