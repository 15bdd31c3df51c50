/* Commands about customers and the people who answer them: contacts, consent, departments, handlers. The
 * rest as in table.c. */
#include "cli/cli.h"

#define NUMBER                                                                                               \
    {                                                                                                        \
        "NUMBER", ARG_TEXT, "number", false, NULL                                                            \
    }
#define AS                                                                                                   \
    {                                                                                                        \
        "as", ARG_PERSON, "NAME", "as", "on behalf of this person of gateway.conf", NULL, NULL, false        \
    }

static const struct option as_options[] = {AS, END};
static const struct operand one[] = {NUMBER, END};
static const struct operand with_settings[] = {NUMBER, {"NAME=VALUE", ARG_SETTINGS, "set", false, NULL}, END};
static const struct operand with_tags[] = {NUMBER, {"TAG", ARG_REST, "tags", false, NULL}, END};
static const struct operand with_text[] = {NUMBER, {"TEXT", ARG_WORDS, "text", false, NULL}, END};
static const struct operand search[] = {{"SEARCH", ARG_WORDS, "search", true, NULL}, END};
static const struct operand import_file[] = {{"FILE", ARG_FILE, "file", false, NULL}, END};
static const struct operand export_file[] = {{"FILE", ARG_FILE, "file", true, NULL}, END};
static const struct operand two[] = {
    {"NUMBER", ARG_TEXT, "number", false, NULL}, {"INTO", ARG_TEXT, "into", false, NULL}, END};
static const struct operand delivery[] = {{"ID", ARG_NUMBER, "delivery", false, NULL}, END};

static const struct option contacts_options[] = {
    {"tag", ARG_TEXT, "TAG", "tag", "with this tag", NULL, NULL, false},
    {"attribute", ARG_TEXT, "NAME=VALUE", "attribute", "with this attribute; NAME alone: whatever it is",
     NULL, NULL, false},
    {"limit", ARG_NUMBER, "N", "limit", "at most so many; 50 when not given, 1000 at most", NULL, NULL,
     false},
    {"after", ARG_NUMBER, "ID", "after", "the next page, as the last one told", NULL, NULL, false},
    END};
static const struct option import_options[] = {
    {"check", ARG_TRUE, NULL, "check", "only find mistakes: nothing is stored", NULL, NULL, false},
    {"proof", ARG_TEXT, "TEXT", "proof", "of column \"consent\": where it can be seen", NULL, NULL, false},
    AS,
    END};
static const struct option export_options[] = {
    {"tag", ARG_TEXT, "TAG", "tag", "those with this tag", NULL, NULL, false}, END};
static const struct option yes_options[] = {
    {"yes", ARG_TRUE, NULL, "yes", "do not ask", NULL, NULL, false}, AS, END};

const struct command contact_commands[] = {
    {.name = "contacts",
     .summary = "customers, by number, name or tag",
     .options = contacts_options,
     .operands = search,
     .request = "contacts",
     .timeout_ms = ORDINARY_MS,
     .view = view_contacts,
     .details = "SEARCH is the beginning of a number, or words of a name or their beginnings."},
    {.name = "contact",
     .summary = "one customer: name, tags, attributes, consent, conversations",
     .operands = one,
     .request = "contact",
     .timeout_ms = ORDINARY_MS,
     .view = view_contact},
    {.name = "contact set",
     .summary = "name=…, language=…, zone=…, or any attribute",
     .options = as_options,
     .operands = with_settings,
     .request = "contact set",
     .timeout_ms = ORDINARY_MS,
     .view = view_contact,
     .details = "A number that is not known yet becomes a contact. An empty VALUE takes the attribute away."},
    {.name = "contact tag",
     .summary = "add tags",
     .options = as_options,
     .operands = with_tags,
     .request = "contact tag",
     .timeout_ms = ORDINARY_MS,
     .view = view_contact},
    {.name = "contact untag",
     .summary = "take tags away",
     .options = as_options,
     .operands = with_tags,
     .request = "contact untag",
     .timeout_ms = ORDINARY_MS,
     .view = view_contact},
    {.name = "contact note",
     .summary = "add a line to the contact's notes",
     .options = as_options,
     .operands = with_text,
     .request = "contact note",
     .timeout_ms = ORDINARY_MS,
     .view = view_contact},
    {.name = "contact export",
     .summary = "everything that is stored about a number and its contact's others, as JSON",
     .operands = one,
     .run = run_contact_export},
    {.name = "contact erase",
     .summary = "erase everything about a number and its contact's others, for good",
     .options = yes_options,
     .operands = one,
     .timeout_ms = ORDINARY_MS,
     .run = run_contact_erase,
     .request = "contact erase",
     .view = view_erased,
     .details = "Asks first, at a terminal. What counts in figures stays, without number and text."},
    {.name = "contacts import",
     .summary = "contacts from a CSV file",
     .options = import_options,
     .operands = import_file,
     .timeout_ms = ORDINARY_MS,
     .run = run_contacts_import,
     .details = "The first line names the columns: number, other_numbers, name, language, zone, tags, notes, "
                "consent, and any\n"
                "attribute.\n"
                "Lines with mistakes are told and left out (exit status 1); - reads standard input."},
    {.name = "contacts export",
     .summary = "contacts as a CSV file",
     .options = export_options,
     .operands = export_file,
     .timeout_ms = ORDINARY_MS,
     .run = run_contacts_export,
     .details = "Without FILE, or with -, to standard output."},
    {.name = "contacts merge",
     .summary = "two numbers of one customer: the first becomes a number of the second",
     .options = yes_options,
     .operands = two,
     .timeout_ms = ORDINARY_MS,
     .run = run_contacts_merge,
     .request = "contacts merge",
     .view = view_merged,
     .details = "What either writes later is the one customer's. Messages and conversations keep the numbers "
                "that they\n"
                "were with. The stricter consent wins. Of two that are one already the second becomes the "
                "main number."},
    END};

