/* The shell of simgate-modem: ports, control socket, scenario and log around the pure core.
 *
 * One thread, one epoll set. A turn of the loop reads and feeds every ready port, lets due time pass, writes
 * the log, and only then writes to the ports, so that the log has what any host has seen.
 */
#ifndef SIMGATE_HW_SIM_SHELL_H
#define SIMGATE_HW_SIM_SHELL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "hw/sim/simmodem.h"

enum { SHELL_PATH_BYTES = 96, SHELL_MODEMS = 256 }; /* a unix socket's path has at most 107 bytes */

/* What epoll points at. */
struct shell_source {
    void (*ready)(struct shell_source *s, uint32_t events);
    int fd; /* -1: none */
};

enum shell_kind { SHELL_PTY, SHELL_TCP, SHELL_UNIX };

struct shell;

struct shell_port {
    struct shell *shell;
    struct simmodem *m;
    enum shell_kind kind;
    char name[16];
    char path[SHELL_PATH_BYTES]; /* the link to the pseudo-terminal, or the socket; "" for tcp */
    uint16_t tcp_port;
    struct shell_source line;   /* the pseudo-terminal's master, or the connection */
    struct shell_source listen; /* sockets only */
    int slave;                  /* kept open, so that the pseudo-terminal never hangs up */
    int watch;                  /* inotify on the slave; -1: openers are not known */
    int openers;
    bool up, waiting_to_write;
};

struct shell_conf {
    const char *dir, *unix_path, *control, *log, *scenario;
    const char *pin, *number, *imei, *imsi;
    int64_t tcp_port, count, baud, net_ms, report_ms, seed;
};

struct shell_step;   /* of the scenario */
struct shell_client; /* of the control socket */

struct shell {
    struct shell_conf conf;
    struct simnet *net;
    struct shell_port *ports;
    size_t ports_len;
    int epoll;
    int64_t wall_offset_ms;
    struct shell_source signals, inotify, control;
    struct shell_client *clients;
    char control_path[SHELL_PATH_BYTES];
    struct buf log;
    int log_fd;
    struct shell_step *steps;
    size_t steps_len;
    int64_t start_us;
    uint64_t bytes_in, bytes_out; /* of all lines, as the modems see them */
    bool quit;
};

int64_t shell_now_us(void);
int shell_add(struct shell *s, struct shell_source *src, uint32_t events); /* to the epoll set */
void shell_remove(struct shell *s, struct shell_source *src);              /* and closes it */
struct shell_port *shell_find(struct shell *s, const char *name);

/* shell_loop.c. 0, or a negative code with *e. */
int shell_run(const struct shell_conf *conf, struct err *e);

/* shell_port.c */
int shell_port_open(struct shell_port *p, struct err *e);
void shell_port_close(struct shell_port *p); /* and removes its name from the file system */
void shell_port_write(struct shell_port *p);
int shell_inotify_open(struct shell *s, struct err *e);

/* shell_control.c: one command a line, one JSON object a line. */
int shell_control_open(struct shell *s, struct err *e);
void shell_control_close(struct shell *s);
void shell_command(struct shell *s, char *line, struct buf *answer); /* line is taken apart */
int shell_unix_address(const char *path, struct sockaddr_un *out, struct err *e);
int shell_unix_listen(const char *path, struct err *e); /* the descriptor */

/* shell_scenario.c */
int shell_scenario_load(struct shell *s, const char *path, struct err *e);
void shell_scenario_run(struct shell *s, int64_t now_us);
int64_t shell_scenario_deadline_us(const struct shell *s);

/* shell_client.c: gives `command` to a running simgate-modem and prints its answer. The exit status. */
int shell_tell(const char *control_path, const char *command);

#endif
