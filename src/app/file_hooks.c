/* See app/file_hooks.h. What is asked of a check handler is freed when it has answered, or is told that it
 * will not. */
#include "app/file_hooks.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/plugins.h"
#include "engine/program.h"

struct check {
    struct file_hooks *hooks;
    struct plugin_check asked;
    struct spool_check *spool; /* whose */
};

void file_hooks_placed(struct file_hooks *h, const char *event, const char *path, const char *id)
{
    static const char *const events[] = {[FILE_RECEIVED] = "RECEIVED",
                                         [FILE_SENT] = "SENT",
                                         [FILE_FAILED] = "FAILED",
                                         [FILE_REPORT] = "REPORT",
                                         [FILE_CALL] = "CALL"};

    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (!strcmp(events[i], event))
            plugins_file_event(engine_program(h->engine)->plugins, (enum plugin_file_event)i, path, id);
}

static void on_done(struct plugin_check *asked, int status, const char *reason)
{
    struct check *k = container_of(asked, struct check, asked);
    struct spool_check *spool = k->hooks->closed ? NULL : k->spool;

    free(k);
    if (spool)
        spool->done(spool, status, reason);
}

bool file_hooks_check(struct file_hooks *h, struct spool_check *c)
{
    struct plugins *ps = engine_program(h->engine)->plugins;
    struct check *k;

    if (!plugins_checks_files(ps))
        return false;
    k = calloc(1, sizeof *k);
    if (!k)
        abort();
    *k = (struct check){.hooks = h, .asked = {.path = c->path, .done = on_done}, .spool = c};
    plugins_check_file(ps, &k->asked);
    return true;
}
