/* Starting, pausing and stopping campaigns. What a stopped one has in the queue is cancelled, a few messages
 * at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "desk/campaign_private.h"

enum { CANCELS = 50 };

struct moving {
    struct campaign_job job;
    struct campaign_move *m; /* NULL: it was told; the queue is cleared still */
    char *who;
    struct store_campaign_move op;
    struct store_recipients queued;
    struct cancelling {
        struct gateway_change change;
        struct moving *of;
    } cancels[CANCELS];
    int open;
    int64_t after;
};

static void moving_drop(struct campaign_job *j)
{
    struct moving *m = container_of(j, struct moving, job);

    free(m->queued.rows);
    free(m->who);
    free(m);
}

static void clear_queue(struct moving *m);

static void on_cancelled(struct gateway_change *c, int status, const struct err *e)
{
    struct moving *m = container_of(c, struct cancelling, change)->of;

    (void)e; /* one that went meanwhile has gone */
    if (--m->open == 0 && status != ERR_CANCELLED)
        clear_queue(m);
}

static void on_queued(struct store_op *op, int status)
{
    struct moving *m = container_of(op, struct moving, queued.op);
    struct recipient_row *rows = m->queued.rows;
    int count = status < 0 ? 0 : m->queued.count;

    m->queued.rows = NULL;
    m->open = count;
    for (int i = 0; i < count; i++) {
        m->cancels[i].of = m;
        m->cancels[i].change = (struct gateway_change){.done = on_cancelled};
        m->after = rows[i].n;
    }
    for (int i = 0; i < count; i++)
        gateway_cancel(m->job.c->g, rows[i].message, m->who, &m->cancels[i].change);
    free(rows);
    if (count == 0 && status != ERR_CANCELLED)
        campaign_job_end(&m->job);
}

static void clear_queue(struct moving *m)
{
    m->queued = (struct store_recipients){.op.done = on_queued,
                                          .id = m->op.id,
                                          .after = m->after,
                                          .state = RECIPIENT_ACCEPTED,
                                          .message_state = MSG_QUEUED,
                                          .limit = CANCELS};
    store_recipients(m->job.c->s, &m->queued);
}

void campaign_clear_queue(struct campaigns *c, int64_t id, const char *who)
{
    struct moving *m = calloc(1, sizeof *m);

    if (!m || !(m->who = strdup(who)))
        abort();
    campaign_job_add(c, &m->job, moving_drop);
    m->op.id = id;
    clear_queue(m);
}

static void on_moved(struct store_op *op, int status)
{
    struct moving *m = container_of(op, struct moving, op.op);
    struct campaigns *c = m->job.c;
    struct campaign_move *told = m->m;

    told->was = m->op.was;
    told->err = op->err;
    if (status == 0) {
        log_notice(WHO, "campaign=%lld %s by=%s", (long long)m->op.id, campaign_state_name(m->op.to), m->who);
        campaigns_look(c);
    }
    if (status == 0 && m->op.to == CAMPAIGN_STOPPED)
        clear_queue(m);
    else
        campaign_job_end(&m->job);
    told->done(told, status);
}

void campaign_move(struct campaigns *c, struct campaign_move *told)
{
    struct moving *m = calloc(1, sizeof *m);

    if (!m || !(m->who = strdup(told->who ? told->who : "")))
        abort();
    m->m = told;
    campaign_job_add(c, &m->job, moving_drop);
    m->op = (struct store_campaign_move){
        .op.done = on_moved, .id = told->id, .to = told->to, .who = m->who, .now_wall_ms = rt_wall_ms(c->rt)};
    store_campaign_move(c->s, &m->op);
}
