/* Templates: compiled to lists of literals and values, one for each language. See engine/template.h. */
#include "engine/template.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/language.h"
#include "engine/template_private.h"
#include "pdu/segment.h"

enum { OP_FILTERS = 4 };

/* A literal (value NULL), or a value with its filters and its default, in `text` (at NULL: none). */
struct op {
    const struct template_value *value;
    const char *name, *arg;
    const struct template_filter *filters[OP_FILTERS];
    const char *filter_args[OP_FILTERS];
    int nfilters;
    struct span text;
};

/* A text of one language. */
struct variant {
    char *language;
    char *written; /* as it was written */
    char *source;  /* the ops point into it */
    struct op *ops;
    int nops;
};

struct template
{
    struct variant *variants;
    int count;
    const struct shelf *shelf; /* by name: whatever it has */
    char *name;
};

static char *copy(const char *text)
{
    char *s = strdup(text);

    if (!s)
        abort();
    return s;
}

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static struct op *add_op(struct variant *t)
{
    t->ops = reallocarray(t->ops, (size_t)t->nops + 1, sizeof *t->ops);
    if (!t->ops)
        abort();
    t->ops[t->nops] = (struct op){0};
    return &t->ops[t->nops++];
}

static void add_literal(struct variant *t, const char *at, size_t len)
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
    char known[ERR_TEXT_BYTES];

    template_value_names(known, sizeof known);
    return err_set(e, ERR_INVALID, "unknown value \"%.60s\": expected one of %s", name, known);
}

static int unknown_filter(const char *name, struct err *e)
{
    char known[ERR_TEXT_BYTES];

    template_filter_names(known, sizeof known);
    return err_set(e, ERR_INVALID, "unknown filter \"%.60s\": expected one of %s", name, known);
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

/* Where the next filter begins: a ':' before a filter's name; others belong to a format ("%H:%M"). */
static char *next_filter(char *at)
{
    const char *arg;

    for (; (at = strchr(at, ':')); at++)
        if (template_filter_find(at + 1, &arg))
            return at;
    return NULL;
}

/* "upper", "date %H:%M" */
static int add_filter(struct op *op, char *text, char *end, struct err *e)
{
    const char *arg, *expected;
    const struct template_filter *f;

    text = trim(text, end);
    f = template_filter_find(text, &arg);
    if (!f || (!f->has_arg && *arg))
        return unknown_filter(text, e);
    arg += strspn(arg, " \t");
    expected = f->check ? f->check(arg) : NULL;
    if (expected)
        return err_set(e, ERR_INVALID, "filter \"%.60s\": %s", text, expected);
    if (op->nfilters == OP_FILTERS)
        return err_set(e, ERR_INVALID, "more than %d filters", OP_FILTERS);
    op->filters[op->nfilters] = f;
    op->filter_args[op->nfilters++] = arg;
    return 0;
}

static int add_filters(struct op *op, char *at, char *end, struct err *e)
{
    *end = '\0';
    for (;;) {
        char *next = next_filter(at);
        int rc = add_filter(op, at, next ? next : end, e);

        if (rc != 0 || !next)
            return rc;
        at = next + 1;
    }
}

/* What stands between the braces. */
static int add_value(struct variant *t, char *at, char *end, const struct template_scope *scope,
                     struct err *e)
{
    char *bar = memchr(at, '|', (size_t)(end - at));
    char *fallback = bar ? trim(bar + 1, end) : NULL;
    char *name_end = bar ? bar : end;
    char *colon = memchr(at, ':', (size_t)(name_end - at));
    char *name = trim(at, colon ? colon : name_end);
    struct op op = {.name = name};
    int rc;

    op.value = template_value_find(name, &op.arg);
    if (!op.value)
        return unknown_value(name, e);
    if (strcmp(op.value->name, "match.") == 0 && (rc = check_match(op.arg, bar != NULL, scope, e)) != 0)
        return rc;
    if (colon && (rc = add_filters(&op, colon + 1, name_end, e)) != 0)
        return rc;
    if (bar)
        op.text = (struct span){fallback, strlen(fallback)};
    *add_op(t) = op;
    return 0;
}

static int compile(struct variant *t, const struct template_scope *scope, struct err *e)
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

static void variant_fini(struct variant *v)
{
    free(v->language);
    free(v->written);
    free(v->source);
    free(v->ops);
}

int template_add(struct template *t, const char *language, const char *text,
                 const struct template_scope *scope, struct err *e)
{
    struct variant v = {0};
    int rc;

    if (!utf8_valid(text, strlen(text)))
        return err_set(e, ERR_INVALID, "not UTF-8");
    v.language = copy(language);
    v.written = copy(text);
    v.source = copy(text);
    rc = compile(&v, scope, e);
    if (rc != 0) {
        variant_fini(&v);
        return rc;
    }
    t->variants = reallocarray(t->variants, (size_t)t->count + 1, sizeof *t->variants);
    if (!t->variants)
        abort();
    t->variants[t->count++] = v;
    return 0;
}

struct template *template_empty(void)
{
    struct template *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    return t;
}

int template_new(const char *text, const struct template_scope *scope, struct template **out, struct err *e)
{
    struct template *t = template_empty();
    int rc;

    *out = NULL;
    rc = template_add(t, "", text, scope, e);
    if (rc != 0)
        template_free(t);
    else
        *out = t;
    return rc;
}

struct template *template_by_name(const struct shelf *shelf, const char *name)
{
    struct template *t = template_empty();

    t->shelf = shelf;
    t->name = copy(name);
    return t;
}

void template_free(struct template *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->count; i++)
        variant_fini(&t->variants[i]);
    free(t->variants);
    free(t->name);
    free(t);
}

