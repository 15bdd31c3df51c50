/* The customer side in the store: conversations, effects, consent, the guard's counts, events, deliveries,
 * values; and that all of a decision is stored once or nothing of it. */
#include "fixture.h"

#include "store/db.h"

#define CUSTOMER "+491701234567"

enum { EVERY_EVENT = (1 << DESK_EVENTS) - 2 };

static int received;

/* A message from a number, stored as RECEIVED. */
static int64_t receive_from(struct fixture *f, const char *number, const char *text, int64_t at)
{
    static const uint8_t pdu[] = {0x00, 0x04, 0x0B, 0x91};
    struct store_inbound in = {.modem = "m0",
                               .imsi = "262",
                               .pdu = pdu,
                               .len = sizeof pdu,
                               .now_wall_ms = at,
                               .hash = {(uint8_t)received, (uint8_t)(received >> 8)},
                               .duplicate_window_ms = DAY,
                               .sender = number,
                               .scts_wall_ms = at,
                               .total = 1,
                               .seq = 1,
                               .text = text};

    received++;
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_true(in.message > 0);
    return in.message;
}

static struct store_situation situation(struct fixture *f, const char *number)
{
    struct store_situation k = {.number = number, .sim = "m0", .guard_since_wall_ms = T0 - DAY};

    assert_int_equal(DO(f, store_situation, &k), 0);
    return k;
}

static struct conv_row conversation(struct fixture *f, int64_t id)
{
    struct store_situation k = {.of = id};
    struct conv_row c;

    assert_int_equal(DO(f, store_situation, &k), 0);
    c = k.conv;
    store_situation_clear(&k);
    return c;
}

/* A customer's message, threaded; the conversation. */
static int64_t customer_writes(struct fixture *f, const char *number, const char *text, int64_t at)
{
    struct store_situation k = situation(f, number);
    struct store_handle h = {.message = receive_from(f, number, text, at),
                             .reason = "rule",
                             .who = "engine",
                             .thread = THREAD_OPEN,
                             .reopen_ms = DAY,
                             .conversation = k.reserved,
                             .now_wall_ms = at};

    store_situation_clear(&k);
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_true(h.conversation > 0);
    return h.conversation;
}

/* Effects that a person wants of a conversation; the status. */
static int person_does(struct fixture *f, int64_t conversation, const struct store_effect *effects, int n,
                       int64_t at)
{
    struct store_handle h = {.conversation = conversation,
                             .who = "person:Anna",
                             .reason = "by Anna",
                             .strict = true,
                             .effects = effects,
                             .neffects = n,
                             .now_wall_ms = at};

    return DO(f, store_handle, &h);
}

static int set_state(struct fixture *f, int64_t conversation, enum conv_state to, int64_t at)
{
    return person_does(f, conversation, &(struct store_effect){.kind = EFFECT_STATE, .n = to}, 1, at);
}

/* A person's answer in a conversation. */
static int person_replies(struct fixture *f, int64_t conversation, struct store_new_message *m, int64_t at)
{
    struct store_handle h = {.conversation = conversation,
                             .who = "person:Anna",
                             .strict = true,
                             .replies = m,
                             .nreplies = 1,
                             .now_wall_ms = at};

    m->flags |= MSG_F_PERSON;
    m->who = "person:Anna";
    return DO(f, store_handle, &h);
}

static int64_t count(struct fixture *f, const char *sql)
{
    struct store_db db;
    struct err e;
    sqlite3_stmt *st;
    int64_t n;

    assert_int_equal(db_open(&db, f->path, SQLITE_OPEN_READWRITE, &e), 0);
    assert_int_equal(db_first(&db, &st, sql, NULL, 0), 1);
    n = db_col(st, 0);
    db_end(st);
    db_close(&db, false);
    return n;
}

/* ---- conversations ---- */

/* A title has no half of a number in it: who masks card numbers would not know it for one. */
static void test_title_cuts_no_number(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "Please charge my card now: 4111 1111 1111 1111 thanks", T0);

    assert_string_equal(conversation(f, id).title, "Please charge my card now:");
    id = customer_writes(f, "+491707654321", "Order 4711 please, of the bread that I had on Monday", T0);
    assert_string_equal(conversation(f, id).title, "Order 4711 please, of the bread that I h");
}

/* The first message begins a conversation with the id that was reserved, titled by its first 40 characters;
 * the next joins it; both are counted, and the oldest unanswered one is what the customer waits since. */
