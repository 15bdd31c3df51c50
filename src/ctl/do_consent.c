/* `consent`, `consent in`, `consent out`, `consent list`: who may be written to, and how that is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/desk.h"

enum { LIST_DEFAULT = 50, LEDGER_ROWS = 200 };

/* ---- list ---- */

struct listing {
    struct call *call;
    struct store_consents list;
    char after[NUMBER_BYTES];
};

static void listing_clear(void *own)
{
    free(((struct listing *)own)->list.rows);
}

static json_t *rows_of(const struct store_consents *c)
{
    json_t *rows = json_array();

    for (int i = 0; i < c->count; i++)
        json_array_append_new(rows, json_consent(&c->rows[i]));
    return rows;
}

static void on_listed(struct store_op *op, int status)
{
    struct listing *l = container_of(op, struct listing, list.op);

    if (status < 0) {
        call_fail(l->call, status, op->err.text);
        return;
    }
    call_ok_page(l->call, "consents", rows_of(&l->list), "after",
                 l->list.more ? json_text(l->list.rows[l->list.count - 1].number) : NULL);
}

static enum consent_state state_of(const struct call *call)
{
    const char *text = call_text(call, "state");

    return !text ? CONSENT_UNKNOWN : !strcmp(text, "in") ? CONSENT_IN : CONSENT_OUT;
}

void do_consent_list(struct call *call)
{
    struct listing *l = call_keep(call, sizeof *l, listing_clear);

    l->call = call;
    if (call_text(call, "after") && !call_number_of(call, "after", l->after))
        return;
    l->list = (struct store_consents){.op.done = on_listed,
                                      .state = state_of(call),
                                      .after = *l->after ? l->after : NULL,
                                      .limit = (int)call_number(call, "limit", LIST_DEFAULT)};
    store_consents(call->ctl->world.store, &l->list);
}

/* ---- of one number ---- */

struct showing {
    struct call *call;
    char number[NUMBER_BYTES];
    struct store_consents state;
    struct store_ledger ledger;
};

static void showing_clear(void *own)
{
    struct showing *s = own;

    free(s->state.rows);
    store_ledger_clear(&s->ledger);
}

static void on_ledger(struct store_op *op, int status)
{
    struct showing *s = container_of(op, struct showing, ledger.op);
    json_t *rows;

    if (status < 0) {
        call_fail(s->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; i < s->ledger.count; i++)
        json_array_append_new(rows, json_ledger(&s->ledger.rows[i]));
    call_ok(s->call,
            json_pack("{sssoso}", "number", s->number, "consents", rows_of(&s->state), "ledger", rows));
}

static void on_state(struct store_op *op, int status)
{
    struct showing *s = container_of(op, struct showing, state.op);

    if (status < 0) {
        call_fail(s->call, status, op->err.text);
        return;
    }
    s->ledger = (struct store_ledger){.op.done = on_ledger, .number = s->number, .limit = LEDGER_ROWS};
    store_ledger(s->call->ctl->world.store, &s->ledger);
}

static void show(struct showing *s)
{
    s->state = (struct store_consents){.op.done = on_state, .number = s->number, .limit = LEDGER_ROWS};
    store_consents(s->call->ctl->world.store, &s->state);
}

void do_consent(struct call *call)
{
    struct showing *s = call_keep(call, sizeof *s, showing_clear);

    s->call = call;
    if (call_number_of(call, "number", s->number))
        show(s);
}

/* ---- in, out ---- */

/* The change is kept by the call until here; what shows it takes its place. */
static void answer_consent(struct contact_change *c)
{
    struct call *call = c->call;
    char number[NUMBER_BYTES];
    struct showing *s;

    str_copy(number, sizeof number, c->number);
    call_unkeep(call);
    s = call_keep(call, sizeof *s, showing_clear);
    s->call = call;
    str_copy(s->number, sizeof s->number, number);
    show(s);
}

/* As the ledger keeps it: the customer's words, and where it can be seen. */
static const char *words_of(struct contact_change *c)
{
    const char *words = call_text(c->call, "words"), *proof = call_text(c->call, "proof");
    struct buf text = {0};
    const char *kept;

    if (words)
        buf_adds(&text, words);
    if (proof)
        buf_addf(&text, "%sproof: %s", text.len ? "; " : "", proof);
    kept = change_keep(c, buf_str(&text));
    buf_free(&text);
    return kept;
}

static void change_consent(struct call *call, enum consent_state state)
{
    struct contact_change *c;
    bool said = call_text(call, "words") || call_text(call, "proof");

    if (state == CONSENT_IN && !said) {
        call_fail(call, ERR_INVALID, "\"words\" or \"proof\" expected: how is it known?");
        return;
    }
    if (call_text(call, "modem") && !call_modem(call))
        return;
    c = change_new(call, answer_consent);
    if (!c)
        return;
    change_add(c, (struct store_effect){.kind = EFFECT_CONSENT,
                                        .n = state,
                                        .name = call_text(call, "modem") ? call_text(call, "modem") : "",
                                        .value = words_of(c)});
    change_start(c);
}

void do_consent_in(struct call *call)
{
    change_consent(call, CONSENT_IN);
}

void do_consent_out(struct call *call)
{
    change_consent(call, CONSENT_OUT);
}
