/* Statements put together of fixed pieces and values: see compose.h. */
#include "store/compose.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

void compose_sql(struct compose *q, const char *sql)
{
    buf_adds(&q->sql, sql);
}

void compose_with(struct compose *q, const char *sql, struct db_arg arg)
{
    assert(q->n < COMPOSE_ARGS);
    buf_adds(&q->sql, sql);
    q->args[q->n++] = arg;
}

void compose_if(struct compose *q, bool wanted, const char *sql, struct db_arg arg)
{
    if (wanted)
        compose_with(q, sql, arg);
}

struct buf *compose_text(struct compose *q)
{
    assert(q->ntexts < COMPOSE_TEXTS);
    return &q->texts[q->ntexts++];
}

const char *compose_behind(struct compose *q, const char *prefix)
{
    struct buf *b = compose_text(q);

    buf_adds(b, prefix);
    buf_adds(b, "\xF4\x8F\xBF\xBF"); /* U+10FFFF */
    return buf_str(b);
}

static bool is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 0x80)
            return true;
    return false;
}

const char *compose_words(struct compose *q, const char *text)
{
    struct buf *b = compose_text(q);

    while (*text) {
        size_t len = strcspn(text, " \t\r\n");

        if (is_word(text, len)) {
            buf_adds(b, b->len ? " \"" : "\"");
            for (size_t i = 0; i < len; i++) {
                if (text[i] == '"')
                    buf_addc(b, '"');
                buf_addc(b, text[i]);
            }
            buf_adds(b, "\"*");
        }
        text += len + (text[len] != '\0');
    }
    return b->len ? buf_str(b) : NULL;
}

bool compose_digits(const char *text, char out[64])
{
    size_t n = 0;

    for (; *text; text++) {
        if (isdigit((unsigned char)*text) || (*text == '+' && n == 0)) {
            if (n < 63)
                out[n++] = *text;
        } else if (!strchr(" -/().", *text)) {
            return false;
        }
    }
    out[n] = '\0';
    return n > 0;
}

int compose_run(struct store_db *db, struct compose *q,
                int (*row)(struct store_db *db, sqlite3_stmt *st, void *to), void *to)
{
    sqlite3_stmt *st = NULL;
    int rc = db_once(db, buf_str(&q->sql), q->args, q->n, &st);

    if (rc == ERR_OK)
        while ((rc = db_step(db, st)) > 0)
            if ((rc = row(db, st, to)) < 0)
                break;
    sqlite3_finalize(st);
    compose_free(q);
    return rc;
}

void compose_free(struct compose *q)
{
    buf_free(&q->sql);
    for (int i = 0; i < q->ntexts; i++)
        buf_free(&q->texts[i]);
    *q = (struct compose){0};
}
