/* The other ports of a simulated stick; see simside.h. V.250 as far as a dial-up port needs it, and what a
 * host hears that opened a port by mistake. Nothing here fails.
 */
#include "hw/sim/simside.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "hw/sim/personality.h"

enum { LINE_BYTES = 256, IMEI_BYTES = 20, NMEA_MS = 1000, BACKLOG_BYTES = 1024, HDLC_FLAG = 0x7E };

struct simside {
    enum simside_kind kind;
    char imei[IMEI_BYTES];
    char line[LINE_BYTES];
    size_t line_len;
    bool echo;
    int64_t nmea_at_ms;
    struct buf out;
};

const struct simside_usb *simside_usb_of(const char *personality)
{
    const struct personality *p = personality_row(personality);
    return p ? &p->usb : NULL;
}

struct simside *simside_new(enum simside_kind kind, const char *imei, int64_t now_ms)
{
    struct simside *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->kind = kind;
    s->echo = true;
    str_copy(s->imei, sizeof(s->imei), imei);
    s->nmea_at_ms = kind == SIMSIDE_GPS ? now_ms + NMEA_MS : INT64_MAX;
    return s;
}

void simside_free(struct simside *s)
{
    if (!s)
        return;
    buf_free(&s->out);
    free(s);
}

enum simside_kind simside_kind_of(const struct simside *s)
{
    return s->kind;
}

static void reply(struct simside *s, const char *info, const char *result)
{
    if (info)
        buf_addf(&s->out, "\r\n%s\r\n", info);
    buf_addf(&s->out, "\r\n%s\r\n", result);
}

static void run(struct simside *s, const char *command)
{
    static const char *const known[] = {"",    "E0",  "E1", "V1", "Q0",      "Z",       "&F",
                                        "&C1", "&D2", "H",  "X4", "+CMEE=1", "+CGREG=0"};
    if (s->kind == SIMSIDE_AUX) {
        reply(s, NULL, *command ? "ERROR" : "OK");
        return;
    }
    if (strcasecmp(command, "E0") == 0 || strcasecmp(command, "E1") == 0)
        s->echo = command[1] == '1';
    if (strcasecmp(command, "+CGSN") == 0) {
        reply(s, s->imei, "OK");
        return;
    }
    if (strcasecmp(command, "+CGMI") == 0 || strcasecmp(command, "+CGMM") == 0) {
        reply(s, "data port", "OK");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcasecmp(command, known[i]) == 0) {
            reply(s, NULL, "OK");
            return;
        }
    }
    reply(s, NULL, "ERROR");
}

static void command_byte(struct simside *s, char c)
{
    if (s->echo)
        buf_addc(&s->out, c);
    if (c == '\n' || c == '\0')
        return;
    if (c != '\r') {
        if (s->line_len + 1 < sizeof(s->line))
            s->line[s->line_len++] = c;
        return;
    }
    s->line[s->line_len] = '\0';
    s->line_len = 0;
    if (strncasecmp(s->line, "AT", 2) == 0)
        run(s, s->line + 2);
}

/* A diagnostics port speaks frames between flags: it answers a frame of its own, and text with nothing. */
static void diag_byte(struct simside *s, char c)
{
    static const char bad_command[] = {0x13, 0x7D, 0x5E, (char)0xD2, 0x7A, HDLC_FLAG};
    if (c == HDLC_FLAG)
        buf_add(&s->out, bad_command, sizeof(bad_command));
}

void simside_feed(struct simside *s, const void *bytes, size_t len, int64_t now_ms)
{
    const char *p = bytes;
    simside_tick(s, now_ms);
    for (size_t i = 0; i < len && s->out.len < BACKLOG_BYTES; i++) {
        switch (s->kind) {
        case SIMSIDE_AT:
        case SIMSIDE_DATA:
        case SIMSIDE_AUX:
            command_byte(s, p[i]);
            break;
        case SIMSIDE_DIAG:
            diag_byte(s, p[i]);
            break;
        case SIMSIDE_GPS:
            break;
        }
    }
}

void simside_tick(struct simside *s, int64_t now_ms)
{
    static const char nmea[] = "$GPGGA,,,,,,0,,,,,,,,*66\r\n$GPRMC,,V,,,,,,,,,,N*53\r\n";
    if (now_ms < s->nmea_at_ms)
        return;
    s->nmea_at_ms = now_ms + NMEA_MS;
    if (s->out.len < BACKLOG_BYTES)
        buf_adds(&s->out, nmea);
}

int64_t simside_deadline(const struct simside *s)
{
    return s->nmea_at_ms;
}

struct buf *simside_out(struct simside *s)
{
    return &s->out;
}
