/* A received message's way through the engine: gateway -> store (what do we know of the sender?) -> handlers
 * -> gateway, which makes "handled", replies and consent one transaction.
 *
 * Messages of one number are decided one after the other: what is asked of the store about the second is
 * asked after the verdict on the first was queued to it, and so sees its opt-out and its replies. Otherwise a
 * burst of texts would pass the guard at once, and a message right behind STOP would be answered.
 *
 * What can fail: the store. The message then stays open and is asked about again later; when the store is
 * closing it stays RECEIVED, and the next life decides about it.
 */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/private.h"

#define WHO "engine"

enum { RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 60000 };

struct job {
    struct engine *en;
    const struct msg_row *message; /* the gateway's, until gateway_handled */
    bool asked;                    /* its turn has come */
    int64_t retry_ms;
    struct store_situation known;
    struct rt_timer retry;
    struct handler_event event;
    struct buf shown; /* its text, masked */
    struct verdict verdict;
    struct walk walk;
    struct job *prev, *next;
};

static void job_free(struct job *j)
{
    DL_DELETE(j->en->jobs, j);
    verdict_fini(&j->verdict);
    buf_free(&j->shown);
    store_situation_clear(&j->known);
    free(j);
}

/* ---- verdict to gateway ---------------------------------------------------------------------------------
 */

static void fill_send(struct gateway_send *s, const struct msg_row *m, const struct verdict_reply *r,
                      const char *key)
{
    gateway_send_init(s);
    s->to = m->peer;
    s->reading = NUMBER_READ_INTERNATIONAL;
    s->text = buf_str(&r->text);
    s->modem = m->modem;
    s->source = r->source;
    s->key = key;
    s->reply_to = m->id;
    s->automatic = true;
    s->consent = r->consent;
}

static void give_verdict(struct engine *en, const struct msg_row *m, const struct verdict *v)
{
    struct gateway_send sends[VERDICT_REPLIES];
    char keys[VERDICT_REPLIES][MSG_KEY_BYTES];
    struct gateway_verdict gv = {.reason = v->reason,
                                 .who = v->who,
                                 .replies = sends,
                                 .nreplies = v->nreplies,
                                 .effects = v->effects,
                                 .neffects = v->neffects,
                                 .thread = v->thread};

    if (v->alarm.len)
        gv.alarm = buf_str(&v->alarm);
    for (int i = 0; i < v->nreplies; i++) {
        snprintf(keys[i], sizeof keys[i], "reply:%lld:%d", (long long)m->id, i + 1);
        fill_send(&sends[i], m, &v->replies[i], keys[i]);
    }
    gateway_handled(en->gateway, m->id, &gv);
}

static void ask(struct job *j);

/* The oldest message of this number, if it waits. */
static void next_of(struct engine *en, const char *number)
{
    struct job *j;

    DL_FOREACH(en->jobs, j)
    {
        if (strcmp(j->message->peer, number) != 0)
            continue;
        if (!j->asked)
            ask(j);
        return;
    }
}

static void log_gave_up(struct engine *en, const struct verdict *v)
{
    unsigned left_out;

    if (v->gave_up && log_limit_pass(&en->gave_up_limit, rt_now_ms(en->rt), &left_out))
        log_warning(WHO,
                    "rule %s: its pattern takes too long for a text that came, taken as no match left_out=%u",
                    v->gave_up, left_out);
}

static void decided(struct walk *w)
{
    struct job *j = container_of(w, struct job, walk);
    struct engine *en = j->en;
    const struct msg_row *m = j->message;
    char number[sizeof m->peer];

    str_copy(number, sizeof number, m->peer);
    if (desk_finish)
        desk_finish(en->program, &j->event, &j->verdict);
    guard_filter(en->program, &j->event, &j->verdict);
    log_gave_up(en, &j->verdict);
    log_debug(WHO, "message=%lld from=%s text=%s replies=%d reason=\"%s\"", (long long)m->id,
              log_number(number), log_text(m->text), j->verdict.nreplies, j->verdict.reason);
    give_verdict(en, m, &j->verdict); /* m is gone after it */
    job_free(j);
    next_of(en, number);
}

/* ---- message to verdict ---------------------------------------------------------------------------------
 */

static struct span text_of(const struct msg_row *m)
{
    size_t len = m->text ? strlen(m->text) : 0;

