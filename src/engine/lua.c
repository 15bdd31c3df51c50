/* Handlers that are scripts in Lua 5.4, on the loop.
 *
 * A script defines handle(event). It has the language, string, table, math and utf8, and the table `simgate`;
 * nothing that reaches a file, a program, C, or code that is not its own. What it may use is bounded: memory,
 * by its allocator; instructions and time, by a hook; patterns and what would loop in C, by our own
 * (lua_sandbox.c, lua_pattern.c). No finalizers: the hook does not see them. So a script costs
 * milliseconds, or is ended by an error.
 *
 * One event at a time, as a coroutine: simgate.get waits for the store without holding up the loop. What the
 * script keeps in its variables lives until the next reload, or until its memory was full: then it is begun
 * anew, which is told.
 *
 * Every call into Lua that may fail is made within lua_pcall or lua_resume.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/lua_private.h"
#include "engine/program.h"

enum {
    LOAD_THOUSANDS = 10000, /* instructions for reading the script */
    SCRIPT_BYTES = 1 << 20,
};

/* ---- a state --------------------------------------------------------------------------------------------
 */

/* Within lua_pcall: everything up to the script's own first run. */
static int open_state(lua_State *L)
{
    struct script *s = script_of(L);

    lua_sandbox_open(L);
    lua_library_open(L, s->plugin);
    lua_sandbox_allow(s, L, LOAD_THOUSANDS);
    lua_pushfstring(L, "@%s", s->plugin->conf.file);
    if (luaL_loadbufferx(L, s->source, strlen(s->source), lua_tostring(L, -1), "t") != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 0);
    if (lua_getglobal(L, "handle") != LUA_TFUNCTION)
        return luaL_error(L, "%s: it defines no function handle(event)", s->plugin->conf.file);
    return 0;
}

static const char *message_of(lua_State *L)
{
    return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that is no text";
}

static int begin(struct script *s, struct err *e)
{
    int rc;

    s->used = 0;
    s->L = lua_newstate(lua_sandbox_allocate, s);
    if (!s->L)
        return err_set(e, ERR_NOMEM, "memory: expected more than %lld bytes", (long long)s->most);
    *(struct script **)lua_getextraspace(s->L) = s;
    lua_pushcfunction(s->L, open_state);
    rc = lua_pcall(s->L, 0, 0, 0);
    lua_sethook(s->L, NULL, 0, 0);
    if (rc == LUA_OK)
        return 0;
    err_set(e, rc == LUA_ERRMEM ? ERR_NOMEM : ERR_INVALID, "%s", message_of(s->L));
    lua_close(s->L);
    s->L = NULL;
    return e->code;
}

/* ---- an event -------------------------------------------------------------------------------------------
 */

static void push_json(lua_State *L, const json_t *v)
{
    const char *name;
    json_t *inner;
    size_t i;

    luaL_checkstack(L, 4, NULL);
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        lua_createtable(L, 0, (int)json_object_size(v));
        json_object_foreach((json_t *)(uintptr_t)v, name, inner)
        {
            push_json(L, inner);
            lua_setfield(L, -2, name);
        }
        return;
    case JSON_ARRAY:
        lua_createtable(L, (int)json_array_size(v), 0);
        json_array_foreach(v, i, inner)
        {
            push_json(L, inner);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        return;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(v), json_string_length(v));
        return;
    case JSON_INTEGER:
        lua_pushinteger(L, json_integer_value(v));
        return;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(v));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(v));
        return;
    case JSON_NULL:
        lua_pushnil(L);
        return;
    }
}

/* Within lua_pcall: a coroutine with handle and the event, kept by the script's address. */
static int prepare(lua_State *L)
{
    struct script *s = script_of(L);
    const json_t *event = lua_touserdata(L, 1);
    lua_State *run = lua_newthread(L);

    lua_rawsetp(L, LUA_REGISTRYINDEX, s);
    if (lua_getglobal(L, "handle") != LUA_TFUNCTION)
        return luaL_error(L, "handle is no function any more");
    push_json(L, event);
    lua_xmove(L, run, 2);
    s->run = run;
    return 0;
}

/* In the registry it stays until the next one takes its place. */
static void leave(struct script *s)
{
    s->ask = NULL;
    s->run = NULL;
    s->fetch = NULL;
}

static void anew(struct script *s)
{
    struct err e = {0};

    lua_close(s->L);
    s->L = NULL;
    if (begin(s, &e) < 0)
        plugin_fault(s->plugin, "cannot be begun again: %s", e.text);
    else
        log_notice(s->plugin->source, "its memory was full: begun anew, without what it kept in variables");
}

static void fail(struct script *s, lua_State *L, int rc)
{
    struct ask *a = s->ask;
    bool full = s->full && rc == LUA_ERRMEM;

    if (full)
        err_set(&a->err, ERR_FULL, "%s: it needs more than %lld bytes of memory", s->plugin->conf.file,
                (long long)s->most);
    else
        err_set(&a->err, ERR_INVALID, "%s", message_of(L));
    leave(s);
    if (full)
        anew(s);
    plugin_end(a, a->err.code);
}

