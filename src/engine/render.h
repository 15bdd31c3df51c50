/* Texts to customers outside of any event (campaigns): a text with {{values}}, or the template that "@NAME"
 * names. */
#ifndef SIMGATE_ENGINE_RENDER_H
#define SIMGATE_ENGINE_RENDER_H

#include "base/buf.h"
#include "engine/engine.h"

struct engine_text;

/* ERR_INVALID: what is wrong with the text; ERR_NOT_FOUND: there is no such template. Of use until the next
 * turn of the loop, as a template may change. */
int engine_text_new(struct engine *en, const char *text, struct engine_text **out, struct err *e);
void engine_text_free(struct engine_text *t);

/* Appends what it says to this contact, in its language as far as there are several. The first value that is
 * missing and has no default is returned, and nothing appended; NULL: there is none. */
const char *engine_text_render(const struct engine_text *t, const char *number,
                               const struct contact_row *contact, int64_t now_wall_ms, struct buf *out);

#endif
