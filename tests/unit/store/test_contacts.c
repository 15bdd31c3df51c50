/* Contacts and conversations as they are asked for: lists and their pages, timelines, import, merging. */
#include "customers.h"

static struct store_import import_of(struct contact_import *rows, int n)
{
    return (struct store_import){
        .contacts = rows, .count = n, .who = "ctl:root", .proof = "import: customers.csv", .now_wall_ms = T0};
}

static void import(struct fixture *f, struct contact_import *rows, int n)
{
    struct store_import i = import_of(rows, n);

    assert_int_equal(DO(f, store_import, &i), 0);
}

static void some_contacts(struct fixture *f)
{
    struct contact_import rows[] = {
        {.number = "+491700000001",
         .name = "Anna Müller",
         .tags = ",vip,returns,",
         .attributes = "{\"city\":\"Bonn\"}"},
        {.number = "+491700000002",
         .name = "Ben Ångström",
         .tags = ",vip,",
         .attributes = "{\"city\":\"Ulm\"}"},
        {.number = "+491711000003",
         .name = "Anna-Lena O'Neil",
         .attributes = "{\"city\":\"Bonn\",\"plan\":\"gold\"}"},
        {.number = "+441700000004", .name = "\"; DROP TABLE contact; --"},
    };

    import(f, rows, ARRAY_LEN(rows));
}

/* The last digits of the numbers, in the order of the list. */
static void expect_contacts(struct fixture *f, struct store_contacts c, const char *expected)
{
    char found[64] = "";

    if (c.limit == 0)
        c.limit = 50;
    assert_int_equal(DO(f, store_contacts, &c), 0);
    for (int i = 0; i < c.count; i++) {
        size_t len = strlen(c.rows[i].number);

        strncat(found, c.rows[i].number + len - 1, 1);
    }
    store_contacts_clear(&c);
    assert_string_equal(found, expected);
}

#define FIND(...)                                                                                            \
    (struct store_contacts)                                                                                  \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

/* By number, its beginning, words of the name in any case and without accents, tag, attribute, and several of
 * them together. */
static void test_contacts(void **state)
{
    struct fixture *f = *state;

    some_contacts(f);
    expect_contacts(f, FIND(0), "4123");
    expect_contacts(f, FIND(.prefix = "+4917"), "123");
    expect_contacts(f, FIND(.prefix = "+49170"), "12");
    expect_contacts(f, FIND(.search = "anna"), "31");
    expect_contacts(f, FIND(.search = "MULLER"), "1");
    expect_contacts(f, FIND(.search = "an mü"), "1");
    expect_contacts(f, FIND(.search = "angst"), "2");
    expect_contacts(f, FIND(.search = "Anna-Lena"), "3");
    expect_contacts(f, FIND(.search = "o'neil"), "3");
    expect_contacts(f, FIND(.search = "nobody"), "");
    expect_contacts(f, FIND(.search = "\"; drop"), "4");
    expect_contacts(f, FIND(.search = "anna OR ben"), "");
    expect_contacts(f, FIND(.search = "***"), "4123");
    expect_contacts(f, FIND(.search = "+49 171"), "3");
    expect_contacts(f, FIND(.search = "4917"), "123");
    expect_contacts(f, FIND(.tag = "vip"), "21");
    expect_contacts(f, FIND(.tag = "vip", .search = "anna"), "1");
    expect_contacts(f, FIND(.tag = "vip", .attribute = "city", .value = "Ulm"), "2");
    expect_contacts(f, FIND(.attribute = "city", .value = "Bonn"), "31");
    expect_contacts(f, FIND(.attribute = "city"), "321");
    expect_contacts(f, FIND(.attribute = "city", .prefix = "+49171"), "3");
    expect_contacts(f, FIND(.attribute = "plan", .search = "anna"), "3");
}

