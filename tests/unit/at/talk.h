/* Tests of the channel read like dialogues: the modem says(), we hear() what is written, saw() what was told
 * to the owner, and let time pass(). */
#ifndef SIMGATE_TESTS_AT_TALK_H
#define SIMGATE_TESTS_AT_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "at/channel.h"
#include "base/buf.h"
#include "base/rt.h"
#include "base/util.h"

struct talk {
    struct at_chan ch;
    int64_t now_ms;
    struct buf log; /* what was told since saw(), each item followed by "|" */
    void (*on_urc)(struct talk *t);
};

struct ask {
    struct at_cmd cmd;
    struct talk *t;
    unsigned done;
    struct at_result result;
    struct ask *then;   /* sent when this one is done */
    bool close_on_line; /* at_close() from its line callback */
    bool resync_on_line;
};

static inline void talk_urc(void *owner, const struct at_urc *urc)
{
    struct talk *t = owner;

    buf_addf(&t->log, urc->pdu ? "urc %s + %s|" : "urc %s%s|", urc->line, urc->pdu ? urc->pdu : "");
    if (t->on_urc)
        t->on_urc(t);
}

static inline void talk_late(void *owner, const char *line)
{
    buf_addf(&((struct talk *)owner)->log, "late %s|", line);
}

static inline void talk_dead(void *owner)
{
    buf_adds(&((struct talk *)owner)->log, "dead|");
}

static const struct at_events talk_events = {talk_urc, talk_late, talk_dead};

static inline void talk_begin(struct talk *t)
{
    memset(t, 0, sizeof *t);
    t->now_ms = 1000000;
    at_init(&t->ch, &talk_events, t);
}

static inline void talk_end(struct talk *t)
{
    at_fini(&t->ch);
    buf_free(&t->log);
}

static inline void ask_line(struct at_cmd *c, const char *line)
{
    struct ask *a = c->owner;

    buf_addf(&a->t->log, "line %s|", line);
    if (a->close_on_line)
        at_close(&a->t->ch, a->t->now_ms);
    if (a->resync_on_line)
        at_resync(&a->t->ch, a->t->now_ms);
}

static inline void ask_done(struct at_cmd *c, const struct at_result *r)
{
    static const char *const names[] = {"OK", "ERROR", "CMS", "CME", "NO CARRIER", "TIMEOUT", "CLOSED"};
    struct ask *a = c->owner;

    a->done++;
    a->result = *r;
    buf_addf(&a->t->log, "%s", names[r->code]);
    if (r->code == AT_CMS_ERROR || r->code == AT_CME_ERROR)
        buf_addf(&a->t->log, " %d", r->number);
    if (r->data_sent)
        buf_adds(&a->t->log, " sent");
    buf_adds(&a->t->log, "|");
    if (a->then)
        at_send(&a->t->ch, &a->then->cmd, false, a->t->now_ms);
}

/* A command that is not sent yet. */
static inline struct ask *prepare(struct talk *t, struct ask *a, const char *text, const char *prefix)
{
    memset(a, 0, sizeof *a);
    a->t = t;
    str_copy(a->cmd.text, sizeof a->cmd.text, text);
    a->cmd.prefix = prefix;
    a->cmd.cls = AT_QUERY;
    a->cmd.line = ask_line;
    a->cmd.done = ask_done;
    a->cmd.owner = a;
    return a;
}

static inline void dispatch(struct talk *t, struct ask *a)
{
    assert_int_equal(at_send(&t->ch, &a->cmd, false, t->now_ms), 0);
}

static inline void ask(struct talk *t, struct ask *a, const char *text, const char *prefix)
{
    dispatch(t, prepare(t, a, text, prefix));
}

static inline void ask_read(struct talk *t, struct ask *a, const char *text, const char *prefix)
{
    prepare(t, a, text, prefix)->cmd.pdu_lines = true;
    dispatch(t, a);
}

/* A submission of data. */
static inline void submit(struct talk *t, struct ask *a, const char *data)
{
    prepare(t, a, "AT+CMGS=14", "+CMGS:");
    a->cmd.data = data;
    a->cmd.cls = AT_SEND;
    dispatch(t, a);
}

static inline void says(struct talk *t, const char *bytes)
{
    at_feed(&t->ch, (const uint8_t *)bytes, strlen(bytes), t->now_ms);
}

/* Each byte in a chunk of its own. */
static inline void spells(struct talk *t, const char *bytes)
{
    for (; *bytes; bytes++)
        at_feed(&t->ch, (const uint8_t *)bytes, 1, t->now_ms);
}

/* All that was written since. */
static inline void hear(struct talk *t, const char *bytes)
{
    assert_string_equal(buf_str(at_out(&t->ch)), bytes);
    buf_clear(at_out(&t->ch));
}

/* All that was told since: "line …|OK|urc …|". */
static inline void saw(struct talk *t, const char *events)
{
    assert_string_equal(buf_str(&t->log), events);
    buf_clear(&t->log);
}

/* Time passes; every deadline on the way is kept exactly, and each is worth being woken for. */
static inline void pass(struct talk *t, int64_t ms)
{
    int64_t until_ms = t->now_ms + ms;
    unsigned wakes = 0;

    while (at_deadline(&t->ch) <= until_ms) {
        assert_true(at_deadline(&t->ch) >= t->now_ms || wakes == 0);
        t->now_ms = at_deadline(&t->ch);
        at_tick(&t->ch, t->now_ms);
        assert_true(at_deadline(&t->ch) > t->now_ms);
        assert_true(++wakes < 1000);
    }
    t->now_ms = until_ms;
}

/* No deadline is open: nothing will wake us. */
static inline void sleeps(struct talk *t)
{
    assert_true(at_deadline(&t->ch) == RT_NEVER);
}

#endif