static void finish(struct script *s, int results)
{
    struct ask *a = s->ask;
    int kind = results ? lua_type(s->run, -results) : LUA_TNIL;
    const char *verdict = kind == LUA_TSTRING ? lua_tostring(s->run, -results) : "";

    if (kind != LUA_TNIL && strcmp(verdict, "stop") && strcmp(verdict, "next"))
        err_set(&a->err, ERR_INVALID, "%s: handle returned neither \"next\" nor \"stop\" nor nothing",
                s->plugin->conf.file);
    else if (!strcmp(verdict, "stop"))
        a->actions.stop = true;
    leave(s);
    plugin_end(a, a->err.code);
}

static void resume(struct script *s, int args)
{
    int results = 0, rc;

    lua_sandbox_watch(s, s->run);
    rc = lua_resume(s->run, s->L, args, &results);
    if (rc == LUA_YIELD)
        return;
    if (rc == LUA_OK)
        finish(s, results);
    else
        fail(s, s->run, rc);
}

static void fetch_free(struct fetch *f)
{
    struct fetch **at = f->script ? &f->script->fetches : NULL;

    while (at && *at && *at != f)
        at = &(*at)->next;
    if (at && *at)
        *at = f->next;
    free(f->op.value);
    free(f->owner);
    free(f->key);
    free(f);
}

/* ERR_NOT_FOUND is nil; so is what cannot be read. */
void lua_on_value(struct store_op *op, int status)
{
    struct fetch *f = container_of(container_of(op, struct store_value, op), struct fetch, op);
    struct script *s = f->script;

    if (status == ERR_CANCELLED || !s || s->fetch != f) {
        fetch_free(f);
        return;
    }
    resume(s, 0);
    if (s->fetch == f)
        s->fetch = NULL;
    fetch_free(f);
}

static void start_lua(struct plugin *p, struct ask *a)
{
    struct script *s = p->impl;
    json_t *event = json_loadb(buf_str(&a->body), a->body.len, JSON_ALLOW_NUL, NULL);
    int rc;

    if (!event)
        abort();
    s->ask = a;
    if (!s->L && begin(s, &a->err) < 0) {
        json_decref(event);
        leave(s);
        plugin_end(a, a->err.code);
        return;
    }
    lua_sandbox_allow(s, s->L, p->conf.instructions);
    lua_pushcfunction(s->L, prepare);
    lua_pushlightuserdata(s->L, event);
    rc = lua_pcall(s->L, 1, 0, 0);
    json_decref(event);
    if (rc != LUA_OK) {
        fail(s, s->L, rc);
        if (s->L)
            lua_settop(s->L, 0);
        return;
    }
    a->impl = s;
    resume(s, 1);
}

static void cancel_lua(struct plugin *p, struct ask *a)
{
    (void)a;
    leave(p->impl);
}

/* ---- the kind -------------------------------------------------------------------------------------------
 */

static char *read_script(const char *path, struct err *e)
{
    FILE *f = fopen(path, "re");
    char *text = f ? calloc(1, SCRIPT_BYTES + 1) : NULL;
    size_t len = text ? fread(text, 1, SCRIPT_BYTES + 1, f) : 0;

    if (!f) {
        err_errno(e, "%s", path);
        return NULL;
    }
    if (!text || ferror(f))
        err_errno(e, "%s", path);
    else if (len > SCRIPT_BYTES || strlen(text) != len)
        err_set(e, ERR_INVALID, "%s: expected text of at most %d bytes", path, SCRIPT_BYTES);
    fclose(f);
    if (!e->code)
        return text;
    free(text);
    return NULL;
}

static void open_lua(struct plugin *p, struct problems *problems)
{
    struct script *s = calloc(1, sizeof *s);
    struct err e = {0};

    if (!s)
        abort();
    p->impl = s;
    s->plugin = p;
    s->most = (size_t)p->conf.memory_mib << 20;
    s->source = read_script(p->conf.file, &e);
    if (!s->source || begin(s, &e) < 0)
        problem(problems, "%s.file: %s", plugin_place(p), e.text);
}

/* What the store still has to answer is freed by that; without a store (plugin_world) there is no answer. */
static void close_lua(struct plugin *p)
{
    struct script *s = p->impl;
    struct fetch *next;

    for (struct fetch *f = s->fetches; f; f = next) {
        next = f->next;
        f->script = NULL;
        if (!p->world->store)
            fetch_free(f);
    }
    if (s->L)
        lua_close(s->L);
    free(s->source);
    free(s);
}

const struct plugin_kind plugin_lua = {.name = "lua",
                                       .at_a_time = 1,
                                       .at_once = true,
                                       .open = open_lua,
                                       .close = close_lua,
                                       .start = start_lua,
                                       .cancel = cancel_lua};
