/* Payment cards and what else must not be read by everybody, in what customers write: masked for all others,
 * and the sender is told not to. See base/mask.h. */
#include "engine/program.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void sensitive_compile(struct sensitive *s, const struct engine_conf *conf, struct problems *p)
{
    const struct sensitive_conf *sc = &conf->sensitive;
    struct template_scope scope = {0};
    struct err e = {0};
    char file[PLACE_BYTES], place[PLACE_BYTES + 32];

    if (mask_new(sc->cards, sc->patterns, &s->mask, &e) < 0)
        problem(p, "%ssensitive.%s", conf_prefix(conf, file), e.text);
    snprintf(place, sizeof place, "%ssensitive.reply", conf_prefix(conf, file));
    if (sc->reply && *sc->reply)
        s->reply = compile_reply(conf, sc->reply, place, &scope, p);
}

void sensitive_fini(struct sensitive *s)
{
    mask_free(s->mask);
    template_free(s->reply);
}

void sensitive_show(const struct sensitive *s, struct handler_event *ev, struct buf *room)
{
    size_t before = room->len;

    ev->shown = ev->text;
    if (!ev->text.at || mask_text(s->mask, ev->text.at, ev->text.len, room) == 0)
        return;
    ev->shown = (struct span){room->data + before, room->len - before};
    ev->sensitive = true;
}

static void mask_title(const struct sensitive *s, struct conv_row *c)
{
    struct buf masked = {0};

    if (mask_text(s->mask, c->title, strlen(c->title), &masked) > 0)
        str_copy(c->title, sizeof c->title, buf_str(&masked));
    buf_free(&masked);
}

/* A rule may have taken one out of a text. */
static void mask_attributes(const struct sensitive *s, struct contact_row *c)
{
    json_t *all = c->attributes ? json_loads(c->attributes, 0, NULL) : NULL, *value;
    bool any = false;
    const char *name;
    char *text;

    json_object_foreach(all, name, value)
    {
        struct buf masked = {0};

        if (json_is_string(value) &&
            mask_text(s->mask, json_string_value(value), json_string_length(value), &masked) > 0)
            any |= json_string_setn(value, masked.data, masked.len) == 0;
        buf_free(&masked);
    }
    if (any && (text = json_dumps(all, JSON_COMPACT))) {
        free(c->attributes);
        c->attributes = text;
    }
    json_decref(all);
}

void sensitive_titles(const struct sensitive *s, struct store_situation *known)
{
    mask_attributes(s, &known->contact);
    mask_title(s, &known->conv);
    mask_title(s, &known->last);
}
