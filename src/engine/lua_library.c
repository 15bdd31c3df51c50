/* The table `simgate` that scripts have: actions, values that are kept, the time. See engine/lua.c. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/lua_private.h"
#include "engine/program.h"

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
    f->op = (struct store_value){.op = {.done = lua_on_value}, .owner = f->owner, .key = f->key};
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

void lua_library_open(lua_State *L, const struct plugin *p)
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
    lua_pushcfunction(L, print);
    lua_setglobal(L, "print");
}
