/* What the files about campaigns share. Private to desk/. */
#ifndef SIMGATE_DESK_CAMPAIGN_PRIVATE_H
#define SIMGATE_DESK_CAMPAIGN_PRIVATE_H

#include "base/log.h"
#include "desk/campaign.h"

#define WHO "campaign"

struct run;

/* A request under way; campaigns_free() frees it. */
struct campaign_job {
    struct campaigns *c;
    void (*drop)(struct campaign_job *j);
    struct campaign_job *prev, *next;
};

struct campaigns {
    struct rt *rt;
    struct engine *en;
    struct gateway *g;
    struct store *s;
    struct rt_timer timer;
    struct run *runs;
    struct campaign_job *jobs;
    struct store_campaigns list;    /* which are RUNNING */
    struct store_campaigns stopped; /* at start: what they have in the queue */
    bool listing, again;
};

void campaigns_look(struct campaigns *c);
/* Cancels what a stopped one has in the queue. */
void campaign_clear_queue(struct campaigns *c, int64_t id, const char *who);
void campaign_job_add(struct campaigns *c, struct campaign_job *j, void (*drop)(struct campaign_job *j));
void campaign_job_end(struct campaign_job *j);
/* The message of a recipient; fields that borrow are the recipient's. */
void campaign_send_init(struct gateway_send *s, const struct campaign_row *row, const char *to,
                        const char *text, const char *source, const char *key);

#endif
