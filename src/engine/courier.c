/* Deliveries: from the store to handlers, and what these answer back to the store. See engine/courier.h.
 *
 *   due -> given to its handler -> answered -> situation, guard -> gateway_apply (the delivery goes with it)
 *                               -> failed   -> again later | given up, with an alarm
 *
 * A delivery is forgotten in the same transaction that does what was answered: a crash before it delivers
 * once more, with the same event id, and never does the same thing twice.
 */
#include "engine/courier.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"

#define WHO "courier"

enum {
    READ_MOST = 256,
    FLIGHTS_MOST = 16,
    A_HANDLER_MOST = 4, /* at a time, so that a slow one leaves room for others */
    STORE_AGAIN_MS = 5000,
    LOOK_MS = 600000,
    MISSING_FOR_MS = 24 * 3600 * 1000, /* a handler that gateway.conf does not have any more may come back */
};

struct flight {
    struct courier *c;
    struct delivery_row row;
    struct ask *ask; /* with its handler; NULL: with the store */
    struct actions actions;
    struct store_situation known;
    struct verdict verdict;
    struct store_delivery_again again;
    struct gateway_apply apply;
    char *source, *why;
    void (*step)(struct flight *f); /* what the store is asked to do, again when it could not */
    struct rt_timer timer;
    struct flight *prev, *next;
};

struct courier {
    struct courier_conf conf;
    struct store_deliveries due;
    bool reading, wanted;
    int excepted;                  /* handlers whose own it does not look for */
    const struct program *program; /* that was in use last, only to be compared; and since when it is */
    int64_t read_wall_ms;
    struct rt_timer timer;
    struct flight *flights;
    struct courier_stats stats;
};

static void read_due(struct courier *c);

static const int backoff_s[] = {5, 15, 30, 60, 120, 300, 600, 1800, 3600};

static int64_t wait_ms(int attempts)
{
    size_t i = (size_t)attempts < ARRAY_LEN(backoff_s) ? (size_t)attempts : ARRAY_LEN(backoff_s) - 1;

    return 1000LL * backoff_s[i];
}

static void flight_free(struct flight *f)
{
    DL_DELETE(f->c->flights, f);
    f->c->stats.under_way--;
    rt_timer_stop(f->c->conf.rt, &f->timer);
    delivery_row_clear(&f->row);
    actions_clear(&f->actions);
    verdict_fini(&f->verdict);
    store_situation_clear(&f->known);
    free(f->source);
    free(f->why);
    free(f);
}

static void flight_end(struct flight *f)
{
    struct courier *c = f->c;

    flight_free(f);
    read_due(c);
}

static void take_step(struct flight *f, void (*step)(struct flight *f))
{
    f->step = step;
    step(f);
}

static void on_step_again(struct rt_timer *t)
{
    struct flight *f = container_of(t, struct flight, timer);

    f->step(f);
}

/* The store could not take it (the disk is full): nobody is told once more because of that, the store is
 * asked again. */
static void store_failed(struct flight *f, int status, const struct err *e)
{
    struct courier *c = f->c;

    if (status == ERR_CANCELLED) {
        flight_free(f);
        return;
    }
    log_warning(WHO, "delivery=%lld stays: %s", (long long)f->row.id, *e->text ? e->text : err_name(status));
    f->timer.fire = on_step_again;
    rt_timer_at(c->conf.rt, &f->timer, rt_now_ms(c->conf.rt) + STORE_AGAIN_MS);
}

/* ---- again, or given up ---------------------------------------------------------------------------------
 */

static void on_again(struct store_op *op, int status)
{
    struct flight *f = container_of(container_of(op, struct store_delivery_again, op), struct flight, again);

    if (status < 0 && status != ERR_NOT_FOUND) /* or dropped by an operator meanwhile */
        store_failed(f, status, &op->err);
    else
        flight_end(f);
}

static void put_off(struct flight *f)
{
    f->again.op = (struct store_op){.done = on_again};
    store_delivery_again(f->c->conf.store, &f->again);
}

static bool may_recover(int status)
{
    return status == ERR_FULL || status == ERR_IO || status == ERR_BUSY || status == ERR_NOMEM ||
           status == ERR_CORRUPT || status == ERR_CANCELLED;
}

static void apply_delivered(struct flight *f);

static void on_applied(struct gateway_apply *a, int status)
{
    struct flight *f = container_of(a, struct flight, apply);

    if (status == 0 || status == ERR_REFUSED) { /* or dropped by an operator meanwhile */
        flight_end(f);
        return;
    }
    if (may_recover(status) || f->step == apply_delivered) {
        store_failed(f, status, &a->err);
        return;
    }
    /* What it asked for cannot be done, however often it is asked: without that. */
    log_warning(f->source, "its answer to %s cannot be done: %s", f->row.event, a->err.text);
    take_step(f, apply_delivered);
}

