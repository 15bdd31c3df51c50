/* `send`: one request, all its messages in one transaction; with `wait`, events until the outcome of each.
 *
 * The outcome is read from the store whenever an event says that it may be there: an event is only news, the
 * store is what is true. An unknown outcome is waited on for as long as a report may settle it; once it is
 * held for a person (an alarm tells) it is the outcome. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/desk.h"

struct sending {
    struct call *call;
    struct gateway_admit admit;
    struct gateway_send *sends;
    char (*keys)[MSG_KEY_BYTES];
    char source[MSG_SOURCE_BYTES];
    int64_t validity_ms, due_wall_ms;
    int priority;
    struct acting acting;
    struct err refused; /* people and departments that are not there (any more) */
    char department[DESK_WORD_BYTES];
    /* Waiting. Of each message: */
    struct outcome {
        enum msg_state state;
        char reason[MSG_REASON_BYTES];
        bool settled, look, held;
    } * outcomes;
    struct store_show show;
    int looking_at; /* index, -1 none */
    bool stopped;
};

static void clear(void *own)
{
    struct sending *s = own;

    free(s->sends);
    free(s->admit.results);
    free(s->keys);
    free(s->outcomes);
    store_show_clear(&s->show);
}

static void *array(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (!p)
        abort();
    return p;
}

/* ---- answers ---- */

static json_t *message_of(const struct sending *s, int i)
{
    const struct gateway_admitted *r = &s->admit.results[i];
    json_t *m = json_object();

    json_object_set_new(m, "to", json_text(*r->to ? r->to : s->sends[i].to));
    if (!r->id) {
        json_object_set_new(m, "error", json_error(r->err.code, r->err.text));
        return m;
    }
    json_object_set_new(m, "id", json_integer(r->id));
    json_object_set_new(m, "parts", json_integer(r->parts));
    json_object_set_new(m, "existed", json_boolean(r->existed));
    json_object_set_new(m, "state", json_string(msg_state_name(s->outcomes[i].state)));
    json_put_text(m, "reason", s->outcomes[i].reason);
    return m;
}

static json_t *messages_of(const struct sending *s)
{
    json_t *list = json_array();

    for (int i = 0; i < s->admit.count; i++)
        json_array_append_new(list, message_of(s, i));
    return json_pack("{so}", "messages", list);
}

static const struct err *first_error(const struct sending *s)
{
    for (int i = 0; i < s->admit.count; i++)
        if (s->admit.results[i].err.code && s->admit.results[i].err.code != ERR_CANCELLED)
            return &s->admit.results[i].err;
    return NULL;
}

static bool any_accepted(const struct sending *s)
{
    for (int i = 0; i < s->admit.count; i++)
        if (s->admit.results[i].id)
            return true;
    return false;
}

/* ---- waiting ---- */

static bool settles(const struct msg_row *m, const struct outcome *o)
{
    if (m->state == MSG_SENT)
        return !(m->flags & MSG_F_REPORT);
    if (m->state == MSG_UNKNOWN)
        return o->held;
    return msg_state_final(m->state);
}

static void look_on(struct sending *s);

static void on_shown(struct store_op *op, int status)
{
    struct sending *s = container_of(op, struct sending, show.op);
    struct outcome *o = &s->outcomes[s->looking_at];

    s->looking_at = -1;
    if (status == 0) {
        o->state = s->show.row.state;
        str_copy(o->reason, sizeof o->reason, s->show.row.reason);
        o->settled = settles(&s->show.row, o);
    } else {
        o->settled = true; /* the store cannot be read: what was heard last must do */
    }
    store_show_clear(&s->show);
    look_on(s);
}

/* Looks at the next message whose outcome may have come; answers when all have theirs. */
static void look_on(struct sending *s)
{
    bool all = true;

    if (s->looking_at >= 0)
        return;
    if (s->stopped) {
        call_fail_with(s->call, CTL_STOPPING,
                       "simgated is stopping; the messages are kept and go out at its next start",
                       messages_of(s));
        return;
    }
    for (int i = 0; i < s->admit.count; i++) {
        struct outcome *o = &s->outcomes[i];

        if (o->look && !o->settled) {
            o->look = false;
            s->looking_at = i;
            s->show = (struct store_show){.op.done = on_shown, .id = s->admit.results[i].id};
            store_show(s->call->ctl->world.store, &s->show);
            return;
        }
        all = all && o->settled;
    }
    if (all)
        call_ok(s->call, messages_of(s));
}

