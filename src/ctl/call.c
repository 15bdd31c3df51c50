/* A request under way: from its line to its one answer, with events in between.
 *
 * Owns its arguments and what its handler keeps. Freed in exactly one place, by its answer; a client that
 * left only makes the answer go nowhere. Handlers never free. What can fail: nothing but memory. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/private.h"

void *call_keep(struct call *call, size_t size, void (*clear)(void *own))
{
    call->own = calloc(1, size);
    if (!call->own)
        abort();
    call->clear = clear;
    return call->own;
}

void call_unkeep(struct call *call)
{
    if (call->own && call->clear)
        call->clear(call->own);
    free(call->own);
    call->own = NULL;
}

static void call_free(struct call *call)
{
    struct ctl *c = call->ctl;
    struct client *cl = call->client;

    call_unkeep(call);
    json_decref(call->id);
    json_decref(call->args);
    if (c) {
        if (call->prev)
            call->prev->next = call->next;
        else
            c->calls = call->next;
        if (call->next)
            call->next->prev = call->prev;
    }
    free(call);
    if (cl) {
        cl->ncalls--;
        client_check(cl);
    }
    if (c)
        ctl_check_closed(c);
}

static void say(struct call *call, json_t *line)
{
    if (!call->client)
        return;
    if (call->id)
        json_object_set(line, "id", call->id);
    client_write(call->client, line);
}

void call_ok(struct call *call, json_t *result)
{
    json_t *line = result ? result : json_object();

    json_object_set_new(line, "ok", json_true());
    say(call, line);
    json_decref(line);
    call_free(call);
}

void call_fail_with(struct call *call, int status, const char *text, json_t *result)
{
    json_t *line = result ? result : json_object();

    json_object_set_new(line, "ok", json_false());
    json_object_set_new(line, "error", json_error(status, text));
    say(call, line);
    json_decref(line);
    call_free(call);
}

void call_ok_page(struct call *call, const char *name, json_t *rows, const char *field, json_t *next)
{
    json_t *result = json_pack("{so}", name, rows);

    if (next)
        json_object_set_new(result, field, next);
    call_ok(call, result);
}

void call_fail(struct call *call, int status, const char *text)
{
    call_fail_with(call, status, text, NULL);
}

void call_event(struct call *call, json_t *event)
{
    json_t *line;

    if (call->client && client_unsent_bytes(call->client) > EVENTS_UNSENT_BYTES) {
        call->lost++;
        json_decref(event);
        return;
    }
    line = json_pack("{so}", "event", event);
    say(call, line);
    json_decref(line);
}

void call_told(struct client *cl)
{
    if (client_unsent_bytes(cl) > EVENTS_UNSENT_BYTES / 2)
        return;
    for (struct call *call = cl->ctl->calls; call; call = call->next) {
        if (call->client != cl || call->lost == 0)
            continue;
        json_t *event = json_pack("{sssI}", "kind", "lost", "count", (json_int_t)call->lost);

        call->lost = 0;
        call_event(call, event);
    }
}

void call_forget_client(struct client *cl)
{
    struct call *next;

    for (struct call *call = cl->ctl->calls; call; call = next) {
        next = call->next;
        if (call->client != cl)
            continue;
        call->client = NULL;
        if (call->stop)
            call->stop(call);
    }
}

void call_start(struct client *cl, const char *line, size_t len)
{
    struct ctl *c = cl->ctl;
    struct call *call = calloc(1, sizeof *call);
    struct parsed p;
    struct err e = {0};
    int rc;

    if (!call)
        abort();
    rc = request_parse(line, len, &p, &e);
    *call =
        (struct call){.ctl = c, .client = cl, .kind = p.kind, .id = p.id, .args = p.args, .next = c->calls};
    if (call->next)
        call->next->prev = call;
    c->calls = call;
    cl->ncalls++;
    if (rc < 0)
        call_fail(call, rc, e.text);
    else
        call->kind->run(call);
}

/* ---- arguments, of the types that the table promises ---- */

const char *call_text(const struct call *call, const char *name)
{
    return json_string_value(json_object_get(call->args, name));
}

int64_t call_number(const struct call *call, const char *name, int64_t otherwise)
{
    const json_t *v = json_object_get(call->args, name);

    return v ? json_integer_value(v) : otherwise;
}

int call_bool(const struct call *call, const char *name, int otherwise)
{
    const json_t *v = json_object_get(call->args, name);

    return v ? json_is_true(v) : otherwise;
}

int64_t call_duration_ms(const struct call *call, const char *name, int64_t otherwise)
{
    const char *text = call_text(call, name);
    int64_t ms;

    return text && str_to_duration_ms(text, &ms) ? ms : otherwise;
}

int64_t call_wall_ms(const struct call *call, const char *name, int64_t otherwise)
{
    const char *text = call_text(call, name);
    int64_t ms;

    return text && wall_from_text(text, rt_wall_ms(call->ctl->world.rt), &ms) ? ms : otherwise;
}

struct modem *call_modem(struct call *call)
{
    const struct ctl_world *w = &call->ctl->world;
    const char *name = call_text(call, "modem");
    struct buf known = {0};
    struct err e;

    for (int i = 0; i < w->nmodems; i++) {
        const char *is = modem_carrier(w->modems[i])->name;

        if (!strcmp(is, name)) {
            buf_free(&known);
            return w->modems[i];
        }
        buf_addf(&known, "%s%s", i ? ", " : "", is);
    }
    err_set(&e, ERR_NOT_FOUND, "modem: \"%s\" is not known; expected one of: %s", name,
            known.len ? buf_str(&known) : "(none)");
    buf_free(&known);
    call_fail(call, e.code, e.text);
    return NULL;
}

const char *call_user(const struct call *call)
{
    return call->client->user;
}
