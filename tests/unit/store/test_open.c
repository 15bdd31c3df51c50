/* Opening: what is refused stays as it was; migrations are backed up before; backups are whole or not there.
 */
#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/query_desk.h"
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
    static const char *good[8], *bad[8];
    const int now = schema_version, next = schema_version + 1;
    struct fixture *f = *state;
    struct store_db db;
    char command[160], words[40];
    struct err e;
    int version;

    good[now] = "CREATE TABLE extra (x)";
    bad[now] = "CREATE TABLE extra2 (x); CREATE TABLE nonsense (";
    fixture_stop(f);
    assert_int_equal(db_open(&db, f->path, SQLITE_OPEN_READWRITE, &e), 0);
    assert_int_equal(schema_check(&db, next, &version), 0);
    assert_int_equal(version, now);
    assert_true(schema_migrate(&db, bad, next, now) < 0);
    snprintf(words, sizeof words, "migration to schema %d", next);
    assert_non_null(strstr(db.err->text, words));
    assert_int_equal(schema_check(&db, next, &version), 0);
    assert_int_equal(version, now);
    assert_int_equal(db_script(&db, "SELECT * FROM extra2"), ERR_IO);
    snprintf(command, sizeof command, "rm %s/*.before-v%d-*", f->dir, next);
    assert_int_equal(system(command), 0);
    assert_int_equal(schema_migrate(&db, good, next, now), 0);
    assert_int_equal(schema_check(&db, next, &version), 0);
    assert_int_equal(version, next);
    assert_int_equal(schema_check(&db, now, &version), ERR_VERSION);
    assert_int_equal(db_script(&db, "SELECT * FROM extra"), 0);
    db_close(&db, true);
    assert_int_equal(system(command), 0);
}

/* What a database of the first version holds is there after the migration, an opt-out before all. */
static void test_migration_from_version_1(void **state)
{
    struct fixture *f = *state;
    struct store_db db;
    struct store_situation k = {.number = "+492", .sim = "m0", .guard_since_wall_ms = T0 - MINUTE};
    struct store_new_message m = new_message("+492", 1);
    struct store_admit a = {.messages = &m, .count = 1, .now_wall_ms = T0};
    struct store_list l = {.limit = 10};
    char command[160];
    struct err e;

    fixture_stop(f);
    unlink(f->path);
    assert_int_equal(db_open(&db, f->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &e), 0);
    assert_int_equal(schema_migrate(&db, schema_migrations, 1, 0), 0);
    assert_int_equal(
        db_script(
            &db,
            "INSERT INTO message(id, direction, state, peer, wanted, modem, pool, imsi, source, key, "
            "reason, flags, priority, parts, created, due, expires, changed, scts, reply_to, text) "
            "VALUES(7, 2, 11, '+492', '', 'm0', '', '262', '', '', '', 0, 1, 1, 5, 5, 0, 5, 5, 0, "
            "'STOP');"
            "INSERT INTO consent(number, state, at) VALUES('+492', 2, 5), ('+493', 1, 6);"
            "INSERT INTO consent_log(number, state, at, message, words) VALUES('+492', 2, 5, 7, 'STOP')"),
        0);
    db_close(&db, true);
    fixture_start(f);
    snprintf(command, sizeof command, "rm %s/*.before-v%d-*", f->dir, schema_version);
    assert_int_equal(system(command), 0);
    assert_int_equal(DO(f, store_list, &l), 0);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.rows[0].text, "STOP");
    assert_int_equal(l.rows[0].conversation, 0);
    msg_row_clear(&l.rows[0]);
    free(l.rows);
    assert_int_equal(DO(f, store_situation, &k), 0);
    assert_int_equal(k.consent, CONSENT_OUT);
    assert_true(k.reserved > 0);
    store_situation_clear(&k);
    assert_int_equal(DO(f, store_admit, &a), 0);
    assert_true(m.opted_out);
    assert_non_null(strstr(m.refused, "\"STOP\""));
}

