/* Bytes to lines and prompts.
 *
 * A line ends with CR, LF, or any mix of them (V.250 5.7.1 lets S3 and S4 be changed; SIMCom sends CR CR LF),
 * or with 0x1A, which is the end of echoed data. Empty lines do not exist. NUL (line noise, power-up) and ESC
 * (echoed) are skipped wherever they stand; spaces around a line are removed.
 *
 * A prompt has no line end: it is told as soon as '>' stands at a line's beginning, but only while one is
 * awaited; at other times '>' is the first byte of a line like any other.
 */
#include "at/internal.h"

void at_framer_reset(struct at_framer *f)
{
    f->len = 0;
    f->cut_bytes = 0;
}

static void add(struct at_framer *f, const uint8_t *bytes, size_t len)
{
    size_t room = AT_LINE_BYTES - f->len;

    if (len > room) {
        f->cut_bytes += len - room;
        len = room;
    }
    memcpy(f->line + f->len, bytes, len);
    f->len += len;
}

/* The token that a line end completes. The text stays in `line`; the next line begins at its start. */
static enum at_token end_line(struct at_framer *f)
{
    enum at_token token = f->cut_bytes ? AT_TOKEN_OVERLONG : AT_TOKEN_LINE;
    size_t len = f->len;

    while (len > 0 && f->line[len - 1] == ' ')
        len--;
    f->line[len] = '\0';
    at_framer_reset(f);
    return len == 0 ? AT_TOKEN_NONE : token;
}

static bool prompt_here(const struct at_framer *f, const char *echo)
{
    if (!echo)
        return false;
    return f->len == 0 || (f->len == strlen(echo) && memcmp(f->line, echo, f->len) == 0);
}

/* Bytes from 0x20 on are ordinary but for leading spaces and a prompt; returns how many were used. */
static size_t take_text(struct at_framer *f, const uint8_t *bytes, size_t len, const char *echo,
                        enum at_token *token)
{
    size_t n = 0;

    if (f->len == 0) {
        while (n < len && bytes[n] == ' ')
            n++;
        if (n > 0)
            return n;
    }
    if (echo && bytes[0] == '>' && prompt_here(f, echo)) {
        at_framer_reset(f);
        *token = AT_TOKEN_PROMPT;
        return 1;
    }
    while (n < len && bytes[n] >= ' ' && !(echo && n > 0 && bytes[n] == '>'))
        n++;
    add(f, bytes, n);
    return n;
}

size_t at_framer_take(struct at_framer *f, const uint8_t *bytes, size_t len, const char *echo,
                      enum at_token *token)
{
    size_t i = 0;

    *token = AT_TOKEN_NONE;
    while (i < len && *token == AT_TOKEN_NONE) {
        uint8_t b = bytes[i];
        if (b >= ' ')
            i += take_text(f, bytes + i, len - i, echo, token);
        else if (b == '\r' || b == '\n' || b == AT_CTRL_Z) {
            i++;
            *token = end_line(f);
        } else {
            i++;
            if (b != '\0' && b != AT_ESC)
                add(f, &b, 1);
        }
    }
    return i;
}

const char *at_framer_tail(struct at_framer *f)
{
    f->line[f->len] = '\0';
    return f->line;
}
