/* Help from the table. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/text.h"

static const struct {
    enum exit_code status;
    const char *meaning;
} statuses[] = {{CLI_DONE, "done"},
                {CLI_FAILED, "it failed; a message failed; status: a person is needed"},
                {CLI_USAGE, "the command line is wrong"},
                {CLI_UNREACHABLE, "simgated does not answer"},
                {CLI_REFUSED, "simgated refused it: wrong values, unknown id, opted out, no permission"},
                {CLI_NO_OUTCOME, "no answer or outcome within --timeout"}};

static bool takes_several(enum arg_type type)
{
    return type == ARG_WORDS || type == ARG_REST || type == ARG_SETTINGS;
}

void usage_line(const struct command *c, struct buf *out)
{
    buf_addf(out, "simgate %s", c->name);
    for (const struct option *o = c->options; o && o->name; o++)
        if (o->required)
            buf_addf(out, " --%s %s", o->name, o->value);
    if (c->options)
        buf_adds(out, " [OPTION…]");
    for (const struct operand *o = c->operands; o && o->name; o++)
        buf_addf(out, o->optional ? " [%s]" : takes_several(o->type) ? " %s…" : " %s", o->name);
}

static void put_options(const struct option *list)
{
    for (const struct option *o = list; o && o->name; o++) {
        char name[64];

        snprintf(name, sizeof name, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("  %-22s %s\n", name, o->help);
    }
}

/* "contact set" … of "contact": those that begin with this word. How many. */
static int help_others(const char *word)
{
    size_t len = strlen(word);
    int n = 0;

    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        if (strncmp(c->name, word, len) != 0 || c->name[len] != ' ')
            continue;
        printf("%s  %-24s %s\n", n++ ? "" : "\n", c->name, c->summary);
    }
    return n;
}

static void help_command(const struct command *c)
{
    struct buf usage = {0};

    usage_line(c, &usage);
    printf("%s\n    %s\n", buf_str(&usage), c->summary);
    if (c->details)
        printf("\n%s\n", c->details);
    printf("\n");
    put_options(c->options);
    put_options(common_options);
    help_others(c->name);
    buf_free(&usage);
}

static void help_all(void)
{
    printf("simgate: the command of the SMS gateway simgated\n\n");
    for (const struct command_group *g = command_groups; g->title; g++) {
        printf("%s:\n", g->title);
        for (const struct command *c = g->commands; c->name; c++)
            printf("  %-24s %s\n", c->name, c->summary);
    }
    printf("\nEvery command takes:\n");
    put_options(common_options);
    printf("\nExit status:\n");
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        printf("  %d  %s\n", statuses[i].status, statuses[i].meaning);
    printf("\nsimgate help COMMAND tells more, simgate(1) all.\n");
}

int run_help(struct invocation *v)
{
    const char *name = json_string_value(json_object_get(v->args, "command"));
    const struct command *c = name ? command_find(name) : NULL;
    struct err e = {0};

    if (name && !c && help_others(name))
        return CLI_DONE;
    if (name && !c) {
        err_set(&e, ERR_INVALID, "there is no command \"%.60s\"; simgate help lists them", name);
        return tell_failure(v, CLI_USAGE, &e, NULL);
    }
    if (c)
        help_command(c);
    else
        help_all();
    return CLI_DONE;
}
