/* smstools3's conventions, for scripts that were written for it: an eventhandler that is told of each file,
 * and a checkhandler that is asked about each outgoing one (doc/eventhandler.html, doc/configure.html there).
 *
 * Same arguments, run directly and never by a shell, beside the loop: no modem waits for them. One event
 * handler runs at a time, as there, so that it sees its files in their order; what it writes goes to the log.
 * It is told of a file once at most: what must not be lost is better an exec or webhook handler.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"

enum {
    WAITING_MOST = 10000, /* files that an event handler was not told of yet */
    ARGUMENTS = 3,
    TAKEN = 2, /* status of a check handler that has moved the file itself */
    CHECKS_AT_A_TIME = 4,
};

/* A program to run, with arguments behind those of gateway.conf. */
struct job {
    struct plugin *plugin;
    struct child *child; /* NULL: in line */
    char *argument[ARGUMENTS];
    struct plugin_check *check; /* who waits; NULL: nobody */
    struct plugins *set;        /* of a check: the next of them is asked then */
    int at;
    int status;
    struct rt_timer timer; /* its deadline; or its result is told */
    struct plugin_lines lines;
    struct job *prev, *next;
};

struct tool {
    struct job *jobs; /* oldest first */
    int waiting, running;
    struct log_limit full;
};

static void pump(struct plugin *p);

static void job_free(struct job *j)
{
    struct tool *t = j->plugin->impl;

    rt_timer_stop(j->plugin->world->rt, &j->timer);
    DL_DELETE(t->jobs, j);
    if (j->child)
        t->running--;
    else
        t->waiting--;
    for (int i = 0; i < ARGUMENTS; i++)
        free(j->argument[i]);
    free(j);
}

/* ---- its end --------------------------------------------------------------------------------------------
 */

static void ask_next(struct plugins *set, int from, struct plugin_check *c);

static int fallback_of(const struct plugin *p)
{
    static const int codes[] = {
        [ON_FAILURE_NEXT] = 0, [ON_FAILURE_STOP] = ERR_REFUSED, [ON_FAILURE_HOLD] = ERR_BUSY};

    return codes[p->conf.on_failure];
}

/* A check's answer: 0 goes on to the next check handler. */
static void conclude(struct plugin_check *c, struct plugins *set, int at, int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{ERR_REFUSED, "Rejected by checkhandler"},
                   {ERR_GONE, "taken by the checkhandler"},
                   {ERR_BUSY, "the checkhandler cannot be asked"}};

    if (status == 0) {
        ask_next(set, at + 1, c);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            c->done(c, status, reasons[i].reason);
}

static void over(struct job *j, int status)
{
    struct plugin *p = j->plugin;
    struct plugin_check *c = j->check;
    struct plugins *set = j->set;
    int at = j->at;

    job_free(j);
    pump(p);
    if (c)
        conclude(c, set, at, status);
}

static void failed(struct job *j, const char *why)
{
    j->plugin->health.failed++;
    j->plugin->health.failing = true;
    plugin_fault(j->plugin, "%s: %s", j->argument[j->check ? 0 : 1], why);
    over(j, fallback_of(j->plugin));
}

static void on_exited(void *owner, int status, int number)
{
    struct job *j = owner;
    char why[64];

    plugin_log_lines(j->plugin, &j->lines, NULL, 0);
    if (number || (!j->check && status)) {
        snprintf(why, sizeof why, number ? "killed by signal %d" : "exit status %d",
                 number ? number : status);
        failed(j, why);
        return;
    }
    j->plugin->health.error[0] = '\0';
    j->plugin->health.failing = false;
    over(j, status == 0 ? 0 : status == TAKEN ? ERR_GONE : ERR_REFUSED);
}

static void on_deadline(struct rt_timer *t)
{
    struct job *j = container_of(t, struct job, timer);

    j->plugin->health.late++;
    j->plugin->world->children->ops->forget(j->child);
    failed(j, "not done within its deadline");
}

static void on_cannot(struct rt_timer *t)
{
    struct job *j = container_of(t, struct job, timer);

    over(j, fallback_of(j->plugin));
}

/* ---- its start ------------------------------------------------------------------------------------------
 */

static void on_output(void *owner, const char *at, size_t len)
{
    struct job *j = owner;

    plugin_log_lines(j->plugin, &j->lines, at, len);
}

static int spawn(struct job *j, struct err *e)
{
    struct plugin *p = j->plugin;
    struct child_host *h = p->world->children;
    struct child_conf cc = {.owner = j, .output = on_output, .error = on_output, .exited = on_exited};
    size_t n = 0;
    const char **argv;
    int rc;

    if (!h)
        return err_set(e, ERR_INVALID, "no programs can be started here");
    while (p->conf.command[n])
        n++;
    argv = calloc(n + ARGUMENTS + 1, sizeof *argv);
    if (!argv)
        abort();
    memcpy(argv, p->conf.command, n * sizeof *argv);
    memcpy(argv + n, j->argument, sizeof j->argument);
    cc.argv = argv;
    rc = h->ops->start(h, &cc, &j->child, e);
    free(argv);
    return rc;
}

