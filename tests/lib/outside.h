/* The world outside on simulated time: programs and servers that do what the test says. Everything is told
 * from rt_sim's loop, a millisecond later, as the real ones do. */
#ifndef SIMGATE_TESTS_LIB_OUTSIDE_H
#define SIMGATE_TESTS_LIB_OUTSIDE_H

#include "base/buf.h"
#include "os/child.h"
#include "os/transfer.h"
#include "tests/lib/rt_sim.h"

enum { OUTSIDE_MOST = 64, OUTSIDE_WORDS = 8 };

/* A program that was started. */
struct child {
    struct outside *o;
    struct child_conf conf; /* argv and env are not kept: see below */
    char *argv[OUTSIDE_WORDS];
    struct buf input; /* all that it was given */
    bool input_ended, forgotten, ended;
    int killed; /* signal */
};

struct outside_request {
    struct transfer *t; /* NULL: answered, or cancelled */
    char url[256], headers[8][512];
    int nheaders;
    struct buf body;
    bool cancelled;
};

struct outside {
    struct rt *rt;
    struct child_host children;
    struct transfer_host transfers;
    struct child *child[OUTSIDE_MOST];
    int nchildren;
    struct outside_request request[OUTSIDE_MOST];
    int nrequests;
    int refuse_start; /* a code: no program can be started */
};

void outside_init(struct outside *o, struct rt *rt);
void outside_fini(struct outside *o);
/* Runs the loop a little, so that what was asked is asked. */
void outside_settle(struct outside *o);
void outside_says(struct outside *o, int child, const char *text);
void outside_complains(struct outside *o, int child, const char *text);
void outside_exits(struct outside *o, int child, int status, int signal);
void outside_answers(struct outside *o, int request, long code, const char *body);
void outside_fails(struct outside *o, int request, int status, const char *why);

#endif
