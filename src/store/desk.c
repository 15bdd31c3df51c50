/* The customer side's words and rows: names, what may follow what, freeing. See store/desk.h. Pure. */
#include "store/desk.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "store/store.h"

static const char *const effect_names[EFFECT_KINDS] = {
    [EFFECT_STATE] = "state",
    [EFFECT_DEPARTMENT] = "department",
    [EFFECT_ASSIGN] = "assign",
    [EFFECT_PRIORITY] = "priority",
    [EFFECT_FLAG] = "flag",
    [EFFECT_NOTE] = "note",
    [EFFECT_CLOCK] = "clock",
    [EFFECT_OVERDUE] = "overdue",
    [EFFECT_OFFICE] = "office",
    [EFFECT_SURVEY_ASK] = "survey ask",
    [EFFECT_SURVEY_SCORE] = "survey score",
    [EFFECT_SURVEY_COMMENT] = "survey comment",
    [EFFECT_CONTACT] = "contact",
    [EFFECT_ATTRIBUTE] = "attribute",
    [EFFECT_TAG] = "tag",
    [EFFECT_UNTAG] = "untag",
    [EFFECT_CONSENT] = "consent",
    [EFFECT_ONCE] = "once",
    [EFFECT_MUTE] = "mute",
    [EFFECT_DELIVER] = "deliver",
    [EFFECT_VALUE] = "value",
};

const char *effect_name(enum effect_kind k)
{
    return effect_names[k];
}

static const char *const state_names[CONV_STATES] = {
    [CONV_NEW] = "new",         [CONV_OPEN] = "open",     [CONV_WAITING] = "waiting",
    [CONV_SNOOZED] = "snoozed", [CONV_CLOSED] = "closed", [CONV_SPAM] = "spam",
};
static const char *const event_names[DESK_EVENTS] = {
    [DESK_REPORT] = "report", [DESK_OPENED] = "opened",     [DESK_ASSIGNED] = "assigned",
    [DESK_CLOSED] = "closed", [DESK_OVERDUE] = "overdue",   [DESK_SURVEY] = "survey",
    [DESK_ALARM] = "alarm",   [DESK_SCHEDULE] = "schedule",
};

const char *conv_state_name(enum conv_state s)
{
    return s >= CONV_NEW && s < CONV_STATES ? state_names[s] : "?";
}

bool conv_state_from_name(const char *name, enum conv_state *out)
{
    for (unsigned s = CONV_NEW; s < CONV_STATES; s++)
        if (strcmp(state_names[s], name) == 0) {
            *out = (enum conv_state)s;
            return true;
        }
    return false;
}

static bool is_live(enum conv_state s)
{
    return s < CONV_CLOSED;
}

bool conv_state_allowed(enum conv_state from, enum conv_state to)
{
    if (from < CONV_NEW || from >= CONV_STATES || to < CONV_NEW || to >= CONV_STATES)
        return false;
    return is_live(from) || to == CONV_OPEN || to == from;
}

const char *desk_event_name(enum desk_event k)
{
    return k >= DESK_REPORT && k < DESK_EVENTS ? event_names[k] : "?";
}

/* ---- rows ---- */

void contact_row_clear(struct contact_row *c)
{
    free(c->tags);
    free(c->attributes);
    free(c->notes);
    free(c->others);
    *c = (struct contact_row){0};
}

bool tag_is_good(const char *tag)
{
    size_t len = tag ? strlen(tag) : 0;

    if (len == 0 || len >= DESK_WORD_BYTES || *tag == '!')
        return false;
    for (; *tag; tag++)
        if ((unsigned char)*tag <= ' ' || *tag == 0x7f || *tag == ',')
            return false;
    return true;
}

bool contact_has_tag(const struct contact_row *c, const char *tag)
{
    size_t len = strlen(tag);

    for (const char *at = c->tags; at && *at && (at = strstr(at, tag)); at++)
        if (at > c->tags && at[-1] == ',' && at[len] == ',')
            return true;
    return false;
}

char *contact_attribute(const struct contact_row *c, const char *name)
{
    json_t *all = c->attributes ? json_loads(c->attributes, 0, NULL) : NULL;
    const char *value = json_string_value(json_object_get(all, name));
    char *copy = value ? strdup(value) : NULL;

    json_decref(all);
    return copy;
}

void event_row_clear(struct event_row *e)
{
    free(e->text);
    *e = (struct event_row){0};
}

void delivery_row_clear(struct delivery_row *d)
{
    free(d->body);
    *d = (struct delivery_row){0};
}

uint64_t store_text_hash(const char *text)
{
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a */

    for (const char *at = text ? text : ""; *at; at++)
        h = (h ^ (unsigned char)*at) * 0x100000001B3u;
    return h;
}
