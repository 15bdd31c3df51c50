/* Any bytes, in any chunks, at any time, with commands outstanding, callbacks that send, resynchronise and
 * close. What must hold: every accepted command is done exactly once, also after at_close(); a tick at the
 * deadline moves the deadline; an idle channel has none.
 *
 * The input is a list of steps: an octet that says what, and the bytes that it takes. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "at/channel.h"
#include "base/rt.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COMMANDS = 96 };

static const struct {
    const char *text, *prefix, *data;
    enum at_class cls;
    bool pdu_lines, ok_optional;
} kinds[] = {
    {"AT", NULL, NULL, AT_QUICK, false, false},
    {"AT+CSQ", "+CSQ:", NULL, AT_QUERY, false, false},
    {"AT+CREG?", "+CREG:", NULL, AT_QUERY, false, false},
    {"AT+CGSN", "", NULL, AT_QUERY, false, false},
    {"AT+CMGL=4", "+CMGL:", NULL, AT_LIST, true, false},
    {"AT+CMGS=4", "+CMGS:", "0011223344", AT_SEND, false, false},
    {"AT+CNMA=1,2", NULL, "0000", AT_ACK, false, false},
    {"AT+CPIN?", "+CPIN:", NULL, AT_SIM, false, true},
    {"ATD1;", NULL, NULL, AT_USSD, false, false},
    {"AT+CMEE?", "+CMEE:", NULL, AT_QUICK, false, false},
};

struct one {
    struct at_cmd cmd;
    bool accepted, done;
};

struct run {
    struct at_chan ch;
    struct one all[COMMANDS];
    unsigned used;
    int64_t now_ms;
    uint8_t mood; /* what callbacks do */
};

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void send_one(struct run *r, unsigned kind, bool first);

static void act(struct run *r)
{
    r->mood = (uint8_t)(r->mood * 5 + 1);
    if (r->mood % 7 == 0)
        send_one(r, r->mood / 7, r->mood % 2);
    else if (r->mood % 61 == 1)
        at_close(&r->ch, r->now_ms);
    else if (r->mood % 61 == 2)
        at_resync(&r->ch, r->now_ms);
}

static void on_line(struct at_cmd *c, const char *line)
{
    check(!((struct one *)c)->done && strlen(line) <= AT_LINE_BYTES);
    act(c->owner);
}

static void on_done(struct at_cmd *c, const struct at_result *result)
{
    struct one *one = (struct one *)c;

    check(one->accepted && !one->done);
    check(!result->data_sent || c->data);
    one->done = true;
    act(c->owner);
}

static void on_urc(void *owner, const struct at_urc *urc)
{
    check(strlen(urc->line) > 0);
    check(!urc->pdu || strspn(urc->pdu, "0123456789abcdefABCDEF") == strlen(urc->pdu));
    act(owner);
}

static void on_late(void *owner, const char *line)
{
    check(strncmp(line, "+CMGS:", 6) == 0);
    act(owner);
}

static void on_dead(void *owner)
{
    act(owner);
}

static const struct at_events events = {on_urc, on_late, on_dead};

static void send_one(struct run *r, unsigned kind, bool first)
{
    if (r->used == COMMANDS)
        return;
    struct one *one = &r->all[r->used++];
    kind %= (unsigned)ARRAY_LEN(kinds);
    str_copy(one->cmd.text, sizeof one->cmd.text, kinds[kind].text);
    one->cmd.prefix = kinds[kind].prefix;
    one->cmd.data = kinds[kind].data;
    one->cmd.cls = kinds[kind].cls;
    one->cmd.pdu_lines = kinds[kind].pdu_lines;
    one->cmd.ok_optional = kinds[kind].ok_optional;
    one->cmd.line = on_line;
    one->cmd.done = on_done;
    one->cmd.owner = r;
    one->accepted = true; /* `done` never runs before at_send() returns, so this is undone in time */
    if (at_send(&r->ch, &one->cmd, first, r->now_ms) != 0)
        one->accepted = false;
}

/* At the deadline, a little before it, or just later. */
static void tick(struct run *r, uint8_t how)
{
    int64_t deadline_ms = at_deadline(&r->ch);

    if (how % 4 == 0 && deadline_ms != RT_NEVER && deadline_ms > r->now_ms)
        r->now_ms = deadline_ms;
    else
        r->now_ms += how * 16;
    at_tick(&r->ch, r->now_ms);
    check(at_deadline(&r->ch) > r->now_ms);
}

static void step(struct run *r, const uint8_t **data, size_t *size)
{
    uint8_t op = *(*data)++;
    size_t len;

    (*size)--;
    if (op < 16)
        send_one(r, op, op % 3 == 0);
    else if (op < 32)
        tick(r, (uint8_t)(op - 16));
    else if (op == 32)
        at_close(&r->ch, r->now_ms);
    else if (op == 33)
        buf_clear(at_out(&r->ch));
    else if (op == 34)
        at_resync(&r->ch, r->now_ms);
    else {
        len = op - 34u < *size ? op - 34u : *size;
        at_feed(&r->ch, *data, len, r->now_ms);
        *data += len;
        *size -= len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run r;

    if (size < 2)
        return 0;
    memset(&r, 0, sizeof r);
    r.now_ms = 1000;
    at_init(&r.ch, &events, &r);
    r.mood = data[0];
    r.ch.gap_ms = data[1] & 1 ? 20 : 0;
    r.ch.prompt_gap_ms = data[1] & 2 ? 50 : 0;
    for (data += 2, size -= 2; size > 0;)
        step(&r, &data, &size);
    r.mood = 1;
    at_close(&r.ch, r.now_ms);
    at_close(&r.ch, r.now_ms); /* what the callbacks of the first one sent is refused, so nothing is left */
    for (unsigned i = 0; i < r.used; i++)
        check(r.all[i].done == r.all[i].accepted);
    check(at_idle(&r.ch) && at_deadline(&r.ch) == RT_NEVER);
    struct buf dump = {0};
    at_dump(&r.ch, &dump);
    buf_free(&dump);
    at_fini(&r.ch);
    return 0;
}
