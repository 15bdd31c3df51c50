/* The rules of gateway.conf, evaluated in their order. First match wins unless the rule says `continue`. All
 * keywords and words of all rules are found by look-ups of the text's words. See engine/rules.h.
 */
#include "engine/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/util.h"
#include "engine/rule_tests.h"

const char *const engine_on_names[ENGINE_ON_KINDS + 1] = {"message",  "call",     "report",  "opened",
                                                          "assigned", "closed",   "overdue", "survey",
                                                          "alarm",    "schedule", NULL};

enum { RULE_NAME_BYTES = sizeof((struct engine_trial_result *)0)->rule };

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static char *copy(const char *text)
{
    char *s = strdup(text);

    if (!s)
        abort();
    return s;
}

static void compile_name(struct compiling *k, int index)
{
    struct rules *r = k->rules;
    struct rule *rule = k->rule;
    const char *name = k->from->name ? k->from->name : "";

    rule->place = copy(k->from->place ? k->from->place : "rules");
    rule->name = copy(name);
    if (asprintf(&rule->source, "rule:%s", name) < 0)
        abort();
    if (*name == '\0' || strlen(name) >= RULE_NAME_BYTES || !utf8_valid(name, strlen(name)))
        problem(k->problems, "%s.name: expected a name of 1 to %d bytes of UTF-8", rule->place,
                RULE_NAME_BYTES - 1);
    for (int i = 0; i < index && *name; i++)
        if (strcmp(r->list[i].name, name) == 0)
            problem(k->problems, "%s.name: \"%s\" is also the name of %s", rule->place, name,
                    r->list[i].place);
}

static void compile_list(struct compiling *k, int index, const char *key, const char *const *list,
                         struct words *to)
{
    if (!list || !rule_may(k, key, RULE_TEXT))
        return;
    if (!list[0])
        problem(k->problems, "%s.%s: empty: expected at least one word", k->rule->place, key);
    for (int i = 0; list[i]; i++) {
        struct err e = {0};

        if (words_add(to, list[i], index, &e) != 0)
            problem(k->problems, "%s.%s[%d]: %s", k->rule->place, key, i, e.text);
    }
}

/* A word of `words` is one word: a phrase would never be found. */
static void check_words(struct compiling *k)
{
    for (int i = 0; k->from->words && k->from->words[i]; i++)
        if (strpbrk(k->from->words[i], " \t\n"))
            problem(k->problems, "%s.words[%d]: \"%.60s\": expected one word; a pattern finds phrases",
                    k->rule->place, i, k->from->words[i]);
}

static void compile_schedule(struct compiling *k)
{
    const char *text = k->from->schedule;
    struct err e = {0};
    bool wanted = k->rule->on == ENGINE_ON_SCHEDULE, given = text && *text;

    if (wanted && !given)
        problem(k->problems, "%s.schedule: missing: expected a time such as \"Mon-Fri 08:30\"",
                k->rule->place);
    else if (!wanted && given)
        problem(k->problems, "%s.schedule: expected none without on = \"schedule\"", k->rule->place);
    else if (given && schedule_parse(text, &k->rule->schedule, &e) != 0)
        problem(k->problems, "%s.schedule: %s", k->rule->place, e.text);
}

static void compile_rule(struct compiling *k, int index)
{
    const struct engine_rule_conf *rc = k->from;
    struct rule *rule = k->rule;

    compile_name(k, index);
    rule->also = rc->also;
    rule->on = rc->on;
    rule->keyworded = rc->keywords != NULL;
    rule->worded = rc->words != NULL;
    rule->keywords = texts_copy(rc->keywords);
    rule->words = texts_copy(rc->words);
    compile_list(k, index, "keywords", rc->keywords, k->rules->keywords);
    compile_list(k, index, "words", rc->words, k->rules->words);
    check_words(k);
    k->rules->has_words = k->rules->has_words || rule->worded;
    compile_schedule(k);
    conditions_compile(k);
    actions_compile(k);
    k->rules->on |= 1U << rule->on;
}