/* Of the event that it tells of, so that an answer which makes events does not do so for ever. */
static int depth_of(const struct delivery_row *row)
{
    json_t *event = row->body ? json_loads(row->body, JSON_ALLOW_NUL, NULL) : NULL;
    int depth = (int)json_integer_value(json_object_get(event, "depth"));

    json_decref(event);
    return depth;
}

static void apply(struct flight *f, const struct gateway_verdict *v)
{
    f->apply = (struct gateway_apply){
        .delivery = f->row.id, .depth = depth_of(&f->row), .verdict = v, .done = on_applied};
    gateway_apply(f->c->conf.gateway, &f->apply);
}

static void apply_delivered(struct flight *f)
{
    apply(f, &(struct gateway_verdict){.reason = "delivered", .who = f->source});
}

static void apply_given_up(struct flight *f)
{
    apply(f, &(struct gateway_verdict){.reason = "given up", .who = f->source, .alarm = f->why});
}

static void give_up(struct flight *f, const char *why)
{
    f->c->stats.given_up++;
    if (asprintf(&f->why, "handler %s was not told of %s in %d attempts, given up: %s", f->row.handler,
                 f->row.event, f->row.attempts + 1, why) < 0)
        abort();
    log_err(WHO, "%s", f->why);
    take_step(f, apply_given_up);
}

static void again(struct flight *f, int64_t least_ms, const char *why)
{
    struct courier *c = f->c;
    int64_t now_wall_ms = rt_wall_ms(c->conf.rt), pause_ms = wait_ms(f->row.attempts);

    f->why = strdup(why);
    if (pause_ms < least_ms)
        pause_ms = least_ms;
    f->again = (struct store_delivery_again){
        .id = f->row.id, .next_wall_ms = now_wall_ms + pause_ms, .reason = f->why};
    take_step(f, put_off);
}

static void try_again(struct flight *f, int64_t for_ms, int64_t least_ms, const char *why)
{
    if (rt_wall_ms(f->c->conf.rt) - f->row.created_wall_ms >= for_ms)
        give_up(f, why);
    else
        again(f, least_ms, why);
}

/* However old it is: from this gateway.conf on its handler may come back. */
static void missing(struct flight *f, const char *why)
{
    int64_t now_wall_ms = rt_wall_ms(f->c->conf.rt);

    if (now_wall_ms - f->row.created_wall_ms >= MISSING_FOR_MS &&
        now_wall_ms - f->c->read_wall_ms >= MISSING_FOR_MS)
        give_up(f, why);
    else
        again(f, 0, why);
}

/* ---- delivered ------------------------------------------------------------------------------------------
 */

static int fill_sends(struct flight *f, struct gateway_send *sends, char (*keys)[MSG_KEY_BYTES])
{
    struct verdict *v = &f->verdict;

    for (int i = 0; i < v->nreplies; i++) {
        struct gateway_send *s = &sends[i];
        const struct verdict_reply *r = &v->replies[i];

        snprintf(keys[i], MSG_KEY_BYTES, "reply:%lld:%s:%d", (long long)f->row.id, f->row.handler, i + 1);
        gateway_send_init(s);
        s->to = r->to;
        s->reading = NUMBER_READ_INTERNATIONAL;
        s->text = buf_str(&r->text);
        s->modem = r->modem ? r->modem : r->to ? NULL : f->known.conv.sim;
        s->pool = r->pool;
        s->source = r->source;
        s->key = keys[i];
        s->reply_to = r->to ? 0 : f->row.message;
        s->automatic = true;
        s->marketing = r->marketing;
        s->conversation = r->conversation;
    }
    return v->nreplies;
}

static void apply_verdict(struct flight *f)
{
    struct gateway_send sends[VERDICT_REPLIES];
    char keys[VERDICT_REPLIES][MSG_KEY_BYTES];
    struct verdict *v = &f->verdict;
    struct gateway_verdict gv = {.reason = v->reason,
                                 .who = f->source,
                                 .replies = sends,
                                 .nreplies = fill_sends(f, sends, keys),
                                 .effects = v->effects,
                                 .neffects = v->neffects,
                                 .thread = THREAD_NONE,
                                 .conversation = f->row.conversation};

    if (v->alarm.len)
        gv.alarm = buf_str(&v->alarm);
    apply(f, &gv);
}

