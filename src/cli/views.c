/* Answers for people. Each view shows one kind of answer; what is missing in it is left out. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

/* ---- status, modems ---- */

/* What the last column tells of a modem: its alarms, or why it is not ready. */
static const char *trouble_of(const json_t *modem, char out[200])
{
    size_t n = 0;
    const char *name;
    json_t *alarm;

    out[0] = '\0';
    json_object_foreach(json_object_get(modem, "alarms"), name, alarm)
    {
        if (n < 200)
            n += (size_t)snprintf(out + n, 200 - n, "%s%s", n ? "; " : "", member_text(alarm, "text"));
    }
    if (n == 0 && strcmp(member_text(modem, "state"), "ready"))
        snprintf(out, 200, "%s", member_text(modem, "reason"));
    return out;
}

static const char *signal_text(const json_t *modem, char out[24])
{
    const char *dbm = member_text(modem, "signal_dbm");

    snprintf(out, 24, *dbm ? "%s dBm" : "%s", dbm);
    return out;
}

/* "soft-reset 1, replug 2" */
static void say_recoveries(json_t *by)
{
    struct buf text = {0};
    const char *rung;
    json_t *n;

    json_object_foreach(by, rung, n)
    {
        buf_addf(&text, "%s%s %d", text.len ? ", " : "", rung, (int)json_integer_value(n));
    }
    say_field("recovered by", buf_str(&text));
    buf_free(&text);
}

static bool any_balance(const json_t *modems)
{
    const json_t *m;
    size_t i;

    json_array_foreach(modems, i, m)
    {
        if (json_object_get(m, "balance"))
            return true;
    }
    return false;
}

static void modems_table(const json_t *list)
{
    static const struct column balance = {"BALANCE", true};
    static const struct column columns[] = {{"MODEM", false},  {"STATE", false}, {"OPERATOR", false},
                                            {"SIGNAL", true},  {"QUEUE", true},  {"TODAY", true},
                                            {"NUMBER", false}, {"SINCE", false}, {"REASON", false}};
    enum { COLUMNS = ARRAY_LEN(columns), BEHIND = 6 };
    struct column all[COLUMNS + 1];
    bool balances = any_balance(list);
    struct table t;
    const json_t *m;
    size_t i;

    memcpy(all, columns, sizeof columns);
    if (balances) {
        memmove(all + BEHIND + 1, all + BEHIND, (COLUMNS - BEHIND) * sizeof all[0]);
        all[BEHIND] = balance;
    }
    table_begin(&t, all, COLUMNS + balances);
    json_array_foreach(list, i, m)
    {
        const char *state = member_text(m, "state");
        char dbm[24], amount[32], trouble[200];

        table_cell(&t, PLAIN, member_text(m, "name"));
        table_cell(&t, state_colour(state), state);
        table_cell(&t, PLAIN, member_text(m, "operator"));
        table_cell(&t, PLAIN, signal_text(m, dbm));
        table_cell(&t, PLAIN, member_text(m, "queue"));
        table_cell(&t, PLAIN, member_text(m, "sent_today"));
        if (balances)
            table_cell(&t, PLAIN, amount_text(json_object_get(m, "balance"), amount));
        table_cell(&t, PLAIN, member_text(m, "number"));
        table_cell(&t, PLAIN, member_time(m, "since"));
        table_cell(&t, PLAIN, trouble_of(m, trouble));
    }
    table_print(&t);
}

static void say_balance(const json_t *b)
{
    char amount[32];

    if (!b)
        return;
    say_field("balance", amount_text(b, amount));
    say_field("balance told", member_text(b, "text"));
    say_field("balance at", member_time(b, "at"));
}

static void one_modem(const json_t *m)
{
    static const char *const fields[] = {
        "name",  "pool",      "state",    "reason",      "port",         "manufacturer",
        "model", "revision",  "profile",  "profile_why", "hint",         "iccid",
        "imei",  "imsi",      "number",   "operator",    "registration", "signal_dbm",
        "smsc",  "pin_tries", "receive",  "queue",       "sent_today",   "sent_this_month",
        "sent",  "failed",    "received", "reports",     "recoveries",   "seconds_per_part",
        "share"};
    const char *name;
    json_t *alarm;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        char label[32];

        str_copy(label, sizeof label, fields[i]);
        for (char *p = label; *p; p++)
            if (*p == '_')
                *p = ' ';
        say_field(label, member_text(m, fields[i]));
    }
    say_balance(json_object_get(m, "balance"));
    say_field("since", member_time(m, "since"));
    say_recoveries(json_object_get(m, "recoveries_by"));
    say_field("last exchange", member_time(m, "last_exchange"));
    json_object_foreach(json_object_get(m, "alarms"), name, alarm)
    {
        say(RED, "! %s since %s: %s", name, member_time(alarm, "since"), member_text(alarm, "text"));
    }
}

