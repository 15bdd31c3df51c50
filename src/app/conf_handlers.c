/* gateway.conf's table of handlers. What a kind needs is checked by the kind itself (engine/exec.c …), where
 * the script is read and the address looked at. */
#include "app/conf_parts.h"
#include "base/util.h"

#define HANDLER(m) offsetof(struct engine_handler_conf, m)

static const char *const kind_names[] = {[HANDLER_EXEC] = "exec",
                                         [HANDLER_WEBHOOK] = "webhook",
                                         [HANDLER_LUA] = "lua",
                                         [HANDLER_SHARED] = "shared",
                                         [HANDLER_SMSTOOLS] = "eventhandler",
                                         [HANDLER_MAIL] = "mail",
                                         [HANDLER_CHECK] = "checkhandler",
                                         [HANDLER_KINDS] = NULL};
static const char *const failure_names[] = {
    [ON_FAILURE_NEXT] = "next", [ON_FAILURE_STOP] = "stop", [ON_FAILURE_HOLD] = "hold", NULL};

static const struct schema_key handler_keys[] = {
    {"name", SCHEMA_STRING, HANDLER(name), .min = 1, .max = DESK_WORD_BYTES - 1, .required = true,
     .help = "how chain, rules and logs call it"},
    {"kind", SCHEMA_ENUM, HANDLER(kind), .names = kind_names, .required = true,
     .help = "\"exec\", \"webhook\", \"lua\", \"shared\", \"mail\", \"eventhandler\" or \"checkhandler\""},
    {"on", SCHEMA_STRINGS, HANDLER(on), .help = "the events that it is asked about; left out: messages"},
    {"deadline", SCHEMA_DURATION, HANDLER(deadline_ms), .def = "5s", .min = 10, .max = 10 * MINUTE,
     .help = "it has failed when it did not answer in this time"},
    {"on_failure", SCHEMA_ENUM, HANDLER(on_failure), .def = "next", .names = failure_names,
     .help = "then: ask the \"next\" handler, \"stop\" here, or \"hold\" the message and ask again later"},
    {"asynchronous", SCHEMA_BOOL, HANDLER(asynchronous), .def = "false",
     .help = "nobody waits for it: it is told afterwards, at least once"},
    {"retry_for", SCHEMA_DURATION, HANDLER(retry_for_ms), .def = "1d", .min = MINUTE, .max = 30 * DAY,
     .help = "what it could not be told, or is held for it, is given up after this time"},
    {"command", SCHEMA_STRINGS, HANDLER(command), .help = "program and arguments; no shell"},
    {"stay", SCHEMA_BOOL, HANDLER(stay), .def = "false",
     .help = "exec: one process for all events, a line each"},
    {"url", SCHEMA_STRING, HANDLER(url), .max = 2000,
     .help = "webhook: \"https://…\"; mail: \"smtp://host\" or \"smtps://host\""},
    {"secret", SCHEMA_STRING, HANDLER(secret), .max = 1000,
     .help = "webhook: what its requests are signed with, or \"file:/path\" that holds it"},
    {"ca_file", SCHEMA_STRING, HANDLER(ca_file), .max = 1000,
     .help = "authorities that may have signed the server's certificate; left out: the system's"},
    {"user", SCHEMA_STRING, HANDLER(user), .max = 200, .help = "webhook, mail: who logs in"},
    {"password", SCHEMA_STRING, HANDLER(password), .max = 1000,
     .help = "and by what, or \"file:/path\" that holds it"},
    {"from", SCHEMA_STRING, HANDLER(from), .max = 250, .help = "mail: \"Shop <shop@example.org>\""},
    {"to", SCHEMA_STRINGS, HANDLER(to), .help = "mail: the addresses that it is sent to"},
    {"subject", SCHEMA_STRING, HANDLER(subject), .def = "{{message.from|simgate}}: {{message.text|}}",
     .max = 300, .help = "mail: with {{values}}"},
    {"file", SCHEMA_STRING, HANDLER(file), .max = 3000, .help = "lua: the script; shared: the object"},
    {"memory", SCHEMA_INT, HANDLER(memory_mib), .def = "4", .min = 1, .max = 256,
     .help = "lua: the most that the script may use, in MiB"},
    {"instructions", SCHEMA_INT, HANDLER(instructions), .def = "1000", .min = 1, .max = 100000,
     .help = "lua: the most for one event, in thousands"},
    {"options", SCHEMA_STRING, HANDLER(options), .max = 4000,
     .help = "lua, shared: a text of yours that is given to them"},
};
const struct schema_group conf_handlers_group = {handler_keys, ARRAY_LEN(handler_keys),
                                                 sizeof(struct engine_handler_conf), HANDLER(place)};
