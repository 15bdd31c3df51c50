/* What real modems said (collected in SIMGATE_SHARED/facts/transcripts.jsonl) through the channel. */
#include <jansson.h>

#include "at/internal.h"
#include "tests/unit/at/talk.h"

struct transcript {
    int id;
    const char *kind;
    char command[128]; /* without the "\r" that some have; "" when none is given */
    const char *rx;
    json_t *expect;
};

typedef unsigned (*checker)(const struct transcript *tr); /* 1 if it concerned it */

static void read_transcript(json_t *o, struct transcript *tr)
{
    json_t *tx = json_object_get(o, "tx");

    *tr = (struct transcript){
        .id = (int)json_integer_value(json_object_get(o, "id")),
        .kind = json_string_value(json_object_get(o, "kind")),
        .rx = json_string_value(json_object_get(o, "rx")),
        .expect = json_object_get(o, "expect"),
    };
    if (tx)
        str_copy(tr->command, sizeof tr->command, json_string_value(tx));
    tr->command[strcspn(tr->command, "\r<")] = '\0';
}

static void for_each(checker check, unsigned at_least)
{
    const char *shared = getenv("SIMGATE_SHARED");
    char path[512], line[16384];
    unsigned checked = 0;

    snprintf(path, sizeof path, "%s/facts/transcripts.jsonl", shared ? shared : "../shared");
    FILE *f = fopen(path, "r");
    if (!f) {
        printf("skipped: no %s\n", path);
        skip();
    }
    while (fgets(line, sizeof line, f)) {
        struct transcript tr;
        json_t *o = json_loads(line, 0, NULL);
        assert_non_null(o);
        read_transcript(o, &tr);
        checked += check(&tr);
        json_decref(o);
    }
    fclose(f);
    printf("%u transcripts\n", checked);
    assert_true(checked >= at_least);
}

static bool is(const struct transcript *tr, const char *kind)
{
    return strcmp(tr->kind, kind) == 0;
}

static bool told(const struct talk *t, const char *event)
{
    return strstr(buf_str(&t->log), event) != NULL;
}

#define CHECK(tr, condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("transcript %d: not " #condition, (tr)->id);                                            \
    } while (0)

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
    if (is(tr, "reply"))
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

static void check_final(const struct transcript *tr, const struct ask *a, const char *expected)
{
    static const struct {
        const char *words;
        enum at_code code;
        int number;
    } finals[] = {
        {"final OK", AT_OK, -1},
        {"final ERROR", AT_ERROR, -1},
        {"final error", AT_ERROR, -1},
        {"final CME", AT_CME_ERROR, -1},
        {"final CMS 456", AT_CMS_ERROR, 456},
        {"final CMS text", AT_CMS_ERROR, -1},
        {"CME 515", AT_CME_ERROR, 515},
        {"final NO CARRIER", AT_NO_CARRIER, -1},
        {"truncated", AT_CMS_ERROR, -1},
        {"no final OK (accept", AT_OK, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(finals); i++) {
        if (!begins(expected, finals[i].words))
            continue;
        CHECK(tr, a->done == 1);
        CHECK(tr, a->result.code == finals[i].code);
        if (finals[i].number >= 0)
            CHECK(tr, a->result.number == finals[i].number);
    }
    if (strcmp(expected, "no final") == 0 || begins(expected, "early OK") || begins(expected, "urc only"))
        CHECK(tr, a->done == 0);
}

static void check_item(const struct transcript *tr, struct talk *t, const struct ask *a, const char *expected)
{
    char event[64];

    check_final(tr, a, expected);
    if (begins(expected, "urc only"))
        CHECK(tr, told(t, "urc "));
    else if (begins(expected, "urc ")) {
        snprintf(event, sizeof event, "urc +%.*s", (int)strcspn(expected + 4, " "), expected + 4);
        CHECK(tr, told(t, event));
    } else if (begins(expected, "unsolicited CME"))
        CHECK(tr, told(t, "|urc +CME ERROR: "));
    else if (begins(expected, "info"))
        CHECK(tr, told(t, "line "));
    else if (strcmp(expected, "prompt") == 0)
        CHECK(tr, strchr(buf_str(at_out(&t->ch)), 0x1a) != NULL);
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

    if (!is(tr, "stream") || !json_is_array(tr->expect))
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
        json_array_foreach(tr->expect, i, item) check_item(tr, &t, &a, json_string_value(item));
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
