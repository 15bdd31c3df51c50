/* A statement that is put together for one use, of fixed pieces of SQL and bound values. Private to store/.
 *
 * No text of anybody's gets into the SQL itself: what is not one of our own string literals is a value.
 */
#ifndef SIMGATE_STORE_COMPOSE_H
#define SIMGATE_STORE_COMPOSE_H

#include "base/buf.h"
#include "store/private.h"
#include "store/query_desk.h"

enum { COMPOSE_ARGS = 24, COMPOSE_TEXTS = 4 };

/* {0} is empty. */
struct compose {
    struct buf sql;
    struct db_arg args[COMPOSE_ARGS];
    int n;
    struct buf texts[COMPOSE_TEXTS]; /* values that were made for it */
    int ntexts;
};
void compose_sql(struct compose *q, const char *sql);
/* A piece with one '?'. */
void compose_with(struct compose *q, const char *sql, struct db_arg arg);
/* Where `wanted`: the same. */
void compose_if(struct compose *q, bool wanted, const char *sql, struct db_arg arg);
/* An empty text that lives as long as q. */
struct buf *compose_text(struct compose *q);
/* A value that lives as long as q: what sorts behind all that begins with this prefix. */
const char *compose_behind(struct compose *q, const char *prefix);
/* A query of FTS5 for all of these words or beginnings of them; NULL: there is no word in it. */
const char *compose_words(struct compose *q, const char *text);
/* Reads all rows; each row: 0 or a negative code. Frees q. */
int compose_run(struct store_db *db, struct compose *q,
                int (*row)(struct store_db *db, sqlite3_stmt *st, void *to), void *to);

void compose_free(struct compose *q);

/* "+49 171/12" is a search for a number: its digits into out, with a '+' where there is one. */
bool compose_digits(const char *text, char out[64]);
static inline int page_limit(int limit)
{
    return limit < 1 ? 1 : limit > QUERY_PAGE_MAX ? QUERY_PAGE_MAX : limit;
}

#endif