static void test_conversation_begins(void **state)
{
    struct fixture *f = *state;
    struct store_situation k = situation(f, CUSTOMER);
    int64_t reserved = k.reserved;
    struct conv_row c;

    assert_int_equal(k.conv.id, 0);
    store_situation_clear(&k);
    assert_int_equal(
        customer_writes(f, CUSTOMER, "Ist mein Päckchen\nangekommen? Ich warte schon so lange", T0),
        reserved + 1);
    assert_int_equal(customer_writes(f, CUSTOMER, "hello?", T0 + MINUTE), reserved + 1);
    c = conversation(f, reserved + 1);
    assert_int_equal(c.state, CONV_NEW);
    assert_string_equal(c.title, "Ist mein Päckchen angekommen? Ich warte ");
    assert_string_equal(c.number, CUSTOMER);
    assert_string_equal(c.sim, "m0");
    assert_int_equal(c.messages_in, 2);
    assert_int_equal(c.created_wall_ms, T0);
    assert_int_equal(c.waiting_wall_ms, T0);
    assert_int_equal(c.last_in_wall_ms, T0 + MINUTE);
    k = situation(f, CUSTOMER);
    assert_int_equal(k.conv.id, reserved + 1);
    assert_int_equal(k.reserved, 0);
    assert_true(k.contact.id > 0);
    store_situation_clear(&k);
}

/* A person's reply answers: the first response is kept, the clocks stop, it is the customer's turn. An
 * automatic one does none of that. */
static void test_a_person_answers(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "help", T0);
    struct store_effect due = {.kind = EFFECT_CLOCK, .n = CLOCK_FIRST, .at_wall_ms = T0 + 60 * MINUTE};
    struct store_new_message robot = new_message(CUSTOMER, 1), m = new_message(CUSTOMER, 1);
    struct store_handle h = {.conversation = id, .replies = &robot, .nreplies = 1, .now_wall_ms = T0};
    struct conv_row c;

    assert_int_equal(person_does(f, id, &due, 1, T0), 0);
    robot.flags |= MSG_F_AUTOMATIC;
    assert_int_equal(DO(f, store_handle, &h), 0);
    c = conversation(f, id);
    assert_int_equal(c.replies_automatic, 1);
    assert_int_equal(c.first_response_wall_ms, 0);
    assert_int_equal(c.waiting_wall_ms, T0);
    assert_int_equal(c.due_wall_ms[CLOCK_FIRST], T0 + 60 * MINUTE);
    assert_int_equal(person_replies(f, id, &m, T0 + MINUTE), 0);
    c = conversation(f, id);
    assert_int_equal(m.conversation, id);
    assert_int_equal(c.state, CONV_WAITING);
    assert_int_equal(c.replies_by_persons, 1);
    assert_int_equal(c.first_response_wall_ms, T0 + MINUTE);
    assert_int_equal(c.waiting_wall_ms, 0);
    assert_int_equal(c.due_wall_ms[CLOCK_FIRST], 0);
    assert_int_equal(customer_writes(f, CUSTOMER, "thanks", T0 + 2 * MINUTE), id);
    c = conversation(f, id);
    assert_int_equal(c.state, CONV_OPEN);
    assert_int_equal(c.waiting_wall_ms, T0 + 2 * MINUTE);
}

/* A closed conversation is opened again within its time, and a new one begins after it; a snoozed one wakes;
 * who is marked as spam opens nothing. */
static void test_threading(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "one", T0), second;
    struct store_effect snooze = {.kind = EFFECT_STATE, .n = CONV_SNOOZED, .at_wall_ms = T0 + 5 * DAY};
    struct conv_row c;

    assert_int_equal(person_does(f, id, &snooze, 1, T0), 0);
    assert_int_equal(conversation(f, id).snoozed_until_wall_ms, T0 + 5 * DAY);
    assert_int_equal(customer_writes(f, CUSTOMER, "two", T0 + 1), id);
    assert_int_equal(conversation(f, id).state, CONV_OPEN);
    assert_int_equal(set_state(f, id, CONV_CLOSED, T0 + 2), 0);
    c = conversation(f, id);
    assert_int_equal(c.closed_wall_ms, T0 + 2);
    assert_int_equal(c.waiting_wall_ms, 0);
    assert_int_equal(customer_writes(f, CUSTOMER, "three", T0 + DAY), id);
    c = conversation(f, id);
    assert_int_equal(c.state, CONV_OPEN);
    assert_int_equal(c.reopened, 1);
    assert_int_equal(set_state(f, id, CONV_CLOSED, T0 + DAY), 0);
    second = customer_writes(f, CUSTOMER, "four", T0 + 3 * DAY);
    assert_true(second > id);
    assert_int_equal(set_state(f, id, CONV_OPEN, T0 + 3 * DAY), ERR_REFUSED);
    assert_int_equal(set_state(f, second, CONV_SPAM, T0 + 3 * DAY), 0);
    assert_int_equal(set_state(f, second, CONV_CLOSED, T0 + 3 * DAY), ERR_REFUSED);
    assert_int_equal(customer_writes(f, CUSTOMER, "buy", T0 + 3 * DAY + 1), second);
    assert_int_equal(conversation(f, second).state, CONV_SPAM);
}

/* STOP and a survey's answer join a conversation and leave its state; where there is none they begin none. */
static void test_joining(void **state)
{
    struct fixture *f = *state;
    struct store_handle h = {
        .message = receive_from(f, "+492", "STOP", T0), .thread = THREAD_JOIN, .now_wall_ms = T0};
    int64_t id = customer_writes(f, CUSTOMER, "one", T0);

    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_int_equal(h.conversation, 0);
    assert_int_equal(set_state(f, id, CONV_CLOSED, T0), 0);
    h.message = receive_from(f, CUSTOMER, "5", T0);
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_int_equal(h.conversation, id);
    assert_int_equal(conversation(f, id).state, CONV_CLOSED);
    assert_int_equal(conversation(f, id).messages_in, 2);
}

