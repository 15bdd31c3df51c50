/* `send` and `watch`: the commands that hear events. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/text.h"

/* ---- send ---- */

static const char *plural(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name)) == 1 ? "" : "s";
}

static void say_accepted(const json_t *answer)
{
    const json_t *m;
    size_t i;

    json_array_foreach(json_object_get(answer, "messages"), i, m)
    {
        if (!json_object_get(m, "id"))
            continue;
        say(PLAIN, "message %s to %s: %s, %s part%s", member_text(m, "id"), member_text(m, "to"),
            json_is_true(json_object_get(m, "existed")) ? "accepted before" : member_text(m, "state"),
            member_text(m, "parts"), plural(m, "parts"));
    }
    fflush(stdout);
}

static void say_progress(const json_t *ev)
{
    const char *state = member_text(ev, "state"), *reason = member_text(ev, "reason");
    const char *modem = member_text(ev, "modem"), *kind = member_text(ev, "kind");
    const char *by = *modem ? " by " : "", *why = *reason ? ": " : "";

    if (!strcmp(kind, "alarm"))
        say(YELLOW, "%s", member_text(ev, "text"));
    else if (!strcmp(kind, "queued"))
        return; /* told with its number */
    else if (!strcmp(kind, "submitting"))
        say(DIM, "message %s: part %s of %s is being sent%s%s", member_text(ev, "message"),
            member_text(ev, "part"), member_text(ev, "parts"), by, modem);
    else if (!strcmp(kind, "progress"))
        say(DIM, "message %s: part %s of %s sent%s%s", member_text(ev, "message"), member_text(ev, "part"),
            member_text(ev, "parts"), by, modem);
    else
        say(state_colour(state), "message %s: %s%s%s%s%s", member_text(ev, "message"), state, by, modem, why,
            reason);
    fflush(stdout);
}

/* Of all messages together: refused ones first, then failed ones. */
static int status_of_messages(const json_t *answer)
{
    static const char *const good[] = {"queued", "submitting", "sent", "delivered"};
    int status = CLI_DONE;
    const json_t *m;
    size_t i;

    json_array_foreach(json_object_get(answer, "messages"), i, m)
    {
        bool fine = false;

        if (!json_object_get(m, "id"))
            return CLI_REFUSED;
        for (size_t k = 0; k < sizeof good / sizeof good[0]; k++)
            fine = fine || !strcmp(good[k], member_text(m, "state"));
        if (!fine)
            status = CLI_FAILED;
    }
    return status;
}

static void say_refused(const json_t *answer)
{
    const json_t *m;
    size_t i;

    fflush(stdout);
    json_array_foreach(json_object_get(answer, "messages"), i, m)
    {
        const json_t *error = json_object_get(m, "error");
        struct buf safe = {0};

        if (!error)
            continue;
        text_safe(&safe, member_text(m, "to"), false);
        buf_adds(&safe, ": not accepted: ");
        text_safe(&safe, member_text(error, "text"), false);
        fprintf(stderr, "%s\n", buf_str(&safe));
        buf_free(&safe);
    }
}

static void say_outcomes(const json_t *answer)
{
    const json_t *m;
    size_t i;

    json_array_foreach(json_object_get(answer, "messages"), i, m)
    {
        const char *state = member_text(m, "state"), *reason = member_text(m, "reason");

        if (*state)
            say(state_colour(state), "message %s to %s: %s%s%s", member_text(m, "id"), member_text(m, "to"),
                state, *reason ? ": " : "", reason);
    }
}

/* What the daemon took over, for whom waits for its outcome in vain: {"messages": [...]}, or NULL. */
static json_t *taken_over;

static bool show_step(const struct invocation *v, const json_t *event)
{
    bool accepted = !strcmp(member_text(event, "kind"), "accepted");

    if (accepted)
        taken_over = json_pack("{sO}", "messages", json_object_get(event, "messages"));
    if (!v->json && accepted)
        say_accepted(event);
    else if (!v->json && strcmp(member_text(event, "kind"), "lost") != 0)
        say_progress(event);
    return true; /* its exit status is wanted all the same */
}

static int show_sent(struct invocation *v, json_t *answer)
{
    bool waited = json_is_true(json_object_get(v->args, "wait"));

    if (v->json) {
        print_json(answer);
    } else {
        (waited ? say_outcomes : say_accepted)(answer);
        say_refused(answer);
    }
    return status_of_messages(answer);
}

/* One wrong recipient stops all: who corrects it must know that the others have had nothing yet. */
static void say_nothing_sent(struct err *e)
{
    struct err why = *e;

    err_set(e, why.code, "%s; nothing was sent to the others either", why.text);
}

int run_send(struct invocation *v)
{
    struct err e = {0};
    json_t *answer;

    if (json_is_true(json_object_get(v->args, "wait")) && !v->timeout_given)
        v->timeout_ms = 0;
    int rc = ask_and_hear(v, "send", show_step, &answer, &e);
    if (rc == CLI_DONE) {
        rc = show_sent(v, answer);
    } else {
        if (rc == CLI_REFUSED && json_array_size(json_object_get(v->args, "to")) > 1)
            say_nothing_sent(&e);
        rc = tell_failure(v, rc, &e, answer ? answer : taken_over);
    }
    json_decref(taken_over);
    json_decref(answer);
    return rc;
}

/* ---- watch ---- */

static void say_event(const json_t *ev)
{
    const char *kind = member_text(ev, "kind"), *state = member_text(ev, "state");
    const char *message = member_text(ev, "message"), *part = member_text(ev, "part");
    struct buf line = {0};

    if (!strcmp(kind, "lost")) {
        say(YELLOW, "%s events were lost: this end was too slow", member_text(ev, "count"));
        return;
    }
    if (!strcmp(kind, "watching") || !strcmp(kind, "goodbye"))
        return;
    buf_addf(&line, "%s  %-12s", member_time(ev, "at"), !strcmp(kind, "outcome") && *state ? state : kind);
    if (*message)
        buf_addf(&line, "  message %s", message);
    if (*member_text(ev, "conversation"))
        buf_addf(&line, "  #%s", member_text(ev, "conversation"));
    if (*part && strcmp(member_text(ev, "parts"), "1") != 0)
        buf_addf(&line, " part %s of %s", part, member_text(ev, "parts"));
    if (*member_text(ev, "peer"))
        buf_addf(&line, "  %s", member_text(ev, "peer"));
    if (*member_text(ev, "modem"))
        buf_addf(&line, "  %s", member_text(ev, "modem"));
    if (!strcmp(kind, "report") && *state)
        buf_addf(&line, "  %s", state);
    if (*member_text(ev, "reason"))
        buf_addf(&line, "  %s", member_text(ev, "reason"));
    if (*member_text(ev, "text"))
        buf_addf(&line, "  %s", member_text(ev, "text"));
    say(!strcmp(kind, "alarm") ? RED : state_colour(state), "%s", buf_str(&line));
    buf_free(&line);
}

static bool show_event(const struct invocation *v, const json_t *event)
{
    if (v->json)
        print_json(event);
    else
        say_event(event);
    return fflush(stdout) == 0;
}

int run_watch(struct invocation *v)
{
    struct err e = {0};
    json_t *answer;
    int rc = ask_and_hear(v, "watch", show_event, &answer, &e);

    if (rc == CLI_NO_OUTCOME)
        rc = CLI_DONE; /* so long was to be watched */
    else if (rc != CLI_DONE)
        tell_failure(v, rc, &e, answer);
    json_decref(answer);
    return rc;
}
