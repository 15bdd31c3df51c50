/* One modem against a scripted port: what it says is compared line by line. */
#ifndef SIMGATE_TESTS_LIB_DIALOGUE_H
#define SIMGATE_TESTS_LIB_DIALOGUE_H

#include "modem/modem.h"
#include "tests/lib/port_script.h"

enum { DIALOGUE_INBOUND = 64, DIALOGUE_CALLS = 16 };

struct dialogue {
    struct rt *rt;
    struct port_script *port;
    struct modem_conf conf;
    struct modem *modem;
    struct carrier *carrier;
    struct {
        uint64_t token;
        bool malformed;
        int tpdu_len;
        char text[700]; /* the octets as hex, or the malformed line */
    } in[DIALOGUE_INBOUND];
    size_t in_count;
    struct {
        char from[NUMBER_BYTES];
        bool withheld, rejected;
        int rings;
    } calls[DIALOGUE_CALLS];
    size_t call_count;
    char ussd[1024]; /* what the network wrote unasked, last */
    size_t ussd_count;
    bool hold; /* do not settle at once */
    struct rt_timer settle;
    size_t settled;
};

/* The usual answers are loaded; the modem is not started. */
struct dialogue *dialogue_new(void);
void dialogue_free(struct dialogue *d);
void dialogue_run(struct dialogue *d, int64_t ms);
/* Starts it; true when ready within a minute. What was said until then is forgotten. */
bool dialogue_ready(struct dialogue *d);
bool dialogue_heard(const struct dialogue *d, const char *lines); /* these lines, in this order, without
                                                                     others between */

#endif
