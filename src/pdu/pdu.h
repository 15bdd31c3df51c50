/* 3GPP TS 23.040 transfer-layer PDUs: bytes <-> structs. Pure: no allocation, no clock, no I/O.
 *
 * Direction must be known by the caller: the same TP-MTI bits mean other things to and from the mobile.
 * "Full PDU" below is what TS 27.005 puts on the line: the SMSC address (length octet first), then the TPDU;
 * the <length> of +CMT, +CMGR and AT+CMGS counts the TPDU's octets alone.
 */
#ifndef SIMGATE_PDU_PDU_H
#define SIMGATE_PDU_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    PDU_UD_BYTES = 140,   /* TP-UD with its header, TS 23.040 9.2.3.24 */
    PDU_TPDU_BYTES = 175, /* longest TPDU we accept: 164 for SUBMIT, more for padded reports' used part */
    PDU_FULL_BYTES = 187, /* + SMSC address of up to 12 octets */
    PDU_ADDR_BYTES = 48,  /* an address as UTF-8: 11 alphanumeric characters of up to 3 bytes, NUL */
    PDU_TEXT_BYTES = 512, /* UTF-8 of one segment: 160 characters of up to 3 bytes, NUL */
    PDU_MAX_IES = 24,
    PDU_MAX_SEGMENTS = 255,
};

/* TP-OA, TP-DA, TP-RA and the SMSC address; TS 23.040 9.1.2.5. */
struct pdu_addr {
    uint8_t toa;              /* the type-of-address octet as received; 0x91 international, 0x81 unknown */
    uint8_t len;              /* semi-octets as received (octets for an SMSC address) */
    char text[PDU_ADDR_BYTES]; /* international: "+49170…"; other digits as they are (0-9*#abc); alphanumeric:
                                  UTF-8; "" when absent */
};
static inline uint8_t pdu_addr_ton(const struct pdu_addr *a)
{
    return (a->toa >> 4) & 7; /* 0 unknown 1 international 2 national 3 network 4 subscriber 5 alnum 6 abbr */
}

/* TP-SCTS, TP-DT, absolute TP-VP; TS 23.040 9.2.3.11. */
struct pdu_time {
    bool valid;            /* false: digits out of range; only `raw` has meaning */
    uint8_t raw[7];
    int16_t year;          /* 70..99 -> 19xx, else 20xx */
    uint8_t month, day, hour, minute, second;
    int8_t zone_quarters;  /* quarters of an hour east of UTC */
};
/* UTC milliseconds since 1970, or -1 when !valid. */
int64_t pdu_time_to_wall_ms(const struct pdu_time *t);
void pdu_time_from_wall_ms(int64_t wall_ms, int zone_quarters, struct pdu_time *out);

enum pdu_alphabet { PDU_GSM7, PDU_8BIT, PDU_UCS2 };

enum pdu_mwi { PDU_MWI_NONE, PDU_MWI_VOICEMAIL, PDU_MWI_FAX, PDU_MWI_EMAIL, PDU_MWI_OTHER };

/* TP-DCS taken apart; TS 23.038 4. Every octet value has a meaning here. */
struct pdu_dcs {
    uint8_t raw;
    enum pdu_alphabet alphabet; /* reserved codings read as GSM 7-bit, as the standard asks */
    int8_t cls;                 /* message class 0..3, -1 none */
    bool compressed;            /* text cannot be decoded: user data is kept raw */
    bool auto_delete;           /* group 01xx */
    bool reserved;              /* a reserved coding group or bit: show the raw octets too */
    enum pdu_mwi mwi;
    bool mwi_active;
    bool mwi_store;
};
void pdu_dcs_decode(uint8_t dcs, struct pdu_dcs *out);

/* An information element of the user data header, TS 23.040 9.2.3.24. Offsets into pdu_ud.octets. */
struct pdu_ie {
    uint8_t id;
    uint8_t len;
    uint8_t at; /* of the first data octet */
};

struct pdu_concat {
    bool present;
    uint8_t bits; /* 8 or 16: width of ref */
    uint16_t ref;
    uint8_t total; /* 1..255 */
    uint8_t seq;   /* 1..total */
};

struct pdu_ports {
    bool present;
    uint8_t bits; /* 8 or 16 */
    uint16_t dst, src;
};

/* TP-UD with its header read. */
struct pdu_ud {
    uint8_t udl;                  /* TP-UDL as received: septets (GSM 7-bit) or octets */
    bool udhi;
    bool shortened;               /* fewer octets arrived than TP-UDL promises */
    uint8_t octets[PDU_UD_BYTES]; /* TP-UD as received, header included */
    uint8_t octets_len;
    uint8_t header_len;           /* octets of the header with its length octet; 0 without UDHI */
    struct pdu_ie ies[PDU_MAX_IES]; /* all of them, known or not, in their order */
    uint8_t ies_len;
    struct pdu_concat concat;     /* the last valid one */
    struct pdu_ports ports;
    uint8_t locking, single;      /* national language identifiers, 0 = default; TS 23.038 6.2.1 */
};

enum pdu_vp_form { PDU_VP_NONE = 0, PDU_VP_ENHANCED = 1, PDU_VP_RELATIVE = 2, PDU_VP_ABSOLUTE = 3 };

