/* The spool's files on the disk, without a gateway: what others do to the folders meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "spool/disk.h"

enum { NOBODY = 65534 };

#define CLAIMED "cake.0mwr0u5p1yh30u0000"

static char root[] = "/tmp/simgate-disk-XXXXXX";

static const char *path_of(const char *folder, const char *name)
{
    static char path[2][512];
    static int turn;
    char *p = path[turn++ & 1];
    snprintf(p, sizeof(path[0]), "%s/%s/%s", root, folder, name);
    return p;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    int fd = open(path_of(folder, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int setup(void **state)
{
    (void)state;
    memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(root));
    assert_int_equal(disk_make_folders(root, NULL), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

/* A file that the daemon may not read waits where it is: moving it to and fro would wake the watch for ever.
 */
static void test_unreadable(void **state)
{
    (void)state;
    struct disk_claim c = {.name = "cake", .claimed = CLAIMED};
    struct disk_claim *claims[] = {&c};
    struct stat before, after;
    if (geteuid() != 0)
        skip();
    write_file("outgoing", "cake", "To: 491701234567\n\nHello\n");
    assert_int_equal(chown(root, NOBODY, NOBODY), 0);
    assert_int_equal(chown(path_of("outgoing", ""), NOBODY, NOBODY), 0);
    assert_int_equal(chown(path_of("checked", ""), NOBODY, NOBODY), 0);
    assert_int_equal(stat(path_of("outgoing", ""), &before), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    disk_claim(root, claims, 1);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(c.verdict, DISK_FAILED);
    assert_non_null(strstr(c.err.text, "cake"));
    assert_int_equal(stat(path_of("outgoing", ""), &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
    assert_int_equal(access(path_of("outgoing", "cake"), F_OK), 0);
    spool_file_clear(&c.file);
}

/* Two recipients of one file whose outcomes are written together finish it once, and neither fails. */
static void test_finished_twice(void **state)
{
    (void)state;
    struct disk_item a = {.kind = DISK_FINISH, .folder = SPOOL_SENT, .name = CLAIMED}, b = a;
    struct disk_item *items[] = {&a, &b};
    write_file("checked", CLAIMED, "To: 491701234567,491701234568\n\nHello\n");
    buf_adds(&a.content, "Modem: M0\n");
    buf_adds(&b.content, "Modem: M0\n");
    disk_write(root, items, ARRAY_LEN(items));
    assert_int_equal(a.rc, 0);
    assert_int_equal(b.rc, 0);
    assert_int_equal(access(path_of("sent", "cake"), F_OK), 0);
    assert_int_not_equal(access(path_of("checked", CLAIMED), F_OK), 0);
    buf_free(&a.content);
    buf_free(&b.content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_finished_twice, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
