/* A full disk: nothing of the batch is stored, everybody is told, and the store goes on by itself when there
 * is room. On a small tmpfs where the test may mount one (ENOSPC), and with a limit on file sizes (EFBIG). */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Messages with long texts until one is refused. */
static int fill(struct fixture *f, int *accepted)
{
    static char text[4000];
    int rc = 0;

    memset(text, 'x', sizeof text - 1);
    for (*accepted = 0; rc == 0 && *accepted < 5000; *accepted += rc == 0) {
        struct store_new_message m = new_message("+491701234567", 1);
        struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};

        m.text = text;
        rc = DO(f, store_admit, &a);
        if (rc)
            assert_non_null(strstr(a.op.err.text, "no room"));
    }
    return rc;
}

static int64_t queued(struct fixture *f)
{
    struct store_counts c = {0};

    assert_int_equal(DO(f, store_counts, &c), 0);
    return c.by_state[MSG_QUEUED];
}

static bool has_room(void *arg)
{
    struct fixture *f = arg;

    return !store_is_full(f->s);
}

/* Full, refused, still readable; then room, found without anybody asking; and all that was accepted is there.
 */
static void check_full(struct fixture *f, void (*make_room)(struct fixture *f))
{
    int accepted;

    assert_int_equal(fill(f, &accepted), ERR_FULL);
    assert_true(accepted > 0);
    assert_true(store_is_full(f->s));
    assert_int_equal(queued(f), accepted);
    rt_sim_run_for(f->rt, MINUTE);
    assert_true(store_is_full(f->s));
    make_room(f);
    assert_true(rt_sim_run_till(f->rt, has_room, f, MINUTE));
    admit(f, "+491701234567", 1);
    assert_int_equal(queued(f), accepted + 1);
    fixture_crash(f);
    fixture_start(f);
    assert_int_equal(queued(f), accepted + 1);
}

static void raise_limit(struct fixture *f)
{
    struct rlimit l;

    (void)f;
    getrlimit(RLIMIT_FSIZE, &l);
    l.rlim_cur = l.rlim_max;
    setrlimit(RLIMIT_FSIZE, &l);
}

/* A file that may not grow is a full disk. */
static void test_file_limit(void **state)
{
    struct fixture *f = *state;
    struct rlimit l;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &l);
    l.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
    check_full(f, raise_limit);
}

static void remove_ballast(struct fixture *f)
{
    char path[128];

    snprintf(path, sizeof path, "%s/small/ballast", f->dir);
    assert_int_equal(unlink(path), 0);
}

static void add_ballast(const char *dir, off_t bytes)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/ballast", dir);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, bytes), 0);
    close(fd);
}

/* A disk without room. */
static void test_small_disk(void **state)
{
    struct fixture *f = *state;
    char dir[96];

    snprintf(dir, sizeof dir, "%s/small", f->dir);
    if (mkdir(dir, 0700) < 0 || mount("none", dir, "tmpfs", 0, "size=4m") < 0)
        skip();
    fixture_stop(f);
    add_ballast(dir, 2 << 20);
    snprintf(f->path, sizeof f->path, "%s/db", dir);
    fixture_start(f);
    check_full(f, remove_ballast);
    fixture_stop(f);
    assert_int_equal(umount(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file_limit),
        TEST(test_small_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
