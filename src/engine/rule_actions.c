/* Actions of rules done: into the verdict of the event under way.
 *
 * A text that lacks a value is not sent half: the conversation is flagged for a person, with the reason.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "engine/plugins.h"
#include "engine/rules.h"

enum { FORWARD_PHONES = 16 };

static void why(struct asking *a, const char *what, const char *value)
{
    verdict_why(a->verdict, "%s \"%s\": %s%s%s", a->rule->place, a->rule->name, what, *value ? " " : "",
                value);
}

static void effect(struct asking *a, const struct store_effect *e)
{
    if (verdict_effect(a->verdict, e))
        why(a, effect_name(e->kind), e->value ? e->value : e->name ? e->name : "");
}

static struct template_values values_of(struct asking *a)
{
    struct template_values v;

    program_values(a->program, a->event, &v);
    v.pattern = a->rule->pattern;
    v.keyword = a->rule->keyworded ? a->rule->keyword : a->rule->worded ? a->rule->word : NULL;
    return v;
}

/* For a person to see to: it would have lacked a value. */
static void hold(struct asking *a, const char *what, const char *missing)
{
    char text[MSG_REASON_BYTES];

    snprintf(text, sizeof text, "rule %.60s: %s held, no value for %.60s", a->rule->name, what, missing);
    verdict_flag(a->verdict, a->event, text);
    why(a, what, "held: a value is missing");
    verdict_why(a->verdict, "%s", text);
}

/* Appends t to out; false, seen to, where a value is missing or nothing is in it. */
static bool say(struct asking *a, const struct template *t, const char *what, struct buf *out)
{
    struct template_values v = values_of(a);
    size_t before = out->len;
    const char *missing = template_render(t, &v, out);

    if (missing) {
        hold(a, what, missing);
        return false;
    }
    if (out->len == before)
        verdict_why(a->verdict, "%s \"%s\": the %s is empty, none is sent", a->rule->place, a->rule->name,
                    what);
    return out->len > before;
}

/* What only we read: it is told all the same where a value is missing. */
static void tell(struct asking *a, const struct template *t, struct buf *out)
{
    struct template_values v = values_of(a);
    const char *missing = template_render(t, &v, out);

    if (missing)
        buf_addf(out, "rule %s (no value for %s)", a->rule->name, missing);
}

static void do_contact(struct asking *a, const struct rule_actions *act)
{
    for (char **t = act->tag; t && *t; t++)
        effect(a, &(struct store_effect){.kind = EFFECT_TAG, .name = *t});
    for (char **t = act->untag; t && *t; t++)
        effect(a, &(struct store_effect){.kind = EFFECT_UNTAG, .name = *t});
    for (int i = 0; i < act->nset; i++) {
        struct template_values v = values_of(a);
        struct buf value = {0};
        const char *missing = template_render(act->set[i].value, &v, &value);

        if (missing)
            hold(a, act->set[i].name, missing);
        else
            effect(a, &(struct store_effect){
                          .kind = EFFECT_ATTRIBUTE, .name = act->set[i].name, .value = buf_str(&value)});
        buf_free(&value);
    }
    if (act->consent)
        effect(a, &(struct store_effect){
                      .kind = EFFECT_CONSENT, .n = act->consent, .name = "", .value = a->rule->source});
}

static void do_conversation(struct asking *a, const struct rule_actions *act)
{
    if (act->department)
        effect(a, &(struct store_effect){.kind = EFFECT_DEPARTMENT, .value = act->department});
    if (act->assign)
        effect(a, &(struct store_effect){.kind = EFFECT_ASSIGN, .value = act->assign});
    if (act->priority >= 0)
        effect(a, &(struct store_effect){.kind = EFFECT_PRIORITY, .n = act->priority});
    if (act->note) {
        struct buf text = {0};

        tell(a, act->note, &text);
        effect(a, &(struct store_effect){.kind = EFFECT_NOTE, .value = buf_str(&text)});
        buf_free(&text);
    }
    if (act->state)
        effect(a, &(struct store_effect){.kind = EFFECT_STATE,
                                         .n = act->state,
                                         .at_wall_ms =
                                             act->snooze_ms ? a->event->now_wall_ms + act->snooze_ms : 0});
}

/* Those of several rules are one text. */
static void do_alarm(struct asking *a, const struct rule_actions *act)
{
    struct verdict *v = a->verdict;
    size_t before = v->alarm.len;

    if (!act->alarm)
        return;
    if (before)
        buf_adds(&v->alarm, "; ");
    tell(a, act->alarm, &v->alarm);
    verdict_why(v, "%s \"%s\": alarm \"%s\"", a->rule->place, a->rule->name, buf_str(&v->alarm) + before);
}

/* A trial only tells it. */
static void do_log(struct asking *a, const struct rule_actions *act)
{
    struct buf text = {0};

    if (!act->log)
        return;
    tell(a, act->log, &text);
    if (a->verdict->why)
        why(a, "log", buf_str(&text));
    else
        log_notice("engine", "rule %s: %s", a->rule->name, log_masked(buf_str(&text)));
    buf_free(&text);
}

