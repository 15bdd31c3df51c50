/* The table of what handlers may ask for, its checks, and its way into a verdict. See engine/actions.h.
 *
 * Owns copies of the parameters only. What can fail: an answer that is wrong in itself (actions_add), or one
 * that cannot be done here and now (actions_apply): a tag for nobody, more replies than an event may make.
 */
#include "engine/actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/util.h"

/* An action being applied. */
struct applying {
    const struct action_place *at;
    struct verdict *v;
    struct err *e;
};

enum {
    NEEDS_CONTACT = 1 << 0,
    NEEDS_CONVERSATION = 1 << 1,
};

typedef int apply_fn(struct applying *ap, char *const *param);
typedef const char *check_fn(const char *text); /* NULL, or what was expected */

struct action_param {
    const char *name;
    check_fn *check;
};

struct action_kind {
    const char *name;
    unsigned needs;
    int required;
    struct action_param params[ACTION_PARAMS];
    apply_fn *apply;
};

/* ---- checks of parameters -------------------------------------------------------------------------------
 */

static const char *const priorities[] = {"low", "normal", "high", "urgent"};
static const char *const fields[] = {"name", "language", "zone", "notes"};

static int index_of(const char *const *names, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], text))
            return (int)i;
    return -1;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

static const char *check_some(const char *text)
{
    return *text ? NULL : "expected a text that is not empty";
}

static const char *check_tag(const char *text)
{
    return tag_is_good(text) ? NULL : "expected " TAG_EXPECTED;
}

static const char *check_word(const char *text)
{
    if (!*text || strlen(text) >= DESK_WORD_BYTES || has_control(text) || strchr(text, ','))
        return "expected 1 to 63 bytes without commas and control characters";
    return NULL;
}

static const char *check_line(const char *text)
{
    return strlen(text) >= DESK_NAME_BYTES || has_control(text)
               ? "expected at most 95 bytes without control characters"
               : NULL;
}

static const char *check_priority(const char *text)
{
    return index_of(priorities, ARRAY_LEN(priorities), text) < 0
               ? "expected \"low\", \"normal\", \"high\" or \"urgent\""
               : NULL;
}

static const char *check_field(const char *text)
{
    return index_of(fields, ARRAY_LEN(fields), text) < 0
               ? "expected \"name\", \"language\", \"zone\" or \"notes\""
               : NULL;
}

static const char *check_consent(const char *text)
{
    return strcmp(text, "in") && strcmp(text, "out") ? "expected \"in\" or \"out\"" : NULL;
}

static const char *check_bool(const char *text)
{
    return strcmp(text, "true") && strcmp(text, "false") ? "expected true or false" : NULL;
}

static bool until(const char *text, int64_t now_wall_ms, int64_t *out_ms)
{
    int64_t length_ms;

    if (str_to_duration_ms(text, &length_ms)) {
        *out_ms = now_wall_ms + length_ms;
        return true;
    }
    return wall_from_text(text, now_wall_ms, out_ms);
}

static const char *check_until(const char *text)
{
    int64_t ms;

    return until(text, 0, &ms) ? NULL : "expected a time such as \"2h\" or \"2026-11-21T09:30:00Z\"";
}

/* ---- what they do ---------------------------------------------------------------------------------------
 */

static int too_many(struct applying *ap, const char *what, int most)
{
    return err_set(ap->e, ERR_TOO_LONG, "an event makes at most %d %s", most, what);
}

static int effect(struct applying *ap, const struct store_effect *e)
{
    struct store_effect own = *e;

    own.who = ap->at->source;
    return verdict_effect(ap->v, &own) ? 0 : too_many(ap, "changes", VERDICT_EFFECTS);
}

static int apply_reply(struct applying *ap, char *const *param)
{
    struct verdict_reply *r;

    if (ap->v->nreplies == VERDICT_REPLIES)
        return too_many(ap, "messages", VERDICT_REPLIES);
    r = verdict_reply(ap->v, ap->at->source, false);
    if (!r) {
        verdict_why(ap->v, "%s: no reply: the guard leaves no room", ap->at->source);
        return 0;
    }
    buf_adds(&r->text, param[0]);
    r->modem = verdict_keep(ap->v, param[1]);
    r->pool = verdict_keep(ap->v, param[2]);
    return 0;
}

static int apply_send(struct applying *ap, char *const *param)
{
    char to[NUMBER_BYTES];
    struct verdict_reply *r;

    if (number_normalise(param[0], ap->at->country, NUMBER_READ_NATIONAL, to, ap->e) < 0)
        return err_wrap(ap->e, "to");
    r = verdict_send(ap->v, ap->at->source, to);
    if (!r)
        return too_many(ap, "messages", VERDICT_REPLIES);
    buf_adds(&r->text, param[1]);
    r->modem = verdict_keep(ap->v, param[2]);
    r->pool = verdict_keep(ap->v, param[3]);
    r->marketing = param[4] && !strcmp(param[4], "true");
    return 0;
}

