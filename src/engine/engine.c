/* The engine as an object: configuration and templates in. What receives messages and events is flow.c, their
 * trial trial.c; everything here and below works without a gateway and a store.
 */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/private.h"
#include "engine/rules.h"

int engine_new(struct rt *rt, const struct engine_conf *conf,
               void (*problem_fn)(void *owner, const char *text), void *owner, struct engine **out)
{
    struct engine *en = calloc(1, sizeof *en);

    if (!en)
        abort();
    *out = NULL;
    en->rt = en->world.rt = rt;
    en->shelf = shelf_new();
    en->program = program_new(conf, &en->world, en->shelf, problem_fn, owner);
    if (!en->program) {
        engine_free(en);
        return ERR_INVALID;
    }
    *out = en;
    return 0;
}

void engine_set_world(struct engine *en, const struct engine_world *w)
{
    en->world.children = w->children;
    en->world.transfers = w->transfers;
}

int engine_reconfigure(struct engine *en, const struct engine_conf *conf,
                       void (*problem_fn)(void *owner, const char *text), void *owner)
{
    struct program *p = program_new(conf, &en->world, en->shelf, problem_fn, owner);

    if (!p)
        return ERR_INVALID;
    /* Walks under way hold the old one. */
    program_unref(en->program);
    en->program = p;
    if (en->reconfigured)
        en->reconfigured(en);
    return 0;
}

void engine_free(struct engine *en)
{
    if (!en)
        return;
    if (en->detach)
        en->detach(en);
    program_unref(en->program);
    shelf_free(en->shelf);
    free(en);
}

const struct program *engine_program(const struct engine *en)
{
    return en->program;
}

void engine_guard_ask(const struct engine *en, int64_t now_wall_ms, struct store_situation *k)
{
    guard_ask(&en->program->guard, now_wall_ms, k);
}

/* ---- templates of the store -----------------------------------------------------------------------------
 */

int engine_put_template(struct engine *en, const char *name, const char *language, const char *text,
                        struct err *e)
{
    if (text)
        return shelf_put(en->shelf, name, language, text, e);
    shelf_remove(en->shelf, name, language);
    return 0;
}

const struct template *engine_template(const struct engine *en, const char *name, bool *configured)
{
    const struct template *t = program_template(en->program, name);

    *configured = t != NULL;
    return t ? t : shelf_find(en->shelf, name);
}

const char *engine_template_at(const struct engine *en, int index, int *max_segments)
{
    if (index >= en->program->ntemplates)
        return NULL;
    *max_segments = en->program->templates[index].max_segments;
    return en->program->templates[index].name;
}

int engine_render(struct engine *en, const char *text, const struct store_situation *known,
                  const char *language, struct buf *out, struct err *e)
{
    struct template_scope scope = {.unbound = true};
    struct handler_event ev = {.on = ENGINE_ON_MESSAGE,
                               .now_wall_ms = en->rt ? rt_wall_ms(en->rt) : 0,
                               .from = known->contact.number,
                               .modem = known->conv.sim,
                               .name = "",
                               .key = "",
                               .known = known,
                               .conversation = known->conv.id};
    struct template_values values;
    struct template *own = NULL;
    const struct template *t;
    const char *missing;
    bool configured;

    if (*text == '@' && template_name_good(text + 1)) {
        t = engine_template(en, text + 1, &configured);
        if (!t)
            return err_set(e, ERR_NOT_FOUND, "there is no template \"%.60s\"", text + 1);
    } else if (template_new(text, &scope, &own, e) != 0) {
        return ERR_INVALID;
    } else {
        t = own;
    }
    program_values(en->program, &ev, &values);
    values.language = language;
    missing = template_render(t, &values, out);
    if (missing)
        err_set(e, ERR_REFUSED, "no value for %.60s, which has no default", missing);
    template_free(own);
    return missing ? ERR_REFUSED : 0;
}
