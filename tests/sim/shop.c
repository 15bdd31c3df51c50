/* A shop's customers, staff, server and campaign, again and again, with a death before and after each piece
 * of work of the store's: nothing that the engine and the desk decide is lost or done twice.
 *
 * People in this story wait for what they expect to hear before they go on, so that each telling is the same
 * story, whenever the process died. Three accounts are kept: what each telephone heard (each text exactly
 * once, or again marked by TP-RD), what the server was asked (at least once, always by the same event id and
 * the same body), and what the database holds at the end, which must be word for word that of a telling
 * without death.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "os/transfer.h"
#include "store/campaign.h"
#include "store/query_desk.h"
#include "tests/sim/runs.h"

#define ONE   "+491601000001" /* a customer of rules, once for each */
#define TWO   "+491601000002" /* has something that is broken */
#define THREE "+491601000003" /* wants nothing any more */
#define FOUR  "+491601000004" /* nobody answers */
#define ANNA  "+491701111111"
#define BEN   "+491702222222"

enum { HEARD_MAX = 64, REQUESTS_MAX = 128, STEP_MS = 1000, PATIENCE_MS = 2 * 3600000, ANSWER_MS = 300 };

static const char settings[] =
    "gateway = { name = \"Shop\"; country = \"49\"; spool = \"\"; };\n"
    "modems = ( { name = \"m0\"; port = \"/dev/ttyUSB0\"; } );\n"
    "hours = { zone = \"Europe/Berlin\"; open = ( \"daily 00:00-24:00\" ); };\n"
    "departments = ( { name = \"shop\"; first_response = \"5m\"; }, { name = \"repairs\"; } );\n"
    "people = ( { name = \"Anna\"; number = \"" ANNA "\"; lead = true; },\n"
    "           { name = \"Ben\"; number = \"" BEN "\"; departments = ( \"repairs\" ); } );\n"
    "desk = { relay = true; department = \"shop\"; greeting = \"Welcome to {{gateway.name}}\"; };\n"
    "survey = { text = \"How was it ({{survey.scale}})?\"; comment = \"Why?\"; thanks = \"Thank you.\"; "
    "delay "
    "= \"1m\"; };\n"
    "handlers = (\n"
    "  { name = \"crm\"; kind = \"webhook\"; url = \"https://crm.example/\"; asynchronous = true; },\n"
    "  { name = \"price\"; kind = \"webhook\"; url = \"https://price.example/\"; } );\n"
    "chain = ( \"consent\", \"survey\", \"guard\", \"rules\" );\n"
    "guard = { replies = 100; same_text = 0; rounds = 0; };\n"
    "rules = (\n"
    "  { name = \"returns\"; keywords = ( \"returns\" ); reply = \"Within 30 days.\"; tag = ( \"returns\" "
    ");\n"
    "    set = ( \"topic=returns\" ); once_per = \"1d\"; },\n"
    "  { name = \"again\"; keywords = ( \"returns\" ); reply = \"As we said.\"; },\n"
    "  { name = \"price\"; keywords = ( \"price\" ); handler = \"price\"; },\n"
    "  { name = \"broken\"; words = ( \"broken\" ); department = \"repairs\"; priority = \"high\";\n"
    "    reply = \"We look at it.\"; send_to = ( \"Ben\" ); send = \"Something is broken.\";\n"
    "    forward = ( \"crm\" ); note = \"from a rule\"; },\n"
    "  { name = \"news\"; keywords = ( \"news\" ); consent = \"in\"; tag = ( \"news\" ); reply = \"You get "
    "our "
    "news.\"; },\n"
    "  { name = \"closed\"; on = \"closed\"; send_to = ( \"Ben\" ); send = \"It is closed.\"; tag = ( "
    "\"closed\" ); },\n"
    "  { name = \"score\"; on = \"survey\"; set = ( \"score={{event.name}}\" ); send_to = ( \"Anna\" );\n"
    "    send = \"A score came.\"; },\n"
    "  { name = \"late\"; on = \"overdue\"; send_to = ( \"Ben\" ); send = \"Late: {{contact.number}}\"; } "
    ");\n";