/* Each SIM has its own conversation with a customer; a person can begin one. */
static void test_one_for_each_sim(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "one", T0);
    struct store_new_message m = new_message(CUSTOMER, 1);
    struct store_handle h = {.number = CUSTOMER,
                             .sim = "m1",
                             .who = "person:Anna",
                             .thread = THREAD_OPEN,
                             .replies = &m,
                             .nreplies = 1,
                             .now_wall_ms = T0};

    m.flags |= MSG_F_PERSON;
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_int_not_equal(h.conversation, id);
    assert_int_equal(h.opened, OPENED_NEW);
    assert_string_equal(conversation(f, h.conversation).sim, "m1");
    assert_int_equal(conversation(f, h.conversation).state, CONV_WAITING);
    assert_int_equal(conversation(f, h.conversation).messages_in, 0);
}

/* ---- effects ---- */

/* Every effect on a conversation does what it says, once, and leaves its entry in the timeline. */
static void test_effects_on_a_conversation(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "one", T0), entries;
    const struct store_effect effects[] = {
        {.kind = EFFECT_DEPARTMENT, .value = "sales"},
        {.kind = EFFECT_ASSIGN, .value = "Anna"},
        {.kind = EFFECT_PRIORITY, .n = PRIORITY_URGENT},
        {.kind = EFFECT_FLAG, .n = 1, .value = "stop please"},
        {.kind = EFFECT_NOTE, .value = "a regular"},
        {.kind = EFFECT_CLOCK, .n = CLOCK_NEXT, .at_wall_ms = T0 + 1},
        {.kind = EFFECT_OVERDUE, .n = CLOCK_NEXT},
        {.kind = EFFECT_OVERDUE, .n = CLOCK_RESOLUTION},
        {.kind = EFFECT_OFFICE},
        {.kind = EFFECT_SURVEY_ASK},
        {.kind = EFFECT_SURVEY_SCORE, .n = 4},
        {.kind = EFFECT_SURVEY_SCORE, .n = 1},
        {.kind = EFFECT_SURVEY_COMMENT, .value = "fine"},
    };
    struct conv_row c;

    entries = count(f, "SELECT count(*) FROM conversation_log");
    assert_int_equal(person_does(f, id, effects, ARRAY_LEN(effects), T0 + 5), 0);
    c = conversation(f, id);
    assert_string_equal(c.department, "sales");
    assert_string_equal(c.assignee, "Anna");
    assert_int_equal(c.state, CONV_OPEN);
    assert_int_equal(c.priority, PRIORITY_URGENT);
    assert_true(c.flagged);
    assert_int_equal(c.overdue_wall_ms[CLOCK_NEXT], T0 + 5);
    assert_int_equal(c.overdue_wall_ms[CLOCK_RESOLUTION], 0);
    assert_int_equal(c.office_wall_ms, T0 + 5);
    assert_int_equal(c.survey_wall_ms, T0 + 5);
    assert_int_equal(c.survey_score, 4);
    assert_string_equal(c.survey_person, "Anna");
    assert_int_equal(count(f, "SELECT count(*) FROM conversation_log") - entries, 10);
    /* Nothing changes: nothing is told. */
    assert_int_equal(person_does(f, id, effects, 4, T0 + 6), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM conversation_log") - entries, 10);
    assert_int_equal(conversation(f, id).changed_wall_ms, T0 + 5);
    assert_int_equal(person_does(f, 999, effects, 1, T0), ERR_NOT_FOUND);
}

/* What a clock does of a state that it saw is not done of another one. */
static void test_state_seen(void **state)
{
    struct fixture *f = *state;
    struct store_effect silent = {.kind = EFFECT_STATE, .n = CONV_CLOSED, .name = "waiting"};
    int64_t id = customer_writes(f, CUSTOMER, "one", T0);

    assert_int_equal(person_does(f, id, &silent, 1, T0 + 5), 0);
    assert_int_equal(conversation(f, id).state, CONV_NEW);
    assert_int_equal(set_state(f, id, CONV_WAITING, T0 + 6), 0);
    assert_int_equal(person_does(f, id, &silent, 1, T0 + 7), 0);
    assert_int_equal(conversation(f, id).state, CONV_CLOSED);
}

/* A clock that was stopped, stands or began anew since somebody saw that it was over is late with nothing. */
static void test_not_late_any_more(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "one", T0);
    const struct store_effect effects[] = {
        {.kind = EFFECT_CLOCK, .n = CLOCK_NEXT, .at_wall_ms = T0 + 9},
        {.kind = EFFECT_CLOCK, .n = CLOCK_RESOLUTION, .at_wall_ms = -1000},
        {.kind = EFFECT_OVERDUE, .n = CLOCK_FIRST},
        {.kind = EFFECT_OVERDUE, .n = CLOCK_NEXT},
        {.kind = EFFECT_OVERDUE, .n = CLOCK_RESOLUTION},
    };
    struct conv_row c;

    assert_int_equal(person_does(f, id, effects, ARRAY_LEN(effects), T0 + 5), 0);
    c = conversation(f, id);
    assert_int_equal(c.overdue_wall_ms[CLOCK_FIRST], 0);
    assert_int_equal(c.overdue_wall_ms[CLOCK_NEXT], 0);
    assert_int_equal(c.overdue_wall_ms[CLOCK_RESOLUTION], 0);
}