/* Whatever is searched for is words: nothing of it is a query's own language. */
static void test_any_search(void **state)
{
    static const char *const bits[] = {"\"",       "*",    "^",  "(",   ")",  ":", "-",    "+",  "{", "}",
                                       "NEAR",     "AND",  "OR", "NOT", " ",  "'", "name", "\t", ";", "--",
                                       "\xC3\xBC", "\xFF", "1",  ",",   "\\", "%", "_",    "a"};
    struct fixture *f = *state;
    const char *given = getenv("SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261121;

    some_contacts(f);
    print_message("SEED=%u\n", seed);
    srandom(seed);
    for (int i = 0; i < 500; i++) {
        struct store_contacts c = {.limit = 5};
        struct store_convs v = {.limit = 5};
        char text[128] = "";

        for (long n = random() % 8 + 1; n > 0; n--)
            strcat(text, bits[(size_t)random() % ARRAY_LEN(bits)]);
        c.search = v.search = text;
        if (DO(f, store_contacts, &c) != 0)
            fail_msg("%s: %s", text, c.op.err.text);
        if (DO(f, store_convs, &v) != 0)
            fail_msg("%s: %s", text, v.op.err.text);
        store_contacts_clear(&c);
        store_convs_clear(&v);
    }
}

/* Pages follow each other without a gap, along each order. */
static void test_pages(void **state)
{
    const struct store_contacts lists[] = {FIND(.prefix = "+49"), FIND(.search = "customer"),
                                           FIND(.tag = "all"), FIND(.attribute = "n"),
                                           FIND(.attribute = "n", .value = "x")};
    struct fixture *f = *state;
    struct contact_import rows[50] = {0};
    char numbers[50][20];

    for (int i = 0; i < 50; i++) {
        snprintf(numbers[i], sizeof numbers[i], "+49170%07d", i * 7919 % 50);
        rows[i] = (struct contact_import){
            .number = numbers[i], .name = "A Customer", .tags = ",all,", .attributes = "{\"n\":\"x\"}"};
    }
    import(f, rows, 50);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct store_contacts c = lists[i];
        bool seen[51] = {0}, more;
        int all = 0;

        c.limit = 7;
        do {
            assert_int_equal(DO(f, store_contacts, &c), 0);
            more = c.more;
            assert_int_equal(c.count, more ? 7 : 50 % 7);
            for (int k = 0; k < c.count; k++, all++) {
                c.after = c.rows[k].id;
                assert_false(seen[c.after]);
                seen[c.after] = true;
            }
            store_contacts_clear(&c);
        } while (more);
        assert_int_equal(all, 50);
    }
}

/* An import makes what is not there, adds to what is, tells which is which, and undoes no opt-out. */
static void test_import(void **state)
{
    struct fixture *f = *state;
    struct contact_import rows[] = {
        {.number = "+491700000001",
         .name = "Anna Schmidt",
         .attributes = "{\"city\":\"\",\"plan\":\"gold\"}"},
        {.number = "+491700000002", .name = "Ben Ångström", .tags = ",vip,"},
        {.number = "+491700000009", .consent = CONSENT_IN},
        {.number = "+491700000008", .consent = CONSENT_OUT},
    };
    struct store_contact c = {.number = "+491700000001"};
    struct store_ledger l = {.number = "+491700000009", .limit = 10};

    some_contacts(f);
    import(f, rows, ARRAY_LEN(rows));
    assert_true(rows[0].existed && rows[0].changed);
    assert_true(rows[1].existed && !rows[1].changed);
    assert_true(!rows[2].existed && rows[2].changed);
    assert_int_equal(DO(f, store_contact, &c), 0);
    assert_string_equal(c.row.name, "Anna Schmidt");
    assert_string_equal(c.row.attributes, "{\"plan\":\"gold\"}");
    assert_string_equal(c.row.tags, ",returns,vip,");
    contact_row_clear(&c.row);
    expect_contacts(f, FIND(.attribute = "city"), "32");
    expect_contacts(f, FIND(.search = "muller"), "");
    expect_contacts(f, FIND(.search = "schmidt"), "1");
    assert_int_equal(DO(f, store_ledger, &l), 0);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.rows[0].words, "import: customers.csv");
    assert_string_equal(l.rows[0].who, "ctl:root");
    store_ledger_clear(&l);
    rows[3].consent = CONSENT_IN;
    import(f, rows + 3, 1);
    assert_true(rows[3].kept_out);
    c = (struct store_contact){.number = "+491700000008"};
    assert_int_equal(DO(f, store_contact, &c), 0);
    assert_int_equal(c.consent, CONSENT_OUT);
    contact_row_clear(&c.row);
    c = (struct store_contact){.number = "+4900"};
    assert_int_equal(DO(f, store_contact, &c), ERR_NOT_FOUND);
}

