/* Times and validity periods; TS 23.040 9.2.3.11 and 9.2.3.12. Digits out of range make a time invalid,
 * never an error: networks send them, and a report of a failed message has no discharge time at all.
 */
#include <string.h>

#include "pdu/parts.h"

enum { ZONE_SIGN = 0x08, QUARTER_MIN = 15, MAX_QUARTERS = 79 };

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define WEEK_MS   (7 * DAY_MS)

/* Days from 1970-01-01 to a date of the Gregorian calendar, years counted from March. */
static int64_t days_from_date(int year, unsigned month, unsigned day)
{
    int y = year - (month <= 2);
    int era = (y >= 0 ? y : y - 399) / 400;
    unsigned of_era = (unsigned)(y - era * 400);
    unsigned of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_from_days(int64_t days, struct pdu_time *t)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned of_era = (unsigned)(days - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned m = (5 * of_year + 2) / 153;
    t->day = (uint8_t)(of_year - (153 * m + 2) / 5 + 1);
    t->month = (uint8_t)(m < 10 ? m + 3 : m - 9);
    t->year = (int16_t)((int64_t)year + era * 400 + (t->month <= 2));
}

static unsigned days_in_month(int year, unsigned month)
{
    static const uint8_t DAYS[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static uint8_t to_bcd(unsigned value)
{
    return (uint8_t)(value % 10 << 4 | value / 10 % 10);
}

static bool in_range(const struct pdu_time *t, uint8_t yy, uint8_t quarters)
{
    return yy <= 99 && quarters <= MAX_QUARTERS && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
           t->day <= days_in_month(t->year, t->month) && t->hour <= 23 && t->minute <= 59 && t->second <= 59;
}

/* Quarters without their sign; 255 if there are none. The second digit may be over 9: +2:30 has been seen as
 * a single digit "ten". */
static uint8_t zone_quarters_of(uint8_t octet)
{
    unsigned tens = octet & 0x07, ones = octet >> 4;
    return ones == 0x0F ? 0xFF : (uint8_t)(tens * 10 + ones);
}

void time_from_octets(const uint8_t raw[7], struct pdu_time *out)
{
    *out = (struct pdu_time){.valid = false};
    memcpy(out->raw, raw, sizeof(out->raw));
    uint8_t yy = bcd_value(raw[0]);
    uint8_t quarters = zone_quarters_of(raw[6]);
    struct pdu_time t = *out;
    t.year = (int16_t)(yy >= 70 ? 1900 + yy : 2000 + yy);
    t.month = bcd_value(raw[1]);
    t.day = bcd_value(raw[2]);
    t.hour = bcd_value(raw[3]);
    t.minute = bcd_value(raw[4]);
    t.second = bcd_value(raw[5]);
    if (!in_range(&t, yy, quarters))
        return;
    t.zone_quarters = (int8_t)(raw[6] & ZONE_SIGN ? -(int)quarters : quarters);
    t.valid = true;
    *out = t;
}

void time_read(struct reader *r, struct pdu_time *out)
{
    const uint8_t *raw = cur_take(&r->c, 7);
    if (raw)
        time_from_octets(raw, out);
}

int64_t pdu_time_to_wall_ms(const struct pdu_time *t)
{
    if (!t->valid)
        return -1;
    int64_t ms = days_from_date(t->year, t->month, t->day) * DAY_MS + t->hour * HOUR_MS +
                 t->minute * MINUTE_MS + t->second * (int64_t)1000;
    return ms - t->zone_quarters * QUARTER_MIN * MINUTE_MS;
}

void pdu_time_from_wall_ms(int64_t wall_ms, int zone_quarters, struct pdu_time *out)
{
    if (zone_quarters > MAX_QUARTERS)
        zone_quarters = MAX_QUARTERS;
    if (zone_quarters < -MAX_QUARTERS)
        zone_quarters = -MAX_QUARTERS;
    int64_t local_ms = wall_ms + zone_quarters * QUARTER_MIN * MINUTE_MS;
    int64_t days = local_ms / DAY_MS - (local_ms % DAY_MS < 0);
    int64_t of_day_ms = local_ms - days * DAY_MS;
    *out = (struct pdu_time){.valid = true, .zone_quarters = (int8_t)zone_quarters};
    date_from_days(days, out);
    out->hour = (uint8_t)(of_day_ms / HOUR_MS);
    out->minute = (uint8_t)(of_day_ms / MINUTE_MS % 60);
    out->second = (uint8_t)(of_day_ms / 1000 % 60);
    unsigned quarters = (unsigned)(zone_quarters < 0 ? -zone_quarters : zone_quarters);
    const uint8_t raw[7] = {to_bcd((unsigned)out->year % 100),
                            to_bcd(out->month),
                            to_bcd(out->day),
                            to_bcd(out->hour),
                            to_bcd(out->minute),
                            to_bcd(out->second),
                            (uint8_t)(to_bcd(quarters) | (zone_quarters < 0 ? ZONE_SIGN : 0))};
    memcpy(out->raw, raw, sizeof(raw));
}

int64_t pdu_vp_relative_to_ms(uint8_t octet)
{
    if (octet <= 143)
        return (octet + 1) * 5 * MINUTE_MS;
    if (octet <= 167)
        return 12 * HOUR_MS + (octet - 143) * 30 * MINUTE_MS;
    if (octet <= 196)
        return (octet - 166) * DAY_MS;
    return (octet - 192) * WEEK_MS;
}

uint8_t pdu_vp_relative_from_ms(int64_t ms)
{
    unsigned low = 0, high = 255; /* the periods grow with the octet */
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (pdu_vp_relative_to_ms((uint8_t)mid) < ms)
            low = mid + 1;
        else
            high = mid;
    }
    return (uint8_t)low;
}
