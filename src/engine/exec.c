/* Handlers that are programs: the event on standard input, the answer on standard output, both JSON. An
 * argument array, never a shell; an environment of four names; standard error goes to the log.
 *
 * Two ways. One process an event: it reads to the end of its input, writes its answer, and ends with status
 * 0. Or, with `stay`, one process for all: both sides begin with a line {"simgate":1}; then each event is a
 * line, and each answer a line with the event's "id", in any order.
 *
 * What can fail: everything outside. A program that cannot be started, writes too much, ends otherwise, does
 * not answer in time (it is killed, with all that it started) is a failed ask, and plugin.c does the rest.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"

enum {
    AT_A_TIME = 8,  /* processes of one handler, or lines that one was given and has not answered */
    LOST_MOST = 32, /* the courier's too */
    PROTOCOL = 1,
    PENDING_BYTES = 1 << 20, /* that a process has not read yet */
};

/* ---- one process an event -------------------------------------------------------------------------------
 */

struct run {
    struct ask *ask;
    struct child *child;
    struct buf out;
    struct plugin_lines errors;
    bool too_long;
};

static void run_free(struct run *r)
{
    buf_free(&r->out);
    free(r);
}

static void run_output(void *owner, const char *at, size_t len)
{
    struct run *r = owner;

    if (r->out.len + len > ANSWER_BYTES) {
        r->too_long = true;
        r->ask->plugin->world->children->ops->kill(r->child, SIGKILL);
        return;
    }
    buf_add(&r->out, at, len);
}

static void run_error(void *owner, const char *at, size_t len)
{
    struct run *r = owner;

    plugin_log_lines(r->ask->plugin, &r->errors, at, len);
}

static void run_exited(void *owner, int status, int number)
{
    struct run *r = owner;
    struct ask *a = r->ask;
    struct buf out = r->out;

    plugin_log_lines(a->plugin, &r->errors, NULL, 0);
    if (r->too_long)
        err_set(&a->err, ERR_TOO_LONG, "it wrote more than %d bytes", ANSWER_BYTES);
    else if (number)
        err_set(&a->err, ERR_IO, "killed by signal %d", number);
    else if (status)
        err_set(&a->err, ERR_IO, "exit status %d", status);
    free(r);
    if (a->err.code)
        plugin_end(a, a->err.code);
    else
        plugin_answer(a, buf_str(&out), out.len);
    buf_free(&out);
}

static int spawn(struct plugin *p, struct child_conf *cc, struct child **out, struct err *e)
{
    struct child_host *h = p->world->children;

    if (!h)
        return err_set(e, ERR_INVALID, "no programs can be started here");
    cc->argv = p->conf.command;
    return h->ops->start(h, cc, out, e);
}

static void run_start(struct plugin *p, struct ask *a)
{
    struct child_host *h = p->world->children;
    struct run *r = calloc(1, sizeof *r);
    struct child_conf cc = {.owner = r, .output = run_output, .error = run_error, .exited = run_exited};

    if (!r)
        abort();
    r->ask = a;
    if (spawn(p, &cc, &r->child, &a->err) < 0) {
        run_free(r);
        plugin_end(a, a->err.code);
        return;
    }
    a->impl = r;
    h->ops->write(r->child, buf_str(&a->body), a->body.len);
    h->ops->write(r->child, "\n", 1);
    h->ops->end_input(r->child);
}

static void run_cancel(struct plugin *p, struct ask *a)
{
    struct run *r = a->impl;

    p->world->children->ops->forget(r->child);
    run_free(r);
}

/* ---- one process for all --------------------------------------------------------------------------------
 */

struct stay {
    struct plugin *plugin;
    struct child *child; /* NULL: none runs */
    bool greeted;
    struct buf out; /* a line that has not ended */
    struct plugin_lines errors;
    struct log_limit strays; /* answers that nobody waits for */
};

/* All that wait for it: it has gone, or is of no use any more. */
static void stay_lost(struct stay *s, int code, const char *why)
{
    struct plugin *p = s->plugin;
    struct ask *lost[LOST_MOST], *a;
    size_t n = 0;

    if (s->child)
        p->world->children->ops->forget(s->child);
    s->child = NULL;
    s->greeted = false;
    buf_clear(&s->out);
    DL_FOREACH(p->asks, a)
    if (a->impl == s && n < ARRAY_LEN(lost))
        lost[n++] = a;
    if (n == 0)
        plugin_fault(p, "%s", why);
    for (size_t i = 0; i < n; i++) {
        err_set(&lost[i]->err, code, "%s", why);
        lost[i]->impl = NULL;
    }
    for (size_t i = 0; i < n; i++)
        plugin_end(lost[i], code);
}

static struct ask *ask_of(struct plugin *p, const char *key)
{
    struct ask *a;

    DL_FOREACH(p->asks, a)
    if (a->impl && !strcmp(a->key, key))
        return a;
    return NULL;
}

static void stay_greeting(struct stay *s, const json_t *o)
{
    json_int_t version = json_integer_value(json_object_get(o, "simgate"));

    if (version == PROTOCOL) {
        s->greeted = true;
        return;
    }
    stay_lost(s, ERR_VERSION, "its first line is not {\"simgate\":1}");
}

