/* The two lanes: queues of operations, each with at most one batch on the runtime's other thread.
 *
 * What comes while a batch is under way gathers for the next. The reader's lane runs one operation at a time
 * on its own connection, or several brief ones. The loop's thread owns the queues; the batch and its
 * connection belong to the other thread from the hand-over until `done`. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "store/private.h"

enum { RETRY_MS = 100, PROBE_MS = 2000 };

/* Batches of abandoned stores whose request the runtime still holds. Loop's thread only. */
static struct batch *orphans;

void op_list_init(struct op_list *l)
{
    l->head = NULL;
    l->tail = &l->head;
    l->count = 0;
}

static void list_add(struct op_list *l, struct store_op *op)
{
    op->next = NULL;
    *l->tail = op;
    l->tail = &op->next;
    l->count++;
}

static struct store_op *list_take(struct op_list *l)
{
    struct store_op *op = l->head;

    if (!op)
        return NULL;
    l->head = op->next;
    if (!l->head)
        l->tail = &l->head;
    l->count--;
    return op;
}

/* ---- on the other thread ---- */

static void batch_run(struct rt_work *w)
{
    struct batch *b = container_of(w, struct batch, work);
    bool dropped;

    pthread_mutex_lock(&b->lock);
    dropped = b->dropped;
    b->phase = BATCH_RUNNING;
    pthread_mutex_unlock(&b->lock);
    if (!dropped) {
        if (b->shut)
            store_close_connections(b->store, true);
        else
            batch_execute(b);
    }
    pthread_mutex_lock(&b->lock);
    b->phase = BATCH_FINISHED;
    pthread_cond_signal(&b->finished);
    pthread_mutex_unlock(&b->lock);
}

/* ---- on the loop's thread ---- */

static void batch_free(struct batch *b)
{
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->finished);
    free(b);
}

static void batch_done(struct rt_work *w, int status);

int lane_init(struct store *s, struct lane *l, int batch_max, bool writes)
{
    l->batch = calloc(1, sizeof *l->batch);
    if (!l->batch)
        return ERR_NOMEM;
    op_list_init(&l->gathering);
    op_list_init(&l->batch->ops);
    l->batch_max = batch_max;
    l->writes = writes;
    l->batch->store = s;
    l->batch->lane = l;
    l->batch->work.run = batch_run;
    l->batch->work.done = batch_done;
    pthread_mutex_init(&l->batch->lock, NULL);
    pthread_cond_init(&l->batch->finished, NULL);
    return ERR_OK;
}

void lane_fini(struct lane *l)
{
    if (l->batch)
        batch_free(l->batch);
    l->batch = NULL;
}

static void arm(struct store *s, int64_t ms)
{
    rt_timer_at(s->rt, &s->retry, rt_now_ms(s->rt) + ms);
}

static void hand_over(struct store *s, struct lane *l)
{
    struct batch *b = l->batch;

    b->phase = BATCH_WAITING;
    b->full = b->wrote = b->made_work = false;
    l->busy = true;
    if (rt_work(s->rt, &b->work) == 0)
        return;
    /* No memory for it at the moment: the operations stay in the batch and go at the next try. */
    b->phase = BATCH_IDLE;
    l->busy = false;
    arm(s, RETRY_MS);
}

/* A listing or a backup may take long: nobody's answer waits for one that came later. */
static bool may_join(const struct lane *l, const struct store_op *op)
{
    if (!op || l->writes || !l->batch->ops.head)
        return op;
    return op->brief && l->batch->ops.head->brief;
}

static void lane_start(struct store *s, struct lane *l)
{
    if (l->busy || (!l->gathering.head && !l->batch->ops.head))
        return;
    while (l->batch->ops.count < l->batch_max && may_join(l, l->gathering.head))
        list_add(&l->batch->ops, list_take(&l->gathering));
    hand_over(s, l);
}

static bool lane_idle(const struct lane *l)
{
    return !l->busy && !l->gathering.head && !l->batch->ops.head;
}

/* Re-checked whenever something ended: the last one shuts the connections, beside the loop. */
static void maybe_shut(struct store *s)
{
    if (!s->closing || s->shutting || s->callbacks > 0 || !lane_idle(&s->writer) || !lane_idle(&s->reader))
        return;
    s->shutting = true;
    rt_timer_stop(s->rt, &s->turn);
    rt_timer_stop(s->rt, &s->retry);
    s->writer.batch->shut = true;
    hand_over(s, &s->writer);
}

static void drop_all(const struct op_list *ops)
{
    for (struct store_op *op = ops->head; op; op = op->next)
        if (op->drop)
            op->drop(op);
}

static void finish_ops(struct store *s, struct op_list *ops)
{
    struct store_op *op;

    s->callbacks++;
    while (!s->abandoned && (op = list_take(ops))) {
        s->stats.operations++;
        s->stats.failures += op->status < 0;
        if (op->committed && op->status == 0)
            op->committed(s, op);
        op->done(op, op->status);
    }
    if (s->abandoned)
        drop_all(ops);
    s->callbacks--;
}

static void note_room(struct store *s, const struct batch *b)
{
    if (b->wrote) {
        s->stats.commits++;
        s->full = false;
    }
    if (b->full) {
        s->full = true;
        arm(s, PROBE_MS);
    }
}

static void closed(struct store *s)
{
    void (*fn)(void *owner) = s->closed;
    void *owner = s->closed_owner;

    finish_ops(s, &s->refused);
    store_free(s);
    fn(owner);
}

static void orphan_done(struct batch *b)
{
    for (struct batch **at = &orphans; *at; at = &(*at)->next_orphan)
        if (*at == b) {
            *at = b->next_orphan;
            break;
        }
    batch_free(b);
}

