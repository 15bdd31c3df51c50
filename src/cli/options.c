/* Command line to request, by the tables of the command. Options may stand anywhere before "--"; both
 * --name VALUE and --name=VALUE are understood. What can fail: everything the user wrote; errors name the
 * option and say what is expected. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static int64_t wall_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void put_text(json_t *args, const char *field, const char *text, struct err *e)
{
    json_t *v = json_string(text);

    if (!v)
        err_set(e, ERR_INVALID, "UTF-8 text expected");
    else
        json_object_set_new(args, field, v);
}

/* ---- one reader for each type ---- */

static int read_text(json_t *args, const struct option *o, const char *text, struct err *e)
{
    put_text(args, o->field, text, e);
    return e->code;
}

static int read_list(json_t *args, const struct option *o, const char *text, struct err *e)
{
    json_t *list = json_object_get(args, o->field);
    char *copy = strdup(text), *save = NULL;

    if (!copy)
        abort();
    if (!list)
        json_object_set_new(args, o->field, list = json_array());
    for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save))
        if (json_array_append_new(list, json_string(one + strspn(one, " "))) < 0)
            err_set(e, ERR_INVALID, "UTF-8 text expected");
    free(copy);
    if (json_array_size(list) == 0)
        err_set(e, ERR_INVALID, "something expected");
    return e->code;
}

static int read_number(json_t *args, const struct option *o, const char *text, struct err *e)
{
    int64_t n;

    if (!str_to_i64(text, 1, INT64_MAX, &n))
        return err_set(e, ERR_INVALID, "a whole number from 1 expected, not \"%.60s\"", text);
    json_object_set_new(args, o->field, json_integer(n));
    return 0;
}

static int read_duration(json_t *args, const struct option *o, const char *text, struct err *e)
{
    int64_t ms;

    if (!str_to_duration_ms(text, &ms))
        return err_set(e, ERR_INVALID, "a duration such as 90s, 2h or 3d expected, not \"%.60s\"", text);
    return read_text(args, o, text, e);
}

static void put_time(json_t *args, const struct option *o, int64_t wall_ms)
{
    char out[32];

    wall_to_text(wall_ms, false, out);
    json_object_set_new(args, o->field, json_string(out));
}

static int read_time(json_t *args, const struct option *o, const char *text, struct err *e)
{
    int64_t ms;

    if (!wall_from_text(text, wall_now_ms(), &ms))
        return err_set(e, ERR_INVALID,
                       "a time such as 09:30, \"2026-11-21 09:30\" or +2h expected, not \"%.60s\"", text);
    put_time(args, o, ms);
    return 0;
}

/* The beginning of a day, by the clock here. */
static bool day_begins(const char *text, int64_t *ms)
{
    int year, month, day;
    char begins[32];

    snprintf(begins, sizeof begins, "%.10s 00:00", text);
    return day_from_text(text, &year, &month, &day) && wall_from_text(begins, 0, ms);
}

static int read_past(json_t *args, const struct option *o, const char *text, struct err *e)
{
    int64_t now = wall_now_ms(), ms;

    if (str_to_duration_ms(text, &ms))
        ms = now - ms;
    else if (!day_begins(text, &ms) && !wall_from_text(text, now, &ms))
        return err_set(e, ERR_INVALID,
                       "a time such as 09:30, 2026-11-21 or \"2026-11-21 09:30\", or how long ago (2h, 3d), "
                       "expected, not \"%.60s\"",
                       text);
    else if (ms > now && strlen(text) <= strlen("HH:MM")) /* a time of day is read as the next one */
        ms -= DAY_MS;
    put_time(args, o, ms);
    return 0;
}

static int read_day(json_t *args, const struct option *o, const char *text, struct err *e)
{
    int year, month, day;

    return day_from_text(text, &year, &month, &day) ? read_text(args, o, text, e)
                                                    : read_past(args, o, text, e);
}

static int read_future(json_t *args, const struct option *o, const char *text, struct err *e)
{
    int64_t ms;

    if (!str_to_duration_ms(text, &ms))
        return read_time(args, o, text, e);
    put_time(args, o, wall_now_ms() + ms);
    return 0;
}

static int read_conversation(json_t *args, const struct option *o, const char *text, struct err *e)
{
    int64_t n;

    if (!str_to_i64(text + (*text == '#'), 1, INT64_MAX, &n))
        return err_set(e, ERR_INVALID,
                       "a conversation's number such as 12 expected, not \"%.60s\"; simgate conversations "
                       "lists them",
                       text);
    json_object_set_new(args, o->field, json_integer(n));
    return 0;
}

