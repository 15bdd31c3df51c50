/* The customer side as JSON: contacts, conversations, timelines, consent, deliveries. As json.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/desk.h"

static const char *const priority_names[] = {[PRIORITY_LOW] = "low",
                                             [PRIORITY_NORMAL] = "normal",
                                             [PRIORITY_HIGH] = "high",
                                             [PRIORITY_URGENT] = "urgent"};
static const char *const clock_names[CLOCKS] = {
    [CLOCK_FIRST] = "first", [CLOCK_NEXT] = "next", [CLOCK_RESOLUTION] = "resolution"};

static void put_number(json_t *to, const char *name, int64_t n)
{
    json_object_set_new(to, name, json_integer(n));
}

static void put_bool(json_t *to, const char *name, bool b)
{
    json_object_set_new(to, name, json_boolean(b));
}

const char *consent_name(enum consent_state s)
{
    return s == CONSENT_IN ? "in" : s == CONSENT_OUT ? "out" : "unknown";
}

/* ---- conversations ---- */

/* Left out where no clock runs, or none is late. */
static void put_clocks(json_t *to, const char *name, const int64_t at_wall_ms[CLOCKS])
{
    json_t *clocks = json_object();

    for (int i = 0; i < CLOCKS; i++)
        json_put_time(clocks, clock_names[i], at_wall_ms[i]);
    if (json_object_size(clocks))
        json_object_set(to, name, clocks);
    json_decref(clocks);
}

static void put_survey(json_t *to, const struct conv_row *c)
{
    json_t *s;

    if (!c->survey_wall_ms)
        return;
    s = json_object();
    json_put_time(s, "asked", c->survey_wall_ms);
    json_put_text(s, "person", c->survey_person);
    if (c->survey_score >= 0)
        put_number(s, "score", c->survey_score);
    json_put_time(s, "answered", c->survey_answered_wall_ms);
    json_object_set_new(to, "survey", s);
}

static bool is_overdue(const struct conv_row *c)
{
    for (int i = 0; i < CLOCKS; i++)
        if (c->due_wall_ms[i] && c->overdue_wall_ms[i])
            return true;
    return false;
}

json_t *json_conversation(const struct conv_row *c)
{
    json_t *o = json_object();

    put_number(o, "id", c->id);
    json_object_set_new(o, "state", json_string(conv_state_name(c->state)));
    json_object_set_new(o, "priority", json_string(priority_names[c->priority]));
    json_object_set_new(o, "number", json_text(c->number));
    json_put_text(o, "name", c->name);
    json_put_text(o, "modem", c->sim);
    json_put_text(o, "department", c->department);
    json_put_text(o, "assignee", c->assignee);
    json_put_text(o, "title", c->title);
    put_bool(o, "flagged", c->flagged);
    put_bool(o, "overdue", is_overdue(c));
    json_put_time(o, "created", c->created_wall_ms);
    json_put_time(o, "changed", c->changed_wall_ms);
    json_put_time(o, "customer_wrote", c->last_in_wall_ms);
    json_put_time(o, "waiting_since", c->waiting_wall_ms);
    json_put_time(o, "first_response", c->first_response_wall_ms);
    json_put_time(o, "person_wrote", c->person_wall_ms);
    json_put_time(o, "snoozed_until", c->snoozed_until_wall_ms);
    json_put_time(o, "closed", c->closed_wall_ms);
    put_number(o, "reopened", c->reopened);
    put_number(o, "messages_in", c->messages_in);
    put_number(o, "replies_by_persons", c->replies_by_persons);
    put_number(o, "replies_automatic", c->replies_automatic);
    put_clocks(o, "due", c->due_wall_ms);
    put_clocks(o, "late", c->overdue_wall_ms);
    put_survey(o, c);
    return o;
}

json_t *json_timeline(const struct timeline_row *t)
{
    json_t *o = json_object();

    put_number(o, "entry", t->id);
    json_object_set_new(o, "kind", json_string(timeline_kind_name(t->kind)));
    json_put_time(o, "at", t->at_wall_ms);
    json_put_text(o, "who", t->who);
    json_put_text(o, "what", t->what);
    json_put_text(o, "text", t->text);
    if (t->message.id) {
        put_bool(o, "automatic", t->message.flags & MSG_F_AUTOMATIC);
        json_object_set_new(o, "message", json_message(&t->message));
    }
    return o;
}

/* ---- contacts ---- */

json_t *json_words(const char *words)
{
    json_t *list = json_array();
    char *copy = strdup(words ? words : ""), *save = NULL;

    if (!copy)
        abort();
    for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save))
        json_array_append_new(list, json_text(one));
    free(copy);
    return list;
}

json_t *json_contact(const struct contact_row *c)
{
    json_t *o = json_object(), *attributes = c->attributes ? json_loads(c->attributes, 0, NULL) : NULL;

    json_object_set_new(o, "number", json_text(c->number));
    if (c->others)
        json_object_set_new(o, "other_numbers", json_words(c->others));
    json_put_text(o, "name", c->name);
    json_put_text(o, "language", c->language);
    json_put_text(o, "zone", c->zone);
    json_object_set_new(o, "tags", json_words(c->tags));
    json_object_set_new(o, "attributes",
                        json_is_object(attributes) ? json_incref(attributes) : json_object());
    json_decref(attributes);
    json_put_text(o, "notes", c->notes);
    json_put_time(o, "created", c->created_wall_ms);
    json_put_time(o, "changed", c->changed_wall_ms);
    return o;
}

/* ---- consent, deliveries ---- */

json_t *json_consent(const struct consent_row *c)
{
    json_t *o = json_object();

    json_object_set_new(o, "number", json_text(c->number));
    json_object_set_new(o, "state", json_string(consent_name(c->state)));
    json_put_text(o, "modem", c->sim);
    json_put_time(o, "since", c->at_wall_ms);
    return o;
}

json_t *json_ledger(const struct ledger_row *l)
{
    json_t *o = json_object();

    put_number(o, "id", l->id);
    json_put_time(o, "at", l->at_wall_ms);
    json_object_set_new(o, "number", json_text(l->number));
    json_object_set_new(o, "state", json_string(consent_name(l->state)));
    json_put_text(o, "modem", l->sim);
    json_put_text(o, "who", l->who);
    json_put_text(o, "how", l->how);
    json_put_text(o, "words", l->words);
    if (l->message)
        put_number(o, "message", l->message);
    return o;
}

json_t *json_delivery(const struct delivery_row *d)
{
    json_t *o = json_object();

    put_number(o, "id", d->id);
    json_object_set_new(o, "handler", json_text(d->handler));
    json_object_set_new(o, "event", json_text(d->event));
    put_number(o, "attempts", d->attempts);
    json_put_time(o, "created", d->created_wall_ms);
    json_put_time(o, "next", d->next_wall_ms);
    if (d->conversation)
        put_number(o, "conversation", d->conversation);
    if (d->message)
        put_number(o, "message", d->message);
    json_put_text(o, "reason", d->reason);
    return o;
}
