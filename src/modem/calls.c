/* Calls that come in. A gateway does not talk: a call is told upward once, when it is over, and perhaps hung
 * up before that.
 *
 *   RING, +CRING -> +CLIP -> RING … -> NO CARRIER, or silence -> told
 *
 * Rings of one call come 2 to 6 s apart; one whose caller is not told within CLIP_WAIT_MS is of an unknown
 * caller. Hanging up is queued as any command: what is on the air ends undisturbed first. Nothing here is
 * lost by the modem's going away: what rang until then is told.
 */
#include "modem/calls.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum {
    CLIP_WAIT_MS = 3000, /* from the first ring; +CLIP follows at once where it comes at all */
    RING_GAP_MS = 8000,  /* no ring for so long: over */
    OVER_MS = 1000,      /* behind NO CARRIER: MISSED_CALL may still come */
    SAME_CALL_MS = 10000,
    HANG_UPS_MAX = 3, /* tries: CHUP, ATH and once more */
    INTERNATIONAL = 145,
    CLI_WITHHELD = 1, /* TS 27.007 7.6 <CLI validity>; 2: the network does not know it */
    CLI_UNKNOWN = 2,
};

/* ---- lines ---- */

/* "002B0034…": the modem ignores AT+CSCS="GSM". */
static void from_ucs2(char *text, size_t size)
{
    uint8_t octets[4 * NUMBER_BYTES];
    int n = strlen(text) % 4 == 0 && strncmp(text, "00", 2) == 0
                ? hex_decode(text, strlen(text), octets, sizeof(octets))
                : -1;

    if (n <= 0 || (size_t)n / 2 >= size)
        return;
    for (int i = 0; i < n; i += 2) {
        if (octets[i] != 0 || !strchr("+0123456789*#", octets[i + 1]) || !octets[i + 1])
            return;
    }
    for (int i = 0; i < n; i += 2)
        text[i / 2] = (char)octets[i + 1];
    text[n / 2] = '\0';
}

static void take_number(const char *digits, bool international, struct calls_caller *out)
{
    bool good = strlen(digits) + 2 <= sizeof(out->number) &&
                strspn(digits + (*digits == '+'), "0123456789*#") == strlen(digits + (*digits == '+'));

    if (good)
        snprintf(out->number, sizeof(out->number), "%s%s", international && *digits != '+' ? "+" : "",
                 digits);
}

bool calls_read_clip(const char *line, struct calls_caller *out)
{
    struct at_cur c = at_cur_after(line, "+CLIP:");
    char text[4 * NUMBER_BYTES];
    int64_t type = 0, validity = -1;

    *out = (struct calls_caller){0};
    if (!at_cur_string(&c, text, sizeof(text)))
        return false;
    from_ucs2(text, sizeof(text));
    at_cur_number(&c, &type);
    /* subaddr, satype, alpha */
    if (at_cur_skip(&c) && at_cur_skip(&c) && at_cur_skip(&c))
        at_cur_number(&c, &validity);
    if (*text)
        take_number(text, type == INTERNATIONAL, out);
    out->withheld = validity == CLI_WITHHELD || (!*text && validity != CLI_UNKNOWN);
    return true;
}

bool calls_read_missed(const char *line, struct calls_caller *out)
{
    const char *last = strrchr(line, ' ');

    *out = (struct calls_caller){0};
    if (strncmp(line, "MISSED_CALL:", 12) != 0 || !last)
        return false;
    take_number(last + 1, false, out);
    return true;
}

/* ---- telling ---- */

static void tell(struct modem *m)
{
    struct calls *s = &m->calls;
    struct carrier_call call = {.from = s->caller.number,
                                .withheld = s->caller.withheld,
                                .rejected = s->rejected,
                                .rings = s->rings,
                                .began_wall_ms = s->began_wall_ms};

    rt_timer_stop(m->rt, &s->timer);
    s->ringing = false;
    s->told_ms = modem_now(m);
    modem_log(info, m, "call from=%s rings=%d%s", *call.from ? log_number(call.from) : "unknown", call.rings,
              call.rejected ? " rejected" : "");
    if (m->carrier.up && m->carrier.up->call)
        m->carrier.up->call(m->carrier.up_owner, &m->carrier, &call);
}

void calls_over(struct modem *m)
{
    if (m->calls.ringing)
        tell(m);
}

/* ---- hanging up ---- */

static void hang_up(struct modem *m);

/* AT+CHUP ends calls of any kind; where it is not known or does nothing, ATH. */
static void hung_up(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    struct calls *s = &m->calls;

    s->hanging_up = false;
    line_result(m, r);
    if (r->code == AT_CLOSED)
        return;
    if (r->code == AT_OK || r->code == AT_NO_CARRIER)
        s->rejected = s->rejected || s->ringing;
    else if (s->hang_ups == 1)
        hang_up(m);
}

