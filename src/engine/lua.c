/* Handlers that are scripts in Lua 5.4, on the loop.
 *
 * A script defines handle(event). It has the language, string, table, math and utf8, and the table `simgate`;
 * nothing that reaches a file, a program, C, or code that is not its own. What it may use is bounded: memory,
 * by its allocator; instructions and time, by a hook; patterns and what would loop in C, by our own
 * (lua_pattern.c, and the prelude below). No finalizers: the hook does not see them. So a script costs
 * milliseconds, or is ended by an error.
 *
 * One event at a time, as a coroutine: simgate.get waits for the store without holding up the loop. What the
 * script keeps in its variables lives until the next reload, or until its memory was full: then it is begun
 * anew, which is told.
 *
 * Every call into Lua that may fail is made within lua_pcall or lua_resume.
 */
#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/lua_pattern.h"
#include "engine/plugin.h"
#include "engine/program.h"

enum {
    GRAIN = 200,            /* instructions between two looks at the clock */
    TIME_MS = 100,          /* of running, an event */
    LOAD_THOUSANDS = 10000, /* instructions for reading the script */
    SCRIPT_BYTES = 1 << 20,
    PATTERN_STEPS = 1000000, /* about as many as instructions: they are taken from them */
    PATTERN_SHARE = 4,       /* steps for one instruction */
};

struct fetch;

struct script {
    struct plugin *plugin;
    lua_State *L;
    char *source;
    size_t used, most; /* bytes of memory */
    int64_t left;      /* instructions */
    int64_t until_ms;
    bool exceeded, full;
    struct ask *ask;       /* under way; NULL none */
    lua_State *run;        /* its coroutine, kept in the registry by the script's address */
    struct fetch *fetch;   /* that it waits for */
    struct fetch *fetches; /* all that the store has not answered */
};

/* A value asked of the store. Outlives its event, which may have been given up. */
struct fetch {
    struct script *script; /* NULL: it has gone */
    struct store_value op;
    char *owner, *key;
    struct fetch *next;
};

static struct script *script_of(lua_State *L)
{
    return *(struct script **)lua_getextraspace(L);
}

/* ---- bounds ---------------------------------------------------------------------------------------------
 */

static void *allocate(void *owner, void *at, size_t was, size_t wanted)
{
    struct script *s = owner;
    void *now;

    if (!at)
        was = 0; /* then it is a kind of object, not a size */
    if (wanted == 0) {
        free(at);
        s->used -= was;
        return NULL;
    }
    if (wanted > was && s->used - was + wanted > s->most) {
        s->full = true;
        return NULL;
    }
    now = realloc(at, wanted);
    if (now)
        s->used += wanted - was;
    return now;
}

static void hook(lua_State *L, lua_Debug *ar);

/* From now on every instruction is one too many: pcall cannot go on behind the error. */
static int exceeded(lua_State *L, const char *what)
{
    script_of(L)->exceeded = true;
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    luaL_where(L, 0);
    lua_pushstring(L, what);
    lua_concat(L, 2);
    return lua_error(L);
}

static void hook(lua_State *L, lua_Debug *ar)
{
    struct script *s = script_of(L);

    (void)ar;
    s->left -= GRAIN;
    if (s->exceeded || s->left <= 0)
        exceeded(L, "too many instructions");
    if (s->plugin->world->rt && rt_now_ms(s->plugin->world->rt) > s->until_ms)
        exceeded(L, "it takes too long");
}

static void allow(struct script *s, lua_State *L, int64_t thousands)
{
    struct rt *rt = s->plugin->world->rt;

    s->left = thousands * 1000;
    s->until_ms = rt ? rt_now_ms(rt) + TIME_MS : 0;
    s->exceeded = s->full = false;
    lua_sethook(L, hook, LUA_MASKCOUNT, GRAIN);
}

/* ---- patterns -------------------------------------------------------------------------------------------
 */

static int push_captures(lua_State *L, const struct lua_pattern *m, bool whole)
{
    luaL_checkstack(L, m->captures + 1, "too many captures");
    for (int i = 0; i < m->captures; i++) {
        const struct lua_capture *c = &m->capture[i];

        if (c->position)
            lua_pushinteger(L, (lua_Integer)c->at + 1);
        else
            lua_pushlstring(L, m->text + c->at, c->len);
    }
    if (m->captures || !whole)
        return m->captures;
    lua_pushlstring(L, m->text + m->start, m->end - m->start);
    return 1;
}

