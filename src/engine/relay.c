/* The relay: customers' messages to the telephones of those who are on duty, and what these answer.
 *
 *      relay_tell            customer -> "#12 Maria: text" to staff
 *      decide -> job -> ...  staff    -> "#12 text" -> customer, or an operation, or a question
 *
 * What staff writes is decided with the conversation as it is: read on the store's writer lane, and for one
 * conversation one after the other, so that of two who answer at once the second hears of the first. All that
 * follows is the verdict on staff's message: one transaction, like any other.
 *
 * What can fail: the store. The walk then ends in `hold`, and the message is asked about again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "engine/operations.h"
#include "engine/plugins.h"
#include "engine/relay_private.h"

enum {
    TIMELINE = 40, /* entries that are looked at for who answered */
    ANSWERS = 30,  /* to one person … */
};
#define ANSWERS_MS INT64_C(600000) /* … in this time */

static const char help_text[] =
    "#12 TEXT answers customer 12. #12 close, take, assign NAME, note TEXT, snooze "
    "2h, tag WORD, department NAME, reopen, spam. #? lists what is open, #? 12 tells "
    "of one. #12! TEXT sends whatever TEXT is.";

/* ---- the end of a job -----------------------------------------------------------------------------------
 */

static void job_free(struct relay_job *j)
{
    DL_DELETE(j->relay->jobs, j);
    store_situation_clear(&j->known);
    store_conv_clear(&j->timeline);
    store_convs_clear(&j->open);
    for (int i = 0; i < j->sent.count; i++)
        msg_row_clear(&j->sent.rows[i]);
    free(j->sent.rows);
    free(j);
}

static void ask_conversation(struct relay_job *j);

/* The oldest job about this conversation, if it waits. */
static void next_of(struct relay *r, int64_t conversation)
{
    struct relay_job *j;

    DL_FOREACH(r->jobs, j)
    {
        if (j->command.conversation != conversation)
            continue;
        if (!j->asked)
            ask_conversation(j);
        return;
    }
}

/* The verdict is given; what waited for the same conversation then sees it. The relay outlives the walk only
 * as long as others hold the program, so it is not touched behind a walk that was the last. */
static void finish(struct relay_job *j)
{
    struct relay *r = j->relay;
    struct walk *w = j->walk;
    int64_t conversation = j->command.conversation;
    struct relay_job *other;
    bool more = false;

    job_free(j);
    DL_FOREACH(r->jobs, other)
    {
        more = more || other->walk;
    }
    if (w)
        walk_resume(w, HANDLER_STOP);
    if (conversation && (more || !w))
        next_of(r, conversation);
}

/* Answers who wrote, unless a machine seems to write there. */
struct buf *relay_answer(struct relay_job *j, int64_t conversation)
{
    struct relay *r = j->relay;
    const struct handler_event *ev = j->walk->event;
    struct relay_meter *m = &r->meters[j->person - r->program->staff.people];

    if (ev->now_wall_ms - m->since_wall_ms > ANSWERS_MS)
        *m = (struct relay_meter){.since_wall_ms = ev->now_wall_ms};
    if (++m->answers > ANSWERS)
        return NULL;
    return relay_message(j->walk->verdict, j->person, conversation, ev->modem);
}

/* "#12: words"; the message did nothing, or what the words say. */
void relay_say(struct relay_job *j, const char *words)
{
    struct buf *out = relay_answer(j, 0);

    verdict_reason(j->walk->verdict, "relay: %s: %s", j->person->name, words);
    if (out)
        buf_adds(out, words);
}

/* ---- operations -----------------------------------------------------------------------------------------
 */

static void add_told(struct relay_job *j, const struct operation_plan *plan)
{
    const struct conv_row *c = &j->known.conv;

    for (int i = 0; i < plan->ntold; i++) {
        struct buf *out = relay_message(j->walk->verdict, plan->told[i], c->id, c->sim);

        if (out)
            relay_told(j->relay->program, c, plan, j->person->name, j->command.value, out);
    }
}

