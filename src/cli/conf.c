/* `config check`: simgated itself reads the file (simgated -t), since it is the one that must understand it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/text.h"

enum { ASK_MS = 2000 };

/* The file that simgated runs with; the usual one when nobody answers. */
static json_t *running_conf(const struct invocation *v)
{
    struct invocation quick = {.socket = v->socket, .timeout_ms = ASK_MS};
    json_t *none = json_object(), *answer, *path = NULL;
    struct err e = {0};

    if (ask(&quick, "status", none, &answer, &e) == CLI_DONE)
        path = json_incref(json_object_get(answer, "configuration"));
    json_decref(answer);
    json_decref(none);
    return path ? path : json_string(DEFAULT_CONF);
}

static json_t *read_lines(int fd)
{
    json_t *lines = json_array();
    FILE *f = fdopen(fd, "r");
    char *line = NULL;
    size_t cap = 0;

    while (f && getline(&line, &cap, f) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        if (json_array_append_new(lines, json_string(line)) < 0) /* a name that is not UTF-8 */
            json_array_append_new(lines, json_string("(a line that is not UTF-8)"));
    }
    free(line);
    if (f)
        fclose(f);
    return lines;
}

static int show_check(const struct invocation *v, const char *conf, bool good, const json_t *lines)
{
    const json_t *line;
    size_t i;

    if (v->json) {
        json_t *none = json_array();
        json_t *doc = json_pack("{sssbsO}", "file", conf, "good", good, "problems", good ? none : lines);

        print_json(doc);
        json_decref(doc);
        json_decref(none);
        return good ? CLI_DONE : CLI_FAILED;
    }
    json_array_foreach(lines, i, line) say(good ? GREEN : PLAIN, "%s", json_string_value(line));
    return good ? CLI_DONE : CLI_FAILED;
}

int run_config_check(struct invocation *v)
{
    json_t *file = json_incref(json_object_get(v->args, "file")), *lines;
    struct err e = {0};
    int out, how = 0, rc;
    pid_t pid;

    if (!file)
        file = running_conf(v);
    char *const argv[] = {"simgated", "-t", "-c", (char *)json_string_value(file), NULL};
    pid = start_simgated(argv, true, &out);
    if (pid < 0) {
        err_errno(&e, "simgated");
        json_decref(file);
        return tell_failure(v, CLI_FAILED, &e, NULL);
    }
    lines = read_lines(out);
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        ;
    rc = show_check(v, json_string_value(file), WIFEXITED(how) && WEXITSTATUS(how) == 0, lines);
    json_decref(lines);
    json_decref(file);
    return rc;
}
