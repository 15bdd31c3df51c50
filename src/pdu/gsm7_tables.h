/* The data behind gsm7.h: gsm7_tables.c and gsm7_order.c. Private to src/pdu. */
#ifndef SIMGATE_PDU_GSM7_TABLES_H
#define SIMGATE_PDU_GSM7_TABLES_H

#include "pdu/gsm7.h"

/* [language][septet] to code point; 0 where there is no character. */
extern const uint16_t gsm7_locking_table[GSM7_LANGUAGES][128];
extern const uint16_t gsm7_single_table[GSM7_LANGUAGES][128];

/* [language]: the septets sorted by their code points, the empty ones first. */
extern const uint8_t gsm7_locking_order[GSM7_LANGUAGES][128];
extern const uint8_t gsm7_single_order[GSM7_LANGUAGES][128];

#endif