static void add_reply(struct relay_job *j)
{
    struct verdict *v = j->walk->verdict;
    const struct conv_row *c = &j->known.conv;
    const char *who = verdict_keepf(v, "person:%s", j->person->name);
    struct verdict_reply *r = verdict_send(v, who, c->number);
    const char *modem, *pool;

    if (!r)
        return; /* the first in the chain: there is room */
    operation_route(&j->relay->program->staff, c, &modem, &pool);
    r->person = true;
    r->who = who;
    r->conversation = c->id;
    r->modem = verdict_keep(v, modem);
    r->pool = verdict_keep(v, pool);
    buf_adds(&r->text, j->command.value);
}

static bool opted_out(struct relay_job *j)
{
    char words[80];

    if (j->known.consent != CONSENT_OUT)
        return false;
    snprintf(words, sizeof words, "#%lld has opted out of messages: nothing was sent",
             (long long)j->command.conversation);
    relay_say(j, words);
    return true;
}

/* Asks back; "#12!" helps where a text only looks like a command. */
static void say_wrong(struct relay_job *j, const struct err *e)
{
    struct buf words = {0};

    buf_adds(&words, e->text);
    if (j->command.kind == RELAY_OPERATION && *j->command.value)
        buf_addf(&words, ". Nothing was done or sent; if it is a text for the customer: #%lld! TEXT",
                 (long long)j->command.conversation);
    relay_say(j, buf_str(&words));
    buf_free(&words);
}

static void operate(struct relay_job *j)
{
    struct verdict *v = j->walk->verdict;
    struct operation_request r = {.op = j->command.kind == RELAY_TEXT ? OP_REPLY : j->command.op,
                                  .value = j->command.value,
                                  .person = j->person->name,
                                  .now_wall_ms = j->walk->event->now_wall_ms};
    struct operation_plan plan;
    struct err e = {0};
    struct buf words = {0};

    if (r.op == OP_REPLY && opted_out(j))
        return;
    if (operation_plan(&j->relay->program->staff, &j->known.conv, &r, &plan, &e) != 0) {
        say_wrong(j, &e);
        return;
    }
    for (int i = 0; i < plan.neffects; i++)
        verdict_effect(v, &plan.effects[i]);
    if (plan.reply) {
        add_reply(j);
        verdict_reason(v, "relay: %s answers #%lld", j->person->name, (long long)j->command.conversation);
    } else {
        buf_addf(&words, "#%lld %s", (long long)j->command.conversation, plan.words);
        relay_say(j, buf_str(&words));
        buf_free(&words);
    }
    add_told(j, &plan);
}

/* ---- two who answer -------------------------------------------------------------------------------------
 */

static const struct timeline_row *last_answer(const struct relay_job *j)
{
    for (int i = j->timeline.count - 1; i >= 0; i--) {
        const struct timeline_row *t = &j->timeline.rows[i];

        if (t->kind == TIMELINE_OUT && t->message.flags & MSG_F_PERSON)
            return t;
    }
    return NULL;
}

/* Has another one answered what this one answers now? Whose conversation it is always answers. */
static bool may_collide(const struct relay_job *j)
{
    const struct conv_row *c = &j->known.conv;

    return j->command.kind == RELAY_TEXT && !j->command.forced && c->person_wall_ms != 0 &&
           c->waiting_wall_ms == 0 && c->state < CONV_CLOSED && strcmp(c->assignee, j->person->name) != 0;
}

/* Both hear of it; what the second wrote is not sent. */
static void collide(struct relay_job *j, const struct timeline_row *first)
{
    const struct conv_row *c = &j->known.conv;
    const struct person *other = staff_person(&j->relay->program->staff, relay_who(first->who));
    struct verdict *v = j->walk->verdict;
    struct buf *out = relay_answer(j, c->id);

    verdict_reason(v, "relay: %s answers #%lld too late", j->person->name, (long long)c->id);
    if (out) {
        buf_addf(out, "#%lld: %s answered ", (long long)c->id, relay_who(first->who));
        relay_add_since(out, j->walk->event->now_wall_ms - first->at_wall_ms);
        buf_adds(out, " ago: ");
        relay_quote(j->relay->program, first->message.text ? first->message.text : "", out);
        buf_addf(out, ". Yours was not sent; #%lld! TEXT sends it", (long long)c->id);
    }
    if (!other || !*other->number || other == j->person || !(out = relay_message(v, other, c->id, c->sim)))
        return;
    relay_title(c, out);
    buf_addf(out, ": %s wanted to answer too: ", j->person->name);
    relay_quote(j->relay->program, j->command.value, out);
}

