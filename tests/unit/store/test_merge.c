/* A contact with several numbers: how it comes to have them, what is found by each, whom answers go to, and
 * what is exported and erased. */
#include "customers.h"

#include "store/campaign.h"

#define A     "+491700000001"
#define B     "+491700000002"
#define C     "+491700000003"
#define OTHER "+491700000009"

static int try_merge(struct fixture *f, const char *from, const char *into, struct store_merge *m)
{
    *m = (struct store_merge){.from = from, .into = into, .who = "ctl:root", .now_wall_ms = T0 + DAY};
    return DO(f, store_merge, m);
}

static void merge(struct fixture *f, const char *from, const char *into)
{
    struct store_merge m;

    if (try_merge(f, from, into, &m) != 0)
        fail_msg("%s into %s: %s", from, into, m.op.err.text);
}

static void import(struct fixture *f, struct contact_import row)
{
    struct store_import i = {
        .contacts = &row, .count = 1, .who = "ctl:root", .proof = "import: x", .now_wall_ms = T0};

    assert_int_equal(DO(f, store_import, &i), 0);
}

/* The contact of a number as "MAIN: OTHERS: name". */
static void expect_contact(struct fixture *f, const char *number, const char *expected)
{
    struct store_contact k = {.number = number};
    char text[400];

    assert_int_equal(DO(f, store_contact, &k), 0);
    snprintf(text, sizeof text, "%s: %s: %s", k.row.number, k.row.others ? k.row.others : "", k.row.name);
    store_contact_clear(&k);
    assert_string_equal(text, expected);
}

static void expect_number(struct fixture *f, int64_t conversation, const char *number)
{
    struct store_conv c = {.id = conversation, .limit = 1};

    assert_int_equal(DO(f, store_conv, &c), 0);
    assert_string_equal(c.row.number, number);
    store_conv_clear(&c);
}

static int64_t writes(struct fixture *f, const char *number, const char *text, int64_t at)
{
    return customer_writes(f, number, "m0", text, NULL, NULL, at);
}

/* What a number that was merged writes later is the surviving contact's: it joins the conversation that
 * lives, or opens one again or a new one, by the rules for one contact; and a change of it is a change of
 * that. */
