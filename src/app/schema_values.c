/* Values of each type: from the text that is written or the table's default, and compared. */
#include <stdio.h>
#include <string.h>

#include "app/schema_walk.h"
#include "base/utf8.h"
#include "base/util.h"

static void put_string(struct walk *w, const struct schema_key *k, const char *text, int line,
                       const char *path, void *at)
{
    size_t n = strlen(text);

    if (!utf8_valid(text, n))
        schema_problem(w, line, path, "the text is not valid UTF-8");
    else if (k->max && ((int64_t)n < k->min || (int64_t)n > k->max))
        schema_problem(w, line, path, "expected a text of %lld to %lld bytes, this has %zu",
                       (long long)k->min, (long long)k->max, n);
    *(const char **)at = schema_strdup(w->s, text);
}

static void put_bool(struct walk *w, const char *text, int line, const char *path, void *at)
{
    if (strcmp(text, "true") && strcmp(text, "false"))
        schema_problem(w, line, path, "expected true or false");
    *(bool *)at = !strcmp(text, "true");
}

static void put_int(struct walk *w, const struct schema_key *k, const char *text, int line, const char *path,
                    void *at)
{
    int64_t v, min = k->min, max = k->max || k->min ? k->max : INT32_MAX;

    if (!str_to_i64(text, min, max, &v)) {
        schema_problem(w, line, path, "expected a whole number from %lld to %lld, not %s", (long long)min,
                       (long long)max, text);
        return;
    }
    *(int *)at = (int)v;
}

static void put_duration(struct walk *w, const struct schema_key *k, const char *text, int line,
                         const char *path, void *at)
{
    int64_t ms;

    if (!str_to_duration_ms(text, &ms) || (k->max && (ms < k->min || ms > k->max))) {
        schema_problem(
            w, line, path,
            "expected a duration such as \"90s\", \"15m\", \"2h\" or \"3d\" from %llds to %llds, not \"%s\"",
            (long long)(k->min / 1000), (long long)(k->max / 1000), text);
        return;
    }
    *(int64_t *)at = ms;
}

static void put_enum(struct walk *w, const struct schema_key *k, const char *text, int line, const char *path,
                     void *at)
{
    struct buf all = {0};

    for (int i = 0; k->names[i]; i++) {
        if (!strcmp(k->names[i], text)) {
            *(int *)at = i;
            buf_free(&all);
            return;
        }
        buf_addf(&all, "%s\"%s\"", i ? ", " : "", k->names[i]);
    }
    schema_problem(w, line, path, "expected one of %s, not \"%s\"", buf_str(&all), text);
    buf_free(&all);
}

static void put_parsed(struct walk *w, const struct schema_key *k, const char *text, int line,
                       const char *path, void *at)
{
    const char *expected = k->parse(w->s, text, at);

    if (expected)
        schema_problem(w, line, path, "expected %s, not \"%s\"", expected, text);
}

void schema_put(struct walk *w, const struct schema_key *k, const char *text, int line, const char *path,
                void *at)
{
    switch (k->type) {
    case SCHEMA_STRING:
        put_string(w, k, text, line, path, at);
        break;
    case SCHEMA_BOOL:
        put_bool(w, text, line, path, at);
        break;
    case SCHEMA_INT:
        put_int(w, k, text, line, path, at);
        break;
    case SCHEMA_DURATION:
        put_duration(w, k, text, line, path, at);
        break;
    case SCHEMA_ENUM:
    case SCHEMA_FLAGS: /* one of them */
        put_enum(w, k, text, line, path, at);
        break;
    case SCHEMA_PARSED:
        put_parsed(w, k, text, line, path, at);
        break;
    case SCHEMA_TRISTATE:
    case SCHEMA_STRINGS:
    case SCHEMA_GROUP:
    case SCHEMA_LIST:
    case SCHEMA_TEXTS:
    case SCHEMA_VARIANTS:
        break;
    }
}

/* ---- compared ---- */

static bool same_strings(const char *const *a, const char *const *b)
{
    size_t i = 0;

    if (!a || !b)
        return a == b;
    for (; a[i] && b[i]; i++)
        if (strcmp(a[i], b[i]))
            return false;
    return a[i] == b[i];
}

static bool same_key(const struct schema_key *k, const void *a, const void *b)
{
    switch (k->type) {
    case SCHEMA_STRING:
        return !strcmp(*(const char *const *)a, *(const char *const *)b);
    case SCHEMA_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case SCHEMA_INT:
    case SCHEMA_ENUM:
    case SCHEMA_TRISTATE:
    case SCHEMA_FLAGS:
        return *(const int *)a == *(const int *)b;
    case SCHEMA_DURATION:
        return *(const int64_t *)a == *(const int64_t *)b;
    case SCHEMA_STRINGS:
        return same_strings(*(const char *const *const *)a, *(const char *const *const *)b);
    case SCHEMA_GROUP:
        return schema_same(k->group, a, b);
    case SCHEMA_LIST:
    case SCHEMA_TEXTS:
    case SCHEMA_VARIANTS:
    case SCHEMA_PARSED:
        break;
    }
    return true;
}

bool schema_same(const struct schema_group *g, const void *a, const void *b)
{
    for (size_t i = 0; i < g->nkeys; i++)
        if (!same_key(&g->keys[i], (const char *)a + g->keys[i].offset, (const char *)b + g->keys[i].offset))
            return false;
    return true;
}
