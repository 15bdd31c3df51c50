/* Commands of campaigns. As table.c. */
#include "cli/cli.h"

static const char *const states[] = {"draft", "running", "paused", "done", "stopped", NULL};
static const char *const recipient_states[] = {"waiting", "accepted",    "refused", "queued",  "submitting",
                                               "sent",    "delivered",   "failed",  "expired", "cancelled",
                                               "unknown", "undelivered", NULL};

#define AS                                                                                                   \
    {                                                                                                        \
        "as", ARG_PERSON, "NAME", "as", "on behalf of this person of gateway.conf", NULL, NULL, false        \
    }
#define LIMIT                                                                                                \
    {                                                                                                        \
        "limit", ARG_NUMBER, "N", "limit", "at most so many, 1000 at most", NULL, NULL, false                \
    }

static const struct operand one[] = {{"ID", ARG_CAMPAIGN, "campaign", false, NULL}, END};
static const struct operand new_operands[] = {
    {"NAME", ARG_TEXT, "name", false, NULL}, {"TEXT", ARG_WORDS, "text", false, NULL}, END};

static const struct option new_options[] = {
    {"file", ARG_FILE, "FILE", "file",
     "to the numbers of this file: one a line, or the column \"number\" of CSV", NULL, NULL, false},
    {"tag", ARG_TEXT, "TAG", "tag", "to the contacts with this tag", NULL, NULL, false},
    {"attribute", ARG_TEXT, "NAME[=VALUE]", "attribute", "to the contacts with this attribute", NULL, NULL,
     false},
    {"proof", ARG_TEXT, "SOURCE", "proof",
     "how those agreed of whom nothing is known: kept in the ledger of consent", NULL, NULL, false},
    {"rate", ARG_NUMBER, "N", "rate", "at most so many messages a minute", NULL, NULL, false},
    {"at", ARG_TIME, "TIME", "at", "not before", NULL, NULL, false},
    {"modem", ARG_MODEM, "NAME", "modem", "by this modem", NULL, NULL, false},
    {"pool", ARG_TEXT, "NAME", "pool", "by modems of this pool", NULL, NULL, false},
    AS,
    END};
static const struct option start_options[] = {AS,
                                              {"wait", ARG_TRUE, NULL, "wait",
                                               "until all messages were taken over, with a bar on a terminal",
                                               NULL, NULL, false},
                                              END};
static const struct option as_options[] = {AS, END};
static const struct option list_options[] = {
    {"state", ARG_CHOICE, "STATE", "state", "in this state", NULL, states, false},
    LIMIT,
    {"before", ARG_NUMBER, "ID", "before", "the next page, as the last one told", NULL, NULL, false},
    END};
static const struct option recipients_options[] = {
    {"state", ARG_CHOICE, "STATE", "state", "in this state", NULL, recipient_states, false},
    LIMIT,
    {"after", ARG_NUMBER, "N", "after", "the next page, as the last one told", NULL, NULL, false},
    END};

const struct command campaign_commands[] = {
    {.name = "campaign new",
     .summary = "prepare one text for many customers; nothing is sent yet",
     .options = new_options,
     .operands = new_operands,
     .timeout_ms = ORDINARY_MS,
     .run = run_campaign_new,
     .details =
         "TEXT may hold {{contact.name|there}} and other values, or be @TEMPLATE; - reads it from\n"
         "standard input. Who has not agreed to advertising gets nothing: simgate-desk(7), CAMPAIGNS."},
    {.name = "campaign preview",
     .summary = "who would get it, segments, cost, time; nothing is sent",
     .operands = one,
     .request = "campaign preview",
     .timeout_ms = ORDINARY_MS,
     .view = view_campaign_preview},
    {.name = "campaign start",
     .summary = "begin to send",
     .options = start_options,
     .operands = one,
     .timeout_ms = ORDINARY_MS,
     .run = run_campaign_start},
    {.name = "campaign pause",
     .summary = "hand over no more messages; what is queued goes on",
     .options = as_options,
     .operands = one,
     .request = "campaign pause",
     .timeout_ms = ORDINARY_MS,
     .view = view_campaign_state},
    {.name = "campaign resume",
     .summary = "go on where it was paused",
     .options = start_options,
     .operands = one,
     .timeout_ms = ORDINARY_MS,
     .run = run_campaign_start},
    {.name = "campaign stop",
     .summary = "end it for good; what is queued is cancelled",
     .options = as_options,
     .operands = one,
     .request = "campaign stop",
     .timeout_ms = ORDINARY_MS,
     .view = view_campaign_state},
    {.name = "campaign show",
     .summary = "how far one is, and what became of its messages",
     .operands = one,
     .request = "campaign",
     .timeout_ms = ORDINARY_MS,
     .view = view_campaign},
    {.name = "campaign recipients",
     .summary = "what became of each recipient",
     .options = recipients_options,
     .operands = one,
     .request = "campaign recipients",
     .timeout_ms = ORDINARY_MS,
     .view = view_campaign_recipients},
    {.name = "campaign list",
     .summary = "campaigns, the newest first",
     .options = list_options,
     .request = "campaigns",
     .timeout_ms = ORDINARY_MS,
     .view = view_campaigns},
    END};
