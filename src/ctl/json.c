/* What the store and the gateway tell, as JSON. Times are RFC 3339 in UTC; what has no value is left out.
 * Text is UTF-8 by the time it is in the store; what came by other ways is made so here, or it could not be
 * written as JSON at all. */
#include "ctl/private.h"

#include <string.h>

#include "base/utf8.h"
#include "base/util.h"

static const char *const priorities[] = {"low", "normal", "high"};

static const struct {
    uint32_t bit;
    const char *name;
} flags[] = {{MSG_F_REPORT, "report"},
             {MSG_F_FLASH, "flash"},
             {MSG_F_POSSIBLE_DUPLICATE, "possible_duplicate"},
             {MSG_F_INCOMPLETE, "incomplete"},
             {MSG_F_BINARY, "binary"},
             {MSG_F_UNDECODABLE, "undecodable"},
             {MSG_F_AUTOMATIC, "automatic"},
             {MSG_F_CONSENT, "consent"},
             {MSG_F_SILENT, "silent"},
             {MSG_F_CALL, "call"},
             {MSG_F_PERSON, "person"},
             {MSG_F_MARKETING, "marketing"},
             {MSG_F_OVERRIDE, "override"},
             {MSG_F_MASKED, "masked"},
             {MSG_F_STAFF, "staff"}};

json_t *json_text(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    struct buf clean = {0};
    json_t *v;

    if (!text)
        return json_null();
    if (utf8_valid(text, len))
        return json_stringn(text, len);
    for (size_t at = 0; at < len;) {
        char bytes[4];

        buf_add(&clean, bytes, utf8_put(utf8_next(text, len, &at), bytes));
    }
    v = json_string(buf_str(&clean));
    buf_free(&clean);
    return v;
}

void json_put_text(json_t *to, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(to, name, json_text(text));
}

void json_put_time(json_t *to, const char *name, int64_t wall_ms)
{
    char text[32];

    if (wall_ms <= 0)
        return;
    wall_to_text(wall_ms, false, text);
    json_object_set_new(to, name, json_string(text));
}

static void put_number(json_t *to, const char *name, int64_t n)
{
    json_object_set_new(to, name, json_integer(n));
}

static json_t *flags_of(uint32_t bits)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (bits & flags[i].bit)
            json_array_append_new(list, json_string(flags[i].name));
    return list;
}

json_t *json_message(const struct msg_row *r)
{
    json_t *m = json_object();

    put_number(m, "id", r->id);
    json_object_set_new(m, "direction", json_string(r->direction == MSG_IN ? "in" : "out"));
    json_object_set_new(m, "state", json_string(msg_state_name(r->state)));
    json_put_text(m, "reason", r->reason);
    json_object_set_new(m, "peer", json_text(r->peer));
    json_object_set_new(m, "text", json_text(r->text ? r->text : ""));
    put_number(m, "parts", r->parts);
    json_put_time(m, "created", r->created_wall_ms);
    json_put_time(m, "changed", r->final_wall_ms);
    json_put_time(m, "due", r->due_wall_ms);
    json_put_time(m, "expires", r->expires_wall_ms);
    json_put_time(m, "service_centre_time", r->scts_wall_ms);
    json_put_text(m, "modem", r->modem);
    json_put_text(m, "pool", r->pool);
    json_put_text(m, "imsi", r->imsi);
    json_put_text(m, "source", r->source);
    json_put_text(m, "key", r->key);
    if (r->direction == MSG_OUT && r->priority >= 0 && r->priority < (int)ARRAY_LEN(priorities))
        json_object_set_new(m, "priority", json_string(priorities[r->priority]));
    if (r->reply_to)
        put_number(m, "reply_to", r->reply_to);
    if (r->conversation > 0)
        put_number(m, "conversation", r->conversation);
    if (r->cost_micros)
        json_object_set_new(m, "cost", json_real((double)r->cost_micros / 1e6));
    json_object_set_new(m, "flags", flags_of(r->flags));
    return m;
}

static json_t *part_of(const struct part_row *p)
{
    json_t *o =
        json_pack("{sisssi}", "part", p->seq, "state", msg_state_name(p->state), "attempts", p->attempts);

    json_put_text(o, "modem", p->modem);
    json_put_text(o, "imsi", p->imsi);
    if (p->mr >= 0)
        put_number(o, "reference", p->mr);
    json_put_time(o, "submitted", p->submitted_wall_ms);
    json_put_time(o, "sent", p->sent_wall_ms);
    json_put_time(o, "reported", p->report_wall_ms);
    if (p->report_status >= 0)
        put_number(o, "report_status", p->report_status);
    return o;
}

