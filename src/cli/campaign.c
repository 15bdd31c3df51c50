/* `campaign new` with its recipients from a file, and `campaign start --wait`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

enum { PIECE = 1000, READ_BYTES = 65536, LOOK_MS = 1000 };

/* ---- recipients of a file ---- */

struct reading {
    json_t *numbers, *lines; /* of each in the file */
    int column;              /* of "number"; the first where no header names it */
    bool begun;
};

static int on_record(void *owner, const struct csv_record *r, struct err *e)
{
    struct reading *x = owner;

    (void)e;
    if (!x->begun) {
        x->begun = true;
        for (int i = 0; i < r->count; i++)
            if (!strcmp(r->fields[i], "number")) {
                x->column = i;
                return 0;
            }
    }
    if (x->column < r->count && *r->fields[x->column]) {
        json_array_append_new(x->numbers, json_string(r->fields[x->column]));
        json_array_append_new(x->lines, json_integer(r->line));
    }
    return 0;
}

static int read_numbers(const char *path, struct reading *x, struct err *e)
{
    FILE *in = strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
    struct csv_reader csv = {.record = on_record, .owner = x};
    char bytes[READ_BYTES];
    size_t n;
    int rc = 0;

    if (!in)
        return err_errno(e, "%s", path);
    while (rc == 0 && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        rc = csv_feed(&csv, bytes, n, e);
    if (rc == 0 && ferror(in))
        rc = err_errno(e, "%s", path);
    else if (rc == 0)
        rc = csv_end(&csv, e);
    csv_free(&csv);
    if (in != stdin)
        fclose(in);
    if (rc == 0 && json_array_size(x->numbers) == 0)
        rc = err_set(e, ERR_INVALID, "%s: there are no numbers in it", path);
    return rc;
}

/* What simgated did not take, with the line that an editor shows. */
static void tell_left_out(const struct reading *x, size_t from, const json_t *answer, json_t *errors)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(answer, "errors"), i, one)
    {
        size_t index = from + (size_t)json_integer_value(json_object_get(one, "index"));

        json_array_append_new(errors, json_pack("{sOsOsO}", "line", json_array_get(x->lines, index), "number",
                                                json_object_get(one, "number"), "text",
                                                json_object_get(one, "text")));
    }
}

static int add_piece(struct invocation *v, json_int_t id, const struct reading *x, size_t from,
                     json_t *errors, json_t *campaign, struct err *e)
{
    size_t all = json_array_size(x->numbers), to = from + PIECE < all ? from + PIECE : all;
    json_t *list = json_array(), *args, *answer = NULL;
    int status;

    for (size_t i = from; i < to; i++)
        json_array_append(list, json_array_get(x->numbers, i));
    args = json_pack("{sIso}", "campaign", id, "to", list);
    status = ask(v, "campaign add", args, &answer, e);
    json_decref(args);
    if (status == CLI_DONE) {
        tell_left_out(x, from, answer, errors);
        json_object_set(campaign, "recipients", json_object_get(answer, "recipients"));
        json_object_set(campaign, "waiting", json_object_get(answer, "recipients"));
    }
    json_decref(answer);
    return status;
}

static int add_all(struct invocation *v, const struct reading *x, json_t *answer, struct err *e)
{
    json_t *campaign = json_object_get(answer, "campaign"), *errors = json_array();
    json_int_t id = json_integer_value(json_object_get(campaign, "id"));
    int64_t all = (int64_t)json_array_size(x->numbers);
    bool bar = isatty(STDERR_FILENO) && !v->json;
    int status = CLI_DONE;

    for (int64_t at = 0; at < all && status == CLI_DONE; at += PIECE) {
        status = add_piece(v, id, x, (size_t)at, errors, campaign, e);
        if (bar && status == CLI_DONE)
            progress("recipients", at + PIECE < all ? at + PIECE : all, all);
    }
    if (json_array_size(errors))
        json_object_set(answer, "errors", errors);
    json_decref(errors);
    return status;
}

