/* Configured handlers on simulated time: programs, servers, mailboxes; and what failures cost. */
#include <jansson.h>
#include <signal.h>

#include "foreign.h"

static struct engine_handler_conf exec_conf(void)
{
    static const char *const command[] = {"/bin/answer", "--shop", NULL};
    struct engine_handler_conf c = foreign_conf(HANDLER_EXEC);

    c.command = command;
    return c;
}

static struct engine_handler_conf hook_conf(void)
{
    struct engine_handler_conf c = foreign_conf(HANDLER_WEBHOOK);

    c.url = "https://shop.example/hook";
    c.secret = "s3cret";
    return c;
}

/* ---- programs -------------------------------------------------------------------------------------------
 */

/* A program gets its arguments as they are, the event on its input, and its answer is done. */
static void test_exec(void **state)
{
    struct engine_handler_conf c = exec_conf();
    struct foreign f;
    struct given *g;
    json_t *event;

    (void)state;
    foreign_init(&f);
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "$(reboot) `x` \"'\n{{y}}");
    assert_false(g->done);
    assert_int_equal(f.outside.nchildren, 1);
    assert_string_equal(f.outside.child[0]->argv[0], "/bin/answer");
    assert_string_equal(f.outside.child[0]->argv[1], "--shop");
    assert_null(f.outside.child[0]->argv[2]);
    assert_null(f.outside.child[0]->conf.env);
    assert_true(f.outside.child[0]->input_ended);
    event = json_loads(buf_str(&f.outside.child[0]->input), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_object_get(event, "message"), "text")),
                        "$(reboot) `x` \"'\n{{y}}");
    json_decref(event);
    outside_says(&f.outside, 0, "{\"action\":\"reply\",");
    outside_says(&f.outside, 0, "\"text\":\"fine\"}\n");
    assert_false(g->done);
    outside_exits(&f.outside, 0, 0, 0);
    assert_true(g->done);
    assert_string_equal(given_reply(g), "fine");
    assert_string_equal(g->verdict.replies[0].source, "handler:mine");
    given_free(g);
    foreign_fini(&f);
}

/* Every way in which a program can fail comes to the default, with its reason in health. */
static void test_exec_fails(void **state)
{
    static const struct {
        const char *says;
        int status, signal;
        const char *why;
    } ways[] = {
        {"", 1, 0, "exit status 1"},
        {"", 0, SIGSEGV, "killed by signal 11"},
        {"Traceback …", 0, 0, "its answer to message:1: no JSON"},
        {"[{\"action\":\"tag\",\"tag\":\"a\"},{\"action\":\"hug\"}]", 0, 0,
         "actions[1]: action: there is no \"hug\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct engine_handler_conf c = exec_conf();
        struct foreign f;
        struct given *g;

        foreign_init(&f);
        foreign_open_well(&f, &c);
        g = foreign_say(&f, 1, "hello");
        outside_says(&f.outside, 0, ways[i].says);
        outside_exits(&f.outside, 0, ways[i].status, ways[i].signal);
        assert_true(g->done);
        assert_int_equal(g->verdict.nreplies + g->verdict.neffects, 0);
        if (!strstr(foreign_health(&f).error, ways[i].why))
            fail_msg("%s", foreign_health(&f).error);
        assert_int_equal(foreign_health(&f).failed, 1);
        given_free(g);
        foreign_fini(&f);
    }
}

/* A program that cannot be started, or that writes without end, is a failure too. */
static void test_exec_cannot(void **state)
{
    static char flood[ANSWER_BYTES + 2];
    struct engine_handler_conf c = exec_conf();
    struct foreign f;
    struct given *g;

    (void)state;
    memset(flood, 'x', sizeof flood - 1);
    foreign_init(&f);
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "hello");
    outside_says(&f.outside, 0, flood);
    assert_int_equal(f.outside.child[0]->killed, SIGKILL);
    outside_exits(&f.outside, 0, 0, SIGKILL);
    assert_true(g->done);
    given_free(g);
    rt_sim_run_for(f.rt, 60000);
    f.outside.refuse_start = ERR_NOT_FOUND;
    g = foreign_say(&f, 2, "hello");
    assert_true(g->done);
    assert_non_null(strstr(foreign_health(&f).error, "refused by the test"));
    given_free(g);
    foreign_fini(&f);
}

