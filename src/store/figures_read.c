/* Figures of a period, read: sums by what is asked for, and the exact median and ninth decile of times.
 *
 * The desks (departments and people) are few and read first; sums and times then need no join. Times of a
 * kind are gathered with the row that they belong to, sorted by row, and selected from within each. */
#include <stdlib.h>
#include <string.h>

#include "store/desk_private.h"

enum { DAYS_MAX = 3660 };

struct desk {
    char department[DESK_WORD_BYTES], person[DESK_NAME_BYTES];
    bool wanted;
    int row; /* BY_DEPARTMENT, BY_PERSON: of its figures; -1 not known yet */
};
struct reading {
    struct store_db *db;
    struct store_figures *f;
    struct desk *desks; /* by id */
    int ndesks;
    char (*sims)[MSG_MODEM_BYTES]; /* by id */
    int nsims;
    /* Times of one kind. */
    enum figure_time kind;
    struct figure_times times;
};

static const char *const figure_names[FIGURES] = {
    "in",        "calls",       "out",     "automatic", "by_person", "segments", "cost_micros",
    "delivered", "undelivered", "failed",  "opt_outs",  "opt_ins",   "opened",   "reopened",
    "closed",    "spam",        "overdue", "asked",     "answered"};
static const char *const time_names[FIGURE_TIMES] = {"", "first_response", "next_response", "resolution",
                                                     "full_resolution"};
static const char *const by_names[] = {"none", "day", "week", "month", "department", "person", "sim"};

const char *figure_name(enum figure f)
{
    return figure_names[f];
}

const char *figure_time_name(enum figure_time t)
{
    return time_names[t];
}

const char *figure_by_name(enum figure_by b)
{
    return by_names[b];
}

bool figure_by_from_name(const char *name, enum figure_by *out)
{
    for (size_t i = 0; i < ARRAY_LEN(by_names); i++)
        if (!strcmp(by_names[i], name)) {
            *out = (enum figure_by)i;
            return true;
        }
    return false;
}

/* ---- desks -----------------------------------------------------------------------------------------------
 */

static bool wanted(const char *filter, const char *value)
{
    return !filter || !strcmp(filter, value);
}

static int add_desk(struct reading *r, int64_t id)
{
    struct desk *grown;

    if (id < r->ndesks)
        return ERR_OK;
    if (id > 1 << 20 || !(grown = realloc(r->desks, ((size_t)id + 1) * sizeof *grown)))
        return err_set(r->db->err, ERR_NOMEM, "out of memory");
    memset(grown + r->ndesks, 0, ((size_t)id + 1 - (size_t)r->ndesks) * sizeof *grown);
    r->desks = grown;
    r->ndesks = (int)id + 1;
    return ERR_OK;
}

static const char sql_desks[] =
    "SELECT id, department, person FROM figure_desk WHERE id > 0 ORDER BY id DESC";

static int read_desks(struct reading *r)
{
    sqlite3_stmt *st = db_bind(r->db, sql_desks, NULL, 0);
    int rc, none = add_desk(r, 0);

    if (!st || none)
        return none ? none : r->db->err->code;
    while ((rc = db_step(r->db, st)) > 0) {
        int64_t id = db_col(st, 0);

        if ((rc = add_desk(r, id))) {
            db_end(st);
            return rc;
        }
        db_col_text(st, 1, r->desks[id].department, sizeof r->desks->department);
        db_col_text(st, 2, r->desks[id].person, sizeof r->desks->person);
    }
    for (int i = 0; i < r->ndesks; i++) {
        r->desks[i].wanted =
            wanted(r->f->department, r->desks[i].department) && wanted(r->f->person, r->desks[i].person);
        r->desks[i].row = -1;
    }
    return rc;
}

static const char sql_sims[] = "SELECT id, sim FROM figure_sim WHERE id > 0 ORDER BY id DESC";

static int read_sims(struct reading *r)
{
    sqlite3_stmt *st = db_bind(r->db, sql_sims, NULL, 0);
    int rc;

    if (!st)
        return r->db->err->code;
    while ((rc = db_step(r->db, st)) > 0) {
        int64_t id = db_col(st, 0);

        if (!r->sims) {
            r->nsims = (int)id + 1;
            r->sims = calloc((size_t)r->nsims, sizeof *r->sims);
        }
        if (!r->sims) {
            db_end(st);
            return err_set(r->db->err, ERR_NOMEM, "out of memory");
        }
        db_col_text(st, 1, r->sims[id], sizeof *r->sims);
    }
    return rc;
}

/* ---- rows ------------------------------------------------------------------------------------------------
 */

static struct figure_row *new_row(struct reading *r, const char *key, int32_t day)
{
    struct figure_row *grown = rows_add(r->db, r->f->rows, &r->f->count, sizeof *grown);

