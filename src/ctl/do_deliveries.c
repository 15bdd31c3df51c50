/* `handlers`: programs, webhooks and scripts, and how they are; `deliveries`, `deliveries retry`, `deliveries
 * drop`: what waits to be told to them. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/desk.h"
#include "engine/handler.h"

enum { LIST_DEFAULT = 50 };

/* ---- handlers ---- */

struct asking {
    struct call *call;
    struct store_delivery_list waiting;
};

static void asking_clear(void *own)
{
    store_delivery_list_clear(&((struct asking *)own)->waiting);
}

static int waiting_of(const struct store_delivery_list *d, const char *handler)
{
    int n = 0;

    for (int i = 0; i < d->count; i++)
        n += !strcmp(d->rows[i].handler, handler);
    return n;
}

json_t *json_handler(const struct handler *h, const char *kind)
{
    struct handler_health health = {0};
    json_t *o = json_pack("{soss}", "name", json_text(h->name), "kind", kind);

    if (h->health)
        h->health(h, &health);
    json_object_set_new(o, "down", json_boolean(health.down));
    json_object_set_new(o, "asked", json_integer((json_int_t)health.asked));
    json_object_set_new(o, "failed", json_integer((json_int_t)health.failed));
    json_object_set_new(o, "late", json_integer((json_int_t)health.late));
    json_object_set_new(o, "last_ms", json_integer(health.last_ms));
    json_put_text(o, "error", health.error);
    return o;
}

static void on_waiting(struct store_op *op, int status)
{
    struct asking *a = container_of(op, struct asking, waiting.op);
    const struct engine *en = a->call->ctl->world.engine;
    const struct handler *h;
    const char *kind;
    json_t *rows;

    if (status < 0) {
        call_fail(a->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; (h = engine_handler_at(en, i, &kind)); i++) {
        json_t *o = json_handler(h, kind);

        json_object_set_new(o, "waiting", json_integer(waiting_of(&a->waiting, h->name)));
        json_array_append_new(rows, o);
    }
    call_ok(a->call, json_pack("{so}", "handlers", rows));
}

void do_handlers(struct call *call)
{
    struct asking *a = call_keep(call, sizeof *a, asking_clear);

    a->call = call;
    a->waiting = (struct store_delivery_list){.op.done = on_waiting, .limit = QUERY_PAGE_MAX};
    store_delivery_list(call->ctl->world.store, &a->waiting);
}

/* ---- deliveries ---- */

struct listing {
    struct call *call;
    struct store_delivery_list list;
};

static void listing_clear(void *own)
{
    store_delivery_list_clear(&((struct listing *)own)->list);
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
        json_array_append_new(rows, json_delivery(&l->list.rows[i]));
    call_ok_page(l->call, "deliveries", rows, "after",
                 l->list.more ? json_integer(l->list.rows[l->list.count - 1].id) : NULL);
}

void do_deliveries(struct call *call)
{
    struct listing *l = call_keep(call, sizeof *l, listing_clear);

    l->call = call;
    l->list = (struct store_delivery_list){.op.done = on_listed,
                                           .handler = call_text(call, "handler"),
                                           .after = call_number(call, "after", 0),
                                           .limit = (int)call_number(call, "limit", LIST_DEFAULT)};
    store_delivery_list(call->ctl->world.store, &l->list);
}

/* ---- retry, drop ---- */

struct changing {
    struct call *call;
    struct store_delivery_again again;
    const char *done;
};

static void on_changed(struct store_op *op, int status)
{
    struct changing *c = container_of(op, struct changing, again.op);
    struct err e;

    if (status == ERR_NOT_FOUND) {
        err_set(&e, status, "delivery %lld: there is none, or it was told meanwhile", (long long)c->again.id);
        call_fail(c->call, status, e.text);
    } else if (status < 0) {
        call_fail(c->call, status, op->err.text);
    } else {
        call_ok(c->call, json_pack("{sIss}", "delivery", (json_int_t)c->again.id, "done", c->done));
    }
}

static void change(struct call *call, int64_t next_wall_ms, const char *done)
{
    struct changing *c = call_keep(call, sizeof *c, NULL);

    c->call = call;
    c->done = done;
    c->again = (struct store_delivery_again){.op.done = on_changed,
                                             .id = call_number(call, "delivery", 0),
                                             .next_wall_ms = next_wall_ms,
                                             .reason = done};
    log_notice(WHO, "%s delivery=%lld by=%s", call->kind->name, (long long)c->again.id, call_user(call));
    store_delivery_again(call->ctl->world.store, &c->again);
}

void do_delivery_retry(struct call *call)
{
    change(call, rt_wall_ms(call->ctl->world.rt), "it is tried now");
}

void do_delivery_drop(struct call *call)
{
    change(call, 0, "given up");
}
