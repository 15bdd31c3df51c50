/* One configured handler: asked by a walk or for a delivery, in its turn and within its time. See
 * engine/plugin.h.
 *
 *   decide -> (left alone? its default) -> in line -> started -> answered | failed | deadline -> verdict
 *
 * A handler that fails is left alone for a time that doubles with each failure, up to five minutes; then one
 * event is given to it, and the others wait for nobody meanwhile. So a dead handler costs its deadline once.
 */
#include "engine/plugin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/program.h"

enum {
    ALONE_FIRST_MS = 1000,
    ALONE_MOST_MS = 300000,
    DELIVERY_MS = 30000, /* nobody waits for it: it may take longer than its deadline */
};

/* ---- health ---------------------------------------------------------------------------------------------
 */

static void well(struct plugin *p, int64_t took_ms)
{
    if (p->failures)
        log_notice(p->source, "works again failures_before=%d", p->failures);
    p->failures = 0;
    p->retry_ms = 0;
    p->health.down = p->health.failing = false;
    p->health.error[0] = '\0';
    p->health.last_ms = took_ms;
}

/* What fails together (eight processes at one deadline) is one failure. */
static void leave_alone(struct plugin *p)
{
    int64_t now_ms = rt_now_ms(p->world->rt), alone_ms = ALONE_FIRST_MS;

    p->failures++;
    if (p->kind->at_once) {
        log_warning(p->source, "failed: %s failures=%d", p->health.error, p->failures);
        return;
    }
    for (int i = 1; i < p->failures && alone_ms < ALONE_MOST_MS; i++)
        alone_ms *= 2;
    if (alone_ms > ALONE_MOST_MS)
        alone_ms = ALONE_MOST_MS;
    p->health.down = true;
    p->retry_ms = now_ms + alone_ms;
    log_warning(p->source, "failed: %s failures=%d left_alone_s=%lld", p->health.error, p->failures,
                (long long)(alone_ms / 1000));
}

static void unwell(struct plugin *p, int status, const char *why)
{
    p->health.failed++;
    p->health.failing = true;
    p->health.late += status == ERR_TIMEOUT;
    str_copy(p->health.error, sizeof p->health.error, why);
    utf8_mend(p->health.error);
    if (!p->health.down || rt_now_ms(p->world->rt) >= p->retry_ms)
        leave_alone(p);
}

void plugin_fault(struct plugin *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->health.error, sizeof p->health.error, fmt, ap);
    va_end(ap);
    utf8_mend(p->health.error);
    log_warning(p->source, "%s", p->health.error);
}

static void health_of(const struct handler *h, struct handler_health *out)
{
    *out = container_of((struct handler *)(uintptr_t)h, struct plugin, handler)->health;
}

/* ---- asks -----------------------------------------------------------------------------------------------
 */

static void pump(struct plugin *p);

static struct ask *ask_new(struct plugin *p, const char *key)
{
    struct ask *a = calloc(1, sizeof *a);

    if (!a || !(a->key = strdup(key)))
        abort();
    a->plugin = p;
    DL_APPEND(p->asks, a);
    return a;
}

static void ask_free(struct ask *a)
{
    DL_DELETE(a->plugin->asks, a);
    actions_clear(&a->actions);
    buf_free(&a->body);
    free(a->key);
    free(a);
}

static enum handler_answer settle(struct plugin *p, struct ask *a);

/* It is over: whoever waits is told. The last that its caller does: the program, and this plugin with it, may
 * have lived for this walk alone. */
static void finish(struct ask *a)
{
    struct plugin *p = a->plugin;
    struct walk *w = a->walk;

    if (!w) {
        a->done(a, a->status);
        ask_free(a);
        return;
    }
    enum handler_answer answer = settle(p, a);

    ask_free(a);
    walk_resume(w, answer);
}

static void on_over(struct rt_timer *t)
{
    finish(container_of(t, struct ask, deadline));
}

static void finish_soon(struct ask *a)
{
    a->deadline.fire = on_over;
    rt_timer_at(a->plugin->world->rt, &a->deadline, rt_now_ms(a->plugin->world->rt));
}

static void leave(struct ask *a)
{
    struct plugin *p = a->plugin;

    p->running -= a->walk != NULL;
    if (a->probe)
        p->trying = false;
    a->probe = false;
    a->impl = NULL;
    a->over = true;
}

void plugin_end(struct ask *a, int status)
{
    struct plugin *p = a->plugin;

    rt_timer_stop(p->world->rt, &a->deadline);
    leave(a);
    a->status = status;
    if (status < 0 && !a->refused)
        unwell(p, status, *a->err.text ? a->err.text : err_name(status));
    else
        well(p, rt_now_ms(p->world->rt) - a->began_ms);
    if (a->inside)
        return;
    finish_soon(a);
    pump(p);
}