/* A dead handler costs its deadline once: the first waits, those behind it do not, and one in a while looks
 * whether it lives again. */
static void test_deadline_once(void **state)
{
    struct engine_handler_conf c = exec_conf();
    struct foreign f;
    struct given *first, *second, *probe, *beside, *later;
    int64_t start;

    (void)state;
    foreign_init(&f);
    foreign_open_well(&f, &c);
    start = rt_sim_now(f.rt);
    first = foreign_say(&f, 1, "a");
    rt_sim_run_for(f.rt, c.deadline_ms + 5);
    assert_true(first->done);
    assert_true(rt_sim_now(f.rt) - start < c.deadline_ms + 10);
    assert_true(f.outside.child[0]->forgotten);
    assert_int_equal(foreign_health(&f).late, 1);
    assert_true(foreign_health(&f).down);
    second = foreign_say(&f, 2, "b");
    assert_true(second->done); /* at once */
    assert_int_equal(f.outside.nchildren, 1);
    rt_sim_run_for(f.rt, 1100);
    probe = foreign_say(&f, 3, "c");
    beside = foreign_say(&f, 4, "d");
    assert_false(probe->done);
    assert_true(beside->done);
    assert_int_equal(f.outside.nchildren, 2);
    outside_exits(&f.outside, 1, 0, 0);
    assert_true(probe->done);
    assert_false(foreign_health(&f).down);
    later = foreign_say(&f, 5, "e");
    assert_int_equal(f.outside.nchildren, 3);
    outside_exits(&f.outside, 2, 0, 0);
    assert_true(later->done);
    given_free(first);
    given_free(second);
    given_free(probe);
    given_free(beside);
    given_free(later);
    foreign_fini(&f);
}

/* Those that wait in line for a handler that dies are let go with it. */
static void test_line_is_let_go(void **state)
{
    struct engine_handler_conf c = exec_conf();
    struct foreign f;
    struct given *g[20];

    (void)state;
    foreign_init(&f);
    foreign_open_well(&f, &c);
    for (int i = 0; i < 20; i++)
        g[i] = foreign_say(&f, i + 1, "x");
    assert_int_equal(f.outside.nchildren, 8);
    rt_sim_run_for(f.rt, c.deadline_ms + 20);
    for (int i = 0; i < 20; i++) {
        assert_true(g[i]->done);
        given_free(g[i]);
    }
    assert_int_equal(f.outside.nchildren, 8);
    assert_int_equal(foreign_health(&f).failed, 8);
    rt_sim_run_for(f.rt, 1100); /* it was one failure: left alone for a second */
    g[0] = foreign_say(&f, 30, "x");
    assert_int_equal(f.outside.nchildren, 9);
    walk_cancel(&g[0]->walk);
    given_free(g[0]);
    foreign_fini(&f);
}

/* It was down, and the one event that is to show whether it is well again has to wait in line: the line is
 * let go, that one is not, and the handler is not left alone for ever. */
static void test_probe_in_line(void **state)
{
    struct engine_handler_conf c = exec_conf();
    struct foreign f;
    struct given *g[11], *later;

    (void)state;
    foreign_init(&f);
    foreign_open_well(&f, &c);
    for (int i = 0; i < 9; i++) /* one more than at a time */
        g[i] = foreign_say(&f, i + 1, "x");
    assert_int_equal(f.outside.nchildren, 8);
    /* JSON that is well, and a wish that cannot be: the ninth is begun before that is seen. */
    outside_says(&f.outside, 0, "{\"action\":\"send\",\"to\":\"nobody\",\"text\":\"x\"}");
    outside_exits(&f.outside, 0, 0, 0);
    assert_true(g[0]->done);
    assert_int_equal(f.outside.nchildren, 9);
    assert_true(foreign_health(&f).down);
    rt_sim_run_for(f.rt, 1100);
    g[9] = foreign_say(&f, 10, "x"); /* waits: eight are asked still */
    g[10] = foreign_say(&f, 11, "x");
    assert_false(g[9]->done);
    assert_true(g[10]->done);
    rt_sim_run_for(f.rt, 2 * c.deadline_ms + 20);
    for (int i = 0; i < 11; i++) {
        assert_true(g[i]->done);
        given_free(g[i]);
    }
    rt_sim_run_for(f.rt, 300000);
    later = foreign_say(&f, 20, "x");
    assert_false(later->done);
    outside_exits(&f.outside, f.outside.nchildren - 1, 0, 0);
    assert_true(later->done);
    assert_false(foreign_health(&f).down);
    given_free(later);
    foreign_fini(&f);
}