/* ---- asking the store -----------------------------------------------------------------------------------
 */

/* Goes on with what the store said; false: the job is over. */
static bool goes_on(struct relay_job *j, int status, const struct err *e)
{
    if (!j->walk) {
        job_free(j);
        return false;
    }
    if (status == 0)
        return true;
    verdict_reason(j->walk->verdict, "relay: %s", *e->text ? e->text : err_name(status));
    j->walk->verdict->hold = true;
    finish(j);
    return false;
}

static void on_timeline(struct store_op *op, int status)
{
    struct relay_job *j = container_of(op, struct relay_job, timeline.op);
    const struct timeline_row *first;

    if (!goes_on(j, status, &op->err))
        return;
    first = last_answer(j);
    if (j->command.kind == RELAY_DETAILS)
        relay_tell_details(j);
    else if (first && strcmp(relay_who(first->who), j->person->name) != 0)
        collide(j, first);
    else
        operate(j);
    finish(j);
}

static void ask_timeline(struct relay_job *j)
{
    j->timeline =
        (struct store_conv){.op.done = on_timeline, .id = j->command.conversation, .limit = TIMELINE};
    store_conv(j->relay->world->store, &j->timeline);
}

static void say_unknown(struct relay_job *j, const char *why)
{
    char words[80];

    snprintf(words, sizeof words, "#%lld %s: nothing was done or sent", (long long)j->command.conversation,
             why);
    relay_say(j, words);
    finish(j);
}

/* The conversation was folded into another one: in line behind what is about that one. */
static void go_to(struct relay_job *j, int64_t conversation)
{
    struct relay *r = j->relay;
    int64_t before = j->command.conversation;

    j->command.conversation = conversation;
    j->asked = false;
    DL_DELETE(r->jobs, j);
    DL_APPEND(r->jobs, j);
    next_of(r, conversation);
    next_of(r, before);
}

static void on_conversation(struct store_op *op, int status)
{
    struct relay_job *j = container_of(op, struct relay_job, known.op);

    if (j->walk && status == ERR_NOT_FOUND)
        say_unknown(j, "is not known");
    else if (!goes_on(j, status, &op->err))
        return;
    else if (j->known.conv.id != j->command.conversation)
        go_to(j, j->known.conv.id);
    else if (!relay_concerns(j, &j->known.conv))
        say_unknown(j, "is of another department");
    else if (j->command.kind == RELAY_DETAILS || may_collide(j))
        ask_timeline(j);
    else {
        operate(j);
        finish(j);
    }
}

static void ask_conversation(struct relay_job *j)
{
    j->asked = true;
    store_situation_clear(&j->known);
    j->known = (struct store_situation){.op.done = on_conversation, .of = j->command.conversation};
    store_situation(j->relay->world->store, &j->known);
}

static void on_open(struct store_op *op, int status)
{
    struct relay_job *j = container_of(op, struct relay_job, open.op);

    if (!goes_on(j, status, &op->err))
        return;
    relay_tell_open(j);
    finish(j);
}

static void ask_open(struct relay_job *j)
{
    j->asked = true;
    j->open = (struct store_convs){.op.done = on_open,
                                   .states = 1u << CONV_NEW | 1u << CONV_OPEN,
                                   .order = CONV_NEWEST,
                                   .limit = RELAY_LISTED_OF};
    store_convs(j->relay->world->store, &j->open);
}

static void on_sent(struct store_op *op, int status)
{
    struct relay_job *j = container_of(op, struct relay_job, sent.op);
    int64_t ids[RELAY_LISTED];
    int n;

    if (!goes_on(j, status, &op->err))
        return;
    if (relay_stop_machine(j)) {
        finish(j);
        return;
    }
    n = relay_recent(j, ids);
    if (n == 1) {
        j->command.conversation = ids[0];
        j->asked = false;
        next_of(j->relay, ids[0]);
        return;
    }
    relay_ask_back(j, ids, n);
    finish(j);
}

