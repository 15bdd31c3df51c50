/* Trace files of `trace = true`: what is in them, and which are kept. */
#include "tests/lib/modem_test.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/traces.h"
#include "base/trace.h"

struct lab {
    struct rig *r;
    char dir[64], folder[80];
};

static int setup(void **state)
{
    struct lab *l = calloc(1, sizeof(*l));

    log_set_level(getenv("VERBOSE") ? LOG_DEBUG : LOG_ERR);
    snprintf(l->dir, sizeof(l->dir), "/tmp/simgate-traces-XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    snprintf(l->folder, sizeof(l->folder), "%s/traces", l->dir);
    l->r = rig_new(rt_sim_seed(1));
    *state = l;
    return 0;
}

static int unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct lab *l = *state;

    rig_free(l->r);
    nftw(l->dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
    free(l);
    return 0;
}

static int not_hidden(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* The files in the folder, "a,b,c". */
static struct buf files(const struct lab *l)
{
    struct buf out = {0};
    struct dirent **list;
    int n = scandir(l->folder, &list, not_hidden, alphasort);

    for (int i = 0; i < n; i++) {
        buf_addf(&out, "%s%s", i ? "," : "", list[i]->d_name);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return out;
}

static void lives(struct lab *l, const char *name)
{
    struct unit *u = rig_add(l->r, NULL);

    traces_start(l->r->rt, l->dir, name, u->modem);
    modem_start(u->modem);
    assert_true(rig_ready(l->r, u));
    modem_free(u->modem);
    u->modem = NULL;
    rig_run(l->r, 1000);
}

static void make(const struct lab *l, const char *name)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", l->folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

/* The file holds the whole recording up to the modem's end, reads back, and others may not read it. */
static void recorded(void **state)
{
    struct lab *l = *state;
    struct buf text = {0};
    char path[256], bytes[4096];
    struct stat st;
    struct trace t;
    struct err e = {0};

    lives(l, "counter/1");
    struct buf names = files(l);
    assert_int_equal(strncmp(buf_str(&names), "counter_1-20261121T0900", 23), 0);
    snprintf(path, sizeof(path), "%s/%s", l->folder, buf_str(&names));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0137, 0);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (size_t n; (n = fread(bytes, 1, sizeof(bytes), f)) > 0;)
        buf_add(&text, bytes, n);
    fclose(f);
    if (trace_read(path, text.data, text.len, &t, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(t.count > 50);
    assert_non_null(strstr(text.data, " ! ready"));
    assert_non_null(strstr(text.data, "; masked\n"));
    trace_fini(&t);
    buf_free(&text);
    buf_free(&names);
}

/* The oldest of a modem's files go, so that five are left; files of others stay. */
static void kept(void **state)
{
    static const char *const there[] = {"m-20260101T000000Z.trace",   "m-20260102T000000Z.trace",
                                        "m-20260102T000000Z-2.trace", "m-20260103T000000Z.trace",
                                        "m-20260104T000000Z.trace",   "m-20260105T000000Z.trace",
                                        "m-2-20260101T000000Z.trace", "m-notes.txt",
                                        "n-20260101T000000Z.trace"};
    struct lab *l = *state;

    assert_int_equal(mkdir(l->folder, 0750), 0);
    for (size_t i = 0; i < ARRAY_LEN(there); i++)
        make(l, there[i]);
    lives(l, "m");
    struct buf names = files(l);
    assert_null(strstr(names.data, "m-20260101T"));
    assert_null(strstr(names.data, "m-20260102T000000Z-2"));
    assert_non_null(strstr(names.data, "m-20260102T000000Z.trace,m-20260103T000000Z.trace,"
                                       "m-20260104T000000Z.trace,m-20260105T000000Z.trace,m-20261121T09"));
    assert_non_null(strstr(names.data, "m-2-20260101T000000Z.trace"));
    assert_non_null(strstr(names.data, "m-notes.txt,n-20260101T000000Z.trace"));
    buf_free(&names);
}

static void quiet(enum log_level level, const char *who, const char *line)
{
    (void)level, (void)who, (void)line;
}

/* A folder that cannot be made stops nothing but the recording. */
static void no_folder(void **state)
{
    struct lab *l = *state;

    snprintf(l->folder, sizeof(l->folder), "%s", l->dir);
    make(l, "traces"); /* a file is in its place */
    log_set_sink(quiet);
    lives(l, "m");
    log_set_sink(NULL);
    struct buf names = files(l);
    assert_string_equal(buf_str(&names), "traces");
    buf_free(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(recorded, setup, teardown),
        cmocka_unit_test_setup_teardown(kept, setup, teardown),
        cmocka_unit_test_setup_teardown(no_folder, setup, teardown),
    };

    return cmocka_run_group_tests_name("app/traces", tests, NULL, NULL);
}
