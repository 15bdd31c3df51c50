/* Payment cards and what else must not be read by everybody, in what customers write: masked for all others,
 * and the sender is told not to. See base/mask.h. */
#include "engine/program.h"

#include <stdio.h>
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

void sensitive_titles(const struct sensitive *s, struct store_situation *known)
{
    mask_title(s, &known->conv);
    mask_title(s, &known->last);
}
