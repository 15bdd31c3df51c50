/* A received message's or an event's way through the engine: gateway or store -> store (what do we know of
 * the number?) -> handlers -> gateway, which makes all of it one transaction.
 *
 * What is about one number is decided one after the other: what is asked of the store about the second is
 * asked after the verdict on the first was queued to it, and so sees its opt-out and its replies. Otherwise a
 * burst of texts would pass the guard at once, and a message right behind STOP would be answered. What is
 * about one contact is, too, from whichever of their numbers: only the store tells that they are one's, so
 * the second is asked about at once, and once more when its turn has come.
 *
 * What can fail: the store, and handlers that say "hold". The job then stays open and is asked about again
 * later; when the store is closing, the message stays RECEIVED, the event stored, and the next life decides.
 */
#include "engine/flow.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/courier.h"
#include "engine/rules.h"
#include "store/templates.h"

const char *job_number(const struct job *j)
{
    return j->message ? j->message->peer : j->row.number;
}

static void walk_clear(struct job *j)
{
    verdict_fini(&j->verdict);
    program_unref(j->program);
    j->program = NULL;
}

static void job_free(struct job *j)
{
    DL_DELETE(j->en->jobs, j);
    rt_timer_stop(j->en->rt, &j->retry);
    walk_cancel(&j->walk);
    walk_clear(j);
    buf_free(&j->shown);
    store_situation_clear(&j->known);
    event_row_clear(&j->row);
    free(j);
}

static void ask(struct job *j);

/* The oldest job of this number, if it waits. What is of no number (an alarm, a schedule's time) waits for
 * nothing that is asked about again later. */
static void next_of(struct engine *en, const char *number)
{
    struct job *j;

    DL_FOREACH(en->jobs, j)
    {
        if (strcmp(job_number(j), number) != 0 || (j->held && !*number))
            continue;
        if (!j->asked)
            ask(j);
        return;
    }
}

/* The oldest that is known to be of this contact. */
static void next_of_contact(struct engine *en, int64_t contact)
{
    struct job *j;

    DL_FOREACH(en->jobs, j)
    {
        if (contact == 0 || j->contact != contact)
            continue;
        if (!j->asked)
            ask(j);
        return;
    }
}

void job_end(struct job *j)
{
    struct engine *en = j->en;
    bool event = !j->message;
    int64_t contact = j->contact;
    char number[sizeof j->row.number];

    str_copy(number, sizeof number, job_number(j));
    flow_events_open(j, false);
    job_free(j);
    if (event)
        flow_events_ended(en);
    next_of(en, number);
    next_of_contact(en, contact);
}

void job_again(struct job *j, const char *why)
{
    log_err(FLOW_WHO, "%s is not decided yet: %s", j->key, why);
    j->retry_ms = j->retry_ms ? j->retry_ms * 2 : RETRY_FIRST_MS;
    if (j->retry_ms > RETRY_MOST_MS)
        j->retry_ms = RETRY_MOST_MS;
    rt_timer_at(j->en->rt, &j->retry, rt_now_ms(j->en->rt) + j->retry_ms);
    if (!j->held) {
        j->held = true;
        flow_events_open(j, false);
        if (!*job_number(j))
            next_of(j->en, "");
    }
    if (*job_number(j)) /* an older one may have waited for it */
        next_of(j->en, job_number(j));
    next_of_contact(j->en, j->contact);
}

/* ---- the verdict ----------------------------------------------------------------------------------------
 */

static void log_gave_up(struct engine *en, const struct verdict *v)
{
    unsigned left_out;

    if (v->gave_up && log_limit_pass(&en->gave_up_limit, rt_now_ms(en->rt), &left_out))
        log_warning(FLOW_WHO,
                    "rule %s: its pattern takes too long for a text that came, taken as no match left_out=%u",
                    v->gave_up, left_out);
}

static void decided(struct walk *w)
{
    struct job *j = container_of(w, struct job, walk);
    struct verdict *v = &j->verdict;

    if (v->hold) {
        walk_clear(j);
        job_again(j, "a handler failed, and it is to be waited for");
        return;
    }
    desk_finish(j->program, &j->event, v);
    guard_filter(j->program, &j->event, v);
    log_gave_up(j->en, v);
    log_debug(FLOW_WHO, "%s from=%s text=%s replies=%d effects=%d reason=\"%s\"", j->key,
              log_number(j->event.from), log_text(j->event.text.at ? j->event.text.at : ""), v->nreplies,
              v->neffects, v->reason);
    flow_give(j);
}

/* ---- what is asked about --------------------------------------------------------------------------------
 */

static struct span text_of(const char *text, bool is_text)
{
    size_t len = text ? strlen(text) : 0;

    if (!text || !is_text || !utf8_valid(text, len))
        return (struct span){0};
    return (struct span){text, len};
}

