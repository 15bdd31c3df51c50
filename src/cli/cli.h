/* What the files of cli/ share: the table of commands, one call of a command, and the ways out.
 *
 * Each command is one row of the table in table.c: its options and operands make its parser, its help, its
 * completion and its request. Its answer is one JSON value: --json prints it, otherwise its view shows it to
 * people.
 */
#ifndef SIMGATE_CLI_CLI_H
#define SIMGATE_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define DEFAULT_SOCKET "/run/simgate/simgate.sock"
#define DEFAULT_CONF   "/etc/simgate/gateway.conf"

/* Told in simgate(1). */
enum exit_code {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* it was tried and failed; a message failed; status: a person is needed */
    CLI_USAGE = 2,
    CLI_UNREACHABLE = 3, /* no simgated, or it ended meanwhile */
    CLI_REFUSED = 4,     /* simgated does not do this: wrong values, unknown id, opted out, no permission */
    CLI_NO_OUTCOME = 5,  /* --timeout came first */
};

enum arg_type {
    ARG_TRUE,
    ARG_FALSE,
    ARG_FIXED, /* the field is `fixed` */
    ARG_TEXT,
    ARG_LIST, /* may be repeated; commas separate */
    ARG_NUMBER,
    ARG_DURATION,
    ARG_TIME,   /* sent as RFC 3339 in UTC */
    ARG_PAST,   /* the same; a duration is so long ago */
    ARG_DAY,    /* as ARG_PAST; a day without a time is sent as it is written */
    ARG_FUTURE, /* the same; a duration is from now */
    ARG_CHOICE,
    ARG_FILE,
    ARG_NEW_FILE, /* sent as a path from the root */
    ARG_MODEM,
    ARG_PERSON,
    ARG_DEPARTMENT,
    ARG_CONVERSATION, /* its number, as the relay writes it too: 12, #12 */
    ARG_CAMPAIGN,
    ARG_TEMPLATE,
    ARG_HANDLER,
    ARG_WORDS,    /* the rest of the line, or standard input for "-" */
    ARG_REST,     /* one or more texts */
    ARG_SETTINGS, /* one or more NAME=VALUE: an object */
};

struct option {
    const char *name; /* without "--"; NULL ends the list */
    enum arg_type type;
    const char *value; /* what help calls it; NULL for flags */
    const char *field; /* of the request */
    const char *help;
    const char *fixed;
    const char *const *choices;
    bool required;
};

struct operand {
    const char *name; /* "ID"; NULL ends the list */
    enum arg_type type;
    const char *field;
    bool optional;
    const char *const *choices;
};

/* Ends a table of options, operands or commands. */
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

enum { ORDINARY_MS = 60000 }; /* an answer's time */

/* One call of a command. */
struct invocation {
    const struct command *command;
    json_t *args; /* fields, from options and operands */
    const char *socket;
    char *own_socket;   /* from --socket, else NULL */
    int64_t timeout_ms; /* 0 none */
    bool timeout_given;
    bool json;
};

struct command {
    const char *name; /* one or two words */
    const char *summary;
    const char *details; /* NULL none */
    const struct option *options;
    const struct operand *operands;
    int64_t timeout_ms;
    const char *request;                /* NULL: it does not speak with simgated, or does so in its own way */
    void (*view)(const json_t *answer); /* the answer for people */
    int (*status)(const json_t *answer); /* exit status of an answer; NULL: CLI_DONE */
    int (*run)(struct invocation *v);    /* instead of these three */
};

/* table.c, and a table for each part of the program */
struct command_group {
    const char *title;              /* NULL ends the list */
    const struct command *commands; /* END ends it */
};
extern const struct command_group command_groups[];
extern const struct command rules_commands[];                                          /* table_rules.c */
extern const struct command stats_commands[];                                          /* stats.c */
extern const struct command campaign_commands[];                                       /* table_campaign.c */
extern const struct command conversation_commands[];                                   /* table_desk.c */
extern const struct command contact_commands[], consent_commands[], people_commands[]; /* table_contacts.c */
const struct command *command_next(const struct command *c); /* of all groups; NULL before the first */
extern const struct option common_options[];
const struct command *command_find(const char *name);
/* The command that argv begins with, and how many words its name has. */
const struct command *command_match(char **argv, int argc, int *words);

/* options.c */
int options_parse(struct invocation *v, int argc, char **argv, struct err *e);
const struct option *option_find(const struct command *c, const char *name);
/* How many words before the command are options that every command takes, and their values. */
int options_leading(int argc, char **argv);

