/* `simgate-modem … tell COMMAND`: a client of the control socket, so that trying things needs no other
 * program. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hw/sim/shell.h"

/* Reads up to the end of the answer's line. */
static int read_line(int fd, struct buf *answer)
{
    char bytes[65536];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        buf_add(answer, bytes, (size_t)n);
        if (bytes[n - 1] == '\n')
            return 0;
    }
    return -1;
}

static int converse(int fd, const char *command, struct buf *answer)
{
    struct buf line = {0};
    buf_addf(&line, "%s\n", command);
    bool sent = send(fd, line.data, line.len, MSG_NOSIGNAL) == (ssize_t)line.len;
    buf_free(&line);
    return sent ? read_line(fd, answer) : -1;
}

int shell_tell(const char *control_path, const char *command)
{
    struct sockaddr_un a;
    struct err e = {0};
    struct buf answer = {0};
    int status = 1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || shell_unix_address(control_path, &a, &e) < 0 ||
        connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        if (!e.code)
            err_errno(&e, "%s", control_path);
        fprintf(stderr, "simgate-modem: %s\n", e.text);
    } else if (converse(fd, command, &answer) < 0) {
        fprintf(stderr, "simgate-modem: %s: no answer\n", control_path);
    } else {
        fwrite(answer.data, 1, answer.len, stdout);
        status = strstr(buf_str(&answer), "\"ok\":true") ? 0 : 1;
    }
    if (fd >= 0)
        close(fd);
    buf_free(&answer);
    return status;
}
