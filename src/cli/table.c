/* Every command there is, with its options and operands: the source of its parser, its help and its
 * completion. simgate(1) tells the same at more length. Those of the desk are in table_desk.c
 * and table_contacts.c. */
#include <string.h>

#include "cli/cli.h"

enum { LINE_MS = 240000 /* a USSD answer may take the network minutes */ };

static const char *const priorities[] = {"low", "normal", "high", NULL};
static const char *const states[] = {"queued",  "submitting", "sent",    "delivered", "undelivered", "failed",
                                     "expired", "cancelled",  "unknown", "received",  "handled",     NULL};

const struct option common_options[] = {
    {"json", ARG_TRUE, NULL, "--json", "print one JSON document (watch: one event a line)", NULL, NULL,
     false},
    {"socket", ARG_FILE, "PATH", "--socket",
     "simgated's control socket, else $SIMGATE_SOCKET, else " DEFAULT_SOCKET, NULL, NULL, false},
    {"timeout", ARG_DURATION, "TIME", "--timeout", "wait at most so long for the answer (exit status 5)",
     NULL, NULL, false},
    {"help", ARG_TRUE, NULL, "--help", "what is printed by simgate help COMMAND", NULL, NULL, false},
    END};

static const struct option send_options[] = {
    {"to", ARG_LIST, "NUMBER", "to", "recipient; may be repeated, or several with commas", NULL, NULL, true},
    {"modem", ARG_MODEM, "NAME", "modem", "send by this modem only", NULL, NULL, false},
    {"pool", ARG_TEXT, "NAME", "pool", "send by a modem of this pool", NULL, NULL, false},
    {"report", ARG_TRUE, NULL, "report", "ask for a delivery report", NULL, NULL, false},
    {"no-report", ARG_FALSE, NULL, "report", "do not, whatever the configuration says", NULL, NULL, false},
    {"flash", ARG_TRUE, NULL, "flash", "show it at once on the phone, do not keep it", NULL, NULL, false},
    {"at", ARG_TIME, "TIME", "at", "not before 09:30, \"2026-11-21 09:30\", +2h", NULL, NULL, false},
    {"validity", ARG_DURATION, "TIME", "validity", "give up after 90s, 15m, 2h, 3d", NULL, NULL, false},
    {"priority", ARG_CHOICE, "PRIORITY", "priority", "low, normal, high", NULL, priorities, false},
    {"key", ARG_TEXT, "KEY", "key", "the same key and recipient again send nothing again", NULL, NULL, false},
    {"marketing", ARG_TRUE, NULL, "marketing", "advertising: needs an opt-in, keeps quiet hours", NULL, NULL,
     false},
    {"department", ARG_DEPARTMENT, "NAME", "department", "on behalf of this department, from its SIM", NULL,
     NULL, false},
    {"as", ARG_PERSON, "NAME", "as", "written by this person of gateway.conf", NULL, NULL, false},
    {"override", ARG_TEXT, "REASON", "override", "although the recipient has opted out, and why", NULL, NULL,
     false},
    {"wait", ARG_TRUE, NULL, "wait", "show progress and wait for the outcome", NULL, NULL, false},
    END};
static const struct operand send_operands[] = {{"TEXT", ARG_WORDS, "text", false, NULL}, END};

static const struct option modems_options[] = {
    {"line", ARG_TRUE, NULL, "line", "with the last exchanges on its line", NULL, NULL, false}, END};
static const struct operand modems_operands[] = {{"MODEM", ARG_MODEM, "modem", true, NULL}, END};

