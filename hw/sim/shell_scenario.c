/* Scenario files of simgate-modem: control commands with their times, one a line.
 *
 *     # a comment
 *     5s    text modem0 +491701234567 Hello      5 seconds after the start
 *     +500ms fault modem0 silence 30000          half a second after the line before
 *     every 10s text modem0 +491701234567 Ping   again and again
 *
 * A file with a bad line is refused as a whole, before anything of it is done; bad commands are only found
 * when their time comes, and are reported on standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/shell.h"

enum { STEP_BYTES = 1024 };

struct shell_step {
    int64_t at_us, every_us; /* every_us 0: once; at_us INT64_MAX: done */
    char command[STEP_BYTES];
};

static bool read_duration_us(const char *text, int64_t *us)
{
    char digits[24];
    size_t n = strlen(text);
    int64_t ms;
    if (n > 2 && n < sizeof(digits) && strcmp(text + n - 2, "ms") == 0) {
        str_copy(digits, n - 1, text);
        if (!str_to_i64(digits, 0, INT32_MAX, &ms))
            return false;
    } else if (!str_to_duration_ms(text, &ms)) {
        return false;
    }
    *us = ms * 1000;
    return true;
}

static bool read_step(char *line, int64_t start_us, int64_t *last_us, struct shell_step *step)
{
    char *rest = NULL;
    char *time = strtok_r(line, " \t", &rest);
    bool every = time && strcmp(time, "every") == 0;
    int64_t us;
    if (every)
        time = strtok_r(NULL, " \t", &rest);
    if (!time || !rest)
        return false;
    bool relative = *time == '+';
    if (!read_duration_us(time + relative, &us) || (every && us == 0))
        return false;
    rest += strspn(rest, " \t");
    *step = (struct shell_step){.every_us = every ? us : 0};
    step->at_us = (relative ? *last_us : start_us) + us;
    *last_us = step->at_us;
    return *rest && str_copy(step->command, sizeof(step->command), rest);
}

int shell_scenario_load(struct shell *s, const char *path, struct err *e)
{
    char line[STEP_BYTES + 64];
    int64_t last_us = s->start_us;
    int number = 0, rc = 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_errno(e, "%s", path);
    while (rc == 0 && fgets(line, sizeof(line), f)) {
        struct shell_step step;
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0' || line[strspn(line, " \t")] == '#')
            continue;
        if (!read_step(line, s->start_us, &last_us, &step)) {
            rc = err_set(e, ERR_INVALID, "%s:%d: expected \"TIME COMMAND\" or \"every TIME COMMAND\"", path,
                         number);
            break;
        }
        struct shell_step *grown = realloc(s->steps, (s->steps_len + 1) * sizeof(*grown));
        if (!grown)
            abort();
        s->steps = grown;
        s->steps[s->steps_len++] = step;
    }
    fclose(f);
    return rc;
}

static void run_step(struct shell *s, const struct shell_step *step)
{
    char line[STEP_BYTES];
    struct buf answer = {0};
    str_copy(line, sizeof(line), step->command);
    shell_command(s, line, &answer);
    if (strstr(buf_str(&answer), "\"ok\":false"))
        fprintf(stderr, "simgate-modem: %s: %s", step->command, buf_str(&answer));
    buf_free(&answer);
}

void shell_scenario_run(struct shell *s, int64_t now_us)
{
    for (size_t i = 0; i < s->steps_len; i++) {
        struct shell_step *step = &s->steps[i];
        if (step->at_us > now_us)
            continue;
        step->at_us = step->every_us ? step->at_us + step->every_us : INT64_MAX;
        run_step(s, step);
    }
}

int64_t shell_scenario_deadline_us(const struct shell *s)
{
    int64_t at = INT64_MAX;
    for (size_t i = 0; i < s->steps_len; i++)
        if (s->steps[i].at_us < at)
            at = s->steps[i].at_us;
    return at;
}
