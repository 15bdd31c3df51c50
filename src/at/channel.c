/* The channel: its queue, the command in flight, the data phase and the timers. What a line means is decided
 * in at/dialogue.c, how to get back in step in at/resync.c.
 *
 * Owns nothing but its output and the held first line of an unsolicited code; commands belong to their owners
 * and are linked in place. Nothing here fails; a full queue and a dead channel are told by at_send().
 *
 * No command and no data is written in the middle of a chunk: what follows a final result in the same chunk
 * cannot answer a command that has not been written yet, and an error right behind a prompt keeps the data
 * from being written at all.
 */
#include "at/internal.h"
#include "base/err.h"

/* ---- state ---- */

void at_set_state(struct at_chan *ch, enum at_state state, int64_t limit_ms)
{
    ch->state = state;
    at_arm(ch, AT_TIMER_STATE, limit_ms);
    at_arm(ch, AT_TIMER_STALE, RT_NEVER);
    if (state == AT_STATE_IDLE || state == AT_STATE_DEAD) {
        at_arm(ch, AT_TIMER_TAIL, RT_NEVER);
        at_arm(ch, AT_TIMER_GAP, RT_NEVER);
    }
}

static void disarm_all(struct at_chan *ch)
{
    for (int t = 0; t < AT_TIMERS; t++)
        ch->timer_ms[t] = RT_NEVER;
}

void at_init(struct at_chan *ch, const struct at_events *ev, void *owner)
{
    memset(ch, 0, sizeof *ch);
    ch->ev = ev;
    ch->owner = owner;
    disarm_all(ch);
}

void at_fini(struct at_chan *ch)
{
    buf_free(&ch->out);
    buf_free(&ch->urc);
}

/* ---- the queue ---- */

static struct at_cmd *pop(struct at_chan *ch)
{
    struct at_cmd *c = ch->head;

    ch->head = c->next;
    if (!ch->head)
        ch->tail = NULL;
    c->next = NULL;
    ch->queued--;
    return c;
}

static void push(struct at_chan *ch, struct at_cmd *c, bool first)
{
    c->first = first;
    c->next = first ? ch->head : NULL;
    if (first)
        ch->head = c;
    else if (ch->tail)
        ch->tail->next = c;
    else
        ch->head = c;
    if (!c->next)
        ch->tail = c;
    ch->queued++;
}

static void write_command(struct at_chan *ch, struct at_cmd *c, int64_t now_ms)
{
    ch->flight = c;
    ch->data_sent = false;
    ch->informed = false;
    ch->ok_ignored = false;
    ch->pdu_wanted = false;
    ch->text_wanted = false;
    ch->written_ms = now_ms;
    buf_adds(&ch->out, c->text);
    buf_addc(&ch->out, '\r'); /* no LF: Cinterion takes it for the first octet of the data */
    at_ring_add(&ch->ring, '>', c->text);
    if (c->data)
        at_set_state(ch, AT_STATE_PROMPT, now_ms + at_prompt_ms(c->cls));
    else
        at_set_state(ch, AT_STATE_COMMAND, now_ms + at_result_ms(ch, c->cls));
}

static void start_next(struct at_chan *ch, int64_t now_ms)
{
    if (ch->depth > 0 || ch->state != AT_STATE_IDLE || !ch->head)
        return;
    int64_t free_ms = ch->head->first || ch->free_ms > ch->hold_ms ? ch->free_ms : ch->hold_ms;
    if (now_ms < free_ms)
        at_arm(ch, AT_TIMER_GAP, free_ms);
    else
        write_command(ch, pop(ch), now_ms);
}

void at_hold(struct at_chan *ch, int64_t until_ms, int64_t now_ms)
{
    ch->hold_ms = until_ms;
    start_next(ch, now_ms);
}

int at_send(struct at_chan *ch, struct at_cmd *c, bool first, int64_t now_ms)
{
    if (ch->state == AT_STATE_DEAD || ch->closing)
        return ERR_GONE;
    if (ch->queued >= AT_QUEUE_COMMANDS)
        return ERR_FULL;
    push(ch, c, first);
    start_next(ch, now_ms);
    return 0;
}

void at_rest(struct at_chan *ch, int64_t until_ms)
{
    if (ch->free_ms < until_ms)
        ch->free_ms = until_ms;
}

bool at_idle(const struct at_chan *ch)
{
    return ch->state == AT_STATE_IDLE && !ch->head;
}

struct buf *at_out(struct at_chan *ch)
{
    return &ch->out;
}

/* ---- ends ---- */

