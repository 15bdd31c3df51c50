/* The simulated modem: its line and its time.
 *
 * Everything that happens later stands as a deadline in struct simmodem; run_until() does what is due in the
 * order of time, so that an owner who calls late sees the same as one who calls in time. Bytes leave and
 * arrive at the line's rate; the times of single bytes are kept in nanoseconds.
 */
#include "hw/sim/simmodem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

enum { BITS_PER_BYTE = 10, CHUNK_US = 4000 };

/* ---- making and ending ---- */

static void digits_from_seed(struct simmodem *m, const char *prefix, size_t total, char *out)
{
    size_t n = strlen(prefix);
    memcpy(out, prefix, n);
    for (; n < total; n++)
        out[n] = (char)('0' + sim_rng_below(&m->rng, 10));
    out[n] = '\0';
}

static void identity(struct simmodem *m, const struct simmodem_conf *conf)
{
    digits_from_seed(m, "35780502", 15, m->imei);
    digits_from_seed(m, "26201", 15, m->imsi);
    digits_from_seed(m, "8949", 19, m->iccid);
    if (conf->imei)
        str_copy(m->imei, sizeof(m->imei), conf->imei);
    if (conf->imsi)
        str_copy(m->imsi, sizeof(m->imsi), conf->imsi);
    if (conf->iccid)
        str_copy(m->iccid, sizeof(m->iccid), conf->iccid);
    str_copy(m->number, sizeof(m->number), conf->number ? conf->number : "");
    str_copy(m->smsc, sizeof(m->smsc), conf->smsc ? conf->smsc : "+491710760000");
    str_copy(m->pin_code, sizeof(m->pin_code), conf->pin ? conf->pin : "");
    str_copy(m->puk_code, sizeof(m->puk_code), conf->puk ? conf->puk : "12345678");
}

void sim_settings_lost(struct simmodem *m)
{
    sim_settings_reset(&m->set);
    buf_clear(&m->tx);
    buf_clear(&m->rx);
    buf_clear(&m->reply);
    buf_clear(&m->urcs);
    buf_clear(&m->ta_urcs);
    buf_clear(&m->busy.held);
    m->ta_urcs_len = 0;
    m->reply_cuts_len = 0;
    m->busy.on = false;
    m->entry = SIM_ENTRY_NONE;
    m->line_len = 0;
    m->line_overlong = false;
    m->searching_until_us = 0;
    m->stat_told = -1;
    sim_calls_reset(m);
    sim_family_reset(m);
}

struct simmodem *simmodem_new(struct simnet *net, const struct simmodem_conf *conf, int64_t now_ms)
{
    struct simmodem *m = calloc(1, sizeof(*m));
    if (!m)
        abort();
    m->net = net;
    m->conf = *conf;
    m->p = personality_of(conf->personality);
    m->replay = conf->replay ? simreplay_new(conf->replay) : NULL;
    m->rng.state = sim_net_random(net);
    m->now_us = now_ms * SIM_MS;
    identity(m, conf);
    m->home_stat = 1;
    m->signal = 20;
    m->pin_tries = 3;
    m->puk_tries = 10;
    m->pin = m->pin_code[0] ? SIM_PIN_ASKED : SIM_PIN_READY;
    m->byte_ns = conf->baud ? (int64_t)BITS_PER_BYTE * 1000000000 / conf->baud : 0;
    sim_stores_init(m);
    sim_settings_lost(m);
    m->power = conf->starts_off ? SIM_GONE : SIM_UP;
    m->power_at_us = SIM_NEVER;
    sim_net_join(net, m, conf->name);
    return m;
}

void simmodem_free(struct simmodem *m)
{
    if (!m)
        return;
    sim_net_leave(m->net, m);
    sim_stores_free(m);
    for (int i = 0; i < SIM_QUEUES; i++)
        sim_queue_free(&m->waiting[i]);
    sim_queue_free(&m->shuffled);
    free(m->await);
    sim_ussd_free(m);
    simreplay_free(m->replay);
    buf_free(&m->out);
    buf_free(&m->tx);
    buf_free(&m->rx);
    buf_free(&m->reply);
    buf_free(&m->urcs);
    buf_free(&m->ta_urcs);
    buf_free(&m->busy.held);
    free(m);
}

/* ---- bytes that leave ---- */

bool sim_silent(const struct simmodem *m)
{
    return m->wedged || sim_window(m, m->fault.silence_until);
}

/* One byte as a bad line carries it: lost, doubled, replaced. */
static void noisy_add(struct simmodem *m, struct buf *to, const char *bytes, size_t len)
{
    const struct sim_faults *f = &m->fault;
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (sim_window(m, f->drop_until) && sim_rng_chance(&m->rng, f->drop_ppm))
            continue;
        if (sim_window(m, f->garbage_until) && sim_rng_chance(&m->rng, f->garbage_ppm))
            c = (char)sim_rng_below(&m->rng, 256);
        buf_addc(to, c);
        if (sim_window(m, f->double_until) && sim_rng_chance(&m->rng, f->double_ppm))
            buf_addc(to, c);
    }
}