/* Contacts: fields, attributes with any name, tags; made when they are first needed. */
static void test_effects_on_a_contact(void **state)
{
    struct fixture *f = *state;
    const struct store_effect effects[] = {
        {.kind = EFFECT_CONTACT, .name = "name", .value = "O'Hara \"Q\""},
        {.kind = EFFECT_CONTACT, .name = "language", .value = "de"},
        {.kind = EFFECT_ATTRIBUTE, .name = "we\"ird.$[0]", .value = "va'lue"},
        {.kind = EFFECT_ATTRIBUTE, .name = "plan", .value = "gold"},
        {.kind = EFFECT_ATTRIBUTE, .name = "gone", .value = "x"},
        {.kind = EFFECT_ATTRIBUTE, .name = "gone"},
        {.kind = EFFECT_TAG, .name = "vip"},
        {.kind = EFFECT_TAG, .name = "alpha"},
        {.kind = EFFECT_TAG, .name = "vip"},
        {.kind = EFFECT_TAG, .name = "no"},
        {.kind = EFFECT_UNTAG, .name = "no"},
    };
    struct store_handle h = {.number = CUSTOMER,
                             .strict = true,
                             .effects = effects,
                             .neffects = ARRAY_LEN(effects),
                             .now_wall_ms = T0};
    struct store_effect bad[] = {{.kind = EFFECT_TAG, .name = "a,b"}, {.kind = EFFECT_CONTACT, .name = "x"}};
    struct store_situation k;
    char *value;

    assert_int_equal(DO(f, store_handle, &h), 0);
    k = situation(f, CUSTOMER);
    assert_string_equal(k.contact.name, "O'Hara \"Q\"");
    assert_string_equal(k.contact.language, "de");
    assert_string_equal(k.contact.tags, ",alpha,vip,");
    assert_true(contact_has_tag(&k.contact, "vip"));
    assert_false(contact_has_tag(&k.contact, "vi"));
    assert_string_equal(value = contact_attribute(&k.contact, "we\"ird.$[0]"), "va'lue");
    free(value);
    assert_string_equal(value = contact_attribute(&k.contact, "plan"), "gold");
    free(value);
    assert_null(contact_attribute(&k.contact, "gone"));
    store_situation_clear(&k);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        h.effects = &bad[i];
        h.neffects = 1;
        assert_int_equal(DO(f, store_handle, &h), ERR_INVALID);
    }
}

/* Once, mute and the values of handlers. */
static void test_effects_that_are_remembered(void **state)
{
    struct fixture *f = *state;
    const struct store_effect effects[] = {
        {.kind = EFFECT_ONCE, .name = "hours"},
        {.kind = EFFECT_MUTE, .at_wall_ms = T0 + DAY, .value = "a machine"},
        {.kind = EFFECT_VALUE, .name = "count.lua", .key = "n", .value = "7"},
        {.kind = EFFECT_VALUE, .name = "count.lua", .key = "m", .value = "7"},
        {.kind = EFFECT_VALUE, .name = "count.lua", .key = "m"},
    };
    struct store_handle h = {
        .number = CUSTOMER, .effects = effects, .neffects = ARRAY_LEN(effects), .now_wall_ms = T0};
    struct store_value v = {.owner = "count.lua", .key = "n"};
    struct store_situation k;

    assert_int_equal(DO(f, store_handle, &h), 0);
    k = situation(f, CUSTOMER);
    assert_int_equal(k.nonce, 1);
    assert_string_equal(k.once[0].rule, "hours");
    assert_int_equal(k.once[0].at_wall_ms, T0);
    assert_int_equal(k.muted_until_wall_ms, T0 + DAY);
    store_situation_clear(&k);
    assert_int_equal(DO(f, store_value, &v), 0);
    assert_string_equal(v.value, "7");
    free(v.value);
    v.key = "m";
    assert_int_equal(DO(f, store_value, &v), ERR_NOT_FOUND);
}

/* ---- consent ---- */

static void consent(struct fixture *f, const char *sim, enum consent_state to)
{
    struct store_effect e = {.kind = EFFECT_CONSENT, .name = sim, .n = to, .value = "words"};
    struct store_handle h = {
        .number = CUSTOMER, .who = "person:Anna", .effects = &e, .neffects = 1, .now_wall_ms = T0};

    assert_int_equal(DO(f, store_handle, &h), 0);
}

