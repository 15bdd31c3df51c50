/* The parts of a TPDU, as the decoders and encoders of this room share them. Private to src/pdu. */
#ifndef SIMGATE_PDU_PARTS_H
#define SIMGATE_PDU_PARTS_H

#include "base/buf.h"
#include "pdu/pdu.h"

enum {
    ADDR_MAX_DIGITS = 20, /* semi-octets of an address, TS 23.040 9.1.2.5 */
    SMSC_MAX_OCTETS = 11, /* type of address and 20 digits */
    UD_MAX_SEPTETS = 160, /* what 140 octets hold */
    CONCAT8_IE = 0x00,    /* information element identifiers, TS 23.040 9.2.3.24 */
    PORTS8_IE = 0x04,
    PORTS16_IE = 0x05,
    CONCAT16_IE = 0x08,
    SINGLE_SHIFT_IE = 0x24,
    LOCKING_SHIFT_IE = 0x25,
};

/* A cursor that remembers which field it failed in, so that the error can name it. */
struct reader {
    struct cur c;
    const char *field; /* being read; stays at the first that failed */
    const char *wrong; /* why its value is impossible, NULL when octets are missing */
};

static inline void reader_at(struct reader *r, const char *field)
{
    if (!r->c.failed)
        r->field = field;
}

/* Marks the field being read as impossible. */
void reader_fail(struct reader *r, const char *wrong);
/* 0, or the error that the reader met: octet offset, field and what was expected. */
int reader_result(const struct reader *r, struct err *e);

/* Octets being written. The caller has made sure that they fit. */
struct writer {
    uint8_t *out;
    size_t n;
};

static inline void put_u8(struct writer *w, unsigned octet)
{
    w->out[w->n++] = (uint8_t)octet;
}
void put_octets(struct writer *w, const uint8_t *octets, size_t n);

/* Two swapped BCD digits; 255 if one is not a digit. */
static inline uint8_t bcd_value(uint8_t octet)
{
    unsigned tens = octet & 0x0F, ones = octet >> 4;
    return tens > 9 || ones > 9 ? 0xFF : (uint8_t)(tens * 10 + ones);
}

/* Addresses. */
void addr_read(struct reader *r, struct pdu_addr *out);      /* TP-OA, TP-DA, TP-RA */
void addr_read_smsc(struct reader *r, struct pdu_addr *out); /* TS 24.011 8.2.5.1 */
int addr_write(struct writer *w, const struct pdu_addr *a, struct err *e);
int addr_write_smsc(struct writer *w, const struct pdu_addr *a, struct err *e);

/* Seven octets to a time. */
void time_read(struct reader *r, struct pdu_time *out);
void time_from_octets(const uint8_t raw[7], struct pdu_time *out);

/* TP-UDL and TP-UD behind the cursor; never fails once TP-UDL is there. */
void ud_read(struct reader *r, bool udhi, const struct pdu_dcs *dcs, struct pdu_ud *out);
/* Reads the header in ud->octets into header_len, ies, concat, ports, locking and single. */
void ud_read_header(struct pdu_ud *ud);
/* Octets that TP-UDL stands for under dcs. */
size_t ud_octets_promised(uint8_t udl, const struct pdu_dcs *dcs);
int ud_write(struct writer *w, const struct pdu_ud *ud, const struct pdu_dcs *dcs, struct err *e);

/* Septets that a header of header_len octets takes, and the zero bits behind it. */
static inline size_t header_septets(size_t header_len)
{
    return (header_len * 8 + 6) / 7;
}
static inline unsigned header_fill_bits(size_t header_len)
{
    return (unsigned)((7 - header_len * 8 % 7) % 7);
}

/* What cp becomes when the GSM alphabet lacks it, as UTF-8 ("" = left out); NULL if nothing fits. */
const char *translit(uint32_t cp);
/* True if cp belongs to the character before it: a mark, a joiner, a modifier. */
bool is_extender(uint32_t cp);

#endif
