/* Customers, consent, people and handlers for people. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

/* "a, b" of a list of texts, in out. */
static const char *list_text(const json_t *list, struct buf *out)
{
    const json_t *one;
    size_t i;

    buf_clear(out);
    json_array_foreach(list, i, one) buf_addf(out, "%s%s", i ? ", " : "", json_string_value(one));
    return buf_str(out);
}

static void say_more(const json_t *answer)
{
    const char *after = member_text(answer, "after");

    if (*after && text_terminal_width())
        say(DIM, "more: --after %s", after);
}

static enum colour consent_colour(const char *state)
{
    return !strcmp(state, "out") ? RED : !strcmp(state, "in") ? GREEN : PLAIN;
}

/* ---- contacts ---- */

void view_contacts(const json_t *answer)
{
    static const struct column columns[] = {
        {"NUMBER", false}, {"NAME", false}, {"LANGUAGE", false}, {"CHANGED", false}, {"TAGS", false}};
    struct buf tags = {0};
    struct table t;
    const json_t *c;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "contacts"), i, c)
    {
        table_cell(&t, PLAIN, member_text(c, "number"));
        table_cell(&t, PLAIN, member_text(c, "name"));
        table_cell(&t, PLAIN, member_text(c, "language"));
        table_cell(&t, DIM, member_time(c, "changed"));
        table_cell(&t, PLAIN, list_text(json_object_get(c, "tags"), &tags));
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "no contacts");
    say_more(answer);
    buf_free(&tags);
}

void view_contact(const json_t *answer)
{
    const json_t *c = json_object_get(answer, "contact");
    const char *name = member_text(c, "name"), *consent = member_text(c, "consent"), *key;
    struct buf tags = {0};
    json_t *value;

    say(BOLD, "%s%s%s", name, *name ? ", " : "", member_text(c, "number"));
    if (*member_text(c, "consent_since"))
        say(consent_colour(consent), "opted %s since %s", consent, member_time(c, "consent_since"));
    say_field("other numbers", list_text(json_object_get(c, "other_numbers"), &tags));
    if (json_object_get(c, "other_numbers_out"))
        say(RED, "opted out: %s", list_text(json_object_get(c, "other_numbers_out"), &tags));
    say_field("language", member_text(c, "language"));
    say_field("time zone", member_text(c, "zone"));
    say_field("tags", list_text(json_object_get(c, "tags"), &tags));
    json_object_foreach(json_object_get(c, "attributes"), key, value)
    {
        struct buf label = {0};

        text_safe(&label, key, false);
        say_field(buf_str(&label), json_string_value(value));
        buf_free(&label);
    }
    say_field("since", member_time(c, "created"));
    say_field("conversations", member_text(c, "conversations"));
    say_field("open now", member_text(c, "conversation"));
    if (*member_text(c, "notes"))
        say(PLAIN, "\n%s", member_text(c, "notes"));
    buf_free(&tags);
}

void view_merged(const json_t *answer)
{
    say(PLAIN, "%s is a number of %s now; conversations that came along: %s", member_text(answer, "number"),
        member_text(answer, "into"), member_text(answer, "conversations"));
}

void view_erased(const json_t *answer)
{
    json_int_t others = json_integer_value(json_object_get(answer, "numbers")) - 1;
    char with[64] = "";

    if (others > 0)
        snprintf(with, sizeof with, " with %lld other number%s", (long long)others, others > 1 ? "s" : "");
    say(PLAIN, "%s%s: %s rows erased%s", member_text(answer, "number"), with, member_text(answer, "rows"),
        json_is_true(json_object_get(answer, "opt_out"))
            ? "; it had opted out: that stays known, without the number"
            : "");
}

/* ---- consent ---- */

static void consent_table(const json_t *list)
{
    static const struct column columns[] = {
        {"NUMBER", false}, {"CONSENT", false}, {"SINCE", false}, {"FOR", false}};
    struct table t;
    const json_t *c;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(list, i, c)
    {
        const char *state = member_text(c, "state"), *modem = member_text(c, "modem");

        table_cell(&t, PLAIN, member_text(c, "number"));
        table_cell(&t, consent_colour(state), state);
        table_cell(&t, PLAIN, member_time(c, "since"));
        table_cell(&t, PLAIN, *modem ? modem : "everything");
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "nobody opted in or out");
}

void view_consent_list(const json_t *answer)
{
    consent_table(json_object_get(answer, "consents"));
    say_more(answer);
}

void view_consent(const json_t *answer)
{
    static const struct column columns[] = {{"AT", false}, {"CONSENT", false}, {"FOR", false},
                                            {"BY", false}, {"MESSAGE", true},  {"WORDS", false}};
    const json_t *row;
    struct table t;
    size_t i;

    consent_table(json_object_get(answer, "consents"));
    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "ledger"), i, row)
    {
        const char *state = member_text(row, "state"), *modem = member_text(row, "modem");
        bool override = strcmp(member_text(row, "how"), "override") == 0;

        table_cell(&t, DIM, member_time(row, "at"));
        table_cell(&t, override ? YELLOW : consent_colour(state), override ? "sent in spite" : state);
        table_cell(&t, PLAIN, *modem ? modem : "everything");
        table_cell(&t, PLAIN, member_text(row, "who"));
        table_cell(&t, PLAIN, member_text(row, "message"));
        table_cell(&t, PLAIN, member_text(row, "words"));
    }
    if (i > 0)
        putchar('\n');
    table_print(&t);
}