static enum handler_answer rules_decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                        struct walk *walk);

void rules_compile(struct program *p, const struct engine_conf *conf, struct problems *problems)
{
    struct rules *r = p->rules = calloc(1, sizeof *r);

    if (!r || !(r->list = calloc((size_t)conf->nrules + 1, sizeof *r->list)))
        abort();
    r->program = p;
    r->matcher = matcher_new();
    r->keywords = words_new(p->fold);
    r->words = words_new(p->fold);
    if (pattern_new(r->matcher, "\\p{L}+", &r->letters, NULL) != 0)
        abort();
    for (int i = 0; i < conf->nrules; i++) {
        struct compiling k = {.conf = conf,
                              .program = p,
                              .rules = r,
                              .rule = &r->list[i],
                              .from = &conf->rules[i],
                              .problems = problems};

        r->count++;
        compile_rule(&k, i);
    }
    r->handler = (struct handler){.name = "rules",
                                  .decide = rules_decide,
                                  .on = r->on | 1U << ENGINE_ON_MESSAGE | 1U << ENGINE_ON_CALL};
    rule_tests_compile(r, conf, problems);
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    for (int i = 0; i < r->count; i++) {
        struct rule *rule = &r->list[i];

        free(rule->name);
        free(rule->place);
        free(rule->source);
        texts_free(rule->keywords);
        texts_free(rule->words);
        conditions_fini(rule);
        rule_actions_fini(&rule->actions);
    }
    rule_tests_free(r);
    free(r->list);
    words_free(r->keywords);
    words_free(r->words);
    pattern_free(r->letters);
    matcher_free(r->matcher);
    free(r);
}

static bool forwards_to(const struct rule_actions *a, const char *name)
{
    for (int i = 0; i < a->nforward; i++)
        if (a->forward[i].kind == SENDEE_PLUGIN && strcmp(a->forward[i].name, name) == 0)
            return true;
    return false;
}

bool rules_name(const struct rules *r, const struct handler *h)
{
    for (int i = 0; i < r->count; i++)
        if (r->list[i].actions.handler == h || forwards_to(&r->list[i].actions, h->name))
            return true;
    return false;
}

/* ---- words ----------------------------------------------------------------------------------------------
 */

static void hit_keyword(struct rules *r, const struct word_use *use)
{
    for (; use; use = use->next) {
        r->list[use->owner].keyword_hit = r->events;
        r->list[use->owner].keyword = use->text;
    }
}

static void hit_word(struct rules *r, const struct word_use *use)
{
    for (; use; use = use->next) {
        r->list[use->owner].word_hit = r->events;
        r->list[use->owner].word = use->text;
    }
}

static void find_word(struct rules *r, struct span word)
{
    const struct fold *fold = r->program->fold;
    struct span part, rest = word;

    if (fold_has_parts(fold, word))
        while ((part = fold_next_part(fold, &rest)).len > 0)
            hit_word(r, words_find(r->words, part));
    hit_word(r, words_find(r->words, word)); /* the later: it says more */
}

static void find_keyword(struct rules *r, struct span whole)
{
    const struct fold *fold = r->program->fold;
    struct span first = fold_first_word(fold, whole), rest = first;

    if (fold_has_parts(fold, first))
        hit_keyword(r, words_find(r->keywords, fold_next_part(fold, &rest)));
    hit_keyword(r, words_find(r->keywords, first)); /* the later: it says more */
    hit_keyword(r, words_find(r->keywords, whole));
}

static void find_words(struct rules *r, struct span text)
{
    const struct fold *fold = r->program->fold;
    struct span whole = fold_trim(fold, text), word;

    r->events++;
    find_keyword(r, whole);
    if (!r->has_words)
        return;
    while ((word = fold_next_word(fold, &whole)).len > 0)
        find_word(r, fold_trim(fold, word));
}

