/* `simgate rules check`: what in the rules cannot be what was meant. Nothing here is an error: the rules run.
 *
 * Whether a rule is reached is told from the conditions as they are written; that two patterns mean the same
 * is not seen.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/private.h"
#include "engine/rule_tests.h"

static void warn(struct engine_check *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct engine_check *out, const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    buf_addf(&out->warnings, "%s\n", line);
    out->warned++;
}

/* ---- rules that nothing reaches -------------------------------------------------------------------------
 */

/* A rule that others behind it do not survive. */
static bool ends(const struct rule *r)
{
    return !r->also && r->on != ENGINE_ON_SCHEDULE;
}

static bool has_word(const struct rules *r, int owner, const char *word)
{
    const struct fold *fold = r->program->fold;
    const struct word_use *use = words_find(r->keywords, fold_trim(fold, (struct span){word, strlen(word)}));

    for (; use; use = use->next)
        if (use->owner == owner)
            return true;
    return false;
}

/* Are all words of b's list also a's? NULL lists: a asks for none. */
static bool words_include(char *const *a, char *const *b)
{
    if (!a)
        return true;
    for (; b && *b; b++) {
        char *const *have = a;

        while (*have && strcmp(*have, *b) != 0)
            have++;
        if (!*have)
            return false;
    }
    return b != NULL;
}

static bool keywords_include(const struct rules *r, int a, int b)
{
    if (!r->list[a].keyworded)
        return true;
    if (!r->list[b].keyworded)
        return false;
    for (char **word = r->list[b].keywords; *word; word++)
        if (!has_word(r, a, *word))
            return false;
    return true;
}

/* Does every event that b would take end at a before? */
static bool takes_all(const struct rules *r, int a, int b)
{
    const struct rule *ra = &r->list[a], *rb = &r->list[b];

    return ends(ra) && ra->on == rb->on && ra->once_per_ms == 0 && conditions_include(ra, rb) &&
           words_include(ra->words, rb->words) && keywords_include(r, a, b);
}

/* A keyword of b that an earlier rule takes away, though not all of b's. */
static void check_keyword(const struct rules *r, int b, const char *word, struct engine_check *out)
{
    for (int a = 0; a < b; a++) {
        const struct rule *ra = &r->list[a];

        if (!ends(ra) || ra->on != r->list[b].on || ra->nconditions > 0 || ra->worded ||
            !has_word(r, a, word))
            continue;
        warn(out, "%s \"%s\": keyword \"%s\" is never reached: %s \"%s\" takes it before", r->list[b].place,
             r->list[b].name, word, ra->place, ra->name);
        return;
    }
}

static void check_reached(const struct rules *r, struct engine_check *out)
{
    for (int b = 0; b < r->count; b++) {
        const struct rule *rb = &r->list[b];
        int a = 0;

        while (a < b && !takes_all(r, a, b))
            a++;
        if (a < b) {
            warn(out,
                 "%s \"%s\" is never reached: whatever it takes, %s \"%s\" takes before, without `continue`",
                 rb->place, rb->name, r->list[a].place, r->list[a].name);
            continue;
        }
        for (char **word = rb->keywords; word && *word; word++)
            check_keyword(r, b, *word, out);
    }
}

static void check_consent(const struct rules *r, struct engine_check *out)
{
    for (int i = 0; i < r->count; i++)
        for (char **word = r->list[i].keywords; word && *word; word++)
            if (consent_takes(&r->program->consent, *word))
                warn(out, "%s \"%s\": keyword \"%s\" alone is answered as STOP, START or HELP before",
                     r->list[i].place, r->list[i].name, *word);
}

/* ---- rules that make each other's events ----------------------------------------------------------------
 */

/* The events that a rule's actions make: bits 1 << enum engine_on. */
static unsigned makes(const struct rule *r)
{
    const struct rule_actions *a = &r->actions;
    unsigned on = 0;

    if (a->state == CONV_CLOSED || a->state == CONV_SPAM)
        on |= 1U << ENGINE_ON_CLOSED;
    if (a->state == CONV_OPEN)
        on |= 1U << ENGINE_ON_OPENED;
    if (a->department || a->assign)
        on |= 1U << ENGINE_ON_ASSIGNED;
    if (a->reply || a->nsend_to > 0 || a->nforward > 0)
        on |= 1U << ENGINE_ON_REPORT;
    return on;
}

