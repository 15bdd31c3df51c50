/* Commands of the desk: conversations, and what one does with them. The rest as in table.c. */
#include "cli/cli.h"

static const char *const states[] = {"new", "open", "waiting", "snoozed", "closed", "spam", NULL};
static const char *const priorities[] = {"low", "normal", "high", "urgent", NULL};

#define AS                                                                                                   \
    {                                                                                                        \
        "as", ARG_PERSON, "NAME", "as", "on behalf of this person of gateway.conf", NULL, NULL, false        \
    }
#define CONVERSATION                                                                                         \
    {                                                                                                        \
        "ID", ARG_CONVERSATION, "conversation", false, NULL                                                  \
    }

static const struct option list_options[] = {
    {"state", ARG_CHOICE, "STATE", "state", "in this state", NULL, states, false},
    {"all", ARG_TRUE, NULL, "all", "closed ones and spam too", NULL, NULL, false},
    {"department", ARG_DEPARTMENT, "NAME", "department", "of this department", NULL, NULL, false},
    {"assignee", ARG_PERSON, "NAME", "assignee", "assigned to this person", NULL, NULL, false},
    {"unassigned", ARG_TRUE, NULL, "unassigned", "assigned to nobody", NULL, NULL, false},
    {"overdue", ARG_TRUE, NULL, "overdue", "late ones", NULL, NULL, false},
    {"flagged", ARG_TRUE, NULL, "flagged", "which a person should look at", NULL, NULL, false},
    {"modem", ARG_MODEM, "NAME", "modem", "by this modem's SIM", NULL, NULL, false},
    {"contact", ARG_TEXT, "NUMBER", "contact", "with this customer", NULL, NULL, false},
    {"tag", ARG_TEXT, "TAG", "tag", "with customers who have this tag", NULL, NULL, false},
    {"search", ARG_TEXT, "WORDS", "search", "with these words in the title or name, or this number", NULL,
     NULL, false},
    {"waiting", ARG_TRUE, NULL, "waiting", "customers who wait for an answer, the longest first", NULL, NULL,
     false},
    {"limit", ARG_NUMBER, "N", "limit", "at most so many; 50 when not given, 1000 at most", NULL, NULL,
     false},
    {"after", ARG_NUMBER, "ID", "after", "the next page, as the last one told", NULL, NULL, false},
    END};

static const struct operand one[] = {CONVERSATION, END};
static const struct operand with_text[] = {CONVERSATION, {"TEXT", ARG_WORDS, "text", false, NULL}, END};
static const struct operand with_person[] = {CONVERSATION, {"PERSON", ARG_PERSON, "person", true, NULL}, END};
static const struct operand with_department[] = {
    CONVERSATION, {"DEPARTMENT", ARG_DEPARTMENT, "department", true, NULL}, END};
static const struct operand with_time[] = {CONVERSATION, {"TIME", ARG_WORDS, "until", true, NULL}, END};
static const struct operand with_priority[] = {
    CONVERSATION, {"PRIORITY", ARG_CHOICE, "priority", false, priorities}, END};
static const struct operand with_tag[] = {CONVERSATION, {"TAG", ARG_TEXT, "tag", false, NULL}, END};

static const struct option as_options[] = {AS, END};
static const struct option page_options[] = {
    {"limit", ARG_NUMBER, "N", "limit",
     "at most so many entries: the newest; 200 when not given, 1000 at most", NULL, NULL, false},
    {"before", ARG_NUMBER, "ENTRY", "before", "what was before this entry, as the last page told", NULL, NULL,
     false},
    END};
static const struct option reply_options[] = {
    AS,
    {"override", ARG_TEXT, "REASON", "override", "although the customer has opted out, and why", NULL, NULL,
     false},
    {"key", ARG_TEXT, "KEY", "key", "the same key again sends nothing again", NULL, NULL, false},
    END};

/* One operation on a conversation: its name is the request's. */
#define OPERATION(what, which, says)                                                                         \
    {                                                                                                        \
        .name = "conversation " what, .summary = says, .options = as_options, .operands = which,             \
        .request = "conversation " what, .timeout_ms = ORDINARY_MS, .view = view_operation                   \
    }

const struct command conversation_commands[] = {
    {.name = "conversations",
     .summary = "what customers wrote, and who answers",
     .options = list_options,
     .request = "conversations",
     .timeout_ms = ORDINARY_MS,
     .view = view_conversations,
     .details = "Those that are not closed, the last changed first. Marks: ! late, ? a person should look."},
    {.name = "conversation",
     .summary = "one conversation from its beginning: messages, notes, who did what",
     .options = page_options,
     .operands = one,
     .request = "conversation",
     .timeout_ms = ORDINARY_MS,
     .view = view_conversation},
    {.name = "conversation reply",
     .summary = "answer the customer, from the number that was written to",
     .options = reply_options,
     .operands = with_text,
     .request = "conversation reply",
     .timeout_ms = ORDINARY_MS,
     .view = view_operation,
     .details = "Words are joined by blanks; - reads the text from standard input."},
    OPERATION("note", with_text, "write a note, which the customer never sees"),
    OPERATION("take", one, "answer it yourself: assigned to the person of --as"),
    OPERATION("assign", with_person, "give it to a person; without PERSON to nobody"),
    OPERATION("department", with_department, "give it to a department; without DEPARTMENT to none"),
    OPERATION("priority", with_priority, "low, normal, high, urgent"),
    OPERATION("snooze", with_time, "until 2h, tomorrow, \"2026-12-01 09:00\", or the customer writes"),
    OPERATION("close", one, "it is done"),
    OPERATION("reopen", one, "it is not done"),
    OPERATION("spam", one, "not a customer: no more is answered"),
    OPERATION("tag", with_tag, "tag its customer"),
    OPERATION("untag", with_tag, "take a tag from its customer"),
    OPERATION("unflag", one, "a person has looked"),
    END};
