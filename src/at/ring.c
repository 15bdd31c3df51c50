/* The last exchanges of a channel, for a person who wants to know why. PDUs are shortened, PINs and passwords
 * left out: what is remembered here ends up in logs. */
#include <ctype.h>
#include <stdio.h>

#include "at/internal.h"
#include "base/util.h"

enum {
    PDU_DIGITS = 40, /* hex of this length or longer is a PDU … */
    PDU_SHOWN = 16,  /* … of which so much is kept: SMSC, or the first octets */
};

/* Commands whose arguments are secrets (TS 27.007 8.3, 7.4, 7.5). */
static const char *const secret[] = {"AT+CPIN=", "AT+CLCK=", "AT+CPWD="};

static size_t hex_run(const char *p)
{
    size_t n = 0;

    while (isxdigit((unsigned char)p[n]))
        n++;
    return n;
}

static void put(char out[AT_RING_LINE_BYTES], const char *line)
{
    size_t at = strlen(out);

    while (*line && at + 24 < AT_RING_LINE_BYTES) {
        size_t run = hex_run(line);
        if (run >= PDU_DIGITS) {
            at += (size_t)snprintf(out + at, AT_RING_LINE_BYTES - at, "%.*s..%zu", PDU_SHOWN, line, run);
            line += run;
        } else {
            size_t n = run ? run : 1;
            if (n > AT_RING_LINE_BYTES - 24 - at)
                n = AT_RING_LINE_BYTES - 24 - at;
            for (size_t i = 0; i < n; i++)
                out[at++] = isprint((unsigned char)line[i]) ? line[i] : '?';
            line += n;
        }
    }
    out[at] = '\0';
    if (*line)
        snprintf(out + at, AT_RING_LINE_BYTES - at, "..%zu", strlen(line));
}

void at_ring_add(struct at_ring *r, char mark, const char *line)
{
    char *out = r->lines[r->written++ % AT_RING_LINES];

    snprintf(out, AT_RING_LINE_BYTES, "%c ", mark);
    for (size_t i = 0; i < ARRAY_LEN(secret); i++) {
        if (at_starts(line, secret[i])) {
            snprintf(out + 2, AT_RING_LINE_BYTES - 2, "%s...", secret[i]);
            return;
        }
    }
    put(out, line);
}

void at_dump(const struct at_chan *ch, struct buf *out)
{
    const struct at_ring *r = &ch->ring;
    unsigned first = r->written > AT_RING_LINES ? r->written - AT_RING_LINES : 0;

    for (unsigned i = first; i != r->written; i++) {
        buf_adds(out, r->lines[i % AT_RING_LINES]);
        buf_addc(out, '\n');
    }
}