static bool goes_out(struct fixture *f, const char *modem, uint32_t flags, char refused[MSG_REASON_BYTES])
{
    struct store_new_message m = new_message(CUSTOMER, 1);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};

    m.modem = modem;
    m.flags |= flags;
    m.override_reason = flags & MSG_F_OVERRIDE ? "she called" : NULL;
    m.who = "person:Anna";
    assert_int_equal(DO(f, store_admit, &a), 0);
    if (refused)
        memcpy(refused, m.refused, MSG_REASON_BYTES);
    return m.id > 0;
}

/* Consent of a SIM goes before that of the business; while the SIM is not known, an opt-out to any holds; one
 * for the business replaces them. The refusal names who, how and when. */
static void test_consent_by_sim(void **state)
{
    struct fixture *f = *state;
    char refused[MSG_REASON_BYTES];

    consent(f, "m0", CONSENT_OUT);
    assert_false(goes_out(f, "m0", 0, refused));
    assert_non_null(strstr(refused, CUSTOMER));
    assert_non_null(strstr(refused, "\"words\""));
    assert_non_null(strstr(refused, "by person:Anna"));
    assert_true(goes_out(f, "m1", 0, NULL));
    assert_false(goes_out(f, "", 0, NULL));
    consent(f, "", CONSENT_OUT);
    assert_false(goes_out(f, "m1", 0, NULL));
    consent(f, "m1", CONSENT_IN);
    assert_true(goes_out(f, "m1", 0, NULL));
    assert_false(goes_out(f, "m0", 0, NULL));
    consent(f, "", CONSENT_IN);
    assert_true(goes_out(f, "", 0, NULL));
}

static bool admitted(struct fixture *f, const char *to)
{
    struct store_new_message m = new_message(to, 1);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};

    assert_int_equal(DO(f, store_admit, &a), 0);
    return m.id > 0;
}

/* An opt-out holds for the number with and without its '+', whichever said STOP: networks report senders, and
 * people write recipients, as digits of no type. An opt-in does not, and short codes are what they are. */
static void test_opt_out_of_both_forms(void **state)
{
    struct fixture *f = *state;
    struct store_effect e = {.kind = EFFECT_CONSENT, .name = "", .n = CONSENT_OUT, .value = "STOP"};
    struct store_handle h = {.who = "customer", .effects = &e, .neffects = 1, .now_wall_ms = T0};

    consent(f, "", CONSENT_OUT);
    assert_true(CUSTOMER[0] == '+');
    assert_false(admitted(f, CUSTOMER + 1));
    h.number = "12125550100";
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_false(admitted(f, "+12125550100"));
    h.number = "12345";
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_true(admitted(f, "+12345"));
    consent(f, "", CONSENT_IN);
    assert_true(admitted(f, CUSTOMER + 1));
}

/* Marketing wants an opt-in. */
static void test_marketing_wants_an_opt_in(void **state)
{
    struct fixture *f = *state;
    char refused[MSG_REASON_BYTES];

    assert_false(goes_out(f, "", MSG_F_MARKETING, refused));
    assert_non_null(strstr(refused, "not opted in"));
    consent(f, "", CONSENT_IN);
    assert_true(goes_out(f, "", MSG_F_MARKETING, NULL));
}

/* A person may send in spite of an opt-out: the reason is in the message's history and in the ledger, also
 * when its turn comes. */
static void test_override(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m = new_message(CUSTOMER, 1);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};
    struct store_show h;

    consent(f, "", CONSENT_OUT);
    m.flags |= MSG_F_OVERRIDE;
    m.override_reason = "she called";
    m.who = "person:Anna";
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(m.id > 0);
    h = show(f, m.id);
    assert_non_null(strstr(h.history[0].reason, "she called"));
    assert_non_null(strstr(h.history[0].reason, "person:Anna"));
    store_show_clear(&h);
    assert_int_equal(count(f, "SELECT count(*) FROM consent_log WHERE how = 'override'"), 1);
    assert_true(intend(f, m.id, 1, T0));
}

/* ---- the guard's counts ---- */

/* Automatic replies are counted with their texts; answers right behind them are rounds, a later one ends
 * them. Confirmations to people of ours are not counted. */
static void test_guard_counts(void **state)
{
    struct fixture *f = *state;
    struct store_new_message m = new_message(CUSTOMER, 1);
    struct store_situation k;
    struct store_handle h = {.replies = &m, .nreplies = 1};

    m.flags |= MSG_F_AUTOMATIC;
    for (int i = 0; i < 3; i++) {
        int64_t at = T0 + i * 10 * SECOND;

        h.message = receive_from(f, CUSTOMER, "automatic reply", at);
        h.now_wall_ms = at;
        m.text = i == 2 ? "other" : "text";
        assert_int_equal(DO(f, store_handle, &h), 0);
    }
    k = (struct store_situation){
        .number = CUSTOMER, .sim = "", .guard_since_wall_ms = T0 + 5 * SECOND, .texts_since_wall_ms = T0};
    assert_int_equal(DO(f, store_situation, &k), 0);
    assert_int_equal(k.automatic_replies, 2);
    assert_int_equal(k.automatic_all, 2);
    assert_int_equal(k.ntexts, 3);
    assert_true(k.texts[0] == store_text_hash("other"));
    assert_true(k.texts[1] == store_text_hash("text"));
    assert_int_equal(k.rounds, 2);
    assert_int_equal(k.last_automatic_wall_ms, T0 + 20 * SECOND);
    store_situation_clear(&k);
    customer_writes(f, CUSTOMER, "I am a person", T0 + 10 * MINUTE);
    k = situation(f, CUSTOMER);
    assert_int_equal(k.rounds, 0);
    store_situation_clear(&k);
}

