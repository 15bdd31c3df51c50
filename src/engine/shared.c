/* Handlers that are shared objects: include/simgate/handler.h is their side of it.
 *
 * They are trusted as far as the daemon itself is; what is checked is what goes wrong by mistake: another
 * ABI, a member that is missing, actions that are wrong, an answer that is none.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"
#include "include/simgate/handler.h"

enum { REASON_BYTES = 256 };

struct object {
    void *library;
    const struct simgate_handler *handler;
    void *state;
};

/* What `call` points to. */
struct simgate_call {
    struct ask *ask;
};

/* ---- what it may ask for --------------------------------------------------------------------------------
 */

static int answer(struct simgate_call *call, int rc, const struct err *e, char *error, size_t size)
{
    if (rc == 0)
        return 0;
    call->ask->err = *e;
    if (error && size)
        str_copy(error, size, e->text);
    return -1;
}

static int act(struct simgate_call *call, const char *json, char *error, size_t error_size)
{
    struct err e = {0};
    int rc = actions_parse(&call->ask->actions, json, strlen(json), &e);

    return answer(call, rc, &e, error, error_size);
}

static int reply(struct simgate_call *call, const char *text)
{
    const char *params[ACTION_PARAMS] = {text};
    struct err e = {0};
    int rc = actions_add(&call->ask->actions, action_kind_find("reply"), params, &e);

    return answer(call, rc, &e, NULL, 0);
}

static void log_text_of(int level, const char *text)
{
    log_write(level <= LOG_ERR     ? LOG_ERR
              : level >= LOG_DEBUG ? LOG_DEBUG
                                   : (enum log_level)level,
              "handler", "%.500s", text);
}

static const struct simgate_api api = {.size = sizeof api, .act = act, .reply = reply, .log = log_text_of};

/* ---- an event -------------------------------------------------------------------------------------------
 */

static void start_shared(struct plugin *p, struct ask *a)
{
    struct object *o = p->impl;
    const struct handler_event *ev = a->event;
    const struct span *text = ev->shown.at ? &ev->shown : &ev->text;
    struct simgate_call call = {a};
    struct simgate_event event = {.size = sizeof event,
                                  .id = a->key,
                                  .on = engine_on_names[ev->on],
                                  .from = ev->from ? ev->from : "",
                                  .text = text->at ? text->at : "",
                                  .text_len = text->len,
                                  .modem = ev->modem ? ev->modem : "",
                                  .name = ev->name ? ev->name : "",
                                  .message = ev->id,
                                  .conversation = ev->conversation,
                                  .wall_ms = ev->wall_ms,
                                  .json = buf_str(&a->body)};
    int said = o->handler->handle(o->state, &call, &event);

    if (said == SIMGATE_NEXT || said == SIMGATE_STOP) {
        a->actions.stop = a->actions.stop || said == SIMGATE_STOP;
        plugin_end(a, 0);
        return;
    }
    if (!a->err.code)
        err_set(&a->err, ERR_INVALID, "it answered %d to %s", said, a->key);
    plugin_end(a, a->err.code);
}

/* It answers at once. */
static void cancel_shared(struct plugin *p, struct ask *a)
{
    (void)p;
    (void)a;
}

/* ---- the kind -------------------------------------------------------------------------------------------
 */

static int check(const struct simgate_handler *h, struct err *e)
{
    if (!h)
        return err_set(e, ERR_INVALID, "it has no symbol simgate_handler");
    if (h->abi != SIMGATE_HANDLER_ABI)
        return err_set(e, ERR_VERSION, "it was made for ABI %u; this is %u", h->abi, SIMGATE_HANDLER_ABI);
    if (h->size < sizeof *h || !h->open || !h->handle)
        return err_set(e, ERR_INVALID, "its simgate_handler lacks size, open or handle");
    return 0;
}

/* The C library knows what it has loaded by the path as it is written, and gives that again as long as it is
 * in use, whatever lies there now. So the path is written in another way each time: behind its first '/' the
 * binary digits of how often, '/' for 0 and "./" for 1. An object that is still the same is loaded once. */
static void *load_anew(const char *file, struct err *e)
{
    static unsigned times;
    struct buf path = {0};
    const char *why;
    void *library;

    buf_addc(&path, '/');
    for (unsigned n = ++times; n; n >>= 1)
        buf_adds(&path, n & 1 ? "./" : "/");
    buf_adds(&path, file + 1);
    library = dlopen(buf_str(&path), RTLD_NOW | RTLD_LOCAL);
    why = library ? NULL : dlerror();
    if (why && !strncmp(why, buf_str(&path), path.len))
        err_set(e, ERR_NOT_FOUND, "%s%s", file, why + path.len);
    else if (!library)
        err_set(e, ERR_NOT_FOUND, "%s", why ? why : file);
    buf_free(&path);
    return library;
}

static int load(struct object *o, const struct plugin *p, struct err *e)
{
    char reason[REASON_BYTES] = "";

    if (!*p->conf.file || *p->conf.file != '/')
        return err_set(e, ERR_INVALID, "expected the path of a shared object, beginning with '/'");
    o->library = load_anew(p->conf.file, e);
    if (!o->library)
        return e->code;
    o->handler = dlsym(o->library, "simgate_handler");
    if (check(o->handler, e) < 0)
        return err_wrap(e, "%s", p->conf.file);
    o->state = o->handler->open(&api, p->conf.options, reason, sizeof reason);
    if (!o->state)
        return err_set(e, ERR_INVALID, "%s: %s", p->conf.file,
                       *reason ? reason : "it refuses, without a reason");
    return 0;
}

static void open_shared(struct plugin *p, struct problems *problems)
{
    struct object *o = calloc(1, sizeof *o);
    struct err e = {0};

    if (!o)
        abort();
    p->impl = o;
    if (load(o, p, &e) < 0)
        problem(problems, "%s.file: %s", plugin_place(p), e.text);
}

static void close_shared(struct plugin *p)
{
    struct object *o = p->impl;

    if (o->state && o->handler->close)
        o->handler->close(o->state);
    if (o->library)
        dlclose(o->library);
    free(o);
}

const struct plugin_kind plugin_shared = {.name = "shared",
                                          .at_a_time = 1,
                                          .at_once = true,
                                          .open = open_shared,
                                          .close = close_shared,
                                          .start = start_shared,
                                          .cancel = cancel_shared};
