/* Who is told of files, and asked about them: smstools3's event and check handlers, which app/ connects. The
 * spool waits for the asked ones only, one file each; others go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "spool/private.h"

static const struct {
    const char *folder, *event;
} events[] = {{SPOOL_INCOMING, "RECEIVED"},
              {SPOOL_SENT, "SENT"},
              {SPOOL_FAILED, "FAILED"},
              {SPOOL_REPORT, "REPORT"},
              {SPOOL_CALLS, "CALL"}};

/* The Message_id among the lines of an outcome; false: there is none. */
static bool find_id(const struct buf *lines, char *out, size_t size)
{
    static const char name[] = "Message_id: ";
    const char *at = strstr(buf_str(lines), name);

    if (!at || (at != buf_str(lines) && at[-1] != '\n'))
        return false;
    at += strlen(name);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
    return true;
}

void hook_placed(struct spool *sp, const struct disk_item *it)
{
    char path[4096 + SPOOL_NAME_BYTES], id[256];
    bool has_id = it->kind == DISK_FINISH && find_id(&it->content, id, sizeof(id));

    if (!sp->conf.placed || !*it->placed)
        return;
    snprintf(path, sizeof(path), "%s/%s/%s", sp->dir, it->folder, it->placed);
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (strcmp(events[i].folder, it->folder) == 0)
            sp->conf.placed(sp->conf.owner, events[i].event, path, has_id ? id : NULL);
}

static void on_checked(struct spool_check *k, int status, const char *reason)
{
    pick_checked(container_of(k, struct claim, check), status, reason);
}

bool hook_check(struct claim *c)
{
    struct spool *sp = c->sp;

    if (c->checked || !sp->conf.check)
        return false;
    c->check = (struct spool_check){.done = on_checked};
    snprintf(c->check.path, sizeof(c->check.path), "%s/%s/%s", sp->dir, SPOOL_CHECKED, c->disk.claimed);
    return sp->conf.check(sp->conf.owner, &c->check);
}