void plugin_answer(struct ask *a, const char *json, size_t len)
{
    int rc = actions_parse(&a->actions, json, len, &a->err);

    if (rc < 0)
        err_wrap(&a->err, "its answer to %s", a->key);
    plugin_end(a, rc);
}

static void on_deadline(struct rt_timer *t)
{
    struct ask *a = container_of(t, struct ask, deadline);
    struct plugin *p = a->plugin;

    if (a->impl)
        p->kind->cancel(p, a);
    err_set(&a->err, ERR_TIMEOUT, "no answer to %s in %lld ms", a->key,
            (long long)(rt_now_ms(p->world->rt) - a->began_ms));
    plugin_end(a, ERR_TIMEOUT);
}

static int64_t time_for(const struct ask *a)
{
    int64_t ms = a->plugin->conf.deadline_ms;

    return !a->walk && ms < DELIVERY_MS ? DELIVERY_MS : ms;
}

static void start(struct ask *a)
{
    struct plugin *p = a->plugin;

    a->started = true;
    a->began_ms = rt_now_ms(p->world->rt);
    a->deadline.fire = on_deadline;
    rt_timer_at(p->world->rt, &a->deadline, a->began_ms + time_for(a));
    p->running += a->walk != NULL;
    p->health.asked++;
    p->kind->start(p, a);
}

/* Left alone? Then only one is let through when its time has come. */
static bool left_alone(struct plugin *p)
{
    return p->health.down && (p->trying || rt_now_ms(p->world->rt) < p->retry_ms);
}

static void begin(struct ask *a)
{
    a->inside = true;
    start(a);
    a->inside = false;
}

static void pump(struct plugin *p)
{
    struct ask *a;

    DL_FOREACH(p->asks, a)
    {
        if (a->started || a->inside)
            continue;
        if (!a->probe && left_alone(p)) { /* it has died while they waited in line */
            a->started = a->over = true;
            a->status = ERR_BUSY;
        } else if (p->running < p->kind->at_a_time) {
            begin(a);
        } else {
            return;
        }
        if (a->over)
            finish_soon(a);
    }
}

void plugin_cancel(struct ask *a)
{
    struct plugin *p = a->plugin;

    if (p->world->rt)
        rt_timer_stop(p->world->rt, &a->deadline);
    if (a->impl)
        p->kind->cancel(p, a);
    if (a->began_ms && !a->over)
        leave(a);
    else if (a->probe) /* still in line */
        p->trying = false;
    ask_free(a);
}

/* ---- an answer's or a failure's way into the verdict ----------------------------------------------------
 */

static bool deliver(struct plugin *p, const char *key, const struct buf *body, struct verdict *v)
{
    return verdict_effect(
        v, &(struct store_effect){
               .kind = EFFECT_DELIVER, .name = p->conf.name, .key = key, .value = buf_str(body)});
}

static bool deliver_to(struct plugin *p, const struct handler_event *ev, const char *to, bool one,
                       struct verdict *v)
{
    struct buf body = {0};
    char key[MSG_KEY_BYTES];
    bool ok;

    snprintf(key, sizeof key, "%s/mailto:%s", ev->key, to);
    ok = p->kind->compose(p, ev, to, one, &body) && deliver(p, key, &body, v);
    buf_free(&body);
    return ok;
}

/* Each address is a delivery of its own: one that the server refuses keeps nothing from the others. */
bool plugin_forward(struct plugin *p, const struct handler_event *ev, const char *target, struct verdict *v)
{
    struct buf body = {0};
    bool ok = true;

    if (!p->kind->compose) {
        event_to_json(ev, &body);
        ok = deliver(p, ev->key, &body, v);
        buf_free(&body);
        return ok;
    }
    if (target && !strncmp(target, "mailto:", 7))
        return deliver_to(p, ev, target + 7, true, v);
    for (int i = 0; p->conf.to[i]; i++)
        ok = deliver_to(p, ev, p->conf.to[i], false, v) && ok;
    return ok;
}

static void say_reason(struct verdict *v, const char *fmt, const char *name, const char *why)
{
    if (!*v->reason || !strcmp(v->reason, "no rule"))
        verdict_reason(v, fmt, name, why);
}

/* What gateway.conf says for its failures. */
static enum handler_answer fall_back(struct plugin *p, const struct handler_event *ev, struct verdict *v,
                                     int status, const char *why)
{
    bool old = ev->now_wall_ms - ev->came_wall_ms > p->conf.retry_for_ms;

    verdict_why(v, "%s: %s", p->source, why);
    if (p->conf.on_failure == ON_FAILURE_HOLD && !old) {
        v->hold = true;
        verdict_reason(v, "held: handler %s: %s", p->conf.name, why);
        return HANDLER_STOP;
    }
    /* It did get the event when its answer was wrong: the same again would not be better. */
    if (p->kind->remote && status != ERR_INVALID && status != ERR_TOO_LONG)
        plugin_forward(p, ev, NULL, v);
    if (p->conf.on_failure != ON_FAILURE_STOP)
        return HANDLER_NEXT;
    verdict_reason(v, "handler %s failed: %s", p->conf.name, why);
    return HANDLER_STOP;
}

