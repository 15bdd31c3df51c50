/* The table of requests. docs/simgate-protocol.7 tells the same to those who write programs. */
#include <string.h>

#include "base/util.h"
#include "ctl/request.h"
#include "store/desk.h"

enum {
    RECIPIENTS_MAX = 1000,
    KEY_MAX_BYTES = 120, /* leaves room for "ctl:" and the recipient in the store's key */
    LIST_MAX = 1000,
};

static const char *const priorities[] = {"low", "normal", "high", NULL};
static const char *const directions[] = {"in", "out", NULL};
static const char *const states[] = {"queued",  "submitting", "sent",    "delivered", "undelivered", "failed",
                                     "expired", "cancelled",  "unknown", "received",  "handled",     NULL};

#define A_MODEM(must)                                                                                        \
    {                                                                                                        \
        .name = "modem", .type = FIELD_TEXT, .required = must, .max = MSG_MODEM_BYTES - 1                    \
    }
#define AN_ID                                                                                                \
    {                                                                                                        \
        .name = "message", .type = FIELD_NUMBER, .required = true, .min = 1, .max = INT64_MAX                \
    }
#define A_SESSION                                                                                            \
    {                                                                                                        \
        .name = "session", .type = FIELD_TEXT, .required = true, .max = 40                                   \
    }
static const struct field no_fields[] = {END};
static const struct field send_fields[] = {
    {.name = "to", .type = FIELD_TEXTS, .required = true, .max = RECIPIENTS_MAX},
    {.name = "text", .type = FIELD_TEXT, .required = true},
    A_MODEM(false),
    {.name = "pool", .type = FIELD_TEXT, .max = MSG_MODEM_BYTES - 1},
    {.name = "report", .type = FIELD_BOOL},
    {.name = "flash", .type = FIELD_BOOL},
    {.name = "at", .type = FIELD_TIME},
    {.name = "validity", .type = FIELD_DURATION},
    {.name = "priority", .type = FIELD_CHOICE, .choices = priorities},
    {.name = "key", .type = FIELD_TEXT, .max = KEY_MAX_BYTES},
    {.name = "marketing", .type = FIELD_BOOL},
    {.name = "department", .type = FIELD_TEXT, .max = DESK_WORD_BYTES - 1},
    {.name = "as", .type = FIELD_TEXT, .max = DESK_NAME_BYTES - 1},
    {.name = "override", .type = FIELD_TEXT, .max = MSG_REASON_BYTES - 1},
    {.name = "wait", .type = FIELD_BOOL},
    END};
static const struct field modems_fields[] = {A_MODEM(false), {.name = "line", .type = FIELD_BOOL}, END};
static const struct field messages_fields[] = {
    {.name = "direction", .type = FIELD_CHOICE, .choices = directions},
    {.name = "state", .type = FIELD_CHOICE, .choices = states},
    {.name = "peer", .type = FIELD_TEXT, .max = 63},
    A_MODEM(false),
    {.name = "since", .type = FIELD_TIME},
    {.name = "until", .type = FIELD_TIME},
    {.name = "contains", .type = FIELD_TEXT, .max = 1000},
    {.name = "limit", .type = FIELD_NUMBER, .min = 1, .max = LIST_MAX},
    {.name = "before", .type = FIELD_NUMBER, .min = 1, .max = INT64_MAX},
    END};
static const struct field message_fields[] = {AN_ID, END};
static const struct field backup_fields[] = {
    {.name = "file", .type = FIELD_TEXT, .required = true, .max = 4000}, END};
static const struct field at_fields[] = {
    A_MODEM(true), {.name = "command", .type = FIELD_TEXT, .required = true, .max = 400}, END};
static const struct field ussd_fields[] = {A_MODEM(true),
                                           {.name = "code", .type = FIELD_TEXT, .required = true, .max = 182},
                                           {.name = "keep", .type = FIELD_BOOL},
                                           END};
static const struct field reply_fields[] = {
    A_SESSION,
    {.name = "text", .type = FIELD_TEXT, .required = true, .max = 182},
    {.name = "keep", .type = FIELD_BOOL},
    END};
static const struct field session_fields[] = {A_SESSION, END};
static const struct field balance_fields[] = {A_MODEM(false), END};
static const struct field trace_fields[] = {
    A_MODEM(true), {.name = "unmasked", .type = FIELD_BOOL}, {.name = "for", .type = FIELD_DURATION}, END};
static const struct field probe_fields[] = {
    {.name = "port", .type = FIELD_TEXT, .max = 400}, A_MODEM(false), END};
static const struct field unlock_fields[] = {A_MODEM(true), END};
static const struct field route_fields[] = {
    {.name = "to", .type = FIELD_TEXT, .required = true, .max = 63},
    {.name = "text", .type = FIELD_TEXT},
    A_MODEM(false),
    {.name = "pool", .type = FIELD_TEXT, .max = MSG_MODEM_BYTES - 1},
    {.name = "source", .type = FIELD_TEXT, .max = MSG_SOURCE_BYTES - 1},
    {.name = "department", .type = FIELD_TEXT, .max = DESK_WORD_BYTES - 1},
    {.name = "marketing", .type = FIELD_BOOL},
    {.name = "at", .type = FIELD_TIME},
    END};

static const struct request gateway_requests[] = {
    {.name = "send", .fields = send_fields, .run = do_send},
    {.name = "status", .fields = no_fields, .run = do_status},
    {.name = "modems", .fields = modems_fields, .run = do_modems},
    {.name = "messages", .fields = messages_fields, .run = do_messages},
    {.name = "show", .fields = message_fields, .run = do_show},
    {.name = "cancel", .fields = message_fields, .run = do_cancel},
    {.name = "retry", .fields = message_fields, .run = do_retry},
    {.name = "watch", .fields = no_fields, .run = do_watch},
    {.name = "backup", .fields = backup_fields, .run = do_backup},
    {.name = "reload", .fields = no_fields, .run = do_reload},
    {.name = "at", .fields = at_fields, .run = do_at},
    {.name = "ussd", .fields = ussd_fields, .run = do_ussd},
    {.name = "ussd reply", .fields = reply_fields, .run = do_ussd_reply},
    {.name = "ussd cancel", .fields = session_fields, .run = do_ussd_cancel},
    {.name = "balance", .fields = balance_fields, .run = do_balance},
    {.name = "trace", .fields = trace_fields, .run = do_trace},
    {.name = "probe", .fields = probe_fields, .run = do_probe},
    {.name = "unlock", .fields = unlock_fields, .run = do_unlock},
    {.name = "route test", .fields = route_fields, .run = do_route_test},
    END};

/* Each part of the program has its requests in a table of its own. */
static const struct request *const tables[] = {gateway_requests, desk_requests, campaign_requests,
                                               rules_requests};

const struct request *request_next(const struct request *r)
{
    bool now = !r;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (const struct request *one = tables[i]; one->name; one++) {
            if (now)
                return one;
            now = one == r;
        }
    }
    return NULL;
}

const struct request *request_find(const char *name)
{
    for (const struct request *r = request_next(NULL); r; r = request_next(r))
        if (!strcmp(r->name, name))
            return r;
    return NULL;
}
