/* The configuration compiled: what the built-in handlers work from. Immutable but for their scratch; a
 * reload makes a new one. Copies all that it needs of struct engine_conf.
 */
#ifndef SIMGATE_ENGINE_PROGRAM_H
#define SIMGATE_ENGINE_PROGRAM_H

#include "engine/engine.h"
#include "engine/handler.h"
#include "engine/pattern.h"
#include "engine/restraint.h"
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