/* A database of this version with a customer in it, who wrote and was answered. */
static void make_version(struct fixture *f, int version)
{
    struct store_db db;
    struct err e;

    unlink(f->path);
    assert_int_equal(db_open(&db, f->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &e), 0);
    assert_int_equal(db_script(&db, "PRAGMA journal_mode = WAL"), 0);
    assert_int_equal(schema_migrate(&db, schema_migrations, version, 0), 0);
    assert_int_equal(
        db_script(
            &db,
            "INSERT INTO message(id, direction, state, peer, wanted, modem, pool, imsi, source, key, "
            "reason, flags, priority, parts, created, due, expires, changed, scts, reply_to, text) "
            "VALUES(7, 2, 11, '+491', '', 'm0', '', '262', '', '', '', 0, 1, 1, 5, 5, 0, 5, 5, 0, 'hi');"
            "INSERT INTO tally(state, n) VALUES(11, 1);"
            "INSERT INTO consent_log(number, state, at, message, words) VALUES('+491', 2, 5, 7, 'STOP')"),
        0);
    assert_int_equal(
        db_script(&db, version > 1
                           ? "INSERT INTO consent(number, sim, state, at) VALUES('+491', '', 2, 5);"
                             "INSERT INTO contact(id, number, name, language, zone, attributes, created, "
                             "changed) VALUES(1, '+491', 'Zoë', 'de', '', '{\"plan\":\"gold\"}', 5, 5), "
                             "(2, '+492', 'Ben', '', '', NULL, 5, 5);"
                             "INSERT INTO contact_tag(contact, tag) VALUES(1, 'vip');"
                             "INSERT INTO conversation VALUES(3, 1, 'm0', 2, 1, '', '', 'a title', 0, 5, "
                             "5, 5, 5, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, '', 0, '');"
                             "UPDATE conversation SET department = 'sales', survey = 6;"
                             "UPDATE message SET conversation = 3"
                           : "INSERT INTO consent(number, state, at) VALUES('+491', 2, 5)"),
        0);
    db_close(&db, true);
}

/* Another process begins with the next migration and is killed before its commit. */
static void interrupt_migration(struct fixture *f, int version)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct store_db db;
        struct err e;

        if (db_open(&db, f->path, SQLITE_OPEN_READWRITE, &e) || db_script(&db, "PRAGMA cache_size = 1") ||
            db_script(&db, "BEGIN IMMEDIATE") || db_script(&db, schema_migrations[version]))
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void expect_found(struct fixture *f, struct store_contacts c)
{
    c.limit = 5;
    assert_int_equal(DO(f, store_contacts, &c), 0);
    assert_int_equal(c.count, 1);
    assert_string_equal(c.rows[0].number, "+491");
    store_contacts_clear(&c);
}

static void expect_sound(const char *path)
{
    sqlite3_stmt *st;
    sqlite3 *h;

    assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(h, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
    sqlite3_finalize(st);
    sqlite3_close(h);
}

/* From each version on, also where a migration was killed: all that was there is there and found, and the
 * file is sound. */
static void test_migration_from_each_version(void **state)
{
    struct fixture *f = *state;

    for (int version = 1; version < schema_version; version++) {
        struct store_situation k = {.number = "+491", .sim = "m0"};
        struct store_merge m = {.from = "+492", .into = "+491", .who = "x", .now_wall_ms = T0};
        struct store_convs v = {.search = "title", .limit = 5};

        fixture_stop(f);
        make_version(f, version);
        interrupt_migration(f, version);
        fixture_start(f);
        assert_int_equal(DO(f, store_situation, &k), 0);
        assert_int_equal(k.consent, CONSENT_OUT);
        assert_int_equal(k.conv.id, version > 1 ? 3 : 0);
        if (version > 1) {
            assert_string_equal(k.conv.number, "+491");
            assert_string_equal(k.conv.survey_department, "sales");
            assert_string_equal(k.contact.name, "Zoë");
            assert_string_equal(k.contact.tags, ",vip,");
            expect_found(f, (struct store_contacts){.search = "zoe"});
            expect_found(f, (struct store_contacts){.attribute = "plan", .value = "gold"});
            assert_int_equal(DO(f, store_convs, &v), 0);
            assert_int_equal(v.count, 1);
            store_convs_clear(&v);
            assert_int_equal(DO(f, store_merge, &m), 0);
        }
        store_situation_clear(&k);
        assert_int_equal(state_of(f, 7), MSG_HANDLED);
        expect_sound(f->path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newer_version),
        TEST(test_foreign_file),
        TEST(test_damaged_file),
        TEST(test_one_at_a_time),
        TEST(test_private_file),
        TEST(test_missing_directory),
        TEST(test_backup),
        TEST(test_migration),
        TEST(test_migration_from_version_1),
        TEST(test_migration_from_each_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
