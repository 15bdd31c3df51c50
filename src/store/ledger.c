/* Consent as it is looked up: the ledger, how it stands; and the deliveries that wait. */
#include <stdlib.h>
#include <string.h>

#include "store/compose.h"
#include "store/desk_private.h"

/* One more row, or NULL where the page is full (*more is set) or memory is (*rc is). */
static void *page_add(struct store_db *db, void *rows, int *count, size_t size, int limit, bool *more,
                      int *rc)
{
    void *grown;

    *rc = ERR_OK;
    if (*count == page_limit(limit)) {
        *more = true;
        return NULL;
    }
    grown = rows_add(db, rows, count, size);
    if (!grown)
        *rc = ERR_NOMEM;
    return grown;
}

/* ---- the ledger ------------------------------------------------------------------------------------------
 */

static int add_ledger(struct store_db *db, sqlite3_stmt *st, void *to)
{
    struct store_ledger *l = to;
    int rc;
    struct ledger_row *row = page_add(db, l->rows, &l->count, sizeof *row, l->limit, &l->more, &rc);

    if (!row)
        return rc;
    l->rows = row;
    row += l->count - 1;
    row->id = db_col(st, 0);
    row->at_wall_ms = db_col(st, 1);
    row->message = db_col(st, 2);
    db_col_text(st, 3, row->number, sizeof row->number);
    db_col_text(st, 4, row->sim, sizeof row->sim);
    row->state = (enum consent_state)db_col(st, 5);
    db_col_text(st, 6, row->who, sizeof row->who);
    db_col_text(st, 7, row->how, sizeof row->how);
    row->words = db_col_dup(st, 8);
    return ERR_OK;
}

static int exec_ledger(struct store_db *db, struct store_op *op)
{
    struct store_ledger *l = container_of(op, struct store_ledger, op);
    struct compose q = {0};

    compose_sql(&q,
                "SELECT id, at, message, number, sim, state, who, how, words FROM consent_log WHERE id > 0");
    compose_if(&q, l->number, " AND number = ?", db_text(l->number));
    compose_if(&q, l->after > 0, " AND id < ?", db_int(l->after));
    compose_with(&q, " ORDER BY id DESC LIMIT ?", db_int(page_limit(l->limit) + 1));
    return compose_run(db, &q, add_ledger, l);
}

void store_ledger_clear(struct store_ledger *l)
{
    for (int i = 0; i < l->count; i++)
        free(l->rows[i].words);
    free(l->rows);
    l->rows = NULL;
    l->count = 0;
}

static void drop_ledger(struct store_op *op)
{
    store_ledger_clear(container_of(op, struct store_ledger, op));
}

void store_ledger(struct store *s, struct store_ledger *l)
{
    l->rows = NULL;
    l->count = 0;
    l->more = false;
    store_submit_read(s, &l->op, exec_ledger, drop_ledger);
}

/* ---- how it stands ---------------------------------------------------------------------------------------
 */

static int add_consent(struct store_db *db, sqlite3_stmt *st, void *to)
{
    struct store_consents *c = to;
    int rc;
    struct consent_row *row = page_add(db, c->rows, &c->count, sizeof *row, c->limit, &c->more, &rc);

    if (!row)
        return rc;
    c->rows = row;
    row += c->count - 1;
    db_col_text(st, 0, row->number, sizeof row->number);
    db_col_text(st, 1, row->sim, sizeof row->sim);
    row->state = (enum consent_state)db_col(st, 2);
    row->at_wall_ms = db_col(st, 3);
    return ERR_OK;
}

static int exec_consents(struct store_db *db, struct store_op *op)
{
    struct store_consents *c = container_of(op, struct store_consents, op);
    struct compose q = {0};

    compose_sql(&q, "SELECT number, sim, state, at FROM consent WHERE number > ''");
    compose_if(&q, c->number, " AND number = ?", db_text(c->number));
    compose_if(&q, c->state != CONSENT_UNKNOWN, " AND state = ?", db_int(c->state));
    compose_if(&q, c->after, " AND number > ?", db_text(c->after));
    compose_with(&q, " ORDER BY number, sim LIMIT ?", db_int(page_limit(c->limit) + 1));
    return compose_run(db, &q, add_consent, c);
}

static void drop_consents(struct store_op *op)
{
    struct store_consents *c = container_of(op, struct store_consents, op);

    free(c->rows);
    c->rows = NULL;
    c->count = 0;
}

void store_consents(struct store *s, struct store_consents *c)
{
    c->rows = NULL;
    c->count = 0;
    c->more = false;
    store_submit_read(s, &c->op, exec_consents, drop_consents);
}

/* ---- deliveries ------------------------------------------------------------------------------------------
 */

static int add_delivery(struct store_db *db, sqlite3_stmt *st, void *to)
{
    struct store_delivery_list *d = to;
    int rc;
    struct delivery_row *row = page_add(db, d->rows, &d->count, sizeof *row, d->limit, &d->more, &rc);

    if (!row)
        return rc;
    d->rows = row;
    row += d->count - 1;
    row->id = db_col(st, 0);
    db_col_text(st, 1, row->handler, sizeof row->handler);
    db_col_text(st, 2, row->event, sizeof row->event);
    row->body = db_col_dup(st, 3);
    row->attempts = (int)db_col(st, 4);
    row->created_wall_ms = db_col(st, 5);
    row->next_wall_ms = db_col(st, 6);
    row->conversation = db_col(st, 7);
    row->message = db_col(st, 8);
    db_col_text(st, 9, row->reason, sizeof row->reason);
    return ERR_OK;
}

static int exec_deliveries(struct store_db *db, struct store_op *op)
{
    struct store_delivery_list *d = container_of(op, struct store_delivery_list, op);
    struct compose q = {0};

    compose_with(&q,
                 "SELECT id, handler, event, body, attempts, created, next, conversation, message, reason "
                 "FROM delivery WHERE id > ?",
                 db_int(d->after));
    compose_if(&q, d->handler, " AND handler = ?", db_text(d->handler));
    compose_with(&q, " ORDER BY id LIMIT ?", db_int(page_limit(d->limit) + 1));
    return compose_run(db, &q, add_delivery, d);
}

void store_delivery_list_clear(struct store_delivery_list *d)
{
    for (int i = 0; i < d->count; i++)
        delivery_row_clear(&d->rows[i]);
    free(d->rows);
    d->rows = NULL;
    d->count = 0;
}

static void drop_deliveries(struct store_op *op)
{
    store_delivery_list_clear(container_of(op, struct store_delivery_list, op));
}

void store_delivery_list(struct store *s, struct store_delivery_list *d)
{
    d->rows = NULL;
    d->count = 0;
    d->more = false;
    store_submit_read(s, &d->op, exec_deliveries, drop_deliveries);
}