static void ask_sent(struct relay_job *j)
{
    j->asked = true;
    str_copy(j->from, sizeof j->from, j->walk->event->from);
    j->sent = (struct store_list){.op.done = on_sent,
                                  .peer = j->person->number,
                                  .peer_too = strcmp(j->from, j->person->number) ? j->from : NULL,
                                  .limit = RELAY_RECENT};
    store_list(j->relay->world->store, &j->sent);
}

/* ---- the handler ----------------------------------------------------------------------------------------
 */

/* A word that means STOP, START or HELP, alone, is a slip: it is for no customer. */
static bool is_slip(const struct relay *r, const struct relay_command *c)
{
    return c->kind == RELAY_TEXT && c->conversation == 0 &&
           (*c->value == '\0' || consent_takes(&r->program->consent, c->value));
}

static void explain(const struct relay_command *c, const struct person *person, struct verdict *v)
{
    static const char *const kinds[] = {[RELAY_TEXT] = "a text for the customer",
                                        [RELAY_OPERATION] = "an operation",
                                        [RELAY_LIST] = "what is open?",
                                        [RELAY_DETAILS] = "what is it about?",
                                        [RELAY_HELP] = "help"};

    verdict_explain(v, "relay: from %s: %s%s%s, of conversation %lld (0: the last relayed)", person->name,
                    kinds[c->kind], c->kind == RELAY_OPERATION ? " " : "",
                    c->kind == RELAY_OPERATION ? operation_name(c->op) : "", (long long)c->conversation);
}

/* What can be said at once. */
static bool said_at_once(struct relay_job *j)
{
    if (j->command.kind == RELAY_HELP)
        relay_say(j, help_text);
    else if (is_slip(j->relay, &j->command))
        relay_say(j, "Nothing was sent: #12 TEXT answers number 12, #? lists what is open, #help tells more");
    else
        return false;
    return true;
}

static void start(struct relay_job *j)
{
    if (j->command.kind == RELAY_LIST)
        ask_open(j);
    else if (j->command.conversation == 0)
        ask_sent(j);
    else
        next_of(j->relay, j->command.conversation);
}

static struct relay_job *job_new(struct relay *r, const struct person *person, struct walk *walk)
{
    struct relay_job *j = calloc(1, sizeof *j);

    if (!j)
        abort();
    j->relay = r;
    j->person = person;
    j->walk = walk;
    relay_read(walk->event->text.at, &j->command);
    DL_APPEND(r->jobs, j);
    return j;
}

static enum handler_answer decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                  struct walk *walk)
{
    struct relay *r = container_of(h, struct relay, handler);
    const struct person *person =
        r->on && ev->on <= ENGINE_ON_CALL ? staff_by_number(&r->program->staff, ev->from) : NULL;
    struct relay_job *j;

    if (!person)
        return HANDLER_NEXT;
    v->thread = THREAD_NONE;
    v->who = verdict_keepf(v, "person:%s", person->name); /* also of what asks or is wrong: no customer's */
    verdict_reason(v, "relay: from %s", person->name);
    if (!ev->text.at || ev->on == ENGINE_ON_CALL)
        return HANDLER_STOP;
    j = job_new(r, person, walk);
    if (v->why)
        explain(&j->command, person, v);
    if (ev->id == 0 || !r->world || !r->world->store || said_at_once(j)) {
        job_free(j);
        return HANDLER_STOP;
    }
    start(j);
    return HANDLER_LATER;
}

static void abandon(struct handler *h, struct walk *walk)
{
    struct relay *r = container_of(h, struct relay, handler);
    struct relay_job *j, *next;

    DL_FOREACH_SAFE(r->jobs, j, next)
    {
        if (j->walk != walk)
            continue;
        j->walk = NULL;
        if (!j->asked)
            job_free(j);
    }
}

void relay_compile(struct relay *r, const struct engine_conf *conf, const struct program *p,
                   const struct plugin_world *world)
{
    *r = (struct relay){.handler = {.name = "relay", .decide = decide, .abandon = abandon},
                        .on = conf->desk.relay,
                        .program = p,
                        .world = world};
    r->meters = calloc((size_t)conf->npeople + 1, sizeof *r->meters);
    if (!r->meters)
        abort();
}

void relay_fini(struct relay *r)
{
    while (r->jobs)
        job_free(r->jobs);
    free(r->meters);
    *r = (struct relay){0};
}