bool template_take(struct template *t, const char *language)
{
    for (int i = 0; i < t->count; i++) {
        if (strcasecmp(t->variants[i].language, language) != 0)
            continue;
        variant_fini(&t->variants[i]);
        memmove(&t->variants[i], &t->variants[i + 1], (size_t)(t->count - i - 1) * sizeof t->variants[0]);
        t->count--;
        break;
    }
    return t->count > 0;
}

static int by_language(const void *a, const void *b)
{
    const struct variant *one = a, *other = b;

    return strcmp(one->language, other->language);
}

void template_sort(struct template *t)
{
    qsort(t->variants, (size_t)t->count, sizeof t->variants[0], by_language);
}

/* ---- rendering ------------------------------------------------------------------------------------------
 */

/* The template that is meant: a name's on the shelf. NULL: it is not there. */
static const struct template *meant(const struct template *t)
{
    return t->shelf ? shelf_find(t->shelf, t->name) : t;
}

static const struct variant *in_language(const struct template *t, const char *language)
{
    size_t primary = strcspn(language, "-");

    if (!*language)
        return NULL;
    for (int i = 0; i < t->count; i++)
        if (strcasecmp(t->variants[i].language, language) == 0)
            return &t->variants[i];
    for (int i = 0; i < t->count; i++)
        if (strncasecmp(t->variants[i].language, language, primary) == 0 &&
            t->variants[i].language[primary] == '\0')
            return &t->variants[i];
    for (int i = 0; i < t->count; i++) /* Portuguese is read by who is known to read it elsewhere */
        if (strncasecmp(t->variants[i].language, language, primary) == 0 &&
            t->variants[i].language[primary] == '-')
            return &t->variants[i];
    return NULL;
}

static const struct variant *any_language(const struct template *t)
{
    for (int i = 0; i < t->count; i++)
        if (!*t->variants[i].language)
            return &t->variants[i];
    return t->count > 0 ? &t->variants[0] : NULL;
}

/* The language wanted, the contact's, the text's, any. */
static const struct variant *choose(const struct template *t, const struct template_values *v)
{
    const struct variant *found = NULL;

    if (t->count < 2)
        return any_language(t);
    if (v->language)
        found = in_language(t, v->language);
    if (!found && v->event->known)
        found = in_language(t, v->event->known->contact.language);
    if (!found && v->event->language)
        found = in_language(t, v->event->language);
    return found ? found : any_language(t);
}

