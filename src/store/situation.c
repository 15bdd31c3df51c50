/* What must be known about a number before anything is decided about it: one read on the writer's lane, so
 * that it sees what was decided before. */
#include <stdlib.h>

#include "store/desk_private.h"

static const char sql_replies[] =
    "SELECT count(*) FROM auto_reply WHERE number = ?1 AND at BETWEEN ?2 AND ?3";
/* Counted to a bound: nobody allows more, and many would take long. */
static const char sql_replies_all[] =
    "SELECT count(*) FROM (SELECT 1 FROM auto_reply WHERE at BETWEEN ?1 AND ?2 LIMIT 10000)";
static const char sql_texts[] =
    "SELECT hash FROM auto_reply WHERE number = ?1 AND at BETWEEN ?2 AND ?4 ORDER BY at DESC, id DESC LIMIT "
    "?3";
static const char sql_newest[] = "SELECT ifnull(max(at), 0) FROM auto_reply WHERE number = ?1";
static const char sql_muted[] = "SELECT until, rounds FROM muted WHERE number = ?1";
static const char sql_once[] = "SELECT rule, at FROM once WHERE number = ?1";

static int number_of(struct store_db *db, int64_t *out, sqlite3_stmt *st, int rc)
{
    (void)db;
    *out = 0;
    if (rc <= 0)
        return rc;
    *out = db_col(st, 0);
    db_end(st);
    return ERR_OK;
}

static struct db_arg until(const struct store_situation *k)
{
    return db_int(k->until_wall_ms ? k->until_wall_ms : INT64_MAX);
}

static int read_replies(struct store_db *db, struct store_situation *k)
{
    sqlite3_stmt *st;
    int64_t n;
    int rc = DB_FIRST(db, &st, sql_replies, db_text(k->number), db_int(k->guard_since_wall_ms), until(k));

    if ((rc = number_of(db, &n, st, rc)))
        return rc;
    k->automatic_replies = (int)n;
    rc = DB_FIRST(db, &st, sql_replies, db_text(k->number), db_int(k->day_since_wall_ms), until(k));
    if ((rc = number_of(db, &n, st, rc)))
        return rc;
    k->automatic_day = (int)n;
    rc = DB_FIRST(db, &st, sql_replies_all, db_int(k->guard_since_wall_ms), until(k));
    if ((rc = number_of(db, &n, st, rc)))
        return rc;
    k->automatic_all = (int)n;
    rc = DB_FIRST(db, &st, sql_newest, db_text(k->number));
    return number_of(db, &k->last_automatic_wall_ms, st, rc);
}

static int read_texts(struct store_db *db, struct store_situation *k)
{
    sqlite3_stmt *st = DB_BIND(db, sql_texts, db_text(k->number), db_int(k->texts_since_wall_ms),
                               db_int(SITUATION_TEXTS), until(k));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0)
        k->texts[k->ntexts++] = (uint64_t)db_col(st, 0);
    return rc;
}

static int read_muted(struct store_db *db, struct store_situation *k)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_muted, db_text(k->number));

    if (rc <= 0)
        return rc;
    k->muted_until_wall_ms = db_col(st, 0);
    k->rounds = (int)db_col(st, 1);
    db_end(st);
    return ERR_OK;
}

static int read_once(struct store_db *db, struct store_situation *k)
{
    sqlite3_stmt *st = DB_BIND(db, sql_once, db_text(k->number));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct once_row *grown = rows_add(db, k->once, &k->nonce, sizeof *grown);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        k->once = grown;
        db_col_text(st, 0, grown[k->nonce - 1].rule, sizeof grown->rule);
        grown[k->nonce - 1].at_wall_ms = db_col(st, 1);
    }
    return rc;
}

static int read_conversations(struct store_db *db, struct store_situation *k)
{
    const char *sim = k->sim ? k->sim : "";
    int rc = ERR_OK;

    if (k->of) {
        rc = conv_load(db, k->of, &k->conv);
        if (rc == ERR_OK && k->conv.id == 0)
            return err_set(db->err, ERR_NOT_FOUND, "there is no conversation %lld", (long long)k->of);
    } else if (k->contact.id) {
        rc = conv_find_live(db, k->contact.id, sim, &k->conv);
    }
    if (rc == ERR_OK && k->contact.id)
        rc = conv_find_last(db, k->contact.id, sim, &k->last);
    if (rc == ERR_OK && k->conv.id == 0 && *k->number && !k->look_only)
        k->reserved = db->next_conversation++;
    return rc;
}

/* Where only the conversation is given, the number is its contact's. */
static int read_of(struct store_db *db, struct store_situation *k, struct conv_row *of)
{
    int rc;

    *of = (struct conv_row){0};
    if (!k->of || (k->number && *k->number))
        return ERR_OK;
    rc = conv_load(db, k->of, of);
    k->number = of->number;
    if (!k->sim || !*k->sim)
        k->sim = of->sim;
    return rc;
}

static int exec_situation(struct store_db *db, struct store_op *op)
{
    struct store_situation *k = container_of(op, struct store_situation, op);
    const char *number = k->number, *sim = k->sim;
    struct conv_row of;
    int rc = read_of(db, k, &of);

    if (!k->number)
        k->number = "";
    if (rc == ERR_OK && *k->number)
        rc = contact_load(db, k->number, &k->contact);
    if (rc == ERR_OK && (rc = read_conversations(db, k)) == ERR_OK && *k->number &&
        (rc = consent_get(db, k->number, k->sim ? k->sim : "", &k->consent)) == ERR_OK &&
        (rc = read_replies(db, k)) == ERR_OK && (rc = read_texts(db, k)) == ERR_OK &&
        (rc = read_muted(db, k)) == ERR_OK)
        rc = read_once(db, k);
    k->number = number;
    k->sim = sim;
    return rc;
}

static void reset(struct store_situation *k)
{
    struct store_situation in = *k;

    *k = (struct store_situation){.op = in.op,
                                  .number = in.number,
                                  .sim = in.sim,
                                  .of = in.of,
                                  .look_only = in.look_only,
                                  .guard_since_wall_ms = in.guard_since_wall_ms,
                                  .day_since_wall_ms = in.day_since_wall_ms,
                                  .texts_since_wall_ms = in.texts_since_wall_ms,
                                  .until_wall_ms = in.until_wall_ms};
}

void store_situation_clear(struct store_situation *k)
{
    contact_row_clear(&k->contact);
    free(k->once);
    reset(k);
}

static void drop_situation(struct store_op *op)
{
    store_situation_clear(container_of(op, struct store_situation, op));
}

void store_situation(struct store *s, struct store_situation *k)
{
    reset(k);
    store_submit_write(s, &k->op, exec_situation, drop_situation);
}