    if (!m->text || m->flags & (MSG_F_BINARY | MSG_F_UNDECODABLE | MSG_F_CALL) || !utf8_valid(m->text, len))
        return (struct span){0};
    return (struct span){m->text, len};
}

/* An older message of its number came again (the store had no room for the verdict on it): that one first. */
static bool steps_back(struct job *j)
{
    struct job *older;

    DL_FOREACH(j->en->jobs, older)
    {
        if (older == j)
            return false;
        if (strcmp(older->message->peer, j->message->peer) == 0)
            break;
    }
    j->asked = false;
    return true;
}

static void decide(struct job *j)
{
    struct engine *en = j->en;
    const struct msg_row *m = j->message;

    j->event = (struct handler_event){
        .id = m->id,
        .on = m->flags & MSG_F_CALL ? ENGINE_ON_CALL : ENGINE_ON_MESSAGE,
        .wall_ms = m->scts_wall_ms > 0 ? m->scts_wall_ms : m->created_wall_ms,
        .now_wall_ms = rt_wall_ms(en->rt),
        .sensitive = m->flags & MSG_F_MASKED,
        .from = m->peer,
        .text = text_of(m),
        .modem = m->modem,
        .incomplete = m->flags & MSG_F_INCOMPLETE,
        .key = "",
        .name = "",
        .language = "",
        .message_class = -1,
        .known = &j->known,
        .own_number = gateway_own_number(en->gateway, m->peer),
    };
    buf_clear(&j->shown);
    sensitive_show(&en->program->sensitive, &j->event, &j->shown);
    verdict_init(&j->verdict, NULL);
    j->walk = (struct walk){
        .chain = en->program->chain, .event = &j->event, .verdict = &j->verdict, .done = decided};
    walk_start(&j->walk);
}

static void retry(struct rt_timer *t)
{
    struct job *j = container_of(t, struct job, retry);

    if (!steps_back(j))
        ask(j);
}

static void peer_known(struct store_op *op, int status)
{
    struct job *j = container_of(op, struct job, known.op);
    struct engine *en = j->en;

    if (status == 0) {
        if (!steps_back(j))
            decide(j);
        return;
    }
    if (status == ERR_CANCELLED) {
        job_free(j);
        return;
    }
    log_err(WHO, "message=%lld is not decided yet: %s", (long long)j->message->id,
            *op->err.text ? op->err.text : err_name(status));
    j->retry_ms = j->retry_ms ? j->retry_ms * 2 : RETRY_FIRST_MS;
    if (j->retry_ms > RETRY_MOST_MS)
        j->retry_ms = RETRY_MOST_MS;
    rt_timer_at(en->rt, &j->retry, rt_now_ms(en->rt) + j->retry_ms);
}

static void ask(struct job *j)
{
    struct engine *en = j->en;

    j->asked = true;
    store_situation_clear(&j->known);
    j->known = (struct store_situation){.op = {.done = peer_known},
                                        .number = j->message->peer,
                                        .sim = j->message->modem,
                                        .guard_since_wall_ms =
                                            rt_wall_ms(en->rt) - en->program->guard.window_ms};
    store_situation(en->store, &j->known);
}

static int by_age(const struct job *a, const struct job *b)
{
    return (a->message->id > b->message->id) - (a->message->id < b->message->id);
}

static void on_message(void *owner, const struct msg_row *m)
{
    struct engine *en = owner;
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        abort();
    j->en = en;
    j->message = m;
    j->retry.fire = retry;
    DL_INSERT_INORDER(en->jobs, j, by_age);
    next_of(en, m->peer);
}

/* ---- attaching ------------------------------------------------------------------------------------------
 */

static int measure(struct engine *en, const char *to, const char *text, struct segment_plan *plan,
                   struct err *e)
{
    struct gateway_send s;
    char canonical[NUMBER_BYTES];

    gateway_send_init(&s);
    s.to = to;
    s.reading = NUMBER_READ_INTERNATIONAL;
    s.text = text;
    return gateway_preview(en->gateway, &s, plan, canonical, e);
}

static void detach(struct engine *en)
{
    while (en->jobs) {
        rt_timer_stop(en->rt, &en->jobs->retry);
        job_free(en->jobs);
    }
}

void engine_attach(struct engine *en, struct gateway *g, struct store *s)
{
    en->gateway = g;
    en->store = en->world.store = s;
    en->detach = detach;
    en->measure = measure;
    gateway_set_engine(g, on_message, en);
}
