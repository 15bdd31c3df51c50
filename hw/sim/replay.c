/* See replay.h. A trace is read into steps (what the host sent, up to CR, or to Ctrl-Z behind a prompt) and
 * items (what the modem sent): an item up to a step's final result or prompt is part of its answer, a later
 * one came unasked.
 */
#include "hw/sim/replay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { CTRL_Z = 0x1A, ESC = 0x1B, GRACE_MS = 30000, COMMAND_BYTES = 2048, NO_STEP = -1 };

struct step {
    char *text; /* without its CR, or behind a prompt with its Ctrl-Z or ESC */
    int64_t at_ms;
    bool entry;   /* behind a prompt */
    bool prompts; /* answered by a prompt */
    bool played;
    int64_t played_ms;
};

struct item {
    const struct trace_line *line;
    int step; /* the one before it, or NO_STEP */
    bool answer;
    bool sent; /* unasked ones */
};

struct waiting {
    int64_t due_ms;
    const struct trace_line *line; /* NULL: `text` */
    const char *text;
};

struct simreplay {
    struct step *steps;
    size_t steps_len;
    struct item *items;
    size_t items_len;
    struct waiting *queue; /* answers, in the order of time */
    size_t queue_len, queue_cap;
    bool begun, entry;
    int64_t base_ms; /* of the trace's time 0 */
    char line[COMMAND_BYTES];
    size_t line_len;
    struct buf out;
};

/* ---- reading the trace ---- */

static bool is_final(const char *line, size_t len)
{
    static const char *const whole[] = {"OK", "ERROR", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS",
                                        "NO CARRIER"};
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        if (strlen(whole[i]) == len && memcmp(line, whole[i], len) == 0)
            return true;
    return len > 10 && (memcmp(line, "+CME ERROR", 10) == 0 || memcmp(line, "+CMS ERROR", 10) == 0);
}

static bool is_prompt(const char *line, size_t len)
{
    return len > 0 && line[0] == '>' && (len == 1 || (len == 2 && line[1] == ' '));
}

/* Whether the answer so far is complete, and whether by a prompt. */
static bool complete(const struct buf *answer, bool *prompt)
{
    const char *p = buf_str(answer), *end = p + answer->len;
    while (p < end) {
        size_t len = strcspn(p, "\r\n");
        bool last = p + len >= end;
        *prompt = is_prompt(p, len);
        if (*prompt || (!last && is_final(p, len)))
            return true;
        p += len;
        while (p < end && (*p == '\r' || *p == '\n' || *p == '\0'))
            p++;
    }
    return false;
}

/* What reading has in its hands. */
struct reader {
    struct simreplay *r;
    struct buf command, answer;
    bool entry, answered;
};

static void step_read(struct reader *in, int64_t at_ms)
{
    struct simreplay *r = in->r;
    r->steps = realloc(r->steps, (r->steps_len + 1) * sizeof(*r->steps));
    if (!r->steps)
        abort();
    struct step *s = &r->steps[r->steps_len++];
    *s = (struct step){.text = strdup(buf_str(&in->command)), .at_ms = at_ms, .entry = in->entry};
    if (!s->text)
        abort();
    buf_clear(&in->command);
    buf_clear(&in->answer);
    in->entry = in->answered = false;
}

static bool ends_step(bool entry, char c)
{
    return entry ? c == CTRL_Z || c == ESC : c == '\r' || c == ESC;
}

static void sent_read(struct reader *in, const struct trace_line *line)
{
    for (size_t i = 0; i < line->len; i++) {
        char c = (char)line->bytes[i];
        bool end = ends_step(in->entry, c);
        if (c != '\0' && c != '\n' && c != '\r')
            buf_addc(&in->command, c);
        if (end && (in->command.len > 0 || in->entry))
            step_read(in, line->at_ms);
    }
}

static void said_read(struct reader *in, const struct trace_line *line)
{
    struct simreplay *r = in->r;
    struct item *it = &r->items[r->items_len++];
    *it = (struct item){.line = line, .step = (int)r->steps_len - 1};
    if (r->steps_len == 0 || in->answered)
        return;
    it->answer = true;
    buf_add(&in->answer, line->bytes, line->len);
    in->answered = complete(&in->answer, &in->entry);
    r->steps[r->steps_len - 1].prompts = in->entry;
}

struct simreplay *simreplay_new(const struct trace *t)
{
    struct simreplay *r = calloc(1, sizeof(*r));
    struct reader in = {.r = r};
    if (!r || !(r->items = calloc(t->count + 1, sizeof(*r->items))))
        abort();
    for (size_t i = 0; i < t->count; i++) {
        if (t->lines[i].kind == TRACE_TO)
            sent_read(&in, &t->lines[i]);
        else if (t->lines[i].kind == TRACE_FROM)
            said_read(&in, &t->lines[i]);
    }
    buf_free(&in.command);
    buf_free(&in.answer);
    return r;
}

void simreplay_free(struct simreplay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->steps_len; i++)
        free(r->steps[i].text);
    free(r->steps);
    free(r->items);
    free(r->queue);
    buf_free(&r->out);
    free(r);
}

/* ---- finding what was asked ---- */

static bool equal(const char *recorded, const char *asked)
{
    return strcmp(recorded, asked) == 0;
}

/* Commands with secrets, numbers and lengths: their beginning is enough. */
static bool alike(const char *recorded, const char *asked)
{
    static const char *const heads[] = {"AT+CMGS=", "AT+CMGW=", "AT+CPIN=", "AT+CSCA=", "AT+CUSD=1,"};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        size_t n = strlen(heads[i]);
        if (strncmp(recorded, heads[i], n) == 0 && strncmp(asked, heads[i], n) == 0)
            return true;
    }
    return false;
}

