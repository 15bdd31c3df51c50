/* Personal data: everything about a number exported, and erased so that neither a row nor a byte of the file
 * tells of it; what stays; retention. */
#include "customers.h"

#include "base/utf8.h"
#include "pdu/pdu.h"
#include "store/campaign.h"

#define HER   "+491700000001"
#define OTHER "+491700000002"

/* Words that are hers alone. */
#define SECRET_NAME  "Zenobia"
#define SECRET_TITLE "xylophone"
#define SECRET_TEXT  "quagmire"

static int64_t live(struct fixture *f, const char *number, const char *text)
{
    return customer_writes(f, number, "m0", text, "sales", "Anna", T0);
}

static int64_t unfinished; /* a message to her that is still queued */

/* Something in every table that may have it. */
static void her_story(struct fixture *f)
{
    struct contact_import rows[] = {{.number = HER,
                                     .name = SECRET_NAME,
                                     .tags = ",vip,",
                                     .attributes = "{\"city\":\"Bonn\"}",
                                     .notes = SECRET_TEXT},
                                    {.number = OTHER, .name = "Ben"}};
    struct store_import i = {
        .contacts = rows, .count = 2, .who = "ctl:root", .proof = "import: x", .now_wall_ms = T0};
    struct store_new_message relayed = {.peer = "+491719999999",
                                        .text = "#1: " SECRET_TEXT,
                                        .source = "relay",
                                        .flags = MSG_F_STAFF,
                                        .conversation = -1,
                                        .parts = customers_parts,
                                        .nparts = 1};
    int64_t c, m;

    assert_int_equal(DO(f, store_import, &i), 0);
    relayed.reply_to = receive_from(f, HER, "m0", SECRET_TITLE " " SECRET_TEXT, T0);
    c = decide_on(
        f,
        &(struct deed){.message = relayed.reply_to,
                       .thread = THREAD_OPEN,
                       .effects = {{.kind = EFFECT_DELIVER, .name = "crm", .key = "e1", .value = SECRET_TEXT},
                                   {.kind = EFFECT_ONCE, .name = "rule"},
                                   {.kind = EFFECT_VALUE, .name = "script", .key = HER, .value = SECRET_TEXT},
                                   {.kind = EFFECT_MUTE, .at_wall_ms = T0 + DAY}},
                       .neffects = 4,
                       .reply = &relayed,
                       .at = T0});
    carry(f, relayed.id, 1, "m0", MSG_SENT, T0);
    on_conversation(f, c, "person:Anna", (struct store_effect){.kind = EFFECT_NOTE, .value = SECRET_TEXT},
                    T0);
    m = answer(f, c, HER, "person:Anna", SECRET_TEXT, 2, T0 + MINUTE);
    carry(f, m, 2, "m0", MSG_SENT, T0 + MINUTE);
    report(f, m, HER, PDU_ST_DELIVERED, T0 + 2 * MINUTE);
    unfinished = answer(f, c, HER, NULL, SECRET_TEXT, 1, T0 + 3 * MINUTE);
    m = answer(f, live(f, OTHER, "hello"), OTHER, "person:Ben", "hi", 1, T0);
    carry(f, m, 1, "m0", MSG_SENT, T0);
}

static void opts_out(struct fixture *f, const char *number)
{
    decide_on(f, &(struct deed){
                     .number = number,
                     .who = "engine",
                     .effects = {{.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .name = "", .value = "STOP"}},
                     .neffects = 1,
                     .at = T0 + 60 * MINUTE});
}

/* ---- export ----------------------------------------------------------------------------------------------
 */

/* All pieces, one behind the other. */
static char *export_all(struct fixture *f, const char *number, int *pieces)
{
    struct store_export e = {.number = number};
    size_t len = 1;
    char *all = calloc(1, 1);

    *pieces = 0;
    do {
        assert_int_equal(DO(f, store_export, &e), 0);
        len += strlen(e.json) + 40;
        all = realloc(all, len);
        strcat(strcat(strcat(all, export_section_name(e.was)), ": "), e.json);
        strcat(all, "\n");
        free(e.json);
        e.json = NULL;
        assert_true(++*pieces < 1000);
    } while (!e.ended);
    return all;
}

