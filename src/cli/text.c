/* Output for people. What a customer wrote may hold anything: an escape sequence in a text message must not
 * reach an administrator's terminal (ECMA-48 controls; Unicode bidirectional controls, UAX 9). */
#include "cli/text.h"

#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/utf8.h"
#include "base/util.h"

enum { MIN_LAST_COLUMN = 10, GAP = 2, ROTATION = 16, TEXT_BYTES = 40, LABEL_WIDTH = 15 };

static const char *const codes[] = {
    [PLAIN] = "",         [BOLD] = "\033[1m",    [DIM] = "\033[2m",  [RED] = "\033[31m",
    [GREEN] = "\033[32m", [YELLOW] = "\033[33m", [CYAN] = "\033[36m"};

static bool colours;
static int width;

void text_set(bool with_colours, int width_columns)
{
    colours = with_colours;
    width = width_columns;
}

void text_init(void)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    struct winsize size = {0};
    bool terminal = isatty(STDOUT_FILENO);

    /* wcwidth() needs a UTF-8 locale, whatever the user's is: all text here is UTF-8. */
    setlocale(LC_CTYPE, "C.UTF-8");
    if (terminal)
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    text_set(terminal && !(no_color && *no_color) && !(term && !strcmp(term, "dumb")),
             terminal ? size.ws_col : 0);
}

int text_terminal_width(void)
{
    return width;
}

/* ---- harmless text ---- */

static bool is_harmful(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0x061C || cp == 0x200E || cp == 0x200F ||
           cp == 0x2028 || cp == 0x2029 || (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069);
}

void text_safe(struct buf *out, const char *text, bool lines)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len;) {
        uint32_t cp = utf8_next(text, len, &at);
        char bytes[4];

        if (cp == '\n')
            buf_adds(out, lines ? "\n" : "⏎");
        else if (cp == '\r' && at < len && text[at] == '\n')
            continue;
        else if (cp == '\t')
            buf_addc(out, ' ');
        else if (is_harmful(cp))
            buf_addf(out, cp < 0x100 ? "\\x%02x" : "\\u%04x", cp);
        else
            buf_add(out, bytes, utf8_put(cp, bytes));
    }
}

static int columns_of(uint32_t cp)
{
    int n = wcwidth((wchar_t)cp);

    return n < 0 ? 1 : n;
}

int text_width(const char *text)
{
    size_t len = strlen(text);
    int columns = 0;

    for (size_t at = 0; at < len;)
        columns += columns_of(utf8_next(text, len, &at));
    return columns;
}

void text_cut(struct buf *out, const char *text, int width_columns)
{
    size_t len = strlen(text), at = 0;
    int columns = 0;

    if (text_width(text) <= width_columns) {
        buf_adds(out, text);
        return;
    }
    while (at < len) {
        size_t start = at;
        int n = columns_of(utf8_next(text, len, &at));

        if (columns + n > width_columns - 1)
            break;
        columns += n;
        buf_add(out, text + start, at - start);
    }
    buf_adds(out, "…");
}

/* ---- lines ---- */

static void put(enum colour colour, const char *text)
{
    bool coloured = colours && colour != PLAIN && *text;

    printf("%s%s%s", coloured ? codes[colour] : "", text, coloured ? "\033[0m" : "");
}

void say(enum colour colour, const char *fmt, ...)
{
    char *line = NULL;
    struct buf safe = {0};
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&line, fmt, args) < 0)
        abort();
    va_end(args);
    text_safe(&safe, line, true);
    put(colour, buf_str(&safe));
    putchar('\n');
    buf_free(&safe);
    free(line);
}

void say_field(const char *label, const char *value)
{
    struct buf safe = {0};

    if (!value || !*value)
        return;
    text_safe(&safe, value, false);
    printf("%-*s  %s\n", LABEL_WIDTH, label, buf_str(&safe));
    buf_free(&safe);
}

static char *rotating(void)
{
    static char texts[ROTATION][TEXT_BYTES];
    static unsigned next;

    return texts[next++ % ROTATION];
}

const char *member_text(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    char *digits;

    if (json_is_string(v))
        return json_string_value(v);
    if (!json_is_number(v))
        return "";
    digits = rotating();
    if (json_is_integer(v))
        snprintf(digits, TEXT_BYTES, "%lld", (long long)json_integer_value(v));
    else
        snprintf(digits, TEXT_BYTES, "%.1f", json_real_value(v));
    return digits;
}