/* ---- people ---- */

void view_people(const json_t *answer)
{
    static const struct column columns[] = {
        {"NAME", false}, {"NUMBER", false}, {"DUTY", false}, {"ROLE", false}, {"DEPARTMENTS", false}};
    struct buf departments = {0};
    struct table t;
    const json_t *p;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "people"), i, p)
    {
        bool on = json_is_true(json_object_get(p, "on_duty"));

        table_cell(&t, PLAIN, member_text(p, "name"));
        table_cell(&t, PLAIN, member_text(p, "number"));
        table_cell(&t, on ? GREEN : DIM, on ? "on duty" : "off");
        table_cell(&t, PLAIN, json_is_true(json_object_get(p, "lead")) ? "lead" : "");
        table_cell(&t, PLAIN, list_text(json_object_get(p, "departments"), &departments));
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "no people: gateway.conf has no \"people\"");
    buf_free(&departments);
}

void view_departments(const json_t *answer)
{
    static const struct column columns[] = {{"DEPARTMENT", false}, {"HOURS", false},    {"UNTIL", false},
                                            {"ON DUTY", true},     {"OPEN", true},      {"WAITING", true},
                                            {"OVERDUE", true},     {"UNASSIGNED", true}};
    struct table t;
    const json_t *d;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "departments"), i, d)
    {
        bool open = json_is_true(json_object_get(d, "open"));
        const char *name = member_text(d, "name"), *overdue = member_text(d, "overdue");

        table_cell(&t, PLAIN, *name ? name : "(none)");
        table_cell(&t, open ? GREEN : DIM, open ? "open" : "closed");
        table_cell(&t, PLAIN, member_time(d, open ? "closes" : "opens"));
        table_cell(&t, PLAIN, member_text(d, "on_duty"));
        table_cell(&t, PLAIN, member_text(d, "live"));
        table_cell(&t, PLAIN, member_text(d, "waiting"));
        table_cell(&t, strcmp(overdue, "0") != 0 ? RED : PLAIN, overdue);
        table_cell(&t, PLAIN, member_text(d, "unassigned"));
    }
    table_print(&t);
}

/* ---- handlers ---- */

void view_handlers(const json_t *answer)
{
    static const struct column columns[] = {{"HANDLER", false}, {"KIND", false},   {"HEALTH", false},
                                            {"ASKED", true},    {"FAILED", true},  {"LATE", true},
                                            {"LAST MS", true},  {"WAITING", true}, {"ERROR", false}};
    struct table t;
    const json_t *h;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "handlers"), i, h)
    {
        bool down = json_is_true(json_object_get(h, "down"));

        table_cell(&t, PLAIN, member_text(h, "name"));
        table_cell(&t, PLAIN, member_text(h, "kind"));
        table_cell(&t, down ? RED : GREEN, down ? "down" : "well");
        table_cell(&t, PLAIN, member_text(h, "asked"));
        table_cell(&t, PLAIN, member_text(h, "failed"));
        table_cell(&t, PLAIN, member_text(h, "late"));
        table_cell(&t, PLAIN, member_text(h, "last_ms"));
        table_cell(&t, PLAIN, member_text(h, "waiting"));
        table_cell(&t, PLAIN, member_text(h, "error"));
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "no handlers: gateway.conf has no \"handlers\"");
}

int status_of_handlers(const json_t *answer)
{
    const json_t *h;
    size_t i;

    json_array_foreach(json_object_get(answer, "handlers"), i,
                       h) if (json_is_true(json_object_get(h, "down"))) return CLI_FAILED;
    return CLI_DONE;
}

void view_deliveries(const json_t *answer)
{
    static const struct column columns[] = {{"ID", true},     {"HANDLER", false}, {"EVENT", false},
                                            {"SINCE", false}, {"TRIES", true},    {"NEXT", false},
                                            {"WHY", false}};
    struct table t;
    const json_t *d;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "deliveries"), i, d)
    {
        table_cell(&t, PLAIN, member_text(d, "id"));
        table_cell(&t, PLAIN, member_text(d, "handler"));
        table_cell(&t, PLAIN, member_text(d, "event"));
        table_cell(&t, DIM, member_time(d, "created"));
        table_cell(&t, PLAIN, member_text(d, "attempts"));
        table_cell(&t, PLAIN, member_time(d, "next"));
        table_cell(&t, PLAIN, member_text(d, "reason"));
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "nothing waits");
    say_more(answer);
}

void view_delivery_change(const json_t *answer)
{
    say(PLAIN, "delivery %s: %s", member_text(answer, "delivery"), member_text(answer, "done"));
}
