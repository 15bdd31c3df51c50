/* `trace`: a modem's line as it is spoken, to the client, until it leaves or its time is over. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/private.h"

struct tracing {
    struct call *call;
    struct modem *modem; /* NULL: not recording */
    struct modem_trace trace;
    struct rt_timer over;
};

static void on_text(struct modem_trace *trace, const char *text, size_t len)
{
    struct tracing *t = container_of(trace, struct tracing, trace);
    const char *end = text + len;

    for (const char *nl; text < end; text = nl + 1) {
        nl = memchr(text, '\n', (size_t)(end - text));
        call_event(t->call, json_pack("{ssss%}", "kind", "trace", "line", text, (size_t)(nl - text)));
    }
}

/* Before the answer: what is still held belongs in front of it. */
static void stop_recording(struct tracing *t)
{
    if (t->modem)
        modem_trace_stop(t->modem, &t->trace);
    t->modem = NULL;
    rt_timer_stop(t->call->ctl->world.rt, &t->over);
}

static void clear(void *own)
{
    stop_recording(own);
}

static void on_modem_gone(struct modem_trace *trace)
{
    struct tracing *t = container_of(trace, struct tracing, trace);

    t->modem = NULL;
    call_fail(t->call, ERR_GONE,
              "the modem is not configured any more, or was restarted with other settings");
}

static void on_over(struct rt_timer *timer)
{
    struct tracing *t = container_of(timer, struct tracing, over);

    stop_recording(t);
    call_ok(t->call, NULL);
}

static void on_stop(struct call *call)
{
    stop_recording(call->own);
    call_fail(call, CTL_STOPPING, "simgated is stopping");
}

void do_trace(struct call *call)
{
    struct rt *rt = call->ctl->world.rt;
    struct modem *m = call_modem(call);
    struct tracing *t;

    if (!m)
        return;
    t = call_keep(call, sizeof *t, clear);
    *t = (struct tracing){
        .call = call,
        .modem = m,
        .trace = {.unmasked = call_bool(call, "unmasked", 0), .text = on_text, .ended = on_modem_gone},
        .over = {.fire = on_over, .at_ms = RT_NEVER}};
    call->stop = on_stop;
    log_notice(WHO, "trace modem=%s%s by=%s", call_text(call, "modem"), t->trace.unmasked ? " unmasked" : "",
               call_user(call));
    modem_trace_start(m, &t->trace);
    if (call_text(call, "for"))
        rt_timer_at(rt, &t->over, rt_now_ms(rt) + call_duration_ms(call, "for", 0));
}
