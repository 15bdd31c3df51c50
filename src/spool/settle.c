/* From the store's outbox to files: what came in, reports, and the outcome of claimed files.
 *
 *   outbox row -> store_show -> (each other recipient of the file: store_show) -> composed -> written beside
 *   the loop, BATCH_MAX at a time -> store_outbox_done
 *
 * A row goes only after its file is durable, so that each is written at least once, under the same name. A
 * file that cannot be written now waits and is composed anew; others go on. No state is kept of files that
 * wait in checked/: the message says by its meta which file it belongs to. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "spool/private.h"

enum { RETRY_FIRST_MS = 500, RETRY_MOST_MS = 60000 };

struct task {
    struct task *next, *prev; /* of all */
    struct task *next_in_line;
    struct spool *sp;
    struct outbox_row row; /* id 0: not from the outbox */
    struct claim *claim;   /* recheck: not known yet whether the store has it */
    struct store_show show;
    struct store_outbox_done forget;
    struct compose_result *results; /* of a file's recipients */
    int n, at, own;                 /* own: of `row`, -1 none */
    bool known;                     /* at least one is in the store */
    char claimed[SPOOL_NAME_BYTES], key[KEY_BYTES];
    struct disk_item item;
};

static void look(struct task *t);

/* ---- tasks ---- */

static struct task *task_new(struct spool *sp)
{
    struct task *t = spool_alloc(sizeof(*t));
    t->sp = sp;
    t->next = sp->settle.tasks;
    if (t->next)
        t->next->prev = t;
    sp->settle.tasks = t;
    sp->settle.active++;
    return t;
}

static void task_clear(struct task *t)
{
    free(t->results);
    free(t->item.opted_out);
    buf_free(&t->item.content);
    t->results = NULL;
    t->item.opted_out = NULL;
}

static void task_free(struct task *t)
{
    struct spool *sp = t->sp;
    if (t->prev)
        t->prev->next = t->next;
    else
        sp->settle.tasks = t->next;
    if (t->next)
        t->next->prev = t->prev;
    task_clear(t);
    free(t);
    sp->settle.active--;
}

static void task_failed(struct task *t, const struct err *why)
{
    struct spool *sp = t->sp;
    struct settler *s = &sp->settle;
    unsigned left_out;
    if (log_limit_pass(&s->log_failed, rt_now_ms(sp->rt), &left_out))
        log_err(WHO, "a file waits to be written: %s not_logged_before=%u", why->text, left_out);
    t->next_in_line = s->failed;
    s->failed = t;
    s->active--;
    s->failing++;
    backoff_start(sp, &s->retry, RETRY_FIRST_MS, RETRY_MOST_MS);
}

static void on_forgotten(struct store_op *op, int status)
{
    struct task *t = container_of(op, struct task, forget.op);
    struct spool *sp = t->sp;
    if (status < 0 && status != ERR_CANCELLED) {
        task_failed(t, &op->err);
        return;
    }
    task_free(t);
    settle_pump(sp);
}

/* Nothing is left to do for it. */
static void task_end(struct task *t)
{
    struct spool *sp = t->sp;
    if (t->row.id && !sp->stopped) {
        t->forget = (struct store_outbox_done){.op.done = on_forgotten, .id = t->row.id};
        store_outbox_done(sp->store, &t->forget);
        return;
    }
    task_free(t);
    settle_pump(sp);
}

/* ---- writing ---- */

static void write_run(struct rt_work *w)
{
    struct spool *sp = container_of(w, struct spool, settle.work);
    struct disk_item *items[BATCH_MAX];
    for (int i = 0; i < sp->settle.nbatch; i++)
        items[i] = &sp->settle.batch[i]->item;
    disk_write(sp->dir, items, sp->settle.nbatch);
}