/* How consent stands is listed by number and state. */
static void test_consents(void **state)
{
    struct fixture *f = *state;
    struct contact_import rows[] = {{.number = "+491", .consent = CONSENT_IN},
                                    {.number = "+492", .consent = CONSENT_OUT},
                                    {.number = "+493", .consent = CONSENT_IN},
                                    {.number = "+494", .consent = CONSENT_IN}};
    struct store_consents c = {.state = CONSENT_IN, .limit = 2};

    import(f, rows, ARRAY_LEN(rows));
    assert_int_equal(DO(f, store_consents, &c), 0);
    assert_int_equal(c.count, 2);
    assert_true(c.more);
    assert_string_equal(c.rows[1].number, "+493");
    c.after = "+493";
    free(c.rows);
    assert_int_equal(DO(f, store_consents, &c), 0);
    assert_int_equal(c.count, 1);
    assert_false(c.more);
    free(c.rows);
    c = (struct store_consents){.number = "+492", .limit = 5};
    assert_int_equal(DO(f, store_consents, &c), 0);
    assert_int_equal(c.rows[0].state, CONSENT_OUT);
    free(c.rows);
}

/* ---- conversations ---------------------------------------------------------------------------------------
 */

#define LIST(...)                                                                                            \
    (struct store_convs)                                                                                     \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

/* Their numbers' last digits. */
static void expect_convs(struct fixture *f, struct store_convs c, const char *expected)
{
    char found[64] = "";

    if (c.limit == 0)
        c.limit = 50;
    assert_int_equal(DO(f, store_convs, &c), 0);
    for (int i = 0; i < c.count; i++)
        strncat(found, c.rows[i].number + strlen(c.rows[i].number) - 1, 1);
    store_convs_clear(&c);
    assert_string_equal(found, expected);
}

/* 1: sales, Anna's, waits since 10 min; 2: sales, nobody's, since 30 min; 3: support, answered; 4: closed,
 * sales, Anna's; 5: spam; 6: by the other SIM, flagged, late. */
static void some_conversations(struct fixture *f)
{
    int64_t id;

    customer_writes(f, "+491700000002", "m0", "where is my cake", "sales", NULL, T0);
    id = customer_writes(f, "+491700000004", "m0", "thanks for the CAKE", "sales", "Anna", T0 + MINUTE);
    close_it(f, id, "person:Anna", T0 + 2 * MINUTE);
    id = customer_writes(f, "+491700000003", "m0", "the oven is broken", "support", "Ben", T0 + 5 * MINUTE);
    answer(f, id, "+491700000003", "person:Ben", "off and on again", 1, T0 + 6 * MINUTE);
    id = customer_writes(f, "+491700000005", "m0", "win a car", NULL, NULL, T0 + 7 * MINUTE);
    on_conversation(f, id, "person:Ben", (struct store_effect){.kind = EFFECT_STATE, .n = CONV_SPAM},
                    T0 + 8 * MINUTE);
    customer_writes(f, "+491700000001", "m0", "a birthday cake", "sales", "Anna", T0 + 20 * MINUTE);
    id = customer_writes(f, "+491700000006", "m1", "stop please", NULL, NULL, T0 + 25 * MINUTE);
    on_conversation(f, id, "engine", (struct store_effect){.kind = EFFECT_FLAG, .n = 1, .value = "near"},
                    T0 + 25 * MINUTE);
    on_conversation(
        f, id, "engine",
        (struct store_effect){.kind = EFFECT_CLOCK, .n = CLOCK_FIRST, .at_wall_ms = T0 + 26 * MINUTE},
        T0 + 25 * MINUTE);
    on_conversation(f, id, "clock", (struct store_effect){.kind = EFFECT_OVERDUE, .n = CLOCK_FIRST},
                    T0 + 27 * MINUTE);
}

