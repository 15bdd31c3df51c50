/* Business hours. A stretch of opening belongs to the day on which it begins, also where it ends on the next
 * one: a closed day takes away what begins on it. Times are those of the clock on the wall, so that a stretch
 * is an hour shorter or longer when the clocks are changed within it.
 */
#include "base/hours.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum {
    DAY_MINUTES = 1440,
    MOST_DAYS = 367,    /* "never within a year" */
    MOST_STRETCHES = 16 /* a day */
};
#define YEAR_MS (MOST_DAYS * INT64_C(86400000))

struct stretch {
    int from, to; /* minutes of the day it begins on; to may be of the next */
};

struct day_date {
    int year; /* 0: each year */
    int month, day;
};

struct closed {
    struct day_date from, to;
};

struct hours {
    const struct zone *zone;
    struct stretch week[7][MOST_STRETCHES];
    int count[7];
    struct closed *closed;
    int nclosed;
};

/* ---- reading --------------------------------------------------------------------------------------------
 */

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static bool read_number(const char **at, int digits_min, int digits_max, int *out)
{
    int n = 0;

    *out = 0;
    while (n < digits_max && isdigit((unsigned char)(*at)[n]))
        *out = *out * 10 + (*at)[n++] - '0';
    *at += n;
    return n >= digits_min;
}

static bool read_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* "Mon", "monday"; every language writes gateway.conf in English. */
static bool read_weekday(const char **at, int *out)
{
    static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    size_t len = 0;

    while (isalpha((unsigned char)(*at)[len]))
        len++;
    for (int d = 0; d < 7; d++)
        if (len >= 2 && len <= strlen(names[d]) && strncasecmp(*at, names[d], len) == 0) {
            *at += len;
            *out = d;
            return true;
        }
    return false;
}

/* "Mon-Fri", "Mon,Wed", "Sat-Mon", "daily": bits of the days. */
static bool read_days(const char **at, unsigned *out)
{
    int from, to;

    *out = 0;
    if (strncasecmp(*at, "daily", 5) == 0) {
        *at += 5;
        *out = 0x7F;
        return true;
    }
    do {
        *at = skip_space(*at);
        if (!read_weekday(at, &from))
            return false;
        to = from;
        if (read_char(at, '-') && !read_weekday(at, &to))
            return false;
        for (int d = from;; d = (d + 1) % 7) {
            *out |= 1u << d;
            if (d == to)
                break;
        }
    } while (read_char(at, ','));
    return true;
}

/* "9:00", "24:00". */
static bool read_time(const char **at, int *out)
{
    int hour, minute;

    *at = skip_space(*at);
    if (!read_number(at, 1, 2, &hour) || !read_char(at, ':') || !read_number(at, 2, 2, &minute))
        return false;
    *out = hour * 60 + minute;
    return minute < 60 && *out <= DAY_MINUTES;
}

static bool read_stretch(const char **at, struct stretch *out)
{
    if (!read_time(at, &out->from))
        return false;
    *at = skip_space(*at);
    if (!read_char(at, '-') || !read_time(at, &out->to) || out->from == DAY_MINUTES || out->from == out->to)
        return false;
    if (out->to < out->from)
        out->to += DAY_MINUTES;
    *at = skip_space(*at);
    return true;
}

static int read_open(struct hours *h, const char *text, struct err *e)
{
    const char *at = skip_space(text);
    struct stretch s;
    unsigned days;

    if (!read_days(&at, &days))
        return err_set(e, ERR_INVALID, "\"%.60s\": expected days and times such as \"Mon-Fri 09:00-18:00\"",
                       text);
    do {
        if (!read_stretch(&at, &s))
            return err_set(e, ERR_INVALID,
                           "\"%.60s\": expected times such as \"09:00-12:30, 14:00-18:00\" behind the days",
                           text);
        for (int d = 0; d < 7; d++) {
            if (!(days & 1u << d))
                continue;
            if (h->count[d] == MOST_STRETCHES)
                return err_set(e, ERR_INVALID, "\"%.60s\": expected at most %d times a day", text,
                               MOST_STRETCHES);
            h->week[d][h->count[d]++] = s;
        }
    } while (read_char(&at, ','));
    if (*at)
        return err_set(e, ERR_INVALID, "\"%.60s\": expected nothing behind the times, not \"%.20s\"", text,
                       at);
    return 0;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year == 0 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));

    return days[month - 1] + (month == 2 && leap);
}

/* "2026-12-24" or "12-24". */
static bool read_date(const char **at, struct day_date *out)
{
    int first;

    *at = skip_space(*at);
    if (!read_number(at, 2, 4, &first) || !read_char(at, '-') || !read_number(at, 2, 2, &out->month))
        return false;
    out->year = first;
    if (read_char(at, '-')) {
        if (first < 1970 || !read_number(at, 2, 2, &out->day))
            return false;
    } else {
        out->day = out->month;
        out->month = first;
        out->year = 0;
    }
    *at = skip_space(*at);
    return out->month >= 1 && out->month <= 12 && out->day >= 1 &&
           out->day <= month_days(out->year, out->month);
}

/* For comparing days of the same year or with their years. */
static int date_key(int year, int month, int day)
{
    return (year * 12 + month) * 31 + day;
}

static int key_of(const struct day_date *d)
{
    return date_key(d->year, d->month, d->day);
}