    if (!grown)
        return NULL;
    r->f->rows = grown;
    grown += r->f->count - 1;
    str_copy(grown->key, sizeof grown->key, key);
    grown->day = day;
    return grown;
}

/* Each day, week or month of the period has its row, whether anything was or not. */
static int make_periods(struct reading *r)
{
    struct store_figures *f = r->f;
    int32_t day = f->by == BY_WEEK    ? figure_week(f->first_day)
                  : f->by == BY_MONTH ? figure_month(f->first_day)
                                      : f->first_day;
    char key[DESK_WORD_BYTES];

    if (f->by != BY_DAY && f->by != BY_WEEK && f->by != BY_MONTH)
        return ERR_OK;
    while (day <= f->last_day) {
        figure_day_name(day, key);
        if (f->by == BY_MONTH)
            key[strlen("2026-11")] = '\0';
        if (!new_row(r, key, day))
            return ERR_NOMEM;
        day = f->by == BY_DAY ? day + 1 : f->by == BY_WEEK ? day + 7 : figure_next_month(day);
    }
    return ERR_OK;
}

static int row_of_name(struct reading *r, const char *name)
{
    for (int i = 0; i < r->f->count; i++)
        if (!strcmp(r->f->rows[i].key, name))
            return i;
    return new_row(r, name, 0) ? r->f->count - 1 : ERR_NOMEM;
}

static int row_of_month(const struct store_figures *f, int32_t day)
{
    for (int i = f->count - 1; i >= 0; i--)
        if (f->rows[i].day <= day)
            return i;
    return -1;
}

/* The row of figures of a day, desk and SIM; -1 none but the total. */
static int row_of(struct reading *r, int32_t day, struct desk *d, const char *sim)
{
    struct store_figures *f = r->f;

    switch (f->by) {
    case BY_NONE:
        return -1;
    case BY_DAY:
        return day - f->rows[0].day;
    case BY_WEEK:
        return (day - f->rows[0].day) / 7;
    case BY_MONTH:
        return row_of_month(f, day);
    case BY_DEPARTMENT:
    case BY_PERSON:
        if (d->row == -1)
            d->row = row_of_name(r, f->by == BY_PERSON ? d->person : d->department);
        return d->row;
    case BY_SIM:
        return row_of_name(r, sim);
    }
    return -1;
}

/* ---- sums ------------------------------------------------------------------------------------------------
 */

static const char sql_sums[] = "SELECT day, desk, sim, sums FROM figure WHERE day BETWEEN ?1 AND ?2";
static const char sql_sums_month[] =
    "SELECT day, desk, sim, sums FROM figure_month WHERE day BETWEEN ?1 AND ?2";

static void add_sums(struct figure_row *to, const int64_t n[FIGURE_SUMS])
{
    for (int i = 0; i < FIGURE_SCORES; i++)
        to->scores[i] += n[i];
    for (int i = 0; i < FIGURES; i++)
        to->n[i] += n[FIGURE_SCORES + i];
}

static struct desk *desk_of(struct reading *r, int64_t id)
{
    return &r->desks[id >= 0 && id < r->ndesks ? id : 0];
}

static const char *sim_of(sqlite3_stmt *st, int column)
{
    const char *text = (const char *)sqlite3_column_text(st, column);

    return text ? text : "";
}

static int read_sums_of(struct reading *r, const char *sql, int32_t first_day, int32_t last_day)
{
    sqlite3_stmt *st = DB_BIND(r->db, sql, db_int(first_day), db_int(last_day));
    int rc;

    if (!st)
        return r->db->err->code;
    while ((rc = db_step(r->db, st)) > 0) {
        struct desk *d = desk_of(r, db_col(st, 1));
        const char *sim = sim_of(st, 2);
        int64_t n[FIGURE_SUMS] = {0};
        int row;

        if (!d->wanted || !wanted(r->f->sim, sim))
            continue;
        row = row_of(r, (int32_t)db_col(st, 0), d, sim);
        if (row < -1) {
            db_end(st);
            return row;
        }
        figure_add_packed(n, sqlite3_column_blob(st, 3), sqlite3_column_bytes(st, 3));
        add_sums(&r->f->total, n);
        if (row >= 0)
            add_sums(&r->f->rows[row], n);
    }
    return rc;
}

/* Whole months are read by the month where nobody asks for their days. */
static int read_sums(struct reading *r)
{
    struct store_figures *f = r->f;
    int32_t from = figure_month(f->first_day), to = figure_month(f->last_day + 1);
    int rc;

    if (from < f->first_day)
        from = figure_next_month(from);
    if (f->by == BY_DAY || f->by == BY_WEEK || from >= to)
        return read_sums_of(r, sql_sums, f->first_day, f->last_day);
    if ((rc = read_sums_of(r, sql_sums, f->first_day, from - 1)) ||
        (rc = read_sums_of(r, sql_sums_month, from, to - 1)))
        return rc;
    return read_sums_of(r, sql_sums, to, f->last_day);
}

