/* What real modems said (collected in SIMGATE_SHARED/facts/transcripts.jsonl) through the channel. */
#include "at/internal.h"
#include "tests/unit/at/talk.h"

#include "tests/lib/transcripts.h"

#define CHECK TRANSCRIPT_CHECK

static void for_each(unsigned (*check)(const struct transcript *tr), unsigned at_least)
{
    unsigned checked = transcripts_each(check);

    printf("%u transcripts\n", checked);
    assert_true(checked >= at_least);
}

static bool told(const struct talk *t, const char *event)
{
    return strstr(buf_str(&t->log), event) != NULL;
}

/* ---- registration: answer or code ---- */

/* Four modems send their codes with <n>, as only answers should: while a query waits, they pass for its
 * answer. */
static bool has_n(const struct transcript *tr)
{
    return tr->id == 23 || tr->id == 27 || tr->id == 28 || tr->id == 35;
}

/* Answers of the +CREG family reach the query, codes do not, even while the query waits. */
static unsigned check_registration(const struct transcript *tr)
{
    struct talk t;
    struct ask a;
    char prefix[16] = "+";

    if (!json_is_object(tr->expect) || !json_object_get(tr->expect, "stat"))
        return 0;
    const char *name = strchr(tr->rx, '+');
    if (!name || !memmem(name, 8, "REG:", 4))
        return 0;
    snprintf(prefix, sizeof prefix, "%.*s:", (int)strcspn(name, ":"), name);
    talk_begin(&t);
    ask(&t, &a, "AT+QUERY?", prefix);
    says(&t, tr->rx);
    says(&t, "\r\nOK\r\n");
    CHECK(tr, a.done == 1 && a.result.code == AT_OK);
    if (transcript_is(tr, "reply"))
        CHECK(tr, told(&t, "line +"));
    else if (!has_n(tr))
        CHECK(tr, told(&t, "urc +") && !told(&t, "line +"));
    buf_clear(&t.log);
    says(&t, tr->rx); /* nobody asks now */
    says(&t, "\r\n");
    CHECK(tr, told(&t, "urc +") && !told(&t, "line +"));
    talk_end(&t);
    return 1;
}

static void test_registration(void **state)
{
    (void)state;
    for_each(check_registration, 40);
}

/* ---- streams ---- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool any(const struct transcript *tr, const char *beginning)
{
    size_t i;
    json_t *item;

    json_array_foreach(tr->expect, i, item)
    {
        if (begins(json_string_value(item), beginning))
            return true;
    }
    return false;
}

struct stream {
    const struct transcript *tr;
    struct talk *t;
    const struct ask *a;
    const char *expected;
};

static bool judge_open(const struct stream *s)
{
    return s->a->done == 0;
}

static bool judge_urc(const struct stream *s)
{
    const char *name = s->expected + strlen("urc ");
    char event[64];

    snprintf(event, sizeof event, "urc +%.*s", (int)strcspn(name, " "), name);
    return told(s->t, event);
}

static bool judge_urc_only(const struct stream *s)
{
    return s->a->done == 0 && told(s->t, "urc ");
}

static bool judge_late_error(const struct stream *s)
{
    return told(s->t, "|urc +CME ERROR: ");
}

static bool judge_info(const struct stream *s)
{
    return told(s->t, "line ");
}

static bool judge_info_twice(const struct stream *s)
{
    const char *first = strstr(buf_str(&s->t->log), "line +CPMS");

    return first && strstr(first + 1, "line +CPMS");
}

static bool judge_info_trimmed(const struct stream *s)
{
    return told(s->t, "line MULTIBAND  900E  1800|");
}

static bool judge_prompt(const struct stream *s)
{
    return strchr(buf_str(at_out(&s->t->ch)), 0x1a) != NULL;
}

/* The echo is no answer, nor a code. */
static bool judge_echo(const struct stream *s)
{
    return !told(s->t, "line AT") && !told(s->t, "urc AT");
}

/* What nobody asked for is told to nobody. */
static bool judge_stray(const struct stream *s)
{
    return !told(s->t, "line ");
}