/* on_failure: stop ends the walk, hold has the event asked about again, and an old one is held no more. */
static void test_failure_defaults(void **state)
{
    struct engine_handler_conf c = exec_conf();
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    c.on_failure = ON_FAILURE_STOP;
    foreign_open_well(&f, &c);
    f.outside.refuse_start = ERR_IO;
    g = foreign_say(&f, 1, "x");
    assert_true(g->done);
    assert_non_null(strstr(g->verdict.reason, "handler mine failed"));
    assert_false(g->verdict.hold);
    given_free(g);
    plugins_free(f.plugins);
    c.on_failure = ON_FAILURE_HOLD;
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 2, "x");
    assert_true(g->done && g->verdict.hold);
    given_free(g);
    plugins_free(f.plugins);
    c.retry_for_ms = -1; /* every event is older */
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 3, "x");
    assert_true(g->done);
    assert_false(g->verdict.hold);
    given_free(g);
    foreign_fini(&f);
}

/* Only tried (rules test): nobody outside is told. */
static void test_trial(void **state)
{
    struct engine_handler_conf c = exec_conf();
    struct store_situation known = {.consent = CONSENT_IN};
    struct handler_event ev = {.key = "", .known = &known, .from = CUSTOMER};
    struct foreign f;
    struct verdict v;
    struct handler *h;

    (void)state;
    foreign_init(&f);
    foreign_open_well(&f, &c);
    verdict_init(&v, NULL);
    h = plugins_handler(f.plugins, "mine");
    assert_int_equal(h->decide(h, &ev, &v, NULL), HANDLER_NEXT);
    assert_int_equal(f.outside.nchildren, 0);
    verdict_fini(&v);
    foreign_fini(&f);
}

/* ---- programs that stay ---------------------------------------------------------------------------------
 */

/* One process: the handshake, several lines under way, answers in any order. */
static void test_stay(void **state)
{
    struct engine_handler_conf c = exec_conf();
    struct foreign f;
    struct given *a, *b;

    (void)state;
    foreign_init(&f);
    c.stay = true;
    foreign_open_well(&f, &c);
    a = foreign_say(&f, 1, "a");
    b = foreign_say(&f, 2, "b");
    assert_int_equal(f.outside.nchildren, 1);
    assert_true(!strncmp(buf_str(&f.outside.child[0]->input), "{\"simgate\":1}\n{", 15));
    assert_false(f.outside.child[0]->input_ended);
    outside_says(&f.outside, 0,
                 "{\"simgate\": 1}\n{\"id\":\"message:2\",\"actions\":[{\"action\":\"reply\",");
    assert_false(b->done);
    outside_says(&f.outside, 0, "\"text\":\"to b\"}]}\n\n");
    assert_true(b->done);
    assert_false(a->done);
    assert_string_equal(given_reply(b), "to b");
    outside_says(&f.outside, 0, "{\"id\":\"message:9\"}\n{\"id\":\"message:1\"}\n");
    assert_true(a->done);
    given_free(a);
    given_free(b);
    foreign_fini(&f);
}

/* A process that breaks the protocol or ends loses what it was given, and is begun again. */
static void test_stay_breaks(void **state)
{
    static const char *const lines[] = {"hello\n",
                                        "{\"simgate\":2}\n",
                                        "{}\n",
                                        "{\"simgate\":1}\n{\"actions\":[]}\n",
                                        "{\"simgate\":1}\n[]\n",
                                        "{\"simgate\":1}\n\"x\"\n",
                                        NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct engine_handler_conf c = exec_conf();
        struct foreign f;
        struct given *a, *b;

        foreign_init(&f);
        c.stay = true;
        foreign_open_well(&f, &c);
        a = foreign_say(&f, 1, "a");
        b = foreign_say(&f, 2, "b");
        if (lines[i])
            outside_says(&f.outside, 0, lines[i]);
        else
            outside_exits(&f.outside, 0, 3, 0);
        assert_true(a->done && b->done);
        assert_int_equal(foreign_health(&f).failed, 2);
        given_free(a);
        given_free(b);
        rt_sim_run_for(f.rt, 1500);
        a = foreign_say(&f, 3, "c");
        assert_int_equal(f.outside.nchildren, 2);
        outside_says(&f.outside, 1, "{\"simgate\":1}\n{\"id\":\"message:3\"}\n");
        assert_true(a->done);
        given_free(a);
        foreign_fini(&f);
    }
}

