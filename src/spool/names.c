/* Names of spool files: claiming, recovering, and what is not picked. Pure; nothing fails but by its result.
 */
#include "spool/names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static const char digits36[] = "0123456789abcdefghijklmnopqrstuvwxyz";

char *spool_base36(char *to, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 36)
        to[i] = digits36[value % 36];
    to[digits] = '\0';
    return to + digits;
}

bool spool_ignored_name(const char *name)
{
    static const char lock[] = ".LOCK";
    size_t len = strlen(name), n = sizeof(lock) - 1;
    return name[0] == '.' || name[0] == '\0' || len >= SPOOL_NAME_BYTES || strchr(name, '/') ||
           strncmp(name, "LOCKED", 6) == 0 || (len >= n && strcmp(name + len - n, lock) == 0);
}

void spool_make_unique(uint64_t wall_ms, uint64_t life, uint64_t count, char out[SPOOL_UNIQUE_BYTES])
{
    spool_base36(spool_base36(spool_base36(out, wall_ms, SPOOL_TIME_DIGITS), life, SPOOL_LIFE_DIGITS), count,
                 SPOOL_COUNT_DIGITS);
}

bool spool_claimed_name(const char *name, const char *unique, char out[SPOOL_NAME_BYTES])
{
    size_t room = SPOOL_NAME_BYTES - 2 - SPOOL_UNIQUE_DIGITS, len = strnlen(name, room);
    memcpy(out, name, len);
    out[len] = '.';
    memcpy(out + len + 1, unique, SPOOL_UNIQUE_BYTES);
    return name[len] == '\0';
}

const char *spool_unique_of(const char *claimed)
{
    size_t len = strlen(claimed);
    if (len < SPOOL_UNIQUE_DIGITS + 2 || claimed[0] == '.')
        return NULL;
    const char *unique = claimed + len - SPOOL_UNIQUE_DIGITS;
    return unique[-1] == '.' && strspn(unique, digits36) == SPOOL_UNIQUE_DIGITS ? unique : NULL;
}

void spool_original_name(const char *claimed, char out[SPOOL_NAME_BYTES])
{
    const char *unique = spool_unique_of(claimed);
    size_t len = unique ? (size_t)(unique - claimed) - 1 : strlen(claimed);
    memcpy(out, claimed, len);
    out[len] = '\0';
}

bool spool_name_to_text(const char *name, char *out, size_t size)
{
    size_t n = 0;
    for (; *name; name++) {
        bool plain = *name > ' ' && *name < 0x7F && !strchr("%\"\\", *name);
        if (n + (plain ? 1 : 3) >= size) {
            out[n] = '\0';
            return false;
        }
        if (plain)
            out[n++] = *name;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", (unsigned char)*name);
    }
    out[n] = '\0';
    return true;
}

bool spool_name_from_text(const char *text, char out[SPOOL_NAME_BYTES])
{
    size_t n = 0;
    for (; *text; n++) {
        uint8_t octet = (uint8_t)*text;
        if (n == SPOOL_NAME_BYTES - 1)
            return false;
        if (*text == '%' && hex_decode(text + 1, strnlen(text + 1, 2), &octet, 1) != 1)
            return false;
        text += *text == '%' ? 3 : 1;
        out[n] = (char)octet;
    }
    out[n] = '\0';
    return strlen(out) == n && !strchr(out, '/');
}

void spool_file_name(const char *modem, int64_t id, char out[SPOOL_NAME_BYTES])
{
    size_t n = 0;
    int digits = SPOOL_FILE_ID_DIGITS;
    for (; modem[n] && n < 200; n++) {
        bool plain = isalnum((unsigned char)modem[n]) || strchr("-_+@", modem[n]) || (n && modem[n] == '.');
        out[n] = plain ? modem[n] : '_';
    }
    if (!n)
        out[n++] = '_';
    out[n++] = '.';
    for (uint64_t rest = (uint64_t)id / UINT64_C(2176782336); rest; rest /= 36) /* 36^6 */
        digits++;
    spool_base36(out + n, (uint64_t)id, digits);
}