static void hang_up(struct modem *m)
{
    struct calls *s = &m->calls;

    if (m->conf->calls != MODEM_CALLS_REJECT || s->hanging_up || s->hang_ups == HANG_UPS_MAX)
        return;
    s->cmd = (struct at_cmd){.cls = AT_SIM, .done = hung_up};
    str_copy(s->cmd.text, sizeof(s->cmd.text), s->hang_ups == 0 ? "AT+CHUP" : "ATH");
    s->hang_ups++;
    s->hanging_up = line_send(m, &s->cmd, true) == 0;
}

/* ---- a call's course ---- */

static void begin(struct modem *m)
{
    struct calls *s = &m->calls;

    s->ringing = true;
    s->caller_known = s->rejected = false;
    s->caller = (struct calls_caller){0};
    s->rings = 0;
    s->hang_ups = 0;
    s->began_ms = modem_now(m);
    s->began_wall_ms = rt_wall_ms(m->rt);
}

/* The wait for the caller's number comes first, then that for the next ring. */
static void arm(struct modem *m, int64_t over_ms)
{
    struct calls *s = &m->calls;
    int64_t at_ms = modem_now(m) + over_ms;

    s->over_ms = at_ms;
    if (!s->caller_known && s->hang_ups == 0 && s->began_ms + CLIP_WAIT_MS < at_ms)
        at_ms = s->began_ms + CLIP_WAIT_MS;
    rt_timer_at(m->rt, &s->timer, at_ms);
}

static void on_timer(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, calls.timer);
    struct calls *s = &m->calls;

    if (modem_now(m) >= s->over_ms) {
        calls_over(m);
        return;
    }
    s->caller_known = true; /* as unknown */
    hang_up(m);
    rt_timer_at(m->rt, &s->timer, s->over_ms);
}

static void on_ring(struct modem *m, const char *line)
{
    struct calls *s = &m->calls;

    (void)line;
    if (!s->ringing)
        begin(m);
    s->rings++;
    if (s->caller_known && s->hang_ups > 0)
        hang_up(m); /* it rings on */
    arm(m, RING_GAP_MS);
}

static void on_clip(struct modem *m, const char *line)
{
    struct calls *s = &m->calls;
    struct calls_caller caller;

    if (!calls_read_clip(line, &caller))
        return;
    bool another = s->ringing && s->caller_known && *s->caller.number && *caller.number &&
                   strcmp(s->caller.number, caller.number) != 0;
    if (another)
        calls_over(m);
    if (!s->ringing)
        on_ring(m, line); /* some tell the number only */
    s->caller = caller;
    s->caller_known = true;
    hang_up(m);
    arm(m, RING_GAP_MS);
}

static void on_missed(struct modem *m, const char *line)
{
    struct calls *s = &m->calls;
    struct calls_caller caller;

    if (!calls_read_missed(line, &caller) ||
        (!s->ringing && s->told_ms && modem_now(m) - s->told_ms < SAME_CALL_MS))
        return;
    if (!s->ringing)
        begin(m);
    if (!*s->caller.number)
        s->caller = caller;
    calls_over(m);
}

static void on_end(struct modem *m, const char *line)
{
    (void)line;
    if (m->calls.ringing) {
        m->calls.caller_known = true;
        arm(m, OVER_MS);
    }
}

static const struct {
    const char *prefix;
    bool whole;
    void (*take)(struct modem *m, const char *line);
} codes[] = {
    {"RING", true, on_ring},      {"+CRING:", false, on_ring},
    {"+CLIP:", false, on_clip},   {"MISSED_CALL:", false, on_missed}, /* SIMCom */
    {"NO CARRIER", true, on_end}, {"VOICE CALL: END", false, on_end}, /* SIMCom */
    {"^CEND:", false, on_end},                                        /* Huawei */
};

bool calls_urc(struct modem *m, const char *line)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        size_t len = strlen(codes[i].prefix);
        if (strncmp(line, codes[i].prefix, len) != 0 || (codes[i].whole && line[len]))
            continue;
        if (m->conf->calls != MODEM_CALLS_IGNORE)
            codes[i].take(m, line);
        return true;
    }
    return false;
}

void calls_init(struct modem *m)
{
    m->calls.timer = (struct rt_timer){.fire = on_timer, .at_ms = RT_NEVER};
}

/* Steps of the initialisation: refused by data-only modems, which have no calls. */
bool calls_make_clip(struct modem *m, char *text, size_t size)
{
    return m->conf->calls != MODEM_CALLS_IGNORE && str_copy(text, size, "AT+CLIP=1");
}

bool calls_make_crc(struct modem *m, char *text, size_t size)
{
    return m->conf->calls != MODEM_CALLS_IGNORE && str_copy(text, size, "AT+CRC=1");
}
