/* Completion for the shell, from the same table as everything else. docs/simgate.bash calls it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

enum { ASK_MS = 500 };

static void offer(const char *word, const char *begun)
{
    if (!strncmp(word, begun, strlen(begun)))
        printf("%s\n", word);
}

/* Values that only simgated knows: a request, its answer's list, and the member that names each. */
static const struct {
    const char *request, *list, *member;
} asked[] = {[ARG_MODEM] = {"modems", "modems", "name"},
             [ARG_PERSON] = {"people", "people", "name"},
             [ARG_DEPARTMENT] = {"departments", "departments", "name"},
             [ARG_CONVERSATION] = {"conversations", "conversations", "id"},
             [ARG_CAMPAIGN] = {"campaigns", "campaigns", "id"},
             [ARG_TEMPLATE] = {"templates", "templates", "template"},
             [ARG_HANDLER] = {"handlers", "handlers", "name"}};

static void offer_asked(enum arg_type type, const char *begun)
{
    const char *socket = getenv("SIMGATE_SOCKET");
    struct invocation v = {.socket = socket && *socket ? socket : DEFAULT_SOCKET, .timeout_ms = ASK_MS};
    json_t *none = json_object(), *answer;
    const char *last = "";
    const json_t *one;
    struct err e = {0};
    size_t i;

    if (ask(&v, asked[type].request, none, &answer, &e) == CLI_DONE)
        json_array_foreach(json_object_get(answer, asked[type].list), i, one)
        {
            const char *value = member_text(one, asked[type].member);

            if (strcmp(value, last) != 0) /* a template has a row for each language */
                offer(value, begun);
            last = value;
        }
    json_decref(answer);
    json_decref(none);
}

static void offer_value(enum arg_type type, const char *const *choices, const char *begun)
{
    for (const char *const *c = choices; c && *c; c++)
        offer(*c, begun);
    if (type < ARRAY_LEN(asked) && asked[type].request)
        offer_asked(type, begun);
}

static void offer_options(const struct option *list, const char *begun)
{
    char name[64];

    for (const struct option *o = list; o && o->name; o++) {
        snprintf(name, sizeof name, "--%s", o->name);
        offer(name, begun);
    }
}

/* Has a command before c the same first word? */
static bool begun_before(const struct command *c, size_t len)
{
    for (const struct command *other = command_next(NULL); other != c; other = command_next(other))
        if (!strncmp(other->name, c->name, len) && (other->name[len] == ' ' || !other->name[len]))
            return true;
    return false;
}

/* First words, each once; or the second ones behind `first`. */
static void offer_commands(const char *first, const char *begun)
{
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        size_t len = strcspn(c->name, " ");
        char one[32];

        snprintf(one, sizeof one, "%.*s", (int)len, c->name);
        if (first && c->name[len] && !strcmp(one, first))
            offer(c->name + len + 1, begun);
        else if (!first && !begun_before(c, len))
            offer(one, begun);
    }
}

static void offer_operand(const struct command *c, int index, const char *begun)
{
    for (const struct operand *o = c->operands; o && o->name; o++)
        if (index-- == 0) {
            if (c->run == run_help)
                offer_commands(NULL, begun);
            else
                offer_value(o->type, o->choices, begun);
            return;
        }
}

/* words[0] is the program; the one at `index` is being written. */
static void complete(int index, char **words)
{
    const char *begun = words[index];
    const struct option *o = NULL;
    const struct command *c;
    int used, operands = 0, lead = options_leading(index - 1, words + 1);

    words += lead; /* --json and the like may stand before the command */
    index -= lead;
    c = command_match(words + 1, index - 1, &used);
    if (!c) {
        offer_commands(index == 2 ? words[1] : NULL, begun);
        return;
    }
    if (index == 2 && used == 1) /* "contact 0170…", but also "contact set" */
        offer_commands(words[1], begun);
    for (int i = 1 + used; i < index; i++) {
        o = !strncmp(words[i], "--", 2) && !strchr(words[i], '=') ? option_find(c, words[i] + 2) : NULL;
        if (o && o->value && i + 1 < index)
            i++;
        else if (!o)
            operands++;
    }
    o = !strncmp(words[index - 1], "--", 2) ? option_find(c, words[index - 1] + 2) : NULL;
    if (o && o->value) {
        offer_value(o->type, o->choices, begun);
    } else if (begun[0] == '-') {
        offer_options(c->options, begun);
        offer_options(common_options, begun);
    } else {
        offer_operand(c, operands, begun);
    }
}

int run_complete(int argc, char **argv)
{
    int64_t index;

    if (argc < 2 || !str_to_i64(argv[0], 1, argc - 2, &index))
        return CLI_USAGE;
    complete((int)index, argv + 1);
    return CLI_DONE;
}