static void do_reply(struct asking *a, const struct rule_actions *act)
{
    struct verdict_reply *reply;

    if (!act->reply) {
        why(a, "has no reply", "");
        return;
    }
    reply = verdict_reply(a->verdict, a->rule->source, false);
    if (!reply)
        why(a, "no reply:", a->verdict->silent ? a->verdict->silent : "there are enough to this number");
    else if (!say(a, act->reply, "reply", &reply->text))
        verdict_unreply(a->verdict);
}

/* ---- to others ---- */

/* One text to a number. */
struct sending {
    struct asking *a;
    const struct template *text; /* NULL: the message itself */
    const char *what;
    int left_out; /* for whom there was no room */
};

/* The message as it is forwarded: who wrote it, and what others may read of it. */
static bool put_message(const struct asking *a, struct buf *out)
{
    const struct handler_event *ev = a->event;
    const struct span *text = ev->shown.at ? &ev->shown : &ev->text;
    const char *name = ev->known->contact.name;

    if (ev->on != ENGINE_ON_MESSAGE)
        buf_addf(out, "%s%s%s ", engine_on_names[ev->on], *ev->name ? " " : "", ev->name);
    if (*name)
        buf_addf(out, "%s ", name);
    buf_adds(out, ev->from);
    if (text->len > 0) {
        buf_adds(out, out->len ? ": " : "");
        buf_add(out, text->at, text->len);
    }
    return out->len > 0;
}

static void send_one(struct sending *s, const char *number, const struct person *person)
{
    struct asking *a = s->a;
    struct verdict_reply *r = verdict_send(a->verdict, a->rule->source, number);
    bool have;

    if (!r) {
        s->left_out++;
        return;
    }
    have = s->text ? say(a, s->text, s->what, &r->text) : put_message(a, &r->text);
    if (!have) {
        verdict_unreply(a->verdict);
        return;
    }
    if (person || staff_by_number(&a->program->staff, number)) {
        r->staff = true;
        r->conversation = -1;
    }
}

static void send_each(void *owner, const char *number)
{
    send_one(owner, number, NULL);
}

static void send_to_person(struct sending *s, const struct person *p)
{
    if (*p->number)
        send_one(s, p->number, p);
    else
        why(s->a, "cannot be told, without a number:", p->name);
}

static void send_to_department(struct sending *s, const char *name)
{
    const struct person *phones[FORWARD_PHONES];
    int n = staff_phones(&s->a->program->staff, name, "", s->a->event->now_wall_ms, phones, FORWARD_PHONES);

    if (n == 0)
        why(s->a, "nobody is on duty in", name);
    for (int i = 0; i < n; i++)
        send_to_person(s, phones[i]);
}

static void send_to(struct sending *s, const struct sendee *to)
{
    struct asking *a = s->a;

    switch (to->kind) {
    case SENDEE_NUMBER:
        send_one(s, to->name, NULL);
        break;
    case SENDEE_PERSON:
        send_to_person(s, to->person);
        break;
    case SENDEE_DEPARTMENT:
        send_to_department(s, to->name);
        break;
    case SENDEE_LIST:
        number_set_each(lists_set(a->program->lists, to->list), send_each, s);
        break;
    case SENDEE_PLUGIN:
        if (plugins_forward(a->program->plugins, to->name, a->event, a->verdict))
            why(a, "forward to", to->name);
        else
            why(a, "not forwarded, there is no room:", to->name);
        break;
    }
}

/* Told once, however many they are: a list may have a million. */
static void tell_left_out(const struct sending *s)
{
    const struct asking *a = s->a;

    if (s->left_out == 0)
        return;
    verdict_why(a->verdict, "%s \"%s\": %s to %d numbers left out, there are %d messages already",
                a->rule->place, a->rule->name, s->what, s->left_out, VERDICT_REPLIES);
    if (!a->verdict->why)
        log_warning("engine", "rule %s: %s to %d numbers is left out, there are %d messages already",
                    a->rule->name, s->what, s->left_out, VERDICT_REPLIES);
}

static void do_send(struct asking *a, const struct rule_actions *act)
{
    struct sending send = {a, act->send, "send", 0}, forward = {a, NULL, "forward", 0};

    for (int i = 0; i < act->nsend_to; i++)
        send_to(&send, &act->send_to[i]);
    for (int i = 0; i < act->nforward; i++)
        send_to(&forward, &act->forward[i]);
    tell_left_out(&send);
    tell_left_out(&forward);
}

void rule_act(struct asking *a)
{
    const struct rule_actions *act = &a->rule->actions;

    a->verdict->by = a->rule->source;
    if (act->drop)
        a->verdict->thread = THREAD_NONE;
    do_contact(a, act);
    do_conversation(a, act);
    if (a->rule->once_per_ms > 0)
        effect(a, &(struct store_effect){.kind = EFFECT_ONCE, .name = a->rule->name});
    do_alarm(a, act);
    do_log(a, act);
    do_reply(a, act);
    do_send(a, act);
    a->verdict->by = NULL;
}
