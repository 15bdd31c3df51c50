/* Templates that are managed by command. Few, short rows; the engine keeps them all in memory. */
#include "store/templates.h"

#include <stdlib.h>

#include "base/util.h"
#include "store/private.h"

const char schema_templates[] = "CREATE TABLE template ("
                                " name TEXT NOT NULL, language TEXT NOT NULL, text TEXT NOT NULL, who TEXT "
                                "NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (name, language)) STRICT, "
                                "WITHOUT ROWID;";

/* ---- putting ---- */

static const char sql_delete[] = "DELETE FROM template WHERE name = ?1 AND language = ?2 COLLATE NOCASE";
static const char sql_put[] =
    "INSERT INTO template(name, language, text, who, changed) VALUES(?1, ?2, ?3, ?4, ?5)";

static int exec_put(struct store_db *db, struct store_op *op)
{
    struct store_put_template *p = container_of(op, struct store_put_template, op);
    int rc = DB_RUN(db, sql_delete, db_text(p->name), db_text(p->language));

    if (rc)
        return rc;
    p->existed = sqlite3_changes64(db->h) > 0;
    if (!p->text)
        return p->existed ? ERR_OK
                          : err_set(db->err, ERR_NOT_FOUND, "there is no template \"%s\"%s%s in the store",
                                    p->name, *p->language ? " in " : "", p->language);
    return DB_RUN(db, sql_put, db_text(p->name), db_text(p->language), db_text(p->text), db_text(p->who),
                  db_int(p->now_wall_ms));
}

void store_put_template(struct store *s, struct store_put_template *p)
{
    store_submit_write(s, &p->op, exec_put, NULL);
}

/* ---- reading ---- */

static const char sql_all[] =
    "SELECT name, language, text, who, changed FROM template ORDER BY name, language";

static int read_all(struct store_db *db, struct store_templates *t)
{
    sqlite3_stmt *st = db_bind(db, sql_all, NULL, 0);
    int rc;

    if (!st)
        return db->err->code;
    while ((rc = db_step(db, st)) > 0) {
        struct template_row *grown = rows_add(db, t->rows, &t->count, sizeof *grown), *row;

        if (!grown) {
            db_end(st);
            return ERR_NOMEM;
        }
        t->rows = grown;
        row = &grown[t->count - 1];
        db_col_text(st, 0, row->name, sizeof row->name);
        db_col_text(st, 1, row->language, sizeof row->language);
        row->text = db_col_dup(st, 2);
        db_col_text(st, 3, row->who, sizeof row->who);
        row->changed_wall_ms = db_col(st, 4);
    }
    return rc;
}

static int exec_all(struct store_db *db, struct store_op *op)
{
    return read_all(db, container_of(op, struct store_templates, op));
}

void store_templates_clear(struct store_templates *t)
{
    for (int i = 0; i < t->count; i++)
        free(t->rows[i].text);
    free(t->rows);
    t->rows = NULL;
    t->count = 0;
}

static void drop_all(struct store_op *op)
{
    store_templates_clear(container_of(op, struct store_templates, op));
}

void store_templates(struct store *s, struct store_templates *t)
{
    t->rows = NULL;
    t->count = 0;
    store_submit_write(s, &t->op, exec_all, drop_all);
}

int store_peek_templates(const char *path, struct store_templates *t, struct err *e)
{
    struct store_db db;
    struct err local;
    int rc = store_open_reader(path, &db, e ? e : &local);

    t->rows = NULL;
    t->count = 0;
    if (rc)
        return rc;
    rc = read_all(&db, t);
    db_close(&db, false);
    return rc;
}

int store_load_templates(struct store *s, struct store_templates *t, struct err *e)
{
    return store_peek_templates(s->writer.db.path, t, e);
}

/* ---- from outside ---- */

static const char sql_one[] = "SELECT 1 FROM template WHERE name = ?1";

bool store_peek_template(const char *path, const char *name)
{
    struct store_db db;
    struct err e = {0};
    sqlite3_stmt *st;
    int rc;

    if (store_open_reader(path, &db, &e) != 0)
        return false;
    rc = DB_FIRST(&db, &st, sql_one, db_text(name));
    if (rc > 0)
        db_end(st);
    db_close(&db, false);
    return rc > 0;
}
