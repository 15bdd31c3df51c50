/* Rules and templates: what their commands check, and what people see. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

/* ---- rules test ---- */

static bool given(const struct invocation *v, const char *field)
{
    return json_object_get(v->args, field) != NULL;
}

int run_rules_test(struct invocation *v)
{
    const char *on = json_string_value(json_object_get(v->args, "on"));
    bool message = !on || !strcmp(on, "message"), call = given(v, "call");
    struct err e = {0};

    if (call && (given(v, "text") || given(v, "from") || on))
        err_set(&e, ERR_INVALID, "--call stands alone: a call has no text");
    else if (!call && message && !given(v, "from"))
        err_set(&e, ERR_INVALID, "--from NUMBER is missing, or --call NUMBER");
    else if (!call && message && !given(v, "text"))
        err_set(&e, ERR_INVALID, "TEXT is missing");
    return e.code ? tell_usage(v->command, v->json, &e) : run_request(v);
}

static void say_message(const json_t *m)
{
    const char *segments = member_text(m, "segments");
    struct buf text = {0};

    text_safe(&text, member_text(m, "text"), false);
    say(GREEN, "to %-14s %s%s%s%s", member_text(m, "to"), buf_str(&text), *segments ? "  [" : "", segments,
        *segments ? strcmp(segments, "1") ? " segments]" : " segment]" : "");
    buf_free(&text);
}

void view_rules_test(const json_t *answer)
{
    const json_t *line;
    size_t i;

    json_array_foreach(json_object_get(answer, "why"), i, line) say(DIM, "%s", json_string_value(line));
    putchar('\n');
    say_field("sender", member_text(answer, "from"));
    say_field("handled by", member_text(answer, "handler"));
    say_field("rule", member_text(answer, "rule"));
    say_field("result", member_text(answer, "reason"));
    json_array_foreach(json_object_get(answer, "effects"), i, line)
        say_field(i == 0 ? "changes" : "", json_string_value(line));
    if (json_object_get(answer, "reply"))
        say(GREEN, "reply            %s", member_text(answer, "reply"));
    else
        say(YELLOW, "no reply");
    json_array_foreach(json_object_get(answer, "messages"), i, line) say_message(line);
}

/* ---- rules check ---- */

void view_rules_check(const json_t *answer)
{
    const json_t *line;
    size_t i;

    json_array_foreach(json_object_get(answer, "warnings"), i, line)
        say(YELLOW, "%s", json_string_value(line));
    json_array_foreach(json_object_get(answer, "failures"), i, line) say(RED, "%s", json_string_value(line));
    if (strcmp(member_text(answer, "failed"), "0") != 0)
        say(RED, "%s of %s tests failed", member_text(answer, "failed"), member_text(answer, "tests"));
    else
        say(GREEN, "%s tests passed%s", member_text(answer, "tests"),
            json_array_size(json_object_get(answer, "warnings")) ? "" : ", nothing to warn of");
}

int status_of_rules_check(const json_t *answer)
{
    return json_integer_value(json_object_get(answer, "failed")) > 0 ? CLI_FAILED : CLI_DONE;
}

/* ---- templates ---- */

void view_templates(const json_t *answer)
{
    static const struct column columns[] = {
        {"TEMPLATE", false}, {"LANGUAGE", false}, {"FROM", false}, {"SEGMENTS", true}, {"TEXT", false}};
    struct table t;
    const json_t *row;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "templates"), i, row)
    {
        json_int_t most = json_integer_value(json_object_get(row, "max_segments"));
        bool hidden = json_is_true(json_object_get(row, "hidden"));
        bool long_one = most > 0 && json_integer_value(json_object_get(row, "segments")) > most;

        table_cell(&t, BOLD, member_text(row, "template"));
        table_cell(&t, PLAIN, member_text(row, "language"));
        table_cell(&t, hidden ? DIM : PLAIN, hidden ? "store, hidden" : member_text(row, "from"));
        table_cell(&t, long_one ? YELLOW : PLAIN, member_text(row, "segments"));
        table_cell(&t, hidden ? DIM : PLAIN, member_text(row, "text"));
    }
    if (json_array_size(json_object_get(answer, "templates")) == 0)
        say(DIM, "no templates");
    table_print(&t);
}

void view_template(const json_t *answer)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(answer, "templates"), i, row)
    {
        if (i > 0)
            putchar('\n');
        say_field("template", member_text(row, "template"));
        say_field("language", member_text(row, "language"));
        say_field("from", member_text(row, "from"));
        say_field("segments", member_text(row, "segments"));
        say_field("at most", member_text(row, "max_segments"));
        say_field("by", member_text(row, "who"));
        say_field("changed", json_object_get(row, "changed") ? member_time(row, "changed") : "");
        say_field("text", member_text(row, "text"));
        if (json_is_true(json_object_get(row, "hidden")))
            say(YELLOW, "gateway.conf has one of this name: that one is used");
    }
}

void view_template_put(const json_t *answer)
{
    const char *segments = member_text(answer, "segments");

    say(GREEN, "template %s%s%s is stored", member_text(answer, "template"),
        *member_text(answer, "language") ? " in " : "", member_text(answer, "language"));
    if (*segments)
        say(PLAIN, "its longest form takes %s segment%s", segments, strcmp(segments, "1") ? "s" : "");
    if (json_is_true(json_object_get(answer, "hidden")))
        say(YELLOW, "gateway.conf has one of this name: that one is used");
}

void view_template_removed(const json_t *answer)
{
    say(PLAIN, "template %s%s%s is removed", member_text(answer, "template"),
        *member_text(answer, "language") ? " in " : "", member_text(answer, "language"));
}

void view_template_preview(const json_t *answer)
{
    struct buf text = {0};

    text_safe(&text, member_text(answer, "text"), true);
    say(PLAIN, "%s", buf_str(&text));
    buf_free(&text);
    putchar('\n');
    say_field("to", member_text(answer, "to"));
    say_field("segments", member_text(answer, "segments"));
    say_field("problem", member_text(answer, "problem"));
}
