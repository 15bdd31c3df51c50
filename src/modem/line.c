/* The modem's line: its port below, its AT channel above, and the move that somebody asked for.
 *
 * Bytes go from the port into the channel, and what the channel puts out is written at the end of each event.
 * The channel's deadline is one timer, armed anew only when it has changed. What unsolicited codes mean is
 * decided here by a table; unknown ones are ignored.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

/* ---- out ---- */

void line_pump(struct modem *m)
{
    struct buf *out = at_out(&m->chan);

    if (m->pumping)
        return;
    if (m->port && out->len) {
        if (m->traces)
            trace_bytes(m, TRACE_TO, out->data, out->len);
        int status = port_write(m->port, out->data, out->len);
        if (status)
            modem_log(warning, m, "write failed: %s", err_name(status));
    }
    buf_clear(out);
    int64_t at_ms = at_deadline(&m->chan);
    if (m->chan_timer.at_ms != at_ms)
        rt_timer_at(m->rt, &m->chan_timer, at_ms);
}

int line_send(struct modem *m, struct at_cmd *c, bool first)
{
    c->owner = m;
    int status = at_send(&m->chan, c, first, modem_now(m));
    line_pump(m);
    return status;
}

void line_result(struct modem *m, const struct at_result *r)
{
    if (r->code == AT_CLOSED)
        return;
    if (r->code != AT_TIMEOUT) {
        m->timeouts = m->wedge_lines = 0;
        m->last_exchange_ms = modem_now(m);
        return;
    }
    m->timeouts++;
    if (wedge_shown(m))
        modem_request(m, MOVE_RECOVER, 0, "it says the same line again and again and answers nothing");
    else if (m->timeouts >= MODEM_TIMEOUTS_MAX)
        modem_request(m, MOVE_RECOVER, 0, "%u commands in a row without an answer", m->timeouts);
}

/* ---- the requested move ---- */

void modem_request(struct modem *m, enum modem_move move, int64_t after_ms, const char *fmt, ...)
{
    if (move < m->move)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(m->move_why, sizeof(m->move_why), fmt, ap);
    va_end(ap);
    m->move = move;
    rt_timer_at(m->rt, &m->move_timer, modem_now(m) + after_ms);
}

static void make_move(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, move_timer);
    enum modem_move move = m->move;
    char why[sizeof(m->move_why)];

    str_copy(why, sizeof(why), m->move_why);
    m->move = MOVE_NONE;
    switch (move) {
    case MOVE_NONE:
        break;
    case MOVE_OPEN:
        modem_open(m);
        break;
    case MOVE_REPROBE:
        modem_probe(m, why);
        break;
    case MOVE_BACK_OFF:
        modem_back_off(m, RT_NEVER, why);
        break;
    case MOVE_RECOVER:
        ladder_recover(m, why);
        break;
    case MOVE_CLOSE:
        modem_close(m);
        break;
    }
    line_pump(m);
}

/* ---- unsolicited codes ---- */

static void on_stored(struct modem *m, const char *line)
{
    rx_announced(m, line, line[3] == 'T' ? "+CMTI:" : "+CDSI:");
}

static void on_indicator(struct modem *m, const char *line)
{
    if (strstr(line, "smsfull") || strstr(line, "SMSFULL"))
        stores_full(m, line);
}

static void on_banner(struct modem *m, const char *line)
{
    if (m->state == MODEM_OPENING || m->state == MODEM_BACKOFF)
        return;
    if (modem_up(m) && !ladder_restarting(m))
        alarm_restarted(m);
    modem_request(m, MOVE_REPROBE, 500, "restarted by itself (%s)", line);
}

/* Positions: this is the port of the GPS receiver. One that is in use may share its line with it. */
static void on_position(struct modem *m, const char *line)
{
    (void)line;
    if (m->state == MODEM_PROBING && !*m->manufacturer)
        line_wrong_port(m, "gives GPS positions: not the AT port");
}

static void on_registration(struct modem *m, const char *line)
{
    if (registration_urc(m, line))
        modem_registered(m);
}

