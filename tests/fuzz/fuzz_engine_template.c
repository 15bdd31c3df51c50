/* Templates compiled from any bytes, and rendered with any text as the customer's.
 *
 * Input: template, NUL, message. What must hold besides no error of memory: the message comes out of
 * {{message.text}} as it went in, whatever is in it.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(const struct template *t, const char *message, struct buf *out)
{
    struct handler_event ev = {
        .id = 1, .from = "+491701234567", .modem = "", .text = {message, strlen(message)}};
    struct template_values values = {.business = "Blue Bakery", .event = &ev};

    template_render(t, &values, out);
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
