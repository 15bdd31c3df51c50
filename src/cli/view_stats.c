/* Figures for people: one page of everything, or a table. What was not measured is not shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/stats.h"
#include "cli/text.h"

enum { BARS_MAX = 64, HEIGHTS = 8, GAP_WIDTH = 1 };

/* ---- numbers ---------------------------------------------------------------------------------------------
 */

void stats_duration(double seconds, char *out, size_t size)
{
    long s = (long)(seconds + 0.5), m = (s + 30) / 60;

    if (s < 60)
        snprintf(out, size, "%ld s", s);
    else if (m < 60)
        snprintf(out, size, "%ld min", m);
    else if (m < 24 * 60)
        snprintf(out, size, m % 60 ? "%ld h %ld min" : "%ld h", m / 60, m % 60);
    else
        snprintf(out, size, m / 60 % 24 ? "%ld d %ld h" : "%ld d", m / 60 / 24, m / 60 % 24);
}

void stats_sparkline(const double *values, int n, char *out)
{
    static const char *const bars[HEIGHTS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double most = 0;

    out[0] = '\0';
    for (int i = 0; i < n; i++)
        most = values[i] > most ? values[i] : most;
    for (int i = 0; i < n; i++) {
        int height = most > 0 ? (int)(values[i] / most * (HEIGHTS - 1) + 0.5) : 0;

        strcat(out, values[i] < 0 ? " " : bars[height]);
    }
}

static double real(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);

    return json_is_number(v) ? json_number_value(v) : -1;
}

/* "35 %"; "" where it was not measured. */
static const char *percent(const json_t *o, const char *name, char out[16])
{
    double v = real(o, name) * 100, off = v - (double)(long)(v + 0.5);

    out[0] = '\0';
    if (v >= 0)
        snprintf(out, 16, off > -0.05 && off < 0.05 ? "%.0f %%" : "%.1f %%", v);
    return out;
}

static const char *duration(const json_t *o, const char *name, char out[24])
{
    double v = real(o, name);

    out[0] = '\0';
    if (v >= 0)
        stats_duration(v, out, 24);
    return out;
}

static const char *cost(const json_t *o, char out[24])
{
    double v = real(o, "cost_micros");

    out[0] = '\0';
    if (v > 0)
        snprintf(out, 24, "%.2f", v / 1e6);
    return out;
}

/* ---- a page ----------------------------------------------------------------------------------------------
 */

/* Of a figure over the rows; "" where there is no terminal or no rows by time. `time`: of its median. */
static void spark_of(const json_t *answer, const char *name, bool time, char *out)
{
    const char *by = member_text(answer, "by");
    const json_t *rows = json_object_get(answer, "rows"), *row;
    double values[BARS_MAX];
    int n = 0;
    size_t i;

    out[0] = '\0';
    if (text_terminal_width() == 0 || (strcmp(by, "day") && strcmp(by, "week") && strcmp(by, "month")))
        return;
    json_array_foreach(rows, i, row)
    {
        if (n < BARS_MAX)
            values[n++] = time ? real(json_object_get(row, name), "median_s") : real(row, name);
    }
    if (n > 1)
        stats_sparkline(values, n, out);
}

static void line(const json_t *answer, const char *label, const char *value, const char *name, bool time)
{
    char spark[BARS_MAX * 3 + 1];
    int pad;

    if (!*value)
        return;
    spark_of(answer, name, time, spark);
    pad = 46 - text_width(value);
    if (*spark)
        say(PLAIN, "%-21s%s%*s%s", label, value, pad > GAP_WIDTH ? pad : GAP_WIDTH, "", spark);
    else
        say(PLAIN, "%-21s%s", label, value);
}

static void count_line(const json_t *answer, const char *label, const char *name, const char *more)
{
    const char *n = member_text(json_object_get(answer, "total"), name);
    char value[96];

    snprintf(value, sizeof value, "%s%s%s", n, *more ? ", " : "", more);
    line(answer, label, value, name, false);
}