static int logged;

static void count_line(enum log_level level, const char *who, const char *line)
{
    (void)level, (void)who, (void)line;
    logged++;
}

/* A process that answers what nobody has asked, without end: it fills no log, and is heard all the same. */
static void test_stay_strays(void **state)
{
    struct engine_handler_conf c = exec_conf();
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    c.stay = true;
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "a");
    logged = 0;
    log_set_sink(count_line);
    outside_says(&f.outside, 0, "{\"simgate\":1}\n");
    for (int i = 0; i < 100; i++)
        outside_says(&f.outside, 0, "{\"id\":\"message:7\"}\n{\"id\":\"x\"}\n");
    log_set_sink(NULL);
    assert_in_range(logged, 1, 10);
    outside_says(&f.outside, 0, "{\"id\":\"message:1\"}\n");
    assert_true(g->done);
    given_free(g);
    foreign_fini(&f);
}

/* ---- servers --------------------------------------------------------------------------------------------
 */

static const char *header(const struct outside_request *r, const char *name)
{
    for (int i = 0; i < r->nheaders; i++)
        if (!strncmp(r->headers[i], name, strlen(name)))
            return r->headers[i] + strlen(name);
    return "";
}

/* A server gets the event signed and with its id; a body that is no JSON says nothing. */
static void test_webhook(void **state)
{
    struct engine_handler_conf c = hook_conf();
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "hello");
    assert_string_equal(f.outside.request[0].url, "https://shop.example/hook");
    assert_string_equal(header(&f.outside.request[0], "X-Simgate-Event: "), "message:1");
    assert_true(!strncmp(header(&f.outside.request[0], "X-Simgate-Signature: "), "t=1795251600,v1=", 16));
    outside_answers(&f.outside, 0, 200, "{\"action\":\"reply\",\"text\":\"hi\"}");
    assert_string_equal(given_reply(g), "hi");
    given_free(g);
    g = foreign_say(&f, 2, "hello");
    outside_answers(&f.outside, 1, 204, "OK");
    assert_true(g->done);
    assert_int_equal(g->verdict.nreplies + g->verdict.neffects, 0);
    assert_int_equal(foreign_health(&f).failed, 0);
    given_free(g);
    foreign_fini(&f);
}

/* What a server was not told in time is delivered later; what it answered wrongly is not. */
static void test_webhook_later(void **state)
{
    struct engine_handler_conf c = hook_conf();
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "hello");
    outside_answers(&f.outside, 0, 500, "");
    assert_true(g->done);
    assert_int_equal(g->verdict.neffects, 1);
    assert_int_equal(g->verdict.effects[0].kind, EFFECT_DELIVER);
    assert_string_equal(g->verdict.effects[0].name, "mine");
    assert_string_equal(g->verdict.effects[0].key, "message:1");
    assert_non_null(strstr(g->verdict.effects[0].value, "\"text\":\"hello\""));
    given_free(g);
    g = foreign_say(&f, 2, "hello"); /* left alone: later, too */
    assert_true(g->done);
    assert_int_equal(g->verdict.neffects, 1);
    given_free(g);
    rt_sim_run_for(f.rt, 1500);
    g = foreign_say(&f, 3, "hello");
    outside_answers(&f.outside, 1, 200, "{\"oops\":1}");
    assert_true(g->done);
    assert_int_equal(g->verdict.neffects, 0);
    given_free(g);
    rt_sim_run_for(f.rt, 5000);
    g = foreign_say(&f, 4, "hello");
    rt_sim_run_for(f.rt, c.deadline_ms + 5);
    assert_true(g->done && f.outside.request[2].cancelled);
    assert_int_equal(g->verdict.neffects, 1);
    given_free(g);
    foreign_fini(&f);
}

