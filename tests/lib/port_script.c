/* See port_script.h. */
#include "tests/lib/port_script.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { ROWS = 128, CTRL_Z = 0x1a, ESC = 0x1b };

struct row {
    char command[64];
    char answer[1024];
    unsigned left; /* 0: always */
    bool used_up;
};

struct port_script {
    struct port_source source;
    struct port port;
    struct rt *rt;
    const struct port_events *ev;
    void *owner;
    bool open, opened_told, gone;
    struct row rows[ROWS];
    size_t rows_len;
    struct buf in;  /* written by the daemon, not a whole command yet */
    struct buf out; /* for the daemon */
    struct buf heard;
    struct rt_timer timer;
};

static void wake(struct port_script *s)
{
    rt_timer_at(rt_sim_world(s->rt), &s->timer, rt_sim_now(s->rt));
}

static bool matches(const struct row *row, const char *command)
{
    size_t len = strlen(row->command);

    if (row->used_up)
        return false;
    if (len && row->command[len - 1] == '*')
        return strncmp(row->command, command, len - 1) == 0;
    return strcmp(row->command, command) == 0;
}

static void answer(struct port_script *s, const char *command)
{
    for (size_t i = s->rows_len; i-- > 0;) {
        struct row *row = &s->rows[i];
        if (!matches(row, command))
            continue;
        if (row->left && --row->left == 0)
            row->used_up = true;
        buf_adds(&s->out, row->answer);
        return;
    }
    buf_adds(&s->out, "\r\nOK\r\n");
}

static void take(struct port_script *s, size_t len, bool data)
{
    char command[1024];

    if (len >= sizeof(command))
        len = sizeof(command) - 1;
    memcpy(command, s->in.data, len);
    command[len] = '\0';
    buf_addf(&s->heard, "%s%s\n", data ? "> " : "", command);
    if (data)
        str_copy(command, sizeof(command), "data");
    answer(s, command);
}

static void read_commands(struct port_script *s)
{
    size_t i = 0;

    while (i < s->in.len) {
        char c = s->in.data[i];
        if (c != '\r' && c != CTRL_Z && c != ESC) {
            i++;
            continue;
        }
        if (c != ESC)
            take(s, i, c == CTRL_Z);
        buf_drop(&s->in, i + 1);
        i = 0;
    }
}

static void on_timer(struct rt_timer *t)
{
    struct port_script *s = container_of(t, struct port_script, timer);
    struct buf bytes = s->out;

    if (!s->open)
        return;
    if (s->gone) {
        struct err why = {0};
        err_set(&why, ERR_GONE, "unplugged");
        s->ev->gone(s->owner, &why);
        return;
    }
    if (!s->opened_told) {
        s->opened_told = true;
        s->ev->opened(s->owner);
        return;
    }
    s->out = (struct buf){0};
    if (bytes.len)
        s->ev->data(s->owner, (const uint8_t *)bytes.data, bytes.len);
    buf_free(&bytes);
}

static int script_write(struct port *port, const void *bytes, size_t len)
{
    struct port_script *s = container_of(port, struct port_script, port);

    buf_add(&s->in, bytes, len);
    read_commands(s);
    wake(s);
    return 0;
}

static void script_close(struct port *port)
{
    struct port_script *s = container_of(port, struct port_script, port);

    s->open = false;
    buf_clear(&s->out);
    buf_clear(&s->in);
}

static const struct port_ops script_ops = {.write = script_write, .close = script_close};

static int script_open(struct port_source *src, const struct port_conf *conf, const struct port_events *ev,
                       void *owner, struct port **out, struct err *e)
{
    struct port_script *s = container_of(src, struct port_script, source);

    if (s->gone)
        return err_set(e, ERR_NOT_FOUND, "%s: no such device", conf->spec);
    s->port.ops = &script_ops;
    s->ev = ev;
    s->owner = owner;
    s->open = true;
    s->opened_told = false;
    *out = &s->port;
    wake(s);
    return 0;
}

struct port_script *port_script_new(struct rt *rt)
{
    struct port_script *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->rt = rt;
    s->source.open = script_open;
    s->timer = (struct rt_timer){.fire = on_timer, .at_ms = RT_NEVER};
    return s;
}

void port_script_free(struct port_script *s)
{
    rt_timer_stop(rt_sim_world(s->rt), &s->timer);
    buf_free(&s->in);
    buf_free(&s->out);
    buf_free(&s->heard);
    free(s);
}

struct port_source *port_script_source(struct port_script *s)
{
    return &s->source;
}

void port_script_answer_times(struct port_script *s, const char *command, const char *text, unsigned times)
{
    if (s->rows_len == ROWS)
        abort();
    struct row *row = &s->rows[s->rows_len++];
    str_copy(row->command, sizeof(row->command), command);
    if (!str_copy(row->answer, sizeof(row->answer), text))
        abort();
    row->left = times;
}

void port_script_answer(struct port_script *s, const char *command, const char *text)
{
    port_script_answer_times(s, command, text, 0);
}

void port_script_usual(struct port_script *s)
{
    static const char *const usual[][2] = {
        {"AT+CGMI", "\r\nACME\r\n\r\nOK\r\n"},
        {"AT+CGMM", "\r\nM1\r\n\r\nOK\r\n"},
        {"AT+CGMR", "\r\n1.0\r\n\r\nOK\r\n"},
        {"AT+CGSN", "\r\n490154203237518\r\n\r\nOK\r\n"},
        {"AT+CFUN?", "\r\n+CFUN: 1\r\n\r\nOK\r\n"},
        {"AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n"},
        {"AT+CPMS=?", "\r\n+CPMS: (\"SM\"),(\"SM\"),(\"SM\")\r\n\r\nOK\r\n"},
        {"AT+CNMI?", "\r\n+CNMI: 2,1,0,1,0\r\n\r\nOK\r\n"},
        {"AT+CSCA?", "\r\n+CSCA: \"+491710760000\",145\r\n\r\nOK\r\n"},
        {"AT+CIMI", "\r\n262011234567890\r\n\r\nOK\r\n"},
        {"AT+CREG?", "\r\n+CREG: 1,1\r\n\r\nOK\r\n"},
        {"AT+CSQ", "\r\n+CSQ: 17,99\r\n\r\nOK\r\n"},
        {"AT+COPS?", "\r\n+COPS: 0,0,\"ACME Net\"\r\n\r\nOK\r\n"},
        {"AT+CMEE?", "\r\n+CMEE: 1\r\n\r\nOK\r\n"},
        {"AT+CMGS=*", "\r\n> "},
        {"data", "\r\n+CMGS: 7\r\n\r\nOK\r\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        port_script_answer(s, usual[i][0], usual[i][1]);
}

void port_script_say(struct port_script *s, const char *bytes)
{
    buf_adds(&s->out, bytes);
    wake(s);
}

void port_script_unplug(struct port_script *s)
{
    s->gone = true;
    wake(s);
}

const char *port_script_heard(const struct port_script *s)
{
    return buf_str(&s->heard);
}

unsigned port_script_count(const struct port_script *s, const char *command)
{
    unsigned n = 0;
    size_t len = strlen(command);

    for (const char *p = buf_str(&s->heard); *p; p += strcspn(p, "\n"), p += *p == '\n')
        n += strncmp(p, command, len) == 0;
    return n;
}

void port_script_forget(struct port_script *s)
{
    buf_clear(&s->heard);
}