/* Text, pattern and init are arguments 1 to 3. */
static bool look(lua_State *L, struct lua_pattern *m, size_t not_end, int level)
{
    struct script *s = script_of(L);
    lua_Integer from = luaL_optinteger(L, 3, 1);
    bool found;

    *m = (struct lua_pattern){.steps = s->left * PATTERN_SHARE};
    m->text = luaL_checklstring(L, 1, &m->text_len);
    m->pattern = luaL_checklstring(L, 2, &m->pattern_len);
    if (m->steps > PATTERN_STEPS)
        m->steps = PATTERN_STEPS;
    if (from < 0)
        from += (lua_Integer)m->text_len + 1;
    if (from < 1)
        from = 1;
    if (from > (lua_Integer)m->text_len + 1)
        return false;
    int64_t before = m->steps;

    found = lua_pattern_find(m, (size_t)from - 1, not_end);
    s->left -= (before - m->steps) / PATTERN_SHARE;
    if (m->error) {
        luaL_where(L, level); /* the script's line, not the prelude's */
        lua_pushstring(L, m->error);
        lua_concat(L, 2);
        lua_error(L);
    }
    return found;
}

static int str_find(lua_State *L)
{
    struct lua_pattern m;
    size_t len, wanted_len;

    if (lua_toboolean(L, 4)) {
        const char *text = luaL_checklstring(L, 1, &len), *wanted = luaL_checklstring(L, 2, &wanted_len), *at;
        lua_Integer from = luaL_optinteger(L, 3, 1);

        from = from < 0 ? from + (lua_Integer)len + 1 : from;
        from = from < 1 ? 1 : from;
        at = from > (lua_Integer)len + 1
                 ? NULL
                 : memmem(text + from - 1, len - (size_t)from + 1, wanted, wanted_len);
        if (!at)
            return lua_pushnil(L), 1;
        lua_pushinteger(L, at - text + 1);
        lua_pushinteger(L, at - text + (lua_Integer)wanted_len);
        return 2;
    }
    if (!look(L, &m, SIZE_MAX, 1))
        return lua_pushnil(L), 1;
    lua_pushinteger(L, (lua_Integer)m.start + 1);
    lua_pushinteger(L, (lua_Integer)m.end);
    return 2 + push_captures(L, &m, false);
}

static int str_match(lua_State *L)
{
    struct lua_pattern m;

    if (!look(L, &m, SIZE_MAX, 1))
        return lua_pushnil(L), 1;
    return push_captures(L, &m, true);
}

/* For the prelude: (text, pattern, init, end that it must not have) -> first, last, captures … */
static int str_next(lua_State *L)
{
    struct lua_pattern m;
    lua_Integer not_end = luaL_optinteger(L, 4, -1);

    if (!look(L, &m, not_end < 0 ? SIZE_MAX : (size_t)not_end, 2))
        return lua_pushnil(L), 1;
    lua_pushinteger(L, (lua_Integer)m.start + 1);
    lua_pushinteger(L, (lua_Integer)m.end);
    return 2 + push_captures(L, &m, true);
}

