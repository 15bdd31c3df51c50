/* Commands of rules and templates. As table.c. */
#include "cli/cli.h"

static const char *const events[] = {"message", "call",   "report", "opened",   "assigned", "closed",
                                     "overdue", "survey", "alarm",  "schedule", NULL};

#define AS                                                                                                   \
    {                                                                                                        \
        "as", ARG_PERSON, "NAME", "as", "on behalf of this person of gateway.conf", NULL, NULL, false        \
    }
#define LANGUAGE                                                                                             \
    {                                                                                                        \
        "language", ARG_TEXT, "CODE", "language", "in this language, such as \"de\"; left out: any", NULL,   \
            NULL, false                                                                                      \
    }

static const struct option test_options[] = {
    {"from", ARG_TEXT, "NUMBER", "from", "the sender, or the contact of an event", NULL, NULL, false},
    {"call", ARG_TEXT, "NUMBER", "call", "a call of this number instead of a text", NULL, NULL, false},
    {"on", ARG_CHOICE, "EVENT", "on", "another event than a message", NULL, events, false},
    {"name", ARG_TEXT, "NAME", "name", "of the event: \"failed\", \"new\", \"first\", an alarm, a rule", NULL,
     NULL, false},
    {"modem", ARG_MODEM, "NAME", "modem", "by which it comes", NULL, NULL, false},
    {"at", ARG_FUTURE, "TIME", "at", "as if it were then", NULL, NULL, false},
    {"fresh", ARG_TRUE, NULL, "fresh", "as if nothing were known of the number", NULL, NULL, false},
    END};
static const struct operand test_operands[] = {{"TEXT", ARG_WORDS, "text", true, NULL}, END};
static const struct option put_options[] = {LANGUAGE, AS, END};
static const struct operand put_operands[] = {
    {"NAME", ARG_TEMPLATE, "template", false, NULL}, {"TEXT", ARG_WORDS, "text", false, NULL}, END};
static const struct operand one_operands[] = {{"NAME", ARG_TEMPLATE, "template", false, NULL}, END};
static const struct option preview_options[] = {LANGUAGE, END};
static const struct operand preview_operands[] = {
    {"NAME", ARG_TEMPLATE, "template", false, NULL}, {"NUMBER", ARG_TEXT, "number", false, NULL}, END};

const struct command rules_commands[] = {
    {.name = "rules test",
     .summary = "what the rules would do with this text, call or event, and why",
     .options = test_options,
     .operands = test_operands,
     .request = "rules test",
     .run = run_rules_test,
     .timeout_ms = ORDINARY_MS,
     .view = view_rules_test,
     .details =
         "Nothing is sent, stored or counted. What the store knows of the number counts: consent, tags,\n"
         "the conversation. Handlers outside are not asked."},
    {.name = "rules check",
     .summary = "rules that nothing reaches, loops, and the tests of gateway.conf",
     .request = "rules check",
     .timeout_ms = ORDINARY_MS,
     .view = view_rules_check,
     .status = status_of_rules_check},
    {.name = "template list",
     .summary = "templates of gateway.conf and of the store",
     .request = "templates",
     .timeout_ms = ORDINARY_MS,
     .view = view_templates},
    {.name = "template show",
     .summary = "the texts of one template",
     .operands = one_operands,
     .request = "template",
     .timeout_ms = ORDINARY_MS,
     .view = view_template},
    {.name = "template add",
     .summary = "put a new text into the store, for rules, campaigns and replies",
     .options = put_options,
     .operands = put_operands,
     .request = "template add",
     .timeout_ms = ORDINARY_MS,
     .view = view_template_put,
     .details = "TEXT may hold {{contact.name|there}} and other values: simgate-rules(7). - reads it from\n"
                "standard input."},
    {.name = "template edit",
     .summary = "another text for a template of the store",
     .options = put_options,
     .operands = put_operands,
     .request = "template edit",
     .timeout_ms = ORDINARY_MS,
     .view = view_template_put},
    {.name = "template remove",
     .summary = "take a template out of the store; refused while a rule says it",
     .options = put_options,
     .operands = one_operands,
     .request = "template remove",
     .timeout_ms = ORDINARY_MS,
     .view = view_template_removed},
    {.name = "template preview",
     .summary = "a template as this contact would read it",
     .options = preview_options,
     .operands = preview_operands,
     .request = "template preview",
     .timeout_ms = ORDINARY_MS,
     .view = view_template_preview},
    END};
