/* The GSM 7-bit alphabets: lookups both ways and bit packing; TS 23.038 6.1.2, 6.2.1, annex A.
 * Nothing here can fail: unknown languages read as the default, holes as U+FFFD.
 */
#include "pdu/gsm7.h"

#include <endian.h>
#include <string.h>

#include "base/utf8.h"
#include "pdu/gsm7_tables.h"

uint32_t gsm7_locking(uint8_t language, uint8_t septet)
{
    uint16_t cp = gsm7_locking_table[language < GSM7_LANGUAGES ? language : 0][septet & 0x7F];
    if (cp)
        return cp;
    return septet == GSM7_ESC ? ' ' : UTF8_REPLACEMENT;
}

uint32_t gsm7_single(uint8_t language, uint8_t septet)
{
    /* ESC ESC announces a table that does not exist yet: a space (6.2.1.1 note 1). */
    if (septet == GSM7_ESC)
        return ' ';
    return gsm7_single_table[language < GSM7_LANGUAGES ? language : 0][septet & 0x7F];
}

/* The septet of cp (not 0) in one table, the lowest if several have it; -1 if none. */
static int find(const uint16_t table[128], const uint8_t order[128], uint32_t cp)
{
    /* Most of ASCII stands at its own place in every table. */
    if (cp < 128 && table[cp] == cp)
        return (int)cp;
    unsigned low = 0, high = 128;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (table[order[mid]] < cp)
            low = mid + 1;
        else
            high = mid;
    }
    return low < 128 && table[order[low]] == cp ? order[low] : -1;
}

int gsm7_from_code_point(uint32_t cp, uint8_t locking, uint8_t single, uint8_t septet[2])
{
    if (cp == 0)
        return 0;
    if (locking >= GSM7_LANGUAGES)
        locking = 0;
    if (single >= GSM7_LANGUAGES)
        single = 0;
    int found = find(gsm7_locking_table[locking], gsm7_locking_order[locking], cp);
    if (found >= 0) {
        septet[0] = (uint8_t)found;
        return 1;
    }
    found = find(gsm7_single_table[single], gsm7_single_order[single], cp);
    if (found < 0)
        return 0;
    septet[0] = GSM7_ESC;
    septet[1] = (uint8_t)found;
    return 2;
}

size_t gsm7_pack(const uint8_t *septets, size_t n, unsigned fill_bits, uint8_t *out)
{
    unsigned bits = fill_bits; /* held in acc; always under 8 before a septet is added */
    uint32_t acc = 0;
    size_t written = 0;
    for (size_t i = 0; i < n; i++) {
        acc |= (uint32_t)(septets[i] & 0x7F) << bits;
        bits += 7;
        if (bits >= 8) {
            out[written++] = (uint8_t)acc;
            acc >>= 8;
            bits -= 8;
        }
    }
    if (bits > 0)
        out[written++] = (uint8_t)acc;
    return written;
}

/* Eight septets from seven octets at once: the 56 bits are spread in halves, quarters and eighths. Reads one
 * octet more than it uses. */
static void unpack_block(const uint8_t in[8], uint8_t septets[8])
{
    uint64_t v;
    memcpy(&v, in, sizeof(v));
    v = le64toh(v);
    v = (v & 0x00FFFFFFF0000000u) << 4 | (v & 0x000000000FFFFFFFu);
    v = (v & 0x0FFFC0000FFFC000u) << 2 | (v & 0x00003FFF00003FFFu);
    v = (v & 0x3F803F803F803F80u) << 1 | (v & 0x007F007F007F007Fu);
    v = htole64(v);
    memcpy(septets, &v, sizeof(v));
}

void gsm7_unpack(const uint8_t *in, size_t n, unsigned fill_bits, uint8_t *septets)
{
    size_t i = 0;
    if (fill_bits == 0) {
        for (; i + 9 <= n; i += 8, in += 7) /* an eighth octet is there: the ninth septet ends in it */
            unpack_block(in, septets + i);
    }
    uint32_t acc = 0;
    unsigned bits = 0;
    if (fill_bits > 0 && n > 0) {
        acc = (uint32_t)*in++ >> fill_bits;
        bits = 8 - fill_bits;
    }
    for (; i < n; i++) {
        if (bits < 7) {
            acc |= (uint32_t)*in++ << bits;
            bits += 8;
        }
        septets[i] = (uint8_t)(acc & 0x7F);
        acc >>= 7;
        bits -= 7;
    }
}
