/* Templates that are kept in the store: by name, each in one or more languages. See engine/template.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/template_private.h"

struct standing {
    char name[DESK_WORD_BYTES];
    struct template *template;
};

struct shelf {
    struct standing *all;
    int count;
};

struct shelf *shelf_new(void)
{
    struct shelf *s = calloc(1, sizeof *s);

    if (!s)
        abort();
    return s;
}

void shelf_free(struct shelf *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->count; i++)
        template_free(s->all[i].template);
    free(s->all);
    free(s);
}

static int find(const struct shelf *s, const char *name)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->all[i].name, name) == 0)
            return i;
    return -1;
}

const struct template *shelf_find(const struct shelf *s, const char *name)
{
    int at = find(s, name);

    return at < 0 ? NULL : s->all[at].template;
}

bool template_name_good(const char *name)
{
    if (!*name || strlen(name) >= DESK_WORD_BYTES)
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_-*.", *c))
            return false;
    return true;
}

static bool language_good(const char *language)
{
    for (const char *c = language; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-')
            return false;
    return strlen(language) < DESK_LANGUAGE_BYTES;
}

static int add(struct shelf *s, const char *name)
{
    s->all = reallocarray(s->all, (size_t)s->count + 1, sizeof *s->all);
    if (!s->all)
        abort();
    s->all[s->count] = (struct standing){.template = template_empty()};
    strcpy(s->all[s->count].name, name); /* its length was looked at */
    return s->count++;
}

int shelf_put(struct shelf *s, const char *name, const char *language, const char *text, struct err *e)
{
    struct template_scope scope = {.unbound = true};
    struct template *sound;
    int rc, at;

    if (!template_name_good(name))
        return err_set(e, ERR_INVALID, "name: expected 1 to %d letters, digits, '_', '-' or '.'",
                       DESK_WORD_BYTES - 1);
    if (!language_good(language))
        return err_set(e, ERR_INVALID, "language: expected a code such as \"de\" or \"pt-BR\"");
    rc = template_new(text, &scope, &sound, e);
    template_free(sound);
    if (rc != 0)
        return rc;
    at = find(s, name);
    if (at < 0)
        at = add(s, name);
    template_take(s->all[at].template, language);
    rc = template_add(s->all[at].template, language, text, &scope, e);
    template_sort(s->all[at].template); /* as after a restart: which one is the first must not change */
    return rc;
}

void shelf_remove(struct shelf *s, const char *name, const char *language)
{
    int at = find(s, name);

    if (at < 0 || template_take(s->all[at].template, language))
        return;
    template_free(s->all[at].template);
    s->all[at] = s->all[--s->count];
}