/* TS 23.038 4: as gateway/meta.c keeps it. Read only where a rule asks. */
static int class_of(const struct msg_row *m)
{
    json_t *meta;
    int class = -1;

    if (m->flags & MSG_F_FLASH)
        return 0;
    meta = m->meta ? json_loads(m->meta, 0, NULL) : NULL;
    if (json_is_integer(json_object_get(meta, "class")))
        class = (int)json_integer_value(json_object_get(meta, "class"));
    json_decref(meta);
    return class;
}

static int64_t conversation_of(const struct job *j)
{
    const struct store_situation *k = &j->known;

    if (!j->message)
        return j->row.conversation;
    if (k->conv.id)
        return k->conv.id;
    return program_begins(j->program, &j->event) ? k->reserved : k->last.id;
}

static void fill_message(struct job *j)
{
    const struct msg_row *m = j->message;
    const uint32_t no_text = MSG_F_BINARY | MSG_F_UNDECODABLE | MSG_F_CALL;

    j->event = (struct handler_event){
        .id = m->id,
        .on = m->flags & MSG_F_CALL ? ENGINE_ON_CALL : ENGINE_ON_MESSAGE,
        .wall_ms = m->scts_wall_ms > 0 ? m->scts_wall_ms : m->created_wall_ms,
        .came_wall_ms = m->created_wall_ms,
        .sensitive = m->flags & MSG_F_MASKED,
        .from = m->peer,
        .text = text_of(m->text, !(m->flags & no_text)),
        .modem = m->modem,
        .name = "",
        .incomplete = m->flags & MSG_F_INCOMPLETE,
        .message_class = j->program->rules->has_class ? class_of(m) : -1,
        .own_number = gateway_own_number(j->en->gateway, m->peer),
    };
}

static void fill_event(struct job *j)
{
    const struct event_row *r = &j->row;

    j->event = (struct handler_event){
        .id = r->message,
        .on = ENGINE_ON_REPORT + (int)r->kind - DESK_REPORT,
        .depth = r->depth,
        .wall_ms = r->at_wall_ms,
        .came_wall_ms = r->at_wall_ms,
        .from = r->number,
        .text = text_of(r->text, true),
        .modem = r->sim,
        .name = r->name,
        .message_class = -1,
    };
}

static void decide(struct job *j)
{
    struct engine *en = j->en;
    struct handler_event *ev = &j->event;
    const struct carrier *c;

    j->program = program_ref(en->program);
    if (j->message)
        fill_message(j);
    else
        fill_event(j);
    c = gateway_carrier(en->gateway, ev->modem);
    ev->pool = c ? c->pool : NULL;
    ev->to = c ? c->number : NULL;
    ev->key = j->key;
    ev->now_wall_ms = rt_wall_ms(en->rt);
    ev->known = &j->known;
    ev->conversation = conversation_of(j);
    ev->language = program_language(j->program, ev);
    buf_clear(&j->shown);
    sensitive_show(&j->program->sensitive, ev, &j->shown);
    sensitive_titles(&j->program->sensitive, &j->known);
    verdict_init(&j->verdict, NULL);
    if (!j->message)
        j->verdict.thread = THREAD_NONE; /* it belongs to its conversation already */
    j->walk = (struct walk){.chain = j->program->chain, .event = ev, .verdict = &j->verdict, .done = decided};
    walk_start(&j->walk);
}

/* ---- asking the store -----------------------------------------------------------------------------------
 */

static bool is_of_one(const struct job *a, const struct job *b)
{
    return strcmp(job_number(a), job_number(b)) == 0 || (a->contact != 0 && a->contact == b->contact);
}

/* It is being decided about, and waits for no other: it ends or is asked about again later, and then the
 * oldest has its turn. */
static bool under_way(const struct job *j)
{
    return j->program || j->ready;
}

/* There is an older one: of another number of its contact, or a message of its number that came again (the
 * store had no room for the verdict on it). That one first. Or a younger one went ahead, while the contact of
 * this one was not known. */
static bool steps_back(struct job *j)
{
    struct job *other;
    bool older = true;

    if (!*job_number(j))
        return false;
    DL_FOREACH(j->en->jobs, other)
    {
        if (other == j)
            older = false;
        else if (is_of_one(other, j) && (older || under_way(other)))
            break;
    }
    if (!other)
        return false;
    j->asked = false;
    flow_events_open(j, false);
    return true;
}

/* Who waited for it as one of a contact's that it is not any more goes on. */
static void is_of(struct job *j, int64_t contact)
{
    int64_t before = j->contact;

    j->contact = contact;
    if (before != contact)
        next_of_contact(j->en, before);
}

/* Lists were read: who waited for them goes on. Deciding may end jobs. */
static void go_on(void *owner)
{
    struct engine *en = owner;
    struct job *j;

    do {
        DL_FOREACH(en->jobs, j)
        {
            if (j->ready)
                break;
        }
        if (j) {
            j->ready = false;
            decide(j);
        }
    } while (j);
}