/* What each telephone hears, "#…" standing for a conversation's number. */
static const struct said {
    const char *to, *text;
} expected[] = {
    {ONE, "Within 30 days."},
    {ONE, "As we said."},
    {ONE, "Five euros."},
    {ONE, "You get our news."},
    {ONE, "Offer: cake"},
    {TWO, "We look at it."},
    {TWO, "Ticket 7."},
    {TWO, "it is ready"},
    {TWO, "How was it (1-5)?"},
    {TWO, "Why?"},
    {TWO, "Thank you."},
    {THREE, "You get our news."},
    {THREE,
     "Shop: you are unsubscribed and will receive no more messages from us. Reply START to resubscribe."},
    {FOUR, "Welcome to Shop"},
    {ANNA, "# " TWO ": It is broken"},
    {ANNA, "A score came."},
    {ANNA, "# " FOUR ": Good morning"},
    {ANNA, "# " FOUR " waits too long for a first answer, shop: \"Good morning\""},
    {BEN, "# " TWO ": It is broken"},
    {BEN, "Something is broken."},
    {BEN, "# closed"},
    {BEN, "It is closed."},
    {BEN, "Late: " FOUR},
};

struct request {
    struct shop *shop;
    struct transfer *t; /* NULL: over */
    struct rt_timer timer;
};

struct shop {
    struct world *w;
    struct transfer_host transfers;
    struct engine_world outside;
    struct heard {
        char to[SIMNET_PEER_BYTES], text[PDU_TEXT_BYTES];
        int unmarked, marked;
    } heard[HEARD_MAX];
    int nheard;
    struct asked { /* the server's memory: of each event */
        char url[64], event[64];
        struct buf body;
        int times;
    } asked[REQUESTS_MAX];
    int nasked;
    struct request requests[REQUESTS_MAX]; /* of this life */
    int nrequests;
    struct store_campaign_new made;
    struct campaign_move started;
    struct store_figures figures;
    bool done; /* these */
};

