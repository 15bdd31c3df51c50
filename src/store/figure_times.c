/* The times that people took, each by itself, as the median wants them, and packed, so that a year of them is
 * read in milliseconds: a row has some hundred of a kind and day. An entry names a conversation by its number
 * only, which says nothing once that is erased.
 *
 * An entry is 32 octets, little-endian: conversation, milliseconds by the calendar (-1: taken back),
 * milliseconds of opening hours (-1: not known yet), 8 octets each, and desk and SIM, 4 each. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "store/desk_private.h"

enum { ENTRY_BYTES = 32, ENTRIES_A_ROW = 124, TOOK_AT = 8, BUSINESS_AT = 16, DESK_AT = 24, SIM_AT = 28 };

static void put_le(uint8_t *at, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static int64_t get_le64(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof v);
    return (int64_t)le64toh(v);
}

static int32_t get_le32(const uint8_t *at)
{
    uint32_t v;

    memcpy(&v, at, sizeof v);
    return (int32_t)le32toh(v);
}

/* A row of some kind and day. */
struct row {
    int64_t id;
    int n;
    uint8_t samples[ENTRIES_A_ROW * ENTRY_BYTES];
};

static void read_row(sqlite3_stmt *st, struct row *r)
{
    int bytes;

    r->id = db_col(st, 0);
    bytes = db_col_blob(st, 1, r->samples, sizeof r->samples);
    r->n = bytes / ENTRY_BYTES;
}

static const char sql_write[] = "UPDATE figure_time SET n = ?2, samples = ?3 WHERE id = ?1";

static int write_row(struct store_db *db, const struct row *r)
{
    return DB_RUN(db, sql_write, db_int(r->id), db_int(r->n),
                  db_blob(r->samples, (size_t)r->n * ENTRY_BYTES));
}

/* ---- added -----------------------------------------------------------------------------------------------
 */

static const char sql_sim[] = "SELECT id FROM figure_sim WHERE sim = ?1";
static const char sql_sim_new[] = "INSERT INTO figure_sim(sim) VALUES(?1)";

static int sim_id(struct store_db *db, const char *sim, int64_t *id)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_sim, db_text(sim));

    if (rc > 0) {
        *id = db_col(st, 0);
        db_end(st);
        return ERR_OK;
    }
    if (rc == 0 && (rc = DB_RUN(db, sql_sim_new, db_text(sim))) == ERR_OK)
        *id = sqlite3_last_insert_rowid(db->h);
    return rc;
}

static const char sql_last[] =
    "SELECT id, samples FROM figure_time WHERE kind = ?1 AND day = ?2 ORDER BY id DESC LIMIT 1";
static const char sql_new[] = "INSERT INTO figure_time(kind, day, n, samples) VALUES(?1, ?2, 0, x'')";
static const char sql_pend[] =
    "INSERT INTO figure_pending(time, slot, conversation, began, ended, department) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6)";

/* The row that has room. */
static int open_row(struct store_db *db, enum figure_time kind, int32_t day, struct row *r)
{
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_last, db_int((int64_t)kind), db_int(day));

    if (rc > 0) {
        read_row(st, r);
        db_end(st);
        if (r->n < ENTRIES_A_ROW)
            return ERR_OK;
        rc = 0;
    }
    r->n = 0;
    if (rc == 0 && (rc = DB_RUN(db, sql_new, db_int((int64_t)kind), db_int(day))) == ERR_OK)
        r->id = sqlite3_last_insert_rowid(db->h);
    return rc;
}

int figure_time_add(struct store_db *db, enum figure_time kind, const struct conv_row *c, const char *person,
                    int64_t began_wall_ms, int64_t ended_wall_ms)
{
    int64_t took = ended_wall_ms > began_wall_ms ? ended_wall_ms - began_wall_ms : 0, desk, sim;
    struct row r;
    uint8_t *entry;
    int rc;

    if ((rc = figure_desk(db, c->department, person, &desk)) || (rc = sim_id(db, c->sim, &sim)) ||
        (rc = open_row(db, kind, figure_day(db, ended_wall_ms), &r)))
        return rc;
    entry = r.samples + r.n * ENTRY_BYTES;
    put_le(entry, (uint64_t)c->id, 8);
    put_le(entry + TOOK_AT, (uint64_t)took, 8);
    put_le(entry + BUSINESS_AT, UINT64_MAX, 8);
    put_le(entry + DESK_AT, (uint64_t)desk, 4);
    put_le(entry + SIM_AT, (uint64_t)sim, 4);
    r.n++;
    if ((rc = write_row(db, &r)))
        return rc;
    return DB_RUN(db, sql_pend, db_int(r.id), db_int(r.n - 1), db_int(c->id), db_int(ended_wall_ms - took),
                  db_int(ended_wall_ms), db_text(c->department));
}

/* ---- taken back ------------------------------------------------------------------------------------------
 */

static const char sql_unpend[] = "DELETE FROM figure_pending WHERE time = ?1 AND conversation = ?2";

static bool void_entry(struct row *r, int64_t conversation)
{
    bool found = false;

    for (int i = 0; i < r->n; i++) {
        uint8_t *entry = r->samples + i * ENTRY_BYTES;

        if (get_le64(entry) == conversation && get_le64(entry + TOOK_AT) >= 0) {
            put_le(entry + TOOK_AT, UINT64_MAX, 8);
            found = true;
        }
    }
    return found;
}