static void test_writes_later(void **state)
{
    struct fixture *f = *state;
    struct store_situation k = {.number = A, .sim = "m0"};
    int64_t c, second;

    import(f, (struct contact_import){.number = A, .name = "Anna", .tags = ",a,"});
    import(f, (struct contact_import){.number = B, .name = "Anna B", .language = "de", .tags = ",vip,"});
    ask(f, "UPDATE contact SET created = 7 WHERE number = '" A "' RETURNING id");
    merge(f, A, B);
    expect_contact(f, A, B ": " A ": Anna B");
    assert_int_equal(ask(f, "SELECT created FROM contact"), 7); /* a customer since then */
    c = writes(f, B, "from the main one", T0);
    assert_int_equal(writes(f, A, "from the other", T0 + MINUTE), c);
    assert_int_equal(DO(f, store_situation, &k), 0);
    assert_string_equal(k.contact.number, B);
    assert_string_equal(k.contact.tags, ",a,vip,");
    assert_string_equal(k.contact.language, "de");
    assert_int_equal(k.conv.id, c);
    store_situation_clear(&k);
    close_it(f, c, "person:Anna", T0 + 2 * MINUTE);
    assert_int_equal(writes(f, A, "again", T0 + DAY), c);
    close_it(f, c, "person:Anna", T0 + 2 * DAY);
    second = writes(f, A, "later", T0 + 9 * DAY);
    assert_true(second > c);
    decide_on(f, &(struct deed){.number = A,
                                .who = "ctl:root",
                                .effects = {{.kind = EFFECT_CONTACT, .name = "name", .value = "Berta"},
                                            {.kind = EFFECT_ATTRIBUTE, .name = "plan", .value = "gold"},
                                            {.kind = EFFECT_TAG, .name = "new"}},
                                .neffects = 3,
                                .at = T0});
    expect_contact(f, B, B ": " A ": Berta");
    assert_int_equal(ask(f, "SELECT count(*) FROM contact WHERE attributes = '{\"plan\":\"gold\"}'"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation"), 2);
}

/* A call, handled. */
static int64_t rings(struct fixture *f, const char *number, const char *sim, int64_t at)
{
    static const uint8_t none[1];
    struct store_inbound in = {.modem = sim,
                               .imsi = "262",
                               .pdu = none,
                               .now_wall_ms = at,
                               .hash = {(uint8_t)(at / MINUTE), 0xCA, 0x11},
                               .sender = number,
                               .scts_wall_ms = at,
                               .total = 1,
                               .seq = 1,
                               .text = "",
                               .flags = MSG_F_CALL};

    assert_int_equal(DO(f, store_inbound, &in), 0);
    return decide_on(f, &(struct deed){.message = in.message, .thread = THREAD_OPEN, .at = at});
}

/* An answer goes to the number that the customer wrote from last; a call does not count, for it may come from
 * a landline. Conversations that came along stay with the number that they were with. */
static void test_answers_go_to(void **state)
{
    struct fixture *f = *state;
    int64_t c, came;

    came = customer_writes(f, A, "m1", "elsewhere", NULL, NULL, T0);
    c = writes(f, B, "hello", T0);
    merge(f, A, B);
    expect_number(f, came, A);
    expect_number(f, c, B);
    writes(f, A, "from the other", T0 + MINUTE);
    expect_number(f, c, A);
    decide_on(f, &(struct deed){.message = receive_from(f, B, "m0", "STOP", T0 + 2 * MINUTE),
                                .thread = THREAD_JOIN,
                                .at = T0 + 2 * MINUTE});
    expect_number(f, c, B);
    assert_int_equal(rings(f, A, "m0", T0 + 3 * MINUTE), c);
    expect_number(f, c, B);
    expect_number(f, rings(f, A, "m2", T0 + 4 * MINUTE), B);
    expect_number(f, rings(f, OTHER, "m2", T0 + 5 * MINUTE), OTHER);
}

/* Of two conversations that become one, the later writer is the one who is answered. */
static void test_folded_number(void **state)
{
    struct fixture *f = *state;
    int64_t c;

    c = writes(f, B, "first", T0);
    writes(f, A, "second", T0 + MINUTE);
    merge(f, A, B);
    expect_number(f, c, A);
    assert_int_equal(ask(f, "SELECT messages_in FROM conversation"), 2);
}

/* What is to do about a conversation is to do about the one that it was folded into, and what was late in it
 * is late once. */
static void test_folded(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m = {.peer = A, .text = "we", .source = "test", .flags = MSG_F_PERSON};
    struct store_conv v = {.limit = 50};
    int64_t a, b, c;

    c = writes(f, C, "zero", T0);
    b = writes(f, B, "first", T0);
    a = writes(f, A, "second", T0);
    on_conversation(f, a, "engine", (struct store_effect){.kind = EFFECT_CLOCK, .at_wall_ms = T0 + 1}, T0);
    on_conversation(f, b, "engine", (struct store_effect){.kind = EFFECT_CLOCK, .at_wall_ms = T0 + DAY}, T0);
    on_conversation(f, a, "engine", (struct store_effect){.kind = EFFECT_OVERDUE}, T0 + MINUTE);
    on_conversation(f, a, "person:Anna", (struct store_effect){.kind = EFFECT_OFFICE}, T0 + MINUTE);
    merge(f, A, B);
    on_conversation(f, b, "engine", (struct store_effect){.kind = EFFECT_OVERDUE}, T0 + 2 * MINUTE);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation_log WHERE what = 'overdue'"), 1);
    assert_int_equal(ask(f, "SELECT due_first FROM conversation WHERE peer = '" A "'"), T0 + 1);
    assert_int_equal(ask(f, "SELECT office FROM conversation WHERE peer = '" A "'"), T0 + MINUTE);
    merge(f, B, C);
    m.parts = customers_parts;
    m.nparts = 1;
    m.conversation = a;
    decide_on(f, &(struct deed){.conversation = b,
                                .who = "person:Anna",
                                .effects = {{.kind = EFFECT_NOTE, .conversation = a, .value = "one"},
                                            {.kind = EFFECT_ASSIGN, .value = "Anna"},
                                            {.kind = EFFECT_NOTE, .conversation = c, .value = "two"}},
                                .neffects = 3,
                                .reply = &m,
                                .at = T0 + DAY});
    v.id = a;
    assert_int_equal(DO(f, store_conv, &v), 0);
    assert_int_equal(v.id, c);
    assert_int_equal(v.row.id, c);
    assert_string_equal(v.row.assignee, "Anna");
    assert_int_equal(v.row.replies_by_persons, 1);
    assert_int_equal(v.row.state, CONV_WAITING);
    assert_int_equal(v.rows[v.count - 1].message.id, m.id);
    store_conv_clear(&v);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation_log WHERE what = 'note'"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation_was"), 2);
}

