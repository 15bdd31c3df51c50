/* USSD strings, both ways. See ussd_text.h. Owns nothing, cannot fail but by its result.
 *
 * Modems disagree on the coding of one and the same network answer: plain text (also with the octets of the
 * GSM alphabet where AT+CSCS="GSM" is taken literally), septets packed as hex, UCS2 as hex.
 */
#include "modem/ussd_text.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "pdu/gsm7.h"

enum {
    OCTETS_MAX = 512,
    /* TS 23.038 5: a language in two letters stands in front */
    DCS_GSM7_WITH_LANGUAGE = 0x10,
    DCS_UCS2_WITH_LANGUAGE = 0x11,
};

/* ---- requests ---- */

static size_t to_septets(const char *text, size_t len, uint8_t *out, size_t size)
{
    size_t n = 0;

    for (size_t at = 0; at < len;) {
        uint8_t septet[2];
        int k = gsm7_from_code_point(utf8_next(text, len, &at), 0, 0, septet);
        if (k == 0 || n + (size_t)k > size)
            return 0;
        memcpy(out + n, septet, (size_t)k);
        n += (size_t)k;
    }
    return n;
}

/* Characters that are the same in ASCII and in the GSM alphabet, whichever the modem has in mind. */
static bool encode_plain(const char *text, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c < ' ' || c >= 0x7F || c == '"' || gsm7_locking(0, c) != c)
            return false;
    }
    return str_copy(out, USSD_STRING_BYTES, text);
}

static bool encode_packed(const char *text, size_t len, char *out)
{
    uint8_t septets[USSD_REQUEST_CHARS + 2], octets[USSD_REQUEST_CHARS];
    size_t n = to_septets(text, len, septets, USSD_REQUEST_CHARS);

    if (n == 0)
        return false;
    if (n % 8 == 7) /* seven bits to spare would read as '@'; TS 23.038 6.1.2.3.1 */
        septets[n++] = '\r';
    size_t bytes = gsm7_pack(septets, n, 0, octets);
    if (2 * bytes + 1 > USSD_STRING_BYTES)
        return false;
    hex_encode(octets, bytes, out);
    return true;
}

static bool encode_ucs2(const char *text, size_t len, char *out)
{
    uint8_t octets[USSD_STRING_BYTES / 2];
    size_t n = 0;

    for (size_t at = 0; at < len;) {
        uint32_t cp = utf8_next(text, len, &at);
        if (cp > 0xFFFF || 2 * n + 4 >= USSD_STRING_BYTES)
            return false;
        octets[n++] = (uint8_t)(cp >> 8);
        octets[n++] = (uint8_t)cp;
    }
    hex_encode(octets, n, out);
    return n > 0;
}

bool ussd_encode(const char *text, enum profile_coding coding, char out[USSD_STRING_BYTES])
{
    size_t len = strlen(text);

    switch (coding) {
    case CODING_AUTO:
        break;
    case CODING_PLAIN:
        return encode_plain(text, len, out);
    case CODING_PACKED:
        return encode_packed(text, len, out);
    case CODING_UCS2:
        return encode_ucs2(text, len, out);
    }
    return false;
}

/* ---- answers ---- */

static size_t put(char *out, size_t at, uint32_t cp)
{
    return at + 4 < USSD_TEXT_BYTES ? at + utf8_put(cp, out + at) : at;
}

static bool is_language(unsigned a, unsigned b)
{
    return a >= 'a' && a <= 'z' && b >= 'a' && b <= 'z';
}