/* The ids of the kind and day's rows; some thousand answers a day at most. */
static const char sql_ids[] = "SELECT id, samples FROM figure_time WHERE kind = ?1 AND day BETWEEN ?2 AND ?3 "
                              "AND id > ?4 ORDER BY id LIMIT 1";

/* Days around it too: the zone may have been another then. */
int figure_time_void(struct store_db *db, enum figure_time kind, int64_t conversation, int32_t day)
{
    struct row r = {.id = 0};

    for (;;) {
        sqlite3_stmt *st;
        int rc =
            DB_FIRST(db, &st, sql_ids, db_int((int64_t)kind), db_int(day - 1), db_int(day + 1), db_int(r.id));

        if (rc <= 0)
            return rc;
        read_row(st, &r);
        db_end(st);
        if (void_entry(&r, conversation) &&
            ((rc = write_row(db, &r)) || (rc = DB_RUN(db, sql_unpend, db_int(r.id), db_int(conversation)))))
            return rc;
    }
}

/* ---- read ------------------------------------------------------------------------------------------------
 */

static const char sql_read[] =
    "SELECT day, samples FROM figure_time WHERE kind = ?1 AND day BETWEEN ?2 AND ?3";

int figure_times_read(struct store_db *db, enum figure_time kind, int32_t first_day, int32_t last_day,
                      int (*sample)(void *owner, const struct figure_sample *s), void *owner)
{
    sqlite3_stmt *st = DB_BIND(db, sql_read, db_int((int64_t)kind), db_int(first_day), db_int(last_day));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        const uint8_t *entry = sqlite3_column_blob(st, 1);
        struct figure_sample s = {.day = (int32_t)db_col(st, 0)};

        for (int n = sqlite3_column_bytes(st, 1) / ENTRY_BYTES; n > 0; n--, entry += ENTRY_BYTES) {
            s.took_ms = get_le64(entry + TOOK_AT);
            s.business_ms = get_le64(entry + BUSINESS_AT);
            s.desk = get_le32(entry + DESK_AT);
            s.sim = get_le32(entry + SIM_AT);
            if (s.took_ms >= 0 && (rc = sample(owner, &s)) < 0) {
                db_end(st);
                return rc;
            }
        }
    }
    return rc;
}

/* ---- opening hours ---------------------------------------------------------------------------------------
 */

static const char sql_pending[] =
    "SELECT id, began, ended, department FROM figure_pending WHERE id > 0 ORDER BY id LIMIT ?1";

static int exec_pending(struct store_db *db, struct store_op *op)
{
    struct store_times_pending *p = container_of(op, struct store_times_pending, op);
    sqlite3_stmt *st = DB_BIND(db, sql_pending, db_int(p->max));
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct pending_time *grown = rows_add(db, p->rows, &p->count, sizeof *grown);

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        p->rows = grown;
        grown += p->count - 1;
        *grown = (struct pending_time){
            .id = db_col(st, 0), .from_wall_ms = db_col(st, 1), .to_wall_ms = db_col(st, 2)};
        db_col_text(st, 3, grown->department, sizeof grown->department);
    }
    return rc;
}

static void drop_pending(struct store_op *op)
{
    struct store_times_pending *p = container_of(op, struct store_times_pending, op);

    free(p->rows);
    p->rows = NULL;
    p->count = 0;
}

void store_times_pending(struct store *s, struct store_times_pending *p)
{
    p->rows = NULL;
    p->count = 0;
    store_submit_write(s, &p->op, exec_pending, drop_pending);
}

static const char sql_place[] = "SELECT t.id, t.samples, p.slot, p.conversation FROM figure_pending p JOIN "
                                "figure_time t ON t.id = p.time WHERE p.id = ?1";
static const char sql_settled[] = "DELETE FROM figure_pending WHERE id = ?1";

static int settle(struct store_db *db, const struct pending_time *p)
{
    struct row r;
    int64_t slot, conversation;
    sqlite3_stmt *st;
    int rc = DB_FIRST(db, &st, sql_place, db_int(p->id));

    if (rc <= 0)
        return rc;
    read_row(st, &r);
    slot = db_col(st, 2);
    conversation = db_col(st, 3);
    db_end(st);
    if (slot < r.n && get_le64(r.samples + slot * ENTRY_BYTES) == conversation) {
        put_le(r.samples + slot * ENTRY_BYTES + BUSINESS_AT, (uint64_t)p->business_ms, 8);
        if ((rc = write_row(db, &r)))
            return rc;
    }
    return DB_RUN(db, sql_settled, db_int(p->id));
}

static int exec_settle(struct store_db *db, struct store_op *op)
{
    struct store_times_settle *t = container_of(op, struct store_times_settle, op);
    int rc = ERR_OK;

    for (int i = 0; i < t->count && rc == ERR_OK; i++)
        rc = settle(db, &t->rows[i]);
    return rc;
}

void store_times_settle(struct store *s, struct store_times_settle *t)
{
    store_submit_write(s, &t->op, exec_settle, NULL);
}
