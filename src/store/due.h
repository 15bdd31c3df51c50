/* What a clock has to do with conversations: found by indexes of just that (schema_desk.c), never by going
 * through all of them. */
#ifndef SIMGATE_STORE_DUE_H
#define SIMGATE_STORE_DUE_H

#include "store/store.h"

/* The first three are those of enum conv_clock. */
enum due_kind {
    DUE_FIRST = CLOCK_FIRST,
    DUE_NEXT = CLOCK_NEXT,
    DUE_RESOLUTION = CLOCK_RESOLUTION,
    DUE_WAKE,   /* snoozed until now */
    DUE_CLOSE,  /* waits for a customer who is silent */
    DUE_SURVEY, /* closed, and not asked */
    DUES
};

struct due_row {
    int64_t conversation, due_wall_ms;
    enum due_kind kind;
};

/* Writer's lane. ORDER: of each kind the longest due first. */
struct store_due {
    struct store_op op;
    int64_t now_wall_ms;
    int64_t close_after_ms;                        /* 0: silence closes nothing */
    int64_t survey_delay_ms, survey_after_wall_ms; /* of those closed later than this; delay -1: none */
    int max;                                       /* of each kind */
    struct due_row *rows;                          /* out: heap, the caller frees */
    int count;
    bool more;            /* out: of one kind there were `max` */
    int64_t next_wall_ms; /* out: when the next is due; 0 none is known */
};
void store_due(struct store *s, struct store_due *d);

#endif
