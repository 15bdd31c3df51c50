/* The configured handlers as a set: from gateway.conf, by name, by place in the chain, as targets of what is
 * forwarded. See engine/plugins.h; what one does is in plugin.c. */
#include "engine/plugins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"

struct plugins {
    struct plugin **list;
    int count;
    char *country;
};

static const struct plugin_kind *const kinds[] = {
    [HANDLER_EXEC] = &plugin_exec,
    [HANDLER_WEBHOOK] = &plugin_webhook,
    [HANDLER_LUA] = &plugin_lua,
    [HANDLER_SHARED] = &plugin_shared,
    [HANDLER_SMSTOOLS] = &plugin_eventhandler,
    [HANDLER_MAIL] = &plugin_mail,
    [HANDLER_CHECK] = &plugin_checkhandler,
};

/* ---- the set --------------------------------------------------------------------------------------------
 */

struct plugin *plugins_find(struct plugins *ps, const char *name)
{
    for (int i = 0; ps && i < ps->count; i++)
        if (!strcmp(ps->list[i]->conf.name, name))
            return ps->list[i];
    return NULL;
}

struct handler *plugins_handler(struct plugins *ps, const char *name)
{
    struct plugin *p = plugins_find(ps, name);

    return p && !p->kind->of_files ? &p->handler : NULL;
}

struct plugin *plugins_nth(struct plugins *ps, int index)
{
    return ps && index < ps->count ? ps->list[index] : NULL;
}

static bool by_default(const struct plugin *p)
{
    return !p->kind->of_files && (!p->kind->only_delivered || p->conf.on[0]);
}

struct handler *plugins_at(struct plugins *ps, int index, const char **kind)
{
    for (int i = 0; ps && i < ps->count; i++) {
        if (!by_default(ps->list[i]) || index-- > 0)
            continue;
        if (kind)
            *kind = ps->list[i]->kind->name;
        return &ps->list[i]->handler;
    }
    return NULL;
}

const struct handler *plugins_any(struct plugins *ps, int index, const char **kind)
{
    struct plugin *p = plugins_nth(ps, index);

    if (!p)
        return NULL;
    *kind = p->kind->name;
    return &p->handler;
}

static char *copy(const char *text)
{
    char *c = strdup(text ? text : "");

    if (!c)
        abort();
    return c;
}

static const char *const *copy_list(const char *const *list)
{
    size_t n = 0;
    char **out;

    while (list && list[n])
        n++;
    out = calloc(n + 1, sizeof *out);
    if (!out)
        abort();
    for (size_t i = 0; i < n; i++)
        out[i] = copy(list[i]);
    return (const char *const *)out;
}

/* All that is a text in its configuration, by name or as a list. */
static const size_t texts[] = {
    offsetof(struct engine_handler_conf, name),     offsetof(struct engine_handler_conf, place),
    offsetof(struct engine_handler_conf, url),      offsetof(struct engine_handler_conf, secret),
    offsetof(struct engine_handler_conf, ca_file),  offsetof(struct engine_handler_conf, user),
    offsetof(struct engine_handler_conf, password), offsetof(struct engine_handler_conf, from),
    offsetof(struct engine_handler_conf, subject),  offsetof(struct engine_handler_conf, file),
    offsetof(struct engine_handler_conf, options),
};
static const size_t lists[] = {
    offsetof(struct engine_handler_conf, on),
    offsetof(struct engine_handler_conf, command),
    offsetof(struct engine_handler_conf, to),
};

static void *member(struct engine_handler_conf *c, size_t offset)
{
    return (char *)c + offset;
}

static void copy_conf(struct engine_handler_conf *out, const struct engine_handler_conf *c)
{
    *out = *c;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char **at = member(out, texts[i]);

        *at = copy(*at);
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const char *const **at = member(out, lists[i]);

        *at = copy_list(*at);
    }
}

static void free_conf(struct engine_handler_conf *c)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(*(char **)member(c, texts[i]));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        char **list = *(char ***)member(c, lists[i]);

        for (size_t k = 0; list[k]; k++)
            free(list[k]);
        free(list);
    }
}

static unsigned events_of(const struct plugin *p, struct problems *problems)
{
    unsigned on = 0;

    for (int i = 0; p->conf.on[i]; i++) {
        int kind = 0;

        while (kind < ENGINE_ON_KINDS && strcmp(engine_on_names[kind], p->conf.on[i]) != 0)
            kind++;
        if (kind == ENGINE_ON_KINDS)
            problem(problems, "%s.on[%d]: there is no event \"%.40s\"", plugin_place(p), i, p->conf.on[i]);
        else
            on |= 1U << kind;
    }
    return on ? on : 1U << ENGINE_ON_MESSAGE;
}

