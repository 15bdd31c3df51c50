/* gateway.conf's engine part to handlers, with all errors at once. See engine/program.h. */
#include "engine/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/util.h"
#include "engine/plugins.h"
#include "engine/rules.h"
#include "engine/template_private.h"

void problem(struct problems *p, const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    utf8_mend(line);
    p->count++;
    if (p->tell)
        p->tell(p->owner, line);
}

const char *conf_prefix(const struct engine_conf *conf, char out[PLACE_BYTES])
{
    snprintf(out, PLACE_BYTES, "%s%s", conf->file ? conf->file : "", conf->file ? ": " : "");
    return out;
}

static char *copy(const char *text)
{
    char *s = strdup(text ? text : "");

    if (!s)
        abort();
    return s;
}

/* ---- templates ------------------------------------------------------------------------------------------
 */

/* "@NAME", all of it: other texts may well begin with '@'. */
static const char *template_name(const char *reply)
{
    return *reply == '@' && template_name_good(reply + 1) ? reply + 1 : NULL;
}

static const struct engine_template_conf *template_find(const struct engine_conf *conf, const char *name)
{
    for (int i = 0; i < conf->ntemplates; i++)
        if (conf->templates[i].name && strcmp(conf->templates[i].name, name) == 0)
            return &conf->templates[i];
    return NULL;
}

static const char *language_of_conf(const struct engine_template_conf *tc)
{
    return tc->language ? tc->language : "";
}

static void no_template(const struct engine_conf *conf, const char *name, const char *place,
                        struct problems *p)
{
    struct buf known = {0};

    for (int i = 0; i < conf->ntemplates; i++)
        if (conf->templates[i].name && template_find(conf, conf->templates[i].name) == &conf->templates[i])
            buf_addf(&known, "%s%s", known.len ? ", " : "", conf->templates[i].name);
    problem(p, "%s: no template \"%.60s\": expected %s%.300s", place, name,
            conf->ntemplates ? "one of " : "templates = { … } with it", buf_str(&known));
    buf_free(&known);
}

/* A template that is broken in itself has been told of at its own place. */
static bool template_is_sound(const char *text)
{
    struct template_scope scope = {.unbound = true};
    struct template *t;
    int rc = template_new(text, &scope, &t, NULL);

    template_free(t);
    return rc == 0;
}

static bool is_stored(const struct engine_conf *conf, const char *name)
{
    return (conf->stored && conf->stored(conf->stored_owner, name)) ||
           (conf->shelf && shelf_find(conf->shelf, name));
}

/* The template of gateway.conf in all its languages. */
static struct template *compile_named(const struct engine_conf *conf, const char *name, const char *place,
                                      const struct template_scope *scope, struct problems *p)
{
    struct template *t = NULL;

    for (int i = 0; i < conf->ntemplates; i++) {
        const struct engine_template_conf *tc = &conf->templates[i];
        struct err e = {0};
        int rc;

        if (!tc->name || strcmp(tc->name, name) != 0 || !tc->text || !template_is_sound(tc->text))
            continue;
        t = t ? t : template_empty();
        rc = template_add(t, language_of_conf(tc), tc->text, scope, &e);
        if (rc == 0)
            continue;
        problem(p, "%s: template \"%s\"%s%s: %s", place, name, *language_of_conf(tc) ? " in " : "",
                language_of_conf(tc), e.text);
        template_free(t);
        return NULL;
    }
    return t;
}

struct template *compile_reply(const struct engine_conf *conf, const char *reply, const char *place,
                               const struct template_scope *scope, struct problems *p)
{
    struct template_scope in = *scope;
    const char *name = template_name(reply);
    struct template *t = NULL;
    struct err e = {0};

    if (!name) {
        if (template_new(reply, &in, &t, &e) != 0)
            problem(p, "%s: %s", place, e.text);
        return t;
    }
    in.shared = true;
    if (template_find(conf, name))
        return compile_named(conf, name, place, &in, p);
    if (is_stored(conf, name))
        return template_by_name(conf->shelf, name);
    no_template(conf, name, place, p);
    return NULL;
}