static void judge(struct flight *f)
{
    struct program *p = f->c->conf.program(f->c->conf.owner);
    const struct store_situation *known = &f->known;
    struct handler_event ev = {.id = f->row.message,
                               .key = f->row.event,
                               .on = ENGINE_ON_MESSAGE,
                               .now_wall_ms = rt_wall_ms(f->c->conf.rt),
                               .from = known->conv.number,
                               .modem = known->conv.sim,
                               .name = "",
                               .language = "",
                               .message_class = -1,
                               .known = known,
                               .conversation = f->row.conversation};
    struct action_place at = {.handler = f->row.handler,
                              .source = f->source,
                              .number = ev.from,
                              .country = p->country,
                              .conversation = f->row.conversation,
                              .now_wall_ms = ev.now_wall_ms};
    struct err e = {0};

    verdict_init(&f->verdict, NULL);
    f->verdict.thread = THREAD_NONE;
    if (*ev.from)
        p->guard.handler.decide(&p->guard.handler, &ev, &f->verdict, NULL);
    if (actions_apply(&f->actions, &at, &f->verdict, &e) < 0)
        log_warning(f->source, "its answer to %s: %s", f->row.event, e.text);
    if (*ev.from)
        guard_filter(p, &ev, &f->verdict);
    verdict_reason(&f->verdict, "handler %s, told later", f->row.handler);
    take_step(f, apply_verdict);
}

static void on_known(struct store_op *op, int status)
{
    struct flight *f = container_of(container_of(op, struct store_situation, op), struct flight, known);

    if (status < 0 && status != ERR_NOT_FOUND) {
        store_failed(f, status, &op->err);
        return;
    }
    if (status < 0) /* erased meanwhile: there is nobody any more to whom it could be done */
        f->row.conversation = 0;
    judge(f);
}

static void ask_known(struct flight *f)
{
    struct program *p = f->c->conf.program(f->c->conf.owner);

    store_situation_clear(&f->known);
    f->known = (struct store_situation){
        .op = {.done = on_known}, .number = "", .sim = "", .of = f->row.conversation};
    guard_ask(&p->guard, rt_wall_ms(f->c->conf.rt), &f->known);
    store_situation(f->c->conf.store, &f->known);
}

static void delivered(struct flight *f)
{
    f->c->stats.delivered++;
    log_debug(WHO, "delivered event=%s handler=%s attempts=%d actions=%d", f->row.event, f->row.handler,
              f->row.attempts + 1, f->actions.count);
    if (f->actions.count == 0)
        take_step(f, apply_delivered);
    else if (!f->row.conversation)
        judge(f);
    else
        take_step(f, ask_known);
}

/* An answer that is wrong is an answer: it would be wrong again. */
static void on_asked(struct ask *a, int status)
{
    struct flight *f = a->owner;
    int64_t for_ms = a->plugin->conf.retry_for_ms;

    f->ask = NULL;
    if (status == 0 || status == ERR_INVALID || status == ERR_TOO_LONG) {
        f->actions = a->actions;
        a->actions = (struct actions){0};
        if (status < 0)
            actions_clear(&f->actions);
        delivered(f);
        return;
    }
    if (status == ERR_CANCELLED) { /* its handler goes, by a reload: the next one of its name gets it */
        struct courier *c = f->c;

        flight_free(f);
        rt_timer_at(c->conf.rt, &c->timer, rt_now_ms(c->conf.rt) + STORE_AGAIN_MS);
        return;
    }
    f->c->stats.failed++;
    if (a->refused) { /* it would be again */
        give_up(f, a->err.text);
        return;
    }
    try_again(f, for_ms, 0, *a->err.text ? a->err.text : err_name(status));
}

/* ---- what is due ----------------------------------------------------------------------------------------
 */

static struct flight *flight_of(struct courier *c, int64_t id)
{
    struct flight *f;

    DL_FOREACH(c->flights, f)
    if (f->row.id == id)
        return f;
    return NULL;
}

static int flights_to(struct courier *c, const char *handler)
{
    struct flight *f;
    int n = 0;

    DL_FOREACH(c->flights, f)
    n += !strcmp(f->row.handler, handler);
    return n;
}

/* An event for one that answers it, a mail for a mailbox: a reload may have given the name to another. */
static bool fits(const struct plugin *p, const struct delivery_row *row)
{
    bool event = row->body && !strncmp(row->body, "{\"simgate\":", 11);

    return !p->kind->at_once && !p->kind->of_files && event == (p->kind->compose == NULL);
}

static const struct program *program_of(struct courier *c)
{
    const struct program *program = c->conf.program(c->conf.owner);

    if (program != c->program)
        c->read_wall_ms = rt_wall_ms(c->conf.rt);
    return c->program = program;
}