static const struct option messages_options[] = {
    {"in", ARG_FIXED, NULL, "direction", "received ones", "in", NULL, false},
    {"out", ARG_FIXED, NULL, "direction", "sent ones", "out", NULL, false},
    {"state", ARG_CHOICE, "STATE", "state", "in this state", NULL, states, false},
    {"peer", ARG_TEXT, "NUMBER", "peer", "to or from this number", NULL, NULL, false},
    {"modem", ARG_MODEM, "NAME", "modem", "by this modem", NULL, NULL, false},
    {"since", ARG_PAST, "TIME", "since", "from this time on; 2d is two days ago", NULL, NULL, false},
    {"until", ARG_PAST, "TIME", "until", "before this time", NULL, NULL, false},
    {"grep", ARG_TEXT, "TEXT", "contains", "with this text in it", NULL, NULL, false},
    {"limit", ARG_NUMBER, "N", "limit", "at most so many; 50 when not given, 1000 at most", NULL, NULL,
     false},
    {"before", ARG_NUMBER, "ID", "before", "older than this message: the next page", NULL, NULL, false},
    END};

static const struct operand id_operands[] = {{"ID", ARG_NUMBER, "message", false, NULL}, END};
static const struct operand backup_operands[] = {{"FILE", ARG_NEW_FILE, "file", false, NULL}, END};
static const struct operand conf_operands[] = {{"FILE", ARG_FILE, "file", true, NULL}, END};
static const struct operand at_operands[] = {
    {"MODEM", ARG_MODEM, "modem", false, NULL}, {"COMMAND", ARG_TEXT, "command", false, NULL}, END};
static const struct operand ussd_operands[] = {
    {"MODEM", ARG_MODEM, "modem", false, NULL}, {"CODE", ARG_TEXT, "code", false, NULL}, END};
static const struct option ussd_options[] = {
    {"reply", ARG_LIST, "TEXT", "replies", "answer a menu so; may be repeated, or several with commas", NULL,
     NULL, false},
    {"cancel", ARG_TRUE, NULL, "cancel", "do not ask for further replies", NULL, NULL, false},
    END};
static const struct operand unlock_operands[] = {{"MODEM", ARG_MODEM, "modem", false, NULL}, END};
static const struct option trace_options[] = {
    {"unmasked", ARG_TRUE, NULL, "unmasked", "numbers and texts as they are (PINs are never shown)", NULL,
     NULL, false},
    {"for", ARG_DURATION, "TIME", "for", "end after 90s, 10m; until Ctrl-C when not given", NULL, NULL,
     false},
    END};
static const struct operand trace_operands[] = {{"MODEM", ARG_MODEM, "modem", false, NULL}, END};
static const struct option probe_options[] = {
    {"modem", ARG_MODEM, "NAME", "modem", "this one of gateway.conf", NULL, NULL, false},
    {"self-test", ARG_TEXT, "NUMBER", "self-test",
     "send a text from the modem to itself (its own NUMBER; \"own\": as its SIM knows it)", NULL, NULL,
     false},
    END};
static const struct operand probe_operands[] = {{"PORT", ARG_FILE, "port", true, NULL}, END};
static const struct option route_options[] = {
    {"text", ARG_TEXT, "TEXT", "text", "the message, for its parts; one part when not given", NULL, NULL,
     false},
    {"source", ARG_TEXT, "SOURCE", "source", "who sends it: \"spool:x\", \"rule:hours\", \"campaign:3\"",
     NULL, NULL, false},
    {"department", ARG_DEPARTMENT, "NAME", "department", "on whose behalf", NULL, NULL, false},
    {"modem", ARG_MODEM, "NAME", "modem", "asked for", NULL, NULL, false},
    {"pool", ARG_TEXT, "NAME", "pool", "asked for", NULL, NULL, false},
    {"marketing", ARG_TRUE, NULL, "marketing", "as marketing, which keeps quiet hours", NULL, NULL, false},
    {"at", ARG_TIME, "TIME", "at", "not before 09:30, \"2026-11-21 09:30\", +2h", NULL, NULL, false},
    END};
static const struct operand route_operands[] = {{"NUMBER", ARG_TEXT, "to", false, NULL}, END};
static const struct operand help_operands[] = {{"COMMAND", ARG_WORDS, "command", true, NULL}, END};

