/* Any text as what staff writes to the relay: it is read, and what it asks for is planned on a conversation
 * in any state.
 *
 * Input: state, flags (a byte each), the text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/program.h"
#include "engine/relay_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES = 1024 };

static const char *const office[] = {"sales", NULL};
static const struct department_conf departments[] = {{.name = "sales", .first_response_ms = 3600000},
                                                     {.name = "repairs", .resolution_ms = 7200000}};
static const struct person_conf people[] = {
    {.name = "Anna Älter", .number = "+491511111111", .departments = office, .lead = true},
    {.name = "Ben", .number = "+491522222222"}};

static struct staff *shop(void)
{
    static struct staff s;
    static struct fold *fold;
    struct engine_conf conf = {
        .departments = departments, .ndepartments = 2, .people = people, .npeople = 2, .hours.zone = "UTC"};
    struct problems p = {0};

    if (!fold) {
        fold = fold_new();
        staff_compile(&s, &conf, fold, &p);
    }
    return &s;
}

static void check(const struct relay_command *c, const char *text, const struct operation_plan *plan)
{
    if (c->conversation < 0 || c->value < text || c->value > text + strlen(text))
        abort();
    if (plan && (plan->neffects > OPERATION_EFFECTS || plan->ntold > OPERATION_TOLD ||
                 !utf8_valid(plan->words, strlen(plan->words))))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_BYTES];
    struct relay_command c;
    struct operation_plan plan;
    struct conv_row conv = {
        .id = 12, .number = "+4917012345", .department = "sales", .due_wall_ms = {1, 2, 3}};
    struct operation_request r = {.person = "Ben", .now_wall_ms = INT64_C(1795251600000)};
    struct err e = {0};

    if (size < 2 || size - 2 >= sizeof text)
        return 0;
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';
    if (!utf8_valid(text, strlen(text)))
        return 0;
    conv.state = (enum conv_state)(CONV_NEW + data[0] % (CONV_STATES - CONV_NEW));
    if (data[1] & 1)
        strcpy(conv.assignee, "Anna Älter");
    if (data[1] & 2)
        r.person = "Anna Älter";
    relay_read(text, &c);
    check(&c, text, NULL);
    r.op = c.kind == RELAY_OPERATION ? c.op : OP_REPLY;
    r.value = c.value;
    if (operation_plan(shop(), &conv, &r, &plan, &e) == 0)
        check(&c, text, &plan);
    else if (!utf8_valid(e.text, strlen(e.text)))
        abort();
    return 0;
}