static void must_have(const char *all, const char *text)
{
    if (!strstr(all, text))
        fail_msg("no %s in\n%s", text, all);
}

/* It has everything of the number and nothing of another's; every piece is a JSON array. */
static void test_export(void **state)
{
    static const char *const expected[] = {"\"name\":\"" SECRET_NAME "\"",
                                           "\"tags\":[\"vip\"]",
                                           "\"city\":\"Bonn\"",
                                           "\"text\":\"" SECRET_TEXT "\"",
                                           "\"pdu\":\"0031000B91947110\"",
                                           "\"reports\":[{",
                                           "\"handler\":\"crm\"",
                                           "\"rule\":\"rule\"",
                                           "\"script\":\"script\"",
                                           "\"what\":\"note\"",
                                           "\"state\":\"delivered\"",
                                           "\"muted_until\":",
                                           "\"created\":\"2026-11-21T09:00:00.000Z\""};
    struct fixture *f = *state;
    int pieces;
    char *all;

    her_story(f);
    opts_out(f, HER);
    all = export_all(f, HER, &pieces);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        must_have(all, expected[i]);
    must_have(all, "\"said\":\"out\"");
    assert_null(strstr(all, "\"Ben\""));
    free(all);
    all = export_all(f, "+4900000", &pieces);
    assert_string_equal(all,
                        "contact: []\nconsent: []\nconversations: []\ntimeline: []\nmessages: []\nwaiting: "
                        "[]\nother: []\n");
    free(all);
}

/* Many messages come in pieces, each once. */
static void test_export_many(void **state)
{
    struct fixture *f = *state;
    int pieces, n = 0;
    char *all;

    for (int i = 0; i < 250; i++)
        live(f, HER, "one of many");
    all = export_all(f, HER, &pieces);
    for (const char *at = all; (at = strstr(at, "\"text\":\"one of many\"")); at++)
        n++;
    assert_int_equal(n, 250);
    assert_true(pieces >= 9);
    free(all);
}

/* What was cut to fit is whole characters: a page of an export is read by those who want valid UTF-8. */
static void test_export_cut(void **state)
{
    struct fixture *f = *state;
    struct store_export e = {.number = HER};
    struct contact_import row = {.number = HER, .consent = CONSENT_IN};
    struct store_import i = {
        .contacts = &row, .count = 1, .who = "ctl:root", .now_wall_ms = T0, .proof = NULL};
    char words[301];
    int64_t c = live(f, HER, "hello");

    words[0] = 'x';
    for (int n = 1; n < 299; n += 2)
        memcpy(words + n, "\xC3\xBC", 2);
    words[299] = '\0';
    i.proof = words;
    on_conversation(f, c, "person:Anna",
                    (struct store_effect){.kind = EFFECT_CONTACT, .name = "notes", .value = words}, T0);
    on_conversation(f, c, "person:Anna",
                    (struct store_effect){.kind = EFFECT_ATTRIBUTE, .name = "k", .value = words}, T0);
    assert_int_equal(DO(f, store_import, &i), 0);
    do {
        assert_int_equal(DO(f, store_export, &e), 0);
        if (!utf8_valid(e.json, strlen(e.json)))
            fail_msg("%s: %s", export_section_name(e.was), e.json);
        free(e.json);
    } while (!e.ended);
}

/* ---- erasing ---------------------------------------------------------------------------------------------
 */

/* Until it is done; how many calls. */
static int erase(struct fixture *f, const char *number, bool *opt_out)
{
    struct store_erase e = {.number = number, .who = "ctl:root", .now_wall_ms = T0 + DAY};
    int calls = 0;

    *opt_out = false;
    do {
        assert_int_equal(DO(f, store_erase, &e), 0);
        *opt_out = *opt_out || e.opt_out;
        assert_true(++calls < 1000);
    } while (e.more);
    return calls;
}

static bool file_has(const char *path, const char *text)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    long size;
    bool found;

    if (!file)
        return false;
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    bytes = malloc((size_t)size + 1);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    fclose(file);
    found = memmem(bytes, (size_t)size, text, strlen(text)) != NULL;
    free(bytes);
    return found;
}

/* Nothing of her is in any table, nor in any byte of the file and its journal, deleted rows and the index of
 * words included; the other customer and the figures are as they were. */