/* ---- times -----------------------------------------------------------------------------------------------
 */

static void meet_targets(struct store_figures *f, enum figure_time kind, const struct desk *d, int64_t took,
                         int64_t business)
{
    for (int i = 0; i < f->ntargets; i++) {
        struct figure_target *t = &f->targets[i];
        int64_t ms = t->business ? business : took;

        if (t->time != kind || ms < 0 || !wanted(t->department, d->department))
            continue;
        t->count++;
        t->met += ms <= t->target_ms;
    }
}

static int take_sample(void *owner, const struct figure_sample *s)
{
    struct reading *r = owner;
    struct desk *d = desk_of(r, s->desk);
    const char *sim = s->sim >= 0 && s->sim < r->nsims ? r->sims[s->sim] : "";
    int row;

    if (!d->wanted || !wanted(r->f->sim, sim))
        return ERR_OK;
    row = row_of(r, s->day, d, sim);
    if (row < -1 || figure_gather(&r->times, s->took_ms, s->business_ms, row))
        return err_set(r->db->err, ERR_NOMEM, "out of memory");
    meet_targets(r->f, r->kind, d, s->took_ms, s->business_ms);
    return ERR_OK;
}

static int read_times(struct reading *r, enum figure_time kind)
{
    struct store_figures *f = r->f;
    int rc;

    r->kind = kind;
    figure_gather_none(&r->times);
    if ((rc = figure_times_read(r->db, kind, f->first_day, f->last_day, take_sample, r)) == ERR_OK &&
        figure_spreads(&r->times, f->rows, f->by == BY_NONE ? 0 : f->count, kind, &f->total))
        rc = err_set(r->db->err, ERR_NOMEM, "out of memory");
    return rc;
}

/* Rows that a later kind brings have none of the earlier ones. */
static void fill_gaps(struct store_figures *f)
{
    for (int i = 0; i < f->count; i++)
        for (int t = 1; t < FIGURE_TIMES; t++)
            if (f->rows[i].times[t].count == 0)
                f->rows[i].times[t] = (struct figure_spread){0, -1, -1, 0, -1, -1};
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

static const char sql_first[] = "SELECT ifnull(min(day), 0) FROM figure";

/* A period without a beginning begins with the first figures. */
static int set_days(struct reading *r)
{
    struct store_figures *f = r->f;
    sqlite3_stmt *st;
    int rc;

    f->first_day = figure_day(r->db, f->since_wall_ms);
    f->last_day = figure_day(r->db, f->until_wall_ms - 1);
    if (f->last_day - f->first_day < DAYS_MAX)
        return ERR_OK;
    if ((rc = db_first(r->db, &st, sql_first, NULL, 0)) <= 0)
        return rc;
    if (db_col(st, 0) > f->first_day)
        f->first_day = (int32_t)db_col(st, 0);
    db_end(st);
    if (f->last_day - f->first_day >= DAYS_MAX)
        return err_set(r->db->err, ERR_INVALID, "a period of at most ten years expected");
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct figure_row *)a)->key, ((const struct figure_row *)b)->key);
}

static int exec_figures(struct store_db *db, struct store_op *op)
{
    struct store_figures *f = container_of(op, struct store_figures, op);
    struct reading r = {.db = db, .f = f};
    int rc;

    if ((rc = set_days(&r)) == ERR_OK && (rc = read_desks(&r)) == ERR_OK && (rc = read_sims(&r)) == ERR_OK &&
        (rc = make_periods(&r)) == ERR_OK)
        rc = read_sums(&r);
    for (int kind = 1; kind < FIGURE_TIMES && rc == ERR_OK; kind++)
        rc = read_times(&r, (enum figure_time)kind);
    if (f->by >= BY_DEPARTMENT && f->count > 1)
        qsort(f->rows, (size_t)f->count, sizeof *f->rows, by_name);
    fill_gaps(f);
    figure_gather_free(&r.times);
    free(r.sims);
    free(r.desks);
    return rc;
}

static void drop_figures(struct store_op *op)
{
    struct store_figures *f = container_of(op, struct store_figures, op);

    free(f->rows);
    f->rows = NULL;
    f->count = 0;
}

void store_figures(struct store *s, struct store_figures *f)
{
    f->rows = NULL;
    f->count = 0;
    f->total = (struct figure_row){0};
    for (int i = 0; i < f->ntargets; i++)
        f->targets[i].met = f->targets[i].count = 0;
    store_submit_read(s, &f->op, exec_figures, drop_figures);
}
