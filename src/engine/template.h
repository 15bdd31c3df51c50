/* Templates: text with {{value:filter|default}} in it, checked when it is loaded, filled in at run time; one
 * text for each language.
 *
 *      {{contact.name:first_word|there}}   {{message.time:date %d.%m. %H:%M}}   {{match.order}}
 *
 * "{{{{" is a literal "{{". Values are data: braces in what a customer wrote are never looked at.
 * simgate-rules(7) lists the values and filters.
 */
#ifndef SIMGATE_ENGINE_TEMPLATE_H
#define SIMGATE_ENGINE_TEMPLATE_H

#include "base/hours.h"
#include "engine/handler.h"
#include "engine/pattern.h"

/* Where a template will be used. */
struct template_scope {
    const struct pattern *pattern; /* the rule's; NULL none */
    bool
        shared; /* by several rules: a match.NAME that this pattern lacks is allowed where it has a default */
    bool unbound; /* no rule is known: any match.NAME is allowed */
};

struct template;
struct shelf;

/* A template of one text for every language. ERR_INVALID with what is wrong and where; copies text. */
int template_new(const char *text, const struct template_scope *scope, struct template **out, struct err *e);
/* Its text in a language; "" any other. What was added first is also taken where no language fits and there
 * is none for any. */
int template_add(struct template *t, const char *language, const char *text,
                 const struct template_scope *scope, struct err *e);
/* One that stands for whatever the shelf (borrowed) has by this name when it is rendered. */
struct template *template_by_name(const struct shelf *shelf, const char *name);
void template_free(struct template *t);

struct template_values {
    const char *business;
    const struct handler_event *event;
    const struct pattern *pattern; /* after its match; NULL none */
    const char *keyword;           /* NULL none */
    const char *person;            /* who acts or is told; NULL: the conversation's assignee */
    const struct fold *fold;       /* for upper and lower; NULL: ASCII only */
    const struct hours *hours;     /* for hours.next; NULL: always open */
    const struct zone *zone;       /* for times; NULL: the system's */
    const char *language;          /* wanted; NULL: the contact's, else the text's */
    int survey_min, survey_max;    /* both 0: no survey */
};

/* Appends. A value that is empty or missing gives its default; the first that is missing and has none is
 * returned ("contact.name"; `out` is then as it was before), NULL: there is none. Of "@NAME" that is not
 * there any more, the name is returned. */
const char *template_render(const struct template *t, const struct template_values *v, struct buf *out);

/* As long as it can become, each value as long as such values are: for counting segments. `language` of its
 * text, by index; false beyond the last. */
bool template_longest(const struct template *t, int index, const char **language, struct buf *out);

/* How many segments that is; false beyond the last. 0: more than can be sent. */
bool template_segments(const struct template *t, int index, const char **language, int *segments);

/* Does it stand for this name of the shelf? */
bool template_refers(const struct template *t, const char *name);

/* The text of a language as it was written, NULL: none. By name: of what the shelf has now. */
const char *template_source(const struct template *t, const char *language);

/* ---- templates that are kept in the store ---- */

/* By name and language; names in gateway.conf go before these. Outlives programs. */
struct shelf *shelf_new(void);
void shelf_free(struct shelf *s);
/* Adds or replaces. ERR_INVALID: what is wrong with name, language or text. */
int shelf_put(struct shelf *s, const char *name, const char *language, const char *text, struct err *e);
void shelf_remove(struct shelf *s, const char *name, const char *language);
const struct template *shelf_find(const struct shelf *s, const char *name);
/* A name that replies can say: letters, digits, '_', '-', '.'. */
bool template_name_good(const char *name);

#endif