/* What the collectors say of streams, by how it begins; `result`: of the command, `number` of its error. */
static const struct {
    const char *words;
    enum at_code code;
    int number;
    bool (*judge)(const struct stream *s);
} judges[] = {
    {"final OK", AT_OK, -1, NULL},
    {"final ERROR", AT_ERROR, -1, NULL},
    {"final error", AT_ERROR, -1, NULL},
    {"final CME", AT_CME_ERROR, -1, NULL},
    {"final CMS 456", AT_CMS_ERROR, 456, NULL},
    {"final CMS text", AT_CMS_ERROR, -1, NULL},
    {"CME 515", AT_CME_ERROR, 515, NULL},
    {"final NO CARRIER", AT_NO_CARRIER, -1, NULL},
    {"truncated", AT_CMS_ERROR, -1, NULL},
    {"no final OK (accept", AT_OK, -1, NULL},
    {"no final", 0, 0, judge_open},
    {"early OK", 0, 0, judge_open},
    {"urc only", 0, 0, judge_urc_only},
    {"urc ", 0, 0, judge_urc},
    {"unsolicited CME", 0, 0, judge_late_error},
    {"info repeated", 0, 0, judge_info_twice},
    {"info (trim", 0, 0, judge_info_trimmed},
    {"info", 0, 0, judge_info},
    {"prompt", 0, 0, judge_prompt},
    /* 179 takes whatever comes before the first line end for an echo, and the next line for an answer. Here
     * an echo is known by the command's own text, and a command that has no answer is told of none. */
    {"echo", 0, 0, judge_echo},
    {"line", 0, 0, judge_stray},
    {"stray", 0, 0, judge_stray},
    {"glued", 0, 0, judge_stray},
};

static void check_item(const struct stream *s)
{
    for (size_t i = 0; i < ARRAY_LEN(judges); i++) {
        if (!begins(s->expected, judges[i].words))
            continue;
        bool good = judges[i].judge ? judges[i].judge(s)
                                    : s->a->done == 1 && s->a->result.code == judges[i].code &&
                                          (judges[i].number < 0 || s->a->result.number == judges[i].number);
        if (!good)
            fail_msg("transcript %d: not \"%s\": %s", s->tr->id, s->expected, buf_str(&s->t->log));
        return;
    }
    fail_msg("transcript %d: nothing judges \"%s\"", s->tr->id, s->expected);
}

static void prefix_of(const char *command, char prefix[32])
{
    prefix[0] = '\0';
    if (command[0] && command[1] && command[2] == '+')
        snprintf(prefix, 32, "+%.*s:", (int)strcspn(command + 3, "=?"), command + 3);
    if (begins(prefix, "+CGM"))
        prefix[0] = '\0';
}

/* Byte streams with echo, prompts, glued lines and late errors end as their collectors say. */
static unsigned check_stream(const struct transcript *tr)
{
    struct talk t;
    struct ask a;
    char prefix[32];

    if (!transcript_is(tr, "stream") || !json_is_array(tr->expect))
        return 0;
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        talk_begin(&t);
        prefix_of(tr->command, prefix);
        prepare(&t, &a, *tr->command ? tr->command : "AT", *tr->command ? prefix : NULL);
        if (any(tr, "final NO CARRIER"))
            str_copy(a.cmd.text, sizeof a.cmd.text, "ATD123;");
        if (begins(tr->command, "AT+CMGS"))
            a.cmd.data = "0001", a.cmd.cls = AT_SEND;
        a.cmd.ok_optional = any(tr, "no final OK (accept");
        dispatch(&t, &a);
        (bytewise ? spells : says)(&t, tr->rx);
        pass(&t, 2000);
        size_t i;
        json_t *item;
        json_array_foreach(tr->expect, i, item)
            check_item(&(struct stream){tr, &t, &a, json_string_value(item)});
        talk_end(&t);
    }
    return 1;
}

static void test_streams(void **state)
{
    (void)state;
    for_each(check_stream, 20);
}

/* ---- everything ---- */

/* Whatever was ever said: chunked or spelled it tells the same, a command in flight ends once, and a final
 * result in the transcript ends it. */
static unsigned check_any(const struct transcript *tr)
{
    struct talk t[2];
    struct ask a[2];
    char prefix[32];
    struct at_result r;
    const char *rest;
    bool final = false;
    char *copy = strdup(tr->rx);

    prefix_of(tr->command, prefix);
    for (char *save, *line = strtok_r(copy, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save))
        final = final || at_final(line, false, &r, &rest);
    free(copy);
    for (int i = 0; i < 2; i++) {
        talk_begin(&t[i]);
        if (*tr->command)
            ask(&t[i], &a[i], tr->command, prefix);
        (i ? spells : says)(&t[i], tr->rx);
        pass(&t[i], 2000);
        if (*tr->command && final && !strstr(tr->command, "CMGS")) /* those have a prompt */
            CHECK(tr, a[i].done == 1);
        at_close(&t[i].ch, t[i].now_ms);
        CHECK(tr, !*tr->command || a[i].done == 1);
    }
    if (strcmp(buf_str(&t[0].log), buf_str(&t[1].log)) != 0)
        fail_msg("transcript %d: \"%s\" but \"%s\"", tr->id, buf_str(&t[0].log), buf_str(&t[1].log));
    talk_end(&t[0]);
    talk_end(&t[1]);
    return 1;
}

static void test_all(void **state)
{
    (void)state;
    for_each(check_any, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registration),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_all),
    };
    return cmocka_run_group_tests_name("at/transcripts", tests, NULL, NULL);
}
