/* The desk: operations by command, and what its clocks do by themselves, on store, engine and gateway. */
#include "base/log.h"
#include "desk/desk.h"
#include "store/query_desk.h"
#include "tests/unit/engine/world.h"

#define OURS  "+491701111111"
#define OTHER "+491707654321"
#define ANNA  "+491511111111"
#define LEA   "+491533333333"

enum { HOUR_MS = 3600000 };
#define DAY_MS INT64_C(86400000)

static struct department_conf departments[2];
static struct person_conf people[2];
static struct engine_conf conf;
static struct world w;
static struct desk *desk;

static int set_up(void **state)
{
    (void)state;
    departments[0] = (struct department_conf){
        .name = "sales", .first_response_ms = HOUR_MS, .next_response_ms = HOUR_MS, .resolution_ms = 0};
    departments[1] = (struct department_conf){.name = "repairs"};
    people[0] = (struct person_conf){.name = "Anna", .number = ANNA};
    people[1] = (struct person_conf){.name = "Lea", .number = LEA, .lead = true};
    conf = conf_of(NULL, 0);
    conf.departments = departments;
    conf.ndepartments = 2;
    conf.people = people;
    conf.npeople = 2;
    conf.hours.zone = "Europe/Berlin";
    conf.desk = (struct desk_conf){.relay = true, .department = "sales", .reopen_ms = DAY_MS};
    world_start(&w, rt_sim_new(rt_sim_seed(1)), &conf, OURS);
    desk = desk_new(w.rt, w.engine, w.gateway, w.store);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    rt_sim_drop(w.rt);
    store_abandon(w.store);
    desk_free(desk);
    engine_free(w.engine);
    gateway_free(w.gateway);
    rt_sim_free(w.rt);
    snprintf(command, sizeof command, "rm -r %s", w.dir);
    assert_int_equal(system(command), 0);
    return 0;
}

static void restart(void)
{
    rt_sim_drop(w.rt);
    store_abandon(w.store);
    desk_free(desk);
    engine_free(w.engine);
    gateway_free(w.gateway);
    w.submit = NULL;
    w.network.at_ms = 0;
    world_open(&w);
    desk = desk_new(w.rt, w.engine, w.gateway, w.store);
}

static void use(void)
{
    assert_int_equal(engine_reconfigure(w.engine, &conf, NULL, NULL), 0);
}

/* ---- saying and looking ---- */

static int say(const char *from, const char *text)
{
    int since = w.mr;

    world_receive(&w, from, text);
    world_run(&w, 10000);
    return since;
}

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

static void assert_part(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}

struct waiting {
    union {
        struct store_conv conv;
        struct store_situation known;
        struct desk_do act;
    };
    int status;
    bool done;
};

static bool is_done(void *arg)
{
    return ((struct waiting *)arg)->done;
}

static void looked(struct store_op *op, int status)
{
    struct waiting *l = container_of(op, struct waiting, conv.op);

    l->status = status;
    l->done = true;
}

static struct conv_row conversation(int64_t id)
{
    struct waiting l = {.conv = {.op.done = looked, .id = id, .limit = 50}};
    struct conv_row row;

    store_conv(w.store, &l.conv);
    assert_true(rt_sim_run_till(w.rt, is_done, &l, MINUTE_MS));
    assert_int_equal(l.status, 0);
    row = l.conv.row;
    store_conv_clear(&l.conv);
    return row;
}

static void acted(struct desk_do *r, int status)
{
    struct waiting *l = container_of(r, struct waiting, act);

    l->status = status;
    l->done = true;
}

/* One operation; what it came to is in *out. */
static int act(struct desk_do r, struct desk_do *out)
{
    struct waiting l = {.act = r};

    l.act.done = acted;
    desk_do(desk, &l.act);
    assert_false(l.done);
    assert_true(rt_sim_run_till(w.rt, is_done, &l, MINUTE_MS));
    *out = l.act;
    return l.status;
}

static int act_as_anna(enum operation op, const char *value, struct desk_do *out)
{
    return act((struct desk_do){.op = op, .conversation = 1, .value = value, .person = "Anna"}, out);
}

