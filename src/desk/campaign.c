/* The runner of campaigns. Each RUNNING one asks the store for the next few recipients, makes their messages,
 * has them admitted, and notes what became of each; then it waits as its pace says.
 *
 * No more is put into the queue while much waits there: urgent messages pass anyway, but a campaign that is
 * paused or stopped should not have gone far ahead. Owns its runs and their batches. */
#include "desk/campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "desk/campaign_private.h"
#include "engine/render.h"

enum {
    BATCH_MOST = 50,
    QUEUE_MOST = 1000,    /* messages in the queue, beyond which a campaign waits */
    WAIT_MS = 1000,       /* … so long */
    STALL_MS = 10000,     /* after the store or the queue had no room */
    LOOK_MOST_MS = 60000, /* while its time has not come */
    STOPPED_MS = 86400000 /* what was stopped longer ago has nothing in the queue */
};

/* One recipient's message. */
struct sending {
    struct run *run;
    struct gateway_admit a;
    struct gateway_send send;
    struct gateway_admitted result;
    struct err refused; /* there is no text for it (any more) */
    struct buf text;
    char number[NUMBER_BYTES], key[MSG_KEY_BYTES];
    int64_t n;
};

struct run {
    struct campaigns *c;
    int64_t id;
    char source[MSG_SOURCE_BYTES];
    struct store_campaign_next next;
    struct store_campaign_mark mark;
    struct store_campaign_move pause;
    struct sending sends[BATCH_MOST];
    struct campaign_mark marks[BATCH_MOST];
    int batch, nsends, open, nmarks;
    int64_t began_ms, next_ms; /* the batch; the next one */
    bool busy, stalled;
    struct run *prev, *following;
};

static void arm(struct campaigns *c)
{
    int64_t at = RT_NEVER;
    struct run *r;

    DL_FOREACH2(c->runs, r, following)
    if (!r->busy && r->next_ms < at)
        at = r->next_ms;
    rt_timer_at(c->rt, &c->timer, at);
}

static void forget_sends(struct run *r)
{
    for (int i = 0; i < r->nsends; i++)
        buf_free(&r->sends[i].text);
    r->nsends = r->nmarks = 0;
}

static void run_end(struct run *r)
{
    struct campaigns *c = r->c;

    DL_DELETE2(c->runs, r, prev, following);
    forget_sends(r);
    store_campaign_next_clear(&r->next);
    free(r);
    arm(c);
}

static void again_in(struct run *r, int64_t ms)
{
    r->busy = false;
    r->next_ms = rt_now_ms(r->c->rt) + ms;
    arm(r->c);
}

/* ---- what became of a batch ---- */

/* So many at a time, so that the pace is even, and so long until the next. */
static int batch_of(const struct campaign_row *row)
{
    int per_five_seconds = row->per_minute / 12;

    if (row->per_minute == 0 || per_five_seconds > BATCH_MOST)
        return BATCH_MOST;
    return per_five_seconds > 0 ? per_five_seconds : 1;
}

static int64_t pace_ms(const struct run *r)
{
    return r->next.row.per_minute > 0 ? (int64_t)r->next.count * 60000 / r->next.row.per_minute : 0;
}

static void on_marked(struct store_op *op, int status)
{
    struct run *r = container_of(op, struct run, mark.op);
    int64_t passed = rt_now_ms(r->c->rt) - r->began_ms, pace = pace_ms(r);
    bool stalled = r->stalled || status < 0;

    forget_sends(r);
    store_campaign_next_clear(&r->next);
    if (status == ERR_CANCELLED)
        return;
    if (status == 0 && r->mark.state == CAMPAIGN_STOPPED) /* while the batch was on its way into the queue */
        campaign_clear_queue(r->c, r->id, "campaign");
    if (status == 0 && r->mark.state == CAMPAIGN_DONE) {
        log_notice(WHO, "campaign=%lld done", (long long)r->id);
        run_end(r);
        return;
    }
    again_in(r, stalled ? STALL_MS : pace > passed ? pace - passed : 0);
}

static void mark(struct run *r)
{
    r->mark = (struct store_campaign_mark){.op.done = on_marked,
                                           .id = r->id,
                                           .marks = r->marks,
                                           .count = r->nmarks,
                                           .now_wall_ms = rt_wall_ms(r->c->rt)};
    store_campaign_mark(r->c->s, &r->mark);
}

static void note(struct run *r, int64_t n, enum recipient_state state, int64_t message, const char *reason)
{
    struct campaign_mark *m = &r->marks[r->nmarks++];

    *m = (struct campaign_mark){.n = n, .state = state, .message = message};
    str_copy(m->reason, sizeof m->reason, reason);
}

