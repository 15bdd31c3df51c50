/* The walk over a configuration file by its table. Memory is owned by the schema object: one list of blocks,
 * freed together, so that a reload can drop a whole generation at once. */
#include "app/schema_walk.h"

#include <libconfig.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "base/util.h"

enum { PATH_BYTES = 256, NAME_BYTES = 64 };

struct block {
    struct block *next;
    max_align_t bytes[];
};

/* A setting as it stands in the file. */
struct written {
    const char *path;
    int line;
    struct written *next;
};

struct schema {
    struct block *blocks;
    const char *file, *manual;
    struct written *written;
};

struct schema *schema_new(void)
{
    struct schema *s = calloc(1, sizeof *s);

    if (s)
        s->manual = "gateway.conf(5)";
    return s;
}

void schema_set_manual(struct schema *s, const char *manual)
{
    s->manual = manual;
}

void schema_free(struct schema *s)
{
    struct block *b, *next;

    if (!s)
        return;
    for (b = s->blocks; b; b = next) {
        next = b->next;
        free(b);
    }
    free(s);
}

void *schema_alloc(struct schema *s, size_t size)
{
    struct block *b = calloc(1, sizeof *b + size);

    if (!b)
        abort();
    b->next = s->blocks;
    s->blocks = b;
    return b->bytes;
}

const char *schema_strdup(struct schema *s, const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(schema_alloc(s, n), text, n);
}

/* ---- where what stands ---- */

static void note(struct schema *s, const char *path, int line)
{
    struct written *one = schema_alloc(s, sizeof *one);

    *one = (struct written){schema_strdup(s, path), line, s->written};
    s->written = one;
}

static const struct written *find_written(const struct schema *s, const char *path, size_t len)
{
    for (const struct written *one = s->written; one; one = one->next)
        if (strlen(one->path) == len && !memcmp(one->path, path, len))
            return one;
    return NULL;
}

bool schema_wrote(const struct schema *s, const char *path)
{
    return find_written(s, path, strlen(path)) != NULL;
}

const char *schema_place(struct schema *s, const char *path)
{
    const struct written *one = NULL;
    char place[2 * PATH_BYTES + PATH_MAX];

    for (size_t len = strlen(path); len > 0 && !one; len--)
        if (!path[len] || strchr(".[", path[len]))
            one = find_written(s, path, len);
    if (one)
        snprintf(place, sizeof place, "%s:%d: %s", s->file, one->line, path);
    else
        snprintf(place, sizeof place, "%s: %s", s->file, path);
    return schema_strdup(s, place);
}

void schema_problem(struct walk *w, int line, const char *path, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_addf(w->problems, "%s:%d: %s%s%s\n", w->file, line, path, *path ? ": " : "", text);
    w->count++;
}

static int line_of(const config_setting_t *set)
{
    return (int)config_setting_source_line(set);
}

/* Levenshtein's. */
size_t schema_distance(const char *a, const char *b)
{
    size_t row[NAME_BYTES + 1], la = strlen(a), lb = strlen(b);

    if (la > NAME_BYTES || lb > NAME_BYTES)
        return NAME_BYTES;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}

static void unknown_key(struct walk *w, const struct schema_group *g, const config_setting_t *set,
                        const char *path)
{
    const char *name = config_setting_name(set), *nearest = NULL;
    size_t best = SCHEMA_NEAR + 1;

    for (size_t i = 0; i < g->nkeys; i++) {
        size_t d = schema_distance(name, g->keys[i].name);

        if (d < best) {
            best = d;
            nearest = g->keys[i].name;
        }
    }
    if (nearest)
        schema_problem(w, line_of(set), path, "there is no such setting; did you mean \"%s\"?", nearest);
    else
        schema_problem(w, line_of(set), path, "there is no such setting; see %s", w->s->manual);
}

static void wrong_type(struct walk *w, const config_setting_t *set, const char *path, const char *expected)
{
    schema_problem(w, line_of(set), path, "expected %s", expected);
}