/* What the libraries would do in C, where no hook counts. `next_match` is str_next. */
static const char prelude[] =
    "local next_match, set = ...\n"
    "local pack, unpack, concat, sub, type = table.pack, table.unpack, table.concat, string.sub, type\n"
    "local error, tostring, select = error, tostring, select\n"
    "function string.gmatch(s, pattern)\n"
    "  local at, last = 1, -1\n"
    "  return function()\n"
    "    local m = pack(next_match(s, pattern, at, last))\n"
    "    if not m[1] then at = #s + 2 return nil end\n"
    "    at, last = m[2] + 1, m[2]\n"
    "    return unpack(m, 3, m.n)\n"
    "  end\n"
    "end\n"
    "local function value(repl, s, m)\n"
    "  local kind, v = type(repl), nil\n"
    "  if kind == 'table' then v = repl[m[3]]\n"
    "  elseif kind == 'function' then v = repl(unpack(m, 3, m.n))\n"
    "  else\n"
    "    local out, i = {}, 1\n"
    "    while i <= #repl do\n"
    "      local c = sub(repl, i, i)\n"
    "      if c == '%' then\n"
    "        i = i + 1\n"
    "        c = sub(repl, i, i)\n"
    "        if c == '0' then c = sub(s, m[1], m[2])\n"
    "        elseif c >= '1' and c <= '9' and #c == 1 then\n"
    "          c = m[2 + (c + 0)]\n"
    "          if c == nil then error('invalid capture index in replacement string', 3) end\n"
    "        elseif c ~= '%' then error(\"invalid use of '%' in replacement string\", 3) end\n"
    "      end\n"
    "      out[#out + 1] = tostring(c)\n"
    "      i = i + 1\n"
    "    end\n"
    "    return concat(out)\n"
    "  end\n"
    "  if not v then return sub(s, m[1], m[2]) end\n"
    "  if type(v) ~= 'string' and type(v) ~= 'number' then\n"
    "    error('invalid replacement value (a ' .. type(v) .. ')', 3)\n"
    "  end\n"
    "  return v\n"
    "end\n"
    "function string.gsub(s, pattern, repl, most)\n"
    "  s, pattern = tostring(s), tostring(pattern)\n"
    "  if type(repl) == 'number' then repl = tostring(repl) end\n"
    "  if type(repl) ~= 'string' and type(repl) ~= 'table' and type(repl) ~= 'function' then\n"
    "    error('bad argument #3 to gsub (string/function/table expected)', 2)\n"
    "  end\n"
    "  local out, at, last, n = {}, 1, -1, 0\n"
    "  while not most or n < most do\n"
    "    local m = pack(next_match(s, pattern, at, last))\n"
    "    if not m[1] then break end\n"
    "    n = n + 1\n"
    "    out[#out + 1] = sub(s, at, m[1] - 1)\n"
    "    out[#out + 1] = value(repl, s, m)\n"
    "    at, last = m[2] + 1, m[2]\n"
    "    if sub(pattern, 1, 1) == '^' then break end\n"
    "  end\n"
    "  out[#out + 1] = sub(s, at)\n"
    "  return concat(out), n\n"
    "end\n"
    "function table.insert(t, ...)\n"
    "  local n, at, v = #t + 1, ...\n"
    "  if select('#', ...) == 1 then t[n] = at return end\n"
    "  if select('#', ...) ~= 2 then error(\"wrong number of arguments to 'insert'\", 2) end\n"
    "  if at < 1 or at > n then error('position out of bounds', 2) end\n"
    "  for i = n, at + 1, -1 do t[i] = t[i - 1] end\n"
    "  t[at] = v\n"
    "end\n"
    "function table.remove(t, at)\n"
    "  local n = #t\n"
    "  at = at or n\n"
    "  if n + 1 ~= at and n > 0 and (at < 1 or at > n) then error('position out of bounds', 2) end\n"
    "  local v = t[at]\n"
    "  for i = at, n - 1 do t[i] = t[i + 1] end\n"
    "  if n > 0 and at <= n then t[n] = nil end\n"
    "  return v\n"
    "end\n"
    "function table.move(a, from, to, at, b)\n"
    "  b = b or a\n"
    "  if at > to or at <= from or a ~= b then\n"
    "    for i = 0, to - from do b[at + i] = a[from + i] end\n"
    "  else\n"
    "    for i = to - from, 0, -1 do b[at + i] = a[from + i] end\n"
    "  end\n"
    "  return b\n"
    "end\n"
    "local function less_of(a, b) return a < b end\n"
    "function table.sort(t, less)\n"
    "  less = less or less_of\n"
    "  local n = #t\n"
    "  local function sink(at, n)\n"
    "    local v = t[at]\n"
    "    while 2 * at <= n do\n"
    "      local below = 2 * at\n"
    "      if below < n and less(t[below], t[below + 1]) then below = below + 1 end\n"
    "      if not less(v, t[below]) then break end\n"
    "      t[at], at = t[below], below\n"
    "    end\n"
    "    t[at] = v\n"
    "  end\n"
    "  for at = n // 2, 1, -1 do sink(at, n) end\n"
    "  for last = n, 2, -1 do\n"
    "    t[1], t[last] = t[last], t[1]\n"
    "    sink(1, last - 1)\n"
    "  end\n"
    "end\n"
    /* An endless string of nothing. */
    "local rep = string.rep\n"
    "function string.rep(s, n, sep)\n"
    "  if s == '' and (sep == nil or sep == '') then return '' end\n"
    "  return rep(s, n, sep)\n"
    "end\n"
    /* What is not in the table itself may be as much as a metatable says. */
    "local getmetatable = getmetatable\n"
    "function table.concat(t, sep, from, to)\n"
    "  if type(t) ~= 'table' or getmetatable(t) == nil then return concat(t, sep, from, to) end\n"
    "  local own, n = {}, 0\n"
    "  for i = from or 1, to or #t do n = n + 1 own[n] = t[i] end\n"
    "  return concat(own, sep, 1, n)\n"
    "end\n"
    /* A handler of errors would run where the hook has raised one, and there no hook counts. */
    "local pcall = pcall\n"
    "function xpcall(f, handler, ...)\n"
    "  local said = pack(pcall(f, ...))\n"
    "  if said[1] then return unpack(said, 1, said.n) end\n"
    "  return false, (handler(said[2]))\n"
    "end\n"
    "local rawget = rawget\n"
    "function setmetatable(t, meta)\n"
    "  if type(meta) == 'table' and rawget(meta, '__gc') ~= nil then error('no __gc here', 2) end\n"
    "  return set(t, meta)\n"
    "end\n";