void at_finish(struct at_chan *ch, const struct at_result *r, int64_t now_ms)
{
    struct at_cmd *c = ch->flight;
    struct at_result result = *r;

    result.data_sent = ch->data_sent;
    ch->flight = NULL;
    ch->free_ms = now_ms + ch->gap_ms;
    at_arm(ch, AT_TIMER_QUIET, RT_NEVER);
    at_arm(ch, AT_TIMER_DATA, RT_NEVER);
    c->done(c, &result);
}

/* What was queued when this began; not what the callbacks add, which they cannot. */
static void end_queue(struct at_chan *ch)
{
    static const struct at_result closed = {.code = AT_CLOSED, .number = -1};

    while (ch->head) {
        struct at_cmd *c = pop(ch);
        c->done(c, &closed);
    }
}

void at_die(struct at_chan *ch, int64_t now_ms)
{
    unsigned epoch = ch->epoch;

    (void)now_ms;
    at_ring_add(&ch->ring, '!', "nothing answers");
    disarm_all(ch);
    ch->second = AT_SECOND_NONE;
    at_framer_reset(&ch->framer);
    at_set_state(ch, AT_STATE_DEAD, RT_NEVER);
    end_queue(ch);
    if (ch->epoch == epoch)
        ch->ev->dead(ch->owner);
}

void at_close(struct at_chan *ch, int64_t now_ms)
{
    if (ch->closing)
        return;
    ch->closing = true;
    ch->epoch++;
    disarm_all(ch);
    ch->second = AT_SECOND_NONE;
    at_framer_reset(&ch->framer);
    buf_clear(&ch->out);
    at_ring_add(&ch->ring, '!', "closed");
    at_set_state(ch, AT_STATE_IDLE, RT_NEVER);
    if (ch->flight)
        at_finish(ch, &(struct at_result){.code = AT_CLOSED, .number = -1}, now_ms);
    end_queue(ch);
    ch->free_ms = 0;
    ch->hold_ms = 0;
    ch->closing = false;
}

void at_resync(struct at_chan *ch, int64_t now_ms)
{
    if (ch->state == AT_STATE_DEAD || ch->closing)
        return;
    struct at_result r = {.code = AT_TIMEOUT, .number = -1};
    at_ring_add(&ch->ring, '!', "resynchronising");
    at_resync_begin(ch, true, true, now_ms);
    if (ch->flight)
        at_finish(ch, &r, now_ms);
}

/* ---- the data phase ---- */

static void take_prompt(struct at_chan *ch, int64_t now_ms)
{
    at_ring_add(&ch->ring, '<', ">");
    at_set_state(ch, AT_STATE_WRITE, RT_NEVER);
    at_arm(ch, AT_TIMER_DATA, now_ms + ch->prompt_gap_ms);
}

static void write_data(struct at_chan *ch, int64_t now_ms)
{
    struct at_cmd *c = ch->flight;

    if (c->leaving)
        c->leaving(c);
    buf_adds(&ch->out, c->data);
    buf_addc(&ch->out, AT_CTRL_Z); /* nothing behind it: CR or LF would be the next command (TRB142) */
    at_ring_add(&ch->ring, '>', c->data);
    ch->data_sent = true;
    ch->data_ms = now_ms;
    at_set_state(ch, AT_STATE_DATA, now_ms + at_result_ms(ch, c->cls));
}

/* ---- timers ---- */

static void time_out(struct at_chan *ch, int64_t now_ms)
{
    bool escape = ch->state != AT_STATE_COMMAND;

    at_ring_add(&ch->ring, '!', "no answer in time");
    at_resync_begin(ch, escape, true, now_ms);
    at_finish(ch, &(struct at_result){.code = AT_TIMEOUT, .number = -1}, now_ms);
}

static void on_state_timer(struct at_chan *ch, int64_t now_ms)
{
    switch (ch->state) {
    case AT_STATE_COMMAND:
    case AT_STATE_PROMPT:
    case AT_STATE_DATA:
        time_out(ch, now_ms);
        break;
    case AT_STATE_SETTLE:
    case AT_STATE_PROBE:
        at_resync_timer(ch, now_ms);
        break;
    case AT_STATE_IDLE:
    case AT_STATE_WRITE:
    case AT_STATE_DEAD:
        break;
    }
}

/* Information came, its OK did not. An OK that is only late must not fall to the next command. */
static void on_quiet_timer(struct at_chan *ch, int64_t now_ms)
{
    at_ring_add(&ch->ring, '!', "no OK, taken as given");
    at_resync_begin(ch, false, false, now_ms);
    at_finish(ch, &(struct at_result){.code = AT_OK, .number = -1}, now_ms);
}

static void on_tail_timer(struct at_chan *ch, int64_t now_ms)
{
    char line[64];

    /* Final results are short; only their beginning was looked at when the timer was armed. */
    const char *tail = at_framer_tail(&ch->framer);
    if (strlen(tail) >= sizeof line)
        return;
    memcpy(line, tail, strlen(tail) + 1);
    at_framer_reset(&ch->framer);
    at_dialogue_line(ch, line, now_ms);
}

