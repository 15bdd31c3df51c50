/* A modem that answers each command with words of its own, and mutations of what it says: answers that are
 * lost, come late, lack their end, come twice, are cut into pieces, have codes, noise and prompts between
 * their lines or digits changed in these. Then each command ends exactly once and in bounded time, no line
 * and no OK is credited to another command, and OK is told only where it was said.
 *
 * As on hardware, what is written while a command is being executed is lost. The input's octets are the
 * choices, in the order in which they are asked for; 0 when they are used up. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/channel.h"
#include "base/rt.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COMMANDS = 12, TICKS_MAX = 4000, LIFE_MS = 3600000, CTRL_Z = 0x1a, ESC = 0x1b };

struct probe {
    struct at_cmd cmd; /* first */
    int n;
    unsigned done;
    bool said_ok; /* its own OK has reached the channel */
};

struct mutants {
    struct at_chan ch;
    const uint8_t *choices;
    size_t left;
    int64_t now_ms;
    struct probe probes[COMMANDS];
    int current;       /* the probe that the modem is at; -1: another command */
    struct buf heard;  /* written by the channel, not read by the modem yet */
    struct buf answer; /* of the modem, not said yet */
    int64_t say_ms;    /* when it is; 0: nothing to say */
    bool ends_ok;      /* it ends with the current probe's OK */
    bool in_one;       /* it ends twice: in pieces the second end could not be told from the next one's */
    bool dead;
};

static unsigned choose(struct mutants *m, unsigned n)
{
    if (m->left == 0)
        return 0;
    m->left--;
    return *m->choices++ % n;
}

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* ---- the owner ---- */

static void on_line(struct at_cmd *c, const char *line)
{
    const struct probe *p = (const struct probe *)c;
    char own[16];

    snprintf(own, sizeof own, "P%02d", p->n);
    check(strncmp(line, own, strlen(own)) == 0);
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct probe *p = (struct probe *)c;

    p->done++;
    check(p->done == 1);
    check(r->code != AT_OK || p->said_ok);
}

static void on_urc(void *owner, const struct at_urc *urc)
{
    (void)owner;
    check(urc->line[0] != 'P');
}

static void on_late(void *owner, const char *line)
{
    (void)owner;
    (void)line;
}

static void on_dead(void *owner)
{
    ((struct mutants *)owner)->dead = true;
}

static const struct at_events events = {on_urc, on_late, on_dead};

/* ---- the modem ---- */

static void add_noise(struct mutants *m)
{
    static const char *const lines[] = {"^RSSI:1",         "+CMTI: \"SM\",1", "RING",     "+CREG: 1",
                                        "^DSFLOWRPT:0001", "+CIEV: 1,1",      "$GPGGA,1", "+WIND: 1"};
    char text[32];

    str_copy(text, sizeof text, lines[choose(m, ARRAY_LEN(lines))]);
    if (choose(m, 2) && text[strlen(text) - 1] <= '9')
        text[strlen(text) - 1] = (char)('0' + choose(m, 10));
    buf_addf(&m->answer, "\r\n%s\r\n", text);
}

static void add_line(struct mutants *m, const char *line)
{
    enum { AS_IT_IS, LOST, TWICE, NOISE_BEFORE, PROMPT_BEFORE };
    unsigned how = choose(m, 8);

    if (how == LOST)
        return;
    if (how == NOISE_BEFORE)
        add_noise(m);
    if (how == PROMPT_BEFORE)
        buf_adds(&m->answer, "\r\n> ");
    buf_addf(&m->answer, "\r\n%s\r\n", line);
    if (how == TWICE) {
        buf_addf(&m->answer, "\r\n%s\r\n", line);
        m->in_one = m->in_one || line[0] != 'P';
    }
    if (m->current >= 0 && strcmp(line, "OK") == 0)
        m->ends_ok = true;
}

/* Into one answer goes no OK behind the one that ends it: what comes later than the end in another chunk
 * could not be told from the next one's. */
static void answer_probe(struct mutants *m)
{
    static const char *const finals[] = {"OK", "OK", "OK", "ERROR", "+CMS ERROR: 500", "+CME ERROR: 14"};
    char line[32];

    for (unsigned i = 0, n = choose(m, 3); i < n; i++) {
        snprintf(line, sizeof line, "P%02d %u", m->current, i);
        add_line(m, line);
    }
    add_line(m, finals[choose(m, ARRAY_LEN(finals))]);
}

