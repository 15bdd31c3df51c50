/* What a campaign would be like: every recipient's message is made and looked at, and not sent. Some hundred
 * at a time, so that the loop never waits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "desk/campaign_private.h"
#include "engine/render.h"

enum { SLICE = 200 };

struct previewing {
    struct campaign_job job;
    struct campaign_preview *p;
    struct store_campaign_next next;
    char modem[MSG_MODEM_BYTES], pool[MSG_MODEM_BYTES];
    int per_minute;
};

static void previewing_drop(struct campaign_job *j)
{
    struct previewing *x = container_of(j, struct previewing, job);

    store_campaign_next_clear(&x->next);
    free(x);
}

void campaign_preview_clear(struct campaign_preview *p)
{
    for (int i = 0; i < p->nsamples; i++)
        buf_free(&p->samples[i].text);
    p->nsamples = 0;
}

static void finish(struct previewing *x, int status)
{
    struct campaign_preview *p = x->p;

    campaign_job_end(&x->job);
    p->done(p, status);
}

/* By its pace, or by what the modems are through with, whichever is slower. */
static int64_t time_of(const struct previewing *x)
{
    const struct campaign_preview *p = x->p;
    double speed = gateway_parts_per_second(x->job.c->g, x->modem, x->pool), ms, paced = 0;

    if (p->segments > 0 && speed <= 0)
        return -1;
    ms = p->segments > 0 ? (double)p->segments / speed * 1000 : 0;
    if (x->per_minute > 0)
        paced = (double)p->recipients * 60000 / x->per_minute;
    return (int64_t)(paced > ms ? paced : ms);
}

static void unusable(struct campaign_preview *p, const char *fmt, const char *what)
{
    if (p->unusable++ == 0)
        snprintf(p->why, sizeof p->why, fmt, what);
}

/* The text moves into the sample. */
static void keep_sample(struct campaign_preview *p, const char *to, struct buf *text, int segments)
{
    struct campaign_sample *s = &p->samples[p->nsamples];

    if (p->nsamples == CAMPAIGN_SAMPLES)
        return;
    p->nsamples++;
    *s = (struct campaign_sample){.text = *text, .segments = segments};
    str_copy(s->to, sizeof s->to, to);
    *text = (struct buf){0};
}

static void look_at(struct previewing *x, const struct engine_text *text, const struct campaign_contact *to)
{
    struct campaign_preview *p = x->p;
    struct campaigns *c = x->job.c;
    struct gateway_estimate estimate;
    struct gateway_send send;
    struct buf words = {0};
    struct err e = {0};
    int64_t now = rt_wall_ms(c->rt);
    const char *missing;

    p->recipients++;
    if (to->consent == CONSENT_OUT) {
        p->opted_out++;
        return;
    }
    if (to->consent == CONSENT_UNKNOWN) {
        p->not_opted_in++;
        return;
    }
    missing = engine_text_render(text, to->number, &to->contact, now, &words);
    campaign_send_init(&send, &x->next.row, to->number, buf_str(&words), "campaign", NULL);
    if (missing) {
        unusable(p, "no value for %.60s", missing);
    } else if (gateway_estimate(c->g, &send, &estimate, &e) < 0) {
        unusable(p, "%.150s", e.text);
    } else {
        p->go++;
        p->segments += estimate.parts;
        p->cost_micros += estimate.cost_micros;
        p->deferred += estimate.due_wall_ms > now;
        if (estimate.parts > p->segments_most)
            p->segments_most = estimate.parts;
        keep_sample(p, to->number, &words, estimate.parts);
    }
    buf_free(&words);
}

static void ask(struct previewing *x);

static void on_slice(struct store_op *op, int status)
{
    struct previewing *x = container_of(op, struct previewing, next.op);
    struct engine_text *text = NULL;
    bool more = x->next.count == SLICE;

    if (status == 0)
        status = engine_text_new(x->job.c->en, x->next.row.text, &text, &x->p->err);
    else
        x->p->err = op->err;
    if (status < 0) {
        finish(x, status);
        return;
    }
    str_copy(x->modem, sizeof x->modem, x->next.row.modem);
    str_copy(x->pool, sizeof x->pool, x->next.row.pool);
    x->per_minute = x->next.row.per_minute;
    for (int i = 0; i < x->next.count; i++)
        look_at(x, text, &x->next.rows[i]);
    engine_text_free(text);
    if (x->next.count > 0)
        x->next.after = x->next.rows[x->next.count - 1].n;
    store_campaign_next_clear(&x->next);
    if (more) {
        ask(x);
        return;
    }
    x->p->time_ms = time_of(x);
    finish(x, 0);
}

static void ask(struct previewing *x)
{
    x->next = (struct store_campaign_next){.op.done = on_slice,
                                           .id = x->p->id,
                                           .after = x->next.after,
                                           .max = SLICE,
                                           .look_only = true,
                                           .now_wall_ms = rt_wall_ms(x->job.c->rt)};
    store_campaign_next(x->job.c->s, &x->next);
}

void campaign_preview(struct campaigns *c, struct campaign_preview *p)
{
    struct previewing *x = calloc(1, sizeof *x);

    if (!x)
        abort();
    *p = (struct campaign_preview){.id = p->id, .done = p->done};
    x->p = p;
    campaign_job_add(c, &x->job, previewing_drop);
    ask(x);
}
