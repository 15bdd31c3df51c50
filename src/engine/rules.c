/* The rules of gateway.conf, evaluated in their order: keywords, pattern, neither. First match wins unless
 * the rule says `continue`. All keywords of all rules are found by two look-ups.
 */
#include "engine/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/util.h"

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

static void compile_name(struct rules *r, int index, const struct engine_rule_conf *conf, struct problems *p)
{
    struct rule *rule = &r->list[index];
    const char *name = conf->name ? conf->name : "";

    rule->place = copy(conf->place ? conf->place : "rules");
    rule->name = copy(name);
    if (asprintf(&rule->source, "rule:%s", name) < 0)
        abort();
    if (*name == '\0' || strlen(name) >= RULE_NAME_BYTES || !utf8_valid(name, strlen(name)))
        problem(p, "%s.name: expected a name of 1 to %d bytes of UTF-8", rule->place, RULE_NAME_BYTES - 1);
    for (int i = 0; i < index && *name; i++)
        if (strcmp(r->list[i].name, name) == 0)
            problem(p, "%s.name: \"%s\" is also the name of %s", rule->place, name, r->list[i].place);
}

static void compile_keywords(struct rules *r, int index, const char *const *keywords, struct problems *p)
{
    struct rule *rule = &r->list[index];

    rule->keyworded = true;
    if (!keywords[0])
        problem(p, "%s.keywords: empty: expected at least one word", rule->place);
    for (int i = 0; keywords[i]; i++) {
        struct err e = {0};

        if (words_add(r->keywords, keywords[i], index, &e) != 0)
            problem(p, "%s.keywords[%d]: %s", rule->place, i, e.text);
    }
}

static void compile_pattern(struct rules *r, struct rule *rule, const char *text, struct problems *p)
{
    struct err e = {0};

    if (pattern_new(r->matcher, text, &rule->pattern, &e) != 0)
        problem(p, "%s.pattern: %s", rule->place, e.text);
}

/* A call says nothing that words could be found in. */
static void compile_on(const struct rule *rule, const struct engine_rule_conf *rc, struct problems *p)
{
    if (rule->on == ENGINE_ON_CALL && (rc->keywords || rc->pattern))
        problem(p, "%s.%s: a call has no text: expected none with on = \"call\"", rule->place,
                rc->keywords ? "keywords" : "pattern");
}

static void compile_rule(struct rules *r, int index, const struct engine_conf *conf, struct problems *p)
{
    const struct engine_rule_conf *rc = &conf->rules[index];
    struct rule *rule = &r->list[index];
    struct template_scope scope;
    char place[PLACE_BYTES];

    compile_name(r, index, rc, p);
    rule->also = rc->also;
    rule->on = rc->on;
    compile_on(rule, rc, p);
    if (rc->keywords)
        compile_keywords(r, index, rc->keywords, p);
    if (rc->pattern)
        compile_pattern(r, rule, rc->pattern, p);
    /* Where the pattern itself is broken, its groups are not known, and that is one error and not two. */
    scope = (struct template_scope){.pattern = rule->pattern, .unbound = rc->pattern && !rule->pattern};
    snprintf(place, sizeof place, "%s.reply", rule->place);
    if (rc->reply && *rc->reply)
        rule->reply = compile_reply(conf, rc->reply, place, &scope, p);
    snprintf(place, sizeof place, "%s.alarm", rule->place);
    if (rc->alarm && *rc->alarm)
        rule->alarm = compile_reply(conf, rc->alarm, place, &scope, p);
}

static enum handler_answer rules_decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                        struct walk *walk);

void rules_compile(struct rules *r, const struct engine_conf *conf, const struct fold *fold,
                   struct problems *p)
{
    r->handler = (struct handler){.name = "rules", .decide = rules_decide};
    r->fold = fold;
    r->matcher = matcher_new();
    r->keywords = words_new(fold);
    r->list = calloc((size_t)conf->nrules + 1, sizeof *r->list);
    if (!r->list)
        abort();
    for (int i = 0; i < conf->nrules; i++, r->count++)
        compile_rule(r, i, conf, p);
}

void rules_fini(struct rules *r)
{
    for (int i = 0; i < r->count; i++) {
        struct rule *rule = &r->list[i];

        free(rule->name);
        free(rule->place);
        free(rule->source);
        pattern_free(rule->pattern);
        template_free(rule->reply);
        template_free(rule->alarm);
    }
    free(r->list);
    words_free(r->keywords);
    matcher_free(r->matcher);
}

/* ---- deciding -------------------------------------------------------------------------------------------
 */

static void hit(struct rules *r, const struct word_use *use)
{
    for (; use; use = use->next) {
        r->list[use->owner].hit = r->events;
        r->list[use->owner].keyword = use->text;
    }
}

