/* The configuration compiled: what the built-in handlers work from. Immutable but for their scratch; a
 * reload makes a new one. Copies all that it needs of struct engine_conf.
 */
#ifndef SIMGATE_ENGINE_PROGRAM_H
#define SIMGATE_ENGINE_PROGRAM_H

#include "engine/engine.h"
#include "engine/handler.h"
#include "engine/language.h"
#include "engine/lists.h"
#include "engine/objectives.h"
#include "engine/pattern.h"
#include "engine/restraint.h"
#include "engine/service.h"
#include "engine/staff.h"
#include "engine/template.h"
#include "engine/words.h"

struct program;
struct plugins;

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

/* A reply: text, or the template that "@NAME" names, in gateway.conf (in all its languages) or in the store.
 * NULL after a problem. */
struct template *compile_reply(const struct engine_conf *conf, const char *reply, const char *place,
                               const struct template_scope *scope, struct problems *p);

/* What templates may say about this event, from everything that the program and the event know: business,
 * hours of the conversation's department (else the business's), survey. The rest is left 0. */
void program_values(const struct program *p, const struct handler_event *ev, struct template_values *out);

/* Renders t to the sender as a reply of `source` (kept by the caller), unless a value without default is
 * missing: then the conversation is flagged for a person, with the reason, and false is returned. False too
 * where there is no room, t is NULL or comes out empty. */
bool program_reply(const struct program *p, const struct handler_event *ev, const struct template *t,
                   const char *source, struct verdict *v);

/* When the walk is done, in this order, also in a trial: what the desk adds where nobody answered (greeting,
 * office hours, relay, clocks: engine/desk.c), then what the guard takes away again (caps, same text twice,
 * whom no machine answers: engine/guard.c). */
void desk_finish(const struct program *p, const struct handler_event *ev, struct verdict *v);
void guard_filter(const struct program *p, const struct handler_event *ev, struct verdict *v);

/* ---- all of it ------------------------------------------------------------------------------------------
 */

struct rules;

struct program {
    int refs;
    char *business, *country;
    struct fold *fold;
    struct language *language;
    struct lists *lists;
    const struct shelf *shelf; /* the engine's; NULL where a configuration is only checked */
    struct staff staff;
    struct consent consent;
    struct guard guard;
    struct sensitive sensitive;
    struct relay relay;
    struct survey survey;
    struct answers answers;
    struct rules *rules;
    struct plugins *plugins;
    struct handler **chain; /* NULL-terminated */
    struct named_template {
        char *name, *place;
        struct template *template;
        int max_segments;
    } * templates; /* of gateway.conf */
    int ntemplates;
    struct handler **trial; /* the same without what speaks with the world outside */
    int64_t reopen_ms;      /* a closed conversation is opened again within it */
    struct {
        int64_t contacts_ms, messages_ms, raw_ms; /* 0 for ever */
    } keep;
    struct objectives objectives;
};

struct plugin_world;

/* NULL when there are problems; all have been told. Holds one reference. */
struct program *program_new(const struct engine_conf *conf, const struct plugin_world *world,
                            const struct shelf *shelf, void (*tell)(void *owner, const char *text),
                            void *owner);
struct program *program_ref(struct program *p);
void program_unref(struct program *p); /* NULL allowed */

/* A template of gateway.conf; NULL: it has none of this name. */
const struct template *program_template(const struct program *p, const char *name);

/* The language of the event's text, as far as it can be told, else its contact's; "". */
const char *program_language(const struct program *p, const struct handler_event *ev);
/* Hours of its conversation's department, else the business's. */
const struct hours *program_hours(const struct program *p, const struct handler_event *ev);
/* Does this message begin a conversation that was not there before? */
bool program_begins(const struct program *p, const struct handler_event *ev);
/* Bits 1 << enum engine_on of what anybody in the chain is asked about. */
unsigned program_on(const struct program *p);

#endif
