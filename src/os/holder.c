/* The scan of /proc/PID/fd (proc(5)). Everything in there may vanish while we look; whatever cannot be read
 * is passed over. Other users' processes show their descriptors to root only. */
#include "os/holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"

enum { UNIX98_PTS_MAJOR = 136, UNIX98_PTS_MAJORS = 8 }; /* Linux, Documentation/admin-guide/devices.txt */

bool device_is_pts(const struct stat *device)
{
    return S_ISCHR(device->st_mode) && major(device->st_rdev) >= UNIX98_PTS_MAJOR &&
           major(device->st_rdev) < UNIX98_PTS_MAJOR + UNIX98_PTS_MAJORS;
}

/* A device may have several nodes; but each devpts, and so each container, numbers its own terminals. */
static bool is_same_device(const struct stat *st, const struct stat *device)
{
    if (!S_ISCHR(st->st_mode) || st->st_rdev != device->st_rdev)
        return false;
    return !device_is_pts(device) || st->st_dev == device->st_dev;
}

/* How a process has the device. */
enum hold { HOLD_NONE, HOLD_OPEN, HOLD_LOCKED };

/* Locks held by way of a descriptor are lines "lock:" of its fdinfo (proc(5)). */
static bool is_locked(int proc, const char *pid, const char *descriptor)
{
    char path[64], text[1024];
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "%.20s/fdinfo/%.20s", pid, descriptor);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return strstr(text, "\nlock:") != NULL;
}

static enum hold has_open(int proc, const char *pid, const struct stat *device)
{
    char path[64], target[8];
    struct dirent *entry;
    enum hold found = HOLD_NONE;
    struct stat st;
    DIR *dir;
    int fd;

    snprintf(path, sizeof path, "%.20s/fd", pid);
    fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return HOLD_NONE;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return HOLD_NONE;
    }
    while (found != HOLD_LOCKED && (entry = readdir(dir))) {
        /* Looked at before stat(2): that of a file on a dead network mount would not come back. */
        if (readlinkat(fd, entry->d_name, target, sizeof target) < 5 || memcmp(target, "/dev/", 5) != 0)
            continue;
        if (fstatat(fd, entry->d_name, &st, 0) == 0 && is_same_device(&st, device))
            found = is_locked(proc, pid, entry->d_name) ? HOLD_LOCKED : HOLD_OPEN;
    }
    closedir(dir);
    return found;
}

static void read_name(int proc, const char *pid, char *out, size_t size)
{
    char path[64];
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof path, "%.20s/comm", pid);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, out, size - 1);
        close(fd);
    }
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

bool holder_find(const struct stat *device, const char *name, struct holder *out)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    enum hold best = HOLD_NONE;
    int64_t pid;

    if (!dir)
        return false;
    while (best != HOLD_LOCKED && (entry = readdir(dir))) {
        struct holder one = {0};
        enum hold how;

        if (!str_to_i64(entry->d_name, 1, INT_MAX, &pid) || pid == getpid())
            continue;
        one.pid = (pid_t)pid;
        read_name(dirfd(dir), entry->d_name, one.name, sizeof one.name);
        if (name && strcmp(one.name, name) != 0)
            continue;
        how = has_open(dirfd(dir), entry->d_name, device);
        if (how > best) {
            best = how;
            *out = one;
        }
    }
    closedir(dir);
    return best != HOLD_NONE;
}
