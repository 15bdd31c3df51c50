/* cli: the table of commands as a parser and as help; and that the manual page tells all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "tests/unit/cli/capture.h"

enum { WORDS_MAX = 16 };

struct parse {
    struct invocation v;
    struct err e;
    int rc;
};

/* Splits at blanks; '_' stands for a blank within a word. */
static struct parse parse(const char *line)
{
    static char copy[512];
    char *words[WORDS_MAX], *save = NULL;
    int count = 0, used;
    struct parse p = {0};

    str_copy(copy, sizeof copy, line);
    for (char *w = strtok_r(copy, " ", &save); w && count < WORDS_MAX; w = strtok_r(NULL, " ", &save)) {
        for (char *c = w; *c; c++)
            if (*c == '_')
                *c = ' ';
        words[count++] = w;
    }
    p.v.command = command_match(words, count, &used);
    assert_non_null(p.v.command);
    p.v.args = json_object();
    p.rc = options_parse(&p.v, count - used, words + used, &p.e);
    return p;
}

static void gives(const char *line, const char *wanted)
{
    struct parse p = parse(line);
    char *text = json_dumps(p.v.args, JSON_COMPACT | JSON_SORT_KEYS);

    if (p.rc < 0)
        fail_msg("%s: %s", line, p.e.text);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(p.v.args);
}

static void refuses(const char *line, const char *wanted)
{
    struct parse p = parse(line);

    assert_true(p.rc < 0);
    if (!strstr(p.e.text, wanted))
        fail_msg("%s: expected \"%s\" in \"%s\"", line, wanted, p.e.text);
    json_decref(p.v.args);
}

/* Commands of the desk: what is meant stands behind the verb; a conversation may be written as the relay
 * writes it. */
static void test_parse_desk(void **state)
{
    (void)state;
    gives("conversation 12", "{\"conversation\":12}");
    gives("conversation #12 --limit 5", "{\"conversation\":12,\"limit\":5}");
    gives("conversation reply #12 --as Anna We are on it",
          "{\"as\":\"Anna\",\"conversation\":12,\"text\":\"We are on it\"}");
    gives("conversation assign 12", "{\"conversation\":12}");
    gives("conversation snooze 12 tomorrow 09:00", "{\"conversation\":12,\"until\":\"tomorrow 09:00\"}");
    gives("conversations --unassigned --state new", "{\"state\":\"new\",\"unassigned\":true}");
    gives("contact 0170", "{\"number\":\"0170\"}");
    gives("contact set 0170 name=Anna_B plan=a=b x=",
          "{\"number\":\"0170\",\"set\":{\"name\":\"Anna B\",\"plan\":\"a=b\",\"x\":\"\"}}");
    gives("contact tag 0170 vip returns", "{\"number\":\"0170\",\"tags\":[\"vip\",\"returns\"]}");
    gives("contacts Anna B --tag vip", "{\"search\":\"Anna B\",\"tag\":\"vip\"}");
    gives("consent out 0170 --words stop_it", "{\"number\":\"0170\",\"words\":\"stop it\"}");
    refuses("conversation twelve", "ID: a conversation's number such as 12 expected");
    refuses("conversation priority 12 huge", "one of low, normal, high, urgent expected");
    refuses("contact set 0170 name", "NAME=VALUE expected, not \"name\"");
    refuses("contact set 0170", "NAME=VALUE is missing");
    refuses("conversation reply 12", "TEXT is missing");
}

/* Options and operands become the request's fields, in either writing and any order. */
static void test_parse(void **state)
{
    (void)state;
    gives("send --to 1,2 --to=3 Hello there", "{\"text\":\"Hello there\",\"to\":[\"1\",\"2\",\"3\"]}");
    gives("send Hello --to 1 --no-report", "{\"report\":false,\"text\":\"Hello\",\"to\":[\"1\"]}");
    gives("send --to 1 --at 2026-11-21T10:30:00+01:00 x",
          "{\"at\":\"2026-11-21T09:30:00Z\",\"text\":\"x\",\"to\":[\"1\"]}");
    gives("send --to 1 -- --text--", "{\"text\":\"--text--\",\"to\":[\"1\"]}");
    gives("send --to +49_170_123 x", "{\"text\":\"x\",\"to\":[\"+49 170 123\"]}");
    gives("messages --in --state failed --limit 3",
          "{\"direction\":\"in\",\"limit\":3,\"state\":\"failed\"}");
    gives("show 12", "{\"message\":12}");
    gives("modems", "{}");
    gives("at M0 AT+CSQ", "{\"command\":\"AT+CSQ\",\"modem\":\"M0\"}");
    gives("ussd M0 *100# --reply 1,2 --reply 3",
          "{\"code\":\"*100#\",\"modem\":\"M0\",\"replies\":[\"1\",\"2\",\"3\"]}");
    gives("rules test --call +491", "{\"call\":\"+491\"}");
    gives("rules test --from 1 is it open", "{\"from\":\"1\",\"text\":\"is it open\"}");
    gives("pdu decode 00 01", "{\"pdus\":[\"00\",\"01\"]}");
    gives("backup /a/b", "{\"file\":\"/a/b\"}");
}

