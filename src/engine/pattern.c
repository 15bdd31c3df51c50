/* PCRE2 behind a narrow door: UTF and UCP always on, \C (which could split a character) refused, and limits
 * on text, backtracking and memory. Compiled to machine code where the library and the system allow it; a
 * service that may not map writable code runs the same patterns interpreted.
 */
#include "engine/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"

enum { JIT_STACK_FIRST_BYTES = 32 * 1024, JIT_STACK_MOST_BYTES = 512 * 1024, MESSAGE_BYTES = 200 };

struct matcher {
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    pcre2_jit_stack *stack;
};

struct pattern {
    struct matcher *matcher;
    pcre2_code *code;
    pcre2_match_data *data;
    struct span text; /* of the last match; at NULL: none */
};

struct matcher *matcher_new(void)
{
    struct matcher *m = calloc(1, sizeof *m);

    if (!m || !(m->compile = pcre2_compile_context_create(NULL)) ||
        !(m->match = pcre2_match_context_create(NULL)))
        abort();
    pcre2_set_match_limit(m->match, PATTERN_MATCH_LIMIT);
    pcre2_set_heap_limit(m->match, PATTERN_HEAP_KIB);
    m->stack = pcre2_jit_stack_create(JIT_STACK_FIRST_BYTES, JIT_STACK_MOST_BYTES, NULL);
    if (m->stack) /* without: the library's own 32 KiB on the machine stack */
        pcre2_jit_stack_assign(m->match, NULL, m->stack);
    return m;
}

void matcher_free(struct matcher *m)
{
    if (!m)
        return;
    pcre2_jit_stack_free(m->stack);
    pcre2_match_context_free(m->match);
    pcre2_compile_context_free(m->compile);
    free(m);
}

int pattern_new(struct matcher *m, const char *text, struct pattern **out, struct err *e)
{
    int code;
    size_t offset;
    PCRE2_UCHAR message[MESSAGE_BYTES];
    struct pattern *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    *out = NULL;
    p->matcher = m;
    p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset, m->compile);
    if (!p->code) {
        free(p);
        pcre2_get_error_message(code, message, sizeof message);
        return err_set(e, ERR_INVALID, "%s at offset %zu", (const char *)message, offset);
    }
    pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* refused: the interpreter does it */
    p->data = pcre2_match_data_create_from_pattern(p->code, NULL);
    if (!p->data)
        abort();
    *out = p;
    return 0;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_match_data_free(p->data);
    pcre2_code_free(p->code);
    free(p);
}

/* At most PATTERN_TEXT_BYTES, and no character cut. */
static struct span bounded(struct span text)
{
    if (text.len <= PATTERN_TEXT_BYTES)
        return text;
    text.len = PATTERN_TEXT_BYTES;
    while (text.len > 0 && ((unsigned char)text.at[text.len] & 0xC0) == 0x80)
        text.len--;
    return text;
}

enum pattern_result pattern_match(struct pattern *p, struct span text)
{
    struct span seen = bounded(text);
    /* Where the text was cut, there is no end of line for '$'. */
    uint32_t options = PCRE2_NO_UTF_CHECK | (seen.len < text.len ? PCRE2_NOTEOL : 0u);
    int n = pcre2_match(p->code, (PCRE2_SPTR)seen.at, seen.len, 0, options, p->data, p->matcher->match);

    p->text = n > 0 ? seen : (struct span){0};
    if (n > 0)
        return PATTERN_YES;
    return n == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_GAVE_UP;
}

size_t pattern_count(struct pattern *p, struct span text)
{
    struct span seen = bounded(text);
    size_t count = 0, at = 0;
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(p->data);

    while (at < seen.len && pcre2_match(p->code, (PCRE2_SPTR)seen.at, seen.len, at, PCRE2_NO_UTF_CHECK,
                                        p->data, p->matcher->match) > 0) {
        if (found[1] <= found[0])
            break; /* matches of nothing are not counted, and would never end */
        count += utf8_count(seen.at + found[0], found[1] - found[0]);
        at = found[1];
    }
    p->text = (struct span){0};
    return count;
}

static bool group_number(const char *name, int64_t *out)
{
    return str_to_i64(name, 0, UINT16_MAX, out);
}

bool pattern_has_group(const struct pattern *p, const char *name)
{
    int64_t number;
    uint32_t groups = 0;
    PCRE2_SPTR first, last;

    if (!group_number(name, &number))
        return pcre2_substring_nametable_scan(p->code, (PCRE2_SPTR)name, &first, &last) > 0;
    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    return number <= (int64_t)groups;
}

static bool group_at(const struct pattern *p, size_t number, struct span *out)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->data) + 2 * number;

    /* \K inside a look-around can put a match's start behind its end. */
    if (at[0] == PCRE2_UNSET || at[1] < at[0])
        return false;
    *out = (struct span){p->text.at + at[0], at[1] - at[0]};
    return true;
}

bool pattern_group(const struct pattern *p, const char *name, struct span *out)
{
    int64_t number;
    int entry;
    PCRE2_SPTR first, last;

    if (!p->text.at || !pattern_has_group(p, name))
        return false;
    if (group_number(name, &number))
        return group_at(p, (size_t)number, out);
    entry = pcre2_substring_nametable_scan(p->code, (PCRE2_SPTR)name, &first, &last);
    /* One name may stand for several groups, of which one took part: (?J). */
    for (; entry > 0 && first <= last; first += entry)
        if (group_at(p, (size_t)(first[0] << 8 | first[1]), out))
            return true;
    return false;
}

void pattern_each_name(const struct pattern *p, void (*each)(void *owner, const char *name), void *owner)
{
    uint32_t count = 0, entry_bytes = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_bytes);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < count; i++)
        each(owner, (const char *)table + i * entry_bytes + 2);
}
