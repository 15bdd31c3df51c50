/* The survey's answers: a bare number within the window, then a comment. (It is asked by desk/clocks.c.)
 *
 * What has a question in it is a comment and a message: somebody waits for an answer. Everything else that is
 * no bare number is a new message, and no business of the survey's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/program.h"

#define COMMENT_MS INT64_C(3600000) /* behind the score; what comes later is a new message */

/* The conversation whose customer was asked: the live one where it was opened again, else the last. */
static const struct conv_row *asked(const struct store_situation *known)
{
    const struct conv_row *c = known->conv.id && known->conv.survey_wall_ms ? &known->conv : &known->last;

    if (!c->id || !c->survey_wall_ms)
        return NULL;
    /* a person has written since: a number is an answer to that */
    return known->conv.id && known->conv.person_wall_ms > c->survey_wall_ms ? NULL : c;
}

/* "5", "5!", " 10 ", in any script. -1: it is no bare number, or beside the scale. */
static int score_of(const struct survey *s, struct span text)
{
    struct span t = fold_trim(s->program->fold, text);
    int score = 0, digits = 0;

    for (size_t at = 0; at < t.len; digits++) {
        int digit = utf8_digit(utf8_next(t.at, t.len, &at));

        if (digit < 0 || digits == 2)
            return -1;
        score = score * 10 + digit;
    }
    return digits > 0 && score >= s->min && score <= s->max ? score : -1;
}

/* Of Latin, Arabic and East Asian writing. */
static bool asks(const char *text)
{
    return strchr(text, '?') || strstr(text, "؟") || strstr(text, "？");
}

static void add(struct verdict *v, enum effect_kind kind, const struct conv_row *c, int64_t n,
                const char *value)
{
    verdict_effect(v, &(struct store_effect){
                          .kind = kind, .conversation = c->id, .n = n, .value = value, .who = "customer"});
}

static enum handler_answer take_score(const struct survey *s, const struct handler_event *ev,
                                      const struct conv_row *c, int score, struct verdict *v)
{
    v->thread = THREAD_JOIN;
    add(v, EFFECT_SURVEY_SCORE, c, score, NULL);
    verdict_reason(v, "survey: %d of conversation %lld", score, (long long)c->id);
    program_reply(s->program, ev, s->comment ? s->comment : s->thanks, "survey", v);
    return HANDLER_STOP;
}

static bool may_comment(const struct survey *s, const struct handler_event *ev, const struct conv_row *c)
{
    const struct store_situation *k = ev->known;

    return s->comment && !c->survey_commented && ev->now_wall_ms - c->survey_answered_wall_ms <= COMMENT_MS &&
           (k->conv.id == 0 || k->conv.id == c->id);
}

static enum handler_answer take_comment(const struct survey *s, const struct handler_event *ev,
                                        const struct conv_row *c, struct verdict *v)
{
    add(v, EFFECT_SURVEY_COMMENT, c, 0, ev->text.at);
    verdict_why(v, "survey: a comment on conversation %lld", (long long)c->id);
    if (asks(ev->text.at))
        return HANDLER_NEXT;
    v->thread = THREAD_JOIN;
    verdict_reason(v, "survey: a comment on conversation %lld", (long long)c->id);
    program_reply(s->program, ev, s->thanks, "survey", v);
    return HANDLER_STOP;
}

static enum handler_answer decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                  struct walk *walk)
{
    struct survey *s = container_of(h, struct survey, handler);
    const struct conv_row *c = s->on && ev->on == ENGINE_ON_MESSAGE && ev->text.len ? asked(ev->known) : NULL;
    int score;

    (void)walk;
    if (!c || ev->now_wall_ms - c->survey_wall_ms > s->window_ms)
        return HANDLER_NEXT;
    if (c->survey_answered_wall_ms)
        return may_comment(s, ev, c) ? take_comment(s, ev, c, v) : HANDLER_NEXT;
    score = score_of(s, ev->text);
    return score >= 0 ? take_score(s, ev, c, score, v) : HANDLER_NEXT;
}

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static struct template *text_of(const struct engine_conf *conf, const char *text, const char *key,
                                struct problems *p)
{
    struct template_scope scope = {0};
    char prefix[PLACE_BYTES], place[PLACE_BYTES + 24];

    if (!text || !*text)
        return NULL;
    snprintf(place, sizeof place, "%ssurvey.%s", conf_prefix(conf, prefix), key);
    return compile_reply(conf, text, place, &scope, p);
}

void survey_compile(struct survey *s, const struct engine_conf *conf, const struct program *p,
                    struct problems *problems)
{
    const struct survey_conf *sc = &conf->survey;
    char prefix[PLACE_BYTES];

    *s = (struct survey){.handler = {.name = "survey", .on = 1u << ENGINE_ON_MESSAGE, .decide = decide},
                         .on = sc->on,
                         .min = sc->scale_min,
                         .max = sc->scale_max,
                         .delay_ms = sc->delay_ms,
                         .window_ms = sc->window_ms,
                         .program = p};
    if (!s->on)
        return;
    if (s->min < 0 || s->max > 10 || s->min >= s->max)
        problem(problems, "%ssurvey.scale: expected a scale such as \"1-5\", \"1-9\" or \"0-10\"",
                conf_prefix(conf, prefix));
    s->text = text_of(conf, sc->text, "text", problems);
    s->comment = text_of(conf, sc->comment, "comment", problems);
    s->thanks = text_of(conf, sc->thanks, "thanks", problems);
    if (!sc->text || !*sc->text)
        problem(problems, "%ssurvey.text: expected the question, with {{survey.scale}} in it",
                conf_prefix(conf, prefix));
}

void survey_fini(struct survey *s)
{
    template_free(s->text);
    template_free(s->comment);
    template_free(s->thanks);
    *s = (struct survey){0};
}
