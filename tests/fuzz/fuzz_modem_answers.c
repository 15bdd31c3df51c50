/* Whatever a modem says: the first byte of a record says how long it is and whether time passes behind it;
 * the records are answers and unsolicited bytes of a modem that is being set up, read from and written to.
 * Nothing may crash, and every request ends. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/lib/dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct request {
    struct carrier_submit submit; /* first */
    struct modem_ussd ussd;
    int submitted, ended;
};

static void on_sent(struct carrier_submit *s, const struct carrier_outcome *o)
{
    (void)o;
    ((struct request *)s)->ended++;
}

static void on_answer(struct modem_ussd *u, int status, const char *text, bool more)
{
    (void)u;
    (void)status;
    (void)text;
    (void)more;
}

static void on_stopped(void *owner)
{
    *(int *)owner += 1;
}

static void say(struct dialogue *d, const uint8_t *bytes, size_t len)
{
    char text[256];

    memcpy(text, bytes, len);
    text[len] = '\0';
    for (size_t i = 0; i < len; i++)
        text[i] = text[i] ? text[i] : ' ';
    port_script_say(d->port, text);
}

static void submit(struct dialogue *d, struct request *r)
{
    static const uint8_t pdu[] = {0x00, 0x01, 0x00, 0x05, 0x91, 0x21, 0x43, 0xF5, 0x00, 0x04, 0x01, 0x41};

    if (r->submitted != r->ended)
        return;
    r->submit =
        (struct carrier_submit){.pdu = pdu, .len = sizeof(pdu), .tpdu_len = sizeof(pdu) - 1, .done = on_sent};
    r->submitted += d->carrier->ops->submit(d->carrier, &r->submit) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dialogue *d = dialogue_new();
    struct request r = {.ussd = {.answered = on_answer}};
    int stopped = 0;

    log_set_level(LOG_ERR - 1);
    if (size && data[0] & 1)
        d->conf.plan = MODEM_PLAN_DIRECT;
    modem_start(d->modem);
    dialogue_run(d, size && data[0] & 2 ? 5000 : 201);
    for (size_t at = 1; at + 1 < size && d->in_count < DIALOGUE_INBOUND / 2;) {
        uint8_t head = data[at++];
        size_t len = (size_t)(head & 0x7F) < size - at ? (size_t)(head & 0x7F) : size - at;
        say(d, data + at, len);
        at += len;
        if (head & 0x80)
            dialogue_run(d, 3000);
        submit(d, &r);
        if (at % 3 == 0)
            modem_ussd_begin(d->modem, "*100#", &r.ussd, NULL);
    }
    modem_stop(d->modem, 5000, on_stopped, &stopped);
    dialogue_run(d, 10000);
    if (stopped != 1 || r.submitted != r.ended)
        abort();
    dialogue_free(d);
    return 0;
}
