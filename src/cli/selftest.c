/* `probe --self-test`: a text from a modem to itself, through simgated, and the times of its way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

enum { ASK_MS = 10000, EVERY_MS = 250 };

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct round_trip {
    const struct invocation *v;
    char modem[64], to[64], text[64], state[24], reason[200];
    json_int_t id;
    int64_t began_ms, sent_ms, received_ms, delivered_ms; /* 0: not yet */
};

static int question(const struct round_trip *r, const char *request, json_t *args, json_t **answer,
                    struct err *e)
{
    struct invocation quick = {.socket = r->v->socket, .timeout_ms = ASK_MS};
    int rc = ask(&quick, request, args, answer, e);

    json_decref(args);
    return rc;
}

/* The modem: the one that was named, or the only one. */
static int choose_modem(struct round_trip *r, struct err *e)
{
    const char *name = json_string_value(json_object_get(r->v->args, "modem"));
    const char *to = json_string_value(json_object_get(r->v->args, "self-test"));
    json_t *answer;
    const json_t *list, *m = NULL;
    size_t i;
    int rc = question(r, "modems", name ? json_pack("{ss}", "modem", name) : json_object(), &answer, e);

    list = json_object_get(answer, "modems");
    if (rc == CLI_DONE && !name && json_array_size(list) != 1) {
        rc = CLI_USAGE;
        err_set(e, ERR_INVALID, "there are %d modems: say which one, with --modem NAME",
                (int)json_array_size(list));
        json_array_foreach(list, i, m)
        {
            if (strcmp(member_text(m, "number"), to) == 0) /* it is told by its number */
                break;
        }
        rc = i < json_array_size(list) ? CLI_DONE : rc;
    } else {
        m = json_array_get(list, 0);
    }
    if (rc == CLI_DONE && !strcmp(to, "own") && !*member_text(m, "number")) {
        rc = CLI_REFUSED;
        err_set(e, ERR_NOT_FOUND, "the SIM does not know its own number: name it, --self-test +49…");
    }
    if (rc == CLI_DONE) {
        str_copy(r->modem, sizeof r->modem, member_text(m, "name"));
        str_copy(r->to, sizeof r->to, strcmp(to, "own") ? to : member_text(m, "number"));
    }
    json_decref(answer);
    return rc;
}

static int send_it(struct round_trip *r, struct err *e)
{
    json_t *answer;
    const json_t *m;
    int rc;

    snprintf(r->text, sizeof r->text, "simgate self-test %lld-%d", (long long)time(NULL), (int)getpid());
    r->began_ms = now_ms();
    rc = question(r, "send",
                  json_pack("{s[s]sssssbss}", "to", r->to, "text", r->text, "modem", r->modem, "report", 1,
                            "priority", "high"),
                  &answer, e);
    m = json_array_get(json_object_get(answer, "messages"), 0);
    if (rc == CLI_DONE && !json_object_get(m, "id")) {
        err_set(e, ERR_REFUSED, "%s", member_text(json_object_get(m, "error"), "text"));
        rc = CLI_REFUSED;
    }
    if (rc == CLI_DONE)
        r->id = json_integer_value(json_object_get(m, "id"));
    json_decref(answer);
    return rc;
}

static void note(const struct round_trip *r, int64_t *at_ms, const char *what)
{
    *at_ms = now_ms();
    if (!r->v->json) {
        say(GREEN, "%-10s after %.1f s", what, (double)(*at_ms - r->began_ms) / 1000);
        fflush(stdout);
    }
}

static int look_at_sent(struct round_trip *r, struct err *e)
{
    json_t *answer;
    int rc = question(r, "show", json_pack("{sI}", "message", r->id), &answer, e);
    const json_t *m = json_object_get(answer, "message");

    str_copy(r->state, sizeof r->state, member_text(m, "state"));
    str_copy(r->reason, sizeof r->reason, member_text(m, "reason"));
    json_decref(answer);
    if (rc != CLI_DONE)
        return rc;
    bool delivered = !strcmp(r->state, "delivered");
    if (!r->sent_ms && (delivered || !strcmp(r->state, "sent")))
        note(r, &r->sent_ms, "sent");
    if (!r->delivered_ms && delivered)
        note(r, &r->delivered_ms, "reported");
    return CLI_DONE;
}

static int look_for_received(struct round_trip *r, struct err *e)
{
    json_t *answer;
    int rc = question(r, "messages", json_pack("{ssss}", "direction", "in", "contains", r->text), &answer, e);

    if (rc == CLI_DONE && !r->received_ms && json_array_size(json_object_get(answer, "messages")))
        note(r, &r->received_ms, "received");
    json_decref(answer);
    return rc;
}

static bool failed(const struct round_trip *r)
{
    static const char *const ends[] = {"failed", "expired", "cancelled", "undelivered", "unknown"};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (!strcmp(r->state, ends[i]))
            return true;
    }
    return false;
}

static int wait_for_it(struct round_trip *r, struct err *e)
{
    int64_t until_ms = r->began_ms + r->v->timeout_ms;
    int rc = CLI_DONE;

    while (rc == CLI_DONE && !(r->received_ms && r->delivered_ms)) {
        rc = look_at_sent(r, e);
        if (rc == CLI_DONE)
            rc = look_for_received(r, e);
        if (rc != CLI_DONE || (r->received_ms && r->delivered_ms))
            break;
        if (failed(r)) {
            err_set(e, ERR_IO, "message %lld: %s%s%s", (long long)r->id, r->state, *r->reason ? ": " : "",
                    r->reason);
            return CLI_FAILED;
        }
        if (now_ms() >= until_ms) {
            err_set(e, ERR_TIMEOUT, "message %lld was %s; %s%s", (long long)r->id,
                    r->sent_ms ? "sent" : "not sent in the time allowed",
                    r->received_ms ? "it came back" : "it did not come back",
                    r->sent_ms && !r->delivered_ms ? ", and no delivery report came" : "");
            return CLI_NO_OUTCOME;
        }
        usleep(EVERY_MS * 1000);
    }
    return rc;
}

static void put_seconds(json_t *o, const char *name, const struct round_trip *r, int64_t at_ms)
{
    if (at_ms)
        json_object_set_new(o, name, json_real((double)(at_ms - r->began_ms) / 1000));
}

static json_t *result(const struct round_trip *r)
{
    json_t *o = json_pack("{sIssss}", "message", r->id, "modem", r->modem, "to", r->to);

    put_seconds(o, "sent_s", r, r->sent_ms);
    put_seconds(o, "received_s", r, r->received_ms);
    put_seconds(o, "reported_s", r, r->delivered_ms);
    return o;
}

int run_self_test(struct invocation *v)
{
    struct round_trip r = {.v = v};
    struct err e = {0};
    int rc = choose_modem(&r, &e);

    if (rc == CLI_UNREACHABLE)
        err_set(&e, ERR_GONE, "no simgated at %s: the self-test goes through it, start it first", v->socket);
    if (rc == CLI_DONE && !v->json)
        say(PLAIN, "modem %s: a text to itself, %s", r.modem, r.to);
    if (rc == CLI_DONE)
        rc = send_it(&r, &e);
    if (rc == CLI_DONE)
        rc = wait_for_it(&r, &e);
    json_t *doc = r.id ? result(&r) : NULL;
    if (rc != CLI_DONE)
        tell_failure(v, rc, &e, doc);
    else if (v->json)
        print_json(doc);
    json_decref(doc);
    return rc;
}
