/* The requests about conversations, contacts, consent, people and handlers. As table.c. */
#include "ctl/request.h"
#include "store/desk.h"
#include "store/query_desk.h"

enum {
    NUMBER_TEXT_BYTES = 63,
    IMPORT_MAX = 1000,
    KEY_MAX_BYTES = 120,
    TAGS_MAX = 60,
    WORDS_MAX_BYTES = 1000,
};

static const char *const states[] = {"new", "open", "waiting", "snoozed", "closed", "spam", NULL};
static const char *const priorities[] = {"low", "normal", "high", "urgent", NULL};
static const char *const consents[] = {"in", "out", NULL};
static const char *const sections[] = {"contact",  "consent", "conversations", "timeline",
                                       "messages", "waiting", "other",         NULL};

#define A_CONVERSATION                                                                                       \
    {                                                                                                        \
        .name = "conversation", .type = FIELD_NUMBER, .required = true, .min = 1, .max = INT64_MAX           \
    }
#define A_PERSON(field)                                                                                      \
    {                                                                                                        \
        .name = field, .type = FIELD_TEXT, .max = DESK_NAME_BYTES - 1                                        \
    }
#define AS A_PERSON("as")
#define A_WORD(field, must)                                                                                  \
    {                                                                                                        \
        .name = field, .type = FIELD_TEXT, .required = must, .max = DESK_WORD_BYTES - 1                      \
    }
#define A_NUMBER(field, must)                                                                                \
    {                                                                                                        \
        .name = field, .type = FIELD_TEXT, .required = must, .max = NUMBER_TEXT_BYTES                        \
    }
#define A_MODEM                                                                                              \
    {                                                                                                        \
        .name = "modem", .type = FIELD_TEXT, .max = MSG_MODEM_BYTES - 1                                      \
    }
#define A_LIMIT                                                                                              \
    {                                                                                                        \
        .name = "limit", .type = FIELD_NUMBER, .min = 1, .max = QUERY_PAGE_MAX                               \
    }
#define AN_AFTER(field)                                                                                      \
    {                                                                                                        \
        .name = field, .type = FIELD_NUMBER, .min = 0, .max = INT64_MAX                                      \
    }
#define A_TRUTH(field)                                                                                       \
    {                                                                                                        \
        .name = field, .type = FIELD_BOOL                                                                    \
    }

static const struct field no_fields[] = {END};

/* ---- conversations ---- */

static const struct field conversations_fields[] = {
    {.name = "state", .type = FIELD_CHOICE, .choices = states},
    A_TRUTH("all"),
    A_WORD("department", false),
    A_PERSON("assignee"),
    A_TRUTH("unassigned"),
    A_TRUTH("overdue"),
    A_TRUTH("flagged"),
    A_MODEM,
    A_NUMBER("contact", false),
    A_WORD("tag", false),
    {.name = "search", .type = FIELD_TEXT, .max = 100},
    A_TRUTH("waiting"),
    A_LIMIT,
    AN_AFTER("after"),
    END};
static const struct field conversation_fields[] = {A_CONVERSATION, A_LIMIT, AN_AFTER("before"), END};
static const struct field reply_fields[] = {
    A_CONVERSATION,
    {.name = "text", .type = FIELD_TEXT, .required = true},
    AS,
    {.name = "override", .type = FIELD_TEXT, .max = MSG_REASON_BYTES - 1},
    {.name = "key", .type = FIELD_TEXT, .max = KEY_MAX_BYTES},
    END};
static const struct field note_fields[] = {
    A_CONVERSATION, {.name = "text", .type = FIELD_TEXT, .required = true}, AS, END};
static const struct field plain_fields[] = {A_CONVERSATION, AS, END};
static const struct field assign_fields[] = {A_CONVERSATION, A_PERSON("person"), AS, END};
static const struct field department_fields[] = {A_CONVERSATION, A_WORD("department", false), AS, END};
static const struct field snooze_fields[] = {
    A_CONVERSATION, {.name = "until", .type = FIELD_TEXT, .max = 60}, AS, END};
static const struct field priority_fields[] = {
    A_CONVERSATION,
    {.name = "priority", .type = FIELD_CHOICE, .required = true, .choices = priorities},
    AS,
    END};
static const struct field tag_fields[] = {A_CONVERSATION, A_WORD("tag", true), AS, END};

/* ---- contacts ---- */

static const struct field contacts_fields[] = {{.name = "search", .type = FIELD_TEXT, .max = 100},
                                               A_WORD("tag", false),
                                               {.name = "attribute", .type = FIELD_TEXT, .max = 1000},
                                               A_LIMIT,
                                               AN_AFTER("after"),
                                               END};
static const struct field contact_fields[] = {A_NUMBER("number", true), END};
static const struct field set_fields[] = {
    A_NUMBER("number", true), {.name = "set", .type = FIELD_SETTINGS, .required = true}, AS, END};
static const struct field tags_fields[] = {
    A_NUMBER("number", true),
    {.name = "tags", .type = FIELD_TEXTS, .required = true, .max = TAGS_MAX},
    AS,
    END};
