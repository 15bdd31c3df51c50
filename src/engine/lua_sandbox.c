/* What a script may use, and how much of it: memory by the allocator, instructions and time by a hook,
 * patterns and what would loop in C by our own. See engine/lua.c. */
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/lua_pattern.h"
#include "engine/lua_private.h"

enum {
    GRAIN = 200,   /* instructions between two looks at the clock */
    TIME_MS = 100, /* of running, an event */
    BLOCK_BYTES =
        512 * 1024, /* of one value: Lua moves a stack in C, at each level of a chain of __call all of it */
    PATTERN_STEPS = 1000000, /* about as many as instructions: they are taken from them */
    PATTERN_SHARE = 4,       /* steps for one instruction */
};

/* ---- bounds ---------------------------------------------------------------------------------------------
 */

void *lua_sandbox_allocate(void *owner, void *at, size_t was, size_t wanted)
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
    if (wanted > was && (wanted > BLOCK_BYTES || s->used - was + wanted > s->most)) {
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

void lua_sandbox_watch(struct script *s, lua_State *L)
{
    struct rt *rt = s->plugin->world->rt;

    s->until_ms = rt ? rt_now_ms(rt) + TIME_MS : 0;
    lua_sethook(L, hook, LUA_MASKCOUNT, GRAIN);
}

void lua_sandbox_allow(struct script *s, lua_State *L, int64_t thousands)
{
    s->left = thousands * 1000;
    s->exceeded = s->full = false;
    lua_sandbox_watch(s, L);
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

/* ---- libraries ------------------------------------------------------------------------------------------
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

void lua_sandbox_open(lua_State *L)
{
    static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
                                         {LUA_TABLIBNAME, luaopen_table},
                                         {LUA_STRLIBNAME, luaopen_string},
                                         {LUA_MATHLIBNAME, luaopen_math},
                                         {LUA_UTF8LIBNAME, luaopen_utf8}};

    for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    forget_globals(L);
    forget_field(L, "string", "dump");
    set_string(L, "find", str_find);
    set_string(L, "match", str_match);
    if (luaL_loadbufferx(L, prelude, sizeof prelude - 1, "=prelude", "t") != LUA_OK)
        lua_error(L);
    lua_pushcfunction(L, str_next);
    lua_getglobal(L, "setmetatable");
    lua_call(L, 2, 0);
}
