/* Valid dialogues with everything that a modem may do to them: echo, line ends of all kinds, NULs,
 * unsolicited codes of one and two lines at any place, chunks of any size. Then every command must end as the
 * modem meant it, with its own lines, and every code be told once, in order. In a damaged dialogue (bytes
 * lost, doubled, changed) only this must hold: each command ends exactly once.
 *
 * The input's octets are the choices, in the order in which they are asked for; 0 when they are used up. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/channel.h"
#include "base/rt.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct talk {
    struct at_chan ch;
    const uint8_t *choices;
    size_t left;
    int64_t now_ms;
    bool damaged;
    struct buf said;  /* by the modem, not fed yet */
    struct buf told;  /* by the channel */
    struct buf meant; /* what it should have told */
    unsigned done;
};

static unsigned choose(struct talk *t, unsigned n)
{
    if (t->left == 0)
        return 0;
    t->left--;
    return *t->choices++ % n;
}

static void on_line(struct at_cmd *c, const char *line)
{
    buf_addf(&((struct talk *)c->owner)->told, "line %s|", line);
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct talk *t = c->owner;

    t->done++;
    buf_addf(&t->told, "done %d %d|", r->code, r->data_sent);
}

static void on_urc(void *owner, const struct at_urc *urc)
{
    buf_addf(&((struct talk *)owner)->told, "urc %s%s|", urc->line, urc->pdu ? urc->pdu : "");
}

static void on_late(void *owner, const char *line)
{
    buf_addf(&((struct talk *)owner)->told, "late %s|", line);
}

static void on_dead(void *owner)
{
    buf_adds(&((struct talk *)owner)->told, "dead|");
}

static const struct at_events events = {on_urc, on_late, on_dead};

/* ---- the modem ---- */

static const char *const ends[] = {"\r\n", "\r", "\n", "\r\r\n", "\r\n\r\n", "\r\n\r", " \r\n"};

static void say(struct talk *t, const char *line)
{
    static const char nul = 0;

    if (choose(t, 8) == 1)
        buf_add(&t->said, &nul, 1);
    if (choose(t, 2))
        buf_adds(&t->said, "\r\n");
    buf_adds(&t->said, line);
    buf_adds(&t->said, ends[choose(t, ARRAY_LEN(ends))]);
}

static void say_code(struct talk *t, bool whole_only)
{
    static const char *const codes[] = {"RING",     "+CMTI: \"SM\",3", "^RSSI:18",
                                        "+CREG: 5", "+CIEV: 7,1",      "NO CARRIER"};
    static const char *const headers[] = {"+CMT: ,7", "+CMT: \"\",7", "+CDS: 7", "+CDS: ,7"};
    const char *code = codes[choose(t, ARRAY_LEN(codes))];

    if (whole_only || choose(t, 2)) {
        say(t, code);
        buf_addf(&t->meant, "urc %s|", code);
        return;
    }
    const char *header = headers[choose(t, ARRAY_LEN(headers))];
    say(t, header);
    if (choose(t, 4) == 1)
        say_code(t, true); /* cuts in */
    say(t, "0011223344556677");
    buf_addf(&t->meant, "urc %s0011223344556677|", header);
}

static void maybe_codes(struct talk *t)
{
    while (choose(t, 4) == 1)
        say_code(t, false);
}

/* A line of the answer that the command should be told. */
static void answer(struct talk *t, const char *line)
{
    maybe_codes(t);
    say(t, line);
    buf_addf(&t->meant, "line %s|", line);
}

static void end(struct talk *t, const char *line, enum at_code code, bool sent)
{
    maybe_codes(t);
    say(t, line);
    buf_addf(&t->meant, "done %d %d|", code, sent);
    maybe_codes(t);
}

static void damage(struct talk *t)
{
    for (unsigned n = choose(t, 4); n > 0 && t->said.len > 0; n--) {
        size_t at = (choose(t, 256) * 256 + choose(t, 256)) % t->said.len;
        switch (choose(t, 3)) {
        case 0:
            t->said.data[at] = (char)choose(t, 256);
            break;
        case 1:
            memmove(t->said.data + at, t->said.data + at + 1, t->said.len - at);
            t->said.len--;
            break;
        case 2:
            buf_addc(&t->said, t->said.data[at]);
            break;
        }
    }
}

static void feed(struct talk *t)
{
    if (t->damaged)
        damage(t);
    for (size_t at = 0; at < t->said.len;) {
        size_t len = choose(t, 4) == 1 ? 1 + choose(t, 16) : 65536;
        if (len > t->said.len - at)
            len = t->said.len - at;
        at_feed(&t->ch, (const uint8_t *)t->said.data + at, len, t->now_ms);
        at += len;
    }
    buf_clear(&t->said);
}

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* ---- dialogues ---- */

static void echo(struct talk *t, const char *text)
{
    maybe_codes(t);
    for (unsigned n = choose(t, 3); n > 0; n--) {
        buf_adds(&t->said, text);
        buf_adds(&t->said, choose(t, 2) ? "\r" : "\r\r\n");
    }
}

