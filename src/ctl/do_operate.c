/* What operators do: backup, reload, AT, unlock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/private.h"

/* ---- backup ---- */

struct backing {
    struct call *call;
    struct store_backup backup;
};

static void on_backed_up(struct store_op *op, int status)
{
    struct backing *b = container_of(op, struct backing, backup.op);
    struct err e = op->err;

    if (status < 0 && status != ERR_EXISTS && status != ERR_FULL && status != ERR_CANCELLED)
        err_set(&e, status, "%s; simgated writes the file: a folder that its user may write to is expected",
                op->err.text);
    if (status < 0)
        call_fail(b->call, status, e.text);
    else
        call_ok(b->call, json_pack("{sssI}", "file", b->backup.path, "bytes", (json_int_t)b->backup.bytes));
}

void do_backup(struct call *call)
{
    struct backing *b;
    const char *path = call_text(call, "file");

    if (path[0] != '/') {
        call_fail(call, ERR_INVALID, "file: a path from the root expected: the daemon writes it");
        return;
    }
    b = call_keep(call, sizeof *b, NULL);
    b->call = call;
    b->backup = (struct store_backup){.op.done = on_backed_up, .path = path};
    call->may_be_left = true;
    log_notice(WHO, "backup file=%s by=%s", path, call_user(call));
    store_backup(call->ctl->world.store, &b->backup);
}

/* ---- reload ---- */

static json_t *lines_of(struct buf *text)
{
    json_t *lines = json_array();
    char *save = NULL;

    for (char *line = text->data ? strtok_r(text->data, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save))
        json_array_append_new(lines, json_text(line));
    return lines;
}

void do_reload(struct call *call)
{
    const struct ctl_world *w = &call->ctl->world;
    struct buf problems = {0};
    json_t *result;
    int rc;

    log_notice(WHO, "reload by=%s", call_user(call));
    rc = w->reload(w->owner, &problems);
    result = json_pack("{so}", "problems", lines_of(&problems));
    buf_free(&problems);
    if (rc < 0)
        call_fail_with(call, rc, "the configuration has problems: the settings of before keep running",
                       result);
    else
        call_ok(call, result);
}

/* ---- AT, unlock ---- */

struct asking {
    struct call *call;
    struct modem_ask ask;
};

static void on_answer(struct modem_ask *ask, int status, const char *answer)
{
    struct asking *a = container_of(ask, struct asking, ask);

    if (status < 0)
        call_fail(a->call, status, answer && *answer ? answer : err_name(status));
    else
        call_ok(a->call, json_pack("{so}", "answer", json_text(answer ? answer : "")));
}

void do_at(struct call *call)
{
    struct modem *m = call_modem(call);
    struct asking *a;
    struct err e = {0};
    int rc;

    if (!m)
        return;
    a = call_keep(call, sizeof *a, NULL);
    a->call = call;
    a->ask.done = on_answer;
    call->may_be_left = true;
    log_notice(WHO, "at modem=%s by=%s", call_text(call, "modem"), call_user(call));
    rc = modem_ask_at(m, call_text(call, "command"), &a->ask, &e);
    if (rc < 0)
        call_fail(call, rc, e.text);
}

void do_unlock(struct call *call)
{
    struct modem *m = call_modem(call);

    if (!m)
        return;
    log_notice(WHO, "unlock modem=%s by=%s", call_text(call, "modem"), call_user(call));
    modem_unlock(m);
    call_ok(call, NULL);
}
