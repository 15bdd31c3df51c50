/* Schedules of rules: a short text to days and times, and the next of them. See engine/schedule.h. */
#include "engine/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    (1440 * MINUTE_MS)

enum {
    TEXT_BYTES = 256,
    WEEK = 7,
    MONTH_LAST = 31,
    LOOK_AHEAD_DAYS = 8 * 366 + 1, /* from one 29 February to the next over a year that has none */
};

static const char *const weekdays[WEEK] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
#define EXPECTED                                                                                             \
    "expected \"every 15m\", or days and times such as \"Mon-Fri 08:30\", \"daily 8:00, 17:00\", \"1 "       \
    "09:00\" "                                                                                               \
    "(of the month), \"12-24 18:00\""

/* ---- reading --------------------------------------------------------------------------------------------
 */

static bool read_number(const char *text, int min, int max, int *out)
{
    int64_t n;

    if (strlen(text) > 2 || !str_to_i64(text, min, max, &n))
        return false;
    *out = (int)n;
    return true;
}

/* "08:30" to the minute of the day. */
static bool read_time(char *text, int *minute)
{
    char *colon = strchr(text, ':');
    int hours, minutes;

    if (!colon || strlen(colon) != 3)
        return false;
    *colon = '\0';
    if (!read_number(text, 0, 23, &hours) || !read_number(colon + 1, 0, 59, &minutes))
        return false;
    *minute = hours * 60 + minutes;
    return true;
}

static bool add_time(struct schedule *s, int minute)
{
    int at = s->times;

    for (int i = 0; i < s->times; i++)
        if (s->minutes[i] == minute)
            return true;
    if (s->times == SCHEDULE_TIMES)
        return false;
    for (; at > 0 && s->minutes[at - 1] > minute; at--)
        s->minutes[at] = s->minutes[at - 1];
    s->minutes[at] = minute;
    s->times++;
    return true;
}

static int read_weekday(const char *text)
{
    for (int i = 0; i < WEEK; i++)
        if (strcasecmp(text, weekdays[i]) == 0)
            return i;
    return -1;
}

/* "Mon", "Mon-Fri", also over the week's end: "Sat-Mon". */
static bool read_weekdays(char *text, unsigned *mask)
{
    char *dash = strchr(text, '-');
    int from, to;

    if (dash)
        *dash = '\0';
    from = read_weekday(text);
    to = dash ? read_weekday(dash + 1) : from;
    if (dash)
        *dash = '-';
    if (from < 0 || to < 0)
        return false;
    for (int i = from;; i = (i + 1) % WEEK) {
        *mask |= 1U << i;
        if (i == to)
            return true;
    }
}

/* "12-24" */
static bool read_date(char *text, struct schedule *s)
{
    static const int longest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    char *dash = strchr(text, '-');
    bool good;

    if (!dash || s->month)
        return false;
    *dash = '\0';
    good = read_number(text, 1, 12, &s->month) && read_number(dash + 1, 1, longest[s->month - 1], &s->day);
    *dash = '-';
    return good;
}

static bool read_day(char *text, struct schedule *s)
{
    int day;

    if (strcasecmp(text, "daily") == 0)
        return true;
    if (strcasecmp(text, "last") == 0) {
        s->monthdays |= 1;
        return true;
    }
    if (read_number(text, 1, MONTH_LAST, &day)) {
        s->monthdays |= UINT32_C(1) << day;
        return true;
    }
    return read_weekdays(text, &s->weekdays) || read_date(text, s);
}

static int read_every(const char *text, struct schedule *out, struct err *e)
{
    text += strspn(text, " ");
    if (!str_to_duration_ms(text, &out->every_ms) || out->every_ms < MINUTE_MS || out->every_ms > 31 * DAY_MS)
        return err_set(e, ERR_INVALID, "\"every %.40s\": expected a time from 1m to 31d", text);
    return 0;
}