/* False: it is missing, and there is no default. */
static bool fill(const struct op *op, const struct template_values *v, struct filled *f, struct buf *out)
{
    bool have = op->value->get(v, op->arg, f);

    for (int i = 0; have && i < op->nfilters; i++)
        have = f->text.len == 0 || op->filters[i]->apply(v, op->filter_args[i], f);
    if (!have || (f->text.len == 0 && op->text.at))
        f->text = op->text;
    if (!have && !op->text.at)
        return false;
    if (f->text.len > 0)
        buf_add(out, f->text.at, f->text.len);
    return true;
}

static void cut(struct buf *out, size_t len)
{
    out->len = len;
    if (out->data)
        out->data[len] = '\0';
}

const char *template_render(const struct template *t, const struct template_values *v, struct buf *out)
{
    const struct template *which = meant(t);
    const struct variant *text = which ? choose(which, v) : NULL;
    struct template_values own = *v;
    size_t before = out->len;

    if (!text)
        return t->name ? t->name : "text";
    if (*text->language) /* words in it are of its language, too */
        own.language = text->language;
    for (int i = 0; i < text->nops; i++) {
        const struct op *op = &text->ops[i];
        struct filled f = {0};
        bool filled = true;

        if (op->value)
            filled = fill(op, &own, &f, out);
        else
            buf_add(out, op->text.at, op->text.len);
        buf_free(&f.own);
        if (!filled) {
            cut(out, before);
            return op->name;
        }
    }
    return NULL;
}

/* What costs more: what needs UCS-2, else what is longer. */
static unsigned cost(const char *text, size_t len)
{
    const struct segment_conf conf = {.cls = -1};
    struct segment_plan plan;

    if (segment_measure(text, len, &conf, &plan, NULL) != 0)
        return UINT_MAX;
    return plan.units + (plan.alphabet == PDU_UCS2 ? UINT_MAX / 2 : 0);
}

/* The form of a value that costs most, or its default. */
static void add_longest(const struct op *op, const char *language, struct buf *out)
{
    size_t chars = op->text.at ? utf8_count(op->text.at, op->text.len) : 0;
    unsigned most = op->text.at && op->value->form ? cost(op->text.at, op->text.len) : 0;
    char form[96], longest[96] = "";

    for (int i = 0; op->value->form && op->value->form(language, i, form); i++)
        if (cost(form, strlen(form)) > most) {
            most = cost(form, strlen(form));
            str_copy(longest, sizeof longest, form);
        }
    if (*longest)
        buf_adds(out, longest);
    else if (op->text.at && chars >= (size_t)op->value->longest)
        buf_add(out, op->text.at, op->text.len);
    else
        for (int n = 0; n < op->value->longest; n++)
            buf_addc(out, 'x');
}

bool template_longest(const struct template *t, int index, const char **language, struct buf *out)
{
    const struct template *which = meant(t);
    const struct variant *text;

    if (!which || index >= which->count)
        return false;
    text = &which->variants[index];
    *language = text->language;
    for (int i = 0; i < text->nops; i++) {
        const struct op *op = &text->ops[i];

        if (op->value)
            add_longest(op, text->language, out);
        else
            buf_add(out, op->text.at, op->text.len);
    }
    return true;
}

bool template_segments(const struct template *t, int index, const char **language, int *segments)
{
    const struct segment_conf conf = {.cls = -1};
    struct segment_plan plan;
    struct buf longest = {0};
    bool there = template_longest(t, index, language, &longest);

    *segments = 0;
    if (there && segment_measure(buf_str(&longest), longest.len, &conf, &plan, NULL) == 0)
        *segments = (int)plan.count;
    buf_free(&longest);
    return there;
}

bool template_refers(const struct template *t, const char *name)
{
    return t->name && strcmp(t->name, name) == 0;
}

const char *template_source(const struct template *t, const char *language)
{
    const struct template *which = meant(t);

    for (int i = 0; which && i < which->count; i++)
        if (strcasecmp(which->variants[i].language, language) == 0)
            return which->variants[i].written;
    return NULL;
}
