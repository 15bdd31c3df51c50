/* Campaigns: `campaign new`, `add`, `preview`, `start`, `pause`, `resume`, `stop`, `recipients`, `campaign`,
 * `campaigns`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/desk.h"
#include "desk/campaign.h"

enum { LIST_DEFAULT = 50, RECIPIENTS_DEFAULT = 200 };

static json_t *json_amount(int64_t micros)
{
    return json_real((double)micros / 1e6);
}

static json_t *json_campaign(const struct campaign_row *c)
{
    json_t *o = json_pack("{sIsossso}", "id", (json_int_t)c->id, "name", json_text(c->name), "state",
                          campaign_state_name(c->state), "text", json_text(c->text));

    json_put_text(o, "audience", c->audience);
    json_put_text(o, "proof", c->proof);
    json_put_text(o, "modem", c->modem);
    json_put_text(o, "pool", c->pool);
    json_put_text(o, "who", c->who);
    json_put_text(o, "reason", c->reason);
    if (c->per_minute)
        json_object_set_new(o, "rate", json_integer(c->per_minute));
    json_put_time(o, "at", c->due_wall_ms);
    json_put_time(o, "created", c->created_wall_ms);
    json_put_time(o, "started", c->started_wall_ms);
    json_put_time(o, "ended", c->ended_wall_ms);
    json_object_set_new(o, "recipients", json_integer(c->total));
    json_object_set_new(o, "waiting", json_integer(c->waiting));
    json_object_set_new(o, "accepted", json_integer(c->accepted));
    json_object_set_new(o, "refused", json_integer(c->refused));
    return o;
}

/* ---- made ---- */

struct making {
    struct call *call;
    struct acting acting;
    struct store_campaign_new op;
    char attribute[DESK_WORD_BYTES];
};

static void on_made(struct store_op *op, int status)
{
    struct making *m = container_of(op, struct making, op.op);
    struct campaign_row row = m->op.row;

    if (status < 0) {
        call_fail(m->call, status, op->err.text);
        return;
    }
    row.waiting = row.total;
    call_ok(m->call, json_pack("{so}", "campaign", json_campaign(&row)));
}

/* "plan=gold", "plan" */
static void set_attribute(struct making *m, const char *text)
{
    const char *value = strchr(text, '=');

    snprintf(m->attribute, sizeof m->attribute, "%.*s", (int)strcspn(text, "="), text);
    m->op.attribute = m->attribute;
    m->op.value = value ? value + 1 : NULL;
}

static void set_audience(struct making *m)
{
    const char *tag = call_text(m->call, "tag"), *attribute = call_text(m->call, "attribute");
    char words[CAMPAIGN_AUDIENCE_BYTES] = "";

    m->op.tag = tag;
    if (attribute)
        set_attribute(m, attribute);
    if (tag)
        snprintf(words, sizeof words, "tag %.100s", tag);
    else if (attribute)
        snprintf(words, sizeof words, "attribute %.100s", attribute);
    str_copy(m->op.row.audience, sizeof m->op.row.audience,
             call_text(m->call, "audience") ? call_text(m->call, "audience") : words);
}

void do_campaign_new(struct call *call)
{
    const char *const texts[] = {"name", "proof", "modem", "pool"};
    struct making *m;
    struct err e = {0};

    if (call_text(call, "tag") && call_text(call, "attribute")) {
        call_fail(call, ERR_INVALID, "campaign new: expected \"tag\" or \"attribute\", not both");
        return;
    }
    if (campaign_check_text(call->ctl->world.campaigns, call_text(call, "text"), &e) < 0) {
        err_wrap(&e, "text");
        call_fail(call, e.code, e.text);
        return;
    }
    m = call_keep(call, sizeof *m, NULL);
    m->call = call;
    if (!call_acting(call, &m->acting))
        return;
    struct campaign_row *r = &m->op.row;
    char *const into[] = {r->name, r->proof, r->modem, r->pool};
    const size_t sizes[] = {sizeof r->name, sizeof r->proof, sizeof r->modem, sizeof r->pool};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        str_copy(into[i], sizes[i], call_text(call, texts[i]) ? call_text(call, texts[i]) : "");
    str_copy(r->who, sizeof r->who, m->acting.who);
    r->text = (char *)(uintptr_t)call_text(call, "text"); /* borrowed until the answer */
    r->per_minute = (int)call_number(call, "rate", 0);
    r->due_wall_ms = call_wall_ms(call, "at", 0);
    set_audience(m);
    m->op.op.done = on_made;
    m->op.now_wall_ms = rt_wall_ms(call->ctl->world.rt);
    store_campaign_new(call->ctl->world.store, &m->op);
}

/* ---- more recipients ---- */

struct adding {
    struct call *call;
    struct store_campaign_add op;
    char (*numbers)[NUMBER_BYTES];
    const char **list;
    json_t *errors;
};

static void adding_clear(void *own)
{
    struct adding *a = own;

    free(a->numbers);
    free(a->list);
    json_decref(a->errors);
}

