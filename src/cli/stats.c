/* `stats`: asks for the figures of a period and gives them to people, to programs, or to a spreadsheet. */
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/stats.h"
#include "cli/text.h"

/* ---- CSV -------------------------------------------------------------------------------------------------
 */

static const char *const sums[] = {"in",
                                   "calls",
                                   "out",
                                   "automatic",
                                   "by_person",
                                   "segments",
                                   "cost_micros",
                                   "delivered",
                                   "undelivered",
                                   "failed",
                                   "opt_outs",
                                   "opt_ins",
                                   "opened",
                                   "reopened",
                                   "closed",
                                   "spam",
                                   "overdue",
                                   "asked",
                                   "answered",
                                   "automatic_share",
                                   "delivery_rate",
                                   "survey_response_rate",
                                   "satisfied",
                                   "mean_score",
                                   "nps"};
static const char *const times[] = {"first_response", "next_response", "resolution", "full_resolution"};
static const char *const spreads[] = {"count", "median_s", "p90_s", "business_median_s", "business_p90_s"};

static void put_header(struct buf *out, const char *by)
{
    csv_put(out, true, by);
    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        csv_put(out, false, sums[i]);
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        for (size_t k = 0; k < ARRAY_LEN(spreads); k++) {
            char name[64];

            snprintf(name, sizeof name, "%s_%s", times[i], spreads[k]);
            csv_put(out, false, name);
        }
    csv_end_record(out);
}

/* With all its digits; nothing where it was not measured. */
static void put_number(struct buf *out, const json_t *v)
{
    char text[32] = "";

    if (json_is_integer(v))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        snprintf(text, sizeof text, "%.9g", json_real_value(v));
    csv_put(out, false, text);
}

static void put_row(struct buf *out, const char *key, const json_t *row)
{
    csv_put(out, true, key);
    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        put_number(out, json_object_get(row, sums[i]));
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        for (size_t k = 0; k < ARRAY_LEN(spreads); k++)
            put_number(out, json_object_get(json_object_get(row, times[i]), spreads[k]));
    csv_end_record(out);
}

static void print_csv(const json_t *answer)
{
    const json_t *row;
    struct buf out = {0};
    size_t i;

    put_header(&out, member_text(answer, "by"));
    json_array_foreach(json_object_get(answer, "rows"), i, row) put_row(&out, member_text(row, "key"), row);
    put_row(&out, "total", json_object_get(answer, "total"));
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

/* ---- the command -----------------------------------------------------------------------------------------
 */

static bool take_flag(struct invocation *v, const char *name)
{
    bool set = json_is_true(json_object_get(v->args, name));

    json_object_del(v->args, name);
    return set;
}

static int run_stats(struct invocation *v)
{
    bool csv = take_flag(v, "csv"), by = json_object_get(v->args, "by") != NULL;
    struct err e = {0};
    json_t *answer = NULL;
    int status;

    if (csv && v->json) {
        err_set(&e, ERR_INVALID, "--csv or --json expected, not both");
        return tell_usage(v->command, true, &e);
    }
    if (!by && !v->json)
        json_object_set_new(v->args, "by", json_string(csv ? "day" : "auto"));
    status = ask(v, "stats", v->args, &answer, &e);
    if (status != CLI_DONE)
        tell_failure(v, status, &e, answer);
    else if (v->json)
        print_json(answer);
    else if (csv)
        print_csv(answer);
    else if (by)
        view_stats_table(answer);
    else
        view_stats(answer);
    json_decref(answer);
    return status;
}

static const char *const periods[] = {"none", "day", "week", "month", "department", "person", "sim", NULL};

static const struct option stats_options[] = {
    {"since", ARG_DAY, "TIME", "since", "from this day on; 30d is thirty days ago, and when nothing is said",
     NULL, NULL, false},
    {"until", ARG_DAY, "TIME", "until", "to the day before this time's, or to this time", NULL, NULL, false},
    {"by", ARG_CHOICE, "WHAT", "by", "a row each: day, week, month, department, person, sim", NULL, periods,
     false},
    {"department", ARG_DEPARTMENT, "NAME", "department", "of this department only", NULL, NULL, false},
    {"person", ARG_PERSON, "NAME", "person", "of this person only", NULL, NULL, false},
    {"modem", ARG_MODEM, "NAME", "modem", "of this modem's SIM only", NULL, NULL, false},
    {"csv", ARG_TRUE, NULL, "csv", "for a spreadsheet; times in seconds", NULL, NULL, false},
    END};

const struct command stats_commands[] = {
    {.name = "stats",
     .summary = "how well it goes: messages, answers, satisfaction, objectives",
     .options = stats_options,
     .timeout_ms = ORDINARY_MS,
     .run = run_stats,
     .details =
         "Whole days of the business's time zone. First responses are those of people; median and the time\n"
         "within which nine of ten were given, by the calendar and in opening hours (simgate-desk(7), "
         "FIGURES)."},
    END};