static void test_erase(void **state)
{
    static const char *const words[] = {HER + 1, SECRET_NAME, SECRET_TITLE, SECRET_TEXT, "zenobia"};
    struct fixture *f = *state;
    struct store_figures before = {.since_wall_ms = T0, .until_wall_ms = T0 + DAY}, after = before;
    char wal[128];
    bool opt_out;

    her_story(f);
    assert_int_equal(move_to(f, unfinished, MSG_CANCELLED), 0);
    assert_int_equal(DO(f, store_figures, &before), 0);
    fixture_stop(f);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_true(file_has(f->path, words[i])); /* before */
    fixture_start(f);
    erase(f, HER, &opt_out);
    assert_false(opt_out);
    assert_int_equal(DO(f, store_figures, &after), 0);
    assert_memory_equal(before.total.n, after.total.n, sizeof before.total.n);
    assert_int_equal(after.total.times[FIGURE_FIRST].count, 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM message"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM part"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM segment"), 1);
    assert_int_equal(
        ask(f, "SELECT (SELECT count(*) FROM delivery) + (SELECT count(*) FROM once) + (SELECT count(*) "
               "FROM value) + (SELECT count(*) FROM muted) + (SELECT count(*) FROM report)"),
        0);
    assert_int_equal(
        ask(f, "SELECT count(*) FROM erasure WHERE number IS NULL AND who = 'ctl:root' AND ended > 0"), 1);
    assert_int_equal(ask(f, "SELECT sum(n) FROM tally"), 2);
    snprintf(wal, sizeof wal, "%s-wal", f->path);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (file_has(f->path, words[i]) || file_has(wal, words[i]))
            fail_msg("\"%s\" is still in a file", words[i]);
    fixture_stop(f);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (file_has(f->path, words[i]))
            fail_msg("\"%s\" is still in the file", words[i]);
    fixture_start(f);
}

/* A message of the relay, to one of our people or by one; it is done with. */
static int64_t staff_message(struct fixture *f, const char *source, const char *text)
{
    struct store_new_message m = {.peer = "+491719999999",
                                  .text = text,
                                  .source = source,
                                  .flags = MSG_F_STAFF,
                                  .conversation = -1,
                                  .parts = customers_parts,
                                  .nparts = 1};

    decide_on(f, &(struct deed){.number = "", .reply = &m, .at = T0 + MINUTE});
    carry(f, m.id, 1, "m0", MSG_SENT, T0 + MINUTE);
    return m.id;
}

/* What our people were told of her conversation without a message of hers (it was given to them, it is late,
 * a list), and what they wrote about it, goes too; what is about another's stays. */
static void test_erase_of_relay(void **state)
{
    struct fixture *f = *state;
    int64_t hers = live(f, HER, SECRET_TEXT), others = live(f, OTHER, "hello");
    int64_t note = receive_from(f, "+491719999999", "m0", "#1 note " SECRET_TEXT, T0 + MINUTE);
    bool opt_out;

    assert_int_equal(hers, 1);
    assert_int_equal(others, 2);
    decide_on(f, &(struct deed){.message = note, .who = "person:Anna", .at = T0 + MINUTE});
    staff_message(f, "relay:1", "#1 " SECRET_NAME ": yours now (Ben). \"" SECRET_TEXT "\"");
    staff_message(f, "relay", "2 open\n#2 Ben: hello\n#1 " SECRET_NAME ": " SECRET_TEXT);
    staff_message(f, "relay:1", SECRET_TEXT);
    staff_message(f, "relay:2", "#2 Ben: is this #1");
    staff_message(f, "relay:11", "#11 somebody: hello");
    for (int i = 0; i < 30; i++)
        staff_message(f, "relay:2", "#2 Ben: once more");
    erase(f, HER, &opt_out);
    assert_int_equal(ask(f, "SELECT count(*) FROM message WHERE text LIKE '%" SECRET_TEXT "%'"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM message"), 33);
}

/* What a rule forwarded of her message to somebody else has her words, and goes with it; what it sent to
 * others because of another's message, and what a handler answered, stays. */
static void test_erase_of_forwards(void **state)
{
    static const char *const from[] = {HER, OTHER};
    struct fixture *f = *state;
    bool opt_out;

    for (int i = 0; i < 2; i++) {
        char key[40];
        int64_t id = receive_from(f, from[i], "m0", "hello", T0);
        struct store_new_message m = {.peer = "+491719999999",
                                      .text = i ? "forwarded" : SECRET_TEXT,
                                      .source = "rule:forward",
                                      .flags = MSG_F_AUTOMATIC,
                                      .key = key,
                                      .parts = customers_parts,
                                      .nparts = 1};

        for (int k = 0; k < 2; k++) {
            snprintf(key, sizeof key, k ? "reply:%lld:crm:1" : "reply:%lld:1", (long long)id);
            if (k)
                m.text = "a handler's";
            decide_on(f, &(struct deed){.message = k ? 0 : id,
                                        .number = from[i],
                                        .thread = k ? THREAD_NONE : THREAD_OPEN,
                                        .reply = &m,
                                        .at = T0 + 5 * MINUTE});
            carry(f, m.id, 1, "m0", MSG_SENT, T0 + 6 * MINUTE);
        }
    }
    erase(f, HER, &opt_out);
    assert_int_equal(ask(f, "SELECT count(*) FROM message WHERE text = '" SECRET_TEXT "'"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM message"), 4);
}

/* What waits for a server about a number without conversation (a report on a message that nobody answered) is
 * hers all the same; another's, whose number begins as hers, is not. */
static void test_deliveries_without_conversation(void **state)
{
    static const char *const bodies[] = {"{\"contact\":{\"number\":\"" HER "\"}}", "From: " HER "\nhello",
                                         "{\"contact\":{\"number\":\"" HER "1\"}}"};
    struct fixture *f = *state;
    int pieces;
    bool opt_out;
    char *all;

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct deed d = {
            .number = HER,
            .effects = {{.kind = EFFECT_DELIVER, .name = "crm", .key = bodies[i], .value = bodies[i]}},
            .neffects = 1,
            .at = T0};

        decide_on(f, &d);
    }
    all = export_all(f, HER, &pieces);
    must_have(all, "From: " HER);
    must_have(all, "\\\"" HER "\\\"");
    assert_null(strstr(all, HER "1"));
    free(all);
    erase(f, HER, &opt_out);
    assert_int_equal(ask(f, "SELECT count(*) FROM delivery"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM delivery WHERE body LIKE '%" HER "1%'"), 1);
}

/* A message under way is told, and nothing is erased beside it. */
static void test_erase_busy(void **state)
{
    struct fixture *f = *state;
    struct store_erase e = {.number = HER, .who = "ctl:root", .now_wall_ms = T0};

    her_story(f);
    assert_int_equal(DO(f, store_erase, &e), ERR_BUSY);
    assert_int_equal(e.busy, unfinished);
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM erasure"), 0);
}

/* An opt-out outlives its number, which is nowhere; a new opt-in takes its place. */
static void test_erased_opt_out(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m = new_message(HER, 1);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};
    bool opt_out;

    live(f, HER, "hello");
    opts_out(f, HER);
    erase(f, HER, &opt_out);
    assert_true(opt_out);
    assert_int_equal(ask(f, "SELECT (SELECT count(*) FROM consent) + (SELECT count(*) FROM consent_log)"), 0);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(m.opted_out);
    m = new_message(OTHER, 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_false(m.opted_out);
    fixture_stop(f);
    assert_false(file_has(f->path, HER + 1));
    fixture_start(f);
    decide_on(f, &(struct deed){
                     .number = HER,
                     .effects = {{.kind = EFFECT_CONSENT, .n = CONSENT_IN, .name = "", .value = "START"}},
                     .neffects = 1,
                     .at = T0 + DAY});
    m = new_message(HER, 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_false(m.opted_out);
}

/* Two who had the same campaign are erased one after the other; its recipients are counted still. */
static void test_erase_of_campaign(void **state)
{
    static const char *const numbers[] = {HER, OTHER};
    struct fixture *f = *state;
    struct store_campaign_new n = {.row = {.text = (char *)(uintptr_t) "hello"}, .now_wall_ms = T0};
    struct store_campaign_add a = {.numbers = numbers, .count = 2};
    bool opt_out;

    assert_int_equal(DO(f, store_campaign_new, &n), 0);
    a.id = n.row.id;
    assert_int_equal(DO(f, store_campaign_add, &a), 0);
    erase(f, HER, &opt_out);
    erase(f, OTHER, &opt_out);
    assert_int_equal(ask(f, "SELECT count(*) FROM campaign_to"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM campaign_to WHERE number LIKE '+%'"), 0);
}

/* Others know messages and conversations by their numbers (keys, servers, telephones): those of what was
 * erased are not given to anything else, in another life neither. */
static void test_numbers_stay_used(void **state)
{
    struct fixture *f = *state;
    struct store_retain r = {.kind = RETAIN_MESSAGES, .before_wall_ms = T0 + 3 * DAY, .max = 100};
    int64_t message, conversation = live(f, HER, "hello");
    bool opt_out;

    message = ask(f, "SELECT max(id) FROM message");
    erase(f, HER, &opt_out);
    assert_true(receive_from(f, OTHER, "m0", "hello", T0 + DAY) > message);
    fixture_crash(f);
    fixture_start(f);
    assert_true(live(f, OTHER, "again") > conversation);
    message = ask(f, "SELECT max(id) FROM message");
    conversation = ask(f, "SELECT max(id) FROM conversation");
    decide_on(f, &(struct deed){.conversation = conversation,
                                .effects = {{.kind = EFFECT_STATE, .n = CONV_CLOSED}},
                                .neffects = 1,
                                .at = T0});
    do
        assert_int_equal(DO(f, store_retain, &r), 0);
    while (r.more);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation"), 0);
    fixture_crash(f);
    fixture_start(f);
    assert_true(receive_from(f, OTHER, "m0", "hello", T0 + 4 * DAY) > message);
    assert_true(live(f, OTHER, "again") > conversation);
}

/* After a crash it is known whose erasure was not done. Many messages take several calls. */
static void test_erase_interrupted(void **state)
{
    struct fixture *f = *state;
    struct store_erase e = {.number = HER, .who = "ctl:root", .now_wall_ms = T0};
    struct store_erasures open = {.number = ""};
    bool opt_out;

    for (int i = 0; i < 450; i++)
        live(f, HER, "one of many");
    assert_int_equal(DO(f, store_erase, &e), 0);
    assert_true(e.more);
    fixture_crash(f);
    fixture_start(f);
    assert_int_equal(DO(f, store_erasures, &open), 0);
    assert_string_equal(open.number, HER);
    assert_string_equal(open.who, "ctl:root");
    assert_true(erase(f, HER, &opt_out) > 2);
    assert_int_equal(DO(f, store_erasures, &open), 0);
    assert_string_equal(open.number, "");
    assert_int_equal(ask(f, "SELECT count(*) FROM message"), 0);
}

/* ---- retention -------------------------------------------------------------------------------------------
 */

static int retain(struct fixture *f, enum retention kind, int64_t before, int max)
{
    struct store_retain r = {
        .kind = kind, .before_wall_ms = before, .now_wall_ms = before + 30 * DAY, .max = max};
    int erased = 0, calls = 0;

    do {
        assert_int_equal(DO(f, store_retain, &r), 0);
        erased += r.erased;
        assert_true(++calls < 1000);
    } while (r.more);
    return erased;
}

/* Old messages go with all of theirs, a few at a time; what is not done with stays, and what is newer. */
static void test_retain_messages(void **state)
{
    struct fixture *f = *state;
    int64_t waiting, c;

    for (int i = 0; i < 30; i++) {
        c = live(f, HER, "old");
        carry(f, answer(f, c, HER, "person:Anna", "old too", 2, T0 + i), 2, "m0", MSG_SENT, T0 + i);
    }
    waiting = answer(f, c, HER, NULL, "not sent yet", 1, T0);
    close_it(f, live(f, OTHER, "gone"), "person:Anna", T0 + MINUTE);
    receive_from(f, OTHER, "m0", "newer", T0 + DAY);
    assert_int_equal(retain(f, RETAIN_MESSAGES, T0 + 60 * MINUTE, 7), 61);
    assert_int_equal(state_of(f, waiting), MSG_QUEUED);
    assert_int_equal(ask(f, "SELECT count(*) FROM message"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM part"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM history"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation"), 1); /* hers is live */
    assert_int_equal(ask(f, "SELECT sum(n) FROM tally"), 2);
    assert_int_equal(retain(f, RETAIN_MESSAGES, T0 + 60 * MINUTE, 7), 0);
}

/* What was counted for quotas of routes and limits of SIMs goes when no month asks for it any more, of each
 * route and SIM, some at a time; what is newer stays, to the quarter of an hour. */
static void test_retain_counts(void **state)
{
    static const char *const routes[] = {"a", "b", NULL};
    struct fixture *f = *state;
    int64_t parts, micros;
    struct err e;

    assert_int_equal(retain(f, RETAIN_COUNTS, T0, 7), 0);
    for (int day = 0; day < 30; day++)
        for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
            struct store_new_message m = new_message(HER, 2);
            struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0 + day * DAY};

            m.route = routes[i];
            m.cost_micros = 5;
            assert_int_equal(DO(f, store_admit, &a), 0);
            carry(f, m.id, 2, "m0", MSG_SENT, T0 + day * DAY);
        }
    assert_int_equal(ask(f, "SELECT count(*) FROM spending"), 90);
    assert_int_equal(ask(f, "SELECT count(*) FROM usage"), 30);
    assert_int_equal(retain(f, RETAIN_COUNTS, T0 + 20 * DAY, 7), 80);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(store_spending(f->s, routes[i], 0, &parts, &micros, &e), 0);
        assert_int_equal(parts, 20);
    }
    assert_int_equal(store_spending(f->s, "", 0, &parts, &micros, &e), 0);
    assert_int_equal(micros, 10 * 3 * 5);
    assert_int_equal(ask(f, "SELECT min(quarter) FROM usage") * 900000 / DAY, (T0 + 20 * DAY) / DAY);
    assert_int_equal(retain(f, RETAIN_COUNTS, T0 + 20 * DAY, 7), 0);
}

/* Raw PDUs go, the messages stay; what waits keeps its own, and cannot be sent again without. */
static void test_retain_raw(void **state)
{
    struct fixture *f = *state;
    int64_t c = live(f, HER, "text"), failed = answer(f, c, HER, NULL, "a", 1, T0), queued;
    struct store_show h;

    carry(f, failed, 1, "m0", MSG_FAILED, T0);
    queued = answer(f, c, HER, NULL, "b", 1, T0);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 60 * MINUTE, 2), 2);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 60 * MINUTE, 2), 0);
    h = show(f, 1);
    assert_string_equal(h.row.text, "text");
    assert_int_equal(h.segments[0].len, 0);
    store_show_clear(&h);
    assert_int_equal(move_to(f, failed, MSG_QUEUED), ERR_REFUSED);
    assert_true(intend(f, queued, 1, T0 + MINUTE));
}

static int64_t raw_left(struct fixture *f)
{
    return ask(f, "SELECT (SELECT count(*) FROM segment WHERE length(pdu) > 0) + (SELECT count(*) FROM part "
                  "WHERE length(pdu) > 0) + (SELECT count(*) FROM report WHERE length(pdu) > 0)");
}

/* What still waited as its neighbours went goes once it is done with, and so does a report that comes later
 * still; what is erased altogether is not looked for any more. */
static void test_retain_raw_of_what_waited(void **state)
{
    struct fixture *f = *state;
    int64_t c = live(f, HER, "text"), waits[8];

    for (int i = 0; i < 8; i++)
        waits[i] = answer(f, c, HER, "person:Anna", "a", 1, T0);
    receive_from(f, OTHER, "m0", "behind", T0 + MINUTE);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + DAY, 4), 1); /* what HER wrote; "behind" is not handled */
    for (int i = 0; i < 6; i++)
        carry(f, waits[i], 1, "m0", MSG_SENT, T0 + DAY);
    assert_int_equal(raw_left(f), 9);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 3 * DAY, 4), 6);
    assert_int_equal(raw_left(f), 3);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 3 * DAY, 4), 0);
    report(f, waits[0], HER, PDU_ST_DELIVERED, T0 + 4 * DAY);
    assert_int_equal(raw_left(f), 4);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 4 * DAY, 4), 0);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 6 * DAY, 4), 1);
    assert_int_equal(raw_left(f), 3);
    carry(f, waits[7], 1, "m0", MSG_FAILED, T0 + 7 * DAY);
    assert_int_equal(retain(f, RETAIN_MESSAGES, T0 + 6 * DAY, 10), 8);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 9 * DAY, 4), 0);
    assert_int_equal(raw_left(f), 2);
}