static void view_new(const json_t *answer)
{
    const json_t *c = json_object_get(answer, "campaign"), *one;
    struct buf safe = {0};
    size_t i;

    text_safe(&safe, member_text(c, "name"), false);
    say(PLAIN, "campaign %s \"%s\": %s recipients; nothing is sent yet", member_text(c, "id"), buf_str(&safe),
        member_text(c, "recipients"));
    buf_free(&safe);
    json_array_foreach(json_object_get(answer, "errors"), i, one)
    {
        text_safe(&safe, member_text(one, "text"), false);
        say(YELLOW, "line %s is left out: %s", member_text(one, "line"), buf_str(&safe));
        buf_free(&safe);
    }
    say(DIM, "next: simgate campaign preview %s", member_text(c, "id"));
}

int run_campaign_new(struct invocation *v)
{
    struct reading x = {.numbers = json_array(), .lines = json_array()};
    char *path = NULL;
    const char *file = json_string_value(json_object_get(v->args, "file"));
    json_t *answer = NULL;
    struct err e = {0};
    int status = CLI_DONE;

    if (!file && !json_object_get(v->args, "tag") && !json_object_get(v->args, "attribute")) {
        err_set(&e, ERR_INVALID, "who gets it? --tag, --attribute or --file is missing");
        status = tell_usage(v->command, v->json, &e);
        json_decref(x.numbers);
        json_decref(x.lines);
        return status;
    }
    if (file) {
        path = strdup(file);
        if (!path)
            abort();
        json_object_set_new(v->args, "audience", json_string(path));
        json_object_del(v->args, "file");
        if (read_numbers(path, &x, &e) < 0)
            status = CLI_FAILED;
    }
    if (status == CLI_DONE)
        status = ask(v, "campaign new", v->args, &answer, &e);
    if (status == CLI_DONE && path)
        status = add_all(v, &x, answer, &e);
    if (status != CLI_DONE)
        status = tell_failure(v, status, &e, answer);
    else if (v->json)
        print_json(answer);
    else
        view_new(answer);
    json_decref(answer);
    json_decref(x.numbers);
    json_decref(x.lines);
    free(path);
    return status;
}

/* ---- start, and wait ---- */

static bool is_over(const json_t *answer)
{
    return strcmp(member_text(json_object_get(answer, "campaign"), "state"), "running") != 0;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until it is no longer running: done, or paused or stopped by somebody; or until --timeout. */
static int wait_for(struct invocation *v, json_t *id, json_t **answer, struct err *e)
{
    const struct timespec pause = {.tv_sec = LOOK_MS / 1000, .tv_nsec = LOOK_MS % 1000 * 1000000L};
    bool bar = isatty(STDERR_FILENO) && !v->json;
    int64_t ends_ms = v->timeout_given ? now_ms() + v->timeout_ms : INT64_MAX;
    json_t *args = json_pack("{sO}", "campaign", id);
    int status;

    for (;;) {
        const json_t *c;

        status = ask(v, "campaign", args, answer, e);
        if (status != CLI_DONE)
            break;
        c = json_object_get(*answer, "campaign");
        if (bar)
            progress(member_text(c, "accepted"),
                     json_integer_value(json_object_get(c, "recipients")) -
                         json_integer_value(json_object_get(c, "waiting")),
                     json_integer_value(json_object_get(c, "recipients")));
        if (is_over(*answer))
            break;
        if (now_ms() + LOOK_MS > ends_ms) {
            err_set(e, ERR_TIMEOUT, "it is not over in the time allowed, and goes on");
            status = CLI_NO_OUTCOME;
            break;
        }
        json_decref(*answer);
        *answer = NULL;
        nanosleep(&pause, NULL);
    }
    json_decref(args);
    return status;
}

int run_campaign_start(struct invocation *v)
{
    bool wait = json_is_true(json_object_get(v->args, "wait"));
    json_t *answer = NULL, *id = json_object_get(v->args, "campaign");
    struct err e = {0};
    int status;

    json_object_del(v->args, "wait");
    status = ask(v, v->command->name, v->args, &answer, &e);
    if (status == CLI_DONE && wait) {
        json_decref(answer);
        answer = NULL;
        status = wait_for(v, id, &answer, &e);
    }
    if (status != CLI_DONE)
        status = tell_failure(v, status, &e, answer);
    else if (v->json)
        print_json(answer);
    else if (wait)
        view_campaign(answer);
    else
        view_campaign_state(answer);
    json_decref(answer);
    return status;
}
