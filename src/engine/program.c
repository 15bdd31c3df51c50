/* gateway.conf's engine part to handlers, with all errors at once. See engine/program.h. */
#include "engine/program.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

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

/* ---- templates ------------------------------------------------------------------------------------------
 */

/* "@NAME", all of it: other texts may well begin with '@'. */
static const char *template_name(const char *reply)
{
    const char *name = reply + 1;

    if (*reply != '@' || *name == '\0')
        return NULL;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_-*.", *c))
            return NULL;
    return name;
}

static const struct engine_template_conf *template_find(const struct engine_conf *conf, const char *name)
{
    for (int i = 0; i < conf->ntemplates; i++)
        if (conf->templates[i].name && strcmp(conf->templates[i].name, name) == 0)
            return &conf->templates[i];
    return NULL;
}

static void no_template(const struct engine_conf *conf, const char *name, const char *place,
                        struct problems *p)
{
    struct buf known = {0};

    for (int i = 0; i < conf->ntemplates; i++)
        buf_addf(&known, "%s%s", i > 0 ? ", " : "", conf->templates[i].name ? conf->templates[i].name : "");
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

struct template *compile_reply(const struct engine_conf *conf, const char *reply, const char *place,
                               const struct template_scope *scope, struct problems *p)
{
    struct template_scope in = *scope;
    const char *name = template_name(reply);
    const struct engine_template_conf *tc = NULL;
    struct template *t = NULL;
    struct err e = {0};

    if (name) {
        tc = template_find(conf, name);
        in.shared = true;
        if (!tc)
            no_template(conf, name, place, p);
        if (!tc || !tc->text || !template_is_sound(tc->text))
            return NULL;
    }
    if (template_new(tc ? tc->text : reply, &in, &t, &e) != 0)
        problem(p, "%s: %s%s%s%s", place, tc ? "template \"" : "", tc ? name : "", tc ? "\": " : "", e.text);
    return t;
}

static void check_template(const struct engine_conf *conf, int index, struct problems *p)
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
    if (template_find(conf, tc->name) != tc)
        problem(p, "%s: there is another template \"%s\"", place, tc->name);
    if (template_new(tc->text, &scope, &t, &e) != 0)
        problem(p, "%s: %s", place, e.text);
    template_free(t);
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
                            p->rules.list[i].place, k, keywords[k]);
    }
}

struct program *program_new(const struct engine_conf *conf, void (*tell)(void *owner, const char *text),
                            void *owner)
{
    struct problems problems = {tell, owner, 0};
    struct program *p = calloc(1, sizeof *p);

    if (!p || !(p->business = strdup(conf->business ? conf->business : "")))
        abort();
    p->fold = fold_new();
    if (!p->fold) {
        problem(&problems, "rules: the C library lacks its locale C.UTF-8");
        program_free(p);
        return NULL;
    }
    for (int i = 0; i < conf->ntemplates; i++)
        check_template(conf, i, &problems);
    consent_compile(&p->consent, conf, p->fold, &problems);
    guard_compile(&p->guard, conf, &problems);
    sensitive_compile(&p->sensitive, conf, &problems);
    rules_compile(&p->rules, conf, p->fold, &problems);
    p->consent.business = p->rules.business = p->business;
    p->chain[0] = &p->consent.handler;
    p->chain[1] = &p->guard.handler;
    p->chain[2] = &p->rules.handler;
    if (problems.count == 0) {
        if (tell) /* the configuration is being read, not only used again */
            warn_of_taken_keywords(p, conf);
        return p;
    }
    program_free(p);
    return NULL;
}

void program_free(struct program *p)
{
    if (!p)
        return;
    consent_fini(&p->consent);
    sensitive_fini(&p->sensitive);
    rules_fini(&p->rules);
    fold_free(p->fold);
    free(p->business);
    free(p);
}