const char *member_time(const json_t *object, const char *name)
{
    const char *text = member_text(object, name);
    char *out = rotating();
    int64_t wall_ms;
    time_t at, now = time(NULL);
    struct tm local, today;

    if (!*text || !wall_from_text(text, 0, &wall_ms))
        return text;
    at = (time_t)(wall_ms / 1000);
    localtime_r(&at, &local);
    localtime_r(&now, &today);
    strftime(out, TEXT_BYTES,
             local.tm_year == today.tm_year && local.tm_yday == today.tm_yday ? "%H:%M:%S"
                                                                              : "%Y-%m-%d %H:%M:%S",
             &local);
    return out;
}

enum colour state_colour(const char *state)
{
    static const struct {
        const char *state;
        enum colour colour;
    } table[] = {{"delivered", GREEN}, {"sent", GREEN},     {"ready", GREEN}, {"failed", RED},
                 {"undelivered", RED}, {"expired", RED},    {"locked", RED},  {"absent", RED},
                 {"backoff", YELLOW},  {"unknown", YELLOW}, {"queued", CYAN}, {"submitting", CYAN},
                 {"cancelled", DIM},   {"disabled", DIM}};

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (!strcmp(table[i].state, state))
            return table[i].colour;
    return PLAIN;
}

/* ---- tables ---- */

void table_begin(struct table *t, const struct column *columns, int count)
{
    *t = (struct table){.columns = columns, .count = count};
}

void table_cell(struct table *t, enum colour colour, const char *text)
{
    struct buf safe = {0};

    if (t->ncells == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cells = realloc(t->cells, t->cap * sizeof *t->cells);
        t->colours = realloc(t->colours, t->cap * sizeof *t->colours);
        if (!t->cells || !t->colours)
            abort();
    }
    buf_adds(&safe, "");
    text_safe(&safe, text ? text : "", false);
    t->cells[t->ncells] = strdup(buf_str(&safe));
    t->colours[t->ncells++] = colour;
    buf_free(&safe);
}

static void measure(const struct table *t, int *widths)
{
    for (int i = 0; i < t->count; i++)
        widths[i] = text_width(t->columns[i].title);
    for (size_t i = 0; i < t->ncells; i++) {
        int w = text_width(t->cells[i]), *column = &widths[i % (size_t)t->count];

        if (w > *column)
            *column = w;
    }
}

/* What is left for the last column; 0 = as wide as it wants. */
static int last_width(const struct table *t, const int *widths)
{
    int left = width;

    if (!width)
        return 0;
    for (int i = 0; i < t->count - 1; i++)
        left -= widths[i] + GAP;
    return left > MIN_LAST_COLUMN ? left : MIN_LAST_COLUMN;
}

/* `owed`: blanks that stand before the next text, if one comes. */
static void put_cell(const struct table *t, const int *widths, int column, enum colour colour,
                     const char *text, int *owed)
{
    bool last = column == t->count - 1;
    int blanks = widths[column] - text_width(text), most = last ? last_width(t, widths) : 0;
    struct buf cut = {0};

    if (most)
        text_cut(&cut, text, most);
    else
        buf_adds(&cut, text);
    if (t->columns[column].right)
        *owed += blanks;
    if (*text) {
        printf("%*s", *owed, "");
        put(colour, buf_str(&cut));
        *owed = 0;
    }
    *owed += GAP + (t->columns[column].right ? 0 : blanks);
    if (last) {
        putchar('\n');
        *owed = 0;
    }
    buf_free(&cut);
}

void table_print(struct table *t)
{
    int *widths = calloc((size_t)t->count, sizeof *widths), owed = 0;

    if (!widths)
        abort();
    measure(t, widths);
    for (int i = 0; i < t->count && t->ncells > 0; i++)
        put_cell(t, widths, i, BOLD, t->columns[i].title, &owed);
    for (size_t i = 0; i < t->ncells; i++) {
        put_cell(t, widths, (int)(i % (size_t)t->count), t->colours[i], t->cells[i], &owed);
        free(t->cells[i]);
    }
    free(t->cells);
    free(t->colours);
    free(widths);
    *t = (struct table){0};
}