/* ---- consent ---- */

static const char *const consents[] = {"in", "out", NULL};
static const struct option consent_options[] = {
    {"words", ARG_TEXT, "TEXT", "words", "what the customer said", NULL, NULL, false},
    {"proof", ARG_TEXT, "TEXT", "proof", "where it can be seen: a form, a call, a page", NULL, NULL, false},
    {"modem", ARG_MODEM, "NAME", "modem", "for this modem's SIM only", NULL, NULL, false},
    AS,
    END};
static const struct option ledger_options[] = {
    {"state", ARG_CHOICE, "STATE", "state", "in or out", NULL, consents, false},
    {"limit", ARG_NUMBER, "N", "limit", "at most so many; 50 when not given, 1000 at most", NULL, NULL,
     false},
    {"after", ARG_TEXT, "NUMBER", "after", "the next page, as the last one told", NULL, NULL, false},
    END};

const struct command consent_commands[] = {
    {.name = "consent",
     .summary = "may this number be written to, and who said so",
     .operands = one,
     .request = "consent",
     .timeout_ms = ORDINARY_MS,
     .view = view_consent},
    {.name = "consent in",
     .summary = "the customer wants messages",
     .options = consent_options,
     .operands = one,
     .request = "consent in",
     .timeout_ms = ORDINARY_MS,
     .view = view_consent,
     .details = "--words or --proof is expected: without either it would be nobody's word."},
    {.name = "consent out",
     .summary = "the customer wants no messages",
     .options = consent_options,
     .operands = one,
     .request = "consent out",
     .timeout_ms = ORDINARY_MS,
     .view = view_consent},
    {.name = "consent list",
     .summary = "who opted in or out, by number",
     .options = ledger_options,
     .request = "consent list",
     .timeout_ms = ORDINARY_MS,
     .view = view_consent_list},
    END};

/* ---- people, handlers ---- */

static const struct option deliveries_options[] = {
    {"handler", ARG_HANDLER, "NAME", "handler", "to this one", NULL, NULL, false},
    {"limit", ARG_NUMBER, "N", "limit", "at most so many; 50 when not given, 1000 at most", NULL, NULL,
     false},
    {"after", ARG_NUMBER, "ID", "after", "the next page, as the last one told", NULL, NULL, false},
    END};

const struct command people_commands[] = {
    {.name = "people",
     .summary = "who answers customers, and who is on duty",
     .request = "people",
     .timeout_ms = ORDINARY_MS,
     .view = view_people},
    {.name = "departments",
     .summary = "departments: open now, next opening, conversations",
     .request = "departments",
     .timeout_ms = ORDINARY_MS,
     .view = view_departments},
    {.name = "handlers",
     .summary = "programs, webhooks and scripts that are asked, and how they are",
     .request = "handlers",
     .timeout_ms = ORDINARY_MS,
     .view = view_handlers,
     .status = status_of_handlers},
    {.name = "deliveries",
     .options = deliveries_options,
     .summary = "what waits to be told to handlers",
     .request = "deliveries",
     .timeout_ms = ORDINARY_MS,
     .view = view_deliveries},
    {.name = "deliveries retry",
     .summary = "try it now",
     .operands = delivery,
     .request = "deliveries retry",
     .timeout_ms = ORDINARY_MS,
     .view = view_delivery_change},
    {.name = "deliveries drop",
     .summary = "give it up",
     .operands = delivery,
     .request = "deliveries drop",
     .timeout_ms = ORDINARY_MS,
     .view = view_delivery_change},
    END};
