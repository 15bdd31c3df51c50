/* Text to numbers, durations and times, and hex. Nothing here keeps state; the C library's time zone is the
 * only thing read from outside. */
#include "base/util.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

enum { MS_PER_S = 1000, S_PER_MIN = 60, S_PER_H = 3600, S_PER_DAY = 86400, S_PER_WEEK = 604800 };

#define DURATION_MAX_S ((int64_t)100 * 366 * S_PER_DAY)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool str_copy(char *dst, size_t size, const char *src)
{
    size_t len = strlen(src);
    bool whole = len < size;

    if (size == 0)
        return false;
    if (!whole)
        len = size - 1;
    memmove(dst, src, len);
    dst[len] = '\0';
    return whole;
}

/* Reads digits from *at on; the value stays below 10^18, so that callers may multiply by 10 or subtract. */
static bool take_digits(const char **at, int64_t *out)
{
    const char *s = *at;
    int64_t value = 0;

    while (is_digit(*s)) {
        if (value >= INT64_C(100000000000000000))
            return false;
        value = value * 10 + (*s++ - '0');
    }
    if (s == *at)
        return false;
    *at = s;
    *out = value;
    return true;
}

bool str_to_i64(const char *text, int64_t min, int64_t max, int64_t *out)
{
    bool negative = *text == '-';
    int64_t value = 0;

    text += negative || *text == '+';
    if (*text == '\0')
        return false;
    /* Counted downwards, since INT64_MIN has no positive counterpart. */
    for (; is_digit(*text); text++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, *text - '0', &value))
            return false;
    if (*text != '\0' || (!negative && value == INT64_MIN))
        return false;
    value = negative ? value : -value;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

static int64_t unit_s(char unit)
{
    static const struct {
        char unit;
        int s;
    } units[] = {{'s', 1}, {'m', S_PER_MIN}, {'h', S_PER_H}, {'d', S_PER_DAY}, {'w', S_PER_WEEK}};

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (units[i].unit == unit)
            return units[i].s;
    return 0;
}

bool str_to_duration_ms(const char *text, int64_t *out_ms)
{
    const char *at = text;
    int64_t total_s = 0, value, unit;

    for (bool first = true; first || *at != '\0'; first = false) {
        if (!take_digits(&at, &value) || value > DURATION_MAX_S)
            return false;
        unit = first && *at == '\0' ? 1 : unit_s(*at++);
        total_s += value * unit;
        if (unit == 0 || total_s > DURATION_MAX_S)
            return false;
    }
    *out_ms = total_s * MS_PER_S;
    return true;
}

void wall_to_text(int64_t wall_ms, bool local, char out[32])
{
    time_t s = (time_t)(wall_ms / MS_PER_S - (wall_ms % MS_PER_S < 0));
    struct tm tm = {0};
    size_t used;
    long offset_min;

    if (!(local ? localtime_r(&s, &tm) : gmtime_r(&s, &tm))) {
        str_copy(out, 32, "?");
        return;
    }
    used = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!local) {
        str_copy(out + used, 32 - used, "Z");
        return;
    }
    offset_min = tm.tm_gmtoff / S_PER_MIN;
    snprintf(out + used, 32 - used, "%c%02ld:%02ld", offset_min < 0 ? '-' : '+', labs(offset_min) / 60,
             labs(offset_min) % 60);
}

/* Exactly `digits` digits within [min, max], advancing *at. */
static bool take_field(const char **at, int digits, int min, int max, int *out)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        if (!is_digit((*at)[i]))
            return false;
        value = value * 10 + ((*at)[i] - '0');
    }
    if (value < min || value > max)
        return false;
    *at += digits;
    *out = value;
    return true;
}

static bool take_char(const char **at, const char *any_of)
{
    if (**at == '\0' || !strchr(any_of, **at))
        return false;
    (*at)++;
    return true;
}