static void write_go(struct spool *sp)
{
    struct settler *s = &sp->settle;
    if (s->busy || sp->stopped)
        return;
    for (; s->ready && s->nbatch < BATCH_MAX; s->nbatch++) {
        s->batch[s->nbatch] = s->ready;
        s->ready = s->ready->next_in_line;
    }
    if (!s->ready)
        s->ready_end = &s->ready;
    if (!s->nbatch)
        return;
    s->busy = rt_work(sp->rt, &s->work) == 0;
    struct err e = {0};
    if (!s->busy)
        for (err_set(&e, ERR_NOMEM, "out of memory"); s->nbatch; s->nbatch--)
            task_failed(s->batch[s->nbatch - 1], &e);
}

static void write_done(struct rt_work *w, int status)
{
    struct spool *sp = container_of(w, struct spool, settle.work);
    struct settler *s = &sp->settle;
    struct task *batch[BATCH_MAX];
    int n = s->nbatch;
    memcpy(batch, s->batch, sizeof(batch));
    s->nbatch = 0;
    s->busy = false;
    for (int i = 0; i < n; i++) {
        struct task *t = batch[i];
        if (status < 0) {
            task_free(t);
        } else if (t->item.rc < 0) {
            task_failed(t, &t->item.err);
        } else {
            s->retry.wait_ms = 0;
            hook_placed(sp, &t->item);
            task_end(t);
        }
    }
    write_go(sp);
}

static void task_ready(struct task *t)
{
    struct settler *s = &t->sp->settle;
    t->next_in_line = NULL;
    *s->ready_end = t;
    s->ready_end = &t->next_in_line;
    write_go(t->sp);
}

static struct compose_modem modem_of(const struct spool *sp, const char *name, const char *imsi)
{
    const struct carrier *c = *name ? gateway_carrier(sp->g, name) : NULL;
    bool same_sim = c && (!*imsi || strcmp(c->imsi, imsi) == 0);
    return (struct compose_modem){.number = same_sim ? c->number : "", .imei = c ? c->imei : ""};
}

/* ---- received messages, calls and reports ---- */

static void put(struct task *t, const char *folder, const char *modem, int64_t id)
{
    t->item.kind = DISK_PUT;
    t->item.folder = folder;
    spool_file_name(modem, id, t->item.name);
    task_ready(t);
}

static void received(struct task *t)
{
    const struct msg_row *m = &t->show.row;
    struct compose_modem modem = modem_of(t->sp, m->modem, m->imsi);
    if ((m->flags & MSG_F_SILENT) && gateway_discards_silent(t->sp->g)) {
        task_end(t);
        return;
    }
    if (m->flags & MSG_F_CALL) {
        compose_call(&t->item.content, m, &modem);
        put(t, SPOOL_CALLS, m->modem, m->id);
        return;
    }
    compose_received(&t->item.content, m, &modem);
    put(t, SPOOL_INCOMING, m->modem, m->id);
}

static void reported(struct task *t)
{
    const struct report_row *r = NULL;
    for (int i = 0; i < t->show.nreports; i++)
        if (t->show.reports[i].id == t->row.report)
            r = &t->show.reports[i];
    if (!r) {
        task_end(t);
        return;
    }
    struct compose_modem modem = modem_of(t->sp, r->modem, r->imsi);
    compose_report(&t->item.content, &t->show.row, r, &modem);
    put(t, SPOOL_REPORT, r->modem, r->id);
}

/* ---- outcomes ---- */

/* All recipients have ended: to sent/ or failed/. */
static void finish(struct task *t)
{
    const struct compose_result *last = &t->results[0];
    for (int i = 0; i < t->n; i++) {
        const struct compose_result *r = &t->results[i];
        if (r->found && (!last->found || r->sent_wall_ms >= last->sent_wall_ms))
            last = r;
        if (!r->found && !t->item.opted_out)
            t->item.opted_out = spool_alloc((size_t)t->n);
        if (!r->found)
            t->item.opted_out[i] = 1;
    }
    struct compose_modem modem = modem_of(t->sp, last->modem, last->imsi);
    bool sent = compose_outcome(&t->item.content, t->results, t->n, &modem);
    t->item.kind = DISK_FINISH;
    t->item.folder = sent ? SPOOL_SENT : SPOOL_FAILED;
    t->item.recipients = t->n;
    str_copy(t->item.name, sizeof(t->item.name), t->claimed);
    task_ready(t);
}

