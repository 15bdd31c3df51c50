/* `trace`: a modem's line as it is spoken, as a trace file on standard output. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/text.h"

/* Lines of a trace are printable ASCII; what was lost is told as a comment, so that the file stays one. */
static bool show(const struct invocation *v, const json_t *event)
{
    const char *kind = member_text(event, "kind");

    if (v->json)
        print_json(event);
    else if (!strcmp(kind, "trace"))
        say(PLAIN, "%s", member_text(event, "line"));
    else if (!strcmp(kind, "lost"))
        say(PLAIN, "# %s lines were lost: this end was too slow", member_text(event, "count"));
    return fflush(stdout) == 0;
}

int run_trace(struct invocation *v)
{
    struct err e = {0};
    json_t *answer;
    int rc = ask_and_hear(v, "trace", show, &answer, &e);

    if (rc != CLI_DONE)
        tell_failure(v, rc, &e, answer);
    json_decref(answer);
    return rc;
}