int schedule_parse(const char *text, struct schedule *out, struct err *e)
{
    char copy[TEXT_BYTES], *save = NULL;
    int minute;

    *out = (struct schedule){0};
    if (!str_copy(copy, sizeof copy, text))
        return err_set(e, ERR_INVALID, "too long: " EXPECTED);
    if (strncasecmp(copy, "every ", 6) == 0)
        return read_every(copy + 6, out, e);
    for (char *word = strtok_r(copy, " ,", &save); word; word = strtok_r(NULL, " ,", &save)) {
        bool is_time = strchr(word, ':') != NULL;

        if (is_time ? !read_time(word, &minute) : out->times > 0 || !read_day(word, out))
            return err_set(e, ERR_INVALID, "\"%.40s\": " EXPECTED, word);
        if (is_time && !add_time(out, minute))
            return err_set(e, ERR_INVALID, "more than %d times a day", SCHEDULE_TIMES);
    }
    if (out->times == 0)
        return err_set(e, ERR_INVALID, "no time of the day: " EXPECTED);
    return 0;
}

bool schedule_same(const struct schedule *a, const struct schedule *b)
{
    return a->every_ms == b->every_ms && a->weekdays == b->weekdays && a->monthdays == b->monthdays &&
           a->month == b->month && a->day == b->day && a->times == b->times &&
           memcmp(a->minutes, b->minutes, sizeof a->minutes) == 0;
}

/* ---- the next one ---------------------------------------------------------------------------------------
 */

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static void next_day(struct zone_time *t)
{
    t->weekday = (t->weekday + 1) % WEEK;
    if (++t->day <= days_in_month(t->year, t->month))
        return;
    t->day = 1;
    if (++t->month <= 12)
        return;
    t->month = 1;
    t->year++;
}

/* Weekdays and days of the month, where both are said, must both hold: "Fri 13 12:00". */
static bool day_matches(const struct schedule *s, const struct zone_time *t)
{
    bool last = t->day == days_in_month(t->year, t->month);

    if (s->weekdays && !(s->weekdays >> t->weekday & 1U))
        return false;
    if (s->monthdays && !(s->monthdays >> t->day & 1U) && !(last && s->monthdays & 1U))
        return false;
    return !s->month || (s->month == t->month && s->day == t->day);
}

static int64_t local_ms(const struct zone *z, int64_t wall_ms, int64_t *offset_ms)
{
    struct zone_time t;

    zone_local(z, wall_ms, &t);
    *offset_ms = t.offset_s * INT64_C(1000);
    return wall_ms + *offset_ms;
}

/* Counted from midnight of some day long ago, by the zone's clock: quarters of an hour are on the quarters,
 * and half days at noon, also when the clocks are changed in between. */
static int64_t next_every(const struct schedule *s, const struct zone *z, int64_t after_wall_ms)
{
    int64_t before, behind, next_wall_ms;

    next_wall_ms = after_wall_ms + s->every_ms - local_ms(z, after_wall_ms, &before) % s->every_ms;
    /* One that is shorter than the change is on its times again by itself: taken back, it would never come. */
    if (local_ms(z, next_wall_ms, &behind) % s->every_ms != 0 && llabs(before - behind) < s->every_ms)
        next_wall_ms += before - behind;
    return next_wall_ms > after_wall_ms ? next_wall_ms : next_wall_ms + s->every_ms;
}

int64_t schedule_next(const struct schedule *s, const struct zone *z, int64_t after_wall_ms)
{
    struct zone_time t;

    if (s->every_ms > 0)
        return next_every(s, z, after_wall_ms);
    zone_local(z, after_wall_ms, &t);
    for (int i = 0; i < LOOK_AHEAD_DAYS; i++, next_day(&t)) {
        if (!day_matches(s, &t))
            continue;
        for (int k = 0; k < s->times; k++) {
            int64_t at = zone_moment(z, t.year, t.month, t.day, s->minutes[k]);

            if (at > after_wall_ms)
                return at;
        }
    }
    return INT64_MAX;
}