static void modem_line(const json_t *m)
{
    const json_t *line;
    size_t i;

    json_array_foreach(json_object_get(m, "line"), i, line)
    {
        if (i == 0)
            say(BOLD, "\n%s", member_text(m, "name"));
        say(DIM, "  %s", json_string_value(line));
    }
}

void view_modems(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "modems"), *m;
    size_t i;

    if (json_object_get(answer, "modem")) /* it was asked for */
        one_modem(json_array_get(list, 0));
    else
        modems_table(list);
    json_array_foreach(list, i, m) modem_line(m);
}

int status_of_health(const json_t *answer)
{
    return json_is_true(json_object_get(answer, "healthy")) ? CLI_DONE : CLI_FAILED;
}

/* "3 waiting, 1 held" of an object of numbers; those that are 0 are left out, but the first. */
static void say_numbers(const char *label, const json_t *object)
{
    struct buf text = {0};
    const char *name;
    json_t *n;

    json_object_foreach((json_t *)object, name, n)
    {
        if (json_integer_value(n) == 0)
            continue;
        buf_addf(&text, "%s%lld ", text.len ? ", " : "", (long long)json_integer_value(n));
        for (const char *p = name; *p; p++)
            buf_addc(&text, *p == '_' ? ' ' : *p);
    }
    say_field(label, text.len ? buf_str(&text) : "nothing");
    buf_free(&text);
}

static void say_handlers(const json_t *list)
{
    int down = 0;
    const json_t *h;
    char text[64];
    size_t i;

    json_array_foreach(list, i, h) down += json_is_true(json_object_get(h, "down"));
    snprintf(text, sizeof text, "%d well, %d down", (int)i - down, down);
    if (i > 0)
        say_field("handlers", text);
}

static void say_holds(const json_t *list)
{
    const json_t *h;
    size_t i;

    json_array_foreach(list, i, h)
    {
        json_int_t n = json_integer_value(json_object_get(h, "messages"));

        say(YELLOW, "%lld message%s held since %s: %s", (long long)n, n == 1 ? "" : "s",
            member_time(h, "since"), member_text(h, "reason"));
    }
}

void view_status(const json_t *answer)
{
    const json_t *problems = json_object_get(answer, "problems"), *p;
    const json_t *holds = json_object_get(answer, "holds");
    size_t i;

    say(BOLD, "simgated %s, running since %s, %s", member_text(answer, "version"),
        member_time(answer, "started"), member_text(answer, "configuration"));
    putchar('\n');
    modems_table(json_object_get(answer, "modems"));
    putchar('\n');
    say_handlers(json_object_get(answer, "handlers"));
    say_numbers("queue", json_object_get(answer, "queue"));
    say_numbers("since start", json_object_get(answer, "since_start"));
    say_numbers("stored", json_object_get(answer, "messages"));
    putchar('\n');
    json_array_foreach(problems, i, p) say(RED, "! %s", json_string_value(p));
    say_holds(holds);
    if (json_array_size(problems) == 0)
        say(GREEN, json_array_size(holds) ? "All else is well." : "All is well.");
}

/* ---- messages, show ---- */

static bool is_call(const json_t *message)
{
    const json_t *f;
    size_t i;

    json_array_foreach(json_object_get(message, "flags"), i, f)
    {
        if (!strcmp(json_string_value(f), "call"))
            return true;
    }
    return false;
}

void view_messages(const json_t *answer)
{
    static const struct column columns[] = {{"ID", true},      {"TIME", false},  {"", false},
                                            {"NUMBER", false}, {"STATE", false}, {"PARTS", true},
                                            {"TEXT", false}};
    const char *before = member_text(answer, "before");
    struct table t;
    const json_t *m;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(json_object_get(answer, "messages"), i, m)
    {
        const char *state = member_text(m, "state");

        table_cell(&t, PLAIN, member_text(m, "id"));
        table_cell(&t, DIM, member_time(m, "created"));
        table_cell(&t, PLAIN, !strcmp(member_text(m, "direction"), "in") ? "←" : "→");
        table_cell(&t, PLAIN, member_text(m, "peer"));
        table_cell(&t, state_colour(state), state);
        table_cell(&t, PLAIN, member_text(m, "parts"));
        table_cell(&t, PLAIN, is_call(m) ? "(call)" : member_text(m, "text"));
    }
    table_print(&t);
    if (i == 0)
        say(DIM, "no messages");
    if (*before && text_terminal_width())
        say(DIM, "older ones: --before %s", before);
}

