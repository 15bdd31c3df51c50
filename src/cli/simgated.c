/* simgated, run by the command itself for what it alone can do (read gateway.conf, examine modems). It is
 * started directly, never by a shell. What can fail: there is no simgated to be found. */
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

extern char **environ;

/* Beside this program, else to be found in PATH. */
static void find_simgated(char path[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - sizeof "simgated");
    char *slash;

    path[len > 0 ? len : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash) {
        strcpy(slash + 1, "simgated");
        if (access(path, X_OK) == 0)
            return;
    }
    strcpy(path, "simgated");
}

pid_t start_simgated(char *const argv[], bool errors_too, int *out)
{
    char program[PATH_MAX];
    posix_spawn_file_actions_t actions;
    int ends[2], rc;
    pid_t pid;

    find_simgated(program);
    if (pipe(ends) < 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (errors_too)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    rc = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *out = ends[0];
    if (rc == 0)
        return pid;
    close(ends[0]);
    errno = rc;
    return -1;
}
