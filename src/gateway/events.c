/* Events to watchers: borrowed for the call; a watcher may take itself off the list while it is told. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gateway/private.h"

static const char *const names[EV_KINDS] = {
    [EV_RECEIVED] = "received", [EV_HANDLED] = "handled",
    [EV_QUEUED] = "queued",     [EV_SUBMITTING] = "submitting",
    [EV_SENT] = "sent",         [EV_PROGRESS] = "progress",
    [EV_OUTCOME] = "outcome",   [EV_REPORT] = "report",
    [EV_CARRIER] = "carrier",   [EV_OUTBOX] = "outbox",
    [EV_ALARM] = "alarm",       [EV_CALL] = "call",
    [EV_USSD] = "ussd",         [EV_CONVERSATION] = "conversation",
};

const char *gateway_event_name(enum gateway_event_kind k)
{
    return (unsigned)k < EV_KINDS ? names[k] : "";
}

void gateway_watch(struct gateway *g, struct gateway_watcher *w)
{
    w->prev = NULL;
    w->next = g->watchers;
    if (w->next)
        w->next->prev = w;
    g->watchers = w;
}

void gateway_unwatch(struct gateway *g, struct gateway_watcher *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else if (g->watchers == w)
        g->watchers = w->next;
    if (w->next)
        w->next->prev = w->prev;
    w->next = w->prev = NULL;
}

void gw_emit(struct gateway *g, const struct gateway_event *ev)
{
    if (!g->watchers)
        return;
    struct gateway_event e = *ev;
    e.at_wall_ms = rt_wall_ms(g->rt);
    for (struct gateway_watcher *w = g->watchers, *next; w; w = next) {
        next = w->next;
        w->event(w, &e);
    }
}

void gw_alarm(struct gateway *g, int64_t message, const char *modem, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    log_warning(WHO, "%s", text);
    gw_emit(g, &(struct gateway_event){.kind = EV_ALARM, .message = message, .modem = modem, .text = text});
}

void gw_emit_outbox(struct gateway *g)
{
    gw_emit(g, &(struct gateway_event){.kind = EV_OUTBOX});
}

void gw_emit_received(struct gateway *g, const struct gateway_event *given)
{
    struct gateway_event ev = *given;
    struct buf masked = {0};
    ev.kind = EV_RECEIVED;
    ev.state = MSG_RECEIVED;
    if (ev.text && mask_text(policy_mask(g->policy), ev.text, strlen(ev.text), &masked) > 0)
        ev.text = buf_str(&masked);
    gw_emit(g, &ev);
    buf_free(&masked);
}

bool gw_store_masked(struct gateway *g, char **text, uint32_t *flags)
{
    struct buf masked = {0};
    if (!policy_stores_masked(g->policy) ||
        mask_text(policy_mask(g->policy), *text, strlen(*text), &masked) == 0)
        return false;
    free(*text);
    *text = masked.data;
    *flags |= MSG_F_MASKED;
    return true;
}