static const struct {
    const char *prefix;
    bool whole; /* the line is this and no more */
    void (*take)(struct modem *m, const char *line);
} codes[] = {
    {"+CMTI:", false, on_stored},
    {"+CDSI:", false, on_stored},
    {"+CREG:", false, on_registration},
    {"+CEREG:", false, on_registration},
    {"+CGREG:", false, on_registration},
    {"+CPIN:", false, pin_urc},
    {"^SIMST:", false, pin_notice},     /* Huawei */
    {"#QSS:", false, pin_notice},       /* Telit */
    {"+QSIMSTAT:", false, pin_notice},  /* Quectel */
    {"+QUSIM:", false, pin_notice},     /* Quectel */
    {"+UUSIMSTAT:", false, pin_notice}, /* u-blox */
    {"^SCKS:", false, pin_notice},      /* Cinterion */
    {"+SIMTRAY", false, pin_notice},    /* SIMCom */
    {"$G", false, on_position},
    {"+CUSD:", false, ussd_urc},
    {"+CME ERROR", false, ussd_urc}, /* the network's refusal of a USSD request (MC55i, E1752) */
    {"+CIEV:", false, on_indicator},
    {"^SMMEMFULL", false, stores_full},  /* Huawei */
    {"^SMGO:", false, stores_full},      /* Cinterion */
    {"+SMS FULL", false, stores_full},   /* A76xx */
    {"+ZSMMEMFULL", false, stores_full}, /* ZTE */
    {"RDY", true, on_banner},            /* SIMCom, Quectel */
    {"APP RDY", true, on_banner},        /* Quectel BG */
    {"^SYSSTART", false, on_banner},     /* Cinterion, Huawei modules */
    {"*EMRDY: 1", true, on_banner},      /* MBM */
    {"*ATREADY: 1", true, on_banner},    /* SIMCom 4G */
    {"+AT: READY", true, on_banner},     /* u-blox TOBY-L2 */
};

static void on_urc(void *owner, const struct at_urc *urc)
{
    struct modem *m = owner;

    m->last_exchange_ms = modem_now(m);
    wedge_line(m, urc->line);
    if (family_ready_sign(m, urc->line))
        script_hurry(m);
    if (family_banner(m, urc->line)) {
        on_banner(m, urc->line);
        return;
    }
    if (strncmp(urc->line, "+CMT:", 5) == 0 || strncmp(urc->line, "+CDS:", 5) == 0) {
        direct_urc(m, urc);
        return;
    }
    if (calls_urc(m, urc->line))
        return;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        size_t len = strlen(codes[i].prefix);
        if (strncmp(urc->line, codes[i].prefix, len) == 0 && (!codes[i].whole || !urc->line[len])) {
            codes[i].take(m, urc->line);
            return;
        }
    }
    if (!family_noise(m, urc->line))
        modem_log(debug, m, "ignored \"%s\"", urc->line);
}

static void on_late(void *owner, const char *line)
{
    send_late(owner, line);
}

static void on_dead(void *owner)
{
    modem_request(owner, MOVE_RECOVER, 0, "does not answer");
}

static const struct at_events chan_events = {.urc = on_urc, .late = on_late, .dead = on_dead};

static void on_chan_timer(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, chan_timer);

    m->pumping = true;
    at_tick(&m->chan, modem_now(m));
    m->pumping = false;
    line_pump(m);
}

/* ---- the port ---- */

static void on_opened(void *owner)
{
    struct modem *m = owner;

    family_guess(m);
    if (*m->conf->port)
        m->closed_since_ms = 0;
    modem_probe(m, m->user.spec);
    line_pump(m);
}

static void on_data(void *owner, const uint8_t *bytes, size_t len)
{
    struct modem *m = owner;

    if (m->traces)
        trace_bytes(m, TRACE_FROM, bytes, len);
    finder_heard(m, bytes, len);
    m->pumping = true;
    at_feed(&m->chan, bytes, len, modem_now(m));
    m->pumping = false;
    line_pump(m);
}

static void on_gone(void *owner, const struct err *why)
{
    finder_failed(owner, why);
}

static const struct port_events port_events = {.opened = on_opened, .data = on_data, .gone = on_gone};

int line_open(struct modem *m, const char *spec, struct err *e)
{
    struct port_conf conf = {.spec = spec, .baud = m->conf->baud, .flow_rtscts = m->conf->rtscts};

    if (finder_taken(m, spec))
        return err_set(e, ERR_BUSY, "%s: in use by another configured modem", spec);
    int status = m->ports->open(m->ports, &conf, &port_events, m, &m->port, e);
    if (status)
        m->port = NULL;
    else
        finder_opened(m, spec);
    return status;
}

void line_wrong_port(struct modem *m, const char *what)
{
    char why[CARRIER_TEXT_BYTES];

    script_stop(m);
    snprintf(why, sizeof(why), "%.60s %s", m->user.spec, what);
    finder_wrong_port(m, why);
    modem_request(m, *m->conf->port ? MOVE_BACK_OFF : MOVE_OPEN, 0, "%s", why);
}

/* The port goes first, so that nothing which the ending commands do reaches it. */
void line_close(struct modem *m)
{
    if (m->port)
        port_close(m->port);
    m->port = NULL;
    finder_closed(m);
    m->was_up = false;
    at_close(&m->chan, modem_now(m));
    line_pump(m);
}

void line_init(struct modem *m)
{
    at_init(&m->chan, &chan_events, m);
    m->chan_timer = (struct rt_timer){.fire = on_chan_timer, .at_ms = RT_NEVER};
    m->move_timer = (struct rt_timer){.fire = make_move, .at_ms = RT_NEVER};
}
