/* Trial and examination of the rules: nothing is stored, sent, or told to handlers outside. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/private.h"

/* ---- rules test ---- */

struct trial {
    struct call *call;
    struct store_situation known;
    enum engine_on on;
    char from[64];
};

static void trial_clear(void *own)
{
    store_situation_clear(&((struct trial *)own)->known);
}

static json_t *messages_of(const struct engine_trial_result *r)
{
    json_t *all = json_array();

    for (int i = 0; i < r->replies; i++) {
        json_t *m = json_object();

        json_put_text(m, "to", r->messages[i].to);
        json_put_text(m, "source", r->messages[i].source);
        json_object_set_new(m, "text", json_text(buf_str(&r->messages[i].text)));
        if (r->messages[i].segments > 0)
            json_object_set_new(m, "segments", json_integer(r->messages[i].segments));
        json_array_append_new(all, m);
    }
    return all;
}

static json_t *result_of(const struct trial *t, struct engine_trial_result *r)
{
    json_t *result = json_object();

    json_object_set_new(result, "from", json_text(t->from));
    json_put_text(result, "handler", r->handler);
    json_put_text(result, "rule", r->rule);
    json_put_text(result, "reason", r->reason);
    json_object_set_new(result, "replies", json_integer(r->replies));
    if (r->reply.len > 0)
        json_object_set_new(result, "reply", json_text(buf_str(&r->reply)));
    json_object_set_new(result, "messages", messages_of(r));
    json_object_set_new(result, "effects", json_lines(&r->effects));
    json_object_set_new(result, "why", json_lines(&r->why));
    return result;
}

static void on_known(struct store_op *op, int status)
{
    struct trial *t = container_of(op, struct trial, known.op);
    const struct ctl_world *w = &t->call->ctl->world;
    const char *modem = call_text(t->call, "modem");
    const struct carrier *c = modem ? gateway_carrier(w->gateway, modem) : NULL;
    struct engine_trial_result r;
    json_t *result;

    if (status < 0) {
        call_fail(t->call, status, op->err.text);
        return;
    }
    engine_try(w->engine,
               &(struct engine_trial){.from = t->from,
                                      .on = t->on,
                                      .text = call_text(t->call, "text") ? call_text(t->call, "text") : "",
                                      .known = &t->known,
                                      .modem = modem,
                                      .pool = c ? c->pool : NULL,
                                      .to = c ? c->number : NULL,
                                      .name = call_text(t->call, "name"),
                                      .at_wall_ms = call_wall_ms(t->call, "at", 0),
                                      .own_number = gateway_own_number(w->gateway, t->from)},
               &r);
    result = result_of(t, &r);
    engine_trial_clear(&r);
    call_ok(t->call, result);
}

/* A sender is a number as people write it, or the name that stands in its place (TS 23.040 9.1.2.5). */
static int read_sender(const struct call *call, const char *field, char *out, size_t size, struct err *e)
{
    const char *from = call_text(call, field);
    char number[NUMBER_BYTES];

    if (!from) {
        str_copy(out, size, "");
        return 0;
    }
    if (gateway_number(call->ctl->world.gateway, from, number, e) == 0) {
        str_copy(out, size, number);
        return 0;
    }
    for (const char *p = from; *p; p++) {
        if (isalpha((unsigned char)*p) || (unsigned char)*p >= 0x80) {
            str_copy(out, size, from);
            return 0;
        }
    }
    return err_wrap(e, "%s", field);
}

static enum engine_on event_of(const struct call *call)
{
    const char *on = call_text(call, "on");

    for (int i = 0; on && i < ENGINE_ON_KINDS; i++)
        if (strcmp(engine_on_names[i], on) == 0)
            return (enum engine_on)i;
    return call_text(call, "call") ? ENGINE_ON_CALL : ENGINE_ON_MESSAGE;
}

/* A message has a sender and a text, a call no text, an event neither must have. */
static bool is_whole(const struct call *call, enum engine_on on)
{
    bool from = call_text(call, "from"), text = call_text(call, "text"), rings = call_text(call, "call");

    if (rings)
        return !from && !text && on == ENGINE_ON_CALL;
    if (on == ENGINE_ON_CALL)
        return from && !text;
    return on != ENGINE_ON_MESSAGE || (from && text);
}

/* As nobody that the store knows. */
static void try_fresh(struct trial *t)
{
    t->known.reserved = 1;
    on_known(&t->known.op, 0);
}

void do_rules_test(struct call *call)
{
    const struct ctl_world *w = &call->ctl->world;
    const char *field = call_text(call, "call") ? "call" : "from";
    struct trial *t;
    struct err e = {0};

    if (!is_whole(call, event_of(call))) {
        call_fail(
            call, ERR_INVALID,
            "rules test: expected \"from\" and \"text\", or \"call\" alone, or \"on\" with another event");
        return;
    }
    t = call_keep(call, sizeof *t, trial_clear);
    t->call = call;
    t->on = event_of(call);
    if (read_sender(call, field, t->from, sizeof t->from, &e) < 0) {
        call_fail(call, e.code, e.text);
        return;
    }
    t->known = (struct store_situation){
        .op.done = on_known, .number = t->from, .sim = call_text(call, "modem"), .look_only = true};
    engine_guard_ask(w->engine, rt_wall_ms(w->rt), &t->known);
    if (call_bool(call, "fresh", 0))
        try_fresh(t);
    else
        store_situation(w->store, &t->known);
}

/* ---- rules check ---- */

void do_rules_check(struct call *call)
{
    const struct ctl_world *w = &call->ctl->world;
    struct engine_check check;
    json_t *result;

    engine_check(w->engine, rt_wall_ms(w->rt), &check);
    result =
        json_pack("{soso}", "warnings", json_lines(&check.warnings), "failures", json_lines(&check.failures));
    json_object_set_new(result, "tests", json_integer(check.tests));
    json_object_set_new(result, "failed", json_integer(check.failed));
    engine_check_clear(&check);
    call_ok(call, result);
}
