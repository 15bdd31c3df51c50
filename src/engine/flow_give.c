/* A verdict to the gateway: all of it in one transaction. Of a message it always comes through (what cannot
 * be made is told and left out); of an event that cannot be applied only its end is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/flow.h"

/* What becomes of the verdict's messages, in place during the call. */
struct given {
    struct gateway_send sends[VERDICT_REPLIES];
    char keys[VERDICT_REPLIES][MSG_KEY_BYTES];
    struct gateway_verdict verdict;
};

/* On whose behalf: the department that the conversation has when all is done. */
static const char *department_of(const struct job *j)
{
    const char *name = j->known.conv.department;

    for (int i = 0; i < j->verdict.neffects; i++)
        if (j->verdict.effects[i].kind == EFFECT_DEPARTMENT && j->verdict.effects[i].value)
            name = j->verdict.effects[i].value;
    return *name ? name : NULL;
}

static void fill_send(struct gateway_send *s, const struct job *j, const struct verdict_reply *r,
                      const char *key)
{
    bool to_contact = !r->to;

    gateway_send_init(s);
    s->to = to_contact ? j->event.from : r->to;
    s->reading = NUMBER_READ_INTERNATIONAL;
    s->text = buf_str(&r->text);
    s->modem = r->modem;
    s->pool = r->pool;
    s->source = r->source;
    s->key = key;
    s->consent = r->consent;
    s->person = r->person;
    s->staff = r->staff;
    s->marketing = r->marketing;
    s->automatic = !r->person && !r->staff;
    s->who = r->who;
    s->conversation = r->conversation;
    s->due_wall_ms = r->due_wall_ms;
    s->prefer = r->modem && (r->person || r->staff); /* people wait for nothing but an answer */
    if (!to_contact)
        return;
    s->department = department_of(j);
    s->reply_to = j->message ? j->message->id : 0;
    if (!r->modem && !r->pool && *j->event.modem) {
        s->modem = j->event.modem;
        s->prefer = !j->message; /* an event's SIM may be gone for good */
    }
}

static void fill(struct given *given, const struct job *j)
{
    const struct verdict *v = &j->verdict;

    given->verdict = (struct gateway_verdict){
        .reason = v->reason,
        .who = v->who,
        .replies = given->sends,
        .nreplies = v->nreplies,
        .effects = v->effects,
        .neffects = v->neffects,
        .thread = v->thread,
        .reopen_ms = j->program->reopen_ms,
        .conversation = j->message ? j->known.reserved : j->row.conversation,
        .alarm = v->alarm.len ? buf_str(&v->alarm) : NULL,
    };
    for (int i = 0; i < v->nreplies; i++) {
        snprintf(given->keys[i], sizeof given->keys[i], "reply:%s:%d",
                 j->message ? j->key + strlen("message:") : j->key, i + 1);
        fill_send(&given->sends[i], j, &v->replies[i], given->keys[i]);
    }
}

/* ---- events ---------------------------------------------------------------------------------------------
 */

static bool may_recover(int status)
{
    return status == ERR_FULL || status == ERR_IO || status == ERR_BUSY || status == ERR_NOMEM;
}

static void applied(struct gateway_apply *a, int status)
{
    struct job *j = container_of(a, struct job, apply);
    char why[ERR_TEXT_BYTES];

    str_copy(why, sizeof why, *a->err.text ? a->err.text : err_name(status));
    if (may_recover(status)) {
        verdict_fini(&j->verdict);
        program_unref(j->program);
        j->program = NULL;
        job_again(j, why);
        return;
    }
    if (status != 0 && status != ERR_CANCELLED && status != ERR_REFUSED && !j->given_up) {
        log_err(FLOW_WHO, "%s: what its rules want cannot be done: %s", j->key, why);
        j->given_up = true;
        flow_give(j);
        return;
    }
    if (status != 0 && status != ERR_CANCELLED && status != ERR_REFUSED)
        log_err(FLOW_WHO, "%s stays: %s", j->key, why);
    job_end(j);
}

static void apply(struct job *j, const struct gateway_verdict *v)
{
    j->apply = (struct gateway_apply){.event = j->row.id,
                                      .depth = j->row.depth,
                                      .number = j->row.number,
                                      .sim = j->row.sim,
                                      .verdict = v,
                                      .done = applied};
    gateway_apply(j->en->gateway, &j->apply);
}

void flow_give(struct job *j)
{
    struct given *given;

    if (j->given_up) {
        apply(j, &(struct gateway_verdict){.reason = "cannot be done", .thread = THREAD_NONE});
        return;
    }
    given = calloc(1, sizeof *given);
    if (!given)
        abort();
    fill(given, j);
    if (j->message) {
        gateway_handled(j->en->gateway, j->message->id, &given->verdict); /* the message is gone after it */
        free(given);
        job_end(j);
        return;
    }
    apply(j, &given->verdict);
    free(given);
}
