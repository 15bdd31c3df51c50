/* What a command prints to standard output. */
#ifndef SIMGATE_TESTS_UNIT_CLI_CAPTURE_H
#define SIMGATE_TESTS_UNIT_CLI_CAPTURE_H

#include <stdio.h>
#include <unistd.h>

/* Static. */
static inline const char *printed(void (*fn)(void))
{
    static char out[65536];
    FILE *file = tmpfile();
    int kept = dup(STDOUT_FILENO);
    size_t n;

    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    fn();
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    n = fread(out, 1, sizeof out - 1, file);
    out[n] = '\0';
    fclose(file);
    return out;
}

#endif
