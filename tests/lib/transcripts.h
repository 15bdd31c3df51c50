/* Reads the collection of what real modems said (SIMGATE_SHARED/facts/transcripts.jsonl), for the tests of
 * the rooms that read it. To be included behind cmocka.h. */
#ifndef SIMGATE_TESTS_LIB_TRANSCRIPTS_H
#define SIMGATE_TESTS_LIB_TRANSCRIPTS_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct transcript {
    int id;
    const char *kind;
    char command[128]; /* without the "\r" that some have; "" when none is given */
    const char *rx;
    json_t *expect; /* NULL: what it should mean is not said */
};

static inline void transcript_read(json_t *o, struct transcript *tr)
{
    json_t *tx = json_object_get(o, "tx");

    *tr = (struct transcript){
        .id = (int)json_integer_value(json_object_get(o, "id")),
        .kind = json_string_value(json_object_get(o, "kind")),
        .rx = json_string_value(json_object_get(o, "rx")),
        .expect = json_object_get(o, "expect"),
    };
    if (tx)
        str_copy(tr->command, sizeof tr->command, json_string_value(tx));
    tr->command[strcspn(tr->command, "\r<")] = '\0';
}

/* Hands each to `check`, which returns 1 if it concerned it; how many did. Skips the test where there is no
 * collection. */
static inline unsigned transcripts_each(unsigned (*check)(const struct transcript *tr))
{
    const char *shared = getenv("SIMGATE_SHARED");
    char path[512], line[16384];
    unsigned checked = 0;

    snprintf(path, sizeof path, "%s/facts/transcripts.jsonl", shared ? shared : "../shared");
    FILE *f = fopen(path, "r");
    if (!f) {
        printf("skipped: no %s\n", path);
        skip();
    }
    while (fgets(line, sizeof line, f)) {
        struct transcript tr;
        json_t *o = json_loads(line, 0, NULL);
        assert_non_null(o);
        transcript_read(o, &tr);
        checked += check(&tr);
        json_decref(o);
    }
    fclose(f);
    return checked;
}

static inline bool transcript_is(const struct transcript *tr, const char *kind)
{
    return strcmp(tr->kind, kind) == 0;
}

#define TRANSCRIPT_CHECK(tr, condition)                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("transcript %d: not " #condition, (tr)->id);                                            \
    } while (0)

#endif
