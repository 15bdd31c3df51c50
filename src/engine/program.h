/* The configuration compiled: what the built-in handlers work from. Immutable but for their scratch; a
 * reload makes a new one. Copies all that it needs of struct engine_conf.
 */
#ifndef SIMGATE_ENGINE_PROGRAM_H
#define SIMGATE_ENGINE_PROGRAM_H

#include "engine/engine.h"
#include "engine/handler.h"
#include "engine/pattern.h"
#include "engine/template.h"
#include "engine/words.h"

/* Errors of the configuration, all of them. */
struct problems {
    void (*tell)(void *owner, const char *text); /* NULL: nobody reads them */
    void *owner;
    int count;
};
void problem(struct problems *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum { PLACE_BYTES = 240 };
/* "gateway.conf: ", or nothing where the file was not said; in out. */
const char *conf_prefix(const struct engine_conf *conf, char out[PLACE_BYTES]);

/* A reply: text, or the template that "@NAME" names. NULL after a problem. */
struct template *compile_reply(const struct engine_conf *conf, const char *reply, const char *place,
                               const struct template_scope *scope, struct problems *p);

/* What templates may say about this event, from everything that the program and the event know: business,
 * hours of the conversation's department (else the business's), survey. The rest is left 0. */
struct program;
void program_values(const struct program *p, const struct handler_event *ev, struct template_values *out);

/* Renders t to the sender as a reply of `source` (kept by the caller), unless a value without default is
 * missing: then the conversation is flagged for a person, with the reason, and false is returned. False too
 * where there is no room, t is NULL or comes out empty. */
bool program_reply(const struct program *p, const struct handler_event *ev, const struct template *t,
                   const char *source, struct verdict *v);

/* When the walk is done, in this order, also in a trial: what the desk adds where nobody answered (greeting,
 * office hours, relay, clocks: engine/desk.c), then what the guard takes away again (caps, same text twice,
 * whom no machine answers: engine/guard.c). */
void desk_finish(const struct program *p, const struct handler_event *ev, struct verdict *v)
    __attribute__((weak));
void guard_filter(const struct program *p, const struct handler_event *ev, struct verdict *v)
    __attribute__((weak));

/* ---- consent --------------------------------------------------------------------------------------------
 */

enum consent_word {
    WORD_STOP,
    WORD_START,
    WORD_AGAIN, /* means START to those only who are opted out: "yes" */
    WORD_HELP,
    CONSENT_WORDS,
};

struct consent {
    struct handler handler;
    const struct fold *fold;
    const char *business;
    struct words *words;   /* owner: enum consent_word */
    struct words *fillers; /* what may stand beside STOP without changing its sense */
    struct template *replies[CONSENT_WORDS];
    int most_replies; /* automatic replies to a number, from which on confirmations are left out too */
};
void consent_compile(struct consent *c, const struct engine_conf *conf, const struct fold *fold,
                     struct problems *p);
void consent_fini(struct consent *c);
/* Whether a message of this word alone never reaches the rules. */
bool consent_takes(const struct consent *c, const char *keyword);

/* ---- guard ----------------------------------------------------------------------------------------------
 */

struct guard {
    struct handler handler;
    int most_replies;
    int64_t window_ms;
};
void guard_compile(struct guard *g, const struct engine_conf *conf, struct problems *p);

/* ---- sensitive data ------------------------------------------------------------------------------------
 */

struct sensitive {
    struct mask *mask;
    struct template *reply; /* to who sends such data; NULL none */
};
void sensitive_compile(struct sensitive *s, const struct engine_conf *conf, struct problems *p);
void sensitive_fini(struct sensitive *s);
/* Fills ev->shown and ev->sensitive (which may be set already: it was stored masked); room keeps the masked
 * text. Whoever makes an event calls it before the walk; handlers show `shown` to others, never `text`. */
void sensitive_show(const struct sensitive *s, struct handler_event *ev, struct buf *room);

/* ---- rules ----------------------------------------------------------------------------------------------
 */

struct rule {
    char *name, *place;
    char *source; /* "rule:NAME" */
    int on;       /* enum engine_on */
    bool keyworded;
    struct pattern *pattern; /* NULL: no such condition */
    struct template *reply;  /* NULL none */
    struct template *alarm;  /* NULL none */
    bool also;
    /* of the event under way */
    uint64_t hit; /* rules.events when a keyword was found */
    const char *keyword;
};

struct rules {
    struct handler handler;
    const struct fold *fold;
    const char *business;
    struct matcher *matcher;
    struct words *keywords; /* owner: index of the rule */
    struct rule *list;
    int count;
    uint64_t events; /* evaluated so far */
};
void rules_compile(struct rules *r, const struct engine_conf *conf, const struct fold *fold,
                   struct problems *p);
void rules_fini(struct rules *r);

/* ---- all of it ------------------------------------------------------------------------------------------
 */

struct program {
    char *business;
    struct fold *fold;
    struct consent consent;
    struct guard guard;
    struct sensitive sensitive;
    struct rules rules;
    struct handler *chain[4];
};

/* NULL when there are problems; all have been told. */
struct program *program_new(const struct engine_conf *conf, void (*tell)(void *owner, const char *text),
                            void *owner);
void program_free(struct program *p);

#endif
