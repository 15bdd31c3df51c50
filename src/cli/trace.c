/* `trace`: a modem's line as it is spoken, as a trace file on standard output. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/text.h"

/* Lines of a trace are printable ASCII; what was lost is told as a comment, so that the file stays one. */
static void show(const struct invocation *v, const json_t *event)
{
    const char *kind = member_text(event, "kind");

    if (v->json)
        print_json(event);
    else if (!strcmp(kind, "trace"))
        say(PLAIN, "%s", member_text(event, "line"));
    else if (!strcmp(kind, "lost"))
        say(PLAIN, "# %s lines were lost: this end was too slow", member_text(event, "count"));
}

static int hear(struct invocation *v, struct connection *c, json_t **answer, struct err *e)
{
    for (;;) {
        json_t *line, *event;
        int rc = connection_read(c, &line, e);

        if (rc != CLI_DONE)
            return rc;
        event = json_object_get(line, "event");
        if (!event) {
            *answer = line;
            return json_is_true(json_object_get(line, "ok")) ? CLI_DONE : status_of_error(line, e);
        }
        show(v, event);
        json_decref(line);
        if (fflush(stdout) != 0)
            return CLI_DONE; /* nobody reads any more */
    }
}

int run_trace(struct invocation *v)
{
    struct connection c;
    struct err e = {0};
    json_t *answer = NULL;
    int rc = connection_open(&c, v->socket, v->timeout_given ? v->timeout_ms : 0, &e);

    if (rc == CLI_DONE)
        rc = connection_send(&c, "trace", v->args, &e);
    if (rc == CLI_DONE)
        rc = hear(v, &c, &answer, &e);
    connection_close(&c);
    json_object_del(answer, "id");
    json_object_del(answer, "ok");
    if (rc != CLI_DONE)
        tell_failure(v, rc, &e, answer);
    json_decref(answer);
    return rc;
}