static void on_added(struct store_op *op, int status)
{
    struct adding *a = container_of(op, struct adding, op.op);
    json_t *result;

    if (status < 0) {
        call_fail(a->call, status, op->err.text);
        return;
    }
    result = json_pack("{sIsisI}", "campaign", (json_int_t)a->op.id, "added", a->op.added, "recipients",
                       (json_int_t)a->op.total);
    if (json_array_size(a->errors))
        json_object_set(result, "errors", a->errors);
    call_ok(a->call, result);
}

static void take_number(struct adding *a, size_t index, const char *text)
{
    char *out = a->numbers[a->op.count];
    struct err e = {0};

    if (gateway_number(a->call->ctl->world.gateway, text, out, &e) < 0)
        json_array_append_new(a->errors, json_pack("{sIsoso}", "index", (json_int_t)index, "number",
                                                   json_text(text), "text", json_text(e.text)));
    else
        a->list[a->op.count++] = out;
}

void do_campaign_add(struct call *call)
{
    struct adding *a = call_keep(call, sizeof *a, adding_clear);
    const json_t *to = json_object_get(call->args, "to"), *one;
    size_t n = json_is_array(to) ? json_array_size(to) : 1, i;

    a->call = call;
    a->errors = json_array();
    a->numbers = calloc(n, sizeof *a->numbers);
    a->list = calloc(n, sizeof *a->list);
    if (!a->numbers || !a->list)
        abort();
    a->op = (struct store_campaign_add){.op.done = on_added, .id = call_number(call, "campaign", 0)};
    if (json_is_string(to))
        take_number(a, 0, json_string_value(to));
    json_array_foreach(to, i, one) take_number(a, i, json_string_value(one));
    a->op.numbers = a->list;
    store_campaign_add(call->ctl->world.store, &a->op);
}

/* ---- moved ---- */

struct moving {
    struct call *call;
    struct acting acting;
    struct campaign_move op;
};

static void on_moved(struct campaign_move *m, int status)
{
    struct moving *x = container_of(m, struct moving, op);

    if (status < 0)
        call_fail(x->call, status, m->err.text);
    else
        call_ok(x->call, json_pack("{sIssss}", "campaign", (json_int_t)m->id, "state",
                                   campaign_state_name(m->to), "was", campaign_state_name(m->was)));
}

void do_campaign_move(struct call *call)
{
    static const struct {
        const char *request;
        enum campaign_state to;
    } moves[] = {{"campaign start", CAMPAIGN_RUNNING},
                 {"campaign resume", CAMPAIGN_RUNNING},
                 {"campaign pause", CAMPAIGN_PAUSED},
                 {"campaign stop", CAMPAIGN_STOPPED}};
    struct moving *m = call_keep(call, sizeof *m, NULL);

    m->call = call;
    if (!call_acting(call, &m->acting))
        return;
    m->op = (struct campaign_move){
        .id = call_number(call, "campaign", 0), .who = m->acting.who, .done = on_moved};
    for (size_t i = 0; i < ARRAY_LEN(moves); i++)
        if (!strcmp(moves[i].request, call->kind->name))
            m->op.to = moves[i].to;
    campaign_move(call->ctl->world.campaigns, &m->op);
}

/* ---- looked at ---- */

struct previewing {
    struct call *call;
    struct campaign_preview op;
};

static void previewing_clear(void *own)
{
    campaign_preview_clear(&((struct previewing *)own)->op);
}

static json_t *json_samples(const struct campaign_preview *p)
{
    json_t *list = json_array();

    for (int i = 0; i < p->nsamples; i++)
        json_array_append_new(list, json_pack("{sssosi}", "to", p->samples[i].to, "text",
                                              json_text(buf_str(&p->samples[i].text)), "segments",
                                              p->samples[i].segments));
    return list;
}

static void on_previewed(struct campaign_preview *p, int status)
{
    struct call *call = container_of(p, struct previewing, op)->call;
    json_t *o;

    if (status < 0) {
        call_fail(call, status, p->err.text);
        return;
    }
    o = json_pack("{sIsIsIsIsIsIsIsIsiso}", "campaign", (json_int_t)p->id, "recipients",
                  (json_int_t)p->recipients, "go", (json_int_t)p->go, "opted_out", (json_int_t)p->opted_out,
                  "not_opted_in", (json_int_t)p->not_opted_in, "unusable", (json_int_t)p->unusable,
                  "deferred", (json_int_t)p->deferred, "segments", (json_int_t)p->segments, "segments_most",
                  p->segments_most, "cost", json_amount(p->cost_micros));
    if (p->time_ms >= 0)
        json_object_set_new(o, "seconds", json_integer((p->time_ms + 999) / 1000));
    json_put_text(o, "why", p->why);
    json_object_set_new(o, "samples", json_samples(p));
    call_ok(call, o);
}