/* What every command takes is not sent to the daemon. */
static void test_common(void **state)
{
    struct parse p = parse("status --json --socket /a/b --timeout 2m");

    (void)state;
    assert_int_equal(p.rc, 0);
    assert_true(p.v.json);
    assert_string_equal(p.v.socket, "/a/b");
    assert_int_equal(p.v.timeout_ms, 120000);
    assert_int_equal(json_object_size(p.v.args), 0);
    free(p.v.own_socket);
    json_decref(p.v.args);
}

/* A mistake is named with its option and what was expected. */
static void test_refuses(void **state)
{
    (void)state;
    refuses("send hello", "--to NUMBER is missing");
    refuses("send --to 1", "TEXT is missing");
    refuses("send --to", "--to: NUMBER is missing");
    refuses("send --to , x", "--to: something expected");
    refuses("send --to 1 --flash=1 x", "--flash takes no value");
    refuses("send --to 1 --fast x", "there is no option --fast");
    refuses("send --to 1 -x y", "there is no option -x");
    refuses("send --to 1 --at soon x", "--at: a time such as");
    refuses("send --to 1 --validity long x", "--validity: a duration such as");
    refuses("send --to 1 --priority top x", "--priority: one of low, normal, high expected");
    refuses("show twelve", "ID: a whole number from 1 expected");
    refuses("show 12 13", "\"13\" is too much");
    refuses("send --to 1 \xff\xfe", "UTF-8");
}

/* A time in the past is a duration ago, or the last such time of the day. */
static void test_past(void **state)
{
    struct parse p = parse("messages --since 2d");
    int64_t since, noon;

    (void)state;
    assert_int_equal(p.rc, 0);
    assert_true(wall_from_text(json_string_value(json_object_get(p.v.args, "since")), 0, &since));
    json_decref(p.v.args);
    p = parse("messages --since 12:00");
    assert_true(wall_from_text(json_string_value(json_object_get(p.v.args, "since")), 0, &noon));
    assert_true(noon > since && noon - since < 3 * INT64_C(86400000));
    json_decref(p.v.args);
}

static char *read_page(const char *path)
{
    FILE *f = fopen(path, "r");
    char *page = calloc(1, 100000);
    size_t n;

    if (!f)
        fail_msg("%s is missing", path);
    n = fread(page, 1, 99999, f);
    page[n] = '\0';
    fclose(f);
    return page;
}

static char *complete_words[WORDS_MAX + 1];
static int complete_count;

static void do_complete(void)
{
    run_complete(complete_count, complete_words);
}

/* The last word of the line is being written ("." for nothing yet). */
static void completes(const char *line, const char *wanted)
{
    static char copy[256], index[8];
    char *save = NULL;

    str_copy(copy, sizeof copy, line);
    complete_words[0] = index;
    complete_count = 1;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        complete_words[complete_count++] = w;
    if (!strcmp(complete_words[complete_count - 1], "."))
        complete_words[complete_count - 1] = index + 7;
    snprintf(index, sizeof index, "%d", complete_count - 2);
    assert_string_equal(printed(do_complete), wanted);
}

/* The shell is offered commands, second words, options and values, all from the table. */
static void test_complete(void **state)
{
    (void)state;
    completes("simgate s", "send\nshow\nstats\nstatus\n");
    completes("simgate p", "people\nprobe\npdu\n");
    completes("simgate pdu .", "decode\nencode\n");
    completes("simgate config c", "check\n");
    completes("simgate messages --s", "--state\n--since\n--socket\n");
    completes("simgate messages --in --state del", "delivered\n");
    completes("simgate send --to 1 --priority .", "low\nnormal\nhigh\n");
    completes("simgate help b", "balance\nbackup\n");
    completes("simgate conv", "conversations\nconversation\n");
    completes("simgate conversation re", "reply\nreopen\n");
    completes("simgate conversation priority 12 u", "urgent\n");
    completes("simgate conversations --state sp", "spam\n");
    completes("simgate contacts .", "import\nexport\nmerge\n");
    completes("simgate consent in 0170 --p", "--proof\n");
    completes("simgate nonsense .", "");
    completes("simgate --json campaign st", "start\nstop\n");
    completes("simgate --json --timeout 2s stats --by d", "day\ndepartment\n");
}

