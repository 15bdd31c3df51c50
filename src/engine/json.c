/* JSON of foreign handlers: the event to them, the answer from them. See engine/actions.h; the schema is told
 * in simgate-handlers(7), and only ever grows.
 *
 * What customers wrote is data here and nothing else: every text passes jansson's encoder. The answer is read
 * with bounds on its size and (jansson's own) depth; names that are not known are errors, so that a slip of
 * the pen is not an action left undone. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/actions.h"

enum { EVENT_VERSION = 1 };

/* ---- the event ------------------------------------------------------------------------------------------
 */

static void put(json_t *o, const char *name, json_t *value)
{
    if (!value || json_object_set_new(o, name, value) < 0)
        abort();
}

/* Anything that is not UTF-8 (a sender's name of old) is shown with '?'. */
static json_t *text_of(const char *text)
{
    json_t *t = json_string(text);
    char *mended;

    if (t)
        return t;
    mended = strdup(text);
    if (!mended)
        abort();
    utf8_mend(mended);
    t = json_string(mended);
    free(mended);
    return t;
}

static void put_text(json_t *o, const char *name, const char *text)
{
    if (text && *text)
        put(o, name, text_of(text));
}

static void put_time(json_t *o, const char *name, int64_t wall_ms)
{
    char text[32];

    if (wall_ms <= 0)
        return;
    wall_to_text(wall_ms, false, text);
    put(o, name, json_string(text));
}

static json_t *tags_of(const char *tags)
{
    json_t *list = json_array();

    while (tags && *tags) {
        size_t len = strcspn(tags, ",");

        if (len)
            json_array_append_new(list, json_stringn(tags, len));
        tags += len + (tags[len] == ',');
    }
    return list;
}

static json_t *message_of(const struct handler_event *ev)
{
    const struct span *text = ev->shown.at ? &ev->shown : &ev->text;
    json_t *m = json_object();

    if (ev->id)
        put(m, "id", json_integer(ev->id));
    if (text->at)
        put(m, "text", json_stringn(text->at, text->len));
    if (ev->sensitive)
        put(m, "masked", json_true());
    put_time(m, "sent", ev->wall_ms);
    if (ev->incomplete)
        put(m, "incomplete", json_true());
    if (ev->message_class >= 0)
        put(m, "class", json_integer(ev->message_class));
    return m;
}

static json_t *contact_of(const struct handler_event *ev)
{
    static const char *const consents[] = {"unknown", "in", "out"};
    const struct contact_row *c = &ev->known->contact;
    json_t *o = json_object(), *attributes = NULL;

    put_text(o, "number", ev->from);
    put_text(o, "name", c->name);
    put_text(o, "language", c->language);
    put_text(o, "zone", c->zone);
    put(o, "tags", tags_of(c->tags));
    if (c->attributes)
        attributes = json_loads(c->attributes, 0, NULL);
    put(o, "attributes", attributes ? attributes : json_object());
    put(o, "consent", json_string(consents[ev->known->consent]));
    return o;
}

static json_t *conversation_of(const struct handler_event *ev)
{
    static const char *const priorities[] = {"low", "normal", "high", "urgent"};
    const struct conv_row *c = &ev->known->conv;
    json_t *o = json_object();

    put(o, "id", json_integer(ev->conversation));
    put(o, "new", json_boolean(c->id == 0));
    if (c->id == 0)
        return o;
    put_text(o, "state", conv_state_name(c->state));
    put_text(o, "priority", priorities[c->priority]);
    put_text(o, "department", c->department);
    put_text(o, "assignee", c->assignee);
    put_text(o, "title", c->title);
    put_time(o, "created", c->created_wall_ms);
    put(o, "messages", json_integer(c->messages_in));
    return o;
}

void event_to_json(const struct handler_event *ev, struct buf *out)
{
    json_t *o = json_object();
    char *text;

    put(o, "simgate", json_integer(EVENT_VERSION));
    put(o, "id", json_string(ev->key));
    put(o, "on", json_string(engine_on_names[ev->on]));
    put_time(o, "at", ev->now_wall_ms ? ev->now_wall_ms : ev->wall_ms);
    put_text(o, "name", ev->name);
    if (ev->depth)
        put(o, "depth", json_integer(ev->depth));
    put_text(o, "modem", ev->modem);
    put_text(o, "language", ev->language);
    if (ev->id || ev->text.at)
        put(o, "message", message_of(ev));
    if (ev->from && *ev->from)
        put(o, "contact", contact_of(ev));
    if (ev->conversation)
        put(o, "conversation", conversation_of(ev));
    text = json_dumps(o, JSON_COMPACT);
    if (!text)
        abort();
    buf_adds(out, text);
    free(text);
    json_decref(o);
}

/* ---- the answer -----------------------------------------------------------------------------------------
 */

