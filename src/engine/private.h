/* Inside of struct engine, shared by the files of this room. */
#ifndef SIMGATE_ENGINE_PRIVATE_H
#define SIMGATE_ENGINE_PRIVATE_H

#include "base/log.h"
#include "engine/plugins.h"
#include "engine/program.h"

struct courier;
struct job;

struct engine {
    struct rt *rt;
    struct plugin_world world; /* for program_new -> plugins_new */
    struct program *program;
    struct shelf *shelf; /* templates of the store */
    /* from engine_attach on; set and known by flow.c alone, NULL before */
    struct gateway *gateway;
    struct store *store;
    void (*detach)(struct engine *en); /* frees the jobs, calling nothing */
    void (*reconfigured)(struct engine *en);
    /* What it would take to send text to a number. */
    int (*measure)(struct engine *en, const char *to, const char *text, struct segment_plan *plan,
                   struct err *e);
    struct job *jobs;            /* messages and events under way, oldest first; owned */
    struct event_source *events; /* flow_events.c; owned */
    struct timetable *timetable; /* timetable.c; owned */
    struct courier *courier;     /* owned */
    /* There may be new deliveries in the store; NULL: nobody cares. */
    void (*deliveries)(struct engine *en);
    struct log_limit gave_up_limit;
};

#endif
