/* Any bytes from a process that stays: its lines, cut anywhere. Two events wait for it; each is answered
 * once, whatever it says, and a process that breaks the protocol is not listened to any more.
 *
 * Input: bytes in pieces, each behind a byte that tells its length. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/plugin.h"
#include "engine/program.h"
#include "tests/lib/outside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENTS = 2, DEADLINE_MS = 2000 };

struct given {
    struct handler_event event;
    struct verdict verdict;
    struct walk walk;
    struct handler *chain[2];
    int done;
};

static void on_done(struct walk *w)
{
    container_of(w, struct given, walk)->done++;
}

static void quiet(enum log_level level, const char *who, const char *line)
{
    (void)level;
    (void)who;
    (void)line;
}

static void give(struct plugins *ps, struct given *g, const char *key)
{
    static const struct store_situation known = {.consent = CONSENT_UNKNOWN};

    *g = (struct given){.event = {.key = key,
                                  .from = "+491701234567",
                                  .text = {"hi", 2},
                                  .modem = "counter",
                                  .name = "",
                                  .language = "",
                                  .message_class = -1,
                                  .known = &known,
                                  .conversation = 7},
                        .chain = {plugins_at(ps, 0, NULL)}};
    verdict_init(&g->verdict, NULL);
    g->walk = (struct walk){.chain = g->chain, .event = &g->event, .verdict = &g->verdict, .done = on_done};
    walk_start(&g->walk);
}

static void say(struct outside *o, const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t len = data[0];
        struct child *c = o->child[0];

        if (len > size - 1)
            len = size - 1;
        if (c->forgotten)
            return;
        if (len)
            c->conf.output(c->conf.owner, (const char *)data + 1, len);
        data += len + 1;
        size -= len + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const command[] = {"/bin/stay", NULL};
    struct engine_handler_conf conf = {
        .name = "fuzz", .kind = HANDLER_EXEC, .deadline_ms = DEADLINE_MS, .command = command, .stay = true};
    struct engine_conf ec = {.handlers = &conf, .nhandlers = 1};
    struct rt *rt = rt_sim_new(1);
    struct outside o;
    struct problems problems = {0};
    struct given g[EVENTS];

    log_set_sink(quiet);
    outside_init(&o, rt);
    struct plugin_world world = {.rt = rt, .children = &o.children};
    struct plugins *ps = plugins_new(&ec, &world, NULL, &problems);

    give(ps, &g[0], "message:1");
    give(ps, &g[1], "message:2");
    say(&o, data, size);
    rt_sim_run_for(rt, DEADLINE_MS + 100);
    for (int i = 0; i < EVENTS; i++) {
        if (g[i].done != 1)
            abort();
        verdict_fini(&g[i].verdict);
    }
    plugins_free(ps);
    outside_fini(&o);
    rt_sim_free(rt);
    return 0;
}