/* As it stands, for people who look at it: no rule is known. */
static void keep_template(struct program *p, const struct engine_conf *conf,
                          const struct engine_template_conf *tc)
{
    struct template_scope scope = {.unbound = true};
    struct problems quiet = {0};
    struct named_template *n;

    if (program_template(p, tc->name))
        return;
    p->templates = reallocarray(p->templates, (size_t)p->ntemplates + 1, sizeof *p->templates);
    if (!p->templates)
        abort();
    n = &p->templates[p->ntemplates++];
    *n = (struct named_template){.name = copy(tc->name),
                                 .place = copy(tc->place ? tc->place : "templates"),
                                 .max_segments = tc->max_segments,
                                 .template = compile_named(conf, tc->name, "", &scope, &quiet)};
}

const struct template *program_template(const struct program *p, const char *name)
{
    for (int i = 0; i < p->ntemplates; i++)
        if (strcmp(p->templates[i].name, name) == 0)
            return p->templates[i].template;
    return NULL;
}

static void check_template(struct program *program, const struct engine_conf *conf, int index,
                           struct problems *p)
{
    const struct engine_template_conf *tc = &conf->templates[index];
    const char *place = tc->place ? tc->place : "templates";
    struct template_scope scope = {.unbound = true};
    struct template *t;
    struct err e = {0};

    if (!tc->name || *tc->name == '\0' || !tc->text) {
        problem(p, "%s: expected a name and a text", place);
        return;
    }
    for (int i = 0; i < index; i++)
        if (conf->templates[i].name && strcmp(conf->templates[i].name, tc->name) == 0 &&
            strcasecmp(language_of_conf(&conf->templates[i]), language_of_conf(tc)) == 0)
            problem(p, "%s: there is another template \"%s\"", place, tc->name);
    if (template_new(tc->text, &scope, &t, &e) != 0)
        problem(p, "%s: %s", place, e.text);
    else
        keep_template(program, conf, tc);
    template_free(t);
}

/* ---- what the program knows of an event -----------------------------------------------------------------
 */

const char *program_language(const struct program *p, const struct handler_event *ev)
{
    const char *of_text =
        ev->text.len > 0 && ev->on == ENGINE_ON_MESSAGE ? language_of(p->language, ev->text) : "";

    /* "pt" of the text is "pt-BR" where the contact's is */
    return *of_text && !language_matches(of_text, ev->known->contact.language) ? of_text
                                                                               : ev->known->contact.language;
}

const struct hours *program_hours(const struct program *p, const struct handler_event *ev)
{
    return staff_hours(&p->staff, ev->known->conv.department);
}

bool program_begins(const struct program *p, const struct handler_event *ev)
{
    const struct store_situation *k = ev->known;

    if (k->conv.id)
        return false;
    return !k->last.id || k->last.state != CONV_CLOSED ||
           ev->now_wall_ms - k->last.closed_wall_ms >= p->reopen_ms;
}

void program_values(const struct program *p, const struct handler_event *ev, struct template_values *out)
{
    *out = (struct template_values){.business = p->business,
                                    .event = ev,
                                    .fold = p->fold,
                                    .hours = program_hours(p, ev),
                                    .zone = p->staff.zone,
                                    .survey_min = p->survey.on ? p->survey.min : 0,
                                    .survey_max = p->survey.on ? p->survey.max : 0};
}

bool program_reply(const struct program *p, const struct handler_event *ev, const struct template *t,
                   const char *source, struct verdict *v)
{
    struct template_values values;
    struct verdict_reply *r = t ? verdict_reply(v, source, false) : NULL;
    char text[MSG_REASON_BYTES];
    const char *missing;

    if (!r)
        return false;
    program_values(p, ev, &values);
    missing = template_render(t, &values, &r->text);
    if (missing) {
        snprintf(text, sizeof text, "%.60s: reply held, no value for %.60s", source, missing);
        verdict_flag(v, ev, text);
    }
    if (!missing && r->text.len > 0)
        return true;
    verdict_unreply(v);
    return false;
}

