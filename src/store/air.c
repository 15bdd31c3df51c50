/* The mapped file of marks; see air.h. Written by the loop's thread only. */
#include "store/air.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"

/* On the air at once are a part or two of each modem, and those whose outcomes wait for the next commit. */
enum { AIR_MARKS = 8000, BOOT_ID_BYTES = 40 };

static const char magic[8] = "SGAIR1";

struct air_file {
    char magic[8];               /* empty: the marks are not complete */
    char boot_id[BOOT_ID_BYTES]; /* of the machine's run in which they were made */
    int64_t parts[AIR_MARKS];    /* 0: free */
};

static bool read_boot_id(char out[BOOT_ID_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, BOOT_ID_BYTES - 1);

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

void air_open(struct air *a, const char *database)
{
    char path[4096], boot_id[BOOT_ID_BYTES];
    void *map = MAP_FAILED;
    int fd = -1;

    *a = (struct air){0};
    if (snprintf(path, sizeof path, "%s-air", database) < (int)sizeof path && read_boot_id(boot_id))
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    /* With its blocks allocated: a full disk must not become a signal later. */
    if (fd >= 0 && posix_fallocate(fd, 0, sizeof(struct air_file)) == 0)
        map = mmap(NULL, sizeof(struct air_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return;
    a->file = map;
    a->known = memcmp(a->file->magic, magic, sizeof magic) == 0 && strcmp(a->file->boot_id, boot_id) == 0;
}

void air_close(struct air *a)
{
    if (a->file)
        munmap(a->file, sizeof *a->file);
    *a = (struct air){0};
}

bool air_may_have_left(const struct air *a, int64_t part)
{
    if (!a->known)
        return true;
    for (size_t i = 0; i < AIR_MARKS; i++)
        if (a->file->parts[i] == part)
            return true;
    return false;
}

void air_begin(struct air *a)
{
    a->known = false;
    a->next = a->top = 0;
    if (!a->file)
        return;
    memset(a->file->magic, 0, sizeof a->file->magic);
    memset(a->file->parts, 0, sizeof a->file->parts);
    if (read_boot_id(a->file->boot_id))
        memcpy(a->file->magic, magic, sizeof magic);
}

void air_mark(struct air *a, int64_t part)
{
    if (!a->file)
        return;
    for (size_t tried = 0; tried < AIR_MARKS; tried++) {
        size_t i = a->next++ % AIR_MARKS;

        if (a->file->parts[i])
            continue;
        a->file->parts[i] = part;
        if (i >= a->top)
            a->top = i + 1;
        return;
    }
    memset(a->file->magic, 0, sizeof a->file->magic); /* no room: what is marked is not all */
}

void air_clear(struct air *a, int64_t part)
{
    for (size_t i = 0; a->file && i < a->top; i++) {
        if (a->file->parts[i] != part)
            continue;
        a->file->parts[i] = 0;
        if (a->next > i)
            a->next = i; /* the marks stay together at the front, and the search short */
    }
    while (a->file && a->top && !a->file->parts[a->top - 1])
        a->top--;
}
