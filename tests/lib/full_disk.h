/* A full disk, for tests on a small tmpfs of their own: a file takes all the room that is left. */
#ifndef SIMGATE_TESTS_LIB_FULL_DISK_H
#define SIMGATE_TESTS_LIB_FULL_DISK_H

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

/* Writes to `path` until nothing more goes in; its unlinking makes room again. cmocka fails where it cannot
 * be made. */
static inline void fill_disk(const char *path)
{
    static const char block[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

    assert_true(fd >= 0);
    while (write(fd, block, sizeof block) > 0)
        ;
    close(fd);
}

#endif
