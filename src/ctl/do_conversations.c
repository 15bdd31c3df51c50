/* `conversations`, `conversation`, and one request for each operation on a conversation (desk/desk.h): what
 * people at a keyboard do, as staff do it by telephone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/desk.h"

enum { LIST_DEFAULT = 50, TIMELINE_DEFAULT = 200 };

/* ---- conversations ---- */

struct listing {
    struct call *call;
    struct store_convs list;
    char department[DESK_WORD_BYTES], assignee[DESK_NAME_BYTES], number[NUMBER_BYTES], search[128];
};

static void listing_clear(void *own)
{
    store_convs_clear(&((struct listing *)own)->list);
}

static void on_listed(struct store_op *op, int status)
{
    struct listing *l = container_of(op, struct listing, list.op);
    json_t *rows;

    if (status < 0) {
        call_fail(l->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; i < l->list.count; i++)
        json_array_append_new(rows, json_conversation(&l->list.rows[i]));
    call_ok_page(l->call, "conversations", rows, "after",
                 l->list.more ? json_integer(l->list.rows[l->list.count - 1].id) : NULL);
}

static unsigned states_of(const struct call *call)
{
    const char *name = call_text(call, "state");
    enum conv_state state;

    if (name && conv_state_from_name(name, &state))
        return 1u << state;
    return call_bool(call, "all", 0) ? ~0u : 0;
}

void do_conversations(struct call *call)
{
    struct listing *l = call_keep(call, sizeof *l, listing_clear);
    const char *search = call_text(call, "search");

    l->call = call;
    if (!call_department(call, "department", l->department, sizeof l->department) ||
        !call_person(call, "assignee", l->assignee, sizeof l->assignee) ||
        (call_text(call, "contact") && !call_number_of(call, "contact", l->number)))
        return;
    if (search)
        call_search_number(call, search, l->search, sizeof l->search);
    l->list = (struct store_convs){.op.done = on_listed,
                                   .states = states_of(call),
                                   .department = call_text(call, "department") ? l->department : NULL,
                                   .assignee =
                                       *l->assignee || call_bool(call, "unassigned", 0) ? l->assignee : NULL,
                                   .sim = call_text(call, "modem"),
                                   .number = *l->number ? l->number : NULL,
                                   .tag = call_text(call, "tag"),
                                   .search = search ? l->search : NULL,
                                   .overdue = call_bool(call, "overdue", 0),
                                   .flagged = call_bool(call, "flagged", 0),
                                   .order = call_bool(call, "waiting", 0) ? CONV_LONGEST : CONV_NEWEST,
                                   .after = call_number(call, "after", 0),
                                   .limit = (int)call_number(call, "limit", LIST_DEFAULT)};
    store_convs(call->ctl->world.store, &l->list);
}

/* ---- conversation ---- */

struct showing {
    struct call *call;
    struct store_conv conv;
};

static void showing_clear(void *own)
{
    store_conv_clear(&((struct showing *)own)->conv);
}

static void fail_of_conversation(struct call *call, int status, const char *text)
{
    char none[96];

    snprintf(none, sizeof none, "conversation %lld: there is none; `simgate conversations --all` lists them",
             (long long)call_number(call, "conversation", 0));
    call_fail(call, status, status == ERR_NOT_FOUND ? none : text);
}

static void on_shown(struct store_op *op, int status)
{
    struct showing *s = container_of(op, struct showing, conv.op);
    json_t *result, *rows;

    if (status < 0) {
        fail_of_conversation(s->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; i < s->conv.count; i++)
        json_array_append_new(rows, json_timeline(&s->conv.rows[i]));
    result = json_pack("{sososo}", "conversation", json_conversation(&s->conv.row), "contact",
                       json_contact(&s->conv.contact), "timeline", rows);
    if (s->conv.more)
        json_object_set_new(result, "before", json_integer(s->conv.rows[0].id));
    call_ok(s->call, result);
}

void do_conversation(struct call *call)
{
    struct showing *s = call_keep(call, sizeof *s, showing_clear);

    s->call = call;
    s->conv = (struct store_conv){.op.done = on_shown,
                                  .id = call_number(call, "conversation", 0),
                                  .before = call_number(call, "before", 0),
                                  .limit = (int)call_number(call, "limit", TIMELINE_DEFAULT)};
    store_conv(call->ctl->world.store, &s->conv);
}

/* ---- operations ---- */

/* The field that each takes its value from. */
static const char *const value_fields[OPERATIONS] = {
    [OP_REPLY] = "text",   [OP_NOTE] = "text",         [OP_ASSIGN] = "person", [OP_DEPARTMENT] = "department",
    [OP_SNOOZE] = "until", [OP_PRIORITY] = "priority", [OP_TAG] = "tag",       [OP_UNTAG] = "tag"};

struct operating {
    struct call *call;
    struct acting acting;
    struct desk_do op;
    char key[MSG_KEY_BYTES];
};

static void on_operated(struct desk_do *op, int status)
{
    struct operating *o = container_of(op, struct operating, op);
    json_t *result;

    if (status < 0) {
        fail_of_conversation(o->call, status, op->err.text);
        return;
    }
    result = json_pack("{sIsoss}", "conversation", (json_int_t)op->conversation, "done", json_text(op->words),
                       "state", conv_state_name(op->state));
    if (op->message)
        json_object_set_new(result, "message", json_integer(op->message));
    call_ok(o->call, result);
}

/* The request's name is "conversation " and the operation's. */
void do_operation(struct call *call)
{
    struct operating *o = call_keep(call, sizeof *o, NULL);
    const char *key = call_text(call, "key");
    struct err e = {0};

    if (key && !*key)
        key = NULL; /* of a script whose variable is not set: it would be everybody's */
    o->call = call;
    if (!operation_from_name(strchr(call->kind->name, ' ') + 1, &o->op.op)) {
        call_fail(call, ERR_INVALID, "there is no such operation");
        return;
    }
    if (acting_of(call, &o->acting, &e) < 0 && !key) {
        call_fail(call, e.code, e.text);
        return;
    }
    if (key)
        snprintf(o->key, sizeof o->key, "ctl:%.120s", key);
    o->op.conversation = call_number(call, "conversation", 0);
    o->op.value = value_fields[o->op.op] ? call_text(call, value_fields[o->op.op]) : NULL;
    o->op.person = e.code              ? call_text(call, "as") /* what was done by this key stays told */
                   : *o->acting.person ? o->acting.person
                                       : NULL;
    o->op.who = o->acting.who;
    o->op.override_reason = call_text(call, "override");
    o->op.key = key ? o->key : NULL;
    o->op.done = on_operated;
    log_info(WHO, "%s conversation=%lld by=%s as=%s", call->kind->name, (long long)o->op.conversation,
             call_user(call), o->acting.who);
    desk_do(call->ctl->world.desk, &o->op);
}