/* connection.c */
struct connection {
    int fd;
    const char *socket;
    struct buf in;
    int64_t deadline_ms; /* monotonic; INT64_MAX never */
};
/* CLI_DONE, or the exit status with the reason in *e. */
int connection_open(struct connection *c, const char *socket, int64_t timeout_ms, struct err *e);
void connection_close(struct connection *c);
int connection_send(struct connection *c, const char *request, json_t *args, struct err *e);
/* Shows one event to people, or as JSON. False: nobody reads any more. */
typedef bool event_fn(const struct invocation *v, const json_t *event);
/* The answer of what was sent, without "id" and "ok"; the events before it go to `show` (NULL: are skipped).
 * A refusal is an exit status, with the answer beside it. When nobody reads, CLI_DONE without an answer. */
int connection_hear(struct connection *c, const struct invocation *v, event_fn *show, json_t **answer,
                    struct err *e);
/* One request of v->args, its events and its answer, on a connection of its own. */
int ask_and_hear(const struct invocation *v, const char *request, event_fn *show, json_t **answer,
                 struct err *e);
/* The same of a request without events. */
int ask(const struct invocation *v, const char *request, json_t *args, json_t **answer, struct err *e);
int status_of_error(const json_t *answer, struct err *e);

/* run.c */
int run_request(struct invocation *v); /* for commands without a `run` */
void print_json(const json_t *v);
void print_json_lines(const json_t *v, bool lines); /* moved in, or on one line */
/* Tells that it did not work, for people or as JSON (`answer` may be NULL); returns status. */
int tell_failure(const struct invocation *v, int status, const struct err *e, json_t *answer);
/* Tells what is wrong with the command line, of c when that much is known, and returns CLI_USAGE. */
int tell_usage(const struct command *c, bool json, const struct err *e);

/* Commands with their own way. */
int run_send(struct invocation *v);
int run_watch(struct invocation *v);
int run_trace(struct invocation *v);
int run_probe(struct invocation *v);
int run_self_test(struct invocation *v); /* selftest.c: of `probe` */
int run_config_check(struct invocation *v);
int run_pdu_decode(struct invocation *v);
int run_pdu_encode(struct invocation *v);
int run_ussd(struct invocation *v);
int run_rules_test(struct invocation *v);
int run_contact_export(struct invocation *v); /* contacts.c */
int run_contact_erase(struct invocation *v);
int run_contacts_import(struct invocation *v);
int run_contacts_export(struct invocation *v);
int run_contacts_merge(struct invocation *v);
int run_campaign_new(struct invocation *v); /* campaign.c */
int run_campaign_start(struct invocation *v);
int run_help(struct invocation *v);
/* `simgate complete INDEX WORD…` prints what may stand at INDEX, a line each; for the shell. */
int run_complete(int argc, char **argv);

/* simgated.c: starts it with these arguments (NULL-terminated, its own name first); its output, with
 * `errors_too` what it says as errors too, is read from *out. The pid to be waited for, or -1 with errno. */
pid_t start_simgated(char *const argv[], bool errors_too, int *out);

/* help.c */
void usage_line(const struct command *c, struct buf *out);

/* views */
void view_status(const json_t *answer);
int status_of_health(const json_t *answer);
void view_modems(const json_t *answer);
void view_messages(const json_t *answer);
void view_show(const json_t *answer);
void view_change(const json_t *answer);
void view_backup(const json_t *answer);
void view_reload(const json_t *answer);
void view_answer(const json_t *answer);
void view_balance(const json_t *answer);
int status_of_balances(const json_t *answer);
void view_route_test(const json_t *answer); /* route.c */
int status_of_route_test(const json_t *answer);
/* "12.50" of a balance; "" without an amount. */
const char *amount_text(const json_t *balance, char out[32]);
void view_unlock(const json_t *answer);
void view_rules_test(const json_t *answer);
void view_rules_check(const json_t *answer);
int status_of_rules_check(const json_t *answer);
void view_templates(const json_t *answer);
void view_template(const json_t *answer);
void view_template_put(const json_t *answer);
void view_template_removed(const json_t *answer);
void view_template_preview(const json_t *answer);
void view_conversations(const json_t *answer); /* view_desk.c */
void view_conversation(const json_t *answer);
void view_operation(const json_t *answer);
void view_contacts(const json_t *answer); /* view_contacts.c */
void view_contact(const json_t *answer);
void view_merged(const json_t *answer);
void view_erased(const json_t *answer);
void view_consent(const json_t *answer);
void view_consent_list(const json_t *answer);
void view_people(const json_t *answer);
void view_departments(const json_t *answer);
void view_handlers(const json_t *answer);
int status_of_handlers(const json_t *answer);
void view_deliveries(const json_t *answer);
void view_delivery_change(const json_t *answer);
void view_campaign(const json_t *answer); /* view_campaign.c */
void view_campaigns(const json_t *answer);
void view_campaign_preview(const json_t *answer);
void view_campaign_recipients(const json_t *answer);
void view_campaign_state(const json_t *answer);
void view_pdu_decode(const json_t *answer);
void view_pdu_encode(const json_t *answer);

#endif
