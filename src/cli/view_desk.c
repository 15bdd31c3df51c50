/* Conversations for people: the list, one with its timeline, and what an operation did. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static enum colour conversation_colour(const char *state)
{
    static const struct {
        const char *state;
        enum colour colour;
    } table[] = {{"new", YELLOW},  {"open", CYAN},  {"waiting", PLAIN},
                 {"snoozed", DIM}, {"closed", DIM}, {"spam", DIM}};

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (!strcmp(table[i].state, state))
            return table[i].colour;
    return PLAIN;
}

/* The customer's name, or number. */
static const char *customer(const json_t *c)
{
    const char *name = member_text(c, "name");

    return *name ? name : member_text(c, "number");
}

/* "!" late, "?" flagged, and how urgent. */
static const char *marks_of(const json_t *c, char out[24])
{
    const char *priority = member_text(c, "priority");

    snprintf(out, 24, "%s%s%s", is_true(c, "overdue") ? "!" : "", is_true(c, "flagged") ? "?" : "",
             !strcmp(priority, "urgent") ? "↑↑"
             : !strcmp(priority, "high") ? "↑"
             : !strcmp(priority, "low")  ? "↓"
                                         : "");
    return out;
}

void view_conversations(const json_t *answer)
{
    static const struct column columns[] = {
        {"ID", true},        {"", false},           {"STATE", false},    {"WAITING SINCE", false},
        {"CUSTOMER", false}, {"DEPARTMENT", false}, {"ASSIGNED", false}, {"TITLE", false}};
    const char *after = member_text(answer, "after");
    struct table t;
    const json_t *c;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "conversations"), i, c)
    {
        const char *state = member_text(c, "state");
        char marks[24];

        table_cell(&t, PLAIN, member_text(c, "id"));
        table_cell(&t, is_true(c, "overdue") ? RED : YELLOW, marks_of(c, marks));
        table_cell(&t, conversation_colour(state), state);
        table_cell(&t, PLAIN, member_time(c, "waiting_since"));
        table_cell(&t, PLAIN, customer(c));
        table_cell(&t, PLAIN, member_text(c, "department"));
        table_cell(&t, PLAIN, member_text(c, "assignee"));
        table_cell(&t, PLAIN, member_text(c, "title"));
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "no conversations");
    if (*after && text_terminal_width())
        say(DIM, "more: --after %s", after);
}

/* ---- one ---- */

static void say_clocks(const json_t *c)
{
    static const char *const clocks[][2] = {
        {"first", "first response"}, {"next", "next response"}, {"resolution", "resolution"}};

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        const char *due = member_time(json_object_get(c, "due"), clocks[i][0]);
        const char *late = member_time(json_object_get(c, "late"), clocks[i][0]);
        char text[96];

        if (*late && *due) {
            say(RED, "! %s is late: it was due %s", clocks[i][1], due);
        } else if (*late) {
            say_field("was late", clocks[i][1]);
        } else if (*due) {
            snprintf(text, sizeof text, "%s by %s", clocks[i][1], due);
            say_field("due", text);
        }
    }
}

static void say_survey(const json_t *survey)
{
    char text[160];

    if (!survey)
        return;
    if (*member_text(survey, "score"))
        snprintf(text, sizeof text, "%s, at %s", member_text(survey, "score"),
                 member_time(survey, "answered"));
    else
        snprintf(text, sizeof text, "asked at %s", member_time(survey, "asked"));
    say_field("survey", text);
}

static void say_head(const json_t *c)
{
    static const char *const texts[] = {"priority", "department", "assignee", "modem"};
    static const struct {
        const char *field, *label;
    } times[] = {{"created", "since"},
                 {"waiting_since", "waiting since"},
                 {"snoozed_until", "snoozed until"},
                 {"closed", "closed"}};
    const char *state = member_text(c, "state"), *name = member_text(c, "name");

    say(BOLD, "#%s %s%s%s", member_text(c, "id"), name, *name ? ", " : "", member_text(c, "number"));
    say(conversation_colour(state), "%s", state);
    if (is_true(c, "flagged"))
        say(YELLOW, "? a person should look at it");
    say_clocks(c);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        say_field(texts[i], member_text(c, texts[i]));
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        say_field(times[i].label, member_time(c, times[i].field));
    say_survey(json_object_get(c, "survey"));
}

/* Text of several lines stands below its head, each line moved in. */
static void say_text(const char *text)
{
    struct buf lines = {0};

    buf_adds(&lines, "    ");
    for (const char *p = text; *p; p++) {
        buf_addc(&lines, *p);
        if (*p == '\n')
            buf_adds(&lines, "    ");
    }
    say(PLAIN, "%s", buf_str(&lines));
    buf_free(&lines);
}

/* "sent" and "delivered" go without saying. */
static const char *trouble_of(const json_t *message)
{
    const char *state = member_text(message, "state");

    return !strcmp(state, "handled") || !strcmp(state, "received") || !strcmp(state, "sent") ||
                   !strcmp(state, "delivered")
               ? ""
               : state;
}

static void say_entry(const json_t *c, const json_t *entry)
{
    const char *kind = member_text(entry, "kind"), *at = member_time(entry, "at"),
               *who = member_text(entry, "who");
    const json_t *message = json_object_get(entry, "message");
    const char *trouble = trouble_of(message), *text = member_text(message, "text");

    if (!strcmp(kind, "in") || !strcmp(kind, "call")) {
        say(CYAN, "%s ← %s%s", at, customer(c), *kind == 'c' ? " called" : "");
    } else if (!strcmp(kind, "out")) {
        say(GREEN, "%s → %s%s%s", at,
            is_true(entry, "automatic") ? "automatic reply"
            : *who                      ? who
                                        : "simgate",
            *trouble ? ": " : "", trouble);
    } else if (!strcmp(kind, "note")) {
        say(YELLOW, "%s note of %s", at, *who ? who : "simgate");
        text = member_text(entry, "text");
    } else {
        const char *what = member_text(entry, "what"), *to = member_text(entry, "text");

        if (!*to && (!strcmp(what, "assign") || !strcmp(what, "department")))
            to = !strcmp(what, "assign") ? "nobody" : "none";
        say(DIM, "%s   %s%s%s%s%s", at, what, *to ? " " : "", to, *who ? ", by " : "", who);
    }
    if (*text)
        say_text(text);
}

void view_conversation(const json_t *answer)
{
    const json_t *c = json_object_get(answer, "conversation"), *entry;
    const char *before = member_text(answer, "before");
    size_t i;

    say_head(c);
    putchar('\n');
    if (*before)
        say(DIM, "what was before: --before %s", before);
    json_array_foreach(json_object_get(answer, "timeline"), i, entry) say_entry(c, entry);
}

void view_operation(const json_t *answer)
{
    const char *message = member_text(answer, "message");

    say(PLAIN, "#%s %s%s%s", member_text(answer, "conversation"), member_text(answer, "done"),
        *message ? ", message " : "", message);
}