static void fail(struct shop *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct shop *s, const char *fmt, ...)
{
    char text[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ledger_problem(&s->w->ledger, "%s", text);
}

/* ---- telephones -----------------------------------------------------------------------------------------
 */

static void hear(void *arg, const struct simnet_event *ev)
{
    struct shop *s = arg;
    struct heard *h;
    char text[PDU_TEXT_BYTES];
    int i;

    if (ev->kind != SIMNET_SUBMITTED)
        return;
    simnet_event_text(ev, text);
    for (i = 0; i < s->nheard; i++)
        if (!strcmp(s->heard[i].to, ev->peer) && !strcmp(s->heard[i].text, text))
            break;
    if (i == HEARD_MAX) {
        fail(s, "too much was heard");
        return;
    }
    h = &s->heard[i];
    if (i == s->nheard)
        s->nheard++;
    str_copy(h->to, sizeof h->to, ev->peer);
    str_copy(h->text, sizeof h->text, text);
    if (ev->reject_duplicates)
        h->marked++;
    else
        h->unmarked++;
}

/* The first text to this number with these words; NULL none yet. */
static const struct heard *heard(const struct shop *s, const char *to, const char *words)
{
    for (int i = 0; i < s->nheard; i++)
        if (!strcmp(s->heard[i].to, to) && strstr(s->heard[i].text, words))
            return &s->heard[i];
    return NULL;
}

/* ---- the server -----------------------------------------------------------------------------------------
 */

static struct asked *asked_of(struct shop *s, const char *url, const char *event)
{
    struct asked *a;

    for (int i = 0; i < s->nasked; i++)
        if (!strcmp(s->asked[i].url, url) && !strcmp(s->asked[i].event, event))
            return &s->asked[i];
    if (s->nasked == REQUESTS_MAX)
        abort();
    a = &s->asked[s->nasked++];
    str_copy(a->url, sizeof a->url, url);
    str_copy(a->event, sizeof a->event, event);
    return a;
}

static void answer(struct rt_timer *timer)
{
    struct request *r = container_of(timer, struct request, timer);
    struct transfer *t = r->t;
    bool crm = strstr(t->url, "crm") != NULL;
    const char *event = "";

    for (int i = 0; t->headers[i]; i++)
        if (!strncmp(t->headers[i], "X-Simgate-Event: ", 17))
            event = t->headers[i] + 17;
    r->t = NULL;
    /* The first request about an event is taken note of and refused: so that all of them come again. */
    t->code = crm && asked_of(r->shop, t->url, event)->times == 1 ? 503 : 200;
    if (t->code == 200)
        buf_adds(&t->answer, crm ? "[{\"action\":\"reply\",\"text\":\"Ticket 7.\"},"
                                   "{\"action\":\"tag\",\"tag\":\"ticket\"}]"
                                 : "[{\"action\":\"reply\",\"text\":\"Five euros.\"},"
                                   "{\"action\":\"keep\",\"key\":\"asked\",\"value\":\"yes\"}]");
    t->done(t, 0);
}

static void start_transfer(struct transfer_host *h, struct transfer *t)
{
    struct shop *s = container_of(h, struct shop, transfers);
    struct request *r = &s->requests[s->nrequests++];
    struct asked *a = NULL;

    if (s->nrequests > REQUESTS_MAX)
        abort();
    *r = (struct request){.shop = s, .t = t, .timer.fire = answer};
    t->impl = r;
    for (int i = 0; t->headers[i]; i++)
        if (!strncmp(t->headers[i], "X-Simgate-Event: ", 17))
            a = asked_of(s, t->url, t->headers[i] + 17);
    if (!a) {
        fail(s, "a request without an event's id");
    } else {
        /* What is delivered from the store is the same each time; who is asked in the chain is told when. */
        if (a->times++ && strstr(t->url, "crm") && strcmp(buf_str(&a->body), t->body) != 0)
            fail(s, "%s was told otherwise the second time: %s", a->event, t->body);
        buf_clear(&a->body);
        buf_add(&a->body, t->body, t->body_len);
    }
    rt_timer_at(s->w->rt, &r->timer, rt_sim_now(s->w->rt) + ANSWER_MS);
}

static void cancel_transfer(struct transfer_host *h, struct transfer *t)
{
    struct shop *s = container_of(h, struct shop, transfers);
    struct request *r = t->impl;

    rt_timer_stop(s->w->rt, &r->timer);
    r->t = NULL;
}

static void born(void *arg)
{
    ((struct shop *)arg)->nrequests = 0;
}

/* ---- the story ------------------------------------------------------------------------------------------
 */

static void await(struct shop *s, const char *to, const char *words)
{
    int64_t until = rt_sim_now(s->w->rt) + PATIENCE_MS;

    while (s->w->alive && !s->w->ledger.nproblems && !heard(s, to, words)) {
        if (rt_sim_now(s->w->rt) > until)
            fail(s, "%s never heard \"%s\"", to, words);
        world_run(s->w, STEP_MS);
    }
}

static void text(struct shop *s, const char *from, const char *words)
{
    struct err e = {0};

    if (simnet_text(s->w->net, s->w->sims[0], from, words, rt_sim_now(s->w->rt), &e) < 0)
        fail(s, "the network: %s", e.text);
}

/* A text of staff: "#N words" about the conversation that they heard of with `about`. */
static void answer_as(struct shop *s, const char *staff, const char *about, const char *words)
{
    const struct heard *h = heard(s, staff, about);
    char line[160];
    int digits;

    if (!h || *h->text != '#')
        return; /* told already */
    digits = (int)strspn(h->text + 1, "0123456789");
    snprintf(line, sizeof line, "%.*s %s", digits + 1, h->text, words);
    text(s, staff, line);
}

/* One number of the database; 0 where there is none. */
static int64_t look(struct shop *s, const char *sql)
{
    sqlite3_stmt *st;
    int64_t n = 0;

    if (sqlite3_prepare_v2(world_eye(s->w), sql, -1, &st, NULL) != SQLITE_OK) {
        fail(s, "%s: %s", sql, sqlite3_errmsg(s->w->eye));
        return 0;
    }
    if (sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return n;
}

/* Until it is so in the database. */
static void await_row(struct shop *s, const char *sql)
{
    int64_t until = rt_sim_now(s->w->rt) + PATIENCE_MS;

    while (s->w->alive && !s->w->ledger.nproblems && !look(s, sql)) {
        if (rt_sim_now(s->w->rt) > until)
            fail(s, "it never came to: %s", sql);
        world_run(s->w, STEP_MS);
    }
}

/* ---- a campaign -----------------------------------------------------------------------------------------
 */

static void on_made(struct store_op *op, int status)
{
    struct shop *s = container_of(op, struct shop, made.op);

    if (status != 0 && status != ERR_CANCELLED)
        fail(s, "the campaign: %s", op->err.text);
    s->done = true;
}

static void on_started(struct campaign_move *m, int status)
{
    struct shop *s = container_of(m, struct shop, started);

    if (status != 0 && status != ERR_CANCELLED)
        fail(s, "the campaign's start: %s", m->err.text);
    s->done = true;
}

/* Until it is answered; not in this life, if that ends. */
static void await_done(struct shop *s)
{
    int life = s->w->lives;

    while (s->w->alive && s->w->lives == life && !s->done)
        world_run(s->w, STEP_MS);
}

/* Whoever is not answered looks first whether it was done. */
static void campaign(struct shop *s)
{
    static char words[] = "Offer: cake";

    while (s->w->alive && !s->w->ledger.nproblems && !look(s, "SELECT count(*) FROM campaign")) {
        s->made = (struct store_campaign_new){
            .op.done = on_made,
            .row = {.name = "cake", .text = words, .audience = "tag news", .who = "ctl:root"},
            .tag = "news",
            .now_wall_ms = rt_wall_ms(s->w->rt)};
        s->done = false;
        store_campaign_new(s->w->store, &s->made);
        await_done(s);
    }
    while (s->w->alive && !s->w->ledger.nproblems && look(s, "SELECT state = 1 FROM campaign")) {
        s->started =
            (struct campaign_move){.id = 1, .to = CAMPAIGN_RUNNING, .who = "ctl:root", .done = on_started};
        s->done = false;
        campaign_move(s->w->campaigns, &s->started);
        await_done(s);
    }
    await_row(s, "SELECT state = 4 FROM campaign");
}

/* ---- the day --------------------------------------------------------------------------------------------
 */

static void customer_of_rules(struct shop *s)
{
    text(s, ONE, "returns");
    await(s, ONE, "Within 30 days.");
    text(s, ONE, "Returns?");
    await(s, ONE, "As we said.");
    text(s, ONE, "price");
    await(s, ONE, "Five euros.");
    text(s, ONE, "news");
    await(s, ONE, "our news");
}

static void customer_of_people(struct shop *s)
{
    text(s, TWO, "It is broken");
    await(s, TWO, "We look at it.");
    await(s, BEN, "Something is broken.");
    await(s, ANNA, "It is broken");
    await(s, BEN, "It is broken");
    await(s, TWO, "Ticket 7.");
    answer_as(s, BEN, "It is broken", "it is ready");
    await(s, TWO, "it is ready");
    answer_as(s, BEN, "It is broken", "close");
    await(s, BEN, "It is closed.");
    await(s, TWO, "How was it");
    text(s, TWO, "5");
    await(s, TWO, "Why?");
    await(s, ANNA, "A score came.");
    text(s, TWO, "Very fast");
    await(s, TWO, "Thank you.");
}

static void customer_who_leaves(struct shop *s)
{
    text(s, THREE, "news");
    await(s, THREE, "our news");
    text(s, THREE, "STOP");
    await_row(s, "SELECT state = 2 FROM consent WHERE number = '" THREE "'");
}

static void customer_of_nobody(struct shop *s)
{
    text(s, FOUR, "Good morning");
    await(s, FOUR, "Welcome");
    await(s, ANNA, "Good morning");
    await(s, BEN, "Late: ");
    await(s, ANNA, "waits too long");
}

/* ---- accounts -------------------------------------------------------------------------------------------
 */

/* What the database holds, a line each: without times, ids and what tells that a message went out twice. */
static const char *const held[] = {
    "SELECT 'out ' || peer || ' ' || CASE WHEN source LIKE 'relay:%' THEN 'relay' ELSE source END || ' ' || "
    "who || ' ' || (flags & ~4) || ' ' || text FROM message "
    "WHERE direction = 1 ORDER BY 1",
    "SELECT 'in ' || peer || ' ' || state || ' ' || reason || ' ' || text FROM message WHERE direction = 2 "
    "ORDER BY 1",
    "SELECT 'contact ' || number || ' ' || name || ' ' || language || ' ' || ifnull(attributes, '') || ' ' "
    "|| ifnull((SELECT group_concat(tag) FROM (SELECT tag FROM contact_tag WHERE contact = c.id ORDER BY "
    "tag)), '') FROM contact c ORDER BY 1",
    "SELECT 'conversation ' || c.number || ' state=' || v.state || ' priority=' || v.priority || ' ' || "
    "v.department || ' ' || v.assignee || ' ' || v.title || ' flagged=' || v.flagged || ' reopened=' || "
    "v.reopened || ' in=' || v.messages_in || ' persons=' || v.replies_by_persons || ' automatic=' || "
    "v.replies_automatic || ' score=' || v.survey_score || ' ' || v.survey_comment || ' of ' || "
    "v.survey_person FROM conversation v JOIN contact c ON c.id = v.contact ORDER BY 1",
    "SELECT 'log ' || c.number || ' ' || l.what || ' ' || l.who || ' ' || l.value FROM conversation_log l "
    "JOIN conversation v ON v.id = l.conversation JOIN contact c ON c.id = v.contact ORDER BY 1",
    "SELECT 'consent ' || number || ' ' || sim || ' ' || state FROM consent ORDER BY 1",
    "SELECT 'ledger ' || number || ' ' || state || ' ' || who || ' ' || how || ' ' || words FROM consent_log "
    "ORDER BY id",
    "SELECT 'once ' || number || ' ' || rule FROM once ORDER BY 1",
    "SELECT 'automatic ' || number || ' ' || count(*) FROM auto_reply GROUP BY number ORDER BY 1",
    "SELECT 'value ' || owner || ' ' || key || ' ' || value FROM value ORDER BY 1",
    "SELECT 'event ' || kind || ' ' || number FROM event ORDER BY 1",
    "SELECT 'delivery ' || handler || ' ' || event FROM delivery ORDER BY 1",
    "SELECT 'campaign ' || name || ' ' || state || ' ' || text FROM campaign ORDER BY 1",
    "SELECT 'recipient ' || number || ' ' || state || ' ' || (message > 0) FROM campaign_to ORDER BY 1",
};

/* "#12" as "#", whatever number a conversation has. */
static void add_plain(struct buf *out, const char *words)
{
    for (const char *p = words; *p; p++) {
        buf_add(out, p, 1);
        if (*p == '#')
            p += strspn(p + 1, "0123456789");
    }
}

static void on_figures(struct store_op *op, int status)
{
    struct shop *s = container_of(op, struct shop, figures.op);

    if (status != 0)
        fail(s, "the figures: %s", op->err.text);
    s->done = true;
}

/* All sums but what counts parts again that are sent again, and reports that may not come to be known. */
static void dump_figures(struct shop *s, struct buf *out)
{
    s->figures = (struct store_figures){
        .op.done = on_figures, .since_wall_ms = RT_SIM_START_WALL_MS, .until_wall_ms = rt_wall_ms(s->w->rt)};
    s->done = false;
    store_figures(s->w->store, &s->figures);
    await_done(s);
    for (int i = 0; i < FIGURES; i++)
        if (i != FIGURE_SEGMENTS && i != FIGURE_DELIVERED)
            buf_addf(out, "figure %s %lld\n", figure_name((enum figure)i), (long long)s->figures.total.n[i]);
    buf_addf(out, "figure five %lld\n", (long long)s->figures.total.scores[5]);
    free(s->figures.rows);
}

static void dump(struct shop *s, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(held); i++) {
        sqlite3_stmt *st;

        if (sqlite3_prepare_v2(world_eye(s->w), held[i], -1, &st, NULL) != SQLITE_OK) {
            fail(s, "%s: %s", held[i], sqlite3_errmsg(s->w->eye));
            return;
        }
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(st, 0);

            add_plain(out, line ? line : "(null)");
            buf_adds(out, "\n");
        }
        sqlite3_finalize(st);
    }
    dump_figures(s, out);
}

