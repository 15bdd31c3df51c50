/* Templates: compiled to a list of literals and values. See engine/template.h. */
#include "engine/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

enum { SCRATCH_BYTES = 40, MS_PER_S = 1000 };

/* ---- values ---------------------------------------------------------------------------------------------
 */

/* `arg` is what follows the name of a family ("match."), scratch is room for what has to be written. */
typedef struct span (*value_get)(const struct template_values *v, const char *arg,
                                 char scratch[SCRATCH_BYTES]);

static struct span text_span(const char *text)
{
    return text ? (struct span){text, strlen(text)} : (struct span){0};
}

static struct span get_gateway_name(const struct template_values *v, const char *arg, char *scratch)
{
    (void)arg, (void)scratch;
    return text_span(v->business);
}

static struct span get_message_text(const struct template_values *v, const char *arg, char *scratch)
{
    (void)arg, (void)scratch;
    return v->event->text;
}

static struct span get_message_from(const struct template_values *v, const char *arg, char *scratch)
{
    (void)arg, (void)scratch;
    return text_span(v->event->from);
}

static struct span get_message_id(const struct template_values *v, const char *arg, char *scratch)
{
    (void)arg;
    if (v->event->id == 0)
        return (struct span){0};
    snprintf(scratch, SCRATCH_BYTES, "%lld", (long long)v->event->id);
    return text_span(scratch);
}

/* As people write it: local time, to the minute. */
static struct span get_message_time(const struct template_values *v, const char *arg, char *scratch)
{
    time_t at_s = (time_t)(v->event->wall_ms / MS_PER_S);
    struct tm tm;

    (void)arg;
    if (v->event->wall_ms <= 0 || !localtime_r(&at_s, &tm) ||
        strftime(scratch, SCRATCH_BYTES, "%Y-%m-%d %H:%M", &tm) == 0)
        return (struct span){0};
    return text_span(scratch);
}

static struct span get_modem_name(const struct template_values *v, const char *arg, char *scratch)
{
    (void)arg, (void)scratch;
    return text_span(v->event->modem);
}

static struct span get_keyword(const struct template_values *v, const char *arg, char *scratch)
{
    (void)arg, (void)scratch;
    return text_span(v->keyword);
}

static struct span get_match(const struct template_values *v, const char *arg, char *scratch)
{
    struct span found = {0};

    (void)scratch;
    if (v->pattern)
        pattern_group(v->pattern, arg, &found);
    return found;
}

/* A name that ends in '.' is a family: what follows it is the argument. */
static const struct value {
    const char *name;
    value_get get;
} values[] = {
    {"gateway.name", get_gateway_name}, {"message.text", get_message_text},
    {"message.from", get_message_from}, {"message.id", get_message_id},
    {"message.time", get_message_time}, {"modem.name", get_modem_name},
    {"keyword", get_keyword},           {"match.", get_match},
};
enum { VALUES = sizeof values / sizeof values[0] };

static const struct value *value_find(const char *name, const char **arg)
{
    for (int i = 0; i < VALUES; i++) {
        size_t len = strlen(values[i].name);
        bool family = values[i].name[len - 1] == '.';

        *arg = name + len;
        if (family ? strncmp(name, values[i].name, len) == 0 && **arg != '\0'
                   : strcmp(name, values[i].name) == 0)
            return &values[i];
    }
    return NULL;
}

/* ---- compiling ------------------------------------------------------------------------------------------
 */

/* A literal (value NULL), or a value with its default, in `text`. */
struct op {
    const struct value *value;
    const char *arg;
    struct span text;
};

struct template
{
    char *source; /* the literals point into it */
    struct op *ops;
    int nops;
};

static struct op *add_op(struct template *t)
{
    t->ops = reallocarray(t->ops, (size_t)t->nops + 1, sizeof *t->ops);
    if (!t->ops)
        abort();
    t->ops[t->nops] = (struct op){0};
    return &t->ops[t->nops++];
}