/* `asynchronous`: nobody waits, the delivery is part of the verdict. */
static void test_asynchronous(void **state)
{
    struct engine_handler_conf c = hook_conf();
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    c.asynchronous = true;
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "hello");
    assert_true(g->done);
    assert_int_equal(f.outside.nrequests, 0);
    assert_int_equal(g->verdict.effects[0].kind, EFFECT_DELIVER);
    given_free(g);
    foreign_fini(&f);
}

/* ---- mail -----------------------------------------------------------------------------------------------
 */

struct delivered {
    bool done;
    int status;
};

static void on_delivered(struct ask *a, int status)
{
    struct delivered *d = a->owner;

    *d = (struct delivered){true, status};
}

/* A text cannot become a header: a subject with line ends is one encoded word after the other, the body is
 * base64. */
static void test_mail(void **state)
{
    struct engine_handler_conf c = foreign_conf(HANDLER_MAIL);
    struct delivered d = {0};
    struct foreign f;
    struct given *g;
    const char *mail, *body;

    (void)state;
    c.url = "smtp://mail.example";
    c.from = "Shop <shop@example.org>";
    c.to = WORDS("anna@example.org");
    c.on = WORDS("message");
    c.subject = "{{message.text}}";
    foreign_init(&f);
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "Hi\r\nBcc: all@example.org\r\n\r\n.\r\nQUIT");
    assert_true(g->done);
    assert_int_equal(g->verdict.neffects, 1);
    plugin_deliver(plugins_find(f.plugins, "mine"), g->verdict.effects[0].key, g->verdict.effects[0].value,
                   on_delivered, &d);
    outside_settle(&f.outside);
    assert_int_equal(f.outside.nrequests, 1);
    mail = buf_str(&f.outside.request[0].body);
    body = strstr(mail, "\r\n\r\n");
    assert_non_null(body);
    assert_null(strstr(mail, "\nBcc:"));
    assert_null(strstr(mail, "\n."));
    assert_null(strstr(body + 4, " "));
    assert_non_null(strstr(mail, "\r\nSubject: Hi  Bcc: all@example.org"));
    assert_non_null(strstr(mail, "\r\nMessage-ID: <simgate.message.1@example.org>\r\n"));
    outside_answers(&f.outside, 0, 250, "");
    assert_true(d.done && d.status == 0);
    given_free(g);
    foreign_fini(&f);
}

/* What is masked for others is masked in the subject too. */
static void test_mail_subject_is_masked(void **state)
{
    static const char shown[] = "************1111";
    struct engine_handler_conf c = foreign_conf(HANDLER_MAIL);
    struct foreign f;
    struct given *g;

    (void)state;
    c.url = "smtp://mail.example";
    c.from = "shop@example.org";
    c.to = WORDS("anna@example.org");
    c.subject = "{{message.from}}: {{message.text}}";
    foreign_init(&f);
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "4111111111111111");
    g->event.shown = (struct span){shown, sizeof shown - 1};
    assert_true(plugins_forward(f.plugins, "mailto:bob@example.org", &g->event, &g->verdict));
    assert_int_equal(g->verdict.neffects, 1);
    assert_non_null(strstr(g->verdict.effects[0].value, shown));
    assert_null(strstr(g->verdict.effects[0].value, "4111111111111111"));
    given_free(g);
    foreign_fini(&f);
}

/* A subject says all that texts say, by the business's clock. */
static void test_mail_subject_has_all_values(void **state)
{
    struct engine_handler_conf c = foreign_conf(HANDLER_MAIL);
    struct foreign f;
    struct given *g;
    struct err e = {0};

    (void)state;
    c.url = "smtp://mail.example";
    c.from = "shop@example.org";
    c.to = WORDS("anna@example.org");
    c.subject = "{{gateway.name}} {{now:date %H:%M}} {{contact.name:upper}} {{hours.next}}";
    foreign_init(&f);
    f.program.fold = fold_new();
    assert_int_equal(zone_new("Asia/Tokyo", &f.program.staff.zone, &e), 0);
    assert_int_equal(
        hours_new(f.program.staff.zone, WORDS("Mon 9:00-10:00"), NULL, &f.program.staff.hours, &e), 0);
    foreign_open_well(&f, &c);
    g = foreign_say(&f, 1, "Hi");
    assert_true(wall_from_text("2026-11-21T10:00:00Z", 0, &g->event.now_wall_ms));
    str_copy(g->known.contact.name, sizeof g->known.contact.name, "Zoë");
    assert_true(plugins_forward(f.plugins, "mailto:bob@example.org", &g->event, &g->verdict));
    assert_non_null(strstr(g->verdict.effects[0].value, "\"Blue Bakery 19:00 ZOË on Monday at 9:00\""));
    given_free(g);
    hours_free(f.program.staff.hours);
    zone_free(f.program.staff.zone);
    fold_free(f.program.fold);
    foreign_fini(&f);
}