/* The conversation of an event may have been erased: nothing is decided about it any more. */
static void ends_unseen(struct job *j)
{
    log_info(FLOW_WHO, "%s is of a conversation that is gone", j->key);
    j->given_up = true;
    flow_give(j);
}

static void known(struct store_op *op, int status)
{
    struct job *j = container_of(op, struct job, known.op);
    struct engine *en = j->en;

    if (status == ERR_CANCELLED) {
        job_free(j);
        return;
    }
    if (status == ERR_NOT_FOUND && !j->message) {
        ends_unseen(j);
        return;
    }
    if (status != 0) {
        job_again(j, *op->err.text ? op->err.text : err_name(status));
        return;
    }
    is_of(j, j->known.contact.id);
    if (steps_back(j))
        return;
    j->ready = lists_refresh(en->program->lists, en->rt, go_on, en);
    if (!j->ready)
        decide(j);
}

static void ask(struct job *j)
{
    struct engine *en = j->en;

    j->asked = true;
    flow_events_open(j, !j->held);
    store_situation_clear(&j->known);
    j->known = (struct store_situation){.op = {.done = known},
                                        .number = job_number(j),
                                        .sim = j->message ? j->message->modem : j->row.sim,
                                        .of = j->message ? 0 : j->row.conversation,
                                        .look_only = !j->message};
    guard_ask(&en->program->guard, rt_wall_ms(en->rt), &j->known);
    store_situation(en->store, &j->known);
}

static void retry(struct rt_timer *t)
{
    struct job *j = container_of(t, struct job, retry);

    if (!steps_back(j))
        ask(j);
}

/* A message that comes again goes before younger ones; all else behind what is there. */
static void insert(struct engine *en, struct job *j)
{
    struct job *before = NULL;

    for (struct job *at = j->message && en->jobs ? en->jobs->prev : NULL; at; at = at->prev) {
        if (at->message && at->message->id < j->message->id)
            break;
        if (at->message)
            before = at;
        if (at == en->jobs) /* whose prev is the last one */
            break;
    }
    if (before)
        DL_PREPEND_ELEM(en->jobs, before, j);
    else
        DL_APPEND(en->jobs, j);
}

void job_add(struct engine *en, struct job *j)
{
    j->en = en;
    j->retry.fire = retry;
    if (j->message)
        snprintf(j->key, sizeof j->key, "message:%lld", (long long)j->message->id);
    else
        snprintf(j->key, sizeof j->key, "event:%lld", (long long)j->row.id);
    insert(en, j);
    next_of(en, job_number(j));
}

static void on_message(void *owner, const struct msg_row *m)
{
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        abort();
    j->message = m;
    job_add(owner, j);
}

/* ---- attaching ------------------------------------------------------------------------------------------
 */

static int measure(struct engine *en, const char *to, const char *text, struct segment_plan *plan,
                   struct err *e)
{
    struct gateway_send s;
    char canonical[NUMBER_BYTES];

    gateway_send_init(&s);
    s.to = to;
    s.reading = NUMBER_READ_INTERNATIONAL;
    s.text = text;
    return gateway_preview(en->gateway, &s, plan, canonical, e);
}

static void detach(struct engine *en)
{
    flow_events_stop(en);
    timetable_free(en);
    courier_free(en->courier);
    while (en->jobs)
        job_free(en->jobs);
    en->world.store = NULL; /* nothing that was asked of it is answered any more */
}

static struct program *program_of(void *owner)
{
    return ((struct engine *)owner)->program;
}

static void deliveries(struct engine *en)
{
    courier_kick(en->courier);
}

/* The lists that somebody waits for may have been those of the program before. */
static void reconfigured(struct engine *en)
{
    flow_events_want(en);
    timetable_use(en);
    courier_kick(en->courier);
    go_on(en);
}

/* Without them, rules that say them hold their replies. */
static void load_templates(struct engine *en)
{
    struct store_templates all;
    struct err e = {0};

    if (store_load_templates(en->store, &all, &e) != 0)
        log_err(FLOW_WHO, "templates of the store are not read: %s", e.text);
    for (int i = 0; i < all.count; i++)
        if (shelf_put(en->shelf, all.rows[i].name, all.rows[i].language, all.rows[i].text, &e) != 0)
            log_err(FLOW_WHO, "template %s of the store: %s", all.rows[i].name, e.text);
    store_templates_clear(&all);
}

void engine_attach(struct engine *en, struct gateway *g, struct store *s)
{
    en->gateway = g;
    en->store = en->world.store = s;
    en->detach = detach;
    en->reconfigured = reconfigured;
    en->measure = measure;
    load_templates(en);
    en->deliveries = deliveries;
    en->courier = courier_new(
        &(struct courier_conf){.rt = en->rt, .store = s, .gateway = g, .program = program_of, .owner = en});
    flow_events_start(en);
    timetable_use(en);
    gateway_set_engine(g, on_message, en);
}
