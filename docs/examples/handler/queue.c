/* An example of a handler as a shared object: a waiting list.
 *
 *     cc -shared -fPIC -o queue.so queue.c
 *
 *     handlers = ( { name = "queue"; kind = "shared";
 *                    file = "/usr/lib/simgate/queue.so"; options = "table"; } );
 *     chain = ( "consent", "survey", "guard", "queue", "rules" );
 *
 * Whoever writes "table for 4" (the word is the option) is told a number. Everything else is left to the
 * handlers behind it. The number begins again with each reload: what must be kept belongs into the store
 * ("keep"), or into a program of its own.
 */
#include <ctype.h>
#include <simgate/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct queue {
    const struct simgate_api *api;
    char word[32];
    unsigned next;
};

static void *queue_open(const struct simgate_api *api, const char *options, char *error, size_t error_size)
{
    struct queue *q;

    if (!*options || strlen(options) >= sizeof q->word) {
        snprintf(error, error_size, "options: expected the word that asks for a place");
        return NULL;
    }
    q = calloc(1, sizeof *q);
    if (!q) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    q->api = api;
    strcpy(q->word, options);
    return q;
}

/* "Table for 4": how many; 0: something else. */
static unsigned guests(const struct queue *q, const char *text)
{
    size_t len = strlen(q->word);
    unsigned n = 0;

    for (size_t i = 0; i < len; i++)
        if (tolower((unsigned char)text[i]) != q->word[i])
            return 0;
    return sscanf(text + len, " for %3u", &n) == 1 ? n : 0;
}

static enum simgate_answer queue_handle(void *state, struct simgate_call *call,
                                        const struct simgate_event *event)
{
    struct queue *q = state;
    unsigned n = strcmp(event->on, "message") ? 0 : guests(q, event->text);
    char text[160], error[200];

    if (n == 0)
        return SIMGATE_NEXT;
    snprintf(text, sizeof text, "You are number %u. A table for %u will be ready soon.", ++q->next, n);
    if (q->api->reply(call, text) != 0 ||
        q->api->act(call, "{\"action\": \"tag\", \"tag\": \"waiting\"}", error, sizeof error) != 0)
        return SIMGATE_FAILED;
    return SIMGATE_STOP;
}

static void queue_close(void *state)
{
    free(state);
}

const struct simgate_handler simgate_handler = {
    .abi = SIMGATE_HANDLER_ABI,
    .size = sizeof(struct simgate_handler),
    .name = "queue",
    .open = queue_open,
    .handle = queue_handle,
    .close = queue_close,
};