static json_t *history_of(const struct history_row *h)
{
    json_t *o = json_object();

    json_put_time(o, "at", h->at_wall_ms);
    if (h->part)
        put_number(o, "part", h->part);
    json_object_set_new(o, "state", json_string(msg_state_name(h->state)));
    json_put_text(o, "reason", h->reason);
    json_put_text(o, "modem", h->modem);
    return o;
}

static json_t *report_of(const struct report_row *r)
{
    json_t *o = json_object();

    json_put_time(o, "received", r->received_wall_ms);
    json_put_time(o, "service_centre_time", r->scts_wall_ms);
    json_put_time(o, "discharged", r->discharge_wall_ms);
    put_number(o, "reference", r->mr);
    put_number(o, "status", r->status);
    json_put_text(o, "status_text", pdu_status_text((uint8_t)r->status));
    json_put_text(o, "recipient", r->recipient);
    json_put_text(o, "modem", r->modem);
    return o;
}

static json_t *segment_of(const struct store_segment *s)
{
    char hex[2 * sizeof s->pdu + 1];
    json_t *o = json_object();

    hex_encode(s->pdu, (size_t)s->len, hex);
    put_number(o, "part", s->seq);
    json_put_time(o, "received", s->received_wall_ms);
    json_object_set_new(o, "pdu", json_string(hex));
    return o;
}

json_t *json_show(const struct store_show *s)
{
    json_t *m = json_message(&s->row), *list;

    json_object_set_new(m, "part_list", list = json_array());
    for (int i = 0; i < s->nparts; i++)
        json_array_append_new(list, part_of(&s->parts[i]));
    json_object_set_new(m, "history", list = json_array());
    for (int i = 0; i < s->nhistory; i++)
        json_array_append_new(list, history_of(&s->history[i]));
    json_object_set_new(m, "reports", list = json_array());
    for (int i = 0; i < s->nreports; i++)
        json_array_append_new(list, report_of(&s->reports[i]));
    json_object_set_new(m, "segments", list = json_array());
    for (int i = 0; i < s->nsegments; i++)
        if (s->segments[i].len > 0) /* a call has none */
            json_array_append_new(list, segment_of(&s->segments[i]));
    return m;
}

json_t *json_event(const struct gateway_event *ev)
{
    json_t *o = json_object();

    json_object_set_new(o, "kind", json_string(gateway_event_name(ev->kind)));
    json_put_time(o, "at", ev->at_wall_ms);
    if (ev->message)
        put_number(o, "message", ev->message);
    if (ev->conversation)
        put_number(o, "conversation", ev->conversation);
    if (ev->state)
        json_object_set_new(o, "state", json_string(msg_state_name(ev->state)));
    if (ev->part)
        put_number(o, "part", ev->part);
    if (ev->parts)
        put_number(o, "parts", ev->parts);
    if (ev->report)
        put_number(o, "report", ev->report);
    if (ev->alarm) {
        json_put_text(o, "alarm", ev->alarm);
        json_object_set_new(o, "raised", json_boolean(ev->raised));
    }
    json_put_text(o, "peer", ev->peer);
    json_put_text(o, "modem", ev->modem);
    json_put_text(o, "reason", ev->reason);
    json_put_text(o, "text", ev->text);
    return o;
}

json_t *json_error(int status, const char *text)
{
    static const char *const codes[ERR_CODES] = {[-ERR_INVALID] = "invalid",
                                                 [-ERR_TRUNCATED] = "truncated",
                                                 [-ERR_TOO_LONG] = "too_long",
                                                 [-ERR_NOMEM] = "no_memory",
                                                 [-ERR_IO] = "io",
                                                 [-ERR_BUSY] = "busy",
                                                 [-ERR_GONE] = "gone",
                                                 [-ERR_TIMEOUT] = "timeout",
                                                 [-ERR_CANCELLED] = "cancelled",
                                                 [-ERR_NOT_FOUND] = "not_found",
                                                 [-ERR_EXISTS] = "exists",
                                                 [-ERR_FULL] = "full",
                                                 [-ERR_REFUSED] = "refused",
                                                 [-ERR_CORRUPT] = "corrupt",
                                                 [-ERR_VERSION] = "version"};
    bool known = status < 0 && -status < ERR_CODES && codes[-status];
    json_t *e = json_pack("{ss}", "code",
                          known                    ? codes[-status]
                          : status == CTL_STOPPING ? "stopping"
                                                   : "failed");

    json_object_set_new(e, "text", json_text(text && *text ? text : err_name(status)));
    return e;
}

json_t *json_lines(struct buf *text)
{
    json_t *lines = json_array();
    char *save = NULL;

    for (char *line = text->data ? strtok_r(text->data, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save))
        json_array_append_new(lines, json_text(line));
    return lines;
}
