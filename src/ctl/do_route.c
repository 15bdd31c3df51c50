/* Which way a message would take: asked of the gateway, nothing is stored or sent. */
#include "ctl/private.h"

static json_t *result_of(const struct gateway_route_trial *t, int64_t now_wall_ms)
{
    json_t *result = json_object();

    json_object_set_new(result, "to", json_text(t->to));
    json_put_text(result, "route", t->route);
    json_put_text(result, "modem", t->modem);
    if (*t->modem)
        json_object_set_new(result, "must", json_boolean(!t->wish));
    json_put_text(result, "pool", t->pool);
    json_put_text(result, "by", t->carrier);
    json_object_set_new(result, "parts", json_integer(t->parts));
    json_object_set_new(result, "cost", json_real((double)t->cost_micros / 1e6));
    if (t->due_wall_ms > now_wall_ms)
        json_put_time(result, "due", t->due_wall_ms);
    return result;
}

void do_route_test(struct call *call)
{
    const struct ctl_world *w = &call->ctl->world;
    struct gateway_route_trial t;
    struct gateway_send s;
    struct err e = {0};
    json_t *result;

    gateway_send_init(&s);
    s.to = call_text(call, "to");
    s.text = call_text(call, "text") ? call_text(call, "text") : "x";
    s.modem = call_text(call, "modem");
    s.pool = call_text(call, "pool");
    s.source = call_text(call, "source");
    s.department = call_text(call, "department");
    s.marketing = call_bool(call, "marketing", false);
    s.due_wall_ms = call_wall_ms(call, "at", 0);
    if (gateway_route_test(w->gateway, &s, &t, &e) < 0) {
        result = json_object();
        json_object_set_new(result, "to", json_text(*t.to ? t.to : s.to));
        json_put_text(result, "refused", e.text);
    } else {
        result = result_of(&t, rt_wall_ms(w->rt));
    }
    json_object_set_new(result, "why", json_lines(&t.why));
    buf_free(&t.why);
    call_ok(call, result);
}