/* Each text once; again only where it is marked; none besides. */
static void balance_telephones(struct shop *s)
{
    bool known[HEARD_MAX] = {false};

    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        int n = 0;

        for (int k = 0; k < s->nheard; k++) {
            struct buf plain = {0};

            add_plain(&plain, s->heard[k].text);
            if (!strcmp(s->heard[k].to, expected[i].to) && !strcmp(buf_str(&plain), expected[i].text)) {
                known[k] = true;
                n++;
            }
            buf_free(&plain);
        }
        if (n != 1)
            fail(s, "%s heard \"%s\" %d times", expected[i].to, expected[i].text, n);
    }
    for (int k = 0; k < s->nheard; k++) {
        if (!known[k])
            fail(s, "%s heard what nobody should have said: %s", s->heard[k].to, s->heard[k].text);
        if (s->heard[k].unmarked > 1)
            fail(s, "%s heard \"%s\" again unmarked", s->heard[k].to, s->heard[k].text);
    }
}

/* Of one event each server was told, the one that refuses at first at least twice. */
static void balance_servers(struct shop *s)
{
    int crm = 0, price = 0;

    for (int i = 0; i < s->nasked; i++) {
        bool is_crm = strstr(s->asked[i].url, "crm") != NULL;

        crm += is_crm;
        price += !is_crm;
        if (is_crm && s->asked[i].times < 2)
            fail(s, "%s was told %d times", s->asked[i].event, s->asked[i].times);
    }
    if (crm != 1 || price != 1)
        fail(s, "servers were told of %d and %d events", crm, price);
}