static void why_words(const struct asking *a, const char *key, bool hit, const char *word)
{
    if (hit)
        verdict_explain(a->verdict, "%s \"%s\": %s: yes, \"%s\"", a->rule->place, a->rule->name, key, word);
    else
        verdict_explain(a->verdict, "%s \"%s\": %s: no", a->rule->place, a->rule->name, key);
}

static bool words_match(const struct rules *r, struct asking *a)
{
    const struct rule *rule = a->rule;
    bool keyword = rule->keyword_hit == r->events, word = rule->word_hit == r->events;

    if (rule->keyworded && a->verdict->why)
        why_words(a, "keywords", keyword, rule->keyword);
    if (rule->keyworded && !keyword)
        return false;
    if (rule->worded && a->verdict->why)
        why_words(a, "words", word, rule->word);
    return !rule->worded || word;
}

/* ---- deciding -------------------------------------------------------------------------------------------
 */

static void why_name(void *owner, const char *name)
{
    const struct asking *a = owner;
    struct span found;

    if (pattern_group(a->rule->pattern, name, &found))
        verdict_explain(a->verdict, "%s \"%s\": match.%s = \"%.*s\"", a->rule->place, a->rule->name, name,
                        (int)found.len, found.at);
}

static void matched(struct asking *a)
{
    struct verdict *v = a->verdict;
    struct rule *rule = a->rule;
    char before[MSG_REASON_BYTES];

    if (rule->pattern && v->why) {
        why_name(a, "0");
        pattern_each_name(rule->pattern, why_name, a);
    }
    str_copy(before, sizeof before, *v->rule ? v->reason : "");
    if (*v->rule == '\0')
        v->rule = rule->name;
    verdict_reason(v, "%s%srule %s", before, *before ? ", " : "", rule->name);
    verdict_why(v, "%s \"%s\": matches%s", rule->place, rule->name, rule->also ? ", continue" : "");
}

/* A schedule's time is that of one rule. */
static bool is_meant(const struct rule *rule, const struct handler_event *ev)
{
    return rule->on == ev->on && (ev->on != ENGINE_ON_SCHEDULE || strcmp(rule->name, ev->name) == 0);
}

static bool ask_rule(struct rules *r, struct asking *a)
{
    if (!is_meant(a->rule, a->event)) {
        if (a->rule->on != a->event->on)
            verdict_why(a->verdict, "%s \"%s\": is for %ss", a->rule->place, a->rule->name,
                        engine_on_names[a->rule->on]);
        return false;
    }
    if (!words_match(r, a) || !conditions_hold(a))
        return false;
    matched(a);
    rule_act(a);
    return true;
}

static enum handler_answer ask_rules(struct rules *r, struct asking *a, struct walk *walk)
{
    for (int i = 0; i < r->count; i++) {
        struct handler *h;

        a->rule = &r->list[i];
        if (!ask_rule(r, a))
            continue;
        h = a->rule->actions.handler;
        if (a->rule->actions.drop)
            return HANDLER_STOP;
        if (h && a->verdict->why)
            verdict_explain(a->verdict, "%s \"%s\": handler %s would decide", a->rule->place, a->rule->name,
                            h->name);
        else if (h)
            return h->decide(h, a->event, a->verdict, walk);
        if (!a->rule->also)
            return HANDLER_NEXT;
    }
    if (*a->verdict->rule == '\0' && *a->verdict->reason == '\0')
        verdict_reason(a->verdict, "no rule");
    return HANDLER_NEXT;
}

static enum handler_answer rules_decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                        struct walk *walk)
{
    struct rules *r = container_of(h, struct rules, handler);
    struct asking a = {.program = r->program, .event = ev, .verdict = v};

    if (ev->on == ENGINE_ON_MESSAGE && !ev->text.at) {
        verdict_reason(v, "no text for the rules");
        return HANDLER_NEXT;
    }
    r->events++;
    if (ev->text.at)
        find_words(r, ev->text);
    return ask_rules(r, &a, walk);
}
