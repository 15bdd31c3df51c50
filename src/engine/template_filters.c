/* Filters of templates: {{value:filter}}. */
#include "engine/template_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"

enum { DATE_TEXT_BYTES = 17 };

static void take_own(struct filled *f, struct buf *changed)
{
    buf_free(&f->own);
    f->own = *changed;
    f->text = (struct span){buf_str(&f->own), f->own.len};
}

/* ---- case, words ---- */

static bool change_case(const struct template_values *v, bool upper, struct filled *f)
{
    struct buf changed = {0};

    fold_case(v->fold, f->text, upper, &changed);
    take_own(f, &changed);
    return true;
}

static bool filter_upper(const struct template_values *v, const char *arg, struct filled *f)
{
    (void)arg;
    return change_case(v, true, f);
}

static bool filter_lower(const struct template_values *v, const char *arg, struct filled *f)
{
    (void)arg;
    return change_case(v, false, f);
}

/* "Anna" of "Anna Maria Schmidt". */
static bool filter_first_word(const struct template_values *v, const char *arg, struct filled *f)
{
    size_t at = 0, end;

    (void)v, (void)arg;
    while (at < f->text.len && strchr(" \t\r\n", f->text.at[at]))
        at++;
    for (end = at; end < f->text.len && !strchr(" \t\r\n,", f->text.at[end]);)
        end++;
    f->text = (struct span){f->text.at + at, end - at};
    return end > at;
}

/* ---- dates ---- */

static int digits(const char *text, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* A value that holds "2026-12-01" or "2026-12-01 10:30", such as an attribute. */
static bool read_date(struct span s, struct zone_time *t)
{
    char text[DATE_TEXT_BYTES] = "";
    int hour = 0, minute = 0;

    if (s.len != 10 && s.len != 16)
        return false;
    memcpy(text, s.at, s.len);
    if (text[4] != '-' || text[7] != '-' ||
        (s.len == 16 && ((text[10] != ' ' && text[10] != 'T') || text[13] != ':')))
        return false;
    *t =
        (struct zone_time){.year = digits(text, 4), .month = digits(text + 5, 2), .day = digits(text + 8, 2)};
    if (s.len == 16) {
        hour = digits(text + 11, 2);
        minute = digits(text + 14, 2);
    }
    t->minute = hour * 60 + minute;
    return t->year > 0 && t->month >= 1 && t->month <= 12 && t->day >= 1 && t->day <= 31 && hour >= 0 &&
           hour < 24 && minute >= 0 && minute < 60;
}

static void put_date(const char *format, const struct zone_time *t, struct buf *out)
{
    for (; *format; format++) {
        if (*format != '%') {
            buf_addc(out, *format);
            continue;
        }
        switch (*++format) {
        case 'd':
            buf_addf(out, "%02d", t->day);
            break;
        case 'e':
            buf_addf(out, "%d", t->day);
            break;
        case 'm':
            buf_addf(out, "%02d", t->month);
            break;
        case 'Y':
            buf_addf(out, "%04d", t->year);
            break;
        case 'y':
            buf_addf(out, "%02d", t->year % 100);
            break;
        case 'H':
            buf_addf(out, "%02d", t->minute / 60);
            break;
        case 'I':
            buf_addf(out, "%d", (t->minute / 60 + 11) % 12 + 1);
            break;
        case 'p':
            buf_adds(out, t->minute < 720 ? "am" : "pm");
            break;
        case 'M':
            buf_addf(out, "%02d", t->minute % 60);
            break;
        case '%':
            buf_addc(out, '%');
            break;
        }
    }
}

static const char *check_date(const char *arg)
{
    static const char expected[] = "expected a format of %d %e %m %Y %y %H %I %p %M, such as \"%d.%m.%Y\"";

    if (!*arg)
        return expected;
    for (; *arg; arg++)
        if (*arg == '%' && (!*++arg || !strchr("demYyHIpM%", *arg)))
            return expected;
    return NULL;
}

static bool filter_date(const struct template_values *v, const char *arg, struct filled *f)
{
    struct zone_time t;
    struct buf changed = {0};

    if (f->wall_ms > 0)
        template_local(v, f->wall_ms, &t);
    else if (!read_date(f->text, &t))
        return false;
    put_date(arg, &t, &changed);
    take_own(f, &changed);
    return true;
}

/* ---- the table ---- */

static const struct template_filter filters[] = {
    {"upper", filter_upper, false, NULL},
    {"lower", filter_lower, false, NULL},
    {"first_word", filter_first_word, false, NULL},
    {"date", filter_date, true, check_date},
};

const struct template_filter *template_filter_find(const char *text, const char **arg)
{
    text += strspn(text, " \t");
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        size_t len = strlen(filters[i].name);

        if (strncmp(text, filters[i].name, len) != 0 || (text[len] && !strchr(" \t:", text[len])))
            continue;
        *arg = text + len;
        return &filters[i];
    }
    return NULL;
}

void template_filter_names(char *out, size_t size)
{
    size_t len = 0;

    *out = '\0';
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        snprintf(out + len, size - len, "%s%s", i > 0 ? ", " : "", filters[i].name);
        len += strlen(out + len);
    }
}