/* A report puts off nothing that has waited. */
static void test_retain_raw_reported(void **state)
{
    struct fixture *f = *state;
    int64_t c = live(f, HER, "text"), waits = answer(f, c, HER, "person:Anna", "a", 1, T0);

    receive_from(f, OTHER, "m0", "behind", T0 + MINUTE);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + DAY, 4), 1);
    carry(f, waits, 1, "m0", MSG_SENT, T0 + DAY);
    report(f, waits, HER, PDU_ST_DELIVERED, T0 + 4 * DAY);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 3 * DAY, 4), 1);
}

/* A clock that was ahead keeps nothing else from going, however much came meanwhile; that goes in its time.
 */
static void test_retain_raw_clock(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 30; i++)
        customer_writes(f, HER, "m0", "text", NULL, NULL, i % 3 ? T0 + i : T0 + 400 * DAY + i);
    for (int i = 0; i < 10; i++)
        customer_writes(f, HER, "m0", "text", NULL, NULL, T0 + 500 * DAY + i);
    for (int i = 0; i < 10; i++)
        customer_writes(f, HER, "m0", "text", NULL, NULL, T0 + 30 + i);
    for (int i = 0; i < 30; i++)
        customer_writes(f, HER, "m0", "text", NULL, NULL, T0 + 2 * DAY + i);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + DAY, 4), 30);
    assert_int_equal(raw_left(f), 50);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + DAY, 4), 0);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 401 * DAY, 4), 40);
    assert_int_equal(retain(f, RETAIN_RAW, T0 + 501 * DAY, 4), 10);
    assert_int_equal(raw_left(f), 0);
}

