/* Lua's patterns (Lua 5.4 Reference Manual, 6.4.1) with a bound on the work, which those of Lua's own string
 * library lack: a text that a customer wrote must not hold up the loop, whatever the script asks about it. */
#ifndef SIMGATE_ENGINE_LUA_PATTERN_H
#define SIMGATE_ENGINE_LUA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LUA_PATTERN_CAPTURES = 32, LUA_PATTERN_DEPTH = 200 };

struct lua_pattern {
    /* in */
    const char *text;
    size_t text_len;
    const char *pattern;
    size_t pattern_len;
    int64_t steps; /* that may still be taken; counted down */
    /* out */
    size_t start, end; /* of the match */
    int captures;
    struct lua_capture {
        size_t at;
        bool position; /* "()": only where */
        bool open;
        size_t len;
    } capture[LUA_PATTERN_CAPTURES];
    const char *error; /* what is wrong with the pattern, or that it takes too long; NULL nothing */
    int depth;
};

/* The first match that begins at `from` or later and does not end at `not_end` (SIZE_MAX: wherever). False:
 * there is none, or `error` says why that cannot be told. */
bool lua_pattern_find(struct lua_pattern *m, size_t from, size_t not_end);

#endif
