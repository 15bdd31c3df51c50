/* The configured handlers: exec, webhook, Lua, shared object, smstools' event and check handlers, mail.
 *
 * Each is a `struct handler` for the chain. What is the same for all of them is here (plugins.c): at most so
 * many events at a time, the deadline, what happens on failure (next, stop, hold), leaving alone for a
 * growing time what has failed, health, and applying what it answered: all of an answer or nothing.
 *
 * One set belongs to one program (a generation of gateway.conf). It must outlive the walks that it is asked
 * in; what is on its way to a handler as a delivery (EFFECT_DELIVER) is given back to the courier.
 */
#ifndef SIMGATE_ENGINE_PLUGINS_H
#define SIMGATE_ENGINE_PLUGINS_H

#include "base/rt.h"
#include "engine/handler.h"
#include "os/child.h"
#include "os/transfer.h"
#include "store/store.h"

struct problems;
struct program;

/* What they stand on. The engine's, in place as long as there are plugins; members are set when the engine
 * comes to know them, and are NULL where a configuration is only checked. */
struct plugin_world {
    struct rt *rt;
    struct store *store;
    struct child_host *children;
    struct transfer_host *transfers;
};

struct plugins;

/* Reads scripts, opens shared objects, reads secrets; nothing is started yet. Copies all that it needs of
 * conf; program is the one whose they are, for what templates say (NULL where none is a mailbox). Never
 * NULL; all problems are told, with the place. */
struct plugins *plugins_new(const struct engine_conf *conf, const struct plugin_world *world,
                            const struct program *program, struct problems *p);
/* NULL allowed. Ends processes and transfers, calling nothing but courier's `done` with ERR_CANCELLED. */
void plugins_free(struct plugins *ps);

/* By name, for the chain and for a rule's `handler`; NULL: there is none, or it is an event or check handler
 * of smstools, which the spool asks. */
struct handler *plugins_handler(struct plugins *ps, const char *name);
/* Those of the default chain, in the order of gateway.conf: all that answer to events, and those that are
 * only told afterwards if gateway.conf says of what (`on`). NULL beyond the last. kind may be NULL. */
struct handler *plugins_at(struct plugins *ps, int index, const char **kind);
/* All of them, for status: also those that no chain asks. */
const struct handler *plugins_any(struct plugins *ps, int index, const char **kind);

/* A rule's `forward` to "NAME" of a handler or "mailto:address": can it be (checked when rules are compiled;
 * the reason in *e), and do it: adds a delivery to the verdict, false where there is no room. */
int plugins_can_forward(struct plugins *ps, const char *target, struct err *e);
bool plugins_forward(struct plugins *ps, const char *target, const struct handler_event *ev,
                     struct verdict *v);

/* ---- smstools' conventions, for the spool ---- */

enum plugin_file_event { FILE_RECEIVED, FILE_SENT, FILE_FAILED, FILE_REPORT, FILE_CALL };
/* Runs every configured event handler beside the loop, one after the other for each: `KIND path [id]`. */
void plugins_file_event(struct plugins *ps, enum plugin_file_event kind, const char *path, const char *id);
/* Is there a check handler? */
bool plugins_checks_files(struct plugins *ps);
/* Asks the check handlers about an outgoing file: 0 accepted, ERR_REFUSED with the reason; ERR_GONE: one has
 * taken it away itself; ERR_BUSY, ERR_CANCELLED: to be asked again later. They may change the file. `done`
 * comes once, never before the call returns where there is a check handler. */
struct plugin_check {
    const char *path; /* borrowed until done */
    void (*done)(struct plugin_check *c, int status, const char *reason);
    void *impl;
};
void plugins_check_file(struct plugins *ps, struct plugin_check *c);

#endif