static void start(struct job *j)
{
    struct plugin *p = j->plugin;
    struct tool *t = p->impl;
    struct err e = {0};
    int64_t now_ms = rt_now_ms(p->world->rt);

    p->health.asked++;
    if (spawn(j, &e) == 0) {
        t->waiting--;
        t->running++;
        p->world->children->ops->end_input(j->child);
        j->timer.fire = on_deadline;
        rt_timer_at(p->world->rt, &j->timer, now_ms + p->conf.deadline_ms);
        return;
    }
    p->health.failed++;
    p->health.failing = true;
    plugin_fault(p, "%s", e.text);
    j->timer.fire = on_cannot;
    rt_timer_at(p->world->rt, &j->timer, now_ms);
}

static void pump(struct plugin *p)
{
    struct tool *t = p->impl;
    int most = p->kind == &plugin_checkhandler ? CHECKS_AT_A_TIME : 1;
    struct job *j;

    DL_FOREACH(t->jobs, j)
    {
        if (t->running >= most)
            return;
        if (!j->child && j->timer.fire == NULL)
            start(j);
        if (!j->child)
            return; /* it could not be started: that is told first */
    }
}

static struct job *job_new(struct plugin *p)
{
    struct tool *t = p->impl;
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        abort();
    j->plugin = p;
    DL_APPEND(t->jobs, j);
    t->waiting++;
    return j;
}

static char *copy(const char *text)
{
    char *c = strdup(text);

    if (!c)
        abort();
    return c;
}

/* ---- events ---------------------------------------------------------------------------------------------
 */

static const char *const event_names[] = {[FILE_RECEIVED] = "RECEIVED",
                                          [FILE_SENT] = "SENT",
                                          [FILE_FAILED] = "FAILED",
                                          [FILE_REPORT] = "REPORT",
                                          [FILE_CALL] = "CALL"};

static void tell(struct plugin *p, const char *event, const char *path, const char *id)
{
    struct tool *t = p->impl;
    unsigned left_out;
    struct job *j;

    if (t->waiting >= WAITING_MOST) {
        if (log_limit_pass(&t->full, rt_now_ms(p->world->rt), &left_out))
            log_err(p->source, "not told of %s: %d files are waiting already left_out=%u", path, t->waiting,
                    left_out);
        return;
    }
    j = job_new(p);
    j->argument[0] = copy(event);
    j->argument[1] = copy(path);
    j->argument[2] = id ? copy(id) : NULL;
    pump(p);
}

void plugins_file_event(struct plugins *ps, enum plugin_file_event kind, const char *path, const char *id)
{
    struct plugin *p;

    for (int i = 0; (p = plugins_nth(ps, i)); i++)
        if (p->kind == &plugin_eventhandler)
            tell(p, event_names[kind], path, id);
}

/* ---- checks ---------------------------------------------------------------------------------------------
 */

bool plugins_checks_files(struct plugins *ps)
{
    struct plugin *p;

    for (int i = 0; (p = plugins_nth(ps, i)); i++)
        if (p->kind == &plugin_checkhandler)
            return true;
    return false;
}

static void ask_next(struct plugins *set, int from, struct plugin_check *c)
{
    struct plugin *p;

    for (int i = from; (p = plugins_nth(set, i)); i++) {
        struct job *j;

        if (p->kind != &plugin_checkhandler)
            continue;
        j = job_new(p);
        j->argument[0] = copy(c->path);
        j->check = c;
        j->set = set;
        j->at = i;
        pump(p);
        return;
    }
    c->done(c, 0, "");
}

void plugins_check_file(struct plugins *ps, struct plugin_check *c)
{
    ask_next(ps, 0, c);
}

/* ---- the kinds ------------------------------------------------------------------------------------------
 */

static void open_tool(struct plugin *p, struct problems *problems)
{
    p->impl = calloc(1, sizeof(struct tool));
    if (!p->impl)
        abort();
    if (!p->conf.command[0] || !*p->conf.command[0])
        problem(problems, "%s.command: expected a program and its arguments", plugin_place(p));
}

/* By a reload, or at the end: programs that run are ended, and what waits for one is not told any more; a
 * check is told that it has to be asked again. */
static void close_tool(struct plugin *p)
{
    struct tool *t = p->impl;
    struct job *j, *next;

    DL_FOREACH_SAFE(t->jobs, j, next)
    {
        struct plugin_check *c = j->check;

        if (j->child)
            p->world->children->ops->forget(j->child);
        job_free(j);
        if (c)
            c->done(c, ERR_CANCELLED, "another configuration");
    }
    free(t);
}

/* The spool asks them, no chain. */
static void start_tool(struct plugin *p, struct ask *a)
{
    (void)p;
    plugin_end(a, err_set(&a->err, ERR_INVALID, "it is told of files only"));
}

static void cancel_tool(struct plugin *p, struct ask *a)
{
    (void)p;
    (void)a;
}

const struct plugin_kind plugin_eventhandler = {.name = "eventhandler",
                                                .at_a_time = 1,
                                                .of_files = true,
                                                .open = open_tool,
                                                .close = close_tool,
                                                .start = start_tool,
                                                .cancel = cancel_tool};
const struct plugin_kind plugin_checkhandler = {.name = "checkhandler",
                                                .at_a_time = 1,
                                                .of_files = true,
                                                .open = open_tool,
                                                .close = close_tool,
                                                .start = start_tool,
                                                .cancel = cancel_tool};
