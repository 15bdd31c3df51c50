/* Time zones, by GLib's GTimeZone: the C library knows one zone a process only, and its TZ is the process's,
 * not a handle. Nothing else of GLib is used.
 *
 * What can fail: a name that the tz database lacks. Immutable once made.
 */
#include "base/zone.h"

#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, MINUTES_A_DAY = 1440, MS_PER_S = 1000, EPOCH_WEEKDAY = 3 /* a Thursday */ };

struct zone {
    GTimeZone *tz;
    char *name;
};

/* Names only: GLib would also open a file by its path. */
static bool is_name(const char *name)
{
    return *name != '/' && !strstr(name, "..");
}

int zone_new(const char *name, struct zone **out, struct err *e)
{
    struct zone *z;
    GTimeZone *tz = NULL;

    *out = NULL;
    if (*name == '\0')
        tz = g_time_zone_new_local();
    else if (is_name(name))
        tz = g_time_zone_new_identifier(name);
    if (!tz)
        return err_set(e, ERR_NOT_FOUND, "no time zone \"%.60s\": expected a name such as \"Europe/Berlin\"",
                       name);
    z = calloc(1, sizeof *z);
    if (!z || !(z->name = strdup(name)))
        abort();
    z->tz = tz;
    *out = z;
    return 0;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    g_time_zone_unref(z->tz);
    free(z->name);
    free(z);
}

const char *zone_name(const struct zone *z)
{
    return z->name;
}

/* Seconds east of UTC at a moment in seconds of UTC. */
static int64_t offset_at(const struct zone *z, int64_t utc_s)
{
    return g_time_zone_get_offset(z->tz, g_time_zone_find_interval(z->tz, G_TIME_TYPE_UNIVERSAL, utc_s));
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar, and back. Years are counted from March, so that
 * a leap day is a year's last. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, struct zone_time *out)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;

    out->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    out->month = (int)(month < 10 ? month + 3 : month - 9);
    out->year = (int)(year + era * 400 + (out->month <= 2));
    out->weekday = (int)(((days + EPOCH_WEEKDAY) % 7 + 7) % 7);
}

void zone_local(const struct zone *z, int64_t wall_ms, struct zone_time *out)
{
    int64_t utc_s = floor_div(wall_ms, MS_PER_S), offset = offset_at(z, utc_s), local_s = utc_s + offset;
    int64_t days = floor_div(local_s, DAY_S);
    int of_day = (int)(local_s - days * DAY_S);

    date_of(days, out);
    out->minute = of_day / 60;
    out->second = of_day % 60;
    out->offset_s = (int)offset;
}

/* The first second of (from, to] at which the clocks show `offset`. */
static int64_t transition(const struct zone *z, int64_t from_s, int64_t to_s, int64_t offset)
{
    while (to_s - from_s > 1) {
        int64_t middle = from_s + (to_s - from_s) / 2;

        if (offset_at(z, middle) == offset)
            to_s = middle;
        else
            from_s = middle;
    }
    return to_s;
}

int64_t zone_moment(const struct zone *z, int year, int month, int day, int minute)
{
    int64_t months = (int64_t)year * 12 + month - 1, y = floor_div(months, 12);
    int64_t days = days_of(y, (int)(months - y * 12) + 1, 1) + day - 1;
    int64_t local_s = days * DAY_S + (int64_t)minute * 60;
    int64_t before = offset_at(z, local_s - DAY_S), after = offset_at(z, local_s + DAY_S), utc_s;

    if (offset_at(z, local_s - before) == before) /* also the first of two */
        utc_s = local_s - before;
    else if (offset_at(z, local_s - after) == after)
        utc_s = local_s - after;
    else
        utc_s = transition(z, local_s - after, local_s - before, after);
    return utc_s * MS_PER_S;
}
