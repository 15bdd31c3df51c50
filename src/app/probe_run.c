/* A loop, the real ports, and one examination on them. */
#include "app/probe_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "app/probe.h"
#include "app/profiles.h"
#include "base/log.h"
#include "os/ports.h"
#include "os/rt_uv.h"

struct run {
    struct rt *rt;
    int modems;
};

static void on_found(void *owner, json_t *result)
{
    struct run *r = owner;
    char *line = json_dumps(result, JSON_COMPACT);

    if (!line)
        abort();
    puts(line);
    fflush(stdout);
    free(line);
    r->modems += json_object_get(result, "imei") || json_object_get(result, "model");
}

static void on_done(void *owner)
{
    struct run *r = owner;

    rt_uv_close(r->rt);
}

int probe_run(const char *conf_path, char *const *ports)
{
    struct profiles_folders folders;
    struct buf problems = {0};
    struct run r = {0};
    struct ports source;
    uv_loop_t loop;
    int n = 0;

    profiles_find(&folders, conf_path);
    struct profiles *profiles = profiles_read(folders.list, &problems);
    fputs(buf_str(&problems), stderr);
    buf_free(&problems);
    while (ports[n])
        n++;
    log_set_level(LOG_ERR);
    uv_loop_init(&loop);
    r.rt = rt_uv_new(&loop);
    ports_init(&source, &loop);
    probe_start(&(struct probe_conf){.rt = r.rt,
                                     .ports = &source.source,
                                     .profiles = profiles_set(profiles),
                                     .only = n ? (const char *const *)ports : NULL,
                                     .nonly = n,
                                     .found = on_found,
                                     .done = on_done,
                                     .owner = &r});
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    profiles_free(profiles);
    return r.modems;
}
