/* Speed of the codec on one core: one line a figure, name, value and unit, separated by tabs. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "pdu/segment.h"

enum { RUN_MS = 1000, BATCH = 1000 };

/* Time of this process on its core, so that a busy machine does not change the figures. */
static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned long sink; /* keeps the results alive */

struct work {
    const char *name, *unit;
    const char *input; /* UTF-8 */
    void (*once)(const struct work *w);
    uint8_t octets[PDU_FULL_BYTES]; /* of a DELIVER with it */
    size_t len;
};

/* The DELIVER of the text's first segment, as octets. */
static void prepare_deliver(struct work *w)
{
    static struct pdu_ud ud[8];
    static const struct segment_conf CONF = {.cls = -1};
    struct pdu_deliver d = {.pid = 0};
    struct segment_plan plan;
    int tpdu_len;
    pdu_addr_from_text("+491710760000", &d.smsc, NULL);
    pdu_addr_from_text("+491701234567", &d.from, NULL);
    pdu_time_from_wall_ms(1767261600000, 4, &d.scts);
    segment_text(w->input, strlen(w->input), &CONF, 7, &plan, ud, 8, NULL);
    d.dcs.raw = plan.dcs;
    d.ud = ud[0];
    w->len = (size_t)pdu_encode_deliver(&d, w->octets, &tpdu_len, NULL);
}

static void decode_once(const struct work *w)
{
    struct pdu_any any;
    char text[PDU_TEXT_BYTES];
    if (pdu_decode(w->octets, w->len, -1, &any, NULL) == 0)
        sink += (unsigned long)pdu_ud_text(&any.u.deliver.ud, &any.u.deliver.dcs, text);
}

static void segment_once(const struct work *w)
{
    static struct pdu_ud ud[8];
    static const struct segment_conf CONF = {.cls = -1};
    struct segment_plan plan;
    if (segment_text(w->input, strlen(w->input), &CONF, 7, &plan, ud, 8, NULL) == 0)
        sink += plan.count;
}

static void submit_once(const struct work *w)
{
    static const struct segment_conf CONF = {.cls = -1};
    static struct pdu_submit s;
    struct segment_plan plan;
    uint8_t out[PDU_FULL_BYTES];
    int tpdu_len;
    pdu_addr_from_text("+491701234567", &s.to, NULL);
    if (segment_text(w->input, strlen(w->input), &CONF, 7, &plan, &s.ud, 1, NULL) == 0)
        sink += (unsigned long)pdu_encode_submit(&s, out, &tpdu_len, NULL);
}

static void run(struct work *w)
{
    prepare_deliver(w);
    double start = now_s(), spent;
    unsigned long rounds = 0;
    do {
        for (int i = 0; i < BATCH; i++)
            w->once(w);
        rounds += BATCH;
        spent = now_s() - start;
    } while (spent * 1000 < RUN_MS);
    printf("%s\t%.0f\t%s\n", w->name, (double)rounds / spent, w->unit);
}

#define TEXT_160                                                                                             \
    "The quick brown fox jumps over the lazy dog, and then the dog gets up and chases the fox around the "   \
    "old "                                                                                                   \
    "barn until both of them are too tired to run any farther"

#define BRACKETS_20 "[]{}[]{}[]{}[]{}[]{}"
#define BRACKETS_80 BRACKETS_20 BRACKETS_20 BRACKETS_20 BRACKETS_20
#define CYRILLIC_10 "Привет мир"
#define CYRILLIC_70 CYRILLIC_10 CYRILLIC_10 CYRILLIC_10 CYRILLIC_10 CYRILLIC_10 CYRILLIC_10 CYRILLIC_10

_Static_assert(sizeof(TEXT_160) - 1 == 160, "one full segment");

int main(void)
{
    static struct work works[] = {
        {"pdu decode DELIVER, 25 characters, with text",
         "1/s",
         "Are you open on Saturday?",
         decode_once,
         {0},
         0},
        {"pdu decode DELIVER, 160 characters, with text", "1/s", TEXT_160, decode_once, {0}, 0},
        {"pdu decode DELIVER, 160 septets of extension characters, with text",
         "1/s",
         BRACKETS_80,
         decode_once,
         {0},
         0},
        {"pdu decode DELIVER, 70 units of UCS2, with text", "1/s", CYRILLIC_70, decode_once, {0}, 0},
        {"pdu segment text, 1 segment of GSM 7-bit", "1/s", TEXT_160, segment_once, {0}, 0},
        {"pdu segment text, 3 segments of GSM 7-bit", "1/s", TEXT_160 TEXT_160, segment_once, {0}, 0},
        {"pdu segment text, 1 segment of UCS2", "1/s", CYRILLIC_70, segment_once, {0}, 0},
        {"pdu encode SUBMIT, 160 characters, from text", "1/s", TEXT_160, submit_once, {0}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(works); i++)
        run(&works[i]);
    return sink == 0;
}
