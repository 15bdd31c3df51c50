/* The GSM 7-bit alphabet, its extension and the national language tables; TS 23.038 6.1.2, 6.2.1, annex A. */
#ifndef SIMGATE_PDU_GSM7_H
#define SIMGATE_PDU_GSM7_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GSM7_ESC = 0x1B, GSM7_LANGUAGES = 14 };

/* A septet of a locking shift table to its code point. Unknown languages read as the default. */
uint32_t gsm7_locking(uint8_t language, uint8_t septet);

/* A septet behind ESC; 0 when the single shift table has no such entry (show the locking character). */
uint32_t gsm7_single(uint8_t language, uint8_t septet);

/* A code point to septets: 1 (septet[0]), 2 (ESC, septet[1]) or 0 when it is in neither table. */
int gsm7_from_code_point(uint32_t cp, uint8_t locking, uint8_t single, uint8_t septet[2]);

/* Packs n septets after `fill_bits` zero bits. Returns the octets written, ceil((fill + 7n) / 8). */
size_t gsm7_pack(const uint8_t *septets, size_t n, unsigned fill_bits, uint8_t *out);
/* Unpacks n septets that begin fill_bits into in. in has ceil((fill + 7n) / 8) octets. */
void gsm7_unpack(const uint8_t *in, size_t n, unsigned fill_bits, uint8_t *septets);

#endif
