/* One connection to the database: prepared statements, bound values, errors in our words. Private to store/.
 *
 * A connection is used by one thread at a time. Statements are prepared once per connection and found again
 * by the address of their text, so a text is a `static const char NAME[]` of the file that uses it.
 */
#ifndef SIMGATE_STORE_DB_H
#define SIMGATE_STORE_DB_H

#include <sqlite3.h>

#include "base/err.h"
#include "store/figures_private.h"
#include "store/types.h"

/* So many ids make an era. */
enum { MSG_ERA = 16384 };
#define MSG_ERA_SQL "16384"

enum { DB_STATEMENTS = 512 }; /* slots of the cache, a power of two */

enum { DB_BUSY_MS = 2000 }; /* a connection waits so long for another one */

struct store_db {
    sqlite3 *h;
    char *path;
    struct err *err;          /* of the operation under way; never NULL */
    struct err own_err;       /* where no operation is */
    const char *const *sinks; /* borrowed from the store; NULL none */
    int64_t next_outbox;
    int64_t next_conversation;
    int64_t message_floor;       /* ids up to it were given, whether their messages are there still or not */
    unsigned wanted;             /* events that somebody wants: bits 1 << enum desk_event */
    bool made_work;              /* this transaction stored an event or a delivery */
    bool erased;                 /* this transaction ended an erasure */
    int64_t delta[MSG_STATES];   /* messages by state: what this transaction adds to the tally */
    struct figure_tally figures; /* what it adds to the figures */
    const struct zone *_Atomic *zone; /* the store's, in whose days they are counted; NULL: UTC */
    struct {
        const char *sql;
        sqlite3_stmt *st;
    } cache[DB_STATEMENTS];
};

/* flags of sqlite3_open_v2. On failure the connection is closed. */
int db_open(struct store_db *db, const char *path, int flags, struct err *e);
/* Without checkpoint when the file is to stay as it is. */
void db_close(struct store_db *db, bool checkpoint);
/* The code of ours for what the connection's last call returned. */
int db_code(struct store_db *db);
/* The same, with the text put into the operation's error. */
int db_fail(struct store_db *db, const char *what);
/* Statements that are run once: pragmas, schema. */
int db_script(struct store_db *db, const char *sql);

struct db_arg {
    enum { DB_INT, DB_TEXT, DB_BLOB, DB_NULL } type;
    int64_t i; /* the number; the length of a blob */
    const void *p;
};
static inline struct db_arg db_int(int64_t i)
{
    return (struct db_arg){.type = DB_INT, .i = i};
}
/* Borrowed until the statement has ended. NULL is "". */
static inline struct db_arg db_text(const char *s)
{
    return (struct db_arg){.type = DB_TEXT, .p = s ? s : ""};
}
static inline struct db_arg db_text_or_null(const char *s)
{
    return (struct db_arg){.type = s ? DB_TEXT : DB_NULL, .p = s};
}
static inline struct db_arg db_int_or_null(int64_t i, int64_t null_value)
{
    return (struct db_arg){.type = i == null_value ? DB_NULL : DB_INT, .i = i};
}
static inline struct db_arg db_blob(const void *p, size_t len)
{
    return (struct db_arg){.type = DB_BLOB, .i = (int64_t)len, .p = p};
}

/* Binds; NULL on failure (the operation's error is set). Then db_step(). */
sqlite3_stmt *db_bind(struct store_db *db, const char *sql, const struct db_arg *args, int n);
/* 1: a row is there; 0: the end, and negative: failed; the statement has ended then. */
int db_step(struct store_db *db, sqlite3_stmt *st);
/* Ends a statement before its last row. */
void db_end(sqlite3_stmt *st);
/* Runs to the end, whatever rows come. */
int db_run(struct store_db *db, const char *sql, const struct db_arg *args, int n);
/* Prepares and binds a statement that is composed for one use: the caller steps and finalizes. */
int db_bind_all(struct store_db *db, sqlite3_stmt *st, const struct db_arg *args, int n);
int db_once(struct store_db *db, const char *sql, const struct db_arg *args, int n, sqlite3_stmt **st);
/* 1: the first row is there, db_end() must follow; 0: none; negative: failed. */
int db_first(struct store_db *db, sqlite3_stmt **st, const char *sql, const struct db_arg *args, int n);

#define DB_ARGS(...)                                                                                         \
    (const struct db_arg[]){__VA_ARGS__},                                                                    \
        (int)(sizeof((const struct db_arg[]){__VA_ARGS__}) / sizeof(struct db_arg))
#define DB_BIND(db, sql, ...)      db_bind(db, sql, DB_ARGS(__VA_ARGS__))
#define DB_RUN(db, sql, ...)       db_run(db, sql, DB_ARGS(__VA_ARGS__))
#define DB_FIRST(db, st, sql, ...) db_first(db, st, sql, DB_ARGS(__VA_ARGS__))

static inline int64_t db_col(sqlite3_stmt *st, int column)
{
    return sqlite3_column_int64(st, column);
}
void db_col_text(sqlite3_stmt *st, int column, char *dst, size_t size);
/* Heap; NULL for NULL. */
char *db_col_dup(sqlite3_stmt *st, int column);
/* At most size bytes; returns the length. */
int db_col_blob(sqlite3_stmt *st, int column, uint8_t *dst, size_t size);

#endif