static enum handler_answer settle(struct plugin *p, struct ask *a)
{
    const struct handler_event *ev = a->event;
    struct verdict *v = a->verdict;
    struct action_place at = {.handler = p->conf.name,
                              .source = p->source,
                              .number = ev->from ? ev->from : "",
                              .country = p->country,
                              .conversation = ev->conversation,
                              .now_wall_ms = ev->now_wall_ms};

    if (a->status == 0 && actions_apply(&a->actions, &at, v, &a->err) < 0) {
        err_wrap(&a->err, "its answer to %s", a->key);
        a->status = a->err.code;
        unwell(p, a->status, a->err.text);
    }
    if (a->status < 0)
        return fall_back(p, ev, v, a->status, p->health.error);
    verdict_why(v, "%s: %d actions, %s", p->source, a->actions.count, a->actions.stop ? "stop" : "next");
    if (a->actions.count || a->actions.stop)
        say_reason(v, "handler %s%s", p->conf.name, "");
    return a->actions.stop ? HANDLER_STOP : HANDLER_NEXT;
}

/* ---- the chain's side -----------------------------------------------------------------------------------
 */

static enum handler_answer decide(struct handler *h, const struct handler_event *ev, struct verdict *v,
                                  struct walk *walk)
{
    struct plugin *p = container_of(h, struct plugin, handler);
    struct ask *a;

    if (!*ev->key || !p->world->rt) { /* only tried: nobody outside is told */
        verdict_why(v, "%s: would be asked", p->source);
        return HANDLER_NEXT;
    }
    if (p->conf.asynchronous || p->kind->only_delivered) {
        if (!plugin_forward(p, ev, NULL, v))
            return fall_back(p, ev, v, ERR_INVALID, "no room for another delivery");
        verdict_why(v, "%s: is told afterwards", p->source);
        return HANDLER_NEXT;
    }
    if (left_alone(p))
        return fall_back(p, ev, v, ERR_BUSY, p->health.error);
    a = ask_new(p, ev->key);
    a->probe = p->trying = p->health.down;
    a->event = ev;
    a->walk = walk;
    a->verdict = v;
    event_to_json(ev, &a->body);
    if (p->running < p->kind->at_a_time)
        begin(a);
    if (!a->over) {
        walk->waits_for = h; /* the chain's may be the rules, which asked it */
        return HANDLER_LATER;
    }
    enum handler_answer answer = settle(p, a);

    ask_free(a);
    return answer;
}

static void abandon(struct handler *h, struct walk *walk)
{
    struct plugin *p = container_of(h, struct plugin, handler);
    struct ask *a, *next;

    DL_FOREACH_SAFE(p->asks, a, next)
    if (a->walk == walk)
        plugin_cancel(a);
}

/* ---- deliveries -----------------------------------------------------------------------------------------
 */

static void on_turn(struct rt_timer *t)
{
    struct ask *a = container_of(t, struct ask, deadline);

    begin(a);
    if (a->over)
        finish(a);
}

struct ask *plugin_deliver(struct plugin *p, const char *key, const char *body,
                           void (*done)(struct ask *a, int status), void *owner)
{
    struct ask *a = ask_new(p, key);

    buf_adds(&a->body, body);
    a->done = done;
    a->owner = owner;
    a->started = true; /* it does not stand in line */
    a->deadline.fire = on_turn;
    rt_timer_at(p->world->rt, &a->deadline, rt_now_ms(p->world->rt));
    return a;
}

void plugin_begin(struct plugin *p)
{
    p->handler =
        (struct handler){.name = p->conf.name, .decide = decide, .abandon = abandon, .health = health_of};
}

/* ---- what programs say besides --------------------------------------------------------------------------
 */

static void log_line(struct plugin *p, struct plugin_lines *l)
{
    unsigned left_out;

    l->line[l->len] = '\0';
    if (l->len && log_limit_pass(&l->limit, rt_now_ms(p->world->rt), &left_out)) {
        utf8_mend(l->line);
        log_warning(p->source, "%s%s", l->line, left_out ? " (lines before it were left out)" : "");
    }
    l->len = 0;
}

void plugin_log_lines(struct plugin *p, struct plugin_lines *l, const char *at, size_t len)
{
    if (len == 0)
        log_line(p, l);
    for (size_t i = 0; i < len; i++) {
        if (at[i] == '\n')
            log_line(p, l);
        else if (l->len < sizeof l->line - 1)
            l->line[l->len++] = at[i];
    }
}
