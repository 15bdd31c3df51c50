/* Ranges of days. See engine/dates.h. */
#include "engine/dates.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { DATE_BYTES = 16, A_YEAR = 10000, A_MONTH = 100 };

static bool read_part(const char *text, size_t len, int min, int max, int *out)
{
    char digits[8] = "";
    int64_t n;

    if (len == 0 || len >= sizeof digits)
        return false;
    memcpy(digits, text, len);
    if (!str_to_i64(digits, min, max, &n))
        return false;
    *out = (int)n;
    return true;
}

/* "12-24", "2026-12-24" */
static bool read_day(const char *text, int *out)
{
    int year = 0, month, day;

    if (strlen(text) == 10) {
        if (!read_part(text, 4, 2000, 2199, &year) || text[4] != '-')
            return false;
        text += 5;
    }
    if (strlen(text) != 5 || text[2] != '-' || !read_part(text, 2, 1, 12, &month) ||
        !read_part(text + 3, 2, 1, 31, &day))
        return false;
    *out = year * A_YEAR + month * A_MONTH + day;
    return true;
}

static void strip(char **text)
{
    size_t len;

    *text += strspn(*text, " \t");
    for (len = strlen(*text); len > 0 && strchr(" \t", (*text)[len - 1]); len--)
        (*text)[len - 1] = '\0';
}

static bool read_range(char *text, struct date_range *out)
{
    char *dots, *from = text, *to = text;

    strip(&from);
    to = from;
    dots = strstr(from, "..");
    if (dots) {
        *dots = '\0';
        to = dots + 2;
        strip(&from);
        strip(&to);
    }
    if (!read_day(from, &out->from) || !read_day(to, &out->to))
        return false;
    /* both with a year, in their order; or both without one */
    return out->from < A_YEAR ? out->to < A_YEAR : out->from <= out->to;
}

int dates_parse(const char *text, struct date_range **out, struct err *e)
{
    char *copy = strdup(text), *save = NULL;
    struct date_range *ranges = calloc(strlen(text) / 2 + 2, sizeof *ranges);
    int n = 0, rc = 0;

    *out = NULL;
    if (!copy || !ranges)
        abort();
    for (char *part = strtok_r(copy, ",", &save); part && rc == 0; part = strtok_r(NULL, ",", &save))
        if (!read_range(part, &ranges[n++]))
            rc = err_set(e, ERR_INVALID,
                         "\"%.60s\": expected days such as \"2026-12-24\", \"2026-12-01..2026-12-24\" or "
                         "\"12-24..01-06\" (each year)",
                         text);
    if (rc == 0 && n == 0)
        rc = err_set(e, ERR_INVALID, "empty: expected days such as \"2026-12-24\"");
    free(copy);
    if (rc != 0)
        free(ranges);
    else
        *out = ranges;
    return rc;
}

static bool in_range(const struct date_range *r, int date)
{
    if (r->from >= A_YEAR)
        return date >= r->from && date <= r->to;
    date %= A_YEAR;
    if (r->from <= r->to)
        return date >= r->from && date <= r->to;
    return date >= r->from || date <= r->to; /* over the year's end */
}

bool dates_hold(const struct date_range *ranges, const struct zone_time *t)
{
    int date = t->year * A_YEAR + t->month * A_MONTH + t->day;

    for (; ranges->from; ranges++)
        if (in_range(ranges, date))
            return true;
    return false;
}