static void on_stale_timer(struct at_chan *ch, int64_t now_ms)
{
    at_framer_reset(&ch->framer);
    at_ring_add(&ch->ring, '!', "a prompt from before");
    at_resync(ch, now_ms);
}

static void on_timer(struct at_chan *ch, enum at_timer timer, int64_t now_ms)
{
    switch (timer) {
    case AT_TIMER_URC:
        at_urc_give_up(ch);
        break;
    case AT_TIMER_TAIL:
        on_tail_timer(ch, now_ms);
        break;
    case AT_TIMER_QUIET:
        on_quiet_timer(ch, now_ms);
        break;
    case AT_TIMER_DATA:
        write_data(ch, now_ms);
        break;
    case AT_TIMER_STALE:
        on_stale_timer(ch, now_ms);
        break;
    case AT_TIMER_STATE:
        on_state_timer(ch, now_ms);
        break;
    case AT_TIMER_GAP: /* start_next() follows */
    case AT_TIMERS:
        break;
    }
}

static void run_timer(struct at_chan *ch, enum at_timer timer, int64_t now_ms)
{
    if (ch->timer_ms[timer] > now_ms)
        return;
    at_arm(ch, timer, RT_NEVER);
    on_timer(ch, timer, now_ms);
}

void at_tick(struct at_chan *ch, int64_t now_ms)
{
    if (ch->depth > 0)
        return;
    ch->depth++;
    for (int t = 0; t < AT_TIMERS; t++)
        run_timer(ch, (enum at_timer)t, now_ms);
    ch->depth--;
    start_next(ch, now_ms);
}

int64_t at_deadline(const struct at_chan *ch)
{
    int64_t min_ms = RT_NEVER;

    for (int t = 0; t < AT_TIMERS; t++) {
        if (ch->timer_ms[t] < min_ms)
            min_ms = ch->timer_ms[t];
    }
    return min_ms;
}

/* ---- bytes in ---- */

static bool is_bare_prompt(const char *text)
{
    return text[0] == '>' && text[1 + strspn(text + 1, "> ")] == '\0';
}

/* An unfinished line that a modem may never finish: a final result, or a prompt nobody waits for. */
static void watch_tail(struct at_chan *ch, int64_t now_ms)
{
    const char *tail = at_framer_tail(&ch->framer);
    struct at_result r;
    const char *rest;
    bool waits = ch->flight || ch->state == AT_STATE_PROBE;
    bool unasked = ch->state == AT_STATE_IDLE || ch->state == AT_STATE_COMMAND;

    at_arm(ch, AT_TIMER_TAIL,
           waits && ch->framer.len > 0 && at_final(tail, false, &r, &rest) ? now_ms + AT_OK_OPTIONAL_MS
                                                                           : RT_NEVER);
    if (!unasked || !is_bare_prompt(tail))
        at_arm(ch, AT_TIMER_STALE, RT_NEVER);
    else if (ch->timer_ms[AT_TIMER_STALE] == RT_NEVER)
        at_arm(ch, AT_TIMER_STALE, now_ms + AT_STALE_PROMPT_MS);
}

static void on_token(struct at_chan *ch, enum at_token token, int64_t now_ms)
{
    bool unasked = ch->state == AT_STATE_IDLE || ch->state == AT_STATE_COMMAND;

    switch (token) {
    case AT_TOKEN_NONE:
        break;
    case AT_TOKEN_OVERLONG:
        at_ring_add(&ch->ring, '!', "a line too long, dropped");
        break;
    case AT_TOKEN_PROMPT:
        take_prompt(ch, now_ms);
        break;
    case AT_TOKEN_LINE:
        if (unasked && is_bare_prompt(ch->framer.line))
            on_stale_timer(ch, now_ms);
        else
            at_dialogue_line(ch, ch->framer.line, now_ms);
        break;
    }
}

void at_feed(struct at_chan *ch, const uint8_t *bytes, size_t len, int64_t now_ms)
{
    unsigned epoch = ch->epoch;

    if (ch->depth > 0 || ch->state == AT_STATE_DEAD)
        return;
    ch->depth++;
    while (len > 0 && ch->epoch == epoch) {
        enum at_token token;
        const char *echo = ch->state == AT_STATE_PROMPT ? ch->flight->text : NULL;
        size_t used = at_framer_take(&ch->framer, bytes, len, echo, &token);
        bytes += used;
        len -= used;
        on_token(ch, token, now_ms);
    }
    if (ch->epoch == epoch) {
        watch_tail(ch, now_ms);
        run_timer(ch, AT_TIMER_DATA, now_ms);
    }
    ch->depth--;
    start_next(ch, now_ms);
}
