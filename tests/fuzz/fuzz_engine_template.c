/* Templates compiled from any bytes, and rendered with any text as the customer's.
 *
 * Input: template, NUL, message. What must hold besides no error of memory: the message comes out of
 * {{message.text}} as it went in, whatever is in it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(const struct template *t, const char *message, struct buf *out)
{
    static struct store_situation known = {.conv.id = 12, .conv.department = "sales"};
    static char attributes[] = "{\"visit\": \"2026-12-01 09:05\", \"day\": \"2026-12-24\"}";
    static struct fold *fold;
    struct handler_event ev = {.id = 1,
                               .from = "+491701234567",
                               .modem = "",
                               .name = "",
                               .wall_ms = INT64_C(1795251600000),
                               .now_wall_ms = INT64_C(1795251600000),
                               .known = &known,
                               .text = {message, strlen(message)}};
    struct template_values values = {.business = "Blue Bakery", .event = &ev, .survey_max = 5};
    const char *missing;
    size_t before = out->len;

    if (!fold)
        fold = fold_new();
    known.contact.attributes = attributes;
    strncpy(known.contact.name, message, sizeof known.contact.name - 1);
    if (!utf8_valid(known.contact.name, strlen(known.contact.name)))
        known.contact.name[0] = '\0';
    values.fold = utf8_valid(message, strlen(message)) ? fold : NULL;
    missing = template_render(t, &values, out);
    if (missing && out->len != before)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char echo[] = "<{{message.text}}>";
    struct template_scope scope = {.unbound = true}, bare = {0};
    char *text = calloc(1, size + 2); /* two strings, always ended */
    const char *message;
    struct template *t;
    struct buf out = {0};
    struct err e;

    memcpy(text, data, size);
    message = text + strlen(text) + 1;
    if ((size_t)(message - text) > size)
        message = "";
    if (template_new(text, &scope, &t, &e) == 0)
        render(t, message, &out);
    template_free(t);
    buf_clear(&out);
    if (template_new(echo, &bare, &t, &e) != 0)
        abort();
    render(t, message, &out);
    if (out.len != strlen(message) + 2 || memcmp(out.data + 1, message, strlen(message)) != 0)
        abort();
    template_free(t);
    buf_free(&out);
    free(text);
    return 0;
}