struct pdu_vp {
    enum pdu_vp_form form;
    uint8_t raw[7];          /* 1 octet used when relative */
    int64_t relative_ms;     /* RELATIVE and ENHANCED; -1 unknown */
    struct pdu_time absolute;
    bool single_shot;        /* ENHANCED */
};
/* The relative octet that is the shortest not under ms (TS 23.040 9.2.3.12.1); at most 255. */
uint8_t pdu_vp_relative_from_ms(int64_t ms);
int64_t pdu_vp_relative_to_ms(uint8_t octet);

struct pdu_deliver {
    struct pdu_addr smsc;
    struct pdu_addr from; /* TP-OA */
    bool more;            /* TP-MMS says that more messages wait */
    bool loop, sri, reply_path;
    uint8_t pid;
    struct pdu_dcs dcs;
    struct pdu_time scts;
    struct pdu_ud ud;
};

struct pdu_submit {
    struct pdu_addr smsc; /* text "" = the SIM's */
    struct pdu_addr to;   /* TP-DA */
    bool reject_duplicates, status_report, reply_path;
    uint8_t mr;
    uint8_t pid;
    struct pdu_dcs dcs; /* encoding writes dcs.raw */
    struct pdu_vp vp;
    struct pdu_ud ud;   /* encoding reads udl, udhi, octets, octets_len */
};

/* TP-ST in four groups; TS 23.040 9.2.3.15. */
enum pdu_status { PDU_ST_DELIVERED, PDU_ST_PENDING, PDU_ST_FAILED };
enum pdu_status pdu_status_group(uint8_t st);
const char *pdu_status_text(uint8_t st); /* the spool format's English text, "Ok,short message received by…" */

struct pdu_report {
    struct pdu_addr smsc;
    struct pdu_addr to; /* TP-RA: the recipient of the message reported on */
    bool more, loop, from_command;
    uint8_t mr;
    struct pdu_time scts, discharge;
    uint8_t st;
    bool has_pi;
    uint8_t pi;
    bool has_pid, has_dcs, has_ud;
    uint8_t pid;
    struct pdu_dcs dcs;
    struct pdu_ud ud;
};

enum pdu_kind { PDU_KIND_DELIVER, PDU_KIND_REPORT, PDU_KIND_SUBMIT };

struct pdu_any {
    enum pdu_kind kind;
    union {
        struct pdu_deliver deliver;
        struct pdu_report report;
        struct pdu_submit submit;
    } u;
};

/* Decodes what came from a modem (direction to the mobile; MTI 11 reads as DELIVER). `tpdu_len` is the
 * <length> that the modem gave, or -1 when unknown; it settles whether an SMSC address is in front.
 * Returns 0, or a negative code with the octet offset and what was expected in *e. `out` holds as much as
 * could be read in either case. */
int pdu_decode(const uint8_t *bytes, size_t len, int tpdu_len, struct pdu_any *out, struct err *e);

/* Decodes a SUBMIT (a stored own message, or what the simulated network receives). As above. */
int pdu_decode_submit(const uint8_t *bytes, size_t len, int tpdu_len, struct pdu_submit *out, struct err *e);

/* Encoders write a full PDU (SMSC address first) and give the TPDU's length for AT+CMGS. Return the octets
 * written, or a negative code: ERR_INVALID or ERR_TOO_LONG for an address or user data that no TPDU can carry.
 * Times are written from their `raw` (pdu_time_from_wall_ms() fills it), addresses from `toa` and `text`, a
 * validity period from vp.raw (ABSOLUTE: vp.absolute.raw); of pdu_dcs only `raw` is read. */
int pdu_encode_submit(const struct pdu_submit *s, uint8_t out[PDU_FULL_BYTES], int *tpdu_len, struct err *e);
int pdu_encode_deliver(const struct pdu_deliver *d, uint8_t out[PDU_FULL_BYTES], int *tpdu_len, struct err *e);
int pdu_encode_report(const struct pdu_report *r, uint8_t out[PDU_FULL_BYTES], int *tpdu_len, struct err *e);

/* Address from text: "+…" 0x91, digits*#abc 0x81, anything else alphanumeric 0xD0 (at most 11 characters of
 * the GSM alphabet). ERR_INVALID, ERR_TOO_LONG. */
int pdu_addr_from_text(const char *text, struct pdu_addr *out, struct err *e);

/* Fills ud from a header (with its length octet; hlen 0: none) and payload octets or text; computes udl. */
int pdu_ud_set_octets(struct pdu_ud *ud, const uint8_t *header, size_t hlen, const uint8_t *data, size_t len);

/* The text of one segment's user data as UTF-8, NUL-terminated. Alphabet PDU_8BIT and compressed data give
 * length 0. Lone surrogates become U+FFFD here: use pdu_join_text() for segments of one message.
 * Returns the bytes written without the NUL. */
int pdu_ud_text(const struct pdu_ud *ud, const struct pdu_dcs *dcs, char out[PDU_TEXT_BYTES]);

/* The payload (behind the header) as octets: 8-bit as it is; UCS2 big-endian; GSM 7-bit one septet an octet.
 * Returns the count. */
int pdu_ud_payload(const struct pdu_ud *ud, const struct pdu_dcs *dcs, uint8_t out[160]);

/* The text of a whole message: n segments in order (NULL = a missing one, shown as "[…]"). A surrogate pair
 * or an escape pair split between two segments is joined. `out` is cut at out_size - 1 on a character
 * boundary. Returns the bytes written. */
int pdu_join_text(const struct pdu_ud *const ud[], const struct pdu_dcs *const dcs[], size_t n, char *out,
                  size_t out_size);

#endif