static const struct option decode_options[] = {
    {"length", ARG_NUMBER, "N", "length", "the length the modem told: octets without the service centre",
     NULL, NULL, false},
    END};
static const struct operand decode_operands[] = {{"HEX", ARG_REST, "pdus", false, NULL}, END};

static const struct option encode_options[] = {
    {"to", ARG_TEXT, "NUMBER", "to", "recipient, +49…", NULL, NULL, true},
    {"smsc", ARG_TEXT, "NUMBER", "smsc", "service centre; the SIM's own when not given", NULL, NULL, false},
    {"report", ARG_TRUE, NULL, "report", "ask for a delivery report", NULL, NULL, false},
    {"flash", ARG_TRUE, NULL, "flash", "class 0", NULL, NULL, false},
    {"validity", ARG_DURATION, "TIME", "validity", "TP-VP; none when not given", NULL, NULL, false},
    {"transliterate", ARG_TRUE, NULL, "transliterate", "quotes, dashes, accents to the GSM alphabet", NULL,
     NULL, false},
    END};

static const struct command message_commands[] = {
    {.name = "send",
     .summary = "send a text message",
     .options = send_options,
     .operands = send_operands,
     .timeout_ms = ORDINARY_MS,
     .run = run_send,
     .details = "Words are joined by blanks; - reads the text from standard input. With --wait the command "
                "ends when\n"
                "the network took the message or, where a delivery report was asked for, when it came."},
    {.name = "messages",
     .summary = "messages, newest first",
     .options = messages_options,
     .request = "messages",
     .timeout_ms = ORDINARY_MS,
     .view = view_messages},
    {.name = "show",
     .summary = "one message with its parts, reports and history",
     .operands = id_operands,
     .request = "show",
     .timeout_ms = ORDINARY_MS,
     .view = view_show},
    {.name = "cancel",
     .summary = "do not send a message that waits",
     .operands = id_operands,
     .request = "cancel",
     .timeout_ms = ORDINARY_MS,
     .view = view_change},
    {.name = "retry",
     .summary = "send a message that failed again",
     .operands = id_operands,
     .request = "retry",
     .timeout_ms = ORDINARY_MS,
     .view = view_change},
    {.name = "watch", .summary = "what happens, as it happens", .run = run_watch},
    END};

static const struct command modem_commands[] = {
    {.name = "modems",
     .summary = "modems, their SIMs and networks",
     .options = modems_options,
     .operands = modems_operands,
     .request = "modems",
     .timeout_ms = ORDINARY_MS,
     .view = view_modems},
    {.name = "at",
     .summary = "an AT command to a modem",
     .operands = at_operands,
     .request = "at",
     .timeout_ms = LINE_MS,
     .view = view_answer,
     .details = "Commands that would break the gateway's work are refused."},
    {.name = "ussd",
     .summary = "a USSD request, such as *100# for the balance",
     .operands = ussd_operands,
     .options = ussd_options,
     .timeout_ms = LINE_MS,
     .run = run_ussd,
     .details =
         "Where the network waits for more, as in a menu, the replies of --reply are given, then those\n"
         "that are typed at a terminal, a line each; without more of them the dialogue is cancelled."},
    {.name = "balance",
     .summary = "ask for the balance of the SIMs, or of one",
     .operands = modems_operands,
     .request = "balance",
     .timeout_ms = LINE_MS,
     .view = view_balance,
     .status = status_of_balances,
     .details = "By the code of modems[].balance in gateway.conf; simgate modems shows the last one."},
    {.name = "trace",
     .summary = "what a modem's line carries, as it goes",
     .options = trace_options,
     .operands = trace_operands,
     .run = run_trace,
     .details = "The output is a trace file: put it into a bug report, or play it back with simgate-modem "
                "--replay FILE."},
    {.name = "probe",
     .summary = "find and examine modems; exit status 1 when there is none",
     .options = probe_options,
     .operands = probe_operands,
     .timeout_ms = LINE_MS,
     .run = run_probe,
     .details = "Works without simgated too. No PIN is entered, no message read or sent, but with "
                "--self-test, which waits for the round trip."},
    {.name = "unlock",
     .summary = "let a locked modem try its PIN again",
     .operands = unlock_operands,
     .request = "unlock",
     .timeout_ms = ORDINARY_MS,
     .view = view_unlock},
    END};