/* ---- what is written ---- */

static void put_defaults(struct walk *w, const struct schema_group *g, void *out)
{
    for (size_t i = 0; i < g->nkeys; i++) {
        const struct schema_key *k = &g->keys[i];
        void *at = (char *)out + k->offset;

        if (k->type == SCHEMA_GROUP)
            put_defaults(w, k->group, at);
        else if (k->type == SCHEMA_STRING)
            *(const char **)at = schema_strdup(w->s, k->def ? k->def : "");
        else if (k->def)
            schema_put(w, k, k->def, 0, k->name, at);
    }
}

static void read_scalar(struct walk *w, const struct schema_key *k, config_setting_t *set, const char *path,
                        void *at)
{
    static const char *const expected[] = {
        [SCHEMA_STRING] = "a text in double quotes",
        [SCHEMA_BOOL] = "true or false",
        [SCHEMA_TRISTATE] = "true or false",
        [SCHEMA_INT] = "a whole number",
        [SCHEMA_DURATION] = "a duration such as \"90s\", \"15m\", \"2h\" or \"3d\"",
        [SCHEMA_ENUM] = "a text in double quotes",
        [SCHEMA_PARSED] = "a text in double quotes",
    };
    int type = config_setting_type(set);
    bool number = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
    char text[32];

    if (type == CONFIG_TYPE_BOOL && k->type == SCHEMA_TRISTATE) {
        *(int *)at = config_setting_get_bool(set) ? 1 : 2;
    } else if (type == CONFIG_TYPE_STRING && k->type != SCHEMA_INT && k->type != SCHEMA_BOOL &&
               k->type != SCHEMA_TRISTATE) {
        schema_put(w, k, config_setting_get_string(set), line_of(set), path, at);
    } else if (type == CONFIG_TYPE_BOOL && k->type == SCHEMA_BOOL) {
        schema_put(w, k, config_setting_get_bool(set) ? "true" : "false", line_of(set), path, at);
    } else if (number && (k->type == SCHEMA_INT || k->type == SCHEMA_DURATION)) {
        snprintf(text, sizeof text, "%lld", config_setting_get_int64(set));
        schema_put(w, k, text, line_of(set), path, at);
    } else if ((number || type == CONFIG_TYPE_FLOAT) && k->type == SCHEMA_PARSED) {
        snprintf(text, sizeof text, "%.9g",
                 number ? (double)config_setting_get_int64(set) : config_setting_get_float(set));
        schema_put(w, k, text, line_of(set), path, at);
    } else {
        wrong_type(w, set, path, expected[k->type]);
    }
}

/* The number of its elements; -1, told, when it is none. */
static int text_list_length(struct walk *w, const config_setting_t *set, const char *path)
{
    if (config_setting_is_array(set) || config_setting_is_list(set))
        return config_setting_length(set);
    wrong_type(w, set, path, "a list of texts: [ \"one\", \"two\" ]");
    return -1;
}

static void read_strings(struct walk *w, const struct schema_key *k, config_setting_t *set, const char *path,
                         void *at)
{
    int n = text_list_length(w, set, path);
    const char **all, *expected;

    if (n < 0)
        return;
    all = schema_alloc(w->s, ((size_t)n + 1) * sizeof *all);
    for (int i = 0; i < n; i++) {
        const char *text = config_setting_get_string_elem(set, i);

        if (!text || !*text || !utf8_valid(text, strlen(text))) {
            schema_problem(w, line_of(set), path, "element %d: expected a text that is not empty", i);
            text = "?";
        } else if (k->parse && (expected = k->parse(w->s, text, NULL))) {
            schema_problem(w, line_of(set), path, "element %d: expected %s, not \"%s\"", i, expected, text);
        }
        all[i] = schema_strdup(w->s, text);
    }
    *(const char *const **)at = all;
}