/* Whom a campaign wrote to since, or who was tagged, is kept; also when the message is not. */
static void test_retain_contacts_in_use(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m = {.peer = HER,
                                  .text = "spring is here",
                                  .source = "campaign",
                                  .conversation = -1,
                                  .parts = customers_parts,
                                  .nparts = 1};
    struct deed d = {.number = HER,
                     .sim = "m0",
                     .effects = {{.kind = EFFECT_TAG, .name = "club"}},
                     .neffects = 1,
                     .at = T0};

    decide_on(f, &d);
    d.neffects = 0;
    d.reply = &m;
    d.at = T0 + 4 * DAY;
    decide_on(f, &d);
    carry(f, m.id, 1, "m0", MSG_SENT, T0 + 4 * DAY);
    assert_int_equal(retain(f, RETAIN_CONTACTS, T0 + 3 * DAY, 10), 0);
    assert_int_equal(retain(f, RETAIN_MESSAGES, T0 + 5 * DAY, 10), 1);
    assert_int_equal(retain(f, RETAIN_CONTACTS, T0 + 3 * DAY, 10), 0);
    d.neffects = 1;
    d.effects[0].name = "vip";
    d.reply = NULL;
    d.at = T0 + 7 * DAY;
    decide_on(f, &d);
    assert_int_equal(retain(f, RETAIN_CONTACTS, T0 + 6 * DAY, 10), 0);
    assert_int_equal(retain(f, RETAIN_CONTACTS, T0 + 8 * DAY, 10), 1);
}

