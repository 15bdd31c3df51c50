/* USSD strings: how a request is written into AT+CUSD=1,"…" and what the string of +CUSD means. Pure.
 * TS 27.007 7.15, TS 23.038 5 (coding schemes) and 6.1.2.3 (packing for USSD).
 */
#ifndef SIMGATE_MODEM_USSD_TEXT_H
#define SIMGATE_MODEM_USSD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modem/profile.h"

enum {
    USSD_TEXT_BYTES = 2048,  /* of an answer in UTF-8 */
    USSD_STRING_BYTES = 100, /* of a request as it is written: fits struct at_cmd */
    USSD_REQUEST_CHARS = 80,
};

/* A code ("*100#") or a reply of UTF-8 text as the string between the quotes, without them. False: this
 * coding cannot write it, or it is too long. CODING_AUTO is no coding. */
bool ussd_encode(const char *text, enum profile_coding coding, char out[USSD_STRING_BYTES]);

/* The string of +CUSD: 0,"…",<dcs> as UTF-8; dcs -1 when none was told. How it is coded depends on the modem
 * more than on the coding scheme it names, so that with CODING_AUTO what it looks like decides: plain text,
 * septets packed as hex, UCS2 as hex. Another `coding` is what hex of this modem always is. */
void ussd_decode(const char *string, int64_t dcs, enum profile_coding coding, char out[USSD_TEXT_BYTES]);

#endif