static void read_flags(struct walk *w, const struct schema_key *k, config_setting_t *set, const char *path,
                       void *at)
{
    int n = text_list_length(w, set, path), bit;

    for (int i = 0; i < n; i++) {
        const char *text = config_setting_get_string_elem(set, i);

        bit = -1;
        if (text)
            schema_put(w, k, text, line_of(set), path, &bit);
        else
            schema_problem(w, line_of(set), path, "element %d: expected a text in double quotes", i);
        if (bit >= 0)
            *(unsigned *)at |= 1U << bit;
    }
}

/* The elements of a group of texts so far. */
struct texts {
    struct schema_text *all;
    int count;
};

static void add_text(struct walk *w, struct texts *t, config_setting_t *set, const char *name,
                     const char *variant, const char *path)
{
    const char *text = config_setting_get_string(set);

    if (!text || !utf8_valid(text, strlen(text)))
        wrong_type(w, set, path, "a text in double quotes");
    note(w->s, path, line_of(set));
    t->all[t->count++] = (struct schema_text){
        .name = schema_strdup(w->s, name),
        .text = schema_strdup(w->s, text ? text : "?"), /* told already */
        .variant = schema_strdup(w->s, variant),
        .place = schema_place(w->s, path),
    };
}

/* { en = "text"; de = "text"; max_segments = 1; } */
static void add_variants(struct walk *w, const struct schema_key *k, struct texts *t, config_setting_t *set,
                         const char *path)
{
    const char *name = config_setting_name(set);
    int first = t->count, number = 0;
    char sub[PATH_BYTES];

    for (int i = 0; i < config_setting_length(set); i++) {
        config_setting_t *e = config_setting_get_elem(set, (unsigned)i);

        snprintf(sub, sizeof sub, "%s.%s", path, config_setting_name(e));
        if (strcmp(config_setting_name(e), k->names[0]) != 0)
            add_text(w, t, e, name, config_setting_name(e), sub);
        else if (config_setting_type(e) != CONFIG_TYPE_INT || (number = config_setting_get_int(e)) < 1)
            wrong_type(w, e, sub, "a whole number from 1");
    }
    if (t->count == first)
        wrong_type(w, set, path, "at least one text: { en = \"text\"; }");
    for (int i = first; i < t->count; i++)
        t->all[i].number = number;
}

static int texts_in(const struct schema_key *k, const config_setting_t *set)
{
    int n = 0;

    for (int i = 0; i < config_setting_length(set); i++) {
        config_setting_t *e = config_setting_get_elem(set, (unsigned)i);

        n += k->type == SCHEMA_VARIANTS && config_setting_is_group(e) ? config_setting_length(e) : 1;
    }
    return n;
}

static void read_texts(struct walk *w, const struct schema_key *k, config_setting_t *set, const char *path,
                       void *out)
{
    struct texts t = {0};
    char sub[PATH_BYTES];

    if (!config_setting_is_group(set)) {
        wrong_type(w, set, path, "a group: { name = \"text\"; }");
        return;
    }
    t.all = schema_alloc(w->s, ((size_t)texts_in(k, set) + 1) * sizeof *t.all);
    for (int i = 0; i < config_setting_length(set); i++) {
        config_setting_t *e = config_setting_get_elem(set, (unsigned)i);

        snprintf(sub, sizeof sub, "%s.%s", path, config_setting_name(e));
        if (k->type == SCHEMA_VARIANTS && config_setting_is_group(e))
            add_variants(w, k, &t, e, sub);
        else
            add_text(w, &t, e, config_setting_name(e), "", sub);
    }
    *(struct schema_text **)((char *)out + k->offset) = t.all;
    *(int *)((char *)out + k->count_offset) = t.count;
}

/* ---- groups -----------------------------------------------------------------------------------------------
 */

static void read_group(struct walk *w, const struct schema_group *g, config_setting_t *set, const char *path,
                       void *out);