static int read_choice(json_t *args, const struct option *o, const char *text, struct err *e)
{
    struct buf known = {0};

    for (const char *const *c = o->choices; *c; c++) {
        if (!strcmp(*c, text)) {
            buf_free(&known);
            return read_text(args, o, text, e);
        }
        buf_addf(&known, "%s%s", c == o->choices ? "" : ", ", *c);
    }
    err_set(e, ERR_INVALID, "one of %s expected, not \"%.60s\"", buf_str(&known), text);
    buf_free(&known);
    return e->code;
}

static int read_new_file(json_t *args, const struct option *o, const char *text, struct err *e)
{
    char here[PATH_MAX];
    struct buf path = {0};

    if (text[0] != '/' && !getcwd(here, sizeof here))
        return err_errno(e, "%s", text);
    if (text[0] != '/')
        buf_addf(&path, "%s/", here);
    buf_adds(&path, text);
    put_text(args, o->field, buf_str(&path), e);
    buf_free(&path);
    return e->code;
}

static int read_flag(json_t *args, const struct option *o, const char *text, struct err *e)
{
    (void)text;
    if (o->type == ARG_FIXED)
        return read_text(args, o, o->fixed, e);
    json_object_set_new(args, o->field, json_boolean(o->type == ARG_TRUE));
    return 0;
}