static int read_closed(const char *text, struct closed *out, struct err *e)
{
    const char *at = text;
    bool ok = read_date(&at, &out->from);

    out->to = out->from;
    if (ok && *at == '.')
        ok = read_char(&at, '.') && read_char(&at, '.') && read_date(&at, &out->to) &&
             (out->from.year == 0) == (out->to.year == 0) &&
             (out->from.year == 0 || key_of(&out->from) <= key_of(&out->to));
    if (!ok || *at)
        return err_set(
            e, ERR_INVALID,
            "\"%.60s\": expected a day such as \"12-25\" (each year) or \"2027-01-01\", or two with "
            "\"..\" between them, the earlier first",
            text);
    return 0;
}

static int read_all(struct hours *h, const char *const *open, const char *const *closed, struct err *e)
{
    static const char *const always[] = {"daily 00:00-24:00", NULL};
    int n = 0;

    for (open = open ? open : always; *open; open++)
        if (read_open(h, *open, e) != 0)
            return ERR_INVALID;
    while (closed && closed[n])
        n++;
    h->closed = calloc((size_t)n + 1, sizeof *h->closed);
    if (!h->closed)
        abort();
    for (h->nclosed = 0; h->nclosed < n; h->nclosed++)
        if (read_closed(closed[h->nclosed], &h->closed[h->nclosed], e) != 0)
            return ERR_INVALID;
    return 0;
}

int hours_new(const struct zone *zone, const char *const *open, const char *const *closed, struct hours **out,
              struct err *e)
{
    struct hours *h = calloc(1, sizeof *h);
    int rc;

    if (!h)
        abort();
    h->zone = zone;
    rc = read_all(h, open, closed, e);
    if (rc != 0) {
        hours_free(h);
        h = NULL;
    }
    *out = h;
    return rc;
}

void hours_free(struct hours *h)
{
    if (!h)
        return;
    free(h->closed);
    free(h);
}

const struct zone *hours_zone(const struct hours *h)
{
    return h->zone;
}

/* ---- when it is open ------------------------------------------------------------------------------------
 */

static bool in_closed(const struct closed *c, const struct zone_time *day)
{
    int at = date_key(c->from.year ? day->year : 0, day->month, day->day);
    int from = key_of(&c->from), to = key_of(&c->to);

    return from <= to ? from <= at && at <= to : at >= from || at <= to; /* over the new year */
}

static bool closed_day(const struct hours *h, const struct zone_time *day)
{
    for (int i = 0; i < h->nclosed; i++)
        if (in_closed(&h->closed[i], day))
            return true;
    return false;
}

/* The day that is so many behind another one: what is asked of it is date and weekday only. */
static struct zone_time day_after(const struct zone *z, const struct zone_time *day, int days)
{
    struct zone_time out;

    zone_local(z, zone_moment(z, day->year, day->month, day->day + days, DAY_MINUTES / 2), &out);
    return out;
}

/* Where the stretches that begin on this day lie around t: `until` is moved to the end of one that holds t,
 * `next` to the earliest beginning behind t. */
static void look_at_day(const struct hours *h, const struct zone_time *day, int64_t t, int64_t *until,
                        int64_t *next)
{
    const struct zone *z = h->zone;

    if (closed_day(h, day))
        return;
    for (int i = 0; i < h->count[day->weekday]; i++) {
        const struct stretch *s = &h->week[day->weekday][i];
        int64_t from = zone_moment(z, day->year, day->month, day->day, s->from);
        int64_t to = zone_moment(z, day->year, day->month, day->day, s->to);

        if (from <= t && t < to && to > *until)
            *until = to;
        if (from > t && from < to && (*next == 0 || from < *next))
            *next = from;
    }
}

/* The end of the stretches that hold t; 0: it is closed then. */
static int64_t end_of(const struct hours *h, int64_t t)
{
    struct zone_time today, yesterday;
    int64_t until = 0, next = 0;

    zone_local(h->zone, t, &today);
    yesterday = day_after(h->zone, &today, -1);
    look_at_day(h, &yesterday, t, &until, &next);
    look_at_day(h, &today, t, &until, &next);
    return until;
}

bool hours_open(const struct hours *h, int64_t wall_ms)
{
    return end_of(h, wall_ms) != 0;
}

int64_t hours_next_open(const struct hours *h, int64_t wall_ms)
{
    struct zone_time today;

    if (hours_open(h, wall_ms))
        return wall_ms;
    zone_local(h->zone, wall_ms, &today);
    for (int i = 0; i < MOST_DAYS; i++) {
        struct zone_time day = day_after(h->zone, &today, i);
        int64_t until = 0, next = 0;

        look_at_day(h, &day, wall_ms, &until, &next);
        if (next)
            return next;
    }
    return 0;
}

int64_t hours_next_close(const struct hours *h, int64_t wall_ms)
{
    int64_t t = wall_ms, end;

    while ((end = end_of(h, t)) != 0) {
        if (end - wall_ms > YEAR_MS)
            return 0;
        t = end;
    }
    return t;
}

int64_t hours_add(const struct hours *h, int64_t wall_ms, int64_t business_ms)
{
    int64_t t = wall_ms;

    while (business_ms > 0) {
        int64_t open = hours_next_open(h, t), close;

        if (open == 0 || open - wall_ms > YEAR_MS)
            return 0;
        close = hours_next_close(h, open);
        if (close == 0 || close - open >= business_ms)
            return open + business_ms;
        business_ms -= close - open;
        t = close;
    }
    return t;
}

int64_t hours_between(const struct hours *h, int64_t from_wall_ms, int64_t to_wall_ms)
{
    int64_t t = from_wall_ms, sum = 0;

    while (t < to_wall_ms) {
        int64_t open = hours_next_open(h, t), close;

        if (open == 0 || open >= to_wall_ms)
            break;
        close = hours_next_close(h, open);
        if (close == 0 || close > to_wall_ms)
            close = to_wall_ms;
        sum += close - open;
        t = close;
    }
    return sum;
}