static void say_flags(const json_t *flags)
{
    struct buf text = {0};
    const json_t *f;
    size_t i;

    json_array_foreach(flags, i, f) buf_addf(&text, "%s%s", i ? ", " : "", json_string_value(f));
    for (char *p = text.data; p && *p; p++)
        if (*p == '_')
            *p = ' ';
    say_field("flags", buf_str(&text));
    buf_free(&text);
}

static void parts_table(const json_t *list)
{
    static const struct column columns[] = {{"PART", true},     {"STATE", false},    {"MODEM", false},
                                            {"ATTEMPTS", true}, {"REFERENCE", true}, {"SENT", false},
                                            {"REPORTED", false}};
    struct table t;
    const json_t *p;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(list, i, p)
    {
        table_cell(&t, PLAIN, member_text(p, "part"));
        table_cell(&t, state_colour(member_text(p, "state")), member_text(p, "state"));
        table_cell(&t, PLAIN, member_text(p, "modem"));
        table_cell(&t, PLAIN, member_text(p, "attempts"));
        table_cell(&t, PLAIN, member_text(p, "reference"));
        table_cell(&t, PLAIN, member_time(p, "sent"));
        table_cell(&t, PLAIN, member_time(p, "reported"));
    }
    if (i > 0)
        putchar('\n');
    table_print(&t);
}

static void history_table(const json_t *list)
{
    static const struct column columns[] = {
        {"HISTORY", false}, {"PART", true}, {"STATE", false}, {"MODEM", false}, {"REASON", false}};
    struct table t;
    const json_t *h;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(list, i, h)
    {
        table_cell(&t, PLAIN, member_time(h, "at"));
        table_cell(&t, PLAIN, member_text(h, "part"));
        table_cell(&t, state_colour(member_text(h, "state")), member_text(h, "state"));
        table_cell(&t, PLAIN, member_text(h, "modem"));
        table_cell(&t, PLAIN, member_text(h, "reason"));
    }
    if (i > 0)
        putchar('\n');
    table_print(&t);
}

static void reports_table(const json_t *list)
{
    static const struct column columns[] = {
        {"REPORT", false}, {"REFERENCE", true}, {"RECIPIENT", false}, {"STATUS", true}, {"MEANING", false}};
    struct table t;
    const json_t *r;
    size_t i;

    table_begin(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(list, i, r)
    {
        table_cell(&t, PLAIN, member_time(r, "received"));
        table_cell(&t, PLAIN, member_text(r, "reference"));
        table_cell(&t, PLAIN, member_text(r, "recipient"));
        table_cell(&t, PLAIN, member_text(r, "status"));
        table_cell(&t, PLAIN, member_text(r, "status_text"));
    }
    if (i > 0)
        putchar('\n');
    table_print(&t);
}

void view_show(const json_t *answer)
{
    static const char *const texts[] = {"source", "modem", "pool", "imsi", "key", "priority", "reply_to"};
    static const char *const times[] = {"created", "due", "expires", "changed"};
    const json_t *m = json_object_get(answer, "message");
    const char *state = member_text(m, "state"), *reason = member_text(m, "reason");

    say(BOLD, "message %s %s %s", member_text(m, "id"),
        !strcmp(member_text(m, "direction"), "in") ? "from" : "to", member_text(m, "peer"));
    say(state_colour(state), "%s%s%s", state, *reason ? ": " : "", reason);
    putchar('\n');
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        say_field(times[i], member_time(m, times[i]));
    say_field("sent by it", member_time(m, "service_centre_time"));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        say_field(!strcmp(texts[i], "reply_to") ? "answers" : texts[i], member_text(m, texts[i]));
    say_flags(json_object_get(m, "flags"));
    say(PLAIN, "\n%s", member_text(m, "text"));
    parts_table(json_object_get(m, "part_list"));
    reports_table(json_object_get(m, "reports"));
    history_table(json_object_get(m, "history"));
}

/* ---- the short ones ---- */

void view_change(const json_t *answer)
{
    say(PLAIN, "message %s: %s", member_text(answer, "message"), member_text(answer, "state"));
}

void view_backup(const json_t *answer)
{
    say(PLAIN, "%s: %s bytes, complete", member_text(answer, "file"), member_text(answer, "bytes"));
}

void view_reload(const json_t *answer)
{
    (void)answer;
    say(PLAIN, "the configuration is in use");
}

void view_answer(const json_t *answer)
{
    say(PLAIN, "%s", member_text(answer, "answer"));
}

void view_unlock(const json_t *answer)
{
    (void)answer;
    say(PLAIN, "it tries again; simgate modems shows how it went");
}
