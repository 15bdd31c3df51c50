/* Between the spool and smstools' event and check handlers: the spool does not know the engine. */
#ifndef SIMGATE_APP_FILE_HOOKS_H
#define SIMGATE_APP_FILE_HOOKS_H

#include "engine/engine.h"
#include "spool/spool.h"

/* In place. Whoever frees the spool sets `closed` then, before the engine is freed. */
struct file_hooks {
    struct engine *engine;
    bool closed;
};

/* spool_conf.placed and .check, with the hooks as owner. */
void file_hooks_placed(struct file_hooks *h, const char *event, const char *path, const char *id);
bool file_hooks_check(struct file_hooks *h, struct spool_check *c);

#endif