/* As many texts of an hour are known as a day's limit lets pass, so that one between others is found again.
 */
static void test_guard_knows_the_hour(void **state)
{
    enum { TEXTS = 30 };
    struct fixture *f = *state;
    struct store_new_message m = new_message(CUSTOMER, 1);
    struct store_situation k = {.number = CUSTOMER, .sim = "", .texts_since_wall_ms = T0};
    struct store_handle h = {.replies = &m, .nreplies = 1};
    char text[16];

    m.flags |= MSG_F_AUTOMATIC;
    m.text = text;
    for (int i = 0; i < TEXTS; i++) {
        snprintf(text, sizeof text, "text %d", i);
        h.now_wall_ms = T0 + i * MINUTE;
        h.message = receive_from(f, CUSTOMER, "hi", h.now_wall_ms);
        assert_int_equal(DO(f, store_handle, &h), 0);
    }
    assert_int_equal(DO(f, store_situation, &k), 0);
    assert_int_equal(k.ntexts, TEXTS);
    assert_true(k.texts[TEXTS - 1] == store_text_hash("text 0"));
    store_situation_clear(&k);
}

/* ---- events ---- */

static struct store_events events(struct fixture *f)
{
    struct store_events e = {.max = 100};

    assert_int_equal(DO(f, store_events, &e), 0);
    return e;
}

static void free_events(struct store_events *e)
{
    for (int i = 0; i < e->count; i++)
        event_row_clear(&e->rows[i]);
    free(e->rows);
}

static int works;

static void on_work(void *owner)
{
    (void)owner;
    works++;
}

/* Only events that somebody wants are kept, from the transactions that cause them; each is handled once. */
static void test_events(void **state)
{
    struct fixture *f = *state;
    const struct store_effect done[] = {{.kind = EFFECT_ASSIGN, .value = "Anna"},
                                        {.kind = EFFECT_STATE, .n = CONV_CLOSED}};
    const enum desk_event kinds[] = {DESK_OPENED, DESK_ASSIGNED, DESK_CLOSED};
    struct store_handle h = {.now_wall_ms = T0};
    struct store_events e;
    int64_t id;

    works = 0;
    store_set_work(f->s, on_work, NULL);
    customer_writes(f, "+492", "nobody wants to know", T0);
    assert_int_equal(works, 0);
    store_want_events(f->s, EVERY_EVENT);
    id = customer_writes(f, CUSTOMER, "hi", T0);
    assert_int_equal(works, 1);
    assert_int_equal(person_does(f, id, done, 2, T0 + 1), 0);
    assert_int_equal(works, 2);
    e = events(f);
    assert_int_equal(e.count, 3);
    for (int i = 0; i < e.count; i++) {
        assert_int_equal(e.rows[i].kind, kinds[i]);
        assert_int_equal(e.rows[i].conversation, id);
        assert_string_equal(e.rows[i].number, CUSTOMER);
        assert_string_equal(e.rows[i].sim, "m0");
        assert_int_equal(e.rows[i].depth, 0);
    }
    assert_string_equal(e.rows[0].name, "new");
    assert_string_equal(e.rows[1].name, "Anna");
    h.event = e.rows[0].id;
    free_events(&e);
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_int_equal(DO(f, store_handle, &h), ERR_REFUSED);
    store_want_events(f->s, 1 << DESK_CLOSED);
    e = events(f);
    assert_int_equal(e.count, 1);
    assert_int_equal(e.rows[0].kind, DESK_CLOSED);
    free_events(&e);
}

/* Events that events cause are as deep as told, and end; a message's report is as deep as what sent it. */
static void test_event_depth(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "hi", T0);
    struct store_effect e = {.kind = EFFECT_DEPARTMENT, .value = "a"};
    struct store_new_message m = new_message("+493", 1);
    struct store_handle h = {.conversation = id,
                             .effects = &e,
                             .neffects = 1,
                             .replies = &m,
                             .nreplies = 1,
                             .depth = DESK_EVENT_DEPTH - 1,
                             .now_wall_ms = T0};
    struct store_events got;

    store_want_events(f->s, EVERY_EVENT);
    assert_int_equal(DO(f, store_handle, &h), 0);
    e.value = "b";
    h.depth = DESK_EVENT_DEPTH;
    h.nreplies = 0;
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_true(intend(f, m.id, 1, T0));
    outcome(f, m.id, 1, MSG_FAILED, -1, T0);
    got = events(f);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.rows[0].depth, DESK_EVENT_DEPTH - 1);
    assert_string_equal(got.rows[0].text, "a");
    assert_int_equal(got.rows[1].kind, DESK_REPORT);
    assert_string_equal(got.rows[1].name, "failed");
    assert_int_equal(got.rows[1].message, m.id);
    assert_string_equal(got.rows[1].number, "+493");
    assert_int_equal(got.rows[1].depth, DESK_EVENT_DEPTH - 1);
    free_events(&got);
}

