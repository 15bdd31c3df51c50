/* Conditions of a rule as a whole: what its event may be asked for, whether all of them hold, and whether one
 * rule's conditions include another's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/rules.h"

char **texts_copy(const char *const *texts)
{
    char **out;
    int n = 0;

    if (!texts)
        return NULL;
    while (texts[n])
        n++;
    out = calloc((size_t)n + 1, sizeof *out);
    for (int i = 0; i < n; i++)
        if (!out || !(out[i] = strdup(texts[i])))
            abort();
    return out;
}

void texts_free(char **texts)
{
    for (char **t = texts; t && *t; t++)
        free(*t);
    free(texts);
}

unsigned rule_event_has(int on)
{
    static const unsigned has[ENGINE_ON_KINDS] = {
        [ENGINE_ON_MESSAGE] = RULE_TEXT | RULE_CONTACT | RULE_MESSAGE | RULE_MODEM,
        [ENGINE_ON_CALL] = RULE_CONTACT | RULE_MODEM,
        [ENGINE_ON_REPORT] = RULE_CONTACT | RULE_NAME | RULE_MODEM,
        [ENGINE_ON_OPENED] = RULE_CONTACT | RULE_NAME | RULE_MODEM,
        [ENGINE_ON_ASSIGNED] = RULE_CONTACT | RULE_NAME | RULE_MODEM,
        [ENGINE_ON_CLOSED] = RULE_CONTACT | RULE_MODEM,
        [ENGINE_ON_OVERDUE] = RULE_CONTACT | RULE_NAME | RULE_MODEM,
        [ENGINE_ON_SURVEY] = RULE_CONTACT | RULE_NAME | RULE_MODEM,
        [ENGINE_ON_ALARM] = RULE_TEXT | RULE_NAME | RULE_MODEM,
        [ENGINE_ON_SCHEDULE] = 0,
    };

    return has[on];
}

bool rule_may(struct compiling *k, const char *key, unsigned needs)
{
    static const char *const lacks[] = {"text", "contact", "segments or class", "name", "modem"};
    unsigned missing = needs & ~rule_event_has(k->rule->on);
    const char *on = engine_on_names[k->rule->on];
    const char *a = strchr("aeiou", *on) ? "an" : "a";

    for (size_t i = 0; i < ARRAY_LEN(lacks); i++) {
        if (!(missing >> i & 1U))
            continue;
        problem(k->problems, "%s.%s: %s %s has no %s: expected none with on = \"%s\"", k->rule->place, key, a,
                on, lacks[i], on);
        return false;
    }
    return true;
}

void conditions_compile(struct compiling *k)
{
    struct rule *r = k->rule;

    r->conditions = calloc((size_t)condition_count, sizeof *r->conditions);
    if (!r->conditions)
        abort();
    for (size_t i = 0; i < (size_t)condition_count; i++) {
        struct condition *c = &r->conditions[r->nconditions];

        if (!condition_kinds[i].wanted(k->from) ||
            !rule_may(k, condition_kinds[i].key, condition_kinds[i].needs))
            continue;
        *c = (struct condition){.kind = &condition_kinds[i]};
        r->nconditions++;
        condition_kinds[i].compile(k, c);
    }
}

void conditions_fini(struct rule *r)
{
    for (int i = 0; i < r->nconditions; i++) {
        struct condition *c = &r->conditions[i];

        texts_free(c->texts);
        number_set_free(c->numbers);
        free(c->lists);
        pattern_free(c->pattern);
        free(c->dates);
    }
    free(r->conditions);
}

/* ---- asking ---------------------------------------------------------------------------------------------
 */

static void why(const struct condition *c, struct asking *a, bool holds)
{
    struct buf seen = {0};

    if (c->kind->seen)
        c->kind->seen(c, a, &seen);
    verdict_explain(a->verdict, "%s \"%s\": %s: %s%s%s", a->rule->place, a->rule->name, c->kind->key,
                    holds ? "yes" : "no", seen.len ? ", " : "", buf_str(&seen));
    buf_free(&seen);
}

bool conditions_hold(struct asking *a)
{
    for (int i = 0; i < a->rule->nconditions; i++) {
        const struct condition *c = &a->rule->conditions[i];
        bool holds = c->kind->test(c, a);

        if (a->verdict->why)
            why(c, a, holds);
        if (!holds)
            return false;
    }
    return true;
}

/* ---- comparing, for `rules check` -----------------------------------------------------------------------
 */

static bool same_texts(char *const *a, char *const *b)
{
    if (!a || !b)
        return a == b;
    while (*a && *b && strcmp(*a, *b) == 0)
        a++, b++;
    return *a == *b; /* both NULL */
}

static bool has_condition(const struct rule *r, const struct condition *c)
{
    for (int i = 0; i < r->nconditions; i++) {
        const struct condition *other = &r->conditions[i];

        if (other->kind == c->kind && other->n == c->n && same_texts(other->texts, c->texts))
            return true;
    }
    return false;
}

bool conditions_include(const struct rule *a, const struct rule *b)
{
    for (int i = 0; i < a->nconditions; i++)
        if (!has_condition(b, &a->conditions[i]))
            return false;
    return true;
}