/* ---- the table `simgate` --------------------------------------------------------------------------------
 */

static struct ask *ask_here(lua_State *L)
{
    struct ask *a = script_of(L)->ask;

    if (!a)
        luaL_error(L, "there is no event: actions are for handle(event)");
    return a;
}

/* A parameter as text; NULL: nil. */
static const char *param(lua_State *L, int at, const char *name)
{
    size_t len;
    const char *text;

    if (lua_isnoneornil(L, at))
        return NULL;
    if (lua_isboolean(L, at))
        return lua_toboolean(L, at) ? "true" : "false";
    text = lua_tolstring(L, at, &len);
    if (!text || strlen(text) != len)
        luaL_error(L, "%s: expected a text", name);
    return text;
}

/* simgate.ACTION(first, second, …) or simgate.ACTION{name = value}; the kind is the first upvalue. */
static int act(lua_State *L)
{
    struct ask *a = ask_here(L);
    int kind = (int)lua_tointeger(L, lua_upvalueindex(1)), given = lua_gettop(L), n = 0;
    const char *params[ACTION_PARAMS] = {0}, *name;
    bool named = given == 1 && lua_istable(L, 1);
    struct err e = {0};

    luaL_checkstack(L, ACTION_PARAMS, NULL);
    for (; (name = action_kind_param(kind, n)); n++) {
        if (named)
            lua_getfield(L, 1, name);
        params[n] = named ? param(L, given + 1 + n, name) : n < given ? param(L, n + 1, name) : NULL;
    }
    if (!named && given > n)
        return luaL_error(L, "%s: expected at most %d arguments", action_kind_name(kind), n);
    if (actions_add(&a->actions, kind, params, &e) < 0)
        return luaL_error(L, "%s", e.text);
    return 0;
}

static int stop(lua_State *L)
{
    ask_here(L)->actions.stop = true;
    return 0;
}

static int print(lua_State *L)
{
    struct script *s = script_of(L);
    int n = lua_gettop(L);
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    for (int i = 1; i <= n; i++) {
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&b);
        if (i < n)
            luaL_addchar(&b, ' ');
    }
    luaL_pushresult(&b);
    log_notice(s->plugin->source, "%.500s", lua_tostring(L, -1));
    return 0;
}

static int got(lua_State *L, int status, lua_KContext context)
{
    struct script *s = script_of(L);

    (void)status;
    (void)context;
    if (s->fetch && s->fetch->op.value)
        lua_pushstring(L, s->fetch->op.value);
    else
        lua_pushnil(L);
    return 1;
}

