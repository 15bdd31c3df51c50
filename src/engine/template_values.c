/* What templates can say: one small function for each value. */
#include "engine/template_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

enum {
    MS_PER_S = 1000,
    HOURS_WORDS_BYTES = 96,
    NAME_LONG = 30,
    NUMBER_LONG = 16,
    TEXT_LONG = 160,
    WORD_LONG = 20
};

static bool set_text(struct filled *out, const char *text)
{
    out->text = text ? (struct span){text, strlen(text)} : (struct span){0};
    return text && *text;
}

static bool set_span(struct filled *out, struct span text)
{
    out->text = text;
    return text.at != NULL;
}

static bool set_own(struct filled *out)
{
    out->text = (struct span){buf_str(&out->own), out->own.len};
    return true;
}

static bool set_number(struct filled *out, int64_t n)
{
    if (n == 0)
        return false;
    buf_addf(&out->own, "%lld", (long long)n);
    return set_own(out);
}

void template_local(const struct template_values *v, int64_t wall_ms, struct zone_time *out)
{
    time_t at_s = (time_t)(wall_ms / MS_PER_S);
    struct tm tm;

    if (v->zone) {
        zone_local(v->zone, wall_ms, out);
        return;
    }
    localtime_r(&at_s, &tm);
    *out = (struct zone_time){.year = tm.tm_year + 1900,
                              .month = tm.tm_mon + 1,
                              .day = tm.tm_mday,
                              .minute = tm.tm_hour * 60 + tm.tm_min};
}

/* As people write it, to the minute, until a filter says otherwise. */
static bool set_time(struct filled *out, const struct template_values *v, int64_t wall_ms)
{
    struct zone_time t;

    if (wall_ms <= 0)
        return false;
    template_local(v, wall_ms, &t);
    buf_addf(&out->own, "%04d-%02d-%02d %02d:%02d", t.year, t.month, t.day, t.minute / 60, t.minute % 60);
    out->wall_ms = wall_ms;
    return set_own(out);
}

static const struct contact_row *contact(const struct template_values *v)
{
    return v->event->known ? &v->event->known->contact : NULL;
}

static const struct conv_row *conversation(const struct template_values *v)
{
    return v->event->known ? &v->event->known->conv : NULL;
}

static bool get_gateway_name(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_text(out, v->business);
}

static bool get_message_text(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_span(out, v->event->text);
}

static bool get_message_from(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_text(out, v->event->from);
}

static bool get_message_id(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_number(out, v->event->id);
}

static bool get_message_time(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_time(out, v, v->event->wall_ms);
}

static bool get_now(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_time(out, v, v->event->now_wall_ms);
}

static bool get_modem_name(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_text(out, v->event->modem);
}

static bool get_keyword(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_text(out, v->keyword);
}

static bool get_match(const struct template_values *v, const char *arg, struct filled *out)
{
    struct span found = {0};

    return v->pattern && pattern_group(v->pattern, arg, &found) && set_span(out, found);
}

static bool get_contact_name(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return contact(v) && set_text(out, contact(v)->name);
}

static bool get_contact_number(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_text(out, contact(v) && *contact(v)->number ? contact(v)->number : v->event->from);
}

static bool get_contact_language(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return contact(v) && set_text(out, contact(v)->language);
}

static bool get_contact_attribute(const struct template_values *v, const char *arg, struct filled *out)
{
    char *value = contact(v) ? contact_attribute(contact(v), arg) : NULL;

    if (!value)
        return false;
    buf_adds(&out->own, value);
    free(value);
    return set_own(out);
}

static bool get_conversation_id(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_number(out,
                      conversation(v) && conversation(v)->id ? conversation(v)->id : v->event->conversation);
}

static bool get_conversation_title(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return conversation(v) && set_text(out, conversation(v)->title);
}

static bool get_department(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return conversation(v) && set_text(out, conversation(v)->department);
}

static bool get_person(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    if (v->person)
        return set_text(out, v->person);
    return conversation(v) && set_text(out, conversation(v)->assignee);
}

static const char *language_for_words(const struct template_values *v)
{
    if (v->language)
        return v->language;
    if (contact(v) && *contact(v)->language)
        return contact(v)->language;
    return v->event->language ? v->event->language : "";
}

static bool get_hours_next(const struct template_values *v, const char *arg, struct filled *out)
{
    char words[HOURS_WORDS_BYTES] = "";

    (void)arg;
    if (!v->hours)
        return false;
    hours_next_words(v->hours, v->event->now_wall_ms, language_for_words(v), words);
    buf_adds(&out->own, words);
    return *words && set_own(out);
}

static bool get_event_name(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return set_text(out, v->event->name);
}

static bool get_event_text(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    return v->event->on >= ENGINE_ON_REPORT && set_span(out, v->event->text);
}

static bool get_survey_scale(const struct template_values *v, const char *arg, struct filled *out)
{
    (void)arg;
    if (v->survey_min == v->survey_max)
        return false;
    buf_addf(&out->own, "%d-%d", v->survey_min, v->survey_max);
    return set_own(out);
}

static const struct template_value values[] = {
    {"gateway.name", get_gateway_name, NAME_LONG, NULL},
    {"message.text", get_message_text, TEXT_LONG, NULL},
    {"message.from", get_message_from, NUMBER_LONG, NULL},
    {"message.id", get_message_id, 8, NULL},
    {"message.time", get_message_time, 16, NULL},
    {"modem.name", get_modem_name, WORD_LONG, NULL},
    {"keyword", get_keyword, WORD_LONG, NULL},
    {"match.", get_match, WORD_LONG, NULL},
    {"contact.name", get_contact_name, NAME_LONG, NULL},
    {"contact.number", get_contact_number, NUMBER_LONG, NULL},
    {"contact.language", get_contact_language, 5, NULL},
    {"contact.attribute.", get_contact_attribute, NAME_LONG, NULL},
    {"conversation.id", get_conversation_id, 6, NULL},
    {"conversation.title", get_conversation_title, 40, NULL},
    {"department", get_department, WORD_LONG, NULL},
    {"person", get_person, NAME_LONG, NULL},
    {"hours.next", get_hours_next, 0, hours_words_form},
    {"event.name", get_event_name, WORD_LONG, NULL},
    {"event.text", get_event_text, TEXT_LONG, NULL},
    {"survey.scale", get_survey_scale, 4, NULL},
    {"now", get_now, 16, NULL},
};

const struct template_value *template_value_find(const char *name, const char **arg)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        size_t len = strlen(values[i].name);
        bool family = values[i].name[len - 1] == '.';

        *arg = name + len;
        if (family ? strncmp(name, values[i].name, len) == 0 && **arg != '\0'
                   : strcmp(name, values[i].name) == 0)
            return &values[i];
    }
    return NULL;
}

void template_value_names(char *out, size_t size)
{
    size_t len = 0;

    *out = '\0';
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        const char *name = values[i].name;
        bool family = name[strlen(name) - 1] == '.';

        snprintf(out + len, size - len, "%s%s%s", i > 0 ? ", " : "", name, family ? "NAME" : "");
        len += strlen(out + len);
    }
}