static struct conv_row row_of(struct fixture *f, int64_t id)
{
    struct store_conv v = {.id = id, .limit = 1};
    struct conv_row row;

    assert_int_equal(DO(f, store_conv, &v), 0);
    row = v.row;
    store_conv_clear(&v);
    return row;
}

/* Who was asked about the one that is folded away is not asked again, what they said is kept, and whose it
 * was it is; another department's stays theirs. */
static void test_folded_survey(void **state)
{
    struct fixture *f = *state;
    int64_t a = customer_writes(f, A, "m0", "one", "sales", "Anna", T0), b, c;
    struct conv_row row;

    on_conversation(f, a, "clock", (struct store_effect){.kind = EFFECT_SURVEY_ASK}, T0 + MINUTE);
    on_conversation(f, a, "engine", (struct store_effect){.kind = EFFECT_SURVEY_SCORE, .n = 4}, T0 + MINUTE);
    on_conversation(f, a, "engine", (struct store_effect){.kind = EFFECT_SURVEY_COMMENT, .value = "kind"},
                    T0 + 2 * MINUTE);
    b = writes(f, B, "two", T0 + DAY);
    merge(f, A, B);
    row = row_of(f, b);
    assert_int_equal(row.survey_wall_ms, T0 + MINUTE);
    assert_int_equal(row.survey_answered_wall_ms, T0 + MINUTE);
    assert_int_equal(row.survey_score, 4);
    assert_string_equal(row.survey_person, "Anna");
    assert_string_equal(row.survey_department, "sales");
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation WHERE survey_comment = 'kind'"), 1);
    assert_string_equal(row.assignee, "Anna");
    assert_string_equal(row.department, "sales");
    assert_int_equal(row.state, CONV_OPEN);
    c = customer_writes(f, C, "m0", "three", "repairs", NULL, T0 + DAY);
    on_conversation(f, c, "clock", (struct store_effect){.kind = EFFECT_SURVEY_ASK}, T0 + 2 * DAY);
    merge(f, B, C);
    row = row_of(f, c);
    assert_int_equal(row.survey_wall_ms, T0 + 2 * DAY);
    assert_int_equal(row.survey_score, -1);
    assert_false(row.survey_commented);
    assert_string_equal(row.assignee, "");
    assert_string_equal(row.department, "repairs");
}

/* A customer's message is still being decided when a merge makes them one with whose conversation lives: the
 * number that was reserved for theirs leads there, for staff may have been told of it. No other is given it.
 */
