/* The requests about campaigns. As table.c. */
#include "ctl/request.h"
#include "store/campaign.h"

enum { PIECE_MAX = 1000, RATE_MAX = 100000, TEXT_MAX_BYTES = 4000 };

static const char *const states[] = {"draft", "running", "paused", "done", "stopped", NULL};
static const char *const recipient_states[] = {"waiting", "accepted",    "refused", "queued",  "submitting",
                                               "sent",    "delivered",   "failed",  "expired", "cancelled",
                                               "unknown", "undelivered", NULL};

#define A_CAMPAIGN                                                                                           \
    {                                                                                                        \
        .name = "campaign", .type = FIELD_NUMBER, .required = true, .min = 1, .max = INT64_MAX               \
    }
#define AS                                                                                                   \
    {                                                                                                        \
        .name = "as", .type = FIELD_TEXT, .max = DESK_NAME_BYTES - 1                                         \
    }
#define A_LIMIT                                                                                              \
    {                                                                                                        \
        .name = "limit", .type = FIELD_NUMBER, .min = 1, .max = 1000                                         \
    }

static const struct field new_fields[] = {
    {.name = "name", .type = FIELD_TEXT, .required = true, .max = CAMPAIGN_NAME_BYTES - 1},
    {.name = "text", .type = FIELD_TEXT, .required = true, .max = TEXT_MAX_BYTES},
    {.name = "tag", .type = FIELD_TEXT, .max = DESK_WORD_BYTES - 1},
    {.name = "attribute", .type = FIELD_TEXT, .max = 200},
    {.name = "audience", .type = FIELD_TEXT, .max = CAMPAIGN_AUDIENCE_BYTES - 1},
    {.name = "proof", .type = FIELD_TEXT, .max = CAMPAIGN_PROOF_BYTES - 1},
    {.name = "modem", .type = FIELD_TEXT, .max = MSG_MODEM_BYTES - 1},
    {.name = "pool", .type = FIELD_TEXT, .max = MSG_MODEM_BYTES - 1},
    {.name = "rate", .type = FIELD_NUMBER, .min = 1, .max = RATE_MAX},
    {.name = "at", .type = FIELD_TIME},
    AS,
    END};
static const struct field add_fields[] = {
    A_CAMPAIGN, {.name = "to", .type = FIELD_TEXTS, .required = true, .max = PIECE_MAX}, END};
static const struct field one_fields[] = {A_CAMPAIGN, END};
static const struct field move_fields[] = {A_CAMPAIGN, AS, END};
static const struct field list_fields[] = {
    {.name = "state", .type = FIELD_CHOICE, .choices = states},
    A_LIMIT,
    {.name = "before", .type = FIELD_NUMBER, .min = 1, .max = INT64_MAX},
    END};
static const struct field recipients_fields[] = {
    A_CAMPAIGN,
    {.name = "state", .type = FIELD_CHOICE, .choices = recipient_states},
    A_LIMIT,
    {.name = "after", .type = FIELD_NUMBER, .min = 0, .max = INT64_MAX},
    END};

const struct request campaign_requests[] = {
    {.name = "campaigns", .fields = list_fields, .run = do_campaigns},
    {.name = "campaign", .fields = one_fields, .run = do_campaign},
    {.name = "campaign new", .fields = new_fields, .run = do_campaign_new},
    {.name = "campaign add", .fields = add_fields, .run = do_campaign_add},
    {.name = "campaign preview", .fields = one_fields, .run = do_campaign_preview},
    {.name = "campaign start", .fields = move_fields, .run = do_campaign_move},
    {.name = "campaign pause", .fields = move_fields, .run = do_campaign_move},
    {.name = "campaign resume", .fields = move_fields, .run = do_campaign_move},
    {.name = "campaign stop", .fields = move_fields, .run = do_campaign_move},
    {.name = "campaign recipients", .fields = recipients_fields, .run = do_campaign_recipients},
    END};