/* ---- operations ---- */

/* A person's answer by command goes to the customer, once for one key, and is that person's. */
static void test_reply(void **state)
{
    struct desk_do r = {
        .op = OP_REPLY, .conversation = 1, .value = "Yes, until 6", .person = "anna", .key = "k1"};
    struct world_list out;
    struct desk_do done;
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    since = w.mr;
    assert_int_equal(act(r, &done), 0);
    assert_int_equal(done.state, CONV_WAITING);
    assert_true(done.message > 0);
    assert_int_equal(act(r, &done), 0);
    world_run(&w, 10000);
    assert_string_equal(told(since, CUSTOMER), "Yes, until 6|");
    world_list(&w, MSG_OUT, &out);
    assert_int_equal(out.list.rows[0].flags & (MSG_F_PERSON | MSG_F_AUTOMATIC), MSG_F_PERSON);
    assert_string_equal(out.list.rows[0].source, "person:Anna");
    assert_string_equal(out.list.rows[0].modem, "counter");
    assert_int_equal(out.list.rows[0].conversation, 1);
    world_unlist(&out);
    assert_int_equal(conversation(1).replies_by_persons, 1);
}

/* An answer that is repeated with its key is told as the one that was given, and does nothing again, whatever
 * has happened since: the customer's next message still waits, a conversation that was closed stays so. */
static void test_repeated(void **state)
{
    struct desk_do r = {
        .op = OP_REPLY, .conversation = 1, .value = "Yes, until 6", .person = "Anna", .key = "k1"};
    struct desk_do done;
    int64_t id;
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    assert_int_equal(act_as_anna(OP_ASSIGN, "Lea", &done), 0);
    assert_int_equal(act(r, &done), 0);
    id = done.message;
    world_run(&w, 10000);
    say(CUSTOMER, "And cake?");
    since = w.mr;
    assert_int_equal(act(r, &done), 0);
    assert_int_equal(done.message, id);
    assert_string_equal(done.words, "answered before");
    assert_int_equal(done.state, CONV_OPEN);
    world_run(&w, 10000);
    assert_int_equal(since, w.mr);
    assert_true(conversation(1).due_wall_ms[CLOCK_NEXT] > 0);
    assert_int_equal(conversation(1).state, CONV_OPEN);
    assert_int_equal(act_as_anna(OP_CLOSE, NULL, &done), 0);
    r.person = "Zoe"; /* works here no more */
    assert_int_equal(act(r, &done), 0);
    assert_int_equal(done.message, id);
    assert_int_equal(done.state, CONV_CLOSED);
}

/* Whom an operation concerns hears of it by telephone; who does it does not. */
static void test_told(void **state)
{
    struct desk_do done;
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    since = w.mr;
    assert_int_equal(
        act((struct desk_do){.op = OP_ASSIGN, .conversation = 1, .value = "anna", .who = "ctl:root"}, &done),
        0);
    assert_string_equal(done.words, "assigned to Anna");
    world_run(&w, 10000);
    assert_string_equal(told(since, ANNA),
                        "#1 " CUSTOMER ": assigned to Anna (the desk). \"Have you got rye bread?\"|");
    since = w.mr;
    assert_int_equal(act_as_anna(OP_NOTE, "wants two", &done), 0);
    assert_int_equal(act_as_anna(OP_DEPARTMENT, "REPAIRS", &done), 0);
    world_run(&w, 10000);
    assert_string_equal(told(since, ANNA), "");
    assert_string_equal(told(since, LEA),
                        "#1 " CUSTOMER ": moved to repairs (Anna). \"Have you got rye bread?\"|");
    assert_string_equal(conversation(1).department, "repairs");
    assert_string_equal(conversation(1).assignee, "Anna");
}

