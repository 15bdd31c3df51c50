/* The server: start, events to who wants them, end.
 *
 * At the end nothing new is taken; what waits for a commit is answered; who only listens is told goodbye;
 * what waits for a modem or a backup is answered and left behind. A client that does not read its answers is
 * not waited for longer than CLOSE_BOUND_MS. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/private.h"

enum { BACKLOG = 64, CLOSE_BOUND_MS = 1000 };

#define STOPPING "simgated is stopping"

static void on_connection(uv_stream_t *listener, int status)
{
    struct ctl *c = listener->data;

    if (status == 0 && !c->closing)
        client_accept(c);
}

static void on_event(struct gateway_watcher *w, const struct gateway_event *ev)
{
    struct ctl *c = container_of(w, struct ctl, watcher);
    struct call *next;

    for (struct call *call = c->calls; call; call = next) {
        next = call->next;
        if (call->event)
            call->event(call, ev);
    }
}

int ctl_open(const struct ctl_world *w, const struct ctl_conf *conf, struct ctl **out, struct err *e)
{
    struct ctl *c = calloc(1, sizeof *c);
    int rc;

    *out = NULL;
    if (!c || !(c->socket = strdup(conf->socket)) ||
        !(c->conf_path = strdup(conf->conf_path ? conf->conf_path : "")))
        abort();
    c->world = *w;
    c->started_wall_ms = rt_wall_ms(w->rt);
    if (ctl_bind(w->loop, &c->listener, conf->socket, e) < 0) {
        free(c->socket);
        free(c->conf_path);
        free(c);
        return e->code;
    }
    c->listener.data = c;
    rc = uv_listen((uv_stream_t *)&c->listener, BACKLOG, on_connection);
    if (rc < 0)
        abort(); /* a bound unix socket can be listened on */
    c->watcher.event = on_event;
    gateway_watch(w->gateway, &c->watcher);
    *out = c;
    return 0;
}

void ctl_update(struct ctl *c, const struct ctl_world *w)
{
    c->world.engine = w->engine;
    c->world.modems = w->modems;
    c->world.nmodems = w->nmodems;
}

/* ---- end ---- */

static void leave_behind(struct call *call)
{
    struct ctl *c = call->ctl;
    struct client *cl = call->client;
    json_t *line = json_pack("{sbso}", "ok", 0, "error", json_error(CTL_STOPPING, STOPPING));

    if (cl) {
        if (call->id)
            json_object_set(line, "id", call->id);
        client_write(cl, line);
        cl->ncalls--;
    }
    json_decref(line);
    if (call->prev)
        call->prev->next = call->next;
    else
        c->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->prev = call->next = NULL;
    call->ctl = NULL;
    call->client = NULL;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct ctl *c = handle->data;

    c->listener_closed = true;
    ctl_check_closed(c);
}

static void on_close_bound(struct rt_timer *t)
{
    struct ctl *c = container_of(t, struct ctl, close_bound);

    for (struct client *cl = c->clients; cl; cl = cl->next)
        client_close(cl);
}

void ctl_check_closed(struct ctl *c)
{
    if (!c->closing || !c->listener_closed || c->clients || c->calls)
        return;
    void (*closed)(void *owner) = c->closed;
    void *owner = c->closed_owner;

    rt_timer_stop(c->world.rt, &c->close_bound);
    free(c->socket);
    free(c->conf_path);
    free(c);
    closed(owner);
}

void ctl_close(struct ctl *c, void (*closed)(void *owner), void *owner)
{
    struct call *next;

    c->closing = true;
    c->closed = closed;
    c->closed_owner = owner;
    gateway_unwatch(c->world.gateway, &c->watcher);
    unlink(c->socket);
    uv_close((uv_handle_t *)&c->listener, on_listener_closed);
    c->close_bound.fire = on_close_bound;
    rt_timer_at(c->world.rt, &c->close_bound, rt_now_ms(c->world.rt) + CLOSE_BOUND_MS);
    for (struct call *call = c->calls; call; call = next) {
        next = call->next;
        if (call->may_be_left)
            leave_behind(call);
        else if (call->stop)
            call->stop(call);
    }
    ctl_end_dialogues(c);
    for (struct client *cl = c->clients, *after; cl; cl = after) {
        after = cl->next;
        client_check(cl);
    }
}