/* Nobody of the file is in the store: the last life ended before it was accepted. */
static void conclude(struct task *t)
{
    struct claim *c = t->claim;
    if (t->known) {
        if (c)
            claim_free(c);
        t->claim = NULL;
        finish(t);
        return;
    }
    t->claim = NULL;
    task_end(t);
    if (c)
        pick_admit(c);
}

static void leave(struct task *t)
{
    struct spool *sp = t->sp;
    if (t->claim)
        claim_free(t->claim);
    t->claim = NULL;
    task_end(t);
    pick_go(sp);
}

static void on_look(struct store_op *op, int status)
{
    struct task *t = container_of(op, struct task, show.op);
    struct compose_result *r = &t->results[t->at];
    if (status < 0 && status != ERR_NOT_FOUND) {
        if (status == ERR_CANCELLED)
            task_free(t);
        else
            task_failed(t, &op->err);
        return;
    }
    if (status == 0) {
        compose_result_from(r, &t->show);
        store_show_clear(&t->show);
        t->known = true;
    }
    if (compose_result_ended(r))
        look(t);
    else
        leave(t); /* the outcome of this one comes later, and finishes the file */
}

/* The recipients from the last to the first: the last is the one most likely not to have ended yet. */
static void look(struct task *t)
{
    t->at--;
    if (t->at == t->own)
        t->at--;
    if (t->at < 0) {
        conclude(t);
        return;
    }
    spool_key(spool_unique_of(t->claimed), t->at, t->n, t->key);
    t->show = (struct store_show){.op.done = on_look, .key = t->key};
    store_show(t->sp->store, &t->show);
}

/* Which file a message came from. False: from none. */
static bool read_origin(struct task *t, const struct msg_row *m)
{
    json_t *meta =
        m->meta && strncmp(m->key, SPOOL_KEY, strlen(SPOOL_KEY)) == 0 ? json_loads(m->meta, 0, NULL) : NULL;
    const char *file = json_string_value(json_object_get(meta, "file"));
    int64_t n = json_integer_value(json_object_get(meta, "of")), i = 1;
    const char *mark = strchr(m->key, '#');
    bool ok = file && n >= 1 && n <= SPOOL_RECIPIENTS_MAX && spool_name_from_text(file, t->claimed) &&
              spool_unique_of(t->claimed) && (!mark || str_to_i64(mark + 1, 1, n, &i));
    json_decref(meta);
    t->n = (int)n;
    t->own = (int)i - 1;
    return ok;
}

static void ended(struct task *t)
{
    if (!read_origin(t, &t->show.row)) {
        task_end(t);
        return;
    }
    t->results = spool_alloc((size_t)t->n * sizeof(*t->results));
    compose_result_from(&t->results[t->own], &t->show);
    t->known = true;
    t->at = t->n;
    if (compose_result_ended(&t->results[t->own]))
        look(t);
    else
        task_end(t); /* queued again meanwhile */
}

/* ---- the outbox ---- */

static void on_shown(struct store_op *op, int status)
{
    struct task *t = container_of(op, struct task, show.op);
    static void (*const kinds[])(struct task *) = {
        [OUTBOX_RECEIVED] = received, [OUTBOX_OUTCOME] = ended, [OUTBOX_REPORT] = reported};
    if (status == ERR_CANCELLED) {
        task_free(t);
        return;
    }
    if (status < 0 && status != ERR_NOT_FOUND) {
        task_failed(t, &op->err);
        return;
    }
    bool known = status == 0 && t->row.kind > 0 && (size_t)t->row.kind < ARRAY_LEN(kinds);
    if (!known) {
        task_end(t);
        return;
    }
    struct store_show shown = t->show; /* `show` is used again for the others of the file */
    kinds[t->row.kind](t);
    store_show_clear(&shown);
}

