/* A profile with any content is read or refused with a text for each problem, and what is read can be used: a
 * modem is matched by it, its ports get their roles, rules of udev are made from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/profiles.h"
#include "app/udev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5's own: a text that a syntax error cuts short. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

static void use(const struct profile_set *set)
{
    const struct profile *family = set->profiles[0];
    struct port_info port = {.vendor = 0x12d1, .product = 0x1001, .interface = 2, .interface_class = 255};
    struct buf rules = {0};
    char why[80];

    profile_match(set, &port, "huawei", "E173", why, sizeof why);
    profile_role_name(profile_role_of(set, &port));
    profile_other_mode_of(set, 0x12d1, 0x1446, &family);
    udev_rules(set, &rules);
    if (!rules.len)
        abort();
    buf_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char folder[] = "/dev/shm/simgate-profiles-XXXXXX", path[64];
    const char *const list[] = {folder, NULL};
    struct buf problems = {0};
    FILE *f;

    /* libconfig reads other files and folders by "@include": not what is tried here */
    if (memmem(data, size, "@include", 8) || !mkdtemp(folder))
        return 0;
    snprintf(path, sizeof path, "%s/x.conf", folder);
    f = fopen(path, "w");
    if (!f)
        abort();
    fwrite(data, 1, size, f);
    fclose(f);
    struct profiles *p = profiles_read(list, &problems);
    if ((profiles_set(p)->count == 1) != (problems.len > 0))
        abort(); /* left out without a word, or used in spite of one */
    use(profiles_set(p));
    profiles_free(p);
    buf_free(&problems);
    unlink(path);
    rmdir(folder);
    return 0;
}
