/* What most commands do: ask simgated, show the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/text.h"

/* JSON escapes C0 controls itself. C1 controls and DEL, which some terminals obey as well, can only stand
 * inside of texts, where \u is the same to a reader. In UTF-8, C1 is C2 80 … C2 9F. */
static void print_escaped(const char *json)
{
    for (const unsigned char *p = (const unsigned char *)json; *p; p++) {
        if (*p == 0x7F)
            printf("\\u007f");
        else if (*p == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0)
            printf("\\u%04x", *++p);
        else
            putchar(*p);
    }
    putchar('\n');
}

void print_json_lines(const json_t *v, bool lines)
{
    char *text = json_dumps(v, (lines ? JSON_INDENT(2) : JSON_COMPACT) | JSON_REAL_PRECISION(15) |
                                   JSON_ENCODE_ANY); /* 0.95, not 0.94999999999999996 */

    if (!text)
        abort();
    print_escaped(text);
    free(text);
}

void print_json(const json_t *v)
{
    print_json_lines(v, false);
}

int tell_failure(const struct invocation *v, int status, const struct err *e, json_t *answer)
{
    static const char *const codes[] = {[CLI_DONE] = "done",       [CLI_FAILED] = "failed",
                                        [CLI_USAGE] = "usage",     [CLI_UNREACHABLE] = "unreachable",
                                        [CLI_REFUSED] = "refused", [CLI_NO_OUTCOME] = "timeout"};
    struct buf text = {0};
    const json_t *line;
    size_t i;

    if (v->json) {
        json_t *doc = answer ? json_incref(answer) : json_object();

        if (!json_object_get(doc, "error"))
            json_object_set_new(doc, "error", json_pack("{ssss}", "code", codes[status], "text", e->text));
        print_json(doc);
        json_decref(doc);
        return status;
    }
    text_safe(&text, e->text, true);
    buf_addc(&text, '\n');
    json_array_foreach(json_object_get(answer, "problems"), i, line)
    {
        text_safe(&text, json_is_string(line) ? json_string_value(line) : "", false);
        buf_addc(&text, '\n');
    }
    fflush(stdout);
    fprintf(stderr, "simgate %s: %s", v->command->name, buf_str(&text));
    buf_free(&text);
    return status;
}

int tell_usage(const struct command *c, bool json, const struct err *e)
{
    struct buf safe = {0};

    text_safe(&safe, e->text, false); /* words of the command line: they may be anything */
    if (json) {
        json_t *doc = json_pack("{s{ssss}}", "error", "code", "usage", "text", buf_str(&safe));

        print_json(doc);
        json_decref(doc);
        buf_free(&safe);
        return CLI_USAGE;
    }
    fprintf(stderr, "simgate%s%s: %s\n", c ? " " : "", c ? c->name : "", buf_str(&safe));
    buf_clear(&safe);
    if (c) {
        usage_line(c, &safe);
        fprintf(stderr, "usage: %s\nsimgate help %s tells the options.\n", buf_str(&safe), c->name);
    } else {
        fputs("simgate help lists the commands.\n", stderr);
    }
    buf_free(&safe);
    return CLI_USAGE;
}

int run_request(struct invocation *v)
{
    const struct command *c = v->command;
    struct err e = {0};
    json_t *answer;
    int status = ask(v, c->request, v->args, &answer, &e);

    if (status != CLI_DONE)
        tell_failure(v, status, &e, answer);
    else if (v->json)
        print_json(answer);
    else
        c->view(answer);
    if (status == CLI_DONE && c->status)
        status = c->status(answer);
    json_decref(answer);
    return status;
}