static void test_reserved(void **state)
{
    struct fixture *f = *state;
    int64_t b = writes(f, B, "first", T0), id, reserved;
    struct store_situation k = {.number = A, .sim = "m0"};
    struct store_conv v = {.limit = 1};

    import(f, (struct contact_import){.number = A});
    id = receive_from(f, A, "m0", "second", T0 + MINUTE);
    assert_int_equal(DO(f, store_situation, &k), 0);
    reserved = k.reserved;
    store_situation_clear(&k);
    assert_true(reserved > b);
    merge(f, A, B);
    decide_on(f, &(struct deed){
                     .message = id, .conversation = reserved, .thread = THREAD_OPEN, .at = T0 + 2 * MINUTE});
    v.id = reserved;
    assert_int_equal(DO(f, store_conv, &v), 0);
    assert_int_equal(v.row.id, b);
    store_conv_clear(&v);
    fixture_stop(f);
    fixture_start(f);
    assert_true(writes(f, OTHER, "a stranger's", T0 + DAY) > reserved);
}

/* What the relay told of a conversation that was folded away is erased with the customer. */
static void test_erased_folded(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m = {.peer = OTHER, .source = "relay:2", .flags = MSG_F_STAFF};
    struct store_erase e = {.number = B, .who = "x", .now_wall_ms = T0 + DAY};
    int64_t b = writes(f, B, "first", T0), a = writes(f, A, "second", T0);
    char text[80], source[80];

    snprintf(text, sizeof text, "#%lld " A ": given to you", (long long)a);
    snprintf(source, sizeof source, "relay:%lld", (long long)a);
    m.text = text;
    m.source = source;
    m.parts = customers_parts;
    m.nparts = 1;
    decide_on(f, &(struct deed){.conversation = a, .who = "engine", .reply = &m, .at = T0 + MINUTE});
    ask(f, "UPDATE message SET state = 4 WHERE peer = '" OTHER "' RETURNING id");
    merge(f, A, B);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation_was"), 1);
    (void)b;
    do
        assert_int_equal(DO(f, store_erase, &e), 0);
    while (e.more);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation_was"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM message"), 0);
}

/* Consent, mutes and counted replies are a number's: an opt-out is shared as they become one, later each has
 * its own. */