/* Takes the row. */
static void take_off(struct courier *c, struct delivery_row *row)
{
    struct plugin *p = plugins_find(program_of(c)->plugins, row->handler);
    int64_t alone_ms = p && p->health.down ? p->retry_ms - rt_now_ms(c->conf.rt) : 0;
    struct flight *f = calloc(1, sizeof *f);

    if (!f || asprintf(&f->source, "handler:%s", row->handler) < 0)
        abort();
    f->c = c;
    f->row = *row;
    *row = (struct delivery_row){0};
    verdict_init(&f->verdict, NULL);
    DL_APPEND(c->flights, f);
    c->stats.under_way++;
    if (!p)
        missing(f, "gateway.conf has no such handler");
    else if (!fits(p, &f->row))
        missing(f, "gateway.conf has a handler of another kind by this name");
    else if (alone_ms > 0)
        try_again(f, p->conf.retry_for_ms, alone_ms, p->health.error);
    else
        f->ask = plugin_deliver(p, f->row.event, f->row.body ? f->row.body : "", on_asked, f);
}

/* Handlers that have all that they get at a time: what else is due for them need not be read. How many. */
static int all_full(struct courier *c, char names[STORE_EXCEPT][DESK_WORD_BYTES])
{
    struct flight *f, *earlier;
    int n = 0;

    DL_FOREACH(c->flights, f)
    {
        for (earlier = c->flights; strcmp(earlier->row.handler, f->row.handler) != 0;)
            earlier = earlier->next;
        if (earlier == f && n < STORE_EXCEPT && flights_to(c, f->row.handler) >= A_HANDLER_MOST)
            str_copy(names[n++], DESK_WORD_BYTES, f->row.handler);
    }
    return n;
}

static void on_due(struct store_op *op, int status)
{
    struct courier *c = container_of(container_of(op, struct store_deliveries, op), struct courier, due);
    int64_t now_wall_ms = rt_wall_ms(c->conf.rt), now_ms = rt_now_ms(c->conf.rt);
    char full[STORE_EXCEPT][DESK_WORD_BYTES];

    c->reading = false;
    if (status < 0) {
        if (status != ERR_CANCELLED)
            rt_timer_at(c->conf.rt, &c->timer, now_ms + STORE_AGAIN_MS);
        return;
    }
    if (c->due.next_wall_ms) {
        int64_t in_ms = c->due.next_wall_ms - now_wall_ms;

        if (in_ms > LOOK_MS) /* the clock may be set meanwhile */
            in_ms = LOOK_MS;
        rt_timer_at(c->conf.rt, &c->timer, now_ms + (in_ms > 0 ? in_ms : 1));
    }
    c->stats.waiting = c->due.count;
    for (int i = 0; i < c->due.count; i++) {
        struct delivery_row *row = &c->due.rows[i];

        if (c->stats.under_way < FLIGHTS_MOST && !flight_of(c, row->id) &&
            flights_to(c, row->handler) < A_HANDLER_MOST)
            take_off(c, row);
        delivery_row_clear(row);
    }
    free(c->due.rows);
    c->due.rows = NULL;
    /* Behind those of a handler that has no room any more there may be others'. */
    if (c->wanted || (c->due.count == READ_MOST && all_full(c, full) > c->excepted))
        read_due(c);
}

static void read_due(struct courier *c)
{
    c->wanted = c->reading;
    if (c->reading || c->stats.under_way >= FLIGHTS_MOST)
        return;
    c->reading = true;
    c->due = (struct store_deliveries){
        .op = {.done = on_due}, .until_wall_ms = rt_wall_ms(c->conf.rt), .max = READ_MOST};
    c->excepted = all_full(c, c->due.except);
    store_deliveries(c->conf.store, &c->due);
}

static void on_timer(struct rt_timer *t)
{
    read_due(container_of(t, struct courier, timer));
}

/* ---- life -----------------------------------------------------------------------------------------------
 */

struct courier *courier_new(const struct courier_conf *conf)
{
    struct courier *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    c->conf = *conf;
    c->timer.fire = on_timer;
    read_due(c);
    return c;
}

void courier_kick(struct courier *c)
{
    read_due(c);
}

void courier_free(struct courier *c)
{
    struct flight *f, *next;

    if (!c)
        return;
    rt_timer_stop(c->conf.rt, &c->timer);
    DL_FOREACH_SAFE(c->flights, f, next)
    {
        if (f->ask)
            plugin_cancel(f->ask);
        flight_free(f);
    }
    free(c);
}

void courier_get_stats(const struct courier *c, struct courier_stats *out)
{
    *out = c->stats;
}