static void answer_resync(struct mutants *m, const char *command)
{
    static const char *const known[][2] = {
        {"AT+CMEE?", "+CMEE: 1"}, {"AT+CMEE=?", "+CMEE: (0-2)"}, {"AT+CSCS?", "+CSCS: \"IRA\""}};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(command, known[i][0]) == 0)
            buf_addf(&m->answer, "\r\n%s\r\n", known[i][1]);
    }
    buf_adds(&m->answer, "\r\nOK\r\n");
}

static void execute(struct mutants *m, const char *command)
{
    static const int64_t delays_ms[] = {0, 0, 0, 10, 500, 4000, 30000, 200000};

    m->ends_ok = m->in_one = false;
    m->current = strncmp(command, "ATP", 3) == 0 ? atoi(command + 3) : -1;
    if (m->current >= 0)
        answer_probe(m);
    else
        answer_resync(m, command);
    m->say_ms = m->now_ms + 1 + delays_ms[choose(m, ARRAY_LEN(delays_ms))];
}

/* Reads what was written, up to a command that takes its time: the rest is lost. */
static void listen(struct mutants *m)
{
    char command[160];
    size_t len = 0;

    buf_add(&m->heard, at_out(&m->ch)->data, at_out(&m->ch)->len);
    buf_clear(at_out(&m->ch));
    if (m->say_ms) {
        buf_clear(&m->heard);
        return;
    }
    for (size_t i = 0; i < m->heard.len && !m->say_ms; i++) {
        char c = m->heard.data[i];
        if (c == ESC || c == CTRL_Z) {
            len = 0;
        } else if (c != '\r' && len + 1 < sizeof command) {
            command[len++] = c;
        } else if (c == '\r') {
            command[len] = '\0';
            if (len > 0)
                execute(m, command);
            len = 0;
        }
    }
    buf_clear(&m->heard);
}

static void say(struct mutants *m)
{
    struct buf text = m->answer;

    m->answer = (struct buf){0};
    m->say_ms = 0;
    if (m->ends_ok && m->current >= 0)
        m->probes[m->current].said_ok = true;
    for (size_t at = 0; at < text.len;) {
        size_t len = choose(m, 4) == 1 && !m->in_one ? 1 + choose(m, 16) : text.len;
        if (len > text.len - at)
            len = text.len - at;
        at_feed(&m->ch, (const uint8_t *)text.data + at, len, m->now_ms);
        at += len;
    }
    buf_free(&text);
}

/* ---- time ---- */

static void send(struct mutants *m, int n)
{
    struct probe *p = &m->probes[n];

    *p = (struct probe){
        .n = n,
        .cmd = {.prefix = "", .cls = (enum at_class)choose(m, AT_CLASSES), .line = on_line, .done = on_done}};
    snprintf(p->cmd.text, sizeof p->cmd.text, "ATP%02d", n);
    if (at_send(&m->ch, &p->cmd, choose(m, 4) == 1, m->now_ms) != 0)
        p->done = 1; /* refused: it is not in the channel */
}

static void live(struct mutants *m)
{
    int64_t end_ms = m->now_ms + LIFE_MS;

    for (int ticks = 0;; ticks++) {
        int64_t at_ms = at_deadline(&m->ch);

        check(ticks < TICKS_MAX);
        listen(m);
        if (m->say_ms && m->say_ms <= at_ms) {
            m->now_ms = m->say_ms;
            say(m);
            continue;
        }
        if (at_deadline(&m->ch) == RT_NEVER)
            break;
        m->now_ms = at_deadline(&m->ch);
        check(m->now_ms < end_ms);
        at_tick(&m->ch, m->now_ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mutants m;
    int sent = 0;

    memset(&m, 0, sizeof m);
    m.choices = data;
    m.left = size;
    m.now_ms = 1000;
    m.current = -1;
    at_init(&m.ch, &events, &m);
    while (sent < COMMANDS && m.left > 0 && !m.dead) {
        for (unsigned n = 1 + choose(&m, 3); n > 0 && sent < COMMANDS; n--)
            send(&m, sent++);
        live(&m);
    }
    at_close(&m.ch, m.now_ms);
    for (int i = 0; i < sent; i++)
        check(m.probes[i].done == 1);
    at_fini(&m.ch);
    buf_free(&m.heard);
    buf_free(&m.answer);
    return 0;
}
