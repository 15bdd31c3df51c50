/* Any pattern on any text: it comes to an end, and what it finds lies in the text.
 *
 * Input: pattern, NUL, text. */
#include <stdlib.h>
#include <string.h>

#include "engine/lua_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t split = nul ? (size_t)(nul - data) : size;
    struct lua_pattern m = {.pattern = (const char *)data,
                            .pattern_len = split,
                            .text = (const char *)data + (nul ? split + 1 : size),
                            .text_len = nul ? size - split - 1 : 0,
                            .steps = STEPS};

    if (!lua_pattern_find(&m, 0, SIZE_MAX))
        return 0;
    if (m.error || m.start > m.end || m.end > m.text_len || m.captures > LUA_PATTERN_CAPTURES)
        abort();
    for (int i = 0; i < m.captures; i++)
        if (m.capture[i].open || m.capture[i].at > m.text_len ||
            (!m.capture[i].position && m.capture[i].len > m.text_len - m.capture[i].at))
            abort();
    return 0;
}