static void time_line(const json_t *answer, const char *label, const char *name)
{
    const json_t *t = json_object_get(json_object_get(answer, "total"), name);
    char median[24], p90[24], business_median[24], business_p90[24], value[160];

    if (real(t, "count") <= 0)
        return;
    snprintf(value, sizeof value, "%s, 9 of 10 within %s, of %s", duration(t, "median_s", median),
             duration(t, "p90_s", p90), member_text(t, "count"));
    line(answer, label, value, name, true);
    if (*duration(t, "business_median_s", business_median))
        say(DIM, "%-21s%s, 9 of 10 within %s", "  in opening hours", business_median,
            duration(t, "business_p90_s", business_p90));
}

static void messages(const json_t *answer)
{
    const json_t *total = json_object_get(answer, "total");
    char share[16], delivered[16], price[24], more[64];

    count_line(answer, "messages in", "in", "");
    if (real(total, "calls") > 0)
        count_line(answer, "calls", "calls", "");
    snprintf(more, sizeof more, *percent(total, "automatic_share", share) ? "%s automatic" : "%s", share);
    count_line(answer, "messages out", "out", more);
    line(answer, "delivered", percent(total, "delivery_rate", delivered), "delivered", false);
    snprintf(more, sizeof more, *cost(total, price) ? "cost %s" : "%s", price);
    count_line(answer, "parts", "segments", more);
    if (real(total, "failed") + real(total, "undelivered") > 0)
        count_line(answer, "failed", "failed", "");
    snprintf(more, sizeof more, "opt-ins %s", member_text(total, "opt_ins"));
    if (real(total, "opt_outs") + real(total, "opt_ins") > 0)
        count_line(answer, "opt-outs", "opt_outs", more);
}

static void conversations(const json_t *answer)
{
    const json_t *total = json_object_get(answer, "total"), *now = json_object_get(answer, "now");
    bool late = real(now, "overdue") > 0;
    char more[96];

    snprintf(more, sizeof more, "closed %s, opened again %s", member_text(total, "closed"),
             member_text(total, "reopened"));
    count_line(answer, "conversations opened", "opened", more);
    if (real(total, "overdue") > 0)
        count_line(answer, "late", "overdue", "");
    time_line(answer, "first response", "first_response");
    time_line(answer, "next responses", "next_response");
    time_line(answer, "resolution", "resolution");
    if (real(total, "reopened") > 0)
        time_line(answer, "closed for good", "full_resolution");
    say(late ? RED : PLAIN, "%-21s%s, %s wait for an answer, %s late, %s nobody's", "open now",
        member_text(now, "open"), member_text(now, "waiting"), member_text(now, "overdue"),
        member_text(now, "unassigned"));
}

static void satisfaction(const json_t *answer)
{
    const json_t *total = json_object_get(answer, "total");
    char rate[16], satisfied[16], value[128];

    if (real(total, "asked") <= 0)
        return;
    snprintf(value, sizeof value, "asked %s, answered %s (%s)", member_text(total, "asked"),
             member_text(total, "answered"), percent(total, "survey_response_rate", rate));
    line(answer, "survey", value, "answered", false);
    if (!*percent(total, "satisfied", satisfied))
        return;
    snprintf(value, sizeof value, "%s, mean %.2f of %s", satisfied, real(total, "mean_score"),
             member_text(answer, "scale"));
    line(answer, "satisfied", value, "satisfied", false);
    if (json_object_get(total, "nps"))
        say(PLAIN, "%-21s%+.0f", "net promoter score", json_number_value(json_object_get(total, "nps")));
}

/* A net promoter score is no share: from -100 to 100. */
static const char *objective_value(const json_t *o, const char *key, char out[16])
{
    if (strcmp(member_text(o, "figure"), "nps") != 0)
        return percent(o, key, out);
    snprintf(out, 16, "%+.0f", json_number_value(json_object_get(o, key)) * 100);
    return out;
}