static void talk_simple(struct talk *t, struct at_cmd *c)
{
    static const struct {
        const char *text, *prefix, *line, *final;
        enum at_code code;
    } kinds[] = {
        {"AT", NULL, NULL, "OK", AT_OK},
        {"AT+CSQ", "+CSQ:", "+CSQ: 20,99", "OK", AT_OK},
        {"AT+CREG?", "+CREG:", "+CREG: 2,1,\"00A1\",\"01FE\"", "OK", AT_OK},
        {"AT+CGSN", "", "868123456789012", "OK", AT_OK},
        {"AT+CMGD=1", NULL, NULL, "ERROR", AT_ERROR},
        {"AT+CMGR=9", "+CMGR:", NULL, "+CMS ERROR: 321", AT_CMS_ERROR},
        {"AT+CPMS?", "+CPMS:", "+CPMS: \"SM\",1,20", "+CME ERROR: SIM busy", AT_CME_ERROR},
    };
    unsigned kind = choose(t, ARRAY_LEN(kinds));

    str_copy(c->text, sizeof c->text, kinds[kind].text);
    c->prefix = kinds[kind].prefix;
    check(at_send(&t->ch, c, false, t->now_ms) == 0 || t->damaged);
    echo(t, c->text);
    if (kinds[kind].line)
        answer(t, kinds[kind].line);
    end(t, kinds[kind].final, kinds[kind].code, false);
    feed(t);
}

static void talk_list(struct talk *t, struct at_cmd *c)
{
    str_copy(c->text, sizeof c->text, "AT+CMGL=4");
    c->prefix = "+CMGL:";
    c->pdu_lines = true;
    c->cls = AT_LIST;
    check(at_send(&t->ch, c, false, t->now_ms) == 0 || t->damaged);
    echo(t, c->text);
    for (unsigned n = choose(t, 4); n > 0; n--) {
        answer(t, "+CMGL: 3,1,,9");
        answer(t, "00112233445566778899");
    }
    end(t, "OK", AT_OK, false);
    feed(t);
}

static void talk_submit(struct talk *t, struct at_cmd *c)
{
    static const char *const prompts[] = {"\r\n> ", "> ", "\r\n>", ">"};

    str_copy(c->text, sizeof c->text, "AT+CMGS=4");
    c->prefix = "+CMGS:";
    c->data = "0001AABBCC";
    c->cls = AT_SEND;
    check(at_send(&t->ch, c, false, t->now_ms) == 0 || t->damaged);
    buf_clear(at_out(&t->ch));
    echo(t, c->text);
    if (choose(t, 8) == 1) {
        end(t, "+CMS ERROR: 304", AT_CMS_ERROR, false);
        feed(t);
        check(t->damaged || at_out(&t->ch)->len == 0);
        return;
    }
    buf_adds(&t->said, prompts[choose(t, ARRAY_LEN(prompts))]);
    if (choose(t, 8) == 1)
        buf_adds(&t->said, "\r\nOK\r\n"); /* early */
    feed(t);
    check(t->damaged || strcmp(buf_str(at_out(&t->ch)), "0001AABBCC\x1a") == 0);
    t->now_ms += 1000;
    if (choose(t, 4) == 1)
        buf_adds(&t->said, "> 0001AABBCC\x1a\r\n");
    answer(t, "+CMGS: 17");
    end(t, "OK", AT_OK, true);
    feed(t);
}

/* Only a damaged dialogue leaves something open. */
static void wait_for_end(struct talk *t)
{
    for (int n = 0; at_deadline(&t->ch) != RT_NEVER; n++) {
        check(t->damaged && n < 100);
        t->now_ms = at_deadline(&t->ch);
        at_tick(&t->ch, t->now_ms);
    }
}

static void talk_once(struct talk *t)
{
    struct at_cmd c = {.cls = AT_QUERY, .line = on_line, .done = on_done, .owner = t};
    unsigned done = t->done;

    switch (choose(t, 3)) {
    case 0:
        talk_simple(t, &c);
        break;
    case 1:
        talk_list(t, &c);
        break;
    case 2:
        talk_submit(t, &c);
        break;
    }
    wait_for_end(t);
    if (t->damaged)
        at_close(&t->ch, t->now_ms); /* it may be dead */
    check(t->done == done + 1);
    check(t->damaged || strcmp(buf_str(&t->told), buf_str(&t->meant)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct talk t;

    memset(&t, 0, sizeof t);
    t.choices = data;
    t.left = size;
    t.now_ms = 1000;
    at_init(&t.ch, &events, &t);
    t.damaged = choose(&t, 2) == 1;
    for (int n = 0; n < 12 && t.left > 0; n++)
        talk_once(&t);
    at_fini(&t.ch);
    buf_free(&t.said);
    buf_free(&t.told);
    buf_free(&t.meant);
    return 0;
}