/* Contacts that nobody wrote to or changed go with their conversations, not with what was said of consent. */
static void test_retain_contacts(void **state)
{
    struct fixture *f = *state;
    int64_t c = live(f, HER, "old"), other = live(f, OTHER, "live");

    opts_out(f, HER);
    on_conversation(f, c, "engine",
                    (struct store_effect){.kind = EFFECT_DELIVER, .name = "crm", .key = "e", .value = "{}"},
                    T0);
    close_it(f, c, "person:Anna", T0 + MINUTE);
    assert_int_equal(retain(f, RETAIN_CONTACTS, T0 + DAY, 1), 1);
    /* What waits for a server still goes there, and its answer finds that there is none. */
    assert_int_equal(ask(f, "SELECT count(*) FROM delivery WHERE conversation = 0"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 1);
    assert_int_equal(ask(f, "SELECT conversation FROM message WHERE peer = '" HER "'"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM consent"), 1);
    close_it(f, other, "person:Anna", T0 + 2 * DAY);
    assert_int_equal(retain(f, RETAIN_CONTACTS, T0 + DAY, 1), 0); /* closed later than that */
    assert_int_equal(retain(f, RETAIN_CONTACTS, T0 + 3 * DAY, 1), 1);
    assert_int_equal(retain(f, RETAIN_WORDS, 0, 1), 0);
}

/* What was told to others of what became of a conversation, by a rule on an event or by a handler later, is
 * erased with its customer, and so are values of scripts under keys that say the number. */
static void test_erase_of_what_was_told(void **state)
{
    static const char *const keys[] = {HER, "cart:" HER, HER ":cart", HER "1", "cart:" OTHER};
    struct fixture *f = *state;
    int64_t of[] = {live(f, HER, "hers"), live(f, OTHER, "another's")};
    bool opt_out;

    for (int i = 0; i < 2; i++) {
        struct store_new_message m = {.peer = "+491719999999",
                                      .text = i ? "Ben is late" : SECRET_TEXT,
                                      .source = "rule:late",
                                      .flags = MSG_F_AUTOMATIC,
                                      .parts = customers_parts,
                                      .nparts = 1};

        decide_on(f, &(struct deed){.conversation = of[i], .reply = &m, .at = T0 + 5 * MINUTE});
        carry(f, m.id, 1, "m0", MSG_SENT, T0 + 6 * MINUTE);
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        on_conversation(
            f, of[1], "engine",
            (struct store_effect){.kind = EFFECT_VALUE, .name = "lua", .key = keys[i], .value = "x"}, T0);
    erase(f, HER, &opt_out);
    assert_int_equal(ask(f, "SELECT count(*) FROM message WHERE text = '" SECRET_TEXT "'"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM message WHERE text = 'Ben is late'"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM value"), 2);
}

static void unheard(struct store_op *op, int status)
{
    (void)op;
    (void)status;
}

/* A page of contacts is looked at although its batch was run twice, for the sake of an operation beside it
 * that was refused behind its first effect. */
static void test_retain_run_twice(void **state)
{
    struct fixture *f = *state;
    static const struct store_effect effects[] = {{.kind = EFFECT_NOTE, .value = "x"},
                                                  {.kind = EFFECT_PRIORITY, .n = 99}};
    struct store_retain r = {
        .op.done = unheard, .kind = RETAIN_CONTACTS, .before_wall_ms = T0 + DAY, .max = 1};
    struct store_retain busy = {.op.done = unheard, .kind = RETAIN_WORDS, .max = 1};
    int64_t c = live(f, OTHER, "live");
    struct store_handle h = {.conversation = live(f, HER, "live"),
                             .strict = true,
                             .reason = "test",
                             .who = "ctl:root",
                             .effects = effects,
                             .neffects = 2,
                             .now_wall_ms = T0};

    ask(f, "UPDATE contact SET changed = 0 RETURNING id");
    close_it(f, c, "person:Anna", T0 + MINUTE);
    store_retain(f->s, &busy); /* so that the two wait and come in one batch */
    store_retain(f->s, &r);
    assert_int_equal(DO(f, store_handle, &h), ERR_INVALID);
    assert_int_equal(r.erased, 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_export),
        TEST(test_export_many),
        TEST(test_export_cut),
        TEST(test_erase),
        TEST(test_erase_of_relay),
        TEST(test_erase_of_forwards),
        TEST(test_erase_of_what_was_told),
        TEST(test_deliveries_without_conversation),
        TEST(test_erase_busy),
        TEST(test_erased_opt_out),
        TEST(test_erase_interrupted),
        TEST(test_erase_of_campaign),
        TEST(test_numbers_stay_used),
        TEST(test_retain_messages),
        TEST(test_retain_counts),
        TEST(test_retain_raw),
        TEST(test_retain_contacts),
        TEST(test_retain_run_twice),
        TEST(test_retain_contacts_in_use),
        TEST(test_retain_raw_clock),
        TEST(test_retain_raw_of_what_waited),
        TEST(test_retain_raw_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