/* Each filter and order; live ones unless others are asked for. */
static void test_conversations(void **state)
{
    struct fixture *f = *state;
    struct contact_import named[] = {{.number = "+491700000003", .name = "Karl Ofen", .tags = ",vip,"},
                                     {.number = "+491700000004", .name = "Clara", .tags = ",vip,"}};
    const unsigned ended = 1U << CONV_CLOSED | 1U << CONV_SPAM, all = ended | CONV_BIT_LIVE;

    some_conversations(f);
    import(f, named, 2);
    expect_convs(f, LIST(0), "6132");
    expect_convs(f, LIST(.order = CONV_LONGEST), "216");
    expect_convs(f, LIST(.states = 1U << CONV_WAITING), "3");
    expect_convs(f, LIST(.states = 1U << CONV_CLOSED), "4");
    expect_convs(f, LIST(.states = ended), "54");
    expect_convs(f, LIST(.states = all), "615342");
    expect_convs(f, LIST(.department = "sales"), "12");
    expect_convs(f, LIST(.department = "sales", .states = all), "142");
    expect_convs(f, LIST(.department = ""), "6");
    expect_convs(f, LIST(.assignee = "Anna"), "1");
    expect_convs(f, LIST(.assignee = "Anna", .states = all), "14");
    expect_convs(f, LIST(.assignee = ""), "62");
    expect_convs(f, LIST(.department = "sales", .assignee = ""), "2");
    expect_convs(f, LIST(.sim = "m1"), "6");
    expect_convs(f, LIST(.overdue = true), "6");
    expect_convs(f, LIST(.flagged = true, .states = all), "6");
    expect_convs(f, LIST(.number = "+491700000004", .states = all), "4");
    expect_convs(f, LIST(.number = "+491700000004"), "");
    expect_convs(f, LIST(.tag = "vip"), "3");
    expect_convs(f, LIST(.tag = "vip", .states = all), "34");
    expect_convs(f, LIST(.search = "cake"), "12");
    expect_convs(f, LIST(.search = "cake", .states = all), "142");
    expect_convs(f, LIST(.search = "ofen"), "3");
    expect_convs(f, LIST(.search = "170 0000006"), "");
    expect_convs(f, LIST(.search = "+49 170 0000006"), "6");
    expect_convs(f, LIST(.search = "cake", .department = "sales", .assignee = "Anna"), "1");
}

/* What was late and has been answered is late no more, in lists, counts and figures of now. */
static void test_late_and_answered(void **state)
{
    struct fixture *f = *state;
    struct store_conv_counts c = {0};
    int64_t id = customer_writes(f, "+491700000006", "m0", "where is my cake", NULL, NULL, T0);

    on_conversation(f, id, "engine",
                    (struct store_effect){.kind = EFFECT_CLOCK, .n = CLOCK_FIRST, .at_wall_ms = T0 + MINUTE},
                    T0);
    on_conversation(f, id, "clock", (struct store_effect){.kind = EFFECT_OVERDUE, .n = CLOCK_FIRST},
                    T0 + 2 * MINUTE);
    expect_convs(f, LIST(.overdue = true), "6");
    answer(f, id, "+491700000006", "person:Ben", "here", 1, T0 + 3 * MINUTE);
    expect_convs(f, LIST(.overdue = true), "");
    assert_int_equal(DO(f, store_conv_counts, &c), 0);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.rows[0].overdue, 0);
    free(c.rows);
}

/* Pages along each order, live and ended ones together too. */
static void test_conversation_pages(void **state)
{
    const unsigned all = 1U << CONV_CLOSED | CONV_BIT_LIVE;
    const struct store_convs lists[] = {
        LIST(.states = all), LIST(.order = CONV_LONGEST), LIST(.search = "page", .states = all),
        LIST(.department = "sales", .states = all), LIST(.tag = "t", .states = all)};
    const int expected[] = {40, 30, 40, 40, 40};
    struct fixture *f = *state;

    for (int i = 0; i < 40; i++) {
        struct contact_import c = {.tags = ",t,"};
        char number[20];
        int64_t id;

        snprintf(number, sizeof number, "+49170%07d", i);
        id = customer_writes(f, number, "m0", "a page", "sales", NULL, T0 + i / 3 * SECOND);
        c.number = number;
        import(f, &c, 1);
        if (i % 4 == 0)
            close_it(f, id, "person:Anna", T0 + (i + 3) * SECOND);
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct store_convs c = lists[i];
        bool seen[41] = {0}, more;
        int n = 0;

        c.limit = 7;
        do {
            assert_int_equal(DO(f, store_convs, &c), 0);
            more = c.more;
            for (int k = 0; k < c.count; k++, n++) {
                c.after = c.rows[k].id;
                assert_false(seen[c.after]);
                seen[c.after] = true;
            }
            store_convs_clear(&c);
        } while (more);
        assert_int_equal(n, expected[i]);
    }
}