/* Whom a rule may forward to. */
static void test_forward(void **state)
{
    struct engine_handler_conf c[2] = {foreign_conf(HANDLER_MAIL), hook_conf()};
    struct foreign f;
    struct given *g;
    struct err e = {0};

    (void)state;
    c[0].name = "office";
    c[0].url = "smtp://mail.example";
    c[0].from = "shop@example.org";
    c[0].to = WORDS("anna@example.org");
    c[1].name = "crm";
    foreign_init(&f);
    foreign_open(&f, c, 2);
    assert_string_equal(buf_str(&f.problems), "");
    assert_int_equal(plugins_can_forward(f.plugins, "crm", &e), 0);
    assert_int_equal(plugins_can_forward(f.plugins, "mailto:bob@example.org", &e), 0);
    assert_int_equal(plugins_can_forward(f.plugins, "mailto:a@b>\r\nRCPT TO:<c@d", &e), ERR_INVALID);
    assert_int_equal(plugins_can_forward(f.plugins, "nobody", &e), ERR_NOT_FOUND);
    g = foreign_say(&f, 1, "x"); /* the mail handler is not in the chain: it has no `on` */
    assert_true(plugins_forward(f.plugins, "mailto:bob@example.org", &g->event, &g->verdict));
    assert_true(plugins_forward(f.plugins, "mailto:eve@example.org", &g->event, &g->verdict));
    assert_int_equal(g->verdict.neffects, 2);
    assert_string_not_equal(g->verdict.effects[0].key, g->verdict.effects[1].key);
    assert_non_null(strstr(g->verdict.effects[0].value, "bob@example.org"));
    walk_cancel(&g->walk);
    given_free(g);
    foreign_fini(&f);
}

/* ---- configuration --------------------------------------------------------------------------------------
 */

/* What is wrong with a handler is told with its place. */
static void test_problems(void **state)
{
    struct engine_handler_conf c[7];
    struct foreign f;
    static const char *const wanted[] = {
        "handlers[0].command: expected a program",
        "handlers[0].url: expected \"https://",
        "handlers[0].secret: /nonexistent",
        "handlers[0].file: /nonexistent.lua",
        "handlers[0].file: expected the path",
        "handlers[0].from: expected",
        "handlers[0].to: expected",
        "handlers[0].on[0]: there is no event \"tea\"",
        "there is another handler \"mine\"",
        "\"rules\" is a built-in one",
        "handlers[0].asynchronous: a handler of kind \"lua\" is never waited for",
    };

    (void)state;
    for (int i = 0; i < 7; i++)
        c[i] = foreign_conf((enum handler_kind)i);
    c[1].url = "ftp://x";
    c[1].secret = "file:/nonexistent";
    c[2].file = "/nonexistent.lua";
    c[2].asynchronous = true;
    c[3].file = "relative.so";
    c[4].name = "rules";
    c[5].url = "smtp://x";
    c[5].from = "nobody";
    c[6].on = WORDS("tea");
    foreign_init(&f);
    foreign_open(&f, c, 7);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (!strstr(buf_str(&f.problems), wanted[i]))
            fail_msg("%s is not in\n%s", wanted[i], buf_str(&f.problems));
    foreign_fini(&f);
}

/* A secret of a file is all of its first line, or told to be too long. */
static void test_secret_of_a_file(void **state)
{
    struct engine_handler_conf c = hook_conf();
    char text[1100], named[200];
    struct foreign f;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t len = 900; len < sizeof text; len += 150) {
        foreign_init(&f);
        text[len] = '\n';
        snprintf(named, sizeof named, "file:%s", foreign_file(&f, "secret", text));
        c.secret = named;
        foreign_open(&f, &c, 1);
        if (len > 1000)
            assert_non_null(strstr(buf_str(&f.problems), "its first line is too long"));
        else
            assert_string_equal(buf_str(&f.problems), "");
        unlink(named + 5);
        foreign_fini(&f);
        text[len] = 'x';
    }
}

