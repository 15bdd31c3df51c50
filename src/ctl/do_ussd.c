/* USSD dialogues and balances.
 *
 * A dialogue that the network leaves open lives between requests under its token, until its reply, its
 * cancellation, its end by the network, or the modem's own bound: at most one per modem. A client that leaves
 * while it waits for an answer ends it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/private.h"

enum { TOKEN_BYTES = 17 };

struct ussd_dialogue {
    struct ctl *ctl;
    struct modem *modem;
    struct modem_ussd ussd;
    struct call *call; /* waits for the network; NULL: the network waits for a reply */
    bool keep;
    char token[TOKEN_BYTES];
    struct ussd_dialogue *next;
};

/* ---- life ---- */

static void forget(struct ussd_dialogue *d)
{
    struct ussd_dialogue **at = &d->ctl->dialogues;

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    free(d);
}

static void leave(struct ussd_dialogue *d)
{
    modem_ussd_end(d->modem, &d->ussd);
    forget(d);
}

void ctl_end_dialogues(struct ctl *c)
{
    for (struct ussd_dialogue *d = c->dialogues, *next; d; d = next) {
        next = d->next;
        if (!d->call)
            leave(d);
    }
}

static struct ussd_dialogue *find(struct call *call)
{
    const char *token = call_text(call, "session");
    struct ussd_dialogue *d = call->ctl->dialogues;

    while (d && (d->call || strcmp(d->token, token) != 0))
        d = d->next;
    if (!d)
        call_fail(call, ERR_NOT_FOUND, "session: it is over, or there was none with this name");
    return d;
}

/* ---- answers ---- */

static void on_answered(struct modem_ussd *u, int status, const char *text, bool more)
{
    struct ussd_dialogue *d = container_of(u, struct ussd_dialogue, ussd);
    struct call *call = d->call;
    json_t *result;

    d->call = NULL;
    if (!call) { /* ended between an answer and its reply */
        forget(d);
        return;
    }
    if (status < 0) {
        forget(d);
        call_fail(call, status, *text ? text : err_name(status));
        return;
    }
    result = json_pack("{sosb}", "answer", json_text(text), "more", more);
    if (more && d->keep)
        json_object_set_new(result, "session", json_string(d->token));
    else if (more)
        leave(d);
    else
        forget(d);
    call_ok(call, result);
}

/* The client left, or the server ends. */
static void on_stop(struct call *call)
{
    struct ussd_dialogue *d = call->ctl->dialogues;

    while (d->call != call)
        d = d->next;
    leave(d);
    call_fail(call, CTL_STOPPING, "the request was given up");
}

static void wait(struct ussd_dialogue *d, struct call *call)
{
    d->call = call;
    d->keep = call_bool(call, "keep", 0);
    call->stop = on_stop;
}

/* ---- requests ---- */

void do_ussd(struct call *call)
{
    struct modem *m = call_modem(call);
    struct ctl *c = call->ctl;
    struct ussd_dialogue *d;
    struct err e = {0};
    uint64_t token;

    if (!m)
        return;
    d = calloc(1, sizeof *d);
    if (!d)
        abort();
    *d = (struct ussd_dialogue){.ctl = c, .modem = m, .ussd.answered = on_answered, .next = c->dialogues};
    c->dialogues = d;
    rt_random(c->world.rt, &token, sizeof token);
    snprintf(d->token, sizeof d->token, "%016" PRIx64, token);
    log_notice(WHO, "ussd modem=%s by=%s", call_text(call, "modem"), call_user(call));
    if (modem_ussd_begin(m, call_text(call, "code"), &d->ussd, &e) < 0) {
        forget(d);
        call_fail(call, e.code, e.text);
        return;
    }
    wait(d, call);
}

void do_ussd_reply(struct call *call)
{
    struct ussd_dialogue *d = find(call);
    struct err e = {0};

    if (!d)
        return;
    if (modem_ussd_reply(d->modem, &d->ussd, call_text(call, "text"), &e) < 0) {
        call_fail(call, e.code, e.text); /* it stays open: another reply may do */
        return;
    }
    wait(d, call);
}

void do_ussd_cancel(struct call *call)
{
    struct ussd_dialogue *d = find(call);

    if (!d)
        return;
    leave(d);
    call_ok(call, NULL);
}

/* ---- balance ---- */

struct balances {
    struct call *call;
    json_t *list;
    int waiting;
    struct one_balance {
        struct balances *all;
        struct modem *modem;
        struct modem_ask ask;
    } * modems;
};

static void clear_balances(void *own)
{
    struct balances *b = own;

    json_decref(b->list);
    free(b->modems);
}

json_t *json_balance(const struct modem_balance *b)
{
    json_t *o = json_object();

    if (b->has_amount)
        json_object_set_new(o, "amount", json_real((double)b->amount_milli / 1000.0));
    json_object_set_new(o, "low", json_boolean(b->low));
    json_put_text(o, "text", b->text);
    json_put_time(o, "at", b->at_wall_ms);
    return o;
}

static void put_one(struct one_balance *one, int status, const char *text)
{
    struct modem_balance b;
    json_t *o;

    modem_get_balance(one->modem, &b);
    o = status == 0 ? json_balance(&b) : json_object();
    json_object_set_new(o, "modem", json_text(modem_carrier(one->modem)->name));
    if (status < 0)
        json_object_set_new(o, "error", json_error(status, *text ? text : err_name(status)));
    json_array_append_new(one->all->list, o);
}

static void finish(struct balances *b)
{
    if (b->waiting == 0)
        call_ok(b->call, json_pack("{sO}", "balances", b->list));
}

static void on_balance(struct modem_ask *ask, int status, const char *text)
{
    struct one_balance *one = container_of(ask, struct one_balance, ask);

    put_one(one, status, text);
    one->all->waiting--;
    finish(one->all);
}

static void ask_one(struct balances *b, struct one_balance *one, struct modem *m)
{
    struct err e = {0};

    *one = (struct one_balance){.all = b, .modem = m, .ask.done = on_balance};
    b->waiting++;
    if (modem_ask_balance(m, &one->ask, &e) == 0)
        return;
    b->waiting--;
    if (e.code != ERR_INVALID) /* no code is configured for it */
        put_one(one, e.code, e.text);
}

void do_balance(struct call *call)
{
    const struct ctl_world *w = &call->ctl->world;
    struct modem *only = NULL;
    struct balances *b;

    if (call_text(call, "modem") && !(only = call_modem(call)))
        return;
    b = call_keep(call, sizeof *b, clear_balances);
    b->call = call;
    b->list = json_array();
    b->modems = calloc((size_t)w->nmodems + 1, sizeof *b->modems);
    if (!b->modems)
        abort();
    call->may_be_left = true;
    for (int i = 0; i < w->nmodems; i++)
        if (!only || w->modems[i] == only)
            ask_one(b, &b->modems[i], w->modems[i]);
    if (b->waiting == 0 && json_array_size(b->list) == 0)
        call_fail(call, ERR_INVALID, "no code is configured: modems[].balance = { code = \"*100#\"; }");
    else
        finish(b);
}