/* What cannot be done says why, and what was expected. */
static void test_refused(void **state)
{
    static const struct {
        enum operation op;
        const char *value;
        int status;
        const char *says;
    } cases[] = {
        {OP_REPLY, "", ERR_INVALID, "a text for the customer"},
        {OP_REPLY, "hello", ERR_REFUSED, "opted out"},
        {OP_ASSIGN, "Zoe", ERR_INVALID, "expected one of Anna, Lea"},
        {OP_DEPARTMENT, "zoo", ERR_INVALID, "expected one of sales, repairs"},
        {OP_SNOOZE, "soon", ERR_INVALID, "such as \"2h\""},
        {OP_PRIORITY, "top", ERR_INVALID, "low, normal, high or urgent"},
        {OP_TAG, "two words", ERR_INVALID, "a tag"},
        {OP_CLOSE, "now", ERR_INVALID, "nothing behind it"},
        {OP_REOPEN, NULL, ERR_REFUSED, "#1 is open"},
    };
    struct desk_do done;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    say(CUSTOMER, "STOP");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = act_as_anna(cases[i].op, cases[i].value, &done);

        if (status != cases[i].status)
            fail_msg("%s %s: %d %s", operation_name(cases[i].op), cases[i].value, status, done.err.text);
        assert_part(done.err.text, cases[i].says);
    }
    assert_int_equal(act((struct desk_do){.op = OP_CLOSE, .conversation = 99}, &done), ERR_NOT_FOUND);
    assert_part(done.err.text, "no conversation 99");
    assert_int_equal(act((struct desk_do){.op = OP_CLOSE, .conversation = 1, .person = "Zoe"}, &done),
                     ERR_INVALID);
    assert_int_equal(act((struct desk_do){.op = OP_TAKE, .conversation = 1, .who = "ctl:root"}, &done),
                     ERR_INVALID);
    assert_int_equal(act((struct desk_do){.op = OP_REPLY,
                                          .conversation = 1,
                                          .value = "Your wallet is here",
                                          .person = "Anna",
                                          .override_reason = "lost property"},
                         &done),
                     0);
    assert_int_equal(act_as_anna(OP_CLOSE, NULL, &done), 0);
    assert_int_equal(done.state, CONV_CLOSED);
    assert_int_equal(act_as_anna(OP_CLOSE, NULL, &done), ERR_REFUSED);
    assert_int_equal(act_as_anna(OP_TAG, "vip", &done), 0);
}

/* ---- clocks ---- */

/* What is late is told to the leads once, and to rules; also when the process was not there at the time. */
static void test_overdue(void **state)
{
    const struct engine_rule_conf late[] = {
        {.name = "late", .on = ENGINE_ON_OVERDUE, .tag = WORDS("late"), .priority = "high"}};
    int since;

    (void)state;
    conf.rules = late;
    conf.nrules = 1;
    use();
    say(CUSTOMER, "Have you got rye bread?");
    since = w.mr;
    world_run(&w, 50 * MINUTE_MS);
    assert_string_equal(told(since, LEA), "");
    restart();
    since = w.mr;
    world_run(&w, 11 * MINUTE_MS);
    assert_string_equal(told(since, LEA),
                        "#1 " CUSTOMER
                        " waits too long for a first answer, sales: \"Have you got rye bread?\"|");
    assert_int_equal(conversation(1).priority, PRIORITY_HIGH);
    assert_true(conversation(1).overdue_wall_ms[CLOCK_FIRST] > 0);
    since = w.mr;
    restart();
    world_run(&w, 5 * HOUR_MS);
    assert_int_equal(w.mr, since);
}

static bool count_work(void *arg, enum rt_sim_moment moment, uint64_t number)
{
    (void)number;
    *(int *)arg += moment == RT_SIM_BEFORE_RUN;
    return false;
}

/* While nothing happens the store is left alone but for a look every five minutes: no processor is kept
 * awake. */
static void test_idle(void **state)
{
    int works = 0;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?"); /* late in an hour */
    world_run(&w, MINUTE_MS);
    rt_sim_on_work(w.rt, count_work, &works);
    world_run(&w, 50 * MINUTE_MS);
    rt_sim_on_work(w.rt, NULL, NULL);
    assert_in_range(works, 1, 20);
}