/* What is there of each kind, for a sidebar. */
static void test_counts(void **state)
{
    struct fixture *f = *state;
    struct store_conv_counts c = {0};

    some_conversations(f);
    assert_int_equal(DO(f, store_conv_counts, &c), 0);
    assert_int_equal(c.count, 3);
    assert_string_equal(c.rows[0].department, "");
    assert_int_equal(c.rows[0].overdue, 1);
    assert_int_equal(c.rows[0].flagged, 1);
    assert_string_equal(c.rows[1].department, "sales");
    assert_int_equal(c.rows[1].by_state[CONV_NEW], 1);
    assert_int_equal(c.rows[1].by_state[CONV_OPEN], 1);
    assert_int_equal(c.rows[1].unassigned, 1);
    assert_int_equal(c.rows[1].waiting, 2);
    assert_int_equal(c.rows[1].longest_wall_ms, T0);
    free(c.rows);
    c = (struct store_conv_counts){.assignee = "Anna"};
    assert_int_equal(DO(f, store_conv_counts, &c), 0);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.rows[0].by_state[CONV_OPEN], 1);
    assert_int_equal(c.rows[0].by_state[CONV_NEW], 0);
    free(c.rows);
    c = (struct store_conv_counts){.sim = "m1"};
    assert_int_equal(DO(f, store_conv_counts, &c), 0);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.rows[0].flagged, 1);
    free(c.rows);
    c = (struct store_conv_counts){0};
    assert_int_equal(DO(f, store_conv_counts, &c), 0);
    assert_string_equal(c.rows[2].department, "support");
    assert_int_equal(c.rows[2].waiting, 0);
    assert_int_equal(c.rows[2].longest_wall_ms, 0);
    free(c.rows);
}

/* A line each: kind, who, what, text. */
static void timeline_text(const struct store_conv *c, char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; i < c->count; i++) {
        const struct timeline_row *r = &c->rows[i];
        size_t n = strlen(out);

        snprintf(out + n, size - n, "%s%s|%s|%s|%s", n ? "\n" : "", timeline_kind_name(r->kind), r->who,
                 r->what, r->message.id ? r->message.text : r->text);
    }
}

static const char whole_timeline[] = "in|||where is my cake\n"
                                     "change|customer|opened|where is my cake\n"
                                     "change|engine|department|sales\n"
                                     "out|||we answer soon\n"
                                     "note|person:Anna|note|call the driver\n"
                                     "change|person:Anna|assign|Anna\n"
                                     "change|person:Anna|state|open\n"
                                     "change|person:Anna|state|waiting\n"
                                     "out|person:Anna||at noon";

static int64_t a_story(struct fixture *f)
{
    int64_t id = customer_writes(f, "+491700000001", "m0", "where is my cake", "sales", NULL, T0);

    answer(f, id, "+491700000001", NULL, "we answer soon", 1, T0 + SECOND);
    on_conversation(f, id, "person:Anna",
                    (struct store_effect){.kind = EFFECT_NOTE, .value = "call the driver"}, T0 + MINUTE);
    on_conversation(f, id, "person:Anna", (struct store_effect){.kind = EFFECT_ASSIGN, .value = "Anna"},
                    T0 + MINUTE);
    answer(f, id, "+491700000001", "person:Anna", "at noon", 1, T0 + 2 * MINUTE);
    return id;
}

