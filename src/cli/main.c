/* simgate: the command line of the gateway. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/text.h"

/* Also when the options are wrong and were not read. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "--json"))
            return true;
    return false;
}

/* What may stand behind the first word of commands of two: "new, preview, start". */
static bool second_words(const char *first, struct buf *out)
{
    size_t len = strlen(first);

    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        if (strncmp(c->name, first, len) == 0 && c->name[len] == ' ')
            buf_addf(out, "%s%s", out->len ? ", " : "", c->name + len + 1);
    return out->len > 0;
}

static int no_command(int argc, char **argv, bool json)
{
    struct buf words = {0};
    struct err e;
    int status;

    if (argc == 0)
        err_set(&e, ERR_INVALID, "a command is missing");
    else if (second_words(argv[0], &words))
        err_set(&e, ERR_INVALID, "%.60s: expected one of %s behind it", argv[0], buf_str(&words));
    else
        err_set(&e, ERR_INVALID, "there is no command \"%.60s%s%.60s\"", argv[0], argc > 1 ? " " : "",
                argc > 1 ? argv[1] : "");
    status = tell_usage(NULL, json, &e);
    buf_free(&words);
    return status;
}

static int run(const struct command *c, int argc, char **argv)
{
    const char *socket = getenv("SIMGATE_SOCKET");
    struct invocation v = {.command = c,
                           .args = json_object(),
                           .socket = socket && *socket ? socket : DEFAULT_SOCKET,
                           .timeout_ms = c->timeout_ms};
    struct err e = {0};
    int status;

    if (options_parse(&v, argc, argv, &e) < 0) {
        status = tell_usage(c, wants_json(argc, argv), &e);
    } else if (json_is_true(json_object_get(v.args, "--help"))) {
        json_object_clear(v.args);
        json_object_set_new(v.args, "command", json_string(c->name));
        status = run_help(&v);
    } else {
        status = c->run ? c->run(&v) : run_request(&v);
    }
    free(v.own_socket);
    json_decref(v.args);
    return status;
}

int main(int argc, char **argv)
{
    const struct command *c;
    char **args;
    int lead, words, n;

    signal(SIGPIPE, SIG_IGN);
    text_init();
    if (argc > 1 && !strcmp(argv[1], "complete"))
        return run_complete(argc - 2, argv + 2);
    if (argc == 2 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))) {
        puts("simgate " SIMGATE_VERSION);
        return CLI_DONE;
    }
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        return run(command_find("help"), 0, NULL);
    lead = options_leading(argc - 1, argv + 1);
    argv += 1 + lead;
    argc -= 1 + lead;
    c = command_match(argv, argc, &words);
    if (!c)
        return no_command(argc, argv, wants_json(argc + lead, argv - lead));
    args = calloc((size_t)(argc + lead) + 1, sizeof *args);
    if (!args)
        abort();
    memcpy(args, argv - lead, (size_t)lead * sizeof *args);
    memcpy(args + lead, argv + words, (size_t)(argc - words) * sizeof *args);
    n = run(c, lead + argc - words, args);
    free(args);
    if (fflush(stdout) != 0 && n == CLI_DONE)
        n = CLI_FAILED;
    return n;
}
