/* What operators do: backup, reload, AT, unlock, trial of a text against the rules. */
#include <ctype.h>
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

/* ---- rules test ---- */

struct trial {
    struct call *call;
    struct store_situation known;
    char from[64];
};

static void on_peer(struct store_op *op, int status)
{
    struct trial *t = container_of(op, struct trial, known.op);
    const struct ctl_world *w = &t->call->ctl->world;
    bool is_call = call_text(t->call, "call") != NULL;
    struct engine_trial_result r;
    json_t *result;

    if (status < 0) {
        call_fail(t->call, status, op->err.text);
        return;
    }
    engine_try(w->engine,
               &(struct engine_trial){.from = t->from,
                                      .on = is_call ? ENGINE_ON_CALL : ENGINE_ON_MESSAGE,
                                      .text = is_call ? "" : call_text(t->call, "text"),
                                      .consent = t->known.consent,
                                      .automatic_replies = t->known.automatic_replies,
                                      .own_number = gateway_own_number(w->gateway, t->from)},
               &r);
    result = json_object();
    json_object_set_new(result, "from", json_text(t->from));
    json_put_text(result, "handler", r.handler);
    json_put_text(result, "rule", r.rule);
    json_put_text(result, "reason", r.reason);
    json_object_set_new(result, "replies", json_integer(r.replies));
    if (r.replies > 0)
        json_object_set_new(result, "reply", json_text(buf_str(&r.reply)));
    json_object_set_new(result, "why", lines_of(&r.why));
    buf_free(&r.reply);
    buf_free(&r.why);
    store_situation_clear(&t->known);
    call_ok(t->call, result);
}

/* A sender is a number as people write it, or the name that stands in its place (TS 23.040 9.1.2.5). */
static int read_sender(const struct call *call, char *out, size_t size, struct err *e)
{
    const char *name = call_text(call, "call") ? "call" : "from", *from = call_text(call, name);
    struct gateway_send probe;
    struct segment_plan plan;
    char number[NUMBER_BYTES];

    gateway_send_init(&probe);
    probe.to = from;
    probe.reading = NUMBER_READ_NATIONAL;
    probe.text = "?";
    if (gateway_preview(call->ctl->world.gateway, &probe, &plan, number, e) == 0) {
        str_copy(out, size, number);
        return 0;
    }
    for (const char *p = from; *p; p++) {
        if (isalpha((unsigned char)*p) || (unsigned char)*p >= 0x80) {
            str_copy(out, size, from);
            return 0;
        }
    }
    return err_wrap(e, "%s", name);
}

void do_rules_test(struct call *call)
{
    bool is_call = call_text(call, "call") != NULL;
    struct trial *t;
    struct err e = {0};

    if (is_call ? call_text(call, "from") || call_text(call, "text")
                : !call_text(call, "from") || !call_text(call, "text")) {
        call_fail(call, ERR_INVALID, "rules test: expected \"from\" and \"text\", or \"call\" alone");
        return;
    }
    t = call_keep(call, sizeof *t, NULL);
    t->call = call;
    if (read_sender(call, t->from, sizeof t->from, &e) < 0) {
        call_fail(call, e.code, e.text);
        return;
    }
    t->known =
        (struct store_situation){.op.done = on_peer,
                                 .number = t->from,
                                 .look_only = true,
                                 .guard_since_wall_ms = rt_wall_ms(call->ctl->world.rt) -
                                                        engine_guard_window_ms(call->ctl->world.engine)};
    store_situation(call->ctl->world.store, &t->known);
}