static json_t *answer;

static void view_it(void)
{
    command_find("show")->view(answer);
    command_find("messages")->view(answer);
    command_find("rules test")->view(answer);
}

static void view_desk(void)
{
    static const char *const names[] = {"conversations", "conversation", "conversation close",
                                        "contacts",      "contact",      "contacts merge",
                                        "consent",       "consent list", "people",
                                        "departments",   "handlers",     "deliveries"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        command_find(names[i])->view(answer);
}

/* No view lets through what a customer sent to obey a terminal. */
static void test_views_harmless(void **state)
{
    const char *evil = "\033]0;x\007\302\233", *out;

    (void)state;
    answer = json_pack("{s[{ssssss}]s{ssssssssss}sssss[s]}", "messages", "text", evil, "peer", evil, "state",
                       evil, "message", "text", evil, "peer", evil, "reason", evil, "source", evil, "state",
                       evil, "reply", evil, "from", evil, "why", evil);
    assert_non_null(answer);
    out = printed(view_it);
    assert_null(strpbrk(out, "\033\007"));
    assert_null(strstr(out, "\302\233"));
    assert_non_null(strstr(out, "\\x1b]0;x\\x07\\x9b"));
    json_decref(answer);
}

/* The same for what is shown of customers and people, wherever a text of theirs may stand. */
static void test_desk_views_harmless(void **state)
{
    const char *evil = "\033]0;x\007\302\233", *out;
    static const char *const objects[] = {"conversation", "contact"};
    static const char *const lists[] = {"conversations", "contacts",    "timeline", "consents",  "ledger",
                                        "people",        "departments", "handlers", "deliveries"};
    json_t *one = json_object();
    static const char *const texts[] = {
        "number",   "name",    "title", "department", "assignee", "modem",    "state",
        "priority", "text",    "who",   "what",       "kind",     "language", "zone",
        "notes",    "words",   "error", "event",      "handler",  "created",  "waiting_since",
        "at",       "consent", "id",    "done",       "into"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        json_object_set_new(one, texts[i], json_string(evil));
    json_object_set_new(one, "tags", json_pack("[s]", evil));
    json_object_set_new(one, "departments", json_pack("[s]", evil));
    json_object_set_new(one, "attributes", json_pack("{ss}", evil, evil));
    json_object_set_new(one, "message", json_pack("{ssss}", "text", evil, "state", evil));
    answer = json_copy(one);
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        json_object_set(answer, objects[i], one);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        json_object_set_new(answer, lists[i], json_pack("[O]", one));
    out = printed(view_desk);
    assert_null(strpbrk(out, "\033\007"));
    assert_null(strstr(out, "\302\233"));
    assert_non_null(strstr(out, "\\x1b]0;x\\x07\\x9b"));
    json_decref(answer);
    json_decref(one);
}

/* A conversation is read from top to bottom: what it is, then who wrote and did what. */
static void view_one(void)
{
    command_find("conversation")->view(answer);
}

static void test_conversation_view(void **state)
{
    const char *out;

    (void)state;
    answer = json_loads(
        "{\"conversation\": {\"id\": 12, \"state\": \"open\", \"number\": \"+4915112345678\", \"name\": "
        "\"Anna\","
        " \"flagged\": true, \"due\": {\"first\": \"2020-01-01T10:00:00Z\"}, \"late\": {\"first\": "
        "\"2020-01-01T10:00:01Z\", \"next\": \"2019-12-31T10:00:01Z\"}},"
        " \"timeline\": ["
        "  {\"kind\": \"in\", \"message\": {\"text\": \"Is it ready?\", \"state\": \"handled\"}},"
        "  {\"kind\": \"out\", \"automatic\": true, \"message\": {\"text\": \"We look\", \"state\": "
        "\"failed\"}},"
        "  {\"kind\": \"out\", \"who\": \"person:Ben\", \"message\": {\"text\": \"Yes\\nIt is\"}},"
        "  {\"kind\": \"note\", \"who\": \"ctl:root\", \"text\": \"calm\"},"
        "  {\"kind\": \"change\", \"what\": \"assign\", \"text\": \"\", \"who\": \"person:Ben\"},"
        "  {\"kind\": \"change\", \"what\": \"survey ask\", \"text\": \"\", \"who\": \"clock\"},"
        "  {\"kind\": \"change\", \"what\": \"assign\", \"text\": \"Ben\", \"who\": \"rule:blue\"}]}",
        0, NULL);
    assert_non_null(answer);
    out = printed(view_one);
    assert_non_null(strstr(out, "#12 Anna, +4915112345678\nopen\n? a person should look at it\n"
                                "! first response is late: it was due 2020-01-01"));
    assert_non_null(strstr(out, "was late         next response\n")); /* and was answered */
    assert_non_null(strstr(out, " ← Anna\n    Is it ready?\n"));
    assert_non_null(strstr(out, " → automatic reply: failed\n    We look\n"));
    assert_non_null(strstr(out, " → person:Ben\n    Yes\n    It is\n"));
    assert_non_null(strstr(out, " note of ctl:root\n    calm\n"));
    assert_non_null(strstr(out, "   assign Ben, by rule:blue\n"));
    assert_non_null(strstr(out, "   assign nobody, by person:Ben\n"));
    assert_non_null(strstr(out, "   survey ask, by clock\n"));
    json_decref(answer);
}

/* As a manual page writes it: a minus is not a hyphen. */
static void option_in_roff(const char *name, char *out, size_t size)
{
    struct buf text = {0};

    buf_adds(&text, "\\-\\-");
    for (const char *p = name; *p; p++)
        buf_addf(&text, *p == '-' ? "\\-" : "%c", *p);
    str_copy(out, size, buf_str(&text));
    buf_free(&text);
}

/* Every option that a command's section of the manual page has, the command has. */
static void assert_options_exist(const struct command *c, const char *section)
{
    const char *end = strstr(section + 4, "\n.S");

    for (const char *p = strstr(section, "\n.TP\n"); p && (!end || p < end); p = strstr(p + 5, "\n.TP\n")) {
        char line[200], *save = NULL, *clean = line;

        for (const char *from = p + 5; *from && *from != '\n' && clean < line + sizeof line - 1; from++)
            if (*from != '\\')
                *clean++ = *from;
        *clean = '\0';
        for (char *word = strtok_r(line, " ,\"", &save); word; word = strtok_r(NULL, " ,\"", &save))
            if (!strncmp(word, "--", 2) && !option_find(c, word + 2))
                fail_msg("simgate %s has no %s, which simgate(1) tells", c->name, word);
    }
}

/* Every command and every option is in the manual page, and no option that there is not. */
static void test_manual(void **state)
{
    char *page = read_page("docs/simgate.1"), wanted[80];

    (void)state;
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        snprintf(wanted, sizeof wanted, ".SS %s\n", c->name);
        const char *at = strstr(page, wanted);

        if (!at)
            fail_msg("simgate(1) lacks the command %s", c->name);
        for (const struct option *o = c->options; o && o->name; o++) {
            const char *next = strstr(at + 4, "\n.S"), *found;

            option_in_roff(o->name, wanted, sizeof wanted);
            found = strstr(at, wanted);
            if (!found || (next && found > next))
                fail_msg("simgate(1) lacks --%s of %s", o->name, c->name);
        }
        assert_options_exist(c, at);
    }
    free(page);
}

static void wrong_option(void)
{
    struct err e;

    err_set(&e, ERR_INVALID, "there is no option \"--too\" or %c", 0xFF);
    assert_int_equal(tell_usage(command_find("send"), true, &e), CLI_USAGE);
}

/* A program that asked for JSON gets a document too when its command line is wrong. */
static void test_usage_as_json(void **state)
{
    (void)state;
    json_t *doc = json_loads(printed(wrong_option), 0, NULL);

    assert_non_null(doc);
    assert_string_equal(json_string_value(json_object_get(json_object_get(doc, "error"), "code")), "usage");
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage_as_json),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_desk),
        cmocka_unit_test(test_common),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_past),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_views_harmless),
        cmocka_unit_test(test_desk_views_harmless),
        cmocka_unit_test(test_conversation_view),
    };

    text_init();
    text_set(false, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