static void cancel_all(struct op_list *ops)
{
    for (struct store_op *op = ops->head; op; op = op->next) {
        op->status = ERR_CANCELLED;
        err_set(&op->err, ERR_CANCELLED, "the store was closed");
    }
}

static void tell_work(struct store *s)
{
    s->callbacks++;
    if (!s->abandoned && !s->closing && s->on_work)
        s->on_work(s->on_work_owner);
    s->callbacks--;
}

static void batch_done(struct rt_work *w, int status)
{
    struct batch *b = container_of(w, struct batch, work);
    struct store *s = b->store;
    struct op_list ended;
    bool made_work;

    if (!s) {
        orphan_done(b);
        return;
    }
    b->phase = BATCH_IDLE;
    b->lane->busy = false;
    if (b->shut) {
        closed(s);
        return;
    }
    ended = b->ops;
    if (!ended.head)
        ended.tail = &ended.head;
    op_list_init(&b->ops);
    if (status < 0)
        cancel_all(&ended);
    else
        note_room(s, b);
    made_work = status >= 0 && b->made_work;
    /* What gathered goes first, so that the disk works while the callbacks do. */
    lane_start(s, b->lane);
    finish_ops(s, &ended);
    if (made_work)
        tell_work(s);
    if (s->abandoned && s->callbacks == 0) {
        store_free(s);
        return;
    }
    maybe_shut(s);
}

static void submit(struct store *s, struct lane *l, struct store_op *op, store_exec exec, store_drop drop)
{
    op->exec = exec;
    op->drop = drop;
    op->status = 0;
    op->err = (struct err){0};
    if (s->closing) {
        op->status = err_set(&op->err, ERR_CANCELLED, "the store was closed");
        list_add(&s->refused, op);
        return;
    }
    list_add(&l->gathering, op);
    if (!l->busy && s->turn.at_ms == RT_NEVER)
        rt_timer_at(s->rt, &s->turn, rt_now_ms(s->rt));
}

/* Not before: the callbacks of a turn ask for several things, which then share a commit, and what they write
 * to a modem has left before another thread wants the processor. */
void store_turn_fire(struct rt_timer *t)
{
    struct store *s = container_of(t, struct store, turn);

    lane_start(s, &s->writer);
    lane_start(s, &s->reader);
}

void store_submit_write(struct store *s, struct store_op *op, store_exec exec, store_drop drop)
{
    op->brief = false;
    submit(s, &s->writer, op, exec, drop);
}

void store_submit_read(struct store *s, struct store_op *op, store_exec exec, store_drop drop)
{
    op->brief = false;
    submit(s, &s->reader, op, exec, drop);
}

void store_submit_brief_read(struct store *s, struct store_op *op, store_exec exec, store_drop drop)
{
    op->brief = true;
    submit(s, &s->reader, op, exec, drop);
}

/* ---- room on the disk ------------------------------------------------------------------------------------
 */

/* As much as a batch of messages takes, and a little more: room for a page would say nothing. */
static const char sql_probe[] = "INSERT OR REPLACE INTO room(id, bytes) VALUES(1, zeroblob(262144))";

static int exec_probe(struct store_db *db, struct store_op *op)
{
    (void)op;
    return db_run(db, sql_probe, NULL, 0);
}

static void probe_done(struct store_op *op, int status)
{
    struct store *s = container_of(op, struct store, probe);

    (void)status; /* note_room has seen it, and armed the timer again where there still is none */
    s->probing = false;
}

/* While the disk is full a small write is tried now and then, so that the store finds out by itself, also
 * when everybody above has stopped writing. */
void store_retry_fire(struct rt_timer *t)
{
    struct store *s = container_of(t, struct store, retry);

    if (s->shutting) {
        hand_over(s, &s->writer);
        return;
    }
    lane_start(s, &s->writer);
    lane_start(s, &s->reader);
    if (s->full && !s->probing && !s->closing) {
        s->probing = true;
        s->probe.done = probe_done;
        store_submit_write(s, &s->probe, exec_probe, NULL);
    }
}

/* ---- the end ---- */

void store_close(struct store *s, void (*fn)(void *owner), void *owner)
{
    s->closed = fn;
    s->closed_owner = owner;
    s->closing = true;
    maybe_shut(s);
}

/* Takes the batch from the other thread. What it was at then; anything but BATCH_IDLE: the runtime still
 * holds its request. */
static enum batch_phase batch_stop(struct batch *b)
{
    enum batch_phase phase;

    pthread_mutex_lock(&b->lock);
    b->dropped = true;
    while (b->phase == BATCH_RUNNING)
        pthread_cond_wait(&b->finished, &b->lock);
    phase = b->phase;
    pthread_mutex_unlock(&b->lock);
    return phase;
}

static void lane_abandon(struct lane *l)
{
    struct batch *b = l->batch;
    enum batch_phase phase = batch_stop(b);

    l->batch = NULL;
    if (phase == BATCH_IDLE) {
        batch_free(b);
        return;
    }
    if (phase == BATCH_FINISHED)
        drop_all(&b->ops);
    b->store = NULL;
    b->next_orphan = orphans;
    orphans = b;
}

void store_abandon(struct store *s)
{
    rt_timer_stop(s->rt, &s->turn);
    rt_timer_stop(s->rt, &s->retry);
    lane_abandon(&s->writer);
    lane_abandon(&s->reader);
    store_close_connections(s, false);
    s->abandoned = true;
    if (s->callbacks == 0)
        store_free(s);
}

bool store_is_full(const struct store *s)
{
    return s->full;
}

void store_get_stats(const struct store *s, struct store_stats *out)
{
    *out = s->stats;
    out->queued = s->writer.gathering.count + s->reader.gathering.count;
}