/* The clock of later answers begins with each message that waits, and stops with the answer. */
static void test_next_answer(void **state)
{
    struct desk_do done;
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    act_as_anna(OP_REPLY, "Yes", &done);
    world_run(&w, 3 * HOUR_MS);
    assert_true(conversation(1).overdue_wall_ms[CLOCK_FIRST] == 0);
    since = say(CUSTOMER, "Keep two, please");
    assert_true(conversation(1).due_wall_ms[CLOCK_NEXT] > 0);
    world_run(&w, 61 * MINUTE_MS);
    assert_part(told(since, LEA), "waits too long for an answer");
}

/* The clock of the end stands while the customer takes time. */
static void test_resolution(void **state)
{
    struct desk_do done;
    int64_t due, asked;

    (void)state;
    departments[0].resolution_ms = 4 * HOUR_MS;
    use();
    say(CUSTOMER, "Have you got rye bread?");
    due = conversation(1).due_wall_ms[CLOCK_RESOLUTION];
    world_run(&w, HOUR_MS);
    act_as_anna(OP_REPLY, "How many?", &done);
    assert_true(conversation(1).due_wall_ms[CLOCK_RESOLUTION] < 0);
    world_run(&w, 10 * HOUR_MS);
    assert_true(conversation(1).overdue_wall_ms[CLOCK_RESOLUTION] == 0);
    say(CUSTOMER, "Two");
    asked = rt_wall_ms(w.rt);
    assert_true(conversation(1).due_wall_ms[CLOCK_RESOLUTION] > due + 9 * HOUR_MS);
    assert_true(conversation(1).due_wall_ms[CLOCK_RESOLUTION] < asked + 4 * HOUR_MS);
    act_as_anna(OP_CLOSE, NULL, &done);
    assert_true(conversation(1).due_wall_ms[CLOCK_RESOLUTION] == 0);
}

/* What was snoozed wakes in its time and is told to whose it is; the customer's message wakes it earlier. */
static void test_snooze(void **state)
{
    struct desk_do done;
    int since;

    (void)state;
    say(CUSTOMER, "Have you got rye bread?");
    act_as_anna(OP_TAKE, NULL, &done);
    assert_int_equal(act_as_anna(OP_SNOOZE, "2h", &done), 0);
    world_run(&w, 119 * MINUTE_MS);
    assert_int_equal(conversation(1).state, CONV_SNOOZED);
    since = w.mr;
    world_run(&w, 2 * MINUTE_MS);
    assert_int_equal(conversation(1).state, CONV_OPEN);
    assert_part(told(since, ANNA),
                "#1 " CUSTOMER " is awake again, sales, Anna: \"Have you got rye bread?\"");
    assert_int_equal(act_as_anna(OP_SNOOZE, "2h", &done), 0);
    say(CUSTOMER, "Hello?");
    assert_int_equal(conversation(1).state, CONV_OPEN);
    since = w.mr;
    world_run(&w, 50 * MINUTE_MS);
    assert_string_equal(told(since, ANNA), "");
}

/* A customer who does not write any more: the conversation is closed by itself. */
static void test_silence(void **state)
{
    struct desk_do done;

    (void)state;
    conf.desk.close_after_ms = 2 * DAY_MS;
    use();
    say(CUSTOMER, "Have you got rye bread?");
    say(OTHER, "And rolls?");
    act_as_anna(OP_REPLY, "Yes", &done);
    world_run(&w, 47 * HOUR_MS);
    assert_int_equal(conversation(1).state, CONV_WAITING);
    world_run(&w, 2 * HOUR_MS);
    assert_int_equal(conversation(1).state, CONV_CLOSED);
    assert_int_equal(conversation(2).state, CONV_NEW);
}

