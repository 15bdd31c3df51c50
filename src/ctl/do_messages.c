/* `messages`, `show`, `cancel`, `retry`, `watch`: what is in the store, and operators' moves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/private.h"

enum { LIST_DEFAULT = 50 };

/* ---- messages ---- */

struct listing {
    struct call *call;
    struct store_list list;
    char peer[64];
};

static void listing_clear(void *own)
{
    struct listing *l = own;

    for (int i = 0; i < l->list.count; i++)
        msg_row_clear(&l->list.rows[i]);
    free(l->list.rows);
}

static void on_listed(struct store_op *op, int status)
{
    struct listing *l = container_of(op, struct listing, list.op);
    json_t *rows;

    if (status < 0) {
        call_fail(l->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; i < l->list.count; i++)
        json_array_append_new(rows, json_message(&l->list.rows[i]));
    call_ok_page(l->call, "messages", rows, "before",
                 l->list.count > 0 && l->list.count == l->list.limit
                     ? json_integer(l->list.rows[l->list.count - 1].id)
                     : NULL);
}

/* A number as people write it is looked for in its canonical form; anything else as it stands. */
static void canonical(const struct call *call, const char *text, char *out, size_t size)
{
    struct gateway_send probe;
    struct segment_plan plan;
    char number[NUMBER_BYTES];

    gateway_send_init(&probe);
    probe.to = text;
    probe.reading = NUMBER_READ_NATIONAL;
    probe.text = "?";
    str_copy(out, size,
             gateway_preview(call->ctl->world.gateway, &probe, &plan, number, NULL) == 0 ? number : text);
}

static enum msg_direction direction_of(const struct call *call)
{
    const char *text = call_text(call, "direction");

    return !text ? 0 : !strcmp(text, "in") ? MSG_IN : MSG_OUT;
}

void do_messages(struct call *call)
{
    struct listing *l = call_keep(call, sizeof *l, listing_clear);
    const char *peer = call_text(call, "peer"), *state = call_text(call, "state");

    l->call = call;
    if (peer)
        canonical(call, peer, l->peer, sizeof l->peer);
    l->list = (struct store_list){.op.done = on_listed,
                                  .direction = direction_of(call),
                                  .peer = l->peer,
                                  .modem = call_text(call, "modem"),
                                  .contains = call_text(call, "contains"),
                                  .since_wall_ms = call_wall_ms(call, "since", 0),
                                  .until_wall_ms = call_wall_ms(call, "until", 0),
                                  .before_id = call_number(call, "before", 0),
                                  .limit = (int)call_number(call, "limit", LIST_DEFAULT)};
    if (state)
        msg_state_from_name(state, &l->list.state);
    store_list(call->ctl->world.store, &l->list);
}

/* ---- show ---- */

struct showing {
    struct call *call;
    struct store_show show;
};

static void showing_clear(void *own)
{
    store_show_clear(&((struct showing *)own)->show);
}

static void fail_of_message(struct call *call, int status, const char *text)
{
    char none[64];

    snprintf(none, sizeof none, "message %lld: there is none", (long long)call_number(call, "message", 0));
    call_fail(call, status, status == ERR_NOT_FOUND ? none : text);
}

static void on_shown(struct store_op *op, int status)
{
    struct showing *s = container_of(op, struct showing, show.op);

    if (status < 0)
        fail_of_message(s->call, status, op->err.text);
    else
        call_ok(s->call, json_pack("{so}", "message", json_show(&s->show)));
}

void do_show(struct call *call)
{
    struct showing *s = call_keep(call, sizeof *s, showing_clear);

    s->call = call;
    s->show = (struct store_show){.op.done = on_shown, .id = call_number(call, "message", 0)};
    store_show(call->ctl->world.store, &s->show);
}

/* ---- cancel, retry ---- */

struct changing {
    struct call *call;
    struct gateway_change change;
};

static void on_changed(struct gateway_change *change, int status, const struct err *e)
{
    struct changing *c = container_of(change, struct changing, change);

    if (status < 0)
        fail_of_message(c->call, status, e ? e->text : "");
    else
        call_ok(c->call, json_pack("{sIss}", "message", (json_int_t)call_number(c->call, "message", 0),
                                   "state", msg_state_name(change->state)));
}

static struct changing *changing_new(struct call *call)
{
    struct changing *c = call_keep(call, sizeof *c, NULL);

    c->call = call;
    c->change.done = on_changed;
    return c;
}

void do_cancel(struct call *call)
{
    struct changing *c = changing_new(call);

    gateway_cancel(call->ctl->world.gateway, call_number(call, "message", 0), call_user(call), &c->change);
}

void do_retry(struct call *call)
{
    struct changing *c = changing_new(call);

    gateway_retry(call->ctl->world.gateway, call_number(call, "message", 0), call_user(call), &c->change);
}

/* ---- watch ---- */

static void on_event(struct call *call, const struct gateway_event *ev)
{
    if (ev->kind != EV_OUTBOX) /* between the gateway and its sinks */
        call_event(call, json_event(ev));
}

static void stop_watch(struct call *call)
{
    call_event(call, json_pack("{ss}", "kind", "goodbye"));
    call_fail(call, CTL_STOPPING, "simgated is stopping");
}

void do_watch(struct call *call)
{
    call->event = on_event;
    call->stop = stop_watch;
    call_event(call, json_pack("{ss}", "kind", "watching"));
}