/* It is asked for again: its key keeps it from going out twice. */
static bool may_work_later(int code, const char *text)
{
    /* The day's cost cap is no refusal of this recipient. */
    if (code == ERR_REFUSED && strncmp(text, "cost:", 5) == 0)
        return true;
    return code == ERR_FULL || code == ERR_IO || code == ERR_NOMEM || code == ERR_CANCELLED ||
           code == ERR_BUSY;
}

static void on_admitted(struct gateway_admit *a, int status)
{
    struct sending *s = container_of(a, struct sending, a);
    struct run *r = s->run;
    int code = s->result.err.code ? s->result.err.code : status;

    if (code == 0)
        note(r, s->n, RECIPIENT_ACCEPTED, s->result.id, "");
    else if (may_work_later(code, s->result.err.text))
        r->stalled = true;
    else
        note(r, s->n, RECIPIENT_REFUSED, 0, s->result.err.text);
    if (--r->open == 0)
        mark(r);
}

/* ---- a batch ---- */

void campaign_send_init(struct gateway_send *s, const struct campaign_row *row, const char *to,
                        const char *text, const char *source, const char *key)
{
    gateway_send_init(s);
    s->to = to;
    s->reading = NUMBER_READ_INTERNATIONAL;
    s->text = text;
    s->modem = row->modem;
    s->pool = row->pool;
    s->source = source;
    s->key = key;
    s->marketing = true;
    s->priority = 0;
    s->who = row->who;
}

static void prepare(struct run *r, const struct engine_text *text, const struct campaign_contact *to)
{
    struct sending *s = &r->sends[r->nsends];
    const char *missing;

    *s = (struct sending){.run = r, .n = to->n};
    missing = engine_text_render(text, to->number, &to->contact, rt_wall_ms(r->c->rt), &s->text);
    if (missing)
        err_set(&s->refused, ERR_INVALID, "no value for %.60s", missing);
    str_copy(s->number, sizeof s->number, to->number);
    snprintf(s->key, sizeof s->key, "%s:%s", r->source, to->number);
    campaign_send_init(&s->send, &r->next.row, s->number, buf_str(&s->text), r->source, s->key);
    s->send.refused = missing ? &s->refused : NULL;
    s->a = (struct gateway_admit){.sends = &s->send, .count = 1, .done = on_admitted, .results = &s->result};
    r->nsends++;
}

static void on_paused(struct store_op *op, int status)
{
    struct run *r = container_of(op, struct run, pause.op);

    if (status != ERR_CANCELLED)
        run_end(r);
}

/* Its text cannot be sent any more: a person is needed. */
static void pause_it(struct run *r, const struct err *why)
{
    log_warning(WHO, "campaign=%lld paused: %s", (long long)r->id, why->text);
    r->pause = (struct store_campaign_move){.op.done = on_paused,
                                            .id = r->id,
                                            .to = CAMPAIGN_PAUSED,
                                            .who = "campaign",
                                            .now_wall_ms = rt_wall_ms(r->c->rt)};
    r->pause.reason = "its text cannot be sent: see the log";
    store_campaign_move(r->c->s, &r->pause);
}

static void send_batch(struct run *r)
{
    struct engine_text *text;
    struct err e = {0};

    if (engine_text_new(r->c->en, r->next.row.text, &text, &e) < 0) {
        pause_it(r, &e);
        return;
    }
    for (int i = 0; i < r->next.count; i++)
        prepare(r, text, &r->next.rows[i]);
    engine_text_free(text);
    r->open = r->nsends;
    for (int i = 0; i < r->nsends; i++)
        gateway_admit(r->c->g, &r->sends[i].a);
    if (r->nsends == 0)
        mark(r);
}

static void on_next(struct store_op *op, int status)
{
    struct run *r = container_of(op, struct run, next.op);
    const struct campaign_row *row = &r->next.row;
    int64_t until = row->due_wall_ms - rt_wall_ms(r->c->rt);

    if (status == ERR_CANCELLED)
        return;
    if (status == ERR_NOT_FOUND || (status == 0 && row->state != CAMPAIGN_RUNNING)) {
        run_end(r);
        return;
    }
    if (status == 0 && until <= 0) {
        send_batch(r);
        return;
    }
    store_campaign_next_clear(&r->next);
    again_in(r, status < 0 ? STALL_MS : until < LOOK_MOST_MS ? until : LOOK_MOST_MS);
}

static bool is_crowded(const struct campaigns *c)
{
    struct gateway_stats st;

    gateway_get_stats(c->g, &st);
    return st.queued >= QUEUE_MOST;
}

