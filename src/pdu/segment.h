/* Text to segments: the smallest number of user-data blocks that carries a text unchanged. */
#ifndef SIMGATE_PDU_SEGMENT_H
#define SIMGATE_PDU_SEGMENT_H

#include "pdu/pdu.h"

struct segment_conf {
    bool transliterate;       /* typographic quotes, dashes, spaces, accents to the GSM alphabet, if that saves
                                 the message from UCS2; off: the text is never changed */
    uint8_t locking, single;  /* national language tables that may be used for encoding; 0 = none */
    bool wide_ref;            /* 16-bit concatenation references (IE 08) instead of 8-bit (IE 00) */
    uint8_t max_segments;     /* 0 = PDU_MAX_SEGMENTS */
    bool force_ucs2;          /* the sender asks for UCS2 */
    int8_t cls;               /* message class 0..3, or -1 */
};

struct segment_plan {
    enum pdu_alphabet alphabet;
    uint8_t dcs;              /* the TP-DCS octet that fits alphabet and class */
    unsigned count;           /* segments, at least 1 */
    unsigned units;           /* septets or UTF-16 units of the whole text */
    uint8_t locking, single;  /* tables used */
    bool transliterated;
};

/* How many segments text (valid UTF-8) needs. 0, ERR_INVALID (not UTF-8), ERR_TOO_LONG (over max_segments). */
int segment_measure(const char *text, size_t len, const struct segment_conf *conf, struct segment_plan *out,
                    struct err *e);

/* As above, and writes plan->count user-data blocks to ud (room for `max`). `ref` is the concatenation
 * reference, used only when count > 1. Neither a surrogate pair nor an escape pair is split. */
int segment_text(const char *text, size_t len, const struct segment_conf *conf, uint16_t ref,
                 struct segment_plan *plan, struct pdu_ud *ud, unsigned max, struct err *e);

/* 8-bit data. A header given by the caller (with its length octet, hlen 0: none) forbids splitting:
 * ERR_TOO_LONG. */
int segment_octets(const uint8_t *data, size_t len, const uint8_t *header, size_t hlen,
                   const struct segment_conf *conf, uint16_t ref, struct segment_plan *plan, struct pdu_ud *ud,
                   unsigned max, struct err *e);

#endif