/* "HH:MM[:SS[.fraction]]". A leap second (RFC 3339 5.6) is read as the first of the next minute. */
static bool take_time(const char **at, struct tm *tm, int *ms)
{
    tm->tm_sec = 0;
    *ms = 0;
    if (!take_field(at, 2, 0, 23, &tm->tm_hour) || !take_char(at, ":") ||
        !take_field(at, 2, 0, 59, &tm->tm_min))
        return false;
    if (!take_char(at, ":"))
        return true;
    if (!take_field(at, 2, 0, 60, &tm->tm_sec))
        return false;
    if (!take_char(at, "."))
        return true;
    if (!is_digit(**at))
        return false;
    for (int scale = 100; is_digit(**at); scale /= 10)
        *ms += (*(*at)++ - '0') * scale;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **at, struct tm *tm)
{
    int year, month;

    if (!take_field(at, 4, 1, 9999, &year) || !take_char(at, "-") || !take_field(at, 2, 1, 12, &month) ||
        !take_char(at, "-") || !take_field(at, 2, 1, days_in_month(year, month), &tm->tm_mday))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    return true;
}

/* "Z" or "+01:00" to seconds east of Greenwich. */
static bool take_zone(const char **at, int *offset_s)
{
    int hours, minutes;
    bool west = **at == '-';

    *offset_s = 0;
    if (take_char(at, "Zz"))
        return true;
    if (!take_char(at, "+-") || !take_field(at, 2, 0, 23, &hours) || !take_char(at, ":") ||
        !take_field(at, 2, 0, 59, &minutes))
        return false;
    *offset_s = (hours * S_PER_H + minutes * S_PER_MIN) * (west ? -1 : 1);
    return true;
}

static bool date_time_from_text(const char *at, int64_t *out_ms)
{
    struct tm tm = {.tm_isdst = -1};
    int ms, offset_s;

    if (!take_date(&at, &tm) || !take_char(&at, "Tt ") || !take_time(&at, &tm, &ms))
        return false;
    if (*at == '\0') {
        *out_ms = (int64_t)mktime(&tm) * MS_PER_S + ms;
        return true;
    }
    if (!take_zone(&at, &offset_s) || *at != '\0')
        return false;
    *out_ms = ((int64_t)timegm(&tm) - offset_s) * MS_PER_S + ms;
    return true;
}

/* The next time that the local clock shows HH:MM, which may be 23 or 25 hours away. */
static bool time_of_day_from_text(const char *at, int64_t now_wall_ms, int64_t *out_ms)
{
    time_t now_s = (time_t)(now_wall_ms / MS_PER_S);
    struct tm wanted = {0}, tm;
    int ms;

    if (!take_time(&at, &wanted, &ms) || *at != '\0' || !localtime_r(&now_s, &tm))
        return false;
    for (int day = 0; day < 2; day++) {
        struct tm next = {.tm_year = tm.tm_year,
                          .tm_mon = tm.tm_mon,
                          .tm_mday = tm.tm_mday + day,
                          .tm_hour = wanted.tm_hour,
                          .tm_min = wanted.tm_min,
                          .tm_sec = wanted.tm_sec,
                          .tm_isdst = -1};

        *out_ms = (int64_t)mktime(&next) * MS_PER_S + ms;
        if (*out_ms > now_wall_ms)
            return true;
    }
    return false;
}

bool day_from_text(const char *text, int *year, int *month, int *day)
{
    struct tm tm;

    if (!take_date(&text, &tm) || *text != '\0')
        return false;
    *year = tm.tm_year + 1900;
    *month = tm.tm_mon + 1;
    *day = tm.tm_mday;
    return true;
}

bool wall_from_text(const char *text, int64_t now_wall_ms, int64_t *out_ms)
{
    int64_t ms;

    if (*text == '+') {
        if (!str_to_duration_ms(text + 1, &ms) || __builtin_add_overflow(now_wall_ms, ms, &ms))
            return false;
        *out_ms = ms;
        return true;
    }
    return date_time_from_text(text, out_ms) || time_of_day_from_text(text, now_wall_ms, out_ms);
}

/* The value of a hex digit plus one; 0 for every other byte. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

int hex_decode(const char *hex, size_t hex_len, uint8_t *out, size_t out_size)
{
    size_t len = hex_len / 2;

    if (hex_len % 2 != 0)
        return ERR_TRUNCATED;
    if (len > out_size || len > INT_MAX)
        return ERR_TOO_LONG;
    for (size_t i = 0; i < len; i++) {
        unsigned high = hex_values[(uint8_t)hex[2 * i]];
        unsigned low = hex_values[(uint8_t)hex[2 * i + 1]];

        if (high == 0 || low == 0)
            return ERR_INVALID;
        out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return (int)len;
}

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}