/* A machine answers a second message: who waits for a person because of the first one still does. */
static void test_waits_behind_machine(void **state)
{
    const struct engine_rule_conf parking[] = {
        {.name = "parking", .words = WORDS("parking"), .reply = "Behind the house"}};
    int since;

    (void)state;
    conf.rules = parking;
    conf.nrules = 1;
    use();
    say(CUSTOMER, "Can I return a cake?");
    since = say(CUSTOMER, "And where is parking?");
    assert_string_equal(told(since, CUSTOMER), "Behind the house|");
    assert_string_equal(told(since, LEA), "");
    assert_int_equal(conversation(1).state, CONV_NEW);
    assert_true(conversation(1).waiting_wall_ms > 0);
    assert_true(conversation(1).due_wall_ms[CLOCK_FIRST] > 0);
    say(OTHER, "Where is parking?");
    assert_int_equal(conversation(2).state, CONV_WAITING);
}

/* A rule gives a conversation that waits to another department: its times count, from the same beginning. */
static void test_clocks_of_new_department(void **state)
{
    const struct engine_rule_conf broken[] = {
        {.name = "broken", .words = WORDS("broken"), .department = "repairs"}};
    int64_t began;

    (void)state;
    departments[1].first_response_ms = 5 * HOUR_MS;
    conf.rules = broken;
    conf.nrules = 1;
    use();
    say(CUSTOMER, "Hello");
    began = conversation(1).due_wall_ms[CLOCK_FIRST] - HOUR_MS;
    world_run(&w, 10 * MINUTE_MS);
    say(CUSTOMER, "My oven is broken");
    assert_string_equal(conversation(1).department, "repairs");
    assert_in_range(conversation(1).due_wall_ms[CLOCK_FIRST], began + 5 * HOUR_MS - 5000,
                    began + 5 * HOUR_MS);
}

/* A clock that was a year ahead and is set right keeps nobody from being answered for that year. */
static void test_clock_set_back(void **state)
{
    const struct engine_rule_conf rules[] = {
        {.name = "parking", .words = WORDS("parking"), .reply = "Behind the house"},
        {.name = "shop", .words = WORDS("shop"), .reply = "In the yard", .once_per_ms = HOUR_MS}};
    int since;

    (void)state;
    conf.rules = rules;
    conf.nrules = 2;
    conf.guard.replies = conf.guard.replies_day = 2;
    conf.guard.replies_all = 3;
    conf.guard.mute_ms = HOUR_MS;
    use();
    rt_sim_jump_wall(w.rt, 365 * DAY_MS);
    say(CUSTOMER, "parking?");
    say(CUSTOMER, "shop?");
    say(OTHER, "parking?");
    since = say(CUSTOMER, "parking?");
    assert_string_equal(told(since, CUSTOMER), "");
    rt_sim_jump_wall(w.rt, -365 * DAY_MS);
    since = say(CUSTOMER, "parking?");
    assert_string_equal(told(since, CUSTOMER), "Behind the house|");
    since = say(CUSTOMER, "shop?");
    assert_string_equal(told(since, CUSTOMER), "In the yard|");
    since = say(CUSTOMER, "parking?");
    assert_string_equal(told(since, CUSTOMER), "");
}

/* What a rule closes or calls spam is for nobody: the desk does not greet it. */
static void test_nobody_to_answer(void **state)
{
    const struct engine_rule_conf rules[] = {
        {.name = "spam", .words = WORDS("casino"), .conversation = "spam"},
        {.name = "thanks", .words = WORDS("thanks"), .conversation = "close"}};
    int since;

    (void)state;
    conf.rules = rules;
    conf.nrules = 2;
    conf.desk.greeting = "Welcome";
    use();
    since = say(CUSTOMER, "casino for you");
    assert_string_equal(told(since, CUSTOMER), "");
    assert_int_equal(conversation(1).state, CONV_SPAM);
    since = say(OTHER, "thanks");
    assert_string_equal(told(since, OTHER), "");
    since = say("+491709999999", "hello");
    assert_string_equal(told(since, "+491709999999"), "Welcome|");
}

/* ---- survey ---- */

static void use_survey(void)
{
    conf.survey = (struct survey_conf){.on = true,
                                       .scale_min = 1,
                                       .scale_max = 5,
                                       .text = "How was it ({{survey.scale}})?",
                                       .comment = "Why?",
                                       .thanks = "Thank you",
                                       .delay_ms = 10 * MINUTE_MS,
                                       .window_ms = 2 * DAY_MS};
    use();
}

