/* The relay: customers' messages on staff's telephones, staff's answers to customers, and the survey's
 * answers and the desk's own replies beside it, all through store, engine and gateway.
 */
#include "base/log.h"
#include "engine/relay_command.h"
#include "store/query_desk.h"
#include "world.h"

#define OURS  "+491701111111"
#define OTHER "+491707654321"
#define ANNA  "+491511111111"
#define BEN   "+491522222222"
#define LEA   "+491533333333"

enum { HOUR_MS = 3600000 };

static const struct engine_rule_conf rules[] = {
    {.name = "hours", .keywords = WORDS("hours"), .reply = "9-18"},
    {.name = "repair", .keywords = WORDS("repair"), .reply = "We look at it", .department = "repairs"},
};
static const struct department_conf departments[] = {
    {.name = "sales", .first_response_ms = HOUR_MS},
    {.name = "repairs"},
};
static const struct person_conf people[] = {
    {.name = "Anna", .number = ANNA, .departments = WORDS("sales")},
    {.name = "Ben", .number = BEN, .departments = WORDS("sales", "repairs")},
    {.name = "Lea", .number = LEA, .departments = WORDS("office"), .lead = true},
};
static struct engine_conf conf;
static struct department_conf with_office[3];
static struct world w;

static int set_up(void **state)
{
    (void)state;
    with_office[0] = departments[0];
    with_office[1] = departments[1];
    with_office[2] = (struct department_conf){.name = "office"};
    conf = conf_of(rules, ARRAY_LEN(rules));
    conf.departments = with_office;
    conf.ndepartments = 3;
    conf.people = people;
    conf.npeople = ARRAY_LEN(people);
    conf.hours.zone = "Europe/Berlin";
    conf.desk = (struct desk_conf){
        .relay = true, .department = "sales", .reopen_ms = 24 * HOUR_MS, .greeting = "", .office_reply = ""};
    world_start(&w, rt_sim_new(rt_sim_seed(1)), &conf, OURS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_stop(&w);
    rt_sim_free(w.rt);
    return 0;
}

static void use(void)
{
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
}

/* Of what was sent since `since`: the texts to a number, one after the other, "|" behind each. */
static const char *told(int since, const char *to)
{
    static char all[4][2000];
    static int n;
    char *out = all[n++ % 4];

    out[0] = '\0';
    for (int i = since; i < w.mr; i++)
        if (strcmp(w.sent[i].to, to) == 0)
            snprintf(out + strlen(out), 2000 - strlen(out), "%s|", w.sent[i].text);
    return out;
}

/* A text comes in and everything that follows happens; the number of the first message that went out. */
static int say(const char *from, const char *text)
{
    int since = w.mr;

    world_receive(&w, from, text);
    world_run(&w, 10000);
    return since;
}

static void assert_part(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}

/* Says something about a conversation: "#%d take". */
static int say_of(const char *from, const char *fmt, int id)
{
    char text[160];

    snprintf(text, sizeof text, fmt, id);
    return say(from, text);
}

/* The conversation that the last message to this number is about. */
static int last_of(const char *to)
{
    int id = 0;

    for (int i = 0; i < w.mr; i++)
        if (strcmp(w.sent[i].to, to) == 0)
            sscanf(w.sent[i].text, "#%d", &id);
    return id;
}

/* ---- looking into the store ---- */

struct looking {
    struct store_conv conv;
    int status;
    bool done;
};

static void looked(struct store_op *op, int status)
{
    struct looking *l = container_of(op, struct looking, conv.op);

    l->status = status;
    l->done = true;
}

static bool is_done(void *arg)
{
    return ((struct looking *)arg)->done;
}

static struct conv_row conversation(int64_t id)
{
    struct looking l = {.conv = {.op.done = looked, .id = id, .limit = 50}};
    struct conv_row row;

    store_conv(w.store, &l.conv);
    assert_true(rt_sim_run_till(w.rt, is_done, &l, MINUTE_MS));
    assert_int_equal(l.status, 0);
    row = l.conv.row;
    store_conv_clear(&l.conv);
    return row;
}

static bool noted(int64_t id, const char *text, const char *who)
{
    struct looking l = {.conv = {.op.done = looked, .id = id, .limit = 50}};
    bool found = false;

    store_conv(w.store, &l.conv);
    assert_true(rt_sim_run_till(w.rt, is_done, &l, MINUTE_MS));
    for (int i = 0; i < l.conv.count; i++)
        found = found || (l.conv.rows[i].kind == TIMELINE_NOTE && strcmp(l.conv.rows[i].text, text) == 0 &&
                          strcmp(l.conv.rows[i].who, who) == 0);
    store_conv_clear(&l.conv);
    return found;
}

/* ---- tests ---- */

/* What staff writes is told apart. */
static void test_commands(void **state)
{
    static const struct {
        const char *text;
        enum relay_kind kind;
        int id;
        const char *op, *value;
    } cases[] = {
        {"#12 we are on it", RELAY_TEXT, 12, NULL, "we are on it"},
        {" # 12: we are on it", RELAY_TEXT, 12, NULL, "we are on it"},
        {"#12! close to you", RELAY_TEXT, 12, NULL, "close to you"},
        {"#12 close", RELAY_OPERATION, 12, "close", ""},
        {"#12 Close.", RELAY_OPERATION, 12, "close", ""},
        {"#12 close to you", RELAY_OPERATION, 12, "close", "to you"},
        {"#12 closed", RELAY_TEXT, 12, NULL, "closed"},
        {"#12\nassign Ben", RELAY_OPERATION, 12, "assign", "Ben"},
        {"#12 NOTE called them", RELAY_OPERATION, 12, "note", "called them"},
        {"#12 snooze 2h", RELAY_OPERATION, 12, "snooze", "2h"},
        {"#12 reply", RELAY_TEXT, 12, NULL, "reply"},
        {"#12", RELAY_DETAILS, 12, NULL, ""},
        {"#12 ?", RELAY_DETAILS, 12, NULL, "?"},
        {"#12!", RELAY_DETAILS, 12, NULL, ""},
        {"#? 12", RELAY_DETAILS, 12, NULL, NULL},
        {"#?", RELAY_LIST, 0, NULL, NULL},
        {"# ?", RELAY_LIST, 0, NULL, NULL},
        {"#help", RELAY_HELP, 0, NULL, NULL},
        {"#0 hi", RELAY_HELP, 0, NULL, NULL},
        {"#99999999999999999999 hi", RELAY_HELP, 0, NULL, NULL},
        {"#", RELAY_HELP, 0, NULL, NULL},
        {"we are on it", RELAY_TEXT, 0, NULL, "we are on it"},
        {"", RELAY_TEXT, 0, NULL, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct relay_command c;

        relay_read(cases[i].text, &c);
        if (c.kind != cases[i].kind || c.conversation != cases[i].id)
            fail_msg("%s: %d about %lld", cases[i].text, c.kind, (long long)c.conversation);
        if (cases[i].op)
            assert_string_equal(operation_name(c.op), cases[i].op);
        if (cases[i].value)
            assert_string_equal(c.value, cases[i].value);
    }
}

/* A customer's message reaches the people of its department, and nobody else; the answer of one goes to the
 * customer from our number, in that person's name. */
static void test_there_and_back(void **state)
{
    int since = say(CUSTOMER, "Have you got rye bread?");
    struct conv_row c;
    struct world_list out;

    (void)state;
    assert_string_equal(told(since, ANNA), "#1 " CUSTOMER ": Have you got rye bread?|");
    assert_string_equal(told(since, BEN), "#1 " CUSTOMER ": Have you got rye bread?|");
    assert_int_equal(w.mr - since, 2);
    since = say(ANNA, "#1 Yes, until 6");
    assert_string_equal(told(since, CUSTOMER), "Yes, until 6|");
    assert_int_equal(w.mr - since, 1);
    c = conversation(1);
    assert_int_equal(c.state, CONV_WAITING);
    assert_int_equal(c.replies_by_persons, 1);
    assert_int_equal(c.replies_automatic, 0);
    assert_int_equal(c.messages_in, 1);
    assert_string_equal(c.department, "sales");
    assert_int_equal(c.waiting_wall_ms, 0);
    world_list(&w, MSG_OUT, &out);
    assert_int_equal(out.list.rows[0].flags & (MSG_F_PERSON | MSG_F_STAFF | MSG_F_AUTOMATIC), MSG_F_PERSON);
    assert_string_equal(out.list.rows[0].source, "person:Anna");
    assert_int_equal(out.list.rows[0].conversation, 1);
    assert_int_equal(out.list.rows[1].flags & (MSG_F_PERSON | MSG_F_STAFF | MSG_F_AUTOMATIC), MSG_F_STAFF);
    assert_int_equal(out.list.rows[1].conversation, 0);
    world_unlist(&out);
}

/* What a machine answers reaches nobody's telephone, and waits for the customer; what a rule gives to a
 * department does, and so does what comes behind a person's answer. */
static void test_who_is_told(void **state)
{
    int since = say(CUSTOMER, "hours");

    (void)state;
    assert_string_equal(told(since, CUSTOMER), "9-18|");
    assert_int_equal(w.mr - since, 1);
    assert_int_equal(conversation(1).state, CONV_WAITING);
    since = say(OTHER, "repair");
    assert_string_equal(told(since, BEN), "#2 " OTHER ": repair|");
    assert_string_equal(told(since, OTHER), "We look at it|");
    assert_int_equal(w.mr - since, 2);
    say(BEN, "#2 Ready tomorrow");
    since = say(OTHER, "hours");
    assert_string_equal(told(since, BEN), "#2 " OTHER ": hours|");
    assert_string_equal(told(since, OTHER), "9-18|");
}

/* A taken conversation reaches whose it is only; given to another, that one hears of it, and only a lead
 * gives away what is another's. */
static void test_take_and_assign(void **state)
{
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    since = say(BEN, "#1 take");
    assert_string_equal(told(since, BEN), "#1 assigned to Ben|");
    since = say(CUSTOMER, "Hello?");
    assert_string_equal(told(since, BEN), "#1 " CUSTOMER ": Hello?|");
    assert_string_equal(told(since, ANNA), "");
    since = say(ANNA, "#1 assign anna");
    assert_part(told(since, ANNA), "#1 is Ben's: only they or a lead");
    assert_string_equal(conversation(1).assignee, "Ben");
    since = say(LEA, "#1 assign an");
    assert_part(told(since, LEA), "#1 assigned to Anna");
    assert_part(told(since, ANNA), "assigned to Anna (Lea). \"Have you got rye bread?\"");
    assert_string_equal(conversation(1).assignee, "Anna");
    since = say(LEA, "#1 assign nobody");
    assert_part(told(since, LEA), "expected one of Anna, Ben, Lea");
    assert_string_equal(told(since, CUSTOMER), "");
}

/* Notes, tags, priorities, closing and opening again, each told to who did it, and nothing of it to the
 * customer. */
static void test_operations(void **state)
{
    static const char *const said[][2] = {
        {"#1 note wants two", "#1 noted|"},
        {"#1 tag vip", "#1 tagged vip|"},
        {"#1 priority high", "#1 priority high|"},
        {"#1 snooze 2h", "#1 snoozed until 2026-11-21 12:0"},
        {"#1 reopen", "#1 open again|"},
        {"#1 close", "#1 closed|"},
        {"#1 close", "#1 is closed already|"},
        {"#1 sorry, one more thing", "#1 is closed: reopen it first|"},
        {"#1 close to the station", "close: expected nothing behind it. Nothing was done or sent"},
        {"#1 department repairs", "#1 is closed: reopen it first"},
        {"#1 reopen", "#1 open again|"},
        {"#1 department nowhere", "expected one of sales, repairs, office"},
        {"#1 snooze tomorrow", "#1 snoozed until 2026-11-22 0:00|"},
        {"#7 hello", "#7 is not known: nothing was done or sent|"},
    };
    struct conv_row c;
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        since = say(ANNA, said[i][0]);
        assert_part(told(since, ANNA), said[i][1]);
        assert_string_equal(told(since, CUSTOMER), "");
    }
    assert_true(noted(1, "wants two", "person:Anna"));
    c = conversation(1);
    assert_int_equal(c.state, CONV_SNOOZED);
    assert_int_equal(c.priority, PRIORITY_HIGH);
    since = say(ANNA, "#1! close to the station");
    assert_string_equal(told(since, CUSTOMER), "close to the station|");
}

static bool merged;

static void on_merged(struct store_op *op, int status)
{
    (void)op;
    assert_int_equal(status, 0);
    merged = true;
}

static bool is_merged(void *arg)
{
    (void)arg;
    return merged;
}

/* Staff was told of two conversations that are one now, since the customers are: the number that is gone
 * works as the other one does, and the answer says which that is. */
static void test_folded(void **state)
{
    struct store_merge m = {.op.done = on_merged, .from = OTHER, .into = CUSTOMER, .who = "x"};
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    since = say(OTHER, "It is me again");
    assert_string_equal(told(since, ANNA), "#2 " OTHER ": It is me again|");
    m.now_wall_ms = rt_wall_ms(w.rt);
    merged = false;
    store_merge(w.store, &m);
    assert_true(rt_sim_run_till(w.rt, is_merged, NULL, MINUTE_MS));
    since = say(ANNA, "#2 take");
    assert_string_equal(told(since, ANNA), "#1 assigned to Anna|");
    since = say(ANNA, "#2 Yes, until 6");
    assert_string_equal(told(since, OTHER), "Yes, until 6|");
    assert_int_equal(conversation(1).replies_by_persons, 1);
    assert_int_equal(conversation(2).id, 1);
    /* Of two who answer at once, the second hears of the first, whichever number they say. */
    say(CUSTOMER, "And tomorrow?");
    since = w.mr;
    world_receive(&w, LEA, "#2 Tomorrow, too");
    world_receive(&w, BEN, "#1 No");
    world_run(&w, 10000);
    assert_string_equal(told(since, CUSTOMER), "No|");
    assert_part(told(since, LEA), "#1: Ben answered ");
}

/* Another department's conversation is neither answered nor told by who does not belong there. */
static void test_departments(void **state)
{
    int since;

    (void)state;
    say(CUSTOMER, "repair");
    since = say(ANNA, "#1 we do");
    assert_string_equal(told(since, ANNA), "#1 is of another department: nothing was done or sent|");
    since = say(ANNA, "#? 1");
    assert_string_equal(told(since, ANNA), "#1 is of another department: nothing was done or sent|");
    since = say(LEA, "#? 1");
    assert_part(told(since, LEA), "#1 " CUSTOMER ", new, repairs, waits 0 min\n");
    assert_part(told(since, LEA), "automatic: \"We look at it\"\ncustomer: \"repair\"|");
    since = say(BEN, "#1 department sales");
    assert_part(told(since, ANNA), "moved to sales (Ben). \"repair\"");
}

/* Of two who answer, the second hears what the first said, the first hears of the second, and the customer
 * one answer; said on purpose, it goes out too. At the same moment as well. */
static void test_two_answer(void **state)
{
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    say(ANNA, "#1 Yes");
    world_run(&w, 5 * MINUTE_MS);
    since = say(BEN, "#1 No, sorry");
    assert_string_equal(told(since, CUSTOMER), "");
    assert_part(told(since, BEN),
                "#1: Anna answered 5 min ago: \"Yes\". Yours was not sent; #1! TEXT sends it|");
    assert_part(told(since, ANNA), "#1 " CUSTOMER ": Ben wanted to answer too: \"No, sorry\"|");
    since = say(BEN, "#1! But only one");
    assert_string_equal(told(since, CUSTOMER), "But only one|");
    say(CUSTOMER, "When do you close?");
    since = w.mr;
    world_receive(&w, ANNA, "#1 At six");
    world_receive(&w, BEN, "#1 At eight");
    world_run(&w, MINUTE_MS);
    assert_string_equal(told(since, CUSTOMER), "At six|");
    assert_part(told(since, BEN), "Anna answered 0 min ago: \"At six\"");
    assert_part(told(since, ANNA), "Ben wanted to answer too: \"At eight\"");
}

/* Without a number an answer goes where it can only be meant for; else it is asked back, and nothing is
 * sent. */
static void test_without_number(void **state)
{
    char expected[120];
    int since, first, second;

    (void)state;
    since = say(ANNA, "Hello?");
    assert_part(told(since, ANNA), "Nothing was sent: nobody's message came to you");
    say(CUSTOMER, "Have you got rye bread?");
    since = say(ANNA, "Yes, we have");
    assert_string_equal(told(since, CUSTOMER), "Yes, we have|");
    first = last_of(ANNA);
    say(OTHER, "And rolls?");
    second = last_of(ANNA);
    since = say(ANNA, "Sure");
    snprintf(expected, sizeof expected,
             "Nothing was sent: for whom is it? Write #%d or #%d before your text|", second, first);
    assert_string_equal(told(since, ANNA), expected);
    assert_string_equal(told(since, CUSTOMER), "");
    assert_string_equal(told(since, OTHER), "");
    since = say(ANNA, "stop");
    assert_part(told(since, ANNA), "Nothing was sent");
    world_run(&w, 3 * HOUR_MS);
    say(OTHER, "Hello?");
    since = say(ANNA, "Sure, come");
    assert_string_equal(told(since, OTHER), "Sure, come|");
}

/* A list of what is open, for whom it concerns; the rest is counted. */
static void test_list(void **state)
{
    char number[24];
    int since;

    (void)state;
    since = say(ANNA, "#?");
    assert_string_equal(told(since, ANNA), "0 open|");
    for (int i = 0; i < 8; i++) {
        snprintf(number, sizeof number, "+49170999%04d", i);
        say(number, "Have you got rye bread?");
    }
    say(CUSTOMER, "repair");
    say_of(BEN, "#%d take", last_of(BEN));
    since = say(ANNA, "#?");
    assert_part(told(since, ANNA), "8 open\n#");
    assert_part(told(since, ANNA), " +491709990007: Have you got rye bread?\n#");
    assert_part(told(since, ANNA), "and 2 more");
    since = say(BEN, "#?");
    assert_part(told(since, BEN), "9 open\n#");
    assert_part(told(since, BEN), " " CUSTOMER " (Ben): repair\n");
    since = say(BEN, "#help");
    assert_part(told(since, BEN), "#12 TEXT answers customer 12.");
}

/* Who opted out gets nothing from staff either, and staff hears why; what they write is told all the same. */
static void test_opted_out(void **state)
{
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    say(CUSTOMER, "STOP");
    since = say(ANNA, "#1 Yes");
    assert_string_equal(told(since, CUSTOMER), "");
    assert_string_equal(told(since, ANNA), "#1 has opted out of messages: nothing was sent|");
}

/* A machine on a telephone of staff is not answered for ever. */
static void test_machine(void **state)
{
    int since = w.mr;

    (void)state;
    for (int i = 0; i < 40; i++)
        say(ANNA, "I am driving");
    assert_int_equal(w.mr - since, 30);
    world_run(&w, 11 * MINUTE_MS);
    since = say(ANNA, "#help");
    assert_int_equal(w.mr - since, 2); /* it is as long as that */
}

/* A machine on a telephone of staff and one on a customer's fall silent: staff's is told once how a text is
 * meant for the customer, and said so it goes. */
static void talk_by_machine(const char *const *words, int most)
{
    int first = w.mr, mine = say(CUSTOMER, "Out of office"), theirs;

    for (int i = 0; i < 40; i++) {
        theirs = *told(mine, ANNA) ? say(ANNA, words[i % 12]) : w.mr;
        mine = *told(theirs, CUSTOMER) ? say(CUSTOMER, "Out of office") : theirs;
    }
    theirs = say(ANNA, words[40 % 12]);
    assert_int_equal(theirs, w.mr);
    assert_part(told(first, ANNA), "Nothing was sent: it looks like a telephone that answers by itself");
    if (strstr(strstr(told(first, ANNA), "by itself") + 1, "by itself"))
        fail_msg("told again: %s", told(first, ANNA));
    for (int i = first; i < w.mr; i++)
        most -= strcmp(w.sent[i].to, CUSTOMER) == 0;
    assert_int_equal(most, 0);
}

static void test_two_machines(void **state)
{
    static const char *const same[12] = {"I am driving", "I am driving", "I am driving", "I am driving",
                                         "I am driving", "I am driving", "I am driving", "I am driving",
                                         "I am driving", "I am driving", "I am driving", "I am driving"};
    int since;

    (void)state;
    conf.guard.same_text = 2;
    conf.guard.same_text_ms = HOUR_MS;
    use();
    talk_by_machine(same, 2);
    since = say_of(ANNA, "#%d I am driving", last_of(ANNA));
    assert_string_equal(told(since, CUSTOMER), "I am driving|");
    world_run(&w, HOUR_MS);
    say(CUSTOMER, "Hello?");
    since = say(ANNA, "I am driving");
    assert_string_equal(told(since, CUSTOMER), "I am driving|");
}

/* The same where each answer has another text. */
static void test_two_machines_of_many_words(void **state)
{
    static const char *const many[12] = {"driving 1", "driving 2",  "driving 3",  "driving 4",
                                         "driving 5", "driving 6",  "driving 7",  "driving 8",
                                         "driving 9", "driving 10", "driving 11", "driving 12"};
    int since;

    (void)state;
    conf.guard.rounds = 4;
    use();
    talk_by_machine(many, 4);
    say(CUSTOMER, "Hello?");
    world_run(&w, MINUTE_MS);
    since = say(ANNA, "Arrived"); /* a person, who takes the time to read */
    assert_string_equal(told(since, CUSTOMER), "Arrived|");
}

/* The same where the network tells the person's number in another form than the configuration. */
static void test_two_machines_other_form(void **state)
{
    static const char *const same = "I am driving";
    int mine, theirs, n = 0;

    (void)state;
    conf.country = "49";
    conf.guard.same_text = 2;
    conf.guard.same_text_ms = HOUR_MS;
    use();
    mine = say(CUSTOMER, "Out of office");
    for (int i = 0; i < 10; i++) {
        theirs = *told(mine, ANNA) ? say(ANNA + 1, same) : w.mr;
        mine = *told(theirs, CUSTOMER) ? say(CUSTOMER, "Out of office") : theirs;
    }
    for (int i = 0; i < w.mr; i++)
        n += strcmp(w.sent[i].to, CUSTOMER) == 0;
    assert_int_equal(n, 2);
}

/* With the relay off a person's number is like any other; on duty, by hours, are those who are told. */
static void test_off_and_off_duty(void **state)
{
    const struct person_conf shifts[] = {
        {.name = "Anna", .number = ANNA, .hours.open = WORDS("Mon-Fri 09:00-17:00")},
        {.name = "Ben", .number = BEN, .hours.open = WORDS("Sat 09:00-17:00")},
    };
    int since;

    (void)state;
    conf.people = shifts;
    conf.npeople = 2;
    use();
    since = say(CUSTOMER, "Have you got rye bread?"); /* a Saturday */
    assert_string_equal(told(since, ANNA), "");
    assert_string_equal(told(since, BEN), "#1 " CUSTOMER ": Have you got rye bread?|");
    conf.desk.relay = false;
    use();
    since = say(BEN, "hours");
    assert_string_equal(told(since, BEN), "9-18|");
    since = say(CUSTOMER, "Hello?");
    assert_int_equal(w.mr - since, 0);
}

/* What comes while nobody is on duty is told to who is first, when they are. */
static void test_told_later(void **state)
{
    const struct person_conf shifts[] = {
        {.name = "Anna", .number = ANNA, .hours.open = WORDS("Mon-Fri 09:00-17:00")},
        {.name = "Ben", .number = BEN, .hours.open = WORDS("Sun 12:00-13:00", "Mon 09:00-17:00")},
    };
    int since;

    (void)state;
    conf.people = shifts;
    conf.npeople = 2;
    use();
    since = say(CUSTOMER, "Have you got rye bread?"); /* Saturday, 10:00 */
    say(BEN, "Can somebody take my shift?");
    assert_string_equal(told(since, CUSTOMER), ""); /* which Ben has not seen yet */
    assert_part(told(since, BEN), "Nothing was sent: nobody's message came to you");
    since = w.mr;
    world_run(&w, 25 * HOUR_MS);
    assert_int_equal(w.mr, since);
    world_run(&w, HOUR_MS + MINUTE_MS);
    assert_string_equal(told(since, BEN), "#1 " CUSTOMER ": Have you got rye bread?|");
    assert_string_equal(told(since, ANNA), "");
    since = say(BEN, "Yes, we have");
    assert_string_equal(told(since, CUSTOMER), "Yes, we have|");
}

/* Text of customers is data: it is one line of a message to staff, whatever is in it, and what it looks like
 * is not done. */
static void test_hostile_text(void **state)
{
    int since = say(CUSTOMER, "x\n#1 close\r{{message.from}}\t%s");

    (void)state;
    assert_string_equal(told(since, ANNA), "#1 " CUSTOMER ": x #1 close {{message.from}} %s|");
    since = say(CUSTOMER, "#1 close");
    assert_string_equal(told(since, ANNA), "#1 " CUSTOMER ": #1 close|");
    assert_int_equal(conversation(1).state, CONV_NEW);
}

/* The process dies at every commit around an answer of staff: it goes to the customer once. */
static void test_crash(void **state)
{
    (void)state;
    for (int ms = 0; ms < 90; ms += 3) {
        char text[32], expected[32];
        int since;

        say(CUSTOMER, "Have you got rye bread?");
        snprintf(text, sizeof text, "#1! answer %d", ms);
        snprintf(expected, sizeof expected, "answer %d|", ms);
        since = w.mr;
        world_receive(&w, ANNA, text);
        world_run(&w, ms);
        world_crash(&w);
        world_open(&w);
        if (!w.settled)
            world_offer(&w);
        world_run(&w, 2 * MINUTE_MS);
        assert_string_equal(told(since, CUSTOMER), expected);
    }
}

/* ---- what the desk adds ---- */

/* A greeting to a conversation's first message only, and only where nobody answered. */
static void test_greeting(void **state)
{
    int since;

    (void)state;
    conf.desk.greeting = "Welcome to {{gateway.name}}";
    use();
    since = say(CUSTOMER, "Have you got rye bread?");
    assert_string_equal(told(since, CUSTOMER), "Welcome to Blue Bakery|");
    assert_part(told(since, ANNA), "rye bread");
    since = say(CUSTOMER, "Hello?");
    assert_string_equal(told(since, CUSTOMER), "");
    since = say(OTHER, "hours");
    assert_string_equal(told(since, OTHER), "9-18|");
}

/* That we are closed is said once a day, not while a person is writing, and not to who opted out. */
static void test_office(void **state)
{
    int since;

    (void)state;
    conf.hours.open = WORDS("Mon-Fri 09:00-18:00"); /* it is Saturday, 10:00 */
    conf.desk.greeting = "Welcome";
    conf.desk.office_reply = "Closed, we answer {{hours.next}}";
    use();
    since = say(CUSTOMER, "Have you got rye bread?");
    assert_string_equal(told(since, CUSTOMER), "Closed, we answer on Monday at 9:00|");
    since = say(CUSTOMER, "Hello?");
    assert_string_equal(told(since, CUSTOMER), "");
    world_run(&w, 15 * HOUR_MS); /* Sunday, 01:00 */
    since = say(CUSTOMER, "Anybody?");
    assert_string_equal(told(since, CUSTOMER), "Closed, we answer tomorrow at 9:00|");
    say(ANNA, "#1! I am here");
    world_run(&w, 24 * HOUR_MS); /* Monday, 01:00 */
    say(ANNA, "#1! Still here");
    since = say(CUSTOMER, "Oh, good");
    assert_string_equal(told(since, CUSTOMER), "");
    world_run(&w, 10 * HOUR_MS);
    since = say(OTHER, "Have you got rolls?"); /* open */
    assert_string_equal(told(since, OTHER), "Welcome|");
}

/* The first answer has an hour of opening time; an answer stops the clock. */
static void test_clocks(void **state)
{
    int64_t asked;

    (void)state;
    conf.hours.open = WORDS("Mon-Fri 09:00-18:00");
    use();
    say(CUSTOMER, "Have you got rye bread?");
    asked = INT64_C(1795420800000); /* 2026-11-23T08:00:00Z, a Monday, 9 in Berlin */
    assert_true(conversation(1).due_wall_ms[CLOCK_FIRST] == asked + HOUR_MS);
    say(CUSTOMER, "Hello?");
    assert_true(conversation(1).due_wall_ms[CLOCK_FIRST] == asked + HOUR_MS);
    say(ANNA, "#1 Yes");
    assert_true(conversation(1).due_wall_ms[CLOCK_FIRST] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
#define FLOW(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
        FLOW(test_there_and_back),
        FLOW(test_who_is_told),
        FLOW(test_take_and_assign),
        FLOW(test_operations),
        FLOW(test_folded),
        FLOW(test_departments),
        FLOW(test_two_answer),
        FLOW(test_without_number),
        FLOW(test_list),
        FLOW(test_opted_out),
        FLOW(test_machine),
        FLOW(test_two_machines),
        FLOW(test_two_machines_of_many_words),
        FLOW(test_two_machines_other_form),
        FLOW(test_off_and_off_duty),
        FLOW(test_told_later),
        FLOW(test_hostile_text),
        FLOW(test_crash),
        FLOW(test_greeting),
        FLOW(test_office),
        FLOW(test_clocks),
    };

    log_set_level(LOG_ERR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