static const struct field contact_note_fields[] = {
    A_NUMBER("number", true), {.name = "text", .type = FIELD_TEXT, .required = true}, AS, END};
static const struct field export_fields[] = {
    A_NUMBER("number", true),
    {.name = "section", .type = FIELD_CHOICE, .choices = sections},
    {.name = "after", .type = FIELD_NUMBER, .min = INT64_MIN, .max = INT64_MAX},
    END};

static const struct field erase_fields[] = {A_NUMBER("number", true), AS, END};
static const struct field import_fields[] = {
    {.name = "contacts", .type = FIELD_ROWS, .required = true, .max = IMPORT_MAX},
    {.name = "proof", .type = FIELD_TEXT, .max = WORDS_MAX_BYTES},
    A_TRUTH("check"),
    AS,
    END};
static const struct field merge_fields[] = {A_NUMBER("number", true), A_NUMBER("into", true), AS, END};

/* ---- consent ---- */

static const struct field consent_fields[] = {A_NUMBER("number", true),
                                              {.name = "words", .type = FIELD_TEXT, .max = WORDS_MAX_BYTES},
                                              {.name = "proof", .type = FIELD_TEXT, .max = WORDS_MAX_BYTES},
                                              A_MODEM,
                                              AS,
                                              END};
static const struct field consents_fields[] = {
    {.name = "state", .type = FIELD_CHOICE, .choices = consents}, A_LIMIT, A_NUMBER("after", false), END};

/* ---- deliveries ---- */

static const struct field deliveries_fields[] = {A_WORD("handler", false), A_LIMIT, AN_AFTER("after"), END};
static const char *const periods[] = {"none",       "auto",   "day", "week", "month",
                                      "department", "person", "sim", NULL};
static const struct field stats_fields[] = {{.name = "since", .type = FIELD_DAY},
                                            {.name = "until", .type = FIELD_DAY},
                                            {.name = "by", .type = FIELD_CHOICE, .choices = periods},
                                            A_WORD("department", false),
                                            A_PERSON("person"),
                                            A_MODEM,
                                            END};
static const struct field delivery_fields[] = {
    {.name = "delivery", .type = FIELD_NUMBER, .required = true, .min = 1, .max = INT64_MAX}, END};

const struct request desk_requests[] = {
    {.name = "conversations", .fields = conversations_fields, .run = do_conversations},
    {.name = "conversation", .fields = conversation_fields, .run = do_conversation},
    {.name = "conversation reply", .fields = reply_fields, .run = do_operation},
    {.name = "conversation note", .fields = note_fields, .run = do_operation},
    {.name = "conversation take", .fields = plain_fields, .run = do_operation},
    {.name = "conversation assign", .fields = assign_fields, .run = do_operation},
    {.name = "conversation department", .fields = department_fields, .run = do_operation},
    {.name = "conversation priority", .fields = priority_fields, .run = do_operation},
    {.name = "conversation snooze", .fields = snooze_fields, .run = do_operation},
    {.name = "conversation close", .fields = plain_fields, .run = do_operation},
    {.name = "conversation reopen", .fields = plain_fields, .run = do_operation},
    {.name = "conversation spam", .fields = plain_fields, .run = do_operation},
    {.name = "conversation tag", .fields = tag_fields, .run = do_operation},
    {.name = "conversation untag", .fields = tag_fields, .run = do_operation},
    {.name = "conversation unflag", .fields = plain_fields, .run = do_operation},
    {.name = "contacts", .fields = contacts_fields, .run = do_contacts},
    {.name = "contact", .fields = contact_fields, .run = do_contact},
    {.name = "contact set", .fields = set_fields, .run = do_contact_set},
    {.name = "contact tag", .fields = tags_fields, .run = do_contact_tag},
    {.name = "contact untag", .fields = tags_fields, .run = do_contact_untag},
    {.name = "contact note", .fields = contact_note_fields, .run = do_contact_note},
    {.name = "contact export", .fields = export_fields, .run = do_contact_export},
    {.name = "contact erase", .fields = erase_fields, .run = do_contact_erase},
    {.name = "contacts import", .fields = import_fields, .run = do_contacts_import},
    {.name = "contacts merge", .fields = merge_fields, .run = do_contacts_merge},
    {.name = "consent", .fields = contact_fields, .run = do_consent},
    {.name = "consent in", .fields = consent_fields, .run = do_consent_in},
    {.name = "consent out", .fields = consent_fields, .run = do_consent_out},
    {.name = "consent list", .fields = consents_fields, .run = do_consent_list},
    {.name = "stats", .fields = stats_fields, .run = do_stats},
    {.name = "people", .fields = no_fields, .run = do_people},
    {.name = "departments", .fields = no_fields, .run = do_departments},
    {.name = "handlers", .fields = no_fields, .run = do_handlers},
    {.name = "deliveries", .fields = deliveries_fields, .run = do_deliveries},
    {.name = "deliveries retry", .fields = delivery_fields, .run = do_delivery_retry},
    {.name = "deliveries drop", .fields = delivery_fields, .run = do_delivery_drop},
    END};
