/* Opening: what is refused stays as it was; migrations are backed up before; backups are whole or not there.
 */
#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/schema.h"

static struct store *try_open(struct fixture *f, int *rc, struct err *e)
{
    struct store_conf conf = {.path = f->path};
    struct store *s = NULL;

    *rc = store_open(f->rt, &conf, &s, e);
    return s;
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *h;

    assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
    assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(h);
}

static size_t read_file(const char *path, char **out)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    len = (size_t)ftell(file);
    rewind(file);
    *out = malloc(len + 1);
    assert_int_equal(fread(*out, 1, len, file), len);
    fclose(file);
    return len;
}

/* Opening fails with this code, and the file has the very same bytes as before. */
static void assert_refused(struct fixture *f, int code, const char *words)
{
    char *before, *after;
    size_t len = read_file(f->path, &before);
    struct err e;
    int rc;

    assert_null(try_open(f, &rc, &e));
    assert_int_equal(rc, code);
    assert_non_null(strstr(e.text, f->path));
    if (!strstr(e.text, words))
        fail_msg("\"%s\" does not say \"%s\"", e.text, words);
    assert_int_equal(read_file(f->path, &after), len);
    assert_memory_equal(before, after, len);
    free(before);
    free(after);
}

/* A file made by a newer simgate is refused and left alone. */
static void test_newer_version(void **state)
{
    struct fixture *f = *state;

    fixture_stop(f);
    run_sql(f->path, "PRAGMA user_version = 1000");
    assert_refused(f, ERR_VERSION, "newer");
}

/* Another program's database is refused and left alone. */
static void test_foreign_file(void **state)
{
    struct fixture *f = *state;

    fixture_stop(f);
    unlink(f->path);
    run_sql(f->path, "CREATE TABLE t (x)");
    assert_refused(f, ERR_INVALID, "not a database of simgate");
}

static void overwrite(const char *path, off_t at, size_t len)
{
    int fd = open(path, O_WRONLY);

    assert_true(fd >= 0);
    while (len-- > 0)
        assert_int_equal(pwrite(fd, "\x55", 1, at++), 1);
    close(fd);
}

/* A damaged file is refused with what to do, and left alone: in its header and in a table's page. */
static void test_damaged_file(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 200; i++)
        admit(f, "+491701234567", 1);
    fixture_stop(f);
    overwrite(f->path, 3 * 4096, 8 * 4096);
    assert_refused(f, ERR_CORRUPT, "restore a backup");
    overwrite(f->path, 0, 100);
    assert_refused(f, ERR_CORRUPT, "restore a backup");
}

/* Two at a time cannot have it; when the first has gone, even by a crash, the second can. */
static void test_one_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct err e;
    int rc;

    assert_null(try_open(f, &rc, &e));
    assert_int_equal(rc, ERR_BUSY);
    fixture_crash(f);
    f->s = try_open(f, &rc, &e);
    assert_int_equal(rc, 0);
}

/* Nobody but the daemon's user may read what customers wrote. */
static void test_private_file(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* A directory that is not there is told by name. */
static void test_missing_directory(void **state)
{
    struct fixture *f = *state;
    struct err e;
    int rc;

    fixture_stop(f);
    snprintf(f->path, sizeof f->path, "%s/none/db", f->dir);
    assert_null(try_open(f, &rc, &e));
    assert_int_equal(rc, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, f->path));
}

/* A backup is a whole database that can be opened, and never takes the place of a file that is there. */
static void test_backup(void **state)
{
    struct fixture *f = *state;
    int64_t id = admit(f, "+491701234567", 1);
    char path[128];
    struct store_backup b = {.path = path};
    struct stat st;

    snprintf(path, sizeof path, "%s/copy", f->dir);
    assert_int_equal(DO(f, store_backup, &b), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, b.bytes);
    assert_int_equal(DO(f, store_backup, &b), ERR_EXISTS);
    snprintf(path, sizeof path, "%s/none/copy", f->dir);
    assert_int_equal(DO(f, store_backup, &b), ERR_NOT_FOUND);
    fixture_stop(f);
    snprintf(f->path, sizeof f->path, "%s/copy", f->dir);
    fixture_start(f);
    assert_int_equal(state_of(f, id), MSG_QUEUED);
}

/* A migration is preceded by a copy of the file, and done whole or not at all. */
static void test_migration(void **state)
{
    static const char *const good[] = {"", "CREATE TABLE extra (x)"};
    static const char *const bad[] = {"", "CREATE TABLE extra2 (x); CREATE TABLE nonsense ("};
    struct fixture *f = *state;
    struct store_db db;
    char command[160];
    struct err e;
    int version;

    fixture_stop(f);
    assert_int_equal(db_open(&db, f->path, SQLITE_OPEN_READWRITE, &e), 0);
    assert_int_equal(schema_check(&db, 2, &version), 0);
    assert_int_equal(version, 1);
    assert_true(schema_migrate(&db, bad, 2, 1) < 0);
    assert_non_null(strstr(db.err->text, "migration to schema 2"));
    assert_int_equal(schema_check(&db, 2, &version), 0);
    assert_int_equal(version, 1);
    assert_int_equal(db_script(&db, "SELECT * FROM extra2"), ERR_IO);
    snprintf(command, sizeof command, "rm %s/*.before-v2-*", f->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(schema_migrate(&db, good, 2, 1), 0);
    assert_int_equal(schema_check(&db, 2, &version), 0);
    assert_int_equal(version, 2);
    assert_int_equal(schema_check(&db, 1, &version), ERR_VERSION);
    assert_int_equal(db_script(&db, "SELECT * FROM extra"), 0);
    db_close(&db, true);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newer_version), TEST(test_foreign_file), TEST(test_damaged_file),
        TEST(test_one_at_a_time), TEST(test_private_file), TEST(test_missing_directory),
        TEST(test_backup),        TEST(test_migration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