enum { SHOWN = 40 };

static int unknown_param(int kind, const char *name, struct err *e)
{
    struct buf known = {0};

    for (int i = 0; action_kind_param(kind, i); i++)
        buf_addf(&known, ", \"%s\"", action_kind_param(kind, i));
    err_set(e, ERR_INVALID, "%.*s: %s knows \"action\"%s only", SHOWN, name, action_kind_name(kind),
            buf_str(&known));
    buf_free(&known);
    return e->code;
}

/* Numbers and truth are taken as they would be written. NULL in *out: null, as if it were left out. */
static int param_text(const json_t *value, const char *name, char number[32], const char **out, struct err *e)
{
    *out = number;
    if (json_is_integer(value)) {
        snprintf(number, 32, "%lld", (long long)json_integer_value(value));
    } else if (json_is_boolean(value)) {
        *out = json_is_true(value) ? "true" : "false";
    } else if (json_is_null(value)) {
        *out = NULL;
    } else if (json_is_string(value)) {
        *out = json_string_value(value);
        if (strlen(*out) != json_string_length(value))
            return err_set(e, ERR_INVALID, "%s: expected no NUL", name);
    } else {
        return err_set(e, ERR_INVALID, "%s: expected a text", name);
    }
    return 0;
}

static int unknown_action(const char *name, struct err *e)
{
    struct buf known = {0};

    for (int i = 0; i < action_kinds(); i++)
        buf_addf(&known, "%s%s", i ? ", " : "", action_kind_name(i));
    err_set(e, ERR_INVALID, "action: there is no \"%.*s\": expected one of %s", SHOWN, name, buf_str(&known));
    buf_free(&known);
    return e->code;
}

static int read_action(struct actions *as, const json_t *o, struct err *e)
{
    const char *params[ACTION_PARAMS] = {0}, *name = json_string_value(json_object_get(o, "action"));
    char numbers[ACTION_PARAMS][32];
    int kind = name ? action_kind_find(name) : -1;
    const char *member;
    json_t *value;

    if (!name)
        return err_set(e, ERR_INVALID, "expected an object with \"action\"");
    if (kind < 0)
        return unknown_action(name, e);
    json_object_foreach((json_t *)(uintptr_t)o, member, value)
    {
        int i = 0;

        if (!strcmp(member, "action") || !strcmp(member, "id"))
            continue;
        while (action_kind_param(kind, i) && strcmp(action_kind_param(kind, i), member) != 0)
            i++;
        if (!action_kind_param(kind, i))
            return unknown_param(kind, member, e);
        if (param_text(value, action_kind_param(kind, i), numbers[i], &params[i], e) < 0)
            return e->code;
    }
    return actions_add(as, kind, params, e);
}

static int read_list(struct actions *as, const json_t *list, struct err *e)
{
    if (!json_is_array(list))
        return err_set(e, ERR_INVALID, "actions: expected a list");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (read_action(as, json_array_get(list, i), e) < 0)
            return err_wrap(e, "actions[%zu]", i);
    return 0;
}

static int read_verdict(struct actions *as, const json_t *value, struct err *e)
{
    const char *text = json_string_value(value);

    if (!text || (strcmp(text, "next") && strcmp(text, "stop")))
        return err_set(e, ERR_INVALID, "verdict: expected \"next\" or \"stop\"");
    as->stop = as->stop || !strcmp(text, "stop");
    return 0;
}

static int read_answer(struct actions *as, const json_t *o, struct err *e)
{
    const char *member;
    json_t *value;

    if (json_is_array(o))
        return read_list(as, o, e);
    if (json_object_get(o, "action"))
        return read_action(as, o, e);
    json_object_foreach((json_t *)(uintptr_t)o, member, value)
    {
        int rc = 0;

        if (!strcmp(member, "actions"))
            rc = read_list(as, value, e);
        else if (!strcmp(member, "verdict"))
            rc = read_verdict(as, value, e);
        else if (strcmp(member, "id") != 0) /* of the line protocol */
            rc = err_set(e, ERR_INVALID, "%.*s: expected \"actions\" and \"verdict\"", SHOWN, member);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int actions_parse(struct actions *as, const char *json, size_t len, struct err *e)
{
    json_error_t why;
    json_t *o;
    int rc;

    while (len && memchr(" \t\r\n", *json, 4))
        json++, len--;
    if (len == 0)
        return 0;
    if (len > ANSWER_BYTES)
        return err_set(e, ERR_TOO_LONG, "expected at most %d bytes", ANSWER_BYTES);
    o = json_loadb(json, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!o)
        return err_set(e, ERR_INVALID, "no JSON: line %d column %d: %s", why.line, why.column, why.text);
    rc = read_answer(as, o, e);
    json_decref(o);
    return rc;
}