static void read_list(struct walk *w, const struct schema_key *k, config_setting_t *set, const char *path,
                      void *out)
{
    int n = config_setting_is_list(set) ? config_setting_length(set) : -1;
    char *all, sub[PATH_BYTES];

    if (n < 0) {
        wrong_type(w, set, path, "a list of groups: ( { … }, { … } )");
        return;
    }
    all = schema_alloc(w->s, ((size_t)n + 1) * k->group->size);
    for (int i = 0; i < n; i++) {
        snprintf(sub, sizeof sub, "%s[%d]", path, i);
        put_defaults(w, k->group, all + (size_t)i * k->group->size);
        note(w->s, sub, line_of(config_setting_get_elem(set, (unsigned)i)));
        read_group(w, k->group, config_setting_get_elem(set, (unsigned)i), sub,
                   all + (size_t)i * k->group->size);
    }
    *(void **)((char *)out + k->offset) = all;
    *(int *)((char *)out + k->count_offset) = n;
}

static void read_key(struct walk *w, const struct schema_key *k, config_setting_t *set, const char *path,
                     void *out)
{
    void *at = (char *)out + k->offset;

    if (k->type == SCHEMA_GROUP)
        read_group(w, k->group, set, path, at);
    else if (k->type == SCHEMA_LIST)
        read_list(w, k, set, path, out);
    else if (k->type == SCHEMA_TEXTS || k->type == SCHEMA_VARIANTS)
        read_texts(w, k, set, path, out);
    else if (k->type == SCHEMA_STRINGS)
        read_strings(w, k, set, path, at);
    else if (k->type == SCHEMA_FLAGS)
        read_flags(w, k, set, path, at);
    else
        read_scalar(w, k, set, path, at);
}

static const struct schema_key *find_key(const struct schema_group *g, const char *name)
{
    for (size_t i = 0; i < g->nkeys; i++)
        if (!strcmp(g->keys[i].name, name))
            return &g->keys[i];
    return NULL;
}

static void read_group(struct walk *w, const struct schema_group *g, config_setting_t *set, const char *path,
                       void *out)
{
    char sub[PATH_BYTES];

    if (!config_setting_is_group(set)) {
        wrong_type(w, set, path, "a group: { … }");
        return;
    }
    if (g->place_offset != SCHEMA_NO_PLACE)
        *(const char **)((char *)out + g->place_offset) = schema_place(w->s, path);
    for (int i = 0; i < config_setting_length(set); i++) {
        config_setting_t *e = config_setting_get_elem(set, (unsigned)i);
        const struct schema_key *k = find_key(g, config_setting_name(e));

        snprintf(sub, sizeof sub, "%s%s%s", path, *path ? "." : "", config_setting_name(e));
        note(w->s, sub, line_of(e));
        if (k)
            read_key(w, k, e, sub, out);
        else
            unknown_key(w, g, e, sub);
    }
    for (size_t i = 0; i < g->nkeys; i++)
        if (g->keys[i].required && !config_setting_get_member(set, g->keys[i].name))
            schema_problem(w, line_of(set), path, "\"%s\" is missing: %s", g->keys[i].name, g->keys[i].help);
}

int schema_read(struct schema *s, const char *path, const struct schema_group *root, void *out,
                struct buf *problems)
{
    struct walk w = {.s = s, .file = schema_strdup(s, path), .problems = problems};
    FILE *f = fopen(path, "re");
    config_t cfg;
    bool whole;

    s->file = w.file;
    memset(out, 0, root->size);
    put_defaults(&w, root, out);
    if (!f) {
        struct err e;

        err_errno(&e, "cannot be read");
        buf_addf(problems, "%s: %s\n", path, e.text);
        return ERR_IO;
    }
    config_init(&cfg);
    whole = config_read(&cfg, f) == CONFIG_TRUE;
    if (whole)
        read_group(&w, root, config_root_setting(&cfg), "", out);
    else
        schema_problem(&w, config_error_line(&cfg), "", "%s near this line; expected NAME = VALUE; (see %s)",
                       config_error_text(&cfg), s->manual);
    config_destroy(&cfg);
    fclose(f);
    return whole ? w.count : ERR_INVALID;
}