static void close_one(const char *customer)
{
    struct desk_do done;

    say(customer, "Have you got rye bread?");
    assert_int_equal(act_as_anna(OP_REPLY, "Yes", &done), 0);
    assert_int_equal(act_as_anna(OP_CLOSE, NULL, &done), 0);
}

/* Asked once, some time after closing; a bare number is the answer, what follows the comment, and then
 * messages are messages again. None of it opens the conversation. */
static void test_survey(void **state)
{
    int since;

    (void)state;
    use_survey();
    close_one(CUSTOMER);
    since = w.mr;
    world_run(&w, 8 * MINUTE_MS);
    assert_int_equal(w.mr, since);
    restart();
    use_survey();
    world_run(&w, 4 * MINUTE_MS);
    assert_string_equal(told(since, CUSTOMER), "How was it (1-5)?|");
    since = say(CUSTOMER, " 4! ");
    assert_string_equal(told(since, CUSTOMER), "Why?|");
    assert_int_equal(conversation(1).survey_score, 4);
    assert_string_equal(conversation(1).survey_person, "");
    since = say(CUSTOMER, "Quick answer");
    assert_string_equal(told(since, CUSTOMER), "Thank you|");
    assert_true(conversation(1).survey_commented);
    assert_int_equal(conversation(1).state, CONV_CLOSED);
    assert_int_equal(w.mr - since, 1);
    since = say(CUSTOMER, "Do you bake on Sundays?");
    assert_part(told(since, ANNA), "Do you bake on Sundays?");
    assert_int_equal(conversation(1).state, CONV_OPEN); /* within the time of opening again */
    world_run(&w, HOUR_MS);
    restart();
    assert_int_equal(conversation(1).survey_score, 4);
}

/* No answers: a number beside the scale, words, a number after the window, a number when a person wrote. A
 * question behind the score is a message too. */
static void test_no_answers(void **state)
{
    struct desk_do done;
    int since;

    (void)state;
    use_survey();
    close_one(CUSTOMER);
    world_run(&w, 12 * MINUTE_MS);
    since = say(CUSTOMER, "7");
    assert_part(told(since, ANNA), ": 7|");
    assert_int_equal(conversation(1).survey_score, -1);
    assert_int_equal(conversation(1).state, CONV_OPEN);
    say(CUSTOMER, "I give 5");
    assert_int_equal(conversation(1).survey_score, -1);
    act_as_anna(OP_REPLY, "How many loaves?", &done);
    say(CUSTOMER, "3");
    assert_int_equal(conversation(1).survey_score, -1);
    act_as_anna(OP_CLOSE, NULL, &done);
    since = w.mr;
    world_run(&w, DAY_MS);
    assert_string_equal(told(since, CUSTOMER), ""); /* asked once only */
}

/* What is a bare number, and what is not. */
static void test_bare_numbers(void **state)
{
    static const struct {
        const char *text;
        int score; /* -1: a message */
    } cases[] = {{"5.", 5},  {"05", 5}, {"\"3\"", 3}, {"٥", 5},         {"۴", 4},    {"３", 3},   {"5/5", -1},
                 {"10", -1}, {"0", -1}, {"-", -1},    {"5 thanks", -1}, {"4 5", -1}, {"005", -1}, {"٥٥", -1}};

    (void)state;
    use_survey();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct desk_do done;
        char number[24];
        long long id;

        snprintf(number, sizeof number, "+49170999%04d", (int)i);
        assert_int_equal(sscanf(told(say(number, "Have you got rye bread?"), ANNA), "#%lld", &id), 1);
        assert_int_equal(act((struct desk_do){.op = OP_CLOSE, .conversation = id, .who = "test"}, &done), 0);
        world_run(&w, 12 * MINUTE_MS);
        say(number, cases[i].text);
        if (conversation(id).survey_score != cases[i].score)
            fail_msg("\"%s\" is taken as %d", cases[i].text, conversation(id).survey_score);
        assert_int_equal(conversation(id).state, cases[i].score < 0 ? CONV_OPEN : CONV_CLOSED);
    }
}