/* Messages, notes and changes in the order of time, with who did it; whatever the pages' size. */
static void test_timeline(void **state)
{
    struct fixture *f = *state;
    int64_t id = a_story(f);
    char text[2048], whole[4096];

    for (int limit = 1; limit < 12; limit++) {
        struct store_conv c = {.id = id, .limit = limit};
        bool more;

        whole[0] = '\0';
        do {
            char before[4096];

            assert_int_equal(DO(f, store_conv, &c), 0);
            assert_string_equal(c.contact.number, "+491700000001");
            timeline_text(&c, text, sizeof text);
            snprintf(before, sizeof before, "%s", whole);
            snprintf(whole, sizeof whole, "%s%s%.2000s", text, *before ? "\n" : "", before);
            more = c.more;
            assert_true(!more || c.count == limit);
            c.before = c.count > 0 ? c.rows[0].id : 0;
            store_conv_clear(&c);
        } while (more);
        assert_string_equal(whole, whole_timeline);
    }
}

/* ---- merging ---------------------------------------------------------------------------------------------
 */

/* Everything comes along; of two live conversations of a SIM one is left, in the order of time; the opt-out
 * of one is the other's too. */
static void test_merge(void **state)
{
    struct fixture *f = *state;
    struct store_merge m = {
        .from = "+491700000001", .into = "+491700000002", .who = "ctl:root", .now_wall_ms = T0 + DAY};
    struct store_conv c = {.limit = 50};
    struct store_contact k = {.number = "+491700000002"};
    struct store_consents consents = {.number = "+491700000002", .limit = 5};
    int64_t a, b, other;

    some_contacts(f);
    a = customer_writes(f, "+491700000001", "m0", "first", "sales", NULL, T0);
    b = customer_writes(f, "+491700000002", "m0", "second", "sales", NULL, T0 + MINUTE);
    answer(f, b, "+491700000002", "person:Anna", "answer", 1, T0 + 2 * MINUTE);
    other = customer_writes(f, "+491700000001", "m1", "elsewhere", NULL, NULL, T0 + 3 * MINUTE);
    on_conversation(
        f, a, "engine",
        (struct store_effect){.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .name = "", .value = "STOP"},
        T0 + 4 * MINUTE);
    assert_int_equal(DO(f, store_merge, &m), 0);
    assert_int_equal(m.conversations, 2);
    assert_int_equal(DO(f, store_contact, &k), 0);
    assert_string_equal(k.row.name, "Ben Ångström");
    assert_string_equal(k.row.tags, ",returns,vip,");
    assert_string_equal(k.row.attributes, "{\"city\":\"Ulm\"}");
    assert_int_equal(k.conversations, 2);
    assert_int_equal(k.consent, CONSENT_OUT);
    store_contact_clear(&k);
    c.id = b;
    assert_int_equal(DO(f, store_conv, &c), 0);
    assert_int_equal(c.row.state, CONV_OPEN); /* the first still waits for an answer */
    assert_int_equal(c.row.waiting_wall_ms, T0);
    assert_int_equal(c.row.messages_in, 2);
    assert_string_equal(c.rows[0].message.text, "first");
    store_conv_clear(&c);
    c = (struct store_conv){.id = a, .limit = 5};
    assert_int_equal(DO(f, store_conv, &c), 0);
    assert_int_equal(c.row.id, b); /* it was folded into that one */
    store_conv_clear(&c);
    c = (struct store_conv){.id = other, .limit = 5};
    assert_int_equal(DO(f, store_conv, &c), 0);
    assert_string_equal(c.row.number, "+491700000001"); /* it is with that number still */
    store_conv_clear(&c);
    assert_int_equal(DO(f, store_consents, &consents), 0);
    assert_int_equal(consents.count, 1);
    free(consents.rows);
    expect_contacts(f, FIND(.search = "muller"), "");
    m.from = m.into;
    assert_int_equal(DO(f, store_merge, &m), ERR_INVALID);
    m.from = "+4900";
    assert_int_equal(DO(f, store_merge, &m), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_contacts),
        TEST(test_any_search),
        TEST(test_pages),
        TEST(test_import),
        TEST(test_consents),
        TEST(test_conversations),
        TEST(test_late_and_answered),
        TEST(test_conversation_pages),
        TEST(test_counts),
        TEST(test_timeline),
        TEST(test_merge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
