/* Recordings of a modem's line, as trace files have them (base/trace.h): line.c gives every chunk out and in
 * to each recorder, which masks it and hands on text.
 *
 * Masking works on lines, so what comes in is held until its line has ended or a prompt stands there; what
 * has no end after HELD_MS of silence is shown before the next thing that happens. Nothing is done while
 * nobody records. What can fail: nothing but memory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modem/modem_private.h"
#include "modem/trace_mask.h"

enum { HELD_MS = 1000, HELD_BYTES = 4096 };

static void hand_on(struct modem_trace *t, const struct buf *text)
{
    t->text(t, buf_str(text), text->len);
}

/* Masks the bytes where they are. */
static void record(struct modem *m, struct modem_trace *t, enum trace_kind kind, char *bytes, size_t len)
{
    struct buf line = {0};
    int64_t now_ms = modem_now(m);

    if (!t->begun)
        t->began_ms = now_ms;
    t->begun = true;
    trace_mask_bytes(t->mask, kind, bytes, len);
    trace_put_line(&line, now_ms - t->began_ms, kind, bytes, len);
    hand_on(t, &line);
    buf_free(&line);
}

static void record_copy(struct modem *m, struct modem_trace *t, enum trace_kind kind, const char *bytes,
                        size_t len)
{
    struct buf copy = {0};

    buf_add(&copy, bytes, len);
    record(m, t, kind, copy.data, copy.len);
    buf_free(&copy);
}

/* ---- what is held ---- */

/* How much of it has ended: whole lines; all of it when a prompt stands at its end. */
static size_t ended(const struct buf *held)
{
    const char *nl = memrchr(held->data, '\n', held->len);
    size_t lines = nl ? (size_t)(nl + 1 - held->data) : 0;
    const char *rest = held->data + lines;
    size_t left = held->len - lines;

    while (left && (*rest == '\r' || *rest == ' '))
        rest++, left--;
    bool prompt = (left == 1 && rest[0] == '>') || (left == 2 && rest[0] == '>' && rest[1] == ' ');
    return prompt || held->len > HELD_BYTES ? held->len : lines;
}

static void show_held(struct modem *m, struct modem_trace *t, size_t len)
{
    if (len == 0)
        return;
    record(m, t, TRACE_FROM, t->held.data, len);
    buf_drop(&t->held, len);
}

static void show_old(struct modem *m, struct modem_trace *t, bool all)
{
    if (all || modem_now(m) - t->held_ms >= HELD_MS)
        show_held(m, t, t->held.len);
}

/* ---- what the modem tells ---- */

void trace_bytes(struct modem *m, enum trace_kind kind, const void *bytes, size_t len)
{
    for (struct modem_trace *t = m->traces, *next; t; t = next) {
        next = t->next;
        show_old(m, t, false);
        if (kind == TRACE_FROM) {
            t->held_ms = modem_now(m);
            buf_add(&t->held, bytes, len);
            show_held(m, t, ended(&t->held));
        } else {
            record_copy(m, t, kind, bytes, len);
        }
    }
}

void trace_note(struct modem *m, const char *fmt, ...)
{
    char text[2 * CARRIER_TEXT_BYTES];
    va_list ap;

    if (!m->traces)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (struct modem_trace *t = m->traces, *next; t; t = next) {
        next = t->next;
        show_old(m, t, true);
        record_copy(m, t, TRACE_NOTE, text, strlen(text));
    }
}

void trace_state(struct modem *m)
{
    const char *sep = *m->reason ? ": " : "";

    trace_note(m, "%s%s%s", modem_state_name(m->state), sep, m->reason);
    if (m->state == MODEM_INITIALISING)
        trace_note(m, "\"%s\" \"%s\" revision=\"%s\"; profile %s%s%s", m->manufacturer, m->model, m->revision,
                   m->profile->name, *m->profile_why ? ": " : "", m->profile_why);
}

/* ---- start and stop ---- */

void modem_trace_start(struct modem *m, struct modem_trace *t)
{
    struct trace_header h = {.modem = m->conf->name,
                             .manufacturer = m->manufacturer,
                             .model = m->model,
                             .revision = m->revision,
                             .profile = m->profile->name,
                             .wall_ms = rt_wall_ms(m->rt),
                             .masked = !t->unmasked};
    struct buf text = {0};

    t->mask = malloc(sizeof(*t->mask));
    if (!t->mask)
        abort(); /* as struct buf does */
    trace_mask_init(t->mask, !t->unmasked);
    t->held = (struct buf){0};
    t->begun = false;
    t->next = m->traces;
    m->traces = t;
    trace_put_header(&text, &h);
    hand_on(t, &text);
    buf_free(&text);
}

void modem_trace_stop(struct modem *m, struct modem_trace *t)
{
    for (struct modem_trace **at = &m->traces; *at; at = &(*at)->next) {
        if (*at != t)
            continue;
        *at = t->next;
        show_old(m, t, true);
        buf_free(&t->held);
        free(t->mask);
        t->mask = NULL;
        return;
    }
}

void trace_end(struct modem *m)
{
    while (m->traces) {
        struct modem_trace *t = m->traces;
        modem_trace_stop(m, t);
        if (t->ended)
            t->ended(t);
    }
}