/* "-": all of standard input, without its last line's end. */
static int read_stdin(struct buf *out, struct err *e)
{
    enum { MOST_BYTES = 1 << 20 };
    char bytes[4096];
    size_t n;

    while (out->len <= MOST_BYTES && (n = fread(bytes, 1, sizeof bytes, stdin)) > 0)
        buf_add(out, bytes, n);
    if (out->len > MOST_BYTES)
        return err_set(e, ERR_TOO_LONG, "standard input: at most 1 MiB expected");
    if (out->len > 0 && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
    if (strlen(buf_str(out)) != out->len)
        return err_set(e, ERR_INVALID, "standard input: text without NUL characters expected");
    return 0;
}

static int read_words(json_t *args, const struct operand *o, int count, char **words, struct err *e)
{
    struct buf text = {0};

    if (count == 1 && !strcmp(words[0], "-"))
        read_stdin(&text, e);
    else
        for (int i = 0; i < count; i++)
            buf_addf(&text, "%s%s", i ? " " : "", words[i]);
    if (e->code == 0)
        put_text(args, o->field, buf_str(&text), e);
    buf_free(&text);
    return e->code;
}

static int read_rest(json_t *args, const struct operand *o, int count, char **words, struct err *e)
{
    json_t *list = json_array();

    json_object_set_new(args, o->field, list);
    for (int i = 0; i < count; i++)
        if (json_array_append_new(list, json_string(words[i])) < 0)
            return err_set(e, ERR_INVALID, "UTF-8 text expected");
    return 0;
}

static int read_settings(json_t *args, const struct operand *o, int count, char **words, struct err *e)
{
    json_t *settings = json_object();

    json_object_set_new(args, o->field, settings);
    for (int i = 0; i < count; i++) {
        char *value = strchr(words[i], '=');

        if (!value || value == words[i])
            return err_set(e, ERR_INVALID, "NAME=VALUE expected, not \"%.60s\"", words[i]);
        *value = '\0';
        put_text(settings, words[i], value + 1, e);
        *value = '=';
        if (e->code < 0)
            return e->code;
    }
    return 0;
}

typedef int reader(json_t *args, const struct option *o, const char *text, struct err *e);
static reader *const readers[] = {
    [ARG_TRUE] = read_flag,         [ARG_FALSE] = read_flag,      [ARG_FIXED] = read_flag,
    [ARG_TEXT] = read_text,         [ARG_LIST] = read_list,       [ARG_NUMBER] = read_number,
    [ARG_DURATION] = read_duration, [ARG_TIME] = read_time,       [ARG_PAST] = read_past,
    [ARG_CHOICE] = read_choice,     [ARG_FILE] = read_text,       [ARG_NEW_FILE] = read_new_file,
    [ARG_MODEM] = read_text,        [ARG_FUTURE] = read_future,   [ARG_CONVERSATION] = read_conversation,
    [ARG_PERSON] = read_text,       [ARG_DEPARTMENT] = read_text, [ARG_DAY] = read_day,
    [ARG_CAMPAIGN] = read_number,   [ARG_TEMPLATE] = read_text,   [ARG_HANDLER] = read_text,
};

/* ---- the line ---- */

static bool same_name(const char *name, const char *text, size_t len)
{
    return strlen(name) == len && !strncmp(name, text, len);
}

static const struct option *find(const struct option *list, const char *text, size_t len)
{
    for (const struct option *o = list; o && o->name; o++)
        if (same_name(o->name, text, len))
            return o;
    return NULL;
}

const struct option *option_find(const struct command *c, const char *name)
{
    size_t len = strcspn(name, "=");
    const struct option *o = find(c->options, name, len);

    return o ? o : find(common_options, name, len);
}

/* argv[*at] is an option; *at moves on to its value if that is a word of its own. */
static int take_option(struct invocation *v, int argc, char **argv, int *at, struct err *e)
{
    const char *name = argv[*at] + 2, *value = strchr(name, '=');
    const struct option *o = option_find(v->command, name);

    if (!o)
        return err_set(e, ERR_INVALID, "there is no option %.60s", argv[*at]);
    if (value && !o->value)
        return err_set(e, ERR_INVALID, "--%s takes no value", o->name);
    if (o->value && value)
        value++;
    else if (o->value && *at + 1 >= argc)
        return err_set(e, ERR_INVALID, "--%s: %s is missing", o->name, o->value);
    else if (o->value)
        value = argv[++*at];
    if (readers[o->type](v->args, o, value, e) < 0)
        return err_wrap(e, "--%s", o->name);
    return 0;
}

/* Those that take the rest of the line. */
static int (*const takers[])(json_t *args, const struct operand *o, int count, char **words,
                             struct err *e) = {
    [ARG_WORDS] = read_words, [ARG_REST] = read_rest, [ARG_SETTINGS] = read_settings};

static int take_operands(struct invocation *v, int count, char **words, struct err *e)
{
    int at = 0;

    for (const struct operand *o = v->command->operands; o && o->name; o++) {
        struct option as_option = {
            .name = o->name, .type = o->type, .field = o->field, .choices = o->choices};

        if (at >= count && o->optional)
            continue;
        if (at >= count)
            return err_set(e, ERR_INVALID, "%s is missing", o->name);
        if (o->type < ARRAY_LEN(takers) && takers[o->type]) {
            if (takers[o->type](v->args, o, count - at, words + at, e) < 0)
                return err_wrap(e, "%s", o->name);
            return 0;
        }
        if (readers[o->type](v->args, &as_option, words[at++], e) < 0)
            return err_wrap(e, "%s", o->name);
    }
    return at < count ? err_set(e, ERR_INVALID, "\"%.60s\" is too much", words[at]) : 0;
}

static int check_required(const struct invocation *v, struct err *e)
{
    for (const struct option *o = v->command->options; o && o->name; o++)
        if (o->required && !json_object_get(v->args, o->field))
            return err_set(e, ERR_INVALID, "--%s %s is missing", o->name, o->value);
    return 0;
}

/* Takes what is not for the request out of the fields. */
static void take_common(struct invocation *v)
{
    const char *timeout = json_string_value(json_object_get(v->args, "--timeout"));
    json_t *socket = json_object_get(v->args, "--socket");

    v->timeout_given = timeout && str_to_duration_ms(timeout, &v->timeout_ms);
    if (socket)
        v->socket = v->own_socket = strdup(json_string_value(socket));
    v->json = json_is_true(json_object_get(v->args, "--json"));
    json_object_del(v->args, "--timeout");
    json_object_del(v->args, "--socket");
    json_object_del(v->args, "--json");
}

int options_parse(struct invocation *v, int argc, char **argv, struct err *e)
{
    char **words = calloc((size_t)argc + 1, sizeof *words);
    bool more = true;
    int count = 0;

    if (!words)
        abort();
    for (int i = 0; i < argc && e->code == 0; i++) {
        if (more && !strcmp(argv[i], "--"))
            more = false;
        else if (more && !strncmp(argv[i], "--", 2))
            take_option(v, argc, argv, &i, e);
        else if (more && argv[i][0] == '-' && argv[i][1])
            err_set(e, ERR_INVALID, "there is no option %.60s (write -- before what begins with -)", argv[i]);
        else
            words[count++] = argv[i];
    }
    if (e->code == 0)
        take_common(v);
    if (e->code == 0 && !json_is_true(json_object_get(v->args, "--help")) && check_required(v, e) == 0)
        take_operands(v, count, words, e);
    free(words);
    return e->code;
}

int options_leading(int argc, char **argv)
{
    int n = 0;

    while (n < argc && argv[n][0] == '-') {
        const struct option *o = argv[n][1] == '-' ? option_find(command_find("help"), argv[n] + 2) : NULL;

        if (!o)
            break;
        n += o->value && !strchr(argv[n], '=') ? 2 : 1;
    }
    return n < argc ? n : argc;
}
