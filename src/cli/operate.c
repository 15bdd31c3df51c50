/* Commands with a way of their own: a USSD dialogue goes on for as long as the network waits for replies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/text.h"

/* ---- ussd ---- */

struct dialogue {
    struct invocation *v;
    json_t *replies; /* given on the command line */
    size_t used;
    bool asks; /* a person at a terminal answers what they do not */
    json_t *answers;
    char *session; /* of the answer that waits; NULL none */
};

static void show(struct dialogue *d, const json_t *answer)
{
    const char *session = json_string_value(json_object_get(answer, "session"));
    json_t *one = json_pack("{sOsO}", "answer", json_object_get(answer, "answer"), "more",
                            json_object_get(answer, "more"));

    free(d->session);
    d->session = session ? strdup(session) : NULL;
    if (!one)
        one = json_object();
    if (!d->v->json)
        view_answer(one);
    fflush(stdout);
    json_array_append_new(d->answers, one);
}

/* What to answer the network; false: nothing, the dialogue is to end. */
static bool next_reply(struct dialogue *d, struct buf *out)
{
    char line[512];

    buf_clear(out);
    if (d->used < json_array_size(d->replies)) {
        buf_adds(out, json_string_value(json_array_get(d->replies, d->used++)));
        return true;
    }
    while (d->asks) {
        fputs("> ", stdout);
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
            return false;
        line[strcspn(line, "\r\n")] = '\0';
        if (*line) {
            buf_adds(out, line);
            return true;
        }
    }
    return false;
}

static int request(struct dialogue *d, const char *name, json_t *args)
{
    struct err e = {0};
    json_t *answer;
    int status = ask(d->v, name, args, &answer, &e);

    if (status != CLI_DONE)
        tell_failure(d->v, status, &e, answer);
    else if (strcmp(name, "ussd cancel") != 0)
        show(d, answer);
    json_decref(answer);
    json_decref(args);
    return status;
}

static void cancel(struct dialogue *d)
{
    struct err e = {0};
    json_t *args = json_pack("{ss}", "session", d->session), *answer;

    ask(d->v, "ussd cancel", args, &answer, &e); /* it may be over by itself */
    json_decref(answer);
    json_decref(args);
}

static int converse(struct dialogue *d)
{
    const json_t *args = d->v->args;
    struct buf reply = {0};
    int status = request(d, "ussd",
                         json_pack("{sOsOsb}", "modem", json_object_get(args, "modem"), "code",
                                   json_object_get(args, "code"), "keep", 1));

    while (status == CLI_DONE && d->session && next_reply(d, &reply))
        status = request(d, "ussd reply",
                         json_pack("{sssssb}", "session", d->session, "text", buf_str(&reply), "keep", 1));
    if (d->session)
        cancel(d);
    buf_free(&reply);
    return status;
}

int run_ussd(struct invocation *v)
{
    bool stop = json_is_true(json_object_get(v->args, "cancel"));
    struct dialogue d = {.v = v,
                         .replies = json_object_get(v->args, "replies"),
                         .asks = !stop && !v->json && isatty(STDIN_FILENO),
                         .answers = json_array()};
    int status = converse(&d);
    size_t n = json_array_size(d.answers);

    if (status == CLI_DONE && v->json && n > 0) {
        json_t *doc = json_copy(json_array_get(d.answers, n - 1));

        json_object_set(doc, "answers", d.answers);
        print_json(doc);
        json_decref(doc);
    }
    free(d.session);
    json_decref(d.answers);
    return status;
}

/* ---- balance ---- */

const char *amount_text(const json_t *balance, char out[32])
{
    const json_t *amount = json_object_get(balance, "amount");

    snprintf(out, 32, amount ? "%.2f" : "", json_real_value(amount));
    return out;
}

void view_balance(const json_t *answer)
{
    static const struct column columns[] = {{"MODEM", false}, {"AMOUNT", true}, {"TOLD", false}};
    struct table t;
    const json_t *b;
    size_t i;

    table_begin(&t, columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(json_object_get(answer, "balances"), i, b)
    {
        const json_t *error = json_object_get(b, "error");
        char amount[32];

        table_cell(&t, PLAIN, member_text(b, "modem"));
        table_cell(&t, json_is_true(json_object_get(b, "low")) ? RED : PLAIN, amount_text(b, amount));
        table_cell(&t, error ? RED : PLAIN, member_text(error ? error : b, "text"));
    }
    table_print(&t);
}

int status_of_balances(const json_t *answer)
{
    const json_t *b;
    size_t i;

    json_array_foreach(json_object_get(answer, "balances"), i,
                       b) if (json_object_get(b, "error")) return CLI_FAILED;
    return CLI_DONE;
}