static bool noisy(const struct simmodem *m)
{
    const struct sim_faults *f = &m->fault;
    return sim_window(m, f->drop_until) || sim_window(m, f->garbage_until) || sim_window(m, f->double_until);
}

void sim_emit(struct simmodem *m, const void *bytes, size_t len)
{
    struct buf *to = &m->tx;
    if (m->power != SIM_UP)
        return;
    if (m->tx.len == 0) {
        m->tx_start_ns = m->tx_start_ns > m->now_us * 1000 ? m->tx_start_ns : m->now_us * 1000;
        if (m->byte_ns == 0 && !sim_silent(m))
            to = &m->out;
    }
    if (noisy(m))
        noisy_add(m, to, bytes, len);
    else
        buf_add(to, bytes, len);
}

/* Moves to `out` what has left the line by now. */
static void transmit(struct simmodem *m)
{
    if (m->tx.len == 0 || sim_silent(m))
        return;
    size_t n = m->tx.len;
    if (m->byte_ns) {
        int64_t gone = (m->now_us * 1000 - m->tx_start_ns) / m->byte_ns;
        if (gone <= 0)
            return;
        if ((uint64_t)gone < n)
            n = (size_t)gone;
        m->tx_start_ns += (int64_t)n * m->byte_ns;
    }
    buf_add(&m->out, m->tx.data, n);
    buf_drop(&m->tx, n);
}

static int64_t ns_to_us_up(int64_t ns)
{
    return (ns + 999) / 1000;
}

static int64_t transmit_deadline(const struct simmodem *m)
{
    if (m->tx.len == 0)
        return SIM_NEVER;
    if (sim_silent(m))
        return m->wedged ? SIM_NEVER : m->fault.silence_until;
    if (!m->byte_ns)
        return m->now_us;
    int64_t chunk = CHUNK_US * 1000 / m->byte_ns;
    int64_t n = (int64_t)m->tx.len < chunk ? (int64_t)m->tx.len : chunk;
    return ns_to_us_up(m->tx_start_ns + (n ? n : 1) * m->byte_ns);
}

void sim_urc(struct simmodem *m, const char *fmt, ...)
{
    char text[2 * PDU_FULL_BYTES + 512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0 || m->power != SIM_UP || m->set.quiet)
        return;
    struct buf framed = {0};
    buf_addf(&framed, "\r\n%s%s", text, m->p.urc_end);
    if (m->urc_capture)
        buf_add(m->urc_capture, framed.data, framed.len);
    else if (m->entry != SIM_ENTRY_NONE)
        buf_add(&m->urcs, framed.data, framed.len);
    else
        sim_emit(m, framed.data, framed.len);
    buf_free(&framed);
}

void sim_urcs_flush(struct simmodem *m)
{
    if (m->entry != SIM_ENTRY_NONE || m->urcs.len == 0)
        return;
    sim_emit(m, m->urcs.data, m->urcs.len);
    buf_clear(&m->urcs);
}

/* ---- bytes that arrive ---- */

static void echo(struct simmodem *m, char c)
{
    if (m->set.echo)
        sim_emit(m, &c, 1);
}

static void entry_byte(struct simmodem *m, char c)
{
    enum { CTRL_Z = 0x1A, ESC = 0x1B };
    if (c == CTRL_Z || c == ESC) {
        sim_entry_done(m, c == ESC);
        return;
    }
    echo(m, c);
    if (m->hex_len + 1 >= sizeof(m->hex))
        m->hex_overlong = true;
    else
        m->hex[m->hex_len++] = c;
}

static void command_byte(struct simmodem *m, char c)
{
    char cr = (char)m->set.sregs[3], bs = (char)m->set.sregs[5];
    echo(m, c);
    if (c == cr) {
        m->line[m->line_len] = '\0';
        m->line_len = 0;
        if (m->line_overlong)
            sim_finish(m, SIM_R_ERROR);
        else
            sim_run_line(m, m->line);
        m->line_overlong = false;
    } else if (c == bs) {
        m->line_len -= m->line_len > 0;
    } else if (c == '\0' || c == '\n') {
        return;
    } else if (m->line_len + 1 >= sizeof(m->line)) {
        m->line_overlong = true;
    } else {
        m->line[m->line_len++] = c;
    }
}

/* Bytes that come while a command is executed, or while nobody listens, are lost. */
static void arrive(struct simmodem *m, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (m->power != SIM_UP || m->busy.on || sim_silent(m)) {
            sim_net_lost_input(m->net, len - i);
            return;
        }
        if (m->entry != SIM_ENTRY_NONE)
            entry_byte(m, bytes[i]);
        else
            command_byte(m, bytes[i]);
    }
}