/* What events of `on` come to, by any number of rules. */
static unsigned reaches(const struct rules *r, unsigned on)
{
    unsigned all = 0, more = on;

    while (more & ~all) {
        all |= more;
        for (int i = 0; i < r->count; i++)
            if (all >> r->list[i].on & 1U)
                more |= makes(&r->list[i]);
    }
    return all;
}

static void check_loops(const struct rules *r, struct engine_check *out)
{
    for (int i = 0; i < r->count; i++) {
        const struct rule *rule = &r->list[i];

        if (rule->on >= ENGINE_ON_REPORT && reaches(r, makes(rule)) >> rule->on & 1U)
            warn(out,
                 "%s \"%s\": what it does may make the event \"%s\" again, by itself or by other rules: that "
                 "ends after %d rounds; expected a condition that stops it, such as names, states or "
                 "once_per",
                 rule->place, rule->name, engine_on_names[rule->on], DESK_EVENT_DEPTH);
    }
}

/* ---- templates that may become too long -----------------------------------------------------------------
 */

static void check_lengths(const struct program *p, struct engine_check *out)
{
    for (int i = 0; i < p->ntemplates; i++) {
        const struct named_template *n = &p->templates[i];
        const char *language;
        int segments;

        for (int k = 0; n->max_segments > 0 && template_segments(n->template, k, &language, &segments); k++)
            if (segments > n->max_segments)
                warn(out, "%s: template \"%s\"%s%s may need %d segments, more than %d", n->place, n->name,
                     *language ? " in " : "", language, segments, n->max_segments);
    }
}

/* ---- all of it ------------------------------------------------------------------------------------------
 */

void engine_check(struct engine *en, int64_t now_wall_ms, struct engine_check *out)
{
    const struct program *p = en->program;

    *out = (struct engine_check){0};
    check_reached(p->rules, out);
    check_consent(p->rules, out);
    check_loops(p->rules, out);
    check_lengths(p, out);
    rule_tests_run(en, now_wall_ms, out);
}

void engine_check_clear(struct engine_check *c)
{
    buf_free(&c->warnings);
    buf_free(&c->failures);
}

static int add_use(const struct template *t, const char *name, const char *place, const char *rule,
                   struct buf *out)
{
    if (!t || !template_refers(t, name))
        return 0;
    buf_addf(out, "%s%s%s%s\n", place, *rule ? " \"" : "", rule, *rule ? "\"" : "");
    return 1;
}

int engine_template_uses(const struct engine *en, const char *name, struct buf *out)
{
    const struct program *p = en->program;
    const struct {
        const char *place;
        const struct template *t;
    } others[] = {{"desk.greeting", p->answers.greeting}, {"desk.office_reply", p->answers.office},
                  {"survey.text", p->survey.text},        {"survey.comment", p->survey.comment},
                  {"survey.thanks", p->survey.thanks},    {"sensitive.reply", p->sensitive.reply}};
    static const char *const words[CONSENT_WORDS] = {[WORD_STOP] = "consent.stop_reply",
                                                     [WORD_START] = "consent.start_reply",
                                                     [WORD_HELP] = "consent.help_reply"};
    int n = 0;

    for (int i = 0; i < p->rules->count; i++) {
        const struct rule *r = &p->rules->list[i];
        const struct template *const texts[] = {r->actions.reply, r->actions.send, r->actions.alarm,
                                                r->actions.note, r->actions.log};

        for (size_t k = 0; k < ARRAY_LEN(texts); k++)
            n += add_use(texts[k], name, r->place, r->name, out);
    }
    for (size_t i = 0; i < CONSENT_WORDS; i++) /* own ones, which are said in every language */
        n += words[i] ? add_use(p->consent.replies[0][i], name, words[i], "", out) : 0;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        n += add_use(others[i].t, name, others[i].place, "", out);
    return n;
}
