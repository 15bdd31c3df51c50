/* What the files of templates share: values and filters, by name. */
#ifndef SIMGATE_ENGINE_TEMPLATE_PRIVATE_H
#define SIMGATE_ENGINE_TEMPLATE_PRIVATE_H

#include "engine/template.h"

/* What a value gave. `text` may point into `own`. */
struct filled {
    struct span text;
    int64_t wall_ms; /* of a time; 0 none */
    struct buf own;
};

/* False: there is none. `arg` is what follows the name of a family ("match."). */
typedef bool value_get(const struct template_values *v, const char *arg, struct filled *out);

struct template_value {
    const char *name; /* one that ends in '.' is a family */
    value_get *get;
    int longest; /* characters that it usually has at most */
    /* What it can be in a language ("": in any), by index; false beyond the last. NULL: so many letters. */
    bool (*form)(const char *language, int index, char out[96]);
};
/* NULL: there is none. *arg: what follows a family's name. */
const struct template_value *template_value_find(const char *name, const char **arg);
void template_value_names(char *out, size_t size);

/* A moment by the clock of v->zone, else the system's. */
void template_local(const struct template_values *v, int64_t wall_ms, struct zone_time *out);

/* Changes what a value gave; false: it cannot be, as if the value were missing. */
typedef bool filter_apply(const struct template_values *v, const char *arg, struct filled *f);

struct template_filter {
    const char *name;
    filter_apply *apply;
    bool has_arg;
    /* NULL: good; else what is expected of the argument. */
    const char *(*check)(const char *arg);
};
/* By the name that text begins with; *arg: what follows it. NULL: none. */
const struct template_filter *template_filter_find(const char *text, const char **arg);
void template_filter_names(char *out, size_t size);

/* One without any text yet. */
struct template *template_empty(void);
/* Its languages in the order of the alphabet, whenever they came. */
void template_sort(struct template *t);
/* Takes its text of a language away. Has it others? */
bool template_take(struct template *t, const char *language);

#endif