/* A schedule's time is stored once, also after it was handled, and remembered. */
static void test_schedule(void **state)
{
    struct fixture *f = *state;
    struct store_put_event p = {.row = {.kind = DESK_SCHEDULE, .name = "morning", .at_wall_ms = T0},
                                .key = "schedule:morning:1"};
    struct store_schedule c = {.name = "morning"};
    struct store_handle h = {.now_wall_ms = T0};

    store_want_events(f->s, EVERY_EVENT);
    assert_int_equal(DO(f, store_schedule, &c), 0);
    assert_int_equal(c.last_wall_ms, 0);
    assert_int_equal(DO(f, store_put_event, &p), 0);
    assert_true(p.row.id > 0);
    h.event = p.row.id;
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_int_equal(DO(f, store_put_event, &p), 0);
    assert_int_equal(p.row.id, 0);
    assert_int_equal(DO(f, store_schedule, &c), 0);
    assert_int_equal(c.last_wall_ms, T0);
    p.key = "schedule:morning:2";
    assert_int_equal(DO(f, store_put_event, &p), 0);
    assert_true(p.row.id > h.event);
}

/* ---- deliveries ---- */

/* A delivery waits until it is done with, is tried again later, and is made once for an event. */
static void test_deliveries(void **state)
{
    struct fixture *f = *state;
    struct store_effect e = {.kind = EFFECT_DELIVER, .name = "crm", .key = "message:1", .value = "{}"};
    struct store_handle h = {.effects = &e, .neffects = 1, .now_wall_ms = T0}, done = {.now_wall_ms = T0};
    struct store_deliveries d = {.until_wall_ms = T0, .max = 10};
    struct store_delivery_again again = {.next_wall_ms = T0 + MINUTE, .reason = "503"};

    works = 0;
    store_set_work(f->s, on_work, NULL);
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_true(works > 0);
    assert_int_equal(DO(f, store_deliveries, &d), 0);
    assert_int_equal(d.count, 1);
    assert_string_equal(d.rows[0].handler, "crm");
    assert_string_equal(d.rows[0].event, "message:1");
    assert_string_equal(d.rows[0].body, "{}");
    again.id = done.delivery = d.rows[0].id;
    delivery_row_clear(&d.rows[0]);
    free(d.rows);
    assert_int_equal(DO(f, store_delivery_again, &again), 0);
    assert_int_equal(DO(f, store_deliveries, &d), 0);
    assert_int_equal(d.count, 0);
    assert_int_equal(d.next_wall_ms, T0 + MINUTE);
    d.until_wall_ms = T0 + MINUTE;
    assert_int_equal(DO(f, store_deliveries, &d), 0);
    assert_int_equal(d.rows[0].attempts, 1);
    delivery_row_clear(&d.rows[0]);
    free(d.rows);
    assert_int_equal(DO(f, store_handle, &done), 0);
    assert_int_equal(DO(f, store_handle, &done), ERR_REFUSED);
}

/* ---- all or nothing ---- */

/* One thing that cannot be done takes back everything of its decision, and nothing of another's in the same
 * commit. */
static void test_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "hi", T0), entries;
    const struct store_effect effects[] = {{.kind = EFFECT_NOTE, .value = "first"},
                                           {.kind = EFFECT_TAG, .name = "vip"},
                                           {.kind = EFFECT_PRIORITY, .n = 99}};
    struct store_situation k;

    entries = count(f, "SELECT count(*) FROM conversation_log");
    assert_int_equal(person_does(f, id, effects, 3, T0), ERR_INVALID);
    assert_int_equal(count(f, "SELECT count(*) FROM conversation_log"), entries);
    k = situation(f, CUSTOMER);
    assert_null(k.contact.tags);
    store_situation_clear(&k);
    assert_int_equal(person_does(f, id, effects, 2, T0), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM conversation_log"), entries + 2);
}

static void ignored(struct store_op *op, int status)
{
    (void)op;
    assert_int_equal(status, 0);
}

/* Another's failure in the same commit makes a decision run twice: the number that was reserved is the same
 * the second time, and what is said of it is done. */