static void first_difference(struct shop *s, const char *got, const char *wanted)
{
    while (*got && *got == *wanted) {
        got++;
        wanted++;
    }
    if (*got || *wanted)
        fail(s, "the database holds \"…%.100s…\" instead of \"…%.100s…\"", got, wanted);
}

/* ---- again and again ------------------------------------------------------------------------------------
 */

/* One telling. *without: what the database holds when nobody dies; filled by the first. Did the process die?
 */
static bool tell(struct totals *t, bool power_loss, struct death death, struct buf *without, int verbose)
{
    static const struct transfer_ops ops = {start_transfer, cancel_transfer};
    struct shop *s = calloc(1, sizeof *s);
    struct world_conf c = {.seed = 1,
                           .modems = 1,
                           .net_ms = 1000,
                           .on_unknown = ON_UNKNOWN_RESEND,
                           .report = true,
                           .power_loss = power_loss,
                           .verbose = verbose,
                           .settings = settings,
                           .heard = hear,
                           .born = born,
                           .arg = s};
    uint64_t at = death.at;
    struct buf now = {0};
    bool came;

    if (!s)
        abort();
    s->transfers.ops = &ops;
    s->outside.transfers = &s->transfers;
    c.outside = &s->outside;
    s->w = world_new(&c);
    rt_sim_on_work(s->w->rt, run_dies, &death);
    if (world_start(s->w)) {
        customer_of_people(s);
        customer_of_rules(s);
        customer_who_leaves(s);
        customer_of_nobody(s);
        campaign(s);
        world_settle(s->w, DAY);
        dump(s, without->len ? &now : without);
        balance_telephones(s);
        balance_servers(s);
        if (now.len)
            first_difference(s, buf_str(&now), buf_str(without));
    }
    came = s->w->lives > 1;
    if (!run_finish(t, s->w, death.moment == RT_SIM_BEFORE_RUN ? "death before a commit" : "death after it"))
        printf("    (work %llu%s)\n", (unsigned long long)at, power_loss ? ", of the machine" : "");
    for (int i = 0; i < s->nasked; i++)
        buf_free(&s->asked[i].body);
    buf_free(&now);
    free(s);
    return came;
}

void shop(struct totals *t, uint64_t only, int verbose)
{
    struct buf without = {0};

    for (int machine = 0; machine < 2; machine++) {
        tell(t, machine, (struct death){UINT64_MAX, RT_SIM_BEFORE_RUN}, &without, only ? 0 : verbose);
        for (uint64_t n = only ? only : 1;
             tell(t, machine, (struct death){n, RT_SIM_BEFORE_RUN}, &without, verbose) && n != only; n++)
            tell(t, machine, (struct death){n, RT_SIM_BEFORE_DONE}, &without, verbose);
    }
    if (verbose)
        printf("%s", buf_str(&without));
    buf_free(&without);
}
