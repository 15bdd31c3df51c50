/* Templates: text with {{value|default}} in it, checked when it is loaded, filled in at run time.
 *
 * "{{{{" is a literal "{{". Values are data: braces in what a customer wrote are never looked at.
 */
#ifndef SIMGATE_ENGINE_TEMPLATE_H
#define SIMGATE_ENGINE_TEMPLATE_H

#include "base/hours.h"
#include "engine/handler.h"
#include "engine/pattern.h"

/* The values: gateway.name, message.text, message.from, message.id, message.time, modem.name, keyword (as
 * configured, of the rule that matched), match.0 (what the rule's pattern matched), match.NAME. */

/* Where a template will be used. */
struct template_scope {
    const struct pattern *pattern; /* the rule's; NULL none */
    bool
        shared; /* by several rules: a match.NAME that this pattern lacks is allowed where it has a default */
    bool unbound; /* no rule is known: any match.NAME is allowed */
};

struct template;

/* ERR_INVALID with what is wrong and where; copies text. */
int template_new(const char *text, const struct template_scope *scope, struct template **out, struct err *e);
void template_free(struct template *t);

struct template_values {
    const char *business;
    const struct handler_event *event;
    const struct pattern *pattern; /* after its match; NULL none */
    const char *keyword;           /* NULL none */
    const char *person;            /* who acts or is told; NULL: the conversation's assignee */
    const struct hours *hours;     /* for hours.next; NULL: always open */
    const struct zone *zone;       /* for times; NULL: the system's */
    const char *language;          /* wanted; NULL: the contact's, else the text's */
    int survey_min, survey_max;    /* both 0: no survey */
};

/* Appends. A value that is empty or missing gives its default; the first that is missing and has none is
 * returned ("contact.name"; `out` is then as it was before), NULL: there is none. */
const char *template_render(const struct template *t, const struct template_values *v, struct buf *out);

#endif
