/* Tests beside the rules: each is a trial of a text, with what it must come to. */
#include "engine/rule_tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"
#include "engine/private.h"

enum { TRIAL_CONVERSATION = 1 };

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static char *copy(const char *text)
{
    char *s = text ? strdup(text) : NULL;

    if (text && !s)
        abort();
    return s;
}

/* ",a,b," */
static char *join_tags(const char *const *tags)
{
    struct buf out = {0};

    if (!tags || !tags[0])
        return NULL;
    buf_addc(&out, ',');
    for (int i = 0; tags[i]; i++)
        buf_addf(&out, "%s,", tags[i]);
    return out.data;
}

/* "2026-12-24 20:00" by the business's clock. */
static bool read_moment(const char *text, const struct zone *z, int64_t *out)
{
    int year, month, day, hour, minute, end = 0;

    if (sscanf(text, "%4d-%2d-%2d %2d:%2d%n", &year, &month, &day, &hour, &minute, &end) != 5 || text[end] ||
        year < 2000 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59)
        return false;
    *out = zone_moment(z, year, month, day, hour * 60 + minute);
    return true;
}

static void compile_from(struct rule_test *t, const struct engine_test_conf *tc, const struct program *p,
                         struct problems *problems)
{
    char number[NUMBER_BYTES];
    const char *from = tc->from ? tc->from : "";
    struct err e = {0};

    if (*from && number_normalise(from, p->country, NUMBER_READ_NATIONAL, number, &e) == 0)
        t->from = copy(number);
    else
        t->from = copy(from); /* a name */
    if (*from == '\0' && rule_event_has(tc->on) & RULE_CONTACT)
        problem(problems, "%s.from: missing: expected a number", t->place);
}

static bool rule_named(const struct rules *r, const char *name)
{
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->list[i].name, name) == 0)
            return true;
    return false;
}

static void compile_test(struct rule_test *t, const struct engine_test_conf *tc, const struct rules *r,
                         struct problems *problems)
{
    enum conv_state state = 0;

    t->place = copy(tc->place ? tc->place : "tests");
    t->text = copy(tc->text ? tc->text : "");
    t->name = copy(tc->name ? tc->name : "");
    t->modem = copy(tc->modem ? tc->modem : "");
    t->department = copy(tc->department ? tc->department : "");
    t->tags = join_tags(tc->tags);
    t->on = tc->on;
    t->expect = copy(tc->expect);
    t->expect_reply = copy(tc->expect_reply);
    compile_from(t, tc, r->program, problems);
    if (tc->state && *tc->state && !conv_state_from_name(tc->state, &state))
        problem(problems, "%s.state: \"%.40s\": expected new, open, waiting, snoozed, closed or spam",
                t->place, tc->state);
    t->state = (int)state;
    if (tc->at && *tc->at && !read_moment(tc->at, r->program->staff.zone, &t->at_wall_ms))
        problem(problems, "%s.at: \"%.40s\": expected a time such as \"2026-12-24 20:00\"", t->place, tc->at);
    if (t->expect && strcmp(t->expect, "none") != 0 && !rule_named(r, t->expect))
        problem(problems, "%s.expect: no rule is called \"%.60s\"; \"none\" expects that no rule matches",
                t->place, t->expect);
    if (!t->expect && !t->expect_reply)
        problem(problems, "%s: expected \"expect\" or \"expect_reply\"", t->place);
}

void rule_tests_compile(struct rules *r, const struct engine_conf *conf, struct problems *p)
{
    r->tests = calloc((size_t)conf->ntests + 1, sizeof *r->tests);
    if (!r->tests)
        abort();
    for (int i = 0; i < conf->ntests; i++)
        compile_test(&r->tests[r->ntests++], &conf->tests[i], r, p);
}

void rule_tests_free(struct rules *r)
{
    for (int i = 0; i < r->ntests; i++) {
        struct rule_test *t = &r->tests[i];

        free(t->place);
        free(t->from);
        free(t->text);
        free(t->name);
        free(t->modem);
        free(t->department);
        free(t->tags);
        free(t->expect);
        free(t->expect_reply);
    }
    free(r->tests);
}

/* ---- running --------------------------------------------------------------------------------------------
 */

/* The made-up contact of a test, and its conversation. */
static void know(const struct rule_test *t, struct store_situation *k)
{
    *k = (struct store_situation){.number = t->from, .sim = t->modem, .reserved = TRIAL_CONVERSATION};
    str_copy(k->contact.number, sizeof k->contact.number, t->from);
    k->contact.tags = t->tags;
    if (t->state || *t->department) {
        struct conv_row *c = t->state == CONV_CLOSED || t->state == CONV_SPAM ? &k->last : &k->conv;

        c->id = TRIAL_CONVERSATION;
        c->state = t->state ? (enum conv_state)t->state : CONV_OPEN;
        str_copy(c->department, sizeof c->department, t->department);
        str_copy(c->sim, sizeof c->sim, t->modem);
    }
}

static void judge(const struct rule_test *t, const struct engine_trial_result *r, struct engine_check *out)
{
    const char *rule = *r->rule ? r->rule : "none";

    if (t->expect && strcmp(t->expect, rule) != 0) {
        buf_addf(&out->failures, "%s: \"%.60s\": rule %s matched, expected %s (%s)\n", t->place, t->text,
                 rule, t->expect, r->reason);
        out->failed++;
    } else if (t->expect_reply && !strstr(buf_str(&r->reply), t->expect_reply)) {
        buf_addf(&out->failures, "%s: \"%.60s\": the reply is \"%.200s\", expected \"%.200s\" in it (%s)\n",
                 t->place, t->text, buf_str(&r->reply), t->expect_reply, r->reason);
        out->failed++;
    }
}

void rule_tests_run(struct engine *en, int64_t now_wall_ms, struct engine_check *out)
{
    const struct rules *r = en->program->rules;

    for (int i = 0; i < r->ntests; i++) {
        const struct rule_test *t = &r->tests[i];
        struct store_situation known;
        struct engine_trial_result result;

        know(t, &known);
        engine_try(en,
                   &(struct engine_trial){.on = (enum engine_on)t->on,
                                          .from = t->from,
                                          .text = t->text,
                                          .name = t->name,
                                          .modem = t->modem,
                                          .at_wall_ms = t->at_wall_ms ? t->at_wall_ms : now_wall_ms,
                                          .known = &known},
                   &result);
        judge(t, &result, out);
        out->tests++;
        engine_trial_clear(&result);
    }
}
