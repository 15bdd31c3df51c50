/* A walk over a configuration file. Private to schema.c and schema_values.c. */
#ifndef SIMGATE_APP_SCHEMA_WALK_H
#define SIMGATE_APP_SCHEMA_WALK_H

#include "app/schema.h"

struct walk {
    struct schema *s;
    const char *file;
    struct buf *problems;
    int count;
};

/* Tells and counts "FILE:LINE: PATH: …". */
__attribute__((format(printf, 4, 5))) void schema_problem(struct walk *w, int line, const char *path,
                                                          const char *fmt, ...);

/* The value of a text, written or default, into `at`; told when it is none. FLAGS: the index of one of them,
 * an int. Of other types that are not one text nothing is put. */
void schema_put(struct walk *w, const struct schema_key *k, const char *text, int line, const char *path,
                void *at);

#endif