static void test_decided_twice(void **state)
{
    struct fixture *f = *state;
    const struct store_effect fails[] = {{.kind = EFFECT_NOTE, .value = "gone"},
                                         {.kind = EFFECT_PRIORITY, .n = 99}};
    struct store_situation k = situation(f, CUSTOMER),
                           first = {.op.done = ignored, .number = "+492", .sim = ""};
    const struct store_effect note = {.kind = EFFECT_NOTE, .conversation = k.reserved, .value = "kept"};
    int64_t id = customer_writes(f, CUSTOMER, "one", T0);
    struct store_handle h = {.op.done = ignored,
                             .message = receive_from(f, CUSTOMER, "two", T0),
                             .who = "engine",
                             .thread = THREAD_OPEN,
                             .conversation = k.reserved,
                             .effects = &note,
                             .neffects = 1,
                             .now_wall_ms = T0};

    assert_true(k.reserved != id);
    store_situation_clear(&k);
    store_situation(f->s, &first); /* while it runs, the next commit is gathered */
    store_handle(f->s, &h);
    assert_int_equal(person_does(f, id, fails, 2, T0), ERR_INVALID);
    store_situation_clear(&first);
    assert_int_equal(h.conversation, id);
    assert_string_equal(h.left_out, "");
    assert_int_equal(count(f, "SELECT count(*) FROM conversation_was"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM conversation_log WHERE what = 'note'"), 1);
}

/* What a machine wants and cannot be is left out and told; the rest is done. */
static void test_left_out(void **state)
{
    struct fixture *f = *state;
    const struct store_effect effects[] = {{.kind = EFFECT_TAG, .name = "a,b"},
                                           {.kind = EFFECT_PRIORITY, .n = 99},
                                           {.kind = EFFECT_TAG, .name = "good"}};
    struct store_handle h = {.message = receive_from(f, CUSTOMER, "hi", T0),
                             .thread = THREAD_OPEN,
                             .effects = effects,
                             .neffects = 3,
                             .now_wall_ms = T0};
    struct store_situation k;

    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_int_equal(state_of(f, h.message), MSG_HANDLED);
    assert_int_equal(strncmp(h.left_out, "tag: ", 5), 0);
    k = situation(f, CUSTOMER);
    assert_string_equal(k.contact.tags, ",good,");
    store_situation_clear(&k);
}

/* A person's message to someone who opted out is refused with everything that came with it; an automatic one
 * is left out. */
static void test_refused_by_consent(void **state)
{
    struct fixture *f = *state;
    int64_t id = customer_writes(f, CUSTOMER, "hi", T0);
    struct store_new_message m = new_message(CUSTOMER, 1);
    struct store_effect note = {.kind = EFFECT_NOTE, .value = "n"};
    struct store_handle h = {.conversation = id,
                             .strict = true,
                             .effects = &note,
                             .neffects = 1,
                             .replies = &m,
                             .nreplies = 1,
                             .now_wall_ms = T0};

    consent(f, "", CONSENT_OUT);
    m.flags |= MSG_F_PERSON;
    assert_int_equal(DO(f, store_handle, &h), ERR_REFUSED);
    assert_non_null(strstr(h.op.err.text, "opted out"));
    assert_int_equal(conversation(f, id).replies_by_persons, 0);
    m.flags = MSG_F_AUTOMATIC;
    h.conversation = id;
    assert_int_equal(DO(f, store_handle, &h), 0);
    assert_true(m.opted_out);
}

/* Of one customer's thousand messages in a random order of writing, answering, closing and snoozing, one
 * conversation is live at most, and every message belongs to one. */
static void test_random_desk(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = rt_sim_seed(11);
    struct rt *dice = rt_sim_new(seed);
    int64_t ids[64], at = T0;
    int n = 0, messages = 0;

    for (int i = 0; i < 600; i++, at += (int64_t)rt_sim_random(dice, (uint64_t)(4 * 60 * MINUTE))) {
        int64_t id = n ? ids[rt_sim_random(dice, (uint64_t)n)] : 0;
        struct store_new_message m = new_message(CUSTOMER, 1);

        switch (n ? rt_sim_random(dice, 6) : 0) {
        case 0:
        case 1:
            id = customer_writes(f, CUSTOMER, "text", at);
            messages++;
            if (n == 0 || (ids[n - 1] != id && n < 64))
                ids[n++] = id;
            break;
        case 2:
            assert_int_equal(person_replies(f, id, &m, at), 0);
            break;
        default:
            set_state(f, id, (enum conv_state)(1 + rt_sim_random(dice, CONV_STATES - 1)), at);
            break;
        }
    }
    assert_int_equal(count(f, "SELECT count(*) > 1 FROM conversation WHERE state < 5"), 0);
    assert_int_equal(count(f, "SELECT sum(messages_in) FROM conversation"), messages);
    assert_int_equal(count(f, "SELECT count(*) FROM message WHERE direction = 2 AND conversation > 0"),
                     messages);
    rt_sim_free(dice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_conversation_begins),
        TEST(test_title_cuts_no_number),
        TEST(test_a_person_answers),
        TEST(test_threading),
        TEST(test_joining),
        TEST(test_one_for_each_sim),
        TEST(test_effects_on_a_conversation),
        TEST(test_state_seen),
        TEST(test_not_late_any_more),
        TEST(test_effects_on_a_contact),
        TEST(test_effects_that_are_remembered),
        TEST(test_consent_by_sim),
        TEST(test_opt_out_of_both_forms),
        TEST(test_marketing_wants_an_opt_in),
        TEST(test_override),
        TEST(test_guard_counts),
        TEST(test_guard_knows_the_hour),
        TEST(test_events),
        TEST(test_event_depth),
        TEST(test_schedule),
        TEST(test_deliveries),
        TEST(test_all_or_nothing),
        TEST(test_decided_twice),
        TEST(test_left_out),
        TEST(test_refused_by_consent),
        TEST(test_random_desk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
