/* What the tests of configured handlers share: a set of them on simulated time, and events given to them. */
#ifndef SIMGATE_TESTS_UNIT_ENGINE_FOREIGN_H
#define SIMGATE_TESTS_UNIT_ENGINE_FOREIGN_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/plugin.h"
#include "engine/program.h"
#include "tests/lib/outside.h"
#include "trial.h"

struct foreign {
    struct rt *rt;
    struct outside outside;
    struct plugin_world world;
    struct program program; /* whose they are: what templates say */
    struct plugins *plugins;
    struct buf problems;
    char dir[64];
};

/* One event on its way. */
struct given {
    struct handler_event event;
    struct store_situation known;
    struct verdict verdict;
    struct walk walk;
    struct handler *chain[4];
    char key[32];
    bool done;
};

static inline void foreign_init(struct foreign *f)
{
    *f = (struct foreign){.rt = rt_sim_new(rt_sim_seed(1))};
    outside_init(&f->outside, f->rt);
    f->world = (struct plugin_world){
        .rt = f->rt, .children = &f->outside.children, .transfers = &f->outside.transfers};
    f->program.business = (char *)"Blue Bakery";
    str_copy(f->dir, sizeof f->dir, "/tmp/simgate-foreign-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
}

static inline void foreign_fini(struct foreign *f)
{
    plugins_free(f->plugins);
    outside_fini(&f->outside);
    rt_sim_free(f->rt);
    buf_free(&f->problems);
    assert_int_equal(rmdir(f->dir), 0);
}

static inline struct engine_handler_conf foreign_conf(enum handler_kind kind)
{
    return (struct engine_handler_conf){.name = "mine",
                                        .place = "handlers[0]",
                                        .kind = kind,
                                        .deadline_ms = 2000,
                                        .retry_for_ms = 86400000,
                                        .memory_mib = 4,
                                        .instructions = 1000};
}

/* Reads the configuration; what is wrong with it is in f->problems. */
static inline void foreign_open(struct foreign *f, const struct engine_handler_conf *conf, int n)
{
    struct engine_conf ec = {.business = "Blue Bakery", .country = "49", .handlers = conf, .nhandlers = n};
    struct problems problems = {collect_problem, &f->problems, 0};

    f->plugins = plugins_new(&ec, &f->world, &f->program, &problems);
}

static inline void foreign_open_well(struct foreign *f, const struct engine_handler_conf *conf)
{
    foreign_open(f, conf, 1);
    assert_string_equal(buf_str(&f->problems), "");
}

static inline void given_done(struct walk *w)
{
    struct given *g = container_of(w, struct given, walk);

    assert_false(g->done);
    g->done = true;
}

/* A message from a customer; given_free() it. */
static inline struct given *foreign_give(struct foreign *f, int id, const char *text, size_t len)
{
    struct given *g = calloc(1, sizeof *g);

    snprintf(g->key, sizeof g->key, "message:%d", id);
    g->event = (struct handler_event){.id = id,
                                      .key = g->key,
                                      .on = ENGINE_ON_MESSAGE,
                                      .wall_ms = rt_wall_ms(f->rt),
                                      .came_wall_ms = rt_wall_ms(f->rt),
                                      .now_wall_ms = rt_wall_ms(f->rt),
                                      .from = CUSTOMER,
                                      .text = {text, len},
                                      .modem = "counter",
                                      .name = "",
                                      .message_class = -1,
                                      .known = &g->known,
                                      .conversation = 7,
                                      .language = "en"};
    verdict_init(&g->verdict, NULL);
    g->chain[0] = plugins_at(f->plugins, 0, NULL);
    g->chain[1] = g->chain[0] ? plugins_at(f->plugins, 1, NULL) : NULL;
    g->walk =
        (struct walk){.chain = g->chain, .event = &g->event, .verdict = &g->verdict, .done = given_done};
    walk_start(&g->walk);
    return g;
}

static inline struct given *foreign_say(struct foreign *f, int id, const char *text)
{
    return foreign_give(f, id, text, strlen(text));
}

static inline void given_free(struct given *g)
{
    verdict_fini(&g->verdict);
    free(g);
}

static inline const char *given_reply(const struct given *g)
{
    return g->verdict.nreplies ? buf_str(&g->verdict.replies[0].text) : "";
}

static inline struct handler_health foreign_health(struct foreign *f)
{
    const char *kind;
    const struct handler *h = plugins_any(f->plugins, 0, &kind);
    struct handler_health health;

    assert_non_null(h);
    h->health(h, &health);
    return health;
}

/* What is written into a file of the test's folder; unlink() it. */
static inline const char *foreign_file(struct foreign *f, const char *name, const char *text)
{
    static char path[128];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    return path;
}

#endif