/* A question in the comment is a comment, and a message that somebody has to answer. */
static void test_question_as_comment(void **state)
{
    int since;

    (void)state;
    use_survey();
    close_one(CUSTOMER);
    world_run(&w, 12 * MINUTE_MS);
    say(CUSTOMER, "2");
    since = say(CUSTOMER, "The bread was old. Can I bring it back?");
    assert_true(conversation(1).survey_commented);
    assert_part(told(since, ANNA), "Can I bring it back?");
    assert_int_equal(conversation(1).state, CONV_OPEN);
}

/* The same in writing that has a question mark of its own. */
static void test_question_in_other_scripts(void **state)
{
    (void)state;
    use_survey();
    close_one(CUSTOMER);
    world_run(&w, 12 * MINUTE_MS);
    say(CUSTOMER, "2");
    say(CUSTOMER, "هل يمكنني إعادته؟");
    assert_true(conversation(1).survey_commented);
    assert_int_equal(conversation(1).state, CONV_OPEN);
}

/* Nobody is asked at night, who opted out, or after the window; the morning asks. */
static void test_survey_restraint(void **state)
{
    int since;

    (void)state;
    conf.hours.open = WORDS("daily 09:00-10:10"); /* it is 10:00 */
    use_survey();
    close_one(CUSTOMER);
    since = w.mr;
    world_run(&w, 20 * HOUR_MS);
    assert_string_equal(told(since, CUSTOMER), "");
    world_run(&w, 4 * HOUR_MS);
    assert_string_equal(told(since, CUSTOMER), "How was it (1-5)?|");
    world_run(&w, 3 * DAY_MS);
    since = say(CUSTOMER, "5");
    assert_int_equal(conversation(1).survey_score, -1);
    say(CUSTOMER, "STOP");
}

/* Who opted out is not asked. */
static void test_survey_opted_out(void **state)
{
    int since;

    (void)state;
    use_survey();
    close_one(CUSTOMER);
    say(CUSTOMER, "STOP");
    since = w.mr;
    world_run(&w, DAY_MS);
    assert_string_equal(told(since, CUSTOMER), "");
    assert_true(conversation(1).survey_wall_ms == 0);
}

/* Who is one of us by now is no customer to be asked. */
static void test_survey_of_staff(void **state)
{
    int since;

    (void)state;
    use_survey();
    close_one(CUSTOMER);
    people[0].number = CUSTOMER;
    use();
    since = w.mr;
    world_run(&w, HOUR_MS);
    assert_string_equal(told(since, CUSTOMER), "");
}

/* However many there are who cannot be asked, who can be is. */
static void test_survey_of_many(void **state)
{
    struct desk_do done;
    int since;

    (void)state;
    for (int i = 0; i < 70; i++) {
        char shop[16];

        snprintf(shop, sizeof shop, "Parcel%03d", i); /* a name cannot be answered */
        say(shop, "Your parcel is there");
        assert_int_equal(act((struct desk_do){.op = OP_CLOSE, .conversation = i + 1, .who = "test"}, &done),
                         0);
    }
    say(CUSTOMER, "Have you got rye bread?");
    assert_int_equal(act((struct desk_do){.op = OP_CLOSE, .conversation = 71, .who = "test"}, &done), 0);
    world_run(&w, 20 * MINUTE_MS);
    since = w.mr;
    use_survey();
    restart();
    use_survey();
    world_run(&w, 30 * MINUTE_MS);
    assert_string_equal(told(since, CUSTOMER), "How was it (1-5)?|");
}

/* One who has had a day's automatic replies waits for the next day; whoever closed later does not wait with
 * them, however many are between that cannot be asked. */