static void find_keywords(struct rules *r, struct span text)
{
    struct span whole = fold_trim(r->fold, text);

    r->events++;
    hit(r, words_find(r->keywords, fold_first_word(r->fold, whole)));
    hit(r, words_find(r->keywords, whole)); /* the later: it says more */
}

static void why_name(void *owner, const char *name)
{
    struct verdict *v = ((void **)owner)[0];
    const struct rule *rule = ((void **)owner)[1];
    struct span found;

    if (pattern_group(rule->pattern, name, &found))
        verdict_explain(v, "%s \"%s\": match.%s = \"%.*s\"", rule->place, rule->name, name, (int)found.len,
                        found.at);
}

static void why_groups(struct verdict *v, struct rule *rule)
{
    why_name((void *[]){v, rule}, "0");
    pattern_each_name(rule->pattern, why_name, (void *[]){v, rule});
}

static bool keywords_match(const struct rules *r, const struct rule *rule, struct verdict *v)
{
    if (!rule->keyworded)
        return true;
    if (rule->hit != r->events) {
        verdict_why(v, "%s \"%s\": keywords: no", rule->place, rule->name);
        return false;
    }
    verdict_why(v, "%s \"%s\": keywords: yes, \"%s\"", rule->place, rule->name, rule->keyword);
    return true;
}

static bool pattern_matches(struct rule *rule, struct span text, struct verdict *v)
{
    static const char *const words[] = {[PATTERN_NO] = "no",
                                        [PATTERN_YES] = "yes",
                                        [PATTERN_GAVE_UP] = "gave up, this text takes it too long"};
    enum pattern_result result;

    if (!rule->pattern)
        return true;
    result = pattern_match(rule->pattern, text);
    if (result == PATTERN_GAVE_UP)
        v->gave_up = rule->name;
    verdict_why(v, "%s \"%s\": pattern: %s", rule->place, rule->name, words[result]);
    if (result == PATTERN_YES && v->why)
        why_groups(v, rule);
    return result == PATTERN_YES;
}

/* Those of several rules are one text. */
static void raise(const struct rule *rule, const struct template_values *values, struct verdict *v)
{
    size_t before = v->alarm.len;

    if (!rule->alarm)
        return;
    if (before)
        buf_adds(&v->alarm, "; ");
    template_render(rule->alarm, values, &v->alarm);
    verdict_why(v, "%s \"%s\": alarm \"%s\"", rule->place, rule->name, buf_str(&v->alarm) + before);
}

static void apply(const struct rules *r, const struct rule *rule, const struct handler_event *ev,
                  struct verdict *v)
{
    struct template_values values = {.business = r->business,
                                     .event = ev,
                                     .pattern = rule->pattern,
                                     .keyword = rule->keyworded ? rule->keyword : NULL};
    struct verdict_reply *reply;

    raise(rule, &values, v);
    if (!rule->reply) {
        verdict_why(v, "%s \"%s\": has no reply", rule->place, rule->name);
        return;
    }
    reply = verdict_reply(v, rule->source, false);
    if (!reply) {
        verdict_why(v, "%s \"%s\": no reply, there are enough to this number", rule->place, rule->name);
        return;
    }
    template_render(rule->reply, &values, &reply->text);
    if (reply->text.len == 0) {
        verdict_why(v, "%s \"%s\": the reply is empty, none is sent", rule->place, rule->name);
        verdict_unreply(v);
    }
}

static void matched(struct rule *rule, struct verdict *v)
{
    char before[MSG_REASON_BYTES];

    str_copy(before, sizeof before, v->reason);
    if (*v->rule == '\0')
        v->rule = rule->name;
    verdict_reason(v, "%s%srule %s", before, *before ? ", " : "", rule->name);
    verdict_why(v, "%s \"%s\": matches%s", rule->place, rule->name, rule->also ? ", continue" : "");
}

static enum handler_answer rules_decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                        struct walk *walk)
{
    struct rules *r = container_of(h, struct rules, handler);

    (void)walk;
    if (ev->on == ENGINE_ON_MESSAGE && !ev->text.at) {
        verdict_reason(v, "no text for the rules");
        return HANDLER_STOP;
    }
    if (ev->on == ENGINE_ON_MESSAGE)
        find_keywords(r, ev->text);
    for (int i = 0; i < r->count; i++) {
        struct rule *rule = &r->list[i];

        if (rule->on != ev->on) {
            verdict_why(v, "%s \"%s\": is for %ss", rule->place, rule->name, engine_on_names[rule->on]);
            continue;
        }
        if (!keywords_match(r, rule, v) || !pattern_matches(rule, ev->text, v))
            continue;
        matched(rule, v);
        apply(r, rule, ev, v);
        if (!rule->also)
            return HANDLER_STOP;
    }
    if (*v->rule == '\0')
        verdict_reason(v, "no rule");
    return HANDLER_STOP;
}