static int apply_tag(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_TAG, .name = param[0]});
}

static int apply_untag(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_UNTAG, .name = param[0]});
}

static int apply_set(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_ATTRIBUTE, .name = param[0], .value = param[1]});
}

static int apply_contact(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_CONTACT, .name = param[0], .value = param[1]});
}

static int apply_department(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_DEPARTMENT, .value = param[0]});
}

static int apply_assign(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_ASSIGN, .value = param[0]});
}

static int apply_priority(struct applying *ap, char *const *param)
{
    int n = index_of(priorities, ARRAY_LEN(priorities), param[0]);

    return effect(ap, &(struct store_effect){.kind = EFFECT_PRIORITY, .n = n});
}

static int state(struct applying *ap, enum conv_state s, int64_t at_wall_ms)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_STATE, .n = s, .at_wall_ms = at_wall_ms});
}

static int apply_open(struct applying *ap, char *const *param)
{
    (void)param;
    return state(ap, CONV_OPEN, 0);
}

static int apply_close(struct applying *ap, char *const *param)
{
    (void)param;
    return state(ap, CONV_CLOSED, 0);
}

static int apply_spam(struct applying *ap, char *const *param)
{
    (void)param;
    return state(ap, CONV_SPAM, 0);
}

static int apply_snooze(struct applying *ap, char *const *param)
{
    int64_t at_wall_ms = 0;

    if (param[0] && !until(param[0], ap->at->now_wall_ms, &at_wall_ms))
        return err_set(ap->e, ERR_INVALID, "until: %s", check_until(param[0]));
    return state(ap, CONV_SNOOZED, at_wall_ms);
}

static int apply_flag(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_FLAG, .n = 1, .value = param[0]});
}

static int apply_consent(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_CONSENT,
                                             .n = strcmp(param[0], "in") ? CONSENT_OUT : CONSENT_IN,
                                             .name = "",
                                             .value = param[1] ? param[1] : ap->at->source});
}

static int apply_note(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){.kind = EFFECT_NOTE, .value = param[0]});
}

static int apply_keep(struct applying *ap, char *const *param)
{
    return effect(ap, &(struct store_effect){
                          .kind = EFFECT_VALUE, .name = ap->at->handler, .key = param[0], .value = param[1]});
}

static int apply_alarm(struct applying *ap, char *const *param)
{
    if (ap->v->alarm.len)
        buf_adds(&ap->v->alarm, "; ");
    buf_adds(&ap->v->alarm, param[0]);
    return 0;
}

static int apply_log(struct applying *ap, char *const *param)
{
    log_notice(ap->at->source, "%.500s", param[0]);
    return 0;
}

static int apply_drop(struct applying *ap, char *const *param)
{
    (void)param;
    ap->v->thread = THREAD_NONE;
    return 0;
}

#define CONVERSATION NEEDS_CONVERSATION
#define CONTACT      NEEDS_CONTACT

/* simgate-handlers(7) has them in this order. */
static const struct action_kind kinds[] = {
    {"reply", CONTACT, 1, {{"text", check_some}, {"modem", check_word}, {"pool", check_word}}, apply_reply},
    {"send",
     0,
     2,
     {{"to", check_line},
      {"text", check_some},
      {"modem", check_word},
      {"pool", check_word},
      {"marketing", check_bool}},
     apply_send},
    {"tag", CONTACT, 1, {{"tag", check_tag}}, apply_tag},
    {"untag", CONTACT, 1, {{"tag", check_tag}}, apply_untag},
    {"set", CONTACT, 1, {{"name", check_word}, {"value", NULL}}, apply_set},
    {"contact", CONTACT, 2, {{"field", check_field}, {"value", NULL}}, apply_contact},
    {"department", CONVERSATION, 1, {{"department", check_line}}, apply_department},
    {"assign", CONVERSATION, 1, {{"person", check_line}}, apply_assign},
    {"priority", CONVERSATION, 1, {{"priority", check_priority}}, apply_priority},
    {"open", CONVERSATION, 0, {{NULL, NULL}}, apply_open},
    {"close", CONVERSATION, 0, {{NULL, NULL}}, apply_close},
    {"snooze", CONVERSATION, 0, {{"until", check_until}}, apply_snooze},
    {"spam", CONVERSATION, 0, {{NULL, NULL}}, apply_spam},
    {"flag", CONVERSATION, 0, {{"why", NULL}}, apply_flag},
    {"note", CONVERSATION, 1, {{"text", check_some}}, apply_note},
    {"consent", CONTACT, 1, {{"consent", check_consent}, {"words", NULL}}, apply_consent},
    {"keep", 0, 1, {{"key", check_word}, {"value", NULL}}, apply_keep},
    {"alarm", 0, 1, {{"text", check_some}}, apply_alarm},
    {"log", 0, 1, {{"text", check_some}}, apply_log},
    {"drop", 0, 0, {{NULL, NULL}}, apply_drop},
};
#undef CONVERSATION
#undef CONTACT