/* ---- the chain ------------------------------------------------------------------------------------------
 */

static struct handler *chain_find(struct program *p, const char *name)
{
    struct handler *const own[] = {&p->consent.handler, &p->survey.handler, &p->guard.handler,
                                   &p->rules->handler};

    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (own[i]->name && strcmp(own[i]->name, name) == 0)
            return own[i];
    return plugins_handler(p->plugins, name);
}

static bool is_own(const struct program *p, const struct handler *h)
{
    return h == &p->relay.handler || h == &p->consent.handler || h == &p->survey.handler ||
           h == &p->guard.handler || h == &p->rules->handler;
}

static void chain_add(struct program *p, struct handler *h)
{
    int n = 0, tried = 0;

    while (p->chain && p->chain[n])
        n++;
    while (p->trial && p->trial[tried])
        tried++;
    p->chain = reallocarray(p->chain, (size_t)n + 2, sizeof p->chain[0]);
    p->trial = reallocarray(p->trial, (size_t)n + 2, sizeof p->trial[0]);
    if (!p->chain || !p->trial)
        abort();
    p->chain[n] = h;
    p->chain[n + 1] = NULL;
    p->trial[tried] = is_own(p, h) ? h : NULL;
    p->trial[tried + (p->trial[tried] != NULL)] = NULL;
}

static bool in_chain(const struct program *p, const struct handler *h)
{
    for (int i = 0; p->chain && p->chain[i]; i++)
        if (p->chain[i] == h)
            return true;
    return false;
}

static void chain_as_said(struct program *p, const struct engine_conf *conf, struct problems *problems)
{
    char file[PLACE_BYTES];

    for (int i = 0; conf->chain[i]; i++) {
        struct handler *h = chain_find(p, conf->chain[i]);

        if (!h && strcmp(conf->chain[i], "relay") != 0)
            problem(problems,
                    "%schain[%d]: no handler \"%.60s\": expected consent, survey, guard, rules or the name "
                    "of one of handlers",
                    conf_prefix(conf, file), i, conf->chain[i]);
        else if (h && in_chain(p, h))
            problem(problems, "%schain[%d]: \"%.60s\" is asked once only", conf_prefix(conf, file), i,
                    conf->chain[i]);
        else if (h)
            chain_add(p, h);
    }
    if (!in_chain(p, &p->consent.handler) || !in_chain(p, &p->guard.handler))
        problem(problems,
                "%schain: expected \"consent\" and \"guard\" in it: nobody is texted against their will",
                conf_prefix(conf, file));
}

/* The relay is the first of every chain: staff's numbers are no customers'. Handlers that rules name are
 * asked by these only, unless gateway.conf's chain has them too. */
static void chain_compile(struct program *p, const struct engine_conf *conf, struct problems *problems)
{
    struct handler *h;

    chain_add(p, &p->relay.handler);
    if (conf->chain) {
        chain_as_said(p, conf, problems);
        return;
    }
    chain_add(p, &p->consent.handler);
    chain_add(p, &p->survey.handler);
    chain_add(p, &p->guard.handler);
    chain_add(p, &p->rules->handler);
    for (int i = 0; (h = plugins_at(p->plugins, i, NULL)); i++)
        if (h->decide && !rules_name(p->rules, h))
            chain_add(p, h);
}

unsigned program_on(const struct program *p)
{
    unsigned on = 0;
    struct handler *h;

    for (int i = 0; p->chain[i]; i++)
        if (p->chain[i] == &p->rules->handler || !is_own(p, p->chain[i]))
            on |= p->chain[i]->on;
    for (int i = 0; (h = plugins_at(p->plugins, i, NULL)); i++)
        on |= in_chain(p, h) ? h->on : 0;
    return on;
}

/* ---- all of it ------------------------------------------------------------------------------------------
 */

