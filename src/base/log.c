/* Log lines: level, escaping, masking, sinks. Only the loop's thread comes here, so that its state and its
 * rotating buffers need no lock. Nothing fails: a line that is too long is cut. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mask.h"
#include "base/utf8.h"
#include "base/util.h"

enum {
    LINE_BYTES = 2048,
    ROTATION = 4,
    MASKED_BYTES = 64,
    TEXT_BYTES = 1024, /* of a message's text, at debug */
    HEAD_CHARS = 6,
    TAIL_CHARS = 3,
    HIDDEN_CHARS = 4,
    PERSONAL_DIGITS = 7, /* fewer are a short code */
    LIMIT_LINES = 5,
    LIMIT_WINDOW_MS = 10000,
};

static const struct {
    const char *name;
    enum log_level level;
} level_names[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
    {"info", LOG_INFO}, {"debug", LOG_DEBUG},
};

static void sink_stderr(enum log_level level, const char *who, const char *line);

static enum log_level current_level = LOG_INFO;
static log_sink current_sink = sink_stderr;
static struct mask *current_mask;

void log_set_level(enum log_level level)
{
    current_level = level;
}

enum log_level log_get_level(void)
{
    return current_level;
}

void log_set_sink(log_sink sink)
{
    current_sink = sink ? sink : sink_stderr;
}

static const char *level_name(enum log_level level)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
        if (level_names[i].level == level)
            return level_names[i].name;
    return "?";
}

static void sink_stderr(enum log_level level, const char *who, const char *line)
{
    struct timespec now;
    struct tm tm = {0};
    char stamp[32];

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm);
    fprintf(stderr, "%s.%03ld %-7s %s: %s\n", stamp, now.tv_nsec / 1000000, level_name(level), who, line);
}

void log_sink_journal(enum log_level level, const char *who, const char *line)
{
    fprintf(stderr, "<%d>%s: %s\n", (int)level, who, line);
}

/* C0, DEL, C1 and broken UTF-8: they could forge a line or drive the terminal of whoever reads the log. */
static bool is_unsafe(uint32_t cp, size_t bytes)
{
    return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || (cp == UTF8_REPLACEMENT && bytes == 1);
}

/* "\n", "\r", "\t" or "\x1B". Returns the bytes written. */
static size_t escape_byte(uint8_t byte, char out[8])
{
    static const char letters[] = {['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

    if (byte < sizeof letters && letters[byte] != '\0')
        return (size_t)snprintf(out, 8, "\\%c", letters[byte]);
    return (size_t)snprintf(out, 8, "\\x%02X", byte);
}

/* Copies text, its unsafe characters escaped; a cut is shown by "…". */
static void escape(const char *text, char *out, size_t size)
{
    static const char cut[] = "…";
    size_t len = strlen(text), used = 0;

    for (size_t at = 0; at < len;) {
        const char *piece = text + at;
        size_t start = at;
        uint32_t cp = utf8_next(text, len, &at);
        size_t bytes = at - start;
        char escaped[8];

        if (is_unsafe(cp, bytes)) {
            bytes = escape_byte((uint8_t)text[at - 1], escaped);
            piece = escaped;
        }
        if (used + bytes + sizeof cut > size) {
            memcpy(out + used, cut, sizeof cut - 1);
            used += sizeof cut - 1;
            break;
        }
        memcpy(out + used, piece, bytes);
        used += bytes;
    }
    out[used] = '\0';
}

void log_write(enum log_level level, const char *who, const char *fmt, ...)
{
    char raw[LINE_BYTES], line[LINE_BYTES];
    va_list ap;

    if (level > current_level)
        return;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    escape(raw, line, sizeof line);
    current_sink(level, who, line);
}

static size_t count_digits(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text >= '0' && *text <= '9';
    return count;
}

/* Bytes of the first `chars` characters. */
static size_t chars_bytes(const char *text, size_t len, size_t chars)
{
    size_t at = 0;

    while (chars-- > 0 && at < len)
        utf8_next(text, len, &at);
    return at;
}

const char *log_number(const char *number)
{
    static char rotation[ROTATION][MASKED_BYTES];
    static unsigned next;
    char *out = rotation[next++ % ROTATION];
    size_t len, chars, head, tail_at;

    if (!number)
        return "-";
    len = strlen(number);
    chars = utf8_count(number, len);
    if (current_level >= LOG_DEBUG || (count_digits(number) < PERSONAL_DIGITS && chars < MASKED_BYTES / 4)) {
        str_copy(out, MASKED_BYTES, number);
        return out;
    }
    head = chars > TAIL_CHARS + HIDDEN_CHARS ? chars - TAIL_CHARS - HIDDEN_CHARS : 0;
    head = chars_bytes(number, len, head < HEAD_CHARS ? head : HEAD_CHARS);
    tail_at = chars_bytes(number, len, chars > TAIL_CHARS ? chars - TAIL_CHARS : 0);
    snprintf(out, MASKED_BYTES, "%.*s…%s", (int)head, number, number + tail_at);
    return out;
}

const char *log_text(const char *utf8)
{
    static char rotation[ROTATION][TEXT_BYTES];
    static unsigned next;
    char *out = rotation[next++ % ROTATION];

    if (!utf8)
        return "-";
    if (current_level >= LOG_DEBUG)
        snprintf(out, TEXT_BYTES, "\"%s\"", log_masked(utf8));
    else
        snprintf(out, TEXT_BYTES, "(%zu characters)", utf8_count(utf8, strlen(utf8)));
    return out;
}

void log_set_mask(struct mask *m)
{
    current_mask = m;
}

const char *log_masked(const char *utf8)
{
    static char rotation[ROTATION][TEXT_BYTES];
    static unsigned next;
    char *out = rotation[next++ % ROTATION];
    struct buf masked = {0};
    bool hidden = mask_text(current_mask, utf8, strlen(utf8), &masked) > 0;

    str_copy(out, TEXT_BYTES, hidden ? buf_str(&masked) : utf8);
    buf_free(&masked);
    return out;
}

bool log_limit_pass(struct log_limit *l, int64_t now_ms, unsigned *left_out)
{
    *left_out = 0;
    if (l->in_window == 0 || now_ms - l->window_start_ms >= LIMIT_WINDOW_MS) {
        *left_out = l->left_out;
        *l = (struct log_limit){.window_start_ms = now_ms};
    }
    if (l->in_window >= LIMIT_LINES) {
        l->left_out++;
        return false;
    }
    l->in_window++;
    return true;
}