/* HE910 appends what was in its memory: the text ends at the first 0000 or FFFF. */
static void from_ucs2(const uint8_t *octets, size_t len, bool language, char *out)
{
    size_t at = 0, i = 0;

    if (language && len >= 2) { /* two septets in the first two octets */
        unsigned second = (unsigned)(octets[0] >> 7 | octets[1] << 1) & 0x7F;
        if (is_language(octets[0] & 0x7F, second))
            i = 2;
    }
    for (; i + 1 < len; i += 2) {
        uint32_t unit = (uint32_t)octets[i] << 8 | octets[i + 1];
        if (unit == 0 || unit == 0xFFFF)
            break;
        if (unit >= 0xD800 && unit < 0xDC00 && i + 3 < len) {
            uint32_t low = (uint32_t)octets[i + 2] << 8 | octets[i + 3];
            if (low >= 0xDC00 && low < 0xE000) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        at = put(out, at, unit);
    }
    out[at] = '\0';
}

static void from_septets(const uint8_t *septets, size_t n, bool language, char *out)
{
    size_t at = 0, i = 0;

    if (language && n >= 3 && is_language(septets[0], septets[1]) && septets[2] == '\r')
        i = 3;
    for (; i < n; i++) {
        uint32_t cp = 0;
        if (septets[i] == GSM7_ESC && i + 1 < n)
            cp = gsm7_single(0, septets[++i]);
        at = put(out, at, cp ? cp : gsm7_locking(0, septets[i]));
    }
    out[at] = '\0';
}

static void from_packed(const uint8_t *octets, size_t len, bool language, char *out)
{
    uint8_t septets[OCTETS_MAX * 8 / 7 + 1];
    size_t n = len * 8 / 7;

    gsm7_unpack(octets, n, 0, septets);
    /* A last septet of padding: CR, or 0 (TS 23.038 6.1.2.3.1). */
    while (n && (septets[n - 1] == '\r' || septets[n - 1] == 0))
        n--;
    from_septets(septets, n, language, out);
}

/* Most units of real UCS2 texts share their first octet (00 for Latin, 04 for Cyrillic, 06 for Arabic), and
 * it is a small one; packed septets do not. */
static bool looks_like_ucs2(const uint8_t *octets, size_t len)
{
    size_t counts[256] = {0}, most = 0;

    if (len < 2 || len % 2)
        return false;
    for (size_t i = 0; i < len; i += 2)
        counts[octets[i]]++;
    for (size_t i = 0; i < 0x20; i++)
        most = counts[i] > most ? counts[i] : most;
    return most * 2 > len / 2;
}

static bool says_ucs2(int64_t dcs)
{
    enum { GENERAL_MASK = 0xCC, GENERAL_UCS2 = 0x48 }; /* TS 23.038 5: general data coding indication */
    return dcs == DCS_UCS2_WITH_LANGUAGE || (dcs & GENERAL_MASK) == GENERAL_UCS2;
}

/* Plain text in which each octet is a septet of the GSM alphabet: it has some that ASCII has no letter for,
 * or what in ASCII is a brace or tilde between two letters ("w{hlen" of "wählen"). Dollars and brackets are
 * read as such: most modems translate them. */
static bool looks_like_gsm_octets(const char *text)
{
    for (const char *p = text; *p; p++) {
        uint8_t c = (uint8_t)*p;
        if (c >= 0x80)
            return false;
        if (c < ' ' && c != '\r' && c != '\n' && c != '\t')
            return true;
        if (strchr("{}~", c) && p > text && islower((uint8_t)p[-1]) && islower((uint8_t)p[1]))
            return true;
    }
    return false;
}

static void from_plain(const char *text, bool language, char *out)
{
    size_t len = strlen(text), at = 0;

    if (language && len >= 3 && is_language((uint8_t)text[0], (uint8_t)text[1]) &&
        (text[2] == '\r' || text[2] == '\n')) {
        text += 3;
        len -= 3;
    }
    if (looks_like_gsm_octets(text)) {
        from_septets((const uint8_t *)text, len, false, out);
        return;
    }
    if (utf8_valid(text, len)) {
        if (!str_copy(out, USSD_TEXT_BYTES, text))
            utf8_mend(out);
        return;
    }
    for (const char *p = text; *p; p++)
        at = put(out, at, (uint8_t)*p); /* ISO 8859-1 */
    out[at] = '\0';
}

/* Digits alone are a balance in plain text, unless they begin as UCS2 of Latin letters does. */
static bool surely_plain(const char *text, size_t len)
{
    return len < 4 || (strspn(text, "0123456789") == len && strncmp(text, "00", 2) != 0);
}

void ussd_decode(const char *string, int64_t dcs, enum profile_coding coding, char out[USSD_TEXT_BYTES])
{
    uint8_t octets[OCTETS_MAX];
    size_t len = strlen(string);
    bool language = dcs == DCS_GSM7_WITH_LANGUAGE || dcs == DCS_UCS2_WITH_LANGUAGE;
    bool hex = coding == CODING_AUTO ? !surely_plain(string, len) : coding != CODING_PLAIN;
    int n = hex ? hex_decode(string, len, octets, sizeof(octets)) : -1;

    if (n <= 0)
        from_plain(string, language, out);
    else if (coding != CODING_PACKED && (looks_like_ucs2(octets, (size_t)n) ||
                                         ((coding == CODING_UCS2 || says_ucs2(dcs)) && n % 2 == 0)))
        from_ucs2(octets, (size_t)n, language, out);
    else
        from_packed(octets, (size_t)n, language, out);
}