static void warn_of_taken_keywords(const struct program *p, const struct engine_conf *conf)
{
    for (int i = 0; i < conf->nrules; i++) {
        const char *const *keywords = conf->rules[i].keywords;

        for (int k = 0; keywords && keywords[k]; k++)
            if (consent_takes(&p->consent, keywords[k]))
                log_warning("engine",
                            "%s.keywords[%d]: \"%s\" alone is answered as STOP, START or HELP before this "
                            "rule sees it",
                            p->rules->list[i].place, k, keywords[k]);
    }
}

static void warn_of_long_templates(const struct program *p)
{
    const char *language;
    int segments;

    for (int i = 0; i < p->ntemplates; i++) {
        const struct named_template *n = &p->templates[i];

        for (int k = 0; n->max_segments > 0 && template_segments(n->template, k, &language, &segments); k++)
            if (segments > n->max_segments)
                log_warning("engine", "%s: its longest form%s%s needs %d segments, more than %d", n->place,
                            *language ? " in " : "", language, segments, n->max_segments);
    }
}

static void compile(struct program *p, const struct engine_conf *conf, const struct plugin_world *world,
                    struct problems *problems)
{
    for (int i = 0; i < conf->ntemplates; i++)
        check_template(p, conf, i, problems);
    p->language = language_new(p->fold);
    p->reopen_ms = conf->desk.reopen_ms;
    p->lists = lists_new(conf, problems);
    staff_compile(&p->staff, conf, p->fold, problems);
    p->plugins = plugins_new(conf, world, p, problems);
    consent_compile(&p->consent, conf, p->fold, problems);
    guard_compile(&p->guard, conf, problems);
    sensitive_compile(&p->sensitive, conf, problems);
    p->consent.business = p->business;
    rules_compile(p, conf, problems);
    relay_compile(&p->relay, conf, p, world);
    survey_compile(&p->survey, conf, p, problems);
    answers_compile(&p->answers, conf, p, problems);
    objectives_compile(&p->objectives, conf, &p->staff, problems);
    p->keep.contacts_ms = conf->desk.keep_contacts_ms;
    p->keep.messages_ms = conf->desk.keep_messages_ms;
    p->keep.raw_ms = conf->desk.keep_raw_ms;
    chain_compile(p, conf, problems);
}

struct program *program_new(const struct engine_conf *conf, const struct plugin_world *world,
                            const struct shelf *shelf, void (*tell)(void *owner, const char *text),
                            void *owner)
{
    struct problems problems = {tell, owner, 0};
    struct engine_conf with = *conf;
    struct program *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    with.shelf = p->shelf = shelf;
    p->refs = 1;
    p->business = copy(conf->business);
    p->country = copy(conf->country);
    p->fold = fold_new();
    if (p->fold)
        compile(p, &with, world, &problems);
    else
        problem(&problems, "rules: the C library lacks its locale C.UTF-8");
    if (problems.count == 0) {
        if (tell) { /* the configuration is being read, not only used again */
            warn_of_taken_keywords(p, conf);
            warn_of_long_templates(p);
        }
        return p;
    }
    program_unref(p);
    return NULL;
}

struct program *program_ref(struct program *p)
{
    p->refs++;
    return p;
}

void program_unref(struct program *p)
{
    if (!p || --p->refs > 0)
        return;
    for (int i = 0; i < p->ntemplates; i++) {
        free(p->templates[i].name);
        free(p->templates[i].place);
        template_free(p->templates[i].template);
    }
    free(p->templates);
    free(p->chain);
    free(p->trial);
    relay_fini(&p->relay);
    survey_fini(&p->survey);
    answers_fini(&p->answers);
    objectives_fini(&p->objectives);
    rules_free(p->rules);
    plugins_free(p->plugins);
    sensitive_fini(&p->sensitive);
    consent_fini(&p->consent);
    staff_fini(&p->staff);
    lists_free(p->lists);
    language_free(p->language);
    fold_free(p->fold);
    free(p->country);
    free(p->business);
    free(p);
}
