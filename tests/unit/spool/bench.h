/* The spool on the gateway's world of tests: the real gateway and store, files in a folder of its own. */
#ifndef SIMGATE_TESTS_UNIT_SPOOL_BENCH_H
#define SIMGATE_TESTS_UNIT_SPOOL_BENCH_H

#include "tests/unit/gateway/world.h"

#include <dirent.h>
#include <fcntl.h>

#include "spool/names.h"
#include "spool/spool.h"

enum { RESCAN_MS = 60 * SECOND };

struct bench {
    struct world w;
    struct spool *sp;
    char root[96];
    int rescans;
};

HELPER void on_rescan(void *owner)
{
    ((struct bench *)owner)->rescans++;
}

HELPER void bench_life(struct bench *b)
{
    static const char *const sinks[] = {SPOOL_SINK, NULL};
    struct world *w = &b->w;
    struct err e = {0};
    struct store_conf sc = {.path = w->path, .sinks = sinks};
    struct spool_conf conf = {.dir = b->root, .rescan_ms = RESCAN_MS, .rescanning = on_rescan, .owner = b};
    if (store_open(w->rt, &sc, &w->store, &e) != 0)
        fail_msg("store_open: %s", e.text);
    w->g = gateway_new(w->rt, w->store, &w->conf);
    if (gateway_load(w->g, &e) < 0)
        fail_msg("gateway_load: %s", e.text);
    for (int i = 0; i < w->ncarriers; i++) {
        w->carriers[i].under_way = NULL;
        w->carriers[i].timer.at_ms = RT_NEVER;
        assert_int_equal(gateway_attach(w->g, &w->carriers[i].c, &w->limits[i], false, &e), 0);
        w->carriers[i].c.up->changed(w->g, &w->carriers[i].c);
    }
    if (spool_new(w->rt, w->g, w->store, &conf, &b->sp, &e) < 0)
        fail_msg("spool_new: %s", e.text);
}

HELPER void bench_crash(struct bench *b)
{
    life_crash(&b->w);
    spool_free(b->sp);
    b->sp = NULL;
}

HELPER void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    world_init(&b->w);
    snprintf(b->root, sizeof(b->root), "%s/spool", b->w.dir);
    add_carrier(&b->w, "M0", "");
    str_copy(b->w.carriers[0].c.imei, sizeof(b->w.carriers[0].c.imei), "357805020000000");
    str_copy(b->w.carriers[0].c.number, sizeof(b->w.carriers[0].c.number), "+491520000000");
}

HELPER int bench_setup(void **state)
{
    struct bench *b = malloc(sizeof(*b));
    bench_init(b);
    bench_life(b);
    run(&b->w, SECOND);
    *state = b;
    return 0;
}

HELPER int bench_teardown(void **state)
{
    struct bench *b = *state;
    if (b->sp)
        bench_crash(b);
    world_fini(&b->w);
    free(b);
    return 0;
}

/* ---- files ---- */

HELPER const char *file_path(const struct bench *b, const char *folder, const char *name)
{
    static char path[4][1024];
    static int turn;
    char *p = path[turn++ & 3];
    snprintf(p, sizeof(path[0]), "%s/%s/%s", b->root, folder, name);
    return p;
}

HELPER void write_file(const struct bench *b, const char *folder, const char *name, const char *text)
{
    int fd = open(file_path(b, folder, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

HELPER void drop(struct bench *b, const char *name, const char *text)
{
    write_file(b, "outgoing", name, text);
    spool_kick(b->sp, name);
}

HELPER char *read_text(const struct bench *b, const char *folder, const char *name)
{
    static char text[1 << 17];
    int fd = open(file_path(b, folder, name), O_RDONLY);
    if (fd < 0)
        fail_msg("there is no %s/%s", folder, name);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n] = '\0';
    return text;
}

/* Dot-files count too: nothing half-written may stay. */
HELPER int count_files(const struct bench *b, const char *folder)
{
    DIR *d = opendir(file_path(b, folder, ""));
    int n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

HELPER bool exists(const struct bench *b, const char *folder, const char *name)
{
    struct stat st;
    return lstat(file_path(b, folder, name), &st) == 0;
}

HELPER void has(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("\"%s\" expected in:\n%s", line, text);
}

HELPER int times_sent(const struct bench *b, const char *text)
{
    int n = 0;
    for (int i = 0; i < b->w.nlog; i++)
        n += strcmp(b->w.log[i].text, text) == 0;
    return n;
}

#endif