static const struct command gateway_commands[] = {
    {.name = "status",
     .summary = "is all well? (exit status 1 when a person is needed)",
     .request = "status",
     .timeout_ms = ORDINARY_MS,
     .view = view_status,
     .status = status_of_health},
    {.name = "backup",
     .summary = "copy the database while it is in use",
     .operands = backup_operands,
     .request = "backup",
     .view = view_backup,
     .details = "simgated writes the new file, so its user must be allowed to."},
    {.name = "config check",
     .summary = "find every mistake in gateway.conf",
     .operands = conf_operands,
     .timeout_ms = ORDINARY_MS,
     .run = run_config_check,
     .details = "Without FILE the one that simgated runs with, or " DEFAULT_CONF " when it does not run."},
    {.name = "route test",
     .summary = "which way a message to this number would take, for how much, and why",
     .options = route_options,
     .operands = route_operands,
     .request = "route test",
     .timeout_ms = ORDINARY_MS,
     .view = view_route_test,
     .status = status_of_route_test,
     .details = "Nothing is sent or counted. Consent is not looked at; exit status 4 when it would be "
                "refused."},
    {.name = "reload",
     .summary = "use the changed gateway.conf",
     .request = "reload",
     .timeout_ms = ORDINARY_MS,
     .view = view_reload,
     .details = "With a mistake in it the old settings stay in use, and the mistakes are told."},
    END};

static const struct command tool_commands[] = {
    {.name = "pdu decode",
     .summary = "what a PDU says (without simgated)",
     .options = decode_options,
     .operands = decode_operands,
     .run = run_pdu_decode,
     .view = view_pdu_decode},
    {.name = "pdu encode",
     .summary = "a text as PDUs (without simgated)",
     .options = encode_options,
     .operands = send_operands,
     .run = run_pdu_encode,
     .view = view_pdu_encode},
    {.name = "help", .summary = "this list, or one command", .operands = help_operands, .run = run_help},
    END};

/* Each part of the program has its commands in a table of its own. */
const struct command_group command_groups[] = {{"Messages", message_commands},
                                               {"Conversations", conversation_commands},
                                               {"Customers", contact_commands},
                                               {"Consent", consent_commands},
                                               {"Campaigns", campaign_commands},
                                               {"Figures", stats_commands},
                                               {"People and handlers", people_commands},
                                               {"Rules and templates", rules_commands},
                                               {"Modems", modem_commands},
                                               {"The gateway", gateway_commands},
                                               {"Without simgated", tool_commands},
                                               {NULL, NULL}};

const struct command *command_next(const struct command *c)
{
    bool now = !c;

    for (const struct command_group *g = command_groups; g->title; g++) {
        for (const struct command *one = g->commands; one->name; one++) {
            if (now)
                return one;
            now = one == c;
        }
    }
    return NULL;
}

const struct command *command_find(const char *name)
{
    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

const struct command *command_match(char **argv, int argc, int *words)
{
    char two[64];

    for (*words = argc < 2 ? argc : 2; *words > 0; --*words) {
        const struct command *c;

        two[0] = '\0';
        strncat(two, argv[0], sizeof two - 1);
        if (*words == 2) {
            strncat(two, " ", sizeof two - 1 - strlen(two));
            strncat(two, argv[1], sizeof two - 1 - strlen(two));
        }
        c = command_find(two);
        if (c)
            return c;
    }
    return NULL;
}