static void ask(struct run *r)
{
    r->busy = true;
    r->stalled = false;
    r->began_ms = rt_now_ms(r->c->rt);
    r->next = (struct store_campaign_next){
        .op.done = on_next, .id = r->id, .max = r->batch, .now_wall_ms = rt_wall_ms(r->c->rt)};
    store_campaign_next(r->c->s, &r->next);
}

static void on_timer(struct rt_timer *t)
{
    struct campaigns *c = container_of(t, struct campaigns, timer);
    int64_t now = rt_now_ms(c->rt);
    bool crowded = is_crowded(c);
    struct run *r;

    DL_FOREACH2(c->runs, r, following)
    {
        if (r->busy || r->next_ms > now)
            continue;
        if (crowded)
            r->next_ms = now + WAIT_MS;
        else
            ask(r);
    }
    arm(c);
}

/* ---- which are running ---- */

static void begin(struct campaigns *c, const struct campaign_row *row)
{
    struct run *r;

    DL_FOREACH2(c->runs, r, following)
    if (r->id == row->id)
        return;
    r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->c = c;
    r->id = row->id;
    r->batch = batch_of(row);
    r->next_ms = rt_now_ms(c->rt);
    snprintf(r->source, sizeof r->source, "campaign:%lld", (long long)row->id);
    DL_APPEND2(c->runs, r, prev, following);
    log_notice(WHO, "campaign=%lld goes on recipients=%lld", (long long)row->id, (long long)row->waiting);
}

static void on_listed(struct store_op *op, int status)
{
    struct campaigns *c = container_of(op, struct campaigns, list.op);

    c->listing = false;
    for (int i = c->list.count - 1; status == 0 && i >= 0; i--)
        begin(c, &c->list.rows[i]);
    store_campaigns_clear(&c->list);
    if (c->again && status != ERR_CANCELLED)
        campaigns_look(c);
    arm(c);
}

void campaigns_look(struct campaigns *c)
{
    enum { RUNNING_MOST = 1000 };

    c->again = c->listing;
    if (c->listing)
        return;
    c->listing = true;
    c->list =
        (struct store_campaigns){.op.done = on_listed, .state = CAMPAIGN_RUNNING, .limit = RUNNING_MOST};
    store_campaigns(c->s, &c->list);
}

/* One may have been stopped right before the last life ended. */
static void on_stopped(struct store_op *op, int status)
{
    struct campaigns *c = container_of(op, struct campaigns, stopped.op);

    for (int i = 0; status == 0 && i < c->stopped.count; i++)
        if (c->stopped.rows[i].ended_wall_ms > rt_wall_ms(c->rt) - STOPPED_MS)
            campaign_clear_queue(c, c->stopped.rows[i].id, "campaign");
    store_campaigns_clear(&c->stopped);
}

static void look_at_stopped(struct campaigns *c)
{
    enum { STOPPED_MOST = 20 };

    c->stopped =
        (struct store_campaigns){.op.done = on_stopped, .state = CAMPAIGN_STOPPED, .limit = STOPPED_MOST};
    store_campaigns(c->s, &c->stopped);
}

/* ---- life ---- */

void campaign_job_add(struct campaigns *c, struct campaign_job *j, void (*drop)(struct campaign_job *j))
{
    j->c = c;
    j->drop = drop;
    DL_APPEND(c->jobs, j);
}

void campaign_job_end(struct campaign_job *j)
{
    DL_DELETE(j->c->jobs, j);
    j->drop(j);
}

int campaign_check_text(struct campaigns *c, const char *text, struct err *e)
{
    struct engine_text *t;
    int rc = engine_text_new(c->en, text, &t, e);

    if (rc == 0)
        engine_text_free(t);
    return rc;
}

struct campaigns *campaigns_new(struct rt *rt, struct engine *en, struct gateway *g, struct store *s)
{
    struct campaigns *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    *c = (struct campaigns){
        .rt = rt, .en = en, .g = g, .s = s, .timer = {.fire = on_timer, .at_ms = RT_NEVER}};
    campaigns_look(c);
    look_at_stopped(c);
    return c;
}

void campaigns_free(struct campaigns *c)
{
    if (!c)
        return;
    rt_timer_stop(c->rt, &c->timer);
    while (c->jobs)
        campaign_job_end(c->jobs);
    for (struct run *r = c->runs, *next; r; r = next) {
        next = r->following;
        forget_sends(r);
        store_campaign_next_clear(&r->next);
        free(r);
    }
    store_campaigns_clear(&c->list);
    store_campaigns_clear(&c->stopped);
    free(c);
}