int action_kinds(void)
{
    return (int)ARRAY_LEN(kinds);
}

const char *action_kind_name(int kind)
{
    return kinds[kind].name;
}

const char *action_kind_param(int kind, int param)
{
    return param < ACTION_PARAMS ? kinds[kind].params[param].name : NULL;
}

int action_kind_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (!strcmp(kinds[i].name, name))
            return (int)i;
    return -1;
}

/* ---- lists ----------------------------------------------------------------------------------------------
 */

void actions_clear(struct actions *as)
{
    for (int i = 0; i < as->count; i++)
        for (int k = 0; k < ACTION_PARAMS; k++)
            free(as->list[i].param[k]);
    *as = (struct actions){0};
}

static int check_param(const struct action_param *p, const char *text, struct err *e)
{
    size_t len = strlen(text);
    const char *expected;

    if (len > ACTION_TEXT_BYTES)
        return err_set(e, ERR_TOO_LONG, "%s: expected at most %d bytes", p->name, ACTION_TEXT_BYTES);
    if (!utf8_valid(text, len))
        return err_set(e, ERR_INVALID, "%s: expected UTF-8", p->name);
    expected = p->check ? p->check(text) : NULL;
    return expected ? err_set(e, ERR_INVALID, "%s: %s", p->name, expected) : 0;
}

int actions_add(struct actions *as, int kind, const char *const *params, struct err *e)
{
    const struct action_kind *k = &kinds[kind];
    struct action *a = &as->list[as->count];

    if (as->count == ACTIONS_MOST)
        return err_set(e, ERR_TOO_LONG, "expected at most %d actions", ACTIONS_MOST);
    for (int i = 0; i < ACTION_PARAMS && k->params[i].name; i++) {
        if (!params[i] && i < k->required)
            return err_set(e, ERR_INVALID, "%s: %s is missing", k->name, k->params[i].name);
        if (params[i] && check_param(&k->params[i], params[i], e) < 0)
            return err_wrap(e, "%s", k->name);
    }
    *a = (struct action){.kind = kind};
    for (int i = 0; i < ACTION_PARAMS && k->params[i].name; i++)
        if (params[i] && !(a->param[i] = strdup(params[i])))
            abort();
    as->count++;
    as->stop = as->stop || k->apply == apply_drop;
    return 0;
}

/* ---- into a verdict -------------------------------------------------------------------------------------
 */

static bool drops(const struct actions *as)
{
    for (int i = 0; i < as->count; i++)
        if (kinds[as->list[i].kind].apply == apply_drop)
            return true;
    return false;
}

static int apply_one(struct applying *ap, const struct action *a, bool drop)
{
    const struct action_kind *k = &kinds[a->kind];

    if (k->needs & NEEDS_CONTACT && !*ap->at->number)
        return err_set(ap->e, ERR_INVALID, "%s: this event has no contact", k->name);
    if (k->needs & NEEDS_CONVERSATION && (!ap->at->conversation || drop))
        return err_set(ap->e, ERR_INVALID, "%s: this event %s conversation", k->name,
                       drop ? "is dropped and gets no" : "has no");
    return k->apply(ap, a->param) < 0 ? err_wrap(ap->e, "%s", k->name) : 0;
}

int actions_apply(const struct actions *as, const struct action_place *at, struct verdict *v, struct err *e)
{
    struct applying ap = {at, v, e};
    int replies = v->nreplies, effects = v->neffects, left_out = v->left_out;
    size_t alarm = v->alarm.len;
    enum store_thread thread = v->thread;
    bool drop = drops(as);

    for (int i = 0; i < as->count; i++) {
        if (apply_one(&ap, &as->list[i], drop) == 0)
            continue;
        while (v->nreplies > replies)
            verdict_unreply(v);
        v->neffects = effects;
        v->left_out = left_out; /* the refusal is told */
        v->alarm.len = alarm;
        if (v->alarm.data)
            v->alarm.data[alarm] = '\0';
        v->thread = thread;
        return err_wrap(e, "actions[%d]", i);
    }
    return 0;
}