static void objective_line(const json_t *o)
{
    const char *result = member_text(o, "result"), *department = member_text(o, "department");
    bool met = !strcmp(result, "met"), missed = !strcmp(result, "missed");
    char value[16], share[16];
    struct buf text = {0}, safe = {0};

    buf_addf(&text, "%-7s %s", met ? "met" : missed ? "missed" : "-", member_text(o, "name"));
    if (*department)
        buf_addf(&text, " (%s)", department);
    buf_addf(&text, ": %s", missed || met ? objective_value(o, "value", value) : "nothing to measure");
    if (*member_text(o, "target"))
        buf_addf(&text, " within %s", member_text(o, "target"));
    buf_addf(&text, ", wished for %s", objective_value(o, "share", share));
    text_safe(&safe, buf_str(&text), false);
    say(met ? GREEN : missed ? RED : DIM, "%s", buf_str(&safe));
    buf_free(&text);
    buf_free(&safe);
}

static void title(const json_t *answer)
{
    static const char *const of[] = {"department", "person", "modem"};
    struct buf text = {0}, safe = {0};

    buf_addf(&text, "%s to %s", member_text(answer, "first_day"), member_text(answer, "last_day"));
    for (size_t i = 0; i < ARRAY_LEN(of); i++)
        if (*member_text(answer, of[i]))
            buf_addf(&text, ", %s %s", of[i], member_text(answer, of[i]));
    text_safe(&safe, buf_str(&text), false);
    say(BOLD, "%s", buf_str(&safe));
    putchar('\n');
    buf_free(&text);
    buf_free(&safe);
}

static void objectives(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "objectives"), *o;
    size_t i;

    if (json_array_size(list) > 0)
        putchar('\n');
    json_array_foreach(list, i, o) objective_line(o);
}

void view_stats(const json_t *answer)
{
    title(answer);
    messages(answer);
    putchar('\n');
    conversations(answer);
    if (real(json_object_get(answer, "total"), "asked") > 0)
        putchar('\n');
    satisfaction(answer);
    objectives(answer);
}

/* ---- a table ---------------------------------------------------------------------------------------------
 */

static void table_row(struct table *t, const char *key, const json_t *row, enum colour colour)
{
    const json_t *first = json_object_get(row, "first_response"), *done = json_object_get(row, "resolution");
    char out[24];

    table_cell(t, colour, key);
    table_cell(t, colour, member_text(row, "in"));
    table_cell(t, colour, member_text(row, "out"));
    table_cell(t, colour, percent(row, "automatic_share", out));
    table_cell(t, colour, percent(row, "delivery_rate", out));
    table_cell(t, colour, member_text(row, "opened"));
    table_cell(t, colour, member_text(row, "closed"));
    table_cell(t, colour, duration(first, "median_s", out));
    table_cell(t, colour, duration(first, "p90_s", out));
    table_cell(t, colour, duration(done, "median_s", out));
    table_cell(t, colour, member_text(row, "overdue"));
    table_cell(t, colour, percent(row, "satisfied", out));
    table_cell(t, colour, member_text(row, "opt_outs"));
    table_cell(t, colour, member_text(row, "segments"));
    table_cell(t, colour, cost(row, out));
}

void view_stats_table(const json_t *answer)
{
    struct column columns[] = {{"", false},         {"IN", true},       {"OUT", true},    {"AUTOMATIC", true},
                               {"DELIVERED", true}, {"OPENED", true},   {"CLOSED", true}, {"FIRST", true},
                               {"9 OF 10", true},   {"RESOLVED", true}, {"LATE", true},   {"SATISFIED", true},
                               {"OPT-OUTS", true},  {"PARTS", true},    {"COST", true}};
    const json_t *row;
    struct table t;
    size_t i;

    title(answer);
    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "rows"), i, row)
    {
        const char *key = member_text(row, "key");

        table_row(&t, *key ? key : "(none)", row, PLAIN);
    }
    table_row(&t, "all", json_object_get(answer, "total"), BOLD);
    table_print(&t);
    objectives(answer);
}
