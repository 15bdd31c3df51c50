/* See dialogue.h. */
#include "tests/lib/dialogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static void on_changed(void *owner, struct carrier *c)
{
    (void)owner;
    (void)c;
}

static void settle_all(struct rt_timer *t)
{
    struct dialogue *d = container_of(t, struct dialogue, settle);

    while (d->settled < d->in_count)
        d->carrier->ops->settle(d->carrier, d->in[d->settled++].token, true);
}

static void on_inbound(void *owner, struct carrier *c, const struct carrier_inbound *in)
{
    struct dialogue *d = owner;

    (void)c;
    if (d->in_count == DIALOGUE_INBOUND)
        abort();
    size_t i = d->in_count++;
    d->in[i].token = in->token;
    d->in[i].malformed = in->malformed;
    d->in[i].tpdu_len = in->tpdu_len;
    if (in->malformed) {
        memcpy(d->in[i].text, in->pdu, in->len);
        d->in[i].text[in->len] = '\0';
    } else {
        hex_encode(in->pdu, in->len, d->in[i].text);
    }
    if (!d->hold)
        rt_timer_at(d->rt, &d->settle, rt_sim_now(d->rt) + 5);
}

static void on_late(void *owner, struct carrier *c, int mr)
{
    (void)owner;
    (void)c;
    (void)mr;
}

static void on_call(void *owner, struct carrier *c, const struct carrier_call *call)
{
    struct dialogue *d = owner;

    (void)c;
    if (d->call_count == DIALOGUE_CALLS)
        abort();
    size_t i = d->call_count++;
    str_copy(d->calls[i].from, sizeof(d->calls[i].from), call->from);
    d->calls[i].withheld = call->withheld;
    d->calls[i].rejected = call->rejected;
    d->calls[i].rings = call->rings;
}

static void on_ussd(void *owner, struct carrier *c, const char *text)
{
    struct dialogue *d = owner;

    (void)c;
    str_copy(d->ussd, sizeof(d->ussd), text);
    d->ussd_count++;
}

static const struct carrier_events events = {
    .changed = on_changed, .inbound = on_inbound, .late = on_late, .call = on_call, .ussd = on_ussd};

struct dialogue *dialogue_new(void)
{
    struct dialogue *d = calloc(1, sizeof(*d));

    if (!d)
        abort();
    d->rt = rt_sim_new(1);
    d->port = port_script_new(d->rt);
    port_script_usual(d->port);
    d->settle = (struct rt_timer){.fire = settle_all, .at_ms = RT_NEVER};
    d->conf = (struct modem_conf){.name = "M0",
                                  .port = "/dev/ttyUSB0",
                                  .imei = "",
                                  .imsi = "",
                                  .iccid = "",
                                  .usb = "",
                                  .profile = "",
                                  .balance = {.code = "", .pattern = "", .below = ""},
                                  .pool = "",
                                  .number = "+491701234567",
                                  .pin = "",
                                  .smsc = "",
                                  .baud = 115200,
                                  .sweep_ms = 180000,
                                  .send_timeout_ms = 120000};
    d->modem = modem_new(d->rt, port_script_source(d->port), &d->conf);
    d->carrier = modem_carrier(d->modem);
    d->carrier->up = &events;
    d->carrier->up_owner = d;
    return d;
}

void dialogue_free(struct dialogue *d)
{
    rt_timer_stop(d->rt, &d->settle);
    modem_free(d->modem);
    port_script_free(d->port);
    rt_sim_free(d->rt);
    free(d);
}

void dialogue_run(struct dialogue *d, int64_t ms)
{
    rt_sim_run_for(d->rt, ms);
}

static bool is_ready(void *arg)
{
    return ((struct dialogue *)arg)->carrier->state == CARRIER_READY;
}

bool dialogue_ready(struct dialogue *d)
{
    modem_start(d->modem);
    if (!rt_sim_run_till(d->rt, is_ready, d, 60000))
        return false;
    dialogue_run(d, 2000);
    port_script_forget(d->port);
    return true;
}

bool dialogue_heard(const struct dialogue *d, const char *lines)
{
    return strstr(port_script_heard(d->port), lines) != NULL;
}
