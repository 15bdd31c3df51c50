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

static void offer_modems(const char *begun)
{
    const char *socket = getenv("SIMGATE_SOCKET");
    struct invocation v = {.socket = socket && *socket ? socket : DEFAULT_SOCKET, .timeout_ms = ASK_MS};
    json_t *none = json_object(), *answer;
    const json_t *m;
    struct err e = {0};
    size_t i;

    if (ask(&v, "modems", none, &answer, &e) == CLI_DONE)
        json_array_foreach(json_object_get(answer, "modems"), i, m) offer(member_text(m, "name"), begun);
    json_decref(answer);
    json_decref(none);
}

static void offer_value(enum arg_type type, const char *const *choices, const char *begun)
{
    for (const char *const *c = choices; c && *c; c++)
        offer(*c, begun);
    if (type == ARG_MODEM)
        offer_modems(begun);
}

static void offer_options(const struct option *list, const char *begun)
{
    char name[64];

    for (const struct option *o = list; o && o->name; o++) {
        snprintf(name, sizeof name, "--%s", o->name);
        offer(name, begun);
    }
}

/* First words, or second ones of those that have two. */
static void offer_commands(const char *first, const char *begun)
{
    const char *last = "";

    for (const struct command *c = commands; c->name; c++) {
        char one[32];
        const char *blank = strchr(c->name, ' ');
        size_t len = blank ? (size_t)(blank - c->name) : strlen(c->name);

        snprintf(one, sizeof one, "%.*s", (int)len, c->name);
        if (first && blank && !strcmp(one, first))
            offer(blank + 1, begun);
        else if (!first && strcmp(one, last) != 0)
            offer(one, begun);
        last = c->name;
        if (!first && blank) { /* "pdu" once, though it begins two */
            const struct command *next = c + 1;

            while (next->name && !strncmp(next->name, c->name, len + 1))
                next++;
            c = next - 1;
        }
    }
}

static void offer_operand(const struct command *c, int index, const char *begun)
{
    for (const struct operand *o = c->operands; o && o->name; o++)
        if (index-- == 0) {
            if (c->run == run_help)
                offer_commands(NULL, begun);
            else
                offer_value(o->type, NULL, begun);
            return;
        }
}

/* words[0] is the program; the one at `index` is being written. */
static void complete(int index, char **words)
{
    const char *begun = words[index];
    const struct option *o = NULL;
    const struct command *c;
    int used, operands = 0;

    c = command_match(words + 1, index - 1, &used);
    if (!c) {
        offer_commands(index == 2 ? words[1] : NULL, begun);
        return;
    }
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
