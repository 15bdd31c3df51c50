/* How well it goes, from the store's figures: shares, means, satisfaction, and whether the objectives of
 * gateway.conf are met.
 *
 * The store knows no hours: business times are filled in here, a moment after each answer, also after a crash
 * (store_times_pending); and the days of the figures are those of the business's time zone.
 */
#ifndef SIMGATE_DESK_FIGURES_H
#define SIMGATE_DESK_FIGURES_H

#include "desk/desk.h"
#include "engine/objectives.h"
#include "store/query_desk.h"

/* What is computed of a row of figures. Shares are 0..1; -1: nothing to compute it of. */
struct figure_rates {
    double automatic;  /* of messages out */
    double delivered;  /* of those whose fate is known: delivered, undelivered, failed */
    double answered;   /* surveys, of those asked */
    double satisfied;  /* CSAT: answers in the upper part of the scale: 4-5 of 1-5, 7-9 of 1-9 */
    double mean_score; /* -1 no answers */
    double promoters;  /* NPS: 9-10 of 0-10 less 0-6, -1..1; -2: another scale or no answers */
};
void figures_rates(const struct figure_row *row, int scale_min, int scale_max, struct figure_rates *out);

/* An objective over a period. */
struct objective_result {
    const struct objective *objective; /* of the program; valid until the next turn of the loop */
    int64_t count, within;             /* what it was measured on; of times only */
    double value;                      /* the share, or the mean where it is one; -1 nothing to measure */
    bool measured, met;                /* met also where there is nothing to measure */
};

/* Figures with everything around them: one at a time per request. */
struct desk_figures {
    int64_t since_wall_ms, until_wall_ms;
    enum figure_by by;
    const char *department, *person, *sim; /* NULL any */
    void (*done)(struct desk_figures *f, int status);
    struct store_figures figures;                       /* out */
    struct store_conv_counts now;                       /* out: open now, overdue now */
    int scale_min, scale_max;                           /* out: of the survey; 0, 0 none */
    struct objective_result objectives[OBJECTIVES_MAX]; /* out */
    int nobjectives;
    struct err err; /* out */
    /* private */
    struct desk *desk;
    struct figure_target targets[FIGURE_TARGETS_MAX];
    char target_departments[FIGURE_TARGETS_MAX][DESK_WORD_BYTES];
    struct store_figures departments;
};
/* Borrowed in place until `done`, which comes once, never before the call returns. ERR_INVALID: the period.
 */
void desk_figures(struct desk *d, struct desk_figures *f);
void desk_figures_clear(struct desk_figures *f);

#endif
