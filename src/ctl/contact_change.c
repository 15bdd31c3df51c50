/* A change of one contact, or of its consent, by a person: what is known is read, the effects are applied in
 * one transaction, and the contact is told as it is then. Where the customer has an open conversation the
 * change is in its timeline, with who made it. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/desk.h"

static void change_clear(void *own)
{
    struct contact_change *c = own;

    for (int i = 0; i < c->nkept; i++)
        free(c->kept[i]);
    store_situation_clear(&c->known);
    store_contact_clear(&c->contact);
}

const char *change_keep(struct contact_change *c, const char *text)
{
    char *copy = strdup(text);

    if (!copy || c->nkept == CHANGE_EFFECTS)
        abort();
    return c->kept[c->nkept++] = copy;
}

bool change_add(struct contact_change *c, struct store_effect e)
{
    if (c->neffects == CHANGE_EFFECTS) {
        struct err why;

        err_set(&why, ERR_TOO_LONG, "at most %d changes at a time expected", CHANGE_EFFECTS);
        call_fail(c->call, why.code, why.text);
        return false;
    }
    c->effects[c->neffects++] = e;
    return true;
}

static void on_contact(struct store_op *op, int status)
{
    struct contact_change *c = container_of(op, struct contact_change, contact.op);

    if (status < 0)
        call_fail(c->call, status, op->err.text);
    else
        c->answer(c);
}

static void on_applied(struct gateway_apply *a, int status)
{
    struct contact_change *c = container_of(a, struct contact_change, apply);

    if (status < 0) {
        call_fail(c->call, status, a->err.text);
        return;
    }
    if (!c->tell_contact) {
        c->answer(c);
        return;
    }
    c->contact.op.done = on_contact;
    c->contact.number = c->number;
    store_contact(c->call->ctl->world.store, &c->contact);
}

static void on_known(struct store_op *op, int status)
{
    struct contact_change *c = container_of(op, struct contact_change, known.op);

    if (status < 0) {
        call_fail(c->call, status, op->err.text);
        return;
    }
    if (c->fill && !c->fill(c))
        return;
    c->verdict = (struct gateway_verdict){.reason = c->call->kind->name,
                                          .who = c->acting.who,
                                          .effects = c->effects,
                                          .neffects = c->neffects,
                                          .conversation = c->known.conv.id};
    c->apply =
        (struct gateway_apply){.number = c->number, .sim = "", .verdict = &c->verdict, .done = on_applied};
    gateway_apply(c->call->ctl->world.gateway, &c->apply);
}

struct contact_change *change_new(struct call *call, void (*answer)(struct contact_change *c))
{
    struct contact_change *c = call_keep(call, sizeof *c, change_clear);

    c->call = call;
    c->answer = answer;
    return call_acting(call, &c->acting) && call_number_of(call, "number", c->number) ? c : NULL;
}

void change_start(struct contact_change *c)
{
    log_info(WHO, "%s number=%s by=%s as=%s", c->call->kind->name, log_number(c->number), call_user(c->call),
             c->acting.who);
    c->known = (struct store_situation){.op.done = on_known, .number = c->number, .sim = ""};
    store_situation(c->call->ctl->world.store, &c->known);
}