static void task_begin(struct task *t)
{
    task_clear(t);
    if (t->row.id) {
        t->show = (struct store_show){.op.done = on_shown, .id = t->row.message};
        store_show(t->sp->store, &t->show);
        return;
    }
    t->known = false;
    t->results = spool_alloc((size_t)t->n * sizeof(*t->results));
    t->at = t->n;
    look(t);
}

static void on_rows(struct store_op *op, int status)
{
    struct spool *sp = container_of(op, struct spool, settle.rows.op);
    struct settler *s = &sp->settle;
    s->reading = false;
    if (status < 0) {
        if (status != ERR_CANCELLED)
            backoff_start(sp, &s->retry, RETRY_FIRST_MS, RETRY_MOST_MS);
        return;
    }
    struct outbox_row *rows = s->rows.rows;
    int n = s->rows.count;
    if (n == s->rows.max)
        s->more = true;
    for (int i = 0; i < n; i++) {
        struct task *t;
        s->after_id = rows[i].id;
        if (sp->stopped)
            continue;
        t = task_new(sp);
        t->row = rows[i];
        task_begin(t);
    }
    free(rows);
    settle_pump(sp);
}

void settle_pump(struct spool *sp)
{
    struct settler *s = &sp->settle;
    if (sp->stopped || s->reading || !s->more || s->active >= ACTIVE_MAX / 2 || s->failing >= FAILING_MAX)
        return;
    s->more = false;
    s->reading = true;
    s->rows = (struct store_outbox){
        .op.done = on_rows, .sink = SPOOL_SINK, .after_id = s->after_id, .max = ACTIVE_MAX - s->active};
    store_outbox(sp->store, &s->rows);
}

/* ---- from pick.c ---- */

void settle_refuse(struct spool *sp, const char *claimed, const char *reason)
{
    struct task *t = task_new(sp);
    t->item.kind = DISK_FINISH;
    t->item.folder = SPOOL_FAILED;
    str_copy(t->item.name, sizeof(t->item.name), claimed);
    compose_refusal(&t->item.content, reason, rt_wall_ms(sp->rt));
    task_ready(t);
}

void settle_recheck(struct claim *c)
{
    struct task *t = task_new(c->sp);
    t->claim = c;
    t->n = c->disk.file.nto;
    t->own = -1;
    str_copy(t->claimed, sizeof(t->claimed), c->disk.claimed);
    task_begin(t);
}

/* ---- time and life ---- */

static void retry(struct spool *sp)
{
    struct settler *s = &sp->settle;
    struct task *t = s->failed, *next;
    int n = 0;
    for (; t && n < ACTIVE_MAX; t = next, n++) {
        next = t->next_in_line;
        s->failed = next;
        s->failing--;
        s->active++;
        if (t->row.id || !t->item.content.len)
            task_begin(t);
        else
            task_ready(t); /* composed already */
    }
    if (s->failed)
        backoff_start(sp, &s->retry, RETRY_FIRST_MS, RETRY_MOST_MS);
}

void settle_tick(struct spool *sp, int64_t now_ms)
{
    struct settler *s = &sp->settle;
    if (s->retry.at_ms <= now_ms) {
        s->retry.at_ms = RT_NEVER;
        s->more = true;
        retry(sp);
    }
    settle_pump(sp);
}

void settle_start(struct spool *sp)
{
    struct settler *s = &sp->settle;
    s->ready_end = &s->ready;
    s->work = (struct rt_work){.run = write_run, .done = write_done};
    s->more = true;
    backoff_reset(&s->retry);
    settle_pump(sp);
}

void settle_free(struct spool *sp)
{
    for (struct task *t = sp->settle.tasks, *next; t; t = next) {
        next = t->next;
        task_clear(t);
        free(t);
    }
}
