/* What the files of the Lua handler share. Only they include this, and Lua's headers. */
#ifndef SIMGATE_ENGINE_LUA_PRIVATE_H
#define SIMGATE_ENGINE_LUA_PRIVATE_H

#include <lauxlib.h>
#include <lua.h>

#include "engine/plugin.h"

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

static inline struct script *script_of(lua_State *L)
{
    return *(struct script **)lua_getextraspace(L);
}

/* ---- lua_sandbox.c ---- */

/* The allocator of a state, with the script as its owner: bounds the memory. */
void *lua_sandbox_allocate(void *owner, void *at, size_t was, size_t wanted);
/* From now on so many thousands of instructions, and the time of an event. */
void lua_sandbox_allow(struct script *s, lua_State *L, int64_t thousands);
/* The same time again, for what goes on after a wait; the instructions that are left. */
void lua_sandbox_watch(struct script *s, lua_State *L);
/* Within lua_pcall: the libraries that a script may use, with what would loop in C replaced. */
void lua_sandbox_open(lua_State *L);

/* ---- lua_library.c ---- */

/* Within lua_pcall: the table `simgate`, and print. */
void lua_library_open(lua_State *L, const struct plugin *p);

/* ---- lua.c ---- */

/* A value that simgate.get asked for has come: the coroutine goes on. */
void lua_on_value(struct store_op *op, int status);

#endif
