/* os/dirwatch: what is told about files that come into a real directory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/buf.h"
#include "base/util.h"
#include "os/dirwatch.h"

struct fixture {
    uv_loop_t loop;
    struct dirwatch *watch;
    struct buf told; /* names, each with a blank behind it; "!" for "look for yourself" */
    unsigned events;
    bool close_on_event;
    char base[64];
    char dir[96]; /* base/outgoing, the one that is watched */
};

static void on_event(void *owner, const char *name)
{
    struct fixture *f = owner;

    assert_non_null(f->watch);
    f->events++;
    if (f->told.len < 4096)
        buf_addf(&f->told, "%s ", name ? name : "!");
    if (f->close_on_event) {
        dirwatch_close(f->watch);
        f->watch = NULL;
    }
}

static void path_in(const char *dir, const char *name, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

/* Leaves the file open for writing. */
static int begin_file(const char *dir, const char *name)
{
    char path[PATH_MAX];
    int fd;

    path_in(dir, name, path);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "To: 1\n", 6), 6);
    return fd;
}

static void make_file(const char *dir, const char *name)
{
    close(begin_file(dir, name));
}

static void remove_file(const char *dir, const char *name)
{
    char path[PATH_MAX];

    path_in(dir, name, path);
    unlink(path);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err e = {0};

    *state = f;
    str_copy(f->base, sizeof f->base, "/tmp/simgate-test-XXXXXX");
    if (!mkdtemp(f->base))
        return -1;
    snprintf(f->dir, sizeof f->dir, "%s/outgoing", f->base);
    mkdir(f->dir, 0700);
    uv_loop_init(&f->loop);
    return dirwatch_open(&f->loop, f->dir, on_event, f, &f->watch, &e);
}

static int teardown(void **state)
{
    static const char *const names[] = {"a", "b", "c", "half", "linked", "whole"};
    struct fixture *f = *state;
    char path[PATH_MAX];

    if (f->watch)
        dirwatch_close(f->watch);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        remove_file(f->dir, names[i]);
        remove_file(f->base, names[i]);
    }
    path_in(f->dir, "subdirectory", path);
    rmdir(path);
    path_in(f->base, "away", path);
    rmdir(path);
    rmdir(f->dir);
    assert_int_equal(rmdir(f->base), 0);
    buf_free(&f->told);
    free(f);
    return 0;
}

/* inotify events are queued before the call that causes them returns: one turn of the loop tells them all. */
static void check_told(struct fixture *f, const char *expected)
{
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_string_equal(buf_str(&f->told), expected);
    buf_clear(&f->told);
}

/* A file that is moved in is told once. */
static void moved_in(void **state)
{
    struct fixture *f = *state;
    char from[PATH_MAX], to[PATH_MAX];

    make_file(f->base, "a");
    check_told(f, "");
    path_in(f->base, "a", from);
    path_in(f->dir, "b", to);
    assert_int_equal(rename(from, to), 0);
    check_told(f, "b ");
}

/* A file that is written in place is told when it is closed, and not before. */
static void written(void **state)
{
    struct fixture *f = *state;
    int fd = begin_file(f->dir, "half");

    check_told(f, "");
    close(fd);
    check_told(f, "half ");
}

/* A hard link to a file that is complete is told at once. */
static void linked(void **state)
{
    struct fixture *f = *state;
    char from[PATH_MAX], to[PATH_MAX];

    make_file(f->base, "whole");
    path_in(f->base, "whole", from);
    path_in(f->dir, "linked", to);
    assert_int_equal(link(from, to), 0);
    check_told(f, "linked ");
}

/* Directories, deletions and files that are only read are not told. */
static void of_no_interest(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];

    make_file(f->dir, "a");
    check_told(f, "a ");
    path_in(f->dir, "subdirectory", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_in(f->dir, "a", path);
    close(open(path, O_RDONLY | O_CLOEXEC));
    unlink(path);
    check_told(f, "");
}

/* The directory is removed and made again: "look for yourself", and after renewing it is watched as before.
 */
static void removed(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    rmdir(f->dir);
    check_told(f, "! ");
    assert_int_equal(dirwatch_renew(f->watch, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, f->dir));
    mkdir(f->dir, 0700);
    assert_int_equal(dirwatch_renew(f->watch, &e), 0);
    assert_int_equal(dirwatch_renew(f->watch, NULL), 0);
    make_file(f->dir, "a");
    check_told(f, "a ");
}

/* The directory is moved away and another takes its place: what happens in the old one is not told any more.
 */
static void replaced(void **state)
{
    struct fixture *f = *state;
    char away[PATH_MAX];

    path_in(f->base, "away", away);
    assert_int_equal(rename(f->dir, away), 0);
    check_told(f, "! ");
    mkdir(f->dir, 0700);
    assert_int_equal(dirwatch_renew(f->watch, NULL), 0);
    make_file(away, "a");
    remove_file(away, "a");
    check_told(f, "");
    make_file(f->dir, "b");
    check_told(f, "b ");
}

/* When the kernel's queue overflows, the owner is told to look for itself. */
static void overflow(void **state)
{
    struct fixture *f = *state;
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    long queued = 0;

    if (!limit || fscanf(limit, "%ld", &queued) != 1 || queued > 100000) {
        if (limit)
            fclose(limit);
        skip();
    }
    fclose(limit);
    for (long i = 0; i < queued; i++) {
        make_file(f->dir, "a");
        make_file(f->dir, "b");
    }
    for (unsigned before = UINT_MAX; before != f->events;) {
        before = f->events;
        buf_clear(&f->told);
        uv_run(&f->loop, UV_RUN_NOWAIT);
        if (strchr(buf_str(&f->told), '!'))
            return;
    }
    fail_msg("no word of the overflow");
}

/* The watch may be closed by what it tells; nothing comes after it. */
static void closed_by_event(void **state)
{
    struct fixture *f = *state;

    f->close_on_event = true;
    make_file(f->dir, "a");
    make_file(f->dir, "b");
    rmdir(f->dir);
    check_told(f, "a ");
    assert_null(f->watch);
}

/* What is not there, or is no directory, is not watched, and the text names it. */
static void not_watched(void **state)
{
    struct fixture *f = *state;
    struct dirwatch *w = NULL;
    struct err e = {0};
    char path[PATH_MAX];

    path_in(f->base, "a", path);
    assert_int_equal(dirwatch_open(&f->loop, path, on_event, f, &w, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, path));
    make_file(f->base, "a");
    assert_int_equal(dirwatch_open(&f->loop, path, on_event, f, &w, NULL), ERR_IO);
    assert_null(w);
}

#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WATCH_TEST(moved_in),        WATCH_TEST(written),  WATCH_TEST(linked),
        WATCH_TEST(of_no_interest),  WATCH_TEST(removed),  WATCH_TEST(replaced),
        WATCH_TEST(closed_by_event), WATCH_TEST(overflow), WATCH_TEST(not_watched),
    };

    return cmocka_run_group_tests_name("os/dirwatch", tests, NULL, NULL);
}
