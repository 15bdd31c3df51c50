/* Campaigns for people. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

static enum colour campaign_colour(const char *state)
{
    static const struct {
        const char *state;
        enum colour colour;
    } table[] = {{"draft", DIM}, {"running", CYAN}, {"paused", YELLOW}, {"done", GREEN}, {"stopped", RED}};

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (!strcmp(table[i].state, state))
            return table[i].colour;
    return PLAIN;
}

static void say_count(const char *label, const json_t *object, const char *name)
{
    const json_t *n = json_object_get(object, name);

    if (n && json_integer_value(n) != 0)
        say_field(label, member_text(object, name));
}

/* "2 h 5 min" */
static const char *seconds_text(int64_t s, char out[40])
{
    if (s < 120)
        snprintf(out, 40, "%lld s", (long long)s);
    else if (s < 7200)
        snprintf(out, 40, "%lld min", (long long)(s + 59) / 60);
    else
        snprintf(out, 40, "%lld h %lld min", (long long)(s / 3600), (long long)(s % 3600 / 60));
    return out;
}

static void say_cost(const json_t *object)
{
    double cost = json_number_value(json_object_get(object, "cost"));
    char text[40];

    snprintf(text, sizeof text, "%.2f", cost);
    if (cost > 0)
        say_field("cost", text);
}

void view_campaign_preview(const json_t *answer)
{
    const json_t *seconds = json_object_get(answer, "seconds"), *sample;
    char text[64];
    size_t i;

    say_field("recipients", member_text(answer, "recipients"));
    say_field("get it", member_text(answer, "go"));
    say_count("opted out", answer, "opted_out");
    say_count("never agreed", answer, "not_opted_in");
    say_count("not possible", answer, "unusable");
    say_field("because", member_text(answer, "why"));
    say_count("quiet hours now", answer, "deferred");
    snprintf(text, sizeof text, "%.20s, at most %.10s a message", member_text(answer, "segments"),
             member_text(answer, "segments_most"));
    say_field("segments", text);
    say_cost(answer);
    say_field("time needed", seconds ? seconds_text(json_integer_value(seconds), text)
                                     : "not known: no modem is ready for it");
    json_array_foreach(json_object_get(answer, "samples"), i, sample)
    {
        struct buf safe = {0};

        text_safe(&safe, member_text(sample, "text"), false);
        say(PLAIN, "%s", "");
        say(BOLD, "to %s (%s)", member_text(sample, "to"), member_text(sample, "segments"));
        say(PLAIN, "%s", buf_str(&safe));
        buf_free(&safe);
    }
}

void view_campaign_state(const json_t *answer)
{
    const char *state = member_text(answer, "state");

    say(campaign_colour(state), "campaign %s is %s", member_text(answer, "campaign"), state);
}

static void say_result(const json_t *c)
{
    static const struct column columns[] = {{"RESULT", false}, {"RECIPIENTS", true}};
    const json_t *messages = json_object_get(c, "messages");
    struct table t;
    const char *state;
    json_t *n;

    table_begin(&t, columns, ARRAY_LEN(columns));
    if (json_integer_value(json_object_get(c, "waiting"))) {
        table_cell(&t, DIM, "waiting");
        table_cell(&t, PLAIN, member_text(c, "waiting"));
    }
    json_object_foreach((json_t *)(uintptr_t)messages, state, n)
    {
        table_cell(&t, state_colour(state), state);
        table_cell(&t, PLAIN, member_text(messages, state));
    }
    if (json_integer_value(json_object_get(c, "refused"))) {
        table_cell(&t, YELLOW, "refused");
        table_cell(&t, PLAIN, member_text(c, "refused"));
    }
    table_print(&t);
    (void)n;
}

void view_campaign(const json_t *answer)
{
    static const char *const fields[] = {"state", "reason", "audience", "proof", "modem", "pool", "who"};
    const json_t *c = json_object_get(answer, "campaign"), *refusal;
    size_t i;

    say_field("campaign", member_text(c, "id"));
    say_field("name", member_text(c, "name"));
    say_field("text", member_text(c, "text"));
    for (size_t k = 0; k < ARRAY_LEN(fields); k++)
        say_field(fields[k], member_text(c, fields[k]));
    say_count("rate a minute", c, "rate");
    say_field("not before", member_time(c, "at"));
    say_field("created", member_time(c, "created"));
    say_field("started", member_time(c, "started"));
    say_field("ended", member_time(c, "ended"));
    say_field("recipients", member_text(c, "recipients"));
    say_count("segments", c, "segments");
    say_cost(c);
    say(PLAIN, "%s", "");
    say_result(c);
    json_array_foreach(json_object_get(c, "refusals"), i, refusal)
    {
        struct buf safe = {0};

        text_safe(&safe, member_text(refusal, "reason"), false);
        say(DIM, "refused %s: %s", member_text(refusal, "count"), buf_str(&safe));
        buf_free(&safe);
    }
}

void view_campaigns(const json_t *answer)
{
    static const struct column columns[] = {{"ID", true},      {"STATE", false},  {"CREATED", false},
                                            {"ALL", true},     {"WAITING", true}, {"ACCEPTED", true},
                                            {"REFUSED", true}, {"NAME", false}};
    static const char *const counts[] = {"recipients", "waiting", "accepted", "refused"};
    const char *before = member_text(answer, "before");
    struct table t;
    const json_t *c;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "campaigns"), i, c)
    {
        const char *state = member_text(c, "state");

        table_cell(&t, PLAIN, member_text(c, "id"));
        table_cell(&t, campaign_colour(state), state);
        table_cell(&t, PLAIN, member_time(c, "created"));
        for (size_t k = 0; k < ARRAY_LEN(counts); k++)
            table_cell(&t, PLAIN, member_text(c, counts[k]));
        table_cell(&t, PLAIN, member_text(c, "name"));
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "no campaigns");
    if (*before && text_terminal_width())
        say(DIM, "more: --before %s", before);
}

void view_campaign_recipients(const json_t *answer)
{
    static const struct column columns[] = {
        {"NUMBER", false}, {"STATE", false}, {"MESSAGE", true}, {"REASON", false}};
    const char *after = member_text(answer, "after");
    struct table t;
    const json_t *r;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "recipients"), i, r)
    {
        const char *state = member_text(r, "state");

        table_cell(&t, PLAIN, member_text(r, "number"));
        table_cell(&t, state_colour(state), state);
        table_cell(&t, PLAIN, member_text(r, "message"));
        table_cell(&t, PLAIN, member_text(r, "reason"));
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "no recipients");
    if (*after && text_terminal_width())
        say(DIM, "more: --after %s", after);
}