static void stay_answer(struct stay *s, const json_t *o, const char *line, size_t len)
{
    const char *id = json_string_value(json_object_get(o, "id"));
    struct ask *a = id ? ask_of(s->plugin, id) : NULL;
    unsigned left_out;

    if (a)
        plugin_answer(a, line, len);
    else if (!id)
        stay_lost(s, ERR_INVALID, "it wrote a line without \"id\"");
    else if (log_limit_pass(&s->strays, rt_now_ms(s->plugin->world->rt), &left_out)) /* behind its deadline */
        log_info(s->plugin->source, "an answer to \"%.60s\", which nobody waits for left_out=%u", id,
                 left_out);
}

static void stay_line(struct stay *s, const char *line, size_t len)
{
    json_t *o = json_loadb(line, len, JSON_ALLOW_NUL, NULL);

    if (!json_is_object(o))
        stay_lost(s, ERR_INVALID, "it wrote a line that is no JSON object");
    else if (!s->greeted)
        stay_greeting(s, o);
    else
        stay_answer(s, o, line, len);
    json_decref(o);
}

static void stay_output(void *owner, const char *at, size_t len)
{
    struct stay *s = owner;
    char *end;

    buf_add(&s->out, at, len);
    while (s->child && s->out.len && (end = memchr(s->out.data, '\n', s->out.len))) {
        size_t length = (size_t)(end - s->out.data);
        struct buf line = {0};

        buf_add(&line, s->out.data, length);
        buf_drop(&s->out, length + 1);
        if (length)
            stay_line(s, buf_str(&line), length);
        buf_free(&line);
    }
    if (s->child && s->out.len > ANSWER_BYTES)
        stay_lost(s, ERR_TOO_LONG, "it wrote a line without an end");
}

static void stay_error(void *owner, const char *at, size_t len)
{
    struct stay *s = owner;

    plugin_log_lines(s->plugin, &s->errors, at, len);
}

static void stay_exited(void *owner, int status, int number)
{
    struct stay *s = owner;
    char why[64];

    plugin_log_lines(s->plugin, &s->errors, NULL, 0);
    s->child = NULL;
    snprintf(why, sizeof why, number ? "killed by signal %d" : "it has ended with status %d",
             number ? number : status);
    stay_lost(s, ERR_GONE, why);
}

static int stay_begin(struct plugin *p, struct stay *s, struct err *e)
{
    static const char greeting[] = "{\"simgate\":1}\n";
    struct child_conf cc = {.owner = s, .output = stay_output, .error = stay_error, .exited = stay_exited};

    if (spawn(p, &cc, &s->child, e) < 0)
        return e->code;
    p->world->children->ops->write(s->child, greeting, sizeof greeting - 1);
    return 0;
}

static void stay_start(struct plugin *p, struct ask *a)
{
    struct stay *s = p->impl;
    const struct child_ops *ops;

    if (!s->child && stay_begin(p, s, &a->err) < 0) {
        plugin_end(a, a->err.code);
        return;
    }
    ops = p->world->children->ops;
    if (ops->pending(s->child) > PENDING_BYTES) {
        err_set(&a->err, ERR_FULL, "it does not read what it is given");
        plugin_end(a, ERR_FULL);
        return;
    }
    a->impl = s;
    ops->write(s->child, buf_str(&a->body), a->body.len);
    ops->write(s->child, "\n", 1);
}

/* The deadline has passed. A process that answers others is slow with this one; one that answers nobody is
 * begun anew. */
static void stay_cancel(struct plugin *p, struct ask *a)
{
    struct stay *s = p->impl;
    struct ask *other;

    a->impl = NULL;
    DL_FOREACH(p->asks, other)
    if (other->impl == s)
        return;
    if (s->child)
        p->world->children->ops->forget(s->child);
    s->child = NULL;
    s->greeted = false;
    buf_clear(&s->out);
}

/* ---- the kind -------------------------------------------------------------------------------------------
 */

static void open_exec(struct plugin *p, struct problems *problems)
{
    if (!p->conf.command[0] || !*p->conf.command[0])
        problem(problems, "%s.command: expected a program and its arguments", plugin_place(p));
    if (!p->conf.stay)
        return;
    struct stay *s = calloc(1, sizeof *s);

    if (!s)
        abort();
    s->plugin = p;
    p->impl = s;
}

static void close_exec(struct plugin *p)
{
    struct stay *s = p->impl;

    if (!s)
        return;
    if (s->child)
        p->world->children->ops->forget(s->child);
    buf_free(&s->out);
    free(s);
}

static void start_exec(struct plugin *p, struct ask *a)
{
    if (p->impl)
        stay_start(p, a);
    else
        run_start(p, a);
}

static void cancel_exec(struct plugin *p, struct ask *a)
{
    if (p->impl)
        stay_cancel(p, a);
    else
        run_cancel(p, a);
}

const struct plugin_kind plugin_exec = {.name = "exec",
                                        .at_a_time = AT_A_TIME,
                                        .open = open_exec,
                                        .close = close_exec,
                                        .start = start_exec,
                                        .cancel = cancel_exec};