void do_campaign_preview(struct call *call)
{
    struct previewing *p = call_keep(call, sizeof *p, previewing_clear);

    p->call = call;
    p->op = (struct campaign_preview){.id = call_number(call, "campaign", 0), .done = on_previewed};
    campaign_preview(call->ctl->world.campaigns, &p->op);
}

struct showing {
    struct call *call;
    struct store_campaign op;
};

static void showing_clear(void *own)
{
    store_campaign_clear(&((struct showing *)own)->op);
}

static void on_shown(struct store_op *op, int status)
{
    struct showing *s = container_of(op, struct showing, op.op);
    json_t *o, *messages = json_object(), *refusals = json_array();

    if (status < 0) {
        json_decref(messages);
        json_decref(refusals);
        call_fail(s->call, status, op->err.text);
        return;
    }
    for (unsigned k = MSG_QUEUED; k < MSG_STATES; k++)
        if (s->op.by_message[k])
            json_object_set_new(messages, msg_state_name((enum msg_state)k),
                                json_integer(s->op.by_message[k]));
    for (int i = 0; i < s->op.nreasons; i++)
        json_array_append_new(refusals, json_pack("{sosI}", "reason", json_text(s->op.reasons[i].reason),
                                                  "count", (json_int_t)s->op.reasons[i].count));
    o = json_campaign(&s->op.row);
    json_object_set_new(o, "messages", messages);
    json_object_set_new(o, "refusals", refusals);
    json_object_set_new(o, "segments", json_integer(s->op.segments));
    json_object_set_new(o, "cost", json_amount(s->op.cost_micros));
    call_ok(s->call, json_pack("{so}", "campaign", o));
}

void do_campaign(struct call *call)
{
    struct showing *s = call_keep(call, sizeof *s, showing_clear);

    s->call = call;
    s->op = (struct store_campaign){.op.done = on_shown, .id = call_number(call, "campaign", 0)};
    store_campaign(call->ctl->world.store, &s->op);
}

/* ---- lists ---- */

struct listing {
    struct call *call;
    struct store_campaigns op;
};

static void listing_clear(void *own)
{
    store_campaigns_clear(&((struct listing *)own)->op);
}

static void on_listed(struct store_op *op, int status)
{
    struct listing *l = container_of(op, struct listing, op.op);
    json_t *rows;

    if (status < 0) {
        call_fail(l->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; i < l->op.count; i++)
        json_array_append_new(rows, json_campaign(&l->op.rows[i]));
    call_ok_page(l->call, "campaigns", rows, "before",
                 l->op.count == l->op.limit ? json_integer(l->op.rows[l->op.count - 1].id) : NULL);
}

void do_campaigns(struct call *call)
{
    struct listing *l = call_keep(call, sizeof *l, listing_clear);
    const char *state = call_text(call, "state");

    l->call = call;
    l->op = (struct store_campaigns){.op.done = on_listed,
                                     .before_id = call_number(call, "before", 0),
                                     .limit = (int)call_number(call, "limit", LIST_DEFAULT)};
    if (state)
        campaign_state_from_name(state, &l->op.state);
    store_campaigns(call->ctl->world.store, &l->op);
}

struct recipients {
    struct call *call;
    struct store_recipients op;
};

static void recipients_clear(void *own)
{
    free(((struct recipients *)own)->op.rows);
}

/* Its message tells more than that there is one. */
static const char *state_of(const struct recipient_row *r)
{
    return r->message_state ? msg_state_name(r->message_state) : recipient_state_name(r->state);
}

static void on_recipients(struct store_op *op, int status)
{
    struct recipients *x = container_of(op, struct recipients, op.op);
    json_t *rows;

    if (status < 0) {
        call_fail(x->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; i < x->op.count; i++) {
        const struct recipient_row *r = &x->op.rows[i];
        json_t *o = json_pack("{ssss}", "number", r->number, "state", state_of(r));

        if (r->message)
            json_object_set_new(o, "message", json_integer(r->message));
        json_put_text(o, "reason", r->reason);
        json_array_append_new(rows, o);
    }
    call_ok_page(x->call, "recipients", rows, "after",
                 x->op.count == x->op.limit ? json_integer(x->op.rows[x->op.count - 1].n) : NULL);
}

void do_campaign_recipients(struct call *call)
{
    struct recipients *x = call_keep(call, sizeof *x, recipients_clear);
    const char *state = call_text(call, "state");

    x->call = call;
    x->op = (struct store_recipients){.op.done = on_recipients,
                                      .id = call_number(call, "campaign", 0),
                                      .after = call_number(call, "after", 0),
                                      .limit = (int)call_number(call, "limit", RECIPIENTS_DEFAULT)};
    for (unsigned s = RECIPIENT_WAITING; state && s <= RECIPIENT_REFUSED; s++)
        if (!strcmp(state, recipient_state_name((enum recipient_state)s)))
            x->op.state = (enum recipient_state)s;
    if (state && !x->op.state)
        msg_state_from_name(state, &x->op.message_state);
    store_recipients(call->ctl->world.store, &x->op);
}
