/* See engine/render.h. A message to a customer is made as a reply to one that wrote nothing. */
#include "engine/render.h"

#include <stdlib.h>

#include "engine/private.h"

struct engine_text {
    const struct engine *en;
    const struct template *template;
    struct template *own; /* NULL: that of a name */
};

int engine_text_new(struct engine *en, const char *text, struct engine_text **out, struct err *e)
{
    struct engine_text *t = calloc(1, sizeof *t);
    bool configured;
    int rc;

    if (!t)
        abort();
    t->en = en;
    *out = t;
    if (*text == '@') {
        t->template = engine_template(en, text + 1, &configured);
        rc = t->template ? 0 : err_set(e, ERR_NOT_FOUND, "there is no template \"%.64s\"", text + 1);
    } else {
        rc = template_new(text, &(struct template_scope){0}, &t->own, e);
        t->template = t->own;
    }
    if (rc < 0) {
        free(t);
        *out = NULL;
    }
    return rc;
}

void engine_text_free(struct engine_text *t)
{
    if (!t)
        return;
    template_free(t->own);
    free(t);
}

const char *engine_text_render(const struct engine_text *t, const char *number,
                               const struct contact_row *contact, int64_t now_wall_ms, struct buf *out)
{
    const struct store_situation known = {.number = number, .contact = *contact};
    const struct handler_event ev = {.key = "",
                                     .on = ENGINE_ON_MESSAGE,
                                     .wall_ms = now_wall_ms,
                                     .now_wall_ms = now_wall_ms,
                                     .from = number,
                                     .modem = "",
                                     .name = "",
                                     .message_class = -1,
                                     .known = &known,
                                     .language = contact->language};
    struct template_values values;

    program_values(t->en->program, &ev, &values);
    return template_render(t->template, &values, out);
}