/* Kept in this very event? */
static bool kept_now(lua_State *L, const struct ask *a, const char *key)
{
    static int keep = -1;

    if (keep < 0)
        keep = action_kind_find("keep");
    for (int i = a->actions.count - 1; i >= 0; i--) {
        const struct action *x = &a->actions.list[i];

        if (x->kind != keep || strcmp(x->param[0], key) != 0)
            continue;
        if (x->param[1] && *x->param[1])
            lua_pushstring(L, x->param[1]);
        else
            lua_pushnil(L);
        return true;
    }
    return false;
}

static void on_value(struct store_op *op, int status);

/* simgate.get(key) */
static int get(lua_State *L)
{
    struct script *s = script_of(L);
    struct ask *a = ask_here(L);
    const char *key = luaL_checkstring(L, 1);
    struct fetch *f;

    if (kept_now(L, a, key))
        return 1;
    if (!s->plugin->world->store)
        return lua_pushnil(L), 1;
    if (!lua_isyieldable(L))
        return luaL_error(L, "get: not within a metamethod, an iterator or a comparison");
    f = calloc(1, sizeof *f);
    if (!f || !(f->owner = strdup(s->plugin->conf.name)) || !(f->key = strdup(key)))
        abort();
    f->script = s;
    f->op = (struct store_value){.op = {.done = on_value}, .owner = f->owner, .key = f->key};
    f->next = s->fetches;
    s->fetches = s->fetch = f;
    store_value(s->plugin->world->store, &f->op);
    return lua_yieldk(L, 0, 0, got);
}

static int now(lua_State *L)
{
    struct rt *rt = script_of(L)->plugin->world->rt;

    lua_pushinteger(L, rt ? rt_wall_ms(rt) / 1000 : 0);
    return 1;
}

/* ---- a state --------------------------------------------------------------------------------------------
 */

static void forget_globals(lua_State *L)
{
    static const char *const globals[] = {"dofile", "loadfile", "load", "require", "collectgarbage"};

    for (size_t i = 0; i < ARRAY_LEN(globals); i++) {
        lua_pushnil(L);
        lua_setglobal(L, globals[i]);
    }
}

static void forget_field(lua_State *L, const char *table, const char *field)
{
    lua_getglobal(L, table);
    lua_pushnil(L);
    lua_setfield(L, -2, field);
    lua_pop(L, 1);
}

static void set_string(lua_State *L, const char *name, lua_CFunction f)
{
    lua_getglobal(L, "string");
    lua_pushcfunction(L, f);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

static void open_simgate(lua_State *L, const struct plugin *p)
{
    static const luaL_Reg more[] = {{"get", get}, {"stop", stop}, {"time", now}, {NULL, NULL}};

    luaL_newlib(L, more);
    for (int i = 0; i < action_kinds(); i++) {
        lua_pushinteger(L, i);
        lua_pushcclosure(L, act, 1);
        lua_setfield(L, -2, action_kind_name(i));
    }
    lua_pushstring(L, p->conf.options);
    lua_setfield(L, -2, "options");
    lua_setglobal(L, "simgate");
}

/* Within lua_pcall: everything up to the script's own first run. */
static int open_state(lua_State *L)
{
    static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
                                         {LUA_TABLIBNAME, luaopen_table},
                                         {LUA_STRLIBNAME, luaopen_string},
                                         {LUA_MATHLIBNAME, luaopen_math},
                                         {LUA_UTF8LIBNAME, luaopen_utf8}};
    struct script *s = script_of(L);

    for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    forget_globals(L);
    forget_field(L, "string", "dump");
    lua_pushcfunction(L, print);
    lua_setglobal(L, "print");
    set_string(L, "find", str_find);
    set_string(L, "match", str_match);
    if (luaL_loadbufferx(L, prelude, sizeof prelude - 1, "=prelude", "t") != LUA_OK)
        return lua_error(L);
    lua_pushcfunction(L, str_next);
    lua_getglobal(L, "setmetatable");
    lua_call(L, 2, 0);
    open_simgate(L, s->plugin);
    allow(s, L, LOAD_THOUSANDS);
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
    s->L = lua_newstate(allocate, s);
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

    lua_sethook(s->run, hook, LUA_MASKCOUNT, GRAIN);
    s->until_ms = rt_now_ms(s->plugin->world->rt) + TIME_MS;
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
static void on_value(struct store_op *op, int status)
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
    allow(s, s->L, p->conf.instructions);
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
