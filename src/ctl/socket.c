/* The socket's place in the file system. A socket that nobody answers at is left from a crash and replaced;
 * one that answers belongs to another simgated; anything else is not ours to remove. unix(7). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"
#include "ctl/private.h"

enum { SOCKET_MODE = 0660, DIRECTORY_MODE = 0755 };

static int make_directories(const char *path, struct err *e)
{
    char dir[sizeof((struct sockaddr_un *)0)->sun_path];

    str_copy(dir, sizeof dir, path);
    for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(dir, DIRECTORY_MODE) < 0 && errno != EEXIST)
            return err_errno(e, "%s", dir);
        *p = '/';
    }
    return 0;
}

static bool somebody_answers(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answers;

    if (fd < 0)
        return false;
    answers = connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 || errno == EAGAIN;
    close(fd);
    return answers;
}

static int clear_place(const struct sockaddr_un *at, struct err *e)
{
    struct stat st;

    if (lstat(at->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : err_errno(e, "%s", at->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, ERR_EXISTS, "%s: exists and is not a socket", at->sun_path);
    if (somebody_answers(at))
        return err_set(e, ERR_BUSY, "%s: another simgated is running and answers here", at->sun_path);
    if (unlink(at->sun_path) < 0)
        return err_errno(e, "%s", at->sun_path);
    return 0;
}

int ctl_bind(uv_loop_t *loop, uv_pipe_t *listener, const char *path, struct err *e)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd, rc;

    if (!str_copy(at.sun_path, sizeof at.sun_path, path))
        return err_set(e, ERR_TOO_LONG, "%s: at most %zu bytes expected", path, sizeof at.sun_path - 1);
    if (make_directories(path, e) < 0 || clear_place(&at, e) < 0)
        return e->code;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || chmod(path, SOCKET_MODE) < 0) {
        rc = err_errno(e, "%s", path);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    uv_pipe_init(loop, listener, 0);
    rc = uv_pipe_open(listener, fd);
    if (rc < 0) {
        close(fd);
        uv_close((uv_handle_t *)listener, NULL);
        return err_set(e, ERR_IO, "%s: %s", path, uv_strerror(rc));
    }
    return 0;
}