static void receive(struct simmodem *m)
{
    while (m->rx.len) {
        int64_t there = (m->now_us * 1000 - m->rx_start_ns) / m->byte_ns;
        if (there <= 0)
            return;
        char c = m->rx.data[0];
        m->rx_start_ns += m->byte_ns;
        buf_drop(&m->rx, 1);
        arrive(m, &c, 1);
    }
}

static int64_t receive_deadline(const struct simmodem *m)
{
    if (m->rx.len == 0)
        return SIM_NEVER;
    return ns_to_us_up(m->rx_start_ns + (int64_t)m->rx.len * m->byte_ns);
}

/* ---- time ---- */

void sim_busy_for(struct simmodem *m, int64_t us)
{
    m->busy.on = true;
    m->busy.until_us = m->now_us + us;
}

static void busy_step(struct simmodem *m)
{
    if (!m->busy.on || m->now_us < m->busy.until_us)
        return;
    m->busy.on = false;
    if (m->busy.submit) {
        sim_submit_end(m);
        return;
    }
    sim_emit(m, buf_str(&m->busy.held), m->busy.held.len);
    buf_clear(&m->busy.held);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t ahead(const struct simmodem *m, int64_t until_us)
{
    return until_us > m->now_us ? until_us : SIM_NEVER;
}

/* The bytes of a modem that is up pass it by, to and from its trace. */
static bool replays(const struct simmodem *m)
{
    return m->replay && m->power == SIM_UP;
}

int64_t simmodem_deadline_us(const struct simmodem *m)
{
    if (m->power != SIM_UP)
        return m->power_at_us;
    if (m->replay) {
        int64_t at_ms = simreplay_deadline(m->replay);
        return at_ms > SIM_NEVER / SIM_MS ? SIM_NEVER : at_ms * SIM_MS;
    }
    int64_t at = sooner(transmit_deadline(m), receive_deadline(m));
    if (m->busy.on)
        at = sooner(at, m->busy.until_us);
    at = sooner(at, sooner(ahead(m, m->searching_until_us), ahead(m, m->fault.no_network_until)));
    if (m->await)
        at = sooner(at, m->await_until_us);
    at = sooner(at, sim_family_deadline(m));
    return sooner(at, sooner(sim_mt_deadline(m), sim_calls_deadline(m)));
}

static void step(struct simmodem *m)
{
    sim_power_step(m);
    if (m->power != SIM_UP)
        return;
    if (m->byte_ns)
        receive(m);
    busy_step(m);
    sim_reg_check(m);
    sim_mt_step(m);
    sim_calls_step(m);
    sim_family_step(m);
    transmit(m);
}

static void run_until(struct simmodem *m, int64_t now_us)
{
    int64_t last = INT64_MIN;
    for (;;) {
        int64_t at = simmodem_deadline_us(m);
        if (at > now_us || at == last)
            break;
        last =
            at > m->now_us ? INT64_MIN : at; /* what could not be done at this instant waits for the next */
        if (at > m->now_us)
            m->now_us = at;
        step(m);
    }
    if (now_us > m->now_us)
        m->now_us = now_us;
    step(m);
}

void simmodem_tick_us(struct simmodem *m, int64_t now_us)
{
    m->in_call = true;
    if (replays(m)) {
        m->now_us = now_us > m->now_us ? now_us : m->now_us;
        simreplay_tick(m->replay, m->now_us / SIM_MS);
    } else {
        run_until(m, now_us);
    }
    m->in_call = false;
}

static void line_in(struct simmodem *m, const char *bytes, size_t len)
{
    if (!m->byte_ns) {
        arrive(m, bytes, len);
        return;
    }
    if (m->rx.len == 0)
        m->rx_start_ns = m->rx_start_ns > m->now_us * 1000 ? m->rx_start_ns : m->now_us * 1000;
    buf_add(&m->rx, bytes, len);
}

void simmodem_feed_us(struct simmodem *m, const void *bytes, size_t len, int64_t now_us)
{
    if (replays(m)) {
        m->now_us = now_us > m->now_us ? now_us : m->now_us;
        simreplay_feed(m->replay, bytes, len, m->now_us / SIM_MS);
        return;
    }
    m->in_call = true;
    run_until(m, now_us);
    if (m->power == SIM_GONE) {
        m->in_call = false;
        return;
    }
    if (noisy(m)) {
        struct buf heard = {0};
        noisy_add(m, &heard, bytes, len);
        line_in(m, buf_str(&heard), heard.len);
        buf_free(&heard);
    } else {
        line_in(m, bytes, len);
    }
    run_until(m, now_us);
    m->in_call = false;
}

void sim_wake(struct simmodem *m)
{
    if (!m->in_call && m->conf.wake)
        m->conf.wake(m, m->conf.arg);
}

struct buf *simmodem_out(struct simmodem *m)
{
    return m->replay ? simreplay_out(m->replay) : &m->out;
}

bool simmodem_present(const struct simmodem *m)
{
    return m->power != SIM_GONE;
}
