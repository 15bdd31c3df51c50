/* What a line can carry: the dialogue of AT+CMGS (TS 27.005 3.5.1) and nothing else, over and over, as fast
 * as the modem answers. No store, no queue, no timers: a blocking read(2) and write(2). What simgate reaches
 * on the same line is judged by this.
 *
 *     bench_line DEVICE COUNT TPDU_LENGTH PDU_HEX
 *
 * The SIM must not ask for a PIN. Prints "name<TAB>value<TAB>unit" lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 4096 };

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "bench_line: %s: %s\n", what, detail);
    exit(1);
}

static int open_line(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios t;

    if (fd < 0 || tcgetattr(fd, &t) < 0)
        die(path, strerror(errno));
    cfmakeraw(&t);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSANOW, &t) < 0)
        die(path, strerror(errno));
    return fd;
}

/* Writes `text`, then reads until the answer ends with `end`. */
static void exchange(int fd, const char *text, const char *end)
{
    char answer[ANSWER_BYTES];
    size_t len = 0, want = strlen(end), n = strlen(text);

    if (write(fd, text, n) != (ssize_t)n)
        die("write", strerror(errno));
    while (len < want || memcmp(answer + len - want, end, want) != 0) {
        ssize_t got = read(fd, answer + len, sizeof(answer) - 1 - len);

        if (got <= 0)
            die("read", got < 0 ? strerror(errno) : "the modem hung up");
        len += (size_t)got;
        answer[len] = '\0';
        if (strstr(answer, "ERROR") || len == sizeof(answer) - 1)
            die(text, answer);
    }
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    char command[32], data[512];

    if (argc != 5 || strlen(argv[4]) + 2 > sizeof(data))
        die("usage", "bench_line DEVICE COUNT TPDU_LENGTH PDU_HEX");
    int fd = open_line(argv[1]), count = atoi(argv[2]);
    snprintf(command, sizeof(command), "AT+CMGS=%d\r", atoi(argv[3]));
    snprintf(data, sizeof(data), "%s\x1a", argv[4]);
    exchange(fd, "ATE0\r", "OK\r\n");
    exchange(fd, "AT+CMGF=0\r", "OK\r\n");
    double start_s = now_s();
    for (int i = 0; i < count; i++) {
        exchange(fd, command, "> ");
        exchange(fd, data, "\r\nOK\r\n");
    }
    double took_s = now_s() - start_s;
    printf("line_messages\t%.1f\tmessages/s\n", count / took_s);
    printf("line_seconds\t%.6f\ts\n", took_s);
    close(fd);
    return 0;
}