static void check(struct plugins *ps, struct plugin *p, struct problems *problems)
{
    static const char *const taken[] = {"consent", "relay", "survey", "guard", "rules", "desk", "none"};

    if (!*p->conf.name)
        problem(problems, "%s: expected a name", plugin_place(p));
    if (plugins_find(ps, p->conf.name))
        problem(problems, "%s.name: there is another handler \"%.60s\"", plugin_place(p), p->conf.name);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (!strcmp(p->conf.name, taken[i]))
            problem(problems, "%s.name: \"%s\" is a built-in one", plugin_place(p), taken[i]);
    if (p->conf.asynchronous && (p->kind->at_once || p->kind->of_files))
        problem(problems, "%s.asynchronous: a handler of kind \"%s\" is never waited for", plugin_place(p),
                p->kind->name);
}

static struct plugin *plugin_new(const struct engine_handler_conf *c, const struct plugin_world *world)
{
    struct plugin *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    copy_conf(&p->conf, c);
    p->kind = kinds[c->kind];
    p->world = world;
    if (asprintf(&p->source, "handler:%s", p->conf.name) < 0)
        abort();
    plugin_begin(p);
    return p;
}

struct plugins *plugins_new(const struct engine_conf *conf, const struct plugin_world *world,
                            const struct program *program, struct problems *problems)
{
    struct plugins *ps = calloc(1, sizeof *ps);

    if (!ps || !(ps->list = calloc((size_t)conf->nhandlers + 1, sizeof *ps->list)))
        abort();
    ps->country = copy(conf->country);
    for (int i = 0; i < conf->nhandlers; i++) {
        struct plugin *p = plugin_new(&conf->handlers[i], world);

        p->country = ps->country;
        p->program = program;
        check(ps, p, problems);
        p->handler.on = events_of(p, problems);
        ps->list[ps->count++] = p;
        p->kind->open(p, problems);
    }
    return ps;
}

static void plugin_free(struct plugin *p)
{
    struct ask *a, *next;

    DL_FOREACH_SAFE(p->asks, a, next)
    {
        if (a->done)
            a->done(a, ERR_CANCELLED);
        plugin_cancel(a);
    }
    p->kind->close(p);
    free_conf(&p->conf);
    free(p->source);
    free(p);
}

void plugins_free(struct plugins *ps)
{
    if (!ps)
        return;
    for (int i = 0; i < ps->count; i++)
        plugin_free(ps->list[i]);
    free(ps->list);
    free(ps->country);
    free(ps);
}

/* ---- what kinds share -----------------------------------------------------------------------------------
 */

const char *plugin_place(const struct plugin *p)
{
    return *p->conf.place ? p->conf.place : "handlers";
}

char *plugin_secret(const struct plugin *p, const char *key, const char *text, struct problems *problems)
{
    char line[1024] = ""; /* as much as gateway.conf would take */
    struct err e = {0};
    FILE *f;

    if (strncmp(text, "file:", 5) != 0)
        return copy(text);
    f = fopen(text + 5, "re");
    if (!f) {
        err_errno(&e, "%s", text + 5);
        problem(problems, "%s.%s: %s", plugin_place(p), key, e.text);
        return NULL;
    }
    if (!fgets(line, sizeof line, f))
        line[0] = '\0';
    fclose(f);
    if (strlen(line) == sizeof line - 1) {
        problem(problems, "%s.%s: %s: its first line is too long", plugin_place(p), key, text + 5);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    if (!*line) {
        problem(problems, "%s.%s: %s: its first line is empty", plugin_place(p), key, text + 5);
        return NULL;
    }
    return copy(line);
}

/* ---- forwarding -------------------------------------------------------------------------------------------
 */

static struct plugin *target_of(struct plugins *ps, const char *target)
{
    if (strncmp(target, "mailto:", 7) != 0)
        return plugins_find(ps, target);
    for (int i = 0; i < ps->count; i++)
        if (ps->list[i]->kind == &plugin_mail)
            return ps->list[i];
    return NULL;
}

int plugins_can_forward(struct plugins *ps, const char *target, struct err *e)
{
    struct plugin *p = target_of(ps, target);

    if (!p && !strncmp(target, "mailto:", 7))
        return err_set(e, ERR_NOT_FOUND, "\"%s\": expected a handler of kind \"mail\" too, which sends it",
                       target);
    if (!p)
        return err_set(e, ERR_NOT_FOUND, "there is no handler \"%s\"", target);
    if (p->kind->of_files || p->kind->at_once)
        return err_set(e, ERR_INVALID, "handler \"%s\" is one of kind \"%s\": nothing is forwarded to it",
                       target, p->kind->name);
    if (p->kind == &plugin_mail && strpbrk(target, "\r\n<> \t,"))
        return err_set(e, ERR_INVALID, "\"%s\": expected one address", target);
    return 0;
}

bool plugins_forward(struct plugins *ps, const char *target, const struct handler_event *ev,
                     struct verdict *v)
{
    struct plugin *p = target_of(ps, target);

    return p && plugin_forward(p, ev, target, v);
}