static void on_event(struct call *call, const struct gateway_event *ev)
{
    struct sending *s = call->own;

    if (!ev->message)
        return;
    for (int i = 0; i < s->admit.count; i++) {
        struct outcome *o = &s->outcomes[i];

        if (s->admit.results[i].id != ev->message || o->settled)
            continue;
        call_event(call, json_event(ev));
        if (ev->kind == EV_ALARM)
            o->held = true;
        o->look = o->look || ev->kind == EV_ALARM || ev->state == MSG_SENT || msg_state_final(ev->state);
        if (ev->state)
            o->state = ev->state;
        look_on(s);
        return;
    }
}

static void stop(struct call *call)
{
    struct sending *s = call->own;

    call->event = NULL;
    call->stop = NULL;
    s->stopped = true;
    look_on(s);
}

static void start_waiting(struct sending *s)
{
    json_t *event = messages_of(s);

    json_object_set_new(event, "kind", json_string("accepted"));
    call_event(s->call, event);
    for (int i = 0; i < s->admit.count; i++) {
        s->outcomes[i].settled = s->admit.results[i].id == 0;
        s->outcomes[i].look = s->outcomes[i].held = s->admit.results[i].existed;
    }
    s->call->event = on_event;
    s->call->stop = stop;
    if (!s->call->client || s->call->ctl->closing)
        stop(s->call);
    else
        look_on(s);
}

/* ---- admission ---- */

static void on_admitted(struct gateway_admit *a, int status)
{
    struct sending *s = container_of(a, struct sending, admit);
    const struct err *why = first_error(s);

    if (status < 0 || !any_accepted(s))
        call_fail_with(s->call, why ? why->code : status, why ? why->text : "", messages_of(s));
    else if (call_bool(s->call, "wait", 0))
        start_waiting(s);
    else
        call_ok(s->call, messages_of(s));
}

static int priority_of(const struct call *call)
{
    const char *text = call_text(call, "priority");

    return !text ? -1 : !strcmp(text, "low") ? 0 : !strcmp(text, "high") ? 2 : 1;
}

/* The key in the store is the caller's and the recipient's together, under the door's name: a request with
 * several recipients has one key, and keys of other doors are never met. */
static void set_key(struct sending *s, int i, const char *key)
{
    struct gateway_send *send = &s->sends[i];
    char to[NUMBER_BYTES];
    bool good;

    if (!key || !*key)
        return;
    good = gateway_number(s->call->ctl->world.gateway, send->to, to, NULL) == 0;
    snprintf(s->keys[i], sizeof s->keys[i], "ctl:%.120s:%.24s", key, good ? to : send->to);
    send->key = s->keys[i];
}

static void fill(struct sending *s, int i, const char *to)
{
    const struct call *call = s->call;
    struct gateway_send *send = &s->sends[i];

    gateway_send_init(send);
    send->to = to;
    send->reading = NUMBER_READ_NATIONAL;
    send->text = call_text(call, "text");
    send->modem = call_text(call, "modem");
    send->pool = call_text(call, "pool");
    send->source = s->source;
    send->report = call_bool(call, "report", -1);
    send->cls = call_bool(call, "flash", 0) ? 0 : -1;
    send->priority = s->priority;
    send->due_wall_ms = s->due_wall_ms;
    send->validity_ms = s->validity_ms;
    send->marketing = call_bool(call, "marketing", 0);
    send->person = *s->acting.person != '\0';
    send->who = s->acting.who;
    send->department = *s->department ? s->department : NULL;
    send->override_reason = call_text(call, "override");
    send->refused = s->refused.code ? &s->refused : NULL;
    set_key(s, i, call_text(call, "key"));
    s->outcomes[i].state = MSG_QUEUED;
}

void do_send(struct call *call)
{
    struct sending *s = call_keep(call, sizeof *s, clear);
    const json_t *to = json_object_get(call->args, "to");
    int count = json_is_array(to) ? (int)json_array_size(to) : 1;

    s->call = call;
    s->looking_at = -1;
    s->priority = priority_of(call);
    s->due_wall_ms = call_wall_ms(call, "at", 0);
    s->validity_ms = call_duration_ms(call, "validity", 0);
    snprintf(s->source, sizeof s->source, "ctl:%s", call_user(call));
    if (acting_of(call, &s->acting, &s->refused) == 0)
        department_of(call, "department", s->department, sizeof s->department, &s->refused);
    s->sends = array((size_t)count, sizeof *s->sends);
    s->keys = array((size_t)count, sizeof *s->keys);
    s->outcomes = array((size_t)count, sizeof *s->outcomes);
    s->admit = (struct gateway_admit){.sends = s->sends, .count = count, .done = on_admitted};
    s->admit.results = array((size_t)count, sizeof *s->admit.results);
    for (int i = 0; i < count; i++)
        fill(s, i, json_string_value(json_is_array(to) ? json_array_get(to, (size_t)i) : to));
    gateway_admit(call->ctl->world.gateway, &s->admit);
}