/* ---- smstools' conventions ------------------------------------------------------------------------------
 */

struct asked {
    struct plugin_check check;
    bool done;
    int status;
};

static void on_check(struct plugin_check *c, int status, const char *reason)
{
    struct asked *a = container_of(c, struct asked, check);

    (void)reason;
    assert_false(a->done);
    a->done = true;
    a->status = status;
}

/* Event handlers get smstools' arguments, one after the other. */
static void test_event_handler(void **state)
{
    struct engine_handler_conf c = foreign_conf(HANDLER_SMSTOOLS);
    struct foreign f;

    (void)state;
    c.command = WORDS("/bin/event");
    foreign_init(&f);
    foreign_open_well(&f, &c);
    assert_null(plugins_handler(f.plugins, "mine"));
    plugins_file_event(f.plugins, FILE_RECEIVED, "/spool/incoming/x; rm -rf", NULL);
    plugins_file_event(f.plugins, FILE_SENT, "/spool/sent/y", "17");
    assert_int_equal(f.outside.nchildren, 1);
    assert_string_equal(f.outside.child[0]->argv[1], "RECEIVED");
    assert_string_equal(f.outside.child[0]->argv[2], "/spool/incoming/x; rm -rf");
    assert_null(f.outside.child[0]->argv[3]);
    outside_exits(&f.outside, 0, 1, 0);
    assert_int_equal(f.outside.nchildren, 2);
    assert_string_equal(f.outside.child[1]->argv[3], "17");
    rt_sim_run_for(f.rt, c.deadline_ms + 5);
    assert_true(f.outside.child[1]->forgotten);
    assert_int_equal(foreign_health(&f).failed, 2);
    foreign_fini(&f);
}

/* Check handlers: accepted, rejected, taken away, and asked again by a new configuration. */
static void test_check_handler(void **state)
{
    static const int statuses[][2] = {{0, 0}, {1, ERR_REFUSED}, {2, ERR_GONE}, {9, ERR_REFUSED}};
    struct engine_handler_conf c = foreign_conf(HANDLER_CHECK);
    struct asked a;
    struct foreign f;

    (void)state;
    c.command = WORDS("/bin/check");
    foreign_init(&f);
    foreign_open_well(&f, &c);
    assert_true(plugins_checks_files(f.plugins));
    for (int i = 0; i < 4; i++) {
        a = (struct asked){.check = {.path = "/spool/checked/x", .done = on_check}};
        plugins_check_file(f.plugins, &a.check);
        assert_false(a.done);
        assert_string_equal(f.outside.child[i]->argv[1], "/spool/checked/x");
        outside_exits(&f.outside, i, statuses[i][0], 0);
        assert_true(a.done);
        assert_int_equal(a.status, statuses[i][1]);
    }
    a.done = false;
    plugins_check_file(f.plugins, &a.check);
    plugins_free(f.plugins);
    f.plugins = NULL;
    assert_true(a.done && a.status == ERR_CANCELLED);
    foreign_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec),
        cmocka_unit_test(test_exec_fails),
        cmocka_unit_test(test_exec_cannot),
        cmocka_unit_test(test_deadline_once),
        cmocka_unit_test(test_line_is_let_go),
        cmocka_unit_test(test_probe_in_line),
        cmocka_unit_test(test_failure_defaults),
        cmocka_unit_test(test_trial),
        cmocka_unit_test(test_stay),
        cmocka_unit_test(test_stay_breaks),
        cmocka_unit_test(test_stay_strays),
        cmocka_unit_test(test_webhook),
        cmocka_unit_test(test_webhook_later),
        cmocka_unit_test(test_asynchronous),
        cmocka_unit_test(test_mail),
        cmocka_unit_test(test_mail_subject_is_masked),
        cmocka_unit_test(test_mail_subject_has_all_values),
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_secret_of_a_file),
        cmocka_unit_test(test_event_handler),
        cmocka_unit_test(test_check_handler),
    };

    return cmocka_run_group_tests_name("plugins", tests, NULL, NULL);
}