static void test_survey_behind_one_who_waits(void **state)
{
    const struct engine_rule_conf hours[] = {
        {.name = "hours", .keywords = WORDS("hours"), .reply = "9-18"}};
    struct desk_do done;
    int since;

    (void)state;
    conf.rules = hours;
    conf.nrules = 1;
    conf.guard.replies_day = 1;
    use();
    say(OTHER, "hours");
    for (int i = 1; i <= 72; i++) {
        char shop[16];

        snprintf(shop, sizeof shop, "Parcel%03d", i); /* a name cannot be answered */
        if (i > 1)
            say(i < 72 ? shop : CUSTOMER, "It is there");
        assert_int_equal(act((struct desk_do){.op = OP_CLOSE, .conversation = i, .who = "test"}, &done), 0);
    }
    since = w.mr;
    use_survey();
    world_run(&w, HOUR_MS);
    assert_string_equal(told(since, CUSTOMER), "How was it (1-5)?|");
    assert_string_equal(told(since, OTHER), "");
    world_run(&w, DAY_MS);
    assert_string_equal(told(since, OTHER), "How was it (1-5)?|");
}

/* The process dies at any moment around the question: it is asked once. */
static void test_survey_crash(void **state)
{
    (void)state;
    use_survey();
    conf.survey.delay_ms = 0;
    for (int ms = 0; ms < 60; ms += 4) {
        char number[24];
        struct desk_do done;
        int since, asked = 0;

        snprintf(number, sizeof number, "+49170999%04d", ms);
        use();
        say(number, "Have you got rye bread?");
        assert_int_equal(
            act((struct desk_do){.op = OP_CLOSE, .conversation = ms / 4 + 1, .who = "test"}, &done), 0);
        since = w.mr;
        for (int i = 0; i < 4000 && conversation(ms / 4 + 1).survey_wall_ms == 0; i++)
            world_run(&w, i % 7 * 40);
        world_run(&w, ms / 4);
        restart();
        world_run(&w, 2 * MINUTE_MS);
        for (int i = since; i < w.mr; i++)
            asked += strcmp(w.sent[i].to, number) == 0;
        assert_int_equal(asked, 1);
    }
}

/* The guard bounds the question as it bounds each automatic reply: it waits until there is room. */
static void test_survey_guarded(void **state)
{
    struct desk_do done;
    int since, asked = 0;

    (void)state;
    conf.guard.replies_all = 1;
    use_survey();
    for (int i = 1; i <= 3; i++) {
        char number[24];

        snprintf(number, sizeof number, "+49170999000%d", i);
        say(number, "Have you got rye bread?");
        assert_int_equal(act((struct desk_do){.op = OP_CLOSE, .conversation = i, .who = "test"}, &done), 0);
    }
    since = w.mr;
    world_run(&w, 15 * MINUTE_MS);
    for (int i = since; i < w.mr; i++)
        asked += strncmp(w.sent[i].to, "+49170999", 9) == 0;
    assert_int_equal(asked, 1);
    world_run(&w, HOUR_MS);
    for (int i = since; i < w.mr; i++)
        asked += strncmp(w.sent[i].to, "+49170999", 9) == 0;
    assert_int_equal(asked, 1 + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define FLOW(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
        FLOW(test_reply),
        FLOW(test_repeated),
        FLOW(test_told),
        FLOW(test_refused),
        FLOW(test_overdue),
        FLOW(test_idle),
        FLOW(test_next_answer),
        FLOW(test_resolution),
        FLOW(test_snooze),
        FLOW(test_silence),
        FLOW(test_survey),
        FLOW(test_no_answers),
        FLOW(test_bare_numbers),
        FLOW(test_question_as_comment),
        FLOW(test_question_in_other_scripts),
        FLOW(test_survey_restraint),
        FLOW(test_survey_opted_out),
        FLOW(test_survey_crash),
        FLOW(test_survey_of_staff),
        FLOW(test_survey_of_many),
        FLOW(test_survey_behind_one_who_waits),
        FLOW(test_survey_guarded),
        FLOW(test_waits_behind_machine),
        FLOW(test_clocks_of_new_department),
        FLOW(test_clock_set_back),
        FLOW(test_nobody_to_answer),
    };

    log_set_level(LOG_ERR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