static void add_literal(struct template *t, const char *at, size_t len)
{
    if (len > 0)
        add_op(t)->text = (struct span){at, len};
}

static char *trim(char *at, char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    return at;
}

static int unknown_value(const char *name, struct err *e)
{
    char known[ERR_TEXT_BYTES] = "";

    for (int i = 0; i < VALUES; i++) {
        size_t len = strlen(known);

        snprintf(known + len, sizeof known - len, "%s%s%s", i > 0 ? ", " : "", values[i].name,
                 values[i].get == get_match ? "NAME" : "");
    }
    return err_set(e, ERR_INVALID, "unknown value \"%.60s\": expected one of %s", name, known);
}

struct names {
    char list[200];
};

static void add_name(void *owner, const char *name)
{
    struct names *n = owner;
    size_t len = strlen(n->list);

    snprintf(n->list + len, sizeof n->list - len, ", match.%s", name);
}

static int check_match(const char *group, bool has_default, const struct template_scope *scope, struct err *e)
{
    struct names names = {""};

    if (scope->unbound || (scope->shared && has_default))
        return 0;
    if (!scope->pattern)
        return err_set(e, ERR_INVALID, "value \"match.%.60s\" where there is no pattern", group);
    if (pattern_has_group(scope->pattern, group))
        return 0;
    pattern_each_name(scope->pattern, add_name, &names);
    return err_set(e, ERR_INVALID, "the pattern has no group \"%.60s\": expected one of match.0%s", group,
                   names.list);
}

/* What stands between the braces. */
static int add_value(struct template *t, char *at, char *end, const struct template_scope *scope,
                     struct err *e)
{
    char *bar = memchr(at, '|', (size_t)(end - at));
    char *fallback = bar ? trim(bar + 1, end) : end;
    char *name = trim(at, bar ? bar : end);
    const char *arg;
    const struct value *value = value_find(name, &arg);
    struct op *op;
    int rc;

    if (!value)
        return unknown_value(name, e);
    if (value->get == get_match && (rc = check_match(arg, bar != NULL, scope, e)) != 0)
        return rc;
    op = add_op(t);
    *op = (struct op){.value = value, .arg = arg};
    if (bar)
        op->text = text_span(fallback);
    return 0;
}

static int compile(struct template *t, const struct template_scope *scope, struct err *e)
{
    char *at = t->source, *open, *close;
    int rc;

    while ((open = strstr(at, "{{"))) {
        add_literal(t, at, (size_t)(open - at));
        if (strncmp(open, "{{{{", 4) == 0) {
            add_literal(t, open, 2);
            at = open + 4;
            continue;
        }
        close = strstr(open, "}}");
        if (!close)
            return err_set(e, ERR_INVALID, "\"{{\" at offset %td is not closed by \"}}\"", open - t->source);
        rc = add_value(t, open + 2, close, scope, e);
        if (rc != 0)
            return rc;
        at = close + 2;
    }
    add_literal(t, at, strlen(at));
    return 0;
}

int template_new(const char *text, const struct template_scope *scope, struct template **out, struct err *e)
{
    struct template *t;
    int rc;

    *out = NULL;
    if (!utf8_valid(text, strlen(text)))
        return err_set(e, ERR_INVALID, "not UTF-8");
    t = calloc(1, sizeof *t);
    if (!t || !(t->source = strdup(text)))
        abort();
    rc = compile(t, scope, e);
    if (rc != 0)
        template_free(t);
    else
        *out = t;
    return rc;
}

void template_free(struct template *t)
{
    if (!t)
        return;
    free(t->ops);
    free(t->source);
    free(t);
}

const char *template_render(const struct template *t, const struct template_values *v, struct buf *out)
{
    char scratch[SCRATCH_BYTES];

    for (int i = 0; i < t->nops; i++) {
        const struct op *op = &t->ops[i];
        struct span s = op->value ? op->value->get(v, op->arg, scratch) : op->text;

        if (s.len == 0)
            s = op->text;
        if (s.len > 0)
            buf_add(out, s.at, s.len);
    }
    return NULL;
}