/* Any PDU for any PDU, ESC for ESC. */
static bool same_end(const char *recorded, const char *asked)
{
    bool a = *recorded && recorded[strlen(recorded) - 1] == ESC;
    bool b = *asked && asked[strlen(asked) - 1] == ESC;
    return a == b;
}

static struct step *find(struct simreplay *r, const char *text,
                         bool (*same)(const char *recorded, const char *asked))
{
    struct step *last = NULL;
    for (size_t i = 0; i < r->steps_len; i++) {
        struct step *s = &r->steps[i];
        if (s->entry != r->entry || !same(s->text, text))
            continue;
        if (!s->played)
            return s;
        last = s;
    }
    return last;
}

/* ---- playing ---- */

/* Answers keep the order in which they were asked for. */
static void put(struct simreplay *r, int64_t due_ms, const struct trace_line *line, const char *text)
{
    if (r->queue_len == r->queue_cap) {
        r->queue_cap = r->queue_cap ? 2 * r->queue_cap : 16;
        r->queue = realloc(r->queue, r->queue_cap * sizeof(*r->queue));
        if (!r->queue)
            abort();
    }
    if (r->queue_len && r->queue[r->queue_len - 1].due_ms > due_ms)
        due_ms = r->queue[r->queue_len - 1].due_ms;
    r->queue[r->queue_len++] = (struct waiting){.due_ms = due_ms, .line = line, .text = text};
}

static void play(struct simreplay *r, struct step *s, int64_t now_ms)
{
    int index = (int)(s - r->steps);
    if (!s->played)
        s->played_ms = now_ms;
    s->played = true;
    r->entry = s->prompts;
    for (size_t i = 0; i < r->items_len; i++)
        if (r->items[i].step == index && r->items[i].answer)
            put(r, now_ms + r->items[i].line->at_ms - s->at_ms, r->items[i].line, NULL);
}

static void asked(struct simreplay *r, const char *text, int64_t now_ms)
{
    if (!r->begun) {
        r->begun = true;
        r->base_ms = now_ms - (r->steps_len ? r->steps[0].at_ms : 0);
    }
    struct step *s = find(r, text, r->entry ? same_end : equal);
    if (!s && !r->entry)
        s = find(r, text, alike);
    if (s) {
        play(r, s, now_ms);
        return;
    }
    bool cancelled = *text && text[strlen(text) - 1] == ESC;
    bool silent = cancelled && !r->entry; /* no prompt stood */
    r->entry = false;
    if (!silent)
        put(r, now_ms, NULL, cancelled ? "\r\nOK\r\n" : "\r\nERROR\r\n");
}

void simreplay_feed(struct simreplay *r, const void *bytes, size_t len, int64_t now_ms)
{
    const char *p = bytes;
    simreplay_tick(r, now_ms);
    for (size_t i = 0; i < len; i++) {
        bool end = ends_step(r->entry, p[i]);
        if (p[i] != '\0' && p[i] != '\n' && p[i] != '\r' && r->line_len + 1 < sizeof(r->line))
            r->line[r->line_len++] = p[i];
        if (!end || (r->line_len == 0 && !r->entry))
            continue;
        r->line[r->line_len] = '\0';
        r->line_len = 0;
        asked(r, r->line, now_ms);
    }
    simreplay_tick(r, now_ms);
}

/* When an unasked item comes; INT64_MAX: not before the host's first command. */
static int64_t unasked_at(const struct simreplay *r, const struct item *it)
{
    const struct step *s = it->step == NO_STEP ? NULL : &r->steps[it->step];
    if (!r->begun)
        return INT64_MAX;
    if (s && s->played)
        return s->played_ms + it->line->at_ms - s->at_ms;
    return r->base_ms + it->line->at_ms + (s ? GRACE_MS : 0);
}

static void say_answers(struct simreplay *r, int64_t now_ms)
{
    size_t n = 0;
    for (; n < r->queue_len && r->queue[n].due_ms <= now_ms; n++) {
        const struct waiting *w = &r->queue[n];
        if (w->line)
            buf_add(&r->out, w->line->bytes, w->line->len);
        else
            buf_adds(&r->out, w->text);
    }
    memmove(r->queue, r->queue + n, (r->queue_len - n) * sizeof(*r->queue));
    r->queue_len -= n;
}

void simreplay_tick(struct simreplay *r, int64_t now_ms)
{
    if (r->queue_len)
        say_answers(r, now_ms);
    if (r->queue_len || r->entry)
        return; /* nothing comes between the lines of an answer but what was recorded there */
    for (size_t i = 0; i < r->items_len; i++) {
        struct item *it = &r->items[i];
        if (it->answer || it->sent || unasked_at(r, it) > now_ms)
            continue;
        it->sent = true;
        buf_add(&r->out, it->line->bytes, it->line->len);
    }
}

int64_t simreplay_deadline(const struct simreplay *r)
{
    int64_t at = INT64_MAX;
    if (r->queue_len)
        return r->queue[0].due_ms;
    for (size_t i = 0; i < r->items_len && !r->entry; i++)
        if (!r->items[i].answer && !r->items[i].sent && unasked_at(r, &r->items[i]) < at)
            at = unasked_at(r, &r->items[i]);
    return at;
}

struct buf *simreplay_out(struct simreplay *r)
{
    return &r->out;
}
