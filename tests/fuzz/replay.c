/* Runs a fuzz target over files, without a fuzzer: every argument is a file, or a directory whose files are
 * all taken in the order of their names. So the corpora are part of the ordinary tests. Ends with status 0
 * unless the target stops the process or nothing could be read.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* False if the file cannot be read. */
static bool replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return false;
    }
    struct buf b = {.data = NULL};
    char chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(&b, chunk, n);
    bool ok = !ferror(f);
    fclose(f);
    /* A copy of exactly its size, so that a sanitizer sees a read behind the end. */
    uint8_t *exact = malloc(b.len ? b.len : 1);
    if (!exact)
        abort();
    for (size_t i = 0; i < b.len; i++)
        exact[i] = (uint8_t)b.data[i];
    LLVMFuzzerTestOneInput(exact, b.len);
    free(exact);
    buf_free(&b);
    return ok;
}

static int visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* Number of files taken, or -1. */
static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        perror(path);
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path) ? 1 : -1;
    struct dirent **names;
    int n = scandir(path, &names, visible, alphasort), taken = 0;
    for (int i = 0; i < n; i++) {
        char file[4096];
        snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        if (taken >= 0 && !replay_file(file))
            taken = -1;
        if (taken >= 0)
            taken++;
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return n < 0 ? -1 : taken;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = replay(argv[i]);
        if (n < 0)
            return 1;
        total += n;
    }
    printf("%s: %d inputs\n", argv[0], total);
    return 0;
}
