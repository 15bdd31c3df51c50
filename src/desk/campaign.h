/* Campaigns under way: recipients' messages are made and admitted at the campaign's pace, one batch after the
 * other; and what one would be like before it begins. What is to be done is in the store (store/campaign.h):
 * a crash or restart goes on where it stopped, and sends nothing twice.
 */
#ifndef SIMGATE_DESK_CAMPAIGN_H
#define SIMGATE_DESK_CAMPAIGN_H

#include "engine/engine.h"
#include "gateway/gateway.h"
#include "store/campaign.h"

struct campaigns;

/* Borrowed until campaigns_free: all. Goes on with what is RUNNING. */
struct campaigns *campaigns_new(struct rt *rt, struct engine *en, struct gateway *g, struct store *s);
/* Frees at once, calling nothing. The store must be closed or abandoned, and the gateway freed before. */
void campaigns_free(struct campaigns *c);

/* Is a text one that can be sent? ERR_INVALID, ERR_NOT_FOUND: what is wrong. */
int campaign_check_text(struct campaigns *c, const char *text, struct err *e);

/* Start, pause, resume, stop: see store_campaign_move. What is STOPPED is taken out of the queue too, as far
 * as it did not go yet. In place until `done`, which comes once, never before the call returns. */
struct campaign_move {
    int64_t id;
    enum campaign_state to;
    const char *who; /* borrowed during the call */
    void (*done)(struct campaign_move *m, int status);
    enum campaign_state was; /* out */
    struct err err;          /* out */
    void *impl;
};
void campaign_move(struct campaigns *c, struct campaign_move *m);

/* What it would be like, now. In place until `done`. */
enum { CAMPAIGN_SAMPLES = 3 };
struct campaign_preview {
    int64_t id;
    void (*done)(struct campaign_preview *p, int status);
    int64_t recipients;   /* out: all */
    int64_t go;           /* out: of these, get it */
    int64_t opted_out;    /* … want nothing */
    int64_t not_opted_in; /* … never said that they want it */
    int64_t unusable;     /* … no message can be made for; the first reason in `why` */
    int64_t deferred;     /* of those that get it: not now, by their quiet hours */
    int64_t segments;     /* of all that go */
    int segments_most;    /* of one */
    int64_t cost_micros;
    int64_t
        time_ms; /* out: until the last one is handed over, as far as can be told; -1: no modem is ready */
    struct campaign_sample {
        char to[NUMBER_BYTES];
        struct buf text;
        int segments;
    } samples[CAMPAIGN_SAMPLES]; /* out: campaign_preview_clear() */
    int nsamples;
    char why[MSG_REASON_BYTES];
    struct err err;
    void *impl;
};
void campaign_preview(struct campaigns *c, struct campaign_preview *p);
void campaign_preview_clear(struct campaign_preview *p);

#endif