static void test_consent_is_of_the_number(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m;
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};
    struct store_contact k = {.number = B};

    writes(f, A, "hello", T0);
    writes(f, B, "hello", T0);
    merge(f, A, B);
    decide_on(f, &(struct deed){
                     .number = A,
                     .effects = {{.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .name = "", .value = "STOP"}},
                     .neffects = 1,
                     .at = T0});
    m = new_message(A, 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(m.opted_out);
    m = new_message(B, 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_false(m.opted_out);
    assert_int_equal(DO(f, store_contact, &k), 0);
    assert_int_equal(k.consent, CONSENT_UNKNOWN);
    assert_string_equal(k.others_out, A);
    store_contact_clear(&k);
    import(f, (struct contact_import){.number = C});
    merge(f, C, A); /* into the contact of B */
    expect_contact(f, C, B ": " A "," C ": ");
    m = new_message(B, 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(m.opted_out);
    m = new_message(C, 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(m.opted_out);
}

/* A into B, B into C: all are C's. Merging what is one already makes the second number the main one; a second
 * time it is refused. */
static void test_chains(void **state)
{
    struct fixture *f = *state;
    struct store_merge m;
    int64_t c;

    c = writes(f, A, "hello", T0);
    import(f, (struct contact_import){.number = B, .name = "Ben"});
    import(f, (struct contact_import){.number = C});
    merge(f, A, B);
    merge(f, A, C); /* by its other number */
    expect_contact(f, A, C ": " A "," B ": Ben");
    expect_contact(f, B, C ": " A "," B ": Ben");
    expect_number(f, c, A);
    assert_int_equal(try_merge(f, A, C, &m), ERR_INVALID);
    assert_int_equal(try_merge(f, C, C, &m), ERR_INVALID);
    assert_int_equal(try_merge(f, OTHER, C, &m), ERR_NOT_FOUND);
    assert_int_equal(try_merge(f, C, OTHER, &m), ERR_NOT_FOUND);
    assert_int_equal(try_merge(f, C, A, &m), 0);
    assert_string_equal(m.number, A);
    expect_contact(f, B, A ": " B "," C ": Ben");
    assert_int_equal(try_merge(f, C, A, &m), ERR_INVALID);
    assert_int_equal(try_merge(f, B, C, &m), 0);
    expect_contact(f, A, C ": " A "," B ": Ben");
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM contact_also"), 2);
    fixture_crash(f);
    fixture_start(f);
    assert_int_equal(writes(f, B, "hello again", T0 + MINUTE), c);
}

static bool crash_now(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    (void)number;
    return moment == *(enum rt_sim_moment *)arg;
}

/* The process dies before the merge's commit or behind it, before anybody was told: it is done or it is not,
 * and can be asked for again. */
static void test_crash(void **state)
{
    (void)state;
    for (int moment = RT_SIM_BEFORE_RUN; moment <= RT_SIM_BEFORE_DONE; moment++) {
        static struct store_merge m; /* still looked at by the abandoned lane */
        enum rt_sim_moment at = (enum rt_sim_moment)moment;
        struct store_merge again;
        struct fixture *f;
        void *fresh;
        int64_t c;
        bool whole;

        fixture_setup(&fresh);
        f = fresh;
        c = writes(f, B, "hello", T0);
        writes(f, A, "hello", T0);
        m = (struct store_merge){
            .from = A, .into = B, .who = "x", .now_wall_ms = T0, .op.done = fixture_done};
        fixture_op_done = false;
        rt_sim_on_work(f->rt, crash_now, &at);
        store_merge(f->s, &m);
        assert_false(rt_sim_run_till(f->rt, fixture_is_done, &fixture_op_done, DAY));
        rt_sim_on_work(f->rt, NULL, NULL);
        fixture_crash(f);
        fixture_start(f);
        whole = moment != RT_SIM_BEFORE_RUN;
        assert_int_equal(ask(f, "SELECT count(*) FROM contact"), whole ? 1 : 2);
        assert_int_equal(ask(f, "SELECT count(*) FROM contact_also"), whole);
        assert_int_equal(ask(f, "SELECT count(*) FROM conversation"), whole ? 1 : 2);
        assert_int_equal(try_merge(f, A, B, &again), whole ? ERR_INVALID : 0);
        assert_int_equal(writes(f, A, "again", T0 + MINUTE), c);
        fixture_teardown(&fresh);
    }
}

/* There is an end to it. */
static void test_too_many(void **state)
{
    struct fixture *f = *state;
    struct store_merge m;
    char number[20];

    import(f, (struct contact_import){.number = A});
    for (int i = 0; i < DESK_NUMBERS_MAX; i++) {
        snprintf(number, sizeof number, "+4917100000%02d", i);
        import(f, (struct contact_import){.number = number});
        assert_int_equal(try_merge(f, number, A, &m), i + 1 < DESK_NUMBERS_MAX ? 0 : ERR_TOO_LONG);
    }
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 2);
}

/* Lists and searches find the contact and its conversations by each of its numbers. */
static void test_found(void **state)
{
    static const char *const searches[] = {"+491700000001", "491700000003", "+491700000002", "+4917"};
    struct fixture *f = *state;

    writes(f, B, "hello", T0);
    import(f, (struct contact_import){.number = A});
    import(f, (struct contact_import){.number = C});
    merge(f, A, B);
    merge(f, C, B);
    writes(f, OTHER, "of another", T0);
    for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
        struct store_convs v = {.search = searches[i], .limit = 5};
        struct store_contacts l = {.search = searches[i], .limit = 5};
        bool all = i == 3;

        assert_int_equal(DO(f, store_contacts, &l), 0);
        assert_int_equal(l.count, 1 + all);
        assert_string_equal(l.rows[0].number, B);
        assert_string_equal(l.rows[0].others, A "," C);
        store_contacts_clear(&l);
        assert_int_equal(DO(f, store_convs, &v), 0);
        assert_int_equal(v.count, 1 + all);
        store_convs_clear(&v);
        v = (struct store_convs){.number = i % 2 ? A : B, .limit = 5};
        assert_int_equal(DO(f, store_convs, &v), 0);
        assert_int_equal(v.count, 1);
        store_convs_clear(&v);
    }
}

/* A campaign to a tag writes once to a contact, to its main number. */
static void test_campaign(void **state)
{
    struct fixture *f = *state;
    struct store_campaign_new n = {
        .row = {.text = (char *)(uintptr_t) "hello"}, .tag = "club", .now_wall_ms = T0};

    import(f, (struct contact_import){.number = A, .tags = ",club,"});
    import(f, (struct contact_import){.number = B, .tags = ",club,"});
    merge(f, A, B);
    assert_int_equal(DO(f, store_campaign_new, &n), 0);
    assert_int_equal(n.row.total, 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM campaign_to WHERE number = '" B "'"), 1);
}

/* An import names a contact by any of its numbers, and may give it others; those that are another's stay so,
 * which is told. */
static void test_import(void **state)
{
    struct fixture *f = *state;
    struct contact_import rows[] = {{.number = A, .name = "Anna", .others = B},
                                    {.number = C, .name = "Clara", .others = A "," B "," C "," OTHER}};
    struct store_import i = {
        .contacts = rows, .count = 2, .who = "ctl:root", .proof = "import: x", .now_wall_ms = T0};

    assert_int_equal(DO(f, store_import, &i), 0);
    assert_int_equal(rows[0].not_joined, 0);
    assert_int_equal(rows[1].not_joined, 2);
    expect_contact(f, B, A ": " B ": Anna");
    expect_contact(f, OTHER, C ": " OTHER ": Clara");
    rows[0] = (struct contact_import){.number = B, .name = "Berta", .consent = CONSENT_OUT};
    assert_int_equal(DO(f, store_import, &i), 0);
    assert_true(rows[0].existed && rows[0].changed);
    assert_false(rows[1].changed);
    expect_contact(f, A, A ": " B ": Berta");
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM consent WHERE number = '" B "'"), 1);
    /* One that joins an opt-out. */
    rows[0] = (struct contact_import){.number = B, .others = "+491700000077"};
    i.count = 1;
    assert_int_equal(DO(f, store_import, &i), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM consent WHERE state = 2"), 3);
}

/* ---- export and erasing ---- */

static char *export_all(struct fixture *f, const char *number)
{
    struct store_export e = {.number = number};
    size_t len = 1;
    char *all = calloc(1, 1);

    do {
        assert_int_equal(DO(f, store_export, &e), 0);
        len += strlen(e.json) + 1;
        all = realloc(all, len);
        strcat(strcat(all, e.json), "\n");
        free(e.json);
    } while (!e.ended);
    return all;
}

/* A contact of two numbers, with something of each in every table, and somebody else. */
static void two_numbers(struct fixture *f)
{
    static const char *const numbers[] = {A, B};

    for (int i = 0; i < 2; i++) {
        struct deed d = {.message = receive_from(f, numbers[i], "m0", i ? "text of B" : "text of A", T0 + i),
                         .thread = THREAD_OPEN,
                         .effects = {{.kind = EFFECT_ONCE, .name = i ? "rule B" : "rule A"},
                                     {.kind = EFFECT_VALUE,
                                      .name = "script",
                                      .key = numbers[i],
                                      .value = i ? "value B" : "value A"},
                                     {.kind = EFFECT_MUTE, .at_wall_ms = T0 + DAY}},
                         .neffects = 3,
                         .at = T0 + i};

        decide_on(f, &d);
    }
    writes(f, OTHER, "text of another", T0);
    merge(f, A, B);
    decide_on(f, &(struct deed){
                     .number = A,
                     .effects = {{.kind = EFFECT_CONSENT, .n = CONSENT_OUT, .name = "", .value = "STOP"}},
                     .neffects = 1,
                     .at = T0});
}

/* What is stored about either number is all there is about both, each message once. */
static void test_export(void **state)
{
    static const char *const expected[] = {"\"other_numbers\":[\"" A "\"]", "\"text\":\"text of A\"",
                                           "\"text\":\"text of B\"",        "\"rule\":\"rule A\"",
                                           "\"rule\":\"rule B\"",           "\"value\":\"value A\"",
                                           "\"value\":\"value B\"",         "\"said\":\"out\""};
    struct fixture *f = *state;
    char *by_main, *by_other;

    two_numbers(f);
    by_main = export_all(f, B);
    by_other = export_all(f, A);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const char *at = strstr(by_main, expected[i]);

        if (!at)
            fail_msg("no %s in %s", expected[i], by_main);
        assert_null(strstr(at + 1, expected[i]));
    }
    assert_null(strstr(by_main, "another"));
    assert_int_equal(strlen(by_main), strlen(by_other));
    free(by_main);
    free(by_other);
}

/* Each call may be the last before a crash: whichever number was asked for, all goes in the end, and what is
 * left of the opt-out is a hash of its own number. */
static void test_erase(void **state)
{
    struct fixture *f = *state;
    struct store_erase e = {.number = A, .who = "ctl:root", .now_wall_ms = T0 + DAY};
    struct store_erasures open = {.number = ""};
    struct store_merge m;
    struct store_new_message n = new_message(A, 1);
    struct store_admit a = {.messages = &n, .count = 1, .now_wall_ms = T0};
    bool opt_out = false;

    two_numbers(f);
    do {
        assert_int_equal(DO(f, store_erase, &e), 0);
        opt_out = opt_out || e.opt_out;
        if (e.more && ask(f, "SELECT count(*) FROM contact") == 2)
            assert_int_equal(try_merge(f, B, OTHER, &m), ERR_BUSY);
        fixture_crash(f);
        fixture_start(f);
        assert_int_equal(DO(f, store_erasures, &open), 0);
        assert_string_equal(open.number, e.more ? A : "");
    } while (e.more);
    assert_true(opt_out);
    assert_int_equal(ask(f, "SELECT count(*) FROM contact"), 1);
    assert_int_equal(
        ask(f, "SELECT (SELECT count(*) FROM contact_also) + (SELECT count(*) FROM consent) + (SELECT "
               "count(*) FROM consent_log) + (SELECT count(*) FROM once) + (SELECT count(*) FROM muted) "
               "+ (SELECT count(*) FROM value)"),
        0);
    assert_int_equal(ask(f, "SELECT count(*) FROM message"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM conversation"), 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(n.opted_out);
    n = new_message(B, 1);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_false(n.opted_out);
    writes(f, A, "who is this", T0 + 2 * DAY);
    expect_contact(f, A, A ": : ");
}

/* Retention forgets the other numbers with the contact. */
static void test_retain(void **state)
{
    struct fixture *f = *state;
    struct store_retain r = {.kind = RETAIN_CONTACTS, .before_wall_ms = T0 + 9 * DAY, .max = 10};

    import(f, (struct contact_import){.number = A, .others = B});
    assert_int_equal(DO(f, store_retain, &r), 0);
    assert_int_equal(r.erased, 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM contact_also"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_writes_later),
        TEST(test_answers_go_to),
        TEST(test_folded_number),
        TEST(test_folded),
        TEST(test_folded_survey),
        TEST(test_erased_folded),
        TEST(test_reserved),
        TEST(test_consent_is_of_the_number),
        TEST(test_chains),
        cmocka_unit_test(test_crash),
        TEST(test_too_many),
        TEST(test_found),
        TEST(test_campaign),
        TEST(test_import),
        TEST(test_export),
        TEST(test_erase),
        TEST(test_retain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
