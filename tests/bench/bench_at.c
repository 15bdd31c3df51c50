/* How fast the AT channel reads: lines and bytes a second of a modem's ordinary chatter, and of whole
 * submissions and listings. Each result is one line: name, value, unit, by tabs. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "at/channel.h"
#include "base/util.h"

enum { ROUNDS_PER_LOOK = 2000 };
static const double MEASURE_S = 0.5;

static const char pdu[] =
    "07919471016079F2240B919471214365F70000621112907003400EE8329BFD4697D9EC37BACC66BF01E8329BFD4697D9"
    "EC37BACC66BF01E8329BFD4697D9EC37BACC66BF01E8329BFD4697D9EC37BACC66BF01E8329BFD4697D9EC37BACC66";

struct load {
    struct at_chan ch;
    struct at_cmd cmd;
    uint64_t lines;
    uint64_t bytes;
    uint64_t ended;
    size_t chunk_bytes;
    int64_t now_ms;
};

static void on_line(struct at_cmd *c, const char *line)
{
    (void)line;
    ((struct load *)c->owner)->lines++;
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct load *l = c->owner;

    if (r->code == AT_OK)
        l->ended++;
    l->lines++;
}

static void on_urc(void *owner, const struct at_urc *urc)
{
    ((struct load *)owner)->lines += urc->pdu ? 2 : 1;
}

static void on_late(void *owner, const char *line)
{
    (void)owner, (void)line;
}

static void on_dead(void *owner)
{
    (void)owner;
}

static const struct at_events events = {on_urc, on_late, on_dead};

static void feed(struct load *l, const char *text, size_t len)
{
    for (size_t at = 0; at < len; at += l->chunk_bytes) {
        size_t n = len - at < l->chunk_bytes ? len - at : l->chunk_bytes;
        at_feed(&l->ch, (const uint8_t *)text + at, n, l->now_ms);
    }
    l->bytes += len;
    buf_clear(at_out(&l->ch));
}

static void command(struct load *l, const char *text, const char *prefix)
{
    l->cmd = (struct at_cmd){.prefix = prefix, .cls = AT_LIST, .line = on_line, .done = on_done, .owner = l};
    str_copy(l->cmd.text, sizeof l->cmd.text, text);
}

static void round_of_codes(struct load *l)
{
    static const char text[] =
        "\r\n^RSSI:18\r\n\r\n+CMTI: \"SM\",12\r\n\r\n+CREG: 1,\"00A1\",\"01FE22B0\"\r\n"
        "\r\n^HCSQ:\"LTE\",30,19,66,0\r\n\r\nRING\r\n";

    feed(l, text, sizeof text - 1);
}

static void round_of_listing(struct load *l)
{
    static char text[2048];

    if (!*text)
        snprintf(text, sizeof text,
                 "\r\n+CMGL: 1,1,,90\r\n%s\r\n+CMGL: 2,1,,90\r\n%s\r\n+CMGL: 3,1,,90\r\n%s\r\n\r\nOK\r\n",
                 pdu, pdu, pdu);
    command(l, "AT+CMGL=4", "+CMGL:");
    l->cmd.pdu_lines = true;
    at_send(&l->ch, &l->cmd, false, l->now_ms);
    feed(l, text, strlen(text));
}

static void round_of_submission(struct load *l)
{
    command(l, "AT+CMGS=90", "+CMGS:");
    l->cmd.data = pdu;
    at_send(&l->ch, &l->cmd, false, l->now_ms);
    feed(l, "\r\n> ", 4);
    l->now_ms += 1000;
    feed(l, "\r\n+CMGS: 17\r\n\r\nOK\r\n", 21);
}

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void measure(const char *name, void (*a_round)(struct load *l), size_t chunk_bytes)
{
    static struct load l;
    double begin_s = now_s(), took_s;

    memset(&l, 0, sizeof l);
    l.chunk_bytes = chunk_bytes;
    l.now_ms = 1000;
    at_init(&l.ch, &events, &l);
    do {
        for (int i = 0; i < ROUNDS_PER_LOOK; i++)
            a_round(&l);
        took_s = now_s() - begin_s;
    } while (took_s < MEASURE_S);
    at_fini(&l.ch);
    printf("at_%s_lines\t%.0f\tlines/s\n", name, (double)l.lines / took_s);
    printf("at_%s_bytes\t%.0f\tbytes/s\n", name, (double)l.bytes / took_s);
    if (l.ended > 0)
        printf("at_%s_commands\t%.0f\tcommands/s\n", name, (double)l.ended / took_s);
}

int main(void)
{
    measure("codes", round_of_codes, 4096);
    measure("codes_bytewise", round_of_codes, 1);
    measure("listing", round_of_listing, 4096);
    measure("submission", round_of_submission, 4096);
    printf("at_channel_size\t%zu\tbytes\n", sizeof(struct at_chan));
    return 0;
}
