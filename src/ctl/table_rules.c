/* The requests about rules and templates. As table.c. */
#include "ctl/request.h"
#include "engine/conf.h"
#include "store/desk.h"

enum { NUMBER_TEXT_BYTES = 63, TEXT_MAX_BYTES = 4000 };

#define A_TEMPLATE                                                                                           \
    {                                                                                                        \
        .name = "template", .type = FIELD_TEXT, .required = true, .max = DESK_WORD_BYTES - 1                 \
    }
#define A_LANGUAGE                                                                                           \
    {                                                                                                        \
        .name = "language", .type = FIELD_TEXT, .max = DESK_LANGUAGE_BYTES - 1                               \
    }
#define AS                                                                                                   \
    {                                                                                                        \
        .name = "as", .type = FIELD_TEXT, .max = DESK_NAME_BYTES - 1                                         \
    }

static const struct field test_fields[] = {{.name = "from", .type = FIELD_TEXT, .max = NUMBER_TEXT_BYTES},
                                           {.name = "call", .type = FIELD_TEXT, .max = NUMBER_TEXT_BYTES},
                                           {.name = "text", .type = FIELD_TEXT},
                                           {.name = "on", .type = FIELD_CHOICE, .choices = engine_on_names},
                                           {.name = "name", .type = FIELD_TEXT, .max = DESK_WORD_BYTES - 1},
                                           {.name = "modem", .type = FIELD_TEXT, .max = MSG_MODEM_BYTES - 1},
                                           {.name = "at", .type = FIELD_TIME},
                                           {.name = "fresh", .type = FIELD_BOOL},
                                           END};
static const struct field none_fields[] = {END};
static const struct field template_fields[] = {A_TEMPLATE, END};
static const struct field put_fields[] = {
    A_TEMPLATE,
    A_LANGUAGE,
    {.name = "text", .type = FIELD_TEXT, .required = true, .max = TEXT_MAX_BYTES},
    AS,
    END};
static const struct field remove_fields[] = {A_TEMPLATE, A_LANGUAGE, AS, END};
static const struct field preview_fields[] = {
    A_TEMPLATE,
    {.name = "number", .type = FIELD_TEXT, .required = true, .max = NUMBER_TEXT_BYTES},
    A_LANGUAGE,
    END};

const struct request rules_requests[] = {
    {.name = "rules test", .fields = test_fields, .run = do_rules_test},
    {.name = "rules check", .fields = none_fields, .run = do_rules_check},
    {.name = "templates", .fields = none_fields, .run = do_templates},
    {.name = "template", .fields = template_fields, .run = do_template},
    {.name = "template add", .fields = put_fields, .run = do_template_add},
    {.name = "template edit", .fields = put_fields, .run = do_template_edit},
    {.name = "template remove", .fields = remove_fields, .run = do_template_remove},
    {.name = "template preview", .fields = preview_fields, .run = do_template_preview},
    END};
